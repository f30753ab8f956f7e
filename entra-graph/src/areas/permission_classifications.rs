//! Which delegated permissions of an API count as harmless: `/servicePrincipals/{id}/delegatedPermissionClassifications`.

use entra_core::{Guid, url::Url};

use super::service_principals::OneServicePrincipal;
use crate::{
    client::Call,
    key::Key,
    model::{Body, BodyValue},
    objects::{DelegatedPermissionClassification, types::PermissionClassificationType},
    operation::operations,
    place::{Collection, Object, places},
    request::{Request, read_nothing},
    verbs::{FoundBy, List, New, NewBody},
};

operations! {
    LIST = "serviceprincipal-list-delegatedpermissionclassifications" GET "/servicePrincipals/{id}/delegatedPermissionClassifications" => Collection("delegatedPermissionClassification"),
        both ["Application.Read.All", "Directory.Read.All"];
    CREATE = "serviceprincipal-post-delegatedpermissionclassifications" POST "/servicePrincipals/{id}/delegatedPermissionClassifications" => Object("delegatedPermissionClassification"),
        both ["Policy.ReadWrite.PermissionGrant"];
    DELETE = "serviceprincipal-delete-delegatedpermissionclassifications" DELETE "/servicePrincipals/{id}/delegatedPermissionClassifications/{id}" => Nothing,
        both ["Policy.ReadWrite.PermissionGrant"];
}

places! {
    /// `/servicePrincipals/{id}/delegatedPermissionClassifications`.
    DelegatedPermissionClassifications: DelegatedPermissionClassification { list LIST, create(NewDelegatedPermissionClassification) CREATE }
}

/// What the classification of a delegated permission is created from.
///
/// ```
/// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
/// use entra_graph::{Key, NewDelegatedPermissionClassification, types::PermissionClassificationType};
/// let api = graph.service_principal(Key::app_id("00000003-0000-0000-c000-000000000000"));
/// let scopes = api.get().send().await?.oauth2_permission_scopes.unwrap_or_default();
/// let read = scopes.iter().find(|scope| scope.value.as_deref() == Some("User.Read"));
/// if let Some(id) = read.and_then(|scope| scope.id.as_deref()) {
///     let new = NewDelegatedPermissionClassification::new(id, "User.Read", PermissionClassificationType::Low);
///     api.delegated_permission_classifications().create(new).send().await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NewDelegatedPermissionClassification {
    body: Body,
}

impl NewDelegatedPermissionClassification {
    /// The classification of a permission, by the id and the value that it has in the
    /// [`oauth2_permission_scopes`](crate::ServicePrincipal::oauth2_permission_scopes) of its service principal.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "reads as `new(id, \"User.Read\", PermissionClassificationType::Low)`"
    )]
    #[inline]
    pub fn new(
        permission_id: impl BodyValue<Guid>,
        permission_name: &str,
        classification: PermissionClassificationType,
    ) -> Self {
        type Classification = DelegatedPermissionClassification;
        let mut body = Body::default();
        body.set::<Guid>(Classification::PERMISSION_ID.into_name(), &permission_id);
        body.set::<String>(Classification::PERMISSION_NAME.into_name(), permission_name);
        body.set::<PermissionClassificationType>(
            Classification::CLASSIFICATION.into_name(),
            &classification,
        );
        Self { body }
    }
}

impl New<DelegatedPermissionClassification> for NewDelegatedPermissionClassification {
    #[inline]
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }

    // Graph has no read of one classification.
    const FOUND_BY: FoundBy<DelegatedPermissionClassification> = FoundBy::List(all);
}

/// The whole list, which cannot be filtered.
#[inline]
fn all(
    list: List<DelegatedPermissionClassification>,
    _: &DelegatedPermissionClassification,
) -> List<DelegatedPermissionClassification> {
    list
}

impl Object<OneServicePrincipal> {
    /// The classifications of the delegated permissions that the API offers. Settings for user consent can allow users to
    /// consent to permissions of one class only:
    /// [`GET /servicePrincipals/{id}/delegatedPermissionClassifications`](https://learn.microsoft.com/graph/api/serviceprincipal-list-delegatedpermissionclassifications).
    ///
    /// Needs `Application.Read.All`; creating needs `Policy.ReadWrite.PermissionGrant`.
    #[must_use]
    #[inline]
    pub fn delegated_permission_classifications(
        &self,
    ) -> Collection<DelegatedPermissionClassifications> {
        self.collection("delegatedPermissionClassifications")
    }

    /// A request that deletes a classification, by its [`id`](DelegatedPermissionClassification::id):
    /// [`DELETE /servicePrincipals/{id}/delegatedPermissionClassifications/{id}`](https://learn.microsoft.com/graph/api/serviceprincipal-delete-delegatedpermissionclassifications).
    ///
    /// Needs `Policy.ReadWrite.PermissionGrant`.
    #[inline]
    pub fn delete_delegated_permission_classification(&self, id: impl Into<Key>) -> Request<()> {
        let target = self.target().clone();
        let call = target
            .key("delegatedPermissionClassifications", &id.into())
            .url()
            .map(|url| Call::new(&DELETE, url));
        Request::new(self.target().client.clone(), call, read_nothing)
    }
}
