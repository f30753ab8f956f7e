//! Which permissions a program needs, from the requests that it sent.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::OnceLock,
};

use super::{
    log, operations,
    template::{operation_of_request, split_version},
};
use crate::schema::Operation;

/// The least permissions for some requests to Microsoft Graph, delegated and application.
///
/// ```
/// let sent = [("GET", "/v1.0/users?$top=5"), ("GET", "/v1.0/devices")];
/// let needed = entra_mock::NeededPermissions::of_requests(sent);
/// assert_eq!(needed.application().collect::<Vec<_>>(), ["Device.Read.All", "User.ReadBasic.All"]);
/// assert!(needed.are_met_by_application(&["Directory.Read.All"]));
/// assert_eq!(needed.unknown().count(), 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NeededPermissions {
    delegated: Needs,
    application: Needs,
    users_only: BTreeSet<String>,
    unknown: BTreeSet<String>,
}

/// The lists of permissions of which a program needs one each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Needs {
    lists: BTreeSet<Vec<&'static str>>,
    least: BTreeSet<&'static str>,
}

impl NeededPermissions {
    /// Returns the least set for requests, each a method and a path, with or without host, version and query.
    ///
    /// The requests of a batch count as requests of their own, so `$batch` itself needs nothing.
    pub fn of_requests<'r>(requests: impl IntoIterator<Item = (&'r str, &'r str)>) -> Self {
        let mut needed = Self::default();
        for (method, url) in requests {
            let (_, path) = split_version(url);
            if path.eq_ignore_ascii_case("$batch") {
                continue;
            }
            match operation_of_request(method, path) {
                Some(row) => needed.add(row, is_own(path)),
                None => {
                    needed.unknown.insert(format!("{method} /{path}"));
                }
            }
        }
        needed.delegated.choose();
        needed.application.choose();
        needed
    }

    /// The same for the requests to Graph in a log: each line can have one, as a method and then a path or URL.
    ///
    /// ```
    /// let log = "2026-11-20T12:00:00Z GET https://graph.microsoft.com/v1.0/devices 200\nready";
    /// let needed = entra_mock::NeededPermissions::of_log(log);
    /// assert_eq!(needed.delegated().collect::<Vec<_>>(), ["Device.Read.All"]);
    /// ```
    #[must_use]
    pub fn of_log(log: &str) -> Self {
        Self::of_requests(log.lines().filter_map(log::request))
    }

    fn add(&mut self, row: &'static Operation, own: bool) {
        if row.is_open() {
            return;
        }
        let of_users: Vec<&str> = row
            .own
            .iter()
            .filter(|_| own)
            .chain(row.delegated)
            .copied()
            .collect();
        if row.application.is_empty() {
            self.users_only
                .insert(format!("{} {}", row.method, row.path));
        }
        let lists = [
            (&mut self.delegated, of_users),
            (&mut self.application, row.application.to_vec()),
        ];
        for (needs, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            needs.lists.insert(list);
            let additional = row.additional.iter();
            needs.lists.extend(additional.map(|names| names.to_vec()));
        }
    }

    /// The delegated permissions, in alphabetical order.
    pub fn delegated(&self) -> impl Iterator<Item = &'static str> {
        self.delegated.least.iter().copied()
    }

    /// The application permissions, in alphabetical order.
    pub fn application(&self) -> impl Iterator<Item = &'static str> {
        self.application.least.iter().copied()
    }

    /// Whether a token of a user with these permissions may send all of the requests.
    #[must_use]
    pub fn are_met_by_delegated(&self, permissions: &[&str]) -> bool {
        self.delegated.are_met_by(permissions)
    }

    /// Whether a token of an application with these permissions may send all of the requests, but those for
    /// [users only](Self::users_only).
    #[must_use]
    pub fn are_met_by_application(&self, permissions: &[&str]) -> bool {
        self.application.are_met_by(permissions)
    }

    /// The operations that Graph allows for signed-in users only: method and path.
    pub fn users_only(&self) -> impl Iterator<Item = &str> {
        self.users_only.iter().map(String::as_str)
    }

    /// The requests that are no operation of the fake tenant, so their permissions are unknown.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        self.unknown.iter().map(String::as_str)
    }

    /// Which of these permissions none of the requests accepts.
    pub(crate) fn unused<'p>(&self, permissions: &[&'p str], delegated: bool) -> Vec<&'p str> {
        let needs = self.needs(delegated);
        let used = |name: &&str| needs.lists.iter().any(|list| list.contains(name));
        permissions
            .iter()
            .copied()
            .filter(|name| !used(name))
            .collect()
    }

    /// Returns the smaller permissions that are enough for what only `name` of the held ones allows, if `name` is for
    /// writing or for the whole directory and there are any.
    pub(crate) fn smaller_than(
        &self,
        name: &str,
        held: &[&str],
        delegated: bool,
    ) -> Option<BTreeSet<&'static str>> {
        if !is_broad(name) {
            return None;
        }
        let alone = |list: &&Vec<&'static str>| {
            list.contains(&name)
                && !list
                    .iter()
                    .any(|other| *other != name && held.contains(other))
        };
        let lists: Vec<&Vec<&'static str>> =
            self.needs(delegated).lists.iter().filter(alone).collect();
        let smaller = lists.iter().map(|list| {
            // A basic profile lacks properties that the program may read.
            let smaller = list.iter().copied().filter(|other| {
                !other.contains(".ReadBasic")
                    && !is_partial(other)
                    && privilege(other) < privilege(name)
            });
            smaller.min_by_key(|other| privilege(other))
        });
        let smaller: Option<BTreeSet<&'static str>> = smaller.collect();
        smaller.filter(|smaller| !smaller.is_empty())
    }

    fn needs(&self, delegated: bool) -> &Needs {
        if delegated {
            &self.delegated
        } else {
            &self.application
        }
    }
}

