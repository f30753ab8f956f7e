//! The application and the user of the environment file.

use std::time::Duration;

use entra_core::{Secret, Timestamp};
use serde_json::{Value, json};

use crate::{
    account::PASSWORD,
    directory::{AppIds, GRAPH_APP_ID, NewUser},
    keys,
    login::Certificate,
    state::State,
    store::{Kind, Relation},
};

/// Everything that a client needs to sign in, with any flow.
#[derive(Clone)]
pub(crate) struct DemoApp {
    pub(crate) app_id: String,
    pub(crate) secret: Secret,
    pub(crate) user: String,
    /// The password of the user at the registration; [`current_password`](Self::current_password) is that of now.
    pub(super) password: Secret,
    /// A group that has the user as a member.
    pub(crate) group: String,
}

impl DemoApp {
    /// Registers the application with every credential and consent. Returns `None` only if the
    /// crate's own test certificate cannot be read.
    pub(super) fn register(state: &mut State, now: Timestamp) -> Option<Self> {
        let ids = state.add_app(now, "Environment file").ok()?;
        state.fixture_apps.insert(ids.app_id.clone());
        for permission in APPLICATION_PERMISSIONS {
            state.grant_application_permission(now, &ids.service_principal_id, permission);
        }
        let scope = DELEGATED_PERMISSIONS.join(" ");
        state
            .grant_delegated_permissions(&ids.service_principal_id, &scope)
            .ok()?;
        let secret = state.add_secret(now, &ids.object_id, SECRET_VALIDITY);
        let certificate = Certificate::read(keys::client_pem().as_bytes())?;
        describe(state, &ids, &certificate);

        add_administrator(state, now)?;
        let (user, password) = user(state, now, "Adele")?;
        let group = group_of(state, now, &user)?;
        Some(Self {
            app_id: ids.app_id,
            secret,
            user,
            password,
            group,
        })
    }

    /// The password of the user, which tests, Graph and a state file change after the registration. That of the
    /// registration if the tenant no longer has the user or the password.
    pub(crate) fn current_password(&self, state: &State) -> Secret {
        let user = state
            .store
            .find(Kind::User, "userPrincipalName", &self.user);
        let current = user.and_then(|user| user.text(PASSWORD));
        current.map_or_else(|| self.password.clone(), Secret::from)
    }
}

/// Sets redirect URIs, required permissions and the certificate.
fn describe(state: &mut State, ids: &AppIds, certificate: &Certificate) {
    let access = required_access(state);
    state.add_certificate(&ids.object_id, certificate);
    state.update_application(&ids.object_id, |app| {
        app.insert("isFallbackPublicClient".into(), true.into());
        app["web"]["redirectUris"] = json!(REDIRECT_URIS);
        app["spa"]["redirectUris"] = json!(["http://localhost/spa"]);
        app["publicClient"]["redirectUris"] = json!([
            "http://localhost",
            "https://login.microsoftonline.com/common/oauth2/nativeclient"
        ]);
        app.insert(
            "requiredResourceAccess".into(),
            json!([{ "resourceAppId": GRAPH_APP_ID, "resourceAccess": access }]),
        );
    });
}

fn required_access(state: &State) -> Vec<Value> {
    let graph = state
        .store
        .find(Kind::ServicePrincipal, "appId", GRAPH_APP_ID);
    let id = |list: &str, permission: &str| {
        let permissions = graph?.get(list)?.as_array()?;
        permissions
            .iter()
            .find(|known| known["value"] == permission)?
            .get("id")
            .cloned()
    };
    let roles = APPLICATION_PERMISSIONS.iter().filter_map(|permission| {
        Some(json!({ "id": id("appRoles", permission)?, "type": "Role" }))
    });
    let scopes = DELEGATED_PERMISSIONS.iter().filter_map(|permission| {
        Some(json!({ "id": id("oauth2PermissionScopes", permission)?, "type": "Scope" }))
    });
    roles.chain(scopes).collect()
}

