//! Sign-outs while a store is down, and front-channel sign-outs.

use std::sync::{Arc, Mutex, atomic::Ordering};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use entra_auth::{
    SignInClient, TokenCache,
    sign_in::Connections,
    store::EncryptionKey,
    user::{Account, ClientAuthentication},
    web::{AccessDenied, SignInContext, WebSignIn},
};
use entra_mock::{App, FakeTenant};

use crate::{
    web::{ADELE, OTHER, admit_by_user_name, register, site, urls},
    web_browser::{Browser, SiteResponse, call},
    web_session::Table,
};

fn connection(tenant: &FakeTenant, app: &App, cache: &TokenCache, name: &str) -> SignInClient {
    let credential = ClientAuthentication::secret(app.secret());
    SignInClient::builder(tenant.id(), app.client_id(), credential)
        .name(name)
        .redirect_uri(urls().callback())
        .scopes(["User.Read"])
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .cache(cache)
        .build()
        .unwrap()
}

struct Shop {
    tenant: FakeTenant,
    app: App,
    cache: TokenCache,
    connections: Connections,
    sessions: Arc<Table>,
    tokens: Arc<Table>,
    contoso: SignInClient,
    site: Router,
    /// Issuer, `sid` and account of each sign-in.
    recorded: Arc<Mutex<Vec<(String, String, Account)>>>,
}

impl Shop {
    async fn open() -> Self {
        let tenant = FakeTenant::start().await;
        let app = register(&tenant);
        let (sessions, tokens) = (Arc::new(Table::default()), Arc::new(Table::default()));
        let cache = TokenCache::builder()
            .store(Arc::clone(&tokens))
            .encryption_key(EncryptionKey::new([1; 32]))
            .build();
        let contoso = connection(&tenant, &app, &cache, "contoso");
        let connections = Connections::from(contoso.clone());
        let mut shop = Self {
            tenant,
            app,
            cache,
            connections,
            sessions,
            tokens,
            contoso,
            site: Router::new(),
            recorded: Arc::default(),
        };
        shop.site = shop.replica(&[1, 2]);
        shop
    }

    /// A replica with these keys of the sessions.
    fn replica(&self, keys: &[u8]) -> Router {
        let note = Arc::clone(&self.recorded);
        let check = move |context: SignInContext| {
            let identity = context.signed_in.identity();
            let sid = identity.sid.clone().unwrap_or_default();
            let account = context.signed_in.account().clone();
            note.lock()
                .unwrap()
                .push((identity.issuer.clone(), sid, account));
            async move {
                admit_by_user_name(context)
                    .await
                    .map_err(|_| AccessDenied::new(""))
            }
        };
        let keys = keys.iter().map(|key| EncryptionKey::new([*key; 32]));
        let sign_in = WebSignIn::builder(urls(), self.connections.clone())
            .authorize(check)
            .store(Arc::clone(&self.sessions), keys)
            .clock(self.tenant.clock());
        site(&sign_in.build().unwrap())
    }

    async fn signed_in(&self, name: &str) -> Browser {
        let mut browser = Browser::default();
        let response = browser
            .sign_in(&self.site, &self.tenant, "/auth/sign-in", name)
            .await;
        assert_eq!(response.location(), "/");
        browser
    }

    fn recorded(&self, number: usize) -> (String, String, Account) {
        self.recorded.lock().unwrap()[number].clone()
    }

    async fn has_tokens(&self, number: usize) -> bool {
        self.contoso
            .resume(&self.recorded(number).2)
            .await
            .unwrap()
            .is_some()
    }

    async fn front_channel(&self, number: usize) -> StatusCode {
        self.front_channel_at(&self.site, number).await
    }

    async fn front_channel_at(&self, site: &Router, number: usize) -> StatusCode {
        let (issuer, sid, _) = self.recorded(number);
        let path = format!("/auth/front-channel-sign-out?iss={issuer}&sid={sid}");
        let request = Request::get(path).header("sec-fetch-dest", "iframe");
        call(site, request.body(Body::empty()).unwrap())
            .await
            .status
    }
}

fn broken(table: &Table, is: bool) {
    table.broken.store(is, Ordering::SeqCst);
}

