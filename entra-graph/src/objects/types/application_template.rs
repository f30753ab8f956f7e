use crate::model::{complex, open_enum};

complex! {
    /// What is known about the risk of an app of the gallery.
    ApplicationRiskFactors {
        /// Standards that it complies with.
        compliance: Box<ApplicationSecurityCompliance> as ApplicationSecurityCompliance = COMPLIANCE("compliance");
        /// Its provider.
        general: Box<ApplicationRiskFactorGeneralInfo> as ApplicationRiskFactorGeneralInfo = GENERAL("general");
        /// Its legal terms.
        legal: Box<ApplicationRiskFactorLegalInfo> as ApplicationRiskFactorLegalInfo = LEGAL("legal");
        /// Its security measures.
        security: Box<ApplicationRiskFactorSecurityInfo> as ApplicationRiskFactorSecurityInfo = SECURITY("security");
    }
}

complex! {
    /// Scores of an app of the gallery, from 0 (highest risk) to 10.
    ApplicationRiskScore {
        /// Score of its compliance.
        compliance: f64 = COMPLIANCE("compliance");
        /// Score of its legal terms.
        legal: f64 = LEGAL("legal");
        /// Score of its provider.
        provider: f64 = PROVIDER("provider");
        /// Score of its security.
        security: f64 = SECURITY("security");
        /// Total score.
        total: f64 = TOTAL("total");
    }
}

complex! {
    /// Standards that an app of the gallery complies with.
    ApplicationSecurityCompliance {
        /// Whether it complies with COBIT.
        cobit: bool = COBIT("cobit");
        /// Whether it complies with COPPA, on the privacy of children.
        coppa: bool = COPPA("coppa");
        /// Its level in the STAR registry of the Cloud Security Alliance.
        csa_star: CsaStarLevel = CSA_STAR("csaStar");
        /// Its level in FedRAMP.
        fed_ramp: FedRampLevel = FED_RAMP("fedRamp");
        /// Whether it complies with FERPA, on education records.
        ferpa: bool = FERPA("ferpa");
        /// Whether it complies with FFIEC.
        ffiec: bool = FFIEC("ffiec");
        /// Whether it complies with FINRA.
        finra: bool = FINRA("finra");
        /// Whether it complies with FISMA.
        fisma: bool = FISMA("fisma");
        /// Whether it complies with GAAP, on accounting.
        gaap: bool = GAAP("gaap");
        /// Whether it complies with GAPP, on privacy.
        gapp: bool = GAPP("gapp");
        /// Whether it complies with GLBA.
        glba: bool = GLBA("glba");
        /// Whether it complies with HIPAA, on health data.
        hipaa: bool = HIPAA("hipaa");
        /// Whether it complies with HITRUST CSF.
        hitrust: bool = HITRUST("hitrust");
        /// Whether it complies with ISAE 3402.
        isae3402: bool = ISAE3402("isae3402");
        /// Whether it complies with ISO 27001.
        iso27001: bool = ISO27001("iso27001");
        /// Whether it complies with ISO 27002.
        iso27002: bool = ISO27002("iso27002");
        /// Whether it complies with ISO 27017.
        iso27017: bool = ISO27017("iso27017");
        /// Whether it complies with ISO 27018.
        iso27018: bool = ISO27018("iso27018");
        /// Whether it complies with ITAR.
        itar: bool = ITAR("itar");
        /// Whether it complies with the Jericho Forum Commandments.
        jericho_forum_commandments: bool = JERICHO_FORUM_COMMANDMENTS("jerichoForumCommandments");
        /// Its version of PCI DSS.
        pci: PciVersion = PCI("pci");
        /// Whether it complies with Privacy Shield.
        privacy_shield: bool = PRIVACY_SHIELD("privacyShield");
        /// Whether it complies with Safe Harbor.
        safe_harbor: bool = SAFE_HARBOR("safeHarbor");
        /// Whether it complies with SOC 1.
        soc1: bool = SOC1("soc1");
        /// Whether it complies with SOC 2.
        soc2: bool = SOC2("soc2");
        /// Whether it complies with SOC 3.
        soc3: bool = SOC3("soc3");
        /// Whether it complies with SOX.
        sox: bool = SOX("sox");
        /// Whether it complies with NIST SP 800-53.
        sp800_53: bool = SP800_53("sp800_53");
        /// Whether it complies with SSAE 16.
        ssae16: bool = SSAE16("ssae16");
        /// Whether it complies with USTR.
        ustr: bool = USTR("ustr");
    }
}

