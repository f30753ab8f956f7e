//! When properties can be set, beside what the documentation says: what the tests of entra-mock and of entra-graph share.
//! Each of them brings the properties of its own tables.
//!
//! `ENTRA_FACTS` names the folder of documented facts; without it this is skipped.

use std::{collections::BTreeSet, env, fs, path::Path};

use serde_json::Value;

/// A type, and for each of its properties when a body can set it: `create`, `update`, `set` for both, or never.
pub(crate) type Access<'a> = (&'a str, Vec<(&'a str, &'a str)>);

pub(crate) fn is_that_of_the_documentation(types: &[Access<'_>]) {
    let Some(folder) = env::var_os("ENTRA_FACTS") else {
        eprintln!("skipped: ENTRA_FACTS is not set");
        return;
    };
    let read = |name: &str| -> Value {
        let text = fs::read_to_string(Path::new(&folder).join(name)).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let pages = read("graph-filter-support.json");
    let metadata = read("graph-csdl.json");
    let examples = read("graph-examples.json");
    let mut checked = 0;
    for (name, access) in types {
        let name = *name;
        let when = |property: &str| {
            access
                .iter()
                .find(|(known, _)| *known == property)
                .map(|(_, when)| *when)
        };
        // The property table of the type's page.
        let notes = pages["property_notes"][name].as_object();
        for (property, note) in notes.into_iter().flatten() {
            let Some(when) = when(property) else { continue };
            let read_only = note["read_only"] == true;
            let excepted = EXCEPTIONS.contains(&(name, property.as_str()));
            assert_eq!(
                read_only != when.is_empty(),
                excepted,
                "{name}.{property} is documented as read-only: {read_only}; set here: {when:?}"
            );
            checked += 1;
        }
        // The annotations of the metadata.
        let types = metadata["types"].as_array().unwrap();
        let declared = types.iter().find(|one| one["name"] == name).unwrap();
        for property in declared["properties"].as_array().unwrap() {
            let annotations = &property["annotations"];
            let Some(when) = property["name"].as_str().and_then(when) else {
                continue;
            };
            if annotations["Computed"] == true {
                assert_eq!(when, "", "{name}.{}", property["name"]);
            }
            if annotations["Immutable"] == true {
                assert!(matches!(when, "" | "create"), "{name}.{}", property["name"]);
            }
            if annotations["UpdateRestrictions"]["Updatable"] == true {
                assert!(
                    matches!(when, "set" | "update"),
                    "{name}.{}",
                    property["name"]
                );
                checked += 1;
            }
        }
        // The bodies of documented creates and updates.
        for example in examples["examples"].as_array().unwrap() {
            if example["kind"] != "request" {
                continue;
            }
            let path = example["path"].as_str().unwrap_or_default();
            let page = example["doc"].as_str().unwrap_or_default();
            let moment = match example["http_method"].as_str() {
                Some("POST") if CREATES.contains(&(name, path)) => "create",
                Some("PATCH") if page.eq_ignore_ascii_case(&format!("{name}-update.md")) => {
                    "update"
                }
                _ => continue,
            };
            for property in example["body"].as_object().into_iter().flatten() {
                let property = property.0.as_str();
                // Links and extensions are not properties of the type.
                if property.contains('@') || property.starts_with("ext") && property.contains('_') {
                    continue;
                }
                let when = when(property).unwrap_or_else(|| panic!("{page}: {property}"));
                assert!(
                    when == "set" || when == moment,
                    "{page}: {property} is {when:?}"
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 150, "{checked}");
    let excepted: BTreeSet<_> = EXCEPTIONS.iter().collect();
    assert_eq!(excepted.len(), EXCEPTIONS.len());
}

const CREATES: &[(&str, &str)] = &[
    ("user", "/v1.0/users"),
    ("group", "/v1.0/groups"),
    ("application", "/v1.0/applications"),
    ("device", "/v1.0/devices"),
    ("servicePrincipal", "/v1.0/servicePrincipals"),
    ("administrativeUnit", "/v1.0/directory/administrativeUnits"),
    ("oAuth2PermissionGrant", "/v1.0/oauth2PermissionGrants"),
];

/// Where the property table of a page says less than the page of the operation.
const EXCEPTIONS: &[(&str, &str)] = &[
    // Read-only for users that are synchronized from on-premises, writable for others.
    ("user", "businessPhones"),
    ("user", "mobilePhone"),
    ("user", "onPremisesExtensionAttributes"),
    // Writable on behalf of a user.
    ("group", "assignedLabels"),
    // Set by the service or by an action of its own, without the words "read-only".
    ("application", "applicationTemplateId"),
    ("application", "disabledByMicrosoftStatus"),
    ("application", "logo"),
    ("application", "verifiedPublisher"),
    ("user", "assignedLicenses"),
    ("user", "deletedDateTime"),
    ("user", "externalUserStateChangeDateTime"),
    ("user", "lastPasswordChangeDateTime"),
    ("user", "onPremisesProvisioningErrors"),
    ("group", "deletedDateTime"),
    ("group", "hasMembersWithLicenseErrors"),
    ("group", "isSubscribedByMail"),
    ("group", "onPremisesProvisioningErrors"),
    ("group", "securityIdentifier"),
    ("group", "unseenCount"),
    // Read-only except for a management service.
    ("device", "isCompliant"),
    // For internal use, without the words "read-only".
    ("device", "deviceMetadata"),
    ("device", "deviceVersion"),
    ("device", "physicalIds"),
    ("device", "profileType"),
    ("device", "systemLabels"),
    // Taken from the application, or set by the service.
    ("servicePrincipal", "appDescription"),
    ("servicePrincipal", "appDisplayName"),
    ("servicePrincipal", "appOwnerOrganizationId"),
    ("servicePrincipal", "disabledByMicrosoftStatus"),
    ("servicePrincipal", "info"),
    ("servicePrincipal", "passwordCredentials"),
    ("servicePrincipal", "servicePrincipalType"),
    ("servicePrincipal", "verifiedPublisher"),
    ("appRoleAssignment", "resourceDisplayName"),
];
