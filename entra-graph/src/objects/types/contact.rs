use crate::model::{complex, open_enum};

complex! {
    /// A phone number.
    Phone {
        /// Not documented for contacts.
        language: String = LANGUAGE("language");
        /// The number.
        number: String = NUMBER("number");
        /// Not documented for contacts.
        region: String = REGION("region");
        /// The type of the number.
        kind: PhoneType = KIND("type");
    }
}

complex! {
    /// The address of an office.
    PhysicalOfficeAddress {
        /// The city.
        city: String = CITY("city");
        /// The country or region.
        country_or_region: String = COUNTRY_OR_REGION("countryOrRegion");
        /// The office.
        office_location: String = OFFICE_LOCATION("officeLocation");
        /// The postal code.
        postal_code: String = POSTAL_CODE("postalCode");
        /// The state.
        state: String = STATE("state");
        /// The street.
        street: String = STREET("street");
    }
}

open_enum! {
    /// The type of a phone number.
    PhoneType {
        /// Of an assistant.
        Assistant = "assistant";
        /// At work.
        Business = "business";
        /// Fax at work.
        BusinessFax = "businessFax";
        /// At home.
        Home = "home";
        /// Fax at home.
        HomeFax = "homeFax";
        /// Mobile.
        Mobile = "mobile";
        /// Any other.
        OtherPhone = "other";
        /// Any other fax.
        OtherFax = "otherFax";
        /// Pager.
        Pager = "pager";
        /// Radio.
        Radio = "radio";
    }
}
