//! Applications: service principals, credentials and permissions.

use std::time::Duration;

use entra_core::{Guid, Secret, Timestamp};
use serde_json::{Value, json};

use super::{GRAPH_APP_ID, later, object, push};
use crate::{
    state::{State, iso},
    store::{Conflict, Kind},
};

/// The ids of an application and of its service principal.
#[derive(Clone, Debug)]
pub(crate) struct AppIds {
    pub(crate) app_id: String,
    pub(crate) object_id: String,
    pub(crate) service_principal_id: String,
}

impl State {
    /// Registers an application in this tenant, with its service principal.
    pub(crate) fn add_app(&mut self, now: Timestamp, name: &str) -> Result<AppIds, Conflict> {
        let (app_id, object_id) = (self.new_id(), self.new_id());
        let domain = self.default_domain().to_owned();
        let mut application = object([
            ("id", object_id.clone().into()),
            ("appId", app_id.clone().into()),
            ("createdDateTime", iso(now).into()),
            ("displayName", name.into()),
            ("publisherDomain", domain.into()),
            ("signInAudience", "AzureADMyOrg".into()),
        ]);
        for (property, value) in application_defaults() {
            application.insert(property.to_owned(), value);
        }
        self.store.insert(Kind::Application, application)?;
        let service_principal_id = self.new_id();
        self.store.insert(
            Kind::ServicePrincipal,
            object([
                ("id", service_principal_id.clone().into()),
                ("accountEnabled", true.into()),
                ("appDisplayName", name.into()),
                ("appId", app_id.clone().into()),
                ("appOwnerOrganizationId", self.tenant_id.to_string().into()),
                ("appRoleAssignmentRequired", false.into()),
                ("displayName", name.into()),
                ("servicePrincipalNames", json!([app_id])),
                ("servicePrincipalType", "Application".into()),
                ("signInAudience", "AzureADMyOrg".into()),
                ("info", informational_urls()),
            ]),
        )?;
        Ok(AppIds {
            app_id,
            object_id,
            service_principal_id,
        })
    }

    /// Adds an enterprise application of another publisher: a service principal without an
    /// application registration. Users are assigned to its only app role, `User`.
    pub(crate) fn add_saas_app(&mut self, name: &str, publisher: &str) -> Result<String, Conflict> {
        let (id, app_id) = (self.new_id(), self.new_id());
        let host: String = name
            .to_ascii_lowercase()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join("-");
        let homepage = format!("https://{host}.example/");
        self.store.insert(
            Kind::ServicePrincipal,
            object([
                ("id", id.clone().into()),
                ("accountEnabled", true.into()),
                ("appDisplayName", name.into()),
                ("appId", app_id.clone().into()),
                ("applicationTemplateId", self.random.guid().to_string().into()),
                ("appOwnerOrganizationId", publisher_tenant(publisher).to_string().into()),
                ("appRoleAssignmentRequired", true.into()),
                (
                    "appRoles",
                    json!([{
                        "allowedMemberTypes": ["User"], "description": "User", "displayName": "User", "id": SAAS_USER_ROLE,
                        "isEnabled": true, "origin": "Application", "value": null
                    }]),
                ),
                ("displayName", name.into()),
                ("homepage", homepage.clone().into()),
                ("replyUrls", json!([format!("{homepage}saml/consume")])),
                ("servicePrincipalNames", json!([app_id, homepage])),
                ("servicePrincipalType", "Application".into()),
                ("signInAudience", "AzureADMultipleOrgs".into()),
                ("preferredSingleSignOnMode", "saml".into()),
                ("tags", json!(["WindowsAzureActiveDirectoryIntegratedApp"])),
                ("verifiedPublisher", json!({ "displayName": publisher, "verifiedPublisherId": "7654321", "addedDateTime": "2024-01-15T09:00:00Z" })),
                ("info", informational_urls()),
            ]),
        )?;
        Ok(id)
    }

