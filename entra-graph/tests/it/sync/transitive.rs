//! Transitive memberships, devices, service principals and app role assignments.

use entra_graph::{
    AppRoleAssignment, ErrorKind, ServicePrincipal,
    sync::{DeletionGuard, DirectorySync, MemoryStore, ObjectKind, SyncChange, SyncNote},
};
use entra_mock::{App, Fault};

use super::{Copy, tenant_and_graph};

#[tokio::test]
async fn nested_groups_and_groups_that_contain_each_other_give_all_their_members() {
    let (tenant, graph) = tenant_and_graph().await;
    let mut sync = DirectorySync::new(&graph)
        .users()
        .groups()
        .transitive_members();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_transitive(&graph, "first").await;
    // Clara is in Testers, which is in Engineers.
    let engineers = tenant.group("Engineers").id().to_string();
    let clara = tenant.user("clara@contoso.com").id().to_string();
    assert!(
        copy.transitive
            .contains(&(engineers.clone(), clara.clone()))
    );

    let (outer, inner) = (tenant.add_group("Outer"), tenant.add_group("Inner"));
    outer.add_member(engineers.parse().unwrap());
    inner.add_member(outer.id());
    outer.add_member(inner.id());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_transitive(&graph, "a circle").await;
    for group in [&outer, &inner] {
        assert!(
            copy.transitive
                .contains(&(group.id().to_string(), clara.clone()))
        );
    }

    // One edge of the circle less: Inner still holds Outer, Outer no longer holds Inner.
    outer.remove_member(inner.id());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_transitive(&graph, "no circle").await;
    outer.remove_member(engineers.parse().unwrap());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_transitive(&graph, "cut off").await;
    assert!(
        !copy
            .transitive
            .contains(&(inner.id().to_string(), clara.clone()))
    );

    // A group in the middle is deleted for good.
    outer.add_member(engineers.parse().unwrap());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    tenant.remove("groups", &outer.id().to_string()).unwrap();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_transitive(&graph, "deleted in the middle")
        .await;
    let below = (inner.id().to_string(), clara);
    assert!(!copy.transitive.contains(&below));

    // A Microsoft 365 group in the middle is deleted, and restored.
    let team = tenant.add_group("Team");
    team.set("groupTypes", serde_json::json!(["Unified"]));
    team.add_member(engineers.parse().unwrap());
    inner.add_member(team.id());
    let path = format!("/groups/{}", team.id());
    let restore = format!("/directory/deletedItems/{}/restore", team.id());
    for (method, path, is_there) in [
        ("GET", path.clone(), true),
        ("DELETE", path, false),
        ("POST", restore, true),
    ] {
        graph.raw(method, path).send().await.unwrap();
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        copy.assert_transitive(&graph, method).await;
        assert_eq!(copy.transitive.contains(&below), is_there, "{method}");
    }
}

#[tokio::test]
async fn one_new_member_computes_one_member_and_a_copy_learns_transitive_members_later() {
    let (tenant, graph) = tenant_and_graph().await;
    for number in 0..300 {
        let user = tenant.add_user(&format!("User {number}"));
        tenant.group("Engineers").add_member(user.id());
    }
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let sync = DirectorySync::new(&graph).users().groups();
    copy.catch_up(&mut sync.clone(), &mut store).await.unwrap();
    assert!(copy.transitive.is_empty());
    let mut sync = sync.transitive_members();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_transitive(&graph, "learned later").await;
    assert!(copy.transitive.len() > 300);

    let nina = tenant.add_user("Nina").id();
    tenant.group("Testers").add_member(nina);
    let mut changes = Vec::new();
    while let Some(step) = sync.next(&mut store).await.unwrap() {
        changes.extend_from_slice(step.changes());
        copy.commit(&mut store, &step).await;
    }
    let added = changes
        .iter()
        .filter(|change| matches!(change, SyncChange::TransitiveMemberAdded { .. }));
    // Testers, and Engineers around it.
    assert_eq!((changes.len(), added.count()), (4, 2), "{changes:?}");
    copy.assert_transitive(&graph, "one more").await;
}

