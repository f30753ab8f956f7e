use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_core::{ClientId, Clock, SecureRandom, TenantId, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{entra_session::EntraSession, session_id::SessionId};
use crate::{
    sign_in::{Identity, ReturnPath, SignInClient, SignInResult},
    store::{Budget, GuardedStore, Seal, StoreError, StoreErrorKind, StoreKey, hashed},
    user::Account,
};

/// The session of a signed-in user. It contains no token.
#[derive(Clone)]
pub struct Session {
    record: SessionRecord,
    state: SessionState,
}

/// The part of a session that never changes. Writing it again could restore a session that has ended.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct SessionRecord {
    pub(super) account: Account,
    pub(super) connection: String,
    pub(super) origin: ConnectionIdentity,
    /// The session at Entra, as a digest of issuer and `sid`.
    entra_session: Option<String>,
    /// The return path of its sign-in.
    pub(super) return_path: ReturnPath,
    since: i64,
    until: i64,
}

/// The part that is written again while the record exists.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct SessionState {
    pub(super) identity: Identity,
    pub(super) user: Value,
    /// When the user last sent a request, within a minute.
    last_seen: i64,
    /// When the user's access was last confirmed.
    checked: i64,
    /// When the last check was attempted.
    attempted: i64,
}

/// The connection of a session: its name may belong to another tenant or application later.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ConnectionIdentity {
    authority: String,
    tenant: TenantId,
    client: ClientId,
}

impl ConnectionIdentity {
    pub(super) fn of(client: &SignInClient) -> Self {
        Self {
            authority: client.authority(),
            tenant: client.tenant().clone(),
            client: client.client_id(),
        }
    }

    /// The same text for the same connection.
    pub(super) fn to_text(&self) -> String {
        serde_json::json!([self.authority, self.tenant, self.client]).to_string()
    }

    pub(super) fn has_authority_of(&self, client: &SignInClient) -> bool {
        self.authority == client.authority()
    }
}

impl Session {
    /// The identity, as validated at the sign-in or the last re-check.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.state.identity
    }

    /// The account, which is the key of the user's tokens.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.record.account
    }

    /// The name of the connection that the user signed in with.
    #[must_use]
    pub fn connection(&self) -> &str {
        &self.record.connection
    }

    /// When the session began.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        Timestamp::from_unix_timestamp(self.record.since).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// When it expires at the latest.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        Timestamp::from_unix_timestamp(self.record.until).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// What the application's check returned for the user. `None` if it is of another type.
    #[must_use]
    pub fn user<P: DeserializeOwned>(&self) -> Option<P> {
        P::deserialize(&self.state.user).ok()
    }

    /// With what an earlier version did not store, as known from the session's connection.
    pub(super) fn completed_by(mut self, client: &SignInClient) -> Self {
        self.state.identity = client.completed(self.state.identity);
        self
    }

    pub(super) const fn record(&self) -> &SessionRecord {
        &self.record
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("identity", &self.state.identity)
            .field("connection", &self.record.connection)
            .finish_non_exhaustive()
    }
}

/// The sessions of a site.
///
/// A session has three entries: the record and the state in the partition of its user, so that all
/// sessions of a user can be ended in one step, and a mark in the partition of the session at Entra,
/// so that a front-channel sign-out can end those. It is valid while all of them exist. Other entries say
/// whose tokens a sign-out removes, and stay until it did: for one at Entra in a partition of their own.
#[derive(Debug)]
pub(super) struct Sessions {
    /// The id of the site: other sites may share the store and the keys.
    pub(super) site: String,
    /// Each function here without a budget is one look-up, with one time limit over all of its operations.
    pub(super) store: GuardedStore,
    pub(super) seal: Seal,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn SecureRandom>,
    pub(super) limits: Limits,
    /// The sessions whose users are being checked in this process.
    pub(super) checking: Mutex<HashSet<String>>,
}

/// The limits of a session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// From the sign-in on.
    pub(super) lifetime: Duration,
    /// Without a request.
    pub(super) idle: Duration,
    /// Between two checks of the user's access.
    pub(super) recheck: Duration,
}

/// The state of a user's access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// It was confirmed within the interval.
    Confirmed,
    /// A check is due.
    Due,
    /// The last check failed less than a minute ago.
    Postponed,
    /// Checks have failed for too long.
    Unknown,
}

