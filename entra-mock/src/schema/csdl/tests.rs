use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// The start of an element.
struct Tag<'x> {
    name: &'x str,
    attributes: BTreeMap<&'x str, &'x str>,
}

/// Returns all start tags of a document in which every tag is closed in order.
fn tags(xml: &str) -> Vec<Tag<'_>> {
    let (mut open, mut tags) = (Vec::new(), Vec::new());
    let (_, body) = xml.split_once("?>").unwrap();
    for part in body.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        assert!(text.trim().is_empty(), "{text}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let (tag, is_empty) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let (name, rest) = tag.split_once(' ').unwrap_or((tag, ""));
        if !is_empty {
            open.push(name);
        }
        let attributes = rest.split("\" ").filter(|pair| !pair.is_empty());
        let attributes = attributes.map(|pair| {
            let (key, value) = pair.split_once("=\"").unwrap();
            (key, value.trim_end_matches('"'))
        });
        tags.push(Tag {
            name,
            attributes: attributes.collect(),
        });
    }
    assert!(open.is_empty(), "{open:?}");
    tags
}

/// The type of each property and navigation property, by its type and name.
fn members(xml: &str) -> BTreeMap<(&str, &str), &str> {
    let mut members = BTreeMap::new();
    let mut owner = "";
    for tag in tags(xml) {
        let name = tag.attributes.get("Name").copied().unwrap_or_default();
        match tag.name {
            "EntityType" | "ComplexType" => owner = name,
            "Property" | "NavigationProperty" => {
                let of = tag.attributes["Type"];
                assert_eq!(members.insert((owner, name), of), None, "{owner} {name}");
            }
            _ => {}
        }
    }
    members
}

#[test]
fn every_type_of_the_metadata_is_declared_once() {
    for beta in [false, true] {
        let tags = tags(document(beta));
        let mut declared = BTreeSet::new();
        for tag in &tags {
            if ["EntityType", "ComplexType", "EnumType"].contains(&tag.name) {
                let name = tag.attributes["Name"];
                assert!(declared.insert(name), "{name} is there twice");
            }
        }
        for tag in &tags {
            for key in ["Type", "BaseType", "EntityType"] {
                let Some(of) = tag.attributes.get(key) else {
                    continue;
                };
                let of = of.strip_prefix("Collection(").unwrap_or(of);
                let of = of.trim_end_matches(')');
                let local = of
                    .strip_prefix("graph.")
                    .or_else(|| of.strip_prefix("microsoft.graph."));
                assert!(
                    local.map_or(of.starts_with("Edm."), |local| declared.contains(local)),
                    "{of}"
                );
            }
        }
        for &kind in Kind::ALL {
            assert!(declared.contains(kind.entity().name), "{kind:?}");
        }
    }
}

#[test]
fn the_metadata_has_the_types_of_the_tables() {
    let members = members(document(false));
    for (owner, name, of) in [
        ("user", "displayName", "Edm.String"),
        ("user", "businessPhones", "Collection(Edm.String)"),
        (
            "user",
            "assignedLicenses",
            "Collection(graph.assignedLicense)",
        ),
        ("user", "manager", "graph.directoryObject"),
        (
            "user",
            "appRoleAssignments",
            "Collection(graph.appRoleAssignment)",
        ),
        ("user", "photo", "graph.profilePhoto"),
        ("group", "members", "Collection(graph.directoryObject)"),
        (
            "device",
            "extensionAttributes",
            "graph.onPremisesExtensionAttributes",
        ),
        ("ipNamedLocation", "ipRanges", "Collection(graph.ipRange)"),
        ("iPv4CidrRange", "cidrAddress", "Edm.String"),
        ("auditLogRoot", "signIns", "Collection(graph.signIn)"),
        (
            "conditionalAccessRoot",
            "policies",
            "Collection(graph.conditionalAccessPolicy)",
        ),
        (
            "policyRoot",
            "defaultAppManagementPolicy",
            "graph.tenantAppManagementPolicy",
        ),
    ] {
        assert_eq!(members.get(&(owner, name)), Some(&of), "{owner} {name}");
    }
    for inherited in [
        ("user", "id"),
        ("user", "deletedDateTime"),
        ("ipRange", "cidrAddress"),
    ] {
        assert_eq!(members.get(&inherited), None, "{inherited:?}");
    }
}

#[test]
fn properties_of_beta_are_in_its_metadata_alone() {
    let event_types = ("signIn", "signInEventTypes");
    assert_eq!(members(document(false)).get(&event_types), None);
    assert_eq!(
        members(document(true)).get(&event_types),
        Some(&"Collection(Edm.String)")
    );
}

#[test]
fn every_collection_has_a_place_in_the_metadata() {
    let roots = roots();
    let members = members(document(false));
    for &kind in Kind::ALL {
        let set = kind.entity().set;
        let found = match set.rsplit_once('/') {
            _ if !kind.is_addressed() => continue,
            None => roots.iter().any(|root| root.name == set && root.is_set),
            Some((path, last)) => CONTAINERS
                .iter()
                .any(|(known, of)| *known == path && members.contains_key(&(*of, last))),
        };
        assert!(found, "{set}");
    }
}
