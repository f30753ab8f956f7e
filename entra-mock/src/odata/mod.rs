//! OData as Microsoft Graph speaks it: parsing, evaluating, ordering, searching and paging.
//!
//! Knows the schema's tables, no store and no HTTP; written from the documentation, independently
//! of the client that will be tested against it.

mod check;
mod eval;
mod filter;
mod order;
mod page;
mod parse;
mod query;
mod refusal;
mod seal;
mod search;

pub(crate) use crate::time::{TICKS, ticks, ticks_of};
pub(crate) use check::check_filter;
pub(crate) use eval::{Surroundings, matches};
pub(crate) use filter::{Expr, Literal, Op, Path};
pub(crate) use order::{Key, Order};
pub(crate) use page::{PageKey, Place, Position};
pub(crate) use parse::parse_filter;
pub(crate) use query::{Expand, Options, Query};
pub(crate) use refusal::{Detail, Refusal};
pub(crate) use seal::Seal;
pub(crate) use search::Search;
