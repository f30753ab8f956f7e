use std::time::Duration;

use http::{HeaderMap, Method, header};

use crate::{Timestamp, timestamp::parse_http_date};

/// Whether a request may be sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Idempotency {
    /// Changes nothing: GET, or a POST that only reads.
    Safe,
    /// Has the same effect once and twice: PUT, DELETE, most PATCH.
    Idempotent,
    /// Creates something each time: other POST. It is sent again only if it was certainly not processed.
    NonIdempotent,
}

impl Idempotency {
    /// The class of the method (RFC 9110, section 9.2); PATCH counts as idempotent, as it sets values in Graph.
    #[must_use]
    pub fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD | Method::OPTIONS => Self::Safe,
            Method::PUT | Method::DELETE | Method::PATCH => Self::Idempotent,
            _ => Self::NonIdempotent,
        }
    }
}

/// When to send a request again: limits as values, the decision as a pure function.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The maximum number of attempts. Waits that the server requested do not count.
    pub max_attempts: u32,
    /// The upper bound of the first random wait; it doubles with each try.
    pub base_delay: Duration,
    /// The upper bound of every random wait.
    pub max_delay: Duration,
    /// The time limit of a call, waits included.
    pub budget: Duration,
}

/// The outcome of one attempt, for the policy.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Attempt {
    /// What happened.
    pub outcome: AttemptOutcome,
    /// Whether the request may be sent twice.
    pub idempotency: Idempotency,
    /// The attempts that count so far, including this one.
    pub counted: u32,
    /// All attempts so far, including this one.
    pub tries: u32,
    /// How long the call has taken so far.
    pub elapsed: Duration,
    /// The wait that the server requested.
    pub retry_after: Option<Duration>,
    /// Whether the response is 429 Too Many Requests.
    pub throttled: bool,
    /// A random number in `0.0..1.0`.
    pub jitter: f64,
}

/// What happened to one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttemptOutcome {
    /// There is a response.
    Responded(ResponseClass),
    /// The request was not sent.
    NotSent,
    /// The request was sent and got no response.
    NoResponse,
    /// The request can never be sent.
    InvalidRequest,
}

impl AttemptOutcome {
    /// Whether the service may have done what the request is for, without saying so.
    #[must_use]
    pub const fn may_have_been_processed(self) -> bool {
        matches!(
            self,
            Self::NoResponse | Self::Responded(ResponseClass::Transient)
        )
    }
}

/// What a response means for a retry; the caller of the send path classifies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseClass {
    /// Final: success, or an error that a retry does not change.
    Final,
    /// Not processed: any request may be sent again.
    NotProcessed,
    /// A temporary failure; the request may have been processed.
    Transient,
}

/// What to do after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Return the outcome to the caller.
    Done,
    /// Wait, then send again.
    Retry {
        /// How long to wait.
        wait: Duration,
        /// Whether the next try counts against the limit.
        counts: bool,
    },
    /// Return the outcome to the caller, although a retry might succeed.
    Stop(StopReason),
}

/// Why a request that failed temporarily was not sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// It creates something and may have been processed.
    NotRepeatable,
    /// It was sent as often as the policy allows.
    Attempts,
    /// The time budget is used up.
    Budget,
    /// The server asked for a longer wait than the time budget has left.
    RetryAfterBeyondBudget {
        /// The wait that the server requested.
        retry_after: Duration,
        /// What was left of the budget.
        left: Duration,
    },
}

impl Attempt {
    /// The first try of a call, without delay, wait or jitter; set the fields to what was measured.
    #[must_use]
    pub const fn first(outcome: AttemptOutcome, idempotency: Idempotency) -> Self {
        Self {
            outcome,
            idempotency,
            counted: 1,
            tries: 1,
            elapsed: Duration::ZERO,
            retry_after: None,
            throttled: false,
            jitter: 0.0,
        }
    }
}

impl RetryPolicy {
    /// The policy for token requests: 60 seconds in all.
    #[must_use]
    pub const fn for_tokens() -> Self {
        Self {
            max_attempts: 4,
            base_delay: Duration::from_millis(100),
            max_delay: Duration::from_secs(30),
            budget: Duration::from_secs(60),
        }
    }

