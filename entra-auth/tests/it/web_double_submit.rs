//! A callback that the browser submits a second time while its first request is being processed.

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
    web::{ADELE, OTHER, builder, by_name, is_refused, register, site},
    web_browser::{Answer, Browser, path_of},
    web_session::Table,
};

/// A site whose check of the application waits until it is told to go on, after the code was redeemed.
struct Gated {
    site: Router,
    /// One permit for each check that has begun.
    began: Arc<Semaphore>,
    /// One permit for each check that may end.
    may_end: Arc<Semaphore>,
}

fn gated(tenant: &FakeTenant, app: &App, options: StartOptions, admits: bool) -> Gated {
    let (began, may_end) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (begins, ends) = (Arc::clone(&began), Arc::clone(&may_end));
    let check = move |context: SignInContext| {
        let (begins, ends) = (Arc::clone(&begins), Arc::clone(&ends));
        async move {
            begins.add_permits(1);
            ends.acquire().await.unwrap().forget();
            match admits {
                true => by_name(context).await,
                false => Err(AccessDenied::new("This is for the staff only.")),
            }
        }
    };
    let sign_in: WebSignIn = builder(tenant, app)
        .authorize(check)
        .start_options(options)
        .build()
        .unwrap();
    Gated {
        site: site(&sign_in),
        began,
        may_end,
    }
}

