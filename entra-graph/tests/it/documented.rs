//! Documented requests: for the same intent, method, path and body are those of the documentation.
//!
//! `ENTRA_GRAPH_EXAMPLES` names the collection of documented bodies; without it this is skipped.

use std::{collections::BTreeMap, env, fs, future::Future, pin::Pin};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_core::{
    Cloud, CredentialError, Guid, ManualClock, ObjectId, ProofSigner, ScriptedTransport, Secret,
    StaticCredential, Timestamp,
};
use entra_graph::{
    Device, GraphClient, Group, GroupNames, Json, NewDevice, NewGroup, NewUser, Organization,
    Property, Reference, User,
    types::{
        AlternativeSecurityId, AssignedLicense, ObjectIdentity, OnPremisesExtensionAttributes,
        PasswordProfile, PrivacyProfile,
    },
};
use serde_json::{Value, json};

use self::unmapped::{EVERY_AREA, UNMAPPED, is_ours};
use crate::scripts::requested;

type Sent = Pin<Box<dyn Future<Output = ()>>>;
type Send = fn(GraphClient) -> Sent;

/// Sends a request and ignores the response.
macro_rules! send {
    (|$graph:ident| $request:expr) => {
        (|$graph: GraphClient| -> Sent {
            Box::pin(async move {
                let _ = $request.send().await;
            })
        }) as Send
    };
}

#[cfg(feature = "administrative-units")]
mod administrative_units;
mod applications;
#[cfg(feature = "contacts")]
mod contacts;
#[cfg(feature = "domains")]
mod domains;
#[cfg(feature = "role-management")]
mod role_management;
mod service_principals;
#[cfg(feature = "notifications")]
mod subscriptions;
mod unmapped;

fn id(text: &str) -> ObjectId {
    text.parse().unwrap()
}

fn guid(text: &str) -> Guid {
    text.parse().unwrap()
}

fn ids(texts: &[&str]) -> Vec<ObjectId> {
    texts.iter().map(|text| id(text)).collect()
}

fn users(texts: &[&str]) -> Vec<Reference> {
    texts.iter().map(|text| Reference::user(*text)).collect()
}

const FOUR: [&str; 4] = [
    "80a963dd-84af-4eb8-b2a6-781e444d4fb0",
    "62e90394-69f5-4237-9190-012177145e10",
    "86a64f51-3a64-4cc6-a8c8-6b8f000c0f52",
    "ac38546e-ddf3-437a-ac5c-27a94cd7a0f1",
];
/// Stands for the `groupIds-value` of some examples, which is not an id.
const PLACEHOLDER: &str = "11111111-2222-3333-4444-555555555555";
/// Stands for a second one.
const OTHER_PLACEHOLDER: &str = "66666666-7777-8888-9999-000000000000";
const PLANS: [&str; 3] = [
    "113feb6c-3fe4-4440-bddc-54d774bf0318",
    "14ab5db5-e6c4-4b20-b4bc-13e36fd2227f",
    "a413a9ff-720c-4822-98ef-2f37c2a21f4c",
];
const SKUS: [&str; 2] = [
    "b05e124f-c7cc-45a0-a6aa-8cf78c946968",
    "c7df2760-2c81-4ef7-b578-5b5392b571df",
];
const LICENSED: &str = "1132b215-826f-42a9-8cfe-1643d19d17fd";

/// Stands for the `MIIDYDCCAki...` of some examples, which is not base64.
const KEY: &str = "MAowCKADAgECAgEB";

fn key() -> Vec<u8> {
    STANDARD.decode(KEY).unwrap()
}

/// The documented proof is cut off, so any will do.
#[derive(Debug)]
struct NoSignature;

#[async_trait]
impl ProofSigner for NoSignature {
    fn sha1_thumbprint(&self) -> [u8; 20] {
        [0; 20]
    }

    async fn sign_rs256(&self, _: &[u8]) -> Result<Vec<u8>, CredentialError> {
        Ok(Vec::new())
    }
}

