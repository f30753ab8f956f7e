//! Who is forgotten while a token is on its way stays forgotten.

use std::{sync::Arc, time::Duration};

use entra_auth::{
    Partition, TokenCache,
    user::{Account, ClientProof, UserCredential},
};
use entra_core::{CredentialErrorKind, TokenCredential, TokenRequest};

use crate::{
    stores::Shelf,
    support::{CLIENT, Random, Service, TENANT, builder, graph, poll_once, settle, yield_once},
};

const HOME: &str = "33333333-3333-3333-3333-333333333333.11111111-1111-1111-1111-111111111111";

/// A service, a store and a moment that depend on the seed.
fn scene(seed: u64, service: Arc<Service>) -> (Arc<Service>, Arc<Shelf>, u64) {
    let mut random = Random::new(seed);
    let shelf = Shelf::new();
    service.yield_first(random.below(8));
    shelf.yield_first(random.below(5));
    (service, shelf, random.below(40))
}

fn person(service: &Arc<Service>, cache: &TokenCache) -> UserCredential {
    let account = serde_json::json!({"home_account_id": HOME, "tenant": TENANT});
    let account: Account = serde_json::from_value(account).unwrap();
    UserCredential::builder(account, CLIENT, ClientProof::public(), "first")
        .transport(Arc::clone(service))
        .cache(cache)
        .build()
        .unwrap()
}

#[tokio::test]
async fn the_token_of_a_running_request_is_kept_nowhere_after_its_partition_is_forgotten() {
    let partition = Partition::app(CLIENT.parse().unwrap(), &TENANT.parse().unwrap());
    for seed in 0..500 {
        let (service, shelf, moment) = scene(seed, Service::new());
        let cache = TokenCache::builder().store(Arc::clone(&shelf)).build();
        let credential = builder(&service).cache(&cache).build().unwrap();
        let request = graph();
        let mut call = credential.token(&request);
        assert!(poll_once(&mut call).await.is_none(), "it waits");
        for _ in 0..moment {
            yield_once().await;
        }
        cache.forget(&partition).await.unwrap();
        call.await.unwrap();
        settle().await;
        assert!(cache.is_empty(), "seed {seed}: in memory");
        let stored = shelf.entries.lock().unwrap().len();
        assert_eq!(stored, 0, "seed {seed}: in the store");

        let asked = service.count();
        credential.token(&request).await.unwrap();
        assert_eq!(service.count(), asked + 1, "seed {seed}");
        assert_eq!(shelf.entries.lock().unwrap().len(), 1, "kept as ever");
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_replaced_during_a_sign_out_does_not_come_back() {
    let partition = Partition::account(HOME);
    for seed in 0..500 {
        let answer = r#","expires_in":3600,"refresh_token":"second""#;
        let (service, shelf, moment) = scene(seed, Service::answering(answer));
        let cache = TokenCache::builder().store(Arc::clone(&shelf)).build();
        let person = person(&service, &cache);
        let request = TokenRequest::new(["User.Read"]);
        let mut call = person.token(&request);
        assert!(poll_once(&mut call).await.is_none(), "it waits");
        for _ in 0..moment {
            yield_once().await;
        }
        cache.forget(&partition).await.unwrap();
        if let Err(error) = call.await {
            assert_eq!(error.kind(), CredentialErrorKind::InteractionRequired);
        }
        settle().await;
        assert!(cache.is_empty(), "seed {seed}: in memory");
        assert!(person.refresh_token().is_none(), "seed {seed}: in memory");
        let stored = shelf.entries.lock().unwrap().len();
        assert_eq!(stored, 0, "seed {seed}: in the store");
        let error = person.token(&request).await.unwrap_err();
        assert_eq!(error.kind(), CredentialErrorKind::InteractionRequired);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_does_not_hold_up_a_sign_out_for_long() {
    let (service, shelf, _) = scene(1, Service::new());
    let cache = TokenCache::builder().store(Arc::clone(&shelf)).build();
    let credential = builder(&service).cache(&cache).build().unwrap();
    shelf.hang(true);
    let request = graph();
    let mut call = credential.token(&request);
    assert!(poll_once(&mut call).await.is_none(), "it waits");
    let partition = Partition::app(CLIENT.parse().unwrap(), &TENANT.parse().unwrap());
    let forgetting = tokio::time::timeout(Duration::from_secs(7), cache.forget(&partition));
    forgetting.await.unwrap().unwrap_err();
    call.await.unwrap();
    assert!(cache.is_empty());
}
