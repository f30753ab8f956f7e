//! What a 403 says about permissions: what the token has, what it lacks, and where to grant that.

use super::{Call, Error, Granted};

/// Why Graph denied a call, as far as its operation and the token tell.
enum Lack<'e> {
    /// The token has none of these.
    Permission {
        needed: Vec<&'static str>,
        /// A permission of the token that covers other objects only, and which.
        limited: Option<(&'e str, &'static str)>,
    },
    /// The token has this permission, so what is missing is a directory role.
    Role(&'e str),
    /// The operation supports no application.
    DelegatedOnly(&'static [&'static str]),
}

impl Error {
    /// The permissions any one of which is enough, least privileged first, when Graph rejected the call for lack of one.
    ///
    /// They are application or delegated permissions, depending on the token. There is none if the token has one of
    /// them, so that the user or the application lacks a directory role. One that covers the signed-in user
    /// only, such as `User.Read`, is left out where the token has it, since then the call is for another user. For a read,
    /// one that also writes is left out if another is enough.
    #[must_use]
    pub fn needed_permissions(&self) -> Vec<&'static str> {
        match self.lack() {
            Some(Lack::Permission { needed, .. }) => needed,
            _ => Vec::new(),
        }
    }

    /// The permissions that the rejected token has, when it could be read.
    #[must_use]
    pub fn token_permissions(&self) -> Option<&[String]> {
        Some(&self.0.granted.as_ref()?.permissions)
    }

    fn lack(&self) -> Option<Lack<'_>> {
        let call = self.0.call.as_ref().filter(|_| self.lacks_permission())?;
        let operation = call.operation;
        let granted = self.0.granted.as_ref();
        let enough = match self.is_delegated() {
            true => operation.delegated,
            false => operation.application,
        };
        if enough.is_empty() {
            let application = granted.is_some() && !operation.delegated.is_empty();
            return application.then_some(Lack::DelegatedOnly(operation.delegated));
        }
        let held = |list: &'static [&'static str]| {
            granted
                .into_iter()
                .flat_map(move |granted| granted.held(list))
        };
        if let Some(held_permission) = held(enough).find(|one| call.limit(one, granted).is_none()) {
            if operation.additional.is_empty() || held(operation.additional).next().is_some() {
                return Some(Lack::Role(held_permission));
            }
            return Some(Lack::Permission {
                needed: operation.additional.to_vec(),
                limited: None,
            });
        }
        let limited = held(enough).find_map(|one| Some((one, call.limit(one, granted)?)));
        let is_other = limited.is_some() || call.is_of_another_user(granted);
        let covers = |one: &&'static str| !is_other || call.limit(one, granted).is_none();
        Some(Lack::Permission {
            needed: operation.suggested(enough).filter(covers).collect(),
            limited,
        })
    }

    /// What the token has, and what is missing.
    pub(super) fn permission_lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.granted_line().into_iter().collect();
        match self.lack() {
            Some(Lack::Permission { needed, limited }) => {
                lines.extend(limited.map(|(held, what)| format!("{held} covers {what}")));
                lines.extend(self.needed_line(&needed));
            }
            Some(Lack::Role(held)) => {
                let who = match self.is_delegated() {
                    true => "signed-in user",
                    false => "application",
                };
                lines.push(format!(
                    "the token has {held}: the {who} also needs a directory role for this object, or the object does not allow it, such as members of a group with dynamic membership"
                ));
            }
            Some(Lack::DelegatedOnly(needed)) => lines.push(format!(
                "this operation supports delegated permissions only; needs one of (delegated): {}",
                needed.join(", ")
            )),
            None => {}
        }
        lines
    }

    fn granted_line(&self) -> Option<String> {
        let granted = self
            .0
            .granted
            .as_ref()
            .filter(|_| self.lacks_permission())?;
        let what = if granted.delegated { "scopes" } else { "roles" };
        Some(match granted.permissions.as_slice() {
            [] => format!("the token has no {what}"),
            permissions => format!("the token has {what}: {}", permissions.join(", ")),
        })
    }

    fn needed_line(&self, needed: &[&str]) -> Option<String> {
        let call = self.0.call.as_ref().filter(|_| !needed.is_empty())?;
        let kind = match self.is_delegated() {
            true => "delegated",
            false => "application",
        };
        let mut line = format!("needs one of ({kind}): {}", needed.join(", "));
        let additional = call.operation.additional;
        if !additional.is_empty() && needed != additional {
            line.push_str(&format!(
                ", together with one of: {}",
                additional.join(", ")
            ));
        }
        let operation = call.operation;
        if self.0.granted.is_none() && !operation.delegated.is_empty() {
            let delegated: Vec<&str> = operation.suggested(operation.delegated).collect();
            line.push_str(&format!(
                "; for a signed-in user one of (delegated): {}",
                delegated.join(", ")
            ));
        }
        Some(line)
    }

    /// Where to grant the permission, who must consent, and when it takes effect.
    pub(super) fn permission_fix(&self) -> Vec<String> {
        let needed = self.needed_permissions();
        let Some(best) = needed.first() else {
            return Vec::new();
        };
        let (tab, renew) = if self.is_delegated() {
            (
                "Delegated permissions",
                "the user signs in again, or the token is refreshed with the new scope",
            )
        } else if self.0.granted.is_none() {
            (
                "Application permissions (Delegated permissions for a signed-in user)",
                "call `GraphClient::renew_token`, or let the user sign in again",
            )
        } else {
            (
                "Application permissions",
                "call `GraphClient::renew_token`, or restart the program",
            )
        };
        let consent = if self.is_delegated() && USER_CONSENT.contains(best) {
            "the user can consent, where the tenant allows it, or an administrator for all with Grant admin consent"
        } else {
            "an administrator must then select Grant admin consent"
        };
        vec![
            format!(
                "fix:   Microsoft Entra admin center > App registrations > (the application) > API permissions > Add a permission > Microsoft Graph > {tab} > {best}; {consent}"
            ),
            format!(
                "a token that exists keeps its permissions until it expires; for a new one {renew}"
            ),
        ]
    }

    fn lacks_permission(&self) -> bool {
        self.is_forbidden()
            && !self.is_license_missing()
            && self
                .code()
                .is_none_or(|code| !code.ends_with("QuotaExceeded"))
    }

    fn is_delegated(&self) -> bool {
        self.0
            .granted
            .as_ref()
            .is_some_and(|granted| granted.delegated)
    }
}

