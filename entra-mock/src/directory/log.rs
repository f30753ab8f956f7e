//! Entries of the two logs: sign-ins of users and audited changes of administrators.

use std::sync::{Arc, OnceLock};

use entra_core::Timestamp;
use serde_json::{Value, json};

use super::object;
use crate::{
    state::{State, iso},
    store::{Conflict, Kind, Object},
};

/// One interactive sign-in of a user.
#[derive(Clone, Debug)]
pub(crate) struct SignInRecord<'a> {
    pub(crate) user_id: &'a str,
    pub(crate) service_principal_id: &'a str,
    pub(crate) at: Timestamp,
    /// An AADSTS code, or 0 for a success.
    pub(crate) error_code: u32,
}

/// A change that an administrator made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Audit<'a> {
    pub(crate) actor: &'a str,
    pub(crate) target: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) activity: &'a str,
    pub(crate) category: &'a str,
    pub(crate) operation: &'a str,
}

impl State {
    /// Records an interactive sign-in and returns the id of the entry. Records nothing and returns
    /// an empty id if the user or the application does not exist.
    pub(crate) fn record_sign_in(
        &mut self,
        sign_in: &SignInRecord<'_>,
    ) -> Result<String, Conflict> {
        let Some(user) = self.store.get(Kind::User, sign_in.user_id) else {
            return Ok(String::new());
        };
        let Some(app) = self
            .store
            .get(Kind::ServicePrincipal, sign_in.service_principal_id)
        else {
            return Ok(String::new());
        };
        let of = |object: &Object, name: &str| object.value(name).unwrap_or_default();
        let (id, at) = (self.new_id(), iso(sign_in.at));
        let location = location(self.random.index(PLACES.len()));
        let device = device(self.random.index(SYSTEMS.len()));
        let mut entry = object([
            ("id", id.clone().into()),
            ("appDisplayName", of(app, "displayName")),
            ("appId", of(app, "appId")),
            ("clientAppUsed", "Browser".into()),
            ("conditionalAccessStatus", "notApplied".into()),
            ("correlationId", self.new_id().into()),
            ("createdDateTime", at.into()),
            (
                "ipAddress",
                format!("203.0.113.{}", 1 + self.random.below(254)).into(),
            ),
            ("isInteractive", true.into()),
            ("resourceDisplayName", of(app, "displayName")),
            ("resourceId", of(app, "appId")),
            ("riskDetail", "none".into()),
            ("riskLevelAggregated", "none".into()),
            ("riskLevelDuringSignIn", "none".into()),
            ("riskState", "none".into()),
            ("signInEventTypes", json!(["interactiveUser"])),
            ("status", status(sign_in.error_code)),
            ("userDisplayName", of(user, "displayName")),
            ("userId", sign_in.user_id.into()),
            // The log has user names in lower case, whatever the directory has.
            (
                "userPrincipalName",
                user.text("userPrincipalName")
                    .unwrap_or_default()
                    .to_lowercase()
                    .into(),
            ),
        ]);
        entry.insert_shared("deviceDetail", device);
        entry.insert_shared("location", location);
        self.store.insert(Kind::SignIn, entry)?;
        Ok(id)
    }

    /// Records a change that an administrator made to an object.
    pub(crate) fn add_audit(&mut self, audit: &Audit<'_>) -> Result<(), Conflict> {
        let target = self.store.any(audit.target);
        let of_target = |name: &str| {
            target
                .and_then(|(_, object)| object.value(name))
                .unwrap_or_default()
        };
        let kind = match target {
            Some((kind, _)) if kind.entity().object => kind.entity().title(),
            _ => "Other".to_owned(),
        };
        let actor = self.store.get(Kind::User, audit.actor);
        let of_actor = |name: &str| {
            actor
                .and_then(|actor| actor.value(name))
                .unwrap_or_default()
        };
        let entry = object([
            ("id", format!("Directory_{}", self.random.token(20)).into()),
            ("activityDateTime", iso(audit.at).into()),
            ("activityDisplayName", audit.activity.into()),
            ("additionalDetails", json!([])),
            ("category", audit.category.into()),
            ("correlationId", self.new_id().into()),
            (
                "initiatedBy",
                json!({ "app": null, "user": { "id": of_actor("id"), "displayName": of_actor("displayName"), "ipAddress": "203.0.113.7", "userPrincipalName": of_actor("userPrincipalName") } }),
            ),
            ("loggedByService", "Core Directory".into()),
            ("operationType", audit.operation.into()),
            ("result", "success".into()),
            ("resultReason", "".into()),
            (
                "targetResources",
                json!([{ "id": audit.target, "displayName": of_target("displayName"), "type": kind, "userPrincipalName": of_target("userPrincipalName"), "groupType": null, "modifiedProperties": [] }]),
            ),
        ]);
        self.store.insert(Kind::DirectoryAudit, entry)
    }
}

/// A large company has many sign-ins from few places, so their values exist once in the process.
fn location(number: usize) -> Arc<Value> {
    static LOCATIONS: [OnceLock<Arc<Value>>; PLACES.len()] =
        [const { OnceLock::new() }; PLACES.len()];
    let (city, country) = PLACES[number];
    let value = || json!({ "city": city, "state": null, "countryOrRegion": country, "geoCoordinates": null });
    Arc::clone(LOCATIONS[number].get_or_init(|| Arc::new(value())))
}

fn device(number: usize) -> Arc<Value> {
    static DEVICES: [OnceLock<Arc<Value>>; SYSTEMS.len()] =
        [const { OnceLock::new() }; SYSTEMS.len()];
    let (system, browser) = SYSTEMS[number];
    let value = || {
        json!({
            "deviceId": "", "displayName": null, "operatingSystem": system, "browser": browser,
            "isCompliant": false, "isManaged": false, "trustType": null
        })
    };
    Arc::clone(DEVICES[number].get_or_init(|| Arc::new(value())))
}

fn status(error_code: u32) -> Value {
    let reason = match error_code {
        0 => "Other.",
        50_053 => "The account is locked after too many attempts.",
        50_057 => "The user account is disabled.",
        50_105 => "The user is not assigned to the application.",
        50_126 => "User name or password was wrong.",
        _ => "The sign-in failed.",
    };
    json!({ "errorCode": error_code, "failureReason": reason, "additionalDetails": null })
}

const PLACES: [(&str, &str); 4] = [
    ("Munich", "DE"),
    ("Vienna", "AT"),
    ("Zurich", "CH"),
    ("Amsterdam", "NL"),
];
const SYSTEMS: [(&str, &str); 4] = [
    ("Windows10", "Edge 140.0"),
    ("MacOs", "Safari 19.0"),
    ("Linux", "Firefox 143.0"),
    ("Ios 19", "Mobile Safari"),
];
