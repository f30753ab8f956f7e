//! The journal of requests, and assertions about it.

use serde_json::{Value, json};

use super::super::{
    call::Call,
    error::{ControlError, Outcome},
    route::Route,
    schema::{Field, Schema, optional, required},
    timestamp::rfc3339,
};
use crate::journal::{Journal, RequestRecord};

pub(super) const ROUTES: &[&Route] = &[
    &Route::get(
        "/journal",
        "journal list",
        "Lists the newest requests that the tenant has received, without their secrets, the oldest first.",
        &JOURNAL,
        list,
    )
    .with_query(FILTERS),
    &Route::delete("/journal", "journal clear", "Clears the journal and its counts.", |call| {
        call.engine().journal().clear();
        Ok(Value::Null)
    }),
    &Route::post(
        "/journal/expect",
        "journal expect",
        "Checks how many requests match: 200 if as many as expected, else 409 with the requests that there were.",
        expect,
    )
    .taking(&EXPECTATION)
    .with_positional(&["count"])
    .returning(&Schema::Object(&[required("count", &Schema::Integer, "The number of matching requests.")])),
];

// The filters of the journal.
const METHOD: Field = optional("method", &Schema::Text, "The method.");
const PATH: Field = optional(
    "path",
    &Schema::Text,
    "The end of the path, without the query: /users.",
);
const WITHIN: Field = optional("within", &Schema::Text, "A text within the path.");
const STATUS: Field = optional("status", &Schema::Integer, "The status of the response.");
const CLIENT_REQUEST_ID: Field = optional(
    "clientRequestId",
    &Schema::Text,
    "The client-request-id of the request.",
);

const FILTERS: &[Field] = &[
    METHOD,
    PATH,
    WITHIN,
    STATUS,
    CLIENT_REQUEST_ID,
    optional(
        "limit",
        &Schema::Integer,
        "The newest requests up to this number.",
    ),
];
const EXPECTATION: Schema = Schema::Named(
    "Expectation",
    &Schema::Object(&[
        optional("count", &Schema::Integer, "The exact number."),
        optional("atLeast", &Schema::Integer, "The least number."),
        optional("atMost", &Schema::Integer, "The largest number."),
        METHOD,
        PATH,
        WITHIN,
        STATUS,
        CLIENT_REQUEST_ID,
    ]),
);
const JOURNAL: Schema = Schema::Object(&[
    required("value", &Schema::List(&RECORD), "The requests."),
    required(
        "received",
        &Schema::Integer,
        "All requests since the journal was cleared, also those no longer listed.",
    ),
]);
const RECORD: Schema = Schema::Named(
    "Request",
    &Schema::Object(&[
        required(
            "time",
            &Schema::Time,
            "When it arrived, on the clock of the tenant.",
        ),
        required("method", &Schema::Text, "The method."),
        required("path", &Schema::Text, "The path as sent."),
        optional(
            "query",
            &Schema::Text,
            "The query as sent; credentials are replaced.",
        ),
        required("status", &Schema::Integer, "The status of the response."),
        required(
            "headers",
            &Schema::Open(&[]),
            "The headers in lower case; credentials are replaced.",
        ),
        optional("clientRequestId", &Schema::Text, "Its client-request-id."),
        optional(
            "requestBody",
            &Schema::Text,
            "The body, if the server keeps bodies: JSON or a form up to 64 KiB; secrets are replaced.",
        ),
        optional(
            "responseBody",
            &Schema::Text,
            "The body of the response, likewise.",
        ),
    ]),
);

/// Which requests are meant.
struct Filter<'a> {
    call: &'a Call<'a>,
}

impl Filter<'_> {
    /// Whether method and path match.
    fn counts(&self, method: &str, path: &str) -> bool {
        let text = |name: &str| self.call.text(name);
        text("method").is_none_or(|own| own.eq_ignore_ascii_case(method))
            && text("path").is_none_or(|own| path.ends_with(own))
            && text("within").is_none_or(|own| path.contains(own))
    }

    fn matches(&self, record: &RequestRecord) -> bool {
        let id = self.call.text("clientRequestId");
        self.counts(&record.method, &record.path)
            && self
                .call
                .number("status")
                .is_none_or(|status| status == u64::from(record.status))
            && id.is_none_or(|id| record.client_request_id.as_deref() == Some(id))
    }

    /// Whether it needs more of a request than the counts have.
    fn needs_records(&self) -> bool {
        self.call.number("status").is_some() || self.call.text("clientRequestId").is_some()
    }
}

