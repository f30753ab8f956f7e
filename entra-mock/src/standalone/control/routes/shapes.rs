//! Shapes and look-ups that several areas share.

use serde_json::{Map, Value, json};

use super::super::{
    error::{ControlError, Outcome},
    schema::{Schema, required},
};
use crate::{
    directory::AppIds,
    state::State,
    store::{Kind, Object},
};

/// A Graph object with all its properties.
pub(super) const OBJECT: Schema = Schema::Named(
    "Object",
    &Schema::Open(&[required("id", &Schema::Text, "The id of the object.")]),
);

/// The properties to set; null removes one.
pub(super) const PROPERTIES: Schema = Schema::Named("Properties", &Schema::Open(&[]));

/// A list of Graph objects.
pub(super) const OBJECTS: Schema =
    Schema::Object(&[required("value", &Schema::List(&OBJECT), "The objects.")]);

/// Returns an object as the control API shows it: without internal properties, which hold secrets.
pub(super) fn shown(object: &Object) -> Value {
    let visible = object.iter().filter(|(name, _)| !name.starts_with('~'));
    let members: Map<String, Value> = visible
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    members.into()
}

/// Returns all objects of a kind.
pub(super) fn list(state: &State, kind: Kind) -> Value {
    json!({ "value": state.store.all(kind).map(shown).collect::<Vec<_>>() })
}

/// Returns one object.
pub(super) fn get(state: &State, kind: Kind, id: &str) -> Outcome {
    let object = state.store.get(kind, id);
    object.map(shown).ok_or_else(|| not_found(kind, id))
}

pub(super) fn not_found(kind: Kind, name: &str) -> ControlError {
    let entity = kind.entity();
    let below_objects = || {
        let set = entity.set.rsplit('/').next();
        format!("/objects/{}", set.unwrap_or(entity.set))
    };
    let list = entity
        .control_path
        .map_or_else(below_objects, str::to_owned);
    ControlError::not_found(entity.name, name, &list)
}

/// Returns the id of an object: by its id or another unique name of its type, else by its display name if only one
/// has it.
pub(super) fn id_of(state: &State, kind: Kind, name: &str) -> Result<String, ControlError> {
    let id = |object: &Object| object["id"].as_str().unwrap_or_default().to_owned();
    let unique = std::iter::once("id").chain(kind.alternate_keys());
    if let Some(object) = unique
        .filter_map(|property| state.store.find(kind, property, name))
        .next()
    {
        return Ok(id(object));
    }
    let named: Vec<&Object> = state
        .store
        .all(kind)
        .filter(|object| object["displayName"] == *name)
        .collect();
    match named.as_slice() {
        [] => Err(not_found(kind, name)),
        [one] => Ok(id(one)),
        many => Err(ControlError::new(
            409,
            "ambiguousName",
            format!("{} objects have the display name {name:?}", many.len()),
            "use the id of one of them",
        )),
    }
}

/// Returns the ids of an application by its object id, client id or display name.
pub(super) fn app(state: &State, name: &str) -> Result<AppIds, ControlError> {
    let object_id = id_of(state, Kind::Application, name)?;
    let text = |object: Option<&Object>, property: &str| {
        let value = object.and_then(|object| object.get(property)?.as_str());
        value.unwrap_or_default().to_owned()
    };
    let app_id = text(state.store.get(Kind::Application, &object_id), "appId");
    let principal = state.store.find(Kind::ServicePrincipal, "appId", &app_id);
    let service_principal_id = text(principal, "id");
    Ok(AppIds {
        app_id,
        object_id,
        service_principal_id,
    })
}
