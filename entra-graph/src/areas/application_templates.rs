//! Applications of the Microsoft Entra gallery: `/applicationTemplates`.

use crate::{
    client::GraphClient,
    key::Key,
    model::Body,
    objects::{ApplicationServicePrincipal, ApplicationTemplate},
    operation::operations,
    place::{Collection, Object, places, singles},
    request::{Request, Target, read_value},
};

operations! {
    LIST = "applicationtemplate-list" GET "/applicationTemplates" => Collection("applicationTemplate"),
        both [];
    GET = "applicationtemplate-get" GET "/applicationTemplates/{id}" => Object("applicationTemplate"),
        both [];
    INSTANTIATE = "applicationtemplate-instantiate" POST "/applicationTemplates/{id}/instantiate" => Object("applicationServicePrincipal"),
        delegated ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"];
}

places! {
    /// `/applicationTemplates`.
    ApplicationTemplates: ApplicationTemplate { list LIST }
}

singles! {
    /// `/applicationTemplates/{id}`.
    OneApplicationTemplate: ApplicationTemplate { get GET }
}

impl GraphClient {
    /// The applications of the Microsoft Entra gallery, some thousands:
    /// [`GET /applicationTemplates`](https://learn.microsoft.com/graph/api/applicationtemplate-list).
    ///
    /// Needs no permission beyond an access token for Graph.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::ApplicationTemplate;
    /// let found = graph.application_templates().list()
    ///     .filter(ApplicationTemplate::DISPLAY_NAME.contains("SAML"))
    ///     .items().try_collect::<Vec<_>>().await?;
    /// assert!(found.iter().all(|template| template.display_name.is_some()));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn application_templates(&self) -> Collection<ApplicationTemplates> {
        Collection::new(Target::root(self).join(&["applicationTemplates"]))
    }

    /// One application of the gallery, by the id of its template:
    /// [`GET /applicationTemplates/{id}`](https://learn.microsoft.com/graph/api/applicationtemplate-get).
    ///
    /// Needs no permission beyond an access token for Graph. An application that is not in the gallery, with SAML or
    /// provisioning, is made from [`ApplicationTemplate::NOT_IN_GALLERY`].
    #[must_use]
    pub fn application_template(&self, id: impl Into<Key>) -> Object<OneApplicationTemplate> {
        Object::new(Target::root(self).key("applicationTemplates", &id.into()))
    }
}

impl Object<OneApplicationTemplate> {
    /// A request that adds the application to the tenant: an app registration and a service principal with this
    /// display name: [`POST /applicationTemplates/{id}/instantiate`](https://learn.microsoft.com/graph/api/applicationtemplate-instantiate).
    ///
    /// Needs `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that then owns both.
    /// Sending it twice adds two, so it is sent again only if it was surely not processed. Graph is reported to
    /// return 404 now and then although it has added the application: look for a service principal with the
    /// display name before another try.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
    /// use entra_graph::ApplicationTemplate;
    /// let template = graph.application_template(ApplicationTemplate::NOT_IN_GALLERY);
    /// let added = template.instantiate("Expense Desk").send().await?;
    /// println!("{:?} {}", added.application.app_id, added.service_principal.id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn instantiate(&self, display_name: &str) -> Request<ApplicationServicePrincipal> {
        let mut body = Body::default();
        body.set::<String>("displayName", display_name);
        let call = self
            .call(&["instantiate"], &INSTANTIATE)
            .map(|call| call.with_json(body.into_bytes()));
        Request::new(self.target().client.clone(), call, read_value)
    }
}
