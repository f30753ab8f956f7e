//! Delegated permissions that were granted to applications: `/oauth2PermissionGrants`.

use entra_core::url::Url;

use crate::{
    client::GraphClient,
    key::Key,
    model::{Body, BodyValue},
    objects::OAuth2PermissionGrant,
    operation::operations,
    place::{Collection, Object, places, singles},
    request::Target,
    verbs::{New, NewBody, Update},
};

operations! {
    LIST = "oauth2permissiongrant-list" GET "/oauth2PermissionGrants" => Collection("oAuth2PermissionGrant"),
        both ["Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All"];
    CREATE = "oauth2permissiongrant-post" POST "/oauth2PermissionGrants" => Object("oAuth2PermissionGrant"),
        both ["DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"];
    DELTA = "oauth2permissiongrant-delta" GET "/oauth2PermissionGrants/delta" => Collection("oAuth2PermissionGrant"),
        delegated ["Directory.Read.All"], application ["Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All"];
    GET = "oauth2permissiongrant-get" GET "/oauth2PermissionGrants/{id}" => Object("oAuth2PermissionGrant"),
        both ["Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All"];
    UPDATE = "oauth2permissiongrant-update" PATCH "/oauth2PermissionGrants/{id}" => Nothing,
        both ["DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"];
    DELETE = "oauth2permissiongrant-delete" DELETE "/oauth2PermissionGrants/{id}" => Nothing,
        both ["DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"];
}

places! {
    /// `/oauth2PermissionGrants`.
    OAuth2PermissionGrants: OAuth2PermissionGrant { list LIST, create(NewOAuth2PermissionGrant) CREATE read GET, delta DELTA }
}

singles! {
    /// `/oauth2PermissionGrants/{id}`.
    OneOAuth2PermissionGrant: OAuth2PermissionGrant { get GET, update UPDATE, delete DELETE }
}

/// What a grant is created from: the service principals of client and API by object id, and the delegated
/// permissions by value.
///
/// There can be one grant for all users, and one for each user, of the same client and API; if it exists,
/// Graph returns 409, and the scopes of the existing grant can be changed instead.
#[derive(Clone, Debug)]
pub struct NewOAuth2PermissionGrant {
    body: Body,
}

impl NewOAuth2PermissionGrant {
    /// A grant for all users of the tenant, which is the consent of an administrator.
    pub fn for_all_users<S: AsRef<str>>(
        client_id: impl BodyValue<String>,
        resource_id: impl BodyValue<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::of("AllPrincipals", &client_id, &resource_id, scopes)
    }

    /// A grant for one user.
    pub fn for_user<S: AsRef<str>>(
        client_id: impl BodyValue<String>,
        resource_id: impl BodyValue<String>,
        user_id: impl BodyValue<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        let mut new = Self::of("Principal", &client_id, &resource_id, scopes);
        new.body
            .set(OAuth2PermissionGrant::PRINCIPAL_ID.into_name(), &user_id);
        new
    }

    fn of<S: AsRef<str>>(
        consent_type: &str,
        client_id: &impl BodyValue<String>,
        resource_id: &impl BodyValue<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        let mut body = Body::default();
        body.set(OAuth2PermissionGrant::CLIENT_ID.into_name(), client_id);
        body.set::<String>(
            OAuth2PermissionGrant::CONSENT_TYPE.into_name(),
            consent_type,
        );
        body.set(OAuth2PermissionGrant::RESOURCE_ID.into_name(), resource_id);
        body.set::<String>(
            OAuth2PermissionGrant::SCOPE.into_name(),
            joined(scopes).as_str(),
        );
        Self { body }
    }
}

impl New<OAuth2PermissionGrant> for NewOAuth2PermissionGrant {
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

impl GraphClient {
    /// All delegated permissions that were granted to applications:
    /// [`GET /oauth2PermissionGrants`](https://learn.microsoft.com/graph/api/oauth2permissiongrant-list).
    ///
    /// Needs `Directory.Read.All`; creating needs `DelegatedPermissionGrant.ReadWrite.All`.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient, client: &str, api: &str) -> Result<(), entra_graph::Error> {
    /// use entra_graph::{NewOAuth2PermissionGrant, OAuth2PermissionGrant};
    /// let new = NewOAuth2PermissionGrant::for_all_users(client, api, ["User.Read", "Mail.Read"]);
    /// let grant = graph.oauth2_permission_grants().create(new).send().await?;
    /// graph.oauth2_permission_grant(&grant.id).set_scopes(["User.Read"]).send().await?;
    ///
    /// let of_client = OAuth2PermissionGrant::CLIENT_ID.eq(client);
    /// let grants = graph.oauth2_permission_grants().list().filter(of_client);
    /// for grant in grants.items().try_collect::<Vec<_>>().await? {
    ///     println!("{:?}", grant.scopes().collect::<Vec<_>>());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[inline]
    pub fn oauth2_permission_grants(&self) -> Collection<OAuth2PermissionGrants> {
        Collection::new(Target::root(self).join(&["oauth2PermissionGrants"]))
    }

    /// One grant, by id:
    /// [`GET /oauth2PermissionGrants/{id}`](https://learn.microsoft.com/graph/api/oauth2permissiongrant-get).
    ///
    /// Needs `Directory.Read.All`; changing or deleting needs `DelegatedPermissionGrant.ReadWrite.All`. Access
    /// tokens that were issued before a change keep their scopes until they expire.
    #[must_use]
    pub fn oauth2_permission_grant(&self, id: impl Into<Key>) -> Object<OneOAuth2PermissionGrant> {
        Object::new(Target::root(self).key("oauth2PermissionGrants", &id.into()))
    }
}

impl Object<OneOAuth2PermissionGrant> {
    /// A request that sets the delegated permissions of the grant, all of them: those that are not named are
    /// revoked. This is [`PATCH /oauth2PermissionGrants/{id}`](https://learn.microsoft.com/graph/api/oauth2permissiongrant-update).
    ///
    /// Needs `DelegatedPermissionGrant.ReadWrite.All`. [`delete`](Self::delete) revokes all.
    pub fn set_scopes<S: AsRef<str>>(
        &self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Update<OAuth2PermissionGrant> {
        self.update()
            .set(OAuth2PermissionGrant::SCOPE, joined(scopes))
    }
}

fn joined<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> String {
    let mut text = String::new();
    for scope in scopes {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(scope.as_ref().trim());
    }
    text
}
