//! Token responses to scripts of another origin.

use super::{
    context::Context,
    form::Form,
    redirect::{self, Platform},
};
use crate::wire::Reply;

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
