//! From a blueprint and what the tenant has to the steps between them: a pure function.

use entra_core::Timestamp;
use serde_json::{Value, json};

use super::{
    action::{Action, Step},
    blueprint::AppRegistration,
    found::{Found, time},
    line::{Line, Mark},
    names::Names,
    parts::{DeletedChoice, SecretBlueprint},
    policy::SecretPolicy,
    settings::{body, differences, unlisted_permissions},
    sink::SinkEntry,
    wire::{items, text},
};

/// What a blueprint needs in a tenant.
#[derive(Clone, Debug, Default)]
pub(super) struct Work {
    /// In the order in which they have to happen.
    pub(super) steps: Vec<Step>,
    /// What stays although the blueprint does not list it, and advice.
    pub(super) notes: Vec<Line>,
    /// Why the blueprint cannot be applied as it is.
    pub(super) stops: Vec<String>,
}

/// Everything that the steps depend on.
pub(super) struct Situation<'a> {
    pub(super) blueprint: &'a AppRegistration,
    pub(super) names: &'a Names,
    pub(super) found: &'a Found,
    /// What the sink holds, for each secret of the blueprint.
    pub(super) held: &'a [SinkEntry],
    pub(super) can_prove: bool,
    pub(super) now: Timestamp,
}

impl Situation<'_> {
    pub(super) fn work(&self) -> Work {
        let mut work = Work::default();
        let nothing = json!({});
        if self.found.application.is_none() && !self.existence(&mut work) {
            return work;
        }
        let application = self.found.application.as_ref().unwrap_or(&nothing);
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
        work
    }

    /// The steps until there is an application; whether the others can follow.
    fn existence(&self, work: &mut Work) -> bool {
        let blueprint = self.blueprint;
        if let Some(id) = &self.found.deleted {
            match blueprint.if_deleted {
                DeletedChoice::Restore => {
                    let line = Line::add("restore the deleted registration, with its credentials");
                    work.steps
                        .push(Step::new(Action::RestoreApplication(id.clone()), [line]));
                    return false;
                }
                DeletedChoice::Purge => {
                    let line = Line::remove("the deleted registration, for good");
                    work.steps
                        .push(Step::new(Action::PurgeApplication(id.clone()), [line]));
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
        let body = json!({
            "displayName": blueprint.name,
            "signInAudience": blueprint.audience.as_str(),
            "tags": [blueprint.owner_tag()],
        });
        let line = Line::add(format!(
            "registration {:?}, {}",
            blueprint.name,
            blueprint.audience.in_portal()
        ));
        let action = Action::CreateApplication {
            key: blueprint.key(),
            body,
        };
        work.steps.push(Step::new(action, [line]));
        true
    }

    fn settings(&self, application: &Value, work: &mut Work) {
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

    fn certificates(&self, application: &Value, work: &mut Work) {
        let has = |key: &str| self.found.keys.iter().any(|one| text(one, "key") == key);
        let missing: Vec<_> = self
            .blueprint
            .certificates
            .iter()
            .filter(|one| !has(&one.key))
            .cloned()
            .collect();
        if missing.is_empty() {
            return;
        }
        let lines = missing
            .iter()
            .map(|one| Line::add(format!("certificate {:?}", one.name)));
        let valid = self.found.keys.iter().any(|one| {
            text(one, "usage") == "Verify"
                && time(one, "endDateTime").is_none_or(|end| end > self.now)
        });
        let has_credentials =
            !self.found.keys.is_empty() || !items(application, "passwordCredentials").is_empty();
        if valid && self.can_prove {
            for (certificate, line) in missing.iter().zip(lines) {
                work.steps
                    .push(Step::new(Action::AddKey(certificate.clone()), [line]));
            }
        } else if !has_credentials || self.blueprint.sole_writer {
            let action = Action::FirstCertificates {
                new: missing.clone(),
                kept: self.found.keys.clone(),
            };
            work.steps.push(Step::new(action, lines));
        } else if valid {
            work.stops.push(
                "a further certificate needs proof of possession of the one that the registration has: give the plan a proof signer".to_owned(),
            );
        } else {
            work.stops.push(
                "the registration has credentials, so another writer may be active, and a first certificate replaces the whole list: declare `sole_writer` if there is none".to_owned(),
            );
        }
    }

    fn principal(&self, application: &Value, work: &mut Work) {
        let enterprise = &self.blueprint.enterprise;
        let Some(principal) = &self.found.principal else {
            if let Some(id) = &self.found.deleted_principal {
                let line = Line::add("restore the deleted enterprise application");
                work.steps
                    .push(Step::new(Action::RestorePrincipal(id.clone()), [line]));
                return;
            }
            let mut tags = vec![INTEGRATED];
            let mut lines = vec![Line::add("enterprise application (service principal)")];
            if enterprise.visible == Some(false) {
                tags.push(HIDDEN);
                lines.push(Line::add("hidden from users"));
            }
            let mut body = json!({"appId": application["appId"], "tags": tags});
            if let Some(required) = enterprise.assignment_required {
                body["appRoleAssignmentRequired"] = json!(required);
                if required {
                    lines.push(Line::add("assignment required"));
                }
            }
            work.steps
                .push(Step::new(Action::CreatePrincipal(body), lines));
            return;
        };
        let mut body = json!({});
        let mut lines = Vec::new();
        if let Some(required) = enterprise.assignment_required
            && principal["appRoleAssignmentRequired"] != required
        {
            body["appRoleAssignmentRequired"] = json!(required);
            lines.push(Line::change(format!("assignment required: {required}")));
        }
        let tags = items(principal, "tags");
        let is_hidden = tags.iter().any(|tag| tag == HIDDEN);
        if let Some(visible) = enterprise.visible
            && visible == is_hidden
        {
            let mut tags: Vec<Value> = tags.iter().filter(|tag| **tag != HIDDEN).cloned().collect();
            if !visible {
                tags.push(json!(HIDDEN));
            }
            body["tags"] = tags.into();
            lines.push(Line::change(format!("visible to users: {visible}")));
        }
        if !lines.is_empty() {
            work.steps
                .push(Step::new(Action::UpdatePrincipal(body), lines));
        }
    }

    fn federated(&self, work: &mut Work) {
        let wanted = &self.blueprint.federated_credentials;
        for one in wanted {
            let same = self
                .found
                .federated
                .iter()
                .find(|other| other.name.as_deref() == Some(&one.name));
            let pair = self.found.federated.iter().find(|other| {
                other.issuer.as_deref() == Some(&one.issuer)
                    && other.subject.as_deref() == Some(&one.subject)
            });
            let text = format!("federated credential {} for {}", one.name, one.subject);
            match (same, pair) {
                (Some(same), _)
                    if same.issuer.as_deref() == Some(&one.issuer)
                        && same.subject.as_deref() == Some(&one.subject)
                        && same.audiences.as_deref() == Some(&[one.audience.clone()][..]) => {}
                (Some(same), _) => {
                    let action = Action::UpdateFederated(same.id.clone(), one.clone());
                    work.steps.push(Step::new(action, [Line::change(text)]));
                }
                // Issuer and subject are unique within an application, whatever the name.
                (None, Some(pair)) => work.notes.push(Line::new(
                    Mark::Keep,
                    format!(
                        "federated credential {}, which accepts the tokens of {}",
                        pair.name.as_deref().unwrap_or_default(),
                        one.name
                    ),
                )),
                (None, None) => {
                    let action = Action::CreateFederated(one.clone());
                    work.steps.push(Step::new(action, [Line::add(text)]));
                }
            }
        }
        if self.blueprint.remove_unlisted {
            for other in &self.found.federated {
                let name = other.name.as_deref().unwrap_or_default();
                if !wanted.iter().any(|one| one.name == name) {
                    let line = Line::remove(format!("federated credential {name}"));
                    work.steps
                        .push(Step::new(Action::DeleteFederated(other.id.clone()), [line]));
                }
            }
        }
    }

    fn owners(&self, work: &mut Work) {
        let wanted = &self.names.owners;
        for owner in wanted {
            if !self.found.owners.contains(&owner.id) {
                let line = Line::add(format!("owner {}", owner.name));
                work.steps
                    .push(Step::new(Action::AddOwner(owner.id.clone()), [line]));
            }
        }
        // Without any owner in the blueprint, the list is not managed.
        if self.blueprint.remove_unlisted && !wanted.is_empty() {
            for id in &self.found.owners {
                if !wanted.iter().any(|owner| owner.id == *id) {
                    let line = Line::remove(format!("owner {id}"));
                    work.steps
                        .push(Step::new(Action::RemoveOwner(id.clone()), [line]));
                }
            }
        }
    }

    fn consent(&self, work: &mut Work) {
        if !self.blueprint.grant_admin_consent {
            return;
        }
        for api in &self.names.apis {
            for role in &api.application {
                let granted = self.found.roles.iter().any(|one| {
                    one.resource_id.as_deref() == Some(&api.id)
                        && one.app_role_id.as_deref() == Some(&role.id)
                });
                if !granted {
                    let line = Line::add(format!(
                        "admin consent for {} {} (application)",
                        api.name, role.value
                    ));
                    let action = Action::GrantRole {
                        api: api.id.clone(),
                        app_id: api.app_id.clone(),
                        role: role.id.clone(),
                    };
                    work.steps.push(Step::new(action, [line]));
                }
            }
            self.delegated_consent(api, work);
        }
        if self.blueprint.remove_unlisted {
            for one in &self.found.roles {
                let id = one.app_role_id.as_deref().unwrap_or_default();
                let listed = self.names.apis.iter().any(|api| {
                    one.resource_id.as_deref() == Some(&api.id)
                        && api.application.iter().any(|role| role.id == id)
                });
                if !listed {
                    let line = Line::remove(format!(
                        "consent for application permission {id} of {}",
                        one.resource_display_name.as_deref().unwrap_or_default()
                    ));
                    let action = Action::RevokeRole(one.id.clone());
                    work.steps.push(Step::new(action, [line]));
                }
            }
        }
    }

    fn delegated_consent(&self, api: &super::names::ApiNames, work: &mut Work) {
        if api.delegated.is_empty() {
            return;
        }
        let grant = self
            .found
            .grants
            .iter()
            .find(|one| one.resource_id.as_deref() == Some(&api.id));
        let current: Vec<&str> = grant.iter().flat_map(|grant| grant.scopes()).collect();
        let missing: Vec<&str> = api
            .delegated
            .iter()
            .map(|one| one.value.as_str())
            .filter(|value| !current.contains(value))
            .collect();
        let unlisted: Vec<&str> = current
            .iter()
            .copied()
            .filter(|name| {
                self.blueprint.remove_unlisted
                    && !api.delegated.iter().any(|one| one.value == **name)
            })
            .collect();
        if missing.is_empty() && unlisted.is_empty() {
            return;
        }
        let text = |name: &&str| format!("admin consent for {} {name} (delegated)", api.name);
        let added = missing.iter().map(|name| Line::add(text(name)));
        let removed = unlisted.iter().map(|name| Line::remove(text(name)));
        let lines: Vec<Line> = added.chain(removed).collect();
        let mut scopes: Vec<&str> = current;
        scopes.retain(|name| !unlisted.contains(name));
        scopes.extend(missing);
        let scope = scopes.join(" ");
        let action = match grant {
            Some(grant) => Action::SetScopes {
                grant: grant.id.clone(),
                scope,
            },
            None => Action::GrantScopes {
                api: api.id.clone(),
                scope,
            },
        };
        work.steps.push(Step::new(action, lines));
    }

    fn assignments(&self, application: &Value, work: &mut Work) {
        let mut wanted = Vec::new();
        for (principal, spec) in self
            .names
            .assigned
            .iter()
            .zip(&self.blueprint.enterprise.assigned)
        {
            let Some(role) = self.role(application, &spec.role, work) else {
                continue;
            };
            let assigned = self.found.assigned.iter().any(|one| {
                one.principal_id.as_deref() == Some(&principal.id)
                    && one.app_role_id.as_deref() == Some(&role)
            });
            if !assigned {
                let suffix = if spec.role.is_empty() {
                    String::new()
                } else {
                    format!(" as {}", spec.role)
                };
                let line = Line::add(format!("assignment of {}{suffix}", principal.name));
                let action = Action::Assign {
                    principal: principal.id.clone(),
                    role: role.clone(),
                };
                work.steps.push(Step::new(action, [line]));
            }
            wanted.push((principal.id.clone(), role));
        }
        if self.blueprint.remove_unlisted {
            for one in &self.found.assigned {
                let of = |name: &Option<String>| name.clone().unwrap_or_default();
                let pair = (of(&one.principal_id), of(&one.app_role_id));
                if !wanted.contains(&pair) {
                    let line =
                        Line::remove(format!("assignment of {}", of(&one.principal_display_name)));
                    work.steps
                        .push(Step::new(Action::Unassign(one.id.clone()), [line]));
                }
            }
        }
    }

    /// The id of an app role by its value; the one for default access without a value.
    fn role(&self, application: &Value, value: &str, work: &mut Work) -> Option<String> {
        let current = items(application, "appRoles");
        if value.is_empty() {
            let for_users = |role: &&Value| {
                items(role, "allowedMemberTypes")
                    .iter()
                    .any(|kind| kind == "User")
                    && role["isEnabled"] != false
            };
            // Default access is possible only without roles for users; gallery applications have `User`.
            let plain = current
                .iter()
                .filter(for_users)
                .find(|role| role["value"].is_null());
            return Some(match plain {
                Some(role) => text(role, "id").to_owned(),
                None => entra_core::Guid::NIL.to_string(),
            });
        }
        if let Some(role) = current.iter().find(|role| text(role, "value") == value) {
            return Some(text(role, "id").to_owned());
        }
        if self
            .blueprint
            .app_roles
            .iter()
            .any(|role| role.value == value)
        {
            return Some(super::settings::entitlement_id(
                self.blueprint,
                "role",
                value,
            ));
        }
        work.stops.push(format!(
            "the registration has no app role {value} to assign"
        ));
        None
    }

    fn secret(&self, index: usize, application: &Value, work: &mut Work) {
        let spec = &self.blueprint.secrets[index];
        let held = self.held.get(index).copied().unwrap_or(SinkEntry::Unknown);
        let live: Vec<&Value> = items(application, "passwordCredentials")
            .iter()
            .filter(|one| is_of(spec, text(one, "displayName")))
            .filter(|one| time(one, "endDateTime").is_none_or(|end| end > self.now))
            .collect();
        let is_recent = |at: Timestamp| {
            let age = (self.now - at).unsigned_abs();
            age < WINDOW
        };
        match held {
            SinkEntry::Unknown if !live.is_empty() => return,
            SinkEntry::Stored { id, at } => {
                if live.iter().any(|one| text(one, "keyId").parse() == Ok(id)) {
                    return;
                }
                let expired = items(application, "passwordCredentials")
                    .iter()
                    .any(|one| text(one, "keyId").parse() == Ok(id));
                if is_recent(at) && !expired {
                    work.steps.push(Step::wait(format!(
                        "secret {:?} is not visible yet",
                        spec.description
                    )));
                    return;
                }
            }
            SinkEntry::Reserved { reference, at } => {
                let name = named(spec, &reference.to_string());
                let orphan = live.iter().find(|one| text(one, "displayName") == name);
                if let Some(orphan) = orphan {
                    let line = Line::remove(format!(
                        "secret {:?} with id {}, whose value was lost when an earlier run was interrupted",
                        spec.description,
                        text(orphan, "keyId")
                    ));
                    let action = Action::RemoveOrphan {
                        secret: index,
                        key_id: text(orphan, "keyId").to_owned(),
                    };
                    work.steps.push(Step::new(action, [line]));
                    return;
                }
                if is_recent(at) {
                    work.steps.push(Step::wait(format!(
                        "an interrupted run may have added the secret {:?}",
                        spec.description
                    )));
                    return;
                }
            }
            _ => {}
        }
        if self.names.policy == SecretPolicy::Forbidden {
            work.stops.push(format!(
                "the tenant's app management policy forbids client secrets, so {:?} cannot be added; use a certificate or a federated credential",
                spec.description
            ));
            return;
        }
        let end = spec.lifetime.end(self.now);
        let end = end.map(|end| self.names.policy.clamp(self.now, end));
        let clamped = end.is_some() && end != spec.lifetime.end(self.now);
        let limit = if clamped {
            ", as long as the tenant's policy allows"
        } else {
            ""
        };
        let line = Line::add(format!(
            "secret {:?}, {}{limit}",
            spec.description, spec.lifetime
        ));
        if held == SinkEntry::Missing && !live.is_empty() {
            work.notes.push(Line::new(
                Mark::Keep,
                format!(
                    "another valid secret {:?}: its value cannot be read again",
                    spec.description
                ),
            ));
        }
        work.steps.push(Step::new(Action::AddSecret(index), [line]));
    }
}

/// The display name of a secret with a reference.
pub(super) fn named(spec: &SecretBlueprint, reference: &str) -> String {
    format!("{} [{reference}]", spec.description)
}

/// Whether a display name is that of a secret of the blueprint, with any reference or none.
fn is_of(spec: &SecretBlueprint, display_name: &str) -> bool {
    match display_name.strip_prefix(spec.description.as_str()) {
        Some("") => true,
        Some(rest) => {
            rest.starts_with(" [") && rest.ends_with(']') && rest.len() == REFERENCE_LENGTH
        }
        None => false,
    }
}

/// How long after an own write reads may not show it.
pub(super) const WINDOW: std::time::Duration = std::time::Duration::from_secs(5 * 60);
/// The tag of enterprise applications.
const INTEGRATED: &str = "WindowsAzureActiveDirectoryIntegratedApp";
/// The tag of applications that My Apps does not show.
const HIDDEN: &str = "HideApp";
/// ` [`, eight digits and `]`.
const REFERENCE_LENGTH: usize = 11;
