//! Which tenant the report is about: the fake one inside this process, or the one that the
//! environment names.

use std::{error::Error, fmt, fs, sync::Arc};

use entra_auth::ClientSecretCredential;
use entra_core::{
    ClientId, Clock, Cloud, ReqwestTransport, ReqwestTransportBuilder, Secret, SystemClock,
    TenantId,
};
use entra_graph::GraphClient;
use entra_mock::FakeTenant;

use super::problem::Problem;

/// A client for one tenant, and what is known about the tenant before the first request.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) graph: GraphClient,
    pub(crate) clock: Arc<dyn Clock>,
    /// For people: which tenant, and where.
    pub(crate) place: String,
    /// Answers for as long as it is kept.
    fake: Option<FakeTenant>,
}

impl Connection {
    /// A fake company of so many people that lives as long as the connection.
    pub(crate) async fn embedded(users: usize) -> Result<Self, Problem> {
        let tenant = FakeTenant::builder().users(users).start().await;
        let mut connection = Self::to_fake(&tenant, &PERMISSIONS)?;
        connection.fake = Some(tenant);
        Ok(connection)
    }

    /// The given fake tenant, seen by an application with these permissions.
    pub(crate) fn to_fake(tenant: &FakeTenant, permissions: &[&str]) -> Result<Self, Problem> {
        let app = tenant.register_app("App usage report").with_secret();
        for permission in permissions {
            let _ = app.application_permission(permission);
        }
        let credential =
            ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
                .cloud(tenant.cloud())
                .clock(tenant.clock())
                .build()?;
        let graph = GraphClient::builder(credential)
            .cloud(tenant.cloud())
            .clock(tenant.clock())
            .build()?;
        Ok(Self {
            graph,
            clock: Arc::new(tenant.clock()),
            place: format!(
                "the embedded fake tenant {} ({}), made up for this run",
                tenant.domain(),
                tenant.id()
            ),
            fake: None,
        })
    }

    /// The tenant that the environment names; nothing stands in for what is missing there.
    pub(crate) fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Problem> {
        let Settings {
            tenant,
            client,
            secret,
            cloud,
            roots,
        } = Settings::read(variable)?;
        let place = format!(
            "tenant {tenant} at {}, Graph at {}v1.0",
            cloud.authority(),
            cloud.graph()
        );
        let mut credential =
            ClientSecretCredential::builder(tenant, client, secret).cloud(cloud.clone());
        let mut graph;
        match roots {
            Some(path) => {
                let transport = trusting(&path)?;
                credential = credential.transport(Arc::new(transport.clone().build()));
                graph = GraphClient::builder(credential.build()?).transport(transport.build());
            }
            None => graph = GraphClient::builder(credential.build()?),
        }
        graph = graph.cloud(cloud);
        Ok(Self {
            graph: graph.build()?,
            clock: Arc::new(SystemClock),
            place,
            fake: None,
        })
    }

    /// How many requests Graph got so far, repeated ones included; token requests are not.
    pub(crate) fn requests(&self) -> usize {
        usize::try_from(self.graph.requests_sent()).unwrap_or(usize::MAX)
    }
}

/// Trusts the roots in the file alone: the variable replaces the machine's trust, it does not add
/// to it.
fn trusting(path: &str) -> Result<ReqwestTransportBuilder, Problem> {
    let unusable = |error: &(dyn Error + 'static)| {
        Problem::new(format!("SSL_CERT_FILE names {path}, which cannot be used"))
            .because(error)
            .with_fix("name a PEM file of root certificates, or unset it for the machine's own")
    };
    let pem = fs::read(path).map_err(|error| unusable(&error))?;
    let builder = ReqwestTransport::builder().add_roots_pem(&pem);
    Ok(builder
        .map_err(|error| unusable(&error))?
        .only_given_roots())
}

/// The environment, understood.
struct Settings {
    tenant: TenantId,
    client: ClientId,
    secret: Secret,
    cloud: Cloud,
    /// A file of root certificates to trust in place of the machine's.
    roots: Option<String>,
}

impl Settings {
    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Problem> {
        let variable = |name| variable(name).filter(|value| !value.trim().is_empty());
        let missing: Vec<&str> = REQUIRED
            .into_iter()
            .filter(|name| variable(name).is_none())
            .collect();
        if !missing.is_empty() {
            return Err(Problem::new(format!("--tenant env needs {}", missing.join(", "))).with_fix(
                "set them to the directory (tenant) id, the application (client) id and a client secret of an app \
                 registration, or source the env file of `entra-mock serve`",
            ));
        }
        let value = |name| variable(name).unwrap_or_default();
        let invalid = |name| {
            move |error| {
                Problem::new(format!("{name} cannot be used"))
                    .because(&error)
                    .with_fix("copy it from the Overview page of the app registration")
            }
        };
        let tenant: TenantId = value(TENANT).parse().map_err(invalid(TENANT))?;
        if tenant.is_alias() {
            return Err(Problem::new(format!(
                "{TENANT} names no tenant: {tenant} stands for many"
            ))
            .with_fix("give the directory (tenant) id, or one of the tenant's domains"));
        }
        Ok(Self {
            tenant,
            client: value(CLIENT).parse().map_err(invalid(CLIENT))?,
            secret: value(SECRET).into(),
            cloud: cloud(variable(AUTHORITY), variable(GRAPH))?,
            roots: variable("SSL_CERT_FILE"),
        })
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("tenant", &self.tenant)
            .field("client", &self.client)
            .field("cloud", &self.cloud)
            .finish_non_exhaustive()
    }
}

