//! A callback that the browser submits again while its first request is being processed.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::StatusCode};
use entra_auth::{
    store::{EncryptedStore, EncryptionKey, StoreError, StoreKey, StorePartition},
    user::{ResponseMode, StartOptions},
    web::{AccessDenied, SignInContext, WebSignIn},
};
use entra_mock::{App, FakeTenant, Redirected};
use tokio::{sync::Semaphore, task::JoinHandle};

use crate::{
    web::{ADELE, OTHER, admit_by_user_name, builder, is_error_page, register, site},
    web_browser::{Browser, SiteResponse, path_of},
    web_session::Table,
};

/// A site whose check waits for a permit after the code was redeemed.
struct SiteWithPausedCheck {
    site: Router,
    /// One permit for each check that has begun.
    began: Arc<Semaphore>,
    /// One permit for each check that may end.
    may_end: Arc<Semaphore>,
}

fn site_with_paused_check(
    tenant: &FakeTenant,
    app: &App,
    options: StartOptions,
    admits: bool,
) -> SiteWithPausedCheck {
    let (began, may_end) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (begins, ends) = (Arc::clone(&began), Arc::clone(&may_end));
    let check = move |context: SignInContext| {
        let (begins, ends) = (Arc::clone(&begins), Arc::clone(&ends));
        async move {
            begins.add_permits(1);
            ends.acquire().await.unwrap().forget();
            match admits {
                true => admit_by_user_name(context).await,
                false => Err(AccessDenied::new("This is for the staff only.")),
            }
        }
    };
    let sign_in: WebSignIn = builder(tenant, app)
        .authorize(check)
        .start_options(options)
        .build()
        .unwrap();
    SiteWithPausedCheck {
        site: site(&sign_in),
        began,
        may_end,
    }
}

/// Submits the callback from a copy of the browser, in a task of its own.
fn submit(
    site: &Router,
    browser: &Browser,
    redirected: &Redirected,
) -> JoinHandle<(Browser, SiteResponse)> {
    let (site, mut browser, redirected) = (site.clone(), browser.clone(), redirected.clone());
    tokio::spawn(async move {
        let response = browser.send_callback(&site, &redirected).await;
        (browser, response)
    })
}

fn form_post() -> StartOptions {
    let mut options = StartOptions::default();
    options.response_mode = ResponseMode::FormPost;
    options
}

#[tokio::test]
async fn a_double_submit_waits_for_the_first_request_and_gets_its_session() {
    for options in [StartOptions::default(), form_post()] {
        let tenant = FakeTenant::start().await;
        let app = register(&tenant);
        let paused = site_with_paused_check(&tenant, &app, options, true);
        let mut browser = Browser::default();
        let url = browser
            .start(&paused.site, "/auth/sign-in?return=/mine")
            .await;
        let redirected = tenant.sign_in_at(&url, ADELE);
        let first = submit(&paused.site, &browser, &redirected);
        paused.began.acquire().await.unwrap().forget();
        let others: Vec<_> = (0..3)
            .map(|_| submit(&paused.site, &browser, &redirected))
            .collect();
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert!(others.iter().all(|other| !other.is_finished()));
        paused.may_end.add_permits(1);
        let (first, _) = first.await.unwrap();
        for other in others {
            let (mut other, response) = other.await.unwrap();
            assert_eq!(response.location(), "/mine");
            assert_eq!(other.session(), first.session());
            assert_eq!(
                other.cookies.len(),
                1,
                "the cookie of the sign-in is removed"
            );
            assert_eq!(other.open(&paused.site, "/mine").await.body, ADELE);
        }
        assert_eq!(paused.began.available_permits(), 0, "it is checked once");
        tenant.requests().to("/token").assert_count(1);
        // After that the callback is used, also for a browser that still has the cookie.
        let response = browser.send_callback(&paused.site, &redirected).await;
        if response.status != StatusCode::SEE_OTHER {
            is_error_page(&response, StatusCode::BAD_REQUEST, "Try again");
        }
        assert!(browser.session().is_none());
        tenant.requests().to("/token").assert_count(1);
    }
}

