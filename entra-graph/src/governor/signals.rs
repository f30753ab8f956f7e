//! What a response says about limits.

use std::time::Duration;

use entra_core::{
    Timestamp,
    http::{HeaderMap, StatusCode},
    retry_after,
};

use super::{
    Cost,
    limit::{LIMITS, SUBSCRIPTION_WRITES, SUBSCRIPTIONS, Scope, UNITS, WRITES},
};

/// What a response says about limits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Signals {
    pub(super) throttled: bool,
    /// What the request cost.
    pub(super) units: Option<u32>,
    /// Which part of the limit is used, from 0.8 on.
    pub(super) used: Option<f64>,
    /// What a 429 says is used up.
    pub(super) exceeded: Option<Exceeded>,
    /// Whose requests the limit counts together, as a 429 says.
    pub(super) scope: Option<Scope>,
    /// The wait that it names.
    pub(super) retry_after: Option<Duration>,
}

/// What is used up, by `x-ms-throttle-information`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exceeded {
    Writes,
    Units,
    /// Computing time, whose limits are not documented.
    Cpu,
}

impl Signals {
    /// What a response says that came at this time.
    pub(super) fn read(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Self {
        let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
        let throttled = status == StatusCode::TOO_MANY_REQUESTS;
        let of_429 = |name: &str| text(name).filter(|_| throttled);
        let exceeded = match of_429("x-ms-throttle-information") {
            Some("WriteLimitExceeded") => Some(Exceeded::Writes),
            Some("ResourceUnitLimitExceeded") => Some(Exceeded::Units),
            Some("CPULimitExceeded") => Some(Exceeded::Cpu),
            _ => None,
        };
        // Then come what is limited and the ids: `Tenant_Application/ReadWrite/{appId}/{tenantId}`.
        let scope = match of_429("x-ms-throttle-scope").and_then(|scope| scope.split('/').next()) {
            Some("Tenant_Application") => Some(Scope::ApplicationAndTenant),
            Some("Application") => Some(Scope::Application),
            Some("Tenant") => Some(Scope::Tenant),
            _ => None,
        };
        Self {
            throttled,
            units: text("x-ms-resource-unit").and_then(|units| units.parse().ok()),
            used: text("x-ms-throttle-limit-percentage").and_then(|used| used.parse().ok()),
            exceeded,
            scope,
            retry_after: retry_after(headers, now),
        }
    }

    /// The limit that a 429 to a request of this cost is about.
    pub(super) fn reached(&self, cost: &Cost) -> Option<usize> {
        if !self.throttled {
            return None;
        }
        let scope = self.scope.unwrap_or(Scope::ApplicationAndTenant);
        let of_scope = |limits: &[usize]| {
            let mut limits = limits.iter().copied();
            limits.find(|limit| cost.get(*limit) > 0 && LIMITS[*limit].scope == scope)
        };
        let named = match self.exceeded {
            Some(Exceeded::Writes) => of_scope(&ALL_WRITES),
            // Computing time is the directory's, also if the request has a limit of its own.
            Some(Exceeded::Units | Exceeded::Cpu) => of_scope(&ALL_UNITS),
            None => None,
        };
        named.or_else(|| {
            let limit = cost.service_limit()?;
            let same_service = match limit {
                UNITS => of_scope(&ALL_UNITS),
                SUBSCRIPTIONS => of_scope(&ALL_SUBSCRIPTIONS),
                _ => None,
            };
            Some(same_service.unwrap_or(limit))
        })
    }
}

/// The limits of writes, by scope.
const ALL_WRITES: [usize; 5] = [
    WRITES,
    WRITES + 1,
    WRITES + 2,
    SUBSCRIPTION_WRITES,
    SUBSCRIPTION_WRITES + 1,
];
/// The limits of resource units.
const ALL_UNITS: [usize; 2] = [UNITS, UNITS + 1];
/// The limits of all requests to subscriptions.
const ALL_SUBSCRIPTIONS: [usize; 2] = [SUBSCRIPTIONS, SUBSCRIPTIONS + 1];

#[cfg(test)]
mod tests {
    use entra_core::http::Method;

    use super::{super::limit::KEYS, *};

