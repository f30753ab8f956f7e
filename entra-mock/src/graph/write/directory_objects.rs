//! The actions of `/directoryObjects`, and what they share with groups: objects by id, checks of names.

use serde_json::{Map, Value, json};

use super::{
    super::{
        Call, membership,
        route::Root,
        rows::Around,
        shape::{Look, Shape},
    },
    Answer, Plan,
    body::{json as body, malformed},
    target,
};
use crate::{
    odata::{Detail, Refusal},
    permissions::{authorize, reach},
    schema::Kind,
    store::Object,
};

/// `getByIds`: the objects of these ids, of these types; ids that nothing has are left out.
pub(super) fn get_by_ids(call: Call<'_>) -> Result<Plan, Refusal> {
    authorize(call.caller, "POST", "/directoryObjects/getByIds", false)?;
    let body = body(call)?;
    check_parameters(&body, "getByIds", &["ids", "types"])?;
    let ids = texts(&body, "ids")?
        .ok_or_else(|| malformed("The parameter 'ids' of the operation 'getByIds' is missing."))?;
    if ids.is_empty() || ids.len() > MOST_IDS {
        return Err(Refusal::bad_request(format!(
            "The parameter 'ids' must hold between 1 and {MOST_IDS} ids."
        )));
    }
    let types = match texts(&body, "types")? {
        None => None,
        Some(names) => {
            let kinds: Result<Vec<Option<Kind>>, Refusal> =
                names.iter().map(|name| kind(name)).collect();
            let kinds = kinds?;
            // `directoryObject` means every type.
            (!kinds.contains(&None)).then(|| kinds.into_iter().flatten().collect::<Vec<_>>())
        }
    };
    let mut items = Vec::new();
    let mut seen = Vec::new();
    for id in ids {
        let id = membership::guid(id)?;
        let found = call.state.store.any(&id).filter(|(kind, _)| {
            kind.entity().object && types.as_ref().is_none_or(|types| types.contains(kind))
        });
        if let Some((kind, object)) = found.filter(|_| !seen.contains(&id)) {
            items.push(shown(call, kind, object)?);
            seen.push(id);
        }
    }
    let context = call.context("directoryObjects");
    let answer = json!({ "@odata.context": context, "value": items });
    Ok(Plan::new(Answer::Json(200, answer)))
}

/// `validateProperties` of a group that does not exist yet.
pub(super) fn validate_new(call: Call<'_>) -> Result<Plan, Refusal> {
    authorize(
        call.caller,
        "POST",
        "/directoryObjects/validateProperties",
        false,
    )?;
    let body = body(call)?;
    let entity_type = body.get("entityType").and_then(Value::as_str);
    if entity_type.is_none_or(|name| !name.eq_ignore_ascii_case("group")) {
        return Err(Refusal::bad_request(
            "The parameter 'entityType' must be 'Group'.",
        ));
    }
    validate(call, &body, None)
}

/// `validateProperties` of a group that exists.
pub(super) fn validate_existing(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, Refusal> {
    let (_, id, _) = target(call, root, kind, "/validateProperties")?;
    let body = body(call)?;
    if body.contains_key("entityType") {
        return Err(unknown("entityType", "validateProperties"));
    }
    validate(call, &body, Some(id))
}

/// The tenant has no naming policy, so only an alias that another group has is invalid.
fn validate(call: Call<'_>, body: &Map<String, Value>, own: Option<&str>) -> Result<Plan, Refusal> {
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
        let user = membership::guid(user)?;
        if call.state.store.get(Kind::User, &user).is_none() {
            return Err(Refusal::not_found(&user));
        }
    }
    let Some(alias) = body.get("mailNickname").and_then(Value::as_str) else {
        return Ok(Plan::new(Answer::NoContent));
    };
    let same = |group: &&Object| {
        let text = |name: &str| group.get(name).and_then(Value::as_str);
        text("id") != own
            && text("mailNickname").is_some_and(|other| other.eq_ignore_ascii_case(alias))
    };
    if call.state.store.all(Kind::Group).find(same).is_none() {
        return Ok(Plan::new(Answer::NoContent));
    }
    let mut refusal = Refusal::new(
        422,
        "Request_UnprocessableEntity",
        "The values provided contain one or more validation errors.",
    );
    refusal.details.push(Detail {
        code: "PropertyConflict",
        message: "Another object with the same value for property mailNickname already exists."
            .to_owned(),
        target: "mailNickname".to_owned(),
    });
    Err(refusal)
}

fn shown(call: Call<'_>, kind: Kind, object: &Object) -> Result<Value, Refusal> {
    let mut out = Vec::new();
    let look = Look {
        context: None,
        typed: true,
        reach: reach(call.caller, kind, object),
    };
    Shape::new(kind, None, false)?.open(&mut out, object, look, &Around(&call.state.store));
    out.push(b'}');
    Ok(serde_json::from_slice(&out).unwrap_or_default())
}

/// The kind of a type's name, `None` for the base of all.
fn kind(name: &str) -> Result<Option<Kind>, Refusal> {
    let name = name.trim_start_matches("microsoft.graph.");
    if name.eq_ignore_ascii_case("directoryObject") {
        return Ok(None);
    }
    let kind = Kind::of_type(name);
    kind.map(Some)
        .ok_or_else(|| Refusal::bad_request(format!("Invalid resource type '{name}' specified.")))
}

/// A parameter that is a list of texts.
fn texts<'a>(body: &'a Map<String, Value>, name: &str) -> Result<Option<Vec<&'a str>>, Refusal> {
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

fn check_parameters(
    body: &Map<String, Value>,
    operation: &str,
    known: &[&str],
) -> Result<(), Refusal> {
    match body.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(unknown(name, operation)),
        None => Ok(()),
    }
}

fn unknown(name: &str, operation: &str) -> Refusal {
    malformed(format!(
        "The parameter '{name}' in the request payload is not a valid parameter for the operation '{operation}'."
    ))
}

/// How many ids one request takes.
const MOST_IDS: usize = 1_000;
