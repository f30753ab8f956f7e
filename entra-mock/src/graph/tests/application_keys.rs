use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::*;
use crate::{keys, login::Certificate};

const APPS: &str = "/applications";

fn writer() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&["Application.ReadWrite.All", "Directory.Read.All"]);
    fixture
}

/// A certificate of the pool whose key signs proofs.
fn certificate() -> String {
    keys::pool()[0].x5c()
}

fn other_certificate() -> String {
    keys::pool()[1].x5c()
}

fn key(certificate: &str) -> Value {
    json!({"type": "AsymmetricX509Cert", "usage": "Verify", "key": certificate})
}

fn proof_of(fixture: &Fixture, change: impl FnOnce(&mut Value)) -> String {
    let now = fixture.now.unix_timestamp();
    let mut claims = json!({
        "aud": "00000002-0000-0000-c000-000000000000", "iss": id(DESK_APP), "nbf": now, "exp": now + 600
    });
    change(&mut claims);
    let encode =
        |part: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(part.to_string());
    let header = json!({"alg": "RS256", "typ": "JWT"});
    let message = format!("{}.{}", encode(&header), encode(&claims));
    keys::pool()[0].sign(message).unwrap()
}

fn proof(fixture: &Fixture) -> String {
    proof_of(fixture, |_| {})
}

/// A tenant whose application Expense Desk has one certificate, and the key id.
fn with_certificate() -> (Fixture, String) {
    let fixture = writer();
    let one = format!("{APPS}/{}", id(DESK_APP));
    let patch = json!({"keyCredentials": [key(&certificate())]});
    let response = fixture.patch(&one, &patch);
    assert_eq!(response.status, 204, "{}", response.text);
    let read = fixture.get(&format!("{one}?$select=keyCredentials"));
    let key_id = read.body["keyCredentials"][0]["keyId"]
        .as_str()
        .unwrap()
        .to_owned();
    (fixture, key_id)
}

fn count(fixture: &Fixture) -> usize {
    let read = fixture.get(&format!("{APPS}/{}", id(DESK_APP)));
    read.body["keyCredentials"].as_array().unwrap().len()
}

#[test]
fn twenty_writers_who_add_certificates_at_once_lose_none() {
    let (fixture, _) = with_certificate();
    let target = format!("{APPS}/{}/addKey", id(DESK_APP));
    let proof = proof(&fixture);
    std::thread::scope(|scope| {
        for writer in 0..20 {
            let (fixture, target, proof) = (&fixture, &target, &proof);
            scope.spawn(move || {
                let mut key = key(&other_certificate());
                key["displayName"] = format!("writer {writer}").into();
                let add = json!({"keyCredential": key, "passwordCredential": null, "proof": proof});
                assert_eq!(fixture.post(target, &add).status, 200);
            });
        }
    });
    assert_eq!(count(&fixture), 21);
}

#[test]
fn a_certificate_is_added_and_removed_with_a_proof() {
    let (fixture, key_id) = with_certificate();
    let one = format!("{APPS}/{}", id(DESK_APP));
    let add = json!({"keyCredential": key(&other_certificate()), "passwordCredential": null, "proof": proof(&fixture)});
    let response = fixture.post(&format!("{one}/addKey"), &add);
    assert_eq!(response.status, 200, "{}", response.text);
    let context = response.body["@odata.context"].as_str().unwrap();
    assert!(context.ends_with("#microsoft.graph.keyCredential"));
    let read = fixture.get(&one);
    assert_eq!(read.body["keyCredentials"][1]["key"], Value::Null);
    assert_eq!(count(&fixture), 2);
    let selected = fixture.get(&format!("{one}?$select=keyCredentials"));
    assert_eq!(
        selected.body["keyCredentials"][1]["key"],
        other_certificate()
    );
    let remove = json!({"keyId": key_id, "proof": proof(&fixture)});
    assert_eq!(
        fixture.post(&format!("{one}/removeKey"), &remove).status,
        204
    );
    assert_eq!(count(&fixture), 1);
    // The certificate that signs the proof is gone.
    assert_eq!(fixture.post(&format!("{one}/addKey"), &add).status, 401);
}

#[test]
fn an_invalid_proof_returns_401() {
    let (fixture, key_id) = with_certificate();
    let one = format!("{APPS}/{}", id(DESK_APP));
    let now = fixture.now.unix_timestamp();
    let proofs = [
        "no JWT".to_owned(),
        proof_of(&fixture, |claims| {
            claims["aud"] = "00000003-0000-0000-c000-000000000000".into()
        }),
        proof_of(&fixture, |claims| claims["iss"] = id(220).into()),
        proof_of(&fixture, |claims| claims["exp"] = (now + 601).into()),
        proof_of(&fixture, |claims| claims["exp"] = Value::Null),
        proof_of(&fixture, |claims| {
            claims["nbf"] = (now - 700).into();
            claims["exp"] = (now - 100).into();
        }),
        {
            let mut other = proof(&fixture);
            other.truncate(other.rfind('.').unwrap() + 1);
            other + "AAAA"
        },
    ];
    for proof in proofs {
        for (action, body) in [
            (
                "addKey",
                json!({"keyCredential": key(&other_certificate()), "proof": proof}),
            ),
            ("removeKey", json!({"keyId": key_id, "proof": proof})),
        ] {
            let response = fixture.post(&format!("{one}/{action}"), &body);
            let (status, code, _) = response.error();
            assert_eq!(
                (status, code),
                (401, "Authentication_MissingOrMalformed"),
                "{proof}"
            );
        }
    }
    for body in [
        json!({}),
        json!({"proof": proof(&fixture)}),
        json!({"keyCredential": key(&certificate())}),
    ] {
        assert_eq!(
            fixture.post(&format!("{one}/addKey"), &body).status,
            400,
            "{body}"
        );
    }
    assert_eq!(count(&fixture), 1);
}

