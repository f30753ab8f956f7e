//! App registrations, their owners and credentials: `/applications`.

mod federation;
mod flexible;
mod keys;
mod new;
mod passwords;
mod roles;
mod signing_keys;

pub use federation::{NewExtensionProperty, NewFederatedIdentityCredential};
pub use flexible::NewFlexibleFederatedIdentityCredential;
pub use keys::{CertificateId, KeyPlace, NewCertificate, ProvenRequest};
pub use new::NewApplication;
#[cfg(feature = "registration")]
pub(crate) use passwords::later as months_later;
pub use passwords::{NewPassword, NewSecret, PasswordPlace, SecretId};
pub use signing_keys::NewSigningKey;

use entra_core::bytes::Bytes;

use super::deleted_items::{deleted, deleted_list};
use crate::{
    client::GraphClient,
    key::Key,
    model::Body,
    objects::{Application, DirectoryObject, ExtensionProperty, FederatedIdentityCredential, beta},
    operation::operations,
    place::{Collection, Object, places, singles},
    request::{Request, Target, read_nothing, with_bytes},
};

operations! {
    LIST = "application-list" GET "/applications" => Collection("application"),
        both ["Application.Read.All", "Directory.Read.All"];
    COUNT = "application-list-count" GET "/applications/$count" => Value,
        both ["Application.Read.All", "Directory.Read.All"];
    GET = "application-get" GET "/applications/{id}" => Object("application"),
        both ["Application.Read.All", "Directory.Read.All"];
    DELTA = "application-delta" GET "/applications/delta" => Collection("application"),
        both ["Application.Read.All", "Directory.Read.All"];
    CREATE = "application-post-applications" POST "/applications" => Object("application"),
        delegated ["AppRegistration.Create", "Application.ReadWrite.All"],
        application ["AppRegistration.Create", "Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    UPDATE = "application-update" PATCH "/applications/{id}" => Nothing,
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    UPSERT = "application-upsert" PATCH "/applications(uniqueName='{uniqueName}')" => Object("application"),
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    DELETE = "application-delete" DELETE "/applications/{id}" => Nothing,
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    ADD_PASSWORD = "application-addpassword" POST "/applications/{id}/addPassword" => Object("passwordCredential"),
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"];
    REMOVE_PASSWORD = "application-removepassword" POST(Idempotent) "/applications/{id}/removePassword" => Nothing,
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"];
    ADD_KEY = "application-addkey" POST "/applications/{id}/addKey" => Nothing,
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"];
    REMOVE_KEY = "application-removekey" POST(Idempotent) "/applications/{id}/removeKey" => Nothing,
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"];
    SET_VERIFIED_PUBLISHER = "application-setverifiedpublisher" POST(Idempotent) "/applications/{id}/setVerifiedPublisher" => Nothing,
        delegated ["Application.ReadWrite.All"], application [];
    UNSET_VERIFIED_PUBLISHER = "application-unsetverifiedpublisher" POST(Idempotent) "/applications/{id}/unsetVerifiedPublisher" => Nothing,
        delegated ["Application.ReadWrite.All"], application [];
    SET_LOGO = "application-update-logo" PUT "/applications/{id}/logo" => Nothing,
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    LIST_FEDERATED = "application-list-federatedidentitycredentials" GET "/applications/{id}/federatedIdentityCredentials" => Collection("federatedIdentityCredential"),
        both ["Application.Read.All"];
    CREATE_FEDERATED = "application-post-federatedidentitycredentials" POST "/applications/{id}/federatedIdentityCredentials" => Object("federatedIdentityCredential"),
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    GET_FEDERATED = "federatedidentitycredential-get" GET "/applications/{id}/federatedIdentityCredentials/{id}" => Object("federatedIdentityCredential"),
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    UPDATE_FEDERATED = "federatedidentitycredential-update" PATCH "/applications/{id}/federatedIdentityCredentials/{id}" => Nothing,
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    UPSERT_FEDERATED = "federatedidentitycredential-upsert" PATCH "/applications/{id}/federatedIdentityCredentials(name='{name}')" => Object("federatedIdentityCredential"),
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    DELETE_FEDERATED = "federatedidentitycredential-delete" DELETE "/applications/{id}/federatedIdentityCredentials/{id}" => Nothing,
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    LIST_BETA_FEDERATED = "application-list-federatedidentitycredentials-beta" GET @ Beta "/applications/{id}/federatedIdentityCredentials" => Collection("federatedIdentityCredential"),
        both ["Application.Read.All"];
    CREATE_BETA_FEDERATED = "application-post-federatedidentitycredentials-beta" POST @ Beta "/applications/{id}/federatedIdentityCredentials" => Object("federatedIdentityCredential"),
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    GET_BETA_FEDERATED = "federatedidentitycredential-get-beta" GET @ Beta "/applications/{id}/federatedIdentityCredentials/{id}" => Object("federatedIdentityCredential"),
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    UPDATE_BETA_FEDERATED = "federatedidentitycredential-update-beta" PATCH @ Beta "/applications/{id}/federatedIdentityCredentials/{id}" => Nothing,
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    UPSERT_BETA_FEDERATED = "federatedidentitycredential-upsert-beta" PATCH @ Beta "/applications/{id}/federatedIdentityCredentials(name='{name}')" => Object("federatedIdentityCredential"),
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    DELETE_BETA_FEDERATED = "federatedidentitycredential-delete-beta" DELETE @ Beta "/applications/{id}/federatedIdentityCredentials/{id}" => Nothing,
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    LIST_EXTENSIONS = "application-list-extensionproperty" GET "/applications/{id}/extensionProperties" => Collection("extensionProperty"),
        both ["Application.Read.All", "Directory.Read.All"];
    CREATE_EXTENSION = "application-post-extensionproperty" POST "/applications/{id}/extensionProperties" => Object("extensionProperty"),
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"];
    GET_EXTENSION = "extensionproperty-get" GET "/applications/{id}/extensionProperties/{id}" => Object("extensionProperty"),
        delegated ["Application.Read.All", "Directory.Read.All"], application ["Application.Read.All"];
    DELETE_EXTENSION = "extensionproperty-delete" DELETE "/applications/{id}/extensionProperties/{id}" => Nothing,
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"];
    LIST_OWNERS = "application-list-owners" GET "/applications/{id}/owners" => Collection("directoryObject"),
        both ["Application.Read.All", "Directory.Read.All"];
    ADD_OWNER = "application-post-owners" POST(Idempotent) "/applications/{id}/owners/$ref" => Nothing,
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    REMOVE_OWNER = "application-delete-owners" DELETE "/applications/{id}/owners/{id}/$ref" => Nothing,
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    LIST_DELETED = "directory-deleteditems-list-applications" GET "/directory/deletedItems/microsoft.graph.application" => Collection("application"),
        both ["Application.Read.All", "Directory.Read.All"];
    GET_DELETED = "directory-deleteditems-get-application" GET "/directory/deletedItems/{id}" => Object("application"),
        both ["Application.Read.All", "Directory.Read.All"];
    RESTORE = "directory-deleteditems-restore-application" POST "/directory/deletedItems/{id}/restore" => Object("application"),
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
    PURGE = "directory-deleteditems-delete-application" DELETE "/directory/deletedItems/{id}" => Nothing,
        delegated ["Application.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
}

places! {
    /// `/applications`.
    Applications: Application { list LIST, count COUNT, create(NewApplication) CREATE read GET, delta DELTA }
    /// `/applications/{id}/owners`.
    ApplicationOwners: DirectoryObject { list LIST_OWNERS, references(ADD_OWNER, REMOVE_OWNER) }
    /// `/applications/{id}/federatedIdentityCredentials`.
    ApplicationFederatedCredentials: FederatedIdentityCredential {
        list LIST_FEDERATED,
        create(NewFederatedIdentityCredential) CREATE_FEDERATED read GET_FEDERATED
    }
    /// `/applications/{id}/federatedIdentityCredentials` of beta.
    BetaFederatedCredentials: beta::FederatedIdentityCredential {
        list LIST_BETA_FEDERATED,
        create(NewFlexibleFederatedIdentityCredential) CREATE_BETA_FEDERATED read GET_BETA_FEDERATED
    }
    /// `/applications/{id}/extensionProperties`.
    ApplicationExtensions: ExtensionProperty {
        list LIST_EXTENSIONS,
        create(NewExtensionProperty) CREATE_EXTENSION read GET_EXTENSION
    }
    /// `/directory/deletedItems/microsoft.graph.application`.
    DeletedApplications: Application { list LIST_DELETED }
}

singles! {
    /// `/applications/{id}`.
    OneApplication: Application { get GET, update UPDATE, delete DELETE, upsert(NewApplication) UPSERT }
    /// `/applications/{id}/federatedIdentityCredentials/{id}`.
    OneFederatedCredential: FederatedIdentityCredential {
        get GET_FEDERATED,
        update UPDATE_FEDERATED,
        delete DELETE_FEDERATED,
        upsert(NewFederatedIdentityCredential) UPSERT_FEDERATED
    }
    /// `/applications/{id}/federatedIdentityCredentials/{id}` of beta.
    OneBetaFederatedCredential: beta::FederatedIdentityCredential {
        get GET_BETA_FEDERATED,
        update UPDATE_BETA_FEDERATED,
        delete DELETE_BETA_FEDERATED,
        upsert(NewFlexibleFederatedIdentityCredential) UPSERT_BETA_FEDERATED
    }
    /// `/applications/{id}/extensionProperties/{id}`.
    OneExtension: ExtensionProperty { get GET_EXTENSION, delete DELETE_EXTENSION }
    /// `/directory/deletedItems/{id}` of an application.
    DeletedApplication: Application { get GET_DELETED, restore RESTORE, purge PURGE }
}

impl GraphClient {
    /// All app registrations of the tenant:
    /// [`GET /applications`](https://learn.microsoft.com/graph/api/application-list).
    ///
    /// Needs `Application.Read.All`; creating needs `AppRegistration.Create`, or
    /// `Application.ReadWrite.OwnedBy` for an application that then owns what it creates. Applications of other
    /// tenants, such as those from the gallery, are here as [`service_principals`](Self::service_principals) only.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::{Application, types::WebApplication};
    /// let redirect_uris = Application::WEB.path(WebApplication::REDIRECT_URIS);
    /// let local = graph.applications().list()
    ///     .filter(redirect_uris.any(|uri| uri.starts_with("http://localhost")))
    ///     .select((Application::APP_ID, Application::DISPLAY_NAME))
    ///     .items().try_collect::<Vec<_>>().await?;
    /// assert!(local.iter().all(|app| app.app_id.is_some()));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn applications(&self) -> Collection<Applications> {
        Collection::new(Target::root(self).join(&["applications"]))
    }

    /// One app registration, by object id or by [`Key::app_id`] or [`Key::unique_name`]:
    /// [`GET /applications/{id}`](https://learn.microsoft.com/graph/api/application-get).
    ///
    /// Needs `Application.Read.All`; updating, upserting and deleting need `Application.ReadWrite.All`, or
    /// `Application.ReadWrite.OwnedBy` for an application that owns it. A [`ClientId`](entra_core::ClientId) is a key as it stands; as
    /// text, a client id must go through [`Key::app_id`], since plain text is an object id.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::Key;
    /// let unknown = Key::app_id("11111111-2222-3333-4444-555555555555");
    /// assert!(graph.application(unknown).get_opt().await?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn application(&self, id: impl Into<Key>) -> Object<OneApplication> {
        Object::new(Target::root(self).key("applications", &id.into()))
    }

    /// App registrations that were deleted in the last 30 days:
    /// [`GET /directory/deletedItems/microsoft.graph.application`](https://learn.microsoft.com/graph/api/directory-deleteditems-list).
    ///
    /// Needs `Application.Read.All`. A deleted application keeps its unique name and application ID URIs.
    #[must_use]
    #[inline]
    pub fn deleted_applications(&self) -> Collection<DeletedApplications> {
        deleted_list(self, "microsoft.graph.application")
    }

    /// One deleted app registration, by object id, to read, restore or delete for good:
    /// [`POST /directory/deletedItems/{id}/restore`](https://learn.microsoft.com/graph/api/directory-deleteditems-restore).
    ///
    /// Needs `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    /// Its service principal in this tenant, which is deleted with it, is restored on its own.
    #[must_use]
    #[inline]
    pub fn deleted_application(&self, id: impl Into<Key>) -> Object<DeletedApplication> {
        deleted(self, id)
    }
}

