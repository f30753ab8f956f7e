//! A browser that a test plays: it keeps cookies as browsers do, and brings them along only where
//! they belong.

use std::collections::BTreeMap;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
    response::Response,
};
use entra_core::url::Url;
use entra_mock::{FakeTenant, Redirected};
use tower_service::Service;

pub(crate) const SITE: &str = "https://shop.example";

#[derive(Clone, Default)]
pub(crate) struct Browser {
    /// Value, path and SameSite by name.
    pub(crate) cookies: BTreeMap<String, (String, String, String)>,
}

/// What the site answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str().unwrap());
        value.unwrap_or_default()
    }

    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.header("location")
    }

    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        let all = self.headers.get_all(header::SET_COOKIE).iter();
        all.map(|value| value.to_str().unwrap()).collect()
    }
}

impl Browser {
    /// Opens a page of the site.
    pub(crate) async fn open(&mut self, site: &Router, path: &str) -> Answer {
        let request = Request::get(path).header("accept", "text/html");
        self.send(site, request, Body::empty(), false).await
    }

    /// Sends a form to the site, from a page of the site itself or of another one.
    pub(crate) async fn post(
        &mut self,
        site: &Router,
        path: &str,
        form: &str,
        from_elsewhere: bool,
    ) -> Answer {
        let from = match from_elsewhere {
            true => "cross-site",
            false => "same-origin",
        };
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", from);
        let body = Body::from(form.to_owned());
        self.send(site, request, body, from_elsewhere).await
    }

    /// Comes back from the tenant, by a query or a form.
    pub(crate) async fn bring(&mut self, site: &Router, back: &Redirected) -> Answer {
        let path = path_of(back.address());
        match back.is_posted() {
            true => self.post(site, &path, &back.query(), true).await,
            false => self.open(site, &path).await,
        }
    }

    /// Starts a sign-in; gives the tenant's address.
    pub(crate) async fn start(&mut self, site: &Router, path: &str) -> String {
        self.open(site, path).await.location().to_owned()
    }

    /// Signs in with everything it takes; gives the site's answer to the callback.
    pub(crate) async fn sign_in(
        &mut self,
        site: &Router,
        tenant: &FakeTenant,
        path: &str,
        name: &str,
    ) -> Answer {
        let url = self.start(site, path).await;
        let back = tenant.sign_in_at(&url, name);
        self.bring(site, &back).await
    }

    pub(crate) fn session(&self) -> Option<&str> {
        let (_, cookie) = self.session_cookie()?;
        Some(cookie.0.as_str())
    }

    /// The session's cookie as a request has it.
    pub(crate) fn session_pair(&self) -> String {
        let (name, cookie) = self.session_cookie().unwrap();
        format!("{name}={}", cookie.0)
    }

    /// Has another value for the session.
    pub(crate) fn set_session(&mut self, value: &str) {
        let name = session_name();
        let cookie = (value.to_owned(), "/".to_owned(), "Lax".to_owned());
        self.cookies.insert(name, cookie);
    }

    fn session_cookie(&self) -> Option<(&String, &(String, String, String))> {
        let is_session = |name: &str| name.starts_with("__Host-entra-session-");
        self.cookies.iter().find(|(name, _)| is_session(name))
    }

    async fn send(
        &mut self,
        site: &Router,
        request: axum::http::request::Builder,
        body: Body,
        cross_site_post: bool,
    ) -> Answer {
        let request = request.body(body).unwrap();
        let path = request.uri().path().to_owned();
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .filter(|(_, (_, under, _))| path.starts_with(under.as_str()))
            .filter(|(_, (_, _, same_site))| !cross_site_post || same_site == "None")
            .map(|(name, (value, ..))| format!("{name}={value}"))
            .collect();
        let mut request = request;
        if !cookies.is_empty() {
            let cookies = cookies.join("; ").parse().unwrap();
            request.headers_mut().insert(header::COOKIE, cookies);
        }
        let answer = call(site, request).await;
        for cookie in answer.set_cookies() {
            self.keep(cookie);
        }
        answer
    }

    fn keep(&mut self, cookie: &str) {
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let attribute = |wanted: &str| {
            let found = attributes.split("; ").find_map(|one| {
                let (name, value) = one.split_once('=')?;
                (name == wanted).then_some(value)
            });
            found.unwrap_or_default().to_owned()
        };
        assert!(
            attributes.contains("HttpOnly") && attributes.contains("Secure"),
            "{cookie}"
        );
        if attribute("Max-Age") == "0" {
            self.cookies.remove(name);
        } else {
            let kept = (value.to_owned(), attribute("Path"), attribute("SameSite"));
            self.cookies.insert(name.to_owned(), kept);
        }
    }
}

/// As the site at `/auth` names it.
pub(crate) fn session_name() -> String {
    let digest = aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA256,
        format!("{SITE}/auth").as_bytes(),
    );
    let hex: String = digest.as_ref()[..5]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("__Host-entra-session-{hex}")
}

pub(crate) async fn call(site: &Router, request: Request<Body>) -> Answer {
    let mut site = site.clone();
    let response: Response = site.call(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

/// The part of an address of the site that a request has.
pub(crate) fn path_of(address: &str) -> String {
    let url = Url::parse(address).unwrap();
    assert_eq!(url.origin().ascii_serialization(), SITE);
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}
