//! The cookies of a site: many tabs, other sites on the host, repeated callbacks.

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use entra_auth::{
    sign_in::SignInError,
    user::{ResponseMode, StartOptions},
    web::{AccessDenied, RouteUrls, SignInContext, WebSignIn},
};
use entra_core::{MembershipError, MembershipErrorKind, ObjectId};
use entra_mock::{FakeTenant, Redirected};

use crate::{
    web::{ADELE, admit_by_user_name, builder, client, is_error_page, register, shop, site, urls},
    web_browser::{Browser, SITE, call, path_of},
};

fn form_post() -> StartOptions {
    let mut options = StartOptions::default();
    options.response_mode = ResponseMode::FormPost;
    options
}

#[tokio::test]
async fn ten_tabs_can_sign_in_at_the_same_time() {
    let (tenant, _app, site) = shop().await;
    let mut browser = Browser::default();
    let mut tabs = Vec::new();
    for number in 0..10 {
        let path = format!("/auth/sign-in?return=/tab/{number}");
        tabs.push(browser.start(&site, &path).await);
        tenant.clock().advance(std::time::Duration::from_secs(5));
    }
    for (number, url) in tabs.iter().enumerate() {
        let redirected = tenant.sign_in_at(url, ADELE);
        let response = browser.send_callback(&site, &redirected).await;
        assert_eq!(response.location(), format!("/tab/{number}"));
    }
}

#[tokio::test]
async fn of_a_hundred_tabs_only_the_oldest_sign_ins_are_removed() {
    let (tenant, _app, site) = shop().await;
    let mut browser = Browser::default();
    let mut tabs = Vec::new();
    for number in 0..100 {
        let path = format!("/auth/sign-in?return=/tab/{number}");
        tabs.push(browser.start(&site, &path).await);
        tenant.clock().advance(std::time::Duration::from_secs(5));
        let header: usize = browser
            .cookies
            .iter()
            .map(|(name, cookie)| name.len() + cookie.0.len() + 3)
            .sum();
        assert!(header < 8 * 1024, "{header} bytes after tab {number}");
    }
    let stored_cookie = browser.cookies.len();
    assert!(stored_cookie >= 10, "{stored_cookie}");
    for (number, url) in tabs.iter().enumerate().skip(100 - stored_cookie) {
        let redirected = tenant.sign_in_at(url, ADELE);
        let response = browser.send_callback(&site, &redirected).await;
        assert_eq!(response.location(), format!("/tab/{number}"));
    }
}

#[tokio::test]
async fn a_repeated_callback_redirects_to_the_return_path_while_the_session_is_valid() {
    for options in [StartOptions::default(), form_post()] {
        let tenant = FakeTenant::start().await;
        let app = register(&tenant);
        let sign_in = builder(&tenant, &app).start_options(options);
        let site = site(&sign_in.build().unwrap());
        let mut browser = Browser::default();
        let url = browser.start(&site, "/auth/sign-in?return=/mine").await;
        let redirected = tenant.sign_in_at(&url, ADELE);
        let before = browser.clone();
        assert_eq!(
            browser.send_callback(&site, &redirected).await.location(),
            "/mine"
        );
        tenant.requests().to("/token").assert_count(1);

        // The back button or a reload, and a second submit that still has the cookie of the sign-in.
        let mut double = browser.clone();
        double.cookies.extend(before.cookies.clone());
        for again in [&mut browser.clone(), &mut double] {
            assert_eq!(follow(again, &site, &redirected).await, "/mine");
            assert_eq!(again.open(&site, "/mine").await.body, ADELE);
        }
        tenant.requests().to("/token").assert_count(1);
        // Without a session it gets the error page.
        let mut other_browser = Browser::default();
        let outcome = other_browser.send_callback(&site, &redirected).await;
        let outcome = match outcome.status {
            StatusCode::SEE_OTHER => other_browser.open(&site, outcome.location()).await,
            _ => outcome,
        };
        is_error_page(&outcome, StatusCode::BAD_REQUEST, "Try again");
        // The same after the session has ended.
        browser.post(&site, "/auth/sign-out", "", false).await;
        let outcome = browser.send_callback(&site, &redirected).await;
        let outcome = match outcome.status {
            StatusCode::SEE_OTHER => browser.open(&site, outcome.location()).await,
            _ => outcome,
        };
        is_error_page(&outcome, StatusCode::BAD_REQUEST, "Try again");
    }
}