fn prefixed_names() -> GroupNames {
    GroupNames::default()
        .display_name("Myprefix_test_mysuffix")
        .mail_nickname("Myprefix_test_mysuffix")
        .on_behalf_of(id(PLACEHOLDER))
}

/// By page, in the order of its examples: the request that does the same.
fn requests() -> BTreeMap<&'static str, Vec<Send>> {
    let mut requests = BTreeMap::from([
        (
            "device-delete-registeredowners.md",
            vec![send!(|graph| graph
                .device("{id}")
                .registered_owners()
                .remove("{id}"))],
        ),
        (
            "device-delete-registeredusers.md",
            vec![send!(|graph| graph
                .device("{id}")
                .registered_users()
                .remove("{id}"))],
        ),
        (
            "device-checkmemberobjects.md",
            vec![send!(|graph| graph
                .device("{id}")
                .check_member_objects(ids(&FOUR)))],
        ),
        (
            "device-delete.md",
            vec![send!(|graph| graph.device("{id}").delete())],
        ),
        (
            "device-post-devices.md",
            vec![send!(|graph| {
                let key = AlternativeSecurityId::default()
                    .kind(2)
                    .key("base64Y3YxN2E1MWFlYw==");
                let new = NewDevice::new(
                    guid("4c299165-6e8f-4b45-a5ba-c5d250a707ff"),
                    "Test device",
                    &[key],
                    "linux",
                    "1",
                );
                graph.devices().create(new.disabled())
            })],
        ),
        (
            "device-post-registeredowners.md",
            vec![send!(|graph| graph
                .device("{id}")
                .registered_owners()
                .add("{id}"))],
        ),
        (
            "device-post-registeredusers.md",
            vec![send!(|graph| graph
                .device("{id}")
                .registered_users()
                .add("{id}"))],
        ),
        (
            "device-update.md",
            vec![
                send!(|graph| graph
                    .device("7c06cd31-7c30-4f3b-a5c3-444cd8dd63ac")
                    .update()
                    .set(Device::ACCOUNT_ENABLED, false)),
                send!(|graph| graph
                    .device("7c06cd31-7c30-4f3b-a5c3-444cd8dd63ac")
                    .update()
                    .set(
                        Device::EXTENSION_ATTRIBUTES,
                        OnPremisesExtensionAttributes::default()
                            .extension_attribute1("BYOD-Device")
                    )),
            ],
        ),
        (
            "directory-deleteditems-delete.md",
            vec![send!(|graph| graph.deleted_user("{object-id}").purge())],
        ),
        (
            "directory-deleteditems-restore.md",
            vec![send!(|graph| graph.deleted_group("{object-id}").restore())],
        ),
        (
            "directoryobject-checkmemberobjects.md",
            vec![send!(|graph| graph.me().check_member_objects(ids(&FOUR)))],
        ),
        (
            "directoryobject-getavailableextensionproperties.md",
            vec![send!(
                |graph| graph.available_extension_properties(Some(true))
            )],
        ),
        (
            "directoryobject-delete.md",
            vec![send!(|graph| graph
                .directory_object("ffab4dce-9b82-49a6-b7c7-1a143106598c")
                .delete())],
        ),
        (
            "directoryobject-getmembergroups.md",
            vec![
                send!(|graph| graph
                    .directory_object("0049d944-a805-4680-9f54-3ab292090309")
                    .get_member_groups(false)),
                send!(|graph| graph.me().get_member_groups(true)),
            ],
        ),
        (
            "directoryobject-getmemberobjects.md",
            vec![send!(|graph| graph
                .directory_object("{object-id}")
                .get_member_objects(true))],
        ),
        (
            "directoryobject-getbyids.md",
            vec![send!(|graph| graph
                .directory_objects_by_ids(ids(&[
                    "84b80893-8749-40a3-97b7-68513b600544",
                    "5d6059b6-368d-45f8-91e1-8e07d485f1d0"
                ]))
                .of_type::<User>())],
        ),
        (
            "directoryobject-validateproperties.md",
            vec![send!(|graph| graph.validate_group_names(prefixed_names()))],
        ),
        (
            "group-validateproperties.md",
            vec![send!(|graph| graph
                .group("{id}")
                .validate_names(prefixed_names()))],
        ),
        (
            "group-assignlicense.md",
            vec![
                send!(|graph| {
                    let first = AssignedLicense::new(guid(SKUS[0]))
                        .without_plans([guid(PLANS[0]), guid(PLANS[1])]);
                    let second =
                        AssignedLicense::new(guid(SKUS[1])).without_plans([guid(PLANS[2])]);
                    graph.group(LICENSED).assign_licenses([first, second])
                }),
                send!(|graph| graph.group(LICENSED).remove_licenses([SKUS[1], SKUS[0]])),
            ],
        ),
        (
            "group-checkmembergroups.md",
            vec![send!(|graph| graph
                .group("{id}")
                .check_member_groups([id(PLACEHOLDER)]))],
        ),
        (
            "group-checkmemberobjects.md",
            vec![send!(|graph| graph
                .group("{id}")
                .check_member_objects(ids(&FOUR)))],
        ),
        (
            "group-delete-members.md",
            vec![send!(|graph| graph
                .group("{group-id}")
                .members()
                .remove("{directory-object-id}"))],
        ),
        (
            "group-delete-owners.md",
            vec![send!(|graph| graph.group("{id}").owners().remove("{id}"))],
        ),
        (
            "group-delete.md",
            vec![send!(|graph| graph.group("{id}").delete())],
        ),
        (
            "group-getmembergroups.md",
            vec![send!(|graph| graph.group("{id}").get_member_groups(false))],
        ),
        (
            "group-getmemberobjects.md",
            vec![send!(|graph| graph.group("{id}").get_member_objects(false))],
        ),
        (
            "group-post-groups.md",
            vec![
                send!(|graph| graph
                    .groups()
                    .create(NewGroup::microsoft_365("Library Assist", "library"))
                    .set(Group::DESCRIPTION, "Self help community for library")),
                send!(|graph| graph
                    .groups()
                    .create(
                        NewGroup::security("Operations group", "operations2019")
                            .owners(users(&["26be1845-4119-4801-a799-aea79d09f1a2"]))
                            .members(users(&[
                                "ff7cb387-6688-423c-8188-3da9532a73cc",
                                "69456242-0067-49d3-ba96-9de6f2728e14"
                            ]))
                    )
                    .set(
                        Group::DESCRIPTION,
                        "Group with designated owner and members"
                    )),
                send!(|graph| graph
                    .groups()
                    .create(
                        NewGroup::microsoft_365(
                            "Role assignable group",
                            "contosohelpdeskadministrators"
                        )
                        .owners(users(&["99e44b05-c10b-4e95-a523-e2732bbaba1e"]))
                        .members(users(&[
                            "6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0",
                            "4562bcc8-c436-4f95-b7c0-4f8ce89dca5e"
                        ]))
                    )
                    .set(Group::DESCRIPTION, "Group assignable to a role")
                    .set(Group::IS_ASSIGNABLE_TO_ROLE, true)
                    .set(Group::SECURITY_ENABLED, true)),
            ],
        ),
        (
            "group-post-members.md",
            vec![
                send!(|graph| graph.group("{group-id}").members().add("{id}")),
                |graph| {
                    Box::pin(async move {
                        let _ = graph
                            .group("{group-id}")
                            .members()
                            .add_all(["{id}"; 3])
                            .await;
                    })
                },
            ],
        ),
        (
            "group-post-owners.md",
            vec![send!(|graph| graph
                .group("{id}")
                .owners()
                .add(Reference::user("{id}")))],
        ),
        (
            "group-renew.md",
            vec![send!(|graph| graph.group("{id}").renew())],
        ),
        (
            "group-update.md",
            vec![send!(|graph| graph
                .group("{id}")
                .update()
                .set(Group::DESCRIPTION, "Library Assist")
                .set(Group::DISPLAY_NAME, "Library Assist")
                .set(Group::GROUP_TYPES, ["Unified"])
                .set(Group::MAIL_ENABLED, true)
                .set(Group::MAIL_NICKNAME, "library-help"))],
        ),
        (
            "organization-update.md",
            vec![send!(|graph| graph
                .organization_by_id("84841066-274d-4ec0-a5c1-276be684bdd3")
                .update()
                .set(
                    Organization::MARKETING_NOTIFICATION_EMAILS,
                    ["marketing@contoso.com"]
                )
                .set(
                    Organization::PRIVACY_PROFILE,
                    PrivacyProfile::default()
                        .contact_email("alice@contoso.com")
                        .statement_url("https://contoso.com/privacyStatement")
                )
                .set(
                    Organization::SECURITY_COMPLIANCE_NOTIFICATION_MAILS,
                    ["security@contoso.com"]
                )
                .set(
                    Organization::SECURITY_COMPLIANCE_NOTIFICATION_PHONES,
                    ["(123) 456-7890"]
                )
                .set(
                    Organization::TECHNICAL_NOTIFICATION_MAILS,
                    ["tech@contoso.com"]
                ))],
        ),
        (
            "user-assignlicense.md",
            vec![send!(|graph| {
                let add = AssignedLicense::new(guid("45715bb8-13f9-4bf6-927f-ef96c102d394"))
                    .without_plans([guid("11b0131d-43c8-4bbb-b2c8-e80f9a50834a")]);
                graph
                    .me()
                    .change_licenses([add], ["bea13e0c-3828-4daa-a392-28af7ff61a0f"])
            })],
        ),
        (
            "user-changepassword.md",
            vec![send!(|graph| graph.me().change_password(
                &Secret::from("xWwvJ]6NMw+bWH-d"),
                &Secret::from("0eM85N54wFxWwvJ]")
            ))],
        ),
        (
            "user-checkmembergroups.md",
            vec![send!(|graph| graph
                .me()
                .check_member_groups([id(PLACEHOLDER)]))],
        ),
        (
            "user-checkmemberobjects.md",
            vec![send!(|graph| graph.me().check_member_objects(ids(&FOUR)))],
        ),
        (
            "user-delete.md",
            vec![send!(|graph| graph.user("{user-id}").delete())],
        ),
        (
            "user-getmembergroups.md",
            vec![send!(|graph| graph.me().get_member_groups(true))],
        ),
        (
            "user-getmemberobjects.md",
            vec![send!(|graph| graph.me().get_member_objects(true))],
        ),
        (
            "user-post-manager.md",
            vec![send!(|graph| graph
                .user("10f17b99-784c-4526-8747-aec8a3159d6a")
                .manager()
                .set(Reference::user(
                    "6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0"
                )))],
        ),
        (
            "user-post-users.md",
            vec![
                send!(|graph| graph.users().create(NewUser::new(
                    "Adele Vance",
                    "AdeleV@contoso.onmicrosoft.com",
                    "AdeleV",
                    PasswordProfile::new("xWwvJ]6NMw+bWH-d")
                ))),
                send!(|graph| {
                    let identity = |kind: &str, issuer: &str, assigned: &str| {
                        ObjectIdentity::default()
                            .sign_in_type(kind)
                            .issuer(issuer)
                            .issuer_assigned_id(assigned)
                    };
                    let identities = [
                        identity("userName", "contoso.onmicrosoft.com", "johnsmith"),
                        identity(
                            "emailAddress",
                            "contoso.onmicrosoft.com",
                            "jsmith@yahoo.com",
                        ),
                        identity("federated", "facebook.com", "5eecb0cd"),
                    ];
                    let profile = PasswordProfile::new("password-value")
                        .force_change_password_next_sign_in(false);
                    graph
                        .users()
                        .create(NewUser::with_identities("John Smith", &identities, profile))
                        .set(User::PASSWORD_POLICIES, "DisablePasswordExpiration")
                }),
            ],
        ),
        (
            "user-reprocesslicenseassignment.md",
            vec![send!(|graph| graph
                .user("047dd774-f1c4-40f2-82f0-278de79f9b83")
                .reprocess_license_assignment())],
        ),
        (
            "user-update.md",
            vec![
                send!(|graph| graph
                    .me()
                    .update()
                    .set(User::BUSINESS_PHONES, ["+1 425 555 0109"])
                    .set(User::OFFICE_LOCATION, "18/2111")),
                send!(|graph| graph
                    .user("{id}")
                    .update()
                    .set(User::BUSINESS_PHONES, ["+1 425 555 0109"])
                    .set(User::OFFICE_LOCATION, "18/2111")),
                send!(|graph| graph.user("{id}").reset_password(
                    PasswordProfile::new("xWwvJ]6NMw+bWH-d")
                        .force_change_password_next_sign_in(false)
                )),
                send!(|graph| {
                    let courses: Property<User, Json> =
                        Property::custom("ext55gb1l09_msLearnCourses");
                    graph
                        .user("4562bcc8-c436-4f95-b7c0-4f8ce89dca5e")
                        .update()
                        .set(courses, json!({ "courseType": "Admin" }))
                }),
            ],
        ),
    ]);
    requests.extend(service_principals::requests());
    #[cfg(feature = "administrative-units")]
    requests.extend(administrative_units::requests());
    #[cfg(feature = "contacts")]
    requests.extend(contacts::requests());
    #[cfg(feature = "domains")]
    requests.extend(domains::requests());
    #[cfg(feature = "invitations")]
    requests.insert(
        "invitation-post.md",
        vec![send!(|graph| graph.invite(
            entra_graph::NewInvitation::new("admin@fabrikam.com", "https://myapp.contoso.com")
        ))],
    );
    #[cfg(feature = "role-management")]
    requests.extend(role_management::requests());
    requests.extend(applications::requests());
    #[cfg(feature = "notifications")]
    requests.extend(subscriptions::requests());
    requests
}

