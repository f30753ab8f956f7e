//! One authenticated request, and what every response has in common.

use entra_core::Timestamp;

use crate::{odata::GraphError, permissions::Caller, state::State, wire::WireRequest};

/// One authenticated request.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) state: &'a State,
    pub(super) now: Timestamp,
    pub(super) caller: &'a Caller,
    pub(super) request: &'a WireRequest,
    /// Whether `ConsistencyLevel: eventual` was sent.
    pub(super) eventual: bool,
    /// Whether the path starts with `/beta`.
    pub(super) beta: bool,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        state: &'a State,
        now: Timestamp,
        caller: &'a Caller,
        request: &'a WireRequest,
    ) -> Self {
        let eventual = request
            .header("consistencylevel")
            .is_some_and(|level| level.eq_ignore_ascii_case("eventual"));
        Self {
            state,
            now,
            caller,
            request,
            eventual,
            beta: version(&request.path, "/beta").is_some(),
        }
    }
}

impl Call<'_> {
    /// The start of every link and context of this response.
    pub(super) fn root(&self) -> String {
        [&self.request.base, "/", self.version()].concat()
    }

    pub(super) fn version(&self) -> &'static str {
        if self.beta { "beta" } else { "v1.0" }
    }

    pub(super) fn context(&self, fragment: &str) -> String {
        let (base, version) = (self.request.base.as_str(), self.version());
        [base, "/", version, "/$metadata#", fragment].concat()
    }
}

/// 501 that names the request. It becomes a 405 if Graph does not have the method on that path, and a 400 if
/// Graph does not have the path.
pub(super) fn unsupported(request: &WireRequest) -> GraphError {
    GraphError::new(
        501,
        "NotImplemented",
        format!(
            "The fake tenant does not support {} {}. A test can mount a response of its own: FakeTenant::mount.",
            request.method, request.path
        ),
    )
}

/// Splits a path into the version that it starts with and the rest: `/v1.0` or `/beta`.
pub(super) fn split_version(path: &str) -> Option<(&'static str, &str)> {
    ["/v1.0", "/beta"]
        .into_iter()
        .find_map(|name| Some((name, version(path, name)?)))
}

pub(super) fn version<'a>(path: &'a str, version: &str) -> Option<&'a str> {
    let (start, rest) = path.split_at_checked(version.len())?;
    (start.eq_ignore_ascii_case(version) && (rest.is_empty() || rest.starts_with('/')))
        .then_some(rest)
}

/// The content type of JSON.
pub(super) const JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
