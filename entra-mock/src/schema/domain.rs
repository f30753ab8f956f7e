//! `domain`: properties, relationships, operations.

use super::{operation::*, relationship::*, *};

/// Its id is its name.
pub(super) const DOMAIN: EntityType = EntityType {
    name: "domain",
    set: "domains",
    control_path: None,
    directory: false,
    open: false,
    object: false,
    id: IdForm::Text,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    // The page has query options without naming them.
    list_options: SELECT_ONLY,
    object_options: SELECT_ONLY,
    pages: None,
    visibility: Visibility::with(READ_DOMAINS),
    deletion: Deletion::Hard,
    behavior: Behavior::Domain,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities {
        add: "Add unverified domain",
        update: "Update domain",
        purge: "Remove unverified domain",
        ..Activities::of("DirectoryManagement")
    },
    properties: &[
        text("id").shown().required().at_creation(),
        text("authenticationType").shown(),
        text("availabilityStatus").shown(),
        boolean("isAdminManaged").shown(),
        boolean("isDefault").shown().at_update(),
        boolean("isInitial").shown(),
        boolean("isRoot").shown(),
        boolean("isVerified").shown(),
        text("manufacturer").shown(),
        text("model").shown(),
        int("passwordNotificationWindowInDays").shown().at_update(),
        int("passwordValidityPeriodInDays").shown().at_update(),
        complex("state").shown(),
        text("supportedServices")
            .many()
            .shown()
            .at_update()
            .one_of(&["Email", "OfficeCommunicationsOnline", "Yammer"]),
    ],
    rules: &[],
    order: &[],
    search: &[],
    navigation: &[
        "domainNameReferences",
        "federationConfiguration",
        "rootDomain",
        "serviceConfigurationRecords",
        "verificationDnsRecords",
    ],
    relationships: &[
        many(
            Kind::Domain,
            "domainNameReferences",
            &[Kind::User, Kind::Group, Kind::Application],
            Source::InDomain,
        ),
        own(
            Kind::Domain,
            "rootDomain",
            &[Kind::Domain],
            Source::RootDomain,
        ),
        own(
            Kind::Domain,
            "federationConfiguration",
            &[Kind::DomainFederation],
            Source::Children(domain_federation::DOMAIN_OF),
        ),
    ],
    operations: &[
        both("GET", "/domains", READ_DOMAINS),
        both("POST", "/domains", WRITE_DOMAINS),
        both("GET", "/domains/{id}", READ_DOMAINS),
        both("PATCH", "/domains/{id}", WRITE_DOMAINS),
        both("DELETE", "/domains/{id}", WRITE_DOMAINS),
        both("POST", "/domains/{id}/verify", WRITE_DOMAINS),
        both("POST", "/domains/{id}/promote", WRITE_DOMAINS),
        both("POST", "/domains/{id}/forceDelete", WRITE_DOMAINS),
        both("GET", "/domains/{id}/rootDomain", READ_DOMAINS),
        both("GET", "/domains/{id}/verificationDnsRecords", READ_RECORDS),
        both(
            "GET",
            "/domains/{id}/serviceConfigurationRecords",
            READ_RECORDS,
        ),
        both("GET", "/domains/{id}/domainNameReferences", READ_RECORDS),
        both(
            "GET",
            "/domains/{id}/federationConfiguration",
            &[
                "Domain-InternalFederation.Read.All",
                "Domain-InternalFederation.ReadWrite.All",
            ],
        ),
        both(
            "POST",
            "/domains/{id}/federationConfiguration",
            WRITE_FEDERATION,
        ),
        both(
            "GET",
            "/domains/{id}/federationConfiguration/{id}",
            &[
                "Domain-InternalFederation.Read.All",
                "Domain-InternalFederation.ReadWrite.All",
                "Domain.Read.All",
                "Domain.ReadWrite.All",
            ],
        ),
        both(
            "PATCH",
            "/domains/{id}/federationConfiguration/{id}",
            WRITE_FEDERATION,
        ),
        both(
            "DELETE",
            "/domains/{id}/federationConfiguration/{id}",
            WRITE_FEDERATION,
        ),
    ],
};

const READ_DOMAINS: &[&str] = &[
    "Domain.Read.All",
    "Directory.Read.All",
    "Domain.ReadWrite.All",
];
const READ_RECORDS: &[&str] = &["Domain.Read.All", "Domain.ReadWrite.All"];
const WRITE_DOMAINS: &[&str] = &["Domain.ReadWrite.All"];
const WRITE_FEDERATION: &[&str] = &[
    "Domain-InternalFederation.ReadWrite.All",
    "Domain.ReadWrite.All",
];