fn is_failed_sign_out_page(response: &SiteResponse) {
    assert_eq!(
        response.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        response.body
    );
    assert!(
        response.body.contains("You are not signed out completely"),
        "{}",
        response.body
    );
    assert!(
        !response.body.contains("You are signed out"),
        "{}",
        response.body
    );
    // Otherwise the form could not be distinguished from the form of another site.
    assert_eq!(response.header("referrer-policy"), "same-origin");
    assert_eq!(response.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_sign_out_without_the_store_returns_503_and_leads_on_to_entra() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    let copied = browser.clone();
    broken(&shop.sessions, true);
    let response = browser.post(&shop.site, "/auth/sign-out", "", false).await;
    is_failed_sign_out_page(&response);
    let logout = format!(
        "{}/{}/oauth2/v2.0/logout?",
        shop.tenant.uri(),
        shop.tenant.id()
    );
    assert!(
        response.body.contains(&format!("href=\"{logout}")),
        "{}",
        response.body
    );
    assert!(
        response
            .body
            .contains("<form method=\"post\" action=\"/auth/sign-out\"")
    );
    let refresh = response.header("refresh").to_owned();
    assert!(
        refresh.starts_with(&format!("10; url={logout}")),
        "{refresh}"
    );
    assert!(browser.session().is_none(), "this browser has forgotten it");

    // After Entra's sign-out, the page reports the failure while the store is down, and then ends the session.
    let response = browser.open(&shop.site, "/auth/signed-out").await;
    is_failed_sign_out_page(&response);
    broken(&shop.sessions, false);
    assert_eq!(copied.clone().open(&shop.site, "/").await.body, ADELE);
    let response = browser.open(&shop.site, "/auth/signed-out").await;
    assert_eq!(response.status, StatusCode::OK);
    assert!(
        response.body.contains("You are signed out"),
        "{}",
        response.body
    );
    assert_eq!(
        copied.clone().open(&shop.site, "/").await.body,
        "not signed in"
    );
    assert!(!shop.has_tokens(0).await);
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies.keys());
}

#[tokio::test]
async fn a_sign_out_at_a_replica_without_the_key_ends_the_session_and_removes_its_tokens() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    let copied = browser.clone();
    let behind = shop.replica(&[2]);
    // The session is valid elsewhere, which this replica cannot rule out.
    let page = browser.open(&behind, "/auth/signed-out").await;
    assert!(
        page.body.contains("You are still signed in"),
        "{}",
        page.body
    );
    let response = browser.post(&behind, "/auth/sign-out", "", false).await;
    assert!(response.location().contains("/logout?"));
    for site in [&shop.site, &behind] {
        let page = copied.clone().open(site, "/").await;
        assert_eq!(page.body, "not signed in");
        let page = copied.clone().open(site, "/auth/signed-out").await;
        assert!(page.body.contains("You are signed out"), "{}", page.body);
    }
    assert!(!shop.has_tokens(0).await);
    let left = shop.tokens.entries.lock().unwrap().len();
    assert_eq!(left, 1, "the mark of the sign-out");
    assert!(shop.sessions.entries.lock().unwrap().len() <= 3);
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies.keys());
}

#[tokio::test]
async fn a_pending_sign_out_is_kept_by_replicas_without_its_key_and_completed_by_another() {
    let shop = Shop::open().await;
    let (one, two) = (shop.replica(&[1]), shop.replica(&[2]));
    let mut browser = shop.signed_in(ADELE).await;
    let adele = browser.clone();
    broken(&shop.sessions, true);
    is_failed_sign_out_page(&browser.post(&one, "/auth/sign-out", "", false).await);
    broken(&shop.sessions, false);
    // The replica with another key does not say that the user is signed out.
    is_failed_sign_out_page(&browser.open(&two, "/auth/signed-out").await);
    is_failed_sign_out_page(&browser.post(&two, "/auth/sign-out", "", false).await);
    assert_eq!(adele.clone().open(&one, "/").await.body, ADELE);
    // Nor does a sign-out of its own that fails replace the earlier one.
    browser
        .sign_in(&two, &shop.tenant, "/auth/sign-in", OTHER)
        .await;
    let other = browser.clone();
    broken(&shop.sessions, true);
    is_failed_sign_out_page(&browser.post(&two, "/auth/sign-out", "", false).await);
    broken(&shop.sessions, false);
    assert_eq!(browser.cookies.len(), 2, "{:?}", browser.cookies.keys());
    is_failed_sign_out_page(&browser.open(&two, "/auth/signed-out").await);
    assert_eq!(browser.cookies.len(), 1, "{:?}", browser.cookies.keys());
    assert_eq!(other.clone().open(&two, "/").await.body, "not signed in");
    assert!(shop.has_tokens(0).await && !shop.has_tokens(1).await);

    let page = browser.open(&one, "/auth/signed-out").await;
    assert!(page.body.contains("You are signed out"), "{}", page.body);
    assert_eq!(adele.clone().open(&one, "/").await.body, "not signed in");
    assert!(!shop.has_tokens(0).await);
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies.keys());
}

