//! The steps of the enterprise application and of the owners.

use serde_json::{Value, json};

use super::{
    super::{
        action::{Action, Step},
        line::{Line, Mark},
        wire::items,
    },
    Situation, Work,
};

impl Situation<'_> {
    pub(super) fn principal(&self, application: &Value, work: &mut Work) {
        let enterprise = &self.blueprint.enterprise;
        let nothing = json!({});
        let principal = match &self.found.principal {
            Some(principal) => Some(principal),
            None if self.comes_with_template() => Some(&nothing),
            None => None,
        };
        let Some(principal) = principal else {
            // That of a registration which is deleted for good belongs to none any more.
            if let Some(id) = &self.found.deleted_principal
                && self.found.application.is_some()
            {
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
        if principal["displayName"] == self.blueprint.name_until_marked() {
            body["displayName"] = json!(self.blueprint.name);
            lines.push(Line::change("name of the enterprise application"));
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

    pub(super) fn owners(&self, work: &mut Work) {
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
                if wanted.iter().any(|owner| owner.id == *id) {
                    continue;
                }
                let caller = self.found.limited_caller.as_ref();
                if caller.is_some_and(|caller| caller.eq_ignore_ascii_case(id)) {
                    work.notes.push(Line::new(
                        Mark::Keep,
                        format!(
                            "owner {id}, the caller, which could not change the registration without that"
                        ),
                    ));
                    continue;
                }
                let line = Line::remove(format!("owner {id}"));
                work.steps
                    .push(Step::new(Action::RemoveOwner(id.clone()), [line]));
            }
        }
    }
}

/// The tag of enterprise applications.
const INTEGRATED: &str = "WindowsAzureActiveDirectoryIntegratedApp";
/// The tag of applications that My Apps does not show.
pub(in super::super) const HIDDEN: &str = "HideApp";
