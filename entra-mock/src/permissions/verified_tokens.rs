//! Remembers the bearer tokens whose signatures were verified: a client sends the same one many times.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use entra_core::Guid;
use hashbrown::HashMap;
use serde_json::{Map, Value};

use super::Caller;

/// A token with a valid signature. Everything that depends on time or request is checked again.
pub(crate) struct VerifiedToken {
    /// The whole token: its signature alone is its key in the map.
    token: Box<str>,
    /// The key that signed it, which must still be published.
    pub(crate) kid: String,
    pub(crate) tenant: Option<Guid>,
    pub(crate) expiry: Option<i64>,
    pub(crate) audience: String,
    /// `None` if the token names no application.
    pub(crate) caller: Option<Arc<Caller>>,
    /// The claims of a token whose client can handle claims challenges, for continuous access evaluation.
    pub(crate) continuous: Option<Map<String, Value>>,
}

/// The verified tokens of a tenant.
#[derive(Default)]
pub(crate) struct VerifiedTokens(Mutex<HashMap<Box<str>, Arc<VerifiedToken>>>);

impl VerifiedTokens {
    pub(crate) fn get(&self, token: &str) -> Option<Arc<VerifiedToken>> {
        let tokens = self.lock();
        let found = tokens.get(signature(token))?;
        (*found.token == *token).then(|| Arc::clone(found))
    }

    pub(crate) fn insert(&self, token: &str, verified: &Arc<VerifiedToken>) {
        let mut tokens = self.lock();
        // Most are expired by then.
        if tokens.len() >= MAX_TOKENS {
            tokens.clear();
        }
        tokens.insert(signature(token).into(), Arc::clone(verified));
    }

    // An entry is complete or absent, also after a panic while the lock was held.
    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<VerifiedToken>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedTokens").finish_non_exhaustive()
    }
}

impl VerifiedToken {
    pub(crate) fn new(token: &str, kid: &str, claims: &Map<String, Value>) -> Self {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        Self {
            token: token.into(),
            kid: kid.to_owned(),
            tenant: text("tid").and_then(|id| id.parse().ok()),
            expiry: claims.get("exp").and_then(Value::as_i64),
            audience: text("aud")
                .unwrap_or_default()
                .trim_end_matches('/')
                .to_owned(),
            caller: caller(claims).map(Arc::new),
            continuous: claims.contains_key("xms_cc").then(|| claims.clone()),
        }
    }
}

fn caller(claims: &Map<String, Value>) -> Option<Caller> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let app_id = text("appid").or_else(|| text("azp"))?.to_owned();
    let subject = text("oid").map(str::to_owned);
    let scopes: Vec<String> = text("scp")
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let delegated = claims.contains_key("scp");
    let roles = claims
        .get("roles")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    Some(Caller {
        app_id,
        service_principal_id: subject.clone().filter(|_| !delegated),
        user_id: subject.filter(|_| delegated),
        // In a user's token these are the app roles of the user, which grant nothing in Graph.
        roles: roles
            .filter(|_| !delegated)
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        scopes,
    })
}

fn signature(token: &str) -> &str {
    token.rsplit('.').next().unwrap_or_default()
}

/// A token and its caller have about four kilobytes.
const MAX_TOKENS: usize = 500;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn remember(tokens: &VerifiedTokens, token: &str) {
        let claims = json!({"appid": "a"});
        let claims = claims.as_object().unwrap();
        tokens.insert(token, &Arc::new(VerifiedToken::new(token, "k", claims)));
    }

    #[test]
    fn only_the_whole_token_is_remembered() {
        let tokens = VerifiedTokens::default();
        remember(&tokens, "header.claims.signature");
        assert!(tokens.get("header.claims.signature").is_some());
        assert!(tokens.get("header.others.signature").is_none());
        assert!(tokens.get("header.claims.other").is_none());
        assert!(!format!("{tokens:?}").contains("signature"));
    }

    #[test]
    fn the_number_of_remembered_tokens_is_bounded() {
        let tokens = VerifiedTokens::default();
        for number in 0..=MAX_TOKENS {
            remember(&tokens, &format!("header.claims.{number}"));
        }
        assert_eq!(tokens.lock().len(), 1);
    }
}
