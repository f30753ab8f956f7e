//! Groups, their members and owners: `/groups`.

mod model;
pub(crate) mod types;

pub use model::Group;

use crate::{
    AppRoleAssignment, DirectoryObject, GraphClient, Key,
    entity::{Entity, EntityInfo, capable, nested},
    handle::{Collection, Resource},
    permissions::{
        COUNT_GROUPS, GET_GROUP, LIST_GROUP_APP_ROLE_ASSIGNMENTS, LIST_GROUP_MEMBER_OF,
        LIST_GROUP_MEMBERS, LIST_GROUP_OWNERS, LIST_GROUP_TRANSITIVE_MEMBER_OF,
        LIST_GROUP_TRANSITIVE_MEMBERS, LIST_GROUPS,
    },
};

impl GraphClient {
    /// All groups: [`GET /groups`](https://learn.microsoft.com/graph/api/group-list).
    ///
    /// Takes `GroupMember.Read.All`.
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
    ///     .items().collect_all().await?;
    /// assert_eq!(groups.len() as u64, number);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn groups(&self) -> Collection<Group> {
        Collection::new(self.clone(), self.target(&["groups"]), LIST_GROUPS)
            .counted_by(COUNT_GROUPS)
    }

    /// One group, by object id or [`Key::unique_name`]:
    /// [`GET /groups/{id}`](https://learn.microsoft.com/graph/api/group-get).
    ///
    /// Takes `GroupMember.Read.All`. Some properties come for one group only, and only when
    /// selected, such as [`Group::ALLOW_EXTERNAL_SENDERS`].
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// # let groups = graph.groups().list().items().collect_all().await?;
    /// # let id = groups[0].id.as_str();
    /// use entra_graph::Group;
    /// let group = graph.group(id).get().select(Group::DISPLAY_NAME).send().await?;
    /// assert_eq!(group.id, id);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn group(&self, id: impl Into<Key>) -> Resource<Group> {
        Resource::new(self.clone(), self.keyed("groups", &id.into()), GET_GROUP)
    }
}

impl Resource<Group> {
    /// Direct members: [`GET /groups/{id}/members`](https://learn.microsoft.com/graph/api/group-list-members).
    ///
    /// Takes `GroupMember.Read.All`; what Graph tells of each member beyond its id and type takes a
    /// permission for that type ([`DirectoryObject::is_limited`]).
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// # let groups = graph.groups().list().items().collect_all().await?;
    /// # let id = groups[0].id.as_str();
    /// use entra_graph::User;
    /// for member in graph.group(id).members().list().items().collect_all().await? {
    ///     if let Some(user) = member.as_user() {
    ///         println!("{:?}", user.user_principal_name);
    ///     }
    /// }
    /// let people = graph.group(id).members().cast::<User>();
    /// let names = people.list().select(User::DISPLAY_NAME).items().collect_all().await?;
    /// assert_eq!(names.len() as u64, people.count().send().await?);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn members(&self) -> Collection<DirectoryObject> {
        self.collection("members", LIST_GROUP_MEMBERS)
    }

    /// Direct members and members of nested groups, each once:
    /// [`GET /groups/{id}/transitiveMembers`](https://learn.microsoft.com/graph/api/group-list-transitivemembers).
    ///
    /// Takes `GroupMember.Read.All`.
    #[must_use]
    pub fn transitive_members(&self) -> Collection<DirectoryObject> {
        self.collection("transitiveMembers", LIST_GROUP_TRANSITIVE_MEMBERS)
    }

    /// Owners: [`GET /groups/{id}/owners`](https://learn.microsoft.com/graph/api/group-list-owners).
    ///
    /// Takes `GroupMember.Read.All`.
    #[must_use]
    pub fn owners(&self) -> Collection<DirectoryObject> {
        self.collection("owners", LIST_GROUP_OWNERS)
    }

    /// Groups and administrative units that the group is a direct member of:
    /// [`GET /groups/{id}/memberOf`](https://learn.microsoft.com/graph/api/group-list-memberof).
    ///
    /// Takes `GroupMember.Read.All`.
    #[must_use]
    pub fn member_of(&self) -> Collection<DirectoryObject> {
        self.collection("memberOf", LIST_GROUP_MEMBER_OF)
    }

    /// Groups and administrative units that the group is a member of by whatever way:
    /// [`GET /groups/{id}/transitiveMemberOf`](https://learn.microsoft.com/graph/api/group-list-transitivememberof).
    ///
    /// Takes `Directory.Read.All`, or `GroupMember.Read.All` on behalf of a person.
    #[must_use]
    pub fn transitive_member_of(&self) -> Collection<DirectoryObject> {
        self.collection("transitiveMemberOf", LIST_GROUP_TRANSITIVE_MEMBER_OF)
    }

    /// Applications that the group is assigned to:
    /// [`GET /groups/{id}/appRoleAssignments`](https://learn.microsoft.com/graph/api/group-list-approleassignments).
    ///
    /// Takes `Directory.Read.All`.
    #[must_use]
    pub fn app_role_assignments(&self) -> Collection<AppRoleAssignment> {
        self.collection("appRoleAssignments", LIST_GROUP_APP_ROLE_ASSIGNMENTS)
    }
}
