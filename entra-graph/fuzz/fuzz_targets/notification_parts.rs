//! Good notifications of which parts are left out, replaced, doubled, flipped or cut, in a body that is always well-formed, so
//! that only the parts can be rejected.
#![no_main]

use arbitrary::Arbitrary;
use entra_graph::notifications::{NotificationEvent, Verified};
use entra_graph_fuzz::{
    AWAY, CERTIFICATES, CLIENT, CLIENT_STATE, EXPIRES, OTHER_TENANT, PUBLISHER, SUBSCRIPTION,
    Sealed, TENANT, USER, basic, body, check_accepted, check_rejections, check_setup, delivery,
    good_claims, is_of, lifecycle, object, receiver, run, sign, token_tenant,
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

#[derive(Arbitrary, Debug)]
struct Request {
    first: Item,
    others: Vec<Item>,
    tokens: Vec<Token>,
}

#[derive(Arbitrary, Debug)]
struct Item {
    kind: Kind,
    edits: Vec<Edit>,
}

#[derive(Arbitrary, Debug)]
enum Kind {
    Basic,
    Lifecycle(u8),
    Encrypted {
        plain: Vec<u8>,
        certificate: bool,
        damage: Vec<Damage>,
    },
}

/// What happens to encrypted content.
#[derive(Arbitrary, Debug)]
enum Damage {
    Flip(Part, u16),
    Cut(Part, u16),
    Foreign(Part, Vec<u8>),
    /// Data and signature made with a key that is not the wrapped one.
    AnotherKey,
    /// The key wrapped for the other certificate.
    AnotherCertificate,
    Certificate(String),
    /// The data as it is now, signed with the right key: what only Graph could do.
    SignAgain,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Part {
    Data,
    Signature,
    Key,
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
    Good(u8),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(Name, Json)>),
}

#[derive(Arbitrary, Debug)]
enum Token {
    Good,
    Claims(Vec<Edit>),
    Flipped(u16),
    Cut(u16),
    Away,
    Any(String),
}

const NAMES: [&str; 24] = [
    "id",
    "subscriptionId",
    "subscriptionExpirationDateTime",
    "clientState",
    "changeType",
    "resource",
    "tenantId",
    "resourceData",
    "encryptedContent",
    "lifecycleEvent",
    "@odata.type",
    "data",
    "dataSignature",
    "dataKey",
    "encryptionCertificateId",
    "ClientState",
    "aud",
    "iss",
    "exp",
    "appid",
    "azp",
    "tid",
    "ver",
    "nbf",
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
            Self::Good(number) => {
                let good = [
                    CLIENT_STATE,
                    TENANT,
                    OTHER_TENANT,
                    CLIENT,
                    PUBLISHER,
                    SUBSCRIPTION,
                    USER,
                    EXPIRES,
                    "2027-01-15T04:00:00Z",
                    "2027-01-15T03:59:59Z",
                    "missed",
                    "updated",
                    "deleted",
                    "current",
                    "previous",
                ];
                json!(good[usize::from(*number) % good.len()])
            }
            Self::Text(text) => json!(text),
            Self::List(items) => items.iter().map(Self::value).collect(),
            Self::Object(members) => members
                .iter()
                .map(|(name, value)| (name.text().to_owned(), value.value()))
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

/// What an item was before its edits.
struct Content {
    plain: Vec<u8>,
    sealed: Sealed,
    /// Whether Graph signed what was altered.
    is_signed_again: bool,
    is_intact: bool,
}

impl Damage {
    fn apply(&self, content: &mut Content, certificate: usize) {
        let sealed = &mut content.sealed;
        match self {
            Self::Flip(part, place) => {
                let bytes = part.of(sealed);
                if !bytes.is_empty() {
                    let place = usize::from(*place) % (bytes.len() * 8);
                    bytes[place / 8] ^= 1 << (place % 8);
                }
            }
            Self::Cut(part, length) => part.of(sealed).truncate(usize::from(*length)),
            Self::Foreign(part, bytes) => part.of(sealed).clone_from(bytes),
            Self::AnotherKey => {
                let other = Sealed::with_another_key(&content.plain, certificate);
                (sealed.data, sealed.signature) = (other.data, other.signature);
            }
            Self::AnotherCertificate => {
                sealed
                    .wrapped
                    .clone_from(&CERTIFICATES[(certificate + 1) % 2].wrapped);
            }
            Self::Certificate(name) => sealed.certificate.clone_from(name),
            Self::SignAgain => {
                sealed.sign_again();
                content.is_signed_again = true;
            }
        }
    }
}

impl Part {
    fn of(self, sealed: &mut Sealed) -> &mut Vec<u8> {
        match self {
            Self::Data => &mut sealed.data,
            Self::Signature => &mut sealed.signature,
            Self::Key => &mut sealed.wrapped,
        }
    }
}

impl Item {
    /// The members of the notification with this number, and what is encrypted in it.
    fn members(&self, number: usize) -> (Vec<(String, Value)>, Option<Content>) {
        match &self.kind {
            Kind::Basic => (edited(basic(number), &self.edits), None),
            Kind::Lifecycle(event) => {
                let events = [
                    "missed",
                    "subscriptionRemoved",
                    "reauthorizationRequired",
                    "other",
                ];
                let good = lifecycle(events[usize::from(*event) % events.len()]);
                (edited(good, &self.edits), None)
            }
            Kind::Encrypted {
                plain,
                certificate,
                damage,
            } => {
                // No two are equal, so none is a copy.
                let plain = [number.to_string().as_bytes(), plain].concat();
                let certificate = usize::from(*certificate);
                let sealed = Sealed::new(&plain, certificate);
                let mut content = Content {
                    plain,
                    sealed: sealed.clone(),
                    is_signed_again: false,
                    is_intact: true,
                };
                for damage in damage {
                    damage.apply(&mut content, certificate);
                }
                content.is_intact = content.sealed == sealed;
                let mut good = basic(number);
                good.push(("encryptedContent", content.sealed.json()));
                (edited(good, &self.edits), Some(content))
            }
        }
    }

    fn is_good(&self) -> bool {
        self.edits.is_empty()
            && !matches!(&self.kind, Kind::Encrypted { damage, .. } if !damage.is_empty())
    }
}

impl Token {
    fn text(&self) -> String {
        let good = || sign(&object(&good_claims()));
        match self {
            Self::Good => good(),
            Self::Claims(edits) => sign(&object(&edited(good_claims(), edits))),
            Self::Flipped(place) => {
                let mut token = good().into_bytes();
                let place = usize::from(*place) % token.len();
                token[place] ^= 1;
                String::from_utf8(token).expect("ASCII")
            }
            Self::Cut(length) => {
                let mut token = good();
                token.truncate(usize::from(*length));
                token
            }
            Self::Away => AWAY.to_owned(),
            Self::Any(text) => text.clone(),
        }
    }
}

fuzz_target!(init: check_setup(), |request: Request| {
    let items: Vec<&Item> = std::iter::once(&request.first).chain(&request.others).collect();
    let parts: Vec<(Vec<(String, Value)>, Option<Content>)> =
        items.iter().enumerate().map(|(number, item)| item.members(number)).collect();
    let texts: Vec<String> = parts.iter().map(|(members, _)| object(members)).collect();
    let tokens: Vec<String> = request.tokens.iter().map(Token::text).collect();
    let body = body(&texts, &tokens);

    let receiver = receiver();
    let delivery = delivery(&receiver, &body).expect("a collection");
    let verified = match run(receiver.verify(&delivery)) {
        Ok(verified) => verified,
        Err(error) => {
            assert!(error.is_transient() && tokens.iter().any(|token| token == AWAY), "{error}");
            return;
        }
    };
    check_rejections(&verified);
    check_accepted(&verified.accepted, body.as_bytes());
    assert_eq!(verified.accepted.len() + verified.rejected_count(), items.len());
    check_contents(&verified, &parts);
    let counts = tokens.iter().all(|token| token_tenant(token).is_some());
    let for_us = counts && tokens.iter().any(|token| token_tenant(token).map(|tenant| tenant.to_string()).as_deref() == Some(TENANT));
    if items.iter().all(|item| item.is_good()) && for_us && tokens.len() <= 64 {
        assert_eq!(verified.accepted.len(), items.len(), "{:?}", verified.rejected);
    }
    let again = run(receiver.verify(&delivery)).expect("as before");
    let has_content = |event: &NotificationEvent| matches!(event, NotificationEvent::Change(change) if change.content.is_some());
    assert!(!again.accepted.iter().any(has_content), "resource data was accepted twice");
});

/// What was decrypted is what was encrypted, unless Graph itself signed something else.
fn check_contents(verified: &Verified, parts: &[(Vec<(String, Value)>, Option<Content>)]) {
    for event in &verified.accepted {
        let NotificationEvent::Change(change) = event else {
            continue;
        };
        let Some(decrypted) = &change.content else {
            continue;
        };
        let is_its_own = parts.iter().any(|(members, content)| {
            let Some(content) = content else { return false };
            let item: Value = members.iter().cloned().collect();
            is_of(event, &item)
                && item["encryptedContent"] == content.sealed.json()
                && (content.is_signed_again
                    || content.is_intact && decrypted.as_bytes() == content.plain)
        });
        assert!(is_its_own, "another content was accepted: {event:?}");
    }
}
