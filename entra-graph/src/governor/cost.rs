//! What a request costs, by the documented table of resource units.

use entra_core::http::Method;

use super::limit::{
    COUNT, KEYS, LOGS, PROTECTION, PROVISION, REQUESTS, SUBSCRIPTION_WRITES, SUBSCRIPTIONS, UNITS,
    WRITES, most_at_once,
};

/// How much a request takes of each limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost([u32; COUNT]);

/// Which service of Graph has a path, as each has limits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Directory,
    Logs,
    Protection,
    Subscriptions,
    /// Mail, files and everything else, of whose limits this crate knows nothing.
    Other,
}

impl Cost {
    /// The cost of a request to this path below the version, with this query.
    pub(crate) fn of(method: &Method, path: &str, query: Option<&str>) -> Self {
        let path = Path::new(path);
        let query = Query::new(query.unwrap_or_default());
        let mut cost = Self::default();
        cost.0[REQUESTS] = 1;
        let reads = path.reads(method);
        match path.service() {
            Service::Logs => cost.0[LOGS] = 1,
            Service::Protection => cost.0[PROTECTION] = 1,
            Service::Subscriptions => {
                for limit in [SUBSCRIPTIONS, SUBSCRIPTIONS + 1] {
                    cost.0[limit] = 1;
                }
                for limit in [SUBSCRIPTION_WRITES, SUBSCRIPTION_WRITES + 1] {
                    cost.0[limit] = u32::from(!reads);
                }
            }
            Service::Directory => {
                let units = units(method, &path, &query);
                cost.0[UNITS] = units;
                cost.0[UNITS + 1] = units;
                let write = u32::from(!reads);
                for limit in [WRITES, WRITES + 1, WRITES + 2] {
                    cost.0[limit] = write;
                }
                let keys = is_any(path.collection(), WITH_KEYS) && query.selects("keyCredentials");
                cost.0[KEYS] = u32::from(reads && keys);
                let on_demand = *method == Method::POST && path.matches(PROVISION_ON_DEMAND);
                cost.0[PROVISION] = u32::from(on_demand);
            }
            Service::Other => {}
        }
        cost
    }

    /// The cost of several requests in one; the one itself counts nowhere.
    pub(crate) fn sum(costs: impl IntoIterator<Item = Self>) -> Self {
        let mut sum = Self::default();
        for cost in costs {
            for (total, one) in sum.0.iter_mut().zip(cost.0) {
                *total += one;
            }
        }
        sum
    }

    pub(super) const fn get(&self, limit: usize) -> u32 {
        self.0[limit]
    }

    /// The resource units of the directory.
    pub(crate) const fn units(&self) -> u32 {
        self.0[UNITS]
    }

    /// The limit of the request's service, which a 429 without details is about.
    #[inline]
    pub(super) fn service_limit(&self) -> Option<usize> {
        [LOGS, PROTECTION, SUBSCRIPTIONS, PROVISION, KEYS, UNITS]
            .into_iter()
            .find(|limit| self.0[*limit] > 0)
    }

    /// Whether a batch with this sum in it has room for another request: no limit allows fewer at once.
    pub(crate) fn has_room_for(&self, other: &Self) -> bool {
        (0..COUNT).all(|limit| match most_at_once(limit) {
            Some(most) => other.0[limit] == 0 || self.0[limit] + other.0[limit] <= most,
            None => true,
        })
    }
}

/// The resource units of a request to the directory.
fn units(method: &Method, path: &Path<'_>, query: &Query<'_>) -> u32 {
    let base = BASE
        .iter()
        .find(|row| row.0 == method.as_str() && path.matches(row.1))
        .map_or(1, |row| row.2);
    if !path.reads(method) {
        return base;
    }
    let fewer =
        u32::from(query.has("select")) + u32::from(query.number("top").is_some_and(|top| top < 20));
    (base + u32::from(query.has("expand")))
        .saturating_sub(fewer)
        .max(1)
}

/// The segments of a path: a key in parentheses is a segment of its own, `me` is a user, and a cast is left out. They are
/// compared without regard to case, as Graph does.
struct Path<'a>(Vec<&'a str>);

