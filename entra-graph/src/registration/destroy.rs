//! The way back: a blueprint of what exists, and the removal of a registration.

use entra_core::{ClientId, Guid, Timestamp};
use serde_json::Value;

use super::{
    blueprint::{AppRegistration, OWNER_TAG},
    found::{self, Found},
    names::Names,
    parts::{
        AppRoleBlueprint, Assigned, Audience, Certificate, FederatedCredential, Lifetime,
        MICROSOFT_GRAPH, Permissions, RoleMembers, ScopeBlueprint, SecretBlueprint, has_ended,
    },
    steps::{HIDDEN, Situation, description_of},
    wire::{find_application, find_principal, items, text, time},
};
use crate::{
    client::GraphClient,
    error::{Error, ErrorKind},
    key::{GRAPH_APP_ID, Key},
    objects::{AppRoleAssignment, DirectoryObject, FederatedIdentityCredential, Group, User},
};

impl AppRegistration {
    /// A blueprint of a registration that exists. Reads only.
    ///
    /// Secrets come as descriptions without values; a lifetime is the one of the existing secret in days. Roles and scopes
    /// that are disabled are left out, and so are assignments to them, secrets and certificates that have ended, permissions that their API
    /// does not offer any more, and federated credentials with an expression. Assigned users, groups and owners are named
    /// where they can be read and the name is not that of another one, otherwise they are object ids. It has the client id, which must be taken out for another tenant. Needs `Application.Read.All`, for
    /// the consents `Directory.Read.All`, and for the names of users `User.Read.All` or `Directory.Read.All`.
    ///
    /// # Errors
    /// [`ErrorKind::Registration`](crate::ErrorKind::Registration) if the tenant has no such registration;
    /// every other kind of [`Error`].
    pub async fn export(graph: &GraphClient, client_id: ClientId) -> Result<Self, Error> {
        let application = find_application(graph, &Key::from(client_id)).await?;
        let application = application.ok_or_else(|| {
            Error::registration(format!(
                "the tenant has no registration with the client id {client_id}"
            ))
        })?;
        let mut blueprint = exported(&application, graph.now());
        blueprint.client_id = Some(client_id);
        for api in items(&application, "requiredResourceAccess") {
            blueprint.permissions.extend(permissions(graph, api).await?);
        }
        let object = graph.application(text(&application, "id"));
        let federated: Vec<FederatedIdentityCredential> = object
            .federated_identity_credentials()
            .list()
            .items()
            .try_collect()
            .await?;
        // One with an expression has no subject, and the expression is read in beta only.
        for one in federated.into_iter().filter(|one| one.subject.is_some()) {
            let of = |name: &Option<String>| name.clone().unwrap_or_default();
            let audience = one.audiences.iter().flatten().next().cloned();
            let mut credential =
                FederatedCredential::new(of(&one.name), of(&one.issuer), of(&one.subject));
            if let Some(audience) = audience {
                credential = credential.audience(audience);
            }
            blueprint.federated_credentials.push(credential);
        }
        let principal = find_principal(graph, &Key::from(client_id)).await?;
        if let Some(principal) = principal {
            let enterprise = &mut blueprint.enterprise;
            enterprise.assignment_required = principal["appRoleAssignmentRequired"].as_bool();
            let is_hidden = items(&principal, "tags").iter().any(|tag| tag == HIDDEN);
            enterprise.visible = is_hidden.then_some(false);
            enterprise.assigned = assigned(graph, text(&principal, "id"), &application).await?;
        }
        let owners = object.owners().list().items();
        let owners: Vec<DirectoryObject> = owners.try_collect().await?;
        for owner in owners {
            blueprint.owners.push(user_name(graph, owner.id()).await?);
        }
        let now = graph.now();
        for key in found::keys(graph, text(&application, "id")).await? {
            let der = text(&key, "key");
            let is_listed = blueprint.certificates.iter().any(|one| one.key == der);
            let is_certificate = text(&key, "usage") == "Verify" && !der.is_empty();
            if is_certificate && !is_listed && !has_ended(&key, now) {
                blueprint.certificates.push(Certificate {
                    name: text(&key, "displayName").to_owned(),
                    key: der.to_owned(),
                });
            }
        }
        blueprint.grant_admin_consent = is_consented(graph, &blueprint).await?;
        Ok(blueprint)
    }

    /// Deletes the registration of this blueprint, with its enterprise application, into the deleted items, where
    /// it can be restored for 30 days; whether there was one. If this client wrote it a moment ago, it is looked for during
    /// half a minute, otherwise for three seconds: one that another process created just now may not be found yet.
    ///
    /// Only a registration that this blueprint names by client id, unique name or tag is deleted. Takes
    /// `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    ///
    /// # Errors
    /// [`ErrorKind::Registration`](crate::ErrorKind::Registration) in another [`directory`](Self::directory) than the
    /// blueprint's; every other kind of [`Error`].
    pub async fn destroy(&self, graph: &GraphClient) -> Result<bool, Error> {
        let Some(application) = found::late(graph, self).await? else {
            return Ok(false);
        };
        let id = text(&application, "id");
        let deleted = match graph.application(id).delete().send().await {
            Ok(()) => true,
            Err(error) if error.is_not_found() => false,
            Err(error) => return Err(error),
        };
        graph.own_writes().forget(&self.key());
        Ok(deleted)
    }
}

