//! The types of entra-core.

use std::{sync::Arc, time::Duration};

use entra_core::{
    AccessToken, Bearer, CertificateOutline, ClientId, Clock, Cloud, CredentialDescription,
    CredentialError, CredentialErrorKind, CredentialMaterial, Error, Guid, HttpTransport, JwtError,
    JwtErrorKind, ManualClock, MembershipError, MembershipErrorKind, ObjectId, Pipeline, Request,
    ReqwestTransport, ScriptedTransport, SecretOutline, ServiceFabricTransport, SignInMethod,
    StaticCredential, TenantId, TokenRequest, TransportError,
    bytes::Bytes,
    http::{self, HeaderValue, Method, header},
    url::Url,
};

use crate::{
    Reason,
    shown::{Shown, behind_proxy, canary, canary_text},
};

pub(crate) const WITHOUT_CASE: &[Reason] = &[
    ("Attempt", "numbers and what kind of response there was"),
    ("AttemptOutcome", "what kind of response there was, no more"),
    ("Decision", "a wait and a reason of the program's own"),
];

pub(crate) async fn cases(shown: &Shown) {
    ids(shown);
    transports(shown).await;
    let now = ManualClock::new().now();
    shown.debug(&ManualClock::new());
    shown.debug(&canary("secret"));
    shown.debug(&AccessToken::new(canary("token"), now));
    shown.debug(&StaticCredential::new(&canary_text("static")));
    shown.debug(&TokenRequest::new(["https://graph.microsoft.com/.default"]));
    shown.debug(&Cloud::public());
    shown.error(&Error::configuration("a setting is invalid"));
    shown.error(&CredentialError::new(
        CredentialErrorKind::Rejected,
        "the secret is invalid",
    ));
    shown.error(&MembershipError::new(
        MembershipErrorKind::Unavailable,
        "the directory does not respond",
    ));
    shown.error(&JwtError::new(
        JwtErrorKind::Invalid,
        "the token has expired",
    ));
    shown.debug(&SecretOutline::of(&canary("outlined")));
    let material = CredentialMaterial::Certificate {
        key_and_certificate: canary("material"),
        passphrase: Some(canary("passphrase")),
    };
    shown.debug(&material);
    let certificate = CertificateOutline::new("5A1F", now, now);
    shown.debug(&certificate);
    let method = SignInMethod::Certificate(certificate);
    shown.debug(&method);
    shown.debug(&CredentialDescription::of_application(
        Cloud::public(),
        TenantId::from(Guid::NIL),
        ClientId::from(Guid::NIL),
        method,
    ));
    calls(shown).await;
}

fn ids(shown: &Shown) {
    // A secret in the place of an id.
    let text = canary_text("in-place-of-an-id");
    shown.error(&text.parse::<ClientId>().unwrap_err());
    shown.error(&text.parse::<TenantId>().unwrap_err());
    shown.display(&Guid::NIL);
    shown.display(&ClientId::from(Guid::NIL));
    shown.display(&ObjectId::from(Guid::NIL));
    shown.display(&TenantId::from(Guid::NIL));
}

async fn transports(shown: &Shown) {
    let key = format!(
        "-----BEGIN PRIVATE KEY----- {} -----END PRIVATE KEY-----",
        canary_text("key")
    );
    let builder = ReqwestTransport::builder();
    for read in [
        builder.clone().client_identity_pem(key.as_bytes()),
        builder.clone().add_roots_pem(key.as_bytes()),
        builder
            .clone()
            .proxy(&format!("://{}", canary_text("proxy"))),
        builder
            .clone()
            .proxy(&format!("http://{}@[", canary_text("proxy"))),
    ] {
        if let Err(error) = read {
            shown.error(&error);
        }
    }
    let proxy = format!("http://{}:x@127.0.0.1:9", canary_text("proxy"));
    let builder = builder
        .proxy(&proxy)
        .unwrap()
        .connect_timeout(Duration::from_secs(2));
    shown.debug(&builder);
    let transport = builder.build();
    shown.debug(&transport);
    let request = http::Request::get(format!("https://graph.example/?{}", canary_text("link")));
    let failed = transport.send(request.body(Bytes::new()).unwrap()).await;
    shown.error(&failed.unwrap_err());
    shown.debug(&transport);
    let node = Url::parse("https://127.0.0.1:9/").unwrap();
    shown.debug(&ServiceFabricTransport::new(&node, [0; 20]));
    let scripted = ScriptedTransport::new().then(200, &[], canary_text("body"));
    shown.debug(&scripted);
}

async fn calls(shown: &Shown) {
    let url = Url::parse(&format!(
        "https://graph.example/users?$skiptoken={}",
        canary_text("link")
    ))
    .unwrap();
    let credential = Arc::new(StaticCredential::new(&canary_text("bearer")));
    let bearer = Bearer::new(credential, TokenRequest::new(["scope"]));
    shown.debug(&bearer);
    let cookie = HeaderValue::from_str(&canary_text("cookie")).unwrap();
    let request = Request::new("read users", Method::GET, url.clone())
        .with_header(header::COOKIE, cookie)
        .with_body("text/plain", canary_text("sent"))
        .with_bearer(bearer);
    shown.debug(&request);
    let body = canary_text("received");
    let transport = ScriptedTransport::new()
        .then(503, &[("set-cookie", &body)], body.clone())
        .then(200, &[("set-cookie", &body)], body.clone())
        .then_fail(TransportError::invalid_request("no such host"));
    let builder = Pipeline::builder(Arc::new(transport))
        .origin(&url)
        .clock(Arc::new(ManualClock::new()));
    shown.debug(&builder);
    let pipeline = builder.build();
    shown.debug(&pipeline);
    shown.debug(&pipeline.send(request.clone()).await.unwrap());
    shown.error(&pipeline.send(request).await.unwrap_err());
    let elsewhere = Url::parse(&format!("https://evil.example/{}", "path")).unwrap();
    shown.error(&pipeline.check(&elsewhere).unwrap_err());
    let proxied = Pipeline::builder(Arc::new(behind_proxy()));
    shown.debug(&proxied.build());
}
