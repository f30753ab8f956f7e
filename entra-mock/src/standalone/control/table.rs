//! The table of routes. The router, the OpenAPI document and `entra-mock ctl` are made from it.

use super::{call::PathParameters, error::ControlError, route::Route, routes};

/// All routes.
pub(crate) fn all() -> impl Iterator<Item = &'static Route> {
    routes::ALL.iter().copied().flatten().copied()
}

/// A route, and the parameters in the path of a request.
pub(crate) type Found = (&'static Route, PathParameters);

/// Returns the route of a method and a path after `/_entra-mock`, and the parameters in the path.
pub(crate) fn find(method: &str, path: &str) -> Result<Found, ControlError> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let mut methods = Vec::new();
    // A route without parameters goes before one that has a parameter in the same place.
    let mut found: Vec<_> = all()
        .filter_map(|route| Some((route, route.matches(&segments)?)))
        .collect();
    found.sort_by_key(|(_, parameters)| parameters.len());
    for (route, parameters) in found {
        if route.method == method {
            return Ok((route, parameters));
        }
        methods.push(route.method);
    }
    if methods.is_empty() {
        return Err(ControlError::new(
            404,
            "unknownPath",
            format!("the control API has no path {path}"),
            "GET /_entra-mock/openapi.json lists the paths; entra-mock ctl --help lists the commands",
        ));
    }
    Err(ControlError::new(
        405,
        "methodNotAllowed",
        format!("{path} does not support {method}"),
        format!("use {}", methods.join(" or ")),
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_route_has_a_path_a_command_and_positions_of_its_own() {
        let (mut paths, mut commands) = (HashSet::new(), HashSet::new());
        for route in all() {
            assert!(paths.insert((route.method, route.path)), "{}", route.path);
            assert!(commands.insert(route.command), "{}", route.command);
            assert!(route.path.starts_with('/'), "{}", route.path);
            assert!(route.summary.ends_with('.'), "{}", route.summary);
            for name in route.positional {
                let mut fields = route.request.fields().iter().chain(route.query);
                assert!(
                    fields.any(|field| field.name == *name),
                    "{}: {name}",
                    route.path
                );
            }
        }
        assert!(paths.len() > 50, "{}", paths.len());
    }

    #[test]
    fn no_command_is_the_beginning_of_another_one_with_parameters() {
        for route in all() {
            for other in all() {
                let longer = other.command.strip_prefix(route.command);
                let hidden = longer.is_some_and(|rest| rest.starts_with(' '));
                assert!(!hidden, "{} hides {}", route.command, other.command);
            }
        }
    }

    #[test]
    fn paths_are_matched_segment_by_segment_and_decoded() {
        let (route, parameters) = find("GET", "/users/adele%40contoso.com").unwrap();
        assert_eq!(route.path, "/users/{user}");
        assert_eq!(parameters, [("user", "adele@contoso.com".to_owned())]);
        let (_, parameters) = find("GET", "/users/a+b").unwrap();
        assert_eq!(parameters[0].1, "a+b");
        assert_eq!(find("GET", "/nowhere").unwrap_err().status, 404);
        assert_eq!(find("GET", "/users/").unwrap_err().status, 404);
        let error = find("TRACE", "/users").unwrap_err();
        assert_eq!((error.status, error.fix.as_str()), (405, "use GET or POST"));
    }
}
