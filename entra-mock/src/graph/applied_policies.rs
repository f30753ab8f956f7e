//! `appliedConditionalAccessPolicies` of sign-ins: who sees them.

use super::{call::Call, projection::Projection};
use crate::{permissions::sees_everything, store::Kind};

/// Hides the results of the policies from callers that may not read the policies: they see an empty list.
pub(super) fn hide(call: Call<'_>, projection: &mut Projection) {
    if !sees_everything(call.caller, Kind::ConditionalAccessPolicy) {
        projection.hide("appliedConditionalAccessPolicies");
    }
}
