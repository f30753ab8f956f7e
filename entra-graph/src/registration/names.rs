//! Names to ids: permissions through the service principals of their APIs, users and groups.

use entra_core::Guid;
use serde_json::Value;

use super::{
    blueprint::AppRegistration,
    found::Found,
    parts::{DeletedChoice, Permissions, is_graph},
    policy::Policies,
    wire::{find_principal, items, text},
};
use crate::{
    client::GraphClient,
    error::Error,
    key::{GRAPH_APP_ID, Key},
    objects::{ApplicationTemplate, Group, ServicePrincipal, User},
};

/// What the names of a blueprint stand for in one tenant.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) apis: Vec<ApiNames>,
    /// APIs that the blueprint does not list and the application has permissions or consents of.
    others: Vec<ApiNames>,
    pub(super) owners: Vec<Principal>,
    /// The assigned users and groups, in the order of the blueprint.
    pub(super) assigned: Vec<Principal>,
    /// The template of the gallery that the registration is created from.
    pub(super) template: Option<Principal>,
    pub(super) policy: Policies,
}

/// An API and its permissions in a blueprint.
#[derive(Clone, Debug)]
pub(super) struct ApiNames {
    pub(super) app_id: String,
    /// The object id of its service principal.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) delegated: Vec<Permission>,
    pub(super) application: Vec<Permission>,
    /// Every permission that it offers: id and value.
    offered: Vec<Permission>,
}

/// A permission by id and by value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Permission {
    pub(super) id: String,
    pub(super) value: String,
}

impl Permission {
    /// One that an API offers; `None` if it has no name.
    fn of(offered: &Value) -> Option<Self> {
        let value = text(offered, "value");
        (!value.is_empty()).then(|| Self {
            id: text(offered, "id").to_owned(),
            value: value.to_owned(),
        })
    }
}

/// A user, group, service principal or gallery template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Principal {
    pub(super) id: String,
    pub(super) name: String,
}

impl Names {
    /// Looks every name up that is not that of what the tenant has already.
    ///
    /// # Errors
    /// `Registration` for a name that the tenant does not have; every other kind of [`Error`].
    pub(super) async fn resolve(
        graph: &GraphClient,
        blueprint: &AppRegistration,
        found: &Found,
    ) -> Result<Self, Error> {
        let mut names = Self::default();
        if let Some(name) = &blueprint.enterprise.template {
            // One that is deleted for good is created from the gallery again.
            let deleted = found.deleted.as_ref();
            let stays = deleted.filter(|_| blueprint.if_deleted != DeletedChoice::Purge);
            let existing = found.application.as_ref().or(stays);
            let own = existing.map_or("", |one| text(one, "applicationTemplateId"));
            // The gallery may have dropped it since.
            let is_own = !own.is_empty() && name.eq_ignore_ascii_case(own);
            names.template = Some(match is_own {
                true => Principal {
                    id: own.to_owned(),
                    name: name.clone(),
                },
                false => template(graph, name).await?,
            });
        }
        names.apis = Self::of_apis(graph, blueprint).await?.apis;
        for owner in &blueprint.owners {
            names.owners.push(user(graph, owner).await?);
        }
        for assigned in &blueprint.enterprise.assigned {
            names
                .assigned
                .push(match (&assigned.user, &assigned.group) {
                    (Some(name), None) => user(graph, name).await?,
                    (None, Some(name)) => group(graph, name).await?,
                    _ => {
                        return Err(Error::registration(
                            "an assignment names either a user or a group",
                        ));
                    }
                });
        }
        Ok(names)
    }