/// Who is assigned to the enterprise application; the roles by their values.
async fn assigned(
    graph: &GraphClient,
    principal: &str,
    application: &Value,
) -> Result<Vec<Assigned>, Error> {
    let list = graph.service_principal(principal).app_role_assigned_to();
    let all: Vec<AppRoleAssignment> = list.list().items().try_collect().await?;
    let mut assigned = Vec::new();
    for one in all {
        let of = |name: &Option<String>| name.clone().unwrap_or_default();
        let id = of(&one.app_role_id);
        let roles = items(application, "appRoles");
        let role = roles.iter().find(|role| text(role, "id") == id);
        let is_default = id == Guid::NIL.to_string();
        let is_disabled = role.is_none_or(|role| role["isEnabled"] == false);
        if is_disabled && !is_default {
            continue;
        }
        let mut entry = Assigned {
            role: role.map_or("", |role| text(role, "value")).to_owned(),
            ..Assigned::default()
        };
        match one.principal_type.as_deref() {
            Some("User") => entry.user = Some(user_name(graph, &of(&one.principal_id)).await?),
            Some("Group") => {
                let (id, name) = (of(&one.principal_id), of(&one.principal_display_name));
                entry.group = Some(group_name(graph, id, name).await?);
            }
            // An application has its assignment as a permission of its own blueprint.
            _ => continue,
        }
        assigned.push(entry);
    }
    Ok(assigned)
}

/// The display name of a group if no other group has it; otherwise the object id, also if the token may not read groups.
async fn group_name(graph: &GraphClient, id: String, name: String) -> Result<String, Error> {
    let named = graph
        .groups()
        .list()
        .filter(Group::DISPLAY_NAME.eq(name.as_str()))
        .select(Group::DISPLAY_NAME);
    let named: Result<Vec<Group>, Error> = named.items().try_collect().await;
    match named {
        Ok(named) => Ok(match named.as_slice() {
            [one] if one.id.eq_ignore_ascii_case(&id) => name,
            _ => id,
        }),
        Err(error) if error.is_forbidden() => Ok(id),
        Err(error) => Err(error),
    }
}

/// The user principal name of a user; the object id of anything else, or if the token may not read users.
async fn user_name(graph: &GraphClient, id: &str) -> Result<String, Error> {
    let user = graph.user(id).get().select(User::USER_PRINCIPAL_NAME);
    let user = match user.send_opt().await {
        Err(error) if error.is_forbidden() => None,
        user => user?,
    };
    Ok(user
        .and_then(|user| user.user_principal_name)
        .unwrap_or_else(|| id.to_owned()))
}

/// Whether there is admin consent for every permission.
async fn is_consented(graph: &GraphClient, blueprint: &AppRegistration) -> Result<bool, Error> {
    if blueprint.permissions.is_empty() {
        return Ok(false);
    }
    let mut consented = blueprint.clone();
    consented.grant_admin_consent = true;
    let names = match Names::of_apis(graph, &consented).await {
        // A permission that its API does not offer any more cannot be consented to.
        Err(error) if error.kind() == ErrorKind::Registration => return Ok(false),
        names => names?,
    };
    let found = Found::read(graph, &consented).await?;
    let situation = Situation {
        blueprint: &consented,
        names: &names,
        found: &found,
        held: &[],
        can_prove: false,
        created_here: false,
        now: graph.now(),
    };
    Ok(situation.is_consented())
}

