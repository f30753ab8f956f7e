//! A company of any size, the same for the same random seed.

use std::time::Duration;

use entra_core::Timestamp;

use super::names::{
    APP_FORMS, APP_SUBJECTS, DEPARTMENTS, GIVEN, OFFICES, PUBLISHERS, SURNAMES, SYSTEMS,
};
use crate::{
    directory::{Audit, NewUser, Visit, earlier, later},
    state::State,
    store::{Conflict, Kind, Relation},
};

/// Adds `count` people, and groups, devices, applications, assignments and sign-ins to match.
pub(super) fn fill(state: &mut State, now: Timestamp, count: usize) -> Result<(), Conflict> {
    let founded = earlier(now, 700 * DAY);
    let people = add_people(state, founded, count)?;
    let groups = add_groups(state, founded, &people)?;
    add_devices(state, founded, now, &people)?;
    let apps = add_apps(state, founded, count)?;
    add_audits(state, now, &people)?;
    let assigned = add_assignments(state, founded, &people, &groups, &apps)?;
    add_visits(state, now, &people, &apps, &assigned)
}

/// A generated person.
struct Person {
    id: String,
    disabled: bool,
    department: usize,
}

fn add_people(
    state: &mut State,
    founded: Timestamp,
    count: usize,
) -> Result<Vec<Person>, Conflict> {
    let offset = state.store.len(Kind::User);
    let mut people: Vec<Person> = Vec::with_capacity(count);
    // The first one generated in each department leads it, later ones report to somebody before.
    let mut leads: [Vec<usize>; DEPARTMENTS.len()] = Default::default();
    for number in 0..count {
        let (given, surname) = (state.random.word(&GIVEN), state.random.word(&SURNAMES));
        let at = state.random.index(DEPARTMENTS.len());
        let (department, titles) = DEPARTMENTS[at];
        let leads = &mut leads[at];
        let is_lead = number / (LED_BY_ONE * DEPARTMENTS.len()) >= leads.len();
        let guest = !is_lead && state.random.percent(3);
        let disabled = !is_lead && state.random.percent(5);
        // The number keeps names apart, the name keeps them readable.
        let alias = format!(
            "{}.{}{}",
            given.to_ascii_lowercase(),
            surname.to_ascii_lowercase(),
            offset + number
        );
        let title = if is_lead {
            titles[0]
        } else {
            titles[1 + state.random.index(titles.len() - 1)]
        };
        let hired = later(
            founded,
            Duration::from_secs(state.random.below(600 * 24 * 3600)),
        );
        let id = state.add_user(
            hired,
            &NewUser {
                display_name: &format!("{given} {surname}"),
                given_name: Some(given),
                surname: Some(surname),
                alias: &alias,
                department: Some(department).filter(|_| !guest),
                job_title: Some(title).filter(|_| !guest),
                office: Some(state.random.word(&OFFICES)).filter(|_| !guest),
                disabled,
                guest,
            },
        )?;
        if let Some(lead) = leads.last().and_then(|&lead| people.get(lead)) {
            state.store.link(Relation::Manager, &id, &lead.id);
        }
        if is_lead {
            leads.push(number);
        }
        people.push(Person {
            id,
            disabled,
            department: at,
        });
    }
    Ok(people)
}

/// A generated group with the numbers of its people.
struct Group {
    id: String,
    people: Vec<usize>,
}

fn add_groups(
    state: &mut State,
    founded: Timestamp,
    people: &[Person],
) -> Result<Vec<Group>, Conflict> {
    let mut groups: Vec<Group> = Vec::new();
    let first_number = state.store.len(Kind::Group);
    for number in 0..people.len().div_ceil(PEOPLE_PER_GROUP) {
        let (department, _) = DEPARTMENTS[number % DEPARTMENTS.len()];
        let name = format!("{department} team {}", first_number + number + 1);
        let id = state.add_group(founded, &name, Some(&format!("A team of {department}")))?;
        let mut group = Group {
            id,
            people: Vec::new(),
        };
        for _ in 0..10 + state.random.below(25) {
            let candidate = state.random.index(people.len());
            // Mostly people of that department, some from elsewhere.
            let fits = people[candidate].department == number % DEPARTMENTS.len()
                || state.random.percent(20);
            if fits
                && state
                    .store
                    .link(Relation::Members, &group.id, &people[candidate].id)
            {
                group.people.push(candidate);
            }
        }
        // One group in eight sits inside an earlier one.
        if number % 8 == 7 {
            let parent = state.random.index(groups.len());
            state
                .store
                .link(Relation::Members, &groups[parent].id, &group.id);
        }
        if let Some(&owner) = group.people.first() {
            state
                .store
                .link(Relation::Owners, &group.id, &people[owner].id);
        }
        groups.push(group);
    }
    Ok(groups)
}

fn add_devices(
    state: &mut State,
    founded: Timestamp,
    now: Timestamp,
    people: &[Person],
) -> Result<(), Conflict> {
    let first_number = state.store.len(Kind::Device);
    let mut number = first_number;
    for person in people {
        if state.random.percent(DEVICES_PER_HUNDRED) {
            number += 1;
            let (system, version) = SYSTEMS[state.random.index(SYSTEMS.len())];
            // One in ten has not been used for months.
            let days = if number.is_multiple_of(10) {
                120
            } else {
                u32::try_from(number % 14).unwrap_or(0)
            };
            state.add_device(
                (founded, earlier(now, DAY * days)),
                &format!("CONTOSO-{number:06}"),
                system,
                version,
                Some(&person.id),
            )?;
        }
    }
    Ok(())
}

