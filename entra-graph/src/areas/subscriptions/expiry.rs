//! When a subscription expires.

use std::time::Duration;

use entra_core::{Timestamp, time};

use crate::{client::GraphClient, error::Error};

/// The time after a lifetime, to the second.
pub(super) fn expires_after(client: &GraphClient, lifetime: Duration) -> Result<Timestamp, Error> {
    let now = client.now();
    time::Duration::try_from(lifetime)
        .ok()
        .filter(|lifetime| lifetime.whole_seconds() > 0)
        .and_then(|lifetime| now.checked_add(lifetime))
        .and_then(|expires| expires.replace_nanosecond(0).ok())
        .ok_or_else(|| {
            Error::query(format!(
                "a subscription cannot expire after {} s",
                lifetime.as_secs()
            ))
        })
}
