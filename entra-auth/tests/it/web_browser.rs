//! A simulated browser: it stores cookies as browsers do and sends them only to the paths and sites
//! that they are for.

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
    /// Value, path and `SameSite` by name.
    pub(crate) cookies: BTreeMap<String, (String, String, String)>,
}

/// A response of the site.
pub(crate) struct SiteResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl SiteResponse {
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
    pub(crate) async fn open(&mut self, site: &Router, path: &str) -> SiteResponse {
        let request = Request::get(path).header("accept", "text/html");
        self.send(site, request, Body::empty(), false).await
    }

    /// Posts a form to the site, from a page of the site itself or of another site.
    pub(crate) async fn post(
        &mut self,
        site: &Router,
        path: &str,
        form: &str,
        from_elsewhere: bool,
    ) -> SiteResponse {
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

    /// Sends the tenant's response to the callback, in the query or as a form.
    pub(crate) async fn send_callback(
        &mut self,
        site: &Router,
        redirected: &Redirected,
    ) -> SiteResponse {
        let path = path_of(redirected.address());
        match redirected.is_posted() {
            true => self.post(site, &path, &redirected.query(), true).await,
            false => self.open(site, &path).await,
        }
    }

    /// Starts a sign-in and returns the tenant's URL.
    pub(crate) async fn start(&mut self, site: &Router, path: &str) -> String {
        self.open(site, path).await.location().to_owned()
    }

    /// Signs in completely and returns the response to the callback.
    pub(crate) async fn sign_in(
        &mut self,
        site: &Router,
        tenant: &FakeTenant,
        path: &str,
        name: &str,
    ) -> SiteResponse {
        let url = self.start(site, path).await;
        let redirected = tenant.sign_in_at(&url, name);
        self.send_callback(site, &redirected).await
    }

    pub(crate) fn session(&self) -> Option<&str> {
        let (_, cookie) = self.session_cookie()?;
        Some(cookie.0.as_str())
    }

    /// The session's cookie as a request sends it.
    pub(crate) fn session_pair(&self) -> String {
        let (name, cookie) = self.session_cookie().unwrap();
        format!("{name}={}", cookie.0)
    }

    /// Replaces the value of the session's cookie.
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
    ) -> SiteResponse {
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
        let response = call(site, request).await;
        for cookie in response.set_cookies() {
            self.keep(cookie);
        }
        response
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
            let stored_cookie = (value.to_owned(), attribute("Path"), attribute("SameSite"));
            self.cookies.insert(name.to_owned(), stored_cookie);
        }
    }
}

/// The name of the cookie of the site at `/auth`.
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

pub(crate) async fn call(site: &Router, request: Request<Body>) -> SiteResponse {
    let mut site = site.clone();
    let response: Response = site.call(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    SiteResponse {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

/// The path and query of a URL of the site.
pub(crate) fn path_of(address: &str) -> String {
    let url = Url::parse(address).unwrap();
    assert_eq!(url.origin().ascii_serialization(), SITE);
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}
