//! Conditional access: who must give a second factor where, and who does not get in at all.

use super::{claims, error::LoginError};
use crate::{
    grants::{Control, Policy},
    state::State,
};

/// Refuses somebody whom a policy keeps out of one of these applications.
pub(super) fn check_block(state: &State, user_id: &str, apps: &[&str]) -> Result<(), LoginError> {
    match found(state, Control::Block, user_id, apps) {
        None => Ok(()),
        Some(policy) => {
            let text =
                "A conditional-access policy of the organization does not allow this sign-in.";
            Err(LoginError::new(53_003, text).by_policy(&policy.id))
        }
    }
}

/// The policy that asks for a second factor.
pub(super) fn second_factor<'a>(
    state: &'a State,
    user_id: &str,
    apps: &[&str],
) -> Option<&'a Policy> {
    found(state, Control::SecondFactor, user_id, apps)
}

fn found<'a>(
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
    here && (policy.people.is_empty()
        || policy.people.iter().any(|id| id == user_id)
        || claims::groups_of(state, user_id)
            .iter()
            .any(|group| policy.people.contains(group)))
}
