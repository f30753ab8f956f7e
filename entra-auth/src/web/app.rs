use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::extract::State;
use entra_core::{
    Clock, ObjectId, SecureRandom, SystemClock, SystemRandom, TenantId, url::form_urlencoded,
};

use super::{
    authorize::{self, Authorize, DynAuthorize},
    cookies::Cookies,
    memory::Memory,
    pages::{PageWriter, SignInPages},
    redemption::Redemptions,
    route_urls::{RouteUrls, segment},
    session::{Limits, Session, Sessions},
};
use crate::{
    Error,
    sign_in::{Connections, ReturnPath},
    store::{EncryptedStore, EncryptionKey, GuardedStore, Seal, StoreError},
    user::{ResponseMode, StartOptions, UserCredential},
};

/// Sign-in for an axum application: the routes, the sessions and the application's check.
///
/// Cheap to clone; clones share the sessions. See the [module](crate::web) for an example.
#[derive(Clone)]
pub struct WebSignIn(pub(super) Arc<Site>);

/// The state of each handler.
pub(super) type SiteState = State<Arc<Site>>;

pub(super) struct Site {
    pub(super) urls: RouteUrls,
    pub(super) connections: Connections,
    pub(super) authorize: Arc<dyn DynAuthorize>,
    pub(super) cookies: Cookies,
    pub(super) sessions: Sessions,
    pub(super) redemptions: Redemptions,
    pub(super) pages: PageWriter,
    pub(super) options: StartOptions,
    pub(super) front_page: ReturnPath,
    pub(super) after_sign_out: Option<ReturnPath>,
}

/// Settings of a [`WebSignIn`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct WebSignInBuilder {
    urls: RouteUrls,
    connections: Connections,
    authorize: Arc<dyn DynAuthorize>,
    options: StartOptions,
    store: Option<Arc<dyn EncryptedStore>>,
    keys: Vec<EncryptionKey>,
    limits: Limits,
    front_page: ReturnPath,
    after_sign_out: Option<ReturnPath>,
    pages: SignInPages,
    clock: Arc<dyn Clock>,
    random: Arc<dyn SecureRandom>,
}

impl WebSignIn {
    /// A builder of the sign-in. Pass one [`SignInClient`](crate::SignInClient), or [`Connections`]
    /// to choose from. The redirect URI of each is [`RouteUrls::callback_of`] its name, or
    /// [`RouteUrls::callback`] if all of them have one login host.
    pub fn builder(urls: RouteUrls, connections: impl Into<Connections>) -> WebSignInBuilder {
        WebSignInBuilder {
            urls,
            connections: connections.into(),
            authorize: authorize::type_erased(authorize::AllowAll),
            options: StartOptions::default(),
            store: None,
            keys: Vec::new(),
            limits: DEFAULT_LIMITS,
            front_page: ReturnPath::root(),
            after_sign_out: None,
            pages: SignInPages::new(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        }
    }

    /// The URLs of the routes.
    #[must_use]
    pub fn urls(&self) -> &RouteUrls {
        &self.0.urls
    }

    /// The connections to choose from, which may change while the program runs. Sessions of a
    /// removed connection are invalid until it is added again, and so are those of a connection whose name
    /// now belongs to another tenant, application or service, or that no longer admits the user's tenant.
    #[must_use]
    pub fn connections(&self) -> &Connections {
        &self.0.connections
    }

    /// The path that starts a sign-in and returns to another path: with one connection, or with the only
    /// one, or with the one of the e-mail address that the user enters.
    ///
    /// ```
    /// # use entra_auth::{SignInClient, sign_in::Connections, web::{RouteUrls, WebSignIn}};
    /// # let urls = RouteUrls::at("https://app.example.com/auth")?;
    /// # let sign_in = WebSignIn::builder(urls, Connections::new()).build()?;
    /// let path = sign_in.sign_in_url(Some("acme"), &"/orders?page=2".parse()?);
    /// assert_eq!(path, "/auth/sign-in/acme?return=%2Forders%3Fpage%3D2");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn sign_in_url(&self, connection: Option<&str>, return_path: &ReturnPath) -> String {
        self.0.sign_in_path(connection, return_path, None)
    }

    /// The tokens of a session's user, such as for Graph. `None` if the user signed out or the connection
    /// was removed.
    ///
    /// # Errors
    /// If the token store cannot be read and the tokens are not in memory; see
    /// [`SignInClient::resume`](crate::SignInClient::resume).
    pub async fn tokens(&self, session: &Session) -> Result<Option<UserCredential>, Error> {
        match self.0.connection_of(session) {
            Some(client) => client.resume(session.account()).await,
            None => Ok(None),
        }
    }
}

