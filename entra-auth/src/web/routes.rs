//! The routes: sign-in, callback, sign-out and admin consent.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use entra_core::url::form_urlencoded;

use super::{
    app::{Site, WebSignIn},
    callback::{callback, callback_of, callback_of_post, callback_post, state},
    cookies::{Consent, Flow, FlowCookie},
    pages::{PageKind, PageText},
    route_urls::{
        ADMIN_CONSENT, ADMIN_CONSENT_CALLBACK, FRONT_CHANNEL, SIGN_IN, SIGN_OUT, SIGNED_OUT,
    },
    session_id::SessionId,
    sign_out::{ask_to_sign_out, front_channel, sign_out, signed_out},
};
use crate::{
    sign_in::{AdminConsentOptions, ReturnPath, SignInClient, SignInError},
    user::{Prompt, ResponseMode, ShortPendingSignIn, StartOptions},
};

pub(super) type SiteState = State<Arc<Site>>;

impl WebSignIn {
    /// The routes, to merge into the application's own at the root: their path is in their
    /// [`RouteUrls`](super::RouteUrls).
    pub fn routes<S>(&self) -> Router<S> {
        let site = &self.0;
        let path = |route: &str| site.urls.path(route);
        let named = |route: &str| format!("{}/{{connection}}", path(route));
        // At the root the other method stays the application's own.
        let at_root = site.urls.is_callback_at_root();
        let shared = match (at_root, site.options.response_mode) {
            (false, _) => get(callback).post(callback_post),
            (true, ResponseMode::Query) => get(callback),
            (true, ResponseMode::FormPost) => post(callback_post),
        };
        Router::new()
            .route(&path(SIGN_IN), get(sign_in).post(sign_in))
            .route(&named(SIGN_IN), get(sign_in_with).post(sign_in_with))
            .route(&site.urls.callback_path(), shared)
            .route(
                &site.urls.callback_route(),
                get(callback_of).post(callback_of_post),
            )
            .route(&path(SIGN_OUT), get(ask_to_sign_out).post(sign_out))
            .route(&path(SIGNED_OUT), get(signed_out))
            .route(&path(FRONT_CHANNEL), get(front_channel))
            .route(&path(ADMIN_CONSENT), get(admin_consent))
            .route(&named(ADMIN_CONSENT), get(admin_consent_of))
            .route(&path(ADMIN_CONSENT_CALLBACK), get(admin_consent_response))
            .with_state(Arc::clone(site))
    }
}

