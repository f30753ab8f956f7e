//! `azure_identity` and the pipeline of `azure_core`, with the variables of an environment file and no option, against
//! the standalone fake tenant.

use std::{env, sync::Arc};

use azure_core::{
    credentials::{Secret, TokenCredential},
    http::{
        ClientOptions, Context, Method, Pipeline, Request, Url,
        policies::auth::BearerTokenAuthorizationPolicy,
    },
};
use azure_identity::ClientSecretCredential;
use serde_json::Value;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let secret = env::var("AZURE_CLIENT_SECRET")?;
    let credential = credential(&secret)?;
    let token = credential.get_token(&[SCOPE], None).await?;
    let again = credential.get_token(&[SCOPE], None).await?;
    assert_eq!(
        token.token.secret(),
        again.token.secret(),
        "the token is cached"
    );

    let policy = BearerTokenAuthorizationPolicy::new(credential, [SCOPE]);
    let options = ClientOptions::default();
    let pipeline = Pipeline::new(None, None, options, vec![], vec![Arc::new(policy)], None);
    let graph = env::var("ENTRA_GRAPH_URL")?;
    let mut page = format!("{graph}/users?$top=25&$select=id");
    let (mut users, mut pages) = (0, 0);
    loop {
        let mut request = Request::new(Url::parse(&page)?, Method::Get);
        let response = pipeline.send(&Context::new(), &mut request, None).await?;
        let body: Value = serde_json::from_slice(response.body())?;
        users += body["value"].as_array().map_or(0, Vec::len);
        pages += 1;
        match body["@odata.nextLink"].as_str() {
            Some(next) => page = next.to_owned(),
            None => break,
        }
    }
    assert!(pages > 1 && users > 50, "{users} users on {pages} pages");

    let wrong = self::credential("wrong")?.get_token(&[SCOPE], None).await;
    let error = format!("{:?}", wrong.err().ok_or("a token for a wrong secret")?);
    assert!(error.contains("AADSTS7000215"), "{error}");
    let missing = format!("{graph}/users/unknown@contoso.com");
    let mut request = Request::new(Url::parse(&missing)?, Method::Get);
    let error = pipeline.send(&Context::new(), &mut request, None).await;
    let error = format!("{:?}", error.err().ok_or("a user that does not exist")?);
    assert!(error.contains("Request_ResourceNotFound"), "{error}");
    println!(
        "azure_identity 1: a cached token, {users} users on {pages} pages, a wrong secret and a missing user"
    );
    Ok(())
}

fn credential(secret: &str) -> Outcome<Arc<dyn TokenCredential>> {
    let (tenant, client) = (env::var("AZURE_TENANT_ID")?, env::var("AZURE_CLIENT_ID")?);
    let secret = Secret::new(secret.to_owned());
    Ok(ClientSecretCredential::new(&tenant, client, secret, None)?)
}

const SCOPE: &str = "https://graph.microsoft.com/.default";
