//! Computers and phones that the tenant knows: `/devices`.

use entra_core::{Guid, url::Url};

use crate::{
    client::GraphClient,
    key::Key,
    model::Body,
    objects::{Device, DirectoryObject, types::AlternativeSecurityId},
    operation::operations,
    place::{Collection, Object, places, singles},
    request::Target,
    verbs::{New, NewBody},
};

operations! {
    LIST = "device-list" GET "/devices" => Collection("device"),
        both ["Device.Read.All", "Directory.Read.All"];
    COUNT = "device-list-count" GET "/devices/$count" => Value,
        both ["Device.Read.All", "Directory.Read.All"];
    CREATE = "device-post-devices" POST "/devices" => Object("device"),
        delegated ["Directory.AccessAsUser.All"], application [];
    DELTA = "device-delta" GET "/devices/delta" => Collection("device"),
        both ["Device.Read.All"];
    UPDATE = "device-update" PATCH "/devices/{id}" => Nothing,
        delegated ["Directory.AccessAsUser.All"], application ["Device.ReadWrite.All", "Directory.ReadWrite.All"];
    DELETE = "device-delete" DELETE "/devices/{id}" => Nothing,
        delegated ["Directory.AccessAsUser.All"], application ["Device.ReadWrite.All"];
    ADD_OWNER = "device-post-registeredowners" POST(Idempotent) "/devices/{id}/registeredOwners/$ref" => Nothing,
        delegated ["Directory.AccessAsUser.All"], application [];
    REMOVE_OWNER = "device-delete-registeredowners" DELETE "/devices/{id}/registeredOwners/{id}/$ref" => Nothing,
        delegated ["Directory.AccessAsUser.All"], application [];
    ADD_USER = "device-post-registeredusers" POST(Idempotent) "/devices/{id}/registeredUsers/$ref" => Nothing,
        delegated ["Directory.AccessAsUser.All"], application [];
    REMOVE_USER = "device-delete-registeredusers" DELETE "/devices/{id}/registeredUsers/{id}/$ref" => Nothing,
        delegated ["Directory.AccessAsUser.All"], application [];
    GET = "device-get" GET "/devices/{id}" => Object("device"),
        both ["Device.Read.All", "Directory.Read.All"];
    LIST_OWNERS = "device-list-registeredowners" GET "/devices/{id}/registeredOwners" => Collection("directoryObject"),
        both ["Device.Read.All", "Directory.Read.All"];
    LIST_USERS = "device-list-registeredusers" GET "/devices/{id}/registeredUsers" => Collection("directoryObject"),
        both ["Device.Read.All", "Directory.Read.All"];
    CHECK_MEMBER_GROUPS = "device-checkmembergroups" POST(Safe) "/devices/{id}/checkMemberGroups" => Value,
        both ["Device.Read.All", "Directory.Read.All"];
    GET_MEMBER_GROUPS = "device-getmembergroups" POST(Safe) "/devices/{id}/getMemberGroups" => Value,
        both ["Device.Read.All", "Directory.Read.All"];
    CHECK_MEMBER_OBJECTS = "device-checkmemberobjects" POST(Safe) "/devices/{id}/checkMemberObjects" => Value,
        both ["Device.Read.All", "Directory.Read.All"];
    GET_MEMBER_OBJECTS = "device-getmemberobjects" POST(Safe) "/devices/{id}/getMemberObjects" => Value,
        both ["Device.Read.All", "Directory.Read.All"];
    LIST_MEMBER_OF = "device-list-memberof" GET "/devices/{id}/memberOf" => Collection("directoryObject"),
        both ["Device.Read.All", "Directory.Read.All"];
    LIST_TRANSITIVE_MEMBER_OF = "device-list-transitivememberof" GET "/devices/{id}/transitiveMemberOf" => Collection("directoryObject"),
        both ["Device.Read.All", "Directory.Read.All"];
}

places! {
    /// `/devices`.
    Devices: Device { list LIST, count COUNT, create(NewDevice) CREATE read GET, delta DELTA }
    /// `/devices/{id}/registeredOwners`.
    DeviceOwners: DirectoryObject { list LIST_OWNERS, references(ADD_OWNER, REMOVE_OWNER) }
    /// `/devices/{id}/registeredUsers`.
    DeviceUsers: DirectoryObject { list LIST_USERS, references(ADD_USER, REMOVE_USER) }
    /// `/devices/{id}/memberOf`.
    DeviceMemberOf: DirectoryObject { list LIST_MEMBER_OF }
    /// `/devices/{id}/transitiveMemberOf`.
    DeviceTransitiveMemberOf: DirectoryObject { list LIST_TRANSITIVE_MEMBER_OF }
}

