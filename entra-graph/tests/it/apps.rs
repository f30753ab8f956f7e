//! Applications, service principals and who is assigned: against the fake tenant and scripts.

use entra_core::{ObjectId, ScriptedTransport};
use entra_graph::{
    AppRoleAssignment, Application, DirectoryObject, ErrorKind, GraphClient, Group, Key,
    ServicePrincipal,
    types::{InformationalUrl, PasswordCredential, VerifiedPublisher, WebApplication},
};
use entra_mock::FakeTenant;
use serde_json::json;

use crate::{
    scripts::{client, is_advanced, requested},
    support::{AppCredential, start},
};

async fn graph() -> (FakeTenant, GraphClient) {
    let (tenant, credential) = start().await;
    let graph = of(&tenant, credential);
    (tenant, graph)
}

fn of(tenant: &FakeTenant, credential: AppCredential) -> GraphClient {
    GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap()
}

#[tokio::test]
async fn an_application_is_found_by_object_id_and_by_client_id() {
    let (tenant, graph) = graph().await;
    let app = tenant.register_app("Night job").with_secret();
    let by_id = graph.application(app.object_id()).get().send().await;
    let by_id = by_id.unwrap();
    assert_eq!(by_id.display_name.as_deref(), Some("Night job"));
    let secrets = by_id.password_credentials.as_deref().unwrap();
    assert_eq!(secrets.len(), 1);
    assert!(secrets[0].secret_text.is_none());
    assert!(secrets[0].end_date_time > secrets[0].start_date_time);
    for key in [
        Key::from(app.client_id()),
        Key::app_id(app.client_id().to_string()),
    ] {
        let found = graph.application(key).get().send().await.unwrap();
        assert_eq!(found, by_id);
    }
    // Plain text is an object id, and a client id is not one.
    let client_id = app.client_id().to_string();
    assert!(
        graph
            .application(client_id)
            .get_opt()
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn applications_are_listed_counted_and_filtered() {
    let (tenant, graph) = graph().await;
    let app = tenant.register_app("Night job");
    let id = app.object_id().to_string();
    let redirect_uris = json!({ "redirectUris": ["http://localhost:3000/callback"] });
    tenant
        .set_property("applications", &id, "web", redirect_uris)
        .unwrap();

    let all = graph.applications().list().top(1).items();
    let all = all.try_collect::<Vec<_>>().await.unwrap();
    assert!(all.len() > 1);
    let count = graph.applications().count().send().await.unwrap();
    assert_eq!(all.len() as u64, count);

    let local = Application::WEB
        .path(WebApplication::REDIRECT_URIS)
        .any(|uri| uri.starts_with("http://localhost"));
    let local = graph.applications().list().filter(local).items();
    let local = local.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(local.len(), 1);
    assert_eq!(local[0].app_id, Some(app.client_id().to_string()));
    let web = local[0].web.as_deref().unwrap();
    assert_eq!(web.redirect_uris.as_deref().unwrap().len(), 1);

    let sorted = graph.applications().list();
    let sorted = sorted.order_by(Application::DISPLAY_NAME.desc()).items();
    let sorted = sorted.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(sorted.len(), all.len());
    assert!(sorted[0].display_name >= sorted[1].display_name);
}

#[tokio::test]
async fn assignments_to_a_service_principal_are_listed() {
    let (tenant, graph) = graph().await;
    let app = tenant.register_app("Desk");
    let other = tenant.register_app("Robot");
    let (user, group) = (tenant.add_user("Robin"), tenant.add_group("Crew"));
    let principals = [user.id(), group.id(), other.service_principal_id()];
    for principal in principals {
        tenant.assign(principal, app.service_principal_id());
    }
    let desk = graph.service_principal(app.client_id());
    let assigned = desk.app_role_assigned_to();
    let all = assigned
        .list()
        .top(2)
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    let of = |id: ObjectId| {
        let id = id.to_string();
        all.iter()
            .find(|one| one.principal_id.as_deref() == Some(&id))
            .and_then(|one| one.principal_type.as_deref())
    };
    assert_eq!(
        principals.map(of),
        [Some("User"), Some("Group"), Some("ServicePrincipal")]
    );
    let desk_id = app.service_principal_id().to_string();
    assert!(all.iter().all(|one| {
        one.resource_id.as_deref() == Some(&desk_id)
            && one.resource_display_name.as_deref() == Some("Desk")
    }));
    assert_eq!(assigned.count().send().await.unwrap(), 3);

    let crew = AppRoleAssignment::PRINCIPAL_DISPLAY_NAME.starts_with("Cre");
    let crew = assigned.list().filter(crew).items();
    let crew = crew.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(crew[0].principal_id, Some(group.id().to_string()));
}

#[tokio::test]
async fn assignments_of_a_service_principal_are_listed() {
    let (tenant, graph) = graph().await;
    let app = tenant
        .register_app("Robot")
        .application_permission("User.Read.All")
        .application_permission("Group.Read.All");
    let desk = tenant.register_app("Desk");
    tenant.assign(app.service_principal_id(), desk.service_principal_id());
    let robot = graph.service_principal(app.service_principal_id());
    let all = robot.app_role_assignments().list().items();
    assert_eq!(all.try_collect::<Vec<_>>().await.unwrap().len(), 3);
    let to_desk = AppRoleAssignment::RESOURCE_ID.eq(desk.service_principal_id());
    let to_desk = robot.app_role_assignments().list().filter(to_desk).items();
    let to_desk = to_desk.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(to_desk.len(), 1);
    assert_eq!(to_desk[0].resource_display_name.as_deref(), Some("Desk"));
}

#[tokio::test]
async fn memberships_of_a_service_principal_are_decoded_as_their_types() {
    let (tenant, graph) = graph().await;
    let app = tenant.register_app("Robot");
    let group = tenant.add_group("Crew");
    assert!(group.add_member(app.service_principal_id()));
    let robot = graph.service_principal(app.client_id());
    let groups = robot.member_of().list().items();
    let groups = groups.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(groups[0].as_group().unwrap().id, group.id().to_string());
    let groups = robot.member_of().cast::<Group>();
    assert_eq!(groups.count().send().await.unwrap(), 1);

    let members = graph.group(group.id()).members().list().items();
    let members = members.try_collect::<Vec<_>>().await.unwrap();
    let member = members[0].as_service_principal().unwrap();
    assert_eq!(member.app_id, Some(app.client_id().to_string()));
    assert!(robot.owners().list().send().await.unwrap().items.is_empty());
}

#[tokio::test]
async fn owners_are_decoded_as_their_types() {
    let owners = r##"{"value":[
        {"@odata.type":"#microsoft.graph.user","id":"1","displayName":"Adele"},
        {"@odata.type":"#microsoft.graph.servicePrincipal","id":"2","displayName":"Robot"},
        {"@odata.type":"#microsoft.graph.servicePrincipal","id":"3","appId":null,"displayName":null}
    ]}"##;
    let script = ScriptedTransport::new()
        .then(200, &[], owners)
        .then(200, &[], owners);
    let graph = client(script.clone());
    let owners = graph.application(Key::app_id("a")).owners().list();
    let owners = owners.send().await.unwrap().items;
    assert!(owners[0].as_user().is_some());
    assert!(owners[1].as_service_principal().is_some());
    assert!(owners[1].as_application().is_none());
    let limited: Vec<bool> = owners.iter().map(DirectoryObject::is_limited).collect();
    assert_eq!(limited, [false, false, true]);
    let owners = graph.service_principal("2").owners().list();
    owners.send().await.unwrap();
    assert_eq!(
        requested(&script),
        [
            "/applications(appId='a')/owners?$top=999",
            "/servicePrincipals/2/owners?$top=999"
        ]
    );
}

