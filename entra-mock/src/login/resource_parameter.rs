//! The parameter `resource` (RFC 8707) of the v2.0 endpoint, which clients of MCP servers send.

use super::{
    context::{Context, Version, plain_text},
    error::LoginError,
    first_party::Api,
    resource,
    scope::RequestedScopes,
};
use crate::{
    state::{ResourceRule, State},
    store::Kind,
};

/// Checks the parameter against the scopes of the request, by the rule of the tenant.
pub(super) fn check(
    state: &State,
    context: &Context<'_>,
    parameter: Option<&str>,
    requested: &RequestedScopes,
) -> Result<(), LoginError> {
    let identifiers = requested.resources.iter();
    let identifiers: Vec<&str> = identifiers
        .map(|requested| requested.identifier.as_str())
        .collect();
    check_identifiers(state, context, parameter, &identifiers)
}

/// The same for the identifiers in front of the scopes.
pub(super) fn check_identifiers(
    state: &State,
    context: &Context<'_>,
    parameter: Option<&str>,
    identifiers: &[&str],
) -> Result<(), LoginError> {
    let Some(parameter) = parameter.filter(|_| context.version == Version::V2) else {
        return Ok(());
    };
    match state.resource_rule {
        ResourceRule::Ignored => return Ok(()),
        ResourceRule::Rejected => {
            let text = "The parameter 'resource' belongs to the v1 endpoint; request a scope here.";
            return Err(LoginError::new(901_002, text));
        }
        ResourceRule::ApplicationIdUri => {}
    }
    for identifier in identifiers {
        if !is_uri_of(state, context, parameter, identifier)? {
            return Err(other_resource(parameter));
        }
    }
    // Without a scope of an API, such as with `openid` alone, there is nothing to compare with.
    match identifiers.is_empty() {
        true => Err(other_resource(parameter)),
        false => Ok(()),
    }
}

/// Whether the parameter is, character by character, an Application ID URI of the application that owns
/// the scopes.
fn is_uri_of(
    state: &State,
    context: &Context<'_>,
    parameter: &str,
    identifier: &str,
) -> Result<bool, LoginError> {
    let owner = resource::find(state, context, identifier)?;
    if owner.is_graph() && parameter == context.base() {
        return Ok(true);
    }
    if Api::of(&owner.app_id).is_some_and(|api| api.is_uri(parameter)) {
        return Ok(true);
    }
    let principal = state
        .store
        .get(Kind::ServicePrincipal, &owner.service_principal_id);
    let mut uris = principal.into_iter().flat_map(resource::names);
    Ok(uris.any(|uri| uri == parameter && uri != owner.app_id))
}

fn other_resource(parameter: &str) -> LoginError {
    let text = format!(
        "The resource parameter '{}' doesn't match with the requested scopes: it is not an Application ID URI of the application that owns them.",
        plain_text(parameter)
    );
    LoginError::new(9_010_010, text)
}