singles! {
    /// `/devices/{id}`.
    OneDevice: Device { get GET, update UPDATE, delete DELETE }
}

/// What a device is created from; further properties are set on the [`Create`](crate::query::Create).
#[derive(Clone, Debug)]
pub struct NewDevice {
    body: Body,
}

impl NewDevice {
    /// An enabled device from its required properties: the device id that the device sets at registration, the
    /// name, the keys that identify it, and the operating system with its version.
    #[inline]
    pub fn new(
        device_id: Guid,
        display_name: &str,
        alternative_security_ids: &[AlternativeSecurityId],
        operating_system: &str,
        operating_system_version: &str,
    ) -> Self {
        let mut body = Body::default();
        body.set(Device::ACCOUNT_ENABLED.into_name(), &true);
        body.set::<Vec<AlternativeSecurityId>>(
            Device::ALTERNATIVE_SECURITY_IDS.into_name(),
            alternative_security_ids,
        );
        body.set::<String>(Device::DEVICE_ID.into_name(), &device_id);
        body.set::<String>(Device::DISPLAY_NAME.into_name(), display_name);
        body.set::<String>(Device::OPERATING_SYSTEM.into_name(), operating_system);
        body.set::<String>(
            Device::OPERATING_SYSTEM_VERSION.into_name(),
            operating_system_version,
        );
        Self { body }
    }

    /// The same device, disabled: it cannot sign in until it is enabled.
    #[must_use]
    #[inline]
    pub fn disabled(mut self) -> Self {
        self.body.set(Device::ACCOUNT_ENABLED.into_name(), &false);
        self
    }
}

impl New<Device> for NewDevice {
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

impl GraphClient {
    /// All devices: [`GET /devices`](https://learn.microsoft.com/graph/api/device-list).
    ///
    /// Needs `Device.Read.All`. Creating a device needs the delegated permission `Directory.AccessAsUser.All`
    /// and an administrator who is signed in; an application cannot create one.
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
    #[inline]
    pub fn devices(&self) -> Collection<Devices> {
        Collection::new(Target::root(self).join(&["devices"]))
    }

    /// One device, by object id or by the id that it gave itself, [`Key::device_id`]:
    /// [`GET /devices/{id}`](https://learn.microsoft.com/graph/api/device-get).
    ///
    /// Needs `Device.Read.All`; updating or deleting needs `Device.ReadWrite.All` (application) or
    /// `Directory.AccessAsUser.All` (delegated). A deleted device cannot be restored.
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
    /// Needs `Device.Read.All`; what Graph returns of each user beyond the id takes
    /// a permission for users ([`DirectoryObject::is_limited`]). Adding and removing need the delegated permission
    /// `Directory.AccessAsUser.All`.
    #[must_use]
    #[inline]
    pub fn registered_owners(&self) -> Collection<DeviceOwners> {
        self.collection("registeredOwners")
    }

    /// The users of the device:
    /// [`GET /devices/{id}/registeredUsers`](https://learn.microsoft.com/graph/api/device-list-registeredusers).
    ///
    /// Needs `Device.Read.All`; adding and removing need the delegated permission `Directory.AccessAsUser.All`.
    #[must_use]
    #[inline]
    pub fn registered_users(&self) -> Collection<DeviceUsers> {
        self.collection("registeredUsers")
    }

    /// Groups and administrative units that the device is a direct member of:
    /// [`GET /devices/{id}/memberOf`](https://learn.microsoft.com/graph/api/device-list-memberof).
    ///
    /// Needs `Device.Read.All`.
    /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
    #[must_use]
    #[inline]
    pub fn member_of(&self) -> Collection<DeviceMemberOf> {
        self.collection("memberOf")
    }

    /// Groups and administrative units that the device is a member of, directly or through other groups:
    /// [`GET /devices/{id}/transitiveMemberOf`](https://learn.microsoft.com/graph/api/device-list-transitivememberof).
    ///
    /// Needs `Directory.Read.All`.
    /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
    #[must_use]
    #[inline]
    pub fn transitive_member_of(&self) -> Collection<DeviceTransitiveMemberOf> {
        self.collection("transitiveMemberOf")
    }
}
