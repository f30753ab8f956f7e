//! The use of a refresh token, and what comes of it.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use entra_core::{AccessToken, Idempotency, Secret, TenantId};
#[cfg(feature = "sign-in")]
use tokio::runtime;
#[cfg(feature = "sign-in")]
use tracing::{Instrument as _, Span};

use super::{
    client_application::{ClientApplication, with_identity},
    store_later::store_later,
};
#[cfg(feature = "sign-in")]
use crate::tokens::interrupted;
use crate::{
    Error, ErrorKind,
    cache::{AfterRejection, RefreshToken, TokenKey, Unreadable},
    form::Form,
    moment::Moment,
    retry_mode::RetryMode,
    tokens::TokenSource,
    wire::UserTokenFields,
};

/// Requests tokens with the refresh token of a sign-in.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) application: Arc<ClientApplication>,
    /// The tenant that the user has signed in to.
    pub(super) home: TenantId,
    pub(super) refresh_token: RefreshToken,
    /// Its successor, once a staged sign-in was committed.
    pub(super) successor: OnceLock<Arc<Self>>,
}

impl Session {
    /// How long another use of the refresh token is waited for.
    #[inline]
    pub(super) fn lock_timeout(&self) -> Duration {
        self.application.lock_timeout()
    }

    /// Whether the provider may take a refresh token that it sees twice for stolen.
    #[inline]
    pub(super) fn is_single_use(&self) -> bool {
        self.application.has_single_use_refresh_tokens()
    }

    #[inline]
    pub(super) fn now(&self) -> Moment {
        Moment::now(self.application.clock())
    }
}

#[async_trait]
impl TokenSource for Session {
    #[inline]
    async fn fetch(
        &self,
        token_key: &TokenKey,
        retry_mode: RetryMode,
    ) -> Result<AccessToken, Error> {
        let (token, _) = self.redeem(token_key, retry_mode).await?;
        Ok(token)
    }
}

#[cfg(feature = "sign-in")]
impl Session {
    /// One refresh that goes on when its caller does not, such as the request of a browser that went
    /// away: the service has replaced the refresh token then, and the response has the only new one.
    #[inline]
    pub(super) async fn redeem_whole(
        self: &Arc<Self>,
        token_key: TokenKey,
    ) -> Result<(AccessToken, UserTokenFields), Error> {
        let session = Arc::clone(self);
        let work = async move { session.redeem(&token_key, RetryMode::Once).await };
        let Ok(handle) = runtime::Handle::try_current() else {
            return work.await;
        };
        let flight = handle.spawn(work.instrument(Span::current()));
        flight.await.map_err(|_| interrupted())?
    }
}

impl Session {
    /// One use of the refresh token, with all that comes of it.
    #[inline]
    async fn redeem(
        &self,
        token_key: &TokenKey,
        retry_mode: RetryMode,
    ) -> Result<(AccessToken, UserTokenFields), Error> {
        let is_single_use = self.is_single_use();
        let guard = self
            .refresh_token
            .lock(self.lock_timeout(), is_single_use)
            .await;
        if let Some(successor) = self.successor.get() {
            drop(guard);
            return Box::pin(successor.redeem(token_key, retry_mode)).await;
        }
        let locked = self.now();
        let newest = self
            .refresh_token
            .newest_to_send(&guard, locked, is_single_use)
            .await;
        let Some(mut used) = newest.map_err(|Unreadable| unreadable())? else {
            return Err(Error::new(
                ErrorKind::InteractionRequired,
                "the user has to sign in again",
            )
            .with(|inner| {
                inner.cause = Some(
                    match self.refresh_token.is_invalidated() {
                        true => "the user has signed out, or the refresh token was rejected before",
                        false => "the sign-in gave no refresh token",
                    }
                    .into(),
                );
                inner.fix = Some(
                    "sign in again, and check that the application may request offline_access"
                        .into(),
                );
            }));
        };
        if is_single_use && !guard.is_exclusive() {
            return Err(in_use());
        }
        let leased = guard.has_lease().then_some(locked);
        let mut outcome = refresh(&self.application, token_key, &used, retry_mode, leased).await;
        let mut is_first = true;
        // Another replica may have replaced it; what another tenant says decides nothing.
        while let Err(error) = &outcome
            && token_key.tenant == self.home
            && is_final(error)
        {
            let after = self
                .refresh_token
                .replace_rejected(&guard, &used, self.now())
                .await;
            used = match after {
                AfterRejection::TryOther(other) if is_first => other,
                AfterRejection::Unreadable => return Err(unreadable()),
                AfterRejection::TryOther(_) | AfterRejection::SignedOut => break,
            };
            is_first = false;
            outcome = refresh(&self.application, token_key, &used, retry_mode, leased).await;
        }
        let (token, user_fields) = outcome?;
        if let Some(newer) = user_fields.refresh_token.clone() {
            let is_stored = self
                .refresh_token
                .rotate(&guard, &used, newer, self.now())
                .await;
            // At Entra, the others go on with the one that they have.
            if !is_stored && is_single_use {
                store_later(&self.application, &self.refresh_token);
            }
        }
        Ok((token, user_fields))
    }
}

