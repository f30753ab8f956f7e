//! What it costs to receive change notifications: `cargo bench -p entra-graph --all-features --bench notifications`.
//!
//! CPU time of one core, by the kernel's count, so that other programs on the machine do not matter: notifications about users
//! per second; those with resource data, a signed validation token each, beside the bare RSA-OAEP decryption of their keys; and
//! the peak memory after a storm of genuine, forged, copied and cut ones.
#![expect(clippy::unwrap_used, reason = "a measurement that fails has no figure")]

#[allow(dead_code, reason = "shared with the integration tests")]
#[path = "../tests/it/notifications/publisher.rs"]
mod publisher;

use std::{fs, hint::black_box, time::Instant};

use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_core::{bytes::Bytes, http::Method};
use entra_graph::notifications::Receiver;
use serde_json::{Value, json};

use publisher::{
    CERTIFICATES, NOW, Verifier, basic, body, body_with_tokens, builder, claims, decrypting,
    encrypted, token,
};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("| notifications about users | per second of one core |\n|---|---|");
    for items in [1, 50] {
        let per_second = basic_per_second(items).await;
        println!("| {items} in a request | {per_second:.0} |");
    }
    println!(
        "\n| with resource data, 1 in a request | CPU time | beside the decryption |\n|---|---|---|"
    );
    for (name, tokens) in [
        ("the token of the requests before", 1),
        ("a new token", COUNT),
    ] {
        let (ours, bare) = resource_data(tokens).await;
        println!(
            "| the bare RSA-OAEP decryption of its key | {:.1} us | 1.00 |",
            bare * 1e6
        );
        println!(
            "| received with {name}: token, key, signature, content | {:.1} us | {:.2} |",
            ours * 1e6,
            ours / bare
        );
    }
    println!("\n| requests of a storm | peak memory |\n|---|---|");
    let receiver = decrypting(&Verifier::default());
    for requests in [10_000, 100_000, 200_000] {
        storm(&receiver, requests).await;
        println!("| {requests} | {} KiB |", peak_memory());
    }
}

/// CPU time of this thread in seconds, or the time if the kernel does not count it.
fn cpu_time(start: Instant) -> f64 {
    let counted = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = counted.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |count| count / 1e9)
}

fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(
        || "unknown".to_owned(),
        |line| line.trim().trim_end_matches(" kB").to_owned(),
    )
}

/// The number of accepted notifications.
async fn receive(receiver: &Receiver, request: &Bytes) -> usize {
    let received = receiver.respond(&Method::POST, None, request.clone());
    match received.delivery {
        Some(delivery) => receiver.verify(&delivery).await.unwrap().accepted.len(),
        None => 0,
    }
}

async fn basic_per_second(items: u32) -> f64 {
    let receiver = builder().build().unwrap();
    let requests: Vec<Bytes> = (0..2_000)
        .map(|request| {
            let item = |number: u32| {
                let mut item = basic();
                item["id"] = json!(format!("{request}-{number}"));
                item
            };
            body(&(0..items).map(item).collect::<Vec<Value>>())
        })
        .collect();
    let start = Instant::now();
    let before = cpu_time(start);
    let mut accepted = 0_u32;
    for request in &requests {
        accepted += u32::try_from(receive(&receiver, request).await).unwrap();
    }
    assert_eq!(accepted, 2_000 * items);
    f64::from(accepted) / (cpu_time(start) - before)
}

/// The notifications with resource data in a run.
const COUNT: u32 = 200;

/// Seconds of CPU time for one notification, and for the bare decryption of its key: the least of several runs. `tokens` is
/// how many different validation tokens there are.
async fn resource_data(tokens: u32) -> (f64, f64) {
    let key = PrivateDecryptingKey::from_pkcs8(&CERTIFICATES[0].pkcs8).unwrap();
    let key = OaepPrivateDecryptingKey::new(key).unwrap();
    let message = json!({ "id": "1565", "body": { "content": "x".repeat(400) } });
    let (mut ours, mut bare) = (f64::MAX, f64::MAX);
    let tokens: Vec<[String; 1]> = (0..tokens)
        .map(|number| {
            let mut claims = claims();
            claims["exp"] = json!(NOW + 29_100 + i64::from(number));
            [token(&claims)]
        })
        .collect();
    for _ in 0..15 {
        let receiver = decrypting(&Verifier::default());
        let items: Vec<Value> = (0..COUNT).map(|_| encrypted(0, &message)).collect();
        let requests: Vec<Bytes> = items
            .iter()
            .zip(tokens.iter().cycle())
            .map(|(item, tokens)| body_with_tokens(std::slice::from_ref(item), tokens))
            .collect();
        let wrapped: Vec<Vec<u8>> = items
            .iter()
            .map(|item| {
                STANDARD
                    .decode(item["encryptedContent"]["dataKey"].as_str().unwrap())
                    .unwrap()
            })
            .collect();
        let start = Instant::now();
        let before = cpu_time(start);
        let mut out = vec![0; key.min_output_size()];
        for wrapped in &wrapped {
            black_box(
                key.decrypt(&OAEP_SHA1_MGF1SHA1, wrapped, &mut out, None)
                    .unwrap(),
            );
        }
        let between = cpu_time(start);
        for request in &requests {
            assert_eq!(receive(&receiver, request).await, 1);
        }
        let after = cpu_time(start);
        bare = bare.min((between - before) / f64::from(COUNT));
        ours = ours.min((after - between) / f64::from(COUNT));
    }
    (ours, bare)
}

/// Requests of all kinds: genuine, forged, copied, cut.
async fn storm(receiver: &Receiver, requests: u32) {
    let good = [token(&claims())];
    let mut forged = encrypted(0, &json!({}));
    forged["encryptedContent"]["dataSignature"] = json!("AAAA");
    let forged = body_with_tokens(&[forged], &good);
    let mut guessed = basic();
    guessed["clientState"] = json!("guessed");
    let guessed = body(&[guessed]);
    let copied = body_with_tokens(&[encrypted(0, &json!({}))], &good);
    for number in 0..requests {
        let mut one = basic();
        one["id"] = json!(format!("{requests}-{number}"));
        let genuine = body(&[one]);
        assert_eq!(receive(receiver, &genuine).await, 1);
        for bad in [&genuine, &guessed, &genuine.slice(..200)] {
            assert_eq!(receive(receiver, bad).await, 0);
        }
        if number % 100 == 0 {
            assert_eq!(receive(receiver, &forged).await, 0);
            receive(receiver, &copied).await;
        }
    }
}