impl<'a> Path<'a> {
    fn new(path: &'a str) -> Self {
        let mut segments = Vec::new();
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            let version = segments.is_empty() && is_any(segment, &["v1.0", "beta"]);
            let is_cast = segment
                .get(..CAST.len())
                .is_some_and(|start| is(start, CAST));
            if version || is_cast && !segment.contains('(') {
                continue;
            }
            if segments.is_empty() && is(segment, "me") {
                segments.extend(["users", "me"]);
                continue;
            }
            match segment.split_once('(') {
                // A function, such as `delta()`, has no key.
                Some((name, ")")) => segments.push(name),
                Some((name, key)) => segments.extend([name, key]),
                None => segments.push(segment),
            }
        }
        Self(segments)
    }

    fn collection(&self) -> &'a str {
        self.0.first().copied().unwrap_or_default()
    }

    fn matches(&self, pattern: &str) -> bool {
        let mut segments = self.0.iter();
        pattern.split('/').all(|part| match segments.next() {
            Some(segment) => part == "*" || is(segment, part),
            None => false,
        }) && segments.next().is_none()
    }

    /// Whether a request changes nothing.
    fn reads(&self, method: &Method) -> bool {
        let last = self.0.last().copied().unwrap_or_default();
        matches!(*method, Method::GET | Method::HEAD)
            || *method == Method::POST && is_any(last, READING_ACTIONS)
    }

    fn service(&self) -> Service {
        let second = self.0.get(1).copied().unwrap_or_default();
        let third = self.0.get(2).copied().unwrap_or_default();
        let collection = self.collection();
        let is_report = is(collection, "reports") && is(second, "authenticationMethods");
        let is_policy = is(collection, "identity") && is(second, "conditionalAccess");
        let has_others = is_any(collection, &["users", "groups"]);
        if is(collection, "auditLogs") || is_report {
            Service::Logs
        } else if is(collection, "identityProtection") || is_policy {
            Service::Protection
        } else if is(collection, "subscriptions") {
            Service::Subscriptions
        } else if has_others && is_any(third, OTHER_SERVICES) || !is_any(collection, DIRECTORY) {
            Service::Other
        } else {
            Service::Directory
        }
    }
}

/// The options of a query.
struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    const fn new(query: &'a str) -> Self {
        Self(query)
    }

    fn get(&self, option: &str) -> Option<&'a str> {
        self.0.split('&').find_map(|part| {
            let (name, value) = part.split_once('=')?;
            let name = name
                .strip_prefix('$')
                .or_else(|| name.strip_prefix("%24"))?;
            (name.eq_ignore_ascii_case(option) && !value.is_empty()).then_some(value)
        })
    }

    fn has(&self, option: &str) -> bool {
        self.get(option).is_some()
    }

    fn number(&self, option: &str) -> Option<u32> {
        self.get(option)?.parse().ok()
    }

    fn selects(&self, property: &str) -> bool {
        self.get("select").is_some_and(|names| {
            let encoded = |names: &'a str| names.split("%2C").flat_map(|part| part.split("%2c"));
            let mut names = names.split(',').flat_map(encoded);
            names.any(|name| is(name, property))
        })
    }
}

/// Whether Graph takes two parts of an address for the same.
fn is(part: &str, known: &str) -> bool {
    part.eq_ignore_ascii_case(known)
}

fn is_any(part: &str, known: &[&str]) -> bool {
    known.iter().any(|known| is(part, known))
}

/// What a segment begins with that casts to a type.
const CAST: &str = "microsoft.graph.";

/// Documented resource units; every other request to the directory costs 1. "Microsoft Graph service-specific throttling
/// limits", identity and access service, 2025.
#[rustfmt::skip]
const BASE: &[(&str, &str, u32)] = &[
    ("GET", "applications", 2),
    ("GET", "applications/*/extensionProperties", 2),
    ("GET", "contracts", 3),
    ("GET", "domains/*/domainNameReferences", 4),
    ("GET", "groups/*/members", 3),
    ("GET", "groups/*/transitiveMembers", 5),
    ("GET", "oauth2PermissionGrants", 2),
    ("GET", "oauth2PermissionGrants/*", 2),
    ("GET", "servicePrincipals/*/appRoleAssignments", 2),
    ("GET", "subscribedSkus", 3),
    ("GET", "users", 2),
    ("GET", "users/*/licenseDetails", 2),
    ("GET", "users/*/memberOf", 2),
    ("GET", "users/*/ownedObjects", 2),
    ("GET", "users/*/transitiveMemberOf", 2),
    ("POST", "directoryObjects/getByIds", 5),
    ("POST", "getObjectsById", 5),
    ("POST", "isMemberOf", 4),
    ("POST", "users/*/checkMemberGroups", 4),
    ("POST", "users/*/checkMemberObjects", 4),
    ("POST", "users/*/getMemberGroups", 2),
    ("POST", "users/*/getMemberObjects", 2),
];

/// The action whose requests are limited by themselves.
const PROVISION_ON_DEMAND: &str = "servicePrincipals/*/synchronization/jobs/*/provisionOnDemand";

/// The collections whose certificates have a limit of their own, as the pages of both lists say.
const WITH_KEYS: &[&str] = &["applications", "servicePrincipals"];

/// Actions that read although they are sent as POST.
const READING_ACTIONS: &[&str] = &[
    "checkMemberGroups",
    "checkMemberObjects",
    "getByIds",
    "getMemberGroups",
    "getMemberObjects",
    "getObjectsById",
    "isMemberOf",
    "validateProperties",
];

