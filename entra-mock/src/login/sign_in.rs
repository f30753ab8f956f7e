//! The sign-in log entry of an application's token request.

use serde_json::json;

use super::{client::Client, context::Context, resource::Resource};
use crate::{state::iso, store::Object};

/// Returns one entry: a token id on success, an AADSTS code on failure.
pub(super) fn record(
    context: &Context<'_>,
    client: &Client,
    resource: Option<&Resource>,
    outcome: &Result<String, u32>,
) -> Object {
    let state = context.read();
    let mut record = Object::new();
    let mut set = |name: &str, value: serde_json::Value| record.insert(name.to_owned(), value);
    set("id", state.new_id().into());
    set("createdDateTime", iso(context.now).into());
    set("appId", client.app_id.clone().into());
    set("appDisplayName", client.display_name.clone().into());
    set(
        "servicePrincipalId",
        client.service_principal_id.clone().into(),
    );
    set("servicePrincipalName", client.display_name.clone().into());
    set("correlationId", context.correlation_id.to_string().into());
    set("ipAddress", "127.0.0.1".into());
    set("isInteractive", false.into());
    set("signInEventTypes", json!(["servicePrincipal"]));
    set("conditionalAccessStatus", "notApplied".into());
    if let Some(key_id) = &client.key_id {
        set("servicePrincipalCredentialKeyId", key_id.clone().into());
    }
    if let Some(resource) = resource {
        set("resourceDisplayName", resource.display_name.clone().into());
        set("resourceId", resource.app_id.clone().into());
    }
    match outcome {
        Ok(token_id) => {
            set("uniqueTokenIdentifier", token_id.clone().into());
            set("status", json!({ "errorCode": 0 }));
        }
        Err(code) => {
            set(
                "status",
                json!({ "errorCode": code, "failureReason": "The token request failed." }),
            );
        }
    }
    record
}
