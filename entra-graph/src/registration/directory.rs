//! Whether the tenant of the caller is the one that a blueprint is for: before a plan, and before a registration is changed
//! or deleted without one.

use entra_core::{Guid, TenantId};

use super::blueprint::AppRegistration;
use crate::{
    client::GraphClient,
    error::Error,
    objects::Organization,
    typed_id::{TypedId, shown_id},
};

/// Why a plan stops: the caller's tenant is not the blueprint's [`directory`](AppRegistration::directory), or that
/// cannot be found out. `None` if the blueprint names none.
///
/// # Errors
/// Every kind of [`Error`] but a rejection.
pub(super) async fn mismatch(
    graph: &GraphClient,
    blueprint: &AppRegistration,
) -> Result<Option<String>, Error> {
    let Some(expected) = blueprint.directory.as_ref().map(TypedId::text) else {
        return Ok(None);
    };
    let of_token = graph.granted().and_then(|granted| granted.tenant);
    if let (Ok(expected), Some(Ok(tenant))) = (
        expected.parse::<Guid>(),
        of_token.as_deref().map(str::parse::<Guid>),
    ) {
        let wrong = expected != tenant;
        return Ok(wrong.then(|| wrong_directory(&expected.to_string(), &tenant.to_string())));
    }
    let read = graph.organization().list();
    let read = read.select((Organization::ID, Organization::VERIFIED_DOMAINS));
    let organizations = match read.send().await {
        Ok(page) => page.items,
        Err(error) if error.is_forbidden() => {
            // A rotation that runs by itself may have no more than its own application.
            let resolved = resolved(graph, expected).await;
            let tenant = of_token.and_then(|tenant| tenant.parse::<Guid>().ok());
            return Ok(match (resolved, tenant) {
                (Some(resolved), Some(tenant)) => (resolved != tenant)
                    .then(|| wrong_directory(named(expected), &tenant.to_string())),
                _ => Some(unknown_directory(named(expected))),
            });
        }
        Err(error) => return Err(error),
    };
    let is_expected = |organization: &Organization| {
        let domains = organization.verified_domains.iter().flatten();
        let mut names = domains.filter_map(|domain| domain.name.as_deref());
        organization.id.eq_ignore_ascii_case(expected)
            || names.any(|name| name.eq_ignore_ascii_case(expected))
    };
    if organizations.iter().any(is_expected) {
        return Ok(None);
    }
    let tenant = organizations.first().map(|one| one.id.to_string());
    let tenant = tenant.or(of_token).unwrap_or_default();
    Ok(Some(wrong_directory(named(expected), &tenant)))
}

/// The tenant that has this domain, by the sign-in service. A text of another form may be a secret, and is not sent.
async fn resolved(graph: &GraphClient, domain: &str) -> Option<Guid> {
    let domain: TenantId = shown_id(domain)?.parse().ok()?;
    if domain.is_alias() {
        return None;
    }
    graph.sign_in_service().tenant_with(&domain).await
}

/// The tenant as errors name it. A text of another form may be a secret.
fn named(expected: &str) -> &str {
    shown_id(expected).unwrap_or("(neither a tenant ID nor a domain)")
}

/// Fails in another directory than the blueprint's: a name and a tag are the same in every tenant that it was applied in.
///
/// # Errors
/// `Registration` with what [`mismatch`] says; every other kind of [`Error`].
pub(super) async fn right_directory(
    graph: &GraphClient,
    blueprint: &AppRegistration,
) -> Result<(), Error> {
    match mismatch(graph, blueprint).await? {
        Some(stop) => Err(Error::registration(stop)),
        None => Ok(()),
    }
}

fn wrong_directory(expected: &str, tenant: &str) -> String {
    format!(
        "this is the wrong directory: the blueprint is for {expected}, and the token is of the tenant {tenant}; sign in to the right one"
    )
}

fn unknown_directory(expected: &str) -> String {
    format!(
        "it is not known whether this is the directory {expected}: the sign-in service names no tenant for it, and the token may not read the organization; write the directory as its tenant ID, or grant Organization.Read.All"
    )
}
