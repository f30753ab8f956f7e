//! Places of Graph's resource tree: a handle is typed by its place, and traits of the place are its verbs.

mod reference;

use std::{fmt, marker::PhantomData};

use crate::{
    client::Call,
    error::Error,
    model::{Countable, Entity},
    objects::{DirectoryEntity, DirectoryObject},
    operation::Operation,
    request::{Request, Target, read_entity, read_nothing},
    verbs::{Count, Create, Get, List, New, Update, Upsert},
};
pub use reference::{Added, Reference};

/// A place with any number of objects, such as `/users` or `/groups/{id}/members`.
///
/// Two places can hold objects of the same type, and only one of them may create some or have a change feed:
/// each verb is a trait of the place, so that a wrong one does not compile.
pub trait Place: 'static {
    /// The type of its objects.
    type Item: Entity;
    /// The operation that lists it.
    const LIST: &'static Operation;
    /// The operation that counts it.
    const COUNT: &'static Operation = Self::LIST;
}

/// A place where objects are created.
#[diagnostic::on_unimplemented(
    message = "nothing can be created at `{Self}`",
    note = "create the object in its own collection, such as `graph.users()`, and add it here with `add`"
)]
pub trait CreateAt: Place {
    /// What a new object is made from.
    type New: New<Self::Item>;
    /// The operation.
    const CREATE: &'static Operation;
    /// The operation that reads a new object.
    const READ: &'static Operation = Self::LIST;
}

/// A place that has a change feed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no change feed",
    note = "Graph has delta queries for whole collections, such as `graph.users()` and `graph.groups()`"
)]
pub trait DeltaAt: Place {
    /// The operation.
    const DELTA: &'static Operation;
}

/// A place whose objects are references that can be added and removed, such as the members of a group.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take references",
    note = "members and owners of groups do: `graph.group(id).members().add(id)`"
)]
pub trait ReferencesAt: Place {
    /// The operation that adds one.
    const ADD: &'static Operation;
    /// The operation that removes one.
    const REMOVE: &'static Operation;
    /// The operation that adds up to 20 in one request, and the property that it sets.
    const ADD_MANY: Option<(&'static Operation, &'static str)> = None;
}

/// A place of one object, such as `/users/{id}` or `/users/{id}/manager`.
pub trait Single: 'static {
    /// The type of its objects.
    type Item: Entity;
    /// The operation that reads it.
    const GET: &'static Operation;
}

/// A place whose object can be changed.
#[diagnostic::on_unimplemented(
    message = "the object at `{Self}` cannot be updated",
    note = "this crate has no `PATCH` there; `graph.raw(..)` sends any request"
)]
pub trait UpdateAt: Single {
    /// The operation.
    const UPDATE: &'static Operation;
}

/// A place whose object can be deleted.
#[diagnostic::on_unimplemented(
    message = "the object at `{Self}` cannot be deleted",
    note = "`DELETE` is not documented there, or not part of this crate; `graph.raw(..)` sends any request"
)]
pub trait DeleteAt: Single {
    /// The operation.
    const DELETE: &'static Operation;
}

/// A place whose object can be created or changed by an alternate key.
#[diagnostic::on_unimplemented(
    message = "the object at `{Self}` cannot be created by an alternate key",
    note = "update it, or create it in its collection, such as `graph.users()`"
)]
pub trait UpsertAt: Single {
    /// What a new object is made from.
    type New: New<Self::Item>;
    /// The operation.
    const UPSERT: &'static Operation;
}

/// A place with a deleted object that can be restored.
#[diagnostic::on_unimplemented(
    message = "there is no deleted object at `{Self}` to restore",
    note = "deleted objects have places of their own, such as `graph.deleted_user(id)`"
)]
pub trait RestoreAt: Single {
    /// The operation.
    const RESTORE: &'static Operation;
}

/// A place with a deleted object that can be deleted for good.
#[diagnostic::on_unimplemented(
    message = "the object at `{Self}` cannot be deleted for good",
    note = "Graph purges deleted users, groups, applications and service principals: `graph.deleted_user(id).purge()`"
)]
pub trait PurgeAt: Single {
    /// The operation.
    const PURGE: &'static Operation;
}

/// A place with a single reference that can be set and removed, such as the manager of a user.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a single reference",
    note = "`set` and `remove` are for references such as `graph.user(id).manager()`"
)]
pub trait ReferenceAt: Single {
    /// The operation that sets it.
    const SET: &'static Operation;
    /// The operation that removes it.
    const REMOVE: &'static Operation;
}

