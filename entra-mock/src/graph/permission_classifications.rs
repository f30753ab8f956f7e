//! Classifications of the delegated permissions that a service principal offers.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::{
    call::{Call, JSON, unsupported},
    lookup,
    route::Route,
};
use crate::{
    odata::{GraphError, Options, Query},
    permissions::authorize,
    store::Object,
    wire::Reply,
};

/// Responds with the classifications of a service principal.
pub(super) fn respond(
    call: Call<'_>,
    route: &Route,
    id: Option<&str>,
) -> Result<Reply, GraphError> {
    // Graph has no read of one classification.
    if id.is_some() {
        return Err(unsupported(call.request));
    }
    authorize(call.caller, "GET", PATH, false)?;
    let (_, principal) = lookup::find(call, &route.root)?;
    Query::parse(call.request.query.as_deref(), Options(&[]))?;
    let body = json!({ "@odata.context": context(call, principal), "value": all(principal) });
    Ok(Reply::new(200)
        .with_header("content-type", JSON)
        .with_body(body.to_string()))
}

/// Returns the classifications after a POST, and the response to it.
pub(super) fn classified(
    call: Call<'_>,
    principal: &Object,
    body: &Map<String, Value>,
) -> Result<(Vec<Value>, Value), GraphError> {
    const KNOWN: [&str; 3] = ["classification", "permissionId", "permissionName"];
    let unknown = |name: &&String| !KNOWN.contains(&name.as_str()) && !name.starts_with('@');
    if let Some(other) = body.keys().find(unknown) {
        return Err(GraphError::bad_request(format!(
            "Property '{other}' does not exist as a declared property or extension property."
        )));
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let permission_id = text("permissionId").unwrap_or_default();
    let scope = scopes(principal)
        .find(|scope| {
            let id = scope["id"].as_str().unwrap_or_default();
            id.eq_ignore_ascii_case(permission_id)
        })
        .ok_or_else(|| wrong("permissionId"))?;
    if text("permissionName").is_some_and(|name| scope["value"] != name) {
        return Err(wrong("permissionName"));
    }
    let class = text("classification");
    let number = CLASSES.iter().position(|known| class == Some(*known));
    let id = number
        .and_then(|number| id_of(permission_id, number + 1))
        .ok_or_else(|| wrong("classification"))?;
    let mut classifications = all(principal);
    if classifications.iter().any(|one| one["id"] == id.as_str()) {
        return Err(GraphError::conflict("permissionId"));
    }
    let classification = json!({
        "id": id, "classification": class, "permissionId": scope["id"], "permissionName": scope["value"],
    });
    let mut response = classification.clone();
    response["@odata.context"] = format!("{}/$entity", context(call, principal)).into();
    classifications.push(classification);
    Ok((classifications, response))
}

/// Returns the classifications without one of them.
pub(super) fn without(principal: &Object, id: &str) -> Result<Vec<Value>, GraphError> {
    let mut left = all(principal);
    let count = left.len();
    left.retain(|one| one["id"] != id);
    if left.len() == count {
        return Err(GraphError::not_found(id));
    }
    Ok(left)
}

fn all(principal: &Object) -> Vec<Value> {
    let all = principal.get(CLASSIFICATIONS).and_then(Value::as_array);
    all.cloned().unwrap_or_default()
}

fn scopes(principal: &Object) -> impl Iterator<Item = &Value> {
    let scopes = principal.get("oauth2PermissionScopes");
    scopes.and_then(Value::as_array).into_iter().flatten()
}

/// The id as the documented example has it: the bytes of the permission's id, its first three parts in reverse, and the
/// number of the class.
fn id_of(permission_id: &str, class: usize) -> Option<String> {
    const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let digits = permission_id.replace('-', "");
    let byte = |at: usize| u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok();
    let mut bytes = ORDER.into_iter().map(byte).collect::<Option<Vec<u8>>>()?;
    bytes.push(u8::try_from(class).ok()?);
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

fn wrong(name: &str) -> GraphError {
    GraphError::bad_request(format!(
        "Invalid value specified for property '{name}' of resource 'DelegatedPermissionClassification'."
    ))
}

fn context(call: Call<'_>, principal: &Object) -> String {
    let id = principal["id"].as_str().unwrap_or_default();
    call.context(&format!(
        "servicePrincipals('{id}')/delegatedPermissionClassifications"
    ))
}

/// Internal property with the classifications of a service principal.
pub(super) const CLASSIFICATIONS: &str = "~permissionClassifications";
const PATH: &str = "/servicePrincipals/{id}/delegatedPermissionClassifications";
/// In the order of the metadata, from 1.
const CLASSES: [&str; 3] = ["low", "medium", "high"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_that_of_the_documented_example() {
        let user_read = "e1fe6dd8-ba31-4d61-89e7-88639da4683d";
        let id = id_of(user_read, 1);
        assert_eq!(id.as_deref(), Some("2G3-4TG6YU2J54hjnaRoPQE"));
        assert_eq!(id_of("e1fe6dd8", 1), None);
    }
}
