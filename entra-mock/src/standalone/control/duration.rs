//! Durations as a user types them: `90s`, `1h30m`, `2d`.

use std::time::Duration;

/// Returns the duration of a text, or `None` if it is not one or longer than a century.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut total: u64 = 0;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let unit = after
            .find(|character: char| character.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let milliseconds = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        let number: u64 = number.parse().ok()?;
        total = total.checked_add(number.checked_mul(milliseconds)?)?;
        rest = after;
    }
    (total <= LONGEST).then(|| Duration::from_millis(total))
}

/// The text of a duration, in the form that [`parse`] reads.
pub(crate) fn text(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, milliseconds) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ] {
        if rest >= milliseconds {
            text.push_str(&format!("{}{unit}", rest / milliseconds));
            rest %= milliseconds;
        }
    }
    if text.is_empty() {
        text.push_str("0s");
    }
    text
}

/// The regular expression of the OpenAPI document.
pub(crate) const PATTERN: &str = "^([0-9]+(ms|s|m|h|d))+$";
/// A century in milliseconds.
const LONGEST: u64 = 100 * 366 * 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, milliseconds) in [
            ("250ms", 250),
            ("90s", 90_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("0s", 0),
            ("1m1ms", 60_001),
        ] {
            assert_eq!(
                parse(text),
                Some(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        for text in [
            "",
            "90",
            "s",
            "1 h",
            "-1s",
            "1.5h",
            "1w",
            "99999999999d",
            "1h30",
            "h1",
            "1é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_text_of_a_duration_is_read_back() {
        for milliseconds in [0, 1, 999, 1_000, 90_000, 5_400_001, 200_000_000] {
            let duration = Duration::from_millis(milliseconds);
            assert_eq!(parse(&text(duration)), Some(duration));
        }
        assert_eq!(text(Duration::from_secs(5_400)), "1h30m");
    }
}
