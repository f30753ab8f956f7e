use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use entra_core::TenantId;

use super::{
    client::{SignInClient, normalize_domain},
    error::SignInError,
    kind::SignInErrorKind,
    result::SignInResult,
};
#[cfg(feature = "axum")]
use crate::user::ShortPendingSignIn;
use crate::{
    Error,
    user::{Callback, PendingSignIn, callback},
};

/// The connections of an application, such as one per customer, to choose from at each sign-in.
///
/// They are added and removed while the program runs, and do not affect each other: none of them
/// sends a request before its first use. Cheap to clone; clones share the connections. Give all of
/// them one `transport`, so that they share its pool, and one set of `keys` where their tenants
/// repeat.
///
/// **Each connection has its own callback**, such as `/auth/callback/{name}`. Otherwise the
/// provider of one connection could redirect a browser to the sign-in service of another
/// connection, and the code for the shared callback would be sent to the provider's token endpoint
/// (mix-up, RFC 9700 4.4). Connections at one login host may share a callback, such as any number
/// of Entra tenants of one cloud. Callbacks are distinguished by their paths; hosts are ignored,
/// because a server behind a proxy may not know its host.
///
/// ```
/// use entra_auth::sign_in::{Connections, SignInClient};
/// use entra_auth::user::ClientAuthentication;
/// # use entra_auth::user::StartOptions;
/// # let (tenant, client_id) = ("11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222");
/// let connections = Connections::new();
/// connections.add(
///     SignInClient::builder(tenant, client_id, ClientAuthentication::secret("s3cr3t"))
///         .name("acme")
///         .domains(["acme.example"])
///         .redirect_uri("https://app.example.com/auth/callback/acme")
///         .build()?,
/// )?;
///
/// let acme = connections.by_email("ada@acme.example").ok_or("sign in with a password")?;
/// let (url, flow) = acme.start(&StartOptions::default())?;
/// assert_eq!(connections.for_flow(&flow)?.name(), "acme");
/// // When the browser is back, with what the request was for: its path and query.
/// // let session = connections.finish(flow, "/auth/callback/acme?code=…&state=…").await?;
/// # let _ = url;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Connections(Arc<RwLock<Index>>);

#[derive(Debug, Default)]
struct Index {
    clients: HashMap<String, SignInClient>,
    /// By callback path: the login host of all connections that share it, and their number.
    callbacks: HashMap<String, (String, usize)>,
    /// Names by domain.
    domains: HashMap<String, String>,
    /// Names by tenant, in the order of addition.
    tenants: HashMap<TenantId, Vec<String>>,
}

impl Connections {
    /// An empty set of connections.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connection; returns the one of the same name that it replaces.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when a connection at another
    /// login host has the same callback path, or another connection has one of the domains: remove
    /// that connection first. Nothing is changed then.
    pub fn add(&self, client: SignInClient) -> Result<Option<SignInClient>, Error> {
        let mut index = self.write();
        index.check(&client)?;
        Ok(index.insert_client(client))
    }

    /// Removes a connection. Its pending sign-ins can no longer be finished.
    pub fn remove(&self, name: &str) -> Option<SignInClient> {
        self.write().remove_client(name)
    }

