//! Every documented filter, sort order and mode, from the table of operators and the pages of the types: what
//! is documented is sent in its mode and the fake tenant takes it, and everything else fails before it is sent, and
//! the fake tenant rejects it as well.
//!
//! `ENTRA_FACTS` names the folder of documented facts; without it this is skipped.

mod rows;

use std::{
    collections::BTreeSet,
    env, fs,
    path::Path,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use entra_core::{
    Guid, HttpTransport, ReqwestTransport, Timestamp, TransportError, bytes::Bytes, http,
    url::form_urlencoded,
};
use entra_graph::{
    Error, ErrorKind, Filter, GraphClient, Key, NavigationProperty, Property,
    query::{Described, ReadOnly},
};
use entra_mock::FakeTenant;
use serde_json::{Value, json};

use crate::{scripts::is_advanced, support::AppCredential};

/// A filter by one property with one operator, or `None` if the type of its values has no such operator.
type Row<E> = (&'static str, fn(Op) -> Option<Filter<E>>);

/// An operator, with `ne`, `in` and negation, which follow from `eq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Eq,
    Ne,
    In,
    Not,
    Ge,
    Le,
    StartsWith,
    EndsWith,
    Null,
    NotNull,
}

const OPS: [Op; 10] = [
    Op::Eq,
    Op::Ne,
    Op::In,
    Op::Not,
    Op::Ge,
    Op::Le,
    Op::StartsWith,
    Op::EndsWith,
    Op::Null,
    Op::NotNull,
];

impl Op {
    /// The operator whose row decides, in the words of the table.
    fn in_table(self) -> &'static str {
        match self {
            Self::Eq | Self::Ne | Self::In | Self::Not => "eq",
            Self::Ge => "ge",
            Self::Le => "le",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Null | Self::NotNull => "null",
        }
    }

    /// Negations take the advanced mode.
    fn is_negation(self) -> bool {
        matches!(self, Self::Ne | Self::Not | Self::NotNull)
    }
}

/// How far an operator is documented on a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    No,
    Default,
    Advanced,
    /// Documented by the page of the type alone, which has no modes.
    Any,
}

macro_rules! compared {
    ($name:ident, $type:ty, $one:expr, $other:expr) => {
        fn $name<E, A>(property: &Property<E, $type, A>, op: Op) -> Option<Filter<E>> {
            Some(match op {
                Op::Eq => property.eq($one),
                Op::Ne => property.ne($one),
                Op::In => property.is_in([$one, $other]),
                Op::Not => !property.eq($one),
                Op::Ge => property.ge($one),
                Op::Le => property.le($one),
                Op::Null => property.is_null(),
                Op::NotNull => property.is_not_null(),
                Op::StartsWith | Op::EndsWith => return None,
            })
        }
    };
}

compared!(flag_or_range, bool, true, false);
compared!(number, i32, 2, 3);
compared!(
    guid,
    Guid,
    ID.parse::<Guid>().unwrap(),
    OTHER.parse::<Guid>().unwrap()
);
compared!(
    time,
    Timestamp,
    Timestamp::UNIX_EPOCH,
    Timestamp::UNIX_EPOCH
);

/// No boolean is greater than another.
fn flag<E, A>(property: &Property<E, bool, A>, op: Op) -> Option<Filter<E>> {
    (!matches!(op, Op::Ge | Op::Le)).then(|| flag_or_range(property, op))?
}

fn text<E, A>(property: &Property<E, String, A>, op: Op) -> Option<Filter<E>> {
    Some(match op {
        Op::Eq => property.eq(ID),
        Op::Ne => property.ne(ID),
        Op::In => property.is_in([ID, OTHER]),
        Op::Not => !property.eq(ID),
        Op::Ge => property.ge(ID),
        Op::Le => property.le(ID),
        Op::Null => property.is_null(),
        Op::NotNull => property.is_not_null(),
        Op::StartsWith => property.starts_with("2"),
        Op::EndsWith => property.ends_with("0"),
    })
}

