//! Objects of every type, by the collection that Graph lists them in.

use serde_json::json;

use super::{
    super::{
        call::Call,
        error::{ControlError, Outcome},
        route::Route,
        schema::{Schema, required},
    },
    shapes::{self, OBJECT, OBJECTS, PROPERTIES},
};
use crate::{
    directory::collection_kind,
    state::State,
    store::{Kind, Relation},
};

pub(super) const ROUTES: &[&Route] = &[
    &Route::get(
        "/objects/{collection}",
        "objects list",
        "Lists the objects of a collection, such as devices, contacts or servicePrincipals.",
        &OBJECTS,
        |call| {
            let kind = kind(call)?;
            Ok(shapes::list(&call.engine().read(), kind))
        },
    ),
    &Route::post(
        "/objects/{collection}",
        "objects add",
        "Inserts an object, which gets an id if it has none. Read-only properties can be set, and required ones can be missing.",
        add,
    )
    .taking(&PROPERTIES)
    .creating(&OBJECT),
    &Route::get(
        "/objects/{collection}/{id}",
        "objects get",
        "Returns an object with all its properties.",
        &OBJECT,
        |call| {
            let kind = kind(call)?;
            shapes::get(&call.engine().read(), kind, call.parameter("id"))
        },
    ),
    &Route::patch(
        "/objects/{collection}/{id}",
        "objects set",
        "Sets properties of an object, all or none of them. Null removes one.",
        set,
    )
    .taking(&PROPERTIES)
    .returning(&OBJECT),
    &Route::delete(
        "/objects/{collection}/{id}",
        "objects remove",
        "Deletes an object permanently, with everything that refers to it.",
        remove,
    ),
    &Route::get(
        "/objects/{collection}/{id}/links/{relationship}",
        "links list",
        "Lists the ids of the objects that an object links to: members, owners, manager, registeredOwners and so on.",
        &LINKED,
        linked,
    ),
    &Route::put(
        "/objects/{collection}/{id}/links/{relationship}/{target}",
        "links add",
        "Links an object to another one. An existing link stays.",
        |call| link(call, true),
    ),
    &Route::delete(
        "/objects/{collection}/{id}/links/{relationship}/{target}",
        "links remove",
        "Removes a link between two objects.",
        |call| link(call, false),
    ),
];

const LINKED: Schema = Schema::Object(&[required(
    "value",
    &Schema::List(&Schema::Text),
    "The ids of the objects.",
)]);

fn kind(call: &Call<'_>) -> Result<Kind, ControlError> {
    Ok(collection_kind(call.parameter("collection"))?)
}

fn add(call: &Call<'_>) -> Outcome {
    let kind = kind(call)?;
    let mut state = call.engine().write();
    let id = state.insert_unrestricted(kind, call.body().clone())?;
    shapes::get(&state, kind, &id)
}

fn set(call: &Call<'_>) -> Outcome {
    let (kind, id) = (kind(call)?, call.parameter("id"));
    let mut state = call.engine().write();
    state.set_unrestricted(kind, id, call.properties_except(&[]))?;
    shapes::get(&state, kind, id)
}

fn remove(call: &Call<'_>) -> Outcome {
    let (kind, id) = (kind(call)?, call.parameter("id"));
    let mut state = call.engine().write();
    if !state.remove_unrestricted(kind, id) {
        return Err(shapes::not_found(kind, id));
    }
    Ok(json!(null))
}

fn relation(call: &Call<'_>) -> Result<Relation, ControlError> {
    let name = call.parameter("relationship");
    Relation::of_name(name).ok_or_else(|| {
        let known: Vec<&str> = Relation::ALL
            .iter()
            .map(|relation| relation.name())
            .collect();
        ControlError::new(
            404,
            "unknownRelationship",
            format!("there is no stored relationship {name:?}"),
            format!("use one of {}", known.join(", ")),
        )
    })
}

fn linked(call: &Call<'_>) -> Outcome {
    let (kind, relation) = (kind(call)?, relation(call)?);
    let state = call.engine().read();
    let id = shapes::id_of(&state, kind, call.parameter("id"))?;
    let ids: Vec<_> = state
        .store
        .linked_objects(relation, &id)
        .map(|(_, object)| object["id"].clone())
        .collect();
    Ok(json!({ "value": ids }))
}

fn link(call: &Call<'_>, wanted: bool) -> Outcome {
    let (kind, relation) = (kind(call)?, relation(call)?);
    let mut state = call.engine().write();
    let id = shapes::id_of(&state, kind, call.parameter("id"))?;
    set_link(&mut state, relation, &id, call.parameter("target"), wanted)
}

/// Adds or removes a link to an object of any type, which is named by its id or a user's principal name.
pub(super) fn set_link(
    state: &mut State,
    relation: Relation,
    from: &str,
    target: &str,
    wanted: bool,
) -> Outcome {
    let id = match state.store.any(target) {
        Some(_) => target.to_owned(),
        None => shapes::id_of(state, Kind::User, target)?,
    };
    match wanted {
        true => state.store.link(relation, from, &id),
        false if !state.store.unlink(relation, from, &id) => {
            return Err(ControlError::new(
                404,
                "notLinked",
                format!("there is no link from {from} to {id}"),
                "list the links of the object to see those that there are",
            ));
        }
        false => true,
    };
    let now = state.store.changes.now();
    state.inherit_licenses(now, &id);
    Ok(json!(null))
}
