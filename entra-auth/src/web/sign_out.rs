//! Sign-out by the user, here or at Entra. A sign-out that fails is reported and tried again.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::{
    app::{Site, SiteState},
    cookies::{FlowCookie, PendingFlows},
    entra_session::EntraSession,
    pages::{PageBuilder, PageKind, PageText},
    request_parts::header_text,
    responses::{redirect, with_cookies, with_security_headers},
    route_urls::SIGNED_OUT,
    session::ConnectionIdentity,
    session_id::SessionId,
    token_owner::TokenOwner,
};
use crate::{
    sign_in::{FrontChannelSignOut, SignInClient, SignOutOptions},
    store::{StoreError, StoreErrorKind},
    user::Account,
};

/// A sign-out that is not complete, which is encrypted in a cookie. The newest entries come first.
#[derive(Default, Deserialize)]
struct PendingSignOut {
    sessions: Vec<String>,
    tokens: Vec<PendingTokens>,
}

/// Tokens that a sign-out is to remove.
#[derive(Serialize, Deserialize)]
struct PendingTokens {
    connection: String,
    owner: TokenOwner,
    /// The session that ended, whose entry of the owner goes after the tokens. Absent in a cookie of an earlier
    /// version.
    #[serde(default)]
    session: Option<String>,
}

/// The part of a pending sign-out that fits into its cookie.
#[derive(Serialize)]
struct StoredSignOut<'a> {
    sessions: &'a [String],
    tokens: &'a [PendingTokens],
}

/// The sign-outs that a browser's earlier requests could not complete.
struct EarlierSignOuts {
    pending: PendingSignOut,
    /// The names of their cookies.
    cookies: Vec<String>,
    /// Whether there are more, which only other replicas can read.
    has_unreadable: bool,
}

/// The result of a sign-out.
#[derive(Default)]
struct SignOutOutcome {
    /// The URL that ends the session at the sign-in service.
    to: Option<String>,
    pending: PendingSignOut,
    /// Whether there is an earlier sign-out that only other replicas can read.
    has_unreadable: bool,
}

/// Asks for confirmation of a sign-out. A link alone does not sign a user out, because any other
/// site could have one.
pub(super) async fn ask_to_sign_out(State(site): SiteState, headers: HeaderMap) -> Response {
    let (kind, title) = (PageKind::ConfirmSignOut, PageText::ConfirmSignOutTitle);
    let page = site
        .pages
        .page(&headers, kind, StatusCode::OK, title)
        .text(PageText::ConfirmSignOut)
        .form(site.urls.sign_out_path(), PageText::SignOut)
        .link(PageText::StaySignedIn, site.front_page.as_str());
    with_security_headers(with_origin(page))
}

/// A page with a form that signs out. With the referrer policy `no-referrer` its form would have the
/// origin `null`, which a browser without fetch metadata also sends for other sites.
fn with_origin(page: PageBuilder<'_>) -> Response {
    let mut response = page.into_response();
    let policy = HeaderValue::from_static("same-origin");
    response
        .headers_mut()
        .insert(header::REFERRER_POLICY, policy);
    response
}

pub(super) async fn sign_out(State(site): SiteState, headers: HeaderMap) -> Response {
    if !site.is_same_origin(&headers) {
        let (kind, title) = (PageKind::SignOutRejected, PageText::StillSignedInTitle);
        let page = site
            .pages
            .page(&headers, kind, StatusCode::FORBIDDEN, title)
            .alert(PageText::ForeignSignOut)
            .link(PageText::SignOut, &site.urls.sign_out_path());
        return with_security_headers(page.into_response());
    }
    let (outcome, cookies) = site.end_current_session(&headers).await;
    if !outcome.is_complete() {
        let page = site.sign_out_failed_page(outcome.to.as_deref(), &headers);
        return with_cookies(page, cookies);
    }
    let to = outcome.to.unwrap_or_else(|| {
        let signed_out_path = site.urls.path(SIGNED_OUT);
        site.after_sign_out
            .as_ref()
            .map_or(signed_out_path, |path| path.as_str().to_owned())
    });
    with_cookies(redirect(&to), cookies)
}

