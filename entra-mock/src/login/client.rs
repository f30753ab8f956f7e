//! The client of a request: its service principal, and how it authenticated.

use entra_core::Guid;
use serde_json::Value;

use super::{
    context::plain_text,
    error::LoginError,
    first_party::{Tool, principal_id},
};
use crate::{
    state::State,
    store::{Kind, Object},
};

/// A client whose credential is valid.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) app_id: String,
    pub(super) display_name: String,
    pub(super) service_principal_id: String,
    /// `keyId` of the credential.
    pub(super) key_id: Option<String>,
    /// Whether the credential is a federated one.
    pub(super) federated: bool,
    pub(super) authentication: ClientAuthentication,
}

/// How a client authenticated. The numbers are those of the claim `appidacr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientAuthentication {
    Secret,
    Certificate,
    /// None: a public client.
    Public,
}

impl ClientAuthentication {
    pub(super) fn claim(self) -> &'static str {
        match self {
            Self::Secret => "1",
            Self::Certificate => "2",
            Self::Public => "0",
        }
    }
}

/// Returns the service principal of a client id, which must be enabled.
pub(super) fn find(state: &State, client_id: &str) -> Result<Client, LoginError> {
    if client_id.parse() == Ok(Guid::NIL) {
        let text = "The client id is all zeros: the application is not configured.";
        return Err(LoginError::new(700_038, text));
    }
    let Some(principal) = state.store.find(Kind::ServicePrincipal, "appId", client_id) else {
        if let Some(tool) = Tool::of(client_id) {
            return Ok(Client {
                app_id: tool.app_id.to_owned(),
                display_name: tool.name.to_owned(),
                service_principal_id: principal_id(state, tool.app_id),
                key_id: None,
                federated: false,
                authentication: ClientAuthentication::Public,
            });
        }
        if state
            .store
            .find(Kind::Application, "appId", client_id)
            .is_some()
        {
            let text = format!(
                "The application '{}' has no service principal in the directory '{}'.",
                plain_text(client_id),
                state.tenant_name
            );
            return Err(LoginError::new(7_000_229, text));
        }
        let text = format!(
            "The application '{}' was not found in the directory '{}'. Check the client id and the tenant.",
            plain_text(client_id),
            state.tenant_name
        );
        return Err(LoginError::new(700_016, text));
    };
    let property = |name: &str| text(principal, name).unwrap_or_default().to_owned();
    let client = Client {
        app_id: property("appId"),
        display_name: property("displayName"),
        service_principal_id: property("id"),
        key_id: None,
        federated: false,
        authentication: ClientAuthentication::Secret,
    };
    let application_disabled = state
        .store
        .find(Kind::Application, "appId", client_id)
        .and_then(|application| text(application, "disabledByMicrosoftStatus"))
        .is_some_and(|status| status.starts_with("Disabled"));
    if application_disabled || principal.get("accountEnabled") == Some(&Value::Bool(false)) {
        return Err(LoginError::new(
            7_000_112,
            format!("The application '{}' is disabled.", client.app_id),
        ));
    }
    Ok(client)
}

impl Client {
    /// Returns an error for a client without a credential whose registration is not for public
    /// clients.
    pub(super) fn check_authentication(&self, public: bool) -> Result<(), LoginError> {
        if self.authentication != ClientAuthentication::Public || public {
            return Ok(());
        }
        let text = format!(
            "The application '{}' must send a client secret or a client assertion, or be registered as a public client.",
            self.app_id
        );
        Err(LoginError::new(7_000_218, text))
    }

    /// Whether the registration allows public client flows without a redirect URI.
    pub(super) fn allows_public_flows(&self, state: &State) -> bool {
        let application = state.store.find(Kind::Application, "appId", &self.app_id);
        application.and_then(|application| application.get("isFallbackPublicClient"))
            == Some(&Value::Bool(true))
            || Tool::of(&self.app_id).is_some()
    }
}

pub(super) fn text<'a>(object: &'a Object, property: &str) -> Option<&'a str> {
    object.text(property)
}
