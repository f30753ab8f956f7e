//! Exchange tokens: how a blueprint authenticates its agent identities, and these their agent users.

use serde_json::{Map, Value};

use super::{
    agent::BLUEPRINT,
    client::{Client, ClientAuthentication, text},
    context::{Context, Version, plain_text},
    discovery::issuer_at,
    error::LoginError,
    form::Form,
    mint::{self, IssuedToken},
    resource::Resource,
    verify::signed_claims,
};
use crate::{state::State, store::Kind};

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
    let mut more = Map::new();
    if let Some(path) = form.get(FMI_PATH) {
        let agent = state.store.find(Kind::ServicePrincipal, "appId", path);
        let own = agent.filter(|agent| text(agent, BLUEPRINT) == Some(&client.app_id));
        let Some(agent_id) = own.and_then(|agent| text(agent, "appId")) else {
            let text = format!(
                "The application '{}' is not the blueprint of an agent identity '{}'.",
                client.app_id,
                plain_text(path)
            );
            return Err(LoginError::new(700_213, text));
        };
        // The token is opaque to clients, so that nothing depends on where this is.
        more.insert(FMI_PATH.to_owned(), agent_id.into());
    }
    mint::exchange(context, state, client, &exchange_resource(), EXCHANGE, more)
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

const FMI_PATH: &str = "fmi_path";
const EXCHANGE: &str = "api://AzureADTokenExchange";
const EXCHANGE_APP_ID: &str = "fb60f99c-7a34-4190-8149-302f77469936";
