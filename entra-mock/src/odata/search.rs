//! `$search`: quoted clauses, joined with AND and OR.

use serde_json::Value;

use super::error::GraphError;
use crate::{
    schema::{EntityType, Mode},
    store::{Object, Stored},
};

/// A checked `$search`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    /// Each of these words is the start of a word of the property.
    Words {
        property: &'static str,
        words: Vec<String>,
    },
    /// The property starts with this text, ignoring case.
    Beginning {
        property: &'static str,
        many: bool,
        text: String,
    },
}

impl Search {
    pub(crate) fn parse(text: &str, entity: &EntityType) -> Result<Self, GraphError> {
        let mut parser = Parser {
            text,
            at: 0,
            depth: 0,
            entity,
        };
        let search = parser.or()?;
        if parser.rest().is_empty() {
            Ok(search)
        } else {
            Err(parser.syntax())
        }
    }

    pub(crate) fn matches(&self, object: &Object) -> bool {
        match self {
            Self::And(left, right) => left.matches(object) && right.matches(object),
            Self::Or(left, right) => left.matches(object) || right.matches(object),
            Self::Words {
                property,
                words: wanted,
            } => {
                let Some(text) = object.text(property) else {
                    return false;
                };
                let there = words(text);
                wanted
                    .iter()
                    .all(|word| there.iter().any(|other| other.starts_with(word.as_str())))
            }
            Self::Beginning {
                property,
                many,
                text,
            } => {
                let begins = |value: &str| value.to_lowercase().starts_with(text.as_str());
                match object.stored(property) {
                    Some(Stored::Value(Value::Array(values))) if *many => {
                        values.iter().filter_map(Value::as_str).any(begins)
                    }
                    Some(stored) => stored.as_str().is_some_and(begins),
                    None => false,
                }
            }
        }
    }

    /// Returns every property that the search uses.
    pub(crate) fn properties(&self) -> Vec<&'static str> {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                [left.properties(), right.properties()].concat()
            }
            Self::Words { property, .. } | Self::Beginning { property, .. } => vec![property],
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    entity: &'a EntityType,
}

impl<'a> Parser<'a> {
    fn or(&mut self) -> Result<Search, GraphError> {
        let mut left = self.and()?;
        while self.keyword("OR") {
            left = Search::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Search, GraphError> {
        let mut left = self.clause()?;
        while self.keyword("AND") {
            left = Search::And(Box::new(left), Box::new(self.clause()?));
        }
        Ok(left)
    }

    fn clause(&mut self) -> Result<Search, GraphError> {
        self.depth += 1;
        if self.depth > MAX_CLAUSES {
            return Err(self.syntax());
        }
        let rest = self.rest();
        if rest.starts_with('(') {
            self.at = self.text.len() - rest.len() + 1;
            let inner = self.or()?;
            if !self.rest().starts_with(')') {
                return Err(self.syntax());
            }
            self.at = self.text.len() - self.rest().len() + 1;
            return Ok(inner);
        }
        let quoted = rest.strip_prefix('"').ok_or_else(|| self.syntax())?;
        let mut content = String::new();
        let mut chars = quoted.char_indices();
        loop {
            match chars.next() {
                Some((_, '\\')) => content.extend(chars.next().map(|(_, escaped)| escaped)),
                Some((end, '"')) => {
                    self.at = self.text.len() - quoted.len() + end + 1;
                    return self.term(&content);
                }
                Some((_, other)) => content.push(other),
                None => return Err(self.syntax()),
            }
        }
    }

    fn term(&self, content: &str) -> Result<Search, GraphError> {
        let (name, value) = content.split_once(':').ok_or_else(|| self.syntax())?;
        let (name, value) = (name.trim(), value.trim());
        let Some(property) = self.entity.property(name) else {
            return Err(GraphError::no_property(
                "Invalid search clause",
                name,
                self.entity.name,
            ));
        };
        if self.entity.search.contains(&property.name) {
            return Ok(Search::Words {
                property: property.name,
                words: words(value),
            });
        }
        let path = if property.many {
            format!("{name}/any")
        } else {
            name.to_owned()
        };
        if self
            .entity
            .rule(&path)
            .is_none_or(|rule| rule.starts_with == Mode::No)
        {
            return Err(GraphError::unsupported_query(format!(
                "Unsupported or invalid search clause specified for property '{name}' of resource '{}'.",
                self.entity.title()
            )));
        }
        Ok(Search::Beginning {
            property: property.name,
            many: property.many,
            text: value.to_lowercase(),
        })
    }

    fn rest(&self) -> &'a str {
        self.text[self.at..].trim_start()
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let rest = self.rest();
        let Some(after) = rest.strip_prefix(keyword) else {
            return false;
        };
        let found = after.starts_with([' ', '(', '"']);
        if found {
            self.at = self.text.len() - after.len();
        }
        found
    }

    fn syntax(&self) -> GraphError {
        GraphError::bad_request(format!(
            "Syntax error: character '{}' is not valid at position {} in '{}'.",
            self.rest().chars().next().unwrap_or(' '),
            self.at,
            self.text
        ))
    }
}

/// Returns the words of a text in lower case: split at spaces and signs, where lower case changes
/// to upper case, and where letters meet digits. The unsplit parts are words as well.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for run in text
        .split(|char: char| !char.is_alphanumeric())
        .filter(|run| !run.is_empty())
    {
        let mut parts: Vec<String> = Vec::new();
        let mut before = None;
        for char in run.chars() {
            let splits = before.is_none_or(|before: char| {
                (before.is_lowercase() && char.is_uppercase())
                    || before.is_numeric() != char.is_numeric()
            });
            if splits {
                parts.push(String::new());
            }
            if let Some(part) = parts.last_mut() {
                part.extend(char.to_lowercase());
            }
            before = Some(char);
        }
        if parts.len() > 1 {
            words.push(run.to_lowercase());
        }
        words.extend(parts);
    }
    words
}

