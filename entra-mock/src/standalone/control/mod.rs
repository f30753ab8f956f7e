//! The control API: everything that a Rust test can do with a tenant, for programs in any language.
//!
//! Each operation is one [`Route`](route::Route) of a table. The router, the OpenAPI document and the commands of
//! `entra-mock ctl` are made from the table, so they cannot differ.

mod call;
pub(crate) mod command;
pub(crate) mod duration;
mod error;
mod guard;
mod openapi;
mod reading;
mod route;
mod routes;
pub(crate) mod schema;
mod table;
mod timestamp;

use std::{
    net::IpAddr,
    ops::RangeInclusive,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use entra_core::Secret;

use self::{error::ControlError, guard::Guard};
use super::{
    hosted::{Hosted, Recipe},
    portal::{self, Sessions},
};
use crate::{
    frontend::{Listener, Responder, deliver_forever},
    wire::{Reply, WireRequest},
};

/// The control API of a server, and the server's tenants.
pub(crate) struct Control {
    guard: Guard,
    host: Host,
    tenants: Mutex<Vec<Arc<Hosted>>>,
    random_seed: AtomicU64,
    portal: Sessions,
}

/// How the server makes more tenants.
pub(crate) struct Host {
    /// The recipe of the tenant that the server starts with.
    pub(crate) recipe: Recipe,
    pub(crate) listen: IpAddr,
    /// The ports of the tenants that are made at run time; any free ones unless set.
    pub(crate) tenant_ports: Option<RangeInclusive<u16>>,
    pub(crate) tls: Option<tokio_rustls::TlsAcceptor>,
    /// Whether the portal may change tenants.
    pub(crate) portal_write: bool,
}

/// The control API at the address of one tenant.
pub(crate) struct ControlAt {
    control: Arc<Control>,
    tenant: Weak<Hosted>,
}

impl Control {
    /// Creates the API with a new token.
    pub(crate) fn new(host: Host, hosts: &[String]) -> Result<Arc<Self>, entra_core::Error> {
        let first = host.recipe.random_seed;
        Ok(Arc::new(Self {
            guard: Guard::new(hosts)?,
            host,
            tenants: Mutex::default(),
            random_seed: AtomicU64::new(first.wrapping_add(1)),
            portal: Sessions::default(),
        }))
    }

    pub(crate) const fn token(&self) -> &Secret {
        self.guard.token()
    }

    /// A random seed that no tenant of this server has unless one was asked for.
    pub(crate) fn next_random_seed(&self) -> u64 {
        self.random_seed.fetch_add(1, Ordering::Relaxed)
    }

    /// The sessions of the portal.
    pub(crate) const fn portal(&self) -> &Sessions {
        &self.portal
    }

    pub(crate) const fn host(&self) -> &Host {
        &self.host
    }

    /// Serves a tenant at its address, with the control API.
    pub(crate) fn serve(self: &Arc<Self>, listener: Listener, tenant: Hosted) -> Arc<Hosted> {
        let tenant = Arc::new(tenant);
        let responder: Arc<dyn Responder> = Arc::new(ControlAt {
            control: Arc::clone(self),
            tenant: Arc::downgrade(&tenant),
        });
        self.lock().push(Arc::clone(&tenant));
        let tls = self.host.tls.as_ref();
        let running = listener.serve(&tenant.engine, tls, Some(&responder));
        tenant.runs_on(running);
        // Ends when the tenant is removed or the server is dropped.
        tokio::spawn(deliver_forever(Arc::downgrade(&tenant.engine)));
        tenant
    }

    /// The tenants in the order in which they were made.
    pub(crate) fn tenants(&self) -> Vec<Arc<Hosted>> {
        self.lock().clone()
    }

    /// Takes a tenant that was made at run time from the list.
    pub(crate) fn take_tenant(&self, id: &str) -> Option<Arc<Hosted>> {
        let mut tenants = self.lock();
        let at = tenants
            .iter()
            .skip(1)
            .position(|tenant| id.parse() == Ok(tenant.id))?;
        Some(tenants.remove(at + 1))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Hosted>>> {
        // A panic while the lock was held leaves the data as usable as before.
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn respond(
        self: &Arc<Self>,
        tenant: &Arc<Hosted>,
        request: &WireRequest,
        path: &str,
        peer: IpAddr,
    ) -> Result<Reply, ControlError> {
        self.guard.check_origin(request, peer)?;
        if path == DOCUMENT {
            // It is the same for every server of this version and names no object.
            return Ok(Reply::json(200, &openapi::document()));
        }
        if request.method == "GET" && matches!(path, "" | "/") {
            return Ok(portal::redirect());
        }
        if let Some(path) = portal::path(path) {
            let (tenants, write) = (self.tenants(), self.host.portal_write);
            let reply = portal::respond(&self.portal, tenant, &tenants, request, path, write);
            if request.method != "GET" {
                tenant.engine.commit()?;
            }
            return Ok(reply);
        }
        self.guard.check_token(request)?;
        let found = table::find(&request.method, path)?;
        let route = found.0;
        let call = reading::read(self, tenant, found, request)?;
        let body = (route.respond)(&call)?;
        if route.method != "GET" {
            tenant.engine.commit()?;
        }
        Ok(match route.status {
            204 => Reply::new(204),
            status => Reply::json(status, &body),
        })
    }
}

impl Responder for ControlAt {
    fn takes(&self, path: &str) -> bool {
        path.strip_prefix(PREFIX)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn respond(&self, request: &WireRequest, peer: IpAddr) -> Reply {
        let path = request.path.strip_prefix(PREFIX).unwrap_or_default();
        let Some(tenant) = self.tenant.upgrade() else {
            return Reply::new(503);
        };
        let reply = self
            .control
            .respond(&tenant, request, path, peer)
            .unwrap_or_else(|error| error.reply());
        reply.with_header("cache-control", "no-store")
    }
}

/// Where the control API is, at the address of each tenant.
pub(crate) const PREFIX: &str = "/_entra-mock";
const DOCUMENT: &str = "/openapi.json";
