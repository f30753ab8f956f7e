//! Parses the `scope` parameter of user flows.

use super::{context::plain_text, error::LoginError, resource};
use crate::directory::GRAPH_APP_ID;

pub(super) use crate::grants::{RequestedResource, RequestedScopes};

impl RequestedScopes {
    pub(super) fn parse(scope: &str) -> Result<Self, LoginError> {
        let mut requested = Self::default();
        for word in scope.split_whitespace() {
            match word {
                "openid" => requested.openid = true,
                "profile" => requested.profile = true,
                "email" => requested.email = true,
                "offline_access" => requested.offline_access = true,
                "address" | "phone" => {
                    return Err(invalid(format!("The scope '{word}' is not supported.")));
                }
                word => requested.add(word)?,
            }
        }
        for resource in &requested.resources {
            if resource.default && !resource.names.is_empty() {
                return Err(invalid(
                    "A scope that ends in /.default cannot be combined with other scopes of its resource.",
                ));
            }
        }
        Ok(requested)
    }

    /// Returns these scopes with the OpenID Connect scopes of another request.
    pub(super) fn with_identity_of(mut self, other: &Self) -> Self {
        self.openid |= other.openid;
        self.profile |= other.profile;
        self.email |= other.email;
        self.offline_access |= other.offline_access;
        self
    }

    /// Returns the resource of the access token: the first one, or Graph.
    pub(super) fn first(&self) -> RequestedResource {
        self.resources
            .first()
            .cloned()
            .unwrap_or(RequestedResource {
                identifier: GRAPH_APP_ID.to_owned(),
                prefix: None,
                names: Vec::new(),
                default: false,
            })
    }

    /// Returns the OpenID Connect scopes that tokens and responses repeat.
    pub(super) fn identity_words(&self) -> impl Iterator<Item = &'static str> {
        [
            ("openid", self.openid),
            ("profile", self.profile),
            ("email", self.email),
        ]
        .into_iter()
        .filter_map(|(word, requested)| requested.then_some(word))
    }

    fn add(&mut self, word: &str) -> Result<(), LoginError> {
        let (prefix, name) = match word.rsplit_once('/') {
            Some((prefix, name)) => (Some(prefix), name),
            None => (None, word),
        };
        if prefix.is_some_and(|prefix| !resource::is_identifier(prefix)) || name.is_empty() {
            return Err(invalid(format!("The scope '{word}' names no resource.")));
        }
        let identifier = prefix.unwrap_or(GRAPH_APP_ID);
        let at = match self
            .resources
            .iter()
            .position(|known| known.identifier == identifier)
        {
            Some(at) => at,
            None => {
                self.resources.push(RequestedResource {
                    identifier: identifier.to_owned(),
                    prefix: prefix.map(str::to_owned),
                    names: Vec::new(),
                    default: false,
                });
                self.resources.len() - 1
            }
        };
        if name == ".default" {
            self.resources[at].default = true;
        } else {
            self.resources[at].names.push(name.to_owned());
        }
        Ok(())
    }
}

fn invalid(text: impl AsRef<str>) -> LoginError {
    LoginError::new(70_011, plain_text(text.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_grouped_by_resource() {
        let requested = RequestedScopes::parse(
            "openid User.Read api://a/Tasks.Read offline_access Mail.Read api://a/Tasks.Write",
        )
        .unwrap();
        assert!(
            requested.openid && requested.offline_access && !requested.profile && !requested.email
        );
        let found: Vec<(&str, Vec<&str>)> = requested
            .resources
            .iter()
            .map(|resource| {
                let names = resource.names.iter().map(String::as_str).collect();
                (resource.identifier.as_str(), names)
            })
            .collect();
        assert_eq!(
            found,
            [
                (GRAPH_APP_ID, vec!["User.Read", "Mail.Read"]),
                ("api://a", vec!["Tasks.Read", "Tasks.Write"])
            ]
        );
        assert_eq!(requested.identity_words().collect::<Vec<_>>(), ["openid"]);
    }

    #[test]
    fn the_trailing_slash_of_a_resource_is_kept() {
        let requested = RequestedScopes::parse("https://management.example//.default").unwrap();
        assert_eq!(requested.first().identifier, "https://management.example/");
        assert!(requested.first().default);
    }

    #[test]
    fn invalid_scopes_are_rejected() {
        for scope in [
            "openid phone",
            "address",
            "graph/.default",
            "https://graph.microsoft.com/",
            ".default User.Read",
            "api://a/.default api://a/Tasks.Read",
        ] {
            assert_eq!(
                RequestedScopes::parse(scope).unwrap_err().code,
                70_011,
                "{scope}"
            );
        }
    }
}
