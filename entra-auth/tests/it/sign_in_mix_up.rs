//! An attacker's provider beside Entra, which must not receive codes of Entra (mix-up, RFC 9207,
//! RFC 9700 4.4).

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use entra_auth::{
    ErrorKind, SignInClient,
    sign_in::{Connections, SignInClientBuilder, SignInErrorKind as Kind},
    user::{AuthorizationCodeFlow, Callback, ClientAuthentication, PendingSignIn, StartOptions},
};
use entra_core::{Cloud, HttpTransport, RetryPolicy, TransportError, bytes::Bytes, http, url::Url};
use entra_mock::{App, FakeTenant};
use serde_json::json;

use crate::{
    sign_in_support::{CALLBACK, Service, builder_for, callback, copy, stored, success},
    support::{CLIENT, TENANT, response},
    validate_support::{OTHER_TENANT, SERVICE_KEY, clock, issuer_v2},
};

const VICTIM: &str = "adele@contoso.com";
pub(crate) const EVIL: &str = "https://evil.example";

/// The attacker's provider: a discovery document, an authorization and a token endpoint, which record
/// their requests.
#[derive(Debug, Default)]
pub(crate) struct Attacker(Mutex<Vec<String>>);

impl Attacker {
    /// The forms that the token endpoint received.
    pub(crate) fn received(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn cloud() -> Cloud {
        let place = |path: &str| format!("{EVIL}/{path}");
        Cloud::openid_provider(EVIL, &place("token"), Some(&place("authorize")), None).unwrap()
    }

    /// A connection of the application with this provider.
    pub(crate) fn connection(self: &Arc<Self>, redirect_uri: &str) -> SignInClientBuilder {
        SignInClient::builder(TENANT, CLIENT, ClientAuthentication::secret("s3cr3t"))
            .name("evil")
            .redirect_uri(redirect_uri)
            .cloud(Self::cloud())
            .transport(Arc::clone(self))
            .retry_policy(RetryPolicy::once())
    }
}

#[async_trait]
impl HttpTransport for Attacker {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let body = match request.uri().path() {
            "/.well-known/openid-configuration" => {
                json!({ "issuer": EVIL, "jwks_uri": format!("{EVIL}/keys") })
            }
            "/keys" => json!({ "keys": [SERVICE_KEY.jwk()] }),
            _ => {
                let form = String::from_utf8_lossy(request.body()).into_owned();
                self.0.lock().unwrap().push(form);
                json!({ "error": "invalid_grant" })
            }
        };
        Ok(response(200, &body.to_string()))
    }
}

/// The URL to which the attacker's provider redirects the victim's browser: Entra's, as for the
/// attacker's own sign-in there, but with the state of the victim's sign-in at the provider.
pub(crate) fn forwarded(attackers: &str, state: &str, redirect_uri: &str) -> String {
    let mut url = Url::parse(attackers).unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let mut query = url.query_pairs_mut();
    query.clear();
    for (name, value) in &pairs {
        let value = match name.as_str() {
            "state" => state,
            "redirect_uri" => redirect_uri,
            _ => value,
        };
        query.append_pair(name, value);
    }
    drop(query);
    url.into()
}

fn own_callback(name: &str) -> String {
    format!("{CALLBACK}/{name}")
}

async fn tenant() -> (FakeTenant, App) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Shop")
        .redirect_uri(CALLBACK)
        .redirect_uri(&own_callback("contoso"))
        .delegated_permission("User.Read")
        .with_secret();
    (tenant, app)
}

