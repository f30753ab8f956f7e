//! Tenants and client ids as a user has typed them: each may be a secret that was pasted into the wrong field.

use std::fmt;

use entra_core::TenantId;
use serde::{Deserialize, Serialize};

/// A tenant or client id before its validation. `Debug` shows an id or a domain and nothing else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct TypedId(String);

impl TypedId {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text without white space around it, which may be a secret.
    pub(crate) fn text(&self) -> &str {
        self.0.trim()
    }
}

impl fmt::Debug for TypedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match shown_id(self.text()) {
            Some(id) => fmt::Debug::fmt(id, f),
            None => write!(f, "({} characters)", self.text().chars().count()),
        }
    }
}

/// The text, if it is a GUID, a domain or an alias of tenants: what errors and findings may repeat.
pub(crate) fn shown_id(text: &str) -> Option<&str> {
    let tenant: TenantId = text.parse().ok()?;
    let is_domain = || {
        let top = text.rsplit('.').next().unwrap_or_default();
        let is_name = top.len() > 1 && top.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_name || top.to_ascii_lowercase().starts_with("xn--")
    };
    (tenant.guid().is_some() || tenant.is_alias() || is_domain()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_ids_and_domains_and_no_other_text() {
        for id in [
            "3c2b0a5e-1d71-4883-8f98-567911bfdca6",
            "contoso.com",
            " Contoso.OnMicrosoft.com\n",
            "xn--bcher-kva.xn--fiqs8s",
            "organizations",
        ] {
            let shown = format!("{:?}", Some(TypedId::new(id)));
            assert_eq!(shown, format!("Some({:?})", id.trim()));
        }
        for text in [
            "canary",
            "canary~5e1f",
            "canary value",
            "canary.5e1f",
            "can.ary.a",
            "",
        ] {
            let shown = format!("{:?} {:#?}", TypedId::new(text), TypedId::new(text));
            assert!(!shown.contains("can"), "{shown}");
            let length = format!("({} characters)", text.len());
            assert_eq!(shown, format!("{length} {length}"));
        }
    }
}
