use entra_core::Secret;

use crate::Error;

/// Checks a client secret before anything is sent with it.
///
/// Entra can only say that a secret is wrong; a line feed at its end, as a file or a variable leaves
/// it, is seen here. RFC 6749, appendix A.2, allows visible ASCII characters and blanks, and no
/// secret of Entra begins or ends with a blank.
///
/// # Errors
/// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration); the text of the secret is not in it.
pub(crate) fn check_client_secret(secret: &Secret) -> Result<(), Error> {
    let text = secret.expose_secret();
    let blank = |character: char| character.is_whitespace() || INVISIBLE.contains(&character);
    if text.chars().all(blank) {
        return Err(Error::configuration(
            "the client secret is empty",
            "set the Value of a secret from App registrations > Certificates & secrets; see that the variable or file it comes from is filled",
        ));
    }
    let ends = text.ends_with(['\n', '\r']);
    if ends || text.trim_matches(blank).len() != text.len() {
        let what = match ends {
            true => "the client secret ends with a line feed",
            false => "the client secret has white space around it",
        };
        return Err(Error::configuration(
            what,
            "give the secret alone: trim what a file or variable holds, and write such files without a line feed (printf instead of echo)",
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::configuration(
            "the client secret has a control character in it, such as a line feed",
            "copy the Value of one secret from App registrations > Certificates & secrets, on one line",
        ));
    }
    Ok(())
}

/// What text of other tools may bring along: a byte order mark, a blank without width.
const INVISIBLE: [char; 2] = ['\u{feff}', '\u{200b}'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_with_anything_around_or_within_it_is_rejected_without_its_text() {
        for (text, says) in [
            ("", "empty"),
            (" \n", "empty"),
            ("canary\n", "line feed"),
            ("canary\r\n", "line feed"),
            ("canary ", "white space"),
            ("\tcanary", "white space"),
            ("\u{feff}canary", "white space"),
            ("canary\u{200b}", "white space"),
            ("canary\u{a0}", "white space"),
            ("can\nary", "control character"),
            ("canary\0", "control character"),
        ] {
            let error = check_client_secret(&Secret::from(text)).unwrap_err();
            assert!(error.to_string().contains(says), "{text:?}: {error}");
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
        for text in ["canary", "can ary", "c~.-_8Q", "\"quoted\""] {
            check_client_secret(&Secret::from(text)).unwrap();
        }
    }
}