/// An item of a collection of texts.
fn texts<E, A>(property: &Property<E, Vec<String>, A>, op: Op) -> Option<Filter<E>> {
    any(property, op, |item| text(&item, op))
}

/// An item of a collection. Inside of `any`, there are no `ne` and no `in`, and the whole of it is negated.
fn any<E, T, A>(
    property: &Property<E, Vec<T>, A>,
    op: Op,
    condition: impl Fn(Property<E, T, ReadOnly>) -> Option<Filter<E>>,
) -> Option<Filter<E>> {
    lambda(op, |made| property.any(|item| made(condition(item))))
}

/// The same of related objects.
fn related<E: Described, F>(
    property: &NavigationProperty<E>,
    op: Op,
    condition: impl Fn(Property<E, F, ReadOnly>) -> Option<Filter<E>>,
) -> Option<Filter<E>> {
    lambda(op, |made| property.any(|item| made(condition(item))))
}

fn lambda<E>(
    op: Op,
    write: impl FnOnce(&mut dyn FnMut(Option<Filter<E>>) -> Filter<E>) -> Filter<E>,
) -> Option<Filter<E>> {
    if matches!(op, Op::Ne | Op::NotNull | Op::In) {
        return None;
    }
    let mut is_there = true;
    let filter = write(&mut |condition| {
        is_there = condition.is_some();
        condition.unwrap_or_else(|| Filter::raw(""))
    });
    is_there.then_some(filter)
}

const ID: &str = "2b4c7f3a-9d1e-4c55-8f60-1a2b3c4d5e60";
const OTHER: &str = "7d54cb02-aaa3-4016-9f9c-a4b49422dd90";

/// Operators for which entra-graph differs from the table, and why.
const DIFFERENT: &[(&str, &str, &str, Mode, &str)] = &[
    (
        "user",
        "assignedLicenses/any(a:a/skuId)",
        "eq",
        Mode::Advanced,
        "in the default mode, page 2 of a large result fails (msgraph-sdk-java 368)",
    ),
    (
        "group",
        "assignedLicenses/any(a:a/skuId)",
        "eq",
        Mode::Advanced,
        "in the default mode, page 2 of a large result fails (msgraph-sdk-java 368)",
    ),
    (
        "user",
        "passwordPolicies",
        "eq",
        Mode::No,
        "the page means `eq null`; the table says no",
    ),
];

/// Documented paths that no filter of entra-graph has, and why.
const ABSENT: &[(&str, &str, &str)] = &[
    ("device", "hostnames", NO_PROPERTY),
    ("device", "systemLabels", COUNT_ONLY),
    ("group", "createdByAppId", NO_PROPERTY),
    ("group", "members", COUNT_ONLY),
    ("group", "owners", COUNT_ONLY),
    (
        "servicePrincipal",
        "preferredTokenSigningKeyEndDateTime",
        NO_PROPERTY,
    ),
    ("servicePrincipal", "publisherName", NO_PROPERTY),
    ("user", "infoCatalogs", NO_PROPERTY),
    ("application", "keyCredentials", NO_PART),
    ("servicePrincipal", "keyCredentials", NO_PART),
    (
        "application",
        "extensionProperties",
        "the list of extensions has no filter in the metadata",
    ),
    ("signIn", "deviceDetail", NO_PART),
    ("signIn", "location", NO_PART),
    ("signIn", "status", NO_PART),
    ("signIn", "conditionalAccessStatus", ENUMERATION),
    ("signIn", "riskDetail", ENUMERATION),
    ("signIn", "riskEventTypes", ENUMERATION),
    ("signIn", "riskLevelAggregated", ENUMERATION),
    ("signIn", "riskLevelDuringSignIn", ENUMERATION),
    ("signIn", "riskState", ENUMERATION),
];
const NO_PROPERTY: &str = "the metadata of v1.0 has no such property";
const NO_PART: &str = "a complex value; the page names no part of it";
const COUNT_ONLY: &str = "filtered by `$count` alone, which `is_empty` and `is_not_empty` write";
const ENUMERATION: &str = "an enumeration, compared by its member; tests of the logs filter by it";

const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
const ASSIGNED: &str =
    "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/appRoleAssignedTo";

