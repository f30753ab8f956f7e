//! Users who sign in with a browser, and come back without one.

use std::time::Duration;

use entra_auth::{
    Certificate, ErrorKind, TokenCache,
    user::{
        AuthorizationCodeFlow, AuthorizationCodeFlowBuilder, ClientAuthentication, PendingSignIn,
        Prompt, ResponseMode, StartOptions, UserCredential,
    },
};
use entra_core::{Clock, CredentialErrorKind, TokenCredential, TokenRequest, url::Url};
use entra_mock::{App, FakeTenant, Fault};

const ADELE: &str = "adele@contoso.com";
const CALLBACK: &str = "https://shop.example/callback";

pub(crate) async fn shop() -> (FakeTenant, App) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Shop")
        .redirect_uri(CALLBACK)
        .delegated_permission("User.Read")
        .delegated_permission("Mail.Read")
        .with_secret();
    (tenant, app)
}

fn builder(
    tenant: &FakeTenant,
    app: &App,
    proof: ClientAuthentication,
) -> AuthorizationCodeFlowBuilder {
    AuthorizationCodeFlow::builder(tenant.id(), app.client_id(), proof)
        .redirect_uri(CALLBACK)
        .scopes(["User.Read"])
        .cloud(tenant.cloud())
        .clock(tenant.clock())
}

fn flow(tenant: &FakeTenant, app: &App) -> AuthorizationCodeFlow {
    let proof = ClientAuthentication::secret(app.secret());
    builder(tenant, app, proof).build().unwrap()
}

async fn sign_in(tenant: &FakeTenant, flow: &AuthorizationCodeFlow, name: &str) -> UserCredential {
    let (url, state) = flow.start(&StartOptions::default()).unwrap();
    let back = tenant.sign_in_at(url.as_str(), name);
    flow.finish(state, back.address()).await.unwrap()
}

