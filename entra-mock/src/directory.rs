//! Creates directory objects with every property that Entra sets at creation.
//!
//! Seeds, the handles of a tenant and the standalone server use these functions, so an object has
//! the same properties whichever way it is created.

mod apps;
pub(crate) mod domains;
mod enforcement;
mod gallery;
mod inheritance;
mod insertion;
pub(crate) mod licenses;
pub(crate) mod lifecycle;
mod log;
mod policies;
pub(crate) mod roles;
pub(crate) mod sensitive_actions;

use std::time::Duration;

use entra_core::{Guid, Timestamp};
use serde_json::{Value, json};

use crate::{
    state::{State, iso},
    store::{Conflict, Kind, Object, Relation},
};

pub use insertion::SeedError;

pub(crate) use apps::{AppIds, DEFAULT_AUDIENCE, application_defaults};
pub(crate) use enforcement::unsupported_part;
pub(crate) use inheritance::{inherited, inherited_changes};
#[cfg(feature = "server")]
pub(crate) use insertion::SeedErrorCause;
pub(crate) use insertion::{collection_kind, keep_password, set};
pub(crate) use log::{Audit, SignInRecord};
pub(crate) use policies::AccessRule;

/// A user to create. A property that is `None` is not set.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewUser<'a> {
    pub(crate) display_name: &'a str,
    pub(crate) given_name: Option<&'a str>,
    pub(crate) surname: Option<&'a str>,
    /// The part before the `@`.
    pub(crate) alias: &'a str,
    pub(crate) department: Option<&'a str>,
    pub(crate) job_title: Option<&'a str>,
    pub(crate) office: Option<&'a str>,
    pub(crate) disabled: bool,
    pub(crate) guest: bool,
}

impl State {
    pub(crate) fn add_user(
        &mut self,
        now: Timestamp,
        user: &NewUser<'_>,
    ) -> Result<String, Conflict> {
        let id = self.new_id();
        let domain = self.default_domain().to_owned();
        let initial = self
            .domains
            .last()
            .cloned()
            .unwrap_or_else(|| domain.clone());
        let (principal_name, mail) = if user.guest {
            (
                format!("{}_fabrikam.example#EXT#@{initial}", user.alias),
                format!("{}@fabrikam.example", user.alias),
            )
        } else {
            let name = format!("{}@{domain}", user.alias);
            (name.clone(), name)
        };
        let mut object = object([
            ("id", id.clone().into()),
            ("accountEnabled", (!user.disabled).into()),
            ("createdDateTime", iso(now).into()),
            ("displayName", user.display_name.into()),
            ("mail", mail.into()),
            ("mailNickname", user.alias.into()),
            ("userPrincipalName", principal_name.into()),
            (
                "userType",
                if user.guest { "Guest" } else { "Member" }.into(),
            ),
            ("usageLocation", "DE".into()),
            ("securityIdentifier", security_identifier(&id).into()),
        ]);
        if user.guest {
            object.insert("creationType".into(), "Invitation".into());
            object.insert("externalUserState".into(), "Accepted".into());
        }
        let optional = [
            ("givenName", user.given_name),
            ("surname", user.surname),
            ("department", user.department),
            ("jobTitle", user.job_title),
            ("officeLocation", user.office),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                object.insert(name.into(), value.into());
            }
        }
        self.store.insert(Kind::User, object)?;
        Ok(id)
    }

    /// Returns the part before the `@` for a new user of this name. Users with the same name get a number, as an
    /// administrator would add.
    pub(crate) fn free_alias(&self, display_name: &str) -> String {
        let stem: String = display_name
            .split_whitespace()
            .map(|word| {
                word.chars()
                    .filter(char::is_ascii_alphanumeric)
                    .collect::<String>()
                    .to_ascii_lowercase()
            })
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(".");
        let stem = if stem.is_empty() {
            "user".to_owned()
        } else {
            stem
        };
        let domain = self.default_domain().to_owned();
        let taken = |alias: &str| {
            self.store
                .find(
                    Kind::User,
                    "userPrincipalName",
                    &format!("{alias}@{domain}"),
                )
                .is_some()
        };
        (1..)
            .map(|number| {
                if number == 1 {
                    stem.clone()
                } else {
                    format!("{stem}{number}")
                }
            })
            .find(|alias| !taken(alias))
            .unwrap_or(stem)
    }

    pub(crate) fn add_group(
        &mut self,
        now: Timestamp,
        name: &str,
        description: Option<&str>,
    ) -> Result<String, Conflict> {
        let id = self.new_id();
        let nickname: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let mut object = object([
            ("id", id.clone().into()),
            ("createdDateTime", iso(now).into()),
            ("renewedDateTime", iso(now).into()),
            ("displayName", name.into()),
            ("mailEnabled", false.into()),
            (
                "mailNickname",
                if nickname.is_empty() {
                    id[..8].to_owned()
                } else {
                    nickname
                }
                .into(),
            ),
            ("securityEnabled", true.into()),
            ("securityIdentifier", security_identifier(&id).into()),
        ]);
        if let Some(description) = description {
            object.insert("description".into(), description.into());
        }
        self.store.insert(Kind::Group, object)?;
        Ok(id)
    }

    /// Adds a joined device with `owner` as its owner and user, registered and last used at these
    /// times.
    pub(crate) fn add_device(
        &mut self,
        (registered, seen): (Timestamp, Timestamp),
        name: &str,
        system: &str,
        version: &str,
        owner: Option<&str>,
    ) -> Result<String, Conflict> {
        let id = self.new_id();
        self.store.insert(
            Kind::Device,
            object([
                ("id", id.clone().into()),
                ("accountEnabled", true.into()),
                ("approximateLastSignInDateTime", iso(seen).into()),
                ("deviceId", self.random.guid().to_string().into()),
                ("displayName", name.into()),
                ("isCompliant", true.into()),
                ("isManaged", true.into()),
                ("operatingSystem", system.into()),
                ("operatingSystemVersion", version.into()),
                ("registrationDateTime", iso(registered).into()),
                ("trustType", "AzureAd".into()),
            ]),
        )?;
        if let Some(owner) = owner {
            self.store.link(Relation::RegisteredOwners, &id, owner);
            self.store.link(Relation::RegisteredUsers, &id, owner);
        }
        Ok(id)
    }
}

