//! The users of the sign-in side: lookup, sign-in checks and app roles.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use entra_core::Timestamp;
use serde_json::{Value, json};

use super::{
    client::text,
    context::{Context, plain_text},
    error::LoginError,
    policy,
};
use crate::{
    account::{PASSWORD, SECOND_FACTOR, generation},
    directory::later,
    grants::{Attempts, Subject},
    state::State,
    store::{Kind, Object, Relation},
};

/// Returns the user with a user name.
pub(super) fn find<'a>(state: &'a State, name: &str) -> Result<&'a Object, LoginError> {
    let name = name.trim();
    state
        .store
        .find(Kind::User, PRINCIPAL, name)
        .or_else(|| {
            // Guests sign in with the address of their home tenant, not with the name that they
            // have here.
            let of_guest = |user: &&Object| {
                is_guest(user)
                    && text(user, "mail").is_some_and(|mail| mail.eq_ignore_ascii_case(name))
            };
            state.store.all(Kind::User).find(of_guest)
        })
        .ok_or_else(|| {
            let text = format!(
                "The user account '{}' does not exist in the '{}' directory.",
                plain_text(name),
                state.tenant_name
            );
            LoginError::new(50_034, text)
        })
}

/// Returns the user of a `login_hint` claim.
pub(super) fn by_login_hint<'a>(state: &'a State, hint: &str) -> Option<&'a Object> {
    state.store.get(Kind::User, hint.strip_prefix("O.")?)
}

/// Returns the name that a user signs in with: guests use their home address.
pub(super) fn sign_in_name(user: &Object) -> &str {
    let name = if is_guest(user) { "mail" } else { PRINCIPAL };
    text(user, name)
        .or_else(|| text(user, PRINCIPAL))
        .unwrap_or_default()
}

/// Signs a user in with user name and password. Too many wrong passwords lock the account.
pub(super) fn authenticate(
    context: &Context<'_>,
    name: &str,
    password: &str,
) -> Result<Subject, LoginError> {
    if password.len() > LONGEST_PASSWORD {
        let text = "The password is longer than 256 characters.";
        return Err(LoginError::new(50_052, text));
    }
    let mut state = context.write();
    let user = find(&state, name)?;
    let id = text(user, "id").unwrap_or_default().to_owned();
    let right = match text(user, PASSWORD) {
        None => return Err(LoginError::new(50_056, "The user account has no password.")),
        Some(known) => known == password,
    };
    let enabled = check_enabled(user);
    let subject = subject(&state, user, context.now, false);
    let mut attempts = state.grants.attempts.remove(&id).unwrap_or_default();
    let locked = attempts.locked_until.is_some_and(|end| end > context.now);
    if right && !locked {
        return enabled.map(|()| subject);
    }
    if !locked {
        attempts.count(password, context.now);
    }
    state.grants.attempts.insert(id, attempts);
    Err(if locked {
        let text = "The account is locked because of too many failed sign-ins. Try again later.";
        LoginError::new(50_053, text)
    } else {
        LoginError::new(50_126, "Invalid user name or password.")
    })
}

impl Attempts {
    fn count(&mut self, password: &str, now: Timestamp) {
        let seen = digest(&SHA256, password.as_bytes()).as_ref().to_vec();
        if self.latest.contains(&seen) {
            return;
        }
        self.latest.push_back(seen);
        if self.latest.len() > REMEMBERED_PASSWORDS {
            self.latest.pop_front();
        }
        self.failed += 1;
        // Once locked, each further wrong password locks the account again.
        if self.failed >= MAX_WRONG_PASSWORDS {
            self.locked_until = Some(later(now, LOCKED_FOR));
        }
    }
}

/// Returns the user of a sign-in, whose account must still be valid.
pub(super) fn of<'a>(state: &'a State, subject: &Subject) -> Result<&'a Object, LoginError> {
    let user = state
        .store
        .get(Kind::User, &subject.user_id)
        .ok_or_else(|| {
            LoginError::new(
                500_341,
                "The user account has been deleted from the directory.",
            )
        })?;
    check_enabled(user)?;
    if generation(user) != subject.generation {
        let text = "The grant was revoked, by a password change or by an administrator. The user must sign in again.";
        return Err(LoginError::new(50_173, text));
    }
    Ok(user)
}

/// Returns an error if a user needs multifactor authentication and has not passed it.
///
/// `apps` are the client and the resources, whose policies apply as well.
pub(super) fn check_second_factor(
    state: &State,
    user: &Object,
    subject: &Subject,
    apps: &[&str],
) -> Result<(), LoginError> {
    if subject.mfa {
        return Ok(());
    }
    let text = "Multifactor authentication is required: the user must sign in interactively.";
    match policy::second_factor(state, &subject.user_id, apps) {
        Some(policy) => Err(LoginError::new(50_076, text).by_policy(&policy.id)),
        None if user.get(SECOND_FACTOR) == Some(&Value::Bool(true)) => {
            Err(LoginError::new(50_076, text))
        }
        None => Ok(()),
    }
}