/// In the default mode only ([groups](https://learn.microsoft.com/graph/api/resources/group)).
const DEFAULT_ONLY: &str = "hasMembersWithLicenseErrors";

struct Facts(Value);

impl Facts {
    fn read() -> Option<Self> {
        let Some(folder) = env::var_os("ENTRA_FACTS") else {
            println!("skipped: ENTRA_FACTS is not set");
            return None;
        };
        let path = Path::new(&folder).join("graph-filter-support.json");
        Some(Self(
            serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap(),
        ))
    }

    fn mode(&self, kind: &str, path: &str, op: Op) -> Mode {
        if let Some((.., mode, _)) = DIFFERENT
            .iter()
            .find(|(of, at, by, ..)| *of == kind && *at == path && *by == op.in_table())
        {
            return *mode;
        }
        let table = &self.0["filter_operators"][kind];
        let root = path.split(['/', '(']).next().unwrap();
        let is_plain =
            path == root || path.ends_with("/any(p:p)") && path.matches('/').count() == 1;
        let notes = &self.0["property_notes"][kind][root];
        let on_page = |name: &str| {
            let listed = notes["filter"].as_array();
            is_plain && listed.is_some_and(|names| names.iter().any(|known| known == name))
        };
        if op == Op::EndsWith {
            let known = ["mail", "otherMails", "userPrincipalName", "proxyAddresses"];
            return if known.contains(&root) && !table.is_null() && is_plain {
                Mode::Advanced
            } else {
                Mode::No
            };
        }
        let name = op.in_table();
        match table[path][name].as_str() {
            Some("default") => Mode::Default,
            Some("advanced") => Mode::Advanced,
            _ if on_page(name) => Mode::Any,
            _ if name == "null" && is_plain && notes["filter_null"] == true => Mode::Any,
            _ => Mode::No,
        }
    }

    /// Every path that the table or the page of a type filters by.
    fn documented(&self, kind: &str) -> BTreeSet<String> {
        let table = self.0["filter_operators"][kind].as_object();
        let mut paths: BTreeSet<String> = table
            .into_iter()
            .flat_map(|rows| rows.keys().cloned())
            .collect();
        for (name, note) in self.0["property_notes"][kind].as_object().unwrap() {
            let known = |path: &String| {
                path.split('/').next() == Some(name) || path.starts_with(&format!("{name}s1"))
            };
            if (note["filter"].is_array() || note["filter"] == true) && !paths.iter().any(known) {
                paths.insert(name.clone());
            }
        }
        paths
    }
}

/// Remembers whether the last request was an advanced query.
#[derive(Clone, Debug)]
struct Recorder {
    inner: Arc<ReqwestTransport>,
    last: Arc<Mutex<Option<bool>>>,
}

#[async_trait]
impl HttpTransport for Recorder {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        *self.last.lock().unwrap() = Some(is_advanced(&request));
        self.inner.send(request).await
    }
}

struct Check {
    facts: Facts,
    graph: GraphClient,
    recorder: Recorder,
    /// Requests to compare with the tenant's own checks.
    raw: Vec<RawCheck>,
    checked: usize,
    failures: Vec<String>,
}

/// A filter as written, in one mode, and the status that the tenant must return.
struct RawCheck {
    list: String,
    filter: String,
    advanced: bool,
    expected: u16,
}

impl RawCheck {
    fn json(&self, id: usize) -> Value {
        let filter: String = form_urlencoded::byte_serialize(self.filter.as_bytes()).collect();
        let filter = filter.replace('+', "%20");
        let (count, headers) = if self.advanced {
            ("&$count=true", json!({ "ConsistencyLevel": "eventual" }))
        } else {
            ("", json!({}))
        };
        let url = format!("{}?$top=1&$filter={filter}{count}", self.list);
        json!({ "id": id.to_string(), "method": "GET", "url": url, "headers": headers })
    }
}

