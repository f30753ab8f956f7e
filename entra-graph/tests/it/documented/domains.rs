//! The documented requests of domains.

use entra_graph::{
    Domain, InternalDomainFederation, NewDomain, NewInternalDomainFederation,
    types::{FederatedIdpMfaBehavior, PreferredAuthenticationProtocol, PromptLoginBehavior},
};

use super::{GraphClient, Send, Sent};

const CERTIFICATE: &str = "MIIE3jCCAsagAwIBAgIQQcyDaZz3MI";

pub(super) fn requests() -> [(&'static str, Vec<Send>); 8] {
    let federate = send!(|graph| {
        let new = NewInternalDomainFederation::new(
            "http://contoso.com/adfs/services/trust",
            "https://sts.contoso.com/adfs/ls",
        );
        let create = graph
            .domain("contoso.com")
            .federation_configurations()
            .create(new);
        create
            .set(InternalDomainFederation::DISPLAY_NAME, "Contoso")
            .set(
                InternalDomainFederation::METADATA_EXCHANGE_URI,
                "https://sts.contoso.com/adfs/services/trust/mex",
            )
            .set(InternalDomainFederation::SIGNING_CERTIFICATE, CERTIFICATE)
            .set(
                InternalDomainFederation::PREFERRED_AUTHENTICATION_PROTOCOL,
                PreferredAuthenticationProtocol::WsFed,
            )
            .set(
                InternalDomainFederation::ACTIVE_SIGN_IN_URI,
                "https://sts.contoso.com/adfs/services/trust/2005/usernamemixed",
            )
            .set(
                InternalDomainFederation::SIGN_OUT_URI,
                "https://sts.contoso.com/adfs/ls",
            )
            .set(
                InternalDomainFederation::PROMPT_LOGIN_BEHAVIOR,
                PromptLoginBehavior::NativeSupport,
            )
            .set(
                InternalDomainFederation::IS_SIGNED_AUTHENTICATION_REQUEST_REQUIRED,
                true,
            )
            .set(
                InternalDomainFederation::NEXT_SIGNING_CERTIFICATE,
                CERTIFICATE,
            )
            .set(
                InternalDomainFederation::FEDERATED_IDP_MFA_BEHAVIOR,
                FederatedIdpMfaBehavior::RejectMfaByFederatedIdp,
            )
    });
    [
        (
            "domain-delete.md",
            vec![send!(|graph| graph.domain("contoso.com").delete())],
        ),
        (
            "domain-forcedelete.md",
            vec![send!(|graph| graph.domain("{id}").force_delete(true))],
        ),
        (
            "domain-post-domains.md",
            vec![send!(|graph| graph
                .domains()
                .create(NewDomain::new("contoso.com")))],
        ),
        ("domain-post-federationconfiguration.md", vec![federate]),
        (
            "domain-update.md",
            vec![send!(|graph| graph
                .domain("contoso.com")
                .update()
                .set(Domain::IS_DEFAULT, true)
                .set(
                    Domain::SUPPORTED_SERVICES,
                    ["Email", "OfficeCommunicationsOnline"]
                ))],
        ),
        (
            "domain-verify.md",
            vec![send!(|graph| graph.domain("{domain-name}").verify())],
        ),
        (
            "internaldomainfederation-delete.md",
            vec![send!(|graph| graph
                .domain("contoso.com")
                .federation_configuration("96db02e2-80c1-5555-bc3a-de92ffb8c5be")
                .delete())],
        ),
        (
            "internaldomainfederation-update.md",
            vec![send!(|graph| graph
                .domain("contoso.com")
                .federation_configuration("6601d14b-d113-8f64-fda2-9b5ddda18ecc")
                .update()
                .set(
                    InternalDomainFederation::DISPLAY_NAME,
                    "Contoso name change"
                )
                .set(
                    InternalDomainFederation::FEDERATED_IDP_MFA_BEHAVIOR,
                    FederatedIdpMfaBehavior::AcceptIfMfaDoneByFederatedIdp
                ))],
        ),
    ]
}
