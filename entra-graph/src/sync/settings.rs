//! What a sync copies, and how.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    change::{ObjectKind, SyncedObject},
    feed::Feed,
    guard::{ApprovalToken, DeletionGuard},
    run::Run,
};
use crate::{
    client::GraphClient,
    objects::{Device, Group, ServicePrincipal, User},
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
    /// members of groups with hidden membership need `Member.Read.Hidden`.
    #[must_use]
    pub fn groups(self) -> Self {
        let delta = self.client.groups().delta();
        self.with(Feed::delta(&delta))
    }

    /// Copies groups with their direct members and these properties. Needs `GroupMember.Read.All`; members of groups
    /// with hidden membership need `Member.Read.Hidden`.
    #[must_use]
    pub fn select_groups(self, properties: impl Selection<Group>) -> Self {
        let delta = self.client.groups().delta().select(properties);
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
    /// Graph has no delta query of assignments: each run reads their lists, of 20 service principals in one request.
    #[must_use]
    pub fn app_role_assignments(self) -> Self {
        self.with_kind(ObjectKind::ServicePrincipal, Self::service_principals)
            .with(Feed::assignments())
    }

    /// Also hands out transitive memberships, of nested groups and groups that contain each other. Each run computes
    /// them again only for members that something changed for.
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

    /// When removals need an approval; [`DeletionGuard::new`] unless set.
    #[must_use]
    pub const fn guard(mut self, guard: DeletionGuard) -> Self {
        self.guard = guard;
        self
    }

    /// Lets the removals with this token through, and no others.
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
            feed.filter = self.feeds.remove(at).filter;
        }
        self.feeds.push(feed);
        // Members are handed out when they are known, so groups come last among the kinds that can be members.
        self.feeds.sort_by_key(|feed| order(feed.kind));
        self
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
        }
        self
    }
}

const fn order(kind: ObjectKind) -> u8 {
    match kind {
        ObjectKind::User => 0,
        ObjectKind::Device => 1,
        ObjectKind::ServicePrincipal => 2,
        ObjectKind::Group => 3,
        ObjectKind::AppRoleAssignment => 4,
    }
}

impl fmt::Debug for DirectorySync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectorySync")
            .field("feeds", &self.feeds)
            .field("guard", &self.guard)
            .field("full_every", &self.full_every)
            .finish_non_exhaustive()
    }
}