#[tokio::test]
async fn a_pending_sign_out_moves_to_the_first_key_of_the_replica_that_continues_it() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    broken(&shop.sessions, true);
    let changed = shop.replica(&[2, 1]);
    for site in [&shop.replica(&[1]), &changed, &shop.replica(&[2])] {
        is_failed_sign_out_page(&browser.post(site, "/auth/sign-out", "", false).await);
        assert_eq!(browser.cookies.len(), 1, "{:?}", browser.cookies.keys());
    }
    broken(&shop.sessions, false);
    let page = browser.open(&changed, "/auth/signed-out").await;
    assert!(page.body.contains("You are signed out"), "{}", page.body);
    assert!(!shop.has_tokens(0).await);
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies.keys());
}

#[tokio::test]
async fn a_front_channel_sign_out_at_a_replica_without_the_key_removes_the_tokens() {
    let shop = Shop::open().await;
    let mut adele = shop.signed_in(ADELE).await;
    let mut other = shop.signed_in(OTHER).await;
    let behind = shop.replica(&[2]);
    let status = shop.front_channel_at(&behind, 0).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(adele.open(&shop.site, "/").await.body, "not signed in");
    assert!(!shop.has_tokens(0).await);
    assert_eq!(other.open(&shop.site, "/").await.body, OTHER);
    assert!(shop.has_tokens(1).await);
}

#[tokio::test]
async fn a_front_channel_sign_out_after_the_connection_was_renamed_removes_the_tokens() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    shop.connections.remove("contoso").unwrap();
    let client = connection(&shop.tenant, &shop.app, &shop.cache, "other");
    shop.connections.add(client).unwrap();
    assert_eq!(shop.front_channel(0).await, StatusCode::OK);
    assert_eq!(browser.open(&shop.site, "/").await.body, "not signed in");
    assert!(!shop.has_tokens(0).await);
}

#[tokio::test]
async fn a_front_channel_sign_out_after_the_connection_was_removed_removes_the_tokens() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    shop.connections.remove("contoso").unwrap();
    // Another connection of the same service has the cache.
    let other = register(&shop.tenant);
    let client = connection(&shop.tenant, &other, &shop.cache, "other");
    shop.connections.add(client).unwrap();
    assert_eq!(shop.front_channel(0).await, StatusCode::OK);
    assert_eq!(browser.open(&shop.site, "/").await.body, "not signed in");
    assert!(!shop.has_tokens(0).await);
}

#[tokio::test]
async fn a_damaged_entry_at_a_front_channel_sign_out_is_reported() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    for entry in shop.sessions.entries.lock().unwrap().values_mut() {
        *entry.last_mut().unwrap() ^= 1;
    }
    assert_eq!(shop.front_channel(0).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(browser.open(&shop.site, "/").await.body, "not signed in");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_for_a_moment_is_not_removed_without_its_tokens() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    shop.sessions.fail_next_load();
    is_failed_sign_out_page(&browser.post(&shop.site, "/auth/sign-out", "", false).await);
    assert!(shop.has_tokens(0).await);
    let page = browser.open(&shop.site, "/auth/signed-out").await;
    assert!(page.body.contains("You are signed out"), "{}", page.body);
    assert!(!shop.has_tokens(0).await);
}

#[tokio::test]
async fn a_sign_out_after_the_connection_was_renamed_or_removed_removes_the_tokens() {
    for is_renamed in [true, false] {
        let shop = Shop::open().await;
        let mut browser = shop.signed_in(ADELE).await;
        shop.connections.remove("contoso").unwrap();
        // Without the connection of the session, another one of the same service has the cache.
        let other = register(&shop.tenant);
        let app = if is_renamed { &shop.app } else { &other };
        let client = connection(&shop.tenant, app, &shop.cache, "other");
        shop.connections.add(client).unwrap();
        let response = browser.post(&shop.site, "/auth/sign-out", "", false).await;
        assert_eq!(response.location().contains("/logout?"), is_renamed);
        assert!(!shop.has_tokens(0).await, "{is_renamed}");
    }
    // A connection whose name went to another registration has Entra's sign-out in common with it.
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    let other = register(&shop.tenant);
    let client = connection(&shop.tenant, &other, &shop.cache, "contoso");
    shop.connections.add(client).unwrap();
    let response = browser.post(&shop.site, "/auth/sign-out", "", false).await;
    assert!(response.location().contains("/logout?"));
    assert!(!shop.has_tokens(0).await);
}

