//! A sign-in that the application has not committed changes no cached token.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use entra_auth::{
    SignInClient, TokenCache,
    sign_in::{Identity, SignInErrorKind, SignInResult},
    user::{Account, ClientAuthentication, StartOptions},
};
use entra_core::{
    Cloud, GroupMembership, HttpTransport, MembershipError, ObjectId, RetryPolicy, TokenCredential,
    TokenRequest, TransportError, bytes::Bytes, http,
};
use entra_mock::{App, FakeTenant};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{
    sign_in_support::{CALLBACK, Service, builder, callback, stored, success},
    stores::Shelf,
    support::{CLIENT, TENANT, response},
    user_code::shop,
    validate_support::{SERVICE_KEY, USER, clock, encode, id_token, with_changes},
};

const ADELE: &str = "adele@contoso.com";

fn scope(name: &str) -> TokenRequest {
    TokenRequest::new([name])
}

fn connect(tenant: &FakeTenant, app: &App, cache: &TokenCache) -> SignInClient {
    let credential = ClientAuthentication::secret(app.secret());
    SignInClient::builder(tenant.id(), app.client_id(), credential)
        .redirect_uri(CALLBACK)
        .scopes(["User.Read"])
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .cache(cache)
        .build()
        .unwrap()
}

async fn sign_in(tenant: &FakeTenant, client: &SignInClient) -> SignInResult {
    let (url, flow) = client.start(&StartOptions::default()).unwrap();
    let redirected = tenant.sign_in_at(url.as_str(), ADELE);
    client.finish(flow, &redirected.query()).await.unwrap()
}

fn caches() -> [TokenCache; 2] {
    let stored = TokenCache::builder().store(Shelf::new()).build();
    [TokenCache::new(), stored]
}

#[tokio::test]
async fn an_uncommitted_sign_in_changes_no_cached_token() {
    let (tenant, app) = shop().await;
    let store = Shelf::new();
    let cache = TokenCache::builder().store(Arc::clone(&store)).build();
    let client = connect(&tenant, &app, &cache);
    let rejected = sign_in(&tenant, &client).await;
    rejected
        .credential()
        .token(&scope("Mail.Read"))
        .await
        .unwrap();
    assert!(cache.is_empty() && store.entries.lock().unwrap().is_empty());
    assert!(client.resume(rejected.account()).await.unwrap().is_none());
    drop(rejected);

    let real = sign_in(&tenant, &client).await;
    real.commit().await;
    let entries = store.entries.lock().unwrap().clone();
    let token = real.credential().refresh_token();
    // A sign-in of another user or of the same user, which the application rejects.
    let rejected = sign_in(&tenant, &client).await;
    let requests = tenant.requests().to("/token").count();
    rejected
        .credential()
        .token(&scope("Mail.Read"))
        .await
        .unwrap();
    assert_ne!(rejected.credential().refresh_token(), token);
    drop(rejected);
    assert_eq!(*store.entries.lock().unwrap(), entries);
    let user = client.resume(real.account()).await.unwrap().unwrap();
    assert_eq!(user.refresh_token(), token);
    user.token(&scope("User.Read")).await.unwrap();
    tenant.requests().to("/token").assert_count(requests + 1);
}

