//! Signs in as the new application and reads what it may.

use std::{fmt, sync::Arc, time::Duration};

use entra_core::{
    AccessToken, CredentialError, CredentialFactory, CredentialMaterial, Timestamp,
    TokenCredential, TokenRequest, http::Method,
};

use super::{
    applied::Applied,
    blueprint::AppRegistration,
    found::{self, sign_in_times},
    lagging::{WINDOW, own_write},
    wire::text,
};
use crate::{
    client::GraphClient,
    error::{Error, Granted},
    key::Key,
    lag::{self, CallKind, Lag, Rejection, judge},
    objects::AppRoleAssignment,
};

/// What [`Applied::verify`] or [`AppRegistration::verify`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    checks: Vec<Check>,
}

/// One permission in a [`Verification`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    permission: String,
    outcome: CheckOutcome,
    detail: String,
}

/// How a [`Check`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CheckOutcome {
    /// The permission works.
    Works,
    /// The token lacks it, or Graph rejects its use.
    Fails,
    /// It cannot be tried without a signed-in user or without a change, or no read for it is known here.
    Unknown,
}

impl Verification {
    /// Whether no permission fails.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.checks
            .iter()
            .all(|check| check.outcome != CheckOutcome::Fails)
    }

    /// The permissions; those of other APIs come first.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }
}

impl Check {
    /// The permission, such as `User.Read.All`.
    #[must_use]
    pub fn permission(&self) -> &str {
        &self.permission
    }

    /// How it ended.
    #[must_use]
    pub const fn outcome(&self) -> CheckOutcome {
        self.outcome
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let mark = match check.outcome {
                CheckOutcome::Works => '✔',
                CheckOutcome::Fails => '✘',
                CheckOutcome::Unknown => '?',
            };
            writeln!(f, "{mark} {}: {}", check.permission, check.detail)?;
        }
        Ok(())
    }
}

impl Applied {
    /// Signs in with a credential of the registration and makes the cheapest read for each application permission of
    /// Microsoft Graph. Waits while sign-in may not know a new application, credential or consent yet; what is older is
    /// judged by one token.
    ///
    /// Delegated permissions need a signed-in user, see [`verify_as_user`](Self::verify_as_user), and those that only
    /// write need a change: they are unknown, and so are the permissions of other APIs.
    ///
    /// # Errors
    /// [`ErrorKind::Credential`](crate::ErrorKind::Credential) with Entra's code, cause and fix if the sign-in is
    /// rejected; [`ErrorKind::Registration`](crate::ErrorKind::Registration) if ids are missing; every other kind of
    /// [`Error`].
    pub async fn verify(
        &self,
        factory: &dyn CredentialFactory,
        material: &CredentialMaterial,
    ) -> Result<Verification, Error> {
        let credential = self.credential(factory, material)?;
        let age = age_of(&self.graph, &self.blueprint, &self.sign_in_times, material);
        verified(&self.graph, &self.blueprint, &credential, age).await
    }

    /// Makes the cheapest read for each delegated permission of Microsoft Graph, with the credential of a user who is
    /// signed in to the registration.
    ///
    /// Permissions of OpenID Connect, such as `profile`, show in ID tokens, and those that only write need a change: they
    /// are unknown unless the token lacks them.
    ///
    /// # Errors
    /// [`ErrorKind::Credential`](crate::ErrorKind::Credential) if no token is issued;
    /// [`ErrorKind::Registration`](crate::ErrorKind::Registration) if the token is not that of a user; every other kind of
    /// [`Error`].
    pub async fn verify_as_user(&self, user: &dyn TokenCredential) -> Result<Verification, Error> {
        let request = TokenRequest::new([self.graph.scope()]);
        let token = user.token(&request).await.map_err(rejected)?;
        let granted = Granted::read(token.expose_secret());
        if !granted.as_ref().is_some_and(|granted| granted.delegated) {
            return Err(Error::registration(
                "the token is not that of a signed-in user, so delegated permissions cannot be tried with it",
            ));
        }
        let graph = self.graph.with_credential(Fixed(token));
        let mut checks = untried(&self.blueprint, |one| &one.delegated);
        for name in permissions(&self.blueprint, |one| &one.delegated) {
            let has = granted.as_ref().is_some_and(|granted| granted.lists(name));
            checks.push(if has {
                check(&graph, name, true).await?
            } else if OPENID.iter().any(|one| one.eq_ignore_ascii_case(name)) {
                Check {
                    permission: name.to_owned(),
                    outcome: CheckOutcome::Unknown,
                    detail: "not in the access token; it shows in ID tokens".to_owned(),
                }
            } else {
                Check {
                    permission: name.to_owned(),
                    outcome: CheckOutcome::Fails,
                    detail: "not in the token; grant consent".to_owned(),
                }
            });
        }
        Ok(Verification { checks })
    }

