//! Names made safe to print, dates and numbers, for the table and the page.

use entra_auth::entra_core::{
    Timestamp,
    time::{Date, UtcOffset},
};

/// The text with characters replaced that steer a terminal or change the reading direction: users who may
/// name an app must not control the administrator's terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|char| if is_steering(char) { '\u{fffd}' } else { char })
        .collect()
}

/// `2026-11-20`.
pub(crate) fn iso_date(at: Timestamp) -> String {
    let date = at.to_offset(UtcOffset::UTC).date();
    format!(
        "{:04}-{:02}-{:02}",
        date.year(),
        u8::from(date.month()),
        date.day()
    )
}

/// `20 Nov 2026`.
pub(crate) fn day(date: Date) -> String {
    format!("{} {}", day_of_month(date), date.year())
}

/// `20 Nov`.
pub(crate) fn day_of_month(date: Date) -> String {
    let month = date.month().to_string();
    format!("{} {}", date.day(), month.get(..3).unwrap_or(&month))
}

/// `12,345`.
pub(crate) fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 app`, `2 apps`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// `33%`: rounded, but never to 0% or 100%.
pub(crate) fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "0%".to_owned();
    }
    let exact = (part * 200 + whole) / (whole * 2);
    let rounded = match exact {
        0 if part > 0 => 1,
        100.. if part < whole => 99,
        other => other,
    };
    format!("{rounded}%")
}

/// The columns of the text in a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// The text in at most this many columns, cut with a `…`.
pub(crate) fn fit(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 1;
    for char in text.chars() {
        used += columns(char);
        if used > most {
            break;
        }
        cut.push(char);
    }
    cut.push('…');
    cut
}

/// Covers the common cases: East Asian characters and emoji take two columns, combining marks none.
fn columns(char: char) -> usize {
    match u32::from(char) {
        0x0300..=0x036f | 0x200b..=0x200d | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

fn is_steering(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(
            printable("a\u{1b}[31mb\nc\u{202e}d"),
            "a\u{fffd}[31mb\u{fffd}c\u{fffd}d"
        );
        assert_eq!(printable("Zürich 東京 🙂"), "Zürich 東京 🙂");
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(
            [0, 999, 1_000, 12_345, 1_234_567].map(number),
            ["0", "999", "1,000", "12,345", "1,234,567"]
        );
    }

    #[test]
    fn percentages_never_round_to_0_or_100() {
        assert_eq!(percent(0, 10), "0%");
        assert_eq!(percent(10, 10), "100%");
        assert_eq!(percent(1, 1_000), "1%");
        assert_eq!(percent(999, 1_000), "99%");
        assert_eq!(percent(1, 3), "33%");
        assert_eq!(percent(0, 0), "0%");
    }

    #[test]
    fn long_and_wide_names_are_cut_to_their_column() {
        assert_eq!(fit("Expense Desk", 12), "Expense Desk");
        assert_eq!(fit("Expense Desk", 8), "Expense…");
        assert_eq!(fit("東京東京", 6), "東京…");
        assert!(width(&fit("東京東京", 6)) <= 6);
    }

    #[test]
    fn dates_are_formatted_in_three_ways() {
        let at = Timestamp::UNIX_EPOCH;
        assert_eq!(
            (iso_date(at), day(at.date()), day_of_month(at.date())),
            (
                "1970-01-01".to_owned(),
                "1 Jan 1970".to_owned(),
                "1 Jan".to_owned()
            )
        );
    }
}