    /// The policy for Graph requests: 10 minutes each, every page being one.
    ///
    /// Its six tries spread over half a minute, as an overloaded service needs longer than
    /// milliseconds to recover.
    #[must_use]
    pub const fn for_graph() -> Self {
        Self {
            max_attempts: 6,
            base_delay: Duration::from_secs(1),
            budget: Duration::from_secs(600),
            ..Self::for_tokens()
        }
    }

    /// One attempt.
    #[must_use]
    pub const fn once() -> Self {
        Self {
            max_attempts: 1,
            base_delay: Duration::ZERO,
            max_delay: Duration::ZERO,
            budget: Duration::ZERO,
        }
    }

    /// The same policy with another time budget.
    #[must_use]
    pub const fn with_budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// The same policy with another number of tries.
    #[must_use]
    pub const fn with_max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = max_attempts;
        self
    }

    /// What to do after this try.
    #[must_use]
    pub fn decide(&self, attempt: &Attempt) -> Decision {
        let repeatable =
            match attempt.outcome {
                AttemptOutcome::Responded(ResponseClass::Final)
                | AttemptOutcome::InvalidRequest => return Decision::Done,
                AttemptOutcome::Responded(ResponseClass::NotProcessed)
                | AttemptOutcome::NotSent => true,
                AttemptOutcome::Responded(ResponseClass::Transient)
                | AttemptOutcome::NoResponse => attempt.idempotency != Idempotency::NonIdempotent,
            };
        if !repeatable {
            return Decision::Stop(StopReason::NotRepeatable);
        }
        let left = self.budget.saturating_sub(attempt.elapsed);
        let spread = part(self.backoff(attempt.tries), attempt.jitter);
        // "Retry-After: 0" asks for no wait, so it must not be a way to try for ever.
        if let Some(retry_after) = attempt.retry_after.filter(|wait| !wait.is_zero()) {
            if retry_after > left {
                return Decision::Stop(StopReason::RetryAfterBeyondBudget { retry_after, left });
            }
            return Decision::Retry {
                wait: retry_after.saturating_add(spread).min(left),
                counts: false,
            };
        }
        if attempt.counted >= self.max_attempts {
            return Decision::Stop(StopReason::Attempts);
        }
        // A throttling service counts over seconds (10 s at Graph's audit logs), so tries that are
        // milliseconds apart are lost. What is left of the budget is used up to its end.
        let (wait, fits) = match attempt.throttled {
            true => {
                let wait = throttled_wait(attempt.tries, attempt.jitter);
                (wait.min(left), left >= THROTTLED_DELAY)
            }
            false => (spread, spread < left),
        };
        if !fits {
            return Decision::Stop(StopReason::Budget);
        }
        Decision::Retry { wait, counts: true }
    }

    fn backoff(&self, tries: u32) -> Duration {
        let doublings = tries.saturating_sub(1).min(16);
        self.base_delay
            .saturating_mul(1 << doublings)
            .min(self.max_delay)
    }
}

/// The wait after a 429 that names none: 3 s, doubled with each try up to 30 s, and up to half as much again.
fn throttled_wait(tries: u32, jitter: f64) -> Duration {
    let doublings = tries.saturating_sub(1).min(4);
    let wait = (THROTTLED_DELAY * (1 << doublings)).min(LONGEST_THROTTLED_DELAY);
    wait + part(wait / 2, jitter)
}

/// A share of a wait. No number of a policy or of a source of randomness makes it panic.
fn part(whole: Duration, share: f64) -> Duration {
    let share = if share.is_nan() {
        0.5
    } else {
        share.clamp(0.0, 1.0)
    };
    Duration::try_from_secs_f64(whole.as_secs_f64() * share).unwrap_or(whole)
}