/// Where Entra redirects the browser after its own sign-out. A sign-out here that failed is tried again.
pub(super) async fn signed_out(State(site): SiteState, headers: HeaderMap) -> Response {
    let earlier = site.earlier_sign_outs(&headers);
    let (outcome, cookies) = site.finish_earlier(earlier).await;
    if !outcome.is_complete() {
        return with_cookies(site.sign_out_failed_page(None, &headers), cookies);
    }
    if let Some(id) = site.cookies.session_id(&headers)
        && site.may_have_session(&id).await
    {
        // The page can be opened at any time, also with a session.
        let (kind, title) = (PageKind::StillSignedIn, PageText::StillSignedInTitle);
        let page = site
            .pages
            .page(&headers, kind, StatusCode::OK, title)
            .text(PageText::StillSignedIn)
            .form(site.urls.sign_out_path(), PageText::SignOut)
            .link(PageText::StaySignedIn, site.front_page.as_str());
        return with_cookies(with_origin(page), cookies);
    }
    if let Some(path) = &site.after_sign_out {
        return with_cookies(redirect(path.as_str()), cookies);
    }
    let (kind, title) = (PageKind::SignedOut, PageText::SignedOutTitle);
    let page = site
        .pages
        .page(&headers, kind, StatusCode::OK, title)
        .text(PageText::SignedOut)
        .link(PageText::SignInAgain, &site.urls.sign_in_path());
    with_cookies(page.into_response(), cookies)
}

/// Front-channel sign-out, in a hidden frame of the sign-in service's page. It ends sessions and removes
/// their tokens; the response does not reveal whether there were any.
pub(super) async fn front_channel(
    State(site): SiteState,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let mut response = StatusCode::OK.into_response();
    match FrontChannelSignOut::parse(uri.query().unwrap_or_default()) {
        Ok(request) => match (request.issuer(), request.sid()) {
            (Some(issuer), Some(sid)) => {
                if let Err(error) = site.end_entra_session(issuer, sid).await {
                    tracing::error!(%error, "sessions of a front-channel sign-out could not be ended");
                    response = StatusCode::SERVICE_UNAVAILABLE.into_response();
                }
                let authorize = &site.authorize;
                authorize
                    .signed_out_elsewhere(issuer.to_owned(), sid.to_owned())
                    .await;
            }
            // Browsers send the cookie only if both are the same site. A link or an image of another
            // site is not an iframe.
            _ if header_text(&headers, "sec-fetch-dest") == Some("iframe") => {
                let (outcome, cookies) = site.end_current_session(&headers).await;
                if !outcome.is_complete() {
                    response = StatusCode::SERVICE_UNAVAILABLE.into_response();
                }
                response = with_cookies(response, cookies);
            }
            _ => {}
        },
        Err(_) => response = StatusCode::BAD_REQUEST.into_response(),
    }
    with_security_headers(response)
}

impl Site {
    /// Whether a page of this site sent the request. Only browsers set these headers, not scripts.
    fn is_same_origin(&self, headers: &HeaderMap) -> bool {
        match header_text(headers, "sec-fetch-site") {
            Some(site) => site == "same-origin",
            None => header_text(headers, "origin") == Some(self.urls.origin()),
        }
    }

    /// Ends the browser's session, and what an earlier sign-out could not end.
    async fn end_current_session(&self, headers: &HeaderMap) -> (SignOutOutcome, Vec<HeaderValue>) {
        let mut earlier = self.earlier_sign_outs(headers);
        if let Some(id) = self.cookies.session_id(headers) {
            earlier.pending.sessions.insert(0, id.to_text());
        }
        let (outcome, mut cookies) = self.finish_earlier(earlier).await;
        cookies.push(self.cookies.session_removal());
        (outcome, cookies)
    }

