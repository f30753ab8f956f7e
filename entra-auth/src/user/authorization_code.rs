use std::{fmt, sync::Arc, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
#[cfg(feature = "sign-in")]
use entra_core::Timestamp;
use entra_core::{AccessToken, ClientId, Idempotency, IntoId, Secret, TenantId, url::Url};

use super::{
    account::Account,
    callback::{self, Callback},
    client_application::{ClientApplication, ClientParameters, with_identity},
    issuer,
    known_users::KnownUsers,
    pending_sign_in::{LIFETIME, PendingSignIn},
    proof::ClientAuthentication,
    user_credential::UserCredential,
};
use crate::{
    CachePartition, Error,
    builder::{CloudCredential, Configure, CredentialBuilder},
    form::Form,
    retry_mode::RetryMode,
    store::StoreError,
    wire::UserTokenFields,
};

/// Signs users in with their browser: the OAuth authorization code grant with PKCE.
///
/// [`start`](Self::start) gives the address to send the browser to and a state to keep;
/// [`finish`](Self::finish) takes what the browser brings back. It keeps who has signed in, so that
/// [`user`](Self::user) gives their tokens later. Cheap to clone; clones share it all. See
/// Microsoft's page on the
/// [grant](https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::user::{AuthorizationCodeFlow, ClientAuthentication, StartOptions};
/// use entra_core::{TokenCredential, TokenRequest};
/// # let tenant = entra_mock::FakeTenant::start().await;
/// # let app = tenant.register_app("Shop").redirect_uri("https://shop.example/callback").with_secret();
/// # let (tenant_id, client_id, secret) = (tenant.id(), app.client_id(), app.secret());
/// let flow = AuthorizationCodeFlow::builder(tenant_id, client_id, ClientAuthentication::secret(secret))
///     .redirect_uri("https://shop.example/callback")
///     .scopes(["User.Read"])
/// #   .clock(tenant.clock())
///     .cloud(tenant.cloud())
///     .build()?;
///
/// let (url, state) = flow.start(&StartOptions::default())?; // keep `state` with the browser's session
/// # let callback_query = tenant.sign_in_at(url.as_str(), "adele@contoso.com").query();
/// let adele = flow.finish(state, &callback_query).await?;
///
/// assert_eq!(adele.account().username.as_deref(), Some("adele@contoso.com"));
/// let token = adele.token(&TokenRequest::new(["User.Read"])).await?;
/// tenant.requests().to("/token").assert_count(1); // it came with the sign-in
/// # let _ = token;
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct AuthorizationCodeFlow(Arc<Inner>);

struct Inner {
    application: Arc<ClientApplication>,
    /// Those who have signed in.
    users: Arc<KnownUsers<UserCredential>>,
    redirect_uri: String,
    scopes: Vec<String>,
}

/// What a code gave, not believed yet.
pub(crate) struct RedeemedCode {
    token: AccessToken,
    pub(crate) user_fields: UserTokenFields,
}

/// Configures a [`AuthorizationCodeFlow`].
pub type AuthorizationCodeFlowBuilder = CredentialBuilder<AuthorizationCodeFlow>;

#[derive(Clone, Debug)]
pub(crate) struct AuthorizationCodeFlowSetup {
    client: ClientParameters,
    redirect_uri: String,
    scopes: Vec<String>,
}

impl Configure for AuthorizationCodeFlow {
    type Setup = AuthorizationCodeFlowSetup;
}

impl CloudCredential for AuthorizationCodeFlow {}

/// Options of one sign-in.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StartOptions {
    /// What the user is prompted for.
    pub prompt: Option<Prompt>,
    /// The user name of the user who is expected to sign in.
    pub login_hint: Option<String>,
    /// The domain of the user, to skip the choice of account type.
    pub domain_hint: Option<String>,
    /// How the response is returned.
    pub response_mode: ResponseMode,
    /// Claims that the sign-in must give (JSON), such as those of a challenge.
    pub claims: Option<String>,
    /// How long ago the user may have signed in at most.
    pub max_age: Option<Duration>,
    /// Scopes beyond those of the flow, such as for a consent requested later.
    pub scopes: Vec<String>,
}

/// What the user is asked at a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prompt {
    /// Nothing: the sign-in fails if the user would be prompted.
    None,
    /// To sign in, even if there is a session.
    Login,
    /// To choose an account.
    SelectAccount,
    /// To consent, even if consent was granted before.
    Consent,
}

/// How the browser brings a response back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResponseMode {
    /// In the query of the redirect URI.
    #[default]
    Query,
    /// As a form post, which keeps the code out of URLs and their logs.
    FormPost,
}

