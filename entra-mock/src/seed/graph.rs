//! The service principal of Microsoft Graph with its permissions.

use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use crate::{
    directory::{GRAPH_APP_ID, MICROSOFT_SERVICES, object},
    state::State,
    store::{Conflict, Kind},
};

pub(super) fn add_service_principal(state: &mut State) -> Result<(), Conflict> {
    // More than a thousand, the same for all tenants of the process.
    static PERMISSIONS: OnceLock<(Arc<Value>, Arc<Value>)> = OnceLock::new();
    let (roles, scopes) = PERMISSIONS.get_or_init(|| {
        let (roles, scopes) = permissions();
        (Arc::new(roles), Arc::new(scopes))
    });
    let mut graph = object([
        ("id", state.new_id().into()),
        ("accountEnabled", true.into()),
        ("appDisplayName", "Microsoft Graph".into()),
        ("appId", GRAPH_APP_ID.into()),
        ("appOwnerOrganizationId", MICROSOFT_SERVICES.into()),
        ("appRoleAssignmentRequired", false.into()),
        ("displayName", "Microsoft Graph".into()),
        (
            "servicePrincipalNames",
            json!([
                GRAPH_APP_ID,
                "https://graph.microsoft.com",
                "https://graph.microsoft.com/"
            ]),
        ),
        ("servicePrincipalType", "Application".into()),
        ("signInAudience", "AzureADMultipleOrgs".into()),
    ]);
    graph.insert_shared("appRoles", Arc::clone(roles));
    graph.insert_shared("oauth2PermissionScopes", Arc::clone(scopes));
    state.store.insert(Kind::ServicePrincipal, graph)
}

/// Returns application permissions as app roles, and delegated ones as scopes.
fn permissions() -> (Value, Value) {
    let (mut roles, mut scopes) = (Vec::new(), Vec::new());
    for line in TABLE.lines() {
        let mut columns = line.split('\t');
        let (Some(kind), Some(value), Some(id), Some(consent)) = (
            columns.next(),
            columns.next(),
            columns.next(),
            columns.next(),
        ) else {
            continue;
        };
        if kind == "application" {
            roles.push(json!({
                "allowedMemberTypes": ["Application"], "description": format!("Application permission {value}"),
                "displayName": value, "id": id, "isEnabled": true, "origin": "Application", "value": value
            }));
        } else {
            scopes.push(json!({
                "adminConsentDescription": format!("Delegated permission {value}"), "adminConsentDisplayName": value, "id": id,
                "isEnabled": true, "type": if consent == "admin" { "Admin" } else { "User" },
                "userConsentDescription": format!("Delegated permission {value}"), "userConsentDisplayName": value, "value": value
            }));
        }
    }
    (roles.into(), scopes.into())
}

const TABLE: &str = include_str!("graph-permissions.tsv");
