//! What a peer of a health check sends before anything of it is trusted.

use crate::seeds::choosing;
use config::RecordType;

/// What was asked.
const NAME: &str = "shop.example";
const RECORDS: [RecordType; 6] = [
    RecordType::A,
    RecordType::Aaaa,
    RecordType::Cname,
    RecordType::Mx,
    RecordType::Txt,
    RecordType::Ns,
];

/// Reads the input as a resolver's answer, or as certificates, as its first byte chooses.
pub(crate) fn run(input: &[u8]) {
    let Some((choice, rest)) = input.split_first() else {
        return;
    };
    match RECORDS.get(usize::from(*choice) % 8) {
        Some(record) => {
            if let Ok(answers) = health::untrusted::dns_answers(rest, NAME, *record) {
                // A name of pointers cannot grow without end.
                assert!(answers.iter().all(|answer| answer.len() <= 64 * 1024));
            }
        }
        None => {
            let middle = rest.len() / 2;
            let whole = health::untrusted::chain_expiry(&[rest]);
            let both = health::untrusted::chain_expiry(&[rest, &rest[middle..], rest]);
            // A chain expires no later than its first certificate.
            assert!(both <= whole, "{both:?} {whole:?}");
        }
    }
}

/// Returns answers of a resolver, and a certificate as far as it is read.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let question = [b"\x04shop\x07example\x00".as_slice(), &[0, 0, 0, 1]].concat();
    let mut seeds = Vec::new();
    for (choice, kind, data) in [
        (0, 1, b"\xc0\x00\x02\x01".as_slice()),
        (
            1,
            28,
            b"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01",
        ),
        (2, 5, b"\x03www\xc0\x0c"),
        (3, 15, b"\x00\x0a\x04mail\xc0\x0c"),
        (4, 16, b"\x05v=one\x03two"),
        (5, 2, b"\x02ns\xc0\x11"),
    ] {
        let mut message = vec![0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
        message.extend_from_slice(&question);
        // The type that was asked.
        let at = message.len() - 4;
        message[at..at + 2].copy_from_slice(&[0, kind]);
        message.extend_from_slice(&[0xc0, 0x0c, 0, kind, 0, 1, 0, 0, 0, 60, 0]);
        message.push(u8::try_from(data.len()).expect("a short answer"));
        message.extend_from_slice(data);
        seeds.push(choosing(choice, &message));
    }
    let element = |tag: u8, parts: &[&[u8]]| {
        let content = parts.concat();
        let length = u8::try_from(content.len()).expect("a short element");
        [&[tag, length], content.as_slice()].concat()
    };
    let name = element(0x30, &[b"\x31\x00"]);
    let validity = element(
        0x30,
        &[
            &element(0x17, &[b"260101000000Z"]),
            &element(0x17, &[b"270101000000Z"]),
        ],
    );
    let version = element(0xa0, &[&element(2, &[b"\x02"])]);
    let algorithm = element(0x30, &[]);
    let body = element(
        0x30,
        &[
            &version,
            &element(2, &[b"\x01"]),
            &algorithm,
            &name,
            &validity,
            &name,
        ],
    );
    seeds.push(choosing(7, &element(0x30, &[&body])));
    let late = element(
        0x30,
        &[
            &element(0x18, &[b"20500101000000Z"]),
            &element(0x18, &[b"20510101000000Z"]),
        ],
    );
    let body = element(
        0x30,
        &[&element(2, &[b"\x01"]), &algorithm, &name, &late, &name],
    );
    seeds.push(choosing(7, &element(0x30, &[&body])));
    seeds
}
