//! The callback: finishes a sign-in with the response that the browser brings.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri},
    response::{IntoResponse, Response},
};

use super::{
    app::{Site, SiteState},
    authorize::SignInContext,
    cookies::{Flow, FlowCookie},
    pages::{PageKind, PageText},
    redemption::{CallbackError, CallbackOutcome, Redemptions, from_memory, in_memory},
    request_parts::{form, state},
    responses::{redirect, with_cookies, with_security_headers},
    session_id::SessionId,
};
use crate::{
    sign_in::{ReturnPath, SignInError, SignInErrorKind},
    user::Callback,
};

pub(super) async fn callback(State(site): SiteState, uri: Uri, headers: HeaderMap) -> Response {
    let query = uri.query().unwrap_or_default();
    let redirect_uri = site.urls.callback();
    match site.process_callback(&redirect_uri, query, &headers).await {
        Ok(response) => response,
        Err(failed) => site.respond_without_sign_in(failed, &headers).await,
    }
}

pub(super) async fn callback_post(State(site): SiteState, request: Request) -> Response {
    let headers = request.headers().clone();
    let redirect_uri = site.urls.callback();
    site.process_form_post(&redirect_uri, request, &headers)
        .await
}

pub(super) async fn callback_of(
    State(site): SiteState,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let query = uri.query().unwrap_or_default();
    let redirect_uri = site.urls.callback_of(&name);
    match site.process_callback(&redirect_uri, query, &headers).await {
        Ok(response) => response,
        Err(failed) => site.respond_without_sign_in(failed, &headers).await,
    }
}

pub(super) async fn callback_of_post(
    State(site): SiteState,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let redirect_uri = site.urls.callback_of(&name);
    site.process_form_post(&redirect_uri, request, &headers)
        .await
}

impl Site {
    /// Processes a posted response. Browsers leave the session's cookie out of a form that another site
    /// posts.
    async fn process_form_post(
        self: &Arc<Self>,
        redirect_uri: &str,
        request: Request,
        headers: &HeaderMap,
    ) -> Response {
        let body = match form(request).await {
            Ok(body) => body,
            Err(response) => return with_security_headers(*response),
        };
        match self.process_callback(redirect_uri, &body, headers).await {
            Ok(response) => response,
            Err(failed)
                if failed.restart.is_some() || self.cookies.session_id(headers).is_some() =>
            {
                self.respond_without_sign_in(failed, headers).await
            }
            // A request of this site itself shows whether the browser has a session.
            Err(failed) => {
                let path = redirect_uri.strip_prefix(self.urls.origin());
                let at_root = path.is_none_or(|path| path == "/");
                let path = path.filter(|_| !at_root);
                with_cookies(
                    redirect(path.unwrap_or(self.front_page.as_str())),
                    failed.removal,
                )
            }
        }
    }

    /// Responds to a callback without a pending sign-in, such as after the back button: a browser with a
    /// session is redirected to the return path of its sign-in. If another replica has redeemed the code,
    /// the sign-in is restarted, which needs no action of a user who is signed in at Entra.
    async fn respond_without_sign_in(
        &self,
        failed: CallbackError,
        headers: &HeaderMap,
    ) -> Response {
        let session = match self.cookies.session_id(headers) {
            Some(id) => match self.session(&id).await {
                Ok(session) => session,
                // The cookie of the sign-in stays for another attempt.
                Err(error) => {
                    let page = self.unavailable_page(&error, headers);
                    return with_security_headers(page.map(Body::from));
                }
            },
            None => None,
        };
        let response = match session {
            Some(session) => redirect(session.record().return_path.as_str()),
            None => match failed
                .restart
                .and_then(|name| self.connections.by_name(&name))
            {
                Some(client) => {
                    let flow = |state| Flow {
                        state,
                        connection: client.name().to_owned(),
                        return_path: failed
                            .return_path
                            .unwrap_or_else(|| self.front_page.clone()),
                        session_id: None,
                        challenged: false,
                        restarted: true,
                    };
                    self.redirect_to_sign_in(&client, &self.options, headers, flow)
                }
                None => self.error_page(&failed.error, None, failed.return_path.as_ref(), headers),
            },
        };
        with_cookies(response, failed.removal)
    }

    /// Processes a response that came to one of the redirect URIs. Any party may have written it.
    async fn process_callback(
        self: &Arc<Self>,
        redirect_uri: &str,
        parameters: &str,
        headers: &HeaderMap,
    ) -> Result<Response, CallbackError> {
        let id = state(parameters).unwrap_or_default();
        let pending = self
            .cookies
            .take_pending::<Flow>(FlowCookie::SignIn, &id, headers);
        let Some((flow, removal)) = pending else {
            return Err(CallbackError {
                error: SignInError::flow_missing(),
                return_path: None,
                removal: None,
                restart: None,
            });
        };
        let key = Redemptions::key(&id, redirect_uri, parameters);
        let (site, headers) = (Arc::clone(self), headers.clone());
        let (redirect_uri, parameters) = (redirect_uri.to_owned(), parameters.to_owned());
        // Boxed, as each handler of a callback contains this future.
        let work = Box::pin(async move {
            site.finish(flow, removal, &redirect_uri, &parameters, &headers)
                .await
        });
        match self.redemptions.run(key, work).await {
            Some(outcome) => outcome.map(from_memory),
            None => {
                tracing::error!("the processing of a callback panicked");
                Ok(with_security_headers(
                    StatusCode::INTERNAL_SERVER_ERROR.into_response(),
                ))
            }
        }
    }

