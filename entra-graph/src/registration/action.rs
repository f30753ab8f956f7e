//! One step of a plan: what it shows, which operation it is, and its request.

use entra_core::Guid;
use serde_json::{Value, json};

use super::{line::Line, parts::FederatedCredential, policy::NewKey, wire};
use crate::{
    areas::{
        application_templates as templates, applications as apps,
        oauth2_permission_grants as grants, service_principals as sps,
    },
    client::GraphClient,
    key::GRAPH_APP_ID,
    operation::Operation,
    request::{Request, Target},
};

/// One step of a plan.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) action: Action,
    pub(super) lines: Vec<Line>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    RestoreApplication(String),
    PurgeApplication(String),
    CreateApplication {
        key: String,
        body: Value,
    },
    /// Creates application and service principal from a template of the gallery.
    Instantiate {
        template: String,
        name: String,
    },
    FirstCertificates {
        new: Vec<NewKey>,
        kept: Vec<Value>,
    },
    AddKey(NewKey),
    /// Removes a certificate that is listed twice, by its key id.
    RemoveKeyCopy(String),
    /// Deletes a further application that was created from the template.
    DeleteCopy(String),
    RestorePrincipal(String),
    CreatePrincipal(Value),
    UpdateApplication(Value),
    UpdatePrincipal(Value),
    CreateFederated(FederatedCredential),
    UpdateFederated(String, FederatedCredential),
    DeleteFederated(String),
    AddOwner(String),
    RemoveOwner(String),
    GrantRole {
        api: String,
        app_id: String,
        role: String,
    },
    RevokeRole(String),
    GrantScopes {
        api: String,
        scope: String,
    },
    SetScopes {
        grant: String,
        scope: String,
    },
    /// Deletes a grant of delegated permissions.
    RevokeScopes(String),
    Assign {
        principal: String,
        role: String,
    },
    Unassign(String),
    RemoveOrphan {
        secret: usize,
        key_id: String,
    },
    AddSecret(usize),
    /// The run that created the registration may be about to write its first certificate, which this one would replace.
    AwaitCertificates,
    /// Nothing can be decided before a write is visible.
    Wait,
}

/// The directory roles that may grant consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConsentRole {
    /// Those that may grant application permissions of Microsoft Graph.
    Privileged,
    /// Those that may grant all other permissions.
    Applications,
}

/// The object ids that requests need.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ids<'a> {
    pub(super) application: Option<&'a str>,
    pub(super) principal: Option<&'a str>,
}

impl Step {
    pub(super) fn new(action: Action, lines: impl IntoIterator<Item = Line>) -> Self {
        Self {
            action,
            lines: lines.into_iter().collect(),
        }
    }

    pub(super) fn wait(reason: String) -> Self {
        Self::new(Action::Wait, [Line::new(super::line::Mark::Keep, reason)])
    }

    /// Whether this is the same step as one that was performed.
    pub(super) fn is(&self, done: &Action) -> bool {
        match (&self.action, done) {
            (Action::CreatePrincipal(_), Action::CreatePrincipal(_))
            | (Action::CreateApplication { .. }, Action::CreateApplication { .. }) => true,
            (action, done) => action == done,
        }
    }
}

