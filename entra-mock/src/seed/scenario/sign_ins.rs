//! Sign-ins of every event type.

use std::time::Duration;

use entra_core::Timestamp;
use serde_json::{Value, json};

use super::model::{Document, SignIns};
use crate::{
    directory::{GRAPH_APP_ID, SignInRecord, earlier, object},
    state::{State, iso},
    store::{Conflict, Kind, Object},
};

/// Adds sign-ins of the users at the applications of a scenario, and of its applications themselves.
pub(super) fn add(
    document: &Document,
    state: &mut State,
    now: Timestamp,
    sign_ins: &SignIns,
) -> Result<(), Conflict> {
    let ids = |kind: Kind, property: &str, names: &[&str]| -> Vec<String> {
        let objects = state.store.all(kind);
        let named = |object: &&Object| {
            let own = object[property].as_str();
            own.is_some_and(|own| names.contains(&own))
        };
        objects
            .filter(named)
            .filter_map(|object| object.get("id")?.as_str().map(str::to_owned))
            .collect()
    };
    let users = document.users.iter().filter(|user| !user.disabled);
    let users: Vec<&str> = users.map(|user| user.name.as_str()).collect();
    let users = ids(Kind::User, "mailNickname", &users);
    let own: Vec<&str> = document
        .applications
        .iter()
        .map(|app| app.name.as_str())
        .collect();
    let bought = document.enterprise_applications.iter();
    let all: Vec<&str> = own
        .iter()
        .copied()
        .chain(bought.map(|app| app.name.as_str()))
        .collect();
    let own = ids(Kind::ServicePrincipal, "displayName", &own);
    let all = ids(Kind::ServicePrincipal, "displayName", &all);
    let per_day = u64::from(sign_ins.per_day);
    for day in 0..u64::from(sign_ins.days) {
        for number in 0..per_day {
            // Spread over the last 24 hours before that day's end, the newest an hour ago.
            let seconds = day * DAY + HOUR + number * (DAY - 2 * HOUR) / per_day;
            let at = earlier(now, Duration::from_secs(seconds));
            let turn = usize::try_from(day * per_day + number).unwrap_or_default();
            if let (Some(user), Some(app)) = (
                users.get(turn % users.len().max(1)),
                all.get(turn % all.len().max(1)),
            ) {
                add_of_user(state, at, user, app, turn)?;
            }
            if let Some(app) = own.get(turn % own.len().max(1)) {
                add_of_application(state, at, app)?;
            }
        }
    }
    Ok(())
}

/// An interactive sign-in of a user, and a silent one for a refreshed token a minute later.
fn add_of_user(
    state: &mut State,
    at: Timestamp,
    user_id: &str,
    app: &str,
    turn: usize,
) -> Result<(), Conflict> {
    // One in ten has a wrong password.
    let error_code = if turn % 10 == 9 { 50_126 } else { 0 };
    for (event_type, at) in [
        ("interactiveUser", at),
        (
            "nonInteractiveUser",
            crate::directory::later(at, Duration::from_secs(60)),
        ),
    ] {
        let id = state.record_sign_in(&SignInRecord {
            user_id,
            service_principal_id: app,
            at,
            error_code,
        })?;
        if event_type == "interactiveUser" && error_code != 0 {
            return Ok(());
        }
        if event_type != "interactiveUser" {
            state.store.update(Kind::SignIn, &id, |record| {
                record.insert("isInteractive".to_owned(), false.into());
                record.insert("signInEventTypes".to_owned(), json!([event_type]));
            });
        }
    }
    Ok(())
}

/// A token request of an application with its secret, and one as a managed identity.
fn add_of_application(state: &mut State, at: Timestamp, id: &str) -> Result<(), Conflict> {
    let Some(principal) = state.store.get(Kind::ServicePrincipal, id).cloned() else {
        return Ok(());
    };
    let resource = format!(
        "/subscriptions/{}/resourcegroups/main/providers/Microsoft.Compute/virtualMachines/worker",
        state.tenant_id
    );
    let identity = json!({
        "msiType": "systemAssigned", "associatedResourceId": resource,
        "federatedTokenId": null, "federatedTokenIssuer": null,
    });
    for (event_type, credential, identity) in [
        ("servicePrincipal", "clientSecret", Value::Null),
        ("managedIdentity", "managedIdentity", identity),
    ] {
        let mut record = object([
            ("id", state.new_id().into()),
            ("createdDateTime", iso(at).into()),
            ("appId", principal["appId"].clone()),
            ("appDisplayName", principal["displayName"].clone()),
            ("servicePrincipalId", principal["id"].clone()),
            ("servicePrincipalName", principal["displayName"].clone()),
            ("clientCredentialType", credential.into()),
            ("conditionalAccessStatus", "notApplied".into()),
            ("correlationId", state.new_id().into()),
            ("ipAddress", "203.0.113.10".into()),
            ("isInteractive", false.into()),
            ("resourceDisplayName", "Microsoft Graph".into()),
            ("resourceId", GRAPH_APP_ID.into()),
            ("signInEventTypes", json!([event_type])),
            ("status", json!({"errorCode": 0})),
        ]);
        if !identity.is_null() {
            record.insert("managedServiceIdentity".to_owned(), identity);
        }
        state.store.insert(Kind::SignIn, record)?;
    }
    Ok(())
}

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
