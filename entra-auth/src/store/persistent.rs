use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::RwLock, time::Instant};
use tracing::{debug, warn};
use zeroize::Zeroizing;

use super::{
    EncryptedStore, EntryId, Record, SignOutMark, StoreError, StoreErrorKind, StoreKey, StoreLock,
    StorePartition,
    guard::{Budget, GuardedStore},
    seal::Seal,
};
use crate::blocking;

/// The second level of a cache. A trait, so that only programs that set a store contain its code.
#[async_trait]
pub(crate) trait SecondLevel: fmt::Debug + Send + Sync {
    /// The time that one look-up may spend on the store over all its operations.
    fn budget(&self) -> Budget;

    fn failures(&self) -> u64;

    fn last_failure(&self) -> Option<StoreError>;

    /// Returns a usable token, or the lock to request one. While another process holds the lock, this
    /// waits for the token that it writes.
    async fn find(
        &self,
        entry_id: &EntryId,
        budget: &mut Budget,
        will_do: &WillDo<'_>,
    ) -> FindResult;

    /// Locks an entry among all replicas. Waits for another holder at most as long as a lease lasts, so
    /// that a killed process does not block the others. `None` if the store does not grant the lock.
    async fn lock_entry(
        &self,
        entry_id: &EntryId,
        lease: Duration,
        budget: &mut Budget,
    ) -> Option<StoreLock>;

    /// The gate that separates writes to a partition from its removal.
    fn gate(&self, partition: &str) -> &RwLock<()>;

    /// As [`save`](Self::save), if it is still wanted.
    async fn save_if(
        &self,
        entry_id: &EntryId,
        record: &Record,
        budget: &mut Budget,
        wanted: &(dyn Fn() -> bool + Send + Sync),
    ) -> SaveResult;

    /// Writes a token and returns whether that succeeded. A failure is counted; the token stays valid.
    async fn save(&self, entry_id: &EntryId, record: &Record, budget: &mut Budget) -> bool;

    async fn remove(&self, entry_id: &EntryId, budget: &mut Budget);

    /// Removes a partition. For a user's sign-out this writes the mark of it as well, and returns its id.
    async fn remove_partition(
        &self,
        partition: &str,
        is_sign_out: bool,
    ) -> (Option<String>, Result<(), StoreError>);

    /// The mark of the last sign-out of a partition's user, if there is one.
    async fn last_sign_out(
        &self,
        partition: &str,
        budget: &mut Budget,
    ) -> Result<Option<SignOutMark>, StoreError>;

    /// Whether an entry is under a key of other replicas, who still need it. Reads it only if this
    /// cache has met such a key.
    async fn is_under_unknown_key(&self, entry_id: &EntryId, budget: &mut Budget) -> bool;

    async fn load(&self, entry_id: &EntryId, budget: &mut Budget) -> LoadResult;
}

/// Whether a token of the store is good enough.
pub(crate) type WillDo<'a> = dyn Fn(&Record) -> bool + Send + Sync + 'a;

/// Makes the second level of a cache.
pub(crate) type Connect = fn(Arc<dyn EncryptedStore>, Duration, Arc<Seal>) -> Box<dyn SecondLevel>;

/// The second level over a store whose operations take at most this long in one look-up.
#[inline]
pub(crate) fn connect(
    store: Arc<dyn EncryptedStore>,
    limit: Duration,
    seal: Arc<Seal>,
) -> Box<dyn SecondLevel> {
    Box::new(PersistentCache {
        store: GuardedStore::new(store, limit),
        seal,
        gates: Default::default(),
        has_met_unknown_key: AtomicBool::new(false),
        failures: AtomicU64::new(0),
        last: Mutex::default(),
    })
}

/// A store, the encryption keys of its entries, and its last error.
struct PersistentCache {
    store: GuardedStore,
    seal: Arc<Seal>,
    /// Writers share a gate; a removal takes it exclusively. One gate serves many partitions.
    gates: [RwLock<()>; GATES],
    has_met_unknown_key: AtomicBool,
    failures: AtomicU64,
    last: Mutex<Option<StoreError>>,
}

/// The mark of a sign-out, as it is written.
struct NewMark {
    id: String,
    key: StoreKey,
    entry: Zeroizing<Vec<u8>>,
    keep_for: Duration,
}

/// The result of a search in the store.
#[derive(Debug)]
pub(crate) enum FindResult {
    /// A usable token.
    Token(Record),
    /// No token. The holder of the lock requests one; without a lock others may do so too.
    Lock(Option<StoreLock>),
}

/// What came of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SaveResult {
    Saved,
    /// Nothing was written: the partition was removed meanwhile, or the token was replaced.
    Unwanted,
    /// The store failed.
    Failed,
}

/// Whether the store has an entry.
#[derive(Debug)]
pub(crate) enum LoadResult {
    Found(Record),
    /// The store has no entry.
    Absent,
    /// The entry was written by another program or version.
    Foreign,
    /// The entry is encrypted with a key that only other replicas have. It is not changed.
    UnknownKey,
    /// The entry was damaged and has been quarantined.
    Damaged,
    /// The store failed.
    Unknown,
}

