//! What a browser does here: it starts a sign-in, comes back, signs out.

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
    authorize::{AccessDenied, Reason, SignInContext},
    cookies::{Consent, Flow, FlowCookie},
    page::Page,
    route_urls::{
        ADMIN_CONSENT, ADMIN_CONSENT_CALLBACK, FRONT_CHANNEL, SIGN_IN, SIGN_OUT, SIGNED_OUT,
    },
    session::SessionId,
};
use crate::{
    sign_in::{
        AdminConsentOptions, FrontChannelSignOut, ReturnPath, SignInClient, SignInError,
        SignInErrorKind, SignOutOptions,
    },
    user::{Callback, Prompt, ResponseMode, StartOptions},
};

type Web = State<Arc<Site>>;

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
            .route(&path(ADMIN_CONSENT_CALLBACK), get(admin_consented))
            .with_state(Arc::clone(site))
    }
}

async fn sign_in(State(site): Web, request: Request) -> Response {
    let headers = request.headers().clone();
    let wish = match SignInRequest::read(&site, request).await {
        Ok(wish) => wish,
        Err(response) => return finished(*response),
    };
    let by_email = |email: &String| site.connections.by_email(email);
    let client = wish
        .email
        .as_ref()
        .and_then(by_email)
        .or_else(|| site.only());
    match client {
        Some(client) => site.start(&client, &wish, &headers),
        None => finished(
            Page::new(StatusCode::OK, "Where do you sign in?")
                .asks_for_email(
                    &site.urls.sign_in_path(),
                    wish.back.as_str(),
                    wish.email.as_deref(),
                )
                .into_response(),
        ),
    }
}

async fn sign_in_with(State(site): Web, Path(name): Path<String>, request: Request) -> Response {
    let headers = request.headers().clone();
    match (
        SignInRequest::read(&site, request).await,
        site.connections.by_name(&name),
    ) {
        (Err(response), _) => finished(*response),
        (_, None) => finished(no_such_connection(&site)),
        (Ok(wish), Some(client)) => site.start(&client, &wish, &headers),
    }
}

async fn callback(State(site): Web, uri: Uri, headers: HeaderMap) -> Response {
    let query = uri.query().unwrap_or_default();
    site.come_back(&site.urls.callback(), query, &headers).await
}

async fn callback_post(State(site): Web, request: Request) -> Response {
    let headers = request.headers().clone();
    match form(request).await {
        Ok(body) => site.come_back(&site.urls.callback(), &body, &headers).await,
        Err(response) => finished(*response),
    }
}

async fn callback_of(
    State(site): Web,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let query = uri.query().unwrap_or_default();
    let came_to = site.urls.callback_of(&name);
    site.come_back(&came_to, query, &headers).await
}

async fn callback_of_post(
    State(site): Web,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let came_to = site.urls.callback_of(&name);
    match form(request).await {
        Ok(body) => site.come_back(&came_to, &body, &headers).await,
        Err(response) => finished(*response),
    }
}

/// A link cannot sign anybody out by itself, or any other site could.
async fn ask_to_sign_out(State(site): Web) -> Response {
    let mut response = finished(
        Page::new(StatusCode::OK, "Sign out?")
            .says("You will be signed out here and of your organisation's account in this browser.")
            .posts(&site.urls.sign_out_path(), "Sign out")
            .links("Stay signed in", site.front_page.as_str())
            .into_response(),
    );
    // A page that tells nobody its address posts with the origin `null`, by which browsers without
    // fetch metadata could not be told from another site.
    let policy = HeaderValue::from_static("same-origin");
    response
        .headers_mut()
        .insert(header::REFERRER_POLICY, policy);
    response
}

