//! What a sync copies, and how.

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use entra_core::{IntoId, InvalidId, ObjectId};

use super::{
    change::{ObjectKind, SyncedObject},
    current_run::Run,
    feed::Feed,
    group_scope::GroupScope,
    guard::{ApprovalToken, DeletionGuard},
};
use crate::{
    client::GraphClient,
    error::Error,
    objects::{AppRoleAssignment, Device, Group, ServicePrincipal, User},
    odata::Selection,
};

/// Keeps a local copy of a directory; see the [module](crate::sync) for how, and for what it guarantees.
///
/// Choose what to copy, then call [`next`](Self::next) until there are no more steps, now and whenever the copy is to
/// catch up. Properties and filters are part of the state: with other ones, the next run reads all objects of that
/// kind again.
#[derive(Clone)]
pub struct DirectorySync {
    pub(super) client: GraphClient,
    pub(super) feeds: Vec<Feed>,
    pub(super) guard: DeletionGuard,
    pub(super) approved: Option<ApprovalToken>,
    pub(super) full_every: Option<Duration>,
    pub(super) closure: bool,
    pub(super) counts: bool,
    scope: Option<Result<Arc<GroupScope>, InvalidId>>,
    pub(super) run: Run,
}

impl DirectorySync {
    /// A sync that copies nothing yet.
    #[must_use]
    pub fn new(client: &GraphClient) -> Self {
        Self {
            client: client.clone(),
            feeds: Vec::new(),
            guard: DeletionGuard::new(),
            approved: None,
            full_every: Some(Duration::from_secs(7 * 24 * 3600)),
            closure: false,
            counts: false,
            scope: None,
            run: Run::default(),
        }
    }

    /// Copies users, with Graph's default properties. Needs `User.Read.All`.
    #[must_use]
    pub fn users(self) -> Self {
        let delta = self.client.users().delta();
        self.with(Feed::delta(&delta))
    }

    /// Copies users with these properties, and changes of these only. Needs `User.Read.All`.
    #[must_use]
    pub fn select_users(self, properties: impl Selection<User>) -> Self {
        let delta = self.client.users().delta().select(properties);
        self.with(Feed::delta(&delta))
    }

    /// Copies groups with their direct members, with Graph's default properties. Needs `GroupMember.Read.All`;
    /// members of groups with hidden membership need `Member.Read.Hidden`. Once the application has that permission, all
    /// groups are read again; without it, members that are in the copy stay and are a
    /// [note](super::SyncNote::MembersUnreadable).
    #[must_use]
    pub fn groups(self) -> Self {
        let delta = self.client.groups().delta();
        self.with(Feed::delta(&delta))
    }

    /// Copies groups with their direct members, these properties and the visibility; as [`groups`](Self::groups). Needs
    /// `GroupMember.Read.All`; members of groups with hidden membership need `Member.Read.Hidden`.
    #[must_use]
    pub fn select_groups(self, properties: impl Selection<Group>) -> Self {
        // It says which groups hide their members.
        let delta = self.client.groups().delta().select(properties);
        let delta = delta.select(Group::VISIBILITY);
        let delta = delta.select_relation(Group::MEMBERS);
        self.with(Feed::delta(&delta))
    }

    /// Copies devices, with Graph's default properties. Needs `Device.Read.All`.
    #[must_use]
    pub fn devices(self) -> Self {
        let delta = self.client.devices().delta();
        self.with(Feed::delta(&delta))
    }

    /// Copies devices with these properties. Needs `Device.Read.All`.
    #[must_use]
    pub fn select_devices(self, properties: impl Selection<Device>) -> Self {
        let delta = self.client.devices().delta().select(properties);
        self.with(Feed::delta(&delta))
    }

    /// Copies service principals, with Graph's default properties. Needs `Application.Read.All`.
    #[must_use]
    pub fn service_principals(self) -> Self {
        let delta = self.client.service_principals().delta();
        self.with(Feed::delta(&delta))
    }

    /// Copies service principals with these properties. Needs `Application.Read.All`.
    #[must_use]
    pub fn select_service_principals(self, properties: impl Selection<ServicePrincipal>) -> Self {
        let delta = self.client.service_principals().delta().select(properties);
        self.with(Feed::delta(&delta))
    }

    /// Copies the app role assignments to every service principal in the copy, and service principals themselves unless
    /// they were chosen before. Needs `Application.Read.All`.
    ///
    /// Each run reads their lists, of 20 service principals in one request. The delta query of directory objects tracks
    /// assignments only together with all users, and takes `User.Read.All`.
    #[must_use]
    pub fn app_role_assignments(self) -> Self {
        self.with_kind(ObjectKind::ServicePrincipal, Self::service_principals)
            .with(Feed::assignments())
    }

    /// Also hands out transitive memberships, of nested groups and groups that contain each other. Each run computes
    /// them again only for members that something changed for. A later sync without this takes them back.
    ///
    /// Groups that a filter or the scope keeps from the copy have no memberships in it, and still connect: a user of a
    /// nested group that is not in the copy is a transitive member of the groups above that are.
    #[must_use]
    pub const fn transitive_members(mut self) -> Self {
        self.closure = true;
        self
    }

