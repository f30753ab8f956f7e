//! The lock beside a state file: one server uses the file at a time.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

use fs4::{FileExt, TryLockError};

/// A path that no other server uses while this exists.
#[derive(Debug)]
pub(super) struct Claim(File);

impl Claim {
    /// Claims the path of a state file by a lock on another file beside it.
    pub(super) fn new(lock: &Path) -> io::Result<Self> {
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(lock)?;
        match FileExt::try_lock(&lock) {
            Ok(()) => Ok(Self(lock)),
            Err(TryLockError::WouldBlock) => Err(io::Error::new(
                io::ErrorKind::WouldBlock,
                "another server uses this state file",
            )),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The lock as a program has it that this process is starting.
    #[cfg(all(test, unix))]
    pub(super) fn copy(&self) -> io::Result<File> {
        self.0.try_clone()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Closing the file is not enough: a program that this process is starting has a copy of it for a moment.
        let _ = FileExt::unlock(&self.0);
    }
}
