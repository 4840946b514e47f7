//! A file system in memory, so that a spool can be damaged and opened thousands of times a second.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::spool::{DirEntry, Disk, DiskFile, OpenMode};

type Content = Arc<Mutex<Vec<u8>>>;

/// Files by path.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryDisk(Arc<Mutex<BTreeMap<PathBuf, Content>>>);

/// One of them, open.
#[derive(Debug)]
pub(crate) struct MemoryFile(Content);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn missing() -> io::Error {
    ErrorKind::NotFound.into()
}

impl MemoryDisk {
    /// Returns a disk with these files.
    pub(crate) fn of(files: &BTreeMap<PathBuf, Vec<u8>>) -> Self {
        let files = files.iter();
        let files = files.map(|(path, bytes)| (path.clone(), Arc::new(Mutex::new(bytes.clone()))));
        Self(Arc::new(Mutex::new(files.collect())))
    }

    /// Returns every file.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = lock(&self.0);
        let files = files.iter();
        files
            .map(|(path, content)| (path.clone(), lock(content).clone()))
            .collect()
    }
}

impl Disk for MemoryDisk {
    type File = MemoryFile;

    fn create_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let files = lock(&self.0);
        let here = files.iter().filter(|(file, _)| file.parent() == Some(path));
        let entry = |(file, content): (&PathBuf, &Content)| {
            let name = file.file_name()?.to_str()?.to_owned();
            let len = lock(content).len() as u64;
            Some(DirEntry { name, len })
        };
        Ok(here.filter_map(entry).collect())
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<MemoryFile> {
        let mut files = lock(&self.0);
        let content = match (files.get(path), mode) {
            (Some(_), OpenMode::CreateNew) => return Err(ErrorKind::AlreadyExists.into()),
            (Some(content), _) => Arc::clone(content),
            (None, OpenMode::Read | OpenMode::Write) => return Err(missing()),
            (None, OpenMode::CreateNew | OpenMode::Create) => {
                let content = Content::default();
                files.insert(path.to_owned(), Arc::clone(&content));
                content
            }
        };
        Ok(MemoryFile(content))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut files = lock(&self.0);
        let content = files.remove(from).ok_or_else(missing)?;
        files.insert(to.to_owned(), content);
        Ok(())
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut files = lock(&self.0);
        let content = Arc::clone(files.get(from).ok_or_else(missing)?);
        files.insert(to.to_owned(), content);
        Ok(())
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        lock(&self.0).remove(path).map(drop).ok_or_else(missing)
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for MemoryFile {
    fn size(&self) -> io::Result<u64> {
        Ok(lock(&self.0).len() as u64)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let mut content = lock(&self.0);
        let len = usize::try_from(len).map_err(io::Error::other)?;
        if content.len() < len {
            content.resize(len, 0);
        }
        Ok(())
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let content = lock(&self.0);
        let from = usize::try_from(offset).map_or(content.len(), |at| at.min(content.len()));
        let taken = buf.len().min(content.len() - from);
        buf[..taken].copy_from_slice(&content[from..from + taken]);
        Ok(taken)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize> {
        let mut content = lock(&self.0);
        let from = usize::try_from(offset).map_err(io::Error::other)?;
        if content.len() < from + buf.len() {
            content.resize(from + buf.len(), 0);
        }
        content[from..from + buf.len()].copy_from_slice(buf);
        Ok(buf.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        lock(&self.0).resize(len, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn is_linked(&self) -> io::Result<bool> {
        Ok(true)
    }

    fn try_lock(&self) -> io::Result<bool> {
        Ok(true)
    }
}
