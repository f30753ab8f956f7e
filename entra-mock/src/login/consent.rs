//! Consent of users and administrators to delegated permissions.

use std::borrow::Cow;

use entra_core::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::{
    account,
    client::{Client, text},
    context::{Context, plain_text},
    error::LoginError,
    first_party::{Api, Tool},
    page::RequestedPermission,
    resource::{self, Resource},
    scope::{RequestedResource, RequestedScopes},
};
use crate::{
    directory::object,
    grants::Subject,
    state::State,
    store::{Conflict, Kind, Object},
};

/// The scopes of a token for one resource, and those without consent.
#[derive(Clone, Debug)]
pub(super) struct ConsentResult {
    pub(super) resource: Resource,
    /// The scopes of the token, in the resource's own spelling.
    pub(super) names: Vec<String>,
    /// The requested scopes without consent.
    pub(super) missing: Vec<String>,
}

impl ConsentResult {
    /// Returns an error if consent is missing.
    pub(super) fn check(&self, client: &Client) -> Result<(), LoginError> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let text = format!(
            "The user or administrator has not consented that the application '{}' uses {} of '{}'. Send an interactive authorization request for this user and resource.",
            client.app_id,
            self.missing.join(" "),
            self.resource.display_name
        );
        Err(LoginError::new(65_001, text))
    }
}

/// Looks up the consent for the scopes of one resource.
pub(super) fn look_up(
    state: &State,
    context: &Context<'_>,
    client: &Client,
    user_id: &str,
    requested: &RequestedResource,
) -> Result<ConsentResult, LoginError> {
    let resource = resource::find(state, context, &requested.identifier)?;
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
    let scopes = if requested.default {
        required(state, client, &resource)
    } else {
        let mut scopes = Vec::new();
        for name in &requested.names {
            scopes.push(canonical_spelling(&known, &resource, name)?);
        }
        scopes
    };
    // An application needs no consent for its own sign-in.
    let own = resource.app_id == client.app_id;
    let mut missing: Vec<String> = scopes
        .iter()
        .filter(|name| !own && !consented.contains(name))
        .cloned()
        .collect();
    if requested.default && consented.is_empty() && missing.is_empty() && !own {
        missing.push(".default".to_owned());
    }
    let tool = Tool::of(&client.app_id);
    if !missing.is_empty() && tool.is_some_and(|tool| tool.only_preauthorized(&resource.app_id)) {
        return Err(not_preauthorized(client, &resource, &missing));
    }
    let mut names = consented;
    names.extend(scopes);
    names.sort_unstable();
    names.dedup();
    names.retain(|name| !missing.contains(name));
    missing.dedup();
    Ok(ConsentResult {
        resource,
        names,
        missing,
    })
}

/// The error for a client of Microsoft that requests more than its API allows: no consent is possible.
fn not_preauthorized(client: &Client, resource: &Resource, missing: &[String]) -> LoginError {
    let text = format!(
        "Consent between the first-party application '{}' and the first-party resource '{}' must be configured via preauthorization: it cannot use {}. Register an application of your own.",
        client.app_id,
        resource.app_id,
        missing.join(" ")
    );
    LoginError::new(65_002, text)
}

/// Looks up the consent for all resources of an authorize request.
pub(super) fn look_up_all(
    state: &State,
    context: &Context<'_>,
    client: &Client,
    user_id: &str,
    requested: &RequestedScopes,
) -> Result<Vec<ConsentResult>, LoginError> {
    requested
        .resources
        .iter()
        .map(|resource| look_up(state, context, client, user_id, resource))
        .collect()
}

/// The permissions of one resource that an administrator grants.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    resource: Resource,
    scopes: Vec<String>,
    /// Application permissions: id and name.
    roles: Vec<(String, String)>,
}

impl Grant {
    /// Whether an administrator can consent to the application permissions: those of Graph take a higher role.
    pub(super) fn can_be_given_by(&self, state: &State, user_id: &str) -> bool {
        self.roles.is_empty() || state.assigns_app_roles(user_id, &self.resource.app_id, true)
    }

    /// Returns the permissions as the consent page shows them.
    pub(super) fn permissions(&self, state: &State) -> Vec<RequestedPermission> {
        let roles = self.roles.iter().map(|(_, name)| RequestedPermission {
            what: format!("{name}, without a signed-in user"),
            name: format!("{}: {name} (application)", self.resource.display_name),
        });
        self.scopes
            .iter()
            .map(|name| requested_permission(state, &self.resource, name))
            .chain(roles)
            .collect()
    }
}

/// Returns everything in the registration of an application.
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
            let resource = resource::find(state, context, identifier).map_err(not_subscribed)?;
            Ok(everything(state, client, resource))
        })
        .collect()
}

