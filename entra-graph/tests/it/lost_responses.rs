//! Writes that are sent again: what an attempt may have done, and what it certainly has not.

use std::time::Duration;

use entra_core::{Clock, ManualClock, ObjectId, ScriptedTransport, TransportError};
use entra_graph::{Error, GraphClient, SecretId};
use http::StatusCode;
use serde_json::{Value, json};

use crate::scripts::{client, client_with_clock};

const GONE: &str = r#"{"error":{"code":"Request_ResourceNotFound","message":"m"}}"#;
const PRESENT: &str = r#"{"error":{"code":"Request_BadRequest","message":"One or more added object references already exist for the following modified properties: 'members'."}}"#;
const ABSENT: &str = r#"{"error":{"code":"Request_BadRequest","message":"One or more removed object references do not exist for the following modified properties: 'members'."}}"#;
const NO_CREDENTIAL: &str =
    r#"{"error":{"code":"Request_BadRequest","message":"No credentials found to be removed."}}"#;
const BUSY: &str = r#"{"error":{"code":"Directory_ConcurrencyViolation","message":"m"}}"#;

const MINUTE: Duration = Duration::from_secs(60);

/// Attempts that Graph certainly did not process.
const NOT_PROCESSED: [(u16, &str); 3] = [(429, ""), (401, ""), (409, BUSY)];

fn id() -> ObjectId {
    "00000000-0000-0000-0000-000000000001".parse().unwrap()
}

fn secret_id() -> SecretId {
    "00000000-0000-0000-0000-000000000002".parse().unwrap()
}

/// A write, and the response to one whose effect is there already.
struct Case {
    name: &'static str,
    write: fn(&GraphClient) -> entra_graph::Request<()>,
    status: u16,
    body: &'static str,
}

const CASES: [Case; 3] = [
    Case {
        name: "delete",
        write: |graph| graph.user("typo@contoso.com").delete(),
        status: 404,
        body: GONE,
    },
    Case {
        name: "add",
        write: |graph| graph.group("g").members().add(id()),
        status: 400,
        body: PRESENT,
    },
    Case {
        name: "remove",
        write: |graph| graph.group("g").members().remove(id()),
        status: 400,
        body: ABSENT,
    },
];

const REMOVE_PASSWORD: Case = Case {
    name: "removePassword",
    write: |graph| graph.application("a").remove_password(secret_id()),
    status: 400,
    body: NO_CREDENTIAL,
};

async fn alone(case: &Case, script: ScriptedTransport) -> Result<(), Error> {
    let script = script.then(case.status, &[], case.body);
    let result = (case.write)(&client(script.clone())).send().await;
    assert_eq!(script.requests().len(), 2, "{}", case.name);
    result
}

/// The response of a batch to its only request.
fn part(status: u16, body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    json!({ "responses": [{ "id": "0", "status": status, "body": body }] }).to_string()
}

async fn in_batch(case: &Case, script: ScriptedTransport) -> Result<(), Error> {
    let script = script.then(200, &[], part(case.status, case.body));
    let graph = client(script.clone());
    let mut batch = graph.batch();
    let entry = batch.add((case.write)(&graph));
    let result = batch.send().await.unwrap().get(entry);
    assert_eq!(script.requests().len(), 2, "{}", case.name);
    result
}

fn lost() -> ScriptedTransport {
    ScriptedTransport::new().then_fail(TransportError::interrupted("reset by peer"))
}

#[tokio::test]
async fn a_write_whose_response_was_lost_succeeds_if_its_effect_is_there() {
    for case in &CASES {
        alone(case, lost()).await.unwrap();
        let failed = ScriptedTransport::new().then(503, &[], "");
        alone(case, failed).await.unwrap();
        let failed = ScriptedTransport::new().then(200, &[], part(503, ""));
        in_batch(case, failed).await.unwrap();
        // The batch as a whole was lost.
        in_batch(case, lost()).await.unwrap();
    }
}

#[tokio::test]
async fn a_write_that_was_certainly_not_processed_does_not_count_as_done() {
    for case in &CASES {
        for (status, body) in NOT_PROCESSED {
            let expected = Some(StatusCode::from_u16(case.status).unwrap());
            let rejected = ScriptedTransport::new().then(status, &[], body);
            let error = alone(case, rejected).await.unwrap_err();
            assert_eq!(error.status(), expected, "{} {status}", case.name);
            let rejected = ScriptedTransport::new().then(200, &[], part(status, body));
            let error = in_batch(case, rejected).await.unwrap_err();
            assert_eq!(error.status(), expected, "{} {status}", case.name);
        }
    }
}

#[tokio::test]
async fn a_write_that_was_throttled_after_a_lost_response_may_be_done() {
    for case in &CASES {
        let script = lost().then(429, &[], "").then(case.status, &[], case.body);
        (case.write)(&client(script)).send().await.unwrap();
    }
}

