//! What a token allows, of the operations of this crate.

use std::fmt;

use entra_core::AccessToken;

use super::rights::{MissingRight, missing_for};
use crate::{error::Granted, operation::Operation};

/// The permissions in an access token for Microsoft Graph, and what they allow of the operations of this crate.
///
/// The token is read without any validation, so this is advice and no decision. What also depends on the signed-in user (the
/// directory roles, whose object it is), on ownership or on a licence is not in a token: `allows` says whether the
/// permissions are enough. One that writes counts for what the one that reads the same is enough for.
///
/// ```
/// # use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
/// use entra_graph::{entra_core::AccessToken, operations, registration::TokenPermissions};
/// # let payload = URL_SAFE_NO_PAD.encode(r#"{"roles":["Device.Read.All"]}"#);
/// # let text = format!("e30.{payload}.c2ln");
/// # let expires = entra_graph::entra_core::Timestamp::UNIX_EPOCH;
/// let token = AccessToken::new(text, expires); // such as that of a credential
/// let permissions = TokenPermissions::of(&token).unwrap();
/// assert!(!permissions.is_delegated());
/// assert!(permissions.allowed().any(|operation| operation.name() == "device-list"));
/// let list = operations().find(|operation| operation.name() == "user-list").unwrap();
/// assert!(!permissions.allows(list));
/// let missing = permissions.missing_for(list).unwrap();
/// assert!(missing.permissions().contains(&"User.Read.All"));
/// println!("{permissions}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPermissions {
    granted: Granted,
}

impl TokenPermissions {
    /// Reads the permissions of a token. `None` if it is not a JWT, such as a token of a personal account.
    #[must_use]
    pub fn of(token: &AccessToken) -> Option<Self> {
        let granted = Granted::read(token.expose_secret())?;
        Some(Self { granted })
    }

    /// Whether it is the token of a signed-in user, so that the permissions are delegated ones.
    #[must_use]
    pub const fn is_delegated(&self) -> bool {
        self.granted.delegated
    }

    /// The names of the permissions, as in the token.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.granted.permissions.iter().map(String::as_str)
    }

    /// Whether the permissions are enough for an operation.
    #[must_use]
    pub fn allows(&self, operation: &'static Operation) -> bool {
        self.missing_for(operation).is_none()
    }

    /// What an operation needs and the token does not have; `None` if the permissions are enough.
    #[must_use]
    pub fn missing_for(&self, operation: &'static Operation) -> Option<MissingRight> {
        missing_for(operation, &self.granted)
    }

    /// The operations of this crate for which the permissions are enough.
    pub fn allowed(&self) -> impl Iterator<Item = &'static Operation> {
        crate::areas::operations().filter(|operation| self.allows(operation))
    }

    /// What each of the other operations needs.
    pub fn not_allowed(&self) -> impl Iterator<Item = MissingRight> {
        crate::areas::operations().filter_map(|operation| self.missing_for(operation))
    }
}

/// The names of the permissions, what they allow, and what the rest needs, one operation per line.
impl fmt::Display for TokenPermissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_delegated() {
            "delegated"
        } else {
            "application"
        };
        let names: Vec<&str> = self.names().collect();
        match names.is_empty() {
            true => writeln!(f, "{kind}: none")?,
            false => writeln!(f, "{kind}: {}", names.join(", "))?,
        }
        for operation in self.allowed() {
            writeln!(
                f,
                "✔ {} {} ({})",
                operation.method(),
                operation.path(),
                operation.name()
            )?;
        }
        for missing in self.not_allowed() {
            writeln!(f, "✘ {missing}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use entra_core::Timestamp;

    use super::*;

    fn permissions(payload: &str) -> Option<TokenPermissions> {
        let text = format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload));
        TokenPermissions::of(&AccessToken::new(text, Timestamp::UNIX_EPOCH))
    }

    fn operation(name: &str) -> &'static Operation {
        crate::areas::operations()
            .find(|operation| operation.name() == name)
            .unwrap()
    }

    #[test]
    fn a_token_allows_what_its_kind_of_permission_is_enough_for() {
        let app = permissions(r#"{"roles":["User.Read.All"]}"#).unwrap();
        let user = permissions(r#"{"scp":"User.Read openid"}"#).unwrap();
        assert!(app.allows(operation("user-list")));
        assert!(!user.allows(operation("user-list")));
        assert!(!app.allows(operation("device-list")));
        let text = app
            .missing_for(operation("device-list"))
            .unwrap()
            .to_string();
        assert_eq!(
            text,
            "GET /devices: needs one of (application): Device.Read.All, Directory.Read.All"
        );
        let text = app
            .missing_for(operation("user-changepassword"))
            .unwrap()
            .to_string();
        assert!(text.contains("delegated permissions only"), "{text}");
    }

    #[test]
    fn each_operation_is_allowed_or_its_missing_permissions_are_named() {
        let all = crate::areas::operations().count();
        for payload in [
            "{}",
            r#"{"roles":["Directory.Read.All"]}"#,
            r#"{"scp":"User.ReadWrite.All"}"#,
        ] {
            let permissions = permissions(payload).unwrap();
            let allowed = permissions.allowed().count();
            assert_eq!(
                allowed + permissions.not_allowed().count(),
                all,
                "{payload}"
            );
            assert_eq!(payload == "{}", allowed == 0, "{payload}");
            assert_eq!(permissions.to_string().lines().count(), all + 1);
        }
        assert!(
            permissions("{}")
                .unwrap()
                .to_string()
                .starts_with("application: none\n")
        );
    }

    #[test]
    fn an_opaque_token_has_no_permissions_to_read() {
        let opaque = AccessToken::new("EwB4A8l6BAAU", Timestamp::UNIX_EPOCH);
        assert_eq!(TokenPermissions::of(&opaque), None);
    }
}
