//! The permissions in a token, for the message of a 403, and for what the absence of rows can mean; never for a decision that lets
//! something through.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::operation::Operation;

/// The permissions in a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) delegated: bool,
    pub(crate) permissions: Vec<String>,
    /// The template ids of the user's directory roles.
    pub(crate) roles: Vec<String>,
    pub(crate) tenant: Option<String>,
    /// The object id of the user, or of the service principal of the application.
    pub(crate) object_id: Option<String>,
}

impl Granted {
    /// Reads the payload of a token, without any validation: Graph did that.
    pub(crate) fn read(token: &str) -> Option<Self> {
        let claims = claims(token)?;
        let text = |name: &str| claims.get(name)?.as_str().map(str::to_owned);
        let texts = |name: &str| -> Vec<String> {
            let list = claims.get(name).and_then(Value::as_array);
            let texts = list.into_iter().flatten().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        };
        let scopes = text("scp");
        Some(Self {
            delegated: scopes.is_some(),
            permissions: match scopes {
                Some(scopes) => scopes.split_whitespace().map(str::to_owned).collect(),
                None => texts("roles"),
            },
            roles: texts("wids"),
            tenant: text("tid"),
            object_id: text("oid"),
        })
    }

    /// As [`has`](Self::has), for a name in any case, as a blueprint may have it.
    #[cfg(feature = "registration")]
    pub(crate) fn lists(&self, permission: &str) -> bool {
        let mut own = self.permissions.iter();
        own.any(|one| one.eq_ignore_ascii_case(permission))
    }

    /// Whether the permissions are enough for an operation.
    pub(crate) fn allows(&self, operation: &Operation) -> bool {
        let has = |list| self.held(list).next().is_some();
        let enough = if self.delegated {
            operation.delegated
        } else {
            operation.application
        };
        has(enough) && (operation.additional.is_empty() || has(operation.additional))
    }

    /// The permissions that are enough where one of a list is. One that writes reads too.
    pub(crate) fn held<'g>(&'g self, list: &'g [&str]) -> impl Iterator<Item = &'g str> {
        let enough = move |held: &&str| {
            list.iter()
                .any(|one| held == one || *held == one.replacen(".Read.", ".ReadWrite.", 1))
        };
        self.permissions.iter().map(String::as_str).filter(enough)
    }

    #[cfg(any(feature = "registration", feature = "sync"))]
    pub(crate) fn has(&self, permission: &str) -> bool {
        self.permissions.iter().any(|one| one == permission)
    }
}

/// The payload of a token, without any validation: Graph did that.
pub(crate) fn claims(token: &str) -> Option<Map<String, Value>> {
    let payload = token.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_str(str::from_utf8(&payload).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn roles_and_scopes_are_told_apart() {
        let app = Granted::read(&token(r#"{"roles":["User.Read.All"],"aud":"x"}"#)).unwrap();
        assert!(!app.delegated);
        assert_eq!(app.permissions, ["User.Read.All"]);
        let user = Granted::read(&token(r#"{"scp":"User.Read openid","roles":[]}"#)).unwrap();
        assert!(user.delegated);
        assert_eq!(user.permissions, ["User.Read", "openid"]);
        let none = Granted::read(&token("{}")).unwrap();
        assert!(none.permissions.is_empty());
    }

    #[test]
    fn an_opaque_token_has_nothing_to_say() {
        for text in ["", "opaque", "a.b.c", "a.!!.c", &token("[]")] {
            assert_eq!(Granted::read(text), None, "{text}");
        }
    }
}
