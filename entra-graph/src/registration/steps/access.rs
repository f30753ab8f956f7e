//! The steps of consent and of assignments.

use entra_core::Guid;
use serde_json::Value;

use super::{
    super::{
        action::{Action, Step},
        line::{Line, Mark},
        names::ApiNames,
        settings::is_removable,
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
            let resource = one.resource_id.as_deref().unwrap_or_default();
            let api = self.names.of_object(resource);
            let listed = api.is_some_and(|api| api.application.iter().any(|role| role.id == id));
            if !listed {
                let of_grant = one.resource_display_name.as_deref();
                let line = Line::remove(format!(
                    "admin consent for {} {} (application)",
                    api.map_or(of_grant.unwrap_or(resource), |api| &api.name),
                    api.map_or(id, |api| api.value_of(id)),
                ));
                let action = Action::RevokeRole(one.id.clone());
                work.steps.push(Step::new(action, [line]));
            }
        }
        for grant in &self.found.grants {
            let resource = grant.resource_id.as_deref().unwrap_or_default();
            if !self.names.apis.iter().any(|api| api.id == resource) {
                let api = self.names.of_object(resource);
                let name = api.map_or(resource, |api| &api.name);
                let lines = grant.scopes().map(|scope| {
                    Line::remove(format!("admin consent for {name} {scope} (delegated)"))
                });
                let action = Action::RevokeScopes(grant.id.clone());
                work.steps.push(Step::new(action, lines));
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
            .filter(|value| {
                let has = |one: &&str| one.eq_ignore_ascii_case(value);
                self.blueprint.grant_admin_consent && !current.iter().any(has)
            })
            .collect();
        let unlisted: Vec<&str> = current
            .iter()
            .copied()
            .filter(|name| {
                let mut listed = api.delegated.iter();
                self.blueprint.remove_unlisted
                    && !listed.any(|one| one.value.eq_ignore_ascii_case(name))
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
            let has = |role: &str| {
                self.found.assigned.iter().any(|one| {
                    one.principal_id.as_deref() == Some(&principal.id)
                        && one.app_role_id.as_deref() == Some(role)
                })
            };
            let role = match self.role(application, &spec.role) {
                Ok(role) => role,
                // One that was assigned before the registration had app roles.
                Err(_) if spec.role.is_empty() && has(&Guid::NIL.to_string()) => {
                    Guid::NIL.to_string()
                }
                Err(why) => {
                    // One that was assigned before its role was disabled.
                    let roles = items(application, "appRoles").iter();
                    let mut ids = roles
                        .filter(|role| !spec.role.is_empty() && text(role, "value") == spec.role)
                        .map(|role| text(role, "id"));
                    match ids.find(|id| has(id) && !self.blueprint.remove_unlisted) {
                        Some(id) => id.to_owned(),
                        None => {
                            work.stops
                                .push(format!("{} cannot be assigned: {why}", principal.name));
                            continue;
                        }
                    }
                }
            };
            if !has(&role) {
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
                if wanted.contains(&pair) {
                    continue;
                }
                let name = of(&one.principal_display_name);
                if one.principal_type.as_deref() == Some("ServicePrincipal") {
                    // It is a consent of that application, whose own blueprint lists or removes it.
                    work.notes.push(Line::new(
                        Mark::Keep,
                        format!("permission of the application {name} for this API"),
                    ));
                } else {
                    let line = Line::remove(format!("assignment of {name}"));
                    work.steps
                        .push(Step::new(Action::Unassign(one.id.clone()), [line]));
                }
            }
        }
    }

    /// The id of an app role by its value; without a value that of default access, or of the role of gallery applications
    /// that stands for it.
    fn role(&self, application: &Value, value: &str) -> Result<String, String> {
        let roles = self.roles_of_users(application);
        if let Some((id, _)) = roles.iter().find(|(_, known)| known == value) {
            return Ok(id.clone());
        }
        let names: Vec<&str> = roles.iter().map(|(_, value)| value.as_str()).collect();
        let names = names.join(", ");
        let from_gallery = self.found.application.is_none() && self.names.template.is_some();
        match (value, names.as_str()) {
            ("", "") => Ok(Guid::NIL.to_string()),
            // Which roles it comes with is not known yet.
            ("", _) if from_gallery => Ok(Guid::NIL.to_string()),
            ("", names) => Err(format!(
                "the registration has app roles for users, and Entra then rejects an assignment without one; name one of them: {names}"
            )),
            (value, "") => Err(format!(
                "the registration has no app role {value}, nor any other for users and groups"
            )),
            (value, names) => Err(format!(
                "the registration has no app role {value} for users and groups; it has: {names}"
            )),
        }
    }

    /// The app roles that users and groups can be assigned to once the blueprint is applied: id and value.
    fn roles_of_users(&self, application: &Value) -> Vec<(String, String)> {
        let listed = &self.blueprint.app_roles;
        let mut roles = Vec::new();
        for role in items(application, "appRoles") {
            let value = text(role, "value");
            let is_for_users = match listed.iter().find(|one| one.value == value) {
                Some(one) => one.members.allowed().contains(&"User"),
                None => {
                    let mut kinds = items(role, "allowedMemberTypes").iter();
                    let removed = self.blueprint.remove_unlisted && is_removable(value);
                    role["isEnabled"] != false && kinds.any(|kind| kind == "User") && !removed
                }
            };
            if is_for_users {
                roles.push((text(role, "id").to_owned(), value.to_owned()));
            }
        }
        for one in listed {
            let is_new = !items(application, "appRoles")
                .iter()
                .any(|role| text(role, "value") == one.value);
            if is_new && one.members.allowed().contains(&"User") {
                roles.push((
                    self.blueprint.derived_id("role", &one.value),
                    one.value.clone(),
                ));
            }
        }
        roles
    }
}
