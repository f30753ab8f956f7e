//! Sign-outs while a store is down, and what a session at Entra takes along when it ends.

use std::sync::{Arc, Mutex, atomic::Ordering};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use entra_auth::{
    SignInClient, TokenCache,
    store::EncryptionKey,
    user::{Account, ClientAuthentication},
    web::{AccessDenied, SignInContext, WebSignIn},
};
use entra_mock::{App, FakeTenant};

use crate::{
    web::{ADELE, OTHER, by_name, register, site, urls},
    web_browser::{Answer, Browser, call},
    web_session::Table,
};

struct Shop {
    tenant: FakeTenant,
    _app: App,
    sessions: Arc<Table>,
    tokens: Arc<Table>,
    contoso: SignInClient,
    site: Router,
    /// Issuer, session at Entra and account of each sign-in.
    came: Arc<Mutex<Vec<(String, String, Account)>>>,
}

impl Shop {
    async fn open() -> Self {
        let tenant = FakeTenant::start().await;
        let app = register(&tenant);
        let (sessions, tokens) = (Arc::new(Table::default()), Arc::new(Table::default()));
        let key = || EncryptionKey::new([1; 32]);
        let cache = TokenCache::builder()
            .store(Arc::clone(&tokens))
            .encryption_key(key())
            .build();
        let proof = ClientAuthentication::secret(app.secret());
        let contoso = SignInClient::builder(tenant.id(), app.client_id(), proof)
            .name("contoso")
            .redirect_uri(urls().callback())
            .scopes(["User.Read"])
            .cloud(tenant.cloud())
            .clock(tenant.clock())
            .cache(&cache)
            .build()
            .unwrap();
        let came = Arc::new(Mutex::new(Vec::new()));
        let note = Arc::clone(&came);
        let gate = move |context: SignInContext| {
            let identity = context.signed_in.identity();
            let sid = identity.sid.clone().unwrap_or_default();
            let account = context.signed_in.account().clone();
            note.lock()
                .unwrap()
                .push((identity.issuer.clone(), sid, account));
            async move { by_name(context).await.map_err(|_| AccessDenied::new("")) }
        };
        let sign_in = WebSignIn::builder(urls(), contoso.clone())
            .authorize(gate)
            .store(Arc::clone(&sessions), [key()])
            .clock(tenant.clock());
        let site = site(&sign_in.build().unwrap());
        Self {
            tenant,
            _app: app,
            sessions,
            tokens,
            contoso,
            site,
            came,
        }
    }

    async fn signed_in(&self, name: &str) -> Browser {
        let mut browser = Browser::default();
        let answer = browser
            .sign_in(&self.site, &self.tenant, "/auth/sign-in", name)
            .await;
        assert_eq!(answer.location(), "/");
        browser
    }

    fn came(&self, number: usize) -> (String, String, Account) {
        self.came.lock().unwrap()[number].clone()
    }

    async fn has_tokens(&self, number: usize) -> bool {
        self.contoso.resume(&self.came(number).2).await.is_some()
    }

    async fn front_channel(&self, number: usize) -> StatusCode {
        let (issuer, sid, _) = self.came(number);
        let path = format!("/auth/front-channel-sign-out?iss={issuer}&sid={sid}");
        let request = Request::get(path).header("sec-fetch-dest", "iframe");
        call(&self.site, request.body(Body::empty()).unwrap())
            .await
            .status
    }
}

fn broken(table: &Table, is: bool) {
    table.broken.store(is, Ordering::SeqCst);
}

fn says_that_it_failed(answer: &Answer) {
    assert_eq!(
        answer.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        answer.body
    );
    assert!(
        answer.body.contains("You are not signed out completely"),
        "{}",
        answer.body
    );
    assert!(
        !answer.body.contains("You are signed out"),
        "{}",
        answer.body
    );
    // Else the form could not be told from another site's.
    assert_eq!(answer.header("referrer-policy"), "same-origin");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_sign_out_that_the_store_does_not_take_says_so_and_ends_the_session_at_entra() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    let stolen = browser.clone();
    broken(&shop.sessions, true);
    let answer = browser.post(&shop.site, "/auth/sign-out", "", false).await;
    says_that_it_failed(&answer);
    let logout = format!(
        "{}/{}/oauth2/v2.0/logout?",
        shop.tenant.uri(),
        shop.tenant.id()
    );
    assert!(
        answer.body.contains(&format!("href=\"{logout}")),
        "{}",
        answer.body
    );
    assert!(
        answer
            .body
            .contains("<form method=\"post\" action=\"/auth/sign-out\"")
    );
    let refresh = answer.header("refresh").to_owned();
    assert!(
        refresh.starts_with(&format!("10; url={logout}")),
        "{refresh}"
    );
    assert!(browser.session().is_none(), "this browser has forgotten it");

    // Back from Entra, the page tells the truth as long as the store is down, then ends it.
    let answer = browser.open(&shop.site, "/auth/signed-out").await;
    says_that_it_failed(&answer);
    broken(&shop.sessions, false);
    assert_eq!(stolen.clone().open(&shop.site, "/").await.body, ADELE);
    let answer = browser.open(&shop.site, "/auth/signed-out").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(
        answer.body.contains("You are signed out"),
        "{}",
        answer.body
    );
    assert_eq!(stolen.clone().open(&shop.site, "/").await.body, "nobody");
    assert!(!shop.has_tokens(0).await);
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies.keys());
}

