//! The pages of a sign-in: product name, languages and a custom renderer.

use std::sync::{Arc, Mutex, atomic::Ordering};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use entra_auth::{
    store::EncryptionKey,
    web::{
        AccessDenied, SignInContext,
        pages::{Page, PageKind, PageText, PageTexts, RenderedPage, SignInPages, escape},
    },
};
use entra_mock::FakeTenant;

use crate::{
    web::{ADELE, OTHER, admit_by_user_name, builder, register, site},
    web_browser::{Browser, SiteResponse, call, path_of, session_name},
    web_session::Table,
};

/// German texts that a test can recognize.
fn german() -> PageTexts {
    PageText::all()
        .into_iter()
        .fold(PageTexts::new("de"), |texts, text| {
            let values = match text {
                PageText::LogReference => " {reference}",
                PageText::EntraError => " {code}",
                PageText::CorrelationId => " {id}",
                _ => "",
            };
            texts.text(text, format!("\u{fc}ber {text:?}{values}"))
        })
}

async fn open(site: &Router, browser: &Browser, path: &str, language: &str) -> SiteResponse {
    let cookies: Vec<String> = browser
        .cookies
        .iter()
        .map(|(name, cookie)| format!("{name}={}", cookie.0))
        .collect();
    let request = Request::get(path)
        .header("accept", "text/html")
        .header("accept-language", language)
        .header("cookie", cookies.join("; "));
    call(site, request.body(Body::empty()).unwrap()).await
}

/// Checks that no text of the library is English, and that the page has the attribute `lang`.
fn is_german(response: &SiteResponse, title: &str) {
    let body = &response.body;
    assert!(
        body.starts_with("<!doctype html>\n<html lang=\"de\">"),
        "{body}"
    );
    assert!(
        body.contains(&format!("<h1>\u{fc}ber {title}</h1>")),
        "{body}"
    );
    assert!(body.contains("Contoso Travel</title>"), "{body}");
    assert!(!body.contains("lang=\"en\""), "{body}");
    for text in PageText::all() {
        let english = text.english().split('{').next().unwrap();
        assert!(!body.contains(&escape(english)), "{english}: {body}");
    }
    assert_eq!(response.header("content-language"), "de");
    assert_eq!(response.header("vary"), "accept-language");
    let policy = response.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(policy.contains("; img-src 'self';"), "{policy}");
}

