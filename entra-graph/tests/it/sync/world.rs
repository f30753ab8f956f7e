//! A tenant that changes at random, and fails at random.

use std::time::Duration;

use entra_core::RetryPolicy;
use entra_graph::GraphClient;
use entra_mock::{DeltaOddities, FakeTenant, Fault, GroupHandle};
use serde_json::{Value, json};

use crate::support::AppCredential;

/// SplitMix64.
pub(super) struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'v, T>(&mut self, values: &'v [T]) -> &'v T {
        &values[self.below(values.len())]
    }
}

pub(super) struct World {
    pub(super) random: Random,
    pub(super) tenant: FakeTenant,
    pub(super) graph: GraphClient,
    users: Vec<String>,
    pub(super) groups: Vec<GroupHandle>,
    devices: Vec<String>,
    principals: Vec<String>,
    number: usize,
    /// Whether users are deleted without a row.
    pub(super) has_silent_deletions: bool,
    /// Whether changes are shown late, and memberships of restored objects not at all. A copy is right without a full
    /// round at its end, if nothing changes while a round is read.
    pub(super) is_late: bool,
    /// Users and groups that were deleted, if changes are shown late.
    deleted: Vec<String>,
}

impl World {
    pub(super) async fn new(seed: u64) -> Self {
        let tenant = FakeTenant::builder().random_seed(seed).start().await;
        let app = tenant
            .register_app("Sync")
            .application_permission("Directory.ReadWrite.All")
            .application_permission("User.ReadWrite.All")
            .application_permission("User.DeleteRestore.All")
            .application_permission("Group.ReadWrite.All")
            .application_permission("Application.Read.All")
            .application_permission("AppRoleAssignment.ReadWrite.All")
            .application_permission("Device.Read.All")
            .with_secret();
        let graph = GraphClient::builder(AppCredential::new(&tenant, &app))
            .cloud(tenant.cloud())
            .clock(tenant.clock())
            .retry_policy(RetryPolicy::for_graph().with_max_attempts(1))
            .build()
            .unwrap();
        let mut world = Self {
            random: Random(seed),
            users: Vec::new(),
            groups: Vec::new(),
            devices: Vec::new(),
            principals: Vec::new(),
            number: 0,
            has_silent_deletions: false,
            is_late: seed % 8 == 3,
            deleted: Vec::new(),
            tenant,
            graph,
        };
        for _ in 0..30 {
            world.create_user();
        }
        for _ in 0..6 {
            world.create_group();
        }
        for _ in 0..3 {
            world.create_device();
            world.create_principal();
        }
        let oddities = match seed % 8 {
            0 => DeltaOddities::none(),
            1 => DeltaOddities::none()
                .changes_during_round()
                .shuffled_items(),
            // All that leave a copy right without a full round at its end.
            2 => DeltaOddities::none()
                .repeated_items()
                .shuffled_items()
                .changes_during_round()
                .purged_members_silent()
                .removed_members_in_first_round()
                .removed_users_in_first_round()
                .select_star_shrinks()
                .resync_without_location(),
            3 => DeltaOddities::none()
                .repeated_items()
                .shuffled_items()
                .purged_members_silent()
                .removed_members_in_first_round()
                .removed_users_in_first_round()
                .select_star_shrinks()
                .resync_without_location()
                .restored_memberships_silent()
                .delayed(DELAY),
            _ => DeltaOddities::all(),
        };
        world.has_silent_deletions = seed % 8 > 3;
        world.tenant.set_delta_oddities(oddities);
        world
    }

    fn create_user(&mut self) {
        self.number += 1;
        let user = self.tenant.add_user(&format!("User {}", self.number));
        self.users.push(user.id().to_string());
    }

    fn create_group(&mut self) {
        self.number += 1;
        let name = format!("Group {}", self.number);
        let group = self.tenant.add_group(&name);
        if self.random.percent(50) {
            group.set("groupTypes", json!(["Unified"]));
        }
        self.groups.push(group);
    }

