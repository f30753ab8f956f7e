use entra_core::ObjectId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What the registration makes Entra write into the `groups` claim, which an administrator sets
/// under *Token configuration*.
///
/// A token does not say whether its list has object ids or names, and the form of a value does not
/// prove it: an owner can rename a group to the GUID of another group. So it is a setting, and
/// without it the directory decides. See Microsoft's page on [group
/// claims](https://learn.microsoft.com/entra/identity/hybrid/connect/how-to-connect-fed-group-claims).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupsClaim {
    /// Object ids: *Group ID* for this token, and nothing else. The list then decides without a
    /// request to the directory, unless an entry is not an object id.
    ObjectIds,
    /// Names: `sAMAccountName` in any form, on-premises security identifiers (SIDs), or the display
    /// names of cloud-only groups. They are never compared with object ids.
    Names,
    /// Unknown. The list is not used for decisions.
    #[default]
    Hint,
}

/// The groups of an ID token, read by the connection's [`GroupsClaim`].
///
/// Which groups a token lists is set under Token configuration: security groups, those assigned to
/// the application, or all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Groups {
    /// The groups by object id. Only this variant is used for membership.
    Ids(Vec<ObjectId>),
    /// The groups by name. A display name is neither unique nor protected: the owner of a group may
    /// give it any name.
    Names(Vec<String>),
    /// Values of an unknown kind, which are not used for decisions.
    Hint(Vec<String>),
    /// The user has more groups than fit into a token.
    Overage,
    /// No groups: the registration does not emit groups, or the user has none.
    Absent,
}

/// How a connection reads groups and roles.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct GroupSettings {
    pub(super) claim: GroupsClaim,
    /// The optional claim `groups` has `emit_as_roles`: the groups replace the app roles.
    pub(super) as_roles: bool,
}

impl GroupSettings {
    /// The groups that a validated token lists.
    pub(super) fn groups(self, claims: &Map<String, Value>) -> Groups {
        if self.is_overage(claims) {
            return Groups::Overage;
        }
        let roles = claims.get("roles").filter(|_| self.as_roles);
        let lists: Vec<&Value> = claims.get("groups").into_iter().chain(roles).collect();
        if lists.is_empty() {
            return Groups::Absent;
        }
        let values = lists.iter().flat_map(|list| match list {
            Value::Array(values) => values.as_slice(),
            single => std::slice::from_ref(*single),
        });
        let texts = || {
            let texts = values.clone().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        };
        match self.claim {
            GroupsClaim::Names => Groups::Names(texts()),
            GroupsClaim::Hint => Groups::Hint(texts()),
            // A value of another form shows that the registration does not match the setting, so
            // the other values may be names as well.
            GroupsClaim::ObjectIds => match values.clone().map(object_id).collect() {
                Some(ids) => Groups::Ids(ids),
                None => {
                    tracing::warn!(
                        "the groups claim holds other values than object ids, so the directory decides; compare the connection's `groups_claim` with Token configuration"
                    );
                    Groups::Hint(texts())
                }
            },
        }
    }

    /// The app roles, or none if the claim has groups instead.
    pub(super) fn roles(self, roles: Vec<String>) -> Vec<String> {
        match self.as_roles {
            true => Vec::new(),
            false => roles,
        }
    }

    fn is_overage(self, claims: &Map<String, Value>) -> bool {
        let is_distributed = |name: &str| {
            claims
                .get("_claim_names")
                .is_some_and(|names| names.get(name).is_some())
        };
        is_distributed("groups")
            || (self.as_roles && is_distributed("roles"))
            || claims.get("hasgroups").is_some_and(super::claim::is_true)
            // A link in place of the list, as tokens of the implicit flow have it.
            || claims.keys().any(|name| name.starts_with("groups:src"))
    }
}

