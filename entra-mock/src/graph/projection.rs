//! Which properties of an object are written, and writes them.

use std::{
    hash::{BuildHasher as _, Hash as _, Hasher as _},
    io::Write as _,
    sync::OnceLock,
};

use hashbrown::DefaultHashBuilder;
use serde_json::Value;

use super::rows::is_derived;
use crate::{
    odata::{DerivedValues, GraphError},
    permissions::{AccessLevel, is_basic},
    schema::{EntityType, Property, Returned, WIRE_ID, is_extension, written_members},
    store::{Kind, Object, Stored},
};

/// The properties of one type that a response shows.
#[derive(Debug)]
pub(super) struct Projection {
    kind: Kind,
    pub(super) entity: &'static EntityType,
    fields: Vec<Shown>,
    /// Whether `$select` named them.
    selected: bool,
    /// Whether the public parts of certificates are among them.
    with_keys: bool,
    /// Whether the objects are of derived types, so that each has its own type and properties.
    derived: bool,
}

/// One property that is shown.
#[derive(Debug)]
struct Shown {
    field: FieldRef,
    /// Whether the caller may not see the value.
    hidden: bool,
}

/// How a property is written: kept for declared ones, made for each request for extensions.
#[derive(Debug)]
enum FieldRef {
    Declared(&'static Field),
    Extension(Box<Field>),
}

#[derive(Debug)]
struct Field {
    name: String,
    /// `"name":`
    key: String,
    many: bool,
    /// Whether objects can have the property in another letter case.
    is_extension: bool,
    /// Identifies the name.
    hash: u64,
    /// Whether the value follows from other objects.
    is_derived: bool,
    /// The derived type that has the property.
    derived: Option<&'static str>,
    /// The members of its complex value that are written as null if they have no value.
    members: Vec<&'static str>,
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
            return Ok(Self {
                kind,
                entity,
                fields: always_shown(kind)
                    .iter()
                    .copied()
                    .map(Shown::declared)
                    .collect(),
                selected: false,
                with_keys: false,
                derived,
            });
        };
        let mut fields: Vec<Shown> = Vec::new();
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
                Some(property) => {
                    let named = declared(kind, |other| other.name == property.name).next();
                    let Some(field) = named else { continue };
                    field
                }
                None if entity.open && is_extension(first) => {
                    Shown::new(FieldRef::Extension(Box::new(Field::extension(first))))
                }
                None if entity.navigation(first).is_some() => continue,
                None => {
                    let clause = "Parsing OData Select and Expand failed";
                    return Err(GraphError::no_property(clause, first, entity.name));
                }
            };
            if !fields
                .iter()
                .any(|other| other.get().name.eq_ignore_ascii_case(&field.get().name))
            {
                fields.push(field);
            }
        }
        // The page "keyCredential resource type": the key is there for a single object only, and only if it is selected.
        let with_keys = alone && fields.iter().any(|shown| shown.get().name == KEYS);
        Ok(Self {
            kind,
            entity,
            fields,
            selected: true,
            with_keys,
            derived,
        })
    }

    /// Adds the properties that exist in beta only.
    pub(super) fn add_beta(&mut self) {
        let beta = declared(self.kind, |property| property.returned == Returned::InBeta);
        self.fields.extend(beta);
    }

    /// Writes null for a property, whatever the object has.
    pub(super) fn hide(&mut self, name: &str) {
        for shown in &mut self.fields {
            shown.hidden |= shown.get().name == name;
        }
    }

    /// Whether a derived property is selected.
    pub(super) fn shows(&self, name: &str) -> bool {
        self.fields.iter().any(|shown| shown.get().name == name)
    }

    /// Identifies what [`open`](Self::open) writes for an object that the caller sees in full, without a
    /// context. Returns `None` if that depends on more than the object.
    pub(super) fn identity(&self, typed: bool) -> Option<u64> {
        let mut hasher = hashes().build_hasher();
        (self.kind, typed, self.selected, self.with_keys).hash(&mut hasher);
        for shown in &self.fields {
            let field = shown.get();
            if field.is_derived {
                return None;
            }
            (field.hash, shown.hidden).hash(&mut hasher);
        }
        Some(hasher.finish())
    }

    /// The number of properties that [`open`](Self::open) writes for an object.
    pub(super) fn count(&self, object: &Object) -> usize {
        if !self.derived {
            return self.fields.len();
        }
        let own_name = type_name(object.text(DERIVED_TYPE));
        let fields = self.fields.iter();
        fields.filter(|shown| shown.get().is_of(own_name)).count()
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
        let own_type = object.text(DERIVED_TYPE);
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
        let own_name = type_name(own_type);
        for shown in &self.fields {
            let field = shown.get();
            if !field.is_of(own_name) {
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
                object.stored(WIRE_ID).or_else(|| object.stored("id"))
            } else if !visible || shown.hidden {
                None
            } else if field.is_extension {
                object.stored_ignoring_case(&field.name)
            } else {
                object.stored(&field.name)
            };
            let value = match stored {
                Some(Stored::Text(text)) => {
                    write_text(out, text);
                    continue;
                }
                Some(Stored::Value(value)) => Some(value),
                None => None,
            };
            match value {
                Some(value) if field.name == KEYS && !self.with_keys => {
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

/// Writes a JSON string.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing JSON into memory cannot fail.
        let _ = serde_json::to_writer(out, text);
    }
}

/// Writes any JSON value.
pub(super) fn write(out: &mut Vec<u8>, value: &Value) {
    // Writing JSON into memory cannot fail.
    let _ = serde_json::to_writer(out, value);
}

/// The hashes that identify projections: the same for the whole process.
fn hashes() -> &'static DefaultHashBuilder {
    static HASHES: OnceLock<DefaultHashBuilder> = OnceLock::new();
    HASHES.get_or_init(DefaultHashBuilder::default)
}

/// The declared properties of a kind.
fn declared_fields(kind: Kind) -> impl Iterator<Item = (&'static Property, &'static Field)> {
    static FIELDS: [OnceLock<Vec<Field>>; Kind::ALL.len()] =
        [const { OnceLock::new() }; Kind::ALL.len()];
    let entity = kind.entity();
    let fields = FIELDS[kind as usize].get_or_init(|| {
        let properties = entity.properties.iter();
        properties
            .map(|property| Field::of(entity, property))
            .collect()
    });
    entity.properties.iter().zip(fields)
}

/// The declared properties of a kind for which a condition holds.
fn declared(kind: Kind, is_shown: impl Fn(&Property) -> bool) -> impl Iterator<Item = Shown> {
    declared_fields(kind)
        .filter(move |(property, _)| is_shown(property))
        .map(|(_, field)| Shown::declared(field))
}

/// The declared properties of a kind that a response without `$select` shows.
fn always_shown(kind: Kind) -> &'static [&'static Field] {
    static FIELDS: [OnceLock<Vec<&'static Field>>; Kind::ALL.len()] =
        [const { OnceLock::new() }; Kind::ALL.len()];
    FIELDS[kind as usize].get_or_init(|| {
        let always = |(property, _): &(&Property, &Field)| property.returned == Returned::Always;
        let fields = declared_fields(kind).filter(always);
        fields.map(|(_, field)| field).collect()
    })
}

impl Shown {
    fn declared(field: &'static Field) -> Self {
        Self::new(FieldRef::Declared(field))
    }

    fn new(field: FieldRef) -> Self {
        Self {
            field,
            hidden: false,
        }
    }

    fn get(&self) -> &Field {
        match &self.field {
            FieldRef::Declared(field) => field,
            FieldRef::Extension(field) => field,
        }
    }
}

impl Field {
    fn of(entity: &EntityType, property: &'static Property) -> Self {
        Self {
            derived: property.derived,
            members: written_members(entity, property.name),
            ..Self::named(property.name, property.many)
        }
    }

    fn extension(name: &str) -> Self {
        Self {
            is_extension: true,
            ..Self::named(name, false)
        }
    }

    fn named(name: &str, many: bool) -> Self {
        Self {
            name: name.to_owned(),
            key: format!("\"{name}\":"),
            many,
            is_extension: false,
            hash: hashes().hash_one(name),
            is_derived: is_derived(name),
            derived: None,
            members: Vec::new(),
        }
    }

    /// Whether objects of a type have the property.
    fn is_of(&self, own_name: Option<&str>) -> bool {
        self.derived.is_none() || self.derived == own_name
    }
}

/// The name of a type without its namespace.
fn type_name(own_type: Option<&str>) -> Option<&str> {
    own_type.map(|name| name.trim_start_matches("#microsoft.graph."))
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

/// Certificates without their public parts.
pub(super) fn without_keys(credentials: &Value) -> Value {
    let mut credentials = credentials.clone();
    for credential in credentials.as_array_mut().into_iter().flatten() {
        if let Some(credential) = credential.as_object_mut() {
            credential.insert("key".to_owned(), Value::Null);
        }
    }
    credentials
}

/// The property with the certificates of applications and service principals.
pub(super) const KEYS: &str = "keyCredentials";

/// The type of an object that derives from the type it is stored as.
const DERIVED_TYPE: &str = "@odata.type";

/// Whether lists of an object that the caller may not read are null and not empty.
const HIDDEN_LISTS_ARE_NULL: bool = true;
