//! A local copy of the directory that follows the tenant.
//!
//! ```
//! # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
//! # support::block_on(async {
//! # let graph = support::graph().await;
//! use entra_graph::{Group, User, sync::{DirectorySync, MemoryStore, SyncChange, SyncStore}};
//!
//! let mut sync = DirectorySync::new(&graph)
//!     .select_users((User::DISPLAY_NAME, User::USER_PRINCIPAL_NAME, User::ACCOUNT_ENABLED))
//!     .select_groups(Group::DISPLAY_NAME);
//! let mut store = MemoryStore::new();                    // or a database: see `SyncStore`
//! while let Some(step) = sync.next(&mut store).await? {
//!     for change in step.changes() {
//!         match change {
//!             SyncChange::Upsert(object) => println!("{} {}", object.kind(), object.id()),
//!             SyncChange::Removed { id, reason, .. } => println!("{id} is gone: {reason:?}"),
//!             SyncChange::MemberAdded { group, member, .. } => println!("{member} is in {group}"),
//!             SyncChange::MemberRemoved { group, member } => println!("{member} is not in {group}"),
//!             _ => {}
//!         }
//!     }
//!     store.commit(&step).await?;                        // changes, bookkeeping and state, in one transaction
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it guarantees
//!
//! - **No change is lost or doubled**, whenever the process is killed, if the store saves changes, rows and state of a
//!   step in one transaction. Each step starts from the state in the store, so one that was not saved is done again.
//! - **It starts again by itself** when Graph no longer knows the state (410, `syncStateNotFound`, an expired or
//!   foreign link), when the selected properties or the filter change, and when a round does not end. A full round
//!   hands out only what differs from the copy.
//! - **Removals come last.** New and changed objects are handed out as their pages arrive, the first ones after one
//!   request. Removals wait in the store until every round of the run is complete and the [`DeletionGuard`] has seen
//!   all of them. What a full round does not contain is removed only after that round is complete, and after Graph
//!   was asked for it: a round can lack objects that exist. It also lacks the memberships of deleted objects, so Graph
//!   is asked for the members of those that would end; what a deleted one was in is known again once it is restored.
//! - **What cannot be read stays.** A kind that Graph forbids, an object without its properties, and the members of a
//!   group that hides them are [notes](SyncNote), and not removals. Once they can be read again, they are.
//! - **A property that Graph no longer shows leaves the copy**, if other ones are still there: it looks as if it was
//!   cleared. A full round whose objects all lack it ends with a [note](SyncNote::PropertiesMissing), after the objects
//!   without it were handed out; a round of changes has no such note.
//! - **Repeated rows change nothing**, former members in a first round are not members, and a member that arrives
//!   before its own object, or after it, is handed out once both are there.
//! - **The memory of a step does not grow with the directory.** What was seen in a full round is in the store. A step
//!   holds a page, and the memberships of the objects that enter the copy with it.
//!
//! # What else it can do
//!
//! | for | call |
//! |---|---|
//! | devices, service principals, app role assignments | [`devices`](DirectorySync::devices), [`service_principals`](DirectorySync::service_principals), [`app_role_assignments`](DirectorySync::app_role_assignments) |
//! | members of nested groups | [`transitive_members`](DirectorySync::transitive_members) |
//! | a part of the objects | [`filter_users`](DirectorySync::filter_users) and its siblings |
//! | users of some groups only | [`users_of_groups`](DirectorySync::users_of_groups), [`users_of_nested_groups`](DirectorySync::users_of_nested_groups) |
//! | what would happen | [`dry_run`](DirectorySync::dry_run) |
//! | removals that were held back | [`HeldRemovals`], [`approve`](DirectorySync::approve) |
//!
//! # What Graph does not tell
//!
//! A delta query reports direct memberships only, no changes of photos or of properties that are stored outside of the
//! directory, and it was seen to withhold changes that were made while a round was read. Therefore all objects are
//! read again every seven days ([`full_round_every`](DirectorySync::full_round_every)). That also puts right the
//! memberships of objects that were deleted and restored, or restored and deleted, while their groups were read.
//!
//! It does not reliably send the memberships of a restored object. So all groups are read once more when one returns,
//! and when another object does whose memberships a full round did not contain while it was deleted. For two months
//! after that, they are when any object of its kind returns: what was restored or deleted meanwhile can be in no round.
//! A deleted object that no round ever named looks like a new one when it is restored; memberships that Graph does not
//! send then come with the next full round.
//!
//! Members of a kind that is not copied give no sign when they are deleted or restored: copy users with groups. All groups
//! are read again when a kind is no longer copied, and when it is once more.

// The floors: rows and state are data; machine has the rules and no I/O; feed reads pages, within a group_scope; guard says when removals are too
// many, and waiting counts them; unreadable asks whose members Graph does not show, and existing which objects it has; round, scope, removals and
// closure drive one step each, with what is known of the current_run; settings has all of it, and run the steps of a run.

mod change;
mod closure;
mod current_run;
mod error;
mod existing;
mod feed;
mod group_scope;
mod guard;
mod machine;
mod pages;
mod reading;
mod removals;
mod round;
mod rows;
mod run;
mod scope;
mod settings;
mod state;
mod store;
mod unreadable;
mod view;
mod waiting;

pub use change::{
    FullRoundCause, ObjectKind, Progress, RemovalReason, SyncChange, SyncNote, SyncedObject,
};
pub use error::SyncError;
pub use guard::{
    ApprovalToken, DeletionGuard, HeldMembers, HeldMemberships, HeldObjects, HeldRemovals,
};
pub use run::{DryRun, SyncSummary};
pub use settings::DirectorySync;
pub use state::SyncState;
pub use store::{MemoryStore, Step, SyncStore};
