//! entra-graph in the side-by-side table: run.py starts it with the root of the service and a case.

use async_trait::async_trait;
use entra_core::{
    AccessToken, Cloud, CredentialError, CredentialErrorKind, HttpTransport, ReqwestTransport,
    Timestamp, TokenCredential, TokenRequest, http, time::Duration,
};
use entra_graph::{Error, GraphClient, NewUser, User, types::PasswordProfile};

/// The service's own tokens.
#[derive(Debug)]
struct Tokens {
    url: String,
    transport: ReqwestTransport,
}

#[async_trait]
impl TokenCredential for Tokens {
    async fn token(&self, _: &TokenRequest) -> Result<AccessToken, CredentialError> {
        let failed = |error: &dyn std::fmt::Display| {
            CredentialError::new(CredentialErrorKind::Rejected, error.to_string())
        };
        let request = http::Request::get(&self.url)
            .body(Default::default())
            .map_err(|error| failed(&error))?;
        let response = self
            .transport
            .send(request)
            .await
            .map_err(|error| failed(&error))?;
        let body: serde_json::Value =
            serde_json::from_slice(response.body()).map_err(|error| failed(&error))?;
        let token = body["token"].as_str().unwrap_or_default();
        Ok(AccessToken::new(
            token,
            Timestamp::now_utc() + Duration::hours(1),
        ))
    }
}

async fn run(root: &str, case: &str) -> Result<usize, Error> {
    let tokens = Tokens {
        url: format!("{root}/token"),
        transport: ReqwestTransport::builder().build(),
    };
    let graph = GraphClient::builder(tokens)
        .cloud(Cloud::custom(root, root)?)
        .build()?;
    if case == "post" {
        let password = PasswordProfile::new("zq4#correct-7Vx!horse");
        let new = NewUser::new("Adele", "adele@contoso.com", "adele", password);
        graph.users().create(new).send().await?;
        return Ok(0);
    }
    let users: Vec<User> = graph.users().list().count().items().try_collect().await?;
    Ok(users.len())
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let result = match arguments.as_slice() {
        [_, root, case] => run(root, case).await.map_err(|error| error.to_string()),
        _ => Err("usage: side-by-side ROOT CASE".to_owned()),
    };
    let (items, error) = match result {
        Ok(items) => (items, None),
        Err(error) => (0, Some(error)),
    };
    println!("{}", serde_json::json!({"items": items, "error": error}));
}
