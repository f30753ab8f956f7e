//! Authorities: other providers by their discovery document, names of one place, regions.

use std::{sync::Arc, time::Duration};

use entra_auth::{
    ClientSecretCredential, CredentialBuilder, Discovery, Error, ErrorKind, TokenCache,
};

use entra_core::{Cloud, ManualClock, RetryPolicy, ScriptedTransport, TokenCredential};
use entra_mock::FakeTenant;
use serde_json::json;

use crate::support::{CLIENT, Service, TENANT, decode, graph, number};

const ISSUER: &str = "https://id.example/base";

fn document(issuer: &str, token: &str) -> String {
    format!(r#"{{"issuer":"{issuer}","token_endpoint":"{token}","more":["x"]}}"#)
}

fn discovery(script: &ScriptedTransport) -> CredentialBuilder<Discovery> {
    Discovery::builder()
        .transport(script.clone())
        .retry_policy(RetryPolicy::once())
}

async fn provider(response: &str) -> Result<Cloud, Error> {
    let script = ScriptedTransport::new().then(200, &[], response.to_owned());
    let discovery = discovery(&script).build()?;
    discovery.openid_provider(ISSUER).await
}

#[tokio::test]
async fn provider_document_is_requested_once_a_day_and_again_after_a_failure() {
    let good = document(ISSUER, "https://id.example/t");
    let script = ScriptedTransport::new()
        .then(503, &[], "")
        .then(200, &[], good.clone())
        .then(200, &[], good);
    let clock = ManualClock::new();
    let discovery = discovery(&script).clock(clock.clone()).build().unwrap();
    let error = discovery.openid_provider(ISSUER).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Service);
    assert_eq!(error.status(), Some(503));
    let all = (0..100).map(|_| {
        let discovery = discovery.clone();
        tokio::spawn(async move { discovery.openid_provider(ISSUER).await.unwrap() })
    });
    for cloud in all.collect::<Vec<_>>() {
        let cloud = cloud.await.unwrap();
        let endpoint = cloud.token_endpoint(&TENANT.parse().unwrap());
        assert_eq!(endpoint.as_str(), "https://id.example/t");
    }
    assert_eq!(script.requests().len(), 2);
    assert_eq!(
        script.requests()[0].uri(),
        "https://id.example/base/.well-known/openid-configuration"
    );
    clock.advance(Duration::from_secs(86_400));
    discovery.openid_provider(ISSUER).await.unwrap();
    assert_eq!(script.requests().len(), 3);
}

#[tokio::test]
async fn a_throttled_discovery_is_worth_another_try() {
    for (status, expected) in [
        (429, ErrorKind::Throttled),
        (408, ErrorKind::Service),
        (503, ErrorKind::Service),
        (404, ErrorKind::Rejected),
    ] {
        let script = ScriptedTransport::new().then(status, &[], "");
        let discovery = discovery(&script).build().unwrap();
        let error = discovery.openid_provider(ISSUER).await.unwrap_err();
        assert_eq!(error.kind(), expected, "{status}");
        assert_eq!(error.status(), Some(status));
    }
}

