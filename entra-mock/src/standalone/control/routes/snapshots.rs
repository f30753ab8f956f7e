//! Snapshots of the tenant, and the reset between two tests.

use serde_json::{Value, json};

use super::super::{
    call::Call,
    error::{ControlError, Outcome},
    route::Route,
    schema::{Schema, required},
};

pub(super) const ROUTES: &[&Route] = &[
    &Route::get(
        "/snapshots",
        "snapshots list",
        "Lists the names of the snapshots.",
        &NAMES,
        |call| Ok(json!({ "value": call.tenant.snapshot_names() })),
    ),
    &Route::put(
        "/snapshots/{name}",
        "snapshots take",
        "Takes a snapshot of directory, sign-ins, policies, settings, clock and faults. One of that name is replaced.",
        |call| {
            let name = call.parameter("name");
            let names = call.tenant.snapshot_names();
            if names.len() >= MOST && !names.iter().any(|known| known == name) {
                return Err(ControlError::new(
                    409,
                    "tooManySnapshots",
                    format!("the tenant has {MOST} snapshots already"),
                    "remove one of them",
                ));
            }
            call.tenant.take_snapshot(name);
            Ok(Value::Null)
        },
    ),
    &Route::post(
        "/snapshots/{name}/restore",
        "snapshots restore",
        "Brings the tenant back to a snapshot. The journal stays.",
        |call| found(call, call.tenant.restore(call.parameter("name"))?),
    ),
    &Route::delete(
        "/snapshots/{name}",
        "snapshots remove",
        "Removes a snapshot.",
        |call| found(call, call.tenant.remove_snapshot(call.parameter("name"))),
    ),
    &Route::post(
        "/reset",
        "reset",
        "Brings the tenant back to its start: the same ids and secrets, real time, no faults, an empty journal.",
        |call| {
            call.tenant.reset()?;
            Ok(Value::Null)
        },
    ),
];

const NAMES: Schema = Schema::Object(&[required(
    "value",
    &Schema::List(&Schema::Text),
    "The names.",
)]);
/// Each one holds a copy of the whole directory.
const MOST: usize = 100;

fn found(call: &Call<'_>, found: bool) -> Outcome {
    match found {
        true => Ok(Value::Null),
        false => Err(ControlError::not_found(
            "snapshot",
            call.parameter("name"),
            "/snapshots",
        )),
    }
}
