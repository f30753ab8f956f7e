//! Cross-origin resource sharing: what a browser lets a single-page application read.
//!
//! Graph is callable from every origin. Discovery and keys are public. The token endpoint is readable for
//! single-page applications only, which the sign-in side decides (`login/cross_origin.rs`), because only it
//! knows the client. Sources: the page "Microsoft identity platform and OAuth 2.0 authorization code flow"
//! (single-page applications), and reports of browser clients for Graph.

use crate::wire::{Reply, WireRequest, is_graph};

/// Responds to a preflight request, which has no token. `None` for every other request, and for paths that
/// no script of another origin can call.
pub(crate) fn preflight(request: &WireRequest) -> Option<Reply> {
    if request.method != "OPTIONS" {
        return None;
    }
    let origin = request.header("origin")?;
    request.header("access-control-request-method")?;
    let (allowed_origin, methods) = match Surface::of(&request.path)? {
        Surface::Graph => ("*", "GET,POST,PUT,PATCH,DELETE,OPTIONS"),
        Surface::Metadata => ("*", "GET,OPTIONS"),
        // The client is in the body of the request that follows.
        Surface::Token => (origin, "POST,OPTIONS"),
    };
    let headers = request
        .header("access-control-request-headers")
        .unwrap_or_default();
    let reply = Reply::new(PREFLIGHT_STATUS)
        .with_header("access-control-allow-origin", allowed_origin.to_owned())
        .with_header("access-control-allow-methods", methods)
        .with_header("access-control-max-age", PREFLIGHT_SECONDS)
        .with_header("vary", "Origin");
    Some(match headers {
        "" => reply,
        headers => reply.with_header("access-control-allow-headers", headers.to_owned()),
    })
}

/// Adds the headers with which a script of another origin can read a response of Graph.
pub(crate) fn expose(request: &WireRequest, reply: Reply) -> Reply {
    if request.header("origin").is_none() || !Surface::is_of_graph(&request.path) {
        return reply;
    }
    reply
        .with_header("access-control-allow-origin", "*")
        .with_header("access-control-expose-headers", EXPOSED)
}

/// The paths that a script of another origin can call.
enum Surface {
    Graph,
    Metadata,
    Token,
}

impl Surface {
    fn of(path: &str) -> Option<Self> {
        if Self::is_of_graph(path) {
            return Some(Self::Graph);
        }
        let path = path.to_ascii_lowercase();
        match segments(&path).as_slice() {
            [_, "oauth2", "token"] | [_, "oauth2", "v2.0", "token"] => Some(Self::Token),
            ["common", "discovery", "instance"]
            | [_, "discovery", "keys"]
            | [_, "discovery", "v2.0", "keys"]
            | [_, ".well-known", "openid-configuration"]
            | [_, "v2.0", ".well-known", "openid-configuration"] => Some(Self::Metadata),
            _ => None,
        }
    }

    /// Whether Graph serves a path: its versions, and UserInfo.
    fn is_of_graph(path: &str) -> bool {
        is_graph(path)
            || matches!(
                segments(&path.to_ascii_lowercase()).as_slice(),
                ["oidc", "userinfo"] | [_, "openid", "userinfo"]
            )
    }
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty()).collect()
}

/// Not documented; browsers accept every 2xx status.
const PREFLIGHT_STATUS: u16 = 200;
const PREFLIGHT_SECONDS: &str = "86400";
/// `Retry-After` is not among them (contrib issue 2011), so a browser client has to back off by itself.
const EXPOSED: &str =
    "ETag,Location,Preference-Applied,Content-Range,request-id,client-request-id,WWW-Authenticate";

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> WireRequest {
        WireRequest {
            method: method.into(),
            path: path.into(),
            query: None,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: Vec::new(),
            base: "https://localhost".into(),
            handshakes: Vec::new(),
        }
    }

    const PREFLIGHT: [(&str, &str); 2] = [
        ("origin", "https://spa.example"),
        ("access-control-request-method", "POST"),
    ];

    #[test]
    fn a_preflight_succeeds_where_scripts_can_call_and_nowhere_else() {
        for (path, expected) in [
            ("/v1.0/users", Some("*")),
            ("/beta/me", Some("*")),
            ("/oidc/userinfo", Some("*")),
            ("/t/openid/userinfo", Some("*")),
            ("/t/discovery/v2.0/keys", Some("*")),
            ("/t/v2.0/.well-known/openid-configuration", Some("*")),
            ("/t/oauth2/v2.0/token", Some("https://spa.example")),
            ("/t/oauth2/v2.0/authorize", None),
            ("/t/oauth2/v2.0/logout", None),
            ("/devicelogin", None),
            ("/msi/token", None),
        ] {
            let reply = preflight(&request("OPTIONS", path, &PREFLIGHT));
            let allowed = reply.and_then(|reply| {
                let mut headers = reply.headers.into_iter();
                headers.find(|(name, _)| *name == "access-control-allow-origin")
            });
            let allowed = allowed.as_ref().map(|(_, value)| &**value);
            assert_eq!(allowed, expected, "{path}");
        }
    }

    #[test]
    fn a_request_that_is_not_a_preflight_is_left_to_its_endpoint() {
        for (method, headers) in [
            ("GET", &PREFLIGHT[..]),
            ("OPTIONS", &PREFLIGHT[..1]),
            ("OPTIONS", &PREFLIGHT[1..]),
        ] {
            assert!(preflight(&request(method, "/v1.0/users", headers)).is_none());
        }
    }
}
