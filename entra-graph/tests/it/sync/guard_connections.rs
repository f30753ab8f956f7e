//! The deletion guard sees what ends through groups that are not in the copy.

use entra_graph::{
    GraphClient, Group,
    sync::{DirectorySync, HeldRemovals, MemoryStore, ObjectKind},
};
use entra_mock::{FakeTenant, GroupHandle};

use super::{Copy, tenant_and_graph};

/// A group of thirty users.
struct Hidden {
    tenant: FakeTenant,
    graph: GraphClient,
    group: GroupHandle,
    users: Vec<String>,
    store: MemoryStore,
    copy: Copy,
}

impl Hidden {
    async fn new() -> Self {
        let (tenant, graph) = tenant_and_graph().await;
        let group = tenant.add_group("Hidden");
        let users = (0..30).map(|number| {
            let user = tenant.add_user(&format!("User {number}")).id();
            group.add_member(user);
            user.to_string()
        });
        Self {
            users: users.collect(),
            tenant,
            graph,
            group,
            store: MemoryStore::new(),
            copy: Copy::default(),
        }
    }

    /// A copy of all users, and of the group of engineers only.
    fn filtered(&self) -> DirectorySync {
        DirectorySync::new(&self.graph)
            .users()
            .filter_groups("named Engineers", |group: &Group| {
                group.display_name.as_deref() == Some("Engineers")
            })
            .transitive_members()
    }

    fn empty(&self) {
        for user in &self.users {
            self.group.remove_member(user.parse().unwrap());
        }
    }

    fn delete(&self) {
        let id = self.group.id().to_string();
        assert!(self.tenant.remove("groups", &id).unwrap());
    }

    async fn catch_up(&mut self, sync: &mut DirectorySync) {
        let run = self.copy.catch_up(sync, &mut self.store);
        run.await.unwrap();
        self.copy.assert_transitive(&self.graph, "caught up").await;
    }

    /// Runs twice, and expects that all removals are held back.
    async fn held(&mut self, sync: &mut DirectorySync) -> HeldRemovals {
        let before = self.copy.clone();
        let mut all = Vec::new();
        for _ in 0..2 {
            let run = self.copy.catch_up(sync, &mut self.store);
            let error = run.await.unwrap_err();
            all.push(error.held().unwrap().clone());
            assert_eq!(self.copy, before);
        }
        assert_eq!(all[0], all[1]);
        all.remove(0)
    }
}

#[tokio::test]
async fn members_of_a_hidden_group_that_is_emptied_or_deleted_need_an_approval() {
    let mut hidden = Hidden::new().await;
    hidden
        .tenant
        .group("Engineers")
        .add_member(hidden.group.id());
    let mut sync = hidden.filtered();
    hidden.catch_up(&mut sync).await;
    assert!(hidden.copy.transitive.len() >= 30);

    hidden.empty();
    let held = hidden.held(&mut sync).await;
    let id = hidden.group.id().to_string();
    let of_group = held.groups.iter().find(|held| held.group == id).unwrap();
    assert_eq!(
        (of_group.removed, of_group.members, of_group.exceeds),
        (30, 30, true)
    );

    // The copy does not hold the group, so each membership that it made counts.
    hidden.delete();
    let held = hidden.held(&mut sync).await;
    assert!(held.objects.is_empty(), "{held}");
    assert_eq!(held.memberships.as_ref().unwrap().removed, 30);
    let mut sync = sync.approve(held.token);
    hidden.catch_up(&mut sync).await;
    assert!(hidden.copy.transitive.len() < 30);
}

#[tokio::test]
async fn a_hidden_group_that_connects_nothing_needs_no_approval() {
    let mut hidden = Hidden::new().await;
    let mut sync = hidden.filtered();
    hidden.catch_up(&mut sync).await;
    hidden.empty();
    hidden.catch_up(&mut sync).await;
    hidden.delete();
    hidden.catch_up(&mut sync).await;
}

#[tokio::test]
async fn a_nested_group_of_a_scope_that_is_deleted_waits_with_its_users() {
    for is_silent in [false, true] {
        let mut hidden = Hidden::new().await;
        let engineers = hidden.tenant.group("Engineers");
        engineers.add_member(hidden.group.id());
        let mut sync = DirectorySync::new(&hidden.graph)
            .users()
            .users_of_nested_groups([engineers.id()])
            .transitive_members();
        hidden.catch_up(&mut sync).await;
        hidden.delete();
        if is_silent {
            // A full round does not have it.
            hidden.tenant.forget_delta_links();
        }
        let held = hidden.held(&mut sync).await;
        let [users] = &held.objects[..] else {
            panic!("{held}");
        };
        assert_eq!((users.kind, users.removed), (ObjectKind::User, 30));
        let mut sync = sync.approve(held.token);
        hidden.catch_up(&mut sync).await;
        assert!(!hidden.copy.has(ObjectKind::User, &hidden.users[0]));
    }
}