    /// Completes the sign-outs as far as possible. Returns the headers that store what is left.
    async fn finish_earlier(&self, earlier: EarlierSignOuts) -> (SignOutOutcome, Vec<HeaderValue>) {
        let mut outcome = self.finish_sign_out(earlier.pending).await;
        outcome.has_unreadable = earlier.has_unreadable;
        if outcome.has_unreadable {
            tracing::error!(
                "an earlier sign-out of a browser was stored with a key that is not among those of this replica; its cookie stays for a replica that has the key"
            );
        }
        let cookies = self.sign_out_cookies(&outcome.pending, earlier.cookies);
        (outcome, cookies)
    }

    /// Whether there may be a valid session with this id, here or at a replica with another key.
    async fn may_have_session(&self, id: &SessionId) -> bool {
        !matches!(self.session(id).await, Ok(None)) || self.sessions.record(id).await.is_err()
    }

    async fn finish_sign_out(&self, pending: PendingSignOut) -> SignOutOutcome {
        let mut outcome = SignOutOutcome::default();
        let mut owners = Vec::new();
        for text in pending.sessions {
            let Some(id) = SessionId::parse(&text) else {
                continue;
            };
            if let Err(error) = self.end_session(&id, &mut outcome, &mut owners).await {
                tracing::error!(%error, "a session could not be ended");
                outcome.pending.sessions.push(text);
            }
        }
        owners.extend(pending.tokens);
        for tokens in owners {
            match self.remove_tokens(&tokens.connection, &tokens.owner).await {
                Ok(()) => self.forget_owner_of(&tokens).await,
                Err(error) => outcome.keep_tokens(tokens, &error),
            }
        }
        outcome
    }

    /// Forgets the owner of tokens that were removed.
    async fn forget_owner_of(&self, tokens: &PendingTokens) {
        let Some(id) = tokens.session.as_deref().and_then(SessionId::parse) else {
            return;
        };
        if let Err(error) = self.sessions.forget_owner(&id).await {
            tracing::warn!(%error, "an entry of a session that has ended stays until it expires");
        }
    }

    /// Ends one session, and adds its user's tokens and the URL of Entra's sign-out to the results.
    async fn end_session(
        &self,
        id: &SessionId,
        outcome: &mut SignOutOutcome,
        owners: &mut Vec<PendingTokens>,
    ) -> Result<(), StoreError> {
        // The cookie names the connection, in case the store is down.
        let by_cookie = self.connections.by_name(id.connection());
        let by_cookie = by_cookie.and_then(|client| self.entra_sign_out(&client, None));
        let is_first = outcome.to.is_none();
        if is_first {
            outcome.to = by_cookie;
        }
        let record = self.sessions.record(id).await;
        let session = match &record {
            Ok(Some(record)) => self
                .sessions
                .with_state(id, record)
                .await
                .unwrap_or_default(),
            _ => None,
        };
        let owner = match &record {
            Ok(Some(record)) => Some((record.connection.clone(), TokenOwner::of(record))),
            // An earlier attempt may have ended the session, and not have come to its tokens.
            Ok(None) => match self.sessions.owner_of(id).await {
                Err(error) if error.kind() == StoreErrorKind::Unavailable => return Err(error),
                found => found.unwrap_or_default(),
            },
            // Another key, another version or damage does not change by waiting.
            Err(error) if error.kind() != StoreErrorKind::Unavailable => {
                self.sessions.owner_of(id).await.unwrap_or_default()
            }
            Err(_) => None,
        };
        let ended = match (&record, &owner) {
            // Without the record no later attempt, here or at another replica, would find the tokens.
            (Err(_), None) => self.sessions.end_without_record(id).await,
            _ => self.sessions.end_without_owner(id).await,
        };
        let Some((connection, owner)) = owner else {
            return record.and(ended);
        };
        // It may have another name by now.
        let client = self.with_origin(&connection, &owner.origin);
        let hint = session
            .as_ref()
            .and_then(|session| session.identity().login_hint.clone());
        if is_first {
            let by_record = client.and_then(|client| self.entra_sign_out(&client, hint));
            outcome.to = by_record.or_else(|| outcome.to.take());
        }
        owners.push(PendingTokens {
            connection,
            owner,
            session: Some(id.to_text()),
        });
        ended?;
        if let Some(session) = session {
            self.authorize.signed_out_here(session.into()).await;
        }
        Ok(())
    }

