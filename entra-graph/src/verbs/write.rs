//! The bodies of creates and updates: set, clear or leave unchanged.

use std::{fmt, marker::PhantomData};

use entra_core::{http::HeaderValue, url::Url};

use super::List;

use crate::{
    client::{Call, GraphClient, PREFER, Reply},
    error::Error,
    model::{Body, BodyValue, Entity, Settable},
    odata::{Clearable, OnCreate, OnUpdate, Property, SettableIn},
    operation::Operation,
    request::{IntoRequest, Request, Target, read_entity, read_nothing},
};

/// What an object is created from: its required properties, such as [`NewUser`](crate::NewUser).
pub trait New<E> {
    /// The body so far; `root` is the address below the version, for references to other objects.
    #[doc(hidden)]
    fn into_body(self, root: &Url) -> NewBody;

    /// How reads find the new object.
    #[doc(hidden)]
    const FOUND_BY: FoundBy<E> = FoundBy::Id;
}

/// How reads find an object that was created.
#[doc(hidden)]
#[non_exhaustive]
pub enum FoundBy<E> {
    /// By its id, below the address that it was created at.
    Id,
    /// In the list at that address, which this narrows down to few objects.
    List(fn(List<E>, &E) -> List<E>),
    /// Not at all, since Graph returns it once. What the caller reads instead.
    Nothing(&'static str),
}

/// The properties of a new object, or why it cannot be created.
#[doc(hidden)]
#[derive(Debug)]
pub struct NewBody(pub(crate) Result<Body, Error>);

/// A request that creates an object.
///
/// ```
/// # fn example(graph: &entra_graph::GraphClient) {
/// use entra_graph::{NewUser, User, types::PasswordProfile};
/// let password = PasswordProfile::new("correct horse battery staple 1");
/// let create = graph.users()
///     .create(NewUser::new("Adele Vance", "adele@contoso.com", "adele", password))
///     .set(User::DEPARTMENT, "Sales");
/// # }
/// ```
///
/// A property that Graph sets itself cannot be set:
/// ```compile_fail,E0277
/// # fn example(graph: &entra_graph::GraphClient, new: entra_graph::NewUser) {
/// use entra_graph::User;
/// let create = graph.users().create(new).set(User::CREATED_DATE_TIME, entra_core::Timestamp::now_utc());
/// # }
/// ```
#[must_use = "a request does nothing until it is sent"]
pub struct Create<E> {
    target: Target,
    operation: &'static Operation,
    /// The operation that reads it back.
    read: &'static Operation,
    body: Result<Body, Error>,
    found_by: FoundBy<E>,
    marker: PhantomData<fn() -> E>,
}

/// A request that changes an object. Properties that are not named stay unchanged.
///
/// ```
/// # fn example(graph: &entra_graph::GraphClient) {
/// use entra_graph::User;
/// let update = graph.user("adele@contoso.com").update()
///     .set(User::JOB_TITLE, "Lead")
///     .clear(User::OFFICE_LOCATION);
/// # }
/// ```
///
/// A property that Graph sets itself, and one that is fixed when the object is created, cannot be set:
/// ```compile_fail,E0277
/// # fn example(graph: &entra_graph::GraphClient) {
/// use entra_graph::User;
/// let update = graph.user("adele@contoso.com").update().set(User::CREATED_DATE_TIME, entra_core::Timestamp::now_utc());
/// # }
/// ```
/// ```compile_fail,E0277
/// # fn example(graph: &entra_graph::GraphClient) {
/// use entra_graph::Group;
/// let update = graph.group("8f9c").update().set(Group::IS_ASSIGNABLE_TO_ROLE, true);
/// # }
/// ```
/// ```
/// # fn example(graph: &entra_graph::GraphClient, new: entra_graph::NewGroup) {
/// use entra_graph::Group;
/// let create = graph.groups().create(new).set(Group::IS_ASSIGNABLE_TO_ROLE, true);
/// # }
/// ```
#[must_use = "a request does nothing until it is sent"]
pub struct Update<E> {
    target: Target,
    operation: &'static Operation,
    /// The operation that reads it back.
    read: &'static Operation,
    body: Body,
    marker: PhantomData<fn() -> E>,
}

/// A request that changes the object with an alternate key, or creates it if it does not exist.
#[must_use = "a request does nothing until it is sent"]
pub struct Upsert<E> {
    target: Target,
    operation: &'static Operation,
    body: Result<Body, Error>,
    marker: PhantomData<fn() -> E>,
}

impl<E: Entity> Create<E> {
    /// A create by an operation, and the operation that reads the new object.
    pub(crate) fn new<N: New<E>>(
        target: Target,
        (operation, read): (&'static Operation, &'static Operation),
        new: N,
    ) -> Self {
        let body = new.into_body(target.client.base()).0;
        Self {
            target,
            operation,
            read,
            body,
            found_by: N::FOUND_BY,
            marker: PhantomData,
        }
    }

    pub(crate) const fn found_by(&self) -> FoundBy<E> {
        self.found_by
    }

    /// The list at the address of the create.
    pub(crate) fn list(&self) -> List<E> {
        List::new(self.target.clone(), self.read)
    }

    /// The operation that reads the new object.
    pub(crate) const fn read_operation(&self) -> &'static Operation {
        self.read
    }

    /// With a value for a further property. A second call for the same property replaces the first.
    pub fn set<T, A: SettableIn<OnCreate>>(
        mut self,
        property: Property<E, T, A>,
        value: impl BodyValue<T>,
    ) -> Self {
        if let Ok(body) = &mut self.body {
            body.set(property.into_name(), &value);
        }
        self
    }

