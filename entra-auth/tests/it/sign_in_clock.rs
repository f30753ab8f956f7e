//! Errors of sign-ins at a machine whose clock is wrong: they say by how much.

use axum::http::StatusCode;
use entra_auth::{
    Certificate, SignInClient,
    sign_in::SignInErrorKind as Kind,
    user::{ClientAuthentication, StartOptions},
    web::WebSignIn,
};
use entra_core::{Clock as _, ManualClock, Timestamp, time::Duration};
use entra_mock::FakeTenant;
use serde_json::{Value, json};

use crate::{
    sign_in_support::{callback, connection, sign_in},
    validate_support::NOW,
    web::{ADELE, admit_by_user_name, client, register, shop, site, urls},
    web_browser::Browser,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_timestamp(seconds).unwrap()
}

#[tokio::test]
async fn an_id_token_outside_of_its_validity_period_tells_by_how_much_the_clock_is_wrong() {
    let (service, client) = connection();
    let expired = json!({ "exp": NOW - 301 });
    let future = |seconds: i64| json!({ "nbf": NOW + seconds, "iat": NOW + seconds });
    // The changes of the token, the time of the service, the difference, and its words.
    let table: [(Value, Option<i64>, i64, &str); 7] = [
        (
            expired.clone(),
            Some(NOW - 7_260),
            7_260,
            "is 2 h 1 min ahead of",
        ),
        (
            expired.clone(),
            Some(NOW - 90_000),
            90_000,
            "is 1 d 1 h ahead of",
        ),
        (future(400), Some(NOW + 423), -423, "is 7 min 3 s behind"),
        (
            future(90_000),
            Some(NOW + 90_000),
            -90_000,
            "is 1 d 1 h behind",
        ),
        // The clock is right: it is the token that is old.
        (
            expired.clone(),
            Some(NOW - 3),
            3,
            "agrees with the sign-in service's within 3 s",
        ),
        // Without the header, by the time of issue.
        (
            json!({ "iat": NOW - 90_000, "nbf": NOW - 90_000, "exp": NOW - 86_400 }),
            None,
            90_000,
            "is 1 d 1 h ahead of",
        ),
        (future(423), None, -423, "is 7 min 3 s behind"),
    ];
    for (changes, date, ahead, words) in table {
        service.set_date(date.map(at));
        let error = sign_in(&service, &client, changes.clone())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), Kind::TokenTime, "{changes}");
        let found = error.clock_difference();
        assert_eq!(found, Some(Duration::seconds(ahead)), "{changes} {date:?}");
        let text = error.for_admin();
        assert!(
            text.contains(&format!("This machine's clock {words}")),
            "{text}"
        );
        assert!(
            text.contains("and this machine's clock shows 2027-01-15T08:00:00Z"),
            "{text}"
        );
    }
    // Nothing is said about the clock where it is not the cause.
    for changes in [json!({ "nonce": "other" }), json!({ "oid": null })] {
        service.set_date(Some(at(NOW - 90_000)));
        let error = sign_in(&service, &client, changes).await.unwrap_err();
        assert_eq!(error.clock_difference(), None);
        assert!(
            !error.for_admin().contains("clock"),
            "{}",
            error.for_admin()
        );
    }
    service.set_date(None);
    let no_time_of_issue = json!({ "iat": null, "exp": NOW - 301 });
    let error = sign_in(&service, &client, no_time_of_issue)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.clock_difference()),
        (Kind::TokenTime, None)
    );
}

#[tokio::test]
async fn a_client_assertion_that_a_wrong_clock_dated_is_no_rejected_credential() {
    let (service, client) = connection();
    for (date, kind, ahead) in [
        (Some(at(NOW - 7_260)), Kind::TokenTime, Some(7_260)),
        (Some(at(NOW + 7_260)), Kind::TokenTime, Some(-7_260)),
        (Some(at(NOW + 3)), Kind::ApplicationCredential, None),
        (None, Kind::ApplicationCredential, None),
    ] {
        service.set_date(date);
        let (_, flow) = client.start(&StartOptions::default()).unwrap();
        service.respond(
            401,
            &json!({ "error": "invalid_client", "error_codes": [700_024], "error_description": "AADSTS700024: x" }),
        );
        let callback = callback(&flow);
        let error = client.finish(flow, &callback).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{date:?}");
        assert_eq!(error.clock_difference(), ahead.map(Duration::seconds));
        assert_eq!(error.aadsts_code(), Some(700_024));
    }
}

/// A site whose server has this clock.
fn site_with_clock(clock: &ManualClock, client: SignInClient) -> axum::Router {
    let builder = WebSignIn::builder(urls(), client).authorize(admit_by_user_name);
    site(&builder.clock(clock.clone()).build().unwrap())
}

#[tokio::test]
async fn the_page_of_a_wrong_clock_says_by_how_much_it_is_wrong() {
    let tenant = FakeTenant::start().await;
    let pem = tenant.test_certificate_pem();
    let app = register(&tenant).with_certificate(&pem);
    let certificate = Certificate::from_pem(pem).unwrap();
    for (ahead, words) in [
        (
            Duration::hours(26),
            "1 d 2 h ahead of the clock of Microsoft Entra ID",
        ),
        (
            -Duration::minutes(90),
            "1 h 30 min behind the clock of Microsoft Entra ID",
        ),
    ] {
        let clock = ManualClock::at(tenant.clock().now() + ahead);
        let with = |authentication| {
            SignInClient::builder(tenant.id(), app.client_id(), authentication)
                .redirect_uri(urls().callback())
                .cloud(tenant.cloud())
                .clock(clock.clone())
                .build()
                .unwrap()
        };
        for authentication in [
            ClientAuthentication::secret(app.secret()),
            ClientAuthentication::certificate(certificate.clone()),
        ] {
            let site = site_with_clock(&clock, with(authentication));
            let page = Browser::default()
                .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
                .await;
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "{}", page.body);
            assert!(page.body.contains(words), "{words}: {}", page.body);
            assert!(!page.body.contains("add a new one"), "{}", page.body);
        }
    }
    // A clock that is right.
    let right = client(&tenant, &app, "contoso");
    let clock = ManualClock::at(tenant.clock().now());
    let site = site_with_clock(&clock, right);
    let path = Browser::default()
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    assert_eq!(path.location(), "/");
}

#[tokio::test]
async fn the_page_of_a_disabled_user_has_the_number_of_entra() {
    let (tenant, _app, site) = shop().await;
    let mut browser = Browser::default();
    let url = browser.start(&site, "/auth/sign-in").await;
    let redirected = tenant.sign_in_at(&url, ADELE);
    tenant.user(ADELE).disable();
    let page = browser.send_callback(&site, &redirected).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
    assert!(
        page.body
            .contains("The error of Microsoft Entra ID is AADSTS50057."),
        "{}",
        page.body
    );
}