impl Needs {
    fn are_met_by(&self, permissions: &[&str]) -> bool {
        let met = |list: &Vec<&str>| list.iter().any(|name| permissions.contains(name));
        self.lists.iter().all(met)
    }

    /// Chooses the least privileged permission of each list, without those that the others make superfluous.
    fn choose(&mut self) {
        let least = |list: &Vec<&'static str>| {
            let names = list.iter().copied();
            names.min_by_key(|name| (is_partial(name), !covers_own_object(name), privilege(name)))
        };
        self.least = self.lists.iter().filter_map(least).collect();
        // One for reading that one for writing includes is superfluous, so the smaller ones go first.
        let mut chosen: Vec<&str> = self.least.iter().copied().collect();
        chosen.sort_by_key(|name| privilege(name));
        for name in &chosen {
            let rest: Vec<&str> = self
                .least
                .iter()
                .copied()
                .filter(|other| other != name)
                .collect();
            if self.are_met_by(&rest) {
                self.least.remove(name);
            }
        }
    }
}

impl fmt::Display for NeededPermissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |set: &BTreeSet<&str>| match set.is_empty() {
            true => "none".to_owned(),
            false => set.iter().copied().collect::<Vec<_>>().join(", "),
        };
        writeln!(f, "delegated: {}", list(&self.delegated.least))?;
        writeln!(f, "application: {}", list(&self.application.least))?;
        for request in &self.users_only {
            writeln!(f, "signed-in users only: {request}")?;
        }
        for request in &self.unknown {
            writeln!(f, "unknown: {request}")?;
        }
        Ok(())
    }
}

/// Whether a permission is for writing, or for reading the whole directory.
fn is_broad(name: &str) -> bool {
    is_write(name) || is_directory(name)
}

fn is_write(name: &str) -> bool {
    name.contains(".ReadWrite")
}

fn is_directory(name: &str) -> bool {
    name.starts_with("Directory.")
}

/// Whether a path below the version is the signed-in user's own.
fn is_own(path: &str) -> bool {
    let first = path
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default();
    first.eq_ignore_ascii_case("me")
}

/// How much a permission allows: whether it is for writing, whether it is for the whole directory, then how many
/// operations that change something it allows, then how many that read. The rows of the tables are not in an order of
/// privilege.
pub(crate) fn privilege(name: &str) -> (bool, bool, usize, usize) {
    static COUNTS: OnceLock<HashMap<&'static str, (usize, usize)>> = OnceLock::new();
    let counts = COUNTS.get_or_init(|| {
        let mut counts: HashMap<&'static str, (usize, usize)> = HashMap::new();
        for row in operations() {
            let lists = [row.delegated, row.application, row.own];
            let names: BTreeSet<&str> = lists.into_iter().flatten().copied().collect();
            for name in names {
                let (writes, reads) = counts.entry(name).or_default();
                // A subscription changes nothing in the directory, and takes a permission to read.
                if row.reads() || row.path.starts_with("/subscriptions") {
                    *reads += 1;
                } else {
                    *writes += 1;
                }
            }
        }
        counts
    });
    let (writes, reads) = counts.get(name).copied().unwrap_or_default();
    (is_write(name), is_directory(name), writes, reads)
}

