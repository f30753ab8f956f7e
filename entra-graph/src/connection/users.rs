//! Users: whether they may sign in to the application, and what their tokens say.

use super::{
    directory::{Directory, Known},
    finding::{Check, Finding},
};
use crate::{
    client::GraphClient,
    error::Error,
    objects::{AppRoleAssignment, DirectoryObject, ServicePrincipal, User},
};

/// Checks that the users may sign in.
pub(super) async fn findings(
    users: &[String],
    reader: Option<&GraphClient>,
    directory: &Directory,
) -> Vec<Finding> {
    let Known::Yes(principal) = &directory.principal else {
        return users
            .iter()
            .map(|user| unknown(user, "the test may not read the enterprise application"))
            .collect();
    };
    let name = directory.name().unwrap_or_default();
    if principal.app_role_assignment_required == Some(true) && users.is_empty() {
        return vec![
            Finding::note(
                Check::Assignment,
                format!("only users assigned to \"{name}\" can sign in"),
            )
            .fix("Enterprise applications > Users and groups > Add user/group"),
        ];
    }
    let mut findings = Vec::new();
    for user in users {
        let Some(reader) = reader else {
            findings.push(unknown(
                user,
                "there is no token to read the directory with",
            ));
            continue;
        };
        match judge(user, reader, principal, name).await {
            Ok(found) => findings.extend(found),
            Err(error) => findings.push(unknown(user, &error.to_string())),
        }
    }
    findings
}

fn unknown(user: &str, why: &str) -> Finding {
    Finding::unknown(
        Check::Assignment,
        format!("it is not known whether {user} may sign in"),
    )
    .because(why)
}

async fn judge(
    user: &str,
    reader: &GraphClient,
    principal: &ServicePrincipal,
    name: &str,
) -> Result<Vec<Finding>, Error> {
    let read = reader.user(user).get().select((
        User::ID,
        User::MAIL,
        User::USER_PRINCIPAL_NAME,
        User::USER_TYPE,
        User::ACCOUNT_ENABLED,
    ));
    let Some(found) = read.send_opt().await? else {
        return Ok(vec![
            Finding::error(
                Check::Assignment,
                format!("there is no user {user} in this tenant"),
            )
            .because("the user is in another directory, or the name is misspelt")
            .fix(
                "sign in to the right directory, or invite the user: Users > Invite external user",
            ),
        ]);
    };
    let mut findings = Vec::new();
    if found.account_enabled == Some(false) {
        findings.push(
            Finding::error(
                Check::Assignment,
                format!("the account of {user} is disabled"),
            )
            .fix("Users > the user > Properties > Account enabled"),
        );
    }
    if found.mail.is_none() && found.user_type.as_deref() == Some("Guest") {
        findings.push(
            Finding::note(
                Check::Claims,
                format!("the token of the guest {user} has no email"),
            )
            .fix("identify users by tid and oid together, never by mail or name"),
        );
    }
    findings.push(assignment(user, &found.id, reader, principal, name).await?);
    Ok(findings)
}

async fn assignment(
    user: &str,
    id: &str,
    reader: &GraphClient,
    principal: &ServicePrincipal,
    name: &str,
) -> Result<Finding, Error> {
    if principal.app_role_assignment_required != Some(true) {
        return Ok(Finding::ok(
            Check::Assignment,
            format!("{user} needs no assignment to \"{name}\""),
        ));
    }
    let assigned = reader.service_principal(principal.id.as_str());
    let assigned: Vec<AppRoleAssignment> = assigned
        .app_role_assigned_to()
        .list()
        .items()
        .try_collect()
        .await?;
    let is_assigned = |id: &str| {
        assigned
            .iter()
            .any(|one| one.principal_id.as_deref() == Some(id))
    };
    if is_assigned(id) {
        return Ok(Finding::ok(
            Check::Assignment,
            format!("{user} is assigned to \"{name}\""),
        ));
    }
    // Direct members of an assigned group count, members of its groups do not.
    let groups = reader
        .user(id)
        .member_of()
        .list()
        .select(DirectoryObject::DISPLAY_NAME)
        .items()
        .try_collect::<Vec<_>>()
        .await?;
    Ok(match groups.iter().find(|group| is_assigned(group.id())) {
        Some(group) => {
            let group = group.display_name().unwrap_or_else(|| group.id());
            Finding::ok(
                Check::Assignment,
                format!("{user} is assigned to \"{name}\" by the group {group}"),
            )
        }
        None => Finding::error(
            Check::Assignment,
            format!("assignment missing: {user} is not assigned to \"{name}\""),
        )
        .because(
            "the enterprise application requires assignment; members of nested groups do not count",
        )
        .fix("Enterprise applications > Users and groups > Add user/group")
        .call("POST /servicePrincipals/{id}/appRoleAssignedTo")
        .code(50_105),
    })
}

