//! Directory roles: definitions and assignments at `/roleManagement/directory`, and the older `/directoryRoles`.

use std::fmt;

use entra_core::{Guid, url::Url};

use crate::{
    client::GraphClient,
    key::Key,
    model::{Body, BodyValue},
    objects::{
        DirectoryObject, DirectoryRole, DirectoryRoleTemplate, ScopedRoleMembership,
        UnifiedRoleAssignment, UnifiedRoleDefinition, types::UnifiedRolePermission,
    },
    operation::{Version, operations},
    place::{Collection, Object, places, singles},
    request::Target,
    verbs::{New, NewBody},
};

operations! {
    LIST_DEFINITIONS = "rbacapplication-list-roledefinitions" GET "/roleManagement/directory/roleDefinitions" => Collection("unifiedRoleDefinition"),
        both ["RoleManagement.Read.Directory", "RoleManagement.Read.All", "Directory.Read.All"];
    CREATE_DEFINITION = "rbacapplication-post-roledefinitions" POST "/roleManagement/directory/roleDefinitions" => Object("unifiedRoleDefinition"),
        both ["RoleManagement.ReadWrite.Directory", "Directory.ReadWrite.All"];
    GET_DEFINITION = "unifiedroledefinition-get" GET "/roleManagement/directory/roleDefinitions/{id}" => Object("unifiedRoleDefinition"),
        both ["RoleManagement.Read.Directory", "RoleManagement.Read.All", "Directory.Read.All"];
    UPDATE_DEFINITION = "unifiedroledefinition-update" PATCH "/roleManagement/directory/roleDefinitions/{id}" => Nothing,
        both ["RoleManagement.ReadWrite.Directory", "Directory.ReadWrite.All"];
    DELETE_DEFINITION = "unifiedroledefinition-delete" DELETE "/roleManagement/directory/roleDefinitions/{id}" => Nothing,
        both ["RoleManagement.ReadWrite.Directory", "Directory.ReadWrite.All"];
    LIST_ASSIGNMENTS = "rbacapplication-list-roleassignments" GET "/roleManagement/directory/roleAssignments" => Collection("unifiedRoleAssignment"),
        delegated ["RoleManagement.Read.Directory", "RoleManagement.Read.All", "Directory.Read.All"],
        application ["RoleManagement.Read.Directory", "Directory.Read.All"];
    CREATE_ASSIGNMENT = "rbacapplication-post-roleassignments" POST "/roleManagement/directory/roleAssignments" => Object("unifiedRoleAssignment"),
        both ["RoleManagement.ReadWrite.Directory"];
    LIST_TRANSITIVE_ASSIGNMENTS = "rbacapplication-list-transitiveroleassignments" GET @ Beta "/roleManagement/directory/transitiveRoleAssignments" => Collection("unifiedRoleAssignment"),
        both ["RoleManagement.Read.Directory", "Directory.Read.All"];
    GET_ASSIGNMENT = "unifiedroleassignment-get" GET "/roleManagement/directory/roleAssignments/{id}" => Object("unifiedRoleAssignment"),
        delegated ["RoleManagement.Read.Directory", "RoleManagement.Read.All", "Directory.Read.All"],
        application ["RoleManagement.Read.Directory", "Directory.Read.All"];
    DELETE_ASSIGNMENT = "unifiedroleassignment-delete" DELETE "/roleManagement/directory/roleAssignments/{id}" => Nothing,
        both ["RoleManagement.ReadWrite.Directory"];
    LIST_ROLES = "directoryrole-list" GET "/directoryRoles" => Collection("directoryRole"),
        both ["RoleManagement.Read.Directory", "Directory.Read.All"];
    ACTIVATE_ROLE = "directoryrole-post-directoryroles" POST "/directoryRoles" => Object("directoryRole"),
        both ["RoleManagement.ReadWrite.Directory"];
    DELTA_ROLES = "directoryrole-delta" GET "/directoryRoles/delta" => Collection("directoryRole"),
        both ["RoleManagement.Read.Directory", "Directory.Read.All"];
    GET_ROLE = "directoryrole-get" GET "/directoryRoles/{id}" => Object("directoryRole"),
        both ["RoleManagement.Read.Directory", "Directory.Read.All"];
    LIST_MEMBERS = "directoryrole-list-members" GET "/directoryRoles/{id}/members" => Collection("directoryObject"),
        both ["RoleManagement.Read.Directory", "Directory.Read.All"];
    ADD_MEMBER = "directoryrole-post-members" POST(Idempotent) "/directoryRoles/{id}/members/$ref" => Nothing,
        both ["RoleManagement.ReadWrite.Directory"];
    REMOVE_MEMBER = "directoryrole-delete-member" DELETE "/directoryRoles/{id}/members/{id}/$ref" => Nothing,
        both ["RoleManagement.ReadWrite.Directory"];
    LIST_SCOPED_MEMBERS = "directoryrole-list-scopedmembers" GET "/directoryRoles/{id}/scopedMembers" => Collection("scopedRoleMembership"),
        both ["RoleManagement.Read.Directory", "Directory.Read.All"];
    LIST_TEMPLATES = "directoryroletemplate-list" GET "/directoryRoleTemplates" => Collection("directoryRoleTemplate"),
        both ["RoleManagement.Read.Directory", "Directory.Read.All"];
    GET_TEMPLATE = "directoryroletemplate-get" GET "/directoryRoleTemplates/{id}" => Object("directoryRoleTemplate"),
        both ["RoleManagement.Read.Directory", "Directory.Read.All"];
}

