//! Rules of the v1 endpoint, where a client requests a resource and not scopes.

use serde_json::Value;

use super::{client::Client, consent::ConsentResult, context::plain_text, error::LoginError};
use crate::{directory::GRAPH_APP_ID, state::State, store::Kind};

/// Returns an error if the client cannot request the resource: it must be in its registration, unless there is
/// consent for it already.
pub(super) fn check_resource(
    state: &State,
    client: &Client,
    consent_result: &ConsentResult,
) -> Result<(), LoginError> {
    let resource = &consent_result.resource;
    let registered = registered(state, client);
    if resource.app_id == client.app_id {
        return check_own(client, &resource.identifier, &registered);
    }
    if consent_result.names.is_empty() && !registered.contains(&resource.app_id.as_str()) {
        let text = format!(
            "Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client's application registration. Client app ID: {}. Resource value from request: {}. List of valid resources from app registration: {}.",
            client.app_id,
            plain_text(&resource.identifier),
            registered.join(", ")
        );
        return Err(LoginError::new(650_057, text));
    }
    Ok(())
}

/// The same for a client that requests a token for itself.
fn check_own(client: &Client, identifier: &str, registered: &[&str]) -> Result<(), LoginError> {
    if identifier != client.app_id {
        let text = format!(
            "The application '{}' requests a token for itself: the resource must be its application id, not an Application ID URI.",
            client.app_id
        );
        return Err(LoginError::new(90_009, text));
    }
    if !registered
        .iter()
        .any(|known| [GRAPH_APP_ID, AZURE_AD_GRAPH].contains(known))
    {
        let text = format!(
            "The application '{}' requests a token for itself: its registration must have at least the permission to sign in and read the user's profile.",
            client.app_id
        );
        return Err(LoginError::new(90_008, text));
    }
    Ok(())
}

/// The resources of the permissions in the registration of a client.
fn registered<'a>(state: &'a State, client: &Client) -> Vec<&'a str> {
    let application = state.store.find(Kind::Application, "appId", &client.app_id);
    application
        .and_then(|application| application.get("requiredResourceAccess"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|access| access["resourceAppId"].as_str())
        .collect()
}

/// The older directory API, whose permission to sign in counts as well.
const AZURE_AD_GRAPH: &str = "00000002-0000-0000-c000-000000000000";