/// Only in the form of Entra: 36 characters.
fn object_id(value: &Value) -> Option<ObjectId> {
    let text = value.as_str()?;
    text.parse().ok().filter(|_| text.len() == 36)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STAFF: &str = "aaaaaaaa-0000-0000-0000-000000000000";
    const SID: &str = "S-1-5-21-1004336348-1177238915-682003330-512";

    fn read(claim: GroupsClaim, as_roles: bool, claims: &Value) -> Groups {
        let settings = GroupSettings { claim, as_roles };
        settings.groups(claims.as_object().unwrap())
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn only_the_setting_makes_a_listed_value_an_object_id() {
        let claims = json!({ "groups": [STAFF] });
        let ids = Groups::Ids(vec![STAFF.parse().unwrap()]);
        assert_eq!(read(GroupsClaim::ObjectIds, false, &claims), ids);
        let hint = Groups::Hint(texts(&[STAFF]));
        assert_eq!(read(GroupsClaim::default(), false, &claims), hint);
        let names = Groups::Names(texts(&[STAFF]));
        assert_eq!(read(GroupsClaim::Names, false, &claims), names);
        assert_eq!(
            read(GroupsClaim::ObjectIds, false, &json!({ "groups": STAFF })),
            ids
        );
        assert_eq!(
            read(GroupsClaim::ObjectIds, false, &json!({ "groups": [] })),
            Groups::Ids(Vec::new())
        );
    }

    #[test]
    fn a_list_of_ids_with_one_other_value_is_a_hint() {
        for other in [
            json!("Engineers"),
            json!(SID),
            json!("CONTOSO\\Engineers"),
            json!(format!("{{{STAFF}}}")),
            json!(STAFF.replace('-', "")),
            json!(""),
            json!(5),
            json!(null),
            json!([STAFF]),
        ] {
            let groups = read(
                GroupsClaim::ObjectIds,
                false,
                &json!({ "groups": [STAFF, other] }),
            );
            assert!(matches!(groups, Groups::Hint(_)), "{other}: {groups:?}");
        }
        for odd in [json!(5), json!({ "a": STAFF }), json!(true)] {
            let groups = read(GroupsClaim::ObjectIds, false, &json!({ "groups": odd }));
            assert_eq!(groups, Groups::Hint(Vec::new()), "{odd}");
        }
    }

    #[test]
    fn groups_that_are_emitted_as_roles_are_not_roles() {
        let claims = json!({ "roles": [STAFF] });
        let ids = Groups::Ids(vec![STAFF.parse().unwrap()]);
        assert_eq!(read(GroupsClaim::ObjectIds, true, &claims), ids);
        assert_eq!(read(GroupsClaim::ObjectIds, false, &claims), Groups::Absent);
        let settings = |as_roles| GroupSettings {
            claim: GroupsClaim::Names,
            as_roles,
        };
        assert!(settings(true).roles(texts(&["Admin"])).is_empty());
        assert_eq!(settings(false).roles(texts(&["Admin"])), texts(&["Admin"]));
        let moved = json!({ "_claim_names": { "roles": "src1" } });
        assert_eq!(read(GroupsClaim::Names, true, &moved), Groups::Overage);
        assert_eq!(read(GroupsClaim::Names, false, &moved), Groups::Absent);
    }

    #[test]
    fn overage_differs_from_a_list_and_from_no_groups() {
        let table = [
            (json!({}), Groups::Absent),
            (
                json!({ "_claim_names": { "groups": "src1" } }),
                Groups::Overage,
            ),
            (
                json!({ "_claim_names": { "other": "src1" } }),
                Groups::Absent,
            ),
            (json!({ "hasgroups": true }), Groups::Overage),
            (json!({ "hasgroups": "true" }), Groups::Overage),
            (json!({ "hasgroups": false }), Groups::Absent),
            (
                json!({ "groups:src1": "https://graph.windows.net/x" }),
                Groups::Overage,
            ),
            (
                json!({ "groups": [STAFF], "_claim_names": { "groups": "src1" } }),
                Groups::Overage,
            ),
        ];
        for (claims, expected) in table {
            for claim in [
                GroupsClaim::ObjectIds,
                GroupsClaim::Names,
                GroupsClaim::Hint,
            ] {
                assert_eq!(read(claim, false, &claims), expected, "{claims}");
            }
        }
    }
}
