//! What the fuzz targets share: what Graph sends, with keys that never change, a receiver for it, and the rules for what is
//! accepted, written independently of the receiver.

mod rules;
mod sealed;
mod tokens;

use std::{
    future::Future,
    pin::pin,
    sync::LazyLock,
    task::{Context, Poll, Waker},
};

use entra_core::{ManualClock, Timestamp, bytes::Bytes, http::Method};
use entra_graph::notifications::{DecryptionKey, Delivery, Receiver, Verified};
use serde_json::{Value, json};

pub use rules::{check_accepted, check_rejections, is_of};
pub use sealed::{CERTIFICATES, Sealed};
use tokens::Verifier;
pub use tokens::{AWAY, sign, token_claims, token_tenant};

pub const CLIENT_STATE: &str = "canary-client-state";
pub const CLIENT: &str = "11111111-1111-4111-8111-111111111111";
pub const TENANT: &str = "22222222-2222-4222-8222-222222222222";
pub const OTHER_TENANT: &str = "99999999-9999-4999-8999-999999999999";
pub const SUBSCRIPTION: &str = "7f105c7d-2dc5-4530-97cd-4e7ae6534c07";
pub const USER: &str = "33333333-3333-4333-8333-333333333333";
pub const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";
/// When every fuzz run takes place: 2027-01-15T08:00:00Z.
pub const NOW: i64 = 1_800_000_000;
/// When the subscription expires.
pub const EXPIRES: &str = "2027-01-20T08:00:00.0000000Z";

/// A receiver of one tenant that has accepted nothing yet.
#[must_use]
pub fn receiver() -> Receiver {
    static KEYS: LazyLock<Vec<DecryptionKey>> =
        LazyLock::new(|| CERTIFICATES.iter().map(sealed::Certificate::key).collect());
    let clock = ManualClock::at(Timestamp::from_unix_timestamp(NOW).expect("a time"));
    let mut builder = Receiver::builder(CLIENT_STATE)
        .clock(clock)
        .tenants([TENANT])
        .validation_tokens(Verifier, [CLIENT]);
    for key in &*KEYS {
        builder = builder.decryption_key(key.clone());
    }
    builder.build().expect("good settings")
}

/// A notification of this number about a user, without resource data.
#[must_use]
pub fn basic(number: usize) -> Vec<(&'static str, Value)> {
    vec![
        ("id", json!(format!("notification-{number}"))),
        ("subscriptionId", json!(SUBSCRIPTION)),
        ("subscriptionExpirationDateTime", json!(EXPIRES)),
        ("clientState", json!(CLIENT_STATE)),
        ("changeType", json!("updated")),
        ("resource", json!(format!("Users/{USER}"))),
        ("tenantId", json!(TENANT)),
        (
            "resourceData",
            json!({"@odata.type": "#Microsoft.Graph.User", "id": format!("{USER}-{number}")}),
        ),
    ]
}

/// A lifecycle notification.
#[must_use]
pub fn lifecycle(event: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("subscriptionId", json!(SUBSCRIPTION)),
        ("subscriptionExpirationDateTime", json!(EXPIRES)),
        ("tenantId", json!(TENANT)),
        ("clientState", json!(CLIENT_STATE)),
        ("lifecycleEvent", json!(event)),
    ]
}

/// An object with these members in this order, whatever is there twice.
#[must_use]
pub fn object<N: AsRef<str>>(members: &[(N, Value)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{}:{value}", json!(name.as_ref())))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// The claims of a good validation token.
#[must_use]
pub fn good_claims() -> Vec<(&'static str, Value)> {
    vec![
        ("aud", json!(CLIENT)),
        ("iss", json!(format!("https://sts.windows.net/{TENANT}/"))),
        ("exp", json!(NOW + 29_100)),
        ("appid", json!(PUBLISHER)),
        ("tid", json!(TENANT)),
        ("ver", json!("1.0")),
    ]
}

/// A body with these notifications and tokens.
#[must_use]
pub fn body(items: &[String], tokens: &[String]) -> String {
    match tokens {
        [] => format!("{{\"value\":[{}]}}", items.join(",")),
        tokens => format!(
            "{{\"value\":[{}],\"validationTokens\":{}}}",
            items.join(","),
            json!(tokens)
        ),
    }
}

/// What the receiver makes of a body; `None` if it rejects the request.
#[must_use]
pub fn delivery(receiver: &Receiver, body: &str) -> Option<Delivery> {
    let received = receiver.respond(&Method::POST, None, Bytes::from(body.to_owned()));
    received.delivery
}

/// Runs what never waits.
pub fn run<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the receiver waits for something"),
    }
}

/// Valid input is accepted; otherwise a target would test nothing.
pub fn check_setup() {
    let receiver = receiver();
    let sealed = Sealed::new(b"{\"id\":\"1565\"}", 0);
    let mut rich = basic(1);
    rich.push(("encryptedContent", sealed.json()));
    let items = [
        object(&basic(0)),
        object(&rich),
        object(&lifecycle("missed")),
    ];
    let body = body(&items, &[sign(&object(&good_claims()))]);
    let delivery = delivery(&receiver, &body).expect("a collection");
    let Verified { accepted, .. } = run(receiver.verify(&delivery)).expect("the keys are there");
    assert_eq!(accepted.len(), 3);
    check_accepted(&accepted, body.as_bytes());
}
