//! Sign-in without a browser and without HTTP, for tests of something else.

use std::sync::RwLock;

use entra_core::Timestamp;

use super::{
    account, admin_consent, authorize,
    client::{self, ClientAuthentication},
    consent,
    context::{Context, Version},
    device,
    error::LoginError,
    redirect::Platform,
    scope::RequestedScopes,
    user_grant::{self, UserTokenRequest},
    user_sign_in::Event,
};
use crate::{
    state::State,
    wire::{Reply, WireRequest},
};

/// The tenant, time and address of a direct sign-in.
pub(crate) struct Direct<'a> {
    pub(crate) state: &'a RwLock<State>,
    pub(crate) now: Timestamp,
    /// The tenant's own URL.
    pub(crate) base: String,
}

/// The tokens of a direct sign-in.
pub(crate) struct DirectTokens {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    pub(crate) id_token: Option<String>,
}

/// The redirect at the end of a direct sign-in.
#[derive(Clone)]
pub(crate) struct DirectRedirect {
    /// The URL of the redirect or, for a form post, of the form.
    pub(crate) address: String,
    /// The parameters, decoded.
    pub(crate) parameters: Vec<(String, String)>,
    /// Whether the parameters are sent as a form and not in the URL.
    pub(crate) posted: bool,
}

/// Follows an authorize or admin consent URL, which can also be relative to the tenant. Returns the message of the
/// page if the sign-in ends on one.
pub(crate) fn follow(
    direct: &Direct<'_>,
    url: &str,
    user_name: &str,
) -> Result<DirectRedirect, String> {
    let (path, query) = split(url, &direct.base);
    let reply = authorize_for(direct, &path, query.as_deref(), user_name);
    let location = reply
        .headers
        .iter()
        .find(|(name, _)| *name == "location")
        .map(|(_, value)| value.clone().into_owned());
    let page = String::from_utf8_lossy(&reply.body).into_owned();
    DirectRedirect::read(location, &page).ok_or_else(|| error_on_page(&page))
}

impl DirectRedirect {
    fn read(location: Option<String>, page: &str) -> Option<Self> {
        if let Some(address) = location {
            let url = url::Url::parse(&address).ok()?;
            let text = url.fragment().or(url.query()).unwrap_or_default();
            let parameters = url::form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect();
            return Some(Self {
                address,
                parameters,
                posted: false,
            });
        }
        // The tenant's own form, so its markup is known.
        let attribute = |text: &str, name: &str| {
            let (_, rest) = text.split_once(&format!("{name}=\""))?;
            Some(unescape(rest.split_once('"')?.0))
        };
        let (_, form) = page.split_once("<h1>Working…</h1>")?;
        let address = attribute(form, "action")?;
        let parameters = form
            .split("<input type=\"hidden\" ")
            .skip(1)
            .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)))
            .collect();
        Some(Self {
            address,
            parameters,
            posted: true,
        })
    }
}

/// Responds to an authorize or admin consent request as if this user had signed in and consented.
fn authorize_for(direct: &Direct<'_>, path: &str, query: Option<&str>, user_name: &str) -> Reply {
    let request = direct.request(path, query);
    let mut segments = path.trim_start_matches('/').split('/');
    let tenant = segments.next().unwrap_or_default();
    let rest: Vec<&str> = segments.collect();
    let context = |version| Context::new(direct.state, direct.now, &request, version);
    match rest.as_slice() {
        ["v2.0", "adminconsent"] => {
            admin_consent::respond_for(&context(Version::V2), tenant, user_name)
        }
        ["adminconsent"] => admin_consent::respond_for(&context(Version::V1), tenant, user_name),
        ["oauth2", "authorize"] => authorize::respond_for(&context(Version::V1), tenant, user_name),
        _ => authorize::respond_for(&context(Version::V2), tenant, user_name),
    }
}

/// Issues tokens of an application for a user, with a grant for each scope without consent.
pub(crate) fn tokens_for(
    direct: &Direct<'_>,
    client_id: &str,
    user_name: &str,
    scope: &str,
) -> Result<DirectTokens, String> {
    let request = direct.request("/", None);
    let context = Context::new(direct.state, direct.now, &request, Version::V2);
    issue(&context, client_id, user_name, scope)
        .map_err(|error| format!("AADSTS{}: {}", error.code, error.text()))
}

