//! What the directory says of the application: its registration, service principal and grants.

use entra_core::{Guid, Timestamp};

use super::finding::{Check, Finding};
use crate::{
    client::GraphClient,
    error::Error,
    key::{GRAPH_APP_ID, Key},
    objects::{
        AppRoleAssignment, Application, FederatedIdentityCredential, OAuth2PermissionGrant,
        ServicePrincipal,
    },
    verbs::Get,
};

/// The result of a look-up of the test's own.
#[derive(Debug)]
pub(super) enum Known<T> {
    Yes(T),
    /// The directory has no such object.
    No,
    /// The look-up failed; the text says why.
    Unknown(String),
}

impl<T> Known<T> {
    pub(super) const fn yes(&self) -> Option<&T> {
        match self {
            Self::Yes(value) => Some(value),
            _ => None,
        }
    }

    pub(super) const fn is_no(&self) -> bool {
        matches!(self, Self::No)
    }
}

impl<T> From<Result<Option<T>, Error>> for Known<T> {
    fn from(result: Result<Option<T>, Error>) -> Self {
        match result {
            Ok(Some(value)) => Self::Yes(value),
            Ok(None) => Self::No,
            Err(error) => Self::Unknown(error.to_string()),
        }
    }
}

impl<T> Known<Vec<T>> {
    fn of_list(result: Result<Vec<T>, Error>) -> Self {
        Self::from(result.map(Some))
    }
}

/// The application as the directory has it.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) application: Known<Application>,
    pub(super) principal: Known<ServicePrincipal>,
    pub(super) federated: Known<Vec<FederatedIdentityCredential>>,
    /// Roles that the service principal is assigned in APIs.
    pub(super) roles: Known<Vec<AppRoleAssignment>>,
    pub(super) consents: Known<Vec<OAuth2PermissionGrant>>,
    pub(super) graph: Known<ServicePrincipal>,
    /// The object that has the client id as its object id: what was pasted instead.
    pub(super) mistaken: Option<(&'static str, String)>,
}

impl Directory {
    pub(super) fn unknown(why: &str) -> Self {
        Self {
            application: Known::Unknown(why.to_owned()),
            principal: Known::Unknown(why.to_owned()),
            federated: Known::Unknown(why.to_owned()),
            roles: Known::Unknown(why.to_owned()),
            consents: Known::Unknown(why.to_owned()),
            graph: Known::Unknown(why.to_owned()),
            mistaken: None,
        }
    }

    pub(super) async fn read(reader: &GraphClient, client_id: Guid) -> Self {
        let mut read = Self::unknown("not read");
        let key = || Key::app_id(client_id.to_string());
        let application = reader.application(key());
        read.application = of_product(application.get()).send_opt().await.into();
        let principal = reader.service_principal(key());
        read.principal = principal
            .get()
            .select((
                ServicePrincipal::ACCOUNT_ENABLED,
                ServicePrincipal::APP_ID,
                ServicePrincipal::APP_OWNER_ORGANIZATION_ID,
                ServicePrincipal::APP_ROLE_ASSIGNMENT_REQUIRED,
                ServicePrincipal::DISPLAY_NAME,
                ServicePrincipal::KEY_CREDENTIALS,
                ServicePrincipal::PASSWORD_CREDENTIALS,
                ServicePrincipal::PREFERRED_TOKEN_SIGNING_KEY_THUMBPRINT,
            ))
            .send_opt()
            .await
            .into();
        if read.application.yes().is_some() {
            let credentials = application.federated_identity_credentials().list();
            read.federated = Known::of_list(credentials.items().try_collect().await);
        }
        if read.principal.yes().is_some() {
            let roles = principal.app_role_assignments().list();
            read.roles = Known::of_list(roles.items().try_collect().await);
            let consents = principal.oauth2_permission_grants().list();
            read.consents = Known::of_list(consents.items().try_collect().await);
            let graph = reader.service_principal(Key::app_id(GRAPH_APP_ID));
            let graph = graph.get().select((
                ServicePrincipal::APP_ROLES,
                ServicePrincipal::OAUTH2_PERMISSION_SCOPES,
            ));
            read.graph = graph.send_opt().await.into();
        }
        if read.application.is_no() && read.principal.is_no() {
            read.mistaken = mistaken(reader, client_id).await;
        }
        read
    }

    /// The name of the application, if the directory told it.
    pub(super) fn name(&self) -> Option<&str> {
        let of_application = self
            .application
            .yes()
            .and_then(|one| one.display_name.as_deref());
        of_application.or_else(|| self.principal.yes()?.display_name.as_deref())
    }

    /// Whether the application is known to be registered in another tenant than this one, which then never has it.
    pub(super) fn is_registered_elsewhere(&self, tenant: Option<Guid>) -> bool {
        let principal = self.principal.yes();
        let owner = principal.and_then(|one| one.app_owner_organization_id.as_deref());
        let owner = owner.and_then(|owner| owner.parse::<Guid>().ok());
        matches!((owner, tenant), (Some(owner), Some(tenant)) if owner != tenant)
    }

