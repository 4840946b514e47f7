//! Puts the tracker into the program.
//!
//! It is built by Vite from `ui/tracker` into `ui/dist-tracker` (`npm run build` in `ui`); `TRACKER_DIST=path` takes it from elsewhere.
//! Where it is missing, a script that says so in the browser's console replaces it, and everything else works.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

const NAME: &str = "pqcrypta-analytics.js";
const PLACEHOLDER: &str = "console.error(\"pqcrypta-analytics was built without its tracker: run `npm run build` in ui/, then build the program again\");\n";

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo:warning=the tracker cannot be embedded: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Reads a variable of the build; cargo reruns this script when it changes.
fn variable(name: &str) -> Option<String> {
    println!("cargo:rerun-if-env-changed={name}");
    #[expect(
        clippy::disallowed_methods,
        reason = "a build script has no configuration but this"
    )]
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn build() -> io::Result<()> {
    let missing = |name| io::Error::other(format!("{name} is not set"));
    let out = PathBuf::from(variable("OUT_DIR").ok_or_else(|| missing("OUT_DIR"))?);
    let here = variable("CARGO_MANIFEST_DIR").ok_or_else(|| missing("CARGO_MANIFEST_DIR"))?;
    let dist = variable("TRACKER_DIST").map_or_else(
        || Path::new(&here).join("../../ui/dist-tracker"),
        PathBuf::from,
    );
    let path = dist.join(NAME);
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", path.display());
    let script = match fs::read(&path) {
        Ok(script) => script,
        Err(_) => {
            println!(
                "cargo:warning=the tracker is a placeholder: {} is missing; run `npm run build` in ui/",
                path.display()
            );
            PLACEHOLDER.as_bytes().to_vec()
        }
    };
    fs::write(out.join("tracker.js"), &script)?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&script)?;
    fs::write(out.join("tracker.js.gz"), gzip.finish()?)
}
