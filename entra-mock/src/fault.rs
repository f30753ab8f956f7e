//! Faults: errors that a test injects.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;

use crate::{
    login,
    wire::{Delivery, Reply, WireRequest, is_graph},
};

/// A fault to inject: which requests it matches, and what happens to them.
///
/// Start with [`Fault::on`], narrow it down, and end with the effect.
///
/// ```
/// use entra_mock::Fault;
/// // The third page of users always fails.
/// let broken = Fault::on("/users").page(3).status(503);
/// // The first two requests of any kind are throttled.
/// let throttled = Fault::on_any().times(2).status_with_retry_after(429, "2.128");
/// # let _ = (broken, throttled);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a fault does nothing until it is injected into a tenant"]
pub struct Fault {
    trigger: FaultTrigger,
    effect: Effect,
}

impl Fault {
    /// Matches requests whose path contains this text, also as parts of a batch. A part whose connection would close
    /// has no response in that of the batch.
    pub fn on(path: &str) -> FaultTrigger {
        FaultTrigger {
            path: Some(path.to_ascii_lowercase()),
            ..FaultTrigger::default()
        }
    }

    /// Matches every request.
    pub fn on_any() -> FaultTrigger {
        FaultTrigger::default()
    }

    /// Limits how many times the fault happens.
    pub const fn times(mut self, times: u32) -> Self {
        self.trigger.times = Some(times);
        self
    }
}

/// The first half of a [`Fault`]: which requests it matches.
#[derive(Clone, Debug, Default)]
#[must_use = "say what happens, for example with `.status(503)`"]
pub struct FaultTrigger {
    path: Option<String>,
    method: Option<String>,
    when: Occurrence,
    times: Option<u32>,
}

impl FaultTrigger {
    /// Matches only requests with this method.
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_ascii_uppercase());
        self
    }

    /// Matches only the n-th of the matching requests, counted from 1. With [`times`](Self::times),
    /// also the requests right after it.
    pub const fn nth(mut self, n: u32) -> Self {
        self.when = Occurrence::Nth(n);
        self
    }

    /// Matches only requests for the n-th page of a list, counted from 1: the requests that follow
    /// n - 1 pages of the same list. Without [`times`](Self::times) it matches that page every
    /// time.
    pub const fn page(mut self, n: u32) -> Self {
        self.when = Occurrence::Page(n);
        self
    }

    /// Limits how many times the fault happens.
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Responds with this status and the error body that belongs to it.
    pub const fn status(self, status: u16) -> Fault {
        self.with(Effect::Status {
            status,
            retry_after: None,
        })
    }

    /// Responds with this status and a `Retry-After` header with exactly this value.
    pub fn status_with_retry_after(self, status: u16, retry_after: &str) -> Fault {
        let retry_after = Some(retry_after.to_owned());
        self.with(Effect::Status {
            status,
            retry_after,
        })
    }

    /// Rejects a sign-in with this number of Entra (`AADSTS…`), as a replica does that lacks a change.
    pub const fn sign_in_error(self, code: u32) -> Fault {
        self.with(Effect::SignInError(code))
    }

    /// Inserts an empty page. Its next link leads to the requested page.
    pub const fn empty_page(self) -> Fault {
        self.with(Effect::EmptyPage)
    }

    /// Makes the next link of the page lead to the page itself.
    pub const fn repeat_next_link(self) -> Fault {
        self.with(Effect::RepeatNextLink)
    }

    /// Makes the next link of the page lead to another origin, such as `https://evil.example`.
    pub fn foreign_next_link(self, origin: &str) -> Fault {
        let origin = origin.trim_end_matches('/').to_owned();
        self.with(Effect::ForeignNextLink(origin))
    }

    /// Sends half of the body, then closes the connection.
    pub const fn truncated_body(self) -> Fault {
        self.with(Effect::TruncatedBody)
    }

    /// Responds with the right status and a body that is not JSON.
    pub const fn garbage_body(self) -> Fault {
        self.with(Effect::GarbageBody)
    }

    /// Processes the request at once and sends the response after this time, which is real time and not that of the
    /// tenant's clock. A batch waits as long as its slowest part.
    ///
    /// ```
    /// use std::time::Duration;
    /// use entra_mock::Fault;
    /// // As far away as another continent.
    /// let distant = Fault::on_any().delay(Duration::from_millis(80));
    /// # let _ = distant;
    /// ```
    pub const fn delay(self, delay: Duration) -> Fault {
        self.with(Effect::Delay(delay))
    }

    /// Closes the connection without a response.
    pub const fn closed_connection(self) -> Fault {
        self.with(Effect::ClosedConnection)
    }

    const fn with(self, effect: Effect) -> Fault {
        Fault {
            trigger: self,
            effect,
        }
    }

    fn matches(&self, request: &WireRequest) -> bool {
        let path = self
            .path
            .as_deref()
            .is_none_or(|path| request.path.to_ascii_lowercase().contains(path));
        path && self
            .method
            .as_deref()
            .is_none_or(|method| request.method == method)
    }
}

