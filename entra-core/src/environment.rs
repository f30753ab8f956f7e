use std::{
    env, fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use crate::{ClientId, Cloud, Error, InvalidId, Secret, TenantId};

/// The environment variables and facts of a machine that clients are configured from, as a value.
///
/// One environment configures credentials and Graph clients alike: [`cloud`](Self::cloud) has the
/// sign-in root and the Graph root, [`tenant_id`](Self::tenant_id) and
/// [`client_id`](Self::client_id) name the application. The variables are those of Microsoft's own
/// libraries, and `ENTRA_GRAPH_URL` for the Graph root. The file that `entra-mock serve --env-file`
/// writes sets tenant, application, secret, certificate and both roots, so a program that reads its
/// environment runs against the fake tenant without a change.
///
/// The crates read these variables in [`from_env`](Self::from_env) and
/// [`with_variables`](Self::with_variables) only. A test, or a program with a configuration of its
/// own, makes an environment from pairs. `Debug` shows names without values.
///
/// ```
/// use entra_core::{Cloud, Environment};
/// // outside of a test: Environment::from_env()
/// let environment = Environment::from_pairs([
///     ("AZURE_TENANT_ID", "contoso.com"),
///     ("AZURE_CLIENT_ID", "535fb089-9ff3-47b6-9bfb-4f1264799865"),
///     ("AZURE_CLIENT_SECRET", "s3cr3t"),
///     ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us"),
///     ("ENTRA_GRAPH_URL", ""), // a blank variable counts as not set
/// ]);
/// assert_eq!(environment.cloud()?, Cloud::us_government());
/// assert_eq!(environment.tenant_id()?.to_string(), "contoso.com");
/// assert!(!format!("{environment:?}").contains("s3cr3t"));
/// # Ok::<(), entra_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Environment {
    /// In alphabetical order.
    variables: Arc<Vec<(String, Secret)>>,
    arc_tokens: Option<Arc<Path>>,
    system_root: Option<Arc<Path>>,
}

impl Environment {
    /// The environment of this process as it is now: the variables that the crates know, and
    /// whether the agent of Azure Arc is installed.
    #[must_use]
    pub fn from_env() -> Self {
        let variables = KNOWN
            .into_iter()
            .filter_map(|name| Some((name, env::var(name).ok()?)));
        let mut environment = Self::from_pairs(variables);
        let folder = |name: &str| env::var_os(name).map(PathBuf::from);
        let (agent, tokens) = if cfg!(windows) {
            (
                folder("ProgramFiles")
                    .map(|path| path.join(r"AzureConnectedMachineAgent\himds.exe")),
                folder("ProgramData").map(|path| path.join(r"AzureConnectedMachineAgent\Tokens")),
            )
        } else {
            (
                Some(PathBuf::from("/opt/azcmagent/bin/himds")),
                Some(PathBuf::from("/var/opt/azcmagent/tokens")),
            )
        };
        let has_endpoints = ["IDENTITY_ENDPOINT", "IMDS_ENDPOINT"]
            .iter()
            .all(|name| environment.get(name).is_some());
        if has_endpoints || agent.is_some_and(|agent| agent.is_file()) {
            environment.arc_tokens = tokens.map(Arc::from);
        }
        environment.system_root = folder("SystemRoot").map(Arc::from);
        environment
    }

    /// An environment with these variables only.
    pub fn from_pairs<I, N, V>(pairs: I) -> Self
    where
        I: IntoIterator<Item = (N, V)>,
        N: Into<String>,
        V: Into<Secret>,
    {
        let mut environment = Self::default();
        for (name, value) in pairs {
            environment.set(name.into(), value.into());
        }
        environment
    }