    /// Assigns a principal to an app role. Does nothing if the assignment exists.
    pub(crate) fn assign(
        &mut self,
        now: Timestamp,
        principal: &str,
        resource: &str,
        role: &str,
    ) -> Result<(), Conflict> {
        let assigned = self.store.assignments_of(principal).any(|assignment| {
            assignment.text("resourceId") == Some(resource)
                && assignment.text("appRoleId") == Some(role)
        });
        if assigned {
            return Ok(());
        }
        let (kind, name) = self.store.any(principal).map_or(
            ("ServicePrincipal".to_owned(), Value::Null),
            |(kind, object)| {
                (
                    kind.entity().title(),
                    object.value("displayName").unwrap_or_default(),
                )
            },
        );
        let resource_name = self
            .store
            .get(Kind::ServicePrincipal, resource)
            .and_then(|object| object.value("displayName"));
        self.store.insert(
            Kind::AppRoleAssignment,
            object([
                ("id", self.random.token(43).into()),
                ("appRoleId", role.into()),
                ("createdDateTime", iso(now).into()),
                ("principalDisplayName", name),
                ("principalId", principal.into()),
                ("principalType", kind.into()),
                ("resourceDisplayName", resource_name.unwrap_or_default()),
                ("resourceId", resource.into()),
            ]),
        )
    }

    /// Returns the app role for users: the first one that allows users, or default access.
    pub(crate) fn user_role(&self, resource: &str) -> String {
        let roles = self
            .store
            .get(Kind::ServicePrincipal, resource)
            .and_then(|object| object.get("appRoles")?.as_array());
        let for_users = |role: &&Value| {
            role["allowedMemberTypes"]
                .as_array()
                .is_some_and(|types| types.iter().any(|kind| kind == "User"))
        };
        roles
            .and_then(|roles| roles.iter().find(for_users)?.get("id")?.as_str())
            .map_or_else(|| Guid::NIL.to_string(), str::to_owned)
    }

    /// Grants an application permission of Graph with admin consent. Returns `false` if Graph has
    /// no permission of that name.
    pub(crate) fn grant_application_permission(
        &mut self,
        now: Timestamp,
        service_principal: &str,
        permission: &str,
    ) -> bool {
        let Some((graph, role)) = self.graph_role(permission) else {
            return false;
        };
        self.assign(now, service_principal, &graph, &role).is_ok()
    }

    /// Adds an app role for applications and users to an application of this tenant and to its
    /// service principal. Returns `false` if the application has a role of that value.
    pub(crate) fn expose_app_role(&mut self, app: &AppIds, value: &str) -> bool {
        let principal = self
            .store
            .get(Kind::ServicePrincipal, &app.service_principal_id);
        let roles = principal.and_then(|object| object.get("appRoles")?.as_array());
        if roles.is_some_and(|roles| roles.iter().any(|role| role["value"] == value)) {
            return false;
        }
        let role = json!({
            "allowedMemberTypes": ["Application", "User"], "description": value, "displayName": value,
            "id": self.new_id(), "isEnabled": true, "origin": "Application", "value": value,
        });
        let add = |object: &mut crate::store::Object| push(object, "appRoles", role);
        self.update_application(&app.object_id, add)
    }

    /// Grants an app role of any resource to an application. Returns `false` if the resource has no
    /// role of that value.
    pub(crate) fn grant_app_role(
        &mut self,
        now: Timestamp,
        principal: &str,
        resource: &str,
        value: &str,
    ) -> bool {
        let role = self.app_role(resource, value);
        role.is_some_and(|role| self.assign(now, principal, resource, &role).is_ok())
    }

    /// Returns the id of the app role with that value.
    pub(crate) fn app_role(&self, resource: &str, value: &str) -> Option<String> {
        let resource = self.store.get(Kind::ServicePrincipal, resource)?;
        let roles = resource.get("appRoles")?.as_array()?;
        let role = roles.iter().find(|role| role["value"] == value)?;
        role["id"].as_str().map(str::to_owned)
    }

    /// Whether Graph has a delegated permission of that name.
    pub(crate) fn has_delegated_permission(&self, name: &str) -> bool {
        let graph = self
            .store
            .find(Kind::ServicePrincipal, "appId", GRAPH_APP_ID);
        let scopes = graph.and_then(|graph| graph.get("oauth2PermissionScopes")?.as_array());
        let mut scopes = scopes.into_iter().flatten();
        scopes.any(|scope| scope["value"] == name)
            || ["openid", "profile", "email", "offline_access"].contains(&name)
    }

