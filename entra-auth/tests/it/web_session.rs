//! Sessions of an axum application: sign-out, expiry and stores.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use entra_auth::{
    store::{EncryptedStore, EncryptionKey, StoreError, StoreKey, StorePartition},
    web::{AccessDenied, Authorize, SignInContext, SignOutContext},
};
use entra_mock::FakeTenant;

use crate::{
    web::{ADELE, OTHER, admit_by_user_name, builder, is_error_page, register, shop, site, urls},
    web_browser::{Browser, SITE, call},
};

/// A check that records sign-ins, by issuer and session at Entra, and sign-outs.
#[derive(Clone, Default)]
struct RecordingCheck {
    recorded: Arc<Mutex<Vec<(String, String)>>>,
    left: Arc<Mutex<Vec<String>>>,
}

#[async_trait::async_trait]
impl Authorize for RecordingCheck {
    type User = String;

    async fn authorize(&self, context: SignInContext) -> Result<String, AccessDenied> {
        let identity = context.signed_in.identity();
        let sid = identity.sid.clone().unwrap();
        let session = (identity.issuer.clone(), sid);
        self.recorded.lock().unwrap().push(session);
        admit_by_user_name(context).await
    }

    async fn signed_out(&self, context: SignOutContext<String>) {
        let line = match context {
            SignOutContext::Here { user, session } => {
                format!("{user} from {}", session.connection())
            }
            SignOutContext::Elsewhere { sid, .. } => sid,
            _ => return,
        };
        self.left.lock().unwrap().push(line);
    }
}

#[tokio::test]
async fn a_sign_out_ends_the_session_and_redirects_to_entras_sign_out() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let check = RecordingCheck::default();
    let sign_in = builder(&tenant, &app)
        .authorize(check.clone())
        .build()
        .unwrap();
    let site = site(&sign_in);
    let mut browser = Browser::default();
    browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    let before = browser.clone();

    // A link shows the confirmation page, and a form of another site is rejected.
    let prompt_page = browser.open(&site, "/auth/sign-out").await;
    assert!(
        prompt_page.status == StatusCode::OK && prompt_page.body.contains("<form method=\"post\"")
    );
    // Otherwise a browser without fetch metadata would post its form with the origin `null`.
    assert_eq!(prompt_page.header("referrer-policy"), "same-origin");
    let forced = browser.post(&site, "/auth/sign-out", "", true).await;
    is_error_page(&forced, StatusCode::FORBIDDEN, "Another site");
    let mut sibling = Request::post("/auth/sign-out");
    for (name, value) in [("sec-fetch-site", "same-site"), ("origin", SITE)] {
        sibling = sibling.header(name, value);
    }
    let sibling = sibling
        .header("cookie", browser.session_pair())
        .body(Body::empty());
    assert_eq!(
        call(&site, sibling.unwrap()).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(browser.open(&site, "/").await.body, ADELE);

    let response = browser.post(&site, "/auth/sign-out", "", false).await;
    let url = entra_core::url::Url::parse(response.location()).unwrap();
    assert!(
        url.as_str().starts_with(&tenant.uri()) && url.path().ends_with("/logout"),
        "{url}"
    );
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(query["post_logout_redirect_uri"], urls().signed_out());
    assert!(
        !query["logout_hint"].is_empty() && query.len() == 2,
        "{query:?}"
    );
    assert!(browser.session().is_none());
    assert_eq!(before.clone().open(&site, "/").await.body, "not signed in");
    assert_eq!(
        *check.left.lock().unwrap(),
        [format!("{ADELE} from contoso")]
    );
    let signed_out_page = browser.open(&site, "/auth/signed-out").await;
    assert!(
        signed_out_page.body.contains("You are signed out"),
        "{}",
        signed_out_page.body
    );

    // A sign-out without a session is not an error.
    let again = browser.post(&site, "/auth/sign-out", "", false).await;
    assert_eq!(again.location(), "/auth/signed-out");
}

#[tokio::test]
async fn a_sign_out_without_fetch_metadata_is_checked_by_origin() {
    let (_, _, site) = shop().await;
    for (origin, expected) in [
        (Some(SITE), StatusCode::SEE_OTHER),
        (Some("https://evil.example"), StatusCode::FORBIDDEN),
        (Some("null"), StatusCode::FORBIDDEN),
        (None, StatusCode::FORBIDDEN),
    ] {
        let mut request = Request::post("/auth/sign-out");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let response = call(&site, request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status, expected, "{origin:?}");
    }
}