/// The collections of the directory.
const DIRECTORY: &[&str] = &[
    "administrativeUnits",
    "applications",
    "applicationTemplates",
    "contacts",
    "contracts",
    "devices",
    "directory",
    "directoryObjects",
    "directoryRoles",
    "directoryRoleTemplates",
    "domains",
    "getObjectsById",
    "groupLifecyclePolicies",
    "groups",
    "groupSettings",
    "invitations",
    "isMemberOf",
    "oauth2PermissionGrants",
    "organization",
    "permissionGrants",
    "policies",
    "roleManagement",
    "schemaExtensions",
    "scopedRoleMemberships",
    "servicePrincipals",
    "subscribedSkus",
    "tenantRelationships",
    "users",
];

/// Parts of users and groups that other services have.
const OTHER_SERVICES: &[&str] = &[
    "activities",
    "calendar",
    "calendarGroups",
    "calendars",
    "calendarView",
    "chats",
    "contactFolders",
    "contacts",
    "conversations",
    "drive",
    "drives",
    "events",
    "inferenceClassification",
    "insights",
    "joinedTeams",
    "mailboxSettings",
    "mailFolders",
    "messages",
    "onenote",
    "onlineMeetings",
    "outlook",
    "people",
    "photo",
    "photos",
    "planner",
    "presence",
    "sendMail",
    "sites",
    "team",
    "teamwork",
    "threads",
    "todo",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(request: &str) -> Cost {
        let (method, address) = request.split_once(' ').unwrap();
        let (path, query) = match address.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (address, None),
        };
        Cost::of(&method.parse().unwrap(), path, query)
    }

    #[test]
    fn documented_costs_with_their_modifiers() {
        let cases = [
            // request, units, writes
            ("GET /users", 2, 0),
            ("GET /v1.0/users", 2, 0),
            ("GET /users?$select=id", 1, 0),
            ("GET /users?%24select=id", 1, 0),
            ("GET /users?$top=999", 2, 0),
            ("GET /users?$top=19", 1, 0),
            ("GET /users?$top=20", 2, 0),
            ("GET /users?$select=id&$top=5", 1, 0),
            ("GET /users?$expand=manager", 3, 0),
            ("GET /users?$select=id&$expand=manager&$top=999", 2, 0),
            ("GET /users/a", 1, 0),
            ("GET /users/a?$select=id", 1, 0),
            ("GET /users('a@b')", 1, 0),
            ("GET /users/$count", 1, 0),
            ("GET /users/delta", 1, 0),
            ("GET /users/delta()", 1, 0),
            ("GET /me", 1, 0),
            ("GET /me/memberOf", 2, 0),
            ("GET /users/a/memberOf", 2, 0),
            ("GET /users/a/memberOf/microsoft.graph.group", 2, 0),
            ("GET /users/a/transitiveMemberOf?$select=id", 1, 0),
            ("GET /users/a/licenseDetails", 2, 0),
            ("GET /users/a/ownedObjects", 2, 0),
            ("GET /groups", 1, 0),
            ("GET /groups/a/members", 3, 0),
            (
                "GET /groups/a/members/microsoft.graph.user?$select=id",
                2,
                0,
            ),
            ("GET /groups/a/members/$count", 1, 0),
            ("GET /groups/a/transitiveMembers", 5, 0),
            ("GET /groups(uniqueName='a')/members", 3, 0),
            ("GET /applications", 2, 0),
            ("GET /applications/a", 1, 0),
            ("GET /applications/a/extensionProperties", 2, 0),
            ("GET /applications(appId='a')/extensionProperties", 2, 0),
            ("GET /servicePrincipals/a/appRoleAssignments", 2, 0),
            ("GET /servicePrincipals/a/appRoleAssignedTo", 1, 0),
            ("GET /oauth2PermissionGrants", 2, 0),
            ("GET /oauth2PermissionGrants/a", 2, 0),
            ("GET /subscribedSkus", 3, 0),
            ("GET /contracts", 3, 0),
            ("GET /domains/a/domainNameReferences", 4, 0),
            ("POST /directoryObjects/getByIds", 5, 0),
            ("POST /directoryObjects/getByIds?$select=id", 4, 0),
            ("POST /getObjectsById", 5, 0),
            ("POST /isMemberOf", 4, 0),
            ("POST /users/a/checkMemberGroups", 4, 0),
            ("POST /me/checkMemberObjects", 4, 0),
            ("POST /users/a/getMemberGroups", 2, 0),
            ("POST /me/getMemberObjects", 2, 0),
            ("POST /users", 1, 1),
            ("PATCH /users/a", 1, 1),
            ("DELETE /users/a", 1, 1),
            ("POST /groups/a/members/$ref", 1, 1),
            ("PUT /users/a/manager/$ref", 1, 1),
            ("POST /applications/a/addPassword", 1, 1),
            ("GET /directory/deletedItems/microsoft.graph.user", 1, 0),
            // Graph does not distinguish letter case, and raw requests may use any.
            ("GET /V1.0/USERS", 2, 0),
            ("GET /users/a/MEMBEROF/Microsoft.Graph.Group", 2, 0),
            ("GET /Me/memberof", 2, 0),
            ("GET /groups/a/transitivemembers", 5, 0),
            ("POST /directoryobjects/getbyids", 5, 0),
            ("PATCH /USERS/a", 1, 1),
            ("GET /users/a/MESSAGES", 0, 0),
            ("GET /me/messages", 0, 0),
            ("PATCH /me/mailboxSettings", 0, 0),
            ("GET /sites/root", 0, 0),
        ];
        for (request, units, writes) in cases {
            let cost = cost(request);
            assert_eq!(cost.units(), units, "{request}");
            assert_eq!(cost.get(WRITES), writes, "{request}");
            assert_eq!(cost.get(REQUESTS), 1, "{request}");
        }
    }

    #[test]
    fn other_services_have_limits_of_their_own() {
        let cases = [
            ("GET /auditLogs/signIns", Some(LOGS)),
            ("GET /beta/auditLogs/signIns", Some(LOGS)),
            ("GET /auditlogs/signins", Some(LOGS)),
            ("GET /Reports/authenticationmethods/x", Some(LOGS)),
            ("GET /identityprotection/riskyusers", Some(PROTECTION)),
            ("GET /Identity/conditionalaccess/policies", Some(PROTECTION)),
            ("POST /Subscriptions", Some(SUBSCRIPTIONS)),
            (
                "POST /serviceprincipals/a/synchronization/jobs/b/provisionondemand",
                Some(PROVISION),
            ),
            (
                "GET /reports/authenticationMethods/userRegistrationDetails",
                Some(LOGS),
            ),
            ("GET /identityProtection/riskyUsers", Some(PROTECTION)),
            ("GET /identity/conditionalAccess/policies", Some(PROTECTION)),
            ("POST /subscriptions", Some(SUBSCRIPTIONS)),
            (
                "POST /servicePrincipals/a/synchronization/jobs/b/provisionOnDemand",
                Some(PROVISION),
            ),
            (
                "POST /servicePrincipals/a/synchronization/jobs/b/start",
                Some(UNITS),
            ),
            ("GET /users", Some(UNITS)),
            ("GET /me/events", None),
            (
                "GET /reports/getOffice365ActiveUserDetail(period='D7')",
                None,
            ),
        ];
        for (request, expected) in cases {
            assert_eq!(cost(request).service_limit(), expected, "{request}");
        }
        for (request, requests, writes) in [
            ("POST /subscriptions", 1, 1),
            ("PATCH /subscriptions/a", 1, 1),
            ("GET /subscriptions", 1, 0),
            ("GET /users", 0, 0),
        ] {
            let cost = cost(request);
            for scope in [0, 1] {
                assert_eq!(cost.get(SUBSCRIPTIONS + scope), requests, "{request}");
                assert_eq!(cost.get(SUBSCRIPTION_WRITES + scope), writes, "{request}");
            }
        }
        let keys = |request| cost(request).get(KEYS);
        assert_eq!(keys("GET /applications/a?$select=id,keyCredentials"), 1);
        assert_eq!(keys("GET /applications/a?$select=id%2CkeyCredentials"), 1);
        assert_eq!(keys("GET /applications/a?$select=id%2ckeyCredentials"), 1);
        assert_eq!(keys("GET /Applications/a?$SELECT=keycredentials"), 1);
        assert_eq!(keys("GET /applications/a?$select=id"), 0);
        assert_eq!(keys("GET /servicePrincipals?$select=id,keyCredentials"), 1);
        assert_eq!(keys("GET /serviceprincipals/a?$select=keyCredentials"), 1);
        assert_eq!(keys("GET /servicePrincipals/a?$select=id"), 0);
        assert_eq!(keys("PATCH /servicePrincipals/a?$select=keyCredentials"), 0);
        assert_eq!(keys("GET /users?$select=keyCredentials"), 0);
    }

    #[test]
    fn a_batch_has_room_for_as_many_as_its_narrowest_limit() {
        let (user, sign_ins) = (cost("GET /users"), cost("GET /auditLogs/signIns"));
        let five = Cost::sum([sign_ins; 5]);
        assert!(Cost::sum([sign_ins; 4]).has_room_for(&sign_ins));
        assert!(!five.has_room_for(&sign_ins));
        assert!(five.has_room_for(&user));
        assert_eq!(Cost::sum([user; 20]).units(), 40);
    }
}
