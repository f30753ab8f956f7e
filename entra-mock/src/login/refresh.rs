//! The grant of an application that comes back without the person.

use super::{
    client::{self, Proof},
    context::Context,
    discovery::Tenant,
    error::LoginError,
    form::Form,
    grants::RefreshToken,
    mint::Issued,
    redirect::Platform,
    scope::Asked,
    token::Refusal,
    user_grant::{self, Order},
    user_sign_in::Event,
};

pub(super) fn respond(
    context: &Context<'_>,
    tenant: &Tenant,
    form: &Form,
) -> Result<Issued, Refusal> {
    let text = form.require("refresh_token")?;
    let client = client::identify(context, form)?;
    user_grant::check_tenant(&context.read(), tenant, &client)?;
    let token = find(context, text, &client.app_id)?;
    let public = token.public || client.allows_public_flows(&context.read());
    client.check_proof(public)?;
    if token.fixed_end {
        super::code::check_platform(context, Platform::Spa, client.proof)?;
    } else if token.public && client.proof != Proof::Public {
        super::code::check_platform(context, Platform::Public, client.proof)?;
    }
    let asked = match form.get("scope") {
        Some(scope) => {
            let asked = Asked::parse(scope)?;
            let resources = match asked.resources.is_empty() {
                true => token.asked.resources.clone(),
                false => asked.resources,
            };
            Asked { resources, ..asked }.with_identity_of(&token.asked)
        }
        None => token.asked,
    };
    let order = Order {
        client: &client,
        subject: &token.subject,
        asked: &asked,
        nonce: None,
        event: Some(Event::Silent),
        fixed_end: token.fixed_end.then_some(token.expires_on),
        client_info: form.get("client_info") == Some("1"),
        capabilities: &form.capabilities(),
    };
    Ok(user_grant::issue(context, &order)?)
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
            "The refresh token of a single-page application has ended; it lives for 24 hours.",
        )
    } else {
        LoginError::new(
            700_082,
            "The refresh token has expired: it was not used for 90 days.",
        )
    })
}
