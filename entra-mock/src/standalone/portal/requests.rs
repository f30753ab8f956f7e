//! The journal: the newest requests, and one of them with its token and the reason of its rejection.

use serde_json::{Map, Value};

use super::{
    ROOT, View, escape,
    page::{self, code, facts, link, status, table, time},
    token::Decoded,
    why,
};
use crate::{journal::RequestRecord, state::iso, wire::Reply};

/// How many requests the list shows.
const SHOWN: usize = 100;

pub(super) fn list(view: &View<'_>) -> Reply {
    let path = view.parameter("path").to_lowercase();
    let rejected = view.parameter("rejected") == "1";
    let (rows, found, newest) = {
        let journal = view.tenant.engine.journal();
        let mut found = 0;
        let mut rows = Vec::new();
        let mut newest = 0;
        for record in journal.records() {
            newest = newest.max(record.number);
        }
        let records: Vec<&RequestRecord> = journal.records().collect();
        for record in records.into_iter().rev() {
            let fits =
                record.path.to_lowercase().contains(&path) && (!rejected || record.status >= 400);
            if fits {
                found += 1;
                if rows.len() < SHOWN {
                    rows.push(row(record));
                }
            }
        }
        (rows, found, newest)
    };
    let form = format!(
        "<form action=\"{ROOT}/requests\" role=\"search\">\n<label>Path contains <input name=\"path\" type=\"search\" value=\"{}\"></label>\n\
         <label class=\"check\"><input type=\"checkbox\" name=\"rejected\" value=\"1\"{}> Rejected only</label>\n\
         <button>Filter</button>\n<label class=\"check\" hidden><input type=\"checkbox\" id=\"refresh\" checked> Refresh by itself</label>\n</form>\n\
         <p id=\"news\" role=\"status\" class=\"soft\"></p>",
        escape(view.parameter("path")),
        if rejected { " checked" } else { "" },
    );
    let caption = match found {
        found if found > rows.len() => format!("The newest {} of {found} requests", rows.len()),
        found => format!("{found} requests, the newest first"),
    };
    let columns = [
        "Number",
        "Time",
        "Request",
        "Status",
        "Application",
        "Rejected because",
    ];
    let live = format!(
        "<div id=\"live\" data-newest=\"{newest}\">\n{}\n</div>",
        table(&caption, &columns, &rows)
    );
    if view.request.header("x-portal-part").is_some() {
        // The script replaces the list only; it cannot parse a page with styles of another nonce.
        return Reply::new(200)
            .with_header("content-type", "text/html; charset=utf-8")
            .with_header("content-security-policy", "default-src 'none'; sandbox")
            .with_header("x-content-type-options", "nosniff")
            .with_body(live);
    }
    view.document("Requests")
        .with(&form)
        .with(&live)
        .with_script(include_str!("live.js"))
        .reply(200)
}

fn row(record: &RequestRecord) -> Vec<String> {
    let number = record.number.to_string();
    let app = record
        .app_id()
        .map(|app| link("/application", "id", app, &app[..app.len().min(8)]));
    vec![
        link("/request", "number", &number, &number),
        time(record.time),
        format!("{} {}", escape(&record.method), code(&record.path)),
        status(record.status),
        app.unwrap_or_default(),
        record.reason().map(escape).unwrap_or_default(),
    ]
}

pub(super) fn one(view: &View<'_>) -> Reply {
    let number: u64 = view.parameter("number").parse().unwrap_or_default();
    let record = {
        let journal = view.tenant.engine.journal();
        journal
            .records()
            .find(|record| record.number == number)
            .cloned()
    };
    let Some(record) = record else {
        return view
            .document("Request not found")
            .with("<p>The journal does not have this request any more, or never had it.</p>")
            .reply(404);
    };
    let tenant_id = view.tenant.engine.read().tenant_id.to_string();
    let mut document = view
        .document(&format!("Request {number}"))
        .with(&format!(
            "<p>{} {}</p>",
            escape(&record.method),
            code(&record.path)
        ))
        .with(&about(&record));
    if let Some(reason) = record.reason() {
        let lines: Vec<String> = why::explanation(&record, &tenant_id)
            .iter()
            .map(|line| escape(line))
            .collect();
        document = document
            .with("<h2>Why it was rejected</h2>")
            .with(&format!("<p class=\"bad\">{}</p>", escape(reason)));
        if !lines.is_empty() {
            document = document.with(&page::list(&lines));
        }
    }
    if let Some(query) = &record.query {
        let pairs: Vec<String> = url::form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| format!("{} = {}", code(&name), code(&value)))
            .collect();
        document = document.with("<h2>Query</h2>").with(&page::list(&pairs));
    }
    let parts: Vec<String> = record
        .facts
        .parts
        .iter()
        .map(|part| {
            let result = part.status.map_or_else(
                || "<span class=\"bad\">no response</span>".to_owned(),
                status,
            );
            format!("{} {} {result}", escape(&part.method), code(&part.path))
        })
        .collect();
    if !parts.is_empty() {
        document = document
            .with("<h2>Requests of the batch</h2>")
            .with(&page::list(&parts));
    }
    let headers: Vec<String> = record
        .headers
        .iter()
        .map(|(name, value)| format!("{}: {}", code(name), escape(value)))
        .collect();
    document = document
        .with("<h2>Headers</h2>")
        .with(&page::list(&headers));
    if let Some(token) = record.facts.token.as_ref() {
        document = document.with("<h2>Token</h2>");
        document = match Decoded::of(token) {
            Some(decoded) => document
                .with("<p class=\"soft\">Without its signature, so it is of no use elsewhere.</p>")
                .with(&times(&decoded))
                .with("<h3>Header</h3>")
                .with(&json(&decoded.header))
                .with("<h3>Claims</h3>")
                .with(&json(&decoded.claims)),
            None => document.with("<p>It is not a JWT, and not shown.</p>"),
        };
    }
    document.reply(200)
}

fn about(record: &RequestRecord) -> String {
    let mut about = vec![
        ("Time", time(record.time)),
        ("Status", status(record.status)),
    ];
    if let Some(app) = record.app_id() {
        about.push(("Application", link("/application", "id", app, app)));
    }
    if !record.permissions().is_empty() {
        about.push((
            "Permissions of the token",
            escape(&record.permissions().join(", ")),
        ));
    }
    if let Some(grant) = record.facts.grant.as_ref() {
        about.push(("Grant", code(&grant.grant_type)));
        if let Some(lifetime) = grant.expires_in {
            about.push((
                "Lifetime of the token",
                format!("{} seconds", lifetime.as_secs()),
            ));
        }
    }
    if let Some(id) = &record.client_request_id {
        about.push(("client-request-id", code(id)));
    }
    if let Some(count) = record.properties() {
        about.push(("Properties without $select", count.to_string()));
    }
    facts(&about)
}

fn times(token: &Decoded) -> String {
    let times = [("Issued", "iat"), ("Valid from", "nbf"), ("Expires", "exp")];
    let known = times
        .iter()
        .filter_map(|(name, claim)| Some((*name, escape(&iso(token.time(claim)?)))));
    facts(&known.collect::<Vec<_>>())
}

fn json(object: &Map<String, Value>) -> String {
    format!(
        "<pre>{}</pre>",
        escape(&serde_json::to_string_pretty(object).unwrap_or_default())
    )
}
