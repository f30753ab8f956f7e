//! The progress of the report, on one line of the terminal that is removed at the end.

use std::io::{self, IsTerminal, Write};

/// Draws on standard error if that is a terminal.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    shown: bool,
}

impl Progress {
    pub(crate) fn on_terminal() -> Self {
        Self {
            shown: io::stderr().is_terminal(),
        }
    }

    pub(crate) fn say(&self, text: &str) {
        if self.shown {
            let mut out = io::stderr().lock();
            // Return, clear the line, write. A failure is ignored.
            let _ = write!(out, "\r\x1b[2K{text}");
            let _ = out.flush();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.say("");
    }
}
