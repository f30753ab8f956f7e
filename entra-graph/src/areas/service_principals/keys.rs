//! Certificates that Graph makes: `addTokenSigningCertificate`.

use entra_core::Timestamp;

use super::{ADD_TOKEN_SIGNING_CERTIFICATE, OneServicePrincipal};
use crate::{
    client::{GraphClient, Reply},
    error::Error,
    model::{Body, read_document, without_error},
    objects::types::SelfSignedCertificate,
    place::Object,
    request::Request,
};

impl Object<OneServicePrincipal> {
    /// A request that makes a self-signed certificate which signs tokens, and returns its public part:
    /// [`POST /servicePrincipals/{id}/addTokenSigningCertificate`](https://learn.microsoft.com/graph/api/serviceprincipal-addtokensigningcertificate).
    ///
    /// The subject is a common name such as `CN=Shop`; the certificate is valid until the given time, or for three
    /// years, which is the longest. Needs `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an
    /// application that owns it. Sending it twice adds two certificates. To sign with it, set
    /// [`ServicePrincipal::PREFERRED_TOKEN_SIGNING_KEY_THUMBPRINT`](crate::ServicePrincipal::PREFERRED_TOKEN_SIGNING_KEY_THUMBPRINT)
    /// to its thumbprint:
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient, client_id: entra_core::ClientId) -> Result<(), entra_graph::Error> {
    /// use entra_graph::ServicePrincipal;
    /// let principal = graph.service_principal(client_id);
    /// let certificate = principal.add_token_signing_certificate("CN=Shop", None).send().await?;
    /// if let Some(thumbprint) = certificate.thumbprint {
    ///     principal.update()
    ///         .set(ServicePrincipal::PREFERRED_TOKEN_SIGNING_KEY_THUMBPRINT, thumbprint)
    ///         .send().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn add_token_signing_certificate(
        &self,
        subject: &str,
        expires: Option<Timestamp>,
    ) -> Request<SelfSignedCertificate> {
        let mut body = Body::default();
        body.set::<String>("displayName", subject);
        if let Some(expires) = expires {
            body.set::<Timestamp>("endDateTime", &expires);
        }
        let call = self
            .call(
                &["addTokenSigningCertificate"],
                &ADD_TOKEN_SIGNING_CERTIFICATE,
            )
            .map(|call| call.with_json(body.into_bytes()));
        Request::new(self.target().client.clone(), call, read_certificate)
    }
}

#[inline]
fn read_certificate(_: &GraphClient, reply: &Reply) -> Result<SelfSignedCertificate, Error> {
    let mut certificate = SelfSignedCertificate::default();
    read_document(&reply.body, &mut certificate)?;
    without_error(&reply.body, certificate.additional().has_error())?;
    Ok(certificate)
}
