//! Computes the report from what was read: no requests, no output.
//!
//! Counts each user once per app, disabled users and guests included, whether assigned directly or as a
//! direct member of an assigned group. Entra does not pass an assignment on to nested groups. Devices and
//! service principals are not counted.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use entra_auth::entra_core::{Timestamp, time::Date};

/// The data that was read from the tenant.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) tenant_id: String,
    pub(crate) tenant_name: String,
    pub(crate) window: Window,
    pub(crate) apps: Vec<App>,
    /// The application that reads the report.
    pub(crate) own_app_id: Option<String>,
    /// Each group that is assigned to an app.
    pub(crate) groups: HashMap<String, Group>,
    pub(crate) users: Users,
    /// `None` if the tenant has no licence for its sign-in log.
    pub(crate) sign_ins: Option<SignIns>,
    pub(crate) gaps: Gaps,
}

/// Objects that could not be read completely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gaps {
    /// Objects of which Graph returned only ID and type.
    pub(crate) limited: usize,
    /// Objects deleted while the report was read.
    pub(crate) gone: usize,
}

/// The part of the sign-in log that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// The days that were requested; the log may have fewer.
    pub(crate) requested: u32,
    pub(crate) days: u32,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// An application in the tenant (its service principal).
#[derive(Debug, Default)]
pub(crate) struct App {
    pub(crate) app_id: String,
    pub(crate) name: String,
    pub(crate) publisher: Option<String>,
    /// Whether it is tagged as an integrated application.
    pub(crate) integrated: bool,
    /// Whether it belongs to Microsoft, as Microsoft Graph does.
    pub(crate) is_microsoft: bool,
    pub(crate) assignees: Vec<Assignee>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Assignee {
    User(UserIndex),
    /// The ID of a group.
    Group(String),
    /// A service principal, as when an application has a permission.
    Application,
}

#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) name: String,
    /// The users among its direct members.
    pub(crate) members: Vec<UserIndex>,
}

/// A user as a small number, since a large tenant has many thousands of assignments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct UserIndex(u32);

/// All users found so far and their names.
#[derive(Debug, Default)]
pub(crate) struct Users {
    by_id: HashMap<String, UserIndex>,
    names: Vec<String>,
}

/// The sign-ins of the window, added up while they are read.
#[derive(Debug, Default)]
pub(crate) struct SignIns {
    apps: HashMap<String, AppSignIns>,
    per_day: BTreeMap<Date, usize>,
}

/// The sign-ins to one app. An app with failed sign-ins only has an entry too.
#[derive(Debug, Default)]
struct AppSignIns {
    last_success: HashMap<UserIndex, Timestamp>,
}

/// The report, ready to be printed.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) tenant_id: String,
    pub(crate) tenant_name: String,
    pub(crate) window: Window,
    pub(crate) apps: Vec<AppUsage>,
    /// Users with at least one assignment, each counted once.
    pub(crate) assigned_users: usize,
    /// Users with a successful sign-in to at least one app, each counted once. `None` without a log.
    pub(crate) active_users: Option<usize>,
    /// Successful sign-ins of each day of the window; empty without a log.
    pub(crate) per_day: Vec<(Date, usize)>,
    pub(crate) gaps: Gaps,
}

/// One app. The figures of the sign-in log are `None` without it.
#[derive(Debug, PartialEq)]
pub(crate) struct AppUsage {
    pub(crate) app_id: String,
    pub(crate) name: String,
    pub(crate) publisher: Option<String>,
    pub(crate) assigned: usize,
    /// Users with a successful sign-in, assigned or not.
    pub(crate) active: Option<usize>,
    /// Users who are assigned and not active.
    pub(crate) idle: Option<usize>,
    pub(crate) last_sign_in: Option<Timestamp>,
    /// Whether it has no users because it is an API of Microsoft or the application that reads the report.
    pub(crate) is_background: bool,
    /// The first [`USERS_SHOWN`] users, idle ones first.
    pub(crate) users: Vec<UserUsage>,
    pub(crate) users_total: usize,
}

#[derive(Debug, PartialEq)]
pub(crate) struct UserUsage {
    pub(crate) name: String,
    pub(crate) via: Via,
    pub(crate) last_sign_in: Option<Timestamp>,
}

/// How a user is assigned to an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    Direct,
    /// The name of an assigned group with this member.
    Group(String),
    /// Not assigned, but signed in.
    Unassigned,
}

/// Sums over all apps; a user counts once for each app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) assigned: usize,
    pub(crate) active: usize,
    pub(crate) idle: usize,
    /// Apps without a successful sign-in.
    pub(crate) unused_apps: usize,
}