    /// Looks up the APIs that the application has permissions or consents of and the blueprint does not list, so that a
    /// plan can name them.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub(super) async fn learn(&mut self, graph: &GraphClient, found: &Found) -> Result<(), Error> {
        let application = found.application.as_ref().or(found.deleted.as_ref());
        let required = application.map_or(&[][..], |one| items(one, "requiredResourceAccess"));
        for api in required {
            let app_id = text(api, "resourceAppId");
            if !app_id.is_empty() && self.of_app_id(app_id).is_none() {
                let principal = find_principal(graph, &Key::app_id(app_id)).await?;
                self.others.extend(principal.as_ref().map(ApiNames::of));
            }
        }
        let roles = found.roles.iter().map(|one| &one.resource_id);
        let grants = found.grants.iter().map(|one| &one.resource_id);
        let objects: Vec<&String> = roles.chain(grants).flatten().collect();
        for id in objects {
            if self.of_object(id).is_none() {
                let principal = find_principal(graph, &Key::from(id)).await?;
                self.others.extend(principal.as_ref().map(ApiNames::of));
            }
        }
        Ok(())
    }

    /// An API by its client id, listed in the blueprint or not.
    fn of_app_id(&self, app_id: &str) -> Option<&ApiNames> {
        let mut all = self.apis.iter().chain(&self.others);
        all.find(|api| api.app_id.eq_ignore_ascii_case(app_id))
    }

    /// An API by the object id of its service principal, listed in the blueprint or not.
    pub(super) fn of_object(&self, id: &str) -> Option<&ApiNames> {
        let mut all = self.apis.iter().chain(&self.others);
        all.find(|api| api.id.eq_ignore_ascii_case(id))
    }

    /// Looks up permissions and their APIs only.
    pub(super) async fn of_apis(
        graph: &GraphClient,
        blueprint: &AppRegistration,
    ) -> Result<Self, Error> {
        let mut names = Self::default();
        for permissions in &blueprint.permissions {
            names.add(api(graph, permissions).await?);
        }
        Ok(names)
    }

    /// Adds an API and its permissions, to those under another name of the same API if it is listed twice.
    fn add(&mut self, api: ApiNames) {
        let known = self.apis.iter().position(|one| one.id == api.id);
        let (delegated, application) = (api.delegated, api.application);
        let at = known.unwrap_or_else(|| {
            self.apis.push(ApiNames {
                delegated: Vec::new(),
                application: Vec::new(),
                ..api
            });
            self.apis.len() - 1
        });
        let merge = |all: &mut Vec<Permission>, more: Vec<Permission>| {
            for one in more {
                if !all.contains(&one) {
                    all.push(one);
                }
            }
        };
        merge(&mut self.apis[at].delegated, delegated);
        merge(&mut self.apis[at].application, application);
    }

    /// Whether the blueprint lists a permission.
    pub(super) fn lists(&self, app_id: &str, id: &str) -> bool {
        self.apis.iter().any(|api| {
            api.app_id.eq_ignore_ascii_case(app_id)
                && api
                    .delegated
                    .iter()
                    .chain(&api.application)
                    .any(|one| one.id.eq_ignore_ascii_case(id))
        })
    }

    /// A permission as an administrator knows it.
    pub(super) fn permission(&self, app_id: &str, access: &Value) -> String {
        let api = self.of_app_id(app_id);
        let id = text(access, "id");
        let value = api.map_or(id, |api| api.value_of(id));
        let kind = match text(access, "type") {
            "Role" => "application",
            _ => "delegated",
        };
        format!(
            "{} {value} ({kind})",
            api.map_or(app_id, |api| api.name.as_str())
        )
    }
}

impl ApiNames {
    /// An API by its service principal, without a permission of the blueprint.
    fn of(principal: &Value) -> Self {
        let offered = ["oauth2PermissionScopes", "appRoles"].into_iter();
        Self {
            app_id: text(principal, "appId").to_owned(),
            id: text(principal, "id").to_owned(),
            name: text(principal, "displayName").to_owned(),
            delegated: Vec::new(),
            application: Vec::new(),
            offered: offered
                .flat_map(|list| items(principal, list))
                .filter_map(Permission::of)
                .collect(),
        }
    }

    /// The value of a permission that it offers, by its id; the id if it offers none.
    pub(super) fn value_of<'a>(&'a self, id: &'a str) -> &'a str {
        let mut offered = self.offered.iter();
        let found = offered.find(|one| one.id.eq_ignore_ascii_case(id));
        found.map_or(id, |one| one.value.as_str())
    }
}

async fn api(graph: &GraphClient, permissions: &Permissions) -> Result<ApiNames, Error> {
    let principal = principal_of(graph, &permissions.api).await?.ok_or_else(|| {
        Error::registration(format!(
            "the tenant has no service principal of the API {}; create it from the client id of the API first",
            permissions.api
        ))
    })?;
    let offered = |list: &str, fits: &dyn Fn(&Value) -> bool| -> Vec<Permission> {
        items(&principal, list)
            .iter()
            .filter(|one| one["isEnabled"] != false && fits(one))
            .filter_map(Permission::of)
            .collect()
    };
    let takes_applications = |role: &Value| {
        let mut kinds = items(role, "allowedMemberTypes").iter();
        kinds.any(|kind| kind == "Application")
    };
    let scopes = offered("oauth2PermissionScopes", &|_: &Value| true);
    let roles = offered("appRoles", &takes_applications);
    let for_users = offered("appRoles", &|role: &Value| !takes_applications(role));
    let api = ApiNames::of(&principal);
    let find = |wanted: &[String], own: &[Permission], other: &[Permission], kind: [&str; 2]| {
        wanted
            .iter()
            .map(|value| {
                own.iter()
                    .find(|one| one.value.eq_ignore_ascii_case(value))
                    .cloned()
                    .ok_or_else(|| {
                        let mut users = for_users.iter();
                        if users.any(|one| one.value.eq_ignore_ascii_case(value)) {
                            return Error::registration(format!(
                                "{} offers no {} permission {value}; it is an app role for users and groups only",
                                api.name, kind[0]
                            ));
                        }
                        unknown(&api.name, value, own, other, kind)
                    })
            })
            .collect::<Result<Vec<_>, _>>()
    };
    let delegated = find(
        &permissions.delegated,
        &scopes,
        &roles,
        ["delegated", "an application"],
    )?;
    let application = find(
        &permissions.application,
        &roles,
        &scopes,
        ["application", "a delegated"],
    )?;
    Ok(ApiNames {
        delegated,
        application,
        ..api
    })
}

