//! App registrations against the fake tenant, from create to purge.

mod keys;

use entra_core::{Clock as _, TokenCredential as _, TokenRequest, time::Duration};
use entra_graph::{
    Application, Change, ErrorKind, FederatedIdentityCredential, GraphClient, Key, NewApplication,
    NewExtensionProperty, NewFederatedIdentityCredential, NewPassword, Property, Reference,
    SecretId, User,
    types::{AppRole, PasswordCredential, PermissionScope, WebApplication},
};
use entra_mock::FakeTenant;

use crate::support::AppCredential;

async fn graph(permissions: &[&str]) -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let mut app = tenant.register_app("Registrar");
    for permission in permissions {
        app = app.application_permission(permission);
    }
    let builder = GraphClient::builder(AppCredential::new(&tenant, &app.with_secret()));
    let builder = builder.cloud(tenant.cloud()).clock(tenant.clock());
    (tenant, builder.build().unwrap())
}

async fn writer() -> (FakeTenant, GraphClient) {
    graph(&["Application.ReadWrite.All", "User.Read.All"]).await
}

async fn create(graph: &GraphClient, name: &str) -> Application {
    let new = NewApplication::new(name);
    graph.applications().create(new).send().await.unwrap()
}

#[tokio::test]
async fn an_application_is_created_changed_deleted_restored_and_purged() {
    let (_tenant, graph) = writer().await;
    let redirect = "https://shop.contoso.com/auth";
    let created = graph
        .applications()
        .create(NewApplication::new("Shop"))
        .set(Application::SIGN_IN_AUDIENCE, "AzureADMyOrg")
        .set(
            Application::WEB,
            WebApplication::default().redirect_uris([redirect.to_owned()]),
        )
        .send()
        .await
        .unwrap();
    assert!(created.app_id.is_some());
    let app = graph.application(&created.id);
    app.update()
        .set(Application::NOTES, "Owned by the web team")
        .clear(Application::TAGS)
        .send()
        .await
        .unwrap();
    let read = app.get().send().await.unwrap();
    assert_eq!(read.notes.as_deref(), Some("Owned by the web team"));
    let web = read.web.unwrap();
    assert_eq!(web.redirect_uris.unwrap(), [redirect]);

    app.delete().send().await.unwrap();
    assert!(app.get_opt().await.unwrap().is_none());
    let deleted = graph.deleted_applications().list().items();
    let deleted: Vec<Application> = deleted.try_collect().await.unwrap();
    assert_eq!(deleted[0].id, created.id);
    let item = graph.deleted_application(&created.id);
    assert_eq!(item.restore().send().await.unwrap().id, created.id);
    assert!(app.get_opt().await.unwrap().is_some());
    app.delete().send().await.unwrap();
    item.purge().send().await.unwrap();
    assert!(item.get_opt().await.unwrap().is_none());
}

#[tokio::test]
async fn an_upsert_by_unique_name_creates_one_application() {
    let (_tenant, graph) = writer().await;
    let upsert = || {
        let app = graph.application(Key::unique_name("shop"));
        app.upsert(NewApplication::new("Shop")).send()
    };
    let created = upsert().await.unwrap().unwrap();
    assert_eq!(created.unique_name.as_deref(), Some("shop"));
    assert!(upsert().await.unwrap().is_none());
    let app = graph.application(Key::unique_name("shop"));
    assert_eq!(app.get().send().await.unwrap().id, created.id);

    // The deleted application keeps the name.
    app.delete().send().await.unwrap();
    let error = upsert().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
    assert!(error.to_string().contains("uniqueName"), "{error}");
    let item = graph.deleted_application(&created.id);
    item.purge().send().await.unwrap();
    assert!(upsert().await.unwrap().is_some());
}

