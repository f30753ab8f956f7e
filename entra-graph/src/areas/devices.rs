//! Computers and phones that the tenant knows: `/devices`.

mod model;
pub(crate) mod types;

pub use model::Device;

use crate::{
    DirectoryObject, GraphClient, Key,
    entity::{Entity, EntityInfo, capable, nested},
    handle::{Collection, Resource},
    permissions::{
        COUNT_DEVICES, GET_DEVICE, LIST_DEVICE_MEMBER_OF, LIST_DEVICE_OWNERS,
        LIST_DEVICE_TRANSITIVE_MEMBER_OF, LIST_DEVICE_USERS, LIST_DEVICES,
    },
};

impl GraphClient {
    /// All devices: [`GET /devices`](https://learn.microsoft.com/graph/api/device-list).
    ///
    /// Takes `Device.Read.All`.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::Device;
    /// let windows = graph.devices().list()
    ///     .filter(Device::OPERATING_SYSTEM.starts_with("Windows"))
    ///     .order_by(Device::DISPLAY_NAME.asc())
    ///     .items().collect_all().await?;
    /// assert!(windows.is_sorted_by_key(|device| device.display_name.clone()));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn devices(&self) -> Collection<Device> {
        Collection::new(self.clone(), self.target(&["devices"]), LIST_DEVICES)
            .counted_by(COUNT_DEVICES)
    }

    /// One device, by object id or by the id that it gave itself, [`Key::device_id`]:
    /// [`GET /devices/{id}`](https://learn.microsoft.com/graph/api/device-get).
    ///
    /// Takes `Device.Read.All`.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// # let devices = graph.devices().list().items().collect_all().await?;
    /// # let known = &devices[0];
    /// # let device_id = known.device_id.as_deref().expect("every device has one");
    /// use entra_graph::Key;
    /// let device = graph.device(Key::device_id(device_id)).get().send().await?;
    /// assert_eq!(device.id, known.id);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn device(&self, id: impl Into<Key>) -> Resource<Device> {
        Resource::new(self.clone(), self.keyed("devices", &id.into()), GET_DEVICE)
    }
}

impl Resource<Device> {
    /// Who joined or registered the device:
    /// [`GET /devices/{id}/registeredOwners`](https://learn.microsoft.com/graph/api/device-list-registeredowners).
    ///
    /// Takes `Device.Read.All`; what Graph tells of each person beyond the id takes
    /// a permission for users ([`DirectoryObject::is_limited`]).
    #[must_use]
    pub fn registered_owners(&self) -> Collection<DirectoryObject> {
        self.collection("registeredOwners", LIST_DEVICE_OWNERS)
    }

    /// Who uses the device:
    /// [`GET /devices/{id}/registeredUsers`](https://learn.microsoft.com/graph/api/device-list-registeredusers).
    ///
    /// Takes `Device.Read.All`, as the owners do.
    #[must_use]
    pub fn registered_users(&self) -> Collection<DirectoryObject> {
        self.collection("registeredUsers", LIST_DEVICE_USERS)
    }

    /// Groups and administrative units that the device is a direct member of:
    /// [`GET /devices/{id}/memberOf`](https://learn.microsoft.com/graph/api/device-list-memberof).
    ///
    /// Takes `Device.Read.All`.
    #[must_use]
    pub fn member_of(&self) -> Collection<DirectoryObject> {
        self.collection("memberOf", LIST_DEVICE_MEMBER_OF)
    }

    /// Groups and administrative units that the device is a member of by whatever way:
    /// [`GET /devices/{id}/transitiveMemberOf`](https://learn.microsoft.com/graph/api/device-list-transitivememberof).
    ///
    /// Takes `Directory.Read.All`.
    #[must_use]
    pub fn transitive_member_of(&self) -> Collection<DirectoryObject> {
        self.collection("transitiveMemberOf", LIST_DEVICE_TRANSITIVE_MEMBER_OF)
    }
}
