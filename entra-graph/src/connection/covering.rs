//! Permissions that a wider one covers.

use super::finding::{Check, Finding};
use crate::{areas::operations, operation::Operation};

/// Whose permissions are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Application,
    Delegated,
}

impl Kind {
    const fn enough_for(self, operation: &Operation) -> &'static [&'static str] {
        match self {
            Self::Application => operation.application_permissions(),
            Self::Delegated => operation.delegated_permissions(),
        }
    }
}

/// Whether one permission is wider than another, with exceptions or without.
pub(super) fn covers(wider: &str, need: &str, kind: Kind) -> bool {
    exceptions(wider, need, kind).is_some()
}

/// The finding for an application permission that a wider one covers.
pub(super) fn covered(need: &str, granted: &[String]) -> Option<Finding> {
    let Some((one, exceptions)) = narrowest(need, granted, Kind::Application) else {
        let one = granted.iter().find(|one| is_ambiguous(one, need))?;
        return Some(
            Finding::unknown(
                Check::Permission,
                format!("it is not known whether {one} is enough for {need}"),
            )
            .because("its description says that it lists groups, and the page of that list does not name it")
            .fix(format!("API permissions > Add a permission > Microsoft Graph > Application permissions > {need}, then Grant admin consent")),
        );
    };
    let what = format!("{need} is covered by {one}, which allows more");
    Some(match exceptions.is_empty() {
        true => Finding::ok(Check::Permission, what),
        false => Finding::note(
            Check::Permission,
            format!("{what}, except for {}", exceptions.join(", ")),
        ),
    })
}

/// The permission among those granted that covers a need with the fewest exceptions.
pub(super) fn narrowest<'g>(
    need: &str,
    granted: &'g [String],
    kind: Kind,
) -> Option<(&'g str, Vec<&'static str>)> {
    let mut wider: Vec<_> = granted
        .iter()
        .filter(|one| !is_ambiguous(one, need))
        .filter_map(|one| Some((one.as_str(), exceptions(one, need, kind)?)))
        .collect();
    wider.sort_by_key(|(_, exceptions)| exceptions.len());
    wider.into_iter().next()
}

/// The documented operations that one permission allows and a wider one does not. `None` if the other one is not wider:
/// it lacks more than a quarter of them.
fn exceptions(wider: &str, need: &str, kind: Kind) -> Option<Vec<&'static str>> {
    // Lists name those that read only; to write includes to read.
    if writes_what_it_reads(wider, need) {
        return Some(Vec::new());
    }
    let allows = |operation: &Operation, name: &str| {
        let mut enough = kind.enough_for(operation).iter();
        enough.any(|one| one.eq_ignore_ascii_case(name))
    };
    // Subscriptions take the permission of what they are about, so their lists name one of each kind of object.
    let needed: Vec<_> = operations()
        .filter(|operation| !operation.path().starts_with("/subscriptions"))
        .filter(|operation| allows(operation, need))
        .collect();
    let covers = |one: &&str| {
        one.eq_ignore_ascii_case(wider)
            || writes_what_it_reads(wider, one) && !is_ambiguous(wider, one)
    };
    let lacking: Vec<&str> = needed
        .iter()
        .filter(|operation| !kind.enough_for(operation).iter().any(covers))
        .map(|operation| operation.name())
        .collect();
    (!needed.is_empty() && lacking.len() * 4 <= needed.len()).then_some(lacking)
}

/// Whether a permission writes what the other one reads, as `User.ReadWrite.All` and `User.Read.All`.
fn writes_what_it_reads(wider: &str, need: &str) -> bool {
    let need = need.to_ascii_lowercase();
    let mut reads = false;
    let parts: Vec<&str> = need
        .split('.')
        .map(|part| match part {
            "read" => {
                reads = true;
                "readwrite"
            }
            part => part,
        })
        .collect();
    reads && parts.join(".").eq_ignore_ascii_case(wider)
}

/// Whether Microsoft documents the wider permission in two ways: `GroupMember.ReadWrite.All` lists groups by its
/// description, and not by the page of that list.
fn is_ambiguous(wider: &str, need: &str) -> bool {
    wider.eq_ignore_ascii_case("GroupMember.ReadWrite.All")
        && need.eq_ignore_ascii_case("GroupMember.Read.All")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wider_permission_covers_a_narrower_one_and_not_the_other_way_round() {
        let table = [
            ("User.ReadWrite.All", "User.Read.All", true),
            ("user.readwrite.all", "User.Read.All", true),
            ("Mail.ReadWrite", "Mail.Read", true),
            ("Directory.Read.All", "user.read.all", true),
            ("Directory.Read.All", "User.Read.All", true),
            ("Directory.Read.All", "Application.Read.All", true),
            ("Directory.ReadWrite.All", "User.Read.All", true),
            ("Directory.ReadWrite.All", "Application.Read.All", true),
            ("Group.ReadWrite.All", "GroupMember.Read.All", true),
            ("GroupMember.ReadWrite.All", "Group.Read.All", false),
            ("User.Read.All", "Directory.Read.All", false),
            ("User.Read.All", "AuditLog.Read.All", false),
            ("GroupMember.Read.All", "User.Read.All", false),
            ("User.Read.All", "GroupMember.Read.All", false),
            ("User.Read.All", "No.Such.Permission", false),
        ];
        for (wider, need, expected) in table {
            let found = exceptions(wider, need, Kind::Application);
            assert_eq!(found.is_some(), expected, "{wider} for {need}: {found:?}");
        }
        // Photos and sponsors are the exceptions that the documentation makes.
        let kind = Kind::Application;
        let exceptions = exceptions("Directory.Read.All", "User.Read.All", kind).unwrap();
        let photo = |name: &&str| name.contains("photo");
        assert_eq!(exceptions.iter().filter(|name| photo(name)).count(), 4);
        let others: Vec<_> = exceptions.into_iter().filter(|name| !photo(name)).collect();
        assert_eq!(others, ["user-list-sponsors", "user-list-sponsorof"]);
    }
}
