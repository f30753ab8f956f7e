//! The actions of `/directoryObjects`: objects by id and the validation of names, also for groups.

use serde_json::{Map, Value, json};

use super::{
    super::{
        call::Call,
        extension,
        projection::{Projection, RenderOptions},
        route::{self, Root},
        rows::EvalContext,
    },
    body::{json as body, malformed},
    plan::{Plan, PlannedResponse},
    target::target,
};
use crate::{
    odata::{Detail, GraphError},
    permissions::{access_level, authorize},
    schema::Kind,
    store::Object,
};

/// `getByIds`: returns the objects with these ids and types. Unknown ids are omitted.
pub(super) fn get_by_ids(call: Call<'_>) -> Result<Plan, GraphError> {
    authorize(call.caller, "POST", "/directoryObjects/getByIds", false)?;
    let body = body(call)?;
    // PnPjs sends a number as `type`, which Graph ignores.
    check_parameters(&body, "getByIds", &["ids", "types", "type"])?;
    let ids = texts(&body, "ids")?
        .ok_or_else(|| malformed("The parameter 'ids' of the operation 'getByIds' is missing."))?;
    if ids.is_empty() || ids.len() > MAX_IDS {
        return Err(GraphError::bad_request(format!(
            "The parameter 'ids' must hold between 1 and {MAX_IDS} ids."
        )));
    }
    let types = match texts(&body, "types")? {
        None => None,
        Some(names) => {
            let kinds: Result<Vec<Option<Kind>>, GraphError> =
                names.iter().map(|name| kind(name)).collect();
            let kinds = kinds?;
            // `directoryObject` means every type.
            (!kinds.contains(&None)).then(|| kinds.into_iter().flatten().collect::<Vec<_>>())
        }
    };
    let mut items = Vec::new();
    let mut seen = Vec::new();
    for id in ids {
        let id = route::guid(id)?;
        let found = call.state.store.any(&id).filter(|(kind, _)| {
            kind.entity().object && types.as_ref().is_none_or(|types| types.contains(kind))
        });
        if let Some((kind, object)) = found.filter(|_| !seen.contains(&id)) {
            items.push(shown(call, kind, object)?);
            seen.push(id);
        }
    }
    let context = call.context("directoryObjects");
    let response = json!({ "@odata.context": context, "value": items });
    Ok(Plan::new(PlannedResponse::Json(200, response)))
}

/// `getAvailableExtensionProperties`: the directory extensions of all applications of the tenant.
pub(super) fn available_extensions(call: Call<'_>) -> Result<Plan, GraphError> {
    let path = "/directoryObjects/getAvailableExtensionProperties";
    authorize(call.caller, "POST", path, false)?;
    let body = body(call)?;
    let parameter = "isSyncedFromOnPremises";
    check_parameters(&body, "getAvailableExtensionProperties", &[parameter])?;
    let synced = match body.get(parameter) {
        None | Some(Value::Null) => None,
        Some(Value::Bool(synced)) => Some(*synced),
        Some(_) => {
            return Err(malformed(
                "The value of 'isSyncedFromOnPremises' is not a Boolean.",
            ));
        }
    };
    let items: Vec<Value> = extension::all(call)
        .filter(|item| synced.is_none_or(|synced| item[parameter] == synced))
        .collect();
    let context = call.context("Collection(extensionProperty)");
    let response = json!({ "@odata.context": context, "value": items });
    Ok(Plan::new(PlannedResponse::Json(200, response)))
}

/// `validateProperties` of a new group.
pub(super) fn validate_new(call: Call<'_>) -> Result<Plan, GraphError> {
    authorize(
        call.caller,
        "POST",
        "/directoryObjects/validateProperties",
        false,
    )?;
    let body = body(call)?;
    let entity_type = body.get("entityType").and_then(Value::as_str);
    if entity_type.is_none_or(|name| !name.eq_ignore_ascii_case("group")) {
        return Err(GraphError::bad_request(
            "The parameter 'entityType' must be 'Group'.",
        ));
    }
    validate(call, &body, None)
}

