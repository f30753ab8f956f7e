//! Change notifications: their switches, their delivery, and the subscriptions.

use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::{
    super::{
        call::Call,
        duration,
        error::{ControlError, Outcome},
        route::Route,
        schema::{Field, Schema, optional, required},
        timestamp::rfc3339,
    },
    shapes::{self, OBJECTS},
};
use crate::{frontend::deliver_due, notifications::NotificationOptions, publisher, store::Kind};

pub(super) const ROUTES: &[&Route] = &[
    &Route::get(
        "/notifications",
        "notifications get",
        "Returns the switches of change notifications, and how many notifications wait for a receiver.",
        &SHOWN,
        |call| Ok(shown(call)),
    ),
    &Route::patch(
        "/notifications",
        "notifications set",
        "Changes the switches that are sent.",
        change,
    )
    .taking(&SWITCHES)
    .returning(&SHOWN),
    &Route::post(
        "/notifications/deliver",
        "notifications deliver",
        "Sends all notifications that are due by the clock of the tenant, and returns when the receivers have responded.",
        deliver,
    )
    .returning(&REPORT),
    &Route::get(
        "/subscriptions",
        "subscriptions list",
        "Lists the subscriptions to change notifications.",
        &OBJECTS,
        |call| Ok(shapes::list(&call.engine().read(), Kind::Subscription)),
    ),
    &Route::delete(
        "/subscriptions/{id}",
        "subscriptions remove",
        "Removes a subscription as the service does it, without a request of its application.",
        |call| {
            let (now, id) = (call.tenant.now(), call.parameter("id"));
            let mut state = call.engine().lock_for_notifications(now);
            match publisher::remove_subscription(&mut state, now, id) {
                true => Ok(Value::Null),
                false => Err(ControlError::not_found("subscription", id, "/subscriptions")),
            }
        },
    ),
];

/// A place in the options.
type Flag = fn(&mut NotificationOptions) -> &mut bool;

/// The switches that are on or off.
const FLAGS: [(&str, Flag); 7] = [
    ("duplicated", |options| &mut options.duplicated),
    ("reordered", |options| &mut options.reordered),
    ("expiredListed", |options| &mut options.expired_listed),
    ("syntheticResource", |options| {
        &mut options.synthetic_resource
    }),
    ("clampedLifetime", |options| &mut options.clamped_lifetime),
    ("validatesRenewals", |options| {
        &mut options.validates_renewals
    }),
    ("anyHost", |options| &mut options.any_host),
];
const SWITCHES: Schema = Schema::Named("NotificationSwitches", &Schema::Object(FIELDS));
const FIELDS: &[Field] = &[
    AUTOMATIC, DUPLICATED, REORDERED, DROPPED, LATE, LISTED, SYNTHETIC, CLAMPED, RENEWALS, ANY_HOST,
];
const SHOWN: Schema = Schema::Named(
    "Notifications",
    &Schema::Object(&[
        AUTOMATIC,
        DUPLICATED,
        REORDERED,
        DROPPED,
        LATE,
        LISTED,
        SYNTHETIC,
        CLAMPED,
        RENEWALS,
        ANY_HOST,
        required(
            "pending",
            &Schema::Integer,
            "How many notifications no receiver has accepted yet.",
        ),
        NEXT,
    ]),
);
const AUTOMATIC: Field = optional(
    "automatic",
    &Schema::Boolean,
    "Whether the server sends notifications by itself; otherwise it waits for a request to deliver them.",
);
const DUPLICATED: Field = optional(
    "duplicated",
    &Schema::Boolean,
    "Whether each notification is sent twice.",
);
const REORDERED: Field = optional(
    "reordered",
    &Schema::Boolean,
    "Whether the newest notifications are sent first.",
);
const DROPPED: Field = optional(
    "droppedEvery",
    &Schema::Integer,
    "Each n-th notification is never sent; 0 sends all.",
);
const LATE: Field = optional(
    "late",
    &Schema::Duration,
    "How long after its change a notification is sent, by the clock of the tenant.",
);
const LISTED: Field = optional(
    "expiredListed",
    &Schema::Boolean,
    "Whether expired subscriptions are listed for a week.",
);
const SYNTHETIC: Field = optional(
    "syntheticResource",
    &Schema::Boolean,
    "Whether there is the resource synthetic/users, which has encrypted content.",
);
const CLAMPED: Field = optional(
    "clampedLifetime",
    &Schema::Boolean,
    "Whether a lifetime above the maximum is shortened instead of rejected.",
);
const RENEWALS: Field = optional(
    "validatesRenewals",
    &Schema::Boolean,
    "Whether the notification URL is validated again at a renewal.",
);
const ANY_HOST: Field = optional(
    "anyHost",
    &Schema::Boolean,
    "Whether notifications are sent to other hosts than loopback.",
);
const NEXT: Field = optional(
    "next",
    &Schema::Time,
    "When the next notification is due by the clock of the tenant, as far as known.",
);
const REPORT: Schema = Schema::Named(
    "DeliveryReport",
    &Schema::Object(&[
        required(
            "delivered",
            &Schema::Integer,
            "Notifications that receivers accepted.",
        ),
        required(
            "failed",
            &Schema::Integer,
            "Notifications that were not accepted, and are sent again ten minutes later.",
        ),
        required(
            "dropped",
            &Schema::Integer,
            "Notifications that will not be sent.",
        ),
        NEXT,
    ]),
);

fn shown(call: &Call<'_>) -> Value {
    let now = call.tenant.now();
    let mut state = call.engine().lock_for_notifications(now);
    let pending = publisher::pending(&mut state, now);
    let mut options = state.notifications.options;
    let mut body = json!({
        "automatic": !state.notifications.on_request,
        "droppedEvery": options.dropped_every,
        "late": duration::text(options.late),
        "pending": pending,
    });
    for (name, flag) in FLAGS {
        body[name] = (*flag(&mut options)).into();
    }
    if let Some(next) = publisher::next_due(&state) {
        body["next"] = rfc3339(next).into();
    }
    body
}

fn runtime() -> Result<Handle, ControlError> {
    // A route runs on a thread of the runtime that may block.
    Ok(Handle::try_current().map_err(std::io::Error::other)?)
}

fn change(call: &Call<'_>) -> Outcome {
    let every = call.number("droppedEvery").map(u32::try_from).transpose();
    let every = every.map_err(|_| {
        ControlError::invalid("droppedEvery", "droppedEvery must be below 4294967296")
    })?;
    {
        let mut state = call.engine().write();
        let notifications = &mut state.notifications;
        if let Some(automatic) = call.flag("automatic") {
            notifications.on_request = !automatic;
        }
        let options = &mut notifications.options;
        options.dropped_every = every.unwrap_or(options.dropped_every);
        options.late = call.duration("late").unwrap_or(options.late);
        for (name, flag) in FLAGS {
            let flag = flag(options);
            *flag = call.flag(name).unwrap_or(*flag);
        }
    }
    if call.flag("automatic") == Some(false) {
        // What the server sends by itself at this moment arrives before the response.
        drop(runtime()?.block_on(call.engine().delivery_turn()));
    }
    Ok(shown(call))
}

fn deliver(call: &Call<'_>) -> Outcome {
    let report = runtime()?.block_on(deliver_due(call.engine()));
    let mut body = json!({
        "delivered": report.delivered,
        "failed": report.failed,
        "dropped": report.dropped,
    });
    if let Some(next) = report.next {
        body["next"] = rfc3339(next).into();
    }
    Ok(body)
}
