use entra_core::{Response, Timestamp, parse_http_date, time::Duration};

/// By how much this machine's clock is ahead of another one: positive if it is ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockDifference(Duration);

impl ClockDifference {
    #[cfg(any(test, feature = "sign-in"))]
    pub(crate) const fn new(ahead: Duration) -> Self {
        Self(ahead)
    }

    /// The difference to the service that sent this response, by its `Date` header.
    #[inline]
    pub(crate) fn of_response(response: &Response, now: Timestamp) -> Option<Self> {
        let date = response.header("date")?;
        let server_time = parse_http_date(date)?;
        Some(Self(now - server_time))
    }

    pub(crate) const fn ahead(self) -> Duration {
        self.0
    }

    /// Whether the clock is wrong, and the response was not only slow.
    pub(crate) fn is_wrong(self) -> bool {
        self.0.abs() >= TOLERANCE
    }

    /// The amount without the direction, such as `2 h 1 min`.
    pub(crate) fn amount(self) -> String {
        in_words(self.0.abs())
    }

    pub(crate) const fn is_ahead(self) -> bool {
        self.0.is_positive()
    }

    /// The difference in one sentence.
    pub(crate) fn sentence(self) -> String {
        let amount = self.amount();
        match (self.is_wrong(), self.is_ahead()) {
            (false, _) => format!(
                "this machine's clock agrees with the sign-in service's within {amount}, so the token is an old one"
            ),
            (true, true) => {
                format!("this machine's clock is {amount} ahead of the sign-in service's")
            }
            (true, false) => {
                format!("this machine's clock is {amount} behind the sign-in service's")
            }
        }
    }
}

fn in_words(duration: Duration) -> String {
    let seconds = duration.whole_seconds();
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// A slow response makes a correct clock look wrong by less than this.
const TOLERANCE: Duration = Duration::seconds(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_has_two_units_at_most() {
        let table = [
            (31, "31 s"),
            (423, "7 min 3 s"),
            (7_261, "2 h 1 min"),
            (180_000, "2 d 2 h"),
        ];
        for (seconds, expected) in table {
            assert_eq!(in_words(Duration::seconds(seconds)), expected);
        }
    }
}
