//! The actions that return the groups of an object.

use super::segment::unqualified;
use crate::schema::{Kind, Operation};

/// A membership action of an object.
///
/// The `…Objects` actions also return administrative units and directory roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::graph) enum Action {
    GetMemberGroups,
    GetMemberObjects,
    CheckMemberGroups,
    CheckMemberObjects,
}

impl Action {
    /// Returns the action with that name, qualified or not, if objects of that kind have it.
    pub(in crate::graph) fn find(kind: Kind, segment: &str) -> Option<Self> {
        let action = Self::named(segment)?;
        let path = format!("{}/{}", kind.entity().object_path(), action.name());
        let documented = |operation: &Operation| operation.path == path;
        kind.entity()
            .operations
            .iter()
            .any(documented)
            .then_some(action)
    }

    pub(in crate::graph) fn named(segment: &str) -> Option<Self> {
        let name = unqualified(segment);
        ACTIONS
            .into_iter()
            .find(|action| action.name().eq_ignore_ascii_case(name))
    }

    pub(in crate::graph) fn name(self) -> &'static str {
        match self {
            Self::GetMemberGroups => "getMemberGroups",
            Self::GetMemberObjects => "getMemberObjects",
            Self::CheckMemberGroups => "checkMemberGroups",
            Self::CheckMemberObjects => "checkMemberObjects",
        }
    }

    /// The parameter that the body must have.
    pub(in crate::graph) fn parameter(self) -> &'static str {
        match self {
            Self::GetMemberGroups | Self::GetMemberObjects => "securityEnabledOnly",
            Self::CheckMemberGroups => "groupIds",
            Self::CheckMemberObjects => "ids",
        }
    }
}

const ACTIONS: [Action; 4] = [
    Action::GetMemberGroups,
    Action::GetMemberObjects,
    Action::CheckMemberGroups,
    Action::CheckMemberObjects,
];