async fn sign_out(State(site): Web, headers: HeaderMap) -> Response {
    if !site.is_from_here(&headers) {
        return finished(
            Page::new(StatusCode::FORBIDDEN, "You are still signed in")
                .warns("Another site asked to sign you out, so nothing was done.")
                .links("Sign out", &site.urls.sign_out_path())
                .into_response(),
        );
    }
    let to = site.end(&headers).await.unwrap_or_else(|| {
        let back = site.urls.path(SIGNED_OUT);
        site.after_sign_out
            .as_ref()
            .map_or(back, |path| path.as_str().to_owned())
    });
    with_cookies(redirect(&to), [site.cookies.drop_session()])
}

async fn signed_out(State(site): Web) -> Response {
    if let Some(path) = &site.after_sign_out {
        return finished(redirect(path.as_str()));
    }
    finished(
        Page::new(StatusCode::OK, "You are signed out")
            .says("To keep others of this computer out of other sites, close the browser.")
            .links("Sign in again", &site.urls.sign_in_path())
            .into_response(),
    )
}

/// In a hidden frame of the sign-in service's page. It ends sessions and can do nothing else; the
/// answer is the same whatever was there.
async fn front_channel(State(site): Web, uri: Uri, headers: HeaderMap) -> Response {
    let mut response = StatusCode::OK.into_response();
    match FrontChannelSignOut::parse(uri.query().unwrap_or_default()) {
        Ok(asked) => match (asked.issuer(), asked.sid()) {
            (Some(issuer), Some(sid)) => {
                if let Err(error) = site.sessions.end_all(issuer, sid).await {
                    tracing::error!(%error, "sessions could not be ended");
                    response = StatusCode::SERVICE_UNAVAILABLE.into_response();
                }
                let authorize = &site.authorize;
                authorize
                    .signed_out_elsewhere(issuer.to_owned(), sid.to_owned())
                    .await;
            }
            // A browser sends its cookie along only where the two are one site. A link or a picture
            // of any other site is no frame.
            _ if sent(&headers, "sec-fetch-dest") == Some("iframe") => {
                site.end(&headers).await;
                let gone = site.cookies.drop_session();
                response.headers_mut().append(header::SET_COOKIE, gone);
            }
            _ => {}
        },
        Err(_) => response = StatusCode::BAD_REQUEST.into_response(),
    }
    finished(response)
}

async fn admin_consent(State(site): Web, uri: Uri, headers: HeaderMap) -> Response {
    match site.only() {
        Some(client) => site.ask_admin(&client, &uri, &headers),
        None => finished(no_such_connection(&site)),
    }
}

async fn admin_consent_of(
    State(site): Web,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match site.connections.by_name(&name) {
        Some(client) => site.ask_admin(&client, &uri, &headers),
        None => finished(no_such_connection(&site)),
    }
}

async fn admin_consented(State(site): Web, uri: Uri, headers: HeaderMap) -> Response {
    let answer = uri.query().unwrap_or_default();
    let brought = state(answer).and_then(|id| {
        site.cookies
            .bring::<Consent>(FlowCookie::Consent, &id, &headers)
    });
    let Some((consent, gone)) = brought else {
        return site.problem(&SignInError::flow_missing(), None, None);
    };
    let client = site.connections.by_name(consent.state.connection());
    let Some(client) = client else {
        return with_cookies(no_such_connection(&site), [gone]);
    };
    let response = match client.finish_admin_consent(consent.state, answer) {
        Ok(_) => Page::new(StatusCode::OK, "Thank you")
            .says("The consent for your organisation is on its way; it can take a few minutes to arrive.")
            .links("Go on", consent.back.as_str())
            .into_response(),
        Err(error) => site.problem(&error, None, None),
    };
    with_cookies(response, [gone])
}

impl Site {
    /// Sends the browser to sign in.
    fn start(&self, client: &SignInClient, wish: &SignInRequest, headers: &HeaderMap) -> Response {
        if !self
            .urls
            .is_callback_of(client.name(), client.redirect_uri())
        {
            tracing::error!(
                connection = client.name(),
                "a connection comes back to another address than the routes'"
            );
            return finished(no_such_connection(self));
        }
        let mut options = self.options.clone();
        options.prompt = wish.prompt.or(options.prompt);
        options.login_hint = wish.email.clone().or(options.login_hint);
        let ticket = self.cookies.ticket(headers);
        let flow = |state| Flow {
            state,
            back: wish.back.clone(),
            ticket: ticket.as_ref().map(SessionId::to_text),
            challenged: false,
        };
        with_cookies(self.go(client, &options, flow), self.cookies.tidy(headers))
    }

