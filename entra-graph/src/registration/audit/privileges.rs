//! Privileged application permissions that are granted and not used.

use std::collections::BTreeMap;

use entra_core::{Timestamp, time::Duration};

use super::{AuditFinding, AuditIssue};
use crate::{
    client::GraphClient,
    error::Error,
    key::{GRAPH_APP_ID, Key},
    objects::{
        AppRoleAssignment, Application, DirectoryAudit, ServicePrincipal,
        types::{AppIdentity, AuditActivityInitiator},
    },
    odata::Filter,
};

/// A service principal with its privileged permissions.
struct Privileged {
    principal: ServicePrincipal,
    permissions: Vec<String>,
    /// When the first of them was granted.
    granted: Option<Timestamp>,
}

/// The findings for all service principals that have privileged permissions of Microsoft Graph.
pub(super) async fn unused(
    graph: &GraphClient,
    applications: &[Application],
) -> Result<Vec<AuditFinding>, Error> {
    let mut findings = Vec::new();
    for one in privileged(graph).await? {
        let Some(reason) = reason(graph, &one, applications).await? else {
            continue;
        };
        findings.extend(one.permissions.iter().map(|permission| AuditFinding {
            application: one.principal.display_name.clone().unwrap_or_default(),
            client_id: one.principal.app_id.clone().unwrap_or_default(),
            issue: AuditIssue::UnusedPrivilegedPermission,
            about: format!("{permission}, {reason}"),
        }));
    }
    Ok(findings)
}

async fn privileged(graph: &GraphClient) -> Result<Vec<Privileged>, Error> {
    let api = graph.service_principal(Key::app_id(GRAPH_APP_ID));
    let api = api.get().select(ServicePrincipal::APP_ROLES);
    let Some(own) = api.send_opt().await? else {
        return Ok(Vec::new());
    };
    let roles: Vec<(String, String)> = own
        .app_roles
        .iter()
        .flatten()
        .filter_map(|role| Some((role.id.clone()?, role.value.clone()?)))
        .filter(|(_, value)| is_privileged(value))
        .collect();
    let assignments = graph.service_principal(&own.id).app_role_assigned_to();
    let mut assignments = assignments.list().items();
    let mut granted: BTreeMap<String, Vec<(String, AppRoleAssignment)>> = BTreeMap::new();
    while let Some(assignment) = assignments.try_next().await? {
        let role = roles
            .iter()
            .find(|(id, _)| assignment.app_role_id.as_deref() == Some(id));
        if let (Some((_, value)), Some(principal)) = (role, assignment.principal_id.clone()) {
            let list = granted.entry(principal).or_default();
            list.push((value.clone(), assignment));
        }
    }
    let mut batch = graph.batch();
    let reads: Vec<_> = granted
        .into_iter()
        .map(|(id, list)| {
            let read = graph.service_principal(&id).get().select((
                ServicePrincipal::ACCOUNT_ENABLED,
                ServicePrincipal::APP_ID,
                ServicePrincipal::DISPLAY_NAME,
                ServicePrincipal::KEY_CREDENTIALS,
                ServicePrincipal::PASSWORD_CREDENTIALS,
            ));
            (batch.add(read), list)
        })
        .collect();
    let principals = batch.send().await?;
    let mut all = Vec::new();
    for (read, list) in reads {
        let principal = match principals.get(read) {
            Ok(principal) => principal,
            Err(error) if error.is_not_found() => continue,
            Err(error) => return Err(error),
        };
        let since = list.iter().filter_map(|(_, one)| one.created_date_time);
        all.push(Privileged {
            granted: since.min(),
            permissions: list.into_iter().map(|(value, _)| value).collect(),
            principal,
        });
    }
    Ok(all)
}

