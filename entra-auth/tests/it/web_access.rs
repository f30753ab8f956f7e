//! What becomes of a session whose user may not be here any more.

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
    sign_in::{Connections, SignInClientBuilder},
    store::{EncryptedStore, EncryptionKey, StoreError, StoreKey, StorePartition},
    user::ClientAuthentication,
    web::{AccessDenied, SignInContext, WebSignIn},
};
use entra_core::Clock;
use entra_mock::{App, FakeTenant, Fault};

use crate::{
    sign_in_mix_up::Attacker,
    web::{ADELE, OTHER, builder, by_name, client, register, shop, site, urls},
    web_browser::Browser,
    web_session::Table,
};

const INTERVAL: Duration = Duration::from_secs(15 * 60);

async fn signed_in(site: &Router, tenant: &FakeTenant, name: &str) -> Browser {
    let mut browser = Browser::default();
    let answer = browser.sign_in(site, tenant, "/auth/sign-in", name).await;
    assert_eq!(answer.location(), "/");
    assert_eq!(browser.open(site, "/").await.body, name);
    browser
}

#[tokio::test]
async fn a_user_who_is_disabled_deleted_or_signed_out_of_all_sessions_is_out_at_the_next_check() {
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
        assert_eq!(adele.open(&site, "/").await.body, "nobody", "{what}");
        let answer = adele.open(&site, "/mine").await;
        assert!(answer.location().starts_with("/auth/sign-in"));
        assert_eq!(copy.clone().open(&site, "/").await.body, "nobody");
        assert_eq!(other.open(&site, "/").await.body, OTHER);
        // It is over, and not only while the service says so.
        tenant.user(OTHER).enable();
        assert_eq!(adele.open(&site, "/").await.body, "nobody");
    }
}

#[tokio::test]
async fn the_applications_own_check_is_asked_again_and_what_it_says_is_the_user_from_then_on() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let (asked, open) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicBool::new(true)),
    );
    let gate = {
        let (asked, open) = (Arc::clone(&asked), Arc::clone(&open));
        move |context: SignInContext| {
            let number = asked.fetch_add(1, Ordering::SeqCst);
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
    let sign_in = builder(&tenant, &app).authorize(gate).build().unwrap();
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
        assert_eq!(asked.load(Ordering::SeqCst), number + 1);
    }
    open.store(false, Ordering::SeqCst);
    assert_eq!(browser.open(&site, "/").await.body, "Ada 3");
    tenant.clock().advance(INTERVAL);
    assert_eq!(browser.open(&site, "/").await.body, "nobody");
    open.store(true, Ordering::SeqCst);
    assert_eq!(browser.open(&site, "/").await.body, "nobody");
}

#[tokio::test]
async fn a_tenant_that_is_no_longer_admitted_is_out_at_once() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant).multi_tenant();
    let admitted = Arc::new(AtomicBool::new(true));
    let decision = Arc::clone(&admitted);
    let client = SignInClient::builder(
        "organizations",
        app.client_id(),
        ClientAuthentication::secret(app.secret()),
    )
    .name("contoso")
    .redirect_uri(urls().callback())
    .scopes(["User.Read"])
    .tenant_decision(move |_| decision.load(Ordering::SeqCst))
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()
    .unwrap();
    let sign_in = WebSignIn::builder(urls(), client).authorize(by_name);
    let site = site(&sign_in.clock(tenant.clock()).build().unwrap());
    let mut browser = signed_in(&site, &tenant, ADELE).await;
    admitted.store(false, Ordering::SeqCst);
    assert_eq!(browser.open(&site, "/").await.body, "nobody");
    admitted.store(true, Ordering::SeqCst);
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
}

#[tokio::test]
async fn a_name_that_goes_to_another_connection_takes_no_session_along() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let other_app = register(&tenant);
    let sign_in = builder(&tenant, &app).build().unwrap();
    let site = site(&sign_in);
    let mut browser = signed_in(&site, &tenant, ADELE).await;
    let build = |tenant_id: &str, app: &App| {
        let proof = ClientAuthentication::secret(app.secret());
        SignInClient::builder(tenant_id, app.client_id(), proof)
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
        // The same tenant by its domain: nobody vouches that it stays the same.
        at(build(&tenant.domain(), &app)),
        at(build("organizations", &app).any_tenant()),
        at(build(&id, &other_app)),
        build(&id, &app).build().unwrap(),
        build(&id, &app).cloud(Attacker::cloud()).build().unwrap(),
    ] {
        connections.add(other).unwrap();
        assert_eq!(browser.open(&site, "/").await.body, "nobody");
    }
    connections.add(at(build(&id, &app))).unwrap();
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
}

#[tokio::test]
async fn while_the_service_cannot_be_asked_sessions_go_on_for_an_hour() {
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
    // Once a minute, and once only.
    tenant.requests().to("/token").assert_count(60);
    let answer = browser.open(&site, "/").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    tenant.clear_faults();
    tenant.clock().advance(Duration::from_secs(60));
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
    // What the application cannot tell for now ends no session either.
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let down = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&down);
    let gate = move |context: SignInContext| {
        let is_down = flag.load(Ordering::SeqCst);
        async move {
            match is_down {
                true => Err(AccessDenied::unavailable("Our memory is down.")),
                false => by_name(context).await,
            }
        }
    };
    let sign_in = builder(&tenant, &app).authorize(gate).build().unwrap();
    let site = crate::web::site(&sign_in);
    let mut browser = signed_in(&site, &tenant, ADELE).await;
    down.store(true, Ordering::SeqCst);
    tenant.clock().advance(INTERVAL);
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
    let answer = Browser::default()
        .sign_in(&site, &tenant, "/auth/sign-in", OTHER)
        .await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.body.contains("Our memory is down.") && answer.body.contains("Try again"));
}

