//! The copy equals the tenant after random changes, read in random rounds, with faults, crashes, lost states and all
//! oddities.
//!
//! CI runs a few seeds. `ENTRA_SYNC_SEEDS` and `ENTRA_SYNC_CHANGES` set how many, and how many changes each.

use entra_core::RetryPolicy;
use entra_graph::{
    GraphClient,
    sync::{DirectorySync, MemoryStore, ObjectKind, SyncError},
};
use entra_mock::{DeltaOddities, FakeTenant, Fault, GroupHandle};
use serde_json::json;

use super::{Copy, scope::assert_equals_scope};
use crate::support::AppCredential;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'v, T>(&mut self, values: &'v [T]) -> &'v T {
        &values[self.below(values.len())]
    }
}

struct World {
    random: Random,
    tenant: FakeTenant,
    graph: GraphClient,
    users: Vec<String>,
    groups: Vec<GroupHandle>,
    number: usize,
    oddities: DeltaOddities,
}

impl World {
    async fn new(seed: u64) -> Self {
        let tenant = FakeTenant::builder().random_seed(seed).start().await;
        let app = tenant
            .register_app("Sync")
            .application_permission("Directory.ReadWrite.All")
            .application_permission("User.ReadWrite.All")
            .application_permission("User.DeleteRestore.All")
            .application_permission("Group.ReadWrite.All")
            .with_secret();
        let graph = GraphClient::builder(AppCredential::new(&tenant, &app))
            .cloud(tenant.cloud())
            .clock(tenant.clock())
            .retry_policy(RetryPolicy::for_graph().with_max_attempts(1))
            .build()
            .unwrap();
        let mut world = Self {
            random: Random(seed),
            users: Vec::new(),
            groups: Vec::new(),
            number: 0,
            oddities: DeltaOddities::none(),
            tenant,
            graph,
        };
        for _ in 0..30 {
            world.create_user();
        }
        for _ in 0..6 {
            world.create_group();
        }
        // Most seeds have all oddities, some have none or a few.
        world.oddities = match seed % 5 {
            0 => DeltaOddities::none(),
            1 => DeltaOddities::none()
                .changes_during_round()
                .shuffled_items(),
            _ => DeltaOddities::all(),
        };
        world.tenant.set_delta_oddities(world.oddities);
        world
    }

    fn create_user(&mut self) {
        self.number += 1;
        let user = self.tenant.add_user(&format!("User {}", self.number));
        self.users.push(user.id().to_string());
    }

    fn create_group(&mut self) {
        self.number += 1;
        let name = format!("Group {}", self.number);
        let group = self.tenant.add_group(&name);
        if self.random.percent(50) {
            group.set("groupTypes", json!(["Unified"]));
        }
        self.groups.push(group);
    }

    async fn send(&self, method: &str, path: String) {
        // Most are rejected: the object is deleted, or is not.
        let _ = self.graph.raw(method, path).send().await;
    }

    async fn change(&mut self) {
        let user = self.random.pick(&self.users).clone();
        let at = self.random.below(self.groups.len());
        let group = self.groups[at].id().to_string();
        let other = self.random.below(self.groups.len());
        let nested = self.groups[other].id();
        match self.random.below(24) {
            0 => self.create_group(),
            1 | 2 => self.create_user(),
            3 => self.send("DELETE", format!("/users/{user}")).await,
            4 if self.random.percent(30) => self.send("DELETE", format!("/groups/{group}")).await,
            5 | 6 => {
                self.send("POST", format!("/directory/deletedItems/{user}/restore"))
                    .await
            }
            7 => {
                self.send("POST", format!("/directory/deletedItems/{group}/restore"))
                    .await
            }
            8 if self.random.percent(40) => {
                self.send("DELETE", format!("/directory/deletedItems/{user}"))
                    .await
            }
            9 if self.random.percent(20) => drop(self.tenant.remove("users", &user)),
            10 if at != other => drop(self.groups[at].add_member(nested)),
            11 => drop(self.groups[at].remove_member(nested)),
            12..=16 => drop(self.groups[at].add_member(user.parse().unwrap())),
            17 | 18 => drop(self.groups[at].remove_member(user.parse().unwrap())),
            19 => {
                let text = json!(format!("d{}", self.random.next()));
                let _ = self
                    .tenant
                    .set_property("groups", &group, "description", text);
            }
            20 => {
                drop(
                    self.tenant
                        .set_property("users", &user, "jobTitle", serde_json::Value::Null),
                )
            }
            _ => {
                let text = json!(format!("t{}", self.random.next()));
                let _ = self.tenant.set_property("users", &user, "jobTitle", text);
            }
        }
    }

