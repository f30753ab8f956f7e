//! Administrative units and their members: `/directory/administrativeUnits`.

use entra_core::{ObjectId, url::Url};

use super::{
    deleted_items::{deleted, deleted_list},
    users::UserPlace,
};
use crate::{
    client::GraphClient,
    key::Key,
    model::Body,
    objects::{AdministrativeUnit, DirectoryObject, ScopedRoleMembership, types::Identity},
    operation::operations,
    place::{Collection, Object, places, singles},
    request::Target,
    verbs::{New, NewBody},
};

operations! {
    LIST = "directory-list-administrativeunits" GET "/directory/administrativeUnits" => Collection("administrativeUnit"),
        both ["AdministrativeUnit.Read.All", "Directory.Read.All"];
    COUNT = "directory-list-administrativeunits-count" GET "/directory/administrativeUnits/$count" => Value,
        both ["AdministrativeUnit.Read.All", "Directory.Read.All"];
    CREATE = "directory-post-administrativeunits" POST "/directory/administrativeUnits" => Object("administrativeUnit"),
        both ["AdministrativeUnit.ReadWrite.All"];
    DELTA = "administrativeunit-delta" GET "/directory/administrativeUnits/delta" => Collection("administrativeUnit"),
        both ["AdministrativeUnit.Read.All", "Directory.Read.All"];
    GET = "administrativeunit-get" GET "/directory/administrativeUnits/{id}" => Object("administrativeUnit"),
        both ["AdministrativeUnit.Read.All", "Directory.Read.All"];
    UPDATE = "administrativeunit-update" PATCH "/directory/administrativeUnits/{id}" => Nothing,
        both ["AdministrativeUnit.ReadWrite.All"];
    DELETE = "administrativeunit-delete" DELETE "/directory/administrativeUnits/{id}" => Nothing,
        both ["AdministrativeUnit.ReadWrite.All"];
    LIST_MEMBERS = "administrativeunit-list-members" GET "/directory/administrativeUnits/{id}/members" => Collection("directoryObject"),
        both ["AdministrativeUnit.Read.All", "Directory.Read.All"];
    GET_MEMBER = "administrativeunit-get-members" GET "/directory/administrativeUnits/{id}/members/{id}" => Object("directoryObject"),
        both ["AdministrativeUnit.Read.All", "Directory.Read.All"];
    ADD_MEMBER = "administrativeunit-post-members" POST(Idempotent) "/directory/administrativeUnits/{id}/members/$ref" => Nothing,
        both ["AdministrativeUnit.ReadWrite.All"];
    REMOVE_MEMBER = "administrativeunit-delete-members" DELETE "/directory/administrativeUnits/{id}/members/{id}/$ref" => Nothing,
        both ["AdministrativeUnit.ReadWrite.All"];
    LIST_SCOPED_MEMBERS = "administrativeunit-list-scopedrolemembers" GET "/directory/administrativeUnits/{id}/scopedRoleMembers" => Collection("scopedRoleMembership"),
        both ["RoleManagement.Read.Directory", "Directory.Read.All"];
    ADD_SCOPED_MEMBER = "administrativeunit-post-scopedrolemembers" POST "/directory/administrativeUnits/{id}/scopedRoleMembers" => Object("scopedRoleMembership"),
        both ["RoleManagement.ReadWrite.Directory"];
    GET_SCOPED_MEMBER = "administrativeunit-get-scopedrolemembers" GET "/directory/administrativeUnits/{id}/scopedRoleMembers/{id}" => Object("scopedRoleMembership"),
        both ["RoleManagement.Read.Directory", "Directory.Read.All"];
    REMOVE_SCOPED_MEMBER = "administrativeunit-delete-scopedrolemembers" DELETE "/directory/administrativeUnits/{id}/scopedRoleMembers/{id}" => Nothing,
        both ["RoleManagement.ReadWrite.Directory"];
    LIST_SCOPED_OF_USER = "user-list-scopedrolememberof" GET "/users/{id}/scopedRoleMemberOf" => Collection("scopedRoleMembership"),
        both ["Directory.Read.All"];
    LIST_DELETED = "directory-deleteditems-list-administrativeunits" GET "/directory/deletedItems/microsoft.graph.administrativeUnit" => Collection("administrativeUnit"),
        both ["AdministrativeUnit.Read.All", "Directory.Read.All"];
    GET_DELETED = "directory-deleteditems-get-administrativeunit" GET "/directory/deletedItems/{id}" => Object("administrativeUnit"),
        both ["AdministrativeUnit.Read.All", "Directory.Read.All"];
    RESTORE = "directory-deleteditems-restore-administrativeunit" POST "/directory/deletedItems/{id}/restore" => Object("administrativeUnit"),
        both ["AdministrativeUnit.ReadWrite.All"];
}

