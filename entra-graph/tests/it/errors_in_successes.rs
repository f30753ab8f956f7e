//! A response with status 200 whose body is an error, among real responses of a fake tenant: once, in the middle of what
//! a program does. It is an error of that call, never an empty or a short result, and the next call succeeds.

use entra_core::http::Method;
use entra_graph::{Error, ErrorKind, GraphClient, User};
use entra_mock::FakeTenant;
use serde_json::json;
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{method, path, path_regex, query_param_contains},
};

use crate::support::AppCredential;

/// A tenant with 250 users, and a client that may write users and groups.
async fn start() -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::builder().users(250).start().await;
    let app = tenant
        .register_app("Writer")
        .application_permission("User.ReadWrite.All")
        .application_permission("Group.ReadWrite.All")
        .with_secret();
    let graph = GraphClient::builder(AppCredential::new(&tenant, &app))
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    (tenant, graph)
}

/// The bodies that were reported: the error alone, beside a list, and after a byte order mark.
const BODIES: [&str; 3] = [
    r#"{"error":{"code":"UnknownError","message":"m","innerError":{"request-id":"r-9"}}}"#,
    r#"{"value":[{"id":"11111111-2222-3333-4444-555555555555"}],"error":{"code":"UnknownError","message":"m"}}"#,
    "\u{feff}{\"error\":{\"code\":\"UnknownError\",\"message\":\"m\"}}",
];

fn success(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body.to_owned(), "application/json")
}

fn is_the_error(error: &Error, body: &str) {
    assert_eq!(error.kind(), ErrorKind::Service, "{body}: {error}");
    assert_eq!(error.code(), Some("UnknownError"), "{body}");
    assert!(!error.is_not_found(), "{body}");
}

#[tokio::test]
async fn a_later_page_with_an_error_ends_the_list_with_that_error_and_can_be_resumed() {
    for body in BODIES {
        let (tenant, graph) = start().await;
        let all = graph.users().list().items().try_collect::<Vec<_>>().await;
        let all = all.unwrap().len();
        assert!(all >= 250);
        let page = Mock::given(method("GET"))
            .and(path("/v1.0/users"))
            .and(query_param_contains("$skiptoken", ""));
        tenant
            .mount(page.respond_with(success(body)).up_to_n_times(1))
            .await;
        let mut items = graph.users().list().top(100).items();
        let mut read = 0;
        let error = loop {
            match items.try_next().await {
                Ok(Some(_)) => read += 1,
                Ok(None) => panic!("{body}: a short list of {read}"),
                Err(error) => break error,
            }
        };
        is_the_error(&error, body);
        assert_eq!(read, 100, "{body}");
        // The page is read again, and nothing is lost.
        let token = items.resume_token().unwrap();
        let rest = graph.resume::<User>(&token).unwrap();
        let rest = rest.try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(read + rest.len(), all, "{body}");
    }
}

#[tokio::test]
async fn an_object_an_action_and_a_raw_request_with_an_error_fail_once() {
    let (tenant, graph) = start().await;
    let adele = tenant.user("adele@contoso.com").id();
    let group = tenant.add_group("Team");
    group.add_member(adele);
    for body in BODIES {
        for found in [
            path(format!("/v1.0/users/{adele}")),
            path(format!("/v1.0/users/{adele}/checkMemberGroups")),
            path(format!("/v1.0/groups/{}/members", group.id())),
        ] {
            let mock = Mock::given(found).respond_with(success(body));
            tenant.mount(mock.up_to_n_times(1)).await;
        }
        let user = graph.user(adele);
        is_the_error(&user.get().send().await.unwrap_err(), body);
        assert_eq!(user.get().send().await.unwrap().id, adele.to_string());

        // Not "no such user", which would remove the user from a copy.
        let mock = Mock::given(path(format!("/v1.0/users/{adele}")));
        let mock = mock.respond_with(success(body)).up_to_n_times(1);
        tenant.mount(mock).await;
        is_the_error(&user.get_opt().await.unwrap_err(), body);
        assert!(user.get_opt().await.unwrap().is_some());

        // Not "no member", which would lock users out.
        let checked = user.check_member_groups([group.id()]).send().await;
        is_the_error(&checked.unwrap_err(), body);
        let checked = user.check_member_groups([group.id()]).send().await;
        assert_eq!(checked.unwrap().len(), 1);

        let members = graph.group(group.id()).members().list().items();
        is_the_error(&members.try_collect::<Vec<_>>().await.unwrap_err(), body);
        let members = graph.group(group.id()).members().list().items();
        assert_eq!(members.try_collect::<Vec<_>>().await.unwrap().len(), 1);

        let mock = Mock::given(path("/v1.0/organization")).respond_with(success(body));
        tenant.mount(mock.up_to_n_times(1)).await;
        let raw = graph.raw(Method::GET, "/organization");
        let raw = raw.json::<serde_json::Value>().await;
        is_the_error(&raw.unwrap_err(), body);
    }
}

#[tokio::test]
async fn a_delta_round_with_an_error_keeps_its_state() {
    for body in BODIES {
        let (tenant, graph) = start().await;
        let (_, state) = graph.users().delta().changes().try_collect().await.unwrap();
        tenant
            .user("adele@contoso.com")
            .set("department", json!("Sales"));
        let mock = Mock::given(path_regex("/v1.0/users/(microsoft.graph.)?delta"));
        tenant
            .mount(mock.respond_with(success(body)).up_to_n_times(1))
            .await;
        let round = || graph.users().delta().since(state.clone()).changes();
        is_the_error(&round().try_collect().await.unwrap_err(), body);
        // The same state still gives the change.
        let (changes, _) = round().try_collect().await.unwrap();
        assert_eq!(changes.len(), 1, "{body}");
    }
}
