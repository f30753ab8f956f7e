//! OData as Microsoft Graph speaks it: parsing, evaluating, ordering, searching and paging.

mod time;

pub(crate) use time::{TICKS, ticks, ticks_of};
