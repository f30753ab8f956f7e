//! What an MCP client does, with the requests spelled out: it finds the metadata, signs a user in and
//! calls a tool.

use std::{error::Error, io::Write};

use entra_auth::entra_core::{
    HttpTransport, ReqwestTransport,
    bytes::Bytes,
    http::{self, HeaderMap},
    url::{Url, form_urlencoded},
};
use entra_mock::{App, FakeTenant};
use serde_json::{Value, json};

use super::{REDIRECT_URI, USER};

/// Calls the server without a token, gets one and calls it again; writes what happens.
pub(crate) async fn call(
    tenant: &FakeTenant,
    url: &str,
    client: &App,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let transport = ReqwestTransport::default();
    let rejected = post(&transport, url, None, &initialize()).await?;
    let challenge = header(rejected.headers(), "www-authenticate");
    writeln!(
        out,
        "without a token: {} {challenge}",
        rejected.status().as_u16()
    )?;

    let place = parameter(challenge, "resource_metadata").ok_or("the 401 names no metadata")?;
    let metadata = get(&transport, &place).await?;
    writeln!(out, "metadata: {metadata}")?;
    let server = text(&metadata["authorization_servers"][0])?;
    let server = get(
        &transport,
        &format!("{server}/.well-known/openid-configuration"),
    )
    .await?;

    let scope = parameter(challenge, "scope").ok_or("the 401 names no scope")?;
    let resource = text(&metadata["resource"])?;
    let token = sign_in(tenant, &transport, client, &server, &scope, resource).await?;
    let accepted = post(&transport, url, Some(&token), &initialize()).await?;
    writeln!(
        out,
        "with a token of {USER}: {}",
        accepted.status().as_u16()
    )?;
    if !accepted.status().is_success() {
        return Err("the server rejects the token".into());
    }
    let session = header(accepted.headers(), "mcp-session-id").to_owned();
    for (tool, arguments) in [
        ("add_note", json!({ "text": "water the plants" })),
        ("list_notes", json!({})),
    ] {
        let call = json!({
            "jsonrpc": "2.0", "id": 2, "method": "tools/call",
            "params": { "name": tool, "arguments": arguments },
        });
        let response = post_in(&transport, url, Some(&token), &call, &session).await?;
        let body = String::from_utf8_lossy(response.body()).into_owned();
        writeln!(out, "{tool}: {}", content(&body).unwrap_or(body))?;
    }
    Ok(())
}

/// Signs the user in with a browser, and redeems the code.
async fn sign_in(
    tenant: &FakeTenant,
    transport: &dyn HttpTransport,
    client: &App,
    server: &Value,
    scope: &str,
    resource: &str,
) -> Result<String, Box<dyn Error>> {
    let client_id = client.client_id().to_string();
    let mut url = Url::parse(text(&server["authorization_endpoint"])?)?;
    url.query_pairs_mut()
        .append_pair("client_id", &client_id)
        .append_pair("response_type", "code")
        .append_pair("redirect_uri", REDIRECT_URI)
        .append_pair("scope", scope)
        .append_pair("resource", resource)
        .append_pair("code_challenge", CHALLENGE)
        .append_pair("code_challenge_method", "S256");
    let redirected = tenant.sign_in_at(url.as_str(), USER);
    let code = redirected
        .parameter("code")
        .ok_or("the sign-in gave no code")?;
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &client_id)
        .append_pair("grant_type", "authorization_code")
        .append_pair("code", &code)
        .append_pair("redirect_uri", REDIRECT_URI)
        .append_pair("code_verifier", VERIFIER)
        .append_pair("resource", resource)
        .finish();
    let request = http::Request::post(text(&server["token_endpoint"])?)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from(form))?;
    let response = transport.send(request).await?;
    let tokens: Value = serde_json::from_slice(response.body())?;
    Ok(text(&tokens["access_token"])?.to_owned())
}

fn initialize() -> Value {
    json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": { "name": "example", "version": "1" },
        },
    })
}

async fn post(
    transport: &dyn HttpTransport,
    url: &str,
    token: Option<&str>,
    message: &Value,
) -> Result<http::Response<Bytes>, Box<dyn Error>> {
    post_in(transport, url, token, message, "").await
}

async fn post_in(
    transport: &dyn HttpTransport,
    url: &str,
    token: Option<&str>,
    message: &Value,
    session: &str,
) -> Result<http::Response<Bytes>, Box<dyn Error>> {
    let mut request = http::Request::post(url)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if !session.is_empty() {
        request = request.header("mcp-session-id", session);
    }
    let request = request.body(Bytes::from(message.to_string()))?;
    Ok(transport.send(request).await?)
}

async fn get(transport: &dyn HttpTransport, url: &str) -> Result<Value, Box<dyn Error>> {
    let request = http::Request::get(url).body(Bytes::new())?;
    let response = transport.send(request).await?;
    Ok(serde_json::from_slice(response.body())?)
}

/// The text of a tool's result, which comes as a server-sent event.
fn content(body: &str) -> Option<String> {
    let mut messages = body.lines().filter_map(|line| {
        let message = line.strip_prefix("data:").unwrap_or(line);
        serde_json::from_str::<Value>(message.trim()).ok()
    });
    messages.find_map(|message| {
        let text = message["result"]["content"][0]["text"].as_str()?;
        Some(text.to_owned())
    })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

/// A parameter of a `WWW-Authenticate` header.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

fn text(value: &Value) -> Result<&str, Box<dyn Error>> {
    Ok(value.as_str().ok_or("a text is missing in a response")?)
}

/// The pair of RFC 7636, appendix B; a client uses a new one for every sign-in.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
