//! Apps as a tenant has them, with who is assigned to them: `/servicePrincipals`.

mod keys;

use entra_core::url::Url;

use super::{
    app_role_assignments::{AssignmentPlace, NewAppRoleAssignment},
    deleted_items::{deleted, deleted_list},
};
use crate::{
    client::GraphClient,
    key::Key,
    model::{Body, BodyValue},
    objects::{AppRoleAssignment, DirectoryObject, OAuth2PermissionGrant, ServicePrincipal},
    operation::{Operation, operations},
    place::{Collection, Object, places, singles},
    request::Target,
    verbs::{New, NewBody, Upsert},
};

operations! {
    LIST = "serviceprincipal-list" GET "/servicePrincipals" => Collection("servicePrincipal"),
        both ["Application.Read.All", "Directory.Read.All"];
    COUNT = "serviceprincipal-list-count" GET "/servicePrincipals/$count" => Value,
        both ["Application.Read.All", "Directory.Read.All"];
    GET = "serviceprincipal-get" GET "/servicePrincipals/{id}" => Object("servicePrincipal"),
        both ["Application.Read.All", "Directory.Read.All"];
    CREATE = "serviceprincipal-post-serviceprincipals" POST "/servicePrincipals" => Object("servicePrincipal"),
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"],
        property ["customSecurityAttributes" => CREATE_WITH_SECURITY_ATTRIBUTES];
    CREATE_WITH_SECURITY_ATTRIBUTES = "serviceprincipal-post-serviceprincipals-customsecurityattributes" POST "/servicePrincipals" => Object("servicePrincipal"),
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"],
        with ["CustomSecAttributeAssignment.ReadWrite.All"];
    DELTA = "serviceprincipal-delta" GET "/servicePrincipals/delta" => Collection("servicePrincipal"),
        both ["Application.Read.All", "Directory.Read.All"];
    UPSERT = "serviceprincipal-upsert" PATCH "/servicePrincipals(appId='{appId}')" => Object("servicePrincipal"),
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"],
        property ["customSecurityAttributes" => CREATE_WITH_SECURITY_ATTRIBUTES];
    ADD_KEY = "serviceprincipal-addkey" POST "/servicePrincipals/{id}/addKey" => Nothing,
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"];
    REMOVE_KEY = "serviceprincipal-removekey" POST(Idempotent) "/servicePrincipals/{id}/removeKey" => Nothing,
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"];
    ADD_TOKEN_SIGNING_CERTIFICATE = "serviceprincipal-addtokensigningcertificate" POST "/servicePrincipals/{id}/addTokenSigningCertificate" => Object("selfSignedCertificate"),
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"];
    UPDATE = "serviceprincipal-update" PATCH "/servicePrincipals/{id}" => Nothing,
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"],
        property ["customSecurityAttributes" => ASSIGN_SECURITY_ATTRIBUTES];
    ASSIGN_SECURITY_ATTRIBUTES = "serviceprincipal-update-customsecurityattributes" PATCH "/servicePrincipals/{id}" => Nothing,
        both ["CustomSecAttributeAssignment.ReadWrite.All"], with ["Application.Read.All", "Directory.Read.All"];
    DELETE = "serviceprincipal-delete" DELETE "/servicePrincipals/{id}" => Nothing,
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"];
    ADD_PASSWORD = "serviceprincipal-addpassword" POST "/servicePrincipals/{id}/addPassword" => Object("passwordCredential"),
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"];
    REMOVE_PASSWORD = "serviceprincipal-removepassword" POST(Idempotent) "/servicePrincipals/{id}/removePassword" => Nothing,
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"];
    LIST_ASSIGNED_TO = "serviceprincipal-list-approleassignedto" GET "/servicePrincipals/{id}/appRoleAssignedTo" => Collection("appRoleAssignment"),
        both ["Application.Read.All", "Directory.Read.All"];
    LIST_ASSIGNMENTS = "serviceprincipal-list-approleassignments" GET "/servicePrincipals/{id}/appRoleAssignments" => Collection("appRoleAssignment"),
        both ["Application.Read.All", "Directory.Read.All"];
    ASSIGN_TO = "serviceprincipal-post-approleassignedto" POST "/servicePrincipals/{id}/appRoleAssignedTo" => Object("appRoleAssignment"),
        both ["AppRoleAssignment.ReadWrite.All"], with ["Application.Read.All", "Directory.Read.All"];
    DELETE_ASSIGNED_TO = "serviceprincipal-delete-approleassignedto" DELETE "/servicePrincipals/{id}/appRoleAssignedTo/{id}" => Nothing,
        both ["AppRoleAssignment.ReadWrite.All"];
    ASSIGN = "serviceprincipal-post-approleassignments" POST "/servicePrincipals/{id}/appRoleAssignments" => Object("appRoleAssignment"),
        both ["AppRoleAssignment.ReadWrite.All"], with ["Application.Read.All", "Directory.Read.All"];
    DELETE_ASSIGNMENT = "serviceprincipal-delete-approleassignments" DELETE "/servicePrincipals/{id}/appRoleAssignments/{id}" => Nothing,
        both ["AppRoleAssignment.ReadWrite.All"];
    LIST_PERMISSION_GRANTS = "serviceprincipal-list-oauth2permissiongrants" GET "/servicePrincipals/{id}/oauth2PermissionGrants" => Collection("oAuth2PermissionGrant"),
        both ["Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All"];
    LIST_CREATED_OBJECTS = "serviceprincipal-list-createdobjects" GET "/servicePrincipals/{id}/createdObjects" => Collection("directoryObject"),
        both ["Application.Read.All", "Directory.Read.All"];
    LIST_OWNED_OBJECTS = "serviceprincipal-list-ownedobjects" GET "/servicePrincipals/{id}/ownedObjects" => Collection("directoryObject"),
        both ["Application.Read.All", "Directory.Read.All"];
    LIST_OWNERS = "serviceprincipal-list-owners" GET "/servicePrincipals/{id}/owners" => Collection("directoryObject"),
        both ["Application.Read.All", "Directory.Read.All"];
    ADD_OWNER = "serviceprincipal-post-owners" POST(Idempotent) "/servicePrincipals/{id}/owners/$ref" => Nothing,
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    REMOVE_OWNER = "serviceprincipal-delete-owners" DELETE "/servicePrincipals/{id}/owners/{id}/$ref" => Nothing,
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    LIST_DELETED = "directory-deleteditems-list-serviceprincipals" GET "/directory/deletedItems/microsoft.graph.servicePrincipal" => Collection("servicePrincipal"),
        both ["Application.Read.All", "Directory.Read.All"];
    GET_DELETED = "directory-deleteditems-get-serviceprincipal" GET "/directory/deletedItems/{id}" => Object("servicePrincipal"),
        both ["Application.Read.All", "Directory.Read.All"];
    RESTORE = "directory-deleteditems-restore-serviceprincipal" POST "/directory/deletedItems/{id}/restore" => Object("servicePrincipal"),
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    PURGE = "directory-deleteditems-delete-serviceprincipal" DELETE "/directory/deletedItems/{id}" => Nothing,
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    CHECK_MEMBER_GROUPS = "serviceprincipal-checkmembergroups" POST(Safe) "/servicePrincipals/{id}/checkMemberGroups" => Value,
        both ["Application.Read.All", "Directory.Read.All"];
    GET_MEMBER_GROUPS = "serviceprincipal-getmembergroups" POST(Safe) "/servicePrincipals/{id}/getMemberGroups" => Value,
        both ["Application.Read.All", "Directory.Read.All"];
    CHECK_MEMBER_OBJECTS = "serviceprincipal-checkmemberobjects" POST(Safe) "/servicePrincipals/{id}/checkMemberObjects" => Value,
        both ["Application.Read.All", "Directory.Read.All"];
    GET_MEMBER_OBJECTS = "serviceprincipal-getmemberobjects" POST(Safe) "/servicePrincipals/{id}/getMemberObjects" => Value,
        both ["Application.Read.All", "Directory.Read.All"];
    LIST_TRANSITIVE_MEMBER_OF = "serviceprincipal-list-transitivememberof" GET "/servicePrincipals/{id}/transitiveMemberOf" => Collection("directoryObject"),
        both ["Application.Read.All", "Directory.Read.All"];
    LIST_MEMBER_OF = "serviceprincipal-list-memberof" GET "/servicePrincipals/{id}/memberOf" => Collection("directoryObject"),
        both ["Application.Read.All", "Directory.Read.All"];
}

