use super::types::{
    DomainState, FederatedIdpMfaBehavior, PreferredAuthenticationProtocol, PromptLoginBehavior,
    SigningCertificateUpdateStatus,
};
use crate::{
    model::{capable, entity},
    odata::{Described, EntityInfo},
};

entity! {
    /// A domain of the tenant. The id is the domain name.
    Domain: "#microsoft.graph.domain", always [authentication_type] {
        /// `Managed` if Entra authenticates the users, `Federated` if another identity provider does.
        authentication_type: String = AUTHENTICATION_TYPE("authenticationType");
        /// Set in the response of a verification only: `AvailableImmediately` or `EmailVerifiedDomainTakeoverScheduled`.
        availability_status: String = AVAILABILITY_STATUS("availabilityStatus");
        /// Whether the organization manages the DNS records itself.
        is_admin_managed: bool = IS_ADMIN_MANAGED("isAdminManaged");
        /// Whether new users get this domain. Can be set to `true` only, which ends it for the domain before.
        is_default: bool = IS_DEFAULT("isDefault") update never null;
        /// Whether this is the domain below `onmicrosoft.com` that the tenant was created with.
        is_initial: bool = IS_INITIAL("isInitial");
        /// Whether this is a verified root domain, and not a subdomain.
        is_root: bool = IS_ROOT("isRoot");
        /// Whether the ownership is verified.
        is_verified: bool = IS_VERIFIED("isVerified");
        /// Not documented.
        manufacturer: String = MANUFACTURER("manufacturer");
        /// Not documented.
        model: String = MODEL("model");
        /// Days before the expiry of a password from which users are notified; 14 if empty.
        password_notification_window_in_days: i32 = PASSWORD_NOTIFICATION_WINDOW_IN_DAYS("passwordNotificationWindowInDays") update;
        /// Days that a password is valid for; 90 if empty.
        password_validity_period_in_days: i32 = PASSWORD_VALIDITY_PERIOD_IN_DAYS("passwordValidityPeriodInDays") update;
        /// The state of an operation in the background.
        state: DomainState = STATE("state");
        /// What the domain is used for, such as `Email`. `Email`, `OfficeCommunicationsOnline` and `Yammer` can be set.
        supported_services: Vec<String> = SUPPORTED_SERVICES("supportedServices") update;
    }
}

entity! {
    /// A record for the DNS zone of a domain. It has the properties of all types of records;
    /// [`record_type`](Self::record_type) says which ones are set.
    DomainDnsRecord: "#microsoft.graph.domainDnsRecord", always [label] {
        /// Target of a `Cname` record.
        canonical_name: String = CANONICAL_NAME("canonicalName");
        /// Why a record is unavailable.
        description: String = DESCRIPTION("description");
        /// Whether the domain works without the record.
        is_optional: bool = IS_OPTIONAL("isOptional");
        /// The name of the record.
        label: String = LABEL("label");
        /// Mail server of an `Mx` record.
        mail_exchange: String = MAIL_EXCHANGE("mailExchange");
        /// Target of an `Srv` record.
        name_target: String = NAME_TARGET("nameTarget");
        /// Port of an `Srv` record.
        port: i32 = PORT("port");
        /// Preference of an `Mx` record.
        preference: i32 = PREFERENCE("preference");
        /// Priority of an `Srv` record.
        priority: i32 = PRIORITY("priority");
        /// Protocol of an `Srv` record, such as `_tls`.
        protocol: String = PROTOCOL("protocol");
        /// `Cname`, `Mx`, `Srv` or `Txt`.
        record_type: String = RECORD_TYPE("recordType");
        /// Service of an `Srv` record, such as `_sip`.
        service: String = SERVICE("service");
        /// What the record is for, such as `Email`.
        supported_service: String = SUPPORTED_SERVICE("supportedService");
        /// Value of a `Txt` record.
        text: String = TEXT("text");
        /// Time to live, in seconds.
        ttl: i32 = TTL("ttl");
        /// Weight of an `Srv` record.
        weight: i32 = WEIGHT("weight");
    }
}

entity! {
    /// How a domain is federated with an identity provider, such as AD FS.
    InternalDomainFederation: "#microsoft.graph.internalDomainFederation", always [issuer_uri] {
        /// Endpoint for rich clients.
        active_sign_in_uri: String = ACTIVE_SIGN_IN_URI("activeSignInUri") set;
        /// The display name of the identity provider.
        display_name: String = DISPLAY_NAME("displayName") set;
        /// Whether multifactor authentication by the identity provider is accepted.
        federated_idp_mfa_behavior: FederatedIdpMfaBehavior = FEDERATED_IDP_MFA_BEHAVIOR("federatedIdpMfaBehavior") set;
        /// Whether Entra signs its SAML requests.
        is_signed_authentication_request_required: bool = IS_SIGNED_AUTHENTICATION_REQUEST_REQUIRED("isSignedAuthenticationRequestRequired") set;
        /// Issuer of the identity provider's tokens.
        issuer_uri: String = ISSUER_URI("issuerUri") set;
        /// Metadata endpoint for rich clients.
        metadata_exchange_uri: String = METADATA_EXCHANGE_URI("metadataExchangeUri") set;
        /// The certificate that follows the current one, in base64.
        next_signing_certificate: String = NEXT_SIGNING_CERTIFICATE("nextSigningCertificate") set;
        /// Where browsers are sent for a sign-in.
        passive_sign_in_uri: String = PASSIVE_SIGN_IN_URI("passiveSignInUri") set;
        /// Where users are sent to change their password.
        password_reset_uri: String = PASSWORD_RESET_URI("passwordResetUri") set;
        /// The protocol.
        preferred_authentication_protocol: PreferredAuthenticationProtocol = PREFERRED_AUTHENTICATION_PROTOCOL("preferredAuthenticationProtocol") set;
        /// How the `prompt` of a sign-in is passed on.
        prompt_login_behavior: PromptLoginBehavior = PROMPT_LOGIN_BEHAVIOR("promptLoginBehavior") set;
        /// Where users are sent at sign-out.
        sign_out_uri: String = SIGN_OUT_URI("signOutUri") set;
        /// The certificate that the identity provider signs with, in base64; its public part.
        signing_certificate: String = SIGNING_CERTIFICATE("signingCertificate") set;
        /// The last update of the certificate from metadata.
        signing_certificate_update_status: SigningCertificateUpdateStatus = SIGNING_CERTIFICATE_UPDATE_STATUS("signingCertificateUpdateStatus");
    }
}

impl Described for Domain {
    const INFO: EntityInfo = EntityInfo::other("domain", "domains", None);
}

impl Described for DomainDnsRecord {
    const INFO: EntityInfo = EntityInfo::other("DNS record", "DNS records", None);
}

impl Described for InternalDomainFederation {
    const INFO: EntityInfo = EntityInfo::other(
        "federation configuration",
        "federation configurations",
        None,
    )
    .with_no_object_options(&["$select"]);
}

capable!(Domain: Selectable);
