//! Checks a `$filter` as Graph does: names, types, operators, and basic or advanced query.

use super::{
    error::GraphError,
    filter::{Expr, Function, Literal, Op, Path},
};
use crate::schema::{ENDS_WITH, EntityType, Mode, Property, Returned, Rule, Type, is_extension};

/// The properties of a checked filter, for the checks of the rest of the query.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FilterUses {
    /// The first segment of every path, each once.
    pub(crate) properties: Vec<String>,
}

/// Checks a filter against the table of an entity.
pub(crate) fn check_filter(
    entity: &'static EntityType,
    expr: &Expr,
    advanced: bool,
    beta: bool,
) -> Result<FilterUses, GraphError> {
    let mut checker = Checker {
        entity,
        advanced: advanced || !entity.directory,
        beta,
        scopes: Vec::new(),
        uses: FilterUses::default(),
    };
    checker.expr(expr)?;
    // Logs have no advanced mode.
    if !(entity.directory && advanced) && clauses_of_or(expr) > MAX_OR_CLAUSES {
        return Err(GraphError::unsupported_query(format!(
            "Too many child clauses specified in search filter expression containing 'OR' operators: {}. Max allowed: {MAX_OR_CLAUSES}.",
            clauses_of_or(expr)
        )));
    }
    Ok(checker.uses)
}

struct Checker {
    entity: &'static EntityType,
    advanced: bool,
    beta: bool,
    /// The path of the element of each enclosing lambda.
    scopes: Vec<String>,
    uses: FilterUses,
}

impl Checker {
    fn expr(&mut self, expr: &Expr) -> Result<(), GraphError> {
        match expr {
            Expr::And(left, right) | Expr::Or(left, right) => {
                self.expr(left)?;
                self.expr(right)
            }
            Expr::Not(inner) => {
                if !self.entity.directory {
                    return Err(self.no_operator("not"));
                }
                self.need("not", Mode::Advanced)?;
                self.expr(inner)
            }
            Expr::Compare { path, op, value } => self.compare(path, *op, value),
            Expr::In { path, values } => {
                let rule = self.rule(path)?;
                self.allow(path, "in", rule.eq)?;
                values
                    .iter()
                    .try_for_each(|value| type_check(rule.leaf, value, "In"))
            }
            Expr::Call {
                function,
                path,
                value,
            } => self.call(*function, path, value),
            Expr::Lambda { path, body, .. } => self.lambda(path, body.as_deref()),
            Expr::Count { path, op, value } => self.count(path, *op, *value),
            Expr::Flag(path) => {
                let rule = self.rule(path)?;
                self.allow(path, "eq", rule.eq)?;
                if rule.leaf == Type::Boolean {
                    return Ok(());
                }
                Err(GraphError::bad_request(
                    "Invalid filter clause: The Filter expression must evaluate to a single boolean value.",
                ))
            }
        }
    }

    fn compare(&mut self, path: &Path, op: Op, value: &Literal) -> Result<(), GraphError> {
        let rule = self.rule(path)?;
        let mode = match (op, value) {
            (Op::Eq | Op::Ne, Literal::Null) => rule.null,
            (Op::Eq | Op::Ne, _) => rule.eq,
            (Op::Ge | Op::Le, _) => rule.range,
            (Op::Gt | Op::Lt, _) => rule.strict_range,
        };
        self.allow(path, op.word(), mode)?;
        if op == Op::Ne {
            // Documented for directory objects only, where they need an advanced query.
            if !self.entity.directory && !rule.ne {
                return Err(self.no_operator("ne"));
            }
            self.need("ne", Mode::Advanced)?;
        }
        type_check(rule.leaf, value, kind_name(op))
    }

