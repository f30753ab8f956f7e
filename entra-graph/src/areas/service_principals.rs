//! Apps as a tenant has them, with who is assigned to them: `/servicePrincipals`.

mod model;
pub(crate) mod types;

pub use model::ServicePrincipal;

use crate::{
    AppRoleAssignment, DirectoryObject, GraphClient, Key,
    entity::{Entity, EntityInfo, capable, nested},
    handle::{Collection, Resource},
    permissions::{
        COUNT_SERVICE_PRINCIPALS, GET_SERVICE_PRINCIPAL, LIST_APP_ROLE_ASSIGNED_TO,
        LIST_SERVICE_PRINCIPAL_APP_ROLE_ASSIGNMENTS, LIST_SERVICE_PRINCIPAL_MEMBER_OF,
        LIST_SERVICE_PRINCIPAL_OWNERS, LIST_SERVICE_PRINCIPALS,
    },
};

impl GraphClient {
    /// All apps that the tenant has, its own and those of others:
    /// [`GET /servicePrincipals`](https://learn.microsoft.com/graph/api/serviceprincipal-list).
    ///
    /// `Application.Read.All` is enough. Most of them are Microsoft's own; the enterprise apps of the
    /// portal are those with the tag `WindowsAzureActiveDirectoryIntegratedApp`.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::ServicePrincipal;
    /// let apps = graph.service_principals().list()
    ///     .filter(ServicePrincipal::TAGS.any(|tag| tag.eq("WindowsAzureActiveDirectoryIntegratedApp")))
    ///     .select(ServicePrincipal::DISPLAY_NAME)
    ///     .items().collect_all().await?;
    /// assert!(apps.iter().any(|app| app.display_name.as_deref() == Some("Expense Desk")));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn service_principals(&self) -> Collection<ServicePrincipal> {
        Collection::new(
            self.clone(),
            self.target(&["servicePrincipals"]),
            LIST_SERVICE_PRINCIPALS,
        )
        .counted_by(COUNT_SERVICE_PRINCIPALS)
    }

    /// One app of the tenant, by object id or by [`Key::app_id`]:
    /// [`GET /servicePrincipals/{id}`](https://learn.microsoft.com/graph/api/serviceprincipal-get).
    ///
    /// `Application.Read.All` is enough. A [`ClientId`](entra_core::ClientId) is a key as it stands; as
    /// text, a client id must go through [`Key::app_id`], since plain text is an object id.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::Key;
    /// let microsoft_graph = Key::app_id("00000003-0000-0000-c000-000000000000");
    /// let api = graph.service_principal(microsoft_graph).get().send().await?;
    /// let roles = api.app_roles.unwrap_or_default();
    /// assert!(roles.iter().any(|role| role.value.as_deref() == Some("User.Read.All")));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn service_principal(&self, id: impl Into<Key>) -> Resource<ServicePrincipal> {
        Resource::new(
            self.clone(),
            self.keyed("servicePrincipals", &id.into()),
            GET_SERVICE_PRINCIPAL,
        )
    }
}

impl Resource<ServicePrincipal> {
    /// Who is assigned to the app: users, groups and other apps, each with its role:
    /// [`GET /servicePrincipals/{id}/appRoleAssignedTo`](https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignedto).
    ///
    /// `Application.Read.All` is enough. A group is one entry here; its direct members are assigned
    /// through it, members of groups in it are not.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::ServicePrincipal;
    /// let found = graph.service_principals().list()
    ///     .filter(ServicePrincipal::DISPLAY_NAME.eq("Expense Desk"))
    ///     .items().collect_all().await?;
    /// let assigned = graph.service_principal(&found[0].id).app_role_assigned_to().list()
    ///     .items().collect_all().await?;
    /// assert!(assigned.iter().any(|one| one.principal_type.as_deref() == Some("Group")));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn app_role_assigned_to(&self) -> Collection<AppRoleAssignment> {
        self.collection("appRoleAssignedTo", LIST_APP_ROLE_ASSIGNED_TO)
    }

    /// What the app is assigned to itself, such as application permissions of an API:
    /// [`GET /servicePrincipals/{id}/appRoleAssignments`](https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignments).
    ///
    /// `Application.Read.All` is enough.
    #[must_use]
    pub fn app_role_assignments(&self) -> Collection<AppRoleAssignment> {
        self.collection(
            "appRoleAssignments",
            LIST_SERVICE_PRINCIPAL_APP_ROLE_ASSIGNMENTS,
        )
    }

    /// Users and service principals that may change the app in this tenant:
    /// [`GET /servicePrincipals/{id}/owners`](https://learn.microsoft.com/graph/api/serviceprincipal-list-owners).
    ///
    /// `Application.Read.All` is enough.
    #[must_use]
    pub fn owners(&self) -> Collection<DirectoryObject> {
        self.collection("owners", LIST_SERVICE_PRINCIPAL_OWNERS)
    }

    /// Groups, roles and administrative units that the app is a direct member of:
    /// [`GET /servicePrincipals/{id}/memberOf`](https://learn.microsoft.com/graph/api/serviceprincipal-list-memberof).
    ///
    /// `Application.Read.All` is enough.
    #[must_use]
    pub fn member_of(&self) -> Collection<DirectoryObject> {
        self.collection("memberOf", LIST_SERVICE_PRINCIPAL_MEMBER_OF)
    }
}
