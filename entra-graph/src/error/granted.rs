//! The permissions in a token, for the message of a 403; never for a decision.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};

/// The permissions in a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) delegated: bool,
    pub(crate) permissions: Vec<String>,
    /// The template ids of the user's directory roles.
    pub(crate) roles: Vec<String>,
    pub(crate) tenant: Option<String>,
    /// The object id of the user, or of the service principal of the application.
    #[cfg(feature = "registration")]
    pub(crate) object_id: Option<String>,
}

impl Granted {
    /// Reads the payload of a token, without any validation: Graph did that.
    pub(crate) fn read(token: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Claims {
            #[serde(default)]
            roles: Vec<String>,
            scp: Option<String>,
            #[serde(default)]
            wids: Vec<String>,
            tid: Option<String>,
            #[cfg(feature = "registration")]
            oid: Option<String>,
        }

        let claims: Claims = claims(token)?;
        let (roles, tenant) = (claims.wids, claims.tid);
        #[cfg(feature = "registration")]
        let object_id = claims.oid;
        Some(match claims.scp {
            Some(scopes) => Self {
                delegated: true,
                permissions: scopes.split_whitespace().map(str::to_owned).collect(),
                roles,
                tenant,
                #[cfg(feature = "registration")]
                object_id,
            },
            None => Self {
                delegated: false,
                permissions: claims.roles,
                roles,
                tenant,
                #[cfg(feature = "registration")]
                object_id,
            },
        })
    }

    #[cfg(feature = "registration")]
    pub(crate) fn has(&self, permission: &str) -> bool {
        self.permissions.iter().any(|one| one == permission)
    }
}

/// The payload of a token, without any validation: Graph did that.
pub(crate) fn claims<T: DeserializeOwned>(token: &str) -> Option<T> {
    let payload = token.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&payload).ok()
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
