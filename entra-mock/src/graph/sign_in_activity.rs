//! `signInActivity`: a property of users that comes from the logs.

use super::call::Call;
use crate::{
    odata::GraphError,
    permissions::{denied, not_premium},
    state::License,
};

/// The property needs the permission and the licence of the logs.
pub(super) fn check_activity(call: Call<'_>) -> Result<(), GraphError> {
    if !call.caller.has_any(&["AuditLog.Read.All"]) {
        return Err(denied());
    }
    if call.state.license == License::Free {
        Err(not_premium())
    } else {
        Ok(())
    }
}

pub(super) const ACTIVITY: &str = "signInActivity";
