//! An administrator consents for all users.

use entra_mock::{App, FakeTenant};
use serde_json::json;

use crate::{
    pages::sign_in,
    support::{fetch, get, graph_get, http, token},
    users::{ADELE, Browser, CALLBACK, authorize_url, claims, parameter, returned},
};

const ADMIN: &str = "admin@contoso.com";
const APPLICATION_ADMINISTRATOR: &str = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3";
const CLOUD_APPLICATION_ADMINISTRATOR: &str = "158c047a-c907-4556-b7ef-446551a6b5f7";
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const PRIVILEGED_ROLE_ADMINISTRATOR: &str = "e8611ab8-c189-46e8-94e1-60213ab1f814";
const USER_ADMINISTRATOR: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";

async fn daemon() -> (FakeTenant, App) {
    let tenant = FakeTenant::start().await;
    tenant.user(ADMIN).make_admin();
    let app = tenant
        .register_app("Daemon")
        .redirect_uri(CALLBACK)
        .needs_delegated_permission("User.Read")
        .needs_application_permission("User.Read.All")
        .with_secret();
    (tenant, app)
}

fn url(tenant: &FakeTenant, app: &App, path: &str, changes: &[(&str, &str)]) -> String {
    let client_id = app.client_id().to_string();
    let mut parameters = vec![
        ("client_id", client_id.as_str()),
        ("redirect_uri", CALLBACK),
        ("state", "a b"),
    ];
    if path.starts_with("v2.0") {
        parameters.push(("scope", "https://graph.microsoft.com/.default"));
    }
    for (name, value) in changes {
        parameters.retain(|(existing, _)| existing != name);
        if !value.is_empty() {
            parameters.push((name, value));
        }
    }
    let address = format!("{}/{}/{path}", tenant.uri(), tenant.id());
    reqwest::Url::parse_with_params(&address, parameters)
        .unwrap()
        .to_string()
}

#[tokio::test]
async fn an_administrator_grants_all_registered_permissions() {
    for path in ["v2.0/adminconsent", "adminconsent"] {
        let (tenant, app) = daemon().await;
        let bare = token(&tenant, &app).await;
        assert_eq!(graph_get(&tenant, &bare, "/users").await.status, 403);
        let mut browser = Browser::default();
        let page = sign_in(&tenant, &mut browser, &url(&tenant, &app, path, &[]), ADMIN).await;
        assert!(
            page.text.contains("Review for your organization"),
            "{}",
            page.text
        );
        assert!(
            page.text
                .contains("Microsoft Graph: User.Read.All (application)")
        );
        assert!(page.text.contains("Microsoft Graph: User.Read<"));
        let back = browser.submit(&tenant, &page, &[("step", "consent")]).await;
        let parameters = returned(&back);
        assert_eq!(parameter(&parameters, "admin_consent"), "True");
        assert_eq!(parameter(&parameters, "tenant"), tenant.id().to_string());
        assert_eq!(parameter(&parameters, "state"), "a b");
        let has_scope = parameters.iter().any(|(name, _)| name == "scope");
        assert_eq!(has_scope, path.starts_with("v2.0"));

        let granted = token(&tenant, &app).await;
        assert_eq!(graph_get(&tenant, &granted, "/users").await.status, 200);
        // No user sees the consent page again.
        let mut adele = Browser::default();
        let sign_in_url = authorize_url(&tenant, &app, &[]);
        assert_eq!(
            sign_in(&tenant, &mut adele, &sign_in_url, ADELE)
                .await
                .status,
            302
        );
    }
}

#[tokio::test]
async fn admin_consent_works_without_a_browser() {
    let (tenant, app) = daemon().await;
    for path in ["v2.0/adminconsent", "adminconsent"] {
        let back = tenant.sign_in_at(&url(&tenant, &app, path, &[]), ADMIN);
        assert_eq!(back.parameter("admin_consent").as_deref(), Some("True"));
        assert_eq!(back.parameter("tenant"), Some(tenant.id().to_string()));
        let granted = token(&tenant, &app).await;
        assert_eq!(graph_get(&tenant, &granted, "/users").await.status, 200);
    }
}

