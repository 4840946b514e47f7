//! What a line costs from file to event, without a database: CPU time per line of a syslog file.
//!
//! `cargo run --release -p pqcrypta-logs --example intake_cost -- FILE`

use config::LogSource;
use logs::intake::{Intake, Limits, Wanted};
use schema::Timestamp;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("name a file")?;
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("auth.log");
    let source = LogSource {
        name: "auth".to_owned(),
        path: Some(path.clone()),
        ..LogSource::default()
    };
    let limits = Limits {
        events: 5_000,
        lines: 5_000,
        bytes: 262_144,
        fingerprints: 1_000,
    };
    let wanted = [Wanted::of(&source)?];
    let mut intake = Intake::new(&wanted, &[], std::iter::empty(), limits, &[]);
    // A log that appears while it is waited for is read from its beginning.
    intake.poll(Timestamp(jiff::Timestamp::now().as_microsecond()), |_| {});
    std::fs::copy(file, path)?;
    let begun = cpu()?;
    let (mut events, mut security) = (0_u64, 0);
    let mut now = jiff::Timestamp::now().as_microsecond();
    loop {
        let batch = intake.poll(Timestamp(now), |_| {});
        events += batch.events as u64;
        security += batch.security.len();
        if !batch.more {
            break;
        }
        now += 1_000;
    }
    let nanos = cpu()? - begun;
    println!(
        "{events} events, {security} security events, {} ns each",
        nanos / events.max(1)
    );
    Ok(())
}

/// CPU time of this thread, nanoseconds. Source: /proc/thread-self/schedstat.
fn cpu() -> Result<u64, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or("0").parse()?)
}
