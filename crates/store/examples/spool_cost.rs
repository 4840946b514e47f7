//! Prints what a record of 45 KB costs and how long 100 MB take to open and to read.
//!
//! `cargo run --release -p pqcrypta-store --example spool_cost [FOLDER]`

use std::path::PathBuf;
use std::time::{Duration, Instant};

use schema::{Class, Timestamp};
use store::spool::{Spool, SpoolOptions};

/// Bytes as rows of processes are: names and counters, mostly as in the row before.
fn rows(tick: u64, len: usize) -> Vec<u8> {
    let mut x = tick | 1;
    let mut out = Vec::with_capacity(len);
    let mut row = 0u64;
    while out.len() < len {
        x = x.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(99);
        row += 1;
        out.extend_from_slice(&[0, 11, 0, 0, 0, 8]);
        out.extend_from_slice(&tick.to_be_bytes());
        out.extend_from_slice(format!("process-{:03}", row % 200).as_bytes());
        out.extend_from_slice(&row.to_be_bytes());
        out.extend_from_slice(&((x >> 40) as f64 / 1e3).to_be_bytes());
        out.extend_from_slice(&[0; 24]);
        out.extend_from_slice(&((x >> 20) & 0xff_ffff).to_be_bytes());
    }
    out.truncate(len);
    out
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let base = std::env::args_os()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::tempdir_in(base)?;
    let options = SpoolOptions::with_budget(256 << 20);
    let mut spool = Spool::open(dir.path(), options)?;
    let mut times: Vec<Duration> = Vec::new();
    for tick in 1..=500 {
        let payload = rows(tick, 45_000);
        let start = Instant::now();
        spool.append(
            Class::Bulk,
            Timestamp(tick.cast_signed() * 10_000_000),
            448,
            &payload,
        )?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!(
        "append of 45 KB: median {:?}, p99 {:?}, most {:?}",
        at(50),
        at(99),
        at(100)
    );
    println!(
        "on disk for 500 of them: {} MiB",
        spool.bytes_on_disk() >> 20
    );

    let mut tick = 500;
    while spool.bytes_on_disk() < 100 << 20 {
        tick += 1;
        // Half of it random, so that it fills the segments.
        let mut payload = rows(tick, 20_000);
        let mut x = tick;
        payload.extend((0..80_000).map(|_| {
            x = x.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(99);
            (x >> 56) as u8
        }));
        spool.append(
            Class::Core,
            Timestamp(tick.cast_signed() * 10_000_000),
            448,
            &payload,
        )?;
    }
    let bytes = spool.bytes_on_disk();
    drop(spool);
    let start = Instant::now();
    let mut spool = Spool::open(dir.path(), options)?;
    println!("opening {} MiB: {:?}", bytes >> 20, start.elapsed());
    let start = Instant::now();
    let (mut from, mut total) = (1, 0);
    loop {
        let records = spool.read(Class::Core, from, 1 << 20, 64)?;
        let Some(last) = records.last() else { break };
        from = last.lsn + 1;
        total += records.iter().map(|r| r.payload.len()).sum::<usize>();
    }
    println!(
        "reading {} MiB of payload: {:?}",
        total >> 20,
        start.elapsed()
    );
    Ok(())
}
