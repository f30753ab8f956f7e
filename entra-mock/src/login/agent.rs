//! Agent identities, and the claims of their tokens.
//!
//! An agent identity is a service principal without credentials. Its blueprint, an application, authenticates and
//! gets an exchange token for it, which is then the client assertion of the agent identity. Sources: the pages of
//! the Microsoft Entra Agent ID documentation on token grants and on agent token claims (2025-11).

use serde_json::{Value, json};

use super::client::{Client, text};
use crate::{
    directory::{AppIds, object},
    state::State,
    store::{Kind, Object},
};

/// Returns the client id of the blueprint if a service principal is an agent identity.
pub(super) fn blueprint_of<'a>(state: &'a State, service_principal_id: &str) -> Option<&'a str> {
    let principal = state
        .store
        .get(Kind::ServicePrincipal, service_principal_id)?;
    text(principal, BLUEPRINT)
}

/// Adds an agent identity of a blueprint, which is named by its client id.
#[cfg(any(feature = "server", feature = "wiremock"))]
pub(crate) fn add_identity(state: &mut State, blueprint: &str, display_name: &str) -> AppIds {
    // The pages use one placeholder for the client id and the object id.
    let id = state.new_id();
    let principal = object([
        ("id", id.clone().into()),
        ("@odata.type", "#microsoft.graph.agentIdentity".into()),
        ("accountEnabled", true.into()),
        ("appId", id.clone().into()),
        ("appOwnerOrganizationId", state.tenant_id.to_string().into()),
        ("appRoleAssignmentRequired", false.into()),
        ("displayName", display_name.into()),
        ("servicePrincipalNames", json!([id])),
        ("servicePrincipalType", "ServiceIdentity".into()),
        (BLUEPRINT, blueprint.into()),
    ]);
    // The id is new, so storing it cannot fail.
    let _ = state.store.insert(Kind::ServicePrincipal, principal);
    AppIds {
        app_id: id.clone(),
        object_id: id.clone(),
        service_principal_id: id,
    }
}

/// Adds the claims of a token that an agent identity gets, for itself or, with a user, for that user.
pub(super) fn claims(
    state: &State,
    client: &Client,
    user: Option<&Object>,
    claim: &mut impl FnMut(&str, Value) -> Option<Value>,
) {
    let Some(blueprint) = blueprint_of(state, &client.service_principal_id) else {
        return;
    };
    claim("xms_par_app_azp", blueprint.into());
    claim("xms_act_fct", AGENT_IDENTITY.into());
    match user {
        None => {
            claim("xms_sub_fct", AGENT_IDENTITY.into());
            claim("xms_idrel", "7".into());
        }
        Some(user) => {
            if is_agent_user(user, client) {
                claim("xms_sub_fct", AGENT_USER.into());
            }
            claim("xms_idrel", "1".into());
        }
    }
}

/// Whether a user is the agent user of an agent identity.
pub(super) fn is_agent_user(user: &Object, client: &Client) -> bool {
    text(user, PARENT) == Some(&client.service_principal_id)
}

/// The property of a service principal with the client id of its blueprint. Graph has it in beta only.
pub(crate) const BLUEPRINT: &str = "~agentIdentityBlueprintId";
/// The property of an agent user with the id of its agent identity.
pub(crate) const PARENT: &str = "identityParentId";
/// Values of the claims for actor and subject.
const AGENT_IDENTITY: &str = "11";
const AGENT_USER: &str = "13";
