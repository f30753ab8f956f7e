//! `instantiate`: an application of the gallery in this tenant.

use serde_json::{Value, json};

use super::{
    super::{call::Call, route::Root},
    access, application,
    body::{Draft, json as body, malformed},
    directory_objects::check_parameters,
    plan::{Plan, PlannedResponse, Step},
    service_principal,
    target::target,
};
use crate::{
    odata::{GraphError, Options, Query},
    schema::{ANY_APPLICATION, Relation},
    state::iso,
    store::{Kind, Object},
};

/// Creates an application and its service principal from a template.
pub(super) fn instantiate(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (template, template_id, _) = target(call, root, kind, "/instantiate")?;
    // The response has two objects, and no options.
    Query::parse(call.request.query.as_deref(), Options(&[]))?;
    let body = body(call)?;
    check_parameters(&body, "instantiate", &["displayName"])?;
    let name = body
        .get("displayName")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty())
        .ok_or_else(|| {
            malformed("The parameter 'displayName' of the operation 'instantiate' is missing.")
        })?;
    access::check_create(call, Kind::Application, &Draft::default())?;

    let now = iso(call.now);
    let role = |name: &str, value: &str| {
        json!({
            "id": call.state.new_id(), "allowedMemberTypes": ["User"], "displayName": value, "description": value,
            "isEnabled": true, "value": null, "origin": name,
        })
    };
    let mut draft = Draft::default();
    draft.set("displayName", name);
    draft.set("signInAudience", "AzureADMyOrg");
    draft.set(
        "appRoles",
        json!([
            role("Application", "User"),
            role("Application", "msiam_access")
        ]),
    );
    draft.set(
        "api",
        json!({ "oauth2PermissionScopes": [{
            "id": call.state.new_id(), "adminConsentDescription": format!("Allow the application to access {name} on behalf of the signed-in user."),
            "adminConsentDisplayName": format!("Access {name}"), "isEnabled": true, "type": "User",
            "userConsentDescription": format!("Allow the application to access {name} on your behalf."),
            "userConsentDisplayName": format!("Access {name}"), "value": "user_impersonation",
        }]}),
    );
    application::complete(call, &mut draft)?;
    draft.set("createdDateTime", now.clone());
    let custom = template_id.eq_ignore_ascii_case(ANY_APPLICATION);
    draft.set("applicationTemplateId", template_id);
    let home = template.get("homePageUrl").cloned().unwrap_or_default();
    if !custom {
        draft.set(
            "web",
            json!({ "homePageUrl": home, "redirectUris": [], "implicitGrantSettings": {
                "enableIdTokenIssuance": true, "enableAccessTokenIssuance": false
            }}),
        );
    }
    let application = object(call, draft);

    let mut draft = Draft::default();
    draft.set("appId", application["appId"].clone());
    draft.set("displayName", name);
    draft.set("applicationTemplateId", template_id);
    draft.set("appRoleAssignmentRequired", true);
    draft.set("createdDateTime", now);
    let mut tags = vec!["WindowsAzureActiveDirectoryIntegratedApp"];
    if custom {
        tags.push("WindowsAzureActiveDirectoryCustomSingleSignOnApplication");
    } else {
        tags.push("WindowsAzureActiveDirectoryGalleryApplicationNonPrimaryV1");
    }
    draft.set("tags", json!(tags));
    service_principal::take_from(call, &mut draft, &application);
    let principal = object(call, draft);

    let text = |object: &Object| object["id"].as_str().unwrap_or_default().to_owned();
    let (application_id, principal_id) = (text(&application), text(&principal));
    let owners = [
        (&application_id, application::first_owner(call)),
        (&principal_id, service_principal::first_owner(call)),
    ];
    let links: Vec<Step> = owners
        .into_iter()
        .filter_map(|(id, owner)| Some(Step::Link(Relation::Owners, id.clone(), owner?)))
        .collect();
    let mut plan = Plan::new(PlannedResponse::Instance {
        application: application_id,
        principal: principal_id,
    })
    .with(Step::Insert(Kind::Application, application))
    .with(Step::Insert(Kind::ServicePrincipal, principal));
    plan.steps.extend(links);
    Ok(plan.audited_as("ApplicationManagement", "Add application"))
}

fn object(call: Call<'_>, draft: Draft) -> Object {
    let mut object = Object::new();
    object.insert("id".to_owned(), call.state.new_id().into());
    for (name, value) in draft.values {
        if let Some(value) = value {
            object.insert(name, value);
        }
    }
    object
}
