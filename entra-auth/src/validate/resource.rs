use std::{fmt, sync::Arc};

use entra_core::{
    ClientId, Cloud, IntoId, TenantId,
    bytes::Bytes,
    http::{HeaderValue, Method, Response, StatusCode, header},
    url::Url,
};
use serde_json::{Map, Value, json};

use super::{
    builder::TokenValidatorBuilder,
    error::{TokenValidationError, bearer_header},
    validator::TokenValidator,
};
use crate::Error;

/// An API that publishes how clients get tokens for it: OAuth 2.0 protected resource metadata (RFC
/// 9728).
///
/// A client that knows nothing but the API's URL, such as a client of an MCP server, sends a request
/// without a token, finds the metadata by the `WWW-Authenticate` header of the 401, and there the tenant
/// to sign in to and the scopes to request.
///
/// ```
/// use entra_auth::validate::ProtectedResource;
/// # let tenant = "11111111-1111-1111-1111-111111111111";
/// # let client_id = "22222222-2222-2222-2222-222222222222";
/// let tools = ProtectedResource::builder("https://tools.contoso.com/mcp", tenant, client_id)
///     .scopes(["Tools.Read"])
///     .name("Contoso tools")
///     .build()?;
/// assert_eq!(
///     tools.metadata_url(),
///     "https://tools.contoso.com/.well-known/oauth-protected-resource/mcp"
/// );
/// assert_eq!(tools.full_scope("Tools.Read"), "https://tools.contoso.com/mcp/Tools.Read");
/// assert_eq!(
///     tools.www_authenticate(["Tools.Read"]),
///     "Bearer resource_metadata=\"https://tools.contoso.com/.well-known/oauth-protected-resource/mcp\", \
///      scope=\"https://tools.contoso.com/mcp/Tools.Read\""
/// );
/// # Ok::<(), entra_auth::Error>(())
/// ```
///
/// # Registration at Entra
///
/// Clients of MCP servers send the URL of the server as the parameter `resource` (RFC 8707). Entra
/// compares it, character by character, with the Application ID URIs of the application whose scopes are
/// requested, and returns AADSTS9010010 if none is equal. So the application needs this URL as an
/// Application ID URI, without a slash at its end, and access tokens of version 2. Entra has no dynamic
/// client registration: the client ID of each client is configured by hand.
///
/// With axum, [`metadata_routes`](crate::web::metadata_routes) serves the document, and
/// [`BearerAuthLayer::protected_resource`](crate::web::BearerAuthLayer::protected_resource) refers to it.
#[derive(Clone)]
pub struct ProtectedResource(Arc<Inner>);

struct Inner {
    /// As it was given: clients compare it with the URL that they use.
    resource: String,
    metadata_path: String,
    metadata_url: String,
    metadata: Bytes,
    identifier: String,
    tenant: TenantId,
    client: ClientId,
    cloud: Cloud,
    scopes: Vec<String>,
    offline_access: bool,
}

/// Settings of a [`ProtectedResource`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ProtectedResourceBuilder {
    resource: String,
    tenant: Result<TenantId, Error>,
    client: Result<ClientId, Error>,
    cloud: Cloud,
    identifier: Option<String>,
    scopes: Vec<String>,
    offline_access: bool,
    name: Option<String>,
    documentation: Option<String>,
}

impl ProtectedResource {
    /// Settings of an API at this URL, whose registration in the tenant has this client ID.
    ///
    /// The URL is published as it is given: it must be the one that clients use.
    pub fn builder(
        url: impl Into<String>,
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
    ) -> ProtectedResourceBuilder {
        ProtectedResourceBuilder {
            resource: url.into(),
            tenant: tenant.into_id().map_err(Error::from),
            client: client_id.into_id().map_err(Error::from),
            cloud: Cloud::default(),
            identifier: None,
            scopes: Vec::new(),
            offline_access: false,
            name: None,
            documentation: None,
        }
    }

