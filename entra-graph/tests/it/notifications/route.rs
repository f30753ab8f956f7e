//! The route for axum, over HTTP on loopback.

use entra_core::{HttpTransport as _, ReqwestTransport, bytes::Bytes, http::Request};
use entra_graph::notifications::{NotificationEvent, Notifications};

use super::publisher::{basic, body, builder};

async fn serve(limit: usize) -> (String, Notifications) {
    let receiver = builder().body_limit(limit).build().unwrap();
    let (endpoint, notifications) = receiver.into_queue();
    let app: axum::Router = endpoint.route("/notifications");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notifications", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, notifications)
}

async fn send(method: &str, url: &str, body: impl Into<Bytes>) -> (u16, String, String) {
    let request = Request::builder()
        .method(method)
        .uri(url)
        .body(body.into())
        .unwrap();
    let response = ReqwestTransport::builder()
        .build()
        .send(request)
        .await
        .unwrap();
    let kind = response.headers().get("content-type");
    let kind = kind.map_or("", |kind| kind.to_str().unwrap()).to_owned();
    let text = String::from_utf8(response.body().to_vec()).unwrap();
    (response.status().as_u16(), kind, text)
}

#[tokio::test]
async fn the_route_responds_to_handshakes_and_notifications() {
    let (url, mut notifications) = serve(2_000).await;
    let handshake = send(
        "POST",
        &format!("{url}?validationToken=Validation%3A+1"),
        "",
    )
    .await;
    assert_eq!(
        handshake,
        (
            200,
            "text/plain; charset=utf-8".to_owned(),
            "Validation: 1".to_owned()
        )
    );
    assert_eq!(send("POST", &url, body(&[basic()])).await.0, 202);
    assert!(matches!(
        notifications.next().await,
        Some(NotificationEvent::Change(_))
    ));
    assert_eq!(send("GET", &url, "").await.0, 405);
    assert_eq!(send("POST", &url, "{").await.0, 400);
    assert_eq!(send("POST", &url, vec![b' '; 2_001]).await.0, 413);
    assert_eq!(
        send("POST", &url, body(&[basic()])).await.0,
        202,
        "it still works"
    );
    assert_eq!(notifications.counts().too_large, 1);
}
