//! The query options of a request.

use url::form_urlencoded;

use super::error::GraphError;

/// The query options that the client sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) select: Option<Vec<String>>,
    pub(crate) filter: Option<String>,
    pub(crate) order_by: Option<String>,
    pub(crate) search: Option<String>,
    pub(crate) top: Option<u32>,
    pub(crate) count: bool,
    pub(crate) expand: Option<Expand>,
    pub(crate) skip_token: Option<String>,
    /// Every pair except the token, decoded, in the order of the request.
    pairs: Vec<(String, String)>,
}

/// The options that a resource accepts. `$skiptoken` is accepted wherever there are pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options(pub(crate) &'static [&'static str]);

/// One expanded relationship.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expand {
    pub(crate) relationship: String,
    pub(crate) select: Option<Vec<String>>,
    /// The number of levels of a chain of managers; 1 without `$levels`.
    pub(crate) levels: u32,
}

impl Query {
    /// Parses a query string and rejects options that are malformed, repeated or not in `allowed`.
    pub(crate) fn parse(query: Option<&str>, allowed: Options) -> Result<Self, GraphError> {
        let mut parsed = Self::default();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let option = name.to_ascii_lowercase();
            // Parameters without a dollar sign are not OData options: clients add telemetry.
            if !option.starts_with('$') || option == "$format" {
                continue;
            }
            if parsed.pairs.iter().any(|(other, _)| *other == option)
                || option == "$skiptoken" && parsed.skip_token.is_some()
            {
                return Err(GraphError::bad_request(format!(
                    "Query option '{name}' was specified more than once, but it must be specified at most once."
                )));
            }
            if option == "$skiptoken" && allowed.paged() {
                parsed.skip_token = Some(value.into_owned());
                continue;
            }
            if !allowed.0.contains(&option.as_str()) {
                return Err(not_allowed(&option, allowed));
            }
            parsed.set(&option, &value)?;
            parsed.pairs.push((option, value.into_owned()));
        }
        Ok(parsed)
    }

    /// Returns the query string of the next page: the same options, then the token.
    pub(crate) fn next(&self, token: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.pairs {
            query.append_pair(name, value);
        }
        query.append_pair("$skiptoken", token);
        // A dollar sign is valid in a query, and Graph writes its links with it.
        query.finish().replace("%24", "$").replace('+', "%20")
    }

    /// Returns the options in a fixed order, so that a reordered link is still the same query.
    pub(crate) fn identity(&self) -> String {
        let mut pairs: Vec<_> = self
            .pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.sort_unstable();
        pairs.join("&")
    }

    fn set(&mut self, option: &str, value: &str) -> Result<(), GraphError> {
        match option {
            "$select" => self.select = Some(names(value)?),
            "$filter" => self.filter = Some(value.to_owned()),
            "$orderby" => self.order_by = Some(value.to_owned()),
            "$search" => self.search = Some(value.to_owned()),
            "$expand" => self.expand = Some(Expand::parse(value)?),
            "$count" => {
                self.count = match value.to_ascii_lowercase().as_str() {
                    "true" => true,
                    "false" => false,
                    _ => {
                        return Err(GraphError::bad_request(format!(
                            "Invalid value '{value}' for $count query option found. Valid values are 'true' and 'false'."
                        )));
                    }
                }
            }
            "$top" => self.top = Some(top(value)?),
            _ => {}
        }
        Ok(())
    }
}

impl Options {
    fn paged(self) -> bool {
        self.0.contains(&"$top")
    }
}

impl Expand {
    /// Parses `name`, `name($select=a,b)` or `name($levels=max;$select=a)`; one relationship only.
    fn parse(text: &str) -> Result<Self, GraphError> {
        let text = text.trim();
        let (name, inner) = match text.split_once('(') {
            Some((name, rest)) => (
                name,
                rest.strip_suffix(')').ok_or_else(|| expand_syntax(text))?,
            ),
            None => (text, ""),
        };
        if text.contains(',') && (name.contains(',') || inner.contains(')')) {
            return Err(GraphError::bad_request(
                "Only one relationship can be expanded in a request.",
            ));
        }
        if name.is_empty()
            || !name
                .chars()
                .all(|char| char.is_alphanumeric() || char == '*')
        {
            return Err(expand_syntax(text));
        }
        let mut expand = Self {
            relationship: name.to_owned(),
            select: None,
            levels: 1,
        };
        for option in inner
            .split(';')
            .map(str::trim)
            .filter(|option| !option.is_empty())
        {
            let pair = option.split_once('=');
            let pair = pair.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim()));
            match pair.as_ref().map(|(name, value)| (name.as_str(), *value)) {
                Some(("$select", value)) => expand.select = Some(names(value)?),
                Some(("$levels", value)) if value.eq_ignore_ascii_case("max") => {
                    expand.levels = u32::MAX;
                }
                Some(("$levels", value)) => {
                    expand.levels = value
                        .parse()
                        .ok()
                        .filter(|levels| *levels > 0)
                        .ok_or_else(|| expand_syntax(text))?;
                }
                _ => {
                    return Err(GraphError::bad_request(format!(
                        "The query option '{option}' is not supported inside $expand."
                    )));
                }
            }
        }
        Ok(expand)
    }
}

