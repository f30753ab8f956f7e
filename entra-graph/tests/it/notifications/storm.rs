//! Thousands of genuine notifications with forged, replayed, truncated and foreign ones among them.

use entra_core::{SecureRandom, SeededRandom, bytes::Bytes, http::Method};
use entra_graph::notifications::{NotificationEvent, ResourceContent, Verified};
use serde_json::{Value, json};

use super::publisher::{
    CLIENT, CLIENT_STATE, Verifier, basic, body, body_with_tokens, claims, decrypting, encrypted,
    token,
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

/// What the only notification of a body says, by a reader of its own.
fn notification(body: &[u8]) -> Value {
    let body: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(body["value"].as_array().map(Vec::len), Some(1));
    body["value"][0].clone()
}

#[tokio::test]
async fn random_bytes_and_cut_bodies_are_never_accepted() {
    let receiver = decrypting(&Verifier::default());
    let random = SeededRandom::new(13);
    let good = [token(&claims())];
    let message = json!({ "id": "1565" });
    let mut accepted = [0, 0];
    for number in 0..4_000 {
        // A new one each time, so that none is rejected as a copy.
        let has_content = number % 2 == 1;
        let whole = match has_content {
            true => body_with_tokens(&[encrypted(0, &message)], &good),
            false => body(&[basic()]),
        };
        if number < 2 {
            for cut in 0..whole.len() {
                let received = receiver.respond(&Method::POST, None, whole.slice(..cut));
                assert_eq!(received.response.status(), 400, "{cut}");
            }
        }
        let mut bytes = whole.to_vec();
        for _ in 0..=below(&random, 4) {
            let at = below(&random, bytes.len() as u64);
            let mut new = [0];
            random.fill(&mut new).unwrap();
            bytes[at] = new[0];
        }
        let received = receiver.respond(&Method::POST, None, bytes.clone().into());
        let Some(delivery) = received.delivery else {
            continue;
        };
        for event in receiver.verify(&delivery).await.unwrap().accepted {
            let NotificationEvent::Change(change) = event else {
                panic!("{event:?} came of a change");
            };
            // Only what is not secret can differ.
            let item = notification(&bytes);
            assert_eq!(item["clientState"], CLIENT_STATE);
            let expected = item.get("encryptedContent").map(|_| message.to_string());
            let content = change.content.as_ref().map(ResourceContent::as_bytes);
            assert_eq!(content, expected.as_deref().map(str::as_bytes));
            accepted[usize::from(content.is_some())] += 1;
        }
    }
    assert!(accepted.iter().all(|count| *count > 10), "{accepted:?}");
}
