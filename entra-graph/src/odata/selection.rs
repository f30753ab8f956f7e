use std::{borrow::Cow, fmt, marker::PhantomData};

use super::{EntityInfo, Property};

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

/// Properties of `E` to select: one, or a tuple of any types. An array or slice takes properties of one
/// type only.
///
/// ```
/// use entra_graph::{User, query::Selection};
/// fn takes(_: impl Selection<User>) {}
/// takes(User::MAIL);
/// takes((User::DISPLAY_NAME, User::ACCOUNT_ENABLED, User::CREATED_DATE_TIME));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not select properties of `{E}`",
    note = "select one property or a tuple of up to 20: `select((User::MAIL, User::ACCOUNT_ENABLED))`"
)]
pub trait Selection<E> {
    /// Adds the names to a list.
    fn add_to(self, names: &mut Vec<Cow<'static, str>>);
}

impl<E, T, A> Selection<E> for Property<E, T, A> {
    fn add_to(self, names: &mut Vec<Cow<'static, str>>) {
        if !names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(self.name()))
        {
            names.push(self.into_name());
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
tuples!(A B C D F G H I J K L M N);
tuples!(A B C D F G H I J K L M N O);
tuples!(A B C D F G H I J K L M N O P);
tuples!(A B C D F G H I J K L M N O P Q);
tuples!(A B C D F G H I J K L M N O P Q R);
tuples!(A B C D F G H I J K L M N O P Q R S);
tuples!(A B C D F G H I J K L M N O P Q R S T);
tuples!(A B C D F G H I J K L M N O P Q R S T U);
