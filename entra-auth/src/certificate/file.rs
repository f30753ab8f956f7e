//! Key files: read into memory that is overwritten, and written atomically.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::error;
use crate::{Error, blocking};

#[inline]
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    read_within(path, LARGEST).map_err(|source| error::file("read", path, source))
}

/// The largest file that is read: the path may be that of an endless device.
#[inline]
fn read_within(path: &Path, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = blocking::open_file(path)?;
    let length = file.metadata()?.len().min(limit);
    // Allocated once: a buffer that grows leaves copies of the key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(
        usize::try_from(length).unwrap_or_default() + 1,
    ));
    file.take(limit + 1).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= limit => Ok(bytes),
        _ => Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {limit} bytes, and no certificate is"),
        )),
    }
}

/// Replaces the file atomically. All users can read it, as the umask allows.
#[inline]
pub(super) fn write_public(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    replace(path, bytes, 0o644).map_err(|source| error::file("write", path, source))
}

/// Replaces the file in one step; only its owner can read it, from the first byte on.
#[cfg(feature = "certificate-kit")]
#[inline]
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    replace(path, bytes, 0o600).map_err(|source| error::file("write", path, source))
}

#[inline]
fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let (beside, file) = create_beside(path, mode)?;
    let done = fill(file, bytes).and_then(|()| fs::rename(&beside, path));
    if done.is_err() {
        // The error that matters is the first one.
        let _ = fs::remove_file(&beside);
    }
    done
}

#[inline]
fn fill(mut file: fs::File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// A new file in the same directory, so that renaming it stays within one file system.
#[inline]
fn create_beside(path: &Path, mode: u32) -> io::Result<(PathBuf, fs::File)> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    for attempt in 0..100 {
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}-{attempt}.tmp", std::process::id()));
        let beside = path.with_file_name(hidden);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        with_mode(&mut options, mode);
        match options.open(&beside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return opened.map(|file| (beside, file)),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        "too many left-over temporary files beside it",
    ))
}

#[cfg(unix)]
#[inline]
fn with_mode(options: &mut OpenOptions, mode: u32) {
    std::os::unix::fs::OpenOptionsExt::mode(options, mode);
}

#[cfg(not(unix))]
fn with_mode(_: &mut OpenOptions, _: u32) {}

/// A certificate with its key and a long chain has some ten kilobytes.
const LARGEST: u64 = 1024 * 1024;
