use std::{fmt, sync::Arc};

use entra_core::Cloud;
use wiremock::{Match, Request, Respond, ResponseTemplate};

use super::{FakeTenant, cloud_at};
use crate::{
    engine::Engine,
    frontend::{handle, runtime},
    wire::{Reply, WireRequest, is_graph},
};

impl FakeTenant {
    /// Returns the tenant as a wiremock responder, to mount in a `MockServer` of your own beside
    /// other mocks.
    ///
    /// It is the same tenant: requests there are in [`requests`](Self::requests), faults apply to
    /// them, and they change the same directory. Faults that close the connection are not possible
    /// there; they return an empty 502.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};
    ///
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// let server = MockServer::start().await;
    /// Mock::given(path("/webhook")).respond_with(ResponseTemplate::new(202)).mount(&server).await;
    /// // Everything that belongs to Graph. Sign-in and the rest of the server are not affected.
    /// let graph = tenant.responder().graph_only();
    /// Mock::given(graph.clone()).respond_with(graph).mount(&server).await;
    ///
    /// let cloud = tenant.cloud_at(&server.uri())?; // for credentials and clients
    /// # let http = reqwest::Client::builder().tls_certs_only([]).build()?;
    /// # assert_eq!(http.get(format!("{}/v1.0/users", server.uri())).send().await?.status(), 401);
    /// # assert_eq!(http.get(format!("{}/webhook", server.uri())).send().await?.status(), 202);
    /// # assert_eq!(http.get(format!("{}/common/discovery/keys", server.uri())).send().await?.status(), 404);
    /// # drop(cloud);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn responder(&self) -> TenantResponder {
        TenantResponder {
            engine: Arc::clone(&self.engine),
            part: Part::Whole,
        }
    }

    /// Returns the cloud for credentials and clients if the tenant is served at another URL, such
    /// as that of a `MockServer` with a [`responder`](Self::responder).
    ///
    /// # Errors
    /// If the URL is not a loopback URL without a path.
    pub fn cloud_at(&self, uri: &str) -> Result<Cloud, entra_core::Error> {
        cloud_at(uri)
    }
}

/// A [`FakeTenant`] behind a wiremock server of your own; see [`FakeTenant::responder`].
///
/// It is also a matcher for the requests that belong to it.
#[derive(Clone)]
pub struct TenantResponder {
    engine: Arc<Engine>,
    part: Part,
}

/// The requests that belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Whole,
    SignIn,
    Graph,
}

impl TenantResponder {
    /// Matches only requests to Microsoft Graph.
    #[must_use]
    pub fn graph_only(mut self) -> Self {
        self.part = Part::Graph;
        self
    }

    /// Matches only sign-in requests: discovery, keys, pages and tokens.
    #[must_use]
    pub fn sign_in_only(mut self) -> Self {
        self.part = Part::SignIn;
        self
    }
}

impl Match for TenantResponder {
    fn matches(&self, request: &Request) -> bool {
        match self.part {
            Part::Whole => true,
            Part::Graph => is_graph(request.url.path()),
            Part::SignIn => !is_graph(request.url.path()),
        }
    }
}

impl Respond for TenantResponder {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let reply = self.handle(read(request));
        if !reply.delivery.is_complete() {
            return ResponseTemplate::new(502);
        }
        template(reply)
    }
}

impl TenantResponder {
    /// Handles a request. The validation of a notification URL blocks this thread, as wiremock's responders are not
    /// asynchronous, so its receiver cannot be on the same `MockServer`.
    fn handle(&self, request: WireRequest) -> Reply {
        if self.engine.handshakes(&request).is_empty() {
            return self.engine.handle(request);
        }
        let engine = Arc::clone(&self.engine);
        // This thread has a runtime, which another one cannot block on.
        let thread = std::thread::spawn(move || {
            let runtime = runtime().ok()?;
            Some(runtime.block_on(handle(&engine, request)))
        });
        let reply = thread.join().ok().flatten();
        reply.unwrap_or_else(|| Reply::new(500))
    }
}

impl fmt::Debug for TenantResponder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantResponder")
            .field("part", &self.part)
            .finish_non_exhaustive()
    }
}

fn read(request: &Request) -> WireRequest {
    let headers: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    let host = headers
        .iter()
        .find(|(name, _)| name == "host")
        .map_or("localhost", |(_, host)| host.as_str());
    WireRequest {
        method: request.method.as_str().to_ascii_uppercase(),
        path: request.url.path().to_owned(),
        query: request.url.query().map(str::to_owned),
        base: format!("http://{}", host.to_ascii_lowercase()),
        headers,
        body: request.body.clone(),
        handshakes: Vec::new(),
    }
}

fn template(reply: Reply) -> ResponseTemplate {
    let mut template = ResponseTemplate::new(reply.status)
        .set_body_bytes(reply.body.to_vec())
        .set_delay(reply.delay);
    for (name, value) in reply.headers {
        template = template.append_header(name, &*value);
    }
    template
}
