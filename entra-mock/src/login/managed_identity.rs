//! The managed identity token endpoint in the form of App Service.

use serde_json::{Value, json};

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
    let requested = ["client_id", "principal_id", "object_id", "mi_res_id"]
        .into_iter()
        .find_map(|name| context.query(name));
    let chosen = match &requested {
        // The first one is the identity of the host.
        None => identities.first(),
        Some(requested) => identities
            .iter()
            .find(|ids| ids.iter().any(|id| id.eq_ignore_ascii_case(requested))),
    };
    let Some([client_id, _, resource_id]) = chosen else {
        return error_response(
            context,
            400,
            "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
        );
    };
    match token(context, client_id, resource_id, &identifier) {
        Ok(body) => Reply::json(200, &body),
        Err(error) => error_response(context, 400, &error.description(context)),
    }
}

fn token(
    context: &Context<'_>,
    client_id: &str,
    resource_id: &str,
    identifier: &str,
) -> Result<Value, LoginError> {
    let mut client = client::find(&context.read(), client_id)?;
    client.authentication = ClientAuthentication::Certificate;
    let issued = issue(context, &client, identifier);
    let (resource, outcome) = match &issued {
        Ok((token, resource)) => (Some(resource), Ok(token.id.clone())),
        Err(error) => (None, Err(error.code)),
    };
    let record = sign_in::record(context, &client, resource, Some(resource_id), &outcome);
    context.write().write_sign_in(record);
    let mut body = issued?.0.body(context);
    // This endpoint returns the expiry time, but no lifetime.
    for name in ["expires_in", "ext_expires_in", "not_before"] {
        body.remove(name);
    }
    body.insert("client_id".into(), client.app_id.into());
    Ok(body.into())
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
