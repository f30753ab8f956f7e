//! The control API of a server, as a plain HTTP client sees it.

use std::collections::HashSet;

use entra_mock::{Seed, Server};
use serde_json::{Value, json};

use crate::{
    controlled::{Controlled, NOTHING, code},
    support::{fetch, get, http},
};

#[tokio::test]
async fn the_document_needs_no_token_and_everything_else_does() {
    let server = Controlled::start().await;
    let url = |path: &str| format!("{}{path}", server.text("control"));
    let document = get(&url("/openapi.json")).await;
    assert_eq!(
        (document.status, &document.body["openapi"]),
        (200, &json!("3.0.3"))
    );
    for (path, operations) in document.body["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let method = method.to_ascii_uppercase().parse().unwrap();
            let response = fetch(http().request(method, url(&path.replace(['{', '}'], "")))).await;
            assert_eq!(
                (response.status, code(&response)),
                (401, "missingToken"),
                "{path}"
            );
            assert_eq!(
                response.header("www-authenticate"),
                Some("Bearer realm=\"entra-mock\"")
            );
        }
    }
    let wrong = fetch(http().get(url("/clock")).bearer_auth("x".repeat(64))).await;
    assert_eq!((wrong.status, code(&wrong)), (401, "invalidToken"));
}

#[tokio::test]
async fn a_page_of_another_site_cannot_use_the_control_api_even_with_the_token() {
    let server = Controlled::start().await;
    let rebound = fetch(
        server
            .request("GET", "/clock")
            .header("host", "evil.example"),
    )
    .await;
    assert_eq!((rebound.status, code(&rebound)), (403, "unknownHost"));
    let foreign = fetch(
        server
            .request("GET", "/clock")
            .header("origin", "https://evil.example"),
    )
    .await;
    assert_eq!((foreign.status, code(&foreign)), (403, "foreignOrigin"));
    let document = format!("{}/openapi.json", server.text("control"));
    let document = fetch(http().get(document).header("host", "evil.example")).await;
    assert_eq!(document.status, 403);
    let own = fetch(
        server
            .request("GET", "/clock")
            .header("origin", server.text("uri")),
    )
    .await;
    assert_eq!(own.status, 200);
}

#[tokio::test]
async fn the_journal_has_neither_the_token_nor_requests_to_the_control_api() {
    let server = Controlled::start().await;
    let token = server.server.control_token().expose_secret().to_owned();
    // A client can send it to the wrong place.
    let url = format!("{}/users?access_token={token}", server.text("graph"));
    assert_eq!(fetch(http().get(url).bearer_auth(&token)).await.status, 401);
    server.done("POST", "/clock/freeze", NOTHING).await;
    let journal = server.get("/journal").await;
    assert_eq!(journal.body["received"], 1, "{}", journal.text);
    assert!(!journal.text.contains(&token) && !journal.text.contains("_entra-mock"));
}

