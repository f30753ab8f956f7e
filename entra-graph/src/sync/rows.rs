//! The bookkeeping rows of a sync, as text keys and text values:
//!
//! | key | value |
//! |---|---|
//! | `o/{kind}/{id}` | an object: presence, the round that last saw it (`l` if without properties), and a digest of these |
//! | `l/{group}/{member}` | a membership: the round that last saw it (0 if in doubt), and the type of the member |
//! | `m/{member}/{group}` | the same membership from the other side: the type of the member |
//! | `p/{kind}/{id}` | a removal that waits for the end of the round: its reason |
//! | `q/{group}/{member}` | a membership whose removal waits for the end of the round: `s` if a full round lacks it |
//! | `t/{member}/{group}` | a transitive membership: `h` if it is not handed out, since its member is not in the copy |
//! | `x/{member}` | a member whose transitive memberships must be computed again: its type |
//! | `y/{group}` | a group whose members must be: the last membership that was marked |
//! | `e/{member}` | a member that may have entered or left the scope: its type |
//! | `f/{group}` | a group whose members may have: the last membership that was marked |
//! | `s/{group}` | a group in the scope, by its own memberships |

use super::change::{ObjectKind, RemovalReason};

/// What is known about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) presence: Presence,
    /// The round that last saw the object.
    pub(super) seen: u64,
    /// Whether Graph withheld its properties then.
    pub(super) is_limited: bool,
    /// The digest of its properties; for an object that is gone the time of its removal in seconds.
    pub(super) detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// It is in the copy.
    Present,
    /// It exists, but does not pass the filter, or cannot be read.
    Hidden,
    /// It was removed and may return.
    Gone,
}

/// What is known about a membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LinkEntry {
    pub(super) seen: u64,
    pub(super) member_type: Option<String>,
}

/// A removal that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removal {
    Reason(RemovalReason),
    /// Only the bookkeeping of an object that is not in the copy.
    Bookkeeping,
}

pub(super) const OBJECTS: &str = "o/";
pub(super) const LINKS: &str = "l/";
pub(super) const REMOVALS: &str = "p/";
pub(super) const UNLINKS: &str = "q/";

/// The value of a membership whose removal waits because a full round did not contain it. Others were named by Graph.
pub(super) const SWEPT: &str = "s";

/// The value of a transitive membership that is not handed out.
pub(super) const UNSEEN: &str = "h";

pub(super) const TRANSITIVE: &str = "t/";
pub(super) const MARKED: &str = "x/";
pub(super) const MARKED_GROUPS: &str = "y/";

pub(super) const EDGE: &str = "e/";
pub(super) const EDGE_GROUPS: &str = "f/";
pub(super) const SCOPED: &str = "s/";

pub(super) fn edge(member: &str) -> String {
    format!("e/{member}")
}

pub(super) fn edge_group(group: &str) -> String {
    format!("f/{group}")
}

pub(super) fn scoped(group: &str) -> String {
    format!("s/{group}")
}

pub(super) fn transitive_of(member: &str) -> String {
    format!("t/{member}/")
}

pub(super) fn transitive(member: &str, group: &str) -> String {
    format!("t/{member}/{group}")
}

pub(super) fn marked(member: &str) -> String {
    format!("x/{member}")
}

pub(super) fn marked_group(group: &str) -> String {
    format!("y/{group}")
}

/// The id of an assignment within those of a service principal.
pub(super) fn assignment(service_principal: &str, id: &str) -> String {
    format!("{service_principal}~{id}")
}

/// The service principal that an assignment with such an id is to.
pub(super) fn service_principal(id: &str) -> &str {
    id.split('~').next().unwrap_or(id)
}

/// The id of an object as Graph has it.
pub(super) fn public(id: &str) -> &str {
    id.rsplit('~').next().unwrap_or(id)
}

pub(super) fn objects(kind: ObjectKind) -> String {
    format!("o/{}/", kind.code())
}

/// The assignments of a service principal.
pub(super) fn objects_of(kind: ObjectKind, service_principal: &str) -> String {
    format!("o/{}/{service_principal}~", kind.code())
}

pub(super) fn object(kind: ObjectKind, id: &str) -> String {
    format!("o/{}/{id}", kind.code())
}

