use crate::{
    model::{capable, entity},
    odata::{Described, EntityInfo},
};

entity! {
    /// A federated identity credential: the application accepts tokens of another identity provider with this
    /// issuer, subject and audience instead of a secret.
    FederatedIdentityCredential: "#microsoft.graph.federatedIdentityCredential", always [name], id unfiltered {
        /// The audience of accepted tokens; one value, usually `api://AzureADTokenExchange`.
        audiences: Vec<String> = AUDIENCES("audiences") set;
        /// The description.
        description: String = DESCRIPTION("description") set;
        /// The issuer of accepted tokens.
        issuer: String = ISSUER("issuer") set never null;
        /// The name, unique in the application and fixed when it is created.
        name: String = NAME("name", "eq") create;
        /// The subject of accepted tokens. It is compared as it stands, in the same letters.
        subject: String = SUBJECT("subject", "eq") set;
    }
}

impl Described for FederatedIdentityCredential {
    const INFO: EntityInfo = EntityInfo::other(
        "federated identity credential",
        "federated identity credentials",
        Some(999),
    );
}

capable!(FederatedIdentityCredential: Selectable, Filterable, Toppable);

/// The same credentials with their expressions, which only beta shows.
pub(super) mod beta {
    use super::{
        super::types::FederatedIdentityExpression, Described, EntityInfo, capable, entity,
    };

    entity! {
        /// A federated identity credential: the application accepts tokens of another identity provider with this
        /// issuer and audience, and with this subject or with claims that match the expression.
        FederatedIdentityCredential: "#microsoft.graph.federatedIdentityCredential", always [name], id unfiltered {
            /// The audience of accepted tokens; one value, usually `api://AzureADTokenExchange`.
            audiences: Vec<String> = AUDIENCES("audiences") set;
            /// The expression that the claims of accepted tokens match, instead of a subject.
            claims_matching_expression: Box<FederatedIdentityExpression> as FederatedIdentityExpression =
                CLAIMS_MATCHING_EXPRESSION("claimsMatchingExpression") set;
            /// The description.
            description: String = DESCRIPTION("description") set;
            /// The issuer of accepted tokens.
            issuer: String = ISSUER("issuer") set never null;
            /// The name, unique in the application and fixed when it is created.
            name: String = NAME("name", "eq") create;
            /// The subject of accepted tokens, or none with an expression.
            subject: String = SUBJECT("subject", "eq") set;
        }
    }

    impl Described for FederatedIdentityCredential {
        const INFO: EntityInfo = EntityInfo::other(
            "federated identity credential",
            "federated identity credentials",
            Some(999),
        );
    }

    capable!(FederatedIdentityCredential: Selectable, Filterable, Toppable);
}