fn exported(application: &Value, now: Timestamp) -> AppRegistration {
    let texts = |value: &Value, name: &str| -> Vec<String> {
        let items = items(value, name).iter().filter_map(Value::as_str);
        items.map(str::to_owned).collect()
    };
    let optional = |value: &Value, name: &str| value[name].as_str().map(str::to_owned);
    let mut blueprint = AppRegistration::new(text(application, "displayName"));
    blueprint.enterprise.template = optional(application, "applicationTemplateId");
    blueprint.unique_name = optional(application, "uniqueName");
    // Also that of a new registration, since a blueprint without one leaves an existing registration as it is.
    blueprint.audience = Audience::of(text(application, "signInAudience"));
    blueprint.description = optional(application, "description");
    blueprint.notes = optional(application, "notes");
    blueprint.tags = texts(application, "tags");
    blueprint.tags.retain(|tag| !tag.starts_with(OWNER_TAG));
    let web = &application["web"];
    blueprint.web.redirect_uris = texts(web, "redirectUris");
    blueprint.web.logout_url = optional(web, "logoutUrl");
    blueprint.web.home_page_url = optional(web, "homePageUrl");
    blueprint.web.id_tokens = web["implicitGrantSettings"]["enableIdTokenIssuance"]
        .as_bool()
        .filter(|on| *on);
    blueprint.spa.redirect_uris = texts(&application["spa"], "redirectUris");
    blueprint.public_client.redirect_uris = texts(&application["publicClient"], "redirectUris");
    blueprint.public_client.allow_flows = application["isFallbackPublicClient"]
        .as_bool()
        .filter(|on| *on);
    let app_id = text(application, "appId");
    let api = &application["api"];
    blueprint.api.uris = texts(application, "identifierUris")
        .iter()
        .map(|uri| uri.replace(app_id, "{client-id}"))
        .collect();
    blueprint.api.token_version = api["requestedAccessTokenVersion"]
        .as_u64()
        .and_then(|version| u8::try_from(version).ok());
    let enabled = |one: &&Value| one["isEnabled"] != false;
    for scope in items(api, "oauth2PermissionScopes").iter().filter(enabled) {
        let mut one = ScopeBlueprint::new(
            text(scope, "value"),
            text(scope, "adminConsentDisplayName"),
            text(scope, "adminConsentDescription"),
        );
        one.users_can_consent = scope["type"] == "User";
        if one.users_can_consent {
            let differs =
                |name: &str, from: &String| optional(scope, name).filter(|own| own != from);
            one.user_display_name = differs("userConsentDisplayName", &one.display_name);
            one.user_description = differs("userConsentDescription", &one.description);
        }
        blueprint.api.scopes.push(one);
    }
    for role in items(application, "appRoles").iter().filter(enabled) {
        let mut one = AppRoleBlueprint::for_users(
            text(role, "value"),
            text(role, "displayName"),
            text(role, "description"),
        );
        let has = |kind: &str| {
            items(role, "allowedMemberTypes")
                .iter()
                .any(|one| one == kind)
        };
        one.members = match (has("User"), has("Application")) {
            (true, true) => RoleMembers::Both,
            (false, true) => RoleMembers::Applications,
            _ => RoleMembers::Users,
        };
        if !one.value.is_empty() {
            blueprint.app_roles.push(one);
        }
    }
    let claims = |kind: &str| -> Vec<String> {
        let claims = items(&application["optionalClaims"], kind);
        claims
            .iter()
            .map(|one| text(one, "name").to_owned())
            .collect()
    };
    blueprint.claims.in_id_tokens = claims("idToken");
    blueprint.claims.in_access_tokens = claims("accessToken");
    blueprint.claims.groups = optional(application, "groupMembershipClaims");
    for secret in items(application, "passwordCredentials") {
        let name = description_of(text(secret, "displayName"));
        let known = blueprint.secrets.iter().any(|one| one.description == name);
        let span = (time(secret, "startDateTime"), time(secret, "endDateTime"));
        let has_ended = span.1.is_some_and(|end| end <= now);
        let is_left_out = name.is_empty() || known || has_ended;
        if let (false, (Some(start), Some(end))) = (is_left_out, span) {
            let days = u16::try_from((end - start).whole_days()).unwrap_or(u16::MAX);
            blueprint.secrets.push(SecretBlueprint {
                description: name.to_owned(),
                lifetime: Lifetime::days(days.max(1)),
            });
        }
    }
    blueprint
}

/// The permissions of one API that it still offers; none if there are none.
async fn permissions(graph: &GraphClient, required: &Value) -> Result<Option<Permissions>, Error> {
    let app_id = text(required, "resourceAppId");
    let api = find_principal(graph, &Key::app_id(app_id))
        .await?
        .unwrap_or_default();
    let name = |list: &str, id: &str| {
        let mut offered = items(&api, list).iter();
        let offered = offered.find(|one| text(one, "id").eq_ignore_ascii_case(id))?;
        let value = text(offered, "value");
        let mut kinds = items(offered, "allowedMemberTypes").iter();
        let fits = list != "appRoles" || kinds.any(|kind| kind == "Application");
        let is_offered = offered["isEnabled"] != false && !value.is_empty() && fits;
        is_offered.then(|| value.to_owned())
    };
    let mut permissions = Permissions {
        api: if app_id == GRAPH_APP_ID {
            MICROSOFT_GRAPH.to_owned()
        } else {
            app_id.to_owned()
        },
        ..Permissions::default()
    };
    for access in items(required, "resourceAccess") {
        let id = text(access, "id");
        if text(access, "type") == "Role" {
            permissions.application.extend(name("appRoles", id));
        } else {
            let name = name("oauth2PermissionScopes", id);
            permissions.delegated.extend(name);
        }
    }
    let is_empty = permissions.application.is_empty() && permissions.delegated.is_empty();
    Ok((!is_empty).then_some(permissions))
}
