//! The portal: pages that show a tenant to a developer, as the Entra admin center shows a real one.
//!
//! Everything is rendered here; the one script only refreshes the list of requests. The pages are read-only unless
//! the server allows writing.

mod applications;
mod directory;
mod findings;
mod overview;
mod page;
mod requests;
mod session;
mod settings;
mod token;
mod users;
mod why;
mod write_access;

use std::{borrow::Cow, sync::Arc};

use entra_core::Timestamp;
use url::form_urlencoded;

use self::page::{Document, escape};
pub(crate) use self::session::Sessions;
use super::hosted::Hosted;
use crate::wire::{Reply, WireRequest};

/// What every page needs.
pub(super) struct View<'a> {
    pub(super) tenant: &'a Arc<Hosted>,
    /// All tenants of the server.
    pub(super) tenants: &'a [Arc<Hosted>],
    pub(super) now: Timestamp,
    pub(super) request: &'a WireRequest,
    /// Whether the pages have forms that change the tenant.
    pub(super) write: bool,
    parameters: Vec<(String, String)>,
}

impl<'a> View<'a> {
    fn new(
        tenant: &'a Arc<Hosted>,
        tenants: &'a [Arc<Hosted>],
        request: &'a WireRequest,
        write: bool,
    ) -> Self {
        let query = request.query.as_deref().unwrap_or_default();
        let form: &[u8] = match request.method.as_str() {
            "POST" => &request.body,
            _ => query.as_bytes(),
        };
        let owned =
            |(name, value): (Cow<'_, str>, Cow<'_, str>)| (name.into_owned(), value.into_owned());
        Self {
            tenant,
            tenants,
            now: tenant.now(),
            request,
            write,
            parameters: form_urlencoded::parse(form).map(owned).collect(),
        }
    }

    /// A parameter of the query or of the form, without spaces around it; empty if it is missing.
    pub(super) fn parameter(&self, name: &str) -> &str {
        let mut parameters = self.parameters.iter();
        let found = parameters.find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.trim())
    }

    pub(super) fn document(&self, title: &str) -> Document<'_> {
        Document::new(self, title)
    }
}

/// What a form has changed, or why it has not.
pub(super) struct News(pub(super) Result<String, String>);

impl News {
    /// The message above a page.
    pub(super) fn markup(&self) -> String {
        match &self.0 {
            Ok(done) => format!("<p role=\"status\" class=\"good\">{}</p>", escape(done)),
            Err(problem) => format!("<p role=\"alert\" class=\"bad\">{}</p>", escape(problem)),
        }
    }

    /// The status of a page with a message or without.
    pub(super) const fn status(news: Option<&Self>) -> u16 {
        match news {
            Some(Self(Err(_))) => 400,
            _ => 200,
        }
    }
}

/// Responds to a request for a page. `path` is the path below [`ROOT`], and `sessions` those of the server.
pub(super) fn respond(
    sessions: &Sessions,
    tenant: &Arc<Hosted>,
    tenants: &[Arc<Hosted>],
    request: &WireRequest,
    path: &str,
    write: bool,
) -> Reply {
    let view = View::new(tenant, tenants, request, write);
    if path == "/open" {
        return sessions.open(&view);
    }
    if !sessions.knows(request) {
        return session::sign_in_page(&view);
    }
    match (request.method.as_str(), path) {
        ("GET", "" | "/") => overview::page(&view),
        ("GET", "/applications") => applications::list(&view),
        ("GET", "/application") => applications::one(&view),
        ("GET", "/clock" | "/faults" | "/settings") => settings::page(&view, None),
        ("GET", "/directory") => directory::list(&view, None),
        ("GET", "/findings") => findings::page(&view),
        ("GET", "/findings.json") => findings::json(&view),
        ("GET", "/findings.sarif") => findings::sarif(&view),
        ("GET", "/object") => directory::one(&view, None),
        ("GET", "/request") => requests::one(&view),
        ("GET", "/requests") => requests::list(&view),
        ("POST", "/settings") => settings::change(&view),
        ("POST", "/user") => {
            let news = users::change(&view);
            // A deleted user has no page, and a new one is in the list.
            match view.parameter("change") {
                "add" | "delete" => directory::list(&view, Some(&news)),
                _ => directory::one(&view, Some(&news)),
            }
        }
        _ => view
            .document("Page not found")
            .with(&format!(
                "<p>The portal has no page <code>{}</code>.</p>",
                escape(&request.path)
            ))
            .reply(404),
    }
}

/// Leads from the root of the control API to the portal, whose cookie a browser does not send to other paths.
pub(super) fn redirect() -> Reply {
    Reply::new(302).with_header("location", ROOT)
}

/// Returns the path below [`ROOT`] of a path below the control API, if it is a page of the portal.
pub(super) fn path(path: &str) -> Option<&str> {
    let page = path.strip_prefix("/portal")?;
    // Links are made by the control API.
    (page.is_empty() || page.starts_with('/') && page != "/links").then_some(page)
}

/// Where the portal is, at the address of each tenant.
pub(crate) const ROOT: &str = "/_entra-mock/portal";
