//! The initial content of a tenant.

mod contoso;
mod generate;
mod graph;
mod names;
mod scenario;

use std::sync::OnceLock;

use entra_core::Timestamp;
use serde_json::json;

use crate::{
    directory::object,
    state::{License, State},
    store::{Conflict, Kind},
};
pub use scenario::{Scenario, ScenarioError};

/// The initial content of a tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Seed {
    /// A small company: a dozen users, groups, devices, applications and a month of sign-ins.
    ///
    /// | users, by the first part of their names | |
    /// |---|---|
    /// | `admin` | the Global Administrator, in IT |
    /// | `adele`, and below her `bruno`, `clara`, `david` | Engineering |
    /// | `edith`, and below her `felix` | Finance |
    /// | `hanna` | HR |
    /// | `ivan`, and below him `julia` and `marta` | Sales; `marta` is disabled |
    /// | `gus` | a guest |
    ///
    /// Groups are `Engineers` (`adele`, `bruno`, `david`, and nested in it `Testers` with `clara`), `Finance team`,
    /// `Sales team` and `All staff` (without the guest).
    #[default]
    Contoso,
    /// A larger company: 2,108 users; Microsoft 365, mail-enabled, dynamic and nested groups, one of them with 2,004
    /// members; licences assigned directly and by group; guests; applications with credentials about to expire; a
    /// month of sign-ins of every event type. It is the scenario file `entra-mock/src/seed/enterprise.yaml`.
    Enterprise,
    /// Only the content of every tenant: the organization and the service principal of Graph.
    Empty,
}

impl Seed {
    /// Creates a tenant with this content, filled up to `users` users.
    pub(crate) fn build(
        self,
        now: Timestamp,
        license: License,
        random_seed: u64,
        users: usize,
        company: &Company,
    ) -> State {
        let initial = company.initial_domain();
        let domains = [company.domain.as_str(), &initial];
        let mut state = State::new(&company.name, &domains, license, random_seed);
        state.store.changes.stamp(now, None);
        state.store.changes.pause(true);
        // Every id is new, so nothing can conflict.
        let outcome = self.fill(&mut state, now, users);
        debug_assert_eq!(outcome, Ok(()), "a seed must not contradict itself");
        state.store.changes.pause(false);
        state
    }

    fn fill(self, state: &mut State, now: Timestamp, users: usize) -> Result<(), Conflict> {
        graph::add_service_principal(state)?;
        add_organization(state)?;
        if self == Self::Contoso {
            contoso::fill(state, now)?;
        }
        if self == Self::Enterprise {
            let outcome = enterprise().fill(state, now);
            debug_assert!(outcome.is_ok(), "{outcome:?}");
        }
        generate::fill_up(state, now, users)
    }
}

/// The scenario of [`Seed::Enterprise`], read once per process.
fn enterprise() -> &'static Scenario {
    static ENTERPRISE: OnceLock<Scenario> = OnceLock::new();
    ENTERPRISE.get_or_init(|| Scenario::built_in(include_str!("enterprise.yaml")))
}

/// The organization of a tenant.
#[derive(Clone, Debug)]
pub(crate) struct Company {
    pub(crate) name: String,
    pub(crate) domain: String,
}

impl Company {
    fn initial_domain(&self) -> String {
        let stem = self.domain.split('.').next().unwrap_or_default();
        format!("{stem}.onmicrosoft.com")
    }
}

impl Default for Company {
    fn default() -> Self {
        Self {
            name: "Contoso".to_owned(),
            domain: DOMAIN.to_owned(),
        }
    }
}

fn add_organization(state: &mut State) -> Result<(), Conflict> {
    state.store.insert(
        Kind::Organization,
        object([
            ("id", state.tenant_id.to_string().into()),
            ("countryLetterCode", "DE".into()),
            ("createdDateTime", "2021-03-01T08:00:00Z".into()),
            ("displayName", state.tenant_name.clone().into()),
            ("defaultUsageLocation", "DE".into()),
            ("preferredLanguage", "en".into()),
            (
                "technicalNotificationMails",
                json!([format!("admin@{}", state.default_domain())]),
            ),
            ("tenantType", "AAD".into()),
        ]),
    )?;
    state.update_domains();
    Ok(())
}

pub(crate) const DOMAIN: &str = "contoso.com";

#[cfg(test)]
mod tests;
