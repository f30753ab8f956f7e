use std::sync::Arc;

use entra_core::{ClientId, TenantId, TokenRequest};

use super::CachePartition;
use crate::{Error, ErrorKind, capabilities::Capabilities, store::EntryId};

/// The key of a cached token: everything that it was issued for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey {
    identity: Arc<CredentialIdentity>,
    token_key: TokenKey,
}

/// The part of a key that is the same for all tokens of one credential.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CredentialIdentity {
    /// The sign-in root: two clouds never share a token.
    pub(crate) authority: String,
    pub(crate) client: ClientId,
    pub(crate) account: Account,
    /// The declared capabilities, which decide the kind of token.
    pub(crate) capabilities: Capabilities,
}

/// The subject of a token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Account {
    /// The application itself.
    App,
    /// A user, by home account id.
    User(Arc<str>),
    /// The caller of an API, by a digest of its token, in a session of that caller.
    OnBehalfOf { session: Arc<str>, caller: Arc<str> },
}

/// The normalized part of a key that comes from the token request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TokenKey {
    pub(crate) tenant: TenantId,
    scopes: Vec<String>,
    pub(crate) claims: Option<String>,
}

impl CacheKey {
    pub(crate) fn new(identity: &Arc<CredentialIdentity>, token_key: TokenKey) -> Self {
        Self {
            identity: Arc::clone(identity),
            token_key,
        }
    }

    pub(crate) const fn token_key(&self) -> &TokenKey {
        &self.token_key
    }

    /// The key as unambiguous text for a store.
    pub(crate) fn entry_id(&self) -> EntryId {
        let CredentialIdentity {
            authority,
            client,
            account,
            capabilities,
        } = &*self.identity;
        let TokenKey {
            tenant,
            scopes,
            claims,
        } = &self.token_key;
        let entry = serde_json::json!([
            authority,
            tenant.to_string(),
            client.to_string(),
            account.name(),
            capabilities.names(),
            scopes,
            claims
        ]);
        EntryId {
            partition: self.partition().as_str().to_owned(),
            entry: entry.to_string(),
        }
    }

    /// The key that a text of [`ident`](Self::ident) stands for.
    #[inline]
    pub(crate) fn from_entry_id(entry_id: &EntryId) -> Option<Self> {
        type Parts = (
            String,
            String,
            String,
            Vec<String>,
            Vec<String>,
            Vec<String>,
            Option<String>,
        );
        // From bytes, as in the rest of the crate: a reader of text would be compiled beside it.
        let (authority, tenant, client, account, capabilities, scopes, claims): Parts =
            serde_json::from_slice(entry_id.entry.as_bytes()).ok()?;
        let identity = CredentialIdentity {
            authority,
            client: client.parse().ok()?,
            account: Account::from_name(&account)?,
            capabilities: capabilities.into_iter().collect(),
        };
        let token_key = TokenKey {
            tenant: tenant.parse().ok()?,
            scopes,
            claims,
        };
        let key = Self::new(&Arc::new(identity), token_key);
        // Only the normalized text of a key is valid.
        (key.entry_id() == *entry_id).then_some(key)
    }

    pub(crate) fn partition(&self) -> CachePartition {
        self.identity
            .account
            .partition(&self.identity, &self.token_key.tenant)
    }

    /// The key of the token that a claims challenge rejected.
    pub(crate) fn challenged(&self) -> Option<Self> {
        self.token_key.claims.as_ref()?;
        let mut key = self.clone();
        key.token_key.claims = None;
        Some(key)
    }
}

impl Account {
    /// The account in the text of a key.
    fn name(&self) -> serde_json::Value {
        match self {
            Self::App => serde_json::json!(["app"]),
            Self::User(id) => serde_json::json!(["user", **id]),
            Self::OnBehalfOf { session, caller } => {
                serde_json::json!(["on-behalf-of", **session, **caller])
            }
        }
    }

    #[inline]
    fn from_name(name: &[String]) -> Option<Self> {
        let name: Vec<&str> = name.iter().map(String::as_str).collect();
        match name[..] {
            ["app"] => Some(Self::App),
            ["user", id] => Some(Self::User(id.into())),
            ["on-behalf-of", session, caller] => Some(Self::OnBehalfOf {
                session: session.into(),
                caller: caller.into(),
            }),
            _ => None,
        }
    }

    /// The partition: the tokens that are exported and removed together.
    fn partition(&self, identity: &CredentialIdentity, tenant: &TenantId) -> CachePartition {
        match self {
            Self::App => CachePartition::app_at(&identity.authority, identity.client, tenant),
            Self::User(id) => CachePartition::account_at(&identity.authority, id),
            Self::OnBehalfOf { session, .. } => {
                CachePartition::on_behalf_of_at(&identity.authority, session)
            }
        }
    }
}

impl TokenKey {
    /// Normalizes a request: order, repetition and grouping of scopes do not matter.
    pub(crate) fn new(home: &TenantId, request: &TokenRequest) -> Result<Self, Error> {
        let mut scopes: Vec<String> = request
            .scopes
            .iter()
            .flat_map(|scope| scope.split_ascii_whitespace())
            .map(str::to_owned)
            .collect();
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() {
            return Err(Error::configuration(
                "the token request names no scope",
                "request {resource}/.default, such as https://graph.microsoft.com/.default",
            ));
        }
        if let Some(claims) = &request.claims {
            serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(claims.as_bytes())
                .map_err(|_| {
                    Error::new(ErrorKind::Configuration, "the claims are not a JSON object").with(
                        |inner| {
                            inner.fix = Some(
                                "pass on the decoded `claims` of the WWW-Authenticate header"
                                    .into(),
                            );
                        },
                    )
                })?;
        }
        Ok(Self {
            tenant: request.tenant.as_ref().unwrap_or(home).clone(),
            scopes,
            claims: request.claims.clone(),
        })
    }

    /// The scopes as one parameter.
    pub(crate) fn scope(&self) -> String {
        self.scopes.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_key(request: &TokenRequest) -> Result<TokenKey, Error> {
        TokenKey::new(&"contoso.com".parse().unwrap(), request)
    }

    #[test]
    fn order_repetition_and_grouping_of_scopes_do_not_matter() {
        let one = token_key(&TokenRequest::new(["b a", "c"])).unwrap();
        assert_eq!(
            one,
            token_key(&TokenRequest::new(["c", " a", "b", "a"])).unwrap()
        );
        assert_eq!(one.scope(), "a b c");
        assert_ne!(one, token_key(&TokenRequest::new(["a", "b"])).unwrap());
        assert_ne!(one, token_key(&TokenRequest::new(["a", "b", "C"])).unwrap());
    }

    #[test]
    fn request_without_scope_or_with_invalid_claims_is_rejected() {
        let none: [&str; 0] = [];
        for request in [
            TokenRequest::new(none),
            TokenRequest::new(["", "  "]),
            TokenRequest::new(["a"]).with_claims("eyJ"),
            TokenRequest::new(["a"]).with_claims("[]"),
        ] {
            let error = token_key(&request).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.fix().is_some());
        }
    }
}
