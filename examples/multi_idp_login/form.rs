//! The form in which an administrator enters a connection, and what is found out about it.

use std::{error::Error, fmt, sync::Arc};

use entra_auth::{
    ApplicationCredentialFactory, CredentialOptions,
    entra_core::{
        ClientId, Clock, Cloud, CredentialMaterial, HttpTransport, ReqwestTransport, Secret,
        TenantId, bytes::Bytes, http,
    },
};
use entra_graph::connection::{ConnectionTest, RedirectPlatform};
use serde::Deserialize;

/// A connection as it was entered. The form has no required tenant ID: a domain is enough.
#[derive(Clone)]
pub(crate) struct Form {
    /// A short name, for URLs.
    pub(crate) name: String,
    /// What users see.
    pub(crate) title: String,
    pub(crate) tenant: String,
    /// A domain of the users' addresses.
    pub(crate) domain: String,
    pub(crate) client: String,
    pub(crate) secret: Secret,
    /// As the form shows it, to be registered.
    pub(crate) redirect_uri: String,
    pub(crate) cloud: Cloud,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A connection that users can sign in with.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    pub(crate) secret: Secret,
    pub(crate) redirect_uri: String,
    pub(crate) cloud: Cloud,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Form {
    /// Checks the entries, and finds the tenant if its ID was left out.
    pub(crate) async fn connection(self) -> Result<Connection, Box<dyn Error>> {
        let title = &self.title;
        let client = self.client.trim().parse().map_err(|error| {
            format!("connection {title}: the application (client) ID is invalid: {error}")
        })?;
        let tenant = self
            .tenant_id()
            .await
            .map_err(|error| format!("connection {title}: {error}"))?;
        Ok(Connection {
            name: self.name,
            title: self.title,
            tenant,
            client,
            secret: self.secret,
            redirect_uri: self.redirect_uri,
            cloud: self.cloud,
            clock: self.clock,
        })
    }

    async fn tenant_id(&self) -> Result<TenantId, Box<dyn Error>> {
        let (tenant, domain) = (self.tenant.trim(), self.domain.trim());
        let entered: Option<TenantId> = match tenant {
            "" => None,
            // The error repeats no text that may be a secret in the wrong field.
            text => Some(
                text.parse()
                    .map_err(|error| format!("the directory (tenant) ID is invalid: {error}"))?,
            ),
        };
        match entered.filter(|tenant| !tenant.is_alias()) {
            Some(tenant) => Ok(tenant),
            None if domain.is_empty() => Err(MISSING_TENANT.into()),
            None => find_tenant(&self.cloud, domain).await,
        }
    }

    /// The test behind the button "Test connection": it takes the entries as they are.
    pub(crate) fn test(&self) -> ConnectionTest {
        let tenant = match self.tenant.trim() {
            "" => self.domain.trim(),
            tenant => tenant,
        };
        let options = CredentialOptions::new()
            .cloud(self.cloud.clone())
            .clock(Arc::clone(&self.clock));
        ConnectionTest::of(tenant, &self.client)
            .cloud(self.cloud.clone())
            .clock(Arc::clone(&self.clock))
            .needs_delegated(["openid", "profile"])
            .redirect_uri(RedirectPlatform::Web, &self.redirect_uri)
            .signs_in_with(
                CredentialMaterial::Secret(self.secret.clone()),
                ApplicationCredentialFactory::new(&options),
            )
    }
}

/// Shows no entry of the administrator: each may be a secret in the wrong field.
impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The ID of the tenant that has this domain, which the sign-in service tells to all.
pub(crate) async fn find_tenant(cloud: &Cloud, domain: &str) -> Result<TenantId, Box<dyn Error>> {
    #[derive(Deserialize)]
    struct Metadata {
        issuer: String,
    }
    let domain: TenantId = domain
        .parse()
        .map_err(|error| format!("the domain is invalid: {error}"))?;
    if domain.is_alias() {
        return Err(format!("{domain} is not a domain, but stands for any organization").into());
    }
    let login = cloud.authority().as_str().trim_end_matches('/');
    let url = format!("{login}/{domain}/v2.0/.well-known/openid-configuration");
    let request = http::Request::get(url).body(Bytes::new())?;
    let response = ReqwestTransport::default().send(request).await?;
    match response.status().as_u16() {
        200..=299 => {}
        400 | 404 => {
            return Err(format!("there is no organization with the domain {domain}").into());
        }
        // Throttling or an outage says nothing about the domain.
        status => {
            return Err(format!(
                "the organization of {domain} could not be looked up: the sign-in service returned {status}; try again later"
            )
            .into());
        }
    }
    let metadata: Metadata = serde_json::from_slice(response.body())?;
    // Such as https://login.microsoftonline.com/{tenant ID}/v2.0.
    let id = metadata.issuer.rsplit('/').nth(1).unwrap_or_default();
    Ok(id.parse()?)
}

const MISSING_TENANT: &str = "the directory (tenant) ID is missing
  cause: the registration is for one organization; without its ID the sign-in page shows AADSTS50194
  fix:   enter the Directory (tenant) ID of App registrations > Overview, or a domain of the users' addresses; for a
         registration of any organization, --step find-tenant finds it by a sign-in";