/// Approves the device with this user code as a user who consents, or declines it.
pub(crate) fn decide_device(
    direct: &Direct<'_>,
    user_code: &str,
    user_name: Option<&str>,
) -> Result<(), String> {
    let request = direct.request("/devicelogin", None);
    let context = Context::new(direct.state, direct.now, &request, Version::V2);
    let subject = user_name.map(|name| {
        let state = context.read();
        account::find(&state, name).map(|user| account::subject(&state, user, context.now, true))
    });
    let decided = subject
        .transpose()
        .and_then(|subject| device::decide(&context, user_code, subject.as_ref()));
    decided.map_err(|error| format!("AADSTS{}: {}", error.code, error.text()))
}

impl Direct<'_> {
    fn request(&self, path: &str, query: Option<&str>) -> WireRequest {
        WireRequest {
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: query.map(str::to_owned),
            headers: Vec::new(),
            body: Vec::new(),
            base: self.base.clone(),
            handshakes: Vec::new(),
        }
    }
}

fn issue(
    context: &Context<'_>,
    client_id: &str,
    user_name: &str,
    scope: &str,
) -> Result<DirectTokens, LoginError> {
    let requested = RequestedScopes::parse(scope)?;
    let (client, subject, missing) = {
        let state = context.read();
        let mut client = client::find(&state, client_id)?;
        let public = super::redirect::registered(&state, client_id)
            .iter()
            .all(|(platform, _)| *platform != Platform::Web);
        if public && client.allows_public_flows(&state) {
            client.authentication = ClientAuthentication::Public;
        }
        let user = account::find(&state, user_name)?;
        let subject = account::subject(&state, user, context.now, true);
        let missing = consent::look_up_all(&state, context, &client, &subject.user_id, &requested)?;
        (client, subject, missing)
    };
    for consent_result in missing {
        let names: Vec<String> = consent_result
            .missing
            .into_iter()
            .filter(|name| name != ".default")
            .collect();
        if !names.is_empty() {
            // The id of a grant is new, so storing it cannot fail.
            let _ = context.write().consent(
                &client.service_principal_id,
                &consent_result.resource.service_principal_id,
                &names,
                Some(&subject.user_id),
            );
        }
    }
    let token_request = UserTokenRequest {
        client: &client,
        subject: &subject,
        requested: &requested,
        nonce: None,
        event: Some(Event::Interactive),
        failure: Some(Event::Interactive),
        fixed_end: None,
        client_info: true,
        capabilities: Vec::new(),
        front_channel: None,
    };
    let issued = user_grant::issue(context, &token_request)?;
    let text = |name: &str| issued.text(name).map(str::to_owned);
    Ok(DirectTokens {
        access_token: text("access_token").unwrap_or_default(),
        refresh_token: text("refresh_token"),
        id_token: text("id_token"),
    })
}

/// Returns the error message on a page, or the whole page if it has none.
fn error_on_page(page: &str) -> String {
    let text = |start: &str, end: &str| {
        let (_, rest) = page.split_once(start)?;
        let (_, rest) = rest.split_once('>')?;
        Some(unescape(rest.split_once(end)?.0))
    };
    text("id=\"error\"", "</p>")
        .or_else(|| text("<h1", "</h1>"))
        .unwrap_or_else(|| page.to_owned())
}

/// Returns path and query of a URL, which can also be relative to the tenant.
fn split(url: &str, base: &str) -> (String, Option<String>) {
    let parsed = (url::Url::parse(url), url::Url::parse(base));
    // The same address can be written in several ways, such as with the port of HTTPS.
    if let (Ok(absolute), Ok(base)) = parsed
        && absolute.origin() == base.origin()
    {
        let query = absolute.query().map(str::to_owned);
        return (absolute.path().to_owned(), query);
    }
    let rest = url.strip_prefix(base).unwrap_or(url);
    match rest.split_once('?') {
        Some((path, query)) => {
            let query = query.split_once('#').map_or(query, |(query, _)| query);
            (path.to_owned(), Some(query.to_owned()))
        }
        None => (rest.to_owned(), None),
    }
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}
