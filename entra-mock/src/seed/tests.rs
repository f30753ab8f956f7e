use std::collections::HashSet;

use entra_core::Timestamp;
use serde_json::Value;

use super::*;
use crate::directory::GRAPH_APP_ID;
use crate::store::{Object, Relation};

fn now() -> Timestamp {
    Timestamp::from_unix_timestamp(1_795_000_000).unwrap()
}

fn build(seed: Seed, random_seed: u64, users: usize) -> State {
    seed.build(now(), License::P2, random_seed, users, &Company::default())
}

fn text<'a>(object: &'a Object, property: &str) -> &'a str {
    object
        .get(property)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn everything(state: &State) -> Vec<String> {
    Kind::ALL
        .iter()
        .flat_map(|kind| {
            state
                .store
                .all(*kind)
                .map(|object| serde_json::to_string(object).unwrap())
        })
        .collect()
}

#[test]
fn an_empty_tenant_has_only_what_every_tenant_has() {
    let state = build(Seed::Empty, 1, 0);
    let roles = |kind: &&Kind| !matches!(kind, Kind::RoleDefinition | Kind::ApplicationTemplate);
    assert!(state.store.len(Kind::RoleDefinition) > 10);
    for &kind in Kind::ALL.iter().filter(roles) {
        let expected = match kind {
            Kind::Domain => 2,
            Kind::Organization | Kind::ServicePrincipal | Kind::TenantAppManagementPolicy => 1,
            _ => 0,
        };
        assert_eq!(state.store.len(kind), expected, "{kind:?}");
    }
}

#[test]
fn graph_has_the_commonly_requested_permissions() {
    let state = build(Seed::Empty, 1, 0);
    let graph = state
        .store
        .find(Kind::ServicePrincipal, "appId", GRAPH_APP_ID)
        .unwrap();
    let ids = |list: &str| {
        graph[list]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect::<HashSet<_>>()
    };
    let value = |list: &str, id: &str| {
        graph[list]
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item["id"] == id)
            .unwrap()["value"]
            .clone()
    };
    assert_eq!(
        value("appRoles", "df021288-bdef-4463-88db-98f22de89214"),
        "User.Read.All"
    );
    assert_eq!(
        value(
            "oauth2PermissionScopes",
            "e1fe6dd8-ba31-4d61-89e7-88639da4683d"
        ),
        "User.Read"
    );
    for list in ["appRoles", "oauth2PermissionScopes"] {
        assert!(ids(list).len() > 100);
        assert_eq!(
            ids(list).len(),
            graph[list].as_array().unwrap().len(),
            "every id of {list} stands once"
        );
    }
}

