//! Paths as errors and `Debug` show them.

use std::{fmt, path::Path};

/// A path to print, unless it is a key or token that was given in place of a path.
///
/// A variable or setting that should name a file sometimes holds the file's text. Then the error
/// says so, and the text stays out of it.
pub(crate) struct ShownPath<'a>(pub(crate) &'a Path);

impl ShownPath<'_> {
    #[inline]
    fn holds_text_of_a_file(&self) -> bool {
        let text = self.0.to_string_lossy();
        text.len() > LONGEST
            || text.contains(BOUNDARY)
            || text.contains(char::is_control)
            || BASE64_STARTS.iter().any(|start| text.starts_with(start))
    }
}

impl fmt::Display for ShownPath<'_> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.holds_text_of_a_file() {
            f.write_str("(text in place of a path, not shown)")
        } else {
            self.0.display().fmt(f)
        }
    }
}

impl fmt::Debug for ShownPath<'_> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.holds_text_of_a_file() {
            fmt::Display::fmt(self, f)
        } else {
            self.0.fmt(f)
        }
    }
}

/// Longer than the paths of real files, shorter than any RSA key or certificate.
const LONGEST: usize = 512;
/// The start of a PEM boundary.
const BOUNDARY: &str = "-----";
/// The start of a JWT, and of DER in the length of a certificate or key.
const BASE64_STARTS: [&str; 2] = ["eyJ", "MII"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_and_text_in_place_of_one_is_not() {
        let long = "q".repeat(600);
        for text in [
            "-----BEGIN PRIVATE KEY----- c4nary -----END PRIVATE KEY-----",
            "eyJhbGciOiJSUzI1NiJ9.c4nary.c4nary",
            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCc4nary",
            "c4nary\nc4nary",
            &format!("c4nary{long}"),
        ] {
            let shown = ShownPath(Path::new(text));
            let shown = format!("{shown} {shown:?}");
            assert!(!shown.contains("c4nary"), "{shown}");
        }
        let shown = ShownPath(Path::new("keys/client.pem"));
        assert_eq!(
            format!("{shown} {shown:?}"),
            "keys/client.pem \"keys/client.pem\""
        );
    }
}
