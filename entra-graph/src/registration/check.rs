//! Contradictions within a blueprint, found before anything is read.

use std::collections::HashSet;

use super::{blueprint::AppRegistration, parts::Audience};
use crate::error::Error;

impl AppRegistration {
    /// Checks what no tenant can have. Rules for what is new in a tenant are those of a plan: what Entra accepted once can
    /// stay.
    ///
    /// # Errors
    /// `Registration` for the first contradiction.
    pub(super) fn check(&self) -> Result<(), Error> {
        let found = self
            .wrong_name()
            .or_else(|| self.wrong_redirect_uri())
            .or_else(|| self.wrong_entitlement())
            .or_else(|| self.wrong_credential())
            .or_else(|| self.wrong_assignment())
            .or_else(|| self.wrong_for_personal_accounts());
        found.map_or(Ok(()), |message| Err(Error::registration(message)))
    }

    fn wrong_name(&self) -> Option<String> {
        (self.name.trim().is_empty() || self.key().is_empty())
            .then(|| "a registration needs a name".to_owned())
    }

    fn wrong_redirect_uri(&self) -> Option<String> {
        let mut uris = HashSet::new();
        let all = [
            &self.web.redirect_uris,
            &self.spa.redirect_uris,
            &self.public_client.redirect_uris,
        ];
        for uri in all.into_iter().flatten() {
            if !uris.insert(uri) {
                return Some(format!(
                    "the redirect URI {uri} is listed twice; it belongs to one platform"
                ));
            }
            if let Err(error) = entra_core::url::Url::parse(uri) {
                return Some(format!("{uri:?} is not a redirect URI: {error}"));
            }
        }
        None
    }

    fn wrong_entitlement(&self) -> Option<String> {
        let scopes = self.api.scopes.iter().map(|one| one.value.as_str());
        let roles = self.app_roles.iter().map(|one| one.value.as_str());
        if let Some(value) = repeated(scopes) {
            return Some(format!("the scope {value:?} is listed twice"));
        }
        if let Some(value) = repeated(roles) {
            return Some(format!("the app role {value:?} is listed twice"));
        }
        let version = self.api.token_version?;
        (![1, 2].contains(&version))
            .then(|| format!("access tokens have version 1 or 2, and {version} is neither"))
    }

    fn wrong_credential(&self) -> Option<String> {
        let mut descriptions = HashSet::new();
        for secret in &self.secrets {
            if secret.description.trim().is_empty() || !descriptions.insert(&secret.description) {
                return Some(format!(
                    "each secret needs a description of its own, and {:?} is not",
                    secret.description
                ));
            }
        }
        let federated = &self.federated_credentials;
        if let Some(name) = repeated(federated.iter().map(|one| one.name.as_str())) {
            return Some(format!("the federated credential {name:?} is listed twice"));
        }
        let mut pairs = HashSet::new();
        for one in federated {
            if !pairs.insert((&one.issuer, &one.subject)) {
                return Some(format!(
                    "two federated credentials have the issuer {} and the subject {}; an application has one of each pair",
                    one.issuer, one.subject
                ));
            }
        }
        (federated.len() > MOST_FEDERATED).then(|| {
            format!(
                "an application has at most {MOST_FEDERATED} federated credentials, and {} are listed",
                federated.len()
            )
        })
    }

    fn wrong_assignment(&self) -> Option<String> {
        for (index, one) in self.enterprise.assigned.iter().enumerate() {
            let what = match (&one.user, &one.group) {
                (Some(user), Some(group)) => format!("names the user {user} and the group {group}"),
                (None, None) => "names neither a user nor a group".to_owned(),
                _ => continue,
            };
            return Some(format!("assignment {} {what}; it takes one", index + 1));
        }
        None
    }

    /// The limits of registrations that personal accounts sign in to.
    fn wrong_for_personal_accounts(&self) -> Option<String> {
        if !self.audience.is_some_and(is_personal) {
            return None;
        }
        let what = if self.name.chars().count() > LONGEST_PERSONAL_NAME {
            format!("a name of at most {LONGEST_PERSONAL_NAME} characters")
        } else if !self.app_roles.is_empty() {
            "no app roles".to_owned()
        } else if self.api.token_version == Some(1) {
            "access tokens of version 2".to_owned()
        } else if self.secrets.len() > MOST_PERSONAL_SECRETS {
            format!("at most {MOST_PERSONAL_SECRETS} secrets")
        } else if self.api.scopes.len() > MOST_PERSONAL_SCOPES {
            format!("at most {MOST_PERSONAL_SCOPES} scopes")
        } else {
            return None;
        };
        Some(format!(
            "a registration for personal Microsoft accounts has {what}; change that, or the audience"
        ))
    }
}