#[derive(Clone, Copy, Debug, Default)]
enum Occurrence {
    #[default]
    Always,
    Nth(u32),
    Page(u32),
}

#[derive(Clone, Debug)]
enum Effect {
    Status {
        status: u16,
        retry_after: Option<String>,
    },
    SignInError(u32),
    EmptyPage,
    RepeatNextLink,
    ForeignNextLink(String),
    TruncatedBody,
    GarbageBody,
    ClosedConnection,
    Delay(Duration),
}

/// The faults of a tenant, each with the requests that it has matched so far.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    installed: Vec<Installed>,
    next_id: u64,
}

#[derive(Debug)]
struct Installed {
    id: u64,
    fault: Fault,
    seen: u32,
    happened: u32,
    /// Pages delivered since the last request for a first page.
    pages: u32,
}

/// What happens to one request.
#[derive(Debug, Default)]
pub(crate) struct Planned {
    effect: Option<Effect>,
    matching: Vec<u64>,
}

impl Faults {
    /// Responds to a request with the faults that match it.
    pub(crate) fn apply(
        faults: &Mutex<Self>,
        request: &mut WireRequest,
        respond: impl FnOnce(&WireRequest) -> Reply,
    ) -> Reply {
        let planned = Self::lock(faults).plan(request);
        let reply = match planned.replacement(request) {
            Some(reply) => reply,
            None => planned.change(request, respond(request)),
        };
        Self::lock(faults).finish(&planned, reply.status);
        reply
    }

    // A panic while the lock was held leaves the data as usable as before.
    pub(crate) fn lock(faults: &Mutex<Self>) -> MutexGuard<'_, Self> {
        faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn inject(&mut self, fault: Fault) {
        self.next_id += 1;
        self.installed.push(Installed {
            id: self.next_id,
            fault,
            seen: 0,
            happened: 0,
            pages: 0,
        });
    }

    pub(crate) fn clear(&mut self) {
        self.installed.clear();
    }

    /// Decides about a request. The first fault that matches applies.
    pub(crate) fn plan(&mut self, request: &mut WireRequest) -> Planned {
        let after_empty_page = strip_marker(request);
        let mut planned = Planned::default();
        if self.installed.is_empty() {
            return planned;
        }
        let first_page = !request
            .query
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase()
            .contains("skiptoken=");
        for installed in self
            .installed
            .iter_mut()
            .filter(|installed| installed.fault.trigger.matches(request))
        {
            planned.matching.push(installed.id);
            installed.seen = installed.seen.saturating_add(1);
            if first_page && !after_empty_page {
                installed.pages = 0;
            }
            // The page behind an inserted empty page is handled.
            let again = after_empty_page && matches!(installed.fault.effect, Effect::EmptyPage);
            if planned.effect.is_none() && !again && installed.is_due() {
                installed.happened = installed.happened.saturating_add(1);
                planned.effect = Some(installed.fault.effect.clone());
            }
        }
        planned
    }

    /// Records how a request ended.
    pub(crate) fn finish(&mut self, planned: &Planned, status: u16) {
        // An inserted page does not count as a page of the list.
        if planned.matching.is_empty()
            || !(200..300).contains(&status)
            || matches!(planned.effect, Some(Effect::EmptyPage))
        {
            return;
        }
        for installed in self
            .installed
            .iter_mut()
            .filter(|installed| planned.matching.contains(&installed.id))
        {
            installed.pages = installed.pages.saturating_add(1);
        }
    }
}

impl Installed {
    fn is_due(&self) -> bool {
        let trigger = &self.fault.trigger;
        match trigger.when {
            Occurrence::Always => trigger.times.is_none_or(|times| self.happened < times),
            Occurrence::Nth(n) => self.seen >= n && self.happened < trigger.times.unwrap_or(1),
            Occurrence::Page(n) => {
                self.pages + 1 == n && trigger.times.is_none_or(|times| self.happened < times)
            }
        }
    }
}