    /// The same environment with this variable added or replaced.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.set(name.into(), value.into());
        self
    }

    /// The same environment with these variables of the process, if they are set: for a program's own settings
    /// beside those that the crates know.
    ///
    /// ```
    /// use entra_core::Environment;
    /// let environment = Environment::from_env().with_variables(["ENTRA_GROUP_ID"]);
    /// let group = environment.get("ENTRA_GROUP_ID"); // `None` if it is not set or blank
    /// # let _ = group;
    /// ```
    #[must_use]
    pub fn with_variables<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        names.into_iter().fold(self, |environment, name| {
            let name = name.into();
            match env::var(&name) {
                Ok(value) => environment.with(name, value),
                Err(_) => environment,
            }
        })
    }

    /// The same environment with an agent of Azure Arc, which keeps its challenge files in this
    /// folder.
    #[must_use]
    pub fn with_arc_agent(mut self, tokens: impl AsRef<Path>) -> Self {
        self.arc_tokens = Some(Arc::from(tokens.as_ref()));
        self
    }

    /// The value of a variable. `None` if it is not set or blank.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.secret(name).map(Secret::expose_secret)
    }

    /// The value of a variable that holds a secret. `None` if it is not set or blank.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        let (_, value) = &self.variables[self.position(name).ok()?];
        (!value.expose_secret().trim().is_empty()).then_some(value)
    }

    fn set(&mut self, name: String, value: Secret) {
        let position = self.position(&name);
        let variables = Arc::make_mut(&mut self.variables);
        match position {
            Ok(at) => variables[at].1 = value,
            Err(at) => variables.insert(at, (name, value)),
        }
    }

    /// Where a variable is, or where it would be.
    fn position(&self, name: &str) -> Result<usize, usize> {
        self.variables
            .binary_search_by(|(other, _)| other.as_str().cmp(name))
    }

    /// The values of these variables, without white space around them, all of which must be set.
    ///
    /// ```
    /// use entra_core::Environment;
    /// let environment = Environment::from_pairs([("AZURE_TENANT_ID", "contoso.com")]);
    /// let all = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"];
    /// let error = environment.require(all).unwrap_err().to_string();
    /// assert!(error.starts_with("AZURE_CLIENT_ID, AZURE_CLIENT_SECRET are not set; "), "{error}");
    ///
    /// let environment = environment
    ///     .with("AZURE_CLIENT_ID", "535fb089-9ff3-47b6-9bfb-4f1264799865")
    ///     .with("AZURE_CLIENT_SECRET", "s3cr3t\n");
    /// let [tenant, client, secret] = environment.require(all)?;
    /// assert_eq!((tenant, secret), ("contoso.com", "s3cr3t"));
    /// # let _ = client;
    /// # Ok::<(), entra_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) that names all variables which are not set or
    /// blank.
    pub fn require<'a, const N: usize>(&'a self, names: [&str; N]) -> Result<[&'a str; N], Error> {
        self.check_set(&names)?;
        Ok(names.map(|name| self.get(name).unwrap_or_default().trim()))
    }

    /// An error that names all of these that are not set or blank.
    fn check_set(&self, names: &[&str]) -> Result<(), Error> {
        let mut missing = names.to_vec();
        missing.retain(|name| self.get(name).is_none());
        if missing.is_empty() {
            return Ok(());
        }
        let are = if missing.len() == 1 { "is" } else { "are" };
        let hints: Vec<String> = missing
            .iter()
            .filter_map(|name| Some(format!("{name} is {}", hint(name)?)))
            .collect();
        let mut message = format!("{} {are} not set", missing.join(", "));
        if !hints.is_empty() {
            message = format!("{message}; {}", hints.join("; "));
        }
        Err(Error::configuration(message))
    }

    /// The tenant of `AZURE_TENANT_ID`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the variable is not set or
    /// invalid.
    #[inline]
    pub fn tenant_id(&self) -> Result<TenantId, Error> {
        self.id(TENANT)
    }

    /// The application of `AZURE_CLIENT_ID`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the variable is not set or
    /// invalid.
    #[inline]
    pub fn client_id(&self) -> Result<ClientId, Error> {
        self.id(CLIENT)
    }

    /// The cloud of `AZURE_AUTHORITY_HOST` and `ENTRA_GRAPH_URL`, for credentials and Graph clients;
    /// the public cloud if neither is set.
    ///
    /// One variable is enough for Microsoft's own clouds: a sign-in root, under any of its names,
    /// implies the Graph root, and a Graph root implies the sign-in root. For any other sign-in root
    /// set both; without `ENTRA_GRAPH_URL` its Graph root is the sign-in root itself.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if a variable is not an `https`
    /// URL (plain `http` is accepted on loopback only), or if `ENTRA_GRAPH_URL` is not Microsoft's
    /// and `AZURE_AUTHORITY_HOST` is not set.
    ///
    /// ```
    /// use entra_core::{Cloud, Environment};
    /// let environment = Environment::from_pairs([
    ///     ("AZURE_AUTHORITY_HOST", "https://localhost:8443"),
    ///     ("ENTRA_GRAPH_URL", "https://localhost:8443/v1.0"),
    /// ]);
    /// let cloud = environment.cloud()?; // hand it to the credential and to the Graph client
    /// assert_eq!(cloud.authority().as_str(), "https://localhost:8443/");
    /// assert_eq!(cloud.graph().as_str(), "https://localhost:8443/");
    /// assert_eq!(Environment::default().cloud()?, Cloud::public());
    /// # Ok::<(), entra_core::Error>(())
    /// ```
    pub fn cloud(&self) -> Result<Cloud, Error> {
        match (self.url(AUTHORITY), self.url(GRAPH)) {
            (None, None) => Ok(Cloud::public()),
            (Some(authority), graph) => {
                let custom = Cloud::custom(&authority, graph.as_deref().unwrap_or(&authority))
                    .map_err(invalid_url)?;
                Ok(custom.or_built_in(graph.is_some()))
            }
            (None, Some(graph)) => {
                // The sign-in root is not known yet, so it takes part in no comparison.
                let custom = Cloud::custom(&graph, &graph).map_err(invalid_url)?;
                Cloud::with_graph(custom.graph()).ok_or_else(|| {
                    Error::configuration(format!(
                        "{GRAPH} names a Graph root that is not Microsoft's, and {AUTHORITY} is not set; set it to the sign-in root that belongs to it"
                    ))
                })
            }
        }
    }

    /// The folder of the challenge files of Azure Arc's agent. `None` if there is no agent.
    #[must_use]
    pub fn arc_tokens(&self) -> Option<&Path> {
        self.arc_tokens.as_deref()
    }

    /// The folder of the operating system (`SystemRoot`), on Windows.
    #[must_use]
    pub fn system_root(&self) -> Option<&Path> {
        self.system_root.as_deref()
    }

    fn url(&self, name: &str) -> Option<String> {
        let value = self.get(name)?.trim();
        Some(match value.contains("://") {
            true => value.to_owned(),
            false => format!("https://{value}"),
        })
    }

    fn id<T: FromStr<Err = InvalidId>>(&self, name: &str) -> Result<T, Error> {
        let [value] = self.require([name])?;
        value.parse().map_err(|source: InvalidId| {
            let what = hint(name).unwrap_or("an id");
            Error::configuration(format!("{name} is invalid; it is {what}")).with_source(source)
        })
    }
}

