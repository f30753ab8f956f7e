//! The packed form of an object: its texts one after the other, and pointers to values that it shares.

use std::{
    fmt,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::Value;

use super::{
    name::Name,
    object::{Field, FieldValue, Stored},
    shapes::{Shape, Slot},
};

/// The properties of an object in the store.
pub(crate) struct Packed {
    shape: Arc<Shape>,
    /// For each text the end of its bytes, in two bytes, then the bytes of all texts.
    texts: Box<[u8]>,
    shared: Box<[Arc<Value>]>,
    /// What reading has added.
    derived: OnceLock<Box<Derived>>,
}

#[derive(Default)]
struct Derived {
    /// The texts as JSON values, once something needs one of them as a value.
    values: OnceLock<Box<[Value]>>,
    /// The JSON of the latest projection.
    rendered: Mutex<Option<Rendered>>,
}

/// An object as one projection writes it.
struct Rendered {
    /// Identifies the projection.
    projection: u64,
    json: Box<[u8]>,
    _reserved: Reservation,
}

/// The memory that the rendered objects of a tenant may use.
#[derive(Clone, Debug, Default)]
pub(crate) struct RenderBudget(Arc<AtomicUsize>);

/// A part of the budget, given back when it is dropped.
struct Reservation {
    budget: RenderBudget,
    bytes: usize,
}

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
            derived: OnceLock::new(),
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

    /// Writes the JSON of a projection that was rendered before. Returns `false` if it was not.
    pub(crate) fn write_rendered(&self, projection: u64, out: &mut Vec<u8>) -> bool {
        let Some(derived) = self.derived.get() else {
            return false;
        };
        let rendered = derived
            .rendered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match &*rendered {
            Some(rendered) if rendered.projection == projection => {
                out.extend_from_slice(&rendered.json);
                true
            }
            _ => false,
        }
    }

    /// Remembers the JSON of a projection instead of another one's, if the budget allows it.
    pub(crate) fn remember(&self, projection: u64, json: &[u8], budget: &RenderBudget) {
        let Some(reserved) = budget.reserve(json.len() + OVERHEAD) else {
            return;
        };
        let rendered = Rendered {
            projection,
            json: json.into(),
            _reserved: reserved,
        };
        let derived = self.derived.get_or_init(Box::default);
        *derived
            .rendered
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(rendered);
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
        let derived = self.derived.get_or_init(Box::default);
        derived.values.get_or_init(|| {
            (0..self.shape.texts())
                .map(|at| self.text(at).map_or(Value::Null, Value::from))
                .collect()
        })
    }
}

impl RenderBudget {
    fn reserve(&self, bytes: usize) -> Option<Reservation> {
        let before = self.0.fetch_add(bytes, Ordering::Relaxed);
        let reserved = Reservation {
            budget: self.clone(),
            bytes,
        };
        // Beyond the limit it is dropped again.
        (before + bytes <= MAX_RENDERED).then_some(reserved)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The bytes of a rendered object beside its JSON.
const OVERHEAD: usize = 160;
/// The JSON of about 20,000 users.
const MAX_RENDERED: usize = 10 * 1024 * 1024;
/// The longest texts of one object that can be packed together.
pub(super) const MAX_TEXTS: usize = u16::MAX as usize;

impl Clone for Packed {
    fn clone(&self) -> Self {
        Self {
            shape: Arc::clone(&self.shape),
            texts: self.texts.clone(),
            shared: self.shared.clone(),
            derived: OnceLock::new(),
        }
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed() -> Packed {
        let fields = [(Name::of("id"), Slot::Text(0))];
        Packed::new(Shape::of(&fields), &["1"], Vec::new())
    }

    #[test]
    fn the_json_of_the_latest_projection_is_remembered() {
        let (packed, budget) = (packed(), RenderBudget::default());
        let mut out = Vec::new();
        assert!(!packed.write_rendered(1, &mut out));
        packed.remember(1, b"one", &budget);
        assert!(packed.write_rendered(1, &mut out));
        packed.remember(2, b"two", &budget);
        assert!(!packed.write_rendered(1, &mut out));
        assert!(packed.write_rendered(2, &mut out));
        assert_eq!(out, b"onetwo");
        assert!(!packed.clone().write_rendered(2, &mut out));
    }

    #[test]
    fn rendered_objects_use_no_more_than_the_budget_and_give_it_back() {
        let budget = RenderBudget::default();
        let json = vec![b'x'; MAX_RENDERED / 2];
        let objects = [packed(), packed()];
        for object in &objects {
            object.remember(1, &json, &budget);
        }
        let mut out = Vec::new();
        assert!(objects[0].write_rendered(1, &mut out));
        assert!(!objects[1].write_rendered(1, &mut out));
        drop(objects);
        assert_eq!(budget.0.load(Ordering::Relaxed), 0);
    }
}
