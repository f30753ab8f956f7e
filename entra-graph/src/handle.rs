use std::{fmt, marker::PhantomData};

use entra_core::{ClientId, Guid, ObjectId, url::Url};

use crate::{
    DirectoryObject, Error, GraphClient,
    directory_object::DirectoryEntity,
    entity::{Countable, Entity},
    odata::Query,
    permissions::Operation,
    request::{Count, Get, List},
};

/// A collection of `E`, such as all users or the members of a group.
///
/// Nothing is sent until a request made from it is.
pub struct Collection<E> {
    at: At,
    count: &'static Operation,
    marker: PhantomData<fn() -> E>,
}

/// One object of type `E`, by id or another key.
///
/// Nothing is sent until a request made from it is.
pub struct Resource<E> {
    at: At,
    marker: PhantomData<fn() -> E>,
}

/// What a request needs to know about the place it goes to.
#[derive(Clone, Debug)]
pub(crate) struct At {
    pub(crate) client: GraphClient,
    pub(crate) target: Target,
    pub(crate) operation: &'static Operation,
    /// Whether every request there is an advanced query.
    pub(crate) advanced: bool,
}

/// An address, or why there is none.
#[derive(Clone, Debug)]
pub(crate) struct Target(Result<Url, String>);

/// What names one object: its id, or an alternate key.
///
/// ```
/// use entra_graph::Key;
/// let by_id = Key::from("8f9c…");
/// let by_app_id = Key::app_id("4f1c…");
/// # let _ = (by_id, by_app_id);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    name: Option<&'static str>,
    value: String,
}

impl<E: Entity> Collection<E> {
    pub(crate) const fn new(
        client: GraphClient,
        target: Target,
        operation: &'static Operation,
    ) -> Self {
        Self {
            at: At {
                client,
                target,
                operation,
                advanced: false,
            },
            count: operation,
            marker: PhantomData,
        }
    }

    /// A request for the items.
    pub fn list(&self) -> List<E> {
        List::new(self.at.clone())
    }

    /// A request for the number of items.
    pub fn count(&self) -> Count<E>
    where
        E: Countable,
    {
        Count::new(At {
            operation: self.count,
            ..self.at.clone()
        })
    }

    /// The same collection, whose count takes other permissions than its list.
    pub(crate) const fn counted_by(mut self, operation: &'static Operation) -> Self {
        self.count = operation;
        self
    }
}

impl Collection<DirectoryObject> {
    /// Only the objects of one type, with that type's properties and query options.
    ///
    /// Graph takes such requests as advanced queries only, and they are sent so.
    #[must_use]
    pub fn cast<E: DirectoryEntity>(&self) -> Collection<E> {
        let target = self.at.target.clone().join(&[E::CAST]);
        let mut cast = Collection::new(self.at.client.clone(), target, self.at.operation);
        cast.at.advanced = true;
        cast
    }
}

impl<E: Entity> Resource<E> {
    pub(crate) const fn new(
        client: GraphClient,
        target: Target,
        operation: &'static Operation,
    ) -> Self {
        Self {
            at: At {
                client,
                target,
                operation,
                advanced: false,
            },
            marker: PhantomData,
        }
    }

    /// A request for the object.
    pub fn get(&self) -> Get<E> {
        Get::new(self.at.clone())
    }

    /// The object, or `None` if Graph has none there.
    ///
    /// # Errors
    /// Every kind of [`Error`], except for a 404.
    pub async fn get_opt(&self) -> Result<Option<E>, Error> {
        self.get().send_opt().await
    }

    pub(crate) const fn client(&self) -> &GraphClient {
        &self.at.client
    }

    /// The address of an action below the object.
    pub(crate) fn below(&self, action: &str) -> Result<Url, Error> {
        let target = self.at.target.clone().join(&[action]);
        target.0.map_err(Error::query)
    }

    /// A collection below the object.
    pub(crate) fn collection<F: Entity>(
        &self,
        name: &str,
        operation: &'static Operation,
    ) -> Collection<F> {
        let target = self.at.target.clone().join(&[name]);
        Collection::new(self.at.client.clone(), target, operation)
    }