impl<N: Into<String>, V: Into<Secret>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self::from_pairs(pairs)
    }
}

impl fmt::Debug for Environment {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.variables.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("Environment")
            .field("variables", &names)
            .field("arc_tokens", &self.arc_tokens)
            .finish_non_exhaustive()
    }
}

fn invalid_url(source: Error) -> Error {
    Error::configuration(format!(
        "{AUTHORITY} or {GRAPH} is not a URL of a cloud; set them to https URLs such as https://login.microsoftonline.com and https://graph.microsoft.com"
    ))
    .with_source(source)
}

/// Where the value of a variable comes from.
fn hint(name: &str) -> Option<&'static str> {
    Some(match name {
        TENANT => "the Directory (tenant) ID of the registration's Overview page",
        CLIENT => "the Application (client) ID of the registration's Overview page",
        "AZURE_CLIENT_SECRET" => "the Value of a secret under Certificates & secrets",
        "AZURE_CLIENT_CERTIFICATE_PATH" => {
            "the file of a certificate that is registered under Certificates & secrets, with its private key"
        }
        _ => return None,
    })
}

const AUTHORITY: &str = "AZURE_AUTHORITY_HOST";
const CLIENT: &str = "AZURE_CLIENT_ID";
const GRAPH: &str = "ENTRA_GRAPH_URL";
const TENANT: &str = "AZURE_TENANT_ID";

