//! Reads what the report needs, with as few requests as Graph allows.
//!
//! One request lists the apps, one for each app tells who is assigned, one for each assigned group
//! who is in it (999 rows each), and one reads a thousand sign-ins. People are not listed: every
//! row that names one carries id and name already.

use std::collections::HashMap;

use entra_graph::{
    AppRoleAssignment, DirectoryObject, Error, ServicePrincipal, SignIn,
    query::{Entity, List},
};
use futures_util::{StreamExt, stream};

use super::{
    pace::Pace,
    problem::Problem,
    progress::Progress,
    tenant::Connection,
    text::{counted, number},
    usage::{App, Assignee, Facts, Gaps, Group, People, SignIns, Window},
};

/// Everything that the report is computed from.
pub(crate) async fn collect(
    connection: &Connection,
    days: u32,
    progress: &Progress,
) -> Result<Facts, Problem> {
    let reader = Reader {
        connection,
        progress,
        directory: Pace::of_directory(),
        reports: Pace::of_reports(),
    };
    let window = Window::ending(connection.clock.now(), days);
    let mut found = Found::default();

    progress.say("reading the tenant");
    let (tenant_id, tenant_name) = reader.organization().await?;
    let apps = reader.apps(&mut found).await?;
    let groups = reader.groups(&mut found).await?;
    let sign_ins = reader.sign_ins(window, &mut found.people).await?;

    Ok(Facts {
        tenant_id,
        tenant_name,
        window,
        apps,
        groups,
        people: found.people,
        sign_ins,
        gaps: found.gaps,
    })
}

/// What is met on the way, whatever is being read.
#[derive(Default)]
struct Found {
    people: People,
    gaps: Gaps,
    group_names: HashMap<String, String>,
}

struct Reader<'a> {
    connection: &'a Connection,
    progress: &'a Progress,
    directory: Pace,
    reports: Pace,
}

