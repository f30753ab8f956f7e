//! The deletion guard: nothing is removed without approval, and exactly what was approved with it.

use entra_graph::{
    GraphClient, Group, User,
    sync::{
        ApprovalToken, DeletionGuard, DirectorySync, HeldRemovals, MemoryStore, ObjectKind,
        SyncChange, SyncError,
    },
};
use entra_mock::FakeTenant;
use serde_json::{Value, json};

use super::{Copy, tenant_and_graph};

struct Synced {
    tenant: FakeTenant,
    graph: GraphClient,
    sync: DirectorySync,
    store: MemoryStore,
    copy: Copy,
}

impl Synced {
    /// A tenant of about a hundred users, of whom sixty are in one group.
    async fn new() -> Self {
        let (tenant, graph) = tenant_and_graph().await;
        let everyone = tenant.add_group("Everyone");
        for number in 0..90 {
            let user = tenant.add_user(&format!("User {number}"));
            if number < 60 {
                everyone.add_member(user.id());
            }
        }
        let mut synced = Self {
            sync: DirectorySync::new(&graph).users().groups(),
            store: MemoryStore::new(),
            copy: Copy::default(),
            tenant,
            graph,
        };
        synced.run().await.unwrap();
        synced
    }

    async fn run(&mut self) -> Result<(), SyncError> {
        self.copy
            .catch_up(&mut self.sync, &mut self.store)
            .await
            .map(drop)
    }

    async fn held(&mut self) -> HeldRemovals {
        let before = self.copy.clone();
        let error = self.run().await.unwrap_err();
        let held = error.held().unwrap().clone();
        for key in before.objects.keys() {
            assert!(self.copy.objects.contains_key(key), "{key:?} was removed");
        }
        assert!(before.members.is_subset(&self.copy.members));
        let text = error.to_string();
        assert!(
            text.contains(&held.token.to_string()) && text.contains("fix:"),
            "{text}"
        );
        held
    }

    fn approve(&mut self, token: ApprovalToken) {
        self.sync = self.sync.clone().approve(token);
    }

    fn user(&self, number: usize) -> String {
        self.copy
            .objects
            .iter()
            .find(|((kind, _), json)| {
                *kind == ObjectKind::User && json["displayName"] == format!("User {number}")
            })
            .map(|((_, id), _)| id.clone())
            .unwrap()
    }

    fn delete(&self, numbers: std::ops::Range<usize>) {
        for number in numbers {
            assert!(self.tenant.remove("users", &self.user(number)).unwrap());
        }
    }
}

#[tokio::test]
async fn a_filter_that_matches_nothing_removes_nothing_without_approval() {
    let mut synced = Synced::new().await;
    let right = synced.sync.clone();
    synced.sync = right
        .clone()
        .filter_users("department Slaes", |user: &User| {
            user.department.as_deref() == Some("Slaes")
        });
    let held = synced.held().await;
    assert_eq!(held.objects[0].kind, ObjectKind::User);
    assert_eq!(held.objects[0].removed, held.objects[0].present);
    assert_eq!(held.objects[0].first.len(), 20);
    // The right filter again: nothing is left to remove.
    synced.sync = right;
    synced.run().await.unwrap();
    synced
        .copy
        .assert_equals_tenant(&synced.graph, "right filter")
        .await;
}

#[tokio::test]
async fn a_group_that_was_emptied_by_mistake_keeps_its_members_until_approval() {
    let mut synced = Synced::new().await;
    let everyone = synced.tenant.group("Everyone");
    for number in 0..60 {
        everyone.remove_member(synced.user(number).parse().unwrap());
    }
    // An addition of the same run is handed out all the same.
    let nina = synced.tenant.add_user("Nina").id().to_string();
    let held = synced.held().await;
    assert!(synced.copy.has(ObjectKind::User, &nina));
    assert!(held.objects.is_empty());
    let group = &held.groups[0];
    assert_eq!(
        (group.removed, group.members, group.exceeds),
        (60, 60, true)
    );
    assert_eq!(group.group, everyone.id().to_string());
    // Half of them were put back: another set, which the old token does not approve.
    for number in 0..30 {
        everyone.add_member(synced.user(number).parse().unwrap());
    }
    synced.approve(held.token);
    let held = synced.held().await;
    assert_eq!(held.groups[0].removed, 30);
    synced.approve(held.token);
    synced.run().await.unwrap();
    synced
        .copy
        .assert_equals_tenant(&synced.graph, "approved")
        .await;
}