    /// The URL of the API: the member `resource` of the metadata.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0.resource
    }

    /// The path at which the metadata is served: the API's path after
    /// `/.well-known/oauth-protected-resource` (RFC 9728, section 3.1).
    #[must_use]
    pub fn metadata_path(&self) -> &str {
        &self.0.metadata_path
    }

    /// The URL of the metadata.
    #[must_use]
    pub fn metadata_url(&self) -> &str {
        &self.0.metadata_url
    }

    /// The metadata as JSON (RFC 9728, section 2).
    #[must_use]
    pub fn metadata(&self) -> Bytes {
        self.0.metadata.clone()
    }

    /// The response to a request of the metadata, which needs no token and may come from a script of
    /// another site: 200 for `GET` and `HEAD`, 204 for the preflight request of a browser, 405 for every
    /// other method.
    #[must_use]
    pub fn metadata_response(&self, method: &Method) -> Response<Bytes> {
        let (status, body) = match *method {
            Method::GET => (StatusCode::OK, self.metadata()),
            Method::HEAD => (StatusCode::OK, Bytes::new()),
            Method::OPTIONS => (StatusCode::NO_CONTENT, Bytes::new()),
            _ => (StatusCode::METHOD_NOT_ALLOWED, Bytes::new()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
        set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        match status {
            StatusCode::OK => {
                set(header::CONTENT_TYPE, "application/json");
                set(header::CACHE_CONTROL, "public, max-age=3600");
            }
            StatusCode::NO_CONTENT => {
                set(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD");
                // Clients of MCP servers send `MCP-Protocol-Version`.
                set(header::ACCESS_CONTROL_ALLOW_HEADERS, "*");
                set(header::ACCESS_CONTROL_MAX_AGE, "3600");
            }
            _ => {
                set(header::ALLOW, "GET, HEAD, OPTIONS");
            }
        }
        response
    }

    /// A scope of this API in full form, with its Application ID URI: a scope without one is a scope of
    /// Microsoft Graph. A scope that is in full form already is not changed.
    #[must_use]
    pub fn full_scope(&self, scope: &str) -> String {
        full_scope(&self.0.identifier, scope)
    }

    /// The `WWW-Authenticate` header of the 401 for a request without a token: where the metadata is, and
    /// the scopes that the request needs. Without scopes a client requests those of the metadata.
    #[must_use]
    pub fn www_authenticate<S: AsRef<str>>(&self, scopes: impl IntoIterator<Item = S>) -> String {
        // RFC 6750, 3.1: without a token there is no error code.
        self.header(Vec::new(), &self.with_offline_access(self.joined(scopes)))
    }

    /// The `WWW-Authenticate` header of the response to an invalid token, or to one that lacks a scope:
    /// as [`TokenValidationError::www_authenticate`], with the place of the metadata and with scopes in
    /// full form. `None` if the token is not at fault.
    #[must_use]
    pub fn www_authenticate_error(&self, error: &TokenValidationError) -> Option<String> {
        let parameters = error.header_parameters()?;
        Some(self.header(parameters, &self.joined(error.required_scopes())))
    }

    /// A validator of the tokens for this API. It accepts the audiences of both token versions: the
    /// client ID, and in version 1 any Application ID URI.
    ///
    /// An API for several tenants needs [`tenants`](TokenValidatorBuilder::tenants) as well.
    pub fn token_validator(&self) -> TokenValidatorBuilder {
        let inner = &*self.0;
        let client = inner.client.to_string();
        let mut audiences = vec![
            client.clone(),
            format!("api://{client}"),
            inner.identifier.clone(),
        ];
        if inner.resource.trim_end_matches('/') != inner.identifier {
            audiences.push(inner.resource.clone());
        }
        TokenValidator::access_tokens(inner.tenant.clone(), audiences).cloud(inner.cloud.clone())
    }

    /// The names of the scopes, without the Application ID URI.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.0.scopes.iter().map(String::as_str)
    }

    /// A header with these parameters, the place of the metadata and scopes in full form.
    pub(crate) fn header<'a>(
        &'a self,
        mut parameters: Vec<(&'a str, &'a str)>,
        scopes: &'a str,
    ) -> String {
        parameters.push(("resource_metadata", self.metadata_url()));
        if !scopes.is_empty() {
            parameters.push(("scope", scopes));
        }
        bearer_header(&parameters)
    }

    /// The scopes to request, with `offline_access` if that is published.
    pub(crate) fn with_offline_access(&self, mut scopes: String) -> String {
        if self.0.offline_access && !scopes.is_empty() {
            scopes.push_str(" offline_access");
        }
        scopes
    }

    /// The scopes in full form, without those that would end the quoted string of a header.
    pub(crate) fn joined<S: AsRef<str>>(&self, scopes: impl IntoIterator<Item = S>) -> String {
        let mut full = Vec::new();
        for scope in scopes {
            if is_scope(scope.as_ref()) {
                full.push(self.full_scope(scope.as_ref()));
            }
        }
        full.join(" ")
    }
}

