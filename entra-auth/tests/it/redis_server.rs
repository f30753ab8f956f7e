//! Redis servers of the tests' own. Without `redis-server` the tests say that they are skipped.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use entra_auth::{
    TokenCache,
    store::{EncryptedStore, EncryptionKey, RedisStore, StoreKey},
};

/// A server on a port of its own, whose data outlive it.
pub(crate) struct Server {
    process: Child,
    directory: PathBuf,
    port: u16,
}

impl Server {
    /// None, and a line that says so, where there is no Redis.
    pub(crate) async fn start() -> Option<Self> {
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

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) async fn restart(&mut self) {
        self.process = spawn(&self.directory, self.port).unwrap();
        assert!(self.is_up().await);
    }

    /// Removes all data of a server that was killed.
    pub(crate) fn empty(&self) {
        fs::remove_dir_all(&self.directory).unwrap();
        fs::create_dir_all(&self.directory).unwrap();
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// How many fields the hash of a partition has, expired ones too.
    pub(crate) fn fields(&self, key: &StoreKey) -> u64 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let (password, partition) = (password(&self.directory), key.partition());
        let commands = format!("AUTH {password}\r\nHLEN entra:{partition}\r\nQUIT\r\n");
        stream.write_all(commands.as_bytes()).unwrap();
        let mut responses = String::new();
        stream.read_to_string(&mut responses).unwrap();
        let mut lines = responses.lines();
        let number = lines.find_map(|line| line.strip_prefix(':')).unwrap();
        number.parse().unwrap()
    }

    pub(crate) fn store(&self) -> RedisStore {
        let (password, port) = (password(&self.directory), self.port);
        RedisStore::new(&format!("redis://:{password}@127.0.0.1:{port}")).unwrap()
    }

    /// As after the start of a process.
    pub(crate) fn cache(&self) -> TokenCache {
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