#[tokio::test]
async fn a_declined_consent_or_invalid_scope_redirects_with_an_error() {
    let (tenant, app) = daemon().await;
    for (path, error) in [
        ("v2.0/adminconsent", "consent_required"),
        ("adminconsent", "permission_denied"),
    ] {
        let mut browser = Browser::default();
        let page = sign_in(&tenant, &mut browser, &url(&tenant, &app, path, &[]), ADMIN).await;
        let back = browser.submit(&tenant, &page, &[("step", "decline")]).await;
        let parameters = returned(&back);
        assert_eq!(parameter(&parameters, "error"), error);
        assert_eq!(parameter(&parameters, "admin_consent"), "True");
        assert!(parameter(&parameters, "error_description").starts_with("AADSTS65004"));
        assert_eq!(parameter(&parameters, "state"), "a b");
    }
    let unknown = [("scope", "https://graph.microsoft.com/Everything.Read")];
    let back = get(&url(&tenant, &app, "v2.0/adminconsent", &unknown)).await;
    assert_eq!(parameter(&returned(&back), "error"), "invalid_scope");
    assert_eq!(
        graph_get(&tenant, &token(&tenant, &app).await, "/users")
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn only_the_requested_scopes_are_granted() {
    let (tenant, app) = daemon().await;
    let scope = "https://graph.microsoft.com/mail.read openid";
    let consent = url(&tenant, &app, "v2.0/adminconsent", &[("scope", scope)]);
    let mut browser = Browser::default();
    let page = sign_in(&tenant, &mut browser, &consent, ADMIN).await;
    assert!(page.text.contains("Microsoft Graph: Mail.Read<") && !page.text.contains("User.Read"));
    let back = browser.submit(&tenant, &page, &[("step", "consent")]).await;
    assert_eq!(parameter(&returned(&back), "scope"), scope);
    let mut adele = Browser::default();
    let mail = authorize_url(&tenant, &app, &[("scope", "openid Mail.Read")]);
    assert_eq!(sign_in(&tenant, &mut adele, &mail, ADELE).await.status, 302);
    let more = authorize_url(&tenant, &app, &[("scope", "openid Mail.Read User.Read")]);
    assert!(adele.get(&more).await.text.contains("id=\"accept\""));
}

/// Gives a user, group or service principal a role over the whole directory, by Graph.
async fn assign_role(tenant: &FakeTenant, principal: &str, role: &str) {
    let setup = tenant
        .register_app("Setup")
        .application_permission("RoleManagement.ReadWrite.Directory")
        .with_secret();
    let url = format!(
        "{}/v1.0/roleManagement/directory/roleAssignments",
        tenant.uri()
    );
    let body =
        json!({ "principalId": principal, "roleDefinitionId": role, "directoryScopeId": "/" });
    let jwt = token(tenant, &setup).await;
    let assigned = fetch(http().post(url).bearer_auth(jwt).json(&body)).await;
    assert_eq!(assigned.status, 201, "{}", assigned.text);
}

#[tokio::test]
async fn a_role_through_a_group_gives_admin_consent_and_is_in_tokens() {
    let (tenant, app) = daemon().await;
    let consent = url(&tenant, &app, "v2.0/adminconsent", &[]);
    let page = tenant.try_sign_in_at(&consent, ADELE).unwrap_err();
    assert_eq!(page.aadsts_code(), Some(90_094));

    let group = tenant.add_group("Administrators");
    group.set("isAssignableToRole", true.into());
    assign_role(&tenant, &group.id().to_string(), GLOBAL_ADMINISTRATOR).await;
    group.add_member(tenant.user(ADELE).id());
    let back = tenant.sign_in_at(&consent, ADELE);
    assert_eq!(back.parameter("admin_consent").as_deref(), Some("True"));
    let tokens = tenant.tokens_for(&app, ADELE, ["User.Read"]);
    let roles = claims(&json!(tokens.access_token().expose_secret()))["wids"].clone();
    assert_eq!(
        roles,
        json!([GLOBAL_ADMINISTRATOR, "b79fbf4d-3ef9-4689-8143-76b194e85509"])
    );

    group.remove_member(tenant.user(ADELE).id());
    let tokens = tenant.tokens_for(&app, ADELE, ["User.Read"]);
    let roles = claims(&json!(tokens.access_token().expose_secret()))["wids"].clone();
    assert_eq!(roles, json!(["b79fbf4d-3ef9-4689-8143-76b194e85509"]));
}

/// An application that needs an application permission of an API of the tenant.
async fn night_job(tenant: &FakeTenant) -> App {
    let api = tenant
        .register_app("Orders API")
        .expose_app_role("Orders.Read.All");
    let reader = tenant
        .register_app("Reader")
        .application_permission("Application.Read.All")
        .with_secret();
    let jwt = token(tenant, &reader).await;
    let path = format!("/applications/{}", api.object_id());
    let role = graph_get(tenant, &jwt, &path).await.body["appRoles"][0]["id"].clone();
    let job = tenant.register_app("Night job").redirect_uri(CALLBACK);
    let needed = json!([{
        "resourceAppId": api.client_id().to_string(), "resourceAccess": [{ "id": role, "type": "Role" }]
    }]);
    let id = job.object_id().to_string();
    tenant
        .set_property("applications", &id, "requiredResourceAccess", needed)
        .unwrap();
    job
}

#[tokio::test]
async fn each_role_gives_admin_consent_to_what_it_may_grant() {
    let scope = [("scope", "https://graph.microsoft.com/User.Read.All")];
    // Delegated permissions, application permissions of another API, and those of Graph.
    for (role, allowed) in [
        (APPLICATION_ADMINISTRATOR, [true, true, false]),
        (CLOUD_APPLICATION_ADMINISTRATOR, [true, true, false]),
        (PRIVILEGED_ROLE_ADMINISTRATOR, [true, true, true]),
        (GLOBAL_ADMINISTRATOR, [true, true, true]),
        (USER_ADMINISTRATOR, [false, false, false]),
    ] {
        let (tenant, app) = daemon().await;
        let job = night_job(&tenant).await;
        assign_role(&tenant, &tenant.user(ADELE).id().to_string(), role).await;
        let requests = [
            url(&tenant, &app, "v2.0/adminconsent", &scope),
            url(&tenant, &job, "adminconsent", &[]),
            url(&tenant, &app, "adminconsent", &[]),
        ];
        for (request, allowed) in requests.into_iter().zip(allowed) {
            let mut browser = Browser::default();
            let page = sign_in(&tenant, &mut browser, &request, ADELE).await;
            let shown = page.text.contains("Review for your organization");
            assert_eq!(shown, allowed, "{role} {request}: {}", page.text);
            match tenant.try_sign_in_at(&request, ADELE) {
                Ok(back) => {
                    let given = back.parameter("admin_consent");
                    assert_eq!((allowed, given.as_deref()), (true, Some("True")), "{role}");
                }
                Err(page) => {
                    let error = page.aadsts_code();
                    assert_eq!((allowed, error), (false, Some(90_094)), "{role} {request}");
                }
            }
        }
        let jwt = token(&tenant, &app).await;
        let status = if allowed[2] { 200 } else { 403 };
        let users = graph_get(&tenant, &jwt, "/users").await;
        assert_eq!(users.status, status, "{role}");
    }
}

#[tokio::test]
async fn an_application_administrator_consents_at_the_sign_in_for_the_organization() {
    const BRUNO: &str = "bruno@contoso.com";
    let (tenant, app) = daemon().await;
    let url = authorize_url(&tenant, &app, &[("scope", "openid User.Read.All")]);
    let page = tenant.try_sign_in_at(&url, ADELE).unwrap_err();
    assert_eq!(page.aadsts_code(), Some(90_094));
    let adele = tenant.user(ADELE).id().to_string();
    assign_role(&tenant, &adele, APPLICATION_ADMINISTRATOR).await;
    let mut browser = Browser::default();
    let page = sign_in(&tenant, &mut browser, &url, ADELE).await;
    assert!(page.text.contains("id=\"everyone\""), "{}", page.text);
    let fields = [("everyone", "1"), ("step", "consent")];
    assert_eq!(browser.submit(&tenant, &page, &fields).await.status, 302);
    let back = tenant.sign_in_at(&url, BRUNO);
    assert!(back.parameter("code").is_some());
}

#[tokio::test]
async fn the_roles_of_an_application_are_in_its_graph_tokens() {
    let (tenant, app) = daemon().await;
    let default = "0997a1d0-0d1d-4acb-b408-d5ca73121e90";
    let wids = async || claims(&json!(token(&tenant, &app).await))["wids"].clone();
    assert_eq!(wids().await, json!([default]));
    let principal = app.service_principal_id().to_string();
    assign_role(&tenant, &principal, USER_ADMINISTRATOR).await;
    assert_eq!(wids().await, json!([USER_ADMINISTRATOR, default]));
}

#[tokio::test]
async fn only_administrators_can_give_admin_consent() {
    let (tenant, app) = daemon().await;
    let consent = url(&tenant, &app, "v2.0/adminconsent", &[]);
    let mut browser = Browser::default();
    let page = sign_in(&tenant, &mut browser, &consent, ADELE).await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("AADSTS90094") && page.text.contains("Need admin approval"));
    // Posting the form of a page that she was not shown does not help either.
    let forced = browser.submit(&tenant, &page, &[("step", "consent")]).await;
    assert!(forced.text.contains("AADSTS90094"));
    tenant.user(ADMIN).require_second_factor();
    let other = browser.submit(&tenant, &page, &[("step", "other")]).await;
    assert!(other.text.contains("id=\"login\""));
    let page = sign_in(&tenant, &mut Browser::default(), &consent, ADMIN).await;
    assert!(page.text.contains("id=\"approve\""));
}

#[tokio::test]
async fn an_untrusted_request_shows_an_error_page() {
    let (tenant, app) = daemon().await;
    for (changes, number) in [
        (vec![("client_id", "")], "AADSTS900144"),
        (vec![("scope", "")], "AADSTS900144"),
        (
            vec![("redirect_uri", "https://evil.example/")],
            "AADSTS50011",
        ),
    ] {
        let page = get(&url(&tenant, &app, "v2.0/adminconsent", &changes)).await;
        assert_eq!((page.status, page.header("location")), (400, None));
        assert!(page.text.contains(number), "{}", page.text);
    }
    let bare = tenant.register_app("Bare");
    let page = get(&url(
        &tenant,
        &bare,
        "adminconsent",
        &[("redirect_uri", "")],
    ))
    .await;
    assert!(page.text.contains("AADSTS500113"));
    let common =
        url(&tenant, &app, "adminconsent", &[]).replace(&tenant.id().to_string(), "common");
    assert!(get(&common).await.text.contains("AADSTS50059"));
    app.multi_tenant();
    let organizations = common.replace("/common/", "/organizations/");
    assert!(get(&organizations).await.text.contains("id=\"login\""));
}
