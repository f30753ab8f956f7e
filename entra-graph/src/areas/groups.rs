//! Groups, their members and owners: `/groups`.

mod actions;
mod new;

pub use new::NewGroup;

use crate::{
    areas::app_role_assignments::{AssignmentPlace, NewAppRoleAssignment},
    client::GraphClient,
    key::Key,
    objects::{AppRoleAssignment, DirectoryObject, Group},
    operation::{Operation, operations},
    place::{Collection, Object, places, singles},
    request::Target,
};

operations! {
    LIST = "group-list" GET "/groups" => Collection("group"),
        both ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
    COUNT = "group-list-count" GET "/groups/$count" => Value,
        both ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
    CREATE = "group-post-groups" POST "/groups" => Object("group"),
        delegated ["Group.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Group.Create", "Group.ReadWrite.All", "Directory.ReadWrite.All"],
        property ["isAssignableToRole" => CREATE_ASSIGNABLE];
    CREATE_ASSIGNABLE = "group-post-groups-isassignabletorole" POST "/groups" => Object("group"),
        delegated ["Group.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Group.Create", "Group.ReadWrite.All", "Directory.ReadWrite.All"],
        with ["RoleManagement.ReadWrite.Directory"];
    DELTA = "group-delta" GET "/groups/delta" => Collection("group"),
        both ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
    GET = "group-get" GET "/groups/{id}" => Object("group"),
        both ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
    UPDATE = "group-update" PATCH "/groups/{id}" => Nothing,
        both ["Group.ReadWrite.All", "Directory.ReadWrite.All"],
        property ["members@odata.bind" => ADD_MEMBERS];
    UPSERT = "group-upsert" PATCH "/groups(uniqueName='{uniqueName}')" => Object("group"),
        delegated ["Group.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Group.Create", "Group.ReadWrite.All", "Directory.ReadWrite.All"],
        property ["isAssignableToRole" => CREATE_ASSIGNABLE];
    DELETE = "group-delete" DELETE "/groups/{id}" => Nothing,
        both ["Group.ReadWrite.All"];
    VALIDATE_PROPERTIES = "group-validateproperties" POST(Safe) "/groups/{id}/validateProperties" => Nothing,
        both ["Group.Read.All"];
    LIST_MEMBERS = "group-list-members" GET "/groups/{id}/members" => Collection("directoryObject"),
        both ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
    ADD_MEMBER = "group-post-members" POST(Idempotent) "/groups/{id}/members/$ref" => Nothing,
        both ["GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"];
    ADD_MEMBERS = "group-post-members-bind" PATCH "/groups/{id}" => Nothing,
        both ["GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"];
    REMOVE_MEMBER = "group-delete-members" DELETE "/groups/{id}/members/{id}/$ref" => Nothing,
        both ["GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"];
    LIST_TRANSITIVE_MEMBERS = "group-list-transitivemembers" GET "/groups/{id}/transitiveMembers" => Collection("directoryObject"),
        both ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
    LIST_OWNERS = "group-list-owners" GET "/groups/{id}/owners" => Collection("directoryObject"),
        both ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
    ADD_OWNER = "group-post-owners" POST(Idempotent) "/groups/{id}/owners/$ref" => Nothing,
        both ["Group.ReadWrite.All", "Directory.ReadWrite.All"];
    REMOVE_OWNER = "group-delete-owners" DELETE "/groups/{id}/owners/{id}/$ref" => Nothing,
        both ["Group.ReadWrite.All", "Directory.ReadWrite.All"];
    LIST_MEMBER_OF = "group-list-memberof" GET "/groups/{id}/memberOf" => Collection("directoryObject"),
        both ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
    LIST_TRANSITIVE_MEMBER_OF = "group-list-transitivememberof" GET "/groups/{id}/transitiveMemberOf" => Collection("directoryObject"),
        delegated ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"],
        application ["Directory.Read.All"];
    LIST_APP_ROLE_ASSIGNMENTS = "group-list-approleassignments" GET "/groups/{id}/appRoleAssignments" => Collection("appRoleAssignment"),
        both ["Directory.Read.All", "AppRoleAssignment.ReadWrite.All"];
    ASSIGN_APP_ROLE = "group-post-approleassignments" POST "/groups/{id}/appRoleAssignments" => Object("appRoleAssignment"),
        both ["AppRoleAssignment.ReadWrite.All"];
    DELETE_APP_ROLE_ASSIGNMENT = "group-delete-approleassignments" DELETE "/groups/{id}/appRoleAssignments/{id}" => Nothing,
        both ["AppRoleAssignment.ReadWrite.All"];
    CHECK_MEMBER_GROUPS = "group-checkmembergroups" POST(Safe) "/groups/{id}/checkMemberGroups" => Value,
        both ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
    GET_MEMBER_GROUPS = "group-getmembergroups" POST(Safe) "/groups/{id}/getMemberGroups" => Value,
        both ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
    CHECK_MEMBER_OBJECTS = "group-checkmemberobjects" POST(Safe) "/groups/{id}/checkMemberObjects" => Value,
        both ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
    GET_MEMBER_OBJECTS = "group-getmemberobjects" POST(Safe) "/groups/{id}/getMemberObjects" => Value,
        both ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
    ASSIGN_LICENSE = "group-assignlicense" POST "/groups/{id}/assignLicense" => Object("group"),
        both ["LicenseAssignment.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"];
    RENEW = "group-renew" POST(Idempotent) "/groups/{id}/renew" => Nothing,
        both ["Group.ReadWrite.All", "Directory.ReadWrite.All"];
    GET_PHOTO = "group-get-photo" GET "/groups/{id}/photo/$value" => Bytes,
        both ["ProfilePhoto.Read.All", "Group.Read.All"];
    GET_PHOTO_METADATA = "group-get-photo-metadata" GET "/groups/{id}/photo" => Object("profilePhoto"),
        both ["ProfilePhoto.Read.All", "Group.Read.All"];
    LIST_PHOTOS = "group-list-photos" GET "/groups/{id}/photos" => Collection("profilePhoto"),
        both ["ProfilePhoto.Read.All", "Group.Read.All"];
    GET_PHOTO_OF_SIZE = "group-get-photo-size" GET "/groups/{id}/photos/{id}/$value" => Bytes,
        both ["ProfilePhoto.Read.All", "Group.Read.All"];
    SET_PHOTO = "group-update-photo" PUT "/groups/{id}/photo/$value" => Nothing,
        both ["ProfilePhoto.ReadWrite.All", "Group.ReadWrite.All"];
    DELETE_PHOTO = "group-delete-photo" DELETE "/groups/{id}/photo/$value" => Nothing,
        both ["ProfilePhoto.ReadWrite.All", "Group.ReadWrite.All"];
}