#[tokio::test]
async fn every_page_is_in_the_language_of_the_request_with_the_product_name() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let table = Arc::new(Table::default());
    let pages = SignInPages::new()
        .product_name("Contoso Travel")
        .logo("/logo.svg")
        .texts(german());
    let check =
        async |context: SignInContext| match context.signed_in.identity().username.as_deref() {
            Some(ADELE) => Ok(ADELE.to_owned()),
            _ => Err(AccessDenied::new(format!("in {:?}", context.language))),
        };
    let sign_in = builder(&tenant, &app)
        .store(Arc::clone(&table), [EncryptionKey::new([1; 32])])
        .authorize(check)
        .pages(pages)
        .build()
        .unwrap();
    let site = site(&sign_in);
    let language = "fr, de-AT;q=0.8, en;q=0.5";

    let without_session = Browser::default();
    for (path, title) in [
        ("/auth/sign-in/unknown", "UnknownConnectionTitle"),
        ("/auth/admin-consent/unknown", "UnknownConnectionTitle"),
        ("/auth/callback?state=x", "NotSignedInTitle"),
        ("/auth/sign-out", "ConfirmSignOutTitle"),
        ("/auth/signed-out", "SignedOutTitle"),
    ] {
        is_german(&open(&site, &without_session, path, language).await, title);
        let english = open(&site, &without_session, path, "fr").await;
        assert!(english.body.contains("<html lang=\"en\">"), "{path}");
        assert!(!english.body.contains('\u{fc}'), "{path}");
    }
    let foreign = Request::post("/auth/sign-out").header("accept-language", language);
    let foreign = call(&site, foreign.body(Body::empty()).unwrap()).await;
    is_german(&foreign, "StillSignedInTitle");

    // The error of a sign-in, and the application's own text in the language of the context.
    let mut browser = Browser::default();
    let url = browser.start(&site, "/auth/sign-in").await;
    let state = tenant.sign_in_at(&url, ADELE).parameter("state").unwrap();
    let declined = format!(
        "/auth/callback?error=access_denied&state={state}&error_description=AADSTS65004%3A+x"
    );
    let declined = open(&site, &browser, &declined, language).await;
    is_german(&declined, "NotSignedInTitle");
    assert!(
        declined.body.contains("\u{fc}ber EntraError 65004"),
        "{}",
        declined.body
    );
    assert!(declined.body.contains("\u{fc}ber SignInError(Declined)"));
    let mut browser = Browser::default();
    let url = browser.start(&site, "/auth/sign-in").await;
    let redirected = path_of(tenant.sign_in_at(&url, OTHER).address());
    let denied = open(&site, &browser, &redirected, language).await;
    is_german(&denied, "AccessDeniedTitle");
    assert!(
        denied.body.contains("in Some(&quot;de&quot;)"),
        "{}",
        denied.body
    );

    // The pages while the store is down, and of a signed-in user.
    let mut browser = Browser::default();
    browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    let signed_out = open(&site, &browser, "/auth/signed-out", language).await;
    is_german(&signed_out, "StillSignedInTitle");
    let url = browser.start(&site, "/auth/sign-in").await;
    let redirected = path_of(tenant.sign_in_at(&url, ADELE).address());
    table.broken.store(true, Ordering::SeqCst);
    let switched = open(&site, &browser, &redirected, language).await;
    is_german(&switched, "AccountNotSwitchedTitle");
    let unavailable = open(&site, &browser, "/mine", language).await;
    assert_eq!(unavailable.status, StatusCode::SERVICE_UNAVAILABLE);
    is_german(&unavailable, "UnavailableTitle");
    let out = Request::post("/auth/sign-out")
        .header("sec-fetch-site", "same-origin")
        .header("accept-language", language)
        .header("cookie", browser.session_pair());
    let out = call(&site, out.body(Body::empty()).unwrap()).await;
    is_german(&out, "SignOutFailedTitle");
    browser.cookies.remove(&session_name());
    let url = browser.start(&site, "/auth/sign-in").await;
    let redirected = path_of(tenant.sign_in_at(&url, ADELE).address());
    let not_stored = open(&site, &browser, &redirected, language).await;
    is_german(&not_stored, "NotSignedInTitle");
    assert!(not_stored.body.contains("\u{fc}ber SessionNotStored"));
}

#[tokio::test]
async fn a_renderer_writes_pages_with_a_strict_content_security_policy() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let seen: Arc<Mutex<Vec<(PageKind, u16)>>> = Arc::default();
    let pages = Arc::clone(&seen);
    let renderer = move |page: &Page| {
        pages
            .lock()
            .unwrap()
            .push((page.kind, page.status.as_u16()));
        let html = format!(
            "<h1>own {}</h1><style>b{{}}</style>",
            escape(page.title.text())
        );
        RenderedPage::new(html)
            .inline_style("b{}")
            .stylesheet("/site.css")
            .font("https://cdn.example/font.woff2")
            .image("javascript:alert(1)")
    };
    let sign_in = builder(&tenant, &app)
        .authorize(admit_by_user_name)
        .pages(SignInPages::new().renderer(renderer))
        .build()
        .unwrap();
    let site = site(&sign_in);
    let mut browser = Browser::default();
    let page = browser.open(&site, "/auth/callback?state=x").await;
    assert_eq!(
        page.body,
        "<h1>own You are not signed in</h1><style>b{}</style>"
    );
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"b{}");
    let hash = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest.as_ref());
    assert_eq!(
        page.header("content-security-policy"),
        format!(
            "default-src 'none'; style-src 'sha256-{hash}' 'self'; font-src https://cdn.example/font.woff2; \
             base-uri 'none'; frame-ancestors 'none'; \
             form-action 'self' https: http://localhost:* http://127.0.0.1:*"
        )
    );
    assert_eq!(page.header("cache-control"), "no-store");
    browser.open(&site, "/auth/signed-out").await;
    let missing = entra_auth::sign_in::SignInErrorKind::FlowMissing;
    assert_eq!(
        *seen.lock().unwrap(),
        [
            (PageKind::SignInFailed(missing), 400),
            (PageKind::SignedOut, 200)
        ]
    );
}
