//! Read errors of the medium.

use std::io::Write as _;

use super::*;

/// L31: the lines that the broken block touches are lost, and no others.
#[test]
fn a_broken_block_is_passed_over() {
    let lines: String = (0..2000).map(|n| format!("line {n:05}\n")).collect();
    for broken in [0, 5000, 8192, 16_384 + 4095, lines.len() as u64 - 1] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(lines.as_bytes()).unwrap();
        let stat = Stat::of_open(&file).unwrap();
        let mut content = Content::plain(file);
        if let Content::Plain(plain) = &mut content {
            plain.broken.push(broken);
        }
        let mut log = LogFile::new(content, stat);
        let stream: Arc<str> = Arc::from("x");
        let (mut buf, mut read, mut gaps) = (Vec::new(), String::new(), Vec::new());
        let mut take = |chunk: Chunk| {
            read.push_str(std::str::from_utf8(&chunk.bytes).unwrap());
            gaps.extend(chunk.gaps);
        };
        loop {
            match log.read(&stream, &mut buf, READ_BYTES) {
                Read::Lines(chunk) => take(*chunk),
                Read::Passed(_) => {}
                Read::End => break,
                other => panic!("{other:?} at {broken}"),
            }
        }
        take(log.finish(&stream, &mut buf));
        let first = broken - broken % BLOCK_BYTES;
        let last = (first + BLOCK_BYTES).min(lines.len() as u64);
        let expected: String = (lines.split_inclusive('\n').enumerate())
            .filter(|(n, _)| {
                let start = *n as u64 * 11;
                // what begins right after the block cannot be distinguished from the rest of a line
                start + 11 <= first || start > last
            })
            .map(|(_, line)| line)
            .collect();
        assert!(
            read == expected,
            "{broken}: {} of {}",
            read.len(),
            expected.len()
        );
        assert_eq!(gaps.len(), 1, "{broken}: {gaps:?}");
        assert_eq!(gaps[0].reason, GapReason::Unreadable);
        assert_eq!(
            gaps[0].bytes,
            Some((lines.len() - expected.len()) as u64),
            "{broken}"
        );
    }
}