impl WebSignIn {
    /// Ends all sessions of a user at this site, such as one whose access the application has
    /// withdrawn. The ids are [`Identity::tid`](crate::sign_in::Identity::tid) and
    /// [`Identity::oid`](crate::sign_in::Identity::oid). Tokens of the user stay in the cache:
    /// [`SignInClient::sign_out`](crate::SignInClient::sign_out) removes them.
    ///
    /// # Errors
    /// If the store cannot be written, or the tenant is not given by its GUID. The sessions stay valid
    /// then.
    pub async fn end_sessions_of(&self, tid: &TenantId, oid: ObjectId) -> Result<(), StoreError> {
        if tid.guid().is_none() {
            return Err(StoreError::configuration(
                "the tenant of the user must be given by its GUID",
            ));
        }
        self.0
            .sessions
            .end_all_of_user(&format!("{tid}/{oid}"))
            .await
    }
}

impl WebSignInBuilder {
    /// Decides which users have access, and what the application stores of them: an [`Authorize`], or a
    /// closure that takes a [`SignInContext`](super::SignInContext). By default, every user who
    /// signs in through a connection has access, and `()` is stored.
    pub fn authorize(mut self, check: impl Authorize) -> Self {
        self.authorize = authorize::type_erased(check);
        self
    }

    /// The options of every sign-in, such as `max_age`.
    ///
    /// With [`ResponseMode::FormPost`] the response is a form that the sign-in service's page posts
    /// across sites. The cookie of a pending sign-in is then `SameSite=None; Secure`, which Safari does
    /// not store on a loopback address without TLS.
    pub fn start_options(mut self, options: StartOptions) -> Self {
        self.options = options;
        self
    }

    /// Stores sessions where replicas share them or where they outlive the process, such as in
    /// `RedisStore`, instead of in memory.
    ///
    /// Sessions and the cookies of pending sign-ins are encrypted with the first key and decrypted with
    /// any of the keys, so keys can be rotated.
    pub fn store(
        mut self,
        store: impl EncryptedStore,
        keys: impl IntoIterator<Item = EncryptionKey>,
    ) -> Self {
        self.store = Some(Arc::new(store));
        self.keys = keys.into_iter().collect();
        self
    }

    /// The absolute lifetime of a session from the sign-in: 8 hours unless set.
    pub const fn session_lifetime(mut self, lifetime: Duration) -> Self {
        self.limits.lifetime = lifetime;
        self
    }

    /// After how long without a request a session expires: an hour unless set. It may expire earlier by a
    /// minute or a tenth of the limit.
    ///
    /// It is measured by the clocks of the replicas and by that of the store, whichever expires first: the
    /// store in memory and [`RedisStore`](crate::store::RedisStore) use their own clock, so a replica whose
    /// clock is ahead does not extend it. With
    /// [`FileStore`](crate::store::FileStore), or a store of your own that returns expired entries, a session without a
    /// request lives as much longer as the clock of its last one was ahead, up to the absolute lifetime.
    pub const fn idle_limit(mut self, limit: Duration) -> Self {
        self.limits.idle = limit;
        self
    }

    /// The interval after which a request checks the signed-in user again: 15 minutes unless set.
    ///
    /// The check redeems the user's refresh token, which fails for a user who was disabled, deleted or
    /// signed out of all sessions, and then calls the application's own
    /// [`authorize`](Self::authorize) with the current identity. A user without access is signed out, and so
    /// is a user without tokens: replicas that share sessions share a token cache with a store, too.
    /// While the service is unavailable, sessions stay valid for one more hour; then requests get a
    /// 503.
    pub const fn recheck_after(mut self, interval: Duration) -> Self {
        self.limits.recheck = interval;
        self
    }

    /// The home page: where users go after a sign-in without a return path, and where the pages link to.
    /// `/` unless set.
    pub fn front_page(mut self, path: ReturnPath) -> Self {
        self.front_page = path;
        self
    }

    /// Where browsers go after a sign-out, instead of the page "You are signed out".
    pub fn after_sign_out(mut self, path: ReturnPath) -> Self {
        self.after_sign_out = Some(path);
        self
    }

    /// How the pages look: product name, logo, colors and languages, or a custom renderer. See
    /// [`pages`](super::pages).
    pub fn pages(mut self, pages: SignInPages) -> Self {
        self.pages = pages;
        self
    }

