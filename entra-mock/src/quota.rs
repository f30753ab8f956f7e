//! The documented throttling limits: what a request costs, and whether a caller still has that much.
//!
//! Source: "Microsoft Graph service-specific throttling limits" (2025): identity and access service, identity and access
//! reports, identity protection, and the limit of key credentials.

use std::collections::{HashMap, VecDeque};

use entra_core::{Timestamp, time::Duration};

use crate::wire::Reply;

/// What callers have used.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    /// Whether a caller without quota left is throttled.
    pub(crate) enforced: bool,
    buckets: HashMap<(Limit, String), Bucket>,
    windows: HashMap<(Limit, String), VecDeque<Timestamp>>,
}

/// Whose quota a request uses: it is counted by application and tenant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Consumer<'a> {
    pub(crate) app_id: &'a str,
    pub(crate) tenant_id: &'a str,
    /// How many users the tenant has, which decides about its resource units.
    pub(crate) users: usize,
}

/// What a request costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Price {
    /// Resource units; 0 for services that count requests.
    pub(crate) units: u32,
    write: bool,
    logs: bool,
    protection: bool,
    keys: bool,
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It is served. The part of the resource units that is used then, if they are counted.
    Served(Option<f64>),
    Throttled(Throttled),
}

/// Why a request is throttled, as the headers of a 429 say it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Throttled {
    /// In seconds; the logs and Identity Protection name none.
    retry_after: Option<u64>,
    scope: Option<String>,
    information: Option<&'static str>,
    used: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Limit {
    Units,
    ApplicationUnits,
    Writes,
    ApplicationWrites,
    TenantWrites,
    Keys,
    Logs,
    Protection,
}

/// Refills all the time, up to its capacity.
#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Timestamp,
}

impl Quotas {
    /// Counts a request, or says why it is throttled. A throttled request uses up what is left.
    pub(crate) fn charge(
        &mut self,
        now: Timestamp,
        consumer: Consumer<'_>,
        price: Price,
    ) -> Outcome {
        if !self.enforced {
            return Outcome::Served(None);
        }
        let Consumer {
            app_id, tenant_id, ..
        } = consumer;
        let both = format!("{app_id}/{tenant_id}");
        if price.logs && !self.has_slot(Limit::Logs, &both, now, 5, 10) {
            return Outcome::Throttled(Throttled::silent());
        }
        if price.protection && !self.has_slot(Limit::Protection, tenant_id, now, 1, 1) {
            return Outcome::Throttled(Throttled::silent());
        }
        let writes = f64::from(u8::from(price.write));
        let units = f64::from(price.units);
        let keys = f64::from(u8::from(price.keys));
        let charges = [
            (Limit::Writes, &*both, writes, 3_000.0, 150.0),
            (Limit::TenantWrites, tenant_id, writes, 18_000.0, 300.0),
            (Limit::ApplicationWrites, app_id, writes, 35_000.0, 300.0),
            (Limit::Keys, tenant_id, keys, 150.0, 60.0),
            (Limit::Units, &*both, units, units_of(consumer.users), 10.0),
            (Limit::ApplicationUnits, app_id, units, 150_000.0, 20.0),
        ];
        let mut missing = None;
        for (limit, key, cost, capacity, seconds) in charges {
            if cost == 0.0 {
                continue;
            }
            let bucket = self.bucket(limit, key, now, capacity, seconds);
            if missing.is_none() && bucket.left < cost {
                missing = Some((limit, (cost - bucket.left) * seconds / capacity));
                bucket.left = 0.0;
            }
        }
        if let Some((limit, wait)) = missing {
            return Outcome::Throttled(Throttled::named(limit, wait, consumer));
        }
        let mut used = None;
        for (limit, key, cost, capacity, seconds) in charges {
            if cost == 0.0 {
                continue;
            }
            let bucket = self.bucket(limit, key, now, capacity, seconds);
            bucket.left -= cost;
            if limit == Limit::Units {
                used = Some(1.0 - bucket.left / capacity);
            }
        }
        Outcome::Served(used)
    }

    fn bucket(
        &mut self,
        limit: Limit,
        key: &str,
        now: Timestamp,
        capacity: f64,
        seconds: f64,
    ) -> &mut Bucket {
        let bucket = self
            .buckets
            .entry((limit, key.to_owned()))
            .or_insert(Bucket {
                left: capacity,
                at: now,
            });
        let passed = (now - bucket.at).as_seconds_f64().max(0.0);
        bucket.left = (bucket.left + passed * capacity / seconds).min(capacity);
        bucket.at = now.max(bucket.at);
        bucket
    }