/// Whether a permission is one for the signed-in user's own object, which is less than any for all objects.
fn covers_own_object(name: &str) -> bool {
    operations().any(|row| row.own.contains(&name))
}

/// Whether a permission covers only some properties of an object, so that it is no advice for the whole operation.
fn is_partial(name: &str) -> bool {
    name.starts_with("User-") || PARTIAL.contains(&name)
}

const PARTIAL: [&str; 3] = [
    "CustomSecAttributeAssignment.ReadWrite.All",
    "User.EnableDisableAccount.All",
    "User.ManageIdentities.All",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(requests: &[(&'static str, &'static str)]) -> NeededPermissions {
        NeededPermissions::of_requests(requests.iter().copied())
    }

    #[test]
    fn the_own_profile_needs_less_than_that_of_others() {
        let own = needed(&[("GET", "/v1.0/me")]);
        assert_eq!(own.delegated().collect::<Vec<_>>(), ["User.Read"]);
        let other = needed(&[("GET", "/v1.0/users/7")]);
        assert_eq!(
            other.delegated().collect::<Vec<_>>(),
            ["User.ReadBasic.All"]
        );
    }

    #[test]
    fn one_permission_that_covers_several_requests_replaces_the_others() {
        let both = needed(&[
            ("GET", "/users/7"),
            ("PATCH", "/users/7"),
            ("POST", "/$batch"),
        ]);
        assert_eq!(
            both.application().collect::<Vec<_>>(),
            ["User.ReadWrite.All"],
            "{both}"
        );
        assert_eq!(both.unknown().count(), 0);
    }

    #[test]
    fn reading_is_less_than_writing_and_an_area_is_less_than_the_directory() {
        for (less, more) in [
            ("User.ReadBasic.All", "User.Read.All"),
            ("User.Read.All", "User.ReadWrite.All"),
            ("User.Read.All", "Directory.Read.All"),
            ("Directory.Read.All", "User.ReadWrite.All"),
            ("User.ReadWrite.All", "Directory.ReadWrite.All"),
            ("Application.Read.All", "Application.ReadWrite.OwnedBy"),
        ] {
            assert!(privilege(less) < privilege(more), "{less} and {more}");
        }
    }

    #[test]
    fn the_least_set_is_enough_for_each_operation_and_has_nothing_to_spare() {
        for row in operations() {
            let path = row.path.replace("{id}", "7");
            let needed = NeededPermissions::of_requests([(row.method, path.as_str())]);
            for delegated in [true, false] {
                let needs = needed.needs(delegated);
                let least: Vec<&str> = needs.least.iter().copied().collect();
                assert!(needs.are_met_by(&least), "{} {}", row.method, row.path);
                for name in &least {
                    let rest: Vec<&str> = least
                        .iter()
                        .copied()
                        .filter(|other| other != name)
                        .collect();
                    assert!(
                        !needs.are_met_by(&rest),
                        "{name} for {} {}",
                        row.method,
                        row.path
                    );
                }
            }
        }
    }

    #[test]
    fn unknown_requests_and_those_of_users_only_are_named() {
        let some = needed(&[("GET", "/v1.0/sites"), ("POST", "/v1.0/me/changePassword")]);
        assert_eq!(some.unknown().collect::<Vec<_>>(), ["GET /sites"]);
        assert_eq!(
            some.users_only().collect::<Vec<_>>(),
            ["POST /users/{id}/changePassword"]
        );
        let text = some.to_string();
        assert!(
            text.contains("unknown: GET /sites") && text.contains("application: none"),
            "{text}"
        );
    }

    #[test]
    fn a_permission_that_no_request_accepts_is_unused() {
        let some = needed(&[("GET", "/v1.0/users")]);
        let held = ["User.Read.All", "Mail.Read", "Device.Read.All"];
        assert_eq!(some.unused(&held, false), ["Mail.Read", "Device.Read.All"]);
    }
}
