//! How long a secret is valid.

use std::fmt;

use entra_core::{Timestamp, time::Duration};
use serde::{Deserialize, Serialize};

/// How long a secret is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Lifetime(Span);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    Months(u16),
    Days(u16),
    Longest,
}

impl Lifetime {
    /// A number of calendar months.
    #[must_use]
    pub const fn months(months: u16) -> Self {
        Self(Span::Months(months))
    }

    /// A number of days.
    #[must_use]
    pub const fn days(days: u16) -> Self {
        Self(Span::Days(days))
    }

    /// As long as the tenant's policy allows, at most two years.
    #[must_use]
    pub const fn longest() -> Self {
        Self(Span::Longest)
    }

    /// Whether it is as long as the policy allows.
    pub(in super::super) fn is_longest(self) -> bool {
        self.0 == Span::Longest
    }

    /// The time at which a secret of this lifetime expires if it starts at `start`.
    pub(in super::super) fn end(self, start: Timestamp) -> Option<Timestamp> {
        match self.0 {
            Span::Days(days) => start.checked_add(Duration::days(i64::from(days))),
            Span::Months(months) => crate::areas::applications::months_later(start, months).ok(),
            Span::Longest => crate::areas::applications::months_later(start, 24).ok(),
        }
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Span::Months(1) => f.write_str("1 month"),
            Span::Months(months) => write!(f, "{months} months"),
            Span::Days(1) => f.write_str("1 day"),
            Span::Days(days) => write!(f, "{days} days"),
            Span::Longest => f.write_str("longest"),
        }
    }
}

impl From<Lifetime> for String {
    fn from(lifetime: Lifetime) -> Self {
        lifetime.to_string()
    }
}

impl TryFrom<String> for Lifetime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let invalid =
            || format!("{text:?} is not a lifetime, such as `24 months`, `180 days` or `longest`");
        if text.trim() == "longest" {
            return Ok(Self::longest());
        }
        let (number, unit) = text.trim().split_once(' ').ok_or_else(invalid)?;
        let number: u16 = number.parse().map_err(|_| invalid())?;
        match unit.trim() {
            _ if number == 0 => Err(invalid()),
            "month" | "months" => Ok(Self::months(number)),
            "day" | "days" => Ok(Self::days(number)),
            _ => Err(invalid()),
        }
    }
}
