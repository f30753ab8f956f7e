//! Options for the tenant of the environment are errors on a fake tenant: ignored, they would look as if they had been
//! followed, and a step must not change a tenant that the command does not name.

use std::error::Error;

use clap::Parser;
use entra_core::Environment;

use crate::{
    certificate_client, connection_test, multi_idp_login, register_app, saas_usage, sso_group_gate,
    user_lookup,
};

/// The arguments of an example.
fn parsed<A: Parser>(options: &[&str]) -> A {
    let words = std::iter::once(&"example").chain(options);
    A::try_parse_from(words).unwrap()
}

#[track_caller]
fn needs_env<T>(outcome: Result<T, Box<dyn Error>>, what: &str) {
    let error = outcome.map(drop).unwrap_err().to_string();
    assert!(error.contains("add --tenant env"), "{what}: {error}");
}

#[tokio::test]
async fn a_step_without_the_tenant_of_the_environment_is_an_error() {
    for step in ["plan", "apply", "test"] {
        let options = ["--step", step];
        let out = &mut Vec::new();
        needs_env(sso_group_gate::run(&parsed(&options), out).await, step);
        needs_env(multi_idp_login::run(&parsed(&options), out).await, step);
        needs_env(user_lookup::run(&parsed(&options), out).await, step);
        assert_eq!(*out, b"");
    }
    let find = parsed(&["--step", "find-tenant"]);
    needs_env(multi_idp_login::run(&find, &mut Vec::new()).await, "find");
    for step in ["plan", "apply"] {
        let options = ["--step", step];
        needs_env(saas_usage::run(&parsed(&options)).await, step);
        let named = ["--tenant", "embedded", "--step", step];
        needs_env(saas_usage::run(&parsed(&named)).await, step);
    }
    for options in [
        &["--step", "generate", "--folder", "keys-of-no-tenant"][..],
        &["--step", "apply", "--folder", "keys-of-no-tenant"],
        &["--step", "test"],
        &["--folder", "keys-of-no-tenant"],
        &["--reader", "upload-me.cer"],
        &["--proof", "keys-of-no-tenant"],
    ] {
        let out = &mut Vec::new();
        needs_env(
            certificate_client::start(parsed(options), out).await,
            options[0],
        );
        assert_eq!(*out, b"");
    }
    assert!(!std::path::Path::new("keys-of-no-tenant").exists());
    for options in [
        &["--step", "plan"][..],
        &["--step", "apply"],
        &["--step", "destroy"],
        &["--blueprint", "mine.yaml"],
    ] {
        let out = &mut Vec::new();
        needs_env(register_app::start(&parsed(options), out).await, options[1]);
    }
}

#[tokio::test]
async fn the_guide_is_about_no_tenant() {
    let mut out = Vec::new();
    let options = ["--step", "guide"];
    register_app::start(&parsed(&options), &mut out)
        .await
        .unwrap();
    let guide = String::from_utf8(out).unwrap();
    assert!(guide.contains("Night report"), "{guide}");
    let mut out = Vec::new();
    certificate_client::start(parsed(&options), &mut out)
        .await
        .unwrap();
    assert!(!out.is_empty());
}

#[tokio::test]
async fn a_connection_test_of_a_product_needs_the_tenant_of_the_environment() {
    for options in [
        &["--needs", "User.Read.All"][..],
        &["--needs-delegated", "User.Read"],
        &["--redirect-uri", "https://helpdesk.example/auth/callback"],
        &["--user", "adele@contoso.com"],
        &["--without-secret"],
        &["--reads-groups"],
        &["--api", "api://tasks"],
        &["--consent-response", "error=access_denied"],
        &["--elsewhere"],
    ] {
        needs_env(connection_test::run(&parsed(options)).await, options[0]);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_its_variable() {
    for variable in [
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "AZURE_FEDERATED_TOKEN_FILE",
    ] {
        let environment = Environment::from_pairs([(variable, "no-such-file.pem\r")]);
        let outcome = connection_test::test(&environment, &parsed(&[]));
        let error = outcome.err().unwrap().to_string();
        let expected = format!("{variable}: cannot read no-such-file.pem: ");
        assert!(error.starts_with(&expected), "{error}");
    }
}
