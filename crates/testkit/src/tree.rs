//! Directories built from lists, e.g. the part of `/proc` that a collector reads.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::TestkitError;

/// A directory that is removed with this value.
#[derive(Debug)]
pub struct Tree(TempDir);

impl Tree {
    /// Builds a tree from paths and contents. A path that ends in a slash is an empty directory.
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn new<'a>(
        entries: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, TestkitError> {
        let dir = tempfile::tempdir().map_err(TestkitError::io(
            "create a directory in",
            std::env::temp_dir(),
        ))?;
        let tree = Self(dir);
        for (path, content) in entries {
            tree.write(path, content)?;
        }
        Ok(tree)
    }

    /// Returns the root.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Returns a path below the root; a leading slash is passed over.
    #[must_use]
    pub fn at(&self, path: &str) -> PathBuf {
        self.path().join(path.trim_start_matches('/'))
    }

    /// Writes or overwrites a file, with the directories above it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Result<(), TestkitError> {
        let full = self.at(path);
        if path.ends_with('/') {
            return fs::create_dir_all(&full).map_err(TestkitError::io("create", &full));
        }
        if let Some(parent) = full.parent() {
            fs::create_dir_all(parent).map_err(TestkitError::io("create", parent))?;
        }
        fs::write(&full, content).map_err(TestkitError::io("write", &full))
    }

    /// Makes a symbolic link, e.g. `1/exe` or `1/fd/3`; the target need not be there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn link(&self, path: &str, target: &str) -> Result<(), TestkitError> {
        let full = self.at(path);
        if let Some(parent) = full.parent() {
            fs::create_dir_all(parent).map_err(TestkitError::io("create", parent))?;
        }
        symlink(target, &full).map_err(TestkitError::io("link", &full))
    }

    /// Removes a file or a directory with all below it, as when a process ends.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self, path: &str) -> Result<(), TestkitError> {
        let full = self.at(path);
        let removed = if full.is_dir() {
            fs::remove_dir_all(&full)
        } else {
            fs::remove_file(&full)
        };
        removed.map_err(TestkitError::io("remove", &full))
    }
}
