//! Objects that are deleted and restored, and whose memberships Graph does not send again.

use std::time::Duration;

use entra_graph::{
    Group,
    sync::{DirectorySync, MemoryStore, ObjectKind},
};
use entra_mock::{DeltaOddities, GroupHandle};
use serde_json::json;

use super::{
    Copy,
    oddities::{Deleted, RESTORED},
};

const DELAY: Duration = Duration::from_secs(300);

const fn silent() -> DeltaOddities {
    DeltaOddities::none().restored_memberships_silent()
}

/// A copy whose user Bruno was deleted. Rounds of users do not show that yet, and all groups were read since.
async fn deleted_late() -> Deleted {
    let mut deleted = Deleted::new(|_, sync| sync.groups()).await;
    deleted.tenant.clock().advance(DELAY);
    deleted.tenant.set_delta_oddities(silent().delayed(DELAY));
    delete(&deleted, "users", &deleted.bruno).await;
    // Only groups are read again.
    deleted.sync = deleted.sync.clone().select_groups(Group::DISPLAY_NAME);
    deleted.run().await;
    assert!(deleted.copy.has(ObjectKind::User, &deleted.bruno));
    assert!(deleted.is_member(), "whether it holds is not known");
    deleted
}

async fn delete(deleted: &Deleted, set: &str, id: &str) {
    deleted.send("DELETE", format!("/{set}/{id}")).await;
}

/// A Microsoft 365 group, which can be restored.
fn team(deleted: &Deleted) -> GroupHandle {
    let team = deleted.tenant.add_group("Team");
    team.set("groupTypes", json!(["Unified"]));
    team
}

#[tokio::test]
async fn a_restored_user_is_in_its_groups_though_its_deletion_came_late() {
    let mut deleted = deleted_late().await;
    let before = deleted.copy.clone();
    // What is in doubt can be so for several full rounds.
    deleted.sync = deleted
        .sync
        .clone()
        .select_groups((Group::DISPLAY_NAME, Group::DESCRIPTION));
    deleted.run().await;
    assert!(deleted.is_member());
    deleted.tenant.clock().advance(DELAY);
    deleted.run().await;
    assert!(!deleted.copy.has(ObjectKind::User, &deleted.bruno));
    assert!(!deleted.is_member());
    let bruno = deleted.bruno.clone();
    deleted.restore(&bruno).await;
    deleted.tenant.clock().advance(DELAY);
    assert_eq!(deleted.run().await, [RESTORED]);
    assert!(deleted.is_member());
    assert_eq!(deleted.copy.members, before.members);
    deleted
        .copy
        .assert_equals_tenant(&deleted.graph, "restored")
        .await;
}

#[tokio::test]
async fn a_membership_in_doubt_ends_with_a_full_round_that_lacks_it_once_both_ends_are_there() {
    let mut deleted = deleted_late().await;
    let bruno = deleted.bruno.clone();
    deleted.restore(&bruno).await;
    let engineers = deleted.tenant.group("Engineers");
    assert!(engineers.remove_member(bruno.parse().unwrap()));
    deleted.tenant.forget_delta_links();
    deleted.run().await;
    assert!(!deleted.is_member());
    deleted
        .copy
        .assert_equals_tenant(&deleted.graph, "restored")
        .await;
}

#[tokio::test]
async fn a_membership_whose_ends_were_both_deleted_returns_with_the_second_one() {
    for is_user_first in [true, false] {
        let mut deleted = Deleted::new(|_, sync| sync.groups()).await;
        let nina = deleted.tenant.add_user("Nina").id();
        let team = team(&deleted);
        assert!(team.add_member(nina));
        let (nina, team) = (nina.to_string(), team.id().to_string());
        deleted.run().await;
        let before = deleted.copy.clone();
        assert_eq!(before.members_of(&team).len(), 1);
        delete(&deleted, "groups", &team).await;
        delete(&deleted, "users", &nina).await;
        for _ in 0..2 {
            deleted.tenant.forget_delta_links();
            deleted.run().await;
        }
        let mut ids = [nina, team];
        if !is_user_first {
            ids.reverse();
        }
        for id in &ids {
            deleted.restore(id).await;
            deleted.run().await;
        }
        assert_eq!(deleted.copy, before, "the user first: {is_user_first}");
    }
}