fn contoso(tenant: &FakeTenant, app: &App, redirect_uri: &str) -> SignInClient {
    let credential = ClientAuthentication::secret(app.secret());
    SignInClient::builder(tenant.id(), app.client_id(), credential)
        .name("contoso")
        .redirect_uri(redirect_uri)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_code_for_one_connection_never_reaches_the_provider_of_another() {
    let (tenant, app) = tenant().await;
    let attacker = Arc::new(Attacker::default());
    let evil = attacker.connection(&own_callback("evil"));
    let evil = evil.clock(tenant.clock()).build().unwrap();
    let connections = Connections::new();
    let contoso = contoso(&tenant, &app, &own_callback("contoso"));
    connections.add(contoso.clone()).unwrap();
    connections.add(evil.clone()).unwrap();

    // The attacker starts a sign-in at Entra, and the victim starts one at the attacker's provider.
    let (attackers_url, attackers) = contoso.start(&StartOptions::default()).unwrap();
    let (_, victims) = evil.start(&StartOptions::default()).unwrap();
    let forwarded_url = forwarded(
        attackers_url.as_str(),
        victims.id(),
        &own_callback("contoso"),
    );
    let redirected = tenant.sign_in_at(&forwarded_url, VICTIM);
    assert_eq!(redirected.parameter("state").as_deref(), Some(victims.id()));
    let path = redirected
        .address()
        .strip_prefix("https://shop.example")
        .unwrap();

    // The application may pass the URL, its path, or a form with its redirect URI.
    let form = redirected.query();
    let callbacks = [
        Callback::from(redirected.address()),
        Callback::from(path),
        Callback::form("/callback/contoso", &form),
    ];
    for callback in callbacks {
        let finished = connections.finish(copy(&victims), callback).await;
        assert_eq!(finished.unwrap_err().kind(), Kind::OtherConnection);
        let found = connections.for_flow(&victims).unwrap();
        let finished = found.finish(copy(&victims), callback).await;
        assert_eq!(finished.unwrap_err().kind(), Kind::OtherConnection);
        let finished = evil.finish(copy(&victims), callback).await;
        assert_eq!(finished.unwrap_err().kind(), Kind::OtherConnection);
        let finished = contoso.finish(copy(&victims), callback).await;
        assert_eq!(finished.unwrap_err().kind(), Kind::OtherConnection);
    }
    // Without the path the connection is unknown, which is a configuration error at the first sign-in.
    for callback in [form.clone(), format!("?{form}")] {
        for finished in [
            connections.finish(copy(&victims), &callback).await,
            evil.finish(copy(&victims), &callback).await,
        ] {
            let error = finished.unwrap_err();
            assert_eq!(error.kind(), Kind::Configuration);
            assert!(error.to_string().contains("give the path"), "{error}");
        }
    }
    assert!(attacker.received().is_empty());
    tenant.requests().to("/token").assert_count(0);

    // The code is valid: with it the attacker would be signed in as the victim.
    let code = redirected.parameter("code").unwrap();
    let replayed = format!("/callback/contoso?code={code}&state={}", attackers.id());
    let session = connections.finish(attackers, &replayed).await.unwrap();
    assert_eq!(session.identity().username.as_deref(), Some(VICTIM));
}

#[tokio::test]
async fn the_user_flows_send_a_code_only_to_the_service_of_its_sign_in() {
    let (tenant, app) = tenant().await;
    let attacker = Arc::new(Attacker::default());
    let credential = ClientAuthentication::secret(app.secret());
    // The same client id at both.
    let flow = |redirect_uri: String| {
        AuthorizationCodeFlow::builder(tenant.id(), app.client_id(), credential.clone())
            .redirect_uri(redirect_uri)
            .clock(tenant.clock())
            .retry_policy(RetryPolicy::once())
    };
    let contoso = flow(own_callback("contoso"))
        .cloud(tenant.cloud())
        .build()
        .unwrap();
    let evil = flow(own_callback("evil")).cloud(Attacker::cloud());
    let evil = evil.transport(Arc::clone(&attacker)).build().unwrap();
    let (url, own) = contoso.start(&StartOptions::default()).unwrap();
    let (_, victims) = evil.start(&StartOptions::default()).unwrap();
    let forwarded_url = forwarded(url.as_str(), victims.id(), &own_callback("contoso"));
    let redirected = tenant.sign_in_at(&forwarded_url, VICTIM);
    let error = evil
        .finish(copy(&victims), redirected.address())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    // If the response names an issuer, it must be the expected one.
    let (_, flow) = contoso.start(&StartOptions::default()).unwrap();
    let named = format!("code=c&state={}&iss={}", flow.id(), encoded(EVIL));
    let error = contoso.finish(flow, &named).await.unwrap_err();
    assert!(format!("{error:?}").contains("another issuer"), "{error:?}");
    // The other flow does not finish a sign-in that it did not start, with or without a redirect URI.
    let replayed = format!("code=c&state={}", own.id());
    for finished in [
        contoso.finish(victims, &redirected.query()).await,
        evil.finish(own, &replayed).await,
    ] {
        let error = finished.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected);
        assert!(
            format!("{error:?}").contains("another application or service"),
            "{error:?}"
        );
    }
    assert!(attacker.received().is_empty());
    tenant.requests().to("/token").assert_count(0);
}

