//! App roles and delegated permissions that an application defines.

use entra_core::{Guid, IntoId, SystemRandom};

use super::OneApplication;
use crate::{
    error::Error,
    objects::{
        Application,
        types::{ApiApplication, AppRole, PermissionScope},
    },
    place::Object,
    settled::pause,
};

impl AppRole {
    /// A role with a new id that users and groups can be assigned: the name in tokens, the display name and
    /// the description.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the operating system has no random bytes.
    #[inline]
    pub fn for_users(value: &str, display_name: &str, description: &str) -> Result<Self, Error> {
        Self::with_new_id(value, display_name, description, &["User"])
    }

    /// A role with a new id that applications can be granted: an application permission of this API.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the operating system has no random bytes.
    #[inline]
    pub fn for_applications(
        value: &str,
        display_name: &str,
        description: &str,
    ) -> Result<Self, Error> {
        Self::with_new_id(value, display_name, description, &["Application"])
    }

    #[inline]
    fn with_new_id(
        value: &str,
        display_name: &str,
        description: &str,
        types: &[&str],
    ) -> Result<Self, Error> {
        let types: Vec<String> = types.iter().map(|&name| name.to_owned()).collect();
        Ok(Self::default()
            .id(Guid::random(&SystemRandom)?.to_string())
            .allowed_member_types(types)
            .value(value)
            .display_name(display_name)
            .description(description)
            .is_enabled(true))
    }
}

impl PermissionScope {
    /// A delegated permission with a new id that administrators consent to: the name in tokens, and the name
    /// and description at consent.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the operating system has no random bytes.
    #[inline]
    pub fn for_administrators(
        value: &str,
        display_name: &str,
        description: &str,
    ) -> Result<Self, Error> {
        Ok(Self::default()
            .id(Guid::random(&SystemRandom)?.to_string())
            .kind("Admin")
            .value(value)
            .admin_consent_display_name(display_name)
            .admin_consent_description(description)
            .is_enabled(true))
    }

    /// The same permission, which users may consent to for themselves: the name and description that they see.
    #[must_use]
    #[inline]
    pub fn also_for_users(self, display_name: &str, description: &str) -> Self {
        self.kind("User")
            .user_consent_display_name(display_name)
            .user_consent_description(description)
    }
}

impl Object<OneApplication> {
    /// Adds app roles to those that the application has, and returns all of them.
    ///
    /// The list is read and written as a whole, so two writers at the same time can lose a role. Takes
    /// `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient, client_id: entra_core::ClientId) -> Result<(), entra_graph::Error> {
    /// use entra_graph::types::AppRole;
    /// let approve = AppRole::for_users("Orders.Approve", "Approve orders", "May approve orders")?;
    /// graph.application(client_id).add_app_roles([approve]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Every kind of [`Error`].
    #[inline]
    pub async fn add_app_roles(
        &self,
        roles: impl IntoIterator<Item = AppRole>,
    ) -> Result<Vec<AppRole>, Error> {
        let mut all = self.app_roles().await?;
        all.extend(roles);
        self.set_app_roles(&all).await?;
        Ok(all)
    }

    /// Disables an app role and then removes it, in two updates as Graph requires. A role that the application
    /// does not have is not an error.
    ///
    /// The list is read once, and a replica may not have a new role yet: the call then succeeds, and the role stays.
    /// After [`add_app_roles`](Object::add_app_roles), wait until a read with [`settled`](crate::query::Get::settled)
    /// shows the role in [`Application::APP_ROLES`].
    ///
    /// Needs `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    #[inline]
    pub async fn remove_app_role(&self, id: impl IntoId<Guid>) -> Result<(), Error> {
        let id = id.into_id()?;
        let mut roles = self.app_roles().await?;
        let Some(role) = roles.iter_mut().find(|role| is(role.id.as_ref(), id)) else {
            return Ok(());
        };
        if role.is_enabled != Some(false) {
            role.is_enabled = Some(false);
            self.set_app_roles(&roles).await?;
        }
        roles.retain(|role| !is(role.id.as_ref(), id));
        self.once_disabled(async || self.set_app_roles(&roles).await)
            .await
    }

