//! Reads after a write, and replicas that have not seen it.

use std::{fmt::Write, time::Duration};

use entra_core::{Clock, ManualClock, ScriptedTransport, StaticCredential};
use entra_graph::{
    Error, ErrorKind, GraphClient, IntoRequest, NewAppRoleAssignment, NewGroup, NewUser, User,
    types::PasswordProfile,
};

const ID: &str = "33333333-3333-3333-3333-333333333333";
const PASSWORD: &str = "zq4#Canary-7Vx!pass";
const ABSENT: &str = r#"{"error":{"code":"Request_ResourceNotFound","message":"Resource 'a' does not exist or one of its queried reference-property objects are not present."}}"#;
const DENIED: &str =
    r#"{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges"}}"#;

/// Responses in short: `n` a user with this job title, `-` not found, `+` no content, `x` denied.
fn script(responses: &str) -> ScriptedTransport {
    let mut transport = ScriptedTransport::new();
    for response in responses.split_whitespace() {
        transport = match response {
            "-" => transport.then(404, &[], ABSENT),
            "+" => transport.then(204, &[], ""),
            "x" => transport.then(403, &[], DENIED),
            title => transport.then(
                200,
                &[],
                format!(r#"{{"id":"{ID}","jobTitle":"{title}","passwordProfile":null}}"#),
            ),
        };
    }
    transport
}

fn client(transport: &ScriptedTransport) -> (GraphClient, ManualClock) {
    let clock = ManualClock::new();
    let graph = GraphClient::builder(StaticCredential::new("token"))
        .transport(transport.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    (graph, clock)
}

fn lead(user: &User) -> bool {
    user.job_title.as_deref() == Some("Lead")
}

/// What was sent, without the host.
fn sent(transport: &ScriptedTransport) -> Vec<String> {
    let line = |request: &entra_core::http::Request<_>| {
        format!(
            "{} {}",
            request.method(),
            request.uri().path_and_query().unwrap()
        )
    };
    transport.requests().iter().map(line).collect()
}

#[tokio::test]
async fn one_good_read_is_not_enough() {
    let cases = [
        ("a a a a a", 5),
        ("- a a a a a", 6),
        ("a - a a a a a", 7),
        ("a a a a - a a a a a", 10),
        ("old new new new new new", 6),
        ("old new old new new new new new", 8),
    ];
    for (responses, requests) in cases {
        let transport = script(responses);
        let (graph, _) = client(&transport);
        let user = graph.user(ID).get().settled().send().await.unwrap();
        assert_eq!(transport.requests().len(), requests, "{responses}");
        assert_ne!(user.job_title.as_deref(), Some("old"));
    }
}

#[tokio::test]
async fn reads_agree_on_what_the_caller_waits_for() {
    let transport = script("- Old Lead Old Lead Lead Lead");
    let (graph, clock) = client(&transport);
    let before = clock.monotonic();
    let settled = graph.user(ID).get().settled().until(lead).reads(3);
    let user = settled
        .interval(Duration::from_secs(5))
        .send()
        .await
        .unwrap();
    assert!(lead(&user));
    assert_eq!(transport.remaining(), 0);
    // Pauses of 1 and 2 s, 5 s after a good read, and 1 s after the old one between.
    assert_eq!(
        clock.elapsed(before),
        Duration::from_secs(1 + 2 + 5 + 1 + 5 + 5)
    );
}

#[tokio::test]
async fn an_update_waits_for_its_own_values() {
    let transport = script("+ Old Lead Old Lead Lead Lead Lead Lead");
    let (graph, _) = client(&transport);
    let update = graph.user(ID).update().set(User::JOB_TITLE, "Lead");
    update.settled().await.unwrap();
    assert_eq!(transport.remaining(), 0);
    let requests = sent(&transport);
    assert_eq!(requests[0], format!("PATCH /v1.0/users/{ID}"));
    assert_eq!(
        requests[1],
        format!("GET /v1.0/users/{ID}?$select=id,jobTitle")
    );
}

#[tokio::test]
async fn what_graph_never_returns_is_not_waited_for() {
    let transport = script("+ a a a a a");
    let (graph, _) = client(&transport);
    let password = PasswordProfile::new(PASSWORD);
    let update = graph
        .user(ID)
        .update()
        .set(User::PASSWORD_PROFILE, password);
    update.settled().await.unwrap();
    assert_eq!(
        sent(&transport)[1],
        format!("GET /v1.0/users/{ID}?$select=id")
    );
}

#[tokio::test]
async fn a_new_object_is_created_once_and_found_several_times() {
    let transport = script("Lead - a - a a a a a");
    let (graph, _) = client(&transport);
    let new = NewUser::new(
        "Adele",
        "adele@contoso.com",
        "adele",
        PasswordProfile::new(PASSWORD),
    );
    let user = graph.users().create(new).settled().await.unwrap();
    assert_eq!(user.id, ID);
    assert!(lead(&user), "the response to the create");
    let requests = sent(&transport);
    assert_eq!(
        requests
            .iter()
            .filter(|line| line.starts_with("POST"))
            .count(),
        1
    );
    assert_eq!(requests[1], format!("GET /v1.0/users/{ID}?$select=id"));
    assert_eq!(transport.remaining(), 0);
}

#[tokio::test]
async fn a_deleted_object_is_gone_when_several_reads_miss_it() {
    let transport = script("a - a - - - - -");
    let (graph, _) = client(&transport);
    graph.user(ID).get().settled().gone().await.unwrap();
    assert_eq!(transport.remaining(), 0);
}

#[tokio::test]
async fn waiting_ends_with_the_budget_and_names_the_last_error() {
    let transport = script(&"- ".repeat(100));
    let (graph, clock) = client(&transport);
    let before = clock.monotonic();
    let settled = graph.user(ID).get().settled();
    let settled = settled.budget(Duration::from_secs(30));
    let error = settled.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSettled);
    assert!(error.is_transient());
    assert_eq!(clock.elapsed(before), Duration::from_secs(30));
    let text = format!("{error:#}");
    assert!(
        text.starts_with(&format!("GET /users/{ID}: not settled after 30.0 s")),
        "{text}"
    );
    assert!(text.contains("Request_ResourceNotFound"), "{text}");

    let transport = script(&"Old ".repeat(100));
    let (graph, clock) = client(&transport);
    let before = clock.monotonic();
    let settled = graph.user(ID).get().settled().until(lead);
    let error = settled.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSettled);
    assert_eq!(clock.elapsed(before), Duration::from_secs(120));
}