impl ProtectedResourceBuilder {
    /// The cloud whose tokens are accepted; the public cloud unless set.
    pub fn cloud(mut self, cloud: Cloud) -> Self {
        self.cloud = cloud;
        self
    }

    /// The Application ID URI in front of the scopes, such as `api://{client id}`; the URL of the API
    /// unless set. Whichever it is, clients that send the parameter `resource` need the URL of the API
    /// among the Application ID URIs.
    pub fn application_id_uri(mut self, uri: impl Into<String>) -> Self {
        self.identifier = Some(uri.into());
        self
    }

    /// The scopes of the API, by name. They are published in full form.
    pub fn scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Publishes `offline_access` beside the scopes, in the metadata and in each 401 with scopes, for clients
    /// that request exactly the published scopes: without it Entra issues no refresh token.
    pub fn offline_access(mut self) -> Self {
        self.offline_access = true;
        self
    }

    /// The name of the API that clients show.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The URL of a page for developers.
    pub fn documentation(mut self, url: impl Into<String>) -> Self {
        self.documentation = Some(url.into());
        self
    }

    /// Builds the resource.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an invalid id, a tenant that is
    /// named by its domain, an Application ID URI or scope that a header cannot carry, and a URL that is
    /// not `https` beyond a loopback address, has a query or a fragment, or is not in the form in which
    /// clients send it.
    pub fn build(self) -> Result<ProtectedResource, Error> {
        let (tenant, client) = (self.tenant?, self.client?);
        if self.cloud.is_entra() && tenant.guid().is_none() && !tenant.is_alias() {
            return Err(Error::configuration(
                "the tenant of a protected resource is named by its domain",
                "give the tenant's GUID: the issuer in Entra's metadata has it, and clients compare the two",
            ));
        }
        let url = resource_url(&self.resource)?;
        let documentation = self.documentation.map(|text| web_url(&text)).transpose()?;
        let identifier = match self.identifier {
            Some(identifier) => identifier,
            None => self.resource.trim_end_matches('/').to_owned(),
        };
        if Url::parse(&identifier).is_err() || !is_scope(&identifier) || identifier.ends_with('/') {
            return Err(Error::configuration(
                "the Application ID URI of a protected resource is invalid",
                "give it as it is on the registration's page Expose an API: an absolute URI without a slash at its end",
            ));
        }
        if !self.scopes.iter().all(|scope| is_scope(scope)) {
            return Err(Error::configuration(
                "a scope of a protected resource is empty, or has white space, a quotation mark or a backslash",
                "give each scope by its name on the registration's page Expose an API",
            ));
        }
        let path = match url.path() {
            "/" => "",
            path => path,
        };
        let metadata_path = format!("{WELL_KNOWN}{path}");
        let origin = url.origin().ascii_serialization();
        let mut metadata = Map::new();
        let mut put = |name: &str, value: Value| metadata.insert(name.to_owned(), value);
        put("resource", self.resource.clone().into());
        put(
            "authorization_servers",
            json!([authorization_server(&self.cloud, &tenant)]),
        );
        let mut published: Vec<String> = self
            .scopes
            .iter()
            .map(|scope| full_scope(&identifier, scope))
            .collect();
        if self.offline_access {
            published.push("offline_access".to_owned());
        }
        if !published.is_empty() {
            put("scopes_supported", published.into());
        }
        put("bearer_methods_supported", json!(["header"]));
        if let Some(name) = self.name {
            put("resource_name", name.into());
        }
        if let Some(documentation) = documentation {
            put("resource_documentation", documentation.into());
        }
        Ok(ProtectedResource(Arc::new(Inner {
            metadata_url: format!("{origin}{metadata_path}"),
            metadata: Value::Object(metadata).to_string().into(),
            resource: self.resource,
            metadata_path,
            identifier,
            tenant,
            client,
            cloud: self.cloud,
            scopes: self.scopes,
            offline_access: self.offline_access,
        })))
    }
}

