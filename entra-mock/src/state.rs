//! The whole state of one tenant, and its licence.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use entra_core::{Guid, Timestamp};

use crate::{
    grants::{GrantStore, Policy},
    keys::KeyRing,
    notifications::Notifications,
    oddities::DeltaOddities,
    permissions::{KnownRoles, VerifiedTokens},
    quota::Quotas,
    random::Random,
    store::{Kind, Object, RenderedObjects, Store},
    time::{TICKS, push_two_digits, push_year, ticks},
};

/// The directory licence of a tenant, which decides how much of its logs can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum License {
    /// No premium licence: sign-ins cannot be read, audits are kept for 7 days.
    Free,
    /// Entra ID P1.
    P1,
    /// Entra ID P2.
    #[default]
    P2,
}

/// How the v2.0 endpoints treat the parameter `resource` (RFC 8707), which clients of MCP servers send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResourceRule {
    /// It must be an Application ID URI of the application whose scopes are requested, character by
    /// character: otherwise `invalid_target`, AADSTS9010010. Documented since 2026.
    #[default]
    ApplicationIdUri,
    /// It is rejected with AADSTS901002, as before 2026.
    Rejected,
    /// It is ignored.
    Ignored,
}

/// One tenant. The frontends share it behind a lock; the caller passes the time.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) tenant_id: Guid,
    pub(crate) tenant_name: String,
    /// Verified domains in lower case, the default one first. They follow from the objects in the store.
    pub(crate) domains: Vec<String>,
    /// Domains whose DNS zone has no verification record.
    pub(crate) unpublished_records: BTreeSet<String>,
    pub(crate) license: License,
    /// Applications with every permission, so that any client works; findings say nothing of their permissions.
    pub(crate) fixture_apps: BTreeSet<String>,
    pub(crate) store: Store,
    pub(crate) random: Random,
    pub(crate) grants: GrantStore,
    pub(crate) keys: KeyRing,
    /// Conditional access policies.
    pub(crate) policies: Vec<Policy>,
    /// By policy id, what the report-only ones would enforce. It follows from the objects in the store.
    pub(crate) report_only: HashMap<String, Vec<Policy>>,
    /// Throttling. Reads count too, so it has a lock of its own.
    pub(crate) quotas: Arc<Mutex<Quotas>>,
    /// The JSON of objects that lists have shown. Reads add to it, and copies of the tenant share it.
    pub(crate) rendered: Arc<RenderedObjects>,
    /// Access tokens that were verified. Reads add to them, so they have a lock of their own.
    pub(crate) verified_tokens: Arc<VerifiedTokens>,
    /// The application permissions of clients. Token requests add to them.
    pub(crate) known_roles: Arc<KnownRoles>,
    /// The region of the tenant, as discovery names it: scope and sub-scope.
    pub(crate) region: (String, Option<String>),
    pub(crate) resource_rule: ResourceRule,
    /// Whether a cast of a relationship needs no advanced query.
    pub(crate) plain_casts: bool,
    /// How old the version of the directory may be that a request is served from.
    #[cfg(feature = "server")]
    pub(crate) replication_delay: Duration,
    /// Lifetime of an access token.
    pub(crate) token_lifetime: Duration,
    /// The published keys of other issuers, whose tokens can be federated credentials.
    pub(crate) issuers: HashMap<String, Vec<serde_json::Value>>,
    /// Switches of delta queries.
    pub(crate) delta_oddities: DeltaOddities,
    /// How often all links of delta queries were forgotten, or the tenant was brought back to an earlier version.
    pub(crate) delta_epoch: u64,
    /// The epochs that began with an earlier version of the tenant, in their order: the epoch, that of the earlier
    /// version, and the number up to which both have the same log of changes, exclusive.
    delta_origins: Vec<(u64, u64, u64)>,
    /// The managed identities of the host: client id, principal id and resource id of each.
    pub(crate) identities: Vec<[String; 3]>,
    /// The `X-IDENTITY-HEADER` that a process must send for their tokens.
    pub(crate) identity_header: String,
    /// Change notifications.
    pub(crate) notifications: Notifications,
}

