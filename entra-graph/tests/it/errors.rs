use std::{error::Error as _, time::Duration};

use entra_core::{
    AccessToken, CredentialError, CredentialErrorKind, Environment, ScriptedTransport,
    StaticCredential, StopReason, Timestamp, TokenCredential, TokenRequest, TransportError,
};
use entra_graph::{
    Application, Error, ErrorKind, GraphClient, Key, NewApplication, NewUser, User,
    types::PasswordProfile,
};
use entra_mock::FakeTenant;

use crate::{
    accounts::signed_in,
    scripts::{client, client_with_token},
    support::AppCredential,
};

async fn failure(graph: &GraphClient) -> Error {
    graph.users().list().send().await.unwrap_err()
}

#[test]
fn an_error_is_small() {
    assert!(size_of::<Error>() <= 16);
}

#[tokio::test]
async fn a_403_says_which_permission_is_missing_and_how_to_grant_it() {
    // roles: ["Group.Read.All"]
    let token = "e30.eyJyb2xlcyI6WyJHcm91cC5SZWFkLkFsbCJdfQ.sig";
    let body = r#"{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation.","innerError":{"date":"2026-01-01T00:00:00","request-id":"r-1","client-request-id":"c-1"}}}"#;
    let script = ScriptedTransport::new().then(403, &[], body);
    let error = failure(&client_with_token(script, token)).await;
    assert!(error.is_forbidden());
    assert_eq!(error.code(), Some("Authorization_RequestDenied"));
    assert_eq!(error.request_id(), Some("r-1"));
    assert!(error.client_request_id().is_some());
    assert_eq!(
        error.needed_permissions(),
        ["User.Read.All", "Directory.Read.All"]
    );
    assert_eq!(error.token_permissions().unwrap(), ["Group.Read.All"]);
    assert_eq!(
        error.to_string(),
        "403 Authorization_RequestDenied on GET /users: Insufficient privileges to complete the operation; \
         the token has roles: Group.Read.All; needs one of (application): User.Read.All, Directory.Read.All; request-id r-1"
    );
    let report = format!("{error:#}");
    for line in [
        "\n  the token has roles: Group.Read.All",
        "\n  needs one of (application): User.Read.All, Directory.Read.All",
        "API permissions > Add a permission > Microsoft Graph > Application permissions > User.Read.All",
        "an administrator must then select Grant admin consent",
        "keeps its permissions until it expires",
        "\n  request-id r-1",
    ] {
        assert!(report.contains(line), "{line} in {report}");
    }
    assert!(!format!("{error:?}").contains("eyJ"));
}

#[tokio::test]
async fn a_403_of_a_create_names_the_permission_of_the_property_that_is_set() {
    // roles: ["User.ReadWrite.All", "Application.ReadWrite.All"]
    let token =
        "e30.eyJyb2xlcyI6WyJVc2VyLlJlYWRXcml0ZS5BbGwiLCJBcHBsaWNhdGlvbi5SZWFkV3JpdGUuQWxsIl19.sig";
    let denied = r#"{"error":{"code":"Authorization_RequestDenied","message":"m"}}"#;
    let graph = client_with_token(ScriptedTransport::new().then(403, &[], denied), token);
    let password = PasswordProfile::new("correct horse battery staple 1");
    let new = NewUser::new("Mira", "mira@contoso.com", "mira", password);
    let create = graph
        .users()
        .create(new)
        .set(User::EMPLOYEE_LEAVE_DATE_TIME, Timestamp::UNIX_EPOCH);
    let error = create.send().await.unwrap_err();
    assert_eq!(
        error.needed_permissions(),
        ["User-LifeCycleInfo.ReadWrite.All"]
    );
    let line = error.to_string();
    assert!(line.contains("on POST /users"), "{line}");
}

