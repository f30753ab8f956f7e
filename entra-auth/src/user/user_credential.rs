use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
#[cfg(feature = "sign-in")]
use entra_core::Timestamp;
use entra_core::{
    AccessToken, ClientId, CredentialError, IntoId, Secret, TokenCredential, TokenRequest,
};

use super::{
    account::Account,
    client_application::{ClientApplication, ClientParameters, of_resources},
    known_users::KnownUsers,
    proof::ClientAuthentication,
    refresh::{Session, unreadable},
    store_later::store_later,
};
#[cfg(feature = "sign-in")]
use crate::cache::TokenKey;
use crate::{
    Error, TokenCache,
    builder::{CloudCredential, Configure, CredentialBuilder},
    cache::{self, RefreshToken, Unreadable},
    moment::Moment,
    tokens::{TokenSource, Tokens},
    wire::UserTokenFields,
};

/// Tokens of one signed-in user, without prompting the user again.
///
/// It is the result of a flow of this module, or is built from an account and a stored refresh token
/// ([`builder`](Self::builder)), or from an account alone if the token cache has a store
/// ([`resume`](Self::resume)). It returns tokens for any scope that the user or an administrator has
/// consented to. When the refresh token has expired, the error requires interaction.
/// Cheap to clone; clones share their tokens.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::user::{ClientAuthentication, UserCredential};
/// use entra_core::{TokenCredential, TokenRequest};
/// # let tenant = entra_mock::FakeTenant::start().await;
/// # let app = tenant.register_app("Shop").redirect_uri("https://shop.example/callback").with_secret();
/// # use entra_auth::user::{AuthorizationCodeFlow, StartOptions};
/// # let flow = AuthorizationCodeFlow::builder(tenant.id(), app.client_id(), ClientAuthentication::secret(app.secret()))
/// #     .redirect_uri("https://shop.example/callback").scopes(["User.Read"])
/// #     .cloud(tenant.cloud()).clock(tenant.clock()).build()?;
/// # let (url, state) = flow.start(&StartOptions::default())?;
/// # let signed_in = flow.finish(state, &tenant.sign_in_at(url.as_str(), "adele@contoso.com").query()).await?;
/// // At the end of a sign-in: store these two, the refresh token encrypted.
/// let (account, refresh_token) = (signed_in.account().clone(), signed_in.refresh_token().ok_or("none")?);
///
/// // Another day:
/// let adele = UserCredential::builder(account, app.client_id(), ClientAuthentication::secret(app.secret()), refresh_token)
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
    /// Set for a sign-in that the application has not committed yet.
    staged: Option<Staged>,
}

/// Where the tokens of a staged sign-in are cached when the application commits it.
#[cfg_attr(
    not(feature = "sign-in"),
    expect(dead_code, reason = "only a sign-in of a web product is staged")
)]
struct Staged {
    application: Arc<ClientApplication>,
    cache: TokenCache,
    users: Arc<KnownUsers<UserCredential>>,
    committed: OnceLock<UserCredential>,
}

/// Configures a [`UserCredential`].
pub type UserCredentialBuilder = CredentialBuilder<UserCredential>;

#[derive(Clone, Debug)]
pub(crate) struct UserCredentialSetup {
    account: Account,
    client: ClientParameters,
    /// `None` if it is in the cache's store.
    refresh_token: Option<Secret>,
}

impl Configure for UserCredential {
    type Setup = UserCredentialSetup;
}

impl CloudCredential for UserCredential {}

impl UserCredential {
    /// Returns a builder with the account and the refresh token of an earlier sign-in.
    #[inline]
    pub fn builder(
        account: Account,
        client_id: impl IntoId<ClientId>,
        proof: ClientAuthentication,
        refresh_token: impl Into<Secret>,
    ) -> UserCredentialBuilder {
        CredentialBuilder::new(UserCredentialSetup {
            client: ClientParameters::new(account.tenant.clone(), client_id, proof),
            account,
            refresh_token: Some(refresh_token.into()),
        })
    }

