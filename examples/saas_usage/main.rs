//! Who uses which app in a tenant.

pub(crate) mod charts;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod usage;

fn main() {}