places! {
    /// `/roleManagement/directory/roleDefinitions`.
    RoleDefinitions: UnifiedRoleDefinition { list LIST_DEFINITIONS, create(NewUnifiedRoleDefinition) CREATE_DEFINITION read GET_DEFINITION }
    /// `/roleManagement/directory/roleAssignments`.
    RoleAssignments: UnifiedRoleAssignment { list LIST_ASSIGNMENTS, create(NewUnifiedRoleAssignment) CREATE_ASSIGNMENT read GET_ASSIGNMENT }
    /// `/roleManagement/directory/transitiveRoleAssignments` of beta.
    TransitiveRoleAssignments: UnifiedRoleAssignment { list LIST_TRANSITIVE_ASSIGNMENTS }
    /// `/directoryRoles`.
    DirectoryRoles: DirectoryRole { list LIST_ROLES, create(NewDirectoryRole) ACTIVATE_ROLE read GET_ROLE, delta DELTA_ROLES }
    /// `/directoryRoles/{id}/members`.
    DirectoryRoleMembers: DirectoryObject { list LIST_MEMBERS, references(ADD_MEMBER, REMOVE_MEMBER) }
    /// `/directoryRoles/{id}/scopedMembers`.
    DirectoryRoleScopedMembers: ScopedRoleMembership { list LIST_SCOPED_MEMBERS }
    /// `/directoryRoleTemplates`.
    DirectoryRoleTemplates: DirectoryRoleTemplate { list LIST_TEMPLATES }
}

singles! {
    /// `/roleManagement/directory/roleDefinitions/{id}`.
    OneRoleDefinition: UnifiedRoleDefinition { get GET_DEFINITION, update UPDATE_DEFINITION, delete DELETE_DEFINITION }
    /// `/roleManagement/directory/roleAssignments/{id}`.
    OneRoleAssignment: UnifiedRoleAssignment { get GET_ASSIGNMENT, delete DELETE_ASSIGNMENT }
    /// `/directoryRoles/{id}`.
    OneDirectoryRole: DirectoryRole { get GET_ROLE }
    /// `/directoryRoleTemplates/{id}`.
    OneDirectoryRoleTemplate: DirectoryRoleTemplate { get GET_TEMPLATE }
}

/// What a custom role is created from; further properties are set on the [`Create`](crate::query::Create).
#[derive(Clone, Debug)]
pub struct NewUnifiedRoleDefinition {
    body: Body,
}

impl NewUnifiedRoleDefinition {
    /// A role that can be assigned, from its required properties: the display name and what it allows.
    pub fn new(display_name: &str, role_permissions: &[UnifiedRolePermission]) -> Self {
        let mut body = Body::default();
        body.set::<String>(
            UnifiedRoleDefinition::DISPLAY_NAME.into_name(),
            display_name,
        );
        body.set::<Vec<UnifiedRolePermission>>(
            UnifiedRoleDefinition::ROLE_PERMISSIONS.into_name(),
            role_permissions,
        );
        body.set(UnifiedRoleDefinition::IS_ENABLED.into_name(), &true);
        Self { body }
    }
}