    /// Counts the objects of a kind before its first round, by one more request, so that
    /// [`Progress`](super::Progress) has an estimate. Later rounds of all objects have one without it.
    #[must_use]
    pub const fn count_first(mut self) -> Self {
        self.counts = true;
        self
    }

    /// Copies only users that pass. The name stands for the rule: another name reads all users again, so change it
    /// with the rule. The properties that the rule looks at must be selected.
    ///
    /// Copies [`users`](Self::users) if they are not chosen yet. Needs `User.Read.All`.
    #[must_use]
    pub fn filter_users(
        self,
        name: impl Into<String>,
        passes: impl Fn(&User) -> bool + Send + Sync + 'static,
    ) -> Self {
        let sync = self.with_kind(ObjectKind::User, Self::users);
        sync.filter(ObjectKind::User, name.into(), move |object| match object {
            SyncedObject::User(user) => passes(user),
            _ => true,
        })
    }

    /// Copies only groups that pass, with their members; as [`filter_users`](Self::filter_users). Needs
    /// `GroupMember.Read.All`.
    #[must_use]
    pub fn filter_groups(
        self,
        name: impl Into<String>,
        passes: impl Fn(&Group) -> bool + Send + Sync + 'static,
    ) -> Self {
        let sync = self.with_kind(ObjectKind::Group, Self::groups);
        sync.filter(ObjectKind::Group, name.into(), move |object| match object {
            SyncedObject::Group(group) => passes(group),
            _ => true,
        })
    }

    /// Copies only devices that pass; as [`filter_users`](Self::filter_users). Needs `Device.Read.All`.
    #[must_use]
    pub fn filter_devices(
        self,
        name: impl Into<String>,
        passes: impl Fn(&Device) -> bool + Send + Sync + 'static,
    ) -> Self {
        let sync = self.with_kind(ObjectKind::Device, Self::devices);
        sync.filter(
            ObjectKind::Device,
            name.into(),
            move |object| match object {
                SyncedObject::Device(device) => passes(device),
                _ => true,
            },
        )
    }

    /// Copies only service principals that pass, and app role assignments to these only; as
    /// [`filter_users`](Self::filter_users). Needs `Application.Read.All`.
    #[must_use]
    pub fn filter_service_principals(
        self,
        name: impl Into<String>,
        passes: impl Fn(&ServicePrincipal) -> bool + Send + Sync + 'static,
    ) -> Self {
        let sync = self.with_kind(ObjectKind::ServicePrincipal, Self::service_principals);
        let kind = ObjectKind::ServicePrincipal;
        sync.filter(kind, name.into(), move |object| match object {
            SyncedObject::ServicePrincipal(principal) => passes(principal),
            _ => true,
        })
    }

    /// Copies only app role assignments that pass; as [`filter_users`](Self::filter_users). Needs
    /// `Application.Read.All`.
    #[must_use]
    pub fn filter_app_role_assignments(
        self,
        name: impl Into<String>,
        passes: impl Fn(&AppRoleAssignment) -> bool + Send + Sync + 'static,
    ) -> Self {
        let sync = self.with_kind(ObjectKind::AppRoleAssignment, Self::app_role_assignments);
        let kind = ObjectKind::AppRoleAssignment;
        sync.filter(kind, name.into(), move |object| match object {
            SyncedObject::AppRoleAssignment(assignment) => passes(assignment),
            _ => true,
        })
    }

