//! Authentication methods of users, and the report of who registered which.

pub(crate) mod by_type;

use super::users::UserPlace;
use crate::{
    client::{Call, GraphClient},
    key::Key,
    objects::{
        AuthenticationMethod, UserRegistrationDetails,
        types::{
            IncludedUserRoles, IncludedUserTypes, UserRegistrationFeatureSummary,
            UserRegistrationMethodSummary,
        },
    },
    operation::{Operation, operations},
    place::{Collection, Object, places, singles},
    request::{Request, Target, read_value},
};

operations! {
    LIST_METHODS = "authentication-list-methods" GET "/users/{id}/authentication/methods" => Collection("authenticationMethod"),
        both ["UserAuthenticationMethod.Read.All"];
    GET_METHOD = "authenticationmethod-get" GET "/users/{id}/authentication/methods/{id}" => Object("authenticationMethod"),
        both ["UserAuthenticationMethod.Read.All"];
    LIST_REGISTRATIONS = "authenticationmethodsroot-list-userregistrationdetails" GET "/reports/authenticationMethods/userRegistrationDetails" => Collection("userRegistrationDetails"),
        both ["AuditLog.Read.All"];
    GET_REGISTRATION = "userregistrationdetails-get" GET "/reports/authenticationMethods/userRegistrationDetails/{id}" => Object("userRegistrationDetails"),
        both ["AuditLog.Read.All"];
    BY_FEATURE = "authenticationmethodsroot-usersregisteredbyfeature" GET "/reports/authenticationMethods/usersRegisteredByFeature" => Value,
        delegated ["AuditLog.Read.All"], application [];
    BY_METHOD = "authenticationmethodsroot-usersregisteredbymethod" GET "/reports/authenticationMethods/usersRegisteredByMethod" => Value,
        delegated ["AuditLog.Read.All"], application [];
}

places! {
    /// `/users/{id}/authentication/methods`.
    AuthenticationMethods: AuthenticationMethod { list LIST_METHODS }
    /// `/reports/authenticationMethods/userRegistrationDetails`.
    RegistrationDetails: UserRegistrationDetails { list LIST_REGISTRATIONS }
}

singles! {
    /// `/users/{id}/authentication/methods/{id}`.
    OneAuthenticationMethod: AuthenticationMethod { get GET_METHOD }
    /// `/reports/authenticationMethods/userRegistrationDetails/{id}`.
    OneRegistrationDetails: UserRegistrationDetails { get GET_REGISTRATION }
}

impl<P: UserPlace> Object<P> {
    /// Authentication methods that the user registered:
    /// [`GET /users/{id}/authentication/methods`](https://learn.microsoft.com/graph/api/authentication-list-methods).
    ///
    /// Needs `UserAuthenticationMethod.Read.All`, or the delegated `UserAuthenticationMethod.Read` for the signed-in
    /// user. For many users use [`GraphClient::registration_details`].
    #[must_use]
    pub fn authentication_methods(&self) -> Collection<AuthenticationMethods> {
        Collection::new(self.target().clone().join(&["authentication", "methods"]))
    }

    /// One authentication method, by its id:
    /// [`GET /users/{id}/authentication/methods/{id}`](https://learn.microsoft.com/graph/api/authenticationmethod-get).
    ///
    /// Needs what [`authentication_methods`](Self::authentication_methods) needs: `UserAuthenticationMethod.Read.All`.
    #[must_use]
    pub fn authentication_method(&self, id: impl Into<Key>) -> Object<OneAuthenticationMethod> {
        let target = self.target().clone().join(&["authentication"]);
        Object::new(target.key("methods", &id.into()))
    }
}