#[tokio::test]
async fn the_user_flows_require_the_issuer_if_the_metadata_promises_it() {
    let attacker = Arc::new(Attacker::default());
    let cloud_with_issuer = Attacker::cloud().with_issuer_in_responses();
    let flow = AuthorizationCodeFlow::builder(TENANT, CLIENT, ClientAuthentication::public())
        .redirect_uri(CALLBACK)
        .cloud(cloud_with_issuer.clone())
        .transport(Arc::clone(&attacker))
        .build()
        .unwrap();
    let client = attacker.connection(CALLBACK).cloud(cloud_with_issuer);
    let client = client.build().unwrap();
    for outcome in ["code=c", "error=access_denied"] {
        let (_, pending) = flow.start(&StartOptions::default()).unwrap();
        let redirected = format!("{CALLBACK}?{outcome}&state={}", pending.id());
        let error = flow.finish(pending, &redirected).await.unwrap_err();
        assert!(format!("{error:?}").contains("no issuer"), "{error:?}");
        let (_, pending) = client.start(&StartOptions::default()).unwrap();
        let redirected = format!("{CALLBACK}?{outcome}&state={}", pending.id());
        let error = client.finish(pending, &redirected).await.unwrap_err();
        assert_eq!(error.kind(), Kind::IssuerMismatch);
    }
    assert!(attacker.received().is_empty());
}

#[tokio::test]
async fn a_response_of_unknown_origin_gives_no_provider_a_code() {
    let attacker = Arc::new(Attacker::default());
    let flow = AuthorizationCodeFlow::builder(TENANT, CLIENT, ClientAuthentication::public())
        .redirect_uri(CALLBACK)
        .cloud(Attacker::cloud())
        .transport(Arc::clone(&attacker))
        .build()
        .unwrap();
    let client = attacker.connection(CALLBACK).build().unwrap();
    // A code of Entra, whose user the provider has forwarded there.
    let (_, pending) = flow.start(&StartOptions::default()).unwrap();
    let query = format!("code=c&state={}", pending.id());
    let error = flow.finish(pending, &query).await.unwrap_err();
    assert!(format!("{error:?}").contains("give the path"), "{error:?}");
    let (_, pending) = client.start(&StartOptions::default()).unwrap();
    let query = format!("code=c&state={}", pending.id());
    let error = client.finish(pending, &query).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    assert!(attacker.received().is_empty());
    // With the path, the code is known to be the provider's own.
    let (_, pending) = flow.start(&StartOptions::default()).unwrap();
    let at_path = format!("{CALLBACK}?code=c&state={}", pending.id());
    flow.finish(pending, &at_path).await.unwrap_err();
    assert_eq!(attacker.received().len(), 1);
    // No code is sent for an error, so it is what the service says.
    let (_, pending) = client.start(&StartOptions::default()).unwrap();
    let declined = format!("error=access_denied&state={}", pending.id());
    let error = client.finish(pending, &declined).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Declined);
}

