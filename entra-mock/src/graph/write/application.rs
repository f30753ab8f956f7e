//! The rules of application registrations: URIs, roles, scopes, and the service principal of the
//! same tenant.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{
    super::{call::Call, route::Root, unsourced},
    access, app_policy,
    body::{Draft, invalid, json as body, malformed, texts},
    credentials,
    directory_objects::check_parameters,
    keys,
    plan::{Plan, PlannedResponse, Step},
    target::target,
};
use crate::{
    directory::{DEFAULT_AUDIENCE, application_defaults, inherited_changes},
    odata::GraphError,
    state::iso,
    store::{Kind, Object},
};

pub(super) use crate::directory::inherited;

/// Checks a new application and adds the properties that every application has.
///
/// Returns the values of its secrets, which only the response to its creation has.
pub(super) fn complete(call: Call<'_>, draft: &mut Draft) -> Result<Vec<String>, GraphError> {
    let app_id = call.state.new_id();
    check(call, &app_id, None, draft)?;
    draft.set("appId", app_id);
    draft.set("publisherDomain", call.state.default_domain());
    if !draft.names("signInAudience") {
        draft.set("signInAudience", PERSONAL_ACCOUNTS);
        draft.set(DEFAULT_AUDIENCE, true);
    }
    let defaults: Object = application_defaults()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    draft.merge(Kind::Application.entity(), &defaults);
    for (name, value) in application_defaults() {
        draft.set_if_absent(name, value);
    }
    let personal = draft
        .text("signInAudience")
        .is_some_and(|audience| audience.contains("Personal"));
    if personal && let Some(mut api) = draft.get("api").cloned() {
        // Applications for personal accounts receive version 2 tokens only.
        if api["requestedAccessTokenVersion"].is_null() {
            api["requestedAccessTokenVersion"] = 2.into();
        }
        draft.set("api", api);
    }
    let Some(Value::Array(wanted)) = draft.get("passwordCredentials").cloned() else {
        return Ok(Vec::new());
    };
    let initial = credentials::initial(call, &wanted)?;
    for (name, value) in initial.properties {
        draft.set(name, value);
    }
    Ok(initial.values)
}

/// Checks changes of an application.
pub(super) fn adjust(
    call: Call<'_>,
    application: &Object,
    draft: &mut Draft,
) -> Result<(), GraphError> {
    let app_id = application["appId"].as_str().unwrap_or_default();
    check(call, app_id, Some(application), draft)?;
    if draft.names("signInAudience") && application.get(DEFAULT_AUDIENCE).is_some() {
        draft.values.push((DEFAULT_AUDIENCE.to_owned(), None));
    }
    Ok(())
}

/// Returns the owner of a new application whose body names none: the signed-in user unless the user
/// is an administrator, or the application that may write only its own.
pub(super) fn first_owner(call: Call<'_>) -> Option<String> {
    match &call.caller.user_id {
        Some(user) => (!call.state.is_administrator(user)).then(|| user.clone()),
        None => access::only_owned(call, Kind::Application)
            .then(|| call.caller.service_principal_id.clone())
            .flatten(),
    }
}

/// Returns the service principal of an application in this tenant.
pub(super) fn service_principal<'a>(call: Call<'a>, application: &Object) -> Option<&'a Object> {
    let app_id = application.get("appId")?.as_str()?;
    call.state
        .store
        .find(Kind::ServicePrincipal, "appId", app_id)
}

/// Returns the changes of the service principal that follow from changes of its application.
pub(super) fn dependent_changes(call: Call<'_>, before: &Object, after: &Object) -> Option<Step> {
    let principal = service_principal(call, before)?;
    let values: Vec<(String, Option<Value>)> = inherited_changes(principal, before, after)
        .into_iter()
        .map(|(name, new)| (name.to_owned(), (!new.is_null()).then_some(new)))
        .collect();
    let id = principal["id"].as_str()?.to_owned();
    (!values.is_empty()).then_some(Step::Update(Kind::ServicePrincipal, id, values))
}