/// The objects at a place, such as all users or the members of a group.
///
/// Nothing is sent until a request made from it is. Which permission a verb needs is in the documentation of the call that
/// returns the place, and in [`operations`](crate::operations).
///
/// A verb is there only where Graph has it. Members cannot be created, reports have no change feed, and what
/// happened cannot be deleted:
/// ```compile_fail,E0277
/// # fn example(graph: &entra_graph::GraphClient, new: entra_graph::NewUser) {
/// graph.group("8f9c").members().cast::<entra_graph::User>().create(new);
/// # }
/// ```
/// ```compile_fail,E0277
/// # fn example(graph: &entra_graph::GraphClient) {
/// graph.user("adele@contoso.com").direct_reports().delta();
/// # }
/// ```
/// ```compile_fail,E0277
/// # fn example(graph: &entra_graph::GraphClient) {
/// graph.audit_logs().sign_in("7d1e").delete();
/// # }
/// ```
/// ```
/// # fn example(graph: &entra_graph::GraphClient, new: entra_graph::NewUser) {
/// let create = graph.users().create(new);
/// let delta = graph.users().delta();
/// let delete = graph.user("adele@contoso.com").delete();
/// # }
/// ```
pub struct Collection<P: Place, E = <P as Place>::Item> {
    target: Target,
    marker: PhantomData<fn() -> (P, E)>,
}

/// The object at a place, by id or another key.
///
/// Nothing is sent until a request made from it is. Which permission a verb needs is in the documentation of the call that
/// returns the place, and in [`operations`](crate::operations).
pub struct Object<P> {
    target: Target,
    marker: PhantomData<fn() -> P>,
}

impl<P: Place, E: Entity> Collection<P, E> {
    pub(crate) const fn new(target: Target) -> Self {
        Self {
            target,
            marker: PhantomData,
        }
    }

    /// A request for the items.
    pub fn list(&self) -> List<E> {
        List::new(self.target.clone(), P::LIST)
    }

    /// A request for the number of items.
    pub fn count(&self) -> Count<E>
    where
        E: Countable,
    {
        Count::new(self.target.clone(), P::COUNT)
    }

    pub(crate) const fn target(&self) -> &Target {
        &self.target
    }
}

impl<P: Place<Item = DirectoryObject>> Collection<P> {
    /// Only the objects of one type, with that type's properties and query options. The place stays the same,
    /// so no verb appears that it does not have.
    ///
    /// Graph takes such requests as advanced queries only, and they are sent so.
    #[must_use]
    pub fn cast<E: DirectoryEntity>(&self) -> Collection<P, E> {
        let mut target = self.target.clone().join(&[E::CAST]);
        target.advanced = true;
        Collection::new(target)
    }
}

impl<P: Place, E: Entity> Collection<P, E> {
    /// A request that creates an object here.
    pub fn create(&self, new: P::New) -> Create<P::Item>
    where
        P: CreateAt,
    {
        Create::new(self.target.clone(), (P::CREATE, P::READ), new)
    }
}

impl<P: Single> Object<P> {
    pub(crate) const fn new(target: Target) -> Self {
        Self {
            target,
            marker: PhantomData,
        }
    }

    /// A request for the object.
    pub fn get(&self) -> Get<P::Item> {
        Get::new(self.target.clone(), P::GET)
    }

    /// The object, or `None` if Graph has no such object ([`Error::is_not_found`]).
    ///
    /// # Errors
    /// Every other kind of [`Error`].
    pub async fn get_opt(&self) -> Result<Option<P::Item>, Error> {
        self.get().send_opt().await
    }

    pub(crate) const fn target(&self) -> &Target {
        &self.target
    }

    /// The objects at a place below this one.
    pub(crate) fn collection<Q: Place>(&self, name: &str) -> Collection<Q> {
        Collection::new(self.target.clone().join(&[name]))
    }

    /// The object at a place below this one.
    pub(crate) fn single<Q: Single>(&self, name: &str) -> Object<Q> {
        Object::new(self.target.clone().join(&[name]))
    }

    /// A call of an operation at a place below this one.
    pub(crate) fn call(
        &self,
        below: &[&str],
        operation: &'static Operation,
    ) -> Result<Call, Error> {
        let url = self.target.clone().join(below).url()?;
        Ok(Call::new(operation, url))
    }

    /// A request that changes the object.
    pub fn update(&self) -> Update<P::Item>
    where
        P: UpdateAt,
    {
        Update::new(self.target.clone(), (P::UPDATE, P::GET))
    }

    /// A request that deletes the object.
    ///
    /// When a first attempt's response is lost, or is a temporary failure, and the second finds nothing, the object is
    /// deleted.
    pub fn delete(&self) -> Request<()>
    where
        P: DeleteAt,
    {
        request(&self.target, P::DELETE, read_nothing)
    }