/// `validateProperties` of an existing group.
pub(super) fn validate_existing(
    call: Call<'_>,
    root: &Root,
    kind: Kind,
) -> Result<Plan, GraphError> {
    let (_, id, _) = target(call, root, kind, "/validateProperties")?;
    let body = body(call)?;
    if body.contains_key("entityType") {
        return Err(unknown("entityType", "validateProperties"));
    }
    validate(call, &body, Some(id))
}

/// Returns a conflict with the alias of another group. The tenant has no naming policy.
fn validate(
    call: Call<'_>,
    body: &Map<String, Value>,
    own: Option<&str>,
) -> Result<Plan, GraphError> {
    let known = [
        "entityType",
        "displayName",
        "mailNickname",
        "onBehalfOfUserId",
    ];
    check_parameters(body, "validateProperties", &known)?;
    for name in known {
        if body
            .get(name)
            .is_some_and(|value| !value.is_string() && !value.is_null())
        {
            return Err(malformed(format!(
                "The parameter '{name}' of the operation 'validateProperties' is not of the type Edm.String."
            )));
        }
    }
    if let Some(user) = body.get("onBehalfOfUserId").and_then(Value::as_str) {
        let user = route::guid(user)?;
        if call.state.store.get(Kind::User, &user).is_none() {
            return Err(GraphError::not_found(&user));
        }
    }
    let Some(alias) = body.get("mailNickname").and_then(Value::as_str) else {
        return Ok(Plan::new(PlannedResponse::NoContent));
    };
    let same = |group: &&Object| {
        let text = |name: &str| group.get(name).and_then(Value::as_str);
        text("id") != own
            && text("mailNickname").is_some_and(|other| other.eq_ignore_ascii_case(alias))
    };
    if call.state.store.all(Kind::Group).find(same).is_none() {
        return Ok(Plan::new(PlannedResponse::NoContent));
    }
    let mut error = GraphError::new(
        422,
        "Request_UnprocessableEntity",
        "The values provided contain one or more validation errors.",
    );
    error.details.push(Detail {
        code: "PropertyConflict",
        message: "Another object with the same value for property mailNickname already exists."
            .to_owned(),
        target: "mailNickname".to_owned(),
    });
    Err(error)
}

pub(super) fn shown(call: Call<'_>, kind: Kind, object: &Object) -> Result<Value, GraphError> {
    let mut out = Vec::new();
    let options = RenderOptions {
        context: None,
        typed: true,
        access_level: access_level(call.caller, kind, object),
    };
    Projection::new(kind, None, false)?.open(&mut out, object, options, &EvalContext::of(call));
    out.push(b'}');
    Ok(serde_json::from_slice(&out).unwrap_or_default())
}

/// Returns the kind of a type name, or `None` for `directoryObject`.
fn kind(name: &str) -> Result<Option<Kind>, GraphError> {
    let name = name.trim_start_matches("microsoft.graph.");
    if name.eq_ignore_ascii_case("directoryObject") {
        return Ok(None);
    }
    let kind = Kind::of_type(name);
    kind.map(Some).ok_or_else(|| {
        GraphError::bad_request(format!("Invalid resource type '{name}' specified."))
    })
}

/// Reads a parameter that is a list of strings.
fn texts<'a>(body: &'a Map<String, Value>, name: &str) -> Result<Option<Vec<&'a str>>, GraphError> {
    let wrong = || {
        malformed(format!(
            "The parameter '{name}' of the operation 'getByIds' is not of the type Collection(Edm.String)."
        ))
    };
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            texts.map(Some).ok_or_else(wrong)
        }
        Some(_) => Err(wrong()),
    }
}

pub(super) fn check_parameters(
    body: &Map<String, Value>,
    operation: &str,
    known: &[&str],
) -> Result<(), GraphError> {
    match body.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(unknown(name, operation)),
        None => Ok(()),
    }
}

fn unknown(name: &str, operation: &str) -> GraphError {
    malformed(format!(
        "The parameter '{name}' in the request payload is not a valid parameter for the operation '{operation}'."
    ))
}

/// The maximum number of ids in one request.
const MAX_IDS: usize = 1_000;