/// The service principal of an API, by what a blueprint calls it. Display names do not count: anyone may
/// register an application of any name.
async fn principal_of(graph: &GraphClient, api: &str) -> Result<Option<Value>, Error> {
    let app_id = if is_graph(api) { GRAPH_APP_ID } else { api };
    if app_id.parse::<Guid>().is_ok() {
        return find_principal(graph, &Key::app_id(app_id)).await;
    }
    // Some APIs have a URI with a slash at its end, such as that of Azure Resource Manager.
    let other = match api.strip_suffix('/') {
        Some(without) => without.to_owned(),
        None => format!("{api}/"),
    };
    for name in [api, other.as_str()] {
        let named = graph
            .service_principals()
            .list()
            .filter(ServicePrincipal::SERVICE_PRINCIPAL_NAMES.any(|one| one.eq(name)))
            .select(ServicePrincipal::APP_ID);
        let named: Vec<ServicePrincipal> = named.items().try_collect().await?;
        match named.as_slice() {
            [one] => return find_principal(graph, &Key::from(&one.id)).await,
            [] => {}
            _ => {
                return Err(Error::registration(format!(
                    "several APIs have the application ID URI {name}; name it by client id"
                )));
            }
        }
    }
    Ok(None)
}

fn unknown(
    api: &str,
    value: &str,
    own: &[Permission],
    other: &[Permission],
    [kind, other_kind]: [&str; 2],
) -> Error {
    let mut message = format!("{api} offers no {kind} permission {value}");
    if other
        .iter()
        .any(|one| one.value.eq_ignore_ascii_case(value))
    {
        message.push_str(&format!("; it is {other_kind} permission only"));
    } else if let Some(close) = closest(value, own) {
        message.push_str(&format!("; did you mean {close}?"));
    }
    Error::registration(message)
}

/// The name that needs the fewest edits, if they are few.
fn closest<'a>(value: &str, offered: &'a [Permission]) -> Option<&'a str> {
    offered
        .iter()
        .map(|one| {
            (
                distance(&value.to_lowercase(), &one.value.to_lowercase()),
                one.value.as_str(),
            )
        })
        .min()
        .filter(|(edits, _)| *edits <= 1 + value.len() / 4)
        .map(|(_, name)| name)
}

/// The number of inserted, removed and replaced bytes between two texts.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, left) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, right) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

async fn user(graph: &GraphClient, name: &str) -> Result<Principal, Error> {
    if name.parse::<Guid>().is_ok() {
        return Ok(Principal {
            id: name.to_ascii_lowercase(),
            name: name.to_owned(),
        });
    }
    let found = graph.user(name).get().select(User::USER_PRINCIPAL_NAME);
    match found.send_opt().await? {
        Some(user) => Ok(Principal {
            id: user.id,
            name: name.to_owned(),
        }),
        None => Err(Error::registration(format!(
            "the tenant has no user {name}"
        ))),
    }
}

async fn group(graph: &GraphClient, name: &str) -> Result<Principal, Error> {
    if name.parse::<Guid>().is_ok() {
        return Ok(Principal {
            id: name.to_ascii_lowercase(),
            name: name.to_owned(),
        });
    }
    let found = graph
        .groups()
        .list()
        .filter(Group::DISPLAY_NAME.eq(name))
        .select(Group::DISPLAY_NAME);
    let found: Vec<Group> = found.items().try_collect().await?;
    match found.as_slice() {
        [one] => Ok(Principal {
            id: one.id.clone(),
            name: name.to_owned(),
        }),
        [] => Err(Error::registration(format!(
            "the tenant has no group {name}"
        ))),
        several => Err(Error::registration(format!(
            "{} groups have the name {name}; name it by object id",
            several.len()
        ))),
    }
}

async fn template(graph: &GraphClient, name: &str) -> Result<Principal, Error> {
    let list = graph.application_templates().list();
    let found: Vec<ApplicationTemplate> = if name.parse::<Guid>().is_ok() {
        let one = graph.application_template(name).get();
        let one = one.select(ApplicationTemplate::DISPLAY_NAME);
        one.send_opt().await?.into_iter().collect()
    } else {
        let named = list.filter(ApplicationTemplate::DISPLAY_NAME.eq(name));
        let named = named.select(ApplicationTemplate::DISPLAY_NAME);
        named.items().try_collect().await?
    };
    match found.as_slice() {
        [one] => Ok(Principal {
            id: one.id.clone(),
            name: one.display_name.clone().unwrap_or_else(|| name.to_owned()),
        }),
        [] => Err(Error::registration(format!(
            "the gallery has no application template {name}"
        ))),
        several => Err(Error::registration(format!(
            "{} application templates have the name {name}; name one of them by id",
            several.len()
        ))),
    }
}
