use entra_core::{
    Response, Timestamp,
    time::{Duration, format_description::well_known::Rfc2822},
};

use crate::Error;

/// Names a wrong clock as the cause when something was rejected for its time.
pub(crate) fn explain(error: Error, response: &Response, now: Timestamp) -> Error {
    if !error.codes().iter().any(|code| ABOUT_TIME.contains(code)) {
        return error;
    }
    let theirs = response
        .header("date")
        .and_then(|date| Timestamp::parse(date, &Rfc2822).ok());
    let Some(off) = theirs.map(|theirs| now - theirs) else {
        return error;
    };
    if off.abs() < TOLERATED {
        return error;
    }
    let direction = if off.is_positive() {
        "ahead of"
    } else {
        "behind"
    };
    let off = words(off.abs());
    error.with(|inner| {
        inner.cause =
            Some(format!("this machine's clock is {off} {direction} the sign-in service's").into());
        inner.fix = Some("set the machine's clock, and let NTP keep it right".into());
    })
}

fn words(duration: Duration) -> String {
    let seconds = duration.whole_seconds();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// A response that was long under way makes a clock look wrong by less than this.
const TOLERATED: Duration = Duration::seconds(30);
/// An assertion, a token handed on, or a certificate outside of its time.
const ABOUT_TIME: [u32; 3] = [700_024, 500_133, 1_000_502];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_said_in_two_units_at_most() {
        let table = [(31, "31 s"), (423, "7 min 3 s"), (7_261, "2 h 1 min")];
        for (seconds, expected) in table {
            assert_eq!(words(Duration::seconds(seconds)), expected);
        }
    }
}