/// Submits the callback from a copy of the browser, in a task of its own.
fn submit(site: &Router, browser: &Browser, back: &Redirected) -> JoinHandle<(Browser, Answer)> {
    let (site, mut browser, back) = (site.clone(), browser.clone(), back.clone());
    tokio::spawn(async move {
        let answer = browser.bring(&site, &back).await;
        (browser, answer)
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
        let gated = gated(&tenant, &app, options, true);
        let mut browser = Browser::default();
        let url = browser
            .start(&gated.site, "/auth/sign-in?return=/mine")
            .await;
        let back = tenant.sign_in_at(&url, ADELE);
        let first = submit(&gated.site, &browser, &back);
        gated.began.acquire().await.unwrap().forget();
        let others: Vec<_> = (0..3)
            .map(|_| submit(&gated.site, &browser, &back))
            .collect();
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert!(others.iter().all(|other| !other.is_finished()));
        gated.may_end.add_permits(1);
        let (first, _) = first.await.unwrap();
        for other in others {
            let (mut other, answer) = other.await.unwrap();
            assert_eq!(answer.location(), "/mine");
            assert_eq!(other.session(), first.session());
            assert_eq!(
                other.cookies.len(),
                1,
                "the cookie of the sign-in is removed"
            );
            assert_eq!(other.open(&gated.site, "/mine").await.body, ADELE);
        }
        assert_eq!(gated.began.available_permits(), 0, "it is checked once");
        tenant.requests().to("/token").assert_count(1);
        // After that the callback is used, also for a browser that keeps its cookie.
        let answer = browser.bring(&gated.site, &back).await;
        if answer.status != StatusCode::SEE_OTHER {
            is_refused(&answer, StatusCode::BAD_REQUEST, "Try again");
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
        let gated = gated(&tenant, &app, StartOptions::default(), true);
        let mut browser = Browser::default();
        let url = browser
            .start(&gated.site, "/auth/sign-in?return=/mine")
            .await;
        let back = tenant.sign_in_at(&url, ADELE);
        let first = submit(&gated.site, &browser, &back);
        gated.began.acquire().await.unwrap().forget();
        // As a server drops what it does for a connection that is closed.
        first.abort();
        assert!(first.await.is_err_and(|error| error.is_cancelled()));
        let mut second = None;
        if second_comes_early {
            second = Some(submit(&gated.site, &browser, &back));
            tokio::task::yield_now().await;
        }
        gated.may_end.add_permits(1);
        let second = second.unwrap_or_else(|| submit(&gated.site, &browser, &back));
        let (mut second, answer) = second.await.unwrap();
        assert_eq!(answer.location(), "/mine");
        assert_eq!(second.open(&gated.site, "/mine").await.body, ADELE);
        tenant.requests().to("/token").assert_count(1);
    }
}

#[tokio::test]
async fn a_double_submit_of_a_rejected_sign_in_gets_the_same_page() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let gated = gated(&tenant, &app, StartOptions::default(), false);
    let mut browser = Browser::default();
    let url = browser.start(&gated.site, "/auth/sign-in").await;
    let back = tenant.sign_in_at(&url, ADELE);
    let first = submit(&gated.site, &browser, &back);
    gated.began.acquire().await.unwrap().forget();
    let second = submit(&gated.site, &browser, &back);
    tokio::task::yield_now().await;
    gated.may_end.add_permits(1);
    for request in [first, second] {
        let (browser, answer) = request.await.unwrap();
        is_refused(&answer, StatusCode::FORBIDDEN, "for the staff only");
        assert!(browser.cookies.is_empty());
    }
    tenant.requests().to("/token").assert_count(1);
}

#[tokio::test]
async fn only_the_same_callback_of_the_same_browser_gets_the_session() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let gated = gated(&tenant, &app, StartOptions::default(), true);
    let mut browser = Browser::default();
    let url = browser.start(&gated.site, "/auth/sign-in").await;
    let back = tenant.sign_in_at(&url, ADELE);
    let first = submit(&gated.site, &browser, &back);
    gated.began.acquire().await.unwrap().forget();
    // Another browser that knows the address of the callback.
    let stranger = submit(&gated.site, &Browser::default(), &back);
    let (stranger, answer) = stranger.await.unwrap();
    is_refused(&answer, StatusCode::BAD_REQUEST, "Try again");
    assert!(stranger.session().is_none());
    // The same browser with another code, or at another path.
    let path = path_of(back.address());
    let code = back.parameter("code").unwrap();
    for other in [
        path.replace(&code, "another-code"),
        path.replace("/auth/callback", "/auth/callback/contoso"),
    ] {
        assert_ne!(other, path);
        let answer = browser.clone().open(&gated.site, &other).await;
        is_refused(&answer, StatusCode::BAD_REQUEST, "For your administrator");
    }
    gated.may_end.add_permits(1);
    let (_, answer) = first.await.unwrap();
    assert_eq!(answer.location(), "/");
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
    let back = tenant.sign_in_at(&url, ADELE);
    let mut double = browser.clone();
    assert_eq!(browser.bring(&one, &back).await.location(), "/mine");
    // The second submit has no session yet, so the browser is sent to Entra, which knows the user.
    let again = double.bring(&two, &back).await;
    assert!(again.location().starts_with(&tenant.uri()));
    let back = tenant.sign_in_at(again.location(), ADELE);
    let mut third = double.clone();
    assert_eq!(double.bring(&two, &back).await.location(), "/mine");
    assert_eq!(double.open(&one, "/mine").await.body, ADELE);
    // Not in circles.
    let rejected = third.bring(&three, &back).await;
    is_refused(&rejected, StatusCode::BAD_REQUEST, "Try again");
}

/// A store that removes nothing while it is told so.
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
        let answer = browser
            .sign_in(&site, &tenant, "/auth/sign-in?return=/mine", OTHER)
            .await;
        is_refused(&answer, StatusCode::SERVICE_UNAVAILABLE, "earlier session");
        assert!(
            answer
                .body
                .contains("href=\"/auth/sign-in/contoso?return=%2Fmine\">Try again"),
            "{}",
            answer.body
        );
        assert!(*store.attempts.lock().unwrap() > 0);
        // No session of the other user began: the browser still shows the one that it holds.
        assert!(*store.table.entries.lock().unwrap() == entries);
        assert_eq!(browser.session(), before.session());
        assert_eq!(browser.open(&site, "/").await.body, ADELE);
        store.fails.store(false, Ordering::SeqCst);
        browser
            .sign_in(&site, &tenant, "/auth/sign-in", OTHER)
            .await;
        assert_eq!(browser.open(&site, "/").await.body, OTHER);
        assert_eq!(before.clone().open(&site, "/").await.body, "nobody");
    }
}
