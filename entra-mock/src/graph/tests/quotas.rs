use super::*;

impl Fixture {
    fn enforce_quotas(&mut self) {
        self.state().enforce_quotas(true);
    }
}

#[test]
fn every_response_of_the_directory_says_what_it_cost() {
    let fixture = Fixture::new();
    let cost = |target: &str| {
        let response = fixture.get(target);
        response.header("x-ms-resource-unit").map(str::to_owned)
    };
    assert_eq!(cost("/users").as_deref(), Some("2"));
    assert_eq!(cost("/users?$select=id").as_deref(), Some("1"));
    let members = format!("/groups/{}/members", id(ENGINEERS));
    assert_eq!(cost(&members).as_deref(), Some("3"));
    let unknown = cost("/users/unknown@contoso.com");
    assert_eq!(unknown.as_deref(), Some("1"), "a 404 too");
    assert_eq!(cost("/auditLogs/signIns"), None);
}

#[test]
fn the_sixth_read_of_the_logs_in_ten_seconds_is_throttled() {
    let mut fixture = Fixture::new();
    fixture.enforce_quotas();
    for _ in 0..5 {
        assert_eq!(fixture.get("/auditLogs/signIns").status, 200);
    }
    let response = fixture.get("/auditLogs/directoryAudits");
    assert_eq!(response.status, 429);
    assert_eq!(response.body["error"]["code"], "TooManyRequests");
    assert_eq!(response.header("retry-after"), None);
    assert!(response.header("request-id").is_some());
    assert_eq!(fixture.get("/users").status, 200);
    fixture.now += entra_core::time::Duration::seconds(10);
    for _ in 0..5 {
        assert_eq!(fixture.get("/auditLogs/signIns").status, 200);
    }
    assert_eq!(fixture.get("/auditLogs/signIns").status, 429);
    // Another application has a quota of its own.
    fixture.caller.app_id = id(501);
    assert_eq!(fixture.get("/auditLogs/signIns").status, 200);
}

#[test]
fn resource_units_warn_and_then_throttle_with_the_documented_headers() {
    let mut fixture = Fixture::new();
    fixture.enforce_quotas();
    let group = id(ENGINEERS);
    let target = format!("/groups/{group}/transitiveMembers?$top=1");
    let mut warned = 0;
    let response = loop {
        let response = fixture.get(&target);
        if response.status == 429 {
            break response;
        }
        warned += u32::from(response.header("x-ms-throttle-limit-percentage").is_some());
    };
    // 3,500 units at 4 each; the last fifth of them warns.
    assert_eq!(warned, 175);
    assert_eq!(response.header("retry-after"), Some("1"));
    assert_eq!(
        response.header("x-ms-throttle-information"),
        Some("ResourceUnitLimitExceeded")
    );
    let scope = response.header("x-ms-throttle-scope").unwrap();
    let tenant = fixture.state().tenant_id;
    assert_eq!(
        scope,
        format!("Tenant_Application/ReadWrite/{}/{tenant}", id(500))
    );
}

#[test]
fn items_of_a_batch_are_throttled_one_by_one() {
    let mut fixture = Fixture::new();
    fixture.enforce_quotas();
    let requests: Vec<_> = (0..7)
        .map(|number| json!({"id": number.to_string(), "method": "GET", "url": "/auditLogs/signIns"}))
        .collect();
    let response = fixture.post("/$batch", &json!({"requests": requests}));
    assert_eq!(response.status, 200);
    let items = response.body["responses"].as_array().unwrap().iter();
    let statuses: Vec<_> = items.map(|item| item["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429]);
    assert_eq!(response.header("x-ms-resource-unit"), None);
}

#[test]
fn a_batch_costs_its_parts_alone_however_its_path_is_written() {
    let fixture = Fixture::new();
    let requests = json!({"requests": [{"id": "1", "method": "GET", "url": "/users"}]});
    for path in ["/$batch", "/%24batch", "/$BATCH", "/$batch/"] {
        let response = fixture.post(path, &requests);
        assert_eq!(response.status, 200, "{path}");
        assert_eq!(response.header("x-ms-resource-unit"), None, "{path}");
    }
}

#[test]
fn a_throttled_write_changes_nothing() {
    let mut fixture = Fixture::new();
    fixture.application(&["User.ReadWrite.All"]);
    fixture.enforce_quotas();
    let target = format!("/users/{}", id(ADELE));
    for _ in 0..3_000 {
        let response = fixture.patch(&target, &json!({"jobTitle": "Lead"}));
        assert_eq!(response.status, 204, "{}", response.text);
    }
    let before = fixture.snapshot();
    let response = fixture.patch(&target, &json!({"jobTitle": "Boss"}));
    assert_eq!(response.status, 429);
    assert_eq!(
        response.header("x-ms-throttle-information"),
        Some("WriteLimitExceeded")
    );
    assert_eq!(fixture.snapshot(), before);
}
