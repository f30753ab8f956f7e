//! Removes expired token files.
//!
//! The first line of a file says when it expires, because the rest may be encrypted. Files without
//! that line are not touched.

use std::{
    collections::hash_map::RandomState,
    fs,
    hash::{BuildHasher, Hasher},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use super::{
    file_lock,
    partition::{owners_only, remove_if_empty},
    put_back::put_back,
};
use crate::{blocking::open_file, moment::ALLOWED_SKEW};

/// The bytes of a file for an entry.
#[inline]
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
#[inline]
pub(super) fn without_end(mut file: Vec<u8>) -> Vec<u8> {
    let line = file.len() - entry_of(&file).len();
    file.drain(..line);
    file
}

/// As [`without_end`], of a file that stays as it is.
#[inline]
pub(super) fn entry_of(file: &[u8]) -> &[u8] {
    let line = file
        .iter()
        .take(LONGEST_LINE)
        .position(|byte| *byte == b'\n');
    match line.and_then(|line| file.split_at_checked(line + 1)) {
        Some((line, entry)) if line.strip_suffix(b"\n").and_then(expiry_of_line).is_some() => entry,
        _ => file,
    }
}

/// Removes files that expired two days ago from one sixteenth of the directory, by the first digit of the
/// partitions' names, so that a write never waits for more than a few files.
///
/// A file that cannot be read or removed is left for another time.
#[inline]
pub(super) fn part(directory: &Path, number: u64, now: SystemTime) {
    let part = PARTS[(number % 16) as usize];
    let partitions = below(directory).filter(|partition| {
        let name = partition.file_name().unwrap_or_default();
        name.as_encoded_bytes().first() == Some(&part)
    });
    let mut left = MOST_FILES;
    for partition in some_of(partitions.collect(), MOST_PARTITIONS) {
        for path in some_of(below(&partition).collect(), left) {
            left -= 1;
            drop(remove_useless(&path, now));
        }
        remove_if_empty(Some(&partition));
        if left == 0 {
            break;
        }
    }
}

/// Returns a few consecutive files from a random start, so that every file gets its turn.
#[inline]
fn some_of(mut paths: Vec<PathBuf>, most: usize) -> Vec<PathBuf> {
    if paths.len() > most {
        paths.sort_unstable();
        let start = any_number() % paths.len() as u64;
        // Less than the length, which is a `usize`.
        paths.rotate_left(usize::try_from(start).unwrap_or_default());
        paths.truncate(most);
    }
    paths
}

/// A number that spreads work; it is not a secret.
#[inline]
pub(super) fn any_number() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Whether the machine's clock can be trusted with the removal of what has expired.
///
/// One that is set ahead by a day and back would cost every session. So for a day after the wall
/// clock and the monotonic clock went apart, or the machine was suspended, nothing is removed.
#[derive(Debug)]
pub(super) struct SteadyClock(Mutex<Steadiness>);

#[derive(Clone, Copy, Debug)]
struct Steadiness {
    wall: SystemTime,
    monotonic: Instant,
    /// Since when they have gone together; none if they always did.
    since: Option<Instant>,
}

impl SteadyClock {
    #[inline]
    pub(super) fn new(wall: SystemTime, monotonic: Instant) -> Self {
        Self(Mutex::new(Steadiness {
            wall,
            monotonic,
            since: None,
        }))
    }

    #[inline]
    pub(super) fn is_steady(&self, wall: SystemTime, monotonic: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let expected = last.wall + monotonic.saturating_duration_since(last.monotonic);
        let apart = wall
            .duration_since(expected)
            .unwrap_or_else(|behind| behind.duration());
        last.wall = wall;
        last.monotonic = monotonic;
        if apart > ALLOWED_SKEW {
            last.since = Some(monotonic);
        }
        last.since
            .is_none_or(|since| monotonic.saturating_duration_since(since) >= TRUSTED_AGAIN)
    }
}

/// Removes a file that has expired.
#[inline]
fn remove_useless(path: &Path, now: SystemTime) -> io::Result<()> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("token") => remove_ended(path, now),
        // Not held, as after a crash.
        Some("lock") => {
            let file = owners_only().open(path)?;
            file_lock::remove_unused(&file, path);
            Ok(())
        }
        // Left by a crash in the middle of a write or of a removal.
        Some("new" | "ended") => remove_older(path, now, LONGEST_WRITE),
        Some("damaged") => remove_older(path, now, KEPT_DAMAGED),
        _ => Ok(()),
    }
}

#[inline]
fn remove_older(path: &Path, now: SystemTime, age: Duration) -> io::Result<()> {
    let modified = fs::metadata(path)?.modified()?;
    match now.duration_since(modified) {
        Ok(passed) if passed >= age => fs::remove_file(path),
        _ => Ok(()),
    }
}

/// Removes the file of an expired entry.
#[inline]
fn remove_ended(path: &Path, now: SystemTime) -> io::Result<()> {
    if !has_ended(path, now)? {
        return Ok(());
    }
    // Another process may be replacing it: what is taken out of use is looked at once more.
    let aside = path.with_extension(format!("{}.{:x}.ended", std::process::id(), any_number()));
    fs::rename(path, &aside)?;
    match has_ended(&aside, now) {
        Ok(true) => fs::remove_file(&aside),
        Ok(false) => put_back(&aside, path),
        // What it is was not seen, so it stays.
        Err(error) => put_back(&aside, path).and(Err(error)),
    }
}