    pub(super) fn credential(
        &self,
        factory: &dyn CredentialFactory,
        material: &CredentialMaterial,
    ) -> Result<Arc<dyn TokenCredential>, Error> {
        credential(factory, self.tenant_id(), self.client_id(), material)
    }
}

impl AppRegistration {
    /// As [`Applied::verify`], for a registration that an earlier run applied: finds it, signs in with a credential of
    /// it, and makes the cheapest read for each application permission of Microsoft Graph. It only reads.
    ///
    /// It waits for replication only if registration, secret or consent are new, or this client wrote a moment ago. When a
    /// certificate or federated credential was added is not recorded, so one that is rejected is tried for half a minute.
    ///
    /// # Errors
    /// [`ErrorKind::Registration`](crate::ErrorKind::Registration) if there is no such registration, or the
    /// [`directory`](Self::directory) is another one;
    /// [`ErrorKind::Credential`](crate::ErrorKind::Credential) with Entra's code, cause and fix if the sign-in is
    /// rejected; every other kind of [`Error`].
    pub async fn verify(
        &self,
        graph: &GraphClient,
        factory: &dyn CredentialFactory,
        material: &CredentialMaterial,
    ) -> Result<Verification, Error> {
        let application = found::existing(graph, self).await?;
        let tenant = graph.granted().and_then(|granted| granted.tenant);
        let client_id = text(&application, "appId");
        let credential = credential(factory, tenant.as_deref(), client_id, material)?;
        let mut times = sign_in_times(&application);
        times.extend(consent_times(graph, client_id).await);
        let age = age_of(graph, self, &times, material);
        verified(graph, self, &credential, age).await
    }
}

/// When the roles of the application were granted; nothing if that cannot be read.
async fn consent_times(graph: &GraphClient, client_id: &str) -> Vec<Timestamp> {
    let principal = graph.service_principal(Key::app_id(client_id));
    let roles = principal.app_role_assignments().list().items();
    let roles: Result<Vec<AppRoleAssignment>, Error> = roles.try_collect().await;
    let roles = roles.unwrap_or_default();
    let times = roles.iter().filter_map(|one| one.created_date_time);
    times.collect()
}

/// How long ago something was written that a sign-in depends on; `None` if that is so long that every replica has it.
fn age_of(
    graph: &GraphClient,
    blueprint: &AppRegistration,
    times: &[Timestamp],
    material: &CredentialMaterial,
) -> Option<Duration> {
    let now = graph.now();
    let recorded = times.iter().map(|at| (now - *at).unsigned_abs()).min();
    let own = own_write(graph, &blueprint.key());
    let newest = recorded.into_iter().chain(own).min();
    match (newest, material) {
        (Some(age), _) if age < lag::LONG => Some(age),
        (_, CredentialMaterial::Secret(_)) => None,
        _ => Some(lag::LONG - UNDATED),
    }
}

async fn verified(
    graph: &GraphClient,
    blueprint: &AppRegistration,
    credential: &Arc<dyn TokenCredential>,
    age: Option<Duration>,
) -> Result<Verification, Error> {
    let wanted: Vec<&str> = permissions(blueprint, |one| &one.application).collect();
    let token = until_accepted(graph, credential, &wanted, age).await?;
    let granted = Granted::read(token.expose_secret());
    let graph = graph.with_credential(Fixed(token));
    let mut checks = Vec::new();
    checks.extend(untried(blueprint, |one| &one.application));
    for name in permissions(blueprint, |one| &one.delegated) {
        checks.push(Check {
            permission: name.to_owned(),
            outcome: CheckOutcome::Unknown,
            detail: "a delegated permission; sign a user in to try it (verify_as_user)".to_owned(),
        });
    }
    for name in wanted {
        let has = granted.as_ref().is_some_and(|granted| granted.lists(name));
        checks.push(if has {
            check(&graph, name, false).await?
        } else {
            Check {
                permission: name.to_owned(),
                outcome: CheckOutcome::Fails,
                detail: "not in the token; grant admin consent".to_owned(),
            }
        });
    }
    Ok(Verification { checks })
}

