//! A copy of users and groups by `DirectorySync`: the first run, one after a change, and one whose links Graph rejects.

use std::time::Duration;

use entra_graph::sync::{DirectorySync, MemoryStore, SyncSummary};

use crate::jobs::{Company, Figures};

/// Members of a group.
const MEMBERS: usize = 60;

pub(crate) async fn jobs(users: usize) -> [Figures; 3] {
    let company = Company::of(0).await;
    let ids = company.users(users);
    let groups = users / 20;
    for number in 0..groups {
        let group = company.tenant.add_group(&format!("Group {number}"));
        for member in 0..MEMBERS {
            assert!(group.add_member(ids[(number * 20 + member) % users]));
        }
    }
    // A page has 200 objects or 500 members, and costs 1 of the 8,000 units that are there at once.
    let pages = |rows: usize, members: usize| rows.div_ceil(200).max(members.div_ceil(500)) as u64;
    let all = |users: usize| pages(users, 0) + pages(groups, groups * MEMBERS);
    let mut sync = DirectorySync::new(&company.graph).users().groups();
    let mut store = MemoryStore::new();
    let (first, report) = run(&company, "a copy", all(users), &mut sync, &mut store).await;
    assert_eq!(report.upserts, (users + groups) as u64);
    let changed = company.tenant.add_user("Changed");
    let (second, report) = run(&company, "one change of it", 2, &mut sync, &mut store).await;
    assert_eq!(report.upserts, 1, "{}", changed.id());
    company.tenant.forget_delta_links();
    // Both links are rejected first.
    let least = all(users + 1) + 2;
    let (third, report) = run(&company, "all of it again", least, &mut sync, &mut store).await;
    assert_eq!((report.upserts, report.removed), (0, 0));
    [first, second, third]
}

async fn run(
    company: &Company,
    job: &'static str,
    least: u64,
    sync: &mut DirectorySync,
    store: &mut MemoryStore,
) -> (Figures, SyncSummary) {
    let (figures, report) = company
        .measure(job, (least, Duration::ZERO), async |_| {
            sync.run(store).await
        })
        .await;
    (figures, report.unwrap())
}
