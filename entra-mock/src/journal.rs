//! The journal of requests: the newest ones, with their bodies if asked for, and counts of all of them.

use std::{collections::VecDeque, time::Duration};

use entra_core::Timestamp;
use hashbrown::HashMap;

use crate::wire::WireRequest;

mod bodies;
mod facts;
mod properties;
mod redact;
mod token;

use redact::{redacted, without_secrets};
pub(crate) use {
    facts::{Facts, GrantFacts, Observer},
    redact::REDACTED,
    token::TokenFacts,
};

/// One request that the tenant responded to, without secrets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestRecord {
    /// Its number among all requests since the journal was cleared, from 1.
    pub number: u64,
    /// When it arrived, on the tenant's clock.
    pub time: Timestamp,
    /// Method in upper case.
    pub method: String,
    /// Path as sent, still percent-encoded, without the query.
    pub path: String,
    /// Query as sent, without the question mark. Values of credentials are replaced.
    pub query: Option<String>,
    /// Status of the response.
    pub status: u16,
    /// Headers with lower-case names. Credentials are replaced by `[redacted]`.
    pub headers: Vec<(String, String)>,
    /// The `client-request-id` of the request, if it had one.
    pub client_request_id: Option<String>,
    pub(crate) facts: Facts,
}

impl RequestRecord {
    /// The application (client) id of the request: of its token, or of its form at the token endpoint. `None` if the
    /// token was never valid, or if there is none.
    #[must_use]
    pub fn app_id(&self) -> Option<&str> {
        let of_token = || Some(self.facts.token.as_ref()?.caller.as_ref()?.app_id.as_str());
        let of_form = || self.facts.grant.as_ref()?.client_id.as_deref();
        of_token().or_else(of_form)
    }

    /// The scopes that a token request asked for, as sent. `None` for other requests, for one without scope, and for one
    /// that was rejected.
    #[must_use]
    pub fn requested_scope(&self) -> Option<&str> {
        self.facts.grant.as_ref()?.scope.as_deref()
    }

    /// The permissions in the token of a Graph request: scopes of a user's token, roles of an application's.
    #[must_use]
    pub fn permissions(&self) -> &[String] {
        let caller = self
            .facts
            .token
            .as_ref()
            .and_then(|token| token.caller.as_ref());
        caller.map_or(&[], |caller| match caller.is_delegated() {
            true => caller.scopes.as_slice(),
            false => caller.roles.as_slice(),
        })
    }

    /// The claims of the bearer token of a Graph request, valid or not. `None` if it has none, or one that is not a
    /// JWT. The journal does not keep signatures.
    #[must_use]
    pub fn token_claims(&self) -> Option<serde_json::Map<String, serde_json::Value>> {
        self.facts.token.as_ref()?.claims()
    }

    /// The header of the same token: algorithm and key.
    #[must_use]
    pub fn token_header(&self) -> Option<serde_json::Map<String, serde_json::Value>> {
        self.facts.token.as_ref()?.header()
    }

    /// Why the request was rejected: code and message of the error in the response.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.facts.reason.as_deref()
    }

    /// The wait that the response asked for (`Retry-After`).
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.facts.retry_after
    }

    /// The body of the request: JSON or a form, up to 64 KiB, with secrets replaced by `[redacted]`. `None` for other
    /// formats, and unless the builder had `journal_bodies`.
    #[must_use]
    pub fn request_body(&self) -> Option<&str> {
        self.facts.bodies.as_ref()?.request.as_deref()
    }

    /// The body of the response, as [`request_body`](Self::request_body).
    #[must_use]
    pub fn response_body(&self) -> Option<&str> {
        self.facts.bodies.as_ref()?.response.as_deref()
    }

    /// The number of properties of the object in the response, or of the first object of a list. `None` unless it was
    /// a read of Graph without `$select`.
    #[must_use]
    pub const fn properties(&self) -> Option<usize> {
        self.facts.properties
    }

    /// Returns the first header of that name, ignoring case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns the first value of a query parameter, decoded.
    #[must_use]
    pub fn query_parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_deref()?.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// A ring of records, and counts that continue when the ring is full.
#[derive(Debug)]
pub(crate) struct Journal {
    capacity: usize,
    records: VecDeque<RequestRecord>,
    /// The requests to each path by method.
    counts: HashMap<String, Vec<(String, u64)>>,
    /// How many paths and methods are counted.
    counted: usize,
    /// Requests to paths beyond the number of paths that are counted.
    uncounted: u64,
    /// The number of the newest request.
    newest: u64,
}

