//! What decides beside the permission: the role of the signed-in user, ownership, and properties that
//! have permissions of their own.

use serde_json::Value;

use super::{super::Call, body::Draft};
use crate::{
    account::{PASSWORD, is_administrator},
    odata::Refusal,
    permissions::denied,
    schema::Relation,
    store::{Kind, Object},
};

/// A permission is enough for an application; a user also needs a role, or to own the object.
fn check_role(call: Call<'_>, kind: Kind, object: &Object) -> Result<(), Refusal> {
    let Some(user) = call.caller.user_id.as_deref() else {
        return Ok(());
    };
    let administrator = call
        .state
        .store
        .get(Kind::User, user)
        .is_some_and(is_administrator);
    let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
    let owner = kind.entity().relationship("owners").is_some()
        && call.state.store.is_linked(Relation::Owners, id, user);
    if administrator || owner {
        Ok(())
    } else {
        Err(denied())
    }
}

/// Who may create objects of a type. Every member may create groups.
pub(super) fn check_create(call: Call<'_>, kind: Kind, draft: &Draft) -> Result<(), Refusal> {
    if let Some(user) = call.caller.user_id.as_deref() {
        let user = call.state.store.get(Kind::User, user);
        let administrator = user.is_some_and(is_administrator);
        let member = user.is_some_and(|user| user["userType"] != "Guest");
        if !(administrator || member && kind == Kind::Group) {
            return Err(denied());
        }
    }
    if draft.flag("isAssignableToRole") == Some(true) {
        return check_role_management(call);
    }
    Ok(())
}

/// Who may update an object, whatever of it.
pub(super) fn check_update(
    call: Call<'_>,
    kind: Kind,
    object: &Object,
    draft: &Draft,
    own: bool,
) -> Result<(), Refusal> {
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
    check_role(call, kind, object)?;
    let all = call.caller.has_any(ALL_OF_USERS);
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
    if names().any(|name| SENSITIVE.contains(&name)) {
        check_target_role(call, object)?;
    }
    Ok(())
}

/// Who may change the links of an object.
pub(super) fn check_links(call: Call<'_>, kind: Kind, object: &Object) -> Result<(), Refusal> {
    check_role(call, kind, object)?;
    check_role_assignable(call, object)
}

/// Who may delete, restore or purge an object, or end a user's sessions.
pub(super) fn check_delete(call: Call<'_>, kind: Kind, object: &Object) -> Result<(), Refusal> {
    check_role(call, kind, object)?;
    check_role_assignable(call, object)?;
    check_target_role(call, object)
}

/// Applications may not do sensitive things to administrators; that takes a role.
fn check_target_role(call: Call<'_>, object: &Object) -> Result<(), Refusal> {
    if is_administrator(object) && !call.caller.is_delegated() {
        return Err(denied());
    }
    Ok(())
}

fn check_role_assignable(call: Call<'_>, object: &Object) -> Result<(), Refusal> {
    if object.get("isAssignableToRole") == Some(&Value::Bool(true)) {
        return check_role_management(call);
    }
    Ok(())
}

fn check_role_management(call: Call<'_>) -> Result<(), Refusal> {
    if call.caller.has_any(&["RoleManagement.ReadWrite.Directory"]) {
        Ok(())
    } else {
        Err(denied())
    }
}

/// What writes every property of users but those that have a permission of their own alone.
const ALL_OF_USERS: &[&str] = &["User.ReadWrite.All", "Directory.ReadWrite.All"];

/// Properties with permissions of their own, and whether only those will do.
const SPECIAL: &[(&str, &[&str], bool)] = &[
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

/// What only a role may change of an administrator.
const SENSITIVE: &[&str] = &[
    "accountEnabled",
    "businessPhones",
    "mobilePhone",
    "onPremisesImmutableId",
    "otherMails",
    "passwordProfile",
    "userPrincipalName",
];

/// What users cannot change of themselves.
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