#[tokio::test]
async fn requests_that_come_at_once_ask_about_a_user_once() {
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
async fn a_session_ends_when_it_is_not_used_and_at_its_limit_in_any_case() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let minute = Duration::from_secs(60);
    for (used_every, idle, lifetime, lasts) in
        [(10, 20, 60, 59), (20, 20, 60, 19), (59, 60, 60, 59)]
    {
        // A store that keeps what it should have dropped.
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
            "nobody",
            "{used_every}"
        );
    }
}

#[tokio::test]
async fn a_clock_that_is_set_by_a_day_and_back_costs_no_session_and_extends_none() {
    let (tenant, _app, site) = shop().await;
    let (now, day) = (tenant.clock().now(), entra_core::time::Duration::DAY);
    let mut browser = signed_in(&site, &tenant, ADELE).await;
    let before = browser.clone();
    for wrong in [now + day, now - day] {
        tenant.clock().set_wall_clock(wrong);
        assert_eq!(browser.open(&site, "/").await.body, "nobody");
        tenant.clock().set_wall_clock(now);
        browser = before.clone();
        assert_eq!(browser.open(&site, "/").await.body, ADELE);
    }
    // A store in memory lets go by what has passed, whatever the wall clock says.
    tenant.clock().advance(Duration::from_secs(8 * 3600));
    tenant.clock().set_wall_clock(now);
    assert_eq!(browser.open(&site, "/").await.body, "nobody");
}

#[tokio::test]
async fn a_session_of_the_future_does_not_count() {
    let (tenant, _app, site) = shop().await;
    let now = tenant.clock().now();
    let day = entra_core::time::Duration::DAY;
    tenant.clock().set_wall_clock(now + day);
    let mut ahead = signed_in(&site, &tenant, ADELE).await;
    tenant.clock().set_wall_clock(now);
    assert_eq!(ahead.open(&site, "/").await.body, "nobody");
    let mut browser = signed_in(&site, &tenant, ADELE).await;
    // Clocks of replicas differ a little.
    tenant
        .clock()
        .set_wall_clock(now - entra_core::time::Duration::MINUTE);
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
}

/// A store in which each write of a session comes just after an end of all of its user.
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
async fn all_sessions_of_a_user_end_at_once_and_stay_ended() {
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
    // An end of nobody, and one that cannot be meant.
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
        assert_eq!(browser.open(&site, "/").await.body, "nobody");
    }
    assert_eq!(other.open(&site, "/").await.body, OTHER);

    // A request or a check that is under way notes its use after the end, and brings nothing back.
    for passed in [Duration::from_secs(120), INTERVAL] {
        let mut browser = signed_in(&site, &tenant, ADELE).await;
        tenant.clock().advance(passed);
        racing.armed.store(true, Ordering::SeqCst);
        assert_eq!(browser.open(&site, "/").await.body, ADELE);
        racing.armed.store(false, Ordering::SeqCst);
        assert_eq!(browser.open(&site, "/").await.body, "nobody");
    }
    racing.table.broken.store(true, Ordering::SeqCst);
    sign_in
        .end_sessions_of(&tenant.id(), oid)
        .await
        .unwrap_err();
}

#[tokio::test]
async fn a_user_whose_tokens_are_gone_signs_in_again_at_the_next_check() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let contoso = client(&tenant, &app, "contoso");
    let sign_in = WebSignIn::builder(urls(), contoso.clone()).authorize(by_name);
    let site = site(&sign_in.clock(tenant.clock()).build().unwrap());
    let mut browser = Browser::default();
    let url = browser.start(&site, "/auth/sign-in").await;
    let back = tenant.sign_in_at(&url, ADELE);
    browser.bring(&site, &back).await;
    let (url, flow) = contoso.start(&Default::default()).unwrap();
    let back = tenant.sign_in_at(url.as_str(), ADELE);
    let session = contoso.finish(flow, back.address()).await.unwrap();
    contoso.sign_out(session.account()).await.unwrap();
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
    tenant.clock().advance(INTERVAL);
    assert_eq!(browser.open(&site, "/").await.body, "nobody");
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
    // While the service responds, the user is checked at once and then by the interval.
    let mut browser = checked_ahead().await;
    for _ in 0..3 {
        assert_eq!(browser.open(&site, "/").await.body, ADELE);
        tenant.requests().to("/token").assert_count(1);
    }
    tenant.clock().advance(INTERVAL);
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
    tenant.requests().to("/token").assert_count(2);
    tenant.clock().set_wall_clock(now);

    // While it does not, it is asked once a minute, and the session goes on for an hour at most.
    let mut browser = checked_ahead().await;
    tenant.inject(Fault::on("/token").status(503));
    for _ in 0..60 {
        for _ in 0..3 {
            assert_eq!(browser.open(&site, "/").await.body, ADELE);
        }
        tenant.clock().advance(Duration::from_secs(60));
    }
    tenant.requests().to("/token").assert_count(60);
    let answer = browser.open(&site, "/").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_request_at_a_clock_that_was_ahead_does_not_extend_the_idle_limit() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    // A store that keeps what it should have dropped.
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
    assert_eq!(browser.open(&site, "/").await.body, "nobody");
}
