//! What a browser holds for a site: many tabs, other sites on the host, callbacks that come twice.

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
    web::{ADELE, builder, by_name, client, is_refused, register, shop, site, urls},
    web_browser::{Browser, SITE, call, path_of},
};

fn form_post() -> StartOptions {
    let mut options = StartOptions::default();
    options.response_mode = ResponseMode::FormPost;
    options
}

#[tokio::test]
async fn ten_tabs_that_start_one_after_the_other_all_finish() {
    let (tenant, _app, site) = shop().await;
    let mut browser = Browser::default();
    let mut tabs = Vec::new();
    for number in 0..10 {
        let path = format!("/auth/sign-in?return=/tab/{number}");
        tabs.push(browser.start(&site, &path).await);
        tenant.clock().advance(std::time::Duration::from_secs(5));
    }
    for (number, url) in tabs.iter().enumerate() {
        let back = tenant.sign_in_at(url, ADELE);
        let answer = browser.bring(&site, &back).await;
        assert_eq!(answer.location(), format!("/tab/{number}"));
    }
}

#[tokio::test]
async fn a_hundred_tabs_lose_the_oldest_only_and_never_make_a_request_too_long() {
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
    let kept = browser.cookies.len();
    assert!(kept >= 10, "{kept}");
    for (number, url) in tabs.iter().enumerate().skip(100 - kept) {
        let back = tenant.sign_in_at(url, ADELE);
        let answer = browser.bring(&site, &back).await;
        assert_eq!(answer.location(), format!("/tab/{number}"));
    }
}

#[tokio::test]
async fn a_callback_that_comes_again_leads_on_while_the_session_lives() {
    for options in [StartOptions::default(), form_post()] {
        let tenant = FakeTenant::start().await;
        let app = register(&tenant);
        let sign_in = builder(&tenant, &app).start_options(options);
        let site = site(&sign_in.build().unwrap());
        let mut browser = Browser::default();
        let url = browser.start(&site, "/auth/sign-in?return=/mine").await;
        let back = tenant.sign_in_at(&url, ADELE);
        let before = browser.clone();
        assert_eq!(browser.bring(&site, &back).await.location(), "/mine");
        tenant.requests().to("/token").assert_count(1);

        // The back button or a reload, and a second submit that still had the sign-in's cookie.
        let mut double = browser.clone();
        double.cookies.extend(before.cookies.clone());
        for again in [&mut browser.clone(), &mut double] {
            assert_eq!(follow(again, &site, &back).await, "/mine");
            assert_eq!(again.open(&site, "/mine").await.body, ADELE);
        }
        tenant.requests().to("/token").assert_count(1);
        // Without a session it is told.
        let mut stranger = Browser::default();
        let lost = stranger.bring(&site, &back).await;
        let lost = match lost.status {
            StatusCode::SEE_OTHER => stranger.open(&site, lost.location()).await,
            _ => lost,
        };
        is_refused(&lost, StatusCode::BAD_REQUEST, "Try again");
        // Nor when the session is over.
        browser.post(&site, "/auth/sign-out", "", false).await;
        let lost = browser.bring(&site, &back).await;
        let lost = match lost.status {
            StatusCode::SEE_OTHER => browser.open(&site, lost.location()).await,
            _ => lost,
        };
        is_refused(&lost, StatusCode::BAD_REQUEST, "Try again");
    }
}

/// Brings a callback, and goes on where it leads for as long as that is a callback.
async fn follow(browser: &mut Browser, site: &Router, back: &Redirected) -> String {
    let mut to = browser.bring(site, back).await.location().to_owned();
    for _ in 0..3 {
        if !to.starts_with("/auth/callback") {
            break;
        }
        to = browser.open(site, &to).await.location().to_owned();
    }
    to
}

#[tokio::test]
async fn a_way_back_that_is_a_callback_does_not_lead_round_in_circles() {
    let (tenant, _app, site) = shop().await;
    for back in [
        "/auth/callback",
        "/auth/callback/contoso",
        "/auth/callback?state=x",
    ] {
        let back: String =
            entra_core::url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
        let mut browser = Browser::default();
        let path = format!("/auth/sign-in?return={back}");
        let answer = browser.sign_in(&site, &tenant, &path, ADELE).await;
        assert_eq!(answer.location(), "/", "{back}");
        assert_eq!(browser.open(&site, "/auth/callback").await.location(), "/");
    }
}