#[test]
fn an_application_changes_its_own_keys_without_a_permission() {
    let (mut fixture, _) = with_certificate();
    let target = format!("{APPS}/{}/addKey", id(DESK_APP));
    let body = json!({"keyCredential": key(&other_certificate()), "proof": proof(&fixture)});
    fixture.application(&[]);
    assert_eq!(fixture.post(&target, &body).status, 403);
    fixture.caller.app_id = id(220);
    assert_eq!(fixture.post(&target, &body).status, 200);
}

#[test]
fn an_update_of_all_certificates_keeps_known_ones_unchanged() {
    let (fixture, key_id) = with_certificate();
    let one = format!("{APPS}/{}", id(DESK_APP));
    let listed = fixture.get(&one).body["keyCredentials"].clone();
    let mut both = listed.as_array().unwrap().clone();
    both.push(key(&other_certificate()));
    assert_eq!(
        fixture.patch(&one, &json!({"keyCredentials": both})).status,
        204
    );
    assert_eq!(count(&fixture), 2);
    let mut changed = listed.clone();
    changed[0]["displayName"] = "other".into();
    let response = fixture.patch(&one, &json!({"keyCredentials": changed}));
    assert_eq!(response.status, 400);
    assert!(
        response
            .error()
            .2
            .contains(&format!("KeyId '{key_id}' is not allowed"))
    );
    for invalid in [
        json!([{"type": "AsymmetricX509Cert", "usage": "Verify"}]),
        json!([{"type": "AsymmetricX509Cert", "usage": "Verify", "key": "AAAA"}]),
        json!([{"type": "AsymmetricX509Cert", "usage": "Sign", "key": certificate()}]),
        json!([{"usage": "Verify", "key": certificate()}]),
        json!([{"type": "AsymmetricX509Cert", "usage": "Verify", "key": certificate(), "endDateTime": "2020-01-02T00:00:00Z"}]),
        json!([{"type": "AsymmetricX509Cert", "usage": "Verify", "key": certificate(), "endDateTime": "9000-01-02T00:00:00Z"}]),
    ] {
        let body = json!({"keyCredentials": invalid});
        assert_eq!(fixture.patch(&one, &body).status, 400, "{body}");
    }
    assert_eq!(count(&fixture), 2);
    let der = STANDARD.decode(certificate()).unwrap();
    assert!(Certificate::read(&der).is_some());
}

#[test]
fn a_publisher_is_verified_by_signed_in_users_only() {
    let mut fixture = writer();
    let one = format!("{APPS}/{}", id(DESK_APP));
    let set = format!("{one}/setVerifiedPublisher");
    let body = json!({"verifiedPublisherId": "1234567"});
    assert_eq!(fixture.post(&set, &body).status, 403);
    fixture.adele(&["Application.ReadWrite.All"]);
    fixture.promote(ADELE);
    for invalid in [
        json!({}),
        json!({"verifiedPublisherId": "x"}),
        json!({"verifiedPublisherId": 1_234_567}),
    ] {
        assert_eq!(fixture.post(&set, &invalid).status, 400, "{invalid}");
    }
    assert_eq!(fixture.post(&set, &body).status, 204);
    let publisher = fixture.get(&one).body["verifiedPublisher"].clone();
    assert_eq!(publisher["verifiedPublisherId"], "1234567");
    let unset = format!("{one}/unsetVerifiedPublisher");
    assert_eq!(fixture.post(&unset, &json!({})).status, 204);
    assert_eq!(fixture.get(&one).body["verifiedPublisher"], Value::Null);
}

#[test]
fn a_logo_is_an_image() {
    let fixture = writer();
    let one = format!("{APPS}/{}", id(DESK_APP));
    let put = |content_type: &str, bytes: &[u8]| {
        let mut request = request(
            "PUT",
            &format!("{one}/logo"),
            &[("content-type", content_type)],
        );
        request.body = bytes.to_vec();
        fixture.send(&request).status
    };
    assert_eq!(put("text/plain", b"x"), 400);
    assert_eq!(put("image/png", b""), 400);
    assert_eq!(put("image/png", b"\x89PNG"), 204);
    let info = fixture.get(&one).body["info"].clone();
    assert!(info["logoUrl"].is_string());
    let principal = format!("/servicePrincipals/{}?$select=info", id(DESK));
    assert_eq!(fixture.get(&principal).body["info"], info);
}

#[test]
fn a_certificate_with_line_breaks_is_accepted_and_returned_without_them() {
    let fixture = writer();
    let one = format!("{APPS}/{}", id(DESK_APP));
    let lines: Vec<String> = certificate()
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8(line.to_vec()).unwrap())
        .collect();
    for separator in ["\n", "\r\n"] {
        let patch =
            json!({"keyCredentials": [key(&format!("{}{separator}", lines.join(separator)))]});
        let response = fixture.patch(&one, &patch);
        assert_eq!(response.status, 204, "{}", response.text);
        let read = fixture.get(&format!("{one}?$select=keyCredentials"));
        assert_eq!(read.body["keyCredentials"][0]["key"], certificate());
    }
    let patch = json!({"keyCredentials": [key(&lines.join("-"))]});
    assert_eq!(fixture.patch(&one, &patch).status, 400);
}
