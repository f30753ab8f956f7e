//! Parses the `scope` parameter of user flows.

use super::{
    context::{Context, Version, plain_text},
    error::LoginError,
    form::Form,
    resource,
};
use crate::{directory::GRAPH_APP_ID, state::State};

pub(super) use crate::grants::{RequestedResource, RequestedScopes};

impl RequestedScopes {
    pub(super) fn parse(scope: &str) -> Result<Self, LoginError> {
        let mut requested = Self::default();
        for word in scope.split_whitespace() {
            match word {
                word if requested.add_identity(word) => {}
                "address" | "phone" => {
                    return Err(invalid(format!("The scope '{word}' is not supported.")));
                }
                word => requested.add(word)?,
            }
        }
        for resource in &requested.resources {
            if resource.default && !resource.names.is_empty() {
                return Err(invalid(DEFAULT_IS_ALONE));
            }
        }
        Ok(requested)
    }

    /// Returns the scopes of a token request, if it names any: `scope`, or `resource` at the v1 endpoint.
    pub(super) fn of_form(context: &Context<'_>, form: &Form) -> Result<Option<Self>, LoginError> {
        match context.version {
            Version::V1 => form.get("resource").map(Self::of_resource).transpose(),
            Version::V2 => form.get("scope").map(Self::parse).transpose(),
        }
    }

    /// Returns the scopes of a token request that redeems a code or a refresh token with these scopes.
    pub(super) fn of_redemption(
        context: &Context<'_>,
        form: &Form,
        granted: &Self,
    ) -> Result<Self, LoginError> {
        let Some(requested) = Self::of_form(context, form)? else {
            return Ok(granted.clone());
        };
        let requested = requested.for_one_resource(&context.read(), context)?;
        let resources = match requested.resources.is_empty() {
            true => granted.resources.clone(),
            false => requested.resources,
        };
        Ok(Self {
            resources,
            ..requested
        }
        .with_identity_of(granted))
    }

    /// Returns the scopes of the v1 parameter `resource`: everything with consent, and the user's identity.
    pub(super) fn of_resource(identifier: &str) -> Result<Self, LoginError> {
        resource::check_v1_identifier(identifier)?;
        Ok(Self {
            resources: vec![RequestedResource {
                identifier: identifier.to_owned(),
                prefix: None,
                names: Vec::new(),
                default: true,
            }],
            ..Self::of_v1_identity()
        })
    }

    /// Returns what every user gets at the v1 endpoint: an ID token and a refresh token.
    pub(super) fn of_v1_identity() -> Self {
        Self {
            openid: true,
            profile: true,
            email: true,
            offline_access: true,
            resources: Vec::new(),
        }
    }

    /// Returns these scopes as those of one resource, because one token request is for one resource. The names
    /// of one resource can be spelled differently, such as `User.Read` and
    /// `https://graph.microsoft.com/Mail.Read`.
    pub(super) fn for_one_resource(
        mut self,
        state: &State,
        context: &Context<'_>,
    ) -> Result<Self, LoginError> {
        if self.resources.len() < 2 {
            return Ok(self);
        }
        if self.resources.iter().any(|resource| resource.default) {
            return Err(invalid(DEFAULT_IS_ALONE));
        }
        let owner = |requested: &RequestedResource| {
            let found = resource::find(state, context, &requested.identifier);
            found.map_or_else(|_| requested.identifier.clone(), |found| found.app_id)
        };
        let first = self.resources.remove(0);
        let (own, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.resources)
            .into_iter()
            .partition(|other| owner(other) == owner(&first));
        if !others.is_empty() {
            let text = "Provided value for the input parameter scope is not valid because it contains more than one resource.";
            return Err(LoginError::new(28_000, text));
        }
        let mut names = first.names;
        names.extend(own.into_iter().flat_map(|other| other.names));
        self.resources = vec![RequestedResource { names, ..first }];
        Ok(self)
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

    /// Adds an OpenID Connect scope. Returns `false` for every other scope.
    pub(super) fn add_identity(&mut self, word: &str) -> bool {
        let requested = match word {
            "openid" => &mut self.openid,
            "profile" => &mut self.profile,
            "email" => &mut self.email,
            "offline_access" => &mut self.offline_access,
            _ => return false,
        };
        *requested = true;
        true
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

const DEFAULT_IS_ALONE: &str =
    "A scope that ends in /.default cannot be combined with other scopes.";

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
