//! The types of properties from the committed tables, to check bodies and seeds.

use std::{collections::HashMap, fmt, sync::OnceLock};

use serde_json::Value;

use super::{EntityType, is_extension, property::fits};
use crate::time::ticks;

/// One property of a type as declared in the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) name: &'static str,
    /// `String`, `Boolean`, …, or the name of a complex type or enumeration.
    pub(super) value: &'static str,
    pub(super) many: bool,
    pub(super) required: bool,
}

/// An invalid property of a body or a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// The type has no such property.
    Unknown(String),
    /// The property has another type.
    Type(String),
    /// The property does not take this value: it is too long, or has another form.
    Value(String),
    /// Graph has this property, and the fake tenant does not support it.
    NotBuilt(String),
}

/// Returns all invalid properties of an object.
pub(crate) fn mismatches<'v>(
    entity: &EntityType,
    properties: impl IntoIterator<Item = (&'v str, &'v Value)>,
) -> Vec<Mismatch> {
    let facts = facts_of(entity.name).unwrap_or_default();
    let check = |(name, value): (&str, &Value)| {
        let property = entity
            .property(name)
            .filter(|property| property.name == name);
        let fact = facts.iter().find(|fact| fact.name == name);
        let mut found = Vec::new();
        if let Some(fact) = fact {
            check_value(name, fact, value, &mut found);
        }
        if !found.is_empty() {
            return found;
        }
        // Annotations, and properties that the published metadata lacks.
        let beyond = name.starts_with('@') || entity.open && is_extension(name);
        match property {
            Some(property) if !fits(property, value) => {
                found.push(Mismatch::Value(name.to_owned()));
            }
            None if fact.is_none() && !beyond => found.push(Mismatch::Unknown(name.to_owned())),
            Some(_) | None => {}
        }
        found
    };
    properties.into_iter().flat_map(check).collect()
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "there is no property {name}"),
            Self::Type(name) => write!(f, "the value of {name} has the wrong type"),
            Self::Value(name) => write!(f, "the value of {name} is invalid"),
            Self::NotBuilt(name) => write!(f, "{name} is not supported"),
        }
    }
}

/// Whether the metadata does not allow null for a property.
pub(crate) fn is_required(entity: &EntityType, name: &str) -> bool {
    facts_of(entity.name)
        .unwrap_or_default()
        .iter()
        .any(|fact| fact.name == name && fact.required)
}

/// The members of a complex property that responses have even if they have no value. Documented examples show that of
/// a few types; other values are returned as they were written.
pub(crate) fn written_members(entity: &EntityType, name: &str) -> Vec<&'static str> {
    let Some(value) = value_type(entity, name) else {
        return Vec::new();
    };
    WRITTEN_IN_FULL
        .contains(&value)
        .then(|| facts_of(value))
        .flatten()
        .into_iter()
        .flatten()
        .map(|member| member.name)
        .collect()
}

/// Pages "List devices" (examples 2 and 5) and "Get device".
const WRITTEN_IN_FULL: [&str; 2] = ["alternativeSecurityId", "onPremisesExtensionAttributes"];

/// The type of a property's value, or `None` if no table has it.
pub(super) fn value_type(entity: &EntityType, name: &str) -> Option<&'static str> {
    let facts = facts_of(entity.name).unwrap_or_default();
    match facts.iter().find(|fact| fact.name == name) {
        Some(fact) => Some(fact.value),
        // The metadata of devices lacks it.
        None => (name == "extensionAttributes").then_some("onPremisesExtensionAttributes"),
    }
}

/// The names of all enumerations, sorted.
pub(super) fn enumerations() -> Vec<&'static str> {
    let mut names: Vec<&str> = tables().enums.keys().copied().collect();
    names.sort_unstable();
    names
}

/// The members of an enumeration.
pub(super) fn members_of(name: &str) -> &'static [&'static str] {
    let members = tables().enums.get(name);
    members.map(Vec::as_slice).unwrap_or_default()
}

/// The names of all types with properties, sorted: entity types and complex types.
pub(super) fn structures() -> Vec<&'static str> {
    let tables = tables();
    let mut names: Vec<&str> = tables.types.keys().chain(&tables.open).copied().collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether a type can have properties that it does not declare.
pub(super) fn is_open(name: &str) -> bool {
    tables().open.contains(&name)
}

/// Whether the tables have a type of that name.
pub(super) fn is_declared(name: &str) -> bool {
    let tables = tables();
    tables.enums.contains_key(name) || tables.types.contains_key(name) || is_open(name)
}

