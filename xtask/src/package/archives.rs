//! The packages themselves, made by the tools of their systems from the staged trees.

use super::contents::{FILES, PACKAGES, Placed};
use super::{Order, run_tool};
use anyhow::Context as _;
use jiff::Timestamp;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Makes the Debian packages with debhelper; returns their paths.
pub(super) fn debian(order: &Order) -> anyhow::Result<Vec<PathBuf>> {
    let work = fresh(&order.out.join("deb/source"))?;
    copy_tree(&order.checkout.join("deploy/debian"), &work.join("debian"))?;
    for file in FILES {
        if let Placed::ByDebhelper(kind) = file.placed {
            let name = format!("{}.{kind}", file.package);
            fs::copy(
                order.checkout.join(file.source),
                work.join("debian").join(name),
            )?;
        }
    }
    fs::write(work.join("debian/changelog"), changelog(order)?)?;
    let (options, compression) = match order.is_quick {
        true => ("noautodbgsym nocheck", "-Zgzip -z1"),
        false => ("nocheck", "-Zxz"),
    };
    let mut build = Command::new("dpkg-buildpackage");
    build
        .args(["--build=binary", "--no-sign", "--no-check-builddeps"])
        .current_dir(&work)
        .env("STAGE", order.stage().join("debian"))
        .env("DEB_BUILD_OPTIONS", options)
        .env("DEB_COMPRESSION", compression)
        .env("SOURCE_DATE_EPOCH", order.epoch.to_string());
    run_tool(&mut build)?;
    collect(&order.out.join("deb"), "deb", &order.out)
}

/// Returns Debian's changelog: one entry for this version, whose changes are in CHANGELOG.md.
fn changelog(order: &Order) -> anyhow::Result<String> {
    let seconds = i64::try_from(order.epoch)?;
    let date = Timestamp::from_second(seconds)?
        .strftime("%a, %d %b %Y %H:%M:%S +0000")
        .to_string();
    Ok(format!(
        "pqcrypta ({VERSION}) stable; urgency=medium\n\n  * See /usr/share/doc/pqcrypta/CHANGELOG.md.gz.\n\n \
         -- The pqcrypta-collector authors <maintainers@pqcrypta.invalid>  {date}\n"
    ))
}

/// Makes the rpm packages; returns their paths.
pub(super) fn rpm(order: &Order) -> anyhow::Result<Vec<PathBuf>> {
    let top = fresh(&order.out.join("rpm"))?;
    let stage = fresh(&top.join("stage"))?;
    for package in PACKAGES {
        let tree = order.stage().join("all").join(package);
        copy_tree(&tree, &stage.join(package))?;
        strip_programs(&stage.join(package))?;
        fs::write(
            stage.join(format!("{package}.files")),
            listed(&stage.join(package))?,
        )?;
    }
    let mut build = Command::new("rpmbuild");
    build
        .arg("-bb")
        .arg(order.checkout.join("deploy/rpm/pqcrypta.spec"))
        .args(defined("_topdir", &top.to_string_lossy()))
        .args(defined("_stage", &stage.to_string_lossy()))
        .args(defined("_version", VERSION))
        .args(defined("_buildhost", "localhost"))
        .args(defined("use_source_date_epoch_as_buildtime", "1"))
        .args(defined("clamp_mtime_to_source_date_epoch", "1"))
        .env("SOURCE_DATE_EPOCH", order.epoch.to_string());
    if order.is_quick {
        build.args(defined("_binary_payload", "w1.gzdio"));
    }
    run_tool(&mut build)?;
    collect(&top.join("RPMS"), "rpm", &order.out)
}

fn defined(name: &str, value: &str) -> [String; 2] {
    ["--define".to_owned(), format!("{name} {value}")]
}

/// Returns the list of files of a tree as rpm takes it: owned by root, with their modes, directories of others left out.
fn listed(tree: &Path) -> anyhow::Result<String> {
    let mut list = String::from("%defattr(-,root,root,-)\n");
    for path in files_below(tree)? {
        let _infallible = writeln!(list, "/{}", path.strip_prefix(tree)?.display());
    }
    Ok(list)
}

/// Makes the archive that installs itself; returns its path.
pub(super) fn archive(order: &Order) -> anyhow::Result<Vec<PathBuf>> {
    let name = format!("pqcrypta-{VERSION}-{}", std::env::consts::ARCH);
    let folder = fresh(&order.out.join("archive").join(&name))?;
    for package in PACKAGES {
        copy_tree(
            &order.stage().join("all").join(package),
            &folder.join("root"),
        )?;
    }
    strip_programs(&folder.join("root"))?;
    fs::copy(
        order.checkout.join("deploy/archive/install.sh"),
        folder.join("install.sh"),
    )?;
    fs::copy(order.checkout.join("LICENSE"), folder.join("LICENSE"))?;
    let path = order.out.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.arg("--create")
        .arg("--use-compress-program")
        .arg(match order.is_quick {
            true => "gzip --no-name --fast",
            false => "gzip --no-name --best",
        })
        .arg("--file")
        .arg(&path)
        .args([
            "--sort=name",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
            "--format=gnu",
        ])
        .arg(format!("--mtime=@{}", order.epoch))
        .arg("--directory")
        .arg(order.out.join("archive"))
        .arg(&name);
    run_tool(&mut tar)?;
    Ok(vec![path])
}

/// Removes debug symbols from the programs of a tree; Debian's helper does so by itself.
fn strip_programs(tree: &Path) -> anyhow::Result<()> {
    let folder = tree.join("usr/bin");
    if !folder.exists() {
        return Ok(());
    }
    for program in files_below(&folder)? {
        run_tool(Command::new("strip").arg("--strip-all").arg(program))?;
    }
    Ok(())
}

/// Empties a directory, or makes it.
fn fresh(path: &Path) -> anyhow::Result<PathBuf> {
    if path.exists() {
        fs::remove_dir_all(path)?;
    }
    fs::create_dir_all(path)?;
    Ok(path.to_owned())
}

/// Returns every file below a directory, in order.
fn files_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            match path.is_dir() {
                true => open.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    Ok(found)
}

fn copy_tree(from: &Path, to: &Path) -> anyhow::Result<()> {
    for file in files_below(from)? {
        let target = to.join(file.strip_prefix(from)?);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&file, &target)?;
    }
    Ok(())
}

/// Moves the packages that a tool left below a directory to where packages are looked for.
fn collect(below: &Path, extension: &str, into: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut moved = Vec::new();
    for file in files_below(below)? {
        if file.extension().is_some_and(|found| found == extension) {
            let target = into.join(file.file_name().unwrap_or_default());
            fs::rename(&file, &target)?;
            moved.push(target);
        }
    }
    anyhow::ensure!(!moved.is_empty(), "no {extension} package was made");
    Ok(moved)
}
