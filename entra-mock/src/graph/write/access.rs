//! Access rules beside permissions: the role of the signed-in user, ownership, and properties with
//! permissions of their own.

use serde_json::Value;

use super::{
    super::{call::Call, security_attributes},
    body::Draft,
};
use crate::{
    account::PASSWORD,
    directory::sensitive_actions::SensitiveAction,
    odata::GraphError,
    permissions::denied,
    schema::{Creators, Relation},
    store::{Kind, Object},
};

/// Checks that a user has a role or owns the object. For an application the permission is enough.
///
/// A role-assignable group takes a role that assigns roles (page "Use Microsoft Entra groups to manage role assignments"): its
/// members have the roles of the group, so other administrators of groups could add themselves.
fn check_role(call: Call<'_>, kind: Kind, object: &Object) -> Result<(), GraphError> {
    let id = id(object);
    let owned_by = |owner: &str| {
        let store = &call.state.store;
        store.is_linked(Relation::Owners, id, owner)
            || store.was_linked(Relation::Owners, id, owner)
    };
    let Some(user) = call.caller.user_id.as_deref() else {
        let own = call.caller.service_principal_id.as_deref();
        return if only_owned(call, kind) && !own.is_some_and(owned_by) {
            Err(denied())
        } else {
            Ok(())
        };
    };
    let administrator = if is_role_assignable(object) {
        call.state.administers(user, Kind::RoleAssignment)
    } else {
        call.state.administers_object(user, kind, id)
    };
    let owner = kind.entity().relationship("owners").is_some() && owned_by(user);
    if administrator || owner {
        Ok(())
    } else {
        Err(denied())
    }
}

/// Whether an application may write only the applications that it owns.
pub(super) fn only_owned(call: Call<'_>, kind: Kind) -> bool {
    kind.entity().application.is_some()
        && call.caller.has_any(&["Application.ReadWrite.OwnedBy"])
        && !call
            .caller
            .has_any(&["Application.ReadWrite.All", "Directory.ReadWrite.All"])
}

/// Checks who can create objects of a type, as the type declares.
pub(super) fn check_create(call: Call<'_>, kind: Kind, draft: &Draft) -> Result<(), GraphError> {
    if let Some(user) = call.caller.user_id.as_deref() {
        let administrator = call.state.administers(user, kind);
        let user = call.state.store.get(Kind::User, user);
        let allowed = match kind.entity().creators {
            Creators::Administrators => false,
            Creators::Members => user.is_some_and(|user| user["userType"] != "Guest"),
        };
        if !administrator && !allowed {
            return Err(denied());
        }
    }
    if draft.flag("isAssignableToRole") == Some(true) {
        check_role_management(call)?;
        let user = call.caller.user_id.as_deref();
        if user.is_some_and(|user| !call.state.administers(user, Kind::RoleAssignment)) {
            return Err(denied());
        }
    }
    check_created_properties(call, kind, draft)
}

/// Checks the properties of a new object that take permissions of their own. A password does not: every new user has one.
fn check_created_properties(call: Call<'_>, kind: Kind, draft: &Draft) -> Result<(), GraphError> {
    let has_attributes = draft.get(security_attributes::PROPERTY).is_some();
    if kind == Kind::ServicePrincipal && has_attributes {
        return check_attributes_of_application(call, draft);
    }
    if kind != Kind::User {
        return Ok(());
    }
    for (name, permissions, alone) in SPECIAL {
        let is_password = ["passwordProfile", PASSWORD].contains(name);
        let is_set = draft.get(name).is_some();
        if is_set && *alone && !is_password && !call.caller.has_any(permissions) {
            return Err(denied());
        }
    }
    Ok(())
}

