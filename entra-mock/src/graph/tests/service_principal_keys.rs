use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::*;
use crate::keys;

fn writer() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&[
        "Application.ReadWrite.All",
        "Directory.Read.All",
        "AuditLog.Read.All",
    ]);
    fixture
}

fn one() -> String {
    format!("/servicePrincipals/{}", id(DESK))
}

fn key(number: usize) -> Value {
    json!({"type": "AsymmetricX509Cert", "usage": "Verify", "key": keys::pool()[number].x5c()})
}

/// A proof by the first key of the pool, for this object.
fn proof(fixture: &Fixture, issuer: u32) -> String {
    let now = fixture.now.unix_timestamp();
    let claims = json!({
        "aud": "00000002-0000-0000-c000-000000000000", "iss": id(issuer), "nbf": now, "exp": now + 600
    });
    let encode =
        |part: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!(
        "{}.{}",
        encode(&json!({"alg": "RS256", "typ": "JWT"})),
        encode(&claims)
    );
    keys::pool()[0].sign(message).unwrap()
}

/// A tenant whose service principal Expense Desk has one valid certificate.
fn with_certificate() -> Fixture {
    let fixture = writer();
    let response = fixture.patch(&one(), &json!({"keyCredentials": [key(0)]}));
    assert_eq!(response.status, 204, "{}", response.text);
    fixture
}

fn credentials(fixture: &Fixture, name: &str) -> Vec<Value> {
    let read = fixture.get(&format!("{}?$select={name}", one()));
    read.body[name].as_array().unwrap().clone()
}

fn count_of(fixture: &Fixture, activity: &str) -> usize {
    let log = fixture.get(&format!(
        "/auditLogs/directoryAudits?$filter=activityDisplayName eq '{activity}'"
    ));
    log.body["value"].as_array().unwrap().len()
}

#[test]
fn keys_of_a_service_principal_are_added_and_removed_with_its_own_proof() {
    let fixture = with_certificate();
    let body = |proof: String| json!({"keyCredential": key(1), "passwordCredential": null, "proof": proof});
    let add = format!("{}/addKey", one());
    // A proof for the application registration is not one for its service principal.
    let foreign = fixture.post(&add, &body(proof(&fixture, DESK_APP)));
    assert_eq!(foreign.status, 401);
    let added = fixture.post(&add, &body(proof(&fixture, DESK)));
    assert_eq!(added.status, 200, "{}", added.text);
    let keys = credentials(&fixture, "keyCredentials");
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[1]["key"], key(1)["key"]);
    let remove = json!({"keyId": keys[1]["keyId"], "proof": proof(&fixture, DESK)});
    let removed = fixture.post(&format!("{}/removeKey", one()), &remove);
    assert_eq!(removed.status, 204, "{}", removed.text);
    assert_eq!(credentials(&fixture, "keyCredentials").len(), 1);
    assert_eq!(count_of(&fixture, "Add service principal credentials"), 1);
    assert_eq!(
        count_of(&fixture, "Remove service principal credentials"),
        1
    );
}

#[test]
fn a_certificate_that_cannot_be_read_is_rejected_in_an_update_too() {
    let fixture = writer();
    for item in [
        json!({"type": "AsymmetricX509Cert", "usage": "Verify", "key": "AAAA"}),
        json!({"type": "AsymmetricX509Cert", "usage": "Sign", "key": key(0)["key"]}),
        json!({"usage": "Verify", "key": key(0)["key"]}),
    ] {
        let response = fixture.patch(&one(), &json!({"keyCredentials": [item]}));
        assert_eq!(response.status, 400, "{}", response.text);
    }
}

#[test]
fn a_signing_key_comes_with_its_password_and_neither_is_returned() {
    let fixture = with_certificate();
    let pfx = STANDARD.encode([0x30, 3, 2, 1, 3]);
    let body = |credential: Value, password: Value| json!({"keyCredential": credential, "passwordCredential": password, "proof": proof(&fixture, DESK)});
    let signing = json!({"type": "X509CertAndPassword", "usage": "Sign", "key": pfx});
    let password = json!({"secretText": "canary-of-the-pfx"});
    let add = format!("{}/addKey", one());
    let mut verify = signing.clone();
    verify["usage"] = "Verify".into();
    let mut broken = signing.clone();
    broken["key"] = STANDARD.encode([0x30, 9, 2]).into();
    for (credential, password) in [
        (signing.clone(), Value::Null),
        (signing.clone(), json!({})),
        (signing.clone(), json!({"secretText": ""})),
        (verify, password.clone()),
        (broken, password.clone()),
        (key(1), password.clone()),
    ] {
        let response = fixture.post(&add, &body(credential, password));
        assert_eq!(response.status, 400, "{}", response.text);
    }
    let added = fixture.post(&add, &body(signing, password));
    assert_eq!(added.status, 200, "{}", added.text);
    let keys = credentials(&fixture, "keyCredentials");
    let key = keys.iter().find(|key| key["usage"] == "Sign").unwrap();
    assert_eq!(key["type"], "X509CertAndPassword");
    assert_eq!(key["key"], Value::Null);
    let passwords = credentials(&fixture, "passwordCredentials");
    assert_eq!(passwords[0]["keyId"], key["keyId"]);
    assert_eq!(
        passwords[0]["customKeyIdentifier"],
        key["customKeyIdentifier"]
    );
    let whole = fixture.snapshot();
    assert!(!whole.contains("canary-of-the-pfx") && !whole.contains(&pfx));
}