#[tokio::test]
async fn a_front_channel_sign_out_ends_only_the_sessions_that_it_names() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let check = RecordingCheck::default();
    let sign_in = builder(&tenant, &app)
        .authorize(check.clone())
        .build()
        .unwrap();
    let site = site(&sign_in);
    let (mut adele, mut diego) = (Browser::default(), Browser::default());
    adele.sign_in(&site, &tenant, "/auth/sign-in", ADELE).await;
    diego.sign_in(&site, &tenant, "/auth/sign-in", OTHER).await;
    let (issuer, sid) = check.recorded.lock().unwrap()[0].clone();
    assert_ne!(sid, check.recorded.lock().unwrap()[1].1);

    let frame = |query: String| Request::get(format!("/auth/front-channel-sign-out?{query}"));
    let send = async |query: String| {
        let request = frame(query).header("sec-fetch-dest", "iframe");
        call(&site, request.body(Body::empty()).unwrap())
            .await
            .status
    };
    assert_eq!(
        send(format!("iss=https://evil.example&sid={sid}")).await,
        StatusCode::OK
    );
    assert_eq!(
        send(format!("iss={issuer}&sid=other")).await,
        StatusCode::OK
    );
    assert_eq!(send(format!("sid={sid}")).await, StatusCode::BAD_REQUEST);
    assert_eq!(adele.open(&site, "/").await.body, ADELE);
    assert_eq!(
        send(format!("iss={issuer}&sid={sid}")).await,
        StatusCode::OK
    );
    assert_eq!(adele.open(&site, "/").await.body, "not signed in");
    assert_eq!(diego.open(&site, "/").await.body, OTHER);

    // Without `iss` and `sid` it ends the session of this browser, but only in a frame.
    let cookie = diego.session_pair();
    let link = frame(String::new())
        .header("cookie", &cookie)
        .header("sec-fetch-dest", "document");
    call(&site, link.body(Body::empty()).unwrap()).await;
    assert_eq!(diego.open(&site, "/").await.body, OTHER);
    let framed = frame(String::new())
        .header("cookie", &cookie)
        .header("sec-fetch-dest", "iframe");
    call(&site, framed.body(Body::empty()).unwrap()).await;
    assert_eq!(diego.open(&site, "/").await.body, "not signed in");
    // The application is called for each frame that names a session, also for unknown sessions.
    assert_eq!(
        *check.left.lock().unwrap(),
        [
            sid.as_str(),
            "other",
            sid.as_str(),
            &format!("{OTHER} from contoso")
        ]
    );
}

#[tokio::test]
async fn each_sign_in_has_a_new_session_id_that_expires() {
    let (tenant, _, site) = shop().await;
    let mut browser = Browser::default();
    // The session id was set by an attacker.
    browser.set_session("g.planted.x");
    browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    let first = browser.clone();
    assert!(!first.session().unwrap().contains("planted"));
    browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    assert_ne!(browser.session(), first.session());
    assert_eq!(first.clone().open(&site, "/").await.body, "not signed in");

    // A session that is used every half hour expires after eight hours.
    for _ in 0..15 {
        tenant.clock().advance(Duration::from_secs(1800));
        assert_eq!(browser.open(&site, "/").await.body, ADELE);
    }
    tenant.clock().advance(Duration::from_secs(1799));
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
    tenant.clock().advance(Duration::from_secs(1));
    assert_eq!(browser.open(&site, "/").await.body, "not signed in");
    for broken in [
        "",
        ".",
        "a.",
        "a.b.c",
        "a.b.%",
        "a.b.c.d",
        "\"<>",
        &"x".repeat(5000),
    ] {
        browser.set_session(broken);
        assert_eq!(browser.open(&site, "/").await.body, "not signed in");
    }
}

#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) entries: Mutex<HashMap<StoreKey, Vec<u8>>>,
    pub(crate) broken: std::sync::atomic::AtomicBool,
    fails_next_load: std::sync::atomic::AtomicBool,
}

impl Table {
    pub(crate) fn fail_next_load(&self) {
        self.fails_next_load
            .store(true, std::sync::atomic::Ordering::SeqCst);
    }

    fn open(&self) -> Result<std::sync::MutexGuard<'_, HashMap<StoreKey, Vec<u8>>>, StoreError> {
        match self.broken.load(std::sync::atomic::Ordering::SeqCst) {
            true => Err(StoreError::unavailable("the table is gone")),
            false => Ok(self.entries.lock().unwrap()),
        }
    }
}

