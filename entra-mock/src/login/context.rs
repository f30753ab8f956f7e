//! The request and the tenant, as every sign-in endpoint needs them.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use entra_core::{Guid, Timestamp};

use crate::{state::State, wire::WireRequest};

/// The version of the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

pub(super) struct Context<'a> {
    state: &'a RwLock<State>,
    pub(super) now: Timestamp,
    pub(super) request: &'a WireRequest,
    pub(super) version: Version,
    pub(super) trace_id: Guid,
    /// The client's own request id if it is a GUID.
    pub(super) correlation_id: Guid,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        state: &'a RwLock<State>,
        now: Timestamp,
        request: &'a WireRequest,
        version: Version,
    ) -> Self {
        let (trace_id, fresh) = {
            let state = state.read().unwrap_or_else(PoisonError::into_inner);
            (state.random.guid(), state.random.guid())
        };
        let sent = request
            .header("client-request-id")
            .map(str::to_owned)
            .or_else(|| query(request, "client-request-id"));
        let correlation_id = sent.and_then(|id| id.parse().ok()).unwrap_or(fresh);
        Self {
            state,
            now,
            request,
            version,
            trace_id,
            correlation_id,
        }
    }

    /// Locks the tenant for reading. A panic while it was held leaves the data usable.
    pub(super) fn read(&self) -> RwLockReadGuard<'a, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'a, State> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.store.changes.stamp(self.now, None);
        state
    }

    /// Scheme, host and port of the client's request. Every URL in a response starts with it.
    pub(super) fn base(&self) -> &'a str {
        &self.request.base
    }

    pub(super) fn query(&self, name: &str) -> Option<String> {
        query(self.request, name)
    }
}

/// Returns a text for an error description, shortened and without characters that JSON escapes:
/// some clients do not decode them, and a pasted file must not fill a log.
pub(super) fn plain_text(text: &str) -> String {
    plain_text_up_to(text, 200)
}

pub(super) fn plain_text_up_to(text: &str, most: usize) -> String {
    text.chars()
        .filter(|&character| !character.is_control() && !matches!(character, '"' | '\\'))
        .take(most)
        .collect()
}

fn query(request: &WireRequest, name: &str) -> Option<String> {
    url::form_urlencoded::parse(request.query.as_deref()?.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
