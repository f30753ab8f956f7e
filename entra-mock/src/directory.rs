//! Making directory objects with every property a real one has from the start.
//!
//! Seeds, the tenant's handles and the standalone server all create through here, so an object
//! looks the same wherever it came from.

use std::time::Duration;

use entra_core::{Guid, Secret, Timestamp};
use serde_json::{Value, json};

use crate::{
    seed::GRAPH_APP_ID,
    state::{State, iso},
    store::{Conflict, Kind, Object, Relation},
};

/// A person to create; what is `None` stays unset.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewUser<'a> {
    pub(crate) display_name: &'a str,
    pub(crate) given_name: Option<&'a str>,
    pub(crate) surname: Option<&'a str>,
    /// The part before the `@`.
    pub(crate) alias: &'a str,
    pub(crate) department: Option<&'a str>,
    pub(crate) job_title: Option<&'a str>,
    pub(crate) office: Option<&'a str>,
    pub(crate) disabled: bool,
    pub(crate) guest: bool,
}

/// The ids of an application and its service principal.
#[derive(Clone, Debug)]
pub(crate) struct AppIds {
    pub(crate) app_id: String,
    pub(crate) object_id: String,
    pub(crate) service_principal_id: String,
}

/// One interactive sign-in of a person.
#[derive(Clone, Debug)]
pub(crate) struct Visit<'a> {
    pub(crate) user_id: &'a str,
    pub(crate) service_principal_id: &'a str,
    pub(crate) at: Timestamp,
    /// An AADSTS code, or 0 for a success.
    pub(crate) error_code: u32,
}

/// Something an administrator did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Audit<'a> {
    pub(crate) actor: &'a str,
    pub(crate) target: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) activity: &'a str,
    pub(crate) category: &'a str,
    pub(crate) operation: &'a str,
}

