//! A company of any size, the same for the same random seed.

use std::time::Duration;

use entra_core::Timestamp;
use serde_json::json;

use super::names::{
    APP_FORMS, APP_SUBJECTS, DEPARTMENTS, GIVEN, OFFICES, PUBLISHERS, SURNAMES, SYSTEMS,
};
use crate::{
    directory::{Audit, NewUser, SignInRecord, earlier, later, object},
    state::State,
    store::{Conflict, Kind, Relation},
};

/// Generates users up to this number, with everything else in proportion.
pub(super) fn fill_up(state: &mut State, now: Timestamp, users: usize) -> Result<(), Conflict> {
    let missing = users.saturating_sub(state.store.len(Kind::User));
    if missing > 0 {
        fill(state, now, missing)?;
    }
    Ok(())
}

/// Adds `count` users, and groups, devices, applications, assignments and sign-ins in proportion.
fn fill(state: &mut State, now: Timestamp, count: usize) -> Result<(), Conflict> {
    let founded = earlier(now, 700 * DAY);
    let users = add_users(state, founded, count)?;
    let groups = add_groups(state, founded, &users)?;
    add_devices(state, founded, now, &users)?;
    let apps = add_apps(state, founded, count)?;
    add_audits(state, now, &users)?;
    let assigned = add_assignments(state, founded, &users, &groups, &apps)?;
    add_sign_ins(state, now, &users, &apps, &assigned)?;
    add_contacts(state, &users)
}

/// Two contacts, the second one below the first.
fn add_contacts(state: &mut State, users: &[GeneratedUser]) -> Result<(), Conflict> {
    let mut above = users.first().map(|user| user.id.clone());
    for (given, surname) in [("Avery", "Wagner"), ("Kim", "Walsh")] {
        let id = state.new_id();
        let mail = format!("{}@partner.example", given.to_ascii_lowercase());
        let contact = object([
            ("id", id.clone().into()),
            ("displayName", format!("{given} {surname}").into()),
            ("givenName", given.into()),
            ("surname", surname.into()),
            ("mail", mail.clone().into()),
            ("mailNickname", given.to_ascii_lowercase().into()),
            ("proxyAddresses", json!([format!("SMTP:{mail}")])),
            ("companyName", "Partner".into()),
            ("department", "Sales".into()),
            ("jobTitle", "Buyer".into()),
            (
                "addresses",
                json!([{ "city": "Oslo", "countryOrRegion": "NO", "officeLocation": null, "postalCode": "0150", "state": null, "street": "Gate 1" }]),
            ),
            ("phones", json!([{ "number": "+47 1", "type": "business" }])),
        ]);
        state.store.insert(Kind::OrgContact, contact)?;
        if let Some(above) = &above {
            state.store.link(Relation::Manager, &id, above);
        }
        above = Some(id);
    }
    Ok(())
}

/// A generated user.
struct GeneratedUser {
    id: String,
    disabled: bool,
    department: usize,
}

fn add_users(
    state: &mut State,
    founded: Timestamp,
    count: usize,
) -> Result<Vec<GeneratedUser>, Conflict> {
    let offset = state.store.len(Kind::User);
    let mut users: Vec<GeneratedUser> = Vec::with_capacity(count);
    // The first user of each department leads it; later ones report to an earlier one.
    let mut leads: [Vec<usize>; DEPARTMENTS.len()] = Default::default();
    for number in 0..count {
        let (given, surname) = (state.random.word(&GIVEN), state.random.word(&SURNAMES));
        let at = state.random.index(DEPARTMENTS.len());
        let (department, titles) = DEPARTMENTS[at];
        let leads = &mut leads[at];
        let is_lead = number / (LED_BY_ONE * DEPARTMENTS.len()) >= leads.len();
        let guest = !is_lead && state.random.percent(3);
        let disabled = !is_lead && state.random.percent(5);
        // The number makes names unique, the name keeps them readable.
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
        if let Some(lead) = leads.last().and_then(|&lead| users.get(lead)) {
            state.store.link(Relation::Manager, &id, &lead.id);
        }
        if is_lead {
            leads.push(number);
        }
        users.push(GeneratedUser {
            id,
            disabled,
            department: at,
        });
    }
    Ok(users)
}

/// A generated group with the numbers of its users.
struct Group {
    id: String,
    users: Vec<usize>,
}

fn add_groups(
    state: &mut State,
    founded: Timestamp,
    users: &[GeneratedUser],
) -> Result<Vec<Group>, Conflict> {
    let mut groups: Vec<Group> = Vec::new();
    let first_number = state.store.len(Kind::Group);
    for number in 0..users.len().div_ceil(USERS_PER_GROUP) {
        let (department, _) = DEPARTMENTS[number % DEPARTMENTS.len()];
        let name = format!("{department} team {}", first_number + number + 1);
        let id = state.add_group(founded, &name, Some(&format!("A team of {department}")))?;
        let mut group = Group {
            id,
            users: Vec::new(),
        };
        for _ in 0..10 + state.random.below(25) {
            let candidate = state.random.index(users.len());
            // Mostly users of that department, some of others.
            let fits = users[candidate].department == number % DEPARTMENTS.len()
                || state.random.percent(20);
            if fits
                && state
                    .store
                    .link(Relation::Members, &group.id, &users[candidate].id)
            {
                group.users.push(candidate);
            }
        }
        // One group in eight is nested in an earlier one.
        if number % 8 == 7 {
            let parent = state.random.index(groups.len());
            state
                .store
                .link(Relation::Members, &groups[parent].id, &group.id);
        }
        if let Some(&owner) = group.users.first() {
            state
                .store
                .link(Relation::Owners, &group.id, &users[owner].id);
        }
        groups.push(group);
    }
    Ok(groups)
}