complex! {
    /// The provider of an app of the gallery.
    ApplicationRiskFactorGeneralInfo {
        /// Its popularity among consumers.
        consumer_popularity: i32 = CONSUMER_POPULARITY("consumerPopularity");
        /// The date when its domain was registered, such as `2010-01-31`.
        domain_registration_date: String = DOMAIN_REGISTRATION_DATE("domainRegistrationDate");
        /// The year when the provider was founded.
        founded: i32 = FOUNDED("founded");
        /// Whether it has a disaster recovery plan.
        has_disaster_recovery_plan: bool = HAS_DISASTER_RECOVERY_PLAN("hasDisasterRecoveryPlan");
        /// Whether the provider is private or public.
        hold: HoldType = HOLD("hold");
        /// The company that hosts it.
        hosting_company_name: String = HOSTING_COMPANY_NAME("hostingCompanyName");
        /// Where it is.
        location: Box<ApplicationLocation> as ApplicationLocation = LOCATION("location");
        /// Its privacy policy.
        privacy_policy: String = PRIVACY_POLICY("privacyPolicy");
        /// The types of data that it processes.
        processed_data_types: ApplicationDataType = PROCESSED_DATA_TYPES("processedDataTypes");
        /// Its terms of service.
        terms_of_service: String = TERMS_OF_SERVICE("termsOfService");
    }
}

complex! {
    /// Where an app of the gallery is.
    ApplicationLocation {
        /// The country of its data center.
        data_center: String = DATA_CENTER("dataCenter");
        /// The country of its headquarters.
        headquarters: String = HEADQUARTERS("headquarters");
    }
}

complex! {
    /// The legal terms of an app of the gallery.
    ApplicationRiskFactorLegalInfo {
        /// How long it stores data after the end of the contract.
        data_retention: DataRetentionLevel = DATA_RETENTION("dataRetention");
        /// How it follows the GDPR.
        gdpr: Box<ApplicationRiskFactorLegalInfoGdpr> as ApplicationRiskFactorLegalInfoGdpr = GDPR("gdpr");
        /// Whether users own their data.
        has_data_ownership: bool = HAS_DATA_OWNERSHIP("hasDataOwnership");
        /// Whether it follows the DMCA.
        has_dmca: bool = HAS_DMCA("hasDmca");
    }
}

complex! {
    /// How an app of the gallery follows the GDPR.
    ApplicationRiskFactorLegalInfoGdpr {
        /// Its measures of data protection.
        data_protection: DataProtection = DATA_PROTECTION("dataProtection");
        /// Whether data is erased on request.
        has_right_to_erasure: bool = HAS_RIGHT_TO_ERASURE("hasRightToErasure");
        /// Whether it reports data breaches.
        is_reporting_data_breaches: bool = IS_REPORTING_DATA_BREACHES("isReportingDataBreaches");
        /// Its statement.
        statement_url: String = STATEMENT_URL("statementUrl");
        /// The rights of users over their data.
        user_ownership: UserOwnership = USER_OWNERSHIP("userOwnership");
    }
}

complex! {
    /// The TLS certificate of an app of the gallery.
    ApplicationRiskFactorCertificateInfo {
        /// Whether its common name is invalid.
        has_bad_common_name: bool = HAS_BAD_COMMON_NAME("hasBadCommonName");
        /// Whether its signature is insecure.
        has_insecure_signature: bool = HAS_INSECURE_SIGNATURE("hasInsecureSignature");
        /// Whether its chain of trust is missing.
        has_no_chain_of_trust: bool = HAS_NO_CHAIN_OF_TRUST("hasNoChainOfTrust");
        /// Whether it is on a deny list.
        is_denylisted: bool = IS_DENYLISTED("isDenylisted");
        /// Whether its names and the host differ.
        is_hostname_mismatch: bool = IS_HOSTNAME_MISMATCH("isHostnameMismatch");
        /// Whether it has expired.
        is_not_after: bool = IS_NOT_AFTER("isNotAfter");
        /// Whether it is not valid yet.
        is_not_before: bool = IS_NOT_BEFORE("isNotBefore");
        /// Whether it is revoked.
        is_revoked: bool = IS_REVOKED("isRevoked");
        /// Whether it is self-signed.
        is_self_signed: bool = IS_SELF_SIGNED("isSelfSigned");
    }
}

