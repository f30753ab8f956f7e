//! Caches and stores.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_auth::{
    CachePartition, TokenCache,
    store::{
        EncryptedStore, EncryptionKey, FileStore, RedisStore, StoreError, StoreKey, StoreLock,
    },
};
use entra_core::Cloud;

use crate::shown::{Shown, canary_text};

pub(super) async fn cases(shown: &Shown) {
    let key = STANDARD.encode(b"canary-zyx-key-of-thirty-two-by.");
    shown.secret(&key);
    let key = EncryptionKey::from_base64(&key).unwrap();
    shown.debug(&key);
    shown.error(&EncryptionKey::from_base64(&canary_text("key")).unwrap_err());
    let entry = StoreKey::new(&canary_text("partition"), &canary_text("entry"));
    shown.debug(&entry);
    shown.debug(entry.partition());
    shown.debug(&CachePartition::on_behalf_of(
        &Cloud::public(),
        &canary_text("session"),
    ));
    shown.debug(&StoreLock::new(canary_text("guard")));
    let folder = std::env::temp_dir().join(format!("entra-leaks-{}", std::process::id()));
    let store = FileStore::open(&folder).unwrap();
    shown.debug(&store);
    let builder = TokenCache::builder().store(store).encryption_key(key);
    shown.debug(&builder);
    shown.debug(&builder.build());
    std::fs::remove_dir_all(folder).unwrap();
    let address = |port: &str| format!("redis://:{}@127.0.0.1:{port}", canary_text("redis"));
    let invalid: StoreError = RedisStore::new(&address("x")).unwrap_err();
    shown.error(&invalid);
    let store = RedisStore::new(&address("9")).unwrap();
    shown.debug(&store);
    // Nothing listens there.
    shown.error(&store.load(&entry).await.unwrap_err());
}