/// Why the permissions are not used, as far as that can be known.
async fn reason(
    graph: &GraphClient,
    one: &Privileged,
    applications: &[Application],
) -> Result<Option<&'static str>, Error> {
    if one.principal.account_enabled == Some(false) {
        return Ok(Some("the enterprise application is disabled"));
    }
    let now = graph.now();
    // An application of another tenant has its credentials there.
    let own = applications
        .iter()
        .find(|application| application.app_id == one.principal.app_id);
    if let Some(application) = own
        && !has_valid_credential(application, &one.principal, now)
    {
        let federated = graph
            .application(&application.id)
            .federated_identity_credentials()
            .list();
        let federated: Vec<_> = federated.items().try_collect().await?;
        if federated.is_empty() {
            return Ok(Some("the application has no valid credential"));
        }
    }
    let start = now - PERIOD;
    if one.granted.is_none_or(|at| at > start) {
        return Ok(None);
    }
    let has_changed = has_changed(graph, &one.principal, start).await?;
    Ok((has_changed == Some(false)).then_some("no change by it in the audit log of 30 days"))
}

fn has_valid_credential(
    application: &Application,
    principal: &ServicePrincipal,
    now: Timestamp,
) -> bool {
    let is_valid = |end: Option<Timestamp>| end.is_none_or(|end| end > now);
    let secrets = [
        &application.password_credentials,
        &principal.password_credentials,
    ];
    let certificates = [&application.key_credentials, &principal.key_credentials];
    let mut secrets = secrets.into_iter().flatten().flatten();
    let mut certificates = certificates.into_iter().flatten().flatten();
    secrets.any(|one| is_valid(one.end_date_time))
        || certificates.any(|one| is_valid(one.end_date_time))
}

/// Whether the audit log has a change by the application; `None` if the log cannot be read.
async fn has_changed(
    graph: &GraphClient,
    principal: &ServicePrincipal,
    since: Timestamp,
) -> Result<Option<bool>, Error> {
    let app = DirectoryAudit::INITIATED_BY.path(AuditActivityInitiator::APP);
    let by = |filter: Filter<DirectoryAudit>| {
        let list = graph.audit_logs().directory_audits().list();
        list.filter(DirectoryAudit::ACTIVITY_DATE_TIME.ge(since).and(filter))
            .top(1)
            .items()
    };
    // Entra leaves the client id out of most entries.
    let mut filters = Vec::new();
    if let Some(id) = &principal.app_id {
        filters.push(app.path(AppIdentity::APP_ID).eq(id.as_str()));
    }
    if let Some(name) = &principal.display_name {
        filters.push(app.path(AppIdentity::DISPLAY_NAME).eq(name.as_str()));
    }
    for filter in filters {
        match by(filter).try_next().await {
            Ok(Some(_)) => return Ok(Some(true)),
            Ok(None) => {}
            Err(error) if error.is_forbidden() || error.is_license_missing() => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(false))
}

/// Whether a permission does more than read. One that an administrator gives for single sites or the like
/// (`Sites.Selected`) allows nothing by itself.
fn is_privileged(permission: &str) -> bool {
    let reads = permission
        .split('.')
        .any(|part| part.starts_with("Read") && !part.starts_with("ReadWrite") || part == "Export");
    !reads && !permission.ends_with(".Selected")
}

/// How long the audit log has entries with a licence.
const PERIOD: Duration = Duration::days(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_more_than_read_is_privileged() {
        let table = [
            ("User.Read.All", false),
            ("User.ReadBasic.All", false),
            ("Mail.ReadBasic", false),
            ("Member.Read.Hidden", false),
            ("RoleManagement.Read.Directory", false),
            ("User.Export.All", false),
            ("Sites.Selected", false),
            ("User.ReadWrite.All", true),
            ("User.ReadWrite.CrossCloud", true),
            ("Application.ReadWrite.OwnedBy", true),
            ("AppRegistration.Create", true),
            ("Mail.Send", true),
            ("full_access_as_app", true),
            ("Sites.FullControl.All", true),
            (
                "DeviceManagementManagedDevices.PrivilegedOperations.All",
                true,
            ),
            ("User.EnableDisableAccount.All", true),
            ("User.DeleteRestore.All", true),
            ("User.RevokeSessions.All", true),
            ("User.Invite.All", true),
        ];
        for (permission, expected) in table {
            assert_eq!(is_privileged(permission), expected, "{permission}");
        }
    }
}
