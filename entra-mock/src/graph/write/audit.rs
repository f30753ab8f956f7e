//! Writes the directory's audit log from the change log.

use entra_core::Timestamp;
use serde_json::{Value, json};

use super::plan::{Activity, Step};
use crate::{
    permissions::Caller,
    schema::Relation,
    state::{State, iso},
    store::{Change, Event, Kind, Object},
};

/// Returns the objects that an audit of a step names instead of the object itself: for an app role
/// assignment its resource and principal. They are read before the change.
pub(super) fn named_objects(state: &State, step: &Step) -> Vec<(Kind, String)> {
    let (kind, object) = match step {
        Step::Insert(kind, object) => (*kind, Some(object)),
        Step::Update(kind, id, _) | Step::Delete(kind, id) => (*kind, state.store.get(*kind, id)),
        _ => return Vec::new(),
    };
    kind.entity()
        .activities
        .named
        .iter()
        .filter_map(|property| object?.get(property)?.as_str())
        .filter_map(|id| Some((state.store.kind_of(id)?, id.to_owned())))
        .collect()
}

/// Records what a request changed: the changes of the log from a number on.
pub(super) fn record(
    state: &mut State,
    now: Timestamp,
    caller: &Caller,
    activity: Activity,
    (kind, id): &(Kind, String),
    named: &[(Kind, String)],
    first: u64,
) {
    let changes = &state.store.changes;
    let changes: Vec<Change> = changes.range(first, changes.next()).cloned().collect();
    let own: Vec<&Change> = changes.iter().filter(|change| *change.id == **id).collect();
    let properties: Vec<Value> = own
        .iter()
        .flat_map(|change| modified(state, change))
        .collect();
    let linked = own.iter().find_map(|change| match &change.what {
        Event::Linked(relation, kind, other) | Event::Unlinked(relation, kind, other) => {
            Some((*relation, *kind, other.clone()))
        }
        _ => None,
    });
    let mut targets: Vec<Value> = named
        .iter()
        .enumerate()
        .map(|(at, (kind, id))| {
            let properties = if at == 0 { properties.as_slice() } else { &[] };
            target(state, *kind, id, properties)
        })
        .collect();
    if targets.is_empty() {
        targets.push(target(state, *kind, id, &properties));
    }
    // A new member comes before its group, as in the portal.
    if let Some((Relation::Members | Relation::Owners, kind, other)) = linked
        && !own.iter().any(|change| change.what == Event::Created)
    {
        targets.insert(0, target(state, kind, &other, &[]));
    }
    let entry: Object = [
        ("id", format!("Directory_{}", state.random.token(20)).into()),
        ("activityDateTime", iso(now).into()),
        ("activityDisplayName", activity.name.into()),
        ("additionalDetails", json!([])),
        ("category", activity.category.into()),
        ("correlationId", state.new_id().into()),
        ("initiatedBy", initiator(state, caller)),
        ("loggedByService", "Core Directory".into()),
        ("operationType", activity.operation.into()),
        ("result", "success".into()),
        ("resultReason", "".into()),
        ("targetResources", targets.into()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    state.write_audit(entry);
}

/// Returns the properties of one change with their old and new values.
fn modified(state: &State, change: &Change) -> Vec<Value> {
    let object = state.store.get(change.kind, &change.id);
    let new = |name: &str| object.and_then(|object| object.get(name));
    match &change.what {
        Event::Created => object
            .into_iter()
            .flat_map(Object::iter)
            .filter(|(name, _)| !name.starts_with('~') && *name != "id")
            .map(|(name, value)| entry(name, None, Some(value)))
            .collect(),
        Event::Updated(properties) => properties
            .iter()
            .map(|(name, before)| entry(name, before.as_ref(), new(name)))
            .collect(),
        Event::Linked(relation, _, other) => vec![entry(
            &format!("{relation:?}"),
            None,
            Some(&Value::from(&**other)),
        )],
        Event::Unlinked(relation, _, other) => vec![entry(
            &format!("{relation:?}"),
            Some(&Value::from(&**other)),
            None,
        )],
        Event::Deleted | Event::Restored | Event::Purged => Vec::new(),
    }
}

fn entry(name: &str, old: Option<&Value>, new: Option<&Value>) -> Value {
    let mut title = name.to_owned();
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let text = |value: Option<&Value>| match value {
        None => "[]".to_owned(),
        Some(list @ Value::Array(_)) => list.to_string(),
        Some(value) => json!([value]).to_string(),
    };
    json!({ "displayName": title, "oldValue": text(old), "newValue": text(new) })
}

fn target(state: &State, kind: Kind, id: &str, modified: &[Value]) -> Value {
    let found = state.store.any(id).or_else(|| state.store.deleted(id));
    let part = |name: &str| {
        found
            .and_then(|(_, object)| object.value(name))
            .unwrap_or_default()
    };
    let group_type = (kind == Kind::Group).then(|| {
        let unified = part("groupTypes")
            .as_array()
            .is_some_and(|types| types.iter().any(|name| name == "Unified"));
        if unified { "unifiedGroups" } else { "azureAD" }
    });
    json!({
        "id": id, "displayName": part("displayName"), "type": kind.entity().title(),
        "userPrincipalName": part("userPrincipalName"), "groupType": group_type, "modifiedProperties": modified
    })
}

fn initiator(state: &State, caller: &Caller) -> Value {
    if let Some(id) = &caller.user_id {
        let user = state.store.get(Kind::User, id);
        let part = |name: &str| user.and_then(|user| user.value(name));
        return json!({
            "app": null,
            "user": { "id": id, "displayName": part("displayName"), "ipAddress": null, "userPrincipalName": part("userPrincipalName") }
        });
    }
    let app = state
        .store
        .find(Kind::ServicePrincipal, "appId", &caller.app_id);
    let part = |name: &str| app.and_then(|app| app.value(name));
    json!({
        "app": { "appId": caller.app_id, "displayName": part("displayName"), "servicePrincipalId": part("id"), "servicePrincipalName": null },
        "user": null
    })
}

/// Fails a test that would write an activity which the documented list does not have.
#[cfg(test)]
pub(super) fn check_documented(category: &str, name: &str) {
    let listed = include_str!("../../../tables/audit-activities.tsv")
        .lines()
        .any(|line| line.split_once('\t') == Some((category, name)));
    let known = |(of, known, _): &(&str, &str, &str)| *of == category && *known == name;
    assert!(
        listed || UNLISTED.iter().any(known),
        "{category}: {name} is not a documented activity"
    );
}

/// Activities that logs show and the documented list lacks.
#[cfg(test)]
const UNLISTED: [(&str, &str, &str); 4] = [
    (
        "ApplicationManagement",
        "Update application – Certificates and secrets management ",
        "the list has it with a hyphen",
    ),
    (
        "UserManagement",
        "Add app role assignment grant to user",
        "the list of 2021 has it",
    ),
    (
        "UserManagement",
        "Remove user manager",
        "the counterpart of \"Set user manager\"",
    ),
    (
        "UserManagement",
        "Reset user password",
        "logs have it; the list has \"Reset password\"",
    ),
];
