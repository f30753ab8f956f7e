use std::borrow::Cow;

use entra_core::Timestamp;

use super::types::{
    ConditionalAccessConditionSet, ConditionalAccessGrantControls, ConditionalAccessPolicyState,
    ConditionalAccessSessionControls, CountryLookupMethodType, IpRange,
};
use crate::{
    model::{ODATA_TYPE, capable, entity},
    odata::{Described, EntityInfo, Filter, Literal},
};

entity! {
    /// A conditional access policy.
    ConditionalAccessPolicy: "#microsoft.graph.conditionalAccessPolicy", always [display_name] {
        /// When the policy applies.
        conditions: Box<ConditionalAccessConditionSet> as ConditionalAccessConditionSet = CONDITIONS("conditions");
        /// When the policy was created (UTC).
        created_date_time: Timestamp = CREATED_DATE_TIME("createdDateTime", "eq ge le gt lt orderby");
        /// When the policy was deleted (UTC); empty for a live one.
        deleted_date_time: Timestamp = DELETED_DATE_TIME("deletedDateTime");
        /// What the policy is for.
        description: String = DESCRIPTION("description");
        /// The display name.
        display_name: String = DISPLAY_NAME("displayName", "eq startsWith contains orderby");
        /// What a sign-in must meet to be granted.
        grant_controls: Box<ConditionalAccessGrantControls> as ConditionalAccessGrantControls = GRANT_CONTROLS("grantControls");
        /// When the policy was last changed (UTC).
        modified_date_time: Timestamp = MODIFIED_DATE_TIME("modifiedDateTime", "eq ge le gt lt orderby");
        /// What holds in the session.
        session_controls: Box<ConditionalAccessSessionControls> as ConditionalAccessSessionControls = SESSION_CONTROLS("sessionControls");
        /// Whether the policy is enforced.
        state: ConditionalAccessPolicyState = STATE("state", "eq");
        /// The template that the policy was created from.
        template_id: String = TEMPLATE_ID("templateId", "eq");
    }
}

entity! {
    /// A place that policies refer to: ranges of IP addresses, or countries. It has the properties of both types;
    /// [`is_ip`](Self::is_ip) and [`is_country`](Self::is_country) tell them apart.
    NamedLocation: "#microsoft.graph.namedLocation", always [display_name] {
        /// Countries and regions, as two letters.
        countries_and_regions: Vec<String> = COUNTRIES_AND_REGIONS("countriesAndRegions");
        /// How the country of a sign-in is found.
        country_lookup_method: CountryLookupMethodType = COUNTRY_LOOKUP_METHOD("countryLookupMethod");
        /// When the location was created (UTC).
        created_date_time: Timestamp = CREATED_DATE_TIME("createdDateTime", "eq ge le gt lt orderby");
        /// When the location was deleted (UTC); empty for a live one.
        deleted_date_time: Timestamp = DELETED_DATE_TIME("deletedDateTime");
        /// The display name.
        display_name: String = DISPLAY_NAME("displayName", "eq startsWith contains orderby");
        /// Whether addresses without a country belong to the location.
        include_unknown_countries_and_regions: bool = INCLUDE_UNKNOWN_COUNTRIES_AND_REGIONS("includeUnknownCountriesAndRegions");
        /// Ranges of IP addresses.
        ip_ranges: Vec<IpRange> = IP_RANGES("ipRanges");
        /// Whether the addresses are trusted.
        is_trusted: bool = IS_TRUSTED("isTrusted");
        /// When the location was last changed (UTC).
        modified_date_time: Timestamp = MODIFIED_DATE_TIME("modifiedDateTime", "eq ge le gt lt orderby");
    }
}

impl NamedLocation {
    /// Whether the location is ranges of IP addresses.
    #[must_use]
    pub fn is_ip(&self) -> bool {
        self.is_of_type("#microsoft.graph.ipNamedLocation")
    }

    /// Whether the location is countries.
    #[must_use]
    pub fn is_country(&self) -> bool {
        self.is_of_type("#microsoft.graph.countryNamedLocation")
    }

    /// Only locations that are ranges of IP addresses.
    pub fn filter_ip() -> Filter<Self> {
        Filter::raw("isof('microsoft.graph.ipNamedLocation')")
    }

    /// Only locations that are countries.
    pub fn filter_country() -> Filter<Self> {
        Filter::raw("isof('microsoft.graph.countryNamedLocation')")
    }

    /// Only locations with this country or region, as two letters.
    ///
    /// ```
    /// use entra_graph::NamedLocation;
    /// assert_eq!(
    ///     NamedLocation::filter_country_is("CA").to_string(),
    ///     "microsoft.graph.countryNamedLocation/countriesAndRegions/any(c:c eq 'CA')"
    /// );
    /// ```
    pub fn filter_country_is(country: &str) -> Filter<Self> {
        let country = Literal::<String>::to_odata(country);
        Filter::raw(format!(
            "microsoft.graph.countryNamedLocation/countriesAndRegions/any(c:c eq {country})"
        ))
    }

    fn is_of_type(&self, name: &str) -> bool {
        let own: Option<Cow<'_, str>> = self.additional().decode(ODATA_TYPE).unwrap_or_default();
        own.is_some_and(|own| own == name)
    }
}

// The pages have `$filter` and `$orderby` without names of properties; these are the plain ones.
impl Described for ConditionalAccessPolicy {
    const INFO: EntityInfo = EntityInfo::other(
        "conditional access policy",
        "conditional access policies",
        None,
    );
}

impl Described for NamedLocation {
    const INFO: EntityInfo = EntityInfo::other("named location", "named locations", None);
}

capable!(ConditionalAccessPolicy: Selectable, Filterable, Orderable, Toppable);
capable!(NamedLocation: Selectable, Filterable, Orderable, Toppable);
