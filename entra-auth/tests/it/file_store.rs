//! Tokens in files: rights, replacement, damage, and processes that race for one token.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use entra_auth::{
    ClientSecretCredential, TokenCache,
    store::{EncryptedStore, EncryptionKey, FileStore, StoreErrorKind, StoreKey},
};
use entra_core::{Cloud, TokenCredential};
use entra_mock::{FakeTenant, Fault};

use crate::support::{Service, builder, graph, number};

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

    /// All files below it.
    fn files(&self) -> Vec<PathBuf> {
        let below = |path: &Path| {
            fs::read_dir(path)
                .unwrap()
                .map(|entry| entry.unwrap().path())
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
fn it_works_without_a_runtime() {
    let (service, directory) = (Service::new(), Directory::new());
    let waker = std::task::Waker::noop();
    let mut context = std::task::Context::from_waker(waker);
    for _ in 0..2 {
        let credential = credential(&service, &directory);
        let request = graph();
        let mut call = credential.token(&request);
        let token = (0..100).find_map(|_| match call.as_mut().poll(&mut context) {
            std::task::Poll::Ready(token) => Some(token.unwrap()),
            std::task::Poll::Pending => None,
        });
        assert!(token.is_some());
    }
    assert_eq!(service.count(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (service, directory) = (Service::new(), Directory::new());
    number(&credential(&service, &directory), &graph()).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory.0), 0o700);
    for file in directory.files() {
        assert_eq!(mode(&file), 0o600, "{file:?}");
        assert_eq!(mode(file.parent().unwrap()), 0o700);
    }
}

#[cfg(unix)]
#[test]
fn a_directory_that_others_may_write_to_is_refused() {
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
async fn files_and_their_names_say_nothing_when_encrypted_and_names_say_nothing_ever() {
    let (service, directory) = (Service::new(), Directory::new());
    let cache = TokenCache::builder()
        .store(directory.store())
        .encryption_key(EncryptionKey::new([9; 32]))
        .build();
    number(&builder(&service).cache(&cache).build().unwrap(), &graph()).await;
    for file in directory.files() {
        let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
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
async fn when_nothing_can_be_written_the_token_is_served_all_the_same() {
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
async fn removing_a_partition_leaves_the_others_whatever_its_name() {
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
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = (0..CHILDREN).map(|_| child()).collect();
    let outputs = tokio::task::spawn_blocking(|| {
        let wait = |child: std::process::Child| child.wait_with_output().unwrap();
        children.into_iter().map(wait).collect::<Vec<_>>()
    });
    let mut tokens = Vec::new();
    for output in outputs.await.unwrap() {
        let text = String::from_utf8(output.stdout).unwrap();
        let token = text.lines().find_map(|line| line.strip_prefix("token="));
        tokens.push(token.unwrap_or_else(|| panic!("{text}")).to_owned());
    }
    assert_eq!(tokens.len(), CHILDREN);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    // The one that was refused, and its next try.
    tenant.requests().to("/oauth2/v2.0/token").assert_count(2);
}

/// Does nothing unless the test above starts it in a process of its own.
#[tokio::test]
async fn one_of_the_racing_processes() {
    let Some(directory) = env::var_os("ENTRA_TEST_RACE").map(PathBuf::from) else {
        return;
    };
    let var = |name: &str| env::var(format!("ENTRA_TEST_{name}")).unwrap();
    // All start together, once all are there.
    fs::write(directory.join(format!("{}.ready", std::process::id())), "").unwrap();
    let started = Instant::now();
    while fs::read_dir(&directory)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some())
        .count()
        < 6
    {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "the others are missing"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
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