impl Object<OneApplication> {
    /// A request that sets the verified publisher, by its partner id in the Microsoft AI Cloud Partner Program:
    /// [`POST /applications/{id}/setVerifiedPublisher`](https://learn.microsoft.com/graph/api/application-setverifiedpublisher).
    ///
    /// Needs the delegated permission `Application.ReadWrite.All`: only a signed-in user with multifactor
    /// authentication can vouch for the publisher, not an application.
    #[inline]
    pub fn set_verified_publisher(&self, partner_id: &str) -> Request<()> {
        let mut body = Body::default();
        body.set::<String>("verifiedPublisherId", partner_id);
        let call = self
            .call(&["setVerifiedPublisher"], &SET_VERIFIED_PUBLISHER)
            .map(|call| call.with_json(body.into_bytes()));
        Request::new(self.target().client.clone(), call, read_nothing)
    }

    /// A request that removes the verified publisher:
    /// [`POST /applications/{id}/unsetVerifiedPublisher`](https://learn.microsoft.com/graph/api/application-unsetverifiedpublisher).
    ///
    /// Needs the delegated permission `Application.ReadWrite.All`.
    #[inline]
    pub fn unset_verified_publisher(&self) -> Request<()> {
        let call = self.call(&["unsetVerifiedPublisher"], &UNSET_VERIFIED_PUBLISHER);
        Request::new(self.target().client.clone(), call, read_nothing)
    }

    /// A request that sets the logo to these bytes of a PNG image:
    /// [`PUT /applications/{id}/logo`](https://learn.microsoft.com/graph/api/application-update).
    ///
    /// Needs `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    #[inline]
    pub fn set_logo(&self, png: impl Into<Bytes>) -> Request<()> {
        let png = png.into();
        let call = self
            .call(&["logo"], &SET_LOGO)
            .map(|call| with_bytes(call, "image/png", png));
        Request::new(self.target().client.clone(), call, read_nothing)
    }

    /// Owners, which are users and service principals:
    /// [`GET /applications/{id}/owners`](https://learn.microsoft.com/graph/api/application-list-owners).
    ///
    /// Needs `Application.Read.All`; adding and removing need `Application.ReadWrite.All`, or
    /// `Application.ReadWrite.OwnedBy` for an application that is an owner, and `Directory.Read.All`.
    #[must_use]
    #[inline]
    pub fn owners(&self) -> Collection<ApplicationOwners> {
        self.collection("owners")
    }
}