impl State {
    pub(crate) fn new(
        tenant_name: &str,
        domains: &[&str],
        license: License,
        random_seed: u64,
    ) -> Self {
        let random = Random::new(random_seed);
        let mut state = Self {
            tenant_id: random.guid(),
            tenant_name: tenant_name.to_owned(),
            domains: Vec::new(),
            unpublished_records: BTreeSet::new(),
            license,
            fixture_apps: BTreeSet::new(),
            store: Store::new(),
            random,
            grants: GrantStore::default(),
            keys: KeyRing::default(),
            policies: Vec::new(),
            report_only: HashMap::new(),
            quotas: Arc::default(),
            rendered: Arc::default(),
            verified_tokens: Arc::default(),
            known_roles: Arc::default(),
            region: ("EU".to_owned(), None),
            resource_rule: ResourceRule::default(),
            plain_casts: false,
            #[cfg(feature = "server")]
            replication_delay: Duration::ZERO,
            token_lifetime: TOKEN_LIFETIME,
            issuers: HashMap::new(),
            delta_oddities: DeltaOddities::none(),
            delta_epoch: 0,
            delta_origins: Vec::new(),
            identities: Vec::new(),
            identity_header: String::new(),
            notifications: Notifications::default(),
        };
        state.add_domains(domains);
        state.add_built_in_roles();
        state.add_default_policies();
        state.add_gallery();
        state
    }

    /// Returns a copy that shares no quotas with this one: callers of the copy have used nothing.
    #[cfg(feature = "server")]
    pub(crate) fn detached(&self) -> Self {
        let mut copy = self.clone();
        copy.quotas = Arc::default();
        copy.enforce_quotas(self.enforces_quotas());
        copy
    }

    /// Whether callers are throttled.
    #[cfg(feature = "server")]
    pub(crate) fn enforces_quotas(&self) -> bool {
        self.quotas
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .enforced
    }

    /// Switches throttling on or off.
    pub(crate) fn enforce_quotas(&mut self, enforce: bool) {
        let quotas = self.quotas.lock();
        quotas.unwrap_or_else(PoisonError::into_inner).enforced = enforce;
    }

    /// The domain of new users.
    pub(crate) fn default_domain(&self) -> &str {
        self.domains.first().map_or("contoso.com", String::as_str)
    }

    /// Whether the tenant segment of a URL is this tenant.
    pub(crate) fn is_named(&self, tenant: &str) -> bool {
        tenant.parse() == Ok(self.tenant_id)
            || self
                .domains
                .iter()
                .any(|domain| domain.eq_ignore_ascii_case(tenant))
    }

    /// Makes all links of delta queries invalid.
    #[cfg(any(feature = "server", feature = "wiremock"))]
    pub(crate) fn forget_delta_links(&mut self) {
        // This epoch has no origin. Snapshots need those of the others.
        self.delta_epoch += 1;
    }

    /// Makes the links of delta queries invalid that know of later changes than this earlier version of a tenant, which
    /// takes the place of the replaced one.
    #[cfg(feature = "server")]
    pub(crate) fn replace_delta_epoch(&mut self, replaced: &Self) {
        let earlier = self.delta_epoch;
        self.delta_epoch = earlier.max(replaced.delta_epoch) + 1;
        // Links can be of epochs that began after the earlier version.
        self.delta_origins.clone_from(&replaced.delta_origins);
        let origin = (self.delta_epoch, earlier, self.store.changes.next());
        self.delta_origins.push(origin);
    }

    /// Whether a link of delta queries is of this version of the tenant: it has an epoch and knows the changes up to a
    /// number, exclusive.
    pub(crate) fn has_delta_link(&self, epoch: u64, until: u64) -> bool {
        self.earliest_epoch(epoch, until) == self.earliest_epoch(self.delta_epoch, until)
    }

    /// The epoch in which the changes of this epoch up to a number, exclusive, were made.
    fn earliest_epoch(&self, epoch: u64, until: u64) -> u64 {
        let origins = &self.delta_origins;
        let origin_of = |epoch: u64| {
            let at = origins.binary_search_by_key(&epoch, |origin| origin.0);
            origins.get(at.ok()?)
        };
        let mut found = epoch;
        // An origin is always an earlier epoch, so this ends.
        while let Some((_, earlier, end)) = origin_of(found)
            && until <= *end
        {
            found = *earlier;
        }
        found
    }