places! {
    /// `/servicePrincipals`.
    ServicePrincipals: ServicePrincipal { list LIST, count COUNT, create(NewServicePrincipal) CREATE read GET, delta DELTA }
    /// `/servicePrincipals/{id}/appRoleAssignedTo`.
    AppRoleAssignedTo: AppRoleAssignment { list LIST_ASSIGNED_TO, create(NewAppRoleAssignment) ASSIGN_TO }
    /// `/servicePrincipals/{id}/appRoleAssignments`.
    ServicePrincipalAppRoleAssignments: AppRoleAssignment { list LIST_ASSIGNMENTS, create(NewAppRoleAssignment) ASSIGN }
    /// `/servicePrincipals/{id}/oauth2PermissionGrants`.
    ServicePrincipalOAuth2PermissionGrants: OAuth2PermissionGrant { list LIST_PERMISSION_GRANTS }
    /// `/servicePrincipals/{id}/createdObjects`.
    ServicePrincipalCreatedObjects: DirectoryObject { list LIST_CREATED_OBJECTS }
    /// `/servicePrincipals/{id}/ownedObjects`.
    ServicePrincipalOwnedObjects: DirectoryObject { list LIST_OWNED_OBJECTS }
    /// `/servicePrincipals/{id}/owners`.
    ServicePrincipalOwners: DirectoryObject { list LIST_OWNERS, references(ADD_OWNER, REMOVE_OWNER) }
    /// `/directory/deletedItems/microsoft.graph.servicePrincipal`.
    DeletedServicePrincipals: ServicePrincipal { list LIST_DELETED }
    /// `/servicePrincipals/{id}/memberOf`.
    ServicePrincipalMemberOf: DirectoryObject { list LIST_MEMBER_OF }
    /// `/servicePrincipals/{id}/transitiveMemberOf`.
    ServicePrincipalTransitiveMemberOf: DirectoryObject { list LIST_TRANSITIVE_MEMBER_OF }
}

