//! What the tenant has of a registration: reads only.

use entra_core::Timestamp;
use serde_json::{Value, json};

use super::{
    blueprint::AppRegistration,
    directory::right_directory,
    lagging::{backoff, own_write},
    wire::{find_application, find_deleted, find_principal, items, request, selecting, text, time},
};
use crate::{
    areas::applications,
    client::GraphClient,
    error::Error,
    key::Key,
    objects::{
        AppRoleAssignment, Application, DirectoryObject, FederatedIdentityCredential,
        OAuth2PermissionGrant, ServicePrincipal,
    },
    request::Target,
};

/// What the tenant has of a registration.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) application: Option<Value>,
    /// A deleted application with the same key.
    pub(super) deleted: Option<Value>,
    pub(super) principal: Option<Value>,
    pub(super) deleted_principal: Option<String>,
    pub(super) federated: Vec<FederatedIdentityCredential>,
    /// The object ids of the owners.
    pub(super) owners: Vec<String>,
    /// Application permissions that are granted.
    pub(super) roles: Vec<AppRoleAssignment>,
    /// Delegated permissions that are granted for all users.
    pub(super) grants: Vec<OAuth2PermissionGrant>,
    /// Who is assigned.
    pub(super) assigned: Vec<AppRoleAssignment>,
    /// The certificates with their keys.
    pub(super) keys: Vec<Value>,
    /// The object ids of younger applications that runs created from the template of the gallery before they saw this
    /// one.
    pub(super) copies: Vec<String>,
    /// The same of older ones. Another run may be about to keep them, so they stay.
    pub(super) older_copies: Vec<String>,
    /// Whether the calling application owns the application and its service principal, where its permission is
    /// limited to those that it owns.
    pub(super) owned_by_caller: Option<bool>,
    /// The object id of the calling application or user that may write only what it owns.
    pub(super) limited_caller: Option<String>,
}

impl Found {
    /// # Errors
    /// Every kind of [`Error`].
    pub(super) async fn read(
        graph: &GraphClient,
        blueprint: &AppRegistration,
    ) -> Result<Self, Error> {
        let mut found = Self::with_copies(graph, blueprint).await?;
        let Some(application) = &found.application else {
            found.deleted = deleted(graph, blueprint).await?;
            if let Some(deleted) = &found.deleted {
                found.deleted_principal = deleted_principal(graph, text(deleted, "appId")).await?;
            }
            return Ok(found);
        };
        let id = text(application, "id").to_owned();
        let app_id = text(application, "appId").to_owned();
        let object = graph.application(&id);
        let unlisted = blueprint.remove_unlisted;
        if unlisted || !blueprint.federated_credentials.is_empty() {
            let list = object.federated_identity_credentials().list();
            found.federated = present(list.items().try_collect().await)?;
        }
        if unlisted || !blueprint.owners.is_empty() {
            let owners: Result<Vec<DirectoryObject>, Error> =
                object.owners().list().items().try_collect().await;
            found.owners = present(owners)?
                .iter()
                .map(|owner| owner.id().to_owned())
                .collect();
        }
        if !blueprint.certificates.is_empty() {
            found.keys = keys(graph, &id).await?;
        }
        found.principal = find_principal(graph, &Key::app_id(&app_id)).await?;
        match &found.principal {
            Some(principal) => {
                let id = text(principal, "id").to_owned();
                found.access(graph, blueprint, &id).await?;
            }
            None => found.deleted_principal = deleted_principal(graph, &app_id).await?,
        }
        if let Some(caller) = caller_that_must_own(graph) {
            found.owned_by_caller = Some(found.is_owned_by(graph, &id, &caller).await?);
            found.limited_caller = Some(caller);
        } else {
            found.limited_caller = user_that_must_own(graph);
        }
        Ok(found)
    }

    /// The application, and the others that were created from the template of the blueprint and have no tag.
    ///
    /// Every run orders them by age and removes only those that are younger than the one that it keeps, so that two runs
    /// that keep different ones never remove both.
    async fn with_copies(graph: &GraphClient, blueprint: &AppRegistration) -> Result<Self, Error> {
        let mut found = Self {
            application: marked(graph, blueprint).await?,
            ..Self::default()
        };
        let unmarked = unmarked(graph, blueprint).await?;
        if found.application.is_none()
            && let Some(first) = unmarked.first()
        {
            found.application = listed(graph, &first.id, READS).await?;
        }
        let (Some(id), Some(created)) = (found.id().map(str::to_owned), found.created()) else {
            return Ok(found);
        };
        for other in unmarked.into_iter().filter(|other| other.id != id) {
            if !is_untagged(graph, blueprint, &other.id).await? {
                continue;
            }
            let is_younger = other
                .created_date_time
                .is_some_and(|of_other| (of_other, other.id.as_str()) > (created, id.as_str()));
            if is_younger {
                found.copies.push(other.id);
            } else {
                found.older_copies.push(other.id);
            }
        }
        Ok(found)
    }

