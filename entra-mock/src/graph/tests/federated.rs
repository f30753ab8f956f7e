use super::*;

const ISSUER: &str = "https://token.actions.githubusercontent.com";

fn writer() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&["Application.ReadWrite.All", "Application.Read.All"]);
    fixture
}

fn all() -> String {
    format!(
        "/applications/{}/federatedIdentityCredentials",
        id(DESK_APP)
    )
}

fn credential(name: &str, subject: &str) -> Value {
    json!({"name": name, "issuer": ISSUER, "subject": subject, "audiences": ["api://AzureADTokenExchange"]})
}

fn create(fixture: &Fixture, name: &str, subject: &str) -> String {
    let response = fixture.post(&all(), &credential(name, subject));
    assert_eq!(response.status, 201, "{}", response.text);
    response.body["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_credential_is_created_read_changed_and_deleted() {
    let fixture = writer();
    let response = fixture.post(&format!("{}/", all()), &credential("main", "repo:a"));
    assert_eq!(response.status, 201, "{}", response.text);
    let context = response.body["@odata.context"].as_str().unwrap();
    assert!(context.ends_with(&format!(
        "#applications('{}')/federatedIdentityCredentials/$entity",
        id(DESK_APP)
    )));
    let own = response.body["id"].as_str().unwrap();
    for key in [
        format!("/{own}"),
        format!("/{}", own.to_ascii_uppercase()),
        "/main".to_owned(),
        "(name='main')".to_owned(),
    ] {
        let read = fixture.get(&format!("{}{key}", all()));
        assert_eq!(read.body["id"], own, "{key}: {}", read.text);
    }
    assert_eq!(fixture.get(&all()).all("name"), ["main"]);
    assert_eq!(
        fixture
            .get(&format!("{}?$filter=name eq 'other'", all()))
            .all("name"),
        [""; 0]
    );
    let one = format!("{}/{own}", all());
    let mut patch = credential("main", "repo:b");
    patch["description"] = "The main branch".into();
    assert_eq!(fixture.patch(&one, &patch).status, 204);
    assert_eq!(fixture.get(&one).body["subject"], "repo:b");
    assert_eq!(fixture.patch(&one, &json!({"name": "renamed"})).status, 400);
    let upper = format!("{}/{}", all(), own.to_ascii_uppercase());
    let description = json!({"description": "x"});
    assert_eq!(fixture.patch(&upper, &description).status, 204);
    assert_eq!(fixture.get(&one).body["description"], "x");
    assert_eq!(fixture.delete(&upper).status, 204);
    assert_eq!(fixture.delete(&one).status, 404);
    assert_eq!(fixture.get(&one).status, 404);
}

#[test]
fn an_upsert_by_name_creates_or_changes() {
    let fixture = writer();
    let upsert = |subject: &str| {
        let target = format!("{}(name='main')", all());
        let headers = [
            ("content-type", "application/json"),
            ("prefer", "create-if-missing"),
        ];
        let mut request = request("PATCH", &target, &headers);
        let mut body = credential("main", subject);
        body.as_object_mut().unwrap().remove("name");
        request.body = body.to_string().into_bytes();
        fixture.send(&request).status
    };
    assert_eq!((upsert("repo:a"), upsert("repo:b")), (201, 204));
    assert_eq!(fixture.get(&all()).all("subject"), ["repo:b"]);
    let without = fixture.patch(
        &format!("{}(name='other')", all()),
        &credential("other", "c"),
    );
    assert_eq!(without.status, 404);
}

#[test]
fn names_and_pairs_of_issuer_and_subject_are_unique_in_an_application() {
    let fixture = writer();
    create(&fixture, "main", "repo:a");
    let other = create(&fixture, "other", "repo:b");
    let same_name = fixture.post(&all(), &credential("main", "repo:c"));
    assert_eq!(same_name.error().0, 409);
    assert!(same_name.error().2.contains("'main' already exists"));
    assert_eq!(
        fixture.post(&all(), &credential("third", "repo:a")).status,
        409
    );
    let pair = fixture.patch(&format!("{}/{other}", all()), &json!({"subject": "repo:a"}));
    assert_eq!(pair.status, 409);
    let app = fixture.post("/applications", &json!({"displayName": "B"}));
    let target = format!(
        "/applications/{}/federatedIdentityCredentials",
        app.body["id"].as_str().unwrap()
    );
    assert_eq!(
        fixture.post(&target, &credential("main", "repo:a")).status,
        201
    );
    for number in 2..20 {
        create(&fixture, &format!("n{number}"), &format!("s{number}"));
    }
    assert_eq!(
        fixture.post(&all(), &credential("more", "more")).status,
        400
    );
}

#[test]
fn an_invalid_credential_is_rejected() {
    let fixture = writer();
    let change = |name: &str, value: Value| {
        let mut body = credential("main", "repo:a");
        body[name] = value;
        body
    };
    for body in [
        change("name", Value::Null),
        change("issuer", Value::Null),
        change("subject", Value::Null),
        change("audiences", json!([])),
        change("audiences", json!(["a", "b"])),
        change("audiences", json!("a")),
        change("name", json!("two words")),
        change("name", json!("x".repeat(121))),
        change("subject", json!("x".repeat(601))),
        change("subject", json!(5)),
        change("id", json!(id(4))),
        change("colour", json!("red")),
    ] {
        assert_eq!(fixture.post(&all(), &body).status, 400, "{body}");
    }
    assert_eq!(fixture.get(&all()).all("id"), [""; 0]);
}

#[test]
fn each_method_of_a_credential_needs_its_permission() {
    let mut fixture = writer();
    let own = create(&fixture, "main", "repo:a");
    let one = format!("{}/{own}", all());
    let responses = |fixture: &Fixture| {
        [
            fixture.get(&all()).status,
            fixture.post(&all(), &credential("b", "b")).status,
            fixture.get(&one).status,
            fixture.patch(&one, &json!({"description": "d"})).status,
            fixture.delete(&one).status,
        ]
    };
    fixture.application(&["Directory.ReadWrite.All"]);
    assert_eq!(responses(&fixture), [403; 5]);
    fixture.application(&["Application.Read.All"]);
    assert_eq!(responses(&fixture), [200, 403, 403, 403, 403]);
    fixture.application(&["Application.ReadWrite.All"]);
    assert_eq!(responses(&fixture), [200, 201, 200, 204, 204]);
}

#[test]
fn a_purged_application_takes_its_credentials_with_it() {
    let mut fixture = writer();
    create(&fixture, "main", "repo:a");
    let one = format!("/applications/{}", id(DESK_APP));
    let item = format!("/directory/deletedItems/{}", id(DESK_APP));
    assert_eq!(fixture.delete(&one).status, 204);
    assert_eq!(
        fixture.post(&format!("{item}/restore"), &json!({})).status,
        200
    );
    assert_eq!(fixture.get(&all()).all("name"), ["main"]);
    assert_eq!(fixture.delete(&one).status, 204);
    assert_eq!(fixture.delete(&item).status, 204);
    assert_eq!(
        fixture.state().store.all(Kind::FederatedCredential).count(),
        0
    );
}

/// Sends a request to beta.
fn beta(fixture: &Fixture, method: &str, target: &str, body: &Value) -> Response {
    let mut request = request(method, target, &[("content-type", "application/json")]);
    request.path = request.path.replacen("/v1.0", "/beta", 1);
    request.body = body.to_string().into_bytes();
    fixture.send(&request)
}

fn flexible(value: &str) -> Value {
    json!({
        "name": "branches", "issuer": "https://token.actions.githubusercontent.com",
        "audiences": ["api://AzureADTokenExchange"],
        "claimsMatchingExpression": {"value": value, "languageVersion": 1}
    })
}

const ANY_BRANCH: &str = "claims['sub'] matches 'repo:contoso/shop:ref:refs/heads/*'";

#[test]
fn beta_has_credentials_with_an_expression_instead_of_a_subject() {
    let fixture = writer();
    let created = beta(&fixture, "POST", &all(), &flexible(ANY_BRANCH));
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(
        created.body["claimsMatchingExpression"]["value"],
        ANY_BRANCH
    );
    assert_eq!(created.body["subject"], Value::Null);
    let one = format!("{}/{}", all(), created.body["id"].as_str().unwrap());
    let read = beta(&fixture, "GET", &one, &Value::Null);
    assert_eq!(read.body["claimsMatchingExpression"]["languageVersion"], 1);
    let listed = beta(&fixture, "GET", &all(), &Value::Null);
    assert_eq!(
        listed.body["value"][0]["claimsMatchingExpression"]["value"],
        ANY_BRANCH
    );
    // v1.0 has the credential without its expression.
    let plain = fixture.get(&one);
    assert_eq!(plain.body["name"], "branches");
    assert!(plain.body.get("claimsMatchingExpression").is_none());
    let to_subject = json!({"subject": "repo:contoso/shop", "claimsMatchingExpression": null});
    assert_eq!(beta(&fixture, "PATCH", &one, &to_subject).status, 204);
    assert_eq!(fixture.get(&one).body["subject"], "repo:contoso/shop");
    let back = json!({"subject": null, "claimsMatchingExpression": {"value": ANY_BRANCH, "languageVersion": 1}});
    assert_eq!(beta(&fixture, "PATCH", &one, &back).status, 204);
    let other = json!({"name": "tags", "issuer": "https://gitlab.com", "audiences": ["api://AzureADTokenExchange"],
        "claimsMatchingExpression": {"value": "claims['sub'] eq 'x'", "languageVersion": 1}});
    assert_eq!(beta(&fixture, "POST", &all(), &other).status, 201);
    assert_eq!(beta(&fixture, "DELETE", &one, &Value::Null).status, 204);
}

#[test]
fn an_invalid_expression_is_rejected() {
    let fixture = writer();
    let before = fixture.snapshot();
    let change = |name: &str, value: Value| {
        let mut body = flexible(ANY_BRANCH);
        body[name] = value;
        body
    };
    let expression = |value: &str, version: i64| {
        change(
            "claimsMatchingExpression",
            json!({"value": value, "languageVersion": version}),
        )
    };
    for body in [
        change("subject", "repo:contoso/shop".into()),
        change("claimsMatchingExpression", Value::Null),
        change("issuer", "https://issuer.example".into()),
        change("issuer", "https://gitlab.evil.example/x.com".into()),
        expression(ANY_BRANCH, 2),
        expression("sub eq 'a'", 1),
        expression("claims['aud'] eq 'a'", 1),
        change("claimsMatchingExpression", json!({"value": 5})),
    ] {
        let response = beta(&fixture, "POST", &all(), &body);
        assert_eq!(response.status, 400, "{body}");
    }
    let in_version_1 = fixture.post(&all(), &flexible(ANY_BRANCH));
    assert_eq!(in_version_1.status, 400);
    assert!(
        in_version_1
            .error()
            .2
            .contains("'claimsMatchingExpression' does not exist")
    );
    let without = json!({"name": "n", "issuer": "https://a.example", "audiences": ["a"]});
    let response = fixture.post(&all(), &without);
    assert!(
        response
            .error()
            .2
            .contains("required for property 'subject'")
    );
    assert_eq!(fixture.snapshot(), before);
}
