//! Microsoft's own applications: the APIs of Azure, and the public clients of Microsoft's tools.
//!
//! Every tenant can use them without a registration. As in Entra, the directory lists one only after a
//! consent to it.
//!
//! Sources: ids, URIs and scope ids of the APIs are from a published table of the permissions that an MCP server for
//! Azure uses; that of Key Vault also from the page "Compare Azure Government and global Azure". The id of Azure SQL is
//! from the pages of Power BI, its scope and those of Azure DevOps from published app registrations. What the clients
//! have on Graph without consent is from published tokens of them. Microsoft documents neither, so both can change.

use aws_lc_rs::digest::{SHA256, digest};
use entra_core::Guid;
use serde_json::{Value, json};

use crate::{
    directory::{GRAPH_APP_ID, MICROSOFT_SERVICES, object},
    state::State,
    store::Kind,
};

/// An API of Microsoft that accepts tokens.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) app_id: &'static str,
    pub(super) name: &'static str,
    /// Its Application ID URIs, without a slash at the end.
    uris: &'static [&'static str],
    /// The id of its scope `user_impersonation`.
    scope_id: &'static str,
}

/// A public client of Microsoft.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) app_id: &'static str,
    pub(super) name: &'static str,
    /// What it may do on Graph without consent.
    graph: &'static [&'static str],
    /// Whether it needs no consent for the APIs of Azure.
    azure: bool,
}

impl Api {
    /// Returns the API of an application id or an Application ID URI.
    pub(super) fn of(identifier: &str) -> Option<&'static Self> {
        let requested = identifier.trim_end_matches('/');
        APIS.iter()
            .find(|api| api.app_id.eq_ignore_ascii_case(requested) || api.uris.contains(&requested))
    }

    /// Whether a text is a URI of this API, and not its id.
    pub(super) fn is_uri(&self, text: &str) -> bool {
        self.uris.contains(&text.trim_end_matches('/'))
    }

    /// Returns its delegated permissions as a service principal lists them.
    pub(super) fn scopes(&self) -> Vec<Value> {
        let what = format!("Access {} as you", self.name);
        vec![json!({
            "adminConsentDescription": what, "adminConsentDisplayName": what, "id": self.scope_id, "isEnabled": true,
            "type": "User", "userConsentDescription": what, "userConsentDisplayName": what, "value": USER_IMPERSONATION,
        })]
    }
}

impl Tool {
    /// Returns the tool with this client id.
    pub(super) fn of(client_id: &str) -> Option<&'static Self> {
        TOOLS
            .iter()
            .find(|tool| tool.app_id.eq_ignore_ascii_case(client_id))
    }

    /// Whether it has only what an API of Microsoft allows it, as there is no consent to more.
    pub(super) fn only_preauthorized(&self, resource: &str) -> bool {
        self.azure && (resource == GRAPH_APP_ID || Api::of(resource).is_some())
    }

    /// Returns the scopes of a resource that it has without consent.
    pub(super) fn preauthorized(&self, resource: &str) -> &'static [&'static str] {
        if resource == GRAPH_APP_ID {
            return self.graph;
        }
        let of_azure = self.azure && Api::of(resource).is_some();
        if of_azure { &[USER_IMPERSONATION] } else { &[] }
    }
}

impl State {
    /// Adds the service principal with this id if it is that of an application of Microsoft which the tenant does
    /// not list yet.
    pub(super) fn list_first_party(&mut self, id: &str) {
        if self.store.get(Kind::ServicePrincipal, id).is_some() {
            return;
        }
        let api = APIS.iter().find(|api| principal_id(self, api.app_id) == id);
        let tool = TOOLS
            .iter()
            .find(|tool| principal_id(self, tool.app_id) == id);
        let (app_id, name, uris, scopes) = match (api, tool) {
            (Some(api), _) => (api.app_id, api.name, api.uris, api.scopes()),
            (None, Some(tool)) => (tool.app_id, tool.name, &[][..], Vec::new()),
            (None, None) => return,
        };
        let names: Vec<&str> = std::iter::once(app_id)
            .chain(uris.iter().copied())
            .collect();
        let principal = object([
            ("id", id.into()),
            ("accountEnabled", true.into()),
            ("appDisplayName", name.into()),
            ("appId", app_id.into()),
            ("appOwnerOrganizationId", MICROSOFT_SERVICES.into()),
            ("appRoleAssignmentRequired", false.into()),
            ("displayName", name.into()),
            ("oauth2PermissionScopes", scopes.into()),
            ("servicePrincipalNames", json!(names)),
            ("servicePrincipalType", "Application".into()),
            ("signInAudience", "AzureADMultipleOrgs".into()),
        ]);
        // The id is not taken, as it was looked up; an application id that is taken has its service principal.
        let _ = self.store.insert(Kind::ServicePrincipal, principal);
    }
}

