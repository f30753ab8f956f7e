//! Edm.DateTimeOffset and Edm.Date as comparable numbers, and the parts of times as text.

/// Returns ticks of 100 ns since 1970, the precision of Graph; `None` if the text is not a date.
///
/// A date without a time is midnight in UTC.
pub(crate) fn ticks(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() < 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (
        number(&bytes[..4])?,
        number(&bytes[5..7])?,
        number(&bytes[8..10])?,
    );
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let days = days_since_epoch(year, month, day);
    if bytes.len() == 10 {
        return Some(days * 86_400 * TICKS);
    }
    let (seconds, fraction, offset) = time_of_day(&bytes[10..])?;
    Some((days * 86_400 + seconds - offset * 60) * TICKS + fraction)
}

/// Returns the same number for a point in time.
pub(crate) fn ticks_of(moment: entra_core::Timestamp) -> i64 {
    i64::try_from(moment.unix_timestamp_nanos() / 100).unwrap_or(i64::MAX)
}

/// Ticks in one second.
pub(crate) const TICKS: i64 = 10_000_000;

/// Writes a part of a date or time. Nearly every object and response has some, and `format!` takes ten times as long.
pub(crate) fn push_two_digits(text: &mut String, number: u8) {
    text.push(char::from(b'0' + number / 10 % 10));
    text.push(char::from(b'0' + number % 10));
}

/// Writes a year in four digits.
pub(crate) fn push_year(text: &mut String, year: i32) {
    for part in [year / 100 % 100, year % 100] {
        push_two_digits(text, u8::try_from(part).unwrap_or_default());
    }
}

/// Reads `Thh:mm[:ss[.fffffff]](Z|±hh:mm)` as seconds, ticks within the second, and offset in
/// minutes.
fn time_of_day(text: &[u8]) -> Option<(i64, i64, i64)> {
    if text.len() < 7 || !matches!(text[0], b'T' | b't') || text[3] != b':' {
        return None;
    }
    let (hours, minutes) = (number(&text[1..3])?, number(&text[4..6])?);
    let mut rest = &text[6..];
    let mut seconds = 0;
    let mut fraction = 0;
    if rest[0] == b':' {
        seconds = number(rest.get(1..3)?)?;
        rest = rest.get(3..)?;
        if rest.first() == Some(&b'.') {
            let digits = rest[1..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if digits == 0 || digits > 12 {
                return None;
            }
            for at in 0..7 {
                let digit = if at < digits {
                    i64::from(rest[1 + at] - b'0')
                } else {
                    0
                };
                fraction = fraction * 10 + digit;
            }
            rest = &rest[1 + digits..];
        }
    }
    if hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    Some((
        hours * 3_600 + minutes * 60 + seconds,
        fraction,
        offset(rest)?,
    ))
}

fn offset(text: &[u8]) -> Option<i64> {
    match text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), rest @ ..] if rest.len() == 5 && rest[2] == b':' => {
            let (hours, minutes) = (number(&rest[..2])?, number(&rest[3..])?);
            let total = hours * 60 + minutes;
            (hours <= 14 && minutes <= 59).then_some(if *sign == b'-' { -total } else { total })
        }
        _ => None,
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value: i64, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + i64::from(byte - b'0'))
    })
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Returns the days since 1970-01-01 in the proleptic Gregorian calendar. Years start in March
/// here, so that the leap day is the last day.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_become_ticks_since_1970() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-03-01T00:00:00Z", 951_868_800),
            ("2024-02-29T12:30:05Z", 1_709_209_805),
            ("2024-02-29T14:30:05+02:00", 1_709_209_805),
            ("2026-11-21T00:00Z", 1_795_219_200),
            ("2026-11-21", 1_795_219_200),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
        ] {
            assert_eq!(ticks(text), Some(seconds * TICKS), "{text}");
        }
        assert_eq!(ticks("1970-01-01T00:00:00.1234567Z"), Some(1_234_567));
        assert_eq!(ticks("1970-01-01T00:00:00.123456789Z"), Some(1_234_567));
        assert_eq!(ticks("1970-01-01T00:00:00.5Z"), Some(5_000_000));
    }

    #[test]
    fn invalid_dates_are_rejected() {
        for text in [
            "",
            "yesterday",
            "2024-02-30",
            "2024-13-01",
            "2024-01-01T",
            "2024-01-01T25:00:00Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.Z",
        ] {
            assert_eq!(ticks(text), None, "{text}");
        }
    }

    #[test]
    fn a_timestamp_and_its_text_have_the_same_ticks() {
        let moment = entra_core::Timestamp::from_unix_timestamp(1_795_219_200);
        assert_eq!(moment.map(ticks_of).ok(), ticks("2026-11-21T00:00:00Z"));
    }
}
