//! A list is complete or an error, whatever fails on any page.

use std::{collections::HashSet, env, fs, process::Command, time::Duration};

use entra_auth::ClientSecretCredential;
use entra_core::{Clock, ObjectId, SecureRandom, SeededRandom};
use entra_graph::{Error, GraphClient, User};
use entra_mock::{FakeTenant, Fault, FaultTrigger, Seed};

fn client(tenant: &FakeTenant) -> GraphClient {
    let app = tenant
        .register_app("Lister")
        .application_permission("User.Read.All")
        .with_secret();
    let credential = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .random(SeededRandom::new(1))
        .build()
        .unwrap()
}

type NamedFault = (&'static str, fn(FaultTrigger) -> Fault);

/// A fault of a page.
const FAULTS: [NamedFault; 8] = [
    ("503", |on| on.status(503)),
    ("404", |on| on.status(404)),
    ("429", |on| on.status_with_retry_after(429, "2.128")),
    ("empty page", FaultTrigger::empty_page),
    ("repeated link", FaultTrigger::repeat_next_link),
    ("foreign link", |on| {
        on.foreign_next_link("https://evil.example")
    }),
    ("half a body", FaultTrigger::truncated_body),
    ("no JSON", FaultTrigger::garbage_body),
];

/// Reads the whole list; returns the numbers of distinct users and of rows.
async fn list(graph: &GraphClient, page_size: u32) -> Result<(usize, usize), Error> {
    let mut users = graph
        .users()
        .list()
        .select(User::DISPLAY_NAME)
        .top(page_size)
        .items();
    let (mut ids, mut rows) = (HashSet::new(), 0);
    while let Some(user) = users.try_next().await? {
        rows += 1;
        ids.insert(user.id);
    }
    Ok((ids.len(), rows))
}

/// Injects each fault, once and permanently, at each page of a list of ten.
#[tokio::test(flavor = "multi_thread")]
async fn no_fault_at_any_page_makes_a_short_list_look_complete() {
    let tenant = FakeTenant::builder()
        .seed(Seed::Empty)
        .users(500)
        .start()
        .await;
    let graph = client(&tenant);
    let (mut complete, mut failed) = (0, 0);
    for (name, fault) in FAULTS {
        for page in 1..=10 {
            for times in [Some(1), None] {
                tenant.clear_faults();
                let on = Fault::on("/users").page(page);
                tenant.inject(match times {
                    Some(times) => fault(on.times(times)),
                    None => fault(on),
                });
                match list(&graph, 50).await {
                    Ok(seen) => {
                        assert_eq!(seen, (500, 500), "{name} at page {page}, times {times:?}");
                        complete += 1;
                    }
                    Err(error) => {
                        assert!(!error.to_string().is_empty());
                        failed += 1;
                    }
                }
            }
        }
    }
    // Both outcomes occur, so the test proves both.
    assert!(
        complete > 20 && failed > 60,
        "{complete} complete, {failed} failed"
    );
}

/// Lists a hundred thousand users while random pages fail temporarily: all users arrive in the memory of a few
/// pages. Then random pages fail permanently: the list is an error each time.
///
/// It runs in its own process, so that it does not measure the memory of other tests.
#[test]
fn a_hundred_thousand_users_are_listed_in_flat_memory() {
    const ALONE: &str = "ENTRA_TEST_ALONE";
    if env::var_os(ALONE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        return runtime.block_on(list_a_hundred_thousand());
    }
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "--test-threads", "1"])
        .arg("loss_proof::a_hundred_thousand_users_are_listed_in_flat_memory")
        .env(ALONE, "1")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{printed}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

async fn list_a_hundred_thousand() {
    const USERS: usize = 100_000;
    const HALF: usize = 51;
    let tenant = FakeTenant::builder()
        .seed(Seed::Empty)
        .users(USERS)
        .start()
        .await;
    let graph = client(&tenant);
    let random = Random(SeededRandom::new(20_261_120));

    for (_, fault) in [FAULTS[0], FAULTS[2], FAULTS[3], FAULTS[6]] {
        tenant.inject(fault(
            Fault::on("/users").page(random.up_to(90) + 8).times(1),
        ));
    }
    let mut pages = graph.users().list().pages();
    // Written to, so that the memory is allocated before the first measurement.
    let mut seen = vec![u128::MAX; USERS];
    let (mut rows, mut arrived) = (0, 0);
    let (mut early, mut late) = (0, 0);
    while let Some(page) = pages.try_next().await.unwrap() {
        arrived += 1;
        for user in page.items {
            let id: ObjectId = user.id.parse().unwrap();
            seen[rows] = u128::from_be_bytes(*id.guid().as_bytes());
            rows += 1;
        }
        late = resident_kib();
        // The fake tenant, which is in this process, has filled its cache of JSON by then.
        if arrived == HALF {
            early = late;
        }
    }
    assert_eq!(rows, USERS);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), USERS, "each user once");
    assert!(arrived > 100, "{arrived} pages");
    let grown = late.saturating_sub(early);
    println!("{grown} KiB more after {arrived} pages than after {HALF}");
    // The rows in between take more than ten times as much.
    assert!(grown < 3 * 1024, "{grown} KiB");

    for (name, fault) in [FAULTS[0], FAULTS[4], FAULTS[5], FAULTS[7]] {
        tenant.clear_faults();
        let page = random.up_to(60) + 2;
        tenant.inject(fault(Fault::on("/users").page(page)));
        let outcome = list(&graph, 999).await;
        assert!(outcome.is_err(), "{name} at page {page}: {outcome:?}");
    }
}

struct Random(SeededRandom);

impl Random {
    fn up_to(&self, most: u32) -> u32 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes).unwrap();
        u32::from_le_bytes(bytes) % most
    }
}

/// The resident memory of this process; 0 on a system that does not report it.
fn resident_kib() -> usize {
    fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("VmRSS:"))?;
            line.split_whitespace().nth(1)?.parse().ok()
        })
        .unwrap_or_default()
}

/// A wait that the server requests passes on the tenant's clock, not on the machine's.
#[tokio::test]
async fn a_long_wait_passes_on_the_tenants_clock() {
    let tenant = FakeTenant::builder()
        .seed(Seed::Empty)
        .users(10)
        .start()
        .await;
    let graph = client(&tenant);
    tenant.inject(
        Fault::on("/users")
            .times(1)
            .status_with_retry_after(429, "300"),
    );
    let before = tenant.clock().now();
    assert_eq!(list(&graph, 5).await.unwrap(), (10, 10));
    assert!(tenant.clock().now() - before >= Duration::from_secs(300));
}