/// Checks who can update an object, for each property.
pub(super) fn check_update(
    call: Call<'_>,
    kind: Kind,
    object: &Object,
    draft: &Draft,
    own: bool,
) -> Result<(), GraphError> {
    if kind == Kind::ServicePrincipal {
        check_attributes_of_application(call, draft)?;
        // The permission for attributes covers every application.
        if draft.names(security_attributes::PROPERTY)
            && only_attributes(draft)
            && !call.caller.is_delegated()
        {
            return Ok(());
        }
    }
    if kind != Kind::User {
        check_role(call, kind, object)?;
        return check_role_assignable(call, object);
    }
    let names = || draft.values.iter().map(|(name, _)| name.as_str());
    if own && check_role(call, kind, object).is_err() {
        let held = call.caller.has_any(&["User.ReadWrite"]) || call.caller.has_any(ALL_OF_USERS);
        if held && names().all(|name| !NOT_BY_THE_USER.contains(&name)) {
            return Ok(());
        }
        return Err(denied());
    }
    let actions = || names().filter_map(SensitiveAction::of_property);
    for action in actions() {
        check_sensitive(call, object, action)?;
    }
    if actions().count() < draft.values.len() || draft.values.is_empty() {
        check_role(call, kind, object)?;
    }
    let all = call.caller.has_any(ALL_OF_USERS);
    // Documented with a permission to read users beside it.
    let attributes = names().any(|name| name == "customSecurityAttributes");
    if attributes
        && !all
        && !call
            .caller
            .has_any(&["User.Read.All", "Directory.Read.All"])
    {
        return Err(denied());
    }
    for name in names() {
        let special = SPECIAL.iter().find(|(special, ..)| *special == name);
        let allowed = match special {
            Some((_, permissions, alone)) => call.caller.has_any(permissions) || all && !alone,
            None => all,
        };
        if !allowed {
            return Err(denied());
        }
    }
    Ok(())
}

fn only_attributes(draft: &Draft) -> bool {
    let mut names = draft.values.iter().map(|(name, _)| name.as_str());
    names.all(|name| name == security_attributes::PROPERTY)
}

/// Custom security attributes of a service principal take a permission of their own and one to read it; nothing else takes
/// that permission.
fn check_attributes_of_application(call: Call<'_>, draft: &Draft) -> Result<(), GraphError> {
    let attributes = draft.names(security_attributes::PROPERTY);
    let assigns = call
        .caller
        .has_any(&["CustomSecAttributeAssignment.ReadWrite.All"]);
    let allowed = match (attributes, only_attributes(draft)) {
        (false, _) => call.caller.has_any(WRITE_APPLICATIONS),
        (true, true) => assigns && call.caller.has_any(FIND_APPLICATIONS),
        (true, false) => assigns && call.caller.has_any(WRITE_APPLICATIONS),
    };
    if allowed { Ok(()) } else { Err(denied()) }
}

const WRITE_APPLICATIONS: &[&str] = &[
    "Application.ReadWrite.All",
    "Application.ReadWrite.OwnedBy",
    "Directory.ReadWrite.All",
];
const FIND_APPLICATIONS: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Application.ReadWrite.OwnedBy",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// Checks who can change the links of an object.
pub(super) fn check_links(call: Call<'_>, kind: Kind, object: &Object) -> Result<(), GraphError> {
    check_role(call, kind, object)?;
    check_role_assignable(call, object)
}

/// Checks who can change the photo of an object. Roles over a unit do not cover those of users (page "Assign Microsoft Entra roles
/// with administrative unit scope").
pub(super) fn check_photo(call: Call<'_>, kind: Kind, object: &Object) -> Result<(), GraphError> {
    if kind != Kind::User {
        return check_links(call, kind, object);
    }
    let user = call.caller.user_id.as_deref();
    if user.is_none_or(|user| call.state.administers(user, kind)) {
        Ok(())
    } else {
        Err(denied())
    }
}

/// Checks who can create the service principal of an application: administrators and its owners. An
/// application needs ownership only if it may write only its own.
pub(super) fn check_instance(call: Call<'_>, application: &Object) -> Result<(), GraphError> {
    check_role(call, Kind::Application, application)
}

/// Checks who can assign app roles of a resource: administrators, by the API and by whether the principal is an application,
/// and the owners of its service principal. For an application the permission is enough.
pub(super) fn check_assignment(
    call: Call<'_>,
    resource: &Object,
    to_application: bool,
) -> Result<(), GraphError> {
    let Some(user) = call.caller.user_id.as_deref() else {
        return Ok(());
    };
    let store = &call.state.store;
    let id = resource["id"].as_str().unwrap_or_default();
    let app_id = resource["appId"].as_str().unwrap_or_default();
    let administrator = call.state.assigns_app_roles(user, app_id, to_application);
    if administrator || store.is_linked(Relation::Owners, id, user) {
        Ok(())
    } else {
        Err(denied())
    }
}

