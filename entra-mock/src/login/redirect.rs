//! Redirect URIs: the registered ones, and responses to them.

use serde_json::Value;
use url::Url;

use super::{
    context::Context,
    error::LoginError,
    first_party::{TOOL_REDIRECT_URIS, Tool},
    page,
};
use crate::{
    state::State,
    store::{Kind, Object},
    wire::Reply,
};

pub(super) use crate::grants::Platform;

/// Returns the platform of a redirect URI if the application has registered it.
pub(super) fn platform(state: &State, app_id: &str, address: &str) -> Option<Platform> {
    registered(state, app_id)
        .into_iter()
        .find(|(_, known)| matches_redirect_uri(known, address))
        .map(|(platform, _)| platform)
}

/// Returns all redirect URIs of an application.
pub(super) fn registered(state: &State, app_id: &str) -> Vec<(Platform, String)> {
    let list = |object: Option<&Object>, part: &str, list: &str| -> Vec<String> {
        let part = object.and_then(|object| object.get(part));
        let addresses = if list.is_empty() {
            part
        } else {
            part.and_then(|part| part.get(list))
        };
        addresses
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|address| address.as_str().map(str::to_owned))
            .collect()
    };
    let application = state.store.find(Kind::Application, "appId", app_id);
    // An application of another tenant has its redirect URIs on the service principal.
    let principal = match application {
        Some(_) => None,
        None => state.store.find(Kind::ServicePrincipal, "appId", app_id),
    };
    let of = |platform, addresses: Vec<String>| {
        addresses
            .into_iter()
            .map(move |address| (platform, address))
    };
    let of_tool = match Tool::of(app_id) {
        Some(_) => TOOL_REDIRECT_URIS.map(str::to_owned).to_vec(),
        None => Vec::new(),
    };
    of(Platform::Web, list(application, "web", "redirectUris"))
        .chain(of(
            Platform::Public,
            list(application, "publicClient", "redirectUris"),
        ))
        .chain(of(Platform::Spa, list(application, "spa", "redirectUris")))
        .chain(of(Platform::Web, list(principal, "replyUrls", "")))
        .chain(of(Platform::Public, of_tool))
        .collect()
}

/// Compares exactly, except for the port of a loopback URI, which native applications choose at
/// start.
fn matches_redirect_uri(known: &str, requested: &str) -> bool {
    if known == requested {
        return true;
    }
    let (Ok(known), Ok(requested)) = (Url::parse(known), Url::parse(requested)) else {
        return false;
    };
    let loopback = matches!(known.host_str(), Some("localhost" | "127.0.0.1"));
    loopback
        && known.scheme() == requested.scheme()
        && known.host_str() == requested.host_str()
        && known.path() == requested.path()
        && known.query() == requested.query()
        && requested.fragment().is_none()
}

/// The redirect URI and response mode of a request.
#[derive(Clone, Debug)]
pub(super) struct ResponseTarget {
    pub(super) address: Url,
    pub(super) mode: Mode,
    pub(super) state: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Query,
    Fragment,
    FormPost,
}

impl ResponseTarget {
    /// Responds with these parameters.
    pub(super) fn success(
        &self,
        context: &Context<'_>,
        mut values: Vec<(&'static str, String)>,
        session: &str,
    ) -> Reply {
        if let Some(state) = &self.state {
            values.push(("state", state.clone()));
        }
        values.push(("session_state", session.to_owned()));
        self.send(context, &values)
    }

    /// Responds with an error for the application.
    pub(super) fn error_response(&self, context: &Context<'_>, error: &LoginError) -> Reply {
        let mut values = vec![
            ("error", error.oauth().0.to_owned()),
            ("error_description", error.description(context)),
            (
                "error_uri",
                format!("{}/error?code={}", context.base(), error.code),
            ),
        ];
        if let Some(subcode) = error.subcode {
            values.push(("error_subcode", subcode.to_owned()));
        }
        if let Some(state) = &self.state {
            values.push(("state", state.clone()));
        }
        self.send(context, &values)
    }

    /// Responds with exactly these parameters.
    pub(super) fn send(&self, context: &Context<'_>, values: &[(&str, String)]) -> Reply {
        let mut address = self.address.clone();
        match self.mode {
            Mode::Query => {
                address.query_pairs_mut().extend_pairs(values);
            }
            Mode::Fragment => {
                let fragment = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(values)
                    .finish();
                address.set_fragment(Some(&fragment));
            }
            Mode::FormPost => {
                return page::form_post(&address, values).reply(context);
            }
        }
        Reply::new(302)
            .with_header("location", address.to_string())
            .with_header("cache-control", "no-store, no-cache")
            .with_header("x-ms-request-id", context.trace_id.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_uris_match_exactly_except_for_a_loopback_port() {
        let table = [
            ("https://a.example/cb", "https://a.example/cb", true),
            ("https://a.example/cb", "https://a.example/cb/", false),
            ("https://a.example/cb", "https://a.example/CB", false),
            ("https://a.example/cb", "https://a.example:444/cb", false),
            ("https://a.example/cb", "https://a.example/cb?x=1", false),
            ("http://localhost", "http://localhost:49152", true),
            ("http://localhost", "http://localhost:49152/", true),
            ("http://localhost:3000/cb", "http://localhost:1/cb", true),
            ("http://localhost/cb", "http://localhost:1/other", false),
            ("http://localhost", "https://localhost:1", false),
            ("http://localhost", "http://localhost.evil.example", false),
            ("http://localhost", "http://127.0.0.1:1", false),
            ("http://localhost", "http://localhost:1/#x", false),
        ];
        for (known, requested, expected) in table {
            assert_eq!(
                matches_redirect_uri(known, requested),
                expected,
                "{known} {requested}"
            );
        }
    }
}
