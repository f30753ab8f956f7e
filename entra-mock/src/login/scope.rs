//! What a client asks for on a person's behalf: the words of a `scope` parameter.

use super::{context::plain_text, error::LoginError, resource};
use crate::directory::GRAPH_APP_ID;

pub(super) use crate::grants::{Asked, AskedResource};

impl Asked {
    pub(super) fn parse(scope: &str) -> Result<Self, LoginError> {
        let mut asked = Self::default();
        for word in scope.split_whitespace() {
            match word {
                "openid" => asked.openid = true,
                "profile" => asked.profile = true,
                "email" => asked.email = true,
                "offline_access" => asked.offline_access = true,
                "address" | "phone" => {
                    return Err(invalid(format!("The scope '{word}' is not supported.")));
                }
                word => asked.add(word)?,
            }
        }
        for resource in &asked.resources {
            if resource.default && !resource.names.is_empty() {
                return Err(invalid(
                    "A scope that ends in /.default cannot be combined with other scopes of its resource.",
                ));
            }
        }
        Ok(asked)
    }

    /// The same with the words about the person that another request had.
    pub(super) fn with_identity_of(mut self, other: &Self) -> Self {
        self.openid |= other.openid;
        self.profile |= other.profile;
        self.email |= other.email;
        self.offline_access |= other.offline_access;
        self
    }

    /// The resource that a token is for: the first one, or Graph, which knows who one is.
    pub(super) fn first(&self) -> AskedResource {
        self.resources.first().cloned().unwrap_or(AskedResource {
            identifier: GRAPH_APP_ID.to_owned(),
            prefix: None,
            names: Vec::new(),
            default: false,
        })
    }

    /// The words about the person, as tokens and answers repeat them.
    pub(super) fn identity_words(&self) -> impl Iterator<Item = &'static str> {
        [
            ("openid", self.openid),
            ("profile", self.profile),
            ("email", self.email),
        ]
        .into_iter()
        .filter_map(|(word, asked)| asked.then_some(word))
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
                self.resources.push(AskedResource {
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
    fn words_are_sorted_by_resource_and_meaning() {
        let asked = Asked::parse(
            "openid User.Read api://a/Tasks.Read offline_access Mail.Read api://a/Tasks.Write",
        )
        .unwrap();
        assert!(asked.openid && asked.offline_access && !asked.profile && !asked.email);
        let found: Vec<(&str, Vec<&str>)> = asked
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
        assert_eq!(asked.identity_words().collect::<Vec<_>>(), ["openid"]);
    }

    #[test]
    fn a_resource_with_a_slash_at_its_end_keeps_it() {
        let asked = Asked::parse("https://management.example//.default").unwrap();
        assert_eq!(asked.first().identifier, "https://management.example/");
        assert!(asked.first().default);
    }

    #[test]
    fn what_cannot_be_served_is_refused() {
        for scope in [
            "openid phone",
            "address",
            "graph/.default",
            "https://graph.microsoft.com/",
            ".default User.Read",
            "api://a/.default api://a/Tasks.Read",
        ] {
            assert_eq!(Asked::parse(scope).unwrap_err().code, 70_011, "{scope}");
        }
    }
}