/// `setVerifiedPublisher`: every partner id of seven digits is an account of this tenant.
pub(super) fn set_publisher(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (application, id, _) = target(call, root, kind, "/setVerifiedPublisher")?;
    access::check_links(call, kind, application)?;
    let body = body(call)?;
    check_parameters(&body, "setVerifiedPublisher", &["verifiedPublisherId"])?;
    let partner = body
        .get("verifiedPublisherId")
        .and_then(Value::as_str)
        .ok_or_else(|| {
            malformed("The parameter 'verifiedPublisherId' of the operation 'setVerifiedPublisher' is missing.")
        })?;
    if partner.len() != 7 || !partner.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(unsourced::invalid_partner_id());
    }
    let publisher = json!({
        "displayName": call.state.tenant_name, "verifiedPublisherId": partner, "addedDateTime": iso(call.now),
    });
    Ok(publisher_plan(kind, id, Some(publisher)))
}

/// `unsetVerifiedPublisher`.
pub(super) fn unset_publisher(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (application, id, _) = target(call, root, kind, "/unsetVerifiedPublisher")?;
    access::check_links(call, kind, application)?;
    Ok(publisher_plan(kind, id, None))
}

fn publisher_plan(kind: Kind, id: &str, publisher: Option<Value>) -> Plan {
    let name = match publisher {
        Some(_) => "Set verified publisher",
        None => "Unset verified publisher",
    };
    let values = vec![("verifiedPublisher".to_owned(), publisher)];
    Plan::new(PlannedResponse::NoContent)
        .with(Step::Update(kind, id.to_owned(), values))
        .audited_as("ApplicationManagement", name)
}

/// `PUT` of the logo: its bytes are not kept, `info/logoUrl` shows that there is one.
pub(super) fn set_logo(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (application, id, _) = target(call, root, kind, "/logo")?;
    access::check_links(call, kind, application)?;
    let content_type = call.request.header("content-type").unwrap_or_default();
    let is_image = ["image/gif", "image/jpeg", "image/png"]
        .iter()
        .any(|known| content_type.eq_ignore_ascii_case(known));
    if !is_image || call.request.body.is_empty() {
        return Err(unsourced::invalid_photo(
            "The logo must be a GIF, JPEG or PNG image.",
        ));
    }
    let mut info = application["info"].clone();
    if info.is_null() {
        info = json!({});
    }
    info["logoUrl"] = format!(
        "{}/logos/{id}/{}",
        call.request.base,
        call.state.random.token(12)
    )
    .into();
    let mut after = application.clone();
    after.insert("info".to_owned(), info.clone());
    let values = vec![("info".to_owned(), Some(info))];
    let mut plan =
        Plan::new(PlannedResponse::NoContent).with(Step::Update(kind, id.to_owned(), values));
    plan.steps
        .extend(dependent_changes(call, application, &after));
    Ok(plan.audited_as("ApplicationManagement", "Update application"))
}

fn check(
    call: Call<'_>,
    app_id: &str,
    before: Option<&Object>,
    draft: &mut Draft,
) -> Result<(), GraphError> {
    for name in ["uniqueName", "identifierUris"] {
        for value in values(draft.get(name)) {
            if is_held(call, before, name, value) {
                return Err(GraphError::conflict(name));
            }
        }
    }
    if let Some(Value::Array(wanted)) = draft.get("keyCredentials").cloned() {
        draft.set(
            "keyCredentials",
            keys::replaced(call, Kind::Application, before, &wanted)?,
        );
    }
    for uri in texts(draft.get("identifierUris")) {
        check_identifier_uri(call, app_id, uri)?;
    }
    app_policy::check_identifier_uris(call, before, app_id, draft)?;
    super::registration_limits::check(before, draft)?;
    check_entitlements(before, draft)
}

fn values(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let single = value.and_then(Value::as_str);
    single.into_iter().chain(texts(value))
}

/// Whether a deleted application still has a unique value: it keeps them for the 30 days in which
/// it can be restored.
fn is_held(call: Call<'_>, own: Option<&Object>, name: &str, wanted: &str) -> bool {
    let own = own.and_then(|object| object.get("id"));
    call.state
        .store
        .deleted_after(Kind::Application, None)
        .any(|(_, deleted)| {
            deleted.get("id") != own
                && values(deleted.get(name)).any(|value| value.eq_ignore_ascii_case(wanted))
        })
}

