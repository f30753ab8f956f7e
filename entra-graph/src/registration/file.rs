//! Blueprints as files: YAML and JSON.

use std::{io, path::Path};

use super::blueprint::AppRegistration;
use crate::error::Error;

impl AppRegistration {
    /// Reads a blueprint from YAML. An unknown key is an error with its line; `BLUEPRINT.md` of this crate has every key.
    ///
    /// ```
    /// use entra_graph::registration::AppRegistration;
    /// let blueprint = AppRegistration::from_yaml("
    /// name: Night report
    /// audience: AzureADMyOrg
    /// permissions:
    ///   - application: [User.Read.All, GroupMember.Read.All]
    /// grant_admin_consent: true
    /// secrets:
    ///   - description: production
    ///     lifetime: 12 months
    /// ")?;
    /// assert_eq!(blueprint.name(), "Night report");
    /// let error = AppRegistration::from_yaml("name: Night report\nsecret: production\n").unwrap_err();
    /// assert!(error.to_string().contains("unknown field `secret`"));
    /// assert!(error.to_string().contains("line 2"));
    /// # Ok::<(), entra_graph::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Registration`](crate::ErrorKind::Registration) with line and column.
    pub fn from_yaml(text: &str) -> Result<Self, Error> {
        let blueprint = yaml_serde::from_str(without_mark(text));
        blueprint.map_err(|error| Error::registration(format!("not a blueprint: {error}")))
    }

    /// Reads a blueprint from JSON, with the same keys as in YAML.
    ///
    /// # Errors
    /// [`ErrorKind::Registration`](crate::ErrorKind::Registration) with line and column.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let blueprint = serde_json::from_str(without_mark(text));
        blueprint.map_err(|error| Error::registration(format!("not a blueprint: {error}")))
    }

    /// Reads a blueprint from a file: JSON if its name ends with `.json`, otherwise YAML.
    ///
    /// # Errors
    /// [`ErrorKind::Registration`](crate::ErrorKind::Registration) with path, line and column.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let fix = match error.kind() {
                io::ErrorKind::InvalidData => "; save it as UTF-8",
                _ => "",
            };
            Error::registration(format!("{shown} cannot be read: {error}{fix}"))
        })?;
        let is_json = path
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("json"));
        let read = if is_json {
            Self::from_json(&text)
        } else {
            Self::from_yaml(&text)
        };
        read.map_err(|error| Error::registration(format!("{shown}: {}", error.message())))
    }

    /// The blueprint as YAML. It holds no secret values.
    ///
    /// # Errors
    /// [`ErrorKind::Registration`](crate::ErrorKind::Registration) if it cannot be written.
    pub fn to_yaml(&self) -> Result<String, Error> {
        yaml_serde::to_string(self).map_err(|error| Error::registration(error.to_string()))
    }

    /// The blueprint as JSON. It holds no secret values.
    ///
    /// # Errors
    /// [`ErrorKind::Registration`](crate::ErrorKind::Registration) if it cannot be written.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string_pretty(self).map_err(|error| Error::registration(error.to_string()))
    }
}

