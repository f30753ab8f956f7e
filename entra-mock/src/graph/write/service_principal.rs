//! The rules of service principals.

use serde_json::Value;

use super::{
    super::{call::Call, route},
    access, application,
    body::Draft,
    keys,
};
use crate::{
    odata::{Detail, GraphError},
    schema::Kind,
    store::Object,
};

/// Checks a new service principal and adds what it takes from its application, which this tenant has.
pub(super) fn complete(call: Call<'_>, draft: &mut Draft) -> Result<(), GraphError> {
    let app_id = route::guid(draft.text("appId").unwrap_or_default())?;
    let store = &call.state.store;
    let Some(backing) = store.find(Kind::Application, "appId", &app_id) else {
        return Err(if access::only_owned(call, Kind::ServicePrincipal) {
            not_local()
        } else {
            no_backing_application(&app_id)
        });
    };
    access::check_instance(call, backing)?;
    if store
        .find(Kind::ServicePrincipal, "appId", &app_id)
        .is_some()
    {
        return Err(name_in_use(&app_id));
    }
    draft.set("appId", app_id);
    check_keys(call, None, draft)?;
    take_from(call, draft, backing);
    Ok(())
}

/// Checks changes of a service principal.
pub(super) fn adjust(
    call: Call<'_>,
    principal: &Object,
    draft: &mut Draft,
) -> Result<(), GraphError> {
    check_keys(call, Some(principal), draft)
}

fn check_keys(
    call: Call<'_>,
    before: Option<&Object>,
    draft: &mut Draft,
) -> Result<(), GraphError> {
    if let Some(Value::Array(wanted)) = draft.get("keyCredentials").cloned() {
        let keys = keys::replaced(call, Kind::ServicePrincipal, before, &wanted)?;
        draft.set("keyCredentials", keys);
    }
    Ok(())
}

/// Adds what a service principal of this tenant takes from its application.
pub(super) fn take_from(call: Call<'_>, draft: &mut Draft, backing: &Object) {
    for (name, value) in application::inherited(backing) {
        if !value.is_null() {
            draft.set_if_absent(name, value);
        }
    }
    draft.set_if_absent("displayName", backing["displayName"].clone());
    draft.set_if_absent("accountEnabled", true);
    draft.set_if_absent("appRoleAssignmentRequired", false);
    draft.set("appOwnerOrganizationId", call.state.tenant_id.to_string());
    draft.set("servicePrincipalType", "Application");
}

/// Returns the owner of a new service principal whose body names none: the application that may write
/// only its own.
pub(super) fn first_owner(call: Call<'_>) -> Option<String> {
    if call.caller.is_delegated() || !access::only_owned(call, Kind::ServicePrincipal) {
        return None;
    }
    call.caller.service_principal_id.clone()
}

/// Rejects the restore of a service principal whose application, one of this tenant, is deleted too or purged
/// (azure-docs pull request 110002). The page has no error; it is that of a creation.
pub(super) fn check_restore(call: Call<'_>, principal: &Object) -> Result<(), GraphError> {
    let tenant_id = call.state.tenant_id.to_string();
    let is_own = principal.text("appOwnerOrganizationId") == Some(tenant_id.as_str());
    // Managed and agent identities have no application.
    let needs_one = is_own && principal.text("servicePrincipalType") == Some("Application");
    let app_id = principal.text("appId").unwrap_or_default();
    let backing = call.state.store.find(Kind::Application, "appId", app_id);
    if needs_one && backing.is_none() {
        return Err(no_backing_application(app_id));
    }
    Ok(())
}

/// 409 for a second service principal of one application.
pub(super) fn name_in_use(app_id: &str) -> GraphError {
    GraphError::new(
        409,
        "Request_MultipleObjectsWithSameKeyValue",
        format!(
            "The service principal cannot be created, updated, or restored because the service principal name {app_id} is already in use."
        ),
    )
}

/// 400 for an unknown application, or one that was created a moment ago (terraform-provider-azuread).
fn no_backing_application(app_id: &str) -> GraphError {
    let message = format!(
        "The appId '{app_id}' of the service principal does not reference a valid application object."
    );
    let mut error = GraphError::bad_request(message.clone());
    error.details.push(Detail {
        code: "NoBackingApplicationObject",
        message,
        target: "appId".to_owned(),
    });
    error
}

/// 403 for the same with `Application.ReadWrite.OwnedBy` (terraform-provider-azuread issue 535).
fn not_local() -> GraphError {
    GraphError::new(
        403,
        "Authorization_RequestDenied",
        "When using this permission, the backing application of the service principal being created must in the local tenant",
    )
}
