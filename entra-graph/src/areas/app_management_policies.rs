//! App management policies, which restrict the credentials of applications and service principals:
//! `/policies/appManagementPolicies` and `/policies/defaultAppManagementPolicy`.

use entra_core::url::Url;

use super::{applications::OneApplication, service_principals::OneServicePrincipal};
use crate::{
    client::{Call, GraphClient},
    error::Error,
    key::Key,
    model::{Body, BodyValue},
    objects::{
        AppManagementPolicy, DirectoryObject, TenantAppManagementPolicy,
        types::CustomAppManagementConfiguration,
    },
    operation::{Operation, operations},
    place::{Collection, Object, Reference, Single, places, singles},
    request::{Request, Target, read_nothing},
    verbs::{New, NewBody},
};

operations! {
    GET_DEFAULT = "tenantappmanagementpolicy-get" GET "/policies/defaultAppManagementPolicy" => Object("tenantAppManagementPolicy"),
        both ["Policy.Read.All", "Policy.ReadWrite.ApplicationConfiguration"];
    UPDATE_DEFAULT = "tenantappmanagementpolicy-update" PATCH "/policies/defaultAppManagementPolicy" => Nothing,
        both ["Policy.ReadWrite.ApplicationConfiguration"];
    LIST = "appmanagementpolicy-list" GET "/policies/appManagementPolicies" => Collection("appManagementPolicy"),
        both ["Policy.Read.All", "Policy.ReadWrite.ApplicationConfiguration"];
    CREATE = "appmanagementpolicy-post" POST "/policies/appManagementPolicies" => Object("appManagementPolicy"),
        both ["Policy.ReadWrite.ApplicationConfiguration"];
    GET = "appmanagementpolicy-get" GET "/policies/appManagementPolicies/{id}" => Object("appManagementPolicy"),
        both ["Policy.Read.All", "Policy.ReadWrite.ApplicationConfiguration"];
    UPDATE = "appmanagementpolicy-update" PATCH "/policies/appManagementPolicies/{id}" => Nothing,
        both ["Policy.ReadWrite.ApplicationConfiguration"];
    DELETE = "appmanagementpolicy-delete" DELETE "/policies/appManagementPolicies/{id}" => Nothing,
        both ["Policy.ReadWrite.ApplicationConfiguration"];
    LIST_APPLIES_TO = "appmanagementpolicy-list-appliesto" GET "/policies/appManagementPolicies/{id}/appliesTo" => Collection("directoryObject"),
        both ["Policy.Read.All", "Policy.ReadWrite.ApplicationConfiguration"], with ["Application.Read.All"];
    ASSIGN = "appmanagementpolicy-post-appliesto" POST(Idempotent) "/applications/{id}/appManagementPolicies/$ref" => Nothing,
        both ["Policy.ReadWrite.ApplicationConfiguration"], with ["Application.Read.All"];
    UNASSIGN = "appmanagementpolicy-delete-appliesto" DELETE "/applications/{id}/appManagementPolicies/{id}/$ref" => Nothing,
        both ["Policy.ReadWrite.ApplicationConfiguration"], with ["Application.Read.All"];
    ASSIGN_PRINCIPAL = "appmanagementpolicy-post-appliesto-serviceprincipal" POST(Idempotent) "/servicePrincipals/{id}/appManagementPolicies/$ref" => Nothing,
        both ["Policy.ReadWrite.ApplicationConfiguration"], with ["Application.Read.All"];
    UNASSIGN_PRINCIPAL = "appmanagementpolicy-delete-appliesto-serviceprincipal" DELETE "/servicePrincipals/{id}/appManagementPolicies/{id}/$ref" => Nothing,
        both ["Policy.ReadWrite.ApplicationConfiguration"], with ["Application.Read.All"];
}

places! {
    /// `/policies/appManagementPolicies`.
    AppManagementPolicies: AppManagementPolicy { list LIST, create(NewAppManagementPolicy) CREATE read GET }
    /// `/policies/appManagementPolicies/{id}/appliesTo`.
    AppManagementPolicyAppliesTo: DirectoryObject { list LIST_APPLIES_TO }
}

