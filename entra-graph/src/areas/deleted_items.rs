//! Deleted users and groups, which can be restored for 30 days: `/directory/deletedItems`.

use entra_core::{IntoId, ObjectId};

use super::directory_objects::read_whole;
use crate::{
    client::{Call, GraphClient},
    key::Key,
    model::{Body, Entity},
    objects::{Application, Group, User},
    operation::{Version, operations},
    place::{Collection, Object, Place, Single, places, singles},
    request::{Request, Target, object_ids, read_entity},
};

operations! {
    LIST_USERS = "directory-deleteditems-list-users" GET "/directory/deletedItems/microsoft.graph.user" => Collection("user"),
        both ["User.Read.All", "Directory.Read.All"];
    LIST_GROUPS = "directory-deleteditems-list-groups" GET "/directory/deletedItems/microsoft.graph.group" => Collection("group"),
        both ["Group.Read.All", "Directory.Read.All"];
    GET_USER = "directory-deleteditems-get-user" GET "/directory/deletedItems/{id}" => Object("user"),
        both ["User.Read.All", "Directory.Read.All"];
    GET_GROUP = "directory-deleteditems-get-group" GET "/directory/deletedItems/{id}" => Object("group"),
        both ["Group.Read.All", "Directory.Read.All"];
    RESTORE_USER = "directory-deleteditems-restore-user" POST "/directory/deletedItems/{id}/restore" => Object("user"),
        both ["User.DeleteRestore.All", "User.ReadWrite.All"];
    RESTORE_USER_BETA = "directory-deleteditems-restore-user-beta" POST @ Beta "/directory/deletedItems/{id}/restore" => Object("user"),
        both ["User.DeleteRestore.All", "User.ReadWrite.All"];
    RESTORE_GROUP = "directory-deleteditems-restore-group" POST "/directory/deletedItems/{id}/restore" => Object("group"),
        both ["Group.ReadWrite.All"];
    OWNED = "directory-deleteditems-getuserownedobjects" POST(Safe) "/directory/deletedItems/getUserOwnedObjects" => Collection("directoryObject"),
        both ["Group.Read.All"];
    PURGE_USER = "directory-deleteditems-delete-user" DELETE "/directory/deletedItems/{id}" => Nothing,
        delegated ["User.ReadWrite.All"], application [];
    PURGE_GROUP = "directory-deleteditems-delete-group" DELETE "/directory/deletedItems/{id}" => Nothing,
        delegated ["Group.ReadWrite.All"], application [];
}

places! {
    /// `/directory/deletedItems/microsoft.graph.user`.
    DeletedUsers: User { list LIST_USERS }
    /// `/directory/deletedItems/microsoft.graph.group`.
    DeletedGroups: Group { list LIST_GROUPS }
}

singles! {
    /// `/directory/deletedItems/{id}` of a user.
    DeletedUser: User { get GET_USER, restore RESTORE_USER, purge PURGE_USER }
    /// `/directory/deletedItems/{id}` of a group.
    DeletedGroup: Group { get GET_GROUP, restore RESTORE_GROUP, purge PURGE_GROUP }
}

impl Object<DeletedUser> {
    /// A request that restores the user under another user principal name, or without the addresses that other
    /// objects have meanwhile; its response is the user:
    /// [`POST /beta/directory/deletedItems/{id}/restore`](https://learn.microsoft.com/graph/api/directory-deleteditems-restore?view=graph-rest-beta).
    ///
    /// Needs `User.DeleteRestore.All`. Microsoft supports neither beta nor these options in production.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient, id: &str) -> Result<(), entra_graph::Error> {
    /// use entra_graph::RestoreOptions;
    /// let options = RestoreOptions::new()
    ///     .user_principal_name("adele.former@contoso.com")
    ///     .remove_conflicting_addresses();
    /// let user = graph.deleted_user(id).restore_with(options).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn restore_with(&self, options: RestoreOptions) -> Request<User> {
        let target = self.target().clone().in_version(Version::Beta);
        let call = target
            .join(&["restore"])
            .url()
            .map(|url| Call::new(&RESTORE_USER_BETA, url).with_json(options.body.into_bytes()));
        Request::new(self.target().client.clone(), call, read_entity)
    }
}

/// How a deleted user is restored; see [`Object::restore_with`].
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing until they are given to `restore_with`"]
pub struct RestoreOptions {
    body: Body,
}

impl RestoreOptions {
    /// As the user was.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this user principal name, since another user has the former one.
    #[inline]
    pub fn user_principal_name(mut self, name: &str) -> Self {
        self.body.set::<String>("newUserPrincipalName", name);
        self
    }

