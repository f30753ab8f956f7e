//! Typed query options. Nothing here knows an entity or sends anything.

mod access;
mod entity;
mod filter;
mod literal;
mod navigation;
mod path;
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
pub use navigation::NavigationProperty;
pub(crate) use path::Path;
pub use property::{Order, Property};
pub(crate) use query::Query;
pub use search::Search;
pub use selection::Selection;
pub(crate) use support::{Level, Operator, Support};

#[cfg(test)]
mod tests;
