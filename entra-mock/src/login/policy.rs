//! Conditional access: who must give a second factor where, and who does not get in at all.

use super::{claims, error::LoginError};
use crate::state::State;

/// A rule about sign-ins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) id: String,
    pub(crate) control: Control,
    /// Ids of people and groups; empty for everyone.
    pub(crate) people: Vec<String>,
    /// Client ids, of the application that signs in or of the one a token is for; empty for all.
    pub(crate) apps: Vec<String>,
}

/// What a rule demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    Block,
    SecondFactor,
}

impl Policy {
    fn applies(&self, state: &State, user_id: &str, apps: &[&str]) -> bool {
        let here = self.apps.is_empty()
            || apps
                .iter()
                .any(|app| self.apps.iter().any(|own| own == app));
        here && (self.people.is_empty()
            || self.people.iter().any(|id| id == user_id)
            || claims::groups_of(state, user_id)
                .iter()
                .any(|group| self.people.contains(group)))
    }
}

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
        .find(|policy| policy.control == control && policy.applies(state, user_id, apps))
}