#[test]
fn a_token_signing_certificate_is_made_with_private_key_public_key_and_password() {
    let fixture = writer();
    let add = format!("{}/addTokenSigningCertificate", one());
    let response = fixture.post(&add, &json!({"displayName": "CN=Shop"}));
    assert_eq!(response.status, 200, "{}", response.text);
    let certificate = &response.body;
    let context = certificate["@odata.context"].as_str().unwrap();
    assert!(context.ends_with("#microsoft.graph.selfSignedCertificate"));
    assert_eq!(certificate["type"], "AsymmetricX509Cert");
    assert_eq!(certificate["usage"], "Verify");
    assert_eq!(certificate["displayName"], "CN=Shop");
    assert_eq!(certificate["startDateTime"], "2026-11-21T02:08:02Z");
    assert_eq!(certificate["endDateTime"], "2029-11-21T02:08:02Z");
    let thumbprint = STANDARD
        .decode(certificate["customKeyIdentifier"].as_str().unwrap())
        .unwrap();
    let hex: String = thumbprint
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    assert_eq!(certificate["thumbprint"], hex.as_str());
    let der = STANDARD
        .decode(certificate["key"].as_str().unwrap())
        .unwrap();
    let read = crate::login::Certificate::read(&der).unwrap();
    assert_eq!(
        read.key_credential("x")["endDateTime"],
        "2029-11-21T02:08:02Z"
    );

    let of_pair = |items: Vec<Value>| -> Vec<Value> {
        let same = |item: &Value| item["customKeyIdentifier"] == certificate["customKeyIdentifier"];
        items.into_iter().filter(same).collect()
    };
    let keys = of_pair(credentials(&fixture, "keyCredentials"));
    assert_eq!(keys.len(), 2);
    assert_eq!(
        (&keys[0]["usage"], &keys[1]["usage"]),
        (&json!("Sign"), &json!("Verify"))
    );
    assert_eq!(keys[0]["key"], Value::Null);
    let passwords = of_pair(credentials(&fixture, "passwordCredentials"));
    assert_eq!(passwords[0]["keyId"], keys[0]["keyId"]);
    let other = fixture.post(&add, &json!({"displayName": "CN=Shop"}));
    assert_ne!(other.body["thumbprint"], certificate["thumbprint"]);
}

#[test]
fn a_token_signing_certificate_lasts_three_years_at_most() {
    let fixture = writer();
    let add = format!("{}/addTokenSigningCertificate", one());
    for (body, status) in [
        (
            json!({"displayName": "CN=S", "endDateTime": "2029-11-21T02:08:02Z"}),
            200,
        ),
        (
            json!({"displayName": "CN=S", "endDateTime": "2029-11-21T02:08:03Z"}),
            400,
        ),
        (
            json!({"displayName": "CN=S", "endDateTime": "2026-11-21T02:08:02Z"}),
            400,
        ),
        (json!({"displayName": "CN=S", "endDateTime": "soon"}), 400),
        (json!({"displayName": "Shop"}), 400),
        (json!({"displayName": "CN="}), 400),
        (json!({}), 400),
        (json!({"displayName": "CN=S", "colour": "red"}), 400),
    ] {
        assert_eq!(fixture.post(&add, &body).status, status, "{body}");
    }
    let mut reader = writer();
    reader.application(&["Application.Read.All"]);
    let body = json!({"displayName": "CN=S"});
    assert_eq!(reader.post(&add, &body).status, 403);
}

#[test]
fn a_service_principal_is_created_or_changed_by_its_client_id() {
    let fixture = writer();
    let app = fixture.post("/applications", &json!({"displayName": "Shop"}));
    let app_id = app.body["appId"].as_str().unwrap().to_owned();
    let target = format!("/servicePrincipals(appId='{app_id}')");
    let upsert = |target: &str, body: &Value, prefer: bool| {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(prefer.then_some(("prefer", "create-if-missing")));
        let mut request = request("PATCH", target, &headers);
        request.body = body.to_string().into_bytes();
        fixture.send(&request)
    };
    let body = json!({"displayName": "Shop here", "accountEnabled": false});
    assert_eq!(upsert(&target, &body, false).status, 404);
    let created = upsert(&target, &body, true);
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.body["appId"], app_id.as_str());
    assert_eq!(created.body["displayName"], "Shop here");
    assert_eq!(created.body["accountEnabled"], false);
    let changed = upsert(&target, &json!({"displayName": "Shop there"}), true);
    assert_eq!(changed.status, 204);
    assert_eq!(fixture.get(&target).body["displayName"], "Shop there");
    let unknown = format!("/servicePrincipals(appId='{}')", id(404));
    assert_eq!(upsert(&unknown, &body, true).status, 400);
    // Other alternate keys name no new object.
    let by_app_id = format!("/applications(appId='{}')", id(404));
    assert_eq!(upsert(&by_app_id, &body, true).status, 404);
}

#[test]
fn a_delta_follows_service_principals() {
    let fixture = with_certificate();
    let first = fixture.get("/servicePrincipals/delta");
    assert_eq!(first.status, 200, "{}", first.text);
    let mut link = first.body["@odata.deltaLink"].as_str();
    assert!(first.all("displayName").contains(&"Expense Desk"));
    let link = link
        .take()
        .unwrap()
        .strip_prefix("https://tenant.test/v1.0");
    assert_eq!(
        fixture
            .patch(&one(), &json!({"displayName": "Desk"}))
            .status,
        204
    );
    let next = fixture.get(link.unwrap());
    assert_eq!(next.all("displayName"), ["Desk"]);
}
