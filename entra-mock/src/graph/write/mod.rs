//! Requests that change something.
//!
//! A request is first read and checked against the tenant as it is; that gives a [`Plan`]. Only then
//! is anything changed, all of it, under the same lock. So a request that fails changes nothing.

use std::sync::Arc;

use entra_core::Timestamp;
use serde_json::Value;

use super::{
    Call, read,
    route::{Root, Route, Target},
    unsupported,
};
use crate::{
    odata::Refusal,
    permissions::{self, Caller, Reach},
    schema::Relation,
    state::State,
    store::{Actor, Kind, Object, Photo},
    wire::{Reply, WireRequest},
};

mod access;
mod audit;
mod body;
mod create;
mod delete;
mod directory_objects;
mod extension;
mod group;
mod license;
mod password;
mod photo;
mod reference;
mod session;
mod update;
mod user;

/// What a checked request does.
#[derive(Debug)]
struct Plan {
    steps: Vec<Step>,
    activity: Option<Activity>,
    answer: Answer,
}

/// One change.
#[derive(Debug)]
enum Step {
    Insert(Kind, Object),
    /// New values of properties; `None` takes one away.
    Update(Kind, String, Vec<(String, Option<Value>)>),
    Delete(Kind, String),
    Restore(String),
    Purge(String),
    Link(Relation, String, String),
    Unlink(Relation, String, String),
    RevokeSessions(String),
    Photo(String, Option<Photo>),
}

/// What the directory's audit log calls it.
#[derive(Clone, Copy, Debug)]
struct Activity {
    name: &'static str,
    category: &'static str,
    operation: &'static str,
}

/// What the client gets.
#[derive(Debug)]
enum Answer {
    NoContent,
    /// 200 without a body.
    Empty,
    /// An object as it is afterwards.
    Object {
        status: u16,
        id: String,
        /// With its type, as one of several that it could be.
        typed: bool,
    },
    Json(u16, Value),
}

impl Step {
    /// The object that is changed, before it is.
    fn subject(&self, state: &State) -> Option<(Kind, String)> {
        match self {
            Self::Insert(kind, object) => Some((*kind, object["id"].as_str()?.to_owned())),
            Self::Update(kind, id, _) | Self::Delete(kind, id) => Some((*kind, id.clone())),
            Self::Restore(id) | Self::Purge(id) => {
                state.store.deleted(id).map(|(kind, _)| (kind, id.clone()))
            }
            Self::Link(_, id, _)
            | Self::Unlink(_, id, _)
            | Self::RevokeSessions(id)
            | Self::Photo(id, _) => Some((state.store.kind_of(id)?, id.clone())),
        }
    }
}

impl Plan {
    fn new(answer: Answer) -> Self {
        Self {
            steps: Vec::new(),
            activity: None,
            answer,
        }
    }