fn add_apps(state: &mut State, founded: Timestamp, count: usize) -> Result<Vec<String>, Conflict> {
    let wanted = (count / PEOPLE_PER_APP).clamp(MIN_APPS, MAX_APPS);
    let mut apps = Vec::with_capacity(wanted);
    for number in 0..wanted {
        let subject = APP_SUBJECTS[number % APP_SUBJECTS.len()];
        let form = APP_FORMS[(number + number / APP_SUBJECTS.len()) % APP_FORMS.len()];
        // One in ten was written in-house: a registration of its own, not tagged as integrated.
        if number % 10 == 9 {
            apps.push(
                state
                    .add_app(founded, &format!("Internal {subject} {form}"))?
                    .service_principal_id,
            );
        } else {
            let publisher = state.random.word(&PUBLISHERS);
            apps.push(state.add_saas_app(&format!("{subject} {form}"), publisher)?);
        }
    }
    Ok(apps)
}

/// Assigns people and groups; gives the numbers of the people each app is assigned to.
fn add_assignments(
    state: &mut State,
    founded: Timestamp,
    people: &[Person],
    groups: &[Group],
    apps: &[String],
) -> Result<Vec<Vec<usize>>, Conflict> {
    let mut assigned = Vec::with_capacity(apps.len());
    for (number, app) in apps.iter().enumerate() {
        let role = state.user_role(app);
        let mut reached: Vec<usize> = Vec::new();
        // Popular apps first: a half of the company's groups down to next to none.
        let share = groups.len() / (2 + number);
        for _ in 0..=share {
            if let Some(group) = state.random.pick(groups) {
                state.assign(founded, &group.id, app, &role)?;
                reached.extend(&group.people);
            }
        }
        for _ in 0..(people.len() / (20 + 4 * number)).max(1) {
            let person = state.random.index(people.len());
            state.assign(founded, &people[person].id, app, &role)?;
            reached.push(person);
        }
        reached.sort_unstable();
        reached.dedup();
        assigned.push(reached);
    }
    Ok(assigned)
}

/// Changes that the leads made to accounts in the last 30 days.
fn add_audits(state: &mut State, now: Timestamp, people: &[Person]) -> Result<(), Conflict> {
    for _ in 0..people.len() / PEOPLE_PER_AUDIT {
        let (activity, operation) = DEEDS[state.random.index(DEEDS.len())];
        let at = earlier(
            now,
            Duration::from_secs(60 + state.random.below(30 * 24 * 3600 - 3600)),
        );
        let (Some(actor), Some(target)) = (people.first(), state.random.pick(people)) else {
            continue;
        };
        state.add_audit(&Audit {
            actor: &actor.id,
            target: &target.id,
            at,
            activity,
            category: "UserManagement",
            operation,
        })?;
    }
    Ok(())
}

/// Sign-ins of the last 30 days: some people come often, some never, some fail, some come to
/// applications nobody assigned them to.
fn add_visits(
    state: &mut State,
    now: Timestamp,
    people: &[Person],
    apps: &[String],
    assigned: &[Vec<usize>],
) -> Result<(), Conflict> {
    // A large company's month is sampled more thinly, so that it fits into memory.
    let (many, rest) = (people.len().min(DENSE), people.len().saturating_sub(DENSE));
    let mut left = (many * VISITS_PER_HUNDRED + rest * THIN_VISITS_PER_HUNDRED) / 100;
    for (app, reached) in apps.iter().zip(assigned).cycle() {
        if left == 0 {
            return Ok(());
        }
        left -= 1;
        let stray = reached.is_empty() || state.random.percent(5);
        let person = if stray {
            state.random.index(people.len())
        } else {
            reached[state.random.index(reached.len())]
        };
        // A third of the people never come, whatever is assigned to them.
        if person % 3 == 2 && !stray {
            continue;
        }
        let (user, within) = (&people[person], state.random.below(30 * 24 * 3600 - 3600));
        let error_code = match (user.disabled, state.random.below(100)) {
            (true, _) => 50_057,
            (false, 0..=3) => 50_126,
            (false, 4) => 50_053,
            _ => 0,
        };
        let at = earlier(now, Duration::from_secs(60 + within));
        state.add_visit(&Visit {
            user_id: &user.id,
            service_principal_id: app,
            at,
            error_code,
        })?;
    }
    Ok(())
}

const DAY: Duration = Duration::from_secs(24 * 3600);
const LED_BY_ONE: usize = 12;
const PEOPLE_PER_GROUP: usize = 10;
const DEVICES_PER_HUNDRED: u64 = 80;
const PEOPLE_PER_APP: usize = 50;
const MIN_APPS: usize = 8;
const MAX_APPS: usize = 200;
const PEOPLE_PER_AUDIT: usize = 20;
const DEEDS: [(&str, &str); 4] = [
    ("Add user", "Add"),
    ("Update user", "Update"),
    ("Reset user password", "Update"),
    ("Disable account", "Update"),
];
const DENSE: usize = 20_000;
const VISITS_PER_HUNDRED: usize = 150;
const THIN_VISITS_PER_HUNDRED: usize = 50;