singles! {
    /// `/servicePrincipals/{id}`.
    OneServicePrincipal: ServicePrincipal { get GET, update UPDATE, delete DELETE }
    /// `/directory/deletedItems/{id}` of a service principal.
    DeletedServicePrincipal: ServicePrincipal { get GET_DELETED, restore RESTORE, purge PURGE }
}

/// What a service principal is created from: the client id of an application. Further properties are set
/// on the [`Create`](crate::query::Create).
///
/// ```
/// # async fn example(graph: &entra_graph::GraphClient, client_id: entra_core::ClientId) -> Result<(), entra_graph::Error> {
/// use entra_graph::{NewServicePrincipal, ServicePrincipal};
/// let created = graph.service_principals()
///     .create(NewServicePrincipal::of(client_id))
///     .set(ServicePrincipal::APP_ROLE_ASSIGNMENT_REQUIRED, true)
///     .set(ServicePrincipal::TAGS, ["WindowsAzureActiveDirectoryIntegratedApp"])
///     .send().await?;
/// graph.service_principal(&created.id).update()
///     .set(ServicePrincipal::ACCOUNT_ENABLED, false)
///     .send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NewServicePrincipal {
    body: Body,
}

impl NewServicePrincipal {
    /// The service principal of the application with this client id, registered in this tenant or, as a
    /// multitenant application, in another one.
    ///
    /// If it exists, Graph returns an error ([`Error::is_already_present`](crate::Error::is_already_present)).
    /// Right after its application was created, Graph may not know the application yet.
    #[inline]
    pub fn of(app_id: impl BodyValue<String>) -> Self {
        let mut body = Body::default();
        body.set(ServicePrincipal::APP_ID.into_name(), &app_id);
        Self { body }
    }
}

impl New<ServicePrincipal> for NewServicePrincipal {
    #[inline]
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

/// The body of an upsert whose key is the only required property.
struct NothingRequired;

impl New<ServicePrincipal> for NothingRequired {
    #[inline]
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(Body::default()))
    }
}

impl AssignmentPlace for AppRoleAssignedTo {
    const DELETE: &'static Operation = &DELETE_ASSIGNED_TO;
}

impl AssignmentPlace for ServicePrincipalAppRoleAssignments {
    const DELETE: &'static Operation = &DELETE_ASSIGNMENT;
}