    pub(crate) fn new_id(&self) -> String {
        self.random.guid().to_string()
    }

    /// Stores the sign-in of a token request. Records older than the retention of every licence are
    /// removed, and beyond the capacity of the log the oldest, so that a server that runs for months
    /// stays bounded.
    pub(crate) fn write_sign_in(&mut self, record: Object) {
        self.write_log(Kind::SignIn, record);
    }

    /// Stores the audit of a request, within the same bounds.
    pub(crate) fn write_audit(&mut self, record: Object) {
        self.write_log(Kind::DirectoryAudit, record);
    }

    fn write_log(&mut self, kind: Kind, record: Object) {
        let time = kind.log_time().and_then(|name| record.text(name));
        let now = time.and_then(ticks).unwrap_or_default();
        let oldest = now.saturating_sub(RETENTION);
        self.store.write_log(kind, record, oldest);
    }
}

#[cfg(feature = "server")]
impl State {
    /// Takes every record of the two logs for one that a request wrote, after their restore from a file.
    pub(crate) fn relearn_written(&mut self) {
        for kind in [Kind::SignIn, Kind::DirectoryAudit] {
            self.store.relearn_written_logs(kind);
        }
    }
}

/// Formats `2026-01-02T03:04:05Z`, the form of every time in Graph.
pub(crate) fn iso(time: Timestamp) -> String {
    written(time, 'T')
}

/// Formats `2026-01-02 03:04:05Z`, the form of the sign-in service.
pub(crate) fn iso_with_space(time: Timestamp) -> String {
    written(time, ' ')
}

fn written(time: Timestamp, separator: char) -> String {
    let time = time.to_offset(entra_core::time::UtcOffset::UTC);
    let (year, month) = (time.year(), u8::from(time.month()));
    let mut text = String::with_capacity("2026-01-02T03:04:05Z".len());
    push_year(&mut text, year);
    for (before, number) in [
        ('-', month),
        ('-', time.day()),
        (separator, time.hour()),
        (':', time.minute()),
        (':', time.second()),
    ] {
        text.push(before);
        push_two_digits(&mut text, number);
    }
    text.push('Z');
    text
}

/// As observed for client credentials.
const TOKEN_LIFETIME: Duration = Duration::from_secs(3599);
/// Thirty days in ticks: no licence shows older records.
const RETENTION: i64 = 30 * 24 * 3600 * TICKS;

#[cfg(test)]
mod tests {
    use super::*;

    fn write(state: &mut State, id: &str, time: &str) {
        let mut record = Object::new();
        record.insert("id".into(), id.into());
        record.insert("createdDateTime".into(), time.into());
        state.write_sign_in(record);
    }

    #[test]
    fn sign_ins_of_token_requests_are_bounded_by_number() {
        let mut state = State::new("Contoso", &["contoso.com"], License::P2, 1);
        state.store.set_log_capacity(1_000);
        for number in 0..1_010 {
            write(&mut state, &format!("id-{number}"), "2026-01-02T03:04:05Z");
        }
        assert_eq!(state.store.len(Kind::SignIn), 1_000);
        assert!(state.store.get(Kind::SignIn, "id-9").is_none());
        assert!(state.store.get(Kind::SignIn, "id-10").is_some());
    }

    #[test]
    fn sign_ins_older_than_every_retention_are_removed() {
        let mut state = State::new("Contoso", &["contoso.com"], License::P2, 1);
        write(&mut state, "old", "2026-01-01T00:00:00Z");
        write(&mut state, "month", "2026-01-03T00:00:00Z");
        write(&mut state, "new", "2026-02-02T00:00:00Z");
        assert!(state.store.get(Kind::SignIn, "old").is_none());
        assert!(state.store.get(Kind::SignIn, "month").is_some());
    }

    #[test]
    fn times_are_printed_in_utc_whatever_their_offset() {
        let time = Timestamp::UNIX_EPOCH
            .to_offset(entra_core::time::UtcOffset::from_hms(2, 0, 0).unwrap());
        assert_eq!(iso(time), "1970-01-01T00:00:00Z");
        assert_eq!(iso_with_space(time), "1970-01-01 00:00:00Z");
    }
}
