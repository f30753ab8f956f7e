//! The token endpoint.

use super::{
    Version, client_credentials, code,
    context::{Context, plain_text},
    device, discovery,
    error::{LoginError, not_supported, success},
    form::Form,
    mint::IssuedToken,
    on_behalf_of, password, refresh,
};
use crate::wire::Reply;

/// `/{tenant}/oauth2[/v2.0]/token`
pub(super) fn respond(context: &Context<'_>, tenant: &str) -> Reply {
    match issue(context, tenant) {
        Ok(issued) => success(context, issued.body(context)),
        Err(TokenError::Error(error)) => error.render(context),
        Err(TokenError::NotSupported(what)) => {
            not_supported(&format!("{what} {}", context.request.path))
        }
    }
}

/// Why a token request fails.
pub(super) enum TokenError {
    Error(LoginError),
    /// A feature of Entra that the fake tenant does not support.
    NotSupported(String),
}

impl From<LoginError> for TokenError {
    fn from(error: LoginError) -> Self {
        Self::Error(error)
    }
}

fn issue(context: &Context<'_>, segment: &str) -> Result<IssuedToken, TokenError> {
    if context.request.method != "POST" {
        let text = format!(
            "This endpoint takes POST requests only, not {}.",
            context.request.method
        );
        return Err(LoginError::new(900_561, text).into());
    }
    let tenant = discovery::tenant(context, segment)?;
    let form = Form::read(context.request);
    let grant = form.require("grant_type")?;
    match grant {
        "client_credentials" => client_credentials::respond(context, &tenant, &form),
        _ if context.version == Version::V1 && USER_GRANTS.contains(&grant) => Err(
            TokenError::NotSupported(format!("POST with grant_type={grant}")),
        ),
        "authorization_code" => code::respond(context, &tenant, &form),
        "refresh_token" => refresh::respond(context, &tenant, &form),
        "password" => password::respond(context, &tenant, &form),
        "device_code" | "urn:ietf:params:oauth:grant-type:device_code" => {
            device::respond(context, &tenant, &form)
        }
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            on_behalf_of::respond(context, &tenant, &form)
        }
        other => Err(LoginError::new(
            70_003,
            format!("The grant type '{}' is not supported.", plain_text(other)),
        )
        .into()),
    }
}

/// Supported at the v2.0 endpoint only.
const USER_GRANTS: [&str; 6] = [
    "authorization_code",
    "refresh_token",
    "password",
    "device_code",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
];