#[tokio::test]
async fn the_line_of_an_invalid_setting_says_which_it_is() {
    let environment = Environment::from_pairs([("ENTRA_GRAPH_URL", "http://graph.example.com")]);
    let builder = GraphClient::builder(StaticCredential::new("token")).environment(&environment);
    let error = builder.build().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let line = error.to_string();
    assert!(
        line.contains("ENTRA_GRAPH_URL") && !line.contains('\n'),
        "{line}"
    );
    assert!(error.message().contains("ENTRA_GRAPH_URL"));

    let error = failure(&client_with_token(ScriptedTransport::new(), "canary\nx")).await;
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let line = error.to_string();
    assert!(
        line.starts_with("GET /users: a header value has characters"),
        "{line}"
    );
    assert!(!format!("{error} {error:?}").contains("canary"));
}

const ADELE: &str = "adele@contoso.com";
const ADMIN: &str = "admin@contoso.com";

/// A client of an application with this permission.
fn application(tenant: &FakeTenant, permission: &str) -> GraphClient {
    let app = tenant
        .register_app("Writer")
        .application_permission(permission)
        .with_secret();
    GraphClient::builder(AppCredential::new(tenant, &app))
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap()
}

/// The one line and the report have these lines one after another, and the report says where to grant the first permission.
fn names_the_missing(error: &Error, lines: [&str; 2], permissions: &[&str]) {
    assert!(error.is_forbidden(), "{error}");
    assert_eq!(error.needed_permissions(), permissions);
    let line = error.to_string();
    assert!(line.contains(&format!("; {}", lines.join("; "))), "{line}");
    let report = format!("{error:#}");
    assert!(
        report.contains(&format!("\n  {}", lines.join("\n  "))),
        "{report}"
    );
    let grant = format!("permissions > {};", permissions[0]);
    assert!(report.contains(&grant), "{report}");
    for text in [line, report] {
        assert!(!text.contains("directory role"), "{text}");
    }
}

#[tokio::test]
async fn a_permission_for_the_signed_in_user_only_is_not_enough_for_another_user() {
    let tenant = FakeTenant::start().await;
    let read = [
        "User.Read covers the signed-in user only",
        "needs one of (delegated): User.Read.All, Directory.Read.All",
    ];
    let write = [
        "User.ReadWrite covers the signed-in user only",
        "needs one of (delegated): User.ReadWrite.All, Directory.ReadWrite.All",
    ];
    let id = tenant.user(ADMIN).id().to_string();
    for key in [&*id, ADMIN] {
        let other = signed_in(&tenant, ADELE, &["User.Read"]).user(key);
        let error = other.get().send().await.unwrap_err();
        names_the_missing(&error, read, &["User.Read.All", "Directory.Read.All"]);
        let other = signed_in(&tenant, ADELE, &["User.ReadWrite"]).user(key);
        let update = other.update().set(User::JOB_TITLE, "Lead");
        let error = update.send().await.unwrap_err();
        names_the_missing(
            &error,
            write,
            &["User.ReadWrite.All", "Directory.ReadWrite.All"],
        );
    }
    // The permission for the signed-in user is no advice for another one, and is for the user.
    let graph = signed_in(&tenant, ADELE, &["Group.Read.All"]);
    let error = graph.user(&*id).get().send().await.unwrap_err();
    let of_all = ["User.Read.All", "Directory.Read.All"];
    assert_eq!(error.needed_permissions(), of_all);
    let error = graph.me().get().send().await.unwrap_err();
    assert_eq!(error.needed_permissions()[0], "User.Read");
}

#[tokio::test]
async fn a_permission_for_owned_applications_is_not_enough_for_another_application() {
    let tenant = FakeTenant::start().await;
    let graph = application(&tenant, "Application.ReadWrite.OwnedBy");
    let shop = graph.application(tenant.register_app("Shop").object_id());
    let update = shop.update().set(Application::NOTES, "n");
    let error = update.send().await.unwrap_err();
    let lines = [
        "Application.ReadWrite.OwnedBy covers objects that this application owns only",
        "needs one of (application): Application.ReadWrite.All",
    ];
    names_the_missing(&error, lines, &["Application.ReadWrite.All"]);
}