fn names(list: &str) -> Result<Vec<String>, GraphError> {
    let names: Vec<String> = list.split(',').map(|name| name.trim().to_owned()).collect();
    if names.iter().any(String::is_empty) {
        return Err(GraphError::bad_request(
            "Parsing OData Select and Expand failed: a name is missing.",
        ));
    }
    Ok(names)
}

fn top(value: &str) -> Result<u32, GraphError> {
    value.parse().map_err(|_| {
        GraphError::bad_request(format!("Invalid value '{value}' for $top query option found. The $top query option requires a non-negative integer value."))
    })
}

fn not_allowed(option: &str, allowed: Options) -> GraphError {
    const KNOWN: [&str; 8] = [
        "$select", "$filter", "$orderby", "$search", "$top", "$count", "$expand", "$skip",
    ];
    if !KNOWN.contains(&option) && option != "$skiptoken" {
        return GraphError::bad_request(format!(
            "The query parameter '{option}' is not supported."
        ));
    }
    let supported = if allowed.0.is_empty() {
        "none".to_owned()
    } else {
        allowed.0.join(", ")
    };
    GraphError::bad_request(format!(
        "'{option}' is not supported by the service for this resource; supported: {supported}."
    ))
}

fn expand_syntax(text: &str) -> GraphError {
    GraphError::bad_request(format!(
        "Parsing OData Select and Expand failed: Syntax error in '{text}'."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Options = Options(&[
        "$select", "$filter", "$orderby", "$search", "$top", "$count", "$expand",
    ]);

    fn parse(query: &str) -> Result<Query, GraphError> {
        Query::parse(Some(query), ALL)
    }

    #[test]
    fn options_are_decoded_and_foreign_parameters_ignored() {
        let query = parse("$select=id,%20displayName&%24top=5&$orderBy=displayName+desc&$count=true&client-request-id=x&$filter=a%20eq%20'b%26c'").unwrap();
        assert_eq!(query.select, Some(vec!["id".into(), "displayName".into()]));
        assert_eq!((query.top, query.count), (Some(5), true));
        assert_eq!(query.order_by.as_deref(), Some("displayName desc"));
        assert_eq!(query.filter.as_deref(), Some("a eq 'b&c'"));
    }

    #[test]
    fn the_next_query_reads_back_as_the_same_one() {
        let query =
            parse("$filter=startswith(a,'x%2By%26 z')&$top=5&$search=\"displayName:a\"").unwrap();
        let next = Query::parse(Some(&query.next("t0k-en_")), ALL).unwrap();
        assert_eq!(next.skip_token.as_deref(), Some("t0k-en_"));
        assert_eq!(next.identity(), query.identity());
        assert!(query.next("t").contains("&$top=5&"));
    }

    #[test]
    fn rejected_options_return_a_400_that_names_them() {
        for (query, allowed, part) in [
            ("$skip=5", ALL, "$skip"),
            ("$select=id", Options(&["$top", "$filter"]), "$select"),
            ("$skiptoken=x", Options(&["$select"]), "$skiptoken"),
            ("$apply=x", ALL, "$apply"),
            ("$top=x", ALL, "$top"),
            ("$top=-1", ALL, "$top"),
            ("$count=yes", ALL, "$count"),
            ("$top=1&$TOP=2", ALL, "more than once"),
            ("$select=id,,mail", ALL, "missing"),
            ("$expand=members,owners", ALL, "one relationship"),
            (
                "$expand=members($select=id),owners($select=id)",
                ALL,
                "one relationship",
            ),
            ("$expand=members($filter=x)", ALL, "$filter"),
            ("$expand=manager($levels=0)", ALL, "Syntax"),
            ("$expand=manager($select=id", ALL, "Syntax"),
        ] {
            let error = Query::parse(Some(query), allowed).unwrap_err();
            assert_eq!(
                (error.status, error.code),
                (400, "Request_BadRequest"),
                "{query}"
            );
            assert!(error.message.contains(part), "{query}: {}", error.message);
        }
    }

    #[test]
    fn an_expansion_can_have_select_and_levels() {
        let query = parse("$expand=manager($levels=max;$select=id,displayName)").unwrap();
        let expected = Expand {
            relationship: "manager".into(),
            select: Some(vec!["id".into(), "displayName".into()]),
            levels: u32::MAX,
        };
        assert_eq!(query.expand, Some(expected));
    }
}
