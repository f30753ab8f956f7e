use entra_core::Timestamp;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::*;
use crate::{
    schema::{EntityType, Returned},
    store::{Kind, Object, Relation},
};

pub(super) fn user_properties(_: &mut SchemaGenerator) -> Schema {
    properties(Kind::User)
}

pub(super) fn group_properties(_: &mut SchemaGenerator) -> Schema {
    properties(Kind::Group)
}

pub(super) fn device_properties(_: &mut SchemaGenerator) -> Schema {
    properties(Kind::Device)
}

pub(super) fn application_properties(_: &mut SchemaGenerator) -> Schema {
    properties(Kind::Application)
}

/// The names of all properties that a file can set. Their values are checked when the file is read.
fn properties(kind: Kind) -> Schema {
    let entity: &EntityType = kind.entity();
    let names: Map<String, Value> = entity
        .properties
        .iter()
        .filter(|property| property.name != "id" && property.returned != Returned::Never)
        .map(|property| (property.name.to_owned(), true.into()))
        .collect();
    let mut schema = json_schema!({
        "type": "object", "properties": names, "additionalProperties": false,
    });
    if entity.open {
        let extensions = json!({"^(extension_|ext[A-Za-z0-9]{8}_)": true});
        schema.insert("patternProperties".to_owned(), extensions);
    }
    schema
}

fn error(text: &str) -> ScenarioError {
    Scenario::from_yaml(text).unwrap_err()
}

fn build(text: &str) -> State {
    let scenario = Scenario::from_yaml(text).unwrap_or_else(|error| panic!("{error}"));
    let built = scenario.build(now(), License::P2, 1, 0, &Company::default());
    built.unwrap_or_else(|error| panic!("{error}"))
}

fn now() -> Timestamp {
    Timestamp::from_unix_timestamp(1_795_226_882).unwrap()
}

fn user<'s>(state: &'s State, name: &str) -> &'s Object {
    let name = format!("{name}@contoso.com");
    state
        .store
        .find(Kind::User, "userPrincipalName", &name)
        .unwrap()
}

fn named<'s>(state: &'s State, kind: Kind, name: &str) -> &'s Object {
    let mut objects = state.store.all(kind);
    objects
        .find(|object| object["displayName"] == name)
        .unwrap()
}

fn id(object: &Object) -> &str {
    object["id"].as_str().unwrap()
}

/// With `ENTRA_WRITE_SCHEMA` set it writes the file instead.
#[test]
fn the_committed_json_schema_is_that_of_the_code() {
    let mut schema = schemars::schema_for!(model::Document);
    schema.insert("title".to_owned(), "Scenario of entra-mock".into());
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scenario.schema.json");
    if std::env::var_os("ENTRA_WRITE_SCHEMA").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == text,
        "write it again with ENTRA_WRITE_SCHEMA=1"
    );
}

#[test]
fn unknown_names_and_wrong_types_are_errors_with_their_line() {
    for (text, line, part) in [
        (
            "users:\n  - name: a\n    displayName: A\n    colour: red\n",
            4,
            "colour",
        ),
        ("planets: []\n", 1, "planets"),
        ("users:\n  - name: a\n", 2, "displayName"),
        ("users: ines\n", 1, "sequence"),
        ("generatedUsers: many\n", 1, "many"),
        ("groups:\n  - name: A\n    type: planet\n", 3, "planet"),
        ("license: p3\n", 1, "p3"),
        ("users:\n  - {name: a\n", 3, "line 3"),
        (
            "{\n  \"users\": [\n    {\"name\": []}\n  ]\n}",
            3,
            "sequence",
        ),
    ] {
        let error = error(text);
        assert_eq!(error.line(), Some(line), "{text}{error}");
        assert!(error.to_string().contains(part), "{text}{error}");
        assert!(
            error.to_string().contains(&format!("line {line}")),
            "{error}"
        );
    }
}

