//! Which properties of an object are written, and writes them.

use std::io::Write as _;

use serde_json::Value;

use crate::{
    odata::{DerivedValues, GraphError},
    permissions::{AccessLevel, is_basic},
    schema::{EntityType, Property, Returned, WIRE_ID, is_extension, written_members},
    store::{Kind, Object},
};

/// The properties of one type that a response shows.
#[derive(Debug)]
pub(super) struct Projection {
    pub(super) entity: &'static EntityType,
    fields: Vec<Field>,
    /// Whether `$select` named them.
    selected: bool,
    /// Whether the objects are of derived types, so that each has its own type and properties.
    derived: bool,
}

#[derive(Debug)]
struct Field {
    name: String,
    /// `"name":`
    key: String,
    many: bool,
    derived: Option<&'static str>,
    /// The members of its complex value that are written as null if they have no value.
    members: Vec<&'static str>,
    /// Whether the caller may not see the value.
    hidden: bool,
}

impl Projection {
    /// Returns the projection for a `$select`. `alone` is for a single object, which can show more.
    pub(super) fn new(
        kind: Kind,
        select: Option<&[String]>,
        alone: bool,
    ) -> Result<Self, GraphError> {
        let entity = kind.entity();
        let derived = entity
            .properties
            .iter()
            .any(|property| property.derived.is_some());
        let Some(select) = select.filter(|names| !names.iter().any(|name| name == "*")) else {
            let shown = entity
                .properties
                .iter()
                .filter(|property| property.returned == Returned::Always);
            return Ok(Self {
                entity,
                fields: shown.map(|property| Field::of(entity, property)).collect(),
                selected: false,
                derived,
            });
        };
        let mut fields: Vec<Field> = Vec::new();
        for name in select {
            let first = name.split('/').next().unwrap_or_default();
            let field = match entity.property(first) {
                Some(property) if property.returned == Returned::Never => continue,
                // No list with such properties takes `$select`.
                Some(property) if property.returned == Returned::InBeta => continue,
                Some(property) if property.returned == Returned::OnSelectAlone && !alone => {
                    return Err(GraphError::new(
                        501,
                        "NotImplemented",
                        "This operation target is not yet supported.",
                    ));
                }
                Some(property) => Field::of(entity, property),
                None if entity.open && is_extension(first) => Field::named(first, false),
                None if entity.navigation(first).is_some() => continue,
                None => {
                    let clause = "Parsing OData Select and Expand failed";
                    return Err(GraphError::no_property(clause, first, entity.name));
                }
            };
            if !fields.iter().any(|other| other.name == field.name) {
                fields.push(field);
            }
        }
        Ok(Self {
            entity,
            fields,
            selected: true,
            derived,
        })
    }

    /// Adds the properties that exist in beta only.
    pub(super) fn add_beta(&mut self) {
        let beta = self
            .entity
            .properties
            .iter()
            .filter(|property| property.returned == Returned::InBeta);
        self.fields
            .extend(beta.map(|property| Field::of(self.entity, property)));
    }