impl New<UnifiedRoleDefinition> for NewUnifiedRoleDefinition {
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

/// What a role assignment is created from.
#[derive(Clone, Debug)]
pub struct NewUnifiedRoleAssignment {
    body: Body,
}

impl NewUnifiedRoleAssignment {
    /// The role over the whole directory, for a user, a service principal, or a role-assignable group.
    pub fn new(
        role_definition_id: impl BodyValue<Guid>,
        principal_id: impl BodyValue<Guid>,
    ) -> Self {
        let mut body = Body::default();
        body.set::<String>("@odata.type", "#microsoft.graph.unifiedRoleAssignment");
        body.set::<Guid>(
            UnifiedRoleAssignment::ROLE_DEFINITION_ID.into_name(),
            &role_definition_id,
        );
        body.set::<Guid>(
            UnifiedRoleAssignment::PRINCIPAL_ID.into_name(),
            &principal_id,
        );
        Self { body }.over("/")
    }

    /// The same over the users, groups and devices of an administrative unit.
    #[must_use]
    pub fn over_administrative_unit(self, id: impl fmt::Display) -> Self {
        self.over(&format!("/administrativeUnits/{id}"))
    }

    /// The same over one application or service principal, by object id.
    #[must_use]
    pub fn over_application(self, id: impl fmt::Display) -> Self {
        self.over(&format!("/{id}"))
    }

    fn over(mut self, scope: &str) -> Self {
        self.body
            .set::<String>(UnifiedRoleAssignment::DIRECTORY_SCOPE_ID.into_name(), scope);
        self
    }
}

impl New<UnifiedRoleAssignment> for NewUnifiedRoleAssignment {
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

/// What a directory role is activated from: its template.
#[derive(Clone, Debug)]
pub struct NewDirectoryRole {
    body: Body,
}

impl NewDirectoryRole {
    /// The role of a [`DirectoryRoleTemplate`], by the id of the template.
    pub fn from_template(role_template_id: impl BodyValue<Guid>) -> Self {
        let mut body = Body::default();
        body.set::<Guid>(
            DirectoryRole::ROLE_TEMPLATE_ID.into_name(),
            &role_template_id,
        );
        Self { body }
    }
}

impl New<DirectoryRole> for NewDirectoryRole {
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

impl GraphClient {
    /// All directory role definitions, built-in and custom:
    /// [`GET /roleManagement/directory/roleDefinitions`](https://learn.microsoft.com/graph/api/rbacapplication-list-roledefinitions).
    ///
    /// Needs `RoleManagement.Read.Directory`; creating custom roles needs `RoleManagement.ReadWrite.Directory`.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::UnifiedRoleDefinition;
    /// let readers = graph.role_definitions().list()
    ///     .filter(UnifiedRoleDefinition::DISPLAY_NAME.eq("Global Reader"))
    ///     .items().try_collect::<Vec<_>>().await?;
    /// assert_eq!(readers[0].is_built_in, Some(true));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn role_definitions(&self) -> Collection<RoleDefinitions> {
        Collection::new(directory(self).join(&["roleDefinitions"]))
    }

    /// One directory role definition, by id:
    /// [`GET /roleManagement/directory/roleDefinitions/{id}`](https://learn.microsoft.com/graph/api/unifiedroledefinition-get).
    ///
    /// Needs `RoleManagement.Read.Directory`; updating or deleting a custom role needs     /// `RoleManagement.ReadWrite.Directory`. Built-in roles cannot be changed.
    #[must_use]
    pub fn role_definition(&self, id: impl Into<Key>) -> Object<OneRoleDefinition> {
        Object::new(directory(self).key("roleDefinitions", &id.into()))
    }

    /// Directory role assignments:
    /// [`GET /roleManagement/directory/roleAssignments`](https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments).
    ///
    /// Needs `RoleManagement.Read.Directory`; creating needs `RoleManagement.ReadWrite.Directory`. An assignment
    /// has no update: delete it and create another one.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient, robin: entra_core::ObjectId) -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_graph::{NewUnifiedRoleAssignment, UnifiedRoleAssignment};
    /// let user_administrator = "fe930be7-5e62-47db-91af-98c3a49a38b1";
    /// graph.role_assignments().create(NewUnifiedRoleAssignment::new(user_administrator, robin)).send().await?;
    /// let roles = graph.role_assignments().list()
    ///     .filter(UnifiedRoleAssignment::PRINCIPAL_ID.eq(robin.to_string()))
    ///     .expand(UnifiedRoleAssignment::ROLE_DEFINITION)
    ///     .items().try_collect::<Vec<_>>().await?;
    /// # let _ = roles;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn role_assignments(&self) -> Collection<RoleAssignments> {
        Collection::new(directory(self).join(&["roleAssignments"]))
    }

