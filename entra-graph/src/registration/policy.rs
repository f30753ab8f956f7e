//! The app management policy of the tenant, as far as it limits client secrets.

use entra_core::{Timestamp, http::Method, time::Duration};
use serde_json::Value;

use super::wire::{items, text};
use crate::{client::GraphClient, error::Error};

/// What the tenant's default app management policy says about client secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum SecretPolicy {
    /// The policy could not be read: it may limit secrets or not.
    #[default]
    Unknown,
    /// Secrets may live as long as the caller wants.
    Unrestricted,
    /// Secrets may live this long at most.
    Longest(Duration),
    /// Secrets may not be added.
    Forbidden,
}

impl SecretPolicy {
    /// Takes `Policy.Read.All`; without it the answer is unknown.
    ///
    /// # Errors
    /// Every kind of [`Error`] but a rejection.
    pub(super) async fn read(graph: &GraphClient) -> Result<Self, Error> {
        let policy = graph.raw(Method::GET, "/policies/defaultAppManagementPolicy");
        match policy.json::<Value>().await {
            Ok(policy) => Ok(Self::of(&policy, graph.now())),
            Err(error) if error.status().is_some_and(|status| !status.is_success()) => {
                Ok(Self::Unknown)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads a policy for an application that is created now.
    fn of(policy: &Value, now: Timestamp) -> Self {
        if policy["isEnabled"] != true {
            return Self::Unrestricted;
        }
        let mut result = Self::Unrestricted;
        for restriction in items(&policy["applicationRestrictions"], "passwordCredentials") {
            let since = super::found::time(restriction, "restrictForAppsCreatedAfterDateTime");
            if restriction["state"] == "disabled" || since.is_some_and(|since| since > now) {
                continue;
            }
            match text(restriction, "restrictionType") {
                "passwordAddition" => return Self::Forbidden,
                "passwordLifetime" => {
                    if let Some(longest) = days(text(restriction, "maxLifetime")) {
                        result = Self::Longest(longest);
                    }
                }
                _ => {}
            }
        }
        result
    }

    /// The end of a secret that wants to expire at `end`, or as late as the policy allows. The start is set by
    /// Graph's clock, so a limit is kept with some minutes to spare.
    pub(super) fn clamp(&self, start: Timestamp, end: Timestamp) -> Timestamp {
        match self {
            Self::Longest(longest) => end.min(start + *longest - SPARE),
            _ => end,
        }
    }
}

/// An ISO 8601 duration of days, such as `P180D` or `P4DT12H30M5S`.
fn days(text: &str) -> Option<Duration> {
    let (days, time) = match text.strip_prefix('P')?.split_once('T') {
        Some((days, time)) => (days, time),
        None => (text.strip_prefix('P')?, ""),
    };
    let mut total = Duration::ZERO;
    let mut rest = days;
    let units = [
        ('Y', 365 * DAY, true),
        ('M', 30 * DAY, true),
        ('W', 7 * DAY, true),
        ('D', DAY, true),
        ('H', 3_600, false),
        ('M', 60, false),
        ('S', 1, false),
    ];
    let mut in_date = true;
    for (unit, seconds, is_date) in units {
        if in_date && !is_date {
            in_date = false;
            if !rest.is_empty() {
                return None;
            }
            rest = time;
        }
        if let Some((number, tail)) = rest.split_once(unit) {
            let number: i64 = number.parse().ok()?;
            total = total.checked_add(Duration::seconds(number.checked_mul(seconds)?))?;
            rest = tail;
        }
    }
    rest.is_empty().then_some(total)
}

const DAY: i64 = 86_400;
const SPARE: Duration = Duration::minutes(5);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy(restriction: &Value) -> Value {
        json!({"isEnabled": true, "applicationRestrictions": {"passwordCredentials": [restriction]}})
    }

    #[test]
    fn a_policy_forbids_secrets_or_limits_their_lifetime() {
        let now = Timestamp::UNIX_EPOCH;
        let lifetime = json!({"restrictionType": "passwordLifetime", "maxLifetime": "P180D"});
        let addition = json!({"restrictionType": "passwordAddition", "maxLifetime": null});
        let later = json!({"restrictionType": "passwordAddition", "restrictForAppsCreatedAfterDateTime": "1971-01-01T00:00:00Z"});
        let off = json!({"restrictionType": "passwordAddition", "state": "disabled"});
        assert_eq!(
            SecretPolicy::of(&policy(&addition), now),
            SecretPolicy::Forbidden
        );
        assert_eq!(
            SecretPolicy::of(&policy(&later), now),
            SecretPolicy::Unrestricted
        );
        assert_eq!(
            SecretPolicy::of(&policy(&off), now),
            SecretPolicy::Unrestricted
        );
        let longest = SecretPolicy::of(&policy(&lifetime), now);
        assert_eq!(longest, SecretPolicy::Longest(Duration::days(180)));
        let mut disabled = policy(&lifetime);
        disabled["isEnabled"] = json!(false);
        assert_eq!(SecretPolicy::of(&disabled, now), SecretPolicy::Unrestricted);
        assert!(longest.clamp(now, now + Duration::days(700)) < now + Duration::days(180));
        assert_eq!(
            longest.clamp(now, now + Duration::days(7)),
            now + Duration::days(7)
        );
    }

    #[test]
    fn iso_durations_are_read_in_all_units() {
        for (text, seconds) in [
            ("P1D", 86_400),
            ("P4DT12H30M5S", 4 * 86_400 + 12 * 3_600 + 30 * 60 + 5),
            ("PT5M", 300),
            ("P1Y2M", (365 + 60) * 86_400),
        ] {
            assert_eq!(days(text), Some(Duration::seconds(seconds)), "{text}");
        }
        for text in ["", "180D", "P", "Px", "P1D2H"] {
            assert!(days(text).is_none_or(|one| one.is_zero()), "{text}");
        }
    }
}