/// Returns the grants of an admin consent request.
pub(super) fn requested_grants(
    state: &State,
    context: &Context<'_>,
    client: &Client,
    requested: &RequestedScopes,
) -> Result<Vec<Grant>, LoginError> {
    let grant = |requested: &RequestedResource| {
        let resource = resource::find(state, context, &requested.identifier)?;
        if requested.default {
            return Ok(everything(state, client, resource));
        }
        let known = known_scopes(state, &resource);
        let scopes = requested
            .names
            .iter()
            .map(|name| canonical_spelling(&known, &resource, name))
            .collect::<Result<_, _>>()?;
        Ok(Grant {
            resource,
            scopes,
            roles: Vec::new(),
        })
    };
    requested.resources.iter().map(grant).collect()
}

/// Changes the error for a resource without a service principal into that of a consent.
fn not_subscribed(error: LoginError) -> LoginError {
    match error.code {
        500_011 => {
            let text = format!(
                "The application needs access to a service that the organization has not subscribed to or enabled. {}",
                error.text()
            );
            LoginError::new(650_052, text)
        }
        _ => error,
    }
}

fn everything(state: &State, client: &Client, resource: Resource) -> Grant {
    Grant {
        scopes: required(state, client, &resource),
        roles: required_roles(state, client, &resource),
        resource,
    }
}

/// Returns the permissions of a consent page: the OpenID Connect scopes of a request, and scopes of resources, each once.
///
/// The OpenID Connect scopes are also scopes of Graph, so that a registration or an earlier consent can have them.
pub(super) fn listed_permissions<'r>(
    state: &State,
    requested: &RequestedScopes,
    scopes: impl IntoIterator<Item = (&'r Resource, &'r String)>,
) -> Vec<RequestedPermission> {
    let mut identity = requested.clone();
    let mut others: Vec<RequestedPermission> = Vec::new();
    for (resource, name) in scopes {
        if resource.is_graph() && identity.add_identity(name) {
            continue;
        }
        let permission = requested_permission(state, resource, name);
        // A request can spell one resource in several ways.
        if !others.iter().any(|other| other.name == permission.name) {
            others.push(permission);
        }
    }
    let mut permissions = identity_permissions(&identity);
    permissions.extend(others);
    permissions
}

/// Returns a permission with its description.
fn requested_permission(state: &State, resource: &Resource, name: &str) -> RequestedPermission {
    let scopes = declared_scopes(state, resource);
    let described = scopes
        .iter()
        .find(|scope| scope["value"] == name)
        .and_then(|scope| scope["userConsentDisplayName"].as_str());
    let known = match name {
        "User.Read" if resource.is_graph() => Some("Sign you in and read your profile"),
        "User.Read.All" if resource.is_graph() => Some("Read the full profiles of all users"),
        "GroupMember.Read.All" if resource.is_graph() => Some("Read group memberships"),
        "Mail.Read" if resource.is_graph() => Some("Read your mail"),
        ".default" => Some("Use all permissions in its registration"),
        _ => None,
    };
    RequestedPermission {
        what: known.or(described).unwrap_or(name).to_owned(),
        name: format!("{}: {name}", resource.display_name),
    }
}

/// Returns the descriptions of the OpenID Connect scopes.
fn identity_permissions(requested: &RequestedScopes) -> Vec<RequestedPermission> {
    let words: Vec<&str> = requested.identity_words().collect();
    let mut permissions = Vec::new();
    if !words.is_empty() {
        permissions.push(RequestedPermission {
            what: "View your basic profile".to_owned(),
            name: words.join(" "),
        });
    }
    if requested.offline_access {
        permissions.push(RequestedPermission {
            what: "Maintain access to data you have given it access to".to_owned(),
            name: "offline_access".to_owned(),
        });
    }
    permissions
}

/// Whether a scope needs the consent of an administrator.
pub(super) fn is_for_admins(state: &State, resource: &Resource, name: &str) -> bool {
    known_scopes(state, resource)
        .iter()
        .any(|(value, admin)| value == name && *admin)
}

/// Returns an error if a scope without consent needs the consent of an administrator and the user is not one.
pub(super) fn check_administrator(
    state: &State,
    client: &Client,
    subject: &Subject,
    results: &[ConsentResult],
) -> Result<(), LoginError> {
    let for_admins = results.iter().any(|result| {
        let mut missing = result.missing.iter();
        missing.any(|name| is_for_admins(state, &result.resource, name))
    });
    let administrator =
        account::of(state, subject).is_ok_and(|user| account::is_admin(state, user));
    if administrator || !for_admins {
        return Ok(());
    }
    let text = format!(
        "The application '{}' needs a permission that only an administrator can grant.",
        client.display_name
    );
    Err(LoginError::new(90_094, text))
}

impl State {
    /// Grants an application what an administrator has consented to, for all users.
    pub(super) fn grant(&mut self, now: Timestamp, client: &Client, grant: &Grant) {
        let (own, resource) = (
            &client.service_principal_id,
            &grant.resource.service_principal_id,
        );
        if !grant.scopes.is_empty() {
            // The ids of grants and assignments are new, so storing them cannot fail.
            let _ = self.consent(own, resource, &grant.scopes, None);
        }
        for (id, _) in &grant.roles {
            let _ = self.assign(now, own, resource, id);
        }
    }