#[async_trait::async_trait]
impl EncryptedStore for Table {
    async fn load(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        let fails = &self.fails_next_load;
        if fails.swap(false, std::sync::atomic::Ordering::SeqCst) {
            return Err(StoreError::unavailable("the connection was lost"));
        }
        Ok(self.open()?.get(key).cloned())
    }
    async fn save(&self, key: &StoreKey, entry: &[u8], _: Duration) -> Result<(), StoreError> {
        self.open()?.insert(key.clone(), entry.to_vec());
        Ok(())
    }
    async fn remove(&self, key: &StoreKey) -> Result<(), StoreError> {
        self.open()?.remove(key);
        Ok(())
    }
    async fn remove_partition(&self, partition: &StorePartition) -> Result<(), StoreError> {
        self.open()?.retain(|key, _| key.partition() != partition);
        Ok(())
    }
}

#[tokio::test]
async fn replicas_share_sessions_and_pending_sign_ins() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let table = Arc::new(Table::default());
    let replica = |key: u8| {
        let sign_in = builder(&tenant, &app).store(table.clone(), [EncryptionKey::new([key; 32])]);
        site(&sign_in.build().unwrap())
    };
    let (one, two, other_browser) = (replica(1), replica(1), replica(2));
    let mut browser = Browser::default();
    let url = browser.start(&one, "/auth/sign-in").await;
    let redirected = tenant.sign_in_at(&url, ADELE);
    let rejected = browser
        .clone()
        .send_callback(&other_browser, &redirected)
        .await;
    is_error_page(&rejected, StatusCode::BAD_REQUEST, "For your administrator");
    assert_eq!(
        browser.send_callback(&two, &redirected).await.location(),
        "/"
    );
    assert_eq!(browser.open(&one, "/").await.body, ADELE);
    for entry in table.entries.lock().unwrap().values() {
        assert!(!String::from_utf8_lossy(entry).contains("dele"));
    }

    // A failing store does not sign the user out, also not at the back button.
    table
        .broken
        .store(true, std::sync::atomic::Ordering::SeqCst);
    for replica in [&one, &two] {
        let response = browser.open(replica, "/mine").await;
        assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
        let response = browser.send_callback(replica, &redirected).await;
        assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(browser.session().is_some());
    }
    let mut late = Browser::default();
    let response = late.sign_in(&one, &tenant, "/auth/sign-in", ADELE).await;
    is_error_page(&response, StatusCode::SERVICE_UNAVAILABLE, "at the moment");
    table
        .broken
        .store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(browser.open(&one, "/mine").await.body, ADELE);
    // A session that cannot be decrypted is ignored.
    assert_eq!(
        browser.open(&other_browser, "/").await.body,
        "not signed in"
    );
}