impl Check {
    async fn start(facts: Facts) -> (FakeTenant, Self) {
        let tenant = FakeTenant::start().await;
        let app = tenant.register_app("Reader").with_secret();
        for permission in [
            "Directory.Read.All",
            "AuditLog.Read.All",
            "OrgContact.Read.All",
        ] {
            app.application_permission(permission);
        }
        let recorder = Recorder {
            inner: Arc::new(ReqwestTransport::builder().build()),
            last: Arc::default(),
        };
        let graph = GraphClient::builder(AppCredential::new(&tenant, &app))
            .cloud(tenant.cloud())
            .clock(tenant.clock())
            .transport(recorder.clone())
            .build()
            .unwrap();
        let check = Self {
            facts,
            graph,
            recorder,
            raw: Vec::new(),
            checked: 0,
            failures: Vec::new(),
        };
        (tenant, check)
    }

    /// Sends every request as written, in batches, and compares the statuses.
    async fn compare_with_tenant(&mut self) {
        let raw = std::mem::take(&mut self.raw);
        for requests in raw.chunks(20) {
            let bodies: Vec<Value> = requests
                .iter()
                .enumerate()
                .map(|(id, one)| one.json(id))
                .collect();
            let batch = self
                .graph
                .raw("POST", "/$batch")
                .body_json(&json!({ "requests": bodies }));
            let replies: Value = batch.json().await.unwrap();
            for response in replies["responses"].as_array().unwrap() {
                let id: usize = response["id"].as_str().unwrap().parse().unwrap();
                let one = &requests[id];
                if response["status"] != one.expected {
                    let text = format!(
                        "{} {}",
                        response["status"], response["body"]["error"]["message"]
                    );
                    self.failures.push(format!(
                        "{}: {}: the tenant returns {text}, advanced: {}",
                        one.list, one.filter, one.advanced
                    ));
                }
            }
        }
    }

    fn expect(&mut self, list: &str, filter: &str, advanced: bool, expected: u16) {
        self.raw.push(RawCheck {
            list: list.to_owned(),
            filter: filter.to_owned(),
            advanced,
            expected,
        });
    }

    fn fail(&mut self, kind: &str, filter: &str, problem: &str) {
        self.failures.push(format!("{kind}: {filter}: {problem}"));
    }

    /// Checks what came of a filter that entra-graph sent or did not send.
    fn judge(&mut self, at: At<'_>, filter: &str, result: Result<(), Error>, sent: Option<bool>) {
        let At {
            kind,
            list,
            path,
            op,
            directory,
        } = at;
        let mut mode = self.facts.mode(kind, path, op);
        if op.is_negation() && mode != Mode::No {
            let alone = path == DEFAULT_ONLY;
            mode = if directory && !alone {
                Mode::Advanced
            } else {
                Mode::No
            };
        }
        self.checked += 1;
        if mode == Mode::No {
            match result {
                Err(error) if error.kind() == ErrorKind::Query && sent.is_none() => {
                    let reason = error.to_string();
                    if !["not supported", "cannot be negated", "default mode only"]
                        .iter()
                        .any(|text| reason.contains(text))
                    {
                        self.fail(kind, filter, &reason);
                    }
                }
                other => self.fail(
                    kind,
                    filter,
                    &format!("not documented, but entra-graph: {other:?}, sent: {sent:?}"),
                ),
            }
            for advanced in [false, true] {
                self.expect(list, filter, advanced, 400);
            }
            return;
        }
        let expected = match mode {
            Mode::Advanced => Some(true),
            Mode::Default => Some(false),
            Mode::Any | Mode::No => sent,
        };
        if let Err(error) = result {
            self.fail(
                kind,
                filter,
                &format!("documented ({mode:?}), but: {error}"),
            );
        }
        if sent.is_none() || sent != expected {
            self.fail(
                kind,
                filter,
                &format!("documented as {mode:?}, advanced: {sent:?}"),
            );
        }
        if directory {
            let status = if path == DEFAULT_ONLY { 400 } else { 200 };
            self.expect(list, filter, true, status);
        }
        let differs = |(of, at, ..): &(&str, &str, &str, Mode, &str)| *of == kind && *at == path;
        if !DIFFERENT.iter().any(differs) || op.is_negation() {
            let status = if sent == Some(true) { 400 } else { 200 };
            self.expect(list, filter, false, status);
        }
    }

