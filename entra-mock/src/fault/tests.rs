use super::{
    effect::{MARKER, NEXT_LINK},
    *,
};
use crate::wire::Delivery;

fn request(query: Option<&str>) -> WireRequest {
    WireRequest {
        method: "GET".into(),
        path: "/v1.0/users".into(),
        query: query.map(Into::into),
        headers: Vec::new(),
        body: Vec::new(),
        base: "http://localhost:1".into(),
        handshakes: Vec::new(),
    }
}

fn page(next: Option<&str>) -> Reply {
    let mut body = serde_json::json!({ "value": [1, 2] });
    if let Some(next) = next {
        body[NEXT_LINK] = next.into();
    }
    Reply::json(200, &body)
}

/// The status of each request if only the fault decides.
fn statuses(faults: &mut Faults, queries: &[Option<&str>]) -> Vec<u16> {
    queries
        .iter()
        .map(|query| {
            let mut request = request(*query);
            let planned = faults.plan(&mut request);
            let status = planned
                .replacement(&request)
                .map_or(200, |reply| reply.status);
            faults.finish(&planned, status);
            status
        })
        .collect()
}

fn with(fault: Fault) -> Faults {
    let mut faults = Faults::default();
    faults.inject(fault);
    faults
}

fn next_link(reply: &Reply) -> String {
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    body[NEXT_LINK].as_str().unwrap().to_owned()
}

const NEXT: Option<&str> = Some("$skiptoken=x");

#[test]
fn a_fault_without_a_limit_applies_to_every_request() {
    assert_eq!(
        statuses(
            &mut with(Fault::on("/users").status(500)),
            &[None, NEXT, None]
        ),
        [500, 500, 500]
    );
    assert_eq!(
        statuses(&mut with(Fault::on("/groups").status(500)), &[None, NEXT]),
        [200, 200]
    );
}

#[test]
fn the_nth_request_fails_once_or_the_given_number_of_times() {
    assert_eq!(
        statuses(&mut with(Fault::on_any().nth(2).status(429)), &[None; 4]),
        [200, 429, 200, 200]
    );
    assert_eq!(
        statuses(
            &mut with(Fault::on_any().nth(2).times(2).status(429)),
            &[None; 4]
        ),
        [200, 429, 429, 200]
    );
    assert_eq!(
        statuses(&mut with(Fault::on_any().status(429).times(1)), &[None; 3]),
        [429, 200, 200]
    );
}

#[test]
fn a_page_fails_again_when_it_is_requested_again() {
    let mut faults = with(Fault::on("/users").page(2).status(503));
    assert_eq!(statuses(&mut faults, &[None, NEXT, NEXT]), [200, 503, 503]);
    // A new first page starts the count again.
    assert_eq!(statuses(&mut faults, &[None, NEXT]), [200, 503]);
    let mut once = with(Fault::on("/users").page(2).times(1).status(503));
    assert_eq!(
        statuses(&mut once, &[None, NEXT, NEXT, NEXT]),
        [200, 503, 200, 200]
    );
}

#[test]
fn an_empty_page_links_to_the_page_after_it() {
    let mut faults = with(Fault::on("/users").empty_page());
    let mut requested = request(NEXT);
    let planned = faults.plan(&mut requested);
    let link = next_link(&planned.replacement(&requested).unwrap());
    faults.finish(&planned, 200);
    assert_eq!(
        link,
        format!("http://localhost:1/v1.0/users?$skiptoken=x&{MARKER}")
    );

    let mut again = request(link.split_once('?').map(|(_, query)| query));
    let planned = faults.plan(&mut again);
    assert!(
        planned.replacement(&again).is_none(),
        "the page itself is delivered"
    );
    assert_eq!(
        again.query.as_deref(),
        NEXT,
        "and the tenant never sees the mark"
    );
}

