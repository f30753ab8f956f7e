//! Sessions of users who have no access any more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::StatusCode};
use entra_auth::{
    SignInClient,
    sign_in::{Connections, SignInClientBuilder, SignInErrorKind},
    store::{EncryptedStore, EncryptionKey, StoreError, StoreKey, StorePartition},
    user::{ClientAuthentication, StartOptions},
    web::{AccessDenied, SignInContext, WebSignIn},
};
use entra_core::{Clock, TokenCredential as _, TokenRequest};
use entra_mock::{AccessPolicy, App, FakeTenant, Fault};

use crate::{
    sign_in_mix_up::Attacker,
    web::{ADELE, OTHER, admit_by_user_name, builder, client, register, shop, site, urls},
    web_browser::Browser,
    web_session::Table,
};

const INTERVAL: Duration = Duration::from_secs(15 * 60);

async fn signed_in(site: &Router, tenant: &FakeTenant, name: &str) -> Browser {
    let mut browser = Browser::default();
    let response = browser.sign_in(site, tenant, "/auth/sign-in", name).await;
    assert_eq!(response.location(), "/");
    assert_eq!(browser.open(site, "/").await.body, name);
    browser
}

#[tokio::test]
async fn a_disabled_deleted_or_revoked_user_is_signed_out_at_the_next_check() {
    type Change = (&'static str, fn(&FakeTenant));
    let changes: [Change; 4] = [
        ("disabled", |tenant| tenant.user(ADELE).disable()),
        ("deleted", |tenant| tenant.user(ADELE).delete()),
        ("revoked", |tenant| tenant.user(ADELE).revoke_sessions()),
        ("another password", |tenant| {
            let adele = tenant.user(ADELE);
            let _ = adele.password();
            adele.set_password(&"Another-1-password".into());
        }),
    ];
    for (what, change) in changes {
        let (tenant, _app, site) = shop().await;
        let mut adele = signed_in(&site, &tenant, ADELE).await;
        let mut other = signed_in(&site, &tenant, OTHER).await;
        let copy = adele.clone();
        tenant.clock().advance(Duration::from_secs(60));
        change(&tenant);
        tenant.clock().advance(INTERVAL - Duration::from_secs(61));
        assert_eq!(
            adele.open(&site, "/").await.body,
            ADELE,
            "{what}: not asked yet"
        );
        tenant.clock().advance(Duration::from_secs(1));
        assert_eq!(adele.open(&site, "/").await.body, "not signed in", "{what}");
        let response = adele.open(&site, "/mine").await;
        assert!(response.location().starts_with("/auth/sign-in"));
        assert_eq!(copy.clone().open(&site, "/").await.body, "not signed in");
        assert_eq!(other.open(&site, "/").await.body, OTHER);
        // The session has ended for good.
        tenant.user(OTHER).enable();
        assert_eq!(adele.open(&site, "/").await.body, "not signed in");
    }
}

#[tokio::test]
async fn a_re_check_calls_the_applications_check_and_stores_its_new_user() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let (requested, open) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicBool::new(true)),
    );
    let check = {
        let (requested, open) = (Arc::clone(&requested), Arc::clone(&open));
        move |context: SignInContext| {
            let number = requested.fetch_add(1, Ordering::SeqCst);
            assert_eq!(context.is_recheck, number > 0);
            let name = context
                .signed_in
                .identity()
                .name
                .clone()
                .unwrap_or_default();
            let outcome = match open.load(Ordering::SeqCst) {
                true => Ok(format!("{name} {number}")),
                false => Err(AccessDenied::new("No longer for you.")),
            };
            async move { outcome }
        }
    };
    let sign_in = builder(&tenant, &app).authorize(check).build().unwrap();
    let site = site(&sign_in);
    let mut browser = Browser::default();
    browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    let first = browser.open(&site, "/").await.body;
    assert!(first.ends_with(" 0"), "{first}");
    tenant.user(ADELE).set("displayName", "Ada".into());
    for number in 1..=3 {
        tenant.clock().advance(INTERVAL);
        for _ in 0..3 {
            let body = browser.open(&site, "/").await.body;
            assert_eq!(body, format!("Ada {number}"), "today's name");
        }
        assert_eq!(requested.load(Ordering::SeqCst), number + 1);
    }
    open.store(false, Ordering::SeqCst);
    assert_eq!(browser.open(&site, "/").await.body, "Ada 3");
    tenant.clock().advance(INTERVAL);
    assert_eq!(browser.open(&site, "/").await.body, "not signed in");
    open.store(true, Ordering::SeqCst);
    assert_eq!(browser.open(&site, "/").await.body, "not signed in");
}

