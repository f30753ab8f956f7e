//! Sign-out: which session ends, which applications are notified, and where the browser goes.

use entra_mock::{App, FakeTenant};

use crate::{
    pages::sign_in,
    support::Response,
    users::{
        ADELE, Browser, CALLBACK, authorize_url, claims, parameter, redeem, redeem_code, returned,
        shop,
    },
};

const BRUNO: &str = "bruno@contoso.com";
const FRONT_CHANNEL_URL: &str = "https://shop.example/signed-out?a=1";

fn logout_url(tenant: &FakeTenant, parameters: &[(&str, &str)]) -> String {
    let address = format!("{}/{}/oauth2/v2.0/logout", tenant.uri(), tenant.id());
    reqwest::Url::parse_with_params(&address, parameters)
        .unwrap()
        .to_string()
}

async fn is_signed_in(browser: &mut Browser, tenant: &FakeTenant, app: &App, name: &str) -> bool {
    let url = authorize_url(tenant, app, &[("prompt", "none"), ("login_hint", name)]);
    let parameters = returned(&browser.get(&url).await);
    parameters.iter().any(|(name, _)| name == "code")
}

/// The URLs of the page's hidden frames.
fn frames(page: &Response) -> Vec<String> {
    page.text
        .split("<iframe src=\"")
        .skip(1)
        .map(|rest| rest.split_once('"').unwrap().0.replace("&amp;", "&"))
        .collect()
}

