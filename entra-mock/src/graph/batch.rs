//! `POST /$batch`: up to twenty requests in one.

use std::{
    collections::{HashMap, HashSet},
    sync::RwLock,
};

use entra_core::Timestamp;
use serde_json::{Value, json};

use super::{Caller, respond as respond_to_one, shape};
use crate::{
    odata::Refusal,
    state::State,
    wire::{Reply, WireRequest},
};

pub(super) fn respond(
    tenant: &RwLock<State>,
    now: Timestamp,
    request: &WireRequest,
    caller: &Caller,
) -> Result<Reply, Refusal> {
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|_| malformed("Unable to read JSON request payload."))?;
    let items = body["requests"]
        .as_array()
        .ok_or_else(|| malformed("Invalid batch payload format."))?;
    if items.is_empty() || items.len() > MOST_ITEMS {
        return Err(malformed(format!(
            "Number of batch requests must be between 1 and {MOST_ITEMS}."
        )));
    }
    let items: Vec<Item<'_>> = items.iter().map(Item::read).collect::<Result<_, _>>()?;
    let mut ids = HashSet::new();
    for item in &items {
        if !ids.insert(item.id.to_ascii_lowercase()) {
            return Err(malformed(format!(
                "Batch request id '{}' is used more than once.",
                item.id
            )));
        }
    }
    // A batch with a malformed item does nothing at all.
    let requests: Vec<WireRequest> = items
        .iter()
        .map(|item| item.request(&request.base))
        .collect::<Result<_, _>>()?;
    let mut statuses: HashMap<String, u16> = HashMap::new();
    let mut out = b"{\"responses\":[".to_vec();
    for (number, item) in items.iter().enumerate() {
        let failed = item.depends_on.iter().any(|id| {
            statuses
                .get(&id.to_ascii_lowercase())
                .is_none_or(|status| *status >= 400)
        });
        let reply = if failed {
            Reply::json(
                424,
                &json!({"error": {"code": "FailedDependency", "message": "A request this one depends on failed."}}),
            )
        } else {
            respond_to_one(tenant, now, &requests[number], Ok(caller))
        };
        statuses.insert(item.id.to_ascii_lowercase(), reply.status);
        if number > 0 {
            out.push(b',');
        }
        write_response(&mut out, item.id, &reply);
    }
    out.extend_from_slice(b"]}");
    Ok(Reply::new(200)
        .with_header("content-type", "application/json")
        .with_body(out))
}

struct Item<'a> {
    id: &'a str,
    method: &'a str,
    url: &'a str,
    headers: &'a Value,
    body: &'a Value,
    depends_on: Vec<&'a str>,
}

impl<'a> Item<'a> {
    fn read(item: &'a Value) -> Result<Self, Refusal> {
        let text = |name: &str| {
            let value = item[name].as_str().filter(|value| !value.is_empty());
            value.ok_or_else(|| {
                malformed(format!("Batch request '{name}' is missing or not a text."))
            })
        };
        // One official client writes `depends_on`, always empty; only the documented name counts.
        let depends_on = item["dependsOn"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        Ok(Self {
            id: text("id")?,
            method: text("method")?,
            url: text("url")?,
            headers: &item["headers"],
            body: &item["body"],
            depends_on,
        })
    }

    /// The item as a request of its own, to the same host with the same caller.
    fn request(&self, base: &str) -> Result<WireRequest, Refusal> {
        let url = self.url.split_once("://").map_or(self.url, |(_, rest)| {
            rest.find('/').map_or("", |at| &rest[at..])
        });
        let (path, query) = url
            .split_once('?')
            .map_or((url, None), |(path, query)| (path, Some(query.to_owned())));
        let absolute = self.url.contains("://");
        let segments: Vec<&str> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        let path = format!(
            "{}/{}",
            if absolute { "" } else { "/v1.0" },
            segments.join("/")
        );
        if path.to_ascii_lowercase().ends_with("/$batch") {
            return Err(malformed("A batch cannot hold another batch."));
        }
        let headers = self.headers.as_object().into_iter().flatten();
        let headers = headers
            .filter_map(|(name, value)| {
                Some((name.to_ascii_lowercase(), value.as_str()?.to_owned()))
            })
            .collect();
        let body = if self.body.is_null() {
            Vec::new()
        } else {
            self.body.to_string().into_bytes()
        };
        Ok(WireRequest {
            method: self.method.to_ascii_uppercase(),
            path,
            query,
            headers,
            body,
            base: base.to_owned(),
        })
    }
}

fn write_response(out: &mut Vec<u8>, id: &str, reply: &Reply) {
    let headers: serde_json::Map<String, Value> = reply
        .headers
        .iter()
        .filter(|(name, _)| *name != "date")
        .map(|(name, value)| (canonical(name), json!(value)))
        .collect();
    out.extend_from_slice(b"{\"id\":");
    shape::write(out, &json!(id));
    out.extend_from_slice(format!(",\"status\":{},\"headers\":", reply.status).as_bytes());
    shape::write(out, &Value::Object(headers));
    if !reply.body.is_empty() {
        // A count is a number, everything else an object: the bytes are JSON as they stand.
        out.extend_from_slice(b",\"body\":");
        out.extend_from_slice(&reply.body);
    }
    out.push(b'}');
}

/// Clients look for `Content-Type` in this very spelling.
fn canonical(name: &str) -> String {
    if name == "content-type" {
        "Content-Type".to_owned()
    } else {
        name.to_owned()
    }
}

fn malformed(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "BadRequest", message)
}

const MOST_ITEMS: usize = 20;
