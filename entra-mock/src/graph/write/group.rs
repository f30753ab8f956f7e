//! The rules of groups: types, addresses, members.

use serde_json::{Value, json};

use super::{
    super::{call::Call, route::Root, unsourced},
    access,
    body::{Draft, invalid, required, texts},
    plan::{Plan, PlannedResponse, Step},
    target::target,
};
use crate::{
    odata::{Detail, GraphError},
    permissions::denied,
    schema::{Relation, Relationship},
    state::iso,
    store::{Kind, Object},
};

/// Checks a new group and adds the properties that every group has.
pub(super) fn complete(call: Call<'_>, draft: &mut Draft) -> Result<(), GraphError> {
    let entity = Kind::Group.entity();
    let types: Vec<String> = texts(draft.get("groupTypes")).map(str::to_owned).collect();
    check(draft, &types)?;
    let unified = types.iter().any(|name| name == "Unified");
    let mail_enabled = draft.flag("mailEnabled") == Some(true);
    let secure = draft.flag("securityEnabled") == Some(true);
    if mail_enabled != unified || !unified && !secure {
        return Err(no_mail_enabled_groups());
    }
    let hidden = draft.text("visibility") == Some("HiddenMembership");
    if hidden && !unified {
        return Err(invalid(entity, "visibility"));
    }
    let dynamic = types.iter().any(|name| name == "DynamicMembership");
    if dynamic {
        draft.require(entity, "membershipRule")?;
        draft.set_if_absent("membershipRuleProcessingState", "On");
        if draft.links.iter().any(|(link, _)| link.name == "members") {
            return Err(denied());
        }
    } else if draft.get("membershipRule").is_some() {
        return Err(invalid(entity, "membershipRule"));
    }
    if draft.flag("isAssignableToRole") == Some(true) && (dynamic || !secure) {
        return Err(invalid(entity, "isAssignableToRole"));
    }
    draft.set("groupTypes", types);
    draft.set("renewedDateTime", iso(call.now));
    if unified {
        let nickname = draft.text("mailNickname").unwrap_or_default();
        let mail = format!("{nickname}@{}", call.state.default_domain());
        check_nickname(call, None, &mail)?;
        draft.set("proxyAddresses", json!([format!("SMTP:{mail}")]));
        draft.set("mail", mail);
        draft.set_if_absent("visibility", "Public");
    }
    Ok(())
}

/// Checks changes of a group and adds the changes that follow from them.
pub(super) fn adjust(call: Call<'_>, group: &Object, draft: &mut Draft) -> Result<(), GraphError> {
    let entity = Kind::Group.entity();
    let before: Vec<String> = texts(group.get("groupTypes")).map(str::to_owned).collect();
    // Null is an empty list.
    let types = match draft.names("groupTypes") {
        true => texts(draft.get("groupTypes")).map(str::to_owned).collect(),
        false => before.clone(),
    };
    check(draft, &types)?;
    let has = |types: &[String], name: &str| types.iter().any(|other| other == name);
    let unified = has(&before, "Unified");
    if has(&types, "Unified") != unified {
        return Err(invalid(entity, "groupTypes"));
    }
    let mail_enabled = group.get("mailEnabled").and_then(Value::as_bool);
    if draft
        .flag("mailEnabled")
        .is_some_and(|flag| Some(flag) != mail_enabled)
        || draft.flag("securityEnabled") == Some(false) && !unified
    {
        return Err(no_mail_enabled_groups());
    }
    if has(&types, "DynamicMembership") {
        let rule = if draft.names("membershipRule") {
            draft.get("membershipRule")
        } else {
            group.get("membershipRule")
        };
        if rule.is_none() {
            return Err(required(entity, "membershipRule"));
        }
    }
    // Hidden membership can only be set at creation.
    let hidden = group.get("visibility").and_then(Value::as_str) == Some("HiddenMembership");
    let hides = draft.text("visibility") == Some("HiddenMembership");
    if draft.names("visibility") && hides != hidden {
        return Err(invalid(entity, "visibility"));
    }
    if unified && let Some(nickname) = draft.text("mailNickname") {
        let mail = format!("{nickname}@{}", call.state.default_domain());
        if group.get("mail").and_then(Value::as_str) != Some(mail.as_str()) {
            check_nickname(call, group.get("id"), &mail)?;
            draft.set("proxyAddresses", json!([format!("SMTP:{mail}")]));
            draft.set("mail", mail);
        }
    }
    Ok(())
}

