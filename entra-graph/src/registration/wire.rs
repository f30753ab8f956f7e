//! Requests of this module: an operation, its address and a JSON body.

use entra_core::{
    Timestamp,
    http::{HeaderValue, StatusCode},
    parse_rfc3339,
};
use serde_json::Value;

use crate::{
    areas::{applications, oauth2_permission_grants, service_principals},
    client::{Call, GraphClient, PREFER, Reply},
    error::Error,
    key::Key,
    model::without_bom,
    operation::Operation,
    request::{Request, Target},
};

/// A request of an operation at an address.
pub(super) fn request(
    target: &Target,
    operation: &'static Operation,
    body: Option<&Value>,
) -> Request<Value> {
    let call = target.url().map(|url| {
        let call = Call::new(operation, url);
        match body {
            Some(body) => call.with_json(body.to_string().into_bytes().into()),
            None => call,
        }
    });
    Request::new(target.client.clone(), call, read)
}

/// The body of a response, null if it has none.
fn read(_: &GraphClient, reply: &Reply) -> Result<Value, Error> {
    let body = without_bom(&reply.body);
    if body.is_empty() || reply.status == StatusCode::NO_CONTENT {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body)
        .map_err(|source| Error::decode("the response is not the documented object", source))
}

pub(super) fn application(graph: &GraphClient, id: &str) -> Target {
    Target::root(graph).key("applications", &Key::from(id))
}

pub(super) fn principal(graph: &GraphClient, id: &str) -> Target {
    Target::root(graph).key("servicePrincipals", &Key::from(id))
}

pub(super) fn grant(graph: &GraphClient, id: &str) -> Target {
    Target::root(graph).key("oauth2PermissionGrants", &Key::from(id))
}

/// The application with this key.
pub(super) async fn find_application(
    graph: &GraphClient,
    key: &Key,
) -> Result<Option<Value>, Error> {
    let target = Target::root(graph).key("applications", key);
    let target = selecting(graph, &target, &APPLICATION)?;
    request(&target, &applications::GET, None).send_opt().await
}

/// The deleted application with this object id.
pub(super) async fn find_deleted(graph: &GraphClient, id: &str) -> Result<Option<Value>, Error> {
    let target = Target::root(graph).join(&["directory", "deletedItems", id]);
    request(&target, &applications::GET_DELETED, None)
        .send_opt()
        .await
}

/// The service principal with this key.
pub(super) async fn find_principal(graph: &GraphClient, key: &Key) -> Result<Option<Value>, Error> {
    let target = Target::root(graph).key("servicePrincipals", key);
    let target = selecting(graph, &target, &PRINCIPAL)?;
    request(&target, &service_principals::GET, None)
        .send_opt()
        .await
}

/// The same address, for these properties only.
pub(super) fn selecting(
    graph: &GraphClient,
    target: &Target,
    properties: &[&str],
) -> Result<Target, Error> {
    let mut url = target.url()?;
    url.set_query(Some(&format!("$select={}", properties.join(","))));
    Ok(Target::at(graph, url))
}

/// The properties of an application that a blueprint lists or that identify it.
const APPLICATION: [&str; 21] = [
    "id",
    "appId",
    "api",
    "appRoles",
    "applicationTemplateId",
    "createdDateTime",
    "description",
    "displayName",
    "groupMembershipClaims",
    "identifierUris",
    "isFallbackPublicClient",
    "notes",
    "optionalClaims",
    "passwordCredentials",
    "publicClient",
    "requiredResourceAccess",
    "signInAudience",
    "spa",
    "tags",
    "uniqueName",
    "web",
];
/// The same of a service principal, with the permissions that an API offers.
const PRINCIPAL: [&str; 7] = [
    "id",
    "appId",
    "appRoleAssignmentRequired",
    "appRoles",
    "displayName",
    "oauth2PermissionScopes",
    "tags",
];

/// Creates the application with this unique name, or changes it if it exists.
pub(super) fn upsert_application(graph: &GraphClient, key: &str, body: &Value) -> Request<Value> {
    let target = Target::root(graph).key("applications", &Key::unique_name(key));
    request(&target, &applications::UPSERT, Some(body))
        .header(PREFER, HeaderValue::from_static("create-if-missing"))
}

pub(super) fn create_grant(graph: &GraphClient, body: &Value) -> Request<Value> {
    let target = Target::root(graph).join(&["oauth2PermissionGrants"]);
    request(&target, &oauth2_permission_grants::CREATE, Some(body))
}

/// The text of a property.
pub(super) fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}

/// A time of an object.
pub(super) fn time(object: &Value, name: &str) -> Option<Timestamp> {
    parse_rfc3339(object[name].as_str()?)
}

/// The items of a property.
pub(super) fn items<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    object[name].as_array().map_or(&[], Vec::as_slice)
}