impl Window {
    /// The `requested` days up to now, or as many of them as the log has.
    pub(crate) fn ending(now: Timestamp, requested: u32) -> Self {
        let days = requested.min(LOG_RETENTION_DAYS);
        Self {
            requested,
            days,
            from: now - Duration::from_secs(u64::from(days) * 24 * 60 * 60),
            to: now,
        }
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.requested > self.days
    }

    /// The text for a user without an entry. The log cannot tell that a user never signed in.
    pub(crate) fn not_seen(&self) -> String {
        format!("not seen in {} days (interactive)", self.days)
    }
}

impl Users {
    pub(crate) fn add(&mut self, id: &str, name: Option<&str>) -> UserIndex {
        if let Some(&user) = self.by_id.get(id) {
            if let (Some(name), Some(known)) = (name, self.names.get_mut(user.0 as usize))
                && known.is_empty()
            {
                name.clone_into(known);
            }
            return user;
        }
        let user = UserIndex(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.by_id.insert(id.to_owned(), user);
        self.names.push(name.unwrap_or_default().to_owned());
        user
    }

    fn name(&self, user: UserIndex) -> &str {
        match self.names.get(user.0 as usize).map(String::as_str) {
            None | Some("") => "(name not visible)",
            Some(name) => name,
        }
    }
}

impl SignIns {
    pub(crate) fn succeeded(&mut self, app_id: &str, user: UserIndex, at: Timestamp) {
        let last = &mut self.app(app_id).last_success;
        let last = last.entry(user).or_insert(at);
        *last = at.max(*last);
        *self.per_day.entry(at.date()).or_default() += 1;
    }

    pub(crate) fn failed(&mut self, app_id: &str) {
        self.app(app_id);
    }

    fn app(&mut self, app_id: &str) -> &mut AppSignIns {
        self.apps.entry(app_id.to_ascii_lowercase()).or_default()
    }
}

impl Report {
    /// Computes the report.
    pub(crate) fn of(facts: &Facts) -> Self {
        let mut assigned_users = HashSet::new();
        let mut apps: Vec<AppUsage> = facts
            .apps
            .iter()
            .filter(|app| app.is_reported(facts.sign_ins.as_ref()))
            .map(|app| {
                let assigned = app.assigned_users(&facts.groups);
                assigned_users.extend(assigned.keys().copied());
                AppUsage::of(app, &assigned, facts)
            })
            .collect();
        apps.sort_by_cached_key(|app| {
            (
                std::cmp::Reverse((app.idle, app.assigned)),
                app.name.to_lowercase(),
                app.app_id.clone(),
            )
        });
        let known: HashSet<String> = apps
            .iter()
            .map(|app| app.app_id.to_ascii_lowercase())
            .collect();
        Self {
            tenant_id: facts.tenant_id.clone(),
            tenant_name: facts.tenant_name.clone(),
            window: facts.window,
            apps,
            assigned_users: assigned_users.len(),
            active_users: facts.sign_ins.as_ref().map(|log| log.active_users(&known)),
            per_day: facts
                .sign_ins
                .as_ref()
                .map(|log| log.days(facts.window))
                .unwrap_or_default(),
            gaps: facts.gaps,
        }
    }

    /// The apps for users. Microsoft Graph and the application that reads the report have no
    /// users.
    pub(crate) fn user_apps(&self) -> impl Iterator<Item = &AppUsage> {
        self.apps.iter().filter(|app| !app.is_background)
    }

    pub(crate) fn totals(&self) -> Totals {
        self.user_apps().fold(Totals::default(), |sum, app| Totals {
            assigned: sum.assigned + app.assigned,
            active: sum.active + app.active.unwrap_or_default(),
            idle: sum.idle + app.idle.unwrap_or_default(),
            unused_apps: sum.unused_apps + usize::from(app.active == Some(0)),
        })
    }

    pub(crate) fn has_sign_ins(&self) -> bool {
        self.active_users.is_some()
    }

    /// What a reader must know about the figures, one note each.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.has_sign_ins() {
            notes.push(
                "This tenant has no Entra ID P1 or P2, so Microsoft Graph does not return its sign-in log: \
                 assignments are complete; active users, idle assignments and last sign-ins are unknown."
                    .to_owned(),
            );
        } else if self.window.is_cut() {
            notes.push(format!(
                "{} days were requested, but the sign-in log goes back {LOG_RETENTION_DAYS} days: the report covers those.",
                self.window.requested
            ));
        }
        if self.apps.iter().any(|app| app.is_background) {
            notes.push(
                "APIs of Microsoft and the application that reads this report are not listed: they have no users."
                    .to_owned(),
            );
        }
        if self.gaps.limited > 0 {
            notes.push(format!(
                "Microsoft Graph returned {} with ID and type only, since the application lacks a permission. Users among \
                 them are counted; to see names, grant a permission such as User.ReadBasic.All.",
                objects(self.gaps.limited)
            ));
        }
        if self.gaps.gone > 0 {
            notes.push(format!(
                "{} {} deleted while the report was read and left out.",
                objects(self.gaps.gone),
                if self.gaps.gone == 1 { "was" } else { "were" }
            ));
        }
        notes
    }
}

