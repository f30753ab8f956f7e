//! Conditional access: which sign-ins need multifactor authentication, and which are blocked.

use entra_core::Timestamp;

use super::{error::LoginError, groups};
use crate::{
    directory::later,
    grants::{Control, Policy, Subject},
    state::State,
};

/// Returns an error if a policy blocks the user for one of these applications, or requires what no client of the
/// fake tenant has, such as a device.
pub(super) fn check_block(state: &State, user_id: &str, apps: &[&str]) -> Result<(), LoginError> {
    let unmet = state
        .policies
        .iter()
        .filter_map(|policy| Some((policy, unmet(policy.control)?)))
        .find(|(policy, _)| applies(policy, state, user_id, apps));
    match unmet {
        None => Ok(()),
        Some((policy, (code, text))) => Err(LoginError::new(code, text).by_policy(&policy.id)),
    }
}

/// Returns the error of a control that is never met.
fn unmet(control: Control) -> Option<(u32, &'static str)> {
    Some(match control {
        Control::Block => (
            53_003,
            "A conditional-access policy of the organization does not allow this sign-in.",
        ),
        Control::CompliantDevice => (
            53_000,
            "The device is not in the required state: a conditional-access policy requires a compliant device.",
        ),
        Control::HybridJoinedDevice => (
            53_001,
            "The device is not in the required state: a conditional-access policy requires a domain-joined device.",
        ),
        Control::ApprovedApplication => (
            53_002,
            "The application is not an approved application for conditional access.",
        ),
        Control::TokenProtection => (
            530_084,
            "Access has been blocked by conditional access token protection policy: the token is not bound to a device.",
        ),
        Control::PasswordChange => (
            50_135,
            "A password change is required because of the risk of the account.",
        ),
        Control::Custom => (50_158, "The external security challenge was not satisfied."),
        Control::SecondFactor | Control::Frequency(_) => return None,
    })
}

/// Returns an error if a policy limits the age of a sign-in and this one is older.
pub(super) fn check_frequency(
    state: &State,
    now: Timestamp,
    subject: &Subject,
    apps: &[&str],
) -> Result<(), LoginError> {
    let expired = state.policies.iter().find(|policy| match policy.control {
        Control::Frequency(most) => {
            now >= later(subject.auth_time, most) && applies(policy, state, &subject.user_id, apps)
        }
        _ => false,
    });
    match expired {
        None => Ok(()),
        Some(policy) => {
            let text = "The refresh token or the session has expired or is invalid due to sign-in frequency checks by conditional access.";
            Err(LoginError::new(70_043, text).by_policy(&policy.id))
        }
    }
}

/// Returns the policy that requires multifactor authentication.
pub(super) fn second_factor<'a>(
    state: &'a State,
    user_id: &str,
    apps: &[&str],
) -> Option<&'a Policy> {
    matching_policy(state, Control::SecondFactor, user_id, apps)
}

/// Returns an error if a policy for workload identities blocks the service principal. Such a policy names its
/// service principals; policies for all users never apply to them.
pub(super) fn check_workload(
    state: &State,
    service_principal: &str,
    apps: &[&str],
) -> Result<(), LoginError> {
    let blocking = state.policies.iter().find(|policy| {
        policy.control == Control::Block
            && covers(policy, apps)
            && names_workload(policy, service_principal)
    });
    match blocking {
        None => Ok(()),
        Some(policy) => {
            let text =
                "Access has been blocked by a conditional-access policy for workload identities.";
            Err(LoginError::new(53_003, text).by_policy(&policy.id))
        }
    }
}

/// Whether a policy applies to the sign-in of a user at one of these applications, whether it was met or not.
pub(super) fn any_applies(state: &State, user_id: &str, apps: &[&str]) -> bool {
    let mut policies = state.policies.iter();
    policies.any(|policy| applies(policy, state, user_id, apps))
}

fn names_workload(policy: &Policy, service_principal: &str) -> bool {
    let is_in = |ids: &[String]| ids.iter().any(|id| id == service_principal);
    is_in(&policy.principals) && !is_in(&policy.excluded_principals)
}

fn matching_policy<'a>(
    state: &'a State,
    control: Control,
    user_id: &str,
    apps: &[&str],
) -> Option<&'a Policy> {
    state
        .policies
        .iter()
        .find(|policy| policy.control == control && applies(policy, state, user_id, apps))
}

/// Whether a policy applies to a user at one of these applications, its client or its resources.
fn applies(policy: &Policy, state: &State, user_id: &str, apps: &[&str]) -> bool {
    let names = |ids: &[String]| names_user(state, ids, user_id);
    covers(policy, apps)
        && (policy.principals.is_empty() || names(&policy.principals))
        && !names(&policy.excluded_principals)
}

fn covers(policy: &Policy, apps: &[&str]) -> bool {
    let names = |ids: &[String]| apps.iter().any(|app| ids.iter().any(|id| id == app));
    (policy.apps.is_empty() || names(&policy.apps)) && !names(&policy.excluded_apps)
}

/// Whether a user, one of their groups or one of their roles is among these.
fn names_user(state: &State, ids: &[String], user_id: &str) -> bool {
    let named = |own: &str| ids.iter().any(|id| id == own);
    !ids.is_empty()
        && (named(user_id)
            || groups::groups_of(state, user_id)
                .iter()
                .any(|group| named(group))
            || state.roles_of(user_id).any(named))
}