    /// Grants scopes of a resource to an application, for one user or, with `None`, for all users.
    pub(crate) fn consent(
        &mut self,
        client: &str,
        resource: &str,
        scopes: &[String],
        user_id: Option<&str>,
    ) -> Result<(), Conflict> {
        self.list_first_party(client);
        self.list_first_party(resource);
        let kind = if user_id.is_some() {
            "Principal"
        } else {
            "AllPrincipals"
        };
        let fits = |grant: &&Object| {
            text(grant, "clientId") == Some(client)
                && text(grant, "resourceId") == Some(resource)
                && text(grant, "consentType") == Some(kind)
                && text(grant, "principalId") == user_id
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
        if let Some(user_id) = user_id {
            grant.insert("principalId".to_owned(), user_id.into());
        }
        self.store.insert(Kind::OAuth2PermissionGrant, grant)
    }

    /// Revokes all delegated grants of an application.
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

    /// Returns the resource's own spelling of a delegated permission, if the resource has it.
    pub(crate) fn scope_of(&self, resource: &str, name: &str) -> Option<String> {
        let principal = self.store.get(Kind::ServicePrincipal, resource)?;
        let scopes = principal.get("oauth2PermissionScopes")?.as_array()?;
        let scope = scopes.iter().find(|scope| scope["value"] == name)?;
        scope["value"].as_str().map(str::to_owned)
    }

    /// Adds a delegated permission to an application.
    pub(crate) fn expose_scope(&mut self, app: &crate::directory::AppIds, name: &str) {
        let scope = json!({
            "adminConsentDescription": format!("Use {name}"), "adminConsentDisplayName": name, "id": self.new_id(),
            "isEnabled": true, "type": "User", "userConsentDescription": format!("Use {name}"),
            "userConsentDisplayName": name, "value": name,
        });
        self.update_application(&app.object_id, |object| {
            let api = object.entry("api").or_insert_with(|| json!({}));
            add(&mut api["oauth2PermissionScopes"], scope);
        });
        self.add_identifier_uri(app, &format!("api://{}", app.app_id));
    }

    /// Adds an Application ID URI to an application.
    pub(crate) fn add_identifier_uri(&mut self, app: &crate::directory::AppIds, uri: &str) {
        self.update_application(&app.object_id, |object| {
            let uris = object.entry("identifierUris").or_insert_with(|| json!([]));
            add(uris, uri.into());
        });
    }
}

/// Returns all scopes with consent for this user or for all users.
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
    let of_tool = Tool::of(&client.app_id).map(|tool| tool.preauthorized(&resource.app_id));
    granted
        .chain(preauthorized(state, client, resource))
        .chain(of_tool.into_iter().flatten().map(|name| (*name).to_owned()))
        .collect()
}

/// Returns the scopes that the resource's registration preauthorizes for the client.
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
    let scopes = api["oauth2PermissionScopes"].as_array();
    scopes_with(scopes.map(Vec::as_slice).unwrap_or_default(), &ids)
}

/// Returns a scope in the resource's own spelling.
fn canonical_spelling(
    known: &[(String, bool)],
    resource: &Resource,
    name: &str,
) -> Result<String, LoginError> {
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

/// Returns the application permissions of the resource in the client's registration.
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

/// Returns the scopes of the resource in the client's registration.
fn required(state: &State, client: &Client, resource: &Resource) -> Vec<String> {
    let ids = required_ids(state, client, resource, "Scope");
    scopes_with(&declared_scopes(state, resource), &ids)
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

fn scopes_with(scopes: &[Value], ids: &[&Value]) -> Vec<String> {
    scopes
        .iter()
        .filter(|scope| ids.contains(&&scope["id"]))
        .filter_map(|scope| scope["value"].as_str().map(str::to_owned))
        .collect()
}

/// Returns the delegated permissions of a resource, which no service principal lists for an API of Microsoft
/// without a consent.
fn declared_scopes<'a>(state: &'a State, resource: &Resource) -> Cow<'a, [Value]> {
    let principal = state
        .store
        .get(Kind::ServicePrincipal, &resource.service_principal_id);
    match (principal, Api::of(&resource.app_id)) {
        (Some(principal), _) => {
            let scopes = principal.get("oauth2PermissionScopes");
            let scopes = scopes.and_then(Value::as_array);
            Cow::Borrowed(scopes.map(Vec::as_slice).unwrap_or_default())
        }
        (None, Some(api)) => Cow::Owned(api.scopes()),
        (None, None) => Cow::Borrowed(&[]),
    }
}

/// Returns the scopes of a resource, and whether each needs the consent of an administrator.
fn known_scopes(state: &State, resource: &Resource) -> Vec<(String, bool)> {
    declared_scopes(state, resource)
        .iter()
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

/// Appends a value to a list unless it is there; any other value becomes a list.
fn add(list: &mut Value, item: Value) {
    match list.as_array_mut() {
        Some(items) if items.contains(&item) => {}
        Some(items) => items.push(item),
        None => *list = json!([item]),
    }
}