fn add_devices(
    state: &mut State,
    founded: Timestamp,
    now: Timestamp,
    users: &[GeneratedUser],
) -> Result<(), Conflict> {
    let first_number = state.store.len(Kind::Device);
    let mut number = first_number;
    for user in users {
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
                Some(&user.id),
            )?;
        }
    }
    Ok(())
}

fn add_apps(state: &mut State, founded: Timestamp, count: usize) -> Result<Vec<String>, Conflict> {
    let wanted = (count / USERS_PER_APP).clamp(MIN_APPS, MAX_APPS);
    let mut apps = Vec::with_capacity(wanted);
    for number in 0..wanted {
        let subject = APP_SUBJECTS[number % APP_SUBJECTS.len()];
        let form = APP_FORMS[(number + number / APP_SUBJECTS.len()) % APP_FORMS.len()];
        // One in ten was built in-house: with an app registration, and not tagged as integrated.
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

/// Assigns users and groups. Returns the numbers of the users that each application is assigned to.
fn add_assignments(
    state: &mut State,
    founded: Timestamp,
    users: &[GeneratedUser],
    groups: &[Group],
    apps: &[String],
) -> Result<Vec<Vec<usize>>, Conflict> {
    let mut assigned = Vec::with_capacity(apps.len());
    for (number, app) in apps.iter().enumerate() {
        let role = state.user_role(app);
        let mut reached: Vec<usize> = Vec::new();
        // From popular applications, with half of the company's groups, to unpopular ones.
        let share = groups.len() / (2 + number);
        for _ in 0..=share {
            if let Some(group) = state.random.pick(groups) {
                state.assign(founded, &group.id, app, &role)?;
                reached.extend(&group.users);
            }
        }
        for _ in 0..(users.len() / (20 + 4 * number)).max(1) {
            let user = state.random.index(users.len());
            state.assign(founded, &users[user].id, app, &role)?;
            reached.push(user);
        }
        reached.sort_unstable();
        reached.dedup();
        assigned.push(reached);
    }
    Ok(assigned)
}

/// Changes that the leads made to accounts in the last 30 days.
fn add_audits(state: &mut State, now: Timestamp, users: &[GeneratedUser]) -> Result<(), Conflict> {
    for _ in 0..users.len() / USERS_PER_AUDIT {
        let (activity, operation) = AUDIT_ACTIVITIES[state.random.index(AUDIT_ACTIVITIES.len())];
        let at = earlier(
            now,
            Duration::from_secs(60 + state.random.below(30 * 24 * 3600 - 3600)),
        );
        let (Some(actor), Some(target)) = (users.first(), state.random.pick(users)) else {
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

/// Sign-ins of the last 30 days: some users sign in often, some never, some fail, and some sign in
/// to applications that they are not assigned to.
fn add_sign_ins(
    state: &mut State,
    now: Timestamp,
    users: &[GeneratedUser],
    apps: &[String],
    assigned: &[Vec<usize>],
) -> Result<(), Conflict> {
    // The month of a large company has fewer sign-ins for each user, so that it fits into memory.
    let (many, rest) = (users.len().min(DENSE), users.len().saturating_sub(DENSE));
    let mut left = (many * SIGN_INS_PER_HUNDRED + rest * SPARSE_SIGN_INS_PER_HUNDRED) / 100;
    for (app, reached) in apps.iter().zip(assigned).cycle() {
        if left == 0 {
            return Ok(());
        }
        left -= 1;
        let stray = reached.is_empty() || state.random.percent(5);
        let user = if stray {
            state.random.index(users.len())
        } else {
            reached[state.random.index(reached.len())]
        };
        // A third of the users never sign in, whatever they are assigned to.
        if user % 3 == 2 && !stray {
            continue;
        }
        let (user, within) = (&users[user], state.random.below(30 * 24 * 3600 - 3600));
        let error_code = match (user.disabled, state.random.below(100)) {
            (true, _) => 50_057,
            (false, 0..=3) => 50_126,
            (false, 4) => 50_053,
            _ => 0,
        };
        let at = earlier(now, Duration::from_secs(60 + within));
        state.record_sign_in(&SignInRecord {
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
const USERS_PER_GROUP: usize = 10;
const DEVICES_PER_HUNDRED: u64 = 80;
const USERS_PER_APP: usize = 50;
const MIN_APPS: usize = 8;
const MAX_APPS: usize = 200;
const USERS_PER_AUDIT: usize = 20;
const AUDIT_ACTIVITIES: [(&str, &str); 4] = [
    ("Add user", "Add"),
    ("Update user", "Update"),
    ("Reset user password", "Update"),
    ("Disable account", "Update"),
];
const DENSE: usize = 20_000;
const SIGN_INS_PER_HUNDRED: usize = 150;
const SPARSE_SIGN_INS_PER_HUNDRED: usize = 50;
