use std::{collections::HashSet, fmt, marker::PhantomData, ops::Not};

use super::{EntityInfo, Level, Operator, Path, Support};
use crate::error::Error;

/// A condition on items of type `E`, made from [`Property`](crate::Property) constants.
///
/// Whether it takes an advanced query follows from its content, and the request is sent accordingly.
///
/// ```
/// use entra_graph::{Filter, User};
/// let guests = User::USER_TYPE.eq("Guest").or(User::MAIL.ends_with("@partner.example"));
/// let filter = User::ACCOUNT_ENABLED.eq(true).and(!guests);
/// assert_eq!(
///     filter.to_string(),
///     "accountEnabled eq true and not(userType eq 'Guest' or endswith(mail,'@partner.example'))"
/// );
/// ```
#[must_use = "a filter does nothing until it is given to a request"]
pub struct Filter<E> {
    pub(crate) node: Node,
    marker: PhantomData<fn() -> E>,
}

#[derive(Clone, Debug)]
pub(crate) enum Node {
    Compare {
        path: Path,
        support: Support,
        operator: Operator,
        negated: bool,
        literal: String,
    },
    In {
        path: Path,
        support: Support,
        literals: Vec<String>,
    },
    Null {
        path: Path,
        support: Support,
        negated: bool,
    },
    Any {
        path: Path,
        inner: Box<Self>,
    },
    Count {
        path: Path,
        empty: bool,
    },
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Raw {
        text: String,
        advanced: bool,
    },
}

impl<E> Filter<E> {
    pub(crate) const fn new(node: Node) -> Self {
        Self {
            node,
            marker: PhantomData,
        }
    }

    /// Raw OData text, for filters that this crate cannot express.
    ///
    /// Nothing is escaped or checked: never put untrusted values into it.
    pub fn raw(text: impl Into<String>) -> Self {
        Self::new(Node::Raw {
            text: text.into(),
            advanced: false,
        })
    }

    /// Raw OData text that takes an advanced query.
    pub fn raw_advanced(text: impl Into<String>) -> Self {
        Self::new(Node::Raw {
            text: text.into(),
            advanced: true,
        })
    }

    /// Both conditions hold.
    #[inline]
    pub fn and(self, other: Self) -> Self {
        Self::new(Node::And(Box::new(self.node), Box::new(other.node)))
    }

    /// At least one of the conditions holds.
    pub fn or(self, other: Self) -> Self {
        Self::new(Node::Or(Box::new(self.node), Box::new(other.node)))
    }
}

/// The condition does not hold; this takes an advanced query.
///
/// The negation of a comparison, such as `!User::CREATED_DATE_TIME.ge(..)`, also has the objects without a value by the
/// rules of OData, where a comparison with `null` is false. Microsoft's pages do not say whether Graph follows them: where
/// it matters, add `.or(User::CREATED_DATE_TIME.is_null())`.
impl<E> Not for Filter<E> {
    type Output = Self;

    fn not(self) -> Self {
        Self::new(Node::Not(Box::new(self.node)))
    }
}

impl<E> Clone for Filter<E> {
    fn clone(&self) -> Self {
        Self::new(self.node.clone())
    }
}

/// The OData text, before percent-encoding.
impl<E> fmt::Display for Filter<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

impl<E> fmt::Debug for Filter<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter({self})")
    }
}

impl Node {
    /// Which query mode the filter takes on this entity.
    ///
    /// # Errors
    /// `Query` for what Graph does not support; the message names property and operators.
    #[inline]
    pub(crate) fn level(&self, entity: &EntityInfo) -> Result<Level, Error> {
        let level = self.level_in(entity, None)?;
        let clauses = self.most_alternatives();
        if clauses <= MOST_BASIC_VALUES {
            return Ok(level);
        }
        if entity.directory {
            return Ok(Level::Advanced);
        }
        Err(Error::query(format!(
            "{clauses} conditions joined by `or`, but Graph takes at most {MOST_BASIC_VALUES} on {}; use several requests",
            entity.plural
        )))
    }

    /// The largest number of conditions that one `or` joins; a value of `in` counts as one.
    fn most_alternatives(&self) -> usize {
        match self {
            Self::Or(..) => self.alternatives(),
            Self::In { literals, .. } => literals.len(),
            Self::And(a, b) => a.most_alternatives().max(b.most_alternatives()),
            Self::Not(inner) | Self::Any { inner, .. } => inner.most_alternatives(),
            Self::Compare { .. } | Self::Null { .. } | Self::Count { .. } | Self::Raw { .. } => 1,
        }
    }

