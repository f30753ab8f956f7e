//! The directory of a partition, which exists while there are files in it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind},
    path::Path,
};

/// Opens a file, and makes its directory, which another process may remove while it is empty.
pub(super) fn open_in_partition(options: &OpenOptions, path: &Path) -> io::Result<File> {
    let mut tries = 0;
    loop {
        let made = path.parent().map_or(Ok(()), make_directory);
        match made.and_then(|()| options.open(path)) {
            Err(error) if was_removed(&error) && tries < TRIES => tries += 1,
            opened => return opened,
        }
    }
}

/// Whether a directory went in between: before the file in it was opened, or while it was made
/// (there when it was made, gone when it was looked at).
fn was_removed(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists)
}

/// Removes the directory of a partition unless there is something in it.
pub(super) fn remove_if_empty(partition: Option<&Path>) {
    if let Some(partition) = partition {
        let _more = fs::remove_dir(partition);
    }
}

/// Options for a file that only its owner can read.
pub(super) fn owners_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a directory that only its owner can read.
pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// How often a directory may be removed between two steps; more cannot be a coincidence.
const TRIES: u32 = 64;
