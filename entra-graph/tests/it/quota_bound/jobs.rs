// Large jobs against a fake tenant that enforces Graph's quotas, beside what they must take at least. Shared by the test and the bench.

use std::time::{Duration, Instant};

use entra_core::{Clock, ObjectId, StaticCredential, TokenCredential, TokenRequest};
use entra_graph::{
    DirectoryObject, GraphClient, Group, NewUser, SignIn, User, types::PasswordProfile,
};
use entra_mock::{FakeTenant, GroupHandle, Seed};

use crate::support::AppCredential;

/// What a job took, and what it must take at least.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) job: &'static str,
    pub(crate) requests: u64,
    pub(crate) least_requests: u64,
    /// On the tenant's clock, which only waits move.
    pub(crate) time: Duration,
    pub(crate) least_time: Duration,
    /// In real time, of this machine.
    #[allow(dead_code, reason = "the bench prints it")]
    pub(crate) wall: Duration,
}

pub(crate) struct Company {
    pub(crate) tenant: FakeTenant,
    pub(crate) graph: GraphClient,
    #[allow(dead_code, reason = "the bench gives it to other clients")]
    pub(crate) token: String,
}

impl Company {
    /// A company of this many users, whose quotas are enforced.
    pub(crate) async fn of(users: usize) -> Self {
        let builder = FakeTenant::builder().seed(Seed::Empty).users(users);
        let tenant = builder.enforce_quotas(true).start().await;
        let clock = tenant.clock();
        Self::new(tenant, clock).await
    }

    /// A client of a company on this clock.
    pub(crate) async fn new(tenant: FakeTenant, clock: impl Clock) -> Self {
        let app = tenant
            .register_app("Night job")
            .application_permission("Directory.Read.All")
            .application_permission("User.ReadWrite.All")
            .application_permission("Group.ReadWrite.All")
            .application_permission("AuditLog.Read.All")
            .with_secret();
        let request = TokenRequest::new([tenant.cloud().graph_scope()]);
        let token = AppCredential::new(&tenant, &app)
            .token(&request)
            .await
            .unwrap();
        let token = token.expose_secret().to_owned();
        let graph = GraphClient::builder(StaticCredential::new(&token))
            .cloud(tenant.cloud())
            .clock(clock)
            .build()
            .unwrap();
        Self {
            tenant,
            graph,
            token,
        }
    }

    pub(crate) async fn measure<T>(
        &self,
        job: &'static str,
        least: (u64, Duration),
        run: impl AsyncFnOnce(&GraphClient) -> T,
    ) -> (Figures, T) {
        // The quota is full again.
        self.tenant.clock().advance(Duration::from_secs(600));
        let (clock, sent) = (self.tenant.clock(), self.graph.requests_sent());
        let (started, real) = (clock.monotonic(), Instant::now());
        let result = run(&self.graph).await;
        let figures = Figures {
            job,
            requests: self.graph.requests_sent() - sent,
            least_requests: least.0,
            time: clock.elapsed(started),
            least_time: least.1,
            wall: real.elapsed(),
        };
        (figures, result)
    }

    pub(crate) fn groups(&self, count: usize) -> Vec<GroupHandle> {
        let users: Vec<ObjectId> = (0..7)
            .map(|number| self.user(&format!("Member {number}")))
            .collect();
        (0..count)
            .map(|number| {
                let group = self.tenant.add_group(&format!("Group {number}"));
                for user in &users[..number % 8] {
                    assert!(group.add_member(*user));
                }
                group
            })
            .collect()
    }

    fn user(&self, name: &str) -> ObjectId {
        self.tenant.add_user(name).id()
    }

    pub(crate) fn users(&self, count: usize) -> Vec<ObjectId> {
        (0..count)
            .map(|number| self.user(&format!("User {number}")))
            .collect()
    }
}

/// The ids of the members of many groups: 20 groups in one request.
pub(crate) async fn expand_groups(company: &Company, count: usize, units: u64) -> Figures {
    let groups = company.groups(count);
    // A list of members costs 3, and 1 less with a selection; 3,500 units are there at once and 350 more each second.
    let least_time = bucket(2 * count as u64, units, 10);
    let least = ((count as u64).div_ceil(20), least_time);
    let (figures, members) = company
        .measure("members of groups", least, async |graph| {
            let list = |group: &GroupHandle| {
                let members = graph.group(group.id()).members();
                members.list().select(DirectoryObject::ID)
            };
            graph.read_lists(groups.iter().map(list)).await
        })
        .await;
    for (number, members) in members.into_iter().enumerate() {
        assert_eq!(members.unwrap().len(), number % 8, "group {number}");
    }
    figures
}

/// Objects of any type by their ids: 1,000 in one request.
pub(crate) async fn get_by_ids(company: &Company, count: usize) -> Figures {
    let ids = company.users(count);
    let least = ((count as u64).div_ceil(1_000), Duration::ZERO);
    let (figures, objects) = company
        .measure("getByIds", least, async |graph| {
            graph
                .directory_objects_by_ids(ids.clone())
                .send()
                .await
                .unwrap()
        })
        .await;
    assert_eq!(objects.len(), count);
    figures
}