/// The names of permissions of Microsoft Graph in a blueprint.
fn permissions(
    blueprint: &AppRegistration,
    pick: fn(&super::parts::Permissions) -> &Vec<String>,
) -> impl Iterator<Item = &str> {
    blueprint
        .permissions
        .iter()
        .filter(|api| api.is_graph())
        .flat_map(pick)
        .map(String::as_str)
}

/// The permissions of other APIs, whose operations this library does not know.
fn untried(
    blueprint: &AppRegistration,
    pick: fn(&super::parts::Permissions) -> &Vec<String>,
) -> Vec<Check> {
    let others = blueprint.permissions.iter().filter(|api| !api.is_graph());
    let names = others.flat_map(|api| pick(api).iter().map(|name| (&api.api, name)));
    let check = |(api, name): (&String, &String)| Check {
        permission: name.clone(),
        outcome: CheckOutcome::Unknown,
        detail: format!("a permission of {api}, which is not tried; make a call to that API"),
    };
    names.map(check).collect()
}

pub(super) fn credential(
    factory: &dyn CredentialFactory,
    tenant: Option<&str>,
    client_id: &str,
    material: &CredentialMaterial,
) -> Result<Arc<dyn TokenCredential>, Error> {
    let missing =
        |what: &str| Error::registration(format!("the {what} is unknown, so nothing can sign in"));
    let tenant = tenant
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| missing("tenant id"))?;
    let client_id = client_id.parse().map_err(|_| missing("client id"))?;
    factory
        .credential(&tenant, client_id, material)
        .map_err(rejected)
}

/// A token with these roles. If what sign-in depends on was written a moment ago, which is what its age at the start tells,
/// the credential must be accepted several times in a row, and rejections that can be replication lag are waited out.
pub(super) async fn until_accepted(
    graph: &GraphClient,
    credential: &Arc<dyn TokenCredential>,
    roles: &[&str],
    age: Option<Duration>,
) -> Result<AccessToken, Error> {
    let start = graph.monotonic();
    let request = TokenRequest::new([graph.scope()]).with_force_refresh();
    let mut accepted = 0;
    let is_new = age.is_some_and(|age| age < WINDOW);
    let needed = if is_new { IN_A_ROW } else { 1 };
    loop {
        let age = age.map(|age| age + graph.elapsed(start));
        match credential.token(&request).await {
            Ok(token) => {
                let granted = Granted::read(token.expose_secret());
                let complete =
                    granted.is_none_or(|granted| roles.iter().all(|role| granted.lists(role)));
                accepted = if complete { accepted + 1 } else { 0 };
                // A role that does not come is a finding of the caller, not a reason to wait for ever.
                let in_vain = !complete && age.is_none_or(|age| age > LONGEST_WAIT);
                if accepted >= needed || in_vain {
                    return Ok(token);
                }
            }
            Err(error) if age.is_some_and(|age| is_lag(&error, age)) => accepted = 0,
            Err(error) => return Err(rejected(error)),
        }
        graph.sleep(BETWEEN_TOKENS).await;
    }
}

/// Whether a rejected sign-in can mean that the application or its credential is not replicated yet.
fn is_lag(error: &CredentialError, age: Duration) -> bool {
    let Some(code) = error.code() else {
        return false;
    };
    let code = code.to_string();
    [400, 401].into_iter().any(|status| {
        let rejection = Rejection {
            call: CallKind::Token,
            status,
            code: Some(&code),
            details: Vec::new(),
            text: "",
            age: Some(age),
        };
        judge(&rejection) != Lag::No
    })
}

