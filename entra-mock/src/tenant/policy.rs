use std::sync::Arc;

use super::{App, FakeTenant, GroupHandle, UserHandle};
use crate::{
    engine::Engine,
    grants::{Control, Policy},
};

impl FakeTenant {
    /// Enables a conditional access policy for every sign-in and refresh from now on.
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
        let mut state = self.engine.write();
        let id = state.new_id();
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

    /// Applies to this application, as the client or as the resource.
    pub fn app(mut self, app: &App) -> Self {
        self.apps.push(app.client_id().to_string());
        self
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
    }
}
