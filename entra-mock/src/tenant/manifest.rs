use serde_json::{Value, json};

use super::{App, hints::permissions_like};
use crate::{directory::GRAPH_APP_ID, store::Kind};

/// The groups in an application's tokens; see [`App::group_claims`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupClaims {
    /// No groups, the default.
    None,
    /// Security groups, also through other groups.
    SecurityGroup,
    /// Groups that are assigned to the application.
    ApplicationGroup,
    /// Directory roles (`wids`) only.
    DirectoryRole,
    /// All groups, and directory roles (`wids`).
    All,
}

/// The manifest of an application: claims of its tokens, and sign-out.
impl App {
    /// Adds groups to the application's ID tokens and to access tokens for it.
    ///
    /// A token has at most 200 groups. With more, it has the overage claim, which says where to
    /// read them.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use entra_mock::{FakeTenant, GroupClaims};
    /// let tenant = FakeTenant::start().await;
    /// let app = tenant.register_app("Shop").with_secret().group_claims(GroupClaims::SecurityGroup);
    /// let tokens = tenant.tokens_for(&app, "adele@contoso.com", ["openid", "profile"]);
    /// assert!(tokens.id_token().is_some());
    /// # }
    /// ```
    pub fn group_claims(&self, groups: GroupClaims) -> Self {
        let name = match groups {
            GroupClaims::None => Value::Null,
            GroupClaims::SecurityGroup => "SecurityGroup".into(),
            GroupClaims::ApplicationGroup => "ApplicationGroup".into(),
            GroupClaims::DirectoryRole => "DirectoryRole".into(),
            GroupClaims::All => "All".into(),
        };
        self.change(|app| super::set(app, "groupMembershipClaims", name));
        self.clone()
    }

    /// Adds an optional claim to ID tokens, such as `sid`, `auth_time`, `acct`, `amr`, `email`,
    /// `xms_edov`, `login_hint`, `upn` or `given_name`.
    ///
    /// A claim that is unknown, or without data in the directory, is omitted, as in a real tenant.
    pub fn id_token_claim(&self, name: &str) -> Self {
        self.optional_claim("idToken", name)
    }

    /// Adds an optional claim to access tokens for this application, such as `idtyp`, `xms_cc`,
    /// `auth_time` or `email`.
    pub fn access_token_claim(&self, name: &str) -> Self {
        self.optional_claim("accessToken", name)
    }

    /// Registers the front-channel logout URL, which is loaded in a hidden frame at sign-out.
    ///
    /// ID tokens have `sid` from now on, and the URL gets `sid` and `iss`.
    pub fn front_channel_logout_uri(&self, address: &str) -> Self {
        self.change(|app| {
            let web = app.entry("web").or_insert_with(|| json!({}));
            web["logoutUrl"] = address.into();
        });
        self.clone()
    }

    /// Adds a delegated permission of Microsoft Graph to the registration, without consent.
    /// `.default` and admin consent request it.
    ///
    /// # Panics
    /// If Graph has no delegated permission of that name.
    #[track_caller]
    pub fn needs_delegated_permission(&self, name: &str) -> Self {
        self.need("oauth2PermissionScopes", "Scope", name)
    }

    /// Adds an application permission of Microsoft Graph to the registration, without consent.
    ///
    /// # Panics
    /// If Graph has no application permission of that name.
    #[track_caller]
    pub fn needs_application_permission(&self, name: &str) -> Self {
        self.need("appRoles", "Role", name)
    }

    /// Makes the application multitenant, so that `organizations` and `common` work.
    pub fn multi_tenant(&self) -> Self {
        self.change(|app| {
            app.insert("signInAudience".to_owned(), "AzureADMultipleOrgs".into());
        });
        self.clone()
    }

    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a misspelt permission must fail the test at its line"
    )]
    fn need(&self, list: &str, kind: &str, name: &str) -> Self {
        let id = {
            let state = self.engine.read();
            state
                .store
                .find(Kind::ServicePrincipal, "appId", GRAPH_APP_ID)
                .and_then(|graph| graph.get(list)?.as_array())
                .into_iter()
                .flatten()
                .find(|permission| permission["value"] == name)
                .map(|permission| permission["id"].clone())
        };
        let Some(id) = id else {
            let known = permissions_like(&self.engine.read(), list, GRAPH_APP_ID, name);
            panic!("Microsoft Graph has no permission {name:?} of the type {kind}{known}");
        };
        let access = json!({ "id": id, "type": kind });
        self.change(|app| {
            let lists = app
                .entry("requiredResourceAccess")
                .or_insert_with(|| json!([]));
            let Some(lists) = lists.as_array_mut() else {
                return;
            };
            let graph = lists
                .iter_mut()
                .find(|list| list["resourceAppId"] == GRAPH_APP_ID)
                .and_then(|list| list["resourceAccess"].as_array_mut());
            match graph {
                Some(known) => known.push(access),
                None => {
                    lists.push(json!({ "resourceAppId": GRAPH_APP_ID, "resourceAccess": [access] }))
                }
            }
        });
        self.clone()
    }

    fn optional_claim(&self, list: &str, name: &str) -> Self {
        let claim =
            json!({ "name": name, "source": null, "essential": false, "additionalProperties": [] });
        self.change(|app| {
            let claims = app.entry("optionalClaims").or_insert_with(|| json!({}));
            match claims[list].as_array_mut() {
                Some(known) => known.push(claim),
                None => claims[list] = json!([claim]),
            }
        });
        self.clone()
    }
}
