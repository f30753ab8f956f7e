//! What this crate implements of core's traits for entra-graph: the factory, descriptions, the verifier.

use std::{future::ready, sync::Arc, time::Duration};

use entra_auth::{
    ApplicationCredentialFactory, Certificate, ClientCertificateCredential, ClientSecretCredential,
    CredentialOptions, Error, ErrorKind, TokenCache,
};
use entra_core::{
    BoxFuture, CredentialErrorKind, CredentialFactory, CredentialMaterial, Pacer, Pipeline,
    Request, ScriptedTransport, Secret, SignInMethod, TokenCredential, TokenRequest,
    bytes::Bytes,
    http::{Method, Response},
    url::Url,
};
use entra_mock::FakeTenant;

fn factory(tenant: &FakeTenant) -> ApplicationCredentialFactory {
    let options = CredentialOptions::new().cloud(tenant.cloud());
    ApplicationCredentialFactory::new(&options.clock(tenant.clock()))
}

fn certificate_of(tenant: &FakeTenant) -> CredentialMaterial {
    CredentialMaterial::Certificate {
        key_and_certificate: Secret::from(tenant.test_certificate_pem()),
        passphrase: None,
    }
}

#[tokio::test]
async fn factory_makes_credentials_of_secret_and_certificate() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Night job")
        .with_certificate(tenant.test_certificate_pem())
        .with_secret();
    let request = TokenRequest::new([tenant.cloud().graph_scope()]);
    for material in [
        CredentialMaterial::Secret(app.secret()),
        certificate_of(&tenant),
    ] {
        let credential = factory(&tenant)
            .credential(&tenant.id(), app.client_id(), &material)
            .unwrap();
        credential.token(&request).await.unwrap();
    }
    for invalid in ["line feed\n", ""] {
        let material = CredentialMaterial::Secret(Secret::from(invalid));
        let made = factory(&tenant).credential(&tenant.id(), app.client_id(), &material);
        assert_eq!(made.unwrap_err().kind(), CredentialErrorKind::Configuration);
    }
}

#[cfg(feature = "workload-identity")]
#[tokio::test]
async fn factory_makes_a_credential_of_a_federated_token() {
    let tenant = FakeTenant::start().await;
    let issuer = "https://tokens.example.com";
    let app = tenant.register_app("Deploy");
    let app = app.with_federated_credential(issuer, "main");
    let request = TokenRequest::new([tenant.cloud().graph_scope()]);
    for (subject, code) in [("main", None), ("develop", Some(700_213))] {
        let jwt = Secret::from(tenant.federated_token(issuer, subject));
        let material = CredentialMaterial::Assertion(jwt);
        let credential = factory(&tenant)
            .credential(&tenant.id(), app.client_id(), &material)
            .unwrap();
        assert_eq!(
            credential.description().method,
            Some(SignInMethod::Assertion)
        );
        let outcome = credential.token(&request).await;
        assert_eq!(outcome.err().and_then(|error| error.code()), code);
    }
}

#[cfg(not(feature = "workload-identity"))]
#[test]
fn a_federated_token_needs_the_feature() {
    let material = CredentialMaterial::Assertion(Secret::from("a.b.c"));
    let client = crate::support::CLIENT.parse().unwrap();
    let made = ApplicationCredentialFactory::default().credential(
        &"contoso.com".parse().unwrap(),
        client,
        &material,
    );
    let error = made.unwrap_err();
    assert!(error.fix().unwrap().contains("workload-identity"));
}

#[tokio::test]
async fn a_credential_of_the_factory_never_takes_a_token_from_a_shared_cache() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    let cache = TokenCache::new();
    let options = CredentialOptions::new().cloud(tenant.cloud());
    let options = options.clock(tenant.clock()).cache(&cache);
    let request = TokenRequest::new([tenant.cloud().graph_scope()]);
    let in_use = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret());
    let in_use = in_use.options(&options).build().unwrap();
    in_use.token(&request).await.unwrap();

    let wrong = CredentialMaterial::Secret(Secret::from("not the secret of it"));
    let credential = ApplicationCredentialFactory::new(&options)
        .credential(&tenant.id(), app.client_id(), &wrong)
        .unwrap();
    let error = credential.token(&request).await.unwrap_err();
    assert_eq!(error.code(), Some(7_000_215));
    assert!(error.fix().is_some() && error.correlation_id().is_some());
}

