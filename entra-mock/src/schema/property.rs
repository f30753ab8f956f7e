//! Properties, and what a query or a body can do with them.

use serde_json::Value;

use super::TextForm;

/// One declared property.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Property {
    pub(crate) name: &'static str,
    pub(crate) value: Type,
    pub(crate) many: bool,
    pub(crate) returned: Returned,
    pub(crate) writable: Writable,
    /// Whether a body that creates an object must have it.
    pub(crate) required: bool,
    /// The maximum length of a string, or 0 without a limit.
    pub(crate) most: usize,
    /// The maximum number of items, or 0 without a limit.
    pub(crate) items: usize,
    pub(crate) form: TextForm,
    /// The only values of a text, in any letters; empty if every value is valid.
    pub(crate) one_of: &'static [&'static str],
    /// The property and value that make this one required, and without which it is invalid.
    pub(crate) only_with: Option<(&'static str, &'static str)>,
    /// The derived type that has the property, for a type whose objects are of derived types.
    pub(crate) derived: Option<&'static str>,
}

/// When a body can set a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writable {
    Never,
    AtCreation,
    AtUpdate,
    Always,
}

/// When a response has a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returned {
    /// Unless `$select` omits it.
    Always,
    /// Only if `$select` names it.
    OnSelect,
    /// Only if `$select` names it, and only for a single object.
    OnSelectAlone,
    /// As `Always`, but the property exists in beta only.
    InBeta,
    /// Never; it can only be filtered.
    Never,
}

/// The type of a value for `$filter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Text,
    Boolean,
    Int,
    Date,
    Guid,
    Complex,
}

/// The kind of query that supports something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// No query.
    No,
    /// Every query.
    Basic,
    /// Queries with `ConsistencyLevel: eventual` and `$count=true`.
    Advanced,
}

/// The operators that `$filter` supports on one path. `in` is supported wherever `eq` is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// Segments separated by slashes, `any` for the elements of a collection.
    pub(crate) path: &'static str,
    pub(crate) leaf: Type,
    pub(crate) eq: Mode,
    pub(crate) starts_with: Mode,
    /// `ge` and `le`.
    pub(crate) range: Mode,
    /// `gt` and `lt`.
    pub(crate) strict_range: Mode,
    pub(crate) contains: Mode,
    /// Comparison with `null`.
    pub(crate) null: Mode,
    /// Whether `ne` is supported outside of the directory, where `eq` does not imply it.
    pub(crate) ne: bool,
    /// Whether the rule exists in beta only.
    pub(crate) beta: bool,
}

impl Property {
    const fn new(name: &'static str, value: Type) -> Self {
        Self {
            name,
            value,
            many: false,
            returned: Returned::OnSelect,
            writable: Writable::Never,
            required: false,
            most: 0,
            items: 0,
            form: TextForm::Any,
            one_of: &[],
            only_with: None,
            derived: None,
        }
    }

    pub(super) const fn many(mut self) -> Self {
        self.many = true;
        self
    }

    pub(super) const fn shown(mut self) -> Self {
        self.returned = Returned::Always;
        self
    }

    pub(super) const fn alone(mut self) -> Self {
        self.returned = Returned::OnSelectAlone;
        self
    }

    pub(super) const fn writable(mut self) -> Self {
        self.writable = Writable::Always;
        self
    }

    pub(super) const fn at_creation(mut self) -> Self {
        self.writable = Writable::AtCreation;
        self
    }

    pub(super) const fn at_update(mut self) -> Self {
        self.writable = Writable::AtUpdate;
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self.writable()
    }

    pub(super) const fn up_to(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// Sets the maximum number of items.
    pub(super) const fn at_most(mut self, items: usize) -> Self {
        self.items = items;
        self
    }

    pub(super) const fn form(mut self, form: TextForm) -> Self {
        self.form = form;
        self
    }

    pub(super) const fn one_of(mut self, values: &'static [&'static str]) -> Self {
        self.one_of = values;
        self
    }

    pub(super) const fn only_with(mut self, property: &'static str, value: &'static str) -> Self {
        self.only_with = Some((property, value));
        self
    }

    /// Sets that only objects of this derived type have the property.
    pub(super) const fn of(mut self, derived: &'static str) -> Self {
        self.derived = Some(derived);
        self
    }

    pub(super) const fn never(mut self) -> Self {
        self.returned = Returned::Never;
        self
    }

    pub(super) const fn in_beta(mut self) -> Self {
        self.returned = Returned::InBeta;
        self
    }
}

impl Rule {
    /// A rule that supports nothing.
    pub(crate) const fn none(path: &'static str, leaf: Type) -> Self {
        Self {
            path,
            leaf,
            eq: Mode::No,
            starts_with: Mode::No,
            range: Mode::No,
            strict_range: Mode::No,
            contains: Mode::No,
            null: Mode::No,
            ne: false,
            beta: false,
        }
    }

    /// With `contains`.
    pub(super) const fn and_contains(mut self) -> Self {
        self.contains = Mode::Basic;
        self
    }

    /// With `gt` and `lt`.
    pub(super) const fn and_strict_range(mut self) -> Self {
        self.strict_range = Mode::Basic;
        self
    }

    pub(super) const fn and_ne(mut self) -> Self {
        self.ne = true;
        self
    }

    pub(super) const fn in_beta(mut self) -> Self {
        self.beta = true;
        self
    }
}

pub(super) const fn text(name: &'static str) -> Property {
    Property::new(name, Type::Text)
}

pub(super) const fn boolean(name: &'static str) -> Property {
    Property::new(name, Type::Boolean)
}

pub(super) const fn int(name: &'static str) -> Property {
    Property::new(name, Type::Int)
}

pub(super) const fn date(name: &'static str) -> Property {
    Property::new(name, Type::Date)
}

pub(super) const fn guid(name: &'static str) -> Property {
    Property::new(name, Type::Guid)
}

pub(super) const fn complex(name: &'static str) -> Property {
    Property::new(name, Type::Complex)
}

pub(super) const fn rule(
    path: &'static str,
    leaf: Type,
    eq: Mode,
    starts_with: Mode,
    range: Mode,
    null: Mode,
) -> Rule {
    Rule {
        eq,
        starts_with,
        range,
        null,
        ..Rule::none(path, leaf)
    }
}

/// Whether a property takes a value of its type.
pub(super) fn fits(property: &Property, value: &Value) -> bool {
    let text_fits = |text: &str| {
        (!text.is_empty() || property.writable == Writable::Never)
            && (property.most == 0 || text.chars().count() <= property.most)
            && property.form.fits(text)
    };
    let known = |value: &Value| {
        let mut values = property.one_of.iter();
        property.one_of.is_empty()
            || value
                .as_str()
                .is_some_and(|text| values.any(|known| known.eq_ignore_ascii_case(text)))
    };
    match value {
        Value::Null => true,
        Value::Array(items) => {
            (property.items == 0 || items.len() <= property.items)
                && items.iter().filter_map(Value::as_str).all(text_fits)
                && items.iter().all(known)
        }
        single => single.as_str().is_none_or(text_fits) && known(single),
    }
}
