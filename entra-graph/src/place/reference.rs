//! References to objects, as `$ref` requests and bindings in bodies write them.

use entra_core::{ObjectId, bytes::Bytes, url::Url};

use crate::{
    client::Call, error::Error, key::is_segment, model::Body, operation::Operation, request::Target,
};

/// An object that a request refers to by its address.
///
/// An [`ObjectId`] is one, whatever the object is. Some documented bodies name the collection as well, as
/// [`Reference::user`] does; Graph takes both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    collection: &'static str,
    id: String,
}

/// What [`add_all`](super::Collection::add_all) did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Added {
    /// How many objects were added.
    pub added: usize,
    /// How many existed already.
    pub already_present: usize,
}

impl Reference {
    /// A user, by object id or user principal name.
    pub fn user(id: impl Into<String>) -> Self {
        Self {
            collection: "users",
            id: id.into(),
        }
    }

    /// A group, by object id.
    pub fn group(id: impl Into<String>) -> Self {
        Self {
            collection: "groups",
            id: id.into(),
        }
    }

    /// An app management policy, by object id.
    #[cfg(feature = "app-management-policies")]
    pub(crate) fn app_management_policy(id: String) -> Self {
        Self {
            collection: "policies/appManagementPolicies",
            id,
        }
    }

    /// The id alone.
    ///
    /// # Errors
    /// `Query` for an id that would name something else.
    #[inline]
    pub(crate) fn id(self) -> Result<String, Error> {
        if !is_segment(&self.id) {
            return Err(Error::query(format!(
                "{:?} is not the id of an object to refer to",
                self.id
            )));
        }
        Ok(self.id)
    }

    /// The address of the object, below this root.
    ///
    /// # Errors
    /// `Query` for an id that would name something else.
    #[inline]
    pub(crate) fn url(&self, root: &Url) -> Result<String, Error> {
        let id = self.clone().id()?;
        let mut url = root.clone();
        url.path_segments_mut()
            .map_err(|()| Error::query("the Graph root cannot take a path"))?
            .pop_if_empty()
            .extend(self.collection.split('/').chain([&*id]));
        Ok(url.into())
    }

    /// The body of a `$ref` request.
    #[inline]
    pub(crate) fn body(&self, root: &Url) -> Result<Bytes, Error> {
        let mut body = Body::default();
        body.set::<String>("@odata.id", self.url(root)?.as_str());
        Ok(body.into_bytes())
    }

    /// Sets a binding such as `members@odata.bind` in a body.
    #[inline]
    pub(crate) fn bind(
        body: &mut Body,
        property: &'static str,
        references: &[Self],
        root: &Url,
    ) -> Result<(), Error> {
        let urls: Result<Vec<String>, Error> = references.iter().map(|one| one.url(root)).collect();
        body.set_strings(property, &urls?);
        Ok(())
    }
}

impl Target {
    /// The call that adds references here by an update of the object above.
    #[inline]
    pub(super) fn parent(
        &self,
        references: &[Reference],
        property: &'static str,
        operation: &'static Operation,
    ) -> Result<Call, Error> {
        let mut url = self.url()?;
        url.path_segments_mut()
            .map_err(|()| Error::query("the Graph root cannot take a path"))?
            .pop();
        let mut body = Body::default();
        Reference::bind(&mut body, property, references, self.client.base())?;
        Ok(Call::new(operation, url).with_json(body.into_bytes()))
    }
}

macro_rules! reference_from {
    ($($type:ty),*) => {$(
        impl From<$type> for Reference {
            #[inline]
            fn from(id: $type) -> Self {
                Self {
                    collection: "directoryObjects",
                    id: id.to_string(),
                }
            }
        }
    )*};
}

reference_from!(ObjectId, &ObjectId, &str, String, &String);
