//! Builders of requests, one per verb.

mod count;
mod created;
mod get;
mod list;
mod partition;
mod write;

pub use count::Count;
pub use created::Created;
pub use get::Get;
pub use list::List;
pub use partition::{LogEntry, Ticks};
pub use write::{Create, FoundBy, New, NewBody, Update, Upsert};
