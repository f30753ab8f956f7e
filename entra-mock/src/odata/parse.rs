//! From the text of `$filter` to its tree.

use super::{
    filter::{Expr, Function, Literal, Op, Path},
    refusal::Refusal,
    ticks,
};

/// Reads a `$filter`.
pub(crate) fn parse_filter(text: &str) -> Result<Expr, Refusal> {
    let mut parser = Parser {
        text,
        at: 0,
        variables: Vec::new(),
        depth: 0,
        clauses: 0,
    };
    let expr = parser.or()?;
    parser.space();
    if parser.at < text.len() {
        return Err(parser.syntax());
    }
    Ok(expr)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// The variables of the enclosing lambdas, outermost first.
    variables: Vec<String>,
    depth: usize,
    clauses: usize,
}

/// One side of a comparison.
enum Operand {
    Path(Path),
    Count(Path),
    Value(Literal),
}

impl<'a> Parser<'a> {
    fn or(&mut self) -> Result<Expr, Refusal> {
        let mut left = self.and()?;
        while self.keyword("or") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, Refusal> {
        let mut left = self.unary()?;
        while self.keyword("and") {
            left = Expr::And(Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, Refusal> {
        self.depth += 1;
        self.clauses += 1;
        if self.depth > MAX_DEPTH || self.clauses > MAX_CLAUSES {
            return Err(Refusal::bad_request(
                "Invalid filter clause: the expression is nested too deeply or too long.",
            ));
        }
        let expr = if self.keyword("not") {
            Expr::Not(Box::new(self.unary()?))
        } else if self.symbol('(') {
            let inner = self.or()?;
            self.expect(')')?;
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn comparison(&mut self) -> Result<Expr, Refusal> {
        self.space();
        let start = self.at;
        if let Some(call) = self.call()? {
            return Ok(call);
        }
        self.at = start;
        let left = match self.operand()? {
            Side::Operand(operand) => operand,
            Side::Lambda(expr) => return Ok(expr),
        };
        let before = self.at;
        let word = self.word();
        if word == "in" {
            let Operand::Path(path) = left else {
                return Err(self.syntax());
            };
            return self.list(path);
        }
        let Some(op) = Op::parse(word) else {
            self.at = before;
            return match left {
                Operand::Path(path) => Ok(Expr::Flag(path)),
                _ => Err(self.syntax()),
            };
        };
        let Side::Operand(right) = self.operand()? else {
            return Err(self.syntax());
        };
        match (left, right) {
            (Operand::Path(path), Operand::Value(value)) => Ok(Expr::Compare { path, op, value }),
            (Operand::Value(value), Operand::Path(path)) => Ok(Expr::Compare {
                path,
                op: op.flipped(),
                value,
            }),
            (Operand::Count(path), Operand::Value(Literal::Int(value))) => {
                Ok(Expr::Count { path, op, value })
            }
            _ => Err(self.syntax()),
        }
    }

    /// `function(path,'text')`, with or without `eq true` behind it.
    fn call(&mut self) -> Result<Option<Expr>, Refusal> {
        let name = self.word();
        if name.is_empty()
            || !self.text[self.at..].starts_with('(')
            || matches!(name, "any" | "all")
        {
            return Ok(None);
        }
        let function = match name.to_ascii_lowercase().as_str() {
            "startswith" => Function::StartsWith,
            "endswith" => Function::EndsWith,
            "contains" => Function::Contains,
            _ => {
                return Err(Refusal::bad_request(format!(
                    "Invalid filter clause: An unknown function with name '{name}' was found."
                )));
            }
        };
        self.expect('(')?;
        let Side::Operand(Operand::Path(path)) = self.operand()? else {
            return Err(self.syntax());
        };
        self.expect(',')?;
        let Side::Operand(Operand::Value(Literal::Text(value))) = self.operand()? else {
            return Err(self.syntax());
        };
        self.expect(')')?;
        let call = Expr::Call {
            function,
            path,
            value,
        };
        let before = self.at;
        let Some(op @ (Op::Eq | Op::Ne)) = Op::parse(self.word()) else {
            self.at = before;
            return Ok(Some(call));
        };
        let Side::Operand(Operand::Value(Literal::Boolean(value))) = self.operand()? else {
            return Err(self.syntax());
        };
        Ok(Some(if value == (op == Op::Eq) {
            call
        } else {
            Expr::Not(Box::new(call))
        }))
    }

    fn operand(&mut self) -> Result<Side, Refusal> {
        self.space();
        let rest = &self.text[self.at..];
        if rest.starts_with('\'') {
            return Ok(Side::Operand(Operand::Value(Literal::Text(self.quoted()?))));
        }
        let token = self.token();
        if token.is_empty() {
            return Err(self.syntax());
        }
        // An enum literal: the type's name, then the member in quotes.
        if self.text[self.at..].starts_with('\'') {
            return Ok(Side::Operand(Operand::Value(Literal::Text(self.quoted()?))));
        }
        if let Some(literal) = literal(token) {
            return Ok(Side::Operand(Operand::Value(literal)));
        }
        self.path(token)
    }

    fn path(&mut self, token: &str) -> Result<Side, Refusal> {
        let mut segments: Vec<String> = token.split('/').map(str::to_owned).collect();
        let named = |segment: &String| {
            !segment.is_empty()
                && segment
                    .chars()
                    .all(|char| char.is_alphanumeric() || matches!(char, '_' | '.' | '@' | '$'))
        };
        if !segments.iter().all(named) {
            return Err(self.syntax());
        }
        let scope = self
            .variables
            .iter()
            .rposition(|variable| *variable == segments[0])
            .map_or(0, |at| at + 1);
        if scope > 0 {
            segments.remove(0);
        }
        let last = segments.last().map(String::as_str).unwrap_or_default();
        if last == "$count" {
            segments.pop();
            return Ok(Side::Operand(Operand::Count(Path { scope, segments })));
        }
        if matches!(last, "any" | "all") && self.text[self.at..].starts_with('(') {
            let all = last == "all";
            segments.pop();
            return self.lambda(Path { scope, segments }, all);
        }
        Ok(Side::Operand(Operand::Path(Path { scope, segments })))
    }

    fn lambda(&mut self, path: Path, all: bool) -> Result<Side, Refusal> {
        self.expect('(')?;
        if self.symbol(')') {
            return if all {
                Err(self.syntax())
            } else {
                Ok(Side::Lambda(Expr::Lambda {
                    path,
                    all,
                    body: None,
                }))
            };
        }
        let variable = self.word().to_owned();
        if variable.is_empty() {
            return Err(self.syntax());
        }
        self.expect(':')?;
        self.variables.push(variable);
        let body = self.or()?;
        self.variables.pop();
        self.expect(')')?;
        Ok(Side::Lambda(Expr::Lambda {
            path,
            all,
            body: Some(Box::new(body)),
        }))
    }

    fn list(&mut self, path: Path) -> Result<Expr, Refusal> {
        self.expect('(')?;
        let mut values = Vec::new();
        loop {
            let Side::Operand(Operand::Value(value)) = self.operand()? else {
                return Err(self.syntax());
            };
            values.push(value);
            if self.symbol(')') {
                return Ok(Expr::In { path, values });
            }
            self.expect(',')?;
        }
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    /// A run of letters and digits; empty if something else stands there.
    fn word(&mut self) -> &'a str {
        self.space();
        let rest = &self.text[self.at..];
        let end = rest
            .find(|char: char| !char.is_alphanumeric() && char != '_')
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Everything up to a blank, a bracket, a comma or a quote: a path or a literal without quotes.
    fn token(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let end = rest
            .find(|char: char| char.is_whitespace() || matches!(char, '(' | ')' | ',' | '\''))
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let before = self.at;
        // Graph's own examples write NOT(…) in capitals.
        let found = self.word().eq_ignore_ascii_case(keyword)
            && self.text[self.at..].starts_with(|char: char| char.is_whitespace() || char == '(');
        if !found {
            self.at = before;
        }
        found
    }

    fn symbol(&mut self, symbol: char) -> bool {
        self.space();
        let found = self.text[self.at..].starts_with(symbol);
        if found {
            self.at += symbol.len_utf8();
        }
        found
    }

    fn expect(&mut self, symbol: char) -> Result<(), Refusal> {
        if self.symbol(symbol) {
            Ok(())
        } else {
            Err(self.syntax())
        }
    }

    /// A text in single quotes; a quote inside is doubled.
    fn quoted(&mut self) -> Result<String, Refusal> {
        let mut value = String::new();
        let mut chars = self.text[self.at + 1..].char_indices().peekable();
        while let Some((offset, char)) = chars.next() {
            if char != '\'' {
                value.push(char);
            } else if chars.next_if(|(_, next)| *next == '\'').is_some() {
                value.push('\'');
            } else {
                self.at += offset + 2;
                return Ok(value);
            }
        }
        Err(Refusal::bad_request(format!(
            "Invalid filter clause: There is an unterminated string literal at position {} in '{}'.",
            self.text.len(),
            self.text
        )))
    }

    fn syntax(&self) -> Refusal {
        Refusal::bad_request(format!(
            "Invalid filter clause: Syntax error at position {} in '{}'.",
            self.at, self.text
        ))
    }
}

enum Side {
    Operand(Operand),
    Lambda(Expr),
}

fn literal(token: &str) -> Option<Literal> {
    match token {
        "null" => return Some(Literal::Null),
        "true" => return Some(Literal::Boolean(true)),
        "false" => return Some(Literal::Boolean(false)),
        _ => {}
    }
    if let Ok(number) = token.parse() {
        return Some(Literal::Int(number));
    }
    if let Some(ticks) = ticks(token) {
        return Some(Literal::Date(ticks));
    }
    token
        .parse::<entra_core::Guid>()
        .ok()
        .map(|guid| Literal::Guid(guid.to_string()))
}

/// Brackets and `not`s inside each other.
const MAX_DEPTH: usize = 100;
/// All clauses of one filter; the tree may lean to one side and is walked recursively.
const MAX_CLAUSES: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        Path {
            scope: 0,
            segments: text.split('/').map(str::to_owned).collect(),
        }
    }

    fn eq(name: &str, value: &str) -> Box<Expr> {
        Box::new(Expr::Compare {
            path: path(name),
            op: Op::Eq,
            value: Literal::Text(value.into()),
        })
    }

    #[test]
    fn and_binds_tighter_than_or_and_brackets_win() {
        let parsed = parse_filter("a eq '1' or b eq '2' and c eq '3'");
        assert_eq!(
            parsed,
            Ok(Expr::Or(
                eq("a", "1"),
                Box::new(Expr::And(eq("b", "2"), eq("c", "3")))
            ))
        );
        let parsed = parse_filter("(a eq '1' or b eq '2') and not (c eq '3')");
        let not = Box::new(Expr::Not(eq("c", "3")));
        assert_eq!(
            parsed,
            Ok(Expr::And(
                Box::new(Expr::Or(eq("a", "1"), eq("b", "2"))),
                not
            ))
        );
    }

    #[test]
    fn literals_have_their_types() {
        for (text, literal) in [
            ("null", Literal::Null),
            ("true", Literal::Boolean(true)),
            ("-5", Literal::Int(-5)),
            ("'O''Neil (x), y'", Literal::Text("O'Neil (x), y".into())),
            ("1970-01-01T00:00:01Z", Literal::Date(10_000_000)),
            (
                "00000003-0000-0000-C000-000000000000",
                Literal::Guid("00000003-0000-0000-c000-000000000000".into()),
            ),
            (
                "microsoft.graph.riskState'atRisk'",
                Literal::Text("atRisk".into()),
            ),
        ] {
            let parsed = parse_filter(&format!("p/q ne {text}"));
            assert_eq!(
                parsed,
                Ok(Expr::Compare {
                    path: path("p/q"),
                    op: Op::Ne,
                    value: literal
                }),
                "{text}"
            );
        }
    }

    #[test]
    fn sides_may_be_exchanged() {
        let parsed = parse_filter("5 lt size");
        assert_eq!(
            parsed,
            Ok(Expr::Compare {
                path: path("size"),
                op: Op::Gt,
                value: Literal::Int(5)
            })
        );
    }

    #[test]
    fn functions_are_known_in_any_case() {
        let call = Expr::Call {
            function: Function::StartsWith,
            path: path("displayName"),
            value: "a".into(),
        };
        for text in [
            "startsWith(displayName,'a')",
            "startswith( displayName , 'a' ) eq true",
            "startswith(displayName,'a') ne false",
        ] {
            assert_eq!(parse_filter(text).as_ref(), Ok(&call), "{text}");
        }
        assert_eq!(
            parse_filter("startswith(displayName,'a') eq false"),
            Ok(Expr::Not(Box::new(call)))
        );
        assert!(
            parse_filter("length(displayName) eq 3")
                .unwrap_err()
                .message
                .contains("unknown function with name 'length'")
        );
    }

    #[test]
    fn lambdas_bind_their_variable() {
        let inner = Expr::Compare {
            path: Path {
                scope: 1,
                segments: vec!["skuId".into()],
            },
            op: Op::Eq,
            value: Literal::Text("x".into()),
        };
        let parsed = parse_filter("assignedLicenses/any(l:l/skuId eq 'x')");
        assert_eq!(
            parsed,
            Ok(Expr::Lambda {
                path: path("assignedLicenses"),
                all: false,
                body: Some(Box::new(inner))
            })
        );
        let own = Expr::Compare {
            path: Path {
                scope: 1,
                segments: vec![],
            },
            op: Op::Eq,
            value: Literal::Text("x".into()),
        };
        let parsed = parse_filter("NOT(tags/all(any:any eq 'x'))");
        let all = Expr::Lambda {
            path: path("tags"),
            all: true,
            body: Some(Box::new(own)),
        };
        assert_eq!(parsed, Ok(Expr::Not(Box::new(all))));
        assert_eq!(
            parse_filter("tags/any()"),
            Ok(Expr::Lambda {
                path: path("tags"),
                all: false,
                body: None
            })
        );
    }

    #[test]
    fn lists_counts_and_flags_are_read() {
        let values = vec![Literal::Text("a".into()), Literal::Text("b,c".into())];
        assert_eq!(
            parse_filter("id in ('a', 'b,c')"),
            Ok(Expr::In {
                path: path("id"),
                values
            })
        );
        assert_eq!(
            parse_filter("owners/$count eq 0"),
            Ok(Expr::Count {
                path: path("owners"),
                op: Op::Eq,
                value: 0
            })
        );
        assert_eq!(
            parse_filter("accountEnabled"),
            Ok(Expr::Flag(path("accountEnabled")))
        );
    }

    #[test]
    fn what_is_malformed_is_a_400() {
        for text in [
            "",
            "displayName eq",
            "eq 'a'",
            "displayName eq 'a",
            "displayName eq 'a' and",
            "(displayName eq 'a'",
            "displayName eq 'a')",
            "displayName like 'a'",
            "id in ()",
            "id in ('a'",
            "tags/all()",
            "tags/any(x)",
            "a eq b",
            "startswith(displayName)",
            "startswith(displayName,5)",
            "'a' eq 'b'",
            "a//b eq 1",
            "a eq 'b' c eq 'd'",
            "é(",
        ] {
            let refusal = parse_filter(text).unwrap_err();
            assert_eq!(
                (refusal.status, refusal.code),
                (400, "Request_BadRequest"),
                "{text}"
            );
        }
        let deep = "(".repeat(5_000);
        assert!(parse_filter(&deep).is_err());
        assert!(parse_filter(&"not ".repeat(5_000)).is_err());
        assert!(parse_filter(&format!("a{}", " or a".repeat(5_000))).is_err());
    }
}
