use std::{borrow::Cow, fmt, marker::PhantomData};

use super::{Filter, Literal, Operator, Search, Support, filter::Node};
use crate::entity::Entity;

/// A property of `E` with values of type `T`, as a constant of the entity: `User::DEPARTMENT`.
///
/// It selects, filters, sorts and searches. Another entity's property or a value of the wrong type
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
pub struct Property<E, T> {
    path: Path,
    support: Support,
    marker: PhantomData<fn() -> (E, T)>,
}

/// Up to three names from the entity to a nested property; inside of `any`, the first ones are the
/// collection that the range variable stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    segments: [&'static str; 3],
    /// How many names the range variable stands for, none outside of `any`.
    variable: usize,
}

impl<E, T> Property<E, T> {
    /// A property that this crate does not know, such as a directory extension.
    ///
    /// ```
    /// use entra_graph::{Property, User};
    /// const COST_CENTER: Property<User, String> = Property::custom("extension_8b1f_costCenter");
    /// assert_eq!(COST_CENTER.eq("IT").to_string(), "extension_8b1f_costCenter eq 'IT'");
    /// ```
    #[must_use]
    pub const fn custom(name: &'static str) -> Self {
        Self::new(name, Support::parse("eq ge le startsWith null+"))
    }

    pub(crate) const fn new(name: &'static str, support: Support) -> Self {
        Self {
            path: Path {
                segments: [name, "", ""],
                variable: 0,
            },
            support,
            marker: PhantomData,
        }
    }

    /// The name on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.path.segments[0]
    }

    /// Equal to the value.
    pub fn eq(self, value: impl Literal<T>) -> Filter<E> {
        self.compare(Operator::Eq, false, &value)
    }

    /// Not equal to the value; this takes an advanced query.
    pub fn ne(self, value: impl Literal<T>) -> Filter<E> {
        self.compare(Operator::Eq, true, &value)
    }

    /// Greater than or equal to the value.
    pub fn ge(self, value: impl Literal<T>) -> Filter<E> {
        self.compare(Operator::Ge, false, &value)
    }

    /// Less than or equal to the value.
    pub fn le(self, value: impl Literal<T>) -> Filter<E> {
        self.compare(Operator::Le, false, &value)
    }

    /// Greater than the value.
    pub fn gt(self, value: impl Literal<T>) -> Filter<E> {
        self.compare(Operator::Gt, false, &value)
    }

    /// Less than the value.
    pub fn lt(self, value: impl Literal<T>) -> Filter<E> {
        self.compare(Operator::Lt, false, &value)
    }

    /// Equal to one of the values. More than 15 take an advanced query.
    pub fn is_in<I>(self, values: I) -> Filter<E>
    where
        I: IntoIterator,
        I::Item: Literal<T>,
    {
        let literals = values.into_iter().map(|value| value.to_odata()).collect();
        Filter::new(Node::In {
            path: self.path,
            support: self.support,
            literals,
        })
    }

    /// Without a value.
    pub fn is_null(self) -> Filter<E> {
        self.null(false)
    }

    /// With a value, whichever; this takes an advanced query.
    pub fn is_not_null(self) -> Filter<E> {
        self.null(true)
    }

    /// From the smallest value up.
    pub const fn asc(self) -> Order<E> {
        self.order(false)
    }

    /// From the greatest value down.
    pub const fn desc(self) -> Order<E> {
        self.order(true)
    }

    /// A property inside of this one's value.
    ///
    /// ```
    /// use entra_graph::{User, types::EmployeeOrgData};
    /// let filter = User::EMPLOYEE_ORG_DATA.then(EmployeeOrgData::DIVISION).eq("Retail");
    /// assert_eq!(filter.to_string(), "employeeOrgData/division eq 'Retail'");
    /// ```
    #[must_use]
    pub fn then<U>(self, inner: Property<T, U>) -> Property<E, U>
    where
        E: Entity,
    {
        let path = self.path.then(inner.name());
        Property {
            path,
            support: E::INFO.nested(path),
            marker: PhantomData,
        }
    }

    fn compare(self, operator: Operator, negated: bool, value: &impl Literal<T>) -> Filter<E> {
        Filter::new(Node::Compare {
            path: self.path,
            support: self.support,
            operator,
            negated,
            literal: value.to_odata(),
        })
    }

    fn null(self, negated: bool) -> Filter<E> {
        Filter::new(Node::Null {
            path: self.path,
            support: self.support,
            negated,
        })
    }

    const fn order(self, descending: bool) -> Order<E> {
        Order {
            name: self.name(),
            support: self.support,
            descending,
            marker: PhantomData,
        }
    }
}

