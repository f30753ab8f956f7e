//! Applies a plan: reads, performs what is missing, and reads again until several reads agree.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{
    action::{Action, Ids, Step},
    applied::{Applied, AppliedSecret},
    found::Found,
    lagging::{WINDOW, backoff, removed, while_lagging, wrote},
    line::Line,
    new_secret::{NewSecretRequest, is_rejection, reference},
    parts::DeletedChoice,
    plan::{Plan, State, failed_sink},
    policy::{NewKey, explained_certificates, explained_uris},
    sink::{ConnectionIds, SecretSink, SecretSlot},
    steps::{Situation, Work, named},
    wire::text,
};
use crate::{
    areas::applications::CertificateId,
    error::Error,
    lag::{Lag, Rejection, judge},
    request::Request,
};

impl Plan {
    /// Makes the tenant have what the blueprint lists, and gives new secrets to the sink.
    ///
    /// It reads again before it writes, so it performs what is missing then. It can be repeated at any time: a
    /// second run sends reads only, and a run that was interrupted at any request is completed by the next one with
    /// the same sink. Errors that only mean that an own write is not replicated yet are waited out, by the
    /// client's clock.
    ///
    /// A registration from a template of the gallery takes two minutes more, in which one of another run at the same time
    /// would become visible; [`sole_writer`](super::AppRegistration::sole_writer) does without.
    ///
    /// Which permissions and roles it needs depends on what is to be done; [`missing_rights`](Self::missing_rights) has
    /// those that the caller's token lacks.
    ///
    /// # Errors
    /// [`ErrorKind::Registration`](crate::ErrorKind::Registration) before the first write if a right is missing
    /// or the plan [stops](Self::stops), later if the sink fails or the tenant does not converge; every other kind of
    /// [`Error`].
    pub async fn apply(&self, sink: &mut dyn SecretSink) -> Result<Applied, Error> {
        let client_id = match &self.state {
            // A sink may still have the id of the one that was deleted.
            State::Existing { client_id } | State::Deleted { client_id } => {
                Some(client_id.as_str())
            }
            State::New => None,
        };
        let tenant = self.graph.granted().and_then(|granted| granted.tenant);
        let key = self.blueprint.key();
        let checked = sink.check(&key, client_id, tenant.as_deref());
        checked.await.map_err(failed_sink)?;
        let run = Run {
            plan: self,
            sink,
            done: Vec::new(),
            last_write: None,
            restored: None,
            created_here: false,
            instantiated: None,
            seen: None,
            watched_since: None,
            waited: Duration::ZERO,
            lost: false,
            lines: Vec::new(),
            secrets: Vec::new(),
        };
        Box::pin(run.converge()).await
    }
}

/// One run of a plan.
struct Run<'a> {
    plan: &'a Plan,
    sink: &'a mut dyn SecretSink,
    done: Vec<Action>,
    /// When this run wrote last.
    last_write: Option<Instant>,
    /// The deleted application that this run restored.
    restored: Option<Value>,
    /// Whether this run, and no other, created the application.
    created_here: bool,
    /// The object id of the application that this run created from a template, and when.
    instantiated: Option<(String, Instant)>,
    /// The object id of the application that a read has shown, if it comes from a template.
    seen: Option<String>,
    /// When this run wrote a first certificate that another run may replace with its own.
    watched_since: Option<Instant>,
    /// How long it has waited since something happened.
    waited: Duration,
    /// Whether something that it wrote had to be written again.
    lost: bool,
    lines: Vec<Line>,
    secrets: Vec<AppliedSecret>,
}