    async fn is_owned_by(
        &self,
        graph: &GraphClient,
        id: &str,
        caller: &str,
    ) -> Result<bool, Error> {
        let is_caller = |owner: &DirectoryObject| owner.id().eq_ignore_ascii_case(caller);
        let owners = graph.application(id).owners().list().items();
        let owners: Vec<DirectoryObject> = present(owners.try_collect().await)?;
        if !owners.iter().any(is_caller) {
            return Ok(false);
        }
        let Some(principal) = self.principal_id() else {
            return Ok(true);
        };
        let owners = graph.service_principal(principal).owners().list().items();
        let owners: Vec<DirectoryObject> = present(owners.try_collect().await)?;
        Ok(owners.iter().any(is_caller))
    }

    /// Reads what is granted and who is assigned.
    async fn access(
        &mut self,
        graph: &GraphClient,
        blueprint: &AppRegistration,
        id: &str,
    ) -> Result<(), Error> {
        let principal = graph.service_principal(id);
        let wants = |application: bool| {
            blueprint.permissions.iter().any(|one| {
                !if application {
                    &one.application
                } else {
                    &one.delegated
                }
                .is_empty()
            })
        };
        let consent = blueprint.grant_admin_consent;
        if blueprint.remove_unlisted || consent && wants(true) {
            let list = principal.app_role_assignments().list();
            self.roles = present(list.items().try_collect().await)?;
        }
        if blueprint.remove_unlisted || consent && wants(false) {
            let list = graph
                .oauth2_permission_grants()
                .list()
                .filter(OAuth2PermissionGrant::CLIENT_ID.eq(id));
            let grants: Vec<OAuth2PermissionGrant> = present(list.items().try_collect().await)?;
            self.grants = grants
                .into_iter()
                .filter(|grant| grant.consent_type.as_deref() == Some("AllPrincipals"))
                .collect();
        }
        if !blueprint.enterprise.assigned.is_empty() || blueprint.remove_unlisted {
            let list = principal.app_role_assigned_to().list();
            self.assigned = present(list.items().try_collect().await)?;
        }
        Ok(())
    }

    /// The object id of the application.
    pub(super) fn id(&self) -> Option<&str> {
        Some(text(self.application.as_ref()?, "id"))
    }

    /// The object id of the service principal.
    pub(super) fn principal_id(&self) -> Option<&str> {
        Some(text(self.principal.as_ref()?, "id"))
    }

    /// When something was written that a sign-in of the application depends on.
    pub(super) fn sign_in_times(&self) -> Vec<Timestamp> {
        let application = self.application.as_ref();
        let mut times = application.map_or_else(Vec::new, sign_in_times);
        times.extend(self.roles.iter().filter_map(|one| one.created_date_time));
        times
    }

    /// Whether the application has the name that it was created with from a template, and nothing else yet that tells it
    /// from another one.
    pub(super) fn is_unmarked(&self, blueprint: &AppRegistration) -> bool {
        let application = self.application.as_ref();
        application.is_some_and(|one| text(one, "displayName") == blueprint.name_until_marked())
    }

    /// When the application was created.
    pub(super) fn created(&self) -> Option<Timestamp> {
        time(self.application.as_ref()?, "createdDateTime")
    }
}

/// When an application was created, and from when its secrets are valid, which is when they were added.
pub(super) fn sign_in_times(application: &Value) -> Vec<Timestamp> {
    let secrets = items(application, "passwordCredentials").iter();
    let mut times: Vec<Timestamp> = secrets
        .filter_map(|one| time(one, "startDateTime"))
        .collect();
    times.extend(time(application, "createdDateTime"));
    times
}

/// The object id of the calling application, if it may write only what it owns.
fn caller_that_must_own(graph: &GraphClient) -> Option<String> {
    let granted = graph.granted().filter(|granted| !granted.delegated)?;
    let writes_all = ["Application.ReadWrite.All", "Directory.ReadWrite.All"]
        .iter()
        .any(|one| granted.has(one));
    let limited = granted.has(OWNED_BY) && !writes_all;
    granted.object_id.filter(|_| limited)
}

/// The object id of the calling user, unless the token has a directory role by which a user writes all applications.
fn user_that_must_own(graph: &GraphClient) -> Option<String> {
    let granted = graph.granted().filter(|granted| granted.delegated)?;
    let writes_all = granted.roles.iter().any(|role| {
        let mut enough = WRITES_APPLICATIONS.iter();
        enough.any(|one| one.eq_ignore_ascii_case(role))
    });
    granted.object_id.filter(|_| !writes_all)
}

