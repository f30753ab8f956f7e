//! Subscriptions beside the generic reads and writes: who sees them.

use serde_json::Value;

use super::{
    call::Call,
    route::{Root, Route},
};
use crate::{
    store::{Kind, Object},
    time::{ticks, ticks_of},
};

/// Whether a path addresses subscriptions.
pub(super) fn is_subscription(route: &Route) -> bool {
    matches!(
        route.root,
        Root::Set(Kind::Subscription) | Root::Object(Kind::Subscription, _)
    )
}

/// Whether a caller sees an object: an application sees its own subscriptions only, and of those the ones that have
/// not expired.
pub(super) fn is_visible(call: Call<'_>, kind: Kind, object: &Object) -> bool {
    kind != Kind::Subscription || is_own(call, object) && !has_expired(call, object)
}

/// Returns the subscriptions in a list. A switch lists expired ones too, as Graph was seen to do
/// (msgraph-sdk-javascript issue 906).
pub(super) fn listed(call: Call<'_>) -> Vec<&Object> {
    let expired = call.state.notifications.options.expired_listed;
    let listed = |object: &&Object| is_own(call, object) && (expired || !has_expired(call, object));
    let all = call.state.store.all(Kind::Subscription);
    all.filter(listed).collect()
}

fn is_own(call: Call<'_>, object: &Object) -> bool {
    object.get("applicationId").and_then(Value::as_str) == Some(&call.caller.app_id)
}

fn has_expired(call: Call<'_>, object: &Object) -> bool {
    let expires = object
        .get("expirationDateTime")
        .and_then(Value::as_str)
        .and_then(ticks);
    expires.is_none_or(|expires| expires <= ticks_of(call.now))
}
