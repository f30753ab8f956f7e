use zeroize::Zeroizing;

use super::{CacheKey, CachePartition, TokenCache, refresh_tokens::is_refresh_token};
use crate::{
    moment::Moment,
    store::{EntryId, Record, StoreError, StoreKey, damaged},
};

impl TokenCache {
    /// Returns the tokens of a partition as bytes, such as those of a user for a web session. `None`
    /// if the memory has no token of the partition.
    ///
    /// The bytes are encrypted if the cache has an [`encryption_key`](super::TokenCacheBuilder), and as
    /// sensitive as the tokens if it has none. They include the user's refresh token if the cache has
    /// a store.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// use entra_auth::{ClientSecretCredential, CachePartition, TokenCache, store::EncryptionKey};
    /// use entra_core::{TokenCredential, TokenRequest};
    /// # let tenant = entra_mock::FakeTenant::start().await;
    /// # let app = tenant.register_app("Web app").with_secret();
    /// let cache = || TokenCache::builder().encryption_key(EncryptionKey::new([7; 32])).build();
    /// let credential = |cache: &TokenCache| {
    ///     ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
    /// #       .clock(tenant.clock())
    ///         .cloud(tenant.cloud()).cache(cache).build()
    /// };
    /// let request = TokenRequest::new([tenant.cloud().graph_scope()]);
    /// let (first, second) = (cache(), cache());
    /// let token = credential(&first)?.token(&request).await?;
    ///
    /// let partition = CachePartition::app(&tenant.cloud(), app.client_id(), &tenant.id()); // a user's: `CachePartition::account`
    /// let bytes = first.export(&partition)?.ok_or("no token")?;
    /// assert_eq!(second.import(&partition, &bytes)?, 1);
    /// assert_eq!(credential(&second)?.token(&request).await?.expose_secret(), token.expose_secret());
    /// # tenant.requests().to("/oauth2/v2.0/token").assert_count(1);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the entries cannot be encrypted. They are never exported unencrypted instead.
    #[inline]
    pub fn export(&self, partition: &CachePartition) -> Result<Option<Vec<u8>>, StoreError> {
        let mut text = Zeroizing::new(Vec::new());
        let mut records = self.refresh_tokens(partition);
        for (key, entry) in self.read().iter() {
            if key.partition() != *partition || key.challenged().is_some() {
                continue;
            }
            if let Some(record) = entry.lock().record() {
                records.push((key.entry_id(), record));
            }
        }
        for (entry_id, record) in records {
            let line = record.encode(&entry_id)?;
            // A buffer that grows leaves copies of the tokens behind.
            let mut longer = Zeroizing::new(Vec::with_capacity(text.len() + line.len() + 1));
            longer.extend_from_slice(&text);
            longer.extend_from_slice(&line);
            longer.push(b'\n');
            text = longer;
        }
        if text.is_empty() {
            return Ok(None);
        }
        let sealed = self.0.seal.close(&place(partition), text)?;
        Ok(Some(sealed.to_vec()))
    }

    /// Imports exported tokens into the memory, unless it has newer ones. Returns the number of
    /// tokens in the export.
    ///
    /// # Errors
    /// When the bytes are damaged, encrypted with another key, not encrypted although the cache has a
    /// key, or of another partition. Then no token is imported.
    #[inline]
    pub fn import(&self, partition: &CachePartition, bytes: &[u8]) -> Result<usize, StoreError> {
        let text = self.0.seal.open(&place(partition), bytes)?;
        let lines = text.split(|byte| *byte == b'\n');
        let (mut found, mut refresh_tokens) = (Vec::new(), Vec::new());
        for line in lines.filter(|line| !line.is_empty()) {
            let (entry_id, record) = Record::read(line)?;
            if is_refresh_token(&entry_id) && entry_id.partition == partition.as_str() {
                refresh_tokens.push((entry_id, record));
                continue;
            }
            let key = key(&entry_id)?;
            if key.partition() != *partition {
                return Err(damaged("an entry belongs elsewhere"));
            }
            found.push((key, record));
        }
        let count = found.len() + refresh_tokens.len();
        for (entry_id, record) in refresh_tokens {
            self.put_refresh_token(&entry_id, &record);
        }
        for (key, record) in found {
            self.put(&key, &record, None);
        }
        Ok(count)
    }

    /// Every token in memory that was not rejected by a claims challenge.
    #[cfg(feature = "sign-in")]
    #[inline]
    pub(crate) fn records(&self) -> Vec<(CacheKey, Record)> {
        let entries = self.read();
        let plain = entries.iter().filter(|(key, _)| key.challenged().is_none());
        plain
            .filter_map(|(key, entry)| Some((key.clone(), entry.lock().record()?)))
            .collect()
    }

    /// Caches a token that was not requested by this cache, in place of any other: one that was just issued, such
    /// as with a sign-in, has the current consents and methods of authentication. One that expires later may have
    /// been rejected or revoked since.
    ///
    /// An import has no clock and may be old, so it leaves a token that expires later. The first use with a clock
    /// drops tokens from the future.
    #[inline]
    pub(super) fn put(&self, key: &CacheKey, record: &Record, now: Option<Moment>) {
        loop {
            let entry = self.entry(key, now.map(|now| now.monotonic()));
            let number = {
                let mut state = entry.lock();
                if state.detached {
                    continue;
                }
                let held = state.stored().map(|held| held.token().expires_on());
                if now.is_none() && held.is_some_and(|held| held > record.token.expires_on()) {
                    return;
                }
                state.next_number()
            };
            if entry.complete(number, record.clone())
                && let Some(seen) = record.seen
            {
                self.expire(key, &entry, seen.monotonic_at(record.token.expires_on()));
            }
            return;
        }
    }
}

#[inline]
fn key(entry_id: &EntryId) -> Result<CacheKey, StoreError> {
    CacheKey::from_entry_id(entry_id)
        .ok_or_else(|| damaged("an entry names no key of this version"))
}

#[inline]
fn place(partition: &CachePartition) -> StoreKey {
    StoreKey::new(partition.as_str(), "export")
}
