//! Many lists at once, through batches.

use crate::{
    client::GraphClient,
    error::Error,
    model::Entity,
    stream::{Reading, read_page, read_to_the_end},
    verbs::List,
};

impl GraphClient {
    /// Reads several lists to their ends, 20 in one request, in the order in which they are given: the members of
    /// many groups, the groups or devices of many users.
    ///
    /// Needs the permission of each list. All items are in memory at once.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// let groups = graph.groups().list().items().try_collect::<Vec<_>>().await?;
    /// let members = groups.iter().map(|group| graph.group(&group.id).members().list());
    /// for (group, members) in groups.iter().zip(graph.read_lists(members).await) {
    ///     println!("{} has {} members", group.id, members?.len());
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Every kind of [`Error`], one for each list that fails; it does not stop the others.
    pub async fn read_lists<E: Entity>(
        &self,
        lists: impl IntoIterator<Item = List<E>> + Send,
    ) -> Vec<Result<Vec<E>, Error>> {
        let mut readings: Vec<Reading<E>> = Vec::new();
        for list in lists {
            readings.push(match list.calls(self) {
                Ok((first, rest)) => Reading::new(first, rest),
                Err(error) => Reading::failed(error),
            });
        }
        read_to_the_end(self, &mut readings, read_page).await;
        readings.into_iter().map(Reading::finish).collect()
    }
}
