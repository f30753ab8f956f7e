//! When a property can be set, as part of its type.

/// The moment a property is set: in the body of a create.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OnCreate;

/// The moment a property is set: in the body of an update.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OnUpdate;

/// When a property can be set: [`ReadOnly`], [`Writable`], [`CreateOnly`] or [`UpdateOnly`], or one of those that are never
/// null, [`Required`] and [`UpdateRequired`].
pub trait Access: 'static {}

/// The property can be set at this moment, [`OnCreate`] or [`OnUpdate`].
#[diagnostic::on_unimplemented(
    message = "Graph does not take this property here",
    label = "the property is `{Self}`, and this sets it `{Moment}`",
    note = "`ReadOnly` properties are never set, `CreateOnly` ones only in a create, `UpdateOnly` ones only in an update"
)]
pub trait SettableIn<Moment>: Access {}

/// The property can have no value, so that an update can clear it.
#[diagnostic::on_unimplemented(
    message = "Graph does not take null for this property",
    label = "the property is `{Self}`, and this clears it",
    note = "a property that always has a value is set to another one: `update().set(property, value)`"
)]
pub trait Clearable: SettableIn<OnUpdate> {}

macro_rules! accesses {
    ($($(#[$doc:meta])* $name:ident: [$($moment:ident),*] $($clearable:ident)?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        pub struct $name;

        impl Access for $name {}

        $(impl SettableIn<$moment> for $name {})*

        $(impl $clearable for $name {})?
    )*};
}

accesses! {
    /// Graph sets the property; a caller never does.
    ReadOnly: [];
    /// The property can be set in a create and in an update.
    Writable: [OnCreate, OnUpdate] Clearable;
    /// The property is fixed when the object is created.
    CreateOnly: [OnCreate];
    /// The property can be set once the object exists.
    UpdateOnly: [OnUpdate] Clearable;
    /// The property can be set in a create and in an update, and always has a value.
    Required: [OnCreate, OnUpdate];
    /// The property can be set once the object exists, and always has a value.
    UpdateRequired: [OnUpdate];
}
