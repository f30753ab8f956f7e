//! A plan: what a blueprint changes in one tenant.

use std::{fmt, sync::Arc};

use entra_core::ProofSigner;

use super::{
    blueprint::AppRegistration,
    directory::mismatch,
    found::Found,
    line::Line,
    names::Names,
    parts::DeletedChoice,
    policy::Policies,
    rights::{MissingRight, missing},
    sink::{SecretSink, SecretSlot, SinkEntry},
    steps::{Situation, Work},
    wire::text,
};
use crate::{client::GraphClient, error::Error};

/// What a blueprint changes in one tenant, made by reads only.
///
/// `Display` is a diff that an administrator can read: `+` adds, `~` changes, `-` removes, `=` stays, `!` stops it,
/// `?` is a warning.
#[derive(Clone, Debug)]
#[must_use = "a plan does nothing until it is applied"]
pub struct Plan {
    pub(super) graph: GraphClient,
    pub(super) blueprint: AppRegistration,
    pub(super) names: Names,
    pub(super) work: Work,
    /// What the sink held for each secret; empty if none was given.
    held: Vec<SinkEntry>,
    pub(super) state: State,
    /// What stops it beside its steps: the tenant of the caller is not the one that the blueprint is for, or the sink cannot
    /// be read.
    stops: Vec<String>,
    missing: Vec<MissingRight>,
    pub(super) signer: Option<Arc<dyn ProofSigner>>,
}

#[derive(Clone, Debug)]
pub(super) enum State {
    New,
    Deleted { client_id: String },
    Existing { client_id: String },
}

impl AppRegistration {
    /// Compares the blueprint with the tenant. Reads only.
    ///
    /// Needs `Application.Read.All`; with consent to delegated permissions also `Directory.Read.All`, with users
    /// or groups by name the permission to read these. Without `Policy.Read.All` it is unknown whether the tenant
    /// limits client secrets and certificates; [`apply`](Plan::apply) then names the rule when Graph rejects one.
    ///
    /// A valid secret of the same description counts as present. [`plan_with`](Self::plan_with) also looks whether the
    /// sink has its value, as [`apply`](Plan::apply) does.
    ///
    /// # Errors
    /// [`ErrorKind::Registration`](crate::ErrorKind::Registration) if the blueprint contradicts itself, or
    /// names a permission, API, user or group that the tenant does not have; every other kind of [`Error`].
    pub async fn plan(&self, graph: &GraphClient) -> Result<Plan, Error> {
        self.planned(graph, Vec::new(), None).await
    }

    /// As [`plan`](Self::plan), for secrets that go to this sink: one whose value the sink does not have is planned
    /// although the tenant has another of the same description. A sink that cannot be read, such as a file with values of
    /// another program, [stops](Plan::stops) the plan. Reads only, with the same permissions.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub async fn plan_with(
        &self,
        graph: &GraphClient,
        sink: &mut dyn SecretSink,
    ) -> Result<Plan, Error> {
        match self.held(sink).await {
            Ok(held) => self.planned(graph, held, None).await,
            Err(error) => {
                self.planned(graph, Vec::new(), Some(error.to_string()))
                    .await
            }
        }
    }

    /// What a sink holds for each secret.
    pub(super) async fn held(&self, sink: &mut dyn SecretSink) -> Result<Vec<SinkEntry>, Error> {
        let mut held = Vec::with_capacity(self.secrets.len());
        for secret in &self.secrets {
            let slot = SecretSlot {
                registration: self.key(),
                description: secret.description.clone(),
            };
            held.push(sink.lookup(&slot).await.map_err(failed_sink)?);
        }
        Ok(held)
    }

    /// `sink_stop` says why the sink cannot be read.
    async fn planned(
        &self,
        graph: &GraphClient,
        held: Vec<SinkEntry>,
        sink_stop: Option<String>,
    ) -> Result<Plan, Error> {
        self.check()?;
        let found = Found::read(graph, self).await?;
        let mut names = Names::resolve(graph, self, &found).await?;
        names.learn(graph, &found).await?;
        if !self.secrets.is_empty() || !self.certificates.is_empty() {
            // One that is restored is as old as it was.
            let restored = found.deleted.as_ref();
            let restored = restored.filter(|_| self.if_deleted == DeletedChoice::Restore);
            let application = found.application.as_ref().or(restored);
            names.policy = Policies::read(graph, application).await?;
        }
        let situation = Situation {
            blueprint: self,
            names: &names,
            found: &found,
            held: &held,
            can_prove: false,
            created_here: false,
            now: graph.now(),
        };
        let work = situation.work();
        Ok(Plan {
            graph: graph.clone(),
            blueprint: self.clone(),
            stops: mismatch(graph, self)
                .await?
                .into_iter()
                .chain(sink_stop)
                .collect(),
            missing: missing(&work, &found, graph.granted().as_ref()),
            state: match (&found.application, &found.deleted) {
                (Some(application), _) => State::Existing {
                    client_id: text(application, "appId").to_owned(),
                },
                (None, Some(deleted)) => State::Deleted {
                    client_id: text(deleted, "appId").to_owned(),
                },
                (None, None) => State::New,
            },
            names,
            work,
            held,
            signer: None,
        })
    }
}

