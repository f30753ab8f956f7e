//! The client credentials grant.

use super::{
    agent_exchange, application_roles,
    client::{self, Client},
    client_authentication,
    context::Context,
    discovery::Tenant,
    error::LoginError,
    form::Form,
    mint::{self, IssuedToken},
    policy,
    resource::{self, Resource},
    resource_parameter, sign_in,
    token_error::TokenError,
};

pub(super) fn respond(
    context: &Context<'_>,
    tenant: &Tenant,
    form: &Form,
) -> Result<IssuedToken, TokenError> {
    let client_id = form.client_id()?;
    if let Tenant::Alias(alias) = tenant {
        let text = format!(
            "'{alias}' names no tenant: put the tenant id or a verified domain into the URL."
        );
        return Err(LoginError::new(50_059, text).into());
    }
    let identifier = resource::identifier(context, form)?;
    let client = client::find(&context.read(), client_id)?;

    match issue(context, &client, &identifier, form) {
        Ok((issued, client, resource)) => {
            let record = sign_in::record(
                context,
                &client,
                Some(&resource),
                None,
                &Ok(issued.id.clone()),
            );
            context.write().write_sign_in(record);
            Ok(issued)
        }
        Err(TokenError::Error(error)) => {
            let resource = resource::find(&context.read(), context, &identifier).ok();
            let outcome = Err(error.clone());
            let record = sign_in::record(context, &client, resource.as_ref(), None, &outcome);
            context.write().write_sign_in(record);
            Err(error.into())
        }
        Err(other) => Err(other),
    }
}

fn issue(
    context: &Context<'_>,
    client: &Client,
    identifier: &str,
    form: &Form,
) -> Result<(IssuedToken, Client, Resource), TokenError> {
    let state = context.read();
    let client = client_authentication::authenticate(&state, context, client.clone(), form)?;
    resource_parameter::check_identifiers(&state, context, form.get("resource"), &[identifier])?;
    if agent_exchange::is_exchange(identifier) {
        let issued = agent_exchange::exchange_token(context, &state, &client, form)?;
        return Ok((issued, client, agent_exchange::exchange_resource()));
    }
    let resource = resource::find(&state, context, identifier)?;
    let roles = application_roles::find(&state, &client, &resource)?;
    let apps = [client.app_id.as_str(), resource.app_id.as_str()];
    policy::check_workload(&state, &client.service_principal_id, &apps)?;
    let capabilities = form.capabilities();
    let issued = mint::for_application(context, &state, &client, &resource, &roles, &capabilities)?;
    Ok((issued, client, resource))
}
