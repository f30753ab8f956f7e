//! The on-behalf-of grant: an API exchanges a user's token for a token of another API.

use serde_json::Value;

use super::{
    agent,
    client::Client,
    context::{Context, Version},
    discovery::Tenant,
    error::LoginError,
    form::Form,
    mint::IssuedToken,
    resource, resource_parameter,
    scope::RequestedScopes,
    token_error::TokenError,
    user_grant::{self, UserTokenRequest},
    user_sign_in::Event,
    verify::signed_claims,
};
use crate::{grants::Subject, store::Kind};

pub(super) fn respond(
    context: &Context<'_>,
    tenant: &Tenant,
    form: &Form,
) -> Result<IssuedToken, TokenError> {
    match form.require("requested_token_use")? {
        "on_behalf_of" => {}
        _ => {
            let text = "The parameter 'requested_token_use' must be 'on_behalf_of'.";
            return Err(LoginError::new(90_023, text).into());
        }
    }
    if let Some(kind) = form.get("requested_token_type")
        && !kind.ends_with(":access_token")
        && !kind.ends_with(":jwt")
    {
        return Err(TokenError::NotSupported(format!(
            "POST with requested_token_type={kind}"
        )));
    }
    let assertion = form.require("assertion")?;
    let Some(requested) = RequestedScopes::of_form(context, form)? else {
        let name = match context.version {
            Version::V1 => "resource",
            Version::V2 => "scope",
        };
        return Err(LoginError::missing_parameter(name).into());
    };
    let requested = requested.for_one_resource(&context.read(), context)?;
    let client = user_grant::confidential_client(context, tenant, form)?;
    resource_parameter::check(&context.read(), context, form.get("resource"), &requested)?;
    let subject = subject(context, &client, assertion)?;
    let token_request =
        UserTokenRequest::of_form(form, &client, &subject, &requested, Some(Event::Silent));
    Ok(user_grant::issue(context, &token_request)?)
}

/// Returns the user of an assertion whose audience is this client.
fn subject(context: &Context<'_>, client: &Client, assertion: &str) -> Result<Subject, LoginError> {
    let invalid = |text: &str| LoginError::new(50_013, text);
    let claims = signed_claims(&context.read(), assertion)
        .map_err(|_| invalid("The assertion is not a token that this tenant has signed."))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let state = context.read();
    if text("tid") != Some(state.tenant_id.to_string().as_str()) {
        return Err(invalid("The assertion comes from another tenant."));
    }
    let audience = text("aud").unwrap_or_default();
    // The users' tokens for an agent identity are for its blueprint.
    let api = agent::blueprint_of(&state, &client.service_principal_id).unwrap_or(&client.app_id);
    let own = state.store.find(Kind::ServicePrincipal, "appId", api);
    // A v1 token has the URI of its request, which can end in a slash.
    let is_audience = |name: &str| name.trim_end_matches('/') == audience.trim_end_matches('/');
    let is_own = is_audience(api) || own.is_some_and(|own| resource::names(own).any(is_audience));
    if !is_own {
        let text = format!("The audience of the assertion is not the application '{api}'.");
        return Err(invalid(&text));
    }
    if text("appid").or_else(|| text("azp")).is_none() {
        let text = "The assertion is an ID token; an access token is needed.";
        return Err(LoginError::new(240_002, text));
    }
    let now = context.now.unix_timestamp();
    if claims
        .get("exp")
        .and_then(Value::as_i64)
        .is_none_or(|exp| exp <= now)
    {
        return Err(LoginError::new(500_133, "The assertion has expired."));
    }
    let Some(user) = text("oid")
        .filter(|_| claims.contains_key("scp"))
        .and_then(|id| state.store.get(Kind::User, id))
    else {
        let text = format!(
            "Application '{}' is not allowed to make application on-behalf-of calls: the assertion is an application token, so there is no user.",
            client.app_id
        );
        return Err(LoginError::new(7_000_114, text));
    };
    let mfa = claims
        .get("amr")
        .and_then(Value::as_array)
        .is_some_and(|methods| methods.iter().any(|method| method == "mfa"));
    // A v2 token has no authentication methods; the policy was met when it was issued.
    let mfa = mfa || text("ver") == Some("2.0");
    Ok(super::account::subject(&state, user, context.now, mfa))
}
