//! A dozen users, few enough that a test can know all of them.

use std::time::Duration;

use entra_core::Timestamp;
use serde_json::json;

use super::names::SYSTEMS;
use crate::{
    directory::{Audit, NewUser, SignInRecord, earlier, object},
    state::{State, iso},
    store::{Conflict, Kind, Relation},
};

pub(super) fn fill(state: &mut State, now: Timestamp) -> Result<(), Conflict> {
    let founded = earlier(now, 400 * DAY);
    let users = add_users(state, founded)?;
    let groups = add_groups(state, founded, &users)?;
    add_devices(state, founded, now, &users)?;
    let apps = add_apps(state, founded, &users, &groups)?;
    add_subscription(state)?;
    add_audits(state, now, &users, &groups, &apps)?;
    add_sign_ins(state, now, &users, &apps)?;
    add_provisioning(state, now, &users, &apps)?;
    add_risk(state, now, &users)
}

fn add_users(state: &mut State, founded: Timestamp) -> Result<Vec<String>, Conflict> {
    let mut ids: Vec<String> = Vec::with_capacity(USERS.len());
    for (number, (name, department, job_title, manager)) in USERS.into_iter().enumerate() {
        let alias = name.to_ascii_lowercase();
        let id = state.add_user(
            founded,
            &NewUser {
                display_name: name,
                given_name: Some(name),
                surname: None,
                alias: &alias,
                department,
                job_title,
                office: Some(if number % 3 == 0 { "Munich" } else { "Vienna" }),
                disabled: name == DISABLED,
                guest: name == GUEST,
            },
        )?;
        if let Some(manager) = manager.and_then(|manager: usize| ids.get(manager)) {
            state.store.link(Relation::Manager, &id, manager);
        }
        ids.push(id);
    }
    if let Some(administrator) = ids.first() {
        state.make_administrator(administrator);
    }
    Ok(ids)
}

fn add_groups(
    state: &mut State,
    founded: Timestamp,
    users: &[String],
) -> Result<Vec<String>, Conflict> {
    let mut ids: Vec<String> = Vec::with_capacity(GROUPS.len());
    for (name, description, members) in GROUPS {
        let id = state.add_group(founded, name, Some(description))?;
        for member in members.iter().filter_map(|&member| users.get(member)) {
            state.store.link(Relation::Members, &id, member);
        }
        if let Some(owner) = users.first() {
            state.store.link(Relation::Owners, &id, owner);
        }
        ids.push(id);
    }
    // The testers are nested in the engineers.
    if let [engineers, testers, ..] = ids.as_slice() {
        state.store.link(Relation::Members, engineers, testers);
    }
    Ok(ids)
}

fn add_devices(
    state: &mut State,
    founded: Timestamp,
    now: Timestamp,
    users: &[String],
) -> Result<(), Conflict> {
    for (number, owner) in users
        .iter()
        .enumerate()
        .filter(|(number, _)| number % 3 != 2)
    {
        let (system, version) = SYSTEMS[number % SYSTEMS.len()];
        // Most were used in the last days, one has not been used for months.
        let unused = if number == 10 {
            LONG_UNUSED
        } else {
            DAY * u32::try_from(number).unwrap_or(0) / 2
        };
        state.add_device(
            (founded, earlier(now, unused)),
            &format!("CONTOSO-{:03}", number + 1),
            system,
            version,
            Some(owner),
        )?;
    }
    Ok(())
}

fn add_apps(
    state: &mut State,
    founded: Timestamp,
    users: &[String],
    groups: &[String],
) -> Result<Vec<String>, Conflict> {
    let mut ids = Vec::with_capacity(APPS.len());
    for (name, publisher, assigned_people, assigned_groups) in APPS {
        let id = state.add_saas_app(name, publisher)?;
        let role = state.user_role(&id);
        let assigned = assigned_people.iter().filter_map(|&user| users.get(user));
        for principal in assigned.chain(
            assigned_groups
                .iter()
                .filter_map(|&group| groups.get(group)),
        ) {
            state.assign(founded, principal, &id, &role)?;
        }
        ids.push(id);
    }
    Ok(ids)
}

