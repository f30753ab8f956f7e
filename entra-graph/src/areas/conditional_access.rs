//! Conditional access policies and named locations: `/identity/conditionalAccess`.

use crate::{
    client::GraphClient,
    key::Key,
    objects::{ConditionalAccessPolicy, NamedLocation},
    operation::operations,
    place::{Collection, Object, places, singles},
    request::Target,
};

operations! {
    LIST_POLICIES = "conditionalaccessroot-list-policies" GET "/identity/conditionalAccess/policies" => Collection("conditionalAccessPolicy"),
        both ["Policy.Read.All"];
    GET_POLICY = "conditionalaccesspolicy-get" GET "/identity/conditionalAccess/policies/{id}" => Object("conditionalAccessPolicy"),
        both ["Policy.Read.All"];
    LIST_LOCATIONS = "conditionalaccessroot-list-namedlocations" GET "/identity/conditionalAccess/namedLocations" => Collection("namedLocation"),
        both ["Policy.Read.All"];
    GET_LOCATION = "namedlocation-get" GET "/identity/conditionalAccess/namedLocations/{id}" => Object("namedLocation"),
        both ["Policy.Read.All"];
}

places! {
    /// `/identity/conditionalAccess/policies`.
    ConditionalAccessPolicies: ConditionalAccessPolicy { list LIST_POLICIES }
    /// `/identity/conditionalAccess/namedLocations`.
    NamedLocations: NamedLocation { list LIST_LOCATIONS }
}

singles! {
    /// `/identity/conditionalAccess/policies/{id}`.
    OneConditionalAccessPolicy: ConditionalAccessPolicy { get GET_POLICY }
    /// `/identity/conditionalAccess/namedLocations/{id}`.
    OneNamedLocation: NamedLocation { get GET_LOCATION }
}

impl GraphClient {
    /// All conditional access policies:
    /// [`GET /identity/conditionalAccess/policies`](https://learn.microsoft.com/graph/api/conditionalaccessroot-list-policies).
    ///
    /// Needs `Policy.Read.All`.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
    /// use entra_graph::{ConditionalAccessPolicy, types::ConditionalAccessPolicyState};
    /// let enforced = graph.conditional_access_policies().list()
    ///     .filter(ConditionalAccessPolicy::STATE.eq(ConditionalAccessPolicyState::Enabled))
    ///     .items().try_collect::<Vec<_>>().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn conditional_access_policies(&self) -> Collection<ConditionalAccessPolicies> {
        Collection::new(root(self).join(&["policies"]))
    }

    /// One conditional access policy, by id:
    /// [`GET /identity/conditionalAccess/policies/{id}`](https://learn.microsoft.com/graph/api/conditionalaccesspolicy-get).
    ///
    /// Needs `Policy.Read.All`. Sign-ins name the policies that applied by this id
    /// ([`SignIn::applied_conditional_access_policies`](crate::SignIn)).
    #[must_use]
    pub fn conditional_access_policy(
        &self,
        id: impl Into<Key>,
    ) -> Object<OneConditionalAccessPolicy> {
        Object::new(root(self).key("policies", &id.into()))
    }

    /// All named locations:
    /// [`GET /identity/conditionalAccess/namedLocations`](https://learn.microsoft.com/graph/api/conditionalaccessroot-list-namedlocations).
    ///
    /// Needs `Policy.Read.All`.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
    /// use entra_graph::NamedLocation;
    /// let offices = graph.named_locations().list().filter(NamedLocation::filter_ip())
    ///     .items().try_collect::<Vec<_>>().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn named_locations(&self) -> Collection<NamedLocations> {
        Collection::new(root(self).join(&["namedLocations"]))
    }

    /// One named location, by id:
    /// [`GET /identity/conditionalAccess/namedLocations/{id}`](https://learn.microsoft.com/graph/api/namedlocation-get).
    ///
    /// Needs `Policy.Read.All`.
    #[must_use]
    pub fn named_location(&self, id: impl Into<Key>) -> Object<OneNamedLocation> {
        Object::new(root(self).key("namedLocations", &id.into()))
    }
}

fn root(client: &GraphClient) -> Target {
    Target::root(client).join(&["identity", "conditionalAccess"])
}