impl<E> Property<E, String> {
    /// Beginning with the text.
    pub fn starts_with(self, text: impl Literal<String>) -> Filter<E> {
        self.compare(Operator::StartsWith, false, &text)
    }

    /// Ending with the text; this takes an advanced query.
    pub fn ends_with(self, text: impl Literal<String>) -> Filter<E> {
        self.compare(Operator::EndsWith, false, &text)
    }

    /// With the text somewhere in it.
    pub fn contains(self, text: impl Literal<String>) -> Filter<E> {
        self.compare(Operator::Contains, false, &text)
    }

    /// Having a word that begins with the text.
    pub fn search(self, text: &str) -> Search<E> {
        Search::new(self.name(), self.support, text)
    }
}

impl<E, T> Property<E, Vec<T>> {
    /// With an item for which the condition holds.
    ///
    /// ```
    /// use entra_graph::{User, types::AssignedPlan};
    /// let mail = User::PROXY_ADDRESSES.any(|address| address.starts_with("smtp:adele"));
    /// assert_eq!(mail.to_string(), "proxyAddresses/any(x:startswith(x,'smtp:adele'))");
    /// let plan = User::ASSIGNED_PLANS.any(|plan| plan.then(AssignedPlan::SERVICE).eq("exchange"));
    /// assert_eq!(plan.to_string(), "assignedPlans/any(x:x/service eq 'exchange')");
    /// ```
    pub fn any(self, condition: impl FnOnce(Property<E, T>) -> Filter<E>) -> Filter<E> {
        let item = Property {
            path: Path {
                variable: self.path.parts().count(),
                ..self.path
            },
            support: self.support,
            marker: PhantomData,
        };
        Filter::new(Node::Any {
            path: self.path,
            inner: Box::new(condition(item).node),
        })
    }

    /// Without items; this takes an advanced query.
    pub fn is_empty(self) -> Filter<E> {
        self.count(true)
    }

    /// With at least one item; this takes an advanced query.
    pub fn is_not_empty(self) -> Filter<E> {
        self.count(false)
    }

    fn count(self, empty: bool) -> Filter<E> {
        Filter::new(Node::Count {
            path: self.path,
            empty,
        })
    }
}

impl Path {
    pub(crate) const fn root(&self) -> &'static str {
        self.segments[0]
    }

    fn then(mut self, name: &'static str) -> Self {
        match self.segments.iter_mut().find(|segment| segment.is_empty()) {
            Some(segment) => *segment = name,
            // No documented path is deeper, so there is no support row for this one either.
            None => self.segments = ["", "", ""],
        }
        self
    }

    /// Whether the path may stand inside of the collection's `any`, or of none.
    pub(crate) fn fits(&self, scope: Option<Self>) -> bool {
        let (names, length) =
            scope.map_or(([""; 3], 0), |path| (path.segments, path.parts().count()));
        self.variable == length && self.segments[..length] == names[..length]
    }

    /// The path from the entity, without range variables.
    pub(crate) fn full(&self) -> String {
        self.parts().collect::<Vec<_>>().join("/")
    }

    fn parts(&self) -> impl Iterator<Item = &'static str> {
        self.segments
            .into_iter()
            .filter(|segment| !segment.is_empty())
    }
}

/// The path as a filter writes it.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.variable > 0 {
            f.write_str("x")?;
        }
        for (at, part) in self.parts().enumerate().skip(self.variable) {
            f.write_str(if at > 0 { "/" } else { "" })?;
            f.write_str(part)?;
        }
        Ok(())
    }
}

