//! What the Azure CLI and the Azure Developer CLI print, with what terminals, updates and Python put
//! around it.

use std::ops::Range;

use serde_json::Value;

/// The JSON object with this member in what was printed, or else the first one. Warnings, a byte
/// order mark or colour codes may stand before and after it.
pub(super) fn printed_object(stdout: &str, member: &str) -> Option<Value> {
    let plain = without_escapes(stdout);
    let mut objects = objects(&plain);
    let first = objects.next()?;
    if first.get(member).is_some() {
        return Some(first);
    }
    Some(
        objects
            .find(|object| object.get(member).is_some())
            .unwrap_or(first),
    )
}

/// The JSON objects in a text, one after the other, whatever stands around them.
fn objects(text: &str) -> impl Iterator<Item = Value> {
    ranges(text).map(|(_, object)| object)
}

/// The JSON objects in a text, and what stands around them.
fn split(text: &str) -> (Vec<Value>, String) {
    let (mut found, mut outside, mut end) = (Vec::new(), String::new(), 0);
    for (range, object) in ranges(text) {
        outside.push_str(&text[end..range.start]);
        end = range.end;
        found.push(object);
    }
    outside.push_str(&text[end..]);
    (found, outside)
}

/// The JSON objects in a text, and where they stand.
fn ranges(text: &str) -> impl Iterator<Item = (Range<usize>, Value)> {
    let mut at = 0;
    let mut tries = 0;
    std::iter::from_fn(move || {
        while tries < MOST_TRIES {
            tries += 1;
            let start = at + text[at..].find('{')?;
            let mut values =
                serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
            if let Some(Ok(object)) = values.next() {
                at = start + values.byte_offset();
                return Some((start..at, object));
            }
            at = start + 1;
        }
        None
    })
}

/// What a tool that failed printed on standard error.
pub(super) struct CliError {
    /// What it says of the failure, what says most first. What the tool proposes is not among it: `azd`
    /// proposes to sign in also where only the network is down.
    said: Vec<String>,
    /// What tells the kind of failure: the texts of the error object and of lines that are labelled as errors,
    /// or all texts if there is no such object.
    reason: String,
    /// Where there is no error object: what follows the first line that is labelled as an error, without
    /// warnings. Empty if no line is.
    labelled: String,
}

impl CliError {
    pub(super) fn read(stderr: &str) -> Self {
        let plain = without_escapes(stderr);
        let (objects, outside) = split(&plain);
        let mut said: Vec<String> = objects.iter().flat_map(error_of).collect();
        let mut reasons = said.clone();
        let errors = objects.iter().filter(|object| !error_of(object).is_empty());
        reasons.extend(errors.filter_map(|object| text(&object["message"])));
        // azd before 1.23.7: its console messages have it, and a notice of an update may be the first of
        // them.
        let console = objects.iter().map(|object| &object["data"]["message"]);
        let console: Vec<String> = console.filter_map(text).collect();
        said.push(console.join("\n"));
        said.extend(objects.iter().filter_map(|object| text(&object["message"])));
        let errors = errors_of(&outside);
        said.push(outside);
        // Beside an error object stand warnings, of attempts or steps before, and labelled errors: the object
        // may be a line of code that a warning quotes.
        let (reason, labelled) = if reasons.is_empty() {
            let labelled: Vec<String> = said.iter().map(|text| since_error(text)).collect();
            (said.join("\n"), labelled.join("\n"))
        } else {
            reasons.extend(errors);
            (reasons.join("\n"), String::new())
        };
        Self {
            said,
            reason: reason.to_ascii_lowercase(),
            labelled: labelled.trim().to_ascii_lowercase(),
        }
    }

    /// Entra's number, wherever it stands.
    pub(super) fn aadsts(&self) -> Option<u32> {
        self.said.iter().find_map(|text| number_in(text))
    }

    /// What tells the kind of failure, in lower case: what says most first. Warnings may be in the last of the texts
    /// alone.
    pub(super) fn reasons(&self) -> [&str; 2] {
        [&self.labelled, &self.reason]
    }

    /// The line that says most, without anything like a token: that with Entra's number, that of the
    /// error, or the first that is not a warning.
    pub(super) fn line(&self) -> String {
        let with_number = self.said.iter().flat_map(|text| text.lines());
        let line = with_number
            .filter(|line| line.contains("AADSTS"))
            .map(without_label)
            .next()
            .or_else(|| self.said.iter().find_map(|text| line_of(text)))
            .unwrap_or_default();
        line.split_whitespace()
            .map(|word| if word.contains("eyJ") { "…" } else { word })
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .filter(|character| !character.is_control())
            .take(LONGEST)
            .collect()
    }
}

