//! An ID token with known keys beside the least it could cost: what jsonwebtoken needs for the same
//! token with the same crypto library, checking signature, issuer, audience and times.

#![expect(clippy::unwrap_used, reason = "a measurement that fails may panic")]

use std::{
    hint::black_box,
    time::{Duration, Instant, SystemTime},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use criterion::{Criterion, criterion_group, criterion_main};
use entra_auth::TokenValidator;
use entra_core::ScriptedTransport;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Builder;

const TENANT: &str = "11111111-1111-1111-1111-111111111111";
const CLIENT: &str = "22222222-2222-2222-2222-222222222222";
const ISSUER: &str = "https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/v2.0";
const KEY: &str = "W5dOMzTU6sBr0CwE5Pvk1kYVZ3s";

/// A token as Entra issues it, with the modulus and the exponent of its key.
fn token() -> (String, String, String) {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": KEY });
    let claims = json!({
        "aud": CLIENT, "iss": ISSUER, "iat": now - 300, "nbf": now - 300, "exp": now + 36_000,
        "aio": "x".repeat(60), "name": "Adele Vance", "nonce": "n".repeat(43),
        "oid": "44444444-4444-4444-4444-444444444444", "preferred_username": "adele@contoso.com",
        "rh": "1.AXAA8gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABwAA.", "sub": "s".repeat(43),
        "tid": TENANT, "uti": "u".repeat(22), "ver": "2.0",
    });
    let message = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(claims.to_string().as_bytes())
    );
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message.as_bytes(),
        &mut signature,
    )
    .unwrap();
    let public = pair.public_key();
    (
        format!("{message}.{}", encode(&signature)),
        encode(public.modulus().big_endian_without_leading_zero()),
        encode(public.exponent().big_endian_without_leading_zero()),
    )
}

/// The claims that an application would have read out without this crate.
#[derive(Deserialize)]
#[expect(dead_code, reason = "decoding them is what is measured")]
struct Claims {
    aud: String,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    name: String,
    nonce: String,
    oid: String,
    preferred_username: String,
    sub: String,
    tid: String,
}

fn validate(criterion: &mut Criterion) {
    let (token, n, e) = token();
    let metadata =
        json!({ "issuer": ISSUER, "jwks_uri": "https://login.microsoftonline.com/keys" });
    let keys = json!({ "keys": [{ "kty": "RSA", "use": "sig", "kid": KEY, "n": n, "e": e, "issuer": ISSUER }] });
    let transport = ScriptedTransport::new()
        .then(200, &[], metadata.to_string())
        .then(200, &[], keys.to_string());
    let validator = TokenValidator::id_tokens(TENANT, CLIENT)
        .transport(transport)
        .build()
        .unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(validator.validate(&token)).unwrap();

    let key = DecodingKey::from_rsa_components(&n, &e).unwrap();
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_audience(&[CLIENT]);
    rules.set_issuer(&[ISSUER]);
    rules.validate_nbf = true;

    let mut group = criterion.benchmark_group("id token");
    group.bench_function("jsonwebtoken, named claims", |bencher| {
        bencher.iter(|| black_box(decode::<Claims>(black_box(&token), &key, &rules).unwrap()));
    });
    group.bench_function("jsonwebtoken, all claims", |bencher| {
        bencher.iter(|| black_box(decode::<Value>(black_box(&token), &key, &rules).unwrap()));
    });
    group.bench_function("validate", |bencher| {
        bencher.iter_custom(|iterations| {
            let started = Instant::now();
            runtime.block_on(async {
                for _ in 0..iterations {
                    black_box(validator.validate(black_box(&token)).await.unwrap());
                }
            });
            started.elapsed()
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(50).measurement_time(Duration::from_secs(3));
    targets = validate
}
criterion_main!(benches);
