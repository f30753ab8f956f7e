//! Which host this is, and what a token request looks like there.

use std::{path::Path, sync::Arc};

use entra_core::{
    HttpTransport, Request, Secret,
    http::{HeaderName, HeaderValue, Method},
    url::{Host, Url, form_urlencoded},
};

use super::{ManagedIdentityId, ManagedIdentitySource};
use crate::{Environment, Error};

/// One host's token endpoint.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) source: ManagedIdentitySource,
    pub(super) url: Url,
    /// What the host gave to its own processes, to be shown with each request.
    pub(super) secret: Option<Secret>,
    /// SHA-1 of the certificate that a Service Fabric node shows.
    pub(super) thumbprint: Option<[u8; 20]>,
    pub(super) arc_tokens: Option<Arc<Path>>,
    /// The identity that Azure ML means when none is named.
    default_client: Option<String>,
}

impl Endpoint {
    /// Goes through the hosts in the order in which Microsoft's libraries do.
    pub(super) fn detect(environment: &Environment) -> Result<Self, Error> {
        use ManagedIdentitySource as Source;
        let get = |name: &str| environment.get(name);
        let (source, variable, address) = match (get("IDENTITY_ENDPOINT"), get("MSI_ENDPOINT")) {
            (Some(address), _) if get("IDENTITY_HEADER").is_some() => {
                let source = match get("IDENTITY_SERVER_THUMBPRINT") {
                    Some(_) => Source::ServiceFabric,
                    None => Source::AppService,
                };
                (source, "IDENTITY_ENDPOINT", address.to_owned())
            }
            (Some(address), _) if get("IMDS_ENDPOINT").is_some() => {
                (Source::AzureArc, "IDENTITY_ENDPOINT", address.to_owned())
            }
            (None, Some(address)) => {
                let source = match get("MSI_SECRET") {
                    Some(_) => Source::AzureMl,
                    None => Source::CloudShell,
                };
                (source, "MSI_ENDPOINT", address.to_owned())
            }
            _ if environment.arc_tokens().is_some() => {
                (Source::AzureArc, "IDENTITY_ENDPOINT", ARC.to_owned())
            }
            _ => {
                let host = get(POD_HOST).unwrap_or(IMDS).trim().trim_end_matches('/');
                (Source::Imds, POD_HOST, format!("{host}{IMDS_PATH}"))
            }
        };
        let url = Url::parse(address.trim()).map_err(|error| {
            Error::configuration(
                format!("{variable} is not a URL"),
                "leave it as the host sets it",
            )
            .with_source(error)
        })?;
        if source == Source::AzureArc && !is_loopback(&url) {
            return Err(Error::configuration(
                "the endpoint of Azure Arc's agent is not on this machine",
                "leave IDENTITY_ENDPOINT as the agent sets it",
            ));
        }
        let secret = match source {
            Source::AppService | Source::ServiceFabric => environment.secret("IDENTITY_HEADER"),
            Source::AzureMl => environment.secret("MSI_SECRET"),
            _ => None,
        };
        let thumbprint = match source {
            Source::ServiceFabric => Some(thumbprint(
                get("IDENTITY_SERVER_THUMBPRINT").unwrap_or_default(),
            )?),
            _ => None,
        };
        Ok(Self {
            source,
            url,
            secret: secret.cloned(),
            thumbprint,
            arc_tokens: environment.arc_tokens().map(Arc::from),
            default_client: get("DEFAULT_IDENTITY_CLIENT_ID").map(str::to_owned),
        })
    }

    /// Rejects an identity that this kind of host does not support.
    pub(super) fn check(&self, identity: &ManagedIdentityId) -> Result<(), Error> {
        let fix = match (self.source, identity) {
            (_, ManagedIdentityId::System) => return Ok(()),
            (ManagedIdentitySource::ServiceFabric, _) => {
                "leave the identity out; the cluster's application manifest decides it"
            }
            (ManagedIdentitySource::CloudShell, _) => {
                "leave the identity out; Cloud Shell signs in as its user"
            }
            (
                ManagedIdentitySource::AzureMl,
                ManagedIdentityId::Object(_) | ManagedIdentityId::Resource(_),
            ) => "name the identity by its client id",
            _ => return Ok(()),
        };
        Err(Error::configuration(
            format!("{} does not support this identity", self.source),
            fix,
        ))
    }

