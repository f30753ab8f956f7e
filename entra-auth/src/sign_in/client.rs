use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use entra_core::{
    ClientId, Cloud, Guid, IntoId, TenantId,
    url::{Host, Url},
};

use super::{
    error::SignInError,
    groups::{GroupSettings, GroupsClaim},
    kind::SignInErrorKind,
    kind_of,
    replay::FinishedSignIns,
    result::SignInResult,
    tenants::Tenants,
};
#[cfg(feature = "axum")]
use crate::user::ShortPendingSignIn;
use crate::{
    Error,
    builder::{CloudCredential, Configure, CredentialBuilder},
    moment::Moment,
    store::StoreError,
    user::{
        Account, AuthorizationCodeFlow, AuthorizationCodeFlowBuilder, Callback,
        ClientAuthentication, PendingSignIn, StartOptions, UserCredential,
        callback::{self, AuthorizationResponse},
        issuer,
    },
    validate::{SigningKeys, TokenValidator},
};

/// One connection for users to sign in: a tenant, an application and its credential.
///
/// Building one sends no request. [`start`](Self::start) returns the URL for the browser and a
/// pending sign-in to store in its session; [`finish`](Self::finish) checks the response, in this
/// order: the connection, the state, the redirect URI, its age, that it is the first time, the
/// issuer (RFC 9207), the code with PKCE, and the ID token with signature, issuer, audience, times,
/// nonce and tenant. The tokens are cached when the application's own check agrees:
/// [`SignInResult::commit`]. Cheap to clone; clones share their caches. See the
/// [module](crate::sign_in) for an example.
#[derive(Clone)]
pub struct SignInClient(Arc<Inner>);

struct Inner {
    name: String,
    domains: Vec<String>,
    flow: AuthorizationCodeFlow,
    validator: TokenValidator,
    tenants: Tenants,
    groups: GroupSettings,
    finished: FinishedSignIns,
    /// Whether it is one of several, so that a callback must have its redirect URI.
    is_one_of_several: AtomicBool,
}

/// Configures a [`SignInClient`].
pub type SignInClientBuilder = CredentialBuilder<SignInClient>;

#[derive(Clone, Debug)]
pub(crate) struct SignInClientSetup {
    flow: AuthorizationCodeFlowBuilder,
    name: Option<String>,
    domains: Vec<String>,
    tenants: Tenants,
    groups: GroupSettings,
    keys: SigningKeys,
    own_signing_keys: bool,
}

impl Configure for SignInClient {
    type Setup = SignInClientSetup;
}

impl CloudCredential for SignInClient {}

impl SignInClient {
    /// A builder of a client. Ids may be given as text or as ids. With `organizations` (or
    /// `common`, with personal accounts) in place of a tenant, users of many tenants can sign in;
    /// [`tenants`](SignInClientBuilder::tenants) lists which.
    pub fn builder(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
        proof: ClientAuthentication,
    ) -> SignInClientBuilder {
        CredentialBuilder::new(SignInClientSetup {
            flow: AuthorizationCodeFlow::builder(tenant, client_id, proof),
            name: None,
            domains: Vec::new(),
            tenants: Tenants::default(),
            groups: GroupSettings::default(),
            keys: SigningKeys::new(),
            own_signing_keys: false,
        })
    }

    /// The URL to redirect the browser to, and the pending sign-in to store in its session. Sends no
    /// request. The URL always has a PKCE challenge (S256).
    ///
    /// # Errors
    /// [`SignInErrorKind::Configuration`] if there is no randomness.
    pub fn start(&self, options: &StartOptions) -> Result<(Url, PendingSignIn), SignInError> {
        let (url, mut flow) = self.0.flow.start(options).map_err(flow_error)?;
        flow.set_connection(&self.0.name);
        Ok((url, flow))
    }