    /// Whether fewer than the allowed number of requests came in the period before now. Counts this one then.
    fn has_slot(
        &mut self,
        limit: Limit,
        key: &str,
        now: Timestamp,
        most: usize,
        seconds: i64,
    ) -> bool {
        let window = self.windows.entry((limit, key.to_owned())).or_default();
        while window
            .front()
            .is_some_and(|first| *first + Duration::seconds(seconds) <= now)
        {
            window.pop_front();
        }
        let free = window.len() < most;
        if free {
            window.push_back(now);
        }
        free
    }
}

impl Price {
    /// The price of a request to Graph; `path` has the version in front.
    pub(crate) fn of(method: &str, path: &str, query: Option<&str>) -> Self {
        let path = path.to_ascii_lowercase();
        let segments = segments(&path);
        let query = query.unwrap_or_default().to_ascii_lowercase();
        let option = |name: &str| {
            query.split('&').find_map(|part| {
                let (key, value) = part.split_once('=')?;
                (key.replace("%24", "$") == name && !value.is_empty()).then_some(value)
            })
        };
        match segments.as_slice() {
            ["auditlogs", ..] | ["reports", "authenticationmethods", ..] => {
                return Self {
                    logs: true,
                    ..Self::default()
                };
            }
            ["identityprotection", ..] | ["identity", "conditionalaccess", ..] => {
                return Self {
                    protection: true,
                    ..Self::default()
                };
            }
            ["users" | "groups", _, "photo" | "photos", ..] => return Self::default(),
            _ => {}
        }
        let (base, reads) = base(method, &segments);
        let mut units = base;
        if reads {
            units += u32::from(option("$expand").is_some());
            let small = option("$top")
                .and_then(|top| top.parse::<u32>().ok())
                .is_some_and(|top| top < 20);
            let cheaper = u32::from(option("$select").is_some()) + u32::from(small);
            units = units.saturating_sub(cheaper).max(1);
        }
        let keys = option("$select").is_some_and(|names| names.contains("keycredentials"));
        Self {
            units,
            write: !reads,
            keys: reads && keys && segments.first() == Some(&"applications"),
            ..Self::default()
        }
    }
}

/// Segments in lower case below the version: keys stand alone, the signed-in user is one of the users, casts are left out.
fn segments(path: &str) -> Vec<&str> {
    let mut segments: Vec<&str> = Vec::new();
    for (number, segment) in path.split('/').filter(|part| !part.is_empty()).enumerate() {
        match segment.split_once('(') {
            _ if number == 0 || segment.starts_with("microsoft.graph.") => {}
            Some((name, ")")) => segments.push(name),
            Some((name, key)) => segments.extend([name, key]),
            None if number == 1 && segment == "me" => segments.extend(["users", "me"]),
            None => segments.push(segment),
        }
    }
    segments
}

/// Resource units before the query, and whether the request only reads.
fn base(method: &str, segments: &[&str]) -> (u32, bool) {
    let last = segments.last().copied().unwrap_or_default();
    match (method, segments) {
        ("GET", ["applications"]) => (2, true),
        ("GET", ["applications", _, "extensionproperties"]) => (2, true),
        ("GET", ["contracts"]) => (3, true),
        ("GET", ["domains", _, "domainnamereferences"]) => (4, true),
        ("GET", ["groups", _, "members"]) => (3, true),
        ("GET", ["groups", _, "transitivemembers"]) => (5, true),
        ("GET", ["oauth2permissiongrants"] | ["oauth2permissiongrants", _]) => (2, true),
        ("GET", ["serviceprincipals", _, "approleassignments"]) => (2, true),
        ("GET", ["subscribedskus"]) => (3, true),
        ("GET", ["users"]) => (2, true),
        (
            "GET",
            [
                "users",
                _,
                "licensedetails" | "memberof" | "ownedobjects" | "transitivememberof",
            ],
        ) => (2, true),
        ("POST", ["directoryobjects", "getbyids"]) => (5, true),
        ("POST", ["users", _, "checkmembergroups" | "checkmemberobjects"]) => (4, true),
        ("POST", ["users", _, "getmembergroups" | "getmemberobjects"]) => (2, true),
        ("POST", _)
            if matches!(
                last,
                "checkmembergroups"
                    | "checkmemberobjects"
                    | "getmembergroups"
                    | "getmemberobjects"
                    | "validateproperties"
            ) =>
        {
            (1, true)
        }
        (method, _) => (1, matches!(method, "GET" | "HEAD")),
    }
}

fn units_of(users: usize) -> f64 {
    match users {
        ..50 => 3_500.0,
        50..=500 => 5_000.0,
        _ => 8_000.0,
    }
}

impl Throttled {
    /// Without a wait and without details.
    const fn silent() -> Self {
        Self {
            retry_after: None,
            scope: None,
            information: None,
            used: None,
        }
    }

