mod documented_writability;
mod writability;

use std::collections::BTreeSet;

use super::{facts::facts_of, *};

#[test]
fn a_user_has_exactly_eleven_default_properties() {
    let shown: Vec<_> = shown(Kind::User).collect();
    assert_eq!(
        shown,
        [
            "id",
            "businessPhones",
            "displayName",
            "givenName",
            "jobTitle",
            "mail",
            "mobilePhone",
            "officeLocation",
            "preferredLanguage",
            "surname",
            "userPrincipalName"
        ]
    );
}

#[test]
fn no_table_has_a_property_or_rule_twice() {
    for &kind in Kind::ALL {
        let entity = kind.entity();
        let properties: BTreeSet<_> = entity
            .properties
            .iter()
            .map(|property| property.name)
            .collect();
        assert_eq!(properties.len(), entity.properties.len(), "{}", entity.name);
        let rules: BTreeSet<_> = entity.rules.iter().map(|rule| rule.path).collect();
        assert_eq!(rules.len(), entity.rules.len(), "{}", entity.name);
    }
}

#[test]
fn every_filter_rule_starts_with_a_property_of_the_type() {
    for &kind in Kind::ALL {
        let entity = kind.entity();
        for rule in entity.rules {
            let first = rule.path.split('/').next().unwrap_or_default();
            let known = entity.property(first).is_some() || entity.navigation(first).is_some();
            assert!(known, "{} {}", entity.name, rule.path);
        }
        for (path, _) in entity.order {
            assert!(entity.property(path).is_some(), "{} {path}", entity.name);
        }
    }
}

#[test]
fn alternate_keys_are_declared_properties() {
    for &kind in Kind::ALL {
        for key in kind.alternate_keys() {
            assert!(kind.entity().property(key).is_some(), "{key}");
        }
    }
}

#[test]
fn the_entity_types_agree_with_the_committed_metadata() {
    let mut checked = 0;
    for &kind in Kind::ALL {
        let entity = kind.entity();
        let facts = facts_of(entity.name).unwrap_or_else(|| panic!("{}", entity.name));
        for fact in facts {
            let ours = entity
                .property(fact.name)
                .unwrap_or_else(|| panic!("{} lacks {}", entity.name, fact.name));
            assert_eq!(ours.many, fact.many, "{}", fact.name);
            let date = matches!(fact.value, "DateTimeOffset" | "Date");
            assert_eq!(ours.value == Type::Date, date, "{}", fact.name);
            assert_eq!(
                ours.value == Type::Boolean,
                fact.value == "Boolean",
                "{}",
                fact.name
            );
            assert_eq!(
                ours.value == Type::Guid,
                fact.value == "Guid",
                "{}",
                fact.name
            );
            checked += 1;
        }
        for property in entity.properties {
            assert!(
                facts.iter().any(|fact| fact.name == property.name)
                    || BEYOND_METADATA.contains(&property.name),
                "{} is not in the metadata",
                property.name
            );
        }
    }
    assert!(checked > 300, "{checked}");
}

#[test]
fn every_kind_is_found_by_its_set_and_has_operations_or_a_parent() {
    for &kind in Kind::ALL {
        assert_eq!(Kind::of_set(kind.entity().set), Some(kind));
        let reached = kind.is_addressed()
            || Kind::ALL
                .iter()
                .copied()
                .flat_map(|kind| kind.entity().relationships)
                .any(|relationship| relationship.kinds.contains(&kind));
        assert!(reached, "{kind:?}");
    }
}

#[test]
fn the_parts_of_an_entity_type_fit_together() {
    for &kind in Kind::ALL {
        let entity = kind.entity();
        assert_eq!(
            entity.activities.attribute_values.is_some(),
            entity.property("customSecurityAttributes").is_some(),
            "{kind:?}"
        );
        let assigned = entity.relationship("appRoleAssignments");
        assert_eq!(entity.principal.is_some(), assigned.is_some(), "{kind:?}");
        let added = format!("{}/addPassword", entity.object_path());
        let has_credentials = entity.operations.iter().any(|row| row.path == added);
        assert_eq!(entity.application.is_some(), has_credentials, "{kind:?}");
    }
}

/// Documented and observed, but not in the metadata.
const BEYOND_METADATA: [&str; 4] = [
    "@odata.type",
    "allowedValues",
    "extensionAttributes",
    "notificationContentType",
];

fn shown(kind: Kind) -> impl Iterator<Item = &'static str> {
    kind.entity()
        .properties
        .iter()
        .filter(|property| property.returned == Returned::Always)
        .map(|p| p.name)
}
