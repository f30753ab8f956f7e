//! Certificates of applications: `addKey` and `removeKey` with proof of possession, and the whole
//! list in an update.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    super::{Call, membership, read, route::Root, unsourced, unsupported},
    Plan, PlannedResponse, Step, access, app_policy,
    body::{invalid, json as body, malformed},
    directory_objects::check_parameters,
    target,
};
use crate::{
    login::{Certificate, proves_possession},
    odata::GraphError,
    store::{Kind, Object},
    time::ticks,
};

/// `addKey`: adds a certificate.
pub(super) fn add(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (object, id) = authorized(call, root, kind, "/addKey")?;
    let body = body(call)?;
    check_parameters(
        &body,
        "addKey",
        &["keyCredential", "passwordCredential", "proof"],
    )?;
    check_proof(call, object, body.get("proof"), "addKey")?;
    let credential = body
        .get("keyCredential")
        .filter(|value| value.is_object())
        .ok_or_else(|| missing("keyCredential", "addKey"))?;
    let mut keys = list(object);
    keys.push(new_key(call, kind, Some(object), credential)?);
    let context = call.context("microsoft.graph.keyCredential");
    let response = PlannedResponse::Json(200, json!({ "@odata.context": context }));
    Ok(Plan::new(response)
        .with(Step::Update(kind, id, with_keys(keys)))
        .audited_as("ApplicationManagement", super::credentials::UPDATE))
}

/// `removeKey`: removes the certificate with a key id.
pub(super) fn remove(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (object, id) = authorized(call, root, kind, "/removeKey")?;
    let body = body(call)?;
    check_parameters(&body, "removeKey", &["keyId", "proof"])?;
    check_proof(call, object, body.get("proof"), "removeKey")?;
    let key_id = body
        .get("keyId")
        .and_then(Value::as_str)
        .ok_or_else(|| missing("keyId", "removeKey"))?;
    let key_id = membership::guid(key_id)?;
    let mut keys = list(object);
    let count = keys.len();
    keys.retain(|key| key["keyId"] != key_id.as_str());
    if keys.len() == count {
        return Err(super::credentials::not_found());
    }
    Ok(Plan::new(PlannedResponse::NoContent)
        .with(Step::Update(kind, id, with_keys(keys)))
        .audited_as("ApplicationManagement", super::credentials::UPDATE))
}

/// Returns `keyCredentials` after an update with this list. Entries with a known key id must equal
/// the existing ones.
pub(super) fn replaced(
    call: Call<'_>,
    before: Option<&Object>,
    wanted: &[Value],
) -> Result<Vec<Value>, GraphError> {
    let existing = before.map(list).unwrap_or_default();
    wanted
        .iter()
        .map(|item| {
            let key_id = item["keyId"].as_str().unwrap_or_default();
            let known = existing.iter().find(|old| {
                old["keyId"]
                    .as_str()
                    .is_some_and(|id| id.eq_ignore_ascii_case(key_id))
            });
            match known {
                None => new_key(call, Kind::Application, before, item),
                Some(old) if is_same(old, item) => Ok(old.clone()),
                Some(_) => Err(GraphError::bad_request(format!(
                    "Update to existing credential with KeyId '{key_id}' is not allowed."
                ))),
            }
        })
        .collect()
}

fn is_same(old: &Value, new: &Value) -> bool {
    new.as_object().into_iter().flatten().all(|(name, value)| {
        let before = &old[name];
        let times = || Some((ticks(before.as_str()?)?, ticks(value.as_str()?)?));
        let absent = value.is_null() || name == "key" && before.is_null();
        absent
            || name == "keyId"
            || before == value
            || times().is_some_and(|(before, value)| before == value)
    })
}

/// An application may change its own keys without a permission.
fn authorized<'a>(
    call: Call<'a>,
    root: &Root,
    kind: Kind,
    below: &str,
) -> Result<(&'a Object, String), GraphError> {
    let itself = read::find(call, root)
        .ok()
        .filter(|(_, object)| object["appId"] == call.caller.app_id.as_str())
        .filter(|_| call.caller.user_id.is_none());
    let object = match itself {
        Some((_, object)) => object,
        None => {
            let (object, _, _) = target(call, root, kind, below)?;
            access::check_links(call, kind, object)?;
            object
        }
    };
    Ok((object, object["id"].as_str().unwrap_or_default().to_owned()))
}

/// Returns 401 for an invalid proof (microsoft-graph-docs issues 14626 and 22076).
fn check_proof(
    call: Call<'_>,
    object: &Object,
    proof: Option<&Value>,
    operation: &str,
) -> Result<(), GraphError> {
    let proof = proof
        .and_then(Value::as_str)
        .ok_or_else(|| missing("proof", operation))?;
    if proves_possession(call.state, call.now, object, proof) {
        return Ok(());
    }
    Err(GraphError::new(
        401,
        "Authentication_MissingOrMalformed",
        "Access Token missing or malformed.",
    ))
}

fn new_key(
    call: Call<'_>,
    kind: Kind,
    object: Option<&Object>,
    item: &Value,
) -> Result<Value, GraphError> {
    let wrong = || invalid(Kind::Application.entity(), "keyCredentials");
    let text = |name: &str| item[name].as_str();
    match (text("type"), text("usage")) {
        (Some("AsymmetricX509Cert"), Some("Verify")) => {}
        // Keys that sign tokens are not supported.
        (Some("X509CertAndPassword"), Some("Sign")) => return Err(unsupported(call.request)),
        _ => return Err(wrong()),
    }
    let der = STANDARD
        .decode(text("key").ok_or_else(wrong)?)
        .map_err(|_| wrong())?;
    let certificate = Certificate::read(&der).ok_or_else(wrong)?;
    let key_id = match text("keyId") {
        Some(key_id) => membership::guid(key_id)?,
        None => call.state.new_id(),
    };
    let mut credential = certificate.key_credential(&key_id);
    let certificate_end = credential["endDateTime"].as_str().and_then(ticks);
    for name in [
        "displayName",
        "startDateTime",
        "endDateTime",
        "customKeyIdentifier",
    ] {
        if let Some(value) = text(name) {
            credential[name] = value.into();
        }
    }
    let time = |name: &str| credential[name].as_str().and_then(ticks);
    let (start, end) = (time("startDateTime"), time("endDateTime"));
    let now = crate::time::ticks_of(call.now);
    if end > certificate_end || end <= start || end.is_none_or(|end| end <= now) {
        return Err(unsourced::invalid_credential_end());
    }
    app_policy::check_key(call, kind, object, &credential)?;
    Ok(credential)
}

fn list(object: &Object) -> Vec<Value> {
    let keys = object.get(KEYS).and_then(Value::as_array);
    keys.cloned().unwrap_or_default()
}

fn with_keys(keys: Vec<Value>) -> Vec<(String, Option<Value>)> {
    vec![(KEYS.to_owned(), Some(keys.into()))]
}

fn missing(name: &str, operation: &str) -> GraphError {
    malformed(format!(
        "The parameter '{name}' of the operation '{operation}' is missing."
    ))
}

const KEYS: &str = "keyCredentials";