/// Sends a callback and follows its redirects as long as they lead to a callback.
async fn follow(browser: &mut Browser, site: &Router, redirected: &Redirected) -> String {
    let mut to = browser
        .send_callback(site, redirected)
        .await
        .location()
        .to_owned();
    for _ in 0..3 {
        if !to.starts_with("/auth/callback") {
            break;
        }
        to = browser.open(site, &to).await.location().to_owned();
    }
    to
}

#[tokio::test]
async fn a_return_path_that_is_a_callback_causes_no_redirect_loop() {
    let (tenant, _app, site) = shop().await;
    for redirected in [
        "/auth/callback",
        "/auth/callback/contoso",
        "/auth/callback?state=x",
    ] {
        let redirected: String =
            entra_core::url::form_urlencoded::byte_serialize(redirected.as_bytes()).collect();
        let mut browser = Browser::default();
        let path = format!("/auth/sign-in?return={redirected}");
        let response = browser.sign_in(&site, &tenant, &path, ADELE).await;
        assert_eq!(response.location(), "/", "{redirected}");
        assert_eq!(browser.open(&site, "/auth/callback").await.location(), "/");
    }
}

#[tokio::test]
async fn two_sites_on_one_host_have_separate_sessions() {
    let tenant = FakeTenant::start().await;
    let other = RouteUrls::at(&format!("{SITE}/other")).unwrap();
    let app = register(&tenant).redirect_uri(&other.callback());
    let sign_in = builder(&tenant, &app).build().unwrap();
    let one = site(&sign_in);
    let table = std::sync::Arc::new(crate::web_session::Table::default());
    let at = |urls: &RouteUrls| {
        let credential = entra_auth::user::ClientAuthentication::secret(app.secret());
        let client = entra_auth::SignInClient::builder(tenant.id(), app.client_id(), credential)
            .name("contoso")
            .redirect_uri(urls.callback())
            .cloud(tenant.cloud())
            .clock(tenant.clock());
        let key = entra_auth::store::EncryptionKey::new([1; 32]);
        let sign_in = WebSignIn::builder(urls.clone(), client.build().unwrap())
            .authorize(admit_by_user_name)
            .store(table.clone(), [key])
            .clock(tenant.clock());
        site(&sign_in.build().unwrap())
    };
    // They share a store and a key as well.
    let (one, two) = (at(&urls()), {
        drop(one);
        at(&other)
    });
    let mut browser = Browser::default();
    browser.sign_in(&one, &tenant, "/auth/sign-in", ADELE).await;
    assert_eq!(browser.open(&two, "/").await.body, "not signed in");
    browser
        .sign_in(&two, &tenant, "/other/sign-in", crate::web::OTHER)
        .await;
    assert_eq!(browser.open(&one, "/").await.body, ADELE);
    assert_eq!(browser.open(&two, "/").await.body, crate::web::OTHER);
    browser.post(&two, "/other/sign-out", "", false).await;
    assert_eq!(browser.open(&one, "/").await.body, ADELE);
    // The value of one cookie is invalid under the name of the other.
    let value = browser.session().unwrap().to_owned();
    let mut moved = Browser::default();
    moved
        .sign_in(&two, &tenant, "/other/sign-in", crate::web::OTHER)
        .await;
    for cookie in moved.cookies.values_mut() {
        cookie.0.clone_from(&value);
    }
    assert_eq!(moved.open(&two, "/").await.body, "not signed in");
}

