//! Changes that Graph reports long after they were made.

use std::time::Duration;

use entra_graph::sync::{DirectorySync, MemoryStore, ObjectKind};
use entra_mock::DeltaOddities;
use serde_json::json;

use super::{Copy, tenant_and_graph};

const DELAY: Duration = Duration::from_secs(300);

#[tokio::test]
async fn changes_that_come_late_come_once() {
    let (tenant, graph) = tenant_and_graph().await;
    tenant.clock().advance(DELAY);
    tenant.set_delta_oddities(DeltaOddities::none().delayed(DELAY));
    let mut sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_equals_tenant(&graph, "first").await;
    let before = copy.clone();

    let engineers = tenant.group("Engineers");
    let nina = tenant.add_user("Nina");
    engineers.add_member(nina.id());
    engineers.remove_member(tenant.user("bruno@contoso.com").id());
    tenant
        .user("adele@contoso.com")
        .set("jobTitle", json!("Lead"));
    tenant.user("hanna@contoso.com").delete();
    for _ in 0..2 {
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        assert_eq!(copy, before);
        tenant.clock().advance(DELAY / 2);
    }
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_equals_tenant(&graph, "late").await;
    copy.assert_properties(&graph, ObjectKind::User, "late")
        .await;
    let after = copy.clone();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(copy, after);
}

#[tokio::test]
async fn a_membership_that_comes_before_its_late_member_waits_for_it() {
    let (tenant, graph) = tenant_and_graph().await;
    tenant.clock().advance(DELAY);
    tenant.set_delta_oddities(DeltaOddities::none().delayed(DELAY));
    let mut sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();

    let nina = tenant.add_user("Nina").id();
    let engineers = tenant.group("Engineers");
    engineers.add_member(nina);
    let (nina, engineers) = (nina.to_string(), engineers.id().to_string());
    // The user is not shown when users are read, and the membership is when groups are.
    let step = sync.next(&mut store).await.unwrap().unwrap();
    assert_eq!(step.progress().kind, Some(ObjectKind::User));
    copy.commit(&mut store, &step).await;
    tenant.clock().advance(DELAY);
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert!(!copy.has(ObjectKind::User, &nina));
    assert!(!copy.members_of(&engineers).contains(&*nina));
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert!(copy.members_of(&engineers).contains(&*nina));
    copy.assert_equals_tenant(&graph, "both").await;
}