complex! {
    /// The security measures of an app of the gallery.
    ApplicationRiskFactorSecurityInfo {
        /// Its TLS certificate.
        certificate: Box<ApplicationRiskFactorCertificateInfo> as ApplicationRiskFactorCertificateInfo = CERTIFICATE("certificate");
        /// The domain that was checked.
        domain_to_check: String = DOMAIN_TO_CHECK("domainToCheck");
        /// Whether it records what administrators do.
        has_admin_audit_trail: bool = HAS_ADMIN_AUDIT_TRAIL("hasAdminAuditTrail");
        /// Whether it can be used anonymously.
        has_anonymous_usage: bool = HAS_ANONYMOUS_USAGE("hasAnonymousUsage");
        /// Whether it records access to data.
        has_data_audit_trail: bool = HAS_DATA_AUDIT_TRAIL("hasDataAuditTrail");
        /// Whether it classifies data.
        has_data_classification: bool = HAS_DATA_CLASSIFICATION("hasDataClassification");
        /// Whether it encrypts data at rest.
        has_data_encrypted: bool = HAS_DATA_ENCRYPTED("hasDataEncrypted");
        /// Whether it enforces encryption in transit.
        has_enforce_transport_enc: bool = HAS_ENFORCE_TRANSPORT_ENC("hasEnforceTransportEnc");
        /// Whether it can restrict IP addresses.
        has_ip_restriction: bool = HAS_IP_RESTRICTION("hasIpRestriction");
        /// Whether it has multifactor authentication.
        has_mfa: bool = HAS_MFA("hasMFA");
        /// Whether it is tested for penetration.
        has_pen_test: bool = HAS_PEN_TEST("hasPenTest");
        /// Whether it remembers passwords.
        has_remember_password: bool = HAS_REMEMBER_PASSWORD("hasRememberPassword");
        /// Whether it supports SAML.
        has_saml_support: bool = HAS_SAML_SUPPORT("hasSamlSupport");
        /// Whether it records what users do.
        has_user_audit_logs: bool = HAS_USER_AUDIT_LOGS("hasUserAuditLogs");
        /// Whether users can upload data.
        has_user_data_upload: bool = HAS_USER_DATA_UPLOAD("hasUserDataUpload");
        /// Whether it has roles.
        has_user_roles_support: bool = HAS_USER_ROLES_SUPPORT("hasUserRolesSupport");
        /// Whether the name of its certificate is valid.
        has_valid_cert_name: bool = HAS_VALID_CERT_NAME("hasValidCertName");
        /// The security headers that it sends.
        https_security_headers: Vec<String> = HTTPS_SECURITY_HEADERS("httpsSecurityHeaders");
        /// Whether its certificate is trusted.
        is_cert_trusted: bool = IS_CERT_TRUSTED("isCertTrusted");
        /// Whether it is vulnerable to DROWN.
        is_drown_vulnerable: bool = IS_DROWN_VULNERABLE("isDrownVulnerable");
        /// Whether it is protected against Heartbleed.
        is_heartbleed_proof: bool = IS_HEARTBLEED_PROOF("isHeartbleedProof");
        /// The date of its last breach, such as `2010-01-31`.
        last_breach_date: String = LAST_BREACH_DATE("lastBreachDate");
        /// Its latest version of TLS.
        latest_valid_ssl: SslVersion = LATEST_VALID_SSL("latestValidSSL");
        /// Its rules for passwords.
        password_policy: PasswordPolicy = PASSWORD_POLICY("passwordPolicy");
        /// How it encrypts data at rest.
        rest_encryption_type: RestEncryptionType = REST_ENCRYPTION_TYPE("restEncryptionType");
    }
}

open_enum! {
    /// A level in the STAR registry of the Cloud Security Alliance.
    CsaStarLevel {
        /// No level.
        None = "none";
        /// Attestation.
        Attestation = "attestation";
        /// Certification.
        Certification = "certification";
        /// Continuous monitoring.
        ContinuousMonitoring = "continuousMonitoring";
        /// C-STAR assessment.
        CStarAssessment = "cStarAssessment";
        /// Self-assessment.
        SelfAssessment = "selfAssessment";
        /// It has none.
        NotSupported = "notSupported";
    }
}

open_enum! {
    /// A level in FedRAMP.
    FedRampLevel {
        /// No level.
        None = "none";
        /// High.
        High = "high";
        /// LI-SaaS.
        LiSaas = "liSaas";
        /// Low.
        Low = "low";
        /// Moderate.
        Moderate = "moderate";
        /// It has none.
        NotSupported = "notSupported";
    }
}

