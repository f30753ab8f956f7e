use std::{sync::Arc, time::Duration};

use entra_core::{Clock, ManualClock};

use super::FakeTenant;
use crate::{
    directory::domains,
    engine::Engine,
    frontend::InProcess,
    seed::{Company, Scenario, Seed},
    state::{License, ResourceRule},
};

/// Options of a [`FakeTenant`]; see [`FakeTenant::builder`].
///
/// ```
/// # #[tokio::main] async fn main() {
/// use entra_mock::{FakeTenant, License, Seed};
/// let tenant = FakeTenant::builder().seed(Seed::Empty).users(500).random_seed(7).license(License::P1).start().await;
/// # drop(tenant);
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "call `start` to get a tenant"]
pub struct FakeTenantBuilder {
    seed: Seed,
    scenario: Option<Scenario>,
    company: Company,
    users: usize,
    random_seed: u64,
    license: License,
    clock: Option<ManualClock>,
    token_lifetime: Option<Duration>,
    journal_capacity: usize,
    journal_bodies: bool,
    log_capacity: Option<usize>,
    enforce_quotas: bool,
    resource_rule: ResourceRule,
    plain_casts: bool,
}

impl FakeTenantBuilder {
    /// The initial content of the tenant.
    pub const fn seed(mut self, seed: Seed) -> Self {
        self.seed = seed;
        self
    }

    /// The initial content of the tenant, from a file. It takes the place of [`seed`](Self::seed); the company and the
    /// licence of the file take precedence over those of this builder.
    pub fn scenario(mut self, scenario: &Scenario) -> Self {
        self.scenario = Some(scenario.clone());
        self
    }

    /// The name of the organization and the domain of its users, instead of Contoso and
    /// `contoso.com`. A domain has at least two labels of ASCII letters, digits and hyphens.
    ///
    /// Tenants used together also need different random seeds, or they have the same ids.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use entra_mock::FakeTenant;
    /// let contoso = FakeTenant::start().await;
    /// let fabrikam = FakeTenant::builder().company("Fabrikam", "fabrikam.com").random_seed(2).start().await;
    /// assert_ne!(contoso.id(), fabrikam.id());
    /// let _ = fabrikam.user("adele@fabrikam.com");
    /// # }
    /// ```
    ///
    /// # Panics
    /// If the domain is not a domain name.
    #[track_caller]
    pub fn company(mut self, name: &str, domain: &str) -> Self {
        // A misspelt domain fails the test at its line.
        assert!(
            domains::is_domain_name(domain),
            "{domain:?} is not a domain name, such as fabrikam.com"
        );
        self.company = Company {
            name: name.to_owned(),
            domain: domain.to_ascii_lowercase(),
        };
        self
    }

    /// Fills the tenant up to this number of users, with groups, devices, applications, assignments
    /// and sign-ins in proportion.
    pub const fn users(mut self, users: usize) -> Self {
        self.users = users;
        self
    }

    /// The seed of all randomness: the same number gives the same tenant, ids included.
    pub const fn random_seed(mut self, random_seed: u64) -> Self {
        self.random_seed = random_seed;
        self
    }

    /// The tenant's directory licence.
    pub const fn license(mut self, license: License) -> Self {
        self.license = license;
        self
    }

    /// The clock of the tenant, instead of a new one that is set to the current time.
    pub fn clock(mut self, clock: ManualClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The lifetime of access tokens, 3599 seconds by default. From two hours on, a token response
    /// has `refresh_in`.
    pub const fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = Some(lifetime);
        self
    }

    /// How many of the newest requests the journal keeps one by one, 1,000 by default. Counts include
    /// all requests.
    pub const fn journal_capacity(mut self, capacity: usize) -> Self {
        self.journal_capacity = capacity;
        self
    }

    /// Keeps the bodies of requests and responses in the journal: JSON and forms up to 64 KiB, without their secrets.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tenant = entra_mock::FakeTenant::builder().journal_bodies(true).start().await;
    /// # let http = reqwest::Client::builder().tls_certs_only([]).build()?;
    /// # let group = serde_json::json!({ "displayName": "Sales" });
    /// # http.post(format!("{}/v1.0/groups", tenant.uri())).json(&group).send().await?;
    /// let created = tenant.requests().to("/groups").method("POST");
    /// let body = created.iter().next().and_then(|request| request.request_body());
    /// assert_eq!(body, Some(r#"{"displayName":"Sales"}"#));
    /// # Ok(()) }
    /// ```
    pub const fn journal_bodies(mut self, keep: bool) -> Self {
        self.journal_bodies = keep;
        self
    }

