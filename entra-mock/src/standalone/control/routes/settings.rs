//! Settings of the tenant: licence, quotas, replication delay, and what it does beside the documentation.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{
    call::Call,
    duration,
    error::{ControlError, Outcome},
    route::Route,
    schema::{Schema, optional, required},
};
use crate::{
    oddities::DeltaOddities,
    state::{License, ResourceRule, State},
    store::Kind,
};

pub(super) const ROUTES: &[&Route] = &[
    &Route::get(
        "/settings",
        "settings get",
        "Returns the settings of the tenant.",
        &SETTINGS,
        |call| Ok(shown(call)),
    ),
    &Route::patch(
        "/settings",
        "settings set",
        "Changes the settings that are sent.",
        change,
    )
    .taking(&SETTINGS)
    .returning(&SETTINGS),
    &Route::get(
        "/logs",
        "logs get",
        "Returns how many entries each log has, and how many were removed before their time because it was full.",
        &LOGS,
        |call| {
            let state = call.engine().read();
            let log = |kind: Kind| json!({ "entries": state.store.log_records(kind), "dropped": state.store.dropped_log_records(kind) });
            Ok(
                json!({ "signIns": log(Kind::SignIn), "directoryAudits": log(Kind::DirectoryAudit) }),
            )
        },
    ),
    &Route::post(
        "/delta-links/forget",
        "delta-links forget",
        "Forgets all links of delta queries: they return 410, as after maintenance of a tenant.",
        |call| {
            call.engine().write().forget_delta_links();
            Ok(Value::Null)
        },
    ),
    &Route::put(
        "/dns-records/{domain}",
        "dns-records publish",
        "Adds the verification records of a domain to its DNS zone, where they are unless they were removed.",
        |call| {
            let domain = call.parameter("domain").to_ascii_lowercase();
            call.engine().write().unpublished_records.remove(&domain);
            Ok(Value::Null)
        },
    ),
    &Route::delete(
        "/dns-records/{domain}",
        "dns-records hide",
        "Removes the verification records of a domain from its DNS zone: its verification fails.",
        |call| {
            let domain = call.parameter("domain").to_ascii_lowercase();
            call.engine().write().unpublished_records.insert(domain);
            Ok(Value::Null)
        },
    ),
];

const SETTINGS: Schema = Schema::Named(
    "Settings",
    &Schema::Object(&[
        optional(
            "license",
            &Schema::OneOf(&["free", "p1", "p2"]),
            "The directory licence, which decides how much of the logs can be read.",
        ),
        optional(
            "quotas",
            &Schema::Boolean,
            "Whether callers are throttled by the documented limits.",
        ),
        optional(
            "replicationDelay",
            &Schema::Duration,
            "Serves each request from a version of the directory that is up to this old; 0s switches that off.",
        ),
        optional(
            "tokenLifetime",
            &Schema::Duration,
            "The lifetime of access tokens.",
        ),
        optional(
            "region",
            &Schema::Text,
            "The region that discovery names, such as EU or USGov.",
        ),
        optional(
            "subRegion",
            &Schema::Text,
            "Its sub-scope, such as DOD; empty for none.",
        ),
        optional(
            "resourceRule",
            &Schema::OneOf(&["applicationIdUri", "rejected", "ignored"]),
            "How the parameter resource of the v2.0 endpoints is treated.",
        ),
        optional(
            "plainCasts",
            &Schema::Boolean,
            "Whether a cast of a relationship needs no advanced query.",
        ),
        optional(
            "logCapacity",
            &Schema::Integer,
            "How many entries of the sign-in log and of the audit log are kept at least.",
        ),
        optional(
            "deltaOddities",
            &Schema::List(&Schema::OneOf(ODDITIES)),
            "What delta queries do beside the documentation; an empty list for nothing.",
        ),
        optional(
            "deltaDelay",
            &Schema::Duration,
            "How long a change is missing in delta queries.",
        ),
    ]),
);
const LOG: Schema = Schema::Named(
    "Log",
    &Schema::Object(&[
        required("entries", &Schema::Integer, "The entries that it has."),
        required(
            "dropped",
            &Schema::Integer,
            "The entries that were removed before their time, since the start: see logCapacity of the settings.",
        ),
    ]),
);
const LOGS: Schema = Schema::Object(&[
    required(
        "signIns",
        &LOG,
        "The sign-in log, with entries of every type.",
    ),
    required("directoryAudits", &LOG, "The audit log."),
]);
const ODDITIES: &[&str] = &[
    "repeatedItems",
    "shuffledItems",
    "changesDuringRound",
    "neverEndingMembers",
    "purgedMembersSilent",
    "removedMembersInFirstRound",
    "removedUsersInFirstRound",
    "deletionsSilent",
    "selectStarShrinks",
    "resyncWithoutLocation",
    "restoredMembershipsSilent",
    "neverEndingEmptyPages",
];
const LICENSES: [(&str, License); 3] = [
    ("free", License::Free),
    ("p1", License::P1),
    ("p2", License::P2),
];
const RULES: [(&str, ResourceRule); 3] = [
    ("applicationIdUri", ResourceRule::ApplicationIdUri),
    ("rejected", ResourceRule::Rejected),
    ("ignored", ResourceRule::Ignored),
];

