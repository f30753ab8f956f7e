//! One operation, as documentation writes it: a method and a path with places in braces.

/// A method and the segments of a path in lower case.
#[derive(Clone, Debug)]
pub(super) struct OperationPattern {
    method: Option<String>,
    segments: Vec<String>,
}

impl OperationPattern {
    pub(super) fn new(operation: &str) -> Self {
        let (method, path) = match operation.split_once(' ') {
            Some((method, path)) => (Some(method.to_ascii_uppercase()), path),
            None => (None, operation),
        };
        Self {
            method,
            segments: segments(path),
        }
    }

    pub(super) fn matches(&self, method: &str, path: &str) -> bool {
        let sent = segments(path);
        sent.len() == self.segments.len()
            && self.method.as_deref().is_none_or(|own| own == method)
            && self
                .segments
                .iter()
                .zip(&sent)
                .all(|(own, sent)| own == sent || own.starts_with('{') && own.ends_with('}'))
    }
}

/// The segments of a path without the version of Graph.
fn segments(path: &str) -> Vec<String> {
    let path = path.to_ascii_lowercase();
    let mut segments: Vec<String> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(str::to_owned)
        .collect();
    if segments
        .first()
        .is_some_and(|first| first == "v1.0" || first == "beta")
    {
        segments.remove(0);
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_matches_its_method_and_each_segment() {
        let one = OperationPattern::new("GET /users/{id}");
        for path in [
            "/v1.0/users/7",
            "/beta/Users/adele@contoso.com",
            "/v1.0//users/7",
        ] {
            assert!(one.matches("GET", path), "{path}");
        }
        for (method, path) in [
            ("PATCH", "/v1.0/users/7"),
            ("GET", "/v1.0/users"),
            ("GET", "/v1.0/users/7/memberOf"),
            ("GET", "/v1.0/groups/7"),
        ] {
            assert!(!one.matches(method, path), "{method} {path}");
        }
        let any = OperationPattern::new("/{tenant}/oauth2/v2.0/token");
        assert!(any.matches("POST", "/contoso.com/oauth2/v2.0/token"));
        assert!(!any.matches("POST", "/contoso.com/oauth2/token"));
    }
}