    /// Whether application and credentials are known to be older than a time.
    pub(super) fn is_older_than(&self, time: Timestamp) -> bool {
        self.application.yes().is_some() && self.made().all(|made| made < time)
    }

    /// Whether application, a secret or a grant is known to be newer than a time.
    pub(super) fn is_newer_than(&self, time: Timestamp) -> bool {
        let grants = self.roles.yes().into_iter().flatten();
        let mut granted = grants.filter_map(|one| one.created_date_time);
        self.made().any(|made| made > time) || granted.any(|made| made > time)
    }

    /// When application and secrets were made. Certificates, federated credentials and delegated permissions have no such date.
    fn made(&self) -> impl Iterator<Item = Timestamp> {
        let application = self.application.yes();
        let created = application.and_then(|one| one.created_date_time);
        let secrets = application
            .and_then(|one| one.password_credentials.as_ref())
            .into_iter()
            .flatten();
        created
            .into_iter()
            .chain(secrets.filter_map(|secret| secret.start_date_time))
    }

    /// Entra issued a token, so what was not found is there.
    pub(super) fn forget_absence(&mut self) {
        let unknown = "the directory does not show it yet, although Entra issues tokens to it";
        if self.principal.is_no() {
            self.principal = Known::Unknown(unknown.to_owned());
            if self.application.is_no() {
                self.application = Known::Unknown(unknown.to_owned());
            }
        }
    }

    /// The findings about the registration that need no sign-in.
    pub(super) fn findings(&self, client_id: &str, tenant: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        let name = self.name().unwrap_or(client_id);
        match (&self.application, &self.principal) {
            (_, Known::Yes(principal)) if principal.account_enabled == Some(false) => findings.push(
                Finding::error(
                    Check::Application,
                    format!("application \"{name}\" is disabled by an administrator"),
                )
                .because("its enterprise application is disabled for sign-in")
                .fix("Enterprise applications > Properties > set Enabled for users to sign in to Yes")
                .call("PATCH /servicePrincipals/{id} {\"accountEnabled\": true}"),
            ),
            (Known::Yes(_), Known::No) => findings.push(no_principal(name)),
            (Known::Yes(_), Known::Yes(_)) => findings.push(Finding::ok(
                Check::ServicePrincipal,
                format!("application \"{name}\" has a service principal here"),
            )),
            (Known::No, Known::Yes(_)) => findings.push(Finding::ok(
                Check::ServicePrincipal,
                format!(
                    "application \"{name}\" of another organization has a service principal here"
                ),
            )),
            (Known::No, Known::No) => findings.push(self.not_here(client_id, tenant)),
            _ => {}
        }
        findings
    }

    /// The client id leads to no application here.
    pub(super) fn not_here(&self, client_id: &str, tenant: &str) -> Finding {
        match &self.mistaken {
            Some((kind, app_id)) => Finding::error(
                Check::Application,
                format!("object id pasted: {client_id} is the object id of the {kind}, not its client id"),
            )
            .because(format!("the Application (client) ID of that application is {app_id}"))
            .fix("App registrations > Overview > copy Application (client) ID")
            .call(format!("GET /applications(appId='{app_id}')"))
            .settled(),
            None => Finding::error(
                Check::Application,
                format!("application {client_id} is not in this tenant ({tenant})"),
            )
            .because("there is neither an app registration nor an enterprise application with this client id")
            .fix("App registrations > Overview > compare Application (client) ID; a multi-tenant application of a vendor needs admin consent in this tenant first")
            .call("GET /servicePrincipals(appId='{client id}')"),
        }
    }
}

pub(super) fn no_principal(name: &str) -> Finding {
    Finding::error(
        Check::ServicePrincipal,
        format!("no enterprise application: \"{name}\" has no service principal in this tenant"),
    )
    .because("the app registration was made by API or CLI, which make no service principal; the secret is NOT wrong")
    .fix("grant admin consent once (App registrations > API permissions > Grant admin consent), or create it: az ad sp create --id {client id}")
    .call("POST /servicePrincipals {\"appId\": \"{client id}\"}")
}

/// The properties of an application that decide how its connection works.
fn of_product(application: Get<Application>) -> Get<Application> {
    application.select((
        Application::APP_ID,
        Application::CREATED_DATE_TIME,
        Application::DISPLAY_NAME,
        Application::GROUP_MEMBERSHIP_CLAIMS,
        Application::KEY_CREDENTIALS,
        Application::OPTIONAL_CLAIMS,
        Application::PASSWORD_CREDENTIALS,
        Application::PUBLIC_CLIENT,
        Application::REQUIRED_RESOURCE_ACCESS,
        Application::SPA,
        Application::WEB,
    ))
}

async fn mistaken(reader: &GraphClient, id: Guid) -> Option<(&'static str, String)> {
    let application = reader.application(id).get().select(Application::APP_ID);
    if let Ok(Some(found)) = application.send_opt().await {
        return Some(("app registration", found.app_id?));
    }
    let principal = reader.service_principal(id).get();
    let principal = principal.select(ServicePrincipal::APP_ID);
    let found = principal.send_opt().await.ok()??;
    Some(("enterprise application", found.app_id?))
}
