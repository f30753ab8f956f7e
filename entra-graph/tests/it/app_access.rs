//! App role assignments and delegated permission grants against the fake tenant.

use entra_core::{ObjectId, ScriptedTransport};
use entra_graph::{
    Change, ErrorKind, GraphClient, Key, NewAppRoleAssignment, NewOAuth2PermissionGrant,
    OAuth2PermissionGrant, ServicePrincipal,
};
use entra_mock::{App, FakeTenant};

use crate::{
    scripts::{client, client_with_token},
    support::AppCredential,
};

const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

async fn graph(permissions: &[&str]) -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Consent tool").with_secret();
    for permission in permissions {
        app.application_permission(permission);
    }
    let graph = of(&tenant, &app);
    (tenant, graph)
}

fn of(tenant: &FakeTenant, app: &App) -> GraphClient {
    let builder = GraphClient::builder(AppCredential::new(tenant, app)).cloud(tenant.cloud());
    builder.clock(tenant.clock()).build().unwrap()
}

async fn microsoft_graph(graph: &GraphClient) -> (ServicePrincipal, String) {
    let api = graph.service_principal(Key::app_id(GRAPH)).get();
    let api = api.send().await.unwrap();
    let roles = api.app_roles.as_deref().unwrap();
    let role = roles
        .iter()
        .find(|role| role.value.as_deref() == Some("User.Read.All"));
    let role = role.unwrap().id.clone().unwrap();
    (api, role)
}

#[tokio::test]
async fn an_application_permission_is_granted_and_revoked_for_a_client() {
    let (tenant, graph) = graph(&["AppRoleAssignment.ReadWrite.All", "Application.Read.All"]).await;
    let night_job = tenant.register_app("Night job").with_secret();
    let users = || {
        let night_job = of(&tenant, &night_job);
        async move { night_job.users().list().send().await }
    };
    assert!(users().await.unwrap_err().is_forbidden());
    let (api, role) = microsoft_graph(&graph).await;
    let assigned_to = graph.service_principal(&api.id).app_role_assigned_to();
    let new = NewAppRoleAssignment::new(night_job.service_principal_id(), &api.id, &role);
    let created = assigned_to.create(new.clone()).send().await.unwrap();
    assert_eq!(created.principal_type.as_deref(), Some("ServicePrincipal"));
    assert_eq!(created.principal_display_name.as_deref(), Some("Night job"));
    assert_eq!(created.app_role_id.as_ref(), Some(&role));
    assert!(!users().await.unwrap().items.is_empty());

    let error = assigned_to.create(new).send().await.unwrap_err();
    assert!(error.is_already_present(), "{error}");
    let own = graph
        .service_principal(night_job.client_id())
        .app_role_assignments();
    own.delete(&created.id).send().await.unwrap();
    assert!(users().await.unwrap_err().is_forbidden());
    let error = assigned_to.delete(&created.id).send().await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

#[tokio::test]
async fn users_and_groups_are_assigned_with_default_access() {
    let (tenant, graph) = graph(&[
        "AppRoleAssignment.ReadWrite.All",
        "Application.Read.All",
        "Directory.Read.All",
    ])
    .await;
    let desk = tenant.register_app("Desk").service_principal_id();
    let (robin, crew) = (tenant.add_user("Robin").id(), tenant.add_group("Crew").id());
    let of_robin = graph.user(robin).app_role_assignments();
    let of_crew = graph.group(crew).app_role_assignments();
    let robin = of_robin.create(NewAppRoleAssignment::default_access(robin, desk));
    let crew = of_crew.create(NewAppRoleAssignment::default_access(crew, desk));
    let robin = robin.send().await.unwrap();
    let crew = crew.send().await.unwrap();
    let assigned_to = graph.service_principal(desk).app_role_assigned_to();
    let all = assigned_to.list().send().await.unwrap().items;
    let ids: Vec<&str> = all.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, [&robin.id, &crew.id]);
    of_robin.delete(&robin.id).send().await.unwrap();
    of_crew.delete(&crew.id).send().await.unwrap();
    assert_eq!(assigned_to.count().send().await.unwrap(), 0);
}

