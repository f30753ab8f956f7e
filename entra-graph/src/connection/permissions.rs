//! Permissions: what the token has beats what the directory grants, and that beats what the registration lists.

use entra_core::AccessToken;

use super::{
    covering::{self, Kind, covered},
    directory::{Directory, Known},
    finding::{Check, Finding},
    jwt,
};
use crate::{
    key::GRAPH_APP_ID,
    objects::{Application, ServicePrincipal},
};

/// Checks the application permissions of Microsoft Graph that the product needs.
pub(super) fn application(
    needs: &[String],
    token: Option<&AccessToken>,
    directory: &Directory,
) -> Vec<Finding> {
    let in_token = roles(token);
    let assigned = assigned(directory);
    if needs.is_empty() {
        return vec![Finding::ok(
            Check::Permission,
            "no application permission is needed",
        )];
    }
    let mut findings: Vec<Finding> = needs
        .iter()
        .map(|need| judge(need, in_token.as_deref(), assigned.as_deref(), directory))
        .collect();
    let granted = in_token.or(assigned).unwrap_or_default();
    let unused = unused(needs, &granted);
    if !unused.is_empty() {
        findings.push(
            Finding::note(
                Check::Permission,
                format!("granted and not needed: {}", unused.join(", ")),
            )
            .fix("API permissions > remove what the product does not use"),
        );
    }
    findings.extend(listed_only(needs, &granted, directory));
    findings
}

/// What is granted and neither needed nor used in place of a need that is not granted itself.
fn unused<'a>(needs: &[String], granted: &'a [String]) -> Vec<&'a str> {
    let has = |need: &str| granted.iter().any(|one| is_same(one, need));
    let is_used = |one: &str| {
        needs.iter().any(|need| {
            is_same(need, one) || !has(need) && covering::covers(one, need, Kind::Application)
        })
    };
    let names = granted.iter().map(String::as_str);
    names.filter(|one| !is_used(one)).collect()
}

/// Whether a permission that the directory grants is not in the token yet.
pub(super) fn is_late(
    needs: &[String],
    token: Option<&AccessToken>,
    directory: &Directory,
) -> bool {
    let (Some(roles), Some(assigned)) = (roles(token), assigned(directory)) else {
        return false;
    };
    let has = |all: &[String], need: &str| all.iter().any(|one| is_same(one, need));
    needs
        .iter()
        .any(|need| !has(&roles, need) && has(&assigned, need))
}

/// The application permissions in a token.
fn roles(token: Option<&AccessToken>) -> Option<Vec<String>> {
    let claims = jwt::claims(token?.expose_secret())?;
    Some(jwt::list(&claims, "roles"))
}

/// Names of permissions are the same in any case, for Entra and in a blueprint.
fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn judge(
    need: &str,
    in_token: Option<&[String]>,
    assigned: Option<&[String]>,
    directory: &Directory,
) -> Finding {
    let has = |all: &[String]| all.iter().any(|one| is_same(one, need));
    if let Some(roles) = in_token {
        if has(roles) {
            return Finding::ok(Check::Permission, format!("{need} is granted"));
        }
        if let Some(finding) = covered(need, roles) {
            return finding;
        }
        if assigned.is_some_and(has) {
            return Finding::unknown(
                Check::Permission,
                format!("{need} is granted, but not in new tokens yet: wait some minutes"),
            );
        }
        return missing(need, directory);
    }
    match assigned {
        Some(all) if has(all) => Finding::ok(Check::Permission, format!("{need} is granted")),
        Some(all) => covered(need, all).unwrap_or_else(|| missing(need, directory)),
        None => Finding::unknown(
            Check::Permission,
            format!("it is not known whether {need} is granted"),
        )
        .because("there is no token, and the test may not read the grants"),
    }
}

/// The app roles of Graph that the application is assigned, by name.
fn assigned(directory: &Directory) -> Option<Vec<String>> {
    let (Known::Yes(assignments), Known::Yes(graph)) = (&directory.roles, &directory.graph) else {
        return None;
    };
    Some(
        assignments
            .iter()
            .filter(|one| one.resource_id.as_deref() == Some(graph.id.as_str()))
            .filter_map(|one| role_name(graph, one.app_role_id.as_deref()?))
            .collect(),
    )
}

fn role_name(graph: &ServicePrincipal, id: &str) -> Option<String> {
    let mut roles = graph.app_roles.iter().flatten();
    let role = roles.find(|role| role.id.as_deref() == Some(id))?;
    role.value.clone()
}

fn missing(need: &str, directory: &Directory) -> Finding {
    let listed = directory
        .application
        .yes()
        .map(|application| listed(application, need, directory));
    let grant = "POST /servicePrincipals/{Microsoft Graph}/appRoleAssignedTo";
    match listed {
        Some(Some("Scope")) => Finding::error(
            Check::Permission,
            format!("wrong kind of permission: {need} is not granted as application permission"),
        )
        .because("it was added as Delegated, which counts only with a signed-in user")
        .fix(format!("API permissions > Add a permission > Microsoft Graph > Application permissions > {need}, then Grant admin consent"))
        .call(grant),
        Some(Some(_)) => Finding::error(Check::Permission, format!("{need} is not granted"))
            .because("the registration lists it, but an administrator has not consented")
            .fix("API permissions > Grant admin consent")
            .call(grant),
        _ if !exists(need, directory) => Finding::error(
            Check::Permission,
            format!("{need} is not an application permission of Microsoft Graph"),
        )
        .because("the name is misspelt, or it exists as delegated permission only")
        .fix("compare the name with API permissions > Microsoft Graph > Application permissions")
        .settled(),
        _ => Finding::error(Check::Permission, format!("{need} is not granted"))
            .because("the token has no such role")
            .fix(format!("API permissions > Add a permission > Microsoft Graph > Application permissions > {need}, then Grant admin consent"))
            .call(grant),
    }
}