/// Members of one group: 20 in one request.
pub(crate) async fn add_members(company: &Company, count: usize) -> Figures {
    let users = company.users(count);
    let group = company.tenant.add_group("Everyone");
    let least = ((count as u64).div_ceil(20), Duration::ZERO);
    let (figures, ()) = company
        .measure("member adds", least, async |graph| {
            let members = graph.group(group.id()).members();
            let added = members.add_all(users.iter().map(ToString::to_string)).await;
            assert_eq!(added.unwrap().added, count);
        })
        .await;
    let members = company.graph.group(group.id()).members().count();
    assert_eq!(members.send().await.unwrap(), count as u64);
    figures
}

/// New users: 20 in one request; 3,000 writes are there at once and 20 more each second.
pub(crate) async fn create_users(company: &Company, count: usize) -> Figures {
    let least = (
        (count as u64).div_ceil(20),
        bucket(count as u64, 3_000, 150),
    );
    let (figures, ()) = company
        .measure("user creates", least, async |graph| {
            let mut batch = graph.batch();
            let entries: Vec<_> = (0..count)
                .map(|number| {
                    let alias = format!("new.user{number}");
                    let upn = format!("{alias}@{}", company.tenant.domain());
                    let password = PasswordProfile::new("zq4#Correct-7Vx!horse");
                    batch.add(
                        graph
                            .users()
                            .create(NewUser::new(&alias, &upn, &alias, password)),
                    )
                })
                .collect();
            let responses = batch.send().await.unwrap();
            for entry in entries {
                responses.get(entry).unwrap();
            }
        })
        .await;
    figures
}

/// All users with their managers and licences: 999 in one request.
pub(crate) async fn export_users(company: &Company) -> Figures {
    let count = company.graph.users().count().send().await.unwrap();
    // A list of users costs 2, 1 less with a selection and 1 more with an expanded relationship.
    let pages = count.div_ceil(999);
    let least = (pages, bucket(2 * pages, 3_500, 10));
    let (figures, (users, managed)) = company
        .measure("export of users", least, async |graph| {
            let mut users = graph
                .users()
                .list()
                .select((User::USER_PRINCIPAL_NAME, User::ASSIGNED_LICENSES))
                .expand(User::MANAGER.select(DirectoryObject::ID))
                .items();
            let (mut count, mut managed) = (0, 0);
            while let Some(user) = users.try_next().await.unwrap() {
                count += 1;
                managed += u64::from(user.manager.is_some());
            }
            (count, managed)
        })
        .await;
    assert_eq!(users, count);
    assert!(managed > count / 2, "{managed} of {count} have a manager");
    figures
}

/// The members of groups with what Graph cuts at 20 filled up.
pub(crate) async fn expand_all(company: &Company, groups: usize, members: usize) -> Figures {
    let users = company.users(members);
    let prefix = "Large group";
    for number in 0..groups {
        let group = company.tenant.add_group(&format!("{prefix} {number}"));
        for user in &users {
            assert!(group.add_member(*user));
        }
    }
    // One page of groups, and all of the lists of members 20 at a time.
    let least = (1 + (groups as u64).div_ceil(20), Duration::ZERO);
    let (figures, found) = company
        .measure("expand_all", least, async |graph| {
            let list = graph
                .groups()
                .list()
                .filter(Group::DISPLAY_NAME.starts_with(prefix));
            let list = list.expand_all(Group::MEMBERS.select(DirectoryObject::ID));
            list.items().try_collect::<Vec<_>>().await.unwrap()
        })
        .await;
    assert_eq!(found.len(), groups);
    for group in found {
        let all = group.members.unwrap();
        assert!(all.is_complete());
        assert_eq!(all.len(), members);
    }
    figures
}

/// Sign-ins, in several parts at once: five requests in ten seconds.
pub(crate) async fn read_sign_ins(company: &Company, parts: usize) -> Figures {
    let requests = parts as u64;
    let least_time = Duration::from_secs(10 * (requests.div_ceil(5) - 1));
    let now = company.tenant.clock().now();
    let (figures, ()) = company
        .measure("sign-ins in parts", (requests, least_time), async |graph| {
            let start = now - entra_core::time::Duration::days(1);
            let parts = graph
                .audit_logs()
                .sign_ins()
                .list()
                .partitioned(start, now, parts);
            let parts = parts
                .into_iter()
                .map(|part| part.items().try_collect::<Vec<SignIn>>());
            for part in futures_util::future::join_all(parts).await {
                part.unwrap();
            }
        })
        .await;
    figures
}

/// How long a token bucket makes a job wait that takes everything as early as it can.
fn bucket(cost: u64, capacity: u64, seconds: u64) -> Duration {
    let beyond = cost.saturating_sub(capacity);
    Duration::from_secs_f64(beyond as f64 * seconds as f64 / capacity as f64)
}