    fn alternatives(&self) -> usize {
        match self {
            Self::Or(a, b) => a.alternatives() + b.alternatives(),
            other => other.most_alternatives(),
        }
    }

    /// The filter in two, each with half of the values of its longest list, in their order; `None` without a list of
    /// several values that every match must be in.
    ///
    /// Values are compared as text, and each counts once: an item that matches both halves does not exist. But a custom
    /// security attribute can have several values, so that its list stays whole.
    pub(crate) fn halves(&self) -> Option<(Self, Self)> {
        match self {
            Self::In {
                path,
                support,
                literals,
            } => {
                if path.begins_with(SEVERAL_VALUES) {
                    return None;
                }
                let mut seen = HashSet::new();
                let literals: Vec<&String> = literals
                    .iter()
                    .filter(|literal| seen.insert(literal.to_lowercase()))
                    .collect();
                let middle = literals.len() / 2;
                let part = |literals: &[&String]| Self::In {
                    path: path.clone(),
                    support: *support,
                    literals: literals.iter().copied().cloned().collect(),
                };
                (middle > 0).then(|| (part(&literals[..middle]), part(&literals[middle..])))
            }
            Self::And(a, b) => {
                let (first, other) = if a.longest_list() >= b.longest_list() {
                    (a, b)
                } else {
                    (b, a)
                };
                let (left, right) = first.halves()?;
                let and = |half: Self| Self::And(Box::new(half), other.clone());
                Some((and(left), and(right)))
            }
            _ => None,
        }
    }

    fn longest_list(&self) -> usize {
        match self {
            Self::In { literals, .. } => literals.len(),
            Self::And(a, b) => a.longest_list().max(b.longest_list()),
            _ => 0,
        }
    }

    /// Whether the filter uses any other property of the entity than this one.
    pub(crate) fn uses_other_than(&self, name: &str) -> bool {
        match self {
            Self::Compare { path, .. }
            | Self::In { path, .. }
            | Self::Null { path, .. }
            | Self::Count { path, .. } => !path.begins_with(name),
            Self::Any { path, inner } => !path.begins_with(name) || inner.uses_other_than(name),
            Self::And(a, b) | Self::Or(a, b) => a.uses_other_than(name) || b.uses_other_than(name),
            Self::Not(inner) => inner.uses_other_than(name),
            // Raw text is not parsed.
            Self::Raw { .. } => false,
        }
    }

    /// Whether the filter uses this property of the entity.
    pub(crate) fn uses(&self, name: &str) -> bool {
        match self {
            Self::Compare { path, .. }
            | Self::In { path, .. }
            | Self::Null { path, .. }
            | Self::Count { path, .. } => path.begins_with(name),
            Self::Any { path, inner } => path.begins_with(name) || inner.uses(name),
            Self::And(a, b) | Self::Or(a, b) => a.uses(name) || b.uses(name),
            Self::Not(inner) => inner.uses(name),
            Self::Raw { text, .. } => {
                let text = text.to_ascii_lowercase();
                text.contains(&name.to_ascii_lowercase())
            }
        }
    }

    fn level_in(&self, entity: &EntityInfo, scope: Option<&Path>) -> Result<Level, Error> {
        match self {
            Self::Compare {
                path,
                support,
                operator,
                negated,
                literal,
            } => {
                in_scope(path, scope)?;
                let level = supported(entity, path, *support, *operator)?;
                if *negated {
                    return negation(entity, path, *support, "ne");
                }
                Ok(level.max(of_length(entity, std::slice::from_ref(literal))))
            }
            Self::In {
                path,
                support,
                literals,
            } => {
                in_scope(path, scope)?;
                let level = supported(entity, path, *support, Operator::Eq)?;
                match literals.len() {
                    0 => Err(Error::query(format!(
                        "the list of values for {path} is empty, so no {} can match; leave the request out",
                        entity.name
                    ))),
                    // Too many alternatives are found by a check of the whole filter.
                    _ => Ok(level.max(of_length(entity, literals))),
                }
            }
            Self::Null {
                path,
                support,
                negated,
            } => {
                in_scope(path, scope)?;
                let level = supported(entity, path, *support, Operator::Null)?;
                if *negated {
                    return negation(entity, path, *support, "ne null");
                }
                Ok(level)
            }
            Self::Any { path, inner } => inner.level_in(entity, Some(path)),
            Self::Count { path, .. } if !entity.directory => {
                Err(unsupported(entity, path, Support::NONE, "$count"))
            }
            Self::Count { .. } => Ok(Level::Advanced),
            Self::And(a, b) | Self::Or(a, b) => {
                Ok(a.level_in(entity, scope)?.max(b.level_in(entity, scope)?))
            }
            Self::Not(inner) => {
                inner.level_in(entity, scope)?;
                if entity.directory {
                    return Ok(Level::Advanced);
                }
                Err(Error::query(format!(
                    "a filter on {} cannot be negated; filter by what is wanted, or filter the items in your program",
                    entity.name
                )))
            }
            Self::Raw { advanced, .. } => Ok(if *advanced {
                Level::Advanced
            } else {
                Level::Basic
            }),
        }
    }

