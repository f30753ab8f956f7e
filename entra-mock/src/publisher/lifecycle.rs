//! When a subscription must be reauthorized (page "Reduce missing subscriptions and change notifications").

use crate::time::TICKS;

/// Returns when the next `reauthorizationRequired` is due, in ticks: after a quarter of the time from the last event,
/// or the last authorization, to the expiration. A quarter of up to 180 minutes is halved; one of less than 60 minutes
/// is 15 minutes.
pub(super) fn next_challenge(last: i64, expires: i64) -> i64 {
    let quarter = (expires - last).max(0) / 4;
    let step = if quarter < 60 * MINUTE {
        15 * MINUTE
    } else if quarter <= 180 * MINUTE {
        quarter / 2
    } else {
        quarter
    };
    last.saturating_add(step)
}

const MINUTE: i64 = 60 * TICKS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_to_the_next_challenge_follows_from_the_remaining_lifetime() {
        for (life, step) in [
            (41_760, 10_440),
            (724, 181),
            (720, 90),
            (240, 30),
            (236, 15),
            (60, 15),
            (0, 15),
        ] {
            let next = next_challenge(1_000 * MINUTE, (1_000 + life) * MINUTE);
            assert_eq!(next, (1_000 + step) * MINUTE, "{life}");
        }
    }
}
