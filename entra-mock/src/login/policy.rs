//! Conditional access: which sign-ins need multifactor authentication, and which are blocked.
//!
//! Each check takes the client ids of the client and, after it, of the resources.

use std::{cell::OnceCell, collections::HashSet};

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
    let names = UserNames::new(state, user_id);
    let unmet = state
        .policies
        .iter()
        .filter_map(|policy| Some((policy, unmet(policy.control)?)))
        .find(|(policy, _)| applies(policy, &names, apps));
    match unmet {
        None => Ok(()),
        Some((policy, (code, text))) => Err(LoginError::new(code, text).by_policy(&policy.id)),
    }
}

/// Returns the error of a control that is never met.
pub(super) fn unmet(control: Control) -> Option<(u32, &'static str)> {
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
    let names = UserNames::new(state, &subject.user_id);
    let expired = state.policies.iter().find(|policy| match policy.control {
        Control::Frequency(most) => {
            now >= later(subject.auth_time, most) && applies(policy, &names, apps)
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
    let mut policies = state.policies.iter();
    let blocking = policies.find(|policy| blocks_workload(policy, service_principal, apps));
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
pub(super) fn any_applies(state: &State, names: &UserNames<'_>, apps: &[&str]) -> bool {
    let mut policies = state.policies.iter();
    policies.any(|policy| applies(policy, names, apps))
}

/// Whether a policy blocks the token request of a service principal at one of these applications.
pub(super) fn blocks_workload(policy: &Policy, service_principal: &str, apps: &[&str]) -> bool {
    policy.control == Control::Block
        && covers(policy, apps)
        && names_workload(policy, service_principal)
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
    let names = UserNames::new(state, user_id);
    state
        .policies
        .iter()
        .find(|policy| policy.control == control && applies(policy, &names, apps))
}

/// Whether a policy applies to a user with this client at one of these resources. The client is the first of `apps`.
pub(super) fn applies(policy: &Policy, names: &UserNames<'_>, apps: &[&str]) -> bool {
    covers(policy, apps)
        && (policy.principals.is_empty() || names.has_one_of(&policy.principals))
        && !names.has_one_of(&policy.excluded_principals)
}

/// Whether a policy covers the client with one of its resources: each is judged by itself, since an excluded one does not
/// exempt the others of the request.
fn covers(policy: &Policy, apps: &[&str]) -> bool {
    let covers_all_of = |apps: &[&str]| {
        let names = |ids: &[String]| apps.iter().any(|app| ids.iter().any(|id| id == app));
        (policy.apps.is_empty() || names(&policy.apps)) && !names(&policy.excluded_apps)
    };
    match apps.split_first() {
        Some((client, resources)) if !resources.is_empty() => resources
            .iter()
            .any(|resource| covers_all_of(&[*client, *resource])),
        _ => covers_all_of(apps),
    }
}

/// The ids by which policies name a user: of the user, of the groups, and of the roles of either. They are looked up
/// once, and only if a policy names someone.
pub(super) struct UserNames<'a> {
    state: &'a State,
    user_id: &'a str,
    ids: OnceCell<HashSet<String>>,
}

impl<'a> UserNames<'a> {
    pub(super) const fn new(state: &'a State, user_id: &'a str) -> Self {
        let ids = OnceCell::new();
        Self {
            state,
            user_id,
            ids,
        }
    }

    fn has_one_of(&self, ids: &[String]) -> bool {
        if ids.is_empty() {
            return false;
        }
        let own = self.ids.get_or_init(|| self.look_up());
        ids.iter().any(|id| own.contains(id))
    }

    fn look_up(&self) -> HashSet<String> {
        let mut principals = groups::groups_of(self.state, self.user_id);
        principals.push(self.user_id.to_owned());
        let mut ids = HashSet::new();
        for principal in principals {
            ids.extend(self.state.roles_of(&principal).map(str::to_owned));
            ids.insert(principal);
        }
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        directory::roles::GLOBAL_ADMINISTRATOR,
        state::License,
        store::{Kind, Object, Relation},
    };

    const USER: &str = "00000000-0000-4000-8000-000000000001";
    const GROUP: &str = "00000000-0000-4000-8000-000000000002";
    const ROLE: &str = "00000000-0000-4000-8000-000000000003";

    fn block() -> Policy {
        Policy {
            id: "p".to_owned(),
            control: Control::Block,
            principals: Vec::new(),
            apps: Vec::new(),
            excluded_principals: Vec::new(),
            excluded_apps: Vec::new(),
        }
    }

    /// A user with a role through a group.
    fn state() -> State {
        let mut state = State::new("Contoso", &["contoso.com"], License::P2, 1);
        for (kind, id) in [
            (Kind::User, USER),
            (Kind::Group, GROUP),
            (Kind::DirectoryRole, ROLE),
        ] {
            let mut new = Object::new();
            new.insert("id".to_owned(), id.into());
            if kind == Kind::DirectoryRole {
                new.insert("roleTemplateId".to_owned(), GLOBAL_ADMINISTRATOR.into());
            }
            state.store.insert(kind, new).unwrap();
        }
        assert!(state.store.link(Relation::Members, GROUP, USER));
        assert!(state.store.link(Relation::Members, ROLE, GROUP));
        state
    }

    #[test]
    fn a_role_that_a_user_has_through_a_group_includes_and_excludes_the_user() {
        let mut state = state();
        let role = vec![GLOBAL_ADMINISTRATOR.to_owned()];
        state.policies = vec![Policy {
            principals: role.clone(),
            ..block()
        }];
        assert!(check_block(&state, USER, &["client"]).is_err());
        assert!(check_block(&state, ROLE, &["client"]).is_ok());
        state.policies = vec![Policy {
            excluded_principals: role,
            ..block()
        }];
        assert!(check_block(&state, USER, &["client"]).is_ok());
    }

    #[test]
    fn an_excluded_resource_does_not_exempt_the_others() {
        let mut state = state();
        for apps in [vec![], vec!["other".to_owned()]] {
            state.policies = vec![Policy {
                apps,
                excluded_apps: vec!["excluded".to_owned()],
                ..block()
            }];
            for (apps, applied) in [
                (vec!["client", "excluded", "other"], true),
                (vec!["client", "other", "excluded"], true),
                (vec!["client", "excluded"], false),
                (vec!["excluded", "other"], false),
                (vec!["client", "other"], true),
            ] {
                let names = UserNames::new(&state, USER);
                assert_eq!(any_applies(&state, &names, &apps), applied, "{apps:?}");
                assert_eq!(check_block(&state, USER, &apps).is_err(), applied);
            }
        }
    }
}
