use std::{
    fs,
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use super::{
    EncryptedStore, StoreError, StoreKey, StoreLock, StorePartition,
    file_lock::FileLock,
    partition::{make_directory, open_in_partition, owners_only, remove_if_empty},
    prune::{self, SteadyClock},
    put_back::put_back,
};
use crate::blocking::open_file;
use async_trait::async_trait;

/// Stores tokens in files of one directory, shared by the processes of one machine.
///
/// Files are readable by their owner only (0600, directories 0700) and replaced as a whole, so a
/// reader never sees half of one. A damaged file is kept for 30 days with the ending `.damaged`.
/// Expired entries and leftovers of a crash are removed a few at a time, at the first write
/// and at every sixteenth one. Locks between processes are the operating system's and end with their
/// process; their files and empty directories go at once. Files are read and written on threads of
/// their own, so that a slow disk holds up no task.
/// The contents are as good as passwords until they expire: see
/// [`encryption_key`](crate::TokenCacheBuilder::encryption_key).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::{ClientSecretCredential, TokenCache, store::FileStore};
/// use entra_core::{TokenCredential, TokenRequest};
/// # let tenant = entra_mock::FakeTenant::start().await;
/// # let app = tenant.register_app("Night job").with_secret();
/// # let directory = std::env::temp_dir().join(format!("entra-file-store-{}", std::process::id()));
/// for _run in 0..2 {
///     let cache = TokenCache::builder().store(FileStore::open(&directory)?).build();
///     let credential = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
/// #       .cloud(tenant.cloud()).clock(tenant.clock())
///         .cache(&cache)
///         .build()?;
///     credential.token(&TokenRequest::new([tenant.cloud().graph_scope()])).await?;
/// }
/// tenant.requests().to("/oauth2/v2.0/token").assert_count(1);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FileStore {
    directory: Arc<Path>,
    writes: Arc<AtomicU64>,
    steady: Arc<SteadyClock>,
}

impl FileStore {
    /// Opens a store in this directory, which is created if it is missing.
    ///
    /// # Errors
    /// When the directory cannot be made, or when it belongs to another user or others may write to
    /// it: then another user could place a token there.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let directory = directory.into();
        make_directory(&directory).map_err(|source| {
            StoreError::configuration("the directory of the token files cannot be made")
                .with_source(source)
        })?;
        check_directory(&directory)?;
        Ok(Self {
            directory: directory.into(),
            // A process that writes once shall not always clear up the same part.
            writes: Arc::new(AtomicU64::new(prune::any_number() % 16 * PRUNED_EVERY)),
            steady: Arc::new(SteadyClock::new(SystemTime::now(), Instant::now())),
        })
    }

    fn path(&self, key: &StoreKey, ending: &str) -> PathBuf {
        self.directory
            .join(key.partition().as_str())
            .join(format!("{}.{ending}", key.entry()))
    }
}

#[async_trait]
impl EncryptedStore for FileStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(key, "token");
        blocking("read", move || {
            let file = found(read(&path))?;
            Ok(file.map(prune::without_end))
        })
        .await
    }

    async fn save(
        &self,
        key: &StoreKey,
        entry: &[u8],
        keep_for: Duration,
    ) -> Result<(), StoreError> {
        let path = self.path(key, "token");
        let now = SystemTime::now();
        let file = zeroize::Zeroizing::new(prune::with_end(entry, now, keep_for));
        let lock = self.writes.fetch_add(1, Ordering::Relaxed);
        let (directory, steady) = (Arc::clone(&self.directory), Arc::clone(&self.steady));
        blocking("written", move || {
            replace(&path, &file)?;
            if lock.is_multiple_of(PRUNED_EVERY) && steady.is_steady(now, Instant::now()) {
                prune::part(&directory, lock / PRUNED_EVERY, now);
            }
            Ok(())
        })
        .await
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), StoreError> {
        let path = self.path(key, "token");
        blocking("removed", move || {
            found(fs::remove_file(&path))?;
            remove_if_empty(path.parent());
            Ok(())
        })
        .await
    }

    async fn remove_partition(&self, partition: &StorePartition) -> Result<(), StoreError> {
        let path = self.directory.join(partition.as_str());
        blocking("removed", move || {
            found(fs::remove_dir_all(path)).map(Option::unwrap_or_default)
        })
        .await
    }

    async fn quarantine(&self, key: &StoreKey, damaged: &[u8]) -> Result<(), StoreError> {
        let (from, to) = (self.path(key, "token"), self.path(key, "damaged"));
        let damaged = zeroize::Zeroizing::new(damaged.to_vec());
        blocking("quarantined", move || quarantine(&from, &to, &damaged)).await
    }

    async fn try_lock(&self, key: &StoreKey, _: Duration) -> Result<Option<StoreLock>, StoreError> {
        let path = self.path(key, "lock");
        let lock = move || Ok(FileLock::take(path)?.map(StoreLock::new));
        blocking("locked", lock).await
    }
}