#[tokio::test]
async fn a_new_secret_signs_in_until_it_is_removed() {
    let (tenant, graph) = writer().await;
    let app = tenant.register_app("Night job");
    let one = graph.application(app.client_id());
    let before = one.get().send().await.unwrap();
    assert!(before.password_credentials.unwrap().is_empty());
    let secret = one
        .add_password(NewPassword::named("deploy").months(6))
        .send()
        .await
        .unwrap();
    assert!(!format!("{secret:?}").contains(secret.value().expose_secret()));
    assert_eq!(secret.credential().display_name.as_deref(), Some("deploy"));
    let lifetime = secret.expires().unwrap() - tenant.clock().now();
    assert!((Duration::days(180)..=Duration::days(185)).contains(&lifetime));

    let value = secret.value().expose_secret();
    let credential = AppCredential::with_secret(&tenant, &app, value);
    let request = TokenRequest::new([tenant.cloud().graph_scope()]);
    assert!(credential.token(&request).await.is_ok());
    let read = one.get().send().await.unwrap();
    let listed = read.password_credentials.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].secret_text, None);
    let id: SecretId = listed[0].key_id.as_deref().unwrap().parse().unwrap();
    assert_eq!(id, secret.id());

    one.remove_password(id).send().await.unwrap();
    assert!(credential.token(&request).await.is_err());
    let error = one.remove_password(id).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Service);
    assert!(
        error.to_string().contains("No credentials found"),
        "{error}"
    );
}

#[tokio::test]
async fn a_create_with_a_secret_returns_its_value_once() {
    let (_tenant, graph) = writer().await;
    let secret = PasswordCredential::default().display_name("first");
    let created = graph
        .applications()
        .create(NewApplication::new("Shop"))
        .set(Application::PASSWORD_CREDENTIALS, [secret])
        .send()
        .await
        .unwrap();
    let credential = created.password_credentials.unwrap().remove(0);
    let value = credential.secret_text.unwrap();
    assert!(value.expose_secret().len() > 30);
    let read = graph.application(&created.id).get().send().await.unwrap();
    let listed = read.password_credentials.unwrap().remove(0);
    assert_eq!(listed.key_id, credential.key_id);
    assert_eq!(listed.secret_text, None);
}

#[tokio::test]
async fn a_secret_without_months_lives_for_two_years() {
    let (tenant, graph) = writer().await;
    let app = create(&graph, "Shop").await;
    let new = NewPassword::named("default");
    let secret = graph.application(&app.id).add_password(new);
    let lifetime = secret.send().await.unwrap().expires().unwrap() - tenant.clock().now();
    assert!((Duration::days(729)..=Duration::days(731)).contains(&lifetime));
    let zero = NewPassword::named("none").months(0);
    let error = graph.application(&app.id).add_password(zero).send().await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Query);
}

#[tokio::test]
async fn owners_are_added_listed_and_removed_by_reference() {
    let (_tenant, graph) = writer().await;
    let app = create(&graph, "Shop").await;
    let owners = graph.application(&app.id).owners();
    let adele = graph.user("adele@contoso.com").get().send().await.unwrap();
    owners.add(&adele.id).send().await.unwrap();
    let error = owners.add(Reference::user(&adele.id)).send().await;
    assert!(error.unwrap_err().is_already_present());
    let users = owners.cast::<User>().list().items();
    let users: Vec<User> = users.try_collect().await.unwrap();
    assert_eq!(users[0].id, adele.id);
    owners.remove(&adele.id).send().await.unwrap();
    assert_eq!(owners.list().send().await.unwrap().items.len(), 0);
}

#[tokio::test]
async fn an_application_with_owned_by_changes_only_what_it_owns() {
    let (tenant, graph) = graph(&["Application.ReadWrite.OwnedBy"]).await;
    let own = create(&graph, "Own").await;
    let other = tenant.register_app("Other");
    let rename = |id: &str| {
        let app = graph.application(id);
        app.update().set(Application::DISPLAY_NAME, "New").send()
    };
    rename(&own.id).await.unwrap();
    let error = rename(&other.object_id().to_string()).await.unwrap_err();
    assert!(error.is_forbidden(), "{error}");
    let secret = graph
        .application(&own.id)
        .add_password(NewPassword::named("own"));
    assert!(secret.send().await.is_ok());
    let foreign = graph
        .application(other.client_id())
        .add_password(NewPassword::named("x"));
    assert!(foreign.send().await.unwrap_err().is_forbidden());
    graph.application(&own.id).delete().send().await.unwrap();
    let restored = graph.deleted_application(&own.id).restore().send().await;
    assert_eq!(restored.unwrap().id, own.id);
}