    fn with(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    fn known_as(mut self, category: &'static str, name: &'static str) -> Self {
        let operation = match name.split(' ').next() {
            Some("Add" | "Restore") => "Add",
            Some("Delete" | "Hard") => "Delete",
            Some("Remove") => "Unassign",
            _ => "Update",
        };
        self.activity = Some(Activity {
            name,
            category,
            operation,
        });
        self
    }
}

/// Checks a request, changes what it says, and answers.
pub(super) fn respond(
    state: &mut State,
    now: Timestamp,
    request: &WireRequest,
    caller: &Caller,
    route: &Route,
) -> Result<Reply, Refusal> {
    let plan = plan(Call::new(state, now, caller, request), route)?;
    state.store.changes.stamp(now, Some(actor(caller)));
    let first = state.store.changes.next();
    let subject = plan.steps.first().and_then(|step| step.subject(state));
    for step in plan.steps {
        apply(state, now, step);
    }
    if let (Some(activity), Some(subject)) = (plan.activity, subject) {
        audit::record(state, now, caller, activity, &subject, first);
    }
    finish(Call::new(state, now, caller, request), plan.answer)
}

fn plan(call: Call<'_>, route: &Route) -> Result<Plan, Refusal> {
    match (call.request.method.as_str(), &route.root, &route.target) {
        ("POST", Root::Set(kind), Target::List { .. }) => create::plan(call, *kind),
        ("PATCH", Root::Object(kind, key), Target::Object) => {
            update::plan(call, &route.root, *kind, key)
        }
        ("DELETE", Root::Object(..) | Root::Any(_), Target::Object) => {
            delete::plan(call, &route.root)
        }
        ("DELETE", Root::Deleted(id), Target::Object) => delete::purge(call, id),
        ("POST", Root::Deleted(id), Target::Command("restore")) => delete::restore(call, id),
        (
            "POST" | "PUT" | "DELETE",
            Root::Object(kind, _),
            Target::Reference { relationship, id },
        ) => reference::plan(call, &route.root, *kind, relationship, id.as_deref()),
        (_, Root::Object(kind, _), Target::Photo(path)) => {
            photo::plan(call, &route.root, *kind, path)
        }
        (_, Root::Object(kind, _), Target::Extensions(id)) => {
            extension::plan(call, &route.root, *kind, id.as_deref())
        }
        ("POST", Root::AnySet, Target::Command(command)) => match *command {
            "getByIds" => directory_objects::get_by_ids(call),
            "validateProperties" => directory_objects::validate_new(call),
            _ => Err(unsupported(call.request)),
        },
        ("POST", Root::Object(kind, _), Target::Command(command)) => match *command {
            "validateProperties" => directory_objects::validate_existing(call, &route.root, *kind),
            "revokeSignInSessions" => session::revoke(call, &route.root, *kind),
            "changePassword" => password::change(call, &route.root, *kind),
            "assignLicense" => license::assign(call, &route.root, *kind),
            "reprocessLicenseAssignment" => license::reprocess(call, &route.root, *kind),
            "renew" => group::renew(call, &route.root, *kind),
            _ => Err(unsupported(call.request)),
        },
        _ => Err(unsupported(call.request)),
    }
}

/// Everything was checked, so no step can fail.
fn apply(state: &mut State, now: Timestamp, step: Step) {
    let done = match step {
        Step::Insert(kind, object) => state.store.insert(kind, object).is_ok(),
        Step::Update(kind, id, values) => state.store.update(kind, &id, |object| {
            for (name, value) in values {
                match value {
                    Some(value) => object.insert(name, value),
                    None => object.remove(&name),
                };
            }
        }),
        Step::Delete(kind, id) => state.delete(kind, &id),
        Step::Restore(id) => state.restore(&id).is_ok(),
        Step::Purge(id) => state.store.purge(&id),
        Step::Link(relation, from, to) => state.store.link(relation, &from, &to),
        Step::Unlink(relation, from, to) => state.store.unlink(relation, &from, &to),
        Step::RevokeSessions(id) => state.revoke_sessions(now, &id),
        Step::Photo(id, photo) => {
            state.store.set_photo(&id, photo);
            true
        }
    };
    debug_assert!(done, "a checked step failed");
}

fn finish(call: Call<'_>, answer: Answer) -> Result<Reply, Refusal> {
    match answer {
        Answer::NoContent => Ok(Reply::new(204)),
        Answer::Empty => Ok(Reply::new(200)),
        Answer::Json(status, value) => Ok(Reply::json(status, &value)),
        Answer::Object { status, id, typed } => {
            let (kind, object) = call
                .state
                .store
                .any(&id)
                .ok_or_else(|| Refusal::not_found(&id))?;
            let set = if typed {
                "directoryObjects"
            } else {
                kind.entity().set
            };
            // Who may write an object is shown what was written.
            let reach = Reach::Everything;
            let mut reply = read::render_up_to(call, kind, object, set, typed, false, reach)?;
            reply.status = status;
            if status == 201 {
                let class = kind.entity().title();
                let location = format!(
                    "{}/v2/{}/directoryObjects/{id}/Microsoft.DirectoryServices.{class}",
                    call.request.base, call.state.tenant_id
                );
                reply = reply.with_header("location", location);
            }
            Ok(reply)
        }
    }
}

fn actor(caller: &Caller) -> Arc<Actor> {
    Arc::new(Actor {
        app_id: caller.app_id.clone(),
        service_principal_id: caller.service_principal_id.clone(),
        user_id: caller.user_id.clone(),
    })
}

/// Lets a caller send a method to a path below an object, or to the object itself, and finds it.
fn target<'a>(
    call: Call<'a>,
    root: &Root,
    kind: Kind,
    below: &str,
) -> Result<(&'a Object, &'a str, bool), Refusal> {
    let path = format!("{}{below}", kind.entity().object_path());
    let own = read::is_own(call, root);
    if permissions::operation(&call.request.method, &path).is_none() {
        return Err(unsupported(call.request));
    }
    permissions::authorize(call.caller, &call.request.method, &path, own)?;
    let (_, object) = read::find(call, root)?;
    let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
    Ok((object, id, own))
}
