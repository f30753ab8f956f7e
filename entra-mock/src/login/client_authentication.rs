//! Client authentication: the credential of a client.

use entra_core::Timestamp;
use serde_json::Value;

use super::{
    agent, agent_exchange,
    client::{Client, ClientAuthentication, find},
    client_assertion,
    context::Context,
    error::LoginError,
    federated::Federated,
    form::Form,
    token_error::TokenError,
};
use crate::{
    state::State,
    store::{Kind, Object},
};

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

/// Checks the credential of the form.
pub(super) fn authenticate(
    state: &State,
    context: &Context<'_>,
    mut client: Client,
    form: &Form,
) -> Result<Client, TokenError> {
    if form.get("client_assertion").is_some() {
        client_assertion::check_type(form)?;
    }
    if let Some(blueprint) = agent::blueprint_of(state, &client.service_principal_id) {
        return Ok(agent_exchange::authenticate(
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
