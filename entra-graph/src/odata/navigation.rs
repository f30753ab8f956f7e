use std::{borrow::Cow, fmt, marker::PhantomData};

use super::{
    Described, EntityInfo, Filter, Path, Property, ReadOnly, Selection, Support, filter::Node,
};

/// A relationship of `E` that `$expand` returns with the object, as a constant: `User::MANAGER`.
///
/// Of a few relationships Graph also filters by the related objects ([`path`](Self::path), [`any`](Self::any)).
pub struct NavigationProperty<E> {
    name: &'static str,
    /// What lists of the related objects depend on.
    related: &'static EntityInfo,
    select: Vec<Cow<'static, str>>,
    marker: PhantomData<fn() -> E>,
}

impl<E> NavigationProperty<E> {
    pub(crate) const fn new(name: &'static str, related: &'static EntityInfo) -> Self {
        Self {
            name,
            related,
            select: Vec::new(),
            marker: PhantomData,
        }
    }

    /// The name on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The options of the list of all related objects, as far as it takes them: the selected properties with commas
    /// between, empty for the default ones, and the largest page.
    pub(crate) fn list_options(&self) -> (String, Option<u16>) {
        let select = match self.related.no_list_options.contains(&"$select") {
            true => String::new(),
            false => self.select.join(","),
        };
        (select, self.related.page_size)
    }

    /// With only these properties of the related objects, and their ids.
    ///
    /// ```
    /// use entra_graph::User;
    /// let manager = User::MANAGER.select(User::DISPLAY_NAME);
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

/// Filters by related objects.
impl<E: Described> NavigationProperty<E> {
    /// A property of the related object, to filter by.
    ///
    /// ```
    /// use entra_graph::{DirectoryObject, User};
    /// let reports = User::MANAGER.path(DirectoryObject::ID).eq("25ee54ab-6cd9-4a45-acc4-dc6ce5b5b4a3");
    /// assert_eq!(reports.to_string(), "manager/id eq '25ee54ab-6cd9-4a45-acc4-dc6ce5b5b4a3'");
    /// ```
    #[must_use]
    pub fn path<F, T, A>(&self, inner: Property<F, T, A>) -> Property<E, T, ReadOnly> {
        self.objects::<F>().path(inner)
    }

    /// Has a related object that matches the condition.
    ///
    /// ```
    /// use entra_graph::{DirectoryObject, ServicePrincipal};
    /// let creator = ServicePrincipal::CREATED_OBJECTS
    ///     .any(|object| object.path(DirectoryObject::ID).eq("25ee54ab-6cd9-4a45-acc4-dc6ce5b5b4a3"));
    /// assert_eq!(creator.to_string(), "createdObjects/any(x:x/id eq '25ee54ab-6cd9-4a45-acc4-dc6ce5b5b4a3')");
    /// ```
    pub fn any<F>(
        &self,
        condition: impl FnOnce(Property<E, F, ReadOnly>) -> Filter<E>,
    ) -> Filter<E> {
        let object = self.objects::<F>().into_variable();
        Filter::new(Node::Any {
            path: Path::of(Cow::Borrowed(self.name())),
            inner: Box::new(condition(object).node),
        })
    }

    /// The related objects themselves, which no operator compares.
    const fn objects<F>(&self) -> Property<E, F, ReadOnly> {
        Property::new(self.name(), Support::NONE)
    }
}

impl<E> fmt::Display for NavigationProperty<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if self.select.is_empty() {
            return Ok(());
        }
        write!(f, "($select={})", self.select.join(","))
    }
}

impl<E> Clone for NavigationProperty<E> {
    fn clone(&self) -> Self {
        Self {
            select: self.select.clone(),
            ..Self::new(self.name, self.related)
        }
    }
}

impl<E> fmt::Debug for NavigationProperty<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NavigationProperty({self})")
    }
}