    /// The connection of this name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<SignInClient> {
        self.read().clients.get(name).cloned()
    }

    /// The connection with this domain, such as for a domain hint.
    #[must_use]
    pub fn by_domain(&self, domain: &str) -> Option<SignInClient> {
        let index = self.read();
        let name = index.domains.get(&normalize_domain(domain))?;
        index.clients.get(name).cloned()
    }

    /// The connection with the domain of an e-mail address, which a user enters to choose where to
    /// sign in. It does not authenticate the user.
    #[must_use]
    pub fn by_email(&self, address: &str) -> Option<SignInClient> {
        let (_, domain) = address.rsplit_once('@')?;
        self.by_domain(domain)
    }

    /// The connection of a tenant, in the spelling of the connection; the first one if there are
    /// several.
    #[must_use]
    pub fn by_tenant(&self, tenant: &TenantId) -> Option<SignInClient> {
        let index = self.read();
        let name = index.tenants.get(tenant)?.first()?;
        index.clients.get(name).cloned()
    }

    /// The connection that started a pending sign-in, to finish it with.
    ///
    /// # Errors
    /// [`SignInErrorKind::OtherConnection`] if it was removed.
    pub fn for_flow(&self, flow: &PendingSignIn) -> Result<SignInClient, SignInError> {
        flow.connection()
            .and_then(|name| self.by_name(name))
            .filter(|client| client.has_started(flow))
            .ok_or_else(|| SignInError::new(SignInErrorKind::OtherConnection))
    }

    /// A pending sign-in from its short form, and the connection that started it.
    #[cfg(feature = "axum")]
    pub(crate) fn restore(
        &self,
        name: &str,
        short: ShortPendingSignIn,
    ) -> Result<(SignInClient, PendingSignIn), SignInError> {
        let client = self.by_name(name);
        client
            .and_then(|client| client.restore(short).map(|flow| (client, flow)))
            .ok_or_else(|| SignInError::new(SignInErrorKind::OtherConnection))
    }

    /// Finishes a pending sign-in with the connection that started it, if the callback came to that
    /// connection's redirect URI; see [`SignInClient::finish`]. Pass the path or URL of the request
    /// with its query, or [`Callback::form`].
    ///
    /// # Errors
    /// As [`SignInClient::finish`]; [`SignInErrorKind::Configuration`] for a callback without a path.
    pub async fn finish<'a>(
        &self,
        flow: PendingSignIn,
        callback: impl Into<Callback<'a>>,
    ) -> Result<SignInResult, SignInError> {
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

    /// The number of connections.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().clients.len()
    }

    /// Whether there is no connection.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<SignInClient> for Connections {
    /// The only connection.
    fn from(client: SignInClient) -> Self {
        let connections = Self::new();
        connections.write().insert_client(client);
        connections
    }
}

impl Index {
    /// Checks that neither the callback nor a domain belongs to another connection.
    fn check(&self, client: &SignInClient) -> Result<(), Error> {
        let path = path(client);
        let previous = self.clients.get(client.name());
        let replaced = usize::from(previous.is_some_and(|previous| self::path(previous) == path));
        if let Some((authority, count)) = self.callbacks.get(&path)
            && *count > replaced
            && *authority != client.authority()
        {
            return Err(Error::configuration(
                format!(
                    "the connection {} has the callback {path} of a connection at another login host",
                    client.name()
                ),
                "give each connection a redirect URI with a path of its own, such as /auth/callback/{name}, and register it",
            ));
        }
        let conflict = client.domains().iter().find_map(|domain| {
            let owner = self.domains.get(domain)?;
            (owner != client.name()).then_some((domain, owner))
        });
        match conflict {
            None => Ok(()),
            Some((domain, owner)) => Err(Error::configuration(
                format!(
                    "the domain {domain} belongs to the connection {owner}, and {} names it too",
                    client.name()
                ),
                "see who owns the domain; remove the other connection first if it is to move",
            )),
        }
    }

    fn insert_client(&mut self, client: SignInClient) -> Option<SignInClient> {
        client.mark_as_one_of_several();
        let name = client.name().to_owned();
        let previous = self.remove_client(&name);
        for domain in client.domains() {
            self.domains.insert(domain.clone(), name.clone());
        }
        let callback = self.callbacks.entry(path(&client)).or_default();
        *callback = (client.authority(), callback.1 + 1);
        let of_tenant = self.tenants.entry(client.tenant().clone());
        of_tenant.or_default().push(name.clone());
        self.clients.insert(name, client);
        previous
    }

    fn remove_client(&mut self, name: &str) -> Option<SignInClient> {
        let client = self.clients.remove(name)?;
        for domain in client.domains() {
            if self.domains.get(domain).is_some_and(|known| known == name) {
                self.domains.remove(domain);
            }
        }
        let path = path(&client);
        if let Some((_, count)) = self.callbacks.get_mut(&path) {
            *count -= 1;
            if *count == 0 {
                self.callbacks.remove(&path);
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

/// The path that distinguishes a callback.
fn path(client: &SignInClient) -> String {
    // A client has a valid redirect URI.
    callback::path_of(client.redirect_uri()).unwrap_or_default()
}