#[tokio::test]
async fn a_callback_is_shared_only_at_one_login_host() {
    let attacker = Arc::new(Attacker::default());
    let service = Service::new();
    let entra = |tenant: &str, name: &str, cloud: Cloud| {
        let builder = builder_for(tenant, &service, &clock()).name(name);
        builder.cloud(cloud).build().unwrap()
    };
    let other_spellings = [
        CALLBACK.to_owned(),
        format!("{CALLBACK}?connection=evil"),
        CALLBACK.replace("https", "HTTPS").replace("shop", "SHOP"),
        CALLBACK.replace("example/", "example:443/x/../"),
        // Behind a proxy the application may not know its host.
        CALLBACK.replace("shop", "other"),
    ];
    let connections = Connections::new();
    connections
        .add(entra(TENANT, "a", Cloud::public()))
        .unwrap();
    // Connections of many tenants of one cloud, with any alias of its host.
    connections
        .add(entra(OTHER_TENANT, "b", Cloud::public()))
        .unwrap();
    let alias = Cloud::custom("https://login.windows.net", "https://graph.microsoft.com");
    connections.add(entra(TENANT, "c", alias.unwrap())).unwrap();
    for spelling in &other_spellings {
        let error = connections.add(attacker.connection(spelling).build().unwrap());
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{spelling}");
        assert!(error.to_string().contains("another login host"), "{error}");
    }
    let own_service = Cloud::custom(EVIL, "https://graph.microsoft.com").unwrap();
    // A service at another host is not Microsoft's, whatever it claims.
    let claims = own_service.clone().with_authority_aliases(
        "login.microsoftonline.com",
        ["login.microsoftonline.com", "evil.example"],
    );
    for cloud in [own_service, claims, Cloud::us_government(), Cloud::china()] {
        connections.add(entra(TENANT, "d", cloud)).unwrap_err();
    }
    // An issuer at Microsoft's host with a token endpoint at another host is no provider.
    let issuer = issuer_v2(TENANT);
    Cloud::openid_provider(&issuer, &format!("{EVIL}/token"), None, None).unwrap_err();
    assert_eq!(connections.len(), 3);
    // Replacing one of several connections does not change the login host; replacing the only one does.
    let evil_a = |name: &str| {
        let builder = attacker.connection(CALLBACK).name(name);
        builder.build().unwrap()
    };
    connections.add(evil_a("a")).unwrap_err();
    assert_eq!(
        connections.by_name("a").unwrap().tenant().to_string(),
        TENANT
    );
    connections.remove("b");
    connections.remove("c");
    connections.add(evil_a("a")).unwrap();
    connections
        .add(entra(TENANT, "b", Cloud::public()))
        .unwrap_err();
}

#[tokio::test]
async fn a_sign_in_is_not_finished_at_another_service_of_the_same_name() {
    let service = Service::new();
    let entra = builder_for(TENANT, &service, &clock())
        .name("evil")
        .build()
        .unwrap();
    let connections = Connections::from(entra.clone());
    let (_, flow) = entra.start(&StartOptions::default()).unwrap();
    // Name, tenant, client id and redirect URI are equal.
    let attacker = Arc::new(Attacker::default());
    let evil = attacker
        .connection(CALLBACK)
        .clock(clock())
        .build()
        .unwrap();
    connections.add(evil.clone()).unwrap();
    let redirected = callback(&flow);
    for finished in [
        connections.finish(copy(&flow), &redirected).await,
        evil.finish(copy(&flow), &redirected).await,
    ] {
        assert_eq!(finished.unwrap_err().kind(), Kind::OtherConnection);
    }
    assert!(attacker.received().is_empty());
    // The same for a pending sign-in that was stored without the service.
    let mut older = stored(&flow);
    older.as_object_mut().unwrap().remove("authority");
    let older = crate::sign_in_support::restored(&older);
    let error = entra.finish(older, &redirected).await.unwrap_err();
    assert_eq!(error.kind(), Kind::OtherConnection);
    service.respond(200, &success(&flow, json!({})));
    entra.finish(flow, &redirected).await.unwrap();
}

/// A service whose discovery document has this value for the parameter `iss`.
fn service_with_issuer_parameter(promise: &serde_json::Value) -> (Arc<Service>, SignInClient) {
    let service = Service::new();
    let place = format!("https://login.microsoftonline.com/{TENANT}");
    let mut document = json!({
        "issuer": issuer_v2(TENANT), "jwks_uri": format!("{place}/discovery/v2.0/keys"),
    });
    if !promise.is_null() {
        document["authorization_response_iss_parameter_supported"] = promise.clone();
    }
    let metadata = format!("{place}/v2.0/.well-known/openid-configuration");
    service.metadata.respond_at(&metadata, &document);
    let client = builder_for(TENANT, &service, &clock()).build().unwrap();
    (service, client)
}

