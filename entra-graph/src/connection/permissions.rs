//! Permissions: what the token has beats what the directory grants, and that beats what the registration lists.

use entra_core::AccessToken;

use super::{
    directory::{Directory, Known},
    finding::{Check, Finding},
    jwt,
};
use crate::{
    areas::operations,
    key::GRAPH_APP_ID,
    objects::{Application, ServicePrincipal},
};

/// Checks the application permissions of Microsoft Graph that the product needs.
pub(super) fn application(
    needs: &[String],
    token: Option<&AccessToken>,
    directory: &Directory,
) -> Vec<Finding> {
    let in_token = token.and_then(|token| {
        let claims = jwt::claims(token.expose_secret())?;
        Some(jwt::list(&claims, "roles"))
    });
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
    let unused: Vec<&str> = granted
        .iter()
        .map(String::as_str)
        .filter(|one| {
            !needs
                .iter()
                .any(|need| need == one || exceptions(one, need).is_some())
        })
        .collect();
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

fn judge(
    need: &str,
    in_token: Option<&[String]>,
    assigned: Option<&[String]>,
    directory: &Directory,
) -> Finding {
    let has = |all: &[String]| all.iter().any(|one| one == need);
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
        .fix("compare the name with API permissions > Microsoft Graph > Application permissions"),
        _ => Finding::error(Check::Permission, format!("{need} is not granted"))
            .because("the token has no such role")
            .fix(format!("API permissions > Add a permission > Microsoft Graph > Application permissions > {need}, then Grant admin consent"))
            .call(grant),
    }
}

fn exists(need: &str, directory: &Directory) -> bool {
    directory.graph.yes().is_none_or(|graph| {
        let mut roles = graph.app_roles.iter().flatten();
        roles.any(|role| role.value.as_deref() == Some(need))
    })
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
        .filter(|role| role.value.as_deref() == Some(need))
        .find_map(|role| role.id.as_deref());
    let scopes = graph.oauth2_permission_scopes.iter().flatten();
    let scope = scopes
        .filter(|scope| scope.value.as_deref() == Some(need))
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
        .filter(|name| !granted.contains(name) && !needs.contains(name))
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

/// The documented operations that one application permission allows and a wider one does not. `None` if
/// the other one is not wider: it lacks more than a quarter of them.
fn exceptions(wider: &str, need: &str) -> Option<Vec<&'static str>> {
    // The pages of operations list the narrow permissions only; to write includes to read.
    if need.contains(".Read.") && need.replacen(".Read.", ".ReadWrite.", 1) == wider {
        return Some(Vec::new());
    }
    // Subscriptions take the permission of what they are about, so their lists name one of each kind of object.
    let needed: Vec<_> = operations()
        .filter(|operation| !operation.path().starts_with("/subscriptions"))
        .filter(|operation| operation.application_permissions().contains(&need))
        .collect();
    let lacking: Vec<&str> = needed
        .iter()
        .filter(|operation| !operation.application_permissions().contains(&wider))
        .map(|operation| operation.name())
        .collect();
    (!needed.is_empty() && lacking.len() * 4 <= needed.len()).then_some(lacking)
}

/// The finding for a permission that a wider one covers.
fn covered(need: &str, granted: &[String]) -> Option<Finding> {
    let mut wider: Vec<_> = granted
        .iter()
        .filter_map(|one| Some((one, exceptions(one, need)?)))
        .collect();
    wider.sort_by_key(|(_, exceptions)| exceptions.len());
    let (one, exceptions) = wider.into_iter().next()?;
    let what = format!("{need} is covered by {one}, which allows more");
    Some(match exceptions.is_empty() {
        true => Finding::ok(Check::Permission, what),
        false => Finding::note(
            Check::Permission,
            format!("{what}, except for {}", exceptions.join(", ")),
        ),
    })
}

/// Checks the delegated permissions that the product needs. `by_sub`: users are identified by `sub`, not by `oid`.
pub(super) fn delegated(needs: &[String], by_sub: bool, directory: &Directory) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !by_sub && needs.iter().any(|need| need == "openid") {
        findings.extend(object_id(needs, directory));
    }
    let wanted = needs
        .iter()
        .filter(|need| !IDENTITY.contains(&need.as_str()));
    for need in wanted {
        findings.push(consent(need, directory));
    }
    findings
}

