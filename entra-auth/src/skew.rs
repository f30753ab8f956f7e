use entra_core::{
    Response, Timestamp,
    time::{Duration, format_description::well_known::Rfc2822},
};

use crate::Error;

/// Adds the wrong clock of this machine as the cause of an error about a validity period.
pub(crate) fn explain(error: Error, response: &Response, now: Timestamp) -> Error {
    if !error.codes().iter().any(|code| TIME_ERRORS.contains(code)) {
        return error;
    }
    let server_time = response
        .header("date")
        .and_then(|date| Timestamp::parse(date, &Rfc2822).ok());
    let Some(difference) = server_time.map(|server_time| now - server_time) else {
        return error;
    };
    if difference.abs() < TOLERANCE {
        return error;
    }
    let direction = if difference.is_positive() {
        "ahead of"
    } else {
        "behind"
    };
    let difference = in_words(difference.abs());
    error.with(|inner| {
        inner.cause = Some(
            format!("this machine's clock is {difference} {direction} the sign-in service's")
                .into(),
        );
        inner.fix = Some("correct the clock of this machine, and synchronize it by NTP".into());
    })
}

fn in_words(duration: Duration) -> String {
    let seconds = duration.whole_seconds();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// A slow response makes a correct clock look wrong by less than this.
const TOLERANCE: Duration = Duration::seconds(30);
/// An assertion, an on-behalf-of token or a certificate outside of its validity period.
const TIME_ERRORS: [u32; 3] = [700_024, 500_133, 1_000_502];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_has_two_units_at_most() {
        let table = [(31, "31 s"), (423, "7 min 3 s"), (7_261, "2 h 1 min")];
        for (seconds, expected) in table {
            assert_eq!(in_words(Duration::seconds(seconds)), expected);
        }
    }
}