impl Call {
    /// What a permission covers, unless it covers the object of this call.
    fn limit(&self, permission: &str, granted: Option<&Granted>) -> Option<&'static str> {
        let (_, _, what) = LIMITED
            .iter()
            .find(|(name, part, _)| *name == permission && self.operation.path.contains(part))?;
        let own = *what == SIGNED_IN_USER && self.is_of_signed_in_user(granted);
        (!own).then_some(*what)
    }

    fn is_of_signed_in_user(&self, granted: Option<&Granted>) -> bool {
        let mut segments = self.segments();
        let is_me = segments
            .next()
            .is_some_and(|first| first.eq_ignore_ascii_case("me"));
        is_me
            || self.user().is_some_and(|id| {
                granted
                    .and_then(|granted| granted.object_id.as_deref())
                    .is_some_and(|own| own.eq_ignore_ascii_case(id))
            })
    }

    /// The key of the user in the path.
    fn user(&self) -> Option<&str> {
        let mut segments = self.segments();
        let collection = segments.next()?;
        segments
            .next()
            .filter(|_| collection.eq_ignore_ascii_case("users"))
    }

    /// The segments of the path below the version.
    fn segments(&self) -> impl Iterator<Item = &str> {
        let path = self.path.strip_prefix("/beta").unwrap_or(&self.path);
        path.split('/').filter(|part| !part.is_empty())
    }

    /// Whether the object is certainly that of another user; a user principal name does not tell.
    fn is_of_another_user(&self, granted: Option<&Granted>) -> bool {
        let id = self.user();
        id.is_some_and(|id| id.parse::<entra_core::Guid>().is_ok())
            && granted.is_some_and(|granted| granted.object_id.is_some())
            && !self.is_of_signed_in_user(granted)
    }
}

const SIGNED_IN_USER: &str = "the signed-in user only";

/// Permissions that cover only some objects of an operation, a part of the operation's path, and what they cover.
const LIMITED: &[(&str, &str, &str)] = &[
    ("User.Read", "/users/{id}", SIGNED_IN_USER),
    ("User.ReadWrite", "/users/{id}", SIGNED_IN_USER),
    (
        "Application.ReadWrite.OwnedBy",
        "{id}",
        "objects that this application owns only",
    ),
];

/// Delegated permissions that users may consent to themselves.
const USER_CONSENT: &[&str] = &[
    "User.Read",
    "User.ReadWrite",
    "User.ReadBasic.All",
    "ProfilePhoto.Read.All",
];