    /// The browser on its way, with what it has to bring back.
    fn go(
        &self,
        client: &SignInClient,
        options: &StartOptions,
        flow: impl FnOnce(crate::user::PendingSignIn) -> Flow,
    ) -> Response {
        let (url, state) = match client.start(options) {
            Ok(started) => started,
            Err(error) => return self.problem(&error, Some(client), None),
        };
        let id = state.id().to_owned();
        match self.cookies.send(FlowCookie::SignIn, &id, &flow(state)) {
            Some(cookie) => with_cookies(redirect(url.as_str()), [cookie]),
            None => {
                tracing::error!("a sign-in does not fit into a cookie; ask for fewer scopes");
                finished(StatusCode::INTERNAL_SERVER_ERROR.into_response())
            }
        }
    }

    /// The browser is back, at one of the redirect URIs and with a response that anybody may have
    /// written.
    async fn come_back(&self, came_to: &str, answer: &str, headers: &HeaderMap) -> Response {
        let brought = state(answer)
            .and_then(|id| self.cookies.bring::<Flow>(FlowCookie::SignIn, &id, headers));
        let Some((flow, gone)) = brought else {
            return self.problem(&SignInError::flow_missing(), None, None);
        };
        let Flow {
            state,
            back,
            ticket,
            challenged,
        } = flow;
        let client = match self.connections.for_flow(&state) {
            Ok(client) => client,
            Err(error) => return with_cookies(self.problem(&error, None, Some(&back)), [gone]),
        };
        let callback = Callback::form(came_to, answer);
        let response = match Box::pin(client.finish(state, callback)).await {
            Ok(signed_in) => {
                let context = SignInContext {
                    signed_in,
                    connection: client,
                };
                // A browser holds one session, and whoever knew the old one's id knows no new one.
                let old = ticket.as_deref().and_then(SessionId::parse);
                let old = [old, self.cookies.ticket(headers)];
                self.admit(context, &back, old).await
            }
            Err(error) => match error.claims() {
                // A policy wants more of this sign-in: ask for it, once.
                Some(claims) if !challenged => {
                    let mut options = self.options.clone();
                    options.claims = Some(claims.to_owned());
                    let flow = |state| Flow {
                        state,
                        back,
                        ticket,
                        challenged: true,
                    };
                    self.go(&client, &options, flow)
                }
                _ => self.problem(&error, Some(&client), Some(&back)),
            },
        };
        with_cookies(response, [gone])
    }

    /// Lets somebody in, if the product does.
    async fn admit(
        &self,
        context: SignInContext,
        back: &ReturnPath,
        old: [Option<SessionId>; 2],
    ) -> Response {
        let SignInContext {
            signed_in,
            connection,
        } = context.clone();
        let user = match self.authorize.authorize(context).await {
            Ok(user) => user,
            // Nothing of this sign-in was kept, and the user's earlier ones are not touched.
            Err(refused) => return self.refused(&refused, &connection, back),
        };
        for ticket in old.into_iter().flatten() {
            if let Err(error) = self.sessions.end(&ticket).await {
                tracing::warn!(%error, "an old session could not be ended");
            }
        }
        let name = connection.name();
        match self.sessions.begin(&signed_in, name, user).await {
            Ok(ticket) => {
                signed_in.commit().await;
                tracing::info!(connection = name, user = %signed_in.identity().key(), "signed in");
                with_cookies(redirect(back.as_str()), [self.cookies.keep(&ticket)])
            }
            Err(error) => {
                tracing::error!(%error, "a session could not be kept");
                finished(
                    Page::new(StatusCode::SERVICE_UNAVAILABLE, "You are not signed in")
                        .warns("The site cannot keep your sign-in at the moment.")
                        .links("Try again", &self.sign_in_path(Some(name), back, None))
                        .into_response(),
                )
            }
        }
    }

