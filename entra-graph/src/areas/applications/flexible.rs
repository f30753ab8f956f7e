//! Flexible federated identity credentials, which match the claims of a token by an expression (beta).

use entra_core::url::Url;

use super::{BetaFederatedCredentials, OneApplication, OneBetaFederatedCredential};
use crate::{
    key::Key,
    model::{Body, BodyValue},
    objects::{beta, types::FederatedIdentityExpression},
    operation::Version,
    place::{Collection, Object},
    verbs::{New, NewBody},
};

/// What a flexible federated identity credential is created from.
///
/// ```
/// # async fn example(graph: &entra_graph::GraphClient, client_id: entra_core::ClientId) -> Result<(), entra_graph::Error> {
/// use entra_graph::{NewFlexibleFederatedIdentityCredential, types::FederatedIdentityExpression};
/// let any_branch = FederatedIdentityExpression::matches("sub", "repo:contoso/shop:ref:refs/heads/*");
/// let issuer = "https://token.actions.githubusercontent.com";
/// let new = NewFlexibleFederatedIdentityCredential::new("branches", issuer, any_branch);
/// graph.application(client_id).beta_federated_identity_credentials().create(new).send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NewFlexibleFederatedIdentityCredential {
    body: Body,
}

impl NewFlexibleFederatedIdentityCredential {
    /// A credential for tokens of this issuer whose claims match the expression, with Entra's usual audience.
    ///
    /// Entra takes the issuers of GitHub Actions, GitLab and Terraform Cloud. The name has letters, digits, `-`, `_`,
    /// `.` and `~`.
    #[inline]
    pub fn new(
        name: &str,
        issuer: &str,
        expression: impl BodyValue<FederatedIdentityExpression>,
    ) -> Self {
        let mut body = Body::default();
        body.set::<String>(beta::FederatedIdentityCredential::NAME.into_name(), name);
        body.set::<String>(
            beta::FederatedIdentityCredential::ISSUER.into_name(),
            issuer,
        );
        let property = beta::FederatedIdentityCredential::CLAIMS_MATCHING_EXPRESSION.into_name();
        body.set(property, &expression);
        Self { body }.audience(super::federation::AUDIENCE)
    }

    /// The same credential for tokens with another audience, such as that of a national cloud.
    #[must_use]
    #[inline]
    pub fn audience(mut self, audience: &str) -> Self {
        let name = beta::FederatedIdentityCredential::AUDIENCES.into_name();
        self.body.set_strings(name, &[audience]);
        self
    }
}

impl New<beta::FederatedIdentityCredential> for NewFlexibleFederatedIdentityCredential {
    #[inline]
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

impl Object<OneApplication> {
    /// The federated identity credentials with those that match tokens by an expression, which only beta shows:
    /// [`GET /applications/{id}/federatedIdentityCredentials` of beta](https://learn.microsoft.com/graph/api/application-list-federatedidentitycredentials?view=graph-rest-beta).
    ///
    /// Needs `Application.Read.All`; creating needs `Application.ReadWrite.All`, or
    /// `Application.ReadWrite.OwnedBy` for an application that owns it. Microsoft changes beta without notice.
    #[must_use]
    #[inline]
    pub fn beta_federated_identity_credentials(&self) -> Collection<BetaFederatedCredentials> {
        let target = self.target().clone().in_version(Version::Beta);
        Collection::new(target.join(&["federatedIdentityCredentials"]))
    }

    /// One federated identity credential with its expression, by id or by [`Key::name`]:
    /// [`GET /applications/{id}/federatedIdentityCredentials/{id}` of beta](https://learn.microsoft.com/graph/api/federatedidentitycredential-get?view=graph-rest-beta).
    ///
    /// Needs `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    #[must_use]
    #[inline]
    pub fn beta_federated_identity_credential(
        &self,
        key: impl Into<Key>,
    ) -> Object<OneBetaFederatedCredential> {
        let target = self.target().clone().in_version(Version::Beta);
        Object::new(target.key("federatedIdentityCredentials", &key.into()))
    }
}
