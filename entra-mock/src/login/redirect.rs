//! Redirect addresses: which ones an application has, and how an answer goes back to one.

use serde_json::Value;
use url::Url;

use super::{context::Context, error::LoginError, page};
use crate::{
    state::State,
    store::{Kind, Object},
    wire::Reply,
};

pub(super) use crate::grants::Platform;

/// The platform of an address, if the application has it.
pub(super) fn platform(state: &State, app_id: &str, address: &str) -> Option<Platform> {
    registered(state, app_id)
        .into_iter()
        .find(|(_, known)| fits(known, address))
        .map(|(platform, _)| platform)
}

/// All addresses of an application.
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
    // An application of another tenant has its addresses on the service principal.
    let principal = match application {
        Some(_) => None,
        None => state.store.find(Kind::ServicePrincipal, "appId", app_id),
    };
    let of = |platform, addresses: Vec<String>| {
        addresses
            .into_iter()
            .map(move |address| (platform, address))
    };
    of(Platform::Web, list(application, "web", "redirectUris"))
        .chain(of(
            Platform::Public,
            list(application, "publicClient", "redirectUris"),
        ))
        .chain(of(Platform::Spa, list(application, "spa", "redirectUris")))
        .chain(of(Platform::Web, list(principal, "replyUrls", "")))
        .collect()
}

/// Exact, but for the port of a loopback address, which native applications choose as they start.
fn fits(known: &str, asked: &str) -> bool {
    if known == asked {
        return true;
    }
    let (Ok(known), Ok(asked)) = (Url::parse(known), Url::parse(asked)) else {
        return false;
    };
    let loopback = matches!(known.host_str(), Some("localhost" | "127.0.0.1"));
    loopback
        && known.scheme() == asked.scheme()
        && known.host_str() == asked.host_str()
        && known.path() == asked.path()
        && known.query() == asked.query()
        && asked.fragment().is_none()
}

/// Where and how an answer goes back.
#[derive(Clone, Debug)]
pub(super) struct Return {
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

impl Return {
    /// A success with these parameters.
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

    /// A refusal that the application hears of.
    pub(super) fn refusal(&self, context: &Context<'_>, error: &LoginError) -> Reply {
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

    /// An answer of these parameters alone.
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
    fn addresses_fit_exactly_but_for_a_loopback_port() {
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
        for (known, asked, expected) in table {
            assert_eq!(fits(known, asked), expected, "{known} {asked}");
        }
    }
}
