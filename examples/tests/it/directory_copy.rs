//! The example that keeps a copy in SQLite: killed at any moment, it loses and doubles no change.
//!
//! CI kills it a few times. `ENTRA_SYNC_KILLS` sets how often. The peak of its memory is printed with `--nocapture`.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use clap::Parser as _;
use entra_auth::EnvironmentCredential;
use entra_core::{Environment, SecureRandom, SeededRandom};
use entra_graph::{GraphClient, sync::SyncStore as _};
use entra_mock::{FakeTenant, Fault};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::{
    directory_sync::{
        Arguments, copied, export, preview,
        store::{Database, DatabaseError},
        sync, with,
    },
    journal::assert_no_findings,
};

/// The database of the child process, which is this test alone.
const DATABASE: &str = "ENTRA_TEST_DATABASE";

struct Copied {
    path: PathBuf,
    tenant: FakeTenant,
    variables: Vec<(&'static str, String)>,
}

impl Copied {
    async fn new(name: &str) -> Self {
        Self::of(name, 300).await
    }

    async fn of(name: &str, users: usize) -> Self {
        let tenant = FakeTenant::builder().users(users).start().await;
        let app = tenant
            .register_app("Directory sync")
            .application_permission("User.Read.All")
            .application_permission("GroupMember.Read.All")
            .with_secret();
        let folder = format!("entra-directory-sync-{name}-{}", std::process::id());
        let folder = env::temp_dir().join(folder);
        fs::create_dir_all(&folder).unwrap();
        Self {
            variables: vec![
                ("AZURE_AUTHORITY_HOST", tenant.uri()),
                ("ENTRA_GRAPH_URL", format!("{}/v1.0", tenant.uri())),
                ("AZURE_TENANT_ID", tenant.id().to_string()),
                ("AZURE_CLIENT_ID", app.client_id().to_string()),
                (
                    "AZURE_CLIENT_SECRET",
                    app.secret().expose_secret().to_owned(),
                ),
            ],
            path: folder.join("copy.db"),
            tenant,
        }
    }

    fn graph(&self) -> GraphClient {
        let pairs = self
            .variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        graph(&Environment::from_pairs(pairs))
    }

    fn start(&self, test: &str) -> Child {
        Command::new(env::current_exe().unwrap())
            .args(["--exact", "--test-threads", "1", test])
            .env(DATABASE, &self.path)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// What the tables hold must be what the log of changes says, each change exactly once.
    fn check(&self) -> Tables {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let Ok(connection) = Connection::open_with_flags(&self.path, flags) else {
            return Tables::default();
        };
        let has_tables = "SELECT count(*) FROM sqlite_master WHERE name = 'changes'";
        let count: i64 = connection
            .query_row(has_tables, [], |row| row.get(0))
            .unwrap();
        if count == 0 {
            return Tables::default();
        }
        let mut replayed = Tables::default();
        let mut statement = connection
            .prepare("SELECT change FROM changes ORDER BY sequence")
            .unwrap();
        let changes = statement
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap();
        for change in changes {
            replayed.apply(&serde_json::from_str(&change.unwrap()).unwrap());
        }
        let mut stored = Tables::default();
        let mut statement = connection
            .prepare("SELECT id, object FROM objects")
            .unwrap();
        let objects = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)));
        for object in objects.unwrap() {
            let (id, json) = object.unwrap();
            stored
                .objects
                .insert(id, serde_json::from_str(&json).unwrap());
        }
        let mut statement = connection
            .prepare("SELECT group_id, member_id FROM members")
            .unwrap();
        let members = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        stored.members.extend(members.unwrap().map(Result::unwrap));
        assert_eq!(stored, replayed);
        stored
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.path.parent().unwrap_or(Path::new("")));
    }
}

#[derive(Debug, Default, PartialEq)]
struct Tables {
    objects: BTreeMap<String, Value>,
    members: BTreeSet<(String, String)>,
}

