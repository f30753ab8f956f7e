//! Transitive memberships of an object in groups and roles, such as at a sign-in.

use async_trait::async_trait;
use entra_core::{
    CredentialErrorKind, GroupMembership, Guid, IntoId, MembershipError, MembershipErrorKind,
    ObjectId,
};

use super::{
    devices::{self, OneDevice},
    directory_objects::{self, OneDirectoryObject},
    groups::{self, OneGroup},
    service_principals::{self, OneServicePrincipal},
    users::{self, Me, OneUser},
};
use crate::{
    client::{Call, GraphClient},
    error::Error,
    model::Body,
    operation::Operation,
    place::{MOST_AT_ONCE, Object, Single},
    request::{IntoRequest, Request, Target, object_ids, read_values},
};

/// A place whose object can be a member of groups.
#[diagnostic::on_unimplemented(
    message = "memberships of the object at `{Self}` cannot be checked",
    note = "check them below `graph.user(id)`, `graph.group(id)` or, for any object, `graph.directory_object(id)`"
)]
pub trait MemberPlace: Single {
    /// The operation that checks groups.
    const CHECK_GROUPS: &'static Operation;
    /// The operation that lists groups.
    const GET_GROUPS: &'static Operation;
    /// The operation that checks groups, roles and administrative units.
    const CHECK_OBJECTS: &'static Operation;
    /// The operation that lists groups, roles and administrative units.
    const GET_OBJECTS: &'static Operation;
}

macro_rules! members {
    ($($place:ty = $area:ident;)*) => {$(
        impl MemberPlace for $place {
            const CHECK_GROUPS: &'static Operation = &$area::CHECK_MEMBER_GROUPS;
            const GET_GROUPS: &'static Operation = &$area::GET_MEMBER_GROUPS;
            const CHECK_OBJECTS: &'static Operation = &$area::CHECK_MEMBER_OBJECTS;
            const GET_OBJECTS: &'static Operation = &$area::GET_MEMBER_OBJECTS;
        }
    )*};
}

members! {
    OneUser = users;
    Me = users;
    OneGroup = groups;
    OneDevice = devices;
    OneServicePrincipal = service_principals;
    OneDirectoryObject = directory_objects;
}

/// A request that returns those of some ids that an object is a member of.
///
/// [`send`](Self::send) takes any number of ids and sends as many requests as they need; in a batch there can
/// be 20, as in one request.
#[must_use = "a request does nothing until it is sent"]
#[derive(Clone, Debug)]
pub struct MemberCheck {
    target: Target,
    operation: &'static Operation,
    property: &'static str,
    ids: Result<Vec<ObjectId>, Error>,
}

impl<P: Single> Object<P> {
    /// Checks which of these groups the object is in, directly or through other groups:
    /// [`POST /users/{id}/checkMemberGroups`](https://learn.microsoft.com/graph/api/directoryobject-checkmembergroups).
    ///
    /// Needs `GroupMember.Read.All`. Groups with hidden membership count as not joined without
    /// `Member.Read.Hidden`, so a check of such a group needs that permission.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// # use entra_graph::Group;
    /// # let found = graph.groups().list().filter(Group::DISPLAY_NAME.eq("Engineers")).items().try_collect::<Vec<_>>().await?;
    /// # let engineers = &found[0];
    /// let found = graph.user("adele@contoso.com").check_member_groups([&engineers.id]).send().await?;
    /// assert_eq!(found.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn check_member_groups<I: IntoId<ObjectId>>(
        &self,
        groups: impl IntoIterator<Item = I>,
    ) -> MemberCheck
    where
        P: MemberPlace,
    {
        let target = self.target().clone().join(&["checkMemberGroups"]);
        MemberCheck::new(target, P::CHECK_GROUPS, "groupIds", groups)
    }

    /// Checks which of these groups, directory roles and administrative units the object is in, directly or
    /// through other groups:
    /// [`POST /users/{id}/checkMemberObjects`](https://learn.microsoft.com/graph/api/directoryobject-checkmemberobjects).
    ///
    /// Needs `GroupMember.Read.All`; hidden memberships count as in
    /// [`check_member_groups`](Self::check_member_groups).
    #[inline]
    pub fn check_member_objects<I: IntoId<ObjectId>>(
        &self,
        ids: impl IntoIterator<Item = I>,
    ) -> MemberCheck
    where
        P: MemberPlace,
    {
        let target = self.target().clone().join(&["checkMemberObjects"]);
        MemberCheck::new(target, P::CHECK_OBJECTS, "ids", ids)
    }

    /// A request for every group that the object is in, directly or through other groups:
    /// [`POST /users/{id}/getMemberGroups`](https://learn.microsoft.com/graph/api/directoryobject-getmembergroups).
    /// `security_enabled_only` leaves out groups that carry no access rights; Graph takes it for users only.
    ///
    /// Needs `GroupMember.Read.All`. Groups with hidden membership are left out silently without
    /// `Member.Read.Hidden`. For more than 11,000 groups Graph returns an error.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// let groups = graph.user("adele@contoso.com").get_member_groups(false).send().await?;
    /// assert!(!groups.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn get_member_groups(&self, security_enabled_only: bool) -> Request<Vec<ObjectId>>
    where
        P: MemberPlace,
    {
        self.get_ids("getMemberGroups", P::GET_GROUPS, security_enabled_only)
    }

    /// A request for every group, directory role and administrative unit that the object is in, directly or
    /// through other groups:
    /// [`POST /users/{id}/getMemberObjects`](https://learn.microsoft.com/graph/api/directoryobject-getmemberobjects).
    ///
    /// Needs `GroupMember.Read.All`; hidden memberships are left out as in
    /// [`get_member_groups`](Self::get_member_groups).
    #[inline]
    pub fn get_member_objects(&self, security_enabled_only: bool) -> Request<Vec<ObjectId>>
    where
        P: MemberPlace,
    {
        self.get_ids("getMemberObjects", P::GET_OBJECTS, security_enabled_only)
    }

    #[inline]
    fn get_ids(
        &self,
        action: &str,
        operation: &'static Operation,
        security_enabled_only: bool,
    ) -> Request<Vec<ObjectId>>
    where
        P: MemberPlace,
    {
        let mut body = Body::default();
        body.set("securityEnabledOnly", &security_enabled_only);
        let call = self
            .call(&[action], operation)
            .map(|call| call.with_json(body.into_bytes()));
        Request::new(self.target().client.clone(), call, read_values)
    }
}

