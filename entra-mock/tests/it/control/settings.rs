//! The clock, the settings and the signing keys of a tenant.

use serde_json::{Value, json};

use crate::{
    controlled::{Controlled, NOTHING, code},
    support::{fetch, http},
};

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
    // The same minute without seconds is not the time of the request.
    for (method, path, name) in [("POST", "/clock/freeze", "at"), ("PUT", "/clock", "now")] {
        let body = json!({ name: "2027-01-02T04:04+01:00" });
        let stopped = server.done(method, path, body).await;
        assert_eq!(stopped["now"], "2027-01-02T03:04:00Z", "{path}");
    }
    let start = json!({ "at": "2027-01-02T03:04:05Z" });
    assert_eq!(server.done("POST", "/clock/freeze", start).await, stopped);
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
async fn a_time_that_the_clock_cannot_show_changes_nothing() {
    let server = Controlled::start().await;
    for (method, path, body) in [
        ("PUT", "/clock", json!({ "now": "1999-12-31T00:00:00Z" })),
        (
            "POST",
            "/clock/freeze",
            json!({ "at": "1999-12-31T00:00:00Z" }),
        ),
        (
            "POST",
            "/clock/freeze",
            json!({ "at": "2300-01-01T00:00:00Z" }),
        ),
    ] {
        let rejected = server.send(method, path, &body).await;
        assert_eq!(
            (rejected.status, code(&rejected)),
            (400, "timeOutOfRange"),
            "{path}"
        );
        let clock = server.get("/clock").await.body;
        assert_eq!(clock["frozen"], false, "{path}");
    }
}

#[tokio::test]
async fn settings_are_changed_one_by_one() {
    let server = Controlled::start().await;
    let before = server.get("/settings").await.body;
    assert_eq!(
        (&before["license"], &before["replicationDelay"]),
        (&json!("p2"), &json!("0s"))
    );
    let oddities = [
        "repeatedItems",
        "shuffledItems",
        "changesDuringRound",
        "neverEndingMembers",
        "purgedMembersSilent",
        "removedMembersInFirstRound",
        "removedUsersInFirstRound",
        "deletionsSilent",
        "selectStarShrinks",
        "resyncWithoutLocation",
        "restoredMembershipsSilent",
        "neverEndingEmptyPages",
    ];
    let change = json!({ "license": "free", "deltaOddities": oddities, "replicationDelay": "1m", "tokenLifetime": "2h" });
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
    for oddity in oddities {
        let one = json!({ "deltaOddities": [oddity] });
        let after = server.done("PATCH", "/settings", one.clone()).await;
        assert_eq!(after["deltaOddities"], one["deltaOddities"]);
    }
    let all = server.done("PATCH", "/settings", before.clone()).await;
    assert_eq!(all, before, "what is read can be written");
}

#[tokio::test]
async fn a_full_log_says_how_many_entries_it_dropped() {
    let server = Controlled::start().await;
    let before = server.get("/logs").await.body["signIns"].clone();
    assert_eq!(before["dropped"], 0);
    for _ in 0..8 {
        server.token().await;
    }
    let full = server.get("/logs").await.body["signIns"].clone();
    let grown = full["entries"].as_u64().unwrap() - before["entries"].as_u64().unwrap();
    assert_eq!((grown, &full["dropped"]), (8, &json!(0)));
    server
        .done("PATCH", "/settings", json!({ "logCapacity": 5 }))
        .await;
    server.token().await;
    let cut = server.get("/logs").await.body["signIns"].clone();
    assert_eq!(cut["dropped"], 4, "{cut}");
    assert_eq!(
        cut["entries"].as_u64(),
        full["entries"].as_u64().map(|entries| entries + 1 - 4)
    );
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
