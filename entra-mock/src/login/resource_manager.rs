//! Azure Resource Manager, as much of it as the Azure CLI needs to sign in: the metadata of a cloud, and one
//! subscription of the tenant.

use entra_core::Timestamp;
use serde_json::{Value, json};

use super::{context::Context, first_party::MANAGER, resource::MANAGER_AUDIENCES, verify};
use crate::{
    permissions::TokenProblem,
    state::State,
    wire::{Reply, WireRequest},
};

/// Whether a request is for Azure Resource Manager: at its real address every path, and elsewhere those that it has and
/// that have an `api-version`. Graph has subscriptions too, and no `api-version`.
pub(crate) fn serves(request: &WireRequest) -> bool {
    let path = request.path.to_ascii_lowercase();
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    match segments.next() {
        Some("metadata") => segments.eq(["endpoints"]),
        Some("subscriptions" | "tenants" | "providers") => {
            api_version(request).is_some() || is_at_real_address(request)
        }
        Some(_) => is_at_real_address(request),
        None => false,
    }
}

/// Whether the host name is that of Azure Resource Manager, redirected to the tenant.
fn is_at_real_address(request: &WireRequest) -> bool {
    let host = |url: &str| url.split_once("://").map(|(_, host)| host.to_owned());
    host(&request.base) == host(MANAGER)
}

/// Responds to a request that [`serves`] accepts.
pub(super) fn respond(context: &Context<'_>) -> Reply {
    let path = context.request.path.to_ascii_lowercase();
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let Some(version) = api_version(context.request) else {
        return error(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        );
    };
    if segments == ["metadata", "endpoints"] {
        let cloud = cloud(context.base());
        // Older versions list all clouds.
        return match version.as_str() {
            SINGLE_CLOUD => Reply::json(200, &cloud),
            _ => Reply::json(200, &json!([cloud])),
        };
    }
    let state = context.read();
    if let Err(problem) = authorized(&state, context.now, context.request) {
        return unauthorized(context, &state, problem);
    }
    if context.request.method != "GET" {
        return not_supported(context);
    }
    match segments.as_slice() {
        ["subscriptions"] => list(&[subscription(&state)]),
        ["subscriptions", SUBSCRIPTION] => Reply::json(200, &subscription(&state)),
        // The tenant has no resources, and so no provider of them.
        ["providers"] | ["subscriptions", SUBSCRIPTION, "providers"] => list(&[]),
        ["providers", name] | ["subscriptions", SUBSCRIPTION, "providers", name] => {
            let message = format!("The resource namespace '{name}' is invalid.");
            error(404, "InvalidResourceNamespace", &message)
        }
        ["subscriptions", id, ..] if *id != SUBSCRIPTION => {
            let message = format!("The subscription '{id}' could not be found.");
            error(404, "SubscriptionNotFound", &message)
        }
        ["tenants"] => list(&[tenant(&state)]),
        _ => not_supported(context),
    }
}

fn authorized(state: &State, now: Timestamp, request: &WireRequest) -> Result<(), TokenProblem> {
    verify::token_for(state, now, request, &MANAGER_AUDIENCES).map(|_| ())
}

/// What a client has to know of a cloud. At its real address the other services have theirs too.
fn cloud(base: &str) -> Value {
    let (sign_in, graph) = match base {
        MANAGER => (
            "https://login.microsoftonline.com",
            "https://graph.microsoft.com",
        ),
        _ => (base, base),
    };
    json!({
        "name": "EntraMock",
        "authentication": {
            "loginEndpoint": sign_in,
            "audiences": [format!("{}/", MANAGER_AUDIENCES[0]), format!("{}/", MANAGER_AUDIENCES[1])],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "resourceManager": format!("{base}/"),
        "microsoftGraphResourceId": format!("{graph}/"),
        "suffixes": {},
    })
}

fn subscription(state: &State) -> Value {
    json!({
        "id": format!("/subscriptions/{SUBSCRIPTION}"),
        "subscriptionId": SUBSCRIPTION,
        "tenantId": state.tenant_id.to_string(),
        "displayName": format!("{} subscription", state.tenant_name),
        "state": "Enabled",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
    })
}

fn tenant(state: &State) -> Value {
    let id = state.tenant_id;
    json!({
        "id": format!("/tenants/{id}"),
        "tenantId": id.to_string(),
        "displayName": state.tenant_name,
        "defaultDomain": state.default_domain(),
        "tenantCategory": "Home",
    })
}

fn list(items: &[Value]) -> Reply {
    Reply::json(200, &json!({ "value": items }))
}

fn unauthorized(context: &Context<'_>, state: &State, problem: TokenProblem) -> Reply {
    let (code, message) = match problem {
        TokenProblem::Missing => (
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.",
        ),
        TokenProblem::Expired => (
            "ExpiredAuthenticationToken",
            "The access token expiry UTC time is earlier than the current UTC time.",
        ),
        TokenProblem::WrongAudience => (
            "InvalidAuthenticationTokenAudience",
            "The access token has been obtained for wrong audience or resource.",
        ),
        _ => ("InvalidAuthenticationToken", "The access token is invalid."),
    };
    let challenge = format!(
        "Bearer authorization_uri=\"{}/{}\", error=\"invalid_token\", error_description=\"{message}\"",
        context.base(),
        state.tenant_id
    );
    error(401, code, message).with_header("www-authenticate", challenge)
}

fn not_supported(context: &Context<'_>) -> Reply {
    let message = format!(
        "The fake tenant does not support {} {} of Azure Resource Manager.",
        context.request.method, context.request.path
    );
    error(501, "NotImplemented", &message)
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({ "error": { "code": code, "message": message } }),
    )
}

fn api_version(request: &WireRequest) -> Option<String> {
    url::form_urlencoded::parse(request.query.as_deref()?.as_bytes())
        .find(|(name, value)| name == "api-version" && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}

/// The subscription of the tenant, in which its managed identities are too.
pub(super) const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000000";
/// The version of the metadata with one cloud alone, which `az cloud register` requests.
const SINGLE_CLOUD: &str = "2022-09-01";
