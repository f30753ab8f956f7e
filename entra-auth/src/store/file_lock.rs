//! The lock of an entry between the processes of one machine.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use fs4::{FileExt, TryLockError};

use super::partition::{open_in_partition, owners_only, remove_if_empty};

/// A lock that the operating system ends with the process, if nothing does before. Its file goes
/// when it is dropped.
pub(super) struct FileLock {
    file: Option<File>,
    path: PathBuf,
}

impl FileLock {
    /// Takes the lock; none when another holds it.
    pub(super) fn take(path: PathBuf) -> io::Result<Option<Self>> {
        for _ in 0..TRIES {
            let mut options = owners_only();
            let file = open_in_partition(options.create(true).truncate(false), &path)?;
            match FileExt::try_lock(&file) {
                // Its last holder may have removed the file since it was opened here: then the lock
                // of this name is another file's.
                Ok(()) if !is_at(&file, &path) => {}
                Ok(()) => {
                    let file = Some(file);
                    return Ok(Some(Self { file, path }));
                }
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        // A file system that gives an open file another number than its name has, as some network
        // shares do, must not keep a thread for ever.
        Err(io::Error::other(
            "the file of a lock is never the one of its name on this file system",
        ))
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        let Some(file) = self.file.take() else { return };
        // At once, for those who wait; that the file goes may take until a thread is free.
        let _ended_when_closed = FileExt::unlock(&file);
        let path = std::mem::take(&mut self.path);
        crate::blocking::spawn(move || remove_unused(&file, &path));
    }
}

/// Removes the file of a lock that is not held, and its directory if that is empty then.
pub(super) fn remove_unused(file: &File, path: &Path) {
    // Only the holder removes the file, so that no held lock loses its file.
    if FileExt::try_lock(file).is_ok() && is_at(file, path) {
        let _left_for_later = fs::remove_file(path);
    }
    remove_if_empty(path.parent());
}

/// Whether the open file still is the one of this name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(found)) => (held.dev(), held.ino()) == (found.dev(), found.ino()),
        _ => false,
    }
}

/// Elsewhere a removed file keeps others from making one of its name while it is open.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// How often the file may go between two steps; more cannot be a coincidence.
const TRIES: u32 = 1_000;