#[tokio::test]
async fn invalid_requests_are_typed_errors_that_name_the_fix() {
    let server = Controlled::start().await;
    for (method, path, body, status, expected) in [
        ("GET", "/nowhere", NOTHING, 404, "unknownPath"),
        ("DELETE", "/clock", NOTHING, 405, "methodNotAllowed"),
        ("POST", "/clock/advance", json!({}), 400, "missingField"),
        (
            "POST",
            "/clock/advance",
            json!({ "by": "soon" }),
            400,
            "invalidValue",
        ),
        (
            "POST",
            "/clock/advance",
            json!({ "by": "1h", "twice": true }),
            400,
            "unknownField",
        ),
        ("POST", "/clock/advance", json!([1]), 400, "invalidValue"),
        (
            "PUT",
            "/clock",
            json!({ "now": "1999-12-31T23:59:59Z" }),
            400,
            "timeOutOfRange",
        ),
        ("GET", "/journal?colour=red", NOTHING, 400, "unknownField"),
        ("GET", "/journal?status=many", NOTHING, 400, "invalidValue"),
        (
            "POST",
            "/reset",
            json!({ "all": true }),
            400,
            "unexpectedBody",
        ),
        (
            "POST",
            "/users",
            json!({ "displayName": "Ada", "colour": "red" }),
            400,
            "invalidObject",
        ),
        (
            "POST",
            "/users",
            json!({ "displayName": "Ada", "userPrincipalName": "adele@contoso.com" }),
            409,
            "conflict",
        ),
        (
            "PATCH",
            "/users/bruno@contoso.com",
            json!({ "userPrincipalName": "adele@contoso.com" }),
            409,
            "conflict",
        ),
        (
            "GET",
            "/users/unknown@contoso.com",
            NOTHING,
            404,
            "notFound",
        ),
        ("GET", "/objects/unicorns", NOTHING, 404, "notFound"),
        (
            "PUT",
            "/groups/Engineers/members/unknown",
            NOTHING,
            404,
            "notFound",
        ),
        (
            "POST",
            "/applications",
            json!({ "displayName": "A", "applicationPermissions": ["User.Fly"] }),
            404,
            "unknownPermission",
        ),
        (
            "POST",
            "/faults",
            json!({ "effect": "status" }),
            400,
            "missingField",
        ),
        (
            "POST",
            "/faults",
            json!({ "effect": "staleKeys", "status": 500 }),
            400,
            "invalidValue",
        ),
        (
            "POST",
            "/faults",
            json!({ "effect": "status", "status": 200 }),
            400,
            "invalidValue",
        ),
        (
            "POST",
            "/faults",
            json!({ "effect": "status", "status": 500, "nth": 0 }),
            400,
            "invalidValue",
        ),
        ("DELETE", "/faults/7", NOTHING, 404, "notFound"),
        ("POST", "/snapshots/x/restore", NOTHING, 404, "notFound"),
        ("DELETE", "/tenants/x", NOTHING, 404, "notFound"),
        ("POST", "/journal/expect", json!({}), 400, "missingField"),
        (
            "PATCH",
            "/settings",
            json!({ "tokenLifetime": "0s" }),
            400,
            "invalidValue",
        ),
    ] {
        let response = server.send(method, path, &body).await;
        assert_eq!(
            (response.status, code(&response)),
            (status, expected),
            "{method} {path} {body}"
        );
    }
    let not_json = fetch(server.request("POST", "/users").body("{")).await;
    assert_eq!((not_json.status, code(&not_json)), (400, "invalidJson"));
    // A rejected request leaves nothing behind.
    let users = server.get("/users").await.text;
    assert!(!users.contains("Ada"), "{users}");
    assert!(
        !server
            .get("/applications")
            .await
            .text
            .contains("\"displayName\":\"A\"")
    );
}