/// What an object says as an error. azd from 1.23.7 on prints it on a line of its own; the Azure CLI quotes
/// responses of the service.
fn error_of(object: &Value) -> Vec<String> {
    let error = &object["error"];
    let texts = [&object["error_description"], &error["message"], error];
    texts.into_iter().filter_map(text).collect()
}

fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The line of the error in a text, or else the first one that is not a warning.
fn line_of(text: &str) -> Option<&str> {
    let lines = || text.lines().map(str::trim);
    let is_warning = |line: &str| line.starts_with("WARNING") || line.contains("Warning:");
    lines()
        .filter(|line| line.starts_with("ERROR:"))
        .chain(lines().filter(|line| !is_warning(line)))
        .map(without_label)
        .find(|line| !line.is_empty())
}

/// What the lines of a text say that are labelled as errors.
fn errors_of(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("ERROR:"))
        .map(str::trim)
        .filter(|rest| !rest.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What a text says from its first line on that is labelled as an error, without the warnings after it. A message has
/// several lines, of which the first has the label.
fn since_error(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let lines = lines.skip_while(|line| !line.starts_with("ERROR:"));
    let lines: Vec<&str> = lines.filter(|line| !line.starts_with("WARNING")).collect();
    lines.join("\n")
}

fn without_label(line: &str) -> &str {
    line.trim().trim_start_matches("ERROR:").trim()
}

fn number_in(text: &str) -> Option<u32> {
    text.match_indices("AADSTS").find_map(|(at, prefix)| {
        let rest = &text[at + prefix.len()..];
        let end = rest
            .find(|digit: char| !digit.is_ascii_digit())
            .unwrap_or(rest.len());
        rest[..end].parse().ok()
    })
}

/// The text without the escape sequences of a terminal (ECMA-48): `ESC [ … letter`, in one byte also
/// `CSI`, strings such as a window's title or a link (`ESC ] … BEL`), and character sets (`ESC ( B`).
/// A line that was overwritten by a carriage return is a line of its own.
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let kind = match character {
            '\u{1b}' => characters.next_if(|kind| "[]PX^_()".contains(*kind)),
            '\u{9b}' => Some('['),
            '\u{9d}' => Some(']'),
            '\r' => {
                plain.push('\n');
                continue;
            }
            other => {
                plain.push(other);
                continue;
            }
        };
        match kind {
            Some('[') => {
                characters.by_ref().find(|end| ('@'..='~').contains(end));
            }
            Some('(' | ')') => {
                characters.next();
            }
            Some(_) => {
                let mut last = ' ';
                for character in characters.by_ref() {
                    if matches!(character, '\u{7}' | '\u{9c}')
                        || (last, character) == ('\u{1b}', '\\')
                    {
                        break;
                    }
                    last = character;
                }
            }
            None => {}
        }
    }
    plain
}