impl GraphClient {
    /// All service principals of the tenant, of its own applications and of others:
    /// [`GET /servicePrincipals`](https://learn.microsoft.com/graph/api/serviceprincipal-list).
    ///
    /// Needs `Application.Read.All`. Most of them are Microsoft's own; enterprise
    /// applications have the tag `WindowsAzureActiveDirectoryIntegratedApp`.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::ServicePrincipal;
    /// let apps = graph.service_principals().list()
    ///     .filter(ServicePrincipal::TAGS.any(|tag| tag.eq("WindowsAzureActiveDirectoryIntegratedApp")))
    ///     .select(ServicePrincipal::DISPLAY_NAME)
    ///     .items().try_collect::<Vec<_>>().await?;
    /// assert!(apps.iter().any(|app| app.display_name.as_deref() == Some("Expense Desk")));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn service_principals(&self) -> Collection<ServicePrincipals> {
        Collection::new(Target::root(self).join(&["servicePrincipals"]))
    }

    /// One service principal, by object id or by [`Key::app_id`]:
    /// [`GET /servicePrincipals/{id}`](https://learn.microsoft.com/graph/api/serviceprincipal-get).
    ///
    /// Needs `Application.Read.All`. A [`ClientId`](entra_core::ClientId) is a key as it stands; as
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
    #[inline]
    pub fn service_principal(&self, id: impl Into<Key>) -> Object<OneServicePrincipal> {
        Object::new(Target::root(self).key("servicePrincipals", &id.into()))
    }

    /// Service principals that were deleted in the last 30 days:
    /// [`GET /directory/deletedItems/microsoft.graph.servicePrincipal`](https://learn.microsoft.com/graph/api/directory-deleteditems-list).
    ///
    /// Needs `Application.Read.All`.
    #[must_use]
    #[inline]
    pub fn deleted_service_principals(&self) -> Collection<DeletedServicePrincipals> {
        deleted_list(self, "microsoft.graph.servicePrincipal")
    }

    /// One deleted service principal, by object id, to read, restore or delete for good:
    /// [`POST /directory/deletedItems/{id}/restore`](https://learn.microsoft.com/graph/api/directory-deleteditems-restore).
    ///
    /// Needs `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it. If it was deleted
    /// with its application, the application has to be restored first.
    #[must_use]
    #[inline]
    pub fn deleted_service_principal(&self, id: impl Into<Key>) -> Object<DeletedServicePrincipal> {
        deleted(self, id)
    }
}

impl Object<OneServicePrincipal> {
    /// The users, groups and service principals that are assigned to the application, each with its role:
    /// [`GET /servicePrincipals/{id}/appRoleAssignedTo`](https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignedto).
    ///
    /// Needs `Application.Read.All`. A group is one entry here; its direct members are assigned
    /// through it, members of groups in it are not.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::ServicePrincipal;
    /// let found = graph.service_principals().list()
    ///     .filter(ServicePrincipal::DISPLAY_NAME.eq("Expense Desk"))
    ///     .items().try_collect::<Vec<_>>().await?;
    /// let assigned = graph.service_principal(&found[0].id).app_role_assigned_to().list()
    ///     .items().try_collect::<Vec<_>>().await?;
    /// assert!(assigned.iter().any(|one| one.principal_type.as_deref() == Some("Group")));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Assigning needs `AppRoleAssignment.ReadWrite.All` together with `Application.Read.All`, and
    /// deleting the former. For a permission of an API this is the administrator's consent:
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
    /// use entra_graph::{Key, NewAppRoleAssignment};
    /// let api = graph.service_principal(Key::app_id("00000003-0000-0000-c000-000000000000"));
    /// let resource = api.get().send().await?;
    /// let client = graph.service_principal(Key::app_id("4f1c1d2e-0000-4000-8000-000000000001")).get().send().await?;
    /// let roles = resource.app_roles.unwrap_or_default();
    /// let role = roles.iter().find(|role| role.value.as_deref() == Some("User.Read.All"));
    /// if let Some(id) = role.and_then(|role| role.id.as_deref()) {
    ///     let new = NewAppRoleAssignment::new(&client.id, &resource.id, id);
    ///     let assignment = api.app_role_assigned_to().create(new).send().await?;
    ///     api.app_role_assigned_to().delete(&assignment.id).send().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[inline]
    pub fn app_role_assigned_to(&self) -> Collection<AppRoleAssignedTo> {
        self.collection("appRoleAssignedTo")
    }