impl fmt::Debug for ProtectedResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectedResource")
            .field("url", &self.0.resource)
            .field("application_id_uri", &self.0.identifier)
            .field("tenant", &self.0.tenant)
            .field("client_id", &self.0.client)
            .field("scopes", &self.0.scopes)
            .finish_non_exhaustive()
    }
}

/// Without the URLs, which are checked by `build` only: an invalid one may have a password.
impl fmt::Debug for ProtectedResourceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectedResourceBuilder")
            .field("tenant", &self.tenant)
            .field("client_id", &self.client)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// The issuer of the tokens, as the sign-in service's metadata has it.
fn authorization_server(cloud: &Cloud, tenant: &TenantId) -> String {
    let authority = cloud.authority().as_str();
    match cloud.is_entra() {
        true => format!("{authority}{tenant}/v2.0"),
        false => authority.trim_end_matches('/').to_owned(),
    }
}

/// The URL of an API, which must be in the form in which the URL libraries of clients send it: they
/// compare it as text.
fn resource_url(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).ok().filter(|url| url.host().is_some());
    let Some(url) = url else {
        return Err(Error::configuration(
            "the URL of a protected resource is invalid",
            "give the absolute URL that clients use, such as https://tools.contoso.com/mcp",
        ));
    };
    if !is_secure(&url) {
        return Err(Error::configuration(
            "the URL of a protected resource is not https",
            "give an https URL; http is possible at a loopback address only",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() || has_user_info(&url) {
        return Err(Error::configuration(
            "the URL of a protected resource has a query, a fragment or a user name",
            "give scheme, host, port and path only",
        ));
    }
    let canonical = url.as_str();
    if text != canonical && format!("{text}/") != canonical {
        return Err(Error::configuration(
            format!("the URL of a protected resource is sent by clients as {canonical}"),
            "give it in that form: a host in lower case, without the default port, with characters encoded",
        ));
    }
    Ok(url)
}

fn web_url(text: &str) -> Result<String, Error> {
    match Url::parse(text) {
        Ok(url) if is_secure(&url) && !has_user_info(&url) => Ok(text.to_owned()),
        _ => Err(Error::configuration(
            "the URL of the documentation of a protected resource is invalid",
            "give an absolute https URL",
        )),
    }
}

fn is_secure(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(entra_core::url::Host::Domain(name)) => name == "localhost",
        Some(entra_core::url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(entra_core::url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback)
}

fn has_user_info(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn full_scope(identifier: &str, scope: &str) -> String {
    match scope.contains("://") || IDENTITY_SCOPES.contains(&scope) {
        true => scope.to_owned(),
        false => format!("{identifier}/{scope}"),
    }
}

/// The characters of a scope (RFC 6749, appendix A.4), which a quoted string can have.
fn is_scope(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
/// They belong to no API.
const IDENTITY_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "11111111-1111-1111-1111-111111111111";
    const CLIENT: &str = "22222222-2222-2222-2222-222222222222";

    fn at(url: &str) -> ProtectedResourceBuilder {
        ProtectedResource::builder(url, TENANT, CLIENT)
    }

    fn metadata(resource: &ProtectedResource) -> Value {
        serde_json::from_slice(&resource.metadata()).unwrap()
    }

    #[test]
    fn the_well_known_part_is_between_host_and_path() {
        for (url, path) in [
            ("https://tools.contoso.com", ""),
            ("https://tools.contoso.com/", ""),
            ("https://tools.contoso.com/mcp", "/mcp"),
            ("https://tools.contoso.com:8443/a/b", "/a/b"),
            ("https://tools.contoso.com/mcp/", "/mcp/"),
            ("http://127.0.0.1:3000/mcp", "/mcp"),
            ("http://[::1]:3000/mcp", "/mcp"),
            ("http://localhost:3000", ""),
        ] {
            let resource = at(url).build().unwrap();
            let expected = format!("/.well-known/oauth-protected-resource{path}");
            assert_eq!(resource.metadata_path(), expected);
            let origin = Url::parse(url).unwrap().origin().ascii_serialization();
            assert_eq!(resource.metadata_url(), format!("{origin}{expected}"));
            // The text as it was given.
            assert_eq!(metadata(&resource)["resource"], url);
            assert_eq!(resource.url(), url);
        }
    }

    #[test]
    fn the_metadata_has_the_issuer_and_scopes_in_full_form() {
        let resource = at("https://tools.contoso.com/mcp")
            .scopes(["Tools.Read", "api://other/Tools.Write"])
            .name("Tools")
            .documentation("https://contoso.com/tools")
            .offline_access()
            .build()
            .unwrap();
        assert_eq!(
            metadata(&resource),
            json!({
                "resource": "https://tools.contoso.com/mcp",
                "authorization_servers": [format!("https://login.microsoftonline.com/{TENANT}/v2.0")],
                "scopes_supported": [
                    "https://tools.contoso.com/mcp/Tools.Read", "api://other/Tools.Write", "offline_access",
                ],
                "bearer_methods_supported": ["header"],
                "resource_name": "Tools",
                "resource_documentation": "https://contoso.com/tools",
            })
        );
        let china = at("https://tools.contoso.com").cloud(Cloud::china());
        let china = china.build().unwrap();
        assert_eq!(
            metadata(&china)["authorization_servers"][0],
            format!("https://login.partner.microsoftonline.cn/{TENANT}/v2.0")
        );
        assert_eq!(metadata(&china).get("scopes_supported"), None);
        let api = at("https://tools.contoso.com/").application_id_uri(format!("api://{CLIENT}"));
        let api = api.scopes(["Tools.Read"]).build().unwrap();
        let scope = format!("api://{CLIENT}/Tools.Read");
        assert_eq!(metadata(&api)["scopes_supported"], json!([scope]));
        let root = at("https://tools.contoso.com/").build().unwrap();
        assert_eq!(root.full_scope("a"), "https://tools.contoso.com/a");
        assert_eq!(root.full_scope("offline_access"), "offline_access");
    }

    #[test]
    fn a_url_that_clients_would_send_in_another_form_is_rejected() {
        for url in [
            "",
            "tools.contoso.com/mcp",
            "/mcp",
            "api://tools",
            "http://tools.contoso.com/mcp",
            "http://localhost.contoso.com/mcp",
            "https://Tools.contoso.com/mcp",
            "https://tools.contoso.com:443/mcp",
            "https://tools.contoso.com/a/../mcp",
            "https://tools.contoso.com/a b",
            " https://tools.contoso.com/mcp",
            "https://tools.contoso.com/mcp?a=b",
            "https://tools.contoso.com/mcp#a",
            "https://canary-user:canary-password@tools.contoso.com/mcp",
            "https://tools.contoso.com/\"mcp",
        ] {
            let error = at(url).build().unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Configuration, "{url}");
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }

    #[test]
    fn invalid_settings_are_rejected() {
        let mcp = || at("https://tools.contoso.com/mcp");
        for builder in [
            ProtectedResource::builder("https://a.example/mcp", "contoso.com", CLIENT),
            ProtectedResource::builder("https://a.example/mcp", TENANT, "client"),
            mcp().application_id_uri(""),
            mcp().application_id_uri("tools"),
            mcp().application_id_uri("api://tools/"),
            mcp().application_id_uri("api://\"tools"),
            mcp().scopes([""]),
            mcp().scopes(["a b"]),
            mcp().scopes(["a\"b"]),
            mcp().documentation("contoso.com"),
            mcp().documentation("javascript:alert(1)"),
        ] {
            let text = format!("{builder:?}");
            let error = builder.build().unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Configuration, "{text}");
            assert!(error.fix().is_some(), "{text}");
        }
        // For users of several tenants.
        let many = ProtectedResource::builder("https://a.example", "organizations", CLIENT);
        let many = many.build().unwrap();
        let server = "https://login.microsoftonline.com/organizations/v2.0";
        assert_eq!(metadata(&many)["authorization_servers"], json!([server]));
    }

    #[test]
    fn the_metadata_is_public_and_read_only() {
        let resource = at("https://tools.contoso.com/mcp").build().unwrap();
        for (method, status, length) in [
            (Method::GET, 200, resource.metadata().len()),
            (Method::HEAD, 200, 0),
            (Method::OPTIONS, 204, 0),
            (Method::POST, 405, 0),
            (Method::DELETE, 405, 0),
        ] {
            let response = resource.metadata_response(&method);
            assert_eq!(response.status().as_u16(), status, "{method}");
            assert_eq!(response.body().len(), length, "{method}");
            assert_eq!(response.headers()["access-control-allow-origin"], "*");
            let kind = response.headers().get("content-type");
            assert_eq!(kind.is_some(), status == 200);
        }
    }

    #[test]
    fn headers_have_the_place_of_the_metadata_and_scopes_in_full_form() {
        let resource = at("https://tools.contoso.com/mcp").build().unwrap();
        let place = r#"resource_metadata="https://tools.contoso.com/.well-known/oauth-protected-resource/mcp""#;
        let no_scope: [&str; 0] = [];
        assert_eq!(
            resource.www_authenticate(no_scope),
            format!("Bearer {place}")
        );
        assert_eq!(
            resource.www_authenticate(["a", "api://x/b", "c\"d", ""]),
            format!(r#"Bearer {place}, scope="https://tools.contoso.com/mcp/a api://x/b""#)
        );
        let offline = at("https://tools.contoso.com/mcp").offline_access();
        let offline = offline.build().unwrap();
        assert_eq!(
            offline.www_authenticate(["a"]),
            format!(r#"Bearer {place}, scope="https://tools.contoso.com/mcp/a offline_access""#)
        );
        assert_eq!(
            offline.www_authenticate(no_scope),
            format!("Bearer {place}")
        );
        let lacks = TokenValidationError::lacks_scope(&["a".to_owned(), "b".to_owned()], "x");
        // A client that lacks a scope has signed its user in already.
        let header = offline.www_authenticate_error(&lacks).unwrap();
        assert!(!header.contains("offline_access"), "{header}");
        assert_eq!(
            resource.www_authenticate_error(&lacks).unwrap(),
            format!(
                r#"Bearer error="insufficient_scope", error_description="The token lacks a scope", {place}, scope="https://tools.contoso.com/mcp/a https://tools.contoso.com/mcp/b""#
            )
        );
        let malformed = TokenValidationError::malformed("x");
        assert_eq!(
            resource.www_authenticate_error(&malformed).unwrap(),
            format!(
                r#"Bearer error="invalid_token", error_description="The token is malformed", {place}"#
            )
        );
    }
}