#[tokio::test]
async fn a_provider_that_promises_its_issuer_in_responses_is_held_to_it() {
    let plain = document(ISSUER, "https://id.example/t");
    for (promise, held) in [("", false), ("false", false), ("true", true)] {
        let member = match promise {
            "" => String::new(),
            _ => format!(r#","authorization_response_iss_parameter_supported":{promise}}}"#),
        };
        let response = match promise {
            "" => plain.clone(),
            _ => format!("{}{member}", plain.trim_end_matches('}')),
        };
        let cloud = provider(&response).await.unwrap();
        assert_eq!(cloud.names_issuer_in_responses(), held, "{response}");
    }
}

#[tokio::test]
async fn document_of_another_issuer_or_with_http_endpoints_is_rejected() {
    for response in [
        document("https://evil.example", "https://id.example/t"),
        document(ISSUER, "http://tokens.example/t"),
        document(ISSUER, "t"),
        r#"{"issuer":"https://id.example/base"}"#.to_owned(),
        "<html>".to_owned(),
    ] {
        let error = provider(&response).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{response}");
        assert!(error.fix().is_some());
    }
    for issuer in ["", "id.example"] {
        let error = Discovery::new().openid_provider(issuer).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
    Discovery::new()
        .openid_provider("http://id.example")
        .await
        .unwrap_err();
}

#[tokio::test]
async fn document_with_endpoints_at_another_host_is_rejected() {
    let good = "https://id.example/t";
    for bad in [
        "http://127.0.0.1:6379/",
        "https://127.0.0.1/t",
        "http://localhost/t",
        "https://localhost/t",
        "http://[::1]/t",
        "https://[::ffff:7f00:1]/t",
        "http://169.254.169.254/metadata/identity/oauth2/token",
        "https://169.254.169.254/t",
        "https://10.1.2.3/t",
        "https://172.16.0.1/t",
        "https://192.168.0.1/t",
        "https://[fe80::1]/t",
        "https://[fd12::1]/t",
        "https://0/t",
        "https://intranet/t",
        "https://other.example/t",
        "https://id.example.evil.example/t",
    ] {
        for named in [
            "token_endpoint",
            "authorization_endpoint",
            "device_authorization_endpoint",
            "jwks_uri",
        ] {
            let mut response = json!({ "issuer": ISSUER, "token_endpoint": good });
            response[named] = bad.into();
            let error = provider(&response.to_string()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{named} {bad}");
            let said = error.report().to_string();
            assert!(said.contains("`endpoint_hosts` of the discovery"), "{said}");
        }
    }
}

#[tokio::test]
async fn an_unknown_tenant_is_named_as_the_cause_and_not_the_address() {
    let body = r#"{"error":"invalid_tenant","error_codes":[90002],"error_description":"AADSTS90002: Tenant 'x' not found."}"#;
    let script = ScriptedTransport::new().then(400, &[], body);
    let discovery = discovery(&script).build().unwrap();
    let error = discovery.openid_provider(ISSUER).await.unwrap_err();
    assert_eq!(error.aadsts_code(), Some(90_002));
    assert!(error.cause().unwrap().contains("no tenant"), "{error:?}");
    assert!(error.fix().unwrap().contains("tenant id"), "{error:?}");
}

#[tokio::test]
async fn endpoint_at_a_host_named_by_the_application_is_accepted() {
    let response = json!({
        "issuer": ISSUER, "token_endpoint": "https://tokens.example/t",
        "jwks_uri": "https://keys.example/jwks",
    });
    let script = ScriptedTransport::new().then(200, &[], response.to_string());
    let discovery = discovery(&script).endpoint_hosts(["tokens.example", "keys.example"]);
    let discovery = discovery.build().unwrap();
    let cloud = discovery.openid_provider(ISSUER).await.unwrap();
    let endpoint = cloud.token_endpoint(&TENANT.parse().unwrap());
    assert_eq!(endpoint.as_str(), "https://tokens.example/t");
    let keys = "https://keys.example/jwks".parse().unwrap();
    cloud.check_endpoint("signing keys", &keys).unwrap();
}

#[tokio::test]
async fn an_instance_discovery_that_claims_a_foreign_name_shares_no_tokens() {
    for name in [
        "two.example",
        "login.microsoftonline.com",
        "sts.windows.net",
    ] {
        let response = json!({ "metadata": [
            { "preferred_cache": name, "aliases": ["one.example", name] },
        ] });
        let script = ScriptedTransport::new().then(200, &[], response.to_string());
        let one = Cloud::custom("https://one.example", ISSUER).unwrap();
        let cloud = discovery(&script)
            .build()
            .unwrap()
            .instance(&one)
            .await
            .unwrap();
        assert_eq!(cloud.cache_authority(), one.cache_authority(), "{name}");
        assert!(!cloud.authority_aliases().contains(&name.to_owned()));
    }
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_named() {
    let script = ScriptedTransport::new();
    let error = discovery(&script)
        .build()
        .unwrap()
        .openid_provider(ISSUER)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.fix().unwrap().contains("id.example"));
}

#[tokio::test]
async fn a_token_comes_from_the_endpoint_that_the_provider_names() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Job").with_secret();
    let issuer = format!("{}/{}/v2.0", tenant.uri(), tenant.id());
    let cloud = Discovery::new().openid_provider(&issuer).await.unwrap();
    let credential = ClientSecretCredential::builder("any.example", app.client_id(), app.secret())
        .cloud(cloud)
        .clock(tenant.clock())
        .build()
        .unwrap();
    credential.token(&graph()).await.unwrap();
    let path = format!("/{}/oauth2/v2.0/token", tenant.id());
    tenant.requests().to(&path).assert_count(1);
}

fn at(cloud: Cloud, service: &Arc<Service>, cache: &TokenCache) -> ClientSecretCredential {
    ClientSecretCredential::builder(TENANT, CLIENT, "s")
        .cloud(cloud)
        .transport(Arc::clone(service))
        .cache(cache)
        .build()
        .unwrap()
}

#[tokio::test]
async fn names_of_one_service_share_tokens_and_other_clouds_do_not() {
    let (service, cache) = (Service::new(), TokenCache::new());
    let custom = |authority: &str| Cloud::custom(authority, "https://graph.microsoft.com").unwrap();
    for (cloud, expected) in [
        (Cloud::public(), 1),
        (custom("https://login.windows.net"), 1),
        (custom("https://sts.windows.net/"), 1),
        (custom("https://login.microsoftonline.us"), 2),
        (Cloud::us_government(), 2),
        (custom("https://login.windows.net:444"), 3),
        (custom("https://login.chinacloudapi.cn"), 4),
        (Cloud::china(), 4),
        (Cloud::external_id("contoso").unwrap(), 5),
    ] {
        let credential = at(cloud.clone(), &service, &cache);
        assert_eq!(number(&credential, &graph()).await, expected, "{cloud:?}");
    }
}

#[tokio::test]
async fn an_instance_discovery_joins_names_that_were_not_known() {
    let response = r#"{"metadata":[
        {"preferred_cache":"other.example","aliases":["other.example"]},
        {"preferred_cache":"two.example","aliases":["one.example","two.example"]}]}"#;
    let script = ScriptedTransport::new()
        .then(200, &[], response)
        .then(200, &[], response)
        .then(
            400,
            &[],
            r#"{"error":"invalid_instance","error_codes":[50049]}"#,
        );
    let discovery = discovery(&script).endpoint_hosts(["one.example", "two.example"]);
    let discovery = discovery.build().unwrap();
    let cloud = |name: &str| Cloud::custom(&format!("https://{name}.example"), ISSUER).unwrap();
    let (service, cache) = (Service::new(), TokenCache::new());
    for name in ["one", "two"] {
        let cloud = discovery.instance(&cloud(name)).await.unwrap();
        let credential = at(cloud, &service, &cache);
        assert_eq!(number(&credential, &graph()).await, 1);
    }
    let uri = script.requests()[0].uri().to_string();
    assert!(uri.starts_with("https://one.example/common/discovery/instance?api-version=1.1&"));
    let error = discovery.instance(&cloud("three")).await.unwrap_err();
    assert_eq!(error.aadsts_code(), Some(50_049));
    assert_eq!(error.kind(), ErrorKind::Rejected);
}

