//! The edge of a scope of groups: users that enter and leave it without a row of their own.

use std::collections::BTreeSet;

use entra_graph::{
    GraphClient, User,
    sync::{
        DeletionGuard, DirectorySync, MemoryStore, ObjectKind, RemovalReason, SyncChange,
        SyncState, SyncStore,
    },
};
use entra_mock::FakeTenant;
use serde_json::{Value, json};

use super::{Copy, scope::assert_equals_scope, tenant_and_graph};

struct Scoped {
    tenant: FakeTenant,
    graph: GraphClient,
    sync: DirectorySync,
    nested: bool,
    scope: Vec<String>,
    store: MemoryStore,
    copy: Copy,
}

impl Scoped {
    /// Gives a user another title. Returns the user's id.
    fn promote(&self, number: usize) -> String {
        let id = self.user(number);
        self.tenant
            .set_property("users", &id, "jobTitle", json!("Lead"))
            .unwrap();
        id
    }

    /// A copy of the users of `Scope`, of which there are `members`, in a tenant with 40 more users.
    async fn new(members: usize, nested: bool) -> Self {
        let (tenant, graph) = tenant_and_graph().await;
        let scope = tenant.add_group("Scope");
        for number in 0..members + 40 {
            let user = tenant.add_user(&format!("User {number}"));
            if number < members {
                scope.add_member(user.id());
            }
        }
        let scope = vec![scope.id().to_string()];
        let sync = DirectorySync::new(&graph)
            .select_users((User::DISPLAY_NAME, User::JOB_TITLE))
            .groups();
        let sync = match nested {
            false => sync.users_of_groups(&scope),
            true => sync.users_of_nested_groups(&scope),
        };
        let (store, copy) = (MemoryStore::new(), Copy::default());
        let mut scoped = Self {
            tenant,
            graph,
            sync,
            nested,
            scope,
            store,
            copy,
        };
        scoped.run().await;
        assert_eq!(scoped.copy.count(ObjectKind::User), members);
        scoped
    }

    async fn run(&mut self) -> Vec<SyncChange> {
        let mut changes = Vec::new();
        while let Some(step) = self.sync.next(&mut self.store).await.unwrap() {
            changes.extend_from_slice(step.changes());
            self.copy.commit(&mut self.store, &step).await;
        }
        changes
    }

    async fn assert_equals(&self, context: &str) {
        assert_equals_scope(&self.copy, &self.graph, &self.scope, self.nested, context).await;
    }

    async fn run_and_compare(&mut self, context: &str) {
        self.run().await;
        self.assert_equals(context).await;
    }

    fn user(&self, number: usize) -> String {
        let name = format!("user.{number}@contoso.com");
        self.tenant.user(&name).id().to_string()
    }

    fn has(&self, number: usize) -> bool {
        self.copy.has(ObjectKind::User, &self.user(number))
    }

    fn unguarded(&mut self) {
        self.sync = self.sync.clone().guard(DeletionGuard::off());
    }
}

#[tokio::test]
async fn a_user_that_becomes_a_member_is_read_although_its_own_row_came_long_ago() {
    let mut scoped = Scoped::new(3, false).await;
    let entering = scoped.user(20);
    scoped
        .tenant
        .group("Scope")
        .add_member(entering.parse().unwrap());
    let before = scoped.graph.requests_sent();
    let changes = scoped.run().await;
    assert_eq!(
        scoped.graph.requests_sent() - before,
        3,
        "two rounds, and one for all users that enter"
    );
    let [
        SyncChange::Upsert(user),
        SyncChange::MemberAdded { group, member, .. },
    ] = &changes[..]
    else {
        panic!("{changes:?}")
    };
    assert_eq!(user.id(), entering);
    assert_eq!(user.to_json().unwrap()["displayName"], "User 20");
    assert_eq!((group, member), (&scoped.scope[0], &entering));
    scoped.assert_equals("entered").await;
    // From now on its changes are handed out, and those of others are not.
    for number in [20, 21] {
        scoped.promote(number);
    }
    let changes = scoped.run().await;
    assert!(
        matches!(&changes[..], [SyncChange::Upsert(user)] if user.id() == entering),
        "{changes:?}"
    );
    assert_eq!(scoped.run().await, []);
}

