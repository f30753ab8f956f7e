use crate::{
    model::{capable, entity},
    odata::{Described, EntityInfo},
};

entity! {
    /// Delegated permissions of one API that an application has for all users or for one user.
    OAuth2PermissionGrant: "#microsoft.graph.oAuth2PermissionGrant", always [client_id, resource_id] {
        /// The object id of the application's service principal.
        client_id: String = CLIENT_ID("clientId", "eq") create;
        /// `AllPrincipals` for all users, `Principal` for one user.
        consent_type: String = CONSENT_TYPE("consentType", "eq") create;
        /// The object id of the user; empty for all users.
        principal_id: String = PRINCIPAL_ID("principalId", "eq") create;
        /// The object id of the API's service principal.
        resource_id: String = RESOURCE_ID("resourceId", "eq") create;
        /// The permissions by value, separated by spaces, such as `User.Read Mail.Read`.
        scope: String = SCOPE("scope") set;
    }
}

impl OAuth2PermissionGrant {
    /// The permissions by value, such as `User.Read`.
    #[inline]
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.as_deref().unwrap_or_default().split_whitespace()
    }
}

impl Described for OAuth2PermissionGrant {
    const INFO: EntityInfo =
        EntityInfo::directory("delegated permission grant", "delegated permission grants");
}

capable!(OAuth2PermissionGrant: Selectable, Filterable, Toppable);
