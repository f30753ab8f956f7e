use std::env;

use reqwest::Client;
use serde::Deserialize;

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

#[derive(Deserialize)]
struct Page {
    value: Vec<User>,
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    user_principal_name: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tenant = env::var("AZURE_TENANT_ID")?;
    let form = [
        ("client_id", env::var("AZURE_CLIENT_ID")?),
        ("client_secret", env::var("AZURE_CLIENT_SECRET")?),
        ("grant_type", "client_credentials".to_owned()),
        ("scope", "https://graph.microsoft.com/.default".to_owned()),
    ];
    let client = Client::new();
    let token: Token = client
        .post(format!(
            "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
        ))
        .form(&form)
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;

    let users = "https://graph.microsoft.com/v1.0/users?$select=id,userPrincipalName&$top=999";
    let mut next = Some(users.to_owned());
    let mut count = 0;
    while let Some(link) = next {
        let page: Page = client
            .get(link)
            .bearer_auth(&token.access_token)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        count += page
            .value
            .iter()
            .filter(|user| user.user_principal_name.is_some())
            .count();
        next = page.next_link;
    }
    println!("{count}");
    Ok(())
}
