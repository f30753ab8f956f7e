//! Reads a request body for a type.

use entra_core::Guid;
use serde_json::{Map, Value};

use super::super::{call::Call, payload, route, unsourced};
use crate::{
    odata::GraphError,
    schema::{
        EntityType, IdForm, Mismatch, Relationship, Returned, Writable, is_extension, is_required,
        mismatches,
    },
    store::{Kind, Object},
};

/// Whether a body creates or updates an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Create,
    Update,
}

/// The content of a body, with each property checked.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Values to set. `None` clears a property.
    pub(super) values: Vec<(String, Option<Value>)>,
    /// Objects to link to.
    pub(super) links: Vec<(&'static Relationship, Vec<String>)>,
}

impl Draft {
    /// Reads a JSON body as properties and links of one type.
    pub(super) fn read(call: Call<'_>, kind: Kind, purpose: Purpose) -> Result<Self, GraphError> {
        let body = json(call)?;
        let entity = kind.entity();
        let mut draft = Self::default();
        for (name, value) in body {
            if let Some(relationship) = name.strip_suffix("@odata.bind") {
                draft
                    .links
                    .push(bound(call, entity, relationship, &value, purpose)?);
                continue;
            }
            if name.starts_with('@') || name.contains("@odata.") {
                check_annotation(entity, &name, &value)?;
                continue;
            }
            check(call, kind, &name, &value, purpose)?;
            let value = (!value.is_null()).then_some(value);
            draft.values.push((name, value));
        }
        Ok(draft)
    }

    /// Sets the key of an upsert, with the checks of a body that names it.
    pub(super) fn set_key(
        &mut self,
        call: Call<'_>,
        kind: Kind,
        name: &str,
        key: &str,
    ) -> Result<(), GraphError> {
        check(call, kind, name, &key.into(), Purpose::Create)?;
        self.set(name, key);
        Ok(())
    }

    /// The value to set, if there is one.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let (_, value) = self.values.iter().find(|(other, _)| other == name)?;
        value.as_ref()
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name)?.as_bool()
    }

    /// Whether the body names a property, also with a null.
    pub(super) fn names(&self, name: &str) -> bool {
        self.values.iter().any(|(other, _)| other == name)
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.values.retain(|(other, _)| other != name);
        self.values.push((name.to_owned(), Some(value.into())));
    }

    /// Sets a value unless the body has one.
    pub(super) fn set_if_absent(&mut self, name: &str, value: impl Into<Value>) {
        if !self.names(name) {
            self.set(name, value);
        }
    }

    pub(super) fn require(&self, entity: &EntityType, name: &str) -> Result<(), GraphError> {
        if self.get(name).is_none() {
            return Err(required(entity, name));
        }
        Ok(())
    }

    /// Merges complex values: parts that the body leaves out keep their values.
    pub(super) fn merge(&mut self, entity: &EntityType, object: &Object) {
        for (name, value) in &mut self.values {
            // Custom security attributes have a rule of their own.
            let single = name != "customSecurityAttributes"
                && entity.property(name).is_some_and(|property| !property.many);
            let (Some(Value::Object(new)), Some(Value::Object(old))) = (value, object.get(name))
            else {
                continue;
            };
            if single {
                for (part, value) in old {
                    new.entry(part.clone()).or_insert_with(|| value.clone());
                }
            }
        }
    }
}

/// Reads the body as a JSON object.
pub(super) fn json(call: Call<'_>) -> Result<Map<String, Value>, GraphError> {
    let is_json = call
        .request
        .header("content-type")
        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/json"));
    if !is_json {
        return Err(malformed(
            "Write requests (excluding DELETE) must contain the Content-Type header declaration.",
        ));
    }
    payload::parse_object(&call.request.body)
        .ok_or_else(|| malformed("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."))
}

