//! Tokens in files: rights, replacement, damage, and processes that race for one token.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use entra_auth::{
    ClientSecretCredential, TokenCache,
    store::{EncryptedStore, EncryptionKey, FileStore, StoreErrorKind, StoreKey},
};
use entra_core::{Cloud, RetryPolicy, TokenCredential, TokenRequest};
use entra_mock::{FakeTenant, Fault};

use crate::support::{Service, builder, graph, number, poll_once};

/// A directory of its own for each test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("entra-auth-test-{}-{number}", std::process::id());
        Self(env::temp_dir().join(name))
    }

    fn store(&self) -> FileStore {
        FileStore::open(&self.0).unwrap()
    }

    /// All files below it. That of a lock, and a directory that is empty, may go at any moment, as
    /// they are removed on another thread.
    fn files(&self) -> Vec<PathBuf> {
        let below = |path: &Path| {
            let entries = fs::read_dir(path).into_iter().flatten();
            entries.filter_map(|entry| Some(entry.ok()?.path()))
        };
        let mut files: Vec<PathBuf> = below(&self.0).flat_map(|path| below(&path)).collect();
        files.sort();
        files
    }

    fn ending(&self, ending: &str) -> Vec<PathBuf> {
        let mut files = self.files();
        files.retain(|path| path.extension().is_some_and(|found| found == ending));
        files
    }
}

fn is_lock(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "lock")
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn credential(service: &Arc<Service>, directory: &Directory) -> ClientSecretCredential {
    let cache = TokenCache::builder().store(directory.store()).build();
    builder(service).cache(&cache).build().unwrap()
}

#[tokio::test]
async fn a_new_process_reads_the_file_of_an_older_one() {
    let (service, directory) = (Service::new(), Directory::new());
    assert_eq!(number(&credential(&service, &directory), &graph()).await, 1);
    assert_eq!(number(&credential(&service, &directory), &graph()).await, 1);
    assert_eq!(directory.ending("token").len(), 1);
    assert_eq!(directory.ending("new").len(), 0);
}

#[test]
fn file_store_works_without_a_runtime() {
    let (service, directory) = (Service::new(), Directory::new());
    for _ in 0..2 {
        let credential = credential(&service, &directory);
        block_on(credential.token(&graph())).unwrap();
    }
    assert_eq!(service.count(), 1);
}

#[test]
fn waiting_without_a_runtime_does_not_block_the_thread() {
    let (service, directory) = (Service::closed(), Directory::new());
    let (first, second) = (
        credential(&service, &directory),
        credential(&service, &directory),
    );
    let (service, request) = (&service, graph());
    block_on(async {
        let (mut first, mut second) = (first.token(&request), second.token(&request));
        // The first one holds the lock until the service responds.
        while service.count() == 0 {
            assert!(poll_once(&mut first).await.is_none());
            std::thread::yield_now();
        }
        // The second one waits for the lock; on this very thread the first one gets on.
        for _ in 0..100 {
            assert!(poll_once(&mut second).await.is_none());
        }
        service.open();
        first.await.unwrap();
        second.await.unwrap();
    });
    assert_eq!(service.count(), 1);
}

/// Drives a future on this thread, without tokio.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

