//! What people and administrators have allowed applications to do on a person's behalf.

use entra_core::Timestamp;
use serde_json::Value;
#[cfg(feature = "wiremock")]
use serde_json::json;

use super::{
    client::{Client, text},
    context::{Context, plain_text},
    error::LoginError,
    page::Wish,
    resource::{self, Resource},
    scope::{Asked, AskedResource},
};
use crate::{
    directory::object,
    state::State,
    store::{Conflict, Kind, Object},
};

/// What a token for one resource may say, and what nobody has allowed yet.
#[derive(Clone, Debug)]
pub(super) struct Allowed {
    pub(super) resource: Resource,
    /// The permissions the token will carry, in the resource's own spelling.
    pub(super) names: Vec<String>,
    /// Those asked for that lack consent.
    pub(super) missing: Vec<String>,
}

impl Allowed {
    /// Refuses a token that somebody would have to consent to first.
    pub(super) fn check(&self, client: &Client) -> Result<(), LoginError> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let text = format!(
            "Neither the person nor an administrator has consented that the application '{}' uses {} of '{}'.",
            client.app_id,
            self.missing.join(" "),
            self.resource.display_name
        );
        Err(LoginError::new(65_001, text))
    }
}

/// Looks up what is asked of one resource.
pub(super) fn look_up(
    state: &State,
    context: &Context<'_>,
    client: &Client,
    user_id: &str,
    asked: &AskedResource,
) -> Result<Allowed, LoginError> {
    let resource = resource::find(state, context, &asked.identifier)?;
    let known = known_scopes(state, &resource);
    let spelling = |name: &str| {
        known
            .iter()
            .find(|(value, _)| value.eq_ignore_ascii_case(name))
            .map(|(value, _)| value.clone())
    };
    let consented: Vec<String> = consented(state, client, &resource, user_id)
        .iter()
        .filter_map(|name| spelling(name))
        .collect();
    let wanted = if asked.default {
        required(state, client, &resource)
    } else {
        let mut wanted = Vec::new();
        for name in &asked.names {
            wanted.push(spelt(&known, &resource, name)?);
        }
        wanted
    };
    // An application needs nobody's consent to know who uses it.
    let own = resource.app_id == client.app_id;
    let mut missing: Vec<String> = wanted
        .iter()
        .filter(|name| !own && !consented.contains(name))
        .cloned()
        .collect();
    if asked.default && consented.is_empty() && missing.is_empty() && !own {
        missing.push(".default".to_owned());
    }
    let mut names = consented;
    names.extend(wanted);
    names.sort_unstable();
    names.dedup();
    names.retain(|name| !missing.contains(name));
    missing.dedup();
    Ok(Allowed {
        resource,
        names,
        missing,
    })
}

/// Looks up everything that an authorize request asks for, over all resources.
pub(super) fn look_up_all(
    state: &State,
    context: &Context<'_>,
    client: &Client,
    user_id: &str,
    asked: &Asked,
) -> Result<Vec<Allowed>, LoginError> {
    asked
        .resources
        .iter()
        .map(|resource| look_up(state, context, client, user_id, resource))
        .collect()
}

/// What an administrator grants an application at one resource.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    resource: Resource,
    scopes: Vec<String>,
    /// Application permissions: id and name.
    roles: Vec<(String, String)>,
}

impl Grant {
    /// What the page says about it.
    pub(super) fn wishes(&self, state: &State) -> Vec<Wish> {
        let roles = self.roles.iter().map(|(_, name)| Wish {
            what: format!("{name}, without a signed-in user"),
            name: format!("{}: {name} (application)", self.resource.display_name),
        });
        self.scopes
            .iter()
            .map(|name| wish(state, &self.resource, name))
            .chain(roles)
            .collect()
    }
}

/// Everything that a registration lists.
pub(super) fn registered_grants(
    state: &State,
    context: &Context<'_>,
    client: &Client,
) -> Result<Vec<Grant>, LoginError> {
    let application = state.store.find(Kind::Application, "appId", &client.app_id);
    application
        .and_then(|application| application.get("requiredResourceAccess")?.as_array())
        .into_iter()
        .flatten()
        .filter_map(|access| access["resourceAppId"].as_str())
        .map(|identifier| {
            let resource = resource::find(state, context, identifier)?;
            Ok(everything(state, client, resource))
        })
        .collect()
}

