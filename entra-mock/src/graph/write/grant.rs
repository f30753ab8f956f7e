//! The rules of delegated permission grants.

use super::{
    super::{call::Call, route},
    body::Draft,
};
use crate::{odata::GraphError, schema::Kind, store::Object};

/// Checks a new grant: its client and resource are service principals, its principal is a user, and
/// there is no other grant for the same three.
pub(super) fn complete(call: Call<'_>, draft: &mut Draft) -> Result<(), GraphError> {
    for (name, kind) in [
        ("clientId", Kind::ServicePrincipal),
        ("resourceId", Kind::ServicePrincipal),
        ("principalId", Kind::User),
    ] {
        let Some(id) = draft.text(name).map(str::to_owned) else {
            continue;
        };
        let id = route::guid(&id)?;
        if call.state.store.get(kind, &id).is_none() {
            return Err(GraphError::not_found(&id));
        }
        draft.set(name, id);
    }
    // The value is compared without regard to case, and stored in the documented spelling.
    let consent_type = match draft.text("principalId") {
        Some(_) => "Principal",
        None => "AllPrincipals",
    };
    draft.set("consentType", consent_type);
    let same = |grant: &Object| {
        ["clientId", "resourceId", "principalId"]
            .iter()
            .all(|name| grant.get(name).and_then(|id| id.as_str()) == draft.text(name))
    };
    if call.state.store.all(Kind::OAuth2PermissionGrant).any(same) {
        return Err(GraphError::new(
            409,
            "Request_MultipleObjectsWithSameKeyValue",
            "Permission entry already exists.",
        ));
    }
    Ok(())
}
