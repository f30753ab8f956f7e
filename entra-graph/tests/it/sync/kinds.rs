//! Kinds that are no longer copied, or once more, while some of their objects are deleted.

use std::collections::BTreeSet;

use entra_graph::{
    GraphClient, Group,
    sync::{
        DeletionGuard, DirectorySync, FullRoundCause, MemoryStore, ObjectKind, SyncNote, SyncStore,
    },
};
use entra_mock::{DeltaOddities, FakeTenant};
use serde_json::json;

use super::{Copy, tenant_and_graph};

/// A copy of users and groups, in which Nina is an engineer. She is deleted, and no run has followed.
struct Deleted {
    tenant: FakeTenant,
    graph: GraphClient,
    nina: String,
    both: DirectorySync,
    groups: DirectorySync,
    store: MemoryStore,
    copy: Copy,
}

impl Deleted {
    async fn new() -> Self {
        Self::of(|sync| sync).await
    }

    async fn of(choose: impl Fn(DirectorySync) -> DirectorySync) -> Self {
        let (tenant, graph) = tenant_and_graph().await;
        let nina = tenant.add_user("Nina").id();
        assert!(tenant.group("Engineers").add_member(nina));
        let groups = choose(DirectorySync::new(&graph).groups());
        let mut deleted = Self {
            tenant,
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

    async fn restore(&self) {
        let path = format!("/directory/deletedItems/{}/restore", self.nina);
        self.send("POST", path).await;
    }

    /// No row of a group says that a restored object is a member again.
    fn restore_silently_from_now_on(&self) {
        self.tenant
            .set_delta_oddities(DeltaOddities::none().restored_memberships_silent());
    }

    async fn follow(&mut self, sync: &DirectorySync) -> Vec<SyncNote> {
        let mut sync = sync.clone();
        let run = self.copy.catch_up(&mut sync, &mut self.store);
        run.await.unwrap()
    }

    async fn follow_both(&mut self) -> Vec<SyncNote> {
        let both = self.both.clone();
        self.follow(&both).await
    }

    async fn follow_groups(&mut self) -> Vec<SyncNote> {
        let groups = self.groups.clone();
        self.follow(&groups).await
    }

    /// The process is killed after the round of users, so the removal of Nina waits.
    async fn kill_after_users(&mut self) {
        let step = self.both.clone().next(&mut self.store).await.unwrap();
        let step = step.unwrap();
        assert_eq!(step.progress().kind, Some(ObjectKind::User));
        self.copy.commit(&mut self.store, &step).await;
        assert!(self.has_nina(), "removals come last");
        let waiting = self.store.scan("p/u/", None, 10).await.unwrap();
        assert_eq!(waiting.len(), 1);
    }

    fn has_nina(&self) -> bool {
        self.copy.has(ObjectKind::User, &self.nina)
    }

    async fn assert_has_members_of_tenant(&self, context: &str) {
        let (_, members): (_, BTreeSet<_>) = Copy::of_tenant(&self.graph).await;
        assert_eq!(self.copy.members, members, "{context}");
    }

    async fn assert_equals_tenant(&self, context: &str) {
        self.copy.assert_equals_tenant(&self.graph, context).await;
    }

    /// Goes on without users, until after the restore of Nina.
    async fn go_on_without_users(&mut self) {
        for run in 1..3 {
            self.follow_groups().await;
            self.assert_has_members_of_tenant(&format!("run {run}"))
                .await;
        }
        assert!(!self.has_nina());
        self.restore().await;
        self.follow_groups().await;
        self.assert_has_members_of_tenant("restored").await;
        // Copied again, they double and lose none.
        self.follow_both().await;
        self.assert_equals_tenant("users again").await;
    }
}

const ALL_GROUPS: SyncNote = SyncNote::FullRound {
    kind: ObjectKind::Group,
    cause: FullRoundCause::ScopeChanged,
};

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
    deleted.kill_after_users().await;
    deleted.go_on_without_users().await;
}

#[tokio::test]
async fn all_groups_are_read_once_when_a_kind_is_no_longer_copied_and_when_it_is_again() {
    let mut deleted = Deleted::new().await;
    deleted.follow_both().await;
    for _ in 0..2 {
        assert_eq!(deleted.follow_groups().await, [ALL_GROUPS]);
        assert_eq!(deleted.follow_groups().await, []);
        assert_eq!(deleted.follow_both().await, [ALL_GROUPS]);
        assert_eq!(deleted.follow_both().await, []);
    }
    deleted.assert_equals_tenant("in the end").await;
}

#[tokio::test]
async fn a_user_that_was_restored_when_users_are_no_longer_copied_is_in_its_groups() {
    for is_silent in [false, true] {
        let mut deleted = Deleted::new().await;
        deleted.follow_both().await;
        assert!(!deleted.has_nina());
        if is_silent {
            deleted.restore_silently_from_now_on();
        }
        deleted.restore().await;
        deleted.follow_groups().await;
        deleted.assert_has_members_of_tenant("without users").await;
        deleted.follow_both().await;
        deleted.assert_equals_tenant("users again").await;
    }
}

#[tokio::test]
async fn a_user_that_is_restored_after_users_were_not_copied_for_a_while_is_in_its_groups() {
    // The deletion is known before users are no longer copied, or only after they are copied again.
    for is_known in [true, false] {
        let mut deleted = Deleted::new().await;
        deleted.restore_silently_from_now_on();
        if is_known {
            deleted.follow_both().await;
        }
        deleted.follow_groups().await;
        deleted.assert_has_members_of_tenant("without users").await;
        deleted.follow_both().await;
        assert!(!deleted.has_nina());
        deleted.assert_equals_tenant("users again").await;
        deleted.restore().await;
        deleted.follow_both().await;
        deleted.assert_equals_tenant("restored").await;
    }
}

#[tokio::test]
async fn a_user_that_was_deleted_and_restored_while_users_were_not_copied_is_in_its_groups() {
    let mut deleted = Deleted::new().await;
    deleted.restore_silently_from_now_on();
    deleted.follow_groups().await;
    deleted.restore().await;
    deleted.follow_groups().await;
    deleted.follow_both().await;
    deleted.assert_equals_tenant("users again").await;
}

#[tokio::test]
async fn a_deleted_user_leaves_its_groups_in_the_first_run_that_does_not_copy_users() {
    let mut deleted = Deleted::new().await;
    deleted.follow_groups().await;
    deleted.assert_has_members_of_tenant("first run").await;
    assert!(deleted.has_nina(), "users are not read");
    deleted.follow_both().await;
    assert!(!deleted.has_nina());
    deleted.assert_equals_tenant("users again").await;
}

#[tokio::test]
async fn a_user_whose_removal_waits_when_devices_are_copied_instead_of_users_loses_no_membership() {
    let mut deleted = Deleted::new().await;
    deleted.kill_after_users().await;
    let devices = deleted.groups.clone().devices();
    deleted.follow(&devices).await;
    assert!(!deleted.has_nina());
    deleted.assert_has_members_of_tenant("with devices").await;
    deleted.restore().await;
    deleted.follow(&devices).await;
    deleted.assert_has_members_of_tenant("restored").await;
    deleted.follow_both().await;
    deleted.assert_equals_tenant("users again").await;
}

#[tokio::test]
async fn a_removal_that_waited_takes_no_membership_of_a_user_along_that_was_restored() {
    for is_transitive in [false, true] {
        let mut deleted = Deleted::of(|sync| match is_transitive {
            true => sync.transitive_members(),
            false => sync,
        })
        .await;
        deleted.kill_after_users().await;
        let before = deleted.copy.clone();
        deleted.restore().await;
        deleted.follow_groups().await;
        assert!(!deleted.has_nina(), "the removal was handed out");
        deleted.assert_has_members_of_tenant("without users").await;
        assert_eq!(deleted.copy.transitive, before.transitive);
        deleted.follow_both().await;
        deleted.assert_equals_tenant("users again").await;
        assert_eq!(deleted.copy.transitive, before.transitive);
    }
}

#[tokio::test]
async fn a_membership_that_ended_while_users_were_not_copied_ends_when_its_user_returns() {
    let mut deleted = Deleted::new().await;
    deleted.follow_both().await;
    deleted.follow_groups().await;
    deleted.restore().await;
    deleted.follow_groups().await;
    deleted.assert_has_members_of_tenant("restored").await;
    let engineers = deleted.tenant.group("Engineers");
    assert!(engineers.remove_member(deleted.nina.parse().unwrap()));
    deleted.tenant.forget_delta_links();
    let strict = DeletionGuard::new().share(0.0).floor(0);
    let mut strict = deleted.groups.clone().guard(strict);
    let run = deleted.copy.catch_up(&mut strict, &mut deleted.store);
    assert!(run.await.unwrap_err().held().is_some());
    // The end of the membership waits, and Nina's row comes first.
    deleted.follow_both().await;
    deleted.assert_equals_tenant("users again").await;
}

#[tokio::test]
async fn a_deleted_group_is_no_member_again_because_groups_are_no_longer_copied() {
    let mut deleted = Deleted::new().await;
    let team = deleted.tenant.add_group("Team");
    team.set("groupTypes", json!(["Unified"]));
    assert!(deleted.tenant.group("Engineers").add_member(team.id()));
    deleted.follow_both().await;
    let with_team = deleted.copy.clone();
    let team = team.id().to_string();
    deleted.send("DELETE", format!("/groups/{team}")).await;
    deleted.follow_both().await;
    assert!(!deleted.copy.has(ObjectKind::Group, &team));
    let before = deleted.copy.clone();
    let users = DirectorySync::new(&deleted.graph).users();
    for _ in 0..2 {
        deleted.follow(&users).await;
        assert_eq!(deleted.copy, before);
    }
    let path = format!("/directory/deletedItems/{team}/restore");
    deleted.send("POST", path).await;
    deleted.follow_both().await;
    assert_eq!(deleted.copy, with_team);
    deleted.assert_equals_tenant("groups again").await;
}

#[tokio::test]
async fn a_change_of_kinds_that_is_interrupted_after_any_step_loses_and_doubles_nothing() {
    for goes_back in [false, true] {
        for steps in 0.. {
            let mut deleted = Deleted::new().await;
            deleted.kill_after_users().await;
            let devices = deleted.groups.clone().devices();
            let mut killed = devices.clone();
            let mut is_over = false;
            for _ in 0..steps {
                let Some(step) = killed.next(&mut deleted.store).await.unwrap() else {
                    is_over = true;
                    break;
                };
                deleted.copy.commit(&mut deleted.store, &step).await;
            }
            // The last one is not saved.
            drop(killed.next(&mut deleted.store).await.unwrap());
            let context = format!("back: {goes_back}, killed after {steps} steps");
            let next = if goes_back {
                deleted.both.clone()
            } else {
                devices
            };
            deleted.follow(&next).await;
            assert!(!deleted.has_nina(), "{context}");
            deleted.assert_has_members_of_tenant(&context).await;
            deleted.restore().await;
            deleted.follow(&next).await;
            deleted.assert_has_members_of_tenant(&context).await;
            deleted.follow_both().await;
            deleted.assert_equals_tenant(&context).await;
            if is_over {
                assert!(steps > 4, "{context}");
                break;
            }
            assert!(steps < 40, "a run that does not end");
        }
    }
}

#[tokio::test]
async fn whatever_was_copied_in_between_the_last_copy_of_users_and_groups_equals_the_tenant() {
    let (tenant, graph) = tenant_and_graph().await;
    tenant.set_delta_oddities(DeltaOddities::none().restored_memberships_silent());
    let groups = DirectorySync::new(&graph).groups();
    let both = groups.clone().users();
    let users = DirectorySync::new(&graph).users();
    let choices = [
        both.clone(),
        groups.clone(),
        groups.clone().devices(),
        users,
    ];
    // Two runs come before the last one, and Nina is restored before one of the three.
    for case in 0..96_usize {
        let (first, second) = (case / 24, case / 6 % 4);
        let (restored, is_known) = (case / 2 % 3, case % 2 == 0);
        let context = format!("{first}, {second}, restored {restored}, known: {is_known}");
        let nina = tenant.add_user("Nina").id();
        assert!(tenant.group("Engineers").add_member(nina));
        let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
        copy.catch_up(&mut both.clone(), &mut store).await.unwrap();
        let delete = graph.raw("DELETE", format!("/users/{nina}"));
        delete.send().await.unwrap();
        if is_known {
            copy.catch_up(&mut both.clone(), &mut store).await.unwrap();
        }
        let mut runs = [&choices[first], &choices[second], &both].map(DirectorySync::clone);
        for (position, sync) in runs.iter_mut().enumerate() {
            if position == restored {
                let path = format!("/directory/deletedItems/{nina}/restore");
                graph.raw("POST", path).send().await.unwrap();
            }
            copy.catch_up(sync, &mut store).await.unwrap();
        }
        assert!(copy.has(ObjectKind::User, &nina.to_string()), "{context}");
        copy.assert_equals_tenant(&graph, &context).await;
        tenant.remove("users", &nina.to_string()).unwrap();
    }
}

/// It is deleted for good as far as the groups are concerned: a full round of them has no membership of it any more.
#[tokio::test]
async fn a_user_that_came_and_was_deleted_while_users_were_not_copied_is_in_its_groups_when_restored()
 {
    let mut deleted = Deleted::new().await;
    deleted.follow_groups().await;
    let olga = deleted.tenant.add_user("Olga").id();
    assert!(deleted.tenant.group("Engineers").add_member(olga));
    deleted.follow_groups().await;
    deleted.send("DELETE", format!("/users/{olga}")).await;
    // All groups are read again.
    let selected = deleted.groups.clone().select_groups(Group::DISPLAY_NAME);
    deleted.follow(&selected).await;
    deleted.follow_both().await;
    deleted.assert_equals_tenant("deleted").await;
    deleted.restore_silently_from_now_on();
    let path = format!("/directory/deletedItems/{olga}/restore");
    deleted.send("POST", path).await;
    deleted.follow_both().await;
    deleted.assert_equals_tenant("restored").await;
}

/// Eight of twenty members are deleted with their users, which are few among all users.
#[tokio::test]
async fn users_that_are_copied_once_more_need_no_approval_wherever_the_first_run_was_killed() {
    let (tenant, graph) = tenant_and_graph().await;
    let users: Vec<_> = (0..100)
        .map(|number| tenant.add_user(&format!("User {number}")).id())
        .collect();
    let team = tenant.add_group("Team");
    for user in &users[..20] {
        assert!(team.add_member(*user));
    }
    let groups = DirectorySync::new(&graph).groups();
    let both = groups.clone().users();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    for sync in [&both, &groups] {
        copy.catch_up(&mut sync.clone(), &mut store).await.unwrap();
    }
    for user in &users[..8] {
        graph
            .raw("DELETE", format!("/users/{user}"))
            .send()
            .await
            .unwrap();
    }
    for steps in 0.. {
        let (mut store, mut copy) = (store.clone(), copy.clone());
        let mut killed = both.clone();
        let mut is_over = false;
        for _ in 0..steps {
            match killed.next(&mut store).await.unwrap() {
                Some(step) => copy.commit(&mut store, &step).await,
                None => is_over = true,
            }
        }
        copy.catch_up(&mut both.clone(), &mut store).await.unwrap();
        let context = format!("killed after {steps} steps");
        copy.assert_equals_tenant(&graph, &context).await;
        if is_over {
            return;
        }
    }
}

#[tokio::test]
async fn a_run_that_drops_a_kind_reads_no_page_of_groups_twice() {
    let mut deleted = Deleted::new().await;
    deleted.follow_both().await;
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let mut first = DirectorySync::new(&deleted.graph).groups();
    deleted.tenant.forget_requests();
    copy.catch_up(&mut first, &mut store).await.unwrap();
    let pages = deleted.tenant.requests().to("/groups/delta").count();
    deleted.tenant.forget_requests();
    deleted.follow_groups().await;
    assert_eq!(deleted.tenant.requests().to("/groups/delta").count(), pages);
}
