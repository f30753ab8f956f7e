//! OData as in Microsoft Graph: parsing, evaluating, sorting, searching and paging.
//!
//! This module uses the schema's tables, but no store and no HTTP. It is written from the
//! documentation, independently of the client under test.

mod check;
mod error;
mod eval;
mod filter;
mod order;
mod page;
mod parse;
mod query;
mod seal;
mod search;

pub(crate) use crate::time::{TICKS, ticks, ticks_of};
pub(crate) use check::check_filter;
pub(crate) use error::{Detail, GraphError};
pub(crate) use eval::{DerivedValues, function_holds, matches};
pub(crate) use filter::{Expr, Function, Literal, Op, Path};
pub(crate) use order::Order;
pub(crate) use page::{PageKey, Position, RowPosition};
pub(crate) use parse::parse_filter;
pub(crate) use query::{Expand, Options, Query};
pub(crate) use seal::Seal;
pub(crate) use search::Search;