singles! {
    /// `/policies/appManagementPolicies/{id}`.
    OneAppManagementPolicy: AppManagementPolicy { get GET, update UPDATE, delete DELETE }
    /// `/policies/defaultAppManagementPolicy`.
    DefaultAppManagementPolicy: TenantAppManagementPolicy { get GET_DEFAULT, update UPDATE_DEFAULT }
}

/// What an app management policy is created from; it restricts nothing until it is enabled and assigned.
///
/// ```
/// # async fn example(graph: &entra_graph::GraphClient, client_id: entra_core::ClientId) -> Result<(), entra_graph::Error> {
/// use entra_graph::{
///     AppManagementPolicy, NewAppManagementPolicy,
///     types::{AppCredentialRestrictionType, CustomAppManagementConfiguration, PasswordCredentialConfiguration},
/// };
/// let half_a_year = PasswordCredentialConfiguration::limits(AppCredentialRestrictionType::PasswordLifetime, 180);
/// let restrictions = CustomAppManagementConfiguration::default().password_credentials([half_a_year]);
/// let policy = graph.app_management_policies()
///     .create(NewAppManagementPolicy::new("Short secrets", "Secrets of half a year").restricting(restrictions))
///     .set(AppManagementPolicy::IS_ENABLED, true)
///     .send().await?;
/// graph.application(client_id).assign_app_management_policy(&*policy.id).send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NewAppManagementPolicy {
    body: Body,
}

impl NewAppManagementPolicy {
    /// A policy from its required properties: display name and description.
    pub fn new(display_name: &str, description: &str) -> Self {
        let mut body = Body::default();
        body.set::<String>(AppManagementPolicy::DISPLAY_NAME.into_name(), display_name);
        body.set::<String>(AppManagementPolicy::DESCRIPTION.into_name(), description);
        Self { body }
    }

    /// The same policy with these restrictions.
    #[must_use]
    pub fn restricting(
        mut self,
        restrictions: impl BodyValue<CustomAppManagementConfiguration>,
    ) -> Self {
        let name = AppManagementPolicy::RESTRICTIONS.into_name();
        self.body.set(name, &restrictions);
        self
    }
}

impl New<AppManagementPolicy> for NewAppManagementPolicy {
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

impl GraphClient {
    /// The tenant's default app management policy:
    /// [`GET /policies/defaultAppManagementPolicy`](https://learn.microsoft.com/graph/api/tenantappmanagementpolicy-get).
    ///
    /// Needs `Policy.Read.All`; updating needs `Policy.ReadWrite.ApplicationConfiguration`. It is always there, and
    /// disabled at first. A policy that is assigned to an application or service principal replaces it there.
    ///
    /// Graph rejects a new credential that a policy does not allow with the code
    /// `CredentialTypeNotAllowedAsPerAppPolicy` or `CredentialInvalidLifetimeAsPerAppPolicy`
    /// ([`Error::code`]). Existing credentials stay valid.
    #[must_use]
    pub fn default_app_management_policy(&self) -> Object<DefaultAppManagementPolicy> {
        Object::new(Target::root(self).join(&["policies", "defaultAppManagementPolicy"]))
    }

    /// All app management policies except the default one:
    /// [`GET /policies/appManagementPolicies`](https://learn.microsoft.com/graph/api/appmanagementpolicy-list).
    ///
    /// Needs `Policy.Read.All`; creating needs `Policy.ReadWrite.ApplicationConfiguration`.
    #[must_use]
    pub fn app_management_policies(&self) -> Collection<AppManagementPolicies> {
        Collection::new(Target::root(self).join(&["policies", "appManagementPolicies"]))
    }

