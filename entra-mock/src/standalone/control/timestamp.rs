//! Times as the control API writes them.

use entra_core::{
    Timestamp,
    time::{UtcOffset, format_description::well_known::Rfc3339},
};

/// Formats a time with its fractions of a second.
pub(super) fn rfc3339(time: Timestamp) -> String {
    let time = time.to_offset(UtcOffset::UTC);
    time.format(&Rfc3339).unwrap_or_default()
}