impl Facts {
    fn is_own(&self, app: &App) -> bool {
        self.own_app_id
            .as_deref()
            .is_some_and(|own| own.eq_ignore_ascii_case(&app.app_id))
    }
}

impl AppUsage {
    fn of(app: &App, assigned: &HashMap<UserIndex, Via>, facts: &Facts) -> Self {
        let none = HashMap::new();
        let seen = match &facts.sign_ins {
            Some(log) => log.app_last(&app.app_id).unwrap_or(&none),
            None => &none,
        };
        let idle = assigned
            .keys()
            .filter(|user| !seen.contains_key(user))
            .count();

        let mut users: Vec<(UserIndex, &Via)> =
            assigned.iter().map(|(&user, via)| (user, via)).collect();
        users.extend(
            seen.keys()
                .filter(|user| !assigned.contains_key(user))
                .map(|&user| (user, &Via::Unassigned)),
        );
        users.sort_by_cached_key(|(user, _)| {
            (
                seen.get(user).copied(),
                facts.users.name(*user).to_lowercase(),
                *user,
            )
        });
        Self {
            app_id: app.app_id.clone(),
            name: app.name.clone(),
            publisher: app.publisher.clone(),
            assigned: assigned.len(),
            active: facts.sign_ins.as_ref().map(|_| seen.len()),
            idle: facts.sign_ins.as_ref().map(|_| idle),
            last_sign_in: seen.values().max().copied(),
            is_background: (app.is_microsoft || facts.is_own(app)) && users.is_empty(),
            users_total: users.len(),
            users: users
                .into_iter()
                .take(USERS_SHOWN)
                .map(|(user, via)| UserUsage {
                    name: facts.users.name(user).to_owned(),
                    via: via.clone(),
                    last_sign_in: seen.get(&user).copied(),
                })
                .collect(),
        }
    }

    /// Users who are active without an assignment.
    pub(crate) fn unassigned(&self) -> usize {
        let used = self.assigned.saturating_sub(self.idle.unwrap_or_default());
        self.active.map_or(0, |active| active.saturating_sub(used))
    }

    pub(crate) fn name(&self) -> &str {
        if self.name.is_empty() {
            &self.app_id
        } else {
            &self.name
        }
    }
}

impl App {
    fn is_reported(&self, log: Option<&SignIns>) -> bool {
        self.integrated
            || !self.assignees.is_empty()
            || log.is_some_and(|log| log.app_last(&self.app_id).is_some())
    }

    fn assigned_users(&self, groups: &HashMap<String, Group>) -> HashMap<UserIndex, Via> {
        let mut users = HashMap::new();
        for assignee in &self.assignees {
            match assignee {
                Assignee::User(user) => {
                    users.insert(*user, Via::Direct);
                }
                Assignee::Group(id) => {
                    let Some(group) = groups.get(id) else {
                        continue;
                    };
                    for member in &group.members {
                        users
                            .entry(*member)
                            .or_insert_with(|| Via::Group(group.name.clone()));
                    }
                }
                Assignee::Application => {}
            }
        }
        users
    }
}

impl SignIns {
    /// The last sign-in of each user to an app. `None` if there was no attempt, failed ones included.
    fn app_last(&self, app_id: &str) -> Option<&HashMap<UserIndex, Timestamp>> {
        self.apps
            .get(&app_id.to_ascii_lowercase())
            .map(|app| &app.last_success)
    }

    fn active_users(&self, apps: &HashSet<String>) -> usize {
        self.apps
            .iter()
            .filter(|(app_id, _)| apps.contains(*app_id))
            .flat_map(|(_, app)| app.last_success.keys())
            .collect::<HashSet<_>>()
            .len()
    }

    fn days(&self, window: Window) -> Vec<(Date, usize)> {
        let mut days = Vec::new();
        let mut day = Some(window.from.date());
        while let Some(date) = day.filter(|date| *date <= window.to.date()) {
            days.push((date, self.per_day.get(&date).copied().unwrap_or_default()));
            day = date.next_day();
        }
        days
    }
}

fn objects(count: usize) -> String {
    if count == 1 {
        "1 object".to_owned()
    } else {
        format!("{count} objects")
    }
}

/// How long Entra stores sign-ins with P1 or P2. Without either they cannot be read.
pub(crate) const LOG_RETENTION_DAYS: u32 = 30;
/// Limits the size of the page in a large tenant.
pub(crate) const USERS_SHOWN: usize = 50;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