#[tokio::test]
async fn transitive_members_that_are_turned_off_are_taken_back_and_come_again() {
    let (tenant, graph) = tenant_and_graph().await;
    let off = DirectorySync::new(&graph).users().groups();
    let mut on = off.clone().transitive_members();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut on, &mut store).await.unwrap();
    copy.assert_transitive(&graph, "first").await;
    let clara = tenant.user("clara@contoso.com").id().to_string();
    let engineers = tenant.group("Engineers").id().to_string();
    // One leaves while the removals are handed out, before what follows from them is computed.
    tenant.user("hanna@contoso.com").delete();
    while let Some(step) = on.next(&mut store).await.unwrap() {
        let removed = |change: &SyncChange| matches!(change, SyncChange::Removed { .. });
        let is_removal = step.changes().iter().any(removed);
        copy.commit(&mut store, &step).await;
        if is_removal {
            break;
        }
    }
    copy.catch_up(&mut off.clone(), &mut store).await.unwrap();
    assert!(copy.transitive.is_empty(), "{:?}", copy.transitive);
    // A member that is removed and restored meanwhile.
    tenant.user("clara@contoso.com").delete();
    copy.catch_up(&mut off.clone(), &mut store).await.unwrap();
    let restore = graph.raw("POST", format!("/directory/deletedItems/{clara}/restore"));
    restore.json::<serde_json::Value>().await.unwrap();
    copy.catch_up(&mut off.clone(), &mut store).await.unwrap();
    let mut on = off.transitive_members();
    copy.catch_up(&mut on, &mut store).await.unwrap();
    copy.assert_transitive(&graph, "on again").await;
    assert!(copy.transitive.contains(&(engineers, clara)));
}

#[tokio::test]
async fn devices_service_principals_and_assignments_are_copied() {
    let (tenant, graph) = tenant_and_graph().await;
    let mut sync = DirectorySync::new(&graph).devices().app_role_assignments();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let devices = graph
        .devices()
        .list()
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert_eq!(copy.count(ObjectKind::Device), devices.len());
    let principals = graph
        .service_principals()
        .list()
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert_eq!(copy.count(ObjectKind::ServicePrincipal), principals.len());
    let count = |copy: &Copy| copy.count(ObjectKind::AppRoleAssignment);
    let expected = async || {
        let lists = principals.iter().map(|principal| {
            graph
                .service_principal(&principal.id)
                .app_role_assigned_to()
                .list()
        });
        let lists = graph.read_lists(lists).await;
        lists
            .into_iter()
            .map(|list| list.map_or(0, |list| list.len()))
            .sum::<usize>()
    };
    assert!(count(&copy) > 0);
    assert_eq!(count(&copy), expected().await);

    let target = principals
        .iter()
        .find(|principal| principal.app_roles.is_some())
        .unwrap();
    let adele = tenant.add_user("Nina").id();
    tenant.assign(adele, target.id.parse().unwrap());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(count(&copy), expected().await);
    tenant.remove("users", &adele.to_string()).unwrap();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(count(&copy), expected().await);
    assert_eq!(copy.catch_up(&mut sync, &mut store).await.unwrap(), []);
}

#[tokio::test]
async fn filters_of_service_principals_and_assignments_hold_at_their_edges() {
    let (tenant, graph) = tenant_and_graph().await;
    let shop = tenant.register_app("Shop").expose_app_role("Order.Read");
    let other = tenant.register_app("Other").expose_app_role("Order.Read");
    let adele = tenant.user("adele@contoso.com").id();
    for app in [&shop, &other] {
        tenant.assign(adele, app.service_principal_id());
        tenant.assign(tenant.group("Engineers").id(), app.service_principal_id());
    }
    let of_users =
        |assignment: &AppRoleAssignment| assignment.principal_type.as_deref() == Some("User");
    let mut sync = DirectorySync::new(&graph)
        .filter_service_principals("named Shop", |principal: &ServicePrincipal| {
            principal.display_name.as_deref() == Some("Shop")
        })
        .filter_app_role_assignments("of users", of_users);
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let counts = |copy: &Copy| {
        let principals = copy.count(ObjectKind::ServicePrincipal);
        (principals, copy.count(ObjectKind::AppRoleAssignment))
    };
    assert_eq!(counts(&copy), (1, 1));
    // Another filter of assignments, then one more service principal, and one less.
    let mut sync = sync.filter_app_role_assignments("all", |_| true);
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(counts(&copy), (1, 2));
    let rename = |app: &App, name: &str| {
        let id = app.service_principal_id().to_string();
        let name = serde_json::json!(name);
        let set = tenant.set_property("servicePrincipals", &id, "displayName", name);
        set.unwrap();
    };
    rename(&other, "Shop");
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(counts(&copy), (2, 4));
    // What belongs to it goes with it, in one run.
    rename(&shop, "Old shop");
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(counts(&copy), (1, 2));
}

