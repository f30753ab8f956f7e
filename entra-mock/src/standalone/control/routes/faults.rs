//! Faults: errors of the network, of sign-in and of Graph that the tenant injects.

use serde_json::{Value, json};

use super::super::{
    call::Call,
    error::{ControlError, Outcome},
    route::Route,
    schema::{Schema, optional, required},
};
use crate::fault::{Fault, FaultTrigger};

pub(super) const ROUTES: &[&Route] = &[
    &Route::get(
        "/faults",
        "faults list",
        "Lists the faults, with how often each has happened.",
        &FAULTS,
        |call| Ok(list(call)),
    ),
    &Route::post(
        "/faults",
        "faults add",
        "Injects a fault from now on. The first fault that matches a request applies.",
        add,
    )
    .taking(&FAULT)
    .with_positional(&["effect"])
    .creating(&Schema::Object(&[required(
        "id",
        &Schema::Integer,
        "Removes the fault later.",
    )])),
    &Route::delete("/faults", "faults clear", "Removes all faults.", |call| {
        call.engine().faults().clear();
        Ok(Value::Null)
    }),
    &Route::delete(
        "/faults/{id}",
        "faults remove",
        "Removes one fault.",
        |call| {
            let id = call.parameter("id");
            let removed = id.parse().is_ok_and(|id| call.engine().faults().remove(id));
            match removed {
                true => Ok(Value::Null),
                false => Err(ControlError::not_found("fault", id, "/faults")),
            }
        },
    ),
];

const FAULT: Schema = Schema::Named(
    "Fault",
    &Schema::Object(&[
        required(
            "effect",
            &Schema::OneOf(&[
                "status",
                "signInError",
                "emptyPage",
                "repeatNextLink",
                "foreignNextLink",
                "truncatedBody",
                "garbageBody",
                "contentType",
                "staleKeys",
                "delay",
                "trickle",
                "closedConnection",
                "resetConnection",
            ]),
            "What happens. staleKeys removes the newest key from a key set; trickle sends the body in sixteen pieces.",
        ),
        optional(
            "operation",
            &Schema::Text,
            "Matches one operation, such as GET /users/{id}.",
        ),
        optional(
            "path",
            &Schema::Text,
            "Matches paths that contain this text.",
        ),
        optional(
            "method",
            &Schema::Text,
            "Matches requests with this method.",
        ),
        optional(
            "nth",
            &Schema::Integer,
            "Matches the n-th matching request only, counted from 1; with times also those after it.",
        ),
        optional(
            "page",
            &Schema::Integer,
            "Matches requests for the n-th page of a list only, counted from 1.",
        ),
        optional(
            "percent",
            &Schema::Integer,
            "Matches this percentage of the requests, evenly spread and the same in every run.",
        ),
        optional(
            "times",
            &Schema::Integer,
            "How many times the fault happens.",
        ),
        optional(
            "status",
            &Schema::Integer,
            "The HTTP status, for the effect status: 400 to 599.",
        ),
        optional(
            "retryAfter",
            &Schema::Text,
            "The value of Retry-After, for the effect status.",
        ),
        optional(
            "code",
            &Schema::Integer,
            "The AADSTS number, for the effect signInError.",
        ),
        optional(
            "origin",
            &Schema::Text,
            "Where the next link leads, for the effect foreignNextLink.",
        ),
        optional(
            "contentType",
            &Schema::Text,
            "The content type, for the effect contentType.",
        ),
        optional(
            "delay",
            &Schema::Duration,
            "How long, in real time: before the response, or before each piece of a trickle.",
        ),
    ]),
);
const FAULTS: Schema = Schema::Object(&[required(
    "value",
    &Schema::List(&Schema::Named(
        "InjectedFault",
        &Schema::Open(&[
            required("id", &Schema::Integer, "The id."),
            required("matched", &Schema::Integer, "The requests that it matched."),
            required("happened", &Schema::Integer, "How often it happened."),
            required("fault", &Schema::Open(&[]), "The fault as it was sent."),
        ]),
    )),
    "The faults in the order in which they apply.",
)]);

fn list(call: &Call<'_>) -> Value {
    let faults = call.engine().faults();
    let list: Vec<Value> = faults
        .list()
        .map(|(id, fault, matched, happened)| {
            json!({ "id": id, "matched": matched, "happened": happened, "fault": fault })
        })
        .collect();
    json!({ "value": list })
}