/// How many documented requests these pages have, so that an emptier collection fails.
const REQUESTS: usize = 69
    + service_principals::REQUESTS
    + with(cfg!(feature = "administrative-units"), 8)
    + with(cfg!(feature = "application-templates"), 1)
    + with(cfg!(feature = "contacts"), 3)
    + with(cfg!(feature = "domains"), 8)
    + with(cfg!(feature = "invitations"), 1)
    + with(cfg!(feature = "notifications"), 4)
    + with(cfg!(feature = "role-management"), 10);

const fn with(feature: bool, count: usize) -> usize {
    if feature { count } else { 0 }
}

/// 2016-11-20T17:23:45Z, an hour before the documented subscription expires.
const DOCUMENTED_NOW: i64 = 1_479_662_625;

fn client(script: &ScriptedTransport) -> GraphClient {
    let builder = GraphClient::builder(StaticCredential::new("token")).cloud(Cloud::public());
    builder
        .clock(ManualClock::at(
            Timestamp::from_unix_timestamp(DOCUMENTED_NOW).unwrap(),
        ))
        .transport(script.clone())
        .build()
        .unwrap()
}

fn examples() -> Option<Vec<Value>> {
    let Some(path) = env::var_os("ENTRA_GRAPH_EXAMPLES") else {
        println!("skipped: ENTRA_GRAPH_EXAMPLES is not set");
        return None;
    };
    let text = fs::read_to_string(&path).unwrap();
    let mut file: Value = serde_json::from_str(&text).unwrap();
    Some(file["examples"].as_array_mut().map(std::mem::take).unwrap())
}