impl Run<'_> {
    async fn converge(mut self) -> Result<Applied, Error> {
        let mut agreed: Option<(Vec<Action>, u32)> = None;
        loop {
            let found = self.read().await?;
            let work = self.work(&found).await?;
            let pending: Vec<Action> = work.steps.iter().map(|step| step.action.clone()).collect();
            let reads = match agreed.take() {
                Some((before, reads)) if before == pending => reads + 1,
                _ => 1,
            };
            // Reads are not monotonic: after an own write, a single one proves nothing.
            let may_go_on = work.stops.is_empty() && found.owned_by_caller != Some(false);
            let (needed, wait) = if may_go_on {
                (AGREEMENT, BETWEEN_READS)
            } else {
                // One replica can know a half of what was written.
                (AGREEMENT_TO_STOP, backoff(reads))
            };
            if reads < needed && self.age(&found).is_some() {
                agreed = Some((pending, reads));
                self.plan.graph.sleep(wait).await;
                continue;
            }
            let wrote = self.last_write.is_some();
            if self.is_replaced(&found) && !work.stops.is_empty() {
                return Err(Error::registration(format!(
                    "another writer is active: it replaced the first certificate that this run wrote; {}",
                    work.stops.join("; ")
                )));
            }
            self.plan.may_go_on(&work, &found, wrote)?;
            if work.steps.is_empty() {
                if self.is_watching() {
                    agreed = Some((pending, AGREEMENT));
                    self.plan.graph.sleep(BETWEEN_LOOKS).await;
                    continue;
                }
                return self.finish(&found).await;
            }
            if self.perform_all(&work, &found).await? {
                self.waited = Duration::ZERO;
            } else if let Some(rest) = self.hold(&found) {
                agreed = Some((pending, AGREEMENT));
                let wait = rest.clamp(BETWEEN_READS, LONGEST_WAIT);
                self.plan.graph.sleep(wait).await;
            } else {
                self.wait(&work).await?;
                agreed = Some((pending, AGREEMENT));
            }
        }
    }

    /// Whether a first certificate that this run wrote is not listed.
    fn is_replaced(&self, found: &Found) -> bool {
        let now = self.plan.graph.now();
        let is_listed = |one: &NewKey| one.is_among(&found.keys, now);
        self.done.iter().any(|action| match action {
            Action::FirstCertificates { new, .. } => !new.iter().all(is_listed),
            _ => false,
        })
    }

    /// Whether a run that has not seen the first certificate of this one may still replace it.
    fn is_watching(&self) -> bool {
        let elapsed = self.watched_since.map(|at| self.plan.graph.elapsed(at));
        elapsed.is_some_and(|elapsed| elapsed < WATCH)
    }

    /// Another run leaves the first certificate to the one that has just created the application, until it is old enough;
    /// by then it has to see what this one wrote. Any other first certificate may meet that of a run at the same time, which
    /// replaces it without having seen it.
    fn must_watch(&self, found: &Found) -> bool {
        let age = found
            .created()
            .map(|at| (self.plan.graph.now() - at).unsigned_abs());
        let is_left = |age: Duration| age < WINDOW.saturating_sub(WATCH);
        let is_first = self.is_creator(found) && age.is_some_and(is_left);
        !is_first && !self.plan.blueprint.sole_writer
    }

    /// Whether this run created the application, and does not follow an older one of another run.
    fn is_creator(&self, found: &Found) -> bool {
        let own = self.instantiated.as_ref();
        self.created_here && own.is_none_or(|(id, _)| found.id() == Some(id.as_str()))
    }

    /// How much longer another run may have created an older application from the template that is not visible yet. Until
    /// that is known, this run marks none and writes nothing to it: all runs have to follow the same one.
    fn hold(&self, found: &Found) -> Option<Duration> {
        let blueprint = &self.plan.blueprint;
        let is_from_template = self.plan.names.template.is_some();
        if !is_from_template || blueprint.sole_writer || !found.is_unmarked(blueprint) {
            return None;
        }
        let graph = &self.plan.graph;
        let created = found.created().map(|at| (graph.now() - at).unsigned_abs());
        let own = self.instantiated.as_ref();
        let own = own.map(|(_, at)| graph.elapsed(*at));
        let age = created.into_iter().chain(own).min()?;
        WATCH.checked_sub(age).filter(|rest| !rest.is_zero())
    }

    /// Reads until a replica shows what another one has shown already.
    async fn read(&mut self) -> Result<Found, Error> {
        let start = self.plan.graph.monotonic();
        let mut reads = 0;
        loop {
            let found = self.read_once().await?;
            let is_over = self.plan.graph.elapsed(start) >= WINDOW;
            if is_over || !self.is_late(&found) {
                if self.plan.names.template.is_some() {
                    let id = found.id().map(str::to_owned);
                    self.seen = id.or_else(|| self.seen.take());
                }
                return Ok(found);
            }
            self.plan.graph.sleep(backoff(reads)).await;
            reads += 1;
        }
    }

    /// Whether a read lacks the application that this run has seen. Without it a template would be instantiated again,
    /// which makes a second one.
    fn is_late(&self, found: &Found) -> bool {
        let is_marked = self
            .done
            .iter()
            .any(|action| matches!(action, Action::UpdateApplication(_)));
        let is_other = |seen: &String| match found.id() {
            // An older one that shows later is the one to keep, as long as this run has not marked the other.
            Some(_) if !is_marked && found.copies.contains(seen) => false,
            Some(id) => id != seen && found.is_unmarked(&self.plan.blueprint),
            None => found.deleted.is_none(),
        };
        self.seen.as_ref().is_some_and(is_other)
    }

    /// Whether the application that this run created from a template is not visible yet, so that it can be a second one.
    fn is_hidden(&self, found: &Found) -> bool {
        let Some((id, at)) = &self.instantiated else {
            return false;
        };
        let removes = |action: &Action| matches!(action, Action::DeleteCopy(copy) if copy == id);
        let is_known = found.id() == Some(id.as_str())
            || found.older_copies.contains(id)
            || self.done.iter().any(removes);
        !is_known && self.plan.graph.elapsed(*at) < WINDOW
    }

    async fn read_once(&self) -> Result<Found, Error> {
        let mut found = Found::read(&self.plan.graph, &self.plan.blueprint).await?;
        if self.last_write.is_some() {
            // The creator becomes an owner, which a replica may not know yet.
            found.owned_by_caller = None;
        }
        if found.application.is_none() && found.deleted.is_none() {
            // One replica has it among the deleted items no more, another not yet among the others.
            found.deleted.clone_from(&self.restored);
        }
        Ok(found)
    }

    async fn work(&mut self, found: &Found) -> Result<Work, Error> {
        let held = self.plan.blueprint.held(&mut *self.sink).await?;
        let situation = Situation {
            blueprint: &self.plan.blueprint,
            names: &self.plan.names,
            found,
            held: &held,
            can_prove: self.plan.signer.is_some(),
            created_here: self.is_creator(found),
            now: self.plan.graph.now(),
        };
        let mut work = situation.work();
        if self.is_hidden(found) {
            work.steps.push(Step::wait(
                "the registration that this run created is not visible yet".to_owned(),
            ));
        }
        Ok(work)
    }

    /// Performs the steps that can be; whether there were any.
    async fn perform_all(&mut self, work: &Work, found: &Found) -> Result<bool, Error> {
        let mut performed = false;
        let steps = match work.steps.split_first() {
            // What follows is decided by what came back.
            Some((first, _)) if matches!(first.action, Action::RestoreApplication(_)) => {
                self.restored.clone_from(&found.deleted);
                std::slice::from_ref(first)
            }
            _ => &work.steps,
        };
        let is_first = |step: &Step| {
            matches!(
                step.action,
                Action::FirstCertificates { .. } | Action::AwaitCertificates
            )
        };
        let certificate_is_unread = work.steps.iter().any(is_first);
        let is_held = self.hold(found).is_some();
        for step in steps {
            let settles = matches!(
                step.action,
                Action::Instantiate { .. } | Action::DeleteCopy(_)
            );
            if is_held && !settles {
                continue;
            }
            // A first certificate replaces the whole list, so it must be read back before anything is added.
            if certificate_is_unread && matches!(step.action, Action::AddSecret(_)) {
                continue;
            }
            if self.done.iter().any(|done| step.is(done)) {
                continue;
            }
            if self.perform(step, found).await? {
                performed = true;
                self.last_write = Some(self.plan.graph.monotonic());
                wrote(&self.plan.graph, &self.plan.blueprint.key());
                if matches!(step.action, Action::FirstCertificates { .. }) && self.must_watch(found)
                {
                    self.watched_since = self.last_write;
                }
                self.lines.extend(step.lines.iter().cloned());
                self.done.push(step.action.clone());
            }
        }
        Ok(performed)
    }

    /// Performs a step unless it has to wait for an earlier one.
    async fn perform(&mut self, step: &Step, found: &Found) -> Result<bool, Error> {
        let ids = Ids {
            application: found.id(),
            principal: found.principal_id(),
        };
        if let Action::AddSecret(secret) = &step.action {
            let Some(id) = ids.application.filter(|_| ids.principal.is_some()) else {
                return Ok(false);
            };
            self.add_secret(id, *secret, found).await?;
            return Ok(true);
        }
        if let (Action::AddKey(new), Some(id), Some(signer)) =
            (&step.action, ids.application, &self.plan.signer)
        {
            let object = self.plan.graph.application(id);
            let add = || object.add_key(new.request(), &**signer).send();
            let added = while_lagging(&self.plan.graph, || self.age(found), add).await;
            added.map_err(|error| explained_certificates(error, [new]))?;
            return Ok(true);
        }
        if let (Action::RemoveKeyCopy(id), Some(object), Some(signer)) =
            (&step.action, ids.application, &self.plan.signer)
        {
            let object = self.plan.graph.application(object);
            let id: CertificateId = id
                .parse()
                .map_err(|_| Error::registration(format!("{id:?} is not a key id")))?;
            self.remove(|| object.remove_key(id, &**signer).send())
                .await?;
            return Ok(true);
        }
        let Some(request) = step.action.request(&self.plan.graph, ids) else {
            return Ok(false);
        };
        if let Action::RemoveOrphan { secret, .. } = &step.action {
            let remove = || {
                let sent = request.clone().send();
                async { sent.await.map(|_| ()) }
            };
            self.remove(remove).await?;
            let slot = self.slot(*secret);
            self.sink.release(&slot).await.map_err(failed_sink)?;
            return Ok(true);
        }
        match self.send(&request, found).await {
            // A create of what exists already is an update, and has no body.
            Ok(response) => {
                let creates = matches!(
                    step.action,
                    Action::CreateApplication { .. } | Action::Instantiate { .. }
                );
                self.created_here |= creates && response.is_object();
                let instance = text(&response["application"], "id");
                if matches!(step.action, Action::Instantiate { .. }) && !instance.is_empty() {
                    let now = self.plan.graph.monotonic();
                    self.instantiated = Some((instance.to_owned(), now));
                }
            }
            Err(error) if error.is_already_present() => {}
            // Another object took the key a moment ago, and the reads did not show that yet: they decide.
            Err(error) if error.is_key_taken() && step.action.may_find_its_key_taken() => {}
            // An earlier run removed it, and the reads did not show that yet.
            Err(error)
                if step.action.is_removal()
                    && (error.is_not_found() || error.is_already_absent()) => {}
            // A purge is not complete at once, and the name is free a moment later.
            Err(error) if self.waits_for_name(&step.action, &error) => return Ok(false),
            // The application may have been created all the same, and a second one must not be.
            Err(error)
                if matches!(step.action, Action::Instantiate { .. })
                    && may_have_succeeded(&error) => {}
            Err(error) => {
                return Err(match &step.action {
                    Action::FirstCertificates { new, .. } => explained_certificates(error, new),
                    Action::UpdateApplication(body) if body.get("identifierUris").is_some() => {
                        explained_uris(error)
                    }
                    _ => error,
                });
            }
        }
        Ok(true)
    }

    /// Removes what an earlier run added, perhaps a moment ago: that a replica does not know it proves nothing.
    async fn remove<F>(&self, call: impl FnMut() -> F) -> Result<(), Error>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let start = self.plan.graph.monotonic();
        let age = || Some(self.plan.graph.elapsed(start));
        removed(&self.plan.graph, age, call).await
    }

    /// Whether a create was rejected for the unique name of an application that was deleted for good.
    fn waits_for_name(&self, action: &Action, error: &Error) -> bool {
        let purges = self.plan.blueprint.if_deleted == DeletedChoice::Purge;
        let is_held = error
            .details()
            .iter()
            .any(|detail| detail.code.as_deref() == Some("ObjectConflict"));
        purges && is_held && matches!(action, Action::CreateApplication { .. })
    }

    /// Sends a request, again while its error can be lag.
    async fn send<T: Send + 'static>(
        &self,
        request: &Request<T>,
        found: &Found,
    ) -> Result<T, Error> {
        let send = || request.clone().judging_lag().send();
        while_lagging(&self.plan.graph, || self.age(found), send).await
    }

    async fn add_secret(
        &mut self,
        application: &str,
        index: usize,
        found: &Found,
    ) -> Result<(), Error> {
        let slot = self.slot(index);
        let spec = &self.plan.blueprint.secrets[index];
        let reference = reference()?;
        self.sink
            .reserve(&slot, reference)
            .await
            .map_err(failed_sink)?;
        let name = named(spec, &reference.to_string());
        let object = self.plan.graph.application(application);
        let add = NewSecretRequest {
            graph: &self.plan.graph,
            object: &object,
            spec,
            name: &name,
            policy: &self.plan.names.policy.secrets,
        };
        let secret = match add.send(|| self.age(found)).await {
            Ok(secret) => secret,
            Err(error) => {
                if is_rejection(&error) {
                    self.sink.release(&slot).await.map_err(failed_sink)?;
                }
                return Err(error);
            }
        };
        if let Err(error) = self.sink.store(&slot, &secret).await {
            // The value was not stored, so the secret is useless. If this fails too, the next run removes it.
            let remove = || object.remove_password(secret.id()).send();
            if self.remove(remove).await.is_ok() {
                // The first error says more than that of a sink that fails throughout.
                let _ = self.sink.release(&slot).await;
            }
            return Err(failed_sink(error));
        }
        self.secrets.push(AppliedSecret {
            description: spec.description.clone(),
            id: secret.id(),
            expires: secret.expires(),
        });
        Ok(())
    }

    /// Waits for own writes to become visible.
    async fn wait(&mut self, work: &Work) -> Result<(), Error> {
        if self.waited > WINDOW {
            // The written value is still missing: another writer replaced it, or it was lost.
            if self.done.is_empty() || self.lost {
                let lines = work.steps.iter().flat_map(|step| &step.lines);
                let lines: Vec<String> = lines.map(ToString::to_string).collect();
                return Err(Error::registration(format!(
                    "the tenant does not have what was written after several minutes, so another writer may be active; plan again. Still missing: {}",
                    lines.join("; ")
                )));
            }
            self.lost = true;
            self.done.clear();
        }
        let wait = (self.waited / 2).clamp(SHORTEST_WAIT, LONGEST_WAIT);
        self.plan.graph.sleep(wait).await;
        self.waited += wait;
        Ok(())
    }

    /// The time since the last write that a read can depend on: of this run, or of an earlier one that created
    /// the registration a moment ago.
    fn age(&self, found: &Found) -> Option<Duration> {
        let own = self.last_write.map(|at| self.plan.graph.elapsed(at));
        let created = found
            .created()
            .map(|at| (self.plan.graph.now() - at).unsigned_abs())
            .filter(|age| *age < WINDOW);
        own.into_iter().chain(created).min()
    }

    fn slot(&self, index: usize) -> SecretSlot {
        SecretSlot {
            registration: self.plan.blueprint.key(),
            description: self.plan.blueprint.secrets[index].description.clone(),
        }
    }

    async fn finish(self, found: &Found) -> Result<Applied, Error> {
        let application = found.application.as_ref();
        let client_id = application.map_or("", |one| text(one, "appId"));
        let ids = ConnectionIds {
            registration: self.plan.blueprint.key(),
            tenant_id: self.plan.graph.granted().and_then(|granted| granted.tenant),
            client_id: client_id.to_owned(),
        };
        self.sink.store_ids(&ids).await.map_err(failed_sink)?;
        Ok(Applied {
            graph: self.plan.graph.clone(),
            blueprint: self.plan.blueprint.clone(),
            ids,
            object_id: found.id().unwrap_or_default().to_owned(),
            service_principal_id: found.principal_id().unwrap_or_default().to_owned(),
            sign_in_times: found.sign_in_times(),
            lines: self.lines,
            secrets: self.secrets,
        })
    }
}

/// Whether Graph may have done what it returned an error for.
fn may_have_succeeded(error: &Error) -> bool {
    let rejection = Rejection::of(error, Some(Duration::ZERO));
    rejection.is_some_and(|rejection| judge(&rejection) == Lag::LookForResult)
}

/// How many reads in a row must agree after an own write.
const AGREEMENT: u32 = 3;
/// The same before the run gives up for a reason that can be half of an own write.
const AGREEMENT_TO_STOP: u32 = 10;
const SHORTEST_WAIT: Duration = Duration::from_secs(4);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
const BETWEEN_READS: Duration = Duration::from_secs(1);
/// How long a first certificate, and an application from a template, is looked after: a run at the same time may be late
/// to see it, and this one to see that of the other.
const WATCH: Duration = Duration::from_secs(2 * 60);
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);
