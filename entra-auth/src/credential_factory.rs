use std::sync::Arc;

#[cfg(not(feature = "workload-identity"))]
use entra_core::CredentialErrorKind;
use entra_core::{
    ClientId, CredentialError, CredentialFactory, CredentialMaterial, Secret, TenantId,
    TokenCredential,
};

use crate::{
    Certificate, ClientCertificateCredential, ClientSecretCredential, CredentialOptions, TokenCache,
};

/// Makes credentials of applications from secrets, certificates and federated tokens: the
/// [`CredentialFactory`] for the connection test and the registration of `entra-graph`.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::{ApplicationCredentialFactory, CredentialOptions};
/// use entra_core::{CredentialFactory, CredentialMaterial, Secret, TokenCredential, TokenRequest};
/// # let tenant = entra_mock::FakeTenant::start().await;
/// # let app = tenant.register_app("Night job").with_secret();
/// # let (tenant_id, client_id) = (tenant.id(), app.client_id());
/// let options = CredentialOptions::new().cloud(tenant.cloud());
/// # let options = options.clock(tenant.clock());
/// let factory = ApplicationCredentialFactory::new(&options);
/// let mistyped = CredentialMaterial::Secret(Secret::from("a secret of another application"));
/// let credential = factory.credential(&tenant_id, client_id, &mistyped)?;
/// let error = credential.token(&TokenRequest::new([tenant.cloud().graph_scope()])).await.unwrap_err();
/// assert_eq!(error.code(), Some(7000215));
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ApplicationCredentialFactory {
    options: CredentialOptions,
}

impl ApplicationCredentialFactory {
    /// A factory whose credentials have these options. A cache among them is not used: each credential
    /// has its own, so that its first token proves that Entra accepts it.
    #[must_use]
    #[inline]
    pub fn new(options: &CredentialOptions) -> Self {
        Self {
            options: options.clone(),
        }
    }
}

impl CredentialFactory for ApplicationCredentialFactory {
    #[inline]
    fn credential(
        &self,
        tenant: &TenantId,
        client_id: ClientId,
        material: &CredentialMaterial,
    ) -> Result<Arc<dyn TokenCredential>, CredentialError> {
        let options = self.options.clone().cache(&TokenCache::new());
        match material {
            CredentialMaterial::Secret(secret) => {
                let builder = ClientSecretCredential::builder(tenant, client_id, secret.clone());
                Ok(Arc::new(builder.options(&options).build()?))
            }
            CredentialMaterial::Certificate {
                key_and_certificate,
                passphrase,
            } => {
                let text = key_and_certificate.expose_secret();
                let certificate = Certificate::from_bytes(text, passphrase.as_ref())?;
                let builder = ClientCertificateCredential::builder(tenant, client_id, certificate);
                Ok(Arc::new(builder.options(&options).build()?))
            }
            CredentialMaterial::Assertion(jwt) => {
                federated(tenant, client_id, jwt.clone(), &options)
            }
            // Core may learn a form before this crate does.
            _ => Err(crate::Error::configuration(
                "this form of credential is not supported",
                "use versions of entra-core and entra-auth that belong together",
            )
            .into()),
        }
    }
}

#[cfg(feature = "workload-identity")]
#[inline]
fn federated(
    tenant: &TenantId,
    client_id: ClientId,
    jwt: Secret,
    options: &CredentialOptions,
) -> Result<Arc<dyn TokenCredential>, CredentialError> {
    use crate::workload_identity::ClientAssertionCredential;

    let builder = ClientAssertionCredential::from_fn(tenant, client_id, move |_| {
        std::future::ready(Ok(jwt.clone()))
    });
    Ok(Arc::new(builder.options(options).build()?))
}

#[cfg(not(feature = "workload-identity"))]
#[inline]
fn federated(
    _: &TenantId,
    _: ClientId,
    _: Secret,
    _: &CredentialOptions,
) -> Result<Arc<dyn TokenCredential>, CredentialError> {
    let error = CredentialError::new(
        CredentialErrorKind::Configuration,
        "tokens of other identity providers are not supported by this build",
    );
    Err(error.with_fix("enable the feature `workload-identity` of entra-auth"))
}