/// Returns the name and the password of the administrator, if the tenant still has both.
pub(super) fn administrator(state: &State) -> Option<(String, Secret)> {
    let name = format!("admin@{}", state.default_domain());
    let user = state.store.find(Kind::User, "userPrincipalName", &name)?;
    let password = user.get(PASSWORD)?.as_str()?;
    state
        .is_administrator(user.text("id")?)
        .then(|| (name, Secret::from(password)))
}

/// Gives the administrator of the seed a password, or adds one. A user `admin` without the role stays without it: a
/// scenario wants it so.
fn add_administrator(state: &mut State, now: Timestamp) -> Option<()> {
    let name = format!("admin@{}", state.default_domain());
    let known = state.store.find(Kind::User, "userPrincipalName", &name);
    let known = known.and_then(|user| user.text("id"));
    if known.is_some_and(|id| !state.is_administrator(id)) {
        return Some(());
    }
    user(state, now, "Admin")?;
    let added = state.store.find(Kind::User, "userPrincipalName", &name)?;
    let id = added.get("id")?.as_str()?.to_owned();
    state.make_administrator(&id);
    Some(())
}

/// Returns a user with a password and without multifactor authentication, who is created if the seed does not have
/// one of that name.
fn user(state: &mut State, now: Timestamp, given_name: &str) -> Option<(String, Secret)> {
    let alias = given_name.to_ascii_lowercase();
    let name = format!("{alias}@{}", state.default_domain());
    let found = state
        .store
        .find(Kind::User, "userPrincipalName", &name)
        .and_then(|user| user.get("id")?.as_str().map(str::to_owned));
    let id = match found {
        Some(id) => id,
        None => state
            .add_user(
                now,
                &NewUser {
                    display_name: given_name,
                    given_name: Some(given_name),
                    alias: &alias,
                    ..NewUser::default()
                },
            )
            .ok()?,
    };
    let user = state.store.get(Kind::User, &id)?;
    if let Some(known) = user.get(PASSWORD).and_then(Value::as_str) {
        return Some((name, Secret::from(known)));
    }
    let password = format!("Mock-{}-1", state.random.token(16));
    state.store.update(Kind::User, &id, |user| {
        user.insert(PASSWORD.into(), password.clone().into());
    });
    Some((name, Secret::from(password)))
}

/// Returns a group of the user, which is created if the user has no group.
fn group_of(state: &mut State, now: Timestamp, user: &str) -> Option<String> {
    let found = state.store.find(Kind::User, "userPrincipalName", user)?;
    let user = found.get("id")?.as_str()?.to_owned();
    let group = state
        .store
        .linking_objects(Relation::Members, &user)
        .find(|(kind, _)| *kind == Kind::Group)
        .and_then(|(_, group)| group.get("id")?.as_str().map(str::to_owned));
    if group.is_some() {
        return group;
    }
    let group = state.add_group(now, "Environment file", None).ok()?;
    state.store.link(Relation::Members, &group, &user);
    Some(group)
}

pub(super) const REDIRECT_URI: &str = "http://localhost:3000/callback";

/// The redirect URI of the environment file, and those of the examples, which use any port.
const REDIRECT_URIS: [&str; 7] = [
    REDIRECT_URI,
    "http://localhost/",
    "http://localhost/auth/admin-consent-callback",
    "http://localhost/auth/callback",
    "http://localhost/auth/signed-out",
    "http://localhost/manager/auth/callback",
    "http://localhost/user/auth/callback",
];