#[test]
fn contoso_is_small_and_has_one_of_everything() {
    let state = build(Seed::Contoso, 0, 0);
    assert_eq!(state.store.len(Kind::User), 12);
    assert_eq!(state.store.len(Kind::Group), 5);
    let user = |name: &str| {
        state
            .store
            .find(Kind::User, "userPrincipalName", name)
            .unwrap()
    };
    assert_eq!(text(user("adele@contoso.com"), "department"), "Engineering");
    assert_eq!(user("marta@contoso.com")["accountEnabled"], false);
    let guests = state
        .store
        .all(Kind::User)
        .filter(|user| text(user, "userType") == "Guest")
        .count();
    assert_eq!(guests, 1);
    let nested = state
        .store
        .all(Kind::Group)
        .flat_map(|group| {
            state
                .store
                .linked_objects(Relation::Members, text(group, "id"))
        })
        .filter(|(kind, _)| *kind == Kind::Group)
        .count();
    assert_eq!(nested, 1);
    for kind in [
        Kind::Device,
        Kind::SubscribedSku,
        Kind::Organization,
        Kind::DirectoryAudit,
        Kind::SignIn,
    ] {
        assert!(state.store.len(kind) > 0, "{kind:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_company_and_another_seed_another() {
    let first = everything(&build(Seed::Contoso, 7, 300));
    assert_eq!(first, everything(&build(Seed::Contoso, 7, 300)));
    assert_ne!(first, everything(&build(Seed::Contoso, 8, 300)));
}

#[test]
fn a_generated_company_has_everything_in_proportion() {
    let users = 2_000;
    let state = build(Seed::Contoso, 7, users);
    let count = |kind| state.store.len(kind);
    assert_eq!(count(Kind::User), users);
    assert!(
        (users / 12..users / 8).contains(&count(Kind::Group)),
        "{} groups",
        count(Kind::Group)
    );
    assert!(
        (users * 7 / 10..users * 9 / 10).contains(&count(Kind::Device)),
        "{} devices",
        count(Kind::Device)
    );
    assert!(
        (users..users * 2).contains(&count(Kind::SignIn)),
        "{} sign-ins",
        count(Kind::SignIn)
    );
    assert!(
        (30..80).contains(&count(Kind::ServicePrincipal)),
        "{} apps",
        count(Kind::ServicePrincipal)
    );

    let count_users = |wanted: &dyn Fn(&Object) -> bool| {
        state
            .store
            .all(Kind::User)
            .filter(|user| wanted(user))
            .count()
    };
    assert!(count_users(&|user| user["accountEnabled"] == false) > users / 50);
    assert!(count_users(&|user| text(user, "userType") == "Guest") > users / 100);
    assert!(
        count_users(&|user| state
            .store
            .linked_objects(Relation::Manager, text(user, "id"))
            .next()
            .is_some())
            > users * 9 / 10
    );
}

#[test]
fn sign_ins_cover_all_cases_of_a_usage_report() {
    let state = build(Seed::Contoso, 7, 1_000);
    let direct: HashSet<(&str, &str)> = state
        .store
        .all(Kind::AppRoleAssignment)
        .map(|assignment| {
            (
                text(assignment, "principalId"),
                text(assignment, "resourceId"),
            )
        })
        .collect();
    let of_kind = |kind: &str| {
        state
            .store
            .all(Kind::AppRoleAssignment)
            .filter(|assignment| text(assignment, "principalType") == kind)
            .count()
    };
    assert!(of_kind("User") > 100 && of_kind("Group") > 50);

    let (mut failed, mut strangers, mut seen) = (0, 0, HashSet::new());
    let month = crate::state::iso(crate::directory::earlier(
        now(),
        std::time::Duration::from_secs(31 * 24 * 3600),
    ));
    for entry in state.store.all(Kind::SignIn) {
        let (user, app) = (
            text(entry, "userId"),
            state
                .store
                .find(Kind::ServicePrincipal, "appId", text(entry, "appId"))
                .unwrap(),
        );
        let app = text(app, "id");
        let through_group = state
            .store
            .linking_objects(Relation::Members, user)
            .any(|(_, group)| direct.contains(&(text(group, "id"), app)));
        failed += usize::from(entry["status"]["errorCode"] != 0);
        strangers += usize::from(!direct.contains(&(user, app)) && !through_group);
        seen.insert(user);
        assert!(
            text(entry, "createdDateTime") > month.as_str()
                && text(entry, "createdDateTime") <= crate::state::iso(now()).as_str()
        );
        assert!(state.store.get(Kind::User, user).is_some());
    }
    assert!(
        failed > 20 && strangers > 20,
        "{failed} failed, {strangers} not assigned"
    );
    assert!(
        seen.len() > 300 && seen.len() < 900,
        "{} users seen",
        seen.len()
    );
}

#[test]
fn seeds_have_only_valid_properties() {
    let state = build(Seed::Contoso, 3, 200);
    for &kind in Kind::ALL {
        for object in state.store.all(kind) {
            let public: Vec<(&str, &Value)> = object
                .iter()
                .filter(|(name, _)| !name.starts_with('~'))
                .collect();
            let wrong = crate::schema::mismatches(kind.entity(), public);
            assert_eq!(wrong, [], "{kind:?} {}", text(object, "id"));
        }
    }
}

#[test]
fn a_seed_records_no_changes() {
    let state = build(Seed::Contoso, 3, 50);
    assert_eq!(state.store.changes.next(), 0);
}
