//! Requests as values: what is wanted, and nothing sent before `send`, `items` or `pages`.

mod count;
mod get;
mod list;

pub use count::Count;
pub use get::Get;
pub use list::List;