places! {
    /// `/directory/administrativeUnits`.
    AdministrativeUnits: AdministrativeUnit { list LIST, count COUNT, create(NewAdministrativeUnit) CREATE read GET, delta DELTA }
    /// `/directory/administrativeUnits/{id}/members`.
    AdministrativeUnitMembers: DirectoryObject { list LIST_MEMBERS, references(ADD_MEMBER, REMOVE_MEMBER) }
    /// `/directory/administrativeUnits/{id}/scopedRoleMembers`.
    ScopedRoleMembers: ScopedRoleMembership { list LIST_SCOPED_MEMBERS, create(NewScopedRoleMembership) ADD_SCOPED_MEMBER read GET_SCOPED_MEMBER }
    /// `/users/{id}/scopedRoleMemberOf`.
    ScopedRoleMemberOf: ScopedRoleMembership { list LIST_SCOPED_OF_USER }
    /// `/directory/deletedItems/microsoft.graph.administrativeUnit`.
    DeletedAdministrativeUnits: AdministrativeUnit { list LIST_DELETED }
}

singles! {
    /// `/directory/administrativeUnits/{id}`.
    OneAdministrativeUnit: AdministrativeUnit { get GET, update UPDATE, delete DELETE }
    /// `/directory/administrativeUnits/{id}/members/{id}`.
    OneAdministrativeUnitMember: DirectoryObject { get GET_MEMBER }
    /// `/directory/administrativeUnits/{id}/scopedRoleMembers/{id}`.
    OneScopedRoleMember: ScopedRoleMembership { get GET_SCOPED_MEMBER, delete REMOVE_SCOPED_MEMBER }
    /// `/directory/deletedItems/{id}` of an administrative unit.
    DeletedAdministrativeUnit: AdministrativeUnit { get GET_DELETED, restore RESTORE }
}

/// What an administrative unit is created from; further properties are set on the
/// [`Create`](crate::query::Create).
#[derive(Clone, Debug)]
pub struct NewAdministrativeUnit {
    body: Body,
}

impl NewAdministrativeUnit {
    /// A unit from its required property, the display name.
    pub fn new(display_name: &str) -> Self {
        let mut body = Body::default();
        body.set::<String>(AdministrativeUnit::DISPLAY_NAME.into_name(), display_name);
        Self { body }
    }
}

impl New<AdministrativeUnit> for NewAdministrativeUnit {
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

/// What a directory role over an administrative unit is created from.
#[derive(Clone, Debug)]
pub struct NewScopedRoleMembership {
    body: Body,
}

impl NewScopedRoleMembership {
    /// The role, by the object id of the activated directory role, for a user, a service principal, or a
    /// role-assignable group.
    pub fn new(role_id: ObjectId, member_id: ObjectId) -> Self {
        let mut body = Body::default();
        body.set::<String>(ScopedRoleMembership::ROLE_ID.into_name(), &role_id);
        let member = Identity::default().id(member_id.to_string());
        body.set::<Identity>(ScopedRoleMembership::ROLE_MEMBER_INFO.into_name(), &member);
        Self { body }
    }
}

impl New<ScopedRoleMembership> for NewScopedRoleMembership {
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

impl GraphClient {
    /// All administrative units:
    /// [`GET /directory/administrativeUnits`](https://learn.microsoft.com/graph/api/directory-list-administrativeunits).
    ///
    /// Needs `AdministrativeUnit.Read.All`; creating units needs `AdministrativeUnit.ReadWrite.All`.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient, robin: entra_core::ObjectId) -> Result<(), entra_graph::Error> {
    /// use entra_graph::{AdministrativeUnit, NewAdministrativeUnit};
    /// let unit = graph.administrative_units()
    ///     .create(NewAdministrativeUnit::new("Seattle schools"))
    ///     .set(AdministrativeUnit::VISIBILITY, "HiddenMembership")
    ///     .send().await?;
    /// graph.administrative_unit(&unit.id).members().add(robin).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn administrative_units(&self) -> Collection<AdministrativeUnits> {
        Collection::new(Target::root(self).join(&["directory", "administrativeUnits"]))
    }

