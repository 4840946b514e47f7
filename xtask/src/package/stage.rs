//! The staged trees: one directory for each package, laid out like `/`.
//!
//! What Debian's helper places by itself, units and users, lies in a second set of trees, since it adds to the maintainer scripts
//! what is to be done at install; everything else is the same for all kinds of packages.

use super::contents::{FILES, File, From, PACKAGES, Placed, installed_name, place_of_made};
use super::{Order, manuals, notices};
use anyhow::Context as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Where what is made for packages lies.
fn made(order: &Order) -> PathBuf {
    order.out.join("made")
}

/// Writes the trees anew.
pub(super) fn write(order: &Order, programs: &Path) -> anyhow::Result<()> {
    let (stage, made) = (order.stage(), made(order));
    for directory in [&stage, &made] {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        fs::create_dir_all(directory)?;
    }
    manuals::write(&made)?;
    notices::write(&order.checkout, &made)?;
    for package in PACKAGES {
        fs::create_dir_all(stage.join("all").join(package))?;
        fs::create_dir_all(stage.join("debian").join(package))?;
    }
    for file in FILES {
        place(order, programs, file)?;
    }
    for entry in fs::read_dir(&made)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(directory) = place_of_made(&name) {
            for tree in ["all", "debian"] {
                let into = stage.join(tree).join("pqcrypta").join(directory);
                copy(&path, &into, 0o644)?;
            }
        }
    }
    Ok(())
}

fn place(order: &Order, programs: &Path, file: &File) -> anyhow::Result<()> {
    let source = match file.from {
        From::Program => programs.join(file.source),
        From::Checkout => order.checkout.join(file.source),
        From::Made => made(order).join(file.source),
    };
    let into = |tree: &str| {
        let tree = order.stage().join(tree).join(file.package);
        tree.join(file.directory)
    };
    copy(&source, &into("all"), file.mode)?;
    if file.placed == Placed::Here {
        copy(&source, &into("debian"), file.mode)?;
    }
    Ok(())
}

/// Copies a file into a directory, which is made.
fn copy(source: &Path, into: &Path, mode: u32) -> anyhow::Result<()> {
    fs::create_dir_all(into)?;
    let target = into.join(installed_name(source));
    fs::copy(source, &target)
        .with_context(|| format!("cannot copy {} to {}", source.display(), target.display()))?;
    fs::set_permissions(&target, fs::Permissions::from_mode(mode))?;
    Ok(())
}
