//! From what was read to what is reported: no requests, no output, only counting.
//!
//! How it counts: people are users (disabled ones and guests included), each once per app, whether
//! assigned directly or as a direct member of an assigned group. Entra does not pass an assignment
//! on to nested groups. Devices and service principals are not people.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use entra_core::{Timestamp, time::Date};

/// What was read of the tenant.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) tenant_id: String,
    pub(crate) tenant_name: String,
    pub(crate) window: Window,
    pub(crate) apps: Vec<App>,
    /// Every group that is assigned to an app, once.
    pub(crate) groups: HashMap<String, Group>,
    pub(crate) people: People,
    /// Absent when the tenant may not read its sign-in log (no P1).
    pub(crate) sign_ins: Option<SignIns>,
    pub(crate) gaps: Gaps,
}

/// What could be read in part only, so that the report can say so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gaps {
    /// Objects that came back as id and type alone.
    pub(crate) limited: usize,
    /// Objects deleted while the report was made.
    pub(crate) gone: usize,
}

/// The days of the sign-in log that are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// What was asked for; the log may keep less.
    pub(crate) asked: u32,
    pub(crate) days: u32,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// An application as it stands in the tenant (its service principal).
#[derive(Debug, Default)]
pub(crate) struct App {
    pub(crate) app_id: String,
    pub(crate) name: String,
    pub(crate) publisher: Option<String>,
    /// Whether it is tagged as an integrated application.
    pub(crate) integrated: bool,
    pub(crate) assignees: Vec<Assignee>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Assignee {
    Person(Person),
    /// The id of a group.
    Group(String),
    /// A service principal, as when an application has a permission.
    NotAPerson,
}

#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) name: String,
    /// Its direct members, people only.
    pub(crate) members: Vec<Person>,
}

/// A person as a small number: one app of a large tenant has many thousands of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Person(u32);

/// Everybody met so far, each once, with the name they were seen under.
#[derive(Debug, Default)]
pub(crate) struct People {
    by_id: HashMap<String, Person>,
    names: Vec<String>,
}

/// The sign-in log of the window, added up while it is read.
#[derive(Debug, Default)]
pub(crate) struct SignIns {
    apps: HashMap<String, AppSignIns>,
    per_day: BTreeMap<Date, usize>,
}

/// The sign-ins to one app, failed ones too: a failed one shows that the app is there.
#[derive(Debug, Default)]
struct AppSignIns {
    last_success: HashMap<Person, Timestamp>,
}

/// What the report says, ready to be printed.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) tenant_id: String,
    pub(crate) tenant_name: String,
    pub(crate) window: Window,
    pub(crate) apps: Vec<AppUsage>,
    /// Different people with at least one assignment.
    pub(crate) assigned_people: usize,
    /// Different people with a successful sign-in; absent without a log.
    pub(crate) active_people: Option<usize>,
    /// Successful sign-ins of each day of the window; empty without a log.
    pub(crate) per_day: Vec<(Date, usize)>,
    pub(crate) gaps: Gaps,
}

/// One app. What the sign-in log would tell is absent without it.
#[derive(Debug, PartialEq)]
pub(crate) struct AppUsage {
    pub(crate) app_id: String,
    pub(crate) name: String,
    pub(crate) publisher: Option<String>,
    pub(crate) assigned: usize,
    /// People with a successful sign-in, assigned or not.
    pub(crate) active: Option<usize>,
    /// People who are assigned and not active.
    pub(crate) idle: Option<usize>,
    pub(crate) last_sign_in: Option<Timestamp>,
    /// The first [`PEOPLE_SHOWN`] of its people, idle ones first.
    pub(crate) people: Vec<PersonUsage>,
    pub(crate) people_total: usize,
}

#[derive(Debug, PartialEq)]
pub(crate) struct PersonUsage {
    pub(crate) name: String,
    pub(crate) via: Via,
    pub(crate) last_sign_in: Option<Timestamp>,
}

/// How a person came to an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    Direct,
    /// The name of the first assigned group they are in.
    Group(String),
    /// Not assigned at all, but signed in.
    Unassigned,
}

/// Sums over all apps; a person counts once for each app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) assigned: usize,
    pub(crate) active: usize,
    pub(crate) idle: usize,
    /// Apps to which nobody signed in.
    pub(crate) unused_apps: usize,
}

impl Window {
    /// The `asked` days up to now, or as many of them as the log keeps.
    pub(crate) fn ending(now: Timestamp, asked: u32) -> Self {
        let days = asked.min(LOG_RETENTION_DAYS);
        Self {
            asked,
            days,
            from: now - Duration::from_secs(u64::from(days) * 24 * 60 * 60),
            to: now,
        }
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.asked > self.days
    }

    /// How the report calls somebody without an entry: the log cannot say "never".
    pub(crate) fn not_seen(&self) -> String {
        format!("not seen in {} days (interactive)", self.days)
    }
}

