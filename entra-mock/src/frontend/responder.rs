//! What responds beside the engine, at paths that are not of a tenant.

use std::{net::IpAddr, sync::Arc};

use super::{
    http::{self, ConnectionClosed, ReplyBody},
    progress::RequestBody,
    reset::ResetFlag,
};
use crate::{
    engine::Engine,
    wire::{Reply, WireRequest},
};

/// Responds to some paths instead of the engine. Its requests are not in the journal, and no fault applies to them.
pub(crate) trait Responder: Send + Sync {
    /// Whether it responds to this path.
    fn takes(&self, path: &str) -> bool;

    /// Responds to a request of a client at this address. It may take long and block.
    fn respond(&self, request: &WireRequest, peer: IpAddr) -> Reply;
}

/// Responds to a request, from the responder or else the engine.
pub(super) async fn respond(
    engine: Arc<Engine>,
    responder: Option<Arc<dyn Responder>>,
    scheme: &'static str,
    peer: IpAddr,
    reset: &ResetFlag,
    request: hyper::Request<RequestBody>,
) -> Result<hyper::Response<ReplyBody>, ConnectionClosed> {
    let request = match http::read(request, scheme).await {
        Ok(request) => request,
        Err(reply) => return http::response(reply, reset).await,
    };
    let Some(responder) = responder.filter(|responder| responder.takes(&request.path)) else {
        return http::response(super::delivery::handle(&engine, request).await, reset).await;
    };
    let reply = tokio::task::spawn_blocking(move || responder.respond(&request, peer)).await;
    http::response(reply.unwrap_or_else(|_| Reply::new(500)), reset).await
}