    fn signals(status: u16, headers: &[(&'static str, &str)]) -> Signals {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap()))
            .collect();
        let status = StatusCode::from_u16(status).unwrap();
        Signals::read(status, &headers, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn headers_say_what_a_request_cost_and_which_limit_is_reached() {
        let ok = signals(
            200,
            &[
                ("x-ms-resource-unit", "3"),
                ("x-ms-throttle-limit-percentage", "0.85"),
            ],
        );
        assert_eq!((ok.units, ok.used), (Some(3), Some(0.85)));
        assert_eq!(ok.reached(&cost("GET", "/users")), None);
        let garbage = signals(
            200,
            &[
                ("x-ms-resource-unit", "many"),
                ("x-ms-throttle-limit-percentage", ""),
            ],
        );
        assert_eq!(garbage, Signals::default());
    }

    fn cost(method: &str, path: &str) -> Cost {
        Cost::of(&method.parse().unwrap(), path, None)
    }

    #[test]
    fn a_429_to_a_read_of_certificates_is_about_their_limit_unless_it_names_another() {
        let units = "ResourceUnitLimitExceeded";
        for set in ["/applications", "/servicePrincipals"] {
            let cost = Cost::of(&Method::GET, set, Some("$select=keyCredentials"));
            let bare = signals(429, &[("retry-after", "5")]);
            assert_eq!(bare.reached(&cost), Some(KEYS), "{set}");
            for (information, scope, expected) in [
                (units, "Tenant_Application", UNITS),
                (units, "Application", UNITS + 1),
                ("CPULimitExceeded", "Tenant_Application", UNITS),
            ] {
                let headers = [
                    ("x-ms-throttle-information", information),
                    ("x-ms-throttle-scope", scope),
                ];
                let reached = signals(429, &headers).reached(&cost);
                assert_eq!(reached, Some(expected), "{set} {information} {scope}");
            }
        }
    }

    #[test]
    fn a_429_names_the_limit_by_what_is_used_up_and_by_its_scope() {
        let (both, application, tenant) = ("Tenant_Application", "Application", "Tenant");
        let (writes, units) = ("WriteLimitExceeded", "ResourceUnitLimitExceeded");
        let cpu = "CPULimitExceeded";
        let cases = [
            // request, information, scope, limit
            ("PATCH /users/a", writes, both, Some(WRITES)),
            ("PATCH /users/a", writes, tenant, Some(WRITES + 1)),
            ("PATCH /users/a", writes, application, Some(WRITES + 2)),
            ("PATCH /users/a", writes, "", Some(WRITES)),
            ("PATCH /users/a", writes, "Galaxy", Some(WRITES)),
            ("GET /users", units, both, Some(UNITS)),
            ("GET /users", units, application, Some(UNITS + 1)),
            // There is no such limit of a tenant.
            ("GET /users", units, tenant, Some(UNITS)),
            ("GET /users", "", "", Some(UNITS)),
            ("GET /users", cpu, both, Some(UNITS)),
            ("GET /users", cpu, application, Some(UNITS + 1)),
            (
                "POST /subscriptions",
                writes,
                both,
                Some(SUBSCRIPTION_WRITES),
            ),
            (
                "POST /subscriptions",
                writes,
                tenant,
                Some(SUBSCRIPTION_WRITES + 1),
            ),
            ("GET /subscriptions", "", tenant, Some(SUBSCRIPTIONS + 1)),
            // The limits of other services are not those of the directory.
            ("POST /me/messages", writes, both, None),
            ("GET /me/messages", units, application, None),
        ];
        for (request, information, scope, expected) in cases {
            let (method, path) = request.split_once(' ').unwrap();
            let scope = format!("{scope}/ReadWrite/app/tenant");
            let headers = [
                ("x-ms-throttle-information", information),
                ("x-ms-throttle-scope", &scope),
                ("retry-after", "5"),
            ];
            let reached = signals(429, &headers).reached(&cost(method, path));
            assert_eq!(reached, expected, "{request} {information} {scope}");
            let served = signals(200, &headers).reached(&cost(method, path));
            assert_eq!(served, None, "{request}");
        }
    }
}
