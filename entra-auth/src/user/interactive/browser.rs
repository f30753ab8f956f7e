//! The desktop's own way to open an address.

use std::{
    io,
    process::{Command, Stdio},
};

use entra_core::url::Url;

/// Opens the address and does not wait for it.
pub(super) fn open(url: &Url) -> io::Result<()> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for (program, arguments) in PROGRAMS {
        let started = Command::new(program)
            .args(*arguments)
            .arg(url.as_str())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match started {
            Ok(mut child) => {
                // The exit status of the child must be collected.
                std::thread::spawn(move || child.wait());
                return Ok(());
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

// None of them is a shell: an address has characters that a shell would read.
#[cfg(windows)]
const PROGRAMS: &[(&str, &[&str])] = &[("rundll32", &["url.dll,FileProtocolHandler"])];
#[cfg(target_os = "macos")]
const PROGRAMS: &[(&str, &[&str])] = &[("open", &[])];
#[cfg(not(any(windows, target_os = "macos")))]
const PROGRAMS: &[(&str, &[&str])] = &[
    ("xdg-open", &[]),
    ("wslview", &[]),
    ("gio", &["open"]),
    ("x-www-browser", &[]),
];