    fn named(limit: Limit, wait: f64, consumer: Consumer<'_>) -> Self {
        let Consumer {
            app_id, tenant_id, ..
        } = consumer;
        let (scope, information, access) = match limit {
            Limit::Writes => ("Tenant_Application", "WriteLimitExceeded", "Write"),
            Limit::ApplicationWrites => ("Application", "WriteLimitExceeded", "Write"),
            Limit::TenantWrites => ("Tenant", "WriteLimitExceeded", "Write"),
            Limit::ApplicationUnits => ("Application", "ResourceUnitLimitExceeded", "ReadWrite"),
            // Its response is documented with a wait and nothing else.
            Limit::Keys => {
                return Self {
                    retry_after: Some(whole_seconds(wait)),
                    ..Self::silent()
                };
            }
            _ => (
                "Tenant_Application",
                "ResourceUnitLimitExceeded",
                "ReadWrite",
            ),
        };
        Self {
            retry_after: Some(whole_seconds(wait)),
            scope: Some(format!("{scope}/{access}/{app_id}/{tenant_id}")),
            information: Some(information),
            used: (limit == Limit::Units).then_some(1.0),
        }
    }

    /// Adds the headers of a 429.
    pub(crate) fn add_to(&self, mut reply: Reply) -> Reply {
        if let Some(seconds) = self.retry_after {
            reply = reply.with_header("retry-after", seconds.to_string());
        }
        if let Some(scope) = &self.scope {
            reply = reply.with_header("x-ms-throttle-scope", scope.clone());
        }
        if let Some(information) = self.information {
            reply = reply.with_header("x-ms-throttle-information", information);
        }
        with_used(reply, self.used)
    }
}

/// At least one second, and at most the period of a limit.
fn whole_seconds(wait: f64) -> u64 {
    let enough = |seconds: &u32| f64::from(*seconds) >= wait;
    (1..=300).find(enough).unwrap_or(300).into()
}

