//! What it costs to decode users: `cargo bench -p entra-graph --bench decode`, with valgrind installed.
//!
//! It runs itself under callgrind and prints instructions, which do not depend on the load of the machine: a page of 999 users with
//! 45 properties, four of which the model does not declare and keeps, beside derives that drop them. Then it pages through
//! up to a million users and prints the peak memory.
#![expect(clippy::unwrap_used, reason = "a measurement that fails has no figure")]

use std::{
    fmt::Write as _,
    fs,
    hint::black_box,
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use entra_core::{
    HttpTransport, StaticCredential, Timestamp, TransportError,
    bytes::Bytes,
    http::{Request, Response},
    time::format_description::well_known::Rfc3339,
};
use entra_graph::{GraphClient, User};
use serde::{Deserialize, Deserializer};

const ROWS: u64 = 999;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    match arguments.as_slice() {
        [mode, count] => run(mode, count.parse().unwrap()),
        _ => measure(),
    }
}

fn measure() {
    println!(
        "| a page of 999 users with 45 properties | instructions per user | beside the derive |\n|---|---|---|"
    );
    let derive = instructions("derive");
    let row = |name: &str, count: f64| println!("| {name} | {count:.0} | {:.2} |", count / derive);
    row("a derive of 68 fields, times parsed", derive);
    row(
        "a derive of 68 fields, times as text",
        instructions("derive-text"),
    );
    row("`User`, unknown properties kept", instructions("model"));
    println!("\n| users | peak memory |\n|---|---|");
    for users in [999, 99_900, 999_000, 1_998_000] {
        let output = this(&["memory", &users.to_string()]).output().unwrap();
        let peak = String::from_utf8(output.stdout).unwrap();
        println!("| {users} | {} KiB |", peak.trim());
    }
}

fn this(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments);
    command
}

/// Instructions per user, without what happens once per process.
fn instructions(mode: &str) -> f64 {
    let collected = |pages: u64| -> f64 {
        let file = std::env::temp_dir().join(format!("decode-{}", std::process::id()));
        let output = Command::new("valgrind")
            .arg("--tool=callgrind")
            .arg(format!("--callgrind-out-file={}", file.display()))
            .arg(std::env::current_exe().unwrap())
            .args([mode, &pages.to_string()])
            .output()
            .unwrap();
        fs::remove_file(&file).unwrap();
        let report = String::from_utf8(output.stderr).unwrap();
        let line = report.lines().find(|line| line.contains("Collected :"));
        line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
    };
    (collected(7) - collected(2)) / (5 * ROWS) as f64
}

fn run(mode: &str, count: u64) {
    match mode {
        "model" => decode_model(count),
        "memory" => page_through(count),
        _ => {
            let body = page(
                &(0..ROWS).map(full_user).collect::<Vec<_>>().join(","),
                None,
            );
            for _ in 0..count {
                let users = match mode {
                    "derive" => serde_json::from_slice::<Page<Derived<Option<Timestamp>>>>(&body)
                        .unwrap()
                        .value
                        .len(),
                    _ => serde_json::from_slice::<Page<Derived<TextTime>>>(&body)
                        .unwrap()
                        .value
                        .len(),
                };
                assert_eq!(users as u64, ROWS);
            }
        }
    }
}

fn client(service: Service) -> GraphClient {
    GraphClient::builder(StaticCredential::new("token"))
        .transport(service)
        .build()
        .unwrap()
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future);
}

fn decode_model(pages: u64) {
    let rows = (0..ROWS).map(full_user).collect::<Vec<_>>().join(",");
    let graph = client(Service::new(rows, 1));
    block_on(async {
        for _ in 0..pages {
            let page = graph.users().list().send().await.unwrap();
            assert_eq!(page.items.len() as u64, ROWS);
            assert!(page.items[0].additional().get("newProperty").is_some());
            black_box(page);
        }
    });
}

fn page_through(users: u64) {
    let rows = (0..ROWS).map(default_user).collect::<Vec<_>>().join(",");
    let graph = client(Service::new(rows, users / ROWS));
    block_on(async {
        let mut items = graph.users().list().items();
        let mut count = 0;
        while let Some(user) = items.try_next().await.unwrap() {
            let User { id, .. } = black_box(user);
            count += u64::from(!id.is_empty());
        }
        assert_eq!(count, users);
    });
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    println!("{}", line.unwrap().split_whitespace().nth(1).unwrap());
}

/// Responds with so many pages of the same users.
#[derive(Debug)]
struct Service {
    rows: String,
    pages: u64,
    sent: AtomicU64,
}

impl Service {
    const fn new(rows: String, pages: u64) -> Self {
        Self {
            rows,
            pages,
            sent: AtomicU64::new(0),
        }
    }
}

#[async_trait]
impl HttpTransport for Service {
    async fn send(&self, _: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        let next = (number < self.pages).then_some(number);
        Ok(Response::new(page(&self.rows, next)))
    }
}

fn page(rows: &str, next: Option<u64>) -> Bytes {
    let mut text = format!("{{\"value\":[{rows}]");
    if let Some(next) = next {
        let link = "https://graph.microsoft.com/v1.0/users?$skiptoken";
        write!(text, ",\"@odata.nextLink\":\"{link}={next}\"").unwrap();
    }
    text.push('}');
    text.into()
}