fn add_subscription(state: &mut State) -> Result<(), Conflict> {
    state.store.insert(
        Kind::SubscribedSku,
        object([
            ("id", format!("{}_{P2_SKU}", state.tenant_id).into()),
            ("accountId", state.tenant_id.to_string().into()),
            ("accountName", "contoso".into()),
            ("appliesTo", "User".into()),
            ("capabilityStatus", "Enabled".into()),
            ("consumedUnits", 10.into()),
            ("prepaidUnits", json!({ "enabled": 25, "lockedOut": 0, "suspended": 0, "warning": 0 })),
            (
                "servicePlans",
                json!([{ "appliesTo": "User", "provisioningStatus": "Success", "servicePlanId": "eec0eb4f-6444-4f95-aba0-50c24d67f998", "servicePlanName": "AAD_PREMIUM_P2" }]),
            ),
            ("skuId", P2_SKU.into()),
            ("skuPartNumber", "AAD_PREMIUM_P2".into()),
            ("subscriptionIds", json!([state.new_id()])),
        ]),
    )
}

/// The latest changes by the administrator.
fn add_audits(
    state: &mut State,
    now: Timestamp,
    users: &[String],
    groups: &[String],
    apps: &[String],
) -> Result<(), Conflict> {
    let Some(actor) = users.first() else {
        return Ok(());
    };
    for (days_ago, activity, category, operation, target, number) in AUDITS {
        let targets = match target {
            Target::User => users,
            Target::Group => groups,
            Target::App => apps,
        };
        let Some(target) = targets.get(number) else {
            continue;
        };
        let at = earlier(now, days_ago * DAY + Duration::from_secs(7200));
        state.add_audit(&Audit {
            actor,
            target,
            at,
            activity,
            category,
            operation,
        })?;
    }
    Ok(())
}

fn add_sign_ins(
    state: &mut State,
    now: Timestamp,
    users: &[String],
    apps: &[String],
) -> Result<(), Conflict> {
    for (user, app, days_ago, error_code) in SIGN_INS {
        let (Some(user_id), Some(service_principal_id)) = (users.get(user), apps.get(app)) else {
            continue;
        };
        for &day in days_ago {
            let within_day = Duration::from_secs(3600 + state.random.below(20 * 3600));
            let at = earlier(now, day * DAY + within_day);
            state.record_sign_in(&SignInRecord {
                user_id,
                service_principal_id,
                at,
                error_code,
            })?;
        }
    }
    Ok(())
}

/// What the provisioning service did in one application.
fn add_provisioning(
    state: &mut State,
    now: Timestamp,
    users: &[String],
    apps: &[String],
) -> Result<(), Conflict> {
    let Some(app) = apps.get(PROVISIONED_APP) else {
        return Ok(());
    };
    let name = APPS[PROVISIONED_APP].0;
    for (number, (user, days_ago, action, status)) in PROVISIONING.into_iter().enumerate() {
        let Some(id) = users.get(user) else {
            continue;
        };
        let at = earlier(now, days_ago * DAY + Duration::from_secs(1800));
        state.store.insert(
            Kind::ProvisioningObjectSummary,
            object([
                ("id", format!("provisioning-{}", number + 1).into()),
                ("activityDateTime", iso(at).into()),
                ("changeId", id.clone().into()),
                ("cycleId", format!("cycle-{days_ago}").into()),
                ("durationInMilliseconds", 900.into()),
                ("jobId", format!("{name}.1").replace(' ', "").into()),
                ("provisioningAction", action.into()),
                ("provisioningStatusInfo", json!({ "status": status, "errorInformation": null })),
                ("servicePrincipal", json!({ "id": app, "displayName": name })),
                (
                    "sourceIdentity",
                    json!({ "id": id, "displayName": USERS[user].0, "identityType": "User", "details": {} }),
                ),
                (
                    "targetIdentity",
                    json!({ "id": "", "displayName": USERS[user].0, "identityType": "User", "details": {} }),
                ),
                (
                    "sourceSystem",
                    json!({ "id": state.tenant_id.to_string(), "displayName": "Microsoft Entra ID", "details": {} }),
                ),
                ("targetSystem", json!({ "id": app, "displayName": name, "details": {} })),
                ("tenantId", state.tenant_id.to_string().into()),
            ]),
        )?;
    }
    Ok(())
}

