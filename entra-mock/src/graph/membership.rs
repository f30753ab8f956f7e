//! The actions that return the groups of an object, all of them transitive.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{
    call::{Call, JSON, unsupported},
    lookup, payload, relations,
    route::{Action, Root, Route, guid},
};
use crate::{
    odata::GraphError,
    permissions::{authorize, sees_members},
    schema::Kind,
    store::Object,
    wire::Reply,
};

/// Responds to one action, sent with POST.
pub(super) fn respond(call: Call<'_>, route: &Route, action: Action) -> Result<Reply, GraphError> {
    let object = match &route.root {
        Root::Object(kind, _) => kind.entity().object_path(),
        Root::Any(_) => "/directoryObjects/{id}".to_owned(),
        Root::Set(_) | Root::AnySet | Root::DeletedSet(_) | Root::Deleted(_) => {
            return Err(unsupported(call.request));
        }
    };
    authorize(
        call.caller,
        "POST",
        &format!("{object}/{}", action.name()),
        lookup::is_own(call, &route.root),
    )?;
    let (kind, object) = lookup::find(call, &route.root)?;
    let body = body(call, action)?;
    let ids = match action {
        Action::GetMemberGroups | Action::GetMemberObjects => {
            listed(call, kind, object, &body, action)?
        }
        Action::CheckMemberGroups | Action::CheckMemberObjects => {
            checked(call, object, &body, action)?
        }
    };
    let body = json!({"@odata.context": call.context("Collection(Edm.String)"), "value": ids});
    Ok(Reply::new(200)
        .with_header("content-type", JSON)
        .with_body(body.to_string()))
}

fn listed(
    call: Call<'_>,
    kind: Kind,
    object: &Object,
    body: &Map<String, Value>,
    action: Action,
) -> Result<Vec<String>, GraphError> {
    let security_only = match body.get(action.parameter()) {
        None | Some(Value::Null) => false,
        Some(Value::Bool(only)) => *only,
        Some(_) => return Err(wrong_type(action, "Edm.Boolean")),
    };
    let principal = kind.entity().principal;
    if security_only && !principal.is_some_and(|form| form.checks_security_groups) {
        return Err(GraphError::bad_request(
            "To get security groups, the member must be a user.",
        ));
    }
    let ids: Vec<String> = containers(call, object, action, security_only)
        .map(str::to_owned)
        .take(MAX_RESULTS + 1)
        .collect();
    if ids.len() > MAX_RESULTS {
        return Err(GraphError::new(
            400,
            TOO_MANY_RESULTS,
            format!("The result has more than {MAX_RESULTS} entries, the maximum of this action."),
        ));
    }
    Ok(ids)
}

/// Returns those of the requested ids whose group has the object as a member, in the order of the
/// request.
fn checked(
    call: Call<'_>,
    object: &Object,
    body: &Map<String, Value>,
    action: Action,
) -> Result<Vec<String>, GraphError> {
    let name = action.parameter();
    let requested = match body.get(name) {
        None | Some(Value::Null) => return Err(missing(action)),
        Some(Value::Array(ids)) => ids,
        Some(_) => return Err(wrong_type(action, "Collection(Edm.String)")),
    };
    if requested.is_empty() || requested.len() > MAX_CHECKED {
        return Err(GraphError::bad_request(format!(
            "The parameter '{name}' must hold between 1 and {MAX_CHECKED} ids."
        )));
    }
    let mut ids: Vec<String> = Vec::with_capacity(requested.len());
    for id in requested {
        let id = id
            .as_str()
            .ok_or_else(|| wrong_type(action, "Collection(Edm.String)"))?;
        let id = guid(id)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let groups: HashSet<&str> = containers(call, object, action, false).collect();
    ids.retain(|id| groups.contains(id.as_str()));
    Ok(ids)
}

/// Returns the ids of every group that has the object as a member, directly or through other
/// groups, and for the `…Objects` actions of other objects that have it as a direct member.
fn containers<'a>(
    call: Call<'a>,
    object: &'a Object,
    action: Action,
    security_only: bool,
) -> impl Iterator<Item = &'a str> {
    let id = object.text("id").unwrap_or_default();
    let store = &call.state.store;
    let others = matches!(
        action,
        Action::GetMemberObjects | Action::CheckMemberObjects
    ) && !security_only;
    let others = others.then(|| relations::other_containers(store, id));
    relations::groups_above(store, id, security_only)
        .chain(others.into_iter().flatten())
        .filter(move |container| sees_members(call.caller, container))
        .filter_map(|container| container.text("id"))
}

/// Reads the parameters of an action and rejects unknown ones.
fn body(call: Call<'_>, action: Action) -> Result<Map<String, Value>, GraphError> {
    let parameters = if call.request.body.is_empty() {
        Map::new()
    } else {
        let json = call
            .request
            .header("content-type")
            .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/json"));
        if !json {
            return Err(malformed(
                "Write requests (excluding DELETE) must contain the Content-Type header declaration.",
            ));
        }
        payload::parse_object(&call.request.body)
            .ok_or_else(|| malformed("Unable to read JSON request payload."))?
    };
    match parameters.keys().find(|name| *name != action.parameter()) {
        Some(unknown) => Err(malformed(format!(
            "The parameter '{unknown}' in the request payload is not a valid parameter for the operation '{}'.",
            action.name()
        ))),
        None => Ok(parameters),
    }
}

fn missing(action: Action) -> GraphError {
    malformed(format!(
        "The parameter '{}' of the operation '{}' is missing.",
        action.parameter(),
        action.name()
    ))
}

fn wrong_type(action: Action, expected: &str) -> GraphError {
    malformed(format!(
        "The parameter '{}' of the operation '{}' is not of the type {expected}.",
        action.parameter(),
        action.name()
    ))
}

fn malformed(message: impl Into<String>) -> GraphError {
    GraphError::new(400, "BadRequest", message)
}

/// The maximum number of ids in one check.
const MAX_CHECKED: usize = 20;

/// The maximum number of groups in one response.
const MAX_RESULTS: usize = 11_000;

/// The spelling of the action's own pages. The list of directory error codes has no underscore.
const TOO_MANY_RESULTS: &str = "Directory_ResultSizeLimitExceeded";
