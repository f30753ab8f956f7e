//! What a copy costs: requests beside the least that is possible, and the size of a step.
//!
//! `ENTRA_SYNC_USERS` sets another number of users, such as 100000.

use std::collections::HashSet;

use entra_graph::{
    GraphClient,
    sync::{DirectorySync, MemoryStore, SyncStore as _},
};
use entra_mock::{FakeTenant, GroupHandle, Seed};

use super::{Copy, client};

/// The members of a group.
const MEMBERS: usize = 60;

struct Costs {
    requests: u64,
    /// The most rows and changes of one step.
    largest_step: usize,
}

/// A tenant with groups of sixty members each, one for twenty users.
async fn tenant(users: usize) -> (FakeTenant, GraphClient, Vec<GroupHandle>) {
    let tenant = FakeTenant::builder().seed(Seed::Empty).start().await;
    let ids: Vec<_> = (0..users)
        .map(|number| tenant.add_user(&format!("User {number}")).id())
        .collect();
    let groups = (0..users / 20)
        .map(|number| {
            let group = tenant.add_group(&format!("Group {number}"));
            for member in 0..MEMBERS {
                group.add_member(ids[(number * 20 + member) % users]);
            }
            group
        })
        .collect();
    let graph = client(&tenant);
    (tenant, graph, groups)
}

async fn run(
    graph: &GraphClient,
    sync: &mut DirectorySync,
    store: &mut MemoryStore,
    copy: &mut Copy,
) -> Costs {
    let before = graph.requests_sent();
    let mut largest_step = 0;
    while let Some(step) = sync.next(store).await.unwrap() {
        largest_step = largest_step.max(step.changes().len() + step.rows().len());
        copy.commit(store, &step).await;
    }
    Costs {
        requests: graph.requests_sent() - before,
        largest_step,
    }
}

fn users() -> usize {
    let text = std::env::var("ENTRA_SYNC_USERS").ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(2_000)
}

#[tokio::test]
async fn a_run_takes_as_many_requests_as_its_rounds_have_pages() {
    let count = users();
    let (tenant, graph, groups) = tenant(count).await;
    // The least: Graph returns at most 200 objects and 500 memberships in one page.
    let memberships = groups.len() * MEMBERS;
    let least = count.div_ceil(200) + groups.len().div_ceil(200).max(memberships.div_ceil(500));
    let least = least as u64;
    let mut sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let costs = run(&graph, &mut sync, &mut store, &mut copy).await;
    assert_eq!(costs.requests, least);
    println!(
        "first run of {count} users: {least} requests, at most {} rows and changes in a step, {} bookkeeping rows",
        costs.largest_step,
        store.len()
    );

    for number in 0..50 {
        let user = tenant.add_user(&format!("New {number}"));
        groups[number % groups.len()].add_member(user.id());
    }
    let costs = run(&graph, &mut sync, &mut store, &mut copy).await;
    assert_eq!(costs.requests, 2, "50 users, and 50 memberships");
}

#[tokio::test]
async fn the_largest_step_does_not_grow_with_the_tenant() {
    let mut largest = HashSet::new();
    for count in [users() / 2, users()] {
        let (tenant, graph, _) = tenant(count).await;
        let mut sync = DirectorySync::new(&graph).users().groups();
        let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
        let first = run(&graph, &mut sync, &mut store, &mut copy).await;
        tenant.forget_delta_links();
        let again = run(&graph, &mut sync, &mut store, &mut copy).await;
        largest.insert(first.largest_step.max(again.largest_step));
    }
    assert_eq!(largest.len(), 1, "{largest:?}");
}

/// Prints what the bookkeeping takes. Each user is in three groups; ten groups are in a department, and all departments in
/// one group.
#[tokio::test]
async fn transitive_memberships_take_the_bytes_of_two_ids_each() {
    let users = users();
    let (tenant, graph, groups) = tenant(users).await;
    let everyone = tenant.add_group("Everyone");
    for (number, part) in groups.chunks(10).enumerate() {
        let department = tenant.add_group(&format!("Department {number}"));
        everyone.add_member(department.id());
        for group in part {
            department.add_member(group.id());
        }
    }
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let sync = DirectorySync::new(&graph).users().groups();
    let mut sync = sync.transitive_members();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let direct = rows_of(&mut store, &["l/", "m/"]).await;
    let transitive = rows_of(&mut store, &["t/"]).await;
    println!(
        "{users} users, {} memberships and {} transitive ones: {} bytes per user for direct and {} for transitive ones",
        copy.members.len(),
        transitive.0,
        direct.1 / users,
        transitive.1 / users
    );
    assert_eq!(transitive.0, copy.transitive.len());
    // Two ids of 36 bytes, and three signs.
    assert_eq!(transitive.1, transitive.0 * 75);
}

/// The number of rows with these prefixes, and their bytes.
async fn rows_of(store: &mut MemoryStore, prefixes: &[&str]) -> (usize, usize) {
    let (mut count, mut bytes) = (0, 0);
    for prefix in prefixes {
        let rows = store.scan(prefix, None, usize::MAX).await.unwrap();
        count += rows.len();
        let sizes = rows.iter().map(|(key, value)| key.len() + value.len());
        bytes += sizes.sum::<usize>();
    }
    (count, bytes)
}