fn encoded(text: &str) -> String {
    entra_core::url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn a_callback_without_the_promised_issuer_is_rejected() {
    let (service, client) = service_with_issuer_parameter(&json!(true));
    let start = || client.start(&StartOptions::default()).unwrap().1;
    let without = |flow: &PendingSignIn| callback(flow);
    let declined = |flow: &PendingSignIn| {
        format!(
            "{CALLBACK}?error=access_denied&error_subcode=cancel&state={}",
            flow.id()
        )
    };
    let wrong = |flow: &PendingSignIn| format!("{}&iss={}", callback(flow), encoded(EVIL));
    let empty = |flow: &PendingSignIn| format!("{}&iss=", callback(flow));
    let flows: [&dyn Fn(&PendingSignIn) -> String; 4] = [&without, &declined, &wrong, &empty];
    for callback in flows {
        let flow = start();
        let redirected = callback(&flow);
        let error = client.finish(flow, &redirected).await.unwrap_err();
        assert_eq!(error.kind(), Kind::IssuerMismatch, "{redirected}");
    }
    assert!(service.forms().is_empty(), "no code went anywhere");
    let flow = start();
    service.respond(200, &success(&flow, json!({})));
    let named = format!("{}&iss={}", callback(&flow), encoded(&issuer_v2(TENANT)));
    client.finish(flow, &named).await.unwrap();
}

#[tokio::test]
async fn without_a_promise_only_a_wrong_issuer_is_rejected() {
    for promise in [json!(null), json!(false)] {
        let (service, client) = service_with_issuer_parameter(&promise);
        let (_, flow) = client.start(&StartOptions::default()).unwrap();
        let wrong = format!("{}&iss={}", callback(&flow), encoded(EVIL));
        let error = client.finish(flow, &wrong).await.unwrap_err();
        assert_eq!(error.kind(), Kind::IssuerMismatch);
        assert!(service.forms().is_empty());
        let (_, flow) = client.start(&StartOptions::default()).unwrap();
        service.respond(200, &success(&flow, json!({})));
        let redirected = callback(&flow);
        client.finish(flow, &redirected).await.unwrap();
    }
}

#[tokio::test]
async fn a_code_is_not_sent_while_the_metadata_is_unavailable() {
    let (service, client) = service_with_issuer_parameter(&json!(true));
    service.metadata.fail(true);
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    let redirected = callback(&flow);
    let error = client.finish(flow, &redirected).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(service.forms().is_empty());
    // The error in the response of the service is returned in any case.
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    let declined = format!(
        "{CALLBACK}?error=access_denied&error_subcode=cancel&state={}",
        flow.id()
    );
    let error = client.finish(flow, &declined).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Declined);
}

#[test]
fn a_connection_name_that_breaks_a_path_is_rejected_at_build() {
    let named = |name: &str| {
        let builder = builder_for(TENANT, &Service::new(), &clock());
        builder.name(name).build()
    };
    let long = "x".repeat(129);
    for bad in ["", ".", "..", "a/b", "a\\b", "../x", "a\nb", "a\0", &long] {
        let error = named(bad).unwrap_err();
        assert_eq!(error.kind(), Kind::Configuration, "{bad:?}");
    }
    for valid in ["acme", "a b", "\u{e9}", "a.b", "...", "%2e%2e", "a?b#c"] {
        named(valid).unwrap();
    }
    let unnamed = builder_for(TENANT, &Service::new(), &clock())
        .build()
        .unwrap();
    assert_eq!(unnamed.name(), format!("{TENANT}_{CLIENT}"));
    let blank = builder_for(TENANT, &Service::new(), &clock()).domains([" @ "]);
    assert_eq!(blank.build().unwrap_err().kind(), Kind::Configuration);
}

#[test]
fn a_callback_shows_no_code() {
    let callback = Callback::form("/callback", "code=c4nary-in-a-callback&state=s");
    assert_eq!(format!("{callback:?}"), "Callback");
}
