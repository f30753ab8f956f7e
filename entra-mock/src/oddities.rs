//! What delta queries of Entra were seen to do beside what is documented, as switches.

use std::time::Duration;

/// Switches for the behaviour of delta queries that clients must survive. All are off unless set.
///
/// Each is documented by Microsoft as possible, or was reported by several users.
///
/// ```
/// # #[tokio::main] async fn main() {
/// use entra_mock::{DeltaOddities, FakeTenant};
/// let tenant = FakeTenant::start().await;
/// tenant.set_delta_oddities(DeltaOddities::none().repeated_items().removed_users_in_first_round());
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "give it to a tenant"]
pub struct DeltaOddities {
    pub(crate) repeated_items: bool,
    pub(crate) shuffled_items: bool,
    pub(crate) changes_during_round: bool,
    pub(crate) never_ending_members: bool,
    pub(crate) purged_members_silent: bool,
    pub(crate) removed_members_in_first_round: bool,
    pub(crate) removed_users_in_first_round: bool,
    pub(crate) deletions_silent: bool,
    pub(crate) select_star_shrinks: bool,
    pub(crate) resync_without_location: bool,
    pub(crate) restored_memberships_silent: bool,
    pub(crate) never_ending_empty_pages: bool,
    pub(crate) delay: Duration,
}

impl DeltaOddities {
    /// Delta queries as documented.
    pub const fn none() -> Self {
        Self {
            repeated_items: false,
            shuffled_items: false,
            changes_during_round: false,
            never_ending_members: false,
            purged_members_silent: false,
            removed_members_in_first_round: false,
            removed_users_in_first_round: false,
            deletions_silent: false,
            select_star_shrinks: false,
            resync_without_location: false,
            restored_memberships_silent: false,
            never_ending_empty_pages: false,
            delay: Duration::ZERO,
        }
    }

    /// All switches after which a client can still be right: all but
    /// [`never_ending_members`](Self::never_ending_members),
    /// [`never_ending_empty_pages`](Self::never_ending_empty_pages) and [`delayed`](Self::delayed). With
    /// [`deletions_silent`](Self::deletions_silent), and with
    /// [`restored_memberships_silent`](Self::restored_memberships_silent) for objects that are deleted and restored
    /// while a round is read, it is right only after it has read all objects again.
    pub const fn all() -> Self {
        Self::none()
            .repeated_items()
            .shuffled_items()
            .changes_during_round()
            .purged_members_silent()
            .removed_members_in_first_round()
            .removed_users_in_first_round()
            .deletions_silent()
            .select_star_shrinks()
            .resync_without_location()
            .restored_memberships_silent()
    }

    /// Repeats an item within a page, and items of the last round in the next one.
    pub const fn repeated_items(mut self) -> Self {
        self.repeated_items = true;
        self
    }

    /// Returns the items of a page in another order.
    pub const fn shuffled_items(mut self) -> Self {
        self.shuffled_items = true;
        self
    }

    /// Withholds changes that are made while a round is read, from this round and from the next one. In a round of all
    /// objects, the changed objects are missing if their page was not read yet.
    pub const fn changes_during_round(mut self) -> Self {
        self.changes_during_round = true;
        self
    }

    /// Ends no round of groups with members: the last page leads to the first one again.
    pub const fn never_ending_members(mut self) -> Self {
        self.never_ending_members = true;
        self
    }

    /// Does not report that a member left its groups when it is deleted permanently.
    pub const fn purged_members_silent(mut self) -> Self {
        self.purged_members_silent = true;
        self
    }

    /// Lists former members among the members of a round of all groups, as removed.
    pub const fn removed_members_in_first_round(mut self) -> Self {
        self.removed_members_in_first_round = true;
        self
    }

    /// Lists deleted objects in a round of all objects, as removed.
    pub const fn removed_users_in_first_round(mut self) -> Self {
        self.removed_users_in_first_round = true;
        self
    }

    /// Does not report that users were deleted: rounds of changes have no `@removed` of them.
    pub const fn deletions_silent(mut self) -> Self {
        self.deletions_silent = true;
        self
    }

    /// Shows four properties of each user from the second page on, if `$select=*` was requested.
    pub const fn select_star_shrinks(mut self) -> Self {
        self.select_star_shrinks = true;
        self
    }

    /// Returns 410 for a link that it does not know, with the code `SyncStateNotFound` and without the address to start
    /// again.
    pub const fn resync_without_location(mut self) -> Self {
        self.resync_without_location = true;
        self
    }

    /// Does not report that a restored object is in its groups again, nor the members of a restored group.
    pub const fn restored_memberships_silent(mut self) -> Self {
        self.restored_memberships_silent = true;
        self
    }

    /// Ends no round: after the last item come pages without items, each with another link.
    pub const fn never_ending_empty_pages(mut self) -> Self {
        self.never_ending_empty_pages = true;
        self
    }

    /// Shows each change only this long after it was made, by the clock of the tenant.
    pub const fn delayed(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}
