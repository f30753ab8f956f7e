//! The metadata document: the types that the fake tenant serves, as CSDL in XML.
//!
//! It is made from the entity types and the committed tables. These have the names of the members of enumerations and
//! not their numbers, which JSON does not have either. Actions, functions and annotations are left out.

use std::sync::OnceLock;

use super::{EntityType, IdForm, Kind, Property, Relationship, Returned, Type, facts};

/// A collection or an object at the root of Graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    pub(crate) name: &'static str,
    /// The name of its type.
    pub(crate) of: &'static str,
    pub(crate) is_set: bool,
}

/// Returns the metadata document of v1.0 or of beta.
pub(crate) fn document(beta: bool) -> &'static str {
    static DOCUMENTS: [OnceLock<String>; 2] = [const { OnceLock::new() }; 2];
    DOCUMENTS[usize::from(beta)].get_or_init(|| write(beta))
}

/// Returns the collections and objects at the root that the fake tenant serves.
pub(crate) fn roots() -> Vec<Root> {
    let set = |name, of| Root {
        name,
        of,
        is_set: true,
    };
    let single = |name, of| Root {
        name,
        of,
        is_set: false,
    };
    let kinds = Kind::ALL.iter().copied().filter(|kind| kind.is_addressed());
    let sets = kinds.map(Kind::entity);
    let mut roots: Vec<Root> = sets
        .filter(|entity| !entity.set.contains('/'))
        .map(|entity| set(entity.set, entity.name))
        .collect();
    roots.push(set("directoryObjects", OBJECT));
    roots.push(set("directoryRoleTemplates", ROLE_TEMPLATE));
    roots.push(single("me", Kind::User.entity().name));
    let containers = CONTAINERS.iter().filter(|(path, _)| !path.contains('/'));
    roots.extend(containers.map(|&(path, of)| single(path, of)));
    roots.sort_by_key(|root| (!root.is_set, root.name));
    roots
}

fn write(beta: bool) -> String {
    let mut out = HEAD.to_owned();
    for name in facts::enumerations() {
        out.push_str(&format!("<EnumType Name=\"{name}\">\n"));
        for member in facts::members_of(name) {
            out.push_str(&format!("<Member Name=\"{member}\"/>\n"));
        }
        out.push_str("</EnumType>\n");
    }
    for name in facts::structures() {
        let is_entity = Kind::ALL.iter().any(|kind| kind.entity().name == name)
            || OTHERS.iter().any(|(other, _)| *other == name);
        if !is_entity {
            add_complex(&mut out, name);
        }
    }
    out.push_str(BASES);
    for (name, base) in OTHERS {
        start_entity(&mut out, name, base, facts::is_open(name));
        for fact in facts::facts_of(name).unwrap_or_default() {
            if !inherited(base).contains(&fact.name) {
                add_property(&mut out, fact.name, fact.value, fact.many, fact.required);
            }
        }
        out.push_str(END_ENTITY);
    }
    for &kind in Kind::ALL {
        add_entity(&mut out, kind.entity(), beta);
    }
    for (path, of) in CONTAINERS {
        add_container(&mut out, path, of);
    }
    out.push_str("<EntityContainer Name=\"GraphService\">\n");
    for Root { name, of, is_set } in roots() {
        out.push_str(&match is_set {
            true => format!("<EntitySet Name=\"{name}\" EntityType=\"{NAMESPACE}.{of}\"/>\n"),
            false => format!("<Singleton Name=\"{name}\" Type=\"{NAMESPACE}.{of}\"/>\n"),
        });
    }
    out.push_str("</EntityContainer>\n");
    out.push_str(TAIL);
    out
}

fn add_complex(out: &mut String, name: &str) {
    let derived: Vec<_> = DERIVED
        .iter()
        .filter(|(_, base, _)| *base == name)
        .collect();
    let open = if facts::is_open(name) { OPEN } else { "" };
    let is_abstract = if derived.is_empty() {
        ""
    } else {
        " Abstract=\"true\""
    };
    out.push_str(&format!(
        "<ComplexType Name=\"{name}\"{is_abstract}{open}>\n"
    ));
    let facts = facts::facts_of(name).unwrap_or_default();
    for fact in facts {
        let of_derived = derived.iter().any(|(_, _, own)| own.contains(&fact.name));
        if !of_derived {
            add_property(out, fact.name, fact.value, fact.many, fact.required);
        }
    }
    out.push_str("</ComplexType>\n");
    for (derived, base, own) in derived {
        out.push_str(&format!(
            "<ComplexType Name=\"{derived}\" BaseType=\"graph.{base}\">\n"
        ));
        for fact in facts.iter().filter(|fact| own.contains(&fact.name)) {
            add_property(out, fact.name, fact.value, fact.many, fact.required);
        }
        out.push_str("</ComplexType>\n");
    }
}

