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
        let database = self.folder.join("copy.db");
        self.wait_until(id, |_| has(&database, id)).await;
    }

    /// Waits until the process has written a text.
    async fn wait_for_log(&mut self, text: &str) {
        self.wait_until(text, |log| log.contains(text)).await;
    }

    async fn wait_until(&mut self, what: &str, is_there: impl Fn(&str) -> bool) {
        // Only a process that is stuck comes near it.
        let most = Instant::now() + Duration::from_secs(120);
        loop {
            let ended = self.process.try_wait().unwrap();
            let log = self.log();
            if is_there(&log) {
                return;
            }
            assert!(ended.is_none(), "the process ended: {log}");
            assert!(Instant::now() < most, "{what} is missing: {log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
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

/// Starts the example as a process of its own, which runs a test of this file again.
fn listen(tenant: &FakeTenant, test: &str) -> Listening {
    let app = tenant
        .register_app("Directory sync")
        .application_permission("User.Read.All")
        .application_permission("Group.Read.All")
        .with_secret();
    let folder = format!("entra-{test}-{}", std::process::id());
    let folder = env::temp_dir().join(folder);
    fs::create_dir_all(&folder).unwrap();
    let process = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg(format!("directory_updates::{test}"))
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
    Listening { process, folder }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listening_process_copies_what_its_notifications_announce() {
    if child().await {
        return;
    }
    let tenant = FakeTenant::start().await;
    let test = "a_listening_process_copies_what_its_notifications_announce";
    let mut listening = listen(&tenant, test);
    // The first run is after the subscriptions.
    let adele = tenant.user("adele@contoso.com").id().to_string();
    listening.wait_for(&adele).await;

    let nina = tenant.add_user("Nina").id().to_string();
    let report = tenant.deliver_due_notifications().await;
    assert_eq!((report.delivered, report.failed), (1, 0), "{report:?}");
    listening.wait_for(&nina).await;
    let log = listening.log();
    assert!(log.contains("Changes, 1 notifications"), "{log}");
    assert!(!log.contains("error"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listening_process_goes_on_while_removals_are_held_back() {
    if child().await {
        return;
    }
    let tenant = FakeTenant::start().await;
    let leavers: Vec<String> = (0..20)
        .map(|number| {
            tenant
                .add_user(&format!("Leaver {number}"))
                .id()
                .to_string()
        })
        .collect();
    let test = "a_listening_process_goes_on_while_removals_are_held_back";
    let mut listening = listen(&tenant, test);
    for id in &leavers {
        listening.wait_for(id).await;
    }
    for id in &leavers {
        assert!(tenant.remove("users", id).unwrap());
    }
    tenant.deliver_due_notifications().await;
    listening
        .wait_for_log("the deletion guard holds back")
        .await;
    // Users that join are copied all the same, and nothing is removed.
    let nina = tenant.add_user("Nina").id().to_string();
    tenant.deliver_due_notifications().await;
    listening.wait_for(&nina).await;
    for id in &leavers {
        listening.wait_for(id).await;
    }
}