/// Reads a file, unless it is larger than any entry.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = open_file(path)?;
    if file.metadata()?.len() > LARGEST {
        return Err(ErrorKind::FileTooLarge.into());
    }
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes beside the file and renames: a reader has the old file or the new one.
fn replace(path: &Path, entry: &[u8]) -> io::Result<()> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_extension(format!("{}-{number}.new", std::process::id()));
    let written = (|| {
        // A crash may have left a file of this name, which must not be written into.
        found(fs::remove_file(&beside))?;
        let mut options = owners_only();
        let mut file = open_in_partition(options.create_new(true), &beside)?;
        file.write_all(entry)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    if written.is_err() {
        // The first error is the one to report.
        drop(fs::remove_file(&beside));
        remove_if_empty(path.parent());
    }
    written
}

/// Moves the file of an entry aside, if it still has these bytes.
fn quarantine(from: &Path, to: &Path, damaged: &[u8]) -> io::Result<()> {
    let is_damaged = |path: &Path| {
        let file = found(read(path))?.map(zeroize::Zeroizing::new);
        io::Result::Ok(file.is_some_and(|file| prune::entry_of(&file) == damaged))
    };
    if !is_damaged(from)? || found(fs::rename(from, to))?.is_none() {
        return Ok(());
    }
    // Another process may be replacing it: what was moved is looked at once more.
    match is_damaged(to) {
        Ok(true) => Ok(()),
        Ok(false) => put_back(to, from),
        // What it is was not seen, so it stays.
        Err(error) => put_back(to, from).and(Err(error)),
    }
}

#[cfg(unix)]
fn check_directory(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).map_err(|source| {
        StoreError::configuration("the directory of the token files cannot be read")
            .with_source(source)
    })?;
    let own = rustix::process::geteuid().as_raw();
    match writers(metadata.uid(), metadata.mode(), own) {
        None => Ok(()),
        Some(what) => Err(StoreError::configuration(what)),
    }
}

/// Who else may write to a directory: its owner can give that right at any time, and root in any case.
#[cfg(unix)]
const fn writers(owner: u32, mode: u32, own: u32) -> Option<&'static str> {
    if owner != own && owner != 0 {
        return Some(
            "the directory of the token files belongs to another user; choose one of this process's own user",
        );
    }
    if mode & 0o022 != 0 {
        return Some(
            "others may write to the directory of the token files; take that right away (chmod go-w) or choose another one",
        );
    }
    None
}

#[cfg(not(unix))]
fn check_directory(_: &Path) -> Result<(), StoreError> {
    Ok(())
}

pub(super) fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn blocking<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    let done = crate::blocking::run(work).await.and_then(|done| done);
    done.map_err(|source| {
        StoreError::unavailable(format!("a token file could not be {what}")).with_source(source)
    })
}

const PRUNED_EVERY: u64 = 16;
/// A token with all claims that fit into a request header has some ten kilobytes.
const LARGEST: u64 = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_directory_that_another_user_may_write_to_is_rejected() {
        for (owner, mode, own, trusted) in [
            (1000, 0o700, 1000, true),
            (1000, 0o755, 1000, true),
            (0, 0o755, 1000, true),
            (0, 0o700, 0, true),
            (1001, 0o700, 1000, false),
            (1001, 0o755, 1000, false),
            (1000, 0o755, 0, false),
            (1000, 0o775, 1000, false),
            (1000, 0o702, 1000, false),
            (0, 0o1777, 1000, false),
        ] {
            let found = writers(owner, mode, own);
            assert_eq!(found.is_none(), trusted, "{owner} {mode:o} {own}");
        }
    }

    #[tokio::test]
    async fn a_file_larger_than_any_entry_is_not_read() {
        let name = format!("entra-file-large-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let store = FileStore::open(&directory).unwrap();
        let key = StoreKey::new("one", "1");
        store
            .save(&key, b"x", Duration::from_secs(60))
            .await
            .unwrap();
        // A sparse file, which takes no room.
        let path = store.path(&key, "token");
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_len(1 << 40).unwrap();
        store.load(&key).await.unwrap_err();
        store
            .save(&key, b"y", Duration::from_secs(60))
            .await
            .unwrap();
        assert_eq!(store.load(&key).await.unwrap().unwrap(), b"y");
        fs::remove_dir_all(directory).unwrap();
    }

    #[tokio::test]
    async fn only_the_damaged_bytes_are_quarantined() {
        let name = format!("entra-file-quarantine-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let store = FileStore::open(&directory).unwrap();
        let key = StoreKey::new("one", "1");
        let hour = Duration::from_secs(3600);
        store.save(&key, b"damaged", hour).await.unwrap();
        // Another process replaces what was read.
        store.save(&key, b"new", hour).await.unwrap();
        store.quarantine(&key, b"damaged").await.unwrap();
        assert_eq!(store.load(&key).await.unwrap().unwrap(), b"new");
        assert!(!store.path(&key, "damaged").exists());

        store.quarantine(&key, b"new").await.unwrap();
        assert_eq!(store.load(&key).await.unwrap(), None);
        assert!(store.path(&key, "damaged").exists());
        store.quarantine(&key, b"new").await.unwrap();
        fs::remove_dir_all(directory).unwrap();
    }

    #[tokio::test]
    async fn writing_removes_expired_entries() {
        let name = format!("entra-file-ends-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let store = FileStore::open(&directory).unwrap();
        let (ended, kept) = (StoreKey::new("one", "1"), StoreKey::new("two", "2"));
        store.save(&ended, b"old", Duration::ZERO).await.unwrap();
        let partition = directory.join(ended.partition().as_str());
        let long_ago = std::time::SystemTime::now() - Duration::from_secs(3 * 86_400);
        for file in fs::read_dir(&partition).unwrap().flatten() {
            if file
                .path()
                .extension()
                .is_some_and(|ending| ending == "token")
            {
                fs::write(
                    file.path(),
                    prune::with_end(b"old", long_ago, Duration::ZERO),
                )
                .unwrap();
            }
        }
        let hour = Duration::from_secs(3600);
        for _ in 0..16 * PRUNED_EVERY {
            store.save(&kept, b"new", hour).await.unwrap();
        }
        assert_eq!(store.load(&ended).await.unwrap(), None);
        assert_eq!(store.load(&kept).await.unwrap().unwrap(), b"new");
        assert!(!partition.exists());
        fs::remove_dir_all(directory).unwrap();
    }
}
