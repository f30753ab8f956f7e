//! A state of another tenant, of another address of Graph, or of another version of this crate.

use entra_graph::sync::{
    DeletionGuard, DirectorySync, FullRoundCause, MemoryStore, ObjectKind, SyncError, SyncNote,
    SyncState, SyncStore,
};

use entra_mock::FakeTenant;

use super::{Copy, client, scripted::Foreign, tenant_and_graph};

const fn full(kind: ObjectKind, cause: FullRoundCause) -> SyncNote {
    SyncNote::FullRound { kind, cause }
}

#[tokio::test]
async fn a_store_of_another_tenant_becomes_a_copy_of_this_one_after_an_approval() {
    for is_same_address in [false, true] {
        let (first, graph) = tenant_and_graph().await;
        for number in 0..20 {
            let user = first.add_user(&format!("User {number}"));
            first.group("Engineers").add_member(user.id());
        }
        let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
        let mut sync = DirectorySync::new(&graph).users().groups();
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        let before = copy.clone();

        let second = FakeTenant::builder().random_seed(7).start().await;
        let graph = client(&second);
        assert_ne!(first.id(), second.id());
        let state = store.state().await.unwrap();
        let mut store = Foreign {
            store,
            state: if is_same_address {
                // All tenants have the same address, unless they are fake.
                let text = serde_json::to_string(&state).unwrap();
                serde_json::from_str(&text.replace(&first.uri(), &second.uri())).unwrap()
            } else {
                state
            },
        };
        let mut sync = DirectorySync::new(&graph).users().groups();
        let mut notes = Vec::new();
        let error = loop {
            match sync.next(&mut store).await {
                Ok(step) => {
                    let step = step.unwrap();
                    notes.extend_from_slice(step.notes());
                    copy.commit(&mut store, &step).await;
                }
                Err(error) => break error,
            }
        };
        let cause = if is_same_address {
            FullRoundCause::StateRejected
        } else {
            FullRoundCause::ScopeChanged
        };
        assert_eq!(
            notes,
            [
                full(ObjectKind::User, cause),
                full(ObjectKind::Group, cause)
            ]
        );
        assert!(matches!(error, SyncError::RemovalsHeld(_)), "{error}");
        for key in before.objects.keys() {
            assert!(copy.objects.contains_key(key), "{key:?} was removed");
        }
        let mut sync = sync.guard(DeletionGuard::off());
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        copy.assert_equals_tenant(&graph, "second tenant").await;
        assert_eq!(copy.catch_up(&mut sync, &mut store).await.unwrap(), []);
    }
}

/// The store with a state that another version of the crate wrote.
async fn of_another_version(mut store: MemoryStore) -> Foreign {
    let state = store.state().await.unwrap().unwrap();
    let mut state = serde_json::to_value(&state).unwrap();
    state["version"] = 0.into();
    let state: SyncState = serde_json::from_value(state).unwrap();
    Foreign {
        store,
        state: Some(state),
    }
}

#[tokio::test]
async fn another_version_goes_on_where_memberships_are_handed_out_by_other_kinds() {
    let (tenant, graph) = tenant_and_graph().await;
    for number in 0..1_100 {
        let user = tenant.add_user(&format!("User {number}"));
        tenant.group("Engineers").add_member(user.id());
    }
    let mut groups = DirectorySync::new(&graph).groups();
    let mut without_users = groups.clone().filter_users("none", |_| false);
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut without_users, &mut store).await.unwrap();
    // Users are no longer copied, so all of them count as members. One step hands out a part.
    while copy.members.len() < 500 {
        let step = groups.next(&mut store).await.unwrap().unwrap();
        copy.commit(&mut store, &step).await;
    }
    assert!(copy.members.len() < 1_100);
    let mut store = of_another_version(store).await;
    copy.catch_up(&mut groups, &mut store).await.unwrap();
    let (_, members) = Copy::of_tenant(&graph).await;
    assert_eq!(copy.members, members);
}

#[tokio::test]
async fn another_version_takes_transitive_memberships_back_that_are_no_longer_computed() {
    let (_tenant, graph) = tenant_and_graph().await;
    let mut off = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let mut on = off.clone().transitive_members();
    copy.catch_up(&mut on, &mut store).await.unwrap();
    assert!(!copy.transitive.is_empty());
    let mut store = of_another_version(store).await;
    copy.catch_up(&mut off, &mut store).await.unwrap();
    assert!(copy.transitive.is_empty(), "{:?}", copy.transitive);
    assert_eq!(store.scan("t/", None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn a_state_of_another_version_begins_full_rounds_and_hands_out_only_differences() {
    let (_tenant, graph) = tenant_and_graph().await;
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let mut sync = DirectorySync::new(&graph).users().groups();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let before = copy.clone();
    let mut store = of_another_version(store).await;
    let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
    let cause = FullRoundCause::ScopeChanged;
    assert_eq!(
        notes,
        [
            full(ObjectKind::User, cause),
            full(ObjectKind::Group, cause)
        ]
    );
    assert_eq!(copy, before);
}
