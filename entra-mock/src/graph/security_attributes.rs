//! Custom security attributes of users: who sees them, and which values are valid.

use serde_json::{Map, Value, json};

use super::{call::Call, projection::Projection};
use crate::{
    odata::GraphError,
    permissions::denied,
    schema::{ATTRIBUTE_OF, WIRE_ID},
    store::{Kind, Object},
};

/// Hides the attributes from callers without their permission: they see null, as for no attributes.
pub(super) fn hide(call: Call<'_>, projection: &mut Projection) {
    if is_hidden(call, PROPERTY) {
        projection.hide(PROPERTY);
    }
}

/// Whether the caller may not see the values of a property, because they are attributes.
pub(super) fn is_hidden(call: Call<'_>, property: &str) -> bool {
    property == PROPERTY && !call.caller.has_any(READ)
}

/// Rejects a filter by attributes that the caller may not see.
pub(super) fn check_filter(call: Call<'_>, properties: &[String]) -> Result<(), GraphError> {
    if properties.iter().any(|name| is_hidden(call, name)) {
        return Err(denied());
    }
    Ok(())
}

/// Checks new values of attributes, and returns all values after the change: sets and attributes that
/// the body leaves out stay, null and an empty list remove one.
pub(super) fn merge(
    call: Call<'_>,
    before: Option<&Value>,
    change: &Value,
) -> Result<Value, GraphError> {
    let mut after = before
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let sets = change.as_object().ok_or_else(|| invalid(""))?;
    for (set, values) in sets.iter().filter(|(name, _)| !name.contains('@')) {
        let values = values.as_object().ok_or_else(|| invalid(set))?;
        if values.get(TYPE).and_then(Value::as_str) != Some(BODY_TYPE) {
            return Err(invalid(set));
        }
        let own = after
            .entry(set.clone())
            .or_insert_with(|| json!({ TYPE: READ_TYPE }));
        let own = own.as_object_mut().ok_or_else(|| invalid(set))?;
        for (name, value) in values.iter().filter(|(name, _)| !name.contains('@')) {
            let annotation = format!("{name}{TYPE}");
            let typed = values.get(&annotation).and_then(Value::as_str);
            change_one(call, own, (set, name), value, typed)?;
        }
        if own.keys().all(|name| name.contains('@')) {
            after.remove(set);
        }
    }
    Ok(after.into())
}

fn change_one(
    call: Call<'_>,
    own: &mut Map<String, Value>,
    (set, name): (&str, &str),
    value: &Value,
    typed: Option<&str>,
) -> Result<(), GraphError> {
    let id = format!("{set}_{name}");
    let definition = call
        .state
        .store
        .get(Kind::SecurityAttribute, &id)
        .filter(|definition| definition["status"] == "Available")
        .ok_or_else(|| invalid(&id))?;
    let annotation = format!("{name}{TYPE}");
    own.remove(name);
    own.remove(&annotation);
    let many = definition["isCollection"] == true;
    let removed = match value {
        Value::Null => !many,
        Value::Array(items) => many && items.is_empty(),
        _ => false,
    };
    if removed {
        return Ok(());
    }
    let (items, expected) = match (value, definition["type"].as_str(), many) {
        (Value::Array(items), Some("Integer"), true) => (items.as_slice(), Some(INTEGERS)),
        (Value::Array(items), _, true) => (items.as_slice(), Some(STRINGS)),
        (Value::Array(_), _, false) | (_, _, true) => return Err(invalid(&id)),
        (single, Some("Integer"), false) => (std::slice::from_ref(single), Some(INTEGER)),
        (single, _, false) => (std::slice::from_ref(single), None),
    };
    if typed != expected || !items.iter().all(|item| fits(call, definition, item)) {
        return Err(invalid(&id));
    }
    if let Some(expected) = expected {
        own.insert(annotation, expected.into());
    }
    own.insert(name.to_owned(), value.clone());
    Ok(())
}

/// Whether a value has the type of its attribute, and is predefined where it must be.
fn fits(call: Call<'_>, definition: &Object, value: &Value) -> bool {
    let text = match (definition["type"].as_str(), value) {
        (Some("Boolean"), Value::Bool(_)) => return true,
        (Some("Integer"), Value::Number(number))
            if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) =>
        {
            number.to_string()
        }
        (Some("String"), Value::String(text)) if (1..=64).contains(&text.chars().count()) => {
            text.clone()
        }
        _ => return false,
    };
    definition["usePreDefinedValuesOnly"] != true
        || call.state.store.all(Kind::AllowedValue).any(|allowed| {
            allowed[ATTRIBUTE_OF] == definition["id"]
                && allowed[WIRE_ID] == text
                && allowed["isActive"] == true
        })
}

fn invalid(attribute: &str) -> GraphError {
    super::unsourced::invalid_security_attribute(attribute)
}

pub(super) const PROPERTY: &str = "customSecurityAttributes";
const READ: &[&str] = &[
    "CustomSecAttributeAssignment.Read.All",
    "CustomSecAttributeAssignment.ReadWrite.All",
];
const TYPE: &str = "@odata.type";
/// The type of a set in a request body, and in a response.
const BODY_TYPE: &str = "#Microsoft.DirectoryServices.CustomSecurityAttributeValue";
const READ_TYPE: &str = "#microsoft.graph.customSecurityAttributeValue";
const INTEGER: &str = "#Int32";
const INTEGERS: &str = "#Collection(Int32)";
const STRINGS: &str = "#Collection(String)";