#[tokio::test]
async fn requests_equal_the_documented_ones() {
    let Some(examples) = examples() else { return };
    let requests = requests();
    let mut next: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut checked, mut unmapped) = (0, Vec::new());
    for example in &examples {
        let page = example["doc"].as_str().unwrap();
        if example["kind"] != "request" || example["http_method"] == "GET" || !is_ours(example) {
            continue;
        }
        let Some(sends) = requests.get(page) else {
            if EVERY_AREA && !UNMAPPED.iter().any(|(known, _)| *known == page) {
                unmapped.push(page);
            }
            continue;
        };
        let at = next.entry(page).or_default();
        let send = sends
            .get(*at)
            .unwrap_or_else(|| panic!("{page} has more examples than requests here"));
        *at += 1;
        let script = ScriptedTransport::new().then(200, &[], "{}");
        send(client(&script)).await;
        let sent = &script.requests()[0];
        assert_eq!(sent.method().as_str(), example["http_method"], "{page}");
        let documented = example["path"]
            .as_str()
            .unwrap()
            .trim_start_matches("/v1.0")
            .trim_end_matches('/');
        assert_eq!(requested(&script)[0], documented, "{page}");
        let body = if sent.body().is_empty() {
            Value::Null
        } else {
            let text = String::from_utf8(sent.body().to_vec()).unwrap();
            serde_json::from_str(&text.replace("%7B", "{").replace("%7D", "}")).unwrap()
        };
        let documented: Value = serde_json::from_str(
            &example["body"]
                .to_string()
                .replace("groupIds-value", PLACEHOLDER)
                .replace("MIIDYDCCAki...", KEY)
                .replace("roleId-value", PLACEHOLDER)
                .replace("\"id-value\"", &format!("\"{PLACEHOLDER}\""))
                .replace("groupId-value1", PLACEHOLDER)
                .replace("groupId-value2", OTHER_PLACEHOLDER)
                .replace("onBehalfOfUserId-value", PLACEHOLDER)
                .replace("18:23:45.9356913Z", "18:23:45Z")
                .replace("84b80893874940a3", "84b80893-8749-40a3")
                .replace(
                    "5d6059b6368d-45f8-91e18e07d485f1d0",
                    "5d6059b6-368d-45f8-91e1-8e07d485f1d0",
                ),
        )
        .unwrap();
        assert_eq!(sorted(body), sorted(documented), "{page}");
        checked += 1;
    }
    for (page, sends) in &requests {
        assert_eq!(next.get(page), Some(&sends.len()), "{page}");
    }
    assert_eq!(
        unmapped, [""; 0],
        "documented writes without a request here"
    );
    for (page, _) in UNMAPPED {
        assert!(!requests.contains_key(page), "{page} is mapped");
    }
    assert_eq!(checked, REQUESTS);
}

