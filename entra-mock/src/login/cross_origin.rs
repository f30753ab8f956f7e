//! Token requests of scripts of another origin, and the responses to them.

use super::{
    context::Context,
    error::LoginError,
    form::Form,
    redirect::{self, Platform},
};
use crate::wire::Reply;

/// Returns an error if a script sends a credential of the application, which everyone could read in it.
///
/// Source: the page "Microsoft identity platform and OAuth 2.0 authorization code flow" (single-page applications).
pub(super) fn check_credential(context: &Context<'_>, form: &Form) -> Result<(), LoginError> {
    let has_credential = form.client_secret().is_some() || form.get("client_assertion").is_some();
    if has_credential && context.request.header("origin").is_some() {
        let text = "Cross-origin token redemption is permitted only for single-page applications, which have no client secret and no client assertion.";
        return Err(LoginError::new(9_002_326, text));
    }
    Ok(())
}

/// Lets the script that sent a token request read the response, if the client is registered as a
/// single-page application. The browser hides the response from every other script.
pub(super) fn expose(context: &Context<'_>, reply: Reply) -> Reply {
    let Some(origin) = context.request.header("origin") else {
        return reply;
    };
    let form = Form::read(context.request);
    let Ok(client_id) = form.client_id() else {
        return reply;
    };
    let state = context.read();
    let is_spa = redirect::registered(&state, client_id)
        .iter()
        .any(|(platform, _)| *platform == Platform::Spa);
    if !is_spa {
        return reply;
    }
    reply
        .with_header("access-control-allow-origin", origin.to_owned())
        .with_header("access-control-expose-headers", EXPOSED)
        .with_header("vary", "Origin")
}

const EXPOSED: &str = "Content-Length,Content-Encoding,x-ms-request-id";
