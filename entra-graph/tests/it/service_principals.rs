//! Service principals against the fake tenant, from create to purge.

use entra_core::{TokenCredential as _, TokenRequest};
use entra_graph::{
    Change, DelegatedPermissionClassification, GraphClient, Key, NewApplication,
    NewDelegatedPermissionClassification, NewPassword, NewServicePrincipal, Reference,
    ServicePrincipal, types::PermissionClassificationType,
};
use entra_mock::FakeTenant;

use crate::support::AppCredential;

async fn graph(permissions: &[&str]) -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Registrar").with_secret();
    for permission in permissions {
        app.application_permission(permission);
    }
    let builder = GraphClient::builder(AppCredential::new(&tenant, &app)).cloud(tenant.cloud());
    let graph = builder.clock(tenant.clock()).build().unwrap();
    (tenant, graph)
}

/// The client id of a new application without a service principal.
async fn application(graph: &GraphClient) -> String {
    let new = graph.applications().create(NewApplication::new("Shop"));
    new.send().await.unwrap().app_id.unwrap()
}

#[tokio::test]
async fn a_service_principal_is_created_changed_deleted_restored_and_purged() {
    let (_tenant, graph) = graph(&["Application.ReadWrite.All"]).await;
    let app_id = application(&graph).await;
    let principals = graph.service_principals();
    let created = principals
        .create(NewServicePrincipal::of(&app_id))
        .set(ServicePrincipal::APP_ROLE_ASSIGNMENT_REQUIRED, true)
        .set(ServicePrincipal::TAGS, ["HideApp"])
        .send()
        .await
        .unwrap();
    assert_eq!(created.app_id.as_ref(), Some(&app_id));
    assert_eq!(created.display_name.as_deref(), Some("Shop"));
    assert_eq!(created.app_role_assignment_required, Some(true));
    let again = principals.create(NewServicePrincipal::of(&app_id)).send();
    let error = again.await.unwrap_err();
    assert!(error.is_already_present(), "{error}");

    let one = graph.service_principal(&created.id);
    one.update()
        .set(ServicePrincipal::ACCOUNT_ENABLED, false)
        .set(ServicePrincipal::NOTES, "Ask the web team")
        .clear(ServicePrincipal::TAGS)
        .send()
        .await
        .unwrap();
    let read = one.get().send().await.unwrap();
    assert_eq!(read.account_enabled, Some(false));
    assert_eq!(read.notes.as_deref(), Some("Ask the web team"));
    assert_eq!(read.tags.as_deref(), Some(&[][..]));

    one.delete().send().await.unwrap();
    assert!(one.get_opt().await.unwrap().is_none());
    let deleted = graph.deleted_service_principals().list().send().await;
    assert_eq!(deleted.unwrap().items[0].id, created.id);
    let item = graph.deleted_service_principal(&created.id);
    assert_eq!(item.restore().send().await.unwrap().id, created.id);
    assert!(one.get_opt().await.unwrap().is_some());
    one.delete().send().await.unwrap();
    item.purge().send().await.unwrap();
    assert!(item.get_opt().await.unwrap().is_none());
}