fn exists(need: &str, directory: &Directory) -> bool {
    directory.graph.yes().is_none_or(|graph| {
        let mut roles = graph.app_roles.iter().flatten();
        roles.any(|role| is_named(role.value.as_deref(), need))
    })
}

/// Whether a permission that an API offers has this name.
pub(super) fn is_named(offered: Option<&str>, name: &str) -> bool {
    offered.is_some_and(|offered| is_same(offered, name))
}

/// As which type the registration lists a permission of Graph: `Role` or `Scope`.
fn listed<'a>(
    application: &'a Application,
    need: &str,
    directory: &'a Directory,
) -> Option<&'a str> {
    let graph = directory.graph.yes()?;
    let roles = graph.app_roles.iter().flatten();
    let role = roles
        .filter(|role| is_named(role.value.as_deref(), need))
        .find_map(|role| role.id.as_deref());
    let scopes = graph.oauth2_permission_scopes.iter().flatten();
    let scope = scopes
        .filter(|scope| is_named(scope.value.as_deref(), need))
        .find_map(|scope| scope.id.as_deref());
    let access = application
        .required_resource_access
        .iter()
        .flatten()
        .filter(|api| api.resource_app_id.as_deref() == Some(GRAPH_APP_ID))
        .flat_map(|api| api.resource_access.iter().flatten());
    let mut found = None;
    for one in access {
        let id = one.id.as_deref();
        if id.is_some() && id == role {
            return Some("Role");
        }
        if id.is_some() && id == scope {
            found = Some("Scope");
        }
    }
    found
}

/// What the registration lists beyond what is granted and needed: a wish list, and no fault.
fn listed_only(needs: &[String], granted: &[String], directory: &Directory) -> Option<Finding> {
    let (application, graph) = (directory.application.yes()?, directory.graph.yes()?);
    let access = application
        .required_resource_access
        .iter()
        .flatten()
        .filter(|api| api.resource_app_id.as_deref() == Some(GRAPH_APP_ID))
        .flat_map(|api| api.resource_access.iter().flatten())
        .filter(|one| one.kind.as_deref() == Some("Role"));
    let idle: Vec<String> = access
        .filter_map(|one| role_name(graph, one.id.as_deref()?))
        .filter(|name| !granted.contains(name) && !needs.iter().any(|need| is_same(need, name)))
        .collect();
    (!idle.is_empty()).then(|| {
        Finding::note(
            Check::Permission,
            format!(
                "listed in the registration, neither granted nor needed: {}",
                idle.join(", ")
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Severity, *};

    /// What the directory has and a token does not, in the first minutes after a grant.
    #[test]
    fn a_grant_that_is_not_in_tokens_yet_is_unknown() {
        let directory = Directory::unknown("not read");
        let (none, all) = (Vec::new(), vec!["Mail.Read".to_owned()]);
        let severity = |in_token: Option<&[String]>, assigned: Option<&[String]>| {
            judge("Mail.Read", in_token, assigned, &directory).severity
        };
        assert_eq!(severity(Some(&none), Some(&all)), Severity::Unknown);
        assert_eq!(severity(Some(&all), Some(&none)), Severity::Ok);
        assert_eq!(severity(Some(&none), Some(&none)), Severity::Error);
        assert_eq!(severity(Some(&none), None), Severity::Error);
        assert_eq!(severity(None, Some(&all)), Severity::Ok);
        assert_eq!(severity(None, Some(&none)), Severity::Error);
        assert_eq!(severity(None, None), Severity::Unknown);
    }

    #[test]
    fn names_of_permissions_are_the_same_in_any_case() {
        let directory = Directory::unknown("not read");
        let all = vec!["User.Read.All".to_owned()];
        let severity = |need: &str| judge(need, Some(&all), None, &directory).severity;
        assert_eq!(severity("user.read.all"), Severity::Ok);
        assert_eq!(severity("USER.READ.ALL"), Severity::Ok);
        assert_eq!(severity("User.Read"), Severity::Error);
    }

    #[test]
    fn a_wide_permission_is_unused_beside_the_one_that_is_needed() {
        let owned = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        let wide = "Directory.ReadWrite.All";
        let cases: [[&[&str]; 3]; 5] = [
            [&["User.Read.All"], &["User.Read.All", wide], &[wide]],
            [&["User.Read.All"], &["user.read.all", wide], &[wide]],
            [&["User.Read.All"], &[wide], &[]],
            [
                &["User.Read.All", "Application.Read.All"],
                &["User.Read.All", wide],
                &[],
            ],
            [&["User.Read.All"], &["Mail.Read"], &["Mail.Read"]],
        ];
        for [needs, granted, expected] in cases {
            let granted = owned(granted);
            assert_eq!(unused(&owned(needs), &granted), expected, "{granted:?}");
        }
    }

    /// Its page allows the members of a group and not the list of groups, its description both.
    #[test]
    fn what_is_documented_in_two_ways_is_unknown() {
        let directory = Directory::unknown("not read");
        let writes = vec!["GroupMember.ReadWrite.All".to_owned()];
        let found = judge("GroupMember.Read.All", Some(&writes), None, &directory);
        assert_eq!(found.severity, Severity::Unknown);
        let both = vec![writes[0].clone(), "Group.Read.All".to_owned()];
        let found = judge("GroupMember.Read.All", Some(&both), None, &directory);
        assert!(found.what.contains("covered by Group.Read.All"), "{found}");
    }
}
