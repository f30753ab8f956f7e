//! The API: its routes and who may call them. Nothing here depends on the fake tenant.

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
    entra_core::{Guid, ObjectId},
    validate::ValidatedToken,
    web::{BearerAuthLayer, Caller},
};
use serde_json::{Value, json};

/// Delegated permissions: users read and write their own tasks.
pub(crate) const READ: &str = "Tasks.Read";
pub(crate) const WRITE: &str = "Tasks.Write";
/// An application permission: an application reads the tasks of all users.
pub(crate) const READ_ALL: &str = "Tasks.Read.All";
/// An app role that users are assigned to.
pub(crate) const ADMIN: &str = "Tasks.Admin";

pub(crate) fn routes(validator: TokenValidator) -> Router {
    let tokens = BearerAuthLayer::new(validator);
    let read = tokens.clone().scopes([READ, WRITE]);
    let write = tokens.clone().scopes([WRITE]);
    let applications = tokens.clone().app_permissions([READ_ALL]);
    let admins = tokens.scopes([READ]).roles([ADMIN]);
    let guarded = |path, method, tokens| Router::new().route(path, method).route_layer(tokens);
    Router::new()
        .merge(guarded("/tasks", get(own_tasks), read))
        .merge(guarded("/tasks", axum::routing::post(add), write))
        .merge(guarded("/export", get(export), applications))
        .merge(guarded("/users", get(users), admins))
        .layer(DefaultBodyLimit::max(1024))
        .with_state(Tasks::default())
}

/// The tasks of the calling user.
async fn own_tasks(State(tasks): State<Tasks>, caller: Caller) -> Result<Json<Value>, NoUser> {
    let owner = owner(caller.token())?;
    let own = tasks.lock().get(&owner).cloned().unwrap_or_default();
    Ok(Json(json!({ "tasks": own })))
}

/// Adds a task with the text of the body for the calling user.
async fn add(
    State(tasks): State<Tasks>,
    caller: Caller,
    text: String,
) -> Result<StatusCode, NoUser> {
    let owner = owner(caller.token())?;
    tasks.lock().entry(owner).or_default().push(text);
    Ok(StatusCode::CREATED)
}

/// The tasks of all users, for an application.
async fn export(State(tasks): State<Tasks>) -> Json<Value> {
    Json(json!({ "tasks": tasks.lock().clone() }))
}

/// The users that have tasks, for an administrator.
async fn users(State(tasks): State<Tasks>) -> Json<Value> {
    let users: Vec<String> = tasks.lock().keys().cloned().collect();
    Json(json!({ "users": users }))
}

/// The response to a caller who has no tasks, since the token names no user.
type NoUser = (StatusCode, &'static str);

/// Tenant ID and object ID, the key of a user's data. Names and addresses change.
fn owner(token: &ValidatedToken) -> Result<String, NoUser> {
    key(token.tid(), token.oid())
}

/// An id in place of a missing one would be the same for all callers without it, who would share their data.
pub(crate) fn key(tenant: Option<Guid>, user: Option<ObjectId>) -> Result<String, NoUser> {
    match (tenant, user) {
        (Some(tenant), Some(user)) => Ok(format!("{tenant}/{user}")),
        _ => Err((StatusCode::FORBIDDEN, "the token names no user")),
    }
}

/// The tasks by owner, in place of a database.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<BTreeMap<String, Vec<String>>>>);

impl Tasks {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
