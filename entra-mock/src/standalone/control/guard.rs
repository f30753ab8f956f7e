//! Who may use the control API: a client on this machine that has the token of the server.

use std::net::IpAddr;

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use entra_core::{Secret, SecureRandom, SystemRandom};

use super::error::ControlError;
use crate::wire::WireRequest;

/// The token of a server and the names under which its control API can be called.
pub(crate) struct Guard {
    token: Secret,
    /// Host names beside those of loopback. Other machines are let in only if there are some.
    hosts: Vec<String>,
}

impl Guard {
    /// Creates a token. It comes from the system: a seeded one could be guessed.
    pub(crate) fn new(hosts: &[String]) -> Result<Self, entra_core::Error> {
        let mut bytes = [0; 32];
        SystemRandom.fill(&mut bytes)?;
        let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            token: Secret::from(token),
            hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
        })
    }

    pub(crate) const fn token(&self) -> &Secret {
        &self.token
    }

    /// Checks where a request comes from, whatever it is for.
    ///
    /// A page that a browser loaded from another site can send requests to this port, also under a name of its own
    /// that its DNS server points to loopback. Its requests have that name in `Host`, or its own address in
    /// `Origin`.
    pub(crate) fn check_origin(
        &self,
        request: &WireRequest,
        peer: IpAddr,
    ) -> Result<(), ControlError> {
        if !peer.to_canonical().is_loopback() && self.hosts.is_empty() {
            return Err(ControlError::new(
                403,
                "remoteClient",
                "the control API does not accept requests of other machines",
                "start the server with --control-host and the name under which this machine calls it",
            ));
        }
        let host = host_name(&request.base);
        if !is_loopback(host) && !self.hosts.iter().any(|known| known == host) {
            return Err(ControlError::new(
                403,
                "unknownHost",
                format!("the control API is not available under the name {host:?}"),
                "use localhost or 127.0.0.1, or start the server with --control-host",
            ));
        }
        let origin = request.header("origin");
        let foreign = origin.is_some_and(|origin| !origin.eq_ignore_ascii_case(&request.base))
            || request.header("sec-fetch-site") == Some("cross-site");
        if foreign {
            return Err(ControlError::new(
                403,
                "foreignOrigin",
                "the control API does not accept requests of pages of other origins",
                "call it from a program, or from a page of this server",
            ));
        }
        Ok(())
    }

    /// Checks the token of a request.
    pub(crate) fn check_token(&self, request: &WireRequest) -> Result<(), ControlError> {
        let fix = "send the header Authorization: Bearer with the token that the server prints, and that its \
                   environment file exports as ENTRA_MOCK_CONTROL_TOKEN";
        let sent = request.header("authorization").and_then(|header| {
            let (scheme, token) = header.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let Some(sent) = sent else {
            return Err(ControlError::new(
                401,
                "missingToken",
                "the request has no bearer token",
                fix,
            ));
        };
        match self.is_token(sent) {
            true => Ok(()),
            false => Err(ControlError::new(
                401,
                "invalidToken",
                "the token is not the one of this server",
                format!("{fix}; each start of the server creates a new one"),
            )),
        }
    }

    /// Compares a token in a time that does not depend on it.
    pub(crate) fn is_token(&self, sent: &str) -> bool {
        let hash = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
        let (own, sent) = (hash(self.token.expose_secret()), hash(sent));
        verify_slices_are_equal(own.as_ref(), sent.as_ref()).is_ok()
    }
}

/// The host of a base such as `https://localhost:8443`, without port and brackets.
fn host_name(base: &str) -> &str {
    let authority = base.split_once("://").map_or(base, |(_, rest)| rest);
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split_once(']').map_or(rest, |(host, _)| host);
    }
    authority
        .rsplit_once(':')
        .map_or(authority, |(host, _)| host)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

    fn request(base: &str, headers: &[(&str, &str)]) -> WireRequest {
        WireRequest {
            method: "GET".into(),
            path: "/_entra-mock/clock".into(),
            query: None,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            body: Vec::new(),
            base: base.into(),
            handshakes: Vec::new(),
        }
    }

    fn code(result: Result<(), ControlError>) -> &'static str {
        result.map_or_else(|error| error.code, |()| "accepted")
    }

    #[test]
    fn only_loopback_names_are_accepted() {
        let guard = Guard::new(&[]).unwrap();
        for (base, expected) in [
            ("http://localhost:8443", "accepted"),
            ("https://127.0.0.1:8443", "accepted"),
            ("http://[::1]:8443", "accepted"),
            ("http://localhost", "accepted"),
            ("http://evil.example:8443", "unknownHost"),
            ("http://localhost.evil.example:8443", "unknownHost"),
            ("http://127.0.0.1.evil.example", "unknownHost"),
            ("https://login.microsoftonline.com", "unknownHost"),
            ("http://192.0.2.7:8443", "unknownHost"),
        ] {
            assert_eq!(
                code(guard.check_origin(&request(base, &[]), HERE)),
                expected,
                "{base}"
            );
        }
    }

    #[test]
    fn pages_of_other_origins_are_rejected() {
        let guard = Guard::new(&[]).unwrap();
        let base = "http://localhost:8443";
        for (headers, expected) in [
            (&[("origin", "http://localhost:8443")][..], "accepted"),
            (&[("origin", "http://localhost:3000")], "foreignOrigin"),
            (&[("origin", "null")], "foreignOrigin"),
            (&[("origin", "https://evil.example")], "foreignOrigin"),
            (&[("sec-fetch-site", "cross-site")], "foreignOrigin"),
            (&[("sec-fetch-site", "same-origin")], "accepted"),
        ] {
            assert_eq!(
                code(guard.check_origin(&request(base, headers), HERE)),
                expected,
                "{headers:?}"
            );
        }
    }

    #[test]
    fn other_machines_are_rejected_unless_a_host_is_named() {
        let guard = Guard::new(&[]).unwrap();
        let local = request("http://localhost:8443", &[]);
        assert_eq!(code(guard.check_origin(&local, ELSEWHERE)), "remoteClient");
        assert_eq!(
            code(guard.check_origin(&local, Ipv6Addr::LOCALHOST.into())),
            "accepted"
        );
        let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
        assert_eq!(code(guard.check_origin(&local, mapped.into())), "accepted");

        let open = Guard::new(&["Mock".to_owned()]).unwrap();
        assert_eq!(
            code(open.check_origin(&request("http://mock:8443", &[]), ELSEWHERE)),
            "accepted"
        );
        let other = request("http://other:8443", &[]);
        assert_eq!(code(open.check_origin(&other, ELSEWHERE)), "unknownHost");
    }

    #[test]
    fn only_the_token_of_the_server_is_accepted() {
        let guard = Guard::new(&[]).unwrap();
        let token = guard.token().expose_secret().to_owned();
        assert_eq!(token.len(), 64);
        let with = |value: &str| {
            code(guard.check_token(&request("http://localhost", &[("authorization", value)])))
        };
        assert_eq!(with(&format!("Bearer {token}")), "accepted");
        assert_eq!(with(&format!("bearer {token}")), "accepted");
        assert_eq!(with(&format!("Bearer {}", &token[1..])), "invalidToken");
        assert_eq!(with("Bearer "), "invalidToken");
        assert_eq!(with(&token), "missingToken");
        assert_eq!(with(&format!("Basic {token}")), "missingToken");
        let other = Guard::new(&[]).unwrap();
        assert!(
            !other.is_token(&token),
            "each server has a token of its own"
        );
    }
}
