//! One object in a compact form: a tenant can have half a million of them.

use std::{
    borrow::Cow,
    fmt,
    num::NonZeroU64,
    ops::{Index, IndexMut},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::{
    field::{Field, FieldValue, Stored},
    name::Name,
    packed::Packed,
};
use crate::{collation::SortKey, schema::Type};

/// One directory object: its non-null properties by wire name.
///
/// Keys that start with `~` are internal; no Graph response shows them.
///
/// In the store it is packed, since a JSON map would need five times the memory. A change unpacks it, and
/// then the store packs it again.
#[derive(Clone)]
pub(crate) struct Object {
    form: Form,
    version: Option<NonZeroU64>,
}

#[derive(Clone)]
enum Form {
    Open(Vec<Field>),
    Packed(Box<Packed>),
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

    /// Returns a value. An object of the store then keeps all its texts as values: [`text`](Self::text) and
    /// [`value`](Self::value) do not need that memory.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        match &self.form {
            Form::Packed(packed) => packed.value(packed.position(|other| other == name)?),
            Form::Open(fields) => field(fields, |other| other == name),
        }
    }

    /// Returns the value of a property without unpacking it.
    pub(crate) fn stored(&self, name: &str) -> Option<Stored<'_>> {
        self.stored_at(|other| other == name)
    }

    /// The same, ignoring the case of the name.
    pub(crate) fn stored_ignoring_case(&self, name: &str) -> Option<Stored<'_>> {
        self.stored(name)
            .or_else(|| self.stored_at(|other| other.eq_ignore_ascii_case(name)))
    }

    /// Returns a text without unpacking it.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.stored(name)?.as_str()
    }

    /// Returns a copy of a value. Unlike [`get`](Self::get), it leaves nothing unpacked in the object.
    pub(crate) fn value(&self, name: &str) -> Option<Value> {
        Some(self.stored(name)?.with(Value::clone))
    }

    /// Returns the key of a property for the order of objects, ignoring the case of the name.
    pub(crate) fn sort_key(&self, name: &str, kind: Type) -> SortKey<'_> {
        self.stored_ignoring_case(name)
            .map_or(SortKey::Null, |stored| stored.sort_key(kind))
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.open()
            .iter_mut()
            .find(|field| field.name.text() == name)
            .map(|field| field.value.get_mut())
    }

    #[expect(clippy::needless_pass_by_value, reason = "called like a JSON map's")]
    pub(crate) fn insert(&mut self, name: String, value: Value) -> Option<Value> {
        if let Some(before) = self.get_mut(&name) {
            return Some(std::mem::replace(before, value));
        }
        self.open().push(Field {
            name: Name::of(&name),
            value: FieldValue::Own(value),
        });
        None
    }

    /// Sets a property to a value that other objects have too.
    pub(crate) fn insert_shared(&mut self, name: &str, value: Arc<Value>) {
        let value = FieldValue::Shared(value);
        let fields = self.open();
        match fields.iter_mut().find(|field| field.name.text() == name) {
            Some(field) => field.value = value,
            None => fields.push(Field {
                name: Name::of(name),
                value,
            }),
        }
    }

    /// Returns the place of a property, to be filled if it is empty.
    pub(crate) fn entry(&mut self, name: &str) -> Entry<'_> {
        let fields = self.open();
        let at = fields.iter().position(|field| field.name.text() == name);
        Entry {
            name: Name::of(name),
            at,
            fields,
        }
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Value> {
        let fields = self.open();
        let at = fields.iter().position(|field| field.name.text() == name)?;
        Some(fields.remove(at).value.into_value())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        let (open, packed) = match &self.form {
            Form::Open(fields) => (fields.as_slice(), None),
            Form::Packed(packed) => (&[][..], Some(packed)),
        };
        let open = open
            .iter()
            .map(|field| (field.name.text(), field.value.get()));
        open.chain(packed.into_iter().flat_map(|packed| packed.iter()))
    }

    /// Identifies the content of an object in the store: no object with other content has ever had the number.
    /// Objects that are stored one after the other have numbers that follow one another.
    pub(crate) fn version(&self) -> Option<NonZeroU64> {
        self.version
    }

    /// Makes the object one whose content nothing identifies.
    pub(super) fn forget_version(&mut self) {
        self.version = None;
    }

    /// Replaces the fields by their packed form.
    pub(super) fn pack(&mut self, pack: impl FnOnce(Vec<Field>) -> Packed) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        if let Form::Open(fields) = &mut self.form {
            self.form = Form::Packed(Box::new(pack(std::mem::take(fields))));
            self.version = NonZeroU64::new(NEXT.fetch_add(1, Ordering::Relaxed));
        }
    }

    fn stored_at(&self, is_named: impl Fn(&str) -> bool) -> Option<Stored<'_>> {
        match &self.form {
            Form::Packed(packed) => packed.stored(packed.position(is_named)?),
            Form::Open(fields) => field(fields, is_named).map(Stored::Value),
        }
    }

    /// Returns the fields for a change, after which the object has no version until it is packed again.
    fn open(&mut self) -> &mut Vec<Field> {
        self.version = None;
        loop {
            match self.form {
                Form::Open(ref mut fields) => return fields,
                Form::Packed(ref packed) => self.form = Form::Open(packed.fields()),
            }
        }
    }
}