#[tokio::test]
async fn the_page_of_a_sign_out_does_not_claim_one_that_there_was_not() {
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
async fn trying_again_ends_what_is_left_and_a_session_begun_since() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    let first = browser.clone();
    broken(&shop.sessions, true);
    says_that_it_failed(&browser.post(&shop.site, "/auth/sign-out", "", false).await);
    broken(&shop.sessions, false);
    browser
        .sign_in(&shop.site, &shop.tenant, "/auth/sign-in", OTHER)
        .await;
    let second = browser.clone();
    let answer = browser.post(&shop.site, "/auth/sign-out", "", false).await;
    assert!(answer.location().contains("/logout?"));
    for old in [first, second] {
        assert_eq!(old.clone().open(&shop.site, "/").await.body, "nobody");
    }
    assert!(!shop.has_tokens(0).await && !shop.has_tokens(1).await);
    // What is left is good in this browser only: a post of another site does nothing.
    let forced = browser.post(&shop.site, "/auth/sign-out", "", true).await;
    assert_eq!(forced.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn tokens_that_the_store_does_not_give_up_are_a_sign_out_that_failed() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    let stolen = browser.clone();
    broken(&shop.tokens, true);
    says_that_it_failed(&browser.post(&shop.site, "/auth/sign-out", "", false).await);
    assert_eq!(stolen.clone().open(&shop.site, "/").await.body, "nobody");
    broken(&shop.tokens, false);
    assert!(!shop.tokens.entries.lock().unwrap().is_empty());
    let answer = browser.post(&shop.site, "/auth/sign-out", "", false).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(shop.tokens.entries.lock().unwrap().is_empty());
    assert!(!shop.has_tokens(0).await);
}

#[tokio::test]
async fn a_session_that_ends_at_entra_takes_its_tokens_along_and_no_others() {
    let shop = Shop::open().await;
    let mut adele = shop.signed_in(ADELE).await;
    let mut other = shop.signed_in(OTHER).await;
    assert!(shop.has_tokens(0).await && shop.has_tokens(1).await);
    assert_eq!(shop.front_channel(0).await, StatusCode::OK);
    assert_eq!(adele.open(&shop.site, "/").await.body, "nobody");
    assert!(!shop.has_tokens(0).await);
    assert_eq!(other.open(&shop.site, "/").await.body, OTHER);
    assert!(shop.has_tokens(1).await);
    // Twice is no error, and a session of before stays ended when its user signs in again.
    assert_eq!(shop.front_channel(0).await, StatusCode::OK);
    let old = adele.clone();
    let mut again = shop.signed_in(ADELE).await;
    assert_eq!(again.open(&shop.site, "/").await.body, ADELE);
    assert_eq!(old.clone().open(&shop.site, "/").await.body, "nobody");
}

#[tokio::test]
async fn a_sign_out_elsewhere_that_a_store_does_not_take_fails_aloud() {
    let shop = Shop::open().await;
    let mut browser = shop.signed_in(ADELE).await;
    broken(&shop.sessions, true);
    assert_eq!(shop.front_channel(0).await, StatusCode::SERVICE_UNAVAILABLE);
    broken(&shop.sessions, false);
    assert_eq!(browser.open(&shop.site, "/").await.body, ADELE);
    broken(&shop.tokens, true);
    assert_eq!(shop.front_channel(0).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(browser.open(&shop.site, "/").await.body, "nobody");
    // The same by the browser's own cookie, where the frame names no session.
    let browser = shop.signed_in(OTHER).await;
    broken(&shop.sessions, true);
    let request = Request::get("/auth/front-channel-sign-out")
        .header("cookie", browser.session_pair())
        .header("sec-fetch-dest", "iframe");
    let answer = call(&shop.site, request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}
