//! The wall time of large jobs at 80 ms latency without quotas, beside one request after the other.

use std::time::{Duration, Instant};

use entra_graph::{DirectoryObject, NewUser, User, types::PasswordProfile};
use entra_mock::{FakeTenant, Fault, Seed};
use futures_util::future::join_all;

use crate::jobs::{self, Company};

const LATENCY: Duration = Duration::from_millis(80);

pub(crate) async fn run() {
    println!("| job | time | one after the other | part |\n|---|---|---|---|");
    for (users, page) in [(20_000, 100), (100_000, 999)] {
        let company = distant(users).await;
        let together = export_in_parts(&company, page, 8).await;
        print(
            &format!("{users} users, {page} in a page, in 8 parts"),
            together,
            export(&company, page).await,
        );
    }
    // Graph does not expand in advanced queries, so managers come page after page.
    let company = distant(100_000).await;
    let pages = jobs::export_users(&company).await.wall;
    print("100,000 users with managers, page by page", pages, pages);
    let company = distant(0).await;
    let together = jobs::expand_groups(&company, 2_000, 3_500).await.wall;
    print(
        "2,000 groups expanded",
        together,
        expand(&company, 2_000).await,
    );
    let company = distant(0).await;
    let together = jobs::get_by_ids(&company, 5_000).await.wall;
    print(
        "getByIds of 5,000",
        together,
        get_by_ids(&company, 5_000).await,
    );
    let together = jobs::add_members(&company, 200).await.wall;
    print(
        "200 member adds",
        together,
        add_members(&company, 200).await,
    );
    let company = distant(0).await;
    let together = jobs::create_users(&company, 1_000).await.wall;
    print(
        "1,000 user creates",
        together,
        create_users(&company, 1_000).await,
    );
}

/// A company on another continent.
async fn distant(users: usize) -> Company {
    let builder = FakeTenant::builder().seed(Seed::Empty).users(users);
    let tenant = builder.start().await;
    let clock = tenant.clock();
    let company = Company::new(tenant, clock).await;
    company.tenant.inject(Fault::on_any().delay(LATENCY));
    company
}

async fn timed(run: impl Future<Output = ()>) -> Duration {
    let started = Instant::now();
    run.await;
    started.elapsed()
}

async fn expand(company: &Company, count: usize) -> Duration {
    let groups = company.groups(count);
    timed(async {
        for (number, group) in groups.iter().enumerate() {
            let members = company.graph.group(group.id()).members().list();
            let members = members.select(DirectoryObject::ID).items();
            let members: Vec<_> = members.try_collect().await.unwrap();
            assert_eq!(members.len(), number % 8);
        }
    })
    .await
}

async fn get_by_ids(company: &Company, count: usize) -> Duration {
    let ids = company.users(count);
    timed(async {
        for ids in ids.chunks(1_000) {
            let objects = company.graph.directory_objects_by_ids(ids.to_vec());
            assert_eq!(objects.send().await.unwrap().len(), ids.len());
        }
    })
    .await
}

async fn add_members(company: &Company, count: usize) -> Duration {
    let users = company.users(count);
    let group = company.tenant.add_group("Everyone, one by one");
    let members = company.graph.group(group.id()).members();
    timed(async {
        for user in &users {
            members.add(user.to_string()).send().await.unwrap();
        }
    })
    .await
}

async fn create_users(company: &Company, count: usize) -> Duration {
    timed(async {
        for number in 0..count {
            let alias = format!("single.user{number}");
            let upn = format!("{alias}@{}", company.tenant.domain());
            let password = PasswordProfile::new("zq4#Correct-7Vx!horse");
            let user = NewUser::new(&alias, &upn, &alias, password);
            company.graph.users().create(user).send().await.unwrap();
        }
    })
    .await
}

async fn export(company: &Company, page: u32) -> Duration {
    let expected = company.graph.users().count().send().await.unwrap();
    timed(async {
        let list = company.graph.users().list();
        let list = list
            .select((User::USER_PRINCIPAL_NAME, User::ASSIGNED_LICENSES))
            .top(page);
        assert_eq!(read(list).await, expected);
    })
    .await
}

async fn export_in_parts(company: &Company, page: u32, parts: usize) -> Duration {
    let expected = company.graph.users().count().send().await.unwrap();
    timed(async {
        let list = company.graph.users().list();
        let list = list
            .select((User::USER_PRINCIPAL_NAME, User::ASSIGNED_LICENSES))
            .top(page);
        let parts = list.partitioned_by_creation(parts).await.unwrap();
        let counts = join_all(parts.into_iter().map(read)).await;
        assert_eq!(counts.iter().sum::<u64>(), expected);
    })
    .await
}

async fn read(list: entra_graph::query::List<User>) -> u64 {
    let mut users = list.items();
    let mut count = 0;
    while users.try_next().await.unwrap().is_some() {
        count += 1;
    }
    count
}

fn print(job: &str, together: Duration, single: Duration) {
    let (together, single) = (together.as_secs_f64(), single.as_secs_f64());
    let part = together / single;
    println!("| {job} | {together:.2} s | {single:.2} s | {part:.3} |");
}
