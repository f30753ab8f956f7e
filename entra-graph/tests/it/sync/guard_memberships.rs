//! The deletion guard counts memberships: of each group, of all groups together, and only those in the copy.

use entra_graph::{
    GraphClient, User,
    sync::{DirectorySync, MemoryStore, ObjectKind},
};
use entra_mock::{FakeTenant, GroupHandle, Seed};
use serde_json::json;

use super::{Copy, client};

/// A tenant of groups with this many members each; the first `sellers` users are sellers.
async fn tenant(
    groups: usize,
    members: usize,
    sellers: usize,
) -> (FakeTenant, GraphClient, Vec<(GroupHandle, Vec<String>)>) {
    let tenant = FakeTenant::builder().seed(Seed::Empty).start().await;
    let users: Vec<_> = (0..members)
        .map(|number| {
            let user = tenant.add_user(&format!("User {number}"));
            if number < sellers {
                user.set("jobTitle", json!("Seller"));
            }
            user.id()
        })
        .collect();
    let groups = (0..groups).map(|number| {
        let group = tenant.add_group(&format!("Group {number}"));
        for user in &users {
            group.add_member(*user);
        }
        (group, users.iter().map(ToString::to_string).collect())
    });
    let groups = groups.collect();
    let graph = client(&tenant);
    (tenant, graph, groups)
}

fn is_seller(user: &User) -> bool {
    user.job_title.as_deref() == Some("Seller")
}

#[tokio::test]
async fn many_small_groups_that_were_emptied_count_together() {
    let (_tenant, graph, groups) = tenant(50, 4, 0).await;
    let mut sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    for (group, members) in &groups {
        for member in members {
            group.remove_member(member.parse().unwrap());
        }
    }
    let error = copy.catch_up(&mut sync, &mut store).await.unwrap_err();
    let held = error.held().unwrap().clone();
    let together = held.memberships.as_ref().unwrap();
    assert_eq!((together.removed, together.present), (200, 200));
    assert_eq!(held.groups.len(), 50);
    let each = |held: &entra_graph::sync::HeldMembers| {
        (held.removed, held.members, held.exceeds) == (4, 4, false)
    };
    assert!(held.groups.iter().all(each), "{:?}", held.groups);
    assert!(
        error.to_string().contains("200 of 200 memberships"),
        "{error}"
    );
    assert_eq!(copy.members.len(), 200);
    copy.catch_up(&mut sync.approve(held.token), &mut store)
        .await
        .unwrap();
    assert!(copy.members.is_empty());
}

#[tokio::test]
async fn few_members_of_each_of_many_groups_pass() {
    let (_tenant, graph, groups) = tenant(20, 12, 0).await;
    let mut sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    for (group, members) in &groups {
        group.remove_member(members[0].parse().unwrap());
    }
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(copy.members.len(), 220);
}

#[tokio::test]
async fn members_that_are_not_in_the_copy_do_not_count() {
    let (_tenant, graph, groups) = tenant(1, 108, 8).await;
    let mut sync = DirectorySync::new(&graph)
        .users()
        .filter_users("sellers", is_seller)
        .groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(copy.members.len(), 8);
    let (group, members) = &groups[0];
    for member in &members[..8] {
        group.remove_member(member.parse().unwrap());
    }
    let error = copy.catch_up(&mut sync, &mut store).await.unwrap_err();
    let held = error.held().unwrap();
    let of_group = &held.groups[0];
    assert_eq!(
        (of_group.removed, of_group.members, of_group.exceeds),
        (8, 8, true)
    );
}

