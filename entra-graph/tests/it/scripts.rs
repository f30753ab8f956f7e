//! A client with scripted responses.

use entra_core::{Cloud, HttpTransport, ManualClock, ScriptedTransport, StaticCredential};
use entra_graph::{GraphClient, GraphClientBuilder};

pub(crate) const ROOT: &str = "https://graph.example.com/v1.0";

pub(crate) fn client(transport: impl HttpTransport) -> GraphClient {
    client_with_token(transport, "token")
}

pub(crate) fn client_with_token(transport: impl HttpTransport, token: &str) -> GraphClient {
    let cloud = Cloud::custom("https://login.example.com", "https://graph.example.com").unwrap();
    GraphClient::builder(StaticCredential::new(token))
        .cloud(cloud)
        .clock(ManualClock::new())
        .transport(transport)
        .build()
        .unwrap()
}

pub(crate) fn client_with_clock(transport: impl HttpTransport, clock: ManualClock) -> GraphClient {
    builder(transport, clock).build().unwrap()
}

pub(crate) fn builder(transport: impl HttpTransport, clock: ManualClock) -> GraphClientBuilder {
    let cloud = Cloud::custom("https://login.example.com", "https://graph.example.com").unwrap();
    let builder = GraphClient::builder(StaticCredential::new("token")).cloud(cloud);
    builder.clock(clock).transport(transport)
}

/// The path and query of each request so far, percent-decoded.
pub(crate) fn requested(transport: &ScriptedTransport) -> Vec<String> {
    transport
        .requests()
        .iter()
        .map(|request| {
            let target = request.uri().path_and_query().unwrap().as_str();
            decode(target.strip_prefix("/v1.0").unwrap_or(target))
        })
        .collect()
}

pub(crate) fn is_advanced(request: &http::Request<bytes::Bytes>) -> bool {
    request
        .headers()
        .get("consistencylevel")
        .is_some_and(|level| level == "eventual")
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let hex = [rest.next().unwrap(), rest.next().unwrap()];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
    }
    String::from_utf8(bytes).unwrap()
}
