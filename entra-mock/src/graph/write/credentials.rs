//! Client secrets of applications and service principals.

use serde_json::{Map, Value, json};

use super::{
    super::{
        call::Call,
        route::{self, Root},
        unsourced,
    },
    access, app_policy,
    body::{json as body, malformed},
    directory_objects::check_parameters,
    plan::{Plan, PlannedResponse, Step},
    target::target,
};
use crate::{
    odata::GraphError,
    schema::mismatches,
    state::iso,
    store::{Kind, Object},
    time::ticks,
};

/// `addPassword`: adds a secret, whose value only this response has.
pub(super) fn add_password(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (object, id, _) = target(call, root, kind, "/addPassword")?;
    access::check_links(call, kind, object)?;
    let mut body = body(call)?;
    check_parameters(&body, "addPassword", &["passwordCredential"])?;
    let wanted = match body.remove("passwordCredential") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(wanted)) => wanted,
        Some(_) => return Err(invalid_password()),
    };
    let (mut credential, secret) = password(call, kind, Some(object), &wanted)?;
    let key_id = credential["keyId"].as_str().unwrap_or_default().to_owned();

    let mut credentials = list(object, PASSWORDS);
    credentials.push(credential.clone());
    let mut texts = object.get(SECRETS).cloned().unwrap_or_else(|| json!({}));
    texts[key_id] = secret.as_str().into();
    credential["secretText"] = secret.into();
    credential["@odata.context"] = call.context("microsoft.graph.passwordCredential").into();
    let values = vec![
        (PASSWORDS.to_owned(), Some(credentials.into())),
        (SECRETS.to_owned(), Some(texts)),
    ];
    Ok(Plan::new(PlannedResponse::Json(200, credential))
        .with(Step::Update(kind, id.to_owned(), values))
        .audited_as("ApplicationManagement", activity(kind, true)))
}

/// `removePassword`: removes the secret with a key id.
pub(super) fn remove_password(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (object, id, _) = target(call, root, kind, "/removePassword")?;
    access::check_links(call, kind, object)?;
    let body = body(call)?;
    check_parameters(&body, "removePassword", &["keyId"])?;
    let key_id = body.get("keyId").and_then(Value::as_str).ok_or_else(|| {
        malformed("The parameter 'keyId' of the operation 'removePassword' is missing.")
    })?;
    let key_id = route::guid(key_id)?;
    let mut credentials = list(object, PASSWORDS);
    let count = credentials.len();
    credentials.retain(|credential| credential["keyId"] != key_id.as_str());
    if credentials.len() == count {
        return Err(not_found());
    }
    let mut texts = object.get(SECRETS).cloned().unwrap_or_else(|| json!({}));
    if let Some(texts) = texts.as_object_mut() {
        texts.remove(&key_id);
    }
    let values = vec![
        (PASSWORDS.to_owned(), Some(credentials.into())),
        (SECRETS.to_owned(), Some(texts)),
    ];
    Ok(Plan::new(PlannedResponse::NoContent)
        .with(Step::Update(kind, id.to_owned(), values))
        .audited_as("ApplicationManagement", activity(kind, false)))
}

/// The secrets of a new application.
pub(super) struct InitialSecrets {
    /// The properties of the application.
    pub(super) properties: [(&'static str, Value); 2],
    /// The secret values in the order of the credentials.
    pub(super) values: Vec<String>,
}

/// Returns the secrets of a new application.
pub(super) fn initial(call: Call<'_>, wanted: &[Value]) -> Result<InitialSecrets, GraphError> {
    let (mut credentials, mut texts, mut values) = (Vec::new(), json!({}), Vec::new());
    for wanted in wanted {
        let wanted = wanted.as_object().ok_or_else(invalid_password)?;
        let (credential, secret) = password(call, Kind::Application, None, wanted)?;
        let key_id = credential["keyId"].as_str().unwrap_or_default();
        texts[key_id] = secret.as_str().into();
        credentials.push(credential);
        values.push(secret);
    }
    Ok(InitialSecrets {
        properties: [(PASSWORDS, credentials.into()), (SECRETS, texts)],
        values,
    })
}

/// Returns a new credential and its secret value.
fn password(
    call: Call<'_>,
    kind: Kind,
    object: Option<&Object>,
    wanted: &Map<String, Value>,
) -> Result<(Value, String), GraphError> {
    let entity = Kind::Application.entity();
    let whole = json!([wanted]);
    if !mismatches(entity, [(PASSWORDS, &whole)]).is_empty() {
        return Err(invalid_password());
    }
    // Entra generates value and key id.
    let given = |name: &str| wanted.get(name).filter(|value| !value.is_null());
    if ["secretText", "keyId", "hint", "customKeyIdentifier"]
        .iter()
        .any(|name| given(name).is_some())
    {
        return Err(invalid_password());
    }
    let text = |name: &str| given(name).and_then(Value::as_str).map(str::to_owned);
    let now = iso(call.now);
    let start = text("startDateTime").unwrap_or_else(|| now.clone());
    let end = text("endDateTime").unwrap_or_else(|| years_after(&start, 2));
    if ticks(&end) <= ticks(&start) || ticks(&end) <= ticks(&now) {
        return Err(unsourced::invalid_credential_end());
    }
    let secret = call.state.new_secret_text();
    let credential = json!({
        "customKeyIdentifier": null, "displayName": text("displayName"), "endDateTime": end, "hint": secret[..3],
        "keyId": call.state.new_id(), "secretText": null, "startDateTime": start,
    });
    app_policy::check_password(call, kind, object, &credential)?;
    Ok((credential, secret))
}

/// Adds years to a date in ISO 8601; 29 February becomes the 28th.
pub(super) fn years_after(start: &str, years: u16) -> String {
    let (year, rest) = start.split_at_checked(4).unwrap_or(("", start));
    let year = year
        .parse::<u16>()
        .unwrap_or_default()
        .saturating_add(years);
    format!("{year:04}{}", rest.replacen("-02-29", "-02-28", 1))
}

pub(super) fn list(object: &Object, property: &str) -> Vec<Value> {
    object
        .get(property)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

/// The audit of a new or removed credential. Only applications and service principals have some.
pub(super) fn activity(kind: Kind, add: bool) -> &'static str {
    let entity = kind.entity();
    match entity.application {
        Some(form) if add => form.add_credentials,
        Some(form) => form.remove_credentials,
        None => entity.activities.update,
    }
}

/// Returns 400 for a key id that no credential has.
pub(super) fn not_found() -> GraphError {
    GraphError::bad_request("No credentials found to be removed.")
}

fn invalid_password() -> GraphError {
    super::body::invalid(Kind::Application.entity(), "passwordCredential")
}

const PASSWORDS: &str = "passwordCredentials";
/// Internal property with the secret values by key id.
const SECRETS: &str = "~secrets";
