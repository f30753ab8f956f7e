//! Another maker's OpenID provider, started by `.ci/clients/oidc_provider.mjs`.

use std::{collections::BTreeMap, env, fs, path::PathBuf, sync::Arc};

use entra_auth::{
    Certificate, ClientCertificateCredential, ClientSecretCredential, Discovery, Error, ErrorKind,
    user::{AuthorizationCodeFlow, ClientAuthentication, Prompt, StartOptions},
};
use entra_core::{
    Cloud, HttpTransport, ReqwestTransport, TokenCredential, TokenRequest, bytes::Bytes, http,
    url::Url,
};

use crate::support::CLIENT;

const SECRET: &str = "secret-of-the-provider-test";
const CERTIFICATE_CLIENT: &str = "33333333-3333-3333-3333-333333333333";
/// It has one tenant, whatever it is called.
const TENANT: &str = "provider.example";

struct Provider {
    cloud: Cloud,
    transport: Arc<ReqwestTransport>,
    directory: PathBuf,
}

/// The provider at `ENTRA_OIDC_PROVIDER`, with its files in `ENTRA_OIDC_DIRECTORY`.
async fn provider() -> Option<Provider> {
    let Ok(issuer) = env::var("ENTRA_OIDC_PROVIDER") else {
        println!("skipped: ENTRA_OIDC_PROVIDER names no provider");
        return None;
    };
    let directory = PathBuf::from(env::var("ENTRA_OIDC_DIRECTORY").unwrap());
    let ca = fs::read(directory.join("ca.pem")).unwrap();
    let builder = ReqwestTransport::builder().add_roots_pem(&ca).unwrap();
    let transport = Arc::new(builder.build());
    let discovery = Discovery::builder().transport(Arc::clone(&transport));
    let discovery = discovery.build().unwrap();
    Some(Provider {
        cloud: discovery.openid_provider(&issuer).await.unwrap(),
        transport,
        directory,
    })
}

fn request() -> TokenRequest {
    TokenRequest::new(["api:read"])
}

#[tokio::test]
async fn provider_accepts_our_client_secret_and_rejects_another() {
    let Some(provider) = provider().await else {
        return;
    };
    let with = |secret: &str| {
        ClientSecretCredential::builder(TENANT, CLIENT, secret)
            .cloud(provider.cloud.clone())
            .transport(Arc::clone(&provider.transport))
            .build()
            .unwrap()
    };
    let token = with(SECRET).token(&request()).await.unwrap();
    assert!(!token.expose_secret().is_empty());
    let error = with("wrong").token(&request()).await.unwrap_err();
    let error = Error::find(&error).unwrap();
    assert_eq!(error.oauth_error(), Some("invalid_client"));
    assert_eq!(error.kind(), ErrorKind::InvalidClient);
}

#[tokio::test]
async fn provider_accepts_our_assertion_and_rejects_another_key() {
    let Some(provider) = provider().await else {
        return;
    };
    let pem = |name: &str| fs::read(provider.directory.join(name)).unwrap();
    let with = |certificate: Certificate| {
        ClientCertificateCredential::builder(TENANT, CERTIFICATE_CLIENT, certificate)
            .cloud(provider.cloud.clone())
            .transport(Arc::clone(&provider.transport))
            .build()
            .unwrap()
    };
    let registered = Certificate::from_pem(pem("client.pem")).unwrap();
    with(registered).token(&request()).await.unwrap();
    let other = Certificate::from_pem_and_key(pem("ca.pem"), pem("ca.key")).unwrap();
    let error = with(other).token(&request()).await.unwrap_err();
    let error = Error::find(&error).unwrap();
    assert_eq!(error.oauth_error(), Some("invalid_client"));
}

/// A browser that goes where it is sent, with cookies, until it is sent to the application.
#[expect(clippy::panic, reason = "a helper of tests fails its test")]
async fn browse(provider: &Provider, start: &str) -> String {
    let mut cookies = BTreeMap::new();
    let mut next = Url::parse(start).unwrap();
    for _ in 0..10 {
        if next.host_str() == Some("shop.example") {
            return next.query().unwrap().to_owned();
        }
        let cookie: Vec<String> = cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let request = http::Request::get(next.as_str())
            .header("cookie", cookie.join("; "))
            .body(Bytes::new())
            .unwrap();
        let response = provider.transport.send(request).await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = cookie.split_once('=').unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        let location = response
            .headers()
            .get("location")
            .map(|to| to.to_str().unwrap());
        let location = location.unwrap_or_else(|| panic!("{response:?}"));
        next = next.join(location).unwrap();
    }
    panic!("the provider sends the browser round in circles");
}

