//! One object in a compact form: a tenant can have half a million of them.

use std::{
    collections::HashMap,
    ops::{Index, IndexMut},
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// One directory object: its non-null properties by wire name.
///
/// Keys that start with `~` are internal; no Graph response shows them.
///
/// A JSON map would need three times the memory: names are stored once per process here, and values
/// that many objects have are shared.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object(Vec<Field>);

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    name: Name,
    pub(super) value: FieldValue,
}

/// The value of a property, owned or shared.
#[derive(Clone, Debug)]
pub(super) enum FieldValue {
    Own(Value),
    Shared(Arc<Value>),
}

/// The place of a property in an object.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    name: Name,
    at: Option<usize>,
    fields: &'a mut Vec<Field>,
}

impl Object {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|field| field.name.text() == name)
            .map(|field| field.value.get())
    }

    /// Returns the property of that name, ignoring case.
    pub(crate) fn get_ignoring_case(&self, name: &str) -> Option<&Value> {
        self.get(name).or_else(|| {
            self.0
                .iter()
                .find(|field| field.name.text().eq_ignore_ascii_case(name))
                .map(|field| field.value.get())
        })
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.0
            .iter_mut()
            .find(|field| field.name.text() == name)
            .map(|field| field.value.get_mut())
    }

    #[expect(clippy::needless_pass_by_value, reason = "called like a JSON map's")]
    pub(crate) fn insert(&mut self, name: String, value: Value) -> Option<Value> {
        if let Some(before) = self.get_mut(&name) {
            return Some(std::mem::replace(before, value));
        }
        self.0.push(Field {
            name: Name::of(&name),
            value: FieldValue::Own(value),
        });
        None
    }

    /// Returns the place of a property, to be filled if it is empty.
    pub(crate) fn entry(&mut self, name: &str) -> Entry<'_> {
        let at = self.0.iter().position(|field| field.name.text() == name);
        Entry {
            name: Name::of(name),
            at,
            fields: &mut self.0,
        }
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|field| field.name.text() == name)?;
        Some(self.0.remove(at).value.into_value())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0
            .iter()
            .map(|field| (field.name.text(), field.value.get()))
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut FieldValue> {
        self.0.shrink_to_fit();
        self.0.iter_mut().map(|field| &mut field.value)
    }
}

impl From<Map<String, Value>> for Object {
    fn from(map: Map<String, Value>) -> Self {
        map.into_iter().collect()
    }
}

impl FromIterator<(String, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(properties: I) -> Self {
        let mut object = Self::new();
        for (name, value) in properties {
            object.insert(name, value);
        }
        object
    }
}

impl Index<&str> for Object {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&Value::Null)
    }
}

impl IndexMut<&str> for Object {
    fn index_mut(&mut self, name: &str) -> &mut Value {
        self.entry(name).or_insert_with(|| Value::Null)
    }
}

impl<'a> Entry<'a> {
    pub(crate) fn or_insert_with(self, value: impl FnOnce() -> Value) -> &'a mut Value {
        let at = self.at.unwrap_or_else(|| {
            self.fields.push(Field {
                name: self.name,
                value: FieldValue::Own(value()),
            });
            self.fields.len() - 1
        });
        self.fields[at].value.get_mut()
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl FieldValue {
    pub(super) fn get(&self) -> &Value {
        match self {
            Self::Own(value) => value,
            Self::Shared(value) => value,
        }
    }

    fn get_mut(&mut self) -> &mut Value {
        match self {
            Self::Own(value) => value,
            Self::Shared(value) => Arc::make_mut(value),
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Own(value) => value,
            Self::Shared(value) => Arc::unwrap_or_clone(value),
        }
    }
}

impl PartialEq for FieldValue {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

/// A property name as one pointer; equal names are the same pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Name(&'static &'static str);

impl Name {
    /// Returns the only copy of a name. Property names are few, so none is ever freed.
    fn of(text: &str) -> Self {
        static NAMES: OnceLock<RwLock<HashMap<&'static str, Name>>> = OnceLock::new();
        let names = NAMES.get_or_init(RwLock::default);
        if let Some(name) = names
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(text)
        {
            return *name;
        }
        let mut names = names.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = names.get(text) {
            return *name;
        }
        let text: &'static str = Box::leak(text.into());
        let name = Self(Box::leak(Box::new(text)));
        names.insert(text, name);
        name
    }

    fn text(self) -> &'static str {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_behaves_like_a_map_of_its_properties() {
        let mut object = Object::new();
        assert_eq!(object.insert("b".into(), json!(1)), None);
        assert_eq!(object.insert("a".into(), json!("x")), None);
        assert_eq!(object.insert("b".into(), json!(2)), Some(json!(1)));
        assert_eq!((object.get("b"), object.get("c")), (Some(&json!(2)), None));
        assert_eq!(
            serde_json::to_value(&object).unwrap(),
            json!({"a": "x", "b": 2})
        );
        assert_eq!(object.remove("b"), Some(json!(2)));
        assert_eq!(object.remove("b"), None);
        assert_eq!(object["a"], "x");
        assert_eq!(object["b"], Value::Null);
    }

    #[test]
    fn a_shared_value_is_copied_before_it_changes() {
        let shared = Arc::new(json!({"city": "Vienna"}));
        let mut first = Object(vec![Field {
            name: Name::of("location"),
            value: FieldValue::Shared(Arc::clone(&shared)),
        }]);
        let second = first.clone();
        *first.get_mut("location").unwrap() = json!(null);
        assert_eq!(second["location"]["city"], "Vienna");
    }

    #[test]
    fn a_field_has_the_size_of_five_words() {
        assert_eq!(size_of::<Field>(), 5 * size_of::<usize>());
    }
}
