//! Rounds against the fake tenant: first, later, full again, and what a member needs to be one.

use std::time::Duration;

use entra_graph::{
    Group, User,
    entra_core::ObjectId,
    sync::{
        DirectorySync, FullRoundCause, MemoryStore, ObjectKind, RemovalReason, SyncChange,
        SyncError, SyncNote, SyncState, SyncStore,
    },
};
use entra_mock::{DeltaOddities, Fault};
use serde_json::{Value, json};

use super::{Copy, tenant_and_graph};

fn full(kind: ObjectKind, cause: FullRoundCause) -> SyncNote {
    SyncNote::FullRound { kind, cause }
}

#[tokio::test]
async fn the_first_run_copies_everything_and_the_next_one_the_changes() {
    let (tenant, graph) = tenant_and_graph().await;
    let mut sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(
        notes,
        [
            full(ObjectKind::User, FullRoundCause::First),
            full(ObjectKind::Group, FullRoundCause::First)
        ]
    );
    copy.assert_equals_tenant(&graph, "first").await;
    let state = store.state().await.unwrap().unwrap();
    assert_eq!(
        state.present(ObjectKind::User) as usize,
        copy.count(ObjectKind::User)
    );

    let adele = tenant.user("adele@contoso.com");
    adele.set("jobTitle", json!("Lead"));
    let nina = tenant.add_user("Nina");
    tenant.group("Engineers").add_member(nina.id());
    let gone = tenant.user("hanna@contoso.com").id().to_string();
    tenant.user("hanna@contoso.com").delete();
    let before = graph.requests_sent();
    let mut changes = Vec::new();
    while let Some(step) = sync.next(&mut store).await.unwrap() {
        changes.extend_from_slice(step.changes());
        copy.commit(&mut store, &step).await;
    }
    assert_eq!(graph.requests_sent() - before, 2, "one for each kind");
    let upserts = changes
        .iter()
        .filter(|change| matches!(change, SyncChange::Upsert(_)));
    // Adele and Nina; the group itself did not change.
    assert_eq!(upserts.count(), 2, "{changes:?}");
    let removed = SyncChange::Removed {
        kind: ObjectKind::User,
        id: gone,
        reason: RemovalReason::Restorable,
    };
    assert_eq!(changes.last(), Some(&removed), "removals come last");
    copy.assert_equals_tenant(&graph, "later").await;
    assert!(
        copy.catch_up(&mut sync, &mut store)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_restored_user_is_in_its_groups_again_and_a_purged_one_never() {
    let (tenant, graph) = tenant_and_graph().await;
    let mut sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let adele = tenant.user("adele@contoso.com").id().to_string();
    let engineers = tenant.group("Engineers").id().to_string();
    assert!(copy.members_of(&engineers).contains(&*adele));

    tenant.user("adele@contoso.com").delete();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert!(!copy.members_of(&engineers).contains(&*adele));
    let restore = graph.raw("POST", format!("/directory/deletedItems/{adele}/restore"));
    restore.json::<Value>().await.unwrap();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert!(copy.members_of(&engineers).contains(&*adele));
    copy.assert_equals_tenant(&graph, "restored").await;

    // Without a word in the feed of groups.
    tenant.set_delta_oddities(DeltaOddities::none().purged_members_silent());
    let rows = store.len();
    tenant.remove("users", &adele).unwrap();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_equals_tenant(&graph, "purged").await;
    assert!(store.len() < rows - 2, "its memberships are forgotten too");
}

#[tokio::test]
async fn a_lost_state_starts_again_by_itself_and_hands_out_only_differences() {
    let (tenant, graph) = tenant_and_graph().await;
    let mut sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let before = copy.clone();

    tenant.forget_delta_links();
    let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(
        notes,
        [
            full(ObjectKind::User, FullRoundCause::StateRejected),
            full(ObjectKind::Group, FullRoundCause::StateRejected)
        ]
    );
    assert_eq!(copy, before);

    // Lost in the middle of what came in between: deleted, unlinked and created objects.
    tenant
        .remove("users", &tenant.user("hanna@contoso.com").id().to_string())
        .unwrap();
    let engineers = tenant.group("Engineers");
    engineers.remove_member(tenant.user("bruno@contoso.com").id());
    let nina = tenant.add_user("Nina");
    engineers.add_member(nina.id());
    tenant.forget_delta_links();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_equals_tenant(&graph, "after a loss").await;

    // After eight days the links are expired.
    tenant.clock().advance(Duration::from_secs(8 * 86_400));
    let notes = copy
        .catch_up(&mut sync.clone().full_round_every(None), &mut store)
        .await
        .unwrap();
    assert_eq!(
        notes[0],
        full(ObjectKind::User, FullRoundCause::StateRejected)
    );
    copy.assert_equals_tenant(&graph, "after eight days").await;
}

#[tokio::test]
async fn nothing_is_removed_before_a_full_round_is_complete() {
    let (tenant, graph) = tenant_and_graph().await;
    for number in 0..450 {
        tenant.add_user(&format!("User {number}"));
    }
    let mut sync = DirectorySync::new(&graph).users();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let count = copy.count(ObjectKind::User);
    tenant
        .remove("users", &tenant.user("adele@contoso.com").id().to_string())
        .unwrap();
    tenant.forget_delta_links();
    tenant.inject(Fault::on("/users/delta").page(3).times(9).status(400));
    // The third page always fails, so each round begins again until the run gives up.
    let error = copy.catch_up(&mut sync, &mut store).await.unwrap_err();
    assert!(matches!(error, SyncError::Graph(_)), "{error}");
    assert_eq!(copy.count(ObjectKind::User), count);
    tenant.clear_faults();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(copy.count(ObjectKind::User), count - 1);
}

#[tokio::test]
async fn a_sync_that_gave_up_starts_again_by_itself_later() {
    let (tenant, graph) = tenant_and_graph().await;
    for number in 0..450 {
        tenant.add_user(&format!("User {number}"));
    }
    let mut sync = DirectorySync::new(&graph).users();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    tenant.inject(Fault::on("/users/delta").page(3).times(9).status(400));
    tenant.forget_delta_links();
    let error = copy.catch_up(&mut sync, &mut store).await.unwrap_err();
    assert!(matches!(error, SyncError::Graph(_)), "{error}");
    tenant.clear_faults();
    // The link of the page that failed is lost too.
    tenant.forget_delta_links();
    let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(
        notes,
        [full(ObjectKind::User, FullRoundCause::StateRejected)]
    );
    copy.catch_up(&mut sync, &mut store).await.unwrap();
}

#[tokio::test]
async fn other_properties_or_another_filter_read_all_objects_again() {
    let (tenant, graph) = tenant_and_graph().await;
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let mut sync = DirectorySync::new(&graph).select_users(User::DISPLAY_NAME);
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let mut sync =
        DirectorySync::new(&graph).select_users((User::DISPLAY_NAME, User::ACCOUNT_ENABLED));
    let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(
        notes,
        [full(ObjectKind::User, FullRoundCause::ScopeChanged)]
    );
    let marta = tenant.user("marta@contoso.com").id().to_string();
    assert!(copy.has(ObjectKind::User, &marta));

    let mut sync = sync.filter_users("enabled", |user: &User| user.account_enabled == Some(true));
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert!(!copy.has(ObjectKind::User, &marta), "Marta is disabled");
    // The edge of the filter, in both directions.
    tenant.user("marta@contoso.com").enable();
    tenant.user("adele@contoso.com").disable();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert!(copy.has(ObjectKind::User, &marta));
    assert!(!copy.has(
        ObjectKind::User,
        &tenant.user("adele@contoso.com").id().to_string()
    ));
}

#[tokio::test]
async fn a_filter_holds_whether_properties_are_chosen_before_or_after_it() {
    let (tenant, graph) = tenant_and_graph().await;
    let marta = tenant.user("marta@contoso.com").id().to_string();
    let enabled = |user: &User| user.account_enabled == Some(true);
    let properties = || (User::DISPLAY_NAME, User::ACCOUNT_ENABLED);
    let before = DirectorySync::new(&graph).select_users(properties());
    let after = DirectorySync::new(&graph).filter_users("enabled", enabled);
    for mut sync in [
        before.filter_users("enabled", enabled),
        after.select_users(properties()),
    ] {
        let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        assert!(copy.count(ObjectKind::User) > 0);
        assert!(!copy.has(ObjectKind::User, &marta), "Marta is disabled");
    }
}

#[tokio::test]
async fn a_group_that_enters_the_filter_brings_its_members() {
    let (tenant, graph) = tenant_and_graph().await;
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let mut sync = DirectorySync::new(&graph)
        .users()
        .select_groups(Group::DISPLAY_NAME)
        .filter_groups("named Team", |group: &Group| {
            group
                .display_name
                .as_deref()
                .is_some_and(|name| name.starts_with("Team"))
        });
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!((copy.count(ObjectKind::Group), copy.members.len()), (0, 0));
    tenant
        .group("Engineers")
        .set("displayName", json!("Team of engineers"));
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(copy.count(ObjectKind::Group), 1);
    let group = tenant.group("Team of engineers").id().to_string();
    // Adele, Bruno and David; the nested group is not in the copy.
    assert_eq!(copy.members_of(&group).len(), 3);
    tenant
        .group("Team of engineers")
        .set("displayName", json!("Engineers"));
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!((copy.count(ObjectKind::Group), copy.members.len()), (0, 0));
}

#[tokio::test]
async fn a_step_that_is_not_committed_is_done_again_and_its_caller_is_told() {
    let (_tenant, graph) = tenant_and_graph().await;
    let mut sync = DirectorySync::new(&graph).users();
    let mut store = MemoryStore::new();
    let first = sync.next(&mut store).await.unwrap().unwrap();
    let again = sync.next(&mut store).await.unwrap().unwrap();
    assert_eq!(first.changes(), again.changes());
    store.commit(&again).await.unwrap();
    // The next step may be dropped twice, too.
    for _ in 0..3 {
        drop(sync.next(&mut store).await.unwrap());
    }
    let error = sync.next(&mut store).await.unwrap_err();
    assert!(matches!(error, SyncError::NotCommitted), "{error}");
    sync.run(&mut store).await.unwrap();
}

#[tokio::test]
async fn a_run_goes_on_in_another_process_at_any_step() {
    let (tenant, graph) = tenant_and_graph().await;
    for number in 0..300 {
        let user = tenant.add_user(&format!("User {number}"));
        tenant.group("Engineers").add_member(user.id());
    }
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    for process in 0.. {
        assert!(process < 60, "a run that makes no progress");
        let mut sync = DirectorySync::new(&graph).users().groups();
        let Some(step) = sync.next(&mut store).await.unwrap() else {
            break;
        };
        // Every second process is killed before it saves.
        if process % 2 == 0 {
            let state = serde_json::to_string(step.state()).unwrap();
            let state: SyncState = serde_json::from_str(&state).unwrap();
            assert_eq!(&state, step.state());
            copy.commit(&mut store, &step).await;
        }
        let (ids, members) = Copy::of_tenant(&graph).await;
        if copy.objects.len() == ids.len() && copy.members == members {
            return;
        }
    }
    copy.assert_equals_tenant(&graph, "killed").await;
}

#[tokio::test]
async fn a_run_that_takes_over_an_interrupted_one_includes_what_changed_before_it() {
    for is_first in [true, false] {
        for steps in 1..8 {
            let (tenant, graph) = tenant_and_graph().await;
            let new = || DirectorySync::new(&graph).users().groups();
            let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
            let pia = tenant.add_user("Pia");
            if !is_first {
                copy.catch_up(&mut new(), &mut store).await.unwrap();
            }
            let remove = |id: ObjectId| assert!(tenant.remove("users", &id.to_string()).unwrap());
            // Removals wait for the end of the run, so that it can be interrupted there too.
            let olga = tenant.add_user("Olga");
            tenant.group("Engineers").add_member(olga.id());
            remove(pia.id());
            let mut interrupted = new();
            for _ in 0..steps {
                match interrupted.next(&mut store).await.unwrap() {
                    Some(step) => copy.commit(&mut store, &step).await,
                    None => break,
                }
            }
            let nina = tenant.add_user("Nina");
            tenant.add_group("Late").add_member(nina.id());
            remove(olga.id());
            copy.catch_up(&mut new(), &mut store).await.unwrap();
            copy.assert_equals_tenant(&graph, &format!("interrupted after {steps} steps"))
                .await;
        }
    }
}

#[tokio::test]
async fn all_objects_are_read_again_after_seven_days() {
    let (tenant, graph) = tenant_and_graph().await;
    let mut sync = DirectorySync::new(&graph).users();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    tenant.clock().advance(Duration::from_secs(4 * 86_400));
    assert!(
        copy.catch_up(&mut sync, &mut store)
            .await
            .unwrap()
            .is_empty()
    );
    tenant.clock().advance(Duration::from_secs(3 * 86_400));
    let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(notes, [full(ObjectKind::User, FullRoundCause::Due)]);
    assert!(
        copy.catch_up(&mut sync, &mut store)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_kind_that_graph_forbids_is_a_note_and_the_others_go_on() {
    let (tenant, graph) = tenant_and_graph().await;
    let mut sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    tenant.inject(Fault::on("/users/delta").status(403));
    tenant.add_group("New");
    let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert!(
        matches!(&notes[..], [SyncNote::Forbidden { kind: ObjectKind::User, message }] if message.contains("403")),
        "{notes:?}"
    );
    tenant.clear_faults();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_equals_tenant(&graph, "allowed again").await;
}

#[tokio::test]
async fn a_round_that_does_not_end_is_an_error_and_the_copy_stays() {
    let (tenant, graph) = tenant_and_graph().await;
    let mut sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let before = copy.clone();
    tenant.set_delta_oddities(DeltaOddities::none().never_ending_members());
    tenant.group("Engineers").set("description", json!("x"));
    let error = copy.catch_up(&mut sync, &mut store).await.unwrap_err();
    let SyncError::Graph(error) = error else {
        panic!("{error}")
    };
    assert_eq!(error.kind(), entra_graph::ErrorKind::PageLoop);
    assert_eq!(copy.members, before.members);
    assert!(tenant.requests().to("/groups/delta").count() < 40);
    tenant.set_delta_oddities(DeltaOddities::none());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_equals_tenant(&graph, "ended").await;
}

#[tokio::test]
async fn the_first_changes_are_handed_out_after_one_request() {
    let (tenant, graph) = tenant_and_graph().await;
    for number in 0..900 {
        tenant.add_user(&format!("User {number}"));
    }
    let mut sync = DirectorySync::new(&graph).users();
    let mut store = MemoryStore::new();
    let step = sync.next(&mut store).await.unwrap().unwrap();
    assert_eq!(graph.requests_sent(), 1);
    assert_eq!(step.changes().len(), 200);
    let progress = step.progress();
    assert_eq!(
        (progress.kind, progress.is_full, progress.rows),
        (Some(ObjectKind::User), true, 200)
    );
    store.commit(&step).await.unwrap();
    sync.run(&mut store).await.unwrap();
    tenant.forget_delta_links();
    drop(sync.next(&mut store).await.unwrap());
    let step = sync.next(&mut store).await.unwrap().unwrap();
    store.commit(&step).await.unwrap();
    let step = sync.next(&mut store).await.unwrap().unwrap();
    assert_eq!(
        step.progress().estimate,
        store
            .state()
            .await
            .unwrap()
            .map(|state| state.present(ObjectKind::User))
    );
    assert_eq!(step.changes(), [], "nothing differs from the copy");
}

#[tokio::test]
async fn kinds_that_are_copied_later_or_no_longer_double_and_lose_no_membership() {
    let (tenant, graph) = tenant_and_graph().await;
    let device = tenant.add_device("LAPTOP", None);
    let engineers = tenant.group("Engineers");
    engineers.add_member(device.id());
    let engineers = engineers.id().to_string();
    let sync = DirectorySync::new(&graph);
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    // Members of kinds that are not copied are handed out as Graph lists them.
    for sync in [
        sync.clone().groups(),
        sync.clone().users().groups(),
        sync.clone().users().groups().devices(),
        sync.clone().groups().transitive_members(),
        sync.clone().users().groups(),
    ] {
        for _ in 0..2 {
            copy.catch_up(&mut sync.clone(), &mut store).await.unwrap();
            let members = copy.members_of(&engineers);
            assert!(members.contains(&*device.id().to_string()), "{sync:?}");
            assert_eq!(members.len(), 5, "{sync:?}");
        }
    }
    copy.objects
        .retain(|(kind, _), _| *kind != ObjectKind::Device);
    copy.assert_equals_tenant(&graph, "in the end").await;
}

#[tokio::test]
async fn the_first_round_has_an_estimate_when_objects_are_counted_first() {
    let (_tenant, graph) = tenant_and_graph().await;
    let mut sync = DirectorySync::new(&graph).users().count_first();
    let mut store = MemoryStore::new();
    let step = sync.next(&mut store).await.unwrap().unwrap();
    let users = graph.users().count().send().await.unwrap();
    assert_eq!(step.progress().estimate, Some(users));
    assert_eq!(step.progress().rows, users);
}

#[tokio::test]
async fn a_kind_that_is_chosen_later_takes_no_membership_away_before_it_was_read() {
    let (tenant, graph) = tenant_and_graph().await;
    for number in 0..300 {
        let user = tenant.add_user(&format!("User {number}"));
        tenant.group("Engineers").add_member(user.id());
    }
    let groups = DirectorySync::new(&graph).groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut groups.clone(), &mut store)
        .await
        .unwrap();
    let before = copy.members.clone();
    assert!(before.len() > 300);
    // Neither where Graph forbids to read users, nor while their pages are read.
    tenant.inject(Fault::on("/users/delta").status(403));
    let mut sync = groups.users();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!((copy.count(ObjectKind::User), &copy.members), (0, &before));
    tenant.clear_faults();
    while let Some(step) = sync.next(&mut store).await.unwrap() {
        copy.commit(&mut store, &step).await;
        assert!(before.is_subset(&copy.members), "{:?}", step.progress());
    }
    copy.assert_equals_tenant(&graph, "users too").await;
    // Now they count: one that leaves the directory leaves its groups.
    let id = tenant.user("user.7@contoso.com").id().to_string();
    tenant.remove("users", &id).unwrap();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_equals_tenant(&graph, "one less").await;
}
