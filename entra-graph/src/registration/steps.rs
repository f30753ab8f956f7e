//! From a blueprint and what the tenant has to the steps between them: a pure function.

mod access;
mod credentials;
mod limits;
mod personal;
mod principal;

use entra_core::Timestamp;
use serde_json::{Value, json};

use super::{
    action::{Action, Step},
    blueprint::AppRegistration,
    found::Found,
    lagging::WINDOW,
    line::{Line, Mark},
    names::Names,
    parts::DeletedChoice,
    settings::{body, differences, unlisted_permissions},
    sink::SinkEntry,
    wire::text,
};
pub(super) use credentials::{description_of, named};
pub(super) use principal::HIDDEN;

/// What a blueprint needs in a tenant.
#[derive(Clone, Debug, Default)]
pub(super) struct Work {
    /// In the order in which they have to happen.
    pub(super) steps: Vec<Step>,
    /// What may be needed as well and is known only after a restore, for the rights that it takes.
    pub(super) possible: Vec<Step>,
    /// What stays although the blueprint does not list it, and advice.
    pub(super) notes: Vec<Line>,
    /// Why the blueprint cannot be applied as it is.
    pub(super) stops: Vec<String>,
    /// What Entra may accept and a product will probably not want.
    pub(super) warnings: Vec<String>,
}

/// Everything that the steps depend on.
pub(super) struct Situation<'a> {
    pub(super) blueprint: &'a AppRegistration,
    pub(super) names: &'a Names,
    pub(super) found: &'a Found,
    /// What the sink holds, for each secret of the blueprint.
    pub(super) held: &'a [SinkEntry],
    pub(super) can_prove: bool,
    /// Whether this run created the application, so that its first certificate has precedence.
    pub(super) created_here: bool,
    pub(super) now: Timestamp,
}