    /// Copies only users that are direct members of these groups; see
    /// [`users_of_nested_groups`](Self::users_of_nested_groups) for members of groups in them.
    ///
    /// A user that becomes a member is read and handed out, also if nothing else of it changes. One that is no longer a
    /// member of any of them is [removed](super::SyncChange::Removed) as
    /// [`OutOfScope`](super::RemovalReason::OutOfScope), with those of other removals before the guard; so is every user
    /// of a group that is deleted. A group that does not exist is a
    /// [note](super::SyncNote::ScopeGroupMissing) of each run.
    ///
    /// Copies [`users`](Self::users) if they are not chosen yet, and these groups. Choose [`groups`](Self::groups) to
    /// copy all groups; members that are not in the scope are not handed out. All groups and users of the tenant are
    /// read, since Graph has no delta query of the users of a group. Needs `User.Read.All` and `GroupMember.Read.All`.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// # let sales = graph.groups().list().items().try_next().await?.unwrap().id;
    /// use entra_graph::{User, sync::{DirectorySync, MemoryStore, ObjectKind, SyncStore}};
    ///
    /// let mut sync = DirectorySync::new(&graph)
    ///     .select_users((User::DISPLAY_NAME, User::USER_PRINCIPAL_NAME))
    ///     .users_of_groups([sales]);
    /// let mut store = MemoryStore::new();
    /// sync.run(&mut store).await?;
    /// let state = store.state().await?.unwrap();
    /// assert_eq!(state.present(ObjectKind::Group), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn users_of_groups<I: IntoId<ObjectId>>(self, groups: impl IntoIterator<Item = I>) -> Self {
        let groups = groups.into_iter().map(IntoId::into_id).collect();
        self.within(groups, false)
    }

    /// Copies only users that are members of these groups, directly or through other groups; otherwise as
    /// [`users_of_groups`](Self::users_of_groups).
    #[must_use]
    pub fn users_of_nested_groups<I: IntoId<ObjectId>>(
        self,
        groups: impl IntoIterator<Item = I>,
    ) -> Self {
        let groups = groups.into_iter().map(IntoId::into_id).collect();
        self.within(groups, true)
    }

    /// When removals need an approval; [`DeletionGuard::new`] unless set.
    #[must_use]
    pub const fn guard(mut self, guard: DeletionGuard) -> Self {
        self.guard = guard;
        self
    }

    /// Lets the removals with this token through, once, and no others. The same objects have another token when they
    /// are removed again. If the process ends before the first of the removals is saved, the token still works.
    #[must_use]
    pub fn approve(mut self, token: ApprovalToken) -> Self {
        self.approved = Some(token);
        self
    }

    /// How often all objects are read again, in case that Graph withheld a change: every seven days unless set,
    /// never for `None`.
    #[must_use]
    pub const fn full_round_every(mut self, interval: Option<Duration>) -> Self {
        self.full_every = interval;
        self
    }

    fn with(mut self, mut feed: Feed) -> Self {
        // The filter of a kind holds whatever properties are chosen after it.
        if let Some(at) = self.feeds.iter().position(|known| known.kind == feed.kind) {
            let known = self.feeds.remove(at);
            feed.filter = known.filter.filter(|_| !known.implied);
        }
        self.feeds.push(feed);
        self.arrange();
        self
    }

    fn arrange(&mut self) {
        let scope = match &self.scope {
            Some(Ok(scope)) => Some(scope),
            _ => None,
        };
        for feed in &mut self.feeds {
            // Direct memberships of groups are the same for every scope.
            feed.within = match feed.kind {
                ObjectKind::User => scope.cloned(),
                ObjectKind::Group => scope.filter(|scope| scope.nested()).cloned(),
                _ => None,
            };
        }
        let is_scoped = scope.is_some();
        self.feeds.sort_by_key(|feed| order(feed.kind, is_scoped));
    }

    fn within(self, groups: Result<BTreeSet<ObjectId>, InvalidId>, nested: bool) -> Self {
        let scope = groups.map(|groups| {
            let ids = groups.iter().map(ObjectId::to_string).collect();
            Arc::new(GroupScope::new(ids, nested))
        });
        let mut sync = self.with_kind(ObjectKind::User, Self::users);
        sync.feeds.retain(|feed| !feed.implied);
        sync.scope = Some(scope.clone());
        let has_groups = sync.feeds.iter().any(|feed| feed.kind == ObjectKind::Group);
        if let (false, Ok(scope)) = (has_groups, scope) {
            let mut feed = Feed::delta(&sync.client.groups().delta());
            feed.implied = true;
            let name = scope.name();
            feed.filter = Some((
                name,
                Arc::new(move |object: &SyncedObject| scope.has_group(object.id())),
            ));
            sync.feeds.push(feed);
        }
        sync.arrange();
        sync
    }

    /// The groups whose users are copied.
    ///
    /// # Errors
    /// `Query` for an invalid id, and `Configuration` if there is no group: nothing would be copied, and all be removed.
    pub(super) fn scope(&self) -> Result<Option<Arc<GroupScope>>, Error> {
        match &self.scope {
            None => Ok(None),
            Some(Ok(scope)) if scope.is_empty() => Err(entra_core::Error::configuration(
                "the sync copies users of groups, and has no group",
            )
            .into()),
            Some(Ok(scope)) => Ok(Some(Arc::clone(scope))),
            Some(Err(error)) => Err(error.clone().into()),
        }
    }

    /// Adds a kind unless it is there.
    fn with_kind(self, kind: ObjectKind, add: fn(Self) -> Self) -> Self {
        if self.feeds.iter().any(|feed| feed.kind == kind) {
            return self;
        }
        add(self)
    }

    fn filter(
        mut self,
        kind: ObjectKind,
        name: String,
        passes: impl Fn(&SyncedObject) -> bool + Send + Sync + 'static,
    ) -> Self {
        if let Some(feed) = self.feeds.iter_mut().find(|feed| feed.kind == kind) {
            feed.filter = Some((name, Arc::new(passes)));
            feed.implied = false;
        }
        self
    }
}

/// Members are handed out when they are known, so groups come last among the kinds that can be members. A scope of groups
/// decides which users are copied, so there they come first.
const fn order(kind: ObjectKind, is_scoped: bool) -> u8 {
    match kind {
        ObjectKind::Group if is_scoped => 0,
        ObjectKind::User => 1,
        ObjectKind::Device => 2,
        ObjectKind::ServicePrincipal => 3,
        ObjectKind::Group => 4,
        ObjectKind::AppRoleAssignment => 5,
    }
}

impl fmt::Debug for DirectorySync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectorySync")
            .field("feeds", &self.feeds)
            .field("guard", &self.guard)
            .field("full_every", &self.full_every)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
