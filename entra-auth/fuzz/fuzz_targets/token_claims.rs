//! Good tokens with some of their header and claims left out, replaced, doubled or added, signed
//! again with the right key, so that only the claims can be rejected.
#![no_main]

use arbitrary::Arbitrary;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_auth::validate::ValidatedToken;
use entra_auth_fuzz::{
    ACCESS_VALIDATOR, CLIENT, IDENTITY_VALIDATOR, KID, NONCE, NOW, TENANT, access_claims,
    check_rejection, check_setup, identity_claims, issuer_v1, issuer_v2, object, run, sign,
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};

#[derive(Arbitrary, Debug)]
struct Forgery {
    identity: bool,
    header: Vec<Edit>,
    claims: Vec<Edit>,
    signature: Signature,
}

#[derive(Arbitrary, Debug)]
enum Edit {
    Remove(Name),
    Replace(Name, Json),
    Add(Name, Json),
}

/// A name that means something, or any other.
#[derive(Arbitrary, Debug)]
enum Name {
    Known(u8),
    Any(String),
}

/// A value that means something, or any other.
#[derive(Arbitrary, Debug)]
enum Json {
    Null,
    Bool(bool),
    Number(i64),
    Fraction(f64),
    Near(i16),
    Good(u8),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

#[derive(Arbitrary, Debug)]
enum Signature {
    Right,
    Flipped(u8),
    Cut(u8),
    Any(Vec<u8>),
}

const NAMES: [&str; 31] = [
    "alg",
    "kid",
    "typ",
    "crit",
    "nonce",
    "jwk",
    "jku",
    "x5c",
    "aud",
    "iss",
    "iat",
    "nbf",
    "exp",
    "sub",
    "tid",
    "oid",
    "ver",
    "azp",
    "appid",
    "azpacr",
    "appidacr",
    "scp",
    "roles",
    "idtyp",
    "groups",
    "_claim_names",
    "hasgroups",
    "xms_cc",
    "acct",
    "at_hash",
    "preferred_username",
];

impl Name {
    fn text(&self) -> &str {
        match self {
            Self::Known(number) => NAMES[usize::from(*number) % NAMES.len()],
            Self::Any(text) => text,
        }
    }
}

impl Json {
    fn value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => json!(value),
            Self::Number(value) => json!(value),
            Self::Fraction(value) => json!(value),
            Self::Near(seconds) => json!(NOW + i64::from(*seconds)),
            Self::Good(number) => {
                let good = [
                    json!("RS256"),
                    json!("none"),
                    json!("HS256"),
                    json!(KID),
                    json!("JWT"),
                    json!("at+jwt"),
                    json!(CLIENT),
                    json!(TENANT),
                    json!(NONCE),
                    json!(issuer_v1()),
                    json!(issuer_v2()),
                    json!("1.0"),
                    json!("2.0"),
                    json!("Tasks.Read"),
                    json!("app"),
                    json!("user"),
                    json!(format!("api://{CLIENT}")),
                    json!([CLIENT]),
                ];
                good[usize::from(*number) % good.len()].clone()
            }
            Self::Text(text) => json!(text),
            Self::List(items) => items.iter().map(Self::value).collect(),
            Self::Object(members) => members
                .iter()
                .map(|(name, value)| (name.clone(), value.value()))
                .collect(),
        }
    }
}

