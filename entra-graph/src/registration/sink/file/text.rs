//! The text of a file of settings: reading, replacing, and the variables in its lines.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use entra_core::{Secret, read_text_file};

/// The variable in a line of an environment file, and its value without quotes.
pub(super) fn variable_in(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let line = line.strip_prefix(EXPORT).unwrap_or(line);
    let (name, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
    Some((name.trim(), value_in(value)))
}

/// The value behind the equals sign, without quotes and without a comment after it.
fn value_in(text: &str) -> &str {
    let trimmed = text.trim();
    for quote in ['"', '\''] {
        if let Some(quoted) = trimmed.strip_prefix(quote) {
            return quoted.split_once(quote).map_or(quoted, |(value, _)| value);
        }
    }
    // A value can have the sign itself: it starts a comment only after white space.
    let mut signs = text.match_indices('#').map(|(at, _)| text.split_at(at).0);
    let before = signs.find(|before| before.ends_with(char::is_whitespace));
    before.unwrap_or(text).trim()
}

/// The text of a file; empty if it does not exist.
pub(super) fn read(path: &Path) -> io::Result<Secret> {
    match read_text_file(path, LARGEST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Secret::from("")),
        Err(error) => {
            let fix = match error.kind() {
                io::ErrorKind::InvalidData => "; save it as UTF-8",
                _ => "",
            };
            let text = format!("{} cannot be read: {error}{fix}", path.display());
            Err(io::Error::new(error.kind(), text))
        }
        text => text,
    }
}

/// Replaces a file by another one that only its owner can read, in one step.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = directory.join(format!(".{name}.{}.new", std::process::id()));
    // A crash may have left one behind.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    let written = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// What a shell needs before a variable that other programs read.
pub(super) const EXPORT: &str = "export ";
/// Far more bytes than a file of settings has.
const LARGEST: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_after_a_value_is_no_part_of_it() {
        for (line, expected) in [
            ("A=1111 # of a tool", "1111"),
            ("A=1111\t# of a tool", "1111"),
            ("export A = '1111' # of a tool", "1111"),
            ("A=\"one # two\" # three", "one # two"),
            ("A=one#two", "one#two"),
            ("A=#two", "#two"),
            ("A= # nothing", ""),
            ("A=\"\"", ""),
            ("A=\"open", "open"),
        ] {
            assert_eq!(variable_in(line), Some(("A", expected)), "{line}");
        }
        assert_eq!(variable_in("# A=1"), None);
    }
}