#[tokio::test]
async fn an_assignment_is_settled_when_it_is_listed() {
    let (tenant, graph) = graph(&[
        "AppRoleAssignment.ReadWrite.All",
        "Application.Read.All",
        "DelegatedPermissionGrant.ReadWrite.All",
        "Directory.Read.All",
    ])
    .await;
    let desk = tenant.register_app("Desk").service_principal_id();
    let (robin, crew) = (tenant.add_user("Robin").id(), tenant.add_group("Crew").id());
    let night_job = tenant.register_app("Night job's").service_principal_id();
    let (api, role) = microsoft_graph(&graph).await;
    tenant.set_replication_delay(std::time::Duration::from_secs(10));
    let desk_is_assigned_to = graph.service_principal(desk).app_role_assigned_to();
    let settled = [
        desk_is_assigned_to.create(NewAppRoleAssignment::default_access(robin, desk)),
        graph
            .group(crew)
            .app_role_assignments()
            .create(NewAppRoleAssignment::default_access(crew, desk)),
        graph
            .service_principal(&api.id)
            .app_role_assigned_to()
            .create(NewAppRoleAssignment::new(night_job, &api.id, &role)),
    ];
    for create in settled {
        let created = create.settled().await.unwrap();
        assert!(!created.id.is_empty());
    }
    // Every replica has them.
    for _ in 0..10 {
        let all = desk_is_assigned_to.list().send().await.unwrap().items;
        assert_eq!(all.len(), 2);
    }
    let new = NewOAuth2PermissionGrant::for_all_users(
        night_job.to_string(),
        api.id.clone(),
        ["User.Read"],
    );
    let grants = graph.oauth2_permission_grants();
    let grant = grants.create(new).settled().await.unwrap();
    let one = graph.oauth2_permission_grant(&grant.id);
    for _ in 0..10 {
        one.get().send().await.unwrap();
    }
}

#[tokio::test]
async fn a_403_of_an_assignment_names_the_permission_that_is_lacking() {
    for (has, needed) in [
        (
            "Application.Read.All",
            &["AppRoleAssignment.ReadWrite.All"][..],
        ),
        (
            "AppRoleAssignment.ReadWrite.All",
            &["Application.Read.All", "Directory.Read.All"],
        ),
    ] {
        let (tenant, graph) = graph(&[has]).await;
        let desk = tenant.register_app("Desk").service_principal_id();
        let robin = tenant.add_user("Robin").id();
        let new = NewAppRoleAssignment::default_access(robin, desk);
        let assigned_to = graph.service_principal(desk).app_role_assigned_to();
        let error = assigned_to.create(new).send().await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        assert_eq!(error.needed_permissions(), needed);
        let together = error.to_string().contains(
            "AppRoleAssignment.ReadWrite.All, together with one of: Application.Read.All, Directory.Read.All",
        );
        assert_eq!(together, has == "Application.Read.All", "{error}");
    }
}

#[tokio::test]
async fn an_assignment_is_named_by_its_id() {
    let script = ScriptedTransport::new();
    let assigned_to = client(script.clone())
        .service_principal("1")
        .app_role_assigned_to();
    for id in ["", " ", ".", ".."] {
        let error = assigned_to.delete(id).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Query, "{error}");
    }
    assert!(script.requests().is_empty());
}

async fn granting() -> (FakeTenant, GraphClient, ObjectId, String) {
    let (tenant, graph) = graph(&[
        "DelegatedPermissionGrant.ReadWrite.All",
        "Directory.Read.All",
    ])
    .await;
    let client = tenant.register_app("Shop").service_principal_id();
    let (api, _) = microsoft_graph(&graph).await;
    (tenant, graph, client, api.id)
}

fn scopes(grant: &OAuth2PermissionGrant) -> Vec<&str> {
    grant.scopes().collect()
}

#[tokio::test]
async fn a_grant_for_all_users_is_created_widened_narrowed_and_deleted() {
    let (_tenant, graph, client, api) = granting().await;
    let new = || NewOAuth2PermissionGrant::for_all_users(client, &api, ["User.Read", "Mail.Read"]);
    let grants = graph.oauth2_permission_grants();
    let created = grants.create(new()).send().await.unwrap();
    assert_eq!(created.consent_type.as_deref(), Some("AllPrincipals"));
    assert_eq!(created.principal_id, None);
    assert_eq!(scopes(&created), ["User.Read", "Mail.Read"]);
    let error = grants.create(new()).send().await.unwrap_err();
    assert!(error.is_already_present(), "{error}");

    let one = graph.oauth2_permission_grant(&created.id);
    for wanted in [
        &["User.Read", "Mail.Read", "Files.Read"][..],
        &["User.Read"],
    ] {
        one.set_scopes(wanted).send().await.unwrap();
        let read = one.get().send().await.unwrap();
        assert_eq!(scopes(&read), wanted);
    }
    let of_client = OAuth2PermissionGrant::CLIENT_ID.eq(client);
    let found = grants.list().filter(of_client).send().await.unwrap().items;
    assert_eq!(found.len(), 1);
    let at_client = graph.service_principal(client).oauth2_permission_grants();
    assert_eq!(at_client.list().send().await.unwrap().items, found);
    one.delete().send().await.unwrap();
    assert!(one.get_opt().await.unwrap().is_none());
}