    /// A request that changes the object with this alternate key, or creates it from these properties.
    ///
    /// It goes as `PATCH` with `Prefer: create-if-missing`.
    pub fn upsert(&self, new: P::New) -> Upsert<P::Item>
    where
        P: UpsertAt,
    {
        Upsert::new(self.target.clone(), P::UPSERT, new)
    }

    /// A request that restores the object; its response is the restored object.
    ///
    /// It is sent again only if Graph certainly did not process it: of an object that is restored already, Graph says
    /// that there is none.
    pub fn restore(&self) -> Request<P::Item>
    where
        P: RestoreAt,
    {
        let target = self.target.clone().join(&["restore"]);
        request(&target, P::RESTORE, read_entity)
    }

    /// A request that deletes the object for good.
    pub fn purge(&self) -> Request<()>
    where
        P: PurgeAt,
    {
        request(&self.target, P::PURGE, read_nothing)
    }

    /// A request that sets the reference to an object, and so replaces an earlier one.
    pub fn set(&self, object: impl Into<Reference>) -> Request<()>
    where
        P: ReferenceAt,
    {
        let target = self.target.clone().join(&["$ref"]);
        let call = target.url().and_then(|url| {
            let body = object.into().body(target.client.base())?;
            Ok(Call::new(P::SET, url).with_json(body))
        });
        Request::new(target.client, call, read_nothing)
    }

    /// A request that removes the reference; the object itself stays.
    pub fn remove(&self) -> Request<()>
    where
        P: ReferenceAt,
    {
        let target = self.target.clone().join(&["$ref"]);
        request(&target, P::REMOVE, read_nothing)
    }
}

impl<P: Place> Collection<P> {
    /// A request that adds a reference to an object. If it exists already, Graph returns an error
    /// ([`Error::is_already_present`]); [`add_all`](Self::add_all) counts it as done. If a first attempt's response is
    /// lost and the second finds the reference, it is added.
    pub fn add(&self, object: impl Into<Reference>) -> Request<()>
    where
        P: ReferencesAt,
    {
        let target = self.target.clone().join(&["$ref"]);
        let call = target.url().and_then(|url| {
            let body = object.into().body(target.client.base())?;
            Ok(Call::new(P::ADD, url).with_json(body))
        });
        Request::new(target.client, call, read_nothing)
    }

    /// A request that removes a reference; the object itself stays. If a first attempt's response is lost and the
    /// second finds no reference, it is removed.
    pub fn remove(&self, object: impl Into<Reference>) -> Request<()>
    where
        P: ReferencesAt,
    {
        let call = object.into().id().and_then(|id| {
            let url = self.target.clone().join(&[&id, "$ref"]).url()?;
            Ok(Call::new(P::REMOVE, url))
        });
        Request::new(self.target.client.clone(), call, read_nothing)
    }

