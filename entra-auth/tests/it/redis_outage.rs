//! A Redis server that is killed, hangs and comes back while tokens are on their way: no user is
//! lost. The tests start a server of their own; without `redis-server` they say that they are skipped.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use entra_auth::{
    TokenCache,
    store::{EncryptedStore, EncryptionKey, RedisStore, StoreKey},
    user::UserCredential,
};
use entra_core::{TokenCredential, TokenRequest};
use entra_mock::{App, FakeTenant};

use crate::{
    store_refresh::{ADELE, replica, sign_in},
    support::{Service, builder, graph, number},
    user_code::shop,
};

/// A server on a port of its own, whose data outlive it.
struct Server {
    process: Child,
    directory: PathBuf,
    port: u16,
}

impl Server {
    /// None, and a line that says so, where there is no Redis.
    async fn start() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("entra-redis-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        // Another process may get the port that the system has just shown to be free.
        loop {
            let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let Some(process) = spawn(&directory, port) else {
                fs::remove_dir_all(&directory).unwrap();
                println!("SKIPPED: there is no redis-server on this machine");
                return None;
            };
            let mut server = Self {
                process,
                directory: directory.clone(),
                port,
            };
            if server.is_up().await {
                return Some(server);
            }
        }
    }

    /// Waits until it responds; false if the process ends before.
    async fn is_up(&mut self) -> bool {
        let key = StoreKey::new("ready", "ready");
        loop {
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            if self.store().load(&key).await.is_ok() {
                return true;
            }
        }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    async fn restart(&mut self) {
        self.process = spawn(&self.directory, self.port).unwrap();
        assert!(self.is_up().await);
    }

    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
    }

    fn store(&self) -> RedisStore {
        let (password, port) = (password(&self.directory), self.port);
        RedisStore::new(&format!("redis://:{password}@127.0.0.1:{port}")).unwrap()
    }

    /// As after the start of a process.
    fn cache(&self) -> TokenCache {
        TokenCache::builder()
            .store(self.store())
            .store_timeout(Duration::from_millis(500))
            .encryption_key(EncryptionKey::new([5; 32]))
            .build()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal("-CONT");
        drop(self.process.kill());
        drop(self.process.wait());
        drop(fs::remove_dir_all(&self.directory));
    }
}

/// Another server may have got the port: it does not know this password.
fn password(directory: &Path) -> String {
    directory.file_name().unwrap().to_str().unwrap().to_owned()
}

