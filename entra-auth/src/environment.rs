use std::{
    collections::BTreeMap,
    env, fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use entra_core::{Cloud, Secret};

use crate::Error;

/// The variables and facts of a machine that credentials are set up from, as a value.
///
/// Nothing in this crate reads the process's environment but [`from_env`](Self::from_env).
/// A test, or a program with settings of its own, makes one from pairs. `Debug` shows the names only.
///
/// ```
/// use entra_auth::Environment;
/// let environment = Environment::from_pairs([
///     ("AZURE_TENANT_ID", "contoso.com"),
///     ("AZURE_CLIENT_SECRET", "s3cr3t"),
///     ("AZURE_CLIENT_ID", ""),
/// ]);
/// assert_eq!(environment.get("AZURE_TENANT_ID"), Some("contoso.com"));
/// assert_eq!(environment.get("AZURE_CLIENT_ID"), None, "an empty variable is none");
/// assert!(!format!("{environment:?}").contains("s3cr3t"));
/// ```
#[derive(Clone, Default)]
pub struct Environment {
    variables: Arc<BTreeMap<String, Secret>>,
    arc_agent: Option<Arc<Path>>,
    system_root: Option<Arc<Path>>,
}

impl Environment {
    /// The environment of this process, as it is now: the variables that some credential knows, and
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
        let told = ["IDENTITY_ENDPOINT", "IMDS_ENDPOINT"]
            .iter()
            .all(|name| environment.get(name).is_some());
        if told || agent.is_some_and(|agent| agent.is_file()) {
            environment.arc_agent = tokens.map(Arc::from);
        }
        environment.system_root = folder("SystemRoot").map(Arc::from);
        environment
    }

    /// An environment of these variables alone.
    pub fn from_pairs<I, N, V>(pairs: I) -> Self
    where
        I: IntoIterator<Item = (N, V)>,
        N: Into<String>,
        V: Into<Secret>,
    {
        let variables = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Self {
            variables: Arc::new(variables),
            arc_agent: None,
            system_root: None,
        }
    }

    /// The same with one more variable, or another value of it.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        Arc::make_mut(&mut self.variables).insert(name.into(), value.into());
        self
    }

    /// The same with an agent of Azure Arc, which keeps its challenge files in this folder.
    #[must_use]
    pub fn with_arc_agent(mut self, tokens: impl AsRef<Path>) -> Self {
        self.arc_agent = Some(Arc::from(tokens.as_ref()));
        self
    }

    /// The value of a variable; blank counts as not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(Secret::expose_secret)
            .filter(|value| !value.trim().is_empty())
    }

    /// The value of a variable that must be there.
    pub(crate) fn require(&self, name: &str, fix: &'static str) -> Result<&str, Error> {
        self.get(name)
            .ok_or_else(|| Error::unavailable(format!("{name} is not set"), fix))
    }

    pub(crate) fn secret(&self, name: &str) -> Option<&Secret> {
        self.variables
            .get(name)
            .filter(|value| !value.expose_secret().trim().is_empty())
    }

    /// Where the agent of Azure Arc keeps its challenge files, if there is one.
    pub(crate) fn arc_agent(&self) -> Option<&Path> {
        self.arc_agent.as_deref()
    }

    /// A folder that only an administrator can put programs into.
    pub(crate) fn safe_folder(&self) -> &Path {
        self.system_root.as_deref().unwrap_or(Path::new("/"))
    }

    /// The cloud of `AZURE_AUTHORITY_HOST`, if that is set.
    pub(crate) fn cloud(&self) -> Result<Option<Cloud>, Error> {
        let Some(authority) = self.get(AUTHORITY_HOST) else {
            return Ok(None);
        };
        let authority = match authority.trim() {
            host if host.contains("://") => host.to_owned(),
            host => format!("https://{host}"),
        };
        // The Graph root matters to nothing that only fetches tokens.
        let custom = Cloud::custom(&authority, &authority).map_err(|source| {
            Error::configuration(
                format!("{AUTHORITY_HOST} is no sign-in address"),
                "set it to an https URL such as https://login.microsoftonline.com/",
            )
            .with_source(source)
        })?;
        let known = [Cloud::public(), Cloud::us_government(), Cloud::china()];
        let cloud = known
            .into_iter()
            .find(|cloud| cloud.authority() == custom.authority());
        Ok(Some(cloud.unwrap_or(custom)))
    }
}

impl<N: Into<String>, V: Into<Secret>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self::from_pairs(pairs)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("variables", &self.variables.keys())
            .field("arc_agent", &self.arc_agent)
            .finish_non_exhaustive()
    }
}

const AUTHORITY_HOST: &str = "AZURE_AUTHORITY_HOST";

/// Everything else a process was started with is none of a credential's business.
const KNOWN: [&str; 26] = [
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    AUTHORITY_HOST,
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_KUBERNETES_CA_DATA",
    "AZURE_KUBERNETES_CA_FILE",
    "AZURE_KUBERNETES_SNI_NAME",
    "AZURE_KUBERNETES_TOKEN_PROXY",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "AZURE_REGIONAL_AUTHORITY_NAME",
    "AZURE_TENANT_ID",
    "AZURE_TOKEN_CREDENTIALS",
    "DEFAULT_IDENTITY_CLIENT_ID",
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

    #[test]
    fn the_authority_host_names_a_cloud_however_it_is_spelled() {
        let cloud = |host: &str| Environment::from_pairs([(AUTHORITY_HOST, host)]).cloud();
        assert_eq!(cloud("").unwrap(), None);
        for spelling in [
            "https://login.microsoftonline.us/",
            "https://login.microsoftonline.us",
            "login.microsoftonline.us",
        ] {
            assert_eq!(cloud(spelling).unwrap(), Some(Cloud::us_government()));
        }
        let custom = cloud("https://login.example.com/base").unwrap().unwrap();
        assert_eq!(
            custom.authority().as_str(),
            "https://login.example.com/base/"
        );
        let error = cloud("http://login.example.com").unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Configuration);
    }

    #[test]
    fn a_process_shows_only_what_credentials_know() {
        let environment = Environment::from_env();
        assert_eq!(environment.get("PATH"), None);
    }
}