places! {
    /// `/groups`.
    Groups: Group { list LIST, count COUNT, create(NewGroup) CREATE read GET, delta DELTA }
    /// `/groups/{id}/members`.
    GroupMembers: DirectoryObject {
        list LIST_MEMBERS,
        references(ADD_MEMBER, REMOVE_MEMBER, many(ADD_MEMBERS, "members@odata.bind"))
    }
    /// `/groups/{id}/transitiveMembers`.
    GroupTransitiveMembers: DirectoryObject { list LIST_TRANSITIVE_MEMBERS }
    /// `/groups/{id}/owners`.
    GroupOwners: DirectoryObject { list LIST_OWNERS, references(ADD_OWNER, REMOVE_OWNER) }
    /// `/groups/{id}/memberOf`.
    GroupMemberOf: DirectoryObject { list LIST_MEMBER_OF }
    /// `/groups/{id}/transitiveMemberOf`.
    GroupTransitiveMemberOf: DirectoryObject { list LIST_TRANSITIVE_MEMBER_OF }
    /// `/groups/{id}/appRoleAssignments`.
    GroupAppRoleAssignments: AppRoleAssignment { list LIST_APP_ROLE_ASSIGNMENTS, create(NewAppRoleAssignment) ASSIGN_APP_ROLE }
}

singles! {
    /// `/groups/{id}`.
    OneGroup: Group { get GET, update UPDATE, delete DELETE, upsert(NewGroup) UPSERT }
}

impl AssignmentPlace for GroupAppRoleAssignments {
    const DELETE: &'static Operation = &DELETE_APP_ROLE_ASSIGNMENT;
}