#[tokio::test]
async fn a_user_that_is_no_longer_a_member_is_removed_as_out_of_scope() {
    for nested in [false, true] {
        let mut scoped = Scoped::new(3, nested).await;
        let leaving = scoped.user(1);
        // It stays a member of another group.
        let other = scoped.tenant.add_group("Other");
        other.add_member(leaving.parse().unwrap());
        scoped.run().await;
        scoped
            .tenant
            .group("Scope")
            .remove_member(leaving.parse().unwrap());
        let changes = scoped.run().await;
        let removed = SyncChange::Removed {
            kind: ObjectKind::User,
            id: leaving.clone(),
            reason: RemovalReason::OutOfScope,
        };
        assert_eq!(changes.last(), Some(&removed), "{changes:?}");
        scoped.assert_equals("left").await;
        // It enters again, with the membership in the other group.
        scoped
            .tenant
            .group("Scope")
            .add_member(leaving.parse().unwrap());
        scoped.run_and_compare("back").await;
        assert_eq!(scoped.copy.members_of(&other.id().to_string()).len(), 1);
    }
}

#[tokio::test]
async fn the_guard_counts_users_that_leave_the_scope_with_all_other_removals() {
    let mut scoped = Scoped::new(40, false).await;
    let scope = scoped.tenant.group("Scope");
    // Three users leave the directory and three the scope: neither is too many alone.
    for number in 0..3 {
        let id = scoped.user(number);
        scoped.tenant.remove("users", &id).unwrap();
    }
    for number in 3..6 {
        scope.remove_member(scoped.user(number).parse().unwrap());
    }
    let before = scoped.copy.clone();
    let mut store = scoped.store.clone();
    let error = scoped
        .copy
        .catch_up(&mut scoped.sync, &mut store)
        .await
        .unwrap_err();
    let held = error.held().unwrap().clone();
    let [users] = &held.objects[..] else {
        panic!("{held:?}")
    };
    assert_eq!((users.removed, users.present, users.exceeds), (6, 40, true));
    assert_eq!(scoped.copy, before, "nothing is handed out");
    // One of them returns: another set.
    scope.add_member(scoped.user(3).parse().unwrap());
    scoped.sync = scoped.sync.clone().approve(held.token);
    scoped
        .copy
        .catch_up(&mut scoped.sync, &mut store)
        .await
        .unwrap();
    scoped.assert_equals("five pass").await;
    assert!(scoped.has(3));
}

#[tokio::test]
async fn a_scope_group_that_is_emptied_by_mistake_keeps_its_users_until_approval() {
    for nested in [false, true] {
        let mut scoped = Scoped::new(30, nested).await;
        let scope = scoped.tenant.group("Scope");
        for number in 0..30 {
            scope.remove_member(scoped.user(number).parse().unwrap());
        }
        let before = scoped.copy.clone();
        for _ in 0..2 {
            let error = scoped
                .copy
                .catch_up(&mut scoped.sync, &mut scoped.store)
                .await
                .unwrap_err();
            assert_eq!(error.held().unwrap().objects[0].removed, 30);
            assert_eq!(scoped.copy, before);
        }
        // It was a mistake: all are put back, one with another title, and nothing is left to approve.
        for number in 0..30 {
            scope.add_member(scoped.user(number).parse().unwrap());
        }
        let id = scoped.promote(7);
        let changes = scoped.run().await;
        assert!(
            matches!(&changes[..], [SyncChange::Upsert(user)] if user.id() == id),
            "{changes:?}"
        );
        scoped.assert_equals("put back").await;
    }
}

#[tokio::test]
async fn a_scope_group_that_is_deleted_takes_its_users_along_and_brings_them_back() {
    let mut scoped = Scoped::new(12, true).await;
    scoped
        .tenant
        .group("Scope")
        .set("groupTypes", json!(["Unified"]));
    let inner = scoped.tenant.add_group("Inner");
    inner.add_member(scoped.user(20).parse().unwrap());
    scoped.tenant.group("Scope").add_member(inner.id());
    scoped.run_and_compare("before").await;
    assert!(scoped.has(20));
    let path = format!("/groups/{}", scoped.scope[0]);
    scoped.graph.raw("DELETE", path).send().await.unwrap();
    let before = scoped.copy.clone();
    let error = scoped
        .copy
        .catch_up(&mut scoped.sync, &mut scoped.store)
        .await
        .unwrap_err();
    assert_eq!(error.held().unwrap().objects[0].removed, 13);
    assert_eq!(scoped.copy, before);
    scoped.unguarded();
    scoped.run().await;
    assert_eq!(scoped.copy.count(ObjectKind::User), 0);
    let path = format!("/directory/deletedItems/{}/restore", scoped.scope[0]);
    let restore = scoped.graph.raw("POST", path);
    restore.json::<Value>().await.unwrap();
    scoped.run_and_compare("restored").await;
    assert!(scoped.has(0) && scoped.has(20));
    // For good.
    let id = scoped.scope[0].clone();
    scoped.tenant.remove("groups", &id).unwrap();
    scoped.run().await;
    assert_eq!(scoped.copy.count(ObjectKind::User), 0);
}

