//! Transitive memberships through groups that are not in the copy.

use entra_graph::{
    GraphClient, Group, User,
    sync::{DeletionGuard, DirectorySync, MemoryStore, SyncChange},
};
use entra_mock::{DeltaOddities, FakeTenant, GroupHandle};
use serde_json::json;

use super::{Copy, tenant_and_graph};

fn is_shown(group: &Group) -> bool {
    let name = group.display_name.as_deref();
    name.is_some_and(|name| name.starts_with("Shown"))
}

#[tokio::test]
async fn users_of_a_nested_group_outside_of_the_copy_are_in_the_groups_above_it() {
    for is_scoped in [true, false] {
        let (tenant, graph) = tenant_and_graph().await;
        let (engineers, testers) = (tenant.group("Engineers"), tenant.group("Testers"));
        let clara = tenant.user("clara@contoso.com").id();
        let above = (engineers.id().to_string(), clara.to_string());
        let sync = DirectorySync::new(&graph).users().transitive_members();
        let mut sync = if is_scoped {
            sync.users_of_nested_groups([engineers.id()])
        } else {
            sync.filter_groups("named Engineers", |group| {
                group.display_name.as_deref() == Some("Engineers")
            })
        };
        let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        assert!(copy.transitive.contains(&above), "{sync:?}");
        copy.assert_transitive(&graph, "first").await;

        testers.remove_member(clara);
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        copy.assert_transitive(&graph, "left").await;
        assert!(!copy.transitive.contains(&above), "{sync:?}");

        testers.add_member(clara);
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        copy.assert_transitive(&graph, "back").await;
        assert!(copy.transitive.contains(&above), "{sync:?}");

        engineers.remove_member(testers.id());
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        copy.assert_transitive(&graph, "cut off").await;
        assert!(!copy.transitive.contains(&above), "{sync:?}");

        engineers.add_member(testers.id());
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        copy.assert_transitive(&graph, "connected").await;
        assert!(copy.transitive.contains(&above), "{sync:?}");

        let id = testers.id().to_string();
        assert!(tenant.remove("groups", &id).unwrap());
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        copy.assert_transitive(&graph, "deleted").await;
        assert!(!copy.transitive.contains(&above), "{sync:?}");
    }
}

/// A copy of the groups whose name says so.
struct Shown {
    tenant: FakeTenant,
    graph: GraphClient,
    sync: DirectorySync,
    store: MemoryStore,
    copy: Copy,
}

impl Shown {
    async fn new() -> Self {
        let (tenant, graph) = tenant_and_graph().await;
        Self {
            tenant,
            sync: DirectorySync::new(&graph)
                .users()
                .filter_groups("shown", is_shown)
                .transitive_members(),
            graph,
            store: MemoryStore::new(),
            copy: Copy::default(),
        }
    }

    /// A Microsoft 365 group, which can be restored.
    fn group(&self, name: &str) -> GroupHandle {
        let group = self.tenant.add_group(name);
        group.set("groupTypes", json!(["Unified"]));
        group
    }

    async fn send(&self, method: &str, path: String) {
        self.graph.raw(method, path).send().await.unwrap();
    }

    /// Catches up, compares with the tenant, and expects a transitive membership to be there or not.
    async fn expect(&mut self, link: &(String, String), is_there: bool, context: &str) {
        let run = self.copy.catch_up(&mut self.sync, &mut self.store);
        run.await.unwrap();
        self.copy.assert_transitive(&self.graph, context).await;
        assert_eq!(self.copy.transitive.contains(link), is_there, "{context}");
    }
}

#[tokio::test]
async fn groups_outside_of_the_copy_connect_while_they_exist() {
    let mut shown = Shown::new().await;
    let [top, outer] = ["Shown top", "Shown outer"].map(|name| shown.group(name));
    let [middle, inner] = ["Middle", "Inner"].map(|name| shown.group(name));
    let nina = shown.tenant.add_user("Nina").id();
    let above = |group: &GroupHandle| (group.id().to_string(), nina.to_string());
    inner.add_member(nina);
    middle.add_member(inner.id());
    outer.add_member(middle.id());
    shown.expect(&above(&outer), true, "first").await;
    // Everything else is between groups, two of them outside of the copy.
    top.add_member(outer.id());
    shown.expect(&above(&top), true, "one more above").await;
    inner.add_member(middle.id());
    shown.expect(&above(&top), true, "a circle").await;
    top.remove_member(outer.id());
    shown.expect(&above(&top), false, "one less above").await;
    top.add_member(outer.id());
    shown.expect(&above(&top), true, "above again").await;

    middle.set("displayName", json!("Shown middle"));
    shown.expect(&above(&middle), true, "shown").await;
    middle.set("displayName", json!("Middle"));
    shown.expect(&above(&middle), false, "hidden").await;
    assert!(shown.copy.transitive.contains(&above(&top)));
    outer.set("displayName", json!("Outer"));
    shown
        .expect(&above(&top), true, "all hidden but the top")
        .await;
    outer.set("displayName", json!("Shown outer"));
    shown.expect(&above(&outer), true, "shown again").await;

    for group in [&middle, &inner] {
        let id = group.id();
        shown.send("DELETE", format!("/groups/{id}")).await;
        shown.expect(&above(&top), false, "deleted").await;
        let restore = format!("/directory/deletedItems/{id}/restore");
        shown.send("POST", restore).await;
        shown.expect(&above(&top), true, "restored").await;
    }
    shown.tenant.forget_delta_links();
    shown.expect(&above(&top), true, "a full round").await;

    outer.remove_member(middle.id());
    shown.expect(&above(&top), false, "cut off").await;
    outer.add_member(middle.id());
    shown.expect(&above(&top), true, "connected").await;
    let path = format!("/users/{nina}");
    shown.send("DELETE", path).await;
    shown.expect(&above(&top), false, "without Nina").await;
    let restore = format!("/directory/deletedItems/{nina}/restore");
    shown.send("POST", restore).await;
    shown.expect(&above(&top), true, "with Nina").await;
    let id = inner.id().to_string();
    assert!(shown.tenant.remove("groups", &id).unwrap());
    shown.expect(&above(&top), false, "deleted for good").await;
}