#[tokio::test]
async fn provider_signs_a_user_in_with_code_and_pkce_and_refreshes() {
    let Some(provider) = provider().await else {
        return;
    };
    let pem = fs::read(provider.directory.join("client.pem")).unwrap();
    let certificate = Certificate::from_pem(pem).unwrap();
    let mut options = StartOptions::default();
    // This provider gives no offline access without it.
    options.prompt = Some(Prompt::Consent);
    for (client, proof) in [
        (CLIENT, ClientAuthentication::secret(SECRET)),
        (
            CERTIFICATE_CLIENT,
            ClientAuthentication::certificate(certificate),
        ),
    ] {
        let flow = AuthorizationCodeFlow::builder(TENANT, client, proof)
            .redirect_uri("https://shop.example/callback")
            .scopes(["api:read"])
            .cloud(provider.cloud.clone())
            .transport(Arc::clone(&provider.transport))
            .build()
            .unwrap();
        let (url, state) = flow.start(&options).unwrap();
        let callback = browse(&provider, url.as_str()).await;
        let adele = flow.finish(state, &callback).await.unwrap();
        assert_eq!(adele.account().home_account_id, format!("adele.{TENANT}"));
        let first = adele.token(&request()).await.unwrap();
        let rotated = adele.refresh_token().unwrap();
        let second = adele.token(&request().with_force_refresh()).await.unwrap();
        assert_ne!(first.expose_secret(), second.expose_secret());
        assert_ne!(
            adele.refresh_token().unwrap(),
            rotated,
            "the newer one is kept"
        );

        // A verifier of another flow and a second use of the code are rejected.
        let (url, state) = flow.start(&options).unwrap();
        let callback = browse(&provider, url.as_str()).await;
        let stored = serde_json::to_value(&state).unwrap();
        let mut forged = stored.clone();
        forged["verifier"] = "x".repeat(43).into();
        for (state, taken) in [(&forged, false), (&stored, true), (&stored, false)] {
            let state = serde_json::from_value(state.clone()).unwrap();
            match flow.finish(state, &callback).await {
                Ok(_) => assert!(taken),
                Err(error) => {
                    assert!(!taken);
                    assert_eq!(error.oauth_error(), Some("invalid_grant"));
                }
            }
        }
    }
}

#[cfg(feature = "sign-in")]
#[tokio::test]
async fn id_token_of_the_provider_is_valid_for_its_client_and_nonce_only() {
    use entra_auth::{TokenValidator, validate::TokenValidationErrorKind};
    use entra_core::url::form_urlencoded;

    let Some(provider) = provider().await else {
        return;
    };
    let flow = AuthorizationCodeFlow::builder(TENANT, CLIENT, ClientAuthentication::secret(SECRET))
        .redirect_uri("https://shop.example/callback")
        .scopes(["profile"])
        .cloud(provider.cloud.clone())
        .transport(Arc::clone(&provider.transport))
        .build()
        .unwrap();
    let mut options = StartOptions::default();
    options.prompt = Some(Prompt::Consent);
    let (url, state) = flow.start(&options).unwrap();
    let nonce = url.query_pairs().find(|(name, _)| name == "nonce");
    let nonce = nonce.unwrap().1;
    let callback = browse(&provider, url.as_str()).await;
    let callback: BTreeMap<_, _> = form_urlencoded::parse(callback.as_bytes()).collect();
    let state = serde_json::to_value(&state).unwrap();
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "authorization_code")
        .append_pair("client_id", CLIENT)
        .append_pair("client_secret", SECRET)
        .append_pair("redirect_uri", "https://shop.example/callback")
        .append_pair("code", &callback["code"])
        .append_pair("code_verifier", state["verifier"].as_str().unwrap())
        .finish();
    let endpoint = provider.cloud.token_endpoint(&TENANT.parse().unwrap());
    let request = http::Request::post(endpoint.as_str())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from(form))
        .unwrap();
    let response = provider.transport.send(request).await.unwrap();
    let response: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    let sent = response["id_token"].as_str().unwrap();

    let at = |client: &str| {
        TokenValidator::id_tokens(TENANT, client)
            .cloud(provider.cloud.clone())
            .transport(Arc::clone(&provider.transport))
            .build()
            .unwrap()
    };
    let ours = at(CLIENT);
    let token = ours.validate_id_token(sent, Some(&nonce)).await.unwrap();
    assert_eq!((token.sub(), token.audience()), ("adele", CLIENT));
    assert_eq!(token.tid(), None);
    let rejected = ours.validate_id_token(sent, Some("n-of-another")).await;
    assert_eq!(
        rejected.unwrap_err().kind(),
        TokenValidationErrorKind::Nonce
    );
    let rejected = at(CERTIFICATE_CLIENT).validate(sent).await;
    assert_eq!(
        rejected.unwrap_err().kind(),
        TokenValidationErrorKind::Audience
    );
    let (message, signature) = sent.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let bent = format!("{message}.{first}{}", &signature[1..]);
    let rejected = ours.validate(&bent).await;
    assert_eq!(
        rejected.unwrap_err().kind(),
        TokenValidationErrorKind::Signature
    );
}
