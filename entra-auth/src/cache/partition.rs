use std::fmt;

use entra_core::{ClientId, Cloud, TenantId};

use crate::store::{StorePartition, hashed};

/// The tokens that belong together: of one application in a tenant, or of one user.
///
/// A partition belongs to one cloud. Another provider may name the same account or application, by
/// chance or to do harm, and never reaches the tokens of this one.
///
/// A web app exports, imports and forgets them as one, see [`TokenCache`](crate::TokenCache).
///
/// ```
/// use entra_auth::CachePartition;
/// use entra_core::Cloud;
/// let adele = CachePartition::account(&Cloud::public(), "oid-of-adele.home-tenant");
/// assert_ne!(adele, CachePartition::account(&Cloud::china(), "oid-of-adele.home-tenant"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CachePartition(String);

impl CachePartition {
    /// The tokens of an application itself, issued by this tenant of this cloud.
    #[must_use]
    #[inline]
    pub fn app(cloud: &Cloud, client: ClientId, tenant: &TenantId) -> Self {
        Self::app_at(&cloud.cache_authority(), client, tenant)
    }

    /// The tokens of a user of this cloud, by home account id (`{object id}.{home tenant id}`).
    #[must_use]
    #[inline]
    pub fn account(cloud: &Cloud, home_account_id: &str) -> Self {
        Self::account_at(&cloud.cache_authority(), home_account_id)
    }

    /// The tokens of one on-behalf-of session at this cloud, by the session's key.
    #[must_use]
    #[inline]
    pub fn on_behalf_of(cloud: &Cloud, key: &str) -> Self {
        Self::on_behalf_of_at(&cloud.cache_authority(), key)
    }

    #[inline]
    pub(super) fn app_at(authority: &str, client: ClientId, tenant: &TenantId) -> Self {
        let (client, tenant) = (client.to_string(), tenant.to_string());
        Self(serde_json::json!(["app", authority, client, tenant]).to_string())
    }

    #[inline]
    pub(super) fn account_at(authority: &str, home_account_id: &str) -> Self {
        Self(serde_json::json!(["account", authority, home_account_id]).to_string())
    }

    #[inline]
    pub(super) fn on_behalf_of_at(authority: &str, key: &str) -> Self {
        Self(serde_json::json!(["on-behalf-of", authority, key]).to_string())
    }

    /// The partition of a store that holds these tokens.
    #[must_use]
    #[inline]
    pub fn store_partition(&self) -> StorePartition {
        StorePartition::named(&self.0)
    }

    /// Whether the tokens are those of a user, whose sign-out other replicas have to notice.
    #[inline]
    pub(super) fn is_account(&self) -> bool {
        self.0.starts_with(r#"["account","#)
    }

    #[inline]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CachePartition {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An on-behalf-of key is the caller's choice, and may say more than a log should.
        write!(f, "CachePartition({})", &hashed(&self.0)[..8])
    }
}