/// What an admin consent request asks for.
pub(super) fn asked_grants(
    state: &State,
    context: &Context<'_>,
    client: &Client,
    asked: &Asked,
) -> Result<Vec<Grant>, LoginError> {
    let grant = |asked: &AskedResource| {
        let resource = resource::find(state, context, &asked.identifier)?;
        if asked.default {
            return Ok(everything(state, client, resource));
        }
        let known = known_scopes(state, &resource);
        let scopes = asked
            .names
            .iter()
            .map(|name| spelt(&known, &resource, name))
            .collect::<Result<_, _>>()?;
        Ok(Grant {
            resource,
            scopes,
            roles: Vec::new(),
        })
    };
    asked.resources.iter().map(grant).collect()
}

fn everything(state: &State, client: &Client, resource: Resource) -> Grant {
    Grant {
        scopes: required(state, client, &resource),
        roles: required_roles(state, client, &resource),
        resource,
    }
}

/// A permission in words.
pub(super) fn wish(state: &State, resource: &Resource, name: &str) -> Wish {
    let principal = state
        .store
        .get(Kind::ServicePrincipal, &resource.service_principal_id);
    let described = principal
        .and_then(|principal| principal.get("oauth2PermissionScopes")?.as_array())
        .into_iter()
        .flatten()
        .find(|scope| scope["value"] == name)
        .and_then(|scope| scope["userConsentDisplayName"].as_str());
    let known = match name {
        "User.Read" if resource.is_graph() => Some("Sign you in and read your profile"),
        "User.Read.All" if resource.is_graph() => Some("Read the full profiles of all users"),
        "GroupMember.Read.All" if resource.is_graph() => Some("Read group memberships"),
        "Mail.Read" if resource.is_graph() => Some("Read your mail"),
        ".default" => Some("Use everything that it has registered"),
        _ => None,
    };
    Wish {
        what: known.or(described).unwrap_or(name).to_owned(),
        name: format!("{}: {name}", resource.display_name),
    }
}

/// What the words about the person mean.
pub(super) fn identity_wishes(asked: &Asked) -> Vec<Wish> {
    let words: Vec<&str> = asked.identity_words().collect();
    let mut wishes = Vec::new();
    if !words.is_empty() {
        wishes.push(Wish {
            what: "View your basic profile".to_owned(),
            name: words.join(" "),
        });
    }
    if asked.offline_access {
        wishes.push(Wish {
            what: "Keep the access that you give it now".to_owned(),
            name: "offline_access".to_owned(),
        });
    }
    wishes
}

/// Whether only an administrator may consent to a scope.
pub(super) fn is_for_admins(state: &State, resource: &Resource, name: &str) -> bool {
    known_scopes(state, resource)
        .iter()
        .any(|(value, admin)| value == name && *admin)
}

impl State {
    /// Grants an application what an administrator has consented to, for everyone.
    pub(super) fn grant(&mut self, now: Timestamp, client: &Client, grant: &Grant) {
        let (own, resource) = (
            &client.service_principal_id,
            &grant.resource.service_principal_id,
        );
        if !grant.scopes.is_empty() {
            // The ids of grants and assignments are fresh, so storing them cannot fail.
            let _ = self.consent(own, resource, &grant.scopes, None);
        }
        for (id, _) in &grant.roles {
            let _ = self.assign(now, own, resource, id);
        }
    }

