//! A validation token is verified once: what is reused, and what is not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use entra_core::{JwtError, JwtVerifier, ManualClock, http::Method};
use entra_graph::notifications::{Receiver, RejectionReason};
use serde_json::{Map, Value, json};

use super::publisher::{
    CLIENT, NOW, TENANT, Verifier, basic, body_with_tokens, builder, claims, clock, deliver, token,
};

/// A receiver that accepts nothing without a token.
fn requiring(verifier: &Verifier) -> (Receiver, ManualClock) {
    let clock = clock();
    let receiver = builder()
        .clock(clock.clone())
        .validation_tokens(verifier.clone(), [CLIENT])
        .require_validation_tokens()
        .build()
        .unwrap();
    (receiver, clock)
}

/// The number of accepted notifications of a request with these tokens.
async fn accepted(receiver: &Receiver, tokens: &[String]) -> usize {
    let verified = deliver(receiver, body_with_tokens(&[basic()], tokens)).await;
    verified.accepted.len()
}

fn expiring_in(seconds: i64) -> String {
    let mut claims = claims();
    claims["exp"] = json!(NOW + seconds);
    token(&claims)
}

fn calls(verifier: &Verifier) -> u64 {
    verifier.verified.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_token_that_comes_again_is_verified_once_in_an_hour() {
    let verifier = Verifier::default();
    let (receiver, clock) = requiring(&verifier);
    let tokens = [expiring_in(29_100)];
    for _ in 0..5 {
        assert_eq!(accepted(&receiver, &tokens).await, 1);
    }
    assert_eq!(calls(&verifier), 1);
    assert_eq!(accepted(&receiver, &[expiring_in(29_101)]).await, 1);
    assert_eq!(calls(&verifier), 2, "another token");
    clock.advance(Duration::from_secs(3599));
    assert_eq!(accepted(&receiver, &tokens).await, 1);
    assert_eq!(calls(&verifier), 2);
    clock.advance(Duration::from_secs(1));
    assert_eq!(accepted(&receiver, &tokens).await, 1);
    assert_eq!(calls(&verifier), 3);
}

#[tokio::test]
async fn a_verified_token_counts_no_longer_than_it_lives() {
    let verifier = Verifier::default();
    let (receiver, clock) = requiring(&verifier);
    let tokens = [expiring_in(60)];
    assert_eq!(accepted(&receiver, &tokens).await, 1);
    verifier.is_down.store(true, Ordering::Relaxed);
    clock.advance(Duration::from_secs(59));
    assert_eq!(accepted(&receiver, &tokens).await, 1, "no key is needed");
    clock.advance(Duration::from_secs(1));
    let request = body_with_tokens(&[basic()], &tokens);
    let delivery = receiver.respond(&Method::POST, None, request).delivery;
    assert!(receiver.verify(&delivery.unwrap()).await.is_err());
}

/// Accepts everything, with this `exp`.
#[derive(Debug)]
struct Lenient {
    exp: Value,
    verified: Arc<AtomicU64>,
}

#[async_trait]
impl JwtVerifier for Lenient {
    async fn verify(&self, _: &str) -> Result<Map<String, Value>, JwtError> {
        self.verified.fetch_add(1, Ordering::Relaxed);
        let mut claims = claims();
        claims["exp"] = self.exp.clone();
        Ok(claims.as_object().cloned().unwrap_or_default())
    }
}

#[tokio::test]
async fn a_token_is_verified_each_time_unless_it_expires_at_a_known_time_to_come() {
    for exp in [
        Value::Null,
        json!((NOW + 60).to_string()),
        json!(1e300),
        json!(NOW),
        json!(i64::MIN),
    ] {
        let verified = Arc::new(AtomicU64::new(0));
        let verifier = Lenient {
            exp: exp.clone(),
            verified: Arc::clone(&verified),
        };
        let receiver = builder().validation_tokens(verifier, [CLIENT]);
        let receiver = receiver.require_validation_tokens().build().unwrap();
        for times in 1..4 {
            assert_eq!(accepted(&receiver, &["any".to_owned()]).await, 1, "{exp}");
            assert_eq!(verified.load(Ordering::Relaxed), times, "{exp}");
        }
    }
}

#[tokio::test]
async fn a_token_that_was_rejected_is_never_accepted_from_memory() {
    let verifier = Verifier::default();
    let (receiver, _) = requiring(&verifier);
    let altered = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        token(&claims)
    };
    let good = token(&claims());
    assert_eq!(accepted(&receiver, std::slice::from_ref(&good)).await, 1);
    let rejected = [
        altered("aud", json!(TENANT)),
        altered("appid", json!(CLIENT)),
        altered("exp", json!(NOW)),
        good.trim_end_matches(|letter: char| letter != '.')
            .to_owned(),
        format!("{good}A"),
        good.to_uppercase(),
        format!(" {good}"),
    ];
    for token in &rejected {
        for _ in 0..2 {
            let tokens = [good.clone(), token.clone()];
            assert_eq!(accepted(&receiver, &tokens).await, 0, "{token}");
        }
    }
    assert_eq!(
        calls(&verifier),
        1 + 2 * rejected.len() as u64,
        "each time anew"
    );
}

#[tokio::test]
async fn a_verified_token_vouches_for_its_own_tenant_only() {
    let verifier = Verifier::default();
    let (receiver, _) = requiring(&verifier);
    let tokens = [token(&claims())];
    for _ in 0..2 {
        assert_eq!(accepted(&receiver, &tokens).await, 1);
        let mut foreign = basic();
        foreign["tenantId"] = json!(CLIENT);
        let verified = deliver(&receiver, body_with_tokens(&[foreign], &tokens)).await;
        assert_eq!(verified.rejected[&RejectionReason::TokenMissing], 1);
        assert!(verified.accepted.is_empty());
    }
    assert_eq!(calls(&verifier), 1);
}