/// A client for users of many tenants, and whether it admits them.
fn multi_tenant_client(tenant: &FakeTenant, app: &App) -> (SignInClient, Arc<AtomicBool>) {
    deciding_client("organizations", tenant, app)
}

/// A client with this tenant, and whether it admits users.
fn deciding_client(place: &str, tenant: &FakeTenant, app: &App) -> (SignInClient, Arc<AtomicBool>) {
    let admitted = Arc::new(AtomicBool::new(true));
    let decision = Arc::clone(&admitted);
    let credential = ClientAuthentication::secret(app.secret());
    let builder = SignInClient::builder(place, app.client_id(), credential)
        .name("contoso")
        .redirect_uri(urls().callback())
        .scopes(["User.Read"])
        .tenant_decision(move |_| decision.load(Ordering::SeqCst))
        .cloud(tenant.cloud())
        .clock(tenant.clock());
    (builder.build().unwrap(), admitted)
}

#[tokio::test]
async fn a_user_of_a_tenant_that_is_no_longer_admitted_gets_neither_a_renewal_nor_tokens() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant).multi_tenant();
    // One client for many tenants, and the usual one of a customer, by id and by domain.
    for place in [
        "organizations".to_owned(),
        tenant.id().to_string(),
        tenant.domain(),
    ] {
        let (client, admitted) = deciding_client(&place, &tenant, &app);
        let (url, flow) = client.start(&StartOptions::default()).unwrap();
        let callback = tenant.sign_in_at(url.as_str(), ADELE).query();
        let session = client.finish(flow, &callback).await.unwrap();
        session.commit().await;
        let (account, identity) = (session.account(), session.identity());
        client.renew(account, identity).await.unwrap();
        admitted.store(false, Ordering::SeqCst);
        let error = client.renew(account, identity).await.unwrap_err();
        assert_eq!(error.kind(), SignInErrorKind::WrongTenant, "{place}");
        assert!(
            client.resume(account).await.unwrap().is_none(),
            "{place}: nor are tokens"
        );
        admitted.store(true, Ordering::SeqCst);
        assert!(client.resume(account).await.unwrap().is_some(), "{place}");
    }
}

#[tokio::test]
async fn sessions_of_a_tenant_that_is_no_longer_admitted_end_at_once() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant).multi_tenant();
    let (client, admitted) = multi_tenant_client(&tenant, &app);
    let sign_in = WebSignIn::builder(urls(), client).authorize(admit_by_user_name);
    let site = site(&sign_in.clock(tenant.clock()).build().unwrap());
    let mut browser = signed_in(&site, &tenant, ADELE).await;
    admitted.store(false, Ordering::SeqCst);
    assert_eq!(browser.open(&site, "/").await.body, "not signed in");
    admitted.store(true, Ordering::SeqCst);
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
}

#[tokio::test]
async fn sessions_are_invalid_if_their_connection_name_goes_to_another_connection() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let other_app = register(&tenant);
    let sign_in = builder(&tenant, &app).build().unwrap();
    let site = site(&sign_in);
    let mut browser = signed_in(&site, &tenant, ADELE).await;
    let build = |tenant_id: &str, app: &App| {
        let credential = ClientAuthentication::secret(app.secret());
        SignInClient::builder(tenant_id, app.client_id(), credential)
            .name("contoso")
            .redirect_uri(urls().callback())
            .scopes(["User.Read"])
            .clock(tenant.clock())
    };
    let id = tenant.id().to_string();
    let at = |builder: SignInClientBuilder| builder.cloud(tenant.cloud()).build().unwrap();
    let connections: &Connections = sign_in.connections();
    for other in [
        at(build("fabrikam.com", &app)),
        // The same tenant by its domain, which may move to another tenant.
        at(build(&tenant.domain(), &app)),
        at(build("organizations", &app).any_tenant()),
        at(build(&id, &other_app)),
        build(&id, &app).build().unwrap(),
        build(&id, &app).cloud(Attacker::cloud()).build().unwrap(),
    ] {
        connections.add(other).unwrap();
        assert_eq!(browser.open(&site, "/").await.body, "not signed in");
    }
    connections.add(at(build(&id, &app))).unwrap();
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
}

