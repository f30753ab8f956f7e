//! `namedLocation`: properties of its two derived types, `$filter` rules, `$orderby`.

use super::{
    Mode::*,
    Type::*,
    conditional_access_policy::{READ_POLICIES, READ_TOO, WRITE_POLICIES},
    operation::*,
    *,
};

pub(super) const NAMED_LOCATION: EntityType = EntityType {
    name: "namedLocation",
    set: "identity/conditionalAccess/namedLocations",
    control_path: None,
    directory: false,
    open: false,
    object: false,
    id: IdForm::Guid,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: &["$count", "$filter", "$orderby", "$select", "$top"],
    object_options: SELECT_ONLY,
    // The page has `$top` without a number.
    pages: DIRECTORY_PAGES,
    visibility: Visibility::with(READ_POLICIES),
    deletion: Deletion::Hard,
    behavior: Behavior::AsDeclared,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities {
        add: "Add named location",
        update: "Update named location",
        purge: "Delete named location",
        ..Activities::of("Policy")
    },
    properties: &[
        text("id").shown(),
        text("@odata.type").never(),
        text("countriesAndRegions")
            .many()
            .shown()
            .writable()
            .of(COUNTRY),
        text("countryLookupMethod").shown().writable().of(COUNTRY),
        date("createdDateTime").shown(),
        date("deletedDateTime").shown(),
        text("displayName").shown().required(),
        boolean("includeUnknownCountriesAndRegions")
            .shown()
            .writable()
            .of(COUNTRY),
        complex("ipRanges").many().shown().writable().of(IP),
        boolean("isTrusted").shown().writable().of(IP),
        date("modifiedDateTime").shown(),
    ],
    rules: &[
        // `isof('microsoft.graph.ipNamedLocation')`
        rule("@odata.type", Text, Basic, No, No, No),
        rule("countriesAndRegions/any", Text, Basic, No, No, No),
        rule("createdDateTime", Date, Basic, No, Basic, No).and_strict_range(),
        rule("displayName", Text, Basic, Basic, No, No).and_contains(),
        rule("id", Text, Basic, No, No, No),
        rule("modifiedDateTime", Date, Basic, No, Basic, No).and_strict_range(),
    ],
    order: &[
        ("createdDateTime", Basic),
        ("displayName", Basic),
        ("modifiedDateTime", Basic),
    ],
    search: &[],
    navigation: &[],
    relationships: &[],
    operations: &[
        both(
            "GET",
            "/identity/conditionalAccess/namedLocations",
            READ_POLICIES,
        ),
        both(
            "POST",
            "/identity/conditionalAccess/namedLocations",
            WRITE_POLICIES,
        )
        .together_with(READ_TOO),
        both(
            "GET",
            "/identity/conditionalAccess/namedLocations/{id}",
            READ_POLICIES,
        ),
        both(
            "PATCH",
            "/identity/conditionalAccess/namedLocations/{id}",
            WRITE_POLICIES,
        )
        .together_with(READ_TOO),
        both(
            "DELETE",
            "/identity/conditionalAccess/namedLocations/{id}",
            WRITE_POLICIES,
        )
        .together_with(READ_TOO),
    ],
};

const IP: &str = "ipNamedLocation";
const COUNTRY: &str = "countryNamedLocation";