    /// Ends the sessions of this site that belong to a session at Entra, and removes their tokens. Whose they
    /// are is forgotten last: here no cookie names the user to another attempt.
    async fn end_entra_session(&self, issuer: &str, sid: &str) -> Result<(), StoreError> {
        let session = EntraSession::new(issuer, sid);
        let (mut owners, mut unread) = (Vec::new(), Ok(()));
        let mut clients = self.connections.all();
        clients.retain(|client| client.may_have_issuer(issuer));
        for client in clients {
            // By any name that it had at the sign-in.
            let origin = ConnectionIdentity::of(&client);
            match self.sessions.token_owner(&session, &origin).await {
                Ok(Some(owner)) => owners.push((client.name().to_owned(), owner)),
                Ok(None) => {}
                Err(error) => unread = Err(error),
            }
        }
        // Its connection may have been removed since.
        let last = self.sessions.last_token_owner(&session).await;
        let has_last = matches!(last, Ok(Some(_)));
        match last {
            Ok(Some(last))
                if !owners
                    .iter()
                    .any(|(_, known)| known.origin == last.1.origin) =>
            {
                owners.push(last);
            }
            Ok(_) => {}
            Err(error) => unread = Err(error),
        }
        let mut outcome = self.sessions.end_entra_session(&session).await.and(unread);
        let mut origins = Vec::new();
        for (connection, owner) in owners {
            let removed = self.remove_tokens(&connection, &owner).await;
            outcome = outcome.and(removed);
            origins.push(owner.origin);
        }
        outcome?;
        self.sessions
            .forget_owners(&session, &origins, has_last)
            .await
    }

    /// Removes the user's tokens. If the connection does not exist any more, they are removed from the
    /// caches of the connections with the same sign-in service.
    async fn remove_tokens(&self, connection: &str, owner: &TokenOwner) -> Result<(), StoreError> {
        let account: &Account = &owner.account;
        if let Some(client) = self.with_origin(connection, &owner.origin) {
            return client.sign_out(account).await.map(drop);
        }
        let mut clients: Vec<SignInClient> = Vec::new();
        for client in self.connections.all() {
            let is_new = !clients.iter().any(|known| known.shares_cache_with(&client));
            if is_new && owner.origin.has_authority_of(&client) {
                clients.push(client);
            }
        }
        if clients.is_empty() {
            tracing::error!(
                connection,
                "the tokens of a user who signed out stay in the cache: no connection with their sign-in service is left"
            );
        }
        let mut outcome = Ok(());
        for client in clients {
            outcome = outcome.and(client.sign_out(account).await.map(drop));
        }
        outcome
    }

    /// The connection with this origin, by its name or by another one that it was given since.
    fn with_origin(&self, name: &str, origin: &ConnectionIdentity) -> Option<SignInClient> {
        let renamed = || {
            let mut clients = self.connections.all().into_iter();
            clients.find(|client| ConnectionIdentity::of(client) == *origin)
        };
        self.same_connection(name, origin).or_else(renamed)
    }

    fn entra_sign_out(&self, client: &SignInClient, hint: Option<String>) -> Option<String> {
        let options = SignOutOptions {
            post_logout_redirect_uri: Some(self.urls.signed_out()),
            logout_hint: hint,
            state: None,
        };
        client.sign_out_url(&options).ok().map(String::from)
    }

