//! What a sync keeps of objects that left, and what it makes of rows whose state was lost.

use std::time::Duration;

use entra_core::ScriptedTransport;
use entra_graph::sync::{
    DeletionGuard, DirectorySync, MemoryStore, ObjectKind, Step, SyncState, SyncStore,
};

use super::{
    Copy,
    scripted::{end, named},
    tenant_and_graph,
};
use crate::scripts::client;

/// A store whose state was lost, and whose rows were not.
struct Lost {
    store: MemoryStore,
    is_lost: bool,
}

impl SyncStore for Lost {
    type Error = std::convert::Infallible;

    async fn state(&mut self) -> Result<Option<SyncState>, Self::Error> {
        if self.is_lost {
            return Ok(None);
        }
        self.store.state().await
    }

    async fn get(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Self::Error> {
        self.store.get(keys).await
    }

    async fn scan(
        &mut self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Self::Error> {
        self.store.scan(prefix, after, limit).await
    }

    async fn commit(&mut self, step: &Step) -> Result<(), Self::Error> {
        self.is_lost = false;
        self.store.commit(step).await
    }
}

#[tokio::test]
async fn rows_whose_state_was_lost_are_still_compared() {
    let (tenant, graph) = tenant_and_graph().await;
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let mut sync = DirectorySync::new(&graph).users().groups();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let bruno = tenant.user("bruno@contoso.com").id().to_string();
    tenant.remove("users", &bruno).unwrap();
    tenant.clock().advance(Duration::from_secs(60));
    let mut store = Lost::of(store);
    let mut sync = DirectorySync::new(&graph).users().groups();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert!(!copy.has(ObjectKind::User, &bruno));
    copy.assert_equals_tenant(&graph, "without the state").await;
}

impl Lost {
    fn of(store: MemoryStore) -> Self {
        Self {
            store,
            is_lost: true,
        }
    }
}

#[tokio::test]
async fn users_that_a_filter_hid_when_the_state_was_lost_come_with_their_memberships() {
    for is_transitive in [false, true] {
        let (tenant, graph) = tenant_and_graph().await;
        let sync = DirectorySync::new(&graph).users().groups();
        let sync = match is_transitive {
            false => sync,
            true => sync.transitive_members(),
        };
        let mut filtered = sync.clone().filter_users("Adele", |user| {
            let name = user.display_name.as_deref();
            name.is_some_and(|name| name.starts_with("Adele"))
        });
        let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
        copy.catch_up(&mut filtered, &mut store).await.unwrap();
        tenant.clock().advance(Duration::from_secs(60));
        let mut store = Lost::of(store);
        copy.catch_up(&mut sync.clone(), &mut store).await.unwrap();
        copy.assert_equals_tenant(&graph, "all").await;
        if is_transitive {
            copy.assert_transitive(&graph, "all").await;
            // Lost again, they are still taken back.
            tenant.clock().advance(Duration::from_secs(60));
            let mut store = Lost::of(store.store);
            let mut off = DirectorySync::new(&graph).users().groups();
            copy.catch_up(&mut off, &mut store).await.unwrap();
            assert!(copy.transitive.is_empty(), "{:?}", copy.transitive);
        }
    }
}

#[tokio::test]
async fn memberships_of_a_kind_that_is_copied_no_longer_come_when_the_state_was_lost() {
    let (tenant, graph) = tenant_and_graph().await;
    let groups = DirectorySync::new(&graph).groups();
    let mut filtered = groups.clone().filter_users("Adele", |user| {
        let name = user.display_name.as_deref();
        name.is_some_and(|name| name.starts_with("Adele"))
    });
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut filtered, &mut store).await.unwrap();
    tenant.clock().advance(Duration::from_secs(60));
    let mut store = Lost::of(store);
    copy.catch_up(&mut groups.clone(), &mut store)
        .await
        .unwrap();
    let (_, members) = Copy::of_tenant(&graph).await;
    assert_eq!(copy.members, members);
}

#[tokio::test]
async fn a_user_that_was_deleted_when_the_state_was_lost_returns_with_its_memberships() {
    let (tenant, graph) = tenant_and_graph().await;
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let mut sync = DirectorySync::new(&graph).users().groups();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let bruno = tenant.user("bruno@contoso.com").id().to_string();
    tenant.user("bruno@contoso.com").delete();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert!(!copy.has(ObjectKind::User, &bruno));
    tenant.clock().advance(Duration::from_secs(60));
    let restore = graph.raw("POST", format!("/directory/deletedItems/{bruno}/restore"));
    restore.send().await.unwrap();
    let mut store = Lost::of(store);
    let mut sync = DirectorySync::new(&graph).users().groups();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert!(copy.has(ObjectKind::User, &bruno));
    copy.assert_equals_tenant(&graph, "restored").await;
}

#[tokio::test]
async fn an_approval_that_was_used_works_no_more_after_the_state_was_lost() {
    let (tenant, graph) = tenant_and_graph().await;
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let strict = DeletionGuard::new().share(0.0).floor(0);
    let sync = DirectorySync::new(&graph).users().guard(strict);
    copy.catch_up(&mut sync.clone(), &mut store).await.unwrap();
    let bruno = tenant.user("bruno@contoso.com").id();
    let delete = async || {
        let path = format!("/users/{bruno}");
        graph.raw("DELETE", path).send().await.unwrap();
        // Only full rounds lack the user, so that both removals are the same.
        tenant.forget_delta_links();
    };
    delete().await;
    let error = copy.catch_up(&mut sync.clone(), &mut store).await;
    let token = error.unwrap_err().held().unwrap().token.clone();
    let approved = sync.clone().approve(token);
    copy.catch_up(&mut approved.clone(), &mut store)
        .await
        .unwrap();
    let restore = graph.raw("POST", format!("/directory/deletedItems/{bruno}/restore"));
    restore.send().await.unwrap();
    copy.catch_up(&mut sync.clone(), &mut store).await.unwrap();
    tenant.clock().advance(Duration::from_secs(60));
    delete().await;
    let mut store = Lost::of(store);
    let error = copy.catch_up(&mut approved.clone(), &mut store).await;
    assert!(error.unwrap_err().held().is_some());
    assert!(copy.has(ObjectKind::User, &bruno.to_string()));
}

#[tokio::test]
async fn a_deleted_object_is_forgotten_once_it_cannot_be_restored() {
    let (tenant, graph) = tenant_and_graph().await;
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let mut sync = DirectorySync::new(&graph).users().groups();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let before = store.len();
    let nina = tenant.add_user("Nina");
    tenant.group("Engineers").add_member(nina.id());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(store.len(), before + 3);
    nina.delete();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    tenant.clock().advance(Duration::from_secs(20 * 86_400));
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert!(store.len() > before, "she can be restored");
    tenant.clock().advance(Duration::from_secs(12 * 86_400));
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(store.len(), before);
    copy.assert_equals_tenant(&graph, "after a month").await;
}

#[tokio::test]
async fn an_object_that_a_full_round_lacks_and_graph_forbids_to_read_stays() {
    let answered = |status: u16, code: &str| {
        format!(
            r#"{{"responses":[{{"id":"0","status":{status},"body":{{"error":{{"code":"{code}"}}}}}}]}}"#
        )
    };
    let script = ScriptedTransport::new()
        .then(200, &[], end(&named(&["1", "2"]), "users", "a"))
        .then(410, &[], "")
        .then(200, &[], end(&named(&["2"]), "users", "b"))
        .then(200, &[], answered(403, "Authorization_RequestDenied"))
        .then(410, &[], "")
        .then(200, &[], end(&named(&["2"]), "users", "c"))
        .then(200, &[], answered(404, "Request_ResourceNotFound"));
    let mut sync = DirectorySync::new(&client(script)).users();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    for left in [2, 2, 1] {
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        assert_eq!(copy.count(ObjectKind::User), left);
    }
}