/// An identifier URI names the application or the tenant, or has a verified domain (documentation,
/// "Restrictions on identifier URIs of Microsoft Entra applications").
fn check_identifier_uri(call: Call<'_>, app_id: &str, uri: &str) -> Result<(), GraphError> {
    let entity = Kind::Application.entity();
    if uri.ends_with('/') {
        return Err(unsourced::identifier_uri_ends_with_slash(uri));
    }
    let (scheme, rest) = uri
        .split_once("://")
        .ok_or_else(|| invalid(entity, "identifierUris"))?;
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let own_tenant = call.state.tenant_id.to_string();
    let is_own = [app_id, &own_tenant]
        .iter()
        .any(|id| host.eq_ignore_ascii_case(id));
    let is_verified = call.state.domains.iter().any(|domain| {
        host.eq_ignore_ascii_case(domain)
            || host
                .to_ascii_lowercase()
                .strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.ends_with('.'))
    });
    if scheme.eq_ignore_ascii_case("api") && is_own || is_verified {
        return Ok(());
    }
    let mut error = GraphError::bad_request(format!(
        "Values of identifierUris property must use a verified domain of the organization or its subdomain: '{uri}'"
    ));
    error.details.push(crate::odata::Detail {
        code: "HostNameNotOnVerifiedDomain",
        message: error.message.clone(),
        target: "identifierUris".to_owned(),
    });
    Err(error)
}

/// Checks app roles and delegated permissions, and adds the parts that a body can omit.
fn check_entitlements(before: Option<&Object>, draft: &mut Draft) -> Result<(), GraphError> {
    if let Some(Value::Array(roles)) = draft.get("appRoles").cloned() {
        let old = before.map(|application| &application["appRoles"]);
        let roles = entitlements(roles, old, "appRoles", role_is_valid, &|role| {
            role["origin"] = "Application".into();
        })?;
        draft.set("appRoles", roles);
    }
    let scopes = draft
        .get("api")
        .and_then(|api| api.get("oauth2PermissionScopes")?.as_array());
    if let Some(scopes) = scopes.cloned() {
        let old = before.map(|application| &application["api"]["oauth2PermissionScopes"]);
        let scopes = entitlements(scopes, old, "api", scope_is_valid, &|scope| {
            scope["type"] = scope["type"].as_str().unwrap_or("User").into();
        })?;
        let mut api = draft.get("api").cloned().unwrap_or_default();
        api["oauth2PermissionScopes"] = scopes.into();
        draft.set("api", api);
    }
    Ok(())
}

fn entitlements(
    mut items: Vec<Value>,
    before: Option<&Value>,
    property: &str,
    is_valid: fn(&Value) -> bool,
    complete: &dyn Fn(&mut Value),
) -> Result<Vec<Value>, GraphError> {
    let wrong = || invalid(Kind::Application.entity(), property);
    let (mut ids, mut names) = (HashSet::new(), HashSet::new());
    for item in &mut items {
        if item["isEnabled"].is_null() {
            item["isEnabled"] = true.into();
        }
        complete(item);
        let id = item["id"].as_str().ok_or_else(wrong)?.to_ascii_lowercase();
        item["id"] = id.clone().into();
        let name = item["value"].as_str().map(str::to_owned);
        let unique = ids.insert(id) && name.is_none_or(|name| names.insert(name));
        if !unique || !is_valid(item) {
            return Err(wrong());
        }
    }
    let removed = before
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|old| !ids.contains(old["id"].as_str().unwrap_or_default()));
    for old in removed {
        if old["isEnabled"] != false {
            return Err(GraphError::new(
                400,
                "CannotDeleteOrUpdateEnabledEntitlement",
                "Permission (scope or role) cannot be deleted or updated unless disabled first.",
            ));
        }
    }
    Ok(items)
}

fn role_is_valid(role: &Value) -> bool {
    let types: Vec<&str> = texts(role.get("allowedMemberTypes")).collect();
    has_text(role, "displayName")
        && has_text(role, "description")
        && has_value(role)
        && !types.is_empty()
        && types
            .iter()
            .all(|name| ["User", "Application"].contains(name))
}

fn scope_is_valid(scope: &Value) -> bool {
    has_text(scope, "adminConsentDisplayName")
        && has_text(scope, "adminConsentDescription")
        && has_text(scope, "value")
        && has_value(scope)
        && scope["type"]
            .as_str()
            .is_some_and(|name| ["User", "Admin"].contains(&name))
}

fn has_text(item: &Value, name: &str) -> bool {
    item[name].as_str().is_some_and(|text| !text.is_empty())
}

/// Whether the name in tokens has at most 120 of the allowed characters; it can be absent.
fn has_value(item: &Value) -> bool {
    item["value"].as_str().is_none_or(|value| {
        !value.is_empty()
            && value.len() <= 120
            && !value.starts_with('.')
            && value
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
    })
}

const PERSONAL_ACCOUNTS: &str = "AzureADandPersonalMicrosoftAccount";