    fn fault(&mut self) {
        let on = Fault::on("/delta");
        let fault = match self.random.below(8) {
            0 => on.status(503),
            1 => on.status(400),
            2 => on.status(410),
            3 => on.status_with_retry_after(429, "1"),
            4 => on.truncated_body(),
            5 => on.garbage_body(),
            6 => on.empty_page(),
            _ => on.closed_connection(),
        };
        self.tenant.inject(fault.times(1));
    }
}

/// Goes on after every error, approves what is held back, and stops after `most` steps.
async fn run(
    world: &World,
    sync: &mut DirectorySync,
    store: &mut MemoryStore,
    copy: &mut Copy,
    most: usize,
) -> bool {
    for _ in 0..most {
        match sync.next(store).await {
            Ok(Some(step)) => copy.commit(store, &step).await,
            Ok(None) => return true,
            Err(SyncError::RemovalsHeld(held)) => *sync = sync.clone().approve(held.token.clone()),
            Err(SyncError::Graph(error)) => {
                let _ = error;
                world.tenant.clear_faults();
            }
            other => drop(other.unwrap()),
        }
    }
    false
}

/// What is copied: everything, or the users of the first two groups.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Extent {
    All,
    Scope { nested: bool },
}

async fn copy_equals_tenant(seed: u64, changes: usize, extent: Extent) {
    let mut world = World::new(seed).await;
    let scope: Vec<String> = world.groups[..2]
        .iter()
        .map(|group| group.id().to_string())
        .collect();
    let new_sync = |graph: &GraphClient| {
        let sync = DirectorySync::new(graph).users().groups();
        let sync = match extent {
            Extent::All => sync,
            Extent::Scope { nested: false } => sync.users_of_groups(&scope),
            Extent::Scope { nested: true } => sync.users_of_nested_groups(&scope),
        };
        // Every second seed also computes transitive memberships.
        if seed.is_multiple_of(2) {
            sync.transitive_members()
        } else {
            sync
        }
    };
    let mut sync = new_sync(&world.graph);
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let mut backup = (store.clone(), copy.clone());
    for _ in 0..changes {
        world.change().await;
        match world.random.below(60) {
            0..=9 => {
                // A part of a run, so that changes come while a round is read.
                let steps = 1 + world.random.below(6);
                run(&world, &mut sync, &mut store, &mut copy, steps).await;
            }
            10 | 11 => drop(run(&world, &mut sync, &mut store, &mut copy, 100).await),
            12..=14 => world.fault(),
            15 => world.tenant.forget_delta_links(),
            // The process is killed with a step that is not saved.
            16 | 17 => {
                let _ = sync.next(&mut store).await;
                sync = new_sync(&world.graph);
            }
            18 => backup = (store.clone(), copy.clone()),
            // The database is restored from a backup.
            19 => {
                (store, copy) = backup.clone();
                sync = new_sync(&world.graph);
            }
            _ => {}
        }
    }
    world.tenant.clear_faults();
    // A withheld change comes one round later, and a removal that was held back needs one more run.
    for _ in 0..5 {
        assert!(run(&world, &mut sync, &mut store, &mut copy, 1_000).await);
    }
    let context = format!("seed {seed}, {extent:?}");
    match extent {
        Extent::All => copy.assert_equals_tenant(&world.graph, &context).await,
        Extent::Scope { nested } => {
            assert_equals_scope(&copy, &world.graph, &scope, nested, &context).await;
        }
    }
    if seed.is_multiple_of(2) {
        copy.assert_transitive(&format!("seed {seed}"));
    }
    let users = world
        .graph
        .raw("GET", "/users?$select=id,jobTitle")
        .items::<serde_json::Value>();
    for user in users.try_collect::<Vec<_>>().await.unwrap() {
        let id = user["id"].as_str().unwrap().to_owned();
        match copy.objects.get(&(ObjectKind::User, id)) {
            Some(own) => assert_eq!(own["jobTitle"], user["jobTitle"], "seed {seed}: {user}"),
            None => assert_ne!(extent, Extent::All, "seed {seed}: {user}"),
        }
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

#[tokio::test]
async fn the_copy_equals_the_tenant_after_random_changes_with_faults_and_oddities() {
    let first = setting("ENTRA_SYNC_FIRST_SEED", 0);
    for seed in first..first + setting("ENTRA_SYNC_SEEDS", 6) {
        let changes = usize::try_from(setting("ENTRA_SYNC_CHANGES", 300)).unwrap();
        copy_equals_tenant(seed, changes, Extent::All).await;
    }
}

#[tokio::test]
async fn the_copy_of_a_scope_equals_its_users_after_random_changes_with_faults_and_oddities() {
    let first = setting("ENTRA_SYNC_FIRST_SEED", 0);
    for seed in first..first + setting("ENTRA_SYNC_SEEDS", 6) {
        let changes = usize::try_from(setting("ENTRA_SYNC_CHANGES", 300)).unwrap();
        for nested in [false, true] {
            copy_equals_tenant(seed, changes, Extent::Scope { nested }).await;
        }
    }
}
