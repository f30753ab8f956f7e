//! Times as the control API reads and writes them.

use entra_core::{
    Timestamp,
    time::{UtcOffset, format_description::well_known::Rfc3339},
};

use crate::time::ticks;

/// Reads a time in RFC 3339, in which the seconds can be missing. Returns `None` for a date alone.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let ticks = ticks(text).filter(|_| text.len() > "2026-11-30".len())?;
    Timestamp::from_unix_timestamp_nanos(i128::from(ticks) * 100).ok()
}

/// Formats a time with its fractions of a second.
pub(super) fn rfc3339(time: Timestamp) -> String {
    let time = time.to_offset(UtcOffset::UTC);
    time.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form_that_the_schema_accepts() {
        for (text, expected) in [
            ("2026-11-30T08:00:00Z", "2026-11-30T08:00:00Z"),
            ("2026-11-30T08:00Z", "2026-11-30T08:00:00Z"),
            ("2026-11-30t08:00z", "2026-11-30T08:00:00Z"),
            ("2026-11-30T10:00+02:00", "2026-11-30T08:00:00Z"),
            ("2026-11-30T08:00:00.25Z", "2026-11-30T08:00:00.25Z"),
        ] {
            assert_eq!(
                parse(text).map(rfc3339).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        for text in ["2026-11-30", "08:00", "2026-11-30T08:00"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