#[tokio::test]
async fn a_token_with_a_sufficient_permission_lacks_a_directory_role() {
    let tenant = FakeTenant::start().await;
    tenant.user(ADMIN).make_admin();
    let broad = application(&tenant, "Directory.ReadWrite.All");
    let update = broad.user(ADMIN).update().set(User::ACCOUNT_ENABLED, false);
    let of_application = update.send().await.unwrap_err();
    let user = signed_in(&tenant, ADELE, &["User.ReadWrite.All"]);
    let update = user.user(ADMIN).update().set(User::JOB_TITLE, "Lead");
    let of_user = update.send().await.unwrap_err();
    for (error, line) in [
        (
            of_application,
            "the token has Directory.ReadWrite.All: the application also needs a directory role for this object",
        ),
        (
            of_user,
            "the token has User.ReadWrite.All: the signed-in user also needs a directory role for this object",
        ),
    ] {
        assert!(error.is_forbidden(), "{error}");
        assert!(error.needed_permissions().is_empty(), "{error}");
        for text in [error.to_string(), format!("{error:#}")] {
            assert!(text.contains(line), "{text}");
            assert!(
                !text.contains("needs one of") && !text.contains("fix:"),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn a_missing_license_is_not_a_missing_permission() {
    let body = r#"{"error":{"code":"Authentication_RequestFromNonPremiumTenantOrB2CTenant","message":"m"}}"#;
    let error = failure(&client(ScriptedTransport::new().then(403, &[], body))).await;
    assert!(error.is_license_missing());
    assert!(error.needed_permissions().is_empty());
    assert!(
        error
            .to_string()
            .contains("needs an Entra ID P1 or P2 licence")
    );
}

#[tokio::test]
async fn a_wait_beyond_the_budget_is_reported() {
    let script = ScriptedTransport::new().then(429, &[("retry-after", "3600")], "");
    let error = failure(&client(script)).await;
    assert!(error.is_throttled() && error.is_transient());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert!(matches!(
        error.stop_reason(),
        Some(StopReason::RetryAfterBeyondBudget { .. })
    ));
    let text = error.to_string();
    assert!(
        text.contains("the Retry-After of 3600 s is longer than the 600 s left"),
        "{text}"
    );
}

#[tokio::test]
async fn an_error_status_with_any_body_is_a_service_error() {
    for body in [
        "",
        "<html>bad gateway</html>",
        r#"{"error":{"code":"","message":""}}"#,
        "{",
    ] {
        let script = ScriptedTransport::new().then(400, &[("request-id", "r-2")], body);
        let error = failure(&client(script)).await;
        assert_eq!(error.kind(), ErrorKind::Service);
        assert_eq!(error.status().unwrap().as_u16(), 400);
        assert_eq!(error.code(), None);
        assert_eq!(error.request_id(), Some("r-2"));
        assert!(!error.to_string().contains("html"));
    }
}

#[tokio::test]
async fn a_response_of_another_shape_is_an_error_with_its_json_path() {
    let table = [
        (
            r#"{"value":[{"id":"1"},{"createdDateTime":"soon"}]}"#,
            "value[1].createdDateTime",
        ),
        (
            r#"{"value":[{"assignedPlans":[{"service":7}]}]}"#,
            "value[0].assignedPlans[0].service",
        ),
        (r#"{"value":[{"id":"1"}"#, "the response"),
        ("<html>", "not the JSON that was expected"),
        ("", "not the JSON that was expected"),
        (r#"{"value":[]} trailing"#, "text after its JSON"),
    ];
    for (body, expected) in table {
        let error = failure(&client(ScriptedTransport::new().then(200, &[], body))).await;
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
        assert!(error.to_string().contains(expected), "{error} for {body}");
        assert!(error.source().is_some());
        assert!(error.client_request_id().is_some());
    }
}

#[tokio::test]
async fn a_time_that_cannot_be_read_is_an_error_that_shows_a_valid_one() {
    let body = r#"{"value":[{"createdDateTime":"soon"}]}"#;
    let error = failure(&client(ScriptedTransport::new().then(200, &[], body))).await;
    let source = error.source().unwrap().to_string();
    assert!(source.contains("2026-01-31T12:00:00Z"), "{source}");
}

#[tokio::test]
async fn the_credentials_own_error_stays_the_cause() {
    #[derive(Debug)]
    struct Refusing;

    #[async_trait::async_trait]
    impl TokenCredential for Refusing {
        async fn token(&self, _: &TokenRequest) -> Result<AccessToken, CredentialError> {
            Err(
                CredentialError::new(CredentialErrorKind::Throttled, "the tenant said no")
                    .with_code(50196)
                    .with_retry_after(Duration::from_secs(7)),
            )
        }
    }

    let script = ScriptedTransport::new();
    let graph = GraphClient::builder(Refusing)
        .transport(script)
        .build()
        .unwrap();
    let error = failure(&graph).await;
    assert_eq!(error.kind(), ErrorKind::Credential);
    assert_eq!(error.credential().unwrap().code(), Some(50196));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert!(error.is_transient());
    contains_no_text_twice(&error);
}

#[tokio::test]
async fn a_broken_connection_is_a_transport_error() {
    let mut script = ScriptedTransport::new();
    for _ in 0..6 {
        script = script.then_fail(TransportError::interrupted("reset by peer"));
    }
    let graph = client(script);
    let error = failure(&graph).await;
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.is_transient());
    assert_eq!(graph.requests_sent(), 6);
    contains_no_text_twice(&error);
}

/// The line names the root cause, and neither the line nor the report repeats a text.
fn contains_no_text_twice(error: &Error) {
    let line = error.to_string();
    let mut root: &dyn std::error::Error = error.source().unwrap();
    while let Some(cause) = root.source() {
        root = cause;
    }
    for text in [line, format!("{error:#}")] {
        assert_eq!(text.matches(&root.to_string()).count(), 1, "{text}");
    }
}

#[tokio::test]
async fn an_error_inside_of_a_success_is_an_error() {
    let error_body =
        r#"{"error":{"code":"UnknownError","message":"m","innerError":{"request-id":"r-9"}}}"#;
    let beside = r#"{"value":[{"id":"1"}],"error":{"code":"UnknownError"}}"#;
    let inside = r#"{"value":[{"id":"1"},{"id":{"error":{"code":"UnknownError","message":"m"}}"#;
    for body in [error_body, beside, inside] {
        let error = failure(&client(ScriptedTransport::new().then(200, &[], body))).await;
        assert_eq!(error.kind(), ErrorKind::Service, "{body}");
        assert_eq!(error.code(), Some("UnknownError"), "{body}");
    }
    let script = ScriptedTransport::new().then(200, &[], error_body);
    let error = client(script)
        .user("adele@contoso.com")
        .get()
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("UnknownError"));
    assert_eq!(error.request_id(), Some("r-9"));
}

#[tokio::test]
async fn a_404_about_something_else_does_not_mean_that_the_object_is_absent() {
    let absent = r#"{"error":{"code":"Request_ResourceNotFound","message":"m"}}"#;
    let mailbox = r#"{"error":{"code":"MailboxNotEnabledForRESTAPI","message":"m"}}"#;
    let script = ScriptedTransport::new()
        .then(404, &[], absent)
        .then(404, &[], mailbox)
        .then(404, &[], "<html>not found</html>");
    let graph = client(script);
    assert_eq!(graph.user("a").get_opt().await.unwrap(), None);
    for _ in 0..2 {
        let error = graph.user("a").get_opt().await.unwrap_err();
        assert!(!error.is_not_found(), "{error}");
    }
}

#[derive(Debug)]
struct Refusing;

#[async_trait::async_trait]
impl TokenCredential for Refusing {
    async fn token(&self, _: &TokenRequest) -> Result<AccessToken, CredentialError> {
        let cause = std::io::Error::other("the secret was rejected");
        let error = CredentialError::new(CredentialErrorKind::Rejected, "secret is invalid")
            .with_code(7_000_215)
            .with_fix("add a new secret")
            .with_ids(Some("c-7".to_owned()), None)
            .with_source(cause);
        Err(error)
    }
}

#[tokio::test]
async fn a_report_says_why_there_is_no_token_and_what_to_do() {
    let graph = GraphClient::builder(Refusing)
        .transport(ScriptedTransport::new())
        .build()
        .unwrap();
    let error = failure(&graph).await;
    assert_eq!(
        error.to_string(),
        "no token for GET /users: secret is invalid (AADSTS7000215); correlation c-7"
    );
    let report = format!("{error:#}");
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "no token for GET /users: secret is invalid (AADSTS7000215)",
            "  cause: the secret was rejected",
            "  fix:   add a new secret",
        ]
    );
    assert!(lines[3].ends_with("correlation c-7"), "{report}");
    assert_eq!(
        format!("{error:?}"),
        report,
        "what `?` out of `main` prints"
    );
}

#[tokio::test]
async fn a_name_that_another_object_has_is_no_result_that_exists() {
    const ID: &str = "33333333-3333-3333-3333-333333333333";
    let in_use = "The service principal cannot be created, updated, or restored because the service principal name a is already in use.";
    let taken = "Another object with the same value for property identifierUris already exists.";
    let cases = [
        (
            "POST",
            "/oauth2PermissionGrants",
            "Permission entry already exists.",
            true,
        ),
        ("POST", "/servicePrincipals", in_use, true),
        ("PATCH", "/servicePrincipals/1", in_use, false),
        ("POST", "/directory/deletedItems/1/restore", in_use, false),
        ("POST", "/directory/deletedItems/1/Restore", in_use, false),
        ("PATCH", "/applications/1", taken, false),
        ("POST", "/applications", taken, false),
        (
            "PATCH",
            "/applications/1/federatedIdentityCredentials/2",
            "A federated identity credential with the same issuer and subject already exists.",
            false,
        ),
    ];
    for (method, path, message, expected) in cases {
        let body = serde_json::json!({
            "error": { "code": "Request_MultipleObjectsWithSameKeyValue", "message": message }
        });
        let script = ScriptedTransport::new().then(409, &[], body.to_string());
        let error = client(script).raw(method, path).send().await.unwrap_err();
        assert_eq!(error.is_already_present(), expected, "{method} {path}");
    }
    let body = serde_json::json!({
        "error": { "code": "Request_MultipleObjectsWithSameKeyValue", "message": taken }
    });
    let script = ScriptedTransport::new().then(409, &[], body.to_string());
    let graph = client(script);
    let update = graph.application(ID).update();
    let update = update.set(Application::IDENTIFIER_URIS, ["api://shop"]);
    assert!(!update.send().await.unwrap_err().is_already_present());

    // A replica that does not show it yet: the result of the upsert exists.
    let body = serde_json::json!({
        "error": { "code": "Request_MultipleObjectsWithSameKeyValue", "message": in_use }
    });
    let script = ScriptedTransport::new().then(409, &[], body.to_string());
    let graph = client(script);
    let app = graph.application(Key::unique_name("shop"));
    let upsert = app.upsert(NewApplication::new("Shop"));
    let error = upsert.send().await.unwrap_err();
    assert!(error.is_already_present(), "{error}");
}

#[tokio::test]
async fn an_error_that_is_null_is_no_error() {
    let script = ScriptedTransport::new()
        .then(200, &[], r#"{"id":"1","error":null,"displayName":"Adele"}"#)
        .then(
            200,
            &[],
            r#"{"id":"1","displayName":"Adele","error":{"code":"UnknownError"}}"#,
        );
    let graph = client(script);
    let user = graph.user("1").get().send().await.unwrap();
    assert_eq!(user.display_name.as_deref(), Some("Adele"));
    let error = graph.user("1").get().send().await.unwrap_err();
    assert_eq!(error.code(), Some("UnknownError"));
}