impl MemberCheck {
    #[inline]
    fn new(
        target: Target,
        operation: &'static Operation,
        property: &'static str,
        ids: impl IntoIterator<Item: IntoId<ObjectId>>,
    ) -> Self {
        let ids = object_ids(ids).map(|mut ids| {
            ids.sort_unstable();
            ids.dedup();
            ids
        });
        Self {
            target,
            operation,
            property,
            ids,
        }
    }

    /// Those of the ids that the object is in.
    ///
    /// # Errors
    /// Every kind of [`Error`]; then nothing is known of any id.
    #[inline]
    pub async fn send(self) -> Result<Vec<ObjectId>, Error> {
        let mut found = Vec::new();
        for some in self
            .ids
            .as_deref()
            .map_err(Error::clone)?
            .chunks(MOST_AT_ONCE)
        {
            found.extend(self.request(some).send().await?);
        }
        Ok(found)
    }

    #[inline]
    fn request(&self, ids: &[ObjectId]) -> Request<Vec<ObjectId>> {
        let mut body = Body::default();
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        body.set_strings(self.property, &ids);
        let call = self
            .target
            .url()
            .map(|url| Call::new(self.operation, url).with_json(body.into_bytes()));
        Request::new(self.target.client.clone(), call, read_values)
    }
}

/// At most 20 ids; more are an error of the request.
impl IntoRequest for MemberCheck {
    type Output = Vec<ObjectId>;

    #[inline]
    fn into_request(self) -> Request<Vec<ObjectId>> {
        let problem = match &self.ids {
            Ok(ids) if ids.len() <= MOST_AT_ONCE => return self.request(ids),
            Ok(ids) => Error::query(format!(
                "{} ids in one request, and Graph takes {MOST_AT_ONCE}; use several checks, or `send` alone",
                ids.len()
            )),
            Err(invalid) => invalid.clone(),
        };
        Request::new(self.target.client, Err(problem), read_values)
    }
}

/// Sends requests below `/users/{id}`. They take the delegated permission `GroupMember.Read.All` with the user's own
/// credential ([`GraphClient::with_credential`]), or the application permission of that name with the
/// application's. Groups with hidden membership also take `Member.Read.Hidden`; without it a member is
/// reported as not being one.
#[async_trait]
impl GroupMembership for GraphClient {
    /// The tenant of the last token while that is valid; `None` before the first request.
    #[inline]
    fn tenant(&self) -> Option<Guid> {
        self.tenant_of_token()
    }

    #[inline]
    async fn member_groups_among(
        &self,
        user: ObjectId,
        groups: &[ObjectId],
    ) -> Result<Vec<ObjectId>, MembershipError> {
        let check = self.user(user).check_member_groups(groups.iter().copied());
        check.send().await.map_err(unknown)
    }

    #[inline]
    async fn all_member_groups(&self, user: ObjectId) -> Result<Vec<ObjectId>, MembershipError> {
        let request = self.user(user).get_member_groups(false);
        request.send().await.map_err(unknown)
    }
}

#[inline]
fn unknown(error: Error) -> MembershipError {
    let kind = match &error {
        error if error.is_transient() => MembershipErrorKind::Unavailable,
        error if error.is_forbidden() || lacks_consent(error) => {
            MembershipErrorKind::PermissionMissing
        }
        _ => MembershipErrorKind::Rejected,
    };
    let mut text = "Microsoft Graph did not return the groups of the user".to_owned();
    if let Some(status) = error.status() {
        text.push_str(&format!(" (HTTP {})", status.as_u16()));
    }
    let fix = match (kind, error.credential().and_then(|error| error.fix())) {
        (MembershipErrorKind::PermissionMissing, _) => Some(CONSENT.to_owned()),
        (_, fix) => fix.map(str::to_owned),
    };
    let membership = MembershipError::new(kind, text);
    match fix {
        Some(fix) => membership.with_fix(fix),
        None => membership,
    }
    .with_source(error)
}

/// Whether there is no token because the consent to its scopes is missing.
#[inline]
fn lacks_consent(error: &Error) -> bool {
    error.credential().is_some_and(|error| {
        error.kind() == CredentialErrorKind::InteractionRequired
            && error.code().is_some_and(|code| NO_CONSENT.contains(&code))
    })
}

const CONSENT: &str = "Grant the application the Microsoft Graph permission GroupMember.Read.All under API permissions, with an administrator's consent.";
/// Entra's numbers for a consent that is missing, of the user or of an administrator.
const NO_CONSENT: [u32; 8] = [
    65_001, 65_005, 90_008, 90_093, 90_094, 90_095, 90_099, 650_056,
];
