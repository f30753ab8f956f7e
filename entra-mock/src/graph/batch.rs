//! `POST /$batch`: up to 20 requests in one.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use super::{call::split_version, payload, projection, route};
use crate::{
    fault::Faults,
    odata::GraphError,
    wire::{Reply, WireRequest},
};

/// Responds to a batch. `respond_to` responds to each of its requests as if it had come alone.
pub(super) fn respond(
    faults: &Mutex<Faults>,
    request: &WireRequest,
    version: &str,
    respond_to: impl Fn(&WireRequest) -> Reply,
) -> Result<Reply, GraphError> {
    let body: Value = payload::parse(&request.body)
        .ok_or_else(|| malformed("Unable to read JSON request payload."))?;
    let items = body["requests"]
        .as_array()
        .ok_or_else(|| malformed("Invalid batch payload format."))?;
    if items.is_empty() || items.len() > MAX_ITEMS {
        return Err(malformed(format!(
            "Number of batch requests must be between 1 and {MAX_ITEMS}."
        )));
    }
    let items: Vec<Item<'_>> = items.iter().map(Item::read).collect::<Result<_, _>>()?;
    let order = order(&items)?;
    // A batch with a malformed item changes nothing.
    let mut requests: Vec<WireRequest> = items
        .iter()
        .map(|item| item.request(&request.base, version))
        .collect::<Result<_, _>>()?;
    for item in &mut requests {
        item.handshakes.clone_from(&request.handshakes);
    }
    let mut statuses: Vec<Option<u16>> = vec![None; items.len()];
    let mut out = b"{\"responses\":[".to_vec();
    let mut written = false;
    let mut delay = Duration::ZERO;
    for (number, depends_on) in order {
        let failed = depends_on
            .iter()
            .any(|other| statuses[*other].is_none_or(|status| status >= 400));
        let reply = if failed {
            Reply::json(
                424,
                &json!({"error": {"code": "FailedDependency", "message": "A request that this request depends on failed."}}),
            )
        } else {
            Faults::apply(faults, &mut requests[number], &respond_to)
        };
        statuses[number] = Some(reply.status);
        delay = delay.max(reply.delay);
        if !reply.delivery.is_complete() {
            continue;
        }
        if written {
            out.push(b',');
        }
        written = true;
        write_response(&mut out, items[number].id, &reply);
    }
    out.extend_from_slice(b"]}");
    let mut reply = Reply::new(200)
        .with_header("content-type", "application/json")
        .with_body(out);
    reply.delay = delay;
    Ok(reply)
}

/// Returns the requests of a batch, or none if it is malformed.
pub(super) fn requests(request: &WireRequest) -> Vec<WireRequest> {
    let body: Option<Value> = payload::parse(&request.body);
    let items = body.as_ref().and_then(|body| body["requests"].as_array());
    let version = split_version(&request.path).map_or("/v1.0", |(version, _)| version);
    let read = |item| Item::read(item)?.request(&request.base, version);
    let requests: Result<Vec<_>, GraphError> = items
        .into_iter()
        .flatten()
        .take(MAX_ITEMS)
        .map(read)
        .collect();
    requests.unwrap_or_default()
}

/// Whether the request is a batch.
pub(crate) fn is_batch(request: &WireRequest) -> bool {
    let is_named = || split_version(&request.path).is_some_and(|(_, path)| is_path(path));
    request.method == "POST" && is_named()
}

/// Whether a path below the version is that of batches.
fn is_path(path: &str) -> bool {
    route::decode(path.trim_matches('/')).is_some_and(|name| name.eq_ignore_ascii_case("$batch"))
}

