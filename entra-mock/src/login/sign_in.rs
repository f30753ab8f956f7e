//! The sign-in log entry of an application's token request, by its own credential or as a managed
//! identity.

use std::iter;

use serde_json::{Value, json};

use super::{
    applied_policies,
    client::{Client, ClientAuthentication},
    context::Context,
    error::LoginError,
    resource::Resource,
};
use crate::{state::iso, store::Object};

/// Returns one entry: a token id on success, the error on failure. `managed_identity` is the
/// Azure resource id of the managed identity that got the token, if it was one.
pub(super) fn record(
    context: &Context<'_>,
    client: &Client,
    resource: Option<&Resource>,
    managed_identity: Option<&str>,
    outcome: &Result<String, LoginError>,
) -> Object {
    let state = context.read();
    let mut record: Vec<(&str, Value)> = Vec::with_capacity(MOST);
    let mut set = |name, value| record.push((name, value));
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
    let event_type = match managed_identity {
        Some(resource_id) => {
            let user_assigned = resource_id
                .to_ascii_lowercase()
                .contains("/userassignedidentities/");
            let kind = if user_assigned {
                "userAssigned"
            } else {
                "systemAssigned"
            };
            set(
                "managedServiceIdentity",
                json!({ "msiType": kind, "associatedResourceId": resource_id, "federatedTokenId": null, "federatedTokenIssuer": null }),
            );
            "managedIdentity"
        }
        None => "servicePrincipal",
    };
    set("signInEventTypes", json!([event_type]));
    let credential = match (managed_identity, client.authentication) {
        (Some(_), _) => Some("managedIdentity"),
        (None, _) if client.federated => Some("federatedIdentityCredential"),
        (None, ClientAuthentication::Certificate) => Some("certificate"),
        // A client whose secret was rejected has no key id.
        (None, ClientAuthentication::Secret) => client.key_id.as_ref().map(|_| "clientSecret"),
        (None, ClientAuthentication::Public) => None,
    };
    if let Some(credential) = credential {
        set("clientCredentialType", credential.into());
    }
    // The policies for workload identities only block.
    let access = match outcome {
        Err(error) if error.is_by_policy() => "failure",
        _ => "notApplied",
    };
    set("conditionalAccessStatus", access.into());
    let apps = resource.map(|resource| resource.app_id.as_str());
    let apps: Vec<&str> = iter::once(client.app_id.as_str()).chain(apps).collect();
    let error = outcome.as_ref().err();
    let applied = applied_policies::of_workload(&state, &client.service_principal_id, &apps, error);
    if !applied.is_empty() {
        set("appliedConditionalAccessPolicies", applied.into());
    }
    if let Some(key_id) = &client.key_id {
        let name = if client.federated {
            "federatedCredentialId"
        } else {
            "servicePrincipalCredentialKeyId"
        };
        set(name, key_id.clone().into());
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
            set("status", json!({ "errorCode": 0 }));
        }
        Err(error) => {
            set(
                "status",
                json!({ "errorCode": error.code, "failureReason": "The token request failed." }),
            );
        }
    }
    record.into_iter().collect()
}

/// More properties than an entry has.
const MOST: usize = 24;