#[test]
fn wrong_values_and_references_are_errors_with_their_line_and_path() {
    let base = "users:\n  - { name: a, displayName: A }\n";
    for (text, line, path) in [
        ("  - { name: a, displayName: B }\n", 3, "users[1].name: "),
        ("  - { name: b@x, displayName: B }\n", 3, "users[1].name: "),
        (
            "  - { name: b, displayName: B, manager: c }\n",
            3,
            "users[1].manager: ",
        ),
        (
            "  - { name: b, displayName: B, manager: b }\n",
            3,
            "users[1].manager: ",
        ),
        (
            "  - { name: b, displayName: B, licenses: [E5] }\n",
            3,
            "users[1].licenses[0]: ",
        ),
        (
            "  - name: b\n    displayName: B\n    properties:\n      jobTitel: x\n",
            6,
            "users[1].properties.jobTitel: ",
        ),
        (
            "  - name: b\n    displayName: B\n    properties:\n      id: x\n",
            6,
            "users[1].properties.id: ",
        ),
        (
            "  - name: b\n    displayName: B\n    properties:\n      jobTitle: 7\n",
            6,
            "users[1].properties.jobTitle: ",
        ),
        (
            "groups:\n  - name: G\n    members:\n      - a\n      - b\n",
            7,
            "groups[0].members[1]: ",
        ),
        (
            "groups:\n  - name: G\n    members: [a, a]\n",
            5,
            "groups[0].members[1]: ",
        ),
        (
            "groups:\n  - name: G\n    members: [G]\n",
            5,
            "groups[0].members[0]: ",
        ),
        ("groups:\n  - name: G\n  - name: G\n", 5, "groups[1].name: "),
        (
            "groups:\n  - name: G\n    owners: [b]\n",
            5,
            "groups[0].owners[0]: ",
        ),
        (
            "groups:\n  - name: G\n    licenses: [E5]\n",
            5,
            "groups[0].licenses[0]: ",
        ),
        (
            "groups:\n  - name: G\n    generatedMembers: 1\n",
            5,
            "groups[0].generatedMembers: ",
        ),
        (
            "devices:\n  - { name: D, operatingSystem: O, owner: b }\n",
            4,
            "devices[0].owner: ",
        ),
        (
            "applications:\n  - { name: P, applicationPermissions: [User.Red.All] }\n",
            4,
            "applications[0].applicationPermissions[0]: ",
        ),
        (
            "applications:\n  - { name: P, delegatedPermissions: [User.Red] }\n",
            4,
            "applications[0].delegatedPermissions[0]: ",
        ),
        (
            "applications:\n  - name: P\n    secrets:\n      - expiresInDays: 731\n",
            6,
            "applications[0].secrets[0].expiresInDays: ",
        ),
        (
            "applications:\n  - { name: P, assigned: [b] }\n",
            4,
            "applications[0].assigned[0]: ",
        ),
        (
            "enterpriseApplications:\n  - { name: P, publisher: X, assigned: [b] }\n",
            4,
            "enterpriseApplications[0].assigned[0]: ",
        ),
        (
            "licenses:\n  - { skuPartNumber: E5, units: 1, skuId: x }\n",
            4,
            "licenses[0].skuId: ",
        ),
        ("signIns: { days: 31, perDay: 1 }\n", 3, "signIns.days: "),
        ("signIns: { days: 1, perDay: 0 }\n", 3, "signIns.perDay: "),
        (
            "company: { name: A, domain: a b/c }\n",
            3,
            "company.domain: ",
        ),
    ] {
        let error = error(&format!("{base}{text}"));
        assert_eq!(error.line(), Some(line), "{text}{error}");
        assert!(
            error
                .to_string()
                .starts_with(&format!("line {line}, column ")),
            "{error}"
        );
        assert!(error.to_string().contains(path), "{text}{error}");
    }
}

#[test]
fn all_wrong_properties_of_an_object_are_in_one_error() {
    let error = error(
        "users:\n  - name: a\n    displayName: A\n    properties:\n      jobTitle: 7\n      department: R\n      jobTitel: x\n      id: y\n",
    );
    let text = error.to_string();
    for part in [
        "id of an object",
        "property jobTitel",
        "value of jobTitle has",
    ] {
        assert_eq!(text.matches(part).count(), 1, "{part} in {text}");
    }
    assert!(text.contains("users[0].properties.id: "), "{text}");
    assert_eq!(error.line(), Some(8), "{text}");
}