    /// Returns a builder for a user who has signed in with a cache on the same store: at another
    /// replica, or before a restart.
    ///
    /// The refresh token is read from the store when it is needed. If the store has
    /// none, because the user never signed in, has signed out or was rejected, the error requires
    /// interaction.
    ///
    /// ```
    /// # #[cfg(feature = "file-cache")]
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// use entra_auth::{TokenCache, store::FileStore, user::{ClientAuthentication, UserCredential}};
    /// use entra_core::{TokenCredential, TokenRequest};
    /// # use entra_auth::{store::EncryptionKey, user::DeviceCodeCredential};
    /// # let tenant = std::sync::Arc::new(entra_mock::FakeTenant::start().await);
    /// # let app = tenant.register_app("Tool").delegated_permission("User.Read").public_client();
    /// # let directory = std::env::temp_dir().join(format!("entra-resume-{}", std::process::id()));
    /// # let (client_id, key, user) = (app.client_id(), EncryptionKey::new([7; 32]), tenant.clone());
    /// # let first = TokenCache::builder().store(FileStore::open(&directory)?).encryption_key(key.clone()).build();
    /// # let tool = DeviceCodeCredential::builder(tenant.id(), client_id, move |prompt| user.approve_device_code(&prompt.user_code, "adele@contoso.com"))
    /// #     .cloud(tenant.cloud()).clock(tenant.clock()).cache(&first).build()?;
    /// # let account = tool.sign_in(["User.Read"]).await?.account().clone();
    /// let cache = TokenCache::builder().store(FileStore::open(&directory)?).encryption_key(key).build();
    /// let adele = UserCredential::resume(account, client_id, ClientAuthentication::public())
    /// #   .clock(tenant.clock())
    ///     .cloud(tenant.cloud())
    ///     .cache(&cache)
    ///     .build()?;
    /// adele.token(&TokenRequest::new(["User.Read"])).await?;
    /// # tenant.requests().to("/devicecode").assert_count(1);
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn resume(
        account: Account,
        client_id: impl IntoId<ClientId>,
        proof: ClientAuthentication,
    ) -> UserCredentialBuilder {
        CredentialBuilder::new(UserCredentialSetup {
            client: ClientParameters::new(account.tenant.clone(), client_id, proof),
            account,
            refresh_token: None,
        })
    }

    /// Returns the account of the user.
    #[must_use]
    #[inline]
    pub fn account(&self) -> &Account {
        &self.0.account
    }

    /// Returns the newest refresh token that this process knows. Store it like a password; each use of
    /// the credential may replace it. A cache with a store stores it itself.
    #[must_use]
    #[inline]
    pub fn refresh_token(&self) -> Option<Secret> {
        self.current().session.refresh_token.current()
    }

    /// Returns the ID token of the sign-in, if there was one.
    #[must_use]
    #[inline]
    pub fn id_token(&self) -> Option<&Secret> {
        self.0.id_token.as_ref()
    }

    /// Whether this is a clone of the other.
    #[inline]
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Returns the user of a token response and caches the tokens.
    #[inline]
    pub(super) async fn signed_in(
        application: &Arc<ClientApplication>,
        (token, user_fields): (AccessToken, UserTokenFields),
        scopes: &[String],
        nonce: Option<&str>,
    ) -> Result<Self, Error> {
        let place = (&application.settings.cloud, &application.tenant);
        let account = Account::of(&user_fields, application.client, place, nonce)?;
        let user = Self::new(application, account, user_fields.id_token.clone(), None);
        user.take(token, user_fields, scopes, application).await?;
        Ok(user)
    }

    /// The user of a token response, apart from all others: nothing reaches the cache, its store or
    /// the known users before [`commit`](Self::commit).
    #[cfg(feature = "sign-in")]
    #[inline]
    pub(super) async fn staged(
        (application, users): (&Arc<ClientApplication>, &Arc<KnownUsers<Self>>),
        (token, user_fields): (AccessToken, UserTokenFields),
        scopes: &[String],
        nonce: Option<&str>,
    ) -> Result<Self, Error> {
        let place = (&application.settings.cloud, &application.tenant);
        let account = Account::of(&user_fields, application.client, place, nonce)?;
        let cache = TokenCache::with_capacity(MOST_STAGED);
        let staged = Staged {
            application: Arc::clone(application),
            cache: cache.clone(),
            users: Arc::clone(users),
            committed: OnceLock::new(),
        };
        let apart = application.with_cache(cache);
        let user = Self::made(
            &apart,
            account,
            user_fields.id_token.clone(),
            (None, Some(staged)),
        );
        user.take(token, user_fields, scopes, &apart).await?;
        Ok(user)
    }

