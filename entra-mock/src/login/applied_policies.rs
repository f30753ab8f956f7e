//! What became of each conditional access policy in a sign-in, as the sign-in log has it.

use serde_json::{Value, json};

use super::{
    error::LoginError,
    policy::{self, UserNames},
};
use crate::{
    directory::unsupported_part,
    grants::{Control, Policy, Subject},
    state::State,
    store::{Kind, Object},
};

/// The user of a sign-in.
#[derive(Clone, Copy, Debug)]
pub(super) struct SignInUser<'a> {
    pub(super) id: &'a str,
    /// Whether the user has passed multifactor authentication.
    pub(super) mfa: bool,
}

impl<'a> SignInUser<'a> {
    pub(super) fn of(subject: &'a Subject) -> Self {
        Self {
            id: &subject.user_id,
            mfa: subject.mfa,
        }
    }
}

/// Returns the result of every policy in the sign-in of a user at these applications. A policy that the sign-in side
/// cannot express is left out: its result is not known.
pub(super) fn of_user(
    state: &State,
    names: &UserNames<'_>,
    mfa: bool,
    apps: &[&str],
    error: Option<&LoginError>,
) -> Vec<Value> {
    let sign_in = SignIn {
        error,
        mfa,
        applies: &|own: &Policy| policy::applies(own, names, apps),
    };
    sign_in.results(state)
}

/// The same for an application that signs in as itself.
pub(super) fn of_workload(
    state: &State,
    service_principal: &str,
    apps: &[&str],
    error: Option<&LoginError>,
) -> Vec<Value> {
    let sign_in = SignIn {
        error,
        mfa: false,
        applies: &|own: &Policy| policy::blocks_workload(own, service_principal, apps),
    };
    sign_in.results(state)
}

/// A sign-in and its outcome.
struct SignIn<'a> {
    error: Option<&'a LoginError>,
    mfa: bool,
    applies: &'a dyn Fn(&Policy) -> bool,
}

impl SignIn<'_> {
    fn results(&self, state: &State) -> Vec<Value> {
        let policies = state.store.all(Kind::ConditionalAccessPolicy);
        policies
            .filter_map(|listed| {
                let (result, controls) = match listed.text("state")? {
                    "enabled" => self.enforced(state, listed)?,
                    "disabled" => ("notEnabled", Vec::new()),
                    _ => (self.reported(state, listed)?, Vec::new()),
                };
                let names = |name: fn(Control) -> Option<&'static str>| -> Vec<&'static str> {
                    controls
                        .iter()
                        .filter_map(|control| name(*control))
                        .collect()
                };
                Some(json!({
                    "id": listed.text("id"), "displayName": listed.text("displayName"),
                    "enforcedGrantControls": names(grant_control),
                    "enforcedSessionControls": names(session_control), "result": result,
                }))
            })
            .collect()
    }

    /// The result of an enabled policy, and the controls that it enforced.
    fn enforced(&self, state: &State, listed: &Object) -> Option<(&'static str, Vec<Control>)> {
        let id = listed.text("id")?;
        let own: Vec<&Policy> = state.policies.iter().filter(|own| own.id == id).collect();
        if own.is_empty() && unsupported_part(listed).is_some() {
            return None;
        }
        let is_cause = self.error.is_some_and(|error| error.policy() == Some(id));
        let applying: Vec<Control> = own
            .into_iter()
            .filter(|own| is_cause || (self.applies)(own))
            .map(|own| own.control)
            .collect();
        if applying.is_empty() || !self.is_evaluated() {
            return Some(("notApplied", Vec::new()));
        }
        // Without an error, every policy that applies was met.
        let unmet = |control: &Control| {
            policy::unmet(*control).is_some() || *control == Control::SecondFactor && !self.mfa
        };
        let fails = is_cause || self.error.is_some() && applying.iter().any(unmet);
        let result = if fails { "failure" } else { "success" };
        Some((result, applying))
    }

    /// What a policy that only reports would have done.
    fn reported(&self, state: &State, listed: &Object) -> Option<&'static str> {
        let own = state.report_only.get(listed.text("id")?)?;
        let applying: Vec<Control> = own
            .iter()
            .filter(|own| (self.applies)(own))
            .map(|own| own.control)
            .collect();
        let fails = |control: &Control| policy::unmet(*control).is_some();
        Some(if applying.is_empty() || !self.is_evaluated() {
            "reportOnlyNotApplied"
        } else if applying.iter().any(fails) {
            "reportOnlyFailure"
        } else if !self.mfa && applying.contains(&Control::SecondFactor) {
            // The user would have had to do something.
            "reportOnlyInterrupted"
        } else {
            "reportOnlySuccess"
        })
    }

    /// Policies are evaluated after everything else: another error comes before them.
    fn is_evaluated(&self) -> bool {
        self.error.is_none_or(LoginError::is_by_policy)
    }
}

/// The name of a grant control in a policy.
fn grant_control(control: Control) -> Option<&'static str> {
    match control {
        Control::Block => Some("block"),
        Control::SecondFactor => Some("mfa"),
        Control::CompliantDevice => Some("compliantDevice"),
        Control::HybridJoinedDevice => Some("domainJoinedDevice"),
        Control::ApprovedApplication => Some("approvedApplication"),
        Control::PasswordChange => Some("passwordChange"),
        Control::Custom => Some("customAuthenticationFactor"),
        Control::TokenProtection | Control::Frequency(_) => None,
    }
}

/// The name of a session control in a policy.
fn session_control(control: Control) -> Option<&'static str> {
    match control {
        Control::TokenProtection => Some("secureSignInSession"),
        Control::Frequency(_) => Some("signInFrequency"),
        Control::Block
        | Control::SecondFactor
        | Control::CompliantDevice
        | Control::HybridJoinedDevice
        | Control::ApprovedApplication
        | Control::PasswordChange
        | Control::Custom => None,
    }
}
