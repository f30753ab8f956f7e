//! Subscriptions beside the generic reads and writes: who sees them, and which URLs must be validated.

use std::sync::RwLock;

use entra_core::Timestamp;
use serde_json::Value;

use super::{
    Call, TokenProblem, batch, is_batch, read_lock,
    route::{Root, Route},
    version, write,
};
use crate::{
    permissions::Caller,
    state::State,
    store::{Kind, Object},
    time::{ticks, ticks_of},
    wire::WireRequest,
};

/// Returns the URLs that receivers must confirm before a request is handled. A URL is there twice if it must be
/// confirmed for two purposes.
///
/// There are none if the request fails for another reason.
pub(crate) fn handshakes(
    tenant: &RwLock<State>,
    now: Timestamp,
    request: &WireRequest,
    caller: Result<&Caller, TokenProblem>,
) -> Vec<String> {
    let Ok(caller) = caller else {
        return Vec::new();
    };
    let requests = if is_batch(request) {
        batch::requests(request)
    } else {
        vec![request.clone()]
    };
    let state = read_lock(tenant);
    requests
        .iter()
        .filter_map(|request| {
            let route = Route::parse(version(&request.path, "/v1.0")?).ok()??;
            is_subscription(&route)
                .then(|| write::validated_urls(Call::new(&state, now, caller, request), &route))
        })
        .flatten()
        .collect()
}

/// Whether a request can need a handshake; most cannot.
pub(crate) fn may_need_handshake(request: &WireRequest) -> bool {
    let path = request.path.to_ascii_lowercase();
    matches!(request.method.as_str(), "POST" | "PATCH")
        && (path.contains("/subscriptions") || is_batch(request))
}

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