    /// Caches the tokens of a staged sign-in in place of an earlier sign-in of the same account. Its
    /// clones use them from then on. Does nothing if it was committed before or is not staged.
    #[cfg(feature = "sign-in")]
    #[inline]
    pub(crate) async fn commit(&self) {
        let Some(staged) = &self.0.staged else { return };
        let session = &self.0.session;
        // A refresh under way brings its token first; one that comes after goes to the new place.
        let guard = session
            .refresh_token
            .lock(session.lock_timeout(), session.is_single_use())
            .await;
        if staged.committed.get().is_some() {
            return;
        }
        let Staged {
            application,
            cache,
            users,
            ..
        } = staged;
        let kept = Self::new(
            application,
            self.0.account.clone(),
            self.0.id_token.clone(),
            None,
        );
        if let Some(token) = session.refresh_token.current() {
            let held = &kept.0.session.refresh_token;
            let now = Moment::now(application.clock());
            if !held.signed_in(token, now).await {
                store_later(application, held);
            }
        }
        for (key, record) in cache.records() {
            let now = Moment::now(application.clock());
            application.settings.cache.keep(&key, &record, now).await;
        }
        users.remember(&kept.0.account, kept.clone());
        let _ = session.successor.set(Arc::clone(&kept.0.session));
        let _ = staged.committed.set(kept);
        drop(guard);
    }

    /// Uses the refresh token whatever tokens there are, in one try: whether the service still lets
    /// the user in, and what it says of them now.
    #[cfg(feature = "sign-in")]
    #[inline]
    pub(crate) async fn renew(&self, scopes: &[String]) -> Result<UserTokenFields, Error> {
        let current = self.current();
        let resources = of_resources(scopes);
        let request = match resources.is_empty() {
            true => TokenRequest::new(["openid"]),
            false => TokenRequest::new(resources.iter()),
        };
        let session = &current.session;
        let token_key = TokenKey::new(&session.home, &request)?;
        // The user may sign out meanwhile.
        let place = match resources.is_empty() {
            true => None,
            false => Some(current.tokens.place(&request)?),
        };
        let (token, user_fields) = session.redeem_whole(token_key).await?;
        if let Some(place) = place {
            place.fill(token, session.now()).await;
        }
        Ok(user_fields)
    }

    /// Caches the tokens of a sign-in.
    #[inline]
    async fn take(
        &self,
        token: AccessToken,
        user_fields: UserTokenFields,
        scopes: &[String],
        application: &Arc<ClientApplication>,
    ) -> Result<(), Error> {
        let user = self;
        if let Some(refresh_token) = user_fields.refresh_token {
            let held = &user.0.session.refresh_token;
            let now = Moment::now(application.clock());
            if !held.signed_in(refresh_token, now).await {
                store_later(application, held);
            }
        }
        let resources = of_resources(scopes);
        if !resources.is_empty() {
            let request = TokenRequest::new(resources);
            user.0.tokens.seed(&request, token).await?;
        }
        Ok(())
    }

    /// Returns a user whose refresh token is in the store. `None` if there is none.
    #[inline]
    pub(super) async fn resumed(
        application: &Arc<ClientApplication>,
        account: &Account,
    ) -> Result<Option<Self>, Error> {
        let user = Self::new(application, account.clone(), None, None);
        let session = &user.0.session;
        let found = session
            .refresh_token
            .newest(session.now(), session.is_single_use())
            .await
            .map_err(|Unreadable| unreadable())?;
        Ok(found.map(|_| user))
    }