#[tokio::test]
async fn two_sites_on_one_host_leave_each_others_sessions_alone() {
    let tenant = FakeTenant::start().await;
    let other = RouteUrls::at(&format!("{SITE}/other")).unwrap();
    let app = register(&tenant).redirect_uri(&other.callback());
    let sign_in = builder(&tenant, &app).build().unwrap();
    let one = site(&sign_in);
    let table = std::sync::Arc::new(crate::web_session::Table::default());
    let at = |urls: &RouteUrls| {
        let proof = entra_auth::user::ClientAuthentication::secret(app.secret());
        let client = entra_auth::SignInClient::builder(tenant.id(), app.client_id(), proof)
            .name("contoso")
            .redirect_uri(urls.callback())
            .cloud(tenant.cloud())
            .clock(tenant.clock());
        let key = entra_auth::store::EncryptionKey::new([1; 32]);
        let sign_in = WebSignIn::builder(urls.clone(), client.build().unwrap())
            .authorize(by_name)
            .store(table.clone(), [key])
            .clock(tenant.clock());
        site(&sign_in.build().unwrap())
    };
    // They share a store and a key, too.
    let (one, two) = (at(&urls()), {
        drop(one);
        at(&other)
    });
    let mut browser = Browser::default();
    browser.sign_in(&one, &tenant, "/auth/sign-in", ADELE).await;
    assert_eq!(browser.open(&two, "/").await.body, "nobody");
    browser
        .sign_in(&two, &tenant, "/other/sign-in", crate::web::OTHER)
        .await;
    assert_eq!(browser.open(&one, "/").await.body, ADELE);
    assert_eq!(browser.open(&two, "/").await.body, crate::web::OTHER);
    browser.post(&two, "/other/sign-out", "", false).await;
    assert_eq!(browser.open(&one, "/").await.body, ADELE);
    // Nor does the value of one do under the other's name.
    let value = browser.session().unwrap().to_owned();
    let mut moved = Browser::default();
    moved
        .sign_in(&two, &tenant, "/other/sign-in", crate::web::OTHER)
        .await;
    for cookie in moved.cookies.values_mut() {
        cookie.0.clone_from(&value);
    }
    assert_eq!(moved.open(&two, "/").await.body, "nobody");
}

#[tokio::test]
async fn a_cookie_of_another_application_that_is_no_text_signs_nobody_out() {
    let (tenant, _app, site) = shop().await;
    let mut browser = Browser::default();
    let url = browser.start(&site, "/auth/sign-in").await;
    let back = path_of(tenant.sign_in_at(&url, ADELE).address());
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
    let answer = call(&site, with(&browser, &back)).await;
    assert_eq!(answer.location(), "/");
    browser.open(&site, &back).await;
    browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    assert_eq!(call(&site, with(&browser, "/")).await.body, ADELE);
}

#[tokio::test]
async fn a_fault_of_the_setup_is_in_the_log_and_not_on_the_page() {
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
    let gate = move |context: SignInContext| async move {
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
        .authorize(gate)
        .clock(tenant.clock());
    let site = site(&sign_in.build().unwrap());
    let mut browser = Browser::default();
    let answer = browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        !answer.body.contains("c4nary") && !answer.body.contains("/srv"),
        "{}",
        answer.body
    );
    let (_, reference) = answer.body.split_once("under the reference ").unwrap();
    let reference: String = reference.chars().take(8).collect();
    let text = log.text();
    let line = text
        .lines()
        .find(|line| line.contains("sign-in failed"))
        .unwrap();
    assert!(line.contains(&reference) && line.contains(DETAIL), "{line}");
}

#[tokio::test]
async fn a_value_of_the_configuration_is_not_on_the_page() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let gate = async |_: SignInContext| {
        // As of a credential file that cannot be read.
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
        .authorize(gate)
        .clock(tenant.clock());
    let site = site(&sign_in.build().unwrap());
    let mut browser = Browser::default();
    let answer = browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        !answer.body.contains("Found") && !answer.body.contains("c4nary"),
        "{}",
        answer.body
    );
    assert!(
        answer.body.contains("tell your administrator"),
        "{}",
        answer.body
    );
    assert!(
        answer.body.contains("under the reference"),
        "{}",
        answer.body
    );
}
