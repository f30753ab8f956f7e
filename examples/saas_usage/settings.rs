//! The tenant that the environment names, and how to reach it.

use std::{error::Error, fmt, fs, sync::Arc};

use entra_core::{ClientId, Cloud, ReqwestTransport, TenantId};

use super::problem::Problem;

/// The environment, understood.
pub(crate) struct Settings {
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    pub(crate) cloud: Cloud,
    /// A file of root certificates to trust in place of the machine's.
    roots: Option<String>,
}

impl Settings {
    /// Reads what every application needs, the application's id from the variable `client`; nothing
    /// stands in for what is missing, here or among the `others` that the caller reads.
    pub(crate) fn read(
        variable: impl Fn(&str) -> Option<String>,
        client: &'static str,
        others: &[&'static str],
    ) -> Result<Self, Problem> {
        let variable = |name| variable(name).filter(|value| !value.trim().is_empty());
        let missing: Vec<&str> = [TENANT, client]
            .iter()
            .chain(others)
            .copied()
            .filter(|name| variable(name).is_none())
            .collect();
        if !missing.is_empty() {
            return Err(Problem::new(format!("--tenant env needs {}", missing.join(", "))).with_fix(
                "set them as the pages of an app registration have them, the directory (tenant) id, the application \
                 (client) id and the rest, or source the env file of `entra-mock serve`",
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
            client: value(client).parse().map_err(invalid(client))?,
            cloud: cloud(variable(AUTHORITY), variable(GRAPH))?,
            roots: variable("SSL_CERT_FILE"),
        })
    }

    /// What sends the requests, for tokens and to Graph alike. SSL_CERT_FILE replaces the machine's
    /// trust, it does not add to it.
    pub(crate) fn transport(&self) -> Result<Arc<ReqwestTransport>, Problem> {
        let mut builder = ReqwestTransport::builder();
        if let Some(path) = &self.roots {
            let unusable = |error: &(dyn Error + 'static)| {
                Problem::new(format!("SSL_CERT_FILE names {path}, which cannot be used"))
                    .because(error)
                    .with_fix(
                        "name a PEM file of root certificates, or unset it for the machine's own",
                    )
            };
            let pem = fs::read(path).map_err(|error| unusable(&error))?;
            builder = builder
                .add_roots_pem(&pem)
                .map_err(|error| unusable(&error))?
                .only_given_roots();
        }
        Ok(Arc::new(builder.build()))
    }

    /// For people: which tenant, and where.
    pub(crate) fn place(&self) -> String {
        format!(
            "tenant {} at {}, Graph at {}v1.0",
            self.tenant,
            self.cloud.authority(),
            self.cloud.graph()
        )
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

/// The application id, unless an example has a variable of its own for it.
pub(crate) const CLIENT: &str = "AZURE_CLIENT_ID";
const TENANT: &str = "AZURE_TENANT_ID";
const AUTHORITY: &str = "AZURE_AUTHORITY_HOST";
const GRAPH: &str = "ENTRA_GRAPH_URL";

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "AZURE_CLIENT_SECRET";
    const COMPLETE: [(&str, &str); 3] = [
        (TENANT, "11111111-2222-3333-4444-555555555555"),
        (CLIENT, "66666666-7777-8888-9999-000000000000"),
        (SECRET, "canary-secret"),
    ];

    fn read(changes: &[(&str, &str)]) -> Result<Settings, Problem> {
        let variable = |name: &str| {
            let all = changes.iter().chain(&COMPLETE);
            all.into_iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Settings::read(variable, CLIENT, &[SECRET])
    }

    #[test]
    fn the_public_cloud_needs_three_variables() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.cloud, Cloud::public());
        assert!(!format!("{settings:?}").contains("canary"));
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        let problem = Settings::read(
            |name| (name == CLIENT).then(|| "x".to_owned()),
            CLIENT,
            &[SECRET],
        )
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