#[tokio::test]
async fn a_regional_token_comes_from_the_region_and_is_the_same_token() {
    let (service, cache) = (Service::new(), TokenCache::new());
    let regional = ClientSecretCredential::builder(TENANT, CLIENT, "s")
        .region("westeurope")
        .transport(Arc::clone(&service))
        .cache(&cache)
        .build()
        .unwrap();
    let token = regional.token(&graph()).await.unwrap();
    let requested = decode(&token).1;
    assert!(
        requested.starts_with("westeurope.login.microsoft.com/"),
        "{requested}"
    );
    assert_eq!(
        number(&at(Cloud::public(), &service, &cache), &graph()).await,
        1
    );
    let wrong = ClientSecretCredential::builder(TENANT, CLIENT, "s").region("evil.example/");
    assert_eq!(wrong.build().unwrap_err().kind(), ErrorKind::Configuration);
}

#[tokio::test]
async fn the_error_after_retries_says_how_many_there_were() {
    let script = (0..9).fold(ScriptedTransport::new(), |script, _| {
        script.then(503, &[], "")
    });
    let discovery = Discovery::builder()
        .transport(script.clone())
        .clock(ManualClock::new());
    let error = discovery.build().unwrap().openid_provider(ISSUER).await;
    let tries = script.requests().len();
    let text = error.unwrap_err().to_string();
    assert!(tries > 1, "{text}");
    assert!(
        text.contains(&format!(", after {tries} tries in ")),
        "{text}"
    );
}

/// One set of options serves credentials, a discovery and a validator alike.
#[cfg(feature = "sign-in")]
#[tokio::test]
async fn discovery_and_validator_take_the_options_of_credentials() {
    let (good, keys) = (document(ISSUER, "https://id.example/t"), r#"{"keys":[]}"#);
    let script = ScriptedTransport::new()
        .then(503, &[], "")
        .then(200, &[], good)
        .then(503, &[], keys);
    let options = entra_auth::CredentialOptions::new()
        .cloud(Cloud::openid_provider(ISSUER, ISSUER, None, None).unwrap())
        .clock(ManualClock::new())
        .retry_policy(RetryPolicy::once())
        .transport(script.clone());
    let discovery = Discovery::builder().options(&options).build().unwrap();
    let error = discovery.openid_provider(ISSUER).await.unwrap_err();
    assert_eq!(error.status(), Some(503), "the retry policy is not used");
    discovery.openid_provider(ISSUER).await.unwrap();
    let validator = entra_auth::TokenValidator::access_tokens(TENANT, [CLIENT]).options(&options);
    let validator = validator.any_tenant().build().unwrap();
    validator
        .validate("eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJ2ZXIiOiIyLjAifQ.AA")
        .await
        .unwrap_err();
    let hosts: Vec<_> = script
        .requests()
        .iter()
        .map(|sent| sent.uri().host().unwrap().to_owned())
        .collect();
    assert_eq!(hosts, ["id.example"; 3]);
}

#[cfg(feature = "sign-in")]
#[test]
fn a_discovery_rejects_options_that_name_no_cloud() {
    let environment = entra_auth::Environment::from_pairs([("AZURE_AUTHORITY_HOST", "not a URL")]);
    let options = entra_auth::CredentialOptions::new().environment(&environment);
    let error = Discovery::builder().options(&options).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let validator =
        entra_auth::TokenValidator::access_tokens(TENANT, [CLIENT]).environment(&environment);
    let error = validator.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}
