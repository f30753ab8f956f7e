//! Who is forgotten while a token is on its way stays forgotten.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use entra_auth::{
    CachePartition, TokenCache,
    user::{Account, ClientAuthentication, UserCredential},
};
use entra_core::{Cloud, CredentialErrorKind, TokenCredential, TokenRequest};

use crate::{
    stores::Shelf,
    support::{CLIENT, Random, Service, TENANT, builder, graph, poll_once},
};

const HOME: &str = "33333333-3333-3333-3333-333333333333.11111111-1111-1111-1111-111111111111";
const SEEDS: u64 = 2_000;

/// One course of events. Without a runtime, so that each step is taken here and none besides.
struct Race {
    shelf: Arc<Shelf>,
    cache: TokenCache,
    random: Random,
}

impl Race {
    fn new(seed: u64, service: &Service) -> Self {
        let (mut random, shelf) = (Random::new(seed), Shelf::new());
        service.yield_first(random.below(8));
        shelf.yield_first(random.below(4));
        Self {
            cache: TokenCache::builder().store(Arc::clone(&shelf)).build(),
            shelf,
            random,
        }
    }

    /// Forgets a partition somewhere between the first and the last step of a call, and goes on with
    /// both in turns. Whether the call was under way when the forgetting began, and what it gave.
    fn run<T>(
        &mut self,
        mut call: Pin<&mut dyn Future<Output = T>>,
        partition: &CachePartition,
    ) -> (bool, T) {
        let mut given = (0..=self.random.below(40)).find_map(|_| step(call.as_mut()));
        let under_way = given.is_none();
        let mut forgetting = pin!(self.cache.forget(partition));
        let mut forgotten = false;
        while !forgotten || given.is_none() {
            if given.is_none() && (forgotten || self.random.below(2) == 0) {
                given = step(call.as_mut());
            } else if !forgotten && let Some(done) = step(forgetting.as_mut()) {
                done.unwrap();
                forgotten = true;
            }
        }
        (under_way, given.unwrap())
    }

    fn stored(&self) -> usize {
        self.shelf.entries.lock().unwrap().len()
    }
}

fn step<F: Future + ?Sized>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn finish<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    (0..1_000).find_map(|_| step(future.as_mut())).unwrap()
}

fn application() -> CachePartition {
    CachePartition::app(
        &Cloud::public(),
        CLIENT.parse().unwrap(),
        &TENANT.parse().unwrap(),
    )
}

#[test]
fn the_token_of_a_running_request_is_kept_nowhere_after_its_partition_is_forgotten() {
    let mut raced = 0;
    for seed in 0..SEEDS {
        let service = Service::new();
        let mut race = Race::new(seed, &service);
        let credential = builder(&service).cache(&race.cache).build().unwrap();
        let request = graph();
        let (under_way, token) = race.run(credential.token(&request).as_mut(), &application());
        token.unwrap();
        raced += u64::from(under_way);
        assert!(race.cache.is_empty(), "seed {seed}: in memory");
        assert_eq!(race.stored(), 0, "seed {seed}: in the store");

        let requested = service.count();
        finish(credential.token(&request)).unwrap();
        assert_eq!(service.count(), requested + 1, "seed {seed}");
        assert_eq!(race.stored(), 1, "kept as ever");
    }
    assert!(raced > SEEDS / 10, "{raced} races");
}

#[test]
fn a_refresh_token_that_is_replaced_during_a_sign_out_does_not_come_back() {
    let partition = CachePartition::account(&Cloud::public(), HOME);
    let account = serde_json::json!({"home_account_id": HOME, "tenant": TENANT});
    let account: Account = serde_json::from_value(account).unwrap();
    let mut raced = 0;
    for seed in 0..SEEDS {
        let service = Service::responding(r#","expires_in":3600,"refresh_token":"second""#);
        let mut race = Race::new(seed, &service);
        let user_of = |cache: &TokenCache| {
            let public = ClientAuthentication::public();
            UserCredential::builder(account.clone(), CLIENT, public, "first")
                .transport(Arc::clone(&service))
                .cache(cache)
                .build()
                .unwrap()
        };
        if seed % 2 == 0 {
            // Another replica has stored a refresh token, so the store may be read while the user signs out.
            let shelf = Arc::clone(&race.shelf);
            let elsewhere = user_of(&TokenCache::builder().store(shelf).build());
            finish(elsewhere.token(&TokenRequest::new(["Mail.Read"]))).unwrap();
        }
        let user = user_of(&race.cache);
        let request = TokenRequest::new(["User.Read"]);
        let (under_way, token) = race.run(user.token(&request).as_mut(), &partition);
        match token {
            Ok(_) => raced += u64::from(under_way),
            Err(error) => assert_eq!(error.kind(), CredentialErrorKind::InteractionRequired),
        }
        assert!(race.cache.is_empty(), "seed {seed}: in memory");
        assert!(user.refresh_token().is_none(), "seed {seed}: in memory");
        assert_eq!(race.stored(), 1, "seed {seed}: the mark of the sign-out");
        let error = finish(user.token(&request)).unwrap_err();
        assert_eq!(error.kind(), CredentialErrorKind::InteractionRequired);
    }
    assert!(raced > SEEDS / 10, "{raced} races");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_does_not_hold_up_a_sign_out_for_long() {
    let (service, shelf) = (Service::new(), Shelf::new());
    let cache = TokenCache::builder().store(Arc::clone(&shelf)).build();
    let credential = builder(&service).cache(&cache).build().unwrap();
    shelf.hang(true);
    let request = graph();
    let mut call = credential.token(&request);
    assert!(poll_once(&mut call).await.is_none(), "it waits");
    let partition = application();
    let forgetting = tokio::time::timeout(Duration::from_secs(7), cache.forget(&partition));
    forgetting.await.unwrap().unwrap_err();
    call.await.unwrap();
    assert!(cache.is_empty());
}