impl Tables {
    fn apply(&mut self, change: &Value) {
        let text = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
        match change["change"].as_str().unwrap() {
            "upsert" => {
                let object = change["object"].clone();
                let id = object["id"].as_str().unwrap().to_owned();
                let before = self.objects.insert(id, object.clone());
                assert_ne!(before, Some(object), "an object was written twice");
            }
            "removed" => {
                let id = text("id");
                assert!(self.objects.remove(&id).is_some(), "{id} was removed twice");
                self.members
                    .retain(|(group, member)| *group != id && *member != id);
            }
            "memberAdded" => {
                let link = (text("group"), text("member"));
                assert!(
                    self.members.insert(link),
                    "a member was added twice: {change}"
                );
            }
            "memberRemoved" => {
                let link = (text("group"), text("member"));
                assert!(
                    self.members.remove(&link),
                    "a member was removed twice: {change}"
                );
            }
            other => assert_eq!(other, "", "an unknown change"),
        }
    }
}

fn graph(environment: &Environment) -> GraphClient {
    let credential = EnvironmentCredential::builder(environment).build().unwrap();
    GraphClient::builder(credential)
        .environment(environment)
        .build()
        .unwrap()
}

/// The child process: one run of the example.
async fn child() -> bool {
    let Some(database) = env::var_os(DATABASE) else {
        return false;
    };
    let graph = graph(&Environment::from_env());
    sync(copied(&graph), Path::new(&database)).await.unwrap();
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_the_copy_loses_and_doubles_no_change() {
    if child().await {
        return;
    }
    const NAME: &str = "directory_copy::killed_at_any_moment_the_copy_loses_and_doubles_no_change";
    let kills = env::var("ENTRA_SYNC_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(12_u64);
    let copied = Copied::new("kill").await;
    let random = SeededRandom::new(20_261_129);
    let below = |end: u64| {
        let mut bytes = [0; 8];
        random.fill(&mut bytes).unwrap();
        u64::from_le_bytes(bytes) % end
    };
    // The first run is measured, so that the moments are spread over a whole one; nothing else depends on it.
    let started = Instant::now();
    assert!(copied.start(NAME).wait().unwrap().success());
    let whole = u64::try_from(started.elapsed().as_micros()).unwrap();
    assert!(copied.check().objects.len() >= 300);
    let mut killed = 0;
    for round in 0.. {
        if killed == kills {
            break;
        }
        assert!(
            round < 5 * kills,
            "{killed} of {round} runs were killed before their end"
        );
        let everyone = copied.tenant.add_group(&format!("Group {round}"));
        for number in 0..20 {
            let user = copied.tenant.add_user(&format!("User {round}-{number}"));
            everyone.add_member(user.id());
        }
        let known: Vec<String> = copied.check().objects.keys().cloned().collect();
        for _ in 0..3 {
            let at = usize::try_from(below(known.len() as u64)).unwrap();
            copied.tenant.remove("users", &known[at]).unwrap();
        }
        if below(4) == 0 {
            copied.tenant.forget_delta_links();
        }
        let mut child = copied.start(NAME);
        thread::sleep(Duration::from_micros(below(whole)));
        if let Some(status) = child.try_wait().unwrap() {
            // It was over before.
            assert!(status.success());
        } else {
            // SIGKILL on Unix.
            child.kill().unwrap();
            killed += u64::from(!child.wait().unwrap().success());
        }
        copied.check();
    }
    assert!(copied.start(NAME).wait().unwrap().success());
    let tables = copied.check();
    let graph = copied.graph();
    let users = graph
        .users()
        .list()
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    let groups = graph
        .groups()
        .list()
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    let ids = users
        .iter()
        .map(|user| &user.id)
        .chain(groups.iter().map(|group| &group.id));
    let ids: BTreeSet<_> = ids.collect();
    let copied: BTreeSet<_> = tables.objects.keys().collect();
    let differing: Vec<_> = ids.symmetric_difference(&copied).collect();
    assert!(differing.is_empty(), "in one of both only: {differing:?}");
    let lists = groups
        .iter()
        .map(|group| graph.group(&group.id).members().list());
    let mut members = BTreeSet::new();
    for (group, list) in groups.iter().zip(graph.read_lists(lists).await) {
        members.extend(
            list.unwrap()
                .iter()
                .map(|member| (group.id.clone(), member.id().to_owned())),
        );
    }
    let differing: Vec<_> = members.symmetric_difference(&tables.members).collect();
    assert!(differing.is_empty(), "in one of both only: {differing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_reports_what_would_be_held_back_and_writes_no_file() {
    let held_by = async |copied: &Copied| {
        let (mut out, mut report) = (Vec::new(), Vec::new());
        let sync = crate::directory_sync::copied(&copied.graph());
        preview(&sync, &copied.path, &mut out, &mut report)
            .await
            .unwrap();
        let lines = String::from_utf8(out).unwrap();
        (lines.lines().count(), String::from_utf8(report).unwrap())
    };
    let copied = Copied::new("dry-run").await;
    let (changes, report) = held_by(&copied).await;
    assert!(changes > 300, "{changes}");
    assert!(report.contains("FullRound"), "{report}");
    assert!(!copied.path.exists());

    let graph = copied.graph();
    sync(crate::directory_sync::copied(&graph), &copied.path)
        .await
        .unwrap();
    let before = copied.check();
    for id in before.objects.keys().take(100) {
        // Some are groups.
        let _ = copied.tenant.remove("users", id);
    }
    let (changes, report) = held_by(&copied).await;
    assert!(changes > 50, "{changes}");
    assert!(
        report.contains("users, too many") && report.contains("token"),
        "{report}"
    );
    assert_eq!(copied.check(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_export_has_the_changes_after_a_sequence_number_as_json_lines() {
    let copied = Copied::new("export").await;
    let graph = copied.graph();
    sync(crate::directory_sync::copied(&graph), &copied.path)
        .await
        .unwrap();
    let lines = |since: i64| -> Vec<Value> {
        let mut out = Vec::new();
        export(&copied.path, since, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let all = lines(0);
    let last = all.last().unwrap()["sequence"].as_i64().unwrap();
    assert_eq!(all.len(), usize::try_from(last).unwrap());
    assert_eq!(all[0]["change"]["change"], "upsert");
    assert!(all[0]["change"]["object"]["displayName"].is_string());
    assert!(lines(last).is_empty());
    let nina = copied.tenant.add_user("Nina");
    sync(crate::directory_sync::copied(&graph), &copied.path)
        .await
        .unwrap();
    let new = lines(last);
    assert_eq!(new.len(), 1, "{new:?}");
    assert_eq!(new[0]["sequence"], last + 1);
    assert_eq!(new[0]["change"]["object"]["id"], nina.id().to_string());
    assert_eq!(
        (&new[0]["change"]["change"], &new[0]["change"]["kind"]),
        (&"upsert".into(), &"user".into())
    );
    assert_no_findings(&copied.tenant);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_export_from_a_database_that_is_another_one_is_an_error() {
    let copied = Copied::new("replaced").await;
    let graph = copied.graph();
    let export = |since: i64| {
        let mut out = Vec::new();
        export(&copied.path, since, &mut out).map(|()| out)
    };
    assert_eq!(export(0).unwrap(), b"", "before the first change");
    sync(crate::directory_sync::copied(&graph), &copied.path)
        .await
        .unwrap();
    let last = Database::open(&copied.path)
        .unwrap()
        .last_sequence()
        .unwrap();
    assert!(last > 300, "{last}");
    assert_eq!(export(last).unwrap(), b"");
    // The reader has lines of a longer database, such as before this one was restored.
    let error = export(last + 1).unwrap_err().to_string();
    assert!(
        error.contains(&format!("number {last}, and not {}", last + 1)) && error.contains("fix:"),
        "{error}"
    );
    // Old changes can be deleted, and the numbers go on.
    let connection = Connection::open(&copied.path).unwrap();
    connection.execute("DELETE FROM changes", []).unwrap();
    assert_eq!(export(last).unwrap(), b"");
}

#[test]
fn a_fake_tenant_and_a_real_one_have_databases_of_their_own() {
    let database = |options: &[&str]| {
        let name = std::iter::once(&"directory_sync");
        let arguments = Arguments::try_parse_from(name.chain(options)).unwrap();
        arguments.database().display().to_string()
    };
    assert_eq!(database(&[]), "fake-directory.db");
    assert_eq!(database(&["--tenant", "env"]), "directory.db");
    assert_eq!(database(&["--database", "copy.db"]), "copy.db");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_before_an_export_is_the_error_that_is_reported() {
    let copied = Copied::new("failed").await;
    let path = copied.path.display().to_string();
    let options = ["--database", &path, "--export", "--since", "1000000"];
    let options = ["directory_sync"].into_iter().chain(options);
    let arguments = Arguments::try_parse_from(options).unwrap();
    copied.tenant.inject(Fault::on("/delta").status(400));
    let error = with(&copied.graph(), &arguments).await.unwrap_err();
    let error = error.to_string();
    assert!(!error.contains("sequence number"), "{error}");
    copied.tenant.clear_faults();
    let error = with(&copied.graph(), &arguments).await.unwrap_err();
    let error = error.to_string();
    assert!(error.contains("and not 1000000"), "{error}");
}

#[test]
fn options_that_would_be_ignored_are_errors() {
    let parse = |options: &[&str]| {
        let name = std::iter::once(&"directory_sync");
        Arguments::try_parse_from(name.chain(options)).map(drop)
    };
    for options in [
        &["--export", "--dry-run"][..],
        &["--since", "5"],
        &["--since", "5", "--dry-run"],
        &["--url", "https://app.example.com/notifications"],
        &["--listen", "127.0.0.1:0", "--export"],
        &["--listen", "127.0.0.1:0", "--dry-run"],
    ] {
        assert!(parse(options).is_err(), "{options:?}");
    }
    for options in [
        &["--dry-run"][..],
        &["--export"],
        &["--export", "--since", "5"],
        &[],
    ] {
        assert!(parse(options).is_ok(), "{options:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_one_database_doubles_no_change() {
    let copied = Copied::new("two").await;
    let graph = copied.graph();
    let mut databases = [
        Database::open(&copied.path).unwrap(),
        Database::open(&copied.path).unwrap(),
    ];
    let [one, other] = &mut databases;
    let mut first = crate::directory_sync::copied(&graph);
    let mut second = crate::directory_sync::copied(&graph);
    let step = first.next(one).await.unwrap().unwrap();
    let same = second.next(other).await.unwrap().unwrap();
    assert_eq!((step.follows(), same.follows()), (0, 0));
    one.commit(&step).await.unwrap();
    let error = other.commit(&same).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Overtaken), "{error}");
    assert!(error.to_string().contains("fix:"), "{error}");
    // The second one goes on where the first one was, and then the first one is overtaken.
    let next = second.next(other).await.unwrap().unwrap();
    assert_eq!(next.follows(), step.state().step());
    let same = first.next(one).await.unwrap().unwrap();
    other.commit(&next).await.unwrap();
    assert!(one.commit(&same).await.is_err());
    sync(crate::directory_sync::copied(&graph), &copied.path)
        .await
        .unwrap();
    assert!(copied.check().objects.len() > 300);
}

/// The most memory that a process had so far, in KiB.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// `ENTRA_SYNC_USERS` sets the number of users; the second copy has five times as many.
#[tokio::test(flavor = "multi_thread")]
async fn the_memory_of_a_copy_does_not_grow_with_the_directory() {
    if child().await {
        return;
    }
    const NAME: &str = "directory_copy::the_memory_of_a_copy_does_not_grow_with_the_directory";
    if peak(std::process::id()).is_none() {
        println!("skipped: the system does not tell the memory of a process");
        return;
    }
    let users = env::var("ENTRA_SYNC_USERS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000_usize);
    let mut peaks = Vec::new();
    for users in [users, 5 * users] {
        let copied = Copied::of(&format!("memory-{users}"), users).await;
        let mut child = copied.start(NAME);
        let mut most = 0;
        let status = loop {
            most = most.max(peak(child.id()).unwrap_or_default());
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            thread::sleep(Duration::from_millis(5));
        };
        assert!(status.success());
        let tables = copied.check();
        assert!(tables.objects.len() >= users, "the child copied nothing");
        println!(
            "{} objects and {} memberships: a peak of {most} KiB",
            tables.objects.len(),
            tables.members.len()
        );
        peaks.push(most);
    }
    assert!(peaks[0] > 0 && peaks[1] * 4 < peaks[0] * 5, "{peaks:?} KiB");
}