/// The text after the byte order mark that tools of Windows write.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registration::{
        AppRoleBlueprint, Audience, Certificate, FederatedCredential, Lifetime, ScopeBlueprint,
    };

    /// The outermost elements of a certificate, and more bytes than a line of PEM holds.
    const DER: [u8; 64] = {
        let mut der = [7; 64];
        let outermost = [0x30, 62, 0x30, 8, 0xa0, 3, 2, 1, 2, 2, 1, 1];
        let mut at = 0;
        while at < outermost.len() {
            der[at] = outermost[at];
            at += 1;
        }
        der
    };

    fn everything() -> AppRegistration {
        AppRegistration::new("Orders")
            .audience(Audience::AnyTenant)
            .web_redirect_uri("https://orders.contoso.com/callback")
            .delegated(["openid"])
            .application_of("api://other", ["Read.All"])
            .grant_admin_consent()
            .scope(ScopeBlueprint::new("Read", "Read", "Reads").users_can_consent())
            .app_role(AppRoleBlueprint::for_applications("Sync", "Sync", "Syncs"))
            .certificate(Certificate::from_der("one", DER).unwrap())
            .federated_credential(FederatedCredential::new("a", "https://i", "s").audience("other"))
            .assign_group_to("Buyers", "Approver")
            .secret("production", Lifetime::longest())
            .remove_unlisted()
    }

    #[test]
    fn a_file_of_a_windows_tool_is_read_or_its_encoding_named() {
        let blueprint = everything();
        let marked = |text: String| format!("\u{feff}{text}");
        let yaml = marked(blueprint.to_yaml().unwrap());
        assert_eq!(AppRegistration::from_yaml(&yaml).unwrap(), blueprint);
        let json = marked(blueprint.to_json().unwrap());
        assert_eq!(AppRegistration::from_json(&json).unwrap(), blueprint);

        let name = format!("entra-graph-utf16-{}.yaml", std::process::id());
        let path = std::env::temp_dir().join(name);
        let utf16: Vec<u8> = yaml.encode_utf16().flat_map(u16::to_le_bytes).collect();
        std::fs::write(&path, utf16).unwrap();
        let error = AppRegistration::from_file(&path).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert!(error.to_string().contains("save it as UTF-8"), "{error}");
    }

    #[test]
    fn a_blueprint_survives_yaml_and_json() {
        let blueprint = everything();
        let yaml = blueprint.to_yaml().unwrap();
        assert_eq!(
            AppRegistration::from_yaml(&yaml).unwrap(),
            blueprint,
            "{yaml}"
        );
        let json = blueprint.to_json().unwrap();
        assert_eq!(AppRegistration::from_json(&json).unwrap(), blueprint);
        assert!(
            !yaml.contains("notes"),
            "settings that are not made are left out"
        );
    }

    #[test]
    fn unknown_keys_are_errors_with_their_line_at_any_depth() {
        for (text, key, line) in [
            ("name: A\nnmae: B\n", "nmae", 2),
            ("name: A\nweb:\n  redirect_uri: x\n", "redirect_uri", 3),
            (
                "name: A\nsecrets:\n  - description: x\n    lifetime: 1 month\n    value: y\n",
                "value",
                5,
            ),
            (
                "name: A\nenterprise:\n  assigned:\n    - usr: x\n",
                "usr",
                4,
            ),
            ("name: A\npermissions:\n  - roles: [x]\n", "roles", 3),
        ] {
            let error = AppRegistration::from_yaml(text).unwrap_err().to_string();
            assert!(error.contains(&format!("unknown field `{key}`")), "{error}");
            assert!(error.contains(&format!("line {line} ")), "{error}");
        }
        let error = AppRegistration::from_json("{\"name\": \"A\",\n\"nmae\": 1}").unwrap_err();
        assert!(
            error.to_string().contains("unknown field `nmae`"),
            "{error}"
        );
        assert!(error.to_string().contains("line 2"), "{error}");
    }

    #[test]
    fn a_lifetime_is_a_number_and_a_unit() {
        for text in ["24 months", "1 month", "90 days", "longest"] {
            let yaml = format!("name: A\nsecrets: [{{description: x, lifetime: {text}}}]\n");
            let blueprint = AppRegistration::from_yaml(&yaml).unwrap();
            assert_eq!(blueprint.secrets[0].lifetime.to_string(), text);
        }
        for text in ["24", "0 days", "two years", "-1 days", "90 weeks"] {
            let yaml = format!("name: A\nsecrets: [{{description: x, lifetime: {text}}}]\n");
            let error = AppRegistration::from_yaml(&yaml).unwrap_err().to_string();
            assert!(error.contains("lifetime"), "{error}");
        }
    }
}
