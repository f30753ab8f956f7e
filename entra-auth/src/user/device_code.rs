use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use entra_core::{
    AccessToken, ClientId, CredentialError, Idempotency, IntoId, Secret, TenantId, Timestamp,
    TokenCredential, TokenRequest,
};
use serde::Deserialize;
use serde_json::Value;
use tracing::debug;

use super::{
    account::Account,
    client_application::{ClientApplication, ClientParameters, with_identity},
    proof::ClientAuthentication,
    signed_in_user::{RemembersAccount, SignedInUser},
    user_credential::UserCredential,
};
use crate::{
    Error, ErrorKind,
    builder::{CloudCredential, Configure, CredentialBuilder},
    form::Form,
    retry_mode::RetryMode,
    wire::{seconds, without_bom},
};

/// Signs a user in on another device (the OAuth device code grant).
///
/// When the first token is requested, the callback gets a code to show, and the credential waits
/// until the user has entered it in a browser on any device. Later tokens are requested silently.
/// Dropping the future ends the wait. Cheap to clone; clones share the user. See Microsoft's page on the
/// [grant](https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::user::DeviceCodeCredential;
/// use entra_core::{TokenCredential, TokenRequest};
/// # let tenant = std::sync::Arc::new(entra_mock::FakeTenant::start().await);
/// # let app = tenant.register_app("Tool").delegated_permission("User.Read").public_client();
/// # let (tenant_id, client_id) = (tenant.id(), app.client_id());
/// # let user = tenant.clone();
/// let credential = DeviceCodeCredential::builder(tenant_id, client_id, move |prompt| {
///     println!("{}", prompt.message);
/// #   user.approve_device_code(&prompt.user_code, "adele@contoso.com");
/// })
/// # .clock(tenant.clock())
/// .cloud(tenant.cloud())
/// .build()?;
/// let token = credential.token(&TokenRequest::new(["User.Read"])).await?;
/// # use entra_core::Clock;
/// # assert!(token.expires_on() > tenant.clock().now());
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct DeviceCodeCredential(Arc<Inner>);

struct Inner {
    application: Arc<ClientApplication>,
    show: ShowCode,
    signed_in: SignedInUser,
}

type ShowCode = Arc<dyn Fn(&DeviceCodePrompt) + Send + Sync>;

/// Configures a [`DeviceCodeCredential`].
pub type DeviceCodeCredentialBuilder = CredentialBuilder<DeviceCodeCredential>;

#[derive(Clone)]
pub(crate) struct DeviceCodeSetup {
    client: ClientParameters,
    show: ShowCode,
    expected: Option<Account>,
}

impl Configure for DeviceCodeCredential {
    type Setup = DeviceCodeSetup;
}

impl CloudCredential for DeviceCodeCredential {}

impl RemembersAccount for DeviceCodeCredential {
    #[inline]
    fn expected(setup: &mut DeviceCodeSetup) -> &mut Option<Account> {
        &mut setup.expected
    }
}

/// The code and the URL to show to the user.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceCodePrompt {
    /// The message to show: the service's own, or one with URL and code if the service sends none.
    pub message: String,
    /// The code to enter.
    pub user_code: String,
    /// The URL to enter the code at.
    pub verification_uri: String,
    /// The URL with the code in it, for a link or a QR code. Entra does not send one.
    pub verification_uri_complete: Option<String>,
    /// When the code expires.
    pub expires_on: Timestamp,
}

impl DeviceCodeCredential {
    /// Returns a builder. `show` gets the code for the user and must not block for long.
    #[inline]
    pub fn builder(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
        show: impl Fn(&DeviceCodePrompt) + Send + Sync + 'static,
    ) -> DeviceCodeCredentialBuilder {
        CredentialBuilder::new(DeviceCodeSetup {
            client: ClientParameters::new(tenant, client_id, ClientAuthentication::public()),
            show: Arc::new(show),
            expected: None,
        })
    }