    /// The pending sign-outs of the browser.
    fn earlier_sign_outs(&self, headers: &HeaderMap) -> EarlierSignOuts {
        let flows: PendingFlows<PendingSignOut> =
            self.cookies
                .pending_flows(FlowCookie::SignOut, SIGN_OUT_ID, headers);
        let mut pending = PendingSignOut::default();
        for mut flow in flows.values {
            pending.sessions.append(&mut flow.sessions);
            pending.tokens.append(&mut flow.tokens);
        }
        EarlierSignOuts {
            pending,
            cookies: flows.names,
            has_unreadable: flows.has_unreadable,
        }
    }

    /// The headers that store a pending sign-out in place of earlier ones, whose cookies have these names.
    fn sign_out_cookies(&self, pending: &PendingSignOut, earlier: Vec<String>) -> Vec<HeaderValue> {
        let stored = self.sign_out_cookie(pending);
        let pair = stored.as_ref().map(HeaderValue::as_bytes);
        let is_replaced = |name: &String| {
            let value = pair.and_then(|pair| pair.strip_prefix(name.as_bytes()));
            value.is_some_and(|value| value.starts_with(b"="))
        };
        let mut headers = Vec::new();
        for name in earlier {
            if !is_replaced(&name) {
                headers.push(self.cookies.removal(FlowCookie::SignOut, name));
            }
        }
        headers.extend(stored);
        headers
    }

    /// The header that stores a pending sign-out. The oldest entries are left out if the
    /// cookie would be too large.
    fn sign_out_cookie(&self, pending: &PendingSignOut) -> Option<HeaderValue> {
        let (mut sessions, mut tokens) = (&*pending.sessions, &*pending.tokens);
        while !(sessions.is_empty() && tokens.is_empty()) {
            let stored = StoredSignOut { sessions, tokens };
            let cookie = self
                .cookies
                .pending_cookie(FlowCookie::SignOut, SIGN_OUT_ID, &stored);
            if cookie.is_some() {
                return cookie;
            }
            tracing::error!("a pending sign-out is too large for a cookie");
            match tokens.split_last() {
                Some((_, newer)) => tokens = newer,
                None => sessions = sessions.split_last().map_or(&[], |(_, newer)| newer),
            }
        }
        None
    }

    /// The page of a sign-out that failed. It leads on to Entra's sign-out in any case.
    fn sign_out_failed_page(&self, to: Option<&str>, headers: &HeaderMap) -> Response {
        let (kind, title) = (PageKind::SignOutFailed, PageText::SignOutFailedTitle);
        let page = self
            .pages
            .page(headers, kind, StatusCode::SERVICE_UNAVAILABLE, title)
            .alert(PageText::SessionNotEnded)
            .text(PageText::SessionStillValid)
            .form(self.urls.sign_out_path(), PageText::TryAgain);
        let page = match to {
            Some(to) => page.link(PageText::SignOutOfOrganization, to),
            None => page,
        };
        let mut response = with_origin(page);
        // Automatically, after some time to read.
        if let Some(to) = to
            && let Ok(refresh) = HeaderValue::try_from(format!("10; url={to}"))
        {
            response.headers_mut().insert(header::REFRESH, refresh);
        }
        with_security_headers(response)
    }
}

impl SignOutOutcome {
    /// Keeps the tokens of a user for the next attempt.
    fn keep_tokens(&mut self, tokens: PendingTokens, error: &StoreError) {
        tracing::error!(%error, "the tokens of a user who signed out could not be removed");
        self.pending.tokens.push(tokens);
    }

    fn is_complete(&self) -> bool {
        self.pending.is_empty() && !self.has_unreadable
    }
}

impl PendingSignOut {
    fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.tokens.is_empty()
    }
}

/// The id of the cookie: a browser has at most one pending sign-out.
const SIGN_OUT_ID: &str = "pending-sign-out";