impl State {
    pub(crate) fn add_user(
        &mut self,
        now: Timestamp,
        user: &NewUser<'_>,
    ) -> Result<String, Conflict> {
        let id = self.new_id();
        let domain = self.default_domain().to_owned();
        let initial = self
            .domains
            .last()
            .cloned()
            .unwrap_or_else(|| domain.clone());
        let (principal_name, mail) = if user.guest {
            (
                format!("{}_fabrikam.example#EXT#@{initial}", user.alias),
                format!("{}@fabrikam.example", user.alias),
            )
        } else {
            let name = format!("{}@{domain}", user.alias);
            (name.clone(), name)
        };
        let mut object = object([
            ("id", id.clone().into()),
            ("accountEnabled", (!user.disabled).into()),
            ("createdDateTime", iso(now).into()),
            ("displayName", user.display_name.into()),
            ("mail", mail.into()),
            ("mailNickname", user.alias.into()),
            ("userPrincipalName", principal_name.into()),
            (
                "userType",
                if user.guest { "Guest" } else { "Member" }.into(),
            ),
            ("usageLocation", "DE".into()),
            ("securityIdentifier", security_identifier(&id).into()),
        ]);
        if user.guest {
            object.insert("creationType".into(), "Invitation".into());
            object.insert("externalUserState".into(), "Accepted".into());
        }
        let optional = [
            ("givenName", user.given_name),
            ("surname", user.surname),
            ("department", user.department),
            ("jobTitle", user.job_title),
            ("officeLocation", user.office),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                object.insert(name.into(), value.into());
            }
        }
        self.store.insert(Kind::User, object)?;
        Ok(id)
    }

    pub(crate) fn add_group(
        &mut self,
        now: Timestamp,
        name: &str,
        description: Option<&str>,
    ) -> Result<String, Conflict> {
        let id = self.new_id();
        let nickname: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let mut object = object([
            ("id", id.clone().into()),
            ("createdDateTime", iso(now).into()),
            ("renewedDateTime", iso(now).into()),
            ("displayName", name.into()),
            ("mailEnabled", false.into()),
            (
                "mailNickname",
                if nickname.is_empty() {
                    id[..8].to_owned()
                } else {
                    nickname
                }
                .into(),
            ),
            ("securityEnabled", true.into()),
            ("securityIdentifier", security_identifier(&id).into()),
        ]);
        if let Some(description) = description {
            object.insert("description".into(), description.into());
        }
        self.store.insert(Kind::Group, object)?;
        Ok(id)
    }

    /// A joined device that `owner` owns and uses.
    pub(crate) fn add_device(
        &mut self,
        now: Timestamp,
        name: &str,
        system: &str,
        version: &str,
        owner: Option<&str>,
    ) -> Result<String, Conflict> {
        let id = self.new_id();
        self.store.insert(
            Kind::Device,
            object([
                ("id", id.clone().into()),
                ("accountEnabled", true.into()),
                ("approximateLastSignInDateTime", iso(now).into()),
                ("deviceId", self.random.guid().to_string().into()),
                ("displayName", name.into()),
                ("isCompliant", true.into()),
                ("isManaged", true.into()),
                ("operatingSystem", system.into()),
                ("operatingSystemVersion", version.into()),
                ("registrationDateTime", iso(now).into()),
                ("trustType", "AzureAd".into()),
            ]),
        )?;
        if let Some(owner) = owner {
            self.store.link(Relation::RegisteredOwners, &id, owner);
            self.store.link(Relation::RegisteredUsers, &id, owner);
        }
        Ok(id)
    }

    /// An app registration of this tenant with its service principal.
    pub(crate) fn add_app(&mut self, now: Timestamp, name: &str) -> Result<AppIds, Conflict> {
        let (app_id, object_id) = (self.new_id(), self.new_id());
        let domain = self.default_domain().to_owned();
        self.store.insert(
            Kind::Application,
            object([
                ("id", object_id.clone().into()),
                ("appId", app_id.clone().into()),
                ("createdDateTime", iso(now).into()),
                ("displayName", name.into()),
                ("publisherDomain", domain.into()),
                ("signInAudience", "AzureADMyOrg".into()),
                ("api", json!({ "acceptMappedClaims": null, "knownClientApplications": [], "oauth2PermissionScopes": [], "preAuthorizedApplications": [], "requestedAccessTokenVersion": null })),
                ("web", json!({ "homePageUrl": null, "logoutUrl": null, "redirectUris": [], "implicitGrantSettings": { "enableAccessTokenIssuance": false, "enableIdTokenIssuance": false }, "redirectUriSettings": [] })),
                ("publicClient", json!({ "redirectUris": [] })),
                ("spa", json!({ "redirectUris": [] })),
                ("info", informational_urls()),
            ]),
        )?;
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

    /// A SaaS application of another publisher: a service principal without a registration here.
    /// People are assigned to its one role, `User`.
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

    /// Assigns a principal to an app role; nothing happens if it has it already.
    pub(crate) fn assign(
        &mut self,
        now: Timestamp,
        principal: &str,
        resource: &str,
        role: &str,
    ) -> Result<(), Conflict> {
        let assigned = self.store.assignments_of(principal).any(|assignment| {
            assignment.get("resourceId").and_then(Value::as_str) == Some(resource)
                && assignment.get("appRoleId").and_then(Value::as_str) == Some(role)
        });
        if assigned {
            return Ok(());
        }
        let (kind, name) = self.store.any(principal).map_or(
            ("ServicePrincipal", Value::Null),
            |(kind, object)| {
                let kind = match kind {
                    Kind::User => "User",
                    Kind::Group => "Group",
                    _ => "ServicePrincipal",
                };
                (kind, object.get("displayName").cloned().unwrap_or_default())
            },
        );
        let resource_name = self
            .store
            .get(Kind::ServicePrincipal, resource)
            .and_then(|object| object.get("displayName").cloned());
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

    /// The role people are assigned to: the resource's first one for users, or default access.
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

    /// Grants an application permission of Graph, as an admin's consent does; `false` if Graph has
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

    /// Grants delegated permissions of Graph for all users.
    #[cfg(feature = "server")]
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
        let text = format!(
            "{}8Q~{}",
            self.random.text(3, LETTERS),
            self.random.text(34, SECRET_CHARACTERS)
        );
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

    /// Records an interactive sign-in.
    /// Gives the id of the entry; it is empty, and nothing is recorded, if one of the two is gone.
    pub(crate) fn add_visit(&mut self, visit: &Visit<'_>) -> Result<String, Conflict> {
        let Some(user) = self.store.get(Kind::User, visit.user_id) else {
            return Ok(String::new());
        };
        let Some(app) = self
            .store
            .get(Kind::ServicePrincipal, visit.service_principal_id)
        else {
            return Ok(String::new());
        };
        let of = |object: &Object, name: &str| object.get(name).cloned().unwrap_or_default();
        let (id, at) = (self.new_id(), iso(visit.at));
        let (city, country) = PLACES[self.random.index(PLACES.len())];
        let (system, browser) = SYSTEMS[self.random.index(SYSTEMS.len())];
        let entry = object([
            ("id", id.clone().into()),
            ("appDisplayName", of(app, "displayName")),
            ("appId", of(app, "appId")),
            ("clientAppUsed", "Browser".into()),
            ("conditionalAccessStatus", "notApplied".into()),
            ("correlationId", self.new_id().into()),
            ("createdDateTime", at.into()),
            (
                "deviceDetail",
                json!({ "deviceId": "", "displayName": null, "operatingSystem": system, "browser": browser, "isCompliant": false, "isManaged": false, "trustType": null }),
            ),
            (
                "ipAddress",
                format!("203.0.113.{}", 1 + self.random.below(254)).into(),
            ),
            ("isInteractive", true.into()),
            (
                "location",
                json!({ "city": city, "state": null, "countryOrRegion": country, "geoCoordinates": null }),
            ),
            ("resourceDisplayName", of(app, "displayName")),
            ("resourceId", of(app, "appId")),
            ("riskDetail", "none".into()),
            ("riskLevelAggregated", "none".into()),
            ("riskLevelDuringSignIn", "none".into()),
            ("riskState", "none".into()),
            ("signInEventTypes", json!(["interactiveUser"])),
            ("status", status(visit.error_code)),
            ("userDisplayName", of(user, "displayName")),
            ("userId", visit.user_id.into()),
            // The log has it in lower case, whatever the directory has.
            (
                "userPrincipalName",
                of(user, "userPrincipalName")
                    .as_str()
                    .unwrap_or_default()
                    .to_lowercase()
                    .into(),
            ),
        ]);
        self.store.insert(Kind::SignIn, entry)?;
        Ok(id)
    }

    /// Records that an administrator did something to an object.
    pub(crate) fn add_audit(&mut self, audit: &Audit<'_>) -> Result<(), Conflict> {
        let target = self.store.any(audit.target);
        let of_target = |name: &str| {
            target
                .and_then(|(_, object)| object.get(name).cloned())
                .unwrap_or_default()
        };
        let kind = match target {
            Some((Kind::User, _)) => "User",
            Some((Kind::Group, _)) => "Group",
            Some((Kind::Device, _)) => "Device",
            Some((Kind::Application, _)) => "Application",
            Some((Kind::ServicePrincipal, _)) => "ServicePrincipal",
            _ => "Other",
        };
        let actor = self.store.get(Kind::User, audit.actor);
        let of_actor = |name: &str| {
            actor
                .and_then(|actor| actor.get(name).cloned())
                .unwrap_or_default()
        };
        let entry = object([
            ("id", format!("Directory_{}", self.random.token(20)).into()),
            ("activityDateTime", iso(audit.at).into()),
            ("activityDisplayName", audit.activity.into()),
            ("additionalDetails", json!([])),
            ("category", audit.category.into()),
            ("correlationId", self.new_id().into()),
            (
                "initiatedBy",
                json!({ "app": null, "user": { "id": of_actor("id"), "displayName": of_actor("displayName"), "ipAddress": "203.0.113.7", "userPrincipalName": of_actor("userPrincipalName") } }),
            ),
            ("loggedByService", "Core Directory".into()),
            ("operationType", audit.operation.into()),
            ("result", "success".into()),
            ("resultReason", "".into()),
            (
                "targetResources",
                json!([{ "id": audit.target, "displayName": of_target("displayName"), "type": kind, "userPrincipalName": of_target("userPrincipalName"), "groupType": null, "modifiedProperties": [] }]),
            ),
        ]);
        self.store.insert(Kind::DirectoryAudit, entry)
    }

    #[cfg(feature = "server")]
    fn graph_service_principal(&self) -> Option<&str> {
        self.store
            .find(Kind::ServicePrincipal, "appId", GRAPH_APP_ID)?
            .get("id")?
            .as_str()
    }

    /// Service principal of Graph and id of its application permission of that name.
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

/// An object from its non-null properties.
pub(crate) fn object<const N: usize>(properties: [(&str, Value); N]) -> Object {
    properties
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Appends to a list property, which is made if need be.
pub(crate) fn push(object: &mut Object, property: &str, item: Value) {
    if let Some(items) = object
        .entry(property)
        .or_insert_with(|| json!([]))
        .as_array_mut()
    {
        items.push(item);
    }
}

pub(crate) fn later(now: Timestamp, by: Duration) -> Timestamp {
    entra_core::time::Duration::try_from(by).map_or(now, |by| now.saturating_add(by))
}

pub(crate) fn earlier(now: Timestamp, by: Duration) -> Timestamp {
    entra_core::time::Duration::try_from(by).map_or(now, |by| now.saturating_sub(by))
}

fn status(error_code: u32) -> Value {
    let reason = match error_code {
        0 => "Other.",
        50_053 => "The account is locked after too many attempts.",
        50_057 => "The user account is disabled.",
        50_105 => "The user is not assigned to the application.",
        50_126 => "User name or password was wrong.",
        _ => "The sign-in was refused.",
    };
    json!({ "errorCode": error_code, "failureReason": reason, "additionalDetails": null })
}

/// `S-1-12-1-…`: the object id as four little-endian numbers.
fn security_identifier(id: &str) -> String {
    let Ok(guid) = id.parse::<Guid>() else {
        return String::new();
    };
    let bytes = guid.as_bytes();
    let number = |at: [usize; 4]| u32::from_be_bytes(at.map(|at| bytes[at]));
    // The first three fields of a GUID are numbers, the rest are bytes.
    let parts = [
        number([0, 1, 2, 3]),
        number([6, 7, 4, 5]),
        number([11, 10, 9, 8]),
        number([15, 14, 13, 12]),
    ];
    parts
        .iter()
        .fold("S-1-12-1".to_owned(), |text, part| format!("{text}-{part}"))
}

/// A made-up tenant per publisher, the same in every tenant.
fn publisher_tenant(publisher: &str) -> Guid {
    let seed = publisher.bytes().fold(7_u64, |seed, byte| {
        seed.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    crate::random::Random::new(seed).guid()
}

fn informational_urls() -> Value {
    json!({ "logoUrl": null, "marketingUrl": null, "privacyStatementUrl": null, "supportUrl": null, "termsOfServiceUrl": null })
}

const SAAS_USER_ROLE: &str = "8774f594-1d59-4279-b9d9-59ef09a23530";
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const SECRET_CHARACTERS: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789~._-";
const PLACES: [(&str, &str); 4] = [
    ("Munich", "DE"),
    ("Vienna", "AT"),
    ("Zurich", "CH"),
    ("Amsterdam", "NL"),
];
const SYSTEMS: [(&str, &str); 4] = [
    ("Windows10", "Edge 140.0"),
    ("MacOs", "Safari 19.0"),
    ("Linux", "Firefox 143.0"),
    ("Ios 19", "Mobile Safari"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_identifiers_spell_the_object_id_in_numbers() {
        // 00010203-0405-0607-0809-0a0b0c0d0e0f
        let expected = "S-1-12-1-66051-101123077-185207048-252579084";
        assert_eq!(
            security_identifier("00010203-0405-0607-0809-0a0b0c0d0e0f"),
            expected
        );
    }
}