    /// One app management policy, by object id:
    /// [`GET /policies/appManagementPolicies/{id}`](https://learn.microsoft.com/graph/api/appmanagementpolicy-get).
    ///
    /// Needs `Policy.Read.All`; updating and deleting need `Policy.ReadWrite.ApplicationConfiguration`.
    #[must_use]
    pub fn app_management_policy(&self, id: impl Into<Key>) -> Object<OneAppManagementPolicy> {
        let policies = Target::root(self).join(&["policies"]);
        Object::new(policies.key("appManagementPolicies", &id.into()))
    }
}

impl Object<OneAppManagementPolicy> {
    /// The applications and service principals that the policy is assigned to:
    /// [`GET /policies/appManagementPolicies/{id}/appliesTo`](https://learn.microsoft.com/graph/api/appmanagementpolicy-list-appliesto).
    ///
    /// Needs `Policy.Read.All` together with `Application.Read.All`.
    #[must_use]
    pub fn applies_to(&self) -> Collection<AppManagementPolicyAppliesTo> {
        self.collection("appliesTo")
    }
}

impl Object<OneApplication> {
    /// A request that assigns an app management policy, by its object id; an application has at most one:
    /// [`POST /applications/{id}/appManagementPolicies/$ref`](https://learn.microsoft.com/graph/api/appmanagementpolicy-post-appliesto).
    ///
    /// Needs `Policy.ReadWrite.ApplicationConfiguration` together with `Application.Read.All`.
    pub fn assign_app_management_policy(&self, policy_id: impl Into<String>) -> Request<()> {
        assign(self, policy_id.into(), &ASSIGN)
    }

    /// A request that takes an assigned app management policy away, by its object id; the default policy applies
    /// again: [`DELETE /applications/{id}/appManagementPolicies/{id}/$ref`](https://learn.microsoft.com/graph/api/appmanagementpolicy-delete-appliesto).
    ///
    /// Needs `Policy.ReadWrite.ApplicationConfiguration` together with `Application.Read.All`.
    pub fn unassign_app_management_policy(&self, policy_id: impl Into<String>) -> Request<()> {
        unassign(self, policy_id.into(), &UNASSIGN)
    }
}

impl Object<OneServicePrincipal> {
    /// A request that assigns an app management policy, by its object id; a service principal has at most one:
    /// [`POST /servicePrincipals/{id}/appManagementPolicies/$ref`](https://learn.microsoft.com/graph/api/appmanagementpolicy-post-appliesto).
    ///
    /// Needs `Policy.ReadWrite.ApplicationConfiguration` together with `Application.Read.All`.
    pub fn assign_app_management_policy(&self, policy_id: impl Into<String>) -> Request<()> {
        assign(self, policy_id.into(), &ASSIGN_PRINCIPAL)
    }

    /// A request that takes an assigned app management policy away, by its object id; the default policy applies
    /// again: [`DELETE /servicePrincipals/{id}/appManagementPolicies/{id}/$ref`](https://learn.microsoft.com/graph/api/appmanagementpolicy-delete-appliesto).
    ///
    /// Needs `Policy.ReadWrite.ApplicationConfiguration` together with `Application.Read.All`.
    pub fn unassign_app_management_policy(&self, policy_id: impl Into<String>) -> Request<()> {
        unassign(self, policy_id.into(), &UNASSIGN_PRINCIPAL)
    }
}

fn assign<P: Single>(
    object: &Object<P>,
    policy_id: String,
    operation: &'static Operation,
) -> Request<()> {
    let client = object.target().client.clone();
    let body = Reference::app_management_policy(policy_id).body(client.base());
    let call = body.and_then(|body| {
        let call = object.call(&["appManagementPolicies", "$ref"], operation)?;
        Ok(call.with_json(body))
    });
    Request::new(client, call, read_nothing)
}

fn unassign<P: Single>(
    object: &Object<P>,
    policy_id: String,
    operation: &'static Operation,
) -> Request<()> {
    let call = |id: String| -> Result<Call, Error> {
        object.call(&["appManagementPolicies", &id, "$ref"], operation)
    };
    let call = Reference::app_management_policy(policy_id)
        .id()
        .and_then(call);
    Request::new(object.target().client.clone(), call, read_nothing)
}
