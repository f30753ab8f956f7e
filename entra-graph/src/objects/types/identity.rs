use crate::model::complex;

complex! {
    /// An object by its id and name.
    Identity {
        /// The display name.
        display_name: String = DISPLAY_NAME("displayName");
        /// The object id.
        id: String = ID("id");
    }
}