#[tokio::test]
async fn a_committed_sign_in_caches_the_tokens_of_its_check() {
    for cache in caches() {
        let (tenant, app) = shop().await;
        let client = connect(&tenant, &app, &cache);
        let session = sign_in(&tenant, &client).await;
        // A credential that the check has passed on, such as to a Graph client.
        let handed_on = session.credential().clone();
        handed_on.token(&scope("Mail.Read")).await.unwrap();
        session.commit().await;
        session.commit().await;
        let requests = tenant.requests().to("/token").count();
        let user = client.resume(session.account()).await.unwrap().unwrap();
        for name in ["User.Read", "Mail.Read"] {
            let token = user.token(&scope(name)).await.unwrap();
            let same = handed_on.token(&scope(name)).await.unwrap();
            assert_eq!(token.expose_secret(), same.expose_secret());
        }
        tenant.requests().to("/token").assert_count(requests);
        let fresh = scope("Mail.Read").with_force_refresh();
        handed_on.token(&fresh).await.unwrap();
        assert_eq!(handed_on.refresh_token(), user.refresh_token());
        client.sign_out(session.account()).await.unwrap();
        assert!(client.resume(session.account()).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_concurrent_refresh_at_the_commit_loses_no_token() {
    let (tenant, app) = shop().await;
    let cache = TokenCache::new();
    let client = connect(&tenant, &app, &cache);
    let session = sign_in(&tenant, &client).await;
    let mail = scope("Mail.Read");
    let (token, ()) = tokio::join!(session.credential().token(&mail), session.commit());
    token.unwrap();
    let user = client.resume(session.account()).await.unwrap().unwrap();
    assert_eq!(user.refresh_token(), session.credential().refresh_token());
    user.token(&mail).await.unwrap();
}

/// A token response with these tokens, of which the access token is valid for so many seconds.
fn with_tokens(mut success: Value, number: u64, expires_in: u64) -> Value {
    success["access_token"] = format!("at-{number}").into();
    success["refresh_token"] = format!("rt-{number}").into();
    success["expires_in"] = expires_in.into();
    success
}

#[tokio::test]
async fn the_token_of_a_new_sign_in_replaces_one_that_expires_later() {
    for cache in caches() {
        let service = Service::new();
        let client = builder(&service, &clock()).cache(&cache).build().unwrap();
        // The first token could be used for a day, but Graph has rejected it since.
        for (number, expires_in) in [(1, 86_400), (2, 3_600)] {
            let (_, flow) = client.start(&StartOptions::default()).unwrap();
            let success = success(&flow, json!({}));
            service.respond(200, &with_tokens(success, number, expires_in));
            let response = callback(&flow);
            let session = client.finish(flow, &response).await.unwrap();
            session.commit().await;
            let user = client.resume(session.account()).await.unwrap().unwrap();
            let token = user.token(&scope("User.Read")).await.unwrap();
            assert_eq!(token.expose_secret(), format!("at-{number}"));
            let token = session.credential().token(&scope("User.Read")).await;
            assert_eq!(token.unwrap().expose_secret(), format!("at-{number}"));
        }
        assert_eq!(service.forms().len(), 2);
    }
}

/// A service whose responses to refreshes are on their way until the test lets them arrive.
#[derive(Debug)]
struct Delayed {
    service: Arc<Service>,
    is_sent: Notify,
    arrives: Notify,
}

#[async_trait]
impl HttpTransport for Delayed {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let is_refresh =
            String::from_utf8_lossy(request.body()).contains("grant_type=refresh_token");
        let response = self.service.send(request).await;
        if is_refresh {
            self.is_sent.notify_one();
            self.arrives.notified().await;
        }
        response
    }
}

/// Signs a user in, begins a refresh, and lets its response arrive after the same user signed in again. Returns the
/// access token in memory.
async fn sign_in_during<F>(
    cache: &TokenCache,
    refresh: impl FnOnce(SignInClient, SignInResult) -> F,
) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let service = Service::new();
    let delayed = Arc::new(Delayed {
        service: Arc::clone(&service),
        is_sent: Notify::new(),
        arrives: Notify::new(),
    });
    let client = builder(&service, &clock())
        .transport(Arc::clone(&delayed))
        .cache(cache)
        .build()
        .unwrap();
    let signed_in = async |number| {
        let (_, flow) = client.start(&StartOptions::default()).unwrap();
        let success = success(&flow, json!({}));
        service.respond(200, &with_tokens(success, number, 3_600));
        let response = callback(&flow);
        let session = client.finish(flow, &response).await.unwrap();
        session.commit().await;
        session
    };
    let session = signed_in(1).await;
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    service.respond(200, &with_tokens(success(&flow, json!({})), 2, 3_600));
    let refresh = tokio::spawn(refresh(client.clone(), session));
    delayed.is_sent.notified().await;
    let later = signed_in(3).await;
    delayed.arrives.notify_one();
    refresh.await.unwrap();
    let user = client.resume(later.account()).await.unwrap().unwrap();
    let token = user.token(&scope("User.Read")).await.unwrap();
    assert_eq!(service.forms().len(), 3, "it was in memory");
    token.expose_secret().to_owned()
}

#[tokio::test]
async fn a_check_that_ends_after_a_new_sign_in_does_not_replace_its_token() {
    async fn check(client: SignInClient, session: SignInResult) {
        let (account, identity) = (session.account(), session.identity());
        client.renew(account, identity).await.unwrap();
    }
    let memory = sign_in_during(&TokenCache::new(), check).await;
    assert_eq!(memory, "at-3");
    let store = Shelf::new();
    let cache = TokenCache::builder().store(Arc::clone(&store)).build();
    assert_eq!(sign_in_during(&cache, check).await, "at-3");
    assert!(store.holds("at-3") && !store.holds("at-2"));
}

#[tokio::test]
async fn a_refresh_that_ends_after_a_new_sign_in_does_not_replace_its_token_in_the_store() {
    async fn refresh(_: SignInClient, session: SignInResult) {
        let fresh = scope("User.Read").with_force_refresh();
        session.credential().token(&fresh).await.unwrap();
    }
    let store = Shelf::new();
    let cache = TokenCache::builder().store(Arc::clone(&store)).build();
    assert_eq!(sign_in_during(&cache, refresh).await, "at-3");
    assert!(store.holds("at-3") && !store.holds("at-2"));
}

/// Another provider than Entra, which can write any claims into its responses.
#[derive(Debug)]
struct Provider {
    issuer: &'static str,
    /// The user that its `client_info` names.
    names: &'static str,
    nonce: std::sync::Mutex<String>,
    requested: AtomicU64,
}

impl Provider {
    fn new(issuer: &'static str, names: &'static str) -> Arc<Self> {
        Arc::new(Self {
            issuer,
            names,
            nonce: std::sync::Mutex::default(),
            requested: AtomicU64::new(0),
        })
    }
}

#[async_trait]
impl HttpTransport for Provider {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        self.requested.fetch_add(1, Ordering::SeqCst);
        let issuer = self.issuer;
        let body = match request.uri().path() {
            path if path.ends_with("/.well-known/openid-configuration") => {
                json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") })
            }
            path if path.ends_with("/keys") => json!({ "keys": [SERVICE_KEY.jwk()] }),
            _ => {
                let nonce = self.nonce.lock().unwrap().clone();
                let changes = json!({ "iss": issuer, "nonce": nonce });
                let id_token = SERVICE_KEY.token(&with_changes(id_token(), changes));
                let victim = json!({ "uid": self.names, "utid": TENANT }).to_string();
                json!({
                    "token_type": "Bearer", "access_token": "at-of-the-provider",
                    "expires_in": 3600, "refresh_token": "rt-of-the-provider",
                    "id_token": id_token, "client_info": encode(victim),
                })
            }
        };
        Ok(response(200, &body.to_string()))
    }
}

