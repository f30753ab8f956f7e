//! Client authentication: the service principal of a client, and its credential.

use entra_core::{Guid, Timestamp};
use serde_json::Value;

use super::{
    agent, client_assertion,
    context::{Context, plain_text},
    error::LoginError,
    federated::Federated,
    form::Form,
    token::TokenError,
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

/// Returns the client of a request on behalf of a user; it can be a public client.
pub(super) fn identify(context: &Context<'_>, form: &Form) -> Result<Client, TokenError> {
    let state = context.read();
    let mut client = find(&state, form.client_id()?)?;
    if form.client_secret().is_none() && form.get("client_assertion").is_none() {
        client.authentication = ClientAuthentication::Public;
        return Ok(client);
    }
    authenticate(&state, context, client, form)
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
    }
}

/// Checks the credential of the form.
pub(super) fn authenticate(
    state: &State,
    context: &Context<'_>,
    mut client: Client,
    form: &Form,
) -> Result<Client, TokenError> {
    if let Some(blueprint) = agent::blueprint_of(state, &client.service_principal_id) {
        return Ok(agent::authenticate(
            state, context, client, blueprint, form,
        )?);
    }
    if let Some(token) = form.get("client_assertion").and_then(Federated::read) {
        client.key_id = Some(token.check(state, context, &client)?);
        client.federated = true;
        client.authentication = ClientAuthentication::Certificate;
        return Ok(client);
    }
    if form.get("client_assertion").is_some() {
        let key_id = client_assertion::check(state, context, &client, form)?;
        client.key_id = Some(key_id);
        client.authentication = ClientAuthentication::Certificate;
        return Ok(client);
    }
    let Some(secret) = form.client_secret() else {
        let text = "The grant 'client_credentials' needs a client secret or a client assertion.";
        return Err(LoginError::new(7_000_216, text).into());
    };
    client.key_id = Some(check_secret(state, context.now, &client.app_id, secret)?);
    Ok(client)
}

/// Returns the key id of the secret if the application or its service principal has it and it has
/// not expired.
fn check_secret(
    state: &State,
    now: Timestamp,
    app_id: &str,
    secret: &str,
) -> Result<String, LoginError> {
    let holders: Vec<&Object> = [Kind::Application, Kind::ServicePrincipal]
        .into_iter()
        .filter_map(|kind| state.store.find(kind, "appId", app_id))
        .collect();
    let matching = |key_id: &str| {
        holders.iter().any(|holder| {
            let texts = holder.get("~secrets").and_then(Value::as_object);
            texts.and_then(|texts| texts.get(key_id)?.as_str()) == Some(secret)
        })
    };
    let credentials = holders
        .iter()
        .filter_map(|holder| holder.get("passwordCredentials")?.as_array())
        .flatten();
    let now = crate::odata::ticks_of(now);

    let mut expired = false;
    for credential in credentials.filter_map(Value::as_object) {
        let Some(key_id) = credential
            .get("keyId")
            .and_then(Value::as_str)
            .filter(|key_id| matching(key_id))
        else {
            continue;
        };
        let time = |name: &str| {
            credential
                .get(name)
                .and_then(Value::as_str)
                .and_then(crate::odata::ticks)
        };
        if time("endDateTime").is_some_and(|end| end <= now) {
            expired = true;
            continue;
        }
        if time("startDateTime").is_none_or(|start| start <= now) {
            return Ok(key_id.to_owned());
        }
    }
    Err(if expired {
        LoginError::new(
            7_000_222,
            format!(
                "The client secret of application '{app_id}' has expired. Add a new one to the application."
            ),
        )
    } else {
        let text = format!(
            "Invalid client secret for application '{app_id}': send the value of a secret, not its id."
        );
        LoginError::new(7_000_215, text)
    })
}

pub(super) fn text<'a>(object: &'a Object, property: &str) -> Option<&'a str> {
    object.text(property)
}
