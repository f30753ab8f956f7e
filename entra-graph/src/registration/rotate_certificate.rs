//! Replaces a certificate without an interruption.

use std::time::Duration;

use entra_core::{CredentialFactory, CredentialMaterial, ProofSigner, Timestamp};
use serde_json::Value;

use super::{
    blueprint::AppRegistration,
    found::{self, keys},
    lagging::{backoff, own_write, removed, while_lagging, wrote},
    parts::{Certificate, ends_last, has_thumbprint},
    policy::{Policies, explained_certificates},
    verify::{credential, until_accepted},
    wire::{text, time},
};
use crate::{areas::applications::CertificateId, client::GraphClient, error::Error};

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
    /// `Application.ReadWrite.OwnedBy` for an application that owns it; none for its own certificates. With
    /// `Policy.Read.All` the new one expires as early as the tenant's app management policy demands.
    ///
    /// # Errors
    /// [`ErrorKind::Registration`](crate::ErrorKind::Registration) if there is no such registration, the
    /// [`directory`](Self::directory) is another one, or the tenant's app management policy does not allow the certificate;
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
        let mut before = keys(graph, id).await?;
        for _ in 1..IN_A_ROW {
            if new.is_among(&before, graph.now()) {
                break;
            }
            // One replica may not know what an interrupted run added.
            graph.sleep(backoff(0)).await;
            before = keys(graph, id).await?;
        }
        // An ended entry of the certificate may stand beside it.
        let own = before.iter().filter(|key| is_key_of(key, present));
        let previous = own.min_by_key(|key| ends_last(key));
        let previous = previous.and_then(|key| text(key, "keyId").parse().ok());
        if !new.is_among(&before, graph.now()) {
            let policy = Policies::read(graph, Some(&application)).await?;
            let fitting = policy.certificates.fit(new, graph.now());
            let fitting = fitting.map_err(Error::registration)?;
            let add = || object.add_key(fitting.request(), present).send();
            let added = while_lagging(graph, age, add).await;
            added.map_err(|error| explained_certificates(error, [&fitting]))?;
            wrote(graph, &self.key());
        }
        let listed = listed(graph, id, new).await?;
        let (new_id, added) = listed
            .first()
            .and_then(|added| Some((text(added, "keyId").parse().ok()?, added.clone())))
            .ok_or_else(|| Error::registration("the new certificate has no key id"))?;
        let tenant = graph.granted().and_then(|granted| granted.tenant);
        let client_id = text(&application, "appId");
        let accepted = match credential(factory, tenant.as_deref(), client_id, material) {
            Ok(credential) => until_accepted(graph, &credential, &[], Some(Duration::ZERO)).await,
            Err(error) => Err(error),
        };
        if let Err(error) = accepted {
            // Should this fail too, the certificate without a program that uses it does no harm.
            let start = graph.monotonic();
            let age = || Some(graph.elapsed(start));
            let _ = removed(graph, age, || object.remove_key(new_id, present).send()).await;
            return Err(error);
        }
        // That of an interrupted run, which the reads before the add did not show.
        let start = graph.monotonic();
        let age = || Some(graph.elapsed(start));
        for copy in self::listed(graph, id, new).await? {
            if let Ok(copy) = text(&copy, "keyId").parse::<CertificateId>()
                && copy != new_id
            {
                removed(graph, age, || object.remove_key(copy, present).send()).await?;
            }
        }
        Ok(RotatedCertificate {
            new: new_id,
            expires: time(&added, "endDateTime"),
            previous,
        })
    }

    /// Removes a certificate that was replaced, by its key id, with the key of one that stays. A certificate that does
    /// not exist is not an error; if this client added one a moment ago, two minutes pass until that is known. Needs what
    /// [`rotate_certificate`](Self::rotate_certificate) needs.
    ///
    /// # Errors
    /// [`ErrorKind::Registration`](crate::ErrorKind::Registration) if it is the certificate of the key that proves it,
    /// or the [`directory`](Self::directory) is another one; every other kind of [`Error`].
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
        let is_listed = own.iter().any(|key| text(key, "keyId").parse() == Ok(id));
        let may_lag = is_listed || own_write(graph, &self.key()).is_some();
        let start = graph.monotonic();
        let age = || may_lag.then(|| graph.elapsed(start));
        removed(graph, age, || object.remove_key(id, present).send()).await
    }
}

/// Reads until several replicas agree on how the certificate is listed, the entry that ends last first: once, as a rule.
async fn listed(
    graph: &GraphClient,
    id: &str,
    certificate: &Certificate,
) -> Result<Vec<Value>, Error> {
    let (mut before, mut seen, mut reads) = (Vec::new(), 0, 0);
    loop {
        let mut all = keys(graph, id).await?;
        all.retain(|key| text(key, "key") == certificate.key);
        all.sort_by_key(ends_last);
        seen = if all == before { seen + 1 } else { 1 };
        if seen >= IN_A_ROW && certificate.is_among(&all, graph.now()) {
            return Ok(all);
        }
        before = all;
        if reads == READS {
            return Err(Error::registration(
                "the certificate was sent, but cannot be read back after several minutes; run again",
            ));
        }
        graph.sleep(backoff(reads)).await;
        reads += 1;
    }
}

/// Whether a listed certificate is that of a key.
fn is_key_of(key: &Value, signer: &dyn ProofSigner) -> bool {
    has_thumbprint(key, signer.sha1_thumbprint())
}

/// How many reads in a row must list the certificate: one that another replica serves may not.
const IN_A_ROW: u32 = 3;
/// How many reads may not: about five minutes.
const READS: u32 = 22;
