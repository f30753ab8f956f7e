//! When a property can be set, as part of its type.

/// The moment a property is set: in the body of a create.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OnCreate;

/// The moment a property is set: in the body of an update.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OnUpdate;

/// When a property can be set: [`ReadOnly`], [`Writable`], [`CreateOnly`] or [`UpdateOnly`].
pub trait Access: 'static {}

/// The property can be set at this moment, [`OnCreate`] or [`OnUpdate`].
#[diagnostic::on_unimplemented(
    message = "Graph does not take this property here",
    label = "the property is `{Self}`, and this sets it `{Moment}`",
    note = "`ReadOnly` properties are never set, `CreateOnly` ones only in a create, `UpdateOnly` ones only in an update"
)]
pub trait SettableIn<Moment>: Access {}

macro_rules! accesses {
    ($($(#[$doc:meta])* $name:ident: [$($moment:ident),*];)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        pub struct $name;

        impl Access for $name {}

        $(impl SettableIn<$moment> for $name {})*
    )*};
}

accesses! {
    /// Graph sets the property; a caller never does.
    ReadOnly: [];
    /// The property can be set in a create and in an update.
    Writable: [OnCreate, OnUpdate];
    /// The property is fixed when the object is created.
    CreateOnly: [OnCreate];
    /// The property can be set once the object exists.
    UpdateOnly: [OnUpdate];
}
