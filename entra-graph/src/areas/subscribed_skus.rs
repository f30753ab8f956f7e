//! Licences that the tenant has bought: `/subscribedSkus`.

mod model;
pub(crate) mod types;

pub use model::SubscribedSku;

use crate::{
    GraphClient, Key,
    entity::{Entity, EntityInfo, capable},
    handle::{Collection, Resource},
    permissions::{GET_SUBSCRIBED_SKU, LIST_SUBSCRIBED_SKUS},
};

impl GraphClient {
    /// All kinds of licences that the tenant has:
    /// [`GET /subscribedSkus`](https://learn.microsoft.com/graph/api/subscribedsku-list).
    ///
    /// Takes `Organization.Read.All`. They come at once, and Graph neither filters nor counts
    /// them.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::SubscribedSku;
    /// let skus = graph.subscribed_skus().list()
    ///     .select((SubscribedSku::SKU_PART_NUMBER, SubscribedSku::CONSUMED_UNITS))
    ///     .items().collect_all().await?;
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
    pub fn subscribed_skus(&self) -> Collection<SubscribedSku> {
        Collection::new(
            self.clone(),
            self.target(&["subscribedSkus"]),
            LIST_SUBSCRIBED_SKUS,
        )
    }

    /// The licences of one kind, by [`SubscribedSku::id`], which is not the SKU's own id:
    /// [`GET /subscribedSkus/{id}`](https://learn.microsoft.com/graph/api/subscribedsku-get).
    ///
    /// Takes `Organization.Read.All`.
    #[must_use]
    pub fn subscribed_sku(&self, id: impl Into<Key>) -> Resource<SubscribedSku> {
        Resource::new(
            self.clone(),
            self.keyed("subscribedSkus", &id.into()),
            GET_SUBSCRIBED_SKU,
        )
    }
}