#[tokio::test]
async fn errors_that_lag_does_not_cause_end_the_wait_at_once() {
    for settled_before in ["", "a ", "a - "] {
        let transport = script(&format!("{settled_before}x"));
        let (graph, _) = client(&transport);
        let error = graph.user(ID).get().settled().send().await.unwrap_err();
        assert_eq!(error.code(), Some("Authorization_RequestDenied"));
        assert_eq!(transport.remaining(), 0);
    }
    let transport = script("x");
    let (graph, _) = client(&transport);
    let error = graph.user(ID).get().settled().gone().await.unwrap_err();
    assert!(error.is_forbidden());
}

#[tokio::test]
async fn a_lists_links_do_not_count_as_a_difference() {
    let mut transport = ScriptedTransport::new();
    for read in 0..5 {
        let mut page = format!(r#"{{"value":[{{"id":"{ID}"}}],"#);
        let link = "https://graph.microsoft.com/v1.0/users?$skiptoken=";
        write!(page, r#""@odata.nextLink":"{link}{read}"}}"#).unwrap();
        transport = transport.then(200, &[], page);
    }
    let (graph, _) = client(&transport);
    let page = graph.users().list().settled().send().await.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(transport.remaining(), 0);
}

#[tokio::test]
async fn a_write_is_never_repeated_by_a_wait_for_reads() {
    let transport = script("+");
    let (graph, _) = client(&transport);
    let delete = graph.user(ID).delete();
    let error = delete.settled().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
    assert!(transport.requests().is_empty());
}

#[tokio::test]
async fn a_dependent_write_is_sent_again_only_while_its_error_is_lag() {
    let add = |graph: &GraphClient| graph.group("g").members().add(ID);
    let minute = Duration::from_secs(60);

    let transport = script("- - +");
    let (graph, _) = client(&transport);
    add(&graph).send_after_write(minute).await.unwrap();
    assert_eq!(transport.remaining(), 0);

    let transport = script("x +");
    let (graph, _) = client(&transport);
    let error = add(&graph).send_after_write(minute).await.unwrap_err();
    assert!(error.is_forbidden());
    assert_eq!(transport.remaining(), 1);

    let transport = script(&"- ".repeat(100));
    let (graph, clock) = client(&transport);
    let before = clock.monotonic();
    let request = graph.user(ID).get().into_request();
    let error = request.send_after_write(minute).await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(clock.elapsed(before), minute);
}

#[tokio::test]
async fn an_assignment_is_looked_for_in_its_list_as_graph_has_no_read_of_one() {
    let created = format!(
        r#"{{"id":"new","principalDisplayName":"Night job's","principalId":"{ID}","resourceId":"{ID}"}}"#
    );
    let listed = r#"{"value":[{"id":"old"},{"id":"new"}]}"#;
    let lags = r#"{"value":[{"id":"old"}]}"#;
    for (assigned_to, filter) in [
        (true, "principalDisplayName%20eq%20%27Night%20job%27%27s%27"),
        (false, &*format!("resourceId%20eq%20{ID}")),
    ] {
        let mut transport = ScriptedTransport::new().then(201, &[], created.clone());
        for page in [lags, listed, lags, listed, listed, listed, listed, listed] {
            transport = transport.then(200, &[], page);
        }
        let (graph, _) = client(&transport);
        let principal = graph.service_principal(ID);
        let new = NewAppRoleAssignment::default_access(ID, ID);
        let create = match assigned_to {
            true => principal.app_role_assigned_to().create(new),
            false => principal.app_role_assignments().create(new),
        };
        assert_eq!(create.settled().await.unwrap().id, "new");
        assert_eq!(transport.remaining(), 0);
        let requests = sent(&transport);
        let (path, query) = requests[1].split_once('?').unwrap();
        assert!(
            path.starts_with("GET ") && !path.ends_with("/new"),
            "{path}"
        );
        assert!(query.replace('+', "%20").contains(filter), "{query}");
    }
}

#[tokio::test]
async fn an_object_that_was_created_and_cannot_be_read_is_named_by_the_error() {
    let created = || ScriptedTransport::new().then(201, &[], format!(r#"{{"id":"{ID}"}}"#));
    let create = async |transport: ScriptedTransport| {
        let (graph, _) = client(&transport);
        let new = NewGroup::security("Buyers", "buyers");
        let error = graph.groups().create(new).settled().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSettled, "{error}");
        assert_eq!(error.created_id(), Some(ID));
        assert!(format!("{error:#}").contains(ID), "{error:#}");
        error
    };
    let status = |error: &Error| error.status().map(|status| status.as_u16());

    let error = create(created().then(429, &[("retry-after", "3600")], "")).await;
    assert_eq!(status(&error), Some(429));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    // It is not the create that was throttled.
    assert!(!error.is_throttled() && error.is_transient(), "{error}");

    let late = (0..100).fold(created(), |script, _| script.then(404, &[], ABSENT));
    let error = create(late).await;
    assert_eq!(status(&error), Some(404));
    assert!(!error.is_not_found(), "{error}");
    assert!(!error.is_lag(Duration::from_secs(5)), "{error}");

    let error = create(created().then(403, &[], DENIED)).await;
    assert_eq!(status(&error), Some(403));
    assert!(!error.is_forbidden(), "{error}");
}
