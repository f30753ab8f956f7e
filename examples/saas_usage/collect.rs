//! Reads the data of the report with as few requests as Graph allows.
//!
//! One list has the apps, one per app its assignments, one per assigned group its members (pages of 999, twenty lists in
//! a batch), and one the sign-ins (pages of 1,000). Users are not listed: each row about a user has ID and name.

use std::{collections::HashMap, error::Error};

use super::{
    pace::Pace,
    progress::Progress,
    tenant::Connection,
    text::{counted, number},
    usage::{App, Assignee, Facts, Gaps, Group, SignIns, Users, Window},
};
use entra_graph::{
    AppRoleAssignment, DirectoryObject, Organization, ServicePrincipal, SignIn,
    query::{Entity, List},
};

/// Reads the data that the report is computed from.
pub(crate) async fn collect(
    connection: &Connection,
    days: u32,
    progress: &Progress,
) -> Result<Facts, Box<dyn Error>> {
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
    let sign_ins = reader.sign_ins(window, &mut found.users).await?;

    Ok(Facts {
        tenant_id,
        tenant_name,
        own_app_id: Some(connection.client_id.to_string()),
        window,
        apps,
        groups,
        users: found.users,
        sign_ins,
        gaps: found.gaps,
    })
}

/// Found in more than one list.
#[derive(Default)]
struct Found {
    users: Users,
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
    async fn organization(&self) -> Result<(String, String), Box<dyn Error>> {
        let rows = self
            .all(
                self.connection
                    .graph
                    .organization()
                    .list()
                    .select(Organization::DISPLAY_NAME),
            )
            .await?;
        match rows.into_iter().next() {
            Some(row) => Ok((row.id, row.display_name.unwrap_or_default())),
            None => Err("Microsoft Graph returned no organization".into()),
        }
    }

    /// The applications of the tenant with their assignments.
    async fn apps(&self, found: &mut Found) -> Result<Vec<App>, entra_graph::Error> {
        let graph = &self.connection.graph;
        let list = graph.service_principals().list().select((
            ServicePrincipal::APP_ID,
            ServicePrincipal::DISPLAY_NAME,
            ServicePrincipal::VERIFIED_PUBLISHER,
            ServicePrincipal::TAGS,
            ServicePrincipal::APP_OWNER_ORGANIZATION_ID,
        ));
        let principals = self.all(list).await?;
        found.gaps.limited += principals.iter().filter(|row| row.is_limited()).count();

        let total = principals.len();
        let mut apps = Vec::with_capacity(total);
        for principals in chunks(principals) {
            let lists = principals.iter().map(|principal| {
                let assigned = graph
                    .service_principal(&principal.id)
                    .app_role_assigned_to();
                assigned.list().select((
                    AppRoleAssignment::PRINCIPAL_ID,
                    AppRoleAssignment::PRINCIPAL_TYPE,
                    AppRoleAssignment::PRINCIPAL_DISPLAY_NAME,
                ))
            });
            let responses = self.together(lists.collect()).await;
            for (principal, assigned) in principals.into_iter().zip(responses) {
                match assigned {
                    Ok(assigned) => apps.push(app(principal, assigned, found)),
                    // It was deleted between the two requests.
                    Err(error) if error.is_not_found() => found.gaps.gone += 1,
                    Err(error) => return Err(error),
                }
            }
            self.progress.say(&format!(
                "assignments of {} of {}",
                number(apps.len()),
                counted(total, "app", "apps")
            ));
        }
        Ok(apps)
    }

    /// The direct members of each assigned group, read once per group.
    async fn groups(
        &self,
        found: &mut Found,
    ) -> Result<HashMap<String, Group>, entra_graph::Error> {
        let names = std::mem::take(&mut found.group_names);
        let total = names.len();
        let mut groups = HashMap::with_capacity(total);
        for names in chunks(names.into_iter().collect()) {
            let lists = names.iter().map(|(id, _)| {
                let members = self.connection.graph.group(id).members().list();
                members.select(DirectoryObject::DISPLAY_NAME)
            });
            let responses = self.together(lists.collect()).await;
            for ((id, name), members) in names.into_iter().zip(responses) {
                let members = match members {
                    Ok(members) => members,
                    Err(error) if error.is_not_found() => {
                        found.gaps.gone += 1;
                        Vec::new()
                    }
                    Err(error) => return Err(error),
                };
                found.gaps.limited += members.iter().filter(|row| row.is_limited()).count();
                let members = members
                    .iter()
                    .filter_map(DirectoryObject::as_user)
                    .map(|user| found.users.add(&user.id, user.display_name.as_deref()))
                    .collect();
                groups.insert(id, Group { name, members });
            }
            self.progress.say(&format!(
                "members of {} of {}",
                number(groups.len()),
                counted(total, "group", "groups")
            ));
        }
        Ok(groups)
    }

