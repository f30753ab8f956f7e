use std::fmt;

/// The operators that a property supports, and in which query mode: two bits per operator.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Support(u32);

/// How far Graph supports an operator on a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Documented as unsupported, or not documented.
    No,
    /// In the default mode.
    Basic,
    /// With `ConsistencyLevel: eventual` and `$count=true`.
    Advanced,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Ge,
    Le,
    Gt,
    Lt,
    StartsWith,
    EndsWith,
    Contains,
    /// Outside of the directory, where `eq` does not imply it.
    Ne,
    Null,
    OrderBy,
    Search,
}

impl Support {
    pub(crate) const NONE: Self = Self(0);

    /// Reads a row such as `eq startsWith null+ orderby`, where `+` marks the advanced mode.
    ///
    /// A misspelled row fails the build, because rows are constants.
    #[inline]
    pub(crate) const fn parse(row: &str) -> Self {
        let row = row.as_bytes();
        let mut bits = 0;
        let mut start = 0;
        while start < row.len() {
            let mut end = start;
            while end < row.len() && row[end] != b' ' {
                end += 1;
            }
            let advanced = row[end - 1] == b'+';
            let stop = if advanced { end - 1 } else { end };
            let level = if advanced { 2 } else { 1 };
            let mut at = 0;
            while !same(row, start, stop, Operator::ALL[at].name().as_bytes()) {
                at += 1;
                assert!(
                    at < Operator::ALL.len(),
                    "an unknown operator in a support row"
                );
            }
            bits |= level << (2 * Operator::ALL[at] as u32);
            start = end + 1;
        }
        Self(bits)
    }

    pub(crate) const fn level(self, operator: Operator) -> Level {
        match (self.0 >> (2 * operator as u32)) & 3 {
            0 => Level::No,
            1 => Level::Basic,
            _ => Level::Advanced,
        }
    }
}

/// The operators as an error message lists them.
impl fmt::Display for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut any = false;
        for operator in Operator::ALL {
            let filters = !matches!(operator, Operator::OrderBy | Operator::Search);
            if filters && self.level(operator) != Level::No {
                f.write_str(if any { ", " } else { "" })?;
                f.write_str(operator.name())?;
                any = true;
            }
        }
        if any { Ok(()) } else { f.write_str("none") }
    }
}

impl fmt::Debug for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Support({self})")
    }
}

impl Operator {
    const ALL: [Self; 12] = [
        Self::Eq,
        Self::Ge,
        Self::Le,
        Self::Gt,
        Self::Lt,
        Self::StartsWith,
        Self::EndsWith,
        Self::Contains,
        Self::Ne,
        Self::Null,
        Self::OrderBy,
        Self::Search,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ge => "ge",
            Self::Le => "le",
            Self::Gt => "gt",
            Self::Lt => "lt",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Contains => "contains",
            Self::Ne => "ne",
            Self::Null => "null",
            Self::OrderBy => "orderby",
            Self::Search => "search",
        }
    }
}

const fn same(row: &[u8], start: usize, stop: usize, name: &[u8]) -> bool {
    if stop - start != name.len() {
        return false;
    }
    let mut at = 0;
    while at < name.len() {
        if row[start + at] != name[at] {
            return false;
        }
        at += 1;
    }
    true
}