#[tokio::test]
async fn a_credential_describes_its_application_and_what_it_signs_in_with() {
    let tenant = FakeTenant::start().await;
    let pem = tenant.test_certificate_pem();
    let app = tenant.register_app("Night job").with_secret();
    let secret = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
        .cloud(tenant.cloud())
        .build()
        .unwrap();
    let known = secret.description();
    assert_eq!(known.cloud, Some(tenant.cloud()));
    assert_eq!(known.tenant, Some(tenant.id()));
    assert_eq!(known.client_id, Some(app.client_id()));
    let Some(SignInMethod::Secret(outline)) = known.method else {
        panic!("{known:?}");
    };
    assert_eq!(outline.length, app.secret().expose_secret().chars().count());
    assert!(!format!("{:?}", secret.description()).contains(app.secret().expose_secret()));

    let certificate = Certificate::from_pem(&pem).unwrap();
    let thumbprint = certificate.thumbprint_sha1();
    let bytes = entra_core::ProofSigner::sha1_thumbprint(&certificate);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    assert_eq!(hex, thumbprint);
    let credential =
        ClientCertificateCredential::new(tenant.id(), app.client_id(), certificate).unwrap();
    let Some(SignInMethod::Certificate(outline)) = credential.description().method else {
        panic!("{:?}", credential.description());
    };
    assert_eq!(outline.thumbprint_sha1, thumbprint);
    assert!(outline.not_before < outline.not_after);

    let chain = entra_auth::ChainedCredential::new().link("secret", secret);
    assert_eq!(chain.description(), Default::default());
    let request = TokenRequest::new([tenant.cloud().graph_scope()]);
    chain.token(&request).await.unwrap();
    assert_eq!(chain.description().client_id, known.client_id);
}

#[cfg(feature = "sign-in")]
#[tokio::test]
async fn a_validator_tells_invalid_tokens_from_those_it_could_not_verify() {
    use entra_auth::TokenValidator;
    use entra_core::{JwtErrorKind, JwtVerifier, ScriptedTransport};

    let tenant = FakeTenant::start().await;
    let api = tenant.register_app("Tasks").expose_scope("Tasks.Read");
    let app = tenant
        .register_app("Board")
        .delegated_permission_of(&api, "Tasks.Read")
        .with_secret();
    let scope = format!("api://{}/Tasks.Read", api.client_id());
    let tokens = tenant.tokens_for(&app, "adele@contoso.com", [scope]);
    let token = tokens.access_token();
    let validator = || {
        let audience = format!("api://{}", api.client_id());
        TokenValidator::access_tokens(tenant.id(), [audience]).cloud(tenant.cloud())
    };
    let verifier = validator().clock(tenant.clock()).build().unwrap();
    let verifier: &dyn JwtVerifier = &verifier;
    let claims = verifier.verify(token.expose_secret()).await.unwrap();
    assert_eq!(claims["scp"], "Tasks.Read");
    let cut = token.expose_secret().trim_end_matches(|last| last != '.');
    let error = verifier.verify(cut).await.unwrap_err();
    assert_eq!(error.kind(), JwtErrorKind::Invalid);
    assert!(!error.is_transient() && error.fix().is_some());

    let offline = validator()
        .clock(tenant.clock())
        .transport(ScriptedTransport::new())
        .build()
        .unwrap();
    let error = offline.verify(token.expose_secret()).await.unwrap_err();
    assert_eq!(error.kind(), JwtErrorKind::Unavailable);
}

/// A limit that is closed.
#[derive(Debug)]
struct Closed(Duration);

impl Pacer for Closed {
    fn admit(&self, _: Duration) -> BoxFuture<'_, Result<(), Duration>> {
        Box::pin(ready(Err(self.0)))
    }

    fn observe(&self, _: &Response<Bytes>, _: Option<Duration>) -> bool {
        false
    }
}

#[tokio::test]
async fn a_request_that_core_does_not_send_for_a_limit_is_throttled_and_no_wrong_setting() {
    let url = Url::parse("https://graph.example.com/v1.0/users").unwrap();
    let pipeline = Pipeline::builder(Arc::new(ScriptedTransport::new())).origin(&url);
    let wait = Duration::from_secs(900);
    let request = Request::new("read", Method::GET, url).with_pacer(Arc::new(Closed(wait)));
    let error = pipeline.build().send(request).await.unwrap_err();
    let error = Error::from(error);
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert!(error.is_transient());
    assert_eq!(error.retry_after(), Some(wait));
}
