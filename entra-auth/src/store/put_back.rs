//! Undoes the step of a removal, if the file turns out to be another one than was looked at.

use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
};

/// Gives a file that was moved aside its name back. If a newer file has the name by now, that one stays. It is no
/// error if the directory has been removed.
pub(super) fn put_back(aside: &Path, path: &Path) -> io::Result<()> {
    let is_done = match fs::hard_link(aside, path) {
        Ok(()) => true,
        Err(error) => matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound),
    };
    let done = if is_done || path.exists() {
        fs::remove_file(aside)
    } else {
        // As on a file system without links, where only this step keeps the entry.
        fs::rename(aside, path)
    };
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarantined_file_is_put_back_on_a_file_system_without_hard_links() {
        let name = format!("entra-put-back-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        let (aside, path) = (directory.join("1.damaged"), directory.join("1.token"));
        fs::write(&aside, b"valid").unwrap();
        put_back(&aside, &path).unwrap();
        assert!(!aside.exists());
        assert_eq!(fs::read(&path).unwrap(), b"valid");
        // A newer one stays.
        fs::write(&aside, b"valid").unwrap();
        fs::write(&path, b"newer").unwrap();
        put_back(&aside, &path).unwrap();
        assert!(!aside.exists());
        assert_eq!(fs::read(&path).unwrap(), b"newer");
        // A directory cannot be linked on any file system.
        fs::remove_file(&path).unwrap();
        fs::create_dir(&aside).unwrap();
        put_back(&aside, &path).unwrap();
        assert!(path.is_dir() && !aside.exists());
        // A sign-out removes the partition in between.
        fs::remove_dir_all(&directory).unwrap();
        put_back(&aside, &path).unwrap();
    }
}
