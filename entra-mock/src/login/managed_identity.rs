//! The managed identity token endpoint, in the form of App Service and in that of a virtual machine (IMDS).

use serde_json::{Map, Value, json};

use super::{
    application_roles,
    client::{self, Client, ClientAuthentication},
    context::Context,
    error::LoginError,
    mint::{self, IssuedToken},
    resource::{self, Resource},
    resource_manager::SUBSCRIPTION,
    sign_in,
};
use crate::wire::Reply;

/// The Azure resource id that selects the managed identity of an application.
pub(crate) fn resource_id(client_id: &str) -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/resourcegroups/contoso/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{client_id}"
    )
}

/// `/msi/token`
pub(super) fn respond(context: &Context<'_>) -> Reply {
    let secret = context.request.header("x-identity-header");
    let identities = context.read().identities.clone();
    if identities.is_empty() || secret != Some(context.read().identity_header.as_str()) {
        return error_response(context, 401, "The X-IDENTITY-HEADER is missing or invalid.");
    }
    if context.request.method != "GET" {
        return error_response(
            context,
            405,
            "The token endpoint accepts GET requests only.",
        );
    }
    if context.query("api-version").as_deref() != Some("2019-08-01") {
        return error_response(context, 400, "The api-version must be 2019-08-01.");
    }
    let Some(identifier) = context.query("resource") else {
        return error_response(context, 400, "The parameter resource is missing.");
    };
    let Some([client_id, _, resource_id]) = chosen(context, &identities) else {
        return error_response(
            context,
            400,
            "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
        );
    };
    match token(context, client_id, resource_id, &identifier) {
        Ok(mut body) => {
            // This endpoint returns the expiry time, but no lifetime.
            for name in ["expires_in", "not_before"] {
                body.remove(name);
            }
            Reply::json(200, &body.into())
        }
        Err(error) => error_response(context, 400, &error.description(context)),
    }
}

/// `/metadata/identity/oauth2/token`, which a virtual machine asks without a secret.
pub(super) fn respond_as_host(context: &Context<'_>) -> Reply {
    let rejection = |error: &str, text: &str| {
        let body = json!({ "error": error, "error_description": text });
        Reply::json(400, &body)
    };
    let metadata = context.request.header("metadata");
    if !metadata.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return rejection("bad_request_102", "Required metadata header not specified");
    }
    if context.request.method != "GET" {
        return Reply::new(405);
    }
    for name in ["api-version", "resource"] {
        if context.query(name).is_none() {
            let text = format!("The parameter {name} is missing.");
            return rejection("invalid_request", &text);
        }
    }
    let identifier = context.query("resource").unwrap_or_default();
    let identities = context.read().identities.clone();
    let Some([client_id, _, resource_id]) = chosen(context, &identities) else {
        return rejection("invalid_request", "Identity not found");
    };
    match token(context, client_id, resource_id, &identifier) {
        Ok(mut body) => {
            body.insert("refresh_token".into(), "".into());
            Reply::json(200, &body.into())
        }
        Err(error) => rejection(error.oauth().0, &error.description(context)),
    }
}

/// Returns the identity that a request names.
fn chosen<'a>(context: &Context<'_>, identities: &'a [[String; 3]]) -> Option<&'a [String; 3]> {
    let requested = [
        "client_id",
        "principal_id",
        "object_id",
        "mi_res_id",
        "msi_res_id",
    ]
    .into_iter()
    .find_map(|name| context.query(name));
    match requested {
        // The first one is the identity of the host.
        None => identities.first(),
        Some(requested) => identities
            .iter()
            .find(|ids| ids.iter().any(|id| id.eq_ignore_ascii_case(&requested))),
    }
}

fn token(
    context: &Context<'_>,
    client_id: &str,
    resource_id: &str,
    identifier: &str,
) -> Result<Map<String, Value>, LoginError> {
    let mut client = client::find(&context.read(), client_id)?;
    client.authentication = ClientAuthentication::Certificate;
    let issued = issue(context, &client, identifier);
    let failed = match &issued {
        Ok(_) => None,
        Err(_) => resource::find(&context.read(), context, identifier).ok(),
    };
    let (resource, outcome) = match &issued {
        Ok((token, resource)) => (Some(resource), Ok(token.id.clone())),
        Err(error) => (failed.as_ref(), Err(error.clone())),
    };
    let record = sign_in::record(context, &client, resource, Some(resource_id), &outcome);
    context.write().write_sign_in(record);
    let mut body = issued?.0.body(context);
    body.remove("ext_expires_in");
    body.insert("client_id".into(), client.app_id.into());
    Ok(body)
}

fn issue(
    context: &Context<'_>,
    client: &Client,
    identifier: &str,
) -> Result<(IssuedToken, Resource), LoginError> {
    let state = context.read();
    let resource = resource::find(&state, context, identifier)?;
    let roles = application_roles::find(&state, client, &resource)?;
    let token = mint::for_application(context, &state, client, &resource, &roles, &[])?;
    Ok((token, resource))
}

fn error_response(context: &Context<'_>, status: u16, message: &str) -> Reply {
    let body = json!({
        "statusCode": status,
        "message": message,
        "correlationId": context.correlation_id.to_string(),
    });
    Reply::json(status, &body)
}