#[tokio::test]
async fn memberships_of_users_that_a_filter_hides_need_an_approval() {
    let (_tenant, graph, groups) = tenant(3, 30, 0).await;
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let of_groups = DirectorySync::new(&graph).groups();
    copy.catch_up(&mut of_groups.clone(), &mut store)
        .await
        .unwrap();
    assert_eq!(copy.members.len(), 90);
    // A filter that matches nothing, and a removal that would pass alone.
    let mut sync = of_groups.filter_users("sellers", is_seller);
    let (group, members) = &groups[0];
    group.remove_member(members[0].parse().unwrap());
    for _ in 0..2 {
        let error = copy.catch_up(&mut sync, &mut store).await.unwrap_err();
        let held = error.held().unwrap().clone();
        assert_eq!(
            copy.members.len(),
            90,
            "nothing is handed out without approval"
        );
        let removed: Vec<_> = held.groups.iter().map(|held| held.removed).collect();
        assert_eq!(removed, [30, 30, 30]);
        assert_eq!(held.memberships.unwrap().removed, 90);
        sync = sync.approve("00".parse().unwrap());
    }
    // Other removals have another token.
    let token = async |sync: &DirectorySync, store: &mut MemoryStore| {
        sync.dry_run(store).await.unwrap().held.unwrap().token
    };
    let first = token(&sync, &mut store).await;
    group.add_member(members[0].parse().unwrap());
    let second = token(&sync, &mut store).await;
    assert_ne!(first, second);
    let error = copy
        .catch_up(&mut sync.clone().approve(first), &mut store)
        .await
        .unwrap_err();
    assert!(error.held().is_some(), "{error}");
    // With the right filter they stay, and with an approval they end.
    let mut right = sync.clone().filter_users("all", |_| true);
    let (mut other_store, mut other_copy) = (store.clone(), copy.clone());
    other_copy
        .catch_up(&mut right, &mut other_store)
        .await
        .unwrap();
    assert_eq!(other_copy.members.len(), 90);
    let mut sync = sync.approve(second);
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!((copy.count(ObjectKind::User), copy.members.len()), (0, 0));
    copy.catch_up(&mut sync, &mut store).await.unwrap();
}

#[tokio::test]
async fn memberships_of_users_that_were_read_and_filtered_before_need_an_approval_too() {
    let (_tenant, graph, _groups) = tenant(3, 30, 0).await;
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let users = DirectorySync::new(&graph).filter_users("sellers", is_seller);
    let groups = DirectorySync::new(&graph).groups();
    // The users are known, and none of them is a seller.
    copy.catch_up(&mut users.clone(), &mut store).await.unwrap();
    copy.catch_up(&mut groups.clone(), &mut store)
        .await
        .unwrap();
    assert_eq!((copy.count(ObjectKind::User), copy.members.len()), (0, 90));
    let mut both = users.groups();
    for _ in 0..2 {
        let error = copy.catch_up(&mut both, &mut store).await.unwrap_err();
        let held = error.held().unwrap();
        assert_eq!(held.memberships.as_ref().unwrap().removed, 90);
        assert_eq!(copy.members.len(), 90);
    }
    // Without users again, nothing has happened.
    copy.catch_up(&mut groups.clone(), &mut store)
        .await
        .unwrap();
    assert_eq!(copy.members.len(), 90);
    let error = copy.catch_up(&mut both, &mut store).await.unwrap_err();
    let mut both = both.approve(error.held().unwrap().token.clone());
    copy.catch_up(&mut both, &mut store).await.unwrap();
    assert_eq!((copy.count(ObjectKind::Group), copy.members.len()), (3, 0));
}

#[tokio::test]
async fn the_members_of_a_group_that_is_deleted_count_with_it() {
    let (tenant, graph, groups) = tenant(3, 30, 0).await;
    let mut sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let (group, members) = &groups[0];
    for member in members {
        group.remove_member(member.parse().unwrap());
    }
    let error = copy.catch_up(&mut sync, &mut store).await.unwrap_err();
    assert_eq!(error.held().unwrap().groups[0].removed, 30);
    // One group of three may leave, and takes them along.
    tenant.remove("groups", &group.id().to_string()).unwrap();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_equals_tenant(&graph, "deleted").await;
    assert_eq!((copy.count(ObjectKind::Group), copy.members.len()), (2, 60));
}
