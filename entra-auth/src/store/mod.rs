//! Stores for tokens and web sessions outside of the process. A [`TokenCache`](crate::TokenCache)
//! reads its store on a miss and writes it after every request.
//!
//! An [`EncryptedStore`] stores opaque bytes under opaque keys, so an implementation is short:
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use std::{collections::HashMap, sync::Mutex, time::Duration};
//! use entra_auth::{ClientSecretCredential, TokenCache, store::{EncryptedStore, StoreError, StoreKey, StorePartition}};
//! use entra_core::{TokenCredential, TokenRequest};
//!
//! #[derive(Debug, Default)]
//! struct Table(Mutex<HashMap<StoreKey, Vec<u8>>>);
//!
//! #[async_trait::async_trait]
//! impl EncryptedStore for Table {
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
//!     async fn remove_partition(&self, partition: &StorePartition) -> Result<(), StoreError> {
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
mod file_lock;
mod guard;
mod key;
#[cfg(feature = "file-cache")]
mod partition;
mod persistent;
#[cfg(feature = "file-cache")]
mod prune;
#[cfg(feature = "file-cache")]
mod put_back;
mod record;
#[cfg(feature = "redis")]
mod redis;
mod rejection;
mod seal;
mod sign_out_mark;

use std::{any::Any, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

pub use self::error::{StoreError, StoreErrorKind};
#[cfg(feature = "file-cache")]
pub use self::file::FileStore;
#[cfg(feature = "axum")]
pub(crate) use self::guard::GuardedStore;
#[cfg(feature = "redis")]
pub use self::redis::RedisStore;
pub(crate) use self::{
    guard::{Budget, DEFAULT_LIMIT},
    key::hashed,
    persistent::{Connect, FindResult, LEASE, LoadResult, SaveResult, SecondLevel, connect},
    record::{EntryId, Record},
    rejection::Rejection,
    seal::{Seal, damaged},
    sign_out_mark::{SignOutMark, system_micros},
};
pub use self::{
    key::{StoreKey, StorePartition},
    seal::EncryptionKey,
};

/// Stores cached tokens and web sessions outside of the process, for restarts and replicas.
///
/// An implementation sees opaque bytes, which are encrypted before it gets them where there is an
/// [`EncryptionKey`]. It must return them as they were given or not at all. For access tokens a store
/// that fails is counted, reported and otherwise treated as an empty one. A refresh token that cannot be
/// read is an error, unless it is in memory and the provider is Entra; for sessions the error is
/// returned. Used on a tokio runtime with timers.
#[async_trait]
pub trait EncryptedStore: fmt::Debug + Send + Sync + 'static {
    /// Returns the entry, if there is one.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn load(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError>;

    /// Writes an entry in place of an older one, atomically. The entry expires after `keep_for`, by
    /// the store's clock: from then on the store should not return it, and may remove it.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn save(
        &self,
        key: &StoreKey,
        entry: &[u8],
        keep_for: Duration,
    ) -> Result<(), StoreError>;

    /// Removes the entry. An absent entry is not an error.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn remove(&self, key: &StoreKey) -> Result<(), StoreError>;

    /// Removes all entries of this partition, such as when a user signs out.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn remove_partition(&self, partition: &StorePartition) -> Result<(), StoreError>;

    /// Quarantines a damaged entry, if it still has these bytes. The default removes it; a store may
    /// move it elsewhere for an administrator.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    #[inline]
    async fn quarantine(&self, key: &StoreKey, damaged: &[u8]) -> Result<(), StoreError> {
        match self.load(key).await? {
            Some(entry) if entry == damaged => self.remove(key).await,
            _ => Ok(()),
        }
    }

    /// Locks this entry, so that one of the replicas requests its token. Returns `None` if another
    /// replica holds the lock. The lock ends when it is dropped, at the latest after `lease`.
    ///
    /// The default grants the lock to all, so each replica may send a request. A provider other than Entra
    /// may take a refresh token that two replicas send for stolen: with such a provider, replicas need a
    /// store with locks. The lease is then as long as a refresh may take there, over a minute, so a replica
    /// that is killed holds up the others for that long.
    ///
    /// # Errors
    /// When the store cannot be reached.
    #[inline]
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
impl<T: EncryptedStore + ?Sized> EncryptedStore for Arc<T> {
    #[inline]
    async fn load(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).load(key).await
    }

    #[inline]
    async fn save(
        &self,
        key: &StoreKey,
        entry: &[u8],
        keep_for: Duration,
    ) -> Result<(), StoreError> {
        (**self).save(key, entry, keep_for).await
    }

    #[inline]
    async fn remove(&self, key: &StoreKey) -> Result<(), StoreError> {
        (**self).remove(key).await
    }

    #[inline]
    async fn remove_partition(&self, partition: &StorePartition) -> Result<(), StoreError> {
        (**self).remove_partition(partition).await
    }

    #[inline]
    async fn quarantine(&self, key: &StoreKey, damaged: &[u8]) -> Result<(), StoreError> {
        (**self).quarantine(key, damaged).await
    }

    #[inline]
    async fn try_lock(
        &self,
        key: &StoreKey,
        lease: Duration,
    ) -> Result<Option<StoreLock>, StoreError> {
        (**self).try_lock(key, lease).await
    }
}

/// The lock of an entry, released when it is dropped.
#[must_use = "dropping it gives the lock back"]
pub struct StoreLock(#[expect(dead_code, reason = "held for its drop")] Box<dyn Any + Send>);

impl StoreLock {
    /// Wraps the store's own lock, whose drop must release it.
    #[inline]
    pub fn new(guard: impl Any + Send) -> Self {
        Self(Box::new(guard))
    }
}

impl fmt::Debug for StoreLock {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreLock")
    }
}

#[cfg(test)]
mod tests;