/// The items of a list; none if the object above it is not found, which may only be late.
fn present<T>(list: Result<Vec<T>, Error>) -> Result<Vec<T>, Error> {
    match list {
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        list => list,
    }
}

/// The application, looked for again if a program wrote it a moment ago and the replica may not know it.
pub(super) async fn application_after(
    graph: &GraphClient,
    blueprint: &AppRegistration,
    wrote_recently: bool,
) -> Result<Option<Value>, Error> {
    let further = if wrote_recently { READS } else { 0 };
    looked_for(graph, blueprint, further).await
}

/// The application, looked for again for half a minute if this client wrote it a moment ago, and otherwise for three
/// seconds.
///
/// # Errors
/// `Registration` if there is none, or this is not the blueprint's directory; every other kind of [`Error`].
pub(super) async fn existing(
    graph: &GraphClient,
    blueprint: &AppRegistration,
) -> Result<Value, Error> {
    late(graph, blueprint).await?.ok_or_else(|| {
        Error::registration(format!("there is no registration {:?}", blueprint.name()))
    })
}

/// The same without an error if there is none.
pub(super) async fn late(
    graph: &GraphClient,
    blueprint: &AppRegistration,
) -> Result<Option<Value>, Error> {
    let further = match own_write(graph, &blueprint.key()) {
        Some(_) => MISSES,
        None => MISSES_OF_OTHERS,
    };
    looked_for(graph, blueprint, further).await
}

async fn looked_for(
    graph: &GraphClient,
    blueprint: &AppRegistration,
    further: u32,
) -> Result<Option<Value>, Error> {
    let mut misses = 0;
    loop {
        let found = application(graph, blueprint).await?;
        if misses == 0 {
            // After a read, since its token names the tenant.
            right_directory(graph, blueprint).await?;
        }
        if found.is_some() || misses == further {
            return Ok(found);
        }
        graph.sleep(backoff(misses)).await;
        misses += 1;
    }
}

/// The application: by client id, by unique name, by the tag of this blueprint, or by the name that it has until it
/// has the tag.
pub(super) async fn application(
    graph: &GraphClient,
    blueprint: &AppRegistration,
) -> Result<Option<Value>, Error> {
    if let Some(marked) = marked(graph, blueprint).await? {
        return Ok(Some(marked));
    }
    match unmarked(graph, blueprint).await?.first() {
        Some(first) => listed(graph, &first.id, READS).await,
        None => Ok(None),
    }
}

/// The application: by client id, by unique name, or by the tag of this blueprint.
async fn marked(graph: &GraphClient, blueprint: &AppRegistration) -> Result<Option<Value>, Error> {
    if let Some(client_id) = blueprint.client_id {
        return find_application(graph, &Key::from(client_id)).await;
    }
    let by_name = find_application(graph, &Key::unique_name(blueprint.key())).await?;
    if by_name.is_some() {
        return Ok(by_name);
    }
    let tag = blueprint.owner_tag();
    let tagged = graph
        .applications()
        .list()
        .filter(Application::TAGS.any(|one| one.eq(tag.as_str())))
        .select(Application::APP_ID);
    let tagged: Vec<Application> = tagged.items().try_collect().await?;
    match tagged.as_slice() {
        [] => Ok(None),
        [one] => listed(graph, &one.id, MISSES).await,
        several => {
            let mut described = Vec::with_capacity(several.len());
            for one in several {
                described.push(description(graph, one).await?);
            }
            Err(Error::registration(format!(
                "{} registrations have the tag {tag}: {}; name the one that programs use by client id, and destroy the other",
                several.len(),
                described.join("; ")
            )))
        }
    }
}

/// What tells an application from another one with the same tag.
async fn description(graph: &GraphClient, application: &Application) -> Result<String, Error> {
    let read = find_application(graph, &Key::from(&application.id)).await?;
    let read = read.unwrap_or_default();
    let has_secrets = !items(&read, "passwordCredentials").is_empty();
    let has_credentials = has_secrets || !keys(graph, &application.id).await?.is_empty();
    Ok(format!(
        "client id {} with the object id {}, created {}, {} secrets or certificates",
        application.app_id.as_deref().unwrap_or_default(),
        application.id,
        read["createdDateTime"]
            .as_str()
            .unwrap_or("at a time that is not known"),
        if has_credentials { "with" } else { "without" }
    ))
}

