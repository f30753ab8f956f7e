//! Where JSON goes: a place in a model, whatever its type.
//!
//! Decoding is driven through trait objects, so that the code that walks JSON exists once and not
//! again for every type. A model adds a line per property.

use super::{AdditionalData, Json, NameTable};

/// A whole that JSON is read into: an object, or a page of objects.
pub(crate) trait DecodeTarget {
    /// What the place takes.
    fn field_slot(&mut self) -> FieldSlot<'_>;
}

/// What a place takes, and where it goes; made when there is a value for it.
pub(crate) enum FieldSlot<'a> {
    Bool(&'a mut Option<bool>),
    I32(&'a mut Option<i32>),
    I64(&'a mut Option<i64>),
    F64(&'a mut Option<f64>),
    String(&'a mut Option<String>),
    /// A text that is there even if none came.
    Id(&'a mut String),
    /// A text with a form, such as a time or a member of an enum.
    Text(&'a mut dyn Text),
    /// Any value, kept as it came.
    Json(&'a mut Option<Json>),
    List(&'a mut dyn List),
    Object(&'a mut dyn Object),
    /// An object whose type is told by `@odata.type`.
    Typed(&'a mut dyn Typed),
}

/// A place for a text with a form.
pub(crate) trait Text {
    /// Takes the text; false if it has not the form.
    fn take(&mut self, text: &str) -> bool;

    /// The form, for an error.
    fn expected(&self) -> &'static str;
}

/// A place for a list.
pub(crate) trait List {
    fn fill(&mut self, elements: &mut dyn Elements) -> Result<(), DecodeAborted>;
}

/// The elements of a list that is being read.
pub(crate) trait Elements {
    /// Reads the next element into a place; false after the last.
    fn next(&mut self, field_slot: FieldSlot<'_>) -> Result<bool, DecodeAborted>;
}

/// An element could not be read; the reader has the reason.
#[derive(Debug)]
pub(crate) struct DecodeAborted;

/// A place for an object.
pub(crate) trait Object {
    fn names(&self) -> &'static NameTable;

    /// The place of the property at a position in the names.
    fn property(&mut self, index: usize) -> FieldSlot<'_>;

    /// Where properties go that have no place, and which came as null; without it they are dropped.
    fn extra(&mut self) -> Option<&mut AdditionalData>;

    /// The OData type, empty if it has none of its own.
    fn odata_type(&self) -> &'static str;

    /// Notes that Graph sent a link to further objects of this relationship.
    fn mark_cut(&mut self, name: &str);
}

/// A place for objects of several types.
pub(crate) trait Typed {
    /// The object of that type to read into.
    fn of_type(&mut self, odata_type: &str) -> &mut dyn Object;
}
