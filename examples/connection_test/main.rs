//! What is wrong with the connection of a product to its tenant, and how to fix it.
//!
//! ```text
//! cargo run --example connection_test                     # on a fake tenant inside the process
//! cargo run --example connection_test -- --tenant env     # with the application of the environment
//! ```
//!
//! The exit code is 0 if everything that the product needs works, 1 if something does not, and 2 if that
//! could not be found out. Start reading at [`test`].

use std::{error::Error, io, process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};
use entra_auth::{
    ApplicationCredentialFactory, ClientSecretCredential, CredentialOptions, Environment,
};
use entra_graph::{
    GraphClient,
    connection::{ConnectionReport, ConnectionTest, RedirectPlatform},
    entra_core::{ClientId, CredentialMaterial, Secret, TenantId},
};
use entra_mock::FakeTenant;

/// Tests the connection of an application to its tenant.
#[derive(Debug, Parser)]
#[command(name = "connection_test")]
pub(crate) struct Arguments {
    /// The tenant: a fake one inside this process, or the one of the environment.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// An application permission of Microsoft Graph that the product needs; repeat it for several.
    #[arg(long = "needs", value_name = "PERMISSION")]
    needs: Vec<String>,
    /// A delegated permission that the product needs; repeat it for several.
    #[arg(long = "needs-delegated", value_name = "PERMISSION")]
    needs_delegated: Vec<String>,
    /// The redirect URI of the product.
    #[arg(long)]
    redirect_uri: Option<String>,
    /// How the product uses the redirect URI.
    #[arg(long, value_enum, default_value_t = Platform::Web)]
    platform: Platform,
    /// A user who shall be able to sign in.
    #[arg(long)]
    user: Option<String>,
    /// The product is a public client: it has no secret or certificate.
    #[arg(long)]
    without_secret: bool,
    /// The product reads groups from tokens.
    #[arg(long)]
    reads_groups: bool,
    /// An API that the product calls, by its Application ID URI or client ID.
    #[arg(long)]
    api: Option<String>,
    /// The version of access tokens that the API accepts.
    #[arg(long, requires = "api")]
    api_token_version: Option<u8>,
    /// The query of the URL to which Entra sent the administrator after the admin consent.
    #[arg(long, value_name = "QUERY")]
    consent_response: Option<String>,
    /// The test runs in another network place than the product.
    #[arg(long)]
    elsewhere: bool,
    /// How many seconds to wait for a new application, secret or grant to be replicated.
    #[arg(long, default_value_t = 120)]
    replication_wait: u64,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// Whether an option says what the product needs or how it is set up.
    fn describes_a_product(&self) -> bool {
        let texts = [
            &self.redirect_uri,
            &self.user,
            &self.api,
            &self.consent_response,
        ];
        !self.needs.is_empty()
            || !self.needs_delegated.is_empty()
            || texts.into_iter().any(Option::is_some)
            || self.without_secret
            || self.reads_groups
            || self.elsewhere
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tenant {
    Embedded,
    Env,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Platform {
    /// A server with a secret or certificate.
    Web,
    /// A page that redeems codes in the browser.
    Spa,
    /// A program on the user's device.
    Public,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) async fn run(arguments: &Arguments) -> Result<u8, Box<dyn Error>> {
    let report = match arguments.tenant {
        // Not ignored: the report is about another application, and would look as if it had been about this one.
        Tenant::Embedded if arguments.describes_a_product() => return Err(ONLY_ENV.into()),
        Tenant::Embedded => embedded().await?,
        Tenant::Env => {
            let environment = Environment::from_env().with_variables([READER, READER_SECRET]);
            test(&environment, arguments)?.run().await
        }
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{report}");
    }
    Ok(report.exit_code())
}

/// The test of the application that the environment names, with its values as they are: a placeholder or a
/// secret ID is a finding, not an error of this program.
pub(crate) fn test(
    environment: &Environment,
    arguments: &Arguments,
) -> Result<ConnectionTest, Box<dyn Error>> {
    let get = |name: &str| environment.get(name).unwrap_or_default();
    let material = match environment.get("AZURE_CLIENT_SECRET") {
        Some(secret) => Some(CredentialMaterial::Secret(Secret::from(secret))),
        None => match environment.get("AZURE_CLIENT_CERTIFICATE_PATH") {
            Some(path) => Some(CredentialMaterial::Certificate {
                key_and_certificate: Secret::from(text_of("AZURE_CLIENT_CERTIFICATE_PATH", path)?),
                passphrase: environment
                    .get("AZURE_CLIENT_CERTIFICATE_PASSWORD")
                    .map(Secret::from),
            }),
            None => match environment.get("AZURE_FEDERATED_TOKEN_FILE") {
                Some(path) => {
                    let token = text_of("AZURE_FEDERATED_TOKEN_FILE", path)?;
                    Some(CredentialMaterial::Assertion(Secret::from(token.trim())))
                }
                None => None,
            },
        },
    };
    let mut test = ConnectionTest::of(get("AZURE_TENANT_ID"), get("AZURE_CLIENT_ID"))
        .cloud(environment.cloud()?)
        .needs(&arguments.needs)
        .needs_delegated(&arguments.needs_delegated)
        .replication_wait(Duration::from_secs(arguments.replication_wait));
    if let Some(material) = material {
        let options = CredentialOptions::new().environment(environment);
        test = test.signs_in_with(material, ApplicationCredentialFactory::new(&options));
    }
    if let Some(uri) = &arguments.redirect_uri {
        let platform = match arguments.platform {
            Platform::Web => RedirectPlatform::Web,
            Platform::Spa => RedirectPlatform::SinglePage,
            Platform::Public => RedirectPlatform::Public,
        };
        test = test.redirect_uri(platform, uri);
    }
    if let Some(user) = &arguments.user {
        test = test.user(user);
    }
    if let Some(api) = &arguments.api {
        test = match arguments.api_token_version {
            Some(version) => test.calls_api_with_tokens_of_version(api, version),
            None => test.calls_api(api),
        };
    }
    if let Some(query) = &arguments.consent_response {
        test = test.admin_consent_response(query);
    }
    if arguments.reads_groups {
        test = test.reads_group_claims();
    }
    if arguments.without_secret {
        test = test.without_secret();
    }
    if arguments.elsewhere {
        test = test.runs_elsewhere();
    }
    if let Some(reader) = reader(environment)? {
        test = test.reader(&reader);
    }
    Ok(test)
}

/// The content of the file that a variable names.
fn text_of(variable: &str, path: &str) -> Result<String, Box<dyn Error>> {
    let path = path.trim();
    std::fs::read_to_string(path).map_err(|error| {
        let fix = match error.kind() {
            io::ErrorKind::InvalidData => "; it must be a text, such as a certificate in PEM",
            _ => "",
        };
        format!("{variable}: cannot read {path}: {error}{fix}").into()
    })
}

/// A client of another application, which may read the directory where the product may not.
fn reader(environment: &Environment) -> Result<Option<GraphClient>, Box<dyn Error>> {
    let tenant = environment.get("AZURE_TENANT_ID").unwrap_or_default();
    // An invalid tenant is a finding of the test, which then reads nothing.
    let tenant = tenant.parse::<TenantId>().ok().filter(|id| !id.is_alias());
    let (Some(_), Some(tenant)) = (environment.get(READER), tenant) else {
        return Ok(None);
    };
    let [client, secret] = environment.require([READER, READER_SECRET])?;
    let client: ClientId = client.parse()?;
    let credential = ClientSecretCredential::builder(tenant, client, secret)
        .environment(environment)
        .build()?;
    let graph = GraphClient::builder(credential).environment(environment);
    Ok(Some(graph.build()?))
}

/// A product of a fake tenant whose set-up is complete. Only another application may read its registration.
pub(crate) async fn embedded() -> Result<ConnectionReport, Box<dyn Error>> {
    let tenant = FakeTenant::start().await;
    let redirect_uri = "https://helpdesk.example/auth/callback";
    let app = tenant
        .register_app("Helpdesk")
        .redirect_uri(redirect_uri)
        .application_permission("Device.Read.All")
        .application_permission("User.Read.All")
        .with_secret();
    let reader = tenant
        .register_app("Connection test")
        .application_permission("Application.Read.All")
        .application_permission("DelegatedPermissionGrant.Read.All")
        .with_secret();
    let credential =
        ClientSecretCredential::builder(tenant.id(), reader.client_id(), reader.secret())
            .cloud(tenant.cloud())
            .clock(tenant.clock())
            .build()?;
    let reader = GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    let options = CredentialOptions::new().cloud(tenant.cloud());
    let factory = ApplicationCredentialFactory::new(&options.clock(tenant.clock()));
    let report = ConnectionTest::of(tenant.id().to_string(), app.client_id().to_string())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .signs_in_with(CredentialMaterial::Secret(app.secret()), factory)
        .reader(&reader)
        .needs(["Device.Read.All", "User.Read.All"])
        .redirect_uri(RedirectPlatform::Web, redirect_uri)
        .run()
        .await;
    Ok(report)
}

/// The client ID and the secret of an application that reads the directory for the test.
const READER: &str = "CONNECTION_READER_CLIENT_ID";
const READER_SECRET: &str = "CONNECTION_READER_CLIENT_SECRET";
const ONLY_ENV: &str = "the options about a product are for the tenant of the environment, and this run has a fake one: add --tenant env";
