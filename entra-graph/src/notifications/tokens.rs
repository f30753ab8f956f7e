//! Validation tokens: each must be valid, for this application, and from Graph's publisher of notifications.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use entra_core::{ClientId, Clock, Guid, JwtError, JwtVerifier};
use serde_json::{Map, Value};

use super::verified_tokens::{VerifiedTokens, digest};

/// Verifies the validation tokens of requests, each of them once.
pub(super) struct ValidationTokens {
    verifier: Arc<dyn JwtVerifier>,
    client_ids: Vec<ClientId>,
    verified: Mutex<VerifiedTokens>,
}

/// Why the tokens of a request do not count.
#[derive(Debug)]
pub(super) enum TokenProblem {
    /// At least one is invalid.
    Invalid,
    /// The keys could not be fetched; the tokens may be valid.
    Unavailable(JwtError),
}

impl ValidationTokens {
    pub(super) fn new(verifier: Arc<dyn JwtVerifier>, client_ids: Vec<ClientId>) -> Self {
        Self {
            verifier,
            client_ids,
            verified: Mutex::default(),
        }
    }

    pub(super) fn client_ids(&self) -> &[ClientId] {
        &self.client_ids
    }

    /// The tenants that the tokens are of, if all of them are valid. There is one for each application and tenant of a
    /// request, and the limit of its body bounds how many; the first invalid one ends it.
    pub(super) async fn tenants(
        &self,
        tokens: &[Cow<'_, str>],
        clock: &dyn Clock,
    ) -> Result<BTreeSet<Guid>, TokenProblem> {
        let mut tenants = BTreeSet::new();
        for token in tokens {
            tenants.insert(self.tenant(token, clock).await?);
        }
        Ok(tenants)
    }

    async fn tenant(&self, token: &str, clock: &dyn Clock) -> Result<Guid, TokenProblem> {
        let digest = digest(token);
        let (now, since) = (clock.now(), clock.monotonic());
        if let Some(tenant) = self.verified().get(&digest, now, since) {
            return Ok(tenant);
        }
        let claims = self.verifier.verify(token).await.map_err(|error| {
            if error.is_transient() {
                TokenProblem::Unavailable(error)
            } else {
                TokenProblem::Invalid
            }
        })?;
        let tenant = tenant_of(&claims, &self.client_ids).ok_or(TokenProblem::Invalid)?;
        if let Some(expires) = claims.get("exp").and_then(Value::as_i64) {
            self.verified()
                .insert(digest, tenant, expires, (now, since));
        }
        Ok(tenant)
    }

    fn verified(&self) -> std::sync::MutexGuard<'_, VerifiedTokens> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tenant of a token, if it is for one of these applications and from the publisher.
fn tenant_of(claims: &Map<String, Value>, client_ids: &[ClientId]) -> Option<Guid> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let audience = text("aud")?;
    let audience: ClientId = audience.parse().ok()?;
    // A v1.0 token names the publisher in `appid`, a v2.0 token in `azp`.
    let named: Vec<&Value> = ["appid", "azp"]
        .iter()
        .filter_map(|name| claims.get(*name))
        .collect();
    let is_publisher = !named.is_empty()
        && named.iter().all(|name| {
            name.as_str()
                .is_some_and(|id| id.eq_ignore_ascii_case(PUBLISHER))
        });
    let tenant = text("tid")?.parse().ok()?;
    (is_publisher && client_ids.contains(&audience)).then_some(tenant)
}

/// The application that sends change notifications, in every tenant.
pub(super) const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CLIENT: &str = "11111111-1111-1111-1111-111111111111";
    const TENANT: &str = "22222222-2222-2222-2222-222222222222";

    fn tenant(claims: &Value) -> Option<String> {
        let own = [CLIENT.parse().unwrap()];
        tenant_of(claims.as_object().unwrap(), &own).map(|tenant| tenant.to_string())
    }

    #[test]
    fn tokens_of_both_versions_are_accepted() {
        let first = json!({ "aud": CLIENT, "appid": PUBLISHER, "tid": TENANT, "ver": "1.0" });
        assert_eq!(tenant(&first).as_deref(), Some(TENANT));
        let second =
            json!({ "aud": CLIENT, "azp": PUBLISHER.to_uppercase(), "tid": TENANT, "ver": "2.0" });
        assert_eq!(tenant(&second).as_deref(), Some(TENANT));
    }

    #[test]
    fn another_audience_publisher_or_tenant_is_rejected() {
        let good = json!({ "aud": CLIENT, "appid": PUBLISHER, "azp": PUBLISHER, "tid": TENANT });
        assert!(tenant(&good).is_some());
        for (name, value) in [
            ("aud", json!(TENANT)),
            ("aud", json!([CLIENT])),
            ("aud", json!("")),
            ("aud", Value::Null),
            ("appid", json!(CLIENT)),
            ("appid", json!([PUBLISHER])),
            ("appid", Value::Null),
            ("azp", json!(CLIENT)),
            ("tid", json!("common")),
            ("tid", Value::Null),
        ] {
            let mut claims = good.clone();
            claims[name] = value.clone();
            assert_eq!(tenant(&claims), None, "{name}: {value}");
        }
        let without = json!({ "aud": CLIENT, "tid": TENANT });
        assert_eq!(tenant(&without), None);
    }
}
