use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use entra_core::{
    AccessToken, ClientId, CredentialError, Idempotency, InvalidId, Secret, TokenCredential,
    TokenRequest,
};

use super::{
    account::Account,
    party::{Given, Party, of_resources, with_identity},
    proof::ClientProof,
};
use crate::{
    Error, ErrorKind,
    cache::{self, Asked},
    form::Form,
    settings::{Settings, common_settings},
    token_endpoint::Effort,
    tokens::{TokenSource, Tokens},
    wire::Personal,
};

/// Tokens of one person who has signed in, without asking the person again.
///
/// It comes from one of the flows of this module, or from an account and a refresh token that were
/// stored ([`builder`](Self::builder)). Any scope that the person or an admin has consented to can
/// be asked for. When the refresh token has ended, the error says that interaction is required.
/// Cheap to clone; clones share their tokens.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::user::{ClientProof, UserCredential};
/// use entra_core::{TokenCredential, TokenRequest};
/// # let tenant = entra_mock::FakeTenant::start().await;
/// # let app = tenant.register_app("Shop").redirect_uri("https://shop.example/callback").with_secret();
/// # use entra_auth::user::{AuthorizationCodeFlow, StartOptions};
/// # let flow = AuthorizationCodeFlow::builder(tenant.id(), app.client_id(), ClientProof::secret(app.secret()))
/// #     .redirect_uri("https://shop.example/callback").scopes(["User.Read"])
/// #     .cloud(tenant.cloud()).clock(tenant.clock()).build()?;
/// # let (url, state) = flow.start(&StartOptions::default())?;
/// # let signed_in = flow.finish(state, &tenant.sign_in_at(url.as_str(), "adele@contoso.com").query()).await?;
/// // At the end of a sign-in: keep these two, the second one under lock and key.
/// let (account, refresh_token) = (signed_in.account().clone(), signed_in.refresh_token().ok_or("none")?);
///
/// // Another day:
/// let adele = UserCredential::builder(account, app.client_id(), ClientProof::secret(app.secret()), refresh_token)
/// #   .clock(tenant.clock())
///     .cloud(tenant.cloud())
///     .build()?;
/// let token = adele.token(&TokenRequest::new(["User.Read"])).await?;
/// # use entra_core::Clock;
/// # assert!(token.expires_on() > tenant.clock().now());
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct UserCredential(Arc<Inner>);

struct Inner {
    tokens: Tokens,
    account: Account,
    session: Arc<Session>,
    id_token: Option<Secret>,
}

/// Settings of a [`UserCredential`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct UserCredentialBuilder {
    account: Account,
    given: Given,
    refresh_token: Secret,
    settings: Settings,
}

impl UserCredential {
    /// Settings to change, from what an earlier sign-in left.
    pub fn builder<C>(
        account: Account,
        client_id: C,
        proof: ClientProof,
        refresh_token: impl Into<Secret>,
    ) -> UserCredentialBuilder
    where
        C: TryInto<ClientId, Error: Into<InvalidId>>,
    {
        UserCredentialBuilder {
            given: Given::new(account.tenant.clone(), client_id, proof),
            account,
            refresh_token: refresh_token.into(),
            settings: Settings::default(),
        }
    }

    /// Who has signed in.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.0.account
    }

    /// The newest refresh token, to be stored like a password; each use of the credential may
    /// bring a newer one.
    #[must_use]
    pub fn refresh_token(&self) -> Option<Secret> {
        self.0.session.current()
    }

    /// The ID token of the sign-in, if there was one.
    #[must_use]
    pub fn id_token(&self) -> Option<&Secret> {
        self.0.id_token.as_ref()
    }

    /// Whether this is a clone of the other.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The person of an answer, whose first token is in the cache already.
    pub(super) async fn signed_in(
        party: &Arc<Party>,
        (token, personal): (AccessToken, Personal),
        scopes: &[String],
        nonce: Option<&str>,
    ) -> Result<Self, Error> {
        let account = Account::of(&personal, party.client, &party.tenant, nonce)?;
        let person = Self::new(party, account, personal.refresh_token, personal.id_token);
        let resources = of_resources(scopes);
        if !resources.is_empty() {
            let request = TokenRequest::new(resources);
            person.0.tokens.seed(&request, token).await?;
        }
        party.remember(&person);
        Ok(person)
    }

    fn new(
        party: &Arc<Party>,
        account: Account,
        refresh_token: Option<Secret>,
        id_token: Option<Secret>,
    ) -> Self {
        let session = Arc::new(Session {
            party: party.detached(),
            refresh_token: Mutex::new(refresh_token),
        });
        let tokens = Tokens::new(
            Arc::clone(&session) as Arc<dyn TokenSource>,
            &party.settings,
            party.client,
            account.tenant.clone(),
            cache::Account::User(account.home_account_id.as_str().into()),
        );
        Self(Arc::new(Inner {
            tokens,
            account,
            session,
            id_token,
        }))
    }
}

#[async_trait]
impl TokenCredential for UserCredential {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        self.0.tokens.token(request).await.map_err(Into::into)
    }
}

impl fmt::Debug for UserCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserCredential")
            .field("authority", &self.0.tokens.authority())
            .field("client_id", &self.0.tokens.client())
            .field("account", &self.0.account)
            .finish_non_exhaustive()
    }
}

impl UserCredentialBuilder {
    common_settings!();

    /// The credential. Nothing is sent before the first token is asked for.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a client id that is none, an empty secret or an empty
    /// refresh token.
    pub fn build(self) -> Result<UserCredential, Error> {
        if self.refresh_token.expose().trim().is_empty() {
            return Err(Error::configuration(
                "the refresh token is empty",
                "give the one that the sign-in gave; it is there only if offline_access was asked for",
            ));
        }
        let party = Party::new(self.given, self.settings)?;
        Ok(UserCredential::new(
            &party,
            self.account,
            Some(self.refresh_token),
            None,
        ))
    }
}

/// The refresh token of a sign-in, and the way to use it.
#[derive(Debug)]
struct Session {
    party: Arc<Party>,
    refresh_token: Mutex<Option<Secret>>,
}

impl Session {
    fn current(&self) -> Option<Secret> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Secret>> {
        self.refresh_token
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TokenSource for Session {
    async fn fetch(&self, asked: &Asked, effort: Effort) -> Result<AccessToken, Error> {
        let Some(refresh_token) = self.current() else {
            return Err(Error::new(
                ErrorKind::InteractionRequired,
                "the person has to sign in again",
            )
            .with(|inner| {
                inner.cause = Some("the sign-in gave no refresh token".into());
                inner.fix = Some(
                    "sign in anew, and see that the application may ask for offline_access".into(),
                );
            }));
        };
        let (token, personal) = refresh(&self.party, asked, &refresh_token, effort).await?;
        if let Some(newer) = personal.refresh_token {
            *self.lock() = Some(newer);
        }
        Ok(token)
    }
}

/// One use of a refresh token. The old one stays good, so a second try does no harm.
pub(super) async fn refresh(
    party: &Party,
    asked: &Asked,
    refresh_token: &Secret,
    effort: Effort,
) -> Result<(AccessToken, Personal), Error> {
    let form = Form::new("refresh_token")
        .secret("refresh_token", refresh_token)
        .field("scope", with_identity(&[asked.scope()]))
        .optional("claims", asked.claims.as_deref());
    party
        .redeem(
            "token by refresh token",
            &asked.tenant,
            form,
            Idempotency::Safe,
            effort,
        )
        .await
}