/// Returns the id of the object that a reference addresses: the last segment of its URL. The URL is
/// absolute; a bare id and a relative URL are 400 (issues 3156 of msgraph-sdk-powershell and 588 of
/// terraform-provider-azuread). A user is addressed by id or by user principal name: no page says so, but
/// a Go snippet of Microsoft's documentation and public scripts do it. `place` ends the message.
pub(super) fn referenced(call: Call<'_>, url: &str, place: &str) -> Result<String, GraphError> {
    let wrong = || malformed(format!("Invalid URL format specified in {place}"));
    let (_, path) = url.split_once("://").ok_or_else(wrong)?;
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut segments = path.trim_end_matches('/').rsplit('/');
    let last = segments.next().unwrap_or_default();
    // `users('…')` and `users/…` are equivalent.
    let (set, key) = match last.split_once("('") {
        Some((set, rest)) => (set, rest.strip_suffix("')").ok_or_else(wrong)?),
        None => (segments.next().unwrap_or_default(), last),
    };
    let key = route::decode(key).ok_or_else(wrong)?;
    let kind = Kind::of_collection(set);
    if kind.is_none() && !set.eq_ignore_ascii_case("directoryObjects") {
        return Err(wrong());
    }
    // Only the name of a user takes the place of its id.
    let named = kind.and_then(|kind| {
        let entity = kind.entity();
        let property = entity.key.filter(|_| entity.id == IdForm::GuidOrKey)?;
        key.parse::<Guid>().is_err().then_some((kind, property))
    });
    let Some((kind, property)) = named else {
        return route::guid(&key);
    };
    let key = key.replace("''", "'");
    let object = call.state.store.find(kind, property, &key);
    object
        .and_then(|object| object.get("id")?.as_str())
        .map(str::to_owned)
        .ok_or_else(|| GraphError::not_found(&key))
}

pub(super) fn malformed(message: impl Into<String>) -> GraphError {
    GraphError::new(400, "BadRequest", message)
}

/// Returns 400 for an invalid value of a property.
pub(super) fn invalid(entity: &EntityType, name: &str) -> GraphError {
    GraphError::bad_request(format!(
        "Invalid value specified for property '{name}' of resource '{}'.",
        entity.title()
    ))
}

pub(super) fn required(entity: &EntityType, name: &str) -> GraphError {
    GraphError::bad_request(format!(
        "A value is required for property '{name}' of resource '{}'.",
        entity.title()
    ))
}

/// The maximum number of references in one request.
pub(super) const MAX_REFERENCES: usize = 20;

fn check(
    call: Call<'_>,
    kind: Kind,
    name: &str,
    value: &Value,
    purpose: Purpose,
) -> Result<(), GraphError> {
    let entity = kind.entity();
    let property = entity
        .property(name)
        .filter(|property| property.name == name)
        .filter(|property| call.beta || property.returned != Returned::InBeta);
    let Some(property) = property else {
        if entity.open && is_extension(name) {
            return super::super::extension::check(call, kind, name, value);
        }
        if entity.navigation(name).is_some() {
            return Err(GraphError::bad_request(format!(
                "The navigation property '{name}' cannot be set in the body of this request."
            )));
        }
        return Err(unknown(name));
    };
    let allowed = match property.writable {
        Writable::Always => true,
        Writable::Never => false,
        Writable::AtCreation => purpose == Purpose::Create,
        Writable::AtUpdate => purpose == Purpose::Update,
    };
    if !allowed {
        return Err(read_only(name));
    }
    if value.is_null() {
        let needed = property.required || is_required(entity, name);
        return if needed {
            Err(required(entity, name))
        } else {
            Ok(())
        };
    }
    match mismatches(entity, [(name, value)]).into_iter().next() {
        Some(Mismatch::Unknown(path)) => Err(unknown(path.rsplit('/').next().unwrap_or_default())),
        Some(Mismatch::Type(_) | Mismatch::Value(_)) => Err(invalid(entity, name)),
        Some(Mismatch::NotBuilt(path)) => Err(GraphError::new(
            501,
            "NotImplemented",
            format!("The fake tenant does not support the property '{path}'."),
        )),
        None => Ok(()),
    }
}

