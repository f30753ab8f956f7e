//! Claims that an application's registration adds to tokens: optional claims, groups, directory
//! roles.

use serde_json::{Value, json};

use super::{account, client::text, groups::groups_of, token_subject::TokenSubject};
use crate::{
    state::State,
    store::{Kind, Object},
};

/// The type of token that the claims are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Id,
    Access,
}

impl TokenKind {
    fn list(self) -> &'static str {
        match self {
            Self::Id => "idToken",
            Self::Access => "accessToken",
        }
    }
}

/// Adds all claims that the registration of the token's audience, `app_id`, requests.
///
/// Existing claims stay unchanged.
pub(super) fn add(
    state: &State,
    token_subject: &TokenSubject<'_>,
    app_id: &str,
    kind: TokenKind,
    claim: &mut impl FnMut(&str, Value) -> Option<Value>,
) {
    let Some(application) = state.store.find(Kind::Application, "appId", app_id) else {
        return;
    };
    let mut group_options: &[Value] = &[];
    for requested in requested(application, kind) {
        let name = requested["name"].as_str().unwrap_or_default();
        if name == "groups" {
            group_options = requested["additionalProperties"]
                .as_array()
                .map_or(&[], Vec::as_slice);
        } else if let Some(value) = optional(state, token_subject, kind, name) {
            claim(name, value);
        }
    }
    let logs_out = application
        .get("web")
        .and_then(|web| web.get("logoutUrl"))
        .is_some_and(Value::is_string);
    if kind == TokenKind::Id && logs_out {
        // An application with a front-channel logout URL needs the session id.
        claim("sid", token_subject.subject.sid.clone().into());
    }
    groups(state, token_subject, application, group_options, claim);
}

/// Returns the roles of a user in this application, with the group names that are emitted as roles.
pub(super) fn roles(
    state: &State,
    user_id: &str,
    app_id: &str,
    kind: TokenKind,
    mut roles: Vec<String>,
) -> Vec<String> {
    let Some(application) = state.store.find(Kind::Application, "appId", app_id) else {
        return roles;
    };
    let as_roles = requested(application, kind).any(|requested| {
        requested["name"] == "groups" && has(&requested["additionalProperties"], "emit_as_roles")
    });
    if as_roles {
        roles.extend(member_groups(state, user_id, application).unwrap_or_default());
    }
    roles
}

/// Whether the registration requests this claim.
pub(super) fn is_wanted(state: &State, app_id: &str, kind: TokenKind, name: &str) -> bool {
    state
        .store
        .find(Kind::Application, "appId", app_id)
        .is_some_and(|application| {
            requested(application, kind).any(|requested| requested["name"] == name)
        })
}

fn requested(application: &Object, kind: TokenKind) -> impl Iterator<Item = &Value> {
    application
        .get("optionalClaims")
        .and_then(|claims| claims.get(kind.list())?.as_array())
        .into_iter()
        .flatten()
}

/// Returns the value of an optional claim, or `None` if the directory has no data for it.
fn optional(
    state: &State,
    token_subject: &TokenSubject<'_>,
    kind: TokenKind,
    name: &str,
) -> Option<Value> {
    let property = |name: &str| token_subject.user.get(name).cloned();
    let value = match name {
        "acct" => u8::from(account::is_guest(token_subject.user)).into(),
        "amr" => account::methods(token_subject.subject),
        "auth_time" => token_subject.subject.auth_time.unix_timestamp().into(),
        "ctry" => property("usageLocation")?,
        "email" => property("mail")?,
        "family_name" => property("surname")?,
        "given_name" => property("givenName")?,
        "ipaddr" => "127.0.0.1".into(),
        "login_hint" => account::login_hint(&token_subject.subject.user_id).into(),
        "preferred_username" | "upn" => property("userPrincipalName")?,
        "sid" => token_subject.subject.sid.clone().into(),
        "tenant_ctry" => "DE".into(),
        "tenant_region_scope" => "EU".into(),
        "verified_primary_email" => json!([verified_mail(state, token_subject.user)?]),
        "xms_edov" => {
            property("mail")?;
            verified_mail(state, token_subject.user).is_some().into()
        }
        "idtyp" if kind == TokenKind::Access => "user".into(),
        _ => return None,
    };
    Some(value)
}

/// Returns the mail address if its domain is a verified domain of the tenant.
fn verified_mail<'a>(state: &State, user: &'a Object) -> Option<&'a str> {
    let mail = text(user, "mail")?;
    let (_, domain) = mail.rsplit_once('@')?;
    let verified = state
        .domains
        .iter()
        .any(|own| own.eq_ignore_ascii_case(domain));
    verified.then_some(mail)
}