impl AuthorizationCodeFlow {
    /// Returns a builder. Ids may be given as text or as ids; an alias such as `organizations`
    /// may stand in the tenant's place.
    #[inline]
    pub fn builder(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
        proof: ClientAuthentication,
    ) -> AuthorizationCodeFlowBuilder {
        CredentialBuilder::new(AuthorizationCodeFlowSetup {
            client: ClientParameters::new(tenant, client_id, proof),
            redirect_uri: String::new(),
            scopes: Vec::new(),
        })
    }

    /// Returns the URL to send the browser to, and the pending sign-in to keep until it comes back.
    /// Sends nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when there is no randomness.
    #[inline]
    pub fn start(&self, options: &StartOptions) -> Result<(Url, PendingSignIn), Error> {
        self.start_at(&self.0.redirect_uri, options)
    }

    /// Redeems the code of a callback, from its URL, query or form.
    ///
    /// An application that signs users in at several services registers a redirect URI of its own path
    /// at each, and gives the address or the path with the response, see [`Callback`]: a code then goes
    /// to the service only that the sign-in was started at. At one shared path only a response that
    /// names its issuer tells (RFC 9207), which [`Discovery`](crate::Discovery) requires of a provider
    /// that promises it. A response of a provider other than Entra that names none needs the address or
    /// the path.
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a callback that is not the response to
    /// this flow, came to another address or names another issuer, for a flow that another application or service
    /// started, and whatever the service rejects: a user who declined, a consent that is missing, a
    /// code that was used or has expired.
    #[inline]
    pub async fn finish<'a>(
        &self,
        flow: PendingSignIn,
        callback: impl Into<Callback<'a>>,
    ) -> Result<UserCredential, Error> {
        let application = &self.0.application;
        let response = callback::read(callback.into(), &flow, application.clock().now(), false)?;
        if !flow.is_of(application) {
            return Err(callback::CallbackMismatch::ClientMismatch.into());
        }
        let cloud = &application.settings.cloud;
        match &response.issuer {
            Some(issuer) if !issuer::fits(issuer, cloud, &application.tenant) => {
                return Err(callback::CallbackMismatch::IssuerMismatch.into());
            }
            None if cloud.names_issuer_in_responses() => {
                return Err(callback::CallbackMismatch::MissingIssuer.into());
            }
            None if response.is_of_unknown_origin(cloud) => {
                return Err(callback::CallbackMismatch::MissingRedirectUri.into());
            }
            _ => {}
        }
        let redeemed = self.redeem(&flow, &response.outcome?).await?;
        self.accept(redeemed, &flow).await
    }

    /// Returns the accounts that have signed in here, the latest last.
    #[must_use]
    #[inline]
    pub fn accounts(&self) -> Vec<Account> {
        self.0.users.accounts()
    }

    /// Returns the tokens of a user who has signed in here, without asking the user again.
    #[must_use]
    #[inline]
    pub fn user(&self, account: &Account) -> Option<UserCredential> {
        self.0.users.find(account)
    }

    /// Returns the tokens of a user who has signed in here, or at another replica or before a restart
    /// with a cache on the same store. `None` if the user has signed out or never signed in.
    ///
    /// ```
    /// # #[cfg(feature = "file-cache")]
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// use entra_auth::{TokenCache, store::FileStore};
    /// use entra_auth::user::{AuthorizationCodeFlow, ClientAuthentication, StartOptions};
    /// use entra_core::{TokenCredential, TokenRequest};
    /// # let tenant = entra_mock::FakeTenant::start().await;
    /// # let app = tenant.register_app("Shop").redirect_uri("https://shop.example/callback").with_secret();
    /// # let directory = std::env::temp_dir().join(format!("entra-replicas-{}", std::process::id()));
    /// # let replica = || -> Result<AuthorizationCodeFlow, Box<dyn std::error::Error>> {
    /// let cache = TokenCache::builder().store(FileStore::open(&directory)?).build();
    /// let flow = AuthorizationCodeFlow::builder(tenant.id(), app.client_id(), ClientAuthentication::secret(app.secret()))
    ///     .redirect_uri("https://shop.example/callback")
    ///     .scopes(["User.Read"])
    ///     .cache(&cache)
    /// #   .cloud(tenant.cloud()).clock(tenant.clock()).build()?;
    /// # Ok(flow) };
    /// # let (flow, other) = (replica()?, replica()?);
    /// # let (url, state) = flow.start(&StartOptions::default())?;
    /// # let callback = tenant.sign_in_at(url.as_str(), "adele@contoso.com").query();
    /// let account = flow.finish(state, &callback).await?.account().clone(); // for the session
    ///
    /// // Any later request, at any replica:
    /// let adele = other.resume(&account).await?.ok_or("sign in first")?;
    /// adele.token(&TokenRequest::new(["User.Read"])).await?;
    ///
    /// other.sign_out(&account).await?;
    /// assert!(flow.resume(&account).await?.is_none());
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Service`](crate::ErrorKind::Service) if the store cannot be read and the tokens are not in
    /// memory. It does not mean that the user has to sign in again.
    #[inline]
    pub async fn resume(&self, account: &Account) -> Result<Option<UserCredential>, Error> {
        let Inner {
            application, users, ..
        } = &*self.0;
        if let Some(known) = users.find(account) {
            if !known.is_signed_out().await {
                return Ok(Some(known));
            }
            let _gone = users.forget(account);
        }
        let user = UserCredential::resumed(application, account).await?;
        if let Some(user) = &user {
            users.remember(account, user.clone());
        }
        Ok(user)
    }

    /// Removes a user from this value only. Returns whether the user was known. See
    /// [`sign_out`](Self::sign_out) for the cache and its store.
    #[must_use]
    #[inline]
    pub fn forget(&self, account: &Account) -> bool {
        self.0.users.forget(account)
    }

    /// Forgets a user who signs out, here, in the cache and in its store; returns whether the user
    /// was known here. All tokens of the user that this cloud issued go from that store, those of
    /// other applications too.
    ///
    /// # Errors
    /// When the store cannot be written. The user is removed here nevertheless.
    #[inline]
    pub async fn sign_out(&self, account: &Account) -> Result<bool, StoreError> {
        let was_here = self.forget(account);
        let settings = &self.0.application.settings;
        let partition = CachePartition::account(&settings.cloud, &account.home_account_id);
        settings.cache.forget(&partition).await?;
        Ok(was_here)
    }

    /// Redeems a code. Nothing of the response is cached before it is [accepted](Self::accept).
    #[inline]
    pub(crate) async fn redeem(
        &self,
        flow: &PendingSignIn,
        code: &Secret,
    ) -> Result<RedeemedCode, Error> {
        let form = Form::new("authorization_code")
            .secret("code", code)
            .field("redirect_uri", flow.redirect_uri.as_str())
            .secret("code_verifier", &flow.verifier)
            .field("scope", with_identity(&flow.scopes));
        // A code is good once: a second try could only be rejected.
        let (token, user_fields) = self
            .0
            .application
            .redeem(
                "token by authorization code",
                &flow.tenant,
                form,
                Idempotency::NonIdempotent,
                RetryMode::Full,
            )
            .await?;
        Ok(RedeemedCode { token, user_fields })
    }

    /// Caches the user, the access token and the refresh token of a redeemed code.
    #[inline]
    async fn accept(
        &self,
        redeemed: RedeemedCode,
        flow: &PendingSignIn,
    ) -> Result<UserCredential, Error> {
        let response = (redeemed.token, redeemed.user_fields);
        let (application, nonce) = (&self.0.application, Some(flow.nonce.as_str()));
        let user = UserCredential::signed_in(application, response, &flow.scopes, nonce).await?;
        self.0.users.remember(user.account(), user.clone());
        Ok(user)
    }

    /// Returns the credential of a redeemed code. Nothing is cached before it is
    /// [committed](UserCredential::commit).
    #[cfg(feature = "sign-in")]
    #[inline]
    pub(crate) async fn stage(
        &self,
        redeemed: RedeemedCode,
        flow: &PendingSignIn,
    ) -> Result<UserCredential, Error> {
        let response = (redeemed.token, redeemed.user_fields);
        let (place, nonce) = (
            (&self.0.application, &self.0.users),
            Some(flow.nonce.as_str()),
        );
        UserCredential::staged(place, response, &flow.scopes, nonce).await
    }

    /// Refreshes the tokens of a user who has signed in here. `None` if there are none any more.
    #[cfg(feature = "sign-in")]
    #[inline]
    pub(crate) async fn renew(
        &self,
        account: &Account,
    ) -> Result<Option<(UserCredential, UserTokenFields)>, Error> {
        let Some(user) = self.resume(account).await? else {
            return Ok(None);
        };
        let user_fields = user.renew(&self.0.scopes).await?;
        Ok(Some((user, user_fields)))
    }

    /// Whether a user without tokens here may have been lost by the store, and not have signed out.
    #[cfg(feature = "sign-in")]
    #[inline]
    pub(crate) async fn may_have_lost_tokens(
        &self,
        account: &Account,
        signed_in: Option<Timestamp>,
    ) -> bool {
        UserCredential::may_be_lost(&self.0.application, account, signed_in).await
    }

    #[inline]
    pub(super) fn start_at(
        &self,
        redirect_uri: &str,
        options: &StartOptions,
    ) -> Result<(Url, PendingSignIn), Error> {
        let application = &self.0.application;
        let [state, nonce, verifier] = [self.random()?, self.random()?, self.random()?];
        let mut scopes = self.0.scopes.clone();
        scopes.extend(options.scopes.iter().cloned());
        let flow = PendingSignIn {
            state,
            nonce,
            verifier: Secret::from(verifier),
            redirect_uri: redirect_uri.to_owned(),
            scopes,
            tenant: application.tenant.clone(),
            expires_on: application.clock().now().saturating_add(LIFETIME),
            client: Some(application.client),
            authority: Some(application.authority()),
            connection: None,
            max_age: options.max_age.map(|age| age.as_secs()),
        };
        let challenge = digest(&SHA256, flow.verifier.expose_secret().as_bytes());
        let mut url = application
            .settings
            .cloud
            .authorization_endpoint(&application.tenant);
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("client_id", &application.client.to_string())
                .append_pair("response_type", "code")
                .append_pair("redirect_uri", redirect_uri)
                .append_pair("scope", &with_identity(&flow.scopes))
                .append_pair("response_mode", options.response_mode.as_str())
                .append_pair("state", &flow.state)
                .append_pair("nonce", &flow.nonce)
                .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(challenge))
                .append_pair("code_challenge_method", "S256")
                .append_pair("client_info", "1");
            let capabilities = &application.settings.capabilities;
            let claims = capabilities.merge(options.claims.as_deref());
            let max_age = options.max_age.map(|age| age.as_secs().to_string());
            for (name, value) in [
                ("prompt", options.prompt.map(Prompt::as_str)),
                ("login_hint", options.login_hint.as_deref()),
                ("domain_hint", options.domain_hint.as_deref()),
                ("claims", claims.as_deref()),
                ("max_age", max_age.as_deref()),
            ] {
                if let Some(value) = value {
                    query.append_pair(name, value);
                }
            }
        }
        Ok((url, flow))
    }

    #[cfg(any(feature = "interactive", feature = "sign-in"))]
    #[inline]
    pub(crate) fn application(&self) -> &Arc<ClientApplication> {
        &self.0.application
    }

    #[cfg(feature = "sign-in")]
    #[inline]
    pub(crate) fn redirect_uri(&self) -> &str {
        &self.0.redirect_uri
    }

    /// Returns 32 random bytes as 43 characters.
    #[inline]
    pub(crate) fn random(&self) -> Result<String, Error> {
        let mut bytes = [0; 32];
        self.0
            .application
            .settings
            .random
            .fill(&mut bytes)
            .map_err(|source| {
                Error::configuration(
                    "the state of a sign-in could not be generated",
                    "check that the source of randomness works",
                )
                .with_source(source)
            })?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl fmt::Debug for StartOptions {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The hints name a user and the user's domain, and claims may name a subject.
        f.debug_struct("StartOptions")
            .field("prompt", &self.prompt)
            .field("response_mode", &self.response_mode)
            .field("max_age", &self.max_age)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AuthorizationCodeFlow {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationCodeFlow")
            .field("application", &self.0.application)
            .field("redirect_uri", &self.0.redirect_uri)
            .field("scopes", &self.0.scopes)
            .finish()
    }
}

impl AuthorizationCodeFlowBuilder {
    /// The redirect URI, exactly as it is registered.
    #[inline]
    pub fn redirect_uri(mut self, redirect_uri: impl Into<String>) -> Self {
        self.setup.redirect_uri = redirect_uri.into();
        self
    }

    /// The scopes of every sign-in. The OpenID scopes are added.
    #[inline]
    pub fn scopes<I>(mut self, scopes: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.setup.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Builds the flow. Sends nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an invalid id, an
    /// empty secret, or a redirect URI that Entra cannot have registered.
    #[inline]
    pub fn build(self) -> Result<AuthorizationCodeFlow, Error> {
        let (setup, settings) = (self.setup, self.options.settings()?);
        check_redirect(&setup.redirect_uri)?;
        Ok(AuthorizationCodeFlow(Arc::new(Inner {
            users: Arc::new(KnownUsers::new()),
            application: ClientApplication::new(setup.client, settings)?,
            redirect_uri: setup.redirect_uri,
            scopes: setup.scopes,
        })))
    }
}

impl Prompt {
    const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::SelectAccount => "select_account",
            Self::Consent => "consent",
        }
    }
}

impl ResponseMode {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
        }
    }
}

#[inline]
fn check_redirect(address: &str) -> Result<(), Error> {
    let wrong = |what: &'static str| {
        Err(Error::configuration(
            what,
            "give the address exactly as it is registered under Authentication, such as https://app.example.com/callback",
        ))
    };
    let Ok(url) = Url::parse(address) else {
        return wrong("the redirect URI is not an absolute URL");
    };
    if url.fragment().is_some() {
        return wrong("the redirect URI has a fragment");
    }
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1"));
    match url.scheme() {
        "http" if !loopback => wrong("the redirect URI must be https"),
        _ => Ok(()),
    }
}
