//! What of an object is written, and writing it.

use std::io::Write as _;

use serde_json::Value;

use crate::{
    odata::{Refusal, Surroundings},
    permissions::{Reach, is_basic},
    schema::{EntityType, Property, Returned, is_extension},
    store::{Kind, Object},
};

/// The properties of one type that an answer shows.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) entity: &'static EntityType,
    fields: Vec<Field>,
    /// Whether `$select` chose them.
    selected: bool,
}

#[derive(Debug)]
struct Field {
    name: String,
    /// `"name":`
    key: String,
    many: bool,
}

impl Shape {
    /// The shape for a `$select`; `alone` for a single object, which may show more.
    pub(super) fn new(kind: Kind, select: Option<&[String]>, alone: bool) -> Result<Self, Refusal> {
        let entity = kind.entity();
        let Some(select) = select.filter(|names| !names.iter().any(|name| name == "*")) else {
            let shown = entity
                .properties
                .iter()
                .filter(|property| property.returned == Returned::Always);
            return Ok(Self {
                entity,
                fields: shown.map(Field::of).collect(),
                selected: false,
            });
        };
        let mut fields: Vec<Field> = Vec::new();
        for name in select {
            let first = name.split('/').next().unwrap_or_default();
            let field = match entity.property(first) {
                Some(property) if property.returned == Returned::Never => continue,
                Some(property) if property.returned == Returned::OnSelectAlone && !alone => {
                    return Err(Refusal::new(
                        501,
                        "NotImplemented",
                        "This operation target is not yet supported.",
                    ));
                }
                Some(property) => Field::of(property),
                None if entity.open && is_extension(first) => Field::named(first, false),
                None if entity.navigation(first).is_some() => continue,
                None => {
                    let clause = "Parsing OData Select and Expand failed";
                    return Err(Refusal::no_property(clause, first, entity.name));
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
        })
    }

    /// Whether a property that is worked out is asked for.
    pub(super) fn shows(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    /// Writes the object's properties, without its closing brace, so that expansions may follow.
    pub(super) fn open(
        &self,
        out: &mut Vec<u8>,
        object: &Object,
        look: Look,
        around: &dyn Surroundings,
    ) {
        out.push(b'{');
        let mut first = true;
        if let Some(context) = look.context {
            write_pair(
                out,
                &mut first,
                "\"@odata.context\":",
                &Value::String(context.to_owned()),
            );
        }
        if look.typed {
            separate(out, &mut first);
            // An object may be of a type that derives from its own, such as an agent identity.
            match object.get(DERIVED_TYPE).and_then(Value::as_str) {
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
        for field in &self.fields {
            separate(out, &mut first);
            out.extend_from_slice(field.key.as_bytes());
            let visible = match look.reach {
                Reach::Everything => true,
                Reach::Basic => is_basic(&field.name),
                Reach::Existence => field.name == "id",
            };
            let stored = if visible {
                object.get(&field.name)
            } else {
                None
            };
            match stored {
                Some(value) if field.name == "keyCredentials" && !self.selected => {
                    write(out, &without_keys(value))
                }
                Some(value) => write(out, value),
                None => self.write_missing(out, field, object, look.reach, around),
            }
        }
    }

    fn write_missing(
        &self,
        out: &mut Vec<u8>,
        field: &Field,
        object: &Object,
        reach: Reach,
        around: &dyn Surroundings,
    ) {
        if reach == Reach::Everything
            && let Some(value) = around.derived(object, &field.name)
        {
            return write(out, &value);
        }
        let hidden = reach == Reach::Existence && HIDDEN_LISTS_ARE_NULL;
        out.extend_from_slice(if field.many && !hidden {
            b"[]"
        } else {
            b"null"
        });
    }
}

/// How one object is written.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) context: Option<&'a str>,
    /// With `@odata.type`.
    pub(super) typed: bool,
    pub(super) reach: Reach,
}

/// Writes any JSON value.
pub(super) fn write(out: &mut Vec<u8>, value: &Value) {
    // Writing JSON into memory cannot fail.
    let _ = serde_json::to_writer(out, value);
}

impl Field {
    fn of(property: &'static Property) -> Self {
        Self::named(property.name, property.many)
    }

    fn named(name: &str, many: bool) -> Self {
        Self {
            name: name.to_owned(),
            key: format!("\"{name}\":"),
            many,
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

/// A certificate's public part comes back only when `$select` asks for it.
fn without_keys(credentials: &Value) -> Value {
    let mut credentials = credentials.clone();
    for credential in credentials.as_array_mut().into_iter().flatten() {
        if let Some(credential) = credential.as_object_mut() {
            credential.insert("key".to_owned(), Value::Null);
        }
    }
    credentials
}

/// What an object says of its own type if that derives from the one it is stored as.
const DERIVED_TYPE: &str = "@odata.type";

/// Whether lists of an object that the caller may not read are null rather than empty.
const HIDDEN_LISTS_ARE_NULL: bool = true;