/// Checks the claims that the product reads.
pub(super) async fn claims(
    users: &[String],
    reads_groups: bool,
    reader: Option<&GraphClient>,
    directory: &Directory,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Known::Yes(principal) = &directory.principal {
        let signs = principal.key_credentials.iter().flatten();
        let own_key = principal.preferred_token_signing_key_thumbprint.is_some()
            || signs
                .into_iter()
                .any(|key| key.usage.as_deref() == Some("Sign"));
        if own_key {
            findings.push(
                Finding::note(Check::Claims, "the application has a signing key of its own")
                    .because("its key is not among those of the tenant's metadata")
                    .fix("validate tokens by the application's metadata: …/.well-known/openid-configuration?appid={client id}"),
            );
        }
    }
    if !reads_groups {
        return findings;
    }
    let Known::Yes(application) = &directory.application else {
        findings.push(
            Finding::unknown(Check::Claims, "it is not known whether tokens have groups")
                .because("the test may not read the application"),
        );
        return findings;
    };
    if application
        .group_membership_claims
        .as_deref()
        .is_none_or(|claims| claims.eq_ignore_ascii_case("None"))
    {
        findings.push(
            Finding::error(
                Check::Claims,
                "tokens have no groups: group claims are not configured",
            )
            .fix("Token configuration > Add groups claim")
            .call("PATCH /applications/{id} {\"groupMembershipClaims\": \"SecurityGroup\"}"),
        );
        return findings;
    }
    let optional = application.optional_claims.as_ref();
    let named = optional.is_some_and(|claims| {
        let lists = [&claims.id_token, &claims.access_token];
        let mut all = lists.into_iter().flat_map(|list| list.iter().flatten());
        all.any(|claim| {
            let properties = claim.additional_properties.iter().flatten();
            properties
                .into_iter()
                .any(|one| NAMES.contains(&one.as_str()))
        })
    });
    findings.push(match named {
        true => Finding::warning(Check::Claims, "group claims hold names, as configured")
            .because(
                "names of groups are not unique, and a user who may rename a group can take one",
            )
            .fix("Token configuration > groups claim > Group ID"),
        false => Finding::ok(Check::Claims, "group claims are configured"),
    });
    for user in users {
        let Some(reader) = reader else { break };
        let groups = reader
            .user(user.as_str())
            .get_member_groups(true)
            .send()
            .await;
        if groups.is_ok_and(|groups| groups.len() > OVERAGE) {
            findings.push(
                Finding::note(Check::Claims, format!("the token of {user} has no groups, but a link to them"))
                    .because("a token names 200 groups at most (_claim_names)")
                    .fix("read the groups from Graph in that case: getMemberGroups or checkMemberGroups, with GroupMember.Read.All"),
            );
        }
    }
    findings
}

/// What makes names of groups go into tokens, or makes roles of them.
const NAMES: [&str; 5] = [
    "sam_account_name",
    "dns_domain_and_sam_account_name",
    "netbios_domain_and_sam_account_name",
    "emit_as_roles",
    "cloud_displayname",
];
/// The most groups in a token.
const OVERAGE: usize = 200;