/// Checks properties that depend on another one: a membership rule is required for dynamic
/// membership and invalid without it.
pub(super) fn check_dependent(
    entity: &EntityType,
    before: &Object,
    draft: &Draft,
) -> Result<(), GraphError> {
    let after = |name: &str| match draft.names(name) {
        true => draft.get(name),
        false => before.get(name).filter(|value| !value.is_null()),
    };
    for property in entity.properties {
        let Some((other, value)) = property.only_with else {
            continue;
        };
        match (
            after(property.name).is_some(),
            has_value(after(other), value),
        ) {
            (false, true) => return Err(required(entity, property.name)),
            (true, false) => return Err(invalid(entity, property.name)),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a property equals or contains a text, ignoring case.
pub(super) fn has_value(value: Option<&Value>, text: &str) -> bool {
    match value {
        Some(Value::String(own)) => own.eq_ignore_ascii_case(text),
        Some(Value::Array(items)) => items.iter().any(|item| has_value(Some(item), text)),
        _ => false,
    }
}

/// Returns 400 for a property that only the service sets.
pub(super) fn read_only(name: &str) -> GraphError {
    GraphError::bad_request(format!("Property '{name}' is read-only and cannot be set."))
}

/// Returns 400 for a property that the type does not have.
pub(super) fn unknown(name: &str) -> GraphError {
    GraphError::bad_request(format!(
        "Property '{name}' does not exist as a declared property or extension property."
    ))
}

fn bound(
    call: Call<'_>,
    entity: &EntityType,
    name: &str,
    value: &Value,
    purpose: Purpose,
) -> Result<(&'static Relationship, Vec<String>), GraphError> {
    let relationship = entity
        .relationship(name)
        .filter(|relationship| relationship.written().is_some())
        .ok_or_else(|| unknown(name))?;
    // An update only adds members; other links are written by `$ref`.
    if purpose == Purpose::Update && relationship.name != "members" {
        return Err(unsourced::not_bindable(name));
    }
    let urls: Vec<&Value> = match value {
        Value::Array(items) if relationship.many => items.iter().collect(),
        single @ Value::String(_) if !relationship.many => vec![single],
        _ => return Err(invalid(entity, name)),
    };
    let mut ids = Vec::with_capacity(urls.len());
    for url in urls {
        let url = url.as_str().ok_or_else(|| invalid(entity, name))?;
        let id = referenced(call, url, &format!("@odata.bind for {}", relationship.name))?;
        if call.state.store.any(&id).is_none() {
            return Err(GraphError::not_found(&id));
        }
        if ids.contains(&id) {
            return Err(reference_exists(relationship.name));
        }
        ids.push(id);
    }
    Ok((relationship, ids))
}

/// Returns 400 for a link that exists.
pub(super) fn reference_exists(name: &str) -> GraphError {
    GraphError::bad_request(format!(
        "One or more added object references already exist for the following modified properties: '{name}'."
    ))
}

/// Returns 400 for more references than one request can have, over all relationships
/// (microsoft-graph-docs issue 6016).
pub(super) fn check_reference_count(draft: &Draft) -> Result<(), GraphError> {
    let count: usize = draft.links.iter().map(|(_, ids)| ids.len()).sum();
    if count > MAX_REFERENCES {
        return Err(GraphError::bad_request(format!(
            "A resource cannot contain more than {MAX_REFERENCES} link changes."
        )));
    }
    Ok(())
}

fn check_annotation(entity: &EntityType, name: &str, value: &Value) -> Result<(), GraphError> {
    let fits = |own: &str| value.as_str().is_some_and(|text| is_type(text, own));
    if name != "@odata.type" || fits(entity.name) || entity.derived_types().into_iter().any(fits) {
        return Ok(());
    }
    Err(incompatible_type(entity.name))
}

/// Whether a value of `@odata.type` is the name of a type.
pub(super) fn is_type(text: &str, own: &str) -> bool {
    let name = text.trim_start_matches('#');
    name.eq_ignore_ascii_case(&format!("microsoft.graph.{own}"))
}

/// Returns 400 for an object of another type.
pub(super) fn incompatible_type(own: &str) -> GraphError {
    malformed(format!(
        "The type in '@odata.type' is not compatible with 'microsoft.graph.{own}'."
    ))
}

/// The strings of a list.
pub(super) fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}