fn spawn(directory: &Path, port: u16) -> Option<Child> {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args([
            "--save",
            "",
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
        ])
        .args(["--requirepass", &password(directory)])
        .arg("--dir")
        .arg(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()
}

fn fresh() -> TokenRequest {
    TokenRequest::new(["User.Read"]).with_force_refresh()
}

/// The user at a replica that was just started, and its cache.
async fn resumed(
    server: &Server,
    (tenant, app): (&FakeTenant, &App),
    user: &UserCredential,
) -> Option<UserCredential> {
    let flow = replica(tenant, app, &server.cache());
    flow.resume(user.account()).await
}

/// The same, as soon as the server responds within the time limit of a replica that has just started.
async fn resumed_soon(
    server: &Server,
    shop: (&FakeTenant, &App),
    user: &UserCredential,
) -> UserCredential {
    loop {
        if let Some(user) = resumed(server, shop, user).await {
            return user;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn killed_and_restarted_redis_loses_no_session() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let (tenant, app) = shop().await;
    let cache = server.cache();
    let user = sign_in(&tenant, &replica(&tenant, &app, &cache), ADELE).await;
    assert!(resumed(&server, (&tenant, &app), &user).await.is_some());
    assert_eq!(cache.store_failures(), 0);

    server.kill();
    // Here the memory has what is needed, also for new tokens; elsewhere nothing is known for now.
    user.token(&TokenRequest::new(["User.Read"])).await.unwrap();
    user.token(&fresh()).await.unwrap();
    user.token(&fresh()).await.unwrap();
    assert!(cache.store_failures() > 0);
    assert!(resumed(&server, (&tenant, &app), &user).await.is_none());

    server.restart().await;
    let other = resumed(&server, (&tenant, &app), &user).await.unwrap();
    other.token(&fresh()).await.unwrap();
    user.token(&fresh()).await.unwrap();
    let third = resumed(&server, (&tenant, &app), &user).await.unwrap();
    third.token(&fresh()).await.unwrap();
}

#[tokio::test]
async fn redis_killed_while_it_hangs_fails_no_call() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let (tenant, app) = shop().await;
    let user = sign_in(&tenant, &replica(&tenant, &app, &server.cache()), ADELE).await;
    let service = Service::new();
    let cache = server.cache();
    let app_only = Arc::new(builder(&service).cache(&cache).build().unwrap());
    assert_eq!(number(&app_only, &graph()).await, 1);

    server.signal("-STOP");
    let calls: Vec<_> = (0..8)
        .map(|number| {
            let (user, app_only) = (user.clone(), Arc::clone(&app_only));
            tokio::spawn(async move {
                let request = TokenRequest::new([format!("api-{number}/.default")]);
                app_only.token(&request).await.unwrap();
                user.token(&fresh()).await.unwrap();
            })
        })
        .collect();
    // Some of them have sent their commands by now, and wait for responses that never come.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    server.kill();
    for call in calls {
        call.await.unwrap();
    }
    assert!(cache.store_failures() > 0);

    server.restart().await;
    let other = resumed_soon(&server, (&tenant, &app), &user).await;
    other.token(&fresh()).await.unwrap();
}

#[tokio::test]
async fn hanging_redis_is_skipped_and_used_again_later() {
    let Some(server) = Server::start().await else {
        return;
    };
    let (tenant, app) = shop().await;
    let cache = server.cache();
    let user = sign_in(&tenant, &replica(&tenant, &app, &cache), ADELE).await;

    server.signal("-STOP");
    for _ in 0..3 {
        user.token(&fresh()).await.unwrap();
    }
    assert!(cache.store_failures() > 0);
    server.signal("-CONT");
    // A replica that starts now finds the user; one that skips the server asks it again later.
    let other = resumed_soon(&server, (&tenant, &app), &user).await;
    other.token(&fresh()).await.unwrap();
    let last = cache.last_store_failure().unwrap().to_string();
    assert!(last.contains("skipped"), "{last}");
    // However long the pause is: sooner or later a token is stored again.
    let key = loop {
        let before = cache.store_failures();
        user.token(&fresh()).await.unwrap();
        if cache.store_failures() == before {
            break user.account().clone();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(key, *other.account());
    user.token(&fresh()).await.unwrap();
}

#[tokio::test]
async fn emptied_redis_signs_out_no_user_of_a_running_process() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let service = Service::new();
    let cache = server.cache();
    let credential = builder(&service).cache(&cache).build().unwrap();
    assert_eq!(number(&credential, &graph()).await, 1);
    server.kill();
    fs::remove_dir_all(&server.directory).unwrap();
    fs::create_dir_all(&server.directory).unwrap();
    server.restart().await;
    assert_eq!(number(&credential, &graph()).await, 1, "the memory has it");
    let again = builder(&service).cache(&server.cache()).build().unwrap();
    assert_eq!(number(&again, &graph()).await, 2);
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn an_entry_expires_by_the_clock_of_redis_beside_others_that_live_longer() {
    let Some(server) = Server::start().await else {
        return;
    };
    let store = server.store();
    // One hash: the partition of a user has sessions, their states and tokens.
    let (short, long) = (
        StoreKey::new("user", "state"),
        StoreKey::new("user", "record"),
    );
    store.save(&long, b"record", HOUR).await.unwrap();
    store
        .save(&short, b"state", Duration::from_millis(200))
        .await
        .unwrap();
    let expiry = async {
        while store.load(&short).await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    };
    // Only without an expiry does the limit end the wait.
    let minute = Duration::from_secs(60);
    tokio::time::timeout(minute, expiry).await.unwrap();
    assert_eq!(store.load(&long).await.unwrap().unwrap(), b"record");
    // Written again, it is valid again; a time beyond the range of clocks is accepted.
    store.save(&short, b"state", HOUR).await.unwrap();
    assert_eq!(store.load(&short).await.unwrap().unwrap(), b"state");
    let century = Duration::from_secs(100 * 365 * 24 * 3600);
    store.save(&short, b"", century).await.unwrap();
    assert_eq!(store.load(&short).await.unwrap().unwrap(), b"");
    let absent = StoreKey::new("user", "nothing");
    assert!(store.load(&absent).await.unwrap().is_none());
}

#[tokio::test]
async fn an_entry_in_redis_that_is_larger_than_any_is_not_read() {
    let Some(server) = Server::start().await else {
        return;
    };
    let store = server.store();
    let key = StoreKey::new("user", "entry");
    let mut entry = vec![7; 4 << 20];
    store.save(&key, &entry, HOUR).await.unwrap();
    assert!(
        store
            .load(&key)
            .await
            .unwrap()
            .is_some_and(|found| found == entry)
    );
    entry.push(7);
    store.save(&key, &entry, HOUR).await.unwrap();
    assert!(store.load(&key).await.unwrap().is_none());
    // The next entry takes its place.
    store.save(&key, b"next", HOUR).await.unwrap();
    assert_eq!(store.load(&key).await.unwrap().unwrap(), b"next");
}
