//! `directory_sync --listen` as a process: notifications make it copy what changed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use clap::Parser as _;
use entra_mock::FakeTenant;
use rusqlite::{Connection, OpenFlags};

use crate::directory_sync::{Arguments, run};

/// The database of the child process, which is this test alone.
const DATABASE: &str = "ENTRA_TEST_LISTEN_DATABASE";

/// The process and its files; both end with the test.
struct Listening {
    process: Child,
    folder: PathBuf,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Listening {
    /// Waits until the copy has an object, by its id.
    async fn wait_for(&mut self, id: &str) {
        // Only a process that is stuck comes near it.
        let most = Instant::now() + Duration::from_secs(120);
        while !has(&self.folder.join("copy.db"), id) {
            let ended = self.process.try_wait().unwrap();
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(ended.is_none(), "the process ended: {}", log());
            assert!(Instant::now() < most, "{id} is not copied: {}", log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn has(database: &Path, id: &str) -> bool {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let Ok(connection) = Connection::open_with_flags(database, flags) else {
        return false;
    };
    let count = connection.query_row("SELECT count(*) FROM objects WHERE id = ?1", [id], |row| {
        row.get::<_, i64>(0)
    });
    // The table is not there yet, or is locked by the process.
    count.is_ok_and(|count| count == 1)
}

/// The child process: the example with its options.
async fn child() -> bool {
    let Some(database) = env::var_os(DATABASE) else {
        return false;
    };
    let options = [
        "directory_sync",
        "--tenant",
        "env",
        "--listen",
        "127.0.0.1:0",
    ];
    let options = options.into_iter().map(Into::into);
    let arguments = options.chain(["--database".into(), database]);
    run(&Arguments::parse_from(arguments)).await.unwrap();
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listening_process_copies_what_its_notifications_announce() {
    if child().await {
        return;
    }
    const NAME: &str =
        "directory_updates::a_listening_process_copies_what_its_notifications_announce";
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Directory sync")
        .application_permission("User.Read.All")
        .application_permission("Group.Read.All")
        .with_secret();
    let folder = format!("entra-directory-updates-{}", std::process::id());
    let folder = env::temp_dir().join(folder);
    fs::create_dir_all(&folder).unwrap();
    let process = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", NAME])
        .env(DATABASE, folder.join("copy.db"))
        .env("AZURE_AUTHORITY_HOST", tenant.uri())
        .env("ENTRA_GRAPH_URL", format!("{}/v1.0", tenant.uri()))
        .env("AZURE_TENANT_ID", tenant.id().to_string())
        .env("AZURE_CLIENT_ID", app.client_id().to_string())
        .env("AZURE_CLIENT_SECRET", app.secret().expose_secret())
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("log")).unwrap())
        .spawn()
        .unwrap();
    let mut listening = Listening { process, folder };
    // The first run is after the subscriptions.
    let adele = tenant.user("adele@contoso.com").id().to_string();
    listening.wait_for(&adele).await;

    let nina = tenant.add_user("Nina").id().to_string();
    let report = tenant.deliver_due_notifications().await;
    assert_eq!((report.delivered, report.failed), (1, 0), "{report:?}");
    listening.wait_for(&nina).await;
    let log = fs::read_to_string(listening.folder.join("log")).unwrap();
    assert!(log.contains("Changes, 1 notifications"), "{log}");
    assert!(!log.contains("error"), "{log}");
}
