//! The settings of an application as a table, and how each is compared with what the tenant has.

mod compare;

use serde_json::{Map, Value, json};

use super::{
    blueprint::AppRegistration,
    line::Line,
    names::{Names, Permission},
    wire::{items, text},
};
pub(super) use compare::is_removable;

/// A property of an application that a blueprint can set.
#[derive(Debug)]
pub(super) struct Setting {
    /// Its path below the application.
    path: &'static [&'static str],
    /// What the portal calls it.
    label: &'static str,
    compare: Compare,
}

#[derive(Clone, Copy, Debug)]
enum Compare {
    /// One value, which replaces the other.
    Value,
    /// A list of texts in any order.
    Set,
    /// A list of objects with this property as key, in any order.
    Keyed(&'static str),
    /// The same, where an entry must be disabled before it can be removed.
    Entitlements,
    /// Permissions of other APIs.
    Permissions,
}

const fn setting(path: &'static [&'static str], label: &'static str, compare: Compare) -> Setting {
    Setting {
        path,
        label,
        compare,
    }
}

static NAME: Setting = setting(&["displayName"], "display name", Compare::Value);
static AUDIENCE: Setting = setting(
    &["signInAudience"],
    "supported account types",
    Compare::Value,
);
static DESCRIPTION: Setting = setting(&["description"], "description", Compare::Value);
static NOTES: Setting = setting(&["notes"], "notes", Compare::Value);
static TAGS: Setting = setting(&["tags"], "tag", Compare::Set);
static WEB: Setting = setting(&["web", "redirectUris"], "web redirect URI", Compare::Set);
static LOGOUT: Setting = setting(
    &["web", "logoutUrl"],
    "front-channel logout URL",
    Compare::Value,
);
static HOME: Setting = setting(&["web", "homePageUrl"], "home page URL", Compare::Value);
static ID_TOKENS: Setting = setting(
    &["web", "implicitGrantSettings", "enableIdTokenIssuance"],
    "ID tokens from the authorization endpoint",
    Compare::Value,
);
static SPA: Setting = setting(
    &["spa", "redirectUris"],
    "single-page application redirect URI",
    Compare::Set,
);
static PUBLIC: Setting = setting(
    &["publicClient", "redirectUris"],
    "mobile and desktop redirect URI",
    Compare::Set,
);
static PUBLIC_FLOWS: Setting = setting(
    &["isFallbackPublicClient"],
    "public client flows",
    Compare::Value,
);
static PERMISSIONS: Setting = setting(
    &["requiredResourceAccess"],
    "permission",
    Compare::Permissions,
);
static TOKEN_VERSION: Setting = setting(
    &["api", "requestedAccessTokenVersion"],
    "access token version",
    Compare::Value,
);
static SCOPES: Setting = setting(
    &["api", "oauth2PermissionScopes"],
    "scope",
    Compare::Entitlements,
);
static ROLES: Setting = setting(&["appRoles"], "app role", Compare::Entitlements);
static URIS: Setting = setting(&["identifierUris"], "application ID URI", Compare::Set);
static ID_CLAIMS: Setting = setting(
    &["optionalClaims", "idToken"],
    "optional claim of ID tokens",
    Compare::Keyed("name"),
);
static ACCESS_CLAIMS: Setting = setting(
    &["optionalClaims", "accessToken"],
    "optional claim of access tokens",
    Compare::Keyed("name"),
);
static GROUPS: Setting = setting(&["groupMembershipClaims"], "group claims", Compare::Value);

/// One property that differs.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    path: &'static [&'static str],
    /// Its whole new value.
    value: Value,
    pub(super) lines: Vec<Line>,
}

