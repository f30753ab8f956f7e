//! The types of entra-graph: those that hold credentials by cases, all others by a rule on their sources.

use std::{fs, path::Path};

use entra_core::{ScriptedTransport, StaticCredential, http::Method};
use entra_graph::{
    GraphClient, NewSubscription, User,
    notifications::{Receiver, SubscriptionResource, Supervisor, Wakes},
};

use crate::{
    scan,
    shown::{Shown, behind_proxy, canary, canary_text},
};

pub(crate) async fn cases(shown: &Shown) {
    let credential = || StaticCredential::new(&canary_text("graph-token"));
    let builder = GraphClient::builder(credential()).transport(behind_proxy());
    shown.debug(&builder);
    shown.debug(&builder.build().unwrap());
    let next = format!(
        r#"{{"value":[],"@odata.nextLink":"https://graph.microsoft.com/v1.0/users?$skiptoken={}"}}"#,
        canary_text("next-link")
    );
    let echo = format!(
        r#"{{"error":{{"code":"Request_BadRequest","message":"no"}},"extra":"{}"}}"#,
        canary_text("body")
    );
    let transport = ScriptedTransport::new()
        .then(200, &[], next)
        .then(400, &[], echo);
    let graph = GraphClient::builder(credential())
        .transport(transport)
        .build()
        .unwrap();
    let list = graph.users().list();
    shown.debug(&list);
    let mut pages = list.pages();
    shown.debug(&pages);
    let page = pages.try_next().await.unwrap().unwrap();
    shown.debug(&page);
    shown.debug(&pages.resume_token().unwrap());
    let state = format!(
        r#"{{"value":[],"@odata.deltaLink":"https://graph.microsoft.com/v1.0/users/delta?$deltatoken={}"}}"#,
        canary_text("delta-link")
    );
    let delta = GraphClient::builder(credential())
        .transport(ScriptedTransport::new().then(200, &[], state))
        .build()
        .unwrap()
        .users()
        .delta();
    shown.debug(&delta);
    let mut changes = delta.changes();
    shown.debug(&changes);
    assert!(changes.try_next().await.unwrap().is_none());
    shown.debug(&changes);
    shown.debug(&changes.state().unwrap());
    let get = graph
        .user("33333333-3333-3333-3333-333333333333")
        .get()
        .select(User::DISPLAY_NAME);
    shown.debug(&get);
    shown.error(&get.send().await.unwrap_err());
    notifications(shown, &graph).await;
}

/// Client states, bodies of notifications, and URLs with secrets of their own.
async fn notifications(shown: &Shown, graph: &GraphClient) {
    let url = format!(
        "https://app.example.com/notifications?key={}",
        canary_text("query")
    );
    let new = NewSubscription::new(SubscriptionResource::users(), &*url, canary("client-state"));
    shown.debug(&new);
    shown.debug(&graph.subscribe(new.clone()));
    let builder = Receiver::builder(canary("client-state"));
    shown.debug(&builder);
    let receiver = builder.build().unwrap();
    shown.debug(&receiver);
    let body = format!(
        r#"{{"value":[{{"subscriptionId":"1","clientState":"{}","changeType":"updated","resource":"users"}},7]}}"#,
        canary_text("client-state")
    );
    let received = receiver.respond(&Method::POST, None, body.clone().into());
    shown.debug(&received);
    let delivery = received.delivery.unwrap();
    shown.debug(&delivery);
    shown.debug(&receiver.verify(&delivery).await.unwrap());
    let (endpoint, mut notifications) = receiver.into_queue();
    let response = endpoint.respond(&Method::POST, None, body.into());
    assert_eq!(response.status(), 202);
    shown.debug(&endpoint);
    shown.debug(&notifications);
    shown.debug(&notifications.next().await.unwrap());
    let supervisor = Supervisor::new(graph, [new]).unwrap();
    shown.debug(&supervisor);
    shown.debug(&supervisor.state());
    let wakes = Wakes::new(graph, notifications).supervisor(supervisor);
    shown.debug(&wakes);
}

/// A property or field with a name like this is a `Secret`, or no text of its own.
const SECRETIVE: [&str; 8] = [
    "password",
    "secret_text",
    "client_secret",
    "access_token",
    "refresh_token",
    "private_key",
    "client_state",
    "credential",
];

#[test]
fn every_secret_field_of_a_graph_type_is_a_secret() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../entra-graph/src");
    let mut files = vec![source];
    let (mut found, mut judged) = (Vec::new(), 0);
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        for (name, of) in scan::typed_names(&fs::read_to_string(&path).unwrap()) {
            judged += 1;
            let is_secretive = SECRETIVE.iter().any(|secret| name == *secret);
            let is_text = ["String", "str", "u8", "Bytes", "Value", "Json"]
                .iter()
                .any(|text| of.contains(text));
            if is_secretive && is_text {
                found.push(format!("{}: {name}: {of}", path.display()));
            }
        }
    }
    assert!(judged > 500, "the fields are read: {judged}");
    assert!(found.is_empty(), "make it a `Secret`: {found:#?}");
    let types = scan::public_types("entra-graph");
    assert!(types.len() > 30, "{types:#?}");
}
