use std::fmt;

use entra_core::{ClientId, TenantId};

use crate::store::{StorePartition, hashed};

/// The tokens that belong together: of one application in a tenant, or of one person.
///
/// A web app exports, imports and forgets them as one, see [`TokenCache`](crate::TokenCache).
///
/// ```
/// use entra_auth::CachePartition;
/// let person = CachePartition::account("oid-of-adele.home-tenant");
/// assert_ne!(person, CachePartition::on_behalf_of("oid-of-adele.home-tenant"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CachePartition(String);

impl CachePartition {
    /// The tokens of an application itself, issued by this tenant.
    #[must_use]
    pub fn app(client: ClientId, tenant: &TenantId) -> Self {
        Self(serde_json::json!(["app", client.to_string(), tenant.to_string()]).to_string())
    }

    /// The tokens of a person, by home account id (`{object id}.{home tenant id}`).
    #[must_use]
    pub fn account(home_account_id: &str) -> Self {
        Self(serde_json::json!(["account", home_account_id]).to_string())
    }

    /// The tokens of one on-behalf-of session, by its key.
    #[must_use]
    pub fn on_behalf_of(key: &str) -> Self {
        Self(serde_json::json!(["on-behalf-of", key]).to_string())
    }

    /// The partition of a store that holds these tokens.
    #[must_use]
    pub fn store_partition(&self) -> StorePartition {
        StorePartition::named(&self.0)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CachePartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CachePartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An on-behalf-of key is the caller's choice, and may say more than a log should.
        write!(f, "CachePartition({})", &hashed(&self.0)[..8])
    }
}
