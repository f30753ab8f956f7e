//! Which URLs of subscriptions receivers must confirm before a request is handled.

use std::sync::RwLock;

use entra_core::Timestamp;

use super::{
    batch::{self, is_batch},
    call::{Call, split_version},
    lock::read_lock,
    route::Route,
    subscriptions::is_subscription,
    write,
};
use crate::{
    permissions::{Caller, TokenProblem},
    state::State,
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
            let (_, path) = split_version(&request.path)?;
            let route = Route::parse(path).ok()??;
            is_subscription(&route)
                .then(|| write::validated_urls(Call::new(&state, now, caller, request), &route))
        })
        .flatten()
        .collect()
}

/// Whether a request can need a handshake; most cannot.
pub(crate) fn may_need_handshake(request: &WireRequest) -> bool {
    matches!(request.method.as_str(), "POST" | "PATCH")
        && (is_batch(request) || request.path.to_ascii_lowercase().contains("/subscriptions"))
}