/// What keeps the object id of the user out of ID tokens.
fn object_id(needs: &[String], directory: &Directory) -> Option<Finding> {
    let portal = "API permissions > Add a permission > Microsoft Graph > Delegated permissions > OpenId permissions > profile, then Grant admin consent";
    if !needs.iter().any(|need| need == "profile") {
        return Some(
            Finding::error(
                Check::Claims,
                "ID tokens have no oid: the scope profile is not requested",
            )
            .because("Entra adds oid, name and preferred_username to an ID token only with the scope profile, and without oid the product cannot identify a user")
            .fix(format!("request the scopes openid and profile together; {portal}")),
        );
    }
    // A sign-in that requests the registered permissions (`.default`) gets what is granted, and no more.
    let (Known::Yes(consents), Known::Yes(graph)) = (&directory.consents, &directory.graph) else {
        return None;
    };
    let for_all = |name: &str| {
        consents.iter().any(|grant| {
            grant.resource_id.as_deref() == Some(graph.id.as_str())
                && grant.consent_type.as_deref() == Some("AllPrincipals")
                && grant.scopes().any(|scope| scope == name)
        })
    };
    (for_all("openid") && !for_all("profile")).then(|| {
        Finding::warning(
            Check::Claims,
            "admin consent has openid without profile: ID tokens have no oid until users consent to profile themselves",
        )
        .because("with the scope .default a token has only what is granted; where users may not consent, the sign-in stops with AADSTS90094")
        .fix(portal)
        .call("PATCH /oauth2PermissionGrants/{id} {\"scope\": \"openid profile …\"}")
    })
}

fn consent(need: &str, directory: &Directory) -> Finding {
    let (Known::Yes(consents), Known::Yes(graph)) = (&directory.consents, &directory.graph) else {
        return Finding::unknown(
            Check::Consent,
            format!("it is not known whether users or an administrator consented to {need}"),
        )
        .because("the test may not read the grants of delegated permissions");
    };
    if need.contains("://") {
        // A permission of another API: its consent is judged where the API is.
        let name = need.rsplit('/').next().unwrap_or(need);
        let granted = consents.iter().any(|grant| {
            grant.resource_id.as_deref() != Some(graph.id.as_str())
                && grant.scopes().any(|scope| scope == name)
        });
        return match granted {
            true => Finding::ok(Check::Consent, format!("{need} is granted")),
            false => admin_consent(need),
        };
    }
    let granted = |kind: &str| {
        consents.iter().any(|grant| {
            grant.resource_id.as_deref() == Some(graph.id.as_str())
                && grant.consent_type.as_deref() == Some(kind)
                && grant.scopes().any(|scope| scope == need)
        })
    };
    let mut scopes = graph.oauth2_permission_scopes.iter().flatten();
    let Some(scope) = scopes.find(|scope| scope.value.as_deref() == Some(need)) else {
        return Finding::error(
            Check::Api,
            format!("the scope {need} does not exist on Microsoft Graph"),
        )
        .because("a scope without a resource is one of Microsoft Graph; it is misspelt, or belongs to another API")
        .fix("write the scope of another API in full, such as api://{client id}/Tasks.Read (Expose an API)")
        .code(650_053);
    };
    if granted("AllPrincipals") {
        return Finding::ok(Check::Consent, format!("{need} is granted for all users"));
    }
    if scope.kind.as_deref() == Some("Admin") {
        return admin_consent(need);
    }
    let some = if granted("Principal") {
        " so far for some of them"
    } else {
        ""
    };
    Finding::note(
        Check::Consent,
        format!(
            "users consent to {need} themselves{some}, unless the tenant turned user consent off"
        ),
    )
    .fix("API permissions > Grant admin consent, so that users are not prompted")
}

fn admin_consent(need: &str) -> Finding {
    Finding::error(Check::Consent, format!("admin consent needed for {need}"))
        .because("users may not consent to it themselves")
        .fix("API permissions > Grant admin consent, or open the admin consent URL as an administrator")
        .call("POST /oauth2PermissionGrants {\"consentType\": \"AllPrincipals\"}")
}

const IDENTITY: [&str; 4] = ["openid", "profile", "email", "offline_access"];

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
    fn a_wider_permission_covers_a_narrower_one_and_not_the_other_way_round() {
        let table = [
            ("User.ReadWrite.All", "User.Read.All", true),
            ("Directory.Read.All", "User.Read.All", true),
            ("Directory.Read.All", "Application.Read.All", true),
            ("User.Read.All", "Directory.Read.All", false),
            ("User.Read.All", "AuditLog.Read.All", false),
            ("GroupMember.Read.All", "User.Read.All", false),
            ("User.Read.All", "GroupMember.Read.All", false),
            ("User.Read.All", "No.Such.Permission", false),
        ];
        for (wider, need, expected) in table {
            assert_eq!(
                exceptions(wider, need).is_some(),
                expected,
                "{wider} for {need}: {:?}",
                exceptions(wider, need)
            );
        }
        // Photos and sponsors are the exceptions that the documentation makes.
        let exceptions = exceptions("Directory.Read.All", "User.Read.All").unwrap();
        let photo = |name: &&str| name.contains("photo");
        assert_eq!(exceptions.iter().filter(|name| photo(name)).count(), 4);
        let others: Vec<_> = exceptions.into_iter().filter(|name| !photo(name)).collect();
        assert_eq!(others, ["user-list-sponsors", "user-list-sponsorof"]);
    }
}