#[tokio::test]
async fn owners_are_added_and_removed_by_reference() {
    let (tenant, graph) = graph(&["Application.ReadWrite.All"]).await;
    let app = tenant.register_app("Shop");
    let other = tenant.register_app("Robot").service_principal_id();
    let robin = tenant.add_user("Robin").id();
    let owners = graph.service_principal(app.client_id()).owners();
    owners.add(robin).send().await.unwrap();
    let added = owners.add_all([robin, other]).await.unwrap();
    assert_eq!((added.added, added.already_present), (1, 1));
    let found = owners.list().send().await.unwrap().items;
    assert!(found[0].as_user().is_some() && found[1].as_service_principal().is_some());
    let error = owners.add(Reference::user(robin.to_string())).send().await;
    assert!(error.unwrap_err().is_already_present());
    owners.remove(robin).send().await.unwrap();
    assert_eq!(owners.list().send().await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_delegated_permission_is_classified_for_user_consent() {
    let permissions = ["Application.Read.All", "Policy.ReadWrite.PermissionGrant"];
    let (_tenant, graph) = graph(&permissions).await;
    let api = graph.service_principal(Key::app_id("00000003-0000-0000-c000-000000000000"));
    let scopes = api.get().send().await.unwrap().oauth2_permission_scopes;
    let read = scopes
        .unwrap()
        .into_iter()
        .find(|scope| scope.value.as_deref() == Some("User.Read"));
    let id = read.unwrap().id.unwrap();
    let low = || {
        let new = PermissionClassificationType::Low;
        NewDelegatedPermissionClassification::new(&id, "User.Read", new)
    };
    let all = api.delegated_permission_classifications();
    let listed = async || -> Vec<DelegatedPermissionClassification> {
        let items = all.list().items();
        items.try_collect().await.unwrap()
    };
    assert!(listed().await.is_empty());
    let created = all.create(low()).settled().await.unwrap();
    assert_eq!(created.permission_id.as_deref(), Some(id.as_str()));
    let found = listed().await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, created.id);
    assert_eq!(found[0].permission_name.as_deref(), Some("User.Read"));
    let class = found[0].classification.as_ref();
    assert_eq!(class, Some(&PermissionClassificationType::Low));
    // It has this class already.
    all.create(low()).send().await.unwrap_err();
    api.delete_delegated_permission_classification(&created.id)
        .send()
        .await
        .unwrap();
    assert!(listed().await.is_empty());
    let gone = api.delete_delegated_permission_classification(&created.id);
    assert!(gone.send().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_secret_of_a_service_principal_signs_in_until_it_is_removed() {
    let (tenant, graph) = graph(&["Application.ReadWrite.All"]).await;
    let app = tenant.register_app("Shop");
    let one = graph.service_principal(app.client_id());
    let secret = one.add_password(NewPassword::named("deploy").months(6));
    let secret = secret.send().await.unwrap();
    let read = one.get().send().await.unwrap();
    let listed = &read.password_credentials.unwrap()[0];
    assert_eq!(listed.display_name.as_deref(), Some("deploy"));
    assert!(listed.secret_text.is_none());
    let credential = AppCredential::with_secret(&tenant, &app, secret.value().expose_secret());
    let request = TokenRequest::new([tenant.cloud().graph_scope()]);
    assert!(credential.token(&request).await.is_ok());
    one.remove_password(secret.id()).send().await.unwrap();
    let error = credential.token(&request).await.unwrap_err();
    assert!(error.to_string().contains("7000215"), "{error}");
}

#[tokio::test]
async fn a_403_of_a_write_names_write_permissions_only() {
    let (tenant, graph) = graph(&["Application.Read.All"]).await;
    let app = tenant.register_app("Shop");
    let one = graph.service_principal(app.client_id());
    let create = graph
        .service_principals()
        .create(NewServicePrincipal::of(app.client_id()));
    let owner = one.owners().add(tenant.add_user("Robin").id());
    for error in [
        create.send().await.unwrap_err(),
        one.delete().send().await.unwrap_err(),
        owner.send().await.unwrap_err(),
    ] {
        assert!(error.is_forbidden(), "{error}");
        assert_eq!(
            error.needed_permissions()[..2],
            ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"]
        );
    }
}

#[tokio::test]
async fn a_service_principal_is_created_or_updated_by_its_client_id() {
    let (_tenant, graph) = graph(&["Application.ReadWrite.All"]).await;
    let client_id: entra_core::ClientId = application(&graph).await.parse().unwrap();
    let upsert = |name: &str| {
        let request = graph.service_principal(client_id).create_or_update();
        request.set(ServicePrincipal::DISPLAY_NAME, name).send()
    };
    let created = upsert("Shop here").await.unwrap().unwrap();
    assert_eq!(created.display_name.as_deref(), Some("Shop here"));
    assert_eq!(upsert("Shop there").await.unwrap(), None);
    let by_object_id = graph.service_principal(&created.id).create_or_update();
    let error = by_object_id.send().await.unwrap_err();
    assert_eq!(error.kind(), entra_graph::ErrorKind::Query);
}

#[tokio::test]
async fn a_delta_follows_service_principals() {
    let (_tenant, graph) = graph(&["Application.ReadWrite.All"]).await;
    let delta = || graph.service_principals().delta();
    let (_, state) = delta().changes().try_collect().await.unwrap();
    let app_id = application(&graph).await;
    let new = NewServicePrincipal::of(&app_id);
    let created = graph.service_principals().create(new).send().await.unwrap();
    let (changes, _) = delta().since(state).changes().try_collect().await.unwrap();
    let [Change::Upsert(changed)] = changes.as_slice() else {
        panic!("{changes:?}");
    };
    assert_eq!(changed.object.id, created.id);
}
