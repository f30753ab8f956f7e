//! Microsoft Graph.

mod caller;

pub(crate) use caller::{Caller, TokenProblem};

pub(crate) fn respond(
    _state: &crate::state::State,
    _now: entra_core::Timestamp,
    _request: &crate::wire::WireRequest,
    caller: Result<&Caller, TokenProblem>,
) -> crate::wire::Reply {
    crate::wire::Reply::new(if caller.is_ok() { 501 } else { 401 })
}