#[tokio::test]
async fn the_mode_of_a_query_is_the_documented_one() {
    let basic = [
        ServicePrincipal::ACCOUNT_ENABLED.eq(true),
        ServicePrincipal::APP_ID.eq("a"),
        ServicePrincipal::DISPLAY_NAME.starts_with("a"),
        ServicePrincipal::SERVICE_PRINCIPAL_NAMES.any(|name| name.eq("a")),
        ServicePrincipal::TAGS.any(|tag| tag.starts_with("a")),
    ];
    let advanced = [
        ServicePrincipal::APP_ROLE_ASSIGNMENT_REQUIRED.eq(true),
        ServicePrincipal::DISPLAY_NAME.ne("a"),
        ServicePrincipal::HOMEPAGE.is_null(),
        ServicePrincipal::INFO
            .path(InformationalUrl::TERMS_OF_SERVICE_URL)
            .eq("a"),
        ServicePrincipal::TAGS.is_empty(),
    ];
    let tables = [(false, basic), (true, advanced)];
    for (expected, filters) in tables {
        for filter in filters {
            let script = ScriptedTransport::new().then(200, &[], r#"{"value":[]}"#);
            let shown = filter.to_string();
            let list = client(script.clone()).service_principals().list();
            list.filter(filter).send().await.unwrap();
            assert_eq!(is_advanced(&script.requests()[0]), expected, "{shown}");
        }
    }
}

#[tokio::test]
async fn what_graph_rejects_fails_before_it_is_sent() {
    let script = ScriptedTransport::new();
    let graph = client(script.clone());
    let apps = graph.applications();
    let publisher = Application::VERIFIED_PUBLISHER.path(VerifiedPublisher::DISPLAY_NAME);
    let rejected = [
        apps.list().filter(Application::NOTES.eq("a")),
        apps.list().filter(publisher.starts_with("a")),
        apps.list().filter(Application::DISPLAY_NAME.ends_with("a")),
        apps.list().order_by(Application::APP_ID.asc()),
        apps.list().search(Application::NOTES.search("a")),
        apps.list().top(1_000),
    ];
    for list in rejected {
        let error = list.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Query, "{error}");
    }
    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn a_403_of_a_read_names_read_permissions_only() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Curious")
        .application_permission("User.Read.All")
        .with_secret();
    let graph = of(&tenant, AppCredential::new(&tenant, &app));
    let apps = graph.service_principals().list().send().await.unwrap_err();
    let assigned = graph.service_principal(app.client_id());
    let assigned = assigned.app_role_assigned_to().list().send().await;
    for error in [apps, assigned.unwrap_err()] {
        assert!(error.is_forbidden(), "{error}");
        assert_eq!(
            error.needed_permissions(),
            ["Application.Read.All", "Directory.Read.All"]
        );
    }
}

#[test]
fn a_client_secret_is_decoded_and_never_serialized() {
    let text = r#"{"hint":"can","keyId":"k","secretText":"canary"}"#;
    let secret: PasswordCredential = serde_json::from_str(text).unwrap();
    assert_eq!(
        secret.secret_text.as_ref().unwrap().expose_secret(),
        "canary"
    );
    let app = format!(r#"{{"id":"1","passwordCredentials":[{text}]}}"#);
    let app: Application = serde_json::from_str(&app).unwrap();
    for written in [
        serde_json::to_string(&secret).unwrap(),
        format!("{secret:?}"),
        serde_json::to_string(&app).unwrap(),
        format!("{app:?}"),
    ] {
        assert!(!written.contains("canary"), "{written}");
        assert!(written.contains("can"), "the hint is public: {written}");
        // Null would say that there is none.
        assert!(!written.contains("secretText"), "{written}");
    }
}
