//! App registrations, which say what an app is: `/applications`.

use crate::{
    client::GraphClient,
    key::Key,
    objects::{Application, DirectoryObject},
    operation::operations,
    place::{Collection, Object, places, singles},
    request::Target,
};

operations! {
    LIST = "application-list" GET "/applications" => Collection("application"),
        both ["Application.Read.All", "Directory.Read.All"];
    COUNT = "application-list-count" GET "/applications/$count" => Value,
        both ["Application.Read.All", "Directory.Read.All"];
    GET = "application-get" GET "/applications/{id}" => Object("application"),
        both ["Application.Read.All", "Directory.Read.All"];
    LIST_OWNERS = "application-list-owners" GET "/applications/{id}/owners" => Collection("directoryObject"),
        both ["Application.Read.All", "Directory.Read.All"];
}

places! {
    /// `/applications`.
    Applications: Application { list LIST, count COUNT }
    /// `/applications/{id}/owners`.
    ApplicationOwners: DirectoryObject { list LIST_OWNERS }
}

singles! {
    /// `/applications/{id}`.
    OneApplication: Application { get GET }
}

impl GraphClient {
    /// All app registrations of the tenant:
    /// [`GET /applications`](https://learn.microsoft.com/graph/api/application-list).
    ///
    /// Takes `Application.Read.All`. Applications of other tenants, such as those from the
    /// gallery, are here as [`service_principals`](Self::service_principals) only.
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
    pub fn applications(&self) -> Collection<Applications> {
        Collection::new(Target::root(self).join(&["applications"]))
    }

    /// One app registration, by object id or by [`Key::app_id`] or [`Key::unique_name`]:
    /// [`GET /applications/{id}`](https://learn.microsoft.com/graph/api/application-get).
    ///
    /// Takes `Application.Read.All`. A [`ClientId`](entra_core::ClientId) is a key as it stands; as
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
    pub fn application(&self, id: impl Into<Key>) -> Object<OneApplication> {
        Object::new(Target::root(self).key("applications", &id.into()))
    }
}

impl Object<OneApplication> {
    /// Owners, which are users and service principals:
    /// [`GET /applications/{id}/owners`](https://learn.microsoft.com/graph/api/application-list-owners).
    ///
    /// Takes `Application.Read.All`.
    #[must_use]
    pub fn owners(&self) -> Collection<ApplicationOwners> {
        self.collection("owners")
    }
}