impl People {
    pub(crate) fn add(&mut self, id: &str, name: Option<&str>) -> Person {
        if let Some(&person) = self.by_id.get(id) {
            if let (Some(name), Some(known)) = (name, self.names.get_mut(person.0 as usize))
                && known.is_empty()
            {
                name.clone_into(known);
            }
            return person;
        }
        let person = Person(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.by_id.insert(id.to_owned(), person);
        self.names.push(name.unwrap_or_default().to_owned());
        person
    }

    fn name(&self, person: Person) -> &str {
        match self.names.get(person.0 as usize).map(String::as_str) {
            None | Some("") => "(name not visible)",
            Some(name) => name,
        }
    }
}

impl SignIns {
    pub(crate) fn succeeded(&mut self, app_id: &str, person: Person, at: Timestamp) {
        let last = &mut self.app(app_id).last_success;
        let last = last.entry(person).or_insert(at);
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
    /// Counts.
    pub(crate) fn of(facts: &Facts) -> Self {
        let mut everybody = HashSet::new();
        let mut apps: Vec<AppUsage> = facts
            .apps
            .iter()
            .filter(|app| app.is_reported(facts.sign_ins.as_ref()))
            .map(|app| {
                let assigned = app.assigned_people(&facts.groups);
                everybody.extend(assigned.keys().copied());
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
            assigned_people: everybody.len(),
            active_people: facts.sign_ins.as_ref().map(|log| log.active_people(&known)),
            per_day: facts
                .sign_ins
                .as_ref()
                .map(|log| log.days(facts.window))
                .unwrap_or_default(),
            gaps: facts.gaps,
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        self.apps.iter().fold(Totals::default(), |sum, app| Totals {
            assigned: sum.assigned + app.assigned,
            active: sum.active + app.active.unwrap_or_default(),
            idle: sum.idle + app.idle.unwrap_or_default(),
            unused_apps: sum.unused_apps + usize::from(app.active == Some(0)),
        })
    }

    pub(crate) fn has_sign_ins(&self) -> bool {
        self.active_people.is_some()
    }

    /// What a reader must know to read the numbers right, one sentence each.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.has_sign_ins() {
            notes.push(
                "This tenant has no Entra ID P1 or P2, so Microsoft Graph does not give out its sign-in log: \
                 who is assigned is complete, who is active, idle and last signed in is unknown."
                    .to_owned(),
            );
        } else if self.window.is_cut() {
            notes.push(format!(
                "{} days were asked for, but the sign-in log keeps {LOG_RETENTION_DAYS} days: the report covers those.",
                self.window.asked
            ));
        }
        if self.gaps.limited > 0 {
            notes.push(format!(
                "{} came back with id and type only, as the application may not read more of them. People among them are \
                 counted; grant what reads them, such as User.ReadBasic.All for people, to see names.",
                objects(self.gaps.limited)
            ));
        }
        if self.gaps.gone > 0 {
            notes.push(format!(
                "{} disappeared while the report was made and {} left out.",
                objects(self.gaps.gone),
                if self.gaps.gone == 1 { "is" } else { "are" }
            ));
        }
        notes
    }
}

impl AppUsage {
    fn of(app: &App, assigned: &HashMap<Person, Via>, facts: &Facts) -> Self {
        let none = HashMap::new();
        let seen = match &facts.sign_ins {
            Some(log) => log.app_last(&app.app_id).unwrap_or(&none),
            None => &none,
        };
        let idle = assigned
            .keys()
            .filter(|person| !seen.contains_key(person))
            .count();

        let mut people: Vec<(Person, &Via)> = assigned
            .iter()
            .map(|(&person, via)| (person, via))
            .collect();
        people.extend(
            seen.keys()
                .filter(|person| !assigned.contains_key(person))
                .map(|&person| (person, &Via::Unassigned)),
        );
        people.sort_by_cached_key(|(person, _)| {
            (
                seen.get(person).copied(),
                facts.people.name(*person).to_lowercase(),
                *person,
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
            people_total: people.len(),
            people: people
                .into_iter()
                .take(PEOPLE_SHOWN)
                .map(|(person, via)| PersonUsage {
                    name: facts.people.name(person).to_owned(),
                    via: via.clone(),
                    last_sign_in: seen.get(&person).copied(),
                })
                .collect(),
        }
    }

    /// People who are active without being assigned.
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

    fn assigned_people(&self, groups: &HashMap<String, Group>) -> HashMap<Person, Via> {
        let mut people = HashMap::new();
        for assignee in &self.assignees {
            match assignee {
                Assignee::Person(person) => {
                    people.insert(*person, Via::Direct);
                }
                Assignee::Group(id) => {
                    let Some(group) = groups.get(id) else {
                        continue;
                    };
                    for member in &group.members {
                        people
                            .entry(*member)
                            .or_insert_with(|| Via::Group(group.name.clone()));
                    }
                }
                Assignee::NotAPerson => {}
            }
        }
        people
    }
}

impl SignIns {
    /// Who signed in to an app and when last; absent when there was not even a failed attempt.
    fn app_last(&self, app_id: &str) -> Option<&HashMap<Person, Timestamp>> {
        self.apps
            .get(&app_id.to_ascii_lowercase())
            .map(|app| &app.last_success)
    }

    fn active_people(&self, apps: &HashSet<String>) -> usize {
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

/// How long Entra keeps sign-ins with P1 or P2; without either they cannot be read at all.
pub(crate) const LOG_RETENTION_DAYS: u32 = 30;
/// The report stays a file that a browser opens at once, however large the tenant.
pub(crate) const PEOPLE_SHOWN: usize = 50;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
