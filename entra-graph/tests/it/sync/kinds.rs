//! Kinds that are no longer copied, while some of their objects are deleted.

use std::collections::BTreeSet;

use entra_graph::{
    GraphClient,
    sync::{DirectorySync, MemoryStore, ObjectKind},
};
use entra_mock::FakeTenant;

use super::{Copy, tenant_and_graph};

/// A copy of users and groups, in which Nina is an engineer. She is deleted, and no run has followed.
struct Deleted {
    _tenant: FakeTenant,
    graph: GraphClient,
    nina: String,
    both: DirectorySync,
    groups: DirectorySync,
    store: MemoryStore,
    copy: Copy,
}

impl Deleted {
    async fn new() -> Self {
        let (tenant, graph) = tenant_and_graph().await;
        let nina = tenant.add_user("Nina").id();
        assert!(tenant.group("Engineers").add_member(nina));
        let groups = DirectorySync::new(&graph).groups();
        let mut deleted = Self {
            _tenant: tenant,
            nina: nina.to_string(),
            both: groups.clone().users(),
            groups,
            graph,
            store: MemoryStore::new(),
            copy: Copy::default(),
        };
        deleted.follow_both().await;
        assert!(deleted.has_nina());
        let path = format!("/users/{nina}");
        deleted.send("DELETE", path).await;
        deleted
    }

    async fn send(&self, method: &str, path: String) {
        self.graph.raw(method, path).send().await.unwrap();
    }

    async fn follow_both(&mut self) {
        let both = &mut self.both;
        self.copy.catch_up(both, &mut self.store).await.unwrap();
    }

    async fn follow_groups(&mut self) {
        let groups = &mut self.groups;
        self.copy.catch_up(groups, &mut self.store).await.unwrap();
    }

    fn has_nina(&self) -> bool {
        self.copy.has(ObjectKind::User, &self.nina)
    }

    async fn assert_has_members_of_tenant(&self, context: &str) {
        let (_, members): (_, BTreeSet<_>) = Copy::of_tenant(&self.graph).await;
        assert_eq!(self.copy.members, members, "{context}");
    }

    /// Goes on without users, until after the restore of Nina.
    async fn go_on_without_users(&mut self) {
        for run in 1..3 {
            self.follow_groups().await;
            self.assert_has_members_of_tenant(&format!("run {run}"))
                .await;
        }
        assert!(!self.has_nina());
        let path = format!("/directory/deletedItems/{}/restore", self.nina);
        self.send("POST", path).await;
        self.follow_groups().await;
        self.assert_has_members_of_tenant("restored").await;
        // Copied again, they double and lose none.
        self.follow_both().await;
        self.copy
            .assert_equals_tenant(&self.graph, "users again")
            .await;
    }
}

#[tokio::test]
async fn a_deleted_user_is_no_member_again_because_users_are_no_longer_copied() {
    let mut deleted = Deleted::new().await;
    deleted.follow_both().await;
    assert!(!deleted.has_nina());
    deleted.go_on_without_users().await;
}

#[tokio::test]
async fn a_user_whose_removal_waits_when_users_are_no_longer_copied_takes_its_memberships_along() {
    let mut deleted = Deleted::new().await;
    // The process is killed after the round of users.
    let step = deleted.both.next(&mut deleted.store).await.unwrap();
    let step = step.unwrap();
    assert_eq!(step.progress().kind, Some(ObjectKind::User));
    deleted.copy.commit(&mut deleted.store, &step).await;
    assert!(deleted.has_nina(), "removals come last");
    deleted.go_on_without_users().await;
}
