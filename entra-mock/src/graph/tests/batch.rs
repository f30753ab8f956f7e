use super::*;
use crate::fault::Fault;

fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&["Group.ReadWrite.All", "User.ReadWrite.All"]);
    fixture
}

fn send(fixture: &Fixture, requests: Value) -> Response {
    let mut body = json!({});
    body["requests"] = requests;
    fixture.post("/$batch", &body)
}

fn item(name: &str, method: &str, url: &str, body: Value, depends_on: &[&str]) -> Value {
    let headers = json!({"Content-Type": "application/json"});
    let mut item = json!({"id": name, "method": method, "url": url, "dependsOn": depends_on, "headers": headers});
    item["body"] = body;
    item
}

/// Id and status of each response, in the order of the response.
fn statuses(response: &Response) -> Vec<(String, u64)> {
    let responses = response.body["responses"].as_array().unwrap();
    responses
        .iter()
        .map(|item| {
            (
                item["id"].as_str().unwrap().to_owned(),
                item["status"].as_u64().unwrap(),
            )
        })
        .collect()
}

fn pairs(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected
        .iter()
        .map(|(name, status)| ((*name).to_owned(), *status))
        .collect()
}

#[test]
fn a_write_runs_before_its_dependents() {
    let fixture = fixture();
    let user = format!("/users/{}", id(ADELE));
    let response = send(
        &fixture,
        json!([
            item("read", "GET", &user, Value::Null, &["Write"]),
            item("write", "PATCH", &user, json!({"jobTitle": "Lead"}), &[]),
        ]),
    );
    assert_eq!(statuses(&response), pairs(&[("write", 204), ("read", 200)]));
    assert_eq!(response.body["responses"][1]["body"]["jobTitle"], "Lead");
}

#[test]
fn dependents_of_a_failed_request_return_424() {
    let fixture = fixture();
    let user = format!("/users/{}", id(ADELE));
    let response = send(
        &fixture,
        json!([
            item("1", "PATCH", &user, json!({"nope": 1}), &[]),
            item("2", "PATCH", &user, json!({"jobTitle": "Lead"}), &["1"]),
            item("3", "PATCH", &user, json!({"jobTitle": "Lead"}), &["2"]),
            item("4", "PATCH", &user, json!({"city": "Graz"}), &[]),
        ]),
    );
    assert_eq!(
        statuses(&response),
        pairs(&[("1", 400), ("2", 424), ("3", 424), ("4", 204)])
    );
    let read = fixture.get(&format!("{user}?$select=jobTitle,city"));
    assert_eq!(
        (&read.body["jobTitle"], &read.body["city"]),
        (&json!("Engineer"), &json!("Graz"))
    );
}

#[test]
fn a_malformed_batch_changes_nothing() {
    let fixture = fixture();
    let user = format!("/users/{}", id(ADELE));
    let good = item("1", "PATCH", &user, json!({"jobTitle": "Lead"}), &[]);
    let many: Vec<Value> = (0..21)
        .map(|n| item(&n.to_string(), "GET", &user, Value::Null, &[]))
        .collect();
    for requests in [
        json!([]),
        json!(many),
        json!([good, item("1", "GET", &user, Value::Null, &[])]),
        json!([
            good,
            item("A", "GET", &user, Value::Null, &[]),
            item("a", "GET", &user, Value::Null, &[])
        ]),
        json!([good, item("2", "GET", &user, Value::Null, &["7"])]),
        json!([good, item("2", "GET", &user, Value::Null, &["2"])]),
        json!([
            good,
            item("2", "GET", &user, Value::Null, &["3"]),
            item("3", "GET", &user, Value::Null, &["2"])
        ]),
        json!([good, {"id": "2", "method": "GET"}]),
        json!([good, {"id": "2", "method": "GET", "url": user, "dependsOn": "1"}]),
        json!([good, item("2", "POST", "/$batch", json!({}), &[])]),
        json!([good, {"id": "2", "method": "PATCH", "url": user, "body": {"city": "Graz"}}]),
        json!([good, {"id": "2", "method": "PATCH", "url": user, "headers": {"Accept": "*/*"}, "body": {"city": "Graz"}}]),
    ] {
        let before = fixture.snapshot();
        let response = send(&fixture, requests.clone());
        assert_eq!(response.status, 400, "{requests}");
        assert_eq!(fixture.snapshot(), before, "{requests}");
    }
}

