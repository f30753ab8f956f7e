//! Accepted notifications.

use std::fmt;

use entra_core::{Guid, Timestamp};
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::{
    error::Error,
    objects::types::{ChangeType, LifecycleEventType},
};

/// What an endpoint received and the [`Receiver`](super::Receiver) accepted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NotificationEvent {
    /// A resource changed.
    Change(ChangeNotification),
    /// Something happened to a subscription.
    Lifecycle(LifecycleNotification),
    /// Notifications were lost: their validation tokens could not be verified in time. Read what changed by a delta
    /// query.
    Lost,
}

/// A resource changed.
///
/// It is a hint. Graph sends some late, twice, in another order or never; a delta query has the truth.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChangeNotification {
    /// The subscription.
    pub subscription_id: String,
    /// When the subscription expires, if Graph said so (UTC).
    pub subscription_expires_on: Option<Timestamp>,
    /// The tenant of the resource.
    pub tenant_id: Option<Guid>,
    /// What happened.
    pub change_type: ChangeType,
    /// The path of what changed, such as `Users/33333333-3333-3333-3333-333333333333`.
    pub resource: String,
    /// The id of the object that changed.
    pub resource_id: Option<String>,
    /// Its type, such as `#Microsoft.Graph.User`.
    pub resource_type: Option<String>,
    /// The resource itself, if the subscription includes resource data.
    pub content: Option<ResourceContent>,
}

/// Something happened to a subscription.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LifecycleNotification {
    /// The subscription.
    pub subscription_id: String,
    /// When the subscription expires, if Graph said so (UTC).
    pub subscription_expires_on: Option<Timestamp>,
    /// The tenant of the subscription.
    pub tenant_id: Option<Guid>,
    /// What happened.
    pub event: LifecycleEventType,
}

/// A changed resource, decrypted. The memory is overwritten on drop; `Debug` shows its length.
#[derive(Clone)]
pub struct ResourceContent(pub(super) Zeroizing<Vec<u8>>);

impl ResourceContent {
    /// The JSON of the resource.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The resource as a type, such as a model of this crate.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) if it is not of this type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.0)
            .map_err(|source| Error::decode("the resource data is not of this type", source))
    }
}

impl fmt::Debug for ResourceContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResourceContent({} bytes)", self.0.len())
    }
}