fn add_entity(out: &mut String, entity: &EntityType, beta: bool) {
    let base = if entity.object { OBJECT } else { ENTITY };
    let shown = |property: &&Property| {
        let exists = beta || property.returned != Returned::InBeta;
        exists
            && !property.name.starts_with('@')
            && !inherited(base).contains(&property.name)
            && entity.relationship(property.name).is_none()
    };
    let shown: Vec<&Property> = entity.properties.iter().filter(shown).collect();
    start_entity(out, entity.name, base, entity.open);
    for property in shown.iter().filter(|property| property.derived.is_none()) {
        add_declared(out, entity, property);
    }
    for relationship in entity.relationships {
        let contained = relationship.kinds.iter().all(|kind| !kind.is_addressed());
        let target = target(relationship);
        add_navigation(out, relationship.name, target, relationship.many, contained);
    }
    for (name, of, many) in BELOW {
        let path = format!("{}/{name}", entity.object_path());
        if entity.operations.iter().any(|row| row.path == path) {
            add_navigation(out, name, of, *many, true);
        }
    }
    out.push_str(END_ENTITY);
    for name in entity.derived_types() {
        start_entity(out, name, entity.name, false);
        for property in shown.iter().filter(|item| item.derived == Some(name)) {
            add_declared(out, entity, property);
        }
        out.push_str(END_ENTITY);
    }
}

/// The type of the items of a relationship.
fn target(relationship: &Relationship) -> &'static str {
    let kinds = relationship.kinds;
    match kinds.first() {
        Some(kind) if !relationship.polymorphic => kind.entity().name,
        Some(kind) if kinds.len() == 1 && !kind.entity().object => kind.entity().name,
        _ if kinds.iter().all(|kind| kind.entity().object) => OBJECT,
        _ => ENTITY,
    }
}

/// Adds the type of an object that only holds collections and other such objects.
fn add_container(out: &mut String, path: &str, of: &str) {
    start_entity(out, of, ENTITY, false);
    let below = |name: &'static str| {
        let (parent, last) = name.rsplit_once('/')?;
        (parent == path).then_some(last)
    };
    for entity in Kind::ALL.iter().map(|kind| kind.entity()) {
        if let Some(name) = below(entity.set) {
            let many = entity.id != IdForm::Single;
            add_navigation(out, name, entity.name, many, true);
        }
    }
    for &(child, of) in CONTAINERS {
        if let Some(name) = below(child) {
            add_navigation(out, name, of, false, true);
        }
    }
    out.push_str(END_ENTITY);
}

fn add_declared(out: &mut String, entity: &EntityType, property: &Property) {
    let name = property.name;
    let value = match facts::value_type(entity, name) {
        Some(value) => value,
        None if property.value == Type::Text => "String",
        None => return,
    };
    let required = super::is_required(entity, name);
    add_property(out, name, value, property.many, required);
}

/// Adds a property, unless no table declares the type of its value.
fn add_property(out: &mut String, name: &str, value: &str, many: bool, required: bool) {
    let value = match value {
        value if facts::is_declared(value) => format!("graph.{value}"),
        value if PRIMITIVE.contains(&value) => format!("Edm.{value}"),
        _ => return,
    };
    let value = in_collection(&value, many);
    let nullable = if required { " Nullable=\"false\"" } else { "" };
    out.push_str(&format!(
        "<Property Name=\"{name}\" Type=\"{value}\"{nullable}/>\n"
    ));
}

fn add_navigation(out: &mut String, name: &str, of: &str, many: bool, contained: bool) {
    let of = in_collection(&format!("graph.{of}"), many);
    let contained = if contained {
        " ContainsTarget=\"true\""
    } else {
        ""
    };
    out.push_str(&format!(
        "<NavigationProperty Name=\"{name}\" Type=\"{of}\"{contained}/>\n"
    ));
}