#[test]
fn next_links_repeat_the_page_or_lead_to_another_origin() {
    let requested = request(NEXT);
    let reply = with(Fault::on_any().repeat_next_link())
        .plan(&mut request(NEXT))
        .change(
            &requested,
            page(Some("http://localhost:1/v1.0/users?$skiptoken=y")),
        );
    assert_eq!(
        next_link(&reply),
        "http://localhost:1/v1.0/users?$skiptoken=x"
    );
    let mut foreign = with(Fault::on_any().foreign_next_link("https://evil.example/"));
    let reply = foreign.plan(&mut request(NEXT)).change(
        &requested,
        page(Some("http://localhost:1/v1.0/users?$skiptoken=y")),
    );
    assert_eq!(
        next_link(&reply),
        "https://evil.example/v1.0/users?$skiptoken=y"
    );
    let reply = foreign
        .plan(&mut request(NEXT))
        .change(&requested, page(None));
    assert_eq!(next_link(&reply), "https://evil.example/v1.0/users");
}

#[test]
fn sign_in_faults_have_a_sign_in_body() {
    let mut token = request(None);
    token.path = "/contoso.com/oauth2/v2.0/token".into();
    let reply = with(Fault::on("/token").status_with_retry_after(429, "2.128"))
        .plan(&mut token)
        .replacement(&token)
        .unwrap();
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["error"], "temporarily_unavailable");
    assert!(reply.headers.contains(&("retry-after", "2.128".into())));
}

#[test]
fn a_percentage_of_the_requests_fails_evenly_spread() {
    let mut faults = with(Fault::on_any().percent(30).status(503));
    let failed: Vec<usize> = statuses(&mut faults, &[None; 20])
        .iter()
        .enumerate()
        .filter(|(_, status)| **status == 503)
        .map(|(at, _)| at + 1)
        .collect();
    assert_eq!(failed, [4, 7, 10, 14, 17, 20]);
    let never = statuses(
        &mut with(Fault::on_any().percent(0).status(503)),
        &[None; 9],
    );
    assert_eq!(never, [200; 9]);
    let always = statuses(
        &mut with(Fault::on_any().percent(100).status(503)),
        &[None; 3],
    );
    assert_eq!(always, [503; 3]);
}

#[test]
fn a_fault_on_an_operation_matches_no_other_path() {
    assert_eq!(
        statuses(
            &mut with(Fault::on_operation("GET /users").status(500)),
            &[None]
        ),
        [500]
    );
    for other in ["POST /users", "GET /users/{id}", "/groups"] {
        let mut faults = with(Fault::on_operation(other).status(500));
        assert_eq!(statuses(&mut faults, &[None]), [200], "{other}");
    }
}

#[test]
fn faults_of_delivery_leave_the_body_as_it_is() {
    use std::time::Duration;

    let changed = |fault: Fault| {
        with(fault)
            .plan(&mut request(None))
            .change(&request(None), page(None))
    };
    let typed = changed(Fault::on_any().content_type("text/html"));
    let types: Vec<_> = typed
        .headers
        .iter()
        .filter(|(name, _)| *name == "content-type")
        .collect();
    assert_eq!(types, [&("content-type", "text/html".into())]);
    assert_eq!(typed.body, page(None).body);
    let slow = changed(Fault::on_any().trickle(Duration::from_millis(5)));
    assert_eq!(slow.delivery, Delivery::Trickle(Duration::from_millis(5)));
    assert_eq!(
        changed(Fault::on_any().reset_connection()).delivery,
        Delivery::Reset
    );
}

#[test]
fn stale_keys_lack_the_newest_one() {
    let keys = Reply::json(
        200,
        &serde_json::json!({ "keys": [{ "kid": "a" }, { "kid": "b" }] }),
    );
    let reply = with(Fault::on_any().stale_keys())
        .plan(&mut request(None))
        .change(&request(None), keys);
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body, serde_json::json!({ "keys": [{ "kid": "a" }] }));
    let reply = with(Fault::on_any().stale_keys())
        .plan(&mut request(None))
        .change(&request(None), page(None));
    assert_eq!(reply.body, page(None).body);
}

#[cfg(feature = "server")]
#[test]
fn a_fault_is_removed_by_its_id() {
    let mut faults = Faults::default();
    let first = faults.inject_described(Fault::on_any().status(500), Value::Null);
    let second = faults.inject_described(Fault::on_any().status(503), "second".into());
    assert_eq!(statuses(&mut faults, &[None]), [500]);
    assert!(faults.remove(first) && !faults.remove(first));
    assert_eq!(statuses(&mut faults, &[None, None]), [503, 503]);
    let listed: Vec<_> = faults.list().collect();
    assert_eq!(listed, [(second, &Value::from("second"), 3, 2)]);
}
