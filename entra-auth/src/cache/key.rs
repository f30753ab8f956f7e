use std::sync::Arc;

use entra_core::{ClientId, TenantId, TokenRequest};

use super::CachePartition;
use crate::{Error, ErrorKind, capabilities::Capabilities, store::Ident};

/// What a cached token was issued for. Two requests share a token only if all of it is equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey {
    owner: Arc<Owner>,
    asked: Asked,
}

/// The part of a key that one credential has for all its tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Owner {
    /// The sign-in root: two clouds never share a token.
    pub(crate) authority: String,
    pub(crate) client: ClientId,
    pub(crate) account: Account,
    /// They decide what kind of token it is.
    pub(crate) capabilities: Capabilities,
}

/// For whom the token speaks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Account {
    /// The application itself.
    App,
    /// A person, by home account id.
    User(Arc<str>),
    /// The caller of an API, by a digest of its token, in a session of that caller.
    OnBehalfOf { session: Arc<str>, caller: Arc<str> },
}

/// The part of a key that a token request decides, in one spelling.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Asked {
    pub(crate) tenant: TenantId,
    scopes: Vec<String>,
    pub(crate) claims: Option<String>,
}

impl CacheKey {
    pub(crate) fn new(owner: &Arc<Owner>, asked: Asked) -> Self {
        Self {
            owner: Arc::clone(owner),
            asked,
        }
    }

    pub(crate) const fn asked(&self) -> &Asked {
        &self.asked
    }

    /// The key as a store has it: everything a token depends on, in one unambiguous text.
    pub(crate) fn ident(&self) -> Ident {
        let Owner {
            authority,
            client,
            account,
            capabilities,
        } = &*self.owner;
        let Asked {
            tenant,
            scopes,
            claims,
        } = &self.asked;
        let entry = serde_json::json!([
            authority,
            tenant.to_string(),
            client.to_string(),
            account.name(),
            capabilities.names(),
            scopes,
            claims
        ]);
        Ident {
            partition: self.partition().as_str().to_owned(),
            entry: entry.to_string(),
        }
    }

    /// The key that a text of [`ident`](Self::ident) stands for.
    pub(crate) fn from_ident(ident: &Ident) -> Option<Self> {
        type Parts = (
            String,
            String,
            String,
            Vec<String>,
            Vec<String>,
            Vec<String>,
            Option<String>,
        );
        let (authority, tenant, client, account, capabilities, scopes, claims): Parts =
            serde_json::from_str(&ident.entry).ok()?;
        let owner = Owner {
            authority,
            client: client.parse().ok()?,
            account: Account::from_name(&account)?,
            capabilities: capabilities.into_iter().collect(),
        };
        let asked = Asked {
            tenant: tenant.parse().ok()?,
            scopes,
            claims,
        };
        let key = Self::new(&Arc::new(owner), asked);
        // Nothing but the one spelling of a key counts.
        (key.ident() == *ident).then_some(key)
    }

    pub(crate) fn partition(&self) -> CachePartition {
        self.owner
            .account
            .partition(&self.owner, &self.asked.tenant)
    }

    /// The key of the token that a claims challenge has found wanting.
    pub(crate) fn challenged(&self) -> Option<Self> {
        self.asked.claims.as_ref()?;
        let mut key = self.clone();
        key.asked.claims = None;
        Some(key)
    }
}

impl Account {
    /// What tells accounts apart in a key's text.
    fn name(&self) -> serde_json::Value {
        match self {
            Self::App => serde_json::json!(["app"]),
            Self::User(id) => serde_json::json!(["user", **id]),
            Self::OnBehalfOf { session, caller } => {
                serde_json::json!(["on-behalf-of", **session, **caller])
            }
        }
    }

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

    /// The tokens that are exported and removed together.
    fn partition(&self, owner: &Owner, tenant: &TenantId) -> CachePartition {
        match self {
            Self::App => CachePartition::app_at(&owner.authority, owner.client, tenant),
            Self::User(id) => CachePartition::account_at(&owner.authority, id),
            Self::OnBehalfOf { session, .. } => {
                CachePartition::on_behalf_of_at(&owner.authority, session)
            }
        }
    }
}

impl Asked {
    /// Brings a request into one spelling: order, repetition and grouping of scopes do not matter.
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
                "ask for {resource}/.default, such as https://graph.microsoft.com/.default",
            ));
        }
        if let Some(claims) = &request.claims {
            serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(claims).map_err(
                |_| {
                    Error::new(ErrorKind::Configuration, "the claims are no JSON object").with(
                        |inner| {
                            inner.fix = Some(
                                "pass on the decoded `claims` of the WWW-Authenticate header"
                                    .into(),
                            );
                        },
                    )
                },
            )?;
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

    fn asked(request: &TokenRequest) -> Result<Asked, Error> {
        Asked::new(&"contoso.com".parse().unwrap(), request)
    }

    #[test]
    fn order_repetition_and_grouping_of_scopes_do_not_matter() {
        let one = asked(&TokenRequest::new(["b a", "c"])).unwrap();
        assert_eq!(
            one,
            asked(&TokenRequest::new(["c", " a", "b", "a"])).unwrap()
        );
        assert_eq!(one.scope(), "a b c");
        assert_ne!(one, asked(&TokenRequest::new(["a", "b"])).unwrap());
        assert_ne!(one, asked(&TokenRequest::new(["a", "b", "C"])).unwrap());
    }

    #[test]
    fn a_request_without_scope_or_with_broken_claims_is_refused() {
        let none: [&str; 0] = [];
        for request in [
            TokenRequest::new(none),
            TokenRequest::new(["", "  "]),
            TokenRequest::new(["a"]).with_claims("eyJ"),
            TokenRequest::new(["a"]).with_claims("[]"),
        ] {
            let error = asked(&request).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.fix().is_some());
        }
    }
}