/// One user at risk, and one whose risk was dismissed, each with its detection.
fn add_risk(state: &mut State, now: Timestamp, users: &[String]) -> Result<(), Conflict> {
    for (number, (user, days_ago, event, level, risk_state, detail)) in RISK.into_iter().enumerate()
    {
        let Some(id) = users.get(user) else {
            continue;
        };
        let at = iso(earlier(now, days_ago * DAY));
        let user = state.store.get(Kind::User, id);
        let part = |name: &str| {
            user.and_then(|user| user.get(name).cloned())
                .unwrap_or_default()
        };
        let common = [
            ("riskDetail", detail.into()),
            ("riskState", risk_state.into()),
            ("userDisplayName", part("displayName")),
            ("userPrincipalName", part("userPrincipalName")),
        ];
        let mut risky = object(common.clone());
        for (name, value) in [
            ("id", json!(id)),
            ("isDeleted", false.into()),
            ("isProcessing", false.into()),
            ("riskLastUpdatedDateTime", at.clone().into()),
            (
                "riskLevel",
                if risk_state == "atRisk" {
                    level
                } else {
                    "none"
                }
                .into(),
            ),
        ] {
            risky.insert(name.to_owned(), value);
        }
        state.store.insert(Kind::RiskyUser, risky)?;
        let mut detection = object(common);
        for (name, value) in [
            ("id", json!(format!("detection-{}", number + 1))),
            ("activity", "signin".into()),
            ("activityDateTime", at.clone().into()),
            ("detectedDateTime", at.clone().into()),
            ("detectionTimingType", "realtime".into()),
            ("lastUpdatedDateTime", at.into()),
            ("riskEventType", event.into()),
            ("riskLevel", level.into()),
            ("source", "IdentityProtection".into()),
            ("userId", json!(id)),
        ] {
            detection.insert(name.to_owned(), value);
        }
        state.store.insert(Kind::RiskDetection, detection)?;
    }
    Ok(())
}

