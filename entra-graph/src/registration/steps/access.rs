//! The steps of consent and of assignments.

use serde_json::Value;

use super::{
    super::{
        action::{Action, Step},
        line::Line,
        names::ApiNames,
        settings::entitlement_id,
        wire::{items, text},
    },
    Situation, Work,
};

impl Situation<'_> {
    pub(super) fn consent(&self, work: &mut Work) {
        if self.blueprint.grant_admin_consent {
            for api in &self.names.apis {
                self.application_consent(api, work);
            }
        }
        for api in &self.names.apis {
            self.delegated_consent(api, work);
        }
        if self.blueprint.remove_unlisted {
            self.unlisted_consent(work);
        }
    }

    fn application_consent(&self, api: &ApiNames, work: &mut Work) {
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
    }

    /// Removes consents for application permissions that the blueprint does not list, and those for all users of APIs
    /// that it does not list.
    fn unlisted_consent(&self, work: &mut Work) {
        for one in &self.found.roles {
            let id = one.app_role_id.as_deref().unwrap_or_default();
            let api = self
                .names
                .apis
                .iter()
                .find(|api| one.resource_id.as_deref() == Some(&api.id));
            let listed = api.is_some_and(|api| api.application.iter().any(|role| role.id == id));
            if !listed {
                let line = Line::remove(format!(
                    "admin consent for {} {} (application)",
                    one.resource_display_name.as_deref().unwrap_or_default(),
                    api.map_or(id, |api| api.value_of(id)),
                ));
                let action = Action::RevokeRole(one.id.clone());
                work.steps.push(Step::new(action, [line]));
            }
        }
        for grant in &self.found.grants {
            let resource = grant.resource_id.as_deref().unwrap_or_default();
            if !self.names.apis.iter().any(|api| api.id == resource) {
                let scopes = grant.scopes().collect::<Vec<_>>().join(" ");
                let line = Line::remove(format!(
                    "admin consent for {scopes} (delegated) of the API with the object id {resource}"
                ));
                let action = Action::RevokeScopes(grant.id.clone());
                work.steps.push(Step::new(action, [line]));
            }
        }
    }

    fn delegated_consent(&self, api: &ApiNames, work: &mut Work) {
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
            .filter(|value| self.blueprint.grant_admin_consent && !current.contains(value))
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
            Some(grant) if scope.is_empty() => Action::RevokeScopes(grant.id.clone()),
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

    pub(super) fn assignments(&self, application: &Value, work: &mut Work) {
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
            return Some(entitlement_id(self.blueprint, "role", value));
        }
        work.stops.push(format!(
            "the registration has no app role {value} to assign"
        ));
        None
    }
}
