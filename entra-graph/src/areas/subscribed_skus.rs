//! Licences that the tenant has bought: `/subscribedSkus`.

use crate::{
    client::GraphClient,
    key::Key,
    objects::SubscribedSku,
    operation::operations,
    place::{Collection, Object, places, singles},
    request::Target,
};

operations! {
    LIST = "subscribedsku-list" GET "/subscribedSkus" => Collection("subscribedSku"),
        both ["Organization.Read.All", "LicenseAssignment.Read.All", "Directory.Read.All"];
    GET = "subscribedsku-get" GET "/subscribedSkus/{id}" => Object("subscribedSku"),
        both ["Organization.Read.All", "LicenseAssignment.Read.All", "Directory.Read.All"];
}

places! {
    /// `/subscribedSkus`.
    SubscribedSkus: SubscribedSku { list LIST }
}

singles! {
    /// `/subscribedSkus/{id}`.
    OneSubscribedSku: SubscribedSku { get GET }
}

impl GraphClient {
    /// All kinds of licences that the tenant has:
    /// [`GET /subscribedSkus`](https://learn.microsoft.com/graph/api/subscribedsku-list).
    ///
    /// Needs `Organization.Read.All`. They come at once, and Graph neither filters nor counts
    /// them.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::SubscribedSku;
    /// let skus = graph.subscribed_skus().list()
    ///     .select((SubscribedSku::SKU_PART_NUMBER, SubscribedSku::CONSUMED_UNITS))
    ///     .items().try_collect::<Vec<_>>().await?;
    /// assert!(skus.iter().all(|sku| sku.consumed_units.is_some()));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// ```compile_fail
    /// # fn f(graph: &entra_graph::GraphClient) {
    /// use entra_graph::SubscribedSku;
    /// let request = graph.subscribed_skus().list().filter(SubscribedSku::APPLIES_TO.eq("User"));
    /// # }
    /// ```
    #[must_use]
    #[inline]
    pub fn subscribed_skus(&self) -> Collection<SubscribedSkus> {
        Collection::new(Target::root(self).join(&["subscribedSkus"]))
    }

    /// The licences of one kind, by [`SubscribedSku::id`], which is not the SKU's own id:
    /// [`GET /subscribedSkus/{id}`](https://learn.microsoft.com/graph/api/subscribedsku-get).
    ///
    /// Needs `Organization.Read.All`.
    #[must_use]
    pub fn subscribed_sku(&self, id: impl Into<Key>) -> Object<OneSubscribedSku> {
        Object::new(Target::root(self).key("subscribedSkus", &id.into()))
    }
}
