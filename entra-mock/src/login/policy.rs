//! Conditional access: which sign-ins need multifactor authentication, and which are blocked.

use super::{claims, error::LoginError};
use crate::{
    grants::{Control, Policy},
    state::State,
};

/// Returns an error if a policy blocks the user for one of these applications.
pub(super) fn check_block(state: &State, user_id: &str, apps: &[&str]) -> Result<(), LoginError> {
    match matching_policy(state, Control::Block, user_id, apps) {
        None => Ok(()),
        Some(policy) => {
            let text =
                "A conditional-access policy of the organization does not allow this sign-in.";
            Err(LoginError::new(53_003, text).by_policy(&policy.id))
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
            && policy.principals.iter().any(|id| id == service_principal)
            && (policy.apps.is_empty()
                || apps
                    .iter()
                    .any(|app| policy.apps.iter().any(|own| own == app)))
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

fn applies(policy: &Policy, state: &State, user_id: &str, apps: &[&str]) -> bool {
    let here = policy.apps.is_empty()
        || apps
            .iter()
            .any(|app| policy.apps.iter().any(|own| own == app));
    here && (policy.principals.is_empty()
        || policy.principals.iter().any(|id| id == user_id)
        || claims::groups_of(state, user_id)
            .iter()
            .any(|group| policy.principals.contains(group)))
}