pub(super) fn links_of(group: &str) -> String {
    format!("l/{group}/")
}

pub(super) fn link(group: &str, member: &str) -> String {
    format!("l/{group}/{member}")
}

pub(super) fn groups_of(member: &str) -> String {
    format!("m/{member}/")
}

pub(super) fn reverse(member: &str, group: &str) -> String {
    format!("m/{member}/{group}")
}

pub(super) fn removal(kind: ObjectKind, id: &str) -> String {
    format!("p/{}/{id}", kind.code())
}

pub(super) fn unlink(group: &str, member: &str) -> String {
    format!("q/{group}/{member}")
}

/// The two parts of a key behind its first letter.
pub(super) fn parts(key: &str) -> Option<(&str, &str)> {
    key.get(2..)?.split_once('/')
}

/// The last part of a key.
pub(super) fn last(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

impl Entry {
    pub(super) fn read(value: &str) -> Option<Self> {
        let presence = match value.get(..1)? {
            "+" => Presence::Present,
            "h" => Presence::Hidden,
            "-" => Presence::Gone,
            _ => return None,
        };
        let (seen, detail) = value.get(1..)?.split_once(' ')?;
        let (seen, is_limited) = match seen.strip_suffix(LIMITED) {
            Some(seen) => (seen, true),
            None => (seen, false),
        };
        Some(Self {
            presence,
            seen: seen.parse().ok()?,
            is_limited,
            detail: detail.to_owned(),
        })
    }

    pub(super) fn write(&self) -> String {
        let presence = match self.presence {
            Presence::Present => '+',
            Presence::Hidden => 'h',
            Presence::Gone => '-',
        };
        let limited = if self.is_limited { LIMITED } else { "" };
        format!("{presence}{}{limited} {}", self.seen, self.detail)
    }
}

impl LinkEntry {
    /// A membership of an object that is gone, which a full round did not contain. Graph does not list deleted members,
    /// so whether it holds is known only once the object returns.
    pub(super) const fn in_doubt(member_type: Option<String>) -> Self {
        Self {
            seen: NEVER,
            member_type,
        }
    }

    pub(super) const fn is_in_doubt(&self) -> bool {
        self.seen == NEVER
    }

    pub(super) fn read(value: &str) -> Option<Self> {
        let (seen, member_type) = value.split_once(' ')?;
        Some(Self {
            seen: seen.parse().ok()?,
            member_type: (!member_type.is_empty()).then(|| member_type.to_owned()),
        })
    }

    pub(super) fn write(&self) -> String {
        let member_type = self.member_type.as_deref().unwrap_or_default();
        format!("{} {member_type}", self.seen)
    }
}

impl Removal {
    pub(super) fn read(value: &str) -> Self {
        RemovalReason::of_code(value).map_or(Self::Bookkeeping, Self::Reason)
    }

    pub(super) const fn write(self) -> &'static str {
        match self {
            Self::Reason(reason) => reason.code(),
            Self::Bookkeeping => "bookkeeping",
        }
    }
}

/// Behind the round of an object whose properties are withheld.
const LIMITED: &str = "l";
/// No round has this number.
pub(super) const NEVER: u64 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_survive_a_round_trip_and_other_text_is_unknown() {
        for presence in [Presence::Present, Presence::Hidden, Presence::Gone] {
            for is_limited in [false, true] {
                let entry = Entry {
                    presence,
                    seen: 17,
                    is_limited,
                    detail: "ab12".to_owned(),
                };
                assert_eq!(Entry::read(&entry.write()), Some(entry));
            }
        }
        for member_type in [None, Some("#microsoft.graph.user".to_owned())] {
            let link = LinkEntry {
                seen: 3,
                member_type,
            };
            assert!(!link.is_in_doubt());
            assert_eq!(LinkEntry::read(&link.write()), Some(link.clone()));
            let doubtful = LinkEntry::in_doubt(link.member_type);
            let read = LinkEntry::read(&doubtful.write());
            assert!(read.is_some_and(|read| read.is_in_doubt()));
        }
        for text in ["", "+", "+x y", "é", "17"] {
            assert_eq!(Entry::read(text), None, "{text}");
        }
        assert_eq!(LinkEntry::read("x y"), None);
    }
}
