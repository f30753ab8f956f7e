//! The local copy of a directory, whose state has the links of its feeds.

use entra_core::{ScriptedTransport, StaticCredential};
use entra_graph::{
    GraphClient,
    sync::{DirectorySync, MemoryStore, SyncStore as _},
};

use super::ID;
use crate::shown::{Shown, canary_text};

pub(super) async fn cases(shown: &Shown) {
    let page = format!(
        r#"{{"value":[{{"id":"{ID}","displayName":"Adele"}}],"@odata.deltaLink":"https://graph.microsoft.com/v1.0/users/delta?$deltatoken={}"}}"#,
        canary_text("sync-link")
    );
    let failed = format!(
        r#"{{"error":{{"code":"no"}},"extra":"{}"}}"#,
        canary_text("sync-body")
    );
    let transport = ScriptedTransport::new()
        .then(200, &[], page)
        .then(400, &[], failed);
    let graph = GraphClient::builder(StaticCredential::new(&canary_text("sync-token")))
        .transport(transport)
        .build()
        .unwrap();
    let mut store = MemoryStore::default();
    let mut sync = DirectorySync::new(&graph).users();
    shown.debug(&sync);
    let step = sync.next(&mut store).await.unwrap().unwrap();
    shown.debug(&step);
    shown.debug(step.state());
    store.commit(&step).await.unwrap();
    shown.debug(&store);
    let mut other = DirectorySync::new(&graph).users();
    shown.error(&other.next(&mut MemoryStore::default()).await.unwrap_err());
}