    /// Grants delegated permissions of Graph for all users.
    pub(crate) fn grant_delegated_permissions(
        &mut self,
        service_principal: &str,
        scope: &str,
    ) -> Result<(), Conflict> {
        let graph = self
            .graph_service_principal()
            .unwrap_or_default()
            .to_owned();
        self.store.insert(
            Kind::OAuth2PermissionGrant,
            object([
                ("id", self.random.token(43).into()),
                ("clientId", service_principal.into()),
                ("consentType", "AllPrincipals".into()),
                ("resourceId", graph.into()),
                ("scope", scope.into()),
            ]),
        )
    }

    /// Adds a client secret that is valid from now on.
    pub(crate) fn add_secret(
        &mut self,
        now: Timestamp,
        application: &str,
        valid_for: Duration,
    ) -> Secret {
        let key_id = self.new_id();
        let text = self.new_secret_text();
        let credential = json!({
            "customKeyIdentifier": null,
            "displayName": "Client secret",
            "startDateTime": iso(now),
            "endDateTime": iso(later(now, valid_for)),
            "hint": text[..3],
            "keyId": key_id,
            "secretText": null,
        });
        self.store.update(Kind::Application, application, |object| {
            push(object, "passwordCredentials", credential);
            let texts = object.entry("~secrets").or_insert_with(|| json!({}));
            texts[key_id] = text.clone().into();
        });
        Secret::from(text)
    }

    /// Returns a new secret value in the form of Entra's: three letters, `8Q~` and 34 characters.
    pub(crate) fn new_secret_text(&self) -> String {
        format!(
            "{}8Q~{}",
            self.random.text(3, LETTERS),
            self.random.text(34, SECRET_CHARACTERS)
        )
    }

    fn graph_service_principal(&self) -> Option<&str> {
        self.store
            .find(Kind::ServicePrincipal, "appId", GRAPH_APP_ID)?
            .get("id")?
            .as_str()
    }

    /// Returns the service principal of Graph and the id of its application permission of that
    /// name.
    fn graph_role(&self, permission: &str) -> Option<(String, String)> {
        let graph = self
            .store
            .find(Kind::ServicePrincipal, "appId", GRAPH_APP_ID)?;
        let role = graph
            .get("appRoles")?
            .as_array()?
            .iter()
            .find(|role| role["value"] == permission)?;
        Some((
            graph.get("id")?.as_str()?.to_owned(),
            role["id"].as_str()?.to_owned(),
        ))
    }
}

/// Returns an invented tenant id for a publisher, the same in every tenant.
fn publisher_tenant(publisher: &str) -> Guid {
    let seed = publisher.bytes().fold(7_u64, |seed, byte| {
        seed.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    crate::random::Random::new(seed).guid()
}

/// Set on an application whose creation named no audience, until a request names one.
pub(crate) const DEFAULT_AUDIENCE: &str = "~defaultAudience";

/// The settings that every application registration has.
pub(crate) fn application_defaults() -> [(&'static str, Value); 5] {
    [
        (
            "api",
            json!({ "acceptMappedClaims": null, "knownClientApplications": [], "oauth2PermissionScopes": [], "preAuthorizedApplications": [], "requestedAccessTokenVersion": null }),
        ),
        (
            "web",
            json!({ "homePageUrl": null, "logoutUrl": null, "redirectUris": [], "implicitGrantSettings": { "enableAccessTokenIssuance": false, "enableIdTokenIssuance": false }, "redirectUriSettings": [] }),
        ),
        ("publicClient", json!({ "redirectUris": [] })),
        ("spa", json!({ "redirectUris": [] })),
        ("info", informational_urls()),
    ]
}

fn informational_urls() -> Value {
    json!({ "logoUrl": null, "marketingUrl": null, "privacyStatementUrl": null, "supportUrl": null, "termsOfServiceUrl": null })
}

const SAAS_USER_ROLE: &str = "8774f594-1d59-4279-b9d9-59ef09a23530";
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const SECRET_CHARACTERS: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789~._-";