fn edited(good: Vec<(&'static str, Value)>, edits: &[Edit]) -> Vec<(String, Value)> {
    let mut members: Vec<(String, Value)> = good
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    for edit in edits {
        match edit {
            Edit::Remove(name) => members.retain(|(known, _)| known != name.text()),
            Edit::Replace(name, value) => {
                for (_, old) in members.iter_mut().filter(|(known, _)| known == name.text()) {
                    *old = value.value();
                }
            }
            Edit::Add(name, value) => members.push((name.text().to_owned(), value.value())),
        }
    }
    members
}

/// The members as an object, if none is there twice.
fn each_once(members: &[(String, Value)]) -> Map<String, Value> {
    let object: Map<String, Value> = members.iter().cloned().collect();
    assert_eq!(
        object.len(),
        members.len(),
        "a member given twice was accepted"
    );
    object
}

fuzz_target!(init: check_setup(), |forgery: Forgery| {
    let good = vec![("alg", json!("RS256")), ("kid", json!(KID)), ("typ", json!("JWT"))];
    let header = edited(good, &forgery.header);
    let good = if forgery.identity { identity_claims() } else { access_claims() };
    let claims = edited(good, &forgery.claims);
    let mut token = sign(&object(&header), &object(&claims));
    let at = token.rfind('.').map_or(0, |at| at + 1);
    let mut signature = URL_SAFE_NO_PAD.decode(&token[at..]).expect("our own signature");
    let right = signature.clone();
    match &forgery.signature {
        Signature::Right => {}
        Signature::Flipped(place) => signature[usize::from(*place)] ^= 1,
        Signature::Cut(length) => signature.truncate(usize::from(*length)),
        Signature::Any(bytes) => signature.clone_from(bytes),
    }
    token.truncate(at);
    URL_SAFE_NO_PAD.encode_string(&signature, &mut token);

    for identity in [true, false] {
        let outcome = match identity {
            true => run(IDENTITY_VALIDATOR.validate_id_token(&token, Some(NONCE))),
            false => run(ACCESS_VALIDATOR.validate(&token)),
        };
        match outcome {
            Ok(valid) => {
                assert_eq!(signature, right, "another signature was accepted");
                check_header(&each_once(&header));
                check_claims(&each_once(&claims), identity);
                check_reading(&valid, &each_once(&claims), identity);
            }
            Err(error) => check_rejection(&error),
        }
    }
});

fn check_header(header: &Map<String, Value>) {
    assert_eq!(header.get("alg"), Some(&json!("RS256")));
    assert_eq!(header.get("kid"), Some(&json!(KID)));
    assert!(!header.contains_key("crit"));
}

/// The rules for every accepted token, written independently of the validator.
fn check_claims(claims: &Map<String, Value>, identity: bool) {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let time = |name: &str| claims.get(name).and_then(Value::as_f64);
    let for_us = |value: &Value| {
        value
            .as_str()
            .is_some_and(|text| text.eq_ignore_ascii_case(CLIENT))
    };
    let aud = &claims["aud"];
    assert!(
        for_us(aud) || aud.as_array().is_some_and(|all| all.iter().any(for_us)),
        "{aud}"
    );
    let version = text("ver").unwrap_or("2.0");
    let issuer = if version == "1.0" {
        issuer_v1()
    } else {
        issuer_v2()
    };
    assert!(
        text("iss").is_some_and(|iss| iss.eq_ignore_ascii_case(&issuer)),
        "{:?}",
        claims.get("iss")
    );
    if let Some(tenant) = claims.get("tid") {
        assert!(
            tenant
                .as_str()
                .is_some_and(|text| text.eq_ignore_ascii_case(TENANT)),
            "{tenant}"
        );
    }
    let (now, leeway) = (NOW as f64, 300.0);
    assert!(
        time("exp").is_some_and(|exp| exp + leeway >= now),
        "{:?}",
        claims.get("exp")
    );
    for name in ["nbf", "iat"] {
        assert!(
            claims.get(name).is_none() || time(name).is_some_and(|from| from - leeway <= now + 1.0),
            "{name}"
        );
    }
    assert!(text("sub").is_some_and(|sub| !sub.is_empty()));
    if identity {
        assert_eq!(text("nonce"), Some(NONCE));
        assert_eq!(version, "2.0");
        assert!(!claims.contains_key("scp"));
    } else {
        assert!(claims.contains_key(if version == "1.0" { "appid" } else { "azp" }));
        let scopes = text("scp").unwrap_or_default();
        assert!(
            scopes.split_whitespace().any(|scope| scope == "Tasks.Read"),
            "{scopes}"
        );
    }
}

/// Whatever else stands in it, a believed token can be read.
fn check_reading(token: &ValidatedToken, claims: &Map<String, Value>, identity: bool) {
    // By way of the text, for what a fraction loses on it.
    let written: Map<String, Value> =
        serde_json::from_str(&json!(claims).to_string()).expect("JSON");
    assert_eq!(token.claims(), &written);
    assert!(!token.sub().is_empty() && !token.issuer().is_empty());
    assert_eq!(
        token.tid().map(|tenant| tenant.to_string()).as_deref(),
        Some(TENANT)
    );
    let _ = (
        token.oid(),
        token.app_id(),
        token.version(),
        token.issued_at(),
        token.supports_cae(),
    );
    assert!(token.roles().all(|role| token.has_role(role)));
    assert!(token.scopes().all(|scope| token.has_scope(scope)));
    assert_eq!(token.require_scope(&["Tasks.Read"]).is_ok(), !identity);
    assert!(token.expires_on().unix_timestamp() > NOW - 301);
    assert!(!format!("{token:?}").contains("Adele"));
}
