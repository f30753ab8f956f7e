//! Typed query options. Nothing here knows an entity or sends anything.

mod filter;
mod literal;
mod property;
mod query;
mod search;
mod support;
#[cfg(test)]
mod tests;

pub use filter::Filter;
pub use literal::Literal;
pub(crate) use property::Path;
pub use property::{Order, Property, Relation, Selection};
pub(crate) use query::{Prepared, Query};
pub use search::Search;
pub(crate) use support::{Level, Operator, Support};