fn query(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn the_first_token_comes_with_the_sign_in_and_others_silently() {
    let (tenant, app) = shop().await;
    let flow = flow(&tenant, &app);
    let adele = sign_in(&tenant, &flow, ADELE).await;
    let account = adele.account();
    assert_eq!(account.username.as_deref(), Some(ADELE));
    assert_eq!(account.tenant, tenant.id());
    let home = format!("{}.{}", tenant.user(ADELE).id(), tenant.id());
    assert_eq!(account.home_account_id, home);

    let tokens = tenant.requests().to("/token");
    tokens.assert_count(1);
    let first = adele
        .token(&TokenRequest::new(["User.Read"]))
        .await
        .unwrap();
    let again = adele
        .token(&TokenRequest::new(["User.Read"]))
        .await
        .unwrap();
    assert_eq!(first.expose_secret(), again.expose_secret());
    tenant.requests().to("/token").assert_count(1);
    adele
        .token(&TokenRequest::new(["Mail.Read"]))
        .await
        .unwrap();
    tenant.requests().to("/token").assert_count(2);
    tenant.clock().advance(Duration::from_secs(2 * 3600));
    adele
        .token(&TokenRequest::new(["User.Read"]))
        .await
        .unwrap();
    tenant.requests().to("/token").assert_count(3);
}

#[tokio::test]
async fn every_kind_of_proof_redeems_a_code() {
    let (tenant, app) = shop().await;
    let pem = tenant.test_certificate_pem();
    app.with_certificate(&pem)
        .with_federated_credential("https://tokens.example.com", "shop");
    let certificate = Certificate::from_pem(&pem).unwrap();
    let jwt = tenant.federated_token("https://tokens.example.com", "shop");
    let jwt = entra_core::Secret::from(jwt);
    for proof in [
        ClientAuthentication::secret(app.secret()),
        ClientAuthentication::certificate(certificate),
        ClientAuthentication::assertion(Fixed(jwt)),
    ] {
        let flow = builder(&tenant, &app, proof).build().unwrap();
        let adele = sign_in(&tenant, &flow, ADELE).await;
        adele
            .token(&TokenRequest::new(["Mail.Read"]))
            .await
            .unwrap();
    }
    let tool = tenant
        .register_app("Tool")
        .public_redirect_uri(CALLBACK)
        .delegated_permission("Mail.Read");
    let flow = builder(&tenant, &tool, ClientAuthentication::public())
        .build()
        .unwrap();
    let adele = sign_in(&tenant, &flow, ADELE).await;
    adele
        .token(&TokenRequest::new(["Mail.Read"]))
        .await
        .unwrap();
}

#[derive(Debug)]
struct Fixed(entra_core::Secret);

#[async_trait::async_trait]
impl entra_auth::ClientAssertion for Fixed {
    async fn assertion(
        &self,
        _: &entra_auth::AssertionRequest,
    ) -> Result<entra_core::Secret, entra_core::CredentialError> {
        Ok(self.0.clone())
    }
}

#[tokio::test]
async fn authorization_url_has_the_options_and_not_the_verifier() {
    let (tenant, app) = shop().await;
    let flow = flow(&tenant, &app);
    let mut options = StartOptions::default();
    options.prompt = Some(Prompt::SelectAccount);
    options.login_hint = Some(ADELE.to_owned());
    options.domain_hint = Some("contoso.com".to_owned());
    options.response_mode = ResponseMode::FormPost;
    options.max_age = Some(Duration::from_secs(60));
    options.scopes = vec!["Mail.Read".to_owned()];
    let (url, state) = flow.start(&options).unwrap();
    for (name, value) in [
        ("prompt", "select_account"),
        ("login_hint", ADELE),
        ("domain_hint", "contoso.com"),
        ("response_mode", "form_post"),
        ("max_age", "60"),
        ("scope", "Mail.Read User.Read offline_access openid profile"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", CALLBACK),
    ] {
        assert_eq!(query(&url, name).as_deref(), Some(value), "{name}");
    }
    let stored: serde_json::Value = serde_json::to_value(&state).unwrap();
    let verifier = stored["verifier"].as_str().unwrap();
    assert_eq!(verifier.len(), 43);
    assert!(!url.as_str().contains(verifier));
    assert!(!format!("{state:?}").contains(verifier));
    let (other, _) = flow.start(&options).unwrap();
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(query(&url, name), query(&other, name), "{name}");
    }
    let back = tenant.sign_in_at(url.as_str(), ADELE);
    assert!(back.is_posted());
    flow.finish(state, &back.query()).await.unwrap();
}

#[tokio::test]
async fn pending_sign_in_can_be_stored() {
    let (tenant, app) = shop().await;
    let flow = flow(&tenant, &app);
    let (url, state) = flow.start(&StartOptions::default()).unwrap();
    let stored = serde_json::to_string(&state).unwrap();
    let restored: PendingSignIn = serde_json::from_str(&stored).unwrap();
    assert_eq!(restored.id(), state.id());
    let back = tenant.sign_in_at(url.as_str(), ADELE);
    flow.finish(restored, &back.query()).await.unwrap();
}

#[tokio::test]
async fn code_of_another_browser_or_flow_is_rejected() {
    let (tenant, app) = shop().await;
    let flow = flow(&tenant, &app);
    let (victim_url, victim) = flow.start(&StartOptions::default()).unwrap();
    let (attacker_url, _) = flow.start(&StartOptions::default()).unwrap();
    let injected = tenant.sign_in_at(attacker_url.as_str(), ADELE);
    let error = flow.finish(victim, &injected.query()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    tenant.requests().to("/token").assert_count(0);

    // With the right state around the wrong code, PKCE is what rejects.
    let (url, state) = flow.start(&StartOptions::default()).unwrap();
    let own = tenant.sign_in_at(url.as_str(), ADELE).query();
    let swapped = own.replace(
        &query(
            &Url::parse(&format!("https://x.example/?{own}")).unwrap(),
            "code",
        )
        .unwrap(),
        &injected.parameter("code").unwrap(),
    );
    let error = flow.finish(state, &swapped).await.unwrap_err();
    assert_eq!(error.aadsts_code(), Some(501_481));
    let _ = victim_url;
}

#[tokio::test]
async fn each_error_of_a_code_has_its_kind() {
    let (tenant, app) = shop().await;
    let flow = flow(&tenant, &app);
    let start = || {
        let (url, state) = flow.start(&StartOptions::default()).unwrap();
        let back = tenant.sign_in_at(url.as_str(), ADELE).query();
        (serde_json::to_string(&state).unwrap(), back)
    };
    let finish = async |state: &str, back: &str| {
        let state: PendingSignIn = serde_json::from_str(state).unwrap();
        flow.finish(state, back)
            .await
            .map(|_| ())
            .map_err(|error| error.aadsts_code())
    };
    let (state, back) = start();
    finish(&state, &back).await.unwrap();
    assert_eq!(finish(&state, &back).await, Err(Some(54_005)), "used");
    let (state, back) = start();
    tenant.clock().advance(Duration::from_secs(700));
    assert_eq!(finish(&state, &back).await, Err(Some(70_008)), "expired");
    let (state, back) = start();
    app.remove_secret();
    assert_eq!(
        finish(&state, &back).await,
        Err(Some(7_000_215)),
        "no secret"
    );
    let public = builder(&tenant, &app, ClientAuthentication::public())
        .build()
        .unwrap();
    let (url, state) = public.start(&StartOptions::default()).unwrap();
    let back = tenant.sign_in_at(url.as_str(), ADELE).query();
    let error = public.finish(state, &back).await.unwrap_err();
    assert_eq!(error.aadsts_code(), Some(7_000_218), "no proof");
    assert_eq!(error.kind(), ErrorKind::InvalidClient);
}

#[tokio::test]
async fn error_of_the_sign_in_page_is_a_typed_error() {
    let (tenant, app) = shop().await;
    let flow = flow(&tenant, &app);
    let mut options = StartOptions::default();
    options.prompt = Some(Prompt::None);
    let (url, state) = flow.start(&options).unwrap();
    let http = entra_core::ReqwestTransport::default();
    let request = entra_core::http::Request::get(url.as_str())
        .body(entra_core::bytes::Bytes::new())
        .unwrap();
    let response = entra_core::HttpTransport::send(&http, request)
        .await
        .unwrap();
    let location = response.headers()["location"].to_str().unwrap();
    let error = flow.finish(state, location).await.unwrap_err();
    assert_eq!(error.aadsts_code(), Some(50_058));
    assert!(error.is_interaction_required());
}

#[tokio::test]
async fn invalid_settings_are_rejected_before_a_request_is_sent() {
    let build = |redirect: &str, secret: &str| {
        AuthorizationCodeFlow::builder(
            "contoso.com",
            crate::support::CLIENT,
            ClientAuthentication::secret(secret),
        )
        .redirect_uri(redirect)
        .build()
    };
    for (redirect, secret) in [
        ("", "s"),
        ("/callback", "s"),
        ("http://shop.example/callback", "s"),
        ("https://shop.example/callback#x", "s"),
        (CALLBACK, " "),
    ] {
        let error = build(redirect, secret).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.fix().is_some());
    }
    build("http://localhost:3000/cb", "s").unwrap();
    build("myapp://auth", "s").unwrap();
}

#[tokio::test]
async fn users_are_separated_in_a_shared_cache() {
    let (tenant, app) = shop().await;
    let cache = TokenCache::new();
    let flow = builder(&tenant, &app, ClientAuthentication::secret(app.secret()))
        .cache(&cache)
        .build()
        .unwrap();
    let bo = tenant.add_user("Bo Other").user_principal_name();
    let adele = sign_in(&tenant, &flow, ADELE).await;
    let other = sign_in(&tenant, &flow, &bo).await;
    let request = TokenRequest::new(["User.Read"]);
    let (a, b) = (
        adele.token(&request).await.unwrap(),
        other.token(&request).await.unwrap(),
    );
    assert_ne!(a.expose_secret(), b.expose_secret());

    assert_eq!(flow.accounts().len(), 2);
    let found = flow.user(adele.account()).unwrap();
    assert_eq!(
        found.token(&request).await.unwrap().expose_secret(),
        a.expose_secret()
    );
    assert!(flow.forget(adele.account()) && !flow.forget(adele.account()));
    assert!(flow.user(adele.account()).is_none());
    sign_in(&tenant, &flow, &bo).await;
    assert_eq!(flow.accounts().len(), 1, "signing in again replaces");
}

#[tokio::test]
async fn stored_refresh_token_is_replaced_with_each_use() {
    let (tenant, app) = shop().await;
    let signed_in = sign_in(&tenant, &flow(&tenant, &app), ADELE).await;
    let account = serde_json::to_string(signed_in.account()).unwrap();
    let stored = signed_in.refresh_token().unwrap();
    let adele = UserCredential::builder(
        serde_json::from_str(&account).unwrap(),
        app.client_id(),
        ClientAuthentication::secret(app.secret()),
        &stored,
    )
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()
    .unwrap();
    adele
        .token(&TokenRequest::new(["User.Read"]))
        .await
        .unwrap();
    assert_ne!(adele.refresh_token().unwrap(), stored);
}

#[tokio::test]
async fn expired_refresh_token_requires_interaction() {
    let (tenant, app) = shop().await;
    let flow = flow(&tenant, &app);
    let rejected = async |user: &UserCredential| {
        let request = TokenRequest::new(["User.Read"]).with_force_refresh();
        let error = user.token(&request).await.unwrap_err();
        (error.kind(), error.code())
    };
    let user = sign_in(&tenant, &flow, ADELE).await;
    tenant.user(ADELE).revoke_sessions();
    let needed = CredentialErrorKind::InteractionRequired;
    assert_eq!(rejected(&user).await, (needed, Some(50_173)));
    let user = sign_in(&tenant, &flow, ADELE).await;
    let mail = TokenRequest::new(["Calendars.Read"]);
    let error = user.token(&mail).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (needed, Some(65_001)));
    tenant.clock().advance(Duration::from_secs(91 * 24 * 3600));
    assert_eq!(rejected(&user).await, (needed, Some(700_082)));
    let user = sign_in(&tenant, &flow, ADELE).await;
    tenant.user(ADELE).disable();
    assert_eq!(rejected(&user).await.1, Some(50_057));
}

#[tokio::test]
async fn silent_request_retries_a_transient_error() {
    let (tenant, app) = shop().await;
    let adele = sign_in(&tenant, &flow(&tenant, &app), ADELE).await;
    tenant.inject(Fault::on("/token").times(2).status(503));
    let token = adele
        .token(&TokenRequest::new(["Mail.Read"]))
        .await
        .unwrap();
    assert!(token.expires_on() > tenant.clock().now());
}

#[tokio::test]
async fn concurrent_silent_requests_of_a_user_make_one_request() {
    let (tenant, app) = shop().await;
    let adele = sign_in(&tenant, &flow(&tenant, &app), ADELE).await;
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let adele = adele.clone();
            tokio::spawn(async move { adele.token(&TokenRequest::new(["Mail.Read"])).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    tenant.requests().to("/token").assert_count(2);
}