#[tokio::test]
async fn a_deleted_service_principal_and_its_assignments_are_one_set_of_removals() {
    let (tenant, graph) = tenant_and_graph().await;
    let shop = tenant.register_app("Shop").expose_app_role("Order.Read");
    let shop = shop.service_principal_id();
    tenant.assign(tenant.user("adele@contoso.com").id(), shop);
    tenant.assign(tenant.group("Engineers").id(), shop);
    let mut sync = DirectorySync::new(&graph)
        .app_role_assignments()
        .guard(DeletionGuard::new().share(0.0).floor(0));
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_assignments(&graph, "first").await;
    let shop = shop.to_string();
    let mut of_shop = copy.objects.values();
    assert!(of_shop.any(|json| json["resourceId"] == shop));
    assert!(tenant.remove("servicePrincipals", &shop).unwrap());
    // As often as it is held back, it is the same set, and nothing that cannot be read.
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let error = copy.catch_up(&mut sync, &mut store).await.unwrap_err();
        let held = error.held().unwrap();
        let removed = held.objects.iter().map(|held| (held.kind, held.removed));
        assert_eq!(
            removed.collect::<Vec<_>>(),
            [
                (ObjectKind::ServicePrincipal, 1),
                (ObjectKind::AppRoleAssignment, 2)
            ]
        );
        tokens.push(held.token.clone());
    }
    assert_eq!(tokens[0], tokens[1]);
    let mut sync = sync.approve(tokens.remove(0));
    assert_eq!(copy.catch_up(&mut sync, &mut store).await.unwrap(), []);
    assert!(!copy.has(ObjectKind::ServicePrincipal, &shop));
    let mut of_shop = copy.objects.values();
    assert!(!of_shop.any(|json| json["resourceId"] == shop));
}

#[tokio::test]
async fn assignments_of_a_deleted_service_principal_count_with_it() {
    let (tenant, graph) = tenant_and_graph().await;
    let shop = tenant.register_app("Shop").expose_app_role("Order.Read");
    let shop = shop.service_principal_id();
    for number in 0..20 {
        tenant.assign(tenant.add_user(&format!("User {number}")).id(), shop);
    }
    let mut sync = DirectorySync::new(&graph).app_role_assignments();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let before = copy.count(ObjectKind::AppRoleAssignment);
    assert!(
        tenant
            .remove("servicePrincipals", &shop.to_string())
            .unwrap()
    );
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(copy.count(ObjectKind::AppRoleAssignment), before - 20);
    copy.assert_assignments(&graph, "deleted").await;
}

#[tokio::test]
async fn assignments_that_cannot_be_read_are_a_note_and_stay() {
    let (tenant, graph) = tenant_and_graph().await;
    let mut sync = DirectorySync::new(&graph).app_role_assignments();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let before = copy.clone();
    for (status, kind) in [(403, ErrorKind::Service), (404, ErrorKind::Service)] {
        tenant.inject(Fault::on("/appRoleAssignedTo").times(1).status(status));
        let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
        let [
            SyncNote::Unreadable {
                kind: ObjectKind::AppRoleAssignment,
                error,
                ..
            },
        ] = &notes[..]
        else {
            panic!("{notes:?}")
        };
        assert_eq!(*error, kind);
        assert_eq!(copy, before);
        tenant.clear_faults();
    }
}

#[tokio::test]
async fn what_a_full_round_withholds_is_not_removed() {
    let (tenant, graph) = tenant_and_graph().await;
    for number in 0..450 {
        let user = tenant.add_user(&format!("User {number}"));
        tenant.group("Engineers").add_member(user.id());
    }
    let mut sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let oddities = entra_mock::DeltaOddities::none().changes_during_round();
    tenant.set_delta_oddities(oddities);
    tenant.forget_delta_links();
    let mut changes = Vec::new();
    let mut number = 0;
    while let Some(step) = sync.next(&mut store).await.unwrap() {
        changes.extend_from_slice(step.changes());
        copy.commit(&mut store, &step).await;
        // While the round is read, its last users and a group change, and are missing from it.
        number += 1;
        let city = serde_json::json!(format!("City {number}"));
        tenant
            .user("user.449@contoso.com")
            .set("city", city.clone());
        tenant.group("Testers").set("description", city);
    }
    let removed: Vec<_> = changes
        .iter()
        .filter(|change| {
            matches!(
                change,
                SyncChange::Removed { .. } | SyncChange::MemberRemoved { .. }
            )
        })
        .collect();
    assert!(removed.is_empty(), "{removed:?}");
    copy.assert_equals_tenant(&graph, "withheld").await;
}
