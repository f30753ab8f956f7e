//! Objects that a full round did not contain: whether Graph has them all the same.

use std::collections::HashSet;

use super::{change::ObjectKind, error::SyncError};
use crate::client::GraphClient;

/// Which of these objects Graph has, or forbids to read.
pub(super) async fn existing(
    client: &GraphClient,
    kind: ObjectKind,
    ids: &[String],
) -> Result<HashSet<String>, SyncError> {
    let mut existing = HashSet::new();
    let Some(set) = kind.set().filter(|_| !ids.is_empty()) else {
        return Ok(existing);
    };
    let mut batch = client.batch();
    let entries: Vec<_> = ids
        .iter()
        .map(|id| batch.add(client.raw("GET", format!("/{set}/{id}?$select=id"))))
        .collect();
    let responses = batch.send().await?;
    for (id, entry) in ids.iter().zip(entries) {
        match responses.get(entry) {
            Ok(_) => drop(existing.insert(id.clone())),
            // Nothing is removed because it cannot be read.
            Err(error) if error.is_forbidden() => drop(existing.insert(id.clone())),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(existing)
}
