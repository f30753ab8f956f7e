//! The files for clients: a script of exports, certificates and a key.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use entra_core::{Guid, Secret};

use super::{
    ServerError,
    demo_app::{DemoApp, REDIRECT_URI},
};
use crate::keys;

/// The content of the files.
pub(super) struct Files<'a> {
    pub(super) uri: &'a str,
    pub(super) tenant_id: Guid,
    pub(super) app: &'a DemoApp,
    /// The password of the application's user.
    pub(super) user_password: &'a Secret,
    /// The name and the password of an administrator, if the tenant has one.
    pub(super) administrator: Option<(String, Secret)>,
    pub(super) ca_certificate: Option<&'a str>,
    pub(super) control_uri: &'a str,
    pub(super) control_token: &'a Secret,
}

impl Files<'_> {
    /// Writes the requested files; every file is readable by its owner only.
    pub(super) fn write(
        &self,
        env_file: Option<&Path>,
        ca_file: Option<&Path>,
    ) -> Result<(), ServerError> {
        let ca_file = ca_file.map(absolute).transpose()?;
        if let (Some(path), Some(certificate)) = (&ca_file, self.ca_certificate) {
            write_private(path, certificate)?;
        }
        let Some(env_file) = env_file else {
            return Ok(());
        };
        let env_file = absolute(env_file)?;

        let client = beside(&env_file, "client.pem");
        write_private(&client, &keys::client_pem())?;
        let mut script = String::new();
        let mut export = |name: &str, value: &str| {
            script.push_str(&format!("export {name}={}\n", quoted(value)));
        };
        export("AZURE_TENANT_ID", &self.tenant_id.to_string());
        export("AZURE_CLIENT_ID", &self.app.app_id);
        export("AZURE_CLIENT_SECRET", self.app.secret.expose_secret());
        export("AZURE_CLIENT_CERTIFICATE_PATH", &client.to_string_lossy());
        export("AZURE_AUTHORITY_HOST", self.uri);
        if let Some(certificate) = self.ca_certificate {
            let ca = match ca_file {
                Some(path) => path,
                None => {
                    let path = beside(&env_file, "ca.pem");
                    write_private(&path, certificate)?;
                    path
                }
            };
            let bundle = beside(&env_file, "ca-bundle.pem");
            write_private(&bundle, &format!("{}{certificate}", system_roots()))?;
            // These replace what a client trusts, so they include the system's roots.
            export("SSL_CERT_FILE", &bundle.to_string_lossy());
            export("REQUESTS_CA_BUNDLE", &bundle.to_string_lossy());
            // This one is added to what a client trusts.
            export("NODE_EXTRA_CA_CERTS", &ca.to_string_lossy());
        }
        export("ENTRA_GRAPH_URL", &format!("{}/v1.0", self.uri));
        export("ENTRA_USER_UPN", &self.app.user);
        export("ENTRA_USER_PASSWORD", self.user_password.expose_secret());
        if let Some((name, password)) = &self.administrator {
            export("ENTRA_ADMIN_UPN", name);
            export("ENTRA_ADMIN_PASSWORD", password.expose_secret());
        }
        export("ENTRA_GROUP_ID", &self.app.group);
        export("ENTRA_REDIRECT_URI", REDIRECT_URI);
        export("ENTRA_PUBLIC_CLIENT_ID", &self.app.app_id);
        export("ENTRA_MOCK_CONTROL_URL", self.control_uri);
        let token = self.control_token.expose_secret();
        export("ENTRA_MOCK_CONTROL_TOKEN", token);
        write_private(&env_file, &script)
    }
}

/// Quotes a value so that a POSIX shell reads it back unchanged.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

fn absolute(path: &Path) -> Result<PathBuf, ServerError> {
    std::path::absolute(path).map_err(ServerError::file(path))
}

/// Returns `tenant.env.client.pem` for `tenant.env`, so two servers can share a directory.
fn beside(env_file: &Path, name: &str) -> PathBuf {
    let mut path = env_file.as_os_str().to_owned();
    path.push(".");
    path.push(name);
    path.into()
}

/// Writes a file atomically, with private permissions, also over an existing one.
fn write_private(path: &Path, text: &str) -> Result<(), ServerError> {
    let draft = beside(path, &format!("{}.tmp", std::process::id()));
    let write = || -> io::Result<()> {
        // The file of an interrupted run can have other permissions.
        let _ = fs::remove_file(&draft);
        let mut file = create_private(&draft)?;
        file.write_all(text.as_bytes())?;
        file.flush()?;
        fs::rename(&draft, path)
    };
    write().map_err(|source| {
        let _ = fs::remove_file(&draft);
        ServerError::file(path)(source)
    })
}

fn create_private(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Returns the system's trusted roots in PEM, or an empty text on a system without them.
fn system_roots() -> String {
    let roots = SYSTEM_ROOTS
        .iter()
        .find_map(|path| fs::read_to_string(path).ok())
        .unwrap_or_default();
    if roots.is_empty() || roots.ends_with('\n') {
        roots
    } else {
        roots + "\n"
    }
}

/// Where systems store their trusted roots.
const SYSTEM_ROOTS: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_values_survive_a_shell() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(
            quoted("it's $HOME `x` \"y\" \\"),
            r#"'it'\''s $HOME `x` "y" \'"#
        );
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn companion_files_are_beside_their_environment_file() {
        assert_eq!(
            beside(Path::new("/tmp/a/tenant.env"), "ca.pem"),
            Path::new("/tmp/a/tenant.env.ca.pem")
        );
    }
}
