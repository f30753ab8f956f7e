//! What an administrator sets up in the tenant: the blueprints of both stages.

use std::{error::Error, io::Write};

use entra_auth::ClientSecretCredential;
use entra_graph::{
    GraphClient,
    registration::{AppRegistration, Applied, SecretSink},
};
use entra_mock::FakeTenant;

/// How far a customer has set the phone system up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The phone system looks users up.
    LookUp,
    /// Users also sign in at its two portals.
    SignIn,
}

impl Stage {
    /// The blueprint of a phone system at this address.
    pub(crate) fn blueprint(self, url: &str) -> Result<AppRegistration, entra_graph::Error> {
        let text = match self {
            Self::LookUp => include_str!("blueprint.yaml"),
            Self::SignIn => include_str!("sign-in.yaml"),
        };
        AppRegistration::from_yaml(&text.replace(ADDRESS, url.trim_end_matches('/')))
    }

    /// The redirect URIs of the portals at this address.
    pub(crate) fn redirect_uris(self, url: &str) -> Vec<String> {
        let url = url.trim_end_matches('/');
        let portals: &[&str] = match self {
            Self::LookUp => &[],
            Self::SignIn => &["manager", "user"],
        };
        let uris = portals.iter();
        uris.map(|name| format!("{url}/{name}/auth/callback"))
            .collect()
    }

    /// The scopes that the portals request.
    pub(crate) const fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::LookUp => &[],
            Self::SignIn => &["openid", "profile", "User.Read"],
        }
    }
}

/// Prints what is missing in the tenant, and adds it. Can be repeated: the second time it only reads.
pub(crate) async fn apply(
    graph: &GraphClient,
    blueprint: &AppRegistration,
    sink: &mut dyn SecretSink,
    out: &mut impl Write,
) -> Result<Applied, Box<dyn Error>> {
    let plan = blueprint.plan_with(graph, sink).await?;
    writeln!(out, "{plan}")?;
    let applied = plan.apply(sink).await?;
    for secret in applied.secrets() {
        let expires = secret.expires.map(|at| at.date().to_string());
        writeln!(
            out,
            "The secret {:?} expires on {}.\n",
            secret.description,
            expires.as_deref().unwrap_or("an unknown date")
        )?;
    }
    Ok(applied)
}

/// The Graph client of an administrator's tool in a fake tenant.
pub(crate) fn administrator(tenant: &FakeTenant) -> Result<GraphClient, Box<dyn Error>> {
    let mut tool = tenant.register_app("Setup tool").with_secret();
    for permission in RIGHTS {
        tool = tool.application_permission(permission);
    }
    let credential = ClientSecretCredential::builder(tenant.id(), tool.client_id(), tool.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    Ok(GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?)
}

/// The address in the blueprints, in place of which each installation has its own.
pub(crate) const ADDRESS: &str = "https://phone.example.com";
/// What it takes to register an application, to grant it admin consent and to read the policy for secrets.
const RIGHTS: [&str; 5] = [
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.Read.All",
    "Policy.Read.All",
];
