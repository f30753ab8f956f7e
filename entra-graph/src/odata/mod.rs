//! Typed query options. Nothing here knows an entity or sends anything.

mod access;
mod entity;
mod filter;
mod literal;
mod property;
mod query;
mod search;
mod selection;
mod support;

pub use access::{
    Access, Clearable, CreateOnly, OnCreate, OnUpdate, ReadOnly, Required, SettableIn, UpdateOnly,
    UpdateRequired, Writable,
};
pub(crate) use entity::nested;
pub use entity::{Described, EntityInfo};
pub use filter::Filter;
pub use literal::Literal;
pub(crate) use literal::time_text;
pub(crate) use property::Path;
pub use property::{Order, Property};
pub(crate) use query::Query;
pub use search::Search;
pub use selection::{NavigationProperty, Selection};
pub(crate) use support::{Level, Operator, Support};

#[cfg(test)]
mod tests;