#[tokio::test]
async fn nested_groups_move_their_users_across_the_edge() {
    let mut scoped = Scoped::new(2, true).await;
    scoped.unguarded();
    let add = |name: &str| scoped.tenant.add_group(name);
    let (outer, middle, inner) = (add("Outer"), add("Middle"), add("Inner"));
    for number in 10..13 {
        inner.add_member(scoped.user(number).parse().unwrap());
    }
    outer.add_member(middle.id());
    middle.add_member(inner.id());
    let scope = scoped.tenant.group("Scope");
    scoped.run_and_compare("outside").await;
    assert!(!scoped.has(10));
    scope.add_member(outer.id());
    scoped.run_and_compare("three groups deep").await;
    assert!(scoped.has(10) && scoped.has(12));
    // A circle that holds itself, and that the scope no longer reaches.
    inner.add_member(outer.id());
    scoped.run_and_compare("a circle").await;
    scope.remove_member(outer.id());
    scoped.run_and_compare("a circle outside").await;
    assert!(!scoped.has(10));
    // Two ways in: one of them ends.
    scope.add_member(middle.id());
    scope.add_member(inner.id());
    scoped.run_and_compare("two ways").await;
    scope.remove_member(middle.id());
    scoped.run_and_compare("one way").await;
    assert!(scoped.has(10));
    inner.remove_member(outer.id());
    scope.remove_member(inner.id());
    scope.add_member(outer.id());
    scoped.run_and_compare("from above again").await;
    // A group in the middle is deleted for good.
    let middle = middle.id().to_string();
    scoped.tenant.remove("groups", &middle).unwrap();
    scoped.run_and_compare("deleted in the middle").await;
    assert!(!scoped.has(10));
}

#[tokio::test]
async fn a_nested_group_with_many_users_enters_and_leaves_in_steps() {
    let mut scoped = Scoped::new(1, true).await;
    scoped.unguarded();
    let inner = scoped.tenant.add_group("Many");
    for number in 0..1_300 {
        let user = scoped.tenant.add_user(&format!("Many {number}"));
        inner.add_member(user.id());
    }
    scoped.run().await;
    assert_eq!(scoped.copy.count(ObjectKind::User), 1);
    scoped.tenant.group("Scope").add_member(inner.id());
    let mut largest = 0;
    while let Some(step) = scoped.sync.next(&mut scoped.store).await.unwrap() {
        largest = largest.max(step.changes().len());
        scoped.copy.commit(&mut scoped.store, &step).await;
    }
    assert!(largest <= 150, "{largest} changes in one step");
    assert_eq!(scoped.copy.count(ObjectKind::User), 1_301);
    scoped.tenant.group("Scope").remove_member(inner.id());
    scoped.run_and_compare("left").await;
}

#[tokio::test]
async fn what_was_in_a_former_scope_is_forgotten() {
    let mut scoped = Scoped::new(5, true).await;
    let (scope, inner) = (
        scoped.tenant.group("Scope"),
        scoped.tenant.add_group("Inner"),
    );
    inner.add_member(scoped.user(20).parse().unwrap());
    scope.add_member(inner.id());
    scoped.run_and_compare("nested").await;
    assert!(scoped.has(20));
    let nested = scoped.sync.clone();
    // The group leaves while only direct members are copied.
    (scoped.sync, scoped.nested) = (nested.clone().users_of_groups(&scoped.scope), false);
    scoped.run_and_compare("direct").await;
    scope.remove_member(inner.id());
    scoped.run_and_compare("inner left").await;
    (scoped.sync, scoped.nested) = (nested, true);
    scoped.run_and_compare("nested again").await;
    scope.add_member(inner.id());
    scoped.run_and_compare("inner is back").await;
    assert!(scoped.has(20));
}

#[tokio::test]
async fn a_lost_state_of_a_scope_hands_out_only_differences() {
    for nested in [false, true] {
        let mut scoped = Scoped::new(8, nested).await;
        let before = scoped.copy.clone();
        scoped.tenant.forget_delta_links();
        assert_eq!(scoped.run().await, []);
        assert_eq!(scoped.copy, before);
        // What changed while the state was lost: both edges, a deleted user, and a new one.
        let scope = scoped.tenant.group("Scope");
        scope.add_member(scoped.user(20).parse().unwrap());
        scope.remove_member(scoped.user(0).parse().unwrap());
        let id = scoped.user(1);
        scoped.tenant.remove("users", &id).unwrap();
        let nina = scoped.tenant.add_user("Nina");
        scope.add_member(nina.id());
        let inner = scoped.tenant.add_group("Inner");
        inner.add_member(scoped.user(21).parse().unwrap());
        scope.add_member(inner.id());
        scoped.tenant.forget_delta_links();
        scoped.run_and_compare("after a loss").await;
        assert_eq!(scoped.has(21), nested);
        // Graph lost the groups only.
        scope.add_member(scoped.user(22).parse().unwrap());
        scope.remove_member(scoped.user(2).parse().unwrap());
        scoped
            .tenant
            .inject(entra_mock::Fault::on("/groups/delta").times(1).status(410));
        scoped.run_and_compare("groups alone").await;
        assert!(scoped.has(22) && !scoped.has(2));
    }
}