#[async_trait]
impl SecondLevel for PersistentCache {
    #[inline]
    fn budget(&self) -> Budget {
        self.store.budget()
    }

    #[inline]
    fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    #[inline]
    fn last_failure(&self) -> Option<StoreError> {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    #[inline]
    async fn find(
        &self,
        entry_id: &EntryId,
        budget: &mut Budget,
        will_do: &WillDo<'_>,
    ) -> FindResult {
        let key = entry_id.store_key();
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            if let Some(record) = self
                .load_record(entry_id, &key, budget)
                .await
                .filter(|record| will_do(record))
            {
                debug!("token from the store");
                return FindResult::Token(record);
            }
            let lock = self.inner().try_lock(&key, LEASE);
            match self.store.run(budget, lock).await {
                Ok(Some(lock)) => {
                    // Its last holder may have written after the look above.
                    return match self
                        .load_record(entry_id, &key, budget)
                        .await
                        .filter(|record| will_do(record))
                    {
                        Some(record) => FindResult::Token(record),
                        None => FindResult::Lock(Some(lock)),
                    };
                }
                Ok(None) if started.elapsed() < LEASE => {
                    // The store responds; how long the other process may take is the lease.
                    budget.restore(&self.store);
                    blocking::sleep(pause).await;
                }
                Ok(None) => {
                    warn!("another process holds the lock of a token for long; asking as well");
                    return FindResult::Lock(None);
                }
                Err(error) => {
                    self.failed("locked", error);
                    return FindResult::Lock(None);
                }
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    #[inline]
    async fn lock_entry(
        &self,
        entry_id: &EntryId,
        lease: Duration,
        budget: &mut Budget,
    ) -> Option<StoreLock> {
        let key = entry_id.store_key();
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let lock = self.inner().try_lock(&key, lease);
            match self.store.run(budget, lock).await {
                Ok(Some(lock)) => return Some(lock),
                Ok(None) if started.elapsed() < lease => {
                    budget.restore(&self.store);
                    blocking::sleep(pause).await;
                }
                Ok(None) => {
                    warn!("another process holds the lock of a refresh token for long");
                    return None;
                }
                Err(error) => {
                    self.failed("locked", error);
                    return None;
                }
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    #[inline]
    fn gate(&self, partition: &str) -> &RwLock<()> {
        let mut hasher = DefaultHasher::new();
        partition.hash(&mut hasher);
        // The remainder is less than a few.
        &self.gates[usize::try_from(hasher.finish() % GATES as u64).unwrap_or_default()]
    }

    #[inline]
    async fn save_if(
        &self,
        entry_id: &EntryId,
        record: &Record,
        budget: &mut Budget,
        wanted: &(dyn Fn() -> bool + Send + Sync),
    ) -> SaveResult {
        let _gate = self.gate(&entry_id.partition).read().await;
        if !wanted() {
            return SaveResult::Unwanted;
        }
        match self.save(entry_id, record, budget).await {
            true => SaveResult::Saved,
            false => SaveResult::Failed,
        }
    }

    #[inline]
    async fn save(&self, entry_id: &EntryId, record: &Record, budget: &mut Budget) -> bool {
        self.write(entry_id, record, budget)
            .await
            .inspect_err(|error| self.failed("written", error.clone()))
            .is_ok()
    }

    #[inline]
    async fn remove(&self, entry_id: &EntryId, budget: &mut Budget) {
        let key = entry_id.store_key();
        if let Err(error) = self.store.run(budget, self.inner().remove(&key)).await {
            self.failed("written", error);
        }
    }

    #[inline]
    async fn remove_partition(
        &self,
        partition: &str,
        is_sign_out: bool,
    ) -> (Option<String>, Result<(), StoreError>) {
        let mut budget = self.store.budget();
        let (mark, mut marked) = match is_sign_out {
            true => match self.new_mark(partition) {
                Ok(mark) => (Some(mark), Ok(())),
                Err(error) => (None, Err(error)),
            },
            false => (None, Ok(())),
        };
        // The mark comes first: a replica that finds no token any more has to find it.
        if let Some(mark) = &mark {
            marked = self.write_mark(mark, &mut budget).await;
        }
        let named = StorePartition::named(partition);
        let remove = self.inner().remove_partition(&named);
        let removed = self.store.run(&mut budget, remove).await;
        if let Some(mark) = &mark
            && marked.is_err()
            && removed.is_ok()
        {
            // The removal may have made room on a full disk.
            marked = self.write_mark(mark, &mut budget).await;
        }
        let outcome = removed
            .and(marked)
            .inspect_err(|error| self.failed("written", error.clone()));
        // A store that reported an error may have taken it all the same.
        (mark.map(|mark| mark.id), outcome)
    }

    #[inline]
    async fn last_sign_out(
        &self,
        partition: &str,
        budget: &mut Budget,
    ) -> Result<Option<SignOutMark>, StoreError> {
        let entry_id = SignOutMark::entry_id(partition);
        let key = entry_id.store_key();
        let loaded = self.store.run(budget, self.inner().load(&key)).await;
        let stored = loaded.inspect_err(|error| self.failed("read", error.clone()))?;
        Ok(stored.map(|stored| {
            let content = self
                .seal
                .open(&key, &stored)
                .and_then(|entry| Record::decode(&entry_id, &entry));
            SignOutMark::of(&stored, content.ok().as_ref())
        }))
    }

    #[inline]
    async fn is_under_unknown_key(&self, entry_id: &EntryId, budget: &mut Budget) -> bool {
        self.has_met_unknown_key.load(Ordering::Relaxed)
            && matches!(self.load(entry_id, budget).await, LoadResult::UnknownKey)
    }

    #[inline]
    async fn load(&self, entry_id: &EntryId, budget: &mut Budget) -> LoadResult {
        self.load_entry(entry_id, &entry_id.store_key(), budget)
            .await
    }
}

impl PersistentCache {
    #[inline]
    async fn load_record(
        &self,
        entry_id: &EntryId,
        key: &StoreKey,
        budget: &mut Budget,
    ) -> Option<Record> {
        match self.load_entry(entry_id, key, budget).await {
            LoadResult::Found(record) => Some(record),
            LoadResult::Absent
            | LoadResult::Foreign
            | LoadResult::UnknownKey
            | LoadResult::Damaged
            | LoadResult::Unknown => None,
        }
    }

    #[inline]
    async fn load_entry(
        &self,
        entry_id: &EntryId,
        key: &StoreKey,
        budget: &mut Budget,
    ) -> LoadResult {
        let stored = match self.store.run(budget, self.inner().load(key)).await {
            Ok(Some(stored)) => Zeroizing::new(stored),
            Ok(None) => return LoadResult::Absent,
            Err(error) => {
                self.failed("read", error);
                return LoadResult::Unknown;
            }
        };
        let read = self
            .seal
            .open(key, &stored)
            .and_then(|entry| Record::decode(entry_id, &entry));
        match read {
            Ok(record) => LoadResult::Found(record),
            Err(error) if error.kind() == StoreErrorKind::Damaged => {
                self.failed("read", error);
                let quarantine = self.inner().quarantine(key, &stored);
                if let Err(error) = self.store.run(budget, quarantine).await {
                    self.failed("written", error);
                }
                LoadResult::Damaged
            }
            Err(error) => {
                self.failed("read", error);
                if !self.seal.is_under_unknown_key(&stored) {
                    return LoadResult::Foreign;
                }
                self.has_met_unknown_key.store(true, Ordering::Relaxed);
                LoadResult::UnknownKey
            }
        }
    }

    #[inline]
    async fn write(
        &self,
        entry_id: &EntryId,
        record: &Record,
        budget: &mut Budget,
    ) -> Result<(), StoreError> {
        let key = entry_id.store_key();
        let entry = self.seal.close(&key, record.encode(entry_id)?)?;
        let save = self.inner().save(&key, &entry, kept_for(record));
        self.store.run(budget, save).await
    }

    /// Makes the mark of a sign-out at this moment.
    #[inline]
    fn new_mark(&self, partition: &str) -> Result<NewMark, StoreError> {
        let (entry_id, record) = (SignOutMark::entry_id(partition), SignOutMark::record()?);
        let key = entry_id.store_key();
        let entry = self.seal.close(&key, record.encode(&entry_id)?)?;
        let SignOutMark { id, .. } = SignOutMark::of(&entry, None);
        Ok(NewMark {
            id,
            key,
            entry,
            keep_for: kept_for(&record),
        })
    }

    #[inline]
    async fn write_mark(&self, mark: &NewMark, budget: &mut Budget) -> Result<(), StoreError> {
        let save = self.inner().save(&mark.key, &mark.entry, mark.keep_for);
        self.store.run(budget, save).await
    }

    /// The store itself, for operations that run within a budget.
    #[inline]
    fn inner(&self) -> &Arc<dyn EncryptedStore> {
        self.store.store()
    }

    #[inline]
    fn failed(&self, what: &str, error: StoreError) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        warn!(%error, cause = std::error::Error::source(&error).map(tracing::field::display), "the token store could not be {what}");
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

impl fmt::Debug for PersistentCache {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersistentCache")
            .field("store", &self.store)
            .field("encrypted", &self.seal)
            .field("failures", &self.failures())
            .finish()
    }
}

/// How long a store keeps a record.
#[inline]
fn kept_for(record: &Record) -> Duration {
    Duration::try_from(record.token.expires_on() - record.obtained).unwrap_or_default()
}

const GATES: usize = 16;
/// How long one process may block the others.
pub(crate) const LEASE: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(160);