impl Journal {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            records: VecDeque::new(),
            counts: HashMap::new(),
            counted: 0,
            uncounted: 0,
            newest: 0,
        }
    }

    pub(crate) fn record(
        &mut self,
        time: Timestamp,
        request: WireRequest,
        status: u16,
        facts: Facts,
    ) {
        self.count(&request.method, &request.path);
        self.newest += 1;
        if self.capacity == 0 {
            return;
        }
        if self.records.len() >= self.capacity {
            self.records.pop_front();
        }
        let client_request_id = request.header("client-request-id").map(str::to_owned);
        self.records.push_back(RequestRecord {
            number: self.newest,
            time,
            method: request.method,
            path: request.path,
            query: request.query.as_deref().map(without_secrets),
            status,
            headers: request
                .headers
                .into_iter()
                .map(|(name, value)| {
                    let value = redacted(&name, value);
                    (name, value)
                })
                .collect(),
            client_request_id,
            facts,
        });
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.capacity);
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &RequestRecord> {
        self.records.iter()
    }

    pub(crate) fn counts(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        self.counts.iter().flat_map(|(path, methods)| {
            methods
                .iter()
                .map(|(method, count)| (method.as_str(), path.as_str(), *count))
        })
    }

    pub(crate) fn uncounted(&self) -> u64 {
        self.uncounted
    }

    fn count(&mut self, method: &str, path: &str) {
        let known = self.counts.get_mut(path);
        if let Some((_, count)) = known
            .into_iter()
            .flatten()
            .find(|(other, _)| other == method)
        {
            *count += 1;
            return;
        }
        if self.counted >= MAX_COUNTED {
            self.uncounted += 1;
            return;
        }
        self.counted += 1;
        let methods = self.counts.entry(path.to_owned()).or_default();
        // Most paths have one method.
        methods.reserve_exact(1);
        methods.push((method.to_owned(), 1));
    }
}

/// How many different paths are counted separately.
const MAX_COUNTED: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, query: Option<&str>, headers: &[(&str, &str)]) -> WireRequest {
        WireRequest {
            method: "GET".into(),
            path: path.into(),
            query: query.map(Into::into),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            body: b"client_secret=canary".to_vec(),
            base: "http://localhost".into(),
            handshakes: Vec::new(),
        }
    }

    #[test]
    fn the_ring_has_the_newest_requests_and_the_counts_have_all() {
        let mut journal = Journal::new(3);
        for number in 0..10 {
            journal.record(
                Timestamp::UNIX_EPOCH,
                request("/v1.0/users", Some(&format!("n={number}")), &[]),
                200,
                Facts::default(),
            );
        }
        let kept: Vec<_> = journal
            .records()
            .filter_map(|record| record.query.as_deref())
            .collect();
        assert_eq!(kept, ["n=7", "n=8", "n=9"]);
        assert_eq!(journal.counts().map(|(_, _, count)| count).sum::<u64>(), 10);
    }

    #[test]
    fn the_number_of_counted_paths_is_bounded() {
        let mut journal = Journal::new(0);
        for number in 0..MAX_COUNTED + 5 {
            journal.record(
                Timestamp::UNIX_EPOCH,
                request(&format!("/v1.0/users/{number}"), None, &[]),
                200,
                Facts::default(),
            );
        }
        assert_eq!(journal.counts().count(), MAX_COUNTED);
        assert_eq!(journal.uncounted(), 5);
    }

    #[test]
    fn secrets_are_redacted() {
        let mut journal = Journal::new(1);
        let headers = [
            ("authorization", "Bearer canary"),
            ("cookie", "canary"),
            ("accept", "text/html"),
        ];
        journal.record(
            Timestamp::UNIX_EPOCH,
            request(
                "/x",
                Some(
                    "code=canary&State=5&client_secret=canary&id_token_hint=canary&Client%5fSecret=canary&%63ode=canary&id_token=canary",
                ),
                &headers,
            ),
            200,
            Facts::default(),
        );
        let text = format!("{journal:?}");
        assert!(!text.contains("canary"), "{text}");
        assert!(
            text.contains("Bearer [redacted]")
                && text.contains("State=5")
                && text.contains("text/html")
        );
    }
}
