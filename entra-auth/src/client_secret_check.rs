use entra_core::Secret;

use crate::Error;

/// Checks a client secret before anything is sent with it.
///
/// Entra can only say that a secret is wrong; a line feed at its end, as a file or a variable leaves
/// it, is seen here. RFC 6749, appendix A.2, allows visible ASCII characters and blanks, and no
/// secret of Entra begins or ends with a blank. What a web page or chat brings along unseen, such as a
/// mark of the direction of text, is part of no secret.
///
/// # Errors
/// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration); the text of the secret is not in it.
pub(crate) fn check_client_secret(secret: &Secret) -> Result<(), Error> {
    let text = secret.expose_secret();
    let blank = |character: char| character.is_whitespace() || is_invisible(character);
    if text.chars().all(blank) {
        return Err(Error::configuration(
            "the client secret is empty",
            "set the Value of a secret from App registrations > Certificates & secrets; check that the variable or file it comes from is filled",
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
    if text.chars().any(|char| char != ' ' && blank(char)) {
        return Err(Error::configuration(
            "the client secret has a character in it that cannot be seen",
            "copy the Value of one secret from App registrations > Certificates & secrets, and type what a page or chat may have changed",
        ));
    }
    Ok(())
}

/// Whether a character is invisible: byte order marks, blanks without width, marks of direction (Unicode's
/// format characters below the emoji).
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_with_white_space_is_rejected_and_not_shown() {
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
            ("can\0ary", "control character"),
            ("canary\u{85}", "white space"),
            ("\u{202a}canary\u{202c}", "white space"),
            ("canary\u{200e}", "white space"),
            ("\u{2060}canary", "white space"),
            ("\u{200b}\u{a0}", "empty"),
            ("can\u{200b}ary", "cannot be seen"),
            ("can\u{a0}ary", "cannot be seen"),
            ("can\u{ad}ary", "cannot be seen"),
            ("can\u{3000}ary", "cannot be seen"),
            ("can\u{e0041}ary", "cannot be seen"),
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