    /// A single object below the object.
    pub(crate) fn single<F: Entity>(
        &self,
        name: &str,
        operation: &'static Operation,
    ) -> Resource<F> {
        let target = self.at.target.clone().join(&[name]);
        Resource::new(self.at.client.clone(), target, operation)
    }
}

impl At {
    /// The query to start from, which remembers if there is no address.
    pub(crate) fn query(&self) -> Query {
        let mut query = match &self.target.0 {
            Ok(_) => Query::default(),
            Err(problem) => Query::failed(problem.clone()),
        };
        if self.advanced {
            query.force_advanced();
        }
        query
    }

    pub(crate) fn url(&self) -> Result<Url, Error> {
        self.target.0.clone().map_err(Error::query)
    }
}

impl Target {
    pub(crate) const fn new(base: Url) -> Self {
        Self(Ok(base))
    }

    /// The address below this one; every segment is percent-encoded.
    pub(crate) fn join(self, segments: &[&str]) -> Self {
        Self(self.0.and_then(|mut url| {
            url.path_segments_mut()
                .map_err(|()| "the Graph root cannot take a path".to_owned())?
                .pop_if_empty()
                .extend(segments);
            Ok(url)
        }))
    }

    /// The address of one object of a collection below this one.
    pub(crate) fn key(self, collection: &str, key: &Key) -> Self {
        match key.segments(collection) {
            Ok((first, Some(second))) => self.join(&[&first, &second]),
            Ok((only, None)) => self.join(&[&only]),
            Err(problem) => Self(Err(problem)),
        }
    }
}

impl Key {
    /// The application (client) id of an application or a service principal.
    pub fn app_id(id: impl Into<String>) -> Self {
        Self::alternate("appId", id)
    }

    /// The id that a device gave itself.
    pub fn device_id(id: impl Into<String>) -> Self {
        Self::alternate("deviceId", id)
    }

    /// The unique name of an application or a group.
    pub fn unique_name(name: impl Into<String>) -> Self {
        Self::alternate("uniqueName", name)
    }

    fn alternate(name: &'static str, value: impl Into<String>) -> Self {
        Self {
            name: Some(name),
            value: value.into(),
        }
    }

    /// The path segments of the object.
    fn segments(&self, collection: &str) -> Result<(String, Option<String>), String> {
        let value = self.value.as_str();
        // These would name the collection, or what is above it.
        if matches!(value.trim(), "" | "." | "..") {
            return Err(format!(
                "{value:?} is not an id: one object of /{collection} is named by its id or another key"
            ));
        }
        let quoted = value.replace('\'', "''");
        Ok(match self.name {
            Some(name) => (format!("{collection}({name}='{quoted}')"), None),
            // A segment that starts with a dollar sign would be an operator.
            None if value.starts_with('$') => (format!("{collection}('{quoted}')"), None),
            None => (collection.to_owned(), Some(value.to_owned())),
        })
    }
}

macro_rules! key_from {
    ($($type:ty),*) => {$(
        impl From<$type> for Key {
            fn from(id: $type) -> Self {
                Self {
                    name: None,
                    value: id.to_string(),
                }
            }
        }
    )*};
}

key_from!(&str, String, &String, ObjectId, &ObjectId, Guid);

/// An application (client) id is an alternate key.
impl From<ClientId> for Key {
    fn from(id: ClientId) -> Self {
        Self::app_id(id.to_string())
    }
}

impl<E> Clone for Collection<E> {
    fn clone(&self) -> Self {
        Self {
            at: self.at.clone(),
            count: self.count,
            marker: PhantomData,
        }
    }
}

impl<E> fmt::Debug for Collection<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Collection({})", self.at.operation.name)
    }
}

impl<E> Clone for Resource<E> {
    fn clone(&self) -> Self {
        Self {
            at: self.at.clone(),
            marker: PhantomData,
        }
    }
}

impl<E> fmt::Debug for Resource<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resource({})", self.at.operation.name)
    }
}
