//! The documented operation of a request, however its path is written.

use std::borrow::Cow;

use super::operations;
use crate::schema::{Kind, Operation};

/// Returns the operation of a method and a path below the version: the one whose path matches with the fewest
/// parameters.
///
/// A cast or a count below a list needs what the list needs, and has no operation of its own in most tables.
pub(crate) fn operation_of_request(method: &str, path: &str) -> Option<&'static Operation> {
    let mut sent = segments(path);
    if sent
        .first()
        .is_some_and(|first| first.eq_ignore_ascii_case("me"))
    {
        sent.splice(..1, [Cow::Borrowed("users"), Cow::Borrowed("me")]);
    }
    let bare: Vec<Cow<'_, str>> = sent
        .iter()
        .filter(|segment| !is_cast(segment) && !segment.eq_ignore_ascii_case("$count"))
        .cloned()
        .collect();
    [sent, bare].iter().find_map(|sent| {
        operations()
            .filter(|row| row.method.eq_ignore_ascii_case(method) && matches(row.path, sent))
            .min_by_key(|row| row.path.matches("{id}").count())
    })
}

/// Splits the URL of a request into the version (`v1.0` or `beta`, if it has one) and the path below it, without
/// host and query.
pub(crate) fn split_version(url: &str) -> (Option<&str>, &str) {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let path = match path.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => path,
    };
    let path = path.trim_matches('/');
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let version = ["v1.0", "beta"]
        .into_iter()
        .find(|version| first.eq_ignore_ascii_case(version));
    version.map_or((None, path), |_| (Some(first), rest))
}

/// The decoded segments of a path, a key in parentheses as a segment of its own.
fn segments(path: &str) -> Vec<Cow<'_, str>> {
    let mut segments = Vec::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let segment = decode(segment);
        // A function has parameters in parentheses too, and they are part of its path in the tables.
        let keyed = segment
            .split_once('(')
            .filter(|(set, key)| key.contains('\'') && Kind::of_collection(set).is_some())
            .map(|(set, key)| (set.to_owned(), key.trim_end_matches(')').to_owned()));
        match keyed {
            Some((set, key)) => segments.extend([Cow::Owned(set), Cow::Owned(key)]),
            None => segments.push(segment),
        }
    }
    segments
}

/// Decodes percent-encoding. A plus sign is literal in a path.
fn decode(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    let query = segment
        .replace('+', "%2B")
        .replace('=', "%3D")
        .replace('&', "%26");
    let decoded = url::form_urlencoded::parse(query.as_bytes()).next();
    decoded.map_or(Cow::Borrowed(segment), |(name, _)| {
        Cow::Owned(name.into_owned())
    })
}

fn is_cast(segment: &str) -> bool {
    unqualified(segment).is_some_and(|name| Kind::of_type(name).is_some())
}

/// The name of a type or function behind its namespace.
fn unqualified(segment: &str) -> Option<&str> {
    ["microsoft.graph.", "graph."].iter().find_map(|namespace| {
        let (start, name) = segment.split_at_checked(namespace.len())?;
        start.eq_ignore_ascii_case(namespace).then_some(name)
    })
}

fn matches(template: &str, sent: &[Cow<'_, str>]) -> bool {
    let mut sent = sent.iter();
    let mut template = template.split('/').filter(|part| !part.is_empty());
    let all = template.all(|part| sent.next().is_some_and(|sent| fits(part, sent)));
    all && sent.next().is_none()
}

fn fits(template: &str, sent: &str) -> bool {
    let name = sent.strip_suffix("()").unwrap_or(sent);
    let name = unqualified(name).unwrap_or(name);
    let function = |text: &str| {
        text.split_once('(')
            .map(|(name, _)| name.to_ascii_lowercase())
    };
    template == "{id}" && !sent.starts_with('$')
        || template.eq_ignore_ascii_case(sent)
        || template.eq_ignore_ascii_case(name)
        || template.contains("={id}") && function(template) == function(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(method: &str, sent: &str) -> Option<&'static str> {
        operation_of_request(method, sent).map(|row| row.path)
    }

    #[test]
    fn a_request_is_found_however_its_path_is_written() {
        for sent in [
            "applications/2f9c51f4-55a4-4a2c-8d2d-6d7e11d1c9aa",
            "applications(appId='2f9c51f4-55a4-4a2c-8d2d-6d7e11d1c9aa')",
            "applications(appId=%272f9c51f4%27)",
            "/Applications/7/",
        ] {
            assert_eq!(path("GET", sent), Some("/applications/{id}"), "{sent}");
        }
        for sent in [
            "groups/7/members/microsoft.graph.user",
            "groups/7/members/$count",
            "groups/7/members",
        ] {
            assert_eq!(path("get", sent), Some("/groups/{id}/members"), "{sent}");
        }
        for sent in [
            "users/delta",
            "users/delta()",
            "users/microsoft.graph.delta()",
        ] {
            assert_eq!(path("GET", sent), Some("/users/delta"), "{sent}");
        }
        assert_eq!(path("GET", "me"), Some("/users/{id}"));
        assert_eq!(
            path("GET", "users/a%2Bb%40contoso.com"),
            Some("/users/{id}")
        );
        assert_eq!(path("GET", "sites"), None);
        assert_eq!(path("PUT", "users"), None);
    }

    #[test]
    fn each_operation_is_found_by_its_own_path() {
        for row in operations() {
            let sent = row.path.replace("{id}", "7");
            assert_eq!(path(row.method, &sent), Some(row.path), "{}", row.method);
        }
    }

    #[test]
    fn a_url_is_split_behind_its_version() {
        for (url, version, below) in [
            ("/v1.0/users?$top=5", Some("v1.0"), "users"),
            ("https://graph.microsoft.com/BETA/me/", Some("BETA"), "me"),
            ("/users", None, "users"),
            ("https://graph.microsoft.com", None, ""),
        ] {
            assert_eq!(split_version(url), (version, below), "{url}");
        }
    }
}