#[tokio::test]
async fn signing_out_ends_the_session_and_notifies_every_application() {
    let (tenant, shop) = shop().await;
    shop.front_channel_logout_uri(FRONT_CHANNEL_URL);
    let desk = tenant
        .register_app("Desk")
        .redirect_uri(CALLBACK)
        .delegated_permission("User.Read")
        .front_channel_logout_uri("https://desk.example/out")
        .with_secret();
    let absent = tenant
        .register_app("Absent")
        .redirect_uri(CALLBACK)
        .front_channel_logout_uri("https://absent.example/out");
    let mut browser = Browser::default();
    let back = sign_in(
        &tenant,
        &mut browser,
        &authorize_url(&tenant, &shop, &[]),
        ADELE,
    )
    .await;
    let parameters = returned(&back);
    let tokens = redeem_code(&tenant, &shop, &parameter(&parameters, "code"), &[]).await;
    let sid = claims(&tokens.body["id_token"])["sid"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(parameter(&parameters, "session_state"), sid);
    let silent = browser.get(&authorize_url(&tenant, &desk, &[])).await;
    let code = parameter(&returned(&silent), "code");
    let other = redeem_code(&tenant, &desk, &code, &[]).await;
    assert_eq!(claims(&other.body["id_token"])["sid"], *sid, "one session");

    let page = browser.get(&logout_url(&tenant, &[])).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("You are signed out"));
    let issuer = format!("{}/{}/v2.0", tenant.uri(), tenant.id());
    let mut called: Vec<(String, Vec<(String, String)>)> = frames(&page)
        .iter()
        .map(|address| {
            let url = reqwest::Url::parse(address).unwrap();
            (
                format!("{}{}", url.host_str().unwrap(), url.path()),
                url.query_pairs().into_owned().collect(),
            )
        })
        .collect();
    called.sort_unstable();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let told = vec![pair("iss", &issuer), pair("sid", &sid)];
    let with_own = [vec![pair("a", "1")], told.clone()].concat();
    assert_eq!(
        called,
        [
            ("desk.example/out".to_owned(), told),
            ("shop.example/signed-out".to_owned(), with_own),
        ]
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("; frame-src https://shop.example/signed-out https://desk.example/out;"),
        "{policy}"
    );
    assert!(!is_signed_in(&mut browser, &tenant, &shop, ADELE).await);
    assert!(page.header("set-cookie").unwrap().contains("Max-Age=0"));
    drop(absent);

    // Tokens of the application stay valid.
    let refresh = tokens.body["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let refreshed = redeem(&tenant, &shop, true, &fields).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.text);
    assert_eq!(claims(&refreshed.body["id_token"])["sid"], *sid);
}

#[tokio::test]
async fn the_browser_is_redirected_to_registered_uris_only() {
    let (tenant, app) = shop().await;
    tenant
        .register_app("Other")
        .redirect_uri("https://other.example/");
    let go = async |parameters: &[(&str, &str)]| {
        Browser::default()
            .get(&logout_url(&tenant, parameters))
            .await
    };
    let client_id = app.client_id().to_string();
    let back = go(&[("post_logout_redirect_uri", CALLBACK), ("state", "a b")]).await;
    assert_eq!(back.status, 302);
    assert_eq!(
        back.header("location"),
        Some("https://shop.example/callback?state=a+b")
    );
    let other = [("post_logout_redirect_uri", "https://other.example/")];
    assert_eq!(go(&other).await.status, 302);

    for parameters in [
        vec![("post_logout_redirect_uri", "https://evil.example/")],
        vec![(
            "post_logout_redirect_uri",
            "https://shop.example/callback/../x",
        )],
        vec![(
            "post_logout_redirect_uri",
            "https://shop.example.evil.example/callback",
        )],
        vec![("post_logout_redirect_uri", "//evil.example")],
        vec![("post_logout_redirect_uri", "javascript:alert(1)")],
        vec![("client_id", client_id.as_str()), other[0]],
    ] {
        let page = go(&parameters).await;
        assert_eq!(
            (page.status, page.header("location")),
            (200, None),
            "{parameters:?}"
        );
        assert!(!page.text.contains("http-equiv=\"refresh\"") && !page.text.contains("evil"));
    }
}

#[tokio::test]
async fn the_user_or_a_hint_selects_the_account_to_sign_out() {
    let (tenant, app) = shop().await;
    app.front_channel_logout_uri(FRONT_CHANNEL_URL)
        .id_token_claim("login_hint");
    let mut browser = Browser::default();
    let mut identities = Vec::new();
    for name in [ADELE, BRUNO] {
        let url = authorize_url(&tenant, &app, &[("prompt", "select_account")]);
        let back = sign_in(&tenant, &mut browser, &url, name).await;
        let code = parameter(&returned(&back), "code");
        identities.push(redeem_code(&tenant, &app, &code, &[]).await.body["id_token"].clone());
    }
    let hint = claims(&identities[1])["login_hint"]
        .as_str()
        .unwrap()
        .to_owned();

    // A user name is not a hint here.
    for parameters in [vec![], vec![("logout_hint", BRUNO)]] {
        let picker = browser.get(&logout_url(&tenant, &parameters)).await;
        assert!(picker.text.contains(ADELE) && picker.text.contains(BRUNO));
        assert!(is_signed_in(&mut browser, &tenant, &app, BRUNO).await);
    }
    let page = browser
        .get(&logout_url(&tenant, &[("logout_hint", &hint)]))
        .await;
    assert_eq!(frames(&page).len(), 1);
    assert!(!is_signed_in(&mut browser, &tenant, &app, BRUNO).await);
    assert!(is_signed_in(&mut browser, &tenant, &app, ADELE).await);

    let url = authorize_url(&tenant, &app, &[("prompt", "select_account")]);
    sign_in(&tenant, &mut browser, &url, BRUNO).await;
    let by_token = logout_url(
        &tenant,
        &[
            ("id_token_hint", identities[0].as_str().unwrap()),
            ("post_logout_redirect_uri", CALLBACK),
        ],
    );
    let page = browser.get(&by_token).await;
    assert!(page.text.contains("http-equiv=\"refresh\"") && page.text.contains("id=\"continue\""));
    assert!(!is_signed_in(&mut browser, &tenant, &app, ADELE).await);
    assert!(is_signed_in(&mut browser, &tenant, &app, BRUNO).await);

    sign_in(&tenant, &mut browser, &url, ADELE).await;
    let picker = browser.get(&logout_url(&tenant, &[])).await;
    let bruno = tenant.user(BRUNO).id().to_string();
    browser
        .submit(&tenant, &picker, &[("account", &bruno)])
        .await;
    assert!(!is_signed_in(&mut browser, &tenant, &app, BRUNO).await);
    assert!(is_signed_in(&mut browser, &tenant, &app, ADELE).await);
    sign_in(&tenant, &mut browser, &url, BRUNO).await;
    let picker = browser.get(&logout_url(&tenant, &[])).await;
    let page = browser.submit(&tenant, &picker, &[("step", "all")]).await;
    assert_eq!(frames(&page).len(), 2);
    for name in [ADELE, BRUNO] {
        assert!(!is_signed_in(&mut browser, &tenant, &app, name).await);
    }
}