    /// The new object, as Graph returns it.
    ///
    /// When its response is lost, the request is not sent again, since that could create the object twice.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub async fn send(self) -> Result<E, Error> {
        self.into_request().send().await
    }
}

impl<E: Entity> IntoRequest for Create<E> {
    type Output = E;

    fn into_request(self) -> Request<E> {
        let url = self.target.url();
        let call = self
            .body
            .and_then(|body| Ok(Call::new(self.operation, url?).with_properties(body)));
        Request::new(self.target.client, call, read_entity)
    }
}

impl<E: Entity> Update<E> {
    /// An update by an operation, and the operation that reads the object.
    pub(crate) fn new(
        target: Target,
        (operation, read): (&'static Operation, &'static Operation),
    ) -> Self {
        Self {
            target,
            operation,
            read,
            body: Body::default(),
            marker: PhantomData,
        }
    }

    /// Sets a property. A second call for the same property replaces the first.
    pub fn set<T, A: SettableIn<OnUpdate>>(
        mut self,
        property: Property<E, T, A>,
        value: impl BodyValue<T>,
    ) -> Self {
        self.body.set(property.into_name(), &value);
        self
    }

    /// Clears a property: it has no value afterwards, or no elements if it is a collection. A property that always has a
    /// value cannot be cleared:
    ///
    /// ```compile_fail,E0277
    /// # fn example(graph: &entra_graph::GraphClient) {
    /// use entra_graph::ServicePrincipal;
    /// let update = graph.service_principal("8f9c").update().clear(ServicePrincipal::APP_ROLE_ASSIGNMENT_REQUIRED);
    /// # }
    /// ```
    pub fn clear<T: Settable, A: Clearable>(mut self, property: Property<E, T, A>) -> Self {
        self.body.set_json(property.into_name(), T::CLEARED);
        self
    }

    /// The operation that reads the object.
    pub(crate) const fn read_operation(&self) -> &'static Operation {
        self.read
    }

    /// What is set and cleared: names and JSON.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.body.values()
    }

    /// Sends the change.
    ///
    /// # Errors
    /// Every kind of [`Error`]; `Query` when nothing is set or cleared.
    pub async fn send(self) -> Result<(), Error> {
        self.into_request().send().await
    }
}

impl<E: Entity> IntoRequest for Update<E> {
    type Output = ();

    fn into_request(self) -> Request<()> {
        let call = if self.body.is_empty() {
            Err(Error::query("the update sets nothing and clears nothing"))
        } else {
            let body = self.body;
            self.target
                .url()
                .map(|url| Call::new(self.operation, url).with_properties(body))
        };
        Request::new(self.target.client, call, read_nothing)
    }
}

impl<E: Entity> Upsert<E> {
    pub(crate) fn new(target: Target, operation: &'static Operation, new: impl New<E>) -> Self {
        let body = new.into_body(target.client.base()).0;
        Self {
            target,
            operation,
            body,
            marker: PhantomData,
        }
    }

    /// With a value for a further property. A second call for the same property replaces the first.
    pub fn set<T, A: SettableIn<OnUpdate>>(
        mut self,
        property: Property<E, T, A>,
        value: impl BodyValue<T>,
    ) -> Self {
        if let Ok(body) = &mut self.body {
            body.set(property.into_name(), &value);
        }
        self
    }

    /// The new object if one was created, `None` if one was changed.
    ///
    /// # Errors
    /// Every kind of [`Error`]; `Query` unless an alternate key names the object.
    pub async fn send(self) -> Result<Option<E>, Error> {
        self.into_request().send().await
    }
}

impl<E: Entity> IntoRequest for Upsert<E> {
    type Output = Option<E>;

    fn into_request(self) -> Request<Option<E>> {
        let by_key = self.target.by_alternate_key;
        let url = self.target.url();
        let call = self.body.and_then(|body| {
            if !by_key {
                return Err(Error::query(
                    "only an alternate key, such as `Key::unique_name`, can name an object that may not exist yet",
                ));
            }
            let mut call = Call::new(self.operation, url?).with_properties(body);
            call.headers.push((PREFER, CREATE_IF_MISSING));
            Ok(call)
        });
        Request::new(self.target.client, call, read_upserted)
    }
}

fn read_upserted<E: Entity>(client: &GraphClient, reply: &Reply) -> Result<Option<E>, Error> {
    match reply.status.as_u16() {
        201 => read_entity(client, reply).map(Some),
        _ => read_nothing(client, reply).map(|()| None),
    }
}

impl<E> Clone for FoundBy<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for FoundBy<E> {}

impl<E> fmt::Debug for FoundBy<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Id => "Id",
            Self::List(_) => "List",
            Self::Nothing(_) => "Nothing",
        })
    }
}

macro_rules! debug {
    ($($name:ident),*) => {$(
        /// Shows neither names nor values of properties.
        impl<E> fmt::Debug for $name<E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("operation", &self.operation.name)
                    .finish_non_exhaustive()
            }
        }

        impl<E> Clone for $name<E> {
            fn clone(&self) -> Self {
                Self {
                    target: self.target.clone(),
                    body: self.body.clone(),
                    ..*self
                }
            }
        }
    )*};
}

debug!(Create, Update, Upsert);

const CREATE_IF_MISSING: HeaderValue = HeaderValue::from_static("create-if-missing");
