//! Behavior of Graph beyond its documentation, by requests of the client to the fake tenant.

use entra_core::{Cloud, ObjectId};
use entra_graph::{
    Change, Filter, GraphClient, Group, NewGroup, NewUser, Property, Reference, User,
    types::PasswordProfile,
};
use entra_mock::{App, FakeTenant};
use serde_json::json;

use crate::support::AppCredential;

const ADELE: &str = "adele@contoso.com";

fn client(tenant: &FakeTenant, app: &App) -> GraphClient {
    let builder = GraphClient::builder(AppCredential::new(tenant, app)).cloud(tenant.cloud());
    builder.clock(tenant.clock()).build().unwrap()
}

fn reader(tenant: &FakeTenant) -> App {
    tenant
        .register_app("Reader")
        .application_permission("Directory.Read.All")
        .with_secret()
}

fn writer(tenant: &FakeTenant) -> App {
    tenant
        .register_app("Writer")
        .application_permission("User.ReadWrite.All")
        .application_permission("Group.ReadWrite.All")
        .with_secret()
}

/// What each call shows of a user who is a member of a group with hidden membership.
async fn memberships_shown(graph: &GraphClient, user: ObjectId, group: ObjectId) -> Vec<bool> {
    let (one, id) = (graph.group(group), group.to_string());
    let ids_of = |objects: Vec<entra_graph::DirectoryObject>| -> Vec<String> {
        objects
            .iter()
            .map(|object| object.id().to_owned())
            .collect()
    };
    let members: Vec<_> = one.members().list().items().try_collect().await.unwrap();
    let below: Vec<_> = one
        .transitive_members()
        .list()
        .items()
        .try_collect()
        .await
        .unwrap();
    let direct = graph.user(user).member_of().list();
    let direct: Vec<_> = direct.items().try_collect().await.unwrap();
    let above = graph.user(user).transitive_member_of().list();
    let above: Vec<_> = above.items().try_collect().await.unwrap();
    let expanded = one.get().expand(Group::MEMBERS).send().await.unwrap();
    let check = graph.user(user).check_member_groups([group]);
    let objects = graph.user(user).check_member_objects([group]);
    let all = graph.user(user).get_member_groups(false);
    let mut changes = graph
        .groups()
        .delta()
        .select(Group::DISPLAY_NAME)
        .select_relation(Group::MEMBERS)
        .changes();
    let mut in_delta = false;
    while let Some(change) = changes.try_next().await.unwrap() {
        if let Change::Upsert(changed) = change
            && changed.object.id == id
        {
            in_delta |= changed.links.iter().any(|link| link.id == user.to_string());
        }
    }
    let with_members = Filter::raw_advanced("members/$count ne 0");
    let with_members = graph.groups().list().filter(with_members).items();
    let with_members: Vec<Group> = with_members.try_collect().await.unwrap();
    vec![
        with_members.iter().any(|group| group.id == id),
        ids_of(members).contains(&user.to_string()),
        ids_of(below).contains(&user.to_string()),
        one.members().count().send().await.unwrap() > 0,
        !expanded.members.unwrap().is_empty(),
        ids_of(direct).contains(&id),
        ids_of(above).contains(&id),
        check.send().await.unwrap().contains(&group),
        objects.send().await.unwrap().contains(&group),
        all.send().await.unwrap().contains(&group),
        in_delta,
    ]
}

#[tokio::test]
async fn hidden_memberships_are_left_out_of_every_call_without_their_permission() {
    let tenant = FakeTenant::start().await;
    let app = reader(&tenant);
    let (adele, hidden) = (tenant.user(ADELE).id(), tenant.add_group("Hidden"));
    hidden.set("visibility", json!("HiddenMembership"));
    hidden.add_member(adele);
    let graph = client(&tenant, &app);
    let shown = memberships_shown(&graph, adele, hidden.id()).await;
    assert!(shown.iter().all(|shown| !shown), "{shown:?}");
    // A group above shows the hidden group, and not its members.
    let outer = tenant.add_group("Outer");
    outer.add_member(hidden.id());
    let members = graph.group(outer.id()).transitive_members();
    let members: Vec<_> = members.list().items().try_collect().await.unwrap();
    let ids: Vec<&str> = members
        .iter()
        .map(entra_graph::DirectoryObject::id)
        .collect();
    assert_eq!(ids, [hidden.id().to_string()]);

    let app = app.application_permission("Member.Read.Hidden");
    let graph = client(&tenant, &app);
    let shown = memberships_shown(&graph, adele, hidden.id()).await;
    assert!(shown.iter().all(|shown| *shown), "{shown:?}");
    let members = graph.group(outer.id()).transitive_members();
    let members: Vec<_> = members.list().items().try_collect().await.unwrap();
    assert_eq!(members.len(), 2);
}

#[tokio::test]
async fn a_reference_to_a_user_takes_a_user_principal_name() {
    let tenant = FakeTenant::start().await;
    let graph = client(&tenant, &writer(&tenant));
    let adele = tenant.user(ADELE).id();
    let new = NewGroup::security("Buyers", "buyers").members([Reference::user(ADELE)]);
    let group = graph.groups().create(new).send().await.unwrap();
    let members = graph.group(&group.id).members();
    let listed: Vec<_> = members.list().items().try_collect().await.unwrap();
    assert_eq!(listed[0].id(), adele.to_string());
    members.remove(adele).send().await.unwrap();
    members.add(Reference::user(ADELE)).send().await.unwrap();
    let error = members
        .add(Reference::user("gone@contoso.com"))
        .send()
        .await;
    assert!(error.unwrap_err().is_not_found());
    let profile = PasswordProfile::new("xWwvJ]6NMw+bWH-d");
    let new = NewUser::new("Petra", "petra@contoso.com", "petra", profile);
    let petra = graph.users().create(new).send().await.unwrap();
    let manager = graph.user(&petra.id).manager();
    manager.set(Reference::user(ADELE)).send().await.unwrap();
    let manager = manager.get().send().await.unwrap();
    assert_eq!(manager.id(), adele.to_string());
}

