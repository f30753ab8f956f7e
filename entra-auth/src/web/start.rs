//! Starts sign-ins: with the only connection, by name, or by the domain of an e-mail address.

use axum::{
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};

use super::{
    app::{Site, SiteState},
    cookies::{Flow, FlowCookie},
    pages::{PageKind, PageText},
    request_parts::{form, parameter},
    responses::{redirect, with_cookies, with_security_headers},
    session_id::SessionId,
};
use crate::{
    sign_in::{ReturnPath, SignInClient},
    user::{Prompt, ResponseMode, ShortPendingSignIn, StartOptions},
};

pub(super) async fn sign_in(State(site): SiteState, request: Request) -> Response {
    let headers = request.headers().clone();
    let request = match SignInRequest::read(&site, request).await {
        Ok(request) => request,
        Err(response) => return with_security_headers(*response),
    };
    let by_email = |email: &String| site.connections.by_email(email);
    let client = request
        .email
        .as_ref()
        .and_then(by_email)
        .or_else(|| site.only_connection());
    match client {
        Some(client) => site.start(&client, &request, &headers),
        None => {
            let kind = PageKind::EmailAddress;
            let page = site
                .pages
                .page(&headers, kind, StatusCode::OK, PageText::EmailTitle)
                .email_form(
                    site.urls.sign_in_path(),
                    request.return_path.as_str(),
                    request.email.as_deref(),
                );
            with_security_headers(page.into_response())
        }
    }
}

pub(super) async fn sign_in_with(
    State(site): SiteState,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    match (
        SignInRequest::read(&site, request).await,
        site.connections.by_name(&name),
    ) {
        (Err(response), _) => with_security_headers(*response),
        (_, None) => site.unknown_connection(&headers),
        (Ok(request), Some(client)) => site.start(&client, &request, &headers),
    }
}

impl Site {
    /// Starts a sign-in with the options of the request.
    fn start(
        &self,
        client: &SignInClient,
        request: &SignInRequest,
        headers: &HeaderMap,
    ) -> Response {
        if !self
            .urls
            .is_callback_of(client.name(), client.redirect_uri())
        {
            tracing::error!(
                connection = client.name(),
                "the redirect URI of a connection is not one of the routes"
            );
            return self.unknown_connection(headers);
        }
        let mut options = self.options.clone();
        options.prompt = request.prompt.or(options.prompt);
        options.login_hint = request.email.clone().or(options.login_hint);
        // With a query, the browser sends the session's cookie.
        let is_posted = options.response_mode == ResponseMode::FormPost;
        let session_id = self.cookies.session_id(headers).filter(|_| is_posted);
        let flow = |state| Flow {
            state,
            connection: client.name().to_owned(),
            return_path: request.return_path.clone(),
            session_id: session_id.as_ref().map(SessionId::to_text),
            challenged: false,
            restarted: false,
        };
        self.redirect_to_sign_in(client, &options, headers, flow)
    }

    /// Redirects the browser to the sign-in service, with the cookie of the pending sign-in.
    pub(super) fn redirect_to_sign_in(
        &self,
        client: &SignInClient,
        options: &StartOptions,
        headers: &HeaderMap,
        flow: impl FnOnce(ShortPendingSignIn) -> Flow,
    ) -> Response {
        let (url, state) = match client.start(options) {
            Ok(started) => started,
            Err(error) => return self.error_page(&error, Some(client), None, headers),
        };
        let id = state.id().to_owned();
        match self
            .cookies
            .pending_cookie(FlowCookie::SignIn, &id, &flow(state.short()))
        {
            Some(cookie) => {
                let removals = self.cookies.remove_oldest(headers, &cookie);
                let cookies = std::iter::once(cookie).chain(removals);
                with_cookies(redirect(url.as_str()), cookies)
            }
            None => {
                tracing::error!(
                    "a pending sign-in is too large for a cookie: request fewer scopes"
                );
                with_security_headers(StatusCode::INTERNAL_SERVER_ERROR.into_response())
            }
        }
    }

    /// The requested return path if it is one of this site, or else the front page. A callback as return
    /// path would redirect in a loop.
    pub(super) fn return_path(&self, requested: Option<&str>) -> ReturnPath {
        let requested = requested.and_then(|requested| requested.parse::<ReturnPath>().ok());
        requested
            .filter(|requested| !self.is_callback(requested))
            .unwrap_or_else(|| self.front_page.clone())
    }

    fn is_callback(&self, path: &ReturnPath) -> bool {
        let path = path.as_str();
        let path = path.split(['?', '#']).next().unwrap_or_default();
        if self.urls.is_callback_at_root() {
            let is_own = |client: &SignInClient| {
                let own = client.redirect_uri().strip_prefix(self.urls.origin());
                own == Some(path)
            };
            let is_query = self.options.response_mode == ResponseMode::Query;
            return (path == "/" && is_query) || self.connections.all().iter().any(is_own);
        }
        let shared = self.urls.callback_path();
        path.strip_prefix(&shared)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The connection, if there is only one.
    pub(super) fn only_connection(&self) -> Option<SignInClient> {
        let mut all = self.connections.all();
        match all.len() {
            1 => all.pop(),
            _ => None,
        }
    }
}

/// The parameters of a sign-in request.
struct SignInRequest {
    return_path: ReturnPath,
    email: Option<String>,
    prompt: Option<Prompt>,
}

impl SignInRequest {
    async fn read(site: &Site, request: Request) -> Result<Self, Box<Response>> {
        let text = match request.method().as_str() {
            "POST" => form(request).await?,
            _ => request.uri().query().unwrap_or_default().to_owned(),
        };
        let return_path = parameter(&text, "return")
            .filter(|return_path| return_path.len() <= MAX_RETURN_PATH_BYTES);
        let email = parameter(&text, "email").filter(|email| email.len() <= MAX_EMAIL_BYTES);
        Ok(Self {
            return_path: site.return_path(return_path.as_deref()),
            email: email.map(|email| email.trim().to_owned()),
            prompt: match parameter(&text, "prompt").as_deref() {
                Some("none") => Some(Prompt::None),
                Some("login") => Some(Prompt::Login),
                Some("select_account") => Some(Prompt::SelectAccount),
                _ => None,
            },
        })
    }
}

/// What fits into a cookie with the other values.
const MAX_RETURN_PATH_BYTES: usize = 1024;
const MAX_EMAIL_BYTES: usize = 320;