/// The eleven properties that Graph sends without a select.
fn default_user(number: u64) -> String {
    let upn = format!("adele.vance{number}@contoso-international.onmicrosoft.com");
    format!(
        r#"{{"businessPhones":["+1 425 555 {number:04}"],"displayName":"Vance, Adele ({number}, External)","givenName":"Adele","jobTitle":"Manager","mail":"{upn}","mobilePhone":null,"officeLocation":"18/2111","preferredLanguage":null,"surname":"Vance","userPrincipalName":"{upn}","id":"{number:08x}-0000-4000-8000-000000000000"}}"#
    )
}

/// 45 properties: 27 have a value, 14 are null, and four are not declared.
fn full_user(number: u64) -> String {
    let mut user = default_user(number);
    user.pop();
    for name in [
        "city",
        "companyName",
        "department",
        "employeeId",
        "employeeType",
        "faxNumber",
        "mailNickname",
        "usageLocation",
        "userType",
    ] {
        write!(user, ",\"{name}\":\"value of {name} {number}\"").unwrap();
    }
    for name in [
        "createdDateTime",
        "employeeLeaveDateTime",
        "externalUserStateChangeDateTime",
        "hireDate",
        "onPremisesLastSyncDateTime",
    ] {
        write!(user, ",\"{name}\":\"2026-01-02T03:04:{:02}Z\"", number % 60).unwrap();
    }
    for name in [
        "aboutMe",
        "ageGroup",
        "consentProvidedForMinor",
        "country",
        "creationType",
        "deletedDateTime",
        "employeeHireDate",
        "externalUserState",
        "lastPasswordChangeDateTime",
        "legalAgeGroupClassification",
        "mySite",
        "onPremisesDistinguishedName",
    ] {
        write!(user, ",\"{name}\":null").unwrap();
    }
    user.push_str(r#","accountEnabled":true,"proxyAddresses":["SMTP:adele@contoso-international.onmicrosoft.com","smtp:a@contoso.com"],"assignedLicenses":[{"skuId":"c7df2760-2c81-4ef7-b578-5b5392b571df","disabledPlans":["8e0c0a52-6a6c-4d40-8370-dd62790dcd70"]}],"identities":[{"signInType":"userPrincipalName","issuer":"contoso.onmicrosoft.com","issuerAssignedId":"adele@contoso-international.onmicrosoft.com"}],"extension_2b4a5f8d1c3e4f6a8b9c0d1e2f3a4b5c_costCenter":"CC2961","extension_2b4a5f8d1c3e4f6a8b9c0d1e2f3a4b5c_badge":108061,"newProperty":{"a":1,"b":["x","y"],"c":null},"newFlag":null}"#);
    user
}

#[derive(Deserialize)]
struct Page<U> {
    value: Vec<U>,
}

/// A time as text.
#[derive(Default, Deserialize)]
#[serde(transparent)]
struct TextTime(#[expect(dead_code, reason = "only decoded")] Option<String>);

/// How a time is decoded.
trait Time: Default {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

impl Time for TextTime {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

impl Time for Option<Timestamp> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<&str>::deserialize(deserializer)?;
        text.map(|text| Timestamp::parse(text, &Rfc3339))
            .transpose()
            .map_err(serde::de::Error::custom)
    }
}

macro_rules! derived {
    ($($field:ident: $kind:ty,)* ; times $($time:ident,)*) => {
        /// The usual properties of a user, as a program would declare them by hand. Others are dropped.
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default, bound = "T: Time")]
        struct Derived<T> {
            $($field: Option<$kind>,)*
            $(#[serde(deserialize_with = "T::read")] $time: T,)*
        }
    };
}

derived! {
    about_me: String,
    account_enabled: bool,
    age_group: String,
    assigned_licenses: Vec<License>,
    assigned_plans: Vec<Plan>,
    business_phones: Vec<String>,
    city: String,
    company_name: String,
    consent_provided_for_minor: String,
    country: String,
    creation_type: String,
    department: String,
    display_name: String,
    employee_id: String,
    employee_org_data: Box<Organization>,
    employee_type: String,
    external_user_state: String,
    fax_number: String,
    given_name: String,
    id: String,
    identities: Vec<Identity>,
    im_addresses: Vec<String>,
    interests: Vec<String>,
    is_management_restricted: bool,
    is_resource_account: bool,
    job_title: String,
    legal_age_group_classification: String,
    mail: String,
    mail_nickname: String,
    mobile_phone: String,
    my_site: String,
    office_location: String,
    on_premises_distinguished_name: String,
    on_premises_domain_name: String,
    on_premises_immutable_id: String,
    on_premises_sam_account_name: String,
    on_premises_security_identifier: String,
    on_premises_sync_enabled: bool,
    on_premises_user_principal_name: String,
    other_mails: Vec<String>,
    password_policies: String,
    past_projects: Vec<String>,
    postal_code: String,
    preferred_data_location: String,
    preferred_language: String,
    preferred_name: String,
    proxy_addresses: Vec<String>,
    responsibilities: Vec<String>,
    schools: Vec<String>,
    security_identifier: String,
    show_in_address_list: bool,
    skills: Vec<String>,
    state: String,
    street_address: String,
    surname: String,
    usage_location: String,
    user_principal_name: String,
    user_type: String,
    ; times
    birthday,
    created_date_time,
    deleted_date_time,
    employee_hire_date,
    employee_leave_date_time,
    external_user_state_change_date_time,
    hire_date,
    last_password_change_date_time,
    on_premises_last_sync_date_time,
    sign_in_sessions_valid_from_date_time,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct License {
    sku_id: Option<String>,
    disabled_plans: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Plan {
    service: Option<String>,
    capability_status: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Organization {
    division: Option<String>,
    cost_center: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Identity {
    sign_in_type: Option<String>,
    issuer: Option<String>,
    issuer_assigned_id: Option<String>,
}