    /// Whether the store may have lost the refresh token of a user who has none here, since the user signed in
    /// at this time.
    #[cfg(feature = "sign-in")]
    #[inline]
    pub(super) async fn may_be_lost(
        application: &Arc<ClientApplication>,
        account: &Account,
        signed_in: Option<Timestamp>,
    ) -> bool {
        let user = Self::new(application, account.clone(), None, None);
        let held = &user.0.session.refresh_token;
        held.may_be_lost(signed_in).await
    }

    /// Whether the user has signed out here or at another replica.
    #[inline]
    pub(super) async fn is_signed_out(&self) -> bool {
        let session = &self.current().session;
        let held = &session.refresh_token;
        let newest = held.newest(session.now(), session.is_single_use()).await;
        let has_token = matches!(newest, Ok(Some(_)));
        !has_token && held.is_invalidated()
    }

    #[inline]
    fn new(
        application: &Arc<ClientApplication>,
        account: Account,
        id_token: Option<Secret>,
        given: Option<&Secret>,
    ) -> Self {
        Self::made(application, account, id_token, (given, None))
    }

    #[inline]
    fn made(
        application: &Arc<ClientApplication>,
        account: Account,
        id_token: Option<Secret>,
        (given, staged): (Option<&Secret>, Option<Staged>),
    ) -> Self {
        let settings = &application.settings;
        let session = Arc::new(Session {
            application: Arc::clone(application),
            home: account.tenant.clone(),
            refresh_token: RefreshToken::new(
                &settings.cache,
                &settings.cloud.cache_authority(),
                &account.tenant,
                application.client,
                &account.home_account_id,
                given,
            ),
            successor: OnceLock::new(),
        });
        let tokens = Tokens::new(
            Arc::clone(&session) as Arc<dyn TokenSource>,
            settings,
            application.client,
            account.tenant.clone(),
            cache::Account::User(account.home_account_id.as_str().into()),
        );
        Self(Arc::new(Inner {
            tokens,
            account,
            session,
            id_token,
            staged,
        }))
    }

    /// The credential that its tokens come from.
    #[inline]
    fn current(&self) -> &Inner {
        let staged = self.0.staged.as_ref();
        let kept = staged.and_then(|staged| staged.committed.get());
        kept.map_or(&*self.0, |kept| &*kept.0)
    }
}

#[async_trait]
impl TokenCredential for UserCredential {
    #[inline]
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        self.current()
            .tokens
            .token(request)
            .await
            .map_err(Into::into)
    }
}

impl fmt::Debug for UserCredential {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserCredential")
            .field("authority", &self.0.tokens.authority())
            .field("client_id", &self.0.tokens.client())
            .field("account", &self.0.account)
            .finish_non_exhaustive()
    }
}

impl UserCredentialBuilder {
    /// Builds the credential. It sends nothing before the first token is requested.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an invalid client id, an empty secret, an empty
    /// refresh token, and a [`resume`](UserCredential::resume) with a cache that has no store.
    #[inline]
    pub fn build(self) -> Result<UserCredential, Error> {
        let (setup, settings) = (self.setup, self.options.settings()?);
        let given = setup.refresh_token;
        if given.is_none() && !settings.cache.has_store() {
            return Err(Error::configuration(
                "there is neither a refresh token nor a store that could have it",
                "give the `cache` whose store the sign-in was made with, or the refresh token itself",
            ));
        }
        let is_empty = |token: &Secret| token.expose_secret().trim().is_empty();
        if given.as_ref().is_some_and(is_empty) {
            return Err(Error::configuration(
                "the refresh token is empty",
                "pass the refresh token of the sign-in; there is one only if offline_access was requested",
            ));
        }
        let application = ClientApplication::new(setup.client, settings)?;
        let user = UserCredential::new(&application, setup.account, None, given.as_ref());
        if let Some(token) = given {
            let now = Moment::now(application.clock());
            user.0.session.refresh_token.give(token, now);
        }
        Ok(user)
    }
}

/// The capacity of the cache of one staged sign-in.
#[cfg(feature = "sign-in")]
const MOST_STAGED: usize = 64;
