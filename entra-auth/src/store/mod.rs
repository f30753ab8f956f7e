//! Where tokens live beside a process's memory: what a [`TokenCache`](crate::TokenCache) reads on a
//! miss and writes after every request.
//!
//! A [`TokenStore`] keeps opaque bytes under opaque keys, so that writing one takes a screenful:
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use std::{collections::HashMap, sync::Mutex, time::Duration};
//! use entra_auth::{ClientSecretCredential, TokenCache, store::{StoreError, StoreKey, TokenStore}};
//! use entra_core::{TokenCredential, TokenRequest};
//!
//! #[derive(Debug, Default)]
//! struct Table(Mutex<HashMap<StoreKey, Vec<u8>>>);
//!
//! #[async_trait::async_trait]
//! impl TokenStore for Table {
//!     async fn load(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
//!         Ok(self.0.lock().map_err(|_| StoreError::unavailable("poisoned"))?.get(key).cloned())
//!     }
//!     async fn save(&self, key: &StoreKey, entry: &[u8], _: Duration) -> Result<(), StoreError> {
//!         self.0.lock().map_err(|_| StoreError::unavailable("poisoned"))?.insert(key.clone(), entry.to_vec());
//!         Ok(())
//!     }
//!     async fn remove(&self, key: &StoreKey) -> Result<(), StoreError> {
//!         self.0.lock().map_err(|_| StoreError::unavailable("poisoned"))?.remove(key);
//!         Ok(())
//!     }
//!     async fn remove_partition(&self, partition: &str) -> Result<(), StoreError> {
//!         self.0.lock().map_err(|_| StoreError::unavailable("poisoned"))?.retain(|key, _| key.partition() != partition);
//!         Ok(())
//!     }
//! }
//!
//! # let tenant = entra_mock::FakeTenant::start().await;
//! # let app = tenant.register_app("Night job").with_secret();
//! let table = std::sync::Arc::new(Table::default());
//! for _ in 0..2 {
//!     // As after a restart: the memory is empty, the store is not.
//!     let cache = TokenCache::builder().store(table.clone()).build();
//!     let credential = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
//! #       .cloud(tenant.cloud()).clock(tenant.clock())
//!         .cache(&cache)
//!         .build()?;
//!     credential.token(&TokenRequest::new([tenant.cloud().graph_scope()])).await?;
//!     assert_eq!(cache.store_failures(), 0);
//! }
//! tenant.requests().to("/oauth2/v2.0/token").assert_count(1);
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
#[cfg(feature = "file-cache")]
mod file;
#[cfg(feature = "file-cache")]
mod prune;
mod record;
#[cfg(feature = "redis")]
mod redis;
mod seal;
mod second;

use std::{any::Any, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};

pub use self::error::{StoreError, StoreErrorKind};
#[cfg(feature = "file-cache")]
pub use self::file::FileStore;
#[cfg(feature = "redis")]
pub use self::redis::RedisStore;
pub use self::seal::EncryptionKey;
pub(crate) use self::{
    record::{Ident, Record},
    seal::{Seal, unreadable},
    second::{Backing, Found, Look},
};

/// Keeps cache entries outside of the process, for its next start or for its replicas.
///
/// Entries are opaque bytes (sealed ones, if the cache has an [`EncryptionKey`]) and must come back
/// as they were given or not at all. Nothing here decides whether there is a token: a failure is
/// counted, reported and otherwise like an empty store. Used on a tokio runtime with timers.
#[async_trait]
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// The entry, if there is one.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn load(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps the entry in place of an older one, all of it or nothing. It is of no use after
    /// `keep_for`, when the store may drop it.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn save(
        &self,
        key: &StoreKey,
        entry: &[u8],
        keep_for: Duration,
    ) -> Result<(), StoreError>;

    /// Forgets the entry; one that is not there is no error.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn remove(&self, key: &StoreKey) -> Result<(), StoreError>;

    /// Forgets all entries whose key has this partition, as when a person signs out.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn remove_partition(&self, partition: &str) -> Result<(), StoreError>;

    /// Takes an entry out of use that cannot be read; by default it is removed.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn set_aside(&self, key: &StoreKey) -> Result<(), StoreError> {
        self.remove(key).await
    }

    /// Takes the right to fetch this entry, so that of all that share the store one asks; none
    /// when another holds it. It ends when the lock is dropped, at the latest after `lease`.
    ///
    /// A store without locks (the default) grants it to all, and each may ask once.
    ///
    /// # Errors
    /// When the store cannot tell.
    async fn try_lock(
        &self,
        key: &StoreKey,
        lease: Duration,
    ) -> Result<Option<StoreLock>, StoreError> {
        let _ = (key, lease);
        Ok(Some(StoreLock::new(())))
    }
}

#[async_trait]
impl<T: TokenStore + ?Sized> TokenStore for Arc<T> {
    async fn load(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).load(key).await
    }

    async fn save(
        &self,
        key: &StoreKey,
        entry: &[u8],
        keep_for: Duration,
    ) -> Result<(), StoreError> {
        (**self).save(key, entry, keep_for).await
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), StoreError> {
        (**self).remove(key).await
    }

    async fn remove_partition(&self, partition: &str) -> Result<(), StoreError> {
        (**self).remove_partition(partition).await
    }

    async fn set_aside(&self, key: &StoreKey) -> Result<(), StoreError> {
        (**self).set_aside(key).await
    }

    async fn try_lock(
        &self,
        key: &StoreKey,
        lease: Duration,
    ) -> Result<Option<StoreLock>, StoreError> {
        (**self).try_lock(key, lease).await
    }
}

/// Where an entry stands in a store: a partition (one application or one person) and an entry in it.
///
/// Both are digests of 64 hexadecimal digits: good as file names and key names, and they tell
/// nobody whose tokens these are.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StoreKey {
    partition: Arc<str>,
    entry: Arc<str>,
}

impl StoreKey {
    /// What is removed together: the tokens of one application in one tenant, or of one person.
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// The entry within the partition.
    #[must_use]
    pub fn entry(&self) -> &str {
        &self.entry
    }

    pub(crate) fn new(partition: &str, entry: &str) -> Self {
        Self {
            partition: hashed(partition).into(),
            entry: hashed(entry).into(),
        }
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |digest: &str| digest[..8].to_owned();
        f.debug_struct("StoreKey")
            .field("partition", &short(&self.partition))
            .field("entry", &short(&self.entry))
            .finish()
    }
}

/// The right to fetch an entry, given back when it is dropped.
#[must_use = "dropping it gives the lock back"]
pub struct StoreLock(#[expect(dead_code, reason = "held for its drop")] Box<dyn Any + Send>);

impl StoreLock {
    /// A lock that lasts as long as this value, whose drop must end it.
    pub fn new(guard: impl Any + Send) -> Self {
        Self(Box::new(guard))
    }
}

impl fmt::Debug for StoreLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreLock")
    }
}

/// The name under which a store knows a text.
pub(crate) fn hashed(text: &str) -> String {
    hex(digest(&SHA256, text.as_bytes()).as_ref())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| {
            [
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ]
        })
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests;
