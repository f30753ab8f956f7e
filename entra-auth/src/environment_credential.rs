use std::fmt;

use async_trait::async_trait;
use entra_core::{
    AccessToken, CredentialDescription, CredentialError, TokenCredential, TokenRequest,
};

use crate::{
    ClientCertificateCredential, ClientSecretCredential, Environment, Error,
    builder::{ApplicationCredential, CloudCredential, Configure, CredentialBuilder},
};

/// Signs an application in with the secret or certificate that `AZURE_…` variables name.
///
/// The variables are those of Microsoft's own libraries: `AZURE_TENANT_ID` and `AZURE_CLIENT_ID`, and with
/// them `AZURE_CLIENT_SECRET`, or else `AZURE_CLIENT_CERTIFICATE_PATH` with
/// `AZURE_CLIENT_CERTIFICATE_PASSWORD` and `AZURE_CLIENT_SEND_CERTIFICATE_CHAIN` (`1` or `true`). If both are
/// set the secret is used. `AZURE_AUTHORITY_HOST` decides the cloud and
/// `AZURE_REGIONAL_AUTHORITY_NAME` the region unless the builder does. A user name and
/// a password (`AZURE_USERNAME`, `AZURE_PASSWORD`) are not read.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::{Environment, EnvironmentCredential};
/// use entra_core::{TokenCredential, TokenRequest};
/// # let tenant = entra_mock::FakeTenant::start().await;
/// # let app = tenant.register_app("Night job").with_secret();
/// # let environment = Environment::from_pairs([
/// #     ("AZURE_TENANT_ID", tenant.id().to_string()),
/// #     ("AZURE_CLIENT_ID", app.client_id().to_string()),
/// #     ("AZURE_CLIENT_SECRET", app.secret().expose_secret().to_owned()),
/// #     ("AZURE_AUTHORITY_HOST", tenant.uri()),
/// # ]);
/// // outside of a test: Environment::from_env()
/// let credential = EnvironmentCredential::builder(&environment)
/// #   .clock(tenant.clock())
///     .build()?;
/// let token = credential.token(&TokenRequest::new([tenant.cloud().graph_scope()])).await?;
/// # use entra_core::Clock;
/// # assert!(token.expires_on() > tenant.clock().now());
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct EnvironmentCredential(Kind);

#[derive(Clone)]
enum Kind {
    Secret(ClientSecretCredential),
    Certificate(ClientCertificateCredential),
}

/// Configures an [`EnvironmentCredential`].
pub type EnvironmentCredentialBuilder = CredentialBuilder<EnvironmentCredential>;

#[derive(Clone, Debug)]
pub(crate) struct EnvironmentSetup {
    environment: Environment,
}

impl Configure for EnvironmentCredential {
    type Setup = EnvironmentSetup;
}

impl ApplicationCredential for EnvironmentCredential {}

impl CloudCredential for EnvironmentCredential {}

impl EnvironmentCredential {
    /// Settings to change.
    #[inline]
    pub fn builder(environment: &Environment) -> EnvironmentCredentialBuilder {
        CredentialBuilder::new(EnvironmentSetup {
            environment: environment.clone(),
        })
    }
}

#[async_trait]
impl TokenCredential for EnvironmentCredential {
    #[inline]
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        match &self.0 {
            Kind::Secret(credential) => credential.token(request).await,
            Kind::Certificate(credential) => credential.token(request).await,
        }
    }

    #[inline]
    fn description(&self) -> CredentialDescription {
        match &self.0 {
            Kind::Secret(credential) => credential.description(),
            Kind::Certificate(credential) => credential.description(),
        }
    }
}

impl fmt::Debug for EnvironmentCredential {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credential: &dyn fmt::Debug = match &self.0 {
            Kind::Secret(credential) => credential,
            Kind::Certificate(credential) => credential,
        };
        f.debug_tuple("EnvironmentCredential")
            .field(credential)
            .finish()
    }
}

impl EnvironmentCredentialBuilder {
    /// Builds the credential. It sends nothing before the first token is requested; a certificate is read.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) that names what is not set;
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a value that cannot be used.
    #[inline]
    pub fn build(self) -> Result<EnvironmentCredential, Error> {
        let environment = self.setup.environment;
        let get = |name: &str| environment.get(name).map(str::trim);
        let options = self
            .options
            .or_cloud_of(&environment)
            .or_region(get("AZURE_REGIONAL_AUTHORITY_NAME"));
        let (tenant, client, secret, certificate) = (
            get("AZURE_TENANT_ID"),
            get("AZURE_CLIENT_ID"),
            environment.secret("AZURE_CLIENT_SECRET"),
            get("AZURE_CLIENT_CERTIFICATE_PATH"),
        );
        let kind = match (tenant, client, secret, certificate) {
            (Some(tenant), Some(client), Some(secret), _) => {
                let builder = ClientSecretCredential::builder(tenant, client, secret);
                Kind::Secret(builder.options(&options).build()?)
            }
            (Some(tenant), Some(client), None, Some(path)) => {
                let password = environment.secret("AZURE_CLIENT_CERTIFICATE_PASSWORD");
                let builder =
                    ClientCertificateCredential::builder_from_file(tenant, client, path, password);
                let mut builder = builder.options(&options);
                if matches!(
                    get("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN"),
                    Some("1" | "true" | "True" | "TRUE")
                ) {
                    builder = builder.send_chain();
                }
                Kind::Certificate(builder.build()?)
            }
            _ => {
                let missing: Vec<&str> = [
                    ("AZURE_TENANT_ID", tenant.is_none()),
                    ("AZURE_CLIENT_ID", client.is_none()),
                    (
                        "AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH",
                        secret.is_none() && certificate.is_none(),
                    ),
                ]
                .into_iter()
                .filter_map(|(name, missing)| missing.then_some(name))
                .collect();
                return Err(Error::unavailable(
                    format!("{} not set", missing.join(", ")),
                    "set the variables to the ids from the registration's Overview page and to a secret or certificate file of it",
                ));
            }
        };
        Ok(EnvironmentCredential(kind))
    }
}