/// Signs in at the provider with the same client id and the same cache.
async fn sign_in_at(provider: &Arc<Provider>, cache: &TokenCache) -> (SignInClient, SignInResult) {
    let token = format!("{}/token", provider.issuer);
    let cloud = Cloud::openid_provider(provider.issuer, &token, Some(&token), None).unwrap();
    let client = SignInClient::builder(TENANT, CLIENT, ClientAuthentication::secret("s3cr3t"))
        .redirect_uri(CALLBACK)
        .scopes(["User.Read"])
        .cloud(cloud)
        .transport(Arc::clone(provider))
        .clock(clock())
        .retry_policy(RetryPolicy::once())
        .cache(cache)
        .build()
        .unwrap();
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    let nonce = stored(&flow)["nonce"].as_str().unwrap().to_owned();
    *provider.nonce.lock().unwrap() = nonce;
    let callback = callback(&flow);
    let session = client.finish(flow, &callback).await.unwrap();
    (client, session)
}

#[tokio::test]
async fn a_provider_that_names_an_entra_user_gets_no_cached_token() {
    let service = Service::new();
    for cache in caches() {
        let entra = builder(&service, &clock()).cache(&cache).build().unwrap();
        let victim = crate::sign_in_support::sign_in(&service, &entra, json!({}))
            .await
            .unwrap();
        victim.commit().await;
        let provider = Provider::new("https://evil.example", USER);
        let (evil, session) = sign_in_at(&provider, &cache).await;
        // Its claims name the victim, and so does its unsigned client_info.
        assert_eq!(
            session.account().home_account_id,
            format!("{USER}.{TENANT}")
        );
        session.commit().await;
        let theirs = evil.resume(session.account()).await.unwrap().unwrap();
        let theirs = theirs.token(&scope("User.Read")).await.unwrap();
        assert_eq!(theirs.expose_secret(), "at-of-the-provider");
        let user = entra.resume(victim.account()).await.unwrap().unwrap();
        let token = user.token(&scope("User.Read")).await.unwrap();
        assert_eq!(token.expose_secret(), "at-1");

        // A sign-out at the provider does not sign the user of Entra out.
        evil.sign_out(session.account()).await.unwrap();
        assert!(evil.resume(session.account()).await.unwrap().is_none());
        let user = entra.resume(victim.account()).await.unwrap().unwrap();
        assert_eq!(user.refresh_token().unwrap().expose_secret(), "rt-1");
        let token = user.token(&scope("User.Read")).await.unwrap();
        assert_eq!(token.expose_secret(), "at-1");
        assert!(provider.requested.load(Ordering::SeqCst) >= 3);
    }
}

/// A directory that has every user in every group, and counts its requests.
#[derive(Debug, Default)]
struct Admitting(AtomicU64);