impl Sessions {
    /// A new session under a new id.
    pub(super) async fn begin(
        &self,
        signed_in: &SignInResult,
        connection: &SignInClient,
        user: Value,
        return_path: &ReturnPath,
    ) -> Result<SessionId, StoreError> {
        let identity = signed_in.identity().clone();
        let id = SessionId::new(
            hashed(&identity.key()),
            self.random()?,
            connection.name().to_owned(),
        );
        let sid = identity.sid.as_deref();
        let entra_session = sid.map(|sid| EntraSession::new(&identity.issuer, sid));
        let now = self.now();
        let record = SessionRecord {
            account: signed_in.account().clone(),
            connection: connection.name().to_owned(),
            origin: ConnectionIdentity::of(connection),
            entra_session: entra_session.as_ref().map(EntraSession::digest),
            return_path: return_path.clone(),
            since: now,
            until: now.saturating_add(seconds(self.limits.lifetime)),
        };
        let state = SessionState {
            identity,
            user,
            last_seen: now,
            checked: now,
            attempted: now,
        };
        let budget = &mut self.store.budget();
        let lifetime = self.limits.lifetime;
        self.write_owner(&id, &record, entra_session.as_ref(), budget)
            .await?;
        if let Some(digest) = &record.entra_session {
            let key = self.mark_key(digest, &id);
            self.write(&key, &(), lifetime, budget).await?;
        }
        self.write_state(&id, &record, &state, budget).await?;
        self.write(&id.key(&self.site), &record, lifetime, budget)
            .await?;
        Ok(id)
    }

    /// The session with this id, if it has not expired.
    pub(super) async fn find(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let budget = &mut self.store.budget();
        let record: Option<SessionRecord> = self.read(&id.key(&self.site), budget).await?;
        let Some(record) = record else {
            return Ok(None);
        };
        let now = self.now();
        // A session from a clock that was ahead would last too long.
        if now >= record.until || record.since > now.saturating_add(CLOCK_SKEW) {
            return Ok(None);
        }
        if let Some(digest) = &record.entra_session
            && self
                .read::<()>(&self.mark_key(digest, id), budget)
                .await?
                .is_none()
        {
            return Ok(None);
        }
        let state: Option<SessionState> = self.read(&id.state_key(&self.site), budget).await?;
        let state = state.map(|state| self.without_future_checks(state, &record, now));
        let idle = seconds(self.limits.idle);
        let state = state.filter(|state| now.saturating_sub(state.last_seen) < idle);
        Ok(state.map(|state| Session { record, state }))
    }

    /// The record of a session, also if the session is idle for too long. It is an error if there is one that
    /// cannot be read here.
    pub(super) async fn record(&self, id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        let budget = &mut self.store.budget();
        self.read_strictly(&self.seal, &id.key(&self.site), budget)
            .await
    }

    /// The identity and user of a session that may have expired.
    pub(super) async fn with_state(
        &self,
        id: &SessionId,
        record: &SessionRecord,
    ) -> Result<Option<Session>, StoreError> {
        let budget = &mut self.store.budget();
        let state = self.read(&id.state_key(&self.site), budget).await?;
        Ok(state.map(|state| Session {
            record: record.clone(),
            state,
        }))
    }

    /// Stores from time to time that the user has sent a request.
    pub(super) async fn touch(&self, id: &SessionId, session: &Session) {
        let now = self.now();
        let interval = seconds(self.limits.idle) / 10;
        // A time in the future, from a clock that was ahead, is replaced.
        let is_recent =
            now.abs_diff(session.state.last_seen) < interval.clamp(1, 60).unsigned_abs();
        if is_recent {
            return;
        }
        let mut state = session.state.clone();
        state.last_seen = now;
        self.try_write_state(id, &session.record, &state).await;
    }

    /// Whether the user's access has to be checked again.
    pub(super) fn access(&self, session: &Session) -> Access {
        let now = self.now();
        let state = &session.state;
        let interval = seconds(self.limits.recheck);
        if now.saturating_sub(state.checked) < interval {
            return Access::Confirmed;
        }
        if now.abs_diff(state.attempted) >= RECHECK_PAUSE.unsigned_abs()
            || state.attempted <= state.checked
        {
            return Access::Due;
        }
        self.postponed(session)
    }

    /// The access while it cannot be checked: postponed for a limited time, then unknown.
    pub(super) fn postponed(&self, session: &Session) -> Access {
        let age = self.now().saturating_sub(session.state.checked);
        match age < seconds(self.limits.recheck).saturating_add(GRACE_PERIOD) {
            true => Access::Postponed,
            false => Access::Unknown,
        }
    }

