//! Finds the object that a path addresses, as far as the caller sees it.

use entra_core::Guid;
use serde_json::Value;

use super::{
    call::{Call, unsupported},
    route::{ObjectKey, Root},
    subscriptions,
};
use crate::{
    odata::{GraphError, TICKS, ticks, ticks_of},
    permissions::not_premium,
    schema::{IdForm, Kind, Premium, Relationship},
    state::License,
    store::Object,
};

/// Returns one item of a relationship by its key, or 404.
pub(super) fn item_of<'a>(
    call: Call<'a>,
    relationship: &Relationship,
    from: &'a str,
    key: &str,
) -> Result<(Kind, &'a Object), GraphError> {
    relationship
        .objects(&call.state.store, from)
        .find(|(_, object)| is_item(relationship, object, key))
        .ok_or_else(|| GraphError::not_found(key))
}

/// Whether a key addresses an item: its id, or its alternate key.
pub(super) fn is_item(relationship: &Relationship, object: &Object, key: &str) -> bool {
    object.text("id").is_some_and(|id| is_same_id(id, key))
        || relationship
            .item_key
            .is_some_and(|name| object.text(name) == Some(key))
}

/// Whether a key is an id: a GUID in any letter case. Other ids, such as those of assignments, are case-sensitive.
pub(super) fn is_same_id(id: &str, key: &str) -> bool {
    id == key || id.eq_ignore_ascii_case(key) && id.parse::<Guid>().is_ok()
}

/// Returns the object that a path addresses, or 404.
pub(super) fn find<'a>(call: Call<'a>, root: &Root) -> Result<(Kind, &'a Object), GraphError> {
    let store = &call.state.store;
    match root {
        Root::Any(id) => store
            .any(id)
            .filter(|(kind, _)| kind.entity().directory)
            .ok_or_else(|| GraphError::not_found(id)),
        Root::Object(kind, key) => {
            let object =
                lookup(call, *kind, key).ok_or_else(|| GraphError::not_found(&key.value))?;
            if kind.entity().premium == Premium::Always && call.state.license == License::Free {
                return Err(not_premium());
            }
            Ok((*kind, object))
        }
        Root::Deleted(id) => {
            let found = call.state.store.deleted(id);
            found.ok_or_else(|| GraphError::not_found(id))
        }
        Root::Set(_) | Root::AnySet | Root::DeletedSet(_) => Err(unsupported(call.request)),
    }
}

/// Whether a path addresses the signed-in user's own object.
pub(super) fn is_own(call: Call<'_>, root: &Root) -> bool {
    let (Some(user), Root::Object(Kind::User, key)) = (&call.caller.user_id, root) else {
        return false;
    };
    lookup(call, Kind::User, key).is_some_and(|object| object.text("id") == Some(user.as_str()))
}

fn lookup<'a>(call: Call<'a>, kind: Kind, key: &ObjectKey) -> Option<&'a Object> {
    let store = &call.state.store;
    match key.property {
        Some(property) => store.find(kind, property, &key.value),
        None => store.get(kind, &key.value).or_else(|| {
            let entity = kind.entity();
            let key_property = entity.key.filter(|_| entity.id == IdForm::GuidOrKey)?;
            store.find(kind, key_property, &key.value)
        }),
    }
    .filter(|object| is_visible(call, kind, object))
}

/// Whether an object is visible. A log record is, if it is within the retention of the licence, and in v1.0 interactive.
fn is_visible(call: Call<'_>, kind: Kind, object: &Object) -> bool {
    let Some(time) = kind.log_time() else {
        return subscriptions::is_visible(call, kind, object);
    };
    let listed = call.beta || call.state.store.is_listed(kind, object);
    let recent = object
        .get(time)
        .and_then(Value::as_str)
        .and_then(ticks)
        .is_some_and(|time| time >= oldest_record(call));
    listed && recent
}

/// The start of the log retention of the tenant's licence.
pub(super) fn oldest_record(call: Call<'_>) -> i64 {
    let days = if call.state.license == License::Free {
        7
    } else {
        30
    };
    ticks_of(call.now) - days * 86_400 * TICKS
}
