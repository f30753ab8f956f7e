use std::{fmt, sync::Arc};

use entra_core::{Guid, ObjectId};
use serde_json::Value;

use super::{FakeTenant, app::guid, set_or_panic};
use crate::{engine::Engine, store::Kind};

impl FakeTenant {
    /// Adds a joined Windows device with `owner` as its owner and user.
    pub fn add_device(&self, display_name: &str, owner: Option<ObjectId>) -> DeviceHandle {
        let now = self.engine.now();
        let owner = owner.map(|owner| owner.to_string());
        let id = self.engine.write().add_device(
            (now, now),
            display_name,
            "Windows",
            "10.0.26100.4652",
            owner.as_deref(),
        );
        DeviceHandle {
            engine: Arc::clone(&self.engine),
            id: id.unwrap_or_else(|_| Guid::NIL.to_string()),
        }
    }
}

/// A device of the tenant. The methods take effect at once.
#[derive(Clone)]
pub struct DeviceHandle {
    engine: Arc<Engine>,
    id: String,
}

impl DeviceHandle {
    /// The object id. The device's own id is the property `deviceId`.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        guid(&self.id).into()
    }

    /// Sets any property. Null removes it.
    ///
    /// # Panics
    /// If the type has no such property, the value has another type or must be unique and is not,
    /// or the object was deleted.
    #[track_caller]
    pub fn set(&self, property: &str, value: Value) {
        set_or_panic(&self.engine, Kind::Device, &self.id, property, value);
    }
}

impl fmt::Debug for DeviceHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceHandle")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