/// The names in a directory, once nothing but these endings is left.
async fn left(directory: &Directory, endings: &[&str]) -> Vec<PathBuf> {
    loop {
        let mut files: Vec<_> = fs::read_dir(&directory.0)
            .unwrap()
            .flat_map(|partition| match fs::read_dir(partition.unwrap().path()) {
                Ok(files) => files.map(|file| file.unwrap().path()).collect(),
                Err(_) => Vec::new(),
            })
            .collect();
        files.sort();
        let is_expected = |file: &PathBuf| {
            let ending = file.extension().unwrap().to_str().unwrap();
            endings.contains(&ending)
        };
        if files.iter().all(is_expected) {
            return files;
        }
        // The removal of an unused lock runs on another thread.
        tokio::task::spawn_blocking(std::thread::yield_now)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_failed_call_leaves_neither_lock_nor_directory_behind() {
    let (service, directory) = (Service::new(), Directory::new());
    service.fail(true);
    let cache = TokenCache::builder().store(directory.store()).build();
    let builder = builder(&service).retry_policy(RetryPolicy::once());
    let credential = builder.cache(&cache).build().unwrap();
    for number in 0..3 {
        let request = TokenRequest::new([format!("api-{number}/.default")]);
        credential.token(&request).await.unwrap_err();
    }
    while fs::read_dir(&directory.0).unwrap().count() > 0 {
        tokio::task::spawn_blocking(std::thread::yield_now)
            .await
            .unwrap();
    }
    service.fail(false);
    credential.token(&graph()).await.unwrap();
    assert_eq!(left(&directory, &["token"]).await.len(), 1);
}

#[tokio::test]
async fn removing_the_last_entry_of_a_partition_removes_its_directory() {
    let directory = Directory::new();
    let store = directory.store();
    let hour = Duration::from_secs(3600);
    let keys = ["one", "two"].map(|entry| StoreKey::new("partition", entry));
    for key in &keys {
        store.save(key, b"entry", hour).await.unwrap();
    }
    store.remove(&keys[0]).await.unwrap();
    assert_eq!(store.load(&keys[1]).await.unwrap().unwrap(), b"entry");
    for _ in 0..2 {
        store.remove(&keys[1]).await.unwrap();
        assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 0);
    }
}

/// Each takes, gives back and thereby removes the lock of one entry; a counter in a file shows
/// whether two ever had it at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lock_whose_file_comes_and_goes_is_held_by_one_at_a_time() {
    let directory = Directory::new();
    let key = StoreKey::new("partition", "entry");
    let holders = Arc::new(AtomicU32::new(0));
    let takers = (0..8).map(|_| {
        // As in processes of their own: nothing is shared but the directory.
        let (store, key, holders) = (directory.store(), key.clone(), Arc::clone(&holders));
        tokio::spawn(async move {
            let mut taken = 0;
            while taken < 50 {
                if let Some(lock) = store.try_lock(&key, Duration::MAX).await.unwrap() {
                    assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                    tokio::task::yield_now().await;
                    holders.fetch_sub(1, Ordering::SeqCst);
                    drop(lock);
                    taken += 1;
                }
            }
        })
    });
    for taker in takers.collect::<Vec<_>>() {
        taker.await.unwrap();
    }
    assert!(left(&directory, &[]).await.is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (service, directory) = (Service::new(), Directory::new());
    number(&credential(&service, &directory), &graph()).await;
    let mode = |path: &Path| Some(fs::metadata(path).ok()?.permissions().mode() & 0o777);
    assert_eq!(mode(&directory.0), Some(0o700));
    let mut seen = 0;
    for file in directory.files() {
        let Some(found) = mode(&file) else {
            assert!(is_lock(&file), "{file:?}");
            continue;
        };
        assert_eq!(found, 0o600, "{file:?}");
        assert_eq!(mode(file.parent().unwrap()), Some(0o700));
        seen += 1;
    }
    assert!(seen > 0);
}

#[cfg(unix)]
#[test]
fn directory_writable_by_others_is_rejected() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    fs::create_dir(&directory.0).unwrap();
    fs::set_permissions(&directory.0, fs::Permissions::from_mode(0o777)).unwrap();
    let error = FileStore::open(&directory.0).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Configuration);
    assert!(error.to_string().contains("chmod"));
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error_at_once() {
    let directory = Directory::new();
    fs::create_dir(&directory.0).unwrap();
    let file = directory.0.join("file");
    fs::write(&file, "").unwrap();
    let error = FileStore::open(file.join("below")).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Configuration);
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn a_damaged_file_is_quarantined_reported_and_replaced() {
    let (service, directory) = (Service::new(), Directory::new());
    number(&credential(&service, &directory), &graph()).await;
    let file = directory.ending("token").remove(0);
    let mut damaged = fs::read(&file).unwrap();
    damaged.truncate(damaged.len() - 10);
    fs::write(&file, &damaged).unwrap();
    let cache = TokenCache::builder().store(directory.store()).build();
    let credential = builder(&service).cache(&cache).build().unwrap();
    assert_eq!(number(&credential, &graph()).await, 2);
    let failure = cache.last_store_failure().unwrap();
    assert_eq!(failure.kind(), StoreErrorKind::Damaged);
    let quarantined = directory.ending("damaged");
    assert_eq!(fs::read(&quarantined[0]).unwrap(), damaged);
    assert_eq!(directory.ending("token").len(), 1);
}

