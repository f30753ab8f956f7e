use serde_json::{Value, json};

use super::App;
use crate::{directory::GRAPH_APP_ID, store::Kind};

/// Which groups an application's tokens carry; see [`App::group_claims`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupClaims {
    /// None, as for every new application.
    None,
    /// Security groups, also by other groups.
    SecurityGroup,
    /// Only groups that are assigned to the application.
    ApplicationGroup,
    /// No groups, but the directory roles (`wids`).
    DirectoryRole,
    /// All groups, and the directory roles.
    All,
}

/// What an application's manifest says about its tokens and about signing out.
impl App {
    /// Puts groups into the application's ID tokens and into access tokens for it.
    ///
    /// More than 200 groups do not fit: then the token says where to ask for them.
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

    /// Asks for an optional claim in ID tokens, such as `sid`, `auth_time`, `acct`, `amr`,
    /// `email`, `xms_edov`, `login_hint`, `upn` or `given_name`.
    ///
    /// A claim the tenant does not know, or has no data for, is left out, as in a real tenant.
    pub fn id_token_claim(&self, name: &str) -> Self {
        self.optional_claim("idToken", name)
    }

    /// Asks for an optional claim in access tokens for this application, such as `idtyp`,
    /// `xms_cc`, `auth_time` or `email`.
    pub fn access_token_claim(&self, name: &str) -> Self {
        self.optional_claim("accessToken", name)
    }

    /// Registers where the application wants to hear, in a hidden frame, that somebody signed out.
    ///
    /// Its ID tokens carry `sid` from now on, and the frame's address `sid` and `iss`.
    pub fn front_channel_logout_uri(&self, address: &str) -> Self {
        self.change(|app| {
            let web = app.entry("web").or_insert_with(|| json!({}));
            web["logoutUrl"] = address.into();
        });
        self.clone()
    }

    /// Lists a delegated permission of Microsoft Graph in the registration, without anybody's
    /// consent: what `.default` and admin consent ask for.
    ///
    /// # Panics
    /// If Graph has no delegated permission of that name.
    #[track_caller]
    pub fn needs_delegated_permission(&self, name: &str) -> Self {
        self.need("oauth2PermissionScopes", "Scope", name)
    }

    /// Lists an application permission of Microsoft Graph in the registration, without consent.
    ///
    /// # Panics
    /// If Graph has no application permission of that name.
    #[track_caller]
    pub fn needs_application_permission(&self, name: &str) -> Self {
        self.need("appRoles", "Role", name)
    }

    /// Lets people of any organization sign in, so that `organizations` and `common` work.
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
            panic!("Microsoft Graph has no permission {name:?} of the type {kind}");
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