#[tokio::test]
async fn a_delta_follows_applications() {
    let (_tenant, graph) = writer().await;
    let delta = || graph.applications().delta();
    let (_, state) = delta().changes().try_collect().await.unwrap();
    let app = create(&graph, "Shop").await;
    let (changes, state) = delta().since(state).changes().try_collect().await.unwrap();
    let [Change::Upsert(changed)] = changes.as_slice() else {
        panic!("{changes:?}");
    };
    assert_eq!(changed.object.id, app.id);
    graph.application(&app.id).delete().send().await.unwrap();
    let (changes, _) = delta().since(state).changes().try_collect().await.unwrap();
    assert!(matches!(&changes[..], [Change::Removed { id, .. }] if *id == app.id));
}

#[tokio::test]
async fn a_403_of_a_create_names_the_permissions_that_create() {
    let (_tenant, graph) = graph(&["Application.Read.All"]).await;
    let create = graph.applications().create(NewApplication::new("Shop"));
    let error = create.send().await.unwrap_err();
    assert_eq!(
        error.needed_permissions(),
        [
            "AppRegistration.Create",
            "Application.ReadWrite.OwnedBy",
            "Application.ReadWrite.All"
        ]
    );
}

#[tokio::test]
async fn a_role_is_removed_once_every_replica_has_disabled_it() {
    use entra_core::ScriptedTransport;
    let role = "b1d5a1e0-0000-0000-0000-000000000001";
    let roles = format!(r#"{{"id":"a","appRoles":[{{"id":"{role}","isEnabled":true}}]}}"#);
    let text = "Property appRoles cannot be deleted or updated unless disabled first.";
    let enabled = format!(r#"{{"error":{{"code":"Request_BadRequest","message":"{text}"}}}}"#);
    let mut script = ScriptedTransport::new()
        .then(200, &[], roles.clone())
        .then(204, &[], "");
    // Longer than a quarter of a minute.
    for _ in 0..10 {
        script = script.then(400, &[], enabled.clone());
    }
    let script = script.then(204, &[], "");
    let graph = crate::scripts::client(script.clone());
    graph.application("a").remove_app_role(role).await.unwrap();
    assert_eq!(script.remaining(), 0);

    let script = ScriptedTransport::new()
        .then(200, &[], roles)
        .then(204, &[], "")
        .then(
            400,
            &[],
            r#"{"error":{"code":"Request_BadRequest","message":"no"}}"#,
        );
    let graph = crate::scripts::client(script.clone());
    let error = graph.application("a").remove_app_role(role).await;
    assert_eq!(error.unwrap_err().code(), Some("Request_BadRequest"));
}

#[tokio::test]
async fn roles_and_scopes_get_new_ids_and_are_disabled_before_they_are_removed() {
    let (_tenant, graph) = writer().await;
    // Personal accounts have no app roles.
    let app = graph
        .applications()
        .create(NewApplication::new("Shop"))
        .set(Application::SIGN_IN_AUDIENCE, "AzureADMyOrg")
        .send()
        .await
        .unwrap();
    let one = graph.application(&app.id);
    let read = AppRole::for_users("Orders.Read", "Read orders", "May read orders").unwrap();
    let write = AppRole::for_applications("Orders.Write", "Write orders", "Writes").unwrap();
    let id = read.id.clone().unwrap();
    assert_ne!(read.id, write.id);
    one.add_app_roles([read]).await.unwrap();
    assert_eq!(one.add_app_roles([write]).await.unwrap().len(), 2);
    let before = graph.requests_sent();
    one.remove_app_role(&id).await.unwrap();
    // One read and two updates.
    assert_eq!(graph.requests_sent() - before, 3);
    let roles = one.get().send().await.unwrap().app_roles.unwrap();
    assert_eq!(roles.len(), 1);
    assert_eq!(roles[0].value.as_deref(), Some("Orders.Write"));
    one.remove_app_role(&id).await.unwrap();

    let scope = PermissionScope::for_administrators("Orders", "Orders", "All orders").unwrap();
    let id = scope.id.clone().unwrap();
    one.add_permission_scopes([scope.also_for_users("Orders", "Your orders")])
        .await
        .unwrap();
    let api = one.get().send().await.unwrap().api.unwrap();
    let scopes = api.oauth2_permission_scopes.unwrap();
    assert_eq!(scopes[0].kind.as_deref(), Some("User"));
    one.remove_permission_scope(&id).await.unwrap();
    let api = one.get().send().await.unwrap().api.unwrap();
    assert_eq!(api.oauth2_permission_scopes.unwrap(), []);
}

#[tokio::test]
async fn a_logo_is_set_and_the_publisher_is_for_signed_in_users_only() {
    let (_tenant, graph) = writer().await;
    let app = create(&graph, "Shop").await;
    let one = graph.application(&app.id);
    one.set_logo(vec![0x89, b'P', b'N', b'G'])
        .send()
        .await
        .unwrap();
    let info = one.get().send().await.unwrap().info.unwrap();
    assert!(info.logo_url.is_some());
    let error = one
        .set_verified_publisher("1234567")
        .send()
        .await
        .unwrap_err();
    assert!(error.is_forbidden(), "{error}");
    assert!(
        one.unset_verified_publisher()
            .send()
            .await
            .unwrap_err()
            .is_forbidden()
    );
}

#[tokio::test]
async fn a_federated_credential_signs_in_until_it_is_deleted() {
    let (tenant, graph) = writer().await;
    let app = tenant.register_app("Deploy");
    let (issuer, subject) = (
        "https://issuer.example",
        "repo:contoso/shop:ref:refs/heads/main",
    );
    let one = graph.application(app.client_id());
    let all = one.federated_identity_credentials();
    let created = all
        .create(NewFederatedIdentityCredential::new("main", issuer, subject))
        .set(FederatedIdentityCredential::DESCRIPTION, "The main branch")
        .send()
        .await
        .unwrap();
    let by_name = one.federated_identity_credential(Key::name("main"));
    let read = by_name.get().send().await.unwrap();
    assert_eq!((&read.id, &read.subject), (&created.id, &created.subject));
    assert_eq!(read.audiences.unwrap(), ["api://AzureADTokenExchange"]);

    let assertion = tenant.federated_token(issuer, subject);
    let credential = AppCredential::with_assertion(&tenant, &app, &assertion);
    let request = TokenRequest::new([tenant.cloud().graph_scope()]);
    assert!(credential.token(&request).await.is_ok());

    let other = NewFederatedIdentityCredential::new("main", issuer, "repo:contoso/other");
    assert!(by_name.upsert(other).send().await.unwrap().is_none());
    assert!(credential.token(&request).await.is_err());
    let back = by_name
        .update()
        .set(FederatedIdentityCredential::SUBJECT, subject);
    back.send().await.unwrap();
    assert!(credential.token(&request).await.is_ok());

    let second = one.federated_identity_credential(Key::name("second"));
    let new = NewFederatedIdentityCredential::new("second", issuer, "repo:contoso/second");
    assert!(second.upsert(new.clone()).send().await.unwrap().is_some());
    let twice = all.create(new).send().await.unwrap_err();
    assert_eq!(twice.status().map(|status| status.as_u16()), Some(409));
    by_name.delete().send().await.unwrap();
    assert!(credential.token(&request).await.is_err());
    let left = all.list().items().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(left.len(), 1);
}

#[tokio::test]
async fn a_directory_extension_is_defined_used_and_deleted() {
    let (_tenant, graph) = graph(&["Application.ReadWrite.All", "User.ReadWrite.All"]).await;
    let app = create(&graph, "Shop").await;
    let one = graph.application(&app.id);
    let all = one.extension_properties();
    let new = NewExtensionProperty::new("level", "Integer", &["User"]);
    let created = all.create(new).send().await.unwrap();
    let name = created.name.unwrap();
    assert!(name.starts_with("extension_") && name.ends_with("_level"));
    let level: Property<User, i32> = Property::custom(name.clone());
    let adele = graph.user("adele@contoso.com");
    adele.update().set(level, 5).send().await.unwrap();
    let listed = all.list().items().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(listed[0].name.as_deref(), Some(name.as_str()));
    let property = one.extension_property(&created.id);
    assert_eq!(property.get().send().await.unwrap().id, created.id);
    property.delete().send().await.unwrap();
    assert!(property.get_opt().await.unwrap().is_none());
}
