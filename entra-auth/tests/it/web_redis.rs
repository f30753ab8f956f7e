//! Web sessions in a Redis server that is killed, hangs and comes back: no user is signed out by it.

use std::time::{Duration, Instant};

use axum::{Router, http::StatusCode};
use entra_auth::{SignInClient, store::EncryptionKey, user::ClientAuthentication, web::WebSignIn};
use entra_mock::{App, FakeTenant};

use crate::{
    redis_server::Server,
    web::{ADELE, OTHER, admit_by_user_name, register, site, urls},
    web_browser::Browser,
};

const INTERVAL: Duration = Duration::from_secs(15 * 60);
const MINUTE: Duration = Duration::from_secs(60);

/// One site whose replicas have their sessions and tokens in Redis.
struct Shop {
    tenant: FakeTenant,
    app: App,
}

impl Shop {
    async fn new() -> Self {
        let tenant = FakeTenant::start().await;
        let app = register(&tenant);
        Self { tenant, app }
    }

    /// A replica that has just started.
    fn replica(&self, sessions: &Server, tokens: &Server) -> Router {
        let authentication = ClientAuthentication::secret(self.app.secret());
        let client = SignInClient::builder(self.tenant.id(), self.app.client_id(), authentication)
            .name("contoso")
            .redirect_uri(urls().callback())
            .scopes(["User.Read"])
            .cloud(self.tenant.cloud())
            .clock(self.tenant.clock())
            .cache(&tokens.cache())
            .build()
            .unwrap();
        let sign_in = WebSignIn::builder(urls(), client)
            .authorize(admit_by_user_name)
            .store(sessions.store(), [EncryptionKey::new([5; 32])])
            .clock(self.tenant.clock());
        site(&sign_in.build().unwrap())
    }

    async fn signed_in(&self, replica: &Router, name: &str) -> Browser {
        let mut browser = Browser::default();
        let response = browser
            .sign_in(replica, &self.tenant, "/auth/sign-in", name)
            .await;
        assert_eq!(response.location(), "/", "{}", response.body);
        browser
    }
}

/// The page while the sessions cannot be read: 503, which keeps the cookie.
async fn is_unavailable(browser: &mut Browser, replica: &Router) {
    for path in ["/", "/mine"] {
        let page = browser.open(replica, path).await;
        assert_eq!(
            page.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{}",
            page.body
        );
        assert!(browser.session().is_some());
    }
}

/// Opens the page until the server is used again. Until then it is 503, and never that of another user or of
/// none.
async fn is_signed_in_soon(browser: &mut Browser, replica: &Router, name: &str) {
    loop {
        let page = browser.open(replica, "/").await;
        if page.status == StatusCode::OK {
            assert_eq!(page.body, name);
            return;
        }
        assert_eq!(
            page.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{}",
            page.body
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn killed_and_restarted_redis_ends_no_session() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let shop = Shop::new().await;
    let (one, two) = (
        shop.replica(&server, &server),
        shop.replica(&server, &server),
    );
    let mut adele = shop.signed_in(&one, ADELE).await;
    let mut clara = shop.signed_in(&two, OTHER).await;
    server.kill();
    for replica in [&one, &two] {
        is_unavailable(&mut adele, replica).await;
        is_unavailable(&mut clara, replica).await;
    }
    // A check is due in the meantime.
    shop.tenant.clock().advance(INTERVAL);
    is_unavailable(&mut adele, &one).await;
    let response = Browser::default()
        .sign_in(&one, &shop.tenant, "/auth/sign-in", ADELE)
        .await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);

    server.restart().await;
    let started = shop.replica(&server, &server);
    for replica in [&one, &two, &started] {
        is_signed_in_soon(&mut adele, replica, ADELE).await;
        is_signed_in_soon(&mut clara, replica, OTHER).await;
    }
}

#[tokio::test]
async fn hanging_redis_ends_no_session() {
    let Some(server) = Server::start().await else {
        return;
    };
    let shop = Shop::new().await;
    let (one, two) = (
        shop.replica(&server, &server),
        shop.replica(&server, &server),
    );
    let mut adele = shop.signed_in(&one, ADELE).await;
    server.signal("-STOP");
    for replica in [&one, &two] {
        is_unavailable(&mut adele, replica).await;
    }
    server.signal("-CONT");
    for replica in [&one, &two] {
        is_signed_in_soon(&mut adele, replica, ADELE).await;
    }
}

#[tokio::test]
async fn hanging_redis_costs_one_wait_of_a_session_look_up() {
    let Some(server) = Server::start().await else {
        return;
    };
    let shop = Shop::new().await;
    let connected = shop.replica(&server, &server);
    let mut adele = shop.signed_in(&connected, ADELE).await;
    let started = shop.replica(&server, &server);
    server.signal("-STOP");
    for replica in [&connected, &started] {
        let mut times = Vec::new();
        for _ in 0..4 {
            let begin = Instant::now();
            let page = adele.open(replica, "/mine").await;
            assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
            times.push(begin.elapsed());
        }
        assert!(times[0] < Duration::from_secs(3), "{times:?}");
        let others: Duration = times[1..].iter().sum();
        assert!(others < Duration::from_secs(1), "{times:?}");
    }
    server.signal("-CONT");
    for replica in [&connected, &started] {
        is_signed_in_soon(&mut adele, replica, ADELE).await;
    }
}

#[tokio::test]
async fn killed_or_hanging_redis_of_the_tokens_ends_no_session_at_a_check() {
    let (Some(sessions), Some(mut tokens)) = (Server::start().await, Server::start().await) else {
        return;
    };
    let shop = Shop::new().await;
    let one = shop.replica(&sessions, &tokens);
    let mut adele = shop.signed_in(&one, ADELE).await;
    for hangs in [true, false] {
        shop.tenant.clock().advance(INTERVAL);
        match hangs {
            true => tokens.signal("-STOP"),
            false => tokens.kill(),
        }
        // It has no tokens in memory, so that nothing can be checked.
        let started = shop.replica(&sessions, &tokens);
        let page = adele.open(&started, "/").await;
        assert_eq!((page.status, &*page.body), (StatusCode::OK, ADELE));
        match hangs {
            true => tokens.signal("-CONT"),
            false => tokens.restart().await,
        }
        shop.tenant.clock().advance(MINUTE * 2);
        let started = shop.replica(&sessions, &tokens);
        is_signed_in_soon(&mut adele, &started, ADELE).await;
        is_signed_in_soon(&mut adele, &one, ADELE).await;
    }
}

#[tokio::test]
async fn sign_out_while_redis_is_killed_is_finished_after_its_restart() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let shop = Shop::new().await;
    let one = shop.replica(&server, &server);
    let mut adele = shop.signed_in(&one, ADELE).await;
    let mut copied = adele.clone();
    server.kill();
    let page = adele.post(&one, "/auth/sign-out", "", false).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.body.contains("You are not signed out completely"));
    server.restart().await;
    is_signed_in_soon(&mut copied, &one, ADELE).await;
    // The store of the tokens may be skipped a little longer.
    let page = loop {
        let page = adele.open(&one, "/auth/signed-out").await;
        if page.status != StatusCode::SERVICE_UNAVAILABLE {
            break page;
        }
        assert!(page.body.contains("You are not signed out completely"));
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(page.body.contains("You are signed out"), "{}", page.body);
    assert_eq!(copied.open(&one, "/").await.body, "not signed in");
}
