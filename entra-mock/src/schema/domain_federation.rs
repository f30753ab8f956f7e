//! `internalDomainFederation`: the federation settings of a domain.

use super::*;

pub(super) const DOMAIN_FEDERATION: EntityType = EntityType {
    name: "internalDomainFederation",
    set: "federationConfiguration",
    control_path: None,
    directory: false,
    open: false,
    object: false,
    id: IdForm::Guid,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: &[],
    object_options: &[],
    pages: None,
    visibility: Visibility::with(&[
        "Domain-InternalFederation.Read.All",
        "Domain-InternalFederation.ReadWrite.All",
        "Domain.Read.All",
        "Domain.ReadWrite.All",
    ]),
    deletion: Deletion::Hard,
    behavior: Behavior::DomainFederation,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities {
        add: "Set federation settings on domain",
        update: "Set federation settings on domain",
        purge: "Set domain authentication",
        named: &[DOMAIN_OF],
        ..Activities::of("DirectoryManagement")
    },
    properties: &[
        text("id").shown(),
        text("activeSignInUri").shown().writable(),
        text("displayName").shown().writable(),
        text("federatedIdpMfaBehavior").shown().writable(),
        boolean("isSignedAuthenticationRequestRequired")
            .shown()
            .writable(),
        text("issuerUri").shown().required(),
        text("metadataExchangeUri").shown().writable(),
        text("nextSigningCertificate").shown().writable(),
        text("passiveSignInUri").shown().required(),
        text("passwordResetUri").shown().writable(),
        text("preferredAuthenticationProtocol").shown().writable(),
        text("promptLoginBehavior").shown().writable(),
        text("signOutUri").shown().writable(),
        text("signingCertificate").shown().writable(),
        complex("signingCertificateUpdateStatus").shown(),
    ],
    rules: &[],
    order: &[],
    search: &[],
    navigation: &[],
    relationships: &[],
    // They have a path below their domain only.
    operations: &[],
};

/// Internal property with the name of the domain.
pub(crate) const DOMAIN_OF: &str = "~domain";
