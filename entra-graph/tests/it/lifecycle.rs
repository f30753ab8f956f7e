//! Users and groups against the fake tenant, from create to purge.

use entra_core::{ObjectId, Secret, StaticCredential};
use entra_graph::{
    Change, ErrorKind, GraphClient, Group, Key, NewGroup, NewUser, Property, Reference,
    RestoreOptions, User,
    types::{AssignedLicense, PasswordProfile},
};
use entra_mock::FakeTenant;

use crate::support::AppCredential;

const PASSWORD: &str = "zq4#Canary-7Vx!pass";
const ADMIN: &str = "admin@contoso.com";

async fn graph() -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Writer")
        .application_permission("User.ReadWrite.All")
        .application_permission("User.DeleteRestore.All")
        .application_permission("User.RevokeSessions.All")
        .application_permission("Group.ReadWrite.All")
        .application_permission("LicenseAssignment.ReadWrite.All")
        .application_permission("Organization.Read.All")
        .application_permission("Directory.Read.All")
        .with_secret();
    let graph = client(&tenant, AppCredential::new(&tenant, &app));
    (tenant, graph)
}

fn client(tenant: &FakeTenant, credential: impl entra_core::TokenCredential) -> GraphClient {
    let builder = GraphClient::builder(credential).cloud(tenant.cloud());
    builder.clock(tenant.clock()).build().unwrap()
}

fn new_user(name: &str) -> NewUser {
    let upn = format!("{name}@contoso.com");
    NewUser::new(name, &upn, name, PasswordProfile::new(PASSWORD))
}

async fn create(graph: &GraphClient, name: &str) -> (User, ObjectId) {
    let user = graph.users().create(new_user(name)).send().await.unwrap();
    let id = user.id.parse().unwrap();
    (user, id)
}

