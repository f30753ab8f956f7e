//! Evaluates a `$filter` on an object.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    filter::{Expr, Function, Literal, Op, Path},
    ticks,
};
use crate::{collation::compare_text, store::Object};

/// Values that an object does not contain itself.
pub(crate) trait DerivedValues {
    /// Returns a derived property or a single related object as JSON.
    fn derived(&self, object: &Object, name: &str) -> Option<Value>;

    /// Returns the number of targets of a relationship.
    fn related(&self, object: &Object, relationship: &str) -> usize;
}

/// Evaluates a filter that `check_filter` has accepted. A missing property is null.
pub(crate) fn matches(expr: &Expr, object: &Object, derived_values: &dyn DerivedValues) -> bool {
    Evaluation {
        object,
        derived_values,
        elements: Vec::new(),
    }
    .expr(expr)
}

struct Evaluation<'a> {
    object: &'a Object,
    derived_values: &'a dyn DerivedValues,
    /// The elements of the enclosing lambdas, outermost first.
    elements: Vec<Value>,
}

impl Evaluation<'_> {
    fn expr(&mut self, expr: &Expr) -> bool {
        match expr {
            Expr::And(left, right) => self.expr(left) && self.expr(right),
            Expr::Or(left, right) => self.expr(left) || self.expr(right),
            Expr::Not(inner) => !self.expr(inner),
            Expr::Compare { path, op, value } => {
                self.with(path, |found| compare(found, *op, value))
            }
            Expr::In { path, values } => self.with(path, |found| {
                values.iter().any(|value| compare(found, Op::Eq, value))
            }),
            Expr::Call {
                function,
                path,
                value,
            } => self.with(path, |found| {
                let Some(Value::String(text)) = found else {
                    return false;
                };
                function_holds(*function, text, value)
            }),
            Expr::Lambda { path, all, body } => self.lambda(path, *all, body.as_deref()),
            Expr::Count { path, op, value } => self.count(path, *op, *value),
            Expr::Flag(path) => self.with(path, |found| found == Some(&Value::Bool(true))),
        }
    }

    fn lambda(&mut self, path: &Path, all: bool, body: Option<&Expr>) -> bool {
        let items = self.with(path, |found| {
            found.and_then(Value::as_array).cloned().unwrap_or_default()
        });
        let Some(body) = body else {
            return !items.is_empty();
        };
        for item in items {
            self.elements.push(item);
            let holds = self.expr(body);
            self.elements.pop();
            if holds != all {
                return !all;
            }
        }
        all
    }

    fn count(&mut self, path: &Path, op: Op, value: i64) -> bool {
        let stored = self.with(path, |found| found.and_then(Value::as_array).map(Vec::len));
        let count =
            stored.unwrap_or_else(|| self.derived_values.related(self.object, &path.text()));
        op.holds(i64::try_from(count).unwrap_or(i64::MAX).cmp(&value))
    }

    /// Calls a function with the value of a path, or with `None` for null.
    fn with<T>(&self, path: &Path, then: impl FnOnce(Option<&Value>) -> T) -> T {
        let element = path
            .scope
            .checked_sub(1)
            .and_then(|scope| self.elements.get(scope));
        if let Some(element) = element {
            return then(descend(Some(element), &path.segments));
        }
        let Some((first, rest)) = path.segments.split_first() else {
            return then(None);
        };
        match self.object.stored_ignoring_case(first) {
            Some(stored) => stored.with(|value| then(descend(Some(value), rest))),
            None => {
                let derived = self.derived_values.derived(self.object, first);
                then(descend(derived.as_ref(), rest))
            }
        }
    }
}

fn descend<'a>(value: Option<&'a Value>, segments: &[String]) -> Option<&'a Value> {
    let found = segments.iter().try_fold(value?, |value, segment| {
        value.get(segment.as_str()).or_else(|| {
            let members = value.as_object()?.iter();
            members
                .filter(|(name, _)| name.eq_ignore_ascii_case(segment))
                .map(|(_, value)| value)
                .next()
        })
    })?;
    (!found.is_null()).then_some(found)
}

fn compare(found: Option<&Value>, op: Op, literal: &Literal) -> bool {
    match (found, literal) {
        (None, Literal::Null) => matches!(op, Op::Eq | Op::Ge | Op::Le),
        (None, _) | (_, Literal::Null) => op == Op::Ne,
        (Some(found), literal) => {
            order(found, literal).map_or(op == Op::Ne, |ordering| op.holds(ordering))
        }
    }
}

fn order(found: &Value, literal: &Literal) -> Option<Ordering> {
    match (found, literal) {
        (Value::String(text), Literal::Text(literal)) => Some(compare_text(text, literal)),
        (Value::String(text), Literal::Guid(literal)) => Some(compare_text(text, literal)),
        (Value::String(text), Literal::Date(literal)) => Some(ticks(text)?.cmp(literal)),
        (Value::Bool(value), Literal::Boolean(literal)) => Some(value.cmp(literal)),
        (Value::Number(number), Literal::Int(literal)) => Some(number.as_i64()?.cmp(literal)),
        _ => None,
    }
}

/// Applies a function without regard to case.
pub(crate) fn function_holds(function: Function, text: &str, value: &str) -> bool {
    if text.is_ascii() && value.is_ascii() {
        let (text, value) = (text.as_bytes(), value.as_bytes());
        return match function {
            Function::StartsWith => text
                .get(..value.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(value)),
            Function::EndsWith => text
                .len()
                .checked_sub(value.len())
                .is_some_and(|at| text[at..].eq_ignore_ascii_case(value)),
            Function::Contains => {
                value.is_empty()
                    || text
                        .windows(value.len())
                        .any(|part| part.eq_ignore_ascii_case(value))
            }
        };
    }
    let (text, value) = (text.to_lowercase(), value.to_lowercase());
    match function {
        Function::StartsWith => text.starts_with(&value),
        Function::EndsWith => text.ends_with(&value),
        Function::Contains => text.contains(&value),
    }
}

#[cfg(test)]
mod tests;
