//! Thousands of genuine notifications with forged, replayed, truncated and foreign ones among them.

use entra_core::{SecureRandom, SeededRandom, bytes::Bytes, http::Method};
use entra_graph::notifications::{NotificationEvent, Verified};
use serde_json::{Value, json};

use super::publisher::{
    CLIENT, Verifier, basic, body, body_with_tokens, claims, decrypting, encrypted, token,
};

fn below(random: &SeededRandom, most: u64) -> usize {
    let mut bytes = [0; 8];
    random.fill(&mut bytes).unwrap();
    usize::try_from(u64::from_le_bytes(bytes) % most).unwrap()
}

/// What is sent, and how many of its notifications are genuine and new.
fn request(random: &SeededRandom, number: usize, good: &str, sent: &[Bytes]) -> (Bytes, usize) {
    let mut one = if number.is_multiple_of(8) {
        encrypted(0, &json!({ "number": number }))
    } else {
        basic()
    };
    one["id"] = json!(format!("genuine-{number}"));
    let tokens = [good.to_owned()];
    let genuine = |items: &[Value]| body_with_tokens(items, &tokens);
    let altered = |name: &str, value: Value| {
        let mut item = one.clone();
        item[name] = value;
        genuine(&[item])
    };
    match below(random, 8) {
        0 => (altered("clientState", json!(format!("guess-{number}"))), 0),
        1 => (altered("tenantId", json!("not a tenant")), 0),
        2 if !sent.is_empty() => (sent[below(random, sent.len() as u64)].clone(), 0),
        3 => {
            let whole = genuine(&[one]);
            (whole.slice(..below(random, whole.len() as u64)), 0)
        }
        4 => {
            let mut whole = genuine(&[encrypted(0, &json!({}))]).to_vec();
            // A byte inside of the base64 of the data.
            let text = String::from_utf8(whole.clone()).unwrap();
            let at = text.find(r#""data":""#).unwrap() + 10;
            whole[at] = if whole[at] == b'A' { b'B' } else { b'A' };
            (whole.into(), 0)
        }
        5 => {
            let mut foreign = claims();
            foreign["aud"] = json!("99999999-9999-9999-9999-999999999999");
            foreign["tid"] = json!(CLIENT);
            (body_with_tokens(&[one], &[token(&foreign)]), 0)
        }
        _ => (genuine(&[one]), 1),
    }
}

#[tokio::test]
async fn only_genuine_notifications_of_a_storm_are_accepted() {
    let receiver = decrypting(&Verifier::default());
    let random = SeededRandom::new(12);
    let good = token(&claims());
    let (mut sent, mut expected, mut accepted, mut rejected) = (Vec::new(), 0, 0, 0);
    for number in 0..1_500 {
        let (request, genuine) = request(&random, number, &good, &sent);
        expected += genuine;
        let received = receiver.respond(&Method::POST, None, request.clone());
        let verified = match &received.delivery {
            Some(delivery) => receiver.verify(delivery).await.unwrap(),
            None => Verified::default(),
        };
        assert_eq!(verified.accepted.len(), genuine, "number {number}");
        let is_change = |event: &NotificationEvent| matches!(event, NotificationEvent::Change(_));
        assert!(verified.accepted.iter().all(is_change));
        accepted += verified.accepted.len();
        rejected += verified.rejected_count();
        if genuine == 1 {
            sent.push(request);
        }
    }
    assert_eq!(accepted, expected);
    assert!(
        accepted > 300 && rejected > 500,
        "{accepted} of them, {rejected} rejected"
    );
}

#[tokio::test]
async fn random_bytes_and_cut_bodies_are_never_accepted() {
    let receiver = decrypting(&Verifier::default());
    let random = SeededRandom::new(13);
    let whole = body(&[basic()]);
    for cut in 0..whole.len() {
        let received = receiver.respond(&Method::POST, None, whole.slice(..cut));
        assert_eq!(received.response.status(), 400, "{cut}");
    }
    for _ in 0..2_000 {
        let mut bytes = whole.to_vec();
        for _ in 0..=below(&random, 4) {
            let at = below(&random, bytes.len() as u64);
            let mut new = [0];
            random.fill(&mut new).unwrap();
            bytes[at] = new[0];
        }
        let received = receiver.respond(&Method::POST, None, bytes.into());
        if let Some(delivery) = received.delivery {
            for event in receiver.verify(&delivery).await.unwrap().accepted {
                let NotificationEvent::Change(change) = event else {
                    panic!("{event:?} came of a change");
                };
                // Only what is not secret can differ.
                assert!(change.content.is_none());
            }
        }
    }
}
