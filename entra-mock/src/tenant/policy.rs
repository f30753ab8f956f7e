use std::{sync::Arc, time::Duration};

use super::{App, FakeTenant, GroupHandle, UserHandle};
use crate::{directory::AccessRule, engine::Engine, grants::Control};

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
        let id = self.engine.write().add_access_rule(now, policy.0);
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
pub struct AccessPolicy(AccessRule);

impl AccessPolicy {
    /// Blocks access: AADSTS53003.
    pub const fn block() -> Self {
        Self::of(Control::Block)
    }

    /// Requires multifactor authentication: AADSTS50076 where no page can ask for it.
    pub const fn require_second_factor() -> Self {
        Self::of(Control::SecondFactor)
    }

    /// Requires a compliant device, which no client of the fake tenant has: AADSTS53000.
    pub const fn require_compliant_device() -> Self {
        Self::of(Control::CompliantDevice)
    }

    /// Requires a hybrid joined device, which no client of the fake tenant has: AADSTS53001.
    pub const fn require_hybrid_joined_device() -> Self {
        Self::of(Control::HybridJoinedDevice)
    }

    /// Requires an approved client application, which no client of the fake tenant is: AADSTS53002.
    pub const fn require_approved_application() -> Self {
        Self::of(Control::ApprovedApplication)
    }

    /// Requires a change of the password: AADSTS50135.
    pub const fn require_password_change() -> Self {
        Self::of(Control::PasswordChange)
    }

    /// Requires a custom control of another provider: AADSTS50158.
    pub const fn require_custom_control() -> Self {
        Self::of(Control::Custom)
    }

    /// Requires tokens that are bound to a device, which the fake tenant does not issue: AADSTS530084.
    pub const fn require_token_protection() -> Self {
        Self::of(Control::TokenProtection)
    }

    /// Limits the age of a sign-in: an older session signs in again, and an older refresh token is rejected with
    /// AADSTS70043. Less than a second is taken as a second: no sign-in would be new enough otherwise.
    pub const fn sign_in_frequency(most: Duration) -> Self {
        let most = match most.as_secs() {
            0 => Duration::from_secs(1),
            _ => most,
        };
        Self::of(Control::Frequency(most))
    }

    /// Applies to this user, and to others that are named.
    pub fn user(mut self, user: &UserHandle) -> Self {
        self.0.principals.push(user.id().to_string());
        self
    }

    /// Applies to the members of this group, also through other groups.
    pub fn group(mut self, group: &GroupHandle) -> Self {
        self.0.principals.push(group.id().to_string());
        self
    }

    /// Applies to this application when it signs in itself: a policy for workload identities.
    pub fn workload_identity(mut self, app: &App) -> Self {
        self.0
            .principals
            .push(app.service_principal_id().to_string());
        self
    }

    /// Applies to this application, as the client or as the resource.
    pub fn app(mut self, app: &App) -> Self {
        self.0.apps.push(app.client_id().to_string());
        self
    }

    const fn of(control: Control) -> Self {
        Self(AccessRule {
            control,
            principals: Vec::new(),
            apps: Vec::new(),
        })
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
        self.engine.write().remove_access_rule(&self.id);
    }
}
