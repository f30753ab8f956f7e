//! Requests to the sign-in service that need no credential: discovery and the authorization endpoint.

use std::sync::Arc;

use entra_core::{
    Clock, Cloud, Guid, HttpTransport, Pipeline, Request, RetryPolicy, SystemRandom, Timestamp,
    http::Method, parse_http_date, url::Url,
};
use serde_json::Value;

/// The sign-in service of one cloud.
#[derive(Debug)]
pub(super) struct SignInService {
    pipeline: Pipeline,
    cloud: Cloud,
}

/// The outcome of a request for the metadata of a tenant.
#[derive(Debug)]
pub(super) enum Discovered {
    Tenant(Metadata),
    /// The service returned an error with this number.
    Rejected(Option<u32>),
    /// The service failed; it may respond later.
    Failed(String),
    Unreachable(String),
}

#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) tenant: Option<Guid>,
    pub(super) region_scope: Option<String>,
    pub(super) region_sub_scope: Option<String>,
    /// The service's time at its response.
    pub(super) date: Option<Timestamp>,
}

/// The outcome of an authorization request without any page (`prompt=none`).
#[derive(Debug)]
pub(super) enum Authorized {
    /// The service redirected to the redirect URI, so it is registered.
    Redirected,
    /// The service shows a page with this error instead.
    Page(u32),
    Unknown(String),
}

impl SignInService {
    pub(super) fn new(
        cloud: Cloud,
        transport: Arc<dyn HttpTransport>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let mut builder = Pipeline::builder(transport)
            .clock(clock)
            .policy(RetryPolicy::for_graph());
        builder = builder.origin(cloud.authority());
        Self {
            pipeline: builder.build(),
            cloud,
        }
    }

    pub(super) fn host(&self) -> &str {
        self.cloud.authority().host_str().unwrap_or_default()
    }

    /// `/{tenant}/v2.0/.well-known/openid-configuration`.
    pub(super) async fn discover(&self, tenant: &str) -> Discovered {
        let path = format!("{tenant}/v2.0/.well-known/openid-configuration");
        let Ok(url) = self.cloud.authority().join(&path) else {
            return Discovered::Unreachable("the address of the sign-in service is invalid".into());
        };
        let request = Request::new("tenant metadata", Method::GET, url);
        let response = match self.pipeline.send(request).await {
            Ok(response) => response,
            Err(error) => return Discovered::Unreachable(with_causes(&error)),
        };
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        match (response.status.as_u16(), text("issuer")) {
            (200, Some(issuer)) => Discovered::Tenant(Metadata {
                tenant: issuer.split('/').find_map(|part| part.parse().ok()),
                region_scope: text("tenant_region_scope"),
                region_sub_scope: text("tenant_region_sub_scope"),
                date: response.header("date").and_then(parse_http_date),
            }),
            (400..=499, _) => {
                let codes = body["error_codes"].as_array().into_iter().flatten();
                let first = codes.filter_map(Value::as_u64).next();
                Discovered::Rejected(first.and_then(|code| u32::try_from(code).ok()))
            }
            (status, _) => Discovered::Failed(format!(
                "the response has the status {status} and no metadata"
            )),
        }
    }

    /// Where the users of a domain sign in: `Managed` at Entra, `Federated` at another provider.
    pub(super) async fn account_type(&self, user: &str) -> Option<String> {
        let mut url = self.cloud.authority().join("common/userrealm/").ok()?;
        url.path_segments_mut().ok()?.pop_if_empty().push(user);
        url.query_pairs_mut().append_pair("api-version", "2.1");
        let request = Request::new("user realm", Method::GET, url);
        let response = self.pipeline.send(request).await.ok()?;
        let body: Value = serde_json::from_slice(&response.body).ok()?;
        body["account_type"].as_str().map(str::to_owned)
    }

    /// Asks for a code with `prompt=none`, as an application does that looks for a session. Without one, Entra
    /// sends `login_required` to a registered redirect URI; it shows a page for one that is not.
    pub(super) async fn authorize(
        &self,
        tenant: &str,
        client_id: &str,
        redirect_uri: &str,
        scope: &str,
    ) -> Authorized {
        let (Ok(mut url), Ok(state), Ok(challenge)) = (
            self.cloud
                .authority()
                .join(&format!("{tenant}/oauth2/v2.0/authorize")),
            Guid::random(&SystemRandom),
            challenge(),
        ) else {
            return Authorized::Unknown("the request could not be made".into());
        };
        url.query_pairs_mut()
            .append_pair("client_id", client_id)
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("response_mode", "query")
            .append_pair("scope", scope)
            .append_pair("prompt", "none")
            .append_pair("state", &state.to_string())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        let request = Request::new("authorization probe", Method::GET, url);
        let response = match self.pipeline.send(request).await {
            Ok(response) => response,
            Err(error) => return Authorized::Unknown(with_causes(&error)),
        };
        if response.status.is_redirection() {
            let location = response.header("location").map(Url::parse);
            return match location {
                Some(Ok(location)) if leads_to(&location, redirect_uri) => Authorized::Redirected,
                // To a federated provider, or to another page of the service: not a response.
                _ => Authorized::Unknown("the service redirects to another page".into()),
            };
        }
        match number(&String::from_utf8_lossy(&response.body)) {
            Some(code) => Authorized::Page(code),
            None => Authorized::Unknown(format!(
                "the response has the status {} and no error number",
                response.status.as_u16()
            )),
        }
    }
}

/// A PKCE challenge whose verifier is not kept: no code is ever redeemed.
fn challenge() -> Result<String, entra_core::Error> {
    let (first, second) = (Guid::random(&SystemRandom)?, Guid::random(&SystemRandom)?);
    let text = format!("{first}{second}").replace('-', "");
    Ok(text.chars().take(43).collect())
}

fn leads_to(location: &Url, redirect_uri: &str) -> bool {
    let Ok(expected) = Url::parse(redirect_uri) else {
        return false;
    };
    location.origin() == expected.origin()
        && location.scheme() == expected.scheme()
        && location.path() == expected.path()
}

/// The first error number in a text: the digits after `AADSTS`.
fn number(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("AADSTS")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let cause = source.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_numbers_are_found_in_pages_and_descriptions() {
        assert_eq!(number("<p>AADSTS50011: The redirect URI"), Some(50_011));
        assert_eq!(number("AADSTS: none"), None);
        assert_eq!(number("a page without"), None);
    }

    #[test]
    fn a_redirect_counts_only_to_the_same_address() {
        let leads = |to: &str| leads_to(&Url::parse(to).unwrap(), "https://a.example/cb");
        assert!(leads("https://a.example/cb?error=login_required"));
        assert!(!leads("https://adfs.contoso.com/cb"));
        assert!(!leads("https://a.example/other"));
    }
}
