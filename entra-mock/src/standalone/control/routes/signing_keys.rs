//! The keys that sign tokens, and their rollover.

use serde_json::json;

use super::super::{
    call::Call,
    error::Outcome,
    route::Route,
    schema::{Schema, required},
};
use crate::keys::KeyRing;

pub(super) const ROUTES: &[&Route] = &[
    &Route::get("/signing-keys", "signing-keys list", "Lists the published keys.", &KEYS, |call| Ok(shown(call))),
    &Route::post(
        "/signing-keys/publish-next",
        "signing-keys publish-next",
        "Starts a rollover: publishes one more key, while the old one still signs.",
        |call| {
            change(call, |keys| {
                keys.publish_next();
            })
        },
    )
    .returning(&KEYS),
    &Route::post(
        "/signing-keys/switch",
        "signing-keys switch",
        "Continues a rollover: signs with the key that was published last.",
        |call| change(call, KeyRing::switch),
    )
    .returning(&KEYS),
    &Route::post(
        "/signing-keys/retire-old",
        "signing-keys retire-old",
        "Finishes a rollover: publishes only the key that signs. Tokens of the other keys are rejected.",
        |call| change(call, KeyRing::retire_others),
    )
    .returning(&KEYS),
    &Route::post(
        "/signing-keys/roll",
        "signing-keys roll",
        "Rolls over at once, as in an emergency: a new key signs, and no other one is published.",
        |call| {
            change(call, |keys| {
                keys.publish_next();
                keys.switch();
                keys.retire_others();
            })
        },
    )
    .returning(&KEYS),
];

const KEYS: Schema = Schema::Named(
    "SigningKeys",
    &Schema::Object(&[
        required(
            "published",
            &Schema::List(&Schema::Text),
            "The ids (kid) of the published keys, the oldest first.",
        ),
        required("signing", &Schema::Text, "The id of the key that signs."),
    ]),
);

fn shown(call: &Call<'_>) -> serde_json::Value {
    let state = call.engine().read();
    let published: Vec<&str> = state.keys.published().map(|key| key.kid.as_str()).collect();
    json!({ "published": published, "signing": state.keys.signing().map(|key| &key.kid) })
}

fn change(call: &Call<'_>, change: impl FnOnce(&mut KeyRing)) -> Outcome {
    change(&mut call.engine().write().keys);
    Ok(shown(call))
}