#[tokio::test]
async fn a_cookie_of_another_application_that_is_not_text_does_not_sign_users_out() {
    let (tenant, _app, site) = shop().await;
    let mut browser = Browser::default();
    let url = browser.start(&site, "/auth/sign-in").await;
    let redirected = path_of(tenant.sign_in_at(&url, ADELE).address());
    let with = |browser: &Browser, path: &str| {
        let own: Vec<String> = browser
            .cookies
            .iter()
            .map(|(name, cookie)| format!("{name}={}", cookie.0))
            .collect();
        let mut header = b"name=caf\xe9; ".to_vec();
        header.extend(own.join("; ").bytes());
        header.extend(b"; last=\xff");
        Request::get(path)
            .header("cookie", header)
            .body(Body::empty())
            .unwrap()
    };
    let response = call(&site, with(&browser, &redirected)).await;
    assert_eq!(response.location(), "/");
    browser.open(&site, &redirected).await;
    browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    assert_eq!(call(&site, with(&browser, "/")).await.body, ADELE);
}

#[tokio::test]
async fn a_configuration_error_is_in_the_log_and_not_on_the_page() {
    const DETAIL: &str = "c4nary-in-the-setup at /srv/shop/client.pem";
    let (log, _guard) = crate::canary::listen();
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    #[derive(Debug)]
    struct Misconfigured;
    #[async_trait::async_trait]
    impl entra_core::GroupMembership for Misconfigured {
        async fn member_groups_among(
            &self,
            _: ObjectId,
            _: &[ObjectId],
        ) -> Result<Vec<ObjectId>, MembershipError> {
            Err(MembershipError::new(MembershipErrorKind::Rejected, DETAIL))
        }
        async fn all_member_groups(
            &self,
            user: ObjectId,
        ) -> Result<Vec<ObjectId>, MembershipError> {
            self.member_groups_among(user, &[]).await
        }
    }
    let staff = tenant.group("Engineers").id();
    let check = move |context: SignInContext| async move {
        let outcome: Result<bool, SignInError> = context
            .signed_in
            .is_member_of_any(&Misconfigured, [staff])
            .await;
        match outcome? {
            true => Ok(String::new()),
            false => Err(AccessDenied::new("no")),
        }
    };
    let contoso = client(&tenant, &app, "contoso");
    let sign_in = WebSignIn::builder(urls(), contoso)
        .authorize(check)
        .clock(tenant.clock());
    let site = site(&sign_in.build().unwrap());
    let mut browser = Browser::default();
    let response = browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        !response.body.contains("c4nary") && !response.body.contains("/srv"),
        "{}",
        response.body
    );
    let (_, reference) = response.body.split_once("under the reference ").unwrap();
    let reference: String = reference.chars().take(8).collect();
    let text = log.text();
    let line = text
        .lines()
        .find(|line| line.contains("sign-in failed"))
        .unwrap();
    assert!(line.contains(&reference) && line.contains(DETAIL), "{line}");
}

#[tokio::test]
async fn a_configured_value_is_not_on_the_page() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let check = async |_: SignInContext| {
        // Such as the error of a credential file that cannot be read.
        let broken = entra_auth::SignInClient::builder(
            "not a tenant",
            "c4nary",
            entra_auth::user::ClientAuthentication::public(),
        );
        let error = broken.build().unwrap_err();
        assert!(
            error.for_admin().contains("Found:"),
            "{}",
            error.for_admin()
        );
        Err::<String, _>(AccessDenied::from(error))
    };
    let contoso = client(&tenant, &app, "contoso");
    let sign_in = WebSignIn::builder(urls(), contoso)
        .authorize(check)
        .clock(tenant.clock());
    let site = site(&sign_in.build().unwrap());
    let mut browser = Browser::default();
    let response = browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        !response.body.contains("Found") && !response.body.contains("c4nary"),
        "{}",
        response.body
    );
    assert!(
        response.body.contains("tell your administrator"),
        "{}",
        response.body
    );
    assert!(
        response.body.contains("under the reference"),
        "{}",
        response.body
    );
}
