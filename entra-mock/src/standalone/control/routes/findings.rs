//! Findings about the clients, and the permissions that they need.

use serde_json::json;

use super::super::{
    call::Call,
    error::Outcome,
    route::Route,
    schema::{Schema, required},
};
use crate::{permissions::NeededPermissions, wire::is_graph};

pub(super) const ROUTES: &[&Route] = &[
    &Route::get(
        "/findings",
        "findings list",
        "Lists what a reviewer would say of the clients, by the requests in the journal, the worst first.",
        &FINDINGS,
        |call| {
            let findings = call.engine().findings();
            let mut body = findings.to_json();
            body["report"] = findings.to_string().into();
            Ok(body)
        },
    ),
    &Route::get(
        "/findings/sarif",
        "findings sarif",
        "Returns the findings as a SARIF 2.1.0 log.",
        &Schema::Open(&[required("version", &Schema::Text, "The version of SARIF.")]),
        |call| Ok(call.engine().findings().to_sarif()),
    ),
    &Route::get(
        "/permissions",
        "permissions needed",
        "Lists the least permissions for the requests to Graph in the journal.",
        &PERMISSIONS,
        permissions,
    ),
];

const FINDINGS: Schema = Schema::Object(&[
    required(
        "requests",
        &Schema::Integer,
        "The number of requests in the journal.",
    ),
    required("report", &Schema::Text, "The findings as a text."),
    required(
        "findings",
        &Schema::List(&Schema::Named(
            "Finding",
            &Schema::Open(&[
                required("rule", &Schema::Text, "The id of the rule."),
                required(
                    "severity",
                    &Schema::OneOf(&["note", "warning", "error"]),
                    "How bad it is.",
                ),
                required("what", &Schema::Text, "What the client did."),
                required("why", &Schema::Text, "Why that matters."),
                required("fix", &Schema::Text, "How to fix it."),
                required(
                    "help",
                    &Schema::Text,
                    "The page with the documented behaviour.",
                ),
                required(
                    "occurrences",
                    &Schema::Integer,
                    "How many requests show it.",
                ),
                required(
                    "requests",
                    &Schema::List(&Schema::Open(&[])),
                    "The first of them.",
                ),
            ]),
        )),
        "The findings.",
    ),
]);

const PERMISSIONS: Schema = Schema::Object(&[
    required("delegated", &NAMES, "Delegated permissions."),
    required("application", &NAMES, "Application permissions."),
    required(
        "usersOnly",
        &NAMES,
        "Operations that Graph allows for signed-in users only.",
    ),
    required("unknown", &NAMES, "Requests whose permissions are unknown."),
    required("report", &Schema::Text, "The same as a text."),
]);
const NAMES: Schema = Schema::List(&Schema::Text);

fn permissions(call: &Call<'_>) -> Outcome {
    let journal = call.engine().journal();
    let counted = journal.counts().map(|(method, path, _)| (method, path));
    let parts = journal.records().flat_map(|record| &record.facts.parts);
    let parts = parts.map(|part| (part.method.as_str(), part.path.as_str()));
    let graph = counted.filter(|(_, path)| is_graph(path)).chain(parts);
    let needed = NeededPermissions::of_requests(graph);
    Ok(json!({
        "delegated": needed.delegated().collect::<Vec<_>>(),
        "application": needed.application().collect::<Vec<_>>(),
        "usersOnly": needed.users_only().collect::<Vec<_>>(),
        "unknown": needed.unknown().collect::<Vec<_>>(),
        "report": needed.to_string(),
    }))
}
