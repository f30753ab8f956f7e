//! App registrations against the fake tenant, from create to purge.

use entra_core::{Clock as _, TokenCredential as _, TokenRequest, time::Duration};
use entra_graph::{
    Application, ErrorKind, GraphClient, Key, NewApplication, NewPassword, Reference, SecretId,
    User, types::WebApplication,
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