    /// Writes null for a property, whatever the object has.
    pub(super) fn hide(&mut self, name: &str) {
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            field.hidden = true;
        }
    }

    /// Whether a derived property is selected.
    pub(super) fn shows(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    /// Writes the object's properties without its closing brace, so that expansions can follow.
    pub(super) fn open(
        &self,
        out: &mut Vec<u8>,
        object: &Object,
        options: RenderOptions,
        eval_context: &dyn DerivedValues,
    ) {
        out.push(b'{');
        let mut first = true;
        if let Some(context) = options.context {
            write_pair(
                out,
                &mut first,
                "\"@odata.context\":",
                &Value::String(context.to_owned()),
            );
        }
        let own_type = object.get(DERIVED_TYPE).and_then(Value::as_str);
        if options.typed || self.derived {
            separate(out, &mut first);
            // An object can have a type that derives from its own, such as an agent identity.
            match own_type {
                Some(name) => {
                    out.extend_from_slice(b"\"@odata.type\":");
                    write(out, &Value::String(name.to_owned()));
                }
                None => {
                    let _ = write!(
                        out,
                        "\"@odata.type\":\"#microsoft.graph.{}\"",
                        self.entity.name
                    );
                }
            }
        }
        let own_name = own_type.map(|name| name.trim_start_matches("#microsoft.graph."));
        for field in &self.fields {
            if field.derived.is_some() && field.derived != own_name {
                continue;
            }
            separate(out, &mut first);
            out.extend_from_slice(field.key.as_bytes());
            let visible = match options.access_level {
                AccessLevel::Everything => true,
                AccessLevel::Basic => is_basic(&field.name),
                AccessLevel::Existence => field.name == "id",
            };
            let stored = if visible && field.name == "id" {
                object.get(WIRE_ID).or_else(|| object.get(&field.name))
            } else if visible && !field.hidden {
                object.get(&field.name)
            } else {
                None
            };
            match stored {
                Some(value) if field.name == "keyCredentials" && !self.selected => {
                    write(out, &without_keys(value))
                }
                Some(value) if !field.members.is_empty() => {
                    write(out, &with_members(value, &field.members));
                }
                Some(value) => write(out, value),
                None => self.write_missing(out, field, object, options.access_level, eval_context),
            }
        }
    }

    fn write_missing(
        &self,
        out: &mut Vec<u8>,
        field: &Field,
        object: &Object,
        access_level: AccessLevel,
        eval_context: &dyn DerivedValues,
    ) {
        if access_level == AccessLevel::Everything
            && let Some(value) = eval_context.derived(object, &field.name)
        {
            return write(out, &value);
        }
        let hidden = access_level == AccessLevel::Existence && HIDDEN_LISTS_ARE_NULL;
        out.extend_from_slice(if field.many && !hidden {
            b"[]"
        } else {
            b"null"
        });
    }
}

/// How one object is written.
#[derive(Clone, Copy)]
pub(super) struct RenderOptions<'a> {
    pub(super) context: Option<&'a str>,
    /// Whether to write `@odata.type`.
    pub(super) typed: bool,
    pub(super) access_level: AccessLevel,
}

/// Writes any JSON value.
pub(super) fn write(out: &mut Vec<u8>, value: &Value) {
    // Writing JSON into memory cannot fail.
    let _ = serde_json::to_writer(out, value);
}

impl Field {
    fn of(entity: &EntityType, property: &'static Property) -> Self {
        Self {
            derived: property.derived,
            members: written_members(entity, property.name),
            ..Self::named(property.name, property.many)
        }
    }

    fn named(name: &str, many: bool) -> Self {
        Self {
            name: name.to_owned(),
            key: format!("\"{name}\":"),
            many,
            derived: None,
            members: Vec::new(),
            hidden: false,
        }
    }
}

fn write_pair(out: &mut Vec<u8>, first: &mut bool, key: &str, value: &Value) {
    separate(out, first);
    out.extend_from_slice(key.as_bytes());
    write(out, value);
}

fn separate(out: &mut Vec<u8>, first: &mut bool) {
    if !std::mem::take(first) {
        out.push(b',');
    }
}

/// A complex value, or several, with null for the members that have no value.
fn with_members(value: &Value, members: &[&'static str]) -> Value {
    match value {
        Value::Array(items) => items
            .iter()
            .map(|item| with_members(item, members))
            .collect(),
        Value::Object(known) => {
            let mut all = known.clone();
            for member in members {
                all.entry(*member).or_insert(Value::Null);
            }
            all.into()
        }
        other => other.clone(),
    }
}

/// A certificate's public part is returned only if `$select` names it.
fn without_keys(credentials: &Value) -> Value {
    let mut credentials = credentials.clone();
    for credential in credentials.as_array_mut().into_iter().flatten() {
        if let Some(credential) = credential.as_object_mut() {
            credential.insert("key".to_owned(), Value::Null);
        }
    }
    credentials
}

/// The type of an object that derives from the type it is stored as.
const DERIVED_TYPE: &str = "@odata.type";

/// Whether lists of an object that the caller may not read are null and not empty.
const HIDDEN_LISTS_ARE_NULL: bool = true;