    /// The clock by which sessions expire; the system clock unless set.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The source of randomness for session ids and keys; the system's unless set.
    pub fn random(mut self, random: impl SecureRandom) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// Builds the sign-in. Sends no request.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a connection with another
    /// redirect URI, a front page that is the callback, a store without a key, invalid settings of
    /// the pages, and if there is no randomness.
    pub fn build(self) -> Result<WebSignIn, Error> {
        for client in self.connections.all() {
            if !self
                .urls
                .is_callback_of(client.name(), client.redirect_uri())
            {
                return Err(Error::configuration(
                    format!(
                        "the redirect URI of the connection {} is {}, not {}",
                        client.name(),
                        client.redirect_uri(),
                        self.urls.callback_of(client.name())
                    ),
                    "give it `redirect_uri(urls.callback_of(name))`, and another name if that is the path of another route",
                ));
            }
        }
        if self.urls.is_callback_at_root()
            && self.options.response_mode == ResponseMode::Query
            && self.front_page == ReturnPath::root()
        {
            return Err(Error::configuration(
                "the callback and the front page are both at /",
                "give the `front_page` another path, or have responses posted with `ResponseMode::FormPost`",
            ));
        }
        let keys = match (&self.store, self.keys.is_empty()) {
            (Some(_), true) => {
                return Err(Error::configuration(
                    "the session store has no encryption key",
                    "give `store` the keys that all replicas share",
                ));
            }
            (None, true) => vec![self.key()?],
            (_, false) => self.keys,
        };
        let store = self
            .store
            .unwrap_or_else(|| Arc::new(Memory::new(Arc::clone(&self.clock), MAX_ENTRIES)));
        let mode = self.options.response_mode;
        let pages = self.pages.build()?;
        Ok(WebSignIn(Arc::new(Site {
            cookies: Cookies::new(&self.urls, mode, keys.clone(), Arc::clone(&self.clock)),
            pages,
            redemptions: Redemptions::new(Arc::clone(&self.clock)),
            sessions: Sessions {
                store: GuardedStore::with_default_limit(store),
                seal: Seal::new(keys),
                clock: self.clock,
                random: self.random,
                site: self.urls.site(),
                limits: self.limits,
                checking: Mutex::default(),
            },
            urls: self.urls,
            connections: self.connections,
            authorize: self.authorize,
            options: self.options,
            front_page: self.front_page,
            after_sign_out: self.after_sign_out,
        })))
    }

    /// A key of this process only.
    fn key(&self) -> Result<EncryptionKey, Error> {
        let mut key = [0; 32];
        self.random.fill(&mut key).map_err(|source| {
            Error::configuration(
                "the key of the sessions could not be generated",
                "check that the source of randomness works",
            )
            .with_source(source)
        })?;
        Ok(EncryptionKey::new(key))
    }
}

impl Site {
    /// The path that starts a sign-in and returns to another path.
    pub(super) fn sign_in_path(
        &self,
        connection: Option<&str>,
        return_path: &ReturnPath,
        prompt: Option<&str>,
    ) -> String {
        let mut path = self.urls.sign_in_path();
        if let Some(name) = connection {
            path.push('/');
            path.push_str(&segment(name));
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        if *return_path != self.front_page {
            query.append_pair("return", return_path.as_str());
        }
        if let Some(prompt) = prompt {
            query.append_pair("prompt", prompt);
        }
        let query = query.finish();
        if !query.is_empty() {
            path.push('?');
            path.push_str(&query);
        }
        path
    }
}

impl fmt::Debug for WebSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSignIn")
            .field("urls", &self.urls)
            .field("connections", &self.connections.len())
            .field("store", &self.sessions.store)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WebSignInBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSignInBuilder")
            .field("urls", &self.urls)
            .field("connections", &self.connections.len())
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

const DEFAULT_LIMITS: Limits = Limits {
    // A working day.
    lifetime: Duration::from_secs(8 * 3600),
    idle: Duration::from_secs(3600),
    recheck: Duration::from_secs(15 * 60),
};
/// A session has up to five entries; this number of entries needs about 100 MB of memory.
const MAX_ENTRIES: usize = 200_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SignInClient, user::ClientAuthentication};

    fn urls() -> RouteUrls {
        RouteUrls::at("https://app.example.com/auth").unwrap()
    }

    #[test]
    fn another_redirect_uri_and_a_store_without_a_key_are_errors_at_build() {
        let client = SignInClient::builder(
            "contoso.com",
            "22222222-2222-2222-2222-222222222222",
            ClientAuthentication::secret("canary-secret"),
        )
        .redirect_uri("https://app.example.com/elsewhere")
        .name("acme")
        .build()
        .unwrap();
        let error = WebSignIn::builder(urls(), client).build().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the redirect URI of the connection acme is https://app.example.com/elsewhere, not {}",
                urls().callback_of("acme")
            )
        );

        let root = urls().with_callback_path("/").unwrap();
        let at_root = |front: &str| {
            let builder = WebSignIn::builder(root.clone(), Connections::new());
            builder.front_page(front.parse().unwrap())
        };
        let error = at_root("/").build().unwrap_err();
        assert!(error.to_string().contains("both at /"), "{error}");
        at_root("/home").build().unwrap();
        let options = StartOptions {
            response_mode: ResponseMode::FormPost,
            ..StartOptions::default()
        };
        at_root("/").start_options(options).build().unwrap();

        let memory = Memory::new(Arc::new(SystemClock), 1);
        let builder = WebSignIn::builder(urls(), Connections::new()).store(memory, []);
        let error = builder.build().unwrap_err();
        assert!(error.to_string().contains("no encryption key"), "{error}");
    }
}
