//! Bearer tokens without their signatures.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::permissions::Caller;

/// A bearer token without its signature, which therefore is no credential.
#[derive(Clone)]
pub(crate) struct TokenFacts {
    /// Identifies the token.
    pub(crate) id: u64,
    /// The caller, if the token was valid when it was sent.
    pub(crate) caller: Option<Arc<Caller>>,
    /// Header and claims as sent, if the token has the form of a JWT.
    pub(crate) unsigned: Option<Box<str>>,
}

impl fmt::Debug for TokenFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The claims describe a user.
        f.debug_struct("TokenFacts")
            .field("app_id", &self.caller.as_ref().map(|caller| &caller.app_id))
            .finish_non_exhaustive()
    }
}

impl TokenFacts {
    /// The header, if the token is a JWT.
    pub(crate) fn header(&self) -> Option<Map<String, Value>> {
        self.parts().and_then(|(header, _)| object(header))
    }

    /// The claims, if the token is a JWT.
    pub(crate) fn claims(&self) -> Option<Map<String, Value>> {
        self.parts().and_then(|(_, claims)| object(claims))
    }

    fn parts(&self) -> Option<(&str, &str)> {
        self.unsigned.as_deref()?.split_once('.')
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// Header and claims of a signed JWT.
pub(super) fn unsigned(token: &str) -> Option<&str> {
    let (unsigned, _) = token.rsplit_once('.')?;
    let (header, claims) = unsigned.split_once('.')?;
    // `{"` in base64: everything else is not a JWT, and might be a secret.
    let json = |part: &str| part.starts_with("eyJ") && part.len() > 8;
    (json(header) && json(claims) && !claims.contains('.')).then_some(unsigned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> TokenFacts {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        TokenFacts {
            id: 1,
            caller: None,
            unsigned: Some(format!("{}.{}", encode(header), encode(claims)).into()),
        }
    }

    #[test]
    fn header_and_claims_are_decoded() {
        let token = token(r#"{"alg":"RS256"}"#, r#"{"exp":60,"aud":"x"}"#);
        assert_eq!(token.header().unwrap()["alg"], "RS256");
        assert_eq!(token.claims().unwrap()["exp"], 60);
    }

    #[test]
    fn what_is_not_a_json_object_is_not_decoded() {
        assert!(token("{}", "secret").claims().is_none());
        assert!(token("[]", "{}").header().is_none());
    }
}
