//! The code of the root README, compiled and run here; a test compares the two texts.

use entra_auth::ClientSecretCredential;
use entra_auth::{
    SignInClient,
    user::{ClientAuthentication, StartOptions},
};
use entra_graph::{GraphClient, User};
use entra_mock::FakeTenant;

type Outcome = Result<(), Box<dyn std::error::Error>>;

async fn read_a_directory(tenant_id: &str, client_id: &str, secret: &str) -> Outcome {
    let credential = ClientSecretCredential::new(tenant_id, client_id, secret)?;
    let graph = GraphClient::new(credential)?;
    let mut users = graph
        .users()
        .list()
        .filter(User::ACCOUNT_ENABLED.eq(true))
        .select([User::DISPLAY_NAME, User::MAIL])
        .items();
    while let Some(user) = users.try_next().await? {
        println!("{}", user.display_name.as_deref().unwrap_or("(no name)"));
    }
    Ok(())
}

#[tokio::test]
async fn the_readmes_sign_in_asks_for_nothing_before_the_browser_is_back() -> Outcome {
    let (tenant_id, client_id) = ("contoso.com", "11111111-2222-3333-4444-555555555555");
    let (secret, callback) = ("s3cr3t", String::from("error=access_denied"));
    let contoso = SignInClient::builder(tenant_id, client_id, ClientAuthentication::secret(secret))
        .redirect_uri("https://app.example.com/auth/callback")
        .scopes(["email", "GroupMember.Read.All"])
        .build()?; // nothing is sent yet

    let (url, flow) = contoso.start(&StartOptions::default())?;
    // Send the browser to `url`, keep `flow` with its session. When the browser is back:
    let outcome = async {
        let session = contoso.finish(flow, &callback).await?;
        let who = session.identity();
        println!("{} of tenant {}", who.oid, who.tid);
        session.commit().await; // your own check has agreed: keep the tokens
        Outcome::Ok(())
    };
    // An answer without this browser's state is refused without asking anybody.
    assert!(outcome.await.is_err());
    assert!(url.as_str().contains("code_challenge"));
    Ok(())
}

#[tokio::test]
async fn the_readmes_test_passes() -> Outcome {
    let tenant = FakeTenant::start().await; // a small ready company
    let app = tenant
        .register_app("Night job")
        .application_permission("User.Read.All")
        .with_secret();

    let credential = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    let graph = GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;

    let users = graph.users().list().items().try_collect::<Vec<_>>().await?;
    assert!(!users.is_empty());
    tenant.requests().to("/users").assert_count(1);
    Ok(())
}

/// Only compiled: it would ask the real service.
#[tokio::test]
async fn the_readmes_program_refuses_what_cannot_be_an_id() {
    read_a_directory("not a tenant", "nor a client", "secret")
        .await
        .unwrap_err();
}

#[test]
fn the_code_in_the_readme_is_the_code_that_is_compiled_here() {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let readme = include_str!("../../../README.md");
    let here = squeezed(include_str!("readme.rs"));
    let blocks: Vec<&str> = readme
        .split("```rust")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        let code = block.lines().filter(|line| !line.starts_with("use "));
        let code = code.collect::<Vec<_>>().join("\n");
        for part in code.split("\n\n") {
            assert!(here.contains(&squeezed(part)), "not compiled: {part}");
        }
    }
}