    /// Adds delegated permissions to those that the application offers, and returns all of them.
    ///
    /// The list is read and written as a whole, so two writers at the same time can lose a permission. Takes
    /// `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    #[inline]
    pub async fn add_permission_scopes(
        &self,
        scopes: impl IntoIterator<Item = PermissionScope>,
    ) -> Result<Vec<PermissionScope>, Error> {
        let mut all = self.permission_scopes().await?;
        all.extend(scopes);
        self.set_permission_scopes(&all).await?;
        Ok(all)
    }

    /// Disables a delegated permission and then removes it, in two updates as Graph requires. A permission that
    /// the application does not offer is not an error.
    ///
    /// The list is read once, and a replica may not have a new permission yet: the call then succeeds, and the permission stays.
    /// After [`add_permission_scopes`](Object::add_permission_scopes), wait until a read with [`settled`](crate::query::Get::settled)
    /// shows the permission in [`Application::API`].
    ///
    /// Needs `Application.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    #[inline]
    pub async fn remove_permission_scope(&self, id: impl IntoId<Guid>) -> Result<(), Error> {
        let id = id.into_id()?;
        let mut scopes = self.permission_scopes().await?;
        let Some(scope) = scopes.iter_mut().find(|scope| is(scope.id.as_ref(), id)) else {
            return Ok(());
        };
        if scope.is_enabled != Some(false) {
            scope.is_enabled = Some(false);
            self.set_permission_scopes(&scopes).await?;
        }
        scopes.retain(|scope| !is(scope.id.as_ref(), id));
        self.once_disabled(async || self.set_permission_scopes(&scopes).await)
            .await
    }

    #[inline]
    async fn app_roles(&self) -> Result<Vec<AppRole>, Error> {
        let read = self.get().select(Application::APP_ROLES).send().await?;
        Ok(read.app_roles.unwrap_or_default())
    }

    #[inline]
    async fn set_app_roles(&self, roles: &[AppRole]) -> Result<(), Error> {
        self.update()
            .set(Application::APP_ROLES, roles)
            .send()
            .await
    }

    #[inline]
    async fn permission_scopes(&self) -> Result<Vec<PermissionScope>, Error> {
        let read = self.get().select(Application::API).send().await?;
        Ok(read
            .api
            .and_then(|api| api.oauth2_permission_scopes)
            .unwrap_or_default())
    }

    #[inline]
    async fn set_permission_scopes(&self, scopes: &[PermissionScope]) -> Result<(), Error> {
        let api = ApiApplication::default().oauth2_permission_scopes(scopes);
        self.update().set(Application::API, api).send().await
    }

    /// Sends a removal again while the replica that serves it still sees the entry as enabled, for two minutes at most.
    #[inline]
    async fn once_disabled(&self, send: impl AsyncFn() -> Result<(), Error>) -> Result<(), Error> {
        let client = &self.target().client;
        let clock = client.pipeline().clock();
        let started = clock.monotonic();
        let mut misses = 0;
        loop {
            let error = match send().await {
                Err(error) => error,
                Ok(()) => return Ok(()),
            };
            let age = clock.elapsed(started);
            let is_lag = error.code() == Some(STILL_ENABLED) || error.is_lag(age);
            if age >= LONGEST || !is_lag {
                return Err(error);
            }
            client.sleep(pause(misses)).await;
            misses += 1;
        }
    }
}

/// Whether an id in a response is this one, in any letters.
#[inline]
fn is(text: Option<&String>, id: Guid) -> bool {
    text.is_some_and(|text| text.parse() == Ok(id))
}

const STILL_ENABLED: &str = "CannotDeleteOrUpdateEnabledEntitlement";
const LONGEST: std::time::Duration = std::time::Duration::from_secs(2 * 60);
