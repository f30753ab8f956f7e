//! The token endpoint: what every grant has in common.

use super::{
    Version, client_credentials,
    context::{Context, plain_text},
    discovery,
    error::{LoginError, not_supported, success},
    form::Form,
    mint::Issued,
};
use crate::wire::Reply;

/// `/{tenant}/oauth2[/v2.0]/token`
pub(super) fn respond(context: &Context<'_>, tenant: &str) -> Reply {
    match answer(context, tenant) {
        Ok(issued) => success(context, issued.body(context)),
        Err(Refusal::Error(error)) => error.render(context),
        Err(Refusal::NotSupported(what)) => {
            not_supported(&format!("{what} {}", context.request.path))
        }
    }
}

/// Why there is no token.
pub(super) enum Refusal {
    Error(LoginError),
    /// Something Entra can do and this tenant cannot.
    NotSupported(String),
}

impl From<LoginError> for Refusal {
    fn from(error: LoginError) -> Self {
        Self::Error(error)
    }
}

fn answer(context: &Context<'_>, segment: &str) -> Result<Issued, Refusal> {
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
    if context.version == Version::V2 && form.get("resource").is_some() {
        let text = "The parameter 'resource' belongs to the v1 endpoint; ask for a scope here.";
        return Err(LoginError::new(901_002, text).into());
    }
    match grant {
        "client_credentials" => client_credentials::respond(context, &tenant, &form),
        "authorization_code"
        | "refresh_token"
        | "password"
        | "device_code"
        | "urn:ietf:params:oauth:grant-type:device_code"
        | "urn:ietf:params:oauth:grant-type:jwt-bearer" => Err(Refusal::NotSupported(format!(
            "POST with grant_type={grant}"
        ))),
        other => Err(LoginError::new(
            70_003,
            format!("The grant type '{}' is not supported.", plain_text(other)),
        )
        .into()),
    }
}
