//! The saved connection of the phone system to a customer's tenant, its test and the date of its secret.

use std::{error::Error, sync::Arc};

use entra_auth::{
    ApplicationCredentialFactory, ClientSecretCredential, CredentialOptions, Environment,
    entra_core::{
        ClientId, Clock, Cloud, CredentialMaterial, Secret, SystemClock, TenantId, Timestamp,
        time::{Date, Time, format_description::well_known::Iso8601},
    },
};
use entra_graph::{
    GraphClient,
    connection::{ConnectionTest, RedirectPlatform},
    registration::{Applied, MemorySink},
};
use entra_mock::FakeTenant;

use super::setup::Stage;

/// What an administrator enters in the settings of the phone system.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    pub(crate) secret: Secret,
    /// When the secret expires, as the portal shows it when the secret is added.
    pub(crate) expires: Option<Timestamp>,
    pub(crate) cloud: Cloud,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Connection {
    /// What a run of the blueprint left behind.
    pub(crate) fn applied(
        tenant: &FakeTenant,
        applied: &Applied,
        sink: &MemorySink,
    ) -> Result<Self, Box<dyn Error>> {
        let (_, secret) = sink.secrets().last().ok_or("no secret was added")?;
        Ok(Self {
            tenant: applied.tenant_id().ok_or("no tenant ID")?.parse()?,
            client: applied.client_id().parse()?,
            secret: secret.value().clone(),
            expires: secret.expires(),
            cloud: tenant.cloud(),
            clock: Arc::new(tenant.clock()),
        })
    }

    /// The connection that the environment names.
    pub(crate) fn from_env(environment: &Environment) -> Result<Self, Box<dyn Error>> {
        // One error names every variable that is empty.
        let [_, _, secret] = environment.require(["AZURE_TENANT_ID", "AZURE_CLIENT_ID", SECRET])?;
        let expires = match environment.get(EXPIRES).map(str::trim) {
            None | Some("") => None,
            Some(text) => Some(
                Date::parse(text, &Iso8601::DATE)
                    .map_err(|error| {
                        format!("{EXPIRES} is not a date such as 2027-01-31: {error}")
                    })?
                    .with_time(Time::MIDNIGHT)
                    .assume_utc(),
            ),
        };
        Ok(Self {
            tenant: environment.tenant_id()?,
            client: environment.client_id()?,
            secret: secret.into(),
            expires,
            cloud: environment.cloud()?,
            clock: Arc::new(SystemClock),
        })
    }

    /// A client that reads as the phone system itself, without a signed-in user.
    pub(crate) fn graph(&self) -> Result<GraphClient, Box<dyn Error>> {
        let credential =
            ClientSecretCredential::builder(self.tenant.clone(), self.client, self.secret.clone())
                .cloud(self.cloud.clone())
                .clock(Arc::clone(&self.clock))
                .build()?;
        Ok(GraphClient::builder(credential)
            .cloud(self.cloud.clone())
            .clock(Arc::clone(&self.clock))
            .build()?)
    }

    /// A warning from 30 days before the secret expires.
    pub(crate) fn expiry_warning(&self) -> Option<String> {
        let expires = self.expires?;
        let left = (expires - self.clock.now()).whole_days();
        let fix = "Add a new secret under App registrations > Certificates & secrets, and enter its value here.";
        match left {
            _ if expires <= self.clock.now() => Some(format!(
                "The client secret expired on {}. {fix}",
                expires.date()
            )),
            ..=30 => Some(format!(
                "The client secret expires on {}, in {left} days. {fix}",
                expires.date()
            )),
            _ => None,
        }
    }
}

/// The test behind the button "Test connection": it takes the values as they were saved, also empty ones. With the second
/// stage it looks at the sign-in at the portals too, whose address is the URL.
pub(crate) fn test(
    environment: &Environment,
    stage: Stage,
    url: &str,
) -> Result<ConnectionTest, Box<dyn Error>> {
    let get = |name: &str| environment.get(name).unwrap_or_default();
    let mut test = ConnectionTest::of(get("AZURE_TENANT_ID"), get("AZURE_CLIENT_ID"))
        .cloud(environment.cloud()?)
        .needs(["User.Read.All"])
        .needs_delegated(stage.scopes().iter().copied());
    for uri in stage.redirect_uris(url) {
        test = test.redirect_uri(RedirectPlatform::Web, uri);
    }
    if let Some(secret) = environment.get(SECRET) {
        let options = CredentialOptions::new().environment(environment);
        test = test.signs_in_with(
            CredentialMaterial::Secret(Secret::from(secret)),
            ApplicationCredentialFactory::new(&options),
        );
    }
    Ok(test)
}

const SECRET: &str = "AZURE_CLIENT_SECRET";
/// The last day of the secret.
pub(crate) const EXPIRES: &str = "AZURE_CLIENT_SECRET_EXPIRES";