    fn create_device(&mut self) {
        self.number += 1;
        let name = format!("Device {}", self.number);
        let device = self.tenant.add_device(&name, None);
        self.devices.push(device.id().to_string());
    }

    fn create_principal(&mut self) {
        self.number += 1;
        let app = self.tenant.register_app(&format!("App {}", self.number));
        let app = app.expose_app_role("Reader").expose_app_role("Writer");
        self.principals.push(app.service_principal_id().to_string());
    }

    /// Gives a property of an object, if it still exists, a new value, or none.
    fn set(&mut self, collection: &str, id: &str, properties: &[&str]) {
        let property = self.random.pick(properties);
        let value = match *property {
            "businessPhones" => json!([format!("+1 {}", self.random.next())]),
            "displayName" => json!(format!("n{}", self.random.next())),
            _ if self.random.percent(30) => Value::Null,
            _ => json!(format!("t{}", self.random.next())),
        };
        let _ = self.tenant.set_property(collection, id, property, value);
    }

    /// Assigns a user to an application, or ends the assignment that is there.
    async fn assign(&mut self, user: &str) {
        let principal = self.random.pick(&self.principals).clone();
        let path = format!("/servicePrincipals/{principal}/appRoleAssignedTo");
        let roles = self
            .graph
            .raw("GET", format!("/servicePrincipals/{principal}"));
        let Ok(found) = roles.json::<Value>().await else {
            return;
        };
        let known = self.graph.raw("GET", path.clone()).json::<Value>().await;
        let known = known.unwrap_or_default();
        let first = known["value"][0]["id"].as_str();
        if let Some(id) = first.filter(|_| self.random.percent(40)) {
            self.send("DELETE", format!("{path}/{id}")).await;
            return;
        }
        let role = &found["appRoles"][self.random.below(2)]["id"];
        let body = json!({"principalId": user, "resourceId": principal, "appRoleId": role});
        let _ = self.graph.raw("POST", path).body_json(&body).send().await;
    }

    /// Deletes a user for good, if there are many. So rounds stay as quick at the end as at the start.
    async fn end_a_user(&mut self) {
        if self.users.len() > MOST_USERS {
            let at = self.random.below(self.users.len());
            let user = self.users.swap_remove(at);
            self.send("DELETE", format!("/users/{user}")).await;
        }
    }

    /// Deletes a group for good, if there are many. The first two are the scope.
    async fn end_a_group(&mut self) {
        if self.groups.len() > MOST_GROUPS {
            let at = 2 + self.random.below(self.groups.len() - 2);
            let group = self.groups.swap_remove(at);
            self.send("DELETE", format!("/groups/{}", group.id())).await;
        }
    }

    async fn send(&self, method: &str, path: String) {
        // Most are rejected: the object is deleted, or is not.
        let _ = self.graph.raw(method, path).send().await;
    }

    /// Deletes a user or group, or restores one, by chance.
    async fn delete_or_restore(&mut self, path: String) {
        if self.deleted.is_empty() || self.random.percent(50) {
            let id = path.rsplit('/').next().unwrap_or_default().to_owned();
            self.send("DELETE", path).await;
            self.deleted.push(id);
        } else {
            let at = self.random.below(self.deleted.len());
            let id = self.deleted.swap_remove(at);
            let path = format!("/directory/deletedItems/{id}/restore");
            self.send("POST", path).await;
        }
    }

    /// Lets all changes be shown.
    pub(super) fn settle(&self) {
        if self.is_late {
            self.tenant.clock().advance(DELAY);
        }
    }

