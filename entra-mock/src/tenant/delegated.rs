use std::fmt;

use entra_core::Secret;
use serde_json::{Value, json};

use super::{App, FakeTenant};
use crate::{
    directory::GRAPH_APP_ID,
    login::{self, Direct},
    store::Kind,
};

impl FakeTenant {
    /// Follows an authorize URL as a person who signs in, second factor included, and consents to
    /// whatever is asked: gives where the browser ends up.
    ///
    /// It follows an admin-consent URL as well, for an administrator.
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
    /// If the tenant shows a page of its own in place of going back, as for a redirect address
    /// that is not registered or a person who does not exist.
    #[must_use]
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a sign-in that cannot work must fail the test at its line"
    )]
    pub fn sign_in_at(&self, authorize_url: &str, user_name: &str) -> Redirected {
        let (path, query) = split(authorize_url, &self.uri());
        let reply = login::authorize_for(&self.direct(), &path, query.as_deref(), user_name);
        let location = reply
            .headers
            .iter()
            .find(|(name, _)| *name == "location")
            .map(|(_, value)| value.clone());
        let page = String::from_utf8_lossy(&reply.body).into_owned();
        match Redirected::read(location, &page) {
            Some(redirected) => redirected,
            None => {
                panic!(
                    "the sign-in of {user_name:?} did not go back to the application: {}",
                    said(&page)
                )
            }
        }
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
    /// If there is no such person or scope, or the person may not sign in.
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

    /// Lets a person approve the device that shows this code.
    ///
    /// # Panics
    /// If no device waits with this code, or there is no such person.
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a misspelt code or name must fail the test at its line"
    )]
    pub fn approve_device_code(&self, user_code: &str, user_name: &str) {
        let now = self.engine.now();
        let settled = self
            .engine
            .write()
            .settle_device(now, user_code, Some(user_name));
        if !settled {
            panic!("no device waits with the code {user_code:?}, or there is no {user_name:?}");
        }
    }

    /// Lets a person decline the device that shows this code.
    ///
    /// # Panics
    /// If no device waits with this code.
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a misspelt code must fail the test at its line"
    )]
    pub fn decline_device_code(&self, user_code: &str) {
        let now = self.engine.now();
        if !self.engine.write().settle_device(now, user_code, None) {
            panic!("no device waits with the code {user_code:?}");
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
    /// Lets the application use a delegated permission of Microsoft Graph for everyone, with an
    /// admin's consent.
    ///
    /// # Panics
    /// If Graph has no delegated permission of that name.
    #[track_caller]
    pub fn delegated_permission(&self, name: &str) -> Self {
        let graph = self.service_principal_of(GRAPH_APP_ID);
        self.permit(&graph, name)
    }

    /// Lets the application use a scope of another application for everyone.
    ///
    /// # Panics
    /// If that application exposes no such scope.
    #[track_caller]
    pub fn delegated_permission_of(&self, api: &Self, name: &str) -> Self {
        self.permit(&api.ids.service_principal_id, name)
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

    /// Grants an app role of another application with an administrator's consent.
    ///
    /// # Panics
    /// If that application exposes no such role.
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

    /// Registers a redirect address of a web application.
    pub fn redirect_uri(&self, address: &str) -> Self {
        self.add_address("web", address)
    }

    /// Registers a redirect address of a mobile or desktop application, which keeps no secret.
    pub fn public_redirect_uri(&self, address: &str) -> Self {
        self.add_address("publicClient", address)
    }

    /// Registers a redirect address of a single-page application.
    pub fn spa_redirect_uri(&self, address: &str) -> Self {
        self.add_address("spa", address)
    }

    /// Allows public client flows: device code and user name with password, without a secret.
    pub fn public_client(&self) -> Self {
        self.change(|app| {
            app.insert("isFallbackPublicClient".to_owned(), true.into());
        });
        self.clone()
    }

    /// Lets in only people who are assigned to the application.
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

    /// Takes back everything that anybody has consented to for the application.
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
    fn permit(&self, resource: &str, name: &str) -> Self {
        let mut state = self.engine.write();
        let Some(scope) = state.scope_of(resource, name) else {
            drop(state);
            panic!("the resource has no delegated permission {name:?}");
        };
        // The id of a grant is fresh, so storing it cannot fail.
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

/// Where a browser ended up after a sign-in; see [`FakeTenant::sign_in_at`].
///
/// `Debug` shows the names of the parameters only.
#[derive(Clone)]
pub struct Redirected {
    address: String,
    parameters: Vec<(String, String)>,
    posted: bool,
}

impl Redirected {
    /// The address the browser went to; for a form post, where it posted.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether the parameters came as a form and not in the address.
    #[must_use]
    pub const fn is_posted(&self) -> bool {
        self.posted
    }

    /// The parameters as one form-encoded text, however they came.
    #[must_use]
    pub fn query(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.parameters)
            .finish()
    }

    /// One parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.parameters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    }

    fn read(location: Option<String>, page: &str) -> Option<Self> {
        if let Some(address) = location {
            let url = url::Url::parse(&address).ok()?;
            let text = url.fragment().or(url.query()).unwrap_or_default();
            let parameters = url::form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect();
            return Some(Self {
                address,
                parameters,
                posted: false,
            });
        }
        // Our own form, so its looks are known.
        let attribute = |text: &str, name: &str| {
            let (_, rest) = text.split_once(&format!("{name}=\""))?;
            Some(unescape(rest.split_once('"')?.0))
        };
        let (_, form) = page.split_once("<h1>Working…</h1>")?;
        let address = attribute(form, "action")?;
        let parameters = form
            .split("<input type=\"hidden\" ")
            .skip(1)
            .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)))
            .collect();
        Some(Self {
            address,
            parameters,
            posted: true,
        })
    }
}

impl fmt::Debug for Redirected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self
            .parameters
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        f.debug_struct("Redirected")
            .field("parameters", &names)
            .field("posted", &self.posted)
            .finish_non_exhaustive()
    }
}

/// What a person's sign-in gave an application; see [`FakeTenant::tokens_for`].
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

    /// The refresh token, if `offline_access` was asked for.
    #[must_use]
    pub const fn refresh_token(&self) -> Option<&Secret> {
        self.refresh_token.as_ref()
    }

    /// The ID token, if `openid` was asked for.
    #[must_use]
    pub const fn id_token(&self) -> Option<&Secret> {
        self.id_token.as_ref()
    }
}

/// What a page says has gone wrong, or all of a page that says nothing of the kind.
fn said(page: &str) -> String {
    let text = |start: &str, end: &str| {
        let (_, rest) = page.split_once(start)?;
        let (_, rest) = rest.split_once('>')?;
        Some(unescape(rest.split_once(end)?.0))
    };
    text("id=\"error\"", "</p>")
        .or_else(|| text("<h1", "</h1>"))
        .unwrap_or_else(|| page.to_owned())
}

/// Path and query of a URL, which may also be given without the tenant's own address.
fn split(url: &str, base: &str) -> (String, Option<String>) {
    let rest = url.strip_prefix(base).unwrap_or(url);
    match rest.split_once('?') {
        Some((path, query)) => {
            let query = query.split_once('#').map_or(query, |(query, _)| query);
            (path.to_owned(), Some(query.to_owned()))
        }
        None => (rest.to_owned(), None),
    }
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}
