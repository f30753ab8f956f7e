//! Conditional access policies, and the app management policy of the tenant.

use serde_json::{Value, json};

use super::{
    super::{
        call::Call,
        error::{ControlError, Outcome},
        route::Route,
        schema::{Schema, optional, required},
    },
    shapes::{self, OBJECT, OBJECTS, PROPERTIES, app},
};
use crate::{directory::AccessRule, grants::Control, schema::SINGLE_ID, store::Kind};

pub(super) const ROUTES: &[&Route] = &[
    &Route::get(
        "/access-policies",
        "access-policies list",
        "Lists the conditional access policies.",
        &OBJECTS,
        |call| Ok(shapes::list(&call.engine().read(), Kind::ConditionalAccessPolicy)),
    ),
    &Route::post(
        "/access-policies",
        "access-policies add",
        "Enables a conditional access policy for every sign-in and refresh from now on: for all users and applications unless some are named.",
        add,
    )
    .taking(&POLICY)
    .with_positional(&["control"])
    .creating(&OBJECT),
    &Route::delete(
        "/access-policies/{id}",
        "access-policies remove",
        "Removes a conditional access policy.",
        |call| {
            let id = call.parameter("id");
            match call.engine().write().remove_access_rule(id) {
                true => Ok(Value::Null),
                false => Err(ControlError::not_found("policy", id, "/access-policies")),
            }
        },
    ),
    &Route::get(
        "/app-management-policy",
        "app-management-policy get",
        "Returns the default app management policy, which restricts credentials.",
        &OBJECT,
        |call| shapes::get(&call.engine().read(), Kind::TenantAppManagementPolicy, SINGLE_ID),
    ),
    &Route::patch(
        "/app-management-policy",
        "app-management-policy set",
        "Changes the default app management policy.",
        |call| {
            let mut state = call.engine().write();
            let kind = Kind::TenantAppManagementPolicy;
            state.set_unrestricted(kind, SINGLE_ID, call.properties_except(&[]))?;
            shapes::get(&state, kind, SINGLE_ID)
        },
    )
    .taking(&PROPERTIES)
    .returning(&OBJECT),
];

const POLICY: Schema = Schema::Object(&[
    required(
        "control",
        &Schema::OneOf(&[
            "block",
            "requireSecondFactor",
            "requireCompliantDevice",
            "requireHybridJoinedDevice",
            "requireApprovedApplication",
            "requirePasswordChange",
            "requireCustomControl",
            "requireTokenProtection",
            "signInFrequency",
        ]),
        "What the policy does.",
    ),
    optional(
        "frequency",
        &Schema::Duration,
        "The longest age of a sign-in, for signInFrequency.",
    ),
    optional(
        "users",
        &Schema::List(&Schema::Text),
        "Users, by id or user principal name.",
    ),
    optional(
        "groups",
        &Schema::List(&Schema::Text),
        "Groups, by id or display name, with the members of nested ones.",
    ),
    optional(
        "workloadIdentities",
        &Schema::List(&Schema::Text),
        "Applications that sign in themselves.",
    ),
    optional(
        "applications",
        &Schema::List(&Schema::Text),
        "Applications, as the client or as the resource.",
    ),
]);

fn add(call: &Call<'_>) -> Outcome {
    let control = control(call)?;
    let now = call.tenant.now();
    let mut state = call.engine().write();
    let mut principals = Vec::new();
    for user in call.texts("users") {
        principals.push(shapes::id_of(&state, Kind::User, &user)?);
    }
    for group in call.texts("groups") {
        principals.push(shapes::id_of(&state, Kind::Group, &group)?);
    }
    for identity in call.texts("workloadIdentities") {
        principals.push(app(&state, &identity)?.service_principal_id);
    }
    let mut apps = Vec::new();
    for application in call.texts("applications") {
        apps.push(app(&state, &application)?.app_id);
    }
    let rule = AccessRule {
        control,
        principals,
        apps,
    };
    let id = state.add_access_rule(now, rule);
    let policy = state.store.get(Kind::ConditionalAccessPolicy, &id);
    Ok(policy.map_or(json!({}), shapes::shown))
}

fn control(call: &Call<'_>) -> Result<Control, ControlError> {
    let frequency = call.duration("frequency");
    let name = call.text("control");
    if frequency.is_some() != (name == Some("signInFrequency")) {
        return Err(ControlError::invalid(
            "frequency",
            "frequency is the longest age of a sign-in: it belongs to the control signInFrequency, which needs it",
        ));
    }
    if frequency.is_some_and(|frequency| frequency.as_secs() == 0) {
        return Err(ControlError::invalid(
            "frequency",
            "frequency must be at least a second: no sign-in would be new enough otherwise",
        ));
    }
    Ok(match name {
        Some("block") => Control::Block,
        Some("requireCompliantDevice") => Control::CompliantDevice,
        Some("requireHybridJoinedDevice") => Control::HybridJoinedDevice,
        Some("requireApprovedApplication") => Control::ApprovedApplication,
        Some("requirePasswordChange") => Control::PasswordChange,
        Some("requireCustomControl") => Control::Custom,
        Some("requireTokenProtection") => Control::TokenProtection,
        Some("signInFrequency") => Control::Frequency(frequency.unwrap_or_default()),
        _ => Control::SecondFactor,
    })
}
