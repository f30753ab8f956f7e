//! Any request to the endpoint: a line with method and query, such as `POST ?validationToken=a`, and the body below it.
#![no_main]

use entra_core::{bytes::Bytes, http::Method, url::form_urlencoded};
use entra_graph::notifications::{NotificationEvent, Received, Verified};
use entra_graph_fuzz::{
    AWAY, CLIENT_STATE, check_accepted, check_rejections, check_setup, receiver, run,
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(init: check_setup(), |request: &[u8]| {
    let end = request.iter().position(|byte| *byte == b'\n').unwrap_or(request.len());
    let (head, body) = (&request[..end], request.get(end + 1..).unwrap_or_default());
    let Ok(head) = std::str::from_utf8(head) else { return };
    let (method, query) = match head.split_once('?') {
        Some((method, query)) => (method, Some(query)),
        None => (head, None),
    };
    let Ok(method) = Method::from_bytes(method.trim().as_bytes()) else { return };

    let receiver = receiver();
    let received = receiver.respond(&method, query, Bytes::copy_from_slice(body));
    check_response(&received, &method, query);
    let Some(delivery) = received.delivery else { return };
    assert_eq!(format!("{delivery:?}"), format!("Delivery({} bytes)", body.len()));
    let verified = match run(receiver.verify(&delivery)) {
        Ok(verified) => verified,
        Err(error) => {
            assert!(error.is_transient(), "{error}");
            assert!(text_of(body).contains(AWAY) || text_of(body).contains('\\'));
            return;
        }
    };
    check_rejections(&verified);
    check_accepted(&verified.accepted, body);
    if let Ok(body) = serde_json::from_slice::<Value>(body) {
        let items = body["value"].as_array().map(Vec::len);
        assert_eq!(items, Some(verified.accepted.len() + verified.rejected_count()));
    }
    if !verified.accepted.is_empty() {
        assert!(text_of(body).contains(CLIENT_STATE) || text_of(body).contains('\\'));
    }
    check_again(&verified, &run(receiver.verify(&delivery)).expect("as before"));
});

fn text_of(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

fn check_response(received: &Received, method: &Method, query: Option<&str>) {
    let (status, headers) = (
        received.response.status().as_u16(),
        received.response.headers(),
    );
    assert_eq!(received.delivery.is_some(), status == 202);
    assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(status == 405, *method != Method::POST);
    let body = std::str::from_utf8(received.response.body()).expect("plain text");
    assert!(
        !body.contains(['<', '>', '"', '\'']) && !body.chars().any(char::is_control),
        "{body:?}"
    );
    let tokens: Vec<String> = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .filter(|(name, _)| name == "validationToken")
        .map(|(_, token)| token.into_owned())
        .collect();
    match status {
        200 => {
            let shown = body
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&");
            assert_eq!(tokens, [shown]);
        }
        202 => assert!(tokens.is_empty() && body.is_empty()),
        400 | 405 | 413 => {}
        other => panic!("a response with {other}"),
    }
}

/// A delivery that comes again has nothing new but what has no identity: lifecycle events and notifications without an id.
fn check_again(first: &Verified, second: &Verified) {
    assert!(second.accepted.len() <= first.accepted.len());
    for event in &second.accepted {
        if let NotificationEvent::Change(change) = event {
            assert!(change.content.is_none(), "resource data was accepted twice");
        }
    }
}