impl GraphClient {
    /// All groups: [`GET /groups`](https://learn.microsoft.com/graph/api/group-list).
    ///
    /// Needs `GroupMember.Read.All`.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::Group;
    /// let assignable = Group::SECURITY_ENABLED.eq(true).and(Group::MAIL_ENABLED.eq(false));
    /// let number = graph.groups().count().filter(assignable.clone()).send().await?;
    /// let groups = graph.groups().list()
    ///     .filter(assignable)
    ///     .select(Group::DISPLAY_NAME)
    ///     .items().try_collect::<Vec<_>>().await?;
    /// assert_eq!(groups.len() as u64, number);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn groups(&self) -> Collection<Groups> {
        Collection::new(Target::root(self).join(&["groups"]))
    }

    /// One group, by object id or [`Key::unique_name`]:
    /// [`GET /groups/{id}`](https://learn.microsoft.com/graph/api/group-get).
    ///
    /// Needs `GroupMember.Read.All`. Some properties come for one group only, and only when
    /// selected, such as [`Group::ALLOW_EXTERNAL_SENDERS`].
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// # let groups = graph.groups().list().items().try_collect::<Vec<_>>().await?;
    /// # let id = groups[0].id.as_str();
    /// use entra_graph::Group;
    /// let group = graph.group(id).get().select(Group::DISPLAY_NAME).send().await?;
    /// assert_eq!(group.id, id);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn group(&self, id: impl Into<Key>) -> Object<OneGroup> {
        Object::new(Target::root(self).key("groups", &id.into()))
    }
}

impl Object<OneGroup> {
    /// Direct members: [`GET /groups/{id}/members`](https://learn.microsoft.com/graph/api/group-list-members).
    ///
    /// Needs `GroupMember.Read.All`, and `GroupMember.ReadWrite.All` to add and remove; what Graph returns of
    /// each member beyond its id and type takes a permission for that type ([`DirectoryObject::is_limited`]).
    /// Members of a group with hidden membership are left out silently without `Member.Read.Hidden`.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// # let groups = graph.groups().list().items().try_collect::<Vec<_>>().await?;
    /// # let id = groups[0].id.as_str();
    /// use entra_graph::User;
    /// for member in graph.group(id).members().list().items().try_collect::<Vec<_>>().await? {
    ///     if let Some(user) = member.as_user() {
    ///         println!("{:?}", user.user_principal_name);
    ///     }
    /// }
    /// let users = graph.group(id).members().cast::<User>();
    /// let names = users.list().select(User::DISPLAY_NAME).items().try_collect::<Vec<_>>().await?;
    /// assert_eq!(names.len() as u64, users.count().send().await?);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn members(&self) -> Collection<GroupMembers> {
        self.collection("members")
    }

    /// Direct members and members of nested groups, each once:
    /// [`GET /groups/{id}/transitiveMembers`](https://learn.microsoft.com/graph/api/group-list-transitivemembers).
    ///
    /// Needs `GroupMember.Read.All`.
    /// Members of groups with hidden membership are left out silently without `Member.Read.Hidden`.
    #[must_use]
    #[inline]
    pub fn transitive_members(&self) -> Collection<GroupTransitiveMembers> {
        self.collection("transitiveMembers")
    }

    /// Owners: [`GET /groups/{id}/owners`](https://learn.microsoft.com/graph/api/group-list-owners).
    ///
    /// Needs `GroupMember.Read.All`, and `Group.ReadWrite.All` to add and remove.
    #[must_use]
    #[inline]
    pub fn owners(&self) -> Collection<GroupOwners> {
        self.collection("owners")
    }

    /// Groups and administrative units that the group is a direct member of:
    /// [`GET /groups/{id}/memberOf`](https://learn.microsoft.com/graph/api/group-list-memberof).
    ///
    /// Needs `GroupMember.Read.All`.
    /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
    #[must_use]
    #[inline]
    pub fn member_of(&self) -> Collection<GroupMemberOf> {
        self.collection("memberOf")
    }

    /// Groups and administrative units that the group is a member of, directly or through other groups:
    /// [`GET /groups/{id}/transitiveMemberOf`](https://learn.microsoft.com/graph/api/group-list-transitivememberof).
    ///
    /// Needs `Directory.Read.All`, or `GroupMember.Read.All` on behalf of a user.
    /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
    #[must_use]
    #[inline]
    pub fn transitive_member_of(&self) -> Collection<GroupTransitiveMemberOf> {
        self.collection("transitiveMemberOf")
    }

    /// Applications that the group is assigned to:
    /// [`GET /groups/{id}/appRoleAssignments`](https://learn.microsoft.com/graph/api/group-list-approleassignments).
    ///
    /// Needs `Directory.Read.All`; assigning and deleting need `AppRoleAssignment.ReadWrite.All`.
    #[must_use]
    #[inline]
    pub fn app_role_assignments(&self) -> Collection<GroupAppRoleAssignments> {
        self.collection("appRoleAssignments")
    }
}
