use entra_core::Timestamp;

use crate::model::complex;

complex! {
    /// Fifteen free texts, synchronised from the directory on premises.
    OnPremisesExtensionAttributes {
        /// Free text number 1.
        extension_attribute1: String = EXTENSION_ATTRIBUTE1("extensionAttribute1");
        /// Free text number 2.
        extension_attribute2: String = EXTENSION_ATTRIBUTE2("extensionAttribute2");
        /// Free text number 3.
        extension_attribute3: String = EXTENSION_ATTRIBUTE3("extensionAttribute3");
        /// Free text number 4.
        extension_attribute4: String = EXTENSION_ATTRIBUTE4("extensionAttribute4");
        /// Free text number 5.
        extension_attribute5: String = EXTENSION_ATTRIBUTE5("extensionAttribute5");
        /// Free text number 6.
        extension_attribute6: String = EXTENSION_ATTRIBUTE6("extensionAttribute6");
        /// Free text number 7.
        extension_attribute7: String = EXTENSION_ATTRIBUTE7("extensionAttribute7");
        /// Free text number 8.
        extension_attribute8: String = EXTENSION_ATTRIBUTE8("extensionAttribute8");
        /// Free text number 9.
        extension_attribute9: String = EXTENSION_ATTRIBUTE9("extensionAttribute9");
        /// Free text number 10.
        extension_attribute10: String = EXTENSION_ATTRIBUTE10("extensionAttribute10");
        /// Free text number 11.
        extension_attribute11: String = EXTENSION_ATTRIBUTE11("extensionAttribute11");
        /// Free text number 12.
        extension_attribute12: String = EXTENSION_ATTRIBUTE12("extensionAttribute12");
        /// Free text number 13.
        extension_attribute13: String = EXTENSION_ATTRIBUTE13("extensionAttribute13");
        /// Free text number 14.
        extension_attribute14: String = EXTENSION_ATTRIBUTE14("extensionAttribute14");
        /// Free text number 15.
        extension_attribute15: String = EXTENSION_ATTRIBUTE15("extensionAttribute15");
    }
}

complex! {
    /// An error that prevented the synchronization of an object.
    OnPremisesProvisioningError {
        /// The kind of problem, such as `PropertyConflict`.
        category: String = CATEGORY("category");
        /// When it happened.
        occurred_date_time: Timestamp = OCCURRED_DATE_TIME("occurredDateTime");
        /// The property that caused the error.
        property_causing_error: String = PROPERTY_CAUSING_ERROR("propertyCausingError");
        /// The value that caused the error.
        value: String = VALUE("value");
    }
}

complex! {
    /// An error that a service reported for an object.
    ServiceProvisioningError {
        /// When it happened.
        created_date_time: Timestamp = CREATED_DATE_TIME("createdDateTime");
        /// Whether the error is resolved.
        is_resolved: bool = IS_RESOLVED("isResolved");
        /// The service that reported it.
        service_instance: String = SERVICE_INSTANCE("serviceInstance");
    }
}
