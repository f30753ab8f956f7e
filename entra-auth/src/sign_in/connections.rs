use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use entra_core::TenantId;

use super::{client::SignInClient, error::SignInError, kind::SignInErrorKind, signed_in::SignedIn};
use crate::user::PendingSignIn;

/// The connections of a product, one per customer, to choose from at each sign-in.
///
/// They are added and removed while the program runs, and fail each for itself: none of them sends
/// anything before its first use. Cheap to clone; clones share the connections. Give all of them
/// one `transport`, so that they share its pool, and one set of `keys` where their tenants repeat.
///
/// ```
/// use entra_auth::sign_in::{Connections, SignInClient};
/// use entra_auth::user::ClientProof;
/// # use entra_auth::user::StartOptions;
/// # let (tenant, client_id) = ("11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222");
/// let connections = Connections::new();
/// connections.add(
///     SignInClient::builder(tenant, client_id, ClientProof::secret("s3cr3t"))
///         .name("acme")
///         .domains(["acme.example"])
///         .redirect_uri("https://app.example.com/auth/callback")
///         .build()?,
/// );
///
/// let acme = connections.by_email("ada@acme.example").ok_or("sign in with a password")?;
/// let (url, flow) = acme.start(&StartOptions::default())?;
/// assert_eq!(connections.for_flow(&flow)?.name(), "acme");
/// # let _ = url;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Connections(Arc<RwLock<Known>>);

#[derive(Debug, Default)]
struct Known {
    clients: HashMap<String, SignInClient>,
    /// Names by domain.
    domains: HashMap<String, String>,
    /// Names by tenant, in the order they came.
    tenants: HashMap<TenantId, Vec<String>>,
}

impl Connections {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connection; gives the one of the same name that it replaces. A domain leads to the
    /// connection that named it last.
    pub fn add(&self, client: SignInClient) -> Option<SignInClient> {
        let mut known = self.write();
        let before = known.take(client.name());
        let name = client.name().to_owned();
        for domain in client.domains() {
            known.domains.insert(domain.clone(), name.clone());
        }
        known
            .tenants
            .entry(client.tenant().clone())
            .or_default()
            .push(name.clone());
        known.clients.insert(name, client);
        before
    }

    /// Takes a connection away. Flows that it started can no longer be finished.
    pub fn remove(&self, name: &str) -> Option<SignInClient> {
        self.write().take(name)
    }

    /// The connection of this name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<SignInClient> {
        self.read().clients.get(name).cloned()
    }

    /// The connection whose people come from this domain, such as by a domain hint.
    #[must_use]
    pub fn by_domain(&self, domain: &str) -> Option<SignInClient> {
        let known = self.read();
        let domain = domain.trim().to_ascii_lowercase();
        let name = known.domains.get(&domain)?;
        known.clients.get(name).cloned()
    }

    /// The connection of the domain of an e-mail address, which somebody types in to choose where
    /// to sign in. It proves nothing.
    #[must_use]
    pub fn by_email(&self, address: &str) -> Option<SignInClient> {
        let (_, domain) = address.rsplit_once('@')?;
        self.by_domain(domain)
    }

    /// The connection of a tenant, as it was given to the connection; the first if it has several.
    #[must_use]
    pub fn by_tenant(&self, tenant: &TenantId) -> Option<SignInClient> {
        let known = self.read();
        let name = known.tenants.get(tenant)?.first()?;
        known.clients.get(name).cloned()
    }

    /// The connection that started a flow, to finish it with.
    ///
    /// # Errors
    /// [`SignInErrorKind::OtherConnection`] when it is not here any more.
    pub fn for_flow(&self, flow: &PendingSignIn) -> Result<SignInClient, SignInError> {
        flow.connection()
            .and_then(|name| self.by_name(name))
            .filter(|client| client.has_started(flow))
            .ok_or_else(|| SignInError::new(SignInErrorKind::OtherConnection))
    }

    /// Finishes a flow with the connection that started it; see [`SignInClient::finish`].
    ///
    /// # Errors
    /// As [`SignInClient::finish`].
    pub async fn finish(
        &self,
        flow: PendingSignIn,
        callback: &str,
    ) -> Result<SignedIn, SignInError> {
        let client = self.for_flow(&flow)?;
        client.finish(flow, callback).await
    }

    /// Every connection, ordered by name.
    #[must_use]
    pub fn all(&self) -> Vec<SignInClient> {
        let mut all: Vec<_> = self.read().clients.values().cloned().collect();
        all.sort_by(|left, right| left.name().cmp(right.name()));
        all
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().clients.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn take(&mut self, name: &str) -> Option<SignInClient> {
        let client = self.clients.remove(name)?;
        for domain in client.domains() {
            if self.domains.get(domain).is_some_and(|known| known == name) {
                self.domains.remove(domain);
            }
        }
        if let Some(names) = self.tenants.get_mut(client.tenant()) {
            names.retain(|known| known != name);
            if names.is_empty() {
                self.tenants.remove(client.tenant());
            }
        }
        Some(client)
    }
}
