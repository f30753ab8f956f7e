//! Computers and phones that the tenant knows: `/devices`.

use crate::{
    client::GraphClient,
    key::Key,
    objects::{Device, DirectoryObject},
    operation::operations,
    place::{Collection, Object, places, singles},
    request::Target,
};

operations! {
    LIST = "device-list" GET "/devices" => Collection("device"),
        both ["Device.Read.All", "Directory.Read.All"];
    COUNT = "device-list-count" GET "/devices/$count" => Value,
        both ["Device.Read.All", "Directory.Read.All"];
    GET = "device-get" GET "/devices/{id}" => Object("device"),
        both ["Device.Read.All", "Directory.Read.All"];
    LIST_OWNERS = "device-list-registeredowners" GET "/devices/{id}/registeredOwners" => Collection("directoryObject"),
        both ["Device.Read.All", "Directory.Read.All"];
    LIST_USERS = "device-list-registeredusers" GET "/devices/{id}/registeredUsers" => Collection("directoryObject"),
        both ["Device.Read.All", "Directory.Read.All"];
    LIST_MEMBER_OF = "device-list-memberof" GET "/devices/{id}/memberOf" => Collection("directoryObject"),
        both ["Device.Read.All", "Directory.Read.All"];
    LIST_TRANSITIVE_MEMBER_OF = "device-list-transitivememberof" GET "/devices/{id}/transitiveMemberOf" => Collection("directoryObject"),
        both ["Directory.Read.All"];
}

places! {
    /// `/devices`.
    Devices: Device { list LIST, count COUNT }
    /// `/devices/{id}/registeredOwners`.
    DeviceOwners: DirectoryObject { list LIST_OWNERS }
    /// `/devices/{id}/registeredUsers`.
    DeviceUsers: DirectoryObject { list LIST_USERS }
    /// `/devices/{id}/memberOf`.
    DeviceMemberOf: DirectoryObject { list LIST_MEMBER_OF }
    /// `/devices/{id}/transitiveMemberOf`.
    DeviceTransitiveMemberOf: DirectoryObject { list LIST_TRANSITIVE_MEMBER_OF }
}

singles! {
    /// `/devices/{id}`.
    OneDevice: Device { get GET }
}

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
    ///     .items().try_collect::<Vec<_>>().await?;
    /// assert!(windows.is_sorted_by_key(|device| device.display_name.clone()));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn devices(&self) -> Collection<Devices> {
        Collection::new(Target::root(self).join(&["devices"]))
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
    /// # let devices = graph.devices().list().items().try_collect::<Vec<_>>().await?;
    /// # let known = &devices[0];
    /// # let device_id = known.device_id.as_deref().expect("every device has one");
    /// use entra_graph::Key;
    /// let device = graph.device(Key::device_id(device_id)).get().send().await?;
    /// assert_eq!(device.id, known.id);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn device(&self, id: impl Into<Key>) -> Object<OneDevice> {
        Object::new(Target::root(self).key("devices", &id.into()))
    }
}

impl Object<OneDevice> {
    /// The users who joined or registered the device:
    /// [`GET /devices/{id}/registeredOwners`](https://learn.microsoft.com/graph/api/device-list-registeredowners).
    ///
    /// Takes `Device.Read.All`; what Graph returns of each user beyond the id takes
    /// a permission for users ([`DirectoryObject::is_limited`]).
    #[must_use]
    pub fn registered_owners(&self) -> Collection<DeviceOwners> {
        self.collection("registeredOwners")
    }

    /// The users of the device:
    /// [`GET /devices/{id}/registeredUsers`](https://learn.microsoft.com/graph/api/device-list-registeredusers).
    ///
    /// Takes `Device.Read.All`.
    #[must_use]
    pub fn registered_users(&self) -> Collection<DeviceUsers> {
        self.collection("registeredUsers")
    }

    /// Groups and administrative units that the device is a direct member of:
    /// [`GET /devices/{id}/memberOf`](https://learn.microsoft.com/graph/api/device-list-memberof).
    ///
    /// Takes `Device.Read.All`.
    #[must_use]
    pub fn member_of(&self) -> Collection<DeviceMemberOf> {
        self.collection("memberOf")
    }

    /// Groups and administrative units that the device is a member of, directly or through other groups:
    /// [`GET /devices/{id}/transitiveMemberOf`](https://learn.microsoft.com/graph/api/device-list-transitivememberof).
    ///
    /// Takes `Directory.Read.All`.
    #[must_use]
    pub fn transitive_member_of(&self) -> Collection<DeviceTransitiveMemberOf> {
        self.collection("transitiveMemberOf")
    }
}