/// The id of the service principal in this tenant, the same before and after the tenant lists it.
pub(super) fn principal_id(state: &State, app_id: &str) -> String {
    let text = format!("{} {app_id}", state.tenant_id);
    let hash = digest(&SHA256, text.as_bytes());
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(hash.as_ref()) {
        *byte = *hashed;
    }
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Guid::from_bytes(bytes).to_string()
}

/// The address and the application id of Azure Resource Manager.
pub(super) const MANAGER: &str = "https://management.azure.com";
pub(super) const MANAGER_APP_ID: &str = "797f4846-ba00-4fd7-ba43-dac1f8f63013";

/// The redirect URIs of the tools: any loopback port, and the page for applications without one.
pub(super) const TOOL_REDIRECT_URIS: [&str; 3] = [
    "http://localhost",
    "http://127.0.0.1",
    "https://login.microsoftonline.com/common/oauth2/nativeclient",
];

const USER_IMPERSONATION: &str = "user_impersonation";

static APIS: [Api; 7] = [
    Api {
        app_id: MANAGER_APP_ID,
        name: "Windows Azure Service Management API",
        uris: &["https://management.core.windows.net", MANAGER],
        scope_id: "41094075-9dad-400e-a0bd-54e686782033",
    },
    Api {
        app_id: "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
        name: "Azure Key Vault",
        uris: &["https://vault.azure.net"],
        scope_id: "f53da476-18e3-4152-8e01-aec403e6edc0",
    },
    Api {
        app_id: "e406a681-f3d4-42a8-90b6-c2b029497af1",
        name: "Azure Storage",
        uris: &["https://storage.azure.com"],
        scope_id: "03e0da56-190b-40ad-a80c-ea378c433f7f",
    },
    Api {
        app_id: "022907d3-0f1b-48f7-badc-1ba6abab6d66",
        name: "Azure SQL Database",
        uris: &["https://database.windows.net"],
        scope_id: "c39ef2d1-04ce-46dc-8b5f-e9a5c60f0fc9",
    },
    Api {
        app_id: "80a10ef9-8168-493d-abf9-3297c4ef6e3c",
        name: "Microsoft.ServiceBus",
        uris: &["https://servicebus.azure.net"],
        scope_id: "40e16207-c5fd-4916-8ca4-64565f2367ca",
    },
    Api {
        app_id: "80369ed6-5f11-4dd9-bef3-692475845e77",
        name: "Azure Event Hubs",
        uris: &["https://eventhubs.azure.net"],
        scope_id: "7d388411-3845-4cfc-aa69-33192f4b9735",
    },
    Api {
        app_id: "499b84ac-1321-427f-aa17-267ca6975798",
        name: "Azure DevOps",
        uris: &["https://app.vssps.visualstudio.com"],
        scope_id: "ee69721e-6c3a-468f-a9ec-302d16a4c599",
    },
];

static TOOLS: [Tool; 3] = [
    // Also the default of the user credentials of azure-identity.
    Tool {
        app_id: "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        name: "Microsoft Azure CLI",
        graph: &[
            "Application.ReadWrite.All",
            "AppRoleAssignment.ReadWrite.All",
            "AuditLog.Read.All",
            "DelegatedPermissionGrant.ReadWrite.All",
            "Directory.AccessAsUser.All",
            "Group.ReadWrite.All",
            "User.Read.All",
            "User.ReadWrite.All",
        ],
        azure: true,
    },
    Tool {
        app_id: "1950a258-227b-4e31-a9cf-717495945fc2",
        name: "Microsoft Azure PowerShell",
        graph: &["AuditLog.Read.All", "Directory.AccessAsUser.All"],
        azure: true,
    },
    // It asks for the scopes of each session, and users consent to them.
    Tool {
        app_id: "14d82eec-204b-4c2f-b7e8-296a70dab67e",
        name: "Microsoft Graph Command Line Tools",
        graph: &[],
        azure: false,
    },
];