#[test]
fn licences_are_assigned_directly_and_by_group_until_none_is_left() {
    let text = "
licenses:
  - { skuPartNumber: E5, units: 2, servicePlans: [TEAMS1] }
users:
  - { name: a, displayName: A, licenses: [E5] }
  - { name: b, displayName: B }
groups:
  - { name: G, members: [a, b], licenses: [E5] }
";
    let state = build(text);
    let sku = state.store.all(Kind::SubscribedSku).next().unwrap();
    assert_eq!(sku["consumedUnits"], 2);
    let group = named(&state, Kind::Group, "G");
    assert_eq!(group["assignedLicenses"][0]["skuId"], sku["skuId"]);
    let states = user(&state, "a")["licenseAssignmentStates"]
        .as_array()
        .unwrap();
    assert_eq!(states[0]["assignedByGroup"], Value::Null);
    assert_eq!(states[1]["assignedByGroup"], group["id"]);
    assert_eq!(
        user(&state, "a")["assignedLicenses"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let error = error(&text.replace("units: 2", "units: 1"));
    assert!(
        error
            .to_string()
            .contains("no unit of licence 'E5' is left"),
        "{error}"
    );
}

#[test]
fn an_empty_file_and_a_base_give_the_tenants_of_the_seeds() {
    let empty = build("");
    assert_eq!(empty.store.len(Kind::User), 0);
    let contoso =
        build("base: contoso\nusers:\n  - { name: zoe, displayName: Zoe, manager: adele }\n");
    assert_eq!(contoso.store.len(Kind::User), 13);
    let manager = contoso
        .store
        .linked_objects(Relation::Manager, id(user(&contoso, "zoe")))
        .next();
    assert_eq!(manager.unwrap().1["userPrincipalName"], "adele@contoso.com");
    // The initial content is not a change.
    assert_eq!(contoso.store.changes.next(), 0);
}

#[test]
fn a_scenario_names_its_company_and_licence() {
    let text = "company: { name: Fabrikam, domain: Fabrikam.com }\nlicense: free\nusers:\n  - { name: a, displayName: A }\n";
    let state = build(text);
    assert_eq!(state.tenant_name, "Fabrikam");
    assert_eq!(state.license, License::Free);
    assert_eq!(
        state.store.all(Kind::User).next().unwrap()["mail"],
        "a@fabrikam.com"
    );
}

#[test]
fn a_service_principal_has_what_the_properties_of_its_application_say() {
    let state = build(
        "
users:
  - { name: a, displayName: A }
applications:
  - name: Orders API
    redirectUris: ['https://orders.example/callback']
    properties:
      identifierUris: ['api://orders']
      appRoles:
        - { id: 11111111-0000-4000-8000-000000000001, value: Reader, displayName: R, description: R, isEnabled: true, allowedMemberTypes: [User] }
      api:
        oauth2PermissionScopes:
          - { id: 11111111-0000-4000-8000-000000000002, value: Orders.Read, type: User, isEnabled: true }
    assigned: [a]
",
    );
    let application = named(&state, Kind::Application, "Orders API");
    let principal = named(&state, Kind::ServicePrincipal, "Orders API");
    assert_eq!(
        principal["servicePrincipalNames"],
        json!([application["appId"], "api://orders"])
    );
    assert_eq!(
        principal["replyUrls"],
        json!(["https://orders.example/callback"])
    );
    assert_eq!(
        principal["oauth2PermissionScopes"][0]["value"],
        "Orders.Read"
    );
    // The user has the role of the application, not default access.
    let mut assignments = state.store.assignments_of(id(user(&state, "a")));
    assert_eq!(
        assignments.next().unwrap()["appRoleId"],
        principal["appRoles"][0]["id"]
    );
}

fn enterprise() -> State {
    Seed::Enterprise.build(now(), License::P2, 1, 0, &Company::default())
}

#[test]
fn the_seed_enterprise_is_a_valid_scenario() {
    let text = include_str!("../enterprise.yaml");
    if let Err(error) = Scenario::from_yaml(text) {
        panic!("{error}");
    }
}

#[test]
fn the_seed_enterprise_has_groups_of_every_kind_and_size() {
    let state = enterprise();
    let group = |name: &str| named(&state, Kind::Group, name);
    let kinds = |name: &str| {
        let group = group(name);
        (
            group["groupTypes"].clone(),
            group["mailEnabled"] == true,
            group["securityEnabled"] == true,
        )
    };
    assert_eq!(kinds("Buyers"), (json!([]), false, true));
    assert_eq!(kinds("Purchasing hub"), (json!(["Unified"]), true, false));
    assert_eq!(kinds("Finance approvals"), (json!([]), true, true));
    assert_eq!(kinds("Newsletter"), (json!([]), true, false));
    assert_eq!(
        kinds("Windows devices"),
        (json!(["DynamicMembership"]), false, true)
    );
    let members = |name: &str| {
        state
            .store
            .linked_objects(Relation::Members, id(group(name)))
            .count()
    };
    assert_eq!(members("All company"), 2_004);
    assert_eq!(members("Empty"), 0);
    let nested = state
        .store
        .linked_objects(Relation::Members, id(group("Cost centers")));
    assert!(nested.into_iter().any(|(kind, _)| kind == Kind::Group));
    assert_eq!(group("Purchasing hub")["mail"], "purchasinghub@contoso.com");
}

#[test]
fn the_seed_enterprise_has_credentials_about_to_expire_and_licensed_users() {
    let state = enterprise();
    let app = named(&state, Kind::Application, "Night sync");
    let secrets = app["passwordCredentials"].as_array().unwrap();
    assert_eq!(secrets[0]["endDateTime"], iso_in(12));
    assert_eq!(secrets[1]["endDateTime"], iso_in(-20));
    assert_eq!(app["keyCredentials"][0]["endDateTime"], iso_in(25));
    let ines = user(&state, "ines");
    assert_eq!(ines["assignedLicenses"].as_array().unwrap().len(), 2);
    assert_eq!(ines["proxyAddresses"].as_array().unwrap().len(), 3);
    assert_eq!(ines["identities"][0]["signInType"], "userPrincipalName");
    let guests = state
        .store
        .all(Kind::User)
        .filter(|user| user["userType"] == "Guest");
    assert!(guests.count() > 2);
    let p2 = state
        .store
        .all(Kind::SubscribedSku)
        .find(|sku| sku["skuPartNumber"] == "AAD_PREMIUM_P2");
    assert_eq!(p2.unwrap()["consumedUnits"], 1_201);
}

fn iso_in(days: i64) -> String {
    crate::state::iso(now() + entra_core::time::Duration::days(days))
}

#[test]
fn the_seed_enterprise_has_a_month_of_sign_ins_of_every_event_type() {
    let state = enterprise();
    for event_type in [
        "interactiveUser",
        "nonInteractiveUser",
        "servicePrincipal",
        "managedIdentity",
    ] {
        let of_type: Vec<&Object> = state
            .store
            .all(Kind::SignIn)
            .filter(|record| record["signInEventTypes"] == json!([event_type]))
            .filter(|record| record["ipAddress"].is_string())
            .collect();
        assert!(of_type.len() >= 90, "{event_type}: {}", of_type.len());
        let days: std::collections::BTreeSet<&str> = of_type
            .iter()
            .map(|record| &record["createdDateTime"].as_str().unwrap()[..10])
            .collect();
        assert!(days.len() >= 29, "{event_type}: {}", days.len());
    }
}

#[test]
fn a_password_profile_has_the_password_to_sign_in_with() {
    let state = build(
        "users:\n  - { name: ines, displayName: Ines, properties: { passwordProfile: { password: Example-1!, forceChangePasswordNextSignIn: false } } }\n",
    );
    let ines = user(&state, "ines");
    assert_eq!(ines.text(crate::account::PASSWORD), Some("Example-1!"));
    let profile = json!({ "password": null, "forceChangePasswordNextSignIn": false });
    assert_eq!(ines["passwordProfile"], profile);
}

/// Builds a scenario for a tenant of the domain fabrikam.com.
fn build_for_fabrikam(text: &str) -> Result<State, ScenarioError> {
    let scenario = Scenario::from_yaml(text).unwrap_or_else(|error| panic!("{error}"));
    let company = Company {
        name: "Fabrikam".to_owned(),
        domain: "fabrikam.com".to_owned(),
    };
    scenario.build(now(), License::P2, 1, 0, &company)
}

#[test]
fn whole_names_of_the_file_are_those_of_its_users_in_a_tenant_of_another_domain() {
    let state = build_for_fabrikam(
        "users:
  - { name: ines, displayName: Ines }
  - { name: tom, displayName: Tom, properties: { userPrincipalName: t.t@contoso.com } }
  - { name: eva, displayName: Eva, manager: Ines@Contoso.com }
groups:
  - { name: Buyers, members: [ines@contoso.com, t.t, eva], owners: [t.t@contoso.com] }
",
    )
    .unwrap();
    let buyers = id(named(&state, Kind::Group, "Buyers"));
    let linked = |relation: Relation| state.store.linked_objects(relation, buyers).count();
    assert_eq!(
        (linked(Relation::Members), linked(Relation::Owners)),
        (3, 1)
    );
    let eva = named(&state, Kind::User, "Eva");
    assert_eq!(eva["userPrincipalName"], "eva@fabrikam.com");
    let managers = state.store.linked_objects(Relation::Manager, id(eva));
    let names = managers.map(|(_, user)| user["userPrincipalName"].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["ines@fabrikam.com"]);

    // With a company of its own, a file has the names of that company.
    let own =
        "company: { name: F, domain: Fabrikam.com }\nusers:\n  - { name: ines, displayName: I }\n";
    let group = |member: &str| format!("{own}groups:\n  - {{ name: B, members: [{member}] }}\n");
    assert!(Scenario::from_yaml(&group("ines@fabrikam.com")).is_ok());
    assert_eq!(error(&group("ines@contoso.com")).line(), Some(5));
}

#[test]
fn a_name_that_another_user_has_in_the_domain_of_the_tenant_is_an_error() {
    let text = "users:
  - { name: ines, displayName: I, properties: { userPrincipalName: tom@fabrikam.com } }
  - { name: tom, displayName: T }
";
    let error = build_for_fabrikam(text).err().unwrap();
    assert!(error.to_string().starts_with("users[1].name: "), "{error}");
}

#[test]
fn a_name_with_the_words_of_a_location_does_not_hide_the_line() {
    let error = error("groups:\n  - { name: B, members: [one at line 7 ] }\n");
    assert_eq!(error.line(), Some(2));
    assert!(error.to_string().starts_with("line 2, column "), "{error}");
}
