//! Replaces a client secret without an interruption.

use std::time::Duration;

use entra_core::{CredentialFactory, CredentialMaterial, Timestamp};
use serde_json::Value;

use super::{
    blueprint::AppRegistration,
    found,
    lagging::{WINDOW, backoff, own_write, removed, wrote},
    new_secret::{NewSecretRequest, is_rejection, reference},
    parts::SecretBlueprint,
    plan::failed_sink,
    policy::Policies,
    sink::{SecretSink, SecretSlot, SinkEntry},
    steps::named,
    verify::{credential, until_accepted},
    wire::{items, text},
};
use crate::{areas::applications::SecretId, client::GraphClient, error::Error};

/// A secret that was replaced by [`AppRegistration::rotate`].
///
/// The old one still works: remove it with [`AppRegistration::retire`] once every reader of the sink has the new one,
/// which can take a day where a platform caches what it reads from a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotated {
    /// The new secret.
    pub new: SecretId,
    /// When the new secret expires.
    pub expires: Option<Timestamp>,
    /// The secret that the sink held before.
    pub previous: Option<SecretId>,
}

impl AppRegistration {
    /// Adds a new secret beside the one that the sink holds, waits until it gets tokens, and only then gives it to the
    /// sink. The old one stays valid.
    ///
    /// The description is that of a secret of the blueprint. If the run fails or is interrupted, the sink still holds the
    /// old secret, and the next [`apply`](super::Plan::apply) or `rotate` with this sink removes the new one. Errors
    /// that can be replication lag are waited out. Needs `Application.ReadWrite.All`, or
    /// `Application.ReadWrite.OwnedBy` for an application that owns it.
    ///
    /// # Errors
    /// [`ErrorKind::Registration`](crate::ErrorKind::Registration) if there is no such registration or secret, the
    /// [`directory`](Self::directory) is another one, or the sink fails or holds values of another tenant;
    /// [`ErrorKind::Credential`](crate::ErrorKind::Credential) if the new secret is not accepted; every other kind of
    /// [`Error`].
    pub async fn rotate(
        &self,
        graph: &GraphClient,
        description: &str,
        factory: &dyn CredentialFactory,
        sink: &mut dyn SecretSink,
    ) -> Result<Rotated, Error> {
        let spec = self.secret_named(description)?;
        let start = graph.monotonic();
        let age = || Some(graph.elapsed(start));
        let slot = SecretSlot {
            registration: self.key(),
            description: description.to_owned(),
        };
        let held = sink.lookup(&slot).await.map_err(failed_sink)?;
        let application = found::application_after(graph, self, self.is_recent(graph, held))
            .await?
            .ok_or_else(|| {
                Error::registration(format!("there is no registration {:?}", self.name))
            })?;
        let client_id = text(&application, "appId");
        let tenant = graph.granted().and_then(|granted| granted.tenant);
        let key = self.key();
        let checked = sink.check(&key, Some(client_id), tenant.as_deref());
        checked.await.map_err(failed_sink)?;
        // Nothing may fail between a reservation and the secret, or a later run waits for a secret that never was.
        let policy = Policies::read(graph, Some(&application)).await?;
        let object = graph.application(text(&application, "id"));
        let previous = match held {
            SinkEntry::Stored { id, .. } => Some(id),
            SinkEntry::Reserved { previous, .. } => {
                if let Some(id) = self.orphan(graph, spec, held, application.clone()).await? {
                    let start = graph.monotonic();
                    let age = || Some(graph.elapsed(start));
                    removed(graph, age, || object.remove_password(id).send()).await?;
                }
                previous
            }
            _ => None,
        };
        let reference = reference()?;
        sink.reserve(&slot, reference).await.map_err(failed_sink)?;
        let name = named(spec, &reference.to_string());
        let add = NewSecretRequest {
            graph,
            object: &object,
            spec,
            name: &name,
            policy: &policy.secrets,
        };
        let secret = match add.send(age).await {
            Ok(secret) => secret,
            Err(error) => {
                if is_rejection(&error) {
                    sink.release(&slot).await.map_err(failed_sink)?;
                }
                return Err(error);
            }
        };
        wrote(graph, &self.key());
        let material = CredentialMaterial::Secret(secret.value().clone());
        let accepted = match credential(factory, tenant.as_deref(), client_id, &material) {
            Ok(credential) => {
                let just_now = Some(Duration::ZERO);
                let accepted = until_accepted(graph, &credential, &[], just_now).await;
                accepted.map(|_| ())
            }
            Err(error) => Err(error),
        };
        let stored = match accepted {
            Ok(()) => sink.store(&slot, &secret).await.map_err(failed_sink),
            Err(error) => Err(error),
        };
        if let Err(error) = stored {
            // Should this fail too, the reservation lets the next run remove it. However long it was tried, that a replica
            // does not know it proves nothing.
            let start = graph.monotonic();
            let age = || Some(graph.elapsed(start));
            let undone = removed(graph, age, || object.remove_password(secret.id()).send()).await;
            if undone.is_ok() {
                sink.release(&slot).await.map_err(failed_sink)?;
            }
            return Err(error);
        }
        Ok(Rotated {
            new: secret.id(),
            expires: secret.expires(),
            previous,
        })
    }

