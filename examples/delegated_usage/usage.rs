//! The report: read with a few lists, counted here.

use std::{
    collections::{HashMap, HashSet},
    io::{self, Write},
    time::Duration,
};

use entra_auth::entra_core::Timestamp;
use entra_graph::{
    AppRoleAssignment, DirectoryObject, Error, GraphClient, ServicePrincipal, SignIn,
};

/// One app that users are assigned to or signed in to.
#[derive(Debug)]
pub(crate) struct AppUsage {
    pub(crate) name: String,
    /// Users who are assigned, directly or as direct members of an assigned group.
    pub(crate) assigned: usize,
    /// Users who signed in, assigned or not.
    pub(crate) active: usize,
    /// Users who are assigned and did not sign in.
    pub(crate) idle: usize,
    pub(crate) last_sign_in: Option<Timestamp>,
}

/// Reads the apps of the tenant and the interactive sign-ins of the last `days` days, of which Entra stores
/// 30.
pub(crate) async fn read(
    graph: &GraphClient,
    now: Timestamp,
    days: u32,
) -> Result<Vec<AppUsage>, Error> {
    let since = now - Duration::from_secs(u64::from(days) * 24 * 60 * 60);
    let sign_ins = sign_ins(graph, since).await?;
    let mut members: HashMap<String, Vec<String>> = HashMap::new();
    let mut report = Vec::new();

    let apps = graph
        .service_principals()
        .list()
        .select((ServicePrincipal::APP_ID, ServicePrincipal::DISPLAY_NAME));
    let mut apps = apps.items();
    while let Some(app) = apps.try_next().await? {
        let assignments = graph
            .service_principal(&app.id)
            .app_role_assigned_to()
            .list()
            .select((
                AppRoleAssignment::PRINCIPAL_ID,
                AppRoleAssignment::PRINCIPAL_TYPE,
            ));
        let mut assigned = HashSet::new();
        for assignment in assignments.items().try_collect::<Vec<_>>().await? {
            let Some(id) = assignment.principal_id else {
                continue;
            };
            match assignment.principal_type.as_deref() {
                Some("User") => {
                    assigned.insert(id);
                }
                Some("Group") => {
                    if !members.contains_key(&id) {
                        members.insert(id.clone(), users_of_group(graph, &id).await?);
                    }
                    assigned.extend(members.get(&id).into_iter().flatten().cloned());
                }
                _ => {} // an application
            }
        }
        let none = HashMap::new();
        let app_id = app.app_id.unwrap_or_default();
        let active = sign_ins.get(&app_id).unwrap_or(&none);
        if !assigned.is_empty() || !active.is_empty() {
            report.push(AppUsage {
                name: app.display_name.unwrap_or(app_id),
                assigned: assigned.len(),
                active: active.len(),
                idle: assigned
                    .iter()
                    .filter(|id| !active.contains_key(*id))
                    .count(),
                last_sign_in: active.values().max().copied(),
            });
        }
    }
    report.sort_by(|a, b| (b.idle, b.assigned, &a.name).cmp(&(a.idle, a.assigned, &b.name)));
    Ok(report)
}

/// The last successful sign-in of each user, by app.
async fn sign_ins(
    graph: &GraphClient,
    since: Timestamp,
) -> Result<HashMap<String, HashMap<String, Timestamp>>, Error> {
    let mut found: HashMap<String, HashMap<String, Timestamp>> = HashMap::new();
    let sign_ins = graph.audit_logs().sign_ins().list();
    let sign_ins = sign_ins.filter(SignIn::CREATED_DATE_TIME.ge(since));
    let mut sign_ins = sign_ins.items();
    while let Some(sign_in) = sign_ins.try_next().await? {
        let is_success = sign_in.is_success();
        let (Some(app), Some(user), Some(at)) =
            (sign_in.app_id, sign_in.user_id, sign_in.created_date_time)
        else {
            continue;
        };
        if is_success {
            let last = found.entry(app).or_default().entry(user).or_insert(at);
            *last = at.max(*last);
        }
    }
    Ok(found)
}

/// The users among the direct members: Entra does not pass an assignment on to nested groups.
async fn users_of_group(graph: &GraphClient, id: &str) -> Result<Vec<String>, Error> {
    let members = graph.group(id).members().list();
    let members = members.select(DirectoryObject::DISPLAY_NAME).items();
    let members = members.try_collect::<Vec<_>>().await?;
    let users = members.iter().filter_map(DirectoryObject::as_user);
    Ok(users.map(|user| user.id.clone()).collect())
}

/// Writes the report as a table.
pub(crate) fn write(report: &[AppUsage], out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:<30}{:>14}{:>15}{:>18}  Last sign-in",
        "App", "Assigned users", "Active in app", "Idle assignments"
    )?;
    for app in report {
        // Control characters in a name could steer the terminal.
        let name = app.name.replace(char::is_control, "\u{fffd}");
        let last = app.last_sign_in.map(|at| at.date().to_string());
        writeln!(
            out,
            "{name:<30.29}{:>14}{:>15}{:>18}  {}",
            app.assigned,
            app.active,
            app.idle,
            last.as_deref().unwrap_or("none")
        )?;
    }
    Ok(())
}