#[tokio::test]
async fn a_second_request_gets_the_session_of_a_first_one_whose_connection_was_closed() {
    for second_comes_early in [true, false] {
        let tenant = FakeTenant::start().await;
        let app = register(&tenant);
        let paused = site_with_paused_check(&tenant, &app, StartOptions::default(), true);
        let mut browser = Browser::default();
        let url = browser
            .start(&paused.site, "/auth/sign-in?return=/mine")
            .await;
        let redirected = tenant.sign_in_at(&url, ADELE);
        let first = submit(&paused.site, &browser, &redirected);
        paused.began.acquire().await.unwrap().forget();
        // A server drops the request of a closed connection.
        first.abort();
        assert!(first.await.is_err_and(|error| error.is_cancelled()));
        let mut second = None;
        if second_comes_early {
            second = Some(submit(&paused.site, &browser, &redirected));
            tokio::task::yield_now().await;
        }
        paused.may_end.add_permits(1);
        let second = second.unwrap_or_else(|| submit(&paused.site, &browser, &redirected));
        let (mut second, response) = second.await.unwrap();
        assert_eq!(response.location(), "/mine");
        assert_eq!(second.open(&paused.site, "/mine").await.body, ADELE);
        tenant.requests().to("/token").assert_count(1);
    }
}

#[tokio::test]
async fn a_double_submit_of_a_rejected_sign_in_gets_the_same_page() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let paused = site_with_paused_check(&tenant, &app, StartOptions::default(), false);
    let mut browser = Browser::default();
    let url = browser.start(&paused.site, "/auth/sign-in").await;
    let redirected = tenant.sign_in_at(&url, ADELE);
    let first = submit(&paused.site, &browser, &redirected);
    paused.began.acquire().await.unwrap().forget();
    let second = submit(&paused.site, &browser, &redirected);
    tokio::task::yield_now().await;
    paused.may_end.add_permits(1);
    for request in [first, second] {
        let (browser, response) = request.await.unwrap();
        is_error_page(&response, StatusCode::FORBIDDEN, "for the staff only");
        assert!(browser.cookies.is_empty());
    }
    tenant.requests().to("/token").assert_count(1);
}

#[tokio::test]
async fn only_the_same_callback_of_the_same_browser_gets_the_session() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let paused = site_with_paused_check(&tenant, &app, StartOptions::default(), true);
    let mut browser = Browser::default();
    let url = browser.start(&paused.site, "/auth/sign-in").await;
    let redirected = tenant.sign_in_at(&url, ADELE);
    let first = submit(&paused.site, &browser, &redirected);
    paused.began.acquire().await.unwrap().forget();
    // Another browser that knows the URL of the callback.
    let other_browser = submit(&paused.site, &Browser::default(), &redirected);
    let (other_browser, response) = other_browser.await.unwrap();
    is_error_page(&response, StatusCode::BAD_REQUEST, "Try again");
    assert!(other_browser.session().is_none());
    // The same browser with another code, or at another path.
    let path = path_of(redirected.address());
    let code = redirected.parameter("code").unwrap();
    for other in [
        path.replace(&code, "another-code"),
        path.replace("/auth/callback", "/auth/callback/contoso"),
    ] {
        assert_ne!(other, path);
        let response = browser.clone().open(&paused.site, &other).await;
        is_error_page(&response, StatusCode::BAD_REQUEST, "For your administrator");
    }
    paused.may_end.add_permits(1);
    let (_, response) = first.await.unwrap();
    assert_eq!(response.location(), "/");
    tenant.requests().to("/token").assert_count(1);
}