impl<E, T> Clone for Property<E, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E, T> Copy for Property<E, T> {}

impl<E, T> fmt::Debug for Property<E, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Property({}: {})", self.path, self.support)
    }
}

/// A sort criterion: `User::DISPLAY_NAME.asc()`.
pub struct Order<E> {
    pub(crate) name: &'static str,
    pub(crate) support: Support,
    pub(crate) descending: bool,
    marker: PhantomData<fn() -> E>,
}

impl<E> Clone for Order<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Order<E> {}

impl<E> fmt::Debug for Order<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.descending { "desc" } else { "asc" };
        write!(f, "Order({} {direction})", self.name)
    }
}

/// A relationship of `E` that `$expand` can fetch along, as a constant: `User::MANAGER`.
pub struct Relation<E> {
    name: &'static str,
    select: Vec<Cow<'static, str>>,
    marker: PhantomData<fn() -> E>,
}

impl<E> Relation<E> {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            select: Vec::new(),
            marker: PhantomData,
        }
    }

    /// With only these properties of the related objects, and their ids.
    ///
    /// ```
    /// use entra_graph::User;
    /// let manager = User::MANAGER.select([User::DISPLAY_NAME]);
    /// assert_eq!(manager.to_string(), "manager($select=id,displayName)");
    /// ```
    #[must_use]
    pub fn select<F>(mut self, properties: impl Selection<F>) -> Self {
        if self.select.is_empty() {
            self.select.push(Cow::Borrowed("id"));
        }
        properties.add_to(&mut self.select);
        self
    }
}

impl<E> fmt::Display for Relation<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if self.select.is_empty() {
            return Ok(());
        }
        write!(f, "($select={})", self.select.join(","))
    }
}

impl<E> Clone for Relation<E> {
    fn clone(&self) -> Self {
        Self {
            select: self.select.clone(),
            ..Self::new(self.name)
        }
    }
}

impl<E> fmt::Debug for Relation<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Relation({self})")
    }
}

/// Properties of `E` to select: one, an array of one type, or a tuple of any types.
///
/// ```
/// use entra_graph::{User, query::Selection};
/// fn takes(_: impl Selection<User>) {}
/// takes(User::MAIL);
/// takes([User::DISPLAY_NAME, User::USER_PRINCIPAL_NAME]);
/// takes((User::DISPLAY_NAME, User::ACCOUNT_ENABLED, User::CREATED_DATE_TIME));
/// ```
pub trait Selection<E> {
    /// Adds the names to a list.
    fn add_to(self, names: &mut Vec<Cow<'static, str>>);
}

impl<E, T> Selection<E> for Property<E, T> {
    fn add_to(self, names: &mut Vec<Cow<'static, str>>) {
        if !names.iter().any(|name| name == self.name()) {
            names.push(Cow::Borrowed(self.name()));
        }
    }
}

impl<E, S: Selection<E>, const N: usize> Selection<E> for [S; N] {
    fn add_to(self, names: &mut Vec<Cow<'static, str>>) {
        self.into_iter().for_each(|one| one.add_to(names));
    }
}

impl<E, S: Selection<E> + Clone> Selection<E> for &[S] {
    fn add_to(self, names: &mut Vec<Cow<'static, str>>) {
        self.iter().cloned().for_each(|one| one.add_to(names));
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<E, $($name: Selection<E>),*> Selection<E> for ($($name,)*) {
            fn add_to(self, names: &mut Vec<Cow<'static, str>>) {
                #[expect(non_snake_case, reason = "the type parameters name the tuple's parts")]
                let ($($name,)*) = self;
                $($name.add_to(names);)*
            }
        }
    };
}

tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D F);
tuples!(A B C D F G);
tuples!(A B C D F G H);
tuples!(A B C D F G H I);
tuples!(A B C D F G H I J);
tuples!(A B C D F G H I J K);
tuples!(A B C D F G H I J K L);
tuples!(A B C D F G H I J K L M);
