mod browser;
mod listener;
mod page;

use std::{fmt, io, sync::Arc, time::Duration};

use async_trait::async_trait;
use entra_core::{
    AccessToken, ClientId, CredentialError, IntoId, TenantId, TokenCredential, TokenRequest,
    url::Url,
};

use self::listener::Listener;
use super::{
    account::Account,
    authorization_code::{AuthorizationCodeFlow, Prompt, ResponseMode, StartOptions},
    callback::Callback,
    proof::ClientAuthentication,
    signed_in_user::{RemembersAccount, SignedInUser},
    user_credential::UserCredential,
};
use crate::{
    Error, ErrorKind,
    application_ids::ApplicationIds,
    builder::{CloudCredential, Configure, CredentialBuilder},
};

/// Signs a user in with the browser of this machine, for desktop and command-line tools.
///
/// When a token is first requested, the browser opens, and its response is awaited on a loopback port;
/// later tokens come silently. The registration needs the address `http://localhost` under mobile
/// and desktop applications. Dropping the future ends the waiting. Cheap to clone; clones share the
/// user.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::user::InteractiveBrowserCredential;
/// use entra_core::{TokenCredential, TokenRequest};
/// # let tenant = std::sync::Arc::new(entra_mock::FakeTenant::start().await);
/// # let app = tenant.register_app("Tool").public_redirect_uri("http://localhost").public_client();
/// # let (tenant_id, client_id) = (tenant.id(), app.client_id());
/// # let browser = tenant.clone();
/// let credential = InteractiveBrowserCredential::builder(tenant_id, client_id)
/// #   .clock(tenant.clock())
/// #   .browser(move |url| {
/// #       let back = browser.sign_in_at(url.as_str(), "adele@contoso.com");
/// #       std::thread::spawn(move || {
/// #           use std::io::{Read, Write};
/// #           let url = entra_core::url::Url::parse(back.address()).unwrap();
/// #           let mut stream = std::net::TcpStream::connect(("127.0.0.1", url.port().unwrap())).unwrap();
/// #           let body = back.query();
/// #           write!(stream, "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
/// #           stream.read_to_string(&mut String::new()).unwrap();
/// #       });
/// #       Ok(())
/// #   })
///     .cloud(tenant.cloud())
///     .build()?;
/// let token = credential.token(&TokenRequest::new(["User.Read"])).await?;
/// # use entra_core::Clock;
/// # assert!(token.expires_on() > tenant.clock().now());
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct InteractiveBrowserCredential(Arc<Inner>);

struct Inner {
    flow: AuthorizationCodeFlow,
    browser: Browser,
    timeout: Duration,
    options: StartOptions,
    signed_in: SignedInUser,
}

type Browser = Arc<dyn Fn(&Url) -> io::Result<()> + Send + Sync>;

/// Configures an [`InteractiveBrowserCredential`].
pub type InteractiveBrowserCredentialBuilder = CredentialBuilder<InteractiveBrowserCredential>;

#[derive(Clone)]
pub(crate) struct InteractiveBrowserSetup {
    identity: ApplicationIds,
    browser: Browser,
    timeout: Duration,
    start_options: StartOptions,
    expected: Option<Account>,
}

impl Configure for InteractiveBrowserCredential {
    type Setup = InteractiveBrowserSetup;
}

impl CloudCredential for InteractiveBrowserCredential {}

impl RemembersAccount for InteractiveBrowserCredential {
    fn expected(setup: &mut InteractiveBrowserSetup) -> &mut Option<Account> {
        &mut setup.expected
    }
}

impl InteractiveBrowserCredential {
    /// Returns a builder. Ids may be given as text or as ids; an alias such as `organizations`
    /// may stand in the tenant's place.
    pub fn builder(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
    ) -> InteractiveBrowserCredentialBuilder {
        CredentialBuilder::new(InteractiveBrowserSetup {
            identity: ApplicationIds::new(tenant, client_id),
            browser: Arc::new(browser::open),
            timeout: TIMEOUT,
            start_options: StartOptions {
                response_mode: ResponseMode::FormPost,
                ..StartOptions::default()
            },
            expected: None,
        })
    }