    /// The app roles that the service principal is assigned to, such as application permissions of an API:
    /// [`GET /servicePrincipals/{id}/appRoleAssignments`](https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignments).
    ///
    /// Needs `Application.Read.All`; assigning needs `AppRoleAssignment.ReadWrite.All` together with it, and
    /// deleting needs `AppRoleAssignment.ReadWrite.All`.
    #[must_use]
    #[inline]
    pub fn app_role_assignments(&self) -> Collection<ServicePrincipalAppRoleAssignments> {
        self.collection("appRoleAssignments")
    }

    /// Delegated permissions that the application has:
    /// [`GET /servicePrincipals/{id}/oauth2PermissionGrants`](https://learn.microsoft.com/graph/api/serviceprincipal-list-oauth2permissiongrants).
    ///
    /// Needs `Directory.Read.All`. They are created, changed and deleted at
    /// [`GraphClient::oauth2_permission_grants`].
    #[must_use]
    #[inline]
    pub fn oauth2_permission_grants(&self) -> Collection<ServicePrincipalOAuth2PermissionGrants> {
        self.collection("oauth2PermissionGrants")
    }

    /// Groups and applications that the service principal created:
    /// [`GET /servicePrincipals/{id}/createdObjects`](https://learn.microsoft.com/graph/api/serviceprincipal-list-createdobjects).
    ///
    /// Needs `Application.Read.All`.
    #[must_use]
    #[inline]
    pub fn created_objects(&self) -> Collection<ServicePrincipalCreatedObjects> {
        self.collection("createdObjects")
    }

    /// Objects that the service principal owns:
    /// [`GET /servicePrincipals/{id}/ownedObjects`](https://learn.microsoft.com/graph/api/serviceprincipal-list-ownedobjects).
    ///
    /// Needs `Application.Read.All`.
    #[must_use]
    #[inline]
    pub fn owned_objects(&self) -> Collection<ServicePrincipalOwnedObjects> {
        self.collection("ownedObjects")
    }

    /// Owners, which are users and service principals:
    /// [`GET /servicePrincipals/{id}/owners`](https://learn.microsoft.com/graph/api/serviceprincipal-list-owners).
    ///
    /// Needs `Application.Read.All`; adding and removing need `Application.ReadWrite.All`, or
    /// `Application.ReadWrite.OwnedBy` for an application that is an owner, and `Directory.Read.All`.
    #[must_use]
    #[inline]
    pub fn owners(&self) -> Collection<ServicePrincipalOwners> {
        self.collection("owners")
    }

    /// Groups, roles and administrative units that the service principal is a direct member of:
    /// [`GET /servicePrincipals/{id}/memberOf`](https://learn.microsoft.com/graph/api/serviceprincipal-list-memberof).
    ///
    /// Needs `Application.Read.All`.
    /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
    #[must_use]
    #[inline]
    pub fn member_of(&self) -> Collection<ServicePrincipalMemberOf> {
        self.collection("memberOf")
    }

    /// Groups, roles and administrative units that the service principal is a member of, directly or through groups:
    /// [`GET /servicePrincipals/{id}/transitiveMemberOf`](https://learn.microsoft.com/graph/api/serviceprincipal-list-transitivememberof).
    ///
    /// Needs `Application.Read.All`.
    /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
    #[must_use]
    #[inline]
    pub fn transitive_member_of(&self) -> Collection<ServicePrincipalTransitiveMemberOf> {
        self.collection("transitiveMemberOf")
    }

    /// A request that changes the service principal of the application with this client id, or creates it:
    /// [`PATCH /servicePrincipals(appId='{appId}')`](https://learn.microsoft.com/graph/api/serviceprincipal-upsert) with
    /// `Prefer: create-if-missing`.
    ///
    /// The handle is by client id. Needs `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an
    /// application that owns it. It is safe to send it twice.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient, client_id: entra_core::ClientId) -> Result<(), entra_graph::Error> {
    /// use entra_graph::ServicePrincipal;
    /// let created = graph.service_principal(client_id).create_or_update()
    ///     .set(ServicePrincipal::APP_ROLE_ASSIGNMENT_REQUIRED, true)
    ///     .send().await?;
    /// println!("{}", if created.is_some() { "created" } else { "changed" });
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn create_or_update(&self) -> Upsert<ServicePrincipal> {
        Upsert::new(self.target().clone(), &UPSERT, NothingRequired)
    }
}