impl Action {
    /// The operation; none for a wait.
    pub(super) const fn operation(&self) -> Option<&'static Operation> {
        Some(match self {
            Self::RestoreApplication(_) => &apps::RESTORE,
            Self::PurgeApplication(_) => &apps::PURGE,
            Self::CreateApplication { .. } => &apps::UPSERT,
            Self::Instantiate { .. } => &templates::INSTANTIATE,
            Self::FirstCertificates { .. } | Self::UpdateApplication(_) => &apps::UPDATE,
            Self::AddKey(_) => &apps::ADD_KEY,
            Self::RemoveKeyCopy(_) => &apps::REMOVE_KEY,
            Self::DeleteCopy(_) => &apps::DELETE,
            Self::RestorePrincipal(_) => &sps::RESTORE,
            Self::CreatePrincipal(_) => &sps::CREATE,
            Self::UpdatePrincipal(_) => &sps::UPDATE,
            Self::CreateFederated(_) => &apps::CREATE_FEDERATED,
            Self::UpdateFederated(..) => &apps::UPDATE_FEDERATED,
            Self::DeleteFederated(_) => &apps::DELETE_FEDERATED,
            Self::AddOwner(_) => &apps::ADD_OWNER,
            Self::RemoveOwner(_) => &apps::REMOVE_OWNER,
            Self::GrantRole { .. } | Self::Assign { .. } => &sps::ASSIGN_TO,
            Self::RevokeRole(_) => &sps::DELETE_ASSIGNMENT,
            Self::Unassign(_) => &sps::DELETE_ASSIGNED_TO,
            Self::GrantScopes { .. } => &grants::CREATE,
            Self::SetScopes { .. } => &grants::UPDATE,
            Self::RevokeScopes(_) => &grants::DELETE,
            Self::RemoveOrphan { .. } => &apps::REMOVE_PASSWORD,
            Self::AddSecret(_) => &apps::ADD_PASSWORD,
            Self::AwaitCertificates | Self::Wait => return None,
        })
    }

    /// The directory role that a signed-in user needs for it, beside a permission.
    pub(super) fn role(&self) -> Option<ConsentRole> {
        match self {
            Self::GrantRole { app_id, .. } if is_of_directory(app_id) => {
                Some(ConsentRole::Privileged)
            }
            Self::GrantRole { .. }
            | Self::GrantScopes { .. }
            | Self::SetScopes { .. }
            | Self::RevokeScopes(_) => Some(ConsentRole::Applications),
            _ => None,
        }
    }

    /// Whether it writes the application or its service principal, or what belongs to them.
    pub(super) const fn writes_owned(&self) -> bool {
        !matches!(
            self,
            Self::CreateApplication { .. }
                | Self::Instantiate { .. }
                | Self::GrantRole { .. }
                | Self::GrantScopes { .. }
                | Self::SetScopes { .. }
                | Self::RevokeScopes(_)
                | Self::RestoreApplication(_)
                | Self::RestorePrincipal(_)
                | Self::PurgeApplication(_)
                | Self::AwaitCertificates
                | Self::Wait
        )
    }

    /// Whether another application, or another run, can take the key of its result between the reads and it.
    pub(super) const fn may_find_its_key_taken(&self) -> bool {
        matches!(self, Self::RestorePrincipal(_) | Self::UpdateFederated(..))
    }

    /// Whether it removes something.
    pub(super) const fn is_removal(&self) -> bool {
        matches!(
            self,
            Self::RemoveKeyCopy(_)
                | Self::DeleteCopy(_)
                | Self::DeleteFederated(_)
                | Self::RemoveOwner(_)
                | Self::RevokeRole(_)
                | Self::RevokeScopes(_)
                | Self::Unassign(_)
                | Self::RemoveOrphan { .. }
                | Self::PurgeApplication(_)
        )
    }

    /// The request, once the objects exist that it is about. Secrets, added and removed keys have requests of their own.
    pub(super) fn request(&self, graph: &GraphClient, ids: Ids<'_>) -> Option<Request<Value>> {
        let operation = self.operation()?;
        let root = || Target::root(graph);
        let application = || Some(wire::application(graph, ids.application?));
        let principal = || Some(wire::principal(graph, ids.principal?));
        let send =
            |target: Target, body: Option<&Value>| Some(wire::request(&target, operation, body));
        match self {
            Self::RestoreApplication(id) | Self::RestorePrincipal(id) => send(
                root().join(&["directory", "deletedItems", id, "restore"]),
                None,
            ),
            Self::PurgeApplication(id) => {
                send(root().join(&["directory", "deletedItems", id]), None)
            }
            Self::CreateApplication { key, body } => {
                Some(wire::upsert_application(graph, key, body))
            }
            Self::Instantiate { template, name } => send(
                root().join(&["applicationTemplates", template, "instantiate"]),
                Some(&json!({"displayName": name})),
            ),
            Self::FirstCertificates { new, kept } => {
                let credentials: Vec<Value> = kept
                    .iter()
                    .cloned()
                    .chain(new.iter().map(NewKey::entry))
                    .collect();
                send(
                    application()?,
                    Some(&json!({"keyCredentials": credentials})),
                )
            }
            Self::DeleteCopy(id) => send(wire::application(graph, id), None),
            Self::CreatePrincipal(body) => {
                // Known only once the application exists.
                body["appId"].as_str()?;
                send(root().join(&["servicePrincipals"]), Some(body))
            }
            Self::UpdateApplication(body) => send(application()?, Some(body)),
            Self::UpdatePrincipal(body) => send(principal()?, Some(body)),
            Self::CreateFederated(one) => send(
                application()?.join(&["federatedIdentityCredentials"]),
                Some(&federated(one, true)),
            ),
            Self::UpdateFederated(id, one) => send(
                application()?.join(&["federatedIdentityCredentials", id]),
                Some(&federated(one, false)),
            ),
            Self::DeleteFederated(id) => send(
                application()?.join(&["federatedIdentityCredentials", id]),
                None,
            ),
            Self::AddOwner(id) => {
                let url = root().join(&["directoryObjects", id]).url().ok()?;
                let body = json!({"@odata.id": url.as_str()});
                send(application()?.join(&["owners", "$ref"]), Some(&body))
            }
            Self::RemoveOwner(id) => send(application()?.join(&["owners", id, "$ref"]), None),
            Self::GrantRole { api, role, .. } => {
                let body = assignment(ids.principal?, api, role);
                send(
                    wire::principal(graph, api).join(&["appRoleAssignedTo"]),
                    Some(&body),
                )
            }
            Self::RevokeRole(id) => send(principal()?.join(&["appRoleAssignments", id]), None),
            Self::Assign {
                principal: user,
                role,
            } => {
                let body = assignment(user, ids.principal?, role);
                send(principal()?.join(&["appRoleAssignedTo"]), Some(&body))
            }
            Self::Unassign(id) => send(principal()?.join(&["appRoleAssignedTo", id]), None),
            Self::GrantScopes { api, scope } => {
                let body = json!({
                    "clientId": ids.principal?, "consentType": "AllPrincipals", "resourceId": api, "scope": scope,
                });
                Some(wire::create_grant(graph, &body))
            }
            Self::SetScopes { grant, scope } => {
                send(wire::grant(graph, grant), Some(&json!({"scope": scope})))
            }
            Self::RevokeScopes(grant) => send(wire::grant(graph, grant), None),
            Self::RemoveOrphan { key_id, .. } => {
                let body = json!({"keyId": key_id});
                send(application()?.join(&["removePassword"]), Some(&body))
            }
            Self::AddKey(_)
            | Self::RemoveKeyCopy(_)
            | Self::AddSecret(_)
            | Self::AwaitCertificates
            | Self::Wait => None,
        }
    }
}

/// Whether consent to the application permissions of an API is privileged.
pub(super) fn is_of_directory(app_id: &str) -> bool {
    DIRECTORY_APIS.contains(&app_id)
}

/// Microsoft Graph, and the retired Azure AD Graph.
const DIRECTORY_APIS: [&str; 2] = [GRAPH_APP_ID, "00000002-0000-0000-c000-000000000000"];

fn assignment(principal: &str, resource: &str, role: &str) -> Value {
    let role = if role.is_empty() {
        Guid::NIL.to_string()
    } else {
        role.to_owned()
    };
    json!({"principalId": principal, "resourceId": resource, "appRoleId": role})
}

fn federated(one: &FederatedCredential, create: bool) -> Value {
    let mut body =
        json!({"issuer": one.issuer, "subject": one.subject, "audiences": [one.audience]});
    if create {
        body["name"] = json!(one.name);
    }
    body
}
