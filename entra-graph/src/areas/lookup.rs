//! The operation of a request whose path was written by hand.

use entra_core::http::Method;

use super::operations;
use crate::operation::{Operation, Version};

/// The operation of a method and a path below `v1.0`, or one that begins with `/beta`; `None` if this crate has none, or if
/// only the object tells which of several it is, as for deleted objects.
///
/// `/me` is a user. A cast or a count below a list has the permissions of the list.
pub(crate) fn operation_of(method: &Method, path: &str) -> Option<&'static Operation> {
    let path = path.replace("%24", "$");
    let (version, path) = match path.strip_prefix("/beta/") {
        Some(rest) => (Version::Beta, rest),
        None => (Version::V1, &*path),
    };
    forms(path).iter().find_map(|sent| {
        let fitting: Vec<&'static Operation> = operations()
            .filter(|one| one.method == *method && matches(one.path, sent))
            .collect();
        // The request's own version, then the fewest parameters.
        let rank = |one: &Operation| (one.version != version, one.path.matches('{').count());
        let best = fitting.iter().map(|one| rank(one)).min()?;
        let is_of_property = |one: &Operation| {
            let mut others = fitting.iter().flat_map(|other| other.properties);
            others.any(|(_, own)| own.name == one.name)
        };
        let mut found = fitting
            .iter()
            .copied()
            .filter(|one| rank(one) == best && !is_of_property(one));
        found.next().filter(|_| found.next().is_none())
    })
}

/// The segments of a path as it was sent, and without what the tables of operations leave out.
fn forms(path: &str) -> Vec<Vec<&str>> {
    let whole: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    // A key in parentheses is a segment of its own, unless the table has it.
    let mut split = Vec::new();
    for segment in &whole {
        match segment.split_once('(') {
            // The parameters of a function are no key.
            Some(_) if unqualified(segment).is_some() => split.push(*segment),
            Some((name, key)) if key != ")" => split.extend([name, key]),
            _ => split.push(*segment),
        }
    }
    let mut forms = vec![whole, split];
    for at in 0..forms.len() {
        if forms[at].first().is_some_and(|first| is(first, "me")) {
            let mut of_user = vec!["users"];
            of_user.extend(&forms[at]);
            forms.push(of_user);
        }
    }
    add_without(&mut forms, |segment| is(segment, "$count"));
    // A cast; a function has permissions of its own.
    add_without(&mut forms, |segment| {
        unqualified(segment).is_some_and(|name| !name.contains('('))
    });
    forms
}

/// Adds each form once more, without these segments.
fn add_without(forms: &mut Vec<Vec<&str>>, is_left_out: fn(&str) -> bool) {
    for at in 0..forms.len() {
        let mut form = forms[at].clone();
        form.retain(|segment| !is_left_out(segment));
        forms.push(form);
    }
}

fn matches(template: &str, sent: &[&str]) -> bool {
    let mut sent = sent.iter();
    let mut parts = template.split('/').filter(|part| !part.is_empty());
    let all = parts.all(|part| sent.next().is_some_and(|segment| fits(part, segment)));
    all && sent.next().is_none()
}

fn fits(part: &str, segment: &str) -> bool {
    let name = unqualified(segment).unwrap_or(segment);
    let name = name.strip_suffix("()").unwrap_or(name);
    match part.split_once('=') {
        // An alternate key, or a function with a parameter.
        Some((part, _)) => name.split_once('=').is_some_and(|(name, _)| is(name, part)),
        None if part == "{id}" => {
            !segment.starts_with('$') && unqualified(segment).is_none() && !is_function(segment)
        }
        None => is(part, name) || is(part, segment),
    }
}

/// The name of a type or function behind its namespace.
fn unqualified(segment: &str) -> Option<&str> {
    let (start, name) = segment.split_at_checked(NAMESPACE.len())?;
    is(start, NAMESPACE).then_some(name)
}

/// Whether a segment is a name with parentheses, and no key that has some in quotes.
fn is_function(segment: &str) -> bool {
    let name = segment
        .strip_suffix(')')
        .and_then(|rest| rest.split_once('('));
    name.is_some_and(|(name, _)| !name.contains('\''))
}

/// Whether Graph takes two segments for the same.
fn is(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

const NAMESPACE: &str = "microsoft.graph.";

#[cfg(test)]
mod tests {
    use super::*;

    fn name(method: &str, path: &str) -> Option<&'static str> {
        let method = method.parse().unwrap();
        operation_of(&method, path).map(Operation::name)
    }

    #[test]
    fn an_operation_is_found_however_its_path_is_written() {
        let cases = [
            ("GET", "/users", "user-list"),
            ("GET", "/Users/", "user-list"),
            ("GET", "/beta/users", "user-list"),
            ("GET", "/users/delta", "user-delta"),
            ("GET", "/users/microsoft.graph.delta()", "user-delta"),
            ("GET", "/users/$count", "user-list-count"),
            ("GET", "/users/%24count", "user-list-count"),
            ("GET", "/me", "user-get"),
            ("GET", "/users('adele@contoso.com')", "user-get"),
            ("POST", "/me/changePassword", "user-changepassword"),
            ("GET", "/me/memberOf", "user-list-memberof"),
            ("GET", "/groups/7/members/$count", "group-list-members"),
            (
                "GET",
                "/groups/7/members/microsoft.graph.user/$count",
                "group-list-members",
            ),
            ("DELETE", "/groups/7/members/8/$ref", "group-delete-members"),
            (
                "GET",
                "/directory/deletedItems/microsoft.graph.user/$count",
                "directory-deleteditems-list-users",
            ),
            (
                "GET",
                "/applications(appId='2f9c51f4-55a4-4a2c-8d2d-6d7e11d1c9aa')",
                "application-get",
            ),
            (
                "PATCH",
                "/applications(uniqueName='shop')",
                "application-upsert",
            ),
            ("PATCH", "/users/7", "user-update"),
            ("PATCH", "/groups/7", "group-update"),
            ("POST", "/groups", "group-post-groups"),
            ("GET", "/users('adele(sales)@contoso.com')", "user-get"),
            ("GET", "/auditLogs/signIns", "signin-list"),
            ("GET", "/beta/auditLogs/signIns", "signin-list-beta"),
        ];
        for (method, path, expected) in cases {
            assert_eq!(name(method, path), Some(expected), "{method} {path}");
        }
    }

    #[test]
    fn no_operation_is_named_where_another_could_be_meant() {
        for (method, path) in [
            ("GET", "/sites"),
            ("GET", "/users/7/messages"),
            ("DELETE", "/users"),
            // Functions that this crate does not have.
            ("GET", "/users/microsoft.graph.absent()"),
            ("GET", "/users/microsoft.graph.absent(since='2026')"),
            ("GET", "/users/absent()"),
            ("GET", "/users/absent(since='2026')"),
            ("GET", "/groups/7/microsoft.graph.absent(since='2026')"),
            // The type of the object decides.
            ("POST", "/directory/deletedItems/7/restore"),
            ("GET", "/directory/deletedItems/7"),
        ] {
            assert_eq!(name(method, path), None, "{method} {path}");
        }
    }

    #[test]
    fn every_operation_is_found_by_its_own_path() {
        let mut ambiguous = 0;
        for operation in operations() {
            let beta = operation.version == Version::Beta;
            let path = operation.path.replace("{id}", "7");
            let path = if beta { format!("/beta{path}") } else { path };
            match operation_of(&operation.method, &path) {
                Some(found) => assert_eq!(found.path, operation.path),
                None => ambiguous += 1,
            }
        }
        assert!(ambiguous < 25, "{ambiguous}");
    }
}
