//! The copy equals the tenant after random changes, read in random rounds, with faults, crashes, lost states and all
//! oddities.
//!
//! CI runs a few seeds. `ENTRA_SYNC_SEEDS` and `ENTRA_SYNC_CHANGES` set how many, and how many changes each.

use std::collections::BTreeSet;

use entra_graph::{
    GraphClient,
    sync::{DirectorySync, MemoryStore, ObjectKind, SyncError},
};

use super::{Copy, scope::assert_equals_scope, world::World};

/// More than a run has.
const ALL_STEPS: usize = 1_000;

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

/// What is copied: all kinds, the users of the first two groups, or the users and groups whose name passes, and may not
/// pass later.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Extent {
    All,
    Scope { nested: bool },
    Filtered,
}

fn passes(name: Option<&str>) -> bool {
    name.is_some_and(|name| name.ends_with(['0', '2', '4', '6', '8']))
}

/// Compares the users and groups of the copy with those that pass, and the memberships with those between them.
async fn assert_equals_filtered(copy: &Copy, graph: &GraphClient, context: &str) {
    let users = graph.users().list().items().try_collect::<Vec<_>>();
    let users = users.await.unwrap();
    let groups = graph.groups().list().items().try_collect::<Vec<_>>();
    let groups = groups.await.unwrap();
    let users = users
        .iter()
        .filter(|user| passes(user.display_name.as_deref()))
        .map(|user| (ObjectKind::User, user.id.clone()));
    let groups = groups
        .iter()
        .filter(|group| passes(group.display_name.as_deref()))
        .map(|group| (ObjectKind::Group, group.id.clone()));
    let expected: BTreeSet<_> = users.chain(groups).collect();
    let own: BTreeSet<_> = copy.objects.keys().cloned().collect();
    assert_eq!(own, expected, "{context}");
    let (_, mut members) = Copy::of_tenant(graph).await;
    let is_there = |id: &str| copy.has(ObjectKind::User, id) || copy.has(ObjectKind::Group, id);
    members.retain(|(group, member)| is_there(group) && is_there(member));
    assert_eq!(copy.members, members, "{context}");
}

async fn copy_equals_tenant(seed: u64, changes: usize, extent: Extent) {
    let mut world = World::new(seed).await;
    let is_transitive = seed.is_multiple_of(2) || extent == Extent::Filtered;
    let scope: Vec<String> = world.groups[..2]
        .iter()
        .map(|group| group.id().to_string())
        .collect();
    let new_sync = |graph: &GraphClient| {
        let users = DirectorySync::new(graph).users();
        let sync = match extent {
            // Only the groups of the scope are in the copy.
            Extent::Scope { .. } if seed % 4 > 1 => users,
            _ => users.groups(),
        };
        let sync = match extent {
            Extent::Filtered => sync
                .filter_users("even", |user| passes(user.display_name.as_deref()))
                .filter_groups("even", |group| passes(group.display_name.as_deref())),
            Extent::All => sync.devices().app_role_assignments(),
            Extent::Scope { nested: false } => sync.users_of_groups(&scope),
            Extent::Scope { nested: true } => sync.users_of_nested_groups(&scope),
        };
        // Every second seed also computes transitive memberships, and all do where groups can be outside of the copy.
        if is_transitive {
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
                let steps = if world.is_late { ALL_STEPS } else { steps };
                run(&world, &mut sync, &mut store, &mut copy, steps).await;
            }
            10 | 11 => {
                let steps = if world.is_late { ALL_STEPS } else { 100 };
                run(&world, &mut sync, &mut store, &mut copy, steps).await;
            }
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
    world.settle();
    if world.has_silent_deletions {
        // Only a round of all users lacks them.
        world.tenant.forget_delta_links();
    }
    // A withheld change comes one round later, and a removal that was held back needs one more run.
    for _ in 0..5 {
        assert!(run(&world, &mut sync, &mut store, &mut copy, ALL_STEPS).await);
    }
    let context = format!("seed {seed}, {extent:?}");
    match extent {
        Extent::All => {
            copy.assert_equals_tenant(&world.graph, &context).await;
            for kind in [ObjectKind::Device, ObjectKind::ServicePrincipal] {
                let ids = copy.assert_properties(&world.graph, kind, &context).await;
                assert_eq!(copy.count(kind), ids, "{context}: {kind}");
            }
            copy.assert_assignments(&world.graph, &context).await;
        }
        Extent::Scope { nested } => {
            assert_equals_scope(&copy, &world.graph, &scope, nested, &context).await;
        }
        Extent::Filtered => assert_equals_filtered(&copy, &world.graph, &context).await,
    }
    if is_transitive {
        copy.assert_transitive(&world.graph, &context).await;
    }
    for kind in [ObjectKind::User, ObjectKind::Group] {
        copy.assert_properties(&world.graph, kind, &context).await;
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

#[tokio::test]
async fn the_copy_of_a_filter_equals_what_passes_after_random_changes_with_faults_and_oddities() {
    let first = setting("ENTRA_SYNC_FIRST_SEED", 0);
    for seed in first..first + setting("ENTRA_SYNC_SEEDS", 6) {
        let changes = usize::try_from(setting("ENTRA_SYNC_CHANGES", 300)).unwrap();
        copy_equals_tenant(seed, changes, Extent::Filtered).await;
    }
}
