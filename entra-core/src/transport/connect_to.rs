//! Names that are looked up as another one.

use std::{net::SocketAddr, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Looks one host up, whatever name is asked for.
#[derive(Clone, Debug)]
pub(super) struct ConnectTo(pub(super) Arc<str>);

impl Resolve for ConnectTo {
    fn resolve(&self, _: Name) -> Resolving {
        let host = Arc::clone(&self.0);
        Box::pin(async move {
            // The port is that of the request; 0 stands for it here.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((&*host, 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
