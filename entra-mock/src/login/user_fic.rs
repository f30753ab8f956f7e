//! The grant `user_fic`: an agent identity gets tokens of its agent user, who has no credential.

use super::{
    account, agent,
    agent_exchange::ExchangeToken,
    client::Client,
    context::{Context, plain_text},
    discovery::Tenant,
    error::LoginError,
    form::Form,
    mint::IssuedToken,
    resource_parameter,
    scope::RequestedScopes,
    token_error::TokenError,
    user_grant::{self, UserTokenRequest},
    user_sign_in::Event,
};
use crate::{grants::Subject, state::State, store::Kind};

pub(super) fn respond(
    context: &Context<'_>,
    tenant: &Tenant,
    form: &Form,
) -> Result<IssuedToken, TokenError> {
    let token = form.require("user_federated_identity_credential")?;
    let Some(requested) = RequestedScopes::of_form(context, form)? else {
        return Err(LoginError::missing_parameter("scope").into());
    };
    let client = user_grant::confidential_client(context, tenant, form)?;
    if agent::blueprint_of(&context.read(), &client.service_principal_id).is_none() {
        let text = "The grant type 'user_fic' is for agent identities.";
        return Err(LoginError::new(70_003, text).into());
    }
    let requested = requested.for_one_resource(&context.read(), context)?;
    resource_parameter::check(&context.read(), context, form.get("resource"), &requested)?;
    let subject = {
        let state = context.read();
        let token = ExchangeToken::read(&state, context, token)?;
        if token.client() != Some(&client.app_id) || !token.is_for_agent_user() {
            let text = "The federated credential of the user is not an exchange token of this agent identity.";
            return Err(LoginError::new(700_213, text).into());
        }
        subject(&state, context, &client, form)?
    };
    let token_request =
        UserTokenRequest::of_form(form, &client, &subject, &requested, Some(Event::Silent));
    Ok(user_grant::issue(context, &token_request)?)
}

/// Returns the agent user that the form names, by exactly one of two parameters.
fn subject(
    state: &State,
    context: &Context<'_>,
    client: &Client,
    form: &Form,
) -> Result<Subject, LoginError> {
    let user = match (form.get("user_id"), form.get("username")) {
        (Some(id), None) => {
            if id.parse::<entra_core::Guid>().is_err() {
                let text = "There was an error issuing a token: 'user_id' is not an object id.";
                return Err(LoginError::new(50_000, text));
            }
            let text = format!("The user account '{}' does not exist.", plain_text(id));
            let found = state.store.get(Kind::User, id);
            found.ok_or_else(|| LoginError::new(50_034, text))?
        }
        (None, Some(name)) => account::find(state, name)?,
        (Some(_), Some(_)) => {
            let text = "The parameters 'user_id' and 'username' are used together.";
            return Err(LoginError::new(90_100, text));
        }
        (None, None) => return Err(LoginError::missing_parameter("username")),
    };
    if !agent::is_agent_user(user, client) {
        let text = format!(
            "The user is not the agent user of the agent identity '{}'.",
            client.app_id
        );
        return Err(LoginError::new(700_213, text));
    }
    // A page could ask an agent user for nothing.
    Ok(account::subject(state, user, context.now, true))
}
