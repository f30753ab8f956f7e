//! Federated identity credentials and directory extensions, which are parts of an application.

use entra_core::url::Url;

use super::{
    ApplicationExtensions, ApplicationFederatedCredentials, OneApplication, OneExtension,
    OneFederatedCredential,
};
use crate::{
    key::Key,
    model::Body,
    objects::{ExtensionProperty, FederatedIdentityCredential},
    place::{Collection, Object},
    verbs::{New, NewBody},
};

/// What a federated identity credential is created from; a description is set on the
/// [`Create`](crate::query::Create).
///
/// ```
/// # async fn example(graph: &entra_graph::GraphClient, client_id: entra_core::ClientId) -> Result<(), entra_graph::Error> {
/// use entra_graph::NewFederatedIdentityCredential;
/// let issuer = "https://token.actions.githubusercontent.com";
/// let main = NewFederatedIdentityCredential::new("main", issuer, "repo:contoso/shop:ref:refs/heads/main");
/// graph.application(client_id).federated_identity_credentials().create(main).send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NewFederatedIdentityCredential {
    body: Body,
}

/// What a directory extension is created from.
///
/// ```
/// # async fn example(graph: &entra_graph::GraphClient, client_id: entra_core::ClientId) -> Result<(), entra_graph::Error> {
/// use entra_graph::NewExtensionProperty;
/// let level = NewExtensionProperty::new("level", "Integer", &["User"]);
/// let property = graph.application(client_id).extension_properties().create(level).send().await?;
/// // `extension_{client id without dashes}_level`, as in `Property::custom`:
/// println!("{:?}", property.name);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NewExtensionProperty {
    body: Body,
}

impl NewFederatedIdentityCredential {
    /// A credential for tokens of this issuer and subject, with Entra's usual audience: the name, of letters, digits,
    /// `-`, `_`, `.` and `~`, the issuer and the subject. Graph does not check whether the subject exists.
    #[inline]
    pub fn new(name: &str, issuer: &str, subject: &str) -> Self {
        let mut body = Body::default();
        body.set::<String>(FederatedIdentityCredential::NAME.into_name(), name);
        body.set::<String>(FederatedIdentityCredential::ISSUER.into_name(), issuer);
        body.set::<String>(FederatedIdentityCredential::SUBJECT.into_name(), subject);
        Self { body }.audience(AUDIENCE)
    }

    /// The same credential for tokens with another audience, such as that of a national cloud.
    #[must_use]
    #[inline]
    pub fn audience(mut self, audience: &str) -> Self {
        let name = FederatedIdentityCredential::AUDIENCES.into_name();
        self.body.set_strings(name, &[audience]);
        self
    }
}

impl New<FederatedIdentityCredential> for NewFederatedIdentityCredential {
    #[inline]
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

impl NewExtensionProperty {
    /// An extension from its required properties: the name without its prefix, the type of its values (`Binary`,
    /// `Boolean`, `DateTime`, `Integer`, `LargeInteger` or `String`), and the types of objects that can have it.
    #[inline]
    pub fn new(name: &str, data_type: &str, target_objects: &[&str]) -> Self {
        let mut body = Body::default();
        body.set::<String>(ExtensionProperty::NAME.into_name(), name);
        body.set::<String>(ExtensionProperty::DATA_TYPE.into_name(), data_type);
        body.set_strings(
            ExtensionProperty::TARGET_OBJECTS.into_name(),
            target_objects,
        );
        Self { body }
    }

    /// The same extension, with several values per object.
    #[must_use]
    #[inline]
    pub fn multi_valued(mut self) -> Self {
        self.body
            .set(ExtensionProperty::IS_MULTI_VALUED.into_name(), &true);
        self
    }
}

impl New<ExtensionProperty> for NewExtensionProperty {
    #[inline]
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

impl Object<OneApplication> {
    /// The federated identity credentials, at most 20:
    /// [`GET /applications/{id}/federatedIdentityCredentials`](https://learn.microsoft.com/graph/api/application-list-federatedidentitycredentials).
    ///
    /// Needs `Application.Read.All`; creating needs `Application.ReadWrite.All`, or
    /// `Application.ReadWrite.OwnedBy` for an application that owns it.
    #[must_use]
    #[inline]
    pub fn federated_identity_credentials(&self) -> Collection<ApplicationFederatedCredentials> {
        self.collection("federatedIdentityCredentials")
    }

    /// One federated identity credential, by id or by [`Key::name`]; an upsert takes the name:
    /// [`GET /applications/{id}/federatedIdentityCredentials/{id}`](https://learn.microsoft.com/graph/api/federatedidentitycredential-get).
    ///
    /// Needs `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    #[must_use]
    #[inline]
    pub fn federated_identity_credential(
        &self,
        key: impl Into<Key>,
    ) -> Object<OneFederatedCredential> {
        let target = self.target().clone();
        Object::new(target.key("federatedIdentityCredentials", &key.into()))
    }

    /// The directory extensions that the application defines:
    /// [`GET /applications/{id}/extensionProperties`](https://learn.microsoft.com/graph/api/application-list-extensionproperty).
    ///
    /// Needs `Application.Read.All`; creating needs `Application.ReadWrite.All`, or
    /// `Application.ReadWrite.OwnedBy` for an application that owns it.
    #[must_use]
    #[inline]
    pub fn extension_properties(&self) -> Collection<ApplicationExtensions> {
        self.collection("extensionProperties")
    }

    /// One directory extension, by id, to read or delete. Deleting it deletes its values too:
    /// [`DELETE /applications/{id}/extensionProperties/{id}`](https://learn.microsoft.com/graph/api/extensionproperty-delete).
    ///
    /// Needs `Application.Read.All`; deleting needs `Application.ReadWrite.All`, or
    /// `Application.ReadWrite.OwnedBy` for an application that owns it.
    #[must_use]
    #[inline]
    pub fn extension_property(&self, id: impl Into<Key>) -> Object<OneExtension> {
        let target = self.target().clone();
        Object::new(target.key("extensionProperties", &id.into()))
    }
}

/// The audience that Microsoft recommends for the public cloud.
pub(super) const AUDIENCE: &str = "api://AzureADTokenExchange";
