use std::sync::Arc;

use super::{App, FakeTenant, GroupHandle, UserHandle};
use crate::{
    engine::Engine,
    grants::{Control, Policy},
};

impl FakeTenant {
    /// Puts a conditional-access policy into force, for every sign-in and refresh from now on.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use entra_mock::{AccessPolicy, FakeTenant};
    /// let tenant = FakeTenant::start().await;
    /// let shop = tenant.register_app("Shop").with_secret();
    /// let adele = tenant.user("adele@contoso.com");
    /// let policy = tenant.add_access_policy(AccessPolicy::block().person(&adele).app(&shop));
    /// policy.remove(); // and she may come in again
    /// # }
    /// ```
    pub fn add_access_policy(&self, policy: AccessPolicy) -> PolicyHandle {
        let mut state = self.engine.write();
        let id = state.new_id();
        state.policies.push(Policy {
            id: id.clone(),
            control: policy.control,
            people: policy.people,
            apps: policy.apps,
        });
        drop(state);
        PolicyHandle {
            engine: Arc::clone(&self.engine),
            id,
        }
    }
}

/// A conditional-access policy; see [`FakeTenant::add_access_policy`].
///
/// It is about everyone and every application until it names some.
#[derive(Clone, Debug)]
#[must_use = "give it to `FakeTenant::add_access_policy`"]
pub struct AccessPolicy {
    control: Control,
    people: Vec<String>,
    apps: Vec<String>,
}

impl AccessPolicy {
    /// Lets nobody in: 53003.
    pub const fn block() -> Self {
        Self::of(Control::Block)
    }

    /// Asks for a second factor: 50076 where no page can ask for it.
    pub const fn require_second_factor() -> Self {
        Self::of(Control::SecondFactor)
    }

    /// Is about this person, and others that are named.
    pub fn person(mut self, person: &UserHandle) -> Self {
        self.people.push(person.id().to_string());
        self
    }

    /// Is about the members of this group, also by other groups.
    pub fn group(mut self, group: &GroupHandle) -> Self {
        self.people.push(group.id().to_string());
        self
    }

    /// Is about this application, whether people sign in to it or it is what a token is for.
    pub fn app(mut self, app: &App) -> Self {
        self.apps.push(app.client_id().to_string());
        self
    }

    const fn of(control: Control) -> Self {
        Self {
            control,
            people: Vec::new(),
            apps: Vec::new(),
        }
    }
}

/// A policy that is in force; it stays so when the handle is dropped.
#[derive(Clone, Debug)]
pub struct PolicyHandle {
    engine: Arc<Engine>,
    id: String,
}

impl PolicyHandle {
    /// The policy's id, which the claims challenge of a refusal names.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Takes the policy out of force.
    pub fn remove(self) {
        let mut state = self.engine.write();
        state.policies.retain(|policy| policy.id != self.id);
    }
}
