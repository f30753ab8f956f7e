//! The types of entra-graph: those that hold credentials, links and bodies by cases, models by a rule on their
//! sources, and the others by a reason.

mod credentials;
mod lists;
mod notifications;
mod reasons;
mod sync;

use std::{fs, path::Path};

pub(crate) use reasons::{FIELDS, WITHOUT_CASE};

use crate::{scan, shown::Shown};

const ID: &str = "33333333-3333-3333-3333-333333333333";

pub(crate) async fn cases(shown: &Shown) {
    lists::cases(shown).await;
    credentials::cases(shown).await;
    sync::cases(shown).await;
}

/// A property or field with a word like this in its name is a `Secret`, or no text of its own.
const SECRETIVE: [&str; 12] = [
    "password",
    "passphrase",
    "secret",
    "token",
    "private",
    "proof",
    "assertion",
    "client_state",
    "credential",
    "signature",
    "code_verifier",
    "cookie",
];

/// Fields with such a name that hold no secret, and why.
const NOT_SECRET: &[(&str, &str)] = &[
    ("_id", "an id, which proves nothing"),
    ("_ids", "ids, which prove nothing"),
    ("_uri", "an address"),
    ("_issuer", "an address or a name"),
    ("_issuer_name", "a name"),
    ("_thumbprint", "a digest of a public certificate"),
    ("_identifier", "an id, which proves nothing"),
    ("_policies", "names of rules"),
    ("_tokens", "names of claims or versions"),
    ("_version", "a number"),
];

#[test]
fn every_secret_field_of_a_graph_type_is_a_secret() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../entra-graph/src");
    let mut files = vec![source];
    let (mut found, mut judged) = (Vec::new(), 0);
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        for (name, of) in scan::fields(&fs::read_to_string(&path).unwrap()) {
            judged += 1;
            let is_secretive = SECRETIVE.iter().any(|secret| name.contains(secret));
            let is_known = NOT_SECRET.iter().any(|(end, _)| name.ends_with(end));
            let is_text = ["String", "str", "u8", "Bytes", "Value", "Json"]
                .iter()
                .any(|text| {
                    of.split(|c: char| !c.is_alphanumeric())
                        .any(|word| word == *text)
                });
            if is_secretive && is_text && !is_known {
                found.push(format!("{}: {name}: {of}", path.display()));
            }
        }
    }
    assert!(judged > 500, "the fields are read: {judged}");
    assert!(found.is_empty(), "make it a `Secret`: {found:#?}");
}
