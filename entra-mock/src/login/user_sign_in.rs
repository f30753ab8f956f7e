//! The sign-in log entry of a user.

use std::iter;

use serde_json::json;

use super::{
    applied_policies::{self, SignInUser},
    client::{Client, text},
    context::Context,
    error::LoginError,
    policy::{self, UserNames},
    resource::Resource,
};
use crate::{
    state::iso,
    store::{Kind, Object},
};

/// How a user signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// On a page, also for another device, or with a password from an application.
    Interactive,
    /// Without interaction: by a refresh token, on behalf of, or by a browser's session.
    Silent,
}

/// Returns one entry: a token id on success, the error on failure. `apps` are the client ids of all resources.
pub(super) fn record(
    context: &Context<'_>,
    client: &Client,
    user: SignInUser<'_>,
    event: Event,
    resource: Option<&Resource>,
    apps: &[&str],
    outcome: &Result<String, LoginError>,
) -> Object {
    let state = context.read();
    let mut record = Object::new();
    let mut set = |name: &str, value: serde_json::Value| record.insert(name.to_owned(), value);
    let interactive = event == Event::Interactive;
    set("id", state.new_id().into());
    set("createdDateTime", iso(context.now).into());
    set("appId", client.app_id.clone().into());
    set("appDisplayName", client.display_name.clone().into());
    set("userId", user.id.into());
    if let Some(user) = state.store.get(Kind::User, user.id) {
        let of_user = |name: &str| text(user, name).unwrap_or_default().to_owned();
        set("userDisplayName", of_user("displayName").into());
        // The log has user names in lower case, whatever the directory has.
        let name = of_user("userPrincipalName").to_lowercase();
        set("userPrincipalName", name.into());
        let user_type = match of_user("userType").as_str() {
            "Guest" => "guest",
            _ => "member",
        };
        set("userType", user_type.into());
    }
    set("clientAppUsed", "Browser".into());
    set("correlationId", context.correlation_id.to_string().into());
    set("ipAddress", "127.0.0.1".into());
    set("isInteractive", interactive.into());
    let kind = if interactive {
        "interactiveUser"
    } else {
        "nonInteractiveUser"
    };
    set("signInEventTypes", json!([kind]));
    let apps = apps.iter().copied();
    let apps: Vec<&str> = iter::once(client.app_id.as_str()).chain(apps).collect();
    let names = UserNames::new(&state, user.id);
    let access = match outcome {
        Err(error) if error.is_by_policy() => "failure",
        Ok(_) if policy::any_applies(&state, &names, &apps) => "success",
        _ => "notApplied",
    };
    set("conditionalAccessStatus", access.into());
    let applied =
        applied_policies::of_user(&state, &names, user.mfa, &apps, outcome.as_ref().err());
    if !applied.is_empty() {
        set("appliedConditionalAccessPolicies", applied.into());
    }
    for risk in [
        "riskDetail",
        "riskLevelAggregated",
        "riskLevelDuringSignIn",
        "riskState",
    ] {
        set(risk, "none".into());
    }
    if let Some(resource) = resource {
        set("resourceDisplayName", resource.display_name.clone().into());
        set("resourceId", resource.app_id.clone().into());
        set(
            "resourceServicePrincipalId",
            resource.service_principal_id.clone().into(),
        );
    }
    match outcome {
        Ok(token_id) => {
            set("uniqueTokenIdentifier", token_id.clone().into());
            set(
                "status",
                json!({ "errorCode": 0, "failureReason": "Other.", "additionalDetails": null }),
            );
        }
        Err(error) => {
            set(
                "status",
                json!({ "errorCode": error.code, "failureReason": error.text(), "additionalDetails": null }),
            );
        }
    }
    record
}

/// Records the failed sign-in of an existing user.
pub(super) fn record_failure(
    context: &Context<'_>,
    client: &Client,
    name: &str,
    error: &LoginError,
) {
    let id = {
        let state = context.read();
        let Ok(user) = super::account::find(&state, name) else {
            return;
        };
        text(user, "id").unwrap_or_default().to_owned()
    };
    let record = record(
        context,
        client,
        SignInUser {
            id: &id,
            mfa: false,
        },
        Event::Interactive,
        None,
        &[],
        &Err(error.clone()),
    );
    context.write().write_sign_in(record);
}
