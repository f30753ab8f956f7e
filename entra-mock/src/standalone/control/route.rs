//! The table of routes. The router, the OpenAPI document and `entra-mock ctl` are made from it.

use super::{
    call::Call,
    error::{ControlError, Outcome},
    routes,
    schema::{Field, Schema},
};

/// One operation of the control API.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    /// The path after `/_entra-mock`, with its parameters in braces.
    pub(crate) path: &'static str,
    /// The words of `entra-mock ctl` for this route.
    pub(crate) command: &'static str,
    /// The fields of the body or query that the command takes by position, after the parameters of the path.
    pub(crate) positional: &'static [&'static str],
    pub(crate) summary: &'static str,
    pub(crate) query: &'static [Field],
    /// The body, or [`Schema::Nothing`].
    pub(crate) request: &'static Schema,
    /// The status of a response without an error.
    pub(crate) status: u16,
    /// Its body, or [`Schema::Nothing`].
    pub(crate) response: &'static Schema,
    pub(crate) respond: fn(&Call<'_>) -> Outcome,
}

impl Route {
    pub(crate) const fn get(
        path: &'static str,
        command: &'static str,
        summary: &'static str,
        response: &'static Schema,
        respond: fn(&Call<'_>) -> Outcome,
    ) -> Self {
        Self {
            method: "GET",
            path,
            command,
            positional: &[],
            summary,
            query: &[],
            request: &Schema::Nothing,
            status: 200,
            response,
            respond,
        }
    }

    pub(crate) const fn post(
        path: &'static str,
        command: &'static str,
        summary: &'static str,
        respond: fn(&Call<'_>) -> Outcome,
    ) -> Self {
        Self {
            method: "POST",
            ..Self::get(path, command, summary, &Schema::Nothing, respond)
        }
        .no_content()
    }

    pub(crate) const fn put(
        path: &'static str,
        command: &'static str,
        summary: &'static str,
        respond: fn(&Call<'_>) -> Outcome,
    ) -> Self {
        Self {
            method: "PUT",
            ..Self::post(path, command, summary, respond)
        }
    }

    pub(crate) const fn patch(
        path: &'static str,
        command: &'static str,
        summary: &'static str,
        respond: fn(&Call<'_>) -> Outcome,
    ) -> Self {
        Self {
            method: "PATCH",
            ..Self::post(path, command, summary, respond)
        }
    }

    pub(crate) const fn delete(
        path: &'static str,
        command: &'static str,
        summary: &'static str,
        respond: fn(&Call<'_>) -> Outcome,
    ) -> Self {
        Self {
            method: "DELETE",
            ..Self::post(path, command, summary, respond)
        }
    }

    pub(crate) const fn taking(mut self, request: &'static Schema) -> Self {
        self.request = request;
        self
    }

    pub(crate) const fn returning(mut self, response: &'static Schema) -> Self {
        self.status = 200;
        self.response = response;
        self
    }

    /// As [`returning`](Self::returning), for a route that creates something.
    pub(crate) const fn creating(mut self, response: &'static Schema) -> Self {
        self.status = 201;
        self.response = response;
        self
    }

    pub(crate) const fn with_query(mut self, query: &'static [Field]) -> Self {
        self.query = query;
        self
    }

    pub(crate) const fn with_positional(mut self, positional: &'static [&'static str]) -> Self {
        self.positional = positional;
        self
    }

    const fn no_content(mut self) -> Self {
        self.status = 204;
        self
    }

    /// The names of the parameters in the path.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Returns the decoded parameters if the path is one of this route.
    fn matches(&self, segments: &[&str]) -> Option<PathParameters> {
        let own: Vec<&'static str> = self.path.split('/').skip(1).collect();
        if own.len() != segments.len() {
            return None;
        }
        let mut parameters = Vec::new();
        for (own, sent) in own.into_iter().zip(segments) {
            match own.strip_prefix('{').and_then(|own| own.strip_suffix('}')) {
                Some(_) if sent.is_empty() => return None,
                Some(name) => parameters.push((name, decoded(sent))),
                None if own == *sent => {}
                None => return None,
            }
        }
        Some(parameters)
    }
}

/// All routes.
pub(crate) fn all() -> impl Iterator<Item = &'static Route> {
    routes::ALL.iter().copied().flatten().copied()
}

/// A route, and the parameters in the path of a request.
pub(crate) type Found = (&'static Route, PathParameters);
/// The parameters in the path of a request, decoded.
pub(crate) type PathParameters = Vec<(&'static str, String)>;

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

fn decoded(segment: &str) -> String {
    // A plus is a plus in a path.
    let escaped = segment.replace('+', "%2B");
    url::form_urlencoded::parse(format!("x={escaped}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
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
