use std::borrow::Cow;

use super::Property;

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