    /// Ends the browser's session; gives where the sign-in service ends its own.
    async fn end(&self, headers: &HeaderMap) -> Option<String> {
        let ticket = self.cookies.ticket(headers)?;
        let session = self.sessions.find(&ticket).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the session store failed");
            None
        });
        if let Err(error) = self.sessions.end(&ticket).await {
            tracing::error!(%error, "a session could not be ended");
        }
        let session = session?;
        let client = self.connection_of(&session);
        let url = match client {
            Some(client) => {
                if let Err(error) = client.sign_out(session.account()).await {
                    tracing::warn!(%error, "tokens of somebody who signed out are still in the store");
                }
                let options = SignOutOptions {
                    post_logout_redirect_uri: Some(self.urls.signed_out()),
                    logout_hint: session.identity().login_hint.clone(),
                    state: None,
                };
                client.sign_out_url(&options).ok().map(String::from)
            }
            None => None,
        };
        self.authorize.signed_out_here(session).await;
        url
    }

    fn ask_admin(&self, client: &SignInClient, uri: &Uri, headers: &HeaderMap) -> Response {
        let options = AdminConsentOptions {
            redirect_uri: Some(self.urls.admin_consent_callback()),
            ..AdminConsentOptions::default()
        };
        let (url, state) = match client.admin_consent(&options) {
            Ok(started) => started,
            Err(error) => return self.problem(&error, None, None),
        };
        let asked = parameter(uri.query().unwrap_or_default(), "return");
        let back = self.back(asked.as_deref());
        let id = state.id().to_owned();
        let consent = Consent { state, back };
        match self.cookies.send(FlowCookie::Consent, &id, &consent) {
            Some(cookie) => with_cookies(
                with_cookies(redirect(url.as_str()), [cookie]),
                self.cookies.tidy(headers),
            ),
            None => finished(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        }
    }

    /// What went wrong, for the user and for an admin.
    fn problem(
        &self,
        error: &SignInError,
        client: Option<&SignInClient>,
        back: Option<&ReturnPath>,
    ) -> Response {
        let connection = client.map(SignInClient::name);
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::warn!(%error, cause, connection, code = error.aadsts_code(), correlation = error.correlation_id(), "nobody signed in");
        let page = Page::new(status(error.kind()), "You are not signed in");
        // Where only an administrator can help, that text is not looked for below the other.
        let page = match error.kind().is_for_administrator() {
            true => page.for_admin(&error.for_admin()).warns(error.for_user()),
            false => page.warns(error.for_user()).for_admin(&error.for_admin()),
        };
        let back = back.unwrap_or(&self.front_page);
        let page = if error.is_worth_another_try() || error.kind() == SignInErrorKind::Declined {
            page.links("Try again", &self.sign_in_path(connection, back, None))
        } else {
            let prompt = Some("select_account");
            let path = self.sign_in_path(connection, back, prompt);
            page.links("Sign in with another account", &path)
        };
        finished(
            page.links("To the front page", self.front_page.as_str())
                .into_response(),
        )
    }

    fn refused(
        &self,
        refused: &AccessDenied,
        client: &SignInClient,
        back: &ReturnPath,
    ) -> Response {
        let (user, admin) = match &refused.0 {
            Reason::SignIn(error) => return self.problem(error, Some(client), Some(back)),
            Reason::Product { user, admin } => (user, admin),
        };
        tracing::info!(connection = client.name(), "the gate let nobody in");
        let page = Page::new(StatusCode::FORBIDDEN, "You may not enter").warns(user);
        let page = match admin {
            Some(text) => page.for_admin(text),
            None => page,
        };
        let path = self.sign_in_path(Some(client.name()), back, Some("select_account"));
        finished(
            page.links("Sign in with another account", &path)
                .links("To the front page", self.front_page.as_str())
                .into_response(),
        )
    }

    /// The path to go on to, if it is one of this site, else the front page.
    fn back(&self, asked: Option<&str>) -> ReturnPath {
        let asked = asked.and_then(|asked| asked.parse().ok());
        asked.unwrap_or_else(|| self.front_page.clone())
    }

    /// The connection, where there is no choice.
    fn only(&self) -> Option<SignInClient> {
        let mut all = self.connections.all();
        match all.len() {
            1 => all.pop(),
            _ => None,
        }
    }

    /// Whether a page of this very site sent the request. Browsers say so, scripts cannot.
    fn is_from_here(&self, headers: &HeaderMap) -> bool {
        match sent(headers, "sec-fetch-site") {
            Some(site) => site == "same-origin",
            None => sent(headers, "origin") == Some(self.urls.origin()),
        }
    }
}