#[tokio::test]
async fn half_of_the_company_leaves_with_an_approval_of_exactly_this_half() {
    let mut synced = Synced::new().await;
    synced.delete(0..50);
    let held = synced.held().await;
    assert_eq!(held.objects[0].removed, 50);
    assert!(
        held.groups.is_empty(),
        "their memberships are not listed as removals: {:?}",
        held.groups
    );
    // An invented token, or that of another set, lets nothing through.
    synced.approve("00112233445566778899aabbccddeeff".parse().unwrap());
    let same = synced.held().await;
    assert_eq!(same.token, held.token, "the same set has the same token");
    synced.delete(50..51);
    synced.approve(held.token);
    let held = synced.held().await;
    assert_eq!(held.objects[0].removed, 51);
    synced.approve(held.token.clone());
    synced.run().await.unwrap();
    synced
        .copy
        .assert_equals_tenant(&synced.graph, "approved")
        .await;
    // It approves no other set.
    synced.delete(51..70);
    let next = synced.held().await;
    assert_ne!(next.token, held.token);
}

#[tokio::test]
async fn an_approval_that_was_used_does_not_remove_the_same_objects_again() {
    let mut synced = Synced::new().await;
    let ids: Vec<String> = (0..50).map(|number| synced.user(number)).collect();
    let delete = async |synced: &Synced| {
        for id in &ids {
            let delete = synced.graph.raw("DELETE", format!("/users/{id}"));
            delete.send().await.unwrap();
        }
    };
    delete(&synced).await;
    let held = synced.held().await;
    synced.approve(held.token.clone());
    synced.run().await.unwrap();
    assert!(!synced.copy.has(ObjectKind::User, &ids[0]));
    for id in &ids {
        let path = format!("/directory/deletedItems/{id}/restore");
        synced.graph.raw("POST", path).send().await.unwrap();
    }
    synced.run().await.unwrap();
    // By mistake, and the same sync still has the approval of then.
    delete(&synced).await;
    let again = synced.held().await;
    assert_eq!(again.objects, held.objects);
    assert_ne!(again.token, held.token);
    synced.approve(again.token);
    synced.run().await.unwrap();
    synced
        .copy
        .assert_equals_tenant(&synced.graph, "approved again")
        .await;
}

#[tokio::test]
async fn an_approval_works_until_the_first_removal_is_saved() {
    let mut synced = Synced::new().await;
    synced.delete(0..50);
    let held = synced.held().await;
    // Killed with the first step of removals, before it is saved.
    for _ in 0..2 {
        let sync = DirectorySync::new(&synced.graph).users().groups();
        synced.sync = sync.approve(held.token.clone());
        loop {
            let step = synced.sync.next(&mut synced.store).await.unwrap().unwrap();
            let mut changes = step.changes().iter();
            if changes.any(|change| matches!(change, SyncChange::Removed { .. })) {
                break;
            }
            synced.copy.commit(&mut synced.store, &step).await;
        }
    }
    let sync = DirectorySync::new(&synced.graph).users().groups();
    synced.sync = sync.approve(held.token);
    synced.run().await.unwrap();
    synced
        .copy
        .assert_equals_tenant(&synced.graph, "approved")
        .await;
}