/// The header that says how much is used is there from 0.8 on.
pub(crate) fn with_used(reply: Reply, used: Option<f64>) -> Reply {
    match used {
        Some(used) if used > 0.8 => {
            reply.with_header("x-ms-throttle-limit-percentage", format!("{used:.2}"))
        }
        _ => reply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consumer(users: usize) -> Consumer<'static> {
        Consumer {
            app_id: "app",
            tenant_id: "tenant",
            users,
        }
    }

    fn at(seconds: f64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::seconds_f64(seconds)
    }

    fn enforced() -> Quotas {
        Quotas {
            enforced: true,
            ..Quotas::default()
        }
    }

    fn price(request: &str) -> Price {
        let (method, address) = request.split_once(' ').unwrap();
        match address.split_once('?') {
            Some((path, query)) => Price::of(method, path, Some(query)),
            None => Price::of(method, address, None),
        }
    }

    fn wait(outcome: Outcome) -> Option<u64> {
        match outcome {
            Outcome::Throttled(throttled) => throttled.retry_after,
            Outcome::Served(_) => None,
        }
    }

    #[test]
    fn documented_prices() {
        let units = [
            ("GET /v1.0/users", 2),
            ("GET /v1.0/users?$select=id&$top=999", 1),
            ("GET /v1.0/users?%24select=id&$top=5", 1),
            ("GET /v1.0/users?$expand=manager", 3),
            ("GET /v1.0/users?$select=id&$expand=manager", 2),
            ("GET /v1.0/Users/a", 1),
            ("GET /beta/users/a/memberOf", 2),
            ("GET /v1.0/me/memberOf", 2),
            ("GET /v1.0/me", 1),
            ("GET /v1.0/groups/a/members", 3),
            ("GET /v1.0/groups/a/members?$top=10&$select=id", 1),
            ("GET /v1.0/groups/a/members/microsoft.graph.user", 3),
            ("GET /v1.0/groups/a/transitiveMembers", 5),
            ("GET /v1.0/applications(appId='a')/extensionProperties", 2),
            ("GET /v1.0/subscribedSkus", 3),
            ("POST /v1.0/directoryObjects/getByIds", 5),
            ("POST /v1.0/users/a/checkMemberGroups", 4),
            ("POST /v1.0/users", 1),
            ("GET /v1.0/auditLogs/signIns", 0),
            ("GET /v1.0/users/a/photo/$value", 0),
        ];
        for (request, expected) in units {
            assert_eq!(price(request).units, expected, "{request}");
        }
        for request in [
            "POST /v1.0/users",
            "PATCH /v1.0/users/a",
            "DELETE /v1.0/users/a",
        ] {
            assert!(price(request).write, "{request}");
        }
        for request in [
            "GET /v1.0/users",
            "POST /v1.0/directoryObjects/getByIds",
            "POST /v1.0/groups/a/checkMemberGroups",
        ] {
            assert!(!price(request).write, "{request}");
        }
        assert!(price("GET /beta/auditLogs/signIns").logs);
        assert!(price("GET /v1.0/reports/authenticationMethods/userRegistrationDetails").logs);
        assert!(price("GET /v1.0/identityProtection/riskyUsers").protection);
        assert!(price("GET /v1.0/applications/a?$select=keyCredentials").keys);
    }

    #[test]
    fn resource_units_depend_on_the_size_of_the_tenant() {
        for (users, most) in [
            (0, 3_500),
            (49, 3_500),
            (50, 5_000),
            (500, 5_000),
            (501, 8_000),
        ] {
            let mut quotas = enforced();
            let one = price("GET /v1.0/users/a");
            let served = (0..9_000)
                .take_while(|_| {
                    matches!(
                        quotas.charge(at(0.0), consumer(users), one),
                        Outcome::Served(_)
                    )
                })
                .count();
            assert_eq!(served, most, "{users} users");
        }
    }

    #[test]
    fn a_bucket_refills_all_the_time_and_names_the_wait() {
        let mut quotas = enforced();
        let list = price("GET /v1.0/groups/a/transitiveMembers");
        for _ in 0..700 {
            assert_eq!(wait(quotas.charge(at(0.0), consumer(1), list)), None);
        }
        let throttled = quotas.charge(at(0.0), consumer(1), list);
        let Outcome::Throttled(throttled) = throttled else {
            panic!("{throttled:?}")
        };
        assert_eq!(throttled.retry_after, Some(1));
        assert_eq!(throttled.information, Some("ResourceUnitLimitExceeded"));
        assert_eq!(
            throttled.scope.as_deref(),
            Some("Tenant_Application/ReadWrite/app/tenant")
        );
        // 350 units a second.
        let served = (0..100)
            .take_while(|_| wait(quotas.charge(at(1.0), consumer(1), list)).is_none())
            .count();
        assert_eq!(served, 70);
        // Another tenant has its own.
        let other = Consumer {
            tenant_id: "other",
            ..consumer(1)
        };
        assert_eq!(wait(quotas.charge(at(1.0), other, list)), None);
    }

    #[test]
    fn from_four_fifths_on_a_response_says_what_is_used() {
        let mut quotas = enforced();
        let one = price("GET /v1.0/users/a");
        for _ in 0..2_800 {
            quotas.charge(at(0.0), consumer(1), one);
        }
        let Outcome::Served(used) = quotas.charge(at(0.0), consumer(1), one) else {
            panic!("throttled")
        };
        let reply = with_used(Reply::new(200), used);
        assert_eq!(
            reply.headers,
            [("x-ms-throttle-limit-percentage", "0.80".to_owned())]
        );
        assert!(with_used(Reply::new(200), Some(0.8)).headers.is_empty());
    }

    #[test]
    fn writes_are_counted_beside_resource_units() {
        let mut quotas = enforced();
        let write = price("PATCH /v1.0/users/a");
        for _ in 0..3_000 {
            assert_eq!(wait(quotas.charge(at(0.0), consumer(1), write)), None);
        }
        let Outcome::Throttled(throttled) = quotas.charge(at(0.0), consumer(1), write) else {
            panic!("served")
        };
        assert_eq!(throttled.information, Some("WriteLimitExceeded"));
        assert_eq!(
            throttled.scope.as_deref(),
            Some("Tenant_Application/Write/app/tenant")
        );
        // Reads go on.
        let read = price("GET /v1.0/users/a");
        assert_eq!(wait(quotas.charge(at(0.0), consumer(1), read)), None);
    }

    #[test]
    fn logs_take_five_requests_in_ten_seconds_and_name_no_wait() {
        let mut quotas = enforced();
        let logs = price("GET /v1.0/auditLogs/signIns");
        let mut served = Vec::new();
        for second in 0..21 {
            let now = at(f64::from(second));
            if matches!(quotas.charge(now, consumer(1), logs), Outcome::Served(_)) {
                served.push(second);
            }
        }
        assert_eq!(served, [0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 20]);
        let outcome = quotas.charge(at(20.5), consumer(1), price("GET /v1.0/users"));
        assert!(matches!(outcome, Outcome::Served(_)));
    }

    #[test]
    fn nothing_is_throttled_unless_it_is_switched_on() {
        let mut quotas = Quotas::default();
        let logs = price("GET /v1.0/auditLogs/signIns");
        for _ in 0..100 {
            let outcome = quotas.charge(at(0.0), consumer(1), logs);
            assert_eq!(outcome, Outcome::Served(None));
        }
    }
}