/// The permissions that read and write everything that the tenant supports.
const APPLICATION_PERMISSIONS: &[&str] = &[
    "AdministrativeUnit.Read.All",
    "AdministrativeUnit.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "Application.Read.All",
    "Application.ReadWrite.All",
    "AuditLog.Read.All",
    "CrossTenantInformation.ReadBasic.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "CustomSecAttributeAssignment.ReadWrite.All",
    "CustomSecAttributeDefinition.ReadWrite.All",
    "Device.Read.All",
    "Device.ReadWrite.All",
    "Directory.Read.All",
    "Domain-InternalFederation.ReadWrite.All",
    "Domain.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "IdentityRiskEvent.Read.All",
    "IdentityRiskEvent.ReadWrite.All",
    "IdentityRiskyUser.Read.All",
    "IdentityRiskyUser.ReadWrite.All",
    "LicenseAssignment.ReadWrite.All",
    "Member.Read.Hidden",
    "OrgContact.Read.All",
    "Organization.Read.All",
    "Organization.ReadWrite.All",
    "Policy.Read.All",
    "Policy.ReadWrite.ApplicationConfiguration",
    "Policy.ReadWrite.ConditionalAccess",
    "Policy.ReadWrite.PermissionGrant",
    "RoleManagement.ReadWrite.Directory",
    "Synchronization.ReadWrite.All",
    "User-LifeCycleInfo.ReadWrite.All",
    "User-PasswordProfile.ReadWrite.All",
    "User.Invite.All",
    "User.Read.All",
    "User.ReadBasic.All",
    "User.ReadWrite.All",
    "User.RevokeSessions.All",
    "UserAuthMethod-Passkey.Read.All",
    "UserAuthenticationMethod.Read.All",
];
/// The permissions that read and write everything that the tenant supports for a signed-in user. What the user may do
/// depends on the user's roles as well.
const DELEGATED_PERMISSIONS: &[&str] = &[
    "AdministrativeUnit.Read.All",
    "AdministrativeUnit.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "Application.Read.All",
    "Application.ReadWrite.All",
    "AuditLog.Read.All",
    "CrossTenantInformation.ReadBasic.All",
    "CustomSecAttributeAssignment.ReadWrite.All",
    "CustomSecAttributeDefinition.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Device.Read.All",
    "Directory.AccessAsUser.All",
    "Directory.Read.All",
    "Domain-InternalFederation.ReadWrite.All",
    "Domain.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "IdentityRiskEvent.Read.All",
    "IdentityRiskyUser.Read.All",
    "IdentityRiskyUser.ReadWrite.All",
    "LicenseAssignment.ReadWrite.All",
    "Member.Read.Hidden",
    "OrgContact.Read.All",
    "Organization.Read.All",
    "Organization.ReadWrite.All",
    "Policy.Read.All",
    "Policy.ReadWrite.ApplicationConfiguration",
    "Policy.ReadWrite.ConditionalAccess",
    "Policy.ReadWrite.PermissionGrant",
    "ProfilePhoto.ReadWrite.All",
    "RoleManagement.ReadWrite.Directory",
    "Synchronization.ReadWrite.All",
    "User-LifeCycleInfo.ReadWrite.All",
    "User-PasswordProfile.ReadWrite.All",
    "User.DeleteRestore.All",
    "User.Invite.All",
    "User.Read",
    "User.Read.All",
    "User.ReadBasic.All",
    "User.ReadWrite",
    "User.ReadWrite.All",
    "User.RevokeSessions.All",
    "UserAuthMethod-Passkey.Read.All",
    "UserAuthenticationMethod.Read.All",
];
const SECRET_VALIDITY: Duration = Duration::from_secs(2 * 365 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{graph::PROPERTY_PERMISSIONS, permissions::operations};

    #[test]
    fn the_application_has_all_supported_permissions() {
        for operation in operations().filter(|operation| !operation.application.is_empty()) {
            assert!(
                operation
                    .application
                    .iter()
                    .any(|name| APPLICATION_PERMISSIONS.contains(name)),
                "{} {}",
                operation.method,
                operation.path
            );
        }
        for names in operations().flat_map(|operation| operation.additional) {
            let held = |of: &[&str]| names.iter().any(|name| of.contains(name));
            assert!(
                held(APPLICATION_PERMISSIONS) && held(DELEGATED_PERMISSIONS),
                "{names:?}"
            );
        }
        for operation in operations().filter(|operation| !operation.delegated.is_empty()) {
            let mut names = operation.delegated.iter().chain(operation.own);
            assert!(
                names.any(|name| DELEGATED_PERMISSIONS.contains(name)),
                "{} {}",
                operation.method,
                operation.path
            );
        }
        for (property, permissions, alone) in PROPERTY_PERMISSIONS {
            let has = permissions
                .iter()
                .any(|name| APPLICATION_PERMISSIONS.contains(name));
            assert!(has || !alone, "{property}");
        }
        assert!(APPLICATION_PERMISSIONS.contains(&"Member.Read.Hidden"));
    }
}
