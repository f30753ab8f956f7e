//! What delta queries were seen to do beside the documentation, one by one; all together are in the random test.

use std::time::Duration;

use entra_graph::{
    ErrorKind, GraphClient, User,
    sync::{
        DeletionGuard, DirectorySync, FullRoundCause, MemoryStore, ObjectKind, SyncError, SyncNote,
    },
};
use entra_mock::{DeltaOddities, FakeTenant};
use serde_json::json;

use super::{Copy, tenant_and_graph};

#[tokio::test]
async fn a_user_that_is_deleted_in_silence_leaves_with_the_next_full_round() {
    let (tenant, graph) = tenant_and_graph().await;
    tenant.set_delta_oddities(DeltaOddities::none().deletions_silent());
    let mut sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let bruno = tenant.user("bruno@contoso.com").id().to_string();
    let clara = tenant.user("clara@contoso.com").id().to_string();
    tenant.user("bruno@contoso.com").delete();
    tenant.remove("users", &clara).unwrap();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert!(copy.has(ObjectKind::User, &bruno) && copy.has(ObjectKind::User, &clara));
    let week = Duration::from_secs(7 * 24 * 3600 + 1);
    for _ in 0..2 {
        tenant.clock().advance(week / 2);
        copy.catch_up(&mut sync, &mut store).await.unwrap();
    }
    copy.assert_equals_tenant(&graph, "after a week").await;
    // One that is restored comes back, with its groups.
    let path = format!("/directory/deletedItems/{bruno}/restore");
    graph.raw("POST", path).send().await.unwrap();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_equals_tenant(&graph, "restored").await;
}

#[tokio::test]
async fn properties_of_further_pages_do_not_shrink() {
    let (tenant, graph) = tenant_and_graph().await;
    for number in 0..500 {
        tenant.add_user(&format!("User {number}"));
    }
    tenant.set_delta_oddities(DeltaOddities::none().select_star_shrinks());
    let all = DirectorySync::new(&graph).users();
    let selected = DirectorySync::new(&graph).select_users((User::DISPLAY_NAME, User::JOB_TITLE));
    for mut sync in [all, selected] {
        let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        let users = copy
            .assert_properties(&graph, ObjectKind::User, "all pages")
            .await;
        assert!(users > 500 && copy.count(ObjectKind::User) == users);
    }
    // No request asks for all properties, which Graph does not keep up.
    let requests = tenant.requests().to("/users/delta");
    assert_eq!(requests.count(), 6);
    let mut selections = requests
        .iter()
        .map(|request| request.query_parameter("$select"));
    assert!(selections.all(|select| select.is_none_or(|select| !select.contains('*'))));
}

#[tokio::test]
async fn a_rejected_link_without_an_address_begins_a_full_round_at_our_own() {
    let (tenant, graph) = tenant_and_graph().await;
    tenant.set_delta_oddities(DeltaOddities::none().resync_without_location());
    let mut sync = DirectorySync::new(&graph)
        .select_users(User::DISPLAY_NAME)
        .groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let before = copy.clone();
    tenant.forget_delta_links();
    let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
    let full = |kind| SyncNote::FullRound {
        kind,
        cause: FullRoundCause::StateRejected,
    };
    assert_eq!(notes, [full(ObjectKind::User), full(ObjectKind::Group)]);
    assert_eq!(copy, before);
}

/// A copy whose user Bruno was deleted, and whose groups were all read since.
pub(super) struct Deleted {
    pub(super) tenant: FakeTenant,
    pub(super) graph: GraphClient,
    pub(super) sync: DirectorySync,
    pub(super) store: MemoryStore,
    pub(super) copy: Copy,
    pub(super) bruno: String,
    pub(super) engineers: String,
}

impl Deleted {
    pub(super) async fn new(choose: impl Fn(&FakeTenant, DirectorySync) -> DirectorySync) -> Self {
        let (tenant, graph) = tenant_and_graph().await;
        tenant.set_delta_oddities(DeltaOddities::none().restored_memberships_silent());
        let bruno = tenant.user("bruno@contoso.com").id();
        let engineers = tenant.group("Engineers");
        engineers.add_member(bruno);
        let mut deleted = Self {
            sync: choose(&tenant, DirectorySync::new(&graph).users()),
            store: MemoryStore::new(),
            copy: Copy::default(),
            bruno: bruno.to_string(),
            engineers: engineers.id().to_string(),
            tenant,
            graph,
        };
        deleted.run().await;
        assert!(deleted.is_member());
        deleted
    }

    pub(super) async fn run(&mut self) -> Vec<SyncNote> {
        let run = self.copy.catch_up(&mut self.sync, &mut self.store);
        run.await.unwrap()
    }

    pub(super) fn is_member(&self) -> bool {
        self.copy.members_of(&self.engineers).contains(&*self.bruno)
    }

    pub(super) async fn send(&self, method: &str, path: String) {
        self.graph.raw(method, path).send().await.unwrap();
    }

    pub(super) async fn restore(&self, id: &str) {
        let path = format!("/directory/deletedItems/{id}/restore");
        self.send("POST", path).await;
    }
}

