//! People and their accounts: `/users`.

mod membership;
mod model;
pub(crate) mod types;

pub use model::User;

use crate::{
    AppRoleAssignment, DirectoryObject, GraphClient, Key,
    entity::{Entity, EntityInfo, capable, nested},
    handle::{Collection, Resource},
    permissions::{
        COUNT_USERS, GET_USER, GET_USER_MANAGER, LIST_USER_APP_ROLE_ASSIGNMENTS,
        LIST_USER_DIRECT_REPORTS, LIST_USER_MEMBER_OF, LIST_USER_OWNED_DEVICES,
        LIST_USER_OWNED_OBJECTS, LIST_USER_REGISTERED_DEVICES, LIST_USER_TRANSITIVE_MEMBER_OF,
        LIST_USERS,
    },
};

impl GraphClient {
    /// All users: [`GET /users`](https://learn.microsoft.com/graph/api/user-list).
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::User;
    /// let active = graph.users().list()
    ///     .filter(User::ACCOUNT_ENABLED.eq(true))
    ///     .select([User::DISPLAY_NAME, User::USER_PRINCIPAL_NAME])
    ///     .items().collect_all().await?;
    /// assert!(active.iter().all(|user| user.display_name.is_some()));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn users(&self) -> Collection<User> {
        Collection::new(self.clone(), self.target(&["users"]), LIST_USERS).counted_by(COUNT_USERS)
    }

    /// One user, by object id or user principal name:
    /// [`GET /users/{id}`](https://learn.microsoft.com/graph/api/user-get).
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// let adele = graph.user("adele@contoso.com").get().send().await?;
    /// assert_eq!(adele.user_principal_name.as_deref(), Some("adele@contoso.com"));
    /// assert!(graph.user("nobody@contoso.com").get_opt().await?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn user(&self, id: impl Into<Key>) -> Resource<User> {
        Resource::new(self.clone(), self.keyed("users", &id.into()), GET_USER)
    }
}

impl Resource<User> {
    /// Whom the person reports to; a 404 if nobody is recorded.
    #[must_use]
    pub fn manager(&self) -> Resource<DirectoryObject> {
        self.single("manager", GET_USER_MANAGER)
    }

    /// Those who report to the person.
    #[must_use]
    pub fn direct_reports(&self) -> Collection<DirectoryObject> {
        self.collection("directReports", LIST_USER_DIRECT_REPORTS)
    }

    /// Groups, roles and administrative units that the user is a direct member of.
    #[must_use]
    pub fn member_of(&self) -> Collection<DirectoryObject> {
        self.collection("memberOf", LIST_USER_MEMBER_OF)
    }

    /// Groups, roles and administrative units that the user is a member of by whatever way.
    #[must_use]
    pub fn transitive_member_of(&self) -> Collection<DirectoryObject> {
        self.collection("transitiveMemberOf", LIST_USER_TRANSITIVE_MEMBER_OF)
    }

    /// Applications that the user is assigned to, directly or as a direct member of a group.
    #[must_use]
    pub fn app_role_assignments(&self) -> Collection<AppRoleAssignment> {
        self.collection("appRoleAssignments", LIST_USER_APP_ROLE_ASSIGNMENTS)
    }

    /// Objects that the user owns.
    #[must_use]
    pub fn owned_objects(&self) -> Collection<DirectoryObject> {
        self.collection("ownedObjects", LIST_USER_OWNED_OBJECTS)
    }

    /// Devices that the user owns.
    #[must_use]
    pub fn owned_devices(&self) -> Collection<DirectoryObject> {
        self.collection("ownedDevices", LIST_USER_OWNED_DEVICES)
    }

    /// Devices that the user registered.
    #[must_use]
    pub fn registered_devices(&self) -> Collection<DirectoryObject> {
        self.collection("registeredDevices", LIST_USER_REGISTERED_DEVICES)
    }
}
