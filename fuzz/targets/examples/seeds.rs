//! Writes the seeds of a target into a folder: `cargo run --example seeds -- TARGET FOLDER`.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: seeds TARGET FOLDER".into());
    };
    let target = fuzz_targets::TARGETS
        .iter()
        .find(|target| target.name == name)
        .ok_or("no such target")?;
    std::fs::create_dir_all(&folder)?;
    for (number, seed) in (target.seeds)().into_iter().enumerate() {
        std::fs::write(Path::new(&folder).join(format!("seed-{number}")), seed)?;
    }
    Ok(())
}
