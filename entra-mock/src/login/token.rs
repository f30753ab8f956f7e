//! The token endpoint.

use super::{
    client_credentials, code,
    context::{Context, Version, plain_text},
    cross_origin, device,
    discovery::{self, Tenant},
    error::{LoginError, not_supported, success_json},
    form::Form,
    mint::IssuedToken,
    on_behalf_of, password, refresh, tenant_restrictions,
    token_error::TokenError,
    user_fic,
};
use crate::wire::Reply;

/// `/{tenant}/oauth2[/v2.0]/token`
pub(super) fn respond(context: &Context<'_>, tenant: &str) -> Reply {
    let reply = match issue(context, tenant) {
        Ok(issued) => success_json(context, issued.json(context)),
        Err(TokenError::Error(error)) => error.render(context),
        Err(TokenError::NotSupported(what)) => {
            not_supported(&format!("{what} {}", context.request.path))
        }
    };
    cross_origin::expose(context, reply)
}

fn issue(context: &Context<'_>, segment: &str) -> Result<IssuedToken, TokenError> {
    if context.request.method != "POST" {
        let text = format!(
            "This endpoint takes POST requests only, not {}.",
            context.request.method
        );
        return Err(LoginError::new(900_561, text).into());
    }
    tenant_restrictions::check(context)?;
    let tenant = discovery::tenant(context, segment)?;
    if context.version == Version::V1 && matches!(tenant, Tenant::Alias("consumers")) {
        let text = "The v1 endpoint issues no tokens for personal Microsoft accounts.";
        return Err(LoginError::new(90_027, text).into());
    }
    let form = Form::read(context.request);
    let grant = form.require("grant_type")?;
    if is_regional(context.base()) && grant != "client_credentials" {
        let text = "The regional endpoint serves the client credentials grant only.";
        return Err(LoginError::new(100_007, text).into());
    }
    // Tokens that are bound to a key or to a certificate: a token without the binding would hide that.
    if let Some(kind) = form
        .get("token_type")
        .filter(|kind| !kind.eq_ignore_ascii_case("bearer"))
    {
        let what = format!("POST with token_type={}", plain_text(kind));
        return Err(TokenError::NotSupported(what));
    }
    // The grants of a single-page application check the platform of its redirect URI first.
    if !["authorization_code", "refresh_token"].contains(&grant) {
        cross_origin::check_credential(context, &form)?;
    }
    match grant {
        "client_credentials" => client_credentials::respond(context, &tenant, &form),
        "authorization_code" => code::respond(context, &tenant, &form),
        "refresh_token" => refresh::respond(context, &tenant, &form),
        "password" => password::respond(context, &tenant, &form),
        "device_code" | "urn:ietf:params:oauth:grant-type:device_code" => {
            device::respond(context, &tenant, &form)
        }
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            on_behalf_of::respond(context, &tenant, &form)
        }
        "user_fic" => user_fic::respond(context, &tenant, &form),
        "urn:ietf:params:oauth:grant-type:token-exchange" => {
            let text = "The token exchange grant of RFC 8693 is not supported.";
            Err(LoginError::new(82_001, text).into())
        }
        other => Err(LoginError::new(
            70_003,
            format!("The grant type '{}' is not supported.", plain_text(other)),
        )
        .into()),
    }
}

/// Whether a client names a region in the host, such as `westeurope.login.microsoft.com`.
fn is_regional(base: &str) -> bool {
    base.split_once("://")
        .and_then(|(_, host)| host.strip_suffix(".login.microsoft.com"))
        .is_some_and(|region| !region.is_empty() && !region.contains('.'))
}
