//! What an apply did.

use std::fmt;

use entra_core::Timestamp;

use super::{blueprint::AppRegistration, line::Line, sink::ConnectionIds};
use crate::{areas::applications::SecretId, client::GraphClient};

/// What [`Plan::apply`](super::Plan::apply) did, and the ids of the registration.
#[derive(Clone, Debug)]
pub struct Applied {
    pub(super) graph: GraphClient,
    pub(super) blueprint: AppRegistration,
    pub(super) ids: ConnectionIds,
    pub(super) object_id: String,
    pub(super) service_principal_id: String,
    /// When something was written that a sign-in depends on.
    pub(super) sign_in_times: Vec<Timestamp>,
    pub(super) lines: Vec<Line>,
    pub(super) secrets: Vec<AppliedSecret>,
}

/// A secret that [`Plan::apply`](super::Plan::apply) added.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppliedSecret {
    /// Its description in the blueprint.
    pub description: String,
    /// Its secret ID.
    pub id: SecretId,
    /// When it expires.
    pub expires: Option<Timestamp>,
}

impl Applied {
    /// The application (client) id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.ids.client_id
    }

    /// The directory (tenant) id, if the token of the caller names it.
    #[must_use]
    pub fn tenant_id(&self) -> Option<&str> {
        self.ids.tenant_id.as_deref()
    }

    /// The object id of the app registration.
    #[must_use]
    pub fn object_id(&self) -> &str {
        &self.object_id
    }

    /// The object id of the enterprise application.
    #[must_use]
    pub fn service_principal_id(&self) -> &str {
        &self.service_principal_id
    }

    /// What was changed, in order; empty if everything existed already.
    #[must_use]
    pub fn changes(&self) -> &[Line] {
        &self.lines
    }

    /// The secrets that were added.
    #[must_use]
    pub fn secrets(&self) -> &[AppliedSecret] {
        &self.secrets
    }
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "client id {}", self.ids.client_id)?;
        if let Some(tenant) = &self.ids.tenant_id {
            writeln!(f, "tenant id {tenant}")?;
        }
        for line in &self.lines {
            writeln!(f, "  {line}")?;
        }
        for secret in &self.secrets {
            write!(f, "secret {:?} with id {}", secret.description, secret.id)?;
            if let Some(expires) = secret.expires {
                write!(f, ", expires {}", expires.date())?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