impl Plan {
    /// With the key of a certificate that the registration has, which proves that a further certificate may be added. Needs
    /// what [`plan`](AppRegistration::plan) needs.
    ///
    /// # Errors
    /// Every kind of [`Error`]: the tenant is read again.
    pub async fn prove_with(mut self, signer: Arc<dyn ProofSigner>) -> Result<Self, Error> {
        let found = Found::read(&self.graph, &self.blueprint).await?;
        let situation = Situation {
            blueprint: &self.blueprint,
            names: &self.names,
            found: &found,
            held: &self.held,
            can_prove: true,
            created_here: false,
            now: self.graph.now(),
        };
        self.work = situation.work();
        self.missing = missing(&self.work, &found, self.graph.granted().as_ref());
        self.signer = Some(signer);
        Ok(self)
    }

    /// Whether the tenant has everything that the blueprint lists.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.work.steps.is_empty() && self.stops().next().is_none()
    }

    /// What it adds, changes and removes.
    pub fn changes(&self) -> impl Iterator<Item = &Line> {
        self.work.steps.iter().flat_map(|step| &step.lines)
    }

    /// What stays although the blueprint does not list it.
    pub fn kept(&self) -> impl Iterator<Item = &Line> {
        self.work.notes.iter()
    }

    /// Rights that it needs and the caller's token lacks. [`apply`](Self::apply) writes nothing while there are
    /// any. Before a restore it is not known what comes back, so everything that the blueprint lists counts.
    #[must_use]
    pub fn missing_rights(&self) -> &[MissingRight] {
        &self.missing
    }

    /// Why it cannot be applied as it is.
    pub fn stops(&self) -> impl Iterator<Item = &str> {
        let stops = self.stops.iter().chain(&self.work.stops);
        stops.map(String::as_str)
    }

    /// What the blueprint asks for and a product will probably not want.
    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        let graph = self.blueprint.permissions.iter();
        let mut graph = graph.filter(|api| api.is_graph());
        let lacks_profile = graph.any(|api| {
            let has = |scope: &str| {
                api.delegated
                    .iter()
                    .any(|one| one.eq_ignore_ascii_case(scope))
            };
            has("openid") && !has("profile")
        });
        let of_work = self.work.warnings.iter().map(String::as_str);
        lacks_profile
            .then_some(NO_PROFILE)
            .into_iter()
            .chain(of_work)
    }

    /// # Errors
    /// `Registration` if a right is missing or something else stops the plan.
    pub(super) fn may_go_on(&self, work: &Work, found: &Found, wrote: bool) -> Result<(), Error> {
        if let Some(stop) = self.stops.iter().chain(&work.stops).next() {
            return Err(Error::registration(stop.clone()));
        }
        let missing = missing(work, found, self.graph.granted().as_ref());
        if missing.is_empty() {
            return Ok(());
        }
        let list: Vec<String> = missing.iter().map(ToString::to_string).collect();
        let outcome = if wrote {
            "rights are missing for what is left to do"
        } else {
            "rights are missing, so nothing was written"
        };
        Err(Error::registration(format!(
            "{outcome}: {}",
            list.join("; ")
        )))
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::New => "new".to_owned(),
            State::Deleted { .. } => "in the deleted items".to_owned(),
            State::Existing { client_id } => format!("client id {client_id}"),
        };
        writeln!(f, "registration {:?} ({state})", self.blueprint.name())?;
        for line in self.changes().chain(self.kept()) {
            writeln!(f, "  {line}")?;
        }
        if self.is_empty() {
            writeln!(f, "  nothing to change")?;
        }
        for right in &self.missing {
            writeln!(f, "  ! {right}")?;
        }
        for stop in self.stops() {
            writeln!(f, "  ! {stop}")?;
        }
        for warning in self.warnings() {
            writeln!(f, "  ? {warning}")?;
        }
        Ok(())
    }
}

pub(super) fn failed_sink(error: super::sink::SinkError) -> Error {
    Error::registration(format!("the sink of the secrets failed: {error}")).caused_by(error)
}

const NO_PROFILE: &str = "openid without profile: ID tokens have no oid, by which users are known; add the permission profile";