    /// Finishes a sign-in with the response that the browser brought: the callback's URL, query or form.
    ///
    /// A client that was added to [`Connections`](super::Connections) requires a callback with the path
    /// or URL at which it arrived, see [`Callback`]: otherwise the provider of one connection could
    /// receive a code of another connection's users. So does a client at a provider other than Entra,
    /// unless the response names its issuer. An application that manages several clients itself needs the
    /// same.
    ///
    /// A pending sign-in can be finished once, also if that fails: this client rejects a second attempt.
    /// Replicas do not share that knowledge, so remove it from the browser's session before the call.
    ///
    /// # Errors
    /// Every kind but `FlowMissing` and those of a group check; of them
    /// [`OtherConnection`](SignInErrorKind::OtherConnection) for a callback at another connection's
    /// redirect URI, [`IssuerMismatch`](SignInErrorKind::IssuerMismatch) for one that names another
    /// issuer, or none although the metadata requires it (RFC 9207): in both cases the code is not
    /// sent. Nothing is cached before [`SignInResult::commit`].
    pub async fn finish<'a>(
        &self,
        flow: PendingSignIn,
        callback: impl Into<Callback<'a>>,
    ) -> Result<SignInResult, SignInError> {
        let now = Moment::now(self.0.flow.application().clock());
        if !self.has_started(&flow) {
            return Err(SignInError::new(SignInErrorKind::OtherConnection));
        }
        let needs_redirect_uri = self.0.is_one_of_several.load(Ordering::Relaxed);
        let response = callback::read(callback.into(), &flow, now.wall(), needs_redirect_uri)
            .map_err(mismatch_error)?;
        if !self.0.finished.claim(flow.id(), now.monotonic()) {
            return Err(SignInError::new(SignInErrorKind::Replayed));
        }
        self.check_issuer(&response, &flow).await?;
        let code = response.outcome.map_err(flow_error)?;
        let redeemed = self.0.flow.redeem(&flow, &code).await.map_err(flow_error)?;
        let identity = self.identity(&redeemed, &flow).await?;
        if response
            .issuer
            .is_some_and(|issuer| issuer != identity.issuer)
        {
            return Err(SignInError::new(SignInErrorKind::IssuerMismatch));
        }
        let credential = self
            .0
            .flow
            .stage(redeemed, &flow)
            .await
            .map_err(flow_error)?;
        Ok(SignInResult::new(
            identity,
            credential,
            response.session_state,
        ))
    }

    /// Checks that the response is from this connection's service before the code is sent, as it could be
    /// another service's (RFC 9207, RFC 9700 4.4).
    async fn check_issuer(
        &self,
        response: &AuthorizationResponse,
        flow: &PendingSignIn,
    ) -> Result<(), SignInError> {
        let cloud = &self.0.flow.application().settings.cloud;
        if let Some(named) = &response.issuer {
            return match issuer::fits(named, cloud, flow.tenant()) {
                true => Ok(()),
                false => Err(SignInError::new(SignInErrorKind::IssuerMismatch)),
            };
        }
        let has_issuer_parameter = match cloud.names_issuer_in_responses() {
            true => Ok(true),
            false => self.0.validator.has_issuer_parameter().await,
        };
        match has_issuer_parameter {
            Ok(false) if response.is_of_unknown_origin(cloud) => Err(mismatch_error(
                callback::CallbackMismatch::MissingRedirectUri,
            )),
            Ok(false) => Ok(()),
            Ok(true) => Err(mismatch_error(callback::CallbackMismatch::MissingIssuer)),
            // The error in the response ends the sign-in in any case, and is more specific.
            Err(_) if response.outcome.is_err() => Ok(()),
            Err(error) => Err(SignInError::invalid(
                kind_of::token_validation(&error),
                error,
                None,
            )),
        }
    }

    /// The name of the connection: `{tenant}_{client id}` unless set.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The tenant of the connection.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.0.flow.application().tenant
    }

    /// The cloud that users sign in at, such as for a Graph client with the user's tokens.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.0.flow.application().settings.cloud
    }

    /// The client id of the application.
    #[must_use]
    pub fn client_id(&self) -> ClientId {
        self.0.flow.application().client
    }

    /// The e-mail domains of the connection's users.
    #[must_use]
    pub fn domains(&self) -> &[String] {
        &self.0.domains
    }

    /// The redirect URI.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        self.0.flow.redirect_uri()
    }

    /// Whether this connection started the pending sign-in.
    #[must_use]
    pub fn has_started(&self, flow: &PendingSignIn) -> bool {
        flow.connection() == Some(self.name()) && flow.is_of(self.0.flow.application())
    }

    /// A pending sign-in of this connection, from its short form.
    #[cfg(feature = "axum")]
    pub(crate) fn restore(&self, short: ShortPendingSignIn) -> Option<PendingSignIn> {
        let application = self.0.flow.application();
        PendingSignIn::whole(short, application, self.redirect_uri(), &self.0.name)
    }

    /// Whether ID tokens of this connection can have this issuer. Sends no request.
    #[cfg(feature = "axum")]
    pub(crate) fn may_have_issuer(&self, issuer: &str) -> bool {
        let application = self.0.flow.application();
        issuer::fits(issuer, &application.settings.cloud, &application.tenant)
    }

    /// The authority of the connection, in a canonical spelling.
    pub(crate) fn authority(&self) -> String {
        self.0.flow.application().authority()
    }

    /// Whether the tokens of both connections are in the same cache.
    #[cfg(feature = "axum")]
    pub(crate) fn shares_cache_with(&self, other: &Self) -> bool {
        let cache = |client: &Self| client.0.flow.application().settings.cache.clone();
        cache(self).is_same(&cache(other))
    }

    /// Requires callbacks to have their redirect URI from now on.
    pub(super) fn mark_as_one_of_several(&self) {
        self.0.is_one_of_several.store(true, Ordering::Relaxed);
    }

    /// The tokens of a user who signed in here, or at another replica or before a restart with a cache on
    /// the same store. `None` if the user has signed out or never signed in, or if the connection does not
    /// admit the user's tenant any more.
    ///
    /// # Errors
    /// [`ErrorKind::Service`](crate::ErrorKind::Service) if the store cannot be read and the tokens are not in
    /// memory. It does not mean that the user has to sign in again.
    pub async fn resume(&self, account: &Account) -> Result<Option<UserCredential>, Error> {
        // Another provider's account may have no tenant but the name that the connection has. A GUID is
        // always asked for: the tenant of a connection may be admitted no longer.
        let is_own_name = account.tenant.guid().is_none() && account.tenant == *self.tenant();
        if !is_own_name && !self.admits_tenant(&account.tenant) {
            return Ok(None);
        }
        self.0.flow.resume(account).await
    }

    /// Removes the tokens of a user who signs out, from the cache and its store. Returns whether there
    /// were any. Entra's own session stays active: [`sign_out_url`](Self::sign_out_url) ends it.
    ///
    /// # Errors
    /// If the store could not be written. The tokens are removed from this process's cache all the same.
    pub async fn sign_out(&self, account: &Account) -> Result<bool, StoreError> {
        self.0.flow.sign_out(account).await
    }

    pub(super) fn flow(&self) -> &AuthorizationCodeFlow {
        &self.0.flow
    }

    pub(super) fn validator(&self) -> &TokenValidator {
        &self.0.validator
    }

    pub(super) fn tenants(&self) -> &Tenants {
        &self.0.tenants
    }

    pub(super) fn groups(&self) -> GroupSettings {
        self.0.groups
    }

    pub(super) fn finished(&self) -> &FinishedSignIns {
        &self.0.finished
    }
}

