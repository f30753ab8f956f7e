//! Certificates of applications: `addKey` and `removeKey` with proof of possession, and the whole
//! list in an update.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    super::{
        call::{Call, unsupported},
        lookup,
        route::{self, Root},
        unsourced,
    },
    access, app_policy,
    body::{invalid, json as body, malformed},
    credentials::years_after,
    directory_objects::check_parameters,
    plan::{Plan, PlannedResponse, Step},
    target::target,
};
use crate::{
    login::{Certificate, proves_possession},
    odata::GraphError,
    state::iso,
    store::{Kind, Object},
    time::ticks,
    wire::binary,
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
    let password = body
        .get("passwordCredential")
        .filter(|value| !value.is_null());
    let mut keys = list(object);
    let mut values = Vec::new();
    match (credential["type"].as_str(), password) {
        (Some("X509CertAndPassword"), password) => {
            let (key, opener) = signing_key(call, kind, object, credential, password)?;
            let mut passwords = super::credentials::list(object, PASSWORDS);
            passwords.push(opener);
            values.push((PASSWORDS.to_owned(), Some(passwords.into())));
            keys.push(key);
        }
        (_, Some(_)) => return Err(invalid(kind.entity(), "passwordCredential")),
        (_, None) => keys.push(new_key(call, kind, Some(object), credential)?),
    }
    values.extend(with_keys(keys));
    let context = call.context("microsoft.graph.keyCredential");
    let response = PlannedResponse::Json(200, json!({ "@odata.context": context }));
    Ok(Plan::new(response)
        .with(Step::Update(kind, id, values))
        .audited_as(
            "ApplicationManagement",
            super::credentials::activity(kind, true),
        ))
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
    let key_id = route::guid(key_id)?;
    let mut keys = list(object);
    let count = keys.len();
    keys.retain(|key| key["keyId"] != key_id.as_str());
    if keys.len() == count {
        return Err(super::credentials::not_found());
    }
    Ok(Plan::new(PlannedResponse::NoContent)
        .with(Step::Update(kind, id, with_keys(keys)))
        .audited_as(
            "ApplicationManagement",
            super::credentials::activity(kind, false),
        ))
}

/// Returns `keyCredentials` after an update with this list. Entries with a known key id must equal
/// the existing ones.
pub(super) fn replaced(
    call: Call<'_>,
    kind: Kind,
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
                None => new_key(call, kind, before, item),
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
    let itself = lookup::find(call, root)
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
    if proves_possession(call.now, object, proof) {
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
        // Only `addKey` takes their password.
        (Some("X509CertAndPassword"), Some("Sign")) => return Err(unsupported(call.request)),
        _ => return Err(wrong()),
    }
    let der = binary(text("key").ok_or_else(wrong)?).ok_or_else(wrong)?;
    let certificate = Certificate::read(&der).ok_or_else(wrong)?;
    let key_id = match text("keyId") {
        Some(key_id) => route::guid(key_id)?,
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

/// Returns a private key with its certificate, which signs tokens, and the password that opens it. The
/// key and the password are not kept: no response shows them.
fn signing_key(
    call: Call<'_>,
    kind: Kind,
    object: &Object,
    item: &Value,
    password: Option<&Value>,
) -> Result<(Value, Value), GraphError> {
    let wrong = |name: &str| invalid(kind.entity(), name);
    let text = |name: &str| item[name].as_str();
    let pfx = binary(text("key").unwrap_or_default()).ok_or_else(|| wrong(KEYS))?;
    // The contents are encrypted; the outer form is that of any PKCS #12 file.
    let is_pfx = crate::keys::value(SEQUENCE, &pfx).is_some_and(|(_, rest)| rest.is_empty());
    if text("usage") != Some("Sign") || !is_pfx {
        return Err(wrong(KEYS));
    }
    let secret = password.and_then(|password| password["secretText"].as_str());
    if secret.is_none_or(str::is_empty) {
        return Err(wrong("passwordCredential"));
    }
    let start = text("startDateTime").map_or_else(|| iso(call.now), str::to_owned);
    let end = text("endDateTime").map_or_else(|| years_after(&start, 2), str::to_owned);
    if ticks(&end) <= ticks(&start) || ticks(&end) <= ticks(&iso(call.now)) {
        return Err(unsourced::invalid_credential_end());
    }
    let thumbprint = digest(&SHA1_FOR_LEGACY_USE_ONLY, &pfx);
    let credential = json!({
        "customKeyIdentifier": STANDARD.encode(thumbprint), "displayName": text("displayName"), "endDateTime": end,
        "key": null, "keyId": call.state.new_id(), "startDateTime": start, "type": "X509CertAndPassword", "usage": "Sign",
    });
    app_policy::check_key(call, kind, Some(object), &credential)?;
    let opener = json!({
        "customKeyIdentifier": credential["customKeyIdentifier"], "displayName": null, "endDateTime": end, "hint": null,
        "keyId": credential["keyId"], "secretText": null, "startDateTime": start,
    });
    Ok((credential, opener))
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
const PASSWORDS: &str = "passwordCredentials";
const SEQUENCE: u8 = 0x30;
