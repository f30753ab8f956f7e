//! The deletion guard sees the removals of a whole run together, however they arrive.

use entra_graph::{
    GraphClient,
    sync::{
        DeletionGuard, DirectorySync, HeldRemovals, MemoryStore, ObjectKind, SyncChange, SyncError,
    },
};
use entra_mock::{FakeTenant, Fault};
use serde_json::json;

use super::{Copy, tenant_and_graph};

/// The copy of a tenant with 600 users in one group.
struct Many {
    tenant: FakeTenant,
    graph: GraphClient,
    users: Vec<String>,
    store: MemoryStore,
    copy: Copy,
}

impl Many {
    async fn new() -> Self {
        let (tenant, graph) = tenant_and_graph().await;
        let everyone = tenant.add_group("Everyone");
        let users = (0..600).map(|number| {
            let user = tenant.add_user(&format!("User {number}"));
            everyone.add_member(user.id());
            user.id().to_string()
        });
        let users = users.collect();
        let mut many = Self {
            tenant,
            graph,
            users,
            store: MemoryStore::new(),
            copy: Copy::default(),
        };
        let mut sync = many.sync();
        many.copy
            .catch_up(&mut sync, &mut many.store)
            .await
            .unwrap();
        many
    }

    fn sync(&self) -> DirectorySync {
        DirectorySync::new(&self.graph).users().groups()
    }

    /// Changes all users and deletes every eighth, so that each page has a few removals.
    fn delete_every_eighth(&self) -> u64 {
        let mut deleted = 0;
        for (number, id) in self.users.iter().enumerate() {
            if number % 8 == 0 {
                self.tenant.remove("users", id).unwrap();
                deleted += 1;
            } else {
                let title = json!("Lead");
                let set = self.tenant.set_property("users", id, "jobTitle", title);
                set.unwrap();
            }
        }
        deleted
    }

    /// Runs to the end: hands out no removal, and ends with those held back. The first processes are killed after a step
    /// each, with another one that is not saved.
    async fn held(&mut self, mut sync: DirectorySync, kills: usize) -> (HeldRemovals, usize) {
        let (mut pages, mut steps) = (0, 0);
        loop {
            match sync.next(&mut self.store).await {
                Ok(step) => {
                    let step = step.unwrap();
                    let is_removal = |change: &SyncChange| {
                        matches!(
                            change,
                            SyncChange::Removed { .. } | SyncChange::MemberRemoved { .. }
                        )
                    };
                    assert!(!step.changes().iter().any(is_removal), "page {pages}");
                    pages += usize::from(step.progress().kind == Some(ObjectKind::User));
                    self.copy.commit(&mut self.store, &step).await;
                }
                Err(error) => return (error.held().unwrap().clone(), pages),
            }
            steps += 1;
            assert!(steps < 100, "the run does not end");
            if steps <= kills {
                let _ = sync.next(&mut self.store).await;
                sync = self.sync();
            }
        }
    }
}

#[tokio::test]
async fn removals_spread_over_the_pages_of_a_round_count_together() {
    let mut many = Many::new().await;
    let deleted = many.delete_every_eighth();
    let before = many.copy.clone();
    let sync = many.sync();
    let (held, pages) = many.held(sync, 0).await;
    assert!(pages >= 3, "{pages} pages");
    let users = &held.objects[0];
    assert_eq!((users.kind, users.removed), (ObjectKind::User, deleted));
    assert!(users.exceeds);
    // A page has too few of them to be held back.
    let most_of_a_page = deleted.div_ceil(pages as u64);
    assert!(most_of_a_page * 10 <= users.present, "{users:?}");
    assert_eq!(many.copy.members, before.members);
    assert_eq!(many.copy.objects.len(), before.objects.len());
}

#[tokio::test]
async fn removals_read_by_processes_that_were_killed_count_together() {
    let mut many = Many::new().await;
    let deleted = many.delete_every_eighth();
    let sync = many.sync();
    let (held, _) = many.held(sync, 4).await;
    assert_eq!(held.objects[0].removed, deleted);
}

#[tokio::test]
async fn removals_of_several_kinds_and_memberships_are_one_set_with_one_token() {
    let mut many = Many::new().await;
    for number in 0..20 {
        many.tenant.add_group(&format!("Group {number}"));
    }
    let mut sync = many.sync();
    many.copy
        .catch_up(&mut sync, &mut many.store)
        .await
        .unwrap();
    // Too many groups; few users and few members of the large group.
    for number in 0..20 {
        let id = many
            .tenant
            .group(&format!("Group {number}"))
            .id()
            .to_string();
        many.tenant.remove("groups", &id).unwrap();
    }
    many.tenant.remove("users", &many.users[0]).unwrap();
    let everyone = many.tenant.group("Everyone");
    everyone.remove_member(many.users[1].parse().unwrap());
    let before = many.copy.clone();
    let (held, _) = many.held(sync.clone(), 0).await;
    assert_eq!(
        many.copy, before,
        "what is not too many waits with the rest"
    );
    let found: Vec<_> = held
        .objects
        .iter()
        .map(|held| (held.kind, held.removed, held.exceeds))
        .collect();
    assert_eq!(
        found,
        [(ObjectKind::User, 1, false), (ObjectKind::Group, 20, true)]
    );
    assert_eq!((held.groups.len(), held.groups[0].removed), (1, 1));
    let mut sync = sync.approve(held.token);
    many.copy
        .catch_up(&mut sync, &mut many.store)
        .await
        .unwrap();
    many.copy
        .assert_equals_tenant(&many.graph, "approved")
        .await;
}

#[tokio::test]
async fn removals_before_an_error_count_with_those_after_it() {
    let mut many = Many::new().await;
    let deleted = many.delete_every_eighth();
    many.tenant
        .inject(Fault::on("/users/delta").page(2).times(9).status(503));
    let mut sync = many.sync();
    let error = many
        .copy
        .catch_up(&mut sync, &mut many.store)
        .await
        .unwrap_err();
    assert!(matches!(error, SyncError::Graph(_)), "{error}");
    many.tenant.clear_faults();
    let sync = many.sync();
    let (held, _) = many.held(sync, 0).await;
    assert_eq!(held.objects[0].removed, deleted);
    // A guard that lets them pass hands them out at once.
    let mut sync = many.sync().guard(DeletionGuard::off());
    many.copy
        .catch_up(&mut sync, &mut many.store)
        .await
        .unwrap();
    many.copy.assert_equals_tenant(&many.graph, "passed").await;
}