    /// Removes a secret that was replaced, by its id. A secret that does not exist is not an error; if it can be one that
    /// was added a moment ago, two minutes pass until that is known. One that the sink still holds is an error. Needs what
    /// [`rotate`](Self::rotate) needs.
    ///
    /// # Errors
    /// [`ErrorKind::Registration`](crate::ErrorKind::Registration) if the sink holds this secret, or the
    /// [`directory`](Self::directory) is another one; every other kind of [`Error`].
    pub async fn retire(
        &self,
        graph: &GraphClient,
        id: SecretId,
        sink: &mut dyn SecretSink,
    ) -> Result<(), Error> {
        let mut wrote_recently = own_write(graph, &self.key()).is_some();
        for spec in &self.secrets {
            let slot = SecretSlot {
                registration: self.key(),
                description: spec.description.clone(),
            };
            let held = sink.lookup(&slot).await.map_err(failed_sink)?;
            let in_use = match held {
                SinkEntry::Stored { id, .. } => Some(id),
                SinkEntry::Reserved { previous, .. } => previous,
                _ => None,
            };
            if in_use == Some(id) {
                return Err(Error::registration(format!(
                    "the secret {id} is in use: the sink holds it for {:?}",
                    spec.description
                )));
            }
            wrote_recently |= self.is_recent(graph, held);
        }
        let application = found::application_after(graph, self, wrote_recently).await?;
        let Some(application) = application else {
            return Ok(());
        };
        let object = graph.application(text(&application, "id"));
        let secrets = items(&application, "passwordCredentials");
        let is_listed = secrets
            .iter()
            .any(|one| text(one, "keyId").parse() == Ok(id));
        // After a write of a moment ago a read that does not list the secret proves nothing, as little as a replica that
        // does not know one that is listed.
        let start = graph.monotonic();
        let may_lag = wrote_recently || is_listed;
        let age = || may_lag.then(|| graph.elapsed(start));
        removed(graph, age, || object.remove_password(id).send()).await
    }

    /// The secret that an interrupted run added, once a reservation of a moment ago is old enough to tell.
    async fn orphan(
        &self,
        graph: &GraphClient,
        spec: &SecretBlueprint,
        held: SinkEntry,
        mut application: Value,
    ) -> Result<Option<SecretId>, Error> {
        let SinkEntry::Reserved { reference, .. } = held else {
            return Ok(None);
        };
        let name = named(spec, &reference.to_string());
        let mut reads = 0;
        loop {
            let orphan = items(&application, "passwordCredentials")
                .iter()
                .find(|one| text(one, "displayName") == name);
            if let Some(id) = orphan.and_then(|one| text(one, "keyId").parse().ok()) {
                return Ok(Some(id));
            }
            if !self.is_recent(graph, held) {
                return Ok(None);
            }
            graph.sleep(backoff(reads)).await;
            reads += 1;
            if let Some(read) = found::application(graph, self).await? {
                application = read;
            }
        }
    }

    /// Whether this client or, by the time in the sink, another one wrote a moment ago, so that it may not be visible yet.
    fn is_recent(&self, graph: &GraphClient, held: SinkEntry) -> bool {
        match held {
            SinkEntry::Stored { at, .. } | SinkEntry::Reserved { at, .. } => {
                (graph.now() - at).unsigned_abs() < WINDOW
            }
            _ => own_write(graph, &self.key()).is_some(),
        }
    }

    fn secret_named(&self, description: &str) -> Result<&SecretBlueprint, Error> {
        let found = self
            .secrets
            .iter()
            .find(|one| one.description == description);
        found.ok_or_else(|| {
            Error::registration(format!("the blueprint has no secret {description:?}"))
        })
    }
}
