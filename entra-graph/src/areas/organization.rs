//! The tenant itself: `/organization`.

use crate::{
    client::GraphClient,
    key::Key,
    objects::Organization,
    operation::operations,
    place::{Collection, Object, places, singles},
    request::Target,
};

operations! {
    LIST = "organization-list" GET "/organization" => Collection("organization"),
        delegated ["User.Read", "Organization.Read.All", "Directory.Read.All"], application ["Organization.Read.All", "Directory.Read.All"];
    GET = "organization-get" GET "/organization/{id}" => Object("organization"),
        delegated ["User.Read", "Organization.Read.All", "Directory.Read.All"], application ["Organization.Read.All", "Directory.Read.All"];
    UPDATE = "organization-update" PATCH "/organization/{id}" => Nothing,
        both ["Organization.ReadWrite.All"];
}

places! {
    /// `/organization`.
    Organizations: Organization { list LIST }
}

singles! {
    /// `/organization/{id}`.
    OneOrganization: Organization { get GET, update UPDATE }
}

impl GraphClient {
    /// The tenant, as a collection of one:
    /// [`GET /organization`](https://learn.microsoft.com/graph/api/organization-list).
    ///
    /// Needs `Organization.Read.All`, or `User.Read` on behalf of a user. There are no pages and
    /// no count.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// let page = graph.organization().list().send().await?;
    /// let tenant = page.items.first().expect("a token belongs to a tenant");
    /// let domains = tenant.verified_domains.as_deref().unwrap_or_default();
    /// assert!(domains.iter().any(|domain| domain.is_default == Some(true)));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn organization(&self) -> Collection<Organizations> {
        Collection::new(Target::root(self).join(&["organization"]))
    }

    /// The tenant, by its id:
    /// [`GET /organization/{id}`](https://learn.microsoft.com/graph/api/organization-get).
    ///
    /// Needs the same permissions as [`organization`](Self::organization);
    /// [updating](https://learn.microsoft.com/graph/api/organization-update) the notification addresses and the
    /// privacy profile needs `Organization.ReadWrite.All`.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// # let page = graph.organization().list().send().await?;
    /// # let tenant_id = page.items[0].id.as_str();
    /// use entra_graph::Organization;
    /// let tenant = graph.organization_by_id(tenant_id).get()
    ///     .select(Organization::DISPLAY_NAME)
    ///     .send().await?;
    /// assert!(tenant.display_name.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn organization_by_id(&self, id: impl Into<Key>) -> Object<OneOrganization> {
        Object::new(Target::root(self).key("organization", &id.into()))
    }
}
