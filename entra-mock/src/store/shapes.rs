//! The names of an object's properties and where their values are. Objects of a type share few shapes.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use hashbrown::HashMap;

use super::name::Name;

/// The names of properties in order, each with the place of its value.
#[derive(Debug)]
pub(super) struct Shape {
    fields: Box<[(Name, &'static str, Slot)]>,
    texts: u16,
}

/// Where the value of a property is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Slot {
    /// In the texts of the object.
    Text(u16),
    /// Among its shared values.
    Shared(u16),
}

impl Shape {
    /// Returns the shape of these fields, which is one for all objects that have them in this order.
    pub(super) fn of(fields: &[(Name, Slot)]) -> Arc<Self> {
        type Shapes = HashMap<Box<[(Name, Slot)]>, Arc<Shape>>;
        static SHAPES: OnceLock<RwLock<Shapes>> = OnceLock::new();
        let shapes = SHAPES.get_or_init(RwLock::default);
        if let Some(shape) = shapes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(fields)
        {
            return Arc::clone(shape);
        }
        let shape = Arc::new(Self::new(fields));
        let mut shapes = shapes.write().unwrap_or_else(PoisonError::into_inner);
        // A client can make up names of extensions; their shapes are not kept.
        if shapes.len() < MAX_SHAPES {
            shapes.insert(fields.into(), Arc::clone(&shape));
        }
        shape
    }

    fn new(fields: &[(Name, Slot)]) -> Self {
        let texts = fields.iter().map(|(_, slot)| match slot {
            Slot::Text(at) => at.saturating_add(1),
            Slot::Shared(_) => 0,
        });
        Self {
            texts: texts.max().unwrap_or(0),
            fields: fields
                .iter()
                .map(|(name, slot)| (*name, name.text(), *slot))
                .collect(),
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|(_, text, _)| *text)
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = (Name, Slot)> {
        self.fields.iter().map(|(name, _, slot)| (*name, *slot))
    }

    pub(super) fn slot(&self, at: usize) -> Option<Slot> {
        self.fields.get(at).map(|(_, _, slot)| *slot)
    }

    /// The number of texts.
    pub(super) fn texts(&self) -> u16 {
        self.texts
    }
}

/// How many shapes are shared.
const MAX_SHAPES: usize = 10_000;