#[tokio::test]
async fn a_grant_for_one_user_is_listed_at_the_user() {
    let (tenant, graph, client, api) = granting().await;
    let robin = tenant.add_user("Robin").id();
    let new = NewOAuth2PermissionGrant::for_user(client, &api, robin, [" User.Read "]);
    let created = graph.oauth2_permission_grants().create(new);
    let created = created.send().await.unwrap();
    assert_eq!(created.consent_type.as_deref(), Some("Principal"));
    assert_eq!(created.principal_id, Some(robin.to_string()));
    assert_eq!(created.scope.as_deref(), Some("User.Read"));
    let of_robin = graph.user(robin).oauth2_permission_grants();
    let listed = of_robin.list().send().await.unwrap().items;
    assert_eq!((listed.len(), &listed[0].id), (1, &created.id));
}

#[tokio::test]
async fn a_403_of_a_grant_names_the_write_permission() {
    let (tenant, graph) = graph(&["Directory.Read.All"]).await;
    let client = tenant.register_app("Shop").service_principal_id();
    let (api, _) = microsoft_graph(&graph).await;
    let new = NewOAuth2PermissionGrant::for_all_users(client, &api.id, ["User.Read"]);
    let error = graph.oauth2_permission_grants().create(new).send().await;
    let error = error.unwrap_err();
    assert!(error.is_forbidden(), "{error}");
    assert_eq!(
        error.needed_permissions(),
        [
            "DelegatedPermissionGrant.ReadWrite.All",
            "Directory.ReadWrite.All"
        ]
    );
}

#[tokio::test]
async fn needed_permissions_are_those_of_the_operation_for_an_unreadable_token() {
    let body = r#"{"error":{"code":"Authorization_RequestDenied","message":"m"}}"#;
    let script = ScriptedTransport::new().then(403, &[], body);
    let graph = client_with_token(script, "opaque");
    let new = NewAppRoleAssignment::default_access("a", "b");
    let assigned_to = graph.service_principal("1").app_role_assigned_to();
    let error = assigned_to.create(new).send().await.unwrap_err();
    assert_eq!(
        error.needed_permissions(),
        ["AppRoleAssignment.ReadWrite.All"]
    );
    let report = format!("{error:#}");
    for line in [
        "needs one of (application): AppRoleAssignment.ReadWrite.All",
        "; for a signed-in user one of (delegated): AppRoleAssignment.ReadWrite.All",
        "Application permissions (Delegated permissions for a signed-in user)",
    ] {
        assert!(report.contains(line), "{report}");
    }
}

#[tokio::test]
async fn changes_of_grants_come_by_a_delta_query() {
    let (tenant, graph) = graph(&[
        "DelegatedPermissionGrant.ReadWrite.All",
        "Directory.Read.All",
    ])
    .await;
    let (api, _) = microsoft_graph(&graph).await;
    let desk = tenant.register_app("Desk");
    let mut first = graph.oauth2_permission_grants().delta().changes();
    while first.try_next().await.unwrap().is_some() {}
    let state = first.state().unwrap();
    let new = NewOAuth2PermissionGrant::for_all_users(
        desk.service_principal_id(),
        &api.id,
        ["User.Read"],
    );
    let grant = graph.oauth2_permission_grants().create(new);
    let grant = grant.send().await.unwrap();
    let mut next = graph
        .oauth2_permission_grants()
        .delta()
        .since(state)
        .changes();
    let mut ids = Vec::new();
    while let Some(change) = next.try_next().await.unwrap() {
        if let Change::Upsert(changed) = change {
            ids.push(changed.object.id);
        }
    }
    assert_eq!(ids, [grant.id]);
}