pub(super) const RESTORED: SyncNote = SyncNote::FullRound {
    kind: ObjectKind::Group,
    cause: FullRoundCause::Restored,
};

#[tokio::test]
async fn a_restored_user_is_in_its_groups_though_a_full_round_lacked_it() {
    // The deletion is known before the full round, or comes with it; with a scope, groups are read first.
    for (is_known, is_scoped) in [(true, false), (false, false), (true, true), (false, true)] {
        let context = format!("known: {is_known}, scoped: {is_scoped}");
        let mut deleted = Deleted::new(|tenant, sync| match is_scoped {
            true => sync
                .groups()
                .users_of_groups([tenant.group("Engineers").id()]),
            false => sync.groups().transitive_members(),
        })
        .await;
        let before = deleted.copy.clone();
        deleted
            .send("DELETE", format!("/users/{}", deleted.bruno))
            .await;
        if is_known {
            deleted.run().await;
        }
        deleted.tenant.forget_delta_links();
        deleted.run().await;
        assert!(!deleted.copy.has(ObjectKind::User, &deleted.bruno));
        assert!(!deleted.is_member());
        // One more full round does not end the doubt.
        deleted.tenant.forget_delta_links();
        deleted.run().await;
        let bruno = deleted.bruno.clone();
        deleted.restore(&bruno).await;
        let notes = deleted.run().await;
        assert_eq!(notes, [RESTORED], "{context}");
        assert_eq!(deleted.copy, before, "{context}");
        assert_eq!(deleted.run().await, [], "{context}");
        assert_eq!(deleted.copy, before, "{context}");
    }
}

#[tokio::test]
async fn a_membership_that_ended_before_the_deletion_does_not_return() {
    let mut deleted = Deleted::new(|_, sync| sync.groups()).await;
    let member = deleted.bruno.parse().unwrap();
    deleted.tenant.group("Engineers").remove_member(member);
    deleted
        .send("DELETE", format!("/users/{}", deleted.bruno))
        .await;
    deleted.tenant.forget_delta_links();
    deleted.run().await;
    let bruno = deleted.bruno.clone();
    deleted.restore(&bruno).await;
    while let Some(step) = deleted.sync.next(&mut deleted.store).await.unwrap() {
        deleted.copy.commit(&mut deleted.store, &step).await;
        assert!(!deleted.is_member(), "not for a moment");
    }
    deleted
        .copy
        .assert_equals_tenant(&deleted.graph, "restored")
        .await;
}

#[tokio::test]
async fn a_restored_group_has_its_members_though_a_full_round_lacked_it() {
    let mut deleted = Deleted::new(|_, sync| sync.groups()).await;
    let team = deleted.tenant.add_group("Team");
    team.set("groupTypes", json!(["Unified"]));
    team.add_member(deleted.bruno.parse().unwrap());
    deleted.run().await;
    let team = team.id().to_string();
    assert_eq!(deleted.copy.members_of(&team).len(), 1);
    deleted.send("DELETE", format!("/groups/{team}")).await;
    for _ in 0..2 {
        deleted.tenant.forget_delta_links();
        deleted.run().await;
    }
    assert!(!deleted.copy.has(ObjectKind::Group, &team));
    deleted.restore(&team).await;
    assert_eq!(deleted.run().await, [RESTORED]);
    assert_eq!(deleted.copy.members_of(&team).len(), 1);
    deleted
        .copy
        .assert_equals_tenant(&deleted.graph, "restored")
        .await;
}

#[tokio::test]
async fn a_user_that_returns_before_its_removal_was_approved_keeps_its_groups() {
    let mut deleted = Deleted::new(|_, sync| sync.groups()).await;
    deleted.sync = deleted
        .sync
        .clone()
        .guard(DeletionGuard::new().share(0.0).floor(0));
    let before = deleted.copy.clone();
    deleted
        .send("DELETE", format!("/users/{}", deleted.bruno))
        .await;
    deleted.tenant.forget_delta_links();
    let run = deleted
        .copy
        .catch_up(&mut deleted.sync, &mut deleted.store)
        .await;
    assert!(matches!(run, Err(SyncError::RemovalsHeld(_))), "{run:?}");
    let bruno = deleted.bruno.clone();
    deleted.restore(&bruno).await;
    assert_eq!(deleted.run().await, [RESTORED]);
    assert_eq!(deleted.copy, before);
}

#[tokio::test]
async fn a_round_of_empty_pages_with_new_links_ends_with_an_error() {
    let (tenant, graph) = tenant_and_graph().await;
    let mut sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let before = copy.clone();
    tenant.set_delta_oddities(DeltaOddities::none().never_ending_empty_pages());
    let error = copy.catch_up(&mut sync, &mut store).await.unwrap_err();
    let SyncError::Graph(error) = error else {
        panic!("{error}")
    };
    assert_eq!(error.kind(), ErrorKind::PageLoop);
    // The round, and two full ones instead of it.
    assert!(tenant.requests().to("/users/delta").count() < 3_100);
    assert_eq!(copy, before);
    tenant.set_delta_oddities(DeltaOddities::none());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_equals_tenant(&graph, "ended").await;
}
