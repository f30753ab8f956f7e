//! Agent identities and agent users of Microsoft Entra Agent ID.

use entra_core::Secret;
use serde_json::{Map, Value, json};

use super::{
    super::{
        call::Call,
        error::Outcome,
        route::Route,
        schema::{Schema, optional, required},
    },
    access::{grant_role, grant_scope},
    shapes::{self, OBJECT, app},
};
use crate::{
    directory::GRAPH_APP_ID,
    login::{self, PARENT},
    standalone::users,
    store::Kind,
};

pub(super) const ROUTES: &[&Route] = &[
    &Route::post(
        "/agent-identities",
        "agent-identities add",
        "Adds an agent identity of a blueprint, which is an application: a service principal without credentials.",
        add_identity,
    )
    .taking(&Schema::Object(&[
        required("blueprint", &Schema::Text, "The application, by object id, client id or display name."),
        required("displayName", &Schema::Text, "The name."),
        optional(
            "applicationPermissions",
            &Schema::List(&Schema::Text),
            "Application permissions of Microsoft Graph, with admin consent.",
        ),
        optional(
            "delegatedPermissions",
            &Schema::List(&Schema::Text),
            "Delegated permissions of Microsoft Graph, with admin consent.",
        ),
    ]))
    .with_positional(&["blueprint", "displayName"])
    .creating(&Schema::Object(&[
        required("appId", &Schema::Text, "The client id: fmi_path of the exchange token."),
        required("servicePrincipalId", &Schema::Text, "The object id of the service principal."),
    ])),
    &Route::post(
        "/agent-users",
        "agent-users add",
        "Adds the agent user of an agent identity, who signs in by the grant user_fic only.",
        add_user,
    )
    .taking(&Schema::Object(&[
        required("agentIdentity", &Schema::Text, "The agent identity, by client id or display name."),
        required("displayName", &Schema::Text, "The name. The user principal name follows from it."),
    ]))
    .with_positional(&["agentIdentity", "displayName"])
    .creating(&OBJECT),
];

fn add_identity(call: &Call<'_>) -> Outcome {
    let text = |name: &str| call.text(name).unwrap_or_default();
    let now = call.tenant.now();
    let mut state = call.engine().write();
    let blueprint = app(&state, text("blueprint"))?.app_id;
    let ids = login::add_agent_identity(&mut state, &blueprint, text("displayName"));
    let principal = &ids.service_principal_id;
    let granted = call
        .texts("applicationPermissions")
        .iter()
        .try_for_each(|name| grant_role(&mut state, now, principal, GRAPH_APP_ID, name).map(drop))
        .and_then(|()| {
            call.texts("delegatedPermissions")
                .iter()
                .try_for_each(|name| {
                    grant_scope(&mut state, principal, GRAPH_APP_ID, name, None).map(drop)
                })
        });
    if let Err(error) = granted {
        state.delete(Kind::ServicePrincipal, principal);
        return Err(error);
    }
    Ok(json!({ "appId": ids.app_id, "servicePrincipalId": principal }))
}

fn add_user(call: &Call<'_>) -> Outcome {
    let text = |name: &str| call.text(name).unwrap_or_default();
    let now = call.tenant.now();
    let mut state = call.engine().write();
    let agent = shapes::id_of(&state, Kind::ServicePrincipal, text("agentIdentity"))?;
    let properties = Map::from_iter([(PARENT.to_owned(), Value::from(agent))]);
    // The password is not known, so the grant is the only way in.
    let password = Secret::from(state.random.token(32));
    let id = users::add(&mut state, now, text("displayName"), properties, &password)?;
    shapes::get(&state, Kind::User, &id)
}