fn shown(call: &Call<'_>) -> Value {
    let state = call.engine().read();
    let license = LICENSES
        .iter()
        .find(|(_, license)| *license == state.license);
    let rule = RULES.iter().find(|(_, rule)| *rule == state.resource_rule);
    json!({
        "license": license.map(|(name, _)| name),
        "quotas": state.enforces_quotas(),
        "replicationDelay": duration::text(state.replication_delay),
        "tokenLifetime": duration::text(state.token_lifetime),
        "region": state.region.0,
        "subRegion": state.region.1.as_deref().unwrap_or_default(),
        "resourceRule": rule.map(|(name, _)| name),
        "plainCasts": state.plain_casts,
        "logCapacity": state.store.log_capacity(),
        "deltaOddities": oddities_of(&state),
        "deltaDelay": duration::text(state.delta_oddities.delay),
    })
}

fn change(call: &Call<'_>) -> Outcome {
    let lifetime = call.duration("tokenLifetime");
    if lifetime.is_some_and(|lifetime| !(SHORTEST..=LONGEST).contains(&lifetime)) {
        return Err(ControlError::invalid(
            "tokenLifetime",
            "tokenLifetime must be between 1s and 30d",
        ));
    }
    {
        let mut state = call.engine().write();
        if let Some((_, license)) = LICENSES
            .iter()
            .find(|(name, _)| Some(*name) == call.text("license"))
        {
            state.license = *license;
        }
        if let Some((_, rule)) = RULES
            .iter()
            .find(|(name, _)| Some(*name) == call.text("resourceRule"))
        {
            state.resource_rule = *rule;
        }
        if let Some(enforce) = call.flag("quotas") {
            state.enforce_quotas(enforce);
        }
        if let Some(plain) = call.flag("plainCasts") {
            state.plain_casts = plain;
        }
        if let Some(lifetime) = lifetime {
            state.token_lifetime = lifetime;
        }
        if let Some(region) = call.text("region") {
            state.region.0 = region.to_owned();
        }
        if let Some(region) = call.text("subRegion") {
            state.region.1 = Some(region.to_owned()).filter(|region| !region.is_empty());
        }
        if let Some(entries) = call.number("logCapacity") {
            let entries = usize::try_from(entries).unwrap_or(usize::MAX);
            state.store.set_log_capacity(entries);
        }
        let delay = call
            .duration("deltaDelay")
            .unwrap_or(state.delta_oddities.delay);
        if call.body().get("deltaOddities").is_some() {
            state.delta_oddities = oddities(&call.texts("deltaOddities"));
        }
        state.delta_oddities.delay = delay;
    }
    if let Some(delay) = call.duration("replicationDelay") {
        call.tenant.set_replication_delay(delay);
    }
    Ok(shown(call))
}

fn oddities(names: &[String]) -> DeltaOddities {
    names.iter().fold(DeltaOddities::none(), |oddities, name| {
        match name.as_str() {
            "repeatedItems" => oddities.repeated_items(),
            "shuffledItems" => oddities.shuffled_items(),
            "changesDuringRound" => oddities.changes_during_round(),
            "neverEndingMembers" => oddities.never_ending_members(),
            "purgedMembersSilent" => oddities.purged_members_silent(),
            "removedMembersInFirstRound" => oddities.removed_members_in_first_round(),
            "removedUsersInFirstRound" => oddities.removed_users_in_first_round(),
            "deletionsSilent" => oddities.deletions_silent(),
            "selectStarShrinks" => oddities.select_star_shrinks(),
            "resyncWithoutLocation" => oddities.resync_without_location(),
            "restoredMembershipsSilent" => oddities.restored_memberships_silent(),
            _ => oddities.never_ending_empty_pages(),
        }
    })
}

fn oddities_of(state: &State) -> Vec<&'static str> {
    let own = state.delta_oddities;
    let set = [
        own.repeated_items,
        own.shuffled_items,
        own.changes_during_round,
        own.never_ending_members,
        own.purged_members_silent,
        own.removed_members_in_first_round,
        own.removed_users_in_first_round,
        own.deletions_silent,
        own.select_star_shrinks,
        own.resync_without_location,
        own.restored_memberships_silent,
        own.never_ending_empty_pages,
    ];
    let names = ODDITIES.iter().zip(set);
    names
        .filter(|(_, set)| *set)
        .map(|(name, _)| *name)
        .collect()
}

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30 * 86_400);
