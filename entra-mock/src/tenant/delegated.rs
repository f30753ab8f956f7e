use std::fmt;

use entra_core::Secret;
use serde_json::{Value, json};

use super::{App, FakeTenant, hints::permissions_like};
use crate::{
    directory::GRAPH_APP_ID,
    login::{self, Direct, DirectRedirect},
    store::Kind,
};

impl FakeTenant {
    /// Follows an authorize URL as a user who signs in, passes multifactor authentication and
    /// consents. Returns where the browser is redirected to.
    ///
    /// Also follows an admin consent URL, for an administrator.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// let app = tenant.register_app("Shop").redirect_uri("https://shop.example/callback").with_secret();
    /// let url = format!(
    ///     "{}/{}/oauth2/v2.0/authorize?client_id={}&response_type=code&scope=openid&redirect_uri=https://shop.example/callback&state=7",
    ///     tenant.uri(), tenant.id(), app.client_id(),
    /// );
    /// let back = tenant.sign_in_at(&url, "adele@contoso.com");
    /// assert!(back.address().starts_with("https://shop.example/callback"));
    /// assert_eq!(back.parameter("state").as_deref(), Some("7"));
    /// assert!(back.parameter("code").is_some());
    /// # }
    /// ```
    ///
    /// # Panics
    /// If the tenant shows a page instead of a redirect, for example for a redirect URI that is not
    /// registered or an unknown user. [`try_sign_in_at`](Self::try_sign_in_at) returns the page.
    #[must_use]
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a sign-in that cannot work must fail the test at its line"
    )]
    pub fn sign_in_at(&self, authorize_url: &str, user_name: &str) -> Redirected {
        match self.try_sign_in_at(authorize_url, user_name) {
            Ok(redirected) => redirected,
            Err(page) => {
                panic!("the sign-in of {user_name:?} was not redirected to the application: {page}")
            }
        }
    }

    /// As [`sign_in_at`](Self::sign_in_at), for a test of a sign-in that Entra does not let through.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// let app = tenant.register_app("Shop").redirect_uri("https://shop.example/callback");
    /// let url = format!(
    ///     "{}/{}/oauth2/v2.0/authorize?client_id={}&response_type=code&scope=User.Read.All&redirect_uri=https://shop.example/callback",
    ///     tenant.uri(), tenant.id(), app.client_id(),
    /// );
    /// let page = tenant.try_sign_in_at(&url, "adele@contoso.com").unwrap_err();
    /// assert_eq!(page.aadsts_code(), Some(90094)); // only an administrator can consent
    /// # }
    /// ```
    ///
    /// # Errors
    /// The page that the user sees instead of the application, such as for missing consent, a disabled
    /// account or a redirect URI that is not registered.
    pub fn try_sign_in_at(
        &self,
        authorize_url: &str,
        user_name: &str,
    ) -> Result<Redirected, SignInPage> {
        login::follow(&self.direct(), authorize_url, user_name)
            .map(Redirected)
            .map_err(|text| SignInPage { text })
    }

    /// Returns tokens of an application for a user who signed in, without any request.
    ///
    /// A scope without consent gets a grant for this user alone, as if an administrator had created
    /// it with `POST /oauth2PermissionGrants` and `"consentType": "Principal"`: Entra allows that for
    /// every delegated permission, also for those that a user cannot consent to. The grant remains,
    /// so later sign-ins of this user do not ask for consent. To test consent itself, use
    /// [`sign_in_at`](Self::sign_in_at), which follows the rules of the consent page.
    ///
    /// Everything else is checked as in a sign-in: access policies, assignment to the application,
    /// disabled accounts.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// let app = tenant.register_app("Mail merge").with_secret();
    /// let tokens = tenant.tokens_for(&app, "adele@contoso.com", ["User.Read", "offline_access"]);
    /// assert!(tokens.refresh_token().is_some() && tokens.id_token().is_none());
    /// tenant.requests().to("/token").assert_count(0);
    /// # }
    /// ```
    ///
    /// # Panics
    /// If the user or a scope does not exist, or the user cannot sign in.
    #[must_use]
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a sign-in that cannot work must fail the test at its line"
    )]
    pub fn tokens_for<I>(&self, app: &App, user_name: &str, scopes: I) -> UserTokens
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let scopes: Vec<String> = scopes
            .into_iter()
            .map(|scope| scope.as_ref().to_owned())
            .collect();
        let issued = login::tokens_for(
            &self.direct(),
            &app.ids.app_id,
            user_name,
            &scopes.join(" "),
        );
        match issued {
            Ok(tokens) => UserTokens {
                access_token: Secret::from(tokens.access_token),
                refresh_token: tokens.refresh_token.map(Secret::from),
                id_token: tokens.id_token.map(Secret::from),
            },
            Err(error) => panic!("no tokens for {user_name:?}: {error}"),
        }
    }

    /// Approves the device with this user code, as a user who consents.
    ///
    /// # Panics
    /// If no pending device has this code, the user does not exist, or only an administrator can consent.
    #[track_caller]
    pub fn approve_device_code(&self, user_code: &str, user_name: &str) {
        self.decide_device(user_code, Some(user_name));
    }

    /// Declines the device with this user code.
    ///
    /// # Panics
    /// If no pending device has this code.
    #[track_caller]
    pub fn decline_device_code(&self, user_code: &str) {
        self.decide_device(user_code, None);
    }

    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a misspelt code or name must fail the test at its line"
    )]
    fn decide_device(&self, user_code: &str, user_name: Option<&str>) {
        if let Err(error) = login::decide_device(&self.direct(), user_code, user_name) {
            panic!("the device with the code {user_code:?} cannot be decided: {error}");
        }
    }

    fn direct(&self) -> Direct<'_> {
        Direct {
            state: self.engine.state(),
            now: self.engine.now(),
            base: self.uri(),
        }
    }
}