#[async_trait]
impl GroupMembership for Admitting {
    async fn member_groups_among(
        &self,
        _: ObjectId,
        groups: &[ObjectId],
    ) -> Result<Vec<ObjectId>, MembershipError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(groups.to_vec())
    }

    async fn all_member_groups(&self, user: ObjectId) -> Result<Vec<ObjectId>, MembershipError> {
        self.member_groups_among(user, &[]).await
    }
}

#[tokio::test]
async fn a_user_of_another_provider_is_not_looked_up_in_a_directory() {
    const STAFF: &str = "aaaaaaaa-0000-0000-0000-000000000000";
    let directory = Admitting::default();
    // Its claims name an employee, whose object id any guest can see.
    let provider = Provider::new("https://evil.example", USER);
    let (_, session) = sign_in_at(&provider, &TokenCache::new()).await;
    assert_eq!(session.identity().oid.to_string(), USER);
    let stored = serde_json::to_value(session.identity()).unwrap();
    let with = |name: &str, value: Value| -> Identity {
        let mut changed = stored.clone();
        changed[name] = value;
        serde_json::from_value(changed).unwrap()
    };
    let mut rejected = vec![
        session.is_member_of_any(&directory, [STAFF]).await,
        session.group_ids(&directory).await.map(|_| true),
    ];
    for identity in [
        session.identity().clone(),
        // A list of the provider proves no more than its object id.
        with("groups", json!({ "Ids": [STAFF] })),
        // A session of an earlier version.
        with("by_entra", Value::Null),
    ] {
        rejected.push(identity.is_member_of_any(&directory, [STAFF]).await);
    }
    for outcome in rejected {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), SignInErrorKind::OtherProvider);
        let text = error.for_admin();
        assert!(
            text.contains("another provider than Microsoft Entra ID"),
            "{text}"
        );
        // No later check of a session will say anything else.
        assert!(!error.is_retryable() && error.ends_session());
    }
    assert_eq!(directory.0.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_user_of_entra_by_its_issuer_is_looked_up_in_a_directory() {
    const STAFF: &str = "aaaaaaaa-0000-0000-0000-000000000000";
    for (issuer, is_asked) in [
        (
            format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            true,
        ),
        // A policy of Azure AD B2C can write any object id.
        (format!("https://contoso.b2clogin.com/{TENANT}/v2.0"), false),
    ] {
        let directory = Admitting::default();
        let provider = Provider::new(issuer.clone().leak(), USER);
        let (_, session) = sign_in_at(&provider, &TokenCache::new()).await;
        let member = session.is_member_of_any(&directory, [STAFF]).await;
        assert_eq!(member.is_ok_and(|is| is), is_asked, "{issuer}");
        assert_eq!(directory.0.load(Ordering::SeqCst), u64::from(is_asked));
    }
}

#[tokio::test]
async fn client_info_of_another_provider_is_ignored() {
    // A response of Entra that names two users would be rejected.
    let provider = Provider::new("https://other.example", CLIENT);
    let (_, session) = sign_in_at(&provider, &TokenCache::new()).await;
    assert!(session.identity().home_tenant.is_none());
    assert_eq!(session.identity().oid.to_string(), USER);
    let account = format!("{USER}.{TENANT}");
    assert_eq!(session.account().home_account_id, account);
}

#[tokio::test]
async fn a_sign_in_that_is_rejected_after_the_code_leaves_the_user_signed_in() {
    for (changes, kind) in [
        (json!({ "nonce": "n-2" }), SignInErrorKind::NonceMismatch),
        (json!({ "exp": 1 }), SignInErrorKind::TokenTime),
        (json!({ "oid": null }), SignInErrorKind::TokenRejected),
    ] {
        for cache in caches() {
            let service = Service::new();
            let client = builder(&service, &clock()).cache(&cache).build().unwrap();
            let session = crate::sign_in_support::sign_in(&service, &client, json!({}))
                .await
                .unwrap();
            session.commit().await;
            let (_, flow) = client.start(&StartOptions::default()).unwrap();
            service.respond(200, &with_other_tokens(success(&flow, changes.clone())));
            let response = callback(&flow);
            let error = client.finish(flow, &response).await.unwrap_err();
            assert_eq!(error.kind(), kind);
            let account: &Account = session.account();
            let user = client.resume(account).await.unwrap().unwrap();
            assert_eq!(user.refresh_token().unwrap().expose_secret(), "rt-1");
            let token = user.token(&scope("User.Read")).await.unwrap();
            assert_eq!(token.expose_secret(), "at-1");
        }
    }
}

/// The same token response with other tokens.
fn with_other_tokens(mut success: Value) -> Value {
    success["access_token"] = "at-2".into();
    success["refresh_token"] = "rt-2".into();
    success
}
