use std::{borrow::Cow, fmt, marker::PhantomData};

use entra_core::ClientId;

use super::{
    Described, Filter, Literal, Operator, Path, ReadOnly, Search, Support, Writable, filter::Node,
};

/// A property of `E` with values of type `T`, as a constant of the entity: `User::DEPARTMENT`.
///
/// It selects, filters, sorts, searches, sets and clears. `A` says when it can be set
/// ([`Writable`], [`ReadOnly`] and others). Another entity's property or a value of the wrong type
/// does not compile; an operator that Graph does not document for the property fails before
/// anything is sent.
///
/// ```
/// use entra_graph::{Filter, User};
/// let filter: Filter<User> = User::DEPARTMENT.eq("HR").and(User::ACCOUNT_ENABLED.eq(true));
/// assert_eq!(filter.to_string(), "department eq 'HR' and accountEnabled eq true");
/// ```
///
/// ```compile_fail
/// use entra_graph::{Filter, User};
/// let filter: Filter<User> = User::DEPARTMENT.eq(true);
/// ```
pub struct Property<E, T, A = Writable> {
    path: Path,
    support: Support,
    marker: Typed<E, T, A>,
}

/// What the property belongs to, holds, and when it can be set.
type Typed<E, T, A> = PhantomData<fn() -> (E, T, A)>;

impl<E, T> Property<E, T> {
    /// A property that this crate does not know, by any name.
    ///
    /// ```
    /// use entra_graph::{Property, User};
    /// let name = format!("extension_{}_{}", "8b1f", "costCenter");
    /// let cost_center: Property<User, String> = Property::custom(name);
    /// assert_eq!(cost_center.eq("IT").to_string(), "extension_8b1f_costCenter eq 'IT'");
    /// ```
    #[must_use]
    pub fn custom(name: impl Into<Cow<'static, str>>) -> Self {
        Self::named(name.into())
    }

    /// A property that this crate does not know, as a constant.
    ///
    /// ```
    /// use entra_graph::{Property, User};
    /// const COST_CENTER: Property<User, String> = Property::from_static("extension_8b1f_costCenter");
    /// assert_eq!(COST_CENTER.name(), "extension_8b1f_costCenter");
    /// ```
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        Self::named(Cow::Borrowed(name))
    }

    /// A directory extension property: `extension_{client id without hyphens}_{name}`, defined by this
    /// application ([Add custom data by directory extensions](https://learn.microsoft.com/graph/extensibility-overview#directory-microsoft-entra-id-extensions)).
    ///
    /// ```
    /// use entra_core::ClientId;
    /// use entra_graph::{Property, User};
    /// let app: ClientId = "25883231-668a-43a7-80b2-5685c3f874bc".parse()?;
    /// let skype_id: Property<User, String> = Property::extension(app, "skypeId");
    /// assert_eq!(skype_id.name(), "extension_25883231668a43a780b25685c3f874bc_skypeId");
    /// # Ok::<(), entra_core::InvalidId>(())
    /// ```
    #[must_use]
    pub fn extension(application: ClientId, name: &str) -> Self {
        let application = application.to_string().replace('-', "");
        Self::custom(format!("extension_{application}_{name}"))
    }

    /// A part of an open property, by two names at run time.
    #[cfg(feature = "custom-security-attributes")]
    pub(crate) fn inside(name: Cow<'static, str>, first: &str, second: &str) -> Self {
        let mut property = Self::named(name);
        property.path = property
            .path
            .then(Cow::Owned(first.to_owned()))
            .then(Cow::Owned(second.to_owned()));
        property.support = Support::parse("eq+ startsWith+");
        property
    }

    const fn named(name: Cow<'static, str>) -> Self {
        Self {
            path: Path::of(name),
            support: Support::parse("eq ge le startsWith null+"),
            marker: PhantomData,
        }
    }
}

impl<E, T, A> Property<E, T, A> {
    pub(crate) const fn new(name: &'static str, support: Support) -> Self {
        Self {
            path: Path::of(Cow::Borrowed(name)),
            support,
            marker: PhantomData,
        }
    }