fn rejected(error: CredentialError) -> Error {
    Error::from(entra_core::Error::from(error))
}

async fn check(graph: &GraphClient, permission: &str, delegated: bool) -> Result<Check, Error> {
    let check = |outcome, detail: String| Check {
        permission: permission.to_owned(),
        outcome,
        detail,
    };
    let name = permission.to_ascii_lowercase();
    let reads = name.contains(".read");
    let read = READS
        .iter()
        .find(|(_, names)| names.iter().any(|one| one.eq_ignore_ascii_case(permission)))
        .map(|(path, _)| *path);
    let of_the_user = delegated && matches!(name.as_str(), "user.read" | "user.readwrite");
    let Some(path) = of_the_user.then_some("/me?$select=id").or(read) else {
        let detail = if OPENID.contains(&name.as_str()) {
            "in the token; it shows in ID tokens"
        } else if reads {
            "in the token; not tried, since no cheap read for it is known here"
        } else {
            "in the token; not tried, since that would change something"
        };
        return Ok(check(CheckOutcome::Unknown, detail.to_owned()));
    };
    let shown = path.split('?').next().unwrap_or(path);
    match graph.raw(Method::GET, path).send().await {
        Ok(_) => Ok(check(CheckOutcome::Works, format!("GET {shown} succeeds"))),
        Err(error) if error.is_license_missing() => {
            let detail = format!("GET {shown} needs an Entra ID P1 or P2 licence");
            Ok(check(CheckOutcome::Unknown, detail))
        }
        Err(error) if error.is_forbidden() => Ok(check(CheckOutcome::Fails, error.to_string())),
        Err(error) => Err(error),
    }
}

/// A token that is used as it is.
#[derive(Debug)]
struct Fixed(AccessToken);

#[async_trait::async_trait]
impl TokenCredential for Fixed {
    async fn token(&self, _: &TokenRequest) -> Result<AccessToken, CredentialError> {
        Ok(self.0.clone())
    }
}

/// The permissions of OpenID Connect.
const OPENID: [&str; 4] = ["openid", "profile", "email", "offline_access"];
/// The cheapest reads, each with the permissions that its page lists, of which one is enough. A name that begins alike
/// may not allow the read: `GroupMember.ReadWrite.All` shows members and no list of groups.
const READS: &[(&str, &[&str])] = &[
    (
        "/directory/administrativeUnits?$top=1&$select=id",
        &[
            "AdministrativeUnit.Read.All",
            "AdministrativeUnit.ReadWrite.All",
        ],
    ),
    (
        "/applications?$top=1&$select=id",
        &[
            "Application.Read.All",
            "Application.ReadWrite.All",
            "Application.ReadWrite.OwnedBy",
        ],
    ),
    ("/auditLogs/directoryAudits?$top=1", &["AuditLog.Read.All"]),
    (
        "/devices?$top=1&$select=id",
        &["Device.Read.All", "Device.ReadWrite.All"],
    ),
    (
        "/organization?$select=id",
        &[
            "Directory.Read.All",
            "Directory.ReadWrite.All",
            "Organization.Read.All",
            "Organization.ReadWrite.All",
        ],
    ),
    (
        "/groups?$top=1&$select=id",
        &[
            "Group.Read.All",
            "Group.ReadBasic.All",
            "Group.ReadWrite.All",
            "GroupMember.Read.All",
        ],
    ),
    ("/policies/defaultAppManagementPolicy", &["Policy.Read.All"]),
    (
        "/roleManagement/directory/roleDefinitions?$select=id",
        &[
            "RoleManagement.Read.All",
            "RoleManagement.Read.Directory",
            "RoleManagement.ReadWrite.Directory",
        ],
    ),
    (
        "/users?$top=1&$select=id",
        &["User.Read.All", "User.ReadBasic.All", "User.ReadWrite.All"],
    ),
];

/// How many sign-ins in a row must succeed: one that another replica serves may still fail.
const IN_A_ROW: u32 = 10;
const BETWEEN_TOKENS: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(3 * 60);
/// For how long a credential is tried that Entra rejects and of which it does not record when it was added.
const UNDATED: Duration = Duration::from_secs(30);