#[tokio::test]
async fn members_of_a_kind_that_is_copied_later_leave_the_groups_above_them_too() {
    let (_tenant, graph) = tenant_and_graph().await;
    let groups = DirectorySync::new(&graph)
        .groups()
        .transitive_members()
        .guard(DeletionGuard::off());
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut groups.clone(), &mut store)
        .await
        .unwrap();
    copy.assert_transitive(&graph, "users are not copied").await;
    let before = copy.transitive.len();
    let mut filtered = groups.filter_users("Adele", |user: &User| {
        let name = user.display_name.as_deref();
        name.is_some_and(|name| name.starts_with("Adele"))
    });
    copy.catch_up(&mut filtered, &mut store).await.unwrap();
    copy.assert_transitive(&graph, "Adele only").await;
    assert!(copy.transitive.len() < before);
}

#[tokio::test]
async fn members_that_are_in_many_groups_are_taken_back_in_parts() {
    let (tenant, graph) = tenant_and_graph().await;
    let top = tenant.add_group("Top");
    let groups: Vec<_> = (0..60)
        .map(|number| tenant.add_group(&format!("Group {number}")))
        .collect();
    for group in &groups {
        top.add_member(group.id());
    }
    for number in 0..60 {
        let user = tenant.add_user(&format!("User {number}")).id();
        for group in &groups {
            group.add_member(user);
        }
    }
    let groups = DirectorySync::new(&graph)
        .groups()
        .transitive_members()
        .guard(DeletionGuard::off());
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut groups.clone(), &mut store)
        .await
        .unwrap();
    let mut one = groups.filter_users("one", |user: &User| {
        user.display_name.as_deref() == Some("User 0")
    });
    let mut most = 0;
    while let Some(step) = one.next(&mut store).await.unwrap() {
        let is_taken_back =
            |change: &&SyncChange| matches!(change, SyncChange::TransitiveMemberRemoved { .. });
        most = most.max(step.changes().iter().filter(is_taken_back).count());
        copy.commit(&mut store, &step).await;
    }
    copy.assert_transitive(&graph, "one").await;
    // Up to a thousand, and those of the member that is the last of them.
    assert!((100..1_100).contains(&most), "{most}");
}

#[tokio::test]
async fn transitive_members_that_are_turned_on_while_they_are_taken_back_are_complete() {
    let (tenant, graph) = tenant_and_graph().await;
    for number in 0..1_100 {
        let user = tenant.add_user(&format!("User {number}"));
        tenant.group("Engineers").add_member(user.id());
    }
    let mut off = DirectorySync::new(&graph).users().groups();
    let on = off.clone().transitive_members();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut on.clone(), &mut store).await.unwrap();
    let all = copy.transitive.clone();
    // One step takes back a part of them.
    let step = off.next(&mut store).await.unwrap().unwrap();
    copy.commit(&mut store, &step).await;
    assert!(!copy.transitive.is_empty() && copy.transitive.len() < all.len());
    copy.catch_up(&mut on.clone(), &mut store).await.unwrap();
    copy.assert_transitive(&graph, "on again").await;
    assert_eq!(copy.transitive, all);
}

#[tokio::test]
async fn a_group_outside_of_the_copy_that_a_full_round_withholds_still_connects() {
    let (tenant, graph) = tenant_and_graph().await;
    for number in 0..450 {
        let user = tenant.add_user(&format!("User {number}"));
        tenant.group("Engineers").add_member(user.id());
    }
    let mut sync = DirectorySync::new(&graph)
        .users()
        .filter_groups("named Engineers", |group| {
            group.display_name.as_deref() == Some("Engineers")
        })
        .transitive_members();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let before = copy.transitive.clone();
    tenant.set_delta_oddities(DeltaOddities::none().changes_during_round());
    tenant.forget_delta_links();
    let mut number = 0;
    while let Some(step) = sync.next(&mut store).await.unwrap() {
        copy.commit(&mut store, &step).await;
        assert!(before.is_subset(&copy.transitive), "{:?}", step.progress());
        number += 1;
        tenant
            .group("Testers")
            .set("description", json!(format!("Number {number}")));
    }
    copy.assert_transitive(&graph, "withheld").await;
}