#[tokio::test]
async fn an_approved_removal_goes_on_after_a_crash_in_its_middle() {
    let mut synced = Synced::new().await;
    for number in 0..700 {
        synced.tenant.add_user(&format!("Temporary {number}"));
    }
    synced.run().await.unwrap();
    let temporary: Vec<String> = synced
        .copy
        .objects
        .iter()
        .filter(|(_, json)| {
            json["displayName"]
                .as_str()
                .is_some_and(|name| name.starts_with("Temporary"))
        })
        .map(|((_, id), _)| id.clone())
        .collect();
    for id in &temporary {
        synced.tenant.remove("users", id).unwrap();
    }
    let held = synced.held().await;
    synced.approve(held.token);
    let mut steps = 0;
    while let Some(step) = synced.sync.next(&mut synced.store).await.unwrap() {
        let removals = step
            .changes()
            .iter()
            .filter(|change| matches!(change, SyncChange::Removed { .. }));
        let is_removal = removals.count() > 0;
        synced.copy.commit(&mut synced.store, &step).await;
        if is_removal {
            steps += 1;
            break;
        }
    }
    assert_eq!(steps, 1);
    // Another process without the approval finishes what was approved.
    synced.sync = DirectorySync::new(&synced.graph).users().groups();
    synced.run().await.unwrap();
    synced
        .copy
        .assert_equals_tenant(&synced.graph, "after the crash")
        .await;
}

#[tokio::test]
async fn removals_that_are_held_back_are_no_longer_when_the_objects_return() {
    let mut synced = Synced::new().await;
    let ids: Vec<String> = (0..40).map(|number| synced.user(number)).collect();
    for id in &ids {
        let path = format!("/users/{id}");
        synced.graph.raw("DELETE", path).send().await.unwrap();
    }
    synced.held().await;
    for id in &ids {
        let restore = synced
            .graph
            .raw("POST", format!("/directory/deletedItems/{id}/restore"));
        restore.json::<Value>().await.unwrap();
    }
    synced.run().await.unwrap();
    synced
        .copy
        .assert_equals_tenant(&synced.graph, "restored")
        .await;
}

#[tokio::test]
async fn few_removals_pass_and_the_guard_can_be_set() {
    let mut synced = Synced::new().await;
    synced.delete(0..5);
    synced.run().await.unwrap();
    synced.delete(5..11);
    synced.sync = synced
        .sync
        .clone()
        .guard(DeletionGuard::new().share(0.01).floor(3));
    synced.held().await;
    synced.sync = synced.sync.clone().guard(DeletionGuard::off());
    synced.run().await.unwrap();
    synced.copy.assert_equals_tenant(&synced.graph, "off").await;
}

#[tokio::test]
async fn a_dry_run_lists_what_would_happen_and_changes_nothing() {
    let mut synced = Synced::new().await;
    synced.delete(0..50);
    let nina = synced.tenant.add_user("Nina").id().to_string();
    synced
        .tenant
        .group("Everyone")
        .set("description", json!("x"));
    let before = format!("{:?}", synced.store);
    let dry_run = synced.sync.dry_run(&mut synced.store).await.unwrap();
    assert_eq!(format!("{:?}", synced.store), before);
    assert_eq!(dry_run.held.unwrap().objects[0].removed, 50);
    let mut copy = synced.copy.clone();
    copy.apply(&dry_run.changes);
    assert!(copy.has(ObjectKind::User, &nina));
    copy.assert_equals_tenant(&synced.graph, "dry run").await;
    // Exactly the listed removals happen.
    synced.sync = synced.sync.clone().guard(DeletionGuard::off());
    synced.run().await.unwrap();
    assert_eq!(synced.copy, copy);
}

#[tokio::test]
async fn a_kind_whose_selection_changed_is_guarded_too() {
    let mut synced = Synced::new().await;
    synced.delete(0..50);
    synced.tenant.forget_delta_links();
    synced.sync = DirectorySync::new(&synced.graph)
        .select_users(User::DISPLAY_NAME)
        .select_groups(Group::DISPLAY_NAME);
    let held = synced.held().await;
    assert_eq!(held.objects[0].removed, 50);
}