/// Returns an error if only a page can complete the sign-in of a user whose password is correct: an invitation to
/// accept, or a password to change.
pub(super) fn check_without_page(state: &State, subject: &Subject) -> Result<(), LoginError> {
    let user = of(state, subject)?;
    if is_guest(user) && text(user, "externalUserState") == Some("PendingAcceptance") {
        let text = "The guest has not accepted the invitation to this tenant.";
        return Err(LoginError::new(50_014, text));
    }
    let profile = user.get("passwordProfile");
    let must_change = [
        "forceChangePasswordNextSignIn",
        "forceChangePasswordNextSignInWithMfa",
    ]
    .iter()
    .any(|name| profile.and_then(|profile| profile.get(name)) == Some(&Value::Bool(true)));
    if must_change {
        let text = "The password has expired: the user must sign in interactively and change it.";
        return Err(LoginError::new(50_055, text));
    }
    Ok(())
}

/// Whether the user can consent to every delegated permission, and for all users: as the roles that may create the grant by Graph.
pub(super) fn is_admin(state: &State, user: &Object) -> bool {
    text(user, "id").is_some_and(|id| state.administers(id, Kind::OAuth2PermissionGrant))
}

pub(super) fn is_guest(user: &Object) -> bool {
    user.get("userType") == Some(&"Guest".into())
}

/// Returns the value of the `login_hint` claim for a user.
pub(super) fn login_hint(user_id: &str) -> String {
    format!("O.{user_id}")
}

/// Returns the authentication methods of a sign-in, the claim `amr`.
pub(super) fn methods(subject: &Subject) -> Value {
    if subject.mfa {
        json!(["pwd", "mfa"])
    } else {
        json!(["pwd"])
    }
}

/// Returns a sign-in of this user at the current time.
pub(super) fn subject(state: &State, user: &Object, now: Timestamp, mfa: bool) -> Subject {
    Subject {
        user_id: text(user, "id").unwrap_or_default().to_owned(),
        mfa,
        auth_time: now,
        generation: generation(user),
        sid: state.new_id(),
    }
}

/// Returns the app roles of a user on a resource, assigned directly or through a group. Returns an
/// error if the resource requires assignment and the user has none.
pub(super) fn roles(
    state: &State,
    user_id: &str,
    resource: &str,
) -> Result<Vec<String>, LoginError> {
    let principal = state.store.get(Kind::ServicePrincipal, resource);
    let declared = principal
        .and_then(|principal| principal.get("appRoles")?.as_array())
        .map(Vec::as_slice)
        .unwrap_or_default();
    // Nested groups do not count for assignments.
    let groups = state
        .store
        .linking_objects(Relation::Members, user_id)
        .filter_map(|(_, group)| text(group, "id"));
    let mut assigned = false;
    let mut roles: Vec<String> = std::iter::once(user_id)
        .chain(groups)
        .flat_map(|principal| state.store.assignments_of(principal))
        .filter(|assignment| text(assignment, "resourceId") == Some(resource))
        .inspect(|_| assigned = true)
        .filter_map(|assignment| {
            let id = assignment.get("appRoleId")?;
            let role = declared.iter().find(|role| role.get("id") == Some(id))?;
            role.get("value")?.as_str().map(str::to_owned)
        })
        .collect();
    let required = principal.and_then(|principal| principal.get("appRoleAssignmentRequired"))
        == Some(&Value::Bool(true));
    if required && !assigned {
        let name = principal
            .and_then(|principal| text(principal, "displayName"))
            .unwrap_or_default();
        let id = principal
            .and_then(|principal| text(principal, "appId"))
            .unwrap_or_default();
        let text = format!(
            "The signed-in user is not assigned to a role for the application '{id}' ({name}), directly or through a group."
        );
        return Err(LoginError::new(50_105, text));
    }
    roles.sort_unstable();
    roles.dedup();
    Ok(roles)
}

fn check_enabled(user: &Object) -> Result<(), LoginError> {
    if user.get("accountEnabled") == Some(&Value::Bool(false)) {
        return Err(LoginError::new(50_057, "The user account is disabled."));
    }
    Ok(())
}

const PRINCIPAL: &str = "userPrincipalName";
/// The documented defaults of smart lockout.
const MAX_WRONG_PASSWORDS: u32 = 10;
const LOCKED_FOR: Duration = Duration::from_secs(60);
const LONGEST_PASSWORD: usize = 256;
const REMEMBERED_PASSWORDS: usize = 3;
