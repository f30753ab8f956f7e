//! Documented responses, decoded and encoded again: nothing may be lost or changed.
//!
//! `ENTRA_GRAPH_EXAMPLES` names the collection of documented bodies; without it this is skipped.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
};

use entra_core::{ScriptedTransport, Timestamp, time::format_description::well_known::Rfc3339};
use entra_graph::{
    AppRoleAssignment, Application, DelegatedPermissionClassification, Device, DirectoryAudit,
    DirectoryObject, ExtensionProperty, FederatedIdentityCredential, Group, GroupNames,
    LicenseDetails, OAuth2PermissionGrant, Organization, ProvisioningObjectSummary,
    ServicePrincipal, SignIn, SubscribedSku, User,
    types::{KeyCredential, SelfSignedCertificate},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::scripts::client;

type RoundTrip = fn(&Value) -> Result<Value, String>;

/// The model of each documented type.
const MODELS: &[(&str, RoundTrip)] = &[
    ("microsoft.graph.user", round_trip::<User>),
    (
        "microsoft.graph.directoryobject",
        round_trip::<DirectoryObject>,
    ),
    (
        "microsoft.graph.approleassignment",
        round_trip::<AppRoleAssignment>,
    ),
    ("microsoft.graph.application", round_trip::<Application>),
    #[cfg(feature = "application-templates")]
    (
        "microsoft.graph.applicationtemplate",
        round_trip::<entra_graph::ApplicationTemplate>,
    ),
    (
        "microsoft.graph.delegatedpermissionclassification",
        round_trip::<DelegatedPermissionClassification>,
    ),
    ("microsoft.graph.device", round_trip::<Device>),
    (
        "microsoft.graph.directoryaudit",
        round_trip::<DirectoryAudit>,
    ),
    (
        "microsoft.graph.extensionproperty",
        round_trip::<ExtensionProperty>,
    ),
    (
        "microsoft.graph.federatedidentitycredential",
        round_trip::<FederatedIdentityCredential>,
    ),
    ("microsoft.graph.group", round_trip::<Group>),
    ("microsoft.graph.keycredential", round_trip::<KeyCredential>),
    (
        "microsoft.graph.licensedetails",
        round_trip::<LicenseDetails>,
    ),
    #[cfg(feature = "authentication-methods")]
    (
        "microsoft.graph.userregistrationdetails",
        round_trip::<entra_graph::UserRegistrationDetails>,
    ),
    (
        "microsoft.graph.oauth2permissiongrant",
        round_trip::<OAuth2PermissionGrant>,
    ),
    #[cfg(feature = "administrative-units")]
    (
        "microsoft.graph.administrativeunit",
        round_trip::<entra_graph::AdministrativeUnit>,
    ),
    ("microsoft.graph.organization", round_trip::<Organization>),
    #[cfg(feature = "invitations")]
    (
        "microsoft.graph.invitation",
        round_trip::<entra_graph::Invitation>,
    ),
    #[cfg(feature = "administrative-units")]
    (
        "microsoft.graph.scopedrolemembership",
        round_trip::<entra_graph::ScopedRoleMembership>,
    ),
    #[cfg(feature = "contacts")]
    (
        "microsoft.graph.orgcontact",
        round_trip::<entra_graph::OrgContact>,
    ),
    #[cfg(feature = "domains")]
    ("microsoft.graph.domain", round_trip::<entra_graph::Domain>),
    #[cfg(feature = "domains")]
    (
        "microsoft.graph.domaindnsrecord",
        round_trip::<entra_graph::DomainDnsRecord>,
    ),
    #[cfg(feature = "domains")]
    (
        "microsoft.graph.internaldomainfederation",
        round_trip::<entra_graph::InternalDomainFederation>,
    ),
    #[cfg(feature = "role-management")]
    (
        "microsoft.graph.directoryrole",
        round_trip::<entra_graph::DirectoryRole>,
    ),
    #[cfg(feature = "role-management")]
    (
        "microsoft.graph.directoryroletemplate",
        round_trip::<entra_graph::DirectoryRoleTemplate>,
    ),
    #[cfg(feature = "role-management")]
    (
        "microsoft.graph.unifiedroleassignment",
        round_trip::<entra_graph::UnifiedRoleAssignment>,
    ),
    #[cfg(feature = "role-management")]
    (
        "microsoft.graph.unifiedroledefinition",
        round_trip::<entra_graph::UnifiedRoleDefinition>,
    ),
    (
        "microsoft.graph.provisioningobjectsummary",
        round_trip::<ProvisioningObjectSummary>,
    ),
    (
        "microsoft.graph.serviceprincipal",
        round_trip::<ServicePrincipal>,
    ),
    (
        "microsoft.graph.selfsignedcertificate",
        round_trip::<SelfSignedCertificate>,
    ),
    ("microsoft.graph.signin", round_trip::<SignIn>),
    #[cfg(feature = "notifications")]
    ("microsoft.graph.subscription", subscription),
    #[cfg(feature = "application-templates")]
    (
        "microsoft.graph.applicationserviceprincipal",
        application_and_principal,
    ),
    ("microsoft.graph.subscribedsku", round_trip::<SubscribedSku>),
];

/// Documented types without a model here, and why.
const OTHERS: &[(&str, &str)] = &[
    ("microsoft.graph.claimsmappingpolicy", POLICY),
    ("microsoft.graph.contract", BEYOND),
    ("microsoft.graph.conversation", "mail"),
    ("microsoft.graph.grouplifecyclepolicy", POLICY),
    ("microsoft.graph.groupsetting", BEYOND),
    ("microsoft.graph.homerealmdiscoverypolicy", POLICY),
    ("microsoft.graph.message", "mail"),
    ("microsoft.graph.opentypeextension", BEYOND),
    (
        "microsoft.graph.passwordcredential",
        "its secret is never written again",
    ),
    ("microsoft.graph.resourcespecificpermissiongrant", BEYOND),
    ("microsoft.graph.schemaextension", BEYOND),
    ("microsoft.graph.tokenissuancepolicy", POLICY),
    ("microsoft.graph.tokenlifetimepolicy", POLICY),
    ("odata.error", "an error"),
    ("string", "no object"),
];
const BEYOND: &str = "beyond the areas of this crate, as OPERATIONS.md says";
const POLICY: &str = "a policy of another area, as OPERATIONS.md says";

/// Whether every model of this crate is there.
const ALL: bool = cfg!(all(
    feature = "administrative-units",
    feature = "application-templates",
    feature = "authentication-methods",
    feature = "contacts",
    feature = "domains",
    feature = "invitations",
    feature = "notifications",
    feature = "role-management",
));

/// How many bodies of these models the collection has, so that an emptier one fails.
const BODIES: usize = 157
    + with(cfg!(feature = "administrative-units"), 13)
    + with(cfg!(feature = "application-templates"), 3)
    + with(cfg!(feature = "authentication-methods"), 2)
    + with(cfg!(feature = "contacts"), 7)
    + with(cfg!(feature = "domains"), 9)
    + with(cfg!(feature = "invitations"), 1)
    + with(cfg!(feature = "notifications"), 4)
    + with(cfg!(feature = "role-management"), 22);

const fn with(feature: bool, count: usize) -> usize {
    if feature { count } else { 0 }
}

#[test]
fn documented_responses_survive_a_round_trip() {
    let Some(path) = env::var_os("ENTRA_GRAPH_EXAMPLES") else {
        println!("skipped: ENTRA_GRAPH_EXAMPLES is not set");
        return;
    };
    let text = fs::read_to_string(&path).expect("the file that ENTRA_GRAPH_EXAMPLES names");
    let file: Value = serde_json::from_str(&text).unwrap();
    let (mut bodies, mut objects) = (0, 0);
    let mut failures = Vec::new();
    let mut others = BTreeSet::new();
    for example in file["examples"].as_array().unwrap() {
        let Some(name) = type_of(example) else {
            continue;
        };
        let Some((_, round_trip)) = MODELS.iter().find(|(known, _)| *known == name) else {
            others.insert(name);
            continue;
        };
        bodies += 1;
        for object in objects_in(example) {
            objects += 1;
            let object = without_placeholders(object);
            match round_trip(&object) {
                Ok(again) => {
                    if let Some(difference) = difference("", &object, &again) {
                        failures.push(format!("{}: {difference}", example["doc"]));
                    }
                }
                Err(error) => failures.push(format!("{}: {error}", example["doc"])),
            }
        }
    }
    println!("{bodies} bodies with {objects} objects checked");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(bodies, BODIES, "bodies checked");
    let expected: BTreeSet<String> = OTHERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    if ALL {
        assert_eq!(others, expected, "types without a model");
    }
}

/// The documented responses that are no entities: lists of ids, a truth value, and errors about single properties.
#[tokio::test]
async fn documented_values_and_validation_errors_are_read_by_their_requests() {
    let Some(path) = env::var_os("ENTRA_GRAPH_EXAMPLES") else {
        println!("skipped: ENTRA_GRAPH_EXAMPLES is not set");
        return;
    };
    let text = fs::read_to_string(&path).expect("the file that ENTRA_GRAPH_EXAMPLES names");
    let file: Value = serde_json::from_str(&text).unwrap();
    let (mut lists, mut placeholders, mut truths, mut errors) = (0, 0, 0, 0);
    for example in file["examples"].as_array().unwrap() {
        let (doc, body) = (example["doc"].as_str().unwrap(), &example["body"]);
        if example["kind"] != "response" || body.is_null() {
            continue;
        }
        let of = |status| {
            let script = ScriptedTransport::new().then(status, &[], body.to_string());
            client(script).group("8f9c")
        };
        if doc.contains("-checkmember") || doc.contains("-getmember") {
            let ids: Vec<&Value> = body["value"].as_array().unwrap().iter().collect();
            match of(200).get_member_objects(false).send().await {
                Ok(read) => {
                    let read: Vec<String> = read.iter().map(ToString::to_string).collect();
                    assert_eq!(ids, read.iter().collect::<Vec<_>>(), "{doc}");
                    lists += 1;
                }
                Err(error) => {
                    let words = ids.iter().any(|id| id.as_str().unwrap().contains("-value"));
                    assert!(words, "{doc}: {error}");
                    placeholders += 1;
                }
            }
        } else if doc.contains("-revokesigninsessions") {
            let script = ScriptedTransport::new().then(200, &[], body.to_string());
            let user = client(script).user("8f9c");
            user.revoke_sign_in_sessions().send().await.unwrap();
            truths += 1;
        } else if example["status"] == 422 {
            let names = GroupNames::default().display_name("Sales");
            let error = of(422).validate_names(names).send().await.unwrap_err();
            let details = body["error"]["details"].as_array().unwrap();
            assert_eq!(error.details().len(), details.len(), "{doc}");
            for (read, documented) in error.details().iter().zip(details) {
                assert_eq!(read.code.as_deref(), documented["code"].as_str(), "{doc}");
                assert_eq!(read.target.as_deref(), documented["target"].as_str());
                assert_eq!(read.message.as_deref(), documented["message"].as_str());
            }
            errors += 1;
        }
    }
    // The words in place of ids are no ids, which no server sends.
    assert_eq!((lists, placeholders, truths, errors), (10, 12, 1, 2));
}

fn round_trip<T: DeserializeOwned + Serialize>(object: &Value) -> Result<Value, String> {
    let text = object.to_string();
    let model: T = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let again = serde_json::to_string(&model).map_err(|error| error.to_string())?;
    serde_json::from_str(&again).map_err(|error| error.to_string())
}

/// The client state is a secret, which is never written again.
#[cfg(feature = "notifications")]
fn subscription(object: &Value) -> Result<Value, String> {
    let mut again = round_trip::<entra_graph::Subscription>(object)?;
    if let Some(secret) = object.get("clientState") {
        again["clientState"] = secret.clone();
    }
    Ok(again)
}

#[cfg(feature = "application-templates")]
fn application_and_principal(object: &Value) -> Result<Value, String> {
    let _: entra_graph::ApplicationServicePrincipal =
        serde_json::from_value(object.clone()).map_err(|error| error.to_string())?;
    let mut again = object.clone();
    again["application"] = round_trip::<Application>(&object["application"])?;
    again["servicePrincipal"] = round_trip::<ServicePrincipal>(&object["servicePrincipal"])?;
    Ok(again)
}

/// The type of what a response holds, in lower case.
fn type_of(example: &Value) -> Option<String> {
    if example["kind"] != "response" || example["body"].is_null() {
        return None;
    }
    let odata_type = example["odata_type"].as_str()?.to_lowercase();
    let name = odata_type
        .strip_prefix("collection(")
        .map_or(&*odata_type, |inner| inner.trim_end_matches(')'));
    Some(name.to_owned())
}

fn objects_in(example: &Value) -> Vec<&Value> {
    match example["body"]["value"].as_array() {
        Some(items) => items.iter().collect(),
        None => vec![&example["body"]],
    }
}

/// Two samples have the words `datetime-value` where a time belongs; no server sends that.
fn without_placeholders(value: &Value) -> Value {
    match value {
        Value::String(text) if text == "datetime-value" => "2026-01-31T12:00:00Z".into(),
        Value::Array(items) => items.iter().map(without_placeholders).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), without_placeholders(value)))
            .collect(),
        other => other.clone(),
    }
}

/// The first place where two values differ; a time may be written in another way.
fn difference(path: &str, before: &Value, after: &Value) -> Option<String> {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let names: BTreeMap<&String, ()> = before
                .keys()
                .chain(after.keys())
                .map(|name| (name, ()))
                .collect();
            names.into_keys().find_map(|name| {
                let path = format!("{path}/{name}");
                match (before.get(name), after.get(name)) {
                    (Some(before), Some(after)) => difference(&path, before, after),
                    (Some(_), None) => Some(format!("{path} is lost")),
                    _ => Some(format!("{path} came from nowhere")),
                }
            })
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => before
            .iter()
            .zip(after)
            .enumerate()
            .find_map(|(at, (before, after))| difference(&format!("{path}/{at}"), before, after)),
        (Value::String(before), Value::String(after)) if before != after => {
            let time = |text: &str| Timestamp::parse(text, &Rfc3339).ok();
            match (time(before), time(after)) {
                (Some(before), Some(after)) if before == after => None,
                _ => Some(format!("{path}: {before} became {after}")),
            }
        }
        _ if before == after => None,
        _ => Some(format!("{path}: {before} became {after}")),
    }
}