const LONG_UNUSED: Duration = Duration::from_secs(120 * 24 * 3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const P2_SKU: &str = "84a661c4-e949-4bd2-a560-ed7766fcaf2b";

const DISABLED: &str = "Marta";
const GUEST: &str = "Gus";

type GeneratedUser = (
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    Option<usize>,
);

/// Name, department, title, and the number of the manager. The first one is the administrator.
const USERS: [GeneratedUser; 12] = [
    ("Admin", Some("IT"), Some("Administrator"), None),
    (
        "Adele",
        Some("Engineering"),
        Some("Engineering Manager"),
        None,
    ),
    (
        "Bruno",
        Some("Engineering"),
        Some("Software Engineer"),
        Some(1),
    ),
    ("Clara", Some("Engineering"), Some("Test Engineer"), Some(1)),
    (
        "David",
        Some("Engineering"),
        Some("Software Engineer"),
        Some(1),
    ),
    ("Edith", Some("Finance"), Some("Head of Finance"), None),
    ("Felix", Some("Finance"), Some("Accountant"), Some(5)),
    ("Hanna", Some("HR"), Some("Head of HR"), None),
    ("Ivan", Some("Sales"), Some("Account Manager"), None),
    ("Julia", Some("Sales"), Some("Sales Assistant"), Some(8)),
    // Has left the company: disabled, but still assigned and in groups.
    ("Marta", Some("Sales"), Some("Account Manager"), Some(8)),
    ("Gus", None, None, None),
];

/// Name, description, numbers of the members.
const GROUPS: [(&str, &str, &[usize]); 5] = [
    ("Engineers", "Everyone in Engineering", &[1, 2, 4]),
    ("Testers", "Testers, nested in Engineers", &[3]),
    ("Finance team", "Everyone in Finance", &[5, 6]),
    ("Sales team", "Everyone in Sales", &[8, 9, 10]),
    (
        "All staff",
        "Everyone who works here",
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    ),
];

type App = (
    &'static str,
    &'static str,
    &'static [usize],
    &'static [usize],
);

/// Name, publisher, users assigned directly, groups assigned.
const APPS: [App; 5] = [
    ("Expense Desk", "Northwind Apps", &[7], &[2, 3]),
    ("Ticket Board", "Fabrikam Software", &[0, 6], &[0]),
    ("Design Studio", "Adatum Tools", &[1, 2, 9, 11], &[]),
    ("Course Center", "Proseware Labs", &[], &[4]),
    // Bought and assigned to one user, but never used.
    ("Travel Planner", "Tailspin Services", &[5], &[]),
];

/// The number of the application that users are provisioned to.
const PROVISIONED_APP: usize = 1;

/// User, days before now, action and result of the provisioning service.
const PROVISIONING: [(usize, u32, &str, &str); 4] = [
    (0, 25, "create", "success"),
    (6, 25, "create", "success"),
    (2, 9, "update", "success"),
    (4, 2, "create", "failure"),
];

/// User, days before now, event, level, state and detail of the risk.
const RISK: [(usize, u32, &str, &str, &str, &str); 2] = [
    (9, 4, "unfamiliarFeatures", "medium", "atRisk", "none"),
    (
        6,
        15,
        "anonymizedIPAddress",
        "low",
        "dismissed",
        "adminDismissedAllRiskForUser",
    ),
];

/// What a row of the audit log is about: one of the seed's own lists.
#[derive(Clone, Copy)]
enum Target {
    User,
    Group,
    App,
}

type AuditRow = (u32, &'static str, &'static str, &'static str, Target, usize);

/// Days before now, activity, category, operation, and kind and number of the target.
const AUDITS: [AuditRow; 8] = [
    (28, "Add user", "UserManagement", "Add", Target::User, 9),
    (
        27,
        "Add member to group",
        "GroupManagement",
        "Assign",
        Target::Group,
        3,
    ),
    (
        20,
        "Add service principal",
        "ApplicationManagement",
        "Add",
        Target::App,
        4,
    ),
    (
        20,
        "Add app role assignment grant to user",
        "UserManagement",
        "Assign",
        Target::User,
        5,
    ),
    (
        12,
        "Update user",
        "UserManagement",
        "Update",
        Target::User,
        10,
    ),
    (
        12,
        "Disable account",
        "UserManagement",
        "Update",
        Target::User,
        10,
    ),
    (
        6,
        "Update group",
        "GroupManagement",
        "Update",
        Target::Group,
        0,
    ),
    (
        1,
        "Reset user password",
        "UserManagement",
        "Update",
        Target::User,
        9,
    ),
];

type SignInRow = (usize, usize, &'static [u32], u32);

/// User, application, days before now, and result (0 is success).
const SIGN_INS: [SignInRow; 13] = [
    (1, 1, &[0, 1, 2, 3, 4, 7, 8, 9, 10, 11], 0),
    (2, 1, &[0, 1, 4, 7, 9, 14, 21], 0),
    (2, 2, &[3, 5, 12], 0),
    (5, 0, &[2, 9, 16, 23], 0),
    (6, 0, &[2, 27], 0),
    (6, 1, &[6], 0),
    (8, 0, &[1, 8], 0),
    (0, 1, &[0, 5, 13], 0),
    (11, 2, &[10], 0),
    // A wrong password is not a use of the application.
    (9, 2, &[4], 50_126),
    (9, 0, &[4, 5], 50_126),
    // A member of a nested group: the assignment does not cover her, and the application requires
    // one.
    (3, 1, &[3], 50_105),
    (3, 3, &[11, 28], 0),
];
