//! Runs after an error, and after a clock that was wrong.

use std::{io, time::Duration};

use entra_core::{Clock as _, ManualClock};
use entra_graph::{
    GraphClient,
    sync::{
        DirectorySync, FullRoundCause, MemoryStore, ObjectKind, Step, SyncError, SyncNote,
        SyncState, SyncStore, SyncSummary,
    },
};
use entra_mock::{FakeTenant, Fault};

use super::{Copy, tenant_and_graph};
use crate::support::AppCredential;

async fn users_in(store: &mut MemoryStore) -> u64 {
    let state = store.state().await.unwrap();
    state.unwrap().present(ObjectKind::User)
}

#[tokio::test]
async fn a_run_after_an_error_looks_at_every_kind_again() {
    let (tenant, graph) = tenant_and_graph().await;
    let mut sync = DirectorySync::new(&graph).users().groups();
    let mut store = MemoryStore::new();
    sync.run(&mut store).await.unwrap();
    let before = users_in(&mut store).await;
    let bruno = tenant.user("bruno@contoso.com").id().to_string();
    // Users are read, and groups are not.
    tenant.inject(Fault::on("/groups/delta").status(503));
    let error = sync.run(&mut store).await.unwrap_err();
    assert!(matches!(error, SyncError::Graph(_)), "{error}");
    // The next day groups still fail: what can be read is.
    tenant.add_user("Nina");
    let error = sync.run(&mut store).await.unwrap_err();
    assert!(matches!(error, SyncError::Graph(_)), "{error}");
    assert_eq!(users_in(&mut store).await, before + 1);
    // And the day after one leaves, and nothing fails.
    assert!(tenant.remove("users", &bruno).unwrap());
    tenant.clear_faults();
    let summary = sync.run(&mut store).await.unwrap();
    assert_eq!((summary.removed, summary.upserts), (1, 0));
    assert_eq!(users_in(&mut store).await, before);
    let summary = sync.run(&mut store).await.unwrap();
    assert_eq!(summary, SyncSummary::default());
}

#[tokio::test]
async fn steps_after_an_error_catch_up_with_the_time_of_the_first_of_them() {
    let (tenant, graph) = tenant_and_graph().await;
    let mut sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let bruno = tenant.user("bruno@contoso.com").id().to_string();
    for fault in ["/groups/delta", "/users/delta"] {
        tenant.inject(Fault::on(fault).status(503));
        let error = copy.catch_up(&mut sync, &mut store).await.unwrap_err();
        assert!(matches!(error, SyncError::Graph(_)), "{error}");
        let user = tenant.add_user(&format!("After an error of {fault}"));
        tenant.group("Engineers").add_member(user.id());
        // Deleted once: the second time nothing happens.
        let _ = tenant.remove("users", &bruno);
        tenant.clear_faults();
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        copy.assert_equals_tenant(&graph, fault).await;
    }
}

#[tokio::test]
async fn all_objects_are_read_again_once_a_clock_that_was_ahead_is_set_right() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Sync")
        .application_permission("User.Read.All")
        .with_secret();
    let clock = ManualClock::at(tenant.clock().now());
    let graph = GraphClient::builder(AppCredential::new(&tenant, &app))
        .cloud(tenant.cloud())
        .clock(clock.clone())
        .build()
        .unwrap();
    let mut sync = DirectorySync::new(&graph).users();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let due = SyncNote::FullRound {
        kind: ObjectKind::User,
        cause: FullRoundCause::Due,
    };
    let right = clock.now();
    let ahead = right + Duration::from_secs(365 * 86_400);
    for (now, is_due) in [(ahead, true), (ahead, false), (right, true), (right, false)] {
        clock.set_wall_clock(now);
        let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
        let expected: Vec<SyncNote> = is_due.then(|| due.clone()).into_iter().collect();
        assert_eq!(notes, expected, "at {now:?}");
    }
}

#[tokio::test]
async fn removals_do_not_wait_for_rounds_that_fail_each_time() {
    let (tenant, graph) = tenant_and_graph().await;
    let mut sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let bruno = tenant.user("bruno@contoso.com").id().to_string();
    assert!(tenant.remove("users", &bruno).unwrap());
    tenant.inject(Fault::on("/groups/delta").status(503));
    copy.catch_up(&mut sync, &mut store).await.unwrap_err();
    assert!(copy.has(ObjectKind::User, &bruno), "not all is read");
    tenant.clear_faults();
    // The interrupted rounds are finished, and those that follow fail.
    loop {
        match sync.next(&mut store).await {
            Ok(step) => {
                let step = step.unwrap();
                if step.progress().kind == Some(ObjectKind::Group) {
                    tenant.inject(Fault::on("/groups/delta").status(503));
                }
                copy.commit(&mut store, &step).await;
            }
            Err(error) => {
                assert!(matches!(error, SyncError::Graph(_)), "{error}");
                break;
            }
        }
    }
    assert!(!copy.has(ObjectKind::User, &bruno));
    tenant.clear_faults();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_equals_tenant(&graph, "without faults").await;
}

/// A store whose state cannot be read for a while, or that cannot be written.
struct Failing {
    store: MemoryStore,
    fails: bool,
    is_full: bool,
}

impl SyncStore for Failing {
    type Error = io::Error;

    async fn state(&mut self) -> Result<Option<SyncState>, Self::Error> {
        if self.fails {
            return Err(io::Error::other("the disk is gone"));
        }
        Ok(self.store.state().await.unwrap())
    }

    async fn get(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Self::Error> {
        Ok(self.store.get(keys).await.unwrap())
    }

    async fn scan(
        &mut self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Self::Error> {
        Ok(self.store.scan(prefix, after, limit).await.unwrap())
    }

    async fn commit(&mut self, step: &Step) -> Result<(), Self::Error> {
        if self.is_full {
            return Err(io::Error::other("the disk is full"));
        }
        self.store.commit(step).await.unwrap();
        Ok(())
    }
}

#[tokio::test]
async fn steps_after_an_error_of_the_store_catch_up_with_the_time_of_the_first_of_them() {
    let (tenant, graph) = tenant_and_graph().await;
    let mut sync = DirectorySync::new(&graph).users().groups();
    let mut store = Failing {
        store: MemoryStore::new(),
        fails: false,
        is_full: false,
    };
    let mut copy = Copy::default();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let users = sync.next(&mut store).await.unwrap().unwrap();
    copy.commit(&mut store, &users).await;
    store.fails = true;
    let error = sync.next(&mut store).await.unwrap_err();
    assert!(matches!(error, SyncError::Store(_)), "{error}");
    store.fails = false;
    // Users were read before this.
    tenant.add_user("Nina");
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_equals_tenant(&graph, "after the error").await;
}

#[tokio::test]
async fn runs_on_a_store_that_cannot_be_written_end_with_its_error_each_time() {
    let (_tenant, graph) = tenant_and_graph().await;
    let mut sync = DirectorySync::new(&graph).users();
    let mut store = Failing {
        store: MemoryStore::new(),
        fails: false,
        is_full: true,
    };
    for run in 0..8 {
        let error = sync.run(&mut store).await.unwrap_err();
        assert!(matches!(error, SyncError::Store(_)), "run {run}: {error}");
    }
    store.is_full = false;
    sync.run(&mut store).await.unwrap();
    assert!(users_in(&mut store.store).await > 0);
}