    /// Lets an application use scopes of a resource, for one person or, without one, for all.
    pub(crate) fn consent(
        &mut self,
        client: &str,
        resource: &str,
        scopes: &[String],
        person: Option<&str>,
    ) -> Result<(), Conflict> {
        let kind = if person.is_some() {
            "Principal"
        } else {
            "AllPrincipals"
        };
        let fits = |grant: &&Object| {
            text(grant, "clientId") == Some(client)
                && text(grant, "resourceId") == Some(resource)
                && text(grant, "consentType") == Some(kind)
                && text(grant, "principalId") == person
        };
        let found = self
            .store
            .all(Kind::OAuth2PermissionGrant)
            .find(fits)
            .and_then(|grant| text(grant, "id").map(str::to_owned));
        if let Some(id) = found {
            self.store
                .update(Kind::OAuth2PermissionGrant, &id, |grant| {
                    let mut names: Vec<String> = words(text(grant, "scope")).collect();
                    names.extend(scopes.iter().cloned());
                    names.sort_unstable();
                    names.dedup();
                    grant.insert("scope".to_owned(), names.join(" ").into());
                });
            return Ok(());
        }
        let mut grant = object([
            ("id", self.random.token(43).into()),
            ("clientId", client.into()),
            ("consentType", kind.into()),
            ("resourceId", resource.into()),
            ("scope", scopes.join(" ").into()),
        ]);
        if let Some(person) = person {
            grant.insert("principalId".to_owned(), person.into());
        }
        self.store.insert(Kind::OAuth2PermissionGrant, grant)
    }

    /// Takes back everything that was consented to for an application.
    #[cfg(feature = "wiremock")]
    pub(crate) fn revoke_consent(&mut self, client: &str) {
        let ids: Vec<String> = self
            .store
            .all(Kind::OAuth2PermissionGrant)
            .filter(|grant| text(grant, "clientId") == Some(client))
            .filter_map(|grant| text(grant, "id").map(str::to_owned))
            .collect();
        for id in ids {
            self.store.remove(Kind::OAuth2PermissionGrant, &id);
        }
    }

    /// The resource's own spelling of a delegated permission, if it has it.
    #[cfg(feature = "wiremock")]
    pub(crate) fn scope_of(&self, resource: &str, name: &str) -> Option<String> {
        let principal = self.store.get(Kind::ServicePrincipal, resource)?;
        let scopes = principal.get("oauth2PermissionScopes")?.as_array()?;
        let scope = scopes.iter().find(|scope| scope["value"] == name)?;
        scope["value"].as_str().map(str::to_owned)
    }

    /// Publishes a delegated permission of an application.
    #[cfg(feature = "wiremock")]
    pub(crate) fn expose_scope(&mut self, app: &crate::directory::AppIds, name: &str) {
        let scope = json!({
            "adminConsentDescription": format!("Use {name}"), "adminConsentDisplayName": name, "id": self.new_id(),
            "isEnabled": true, "type": "User", "userConsentDescription": format!("Use {name}"),
            "userConsentDisplayName": name, "value": name,
        });
        let address = format!("api://{}", app.app_id);
        self.store
            .update(Kind::Application, &app.object_id, |object| {
                let api = object.entry("api").or_insert_with(|| json!({}));
                add(&mut api["oauth2PermissionScopes"], scope.clone());
                let addresses = object.entry("identifierUris").or_insert_with(|| json!([]));
                add(addresses, address.clone().into());
            });
        self.store.update(
            Kind::ServicePrincipal,
            &app.service_principal_id,
            |object| {
                let scopes = object
                    .entry("oauth2PermissionScopes")
                    .or_insert_with(|| json!([]));
                add(scopes, scope);
                let names = object
                    .entry("servicePrincipalNames")
                    .or_insert_with(|| json!([]));
                add(names, address.into());
            },
        );
    }
}

/// Everything consented to for this person, or for everyone.
fn consented(state: &State, client: &Client, resource: &Resource, user_id: &str) -> Vec<String> {
    let granted = state
        .store
        .all(Kind::OAuth2PermissionGrant)
        .filter(|grant| {
            text(grant, "clientId") == Some(&client.service_principal_id)
                && text(grant, "resourceId") == Some(&resource.service_principal_id)
                && (text(grant, "consentType") == Some("AllPrincipals")
                    || text(grant, "principalId") == Some(user_id))
        })
        .flat_map(|grant| words(text(grant, "scope")));
    granted
        .chain(preauthorized(state, client, resource))
        .collect()
}