    pub(super) fn request(
        &self,
        identity: &ManagedIdentityId,
        resource: &str,
    ) -> Result<Request, Error> {
        use ManagedIdentitySource as Source;
        if self.source == Source::CloudShell {
            let body: String = form_urlencoded::Serializer::new(String::new())
                .append_pair("resource", resource)
                .finish();
            return Ok(Request::new(OPERATION, Method::POST, self.url.clone())
                .with_idempotency(entra_core::Idempotency::Safe)
                .with_body("application/x-www-form-urlencoded", body)
                .with_header(METADATA, HeaderValue::from_static("true")));
        }
        let version = match self.source {
            Source::AppService => "2019-08-01",
            Source::AzureArc => "2020-06-01",
            Source::ServiceFabric => "2019-07-01-preview",
            Source::AzureMl => "2017-09-01",
            Source::Imds | Source::CloudShell => "2018-02-01",
        };
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .append_pair("api-version", version)
            .append_pair("resource", resource);
        if let Some((name, value)) = self.selector(identity) {
            url.query_pairs_mut().append_pair(name, &value);
        }
        let request = Request::new(OPERATION, Method::GET, url);
        let (name, value) = match (self.secret_header(), &self.secret) {
            (Some(name), Some(secret)) => (name, sensitive(secret)?),
            _ => (METADATA, HeaderValue::from_static("true")),
        };
        Ok(request.with_header(name, value))
    }

    /// The header that takes the host's secret back to it.
    pub(super) const fn secret_header(&self) -> Option<HeaderName> {
        use ManagedIdentitySource as Source;
        match self.source {
            Source::AppService => Some(IDENTITY_HEADER),
            Source::AzureMl | Source::ServiceFabric => Some(SECRET),
            Source::Imds | Source::AzureArc | Source::CloudShell => None,
        }
    }

    fn selector(&self, identity: &ManagedIdentityId) -> Option<(&'static str, String)> {
        use ManagedIdentitySource as Source;
        match (identity, self.source) {
            (ManagedIdentityId::System, Source::AzureMl) => {
                Some(("clientid", self.default_client.clone()?))
            }
            (ManagedIdentityId::System, _) => None,
            (ManagedIdentityId::Client(id), Source::AzureMl) => Some(("clientid", id.to_string())),
            (ManagedIdentityId::Client(id), _) => Some(("client_id", id.to_string())),
            (ManagedIdentityId::Object(id), Source::AppService) => {
                Some(("principal_id", id.to_string()))
            }
            (ManagedIdentityId::Object(id), _) => Some(("object_id", id.to_string())),
            (ManagedIdentityId::Resource(id), Source::AppService) => {
                Some(("mi_res_id", id.clone()))
            }
            (ManagedIdentityId::Resource(id), _) => Some(("msi_res_id", id.clone())),
        }
    }
}

/// The transport to a Service Fabric node, which shows a self-signed certificate and tells its
/// processes which.
#[cfg(feature = "reqwest")]
#[expect(clippy::unnecessary_wraps, reason = "fails without the feature")]
pub(super) fn pinned(url: &Url, thumbprint: [u8; 20]) -> Result<Arc<dyn HttpTransport>, Error> {
    let transport = entra_core::ServiceFabricTransport::new(url, thumbprint);
    Ok(Arc::new(transport))
}

#[cfg(not(feature = "reqwest"))]
pub(super) fn pinned(_: &Url, _: [u8; 20]) -> Result<Arc<dyn HttpTransport>, Error> {
    Err(Error::configuration(
        "there is no HTTP transport",
        "give one with `transport` that trusts the certificate of IDENTITY_SERVER_THUMBPRINT only",
    ))
}

fn sensitive(secret: &Secret) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(secret.expose_secret().trim()).map_err(|_| {
        Error::configuration(
            "the host's secret cannot be sent in a header",
            "leave IDENTITY_HEADER and MSI_SECRET as the host sets them",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn thumbprint(text: &str) -> Result<[u8; 20], Error> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|character| !matches!(character, ':' | ' '))
        .filter_map(|character| u8::try_from(character.to_digit(16)?).ok())
        .collect();
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    bytes.try_into().map_err(|_| {
        Error::configuration(
            "IDENTITY_SERVER_THUMBPRINT is not a SHA-1 thumbprint",
            "leave it as the Service Fabric node sets it",
        )
    })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

const OPERATION: &str = "token of a managed identity";
const METADATA: HeaderName = HeaderName::from_static("metadata");
const IDENTITY_HEADER: HeaderName = HeaderName::from_static("x-identity-header");
const SECRET: HeaderName = HeaderName::from_static("secret");
const POD_HOST: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
const IMDS: &str = "http://169.254.169.254";
const IMDS_PATH: &str = "/metadata/identity/oauth2/token";
const ARC: &str = "http://localhost:40342/metadata/identity/oauth2/token";