    /// The name on the wire.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.root()
    }

    pub(crate) fn into_name(self) -> Cow<'static, str> {
        self.path.into_root()
    }

    /// Equal to the value.
    pub fn eq(&self, value: impl Literal<T>) -> Filter<E> {
        self.compare(Operator::Eq, false, &value)
    }

    /// Not equal to the value; this takes an advanced query of directory objects.
    pub fn ne(&self, value: impl Literal<T>) -> Filter<E> {
        self.compare(Operator::Eq, true, &value)
    }

    /// Greater than or equal to the value.
    #[inline]
    pub fn ge(&self, value: impl Literal<T>) -> Filter<E> {
        self.compare(Operator::Ge, false, &value)
    }

    /// Less than or equal to the value.
    #[inline]
    pub fn le(&self, value: impl Literal<T>) -> Filter<E> {
        self.compare(Operator::Le, false, &value)
    }

    /// Greater than the value.
    #[inline]
    pub fn gt(&self, value: impl Literal<T>) -> Filter<E> {
        self.compare(Operator::Gt, false, &value)
    }

    /// Less than the value.
    #[inline]
    pub fn lt(&self, value: impl Literal<T>) -> Filter<E> {
        self.compare(Operator::Lt, false, &value)
    }

    /// Equal to one of the values. More than 15 take an advanced query of directory objects, and more than fit into one
    /// request take several ([`List::pages`](crate::query::List::pages)).
    pub fn is_in<I>(&self, values: I) -> Filter<E>
    where
        I: IntoIterator,
        I::Item: Literal<T>,
    {
        let literals = values.into_iter().map(|value| value.to_odata()).collect();
        Filter::new(Node::In {
            path: self.path.clone(),
            support: self.support,
            literals,
        })
    }

    /// Has no value.
    pub fn is_null(&self) -> Filter<E> {
        self.null(false)
    }

    /// Has any value; this takes an advanced query.
    pub fn is_not_null(&self) -> Filter<E> {
        self.null(true)
    }

    /// Ascending order.
    pub fn asc(&self) -> Order<E> {
        self.order(false)
    }

    /// Descending order.
    pub fn desc(&self) -> Order<E> {
        self.order(true)
    }

    /// A property inside of this one's value.
    ///
    /// ```
    /// use entra_graph::{User, types::EmployeeOrgData};
    /// let filter = User::EMPLOYEE_ORG_DATA.path(EmployeeOrgData::DIVISION).eq("Retail");
    /// assert_eq!(filter.to_string(), "employeeOrgData/division eq 'Retail'");
    /// ```
    #[must_use]
    pub fn path<U, B>(&self, inner: Property<T, U, B>) -> Property<E, U, ReadOnly>
    where
        E: Described,
    {
        let path = self.path.clone().then(inner.into_name());
        Property {
            support: E::INFO.nested(&path),
            path,
            marker: PhantomData,
        }
    }

    /// The property as the range variable of its `any`.
    pub(super) fn into_variable(self) -> Self {
        Self {
            path: self.path.into_variable(),
            ..self
        }
    }

    fn compare(&self, operator: Operator, negated: bool, value: &impl Literal<T>) -> Filter<E> {
        Filter::new(Node::Compare {
            path: self.path.clone(),
            support: self.support,
            operator,
            negated,
            literal: value.to_odata(),
        })
    }

    fn null(&self, negated: bool) -> Filter<E> {
        Filter::new(Node::Null {
            path: self.path.clone(),
            support: self.support,
            negated,
        })
    }

    fn order(&self, descending: bool) -> Order<E> {
        Order {
            name: self.name().to_owned(),
            support: self.support,
            descending,
            marker: PhantomData,
        }
    }
}

impl<E, A> Property<E, String, A> {
    /// Starts with the text.
    pub fn starts_with(&self, text: impl Literal<String>) -> Filter<E> {
        self.compare(Operator::StartsWith, false, &text)
    }

    /// Ends with the text; this takes an advanced query.
    pub fn ends_with(&self, text: impl Literal<String>) -> Filter<E> {
        self.compare(Operator::EndsWith, false, &text)
    }

    /// Contains the text.
    pub fn contains(&self, text: impl Literal<String>) -> Filter<E> {
        self.compare(Operator::Contains, false, &text)
    }

    /// Has a word that starts with the text.
    pub fn search(&self, text: &str) -> Search<E> {
        Search::new(self.name(), self.support, text)
    }
}

impl<E, T, A> Property<E, Vec<T>, A> {
    /// Has an item that matches the condition.
    ///
    /// ```
    /// use entra_graph::{User, types::AssignedPlan};
    /// let mail = User::PROXY_ADDRESSES.any(|address| address.starts_with("smtp:adele"));
    /// assert_eq!(mail.to_string(), "proxyAddresses/any(x:startswith(x,'smtp:adele'))");
    /// let plan = User::ASSIGNED_PLANS.any(|plan| plan.path(AssignedPlan::SERVICE).eq("exchange"));
    /// assert_eq!(plan.to_string(), "assignedPlans/any(x:x/service eq 'exchange')");
    /// ```
    pub fn any(&self, condition: impl FnOnce(Property<E, T, ReadOnly>) -> Filter<E>) -> Filter<E> {
        let item = Property {
            path: self.path.clone().into_variable(),
            support: self.support,
            marker: PhantomData,
        };
        Filter::new(Node::Any {
            path: self.path.clone(),
            inner: Box::new(condition(item).node),
        })
    }

    /// Has no items; this takes an advanced query.
    pub fn is_empty(&self) -> Filter<E> {
        self.count(true)
    }

    /// Has at least one item; this takes an advanced query.
    pub fn is_not_empty(&self) -> Filter<E> {
        self.count(false)
    }

    fn count(&self, empty: bool) -> Filter<E> {
        Filter::new(Node::Count {
            path: self.path.clone(),
            empty,
        })
    }
}

impl<E, T, A> Clone for Property<E, T, A> {
    fn clone(&self) -> Self {
        Self {
            path: self.path.clone(),
            support: self.support,
            marker: PhantomData,
        }
    }
}

impl<E, T, A> fmt::Debug for Property<E, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Property({}: {})", self.path, self.support)
    }
}

/// A sort criterion: `User::DISPLAY_NAME.asc()`.
pub struct Order<E> {
    pub(crate) name: String,
    pub(crate) support: Support,
    pub(crate) descending: bool,
    marker: PhantomData<fn() -> E>,
}

impl<E> Clone for Order<E> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            ..*self
        }
    }
}

impl<E> fmt::Debug for Order<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.descending { "desc" } else { "asc" };
        write!(f, "Order({} {direction})", self.name)
    }
}