/// The declared properties of a type, or `None` for a type without a table.
pub(super) fn facts_of(name: &str) -> Option<&'static [Fact]> {
    tables().types.get(name).map(Vec::as_slice)
}

/// Checks a value against the declared type of a property. Null is valid for any type.
fn check_value(path: &str, fact: &Fact, value: &Value, found: &mut Vec<Mismatch>) {
    if value.is_null() && !fact.many {
        return;
    }
    if !fact.many {
        return check_single(path, fact.value, value, found);
    }
    match value.as_array() {
        Some(items) => {
            for item in items {
                check_single(path, fact.value, item, found);
            }
        }
        None => add(found, Mismatch::Type(path.to_owned())),
    }
}

/// Items of a list can have the same fault, which is named once.
fn add(found: &mut Vec<Mismatch>, mismatch: Mismatch) {
    if !found.contains(&mismatch) {
        found.push(mismatch);
    }
}

fn check_single(path: &str, name: &str, value: &Value, found: &mut Vec<Mismatch>) {
    let text = value.as_str();
    let whole = |most: i64| value.as_i64().is_some_and(|number| number.abs() <= most);
    let fits = match name {
        "String" | "Duration" | "Binary" | "Stream" => text.is_some(),
        "Boolean" => value.is_boolean(),
        "Int16" => whole(i64::from(i16::MAX)),
        "Int32" => whole(i64::from(i32::MAX)),
        "Int64" => whole(i64::MAX),
        "Double" | "Single" | "Decimal" => value.is_number(),
        "Guid" => text.is_some_and(|text| text.parse::<entra_core::Guid>().is_ok()),
        "Date" => text.is_some_and(|text| text.len() == 10 && ticks(text).is_some()),
        "DateTimeOffset" => text.is_some_and(|text| ticks(text).is_some()),
        "TimeOfDay" => text.is_some(),
        name => return check_declared(path, name, value, found),
    };
    if !fits {
        add(found, Mismatch::Type(path.to_owned()));
    }
}

fn check_declared(path: &str, name: &str, value: &Value, found: &mut Vec<Mismatch>) {
    if let Some(members) = tables().enums.get(name) {
        // Members of a flags enumeration are joined with commas.
        let known = |text: &str| {
            text.split(',')
                .all(|part| members.iter().any(|member| part.trim() == *member))
        };
        if !value.as_str().is_some_and(known) {
            add(found, Mismatch::Type(path.to_owned()));
        }
        return;
    }
    let Some(object) = value.as_object() else {
        return add(found, Mismatch::Type(path.to_owned()));
    };
    let Some(facts) = facts_of(name) else {
        return;
    };
    for (key, value) in object {
        let bound = key.strip_suffix("@odata.bind");
        if bound.is_none() && (key.starts_with('@') || key.contains("@odata.")) {
            continue;
        }
        let inner = format!("{path}/{key}");
        if NOT_BUILT.contains(&(name, bound.unwrap_or(key))) {
            // Responses of Graph have it with null, which says nothing.
            if !value.is_null() {
                add(found, Mismatch::NotBuilt(inner));
            }
            continue;
        }
        match facts.iter().find(|fact| fact.name == key) {
            Some(fact) => check_value(&inner, fact, value, found),
            None if is_open(name) => {}
            None => add(found, Mismatch::Unknown(inner)),
        }
    }
}

/// Navigation properties of complex types, which bodies can set or bind (metadata of Graph v1.0).
const NOT_BUILT: &[(&str, &str)] = &[("conditionalAccessGrantControls", "authenticationStrength")];

#[derive(Default)]
struct Tables {
    types: HashMap<&'static str, Vec<Fact>>,
    enums: HashMap<&'static str, Vec<&'static str>>,
    open: Vec<&'static str>,
}

/// Read at the first call, once per process.
fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let mut tables = Tables::default();
        for line in include_str!("../../tables/types.tsv").lines() {
            let mut columns = line.split('\t');
            let mut next = || columns.next().unwrap_or_default();
            let (owner, name, value, many, required) = (next(), next(), next(), next(), next());
            match name {
                "=enum" => {
                    tables.enums.insert(owner, value.split(' ').collect());
                }
                "=open" => tables.open.push(owner),
                name => tables.types.entry(owner).or_default().push(Fact {
                    name,
                    value,
                    many: many == "many",
                    required: required == "required",
                }),
            }
        }
        tables
    })
}