    fn call(&mut self, function: Function, path: &Path, value: &str) -> Result<(), GraphError> {
        let rule = self.rule(path)?;
        let mode = match function {
            Function::StartsWith => rule.starts_with,
            Function::EndsWith if ENDS_WITH.contains(&rule.path) && self.entity.directory => {
                Mode::Advanced
            }
            Function::EndsWith => Mode::No,
            Function::Contains => rule.contains,
        };
        self.allow(path, function.name(), mode)?;
        type_check(rule.leaf, &Literal::Text(value.to_owned()), function.name())
    }

    fn lambda(&mut self, path: &Path, body: Option<&Expr>) -> Result<(), GraphError> {
        let full = self.canonical(path)?;
        let many = format!("{full}/any");
        let inside = |rule: &Rule| {
            rule.path
                .split_at_checked(many.len())
                .is_some_and(|(start, rest)| {
                    start.eq_ignore_ascii_case(&many) && (rest.is_empty() || rest.starts_with('/'))
                })
        };
        if !self.entity.rules.iter().any(inside) {
            return Err(self.unsupported(path));
        }
        let Some(body) = body else { return Ok(()) };
        self.scopes.push(many);
        let result = self.expr(body);
        self.scopes.pop();
        result
    }

    /// `x/$count` compared with 0 or 1, always an advanced query.
    fn count(&mut self, path: &Path, op: Op, value: i64) -> Result<(), GraphError> {
        let full = self.canonical(path)?;
        let many = self
            .entity
            .property(&full)
            .is_some_and(|property| property.many);
        let known = many
            || COUNTABLE
                .iter()
                .any(|name| name.eq_ignore_ascii_case(&full))
                && self.entity.navigation(&full).is_some();
        if !known
            || !self.entity.directory
            || !matches!(op, Op::Eq | Op::Ne)
            || !matches!(value, 0 | 1)
        {
            return Err(self.unsupported(path));
        }
        self.need("$count", Mode::Advanced)
    }

    fn rule(&mut self, path: &Path) -> Result<Rule, GraphError> {
        let full = self.canonical(path)?;
        if let Some(rule) = self
            .entity
            .rule(&full)
            .filter(|rule| self.beta || !rule.beta)
        {
            return Ok(*rule);
        }
        // `customSecurityAttributes/{set}/{name}`: the type of its values is not known here.
        if let [first, _, _] = path.segments.as_slice()
            && self
                .entity
                .property(first)
                .is_some_and(|property| property.name == SECURITY_ATTRIBUTES)
        {
            return Ok(Rule {
                eq: Mode::Advanced,
                starts_with: Mode::Advanced,
                ..Rule::none(SECURITY_ATTRIBUTES, Type::Complex)
            });
        }
        if self.entity.open && self.scopes.is_empty() && is_extension(&full) {
            return Ok(Rule {
                eq: Mode::Basic,
                starts_with: Mode::Basic,
                null: Mode::Advanced,
                ..Rule::none("", Type::Text)
            });
        }
        Err(self.unsupported(path))
    }

    /// Returns the path in the spelling of the tables, or an error if the type has no such
    /// property.
    fn canonical(&mut self, path: &Path) -> Result<String, GraphError> {
        let full = match path
            .scope
            .checked_sub(1)
            .and_then(|scope| self.scopes.get(scope))
        {
            Some(prefix) if path.segments.is_empty() => prefix.clone(),
            Some(prefix) => format!("{prefix}/{}", path.text()),
            None => path.text(),
        };
        let first = full.split('/').next().unwrap_or_default();
        let exists = |property: &Property| self.beta || property.returned != Returned::InBeta;
        let known = self.entity.property(first).is_some_and(exists)
            || self.entity.navigation(first).is_some()
            || self.entity.open && is_extension(first);
        if !known {
            return Err(GraphError::no_property(
                "Invalid filter clause",
                first,
                self.entity.name,
            ));
        }
        let first = self
            .entity
            .property(first)
            .map_or(first, |property| property.name);
        if !self.uses.properties.iter().any(|used| used == first) {
            self.uses.properties.push(first.to_owned());
        }
        Ok(full)
    }

