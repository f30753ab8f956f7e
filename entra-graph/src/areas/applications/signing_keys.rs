//! Keys that sign tokens: a private key with its certificate and password.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_core::Secret;

use crate::model::Body;

/// A private key with its certificate that signs tokens, such as SAML tokens (`X509CertAndPassword`): a PFX file
/// and its password. `Debug` shows neither.
///
/// ```
/// # async fn example(graph: &entra_graph::GraphClient, client_id: entra_core::ClientId, pfx: &[u8], password: &str,
/// #     current: &dyn entra_core::ProofSigner) -> Result<(), entra_graph::Error> {
/// use entra_graph::NewSigningKey;
/// let key = NewSigningKey::from_pfx(pfx, password).named("saml 2027");
/// graph.service_principal(client_id).add_signing_key(key, current).send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NewSigningKey {
    key: Secret,
    password: Secret,
    display_name: Option<String>,
}

impl NewSigningKey {
    /// A key from the bytes of a PFX file (PKCS #12) and the password that opens it.
    #[inline]
    pub fn from_pfx(pfx: impl AsRef<[u8]>, password: impl Into<Secret>) -> Self {
        Self {
            key: Secret::from(STANDARD.encode(pfx)),
            password: password.into(),
            display_name: None,
        }
    }

    /// The same key with a display name.
    #[must_use]
    #[inline]
    pub fn named(mut self, display_name: impl Into<String>) -> Self {
        self.display_name = Some(display_name.into());
        self
    }

    #[inline]
    pub(super) fn body(self) -> Body {
        let mut credential = Body::default();
        if let Some(name) = &self.display_name {
            credential.set::<String>("displayName", name.as_str());
        }
        credential.set::<Secret>("key", &self.key);
        credential.set::<String>("type", "X509CertAndPassword");
        credential.set::<String>("usage", "Sign");
        let mut password = Body::default();
        password.set::<Secret>("secretText", &self.password);
        let mut body = Body::default();
        body.set_body("keyCredential", &credential);
        body.set_body("passwordCredential", &password);
        body
    }
}