    /// Without the proxy addresses that other objects have meanwhile. Otherwise such an address is an error.
    #[inline]
    pub fn remove_conflicting_addresses(mut self) -> Self {
        self.body.set("autoReconcileProxyConflict", &true);
        self
    }
}

impl GraphClient {
    /// Users that were deleted in the last 30 days:
    /// [`GET /directory/deletedItems/microsoft.graph.user`](https://learn.microsoft.com/graph/api/directory-deleteditems-list).
    ///
    /// Needs `User.Read.All`.
    #[must_use]
    pub fn deleted_users(&self) -> Collection<DeletedUsers> {
        deleted_list(self, "microsoft.graph.user")
    }

    /// One deleted user, by object id, to read, restore or delete for good:
    /// [`POST /directory/deletedItems/{id}/restore`](https://learn.microsoft.com/graph/api/directory-deleteditems-restore).
    ///
    /// Needs `User.Read.All` to read and `User.DeleteRestore.All` to restore. Deleting for good needs the
    /// delegated permission `User.ReadWrite.All`: Graph accepts that from signed-in administrators only, not
    /// from an application. [`restore_with`](Object::restore_with) has the options that exist in beta.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient, id: &str) -> Result<(), entra_graph::Error> {
    /// graph.user(id).delete().send().await?;
    /// let user = graph.deleted_user(id).restore().send().await?;
    /// graph.user(id).delete().send().await?;
    /// graph.deleted_user(id).purge().send().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn deleted_user(&self, id: impl Into<Key>) -> Object<DeletedUser> {
        deleted(self, id)
    }

    /// Groups that were deleted in the last 30 days:
    /// [`GET /directory/deletedItems/microsoft.graph.group`](https://learn.microsoft.com/graph/api/directory-deleteditems-list).
    ///
    /// Needs `Group.Read.All`. Microsoft 365 groups only: a deleted security group is gone.
    #[must_use]
    pub fn deleted_groups(&self) -> Collection<DeletedGroups> {
        deleted_list(self, "microsoft.graph.group")
    }

    /// One deleted group, by object id, to read, restore or delete for good:
    /// [`POST /directory/deletedItems/{id}/restore`](https://learn.microsoft.com/graph/api/directory-deleteditems-restore).
    ///
    /// Needs `Group.ReadWrite.All`; Graph deletes for good for signed-in administrators only, not for an
    /// application.
    #[must_use]
    pub fn deleted_group(&self, id: impl Into<Key>) -> Object<DeletedGroup> {
        deleted(self, id)
    }
}

impl GraphClient {
    /// A request for the deleted groups that a user owns, at most 1,000:
    /// [`POST /directory/deletedItems/getUserOwnedObjects`](https://learn.microsoft.com/graph/api/directory-deleteditems-getuserownedobjects).
    ///
    /// Needs `Group.Read.All`.
    pub fn deleted_groups_of_owner(&self, user: impl IntoId<ObjectId>) -> Request<Vec<Group>> {
        deleted_of_owner(self, user, "Group")
    }

    /// A request for the deleted applications that a user owns, at most 1,000:
    /// [`POST /directory/deletedItems/getUserOwnedObjects`](https://learn.microsoft.com/graph/api/directory-deleteditems-getuserownedobjects).
    ///
    /// Needs `Group.Read.All`, as documented for both types.
    pub fn deleted_applications_of_owner(
        &self,
        user: impl IntoId<ObjectId>,
    ) -> Request<Vec<Application>> {
        deleted_of_owner(self, user, "Application")
    }
}

fn deleted_of_owner<E: Entity>(
    client: &GraphClient,
    user: impl IntoId<ObjectId>,
    kind: &str,
) -> Request<Vec<E>> {
    let directory = Target::root(client).join(&["directory", "deletedItems"]);
    let call = object_ids([user]).and_then(|users| {
        let mut body = Body::default();
        for user in users {
            body.set::<String>("userId", &user.to_string());
        }
        body.set::<String>("type", kind);
        let url = directory.join(&["getUserOwnedObjects"]).url()?;
        Ok(Call::new(&OWNED, url).with_json(body.into_bytes()))
    });
    Request::new(client.clone(), call, read_whole)
}

/// The deleted objects of one type.
pub(super) fn deleted_list<P: Place>(client: &GraphClient, cast: &str) -> Collection<P> {
    Collection::new(Target::root(client).join(&["directory", "deletedItems", cast]))
}

/// One deleted object.
pub(super) fn deleted<P: Single>(client: &GraphClient, id: impl Into<Key>) -> Object<P> {
    let directory = Target::root(client).join(&["directory"]);
    Object::new(directory.key("deletedItems", &id.into()))
}
