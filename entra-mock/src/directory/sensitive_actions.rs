//! Which administrators may reset the password of a user, or change a user in another sensitive way.
//!
//! The tables "Who can reset passwords" and "Who can perform sensitive actions" of Microsoft's page on
//! privileged roles and permissions (entra-docs, `privileged-roles-permissions.md`, 2024-10-15), for roles
//! over the whole directory. Of the roles over an administrative unit, only two reach users with a role (page "Assign Microsoft
//! Entra roles with administrative unit scope"): User Administrator by the tables, and Privileged Authentication Administrator
//! whatever the role. No role over a unit reaches a Global Administrator or a member or owner of a role-assignable group.

use super::roles::{
    AUTHENTICATION_ADMINISTRATOR, DIRECTORY_READERS, GLOBAL_ADMINISTRATOR, GROUPS_ADMINISTRATOR,
    GUEST_INVITER, HELPDESK_ADMINISTRATOR, MESSAGE_CENTER_READER, PASSWORD_ADMINISTRATOR,
    PRIVILEGED_AUTHENTICATION_ADMINISTRATOR, REPORTS_READER, USAGE_SUMMARY_REPORTS_READER,
    USER_ADMINISTRATOR, USER_EXPERIENCE_SUCCESS_MANAGER,
};
use crate::{
    state::State,
    store::{Kind, Relation},
};

/// A change of a user that only some administrators may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SensitiveAction {
    /// Reset the password, revoke the sessions, or change what a user resets the password with.
    ResetPassword,
    /// Disable, enable, delete, restore, or rename the user.
    Other,
}

impl SensitiveAction {
    /// Returns the action that a change of this property of a user is, or `None` if it is not sensitive.
    pub(crate) fn of_property(name: &str) -> Option<Self> {
        match name {
            "businessPhones" | "mobilePhone" | "otherMails" | "passwordProfile" => {
                Some(Self::ResetPassword)
            }
            "accountEnabled" | "onPremisesImmutableId" | "userPrincipalName" => Some(Self::Other),
            _ => None,
        }
    }
}

impl State {
    /// Whether a user may perform an action on another user by one of their roles.
    pub(crate) fn user_may(&self, actor: &str, action: SensitiveAction, target: &str) -> bool {
        self.role_allows(actor, action, target)
    }

    /// Whether an application that has the permission may perform an action on a user: on every user
    /// without a role, and on others by a role of its service principal.
    pub(crate) fn application_may(
        &self,
        principal: Option<&str>,
        action: SensitiveAction,
        target: &str,
    ) -> bool {
        self.is_ordinary(target)
            || principal.is_some_and(|principal| self.role_allows(principal, action, target))
    }

    /// Whether an object has a role that protects it from changes by other administrators than a Global
    /// Administrator.
    pub(crate) fn is_protected(&self, principal: &str) -> bool {
        self.held_roles(principal)
            .any(|role| !ROWS.iter().any(|row| row.role == role))
    }

    fn role_allows(&self, actor: &str, action: SensitiveAction, target: &str) -> bool {
        if self.held_roles(actor).any(|role| HIGHEST.contains(&role)) {
            return true;
        }
        if self.is_administrator(target) || self.is_in_role_assignable_group(target) {
            return false;
        }
        let may = |actor: &str| {
            let mut roles = self.held_roles(target).peekable();
            if roles.peek().is_none() {
                return NO_ROLE.allows(actor, action);
            }
            roles.all(|role| {
                let mut rows = ROWS.iter();
                rows.any(|row| row.role == role && row.allows(actor, action))
            })
        };
        let may_in_unit = |role: &str| {
            let reaches = role == USER_ADMINISTRATOR || self.held_roles(target).next().is_none();
            role == PRIVILEGED_AUTHENTICATION_ADMINISTRATOR || reaches && may(role)
        };
        self.held_roles(actor).any(may) || self.roles_over(actor, target).any(may_in_unit)
    }

    /// Whether a user has no role and no way to one.
    fn is_ordinary(&self, user: &str) -> bool {
        self.held_roles(user).next().is_none() && !self.is_in_role_assignable_group(user)
    }

    fn is_in_role_assignable_group(&self, user: &str) -> bool {
        [Relation::Members, Relation::Owners]
            .into_iter()
            .flat_map(|relation| self.store.linking_objects(relation, user))
            .any(|(kind, group)| {
                kind == Kind::Group && group.get("isAssignableToRole") == Some(&true.into())
            })
    }
}

/// One row of both tables: the roles that may act on users with a role.
struct Row {
    role: &'static str,
    reset_password: &'static [&'static str],
    other: &'static [&'static str],
}

impl Row {
    fn allows(&self, actor: &str, action: SensitiveAction) -> bool {
        let roles = match action {
            SensitiveAction::ResetPassword => self.reset_password,
            SensitiveAction::Other => self.other,
        };
        roles.contains(&actor)
    }
}

const fn row(
    role: &'static str,
    reset_password: &'static [&'static str],
    other: &'static [&'static str],
) -> Row {
    Row {
        role,
        reset_password,
        other,
    }
}

const A: &str = AUTHENTICATION_ADMINISTRATOR;
const H: &str = HELPDESK_ADMINISTRATOR;
const P: &str = PASSWORD_ADMINISTRATOR;
const U: &str = USER_ADMINISTRATOR;

/// The roles that may act on every user.
const HIGHEST: [&str; 2] = [
    GLOBAL_ADMINISTRATOR,
    PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
];

/// Who may act on users without a role.
const NO_ROLE: Row = row("", &[P, H, A, U], &[A, U]);

/// Who may act on users with a role. Only the highest roles may act on users with any other role.
const ROWS: [Row; 11] = [
    row(AUTHENTICATION_ADMINISTRATOR, &[A], &[A]),
    row(DIRECTORY_READERS, &[P, H, A, U], &[A, U]),
    row(GROUPS_ADMINISTRATOR, &[U], &[U]),
    row(GUEST_INVITER, &[P, H, A, U], &[A, U]),
    row(HELPDESK_ADMINISTRATOR, &[H, U], &[U]),
    row(MESSAGE_CENTER_READER, &[H, A, U], &[A, U]),
    row(PASSWORD_ADMINISTRATOR, &[P, H, A, U], &[A, U]),
    row(REPORTS_READER, &[H, A, U], &[A, U]),
    row(USAGE_SUMMARY_REPORTS_READER, &[H, A, U], &[A, U]),
    row(USER_ADMINISTRATOR, &[U], &[U]),
    row(USER_EXPERIENCE_SUCCESS_MANAGER, &[H, A, U], &[A, U]),
];