fn field(fields: &[Field], is_named: impl Fn(&str) -> bool) -> Option<&Value> {
    let field = fields.iter().find(|field| is_named(field.name.text()))?;
    Some(field.value.get())
}

impl Default for Object {
    fn default() -> Self {
        Self {
            form: Form::Open(Vec::new()),
            version: None,
        }
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl From<Map<String, Value>> for Object {
    fn from(map: Map<String, Value>) -> Self {
        map.into_iter().collect()
    }
}

impl<N: AsRef<str>> FromIterator<(N, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(properties: I) -> Self {
        let properties = properties.into_iter();
        let mut fields: Vec<Field> = Vec::with_capacity(properties.size_hint().0);
        for (name, value) in properties {
            let name = Name::of(name.as_ref());
            let value = FieldValue::Own(value);
            match fields.iter_mut().find(|field| field.name == name) {
                Some(before) => before.value = value,
                None => fields.push(Field { name, value }),
            }
        }
        Self {
            form: Form::Open(fields),
            version: None,
        }
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
        // Texts are written as they are packed: as values they would stay in memory.
        let (open, packed) = match &self.form {
            Form::Open(fields) => (fields.as_slice(), None),
            Form::Packed(packed) => (&[][..], Some(packed)),
        };
        let open = open
            .iter()
            .map(|field| (field.name.text(), Stored::Value(field.value.get())));
        let packed = packed.into_iter().flat_map(|packed| packed.stored_fields());
        serializer.collect_map(open.chain(packed))
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut properties = Vec::new();
                while let Some(property) = map.next_entry::<Cow<'de, str>, Value>()? {
                    properties.push(property);
                }
                Ok(properties.into_iter().collect())
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::sharing::Sharing, *};

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
    fn each_content_has_a_version_of_its_own() {
        let mut sharing = Sharing::default();
        let mut object = Object::new();
        object.insert("id".into(), json!("1"));
        assert_eq!(object.version(), None);
        sharing.pack(&mut object);
        let (copy, first) = (object.clone(), object.version());
        assert!(first.is_some() && copy.version() == first);
        let changes: [fn(&mut Object); 5] = [
            |object| drop(object.insert("id".into(), json!("2"))),
            |object| *object.get_mut("id").unwrap() = json!("3"),
            |object| object["id"] = json!("4"),
            |object| object.insert_shared("id", Arc::new(json!("5"))),
            |object| drop(object.remove("id")),
        ];
        let mut seen = vec![first];
        for change in changes {
            change(&mut object);
            assert_eq!(object.version(), None);
            sharing.pack(&mut object);
            assert!(!seen.contains(&object.version()));
            seen.push(object.version());
        }
        assert_eq!(copy.version(), first);
    }

    #[test]
    fn a_shared_value_is_copied_before_it_changes() {
        let shared = Arc::new(json!({"city": "Vienna"}));
        let mut first = Object::new();
        first.insert_shared("location", Arc::clone(&shared));
        let second = first.clone();
        *first.get_mut("location").unwrap() = json!(null);
        assert_eq!(second["location"]["city"], "Vienna");
    }
}
