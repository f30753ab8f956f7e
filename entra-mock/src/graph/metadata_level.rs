//! `odata.metadata=none`: responses without the control information of OData.
//!
//! OData 4.0 keeps only `nextLink`, `deltaLink` and `count` at this level (OData JSON Format, section 3.1.2).

use serde_json::Value;

use super::payload;
use crate::wire::{Reply, WireRequest};

/// Removes the control information from a successful response if the client accepts `odata.metadata=none`.
pub(super) fn apply(request: &WireRequest, mut reply: Reply) -> Reply {
    let Some(kind) = reply
        .headers
        .iter_mut()
        .find(|(name, value)| *name == "content-type" && value.contains(MINIMAL))
    else {
        return reply;
    };
    if !accepts_none(request) || reply.status >= 300 {
        return reply;
    }
    let Some(mut body) = payload::parse::<Value>(&reply.body) else {
        return reply;
    };
    kind.1 = kind.1.replace(MINIMAL, NONE).into();
    strip(&mut body);
    reply.body = body.to_string().into();
    reply
}

/// Whether the `Accept` header has the parameter, which also the older form without a prefix spells so.
fn accepts_none(request: &WireRequest) -> bool {
    request.list("accept").any(|range| {
        range.split(';').any(|parameter| {
            let parameter = parameter.trim();
            [NONE, "metadata=none"]
                .iter()
                .any(|none| parameter.eq_ignore_ascii_case(none))
        })
    })
}

fn strip(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::Object(object) => {
            object.retain(|name, _| !is_removed(name));
            object.values_mut().for_each(strip);
        }
        _ => {}
    }
}

/// Whether a member is control information that this level omits.
fn is_removed(name: &str) -> bool {
    match name.split_once("@odata.") {
        Some((_, kind)) => !["nextLink", "deltaLink", "count"].contains(&kind),
        None => false,
    }
}

const MINIMAL: &str = "odata.metadata=minimal";
const NONE: &str = "odata.metadata=none";
