use std::{fmt, time::Duration};

use async_trait::async_trait;
use redis::{
    Client, Cmd, FromRedisValue, RedisError, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::{runtime, sync::OnceCell};

use super::{EncryptedStore, StoreError, StoreKey, StoreLock, StorePartition, key::hex};

/// Stores tokens in Redis (or Valkey), shared by the replicas of a service.
///
/// A partition is one hash, which Redis drops when its last token has expired. Each entry in it expires
/// by Redis's clock, so the replicas' clocks do not matter, and is removed when the hash grows. An entry
/// of more than 4 MiB is not read. A
/// lock is a key of its own with a lease, so a replica that dies holds nothing up for long. Redis sees
/// sealed entries only if the cache has an [`encryption_key`](crate::TokenCacheBuilder::encryption_key).
///
/// ```
/// use entra_auth::{TokenCache, store::{EncryptionKey, RedisStore}};
/// let cache = TokenCache::builder()
///     .store(RedisStore::new("redis://127.0.0.1:6379")?.with_prefix("billing:"))
///     .encryption_key(EncryptionKey::new([7; 32]))
///     .build(); // connects when the first token is requested
/// # Ok::<(), entra_auth::store::StoreError>(())
/// ```
#[derive(Clone)]
pub struct RedisStore {
    client: Client,
    connection: OnceCell<ConnectionManager>,
    prefix: String,
}

impl RedisStore {
    /// Opens a store at this URL: `redis://[user:password@]host[:port][/database]`, or
    /// `redis+unix:///path`. It connects at first use and again whenever the connection is lost.
    ///
    /// # Errors
    /// When the URL is invalid. The error does not repeat it, as it may hold a password.
    pub fn new(address: &str) -> Result<Self, StoreError> {
        let client = Client::open(address).map_err(|_| {
            StoreError::configuration(
                "the Redis URL is invalid or not supported by this build; use redis://host:port",
            )
        })?;
        Ok(Self {
            client,
            connection: OnceCell::new(),
            prefix: "entra:".to_owned(),
        })
    }

    /// The prefix of all key names. The default is `entra:`.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    async fn connection(&self) -> Result<ConnectionManager, StoreError> {
        let connect = || async {
            let config = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(CONNECTION_LIMIT))
                .set_response_timeout(Some(RESPONSE_LIMIT))
                .set_number_of_retries(1);
            ConnectionManager::new_lazy_with_config(self.client.clone(), config)
        };
        self.connection
            .get_or_try_init(connect)
            .await
            .cloned()
            .map_err(|error| unavailable(&error))
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        let mut connection = self.connection().await?;
        command
            .query_async(&mut connection)
            .await
            .map_err(|error| unavailable(&error))
    }

    fn hash(&self, partition: &StorePartition) -> String {
        format!("{}{partition}", self.prefix)
    }

    fn lock(&self, key: &StoreKey) -> String {
        format!("{}{}:{}:lock", self.prefix, key.partition(), key.entry())
    }
}