/// The template ids of a user's directory roles, with the one that every user has: the claim `wids`.
pub(super) fn directory_roles<'a>(state: &'a State, user: &'a str) -> Vec<&'a str> {
    with_default(state, user, DEFAULT_USER_ROLE)
}

/// The same for a service principal.
pub(super) fn directory_roles_of_application<'a>(
    state: &'a State,
    service_principal: &'a str,
) -> Vec<&'a str> {
    with_default(state, service_principal, DEFAULT_APPLICATION_ROLE)
}

fn with_default<'a>(state: &'a State, principal: &'a str, default: &'a str) -> Vec<&'a str> {
    let mut roles: Vec<&str> = state.held_roles(principal).collect();
    roles.sort_unstable();
    roles.dedup();
    roles.push(default);
    roles
}

/// Adds the user's groups, or the overage claim if there are too many, and the directory roles.
fn groups(
    state: &State,
    token_subject: &TokenSubject<'_>,
    application: &Object,
    options: &[Value],
    claim: &mut impl FnMut(&str, Value) -> Option<Value>,
) {
    let options = Value::Array(options.to_vec());
    let oid = &token_subject.subject.user_id;
    let names = text(application, "groupMembershipClaims").unwrap_or_default();
    if asks_for(names, &["DirectoryRole", "All"]) {
        claim("wids", directory_roles(state, oid).into());
    }
    if has(&options, "emit_as_roles") {
        return;
    }
    let Some(mut groups) = member_groups(state, oid, application) else {
        return;
    };
    if groups.is_empty() {
        return;
    }
    if token_subject.front_channel && groups.len() > MAX_GROUPS_IN_URL {
        claim("hasgroups", true.into());
        return;
    }
    if groups.len() > MAX_GROUPS {
        let tenant = state.tenant_id;
        let endpoint = format!("https://graph.windows.net/{tenant}/users/{oid}/getMemberObjects");
        claim("_claim_names", json!({ "groups": "src1" }));
        claim(
            "_claim_sources",
            json!({ "src1": { "endpoint": endpoint } }),
        );
        return;
    }
    if has(&options, "cloud_displayname") {
        for group in &mut groups {
            let name = state
                .store
                .get(Kind::Group, group)
                .and_then(|found| text(found, "displayName"));
            if let Some(name) = name {
                *group = name.to_owned();
            }
        }
    }
    claim("groups", groups.into());
}

/// Returns the groups that the registration requests, or `None` if it requests none.
fn member_groups(state: &State, user_id: &str, application: &Object) -> Option<Vec<String>> {
    let names = text(application, "groupMembershipClaims").unwrap_or_default();
    let all = asks_for(names, &["All"]);
    let security = all || asks_for(names, &["SecurityGroup"]);
    let assigned = asks_for(names, &["ApplicationGroup"]);
    if !security && !assigned {
        return None;
    }
    let fits = |group: &Object| {
        let id = text(group, "id").unwrap_or_default();
        all || (security && group.get("securityEnabled") == Some(&Value::Bool(true)))
            || (assigned && is_assigned(state, id, application))
    };
    let groups = groups_of(state, user_id)
        .into_iter()
        .filter(|id| state.store.get(Kind::Group, id).is_some_and(fits))
        .collect();
    Some(groups)
}

/// Whether a group is assigned to the application's service principal.
fn is_assigned(state: &State, group: &str, application: &Object) -> bool {
    let principal = text(application, "appId")
        .and_then(|app_id| state.store.find(Kind::ServicePrincipal, "appId", app_id))
        .and_then(|principal| text(principal, "id"));
    state
        .store
        .assignments_of(group)
        .any(|assignment| principal.is_some() && text(assignment, "resourceId") == principal)
}

/// The property can name several kinds, separated by commas.
fn asks_for(names: &str, kinds: &[&str]) -> bool {
    names.split(',').any(|name| kinds.contains(&name.trim()))
}

fn has(options: &Value, name: &str) -> bool {
    options
        .as_array()
        .is_some_and(|options| options.iter().any(|option| option == name))
}

/// The maximum number of groups in a token.
const MAX_GROUPS: usize = 200;
/// The maximum number in a token of the implicit flow, which is part of a URL.
const MAX_GROUPS_IN_URL: usize = 5;
/// Template of the directory role in every Graph token of an application.
const DEFAULT_APPLICATION_ROLE: &str = "0997a1d0-0d1d-4acb-b408-d5ca73121e90";
/// Template of the directory role of every user.
const DEFAULT_USER_ROLE: &str = "b79fbf4d-3ef9-4689-8143-76b194e85509";