fn add(call: &Call<'_>) -> Outcome {
    let fault = fault(call)?;
    let id = call
        .engine()
        .faults()
        .inject_described(fault, call.body().clone());
    Ok(json!({ "id": id }))
}

fn trigger(call: &Call<'_>) -> Result<FaultTrigger, ControlError> {
    let count = |name: &str, least: u64, most: u64| match call.number(name) {
        Some(number) if !(least..=most).contains(&number) => Err(ControlError::invalid(
            name,
            &format!("{name} must be between {least} and {most}"),
        )),
        number => Ok(number.and_then(|number| u32::try_from(number).ok())),
    };
    let mut trigger = match call.text("operation") {
        Some(operation) => Fault::on_operation(operation),
        None => Fault::on_any(),
    };
    if let Some(path) = call.text("path") {
        trigger = trigger.path(path);
    }
    if let Some(method) = call.text("method") {
        trigger = trigger.method(method);
    }
    match (count("nth", 1, MANY)?, count("page", 1, MANY)?) {
        (Some(_), Some(_)) => {
            return Err(ControlError::invalid(
                "page",
                "nth and page cannot be used together",
            ));
        }
        (Some(nth), None) => trigger = trigger.nth(nth),
        (None, Some(page)) => trigger = trigger.page(page),
        (None, None) => {}
    }
    if let Some(percent) = count("percent", 0, 100)? {
        trigger = trigger.percent(percent);
    }
    if let Some(times) = count("times", 1, MANY)? {
        trigger = trigger.times(times);
    }
    Ok(trigger)
}

fn fault(call: &Call<'_>) -> Result<Fault, ControlError> {
    let effect = call.text("effect").unwrap_or_default();
    for (field, effects) in FIELDS_OF_EFFECTS {
        let sent = call.body().get(field).is_some_and(|value| !value.is_null());
        let wanted = effects.contains(&effect);
        if wanted && !sent && *field != "retryAfter" {
            return Err(ControlError::missing(
                field,
                &format!("there for the effect {effect}"),
            ));
        }
        if sent && !wanted {
            return Err(ControlError::invalid(
                field,
                &format!(
                    "the effect {effect:?} has no {field}; it belongs to {}",
                    effects.join(" and ")
                ),
            ));
        }
    }
    let trigger = trigger(call)?;
    let text = |name: &str| call.text(name).unwrap_or_default();
    let delay = call.duration("delay").unwrap_or_default();
    Ok(match effect {
        "status" => {
            let status = call
                .number("status")
                .and_then(|status| u16::try_from(status).ok());
            let Some(status) = status.filter(|status| (400..600).contains(status)) else {
                return Err(ControlError::invalid(
                    "status",
                    "status must be between 400 and 599",
                ));
            };
            match call.text("retryAfter") {
                Some(after) => trigger.status_with_retry_after(status, after),
                None => trigger.status(status),
            }
        }
        "signInError" => {
            let code = call
                .number("code")
                .and_then(|code| u32::try_from(code).ok());
            let code =
                code.ok_or_else(|| ControlError::invalid("code", "code must be an AADSTS number"))?;
            trigger.sign_in_error(code)
        }
        "emptyPage" => trigger.empty_page(),
        "repeatNextLink" => trigger.repeat_next_link(),
        "foreignNextLink" => trigger.foreign_next_link(text("origin")),
        "truncatedBody" => trigger.truncated_body(),
        "garbageBody" => trigger.garbage_body(),
        "contentType" => trigger.content_type(text("contentType")),
        "staleKeys" => trigger.stale_keys(),
        "delay" => trigger.delay(delay),
        "trickle" => trigger.trickle(delay),
        "closedConnection" => trigger.closed_connection(),
        _ => trigger.reset_connection(),
    })
}

/// Fields that belong to some effects only; all but `retryAfter` are required there.
const FIELDS_OF_EFFECTS: &[(&str, &[&str])] = &[
    ("status", &["status"]),
    ("retryAfter", &["status"]),
    ("code", &["signInError"]),
    ("origin", &["foreignNextLink"]),
    ("contentType", &["contentType"]),
    ("delay", &["delay", "trickle"]),
];
const MANY: u64 = u32::MAX as u64;
