//! The journal of requests: the newest ones in full, and counts of all of them.

use std::collections::{HashMap, VecDeque};

use entra_core::Timestamp;

use crate::wire::WireRequest;

/// One request that the tenant responded to, without secrets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestRecord {
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
}

impl RequestRecord {
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
    counts: HashMap<(String, String), u64>,
    /// Requests to paths beyond the number of paths that are counted.
    uncounted: u64,
}

impl Journal {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            records: VecDeque::new(),
            counts: HashMap::new(),
            uncounted: 0,
        }
    }

    pub(crate) fn record(&mut self, time: Timestamp, request: &WireRequest, status: u16) {
        self.count(&request.method, &request.path);
        if self.capacity == 0 {
            return;
        }
        if self.records.len() >= self.capacity {
            self.records.pop_front();
        }
        self.records.push_back(RequestRecord {
            time,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.as_deref().map(without_secrets),
            status,
            headers: request
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), redacted(name, value)))
                .collect(),
            client_request_id: request.header("client-request-id").map(str::to_owned),
        });
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.capacity);
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &RequestRecord> {
        self.records.iter()
    }

    pub(crate) fn counts(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        self.counts
            .iter()
            .map(|((method, path), count)| (method.as_str(), path.as_str(), *count))
    }

    pub(crate) fn uncounted(&self) -> u64 {
        self.uncounted
    }

    fn count(&mut self, method: &str, path: &str) {
        let key = (method.to_owned(), path.to_owned());
        if self.counts.len() >= MAX_COUNTED && !self.counts.contains_key(&key) {
            self.uncounted += 1;
            return;
        }
        *self.counts.entry(key).or_default() += 1;
    }
}

fn redacted(name: &str, value: &str) -> String {
    if !matches!(
        name,
        "authorization" | "proxy-authorization" | "cookie" | "x-identity-header" | "secret"
    ) {
        return value.to_owned();
    }
    match value.split_once(' ') {
        Some((scheme, _)) if name.ends_with("authorization") => format!("{scheme} {REDACTED}"),
        _ => REDACTED.to_owned(),
    }
}

/// Returns a query with the values of all parameters that carry credentials replaced.
fn without_secrets(query: &str) -> String {
    let is_secret = |name: &str| {
        // The name may be percent-encoded, as the value may.
        url::form_urlencoded::parse(name.as_bytes()).any(|(name, _)| {
            SECRET_PARAMETERS
                .iter()
                .any(|secret| name.trim().eq_ignore_ascii_case(secret))
        })
    };
    query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_secret(name) => format!("{name}={REDACTED}"),
            _ => pair.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("&")
}

const REDACTED: &str = "[redacted]";
const SECRET_PARAMETERS: [&str; 11] = [
    "client_secret",
    "client_assertion",
    "code",
    "code_verifier",
    "refresh_token",
    "password",
    "assertion",
    "access_token",
    "device_code",
    "id_token",
    "id_token_hint",
];
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
        }
    }

    #[test]
    fn the_ring_has_the_newest_requests_and_the_counts_have_all() {
        let mut journal = Journal::new(3);
        for number in 0..10 {
            journal.record(
                Timestamp::UNIX_EPOCH,
                &request("/v1.0/users", Some(&format!("n={number}")), &[]),
                200,
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
                &request(&format!("/v1.0/users/{number}"), None, &[]),
                200,
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
            &request(
                "/x",
                Some(
                    "code=canary&State=5&client_secret=canary&id_token_hint=canary&Client%5fSecret=canary&%63ode=canary&id_token=canary",
                ),
                &headers,
            ),
            200,
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