#[tokio::test]
async fn a_user_is_created_changed_deleted_restored_and_purged() {
    let (tenant, graph) = graph().await;
    let created = graph
        .users()
        .create(new_user("Petra"))
        .set(User::DEPARTMENT, "Sales")
        .set(User::OFFICE_LOCATION, "B2")
        .send()
        .await
        .unwrap();
    let id = created.id.as_str();
    let user = graph.user(id);
    user.update()
        .set(User::JOB_TITLE, "Lead")
        .clear(User::OFFICE_LOCATION)
        .send()
        .await
        .unwrap();
    let properties = (
        User::DEPARTMENT,
        User::JOB_TITLE,
        User::OFFICE_LOCATION,
        User::ACCOUNT_ENABLED,
    );
    let read = user.get().select(properties).send().await.unwrap();
    assert_eq!(read.department.as_deref(), Some("Sales"));
    assert_eq!(read.job_title.as_deref(), Some("Lead"));
    assert_eq!(read.office_location, None);
    assert_eq!(read.account_enabled, Some(true));

    user.delete().send().await.unwrap();
    assert!(user.get_opt().await.unwrap().is_none());
    let deleted: Vec<User> = graph
        .deleted_users()
        .list()
        .items()
        .try_collect()
        .await
        .unwrap();
    assert!(deleted.iter().any(|one| one.id == id));
    let restored = graph.deleted_user(id).restore().send().await.unwrap();
    assert_eq!(restored.id, id);
    assert!(user.get_opt().await.unwrap().is_some());
    user.delete().send().await.unwrap();
    let error = graph.deleted_user(id).purge().send().await.unwrap_err();
    let line = "this operation supports delegated permissions only; needs one of (delegated): User.ReadWrite.All";
    assert!(error.to_string().contains(line), "{error}");

    let app = tenant
        .register_app("Console")
        .delegated_permission("User.ReadWrite.All")
        .with_secret();
    tenant.user(ADMIN).make_admin();
    let tokens = tenant.tokens_for(&app, ADMIN, ["User.ReadWrite.All"]);
    let admin = graph.with_credential(StaticCredential::new(tokens.access_token().expose_secret()));
    admin.deleted_user(id).purge().send().await.unwrap();
    assert!(graph.deleted_user(id).get_opt().await.unwrap().is_none());
    let error = graph.deleted_user(id).restore().send().await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

#[tokio::test]
async fn graph_says_why_it_rejects_a_new_user() {
    let (_tenant, graph) = graph().await;
    create(&graph, "Petra").await;
    let error = graph
        .users()
        .create(new_user("Petra"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Service);
    assert!(
        error
            .to_string()
            .starts_with("400 Request_BadRequest on POST /users: "),
        "{error}"
    );
    assert!(
        error.message().contains("userPrincipalName already exists"),
        "{error}"
    );
    let weak = NewUser::new("W", "weak@contoso.com", "weak", PasswordProfile::new("zyx"));
    let error = graph.users().create(weak).send().await.unwrap_err();
    assert_eq!(error.status().unwrap(), 400);
    assert!(!format!("{error:#}").contains("zyx"), "{error:#}");
}

#[tokio::test]
async fn members_owners_and_managers_are_references() {
    let (_tenant, graph) = graph().await;
    let mut ids = Vec::new();
    for number in 0..23 {
        ids.push(create(&graph, &format!("user{number}")).await.1);
    }
    let new = NewGroup::security("Buyers", "buyers")
        .owners([ids[0]])
        .members([ids[1]]);
    let group = graph.groups().create(new).send().await.unwrap();
    let group = graph.group(&group.id);
    let added = group.members().add_all(&ids).await.unwrap();
    assert_eq!((added.added, added.already_present), (22, 1));
    assert_eq!(group.members().count().send().await.unwrap(), 23);
    let error = group.members().add(ids[5]).send().await.unwrap_err();
    assert!(error.is_already_present(), "{error}");
    group.members().remove(ids[5]).send().await.unwrap();
    assert_eq!(
        group.members().cast::<User>().count().send().await.unwrap(),
        22
    );
    group.owners().add(ids[2]).send().await.unwrap();
    assert_eq!(
        group
            .owners()
            .list()
            .items()
            .try_collect::<Vec<_>>()
            .await
            .unwrap()
            .len(),
        2
    );

    let user = graph.user(ids[3]);
    assert!(user.manager().get_opt().await.unwrap().is_none());
    user.manager().set(ids[4]).send().await.unwrap();
    user.manager()
        .set(Reference::user(ids[6].to_string()))
        .send()
        .await
        .unwrap();
    let manager = user.manager().get().send().await.unwrap();
    assert_eq!(manager.id(), ids[6].to_string());
    let reports = graph.user(ids[6]).direct_reports().list();
    assert_eq!(
        reports.items().try_collect::<Vec<_>>().await.unwrap().len(),
        1
    );
    user.manager().remove().send().await.unwrap();
    assert!(user.manager().get_opt().await.unwrap().is_none());

    let check = graph.user(ids[7]).check_member_objects(ids.iter().copied());
    assert!(check.send().await.unwrap().is_empty());
    let groups = graph
        .user(ids[7])
        .get_member_objects(false)
        .send()
        .await
        .unwrap();
    assert_eq!(groups.len(), 1);
}

#[tokio::test]
async fn groups_are_created_of_each_kind_and_changed() {
    let (_tenant, graph) = graph().await;
    let kinds = [
        (NewGroup::security("S", "s"), (true, false), 0),
        (NewGroup::microsoft_365("M", "m"), (false, true), 1),
        (
            NewGroup::dynamic("D", "d", "user.department -eq \"Sales\""),
            (true, false),
            1,
        ),
    ];
    for (new, (security, mail), types) in kinds {
        let group = graph.groups().create(new).send().await.unwrap();
        assert_eq!(group.security_enabled, Some(security));
        assert_eq!(group.mail_enabled, Some(mail));
        assert_eq!(group.group_types.unwrap().len(), types);
    }
    let create = graph.groups().create(NewGroup::security("Keyed", "keyed"));
    let group = create
        .set(Group::UNIQUE_NAME, "keyed-1")
        .send()
        .await
        .unwrap();
    let by_name = graph.group(Key::unique_name("keyed-1"));
    by_name
        .update()
        .set(Group::DESCRIPTION, "d")
        .send()
        .await
        .unwrap();
    let read = by_name.get().send().await.unwrap();
    assert_eq!(
        (read.id, read.description.as_deref()),
        (group.id, Some("d"))
    );
}

#[tokio::test]
async fn licences_sessions_and_extensions() {
    let (tenant, graph) = graph().await;
    let (_, id) = create(&graph, "Petra").await;
    let user = graph.user(id);
    user.revoke_sign_in_sessions().send().await.unwrap();
    user.update()
        .set(User::USAGE_LOCATION, "DE")
        .send()
        .await
        .unwrap();
    let skus = graph.subscribed_skus().list().send().await.unwrap();
    let sku = skus.items[0].sku_id.as_deref().unwrap();
    let read = user
        .assign_licenses([AssignedLicense::new(sku)])
        .send()
        .await
        .unwrap();
    assert_eq!(read.id, id.to_string());
    let licences = || user.get().select(User::ASSIGNED_LICENSES);
    assert_eq!(
        licences()
            .send()
            .await
            .unwrap()
            .assigned_licenses
            .unwrap()
            .len(),
        1
    );
    user.remove_licenses([sku]).send().await.unwrap();
    assert!(
        licences()
            .send()
            .await
            .unwrap()
            .assigned_licenses
            .unwrap()
            .is_empty()
    );

    let name = format!("extension_{}_costCenter", "0".repeat(32));
    let unknown: Property<User, String> = Property::custom(name);
    let error = user.update().set(unknown, "x").send().await.unwrap_err();
    assert_eq!(error.status().unwrap(), 400);
    drop(tenant);
}

#[tokio::test]
async fn the_signed_in_user_is_me() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Shop")
        .delegated_permission("User.Read")
        .delegated_permission("Directory.AccessAsUser.All")
        .with_secret();
    let scopes = ["User.Read", "Directory.AccessAsUser.All"];
    let tokens = tenant.tokens_for(&app, "adele@contoso.com", scopes);
    let graph = client(
        &tenant,
        StaticCredential::new(tokens.access_token().expose_secret()),
    );
    let me = graph.me().get().send().await.unwrap();
    assert_eq!(me.user_principal_name.as_deref(), Some("adele@contoso.com"));
    let wrong = Secret::from("wrong-Canary-1!");
    let error = graph
        .me()
        .change_password(&wrong, &Secret::from(PASSWORD))
        .send()
        .await
        .unwrap_err();
    assert!(!format!("{error:#}").contains("Canary"), "{error:#}");
    assert!(
        error.to_string().contains("on POST /me/changePassword"),
        "{error}"
    );
}

#[tokio::test]
async fn a_delta_follows_what_happens() {
    let (_tenant, graph) = graph().await;
    let delta = || {
        graph
            .users()
            .delta()
            .select((User::DISPLAY_NAME, User::JOB_TITLE))
    };
    let (all, state) = delta().changes().try_collect().await.unwrap();
    assert!(all.len() > 2);
    let (_, id) = create(&graph, "Petra").await;
    let (_, gone) = create(&graph, "Quinn").await;
    graph
        .user(id)
        .update()
        .set(User::JOB_TITLE, "Lead")
        .send()
        .await
        .unwrap();
    graph.user(gone).delete().send().await.unwrap();
    let (changes, state) = delta().since(state).changes().try_collect().await.unwrap();
    let upserted = changes.iter().find_map(|change| match change {
        Change::Upsert(user) if user.object.id == id.to_string() => Some(&user.object),
        _ => None,
    });
    assert_eq!(upserted.unwrap().job_title.as_deref(), Some("Lead"));
    assert!(
        changes
            .iter()
            .any(|change| matches!(change, Change::Removed { id, .. } if *id == gone.to_string()))
    );
    let (changes, _) = delta().since(state).changes().try_collect().await.unwrap();
    assert_eq!(changes, []);
}

#[tokio::test]
async fn a_batch_of_writes_keeps_its_order() {
    let (_tenant, graph) = graph().await;
    let (_, id) = create(&graph, "Petra").await;
    let group = graph
        .groups()
        .create(NewGroup::security("Buyers", "buyers"))
        .send()
        .await
        .unwrap();
    let group = graph.group(&group.id);
    let mut batch = graph.batch();
    let add = batch.add(group.members().add(id));
    let again = batch.add_after([add.id()], group.members().add(id));
    let never = batch.add_after([again.id()], graph.user(id).delete());
    let created = batch.add(graph.users().create(new_user("Quinn")));
    let responses = batch.send().await.unwrap();
    responses.get(add).unwrap();
    assert!(responses.get(again).unwrap_err().is_already_present());
    assert_eq!(
        responses.get(never).unwrap_err().kind(),
        ErrorKind::Dependency
    );
    assert_eq!(
        responses.get(created).unwrap().display_name.as_deref(),
        Some("Quinn")
    );
    assert!(graph.user(id).get_opt().await.unwrap().is_some());
}

#[tokio::test]
async fn a_write_without_permission_says_which_one_and_where_to_grant_it() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Reader")
        .application_permission("User.Read.All")
        .with_secret();
    let graph = client(&tenant, AppCredential::new(&tenant, &app));
    let error = graph
        .users()
        .create(new_user("Petra"))
        .send()
        .await
        .unwrap_err();
    assert!(error.is_forbidden());
    assert_eq!(
        error.needed_permissions(),
        ["User.ReadWrite.All", "Directory.ReadWrite.All"]
    );
    let report = format!("{error:#}");
    for part in [
        "on POST /users",
        "the token has roles: User.Read.All",
        "Application permissions > User.ReadWrite.All",
        "Grant admin consent",
        "keeps its permissions until it expires",
    ] {
        assert!(report.contains(part), "{part} in {report}");
    }
    let _ = app.application_permission("User.ReadWrite.All");
    graph.renew_token().await.unwrap();
    graph
        .users()
        .create(new_user("Petra"))
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_user_whose_name_is_taken_is_restored_under_another_one() {
    let (_tenant, graph) = graph().await;
    let (first, id) = create(&graph, "Petra").await;
    graph.user(id).delete().send().await.unwrap();
    create(&graph, "Petra").await;
    let error = graph.deleted_user(id).restore().send().await.unwrap_err();
    assert_eq!(
        error.details()[0].target.as_deref(),
        Some("userPrincipalName")
    );
    let options = RestoreOptions::new()
        .user_principal_name("petra.former@contoso.com")
        .remove_conflicting_addresses();
    let request = graph.deleted_user(id).restore_with(options);
    let restored = request.send().await.unwrap();
    assert_eq!(restored.id, first.id);
    let read = graph.user(id).get().send().await.unwrap();
    let name = read.user_principal_name.as_deref();
    assert_eq!(name, Some("petra.former@contoso.com"));
}