    fn allow(&self, path: &Path, operator: &str, mode: Mode) -> Result<(), GraphError> {
        if mode == Mode::No {
            return Err(self.unsupported(path));
        }
        self.need(operator, mode)
    }

    fn need(&self, operator: &str, mode: Mode) -> Result<(), GraphError> {
        if mode == Mode::Advanced && !self.advanced {
            Err(GraphError::needs_advanced(operator))
        } else {
            Ok(())
        }
    }

    fn unsupported(&self, path: &Path) -> GraphError {
        let text = match path.segments.is_empty() {
            true => self
                .scopes
                .last()
                .and_then(|scope| scope.split('/').next())
                .unwrap_or_default()
                .to_owned(),
            false => path.text(),
        };
        GraphError::filter_clause(&text, &self.entity.title())
    }

    fn no_operator(&self, operator: &str) -> GraphError {
        GraphError::unsupported_query(format!(
            "Operator '{operator}' is not supported on resource '{}'.",
            self.entity.title()
        ))
    }
}

fn type_check(leaf: Type, value: &Literal, operator: &str) -> Result<(), GraphError> {
    let (fits, edm) = match leaf {
        Type::Text => (matches!(value, Literal::Text(_)), "Edm.String"),
        Type::Complex => (
            !matches!(value, Literal::Date(_) | Literal::Guid(_)),
            "Edm.String",
        ),
        Type::Boolean => (matches!(value, Literal::Boolean(_)), "Edm.Boolean"),
        Type::Int => (matches!(value, Literal::Int(_)), "Edm.Int32"),
        Type::Date => (matches!(value, Literal::Date(_)), "Edm.DateTimeOffset"),
        Type::Guid => (
            matches!(value, Literal::Guid(_)) || QUOTED_GUIDS && matches!(value, Literal::Text(_)),
            "Edm.Guid",
        ),
    };
    if fits || *value == Literal::Null {
        return Ok(());
    }
    Err(GraphError::bad_request(format!(
        "Invalid filter clause: A binary operator with incompatible types was detected. Found operand types '{edm}' and '{}' for operator kind '{operator}'.",
        value.edm()
    )))
}

fn kind_name(op: Op) -> &'static str {
    match op {
        Op::Eq => "Equal",
        Op::Ne => "NotEqual",
        Op::Gt => "GreaterThan",
        Op::Ge => "GreaterThanOrEqual",
        Op::Lt => "LessThan",
        Op::Le => "LessThanOrEqual",
    }
}

/// Returns the largest number of alternatives in any `or` or `in` of the filter.
fn clauses_of_or(expr: &Expr) -> usize {
    fn alternatives(expr: &Expr) -> usize {
        match expr {
            Expr::Or(left, right) => alternatives(left) + alternatives(right),
            other => clauses_of_or(other),
        }
    }
    match expr {
        Expr::Or(left, right) => alternatives(expr)
            .max(clauses_of_or(left))
            .max(clauses_of_or(right)),
        Expr::And(left, right) => clauses_of_or(left).max(clauses_of_or(right)),
        Expr::Not(inner) => clauses_of_or(inner),
        Expr::Lambda {
            body: Some(body), ..
        } => clauses_of_or(body),
        Expr::In { values, .. } => values.len(),
        _ => 1,
    }
}

/// The property whose parts are defined at run time.
const SECURITY_ATTRIBUTES: &str = "customSecurityAttributes";
/// Maximum number of alternatives in a query that is not an advanced one: observed, not documented.
const MAX_OR_CLAUSES: usize = 15;

/// Whether a GUID property accepts a quoted literal. The documentation only shows unquoted ones.
const QUOTED_GUIDS: bool = false;

/// Relationships whose `$count` can be filtered.
const COUNTABLE: [&str; 4] = ["owners", "members", "memberOf", "ownedObjects"];

#[cfg(test)]
mod tests;
