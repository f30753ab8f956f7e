//! A journal as the rules see it: Graph requests with the parts of batches, token requests, and pages of sign-in.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use url::form_urlencoded;

use crate::{
    journal::{GrantFacts, RequestRecord},
    permissions::{operation_of_request, split_version},
    schema::Operation,
    wire::is_graph,
};

/// All requests of a journal, oldest first.
pub(super) struct Trace<'r> {
    pub(super) records: &'r [RequestRecord],
    /// The requests to Graph, and those in batches.
    pub(super) calls: Vec<Call<'r>>,
    pub(super) grants: Vec<Grant<'r>>,
    /// Requests for the first page of a sign-in, and for everything else that is not Graph's.
    pub(super) others: Vec<Other<'r>>,
    /// Applications whose permissions are not the choice of their client.
    pub(super) ignored_apps: &'r BTreeSet<String>,
    /// Conditional access policies that are enabled and not enforced: name, and the part that is not supported.
    pub(super) recorded_policies: &'r [(String, String)],
}

/// One request to Graph.
pub(super) struct Call<'r> {
    /// Its place in the journal, or that of its batch.
    pub(super) index: usize,
    pub(super) record: &'r RequestRecord,
    /// The application, or its token if the application is unknown.
    pub(super) client: String,
    pub(super) method: &'r str,
    /// The path below the version.
    pub(super) path: &'r str,
    pub(super) beta: bool,
    /// The decoded query options; names in lower case.
    pub(super) query: Vec<(String, String)>,
    /// The query as sent.
    pub(super) raw_query: &'r str,
    /// `None` for a request of a batch without a response.
    pub(super) status: Option<u16>,
    /// Whether it has the header `ConsistencyLevel: eventual`.
    pub(super) eventual: bool,
    pub(super) batched: bool,
    pub(super) operation: Option<&'static Operation>,
}

/// One token request.
pub(super) struct Grant<'r> {
    pub(super) index: usize,
    pub(super) record: &'r RequestRecord,
    pub(super) facts: &'r GrantFacts,
}

/// One request that goes neither to Graph nor to the token endpoint.
pub(super) struct Other<'r> {
    pub(super) index: usize,
    pub(super) record: &'r RequestRecord,
    /// The path in lower case.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
}

impl<'r> Trace<'r> {
    pub(super) fn new(
        records: &'r [RequestRecord],
        ignored_apps: &'r BTreeSet<String>,
        recorded_policies: &'r [(String, String)],
    ) -> Self {
        let clients = clients(records);
        let mut trace = Self {
            records,
            calls: Vec::new(),
            grants: Vec::new(),
            others: Vec::new(),
            ignored_apps,
            recorded_policies,
        };
        for (index, record) in records.iter().enumerate() {
            if let Some(facts) = &record.facts.grant {
                trace.grants.push(Grant {
                    index,
                    record,
                    facts,
                });
            } else if !is_graph(&record.path) {
                trace.others.push(Other {
                    index,
                    record,
                    path: record.path.to_ascii_lowercase(),
                    query: pairs(record.query.as_deref().unwrap_or_default()),
                });
            } else {
                let client = client(record, &clients);
                trace.add_call(index, record, &client);
            }
        }
        trace
    }

    fn add_call(&mut self, index: usize, record: &'r RequestRecord, client: &str) {
        let eventual = record
            .header("consistencylevel")
            .is_some_and(|level| level.eq_ignore_ascii_case("eventual"));
        let own = [(
            record.method.as_str(),
            record.path.as_str(),
            record.query.as_deref(),
            Some(record.status),
            eventual,
            false,
        )];
        let parts = record.facts.parts.iter().map(|part| {
            (
                part.method.as_str(),
                part.path.as_str(),
                part.query.as_deref(),
                part.status,
                part.eventual,
                true,
            )
        });
        for (method, path, query, status, eventual, batched) in own.into_iter().chain(parts) {
            let (version, path) = split_version(path);
            let raw_query = query.unwrap_or_default();
            self.calls.push(Call {
                index,
                record,
                client: client.to_owned(),
                method,
                path,
                beta: version.is_some_and(|version| version.eq_ignore_ascii_case("beta")),
                query: pairs(raw_query),
                raw_query,
                status,
                eventual,
                batched,
                operation: operation_of_request(method, path),
            });
        }
    }

    /// The calls of each client, in the order of their first request.
    pub(super) fn calls_by_client(&self) -> Vec<(&str, Vec<&Call<'r>>)> {
        groups(self.calls.iter(), |call| call.client.as_str())
    }
}

impl Call<'_> {
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.iter();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn is_batch(&self) -> bool {
        self.path.eq_ignore_ascii_case("$batch")
    }

    /// The request as a reader names it: `GET /users/{id}`, or its own path if the operation is unknown.
    pub(super) fn name(&self) -> String {
        match self.operation {
            Some(row) => format!("{} {}", row.method, row.path),
            None => format!("{} /{}", self.method, self.path),
        }
    }

    /// Whether the response was a success.
    pub(super) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status < 300)
    }
}

impl Other<'_> {
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.iter();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The time between two requests: on the tenant's clock, or in real time if that is longer.
pub(super) fn time_between(earlier: &RequestRecord, later: &RequestRecord) -> Duration {
    let tenant = Duration::try_from(later.time - earlier.time).unwrap_or_default();
    let real = later.facts.elapsed.saturating_sub(earlier.facts.elapsed);
    tenant.max(real)
}

/// Groups items by a key, in the order in which the keys appear.
pub(super) fn groups<'i, T, K: Copy + Eq + std::hash::Hash>(
    items: impl Iterator<Item = &'i T>,
    key: impl Fn(&'i T) -> K,
) -> Vec<(K, Vec<&'i T>)> {
    let mut places: HashMap<K, usize> = HashMap::new();
    let mut groups: Vec<(K, Vec<&T>)> = Vec::new();
    for item in items {
        let key = key(item);
        let place = *places.entry(key).or_insert_with(|| {
            groups.push((key, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(item);
    }
    groups
}

/// The applications of all tokens that were valid once.
fn clients(records: &[RequestRecord]) -> HashMap<u64, &str> {
    let tokens = records
        .iter()
        .filter_map(|record| record.facts.token.as_ref());
    tokens
        .filter_map(|token| Some((token.id, token.caller.as_ref()?.app_id.as_str())))
        .collect()
}

fn client(record: &RequestRecord, clients: &HashMap<u64, &str>) -> String {
    match record.facts.token.as_ref() {
        Some(token) => match clients.get(&token.id) {
            Some(app) => (*app).to_owned(),
            None => format!("token {:x}", token.id),
        },
        None => String::new(),
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let lower = |name: Cow<'_, str>| name.to_ascii_lowercase();
    form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (lower(name), value.into_owned()))
        .collect()
}