#[tokio::test]
async fn a_scoped_run_that_is_killed_at_any_step_goes_on_in_another_process() {
    for nested in [false, true] {
        let mut killed_at = BTreeSet::new();
        for steps in 0.. {
            let mut scoped = Scoped::new(70, nested).await;
            scoped.unguarded();
            let scope = scoped.tenant.group("Scope");
            for number in 0..60 {
                scope.remove_member(scoped.user(number).parse().unwrap());
            }
            let inner = scoped.tenant.add_group("Inner");
            for number in 75..110 {
                let user = scoped.user(number).parse().unwrap();
                scope.add_member(user);
                inner.add_member(user);
            }
            scope.add_member(inner.id());
            let mut is_over = false;
            for _ in 0..steps {
                match scoped.sync.next(&mut scoped.store).await.unwrap() {
                    Some(step) => {
                        let state = serde_json::to_string(step.state()).unwrap();
                        let state: SyncState = serde_json::from_str(&state).unwrap();
                        assert_eq!(&state, step.state());
                        scoped.copy.commit(&mut scoped.store, &step).await;
                    }
                    None => is_over = true,
                }
            }
            // The next step is done, and lost.
            let _ = scoped.sync.next(&mut scoped.store).await.unwrap();
            killed_at.insert(
                scoped
                    .store
                    .state()
                    .await
                    .unwrap()
                    .map(|state| format!("{state:?}")),
            );
            // Meanwhile some return, and others leave.
            for number in [0, 1, 2, 100] {
                scope.add_member(scoped.user(number).parse().unwrap());
            }
            for number in [61, 75] {
                scope.remove_member(scoped.user(number).parse().unwrap());
            }
            let mut other = DirectorySync::new(&scoped.graph)
                .select_users((User::DISPLAY_NAME, User::JOB_TITLE))
                .groups()
                .guard(DeletionGuard::off());
            other = match nested {
                false => other.users_of_groups(&scoped.scope),
                true => other.users_of_nested_groups(&scoped.scope),
            };
            scoped.sync = other;
            scoped
                .run_and_compare(&format!("killed after {steps} steps"))
                .await;
            if is_over {
                break;
            }
            assert!(steps < 40, "a run that does not end");
        }
        assert!(killed_at.len() > 5, "{killed_at:?}");
    }
}

#[tokio::test]
async fn a_group_that_left_the_scope_after_a_run_without_it_takes_its_members_along() {
    let mut scoped = Scoped::new(3, true).await;
    scoped.unguarded();
    let inner = scoped.tenant.add_group("Inner");
    assert!(inner.add_member(scoped.user(20).parse().unwrap()));
    let scope = scoped.tenant.group("Scope");
    assert!(scope.add_member(inner.id()));
    scoped.run_and_compare("nested").await;
    let sync = scoped.sync.clone();
    scoped.sync = DirectorySync::new(&scoped.graph)
        .users()
        .guard(DeletionGuard::off());
    scoped.run().await;
    scoped.sync = sync;
    scoped.run_and_compare("the scope again").await;
    assert!(scoped.has(20));
    assert!(scope.remove_member(inner.id()));
    scoped.run_and_compare("left").await;
    assert!(!scoped.has(20));
}

/// Their own rows came long ago, and say nothing of it.
#[tokio::test]
async fn users_that_entered_and_left_while_no_users_were_copied_are_seen_when_they_are_again() {
    let mut scoped = Scoped::new(3, false).await;
    // The memberships of all other users end with the copy of all groups.
    scoped.unguarded();
    let sync = scoped.sync.clone();
    scoped.sync = DirectorySync::new(&scoped.graph).groups();
    scoped.run().await;
    let scope = scoped.tenant.group("Scope");
    assert!(scope.add_member(scoped.user(20).parse().unwrap()));
    assert!(scope.remove_member(scoped.user(1).parse().unwrap()));
    scoped.run().await;
    scoped.sync = sync;
    scoped.run_and_compare("users again").await;
    assert!(scoped.has(20) && !scoped.has(1));
}
