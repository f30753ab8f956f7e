//! The packed form of an object: its texts one after the other, and pointers to values that it shares.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use serde_json::Value;

use super::{
    field::{Field, FieldValue, Stored},
    name::Name,
    shapes::{Shape, Slot},
};

/// The properties of an object in the store.
pub(crate) struct Packed {
    shape: Arc<Shape>,
    /// For each text the end of its bytes, in two bytes, then the bytes of all texts.
    texts: Box<[u8]>,
    shared: Box<[Arc<Value>]>,
    /// The texts as JSON values, once something needs one of them as a value.
    values: OnceLock<Box<Values>>,
}

/// Behind a pointer of one word, since most objects have none.
struct Values(Box<[Value]>);

impl Packed {
    /// Packs properties, none of which may have a text that is too long for [`fits`].
    pub(super) fn new(shape: Arc<Shape>, texts: &[&str], shared: Vec<Arc<Value>>) -> Self {
        let length: usize = texts.iter().map(|text| text.len() + 2).sum();
        let mut bytes = Vec::with_capacity(length);
        let mut end = 0;
        for text in texts {
            end += text.len();
            bytes.extend_from_slice(&u16::try_from(end).unwrap_or(u16::MAX).to_le_bytes());
        }
        for text in texts {
            bytes.extend_from_slice(text.as_bytes());
        }
        Self {
            shape,
            texts: bytes.into_boxed_slice(),
            shared: shared.into_boxed_slice(),
            values: OnceLock::new(),
        }
    }

    /// Returns the position of the first property with that name.
    pub(super) fn position(&self, is_named: impl Fn(&str) -> bool) -> Option<usize> {
        self.shape.names().position(is_named)
    }

    /// Returns the value of a property without unpacking it.
    pub(super) fn stored(&self, at: usize) -> Option<Stored<'_>> {
        match self.shape.slot(at)? {
            Slot::Text(at) => self.text(at).map(Stored::Text),
            Slot::Shared(at) => self
                .shared
                .get(usize::from(at))
                .map(|value| Stored::Value(value)),
        }
    }

    pub(super) fn value(&self, at: usize) -> Option<&Value> {
        match self.shape.slot(at)? {
            Slot::Text(at) => self.values().get(usize::from(at)),
            Slot::Shared(at) => self.shared.get(usize::from(at)).map(|value| &**value),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        let names = self.shape.names().enumerate();
        names.filter_map(|(at, name)| Some((name, self.value(at)?)))
    }

    /// Returns all properties without unpacking them.
    pub(super) fn stored_fields(&self) -> impl Iterator<Item = (&'static str, Stored<'_>)> {
        let names = self.shape.names().enumerate();
        names.filter_map(|(at, name)| Some((name, self.stored(at)?)))
    }

    /// Unpacks the properties.
    pub(super) fn fields(&self) -> Vec<Field> {
        let field = |(name, slot): (Name, Slot)| {
            let value = match slot {
                Slot::Text(at) => FieldValue::Own(self.text(at)?.into()),
                Slot::Shared(at) => {
                    FieldValue::Shared(Arc::clone(self.shared.get(usize::from(at))?))
                }
            };
            Some(Field { name, value })
        };
        self.shape.fields().filter_map(field).collect()
    }

    fn text(&self, at: u16) -> Option<&str> {
        let count = usize::from(self.shape.texts());
        let end = |at: usize| {
            let bytes = self.texts.get(at * 2..at * 2 + 2)?;
            Some(usize::from(u16::from_le_bytes(bytes.try_into().ok()?)))
        };
        let at = usize::from(at);
        let start = match at {
            0 => 0,
            at => end(at - 1)?,
        };
        let bytes = self.texts.get(count * 2..)?.get(start..end(at)?)?;
        std::str::from_utf8(bytes).ok()
    }

    fn values(&self) -> &[Value] {
        let values = self.values.get_or_init(|| {
            let values =
                (0..self.shape.texts()).map(|at| self.text(at).map_or(Value::Null, Value::from));
            Box::new(Values(values.collect()))
        });
        &values.0
    }
}

/// The longest texts of one object that can be packed together.
pub(super) const MAX_TEXTS: usize = u16::MAX as usize;

impl Clone for Packed {
    fn clone(&self) -> Self {
        Self {
            shape: Arc::clone(&self.shape),
            texts: self.texts.clone(),
            shared: self.shared.clone(),
            values: OnceLock::new(),
        }
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