fn in_collection(of: &str, many: bool) -> String {
    match many {
        true => format!("Collection({of})"),
        false => of.to_owned(),
    }
}

fn start_entity(out: &mut String, name: &str, base: &str, open: bool) {
    let open = if open { OPEN } else { "" };
    out.push_str(&format!(
        "<EntityType Name=\"{name}\" BaseType=\"graph.{base}\"{open}>\n"
    ));
}

/// The properties that a type has from its base.
fn inherited(base: &str) -> &'static [&'static str] {
    match base {
        OBJECT => &["id", "deletedDateTime"],
        _ => &["id"],
    }
}

const NAMESPACE: &str = "microsoft.graph";
const ENTITY: &str = "entity";
const OBJECT: &str = "directoryObject";
const ROLE_TEMPLATE: &str = "directoryRoleTemplate";
const OPEN: &str = " OpenType=\"true\"";
const END_ENTITY: &str = "</EntityType>\n";

const PRIMITIVE: [&str; 15] = [
    "Binary",
    "Boolean",
    "Date",
    "DateTimeOffset",
    "Decimal",
    "Double",
    "Duration",
    "Guid",
    "Int16",
    "Int32",
    "Int64",
    "Single",
    "Stream",
    "String",
    "TimeOfDay",
];

/// The objects that hold the collections which are not at the root, and their types.
const CONTAINERS: &[(&str, &str)] = &[
    ("auditLogs", "auditLogRoot"),
    ("directory", "directory"),
    ("identity", "identityContainer"),
    ("identity/conditionalAccess", "conditionalAccessRoot"),
    ("identityProtection", "identityProtectionRoot"),
    ("policies", "policyRoot"),
    ("reports", "reportRoot"),
    ("reports/authenticationMethods", "authenticationMethodsRoot"),
    ("roleManagement", "roleManagement"),
    ("roleManagement/directory", "rbacApplication"),
];

/// Entity types without an [`EntityType`] of their own, and their base types.
const OTHERS: &[(&str, &str)] = &[
    ("extensionProperty", OBJECT),
    ("licenseDetails", ENTITY),
    ("profilePhoto", ENTITY),
];

/// Where these are.
const BELOW: &[(&str, &str, bool)] = &[
    ("extensionProperties", "extensionProperty", true),
    ("licenseDetails", "licenseDetails", true),
    ("photo", "profilePhoto", false),
    ("photos", "profilePhoto", true),
];

/// The complex types with a base type, the base type, and their own properties, all of which the tables have at the base
/// type.
const DERIVED: &[(&str, &str, &[&str])] = &[
    ("iPv4CidrRange", "ipRange", &["cidrAddress"]),
    ("iPv4Range", "ipRange", &["lowerAddress", "upperAddress"]),
    ("iPv6CidrRange", "ipRange", &["cidrAddress"]),
    ("iPv6Range", "ipRange", &["lowerAddress", "upperAddress"]),
    (
        "conditionalAccessAllExternalTenants",
        "conditionalAccessExternalTenants",
        &[],
    ),
    (
        "conditionalAccessEnumeratedExternalTenants",
        "conditionalAccessExternalTenants",
        &["members"],
    ),
];

const HEAD: &str = "\
<?xml version=\"1.0\" encoding=\"utf-8\"?>
<edmx:Edmx Version=\"4.0\" xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\">
<edmx:DataServices>
<Schema Namespace=\"microsoft.graph\" Alias=\"graph\" xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">
";

const BASES: &str = "\
<EntityType Name=\"entity\" Abstract=\"true\">
<Key><PropertyRef Name=\"id\"/></Key>
<Property Name=\"id\" Type=\"Edm.String\" Nullable=\"false\"/>
</EntityType>
<EntityType Name=\"directoryObject\" BaseType=\"graph.entity\">
<Property Name=\"deletedDateTime\" Type=\"Edm.DateTimeOffset\"/>
</EntityType>
<EntityType Name=\"directoryRoleTemplate\" BaseType=\"graph.directoryObject\">
<Property Name=\"description\" Type=\"Edm.String\"/>
<Property Name=\"displayName\" Type=\"Edm.String\"/>
</EntityType>
";

const TAIL: &str = "\
</Schema>
</edmx:DataServices>
</edmx:Edmx>
";

#[cfg(test)]
mod tests;
