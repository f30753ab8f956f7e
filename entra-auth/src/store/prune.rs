//! Token files that have ended, and how they go.
//!
//! A file begins with a line that says until when it is of use, because what follows may be sealed.
//! One without that line is left alone.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::file::found;

/// The bytes of a file for an entry.
pub(super) fn with_end(entry: &[u8], now: SystemTime, keep_for: Duration) -> Vec<u8> {
    let end = seconds(now).saturating_add(keep_for.as_secs());
    let line = format!("{WORD}{end}\n");
    // Big enough from the start: a buffer that grows leaves copies of the token behind.
    let mut file = Vec::with_capacity(line.len() + entry.len());
    file.extend_from_slice(line.as_bytes());
    file.extend_from_slice(entry);
    file
}

/// The entry in the bytes of a file. Whether it is one, the reader of the entry decides.
pub(super) fn without_end(mut file: Vec<u8>) -> Vec<u8> {
    let line = file
        .iter()
        .take(LONGEST_LINE)
        .position(|byte| *byte == b'\n');
    if let Some(line) = line
        && end_in(&file[..line]).is_some()
    {
        file.drain(..=line);
    }
    file
}

/// Removes what has ended from one part of the directory in sixteen, by the first digit of the
/// partitions' names: so that a write never waits for more than a few files.
///
/// A file that cannot be read or removed is left for another time.
pub(super) fn part(directory: &Path, number: u64, now: SystemTime) {
    let part = PARTS[(number % 16) as usize];
    let files = below(directory)
        .filter(|partition| {
            let name = partition.file_name().unwrap_or_default();
            name.as_encoded_bytes().first() == Some(&part)
        })
        .flat_map(|partition| below(&partition).collect::<Vec<_>>());
    let tokens = files.filter(|path| path.extension().is_some_and(|ending| ending == "token"));
    for path in tokens.take(MOST_FILES) {
        drop(remove_ended(&path, now));
    }
}

/// The number of a part, whichever.
pub(super) fn any_part() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| u64::from(since.subsec_micros()) % 16)
}

/// Removes a file if it has ended, and its partition if that was the last one.
fn remove_ended(path: &Path, now: SystemTime) -> io::Result<()> {
    if !has_ended(path, now)? {
        return Ok(());
    }
    // Another process may be replacing it: what is taken out of use is looked at once more.
    let aside = path.with_extension(format!("{}.ended", std::process::id()));
    fs::rename(path, &aside)?;
    if !has_ended(&aside, now)? {
        // A still newer one stays.
        let _newer = fs::hard_link(&aside, path);
        return fs::remove_file(&aside);
    }
    fs::remove_file(&aside)?;
    // At worst somebody holds it, and two ask for one token.
    found(fs::remove_file(path.with_extension("lock")))?;
    if let Some(partition) = path.parent() {
        // Fails as long as there is more in it.
        let _more = fs::remove_dir(partition);
    }
    Ok(())
}

fn has_ended(path: &Path, now: SystemTime) -> io::Result<bool> {
    let mut line = Vec::new();
    BufReader::new(File::open(path)?)
        .take(LONGEST_LINE as u64)
        .read_until(b'\n', &mut line)?;
    let end = line.strip_suffix(b"\n").and_then(end_in);
    Ok(end.is_some_and(|end| end <= seconds(now)))
}

fn end_in(line: &[u8]) -> Option<u64> {
    let digits = line.strip_prefix(WORD.as_bytes())?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn below(directory: &Path) -> impl Iterator<Item = std::path::PathBuf> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path()))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

const PARTS: &[u8; 16] = b"0123456789abcdef";
const WORD: &str = "until ";
const LONGEST_LINE: usize = 32;
/// A read of each costs some microseconds.
const MOST_FILES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_goes_and_every_other_byte_stays() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000);
        for entry in [&b""[..], b"entry", b"until 7\nmore", b"\n\n\xff"] {
            let file = with_end(entry, now, Duration::from_secs(60));
            assert!(file.starts_with(b"until 1060\n"));
            assert_eq!(without_end(file), entry);
        }
        for other in [&b"until never\n{}"[..], b"{\"version\":1}", b"until 5"] {
            assert_eq!(without_end(other.to_vec()), other);
        }
    }

    #[test]
    fn ended_files_go_with_their_lock_and_others_stay() {
        let directory = std::env::temp_dir().join(format!("entra-prune-{}", std::process::id()));
        let partition = directory.join("0a");
        fs::create_dir_all(&partition).unwrap();
        let now = SystemTime::now();
        let (gone, stays, foreign) = (
            partition.join("1.token"),
            partition.join("2.token"),
            partition.join("3.token"),
        );
        fs::write(&gone, with_end(b"x", now, Duration::ZERO)).unwrap();
        fs::write(partition.join("1.lock"), "").unwrap();
        fs::write(&stays, with_end(b"x", now, Duration::from_secs(60))).unwrap();
        fs::write(&foreign, "no such line").unwrap();
        for path in [&gone, &stays, &foreign] {
            remove_ended(path, now).unwrap();
        }
        let mut left: Vec<_> = below(&partition).collect();
        left.sort();
        assert_eq!(left, [stays.clone(), foreign.clone()]);
        fs::remove_file(foreign).unwrap();
        remove_ended(&stays, now + Duration::from_secs(61)).unwrap();
        assert!(!partition.exists(), "an empty partition goes as well");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn in_sixteen_turns_every_partition_has_had_its_own() {
        let directory = std::env::temp_dir().join(format!("entra-parts-{}", std::process::id()));
        let now = SystemTime::now();
        for digit in PARTS {
            let partition = directory.join(format!("{}f", char::from(*digit)));
            fs::create_dir_all(&partition).unwrap();
            let file = with_end(b"x", now, Duration::ZERO);
            fs::write(partition.join("1.token"), file).unwrap();
        }
        for number in 0..16 {
            assert_eq!(below(&directory).count(), 16 - number);
            part(&directory, 7 + number as u64, now);
        }
        assert_eq!(below(&directory).count(), 0);
        fs::remove_dir_all(directory).unwrap();
    }
}
