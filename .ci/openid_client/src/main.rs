//! The crate `openidconnect` finds the fake tenant, signs a user in with a code and PKCE, and
//! judges the ID token by the tenant's metadata and keys alone.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use entra_core::Clock as _;
use entra_mock::FakeTenant;
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, SignatureVerificationError, TokenResponse,
    core::{
        CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet,
        CoreProviderMetadata,
    },
};

const CALLBACK: &str = "https://shop.example/callback";
const ADELE: &str = "adele@contoso.com";

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Shop")
        .redirect_uri(CALLBACK)
        .delegated_permission("User.Read")
        .with_secret();
    let issuer = format!("{}/{}/v2.0", tenant.uri(), tenant.id());
    let plain = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let http = |request: HttpRequest| send(plain.clone(), request);

    let metadata =
        CoreProviderMetadata::discover_async(IssuerUrl::new(issuer.clone())?, &http).await?;
    assert_eq!(metadata.issuer().as_str(), issuer);
    // The issuer of `common` is a template, so this crate cannot use it.
    let common = IssuerUrl::new(format!("{}/common/v2.0", tenant.uri()))?;
    assert!(
        CoreProviderMetadata::discover_async(common, &http)
            .await
            .is_err()
    );

    let keys = metadata.jwks_uri().clone();
    let client = CoreClient::from_provider_metadata(
        metadata,
        ClientId::new(app.client_id().to_string()),
        Some(ClientSecret::new(app.secret().expose_secret().to_owned())),
    )
    .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned())?);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scopes(["profile", "email", "User.Read"].map(|scope| Scope::new(scope.to_owned())))
        .set_pkce_challenge(challenge)
        .url();
    let back = tenant.sign_in_at(url.as_str(), ADELE);
    assert_eq!(back.parameter("state").as_ref(), Some(state.secret()));
    let code = AuthorizationCode::new(back.parameter("code").ok_or("no code")?);

    let other = PkceCodeVerifier::new("x".repeat(43));
    let stolen = client
        .exchange_code(code.clone())?
        .set_pkce_verifier(other)
        .request_async(&http)
        .await;
    assert!(stolen.is_err(), "a code without its verifier");
    let tokens = client
        .exchange_code(code)?
        .set_pkce_verifier(verifier)
        .request_async(&http)
        .await?;
    let identity = tokens.id_token().ok_or("no ID token")?;

    let clock = tenant.clock();
    let now = move || {
        DateTime::<Utc>::from_timestamp(clock.now().unix_timestamp(), 0).unwrap_or_default()
    };
    let judge: CoreIdTokenVerifier<'_> = client.id_token_verifier().set_time_fn(&now);
    let claims = identity.claims(&judge, &nonce)?;
    assert_eq!(
        claims.preferred_username().map(|name| name.as_str()),
        Some(ADELE)
    );
    assert_eq!(claims.issuer().as_str(), issuer);

    let rejected = |error: Option<ClaimsVerificationError>,
                   what: &str,
                   is: fn(&ClaimsVerificationError) -> bool| {
        assert!(error.as_ref().is_some_and(is), "{what}: {error:?}");
    };
    rejected(
        identity.claims(&judge, &Nonce::new("another".into())).err(),
        "another nonce",
        |error| matches!(error, ClaimsVerificationError::InvalidNonce(_)),
    );
    let altered: CoreIdToken = altered(&identity.to_string())?.parse()?;
    rejected(
        altered.claims(&judge, &nonce).err(),
        "altered claims",
        |error| {
            matches!(
                error,
                ClaimsVerificationError::SignatureVerification(
                    SignatureVerificationError::CryptoError(_)
                )
            )
        },
    );
    let stranger = tenant
        .register_app("Stranger")
        .redirect_uri(CALLBACK)
        .delegated_permission("User.Read");
    let stray = tenant.tokens_for(&stranger, ADELE, ["openid"]);
    let stray: CoreIdToken = stray.id_token().ok_or("no ID token")?.expose_secret().parse()?;
    rejected(
        stray.claims(&judge, &nonce).err(),
        "another application's token",
        |error| matches!(error, ClaimsVerificationError::InvalidAudience(_)),
    );
    let elsewhere = FakeTenant::builder().random_seed(2).start().await;
    let foreign = elsewhere
        .register_app("Shop")
        .redirect_uri(CALLBACK)
        .delegated_permission("User.Read");
    let foreign = elsewhere.tokens_for(&foreign, ADELE, ["openid"]);
    let foreign: CoreIdToken = foreign.id_token().ok_or("no ID token")?.expose_secret().parse()?;
    rejected(
        foreign.claims(&judge, &nonce).err(),
        "another tenant's token",
        |error| matches!(error, ClaimsVerificationError::InvalidIssuer(_)),
    );
    // The keys it has stay good until a rollover ends; what the new key signs takes new keys.
    tenant.publish_next_signing_key();
    tenant.switch_signing_key();
    assert!(identity.claims(&judge, &nonce).is_ok());
    let later = tenant.tokens_for(&app, ADELE, ["openid"]);
    let later: CoreIdToken = later.id_token().ok_or("no ID token")?.expose_secret().parse()?;
    let any = |_: Option<&Nonce>| Ok(());
    rejected(
        later.claims(&judge, any).err(),
        "a key that is not known yet",
        |error| {
            matches!(
                error,
                ClaimsVerificationError::SignatureVerification(
                    SignatureVerificationError::NoMatchingKey
                )
            )
        },
    );
    let keys = CoreJsonWebKeySet::fetch_async(&keys, &http).await?;
    let judge = CoreIdTokenVerifier::new_public_client(
        ClientId::new(app.client_id().to_string()),
        IssuerUrl::new(issuer.clone())?,
        keys,
    )
    .set_time_fn(&now);
    assert!(later.claims(&judge, any).is_ok());
    assert!(identity.claims(&judge, &nonce).is_ok());

    tenant
        .clock()
        .advance(std::time::Duration::from_secs(2 * 3600));
    rejected(
        identity.claims(&judge, &nonce).err(),
        "an old token",
        |error| matches!(error, ClaimsVerificationError::Expired(_)),
    );
    assert!(tokens.access_token().secret().len() > 100);
    println!(
        "openidconnect: discovery, code with PKCE and ID token; a rollover is followed; another nonce, altered, stray and old ones rejected"
    );
    Ok(())
}

async fn send(
    client: reqwest::Client,
    request: HttpRequest,
) -> Result<HttpResponse, reqwest::Error> {
    let (parts, body) = request.into_parts();
    let inner = client
        .request(parts.method, parts.uri.to_string())
        .headers(parts.headers)
        .body(body)
        .send()
        .await?;
    let mut response = HttpResponse::default();
    *response.status_mut() = inner.status();
    *response.headers_mut() = inner.headers().clone();
    *response.body_mut() = inner.bytes().await?.to_vec();
    Ok(response)
}

/// The token with another name of the user.
fn altered(token: &str) -> Outcome<String> {
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        return Err("not a token".into());
    };
    let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(claims)?)?;
    let changed = claims.replace("\"Adele\"", "\"Admin\"");
    assert_ne!(claims, changed);
    Ok(format!(
        "{header}.{}.{signature}",
        URL_SAFE_NO_PAD.encode(changed)
    ))
}
