//! What holds for every restriction of a policy.

use entra_core::time::Duration;

use crate::objects::types::AppManagementPolicyActorExemptions;

/// Whether a restriction exempts some callers. Whether this one is among them cannot be read.
pub(super) fn has_exemptions(actors: Option<&AppManagementPolicyActorExemptions>) -> bool {
    let attributes = actors.and_then(|actors| actors.custom_security_attributes.as_ref());
    attributes.is_some_and(|attributes| !attributes.is_empty())
}

/// How much earlier a credential ends than its limit: Graph's clock sets the start.
pub(super) const SPARE: Duration = Duration::minutes(5);