#[tokio::test]
async fn a_sign_out_after_the_connection_was_removed_touches_no_cache_of_another_service() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    shop.connections.remove("contoso").unwrap();
    let elsewhere = FakeTenant::start().await;
    let (app, table) = (register(&elsewhere), Arc::new(Table::default()));
    let cache = TokenCache::builder()
        .store(Arc::clone(&table))
        .encryption_key(EncryptionKey::new([1; 32]))
        .build();
    let client = connection(&elsewhere, &app, &cache, "elsewhere");
    shop.connections.add(client).unwrap();
    let response = browser.post(&shop.site, "/auth/sign-out", "", false).await;
    assert_eq!(response.status, StatusCode::SEE_OTHER);
    assert!(table.entries.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_signed_out_page_reports_a_session_that_is_still_active() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    for is_broken in [false, true] {
        broken(&shop.sessions, is_broken);
        let page = browser.open(&shop.site, "/auth/signed-out").await;
        assert!(
            page.body.contains("You are still signed in"),
            "{}",
            page.body
        );
    }
    broken(&shop.sessions, false);
    browser.post(&shop.site, "/auth/sign-out", "", false).await;
    let page = browser.open(&shop.site, "/auth/signed-out").await;
    assert!(page.body.contains("You are signed out"), "{}", page.body);
}

#[tokio::test]
async fn a_repeated_sign_out_ends_the_pending_and_the_new_session() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    let first = browser.clone();
    broken(&shop.sessions, true);
    is_failed_sign_out_page(&browser.post(&shop.site, "/auth/sign-out", "", false).await);
    broken(&shop.sessions, false);
    browser
        .sign_in(&shop.site, &shop.tenant, "/auth/sign-in", OTHER)
        .await;
    let second = browser.clone();
    let response = browser.post(&shop.site, "/auth/sign-out", "", false).await;
    assert!(response.location().contains("/logout?"));
    for old in [first, second] {
        assert_eq!(
            old.clone().open(&shop.site, "/").await.body,
            "not signed in"
        );
    }
    assert!(!shop.has_tokens(0).await && !shop.has_tokens(1).await);
    // The pending sign-out is bound to this browser: a post of another site is rejected.
    let forced = browser.post(&shop.site, "/auth/sign-out", "", true).await;
    assert_eq!(forced.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_sign_out_after_many_failed_ones_ends_every_session() {
    let shop = Shop::open().await;
    let mut browser = Browser::default();
    let mut copies = Vec::new();
    for number in 0..8 {
        browser
            .sign_in(&shop.site, &shop.tenant, "/auth/sign-in", ADELE)
            .await;
        copies.push(browser.clone());
        broken(&shop.sessions, true);
        is_failed_sign_out_page(&browser.post(&shop.site, "/auth/sign-out", "", false).await);
        broken(&shop.sessions, false);
        let mut newest = copies[number].clone();
        assert_eq!(newest.open(&shop.site, "/").await.body, ADELE);
    }
    browser
        .sign_in(&shop.site, &shop.tenant, "/auth/sign-in", OTHER)
        .await;
    copies.push(browser.clone());
    let response = browser.post(&shop.site, "/auth/sign-out", "", false).await;
    assert!(response.location().contains("/logout?"));
    for (number, mut copy) in copies.into_iter().enumerate() {
        let page = copy.open(&shop.site, "/").await;
        assert_eq!(page.body, "not signed in", "session {number}");
    }
}

#[tokio::test]
async fn a_pending_sign_out_that_is_too_large_for_a_cookie_is_never_reported_as_complete() {
    let shop = Shop::open().await;
    let mut browser = Browser::default();
    // Far more sessions than a cookie holds.
    for _ in 0..40 {
        browser
            .sign_in(&shop.site, &shop.tenant, "/auth/sign-in", ADELE)
            .await;
        broken(&shop.sessions, true);
        is_failed_sign_out_page(&browser.post(&shop.site, "/auth/sign-out", "", false).await);
        broken(&shop.sessions, false);
    }
    let response = browser.post(&shop.site, "/auth/sign-out", "", false).await;
    assert!(response.location().contains("/logout?"));
}

#[tokio::test]
async fn a_sign_out_fails_if_the_tokens_cannot_be_removed() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    let copied = browser.clone();
    broken(&shop.tokens, true);
    is_failed_sign_out_page(&browser.post(&shop.site, "/auth/sign-out", "", false).await);
    assert_eq!(
        copied.clone().open(&shop.site, "/").await.body,
        "not signed in"
    );
    broken(&shop.tokens, false);
    assert!(!shop.tokens.entries.lock().unwrap().is_empty());
    let with_owner = shop.sessions.entries.lock().unwrap().len();
    let response = browser.post(&shop.site, "/auth/sign-out", "", false).await;
    assert_eq!(response.status, StatusCode::SEE_OTHER);
    let without = shop.sessions.entries.lock().unwrap().len();
    assert_eq!(
        without,
        with_owner - 1,
        "whose tokens they were is forgotten"
    );
    let left = shop.tokens.entries.lock().unwrap().len();
    assert_eq!(left, 1, "the mark of the sign-out");
    assert!(!shop.has_tokens(0).await);
}