    /// Adds any number of references, 20 in one request where Graph takes so many. A reference that exists already
    /// is not an error.
    ///
    /// # Errors
    /// Every kind of [`Error`], the first one; some references may have been added before it. It is safe to call it
    /// again with the same objects.
    pub async fn add_all<I>(&self, objects: I) -> Result<Added, Error>
    where
        P: ReferencesAt,
        I: IntoIterator,
        I::Item: Into<Reference>,
    {
        let objects: Vec<Reference> = objects.into_iter().map(Into::into).collect();
        let mut added = Added::default();
        let Some((operation, property)) = P::ADD_MANY else {
            self.add_singly(&objects, &mut added).await?;
            return Ok(added);
        };
        for some in objects.chunks(MOST_AT_ONCE) {
            let call = self.target.parent(some, property, operation)?;
            let client = self.target.client.clone();
            match Request::new(client, Ok(call), read_nothing).send().await {
                Ok(()) => added.added += some.len(),
                // Graph adds all or none: one that exists already makes the request fail.
                Err(error) if error.is_already_present() => {
                    let mut found = Added::default();
                    self.add_singly(some, &mut found).await?;
                    // If all exist now, an attempt without a response has added them.
                    if found.added == 0 && error.is_unsure() {
                        found = Added {
                            added: some.len(),
                            already_present: 0,
                        };
                    }
                    added.added += found.added;
                    added.already_present += found.already_present;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(added)
    }

    async fn add_singly(&self, objects: &[Reference], added: &mut Added) -> Result<(), Error>
    where
        P: ReferencesAt,
    {
        for object in objects {
            match self.add(object.clone()).send().await {
                Ok(()) => added.added += 1,
                Err(error) if error.is_already_present() => added.already_present += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

pub(crate) fn request<T: Send + 'static>(
    target: &Target,
    operation: &'static Operation,
    read: crate::request::Read<T>,
) -> Request<T> {
    let call = target.url().map(|url| Call::new(operation, url));
    Request::new(target.client.clone(), call, read)
}

impl<P: Place, E> Clone for Collection<P, E> {
    fn clone(&self) -> Self {
        Self {
            target: self.target.clone(),
            marker: PhantomData,
        }
    }
}

impl<P: Place, E> fmt::Debug for Collection<P, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Collection({})", P::LIST.path)
    }
}

impl<P> Clone for Object<P> {
    fn clone(&self) -> Self {
        Self {
            target: self.target.clone(),
            marker: PhantomData,
        }
    }
}

impl<P: Single> fmt::Debug for Object<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({})", P::GET.path)
    }
}

/// Declares places with their verbs:
///
/// ```text
/// places! {
///     /// `/users`.
///     Users: User { list LIST, count COUNT, create(NewUser) CREATE read GET, delta DELTA }
///     /// `/groups/{id}/members`.
///     GroupMembers: DirectoryObject { list MEMBERS, references(ADD, REMOVE, many(ADD_MANY, "members@odata.bind")) }
/// }
/// ```
macro_rules! places {
    ($(
        $(#[$doc:meta])*
        $place:ident: $item:ty {
            list $list:ident
            $(, count $count:ident)?
            $(, create($new:ty) $create:ident $(read $read:ident)?)?
            $(, delta $delta:ident)?
            $(, references($add:ident, $remove:ident $(, many($many:ident, $property:literal))?))?
            $(,)?
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        pub struct $place;

        impl $crate::place::Place for $place {
            type Item = $item;
            const LIST: &'static $crate::operation::Operation = &$list;
            $(const COUNT: &'static $crate::operation::Operation = &$count;)?
        }

        $(
            impl $crate::place::CreateAt for $place {
                type New = $new;
                const CREATE: &'static $crate::operation::Operation = &$create;
                $(const READ: &'static $crate::operation::Operation = &$read;)?
            }
        )?

        $(
            impl $crate::place::DeltaAt for $place {
                const DELTA: &'static $crate::operation::Operation = &$delta;
            }
        )?

        $(
            impl $crate::place::ReferencesAt for $place {
                const ADD: &'static $crate::operation::Operation = &$add;
                const REMOVE: &'static $crate::operation::Operation = &$remove;
                $(const ADD_MANY: Option<(&'static $crate::operation::Operation, &'static str)> =
                    Some((&$many, $property));)?
            }
        )?
    )*};
}
pub(crate) use places;

/// Declares places of one object with their verbs:
///
/// ```text
/// singles! {
///     /// `/users/{id}`.
///     OneUser: User { get GET, update UPDATE, delete DELETE }
/// }
/// ```
macro_rules! singles {
    ($(
        $(#[$doc:meta])*
        $place:ident: $item:ty {
            get $get:ident
            $(, update $update:ident)?
            $(, delete $delete:ident)?
            $(, upsert($new:ty) $upsert:ident)?
            $(, restore $restore:ident)?
            $(, purge $purge:ident)?
            $(, reference($set:ident, $remove:ident))?
            $(,)?
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        pub struct $place;

        impl $crate::place::Single for $place {
            type Item = $item;
            const GET: &'static $crate::operation::Operation = &$get;
        }

        $(
            impl $crate::place::UpdateAt for $place {
                const UPDATE: &'static $crate::operation::Operation = &$update;
            }
        )?

        $(
            impl $crate::place::DeleteAt for $place {
                const DELETE: &'static $crate::operation::Operation = &$delete;
            }
        )?

        $(
            impl $crate::place::UpsertAt for $place {
                type New = $new;
                const UPSERT: &'static $crate::operation::Operation = &$upsert;
            }
        )?

        $(
            impl $crate::place::RestoreAt for $place {
                const RESTORE: &'static $crate::operation::Operation = &$restore;
            }
        )?

        $(
            impl $crate::place::PurgeAt for $place {
                const PURGE: &'static $crate::operation::Operation = &$purge;
            }
        )?

        $(
            impl $crate::place::ReferenceAt for $place {
                const SET: &'static $crate::operation::Operation = &$set;
                const REMOVE: &'static $crate::operation::Operation = &$remove;
            }
        )?
    )*};
}
pub(crate) use singles;

/// How many references Graph takes in one request.
pub(crate) const MOST_AT_ONCE: usize = 20;