/// What the blueprint wants of an application, by setting. Settings that it does not mention are absent.
fn wanted(
    blueprint: &AppRegistration,
    names: &Names,
    application: &Value,
) -> Vec<(&'static Setting, Value)> {
    let app_id = application["appId"].as_str().unwrap_or("{client-id}");
    let mut wanted: Vec<(&'static Setting, Value)> = vec![(&NAME, json!(blueprint.name))];
    let audience = blueprint.audience;
    wanted.extend(audience.map(|audience| (&AUDIENCE, json!(audience.as_str()))));
    let mut tags = blueprint.tags.clone();
    // A client id finds the registration by itself.
    if blueprint.client_id.is_none() {
        tags.push(blueprint.owner_tag());
    }
    let texts = [
        (&DESCRIPTION, &blueprint.description),
        (&NOTES, &blueprint.notes),
        (&LOGOUT, &blueprint.web.logout_url),
        (&HOME, &blueprint.web.home_page_url),
        (&GROUPS, &blueprint.claims.groups),
    ];
    for (setting, value) in texts {
        wanted.extend(value.as_ref().map(|value| (setting, json!(value))));
    }
    let lists = [
        (&TAGS, &tags),
        (&WEB, &blueprint.web.redirect_uris),
        (&SPA, &blueprint.spa.redirect_uris),
        (&PUBLIC, &blueprint.public_client.redirect_uris),
    ];
    for (setting, values) in lists {
        wanted.push((setting, json!(values)));
    }
    let flags = [
        (&ID_TOKENS, blueprint.web.id_tokens),
        (&PUBLIC_FLOWS, blueprint.public_client.allow_flows),
    ];
    for (setting, value) in flags {
        wanted.extend(value.map(|value| (setting, json!(value))));
    }
    let version = blueprint.api.token_version;
    wanted.extend(version.map(|version| (&TOKEN_VERSION, json!(version))));
    wanted.push((&PERMISSIONS, required_access(names)));
    wanted.push((&SCOPES, scopes(blueprint, application)));
    wanted.push((&ROLES, roles(blueprint)));
    let claims = [
        (&ID_CLAIMS, &blueprint.claims.in_id_tokens),
        (&ACCESS_CLAIMS, &blueprint.claims.in_access_tokens),
    ];
    for (setting, claims) in claims {
        let claims: Vec<Value> = claims
            .iter()
            .map(|name| json!({"name": name, "essential": false, "additionalProperties": []}))
            .collect();
        wanted.push((setting, claims.into()));
    }
    let uris: Vec<String> = blueprint
        .api
        .uris
        .iter()
        .map(|uri| uri.replace("{client-id}", app_id))
        .collect();
    wanted.push((&URIS, json!(uris)));
    wanted
}

fn required_access(names: &Names) -> Value {
    names
        .apis
        .iter()
        .map(|api| {
            let entry =
                |permission: &Permission, kind: &str| json!({"id": permission.id, "type": kind});
            let access: Vec<Value> = api
                .delegated
                .iter()
                .map(|one| entry(one, "Scope"))
                .chain(api.application.iter().map(|one| entry(one, "Role")))
                .collect();
            json!({"resourceAppId": api.app_id, "resourceAccess": access})
        })
        .collect()
}

fn scopes(blueprint: &AppRegistration, application: &Value) -> Value {
    let current = items(&application["api"], "oauth2PermissionScopes");
    let scopes = blueprint.api.scopes.iter().map(|scope| {
        let current = current.iter().find(|one| text(one, "value") == scope.value);
        let mut object = json!({
            "id": blueprint.derived_id("scope", &scope.value),
            "value": scope.value,
            "type": if scope.users_can_consent { "User" } else { "Admin" },
            "adminConsentDisplayName": scope.display_name,
            "adminConsentDescription": scope.description,
            "isEnabled": true,
        });
        if scope.users_can_consent {
            let texts = [
                ("DisplayName", &scope.user_display_name, &scope.display_name),
                ("Description", &scope.user_description, &scope.description),
            ];
            for (name, own, of_administrators) in texts {
                let own = own.as_ref();
                let wanted = own.or_else(|| {
                    let follows = current.is_none_or(|current| follows(current, name));
                    follows.then_some(of_administrators)
                });
                if let Some(wanted) = wanted {
                    object[format!("userConsent{name}")] = json!(wanted);
                }
            }
        }
        object
    });
    scopes.collect()
}

/// Whether a text for users is that for administrators, which it is set to where users can consent from now on. The portal
/// leaves it empty.
fn follows(scope: &Value, name: &str) -> bool {
    let of_users = text(scope, &format!("userConsent{name}"));
    match of_users.is_empty() {
        true => scope["type"] != "User",
        false => of_users == text(scope, &format!("adminConsent{name}")),
    }
}

fn roles(blueprint: &AppRegistration) -> Value {
    let roles = blueprint.app_roles.iter().map(|role| {
        json!({
            "id": blueprint.derived_id("role", &role.value),
            "value": role.value,
            "displayName": role.display_name,
            "description": role.description,
            "allowedMemberTypes": role.members.allowed(),
            "isEnabled": true,
        })
    });
    roles.collect()
}

/// The properties that differ from the application as it is: the main ones, and application ID URIs, whose
/// rules depend on the others, by themselves.
pub(super) fn differences(
    blueprint: &AppRegistration,
    names: &Names,
    application: &Value,
) -> [Vec<Difference>; 2] {
    let mut main = Vec::new();
    let mut uris = Vec::new();
    for (setting, wanted) in wanted(blueprint, names, application) {
        let current = setting
            .path
            .iter()
            .fold(application, |value, name| &value[*name]);
        // Other tools keep tags of their own there.
        let remove = blueprint.remove_unlisted && !std::ptr::eq(setting, &TAGS);
        if let Some(difference) = setting.compare(current, &wanted, remove, names) {
            if std::ptr::eq(setting, &URIS) {
                uris.push(difference);
            } else {
                main.push(difference);
            }
        }
    }
    [main, uris]
}

/// The body of an update with these differences: what they change, and nothing else.
pub(super) fn body(differences: &[Difference]) -> Value {
    let mut body = Value::Object(Map::new());
    for difference in differences {
        let mut at = &mut body;
        for name in difference.path {
            at = &mut at[*name];
        }
        *at = difference.value.clone();
    }
    body
}

/// Permissions that the application requires and the blueprint does not list.
pub(super) fn unlisted_permissions(application: &Value, names: &Names) -> Vec<String> {
    let mut unlisted = Vec::new();
    for api in items(application, "requiredResourceAccess") {
        let app_id = text(api, "resourceAppId");
        for access in items(api, "resourceAccess") {
            if !names.lists(app_id, text(access, "id")) {
                unlisted.push(names.permission(app_id, access));
            }
        }
    }
    unlisted
}
