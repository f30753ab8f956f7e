//! Faults: errors that a test injects.

mod effect;
mod operation;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;

use self::{
    effect::{Effect, strip_marker},
    operation::OperationPattern,
};
use crate::wire::{Reply, WireRequest};

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
        FaultTrigger::default().path(path)
    }

    /// Matches requests of one operation, such as `GET /users/{id}/memberOf`: a method and a path, in which a part
    /// in braces stands for any one segment. Without a method it matches all of them. The version of Graph in front
    /// of the path can be missing.
    ///
    /// ```
    /// use entra_mock::Fault;
    /// let broken = Fault::on_operation("GET /users/{id}").status(503); // not /users and not /users/{id}/memberOf
    /// # let _ = broken;
    /// ```
    pub fn on_operation(operation: &str) -> FaultTrigger {
        FaultTrigger {
            operation: Some(OperationPattern::new(operation)),
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
    operation: Option<OperationPattern>,
    when: Occurrence,
    percent: Option<u32>,
    times: Option<u32>,
}

impl FaultTrigger {
    /// Matches only requests whose path contains this text.
    pub fn path(mut self, path: &str) -> Self {
        self.path = Some(path.to_ascii_lowercase());
        self
    }

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

    /// Matches this percentage of the requests, evenly spread: of 30 percent the fourth, seventh and tenth of ten
    /// requests. It is the same in every run.
    pub const fn percent(mut self, percent: u32) -> Self {
        self.percent = Some(percent);
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

    /// Sends the body in sixteen pieces, each after this time, which is real time.
    pub const fn trickle(self, pause: Duration) -> Fault {
        self.with(Effect::Trickle(pause))
    }

    /// Changes the `Content-Type` of the response, such as to `text/html`. The body stays as it is.
    pub fn content_type(self, content_type: &str) -> Fault {
        self.with(Effect::ContentType(content_type.to_owned()))
    }

    /// Removes the newest key from a response with signing keys, as a cache does that has not seen a rollover.
    ///
    /// ```
    /// use entra_mock::Fault;
    /// let stale = Fault::on("/discovery/v2.0/keys").times(1).stale_keys();
    /// # let _ = stale;
    /// ```
    pub const fn stale_keys(self) -> Fault {
        self.with(Effect::StaleKeys)
    }

    /// Resets the connection without a response.
    pub const fn reset_connection(self) -> Fault {
        self.with(Effect::ResetConnection)
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
            && self
                .operation
                .as_ref()
                .is_none_or(|operation| operation.matches(&request.method, &request.path))
    }
}

#[derive(Clone, Copy, Debug, Default)]
enum Occurrence {
    #[default]
    Always,
    Nth(u32),
    Page(u32),
}

/// The faults of a tenant, each with the requests that it has matched so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    installed: Vec<Installed>,
    next_id: u64,
}

#[derive(Clone, Debug)]
struct Installed {
    id: u64,
    fault: Fault,
    /// What the control API lists.
    #[cfg_attr(
        not(feature = "server"),
        expect(dead_code, reason = "only the control API lists it")
    )]
    description: Value,
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

    #[cfg(feature = "wiremock")]
    pub(crate) fn inject(&mut self, fault: Fault) {
        self.inject_described(fault, Value::Null);
    }

    /// Injects a fault with its description and returns its id.
    pub(crate) fn inject_described(&mut self, fault: Fault, description: Value) -> u64 {
        self.next_id += 1;
        self.installed.push(Installed {
            id: self.next_id,
            fault,
            description,
            seen: 0,
            happened: 0,
            pages: 0,
        });
        self.next_id
    }

    /// The faults with their ids: their description, the requests that they matched, and how often they happened.
    #[cfg(feature = "server")]
    pub(crate) fn list(&self) -> impl Iterator<Item = (u64, &Value, u32, u32)> {
        self.installed.iter().map(|installed| {
            (
                installed.id,
                &installed.description,
                installed.seen,
                installed.happened,
            )
        })
    }

    /// Removes a fault. Returns `false` if there is none with this id.
    #[cfg(feature = "server")]
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.installed.len();
        self.installed.retain(|installed| installed.id != id);
        self.installed.len() != before
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
        let share = |seen: u32| u64::from(seen) * u64::from(trigger.percent.unwrap_or(100)) / 100;
        if share(self.seen) == share(self.seen.saturating_sub(1)) {
            return false;
        }
        match trigger.when {
            Occurrence::Always => trigger.times.is_none_or(|times| self.happened < times),
            Occurrence::Nth(n) => self.seen >= n && self.happened < trigger.times.unwrap_or(1),
            Occurrence::Page(n) => {
                self.pages + 1 == n && trigger.times.is_none_or(|times| self.happened < times)
            }
        }
    }
}

#[cfg(test)]
mod tests;
