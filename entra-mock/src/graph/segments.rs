//! Which segments Graph has at which place of a path, to tell a typing error from something that the fake
//! tenant does not support.
//!
//! Source: the metadata of Graph v1.0 (`tables/segments.tsv`) and, for what that table leaves out, the names
//! of the collections of other services.

use std::{borrow::Cow, sync::OnceLock};

use super::route::{decode, qualified};

/// Returns the first segment of a path below `/v1.0` that Graph does not have, if the metadata tells.
pub(super) fn unknown(path: &str) -> Option<String> {
    let segments: Vec<Cow<'_, str>> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| decode(segment).unwrap_or(Cow::Borrowed(segment)))
        .collect();
    let first = segments.first()?;
    let (name, inline_key) = match first.split_once('(') {
        Some((name, _)) => (name, true),
        None => (&**first, false),
    };
    let Some(root) = Root::named(name) else {
        return (!is_of_another_service(name)).then(|| first.to_string());
    };
    let place = match (root.is_set, inline_key) {
        (false, _) | (true, true) => 1,
        (true, false) => 2,
    };
    let segment = segments.get(place)?;
    // A function can be at the position of a key, and an object can be of any type.
    let is_function = segments
        .get(1)
        .is_some_and(|key| place == 2 && (key.starts_with('$') || qualified(key).is_some()));
    if is_function || root.of.is_empty() || root.of == "directoryObject" {
        return None;
    }
    let dynamic = segment.starts_with('$')
        || segment.contains(['(', '.'])
        || segment.to_ascii_lowercase().starts_with("extension");
    (!dynamic && !has(root.of, segment)).then(|| segment.to_string())
}

/// Whether Graph v1.0 has a collection or an object of that name at its root.
pub(super) fn is_root(name: &str) -> bool {
    Root::named(name).is_some() || is_of_another_service(name)
}

/// A collection or an object at the start of a path.
#[derive(Clone, Copy)]
struct Root {
    name: &'static str,
    is_set: bool,
    /// The type, or empty if the table does not have it.
    of: &'static str,
}

impl Root {
    fn named(name: &str) -> Option<Self> {
        // Every request to a sign-in endpoint asks, so the table is read once.
        static ROOTS: OnceLock<Vec<Root>> = OnceLock::new();
        let roots = ROOTS.get_or_init(|| {
            let lines = TABLE.lines().take_while(|line| line.starts_with('='));
            lines.filter_map(Self::read).collect()
        });
        let mut roots = roots.iter().copied();
        roots.find(|root| root.name.eq_ignore_ascii_case(name))
    }

    fn read(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        let (kind, name) = (columns.next()?, columns.next()?);
        Some(Self {
            name,
            is_set: kind == "=set",
            of: columns.next().unwrap_or_default(),
        })
    }
}

/// Whether objects of a type have a property, a relationship, a function or an action of that name.
fn has(of: &str, name: &str) -> bool {
    let names = TABLE.lines().find_map(|line| {
        let (known, names) = line.split_once('\t')?;
        (known == of).then_some(names)
    });
    names
        .unwrap_or_default()
        .split(' ')
        .any(|known| known.eq_ignore_ascii_case(name))
}

fn is_of_another_service(name: &str) -> bool {
    name.starts_with('$')
        || OTHER_SERVICES
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
}

const TABLE: &str = include_str!("../../tables/segments.tsv");

/// Collections and objects at the root of Graph v1.0 that the table leaves out (overview of the Graph v1.0
/// reference).
const OTHER_SERVICES: [&str; 45] = [
    "administrativeUnits",
    "directorySettingTemplates",
    "identity",
    "identityProtection",
    "admin",
    "agreementAcceptances",
    "agreements",
    "appCatalogs",
    "authenticationMethodConfigurations",
    "authenticationMethodsPolicy",
    "certificateBasedAuthConfiguration",
    "chats",
    "communications",
    "compliance",
    "connections",
    "copilot",
    "dataPolicyOperations",
    "deviceAppManagement",
    "deviceManagement",
    "drive",
    "drives",
    "education",
    "employeeExperience",
    "external",
    "filterOperators",
    "functions",
    "groupLifecyclePolicies",
    "identityGovernance",
    "identityProviders",
    "informationProtection",
    "permissionGrants",
    "places",
    "planner",
    "print",
    "privacy",
    "search",
    "security",
    "shares",
    "sites",
    "solutions",
    "storage",
    "teams",
    "teamsTemplates",
    "teamwork",
    "templates",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_that_graph_does_not_have_is_found() {
        for (path, segment) in [
            ("/colours", "colours"),
            ("/user", "user"),
            ("/usres/1", "usres"),
            ("/users/1/colour", "colour"),
            ("/users('a@b.c')/colour", "colour"),
            ("/me/colour", "colour"),
            ("/me/%63olour/x", "colour"),
            ("/groups/1/member", "member"),
            ("/auditLogs/signIn", "signIn"),
            ("/directory/deletedItem", "deletedItem"),
            ("/applications(appId='1')/secrets", "secrets"),
        ] {
            assert_eq!(unknown(path).as_deref(), Some(segment), "{path}");
        }
    }

    #[test]
    fn a_segment_that_graph_has_or_may_have_is_not_reported() {
        for path in [
            "/",
            "/sites/root/colours",
            "/me/messages",
            "/Users/1/ManagedDevices",
            "/users/1/messages/2/colour",
            "/users/1/displayName",
            "/users/1/$ref",
            "/users/1/microsoft.graph.user",
            "/users/1/reminderView(startDateTime='x')",
            "/users/1/extension_00_level",
            "/users/delta",
            "/users/$count/x",
            "/users/microsoft.graph.delta/x",
            "/groups/1/team",
            "/policies/anything",
            "/identity/anything",
            "/directoryObjects/1/members",
            "/organization/1/branding",
            "/roleManagement/directory/roleDefinitions",
            "/reports/authenticationMethods",
            "/tenantRelationships/findTenantInformationByTenantId(tenantId='x')",
        ] {
            assert_eq!(unknown(path), None, "{path}");
        }
    }
}
