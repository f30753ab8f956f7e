//! Paging: a list returns every item exactly once or fails, for all forms of pages.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use entra_core::{HttpTransport, ScriptedTransport, TransportError};
use entra_graph::{DirectoryObject, ErrorKind, IntoRequest, ResumeToken, User};
use futures_util::{StreamExt, TryStreamExt};
use proptest::prelude::*;

use crate::{
    scripts::{ROOT, client, is_advanced},
    support::block_on,
};

/// A server of pages, each with its own fault.
#[derive(Clone, Debug)]
struct Server {
    pages: Vec<Faulty>,
    served: Arc<Mutex<Served>>,
}

#[derive(Debug, Default)]
struct Served {
    pages: Vec<usize>,
    /// The URL of the first page, which has no number.
    first: String,
}

#[derive(Clone, Debug)]
struct Faulty {
    items: usize,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// The next link points to an earlier page or to this one.
    LoopTo(usize),
    ForeignLink,
    /// Another scheme, port or a look-alike host.
    LookAlike(usize),
    BrokenLink,
    /// A status that is not retried.
    Rejected,
    /// Retryable statuses, this many times.
    Busy(usize),
    /// The first response to this page is cut in the middle.
    Truncated,
    /// A success without a list.
    NoList,
}

impl Server {
    fn page(&self, number: usize, before: usize, first_page: &str) -> (u16, String) {
        let page = &self.pages[number];
        let first: usize = self.pages[..number].iter().map(|page| page.items).sum();
        let items: Vec<String> = (first..first + page.items)
            .map(|id| format!(r#"{{"id":"{id}"}}"#))
            .collect();
        let next = match page.fault {
            Fault::LoopTo(target) => match target.min(number) {
                0 => Some(first_page.to_owned()),
                target => Some(format!("{ROOT}/users?page={target}")),
            },
            Fault::ForeignLink => Some("https://evil.example/v1.0/users?page=1".to_owned()),
            Fault::LookAlike(which) => Some(
                [
                    "http://graph.example.com/v1.0/users?page=1",
                    "https://graph.example.com:444/v1.0/users?page=1",
                    "https://graph.example.com.evil.example/v1.0/users?page=1",
                    "https://graph.example.com@evil.example/v1.0/users?page=1",
                ][which % 4]
                    .to_owned(),
            ),
            Fault::BrokenLink => Some("/users?page=1".to_owned()),
            _ if number + 1 < self.pages.len() => Some(format!("{ROOT}/users?page={}", number + 1)),
            _ => None,
        };
        let link = next
            .map(|next| format!(r#","@odata.nextLink":"{next}""#))
            .unwrap_or_default();
        let body = format!(r#"{{"value":[{}]{link}}}"#, items.join(","));
        match page.fault {
            Fault::Rejected => (400, String::new()),
            Fault::Busy(times) if before < times => (503, "<html>busy</html>".to_owned()),
            Fault::Truncated if before == 0 => (200, body[..body.len() / 2].to_owned()),
            Fault::NoList => (200, r#"{"error":{"code":"x"}}"#.to_owned()),
            _ => (200, body),
        }
    }

    fn total(&self) -> usize {
        self.pages.iter().map(|page| page.items).sum()
    }

    /// Whether a client can read all items without an error.
    fn is_sound(&self) -> bool {
        self.pages
            .iter()
            .all(|page| matches!(page.fault, Fault::None | Fault::Busy(_)))
    }
}

#[async_trait]
impl HttpTransport for Server {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        assert_eq!(
            request.uri().host(),
            Some("graph.example.com"),
            "a token left the host"
        );
        assert_eq!(request.uri().port_u16(), None);
        assert!(
            is_advanced(&request),
            "a page lost the header of the first one"
        );
        let query = request.uri().query().unwrap_or_default();
        let number = query
            .strip_prefix("page=")
            .map_or(0, |number| number.parse().unwrap());
        let (before, first) = {
            let mut served = self.served.lock().unwrap();
            if number == 0 {
                served.first = request.uri().to_string();
            }
            let before = served.pages.iter().filter(|&&page| page == number).count();
            served.pages.push(number);
            (before, served.first.clone())
        };
        let (status, body) = self.page(number, before, &first);
        Ok(http::Response::builder()
            .status(status)
            .body(Bytes::from(body))
            .unwrap())
    }
}

fn faults() -> impl Strategy<Value = Fault> {
    prop_oneof![
        12 => Just(Fault::None),
        2 => (0..3_usize).prop_map(Fault::Busy),
        1 => (0..4_usize).prop_map(Fault::LoopTo),
        1 => Just(Fault::ForeignLink),
        1 => (0..4_usize).prop_map(Fault::LookAlike),
        1 => Just(Fault::BrokenLink),
        1 => Just(Fault::Rejected),
        1 => Just(Fault::Truncated),
        1 => Just(Fault::NoList),
    ]
}

fn servers() -> impl Strategy<Value = Server> {
    let page = (prop_oneof![Just(0), 0..6_usize], faults())
        .prop_map(|(items, fault)| Faulty { items, fault });
    prop::collection::vec(page, 1..8).prop_map(|pages| Server {
        pages,
        served: Arc::default(),
    })
}

/// All items of a stream, and the error that ended it.
async fn drain(
    mut items: entra_graph::Items<User>,
) -> (Vec<String>, Option<entra_graph::Error>, Option<ResumeToken>) {
    let mut seen = Vec::new();
    let mut failure = None;
    while let Some(item) = items.next().await {
        match item {
            Ok(user) => seen.push(user.id),
            Err(error) => {
                assert!(failure.is_none(), "a stream ends with its first error");
                failure = Some(error);
            }
        }
    }
    assert!(items.next().await.is_none());
    let token = items.resume_token();
    (seen, failure, token)
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|id| id.to_string()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_item_is_returned_once_or_the_list_fails(server in servers()) {
        block_on(async {
            let graph = client(server.clone());
            let (seen, failure, token) = drain(graph.users().list().count().items()).await;
            prop_assert_eq!(&seen, &ids(seen.len()), "in order, none twice");
            match failure {
                None => {
                    prop_assert_eq!(seen.len(), server.total());
                    prop_assert!(token.is_none());
                }
                Some(error) => {
                    prop_assert!(!server.is_sound(), "{}", error);
                    prop_assert!(token.is_some() || error.kind() == ErrorKind::PageLoop);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_list_can_be_resumed_at_any_item(server in servers(), stop in 0..40_usize) {
        block_on(async {
            let graph = client(server.clone());
            let mut items = graph.users().list().count().items();
            let mut seen = Vec::new();
            while seen.len() < stop {
                match items.next().await {
                    Some(Ok(user)) => seen.push(user.id),
                    _ => break,
                }
            }
            let Some(token) = items.resume_token() else {
                return Ok(());
            };
            let stored = serde_json::to_string(&token).unwrap();
            let token: ResumeToken = serde_json::from_str(&stored).unwrap();
            let resumed = match graph.resume::<User>(&token) {
                Ok(items) => items,
                Err(error) => {
                    prop_assert_eq!(error.kind(), ErrorKind::Policy);
                    return Ok(());
                }
            };
            let (rest, failure, _) = drain(resumed).await;
            let looped = failure.as_ref().is_some_and(|error| error.kind() == ErrorKind::PageLoop);
            seen.extend(rest);
            if failure.is_none() {
                prop_assert_eq!(&seen, &ids(server.total()));
            } else if !looped {
                prop_assert_eq!(&seen, &ids(seen.len()));
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn pages_and_items_implement_stream() {
    let body = format!(r#"{{"value":[{{"id":"1"}}],"@odata.nextLink":"{ROOT}/users?p=2"}}"#);
    let script = ScriptedTransport::new()
        .then(200, &[], body.clone())
        .then(200, &[], r#"{"value":[{"id":"2"}]}"#)
        .then(200, &[], body)
        .then(200, &[], r#"{"value":[{"id":"2"}]}"#);
    let graph = client(script);
    let ids: Vec<String> = graph
        .users()
        .list()
        .items()
        .map_ok(|user| user.id)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(ids, ["1", "2"]);
    let pages = graph.users().list().pages().collect::<Vec<_>>().await;
    assert_eq!(pages.len(), 2);
    fn sendable<T: Send + Unpin + 'static>(_: &T) {}
    sendable(&graph.users().list().items());
    sendable(&graph.users().list().pages());
}

#[tokio::test]
async fn dropping_a_pending_next_loses_nothing() {
    let script = ScriptedTransport::new().then(200, &[], r#"{"value":[{"id":"1"},{"id":"2"}]}"#);
    let mut items = client(script.clone()).users().list().items();
    {
        let waiting = items.next();
        drop(waiting);
    }
    assert_eq!(items.try_next().await.unwrap().unwrap().id, "1");
    assert_eq!(items.try_next().await.unwrap().unwrap().id, "2");
    assert!(items.try_next().await.unwrap().is_none());
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn pages_are_read_one_by_one_up_to_the_last() {
    let page = |ids: &str, next: &str| format!(r#"{{"value":[{ids}]{next}}}"#);
    let next = format!(r#","@odata.nextLink":"{ROOT}/users?page=2""#);
    let script = ScriptedTransport::new()
        .then(200, &[], page(r#"{"id":"1"},{"id":"2"}"#, &next))
        .then(200, &[], page(r#"{"id":"3"}"#, ""));
    let mut pages = client(script).users().list().pages();
    let first = pages.try_next().await.unwrap().unwrap();
    assert!(!first.is_last());
    let ids: Vec<&str> = (&first).into_iter().map(|user| user.id.as_str()).collect();
    assert_eq!(ids, ["1", "2"]);
    assert!(pages.resume_token().is_some());
    let last = pages.try_next().await.unwrap().unwrap();
    assert!(last.is_last());
    assert_eq!(last.items[0].id, "3");
    assert!(pages.try_next().await.unwrap().is_none());
    assert_eq!(pages.resume_token(), None);
}

#[tokio::test]
async fn a_header_of_the_caller_never_replaces_the_token() {
    let script = ScriptedTransport::new().then(200, &[], "{}");
    let request = client(script.clone()).user("a").get().into_request();
    let other = http::HeaderValue::from_static("Bearer other");
    let request = request.header(http::header::AUTHORIZATION, other);
    request.send().await.unwrap();
    assert_eq!(
        script.requests()[0].headers()["authorization"],
        "Bearer token"
    );
}

#[tokio::test]
async fn a_resume_token_is_valid_for_its_own_type_and_host_only() {
    let body = format!(r#"{{"value":[{{"id":"1"}}],"@odata.nextLink":"{ROOT}/users?secret"}}"#);
    let script = ScriptedTransport::new().then(200, &[], body);
    let graph = client(script);
    let mut items = graph.users().list().items();
    items.try_next().await.unwrap();
    let token = items.resume_token().unwrap();
    assert!(!format!("{token:?}").contains("secret"));
    let error = graph.resume::<DirectoryObject>(&token).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);

    let stored = serde_json::to_string(&token).unwrap();
    let moved: ResumeToken =
        serde_json::from_str(&stored.replace("graph.example.com", "evil.example")).unwrap();
    let error = graph.resume::<User>(&moved).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Policy);
    let newer: ResumeToken =
        serde_json::from_str(&stored.replace(r#""version":3"#, r#""version":4"#)).unwrap();
    assert!(
        graph
            .resume::<User>(&newer)
            .unwrap_err()
            .to_string()
            .contains("version 4")
    );
}

#[tokio::test]
async fn an_error_of_a_list_names_the_page_and_the_number_of_items() {
    let page = |next: &str| {
        format!(
            r#"{{"value":[{{"id":"1"}},{{"id":"2"}}],"@odata.nextLink":"{ROOT}/users?$skiptoken={next}"}}"#
        )
    };
    let busy = r#"{"error":{"code":"TooManyRequests","message":"Too many requests"}}"#;
    let mut script = ScriptedTransport::new()
        .then(200, &[], page("a"))
        .then(200, &[], page("b"));
    for _ in 0..20 {
        script = script.then(429, &[], busy);
    }
    let graph = client(script.clone());
    let error = graph
        .users()
        .list()
        .items()
        .try_collect::<Vec<User>>()
        .await;
    let error = error.unwrap_err();
    let progress = error.list_progress().unwrap();
    assert_eq!((progress.page, progress.items), (3, 4));
    let tries = error.tries().unwrap();
    assert_eq!(usize::try_from(tries).unwrap() + 2, script.requests().len());
    assert!(error.elapsed().unwrap() > std::time::Duration::from_secs(10));
    let text = error.to_string();
    assert!(
        text.contains("page 3 of the list failed, after 4 items"),
        "{text}"
    );
    assert!(text.contains(&format!("({tries} tries in ")), "{text}");
}

#[tokio::test]
async fn a_page_beyond_the_clients_limit_is_an_error_of_its_own_and_not_retried() {
    let body = r#"{"value":[{"id":"1"}]}"#;
    let script = ScriptedTransport::new()
        .then(200, &[], body)
        .then(200, &[], body);
    let of = |limit: usize| {
        let cloud =
            entra_core::Cloud::custom("https://login.example.com", "https://graph.example.com");
        entra_graph::GraphClient::builder(entra_core::StaticCredential::new("token"))
            .cloud(cloud.unwrap())
            .transport(script.clone())
            .response_limit(u64::try_from(limit).unwrap())
            .build()
            .unwrap()
    };
    let users = of(body.len() - 1).users().list();
    let error = users.items().try_collect::<Vec<User>>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResponseTooLarge);
    assert_eq!(script.requests().len(), 1);
    let users = of(body.len()).users().list().items();
    assert_eq!(users.try_collect::<Vec<User>>().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_link_that_leads_back_is_an_error_of_the_page_it_leads_to() {
    let body = format!(r#"{{"value":[{{"id":"1"}}],"@odata.nextLink":"{ROOT}/users?p=2"}}"#);
    let script = ScriptedTransport::new()
        .then(200, &[], body.clone())
        .then(200, &[], body);
    let mut items = client(script).users().list().items();
    for _ in 0..2 {
        assert_eq!(items.try_next().await.unwrap().unwrap().id, "1");
    }
    let error = items.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PageLoop);
    let progress = error.list_progress().unwrap();
    assert_eq!((progress.page, progress.items), (3, 2));
}

#[tokio::test]
async fn a_page_gives_its_items_away_and_debug_says_how_far_a_list_is() {
    let body = format!(r#"{{"value":[{{"id":"one"}}],"@odata.nextLink":"{ROOT}/users?p=2"}}"#);
    let script = ScriptedTransport::new()
        .then(200, &[], body.clone())
        .then(200, &[], body);
    let graph = client(script);
    let mut pages = graph.users().list().pages();
    let page = pages.try_next().await.unwrap().unwrap();
    let text = format!("{page:?}");
    assert!(
        text.contains("one") && text.contains("is_last: false"),
        "{text}"
    );
    let ids: Vec<String> = page.into_iter().map(|user| user.id).collect();
    assert_eq!(ids, ["one"]);
    let text = format!("{pages:?}");
    assert!(
        text.contains("user-list") && text.contains("fetched: 1"),
        "{text}"
    );
    let mut items = graph.users().list().items();
    items.try_next().await.unwrap();
    let text = format!("{items:?}");
    assert!(text.contains("taken: 1"), "{text}");
    let text = format!("{:?}", items.resume_token().unwrap());
    assert!(
        text.contains("ResumeToken") && text.contains("user-list"),
        "{text}"
    );
}
