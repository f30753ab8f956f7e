//! What delta queries were seen to do beside the documentation, one by one; all together are in the random test.

use std::time::Duration;

use entra_graph::{
    User,
    sync::{DirectorySync, FullRoundCause, MemoryStore, ObjectKind, SyncNote},
};
use entra_mock::DeltaOddities;

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