/// What the resource's own registration allows the client without anybody's consent.
fn preauthorized(state: &State, client: &Client, resource: &Resource) -> Vec<String> {
    let application = state
        .store
        .find(Kind::Application, "appId", &resource.app_id);
    let Some(api) = application.and_then(|application| application.get("api")) else {
        return Vec::new();
    };
    let entries = api["preAuthorizedApplications"].as_array();
    let ids: Vec<&Value> = entries
        .into_iter()
        .flatten()
        .filter(|entry| entry["appId"] == client.app_id.as_str())
        .filter_map(|entry| entry["delegatedPermissionIds"].as_array())
        .flatten()
        .collect();
    scopes_with(&api["oauth2PermissionScopes"], &ids)
}

/// A scope in the resource's own spelling.
fn spelt(known: &[(String, bool)], resource: &Resource, name: &str) -> Result<String, LoginError> {
    known
        .iter()
        .find(|(value, _)| value.eq_ignore_ascii_case(name))
        .map(|(value, _)| value.clone())
        .ok_or_else(|| {
            let text = format!(
                "The resource '{}' has no scope '{}'.",
                resource.display_name,
                plain_text(name)
            );
            LoginError::new(70_011, text)
        })
}

/// The application permissions of the resource that the client's registration lists.
fn required_roles(state: &State, client: &Client, resource: &Resource) -> Vec<(String, String)> {
    let ids = required_ids(state, client, resource, "Role");
    let principal = state
        .store
        .get(Kind::ServicePrincipal, &resource.service_principal_id);
    principal
        .and_then(|principal| principal.get("appRoles")?.as_array())
        .into_iter()
        .flatten()
        .filter(|role| ids.contains(&&role["id"]))
        .filter_map(|role| {
            let id = role["id"].as_str()?.to_owned();
            Some((id, role["value"].as_str()?.to_owned()))
        })
        .collect()
}

/// The scopes of the resource that the client's registration lists.
fn required(state: &State, client: &Client, resource: &Resource) -> Vec<String> {
    let ids = required_ids(state, client, resource, "Scope");
    let principal = state
        .store
        .get(Kind::ServicePrincipal, &resource.service_principal_id);
    principal
        .and_then(|principal| principal.get("oauth2PermissionScopes"))
        .map(|scopes| scopes_with(scopes, &ids))
        .unwrap_or_default()
}

fn required_ids<'a>(
    state: &'a State,
    client: &Client,
    resource: &Resource,
    kind: &str,
) -> Vec<&'a Value> {
    let application = state.store.find(Kind::Application, "appId", &client.app_id);
    application
        .and_then(|application| application.get("requiredResourceAccess")?.as_array())
        .into_iter()
        .flatten()
        .filter(|access| access["resourceAppId"] == resource.app_id.as_str())
        .filter_map(|access| access["resourceAccess"].as_array())
        .flatten()
        .filter(|access| access["type"] == kind)
        .map(|access| &access["id"])
        .collect()
}

fn scopes_with(scopes: &Value, ids: &[&Value]) -> Vec<String> {
    scopes
        .as_array()
        .into_iter()
        .flatten()
        .filter(|scope| ids.contains(&&scope["id"]))
        .filter_map(|scope| scope["value"].as_str().map(str::to_owned))
        .collect()
}

/// The scopes of a resource, and whether only administrators may consent.
fn known_scopes(state: &State, resource: &Resource) -> Vec<(String, bool)> {
    let principal = state
        .store
        .get(Kind::ServicePrincipal, &resource.service_principal_id);
    principal
        .and_then(|principal| principal.get("oauth2PermissionScopes")?.as_array())
        .into_iter()
        .flatten()
        .filter(|scope| scope["isEnabled"] != false)
        .filter_map(|scope| {
            Some((
                scope["value"].as_str()?.to_owned(),
                scope["type"] == "Admin",
            ))
        })
        .collect()
}

fn words(text: Option<&str>) -> impl Iterator<Item = String> + '_ {
    text.unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
}

/// Adds to a list, once; what is no list becomes one.
#[cfg(feature = "wiremock")]
fn add(list: &mut Value, item: Value) {
    match list.as_array_mut() {
        Some(items) if items.contains(&item) => {}
        Some(items) => items.push(item),
        None => *list = json!([item]),
    }
}
