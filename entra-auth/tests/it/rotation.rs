//! A provider that rotates refresh tokens and treats one that is sent twice as stolen: no user is
//! signed out, whatever is requested at once.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use entra_auth::{
    AssertionRequest, CachePartition, ClientAssertion, TokenCache,
    store::EncryptionKey,
    user::{Account, ClientAuthentication, OnBehalfOf, UserCredential},
};
use entra_core::{
    AccessToken, Cloud, CredentialError, CredentialErrorKind, HttpTransport, ManualClock, Secret,
    TokenCredential, TokenRequest, TransportError, bytes::Bytes, http, url::form_urlencoded,
};
use serde_json::json;

use crate::{
    stores::Shelf,
    support::{CLIENT, TENANT, response, yield_once},
};

const ISSUER: &str = "https://id.example/";
const HOME: &str = "adele.provider";
const FIRST: &str = "refresh-token-0";

/// The provider of RFC 9700, section 4.14.2.
#[derive(Debug, Default)]
struct Rotating {
    newest: AtomicU64,
    used: Mutex<HashSet<String>>,
    is_revoked: AtomicBool,
    /// The response is lost on its way this many times.
    losses: AtomicU64,
    /// It asks to come back in 15 seconds this many times.
    throttles: AtomicU64,
    requests: AtomicU64,
}

impl Rotating {
    fn new() -> Arc<Self> {
        Arc::default()
    }

    fn refresh(&self, token: &str) -> http::Response<Bytes> {
        let is_reuse = !self.used.lock().unwrap().insert(token.to_owned());
        let newest = format!("refresh-token-{}", self.newest.load(Ordering::SeqCst));
        if is_reuse || token != newest {
            self.is_revoked.store(true, Ordering::SeqCst);
        }
        if self.is_revoked.load(Ordering::SeqCst) {
            return response(400, r#"{"error":"invalid_grant"}"#);
        }
        let next = self.newest.fetch_add(1, Ordering::SeqCst) + 1;
        granted(next)
    }
}

fn granted(number: u64) -> http::Response<Bytes> {
    let body = json!({
        "token_type": "Bearer", "access_token": format!("at-{number}"), "expires_in": 3600,
        "refresh_token": format!("refresh-token-{number}"),
    });
    response(200, &body.to_string())
}

#[async_trait]
impl HttpTransport for Rotating {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let fewer = |left: u64| left.checked_sub(1);
        let throttled = self
            .throttles
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer);
        if throttled.is_ok() {
            let mut response = response(429, "busy");
            let later = http::HeaderValue::from_static("15");
            response.headers_mut().insert("retry-after", later);
            return Ok(response);
        }
        // Long enough for any other request to be sent meanwhile.
        for _ in 0..20 {
            yield_once().await;
        }
        let form: Vec<(String, String)> = form_urlencoded::parse(request.body())
            .into_owned()
            .collect();
        let token = form.iter().find(|(name, _)| name == "refresh_token");
        let response = match token {
            Some((_, token)) => self.refresh(token),
            // An assertion of on-behalf-of.
            None => granted(self.newest.load(Ordering::SeqCst)),
        };
        for _ in 0..20 {
            yield_once().await;
        }
        let lost = |left: u64| left.checked_sub(1);
        match self
            .losses
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, lost)
        {
            Ok(_) => Ok(self::response(503, "down")),
            Err(_) => Ok(response),
        }
    }
}

fn provider() -> Cloud {
    Cloud::openid_provider(ISSUER, "https://id.example/token", None, None).unwrap()
}

fn account() -> Account {
    let account = json!({ "home_account_id": HOME, "tenant": TENANT });
    serde_json::from_value(account).unwrap()
}

fn scope(name: &str) -> TokenRequest {
    TokenRequest::new([name])
}

fn with(service: &Arc<Rotating>, cache: &TokenCache, clock: &ManualClock) -> UserCredential {
    given(service, cache, clock, FIRST)
}

fn given(
    service: &Arc<Rotating>,
    cache: &TokenCache,
    clock: &ManualClock,
    token: &str,
) -> UserCredential {
    UserCredential::builder(account(), CLIENT, ClientAuthentication::public(), token)
        .cloud(provider())
        .transport(Arc::clone(service))
        .clock(clock.clone())
        .cache(cache)
        .build()
        .unwrap()
}

