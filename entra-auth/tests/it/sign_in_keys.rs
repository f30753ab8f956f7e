//! The allowed sources of signing keys: the hosts of the service, and for an application with its own
//! signing keys the metadata that lists them.

use std::sync::Arc;

use entra_auth::{TokenValidator, sign_in::SignInErrorKind, validate::TokenValidationErrorKind};
use entra_core::Cloud;
use serde_json::json;

use crate::{
    sign_in_support::{Service, builder, callback, stored, success_of},
    support::{CLIENT, TENANT},
    validate_support::{
        FOREIGN_KEY, SERVICE_KEY, SignIn, USER, clock, id_token, with_changes, with_service,
    },
};

const HOST: &str = "https://login.microsoftonline.com";

/// A service that lists the application's own key only in the metadata for its client id.
fn service_with_own_keys() -> Arc<Service> {
    let service = Service::new();
    let metadata = format!("{HOST}/{TENANT}/v2.0/.well-known/openid-configuration?appid={CLIENT}");
    let keys = format!("{HOST}/{TENANT}/discovery/v2.0/keys?appid={CLIENT}");
    let issuer = format!("{HOST}/{TENANT}/v2.0");
    let document = json!({ "issuer": issuer, "jwks_uri": keys });
    service.metadata.respond_at(&metadata, &document);
    let own = json!({ "keys": [FOREIGN_KEY.jwk()] });
    service.metadata.respond_at(&keys, &own);
    service
}

#[tokio::test]
async fn an_application_with_its_own_signing_keys_needs_the_setting() {
    for with_setting in [true, false] {
        let service = service_with_own_keys();
        let client = builder(&service, &clock());
        let client = match with_setting {
            true => client.own_signing_keys(),
            false => client,
        };
        let client = client.build().unwrap();
        let (_, flow) = client.start(&Default::default()).unwrap();
        let nonce = json!({ "nonce": stored(&flow)["nonce"] });
        let token = FOREIGN_KEY.token(&with_changes(id_token(), nonce));
        service.respond(200, &success_of(&token, USER, TENANT));
        let response = callback(&flow);
        let outcome = client.finish(flow, &response).await;
        let requested = service.metadata.requested_urls();
        assert_eq!(
            requested.iter().all(|url| url.contains("appid=")),
            with_setting
        );
        match outcome {
            Ok(session) => {
                assert!(with_setting);
                assert_eq!(session.identity().oid.to_string(), USER);
            }
            Err(error) => {
                assert!(!with_setting);
                assert_eq!(error.kind(), SignInErrorKind::TokenRejected);
                let admin = error.for_admin();
                assert!(
                    admin.contains("SignInClientBuilder::own_signing_keys"),
                    "{admin}"
                );
            }
        }
    }
}

#[tokio::test]
async fn keys_at_another_host_than_the_issuers_are_never_fetched() {
    for bad in [
        "http://127.0.0.1:8080/keys",
        "https://127.0.0.1/keys",
        "http://169.254.169.254/keys",
        "https://10.0.0.1/keys",
        "https://keys.example/all",
        "keys",
    ] {
        let service = SignIn::new();
        let entra = format!("{HOST}/{TENANT}/v2.0");
        for issuer in [entra.as_str(), "https://id.example"] {
            let metadata = format!("{issuer}/.well-known/openid-configuration");
            service.respond_at(&metadata, &json!({ "issuer": issuer, "jwks_uri": bad }));
        }
        service.respond_at(bad, &json!({ "keys": [SERVICE_KEY.jwk()] }));
        let issuer = "https://id.example";
        let other = Cloud::openid_provider(issuer, issuer, None, None).unwrap();
        for cloud in [Cloud::public(), other] {
            let validator = TokenValidator::id_tokens(TENANT, CLIENT).cloud(cloud);
            let validator = with_service(validator, &service, &clock()).build().unwrap();
            let error = validator
                .validate(&SERVICE_KEY.token(&id_token()))
                .await
                .unwrap_err();
            assert_eq!(
                error.kind(),
                TokenValidationErrorKind::KeysUnavailable,
                "{bad}"
            );
        }
        let requested = service.requested_urls();
        assert_eq!(requested.len(), 2, "{requested:?}");
        assert!(requested.iter().all(|url| url.ends_with("configuration")));
    }
}
