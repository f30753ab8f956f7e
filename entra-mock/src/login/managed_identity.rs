//! The token endpoint that an app host offers to its own processes, in the form of App Service.

use serde_json::{Value, json};

use super::{
    client::{self, Proof},
    context::Context,
    error::LoginError,
    mint, resource,
};
use crate::wire::Reply;

/// `/msi/token`
pub(super) fn respond(context: &Context<'_>) -> Reply {
    let secret = context.request.header("x-identity-header");
    let identities = context.read().identities.clone();
    if identities.is_empty() || secret != Some(context.read().identity_header.as_str()) {
        return refusal(
            context,
            401,
            "The request lacks the right X-IDENTITY-HEADER.",
        );
    }
    if context.request.method != "GET" {
        return refusal(context, 405, "The token endpoint takes GET requests only.");
    }
    if context.query("api-version").as_deref() != Some("2019-08-01") {
        return refusal(context, 400, "The api-version must be 2019-08-01.");
    }
    let Some(identifier) = context.query("resource") else {
        return refusal(context, 400, "The parameter resource is missing.");
    };
    let asked = ["client_id", "principal_id", "object_id", "mi_res_id"]
        .into_iter()
        .find_map(|name| context.query(name));
    let chosen = match &asked {
        // The first one stands for the host's own identity.
        None => identities.first(),
        Some(asked) => identities
            .iter()
            .find(|ids| ids.iter().any(|id| id.eq_ignore_ascii_case(asked))),
    };
    let Some([client_id, ..]) = chosen else {
        return refusal(
            context,
            400,
            "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
        );
    };
    match token(context, client_id, &identifier) {
        Ok(body) => Reply::json(200, &body),
        Err(error) => refusal(context, 400, &error.description(context)),
    }
}

fn token(context: &Context<'_>, client_id: &str, identifier: &str) -> Result<Value, LoginError> {
    let state = context.read();
    let mut client = client::find(&state, client_id)?;
    client.proof = Proof::Certificate;
    let resource = resource::find(&state, context, identifier)?;
    let roles = resource::roles(&state, &client, &resource)?;
    let mut body = mint::for_application(context, &state, &client, &resource, roles)?.body(context);
    // This service never says how long, only until when.
    for name in ["expires_in", "ext_expires_in", "not_before"] {
        body.remove(name);
    }
    body.insert("client_id".into(), client.app_id.into());
    Ok(body.into())
}

fn refusal(context: &Context<'_>, status: u16, message: &str) -> Reply {
    let body = json!({
        "statusCode": status,
        "message": message,
        "correlationId": context.correlation_id.to_string(),
    });
    Reply::json(status, &body)
}