impl App {
    /// Grants a delegated permission of Microsoft Graph for all users, with admin consent.
    ///
    /// # Panics
    /// If Graph has no delegated permission of that name.
    #[track_caller]
    pub fn delegated_permission(&self, name: &str) -> Self {
        let graph = self.service_principal_of(GRAPH_APP_ID);
        self.grant_scope(&graph, name)
    }

    /// Grants a scope of another application for all users.
    ///
    /// # Panics
    /// If that application has no such scope.
    #[track_caller]
    pub fn delegated_permission_of(&self, api: &Self, name: &str) -> Self {
        self.grant_scope(&api.ids.service_principal_id, name)
    }

    /// Exposes a scope of this application as an API, under `api://{client id}`.
    pub fn expose_scope(&self, name: &str) -> Self {
        self.engine.write().expose_scope(&self.ids, name);
        self.clone()
    }

    /// Adds an app role to this application as an API, for applications and users.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// let api = tenant.register_app("Orders API").expose_app_role("Orders.Read.All");
    /// let job = tenant.register_app("Night job").with_secret().application_permission_of(&api, "Orders.Read.All");
    /// // Its tokens for `{client id of the API}/.default` have `"roles": ["Orders.Read.All"]`.
    /// # }
    /// ```
    pub fn expose_app_role(&self, value: &str) -> Self {
        self.engine.write().expose_app_role(&self.ids, value);
        self.clone()
    }

