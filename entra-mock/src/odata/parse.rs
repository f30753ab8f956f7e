//! Parses `$filter`.

use super::{
    error::GraphError,
    filter::{Expr, Function, Literal, Op, Path},
    ticks,
};

/// Parses a `$filter`.
pub(crate) fn parse_filter(text: &str) -> Result<Expr, GraphError> {
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

/// One operand of a comparison.
enum Operand {
    Path(Path),
    Count(Path),
    Value(Literal),
}

impl<'a> Parser<'a> {
    fn or(&mut self) -> Result<Expr, GraphError> {
        let mut left = self.and()?;
        while self.keyword("or") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, GraphError> {
        let mut left = self.unary()?;
        while self.keyword("and") {
            left = Expr::And(Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, GraphError> {
        self.depth += 1;
        self.clauses += 1;
        if self.depth > MAX_DEPTH || self.clauses > MAX_CLAUSES {
            return Err(GraphError::bad_request(
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

    fn comparison(&mut self) -> Result<Expr, GraphError> {
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
        if word.eq_ignore_ascii_case("in") {
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

    /// `function(path,'text')`, with or without `eq true` after it.
    fn call(&mut self) -> Result<Option<Expr>, GraphError> {
        let name = self.word();
        // A blank may stand before the bracket.
        if name.is_empty()
            || !self.text[self.at..].trim_start().starts_with('(')
            || ["any", "all"]
                .iter()
                .any(|word| word.eq_ignore_ascii_case(name))
        {
            return Ok(None);
        }
        if name.eq_ignore_ascii_case("isof") {
            return self.type_test().map(Some);
        }
        let function = match name.to_ascii_lowercase().as_str() {
            "startswith" => Function::StartsWith,
            "endswith" => Function::EndsWith,
            "contains" => Function::Contains,
            _ => {
                return Err(GraphError::bad_request(format!(
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

    /// `isof('microsoft.graph.ipNamedLocation')`, as a comparison of the type.
    fn type_test(&mut self) -> Result<Expr, GraphError> {
        self.expect('(')?;
        let Side::Operand(Operand::Value(Literal::Text(name))) = self.operand()? else {
            return Err(self.syntax());
        };
        self.expect(')')?;
        Ok(Expr::Compare {
            path: Path {
                scope: 0,
                segments: vec!["@odata.type".to_owned()],
            },
            op: Op::Eq,
            value: Literal::Text(format!("#{name}")),
        })
    }

    fn operand(&mut self) -> Result<Side, GraphError> {
        self.space();
        let rest = &self.text[self.at..];
        if rest.starts_with('\'') {
            return Ok(Side::Operand(Operand::Value(Literal::Text(self.quoted()?))));
        }
        let token = self.token();
        if token.is_empty() {
            return Err(self.syntax());
        }
        // An enum literal: the name of the type, then the member in quotes.
        if self.text[self.at..].starts_with('\'') {
            return Ok(Side::Operand(Operand::Value(Literal::Text(self.quoted()?))));
        }
        if let Some(literal) = literal(token) {
            return Ok(Side::Operand(Operand::Value(literal)));
        }
        self.path(token)
    }

    fn path(&mut self, token: &str) -> Result<Side, GraphError> {
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
        // A cast to a derived type.
        let is_cast = |segment: &str| CASTS.iter().any(|cast| cast.eq_ignore_ascii_case(segment));
        if segments.len() > 1 && is_cast(&segments[0]) {
            segments.remove(0);
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
        if last.eq_ignore_ascii_case("$count") {
            segments.pop();
            return Ok(Side::Operand(Operand::Count(Path { scope, segments })));
        }
        let (any, all) = (
            last.eq_ignore_ascii_case("any"),
            last.eq_ignore_ascii_case("all"),
        );
        let rest = &self.text[self.at..];
        if (any || all) && rest.trim_start().starts_with('(') {
            segments.pop();
            return self.lambda(Path { scope, segments }, all);
        }
        Ok(Side::Operand(Operand::Path(Path { scope, segments })))
    }

    fn lambda(&mut self, path: Path, all: bool) -> Result<Side, GraphError> {
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

    fn list(&mut self, path: Path) -> Result<Expr, GraphError> {
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

    /// Returns letters and digits; empty if the next character is something else.
    fn word(&mut self) -> &'a str {
        self.space();
        let rest = &self.text[self.at..];
        let end = rest
            .find(|char: char| !char.is_alphanumeric() && char != '_')
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Returns everything up to a space, a bracket, a comma or a quote: a path or an unquoted
    /// literal.
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
        // Graph's own examples have NOT(…) in upper case.
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

    fn expect(&mut self, symbol: char) -> Result<(), GraphError> {
        if self.symbol(symbol) {
            Ok(())
        } else {
            Err(self.syntax())
        }
    }

    /// A string in single quotes; a quote in it is doubled.
    fn quoted(&mut self) -> Result<String, GraphError> {
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
        Err(GraphError::bad_request(format!(
            "Invalid filter clause: There is an unterminated string literal at position {} in '{}'.",
            self.text.len(),
            self.text
        )))
    }

    fn syntax(&self) -> GraphError {
        GraphError::bad_request(format!(
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
    // Keywords are case-insensitive.
    match token.to_ascii_lowercase().as_str() {
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

/// The derived types that a filter can name before a property.
const CASTS: [&str; 2] = [
    "microsoft.graph.countryNamedLocation",
    "microsoft.graph.ipNamedLocation",
];
/// Maximum nesting of brackets and `not`.
const MAX_DEPTH: usize = 100;
/// Maximum number of clauses in one filter: the tree can be unbalanced and is walked recursively.
const MAX_CLAUSES: usize = 1_000;

#[cfg(test)]
mod tests;
