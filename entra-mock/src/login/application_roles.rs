//! The application permissions of a client on a resource.

use std::sync::Arc;

use hashbrown::HashSet;
use serde_json::Value;

use super::{client::Client, context::plain_text, error::LoginError, resource::Resource};
use crate::{
    permissions::{ApplicationRoles, RolesBasis},
    state::State,
    store::{Kind, Object},
};

/// Returns the application permissions of a client on a resource.
pub(super) fn find(
    state: &State,
    client: &Client,
    resource: &Resource,
) -> Result<Arc<ApplicationRoles>, LoginError> {
    let id = &resource.service_principal_id;
    let principal = state.store.get(Kind::ServicePrincipal, id);
    let read = || read(state, principal, &client.service_principal_id, id);
    let basis = principal.and_then(|principal| {
        Some(RolesBasis {
            assignments: state.store.version(Kind::AppRoleAssignment),
            resource: principal.version()?,
        })
    });
    let roles = match basis {
        Some(basis) => {
            let key = (client.service_principal_id.as_str(), id.as_str());
            state.known_roles.get_or_read(key, basis, read)
        }
        None => Arc::new(read()),
    };
    let required = principal.and_then(|principal| principal.get("appRoleAssignmentRequired"))
        == Some(&Value::Bool(true));
    if required && !roles.is_assigned {
        let text = format!(
            "The application '{}' is not assigned to a role of '{}'.",
            client.app_id,
            plain_text(&resource.identifier)
        );
        return Err(LoginError::new(501_051, text));
    }
    Ok(roles)
}

fn read(
    state: &State,
    principal: Option<&Object>,
    client_id: &str,
    resource_id: &str,
) -> ApplicationRoles {
    let declared = principal
        .and_then(|principal| principal.get("appRoles")?.as_array())
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut is_assigned = false;
    let ids: HashSet<&str> = state
        .store
        .assignments_of(client_id)
        .filter(|assignment| assignment.text("resourceId") == Some(resource_id))
        .inspect(|_| is_assigned = true)
        .filter_map(|assignment| assignment.text("appRoleId"))
        .collect();
    let text =
        |role: &'_ Value, name: &str| role.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut values: Vec<String> = declared
        .iter()
        .filter(|role| role["id"].as_str().is_some_and(|id| ids.contains(id)))
        .filter_map(|role| text(role, "value"))
        .collect();
    values.sort_unstable();
    values.dedup();
    ApplicationRoles::new(&values, is_assigned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::context::Version, *};
    use crate::{login::client::ClientAuthentication, state::License};

    fn insert(state: &mut State, kind: Kind, object: &Value) {
        let object = object.as_object().cloned().unwrap();
        state.store.insert(kind, object).unwrap();
    }

    fn assign(state: &mut State, number: u32) {
        let assignment = json!({
            "id": format!("a{number}"), "principalId": "client", "resourceId": "api", "appRoleId": format!("role{number}"),
        });
        insert(state, Kind::AppRoleAssignment, &assignment);
    }

    fn roles(state: &State) -> String {
        let client = Client {
            app_id: "c".into(),
            display_name: "Client".into(),
            service_principal_id: "client".into(),
            key_id: None,
            federated: false,
            authentication: ClientAuthentication::Secret,
        };
        let resource = Resource {
            identifier: "api://api".into(),
            app_id: "a".into(),
            display_name: "API".into(),
            service_principal_id: "api".into(),
            version: Version::V2,
            with_idtyp: false,
        };
        let roles = find(state, &client, &resource).unwrap();
        let again = find(state, &client, &resource).unwrap();
        assert!(Arc::ptr_eq(&roles, &again));
        roles.json()
    }

    #[test]
    fn remembered_roles_follow_every_change_of_assignments_and_declarations() {
        let mut state = State::new("Contoso", &["contoso.com"], License::P2, 1);
        let declared = json!([{"id": "role2", "value": "Two"}, {"id": "role1", "value": "One"}, {"id": "role3", "value": "Two"}]);
        let principals = [
            json!({"id": "client", "appId": "c"}),
            json!({"id": "api", "appId": "a", "appRoles": declared}),
        ];
        for principal in &principals {
            insert(&mut state, Kind::ServicePrincipal, principal);
        }
        assert_eq!(roles(&state), "");
        assign(&mut state, 2);
        assert_eq!(roles(&state), r#"["Two"]"#);
        assign(&mut state, 1);
        assign(&mut state, 3);
        assert_eq!(roles(&state), r#"["One","Two"]"#);
        let copy = state.clone();
        state.store.update(Kind::ServicePrincipal, "api", |api| {
            api["appRoles"][1]["value"] = json!("First");
        });
        assert_eq!(roles(&state), r#"["First","Two"]"#);
        assert_eq!(roles(&copy), r#"["One","Two"]"#);
        state
            .store
            .update(Kind::AppRoleAssignment, "a1", |assignment| {
                assignment["appRoleId"] = json!("role2");
            });
        assert_eq!(roles(&state), r#"["Two"]"#);
        for number in [2, 3] {
            state
                .store
                .remove(Kind::AppRoleAssignment, &format!("a{number}"));
        }
        assert_eq!(roles(&state), r#"["Two"]"#);
        state.store.delete(Kind::ServicePrincipal, "client", |_| {});
        assert_eq!(roles(&state), "");
        state.store.restore("client", |_| {}).unwrap();
        assert_eq!(roles(&state), r#"["Two"]"#);
    }
}
