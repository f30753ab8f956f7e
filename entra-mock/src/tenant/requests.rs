use std::slice;

use crate::{
    journal::{Journal, RequestRecord},
    permissions::NeededPermissions,
    wire::is_graph,
};

/// A snapshot of the requests that a tenant has received. Narrow it down, then count.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tenant = entra_mock::FakeTenant::start().await;
/// # let http = reqwest::Client::builder().tls_certs_only([]).build()?;
/// # http.get(format!("{}/v1.0/users?$top=5", tenant.uri())).send().await?;
/// let lists = tenant.requests().to("/users").method("GET");
/// lists.assert_count(1);
/// assert_eq!(lists.iter().next().and_then(|request| request.query_parameter("$top")).as_deref(), Some("5"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Requests {
    records: Vec<RequestRecord>,
    counts: Vec<(String, String, u64)>,
    uncounted: u64,
}

impl Requests {
    pub(crate) fn new(journal: &Journal) -> Self {
        Self {
            records: journal.records().cloned().collect(),
            counts: journal
                .counts()
                .map(|(method, path, count)| (method.to_owned(), path.to_owned(), count))
                .collect(),
            uncounted: journal.uncounted(),
        }
    }

    /// Keeps requests whose path (without the query) ends with this text.
    #[must_use]
    pub fn to(self, path: &str) -> Self {
        self.keep(|_, sent| sent.ends_with(path))
    }

    /// Keeps requests whose path (without the query) contains this text.
    #[must_use]
    pub fn within(self, path: &str) -> Self {
        self.keep(|_, sent| sent.contains(path))
    }

    /// Keeps requests with this method.
    #[must_use]
    pub fn method(self, method: &str) -> Self {
        self.keep(|sent, _| sent.eq_ignore_ascii_case(method))
    }

    /// The number of requests, including those that the journal no longer has one by one.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|(_, _, count)| count).sum()
    }

    /// Asserts the number of requests.
    ///
    /// # Panics
    /// If the number differs; the message lists the requests.
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a wrong number of requests must fail the test at its line"
    )]
    pub fn assert_count(&self, expected: u64) {
        let count = self.count();
        if count == expected && self.uncounted == 0 {
            return;
        }
        let list: String = self
            .records
            .iter()
            .take(LISTED)
            .map(|record| format!("\n  {} {} -> {}", record.method, record.path, record.status))
            .collect();
        let unknown = match self.uncounted {
            0 => String::new(),
            number => format!(" (and {number} to paths that were not counted)"),
        };
        panic!("expected {expected} matching requests, there were {count}{unknown}{list}");
    }

    /// Returns the least permissions for the requests to Graph among these, by the tables of the fake tenant.
    ///
    /// The requests of a batch count too, as long as the journal has the batch.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// # let http = reqwest::Client::builder().tls_certs_only([]).build()?;
    /// # http.get(format!("{}/v1.0/devices", tenant.uri())).send().await?;
    /// let needed = tenant.requests().needed_permissions();
    /// assert_eq!(needed.application().collect::<Vec<_>>(), ["Device.Read.All"]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn needed_permissions(&self) -> NeededPermissions {
        let counted = self
            .counts
            .iter()
            .map(|(method, path, _)| (method.as_str(), path.as_str()));
        let parts = self.records.iter().flat_map(|record| &record.facts.parts);
        let parts = parts.map(|part| (part.method.as_str(), part.path.as_str()));
        NeededPermissions::of_requests(counted.filter(|(_, path)| is_graph(path)).chain(parts))
    }

    /// The newest requests, oldest first.
    pub fn iter(&self) -> slice::Iter<'_, RequestRecord> {
        self.records.iter()
    }

    fn keep(mut self, wanted: impl Fn(&str, &str) -> bool) -> Self {
        self.records
            .retain(|record| wanted(&record.method, &record.path));
        self.counts.retain(|(method, path, _)| wanted(method, path));
        self
    }
}

impl<'a> IntoIterator for &'a Requests {
    type Item = &'a RequestRecord;
    type IntoIter = slice::Iter<'a, RequestRecord>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Maximum number of requests that a failed assertion lists.
const LISTED: usize = 20;