/// One use of a refresh token, which the caller has locked, with a lease from `leased` on.
///
/// At Entra the old one stays good, so a second try does no harm. Another provider may take it for
/// stolen when it comes twice, so it is sent again only if it cannot have arrived, and it is not sent if
/// the lease could end before the response, as after a client assertion that took long.
#[inline]
pub(super) async fn refresh(
    application: &ClientApplication,
    token_key: &TokenKey,
    refresh_token: &Secret,
    retry_mode: RetryMode,
    leased: Option<Moment>,
) -> Result<(AccessToken, UserTokenFields), Error> {
    let form = Form::new("refresh_token")
        .secret("refresh_token", refresh_token)
        .field("scope", with_identity(&[token_key.scope()]))
        .optional("claims", token_key.claims.as_deref());
    let is_single_use = application.has_single_use_refresh_tokens();
    let idempotency = match is_single_use {
        true => Idempotency::NonIdempotent,
        false => Idempotency::Safe,
    };
    let form = application.authenticated(&token_key.tenant, form).await?;
    if let Some(leased) = leased
        && is_single_use
        && leased.age(Moment::now(application.clock())) > LATEST_START
    {
        return Err(in_use());
    }
    application
        .redeem_authenticated(
            "token by refresh token",
            &token_key.tenant,
            form,
            idempotency,
            retry_mode,
        )
        .await
}

/// The error of a refresh token that may be in the store but cannot be read here: the user need not sign
/// in again.
#[inline]
pub(super) fn unreadable() -> Error {
    Error::new(
        ErrorKind::Service,
        "the user's refresh token cannot be read from the store",
    )
    .with(|inner| {
        inner.cause = Some(
            "the store failed, or the token is encrypted with a key that this cache does not have"
                .into(),
        );
        inner.fix = Some(
            "check the store and the encryption keys of this process; \
             `TokenCache::last_store_failure` returns the store's error"
                .into(),
        );
    })
}

/// The error of a refresh token that another replica may be using. It is not sent without the lock.
#[inline]
fn in_use() -> Error {
    Error::new(
        ErrorKind::Service,
        "the user's refresh token may be in use at another replica",
    )
    .with(|inner| {
        inner.cause = Some(
            "the provider accepts each refresh token once, and the store did not grant its lock in time, or it was held for too long before the request"
                .into(),
        );
        inner.fix = Some(
            "try again; if it happens often, check the store and how long the provider and client assertions take"
                .into(),
        );
    })
}

/// Whether the refresh token itself is of no more use, and not only too little for what was asked,
/// as with a consent or a multifactor authentication that is missing.
#[inline]
fn is_final(error: &Error) -> bool {
    if error.oauth_error() != Some("invalid_grant") || !error.is_interaction_required() {
        return false;
    }
    match error.codes() {
        // Another provider, which knows this word for it only.
        [] => matches!(error.suberror(), None | Some("bad_token" | "token_expired")),
        codes => codes.iter().any(|code| FINAL.contains(code)),
    }
}

/// A malformed, expired, revoked or idle refresh token, by Entra's numbers.
const FINAL: [u32; 7] = [50_133, 50_173, 70_000, 70_008, 70_043, 700_082, 700_084];
/// A request that begins within this time after the lock was taken ends within its lease.
const LATEST_START: Duration = Duration::from_secs(10);
