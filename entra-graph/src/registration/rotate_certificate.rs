//! Replaces a certificate without an interruption.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_core::{CredentialFactory, CredentialMaterial, ProofSigner, Timestamp};
use serde_json::Value;

use super::{
    blueprint::AppRegistration,
    found::{self, keys, time},
    lagging::{backoff, removed, while_lagging},
    parts::Certificate,
    verify::{credential, until_accepted},
    wire::text,
};
use crate::{
    areas::applications::{CertificateId, NewCertificate},
    client::GraphClient,
    error::Error,
};

/// A certificate that was replaced by [`AppRegistration::rotate_certificate`].
///
/// The old one still works: remove it with [`AppRegistration::retire_certificate`] once every program has the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RotatedCertificate {
    /// The new certificate.
    pub new: CertificateId,
    /// When the new certificate expires.
    pub expires: Option<Timestamp>,
    /// The certificate that proved that the new one may be added.
    pub previous: Option<CertificateId>,
}

impl AppRegistration {
    /// Adds a new certificate beside the present one and waits until it gets tokens. The old one stays valid.
    ///
    /// `present` is the key of a valid certificate of the registration, which proves that a further one may be added;
    /// `material` is the new certificate with its private key, for a sign-in. If the run is interrupted, the next one
    /// with the same certificate completes it. Errors that can be replication lag are waited out. From then on the
    /// blueprint lists the new certificate instead of the old one. Needs `Application.ReadWrite.All`, or
    /// `Application.ReadWrite.OwnedBy` for an application that owns it; none for its own certificates.
    ///
    /// # Errors
    /// [`ErrorKind::Registration`](crate::ErrorKind::Registration) if there is no such registration;
    /// [`ErrorKind::Credential`](crate::ErrorKind::Credential) if the new certificate is not accepted, which is then
    /// removed again; every other kind of [`Error`], such as that of Graph for an invalid proof.
    pub async fn rotate_certificate(
        &self,
        graph: &GraphClient,
        new: &Certificate,
        present: &dyn ProofSigner,
        factory: &dyn CredentialFactory,
        material: &CredentialMaterial,
    ) -> Result<RotatedCertificate, Error> {
        let start = graph.monotonic();
        let age = || Some(graph.elapsed(start));
        let application = found::existing(graph, self).await?;
        let id = text(&application, "id");
        let object = graph.application(id);
        let before = keys(graph, id).await?;
        let previous = before.iter().find(|key| is_key_of(key, present));
        let previous = previous.and_then(|key| text(key, "keyId").parse().ok());
        if !before.iter().any(|key| text(key, "key") == new.key) {
            let add = || {
                let certificate = NewCertificate::from_key(new.key.clone(), &new.name);
                object.add_key(certificate, present).send()
            };
            while_lagging(graph, age, add).await?;
        }
        let added = listed(graph, id, new).await?;
        let new_id: CertificateId = text(&added, "keyId")
            .parse()
            .map_err(|_| Error::registration("the new certificate has no key id"))?;
        let tenant = graph.granted().and_then(|granted| granted.tenant);
        let client_id = text(&application, "appId");
        let accepted = match credential(factory, tenant.as_deref(), client_id, material) {
            Ok(credential) => until_accepted(graph, &credential, &[]).await,
            Err(error) => Err(error),
        };
        if let Err(error) = accepted {
            // Should this fail too, the certificate without a program that uses it does no harm.
            let _ = removed(graph, age, || object.remove_key(new_id, present).send()).await;
            return Err(error);
        }
        Ok(RotatedCertificate {
            new: new_id,
            expires: time(&added, "endDateTime"),
            previous,
        })
    }

    /// Removes a certificate that was replaced, by its key id, with the key of one that stays. A certificate that does
    /// not exist is not an error, but is only known not to exist after two minutes, in which a new one could become visible.
    ///
    /// # Errors
    /// [`ErrorKind::Registration`](crate::ErrorKind::Registration) if it is the certificate of the key that proves it;
    /// every other kind of [`Error`].
    pub async fn retire_certificate(
        &self,
        graph: &GraphClient,
        id: CertificateId,
        present: &dyn ProofSigner,
    ) -> Result<(), Error> {
        let Some(application) = found::late(graph, self).await? else {
            return Ok(());
        };
        let object_id = text(&application, "id");
        let own = keys(graph, object_id).await?;
        let is_in_use = own
            .iter()
            .any(|key| text(key, "keyId").parse() == Ok(id) && is_key_of(key, present));
        if is_in_use {
            return Err(Error::registration(format!(
                "the certificate {id} is in use: its own key would prove that it may be removed; give the key of the one that stays"
            )));
        }
        let object = graph.application(object_id);
        let start = graph.monotonic();
        let age = || Some(graph.elapsed(start));
        removed(graph, age, || object.remove_key(id, present).send()).await
    }
}

/// Reads until several replicas list the certificate.
async fn listed(graph: &GraphClient, id: &str, certificate: &Certificate) -> Result<Value, Error> {
    let (mut seen, mut reads) = (0, 0);
    loop {
        let all = keys(graph, id).await?;
        match all
            .into_iter()
            .find(|key| text(key, "key") == certificate.key)
        {
            Some(key) => {
                seen += 1;
                if seen == IN_A_ROW {
                    return Ok(key);
                }
            }
            None => seen = 0,
        }
        if reads == READS {
            return Err(Error::registration(
                "the certificate was sent, but cannot be read back after several minutes; run again",
            ));
        }
        graph.sleep(backoff(reads)).await;
        reads += 1;
    }
}

/// Whether a listed certificate is that of a key, by its SHA-1 thumbprint: base64 of its bytes, or hexadecimal.
fn is_key_of(key: &Value, signer: &dyn ProofSigner) -> bool {
    let thumbprint = signer.sha1_thumbprint();
    let identifier = text(key, "customKeyIdentifier");
    let hexadecimal: String = thumbprint
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    identifier == STANDARD.encode(thumbprint)
        || identifier.eq_ignore_ascii_case(&hexadecimal)
        || STANDARD
            .decode(identifier)
            .is_ok_and(|bytes| bytes.eq_ignore_ascii_case(hexadecimal.as_bytes()))
}

/// How many reads in a row must list the certificate: one that another replica serves may not.
const IN_A_ROW: u32 = 3;
/// How many reads may not: about five minutes.
const READS: u32 = 22;