/// Reads a `Retry-After` value: whole seconds, a fraction of seconds, or an HTTP date
/// (RFC 9110, section 10.2.3; Graph also sends fractions). A date in the past means no wait.
///
/// ```
/// use std::time::Duration;
/// use entra_core::{Timestamp, parse_retry_after};
/// assert_eq!(parse_retry_after("2.128", Timestamp::UNIX_EPOCH), Some(Duration::from_millis(2128)));
/// assert_eq!(parse_retry_after("Thu, 01 Jan 1970 00:00:30 GMT", Timestamp::UNIX_EPOCH), Some(Duration::from_secs(30)));
/// ```
#[must_use]
pub fn parse_retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if value
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return value
            .parse::<f64>()
            .ok()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    }
    let until = parse_http_date(value)?;
    Some(Duration::try_from(until - now).unwrap_or(Duration::ZERO))
}

/// The wait that a response with these headers asks for at this time. A date is compared with the response's own `Date`,
/// which is on the server's clock.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    let now = headers
        .get(header::DATE)
        .and_then(|date| parse_http_date(date.to_str().ok()?))
        .unwrap_or(now);
    parse_retry_after(value, now)
}

/// As in Microsoft's Graph clients.
const THROTTLED_DELAY: Duration = Duration::from_secs(3);
const LONGEST_THROTTLED_DELAY: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn attempt(outcome: AttemptOutcome, idempotency: Idempotency) -> Attempt {
        Attempt {
            outcome,
            idempotency,
            counted: 1,
            tries: 1,
            elapsed: Duration::ZERO,
            retry_after: None,
            throttled: false,
            jitter: 0.5,
        }
    }

    fn policy() -> RetryPolicy {
        RetryPolicy {
            max_attempts: 3,
            base_delay: SECOND,
            max_delay: 8 * SECOND,
            budget: 60 * SECOND,
        }
    }

    #[test]
    fn possibly_processed_request_is_resent_unless_it_is_non_idempotent() {
        use AttemptOutcome::{InvalidRequest, NoResponse, NotSent, Responded};
        use Idempotency::{Idempotent, NonIdempotent, Safe};
        let resent = Decision::Retry {
            wait: SECOND / 2,
            counts: true,
        };
        let stopped = Decision::Stop(StopReason::NotRepeatable);
        let table = [
            (Responded(ResponseClass::Final), Safe, Decision::Done),
            (
                Responded(ResponseClass::Final),
                NonIdempotent,
                Decision::Done,
            ),
            (InvalidRequest, Safe, Decision::Done),
            (Responded(ResponseClass::NotProcessed), Safe, resent),
            (Responded(ResponseClass::NotProcessed), Idempotent, resent),
            (
                Responded(ResponseClass::NotProcessed),
                NonIdempotent,
                resent,
            ),
            (NotSent, NonIdempotent, resent),
            (NotSent, Safe, resent),
            (Responded(ResponseClass::Transient), Safe, resent),
            (Responded(ResponseClass::Transient), Idempotent, resent),
            (Responded(ResponseClass::Transient), NonIdempotent, stopped),
            (NoResponse, Safe, resent),
            (NoResponse, Idempotent, resent),
            (NoResponse, NonIdempotent, stopped),
        ];
        for (outcome, idempotency, expected) in table {
            assert_eq!(
                policy().decide(&attempt(outcome, idempotency)),
                expected,
                "{outcome:?} {idempotency:?}"
            );
        }
    }

    #[test]
    fn backoff_doubles_up_to_the_limit_with_full_jitter() {
        let wait = |tries, jitter| {
            let attempt = Attempt {
                tries,
                jitter,
                ..attempt(AttemptOutcome::NotSent, Idempotency::Safe)
            };
            match policy().decide(&attempt) {
                Decision::Retry { wait, .. } => wait,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(wait(1, 0.0), Duration::ZERO);
        assert_eq!(wait(1, 1.0), SECOND);
        assert_eq!(wait(2, 1.0), 2 * SECOND);
        assert_eq!(wait(3, 1.0), 4 * SECOND);
        assert_eq!(wait(9, 1.0), 8 * SECOND);
        assert_eq!(wait(u32::MAX, 1.0), 8 * SECOND);
    }

    #[test]
    fn retry_after_uses_time_and_no_attempts() {
        let throttled = Attempt {
            retry_after: Some(10 * SECOND),
            counted: 3,
            tries: 9,
            ..attempt(
                AttemptOutcome::Responded(ResponseClass::NotProcessed),
                Idempotency::NonIdempotent,
            )
        };
        assert_eq!(
            policy().decide(&throttled),
            Decision::Retry {
                wait: 14 * SECOND,
                counts: false
            }
        );
        let late = Attempt {
            elapsed: 49 * SECOND,
            ..throttled
        };
        assert_eq!(
            policy().decide(&late),
            Decision::Retry {
                wait: 11 * SECOND,
                counts: false
            },
            "never beyond the budget"
        );
    }

    #[test]
    fn wait_of_exactly_the_remaining_budget_is_accepted_and_uses_it_up() {
        let throttled = Attempt {
            retry_after: Some(60 * SECOND),
            ..attempt(
                AttemptOutcome::Responded(ResponseClass::NotProcessed),
                Idempotency::Safe,
            )
        };
        assert_eq!(
            policy().decide(&throttled),
            Decision::Retry {
                wait: 60 * SECOND,
                counts: false
            },
            "the server's wait fits exactly"
        );
        let late = Attempt {
            elapsed: 59 * SECOND,
            jitter: 1.0,
            ..attempt(AttemptOutcome::NoResponse, Idempotency::Safe)
        };
        assert_eq!(
            policy().decide(&late),
            Decision::Stop(StopReason::Budget),
            "our own wait would leave nothing for the try"
        );
    }

    #[test]
    fn requests_of_graph_have_ten_minutes_and_token_requests_one() {
        let (tokens, graph) = (RetryPolicy::for_tokens(), RetryPolicy::for_graph());
        assert_eq!((tokens.budget, tokens.max_attempts), (60 * SECOND, 4));
        assert_eq!((graph.budget, graph.max_attempts), (600 * SECOND, 6));
    }

    #[test]
    fn failures_of_graph_without_retry_after_are_retried_over_seconds() {
        let graph = RetryPolicy::for_graph();
        let longest: Duration = (1..graph.max_attempts)
            .map(|tries| {
                let failed = Attempt {
                    counted: tries,
                    tries,
                    jitter: 1.0,
                    ..Attempt::first(
                        AttemptOutcome::Responded(ResponseClass::Transient),
                        Idempotency::Safe,
                    )
                };
                match graph.decide(&failed) {
                    Decision::Retry { wait, .. } => wait,
                    other => panic!("{other:?}"),
                }
            })
            .sum();
        assert_eq!(longest, 31 * SECOND);
    }

    #[test]
    fn wait_beyond_the_budget_fails_at_once_and_names_both_times() {
        let throttled = Attempt {
            retry_after: Some(61 * SECOND),
            ..attempt(
                AttemptOutcome::Responded(ResponseClass::NotProcessed),
                Idempotency::Safe,
            )
        };
        let expected = StopReason::RetryAfterBeyondBudget {
            retry_after: 61 * SECOND,
            left: 60 * SECOND,
        };
        assert_eq!(policy().decide(&throttled), Decision::Stop(expected));
    }

    #[test]
    fn retry_after_zero_counts_as_an_attempt() {
        let asked = Attempt {
            retry_after: Some(Duration::ZERO),
            counted: 3,
            ..attempt(
                AttemptOutcome::Responded(ResponseClass::NotProcessed),
                Idempotency::Safe,
            )
        };
        assert_eq!(
            policy().decide(&asked),
            Decision::Stop(StopReason::Attempts)
        );
    }

    #[test]
    fn throttled_waits_grow_from_three_seconds_and_use_the_budget_to_its_end() {
        let decide = |tries, elapsed: u32, jitter| {
            policy().decide(&Attempt {
                tries,
                elapsed: elapsed * SECOND,
                throttled: true,
                jitter,
                ..attempt(
                    AttemptOutcome::Responded(ResponseClass::NotProcessed),
                    Idempotency::NonIdempotent,
                )
            })
        };
        let after = |wait| Decision::Retry { wait, counts: true };
        assert_eq!(decide(1, 0, 0.0), after(3 * SECOND));
        assert_eq!(decide(1, 0, 1.0), after(9 * SECOND / 2));
        assert_eq!(decide(2, 0, 0.0), after(6 * SECOND));
        assert_eq!(decide(3, 0, 0.0), after(12 * SECOND));
        assert_eq!(decide(u32::MAX, 0, 0.0), after(30 * SECOND));
        assert_eq!(decide(5, 57, 0.0), after(3 * SECOND));
        assert_eq!(decide(5, 58, 0.0), Decision::Stop(StopReason::Budget));
    }

    #[test]
    fn attempts_and_budget_both_end_retries() {
        let last = Attempt {
            counted: 3,
            ..attempt(AttemptOutcome::NoResponse, Idempotency::Safe)
        };
        assert_eq!(policy().decide(&last), Decision::Stop(StopReason::Attempts));
        let late = Attempt {
            elapsed: 60 * SECOND,
            ..attempt(AttemptOutcome::NoResponse, Idempotency::Safe)
        };
        assert_eq!(policy().decide(&late), Decision::Stop(StopReason::Budget));
        assert_eq!(
            RetryPolicy::once().decide(&attempt(AttemptOutcome::NoResponse, Idempotency::Safe)),
            Decision::Stop(StopReason::Attempts)
        );
    }

    #[test]
    fn wait_of_any_setting_and_attempt_number_does_not_panic() {
        let most = Duration::MAX;
        let policy = RetryPolicy {
            max_attempts: u32::MAX,
            base_delay: most,
            max_delay: most,
            budget: most,
        };
        for jitter in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1.0, 2.0] {
            for retry_after in [None, Some(SECOND), Some(most)] {
                for throttled in [false, true] {
                    let attempt = Attempt {
                        retry_after,
                        throttled,
                        jitter,
                        tries: u32::MAX,
                        ..attempt(AttemptOutcome::NotSent, Idempotency::Safe)
                    };
                    let decision = policy.decide(&attempt);
                    let Decision::Retry { wait, .. } = decision else {
                        // A wait of the whole budget is too long.
                        assert_eq!(decision, Decision::Stop(StopReason::Budget));
                        continue;
                    };
                    assert!(retry_after.is_none_or(|asked| wait >= asked));
                }
            }
        }
    }

    #[test]
    fn retry_after_is_parsed_in_every_form_and_other_text_is_ignored() {
        let now = Timestamp::UNIX_EPOCH + time::Duration::seconds(784_111_777);
        let table = [
            ("120", Some(120.0)),
            (" 5 ", Some(5.0)),
            ("0", Some(0.0)),
            ("2.128", Some(2.128)),
            ("0.249", Some(0.249)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10.0)),
            ("Sun, 06 Nov 1994 08:49:27 GMT", Some(0.0)),
            ("Sunday, 06-Nov-94 08:49:47 GMT", Some(10.0)),
            ("Sun Nov  6 08:49:47 1994", Some(10.0)),
            ("Sun Nov 16 08:49:37 1994", Some(864_000.0)),
            ("Thursday, 01-Jan-70 00:00:00 GMT", Some(0.0)),
            ("Thursday, 01-Jan-70 00:00:00 GMT", Some(0.0)),
            ("Sunday, 06-Nov-194 08:49:47 GMT", None),
            ("Sun Nov  6 08:49:47", None),
            ("Sun Foo  6 08:49:47 1994", None),
            ("Sun, 31 Dec 9999 23:59:59 GMT", Some(252_618_189_022.0)),
            ("Sun, 06 Nov 99999 08:49:47 GMT", None),
            ("", None),
            ("soon", None),
            ("-1", None),
            ("1.2.3", None),
            ("NaN", None),
            ("inf", None),
            ("99999999999999999999999999", None),
        ];
        for (text, expected) in table {
            assert_eq!(
                parse_retry_after(text, now),
                expected.map(Duration::from_secs_f64),
                "{text:?}"
            );
        }
    }
}
