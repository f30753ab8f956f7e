//! The expression tree of `$filter`.

/// A boolean expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Compare {
        path: Path,
        op: Op,
        value: Literal,
    },
    /// `path in (…)`.
    In {
        path: Path,
        values: Vec<Literal>,
    },
    /// `startsWith`, `endsWith` or `contains` with a path and a text.
    Call {
        function: Function,
        path: Path,
        value: String,
    },
    /// `path/any(x:…)`, `path/all(x:…)`, or `path/any()` without a body.
    Lambda {
        path: Path,
        all: bool,
        body: Option<Box<Self>>,
    },
    /// `path/$count op number`.
    Count {
        path: Path,
        op: Op,
        value: i64,
    },
    /// A boolean property without an operator.
    Flag(Path),
}

/// A property path, read from the object or from the element of an enclosing lambda.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// 0 is the object, 1 the element of the outermost lambda, and so on.
    pub(crate) scope: usize,
    pub(crate) segments: Vec<String>,
}

impl Path {
    pub(crate) fn text(&self) -> String {
        self.segments.join("/")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Op {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "gt" => Self::Gt,
            "ge" => Self::Ge,
            "lt" => Self::Lt,
            "le" => Self::Le,
            _ => return None,
        })
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    /// Returns the operator with its operands exchanged.
    pub(crate) fn flipped(self) -> Self {
        match self {
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            other => other,
        }
    }

    pub(crate) fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Eq => ordering.is_eq(),
            Self::Ne => ordering.is_ne(),
            Self::Gt => ordering.is_gt(),
            Self::Ge => ordering.is_ge(),
            Self::Lt => ordering.is_lt(),
            Self::Le => ordering.is_le(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    StartsWith,
    EndsWith,
    Contains,
}

impl Function {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Contains => "contains",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Null,
    Boolean(bool),
    Text(String),
    Int(i64),
    /// Ticks since 1970.
    Date(i64),
    /// In lower case.
    Guid(String),
}

impl Literal {
    /// The OData name of the type.
    pub(crate) fn edm(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "Edm.Boolean",
            Self::Text(_) => "Edm.String",
            Self::Int(_) => "Edm.Int32",
            Self::Date(_) => "Edm.DateTimeOffset",
            Self::Guid(_) => "Edm.Guid",
        }
    }
}