impl Situation<'_> {
    pub(super) fn work(&self) -> Work {
        let mut work = Work::default();
        let nothing = json!({});
        if let Some(deleted) = self.restored() {
            self.restoration(deleted, &mut work);
            return work;
        }
        if self.found.application.is_none() && !self.existence(&mut work) {
            return work;
        }
        let application = self.found.application.as_ref().unwrap_or(&nothing);
        self.copies(&mut work);
        self.template(application, &mut work);
        self.certificates(application, &mut work);
        self.principal(application, &mut work);
        self.settings(application, &mut work);
        self.federated(&mut work);
        self.owners(&mut work);
        self.consent(&mut work);
        self.assignments(application, &mut work);
        for index in 0..self.blueprint.secrets.len() {
            self.secret(index, application, &mut work);
        }
        self.secrets_for_personal(application, &mut work);
        work
    }

    /// Whether admin consent has nothing to add.
    pub(super) fn is_consented(&self) -> bool {
        let mut work = Work::default();
        self.consent(&mut work);
        work.steps.is_empty()
    }

    /// The deleted application that is to be restored.
    fn restored(&self) -> Option<&Value> {
        let deleted = self.found.deleted.as_ref()?;
        let restores = self.blueprint.if_deleted == DeletedChoice::Restore;
        (restores && self.found.application.is_none()).then_some(deleted)
    }

    /// The restore, and what follows it: its credentials and settings are known, the rest comes back with it.
    fn restoration(&self, deleted: &Value, work: &mut Work) {
        let line = Line::add("restore the deleted registration, with its credentials");
        let action = Action::RestoreApplication(text(deleted, "id").to_owned());
        work.steps.push(Step::new(action, [line]));
        if let Some(id) = &self.found.deleted_principal {
            let line = Line::add("restore the deleted enterprise application");
            let action = Action::RestorePrincipal(id.clone());
            work.steps.push(Step::new(action, [line]));
        }
        let found = Found {
            application: Some(deleted.clone()),
            ..Found::default()
        };
        let later = Situation {
            found: &found,
            ..*self
        };
        later.template(deleted, work);
        later.settings(deleted, work);
        for index in 0..self.blueprint.secrets.len() {
            later.secret(index, deleted, work);
        }
        later.secrets_for_personal(deleted, work);
        let mut rest = Work::default();
        if self.found.deleted_principal.is_none() {
            later.principal(deleted, &mut rest);
        }
        later.certificates(deleted, &mut rest);
        later.federated(&mut rest);
        later.owners(&mut rest);
        later.consent(&mut rest);
        // It lacks a role whatever else comes back.
        rest.stops.clear();
        later.assignments(deleted, &mut rest);
        work.stops.append(&mut rest.stops);
        later.later_certificates(deleted, work);
        work.possible = rest.steps;
        work.notes.push(Line::new(
            Mark::Keep,
            "its owners, consents, assignments and federated credentials come back with it; what the blueprint lists beside them is added then".to_owned(),
        ));
    }

    /// The steps until there is an application; whether the others can follow.
    fn existence(&self, work: &mut Work) -> bool {
        let blueprint = self.blueprint;
        if let Some(deleted) = &self.found.deleted {
            match blueprint.if_deleted {
                // Restored instead.
                DeletedChoice::Restore => return false,
                DeletedChoice::Purge => {
                    let line = Line::remove("the deleted registration, for good");
                    let action = Action::PurgeApplication(text(deleted, "id").to_owned());
                    work.steps.push(Step::new(action, [line]));
                }
                DeletedChoice::Stop => {
                    work.stops.push(format!(
                        "a deleted registration holds the unique name {}; restore it or delete it for good",
                        blueprint.key()
                    ));
                    return false;
                }
            }
        }
        if let Some(client_id) = blueprint.client_id {
            work.stops.push(format!(
                "the tenant has no registration with the client id {client_id}; check the directory that you are signed in to"
            ));
            return false;
        }
        if let Some(template) = &self.names.template {
            let line = Line::add(format!(
                "registration {:?} and enterprise application from the gallery template {}",
                blueprint.name, template.name
            ));
            let action = Action::Instantiate {
                template: template.id.clone(),
                name: blueprint.name_until_marked(),
            };
            work.steps.push(Step::new(action, [line]));
            return true;
        }
        let body = json!({
            "displayName": blueprint.name,
            "signInAudience": blueprint.audience_when_new().as_str(),
            "tags": [blueprint.owner_tag()],
        });
        let line = Line::add(format!(
            "registration {:?}, {}",
            blueprint.name,
            blueprint.audience_when_new().in_portal()
        ));
        let action = Action::CreateApplication {
            key: blueprint.key(),
            body,
        };
        work.steps.push(Step::new(action, [line]));
        true
    }

    /// Deletes the younger ones of what runs created from the template before one could see the application of the other.
    fn copies(&self, work: &mut Work) {
        if self.found.application.is_none() {
            return;
        }
        for id in &self.found.copies {
            let line = Line::remove(format!(
                "a second registration from the gallery template, which an interrupted run created, with the object id {id}"
            ));
            work.steps
                .push(Step::new(Action::DeleteCopy(id.clone()), [line]));
        }
        for id in &self.found.older_copies {
            work.notes.push(Line::new(
                Mark::Keep,
                format!(
                    "an older registration from the gallery template, with the object id {id}; delete it if no run is at work"
                ),
            ));
        }
    }

    /// Stops if the registration was not created from the template of the blueprint.
    fn template(&self, application: &Value, work: &mut Work) {
        let (Some(template), Some(_)) = (&self.names.template, &self.found.application) else {
            return;
        };
        if !text(application, "applicationTemplateId").eq_ignore_ascii_case(&template.id) {
            work.stops.push(format!(
                "the registration was not created from the gallery template {}, and that cannot be changed later; delete it, or leave the template out of the blueprint",
                template.name
            ));
        }
    }

    /// Whether the enterprise application comes with the registration, perhaps a moment later.
    fn comes_with_template(&self) -> bool {
        self.names.template.is_some() && (self.found.created().is_none() || self.is_new())
    }

    /// Whether the application was created a moment ago.
    fn is_new(&self) -> bool {
        let age = self
            .found
            .created()
            .map(|at| (self.now - at).unsigned_abs());
        age.is_some_and(|age| age < WINDOW)
    }

    fn settings(&self, application: &Value, work: &mut Work) {
        self.limits(application, work);
        self.new_audience(application, work);
        for group in differences(self.blueprint, self.names, application) {
            let mut lines: Vec<Line> = group.iter().flat_map(|one| one.lines.clone()).collect();
            if self.found.application.is_none() {
                // The create itself sets these.
                let created = [
                    "display name ",
                    "supported account types ",
                    "tag registration:",
                ];
                lines.retain(|line| !created.iter().any(|start| line.text().starts_with(start)));
            }
            if !group.is_empty() {
                let action = Action::UpdateApplication(body(&group));
                work.steps.push(Step::new(action, lines));
            }
        }
        if !self.blueprint.remove_unlisted {
            let kept = unlisted_permissions(application, self.names);
            work.notes.extend(kept.into_iter().map(|name| {
                Line::new(
                    Mark::Keep,
                    format!("permission {name}, which the blueprint does not list"),
                )
            }));
        }
    }
}
