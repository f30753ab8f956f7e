use std::sync::Arc;

use entra_core::{ClientId, ObjectId};

use super::{App, FakeTenant, UserHandle};
use crate::login::{self, PARENT};

impl FakeTenant {
    /// Creates an agent identity of a blueprint: a service principal without credentials of its own.
    ///
    /// The blueprint is any application. It authenticates, and gets an exchange token for the agent identity
    /// (`scope=api://AzureADTokenExchange/.default` with `fmi_path`), which is the client assertion of the agent
    /// identity.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// let blueprint = tenant.register_app("Travel agents").with_secret();
    /// let agent = tenant
    ///     .add_agent_identity(&blueprint, "Travel agent 1")
    ///     .application_permission("User.Read.All");
    /// let user = tenant.add_agent_user(&agent, "Travel Agent");
    /// assert_ne!(agent.client_id(), blueprint.client_id());
    /// # drop(user);
    /// # }
    /// ```
    pub fn add_agent_identity(&self, blueprint: &App, display_name: &str) -> AgentIdentity {
        let blueprint = blueprint.client_id().to_string();
        let ids = login::add_agent_identity(&mut self.engine.write(), &blueprint, display_name);
        AgentIdentity {
            app: App::of(Arc::clone(&self.engine), ids),
        }
    }

    /// Creates the agent user of an agent identity, who has no password and signs in by the grant `user_fic` only.
    pub fn add_agent_user(&self, agent: &AgentIdentity, display_name: &str) -> UserHandle {
        let user = self.add_user(display_name);
        let parent = agent.service_principal_id().to_string();
        user.set(PARENT, parent.into());
        user
    }
}

/// An agent identity; see [`FakeTenant::add_agent_identity`]. The methods take effect at once.
#[derive(Clone, Debug)]
pub struct AgentIdentity {
    app: App,
}

impl AgentIdentity {
    /// Grants an application permission of Microsoft Graph with admin consent.
    ///
    /// # Panics
    /// If Graph has no application permission of that name.
    #[track_caller]
    pub fn application_permission(self, name: &str) -> Self {
        self.app.application_permission(name);
        self
    }

    /// Grants a delegated permission of Microsoft Graph for all users, with admin consent.
    ///
    /// # Panics
    /// If Graph has no delegated permission of that name.
    #[track_caller]
    pub fn delegated_permission(self, name: &str) -> Self {
        self.app.delegated_permission(name);
        self
    }

    /// Disables the agent identity, so that it gets no more tokens.
    pub fn disable(&self) {
        self.app.disable();
    }

    /// The client id.
    #[must_use]
    pub fn client_id(&self) -> ClientId {
        self.app.client_id()
    }

    /// The object id of the service principal.
    #[must_use]
    pub fn service_principal_id(&self) -> ObjectId {
        self.app.service_principal_id()
    }
}
