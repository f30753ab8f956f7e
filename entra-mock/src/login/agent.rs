//! Agent identities: their exchange tokens, how they authenticate, and the claims of their tokens.
//!
//! An agent identity is a service principal without credentials. Its blueprint, an application, authenticates and
//! gets an exchange token for it, which is then the client assertion of the agent identity. Sources: the pages of
//! the Microsoft Entra Agent ID documentation on token grants and on agent token claims (2025-11).

use serde_json::{Map, Value, json};

use super::{
    Version,
    client::{Client, ClientAuthentication, text},
    context::{Context, plain_text},
    discovery::issuer_at,
    error::LoginError,
    form::Form,
    mint::{self, IssuedToken},
    resource::Resource,
    verify::signed_claims,
};
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

/// Whether a resource is that of exchange tokens; clients spell it in several ways.
pub(super) fn is_exchange(identifier: &str) -> bool {
    identifier.eq_ignore_ascii_case(EXCHANGE)
}

/// Returns the resource of exchange tokens for the sign-in log.
pub(super) fn exchange_resource() -> Resource {
    Resource {
        identifier: EXCHANGE.to_owned(),
        app_id: EXCHANGE_APP_ID.to_owned(),
        display_name: "AAD Token Exchange Endpoint".to_owned(),
        service_principal_id: String::new(),
        version: Version::V2,
        with_idtyp: true,
    }
}

/// Issues an exchange token: with `fmi_path` to a blueprint for one of its agent identities, else to an agent
/// identity for its agent user.
pub(super) fn exchange_token(
    context: &Context<'_>,
    state: &State,
    client: &Client,
    form: &Form,
) -> Result<IssuedToken, LoginError> {
    if form.is_empty(FMI_PATH) {
        let text = "The parameter 'fmi_path' is empty or not valid.";
        return Err(LoginError::new(90_100, text));
    }
    let path = form.get(FMI_PATH);
    if let Some(path) = path {
        let agent = state.store.find(Kind::ServicePrincipal, "appId", path);
        if agent.and_then(|agent| text(agent, BLUEPRINT)) != Some(&client.app_id) {
            let text = format!(
                "The application '{}' is not the blueprint of an agent identity '{}'.",
                client.app_id,
                plain_text(path)
            );
            return Err(LoginError::new(700_213, text));
        }
    }
    let mut more = Map::new();
    more.insert("aud".to_owned(), EXCHANGE.into());
    if let Some(path) = path {
        // The token is opaque to clients, so that nothing depends on where this is.
        more.insert(FMI_PATH.to_owned(), path.into());
    }
    mint::exchange(context, state, client, &exchange_resource(), more)
}

/// Authenticates an agent identity by an exchange token of its blueprint.
pub(super) fn authenticate(
    state: &State,
    context: &Context<'_>,
    mut client: Client,
    blueprint: &str,
    form: &Form,
) -> Result<Client, LoginError> {
    let Some(assertion) = form.get("client_assertion") else {
        let (code, text) = match form.client_secret() {
            // An agent identity has no credential of its own.
            Some(_) => (
                7_000_215,
                "Invalid client secret: an agent identity has none.",
            ),
            None => (7_000_216, "An agent identity needs a client assertion."),
        };
        return Err(LoginError::new(code, text));
    };
    let token = ExchangeToken::read(state, context, assertion)?;
    if token.client() != Some(blueprint) || token.text(FMI_PATH) != Some(&client.app_id) {
        let text = format!(
            "The client assertion is not an exchange token of the blueprint for the agent identity '{}'.",
            client.app_id
        );
        return Err(LoginError::new(700_213, text));
    }
    client.federated = true;
    client.authentication = ClientAuthentication::Certificate;
    Ok(client)
}

/// An exchange token of this tenant that is valid now.
pub(super) struct ExchangeToken(Map<String, Value>);

impl ExchangeToken {
    pub(super) fn read(
        state: &State,
        context: &Context<'_>,
        token: &str,
    ) -> Result<Self, LoginError> {
        let claims = signed_claims(state, token).map_err(|_| {
            let text = "The exchange token is not one that this tenant has signed.";
            LoginError::new(700_027, text)
        })?;
        let token = Self(claims);
        let tenant = state.tenant_id.to_string();
        if token.text("iss") != Some(&issuer_at(context.base(), Version::V2, &tenant)) {
            let text =
                "No matching federated identity record found for the presented assertion issuer.";
            return Err(LoginError::new(700_211, text));
        }
        if token.text("aud") != Some(EXCHANGE) {
            let text = "The audience of the exchange token must be 'api://AzureADTokenExchange'.";
            return Err(LoginError::new(700_212, text));
        }
        let expiry = token.0.get("exp").and_then(Value::as_i64);
        if expiry.is_none_or(|expiry| expiry <= context.now.unix_timestamp()) {
            return Err(LoginError::new(700_024, "The exchange token has expired."));
        }
        Ok(token)
    }

    /// The client that got the token.
    pub(super) fn client(&self) -> Option<&str> {
        self.text("azp")
    }

    /// Whether the token is for an agent user: it is not for another client.
    pub(super) fn is_for_agent_user(&self) -> bool {
        !self.0.contains_key(FMI_PATH)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
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
const FMI_PATH: &str = "fmi_path";
const EXCHANGE: &str = "api://AzureADTokenExchange";
const EXCHANGE_APP_ID: &str = "fb60f99c-7a34-4190-8149-302f77469936";
/// Values of the claims for actor and subject.
const AGENT_IDENTITY: &str = "11";
const AGENT_USER: &str = "13";