/// The variables that `from_env` reads. It copies no other, since any may hold a secret.
const KNOWN: [&str; 27] = [
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    AUTHORITY,
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    CLIENT,
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_KUBERNETES_CA_DATA",
    "AZURE_KUBERNETES_CA_FILE",
    "AZURE_KUBERNETES_SNI_NAME",
    "AZURE_KUBERNETES_TOKEN_PROXY",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "AZURE_REGIONAL_AUTHORITY_NAME",
    TENANT,
    "AZURE_TOKEN_CREDENTIALS",
    "DEFAULT_IDENTITY_CLIENT_ID",
    GRAPH,
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IDENTITY_SERVER_THUMBPRINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM_OIDCREQUESTURI",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn variables_of_the_program_are_read_only_if_they_are_named() {
        // Cargo sets this variable for each test.
        let name = "CARGO_MANIFEST_DIR";
        assert_eq!(Environment::from_env().get(name), None);
        let environment =
            Environment::from_env().with_variables([name, "ENTRA_NOT_SET_IN_ANY_TEST"]);
        assert_eq!(environment.get(name), Some(env!("CARGO_MANIFEST_DIR")));
        assert_eq!(environment.get("ENTRA_NOT_SET_IN_ANY_TEST"), None);
    }

    fn cloud(authority: &str, graph: &str) -> Result<Cloud, Error> {
        Environment::from_pairs([(AUTHORITY, authority), (GRAPH, graph)]).cloud()
    }

    #[test]
    fn authority_host_selects_a_built_in_cloud_in_any_spelling() {
        assert_eq!(cloud("", " ").unwrap(), Cloud::public());
        for spelling in [
            "https://login.microsoftonline.us/",
            "https://login.microsoftonline.us",
            "login.microsoftonline.us",
            " LOGIN.microsoftonline.us ",
        ] {
            assert_eq!(cloud(spelling, "").unwrap(), Cloud::us_government());
        }
    }

    #[test]
    fn alias_of_a_built_in_authority_keeps_the_graph_root_of_its_cloud() {
        let cloud = cloud("https://login.windows.net", "").unwrap();
        assert_eq!(cloud.authority().as_str(), "https://login.windows.net/");
        assert_eq!(cloud.graph(), Cloud::public().graph());
        assert_eq!(cloud.graph_scope(), Cloud::public().graph_scope());
        assert_eq!(cloud.cache_authority(), Cloud::public().cache_authority());
    }

    #[test]
    fn graph_url_selects_the_graph_root_of_the_same_authority() {
        let dod = cloud(
            "https://login.microsoftonline.us",
            "https://dod-graph.microsoft.us/v1.0",
        );
        assert_eq!(dod.unwrap(), Cloud::us_government_dod());
        let proxied = cloud(
            "https://login.microsoftonline.com",
            "https://graph.proxy.example/",
        )
        .unwrap();
        assert_eq!(proxied.authority(), Cloud::public().authority());
        assert_eq!(proxied.graph().as_str(), "https://graph.proxy.example/");
    }

    #[test]
    fn graph_url_alone_selects_the_built_in_cloud_of_that_graph() {
        for expected in [
            Cloud::public(),
            Cloud::us_government(),
            Cloud::us_government_dod(),
            Cloud::china(),
        ] {
            let graph = format!("{}v1.0", expected.graph());
            assert_eq!(cloud("", &graph).unwrap(), expected);
        }
    }

    #[test]
    fn custom_graph_url_without_authority_is_an_error() {
        let error = cloud("", "https://graph.example.com").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(AUTHORITY), "{error}");
    }

    #[test]
    fn fake_tenant_file_gives_both_roots() {
        let cloud = cloud("https://localhost:8443", "https://localhost:8443/v1.0").unwrap();
        assert_eq!(cloud.authority().as_str(), "https://localhost:8443/");
        assert_eq!(cloud.graph().as_str(), "https://localhost:8443/");
    }

    #[test]
    fn insecure_or_malformed_url_is_an_error() {
        for (authority, graph) in [
            ("http://login.example.com", ""),
            ("https://", ""),
            ("https://login.example.com?tenant=1", ""),
            ("", "http://graph.microsoft.com"),
            ("https://login.example.com", "http://graph.example.com"),
            (
                "https://login.example.com",
                "https://graph.example.com/beta",
            ),
        ] {
            let error = cloud(authority, graph).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains(GRAPH), "{error}");
        }
    }

    #[test]
    fn missing_and_invalid_ids_name_their_variable() {
        let environment = Environment::from_pairs([(TENANT, " "), (CLIENT, "my app")]);
        for (error, name, problem) in [
            (environment.tenant_id().unwrap_err(), TENANT, "not set"),
            (environment.client_id().unwrap_err(), CLIENT, "invalid"),
        ] {
            let text = error.to_string();
            assert!(text.contains(name) && text.contains(problem), "{text}");
        }
        let environment = environment
            .with(TENANT, " contoso.com ")
            .with(CLIENT, "535fb089-9ff3-47b6-9bfb-4f1264799865\n");
        assert_eq!(environment.tenant_id().unwrap().to_string(), "contoso.com");
        assert!(environment.client_id().is_ok());
    }

    #[test]
    fn from_env_reads_known_variables_only() {
        // Set in every process that cargo runs tests in.
        assert!(env::var_os("CARGO_MANIFEST_DIR").is_some());
        let environment = Environment::from_env();
        assert_eq!(environment.get("CARGO_MANIFEST_DIR"), None);
    }
}
