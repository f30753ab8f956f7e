//! The documented throttling limits: what a request costs, and whether a caller still has that much.
//!
//! Source: "Microsoft Graph service-specific throttling limits" (2025): all services, identity and access service, identity
//! and access reports, identity protection, and the limit of key credentials; subscriptions (2022); the page of
//! `provisionOnDemand` (2024). The limit of 60 writes a minute to applications for personal accounts is left out: the page does
//! not say whose writes it counts together, and so are the 4 units more of a new user in a B2C tenant, which no tenant here is.
//!
//! Each tenant has a [`Quotas`] of its own, so the limits of an application do not add up between tenants.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
};

use entra_core::{Timestamp, time::Duration};

use crate::wire::Reply;

/// What callers have used.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    /// Whether a caller without quota left is throttled.
    pub(crate) enforced: bool,
    buckets: HashMap<(Limit, String), Bucket>,
    /// When the last requests came, throttled ones too, each with as many as the window allows.
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
    provision: bool,
    /// Whether it is a request to Graph that counts by itself; a batch is none.
    request: bool,
    subscriptions: bool,
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
    Provision,
    SubscriptionWrites,
    TenantSubscriptionWrites,
    Subscriptions,
    TenantSubscriptions,
    ApplicationRequests,
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
        if price.logs && self.wait_for_slot(Limit::Logs, &both, now, 5, 10).is_some() {
            return Outcome::Throttled(Throttled::silent());
        }
        let protection = Limit::Protection;
        if price.protection
            && self
                .wait_for_slot(protection, tenant_id, now, 1, 1)
                .is_some()
        {
            return Outcome::Throttled(Throttled::silent());
        }
        if price.provision
            && let Some(wait) = self.wait_for_slot(Limit::Provision, &both, now, 5, 10)
        {
            return Outcome::Throttled(Throttled::named(Limit::Provision, wait, consumer));
        }
        let count = |counts: bool| f64::from(u8::from(counts));
        let units = f64::from(price.units);
        let of_directory = count(price.write && !price.subscriptions);
        let of_subscriptions = count(price.write && price.subscriptions);
        let subscriptions = count(price.subscriptions);
        let (keys, requests) = (count(price.keys), count(price.request));
        #[rustfmt::skip]
        let charges = [
            (Limit::Writes, &*both, of_directory, 3_000.0, 150.0),
            (Limit::TenantWrites, tenant_id, of_directory, 18_000.0, 300.0),
            (Limit::ApplicationWrites, app_id, of_directory, 35_000.0, 300.0),
            (Limit::SubscriptionWrites, &*both, of_subscriptions, 1_000.0, 20.0),
            (Limit::TenantSubscriptionWrites, tenant_id, of_subscriptions, 2_000.0, 20.0),
            (Limit::Subscriptions, &*both, subscriptions, 5_000.0, 20.0),
            (Limit::TenantSubscriptions, tenant_id, subscriptions, 10_000.0, 20.0),
            (Limit::Keys, tenant_id, keys, 150.0, 60.0),
            (Limit::Units, &*both, units, units_of(consumer.users), 10.0),
            (Limit::ApplicationUnits, app_id, units, 150_000.0, 20.0),
            (Limit::ApplicationRequests, app_id, requests, 130_000.0, 10.0),
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

    /// `None` if fewer than the allowed number of requests came in the period before now. Otherwise the seconds until there is
    /// room. The request counts in any case, so a client that does not wait stays throttled.
    fn wait_for_slot(
        &mut self,
        limit: Limit,
        key: &str,
        now: Timestamp,
        most: usize,
        seconds: i64,
    ) -> Option<f64> {
        let window = self.windows.entry((limit, key.to_owned())).or_default();
        while window
            .front()
            .is_some_and(|first| *first + Duration::seconds(seconds) <= now)
        {
            window.pop_front();
        }
        let is_full = window.len() >= most;
        window.push_back(now);
        if !is_full {
            return None;
        }
        // The ones before do not matter for the next request.
        while window.len() > most {
            window.pop_front();
        }
        let first = window.front()?;
        Some((*first + Duration::seconds(seconds) - now).as_seconds_f64())
    }
}

impl Price {
    /// The price of a request to Graph; `path` has the version in front.
    pub(crate) fn of(method: &str, path: &str, query: Option<&str>) -> Self {
        let path = lower(path);
        let segments = segments(&path);
        let query = lower(query.unwrap_or_default());
        let option = |name: &str| {
            query.split('&').find_map(|part| {
                let (key, value) = part.split_once('=')?;
                (key.replace("%24", "$") == name && !value.is_empty()).then_some(value)
            })
        };
        let one = Self {
            request: true,
            ..Self::default()
        };
        match segments.as_slice() {
            ["auditlogs", ..] | ["reports", "authenticationmethods", ..] => {
                return Self { logs: true, ..one };
            }
            ["identityprotection", ..] | ["identity", "conditionalaccess", ..] => {
                return Self {
                    protection: true,
                    ..one
                };
            }
            ["subscriptions", ..] => {
                return Self {
                    subscriptions: true,
                    write: !matches!(method, "GET" | "HEAD"),
                    ..one
                };
            }
            ["users" | "groups", _, "photo" | "photos", ..] => return one,
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
        let keys = option("$select").is_some_and(|names| names.contains("keycredentials"))
            && matches!(
                segments.first(),
                Some(&"applications" | &"serviceprincipals")
            );
        Self {
            units,
            write: !reads,
            keys: reads && keys,
            provision: method == "POST" && segments.last() == Some(&"provisionondemand"),
            ..one
        }
    }
}

/// A text in lower case, which most are already.
fn lower(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(text.to_ascii_lowercase()),
        false => Cow::Borrowed(text),
    }
}

/// Segments in lower case below the version: keys stand alone, the signed-in user is one of the users, casts are left out.
fn segments(path: &str) -> Vec<&str> {
    let mut segments: Vec<&str> = Vec::new();
    for (number, segment) in path.split('/').filter(|part| !part.is_empty()).enumerate() {
        match segment.split_once('(') {
            _ if number == 0 || is_qualified(segment) => {}
            Some((name, ")")) => segments.push(name),
            Some((name, key)) => segments.extend([name, key]),
            None if number == 1 && segment == "me" => segments.extend(["users", "me"]),
            None => segments.push(segment),
        }
    }
    segments
}

/// Whether a segment in lower case is a cast, or a function with its namespace: `graph.` is the alias of it.
fn is_qualified(segment: &str) -> bool {
    let namespaces = ["microsoft.graph.", "graph."];
    namespaces.iter().any(|name| segment.starts_with(name)) && !segment.contains('@')
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
        ("POST", ["directoryobjects", "getbyids"] | ["getobjectsbyid"]) => (5, true),
        ("POST", ["ismemberof"]) => (4, true),
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
            // Their responses are documented with a wait and nothing else.
            Limit::Keys
            | Limit::Provision
            | Limit::SubscriptionWrites
            | Limit::TenantSubscriptionWrites
            | Limit::Subscriptions
            | Limit::TenantSubscriptions
            | Limit::ApplicationRequests => {
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
mod tests;