/// Creates an object from its non-null properties.
pub(crate) fn object<const N: usize>(properties: [(&str, Value); N]) -> Object {
    properties.into_iter().collect()
}

/// Appends a value to a list property. Creates the list if it does not exist.
pub(crate) fn push(object: &mut Object, property: &str, item: Value) {
    if let Some(items) = object
        .entry(property)
        .or_insert_with(|| json!([]))
        .as_array_mut()
    {
        items.push(item);
    }
}

pub(crate) fn later(now: Timestamp, by: Duration) -> Timestamp {
    entra_core::time::Duration::try_from(by).map_or(now, |by| now.saturating_add(by))
}

pub(crate) fn earlier(now: Timestamp, by: Duration) -> Timestamp {
    entra_core::time::Duration::try_from(by).map_or(now, |by| now.saturating_sub(by))
}

/// Returns the SID `S-1-12-1-…`, which spells the object id as four little-endian numbers.
pub(crate) fn security_identifier(id: &str) -> String {
    let Ok(guid) = id.parse::<Guid>() else {
        return String::new();
    };
    let bytes = guid.as_bytes();
    let number = |at: [usize; 4]| u32::from_be_bytes(at.map(|at| bytes[at]));
    // The first three fields of a GUID are numbers, the rest are bytes.
    format!(
        "S-1-12-1-{}-{}-{}-{}",
        number([0, 1, 2, 3]),
        number([6, 7, 4, 5]),
        number([11, 10, 9, 8]),
        number([15, 14, 13, 12])
    )
}

/// Application id of Microsoft Graph, the same in every tenant and cloud.
pub(crate) const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";
/// The tenant that owns Microsoft's own applications.
pub(crate) const MICROSOFT_SERVICES: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    pub(crate) fn security_identifiers_spell_the_object_id_in_numbers() {
        // 00010203-0405-0607-0809-0a0b0c0d0e0f
        let expected = "S-1-12-1-66051-101123077-185207048-252579084";
        assert_eq!(
            security_identifier("00010203-0405-0607-0809-0a0b0c0d0e0f"),
            expected
        );
    }
}
