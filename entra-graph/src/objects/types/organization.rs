use crate::model::{complex, open_enum};

complex! {
    /// The privacy contact of a tenant.
    PrivacyProfile {
        /// Mail address for privacy questions.
        contact_email: String = CONTACT_EMAIL("contactEmail");
        /// Address of the privacy statement.
        statement_url: String = STATEMENT_URL("statementUrl");
    }
}

complex! {
    /// A verified domain of the tenant.
    VerifiedDomain {
        /// Services the domain is used for, such as `Email`.
        capabilities: String = CAPABILITIES("capabilities");
        /// Whether new users get this domain.
        is_default: bool = IS_DEFAULT("isDefault");
        /// Whether it is the domain the tenant was created with.
        is_initial: bool = IS_INITIAL("isInitial");
        /// Domain name.
        name: String = NAME("name");
        /// `Managed` or `Federated`.
        kind: String = KIND("type");
    }
}

open_enum! {
    /// Which service manages the mobile devices of a tenant.
    MdmAuthority {
        /// Not stated.
        Unknown = "unknown";
        /// Intune.
        Intune = "intune";
        /// Configuration Manager.
        Sccm = "sccm";
        /// Basic Mobility and Security of Microsoft 365.
        Office365 = "office365";
    }
}

open_enum! {
    /// What kind of partner a tenant is.
    PartnerTenantType {
        /// The support of Microsoft itself.
        MicrosoftSupport = "microsoftSupport";
        /// Sells and bills in its own name.
        SyndicatePartner = "syndicatePartner";
        /// Sells, without managing.
        BreadthPartner = "breadthPartner";
        /// Sells, and administers for the customer.
        BreadthPartnerDelegatedAdmin = "breadthPartnerDelegatedAdmin";
        /// Resells, and administers for the customer.
        ResellerPartnerDelegatedAdmin = "resellerPartnerDelegatedAdmin";
        /// Resells with services of its own, and administers for the customer.
        ValueAddedResellerPartnerDelegatedAdmin = "valueAddedResellerPartnerDelegatedAdmin";
    }
}