impl Planned {
    /// Returns the response that replaces the tenant's own.
    pub(crate) fn replacement(&self, request: &WireRequest) -> Option<Reply> {
        match self.effect.as_ref()? {
            Effect::Status {
                status,
                retry_after,
            } => {
                let reply = Reply::json(*status, &error_body(*status, request));
                Some(match retry_after {
                    Some(value) => reply.with_header("retry-after", value.clone()),
                    None => reply,
                })
            }
            Effect::SignInError(code) => {
                let (error, status) = login::oauth(*code);
                let body = serde_json::json!({
                    "error": error, "error_codes": [code],
                    "error_description": format!("AADSTS{code}: A fault was injected into this request."),
                });
                Some(Reply::json(status, &body))
            }
            Effect::EmptyPage => {
                let link = with_marker(request);
                Some(Reply::json(
                    200,
                    &serde_json::json!({ "value": [], "@odata.nextLink": link }),
                ))
            }
            _ => None,
        }
    }

    /// Returns the tenant's own response with the fault applied.
    pub(crate) fn change(&self, request: &WireRequest, mut reply: Reply) -> Reply {
        match &self.effect {
            Some(Effect::RepeatNextLink) => set_next_link(&mut reply, |_| own_url(request)),
            Some(Effect::ForeignNextLink(origin)) => set_next_link(&mut reply, |link| {
                let rest = link.strip_prefix(request.base.as_str()).map(str::to_owned);
                format!("{origin}{}", rest.unwrap_or_else(|| request.path.clone()))
            }),
            Some(Effect::TruncatedBody) => reply.delivery = Delivery::CutInBody,
            Some(Effect::GarbageBody) => {
                reply.body = b"<html><body>This is not JSON.</body></html>".to_vec()
            }
            Some(Effect::ClosedConnection) => reply.delivery = Delivery::NoResponse,
            Some(Effect::Delay(delay)) => reply.delay = *delay,
            _ => {}
        }
        reply
    }
}

/// Replaces or adds the next link of a page. Everything else stays unchanged.
fn set_next_link(reply: &mut Reply, link: impl FnOnce(&str) -> String) {
    let Ok(Value::Object(mut body)) = serde_json::from_slice(&reply.body) else {
        return;
    };
    if !body.get("value").is_some_and(Value::is_array) {
        return;
    }
    let before = body
        .get(NEXT_LINK)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    body.insert(NEXT_LINK.to_owned(), link(&before).into());
    reply.body = Value::Object(body).to_string().into_bytes();
}

fn own_url(request: &WireRequest) -> String {
    match request.query.as_deref() {
        Some(query) => format!("{}{}?{query}", request.base, request.path),
        None => format!("{}{}", request.base, request.path),
    }
}

fn with_marker(request: &WireRequest) -> String {
    let separator = if request
        .query
        .as_deref()
        .is_some_and(|query| !query.is_empty())
    {
        '&'
    } else {
        '?'
    };
    format!("{}{separator}{MARKER}", own_url(request))
}

/// Removes the marker of an inserted page's next link. Returns whether it was present.
fn strip_marker(request: &mut WireRequest) -> bool {
    let Some(query) = request
        .query
        .as_deref()
        .and_then(|query| query.strip_suffix(MARKER))
    else {
        return false;
    };
    let query = query.trim_end_matches('&').to_owned();
    request.query = Some(query).filter(|query| !query.is_empty());
    true
}

fn error_body(status: u16, request: &WireRequest) -> Value {
    if is_graph(&request.path) {
        let code = match status {
            400 => "Request_BadRequest",
            401 => "InvalidAuthenticationToken",
            403 => "Authorization_RequestDenied",
            404 => "Request_ResourceNotFound",
            409 => "Request_Conflict",
            410 => "syncStateNotFound",
            412 => "preconditionFailed",
            429 => "TooManyRequests",
            500 => "InternalServerError",
            502 => "BadGateway",
            503 => "ServiceUnavailable",
            504 => "GatewayTimeout",
            _ => "UnknownError",
        };
        return serde_json::json!({ "error": { "code": code, "message": "A fault was injected into this request." } });
    }
    let (error, code) = match status {
        401 => ("invalid_client", 7_000_215),
        429 => ("temporarily_unavailable", 90_055),
        500..=599 => ("temporarily_unavailable", 90_033),
        _ => ("invalid_request", 90_010),
    };
    serde_json::json!({
        "error": error, "error_codes": [code],
        "error_description": format!("AADSTS{code}: A fault was injected into this request."),
    })
}

const NEXT_LINK: &str = "@odata.nextLink";
/// Marks the end of the next link of an inserted empty page.
const MARKER: &str = "entra-mock-page=again";

#[cfg(test)]
mod tests;