#[test]
fn a_relative_url_with_a_version_names_no_resource() {
    let fixture = fixture();
    let get = |name: &str, url: &str| item(name, "GET", url, Value::Null, &[]);
    let response = send(
        &fixture,
        json!([
            get("1", "/v1.0/groups"),
            get("2", "v1.0/groups"),
            get("3", "/beta/groups?$top=1"),
            get("4", "https://graph.microsoft.com/v1.0//groups"),
        ]),
    );
    assert_eq!(
        statuses(&response),
        pairs(&[("1", 400), ("2", 400), ("3", 400), ("4", 200)])
    );
    let error = &response.body["responses"][0]["body"]["error"];
    assert_eq!(error["code"], "BadRequest");
    assert_eq!(
        error["message"],
        "Resource not found for the segment 'v1.0'."
    );
    // A Graph root that has the version twice.
    let twice = fixture.get("/v1.0/users");
    assert_eq!((twice.status, twice.error().1), (400, "BadRequest"));
}

#[test]
fn twenty_creates_in_one_batch_all_happen() {
    let fixture = fixture();
    let requests: Vec<Value> = (0..20)
        .map(|number| {
            let group = json!({"displayName": format!("G{number}"), "mailEnabled": false, "mailNickname": "g", "securityEnabled": true});
            item(&number.to_string(), "POST", "/groups", group, &[])
        })
        .collect();
    let response = send(&fixture, json!(requests));
    assert!(
        statuses(&response).iter().all(|(_, status)| *status == 201),
        "{}",
        response.text
    );
    assert_eq!(fixture.get("/groups").all("id").len(), 22);
}

#[test]
fn an_invalid_base64_body_fails_the_whole_batch() {
    let fixture = fixture();
    let url = format!("/users/{}/photo/$value", id(ADELE));
    let photo = json!({"id": "1", "method": "PUT", "url": url, "headers": {"Content-Type": "image/png"}, "body": "***"});
    assert_eq!(send(&fixture, json!([photo])).status, 400);
}

/// Reads three users in one batch; the third after the second.
fn read_three(fixture: &Fixture) -> Response {
    let read = |name: &str, number: u32, after: &[&str]| {
        let url = format!("/users/{}?$select=id", id(number));
        item(name, "GET", &url, Value::Null, after)
    };
    let requests = [
        read("1", ADELE, &[]),
        read("2", BO, &[]),
        read("3", CLEO, &["2"]),
    ];
    send(fixture, json!(requests))
}

#[test]
fn a_fault_happens_to_one_request_of_a_batch() {
    let fixture = fixture();
    let bo = format!("/users/{}", id(BO));
    let on_bo = || Fault::on(&bo).times(1);
    let inject = |fault| Faults::lock(&fixture.faults).inject(fault);
    inject(on_bo().status_with_retry_after(429, "7"));
    let response = read_three(&fixture);
    assert_eq!(
        statuses(&response),
        pairs(&[("1", 200), ("2", 429), ("3", 424)])
    );
    let throttled = &response.body["responses"][1];
    assert_eq!(throttled["headers"]["retry-after"], "7");
    assert_eq!(throttled["body"]["error"]["code"], "TooManyRequests");
    // The fault is over.
    let response = read_three(&fixture);
    assert_eq!(
        statuses(&response),
        pairs(&[("1", 200), ("2", 200), ("3", 200)])
    );
}

#[test]
fn a_request_of_a_batch_whose_connection_would_close_has_no_response() {
    let fixture = fixture();
    let bo = format!("/users/{}", id(BO));
    for fault in [
        Fault::on(&bo).times(1).closed_connection(),
        Fault::on(&bo).times(1).truncated_body(),
    ] {
        Faults::lock(&fixture.faults).inject(fault);
        let response = read_three(&fixture);
        assert_eq!(statuses(&response), pairs(&[("1", 200), ("3", 200)]));
    }
    let adele = format!("/users/{}", id(ADELE));
    let garbage = Fault::on(&adele).times(1).garbage_body();
    Faults::lock(&fixture.faults).inject(garbage);
    let response = read_three(&fixture);
    assert_eq!(
        statuses(&response),
        pairs(&[("1", 200), ("2", 200), ("3", 200)])
    );
    assert!(response.body["responses"][0]["body"].is_string());
}