/// Checks who can change policies of the tenant: administrators. For an application the permission is
/// enough.
pub(super) fn check_administrator(call: Call<'_>) -> Result<(), GraphError> {
    let Some(user) = call.caller.user_id.as_deref() else {
        return Ok(());
    };
    if call.state.is_administrator(user) {
        Ok(())
    } else {
        Err(denied())
    }
}

/// Checks who can delete, restore or purge an object.
pub(super) fn check_delete(call: Call<'_>, kind: Kind, object: &Object) -> Result<(), GraphError> {
    if kind == Kind::User {
        return check_sensitive(call, object, SensitiveAction::Other);
    }
    check_role(call, kind, object)?;
    check_role_assignable(call, object)?;
    let Some(user) = call.caller.user_id.as_deref() else {
        return Ok(());
    };
    // Who may delete a role-assignable group is decided by now.
    let is_decided = is_role_assignable(object);
    if !is_decided && call.state.is_protected(id(object)) && !call.state.is_administrator(user) {
        return Err(denied());
    }
    Ok(())
}

/// Checks who can change a user in a sensitive way, beside the permission.
pub(super) fn check_sensitive(
    call: Call<'_>,
    user: &Object,
    action: SensitiveAction,
) -> Result<(), GraphError> {
    let target = id(user);
    let allowed = match call.caller.user_id.as_deref() {
        Some(actor) => call.state.user_may(actor, action, target),
        None => {
            let principal = call.caller.service_principal_id.as_deref();
            call.state.application_may(principal, action, target)
        }
    };
    if allowed { Ok(()) } else { Err(denied()) }
}

fn id(object: &Object) -> &str {
    object.get("id").and_then(Value::as_str).unwrap_or_default()
}

fn check_role_assignable(call: Call<'_>, object: &Object) -> Result<(), GraphError> {
    if is_role_assignable(object) {
        return check_role_management(call);
    }
    Ok(())
}

fn is_role_assignable(object: &Object) -> bool {
    object.get("isAssignableToRole") == Some(&Value::Bool(true))
}

fn check_role_management(call: Call<'_>) -> Result<(), GraphError> {
    if call.caller.has_any(&["RoleManagement.ReadWrite.Directory"]) {
        Ok(())
    } else {
        Err(denied())
    }
}

/// Permissions that write every property of users except those with permissions of their own.
const ALL_OF_USERS: &[&str] = &["User.ReadWrite.All", "Directory.ReadWrite.All"];

/// Properties with permissions of their own, and whether only those permissions are enough.
pub(crate) const SPECIAL: &[(&str, &[&str], bool)] = &[
    ("accountEnabled", &["User.EnableDisableAccount.All"], false),
    ("businessPhones", &["User-Phone.ReadWrite.All"], false),
    ("mobilePhone", &["User-Phone.ReadWrite.All"], false),
    ("otherMails", &["User-Mail.ReadWrite.All"], false),
    ("identities", &["User.ManageIdentities.All"], false),
    ("passwordProfile", RESET_PASSWORDS, true),
    (PASSWORD, RESET_PASSWORDS, true),
    (
        "customSecurityAttributes",
        &["CustomSecAttributeAssignment.ReadWrite.All"],
        true,
    ),
    (
        "employeeLeaveDateTime",
        &["User-LifeCycleInfo.ReadWrite.All"],
        true,
    ),
];

const RESET_PASSWORDS: &[&str] = &[
    "User-PasswordProfile.ReadWrite.All",
    "Directory.AccessAsUser.All",
];

/// Properties that users cannot change in their own profile.
const NOT_BY_THE_USER: &[&str] = &[
    "accountEnabled",
    "companyName",
    "customSecurityAttributes",
    "department",
    "displayName",
    "employeeHireDate",
    "employeeId",
    "employeeLeaveDateTime",
    "employeeOrgData",
    "employeeType",
    "identities",
    "jobTitle",
    "mail",
    "mailNickname",
    "onPremisesImmutableId",
    "otherMails",
    "passwordPolicies",
    "passwordProfile",
    "usageLocation",
    "userPrincipalName",
    "userType",
];