/// Checks which objects can be members of which groups.
pub(super) fn check_member(
    group: &Object,
    relationship: &Relationship,
    kind: Kind,
    member: &Object,
) -> Result<(), GraphError> {
    if relationship.of != Kind::Group || relationship.written() != Some(Relation::Members) {
        return Ok(());
    }
    let unified_member = kind == Kind::Group && is_unified(member);
    if is_unified(group) && unified_member {
        return Err(unified_in_unified());
    }
    if kind == Kind::Group && group.get("isAssignableToRole") == Some(&Value::Bool(true)) {
        return Err(nested_in_role_group());
    }
    if is_unified(group) && kind != Kind::User || unified_member {
        return Err(unsourced::unsupported_target(kind, relationship.name));
    }
    Ok(())
}

/// Returns 400 for a Microsoft 365 group in another one (microsoft-graph-docs issue 11629).
fn unified_in_unified() -> GraphError {
    let mut error = GraphError::bad_request(
        "Unified Groups cannot be added to Unified Groups. paramName: Members, paramValue: , objectType: Microsoft.Online.DirectoryServices.Group",
    );
    error.details.push(Detail {
        code: "InvalidValue",
        message: String::new(),
        target: "membersWithLicenseErrors.members".to_owned(),
    });
    error
}

/// Returns 400 for a group in a role-assignable group (azure-docs issue 88710).
fn nested_in_role_group() -> GraphError {
    GraphError::bad_request(
        "Nesting is currently not supported for groups that can be assigned to a role.",
    )
}

/// Rejects the removal of a group's last owner.
pub(super) fn check_owner_left(
    call: Call<'_>,
    kind: Kind,
    id: &str,
    relation: Relation,
) -> Result<(), GraphError> {
    let owners = call.state.store.linked_objects(relation, id).count();
    if kind == Kind::Group && relation == Relation::Owners && owners == 1 {
        return Err(GraphError::bad_request(
            "The group must have at least one owner, hence this owner cannot be removed.",
        ));
    }
    Ok(())
}

/// `renew`: extends the expiry of a group.
pub(super) fn renew(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (group, id, _) = target(call, root, kind, "/renew")?;
    access::check_links(call, kind, group)?;
    let values = vec![("renewedDateTime".to_owned(), Some(iso(call.now).into()))];
    Ok(Plan::new(PlannedResponse::NoContent)
        .with(Step::Update(kind, id.to_owned(), values))
        .audited_as("GroupManagement", "Update group"))
}

fn check(draft: &Draft, types: &[String]) -> Result<(), GraphError> {
    let entity = Kind::Group.entity();
    if !types
        .iter()
        .all(|name| ["Unified", "DynamicMembership"].contains(&name.as_str()))
    {
        return Err(invalid(entity, "groupTypes"));
    }
    if draft
        .text("visibility")
        .is_some_and(|name| !["Public", "Private", "HiddenMembership"].contains(&name))
    {
        return Err(invalid(entity, "visibility"));
    }
    if draft
        .text("membershipRuleProcessingState")
        .is_some_and(|name| !["On", "Paused"].contains(&name))
    {
        return Err(invalid(entity, "membershipRuleProcessingState"));
    }
    Ok(())
}

/// Returns a conflict of aliases if another group than the one with the id `own` has the address, and of addresses if
/// a user has it.
fn check_nickname(call: Call<'_>, own: Option<&Value>, mail: &str) -> Result<(), GraphError> {
    let address = format!("smtp:{mail}");
    let taken = |kind| {
        let holder = call.state.store.find(kind, "proxyAddresses", &address);
        holder.is_some_and(|holder| holder.get("id") != own)
    };
    if taken(Kind::Group) {
        return Err(GraphError::conflict("mailNickname"));
    }
    if taken(Kind::User) {
        return Err(GraphError::conflict("proxyAddresses"));
    }
    Ok(())
}

fn is_unified(group: &Object) -> bool {
    texts(group.get("groupTypes")).any(|name| name == "Unified")
}

fn no_mail_enabled_groups() -> GraphError {
    GraphError::bad_request(
        "The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset and the security-enablement property is set.",
    )
}