/// Returns the items with their dependencies, in an order in which each item comes after the items
/// that it depends on.
fn order(items: &[Item<'_>]) -> Result<Vec<(usize, Vec<usize>)>, GraphError> {
    let mut numbers: HashMap<String, usize> = HashMap::new();
    for (number, item) in items.iter().enumerate() {
        if numbers
            .insert(item.id.to_ascii_lowercase(), number)
            .is_some()
        {
            return Err(malformed(format!(
                "Batch request id '{}' is used more than once.",
                item.id
            )));
        }
    }
    let mut waiting: Vec<(usize, Vec<usize>)> = Vec::with_capacity(items.len());
    for (number, item) in items.iter().enumerate() {
        let depends_on = item.depends_on.iter().map(|id| {
            numbers
                .get(&id.to_ascii_lowercase())
                .copied()
                .ok_or_else(|| {
                    malformed(format!(
                        "Batch request '{}' depends on '{id}', which is not part of the batch.",
                        item.id
                    ))
                })
        });
        waiting.push((number, depends_on.collect::<Result<_, _>>()?));
    }
    let mut ordered: Vec<(usize, Vec<usize>)> = Vec::with_capacity(items.len());
    while !waiting.is_empty() {
        let ready = |(_, depends_on): &(usize, Vec<usize>)| {
            depends_on
                .iter()
                .all(|other| ordered.iter().any(|(done, _)| done == other))
        };
        let Some(next) = waiting.iter().position(ready) else {
            return Err(malformed("Batch requests depend on each other in a cycle."));
        };
        ordered.push(waiting.remove(next));
    }
    Ok(ordered)
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
    fn read(item: &'a Value) -> Result<Self, GraphError> {
        let text = |name: &str| {
            let value = item[name].as_str().filter(|value| !value.is_empty());
            value.ok_or_else(|| {
                malformed(format!(
                    "Batch request '{name}' is missing or not a string."
                ))
            })
        };
        // One official client writes `depends_on`, always empty. Only the documented name counts.
        let depends_on = match &item["dependsOn"] {
            Value::Null => Some(Vec::new()),
            Value::Array(ids) => ids.iter().map(Value::as_str).collect(),
            _ => None,
        };
        let depends_on = depends_on
            .ok_or_else(|| malformed("Batch request 'dependsOn' is not a list of ids."))?;
        Ok(Self {
            id: text("id")?,
            method: text("method")?,
            url: text("url")?,
            headers: &item["headers"],
            body: &item["body"],
            depends_on,
        })
    }

    /// Returns the item as a request to the same host and version with the same caller.
    fn request(&self, base: &str, version: &str) -> Result<WireRequest, GraphError> {
        // An address in the query does not make the URL absolute.
        let absolute = self
            .url
            .split_once("://")
            .filter(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphabetic()));
        let url = absolute.map_or(self.url, |(_, rest)| {
            rest.find('/').map_or("", |at| &rest[at..])
        });
        let (path, query) = url
            .split_once('?')
            .map_or((url, None), |(path, query)| (path, Some(query.to_owned())));
        let segments: Vec<&str> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        let path = format!(
            "{}/{}",
            if absolute.is_some() { "" } else { version },
            segments.join("/")
        );
        if segments.last().is_some_and(|last| is_path(last)) {
            return Err(malformed("A batch cannot hold another batch."));
        }
        let headers = self.headers.as_object().into_iter().flatten();
        let headers: Vec<(String, String)> = headers
            .filter_map(|(name, value)| {
                Some((name.to_ascii_lowercase(), value.as_str()?.to_owned()))
            })
            .collect();
        let content_type = headers
            .iter()
            .find(|(name, _)| name == "content-type")
            .map(|(_, value)| value.to_ascii_lowercase());
        // Public reports show it of writes (msgraph-sdk-dotnet issue 2628).
        let method = self.method.to_ascii_uppercase();
        let is_write = ["POST", "PATCH", "PUT"].contains(&method.as_str());
        if is_write && content_type.is_none() && !self.body.is_null() {
            return Err(malformed(format!(
                "Write request id : {} does not contain Content-Type header or body.",
                self.id
            )));
        }
        let is_json = content_type.is_none_or(|kind| kind.starts_with("application/json"));
        // A body that is not JSON is base64 in a string.
        let body = match self.body {
            Value::Null => Vec::new(),
            Value::String(text) if !is_json => decode(text)
                .ok_or_else(|| malformed("The body of a batch request is not valid base64."))?,
            body => body.to_string().into_bytes(),
        };
        Ok(WireRequest {
            method,
            path,
            query,
            headers,
            body,
            base: base.to_owned(),
            handshakes: Vec::new(),
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
    projection::write(out, &json!(id));
    out.extend_from_slice(format!(",\"status\":{},\"headers\":", reply.status).as_bytes());
    projection::write(out, &Value::Object(headers));
    if !reply.body.is_empty() {
        out.extend_from_slice(b",\"body\":");
        // A count is a number and JSON is an object: these bytes are written unchanged. Everything
        // else is base64.
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&reply.body).is_ok();
        let text = is_json
            && reply.headers.iter().any(|(name, value)| {
                *name == "content-type"
                    && (value.starts_with("application/json") || value.starts_with("text/plain"))
            });
        if text {
            out.extend_from_slice(&reply.body);
        } else {
            projection::write(out, &json!(STANDARD.encode(&reply.body)));
        }
    }
    out.push(b'}');
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let plain = text.trim_end_matches('=');
    STANDARD_NO_PAD
        .decode(plain)
        .or_else(|_| URL_SAFE_NO_PAD.decode(plain))
        .ok()
}

/// Clients look for `Content-Type` in this spelling; the documented examples have both.
fn canonical(name: &str) -> String {
    match name {
        "content-type" => "Content-Type".to_owned(),
        "odata-version" => "OData-Version".to_owned(),
        _ => name.to_owned(),
    }
}

fn malformed(message: impl Into<String>) -> GraphError {
    GraphError::new(400, "BadRequest", message)
}

const MAX_ITEMS: usize = 20;
