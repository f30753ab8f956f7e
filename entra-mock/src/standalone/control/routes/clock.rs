//! The clock of the tenant: real time unless it is moved or stopped.

use std::time::Duration;

use serde_json::json;

use super::super::{
    call::Call,
    error::{ControlError, Outcome},
    route::Route,
    schema::{Schema, optional, required},
    timestamp::rfc3339,
};

pub(super) const ROUTES: &[&Route] = &[
    &Route::get(
        "/clock",
        "clock get",
        "Returns the time of the tenant.",
        &CLOCK,
        |call| Ok(shown(call)),
    ),
    &Route::put(
        "/clock",
        "clock set",
        "Sets the time, also to an earlier one.",
        |call| {
            let set = call
                .time("now")
                .is_some_and(|time| call.tenant.clock.set(time));
            changed(call, set)
        },
    )
    .taking(&NEW_TIME)
    .with_positional(&["now"])
    .returning(&CLOCK),
    &Route::post(
        "/clock/advance",
        "clock advance",
        "Moves the clock forward.",
        |call| {
            let by = call.duration("by").unwrap_or(Duration::ZERO);
            changed(call, call.tenant.clock.advance(by))
        },
    )
    .taking(&STEP)
    .with_positional(&["by"])
    .returning(&CLOCK),
    &Route::post(
        "/clock/freeze",
        "clock freeze",
        "Stops the clock, at another time if one is sent.",
        |call| {
            let clock = &call.tenant.clock;
            let stopped = match call.time("at") {
                Some(time) => clock.freeze_at(time),
                None => {
                    clock.freeze();
                    true
                }
            };
            changed(call, stopped)
        },
    )
    .taking(&STOP)
    .with_positional(&["at"])
    .returning(&CLOCK),
    &Route::post(
        "/clock/unfreeze",
        "clock unfreeze",
        "Lets a stopped clock go on.",
        |call| {
            call.tenant.clock.unfreeze();
            Ok(shown(call))
        },
    )
    .returning(&CLOCK),
];

const CLOCK: Schema = Schema::Named(
    "Clock",
    &Schema::Object(&[
        required("now", &Schema::Time, "The time that the tenant has."),
        required("frozen", &Schema::Boolean, "Whether it is stopped."),
    ]),
);
const NEW_TIME: Schema = Schema::Object(&[required("now", &Schema::Time, "The new time.")]);
const STEP: Schema = Schema::Object(&[required("by", &Schema::Duration, "How far.")]);
const STOP: Schema =
    Schema::Object(&[optional("at", &Schema::Time, "The time at which it stops.")]);

fn shown(call: &Call<'_>) -> serde_json::Value {
    let clock = &call.tenant.clock;
    json!({ "now": rfc3339(call.tenant.now()), "frozen": clock.setting().frozen.is_some() })
}

fn changed(call: &Call<'_>, changed: bool) -> Outcome {
    match changed {
        true => Ok(shown(call)),
        false => Err(ControlError::new(
            400,
            "timeOutOfRange",
            "the clock shows no time before 2000 or after 2199",
            "choose a time between 2000-01-01T00:00:00Z and 2199-12-31T00:00:00Z",
        )),
    }
}