#[tokio::test]
async fn sessions_stay_valid_for_an_hour_while_the_service_is_unavailable() {
    let (tenant, _app, site) = shop().await;
    let mut browser = signed_in(&site, &tenant, ADELE).await;
    tenant.clock().advance(INTERVAL);
    tenant.forget_requests();
    tenant.inject(Fault::on("/token").status(503));
    for minute in 0..60 {
        for _ in 0..3 {
            assert_eq!(browser.open(&site, "/").await.body, ADELE, "{minute}");
        }
        tenant.clock().advance(Duration::from_secs(60));
    }
    // One check a minute.
    tenant.requests().to("/token").assert_count(60);
    let response = browser.open(&site, "/").await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    tenant.clear_faults();
    tenant.clock().advance(Duration::from_secs(60));
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
    // A temporary failure of the application's check does not end a session either.
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let down = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&down);
    let check = move |context: SignInContext| {
        let is_down = flag.load(Ordering::SeqCst);
        async move {
            match is_down {
                true => Err(AccessDenied::unavailable("Our memory is down.")),
                false => admit_by_user_name(context).await,
            }
        }
    };
    let sign_in = builder(&tenant, &app).authorize(check).build().unwrap();
    let site = crate::web::site(&sign_in);
    let mut browser = signed_in(&site, &tenant, ADELE).await;
    down.store(true, Ordering::SeqCst);
    tenant.clock().advance(INTERVAL);
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
    let response = Browser::default()
        .sign_in(&site, &tenant, "/auth/sign-in", OTHER)
        .await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.body.contains("Our memory is down.") && response.body.contains("Try again"));
}

#[tokio::test]
async fn question_mark_in_a_check_makes_access_unknown_and_the_page_hides_the_error() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let down = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&down);
    let check = move |context: SignInContext| {
        let is_down = flag.load(Ordering::SeqCst);
        async move {
            if is_down {
                Err(std::io::Error::other("canary-of-a-database-host"))?;
            }
            admit_by_user_name(context).await
        }
    };
    let sign_in = builder(&tenant, &app).authorize(check).build().unwrap();
    let site = crate::web::site(&sign_in);
    let mut browser = signed_in(&site, &tenant, ADELE).await;
    down.store(true, Ordering::SeqCst);
    tenant.clock().advance(INTERVAL);
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
    let response = Browser::default()
        .sign_in(&site, &tenant, "/auth/sign-in", OTHER)
        .await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!response.body.contains("canary"), "{}", response.body);
    for text in ["cannot check your access", "log of this site", "Try again"] {
        assert!(response.body.contains(text), "{text}: {}", response.body);
    }
}

#[tokio::test]
async fn question_mark_on_an_error_that_the_user_can_act_on_shows_its_page() {
    let tenant = Arc::new(FakeTenant::start().await);
    let app = register(&tenant);
    let directory = Arc::clone(&tenant);
    let check = move |context: SignInContext| {
        let directory = Arc::clone(&directory);
        async move {
            directory.add_access_policy(AccessPolicy::block());
            let request = TokenRequest::new(["User.Read"]).with_force_refresh();
            context.signed_in.credential().token(&request).await?;
            admit_by_user_name(context).await
        }
    };
    let sign_in = builder(&tenant, &app).authorize(check).build().unwrap();
    let site = crate::web::site(&sign_in);
    let response = Browser::default()
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    assert_eq!(response.status, StatusCode::FORBIDDEN, "{}", response.body);
    assert!(response.body.contains("AADSTS53003"), "{}", response.body);
}

#[tokio::test]
async fn concurrent_requests_cause_one_re_check() {
    let (tenant, _app, site) = shop().await;
    let browser = signed_in(&site, &tenant, ADELE).await;
    tenant.clock().advance(INTERVAL);
    tenant.forget_requests();
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (mut browser, site) = (browser.clone(), site.clone());
        requests.spawn(async move { browser.open(&site, "/").await.body });
    }
    for body in requests.join_all().await {
        assert_eq!(body, ADELE);
    }
    tenant.requests().to("/token").assert_count(1);
}