    pub(super) async fn change(&mut self) {
        if self.is_late {
            let seconds = self.random.below(30) as u64;
            self.tenant.clock().advance(Duration::from_secs(seconds));
        }
        let user = self.random.pick(&self.users).clone();
        let at = self.random.below(self.groups.len());
        let group = self.groups[at].id().to_string();
        let other = self.random.below(self.groups.len());
        let nested = self.groups[other].id();
        match self.random.below(34) {
            0 => {
                self.create_group();
                self.end_a_group().await;
            }
            1 | 2 => {
                self.create_user();
                self.end_a_user().await;
            }
            3 => self.send("DELETE", format!("/users/{user}")).await,
            4 if self.random.percent(30) => self.send("DELETE", format!("/groups/{group}")).await,
            5 | 6 => {
                self.send("POST", format!("/directory/deletedItems/{user}/restore"))
                    .await
            }
            7 => {
                self.send("POST", format!("/directory/deletedItems/{group}/restore"))
                    .await
            }
            8 if self.random.percent(40) => {
                self.send("DELETE", format!("/directory/deletedItems/{user}"))
                    .await
            }
            9 if self.random.percent(20) => drop(self.tenant.remove("users", &user)),
            10 if at != other => drop(self.groups[at].add_member(nested)),
            11 => drop(self.groups[at].remove_member(nested)),
            12..=16 => drop(self.groups[at].add_member(user.parse().unwrap())),
            17 | 18 => drop(self.groups[at].remove_member(user.parse().unwrap())),
            19 => self.set("groups", &group, &["description", "displayName"]),
            20 => {
                self.create_device();
                if self.devices.len() > MOST_DEVICES {
                    let at = self.random.below(self.devices.len());
                    let device = self.devices.swap_remove(at);
                    let _ = self.tenant.remove("devices", &device);
                }
            }
            21 | 22 => {
                let device = self.random.pick(&self.devices).clone();
                self.set(
                    "devices",
                    &device,
                    &["displayName", "operatingSystemVersion"],
                );
            }
            23 if self.random.percent(50) => {
                let device = self.random.pick(&self.devices).clone();
                let _ = self.tenant.remove("devices", &device);
            }
            24 if self.random.percent(30) => {
                self.create_principal();
                if self.principals.len() > MOST_PRINCIPALS {
                    let at = self.random.below(self.principals.len());
                    let principal = self.principals.swap_remove(at);
                    let _ = self.tenant.remove("servicePrincipals", &principal);
                }
            }
            25 => {
                let principal = self.random.pick(&self.principals).clone();
                self.set("servicePrincipals", &principal, &["displayName", "notes"]);
            }
            26 if self.random.percent(20) => {
                let principal = self.random.pick(&self.principals).clone();
                let _ = self.tenant.remove("servicePrincipals", &principal);
            }
            27..=29 => self.assign(&user).await,
            30..=32 if self.is_late => self.delete_or_restore(format!("/users/{user}")).await,
            33 if self.is_late => self.delete_or_restore(format!("/groups/{group}")).await,
            _ => {
                const PROPERTIES: [&str; 6] = [
                    "businessPhones",
                    "displayName",
                    "jobTitle",
                    "mobilePhone",
                    "officeLocation",
                    "surname",
                ];
                self.set("users", &user, &PROPERTIES);
            }
        }
    }

    pub(super) fn fault(&mut self) {
        let path = self.random.pick(&["/delta", "/delta", "/$batch"]);
        let on = Fault::on(path);
        let fault = match self.random.below(8) {
            0 => on.status(503),
            1 => on.status(400),
            2 => on.status(410),
            3 => on.status_with_retry_after(429, "1"),
            4 => on.truncated_body(),
            5 => on.garbage_body(),
            6 => on.empty_page(),
            _ => on.closed_connection(),
        };
        self.tenant.inject(fault.times(1));
    }
}

/// With more than these, one goes for each that comes.
const MOST_USERS: usize = 60;
const MOST_GROUPS: usize = 30;
const MOST_DEVICES: usize = 30;
const MOST_PRINCIPALS: usize = 12;

/// How late changes are shown.
const DELAY: Duration = Duration::from_secs(200);
