//! A file of lines, each with a checksum, that only grows. A line is there whole or not at all.
//!
//! Why a log and not a database: the whole tenant is in memory, so nothing is ever looked up in the file; it is read
//! once, at the start. What is left to do is to append one change and to notice a torn one, which is this module.
//! SQLite would add a second copy of the data model in tables, or one table of blobs, and a library in C to a program
//! that otherwise needs none at run time.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;
use serde_json::Value;

/// The file of a log, open for appending.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Log {
    /// Opens a log and returns its lines. The last line is removed if it was not written whole: no response said that
    /// it was stored. Returns `None` if the file does not exist.
    pub(super) fn open(path: &Path) -> io::Result<Option<(Self, Vec<Value>)>> {
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let (lines, length) = read(&file)?;
        let mut log = Self {
            path: path.to_owned(),
            file,
            length,
        };
        log.file.set_len(length)?;
        log.file.seek(SeekFrom::Start(length))?;
        Ok(Some((log, lines)))
    }

    /// Replaces the file by one with these lines, or keeps the old one.
    pub(super) fn create(path: &Path, lines: &[Value]) -> io::Result<Self> {
        let draft = beside(path, "new");
        let _ = fs::remove_file(&draft);
        let mut file = create_private(&draft)?;
        let mut length = 0;
        for line in lines {
            let line = line_of(line);
            file.write_all(&line)?;
            length += line.len() as u64;
        }
        file.sync_all()?;
        fs::rename(&draft, path)?;
        sync_directory(path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            length,
        })
    }

    /// Appends a line. When this returns, the line is on the disk.
    pub(super) fn append(&mut self, line: &Value) -> io::Result<()> {
        let line = line_of(line);
        let written = self
            .file
            .write_all(&line)
            .and_then(|()| self.file.sync_data());
        if written.is_err() {
            // A part of the line may be there; the next line must not follow it.
            let _ = self.file.set_len(self.length);
            let _ = self.file.seek(SeekFrom::Start(self.length));
        } else {
            self.length += line.len() as u64;
        }
        written
    }

    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Returns the lines, and the length of the file up to the last whole one.
fn read(file: &File) -> io::Result<(Vec<Value>, u64)> {
    let mut reader = BufReader::new(file);
    let (mut lines, mut length) = (Vec::new(), 0);
    loop {
        let mut line = Vec::new();
        let read = reader.read_until(b'\n', &mut line)? as u64;
        if read == 0 {
            return Ok((lines, length));
        }
        match value_of(&line) {
            Some(value) => lines.push(value),
            // The end of the file without the end of a line: this write was cut.
            None if !line.ends_with(b"\n") => return Ok((lines, length)),
            None => {
                let text = format!("the line at byte {length} is damaged");
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
        }
        length += read;
    }
}

fn line_of(value: &Value) -> Vec<u8> {
    let text = value.to_string();
    format!("{} {text}\n", checksum(text.as_bytes())).into_bytes()
}

fn value_of(line: &[u8]) -> Option<Value> {
    let line = line.strip_suffix(b"\n")?;
    let (sum, rest) = line.split_at_checked(CHECKSUM)?;
    let text = rest.strip_prefix(b" ")?;
    if checksum(text).as_bytes() != sum {
        return None;
    }
    serde_json::from_slice(text).ok()
}

/// The first half of the SHA-256 hash in hexadecimal digits.
fn checksum(text: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, text);
    hash.as_ref()
        .iter()
        .take(CHECKSUM / 2)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Returns `tenant.state.new` for `tenant.state`.
pub(super) fn beside(path: &Path, name: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(".");
    path.push(name);
    path.into()
}

/// Creates a file that only its owner can read: it holds the secrets of the tenant.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Makes a rename durable.
fn sync_directory(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

const CHECKSUM: usize = 32;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("entra-mock-log-{name}-{}", std::process::id()));
            let _ = fs::remove_file(&path);
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn lines(path: &Path) -> Vec<Value> {
        Log::open(path).unwrap().unwrap().1
    }

    #[test]
    fn a_log_cut_at_any_byte_has_the_whole_lines_before_the_cut_and_can_be_appended_to() {
        let scratch = Scratch::new("cut");
        let all = [
            json!({ "a": 1 }),
            json!({ "b": "x\ny" }),
            json!({ "c": [null] }),
        ];
        let mut log = Log::create(&scratch.0, &all[..1]).unwrap();
        log.append(&all[1]).unwrap();
        log.append(&all[2]).unwrap();
        assert_eq!(lines(&scratch.0), all);
        let bytes = fs::read(&scratch.0).unwrap();
        for cut in 0..=bytes.len() {
            fs::write(&scratch.0, &bytes[..cut]).unwrap();
            let whole = bytes[..cut].iter().filter(|byte| **byte == b'\n').count();
            let (mut log, read) = Log::open(&scratch.0).unwrap().unwrap();
            assert_eq!(read, all[..whole], "cut at {cut}");
            log.append(&json!("next")).unwrap();
            let mut expected = all[..whole].to_vec();
            expected.push(json!("next"));
            assert_eq!(lines(&scratch.0), expected, "cut at {cut}");
        }
    }

    #[test]
    fn damage_before_the_last_line_is_an_error_that_names_the_place() {
        let scratch = Scratch::new("damage");
        drop(Log::create(&scratch.0, &[json!(1), json!(2)]).unwrap());
        let bytes = fs::read(&scratch.0).unwrap();
        for at in 0..bytes.len() / 2 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs::write(&scratch.0, &damaged).unwrap();
            let error = Log::open(&scratch.0).unwrap_err().to_string();
            assert!(error.contains("byte 0 "), "{at}: {error}");
        }
    }

    #[test]
    fn a_log_that_does_not_exist_is_none() {
        let scratch = Scratch::new("missing");
        assert!(Log::open(&scratch.0).unwrap().is_none());
    }
}