    /// The right to check this session's user, which one request at a time has.
    pub(super) fn begin_check(&self, id: &SessionId) -> Option<Check<'_>> {
        let name = id.to_text();
        let is_first = self.checking().insert(name.clone());
        // Dropping a second `Check` would end the first one's.
        is_first.then(|| Check {
            sessions: self,
            name,
        })
    }

    /// Stores that the user's access was confirmed, with the current identity.
    pub(super) async fn confirm(
        &self,
        id: &SessionId,
        session: Session,
        identity: Identity,
        user: Value,
    ) -> Session {
        let now = self.now();
        let state = SessionState {
            identity,
            user,
            last_seen: now,
            checked: now,
            attempted: now,
        };
        self.try_write_state(id, &session.record, &state).await;
        Session { state, ..session }
    }

    /// Stores that the check failed.
    pub(super) async fn postpone(&self, id: &SessionId, session: &Session) {
        let now = self.now();
        let mut state = session.state.clone();
        (state.last_seen, state.attempted) = (now, now);
        self.try_write_state(id, &session.record, &state).await;
    }

    pub(super) async fn end(&self, id: &SessionId) -> Result<(), StoreError> {
        let budget = &mut self.store.budget();
        let ended = self.remove_session(id, budget).await;
        let owner = self.remove(&id.owner_key(&self.site), budget).await;
        ended.and(owner)
    }

    pub(super) async fn remove_session(
        &self,
        id: &SessionId,
        budget: &mut Budget,
    ) -> Result<(), StoreError> {
        let ended = self.remove(&id.key(&self.site), budget).await;
        let state = self.remove(&id.state_key(&self.site), budget).await;
        ended.and(state)
    }

    /// Ends a session, but keeps its record, by which the tokens of its user are found later.
    pub(super) async fn end_without_record(&self, id: &SessionId) -> Result<(), StoreError> {
        let budget = &mut self.store.budget();
        self.remove(&id.state_key(&self.site), budget).await
    }

    /// Ends all sessions of a user.
    pub(super) async fn end_all_of_user(&self, user: &str) -> Result<(), StoreError> {
        let any = SessionId::new(hashed(user), String::new(), String::new());
        self.remove_partition_of(&any.key(&self.site)).await
    }

    /// Ends the sessions that come from a session at Entra. Whose tokens are to be removed stays in the store.
    pub(super) async fn end_entra_session(&self, session: &EntraSession) -> Result<(), StoreError> {
        let partition = self.entra_session_partition(&session.digest());
        self.remove_partition_of(&StoreKey::new(&partition, ""))
            .await
    }

    async fn remove_partition_of(&self, key: &StoreKey) -> Result<(), StoreError> {
        let budget = &mut self.store.budget();
        let remove = self.store.store().remove_partition(key.partition());
        self.store.run(budget, remove).await
    }

    pub(super) async fn remove(
        &self,
        key: &StoreKey,
        budget: &mut Budget,
    ) -> Result<(), StoreError> {
        let remove = self.store.store().remove(key);
        self.store.run(budget, remove).await
    }

    /// The state without the times of checks that a clock which was ahead has written: the last check
    /// that counts is the sign-in, and the next one is due.
    fn without_future_checks(
        &self,
        mut state: SessionState,
        record: &SessionRecord,
        now: i64,
    ) -> SessionState {
        let latest = now.saturating_add(CLOCK_SKEW);
        let due = now.saturating_sub(seconds(self.limits.recheck));
        for time in [&mut state.checked, &mut state.attempted] {
            if *time > latest {
                *time = record.since.min(due);
            }
        }
        state
    }

    async fn write_state(
        &self,
        id: &SessionId,
        record: &SessionRecord,
        state: &SessionState,
        budget: &mut Budget,
    ) -> Result<(), StoreError> {
        let remaining = u64::try_from(record.until.saturating_sub(self.now())).unwrap_or(0);
        let lifetime = self.limits.idle.min(Duration::from_secs(remaining));
        self.write(&id.state_key(&self.site), state, lifetime, budget)
            .await
    }

    /// If it fails, the session expires or is checked earlier.
    async fn try_write_state(&self, id: &SessionId, record: &SessionRecord, state: &SessionState) {
        let budget = &mut self.store.budget();
        if let Err(error) = self.write_state(id, record, state, budget).await {
            tracing::warn!(%error, "the last use of a session could not be stored");
        }
    }

    async fn write(
        &self,
        key: &StoreKey,
        value: &impl Serialize,
        lifetime: Duration,
        budget: &mut Budget,
    ) -> Result<(), StoreError> {
        self.write_sealed((&self.seal, key), value, lifetime, budget)
            .await
    }

    pub(super) async fn write_sealed(
        &self,
        (seal, key): (&Seal, &StoreKey),
        value: &impl Serialize,
        lifetime: Duration,
        budget: &mut Budget,
    ) -> Result<(), StoreError> {
        let entry = serde_json::to_vec(value)
            .map_err(|_| StoreError::configuration("a session cannot be serialized"))?;
        let entry = seal.close(key, Zeroizing::new(entry))?;
        let save = self.store.store().save(key, &entry, lifetime);
        self.store.run(budget, save).await
    }

    /// The entry, if it can be read here. One of another key or version is left in the store because other
    /// replicas may be able to read it. Here its user signs in again.
    async fn read<T: DeserializeOwned>(
        &self,
        key: &StoreKey,
        budget: &mut Budget,
    ) -> Result<Option<T>, StoreError> {
        Ok(match self.entry(&self.seal, key, budget).await? {
            Entry::Found(value) => Some(value),
            Entry::Absent | Entry::Damaged(_) => None,
            Entry::Unreadable(error) => {
                tracing::warn!(%error, "a session cannot be read here");
                None
            }
        })
    }

    /// The same, with an error for an entry of another key or version and for a damaged one.
    pub(super) async fn read_strictly<T: DeserializeOwned>(
        &self,
        seal: &Seal,
        key: &StoreKey,
        budget: &mut Budget,
    ) -> Result<Option<T>, StoreError> {
        match self.entry(seal, key, budget).await? {
            Entry::Found(value) => Ok(Some(value)),
            Entry::Absent => Ok(None),
            Entry::Unreadable(error) | Entry::Damaged(error) => Err(error),
        }
    }

    async fn entry<T: DeserializeOwned>(
        &self,
        seal: &Seal,
        key: &StoreKey,
        budget: &mut Budget,
    ) -> Result<Entry<T>, StoreError> {
        let load = self.store.store().load(key);
        let Some(entry) = self.store.run(budget, load).await?.map(Zeroizing::new) else {
            return Ok(Entry::Absent);
        };
        match seal.open(key, &entry) {
            Ok(entry) => Ok(serde_json::from_slice(&entry).map_or_else(
                |_| {
                    Entry::Unreadable(StoreError::new(
                        StoreErrorKind::Unreadable,
                        "a session was stored by another version",
                    ))
                },
                Entry::Found,
            )),
            Err(error) if error.kind() == StoreErrorKind::Damaged => {
                tracing::warn!(%error, "a session is damaged and is quarantined");
                let quarantine = self.store.store().quarantine(key, &entry);
                self.store.run(budget, quarantine).await?;
                Ok(Entry::Damaged(error))
            }
            Err(error) => Ok(Entry::Unreadable(error)),
        }
    }

    /// The reference of a page, which is in the log entry of its error.
    pub(super) fn reference(&self) -> String {
        let mut reference = self.random().unwrap_or_default();
        reference.truncate(REFERENCE_CHARS);
        reference
    }

    /// 32 random bytes as 43 characters.
    fn random(&self) -> Result<String, StoreError> {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes).map_err(|source| {
            StoreError::configuration("the id of a session could not be generated")
                .with_source(source)
        })?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The entry that exists until the session at Entra ends.
    fn mark_key(&self, digest: &str, id: &SessionId) -> StoreKey {
        StoreKey::new(&self.entra_session_partition(digest), &id.to_text())
    }

    pub(super) fn entra_session_partition(&self, digest: &str) -> String {
        format!(
            "web sessions at {} of the session at Entra {digest}",
            self.site
        )
    }

    fn now(&self) -> i64 {
        self.clock.now().unix_timestamp()
    }

    fn checking(&self) -> MutexGuard<'_, HashSet<String>> {
        self.checking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An entry of the store.
enum Entry<T> {
    Found(T),
    Absent,
    /// It is of another key or version.
    Unreadable(StoreError),
    /// It was damaged and is quarantined.
    Damaged(StoreError),
}

/// A check in progress; it ends when this is dropped.
pub(super) struct Check<'a> {
    sessions: &'a Sessions,
    name: String,
}

impl Drop for Check<'_> {
    fn drop(&mut self) {
        self.sessions.checking().remove(&self.name);
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// Short enough to be read out on the telephone.
const REFERENCE_CHARS: usize = 8;
/// By how much the clocks of replicas may differ, in seconds.
const CLOCK_SKEW: i64 = 300;
/// The pause after a failed check, in seconds.
const RECHECK_PAUSE: i64 = 60;
/// How long a session stays valid beyond the interval while checks fail, in seconds.
const GRACE_PERIOD: i64 = 3600;
