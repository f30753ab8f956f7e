use crate::model::complex;

complex! {
    /// A key with a value.
    KeyValue {
        /// The key.
        key: String = KEY("key");
        /// The value.
        value: String = VALUE("value");
    }
}