fn list(call: &Call<'_>) -> Outcome {
    let filter = Filter { call };
    let journal = call.engine().journal();
    let found: Vec<&RequestRecord> = journal
        .records()
        .filter(|record| filter.matches(record))
        .collect();
    let limit = call
        .number("limit")
        .and_then(|limit| usize::try_from(limit).ok());
    let skipped = found.len().saturating_sub(limit.unwrap_or(usize::MAX));
    let value: Vec<Value> = found[skipped..]
        .iter()
        .map(|record| shown(record))
        .collect();
    Ok(json!({ "value": value, "received": received(&journal) }))
}

fn shown(record: &RequestRecord) -> Value {
    let mut headers = serde_json::Map::new();
    for (name, value) in &record.headers {
        headers.insert(name.clone(), value.as_str().into());
    }
    let mut shown = json!({
        "time": rfc3339(record.time), "method": record.method, "path": record.path,
        "status": record.status, "headers": headers,
    });
    if let Some(query) = &record.query {
        shown["query"] = query.as_str().into();
    }
    if let Some(id) = &record.client_request_id {
        shown["clientRequestId"] = id.as_str().into();
    }
    for (name, body) in [
        ("requestBody", record.request_body()),
        ("responseBody", record.response_body()),
    ] {
        if let Some(body) = body {
            shown[name] = body.into();
        }
    }
    shown
}

fn received(journal: &Journal) -> u64 {
    journal.counts().map(|(_, _, count)| count).sum::<u64>() + journal.uncounted()
}

fn expect(call: &Call<'_>) -> Outcome {
    let bounds = ["count", "atLeast", "atMost"].map(|name| call.number(name));
    if bounds.iter().all(Option::is_none) {
        return Err(ControlError::missing(
            "count",
            "there, or else atLeast or atMost",
        ));
    }
    let filter = Filter { call };
    let journal = call.engine().journal();
    let listed = journal.records().count() as u64;
    let lost = received(&journal) > listed;
    if filter.needs_records() && lost {
        return Err(ControlError::new(
            409,
            "journalOverflow",
            format!(
                "the journal has only the newest {listed} of {} requests",
                received(&journal)
            ),
            "clear the journal before the test, or do not filter by status or clientRequestId",
        ));
    }
    let count = match filter.needs_records() {
        true => journal
            .records()
            .filter(|record| filter.matches(record))
            .count() as u64,
        false => {
            let counts = journal.counts();
            counts
                .filter(|(method, path, _)| filter.counts(method, path))
                .map(|(_, _, count)| count)
                .sum()
        }
    };
    let [exact, least, most] = bounds;
    let fits = exact.is_none_or(|exact| count == exact)
        && least.is_none_or(|least| count >= least)
        && most.is_none_or(|most| count <= most);
    if fits {
        return Ok(json!({ "count": count }));
    }
    let expected = match (exact, least, most) {
        (Some(exact), ..) => format!("{exact}"),
        (None, Some(least), Some(most)) => format!("{least} to {most}"),
        (None, Some(least), None) => format!("at least {least}"),
        (None, None, most) => format!("at most {}", most.unwrap_or_default()),
    };
    let lines: Vec<String> = journal
        .records()
        .filter(|record| filter.matches(record))
        .take(SHOWN)
        .map(|record| format!("{} {} -> {}", record.method, record.path, record.status))
        .collect();
    let detail = match lines.is_empty() {
        true => String::new(),
        false => format!(": {}", lines.join("; ")),
    };
    Err(ControlError::new(
        409,
        "expectationFailed",
        format!("expected {expected} matching requests, there were {count}{detail}"),
        "GET /_entra-mock/journal lists all requests of the journal",
    ))
}

/// How many requests the explanation of a failed expectation lists.
const SHOWN: usize = 20;