/// The applications that were created from the template of this blueprint and are not marked yet, oldest first, so that
/// every run keeps the same one.
async fn unmarked(
    graph: &GraphClient,
    blueprint: &AppRegistration,
) -> Result<Vec<Application>, Error> {
    if blueprint.enterprise.template.is_none() || blueprint.client_id.is_some() {
        return Ok(Vec::new());
    }
    let unmarked = graph
        .applications()
        .list()
        .filter(Application::DISPLAY_NAME.eq(blueprint.name_until_marked()))
        .select((Application::APP_ID, Application::CREATED_DATE_TIME));
    let mut unmarked: Vec<Application> = unmarked.items().try_collect().await?;
    unmarked.sort_by(|one, other| {
        let age = one.created_date_time.cmp(&other.created_date_time);
        age.then_with(|| one.id.cmp(&other.id))
    });
    Ok(unmarked)
}

/// Whether an application that a list shows without the tag has none when it is read by its id. The list may be older
/// than the tag, and so may a single read.
async fn is_untagged(
    graph: &GraphClient,
    blueprint: &AppRegistration,
    id: &str,
) -> Result<bool, Error> {
    let mut is_there = false;
    for _ in 0..READS_OF_COPY {
        let Some(read) = find_application(graph, &Key::from(id)).await? else {
            continue;
        };
        let is_renamed = text(&read, "displayName") != blueprint.name_until_marked();
        let tag = blueprint.owner_tag();
        if is_renamed || items(&read, "tags").iter().any(|one| *one == *tag) {
            return Ok(false);
        }
        is_there = true;
    }
    Ok(is_there)
}

/// An application that a list has, looked for again where the replica of this read may not know it yet.
async fn listed(graph: &GraphClient, id: &str, further: u32) -> Result<Option<Value>, Error> {
    let mut misses = 0;
    loop {
        let found = find_application(graph, &Key::from(id)).await?;
        if found.is_some() || misses == further {
            return Ok(found);
        }
        graph.sleep(backoff(misses)).await;
        misses += 1;
    }
}

/// The deleted application with the key of this blueprint.
async fn deleted(graph: &GraphClient, blueprint: &AppRegistration) -> Result<Option<Value>, Error> {
    let (key, tag) = (blueprint.key(), blueprint.owner_tag());
    let client_id = blueprint.client_id.map(|id| id.to_string());
    // Whether Graph can filter deleted items by these properties is not documented.
    let deleted: Vec<Application> = graph
        .deleted_applications()
        .list()
        .items()
        .try_collect()
        .await?;
    let found = deleted.into_iter().find(|one| match &client_id {
        Some(id) => one
            .app_id
            .as_ref()
            .is_some_and(|app_id| app_id.eq_ignore_ascii_case(id)),
        None => {
            let named = |name: &String| name.eq_ignore_ascii_case(&key);
            one.unique_name.as_ref().is_some_and(named)
                || one.tags.as_ref().is_some_and(|tags| tags.contains(&tag))
        }
    });
    let Some(found) = found else {
        return Ok(None);
    };
    let read = find_deleted(graph, &found.id).await?;
    // It may be listed by one replica and unknown to the next.
    Ok(read.or_else(|| Some(json!({"id": found.id, "appId": found.app_id}))))
}

async fn deleted_principal(graph: &GraphClient, app_id: &str) -> Result<Option<String>, Error> {
    let deleted: Vec<ServicePrincipal> = graph
        .deleted_service_principals()
        .list()
        .items()
        .try_collect()
        .await?;
    let same = |one: &ServicePrincipal| {
        let own = one.app_id.as_ref();
        own.is_some_and(|own| own.eq_ignore_ascii_case(app_id))
    };
    Ok(deleted.into_iter().find(same).map(|one| one.id))
}

/// The certificates with their keys, which Graph returns for one object only, when selected.
pub(super) async fn keys(graph: &GraphClient, id: &str) -> Result<Vec<Value>, Error> {
    let target = Target::root(graph).key("applications", &Key::from(id));
    let target = selecting(graph, &target, &["id", "keyCredentials"])?;
    let read = request(&target, &applications::GET, None)
        .send_opt()
        .await?;
    Ok(read.map_or_else(Vec::new, |read| items(&read, "keyCredentials").to_vec()))
}

/// The permission that covers only what the caller owns.
pub(super) const OWNED_BY: &str = "Application.ReadWrite.OwnedBy";
/// The directory roles whose users may write applications without owning them: Global Administrator, Cloud Application
/// Administrator and Application Administrator.
const WRITES_APPLICATIONS: [&str; 3] = [
    "62e90394-69f5-4237-9190-012177145e10",
    "158c047a-c907-4556-b7ef-446551a6b5f7",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
];
/// How many further reads must miss what this client wrote a moment ago.
const MISSES: u32 = 5;
/// The same for what only another process can have written: one slow replica is no reason to wait for long.
const MISSES_OF_OTHERS: u32 = 2;
/// How many reads must agree that a second application has no tag, before it is removed.
const READS_OF_COPY: u32 = 3;
/// How many further reads look for what was written a moment ago, for about two minutes.
const READS: u32 = 10;
