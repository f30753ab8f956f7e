//! Where new secrets go.

mod file;
mod memory;

use std::fmt;

use entra_core::Timestamp;

use crate::areas::applications::{NewSecret, SecretId};
pub use file::{EnvFile, SecretFile};
pub use memory::MemorySink;

/// Where [`Plan::apply`](super::Plan::apply) puts the values of new secrets, which Graph returns once.
///
/// A sink that remembers what it holds makes `apply` safe to repeat: before a secret is added, its reference is
/// reserved, and if the process is killed before the value is stored, the next run finds the secret by this
/// reference, removes it and adds another. [`EnvFile`] and [`SecretFile`] do so. For a vault implement at least
/// [`store`](Self::store).
#[async_trait::async_trait]
pub trait SecretSink: Send + Sync {
    /// Whether it can take ids and secrets of a registration: its key, its client id if it exists, and the tenant if the
    /// token names it. This is asked before the first write; by default it can.
    ///
    /// # Errors
    /// Any error ends the run before a change, such as that it holds those of another registration or tenant.
    async fn check(
        &mut self,
        registration: &str,
        client_id: Option<&str>,
        tenant_id: Option<&str>,
    ) -> Result<(), SinkError> {
        let _ = (registration, client_id, tenant_id);
        Ok(())
    }

    /// What it holds for a secret.
    ///
    /// The default is [`SinkEntry::Unknown`]: a valid secret of the same description then counts as present.
    ///
    /// # Errors
    /// Any error ends the run before a change.
    async fn lookup(&mut self, slot: &SecretSlot) -> Result<SinkEntry, SinkError> {
        let _ = slot;
        Ok(SinkEntry::Unknown)
    }

    /// Remembers that a secret with this reference is about to be added. A value that it holds already stays until
    /// [`store`](Self::store) replaces it, since programs may be reading it. By default this does nothing.
    ///
    /// # Errors
    /// Any error ends the run before the secret is added.
    async fn reserve(&mut self, slot: &SecretSlot, reference: Reference) -> Result<(), SinkError> {
        let _ = (slot, reference);
        Ok(())
    }

    /// Forgets a reservation whose secret does not exist; what was held before counts again. By default this does nothing.
    ///
    /// # Errors
    /// Any error ends the run.
    async fn release(&mut self, slot: &SecretSlot) -> Result<(), SinkError> {
        let _ = slot;
        Ok(())
    }

    /// Stores the value of a new secret.
    ///
    /// # Errors
    /// After an error the secret is removed again.
    async fn store(&mut self, slot: &SecretSlot, secret: &NewSecret) -> Result<(), SinkError>;

    /// Stores the ids that a program needs beside its secret. By default this does nothing.
    ///
    /// # Errors
    /// Any error ends the run.
    async fn store_ids(&mut self, ids: &ConnectionIds) -> Result<(), SinkError> {
        let _ = ids;
        Ok(())
    }
}

/// The error of a [`SecretSink`].
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// A secret of a blueprint, for a [`SecretSink`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SecretSlot {
    /// The key of the registration ([`AppRegistration::key`](super::AppRegistration::key)).
    pub registration: String,
    /// The description of the secret.
    pub description: String,
}

/// What a program needs to sign in beside its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionIds {
    /// The key of the registration ([`AppRegistration::key`](super::AppRegistration::key)).
    pub registration: String,
    /// The tenant id, if the token names it.
    pub tenant_id: Option<String>,
    /// The client id.
    pub client_id: String,
}

/// What a [`SecretSink`] holds for a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SinkEntry {
    /// It does not know.
    Unknown,
    /// Nothing.
    Missing,
    /// A reservation: a secret with this reference may have been added, and its value is lost.
    Reserved {
        /// The reference.
        reference: Reference,
        /// When it was reserved.
        at: Timestamp,
        /// The secret whose value it held before and still holds.
        previous: Option<SecretId>,
    },
    /// The value of the secret with this id.
    Stored {
        /// The secret ID.
        id: SecretId,
        /// When it was stored.
        at: Timestamp,
    },
}

/// The reference of a secret, which is a part of its description in Entra.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reference(u32);

impl Reference {
    pub(super) const fn new(number: u32) -> Self {
        Self(number)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl std::str::FromStr for Reference {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u32::from_str_radix(text, 16).map(Self)
    }
}