/// Whether it has ended for so long that a clock which is a day ahead cannot be the reason. That it is ahead
/// shows only when it is set back.
#[inline]
fn has_ended(path: &Path, now: SystemTime) -> io::Result<bool> {
    let mut line = Vec::new();
    BufReader::new(open_file(path)?)
        .take(LONGEST_LINE as u64)
        .read_until(b'\n', &mut line)?;
    let end = line.strip_suffix(b"\n").and_then(expiry_of_line);
    Ok(end.is_some_and(|end| end.saturating_add(KEPT_ENDED.as_secs()) <= seconds(now)))
}

#[inline]
fn expiry_of_line(line: &[u8]) -> Option<u64> {
    let digits = line.strip_prefix(WORD.as_bytes())?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[inline]
fn below(directory: &Path) -> impl Iterator<Item = std::path::PathBuf> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path()))
}

#[inline]
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

const PARTS: &[u8; 16] = b"0123456789abcdef";
const WORD: &str = "until ";
const LONGEST_LINE: usize = 32;
/// A read of each costs some microseconds.
const MOST_FILES: usize = 256;
const MOST_PARTITIONS: usize = 256;
const LONGEST_WRITE: Duration = Duration::from_secs(86_400);
/// As long as an administrator may need to look at one.
const KEPT_DAMAGED: Duration = Duration::from_secs(30 * 86_400);
const KEPT_ENDED: Duration = Duration::from_secs(2 * 86_400);
const TRUSTED_AGAIN: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_line_is_removed_and_every_other_byte_stays() {
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

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn expired_files_are_removed_and_others_stay() {
        let directory = std::env::temp_dir().join(format!("entra-prune-{}", std::process::id()));
        let partition = directory.join("0a");
        fs::create_dir_all(&partition).unwrap();
        let now = SystemTime::now();
        let write = |name: &str, bytes: &[u8]| fs::write(partition.join(name), bytes).unwrap();
        let left = || {
            let names = below(&partition).map(|path| path.file_name().unwrap().to_owned());
            let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
            names.sort();
            names
        };
        write("1.token", &with_end(b"x", now - KEPT_ENDED, Duration::ZERO));
        // A clock that is a day ahead ends it too early.
        write("6.token", &with_end(b"x", now - DAY, Duration::ZERO));
        write("2.token", &with_end(b"x", now, 40 * DAY));
        write("3.token", b"no such line");
        for name in [
            "1.lock",
            "2.lock",
            "9.7-0.new",
            "9.7.ended",
            "4.damaged",
            "5.other",
        ] {
            write(name, b"");
        }
        let held = file_lock::FileLock::take(partition.join("2.lock")).unwrap();
        part(&directory, 0, now);
        let stays = ["2.lock", "2.token", "3.token", "4.damaged", "5.other"];
        let young = ["6.token", "9.7-0.new", "9.7.ended"];
        assert_eq!(left(), [&stays[..], &young].concat());
        part(&directory, 0, now + DAY + DAY);
        assert_eq!(left(), stays);
        drop(held);
        while partition.join("2.lock").exists() {
            std::thread::yield_now();
        }
        part(&directory, 0, now + 31 * DAY);
        let foreign = ["3.token", "5.other"];
        assert_eq!(left(), [&["2.token"], &foreign[..]].concat());
        part(&directory, 0, now + 42 * DAY);
        assert_eq!(left(), foreign);
        for name in foreign {
            fs::remove_file(partition.join(name)).unwrap();
        }
        part(&directory, 0, now);
        assert!(!partition.exists(), "an empty directory goes as well");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn expired_files_are_removed_among_many_valid_ones() {
        let directory = std::env::temp_dir().join(format!("entra-many-{}", std::process::id()));
        let partition = directory.join("0a");
        fs::create_dir_all(&partition).unwrap();
        let now = SystemTime::now();
        for number in 0..2 * MOST_FILES {
            let name = partition.join(format!("{number:04}.token"));
            fs::write(name, with_end(b"x", now, DAY)).unwrap();
        }
        let last = partition.join("zzzz.token");
        fs::write(&last, with_end(b"x", now - KEPT_ENDED, Duration::ZERO)).unwrap();
        // Each turn looks at half of them: that a thousand miss it does not happen.
        let found = (0..1_000).any(|_| {
            part(&directory, 0, now);
            !last.exists()
        });
        assert!(found);
        assert_eq!(below(&partition).count(), 2 * MOST_FILES);
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn nothing_is_removed_for_a_day_after_a_clock_change() {
        let (wall, start) = (SystemTime::now(), Instant::now());
        for jump in [DAY, Duration::from_secs(301)] {
            for (set, back) in [(wall + jump, wall), (wall - jump, wall)] {
                let clock = SteadyClock::new(wall, start);
                assert!(clock.is_steady(wall + DAY, start + DAY));
                assert!(!clock.is_steady(set + DAY, start + DAY));
                assert!(!clock.is_steady(back + DAY, start + DAY));
                let almost = 2 * DAY - Duration::from_secs(1);
                assert!(!clock.is_steady(back + almost, start + almost));
                assert!(clock.is_steady(back + 2 * DAY, start + 2 * DAY));
            }
        }
        let clock = SteadyClock::new(wall, start);
        assert!(clock.is_steady(wall + ALLOWED_SKEW, start), "as NTP does");
    }

    #[test]
    fn sixteen_turns_prune_every_partition() {
        let directory = std::env::temp_dir().join(format!("entra-parts-{}", std::process::id()));
        let now = SystemTime::now();
        for digit in PARTS {
            let partition = directory.join(format!("{}f", char::from(*digit)));
            fs::create_dir_all(&partition).unwrap();
            let file = with_end(b"x", now - KEPT_ENDED, Duration::ZERO);
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
