//! The rules of custom security attributes: sets, definitions and predefined values.

use serde_json::Value;

use super::{
    super::{call::Call, security_attributes, unsourced},
    body::{Draft, invalid},
    plan::Step,
};
use crate::{
    odata::GraphError,
    schema::{ATTRIBUTE_OF, WIRE_ID},
    store::{Kind, Object},
};

/// Checks a new set, and returns its id.
pub(super) fn complete_set(call: Call<'_>, draft: &mut Draft) -> Result<String, GraphError> {
    let entity = Kind::AttributeSet.entity();
    let id = draft.text("id").unwrap_or_default().to_owned();
    if !is_name(&id) {
        return Err(invalid(entity, "id"));
    }
    if call.state.store.get(Kind::AttributeSet, &id).is_some() {
        return Err(GraphError::conflict("id"));
    }
    draft.set_if_absent("maxAttributesPerSet", MOST_PER_SET);
    check_maximum(draft)?;
    Ok(id)
}

/// Checks the number of attributes that a set can have.
pub(super) fn check_maximum(draft: &Draft) -> Result<(), GraphError> {
    let maximum = draft.get("maxAttributesPerSet").and_then(Value::as_u64);
    if draft.names("maxAttributesPerSet") && !maximum.is_some_and(|most| (1..=500).contains(&most))
    {
        return Err(invalid(Kind::AttributeSet.entity(), "maxAttributesPerSet"));
    }
    Ok(())
}

/// Checks a new definition. Returns its id and the predefined values of the body.
pub(super) fn complete(
    call: Call<'_>,
    draft: &mut Draft,
) -> Result<(String, Vec<Step>), GraphError> {
    let entity = Kind::SecurityAttribute.entity();
    let text = |name: &str| draft.text(name).unwrap_or_default().to_owned();
    let (set, name) = (text("attributeSet"), text("name"));
    if !is_name(&name) {
        return Err(invalid(entity, "name"));
    }
    let store = &call.state.store;
    let Some(set_object) = store.get(Kind::AttributeSet, &set) else {
        return Err(GraphError::not_found(&set));
    };
    let id = format!("{set}_{name}");
    if store.get(Kind::SecurityAttribute, &id).is_some() {
        return Err(GraphError::conflict("name"));
    }
    let active = |definition: &&Object| definition["status"] == "Available";
    let in_set = |definition: &&Object| definition["attributeSet"] == set.as_str();
    let all = || store.all(Kind::SecurityAttribute).filter(active);
    let most = set_object["maxAttributesPerSet"]
        .as_u64()
        .unwrap_or(MOST_PER_SET);
    if all().filter(in_set).count() as u64 >= most || all().count() as u64 >= MOST_IN_TENANT {
        return Err(unsourced::too_many_security_attributes());
    }
    for flag in ["isCollection", "usePreDefinedValuesOnly"] {
        if draft.text("type") == Some("Boolean") && draft.flag(flag) == Some(true) {
            return Err(invalid(entity, flag));
        }
    }
    let listed = draft.get("allowedValues").cloned();
    draft.values.retain(|(name, _)| name != "allowedValues");
    let mut steps: Vec<Step> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for item in listed
        .iter()
        .flat_map(|list| list.as_array().into_iter().flatten())
    {
        let (Some(value), Some(active)) = (item["id"].as_str(), item["isActive"].as_bool()) else {
            return Err(invalid(entity, "allowedValues"));
        };
        if value.is_empty() || value.chars().count() > MOST_CHARACTERS || seen.contains(&value) {
            return Err(invalid(entity, "allowedValues"));
        }
        seen.push(value);
        steps.push(Step::Insert(
            Kind::AllowedValue,
            allowed_value(&id, value, active),
        ));
    }
    Ok((id, steps))
}

/// Checks a change of a definition: predefined values can be given up, not introduced.
pub(super) fn adjust(definition: &Object, draft: &Draft) -> Result<(), GraphError> {
    let introduced = draft.flag("usePreDefinedValuesOnly") == Some(true)
        && definition["usePreDefinedValuesOnly"] == false;
    if introduced {
        return Err(invalid(
            Kind::SecurityAttribute.entity(),
            "usePreDefinedValuesOnly",
        ));
    }
    Ok(())
}

/// Returns a predefined value as the store has it.
pub(super) fn allowed_value(definition: &str, value: &str, active: bool) -> Object {
    crate::directory::object([
        ("id", format!("{definition}/{value}").into()),
        (WIRE_ID, value.into()),
        (ATTRIBUTE_OF, definition.into()),
        ("isActive", active.into()),
    ])
}

/// Checks a new predefined value: each is there once, and not for yes and no.
pub(super) fn check_value(
    call: Call<'_>,
    definition: &Object,
    value: &Object,
) -> Result<(), GraphError> {
    if definition["type"] == "Boolean" {
        return Err(invalid(Kind::AllowedValue.entity(), "id"));
    }
    let id = value["id"].as_str().unwrap_or_default();
    if call.state.store.get(Kind::AllowedValue, id).is_some() {
        return Err(GraphError::conflict("id"));
    }
    Ok(())
}

/// Checks values of attributes in the body of a user, and puts all values after the change in their place.
pub(super) fn merge_values(
    call: Call<'_>,
    before: &Object,
    draft: &mut Draft,
) -> Result<(), GraphError> {
    let name = security_attributes::PROPERTY;
    if let Some(change) = draft.get(name).cloned() {
        let after = security_attributes::merge(call, before.get(name), &change)?;
        draft.set(name, after);
    }
    Ok(())
}

/// Letters and digits; no blanks.
fn is_name(text: &str) -> bool {
    text.chars()
        .all(|char| char.is_alphanumeric() || char == '_')
}

const MOST_PER_SET: u64 = 25;
/// The documented maximum of active definitions in a tenant.
const MOST_IN_TENANT: u64 = 500;
const MOST_CHARACTERS: usize = 64;