    /// How many entries that requests wrote the sign-in log and the audit log keep at least, each for itself: 100,000
    /// unless set. Older ones are removed, and entries older than 30 days in any case.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let tenant = entra_mock::FakeTenant::builder().log_capacity(1_000_000).start().await;
    /// # drop(tenant);
    /// # }
    /// ```
    pub const fn log_capacity(mut self, entries: usize) -> Self {
        self.log_capacity = Some(entries);
        self
    }

    /// Throttles callers by Graph's documented limits: resource units by the number of users, writes, five requests
    /// in ten seconds to the logs and to `provisionOnDemand`, one a second to Identity Protection, reads of key credentials,
    /// subscriptions, and all requests of an application.
    ///
    /// A 429 has the headers that Graph documents: `Retry-After` (not from the logs and Identity Protection),
    /// `x-ms-throttle-scope` and `x-ms-throttle-information`. From four fifths of the resource units on, responses have
    /// `x-ms-throttle-limit-percentage`. `x-ms-resource-unit` is there in any case. Throttled requests count too: they empty
    /// what is left, and keep a window of the logs full.
    ///
    /// Each tenant counts by itself. The limits of an application across all tenants (35,000 writes, 150,000 resource units
    /// and 130,000 requests) are therefore those of the application in this tenant, and several fake tenants together can
    /// serve more than Graph does.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let tenant = entra_mock::FakeTenant::builder().enforce_quotas(true).start().await;
    /// # drop(tenant);
    /// # }
    /// ```
    pub const fn enforce_quotas(mut self, enforce: bool) -> Self {
        self.enforce_quotas = enforce;
        self
    }

    /// How the v2.0 endpoints treat the parameter `resource`; by
    /// [`ResourceRule::ApplicationIdUri`] unless set.
    pub const fn resource_rule(mut self, rule: ResourceRule) -> Self {
        self.resource_rule = rule;
        self
    }

    /// Whether a cast of a relationship, such as `/me/memberOf/microsoft.graph.group`, needs no advanced query
    /// (`ConsistencyLevel: eventual` and `$count=true`). Microsoft's page of `memberOf` requires one in its table of
    /// headers and has none in an example. Off unless set.
    pub const fn plain_casts(mut self, plain: bool) -> Self {
        self.plain_casts = plain;
        self
    }

    /// Starts the tenant.
    ///
    /// # Panics
    /// If the system has no free loopback port, or if a property of the scenario sets a name that another of its users
    /// has in the domain of [`company`](Self::company).
    pub async fn start(self) -> FakeTenant {
        self.launch()
    }

    pub(super) fn launch(self) -> FakeTenant {
        let clock = self.clock.unwrap_or_default();
        let (now, license, company) = (clock.now(), self.license, &self.company);
        let (random_seed, users) = (self.random_seed, self.users);
        #[expect(
            clippy::expect_used,
            reason = "a test cannot go on with a part of its scenario"
        )]
        let mut state = match &self.scenario {
            Some(scenario) => {
                let built = scenario.build(now, license, random_seed, users, company);
                built.expect("the scenario has no name that another user has in the domain")
            }
            None => self.seed.build(now, license, random_seed, users, company),
        };
        if let Some(lifetime) = self.token_lifetime {
            state.token_lifetime = lifetime;
        }
        if let Some(entries) = self.log_capacity {
            state.store.set_log_capacity(entries);
        }
        state.enforce_quotas(self.enforce_quotas);
        state.resource_rule = self.resource_rule;
        state.plain_casts = self.plain_casts;
        let mut engine = Engine::new(Arc::new(clock.clone()), state, self.journal_capacity);
        if self.journal_bodies {
            engine = engine.keep_bodies();
        }
        let engine = Arc::new(engine);
        #[expect(
            clippy::expect_used,
            reason = "a test cannot go on without a loopback port"
        )]
        let frontend = InProcess::start(Arc::clone(&engine)).expect("a free loopback port");
        FakeTenant::new(frontend, engine, clock)
    }
}

impl Default for FakeTenantBuilder {
    fn default() -> Self {
        Self {
            seed: Seed::Contoso,
            scenario: None,
            company: Company::default(),
            users: 0,
            random_seed: 0,
            license: License::P2,
            clock: None,
            token_lifetime: None,
            journal_capacity: JOURNAL_CAPACITY,
            journal_bodies: false,
            log_capacity: None,
            enforce_quotas: false,
            resource_rule: ResourceRule::default(),
            plain_casts: false,
        }
    }
}

const JOURNAL_CAPACITY: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "\"a b/c\" is not a domain name")]
    fn a_company_has_a_domain_name() {
        let _ = FakeTenantBuilder::default().company("A", "a b/c");
    }
}