/// How somebody wants to sign in.
struct SignInRequest {
    back: ReturnPath,
    email: Option<String>,
    prompt: Option<Prompt>,
}

impl SignInRequest {
    async fn read(site: &Site, request: Request) -> Result<Self, Box<Response>> {
        let text = match request.method().as_str() {
            "POST" => form(request).await?,
            _ => request.uri().query().unwrap_or_default().to_owned(),
        };
        let back = parameter(&text, "return").filter(|back| back.len() <= LONGEST_RETURN);
        let email = parameter(&text, "email").filter(|email| email.len() <= LONGEST_EMAIL);
        Ok(Self {
            back: site.back(back.as_deref()),
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

/// The body of a form, which is never long.
async fn form(request: Request) -> Result<String, Box<Response>> {
    let content_type = sent(request.headers(), "content-type").unwrap_or_default();
    if !content_type.starts_with("application/x-www-form-urlencoded") {
        let refused = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Box::new(refused.into_response()));
    }
    let body = to_bytes(request.into_body(), LONGEST_FORM)
        .await
        .map_err(|_| Box::new(StatusCode::PAYLOAD_TOO_LARGE.into_response()))?;
    String::from_utf8(body.to_vec()).map_err(|_| Box::new(StatusCode::BAD_REQUEST.into_response()))
}

fn parameter(text: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(text.as_bytes())
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
        .filter(|value| !value.is_empty())
}

/// By which a callback finds its flow; whether it is the right one is looked at later.
fn state(answer: &str) -> Option<String> {
    match answer.len() <= LONGEST_FORM {
        true => parameter(answer, "state"),
        false => None,
    }
}

fn sent<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

const fn status(kind: SignInErrorKind) -> StatusCode {
    use SignInErrorKind as Kind;
    match kind {
        Kind::Configuration | Kind::GroupPermissionMissing | Kind::GroupsRejected => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        Kind::NotAssigned
        | Kind::WrongTenant
        | Kind::AccountNotInTenant
        | Kind::AccountDisabled
        | Kind::AccountLocked
        | Kind::ConditionalAccess
        | Kind::DeviceRequired => StatusCode::FORBIDDEN,
        Kind::Throttled | Kind::Unavailable | Kind::GroupsUnavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ => StatusCode::BAD_REQUEST,
    }
}

fn no_such_connection(site: &Site) -> Response {
    Page::new(StatusCode::NOT_FOUND, "Nobody signs in here")
        .says("The link may be old, or the organisation does not sign in here any more.")
        .links("To the front page", site.front_page.as_str())
        .into_response()
}

fn redirect(to: &str) -> Response {
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

fn with_cookies(
    mut response: Response,
    cookies: impl IntoIterator<Item = HeaderValue>,
) -> Response {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    finished(response)
}

/// The answer as every route gives it: kept nowhere, and the address it came by told to nobody.
fn finished(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// An answer with a code, state and client information is far shorter.
const LONGEST_FORM: usize = 64 * 1024;
/// What fits into a cookie beside the rest.
const LONGEST_RETURN: usize = 1024;
const LONGEST_EMAIL: usize = 320;