/// A replica that does not know a new secret yet says the same, and the secret would stay valid.
#[tokio::test]
async fn a_secret_that_a_replica_does_not_know_does_not_count_as_removed() {
    let case = &REMOVE_PASSWORD;
    let failed = || ScriptedTransport::new().then(503, &[], "");
    let failed_part = ScriptedTransport::new().then(200, &[], part(503, ""));
    let errors = [
        alone(case, lost()).await.unwrap_err(),
        alone(case, failed()).await.unwrap_err(),
        in_batch(case, failed_part).await.unwrap_err(),
        in_batch(case, lost()).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.status(), Some(StatusCode::BAD_REQUEST), "{error}");
    }
    let script = failed().then(400, &[], NO_CREDENTIAL).then(204, &[], "");
    let remove = (case.write)(&client(script.clone()));
    remove.send_after_write(MINUTE).await.unwrap();
    assert_eq!(script.remaining(), 0);
}

#[tokio::test]
async fn a_delete_right_after_a_write_is_not_done_while_its_error_can_be_lag() {
    let delete = |script: &ScriptedTransport, clock: &ManualClock| {
        client_with_clock(script.clone(), clock.clone())
            .group("g")
            .delete()
    };
    let failed = || ScriptedTransport::new().then(503, &[], "");
    let clock = ManualClock::new();
    let script = failed().then(404, &[], GONE).then(204, &[], "");
    let sent = delete(&script, &clock).send_after_write(MINUTE).await;
    sent.unwrap();
    assert_eq!(script.remaining(), 0);
    // Later it can only be the attempt without a response.
    let gone = |script: ScriptedTransport| (0..100).fold(script, |all, _| all.then(404, &[], GONE));
    let sent = delete(&gone(failed()), &clock);
    let before = clock.monotonic();
    sent.send_after_write(5 * MINUTE).await.unwrap();
    let elapsed = clock.elapsed(before);
    assert!((2 * MINUTE..3 * MINUTE).contains(&elapsed), "{elapsed:?}");
    let sent = delete(&gone(ScriptedTransport::new()), &clock);
    let error = sent.send_after_write(5 * MINUTE).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

#[tokio::test]
async fn members_of_a_throttled_request_that_are_there_do_not_count_as_added() {
    let script = ScriptedTransport::new()
        .then(429, &[], "")
        .then(400, &[], PRESENT)
        .then(400, &[], PRESENT);
    let added = client(script)
        .group("g")
        .members()
        .add_all([id()])
        .await
        .unwrap();
    assert_eq!((added.added, added.already_present), (0, 1));
}

#[cfg(feature = "domains")]
#[tokio::test]
async fn a_forced_deletion_with_a_lost_response_succeeds_if_the_domain_is_gone() {
    let case = Case {
        name: "forceDelete",
        write: |graph| graph.domain("contoso.com").force_delete(false),
        status: 404,
        body: GONE,
    };
    alone(&case, lost()).await.unwrap();
    let throttled = ScriptedTransport::new().then(429, &[], "");
    let error = alone(&case, throttled).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

/// A second restore finds no deleted object, and cannot return the restored one.
#[tokio::test]
async fn a_restore_with_a_lost_response_is_not_sent_again_and_a_throttled_one_is() {
    let script = lost();
    let graph = client(script.clone());
    let restore = |graph: &GraphClient| graph.deleted_group("g").restore();
    restore(&graph).send().await.unwrap_err();
    assert_eq!(script.requests().len(), 1);

    let script = ScriptedTransport::new()
        .then(429, &[], "")
        .then(200, &[], r#"{"id":"1"}"#);
    assert_eq!(restore(&client(script)).send().await.unwrap().id, "1");
}

/// Graph rejects the removal of a licence that is gone.
#[tokio::test]
async fn a_removal_of_licences_with_a_lost_response_is_not_sent_again_and_an_assignment_is() {
    const SKU: &str = "00000000-0000-0000-0000-000000000003";
    const OTHER: &str = "00000000-0000-0000-0000-000000000004";
    const OBJECT: &str = r#"{"id":"1"}"#;
    for status in [503, 429] {
        let script = || {
            ScriptedTransport::new()
                .then(status, &[], "")
                .then(200, &[], OBJECT)
        };
        let left = usize::from(status == 503);
        let removed = script();
        let adele = client(removed.clone()).user("a");
        let result = adele.remove_licenses([SKU]).send().await;
        assert_eq!((result.is_err(), removed.remaining()), (left > 0, left));
        let changed = script();
        let adele = client(changed.clone()).user("a");
        let result = adele.change_licenses([OTHER], [SKU]).send().await;
        assert_eq!((result.is_err(), changed.remaining()), (left > 0, left));
        let removed = script();
        let group = client(removed.clone()).group("g");
        let result = group.remove_licenses([SKU]).send().await;
        assert_eq!((result.is_err(), removed.remaining()), (left > 0, left));
        let assigned = script();
        let adele = client(assigned.clone()).user("a");
        adele.assign_licenses([SKU]).send().await.unwrap();
        assert_eq!(assigned.remaining(), 0);
    }
    let script = lost().then(200, &[], OBJECT);
    let adele = client(script.clone()).user("a");
    adele.remove_licenses([SKU]).send().await.unwrap_err();
    assert_eq!(script.remaining(), 1);
}

/// Graph rejects it for a root domain.
#[cfg(feature = "domains")]
#[tokio::test]
async fn a_promotion_with_a_lost_response_is_not_sent_again() {
    for script in [lost(), ScriptedTransport::new().then(503, &[], "")] {
        let graph = client(script.clone());
        let promote = graph.domain("sales.contoso.com").promote();
        promote.send().await.unwrap_err();
        assert_eq!(script.requests().len(), 1);
    }
}
