use entra_auth::{ClientSecretCredential, Environment};
use entra_graph::{GraphClient, User};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let environment = Environment::from_env();
    let [tenant, app, secret] =
        environment.require(["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"])?;
    let credential = ClientSecretCredential::builder(tenant, app, secret)
        .environment(&environment)
        .build()?;
    let graph = GraphClient::builder(credential)
        .environment(&environment)
        .build()?;

    let mut users = graph
        .users()
        .list()
        .select((User::ID, User::USER_PRINCIPAL_NAME))
        .top(999)
        .items();
    let mut count = 0;
    while let Some(user) = users.try_next().await? {
        count += usize::from(user.user_principal_name.is_some());
    }
    println!("{count}");
    Ok(())
}