#[tokio::test]
async fn a_rolling_key_change_over_three_replicas_ends_no_session() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let table = Arc::new(Table::default());
    let replica = |keys: &[u8]| {
        let keys = keys.iter().map(|key| EncryptionKey::new([*key; 32]));
        site(
            &builder(&tenant, &app)
                .store(table.clone(), keys)
                .build()
                .unwrap(),
        )
    };
    let mut keys: [&[u8]; 3] = [&[1]; 3];
    let mut browsers = vec![Browser::default()];
    browsers[0]
        .sign_in(&replica(&[1]), &tenant, "/auth/sign-in", ADELE)
        .await;
    // Each step reaches one replica after the other; a user who signs in meanwhile at any replica is
    // signed in at all of them.
    for step in [&[1_u8, 2][..], &[2, 1]] {
        for updated in 0..keys.len() {
            keys[updated] = step;
            let mut browser = Browser::default();
            browser
                .sign_in(&replica(step), &tenant, "/auth/sign-in", ADELE)
                .await;
            browsers.push(browser);
            for browser in &mut browsers {
                for keys in keys {
                    assert_eq!(
                        browser.open(&replica(keys), "/").await.body,
                        ADELE,
                        "{keys:?}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn a_replica_without_the_key_ends_no_session() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let table = Arc::new(Table::default());
    let replica = |keys: &[u8]| {
        let keys = keys.iter().map(|key| EncryptionKey::new([*key; 32]));
        site(
            &builder(&tenant, &app)
                .store(table.clone(), keys)
                .build()
                .unwrap(),
        )
    };
    let mut browser = Browser::default();
    browser
        .sign_in(&replica(&[1]), &tenant, "/auth/sign-in", ADELE)
        .await;
    let before = table.entries.lock().unwrap().clone();
    for keys in [&[2_u8][..], &[2, 3]] {
        assert_eq!(
            browser.open(&replica(keys), "/").await.body,
            "not signed in"
        );
        assert_eq!(*table.entries.lock().unwrap(), before);
    }
    for keys in [&[1_u8][..], &[2, 1], &[1, 2]] {
        assert_eq!(
            browser.open(&replica(keys), "/").await.body,
            ADELE,
            "{keys:?}"
        );
    }
}

#[tokio::test]
async fn a_damaged_session_is_removed_from_the_store() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let table = Arc::new(Table::default());
    let keys = [EncryptionKey::new([1; 32])];
    let sign_in = builder(&tenant, &app).store(table.clone(), keys);
    let site = site(&sign_in.build().unwrap());
    let mut browser = Browser::default();
    browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    let before = table.entries.lock().unwrap().len();
    for entry in table.entries.lock().unwrap().values_mut() {
        *entry.last_mut().unwrap() ^= 1;
    }
    assert_eq!(browser.open(&site, "/").await.body, "not signed in");
    assert!(table.entries.lock().unwrap().len() < before);
}

#[tokio::test]
async fn a_hanging_session_store_costs_one_time_limit_and_no_session() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let store = crate::stores::Shelf::new();
    let key = EncryptionKey::new([1; 32]);
    let sign_in = builder(&tenant, &app).store(Arc::clone(&store), [key]);
    let site = site(&sign_in.build().unwrap());
    let mut browser = Browser::default();
    browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    // From here on no request is sent.
    tokio::time::pause();
    store.hang(true);
    store.take_asked();
    let started = tokio::time::Instant::now();
    for _ in 0..10 {
        let response = browser.open(&site, "/mine").await;
        assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert!(started.elapsed() < Duration::from_millis(2_100));
    assert_eq!(store.take_asked(), 1);
    store.hang(false);
    tokio::time::advance(Duration::from_secs(6)).await;
    assert_eq!(browser.open(&site, "/mine").await.body, ADELE);
}

#[tokio::test]
async fn a_slow_session_store_has_one_time_limit_for_all_operations_of_a_lookup() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let store = crate::stores::Shelf::new();
    let key = EncryptionKey::new([1; 32]);
    let sign_in = builder(&tenant, &app).store(Arc::clone(&store), [key]);
    let site = site(&sign_in.build().unwrap());
    let mut browser = Browser::default();
    browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    // From here on no request is sent.
    tokio::time::pause();
    store.delay(Duration::from_millis(900));
    let started = tokio::time::Instant::now();
    let response = browser.open(&site, "/mine").await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    let took = started.elapsed();
    assert!(took < Duration::from_millis(2_100), "{took:?}");
    store.delay(Duration::from_millis(100));
    tokio::time::advance(Duration::from_secs(6)).await;
    assert_eq!(browser.open(&site, "/mine").await.body, ADELE);
}

/// A store that is slow, and then fails once and at once.
#[derive(Debug, Default)]
struct SlowTable {
    table: Table,
    left: std::sync::atomic::AtomicU64,
}

impl SlowTable {
    async fn enter(&self) -> Result<(), StoreError> {
        let order = std::sync::atomic::Ordering::SeqCst;
        let fewer = |left: u64| left.checked_sub(1);
        match self.left.fetch_update(order, order, fewer) {
            Ok(1) => return Err(StoreError::unavailable("the connection was lost")),
            Ok(_) => tokio::time::sleep(Duration::from_millis(400)).await,
            Err(_) => {}
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl EncryptedStore for SlowTable {
    async fn load(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.enter().await?;
        self.table.load(key).await
    }
    async fn save(&self, key: &StoreKey, entry: &[u8], time: Duration) -> Result<(), StoreError> {
        self.enter().await?;
        self.table.save(key, entry, time).await
    }
    async fn remove(&self, key: &StoreKey) -> Result<(), StoreError> {
        self.enter().await?;
        self.table.remove(key).await
    }
    async fn remove_partition(&self, partition: &StorePartition) -> Result<(), StoreError> {
        self.enter().await?;
        self.table.remove_partition(partition).await
    }
}

#[tokio::test]
async fn an_immediate_error_after_slow_operations_of_a_lookup_skips_no_store() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let store = Arc::new(SlowTable::default());
    let key = EncryptionKey::new([1; 32]);
    let sign_in = builder(&tenant, &app).store(Arc::clone(&store), [key]);
    let site = site(&sign_in.build().unwrap());
    let mut browser = Browser::default();
    browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    // From here on no request is sent.
    tokio::time::pause();
    store.left.store(3, std::sync::atomic::Ordering::SeqCst);
    let response = browser.open(&site, "/mine").await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(browser.open(&site, "/mine").await.body, ADELE);
}