#[tokio::test]
async fn a_session_expires_after_its_idle_time_and_at_its_absolute_lifetime() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let minute = Duration::from_secs(60);
    for (used_every, idle, lifetime, lasts) in
        [(10, 20, 60, 59), (20, 20, 60, 19), (59, 60, 60, 59)]
    {
        // A store that does not remove expired entries.
        let table = Arc::new(Table::default());
        let sign_in = builder(&tenant, &app)
            .store(table, [EncryptionKey::new([1; 32])])
            .idle_limit(minute * idle)
            .session_lifetime(minute * lifetime);
        let site = site(&sign_in.build().unwrap());
        let mut browser = signed_in(&site, &tenant, ADELE).await;
        let mut passed = 0;
        while passed + used_every <= lasts {
            tenant.clock().advance(minute * used_every);
            passed += used_every;
            assert_eq!(browser.open(&site, "/").await.body, ADELE, "{passed}");
        }
        tenant.clock().advance(minute * (lasts + 1 - passed));
        assert_eq!(
            browser.open(&site, "/").await.body,
            "not signed in",
            "{used_every}"
        );
    }
}

#[tokio::test]
async fn a_clock_change_of_a_day_and_back_ends_no_session_and_extends_none() {
    let (tenant, _app, site) = shop().await;
    let (now, day) = (tenant.clock().now(), entra_core::time::Duration::DAY);
    let mut browser = signed_in(&site, &tenant, ADELE).await;
    let before = browser.clone();
    for wrong in [now + day, now - day] {
        tenant.clock().set_wall_clock(wrong);
        assert_eq!(browser.open(&site, "/").await.body, "not signed in");
        tenant.clock().set_wall_clock(now);
        browser = before.clone();
        assert_eq!(browser.open(&site, "/").await.body, ADELE);
    }
    // The store in memory expires entries by the monotonic clock.
    tenant.clock().advance(Duration::from_secs(8 * 3600));
    tenant.clock().set_wall_clock(now);
    assert_eq!(browser.open(&site, "/").await.body, "not signed in");
}

#[tokio::test]
async fn a_session_from_the_future_is_rejected() {
    let (tenant, _app, site) = shop().await;
    let now = tenant.clock().now();
    let day = entra_core::time::Duration::DAY;
    tenant.clock().set_wall_clock(now + day);
    let mut ahead = signed_in(&site, &tenant, ADELE).await;
    tenant.clock().set_wall_clock(now);
    assert_eq!(ahead.open(&site, "/").await.body, "not signed in");
    let mut browser = signed_in(&site, &tenant, ADELE).await;
    // The clocks of replicas may differ slightly.
    tenant
        .clock()
        .set_wall_clock(now - entra_core::time::Duration::MINUTE);
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
}

/// A store in which all sessions of the user end just before each write of a session.
#[derive(Debug, Default)]
struct Racing {
    table: Table,
    armed: AtomicBool,
}

#[async_trait::async_trait]
impl EncryptedStore for Racing {
    async fn load(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.table.load(key).await
    }
    async fn save(&self, key: &StoreKey, entry: &[u8], keep: Duration) -> Result<(), StoreError> {
        if self.armed.load(Ordering::SeqCst) {
            self.table.remove_partition(key.partition()).await?;
        }
        self.table.save(key, entry, keep).await
    }
    async fn remove(&self, key: &StoreKey) -> Result<(), StoreError> {
        self.table.remove(key).await
    }
    async fn remove_partition(&self, partition: &StorePartition) -> Result<(), StoreError> {
        self.table.remove_partition(partition).await
    }
}

#[tokio::test]
async fn all_sessions_of_a_user_end_together_and_stay_ended() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let racing = Arc::new(Racing::default());
    let key = EncryptionKey::new([1; 32]);
    let builder = builder(&tenant, &app).store(Arc::clone(&racing), [key]);
    let sign_in = builder.build().unwrap();
    let site = site(&sign_in);
    let mut browsers = Vec::new();
    for _ in 0..3 {
        browsers.push(signed_in(&site, &tenant, ADELE).await);
    }
    let mut other = signed_in(&site, &tenant, OTHER).await;
    let oid = tenant.user(ADELE).id();
    // A user without sessions, and a tenant that is not given by its GUID.
    sign_in
        .end_sessions_of(&tenant.id(), app.client_id().to_string().parse().unwrap())
        .await
        .unwrap();
    sign_in
        .end_sessions_of(&"contoso.com".parse().unwrap(), oid)
        .await
        .unwrap_err();
    assert_eq!(browsers[0].open(&site, "/").await.body, ADELE);
    sign_in.end_sessions_of(&tenant.id(), oid).await.unwrap();
    for browser in &mut browsers {
        assert_eq!(browser.open(&site, "/").await.body, "not signed in");
    }
    assert_eq!(other.open(&site, "/").await.body, OTHER);

    // A concurrent request or check writes its state after the end, which restores no session.
    for passed in [Duration::from_secs(120), INTERVAL] {
        let mut browser = signed_in(&site, &tenant, ADELE).await;
        tenant.clock().advance(passed);
        racing.armed.store(true, Ordering::SeqCst);
        assert_eq!(browser.open(&site, "/").await.body, ADELE);
        racing.armed.store(false, Ordering::SeqCst);
        assert_eq!(browser.open(&site, "/").await.body, "not signed in");
    }
    racing.table.broken.store(true, Ordering::SeqCst);
    sign_in
        .end_sessions_of(&tenant.id(), oid)
        .await
        .unwrap_err();
}

