use std::{
    convert::Infallible,
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts, Request},
    http::{self, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use tower_layer::Layer;
use tower_service::Service;

use super::{
    app::{Site, WebSignIn},
    session::Session,
};
use crate::{
    sign_in::{Identity, ReturnPath},
    user::Account,
};

/// The signed-in user of the request, as an argument of a handler.
///
/// `P` is [`Authorize::User`](super::Authorize::User). Without a signed-in user the handler is not
/// called: a browser that requests a page is redirected to the sign-in and back, and any other client
/// gets a 401. For pages with and without a user, use `Option<CurrentUser<P>>`.
///
/// It needs [`WebSignIn::sessions`] as a layer around the route: add the layer after the routes.
/// Without it the response is a 500, and an error is logged. The session is read once per request, and
/// only if a handler needs it. A session whose user is of another type than `P` is ignored with a
/// warning in the log, so that users sign in again after an upgrade.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CurrentUser<P> {
    /// What [`Authorize::authorize`](super::Authorize::authorize) returned for the user.
    pub user: P,
    /// The session: identity, connection and times.
    pub session: Arc<Session>,
}

impl<P> CurrentUser<P> {
    /// The identity, as validated at the sign-in or the last re-check.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        self.session.identity()
    }

    /// The account, which is the key of the user's tokens.
    #[must_use]
    pub fn account(&self) -> &Account {
        self.session.account()
    }
}

impl<P, S> FromRequestParts<S> for CurrentUser<P>
where
    P: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = NotSignedIn;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NotSignedIn> {
        let (handle, session) = session_of(parts).await?;
        current_user(session).ok_or_else(|| handle.sign_in_first(parts))
    }
}

impl<P, S> OptionalFromRequestParts<S> for CurrentUser<P>
where
    P: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = NotSignedIn;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, NotSignedIn> {
        let (_, session) = session_of(parts).await?;
        Ok(current_user(session))
    }
}

/// Why a handler that needs a user was not called.
#[derive(Clone, Debug)]
pub struct NotSignedIn(Cause);

#[derive(Clone, Debug)]
enum Cause {
    /// A browser, which is redirected to the sign-in.
    SignInPage(String),
    Unauthorized,
    /// The session could not be read, with the page for it.
    Unavailable(Arc<http::Response<String>>),
    /// The route lacks the layer.
    NoLayer,
}

impl IntoResponse for NotSignedIn {
    fn into_response(self) -> Response {
        let mut response = match self.0 {
            Cause::SignInPage(path) => {
                let mut response = StatusCode::SEE_OTHER.into_response();
                if let Ok(path) = HeaderValue::try_from(path) {
                    response.headers_mut().insert(header::LOCATION, path);
                }
                response
            }
            Cause::Unauthorized => (StatusCode::UNAUTHORIZED, "sign-in required\n").into_response(),
            Cause::Unavailable(page) => Arc::unwrap_or_clone(page).map(Body::from),
            Cause::NoLayer => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        };
        let no_store = HeaderValue::from_static("no-store");
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, no_store);
        response
    }
}

/// Makes sessions available to handlers; see [`WebSignIn::sessions`].
#[derive(Clone, Debug)]
pub struct SessionLayer(pub(super) Arc<Site>);

/// A service with sessions; see [`SessionLayer`].
#[derive(Clone, Debug)]
pub struct WithSession<S> {
    inner: S,
    site: Arc<Site>,
}

impl WebSignIn {
    /// The layer that makes [`CurrentUser`] available to handlers.
    #[must_use]
    pub fn sessions(&self) -> SessionLayer {
        SessionLayer(Arc::clone(&self.0))
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = WithSession<S>;

    fn layer(&self, inner: S) -> WithSession<S> {
        WithSession {
            inner,
            site: Arc::clone(&self.0),
        }
    }
}

impl<S> Service<Request> for WithSession<S>
where
    S: Service<Request, Error = Infallible>,
{
    type Response = S::Response;
    type Error = Infallible;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> S::Future {
        request.extensions_mut().insert(SessionHandle {
            site: Arc::clone(&self.site),
            session: Arc::default(),
        });
        self.inner.call(request)
    }
}

/// The session of one request, which is read at first use.
#[derive(Clone)]
struct SessionHandle {
    site: Arc<Site>,
    session: Arc<OnceCell<Option<Arc<Session>>>>,
}

impl SessionHandle {
    async fn session(&self, parts: &Parts) -> Result<Option<Arc<Session>>, NotSignedIn> {
        let find = async || match self.site.cookies.session_id(&parts.headers) {
            Some(id) => self.site.session(&id).await,
            None => Ok(None),
        };
        let found = self.session.get_or_try_init(find).await.map_err(|error| {
            let page = self.site.unavailable_page(&error, &parts.headers);
            NotSignedIn(Cause::Unavailable(Arc::new(page)))
        })?;
        Ok(found.clone())
    }

    fn sign_in_first(&self, parts: &Parts) -> NotSignedIn {
        let is_read = matches!(parts.method, Method::GET | Method::HEAD);
        let accepts_html = parts.headers.get_all(header::ACCEPT).iter().any(|accept| {
            let accept = accept.to_str().unwrap_or_default();
            accept.contains("text/html")
        });
        if !is_read || !accepts_html {
            return NotSignedIn(Cause::Unauthorized);
        }
        NotSignedIn(Cause::SignInPage(self.site.sign_in_path(
            None,
            &requested_path(&self.site, parts),
            None,
        )))
    }
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionHandle")
    }
}

async fn session_of(
    parts: &mut Parts,
) -> Result<(SessionHandle, Option<Arc<Session>>), NotSignedIn> {
    let Some(handle) = parts.extensions.get::<SessionHandle>().cloned() else {
        tracing::error!(
            "a handler needs a user, but its route has no layer of `WebSignIn::sessions`"
        );
        return Err(NotSignedIn(Cause::NoLayer));
    };
    let session = handle.session(parts).await?;
    Ok((handle, session))
}

fn current_user<P: DeserializeOwned>(session: Option<Arc<Session>>) -> Option<CurrentUser<P>> {
    let session = session?;
    let user = session.user();
    if user.is_none() {
        tracing::warn!(
            "the user of a session is of another type than the handler's, such as after an upgrade"
        );
    }
    Some(CurrentUser {
        user: user?,
        session,
    })
}

/// The requested path, as the browser sees it.
fn requested_path(site: &Site, parts: &Parts) -> ReturnPath {
    // A nested router shortens the path; the extension has the original one.
    let uri = parts
        .extensions
        .get::<axum::extract::OriginalUri>()
        .map_or(&parts.uri, |original| &original.0);
    site.return_path(uri.path_and_query().map(|path| path.as_str()))
}
