//! Metadata: OpenID configuration, signing keys, instance discovery, user realm.

use serde_json::{Map, Value, json};
use url::{Url, form_urlencoded::byte_serialize};

use super::{
    context::{Context, Version, plain_text},
    error::{LoginError, success},
};
use crate::{store::Kind, wire::Reply};

/// The meaning of the tenant segment of a URL.
pub(super) enum Tenant {
    /// The tenant itself, by id or verified domain.
    Own,
    /// `common`, `organizations` or `consumers`.
    Alias(&'static str),
}

/// Reads the tenant segment, or returns the error of Entra.
pub(super) fn tenant(context: &Context<'_>, segment: &str) -> Result<Tenant, LoginError> {
    if let Some(alias) = ALIASES
        .into_iter()
        .find(|alias| alias.eq_ignore_ascii_case(segment))
    {
        return Ok(Tenant::Alias(alias));
    }
    if context.read().is_named(segment) {
        return Ok(Tenant::Own);
    }
    let name = plain_text(segment);
    if segment.parse::<entra_core::TenantId>().is_err() {
        return Err(LoginError::new(
            900_023,
            format!("The tenant '{name}' is neither a GUID nor a domain name."),
        ));
    }
    Err(LoginError::new(
        90_002,
        format!(
            "Tenant '{name}' not found. Check the tenant id or domain, and that the tenant is in this cloud."
        ),
    ))
}

/// `/{tenant}[/v2.0]/.well-known/openid-configuration`
pub(super) fn openid(context: &Context<'_>, segment: &str) -> Reply {
    match tenant(context, segment) {
        Ok(tenant) => cacheable(Reply::json(200, &configuration(context, &tenant))),
        Err(error) => error
            .render(context)
            .with_header("access-control-allow-origin", "*"),
    }
}

/// `/{tenant}/discovery[/v2.0]/keys`
pub(super) fn keys(context: &Context<'_>, segment: &str) -> Reply {
    let tenant = match tenant(context, segment) {
        Ok(tenant) => tenant,
        Err(error) => return error.render(context),
    };
    let issuer = issuer(context, &name_in_urls(context, &tenant).1);
    let state = context.read();
    let keys: Vec<Value> = state
        .keys
        .published()
        .map(|key| {
            let mut jwk = json!({
                "kty": "RSA", "use": "sig", "kid": key.kid, "x5t": key.kid,
                "n": key.n, "e": key.e, "x5c": [key.x5c()],
            });
            if context.version == Version::V2 {
                jwk["issuer"] = issuer.clone().into();
            }
            jwk
        })
        .collect();
    cacheable(Reply::json(200, &json!({ "keys": keys })))
}

/// `/common/discovery/instance`
pub(super) fn instance(context: &Context<'_>) -> Reply {
    let Some(endpoint) = context.query("authorization_endpoint") else {
        return LoginError::new(
            90_014,
            "The query must contain the parameter 'authorization_endpoint'.",
        )
        .render(context);
    };
    let Ok(parsed) = Url::parse(&endpoint) else {
        let text = "The parameter 'authorization_endpoint' is not an absolute URL.";
        return LoginError::new(50_050, text).render(context);
    };
    let host = authority_of(&parsed);
    let own = context
        .base()
        .split_once("://")
        .map_or("", |(_, host)| host);
    let known = PUBLIC_HOSTS
        .iter()
        .chain(&OTHER_CLOUDS)
        .any(|name| host.eq_ignore_ascii_case(name));
    let Some(url) = Some(parsed).filter(|_| known || host.eq_ignore_ascii_case(own)) else {
        return LoginError::new(
            50_049,
            format!("The host '{host}' is not part of a known cloud."),
        )
        .render(context);
    };

    let tenant = url
        .path_segments()
        .and_then(|mut segments| segments.next().map(str::to_owned))
        .unwrap_or_default();
    let version = if url.path().to_ascii_lowercase().contains("/v2.0/") {
        "/v2.0"
    } else {
        ""
    };
    let mut metadata = vec![json!({
        "preferred_network": PUBLIC_HOSTS[0], "preferred_cache": PUBLIC_HOSTS[1], "aliases": PUBLIC_HOSTS,
    })];
    metadata.extend(OTHER_CLOUDS.iter().map(
        |cloud| json!({ "preferred_network": cloud, "preferred_cache": cloud, "aliases": [cloud] }),
    ));
    if !known {
        metadata
            .push(json!({ "preferred_network": host, "preferred_cache": host, "aliases": [host] }));
    }
    let mut body = Map::new();
    let discovery = format!(
        "{}://{host}/{tenant}{version}/.well-known/openid-configuration",
        url.scheme()
    );
    body.insert("tenant_discovery_endpoint".into(), discovery.into());
    body.insert(
        "api-version".into(),
        context
            .query("api-version")
            .unwrap_or_else(|| "1.1".into())
            .into(),
    );
    body.insert("metadata".into(), metadata.into());
    success(context, body).with_header("access-control-allow-origin", "*")
}

/// `/{tenant}/userrealm/{user}`: a verified domain is managed or federated, all others are unknown.
pub(super) fn user_realm(context: &Context<'_>, user: &str) -> Reply {
    let user = percent_decoded(user);
    let domain = user.rsplit_once('@').map_or("", |(_, domain)| domain);
    let managed = context
        .read()
        .domains
        .iter()
        .any(|own| own.eq_ignore_ascii_case(domain));
    let federated = context
        .read()
        .store
        .get(Kind::Domain, &domain.to_ascii_lowercase())
        .is_some_and(|domain| domain["authenticationType"] == "Federated");
    let mut body = Map::new();
    body.insert("ver".into(), "1.0".into());
    let account_type = match (managed, federated) {
        (true, false) => "Managed",
        (true, true) => "Federated",
        (false, _) => "Unknown",
    };
    body.insert("account_type".into(), account_type.into());
    if managed {
        body.insert("domain_name".into(), domain.into());
    }
    body.insert("cloud_instance_name".into(), "microsoftonline.com".into());
    body.insert(
        "cloud_audience_urn".into(),
        "urn:federation:MicrosoftOnline".into(),
    );
    success(context, body)
}

/// The issuer of tokens. The v1 issuer has its own host in the public cloud.
pub(super) fn issuer(context: &Context<'_>, tenant: &str) -> String {
    issuer_at(context.base(), context.version, tenant)
}

pub(super) fn issuer_at(base: &str, version: Version, tenant: &str) -> String {
    match version {
        Version::V2 => format!("{base}/{tenant}/v2.0"),
        Version::V1
            if PUBLIC_HOSTS
                .iter()
                .any(|host| base.strip_prefix("https://") == Some(host)) =>
        {
            format!("https://sts.windows.net/{tenant}/")
        }
        Version::V1 => format!("{base}/{tenant}/"),
    }
}

fn configuration(context: &Context<'_>, tenant: &Tenant) -> Value {
    let base = context.base();
    let (name, issuer_name) = name_in_urls(context, tenant);
    let (oauth, keys, realm) = match context.version {
        Version::V1 => (
            format!("{base}/{name}/oauth2"),
            format!("{base}/{name}/discovery/keys"),
            "openid/userinfo",
        ),
        Version::V2 => (
            format!("{base}/{name}/oauth2/v2.0"),
            format!("{base}/{name}/discovery/v2.0/keys"),
            "oidc/userinfo",
        ),
    };
    let keys = match context.query("appid") {
        // An application can have signing keys of its own, which only its own set of keys lists.
        Some(app_id) => {
            let app_id: String = byte_serialize(app_id.as_bytes()).collect();
            format!("{keys}?appid={app_id}")
        }
        None => keys,
    };
    let userinfo = match context.version {
        Version::V1 => format!("{base}/{name}/{realm}"),
        Version::V2 => format!("{base}/{realm}"),
    };
    let region = match tenant {
        Tenant::Own => Some(context.read().region.clone()),
        Tenant::Alias(_) => None,
    };
    let mut configuration = json!({
        "token_endpoint": format!("{oauth}/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": keys,
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer(context, &issuer_name),
        "request_uri_parameter_supported": false,
        "userinfo_endpoint": userinfo,
        "authorization_endpoint": format!("{oauth}/authorize"),
        "device_authorization_endpoint": format!("{oauth}/devicecode"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{oauth}/logout"),
        "claims_supported": [
            "sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host",
            "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash",
            "c_hash", "email"
        ],
        "kerberos_endpoint": format!("{base}/{name}/kerberos"),
        "tenant_region_scope": region.as_ref().map(|(scope, _)| scope.as_str()),
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    });
    if let Some((_, Some(sub_scope))) = region {
        configuration["tenant_region_sub_scope"] = sub_scope.into();
    }
    configuration
}

/// Returns the tenant segment of endpoint URLs, and that of the issuer.
fn name_in_urls(context: &Context<'_>, tenant: &Tenant) -> (String, String) {
    match tenant {
        Tenant::Own => {
            let id = context.read().tenant_id.to_string();
            (id.clone(), id)
        }
        Tenant::Alias("consumers") => ("consumers".into(), PERSONAL_ACCOUNTS.into()),
        // A placeholder that clients replace by the tenant id of the token.
        Tenant::Alias(alias) => ((*alias).into(), "{tenantid}".into()),
    }
}

fn cacheable(reply: Reply) -> Reply {
    reply
        .with_header("cache-control", "max-age=86400, private")
        .with_header("access-control-allow-origin", "*")
}

fn authority_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    plain_text(
        &url.port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
    )
}

fn percent_decoded(text: &str) -> String {
    // A plus sign is literal in a path.
    url::form_urlencoded::parse(text.replace('+', "%2B").as_bytes())
        .next()
        .map(|(key, _)| key.into_owned())
        .unwrap_or_default()
}

const ALIASES: [&str; 3] = ["common", "organizations", "consumers"];
/// The tenant of personal Microsoft accounts.
const PERSONAL_ACCOUNTS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
/// The hosts of the public cloud: preferred network, preferred cache, aliases.
const PUBLIC_HOSTS: [&str; 4] = [
    "login.microsoftonline.com",
    "login.windows.net",
    "login.microsoft.com",
    "sts.windows.net",
];
const OTHER_CLOUDS: [&str; 4] = [
    "login.partner.microsoftonline.cn",
    "login.microsoftonline.us",
    "login-us.microsoftonline.com",
    "login.microsoftonline.de",
];