impl Reader<'_> {
    async fn organization(&self) -> Result<(String, String), Problem> {
        let rows = self
            .all(self.connection.graph.organization().list())
            .await?;
        match rows.into_iter().next() {
            Some(row) => Ok((row.id, row.display_name.unwrap_or_default())),
            None => Err(Problem::new(
                "Microsoft Graph named no tenant at /organization",
            )),
        }
    }

    /// Every application of the tenant with its assignments.
    async fn apps(&self, found: &mut Found) -> Result<Vec<App>, Problem> {
        let graph = &self.connection.graph;
        let list = graph.service_principals().list().select((
            ServicePrincipal::APP_ID,
            ServicePrincipal::DISPLAY_NAME,
            ServicePrincipal::VERIFIED_PUBLISHER,
            ServicePrincipal::TAGS,
        ));
        let principals = self.all(list).await?;
        found.gaps.limited += principals.iter().filter(|row| row.is_limited()).count();

        let total = principals.len();
        let mut apps = Vec::with_capacity(total);
        let mut answers = stream::iter(principals.into_iter().map(|principal| async {
            let assigned = graph
                .service_principal(&principal.id)
                .app_role_assigned_to();
            let list = assigned.list().select((
                AppRoleAssignment::PRINCIPAL_ID,
                AppRoleAssignment::PRINCIPAL_TYPE,
                AppRoleAssignment::PRINCIPAL_DISPLAY_NAME,
            ));
            (principal, self.all(list).await)
        }))
        .buffer_unordered(AT_ONCE);
        while let Some((principal, assigned)) = answers.next().await {
            match assigned {
                Ok(assigned) => apps.push(app(principal, assigned, found)),
                // Deleted between the two requests.
                Err(error) if error.is_not_found() => found.gaps.gone += 1,
                Err(error) => return Err(error.into()),
            }
            self.progress.say(&format!(
                "assignments of {} of {}",
                number(apps.len()),
                counted(total, "app", "apps")
            ));
        }
        Ok(apps)
    }

    /// The direct members of each group that is assigned to any app, each group asked for once.
    async fn groups(&self, found: &mut Found) -> Result<HashMap<String, Group>, Problem> {
        let names = std::mem::take(&mut found.group_names);
        let total = names.len();
        let mut groups = HashMap::with_capacity(total);
        let mut answers = stream::iter(names.into_iter().map(|(id, name)| async {
            let list = self.connection.graph.group(&id).members().list();
            let members = self.all(list.select(DirectoryObject::DISPLAY_NAME)).await;
            (id, name, members)
        }))
        .buffer_unordered(AT_ONCE);
        while let Some((id, name, members)) = answers.next().await {
            let members = match members {
                Ok(members) => members,
                Err(error) if error.is_not_found() => {
                    found.gaps.gone += 1;
                    Vec::new()
                }
                Err(error) => return Err(error.into()),
            };
            found.gaps.limited += members.iter().filter(|row| row.is_limited()).count();
            let members = members
                .iter()
                .filter_map(DirectoryObject::as_user)
                .map(|user| found.people.add(&user.id, user.display_name.as_deref()))
                .collect();
            groups.insert(id, Group { name, members });
            self.progress.say(&format!(
                "members of {} of {}",
                number(groups.len()),
                counted(total, "group", "groups")
            ));
        }
        Ok(groups)
    }

    /// The sign-ins of the window, or nothing if the tenant's licence does not give them out.
    async fn sign_ins(
        &self,
        window: Window,
        people: &mut People,
    ) -> Result<Option<SignIns>, Problem> {
        let mut log = SignIns::default();
        let mut read = 0;
        let list = self.connection.graph.audit_logs().sign_ins().list();
        let list = list.filter(SignIn::CREATED_DATE_TIME.ge(window.from));
        let outcome = self
            .each_page(list, &self.reports, |rows| {
                read += rows.len();
                for row in rows {
                    add(row, &mut log, people);
                }
                self.progress.say(&counted(read, "sign-in", "sign-ins"));
            })
            .await;
        match outcome {
            Ok(()) => Ok(Some(log)),
            Err(error) if error.is_license_missing() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn all<E: Entity>(&self, list: List<E>) -> Result<Vec<E>, Error> {
        let mut all = Vec::new();
        self.each_page(list, &self.directory, |rows| all.extend(rows))
            .await?;
        Ok(all)
    }

    /// Pages come one after the other, as each names the next, and no faster than allowed.
    async fn each_page<E: Entity>(
        &self,
        list: List<E>,
        pace: &Pace,
        mut take: impl FnMut(Vec<E>),
    ) -> Result<(), Error> {
        let mut pages = list.pages();
        loop {
            pace.wait(&*self.connection.clock).await;
            let Some(page) = pages.try_next().await? else {
                return Ok(());
            };
            let last = page.is_last();
            take(page.items);
            if last {
                return Ok(());
            }
        }
    }
}

fn app(principal: ServicePrincipal, assigned: Vec<AppRoleAssignment>, found: &mut Found) -> App {
    App {
        app_id: principal.app_id.unwrap_or_default(),
        name: principal.display_name.unwrap_or_default(),
        publisher: principal
            .verified_publisher
            .and_then(|publisher| publisher.display_name),
        integrated: principal
            .tags
            .iter()
            .flatten()
            .any(|tag| tag == INTEGRATED_APP),
        assignees: assigned
            .into_iter()
            .map(|assignment| assignee(assignment, found))
            .collect(),
    }
}

fn assignee(assignment: AppRoleAssignment, found: &mut Found) -> Assignee {
    let id = assignment.principal_id.unwrap_or_default();
    match assignment.principal_type.as_deref() {
        Some("User") => Assignee::Person(
            found
                .people
                .add(&id, assignment.principal_display_name.as_deref()),
        ),
        Some("Group") => {
            let name = assignment.principal_display_name.unwrap_or_default();
            found.group_names.insert(id.clone(), name);
            Assignee::Group(id)
        }
        _ => Assignee::NotAPerson,
    }
}

fn add(sign_in: SignIn, log: &mut SignIns, people: &mut People) {
    let succeeded = sign_in.is_success();
    let Some(app_id) = sign_in.app_id else { return };
    match (sign_in.user_id, sign_in.created_date_time) {
        (Some(user), Some(at)) if succeeded && !user.is_empty() => {
            let person = people.add(&user, sign_in.user_display_name.as_deref());
            log.succeeded(&app_id, person, at);
        }
        _ => log.failed(&app_id),
    }
}

/// How many requests are under way at once: far below the limits of the directory service (3,500
/// units in 10 seconds for the smallest tenant), and enough not to wait for each round trip.
const AT_ONCE: usize = 8;
/// The tag of an app that was added from the gallery or as an integrated one.
const INTEGRATED_APP: &str = "WindowsAzureActiveDirectoryIntegratedApp";