open_enum! {
    /// A version of PCI DSS.
    PciVersion {
        /// No version.
        None = "none";
        /// 3.2.1.
        V321 = "v3_2_1";
        /// 4.
        V4 = "v4";
        /// It has none.
        NotSupported = "notSupported";
    }
}

open_enum! {
    /// Who holds a company.
    HoldType {
        /// Not known.
        None = "none";
        /// It is private.
        Private = "private";
        /// It is public.
        Public = "public";
    }
}

open_enum! {
    /// A type of data. Several are joined by commas, and are `Other`.
    ApplicationDataType {
        /// None.
        None = "none";
        /// Source code.
        CodingFiles = "codingFiles";
        /// Credit cards.
        CreditCards = "creditCards";
        /// Databases.
        DatabaseFiles = "databaseFiles";
        /// Documents.
        Documents = "documents";
        /// Media.
        MediaFiles = "mediaFiles";
    }
}

open_enum! {
    /// How long data is stored after the end of the contract.
    DataRetentionLevel {
        /// Not known.
        None = "none";
        /// Data stays.
        DataRetained = "dataRetained";
        /// No time.
        DeletedImmediately = "deletedImmediately";
        /// Up to a month.
        DeletedWithin1Month = "deletedWithin1Month";
        /// Up to two weeks.
        DeletedWithin2Weeks = "deletedWithin2Weeks";
        /// Up to three months.
        DeletedWithin3Months = "deletedWithin3Months";
        /// More than three months.
        DeletedWithinMoreThan3Months = "deletedWithinMoreThan3Months";
    }
}

open_enum! {
    /// A version of SSL or TLS.
    SslVersion {
        /// Not known.
        None = "none";
        /// SSL 3.0.
        Ssl30 = "ssl3_0";
        /// TLS 1.0.
        Tls10 = "tls1_0";
        /// TLS 1.1.
        Tls11 = "tls1_1";
        /// TLS 1.2.
        Tls12 = "tls1_2";
        /// TLS 1.3.
        Tls13 = "tls1_3";
        /// It has none.
        NotSupported = "notSupported";
    }
}

open_enum! {
    /// A rule for passwords. Several are joined by commas, and are `Other`.
    PasswordPolicy {
        /// None.
        None = "none";
        /// They expire.
        ChangePasswordPeriod = "changePasswordPeriod";
        /// They have several classes of characters.
        CharactersCombination = "charactersCombination";
        /// They are not reused.
        PasswordHistoryAndReuse = "passwordHistoryAndReuse";
        /// They have a length.
        PasswordLengthLimit = "passwordLengthLimit";
        /// They hold no personal information.
        PersonalInformationUse = "personalInformationUse";
    }
}

open_enum! {
    /// How data at rest is encrypted.
    RestEncryptionType {
        /// Not known.
        None = "none";
        /// AES.
        Aes = "aes";
        /// BitLocker.
        Bitlocker = "bitlocker";
        /// Blowfish.
        Blowfish = "blowfish";
        /// DES.
        Des = "des";
        /// RC4.
        Rc4 = "rc4";
        /// RSA.
        Rsa = "rsa";
        /// It is not encrypted.
        NotSupported = "notSupported";
    }
}

open_enum! {
    /// A measure of data protection. Several are joined by commas, and are `Other`.
    DataProtection {
        /// None.
        None = "none";
        /// Impact assessments.
        ImpactAssessments = "impactAssessments";
        /// Data protection officers.
        Officers = "officers";
        /// Secure transfer across borders.
        SecureCrossBorderDataTransfer = "secureCrossBorderDataTransfer";
    }
}

open_enum! {
    /// A right of users over their data. Several are joined by commas, and are `Other`.
    UserOwnership {
        /// None.
        None = "none";
        /// A lawful basis for processing.
        LawfulBasisForProcessing = "lawfulBasisForProcessing";
        /// Access.
        RightToAccess = "rightToAccess";
        /// Information.
        RightToBeInformed = "rightToBeInformed";
        /// Portability.
        RightToDataPortability = "rightToDataPortability";
        /// Objection.
        RightToObject = "rightToObject";
        /// Rectification.
        RightToRectification = "rightToRectification";
        /// Restriction of processing.
        RightToRestrictionOfProcessing = "rightToRestrictionOfProcessing";
        /// Rights related to automated decisions.
        RightsRelatedToAutomatedDecisionMaking = "rightsRelatedToAutomatedDecisionMaking";
    }
}