    /// Grants an app role of another application with admin consent.
    ///
    /// # Panics
    /// If that application has no such role.
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a misspelt role must fail the test at its line"
    )]
    pub fn application_permission_of(&self, api: &Self, value: &str) -> Self {
        let now = self.engine.now();
        let granted = self.engine.write().grant_app_role(
            now,
            &self.ids.service_principal_id,
            &api.ids.service_principal_id,
            value,
        );
        if !granted {
            panic!("the application exposes no app role {value:?}");
        }
        self.clone()
    }

    /// Registers a redirect URI of a web application.
    pub fn redirect_uri(&self, address: &str) -> Self {
        self.add_address("web", address)
    }

    /// Registers a redirect URI of a mobile or desktop application, which cannot keep a secret.
    pub fn public_redirect_uri(&self, address: &str) -> Self {
        self.add_address("publicClient", address)
    }

    /// Registers a redirect URI of a single-page application.
    pub fn spa_redirect_uri(&self, address: &str) -> Self {
        self.add_address("spa", address)
    }

    /// Allows public client flows: device code, and user name with password, without a secret.
    pub fn public_client(&self) -> Self {
        self.change(|app| {
            app.insert("isFallbackPublicClient".to_owned(), true.into());
        });
        self.clone()
    }

    /// Requires that users are assigned to the application.
    pub fn require_assignment(&self) -> Self {
        self.engine.write().store.update(
            Kind::ServicePrincipal,
            &self.ids.service_principal_id,
            |object| {
                object.insert("appRoleAssignmentRequired".to_owned(), true.into());
            },
        );
        self.clone()
    }

    /// Revokes all consent to delegated permissions of the application.
    pub fn revoke_consent(&self) {
        self.engine
            .write()
            .revoke_consent(&self.ids.service_principal_id);
    }

    fn add_address(&self, platform: &str, address: &str) -> Self {
        self.change(|app| {
            let addresses = app.entry(platform).or_insert_with(|| json!({}));
            match addresses["redirectUris"].as_array_mut() {
                Some(known) => known.push(address.into()),
                None => addresses["redirectUris"] = json!([address]),
            }
        });
        self.clone()
    }

    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a misspelt permission must fail the test at its line"
    )]
    fn grant_scope(&self, resource: &str, name: &str) -> Self {
        let mut state = self.engine.write();
        let Some(scope) = state.scope_of(resource, name) else {
            let known = permissions_like(&state, "oauth2PermissionScopes", resource, name);
            drop(state);
            panic!("the resource has no delegated permission {name:?}{known}");
        };
        // The id of a grant is new, so storing it cannot fail.
        let _ = state.consent(&self.ids.service_principal_id, resource, &[scope], None);
        drop(state);
        self.clone()
    }

    fn service_principal_of(&self, app_id: &str) -> String {
        let state = self.engine.read();
        state
            .store
            .find(Kind::ServicePrincipal, "appId", app_id)
            .and_then(|principal| principal.get("id").and_then(Value::as_str))
            .unwrap_or_default()
            .to_owned()
    }
}

/// The page at which a sign-in ended; see [`FakeTenant::try_sign_in_at`].
#[derive(Clone, Debug)]
pub struct SignInPage {
    text: String,
}

impl SignInPage {
    /// The text of the page for the user, with the error code.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The digits of `AADSTS…`, if the page has an error code.
    #[must_use]
    pub fn aadsts_code(&self) -> Option<u32> {
        let (_, rest) = self.text.split_once("AADSTS")?;
        let digits = rest.split(|one: char| !one.is_ascii_digit()).next()?;
        digits.parse().ok()
    }
}

impl fmt::Display for SignInPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for SignInPage {}

/// The redirect at the end of a sign-in; see [`FakeTenant::sign_in_at`].
///
/// `Debug` shows only the names of the parameters.
#[derive(Clone)]
pub struct Redirected(DirectRedirect);

impl Redirected {
    /// The URL of the redirect. For a form post, the URL of the form.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.0.address
    }

    /// Whether the parameters were sent as a form and not in the URL.
    #[must_use]
    pub const fn is_posted(&self) -> bool {
        self.0.posted
    }

    /// The parameters in form encoding, whichever way they were sent.
    #[must_use]
    pub fn query(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.0.parameters)
            .finish()
    }

    /// Returns one parameter, decoded.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.0
            .parameters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    }
}

impl fmt::Debug for Redirected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self
            .0
            .parameters
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        f.debug_struct("Redirected")
            .field("parameters", &names)
            .field("posted", &self.0.posted)
            .finish_non_exhaustive()
    }
}

/// The tokens of a user's sign-in; see [`FakeTenant::tokens_for`].
#[derive(Clone, Debug)]
pub struct UserTokens {
    access_token: Secret,
    refresh_token: Option<Secret>,
    id_token: Option<Secret>,
}

impl UserTokens {
    /// The access token.
    #[must_use]
    pub const fn access_token(&self) -> &Secret {
        &self.access_token
    }

    /// The refresh token, if `offline_access` was requested.
    #[must_use]
    pub const fn refresh_token(&self) -> Option<&Secret> {
        self.refresh_token.as_ref()
    }

    /// The ID token, if `openid` was requested.
    #[must_use]
    pub const fn id_token(&self) -> Option<&Secret> {
        self.id_token.as_ref()
    }
}
