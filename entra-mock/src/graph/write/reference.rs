//! `$ref`: adds and removes links.

use serde_json::Value;
use url::form_urlencoded;

use super::{
    super::{
        call::{Call, unsupported},
        route::{self, Root},
        unsourced,
    },
    access,
    body::{has_value, json, malformed, reference_exists, referenced},
    group,
    plan::{Plan, PlannedResponse, Step},
    role,
    target::target,
};
use crate::{
    odata::GraphError,
    permissions::denied,
    schema::{Relation, Relationship},
    store::{Kind, Object},
};

pub(super) fn plan(
    call: Call<'_>,
    root: &Root,
    kind: Kind,
    relationship: &'static Relationship,
    item: Option<&str>,
) -> Result<Plan, GraphError> {
    let Some(relation) = relationship.written() else {
        return Err(unsupported(call.request));
    };
    let named = removed_by_option(call, relationship, item)?;
    let item = item.or(named.as_deref());
    let add = match (call.request.method.as_str(), relationship.many, item) {
        ("POST", true, None) | ("PUT", false, None) => true,
        ("DELETE", true, Some(_)) | ("DELETE", false, None) => false,
        _ => return Err(unsupported(call.request)),
    };
    let item_path = if item.is_some() { "/{id}" } else { "" };
    let path = format!("/{}{item_path}/$ref", relationship.name);
    let (object, id, _) = target(call, root, kind, &path)?;
    if relation == Relation::AppManagementPolicies {
        access::check_administrator(call)?;
    } else {
        access::check_links(call, kind, object)?;
    }
    check_not_decided(object, relationship)?;
    let id = id.to_owned();
    let names = kind.entity().activities;
    let (added, removed) = match relation {
        Relation::Members => (names.add_member, names.remove_member),
        Relation::Owners | Relation::RegisteredOwners => (names.add_owner, names.remove_owner),
        Relation::RegisteredUsers => (
            "Add registered users to device",
            "Remove registered users from device",
        ),
        Relation::Manager => ("Set user manager", "Remove user manager"),
        // The list of activities has none for sponsors.
        Relation::Sponsors => (names.update, names.update),
        // Set by the creation alone.
        Relation::CreatedOnBehalfOf => return Err(unsupported(call.request)),
        Relation::AppManagementPolicies if kind == Kind::Application => (
            "Add policy to application",
            "Remove policy from application",
        ),
        Relation::AppManagementPolicies => (
            "Add policy to service principal",
            "Remove policy from service principal",
        ),
    };
    if add {
        let other = body_reference(call)?;
        if call.state.store.any(&other).is_none() {
            return Err(GraphError::not_found(&other));
        }
        if call.state.store.is_linked(relation, &id, &other) {
            // Setting the same manager again changes nothing.
            if relationship.many {
                return Err(reference_exists(relationship.name));
            }
            return Ok(Plan::new(PlannedResponse::NoContent));
        }
        check_target(call, object, relationship, &other)?;
        let linked = call.state.store.linked_objects(relation, &id).count();
        if relation == Relation::AppManagementPolicies && linked > 0 {
            return Err(unsourced::second_policy());
        }
        let assignment = role::assignment_step(relationship, object, &other, true);
        let mut plan = Plan::new(PlannedResponse::NoContent).with(Step::Link(relation, id, other));
        plan.steps.extend(assignment);
        return Ok(plan.audited_as(names.category, added));
    }

    let other = match item {
        Some(item) => route::guid(item)?,
        None => call
            .state
            .store
            .linked_objects(relation, &id)
            .find_map(|(_, other)| other["id"].as_str().map(str::to_owned))
            .ok_or_else(|| GraphError::not_found(relationship.name))?,
    };
    if call.state.store.any(&other).is_none() {
        return Err(GraphError::not_found(&other));
    }
    if !call.state.store.is_linked(relation, &id, &other) {
        return Err(GraphError::bad_request(format!(
            "One or more removed object references do not exist for the following modified properties: '{}'.",
            relationship.name
        )));
    }
    group::check_owner_left(call, kind, &id, relation)?;
    let assignment = role::assignment_step(relationship, object, &other, false);
    let mut plan = Plan::new(PlannedResponse::NoContent).with(Step::Unlink(relation, id, other));
    plan.steps.extend(assignment);
    Ok(plan.audited_as(names.category, removed))
}

/// Returns 403 for changes of links that a rule decides, such as the members of a dynamic group,
/// with any permission (microsoft-graph-docs issues 9071 and 9556, and Microsoft's support article
/// on 403 errors when a user is added to a group). For administrative units there is no source.
pub(super) fn check_not_decided(
    object: &Object,
    relationship: &Relationship,
) -> Result<(), GraphError> {
    let Some((property, value)) = relationship.decided_by else {
        return Ok(());
    };
    if !has_value(object.get(property), value) {
        return Ok(());
    }
    Err(denied())
}

/// Checks that a relationship accepts objects of that type.
pub(super) fn check_target(
    call: Call<'_>,
    object: &Object,
    relationship: &Relationship,
    other: &str,
) -> Result<(), GraphError> {
    let Some((kind, target)) = call.state.store.any(other) else {
        return Err(GraphError::not_found(other));
    };
    let itself = object.get("id") == target.get("id");
    if itself || !relationship.kinds.contains(&kind) {
        return Err(unsourced::unsupported_target(kind, relationship.name));
    }
    if relationship.of == Kind::DirectoryRole {
        return role::check_principal(kind, target, relationship.name);
    }
    group::check_member(object, relationship, kind, target)
}

/// Returns the id in the option `@id` of a removal from a collection, as generated clients send it. OData 4.0 calls it
/// `$id`.
fn removed_by_option(
    call: Call<'_>,
    relationship: &Relationship,
    item: Option<&str>,
) -> Result<Option<String>, GraphError> {
    if call.request.method != "DELETE" || !relationship.many || item.is_some() {
        return Ok(None);
    }
    let query = call.request.query.as_deref().unwrap_or_default();
    let mut options = form_urlencoded::parse(query.as_bytes());
    let is_id = |name: &str| {
        ["@id", "$id"]
            .iter()
            .any(|id| id.eq_ignore_ascii_case(name))
    };
    match options.find(|(name, _)| is_id(name)) {
        Some((_, url)) => referenced(call, &url, "@id.").map(Some),
        None => Ok(None),
    }
}

fn body_reference(call: Call<'_>) -> Result<String, GraphError> {
    let body = json(call)?;
    let url = body
        .get("@odata.id")
        .and_then(Value::as_str)
        .ok_or_else(|| malformed("The property '@odata.id' is missing from the request body."))?;
    referenced(call, url, "payload.")
}