    /// Writes an operand of `and`, which binds more tightly than `or`.
    fn write_factor(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Or(..) | Self::Raw { .. } => write!(f, "({self})"),
            _ => write!(f, "{self}"),
        }
    }

    fn write_term(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raw { .. } => write!(f, "({self})"),
            _ => write!(f, "{self}"),
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare {
                path,
                operator,
                literal,
                negated,
                ..
            } => match operator {
                Operator::StartsWith => write!(f, "startswith({path},{literal})"),
                Operator::EndsWith => write!(f, "endswith({path},{literal})"),
                Operator::Contains => write!(f, "contains({path},{literal})"),
                _ if *negated => write!(f, "{path} ne {literal}"),
                _ => write!(f, "{path} {} {literal}", operator.name()),
            },
            Self::In { path, literals, .. } => write!(f, "{path} in ({})", literals.join(",")),
            Self::Null { path, negated, .. } => {
                write!(f, "{path} {} null", if *negated { "ne" } else { "eq" })
            }
            Self::Any { path, inner } => write!(f, "{path}/any(x:{inner})"),
            Self::Count { path, empty } => {
                write!(f, "{path}/$count {} 0", if *empty { "eq" } else { "ne" })
            }
            Self::And(a, b) => {
                a.write_factor(f)?;
                f.write_str(" and ")?;
                b.write_factor(f)
            }
            Self::Or(a, b) => {
                a.write_term(f)?;
                f.write_str(" or ")?;
                b.write_term(f)
            }
            Self::Not(inner) => write!(f, "not({inner})"),
            Self::Raw { text, .. } => f.write_str(text),
        }
    }
}

/// A range variable is valid in its own `any` only, and other properties are not valid there.
fn in_scope(path: &Path, scope: Option<&Path>) -> Result<(), Error> {
    if path.fits(scope) {
        return Ok(());
    }
    Err(Error::query(format!(
        "{} is used outside of its own collection's `any`",
        path.full()
    )))
}

fn supported(
    entity: &EntityInfo,
    path: &Path,
    support: Support,
    operator: Operator,
) -> Result<Level, Error> {
    match support.level(operator) {
        Level::No => Err(unsupported(entity, path, support, operator.name())),
        level => Ok(level),
    }
}

/// The query mode that the longest of some values takes.
fn of_length(entity: &EntityInfo, literals: &[String]) -> Level {
    let is_long = |literal: &String| literal.len() > LONGEST_BASIC_VALUE;
    if entity.directory && literals.iter().any(is_long) {
        Level::Advanced
    } else {
        Level::Basic
    }
}

fn negation(
    entity: &EntityInfo,
    path: &Path,
    support: Support,
    operator: &str,
) -> Result<Level, Error> {
    if entity.directory {
        return Ok(Level::Advanced);
    }
    if operator == "ne" && support.level(Operator::Ne) != Level::No {
        return Ok(Level::Basic);
    }
    Err(unsupported(entity, path, support, operator))
}

fn unsupported(entity: &EntityInfo, path: &Path, support: Support, operator: &str) -> Error {
    Error::query(format!(
        "`{operator}` is not supported on {} of {}; supported there: {support}",
        path.full(),
        entity.name
    ))
}

/// Beyond these alternatives, only the advanced mode takes the query; seen in Graph's responses.
const MOST_BASIC_VALUES: usize = 15;
/// The property of one value in whose place there can be several.
const SEVERAL_VALUES: &str = "customSecurityAttributes";
/// Longer values go in the advanced mode, which is not known to limit them. Microsoft's pages of queries have no such
/// limit, so this is on the safe side.
const LONGEST_BASIC_VALUE: usize = 120;
