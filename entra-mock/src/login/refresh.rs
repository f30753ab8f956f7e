//! The refresh token grant.

use super::{
    client::ClientAuthentication,
    client_authentication,
    context::Context,
    cross_origin,
    discovery::Tenant,
    error::LoginError,
    form::Form,
    mint::IssuedToken,
    redirect::Platform,
    resource_parameter,
    scope::RequestedScopes,
    token_error::TokenError,
    user_grant::{self, UserTokenRequest},
    user_sign_in::Event,
};
use crate::grants::RefreshToken;

pub(super) fn respond(
    context: &Context<'_>,
    tenant: &Tenant,
    form: &Form,
) -> Result<IssuedToken, TokenError> {
    let text = form.require("refresh_token")?;
    let client = client_authentication::identify(context, form)?;
    user_grant::check_tenant(&context.read(), tenant, &client)?;
    let token = find(context, text, &client.app_id)?;
    let public = token.public || client.allows_public_flows(&context.read());
    client.check_authentication(public)?;
    if token.fixed_end {
        super::code::check_platform(context, Platform::Spa, client.authentication)?;
    } else if token.public && client.authentication != ClientAuthentication::Public {
        super::code::check_platform(context, Platform::Public, client.authentication)?;
    } else {
        cross_origin::check_credential(context, form)?;
    }
    let requested = RequestedScopes::of_redemption(context, form, &token.requested)?;
    resource_parameter::check(&context.read(), context, form.get("resource"), &requested)?;
    let token_request = UserTokenRequest {
        fixed_end: token.fixed_end.then_some(token.expires_on),
        ..UserTokenRequest::of_form(
            form,
            &client,
            &token.subject,
            &requested,
            Some(Event::Silent),
        )
    };
    Ok(user_grant::issue(context, &token_request)?)
}

fn find(context: &Context<'_>, text: &str, client_id: &str) -> Result<RefreshToken, LoginError> {
    let state = context.read();
    let token = state
        .grants
        .refresh_tokens
        .get(text)
        .filter(|token| token.client_id == client_id)
        .ok_or_else(|| {
            let text = "The refresh token is malformed, or belongs to another application.";
            LoginError::new(70_000, text)
        })?;
    if token.expires_on > context.now {
        return Ok(token.clone());
    }
    Err(if token.fixed_end {
        LoginError::new(
            700_084,
            "The refresh token of the single-page application has expired. Its lifetime is 24 hours.",
        )
    } else {
        LoginError::new(
            700_082,
            "The refresh token has expired due to inactivity: it was not used for 90 days.",
        )
    })
}