    /// Checks that each documented path has a row or a reason.
    fn covered(&mut self, kind: &str, rows: &[&str]) {
        let absent = |path: &str| {
            let root = path.split('/').next().unwrap();
            ABSENT
                .iter()
                .any(|(of, name, _)| *of == kind && *name == root)
        };
        for path in self.facts.documented(kind) {
            let root = path.split('/').next().unwrap();
            let there = rows.contains(&&*path)
                || rows
                    .iter()
                    .any(|row| row.split('/').next() == Some(root) && !path.contains('/'));
            if !there && !absent(&path) {
                self.fail(kind, &path, "no row and no reason");
            }
        }
    }
}

#[derive(Clone, Copy)]
struct At<'a> {
    kind: &'a str,
    list: &'a str,
    path: &'a str,
    op: Op,
    directory: bool,
}

macro_rules! check {
    ($check:ident, $kind:literal, $list:expr, $directory:literal, $rows:expr, |$graph:ident| $collection:expr) => {
        let names: Vec<&str> = $rows.iter().map(|(path, _)| *path).collect();
        $check.covered($kind, &names);
        for (path, make) in $rows {
            for op in OPS {
                let Some(filter) = make(op) else { continue };
                let written = filter.to_string();
                *$check.recorder.last.lock().unwrap() = None;
                let $graph = $check.graph.clone();
                let result = $collection
                    .list()
                    .filter(filter)
                    .top(1)
                    .send()
                    .await
                    .map(drop);
                let sent = $check.recorder.last.lock().unwrap().take();
                let at = At {
                    kind: $kind,
                    list: $list,
                    path,
                    op,
                    directory: $directory,
                };
                $check.judge(at, &written, result, sent);
            }
        }
    };
}

#[tokio::test]
async fn every_documented_filter_is_sent_in_its_mode_and_no_other_is_sent() {
    let Some(facts) = Facts::read() else { return };
    let (_tenant, mut check) = Check::start(facts).await;
    check!(check, "user", "/users", true, rows::USERS, |graph| graph
        .users());
    check!(check, "group", "/groups", true, rows::GROUPS, |graph| graph
        .groups());
    check!(
        check,
        "application",
        "/applications",
        true,
        rows::APPLICATIONS,
        |graph| graph.applications()
    );
    check!(
        check,
        "servicePrincipal",
        "/servicePrincipals",
        true,
        rows::SERVICE_PRINCIPALS,
        |graph| graph.service_principals()
    );
    check!(check, "device", "/devices", true, rows::DEVICES, |graph| {
        graph.devices()
    });
    #[cfg(feature = "contacts")]
    check!(
        check,
        "orgContact",
        "/contacts",
        true,
        rows::CONTACTS,
        |graph| graph.contacts()
    );
    #[cfg(feature = "administrative-units")]
    check!(
        check,
        "administrativeUnit",
        "/directory/administrativeUnits",
        true,
        rows::UNITS,
        |graph| graph.administrative_units()
    );
    check!(
        check,
        "oAuth2PermissionGrant",
        "/oauth2PermissionGrants",
        true,
        rows::PERMISSION_GRANTS,
        |graph| graph.oauth2_permission_grants()
    );
    check!(
        check,
        "appRoleAssignment",
        ASSIGNED,
        true,
        rows::ASSIGNMENTS,
        |graph| graph
            .service_principal(Key::app_id(GRAPH))
            .app_role_assigned_to()
    );
    check!(
        check,
        "signIn",
        "/auditLogs/signIns",
        false,
        rows::SIGN_INS,
        |graph| graph.audit_logs().sign_ins()
    );
    let raw = check.raw.len();
    check.compare_with_tenant().await;
    println!(
        "{} filters checked, {raw} requests as written",
        check.checked
    );
    assert!(
        check.failures.is_empty(),
        "{} failures\n{}",
        check.failures.len(),
        check.failures.join("\n")
    );
    assert!(check.checked > 1_200, "{}", check.checked);
}