    /// Signs a user in now, in place of the user who was signed in before.
    ///
    /// # Errors
    /// [`ErrorKind::InteractionRequired`] when the user did not sign in in time,
    /// [`ErrorKind::Unavailable`] when no browser opens or no port can be had, and whatever the
    /// service rejects.
    pub async fn sign_in<I>(&self, scopes: I) -> Result<UserCredential, Error>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let scopes: Vec<String> = scopes.into_iter().map(Into::into).collect();
        let user = self.0.run(&scopes, None).await?;
        self.0.signed_in.set(Some(user.clone()));
        Ok(user)
    }

    /// Returns the account that has signed in.
    #[must_use]
    pub fn account(&self) -> Option<Account> {
        self.0.signed_in.account()
    }
}

#[async_trait]
impl TokenCredential for InteractiveBrowserCredential {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        let inner = &self.0;
        let sign_in = || inner.run(&request.scopes, request.claims.as_deref());
        inner.signed_in.token(request, sign_in).await
    }
}

impl fmt::Debug for InteractiveBrowserCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InteractiveBrowserCredential")
            .field("application", self.0.flow.application())
            .field("account", &self.account())
            .finish_non_exhaustive()
    }
}

impl InteractiveBrowserCredentialBuilder {
    /// Opens the URL. The default is the desktop's own browser. It must not block.
    pub fn browser(
        mut self,
        open: impl Fn(&Url) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.setup.browser = Arc::new(open);
        self
    }

    /// How long to wait for the user, in real time. The default is five minutes.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.setup.timeout = timeout;
        self
    }

    /// Takes the response from the address in place of a form; it then is in the browser's history.
    pub const fn response_in_query(mut self) -> Self {
        self.setup.start_options.response_mode = ResponseMode::Query;
        self
    }

    /// What the user is asked.
    pub const fn prompt(mut self, prompt: Prompt) -> Self {
        self.setup.start_options.prompt = Some(prompt);
        self
    }

    /// Who is expected to sign in, by user name.
    pub fn login_hint(mut self, username: impl Into<String>) -> Self {
        self.setup.start_options.login_hint = Some(username.into());
        self
    }

    /// Builds the credential. It opens nothing before the first token is requested.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for an invalid id.
    pub fn build(self) -> Result<InteractiveBrowserCredential, Error> {
        let setup = self.setup;
        let (tenant, client) = setup.identity.of_user_application()?;
        let mut options = setup.start_options;
        let hint = || setup.expected.as_ref()?.username.clone();
        options.login_hint = options.login_hint.or_else(hint);
        let flow = AuthorizationCodeFlow::builder(tenant, client, ClientAuthentication::public())
            .redirect_uri("http://localhost")
            .options(&self.options)
            .build()?;
        Ok(InteractiveBrowserCredential(Arc::new(Inner {
            signed_in: SignedInUser::expecting(flow.application(), setup.expected),
            flow,
            browser: setup.browser,
            timeout: setup.timeout,
            options,
        })))
    }
}

impl fmt::Debug for InteractiveBrowserSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InteractiveBrowserSetup")
            .field("identity", &self.identity)
            .field("timeout", &self.timeout)
            .field("start_options", &self.start_options)
            .finish_non_exhaustive()
    }
}

impl Inner {
    async fn run(&self, scopes: &[String], claims: Option<&str>) -> Result<UserCredential, Error> {
        let mut listener = Listener::start().await.map_err(|source| {
            Error::unavailable(
                "no loopback port for the browser's response",
                "check that the process may listen on 127.0.0.1, or use the device code",
            )
            .with_source(source)
        })?;
        let mut options = self.options.clone();
        options.scopes = scopes.to_vec();
        options.claims = claims.map(str::to_owned);
        let address = listener.address();
        let (url, state) = self.flow.start_at(&address, &options)?;
        (self.browser)(&url).map_err(|source| {
            Error::unavailable(
                "no browser could be opened",
                "set `browser` to what opens an address here, or use the device code",
            )
            .with_source(source)
        })?;
        let id = state.id().to_owned();
        let callback = tokio::time::timeout(self.timeout, listener.callback_for(&id)).await;
        let Ok(Some(callback)) = callback else {
            return Err(Error::new(
                ErrorKind::InteractionRequired,
                "the user did not sign in in the browser in time",
            )
            .with(|inner| {
                inner.fix = Some(
                    "request the token again and complete the sign-in in the browser that opens"
                        .into(),
                );
            }));
        };
        // It is known to have come to this address, which a provider without `iss` requires.
        let came = Callback::form(&address, &callback.parameters);
        let outcome = self.flow.finish(state, came).await;
        callback.show(match &outcome {
            Ok(_) => page::success(),
            Err(error) => page::failure(error),
        });
        outcome
    }
}

/// A user may have to look for a telephone.
const TIMEOUT: Duration = Duration::from_secs(300);