fn resumed(service: &Arc<Rotating>, cache: &TokenCache, clock: &ManualClock) -> UserCredential {
    UserCredential::resume(account(), CLIENT, ClientAuthentication::public())
        .cloud(provider())
        .transport(Arc::clone(service))
        .clock(clock.clone())
        .cache(cache)
        .build()
        .unwrap()
}

/// All of these at once.
async fn at_once(
    calls: impl IntoIterator<Item = (UserCredential, TokenRequest)>,
) -> Vec<Result<AccessToken, CredentialError>> {
    let tasks: Vec<_> = calls
        .into_iter()
        .map(|(user, request)| tokio::spawn(async move { user.token(&request).await }))
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

#[tokio::test]
async fn many_scopes_at_once_use_each_refresh_token_once() {
    let (service, clock) = (Rotating::new(), ManualClock::new());
    let user = with(&service, &TokenCache::new(), &clock);
    let scopes = (0..10).map(|number| (user.clone(), scope(&format!("scope-{number}"))));
    for outcome in at_once(scopes).await {
        outcome.unwrap();
    }
    assert_eq!(service.newest.load(Ordering::SeqCst), 10);
    let last = user.refresh_token().unwrap();
    assert_eq!(last.expose_secret(), "refresh-token-10");
    let fresh = scope("scope-0").with_force_refresh();
    for outcome in at_once((0..10).map(|_| (user.clone(), fresh.clone()))).await {
        outcome.unwrap();
    }
    assert!(!service.is_revoked.load(Ordering::SeqCst));
}

#[tokio::test]
async fn credentials_made_anew_from_a_stored_refresh_token_use_it_once() {
    // A web app that builds one from its session for every request, the token being an older one by then.
    let (service, clock) = (Rotating::new(), ManualClock::new());
    for cache in [
        TokenCache::new(),
        TokenCache::builder().store(Shelf::new()).build(),
    ] {
        let newest = service.newest.load(Ordering::SeqCst);
        let kept = format!("refresh-token-{newest}");
        let user = |_| given(&service, &cache, &clock, &kept);
        let users: Vec<_> = (0..4).map(user).collect();
        let scopes = ["a", "b", "c", "d"].map(scope);
        for outcome in at_once(users.iter().cloned().zip(scopes)).await {
            outcome.unwrap();
        }
        for late in ["e", "f"] {
            user(0).token(&scope(late)).await.unwrap();
        }
        assert!(!service.is_revoked.load(Ordering::SeqCst));
        assert_eq!(users[0].refresh_token(), users[3].refresh_token());
    }
}

#[tokio::test]
async fn replicas_use_each_refresh_token_once_within_one_second_and_with_other_clocks() {
    for skew in [-5, 0, 5] {
        let (service, shelf) = (Rotating::new(), Shelf::new());
        let here = ManualClock::new();
        let there = ManualClock::at(
            entra_core::Clock::now(&here) + entra_core::time::Duration::seconds(skew),
        );
        let replica = || TokenCache::builder().store(Arc::clone(&shelf)).build();
        let one = with(&service, &replica(), &here);
        one.token(&scope("first")).await.unwrap();
        let two = resumed(&service, &replica(), &there);
        for round in 0..5 {
            let name = |replica: &str| scope(&format!("{replica}-{round}"));
            let calls = [
                (one.clone(), name("here")),
                (two.clone(), name("there")),
                (one.clone(), name("here-too")),
                (two.clone(), name("there-too")),
            ];
            for outcome in at_once(calls).await {
                outcome.unwrap();
            }
        }
        assert!(!service.is_revoked.load(Ordering::SeqCst), "{skew}");
        assert_eq!(service.newest.load(Ordering::SeqCst), 21);
    }
}

#[tokio::test]
async fn a_store_that_is_behind_brings_no_replaced_refresh_token_back() {
    let (service, shelf, clock) = (Rotating::new(), Shelf::new(), ManualClock::new());
    let cache = TokenCache::builder().store(Arc::clone(&shelf)).build();
    let user = with(&service, &cache, &clock);
    user.token(&scope("a")).await.unwrap();
    let copy = shelf.entries.lock().unwrap().clone();
    clock.advance(Duration::from_secs(10));
    user.token(&scope("b")).await.unwrap();
    *shelf.entries.lock().unwrap() = copy;
    user.token(&scope("c")).await.unwrap();
    shelf.fail(true);
    let error = user.token(&scope("d")).await.unwrap_err();
    assert_eq!(error.kind(), CredentialErrorKind::Transient);
    shelf.fail(false);
    user.token(&scope("d")).await.unwrap();
    // A write that fails, and a process that has just started when the store is well again.
    shelf.only_read(true);
    user.token(&scope("e")).await.unwrap();
    shelf.only_read(false);
    user.token(&scope("f")).await.unwrap();
    let other = TokenCache::builder().store(Arc::clone(&shelf)).build();
    let other = resumed(&service, &other, &clock);
    other.token(&scope("g")).await.unwrap();
    user.token(&scope("h")).await.unwrap();
    assert!(!service.is_revoked.load(Ordering::SeqCst));
}

/// Another replica may have used the token that is in memory.
#[tokio::test]
async fn no_refresh_token_is_sent_while_the_store_cannot_be_read() {
    let (service, shelf, clock) = (Rotating::new(), Shelf::new(), ManualClock::new());
    let keys = |keys: &[u8]| {
        let builder = TokenCache::builder().store(Arc::clone(&shelf));
        keys.iter()
            .fold(builder, |builder, key| {
                builder.encryption_key(EncryptionKey::new([*key; 32]))
            })
            .build()
    };
    let one = with(&service, &keys(&[1]), &clock);
    one.token(&scope("a")).await.unwrap();
    let two = resumed(&service, &keys(&[1]), &clock);
    two.token(&scope("b")).await.unwrap();
    shelf.fail(true);
    let sent = service.requests.load(Ordering::SeqCst);
    let error = one.token(&scope("c")).await.unwrap_err();
    assert_eq!(error.kind(), CredentialErrorKind::Transient);
    assert_eq!(service.requests.load(Ordering::SeqCst), sent);
    shelf.fail(false);
    one.token(&scope("c")).await.unwrap();

    // The same for an entry under a key that this replica does not have.
    let third = resumed(&service, &keys(&[2, 1]), &clock);
    third.token(&scope("d")).await.unwrap();
    let sent = service.requests.load(Ordering::SeqCst);
    for user in [&one, &two] {
        let error = user.token(&scope("e")).await.unwrap_err();
        assert_eq!(error.kind(), CredentialErrorKind::Transient);
    }
    assert_eq!(service.requests.load(Ordering::SeqCst), sent);
    third.token(&scope("e")).await.unwrap();
    assert!(!service.is_revoked.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_refresh_token_that_the_store_did_not_take_is_written_later() {
    let (service, shelf, clock) = (Rotating::new(), Shelf::new(), ManualClock::new());
    let replica = || TokenCache::builder().store(Arc::clone(&shelf)).build();
    let user = with(&service, &replica(), &clock);
    user.token(&scope("a")).await.unwrap();
    shelf.only_read(true);
    user.token(&scope("b")).await.unwrap();
    shelf.only_read(false);
    // Without another use of it in this process.
    let newest = user.refresh_token().unwrap();
    while !shelf.holds(newest.expose_secret()) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let other = resumed(&service, &replica(), &clock);
    other.token(&scope("c")).await.unwrap();
    user.token(&scope("d")).await.unwrap();
    assert!(!service.is_revoked.load(Ordering::SeqCst));
}

/// As [`with`] and [`resumed`], on the machine's clock, whose waits the paused runtime skips.
fn on_the_system_clock(service: &Arc<Rotating>, shelf: &Arc<Shelf>, first: bool) -> UserCredential {
    let client = ClientAuthentication::public();
    let cache = TokenCache::builder().store(Arc::clone(shelf)).build();
    match first {
        true => UserCredential::builder(account(), CLIENT, client, FIRST),
        false => UserCredential::resume(account(), CLIENT, client),
    }
    .cloud(provider())
    .transport(Arc::clone(service))
    .cache(&cache)
    .build()
    .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_replica_waits_for_a_throttled_refresh_at_another_one() {
    let (service, shelf) = (Rotating::new(), Shelf::new());
    let one = on_the_system_clock(&service, &shelf, true);
    one.token(&scope("first")).await.unwrap();
    let two = on_the_system_clock(&service, &shelf, false);
    two.token(&scope("second")).await.unwrap();
    service.throttles.store(1, Ordering::SeqCst);
    let sent = service.requests.load(Ordering::SeqCst);
    let throttled = tokio::spawn({
        let one = one.clone();
        async move { one.token(&scope("here")).await }
    });
    while service.requests.load(Ordering::SeqCst) == sent {
        tokio::task::yield_now().await;
    }
    two.token(&scope("there")).await.unwrap();
    throttled.await.unwrap().unwrap();
    one.token(&scope("last")).await.unwrap();
    assert!(!service.is_revoked.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn no_refresh_token_is_sent_without_the_lock_of_the_store() {
    let (service, shelf) = (Rotating::new(), Shelf::new());
    let user = on_the_system_clock(&service, &shelf, true);
    user.token(&scope("first")).await.unwrap();
    shelf.deny_locks(true);
    let sent = service.requests.load(Ordering::SeqCst);
    let error = user.token(&scope("second")).await.unwrap_err();
    assert_eq!(error.kind(), CredentialErrorKind::Transient);
    assert_eq!(service.requests.load(Ordering::SeqCst), sent);
    shelf.deny_locks(false);
    user.token(&scope("second")).await.unwrap();
}

/// Gives assertions slowly, as a busy key vault does.
#[derive(Debug)]
struct SlowVault(ManualClock);

#[async_trait]
impl ClientAssertion for SlowVault {
    async fn assertion(&self, _: &AssertionRequest) -> Result<Secret, CredentialError> {
        self.0.advance(Duration::from_secs(15));
        Ok(Secret::from("a.client.assertion"))
    }
}

#[tokio::test]
async fn no_refresh_token_is_sent_if_the_lease_could_end_before_the_response() {
    let (service, clock) = (Rotating::new(), ManualClock::new());
    let with = |cache: &TokenCache| {
        let client = ClientAuthentication::assertion(SlowVault(clock.clone()));
        UserCredential::builder(account(), CLIENT, client, FIRST)
            .cloud(provider())
            .transport(Arc::clone(&service))
            .clock(clock.clone())
            .cache(cache)
            .build()
            .unwrap()
    };
    let replica = with(&TokenCache::builder().store(Shelf::new()).build());
    let error = replica.token(&scope("a")).await.unwrap_err();
    assert_eq!(error.kind(), CredentialErrorKind::Transient);
    assert_eq!(service.requests.load(Ordering::SeqCst), 0);
    // Without replicas there is no lease.
    let alone = with(&TokenCache::new());
    alone.token(&scope("a")).await.unwrap();
}

#[tokio::test]
async fn dropped_caller_does_not_block_other_callers() {
    let (service, clock) = (Rotating::new(), ManualClock::new());
    let user = with(&service, &TokenCache::new(), &clock);
    let gone = tokio::spawn({
        let user = user.clone();
        async move { user.token(&scope("a")).await }
    });
    while service.requests.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    gone.abort();
    user.token(&scope("b")).await.unwrap();
    assert!(!service.is_revoked.load(Ordering::SeqCst));
}

/// A connection at the provider, and the identity of its user.
#[cfg(feature = "sign-in")]
fn connection(
    service: &Arc<Rotating>,
    cache: &TokenCache,
    clock: &ManualClock,
) -> (entra_auth::SignInClient, entra_auth::sign_in::Identity) {
    let proof = ClientAuthentication::public();
    let client = entra_auth::SignInClient::builder(TENANT, CLIENT, proof)
        .redirect_uri("https://shop.example/callback")
        .scopes(["User.Read"])
        .cloud(provider())
        .transport(Arc::clone(service))
        .clock(clock.clone())
        .cache(cache)
        .build()
        .unwrap();
    let identity = json!({
        "oid": CLIENT, "tid": TENANT, "sub": "adele", "issuer": ISSUER, "name": null,
        "username": null, "email": null, "roles": [], "groups": "Absent", "amr": [],
        "auth_time": null, "is_guest": false, "home_tenant": null, "sid": null,
        "login_hint": null, "claims": {},
    });
    (client, serde_json::from_value(identity).unwrap())
}

/// A browser goes away while its user is checked again, which happens at each click on a link.
#[cfg(feature = "sign-in")]
#[tokio::test]
async fn a_check_of_a_user_whose_caller_goes_away_loses_no_refresh_token() {
    let (service, clock) = (Rotating::new(), ManualClock::new());
    let cache = TokenCache::builder().store(Shelf::new()).build();
    let user = with(&service, &cache, &clock);
    user.token(&scope("a")).await.unwrap();
    let (client, identity) = connection(&service, &cache, &clock);
    for checks in 2..5 {
        let account = account();
        let mut check = Box::pin(client.renew(&account, &identity));
        while service.newest.load(Ordering::SeqCst) < checks {
            let look = |cx: &mut std::task::Context<'_>| {
                std::task::Poll::Ready(std::future::Future::poll(check.as_mut(), cx).is_pending())
            };
            assert!(std::future::poll_fn(look).await);
            tokio::task::yield_now().await;
        }
        // The new refresh token is on its way.
        drop(check);
    }
    client.renew(&account(), &identity).await.unwrap();
    assert!(!service.is_revoked.load(Ordering::SeqCst));
}

#[tokio::test]
async fn refresh_without_a_response_is_not_repeated_at_another_provider() {
    let (service, clock) = (Rotating::new(), ManualClock::new());
    let user = with(&service, &TokenCache::new(), &clock);
    service.losses.store(1, Ordering::SeqCst);
    let error = user.token(&scope("a")).await.unwrap_err();
    assert_eq!(error.kind(), CredentialErrorKind::Transient);
    assert_eq!(service.requests.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn long_running_on_behalf_of_uses_each_refresh_token_once() {
    let service = Rotating::new();
    let clock = ManualClock::new();
    let proof = ClientAuthentication::secret("secret-of-the-rotation-test");
    let api = OnBehalfOf::builder(TENANT, CLIENT, proof)
        .cloud(provider())
        .transport(Arc::clone(&service))
        .clock(clock.clone())
        .build()
        .unwrap();
    let job = api.start_long_running("job-1", "token-of-the-caller");
    let tasks: Vec<_> = (0..6)
        .map(|number| {
            let job = job.clone();
            tokio::spawn(async move { job.token(&scope(&format!("scope-{number}"))).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert!(!service.is_revoked.load(Ordering::SeqCst));
    assert_eq!(service.newest.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn sign_out_ends_all_waiting_refreshes() {
    let (service, shelf, clock) = (Rotating::new(), Shelf::new(), ManualClock::new());
    let cache = TokenCache::builder().store(Arc::clone(&shelf)).build();
    let user = with(&service, &cache, &clock);
    user.token(&scope("first")).await.unwrap();
    let tasks: Vec<_> = (0..4)
        .map(|number| {
            let user = user.clone();
            tokio::spawn(async move { user.token(&scope(&format!("scope-{number}"))).await })
        })
        .collect();
    while service.requests.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    let partition = CachePartition::account(&provider(), HOME);
    cache.forget(&partition).await.unwrap();
    for task in tasks {
        // A refresh in progress may still get its token, which is not stored.
        let _ = task.await.unwrap();
    }
    assert!(user.refresh_token().is_none() && cache.is_empty());
    let left = shelf.entries.lock().unwrap().len();
    assert_eq!(left, 1, "the mark of the sign-out");
    let error = user.token(&scope("late")).await.unwrap_err();
    assert_eq!(error.kind(), CredentialErrorKind::InteractionRequired);
}

#[cfg(feature = "sign-in")]
#[tokio::test]
async fn the_token_of_a_check_during_a_sign_out_is_not_cached() {
    let (service, shelf, clock) = (Rotating::new(), Shelf::new(), ManualClock::new());
    let cache = TokenCache::builder().store(Arc::clone(&shelf)).build();
    let user = with(&service, &cache, &clock);
    user.token(&scope("first")).await.unwrap();
    let (client, identity) = connection(&service, &cache, &clock);
    let check = tokio::spawn({
        let client = client.clone();
        async move { client.renew(&account(), &identity).await }
    });
    while service.requests.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    client.sign_out(&account()).await.unwrap();
    // It was sent before the sign-out.
    check.await.unwrap().unwrap();
    assert!(cache.is_empty());
    let left = shelf.entries.lock().unwrap().len();
    assert_eq!(left, 1, "the mark of the sign-out");
    assert!(client.resume(&account()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_refresh_from_before_a_sign_out_does_not_replace_a_later_sign_in() {
    const LATER: &str = "refresh-token-of-the-later-sign-in";
    let (service, shelf, clock) = (Rotating::new(), Shelf::new(), ManualClock::new());
    let cache = TokenCache::builder().store(Arc::clone(&shelf)).build();
    let user = with(&service, &cache, &clock);
    user.token(&scope("first")).await.unwrap();
    let late = tokio::spawn({
        let user = user.clone();
        async move { user.token(&scope("late")).await }
    });
    while service.requests.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    let partition = CachePartition::account(&provider(), HOME);
    cache.forget(&partition).await.unwrap();
    let again = given(&service, &cache, &clock, LATER);
    // A refresh in progress may still get its token.
    let _ = late.await.unwrap();
    assert_eq!(again.refresh_token().unwrap().expose_secret(), LATER);
}