const MAX_CLAUSES: usize = 100;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::Kind;

    fn holds(search: &str, name: &str) -> bool {
        let object = json!({"displayName": name, "mail": "adele@contoso.com", "proxyAddresses": ["smtp:a@x"]});
        Search::parse(search, Kind::User.entity())
            .unwrap()
            .matches(&Object::from(object.as_object().cloned().unwrap()))
    }

    #[test]
    fn display_names_are_searched_by_the_beginning_of_words() {
        for (search, name, expected) in [
            (r#""displayName:wa""#, "Oscar Ward", true),
            (r#""displayName:ard""#, "Oscar Ward", false),
            (r#""displayName:ward osc""#, "Oscar Ward", true),
            (r#""displayName:video""#, "OneVideo", true),
            (r#""displayName:onevideo""#, "OneVideo", true),
            (r#""displayName:7""#, "Team7", true),
            (
                r#""displayName:x" OR "displayName:osc""#,
                "Oscar Ward",
                true,
            ),
            (
                r#""displayName:x" AND "displayName:osc""#,
                "Oscar Ward",
                false,
            ),
            (
                r#"("displayName:x" OR "displayName:o") AND "mail:ADELE@""#,
                "Oscar",
                true,
            ),
            (r#""mail:contoso""#, "Oscar", false),
            (r#""proxyAddresses:smtp:a""#, "Oscar", true),
        ] {
            assert_eq!(holds(search, name), expected, "{search} {name}");
        }
    }

    #[test]
    fn malformed_searches_are_a_400() {
        for search in [
            "",
            "displayName:a",
            r#""displayName:a"#,
            r#""a""#,
            r#""displayName:a" OR"#,
            r#""displayName:a" "mail:b""#,
            r#"("displayName:a""#,
            r#""colour:a""#,
        ] {
            let error = Search::parse(search, Kind::User.entity()).unwrap_err();
            assert_eq!(
                (error.status, error.code),
                (400, "Request_BadRequest"),
                "{search}"
            );
        }
        let error = Search::parse(r#""aboutMe:a""#, Kind::User.entity()).unwrap_err();
        assert_eq!(error.code, "Request_UnsupportedQuery");
        assert!(Search::parse(&"(".repeat(10_000), Kind::User.entity()).is_err());
    }
}
