//! The resource owner password credentials grant, which Microsoft discourages.

use super::{
    account, client_authentication,
    context::{Context, plain_text},
    discovery::Tenant,
    error::LoginError,
    form::Form,
    mint::IssuedToken,
    resource_parameter,
    scope::RequestedScopes,
    token_error::TokenError,
    user_grant::{self, UserTokenRequest},
    user_sign_in::{self, Event},
};

pub(super) fn respond(
    context: &Context<'_>,
    tenant: &Tenant,
    form: &Form,
) -> Result<IssuedToken, TokenError> {
    if let Tenant::Alias(alias @ ("common" | "consumers")) = tenant {
        let text = format!(
            "The grant 'password' is not served at '{alias}': use the tenant's own endpoint or 'organizations'."
        );
        return Err(LoginError::new(9_001_023, text).into());
    }
    let name = form.require("username")?;
    let password = form.require("password")?;
    let domain = name.rsplit_once('@').map_or("", |(_, domain)| domain);
    if matches!(tenant, Tenant::Alias(_)) && !context.read().is_named(domain) {
        let text = format!(
            "Invalid domain name: no tenant has the domain '{}' of the user.",
            plain_text(domain)
        );
        return Err(LoginError::new(50_128, text).into());
    }
    let requested = match RequestedScopes::of_form(context, form)? {
        Some(requested) => requested.for_one_resource(&context.read(), context)?,
        None => RequestedScopes::parse("openid profile")?,
    };
    let client = client_authentication::identify(context, form)?;
    user_grant::check_tenant(&context.read(), tenant, &client)?;
    client.check_authentication(client.allows_public_flows(&context.read()))?;
    resource_parameter::check(&context.read(), context, form.get("resource"), &requested)?;

    let authenticated = account::authenticate(context, name, password).and_then(|subject| {
        account::check_without_page(&context.read(), &subject)?;
        Ok(subject)
    });
    let subject = match authenticated {
        Ok(subject) => subject,
        Err(error) => {
            user_sign_in::record_failure(context, &client, name, &error);
            return Err(error.into());
        }
    };
    let token_request = UserTokenRequest::of_form(
        form,
        &client,
        &subject,
        &requested,
        Some(Event::Interactive),
    );
    Ok(user_grant::issue(context, &token_request)?)
}