#[tokio::test]
async fn a_graph_root_with_a_version_serves_lists_batches_changes_and_beta() {
    let tenant = FakeTenant::start().await;
    let app = reader(&tenant);
    for version in ["v1.0", "v1.0/", "V1.0"] {
        let root = format!("{}/{version}", tenant.uri());
        let cloud = Cloud::custom(tenant.uri().as_str(), &root).unwrap();
        let cloud = cloud.with_graph_resource("https://graph.microsoft.com");
        let builder = GraphClient::builder(AppCredential::new(&tenant, &app)).cloud(cloud);
        let graph = builder.clock(tenant.clock()).build().unwrap();
        let mut users = graph.users().list().top(2).items();
        users.try_next().await.unwrap().unwrap();
        let token = users.resume_token().unwrap();
        let rest: Vec<User> = graph.resume(&token).unwrap().try_collect().await.unwrap();
        assert!(rest.len() > 2, "{version}");
        let mut batch = graph.batch();
        let entry = batch.add(graph.user(ADELE).get());
        let responses = batch.send().await.unwrap();
        assert!(responses.get(entry).is_ok(), "{version}");
        let mut changes = graph.users().delta().changes();
        while changes.try_next().await.unwrap().is_some() {}
        assert!(changes.state().is_some(), "{version}");
        let path = format!("/users/{ADELE}");
        let raw = graph.raw(entra_core::http::Method::GET, &path);
        let user: serde_json::Value = raw.json().await.unwrap();
        assert_eq!(user["userPrincipalName"], ADELE, "{version}");
    }
}

#[tokio::test]
async fn a_property_named_at_run_time_is_written_selected_filtered_and_cleared() {
    let tenant = FakeTenant::start().await;
    let app = writer(&tenant).application_permission("Application.ReadWrite.All");
    let graph = client(&tenant, &app);
    let new = entra_graph::NewExtensionProperty::new("team", "String", &["User"]);
    let application = graph.application(entra_graph::Key::app_id(app.client_id().to_string()));
    let defined = application
        .extension_properties()
        .create(new)
        .send()
        .await
        .unwrap();
    let name: String = defined.name.unwrap();
    let team: Property<User, String> = Property::custom(name);
    let user = graph.user(ADELE);
    user.update()
        .set(team.clone(), "O'Neil & Söhne")
        .send()
        .await
        .unwrap();
    let read = user
        .get()
        .select((User::ID, team.clone()))
        .send()
        .await
        .unwrap();
    let value: Option<String> = read.additional().property(&team).unwrap();
    assert_eq!(value.as_deref(), Some("O'Neil & Söhne"));
    let list = graph.users().list().filter(team.eq("O'Neil & Söhne"));
    let found: Vec<User> = list.items().try_collect().await.unwrap();
    assert_eq!(found.len(), 1);
    user.update().clear(team.clone()).send().await.unwrap();
    let read = user
        .get()
        .select((User::ID, team.clone()))
        .send()
        .await
        .unwrap();
    assert_eq!(read.additional().property(&team).unwrap(), None);
}

/// Lists that select what another service has are 501 at Graph; this client does not send them.
#[tokio::test]
async fn what_graph_returns_of_one_object_only_is_in_no_list() {
    let tenant = FakeTenant::start().await;
    let graph = client(&tenant, &reader(&tenant));
    let of_users = [
        "aboutMe",
        "birthday",
        "hireDate",
        "interests",
        "mailboxSettings",
        "mySite",
        "pastProjects",
        "preferredName",
        "responsibilities",
        "schools",
        "skills",
    ];
    let of_groups = [
        "allowExternalSenders",
        "autoSubscribeNewMembers",
        "hideFromAddressLists",
        "hideFromOutlookClients",
        "isSubscribedByMail",
        "unseenCount",
    ];
    let sent = graph.requests_sent();
    for name in of_users {
        let list = graph.users().list();
        let list = list.select(Property::<User, String>::custom(name));
        let error = list.send().await.unwrap_err();
        assert!(error.to_string().contains("not in lists"), "{error}");
    }
    for name in of_groups {
        let list = graph.groups().list();
        let list = list.select(Property::<Group, String>::custom(name));
        let error = list.send().await.unwrap_err();
        assert!(error.to_string().contains("not in lists"), "{error}");
    }
    assert_eq!(graph.requests_sent(), sent);
    let paths = of_users.map(|name| format!("/users?$select={name}"));
    let of_groups = of_groups.map(|name| format!("/groups?$select={name}"));
    for path in paths.into_iter().chain(of_groups) {
        let error = graph.raw("GET", &path).send().await.unwrap_err();
        assert_eq!(error.code(), Some("NotImplemented"), "{path}: {error}");
    }
    let one = graph.user(ADELE).get().select(User::ABOUT_ME);
    assert!(one.send().await.is_ok());
}