    /// One directory role assignment, by id:
    /// [`GET /roleManagement/directory/roleAssignments/{id}`](https://learn.microsoft.com/graph/api/unifiedroleassignment-get).
    ///
    /// Needs `RoleManagement.Read.Directory`; deleting needs `RoleManagement.ReadWrite.Directory`.
    #[must_use]
    pub fn role_assignment(&self, id: impl Into<Key>) -> Object<OneRoleAssignment> {
        Object::new(directory(self).key("roleAssignments", &id.into()))
    }

    /// The role assignments of a principal and of the groups that it is in:
    /// [`GET /roleManagement/directory/transitiveRoleAssignments` of beta](https://learn.microsoft.com/graph/api/rbacapplication-list-transitiveroleassignments?view=graph-rest-beta).
    ///
    /// Needs `RoleManagement.Read.Directory`. The filter must name the principal; roles and scopes can narrow it. An
    /// assignment by a group has the group as its principal.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient, adele: entra_core::ObjectId) -> Result<(), entra_graph::Error> {
    /// use entra_graph::UnifiedRoleAssignment;
    /// let roles = graph.transitive_role_assignments().list()
    ///     .filter(UnifiedRoleAssignment::PRINCIPAL_ID.eq(adele))
    ///     .items().try_collect::<Vec<_>>().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn transitive_role_assignments(&self) -> Collection<TransitiveRoleAssignments> {
        let beta = Target::version(self, Version::Beta);
        let mut target = beta.join(&["roleManagement", "directory", "transitiveRoleAssignments"]);
        target.advanced = true;
        target.without = &["$expand", "$top"];
        Collection::new(target)
    }

    /// Directory roles that are activated in the tenant:
    /// [`GET /directoryRoles`](https://learn.microsoft.com/graph/api/directoryrole-list).
    ///
    /// Needs `RoleManagement.Read.Directory`; activating a role needs `RoleManagement.ReadWrite.Directory`.
    /// [`role_assignments`](Self::role_assignments) needs no activation, and has scopes and custom roles.
    #[must_use]
    pub fn directory_roles(&self) -> Collection<DirectoryRoles> {
        Collection::new(Target::root(self).join(&["directoryRoles"]))
    }

    /// One activated directory role, by object id or by its template, [`Key::role_template_id`]:
    /// [`GET /directoryRoles/{id}`](https://learn.microsoft.com/graph/api/directoryrole-get).
    ///
    /// Needs `RoleManagement.Read.Directory`.
    #[must_use]
    pub fn directory_role(&self, id: impl Into<Key>) -> Object<OneDirectoryRole> {
        Object::new(Target::root(self).key("directoryRoles", &id.into()))
    }

    /// The built-in roles that can be activated:
    /// [`GET /directoryRoleTemplates`](https://learn.microsoft.com/graph/api/directoryroletemplate-list).
    ///
    /// Needs `RoleManagement.Read.Directory`.
    #[must_use]
    pub fn directory_role_templates(&self) -> Collection<DirectoryRoleTemplates> {
        Collection::new(Target::root(self).join(&["directoryRoleTemplates"]))
    }

    /// One built-in role that can be activated, by id:
    /// [`GET /directoryRoleTemplates/{id}`](https://learn.microsoft.com/graph/api/directoryroletemplate-get).
    ///
    /// Needs `RoleManagement.Read.Directory`.
    #[must_use]
    pub fn directory_role_template(&self, id: impl Into<Key>) -> Object<OneDirectoryRoleTemplate> {
        Object::new(Target::root(self).key("directoryRoleTemplates", &id.into()))
    }
}

impl Object<OneDirectoryRole> {
    /// Users, service principals and role-assignable groups that have the role over the whole directory:
    /// [`GET /directoryRoles/{id}/members`](https://learn.microsoft.com/graph/api/directoryrole-list-members).
    ///
    /// Needs `RoleManagement.Read.Directory`; adding and removing need `RoleManagement.ReadWrite.Directory`.
    #[must_use]
    pub fn members(&self) -> Collection<DirectoryRoleMembers> {
        self.collection("members")
    }

    /// Users, service principals and role-assignable groups that have the role over an administrative unit, each with the
    /// unit: [`GET /directoryRoles/{id}/scopedMembers`](https://learn.microsoft.com/graph/api/directoryrole-list-scopedmembers).
    ///
    /// Needs `RoleManagement.Read.Directory`.
    #[must_use]
    pub fn scoped_members(&self) -> Collection<DirectoryRoleScopedMembers> {
        self.collection("scopedMembers")
    }
}

fn directory(client: &GraphClient) -> Target {
    Target::root(client).join(&["roleManagement", "directory"])
}
