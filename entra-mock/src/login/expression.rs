//! Expressions that match the claims of a token: `claims['sub'] matches 'repo:contoso/*'`.
//!
//! Terms are joined by `and`. `eq` compares the whole text; in `matches`, `?` is any character and `*`
//! any number of them (page "Flexible federated identity credentials", preview of 2024).

use serde_json::{Map, Value};

/// A parsed expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClaimsExpression(Vec<Term>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    claim: String,
    exact: bool,
    text: String,
}

impl ClaimsExpression {
    /// Parses the text of an expression. Returns `None` if it is not one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut terms = Vec::new();
        let mut rest = text;
        loop {
            let (claim, after) = rest.strip_prefix("claims['")?.split_once("'] ")?;
            let (operator, after) = after.split_once(" '")?;
            let (text, after) = after.split_once('\'')?;
            let exact = match operator {
                "eq" => true,
                "matches" => false,
                _ => return None,
            };
            if claim.is_empty() || text.is_empty() {
                return None;
            }
            terms.push(Term {
                claim: claim.to_owned(),
                exact,
                text: text.to_owned(),
            });
            match after {
                "" => return Some(Self(terms)),
                more => rest = more.strip_prefix(" and ")?,
            }
        }
    }

    /// The names of the claims, each once for each term.
    pub(crate) fn claims(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|term| term.claim.as_str())
    }

    /// Whether the claims of a token match every term.
    pub(crate) fn matches(&self, claims: &Map<String, Value>) -> bool {
        self.0.iter().all(|term| {
            let value = claims.get(&term.claim).and_then(Value::as_str);
            value.is_some_and(|value| match term.exact {
                true => value == term.text,
                false => is_like(value, &term.text),
            })
        })
    }
}

/// Whether a text has the form of a pattern with `?` and `*`.
fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) =
        (text.chars().collect(), pattern.chars().collect());
    let (mut at, mut place) = (0, 0);
    // Where to go on if the last `*` stood for one character more.
    let mut resume: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(place) {
            Some('*') => {
                resume = Some((at, place + 1));
                place += 1;
            }
            Some(char) if *char == '?' || *char == text[at] => {
                at += 1;
                place += 1;
            }
            _ => match resume {
                Some((from, next)) => {
                    at = from + 1;
                    place = next;
                    resume = Some((at, next));
                }
                None => return false,
            },
        }
    }
    pattern[place..].iter().all(|char| *char == '*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        for (text, pattern, expected) in [
            ("repo:a/b:ref:refs/heads/main", "repo:a/b:ref:*", true),
            ("repo:a/b", "*", true),
            ("", "*", true),
            ("", "?", false),
            ("abc", "a?c", true),
            ("abc", "a*", true),
            ("abc", "*c", true),
            ("abc", "*b*", true),
            ("abc", "a*b*c*", true),
            ("abc", "*d*", false),
            ("abc", "ab", false),
            ("abc", "bc", false),
            ("abc", "abc?", false),
            ("aXbXc", "a*Xc", true),
            ("aaab", "a*ab", true),
            ("Abc", "abc", false),
            ("äöü", "ä?ü", true),
        ] {
            assert_eq!(is_like(text, pattern), expected, "{text} {pattern}");
        }
    }

    #[test]
    fn an_expression_is_terms_joined_by_and() {
        let text = "claims['sub'] matches 'repo:contoso/*' and claims['job_workflow_ref'] eq 'a@b'";
        let expression = ClaimsExpression::parse(text).unwrap();
        let names: Vec<&str> = expression.claims().collect();
        assert_eq!(names, ["sub", "job_workflow_ref"]);
        let claims = |sub: &str, job: Value| {
            let claims = json!({"sub": sub, "job_workflow_ref": job});
            claims.as_object().cloned().unwrap()
        };
        assert!(expression.matches(&claims("repo:contoso/shop", "a@b".into())));
        for (sub, job) in [
            ("repo:fabrikam/shop", json!("a@b")),
            ("repo:contoso/shop", json!("a@c")),
            ("repo:contoso/shop", Value::Null),
        ] {
            assert!(!expression.matches(&claims(sub, job)), "{sub}");
        }
    }

    #[test]
    fn a_text_with_another_form_is_not_an_expression() {
        for text in [
            "",
            "sub eq 'a'",
            "claims['sub'] eq a",
            "claims['sub'] ne 'a'",
            "claims['sub']  eq 'a'",
            "claims['sub'] eq 'a' or claims['sub'] eq 'b'",
            "claims['sub'] eq 'a' and ",
            "claims[''] eq 'a'",
            "claims['sub'] eq ''",
            "claims['sub'] eq 'a' ",
        ] {
            assert_eq!(ClaimsExpression::parse(text), None, "{text}");
        }
    }
}
