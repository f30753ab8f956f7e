//! Change notifications.

use entra_core::http::Method;
use entra_graph::{
    GraphClient, NewSubscription,
    notifications::{NotificationEvent, Receiver, SubscriptionResource, Supervisor, Wakes},
};

use crate::shown::{Shown, canary, canary_text};

/// Client states, bodies of notifications, and URLs with secrets of their own.
pub(super) async fn cases(shown: &Shown, graph: &GraphClient) {
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
    let verified = receiver.verify(&delivery).await.unwrap();
    shown.debug(&verified);
    for event in &verified.accepted {
        shown.debug(event);
        if let NotificationEvent::Change(change) = event {
            shown.debug(change);
        }
    }
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
