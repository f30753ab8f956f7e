use std::sync::Arc;

use serde_json::json;

use super::{App, FakeTenant, GroupHandle, UserHandle};
use crate::{
    directory::object,
    engine::Engine,
    grants::{Control, Policy},
    state::{State, iso},
    store::{Kind, Object},
};

impl FakeTenant {
    /// Enables a conditional access policy for every sign-in and refresh from now on. Graph lists it.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use entra_mock::{AccessPolicy, FakeTenant};
    /// let tenant = FakeTenant::start().await;
    /// let shop = tenant.register_app("Shop").with_secret();
    /// let adele = tenant.user("adele@contoso.com");
    /// let policy = tenant.add_access_policy(AccessPolicy::block().user(&adele).app(&shop));
    /// policy.remove(); // she can sign in again
    /// # }
    /// ```
    pub fn add_access_policy(&self, policy: AccessPolicy) -> PolicyHandle {
        let now = self.engine.now();
        let mut state = self.engine.write();
        let id = state.new_id();
        let mut listed = policy.listed(&state);
        listed.insert("id".to_owned(), id.clone().into());
        listed.insert("createdDateTime".to_owned(), iso(now).into());
        // The id is new, so storing it cannot fail.
        let _ = state.store.insert(Kind::ConditionalAccessPolicy, listed);
        state.policies.push(Policy {
            id: id.clone(),
            control: policy.control,
            principals: policy.principals,
            apps: policy.apps,
        });
        drop(state);
        PolicyHandle {
            engine: Arc::clone(&self.engine),
            id,
        }
    }
}

/// A conditional access policy; see [`FakeTenant::add_access_policy`].
///
/// It applies to all users and all applications unless it names some.
#[derive(Clone, Debug)]
#[must_use = "give it to `FakeTenant::add_access_policy`"]
pub struct AccessPolicy {
    control: Control,
    principals: Vec<String>,
    apps: Vec<String>,
}

impl AccessPolicy {
    /// Blocks access: AADSTS53003.
    pub const fn block() -> Self {
        Self::of(Control::Block)
    }

    /// Requires multifactor authentication: AADSTS50076 where no page can ask for it.
    pub const fn require_second_factor() -> Self {
        Self::of(Control::SecondFactor)
    }

    /// Applies to this user, and to others that are named.
    pub fn user(mut self, user: &UserHandle) -> Self {
        self.principals.push(user.id().to_string());
        self
    }

    /// Applies to the members of this group, also through other groups.
    pub fn group(mut self, group: &GroupHandle) -> Self {
        self.principals.push(group.id().to_string());
        self
    }

    /// Applies to this application when it signs in itself: a policy for workload identities.
    pub fn workload_identity(mut self, app: &App) -> Self {
        self.principals.push(app.service_principal_id().to_string());
        self
    }

    /// Applies to this application, as the client or as the resource.
    pub fn app(mut self, app: &App) -> Self {
        self.apps.push(app.client_id().to_string());
        self
    }

    /// The policy as Graph has it.
    fn listed(&self, state: &State) -> Object {
        let of_kind = |wanted: Kind| -> Vec<&str> {
            let ids = self.principals.iter().map(String::as_str);
            ids.filter(|id| state.store.kind_of(id) == Some(wanted))
                .collect()
        };
        let users = match self.principals.is_empty() {
            true => vec!["All"],
            false => of_kind(Kind::User),
        };
        let apps = match self.apps.is_empty() {
            true => vec!["All"],
            false => self.apps.iter().map(String::as_str).collect(),
        };
        let (name, control) = match self.control {
            Control::Block => ("Block access", "block"),
            Control::SecondFactor => ("Require multifactor authentication", "mfa"),
        };
        object([
            ("displayName", name.into()),
            ("state", "enabled".into()),
            (
                "conditions",
                json!({
                    "applications": {
                        "includeApplications": apps, "excludeApplications": [], "includeUserActions": [],
                        "includeAuthenticationContextClassReferences": []
                    },
                    "clientAppTypes": ["all"], "servicePrincipalRiskLevels": [], "signInRiskLevels": [], "userRiskLevels": [],
                    "users": {
                        "includeUsers": users, "excludeUsers": [], "includeGroups": of_kind(Kind::Group), "excludeGroups": [],
                        "includeRoles": [], "excludeRoles": []
                    }
                }),
            ),
            (
                "grantControls",
                json!({ "operator": "OR", "builtInControls": [control], "customAuthenticationFactors": [], "termsOfUse": [] }),
            ),
        ])
    }

    const fn of(control: Control) -> Self {
        Self {
            control,
            principals: Vec::new(),
            apps: Vec::new(),
        }
    }
}

/// An enabled policy. It stays enabled when the handle is dropped.
#[derive(Clone, Debug)]
pub struct PolicyHandle {
    engine: Arc<Engine>,
    id: String,
}

impl PolicyHandle {
    /// The id of the policy, as in the claims challenge of an error.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Disables the policy.
    pub fn remove(self) {
        let mut state = self.engine.write();
        state.policies.retain(|policy| policy.id != self.id);
        state.store.remove(Kind::ConditionalAccessPolicy, &self.id);
    }
}
