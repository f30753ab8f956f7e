use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use entra_core::{
    ClientId, Guid, IntoId, TenantId,
    url::{Host, Url},
};

use super::{
    error::SignInError,
    groups::{GroupSettings, GroupsClaim},
    kind::SignInErrorKind,
    kind_of,
    replay::Finished,
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

/// One connection for people to sign in: a tenant, an application and its proof.
///
/// Building one sends nothing. [`start`](Self::start) gives the address for the browser and a state
/// to keep in its session; [`finish`](Self::finish) checks what comes back, in this order: the
/// connection, the state, the address it came to, its age, that it is the first time, who responds
/// (RFC 9207), the code with PKCE, and the ID token with signature, issuer, audience, times, nonce
/// and tenant. The tokens are kept when the application's own check has agreed:
/// [`SignInResult::commit`]. Cheap to clone; clones share what they keep. See the
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
    finished: Finished,
    /// Whether it is one of several, so that a callback must say where it came to.
    among_others: AtomicBool,
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
    /// Settings to change. Ids may be given as text or as ids. In the tenant's place `organizations`
    /// (or `common`, with personal accounts) lets people of many tenants in; then
    /// [`tenants`](SignInClientBuilder::tenants) says of which.
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

    /// The address to send the browser to, and what to keep in its session until it comes back.
    /// Sends nothing. The address always asks for PKCE with S256.
    ///
    /// # Errors
    /// [`SignInErrorKind::Configuration`] when there is no randomness.
    pub fn start(&self, options: &StartOptions) -> Result<(Url, PendingSignIn), SignInError> {
        let (url, mut flow) = self.0.flow.start(options).map_err(refused)?;
        flow.set_connection(&self.0.name);
        Ok((url, flow))
    }

    /// Who has signed in, from what the browser has brought back: the callback's address, query or
    /// form.
    ///
    /// A client that was added to [`Connections`](super::Connections) takes a callback with the path
    /// or address that it came to only, see [`Callback`]: otherwise a provider that one connection
    /// trusts could get a code of another one's users. The same goes for a product that keeps
    /// several clients in a way of its own.
    ///
    /// The flow is used up, whatever comes of it: this client refuses to finish it again. Replicas
    /// know nothing of each other, so take the flow out of the browser's session before the call.
    ///
    /// # Errors
    /// Every kind but `FlowMissing` and those of a group check; of them
    /// [`OtherConnection`](SignInErrorKind::OtherConnection) for a callback at another connection's
    /// address, [`IssuerMismatch`](SignInErrorKind::IssuerMismatch) for one that names another issuer,
    /// or none although the service promises to (RFC 9207): in both cases the code goes nowhere.
    /// Nothing is kept before [`SignInResult::commit`], whatever comes of it.
    pub async fn finish<'a>(
        &self,
        flow: PendingSignIn,
        callback: impl Into<Callback<'a>>,
    ) -> Result<SignInResult, SignInError> {
        let now = Moment::now(self.0.flow.application().clock());
        if !self.has_started(&flow) {
            return Err(SignInError::new(SignInErrorKind::OtherConnection));
        }
        let needs_address = self.0.among_others.load(Ordering::Relaxed);
        let answer =
            callback::read(callback.into(), &flow, now.wall(), needs_address).map_err(not_ours)?;
        if !self.0.finished.claim(flow.id(), now.monotonic()) {
            return Err(SignInError::new(SignInErrorKind::Replayed));
        }
        self.check_issuer(&answer, &flow).await?;
        let code = answer.outcome.map_err(refused)?;
        let redeemed = self.0.flow.redeem(&flow, &code).await.map_err(refused)?;
        let identity = self.identity(&redeemed, &flow).await?;
        if answer
            .issuer
            .is_some_and(|issuer| issuer != identity.issuer)
        {
            return Err(SignInError::new(SignInErrorKind::IssuerMismatch));
        }
        let credential = self.0.flow.stage(redeemed, &flow).await.map_err(refused)?;
        Ok(SignInResult::new(
            identity,
            credential,
            answer.session_state,
        ))
    }

    /// Whether the service that responds is this connection's: before the code goes anywhere, as it
    /// could be another service's (RFC 9207, RFC 9700 4.4).
    async fn check_issuer(
        &self,
        answer: &AuthorizationResponse,
        flow: &PendingSignIn,
    ) -> Result<(), SignInError> {
        let cloud = &self.0.flow.application().settings.cloud;
        if let Some(named) = &answer.issuer {
            return match issuer::fits(named, cloud, flow.tenant()) {
                true => Ok(()),
                false => Err(SignInError::new(SignInErrorKind::IssuerMismatch)),
            };
        }
        let promised = match cloud.names_issuer_in_responses() {
            true => Ok(true),
            false => self.0.validator.promises_issuer().await,
        };
        match promised {
            Ok(false) => Ok(()),
            Ok(true) => Err(not_ours(callback::CallbackMismatch::NoIssuer)),
            // An error ends the sign-in in any case, and says more than that.
            Err(_) if answer.outcome.is_err() => Ok(()),
            Err(error) => Err(SignInError::invalid(kind_of::invalid(&error), error)),
        }
    }

    /// What it is called: the name that it was given, or else `{tenant}_{client id}`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The tenant that it was built for.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.0.flow.application().tenant
    }

    /// The application.
    #[must_use]
    pub fn client_id(&self) -> ClientId {
        self.0.flow.application().client
    }

    /// The domains whose people sign in here.
    #[must_use]
    pub fn domains(&self) -> &[String] {
        &self.0.domains
    }

    /// The address that browsers come back to.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        self.0.flow.redirect_uri()
    }

    /// Whether this connection started the flow.
    #[must_use]
    pub fn has_started(&self, flow: &PendingSignIn) -> bool {
        flow.connection() == Some(self.name()) && flow.is_of(self.0.flow.application())
    }

    /// A pending sign-in that it started, from its short form.
    #[cfg(feature = "axum")]
    pub(crate) fn restore(&self, short: ShortPendingSignIn) -> Option<PendingSignIn> {
        let application = self.0.flow.application();
        PendingSignIn::whole(short, application, self.redirect_uri(), &self.0.name)
    }

    /// Whether its users can have this issuer; sends no request.
    #[cfg(feature = "axum")]
    pub(crate) fn may_have_issuer(&self, issuer: &str) -> bool {
        let application = self.0.flow.application();
        issuer::fits(issuer, &application.settings.cloud, &application.tenant)
    }

    /// The sign-in service that it signs users in at, under one spelling.
    pub(crate) fn authority(&self) -> String {
        self.0.flow.application().authority()
    }

    /// From now on a callback must say where it came to.
    pub(super) fn put_among_others(&self) {
        self.0.among_others.store(true, Ordering::Relaxed);
    }

    /// The tokens of somebody who has signed in here, or at another replica or before a restart
    /// with a cache on the same store; none if the person has signed out or never was here.
    pub async fn resume(&self, account: &Account) -> Option<UserCredential> {
        self.0.flow.resume(account).await
    }

    /// Forgets somebody who signs out, here, in the cache and in its store; whether there was
    /// anybody to forget here. Entra's own session goes on:
    /// [`sign_out_url`](Self::sign_out_url) ends that.
    ///
    /// # Errors
    /// When the store could not be written; the person is forgotten here all the same.
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

    pub(super) fn finished(&self) -> &Finished {
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
    /// Where the browser comes back to, exactly as it is registered.
    pub fn redirect_uri(mut self, redirect_uri: impl Into<String>) -> Self {
        self.setup.flow = self.setup.flow.redirect_uri(redirect_uri);
        self
    }

    /// What to ask for at every sign-in; the words that say who the person is are added, except for
    /// `email`.
    pub fn scopes<I>(mut self, scopes: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.setup.flow = self.setup.flow.scopes(scopes);
        self
    }

    /// What to call the connection, such as by the customer; see [`Connections`](super::Connections).
    /// The name is a part of paths: it has no slash, backslash or control character, is neither `.`
    /// nor `..`, and has at most 128 characters.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.setup.name = Some(name.into());
        self
    }

    /// The domains of the e-mail addresses of people who sign in here.
    pub fn domains<I>(mut self, domains: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.setup.domains = domains
            .into_iter()
            .map(|domain| plain_domain(&domain.into()))
            .collect();
        self
    }

    /// The tenants that people may sign in to, by GUID; others are refused after the sign-in.
    ///
    /// Another provider than Entra writes into its tokens whatever tenant it likes: there, name it
    /// here or as the connection's tenant.
    pub fn tenants<I>(mut self, tenants: I) -> Self
    where
        I: IntoIterator,
        I::Item: IntoId<Guid>,
    {
        self.setup.tenants.list(tenants);
        self
    }

    /// Decides for each sign-in whether people of its tenant may enter, such as by a list that
    /// changes while the program runs. What [`tenants`](Self::tenants) lists enters anyway.
    pub fn tenant_decision(
        mut self,
        decision: impl Fn(&TenantId) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.setup.tenants.decide(decision);
        self
    }

    /// Lets people of every tenant in, which must be said where the tenant is an alias such as
    /// `organizations`. Anybody can have a tenant: decide by `tid` what they may see.
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

    /// The registration emits groups as roles (`emit_as_roles`): the claim `roles` then holds groups,
    /// read as [`groups_claim`](Self::groups_claim) says, and the user has no app role. Without this
    /// setting a group that bears the name of a role would pass as that role.
    pub const fn groups_as_roles(mut self) -> Self {
        self.setup.groups.as_roles = true;
        self
    }

    /// Validates ID tokens with signing keys of the application's own. An application whose claims
    /// are mapped, or that has a custom signing key, has them: they are listed only at its own
    /// metadata (`?appid={client id}`), and without this setting every sign-in fails because the key
    /// is unknown. See Microsoft's page on
    /// [signing keys](https://learn.microsoft.com/entra/identity-platform/signing-key-rollover).
    pub const fn own_signing_keys(mut self) -> Self {
        self.setup.own_signing_keys = true;
        self
    }

    /// Signing keys to share with other connections and validators; keys of its own unless set.
    pub fn keys(mut self, keys: &SigningKeys) -> Self {
        self.setup.keys = keys.clone();
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`SignInErrorKind::Configuration`] for an invalid id, name or domain, an empty secret, a
    /// redirect URI that Entra cannot have registered, and a tenant's alias without a word on which
    /// tenants may enter.
    pub fn build(self) -> Result<SignInClient, SignInError> {
        let (setup, mut options) = (self.setup, self.options);
        // One pool of connections for tokens and for keys.
        let settings = options.clone().settings().map_err(refused)?;
        let transport = settings.transport().map_err(refused)?;
        options.set_transport(Arc::clone(&transport));
        let flow = setup.flow.options(&options).build().map_err(refused)?;
        let application = flow.application();
        setup.tenants.check(&application.tenant)?;
        let validator = TokenValidator::id_tokens(application.tenant.clone(), application.client)
            .cloud(application.settings.cloud.clone())
            .clock(Arc::clone(&application.settings.clock))
            .random(Arc::clone(&application.settings.random))
            .retry_policy(application.settings.retry_policy.clone())
            .transport(transport)
            .keys(&setup.keys)
            // Which of them may enter is decided beyond the list that a validator has.
            .any_tenant();
        let validator = match setup.own_signing_keys {
            true => validator.own_signing_keys(application.client),
            false => validator,
        };
        let validator = validator.build().map_err(refused)?;
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
            finished: Finished::default(),
            among_others: AtomicBool::new(false),
        })))
    }
}

/// What the service or this crate said, as the kind that people care about.
pub(super) fn refused(error: Error) -> SignInError {
    SignInError::of(kind_of::refusal(&error), error)
}

pub(super) fn not_ours(foreign: callback::CallbackMismatch) -> SignInError {
    SignInError::because(kind_of::foreign(foreign), foreign.cause())
}

/// Whether a name can stand in a path whatever proxies do to it.
fn is_name(name: &str) -> bool {
    let breaks = |char: char| matches!(char, '/' | '\\') || char.is_control();
    !matches!(name, "" | "." | "..")
        && name.chars().count() <= LONGEST_NAME
        && !name.contains(breaks)
}

/// A domain in the one spelling that it is looked up by.
pub(super) fn plain_domain(domain: &str) -> String {
    let domain = domain.trim().trim_start_matches('@').trim_end_matches('.');
    match Host::parse(domain) {
        Ok(host) => host.to_string(),
        Err(_) => domain.to_ascii_lowercase(),
    }
}

/// Entra takes redirect URIs of at most 256 characters.
const LONGEST_NAME: usize = 128;