    /// Finishes the sign-in of a callback.
    async fn finish(
        &self,
        flow: Flow,
        removal: HeaderValue,
        redirect_uri: &str,
        parameters: &str,
        headers: &HeaderMap,
    ) -> CallbackOutcome {
        let Flow {
            state,
            connection,
            return_path,
            session_id,
            challenged,
            restarted,
        } = flow;
        let (client, state) = match self.connections.restore(&connection, state) {
            Ok(found) => found,
            Err(error) => {
                let page = self.error_page(&error, None, Some(&return_path), headers);
                return Ok(in_memory(with_cookies(page, [removal])).await);
            }
        };
        let callback = Callback::form(redirect_uri, parameters);
        let response = match Box::pin(client.finish(state, callback)).await {
            Ok(signed_in) => {
                let context = SignInContext {
                    signed_in,
                    connection: client,
                    is_recheck: false,
                    language: Some(self.pages.language(headers).to_owned()),
                };
                // A browser has one session, and each sign-in gives it a new id.
                let old = session_id.as_deref().and_then(SessionId::parse);
                let old = [old, self.cookies.session_id(headers)];
                self.begin_session(context, &return_path, old, headers)
                    .await
            }
            // A repeated request of the same callback. The first one may have begun a session, here or
            // at another replica.
            Err(error)
                if matches!(
                    error.kind(),
                    SignInErrorKind::Replayed | SignInErrorKind::CodeUsed
                ) =>
            {
                let is_elsewhere = error.kind() == SignInErrorKind::CodeUsed;
                return Err(CallbackError {
                    error,
                    return_path: Some(return_path),
                    removal: Some(removal),
                    restart: (is_elsewhere && !restarted).then_some(connection),
                });
            }
            Err(error) => match error.claims() {
                // A claims challenge: restart the sign-in with the claims, once.
                Some(claims) if !challenged => {
                    let mut options = self.options.clone();
                    options.claims = Some(claims.to_owned());
                    let flow = |state| Flow {
                        state,
                        connection,
                        return_path,
                        session_id,
                        challenged: true,
                        restarted,
                    };
                    self.redirect_to_sign_in(&client, &options, headers, flow)
                }
                _ => self.error_page(&error, Some(&client), Some(&return_path), headers),
            },
        };
        Ok(in_memory(with_cookies(response, [removal])).await)
    }

    /// Begins a session if the application's check agrees.
    async fn begin_session(
        &self,
        context: SignInContext,
        return_path: &ReturnPath,
        old: [Option<SessionId>; 2],
        headers: &HeaderMap,
    ) -> Response {
        let SignInContext {
            signed_in,
            connection,
            ..
        } = context.clone();
        let user = match self.authorize.authorize(context).await {
            Ok(user) => user,
            // Nothing of this sign-in was stored, and earlier sessions are not changed.
            Err(denied) => {
                return self.access_denied_page(&denied, &connection, return_path, headers);
            }
        };
        let name = connection.name();
        let retry_path = self.sign_in_path(Some(name), return_path, None);
        let failed = |kind, title, text| {
            let page = self
                .pages
                .page(headers, kind, StatusCode::SERVICE_UNAVAILABLE, title)
                .alert(text)
                .link(PageText::TryAgain, &retry_path);
            with_security_headers(page.into_response())
        };
        for session_id in old.into_iter().flatten() {
            // Otherwise the session of another user would stay valid in the same browser.
            if let Err(error) = self.sessions.end(&session_id).await {
                tracing::error!(%error, "a sign-in is rejected because the earlier session could not be ended");
                return failed(
                    PageKind::AccountNotSwitched,
                    PageText::AccountNotSwitchedTitle,
                    PageText::EarlierSessionNotEnded,
                );
            }
        }
        match self
            .sessions
            .begin(&signed_in, &connection, user, return_path)
            .await
        {
            Ok(session_id) => {
                signed_in.commit().await;
                tracing::info!(connection = name, user = %signed_in.identity().key(), "signed in");
                with_cookies(
                    redirect(return_path.as_str()),
                    [self.cookies.session_cookie(&session_id)],
                )
            }
            Err(error) => {
                tracing::error!(%error, "a session could not be stored");
                failed(
                    PageKind::SessionNotStored,
                    PageText::NotSignedInTitle,
                    PageText::SessionNotStored,
                )
            }
        }
    }
}
