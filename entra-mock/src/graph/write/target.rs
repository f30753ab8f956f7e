//! The object that a write addresses, with the permission for it.

use serde_json::Value;

use super::super::{
    call::{Call, unsupported},
    lookup,
    route::Root,
};
use crate::{
    odata::GraphError,
    permissions,
    store::{Kind, Object},
};

/// Authorizes a method on a path below an object, or on the object itself, and returns the object.
pub(super) fn target<'a>(
    call: Call<'a>,
    root: &Root,
    kind: Kind,
    below: &str,
) -> Result<(&'a Object, &'a str, bool), GraphError> {
    target_of(call, root, kind, &call.request.method, below)
}

/// The same for a request that takes the permission of another method.
pub(super) fn target_of<'a>(
    call: Call<'a>,
    root: &Root,
    kind: Kind,
    method: &str,
    below: &str,
) -> Result<(&'a Object, &'a str, bool), GraphError> {
    let path = format!("{}{below}", kind.entity().object_path());
    let own = lookup::is_own(call, root);
    if permissions::operation(method, &path).is_none() {
        return Err(unsupported(call.request));
    }
    permissions::authorize(call.caller, method, &path, own)?;
    let (_, object) = lookup::find(call, root)?;
    let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
    Ok((object, id, own))
}