#[tokio::test]
async fn a_user_without_tokens_signs_in_again_at_the_next_check() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let contoso = client(&tenant, &app, "contoso");
    let sign_in = WebSignIn::builder(urls(), contoso.clone()).authorize(admit_by_user_name);
    let site = site(&sign_in.clock(tenant.clock()).build().unwrap());
    let mut browser = Browser::default();
    let url = browser.start(&site, "/auth/sign-in").await;
    let redirected = tenant.sign_in_at(&url, ADELE);
    browser.send_callback(&site, &redirected).await;
    let (url, flow) = contoso.start(&Default::default()).unwrap();
    let redirected = tenant.sign_in_at(url.as_str(), ADELE);
    let session = contoso.finish(flow, redirected.address()).await.unwrap();
    contoso.sign_out(session.account()).await.unwrap();
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
    tenant.clock().advance(INTERVAL);
    assert_eq!(browser.open(&site, "/").await.body, "not signed in");
}

#[tokio::test]
async fn a_check_by_a_clock_that_was_ahead_does_not_postpone_the_next_one() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let table = Arc::new(Table::default());
    let sign_in = builder(&tenant, &app)
        .store(Arc::clone(&table), [EncryptionKey::new([1; 32])])
        .idle_limit(Duration::from_secs(8 * 3600));
    let site = crate::web::site(&sign_in.build().unwrap());
    let now = tenant.clock().now();
    let ahead = entra_core::time::Duration::hours(7);
    let checked_ahead = async || {
        let browser = signed_in(&site, &tenant, ADELE).await;
        tenant.clock().set_wall_clock(now + ahead);
        assert_eq!(browser.clone().open(&site, "/").await.body, ADELE);
        tenant.clock().set_wall_clock(now);
        tenant.forget_requests();
        browser
    };
    // While the service responds, the user is checked at once and then at each interval.
    let mut browser = checked_ahead().await;
    for _ in 0..3 {
        assert_eq!(browser.open(&site, "/").await.body, ADELE);
        tenant.requests().to("/token").assert_count(1);
    }
    tenant.clock().advance(INTERVAL);
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
    tenant.requests().to("/token").assert_count(2);
    tenant.clock().set_wall_clock(now);

    // While it does not respond, one check a minute is tried, and the session stays valid for an hour at most.
    let mut browser = checked_ahead().await;
    tenant.inject(Fault::on("/token").status(503));
    for _ in 0..60 {
        for _ in 0..3 {
            assert_eq!(browser.open(&site, "/").await.body, ADELE);
        }
        tenant.clock().advance(Duration::from_secs(60));
    }
    tenant.requests().to("/token").assert_count(60);
    let response = browser.open(&site, "/").await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_request_at_a_clock_that_was_ahead_does_not_extend_the_idle_limit() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    // A store that does not remove expired entries.
    let table = Arc::new(Table::default());
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let sign_in = builder(&tenant, &app)
        .store(table, [EncryptionKey::new([1; 32])])
        .recheck_after(hours(8))
        .idle_limit(hours(3));
    let site = crate::web::site(&sign_in.build().unwrap());
    let mut browser = signed_in(&site, &tenant, ADELE).await;
    let now = tenant.clock().now();
    tenant
        .clock()
        .set_wall_clock(now + entra_core::time::Duration::hours(2));
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
    tenant.clock().set_wall_clock(now);
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
    tenant.clock().advance(hours(3));
    assert_eq!(browser.open(&site, "/").await.body, "not signed in");
}