impl fmt::Debug for SignInClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInClient")
            .field("name", &self.0.name)
            .field("domains", &self.0.domains)
            .field("flow", &self.0.flow)
            .field("tenants", &self.0.tenants)
            .finish_non_exhaustive()
    }
}

impl SignInClientBuilder {
    /// The redirect URI, exactly as it is registered.
    pub fn redirect_uri(mut self, redirect_uri: impl Into<String>) -> Self {
        self.setup.flow = self.setup.flow.redirect_uri(redirect_uri);
        self
    }

    /// The scopes to request at every sign-in. The OpenID Connect scopes are added, except for `email`.
    pub fn scopes<I>(mut self, scopes: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.setup.flow = self.setup.flow.scopes(scopes);
        self
    }

    /// The name of the connection, such as that of a customer; see [`Connections`](super::Connections).
    /// The name is a part of paths: it has no slash, backslash or control character, is neither `.`
    /// nor `..`, and has at most 128 characters.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.setup.name = Some(name.into());
        self
    }

    /// The e-mail domains of the connection's users.
    pub fn domains<I>(mut self, domains: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.setup.domains = domains
            .into_iter()
            .map(|domain| normalize_domain(&domain.into()))
            .collect();
        self
    }

    /// The admitted tenants, by GUID; sign-ins to other tenants are rejected.
    ///
    /// Another provider than Entra can write any tenant into its tokens: for such a provider, list the
    /// tenant here or set it as the connection's tenant.
    pub fn tenants<I>(mut self, tenants: I) -> Self
    where
        I: IntoIterator,
        I::Item: IntoId<Guid>,
    {
        self.setup.tenants.list(tenants);
        self
    }

    /// Decides for each sign-in whether its tenant is admitted, such as by a list that changes while the
    /// program runs. The tenants of [`tenants`](Self::tenants) are admitted in any case.
    pub fn tenant_decision(
        mut self,
        decision: impl Fn(&TenantId) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.setup.tenants.decide(decision);
        self
    }

    /// Admits users of every tenant, for a connection with an alias such as `organizations`. Anyone can
    /// create a tenant: decide by `tid` what its users may access.
    pub fn any_tenant(mut self) -> Self {
        self.setup.tenants.allow_any();
        self
    }

    /// What the registration makes Entra write into the `groups` claim;
    /// [`Hint`](GroupsClaim::Hint) unless set, so that the directory decides about membership.
    pub const fn groups_claim(mut self, claim: GroupsClaim) -> Self {
        self.setup.groups.claim = claim;
        self
    }

    /// The registration emits groups as roles (`emit_as_roles`): the claim `roles` then holds
    /// groups, read as set by [`groups_claim`](Self::groups_claim), and the user has no app role.
    /// Without this setting a group with the name of a role would count as that role.
    pub const fn groups_as_roles(mut self) -> Self {
        self.setup.groups.as_roles = true;
        self
    }

    /// Validates ID tokens with the application's own signing keys. An application with mapped
    /// claims or a custom signing key has its own keys: they are listed only at its own metadata
    /// (`?appid={client id}`), and without this setting every sign-in fails because the key is
    /// unknown. See Microsoft's page on [signing
    /// keys](https://learn.microsoft.com/entra/identity-platform/signing-key-rollover).
    pub const fn own_signing_keys(mut self) -> Self {
        self.setup.own_signing_keys = true;
        self
    }

    /// Signing keys to share with other connections and validators; not shared unless set.
    pub fn keys(mut self, keys: &SigningKeys) -> Self {
        self.setup.keys = keys.clone();
        self
    }

    /// Builds the client. Sends no request.
    ///
    /// # Errors
    /// [`SignInErrorKind::Configuration`] for an invalid id, name or domain, an empty secret, a
    /// redirect URI that cannot be registered at Entra, and an alias in place of a tenant without a
    /// setting of which tenants are admitted.
    pub fn build(self) -> Result<SignInClient, SignInError> {
        let (setup, mut options) = (self.setup, self.options);
        // One pool of connections for tokens and for keys.
        let settings = options.clone().settings().map_err(flow_error)?;
        let transport = settings.transport().map_err(flow_error)?;
        options.set_transport(Arc::clone(&transport));
        let flow = setup.flow.options(&options).build().map_err(flow_error)?;
        let application = flow.application();
        setup.tenants.check(&application.tenant)?;
        let validator = TokenValidator::id_tokens(application.tenant.clone(), application.client)
            .cloud(application.settings.cloud.clone())
            .clock(Arc::clone(&application.settings.clock))
            .random(Arc::clone(&application.settings.random))
            .retry_policy(application.settings.retry_policy.clone())
            .transport(transport)
            .keys(&setup.keys)
            // The connection itself decides which tenants are admitted.
            .any_tenant();
        let validator = match setup.own_signing_keys {
            true => validator.own_signing_keys(application.client),
            false => validator,
        };
        let validator = match setup.groups.as_roles {
            true => validator.groups_as_roles(),
            false => validator,
        };
        let validator = validator.build().map_err(flow_error)?;
        let name = setup
            .name
            .unwrap_or_else(|| format!("{}_{}", application.tenant, application.client));
        if !is_name(&name) {
            return Err(SignInError::configuration(
                "the name of a connection is empty, longer than 128 characters, `.` or `..`, or has a slash, backslash or control character",
            ));
        }
        if setup.domains.iter().any(String::is_empty) {
            return Err(SignInError::configuration(
                "a domain of a connection is empty",
            ));
        }
        Ok(SignInClient(Arc::new(Inner {
            name,
            domains: setup.domains,
            flow,
            validator,
            tenants: setup.tenants,
            groups: setup.groups,
            finished: FinishedSignIns::default(),
            is_one_of_several: AtomicBool::new(false),
        })))
    }
}

/// An error of the sign-in service or of this crate, as a kind of sign-in error.
pub(super) fn flow_error(error: Error) -> SignInError {
    SignInError::of(kind_of::flow_error(&error), error)
}

pub(super) fn mismatch_error(mismatch: callback::CallbackMismatch) -> SignInError {
    SignInError::with_detail(kind_of::callback_mismatch(mismatch), mismatch.cause())
}

/// Whether a name is safe in a path, also behind proxies that decode it.
fn is_name(name: &str) -> bool {
    let breaks = |char: char| matches!(char, '/' | '\\') || char.is_control();
    !matches!(name, "" | "." | "..")
        && name.chars().count() <= MAX_NAME_CHARS
        && !name.contains(breaks)
}

/// A domain in its canonical spelling.
pub(super) fn normalize_domain(domain: &str) -> String {
    let domain = domain.trim().trim_start_matches('@').trim_end_matches('.');
    match Host::parse(domain) {
        Ok(host) => host.to_string(),
        Err(_) => domain.to_ascii_lowercase(),
    }
}

/// Entra accepts redirect URIs of at most 256 characters.
const MAX_NAME_CHARS: usize = 128;