/// The cloud of a login host and a Graph address: both may be left out for the public cloud, and
/// the latter for every Microsoft cloud; elsewhere each must be given, as neither tells the other.
fn cloud(authority: Option<String>, graph: Option<String>) -> Result<Cloud, Problem> {
    let clouds = [
        Cloud::public(),
        Cloud::us_government(),
        Cloud::us_government_dod(),
        Cloud::china(),
    ];
    let graph = graph
        .map(|url| {
            let url = url.trim_end_matches('/');
            url.strip_suffix("/v1.0").map(str::to_owned).ok_or_else(|| {
                Problem::new(format!("{GRAPH} is {url}, which does not end in /v1.0"))
                    .with_fix("give the Graph address with its version, such as https://graph.microsoft.com/v1.0")
            })
        })
        .transpose()?;
    let same = |url: &entra_core::url::Url, text: &str| {
        url.as_str().trim_end_matches('/') == text.trim_end_matches('/')
    };
    let found = clouds.into_iter().find(|cloud| {
        authority.as_deref().map_or_else(
            || *cloud == Cloud::public(),
            |text| same(cloud.authority(), text),
        ) && graph
            .as_deref()
            .is_none_or(|text| same(cloud.graph(), text))
    });
    match (found, authority, graph) {
        (Some(cloud), ..) => Ok(cloud),
        (None, Some(authority), Some(graph)) => Ok(Cloud::custom(&authority, &graph)?),
        (None, Some(authority), None) => Err(Problem::new(format!(
            "{GRAPH} is missing for {AUTHORITY} {authority}"
        ))
        .with_fix(format!(
            "set {GRAPH} to the Graph address that belongs to it, ending in /v1.0"
        ))),
        (None, None, _) => Err(Problem::new(format!(
            "{AUTHORITY} is missing, but {GRAPH} is not the public cloud's"
        ))
        .with_fix(format!(
            "set {AUTHORITY} to the login address that belongs to it, or unset {GRAPH}"
        ))),
    }
}

const TENANT: &str = "AZURE_TENANT_ID";
const CLIENT: &str = "AZURE_CLIENT_ID";
const SECRET: &str = "AZURE_CLIENT_SECRET";
const AUTHORITY: &str = "AZURE_AUTHORITY_HOST";
const GRAPH: &str = "ENTRA_GRAPH_URL";
const REQUIRED: [&str; 3] = [TENANT, CLIENT, SECRET];

/// What the report needs, each the least that reads it.
pub(crate) const PERMISSIONS: [&str; 5] = [
    "Application.Read.All",
    "AuditLog.Read.All",
    "GroupMember.Read.All",
    "Organization.Read.All",
    "User.ReadBasic.All",
];

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: [(&str, &str); 3] = [
        (TENANT, "11111111-2222-3333-4444-555555555555"),
        (CLIENT, "66666666-7777-8888-9999-000000000000"),
        (SECRET, "canary-secret"),
    ];

    fn read(changes: &[(&str, &str)]) -> Result<Settings, Problem> {
        Settings::read(|name| {
            let all = changes.iter().chain(&COMPLETE);
            all.into_iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_public_cloud_needs_three_variables() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.cloud, Cloud::public());
        assert!(!format!("{settings:?}").contains("canary"));
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        let problem = Settings::read(|name| (name == CLIENT).then(|| "x".to_owned()))
            .unwrap_err()
            .to_string();
        assert!(
            problem.contains("AZURE_TENANT_ID, AZURE_CLIENT_SECRET"),
            "{problem}"
        );
        assert!(!problem.contains("AZURE_CLIENT_ID"), "{problem}");
        assert!(
            read(&[(SECRET, " ")])
                .unwrap_err()
                .to_string()
                .contains(SECRET)
        );
    }

    #[test]
    fn a_custom_login_needs_its_graph_and_the_other_way_round() {
        let problem = read(&[(AUTHORITY, "https://localhost:8443")])
            .unwrap_err()
            .to_string();
        assert!(problem.contains("ENTRA_GRAPH_URL is missing"), "{problem}");
        let problem = read(&[(GRAPH, "https://localhost:8443/v1.0")])
            .unwrap_err()
            .to_string();
        assert!(
            problem.contains("AZURE_AUTHORITY_HOST is missing"),
            "{problem}"
        );
        let settings = read(&[
            (AUTHORITY, "https://localhost:8443"),
            (GRAPH, "https://localhost:8443/v1.0/"),
        ])
        .unwrap();
        assert_eq!(settings.cloud.graph().as_str(), "https://localhost:8443/");
    }

    #[test]
    fn microsoft_clouds_are_known_by_their_login_host() {
        assert_eq!(
            read(&[(AUTHORITY, "https://login.microsoftonline.us/")])
                .unwrap()
                .cloud,
            Cloud::us_government()
        );
        assert_eq!(
            read(&[
                (AUTHORITY, "https://login.microsoftonline.us"),
                (GRAPH, "https://dod-graph.microsoft.us/v1.0")
            ])
            .unwrap()
            .cloud,
            Cloud::us_government_dod()
        );
        assert_eq!(
            read(&[(GRAPH, "https://graph.microsoft.com/v1.0")])
                .unwrap()
                .cloud,
            Cloud::public()
        );
    }

    #[test]
    fn what_cannot_be_used_is_named_with_its_variable() {
        for (name, value) in [
            (TENANT, "contoso"),
            (TENANT, "common"),
            (CLIENT, "my-app"),
            (GRAPH, "https://graph.microsoft.com/beta"),
            (GRAPH, "https://graph.microsoft.com"),
        ] {
            let problem = read(&[(name, value)]).unwrap_err().to_string();
            assert!(problem.contains(name), "{problem}");
        }
        let plain = read(&[
            (AUTHORITY, "http://login.example.com"),
            (GRAPH, "https://graph.example.com/v1.0"),
        ]);
        assert!(plain.unwrap_err().to_string().contains("must be https"));
    }
}
