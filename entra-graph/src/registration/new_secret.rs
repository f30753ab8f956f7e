//! The request for a new client secret, within what the tenant's policy allows.

use std::time::Duration;

use entra_core::{Guid, SystemRandom, Timestamp, http::StatusCode};

use super::{
    lagging::while_lagging,
    parts::SecretBlueprint,
    policy::{SecretPolicy, explained, is_too_long, shorter_ends},
    sink::Reference,
};
use crate::{
    areas::applications::{NewPassword, NewSecret, OneApplication},
    client::GraphClient,
    error::{Error, ErrorKind},
    place::Object,
};

/// A new client secret of a blueprint.
pub(super) struct NewSecretRequest<'a> {
    pub(super) graph: &'a GraphClient,
    pub(super) object: &'a Object<OneApplication>,
    pub(super) spec: &'a SecretBlueprint,
    /// Its display name, with the reference.
    pub(super) name: &'a str,
    pub(super) policy: &'a SecretPolicy,
}

impl NewSecretRequest<'_> {
    /// Adds it. A secret that is valid as long as the policy allows is tried with shorter lifetimes if the policy could not
    /// be read, or has another limit beside the one that was.
    pub(super) async fn send(
        &self,
        age: impl Fn() -> Option<Duration>,
    ) -> Result<NewSecret, Error> {
        let now = self.graph.now();
        let end = self.spec.lifetime.end(now);
        let end = end.map(|end| self.policy.clamp(now, end));
        let mut outcome = self.add(end, &age).await;
        let has_other_limit = matches!(
            self.policy,
            SecretPolicy::Unknown | SecretPolicy::Longest(_)
        );
        if self.spec.lifetime.is_longest() && has_other_limit {
            let is_shorter = |shorter: &Timestamp| end.is_none_or(|end| *shorter < end);
            for shorter in shorter_ends(now).filter(is_shorter) {
                if !outcome.as_ref().is_err_and(is_too_long) {
                    break;
                }
                outcome = self.add(Some(shorter), &age).await;
            }
        }
        outcome.map_err(|error| explained(error, &self.spec.description))
    }

    async fn add(
        &self,
        end: Option<Timestamp>,
        age: &impl Fn() -> Option<Duration>,
    ) -> Result<NewSecret, Error> {
        let mut password = NewPassword::named(self.name);
        if let Some(end) = end {
            password = password.expires(end);
        }
        let request = self.object.add_password(password);
        while_lagging(self.graph, age, || request.clone().send()).await
    }
}

/// Whether Graph rejected a request as it is, or it was not sent, so that nothing was added.
pub(super) fn is_rejection(error: &Error) -> bool {
    let is_rejected = |error: &Error| {
        let status = error.status();
        error.kind() == ErrorKind::Throttled
            || status.is_some_and(|status| {
                status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT
            })
    };
    let source = std::error::Error::source(error).and_then(|one| one.downcast_ref::<Error>());
    is_rejected(error) || source.is_some_and(is_rejected)
}

/// A reference that no other secret of the application has.
pub(super) fn reference() -> Result<Reference, Error> {
    let bytes = Guid::random(&SystemRandom)?.to_string();
    let number = u32::from_str_radix(bytes.get(..8).unwrap_or_default(), 16);
    Ok(Reference::new(number.unwrap_or_default()))
}
