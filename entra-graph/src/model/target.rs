//! Decode targets: where in a model a JSON value goes.
//!
//! Decoding is driven through trait objects, so that the code that walks JSON exists once and not
//! again for every type. A model adds a line per property.

use super::{AdditionalData, Json, NameTable};

/// A whole document to decode into: an object, or a page of objects.
pub(crate) trait DecodeTarget {
    /// The slot of the document.
    fn field_slot(&mut self) -> FieldSlot<'_>;
}

/// The type of a field and where its value goes; created when the JSON has a value for it.
pub(crate) enum FieldSlot<'a> {
    Bool(&'a mut Option<bool>),
    I32(&'a mut Option<i32>),
    I64(&'a mut Option<i64>),
    F64(&'a mut Option<f64>),
    String(&'a mut Option<String>),
    /// A text that is empty if the JSON has none.
    Id(&'a mut String),
    /// A text in a format, such as a time or an enum member.
    Text(&'a mut dyn Text),
    /// Any value, stored as raw JSON.
    Json(&'a mut Option<Json>),
    List(&'a mut dyn List),
    Object(&'a mut dyn Object),
    /// An object whose type is told by `@odata.type`.
    Typed(&'a mut dyn Typed),
}

/// A slot for a text in a format.
pub(crate) trait Text {
    /// Parses the text; returns `false` if it has another format.
    fn take(&mut self, text: &str) -> bool;

    /// The expected format, for an error.
    fn expected(&self) -> &'static str;
}

/// A slot for a list.
pub(crate) trait List {
    fn fill(&mut self, elements: &mut dyn Elements) -> Result<(), DecodeAborted>;
}

/// The elements of a list that is being read.
pub(crate) trait Elements {
    /// Decodes the next element into a slot; returns `false` after the last.
    fn next(&mut self, field_slot: FieldSlot<'_>) -> Result<bool, DecodeAborted>;
}

/// An element could not be read; the reader has the reason.
#[derive(Debug)]
pub(crate) struct DecodeAborted;

/// A slot for an object.
pub(crate) trait Object {
    fn names(&self) -> &'static NameTable;

    /// The slot of the property at a position in the name table.
    fn property(&mut self, index: usize) -> FieldSlot<'_>;

    /// Where undeclared properties and nulls are stored; `None` drops them.
    fn extra(&mut self) -> Option<&mut AdditionalData>;

    /// The OData type, empty if it has none of its own.
    fn odata_type(&self) -> &'static str;

    /// Notes that Graph sent a link to further objects of this relationship.
    fn mark_cut(&mut self, name: &str);

    /// Notes that all objects of this relationship were fetched.
    fn mark_complete(&mut self, name: &str);
}

/// A slot for an object of one of several types.
pub(crate) trait Typed {
    /// The object of that type to read into.
    fn of_type(&mut self, odata_type: &str) -> &mut dyn Object;
}