async fn sign_in(State(site): SiteState, request: Request) -> Response {
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

async fn sign_in_with(
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

async fn admin_consent(State(site): SiteState, uri: Uri, headers: HeaderMap) -> Response {
    match site.only_connection() {
        Some(client) => site.start_admin_consent(&client, &uri, &headers),
        None => site.unknown_connection(&headers),
    }
}

async fn admin_consent_of(
    State(site): SiteState,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match site.connections.by_name(&name) {
        Some(client) => site.start_admin_consent(&client, &uri, &headers),
        None => site.unknown_connection(&headers),
    }
}

async fn admin_consent_response(State(site): SiteState, uri: Uri, headers: HeaderMap) -> Response {
    let parameters = uri.query().unwrap_or_default();
    let pending = state(parameters).and_then(|id| {
        site.cookies
            .take_pending::<Consent>(FlowCookie::Consent, &id, &headers)
    });
    let Some((consent, removal)) = pending else {
        return site.error_page(&SignInError::flow_missing(), None, None, &headers);
    };
    let client = site.connections.by_name(consent.state.connection());
    let Some(client) = client else {
        return with_cookies(site.unknown_connection(&headers), [removal]);
    };
    let response = match client.finish_admin_consent(consent.state, parameters) {
        Ok(_) => site
            .pages
            .page(
                &headers,
                PageKind::Consented,
                StatusCode::OK,
                PageText::ConsentTitle,
            )
            .text(PageText::Consent)
            .link(PageText::Continue, consent.return_path.as_str())
            .into_response(),
        Err(error) => site.error_page(&error, None, None, &headers),
    };
    with_cookies(response, [removal])
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

    fn start_admin_consent(
        &self,
        client: &SignInClient,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Response {
        let options = AdminConsentOptions {
            redirect_uri: Some(self.urls.admin_consent_callback()),
            ..AdminConsentOptions::default()
        };
        let (url, state) = match client.admin_consent(&options) {
            Ok(started) => started,
            Err(error) => return self.error_page(&error, None, None, headers),
        };
        let requested = parameter(uri.query().unwrap_or_default(), "return");
        let return_path = self.return_path(requested.as_deref());
        let id = state.id().to_owned();
        let consent = Consent { state, return_path };
        match self
            .cookies
            .pending_cookie(FlowCookie::Consent, &id, &consent)
        {
            Some(cookie) => {
                let removals = self.cookies.remove_oldest(headers, &cookie);
                let cookies = std::iter::once(cookie).chain(removals);
                with_cookies(redirect(url.as_str()), cookies)
            }
            None => with_security_headers(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
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
    fn only_connection(&self) -> Option<SignInClient> {
        let mut all = self.connections.all();
        match all.len() {
            1 => all.pop(),
            _ => None,
        }
    }

    fn unknown_connection(&self, headers: &HeaderMap) -> Response {
        let kind = PageKind::UnknownConnection;
        let title = PageText::UnknownConnectionTitle;
        let page = self
            .pages
            .page(headers, kind, StatusCode::NOT_FOUND, title)
            .text(PageText::UnknownConnection)
            .link(PageText::FrontPage, self.front_page.as_str());
        with_security_headers(page.into_response())
    }

    /// Whether a page of this site sent the request. Only browsers set these headers, not scripts.
    pub(super) fn is_same_origin(&self, headers: &HeaderMap) -> bool {
        match header_text(headers, "sec-fetch-site") {
            Some(site) => site == "same-origin",
            None => header_text(headers, "origin") == Some(self.urls.origin()),
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

/// The body of a form, up to a limit.
pub(super) async fn form(request: Request) -> Result<String, Box<Response>> {
    let content_type = header_text(request.headers(), "content-type").unwrap_or_default();
    // In any letters, with parameters or without (RFC 9110, 8.3.1).
    let media_type = content_type.split(';').next().unwrap_or_default();
    if !media_type
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Box::new(status.into_response()));
    }
    let body = to_bytes(request.into_body(), MAX_FORM_BYTES)
        .await
        .map_err(|_| Box::new(StatusCode::PAYLOAD_TOO_LARGE.into_response()))?;
    String::from_utf8(body.to_vec()).map_err(|_| Box::new(StatusCode::BAD_REQUEST.into_response()))
}

pub(super) fn parameter(text: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(text.as_bytes())
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
        .filter(|value| !value.is_empty())
}

pub(super) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

pub(super) fn redirect(to: &str) -> Response {
    let mut response = Response::new(Body::empty());
    match HeaderValue::try_from(to) {
        Ok(to) => {
            *response.status_mut() = StatusCode::SEE_OTHER;
            response.headers_mut().insert(header::LOCATION, to);
        }
        Err(_) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
    }
    response
}

pub(super) fn with_cookies(
    mut response: Response,
    cookies: impl IntoIterator<Item = HeaderValue>,
) -> Response {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    with_security_headers(response)
}

/// Adds the headers of every response: not stored in caches, and its URL not sent as a referrer.
pub(super) fn with_security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// A response with a code, state and client information is much shorter.
pub(super) const MAX_FORM_BYTES: usize = 64 * 1024;
/// What fits into a cookie with the other values.
const MAX_RETURN_PATH_BYTES: usize = 1024;
const MAX_EMAIL_BYTES: usize = 320;