    /// The sign-ins of the window. Returns `None` if the tenant has no licence for them.
    async fn sign_ins(
        &self,
        window: Window,
        users: &mut Users,
    ) -> Result<Option<SignIns>, entra_graph::Error> {
        let mut log = SignIns::default();
        let mut read = 0;
        let list = self.connection.graph.audit_logs().sign_ins().list();
        let list = list.filter(SignIn::CREATED_DATE_TIME.ge(window.from));
        let outcome = self
            .each_page(list, &self.reports, |rows| {
                read += rows.len();
                for row in rows {
                    add(row, &mut log, users);
                }
                self.progress.say(&counted(read, "sign-in", "sign-ins"));
            })
            .await;
        match outcome {
            Ok(()) => Ok(Some(log)),
            Err(error) if error.is_license_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads lists to their ends, twenty in one request. Each of them counts against the limit.
    async fn together<E: Entity>(
        &self,
        lists: Vec<List<E>>,
    ) -> Vec<Result<Vec<E>, entra_graph::Error>> {
        for _ in &lists {
            self.directory.wait(&*self.connection.clock).await;
        }
        self.connection.graph.read_lists(lists).await
    }

    async fn all<E: Entity>(&self, list: List<E>) -> Result<Vec<E>, entra_graph::Error> {
        let mut all = Vec::new();
        self.each_page(list, &self.directory, |rows| all.extend(rows))
            .await?;
        Ok(all)
    }

    /// Reads one page after the other within the documented limit.
    async fn each_page<E: Entity>(
        &self,
        list: List<E>,
        pace: &Pace,
        mut take: impl FnMut(Vec<E>),
    ) -> Result<(), entra_graph::Error> {
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

fn chunks<T>(rows: Vec<T>) -> Vec<Vec<T>> {
    let mut rows = rows.into_iter();
    let mut chunks = Vec::new();
    loop {
        let chunk: Vec<T> = rows.by_ref().take(TOGETHER).collect();
        if chunk.is_empty() {
            return chunks;
        }
        chunks.push(chunk);
    }
}

fn app(principal: ServicePrincipal, assigned: Vec<AppRoleAssignment>, found: &mut Found) -> App {
    App {
        app_id: principal.app_id.unwrap_or_default(),
        name: principal.display_name.unwrap_or_default(),
        publisher: principal
            .verified_publisher
            .and_then(|publisher| publisher.display_name),
        is_microsoft: principal
            .app_owner_organization_id
            .is_some_and(|owner| owner.eq_ignore_ascii_case(MICROSOFT_SERVICES)),
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
        Some("User") => Assignee::User(
            found
                .users
                .add(&id, assignment.principal_display_name.as_deref()),
        ),
        Some("Group") => {
            let name = assignment.principal_display_name.unwrap_or_default();
            found.group_names.insert(id.clone(), name);
            Assignee::Group(id)
        }
        _ => Assignee::Application,
    }
}

fn add(sign_in: SignIn, log: &mut SignIns, users: &mut Users) {
    let succeeded = sign_in.is_success();
    let Some(app_id) = sign_in.app_id else { return };
    match (sign_in.user_id, sign_in.created_date_time) {
        (Some(user), Some(at)) if succeeded && !user.is_empty() => {
            let user = users.add(&user, sign_in.user_display_name.as_deref());
            log.succeeded(&app_id, user, at);
        }
        _ => log.failed(&app_id),
    }
}

/// The lists that are read before the progress is shown: five batches.
const TOGETHER: usize = 100;
/// The tenant that owns Microsoft's own applications.
const MICROSOFT_SERVICES: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";
/// The tag of an enterprise application.
const INTEGRATED_APP: &str = "WindowsAzureActiveDirectoryIntegratedApp";