    /// One administrative unit, by object id:
    /// [`GET /directory/administrativeUnits/{id}`](https://learn.microsoft.com/graph/api/administrativeunit-get).
    ///
    /// Needs `AdministrativeUnit.Read.All`; updating or deleting needs `AdministrativeUnit.ReadWrite.All`.
    #[must_use]
    pub fn administrative_unit(&self, id: impl Into<Key>) -> Object<OneAdministrativeUnit> {
        let directory = Target::root(self).join(&["directory"]);
        Object::new(directory.key("administrativeUnits", &id.into()))
    }

    /// Administrative units that were deleted in the last 30 days:
    /// [`GET /directory/deletedItems/microsoft.graph.administrativeUnit`](https://learn.microsoft.com/graph/api/directory-deleteditems-list).
    ///
    /// Needs `AdministrativeUnit.Read.All`.
    #[must_use]
    pub fn deleted_administrative_units(&self) -> Collection<DeletedAdministrativeUnits> {
        deleted_list(self, "microsoft.graph.administrativeUnit")
    }

    /// One deleted administrative unit, by object id, to read or restore:
    /// [`POST /directory/deletedItems/{id}/restore`](https://learn.microsoft.com/graph/api/directory-deleteditems-restore).
    ///
    /// Needs `AdministrativeUnit.Read.All`; restoring needs `AdministrativeUnit.ReadWrite.All`. Graph does not
    /// purge administrative units on request:
    ///
    /// ```compile_fail,E0277
    /// # fn example(graph: &entra_graph::GraphClient) {
    /// graph.deleted_administrative_unit("8f9c").purge();
    /// # }
    /// ```
    #[must_use]
    pub fn deleted_administrative_unit(
        &self,
        id: impl Into<Key>,
    ) -> Object<DeletedAdministrativeUnit> {
        deleted(self, id)
    }
}

impl Object<OneAdministrativeUnit> {
    /// Direct members, which are users, groups and devices:
    /// [`GET /directory/administrativeUnits/{id}/members`](https://learn.microsoft.com/graph/api/administrativeunit-list-members).
    ///
    /// Needs `AdministrativeUnit.Read.All`; adding and removing need `AdministrativeUnit.ReadWrite.All`. What
    /// Graph returns of each member beyond its id and type takes a permission for that type
    /// ([`DirectoryObject::is_limited`]). Members of a unit with hidden membership are left out silently
    /// without `Member.Read.Hidden`. The members of a group in the unit are not members of the unit.
    #[must_use]
    pub fn members(&self) -> Collection<AdministrativeUnitMembers> {
        self.collection("members")
    }

    /// One member, by object id:
    /// [`GET /directory/administrativeUnits/{id}/members/{id}`](https://learn.microsoft.com/graph/api/administrativeunit-get-members).
    /// `get_opt` returns `None` for an object that is no member.
    ///
    /// Needs `AdministrativeUnit.Read.All`.
    #[must_use]
    pub fn member(&self, id: impl Into<Key>) -> Object<OneAdministrativeUnitMember> {
        Object::new(self.target().clone().key("members", &id.into()))
    }

    /// Who has which directory role over the unit:
    /// [`GET /directory/administrativeUnits/{id}/scopedRoleMembers`](https://learn.microsoft.com/graph/api/administrativeunit-list-scopedrolemembers).
    ///
    /// Needs `RoleManagement.Read.Directory`; adding needs `RoleManagement.ReadWrite.Directory`. Role assignments with
    /// the unit as their scope are the same in a newer form.
    #[must_use]
    pub fn scoped_role_members(&self) -> Collection<ScopedRoleMembers> {
        self.collection("scopedRoleMembers")
    }

    /// One role over the unit, by the id of the membership:
    /// [`GET /directory/administrativeUnits/{id}/scopedRoleMembers/{id}`](https://learn.microsoft.com/graph/api/administrativeunit-get-scopedrolemembers).
    ///
    /// Needs `RoleManagement.Read.Directory`; deleting needs `RoleManagement.ReadWrite.Directory`.
    #[must_use]
    pub fn scoped_role_member(&self, id: impl Into<Key>) -> Object<OneScopedRoleMember> {
        Object::new(self.target().clone().key("scopedRoleMembers", &id.into()))
    }
}

impl<P: UserPlace> Object<P> {
    /// The directory roles that the user has over administrative units:
    /// [`GET /users/{id}/scopedRoleMemberOf`](https://learn.microsoft.com/graph/api/user-list-scopedrolememberof).
    ///
    /// Needs `Directory.Read.All`.
    #[must_use]
    pub fn scoped_role_member_of(&self) -> Collection<ScopedRoleMemberOf> {
        self.collection("scopedRoleMemberOf")
    }
}