/// Whether personal accounts sign in to such a registration.
pub(super) fn is_personal(audience: Audience) -> bool {
    matches!(
        audience,
        Audience::AnyTenantAndPersonal | Audience::Personal
    )
}

/// The first text that is there twice.
fn repeated<'a>(mut texts: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = HashSet::new();
    texts.find(|one| !seen.insert(*one))
}

const MOST_FEDERATED: usize = 20;
/// How long the name of a registration for personal accounts is.
pub(super) const LONGEST_PERSONAL_NAME: usize = 90;
/// How many secrets a registration for personal accounts has.
pub(super) const MOST_PERSONAL_SECRETS: usize = 2;
/// How many scopes a registration for personal accounts has.
pub(super) const MOST_PERSONAL_SCOPES: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registration::{AppRoleBlueprint, FederatedCredential, Lifetime, ScopeBlueprint};

    fn blueprint() -> AppRegistration {
        AppRegistration::new("Order Desk")
    }

    #[test]
    fn a_contradiction_in_a_blueprint_is_named() {
        let scope = || ScopeBlueprint::new("Read", "Read", "Reads");
        let role = || AppRoleBlueprint::for_users("Reader", "Reader", "Reads");
        let federated = |name: &str, subject: &str| {
            FederatedCredential::new(name, "https://issuer.contoso.com", subject)
        };
        let personal = || blueprint().audience(Audience::AnyTenantAndPersonal);
        let mut many = blueprint();
        for number in 0..21 {
            let subject = number.to_string();
            many = many.federated_credential(federated(&format!("of-{number}"), &subject));
        }
        let assigned = |user: Option<&str>, group: Option<&str>| {
            let mut one = blueprint().assign_user("adele@contoso.com");
            let own = |name: Option<&str>| name.map(str::to_owned);
            one.enterprise.assign(own(user), own(group), String::new());
            one
        };
        for (blueprint, expected) in [
            (AppRegistration::new(" "), "needs a name"),
            (
                blueprint().scope(scope()).scope(scope()),
                "the scope \"Read\" is listed twice",
            ),
            (
                blueprint().app_role(role()).app_role(role()),
                "the app role \"Reader\" is listed twice",
            ),
            (blueprint().access_token_version(3), "version 1 or 2"),
            (
                blueprint()
                    .federated_credential(federated("deploy", "a"))
                    .federated_credential(federated("deploy", "b")),
                "the federated credential \"deploy\" is listed twice",
            ),
            (
                blueprint()
                    .federated_credential(federated("deploy", "a"))
                    .federated_credential(federated("build", "a")),
                "one of each pair",
            ),
            (many, "at most 20 federated credentials, and 21"),
            (assigned(None, None), "assignment 2 names neither"),
            (assigned(Some("a"), Some("b")), "the user a and the group b"),
            (personal().app_role(role()), "no app roles"),
            (personal().access_token_version(1), "version 2"),
            (
                ["a", "b", "c"]
                    .iter()
                    .fold(personal(), |one, name| one.secret(*name, Lifetime::days(9))),
                "at most 2 secrets",
            ),
            (
                AppRegistration::new("x".repeat(91)).audience(Audience::Personal),
                "at most 90 characters",
            ),
        ] {
            let error = blueprint.check().unwrap_err();
            assert!(error.to_string().contains(expected), "{expected}: {error}");
        }
    }

    #[test]
    fn what_entra_accepts_is_no_contradiction() {
        let accepted = blueprint()
            .web_redirect_uri("https://*.contoso.com/callback")
            .web_redirect_uri("http://localhost:3000/callback?a=1")
            .spa_redirect_uri("brk-multihub://localhost:3000")
            .public_client_redirect_uri("http://localhost")
            .public_client_redirect_uri("http://127.0.0.1:8400/")
            .public_client_redirect_uri(
                "https://login.microsoftonline.com/common/oauth2/nativeclient",
            )
            .public_client_redirect_uri(
                "msauth://com.contoso.orders/VzSiQcXRmi2kyjzcA%2BmYLEtbGVs%3D",
            )
            .public_client_redirect_uri("msauth.com.contoso.orders://auth")
            .public_client_redirect_uri("ms-appx-web://microsoft.aad.brokerplugin/S-1-15-2-1")
            .public_client_redirect_uri("urn:ietf:wg:oauth:2.0:oob")
            .scope(ScopeBlueprint::new("Read", "Read", "Reads"))
            .app_role(AppRoleBlueprint::for_users("Read", "Read", "Reads"))
            .access_token_version(1);
        assert!(accepted.check().is_ok());
        let personal = blueprint()
            .audience(Audience::AnyTenantAndPersonal)
            .access_token_version(2)
            .secret("a", Lifetime::days(9));
        assert!(personal.check().is_ok());
    }
}