#[tokio::test]
async fn a_sign_out_whose_response_is_lost_removes_the_tokens_at_the_next_attempt() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    // It does not get the cookie of the sign-out that failed.
    let mut without_response = browser.clone();
    broken(&shop.tokens, true);
    is_failed_sign_out_page(&browser.post(&shop.site, "/auth/sign-out", "", false).await);
    broken(&shop.tokens, false);
    // The store has to say whose tokens they are.
    shop.sessions.fail_next_load();
    let mut copied = without_response.clone();
    let page = copied.post(&shop.site, "/auth/sign-out", "", false).await;
    is_failed_sign_out_page(&page);
    let response = without_response
        .post(&shop.site, "/auth/sign-out", "", false)
        .await;
    assert_eq!(response.status, StatusCode::SEE_OTHER);
    assert!(!shop.has_tokens(0).await);
}

#[tokio::test]
async fn a_front_channel_sign_out_removes_only_the_tokens_of_its_session() {
    let shop = Shop::open().await;
    let mut adele = shop.signed_in(ADELE).await;
    let mut other = shop.signed_in(OTHER).await;
    assert!(shop.has_tokens(0).await && shop.has_tokens(1).await);
    assert_eq!(shop.front_channel(0).await, StatusCode::OK);
    assert_eq!(adele.open(&shop.site, "/").await.body, "not signed in");
    assert!(!shop.has_tokens(0).await);
    assert_eq!(other.open(&shop.site, "/").await.body, OTHER);
    assert!(shop.has_tokens(1).await);
    // A repeated sign-out is not an error, and earlier sessions stay ended when the user signs in again.
    assert_eq!(shop.front_channel(0).await, StatusCode::OK);
    let old = adele.clone();
    let mut again = shop.signed_in(ADELE).await;
    assert_eq!(again.open(&shop.site, "/").await.body, ADELE);
    assert_eq!(
        old.clone().open(&shop.site, "/").await.body,
        "not signed in"
    );
}

#[tokio::test]
async fn a_front_channel_sign_out_that_failed_removes_the_tokens_at_the_next_attempt() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    broken(&shop.tokens, true);
    assert_eq!(shop.front_channel(0).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(browser.open(&shop.site, "/").await.body, "not signed in");
    broken(&shop.tokens, false);
    let at_another_replica = async || {
        let cache = TokenCache::builder()
            .store(Arc::clone(&shop.tokens))
            .encryption_key(EncryptionKey::new([1; 32]))
            .build();
        let client = connection(&shop.tenant, &shop.app, &cache, "contoso");
        client.resume(&shop.recorded(0).2).await.unwrap().is_some()
    };
    assert!(at_another_replica().await, "the store has the tokens");
    // The session store fails for a moment, while it is asked whose tokens they are.
    shop.sessions.fail_next_load();
    assert_eq!(shop.front_channel(0).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(shop.front_channel(0).await, StatusCode::OK);
    assert!(!at_another_replica().await && !shop.has_tokens(0).await);
    // Then nothing is left that names the user.
    let marks = shop.tokens.entries.lock().unwrap().clone();
    assert_eq!(shop.front_channel(0).await, StatusCode::OK);
    assert!(*shop.tokens.entries.lock().unwrap() == marks);
}

#[tokio::test]
async fn a_front_channel_sign_out_without_the_store_returns_503() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    broken(&shop.sessions, true);
    assert_eq!(shop.front_channel(0).await, StatusCode::SERVICE_UNAVAILABLE);
    broken(&shop.sessions, false);
    assert_eq!(browser.open(&shop.site, "/").await.body, ADELE);
    broken(&shop.tokens, true);
    assert_eq!(shop.front_channel(0).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(browser.open(&shop.site, "/").await.body, "not signed in");
    // The same with the browser's cookie, if the frame names no session.
    let browser = shop.signed_in(OTHER).await;
    broken(&shop.sessions, true);
    let request = Request::get("/auth/front-channel-sign-out")
        .header("cookie", browser.session_pair())
        .header("sec-fetch-dest", "iframe");
    let response = call(&shop.site, request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
}