    /// Signs a user in now, in place of the user who was signed in before.
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`] when the user declines or the service returns an error,
    /// [`ErrorKind::InteractionRequired`] when the code expires before the user enters it.
    #[inline]
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
    #[inline]
    pub fn account(&self) -> Option<Account> {
        self.0.signed_in.account()
    }
}

#[async_trait]
impl TokenCredential for DeviceCodeCredential {
    #[inline]
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        let inner = &self.0;
        let sign_in = || inner.run(&request.scopes, request.claims.as_deref());
        inner.signed_in.token(request, sign_in).await
    }
}

impl fmt::Debug for DeviceCodePrompt {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A reader of the log could finish the sign-in with an account of their own.
        f.debug_struct("DeviceCodePrompt")
            .field("verification_uri", &self.verification_uri)
            .field("expires_on", &self.expires_on)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DeviceCodeCredential {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCodeCredential")
            .field("application", &self.0.application)
            .field("account", &self.account())
            .finish_non_exhaustive()
    }
}

impl DeviceCodeCredentialBuilder {
    /// Builds the credential. It sends nothing before the first token is requested.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for an invalid id.
    #[inline]
    pub fn build(self) -> Result<DeviceCodeCredential, Error> {
        let (setup, settings) = (self.setup, self.options.settings()?);
        let application = ClientApplication::new(setup.client, settings)?;
        Ok(DeviceCodeCredential(Arc::new(Inner {
            signed_in: SignedInUser::expecting(&application, setup.expected),
            application,
            show: setup.show,
        })))
    }
}

impl fmt::Debug for DeviceCodeSetup {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCodeSetup")
            .field("given", &self.client)
            .finish_non_exhaustive()
    }
}

impl Inner {
    #[inline]
    async fn run(&self, scopes: &[String], claims: Option<&str>) -> Result<UserCredential, Error> {
        let application = &self.application;
        let scope = with_identity(scopes);
        let form = Form::bare()
            .field("client_id", application.client.to_string())
            .field("scope", scope)
            .optional("claims", claims);
        let endpoint = application
            .settings
            .cloud
            .device_authorization_endpoint(&application.tenant);
        let response = application.send("device code", endpoint, &form).await?;
        let device =
            serde_json::from_slice::<DeviceAuthorizationResponse>(without_bom(&response.body));
        let device = device.ok().and_then(DeviceAuthorization::read);
        let Some(device) = device else {
            // The message of serde may quote the code.
            return Err(unusable(response.client_request_id));
        };
        let shown_at = application.clock().monotonic();
        (self.show)(&DeviceCodePrompt {
            message: device.message,
            user_code: device.user_code,
            verification_uri: device.verification_uri,
            verification_uri_complete: device.verification_uri_complete,
            expires_on: later(application.clock().now(), device.lifetime),
        });
        let (lifetime, mut interval) = (device.lifetime, device.interval);
        loop {
            application.clock().sleep(interval).await;
            if application.clock().elapsed(shown_at) >= lifetime {
                return Err(expired());
            }
            match self.poll(&device.device_code).await {
                Ok(response) => {
                    return UserCredential::signed_in(application, response, scopes, None).await;
                }
                Err(error) => match error.oauth_error() {
                    Some("authorization_pending") => {}
                    Some("slow_down") => interval += SLOWER,
                    Some("authorization_declined" | "access_denied") => {
                        return Err(declined(error));
                    }
                    Some("expired_token") => return Err(expired().with_source(error)),
                    // The user may still sign in: a transient error does not end the sign-in.
                    _ if error.is_transient() => {
                        debug!(%error, "a poll failed");
                        interval += SLOWER;
                    }
                    _ => return Err(error),
                },
            }
        }
    }

    #[inline]
    async fn poll(
        &self,
        device_code: &Secret,
    ) -> Result<(AccessToken, crate::wire::UserTokenFields), Error> {
        let form = Form::new("urn:ietf:params:oauth:grant-type:device_code")
            .secret("device_code", device_code);
        let application = &self.application;
        application
            .redeem(
                "token by device code",
                &application.tenant,
                form,
                Idempotency::NonIdempotent,
                RetryMode::Once,
            )
            .await
    }
}

/// A device authorization response (RFC 8628, section 3.2), with Microsoft's `message`.
#[derive(Deserialize)]
struct DeviceAuthorizationResponse {
    device_code: Secret,
    user_code: String,
    verification_uri: Option<String>,
    /// The older name. Some services send both.
    verification_url: Option<String>,
    verification_uri_complete: Option<String>,
    verification_url_complete: Option<String>,
    /// Seconds; v1 endpoints send strings.
    expires_in: Value,
    interval: Option<Value>,
    message: Option<String>,
}

/// What a usable response says.
struct DeviceAuthorization {
    device_code: Secret,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    lifetime: Duration,
    interval: Duration,
    message: String,
}

impl DeviceAuthorization {
    #[inline]
    fn read(response: DeviceAuthorizationResponse) -> Option<Self> {
        let verification_uri = response.verification_uri.or(response.verification_url)?;
        let own = response.message.as_deref().map(str::trim);
        let message = match own.filter(|text| !text.is_empty()) {
            Some(own) => own.to_owned(),
            None => format!(
                "To sign in, open {verification_uri} in a web browser and enter the code {}.",
                response.user_code
            ),
        };
        let interval = match &response.interval {
            None => POLL,
            Some(interval) => seconds(interval)?,
        };
        Some(Self {
            device_code: response.device_code,
            user_code: response.user_code,
            verification_uri,
            verification_uri_complete: response
                .verification_uri_complete
                .or(response.verification_url_complete),
            lifetime: seconds(&response.expires_in)?.min(LONGEST),
            interval: interval.clamp(Duration::from_secs(1), Duration::from_secs(60)),
            message,
        })
    }
}

#[inline]
fn unusable(client_request_id: String) -> Error {
    Error::new(
        ErrorKind::Protocol,
        "the device code's response cannot be used",
    )
    .with(|inner| {
        inner.cause = Some("it has no code, no address for the user or no lifetime".into());
        inner.fix = Some(
            "check that the cloud's authority is a sign-in service and that no proxy changes its responses"
                .into(),
        );
        inner.correlation_id = Some(client_request_id);
    })
}

#[inline]
fn declined(error: Error) -> Error {
    error.with(|inner| {
        inner.kind = ErrorKind::Rejected;
        inner.summary = "the user declined to sign in".into();
        inner.cause = None;
        inner.fix = Some("start another device sign-in when the user is ready".into());
    })
}

#[inline]
fn expired() -> Error {
    Error::new(
        ErrorKind::InteractionRequired,
        "the device code expired before the user signed in",
    )
    .with(|inner| {
        inner.fix = Some("start another device sign-in and show the new code".into());
    })
}

#[inline]
fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.saturating_add(by.try_into().unwrap_or(entra_core::time::Duration::ZERO))
}

/// What RFC 8628, section 3.5, has a client add.
const SLOWER: Duration = Duration::from_secs(5);
/// Where the response names no interval (RFC 8628, section 3.5).
const POLL: Duration = Duration::from_secs(5);
/// An hour, whatever the response says.
const LONGEST: Duration = Duration::from_secs(3600);
