//! Groups and their members.

use serde_json::Value;

use super::{
    super::{
        call::Call,
        error::{ControlError, Outcome},
        route::Route,
        schema::{Schema, required},
    },
    objects::set_link,
    shapes::{self, OBJECT, OBJECTS, PROPERTIES},
};
use crate::{
    directory::SeedError,
    state::State,
    store::{Kind, Relation},
};

pub(super) const ROUTES: &[&Route] = &[
    &Route::get(
        "/groups",
        "groups list",
        "Lists the groups.",
        &OBJECTS,
        |call| Ok(shapes::list(&call.engine().read(), Kind::Group)),
    ),
    &Route::post(
        "/groups",
        "groups add",
        "Adds a security group. Every property of a group in Microsoft Graph can be set.",
        add,
    )
    .taking(&NEW_GROUP)
    .with_positional(&["displayName"])
    .creating(&OBJECT),
    &Route::get(
        "/groups/{group}",
        "groups get",
        "Returns a group, by id or display name.",
        &OBJECT,
        |call| {
            let state = call.engine().read();
            shapes::get(&state, Kind::Group, &id(&state, call)?)
        },
    ),
    &Route::patch(
        "/groups/{group}",
        "groups set",
        "Sets properties of a group. Null removes one.",
        change,
    )
    .taking(&PROPERTIES)
    .returning(&OBJECT),
    &Route::delete(
        "/groups/{group}",
        "groups remove",
        "Deletes a group, as Microsoft Graph does.",
        |call| {
            let mut state = call.engine().write();
            let id = id(&state, call)?;
            state.delete(Kind::Group, &id);
            Ok(Value::Null)
        },
    ),
    &Route::put(
        "/groups/{group}/members/{member}",
        "members add",
        "Adds a member of any type, by id or user principal name.",
        |call| link(call, Relation::Members, "member", true),
    ),
    &Route::delete(
        "/groups/{group}/members/{member}",
        "members remove",
        "Removes a member.",
        |call| link(call, Relation::Members, "member", false),
    ),
    &Route::put(
        "/groups/{group}/owners/{owner}",
        "owners add",
        "Adds an owner, by id or user principal name.",
        |call| link(call, Relation::Owners, "owner", true),
    ),
    &Route::delete(
        "/groups/{group}/owners/{owner}",
        "owners remove",
        "Removes an owner.",
        |call| link(call, Relation::Owners, "owner", false),
    ),
];

const NEW_GROUP: Schema = Schema::Named(
    "NewGroup",
    &Schema::Open(&[required("displayName", &Schema::Text, "The name.")]),
);

fn id(state: &State, call: &Call<'_>) -> Result<String, ControlError> {
    shapes::id_of(state, Kind::Group, call.parameter("group"))
}

fn add(call: &Call<'_>) -> Outcome {
    let name = call.text("displayName").unwrap_or_default();
    let now = call.tenant.now();
    let mut state = call.engine().write();
    let id = state.add_group(now, name, None).map_err(SeedError::from)?;
    let properties = call.properties_except(&["displayName"]);
    if let Err(error) = state.set_unrestricted(Kind::Group, &id, properties) {
        state.store.remove(Kind::Group, &id);
        return Err(error.into());
    }
    shapes::get(&state, Kind::Group, &id)
}

fn change(call: &Call<'_>) -> Outcome {
    let mut state = call.engine().write();
    let id = id(&state, call)?;
    state.set_unrestricted(Kind::Group, &id, call.properties_except(&[]))?;
    shapes::get(&state, Kind::Group, &id)
}

fn link(call: &Call<'_>, relation: Relation, parameter: &str, wanted: bool) -> Outcome {
    let mut state = call.engine().write();
    let id = id(&state, call)?;
    set_link(&mut state, relation, &id, call.parameter(parameter), wanted)
}