/// The order of the ids of a check is irrelevant, and the documented proof is cut off: that it is a JWT is all
/// there is to compare.
fn sorted(mut body: Value) -> Value {
    if let Some(proof) = body.get_mut("proof")
        && proof.as_str().is_some_and(|jwt| jwt.starts_with("eyJ"))
    {
        *proof = "a JWT".into();
    }
    for name in ["ids", "groupIds"] {
        if let Some(ids) = body.get_mut(name).and_then(Value::as_array_mut) {
            ids.sort_by_key(ToString::to_string);
        }
    }
    body
}

#[tokio::test]
async fn documented_rounds_of_delta_queries_are_read() {
    let Some(examples) = examples() else { return };
    let mut checked = 0;
    for example in &examples {
        let page = example["doc"].as_str().unwrap();
        let of_users = matches!(page, "user-delta.md" | "concepts/delta-query-users.md");
        let of_groups = matches!(page, "group-delta.md" | "concepts/delta-query-groups.md");
        if !(of_users || of_groups) || example["kind"] != "response" {
            continue;
        }
        let mut body = example["body"].clone();
        let rows = body["value"].as_array_mut().unwrap();
        // Some samples are shortened by the id, which every row has.
        for row in rows.iter_mut().filter(|row| row["id"].is_null()) {
            row["id"] = PLACEHOLDER.into();
        }
        let is_empty = rows.is_empty();
        let script = ScriptedTransport::new().then(200, &[], body.to_string());
        let graph = client(&script);
        // A page is decoded whole; the empty ones here are the end of a round.
        let read = if of_users {
            let mut changes = graph.users().delta().changes();
            changes.try_next().await.map(|change| change.is_some())
        } else {
            let mut changes = graph.groups().delta().changes();
            changes.try_next().await.map(|change| change.is_some())
        };
        assert_eq!(read.ok(), Some(!is_empty), "{page}");
        checked += 1;
    }
    assert_eq!(checked, ROUNDS);
}

const ROUNDS: usize = 16;
