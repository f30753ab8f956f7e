//! The two written forms of a time on the wire, read and written once for all crates.

use time::format_description::well_known::{Rfc2822, Rfc3339};

use crate::Timestamp;

/// Reads a time such as `2026-01-31T12:00:00Z` (RFC 3339). `None` if it has another form.
///
/// ```
/// use entra_core::{Timestamp, parse_rfc3339};
/// assert_eq!(parse_rfc3339("1970-01-01T00:00:00Z"), Some(Timestamp::UNIX_EPOCH));
/// assert_eq!(parse_rfc3339("1970-01-01"), None);
/// ```
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text, &Rfc3339).ok()
}

/// Writes a time in the form of RFC 3339. `None` for what it has no form for: seconds in an offset, and years before
/// 0 or after 9999.
///
/// ```
/// use entra_core::{Timestamp, format_rfc3339};
/// assert_eq!(format_rfc3339(Timestamp::UNIX_EPOCH).as_deref(), Some("1970-01-01T00:00:00Z"));
/// ```
#[must_use]
pub fn format_rfc3339(time: Timestamp) -> Option<String> {
    time.format(&Rfc3339).ok()
}

/// Reads a date of an HTTP header, in one of the three forms that a recipient has to understand (RFC 9110, section
/// 5.6.7). White space around it does not count. `None` if it has another form.
///
/// ```
/// use entra_core::{Timestamp, parse_http_date};
/// assert_eq!(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(Timestamp::UNIX_EPOCH));
/// assert_eq!(parse_http_date("Thu Jan  1 00:00:00 1970"), Some(Timestamp::UNIX_EPOCH));
/// ```
#[must_use]
pub fn parse_http_date(value: &str) -> Option<Timestamp> {
    let value = value.trim();
    let date = |text: &str| Timestamp::parse(text, &Rfc2822).ok();
    date(value).or_else(|| date(&older_form(value)?))
}

/// `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994` in the form of today.
fn older_form(value: &str) -> Option<String> {
    let parts: Vec<&str> = value.split_ascii_whitespace().collect();
    let (day, month, year, time) = match *parts.as_slice() {
        [_, date, time, "GMT"] => {
            let mut date = date.split('-');
            let (day, month) = (date.next()?, date.next()?);
            // Two digits mean a year at most 50 years in the future (RFC 9110, 5.6.7).
            let year: u16 = date.next()?.parse().ok().filter(|year| *year < 100)?;
            (day, month, year + if year < 70 { 2000 } else { 1900 }, time)
        }
        [_, month, day, time, year] => (day, month, year.parse().ok()?, time),
        _ => return None,
    };
    Some(format!("{day:0>2} {month} {year} {time} GMT"))
}
