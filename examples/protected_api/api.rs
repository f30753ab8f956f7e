//! The API: its routes and who may call them. Nothing here knows of a fake tenant.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    routing::get,
};
use entra_auth::{
    TokenValidator,
    validate::ValidatedToken,
    web::{BearerAuthLayer, Caller},
};
use serde_json::{Value, json};

/// What people may do with their own tasks.
pub(crate) const READ: &str = "Tasks.Read";
pub(crate) const WRITE: &str = "Tasks.Write";
/// What a service may do with everybody's, by an application permission.
pub(crate) const READ_ALL: &str = "Tasks.Read.All";
/// An app role that people are assigned to.
pub(crate) const ADMIN: &str = "Tasks.Admin";

pub(crate) fn routes(validator: TokenValidator) -> Router {
    let tokens = BearerAuthLayer::new(validator);
    let read = tokens.clone().scopes([READ, WRITE]);
    let write = tokens.clone().scopes([WRITE]);
    let services = tokens.clone().app_permissions([READ_ALL]);
    let admins = tokens.scopes([READ]).roles([ADMIN]);
    let guarded = |path, method, tokens| Router::new().route(path, method).route_layer(tokens);
    Router::new()
        .merge(guarded("/tasks", get(mine), read))
        .merge(guarded("/tasks", axum::routing::post(add), write))
        .merge(guarded("/export", get(everybodys), services))
        .merge(guarded("/people", get(people), admins))
        .layer(DefaultBodyLimit::max(1024))
        .with_state(Tasks::default())
}

/// The tasks of the person who calls.
async fn mine(State(tasks): State<Tasks>, caller: Caller) -> Json<Value> {
    let owner = owner(caller.token());
    Json(json!({ "tasks": tasks.open().get(&owner).cloned().unwrap_or_default() }))
}

/// One more for the person who calls: the text that was sent.
async fn add(State(tasks): State<Tasks>, caller: Caller, text: String) -> StatusCode {
    let owner = owner(caller.token());
    tasks.open().entry(owner).or_default().push(text);
    StatusCode::CREATED
}

/// Everything, for a service of its own.
async fn everybodys(State(tasks): State<Tasks>) -> Json<Value> {
    Json(json!({ "tasks": tasks.open().clone() }))
}

/// Who has tasks, for an administrator.
async fn people(State(tasks): State<Tasks>) -> Json<Value> {
    let people: Vec<String> = tasks.open().keys().cloned().collect();
    Json(json!({ "people": people }))
}

/// Tenant and object id together: what belongs to a person is kept under nothing else.
fn owner(token: &ValidatedToken) -> String {
    let part = |id: Option<String>| id.unwrap_or_default();
    let tenant = part(token.tid().map(|id| id.to_string()));
    format!("{tenant}/{}", part(token.oid().map(|id| id.to_string())))
}

/// A table, in place of a database.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<BTreeMap<String, Vec<String>>>>);

impl Tasks {
    fn open(&self) -> MutexGuard<'_, BTreeMap<String, Vec<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
