//! The resource of a token, and the permissions of a client on it.

use serde_json::Value;

use super::{
    client::text,
    context::{Context, Version, plain_text},
    error::LoginError,
    first_party::{Api, MANAGER, MANAGER_APP_ID, principal_id},
    form::Form,
};
use crate::{
    directory::GRAPH_APP_ID,
    state::State,
    store::{Kind, Object},
};

/// The resource as the token names it.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    /// The requested identifier, of which only an application id is in another spelling; the audience of a v1 token.
    pub(super) identifier: String,
    pub(super) app_id: String,
    pub(super) display_name: String,
    pub(super) service_principal_id: String,
    /// The version of access tokens that the resource accepts.
    pub(super) version: Version,
    /// Whether its tokens have `idtyp`.
    pub(super) with_idtyp: bool,
}

impl Resource {
    pub(super) fn is_graph(&self) -> bool {
        self.app_id == GRAPH_APP_ID
    }
}

/// Returns the resource of a client credentials request: `{resource}/.default`, or v1's `resource`.
pub(super) fn identifier(context: &Context<'_>, form: &Form) -> Result<String, LoginError> {
    if context.version == Version::V1 {
        let identifier = form.require("resource")?;
        check_v1_identifier(identifier)?;
        return Ok(identifier.to_owned());
    }
    let scope = form.require("scope")?.trim();
    // An empty resource is Graph, as for every scope without a resource.
    if scope == ".default" {
        return Ok(GRAPH_APP_ID.to_owned());
    }
    match scope.strip_suffix("/.default") {
        Some(resource) if is_identifier(resource) => Ok(resource.to_owned()),
        Some(resource) if !resource.contains(char::is_whitespace) => Err(LoginError::new(
            70_011,
            format!("The scope '{}' names no resource.", plain_text(scope)),
        )),
        _ => {
            let text = format!(
                "The scope '{}' is not valid: a client requests application permissions with one scope that ends in /.default.",
                plain_text(scope)
            );
            Err(LoginError::new(1_002_012, text))
        }
    }
}

/// Returns an error if the v1 parameter `resource` is neither a GUID nor a URI.
pub(super) fn check_v1_identifier(identifier: &str) -> Result<(), LoginError> {
    if is_identifier(identifier) {
        return Ok(());
    }
    let text = format!(
        "The resource '{}' is neither an application id nor an Application ID URI.",
        plain_text(identifier)
    );
    Err(LoginError::new(50_001, text))
}

/// Returns the service principal of an identifier.
pub(super) fn find(
    state: &State,
    context: &Context<'_>,
    identifier: &str,
) -> Result<Resource, LoginError> {
    let requested = identifier.trim_end_matches('/');
    let named =
        |principal: &&Object| names(principal).any(|name| name.trim_end_matches('/') == requested);
    let principal = if requested == context.base() {
        // A client that derives the scope from the URL of Graph.
        state
            .store
            .find(Kind::ServicePrincipal, "appId", GRAPH_APP_ID)
    } else {
        let by_id = state.store.find(Kind::ServicePrincipal, "appId", requested);
        by_id.or_else(|| state.store.all(Kind::ServicePrincipal).find(named))
    };
    let Some(principal) = principal else {
        if let Some(api) = Api::of(identifier) {
            return Ok(Resource {
                identifier: audience(identifier, api.app_id),
                app_id: api.app_id.to_owned(),
                display_name: api.name.to_owned(),
                service_principal_id: principal_id(state, api.app_id),
                version: Version::V1,
                with_idtyp: true,
            });
        }
        let text = format!(
            "The resource '{}' was not found in the directory '{}'. Its service principal must exist there.",
            plain_text(identifier),
            state.tenant_name
        );
        return Err(LoginError::new(500_011, text));
    };
    if principal.get("accountEnabled") == Some(&Value::Bool(false)) {
        return Err(LoginError::new(
            500_014,
            format!("The resource '{}' is disabled.", plain_text(identifier)),
        ));
    }
    let property = |name: &str| text(principal, name).unwrap_or_default().to_owned();
    let app_id = property("appId");
    let application = state.store.find(Kind::Application, "appId", &app_id);
    let wants_v2 = application.and_then(|application| {
        application
            .get("api")?
            .get("requestedAccessTokenVersion")?
            .as_u64()
    }) == Some(2);
    let optional = application.and_then(|application| {
        application
            .get("optionalClaims")?
            .get("accessToken")?
            .as_array()
    });
    Ok(Resource {
        identifier: audience(identifier, &app_id),
        display_name: property("displayName"),
        service_principal_id: property("id"),
        version: if wants_v2 { Version::V2 } else { Version::V1 },
        with_idtyp: app_id == GRAPH_APP_ID
            || Api::of(&app_id).is_some()
            || optional
                .into_iter()
                .flatten()
                .any(|claim| claim["name"] == "idtyp"),
        app_id,
    })
}

/// The audience of a v1 token: an application id in its own spelling, or a URI in that of the request.
fn audience(identifier: &str, app_id: &str) -> String {
    match identifier.eq_ignore_ascii_case(app_id) {
        true => app_id.to_owned(),
        false => identifier.to_owned(),
    }
}

pub(super) fn names(principal: &Object) -> impl Iterator<Item = &str> {
    principal
        .get("servicePrincipalNames")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// Whether a text is a GUID or an absolute URI.
pub(super) fn is_identifier(text: &str) -> bool {
    text.parse::<entra_core::Guid>().is_ok() || url::Url::parse(text).is_ok()
}

/// The names of Azure Resource Manager in requests and in tokens.
pub(super) const MANAGER_AUDIENCES: [&str; 3] = [
    "https://management.core.windows.net",
    MANAGER,
    MANAGER_APP_ID,
];