#[tokio::test]
async fn encrypted_files_and_all_file_names_reveal_nothing() {
    let (service, directory) = (Service::new(), Directory::new());
    let cache = TokenCache::builder()
        .store(directory.store())
        .encryption_key(EncryptionKey::new([9; 32]))
        .build();
    number(&builder(&service).cache(&cache).build().unwrap(), &graph()).await;
    assert_eq!(directory.ending("token").len(), 1);
    for file in directory.files() {
        let Ok(bytes) = fs::read(&file) else {
            assert!(is_lock(&file), "{file:?}");
            continue;
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let name = file
            .strip_prefix(&directory.0)
            .unwrap()
            .display()
            .to_string();
        for word in ["graph", "22222222", "11111111", "login"] {
            assert!(!text.contains(word) && !name.contains(word), "{word}");
        }
    }
}

#[tokio::test]
async fn token_is_served_when_the_file_cannot_be_written() {
    let (service, directory) = (Service::new(), Directory::new());
    let cache = TokenCache::builder().store(directory.store()).build();
    fs::remove_dir(&directory.0).unwrap();
    fs::write(&directory.0, "in the way").unwrap();
    let credential = builder(&service).cache(&cache).build().unwrap();
    assert_eq!(number(&credential, &graph()).await, 1);
    assert_eq!(number(&credential, &graph()).await, 1);
    assert!(cache.store_failures() > 0);
    fs::remove_file(&directory.0).unwrap();
}

#[tokio::test]
async fn removing_a_partition_leaves_all_others() {
    let directory = Directory::new();
    let store = directory.store();
    let hour = Duration::from_secs(3600);
    let names = ["", "..", "../..", "/", "one"];
    let keys = names.map(|name| StoreKey::new(name, name));
    for key in &keys {
        store.save(key, b"entry", hour).await.unwrap();
    }
    for (removed, key) in keys.iter().enumerate() {
        for _ in 0..2 {
            store.remove_partition(key.partition()).await.unwrap();
        }
        assert!(directory.0.exists());
        assert_eq!(directory.ending("token").len(), names.len() - removed - 1);
    }
}

/// Without the lock every process would ask while the first one waits out its `Retry-After`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_race_for_one_token_make_one_request() {
    const CHILDREN: usize = 6;
    let directory = Directory::new();
    drop(directory.store());
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Command line").with_secret();
    tenant.inject(
        Fault::on("/oauth2/v2.0/token")
            .nth(1)
            .status_with_retry_after(503, "2"),
    );
    let child = || {
        Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "file_store::one_of_the_racing_processes",
                "--nocapture",
            ])
            .env("ENTRA_TEST_RACE", &directory.0)
            .env("ENTRA_TEST_URI", tenant.uri())
            .env("ENTRA_TEST_TENANT", tenant.id().to_string())
            .env("ENTRA_TEST_CLIENT", app.client_id().to_string())
            .env("ENTRA_TEST_SECRET", app.secret().expose_secret())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = (0..CHILDREN).map(|_| child()).collect();
    let tokens = tokio::task::spawn_blocking(|| started_together(children))
        .await
        .unwrap();
    assert_eq!(tokens.len(), CHILDREN);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    // The one that was rejected, and its next try.
    tenant.requests().to("/oauth2/v2.0/token").assert_count(2);
}

/// Lets processes go on once all are ready, and gives their tokens.
fn started_together(mut children: Vec<Child>) -> Vec<String> {
    let next = |output: &mut BufReader<ChildStdout>, prefix: &str| loop {
        let mut line = String::new();
        let read = output.read_line(&mut line).unwrap();
        assert_ne!(read, 0, "a process has ended without {prefix}");
        if let Some(rest) = line.trim_end().strip_prefix(prefix) {
            return rest.to_owned();
        }
    };
    let piped = |child: &mut Child| BufReader::new(child.stdout.take().unwrap());
    let mut outputs: Vec<_> = children.iter_mut().map(piped).collect();
    for output in &mut outputs {
        next(output, "ready");
    }
    for child in &mut children {
        drop(child.stdin.take());
    }
    let tokens = outputs.iter_mut().map(|output| next(output, "token="));
    let tokens = tokens.collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    tokens
}

/// Does nothing unless the test above starts it in a process of its own.
#[tokio::test]
async fn one_of_the_racing_processes() {
    let Some(directory) = env::var_os("ENTRA_TEST_RACE").map(PathBuf::from) else {
        return;
    };
    let var = |name: &str| env::var(format!("ENTRA_TEST_{name}")).unwrap();
    println!("\nready");
    // Until the test says that all are there.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    let cache = TokenCache::builder()
        .store(FileStore::open(&directory).unwrap())
        .build();
    let credential = ClientSecretCredential::builder(var("TENANT"), var("CLIENT"), var("SECRET"))
        .cloud(Cloud::custom(&var("URI"), &var("URI")).unwrap())
        .cache(&cache)
        .build()
        .unwrap();
    let token = credential.token(&graph()).await.unwrap();
    assert_eq!(cache.store_failures(), 0);
    println!("\ntoken={}", token.expose_secret());
}