#[tokio::test]
async fn a_code_that_another_replica_has_redeemed_restarts_the_sign_in_once() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let table = Arc::new(Table::default());
    let replica = || {
        let key = EncryptionKey::new([1; 32]);
        let sign_in = builder(&tenant, &app).store(Arc::clone(&table), [key]);
        site(&sign_in.build().unwrap())
    };
    let (one, two, three) = (replica(), replica(), replica());
    let mut browser = Browser::default();
    let url = browser.start(&one, "/auth/sign-in?return=/mine").await;
    let redirected = tenant.sign_in_at(&url, ADELE);
    let mut double = browser.clone();
    assert_eq!(
        browser.send_callback(&one, &redirected).await.location(),
        "/mine"
    );
    // The second submit has no session yet, so the browser is sent to Entra, which knows the user.
    let again = double.send_callback(&two, &redirected).await;
    assert!(again.location().starts_with(&tenant.uri()));
    let redirected = tenant.sign_in_at(again.location(), ADELE);
    let mut third = double.clone();
    assert_eq!(
        double.send_callback(&two, &redirected).await.location(),
        "/mine"
    );
    assert_eq!(double.open(&one, "/mine").await.body, ADELE);
    // It is restarted only once.
    let rejected = third.send_callback(&three, &redirected).await;
    is_error_page(&rejected, StatusCode::BAD_REQUEST, "Try again");
}

/// A store that can be set to remove nothing.
#[derive(Debug, Default)]
struct Unremovable {
    table: Table,
    fails: AtomicBool,
    attempts: Mutex<u32>,
}

impl Unremovable {
    fn check(&self) -> Result<(), StoreError> {
        match self.fails.load(Ordering::SeqCst) {
            true => {
                *self.attempts.lock().unwrap() += 1;
                Err(StoreError::unavailable("the store cannot be written"))
            }
            false => Ok(()),
        }
    }
}

#[async_trait::async_trait]
impl EncryptedStore for Unremovable {
    async fn load(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.table.load(key).await
    }
    async fn save(&self, key: &StoreKey, entry: &[u8], keep: Duration) -> Result<(), StoreError> {
        self.table.save(key, entry, keep).await
    }
    async fn remove(&self, key: &StoreKey) -> Result<(), StoreError> {
        self.check()?;
        self.table.remove(key).await
    }
    async fn remove_partition(&self, partition: &StorePartition) -> Result<(), StoreError> {
        self.check()?;
        self.table.remove_partition(partition).await
    }
}

#[tokio::test]
async fn an_account_switch_fails_if_the_earlier_session_cannot_be_ended() {
    for options in [StartOptions::default(), form_post()] {
        let tenant = FakeTenant::start().await;
        let app = register(&tenant);
        let store = Arc::new(Unremovable::default());
        let sign_in = builder(&tenant, &app)
            .store(Arc::clone(&store), [EncryptionKey::new([1; 32])])
            .start_options(options);
        let site = site(&sign_in.build().unwrap());
        let mut browser = Browser::default();
        browser
            .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
            .await;
        let before = browser.clone();
        let entries = store.table.entries.lock().unwrap().clone();
        store.fails.store(true, Ordering::SeqCst);
        let response = browser
            .sign_in(&site, &tenant, "/auth/sign-in?return=/mine", OTHER)
            .await;
        is_error_page(
            &response,
            StatusCode::SERVICE_UNAVAILABLE,
            "earlier session",
        );
        assert!(
            response
                .body
                .contains("href=\"/auth/sign-in/contoso?return=%2Fmine\">Try again"),
            "{}",
            response.body
        );
        assert!(*store.attempts.lock().unwrap() > 0);
        // No session of the other user has begun: the browser still has the earlier one.
        assert!(*store.table.entries.lock().unwrap() == entries);
        assert_eq!(browser.session(), before.session());
        assert_eq!(browser.open(&site, "/").await.body, ADELE);
        store.fails.store(false, Ordering::SeqCst);
        browser
            .sign_in(&site, &tenant, "/auth/sign-in", OTHER)
            .await;
        assert_eq!(browser.open(&site, "/").await.body, OTHER);
        assert_eq!(before.clone().open(&site, "/").await.body, "not signed in");
    }
}
