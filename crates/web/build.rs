//! Builds the pages and puts them into the program.
//!
//! * `UI_DIST=path` takes pages that were built elsewhere.
//! * Otherwise `ui/` is copied to a separate folder below `OUT_DIR` and built there by npm and
//!   Vite, so the source tree stays clean and two builds never share a folder. A Node that is too
//!   old for Vite is replaced by the one that `ui/toolchain` brings from the npm registry.
//! * Without npm, or when the build fails, a page that states what is missing replaces them, and
//!   the API works all the same; `UI_REQUIRED=1` makes it an error instead.
//!
//! Every file is compressed here, once, with brotli and gzip.

#[path = "build/npm.rs"]
mod npm;
#[path = "build/pack.rs"]
mod pack;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo:warning=the dashboard's pages cannot be embedded: {error}");
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
    let ui = Path::new(&here).join("../../ui");
    for file in ["build.rs", "build/npm.rs", "build/pack.rs"] {
        println!("cargo:rerun-if-changed={file}");
    }
    let required = variable("UI_REQUIRED").is_some_and(|value| value != "0");
    let dist = match variable("UI_DIST") {
        Some(dist) => {
            println!("cargo:rerun-if-changed={dist}");
            let dist = PathBuf::from(dist);
            dist.join("index.html")
                .is_file()
                .then_some(dist.clone())
                .ok_or_else(|| format!("UI_DIST={} has no index.html", dist.display()))
        }
        None => npm::build(&ui, &out.join("ui-work"), &out.join("ui-dist")),
    };
    match dist {
        Ok(dist) => pack::write(&pack::read(&dist)?, &out),
        Err(problem) if required => Err(io::Error::other(problem)),
        Err(problem) => {
            println!("cargo:warning=the dashboard's pages are a placeholder: {problem}");
            // A file that never exists: missing tools may be installed before the next build.
            println!("cargo:rerun-if-changed=ui-is-a-placeholder");
            pack::write(&[pack::placeholder(&problem)], &out)
        }
    }
}

/// Removes a folder with its contents, if it exists.
fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