#[async_trait]
impl EncryptedStore for RedisStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        let mut connection = self.connection().await?;
        let (size, entry): (u64, Option<Vec<u8>>) = Script::new(LOAD)
            .key(self.hash(key.partition()))
            .arg(key.entry())
            .arg(MAX_ENTRY_BYTES)
            .invoke_async(&mut connection)
            .await
            .map_err(|error| unavailable(&error))?;
        if size > MAX_ENTRY_BYTES {
            tracing::warn!(
                size,
                "an entry in Redis is larger than any entry and is not read"
            );
        }
        Ok(entry)
    }

    async fn save(
        &self,
        key: &StoreKey,
        entry: &[u8],
        keep_for: Duration,
    ) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        Script::new(SAVE)
            .key(self.hash(key.partition()))
            .arg(key.entry())
            .arg(entry)
            .arg(milliseconds(keep_for))
            .invoke_async(&mut connection)
            .await
            .map_err(|error| unavailable(&error))
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), StoreError> {
        let mut command = redis::cmd("HDEL");
        command.arg(self.hash(key.partition())).arg(key.entry());
        self.ask(&command).await
    }

    async fn remove_partition(&self, partition: &StorePartition) -> Result<(), StoreError> {
        let mut command = redis::cmd("DEL");
        command.arg(self.hash(partition));
        self.ask(&command).await
    }

    async fn try_lock(
        &self,
        key: &StoreKey,
        lease: Duration,
    ) -> Result<Option<StoreLock>, StoreError> {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes)
            .map_err(|_| StoreError::unavailable("the system gives no random bytes"))?;
        let mut held = RedisLock {
            armed: true,
            store: self.clone(),
            name: self.lock(key),
            holder: hex(&bytes),
        };
        let mut command = redis::cmd("SET");
        command
            .arg(&held.name)
            .arg(&held.holder)
            .arg("NX")
            .arg("PX")
            .arg(milliseconds(lease));
        // Created before the response arrives, so that a lock whose caller was dropped is released.
        let taken: Option<String> = self.ask(&command).await?;
        held.armed = taken.is_some();
        Ok(taken.map(|_| StoreLock::new(held)))
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a password.
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// A lock in Redis; the lease ends it if nothing else does.
struct RedisLock {
    armed: bool,
    store: RedisStore,
    name: String,
    holder: String,
}

impl Drop for RedisLock {
    fn drop(&mut self) {
        let Ok(handle) = runtime::Handle::try_current() else {
            return;
        };
        if !self.armed {
            return;
        }
        let (store, name) = (self.store.clone(), std::mem::take(&mut self.name));
        let holder = std::mem::take(&mut self.holder);
        drop(handle.spawn(async move {
            if let Ok(mut connection) = store.connection().await {
                let given_back: Result<(), RedisError> = Script::new(UNLOCK)
                    .key(name)
                    .arg(holder)
                    .invoke_async(&mut connection)
                    .await;
                if let Err(error) = given_back {
                    tracing::debug!(error = %unavailable(&error), "a lock was left to its lease");
                }
            }
        }));
    }
}

/// The error's own text may quote what was sent.
fn unavailable(error: &RedisError) -> StoreError {
    StoreError::unavailable(format!("Redis did not respond ({})", error.category()))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX)
        .max(1)
}

const CONNECTION_LIMIT: Duration = Duration::from_secs(2);
/// Above the time of any look-up, which the cache limits by itself and then skips the store.
const RESPONSE_LIMIT: Duration = Duration::from_secs(60);

/// As in a file store: larger than any entry of tokens or of a session.
const MAX_ENTRY_BYTES: u64 = 4 << 20;

/// Returns the size of an entry, and the entry unless it is too large or has expired by Redis's clock. An
/// entry starts with the time at which it expires, in milliseconds and 16 digits.
const LOAD: &str = "local size = redis.call('HSTRLEN', KEYS[1], ARGV[1]) - 16
if size < 0 or size > tonumber(ARGV[2]) then return {math.max(size, 0), false} end
local entry = redis.call('HGET', KEYS[1], ARGV[1])
local now = redis.call('TIME')
local ends = tonumber(string.sub(entry, 1, 16))
if not ends or ends <= now[1] * 1000 + now[2] / 1000 then return {size, false} end
return {size, string.sub(entry, 17)}";

/// Sets one field, and has the hash live as long as the field that lives longest. When it has grown by
/// about a quarter, beyond 64 fields, those that have expired are removed.
const SAVE: &str = "local now = redis.call('TIME')
local time = now[1] * 1000 + now[2] / 1000
local ends = string.format('%016.0f', math.min(time + ARGV[3], 9e15))
local added = redis.call('HSET', KEYS[1], ARGV[1], ends .. ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
local size = redis.call('HLEN', KEYS[1])
local step = 16
while step * 8 <= size do step = step * 2 end
if added == 1 and size > 64 and size % step == 0 then
  local fields = redis.call('HGETALL', KEYS[1])
  for at = 1, #fields, 2 do
    local ended = tonumber(string.sub(fields[at + 1], 1, 16))
    if ended and ended <= time then redis.call('HDEL', KEYS[1], fields[at]) end
  end
end";

/// Gives a lock back if it still is this holder's.
const UNLOCK: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end";