#[tokio::test]
async fn users_and_groups_of_the_control_api_are_those_of_graph() {
    let server = Controlled::start().await;
    let ada =
        json!({ "displayName": "Ada Example", "department": "Research", "businessPhones": ["1"] });
    let created = server.done("POST", "/users", ada).await;
    let (id, password) = (
        created["user"]["id"].as_str().unwrap(),
        &created["password"],
    );
    assert_eq!(
        created["user"]["userPrincipalName"],
        "ada.example@contoso.com"
    );
    assert!(
        password
            .as_str()
            .is_some_and(|password| password.len() > 12)
    );
    let seen = server
        .graph(&format!("/users/{id}?$select=department,businessPhones"))
        .await;
    assert_eq!(
        (&seen.body["department"], &seen.body["businessPhones"]),
        (&json!("Research"), &json!(["1"]))
    );

    let change = json!({ "department": null, "jobTitle": "Lead" });
    let changed = server
        .done("PATCH", "/users/ada.example@contoso.com", change)
        .await;
    assert_eq!(
        (changed.get("department"), &changed["jobTitle"]),
        (None, &json!("Lead"))
    );
    let group = server
        .done("POST", "/groups", json!({ "displayName": "Night shift" }))
        .await;
    let group = group["id"].as_str().unwrap();
    server
        .done(
            "PUT",
            "/groups/Night shift/members/ada.example@contoso.com",
            NOTHING,
        )
        .await;
    server
        .done("PUT", &format!("/groups/{group}/owners/{id}"), NOTHING)
        .await;
    let members = server
        .graph(&format!("/groups/{group}/members?$select=id"))
        .await;
    assert_eq!(members.body["value"][0]["id"], id);
    let links = server
        .get(&format!("/objects/groups/{group}/links/owners"))
        .await;
    assert_eq!(links.body["value"], json!([id]));
    server
        .done("DELETE", &format!("/groups/{group}/members/{id}"), NOTHING)
        .await;
    let again = server
        .send("DELETE", &format!("/groups/{group}/members/{id}"), &NOTHING)
        .await;
    assert_eq!((again.status, code(&again)), (404, "notLinked"));

    server
        .done("DELETE", &format!("/users/{id}"), NOTHING)
        .await;
    assert_eq!(server.graph(&format!("/users/{id}")).await.status, 404);
    assert_eq!(
        server
            .graph(&format!("/directory/deletedItems/{id}"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn an_application_gets_tokens_with_its_permissions_until_its_secret_is_removed() {
    let server = Controlled::start().await;
    let job = json!({
        "displayName": "Night job", "secret": true, "applicationPermissions": ["User.Read.All"],
        "redirectUris": ["https://job.example/callback"], "delegatedPermissions": ["User.Read"],
    });
    let app = server.done("POST", "/applications", job).await;
    let (id, secret) = (
        app["appId"].as_str().unwrap(),
        app["secret"].as_str().unwrap(),
    );
    let token = server.token_of(id, secret).await;
    assert_eq!(token.status, 200, "{}", token.text);
    let url = format!("{}/users", server.text("graph"));
    let token = token.body["access_token"].as_str().unwrap();
    assert_eq!(fetch(http().get(&url).bearer_auth(token)).await.status, 200);

    let second = server
        .done(
            "POST",
            "/applications/Night job/secrets",
            json!({ "validFor": "1h" }),
        )
        .await;
    let second = second["secret"].as_str().unwrap();
    assert_eq!(server.token_of(id, second).await.status, 200);
    server
        .done("POST", "/clock/advance", json!({ "by": "2h" }))
        .await;
    let expired = server.token_of(id, second).await;
    assert_eq!(
        expired.body["error_codes"],
        json!([7_000_222]),
        "{}",
        expired.text
    );
    assert_eq!(server.token_of(id, secret).await.status, 200);
    server
        .done("DELETE", "/applications/Night job/secrets", NOTHING)
        .await;
    assert_eq!(server.token_of(id, secret).await.status, 401);
    let shown = server.get(&format!("/applications/{id}")).await.text;
    assert!(
        !shown.contains(secret) && !shown.contains("~secrets"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_user_signs_in_by_url_and_gets_tokens_and_consent_is_checked() {
    let server = Controlled::start().await;
    let shop = json!({ "displayName": "Shop", "redirectUris": ["https://shop.example/callback"] });
    let shop = server.done("POST", "/applications", shop).await;
    let url = format!(
        "{}/{}/oauth2/v2.0/authorize?client_id={}&response_type=code&redirect_uri=https://shop.example/callback&state=7&scope=",
        server.text("uri"),
        server.text("id"),
        shop["appId"].as_str().unwrap(),
    );
    let follow =
        |scope: &str| json!({ "url": format!("{url}{scope}"), "user": "adele@contoso.com" });
    let back = server
        .done("POST", "/sign-ins/follow", follow("openid"))
        .await;
    assert_eq!(back["parameters"]["state"], "7");
    assert!(back["parameters"]["code"].is_string() && back["posted"] == false);
    let stopped = server
        .send("POST", "/sign-ins/follow", &follow("User.Read.All"))
        .await;
    assert_eq!((stopped.status, code(&stopped)), (409, "signInStopped"));
    assert!(stopped.text.contains("AADSTS90094"), "{}", stopped.text);
    let consent = json!({ "permission": "User.Read.All" });
    server
        .done("POST", "/applications/Shop/delegated-permissions", consent)
        .await;
    server
        .done("POST", "/sign-ins/follow", follow("User.Read.All"))
        .await;

    let wanted = json!({ "application": "Shop", "user": "adele@contoso.com", "scopes": ["openid", "offline_access", "User.Read"] });
    let tokens = server.done("POST", "/tokens", wanted.clone()).await;
    for name in ["accessToken", "refreshToken", "idToken"] {
        assert!(tokens[name].is_string(), "{name}");
    }
    let me = format!("{}/me", server.text("graph"));
    let me = fetch(
        http()
            .get(me)
            .bearer_auth(tokens["accessToken"].as_str().unwrap()),
    )
    .await;
    assert_eq!(
        me.body["userPrincipalName"], "adele@contoso.com",
        "{}",
        me.text
    );

    let block =
        json!({ "control": "block", "users": ["adele@contoso.com"], "applications": ["Shop"] });
    let policy = server.done("POST", "/access-policies", block).await;
    let blocked = server.send("POST", "/tokens", &wanted).await;
    assert_eq!((blocked.status, code(&blocked)), (409, "signInRejected"));
    assert!(blocked.text.contains("AADSTS53003"), "{}", blocked.text);
    server
        .done(
            "DELETE",
            &format!("/access-policies/{}", policy["id"].as_str().unwrap()),
            NOTHING,
        )
        .await;
    server.done("POST", "/tokens", wanted).await;
}

#[tokio::test]
async fn the_clock_is_stopped_moved_and_released() {
    let server = Controlled::start().await;
    let stopped = server
        .done(
            "POST",
            "/clock/freeze",
            json!({ "at": "2027-01-02T03:04:05Z" }),
        )
        .await;
    assert_eq!(
        stopped,
        json!({ "now": "2027-01-02T03:04:05Z", "frozen": true })
    );
    assert_eq!(server.get("/clock").await.body, stopped);
    let moved = server
        .done("POST", "/clock/advance", json!({ "by": "1d1s" }))
        .await;
    assert_eq!(moved["now"], "2027-01-03T03:04:06Z");
    // An application of this time: those of the start have secrets of the real time.
    let job = json!({ "displayName": "Job", "secret": true });
    let job = server.done("POST", "/applications", job).await;
    let (id, secret) = (
        job["appId"].as_str().unwrap(),
        job["secret"].as_str().unwrap(),
    );
    let token = server.token_of(id, secret).await;
    let payload = token.body["access_token"]
        .as_str()
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap()
        .to_owned();
    // Entra issues tokens five minutes before the time of the request.
    let claims: Value = serde_json::from_slice(&base64_url(&payload)).unwrap();
    assert_eq!(claims["iat"].as_i64(), Some(1_798_945_446 - 300));
    let running = server.done("POST", "/clock/unfreeze", NOTHING).await;
    assert_eq!(running["frozen"], false);
    assert!(
        running["now"].as_str().unwrap() >= "2027-01-03T03:04:06",
        "{running}"
    );
}

/// Decodes base64url without padding.
fn base64_url(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'-' => 62,
        _ => 63,
    };
    let bits = text
        .bytes()
        .fold((Vec::new(), 0_u32, 0), |(mut bytes, bits, count), byte| {
            let (bits, count) = (bits << 6 | u32::from(digit(byte)), count + 6);
            if count >= 8 {
                bytes.push(u8::try_from(bits >> (count - 8) & 0xff).unwrap());
                return (bytes, bits, count - 8);
            }
            (bytes, bits, count)
        });
    bits.0
}

#[tokio::test]
async fn settings_are_changed_one_by_one() {
    let server = Controlled::start().await;
    let before = server.get("/settings").await.body;
    assert_eq!(
        (&before["license"], &before["replicationDelay"]),
        (&json!("p2"), &json!("0s"))
    );
    let change = json!({ "license": "free", "deltaOddities": ["repeatedItems"], "replicationDelay": "1m", "tokenLifetime": "2h" });
    let after = server.done("PATCH", "/settings", change.clone()).await;
    for (name, value) in change.as_object().unwrap() {
        assert_eq!(&after[name], value, "{name}");
    }
    assert_eq!(after["quotas"], false);
    server
        .done("PATCH", "/settings", json!({ "replicationDelay": "0s" }))
        .await;
    let sign_ins = server.graph("/auditLogs/signIns").await;
    assert_eq!(sign_ins.status, 403, "{}", sign_ins.text);
    assert_eq!(server.token().await.body["expires_in"], 7_200);
    let all = server.done("PATCH", "/settings", before.clone()).await;
    assert_eq!(all, before, "what is read can be written");
}

#[tokio::test]
async fn signing_keys_roll_over_in_steps_or_at_once() {
    let server = Controlled::start().await;
    let keys = server.get("/signing-keys").await.body;
    let next = server
        .done("POST", "/signing-keys/publish-next", NOTHING)
        .await;
    assert_eq!(next["signing"], keys["signing"]);
    assert_eq!(
        next["published"].as_array().unwrap().len(),
        keys["published"].as_array().unwrap().len() + 1
    );
    let token = server.token().await.body["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let switched = server.done("POST", "/signing-keys/switch", NOTHING).await;
    assert_ne!(switched["signing"], keys["signing"]);
    let users = format!("{}/users", server.text("graph"));
    assert_eq!(
        fetch(http().get(&users).bearer_auth(&token)).await.status,
        200
    );
    let retired = server
        .done("POST", "/signing-keys/retire-old", NOTHING)
        .await;
    assert_eq!(retired["published"], json!([switched["signing"]]));
    assert_eq!(
        fetch(http().get(&users).bearer_auth(&token)).await.status,
        401
    );
    let rolled = server.done("POST", "/signing-keys/roll", NOTHING).await;
    assert_ne!(rolled["signing"], switched["signing"]);
}

#[tokio::test]
async fn the_journal_is_filtered_and_expectations_are_checked_with_an_explanation() {
    let server = Controlled::start().await;
    server.graph("/users").await;
    server.graph("/groups").await;
    let request = http()
        .get(format!("{}/users?$top=1", server.text("graph")))
        .header("client-request-id", "mine");
    fetch(request).await;
    let listed = server.get("/journal?path=/users&method=GET").await.body;
    assert_eq!(
        (
            listed["value"].as_array().unwrap().len(),
            &listed["received"]
        ),
        (2, &json!(5))
    );
    assert_eq!(
        listed["value"][0]["headers"]["authorization"],
        "Bearer [redacted]"
    );
    let newest = server.get("/journal?limit=1").await.body;
    assert_eq!(
        (
            &newest["value"][0]["status"],
            &newest["value"][0]["clientRequestId"]
        ),
        (&json!(401), &json!("mine"))
    );
    for (expectation, count) in [
        (json!({ "path": "/users", "count": 2 }), 2),
        (
            json!({ "within": "/oauth2/", "method": "POST", "atLeast": 1, "atMost": 3 }),
            2,
        ),
        (json!({ "path": "/users", "status": 401, "count": 1 }), 1),
        (json!({ "clientRequestId": "mine", "count": 1 }), 1),
        (json!({ "path": "/devices", "count": 0 }), 0),
    ] {
        let met = server.done("POST", "/journal/expect", expectation).await;
        assert_eq!(met["count"], count);
    }
    for (expectation, part) in [
        (
            json!({ "path": "/users", "count": 3 }),
            "expected 3 matching requests, there were 2: GET /v1.0/users -> 200",
        ),
        (
            json!({ "path": "/users", "atLeast": 3 }),
            "expected at least 3",
        ),
        (
            json!({ "path": "/users", "atMost": 1 }),
            "expected at most 1",
        ),
        (
            json!({ "path": "/users", "status": 503, "count": 1 }),
            "there were 0",
        ),
    ] {
        let failed = server.send("POST", "/journal/expect", &expectation).await;
        assert_eq!((failed.status, code(&failed)), (409, "expectationFailed"));
        assert!(failed.text.contains(part), "{}", failed.text);
    }
    server.done("DELETE", "/journal", NOTHING).await;
    assert_eq!(
        server.get("/journal").await.body,
        json!({ "value": [], "received": 0 })
    );
}

#[tokio::test]
async fn a_snapshot_brings_back_directory_sign_ins_settings_clock_and_faults() {
    let server = Controlled::start().await;
    server
        .done("POST", "/users", json!({ "displayName": "Before" }))
        .await;
    server
        .done(
            "POST",
            "/clock/freeze",
            json!({ "at": "2027-01-01T00:00:00Z" }),
        )
        .await;
    server
        .done(
            "POST",
            "/faults",
            json!({ "effect": "delay", "delay": "0s", "path": "/nothing" }),
        )
        .await;
    server.done("PUT", "/snapshots/one", NOTHING).await;
    server
        .done("POST", "/users", json!({ "displayName": "After" }))
        .await;
    server
        .done("DELETE", "/users/before@contoso.com", NOTHING)
        .await;
    server
        .done("POST", "/clock/advance", json!({ "by": "9h" }))
        .await;
    server
        .done(
            "PATCH",
            "/settings",
            json!({ "license": "p1", "quotas": true }),
        )
        .await;
    server.done("DELETE", "/faults", NOTHING).await;
    assert_eq!(server.get("/snapshots").await.body["value"], json!(["one"]));

    server.done("POST", "/snapshots/one/restore", NOTHING).await;
    let users = server.get("/users").await.text;
    assert!(users.contains("\"Before\"") && !users.contains("\"After\""));
    assert_eq!(
        server.get("/clock").await.body["now"],
        "2027-01-01T00:00:00Z"
    );
    let settings = server.get("/settings").await.body;
    assert_eq!(
        (&settings["license"], &settings["quotas"]),
        (&json!("p2"), &json!(false))
    );
    assert_eq!(
        server.get("/faults").await.body["value"][0]["fault"]["path"],
        "/nothing"
    );
    // A snapshot can be restored again after more changes.
    server
        .done("DELETE", "/users/before@contoso.com", NOTHING)
        .await;
    server.done("POST", "/snapshots/one/restore", NOTHING).await;
    assert_eq!(server.get("/users/before@contoso.com").await.status, 200);
}

#[tokio::test]
async fn a_reset_brings_back_the_start_with_the_same_ids_and_secrets() {
    let server = Controlled::start().await;
    let before = server.get("/users").await.body;
    let made = server
        .done("POST", "/users", json!({ "displayName": "Ada" }))
        .await;
    server
        .done("DELETE", "/users/adele@contoso.com", NOTHING)
        .await;
    server
        .done("POST", "/clock/advance", json!({ "by": "5d" }))
        .await;
    server
        .done(
            "POST",
            "/faults",
            json!({ "effect": "status", "status": 503 }),
        )
        .await;
    server.done("POST", "/reset", NOTHING).await;
    assert_eq!(server.get("/users").await.body, before);
    assert_eq!(server.get("/faults").await.body["value"], json!([]));
    assert_eq!(server.get("/journal").await.body["received"], 0);
    assert_eq!(
        server.token().await.status,
        200,
        "the secret of the environment file is valid"
    );
    // Each test after a reset gets the same ids.
    server.done("POST", "/reset", NOTHING).await;
    let again = server
        .done("POST", "/users", json!({ "displayName": "Ada" }))
        .await;
    assert_eq!(again["user"]["id"], made["user"]["id"]);
}

#[tokio::test]
async fn tenants_are_made_and_removed_at_run_time_each_at_an_address_of_its_own() {
    let mut server = Controlled::start().await;
    let first = server.tenant.clone();
    let wanted = json!({ "seed": "empty", "name": "Fabrikam", "domain": "fabrikam.com" });
    let second = server.done("POST", "/tenants", wanted).await;
    let third = server.done("POST", "/tenants", json!({})).await;
    let ids: HashSet<String> = [&first, &second, &third]
        .map(|tenant| tenant["id"].to_string())
        .into();
    let addresses: HashSet<String> = [&first, &second, &third]
        .map(|tenant| tenant["uri"].to_string())
        .into();
    assert_eq!((ids.len(), addresses.len()), (3, 3));
    assert_eq!(second["user"], "adele@fabrikam.com");

    // What one tenant has, another one does not.
    server
        .done("POST", "/users", json!({ "displayName": "Only first" }))
        .await;
    server.tenant = second.clone();
    assert!(!server.get("/users").await.text.contains("Only first"));
    assert_eq!(
        server.graph("/users").await.body["value"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let token = server.token().await.body["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let elsewhere = format!("{}/users", first["graph"].as_str().unwrap());
    assert_eq!(
        fetch(http().get(elsewhere).bearer_auth(token)).await.status,
        401
    );

    let taken = server
        .send("POST", "/tenants", &json!({ "randomSeed": 0 }))
        .await;
    assert_eq!((taken.status, code(&taken)), (409, "conflict"));
    // A tenant can remove itself.
    let path = format!("/tenants/{}", second["id"].as_str().unwrap());
    server.done("DELETE", &path, NOTHING).await;
    let url = second["control"].as_str().unwrap().to_owned();
    let closed = async {
        while http().get(&url).send().await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), closed)
        .await
        .unwrap();
    server.tenant = first;
    assert_eq!(
        server.get("/tenants").await.body["value"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let own = server
        .send(
            "DELETE",
            &format!("/tenants/{}", server.text("id")),
            &NOTHING,
        )
        .await;
    assert_eq!((own.status, code(&own)), (409, "firstTenant"));
}

#[tokio::test]
async fn two_servers_have_different_tokens() {
    let [first, second] = [
        Server::builder().seed(Seed::Empty),
        Server::builder().seed(Seed::Empty),
    ];
    let (first, second) = (first.start().await.unwrap(), second.start().await.unwrap());
    assert_ne!(
        first.control_token().expose_secret(),
        second.control_token().expose_secret()
    );
}