const LONGEST: usize = 300;
/// Enough for the braces of any warning; each try may read all that follows.
const MOST_TRIES: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_object_is_found_among_warnings_and_colour_codes() {
        for text in [
            r#"{"a":1}"#,
            "\u{feff}{\"a\":1}\n",
            "{\"a\":1}\u{1b}[0m\n",
            "\u{1b}[93mWARNING: {not json} an update is there\u{1b}[0m\n{\"a\":1}",
            "{\"a\":1}\n{\"a\":2}",
            "[1] {\"a\":1} trailing",
            r#"WARNING: {"b":2} {"a":1}"#,
        ] {
            assert_eq!(printed_object(text, "a").unwrap()["a"], 1, "{text:?}");
        }
        assert_eq!(
            printed_object(r#"{"b":{"c":1}}"#, "a").unwrap()["b"]["c"],
            1
        );
        for text in ["", "{", "[]", "no json", "\u{1b}[", "\u{1b}"] {
            assert_eq!(printed_object(text, "a"), None, "{text:?}");
        }
    }

    #[test]
    fn error_message_is_found_in_every_output_format() {
        let python = "/opt/az/lib/x.py:3: SyntaxWarning: invalid escape\n  x = '\\d'\n\u{1b}[91mERROR: AADSTS70043: The refresh token has expired\u{1b}[0m\n";
        let old = r#"{"type":"consoleMessage","timestamp":"t","data":{"message":"\nERROR: fetching token:\nAADSTS700082: expired\n"}}"#;
        let notice = format!(
            "{}\n{old}",
            r#"{"type":"consoleMessage","timestamp":"t","data":{"message":"WARNING: your version of azd is out of date"}}"#
        );
        let middle = "{\"type\":\"consoleMessage\",\"timestamp\":\"t\",\"data\":{\"message\":\"\"}}\n{\"error\":\"AADSTS50076: second factor\",\"links\":[],\"message\":\"m\",\"suggestion\":\"run azd auth login\"}";
        for (text, code, line) in [
            (
                python,
                Some(70_043),
                "AADSTS70043: The refresh token has expired",
            ),
            (old, Some(700_082), "AADSTS700082: expired"),
            (&notice, Some(700_082), "AADSTS700082: expired"),
            (middle, Some(50_076), "AADSTS50076: second factor"),
            (
                "ERROR: {\"error\":\"AADSTS50076: second factor\",\"suggestion\":\"run azd auth login\"}",
                Some(50_076),
                "AADSTS50076: second factor",
            ),
            (
                "{\n  \"error\": \"AADSTS50076: second factor\",\n  \"suggestion\": \"run azd auth login\"\n}\n",
                Some(50_076),
                "AADSTS50076: second factor",
            ),
            (
                "ERROR: the token server answered: {\"error\":\"invalid_grant\",\"error_description\":\"AADSTS700082: expired\"}",
                Some(700_082),
                "AADSTS700082: expired",
            ),
            (
                "ERROR: {\"error\":{\"code\":\"invalid_grant\",\"message\":\"AADSTS50173: revoked\"}}",
                Some(50_173),
                "AADSTS50173: revoked",
            ),
            (
                "x.py:3: SyntaxWarning: invalid escape\n  x = {\"error\": \"y\"}\nERROR: AADSTS70043: expired",
                Some(70_043),
                "AADSTS70043: expired",
            ),
            (
                "WARNING: {\"message\": \"a new version\"}\nERROR: AADSTS70043: expired",
                Some(70_043),
                "AADSTS70043: expired",
            ),
            (
                "\u{1b}]0;azd\u{7}\u{1b}]8;;https://aka.ms/azd\u{1b}\\\u{1b}(B{\"error\":\"AADSTS50076: second factor\"}",
                Some(50_076),
                "AADSTS50076: second factor",
            ),
            (
                "| Signing in...\r\u{9b}2K{\"error\":\"AADSTS50076: second factor\",\"suggestion\":\"azd auth login\"}",
                Some(50_076),
                "AADSTS50076: second factor",
            ),
        ] {
            let complaint = CliError::read(text);
            assert_eq!(complaint.aadsts(), code, "{text}");
            assert_eq!(complaint.line(), line);
        }
        let down = r#"{"error":"dial tcp: lookup login.microsoftonline.com: no such host","suggestion":"azd auth login"}"#;
        assert!(
            !CliError::read(down)
                .reasons()
                .join("")
                .contains("auth login")
        );
        let hint =
            r#"{"error":"dial tcp: no such host","suggestion":"AADSTS70043: run azd auth login"}"#;
        assert_eq!(CliError::read(hint).aadsts(), None);
        let quoted = "x.py:3: SyntaxWarning: invalid escape\n  x = {\"error\": \"y\"}\nERROR: Please run 'az login' to setup account.";
        assert!(CliError::read(quoted).reasons()[1].contains("az login"));
        let warned = "WARNING: Max retries exceeded\nsh: 1: lsb_release: not found\nERROR: Please run:\naz login\nWARNING: an update";
        assert_eq!(
            CliError::read(warned).reasons()[0],
            "error: please run:\naz login"
        );
        let console = r#"{"data":{"message":"WARNING: dial tcp: i/o timeout"}}
{"data":{"message":"\nERROR: not logged in"}}"#;
        assert_eq!(CliError::read(console).reasons()[0], "error: not logged in");
        assert_eq!(CliError::read("Please run az login").reasons()[0], "");
        let shown = CliError::read("ERROR: eyJhbGci.eyJ.x was rejected").line();
        assert_eq!(shown, "… was rejected");
    }
}