impl GraphClient {
    /// Which authentication methods every user registered:
    /// [`GET /reports/authenticationMethods/userRegistrationDetails`](https://learn.microsoft.com/graph/api/authenticationmethodsroot-list-userregistrationdetails).
    ///
    /// Needs `AuditLog.Read.All`, and the tenant needs a P1 or P2 licence.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::UserRegistrationDetails;
    /// let without = graph.registration_details().list()
    ///     .filter(UserRegistrationDetails::IS_MFA_REGISTERED.eq(false))
    ///     .items().try_collect::<Vec<_>>().await?;
    /// assert!(without.iter().all(|user| user.is_mfa_registered == Some(false)));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn registration_details(&self) -> Collection<RegistrationDetails> {
        Collection::new(report(self).join(&["userRegistrationDetails"]))
    }

    /// Which authentication methods one user registered, by the object id of the user:
    /// [`GET /reports/authenticationMethods/userRegistrationDetails/{id}`](https://learn.microsoft.com/graph/api/userregistrationdetails-get).
    ///
    /// Needs `AuditLog.Read.All`.
    #[must_use]
    pub fn registration_details_of(&self, user: impl Into<Key>) -> Object<OneRegistrationDetails> {
        Object::new(report(self).key("userRegistrationDetails", &user.into()))
    }
}

impl GraphClient {
    /// A request for the number of users who registered each authentication method:
    /// [`GET /reports/authenticationMethods/usersRegisteredByMethod`](https://learn.microsoft.com/graph/api/authenticationmethodsroot-usersregisteredbymethod).
    ///
    /// Needs the delegated permission `AuditLog.Read.All`; applications cannot read it. The tenant needs a P1 or P2
    /// licence.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
    /// use entra_graph::types::{IncludedUserRoles, IncludedUserTypes};
    /// let summary = graph
    ///     .users_registered_by_method(IncludedUserTypes::Member, IncludedUserRoles::All)
    ///     .send().await?;
    /// for count in summary.user_registration_method_counts.unwrap_or_default() {
    ///     println!("{:?}: {:?}", count.authentication_method, count.user_count);
    /// }
    /// # Ok(()) }
    /// ```
    #[expect(
        clippy::needless_pass_by_value,
        reason = "reads as an argument of the function"
    )]
    pub fn users_registered_by_method(
        &self,
        types: IncludedUserTypes,
        roles: IncludedUserRoles,
    ) -> Request<UserRegistrationMethodSummary> {
        summary(
            self,
            "usersRegisteredByMethod",
            &BY_METHOD,
            (&types, &roles),
            read_value,
        )
    }

    /// A request for the number of users who are capable of each feature, such as multifactor authentication:
    /// [`GET /reports/authenticationMethods/usersRegisteredByFeature`](https://learn.microsoft.com/graph/api/authenticationmethodsroot-usersregisteredbyfeature).
    ///
    /// Needs what [`users_registered_by_method`](Self::users_registered_by_method) needs: the delegated permission
    /// `AuditLog.Read.All`.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "reads as an argument of the function"
    )]
    pub fn users_registered_by_feature(
        &self,
        types: IncludedUserTypes,
        roles: IncludedUserRoles,
    ) -> Request<UserRegistrationFeatureSummary> {
        summary(
            self,
            "usersRegisteredByFeature",
            &BY_FEATURE,
            (&types, &roles),
            read_value,
        )
    }
}

fn summary<T: Send + 'static>(
    client: &GraphClient,
    function: &str,
    operation: &'static Operation,
    (types, roles): (&IncludedUserTypes, &IncludedUserRoles),
    read: crate::request::Read<T>,
) -> Request<T> {
    let quoted = |text: &str| text.replace('\'', "''");
    let call = format!(
        "{function}(includedUserTypes='{}',includedUserRoles='{}')",
        quoted(types.as_str()),
        quoted(roles.as_str())
    );
    let target = report(client).join(&[&call]);
    let call = target.url().map(|url| Call::new(operation, url));
    Request::new(target.client, call, read)
}

fn report(client: &GraphClient) -> Target {
    Target::root(client).join(&["reports", "authenticationMethods"])
}
