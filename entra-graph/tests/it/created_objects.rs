//! What users and service principals created, own and owned, against the fake tenant.

use entra_graph::{
    Application, DirectoryObject, Filter, GraphClient, Group, Key, NewApplication,
    NewExtensionProperty, NewGroup, Reference, ServicePrincipal, User,
};
use entra_mock::{App, FakeTenant};

use crate::support::AppCredential;

async fn graph() -> (FakeTenant, App, GraphClient) {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Builder");
    let app = [
        "Application.ReadWrite.All",
        "Directory.Read.All",
        "Group.ReadWrite.All",
        "User.ReadWrite.All",
    ]
    .iter()
    .fold(app, |app, name| app.application_permission(name))
    .with_secret();
    let builder = GraphClient::builder(AppCredential::new(&tenant, &app)).cloud(tenant.cloud());
    let graph = builder.clock(tenant.clock()).build().unwrap();
    (tenant, app, graph)
}

fn ids(objects: &[DirectoryObject]) -> Vec<&str> {
    objects.iter().map(DirectoryObject::id).collect()
}

#[tokio::test]
async fn created_objects_are_listed_and_found_by_their_creator() {
    let (_tenant, app, graph) = graph().await;
    let new = NewGroup::security("Buyers", "buyers");
    let group = graph.groups().create(new).send().await.unwrap();
    let new = NewApplication::new("Orders");
    let application = graph.applications().create(new).send().await.unwrap();
    let creator = app.service_principal_id().to_string();
    let me = graph.service_principal(&creator);
    let created = me.created_objects().list().items();
    let created = created.try_collect::<Vec<_>>().await.unwrap();
    let mut found = ids(&created);
    found.sort_unstable();
    let mut expected = [group.id.as_str(), &application.id];
    expected.sort_unstable();
    assert_eq!(found, expected);
    let owners = graph.application(&application.id).owners();
    owners.add(creator.as_str()).send().await.unwrap();
    let owned = me.owned_objects().list().items();
    let owned = owned.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(ids(&owned), [&application.id]);

    let by_creator: Filter<Group> = Group::CREATED_ON_BEHALF_OF
        .path(DirectoryObject::ID)
        .eq(creator.as_str());
    let groups = graph.groups().list().filter(by_creator).items();
    let groups = groups.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].id, group.id);
    let by_creator = Application::CREATED_ON_BEHALF_OF
        .path(DirectoryObject::ID)
        .eq(creator.as_str());
    let applications = graph.applications().list().filter(by_creator).items();
    let applications = applications.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(applications[0].id, application.id);
    let creators = ServicePrincipal::CREATED_OBJECTS
        .any(|object| object.path(DirectoryObject::ID).eq(group.id.as_str()));
    let creators = graph.service_principals().list().filter(creators).items();
    let creators = creators.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(creators.len(), 1);
    assert_eq!(creators[0].id, creator);

    let adele = graph.user("adele@contoso.com").created_objects();
    assert!(adele.list().send().await.unwrap().items.is_empty());
    let by_manager = User::MANAGER.path(DirectoryObject::ID).eq(creator.as_str());
    let reports = graph
        .users()
        .list()
        .filter(by_manager)
        .send()
        .await
        .unwrap();
    assert!(reports.items.is_empty());
}

#[tokio::test]
async fn deleted_groups_are_found_by_their_owner() {
    let (_tenant, _app, graph) = graph().await;
    let adele = graph.user("adele@contoso.com").get().send().await.unwrap();
    let owner = Reference::user(adele.id.clone());
    let new = NewGroup::microsoft_365("Movers", "movers").owners(vec![owner]);
    let group = graph.groups().create(new).send().await.unwrap();
    let deleted = || graph.deleted_groups_of_owner(adele.id.as_str());
    assert!(deleted().send().await.unwrap().is_empty());
    graph.group(&group.id).delete().send().await.unwrap();
    let found = deleted().send().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, group.id);
    let applications = graph.deleted_applications_of_owner(adele.id.as_str());
    assert!(applications.send().await.unwrap().is_empty());
    let unknown = graph.deleted_groups_of_owner("11111111-2222-4333-8444-555555555555");
    assert!(unknown.send().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn extensions_of_all_applications_are_listed_in_one_request() {
    let (_tenant, app, graph) = graph().await;
    let own = graph.application(Key::app_id(app.client_id().to_string()));
    let new = NewExtensionProperty::new("costCenter", "String", &["User"]);
    own.extension_properties().create(new).send().await.unwrap();
    let all = graph.available_extension_properties(None).send().await;
    let all = all.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].app_display_name.as_deref(), Some("Builder"));
    assert!(all[0].name.as_deref().unwrap().ends_with("_costCenter"));
    let synced = graph
        .available_extension_properties(Some(true))
        .send()
        .await;
    assert!(synced.unwrap().is_empty());
    let cloud = graph
        .available_extension_properties(Some(false))
        .send()
        .await;
    assert_eq!(cloud.unwrap().len(), 1);
}
