//! Key files: read into memory that is overwritten, written whole or not at all.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::error::CertificateError;

pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
    fs::read(path)
        .map(Zeroizing::new)
        .map_err(|source| CertificateError::file("read", path, source))
}

/// Replaces the file in one step; readable by everybody, as the umask allows.
pub(super) fn write_public(path: &Path, bytes: &[u8]) -> Result<(), CertificateError> {
    replace(path, bytes, 0o644).map_err(|source| CertificateError::file("write", path, source))
}

/// Replaces the file in one step; only its owner can read it, from the first byte on.
#[cfg(feature = "certificate-kit")]
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), CertificateError> {
    replace(path, bytes, 0o600).map_err(|source| CertificateError::file("write", path, source))
}

fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let (beside, file) = create_beside(path, mode)?;
    let done = fill(file, bytes).and_then(|()| fs::rename(&beside, path));
    if done.is_err() {
        // The error that matters is the first one.
        let _ = fs::remove_file(&beside);
    }
    done
}

fn fill(mut file: fs::File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// A new file in the same directory, so that renaming it stays within one file system.
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
fn with_mode(options: &mut OpenOptions, mode: u32) {
    std::os::unix::fs::OpenOptionsExt::mode(options, mode);
}

#[cfg(not(unix))]
fn with_mode(_: &mut OpenOptions, _: u32) {}
