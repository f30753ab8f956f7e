//! People as sign-in sees them: who they are, whether they may come in, what they may use.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use entra_core::Timestamp;
use serde_json::{Value, json};

use super::{
    client::text,
    context::{Context, plain_text},
    error::LoginError,
    grants::{Attempts, Subject},
    policy,
};
use crate::{
    account::{PASSWORD, SECOND_FACTOR, generation, is_administrator},
    directory::later,
    state::State,
    store::{Kind, Object, Relation},
};

/// The person of a user name.
pub(super) fn find<'a>(state: &'a State, name: &str) -> Result<&'a Object, LoginError> {
    let name = name.trim();
    state
        .store
        .find(Kind::User, PRINCIPAL, name)
        .or_else(|| {
            // Guests know nothing of the name that they have here.
            let of_guest = |user: &&Object| {
                is_guest(user)
                    && text(user, "mail").is_some_and(|mail| mail.eq_ignore_ascii_case(name))
            };
            state.store.all(Kind::User).find(of_guest)
        })
        .ok_or_else(|| {
            let text = format!(
                "There is no account '{}' in the directory '{}'.",
                plain_text(name),
                state.tenant_name
            );
            LoginError::new(50_034, text)
        })
}

/// The person of an opaque hint.
pub(super) fn hinted<'a>(state: &'a State, hint: &str) -> Option<&'a Object> {
    state.store.get(Kind::User, hint.strip_prefix("O.")?)
}

/// The name somebody signs in with: guests use the address of their home.
pub(super) fn sign_in_name(user: &Object) -> &str {
    let name = if is_guest(user) { "mail" } else { PRINCIPAL };
    text(user, name)
        .or_else(|| text(user, PRINCIPAL))
        .unwrap_or_default()
}

/// A sign-in with user name and password, which locks the account after too many wrong ones.
pub(super) fn authenticate(
    context: &Context<'_>,
    name: &str,
    password: &str,
) -> Result<Subject, LoginError> {
    let mut state = context.write();
    let user = find(&state, name)?;
    let id = text(user, "id").unwrap_or_default().to_owned();
    let right = match text(user, PASSWORD) {
        None => return Err(LoginError::new(50_056, "The account has no password here.")),
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
        let text = "The account is locked for a while, because too many wrong passwords were tried. Try again later.";
        LoginError::new(50_053, text)
    } else {
        LoginError::new(50_126, "The user name or password was wrong.")
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
        // Once locked, each further one locks again.
        if self.failed >= MOST_WRONG_PASSWORDS {
            self.locked_until = Some(later(now, LOCKED_FOR));
        }
    }
}

/// The person of a sign-in, who must still be allowed in.
pub(super) fn of<'a>(state: &'a State, subject: &Subject) -> Result<&'a Object, LoginError> {
    let user = state
        .store
        .get(Kind::User, &subject.user_id)
        .ok_or_else(|| LoginError::new(50_034, "The account is no longer in the directory."))?;
    check_enabled(user)?;
    if generation(user) != subject.generation {
        let text = "The grant was revoked, by a change of password or by an administrator; a new sign-in is needed.";
        return Err(LoginError::new(50_173, text));
    }
    Ok(user)
}

/// Refuses a person who needs a second factor and has given only one.
///
/// `apps` are the client and the resources, whose policies count as well.
pub(super) fn check_second_factor(
    state: &State,
    user: &Object,
    subject: &Subject,
    apps: &[&str],
) -> Result<(), LoginError> {
    if subject.mfa {
        return Ok(());
    }
    let text = "A second factor is needed: the person must sign in interactively.";
    match policy::second_factor(state, &subject.user_id, apps) {
        Some(policy) => Err(LoginError::new(50_076, text).by_policy(&policy.id)),
        None if user.get(SECOND_FACTOR) == Some(&Value::Bool(true)) => {
            Err(LoginError::new(50_076, text))
        }
        None => Ok(()),
    }
}

/// Whether the person may consent to what only administrators may.
pub(super) fn is_admin(user: &Object) -> bool {
    is_administrator(user)
}

pub(super) fn is_guest(user: &Object) -> bool {
    user.get("userType") == Some(&"Guest".into())
}

/// The opaque hint that means this person.
pub(super) fn login_hint(user_id: &str) -> String {
    format!("O.{user_id}")
}

/// How somebody has signed in, in the words of the claim `amr`.
pub(super) fn methods(subject: &Subject) -> Value {
    if subject.mfa {
        json!(["pwd", "mfa"])
    } else {
        json!(["pwd"])
    }
}

/// A sign-in of this person now.
pub(super) fn subject(state: &State, user: &Object, now: Timestamp, mfa: bool) -> Subject {
    Subject {
        user_id: text(user, "id").unwrap_or_default().to_owned(),
        mfa,
        auth_time: now,
        generation: generation(user),
        sid: state.new_id(),
    }
}

/// The app roles of a resource that a person has, directly or by a group; refuses people who are
/// not assigned where an assignment is required.
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
    // Groups inside groups do not count for assignments.
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
            "The application '{id}' ({name}) admits only people who are assigned to it, and the person who signed in is not, neither directly nor by a group."
        );
        return Err(LoginError::new(50_105, text));
    }
    roles.sort_unstable();
    roles.dedup();
    Ok(roles)
}

fn check_enabled(user: &Object) -> Result<(), LoginError> {
    if user.get("accountEnabled") == Some(&Value::Bool(false)) {
        return Err(LoginError::new(50_057, "The account is disabled."));
    }
    Ok(())
}

const PRINCIPAL: &str = "userPrincipalName";
/// The documented defaults of smart lockout.
const MOST_WRONG_PASSWORDS: u32 = 10;
const LOCKED_FOR: Duration = Duration::from_secs(60);
const REMEMBERED_PASSWORDS: usize = 3;