#[tokio::test]
async fn a_restored_group_has_the_members_that_came_just_before_its_deletion() {
    let mut deleted = Deleted::new(|_, sync| sync.groups()).await;
    let team = team(&deleted);
    deleted.run().await;
    assert!(team.add_member(deleted.bruno.parse().unwrap()));
    let team = team.id().to_string();
    delete(&deleted, "groups", &team).await;
    deleted.run().await;
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
async fn a_deleted_member_that_a_full_round_lists_as_a_former_one_is_in_doubt_too() {
    let mut deleted = Deleted::new(|_, sync| sync.groups()).await;
    let engineers = deleted.tenant.group("Engineers");
    let member = deleted.bruno.parse().unwrap();
    assert!(engineers.remove_member(member) && engineers.add_member(member));
    deleted.run().await;
    let before = deleted.copy.clone();
    deleted
        .tenant
        .set_delta_oddities(silent().removed_members_in_first_round());
    delete(&deleted, "users", &deleted.bruno).await;
    deleted.tenant.forget_delta_links();
    deleted.run().await;
    assert!(!deleted.is_member());
    let bruno = deleted.bruno.clone();
    deleted.restore(&bruno).await;
    assert_eq!(deleted.run().await, [RESTORED]);
    assert_eq!(deleted.copy, before);
}

/// No full round has the membership: its member and its group are there at different times.
#[tokio::test]
async fn a_member_that_returns_while_its_group_is_deleted_is_in_it_once_both_are_restored() {
    let mut deleted = Deleted::new(|_, sync| sync.groups()).await;
    let nina = deleted.tenant.add_user("Nina").id();
    let team = team(&deleted);
    assert!(team.add_member(nina));
    let (nina, team) = (nina.to_string(), team.id().to_string());
    deleted.run().await;
    let before = deleted.copy.clone();
    delete(&deleted, "users", &nina).await;
    deleted.run().await;
    deleted.tenant.forget_delta_links();
    deleted.run().await;
    deleted.restore(&nina).await;
    delete(&deleted, "groups", &team).await;
    deleted.run().await;
    delete(&deleted, "users", &nina).await;
    deleted.run().await;
    deleted.restore(&team).await;
    deleted.run().await;
    deleted.restore(&nina).await;
    deleted.run().await;
    assert_eq!(deleted.copy, before);
}

/// The first round says that it was deleted, or one of changes does, of a user that came and went between two runs.
#[tokio::test]
async fn a_user_that_was_deleted_before_it_was_read_is_in_its_groups_once_it_is_restored() {
    let (tenant, graph) = super::tenant_and_graph().await;
    let oddities = DeltaOddities::none()
        .restored_memberships_silent()
        .removed_users_in_first_round();
    tenant.set_delta_oddities(oddities);
    let engineers = tenant.group("Engineers");
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let mut sync = DirectorySync::new(&graph).users().groups();
    for name in ["Nina", "Olga"] {
        let user = tenant.add_user(name).id();
        assert!(engineers.add_member(user));
        let send = async |method: &str, path: String| {
            graph.raw(method, path).send().await.unwrap();
        };
        send("DELETE", format!("/users/{user}")).await;
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        assert!(!copy.has(ObjectKind::User, &user.to_string()));
        send("POST", format!("/directory/deletedItems/{user}/restore")).await;
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        let members = copy.members_of(&engineers.id().to_string());
        assert!(members.contains(&*user.to_string()), "{name}");
    }
    copy.assert_equals_tenant(&graph, "restored").await;
}
