//! The HTTP methods that Microsoft documents for each path, to tell a wrong method from an operation
//! that the fake tenant does not support.

use std::{borrow::Cow, collections::BTreeSet};

use super::route::{decode, qualified};
use crate::{odata::GraphError, permissions::operations, schema::Kind};

/// Returns the methods to send in `Allow` if a method is wrong for a path below the version.
///
/// Returns `None` if the path is unknown, or if the method is documented.
pub(super) fn allowed_instead(method: &str, path: &str) -> Option<BTreeSet<&'static str>> {
    let documented = documented(path);
    let wrong = match method {
        // Many paths are readable beyond what the permission lists name; an action never is.
        "GET" => {
            documented.iter().all(|name| *name == "POST")
                && !path.to_ascii_lowercase().ends_with("/$ref")
        }
        // The lists have the reads of authentication methods only; which of them are written is on no list.
        _ => !documented.contains(method) && !reads_only_below_authentication(path, &documented),
    };
    (wrong && !documented.is_empty()).then_some(documented)
}

/// Whether a path is below `authentication` of a user and only its reads are documented.
fn reads_only_below_authentication(path: &str, documented: &BTreeSet<&str>) -> bool {
    let below = path.to_ascii_lowercase().contains("/authentication/");
    below && documented.iter().all(|name| *name == "GET")
}

/// 405 for a method that Graph does not have on a path (`json-batching` page of the documentation).
pub(super) fn not_allowed() -> GraphError {
    GraphError::new(
        405,
        "Request_BadRequest",
        "Specified HTTP method is not allowed for the request target.",
    )
}

/// The documented methods of a path; empty for an unknown path.
fn documented(path: &str) -> BTreeSet<&'static str> {
    let mut segments = segments(path);
    let mut methods = best_match(&segments);
    if segments
        .first()
        .is_some_and(|first| first.eq_ignore_ascii_case("me"))
    {
        segments.splice(..1, ["users".to_owned(), "me".to_owned()]);
        methods.extend(best_match(&segments));
    }
    methods
}

/// The methods of the templates that match with the fewest parameters: `/users/delta` is not a user.
fn best_match(segments: &[String]) -> BTreeSet<&'static str> {
    let published = PUBLISHED.lines().filter_map(|line| {
        let (method, rest) = line.split_once('\t')?;
        let path = rest.split_once('\t').map_or(rest, |(path, _)| path);
        Some((method, path))
    });
    let served = operations().map(|row| (row.method, row.path));
    let mut methods = BTreeSet::new();
    let mut fewest = usize::MAX;
    let others = [("POST", "/$batch"), ("GET", "/$metadata"), ("GET", "/")];
    for (method, template) in published.chain(served).chain(others) {
        let Some(parameters) = matches(template, segments) else {
            continue;
        };
        if parameters < fewest {
            fewest = parameters;
            methods.clear();
        }
        if parameters == fewest {
            methods.insert(method);
        }
    }
    methods
}

/// Whether a segment is an action that the metadata binds to collections of directory objects. That it is documented
/// below `/directoryObjects` alone does not make it a key below `/users`.
fn is_action(segment: &str) -> bool {
    const NAMES: [&str; 3] = [
        "getAvailableExtensionProperties",
        "getByIds",
        "validateProperties",
    ];
    NAMES.iter().any(|name| name.eq_ignore_ascii_case(segment))
}

/// How many parameters a template has, if the path matches it.
fn matches(template: &str, segments: &[String]) -> Option<usize> {
    let mut parameters = 0;
    let mut rest = segments.iter();
    for part in template.split('/').filter(|part| !part.is_empty()) {
        let segment = rest.next()?;
        match part.strip_suffix("{id}") {
            // `$ref`, `$value` and the actions of collections are no keys.
            Some("") if segment.starts_with('$') || is_action(segment) => return None,
            Some("") => parameters += 1,
            // `microsoft.graph.{id}`: any type.
            Some(prefix) => {
                let (start, _) = segment.split_at_checked(prefix.len())?;
                if !start.eq_ignore_ascii_case(prefix) {
                    return None;
                }
            }
            None if part.eq_ignore_ascii_case(segment) => {}
            None => return None,
        }
    }
    rest.next().is_none().then_some(parameters)
}

/// The segments of a path: keys in parentheses as segments of their own, casts left out.
fn segments(path: &str) -> Vec<String> {
    let mut segments: Vec<String> = Vec::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let segment = decode(segment).unwrap_or(Cow::Borrowed(segment));
        let deleted = segments
            .last()
            .is_some_and(|last| last.eq_ignore_ascii_case("deletedItems"));
        let name = qualified(&segment);
        match (name, segment.split_once('(')) {
            (Some(name), _) if !deleted && Kind::of_type(name).is_some() => {}
            (Some(name), _) if !deleted => {
                segments.push(name.strip_suffix("()").unwrap_or(name).to_owned());
            }
            (_, Some((name, key))) => {
                segments.push(name.to_owned());
                if key != ")" {
                    segments.push(key.to_owned());
                }
            }
            _ => segments.push(segment.into_owned()),
        }
    }
    segments
}

const PUBLISHED: &str = include_str!("../../tables/permissions.tsv");

#[cfg(test)]
mod tests {
    use super::*;

    fn methods(path: &str) -> String {
        let methods: Vec<&str> = documented(path).into_iter().collect();
        methods.join(" ")
    }

    #[test]
    fn a_path_has_the_documented_methods_in_every_spelling() {
        assert_eq!(methods("/users"), "GET POST");
        for path in [
            "/users/a@b.c",
            "/Users('a@b.c')",
            "/users/%61",
            "/me",
            "/groups/1",
        ] {
            assert_eq!(methods(path), "DELETE GET PATCH", "{path}");
        }
        for path in [
            "/users/delta",
            "/users/delta()",
            "/groups/microsoft.graph.delta",
        ] {
            assert_eq!(methods(path), "GET", "{path}");
        }
        assert_eq!(methods("/groups/1/members/microsoft.graph.user"), "GET");
        assert_eq!(methods("/me/changePassword"), "POST");
        assert_eq!(
            methods("/directory/deletedItems/microsoft.graph.user"),
            "GET"
        );
        assert_eq!(methods("/$batch"), "POST");
        assert_eq!(methods("/$metadata"), "GET");
        assert_eq!(methods("/"), "GET");
        assert_eq!(methods("/directoryObjects/getByIds"), "POST");
        assert_eq!(methods("/sites"), "");
        assert_eq!(methods("/users/1/colour"), "");
    }

    #[test]
    fn an_undocumented_path_or_a_documented_method_is_not_a_wrong_method() {
        for (method, path) in [
            ("PUT", "/sites"),
            ("POST", "/devices"),
            ("GET", "/users/1/displayName"),
            // Readable in Graph, but not in the permission lists.
            ("GET", "/groups/1/members/$ref"),
            ("GET", "/groups/1/members/2"),
            // A key is no `$ref`, which the lists do not have here.
            ("POST", "/users/1/sponsors/$ref"),
            ("POST", "/users/getByIds"),
            ("POST", "/groups/microsoft.graph.validateProperties"),
            ("POST", "/servicePrincipals/getAvailableExtensionProperties"),
            ("PATCH", "/me/photo/$value"),
            ("POST", "/me/authentication/phoneMethods"),
            ("DELETE", "/users/1/authentication/fido2Methods/2"),
        ] {
            assert_eq!(allowed_instead(method, path), None, "{method} {path}");
        }
    }
}
