//! Tests of the Graph side alone: requests in, responses out, with constructed callers.

use std::borrow::Cow;

use entra_core::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::{
    state::License,
    store::{Kind, Relation},
};

mod administrative_units;
mod administrators;
mod app_policies;
mod application_keys;
mod application_templates;
mod applications;
mod assignments;
mod audits;
mod authentication_methods;
mod batch;
mod beta;
mod conditional_access;
mod contacts;
mod delta;
mod delta_objects;
mod delta_oddities;
mod devices;
mod directory_actions;
mod directory_objects;
mod documented;
mod domains;
mod errors;
mod federated;
mod groups;
mod invitations;
mod licenses;
mod lifecycle;
mod limits;
mod links;
mod lists;
mod membership;
mod metadata_level;
mod objects;
mod organization;
mod paging;
mod permission_classifications;
mod permission_grants;
mod permissions;
mod photos;
mod quotas;
mod races;
mod references;
mod registration_limits;
mod rendered;
mod reports;
mod requests;
mod risk;
mod roles;
mod security_attributes;
mod service;
mod service_principal_keys;
mod service_principals;
mod sign_ins;
mod synchronization;
mod tenant_information;
mod user_actions;
mod users;
mod writes;

/// A small tenant whose objects the tests know, and the caller.
pub(super) struct Fixture {
    pub(super) tenant: RwLock<State>,
    pub(super) caller: Caller,
    pub(super) now: Timestamp,
    pub(super) faults: Mutex<Faults>,
}

/// One response, with its body as JSON if it is JSON.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, Cow<'static, str>)>,
    pub(super) text: String,
    pub(super) body: Value,
}

pub(super) fn id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

pub(super) const ADELE: u32 = 1;
pub(super) const BO: u32 = 2;
pub(super) const CLEO: u32 = 3;
pub(super) const ENGINEERS: u32 = 11;
pub(super) const TESTERS: u32 = 12;
pub(super) const DESK: u32 = 21;
pub(super) const DESK_APP: u32 = 22;
pub(super) const LAPTOP: u32 = 31;

impl Fixture {
    pub(super) fn new() -> Self {
        let mut state = State::new("Contoso", &["contoso.com"], License::P2, 1);
        let objects = [
            (
                Kind::User,
                json!({
                    "id": id(ADELE), "displayName": "Adele", "userPrincipalName": "adele@contoso.com", "mail": "adele@contoso.com",
                    "jobTitle": "Engineer", "department": "R&D", "accountEnabled": true, "~password": "secret",
                    "createdDateTime": "2025-01-01T00:00:00Z", "otherMails": ["a@x.example"],
                    "extension_0123456789abcdef0123456789abcdef_level": "5",
                    "assignedLicenses": [{"skuId": id(90), "disabledPlans": []}]
                }),
            ),
            (
                Kind::User,
                json!({
                    "id": id(BO), "displayName": "Bo O'Neil", "userPrincipalName": "bo@contoso.com", "accountEnabled": false,
                    "createdDateTime": "2025-02-01T00:00:00Z"
                }),
            ),
            (
                Kind::User,
                json!({
                    "id": id(CLEO), "displayName": "cleo", "userPrincipalName": "cleo@contoso.com", "accountEnabled": true,
                    "createdDateTime": "2025-03-01T00:00:00Z"
                }),
            ),
            (
                Kind::Group,
                json!({"id": id(ENGINEERS), "displayName": "Engineers", "securityEnabled": true}),
            ),
            (
                Kind::Group,
                json!({"id": id(TESTERS), "displayName": "Testers", "securityEnabled": true}),
            ),
            (
                Kind::ServicePrincipal,
                json!({
                    "id": id(DESK), "appId": id(220), "displayName": "Expense Desk",
                    "keyCredentials": [{"keyId": id(91), "key": "AAAA", "type": "AsymmetricX509Cert"}]
                }),
            ),
            (
                Kind::Application,
                json!({"id": id(DESK_APP), "appId": id(220), "displayName": "Expense Desk"}),
            ),
            (
                Kind::Device,
                json!({"id": id(LAPTOP), "deviceId": id(310), "displayName": "LAPTOP"}),
            ),
            (
                Kind::AppRoleAssignment,
                json!({
                    "id": "Aa-bB_1", "principalId": id(ADELE), "resourceId": id(DESK), "appRoleId": id(0),
                    "principalType": "User", "principalDisplayName": "Adele", "resourceDisplayName": "Expense Desk"
                }),
            ),
            (
                Kind::AppRoleAssignment,
                json!({
                    "id": "Aa-bB_2", "principalId": id(ENGINEERS), "resourceId": id(DESK), "appRoleId": id(0),
                    "principalType": "Group", "principalDisplayName": "Engineers", "resourceDisplayName": "Expense Desk"
                }),
            ),
            (
                Kind::OAuth2PermissionGrant,
                json!({
                    "id": "grant-1", "clientId": id(DESK), "consentType": "Principal", "principalId": id(ADELE), "scope": "User.Read"
                }),
            ),
            (
                Kind::Organization,
                json!({"id": id(99), "displayName": "Contoso"}),
            ),
            (
                Kind::SubscribedSku,
                json!({"id": "sku-1", "skuId": id(90), "skuPartNumber": "AAD_PREMIUM_P2"}),
            ),
            sign_in("s1", ADELE, "2026-11-20T08:00:00Z", "interactiveUser", 0),
            sign_in(
                "s2",
                ADELE,
                "2026-11-20T09:00:00Z",
                "interactiveUser",
                50126,
            ),
            sign_in("s3", BO, "2026-11-19T09:00:00Z", "interactiveUser", 0),
            sign_in(
                "silent",
                ADELE,
                "2026-11-20T10:00:00Z",
                "nonInteractiveUser",
                0,
            ),
            sign_in("old", BO, "2026-10-01T00:00:00Z", "interactiveUser", 0),
            (
                Kind::DirectoryAudit,
                json!({
                    "id": "d1", "activityDateTime": "2026-11-20T00:00:00Z", "activityDisplayName": "Add user",
                    "initiatedBy": {"user": {"id": id(BO), "userPrincipalName": "bo@contoso.com"}},
                    "targetResources": [{"id": id(CLEO), "displayName": "cleo"}]
                }),
            ),
            (
                Kind::DirectoryAudit,
                json!({
                    "id": "d2", "activityDateTime": "2026-11-02T00:00:00Z", "activityDisplayName": "Update user"
                }),
            ),
        ];
        for (kind, object) in objects {
            state
                .store
                .insert(kind, object.as_object().cloned().unwrap())
                .unwrap();
        }
        for (relation, from, to) in [
            (Relation::Members, ENGINEERS, ADELE),
            (Relation::Members, ENGINEERS, TESTERS),
            (Relation::Members, ENGINEERS, LAPTOP),
            (Relation::Members, TESTERS, BO),
            // A cycle, which Entra allows.
            (Relation::Members, TESTERS, ENGINEERS),
            (Relation::Owners, ENGINEERS, BO),
            (Relation::Owners, DESK, ADELE),
            (Relation::Manager, ADELE, BO),
            (Relation::Manager, BO, CLEO),
            (Relation::RegisteredOwners, LAPTOP, ADELE),
            (Relation::RegisteredUsers, LAPTOP, ADELE),
        ] {
            assert!(state.store.link(relation, &id(from), &id(to)));
        }
        let mut fixture = Self {
            tenant: RwLock::new(state),
            caller: Caller::default(),
            now: Timestamp::from_unix_timestamp(1_795_226_882).unwrap(),
            faults: Mutex::default(),
        };
        fixture.application(&["Directory.Read.All", "AuditLog.Read.All"]);
        fixture
    }

    /// The tenant inside of the lock.
    pub(super) fn state(&mut self) -> &mut State {
        self.tenant.get_mut().unwrap()
    }

    /// Sets the caller to an application with these permissions.
    pub(super) fn application(&mut self, roles: &[&str]) {
        self.caller = Caller {
            app_id: id(500),
            roles: roles.iter().map(|&name| name.into()).collect(),
            ..Caller::default()
        };
    }

    /// Sets the caller to Adele, through an application with these delegated permissions.
    pub(super) fn adele(&mut self, scopes: &[&str]) {
        self.caller = Caller {
            app_id: id(500),
            user_id: Some(id(ADELE)),
            scopes: scopes.iter().map(|&name| name.into()).collect(),
            ..Caller::default()
        };
    }

    pub(super) fn send(&self, request: &WireRequest) -> Response {
        Response::of(self.reply(request, Ok(&self.caller)))
    }

    /// The response to a request of any caller.
    pub(super) fn reply(
        &self,
        request: &WireRequest,
        caller: Result<&Caller, TokenProblem>,
    ) -> Reply {
        let charge = charge(&self.tenant, self.now, request, caller);
        respond(
            &self.tenant,
            &self.faults,
            self.now,
            request,
            caller,
            &charge,
        )
    }

    pub(super) fn get(&self, target: &str) -> Response {
        self.send(&request("GET", target, &[]))
    }

    /// Makes a user an administrator.
    pub(super) fn promote(&mut self, number: u32) {
        self.state().make_administrator(&id(number));
    }

    /// Sends a JSON body.
    pub(super) fn write(&self, method: &str, target: &str, body: &Value) -> Response {
        let mut request = request(method, target, &[("content-type", "application/json")]);
        request.body = body.to_string().into_bytes();
        self.send(&request)
    }

    pub(super) fn post(&self, target: &str, body: &Value) -> Response {
        self.write("POST", target, body)
    }

    pub(super) fn patch(&self, target: &str, body: &Value) -> Response {
        self.write("PATCH", target, body)
    }

    pub(super) fn delete(&self, target: &str) -> Response {
        self.send(&request("DELETE", target, &[]))
    }

    /// Everything that a write can change: objects, links, deleted items and the change log, grants, domains and
    /// notifications.
    pub(super) fn snapshot(&self) -> String {
        let state = self.tenant.read().unwrap();
        format!(
            "{:?}",
            (
                &state.store,
                &state.grants,
                &state.domains,
                &state.unpublished_records,
                &state.notifications,
            )
        )
    }

    pub(super) fn eventual(&self, target: &str) -> Response {
        self.send(&request("GET", target, &[("consistencylevel", "eventual")]))
    }

    /// Follows the next links to the end, with or without the header on every page.
    pub(super) fn walk(&self, target: &str, eventual: bool) -> Vec<Response> {
        let mut target = target.to_owned();
        let mut pages = Vec::new();
        loop {
            let page = if eventual {
                self.eventual(&target)
            } else {
                self.get(&target)
            };
            assert_eq!(page.status, 200, "{}", page.text);
            let next = page.body["@odata.nextLink"].as_str().map(str::to_owned);
            pages.push(page);
            match next {
                Some(next) => {
                    target = next
                        .strip_prefix("https://tenant.test/v1.0")
                        .expect("an absolute link")
                        .to_owned()
                }
                None => return pages,
            }
        }
    }
}

impl Response {
    pub(super) fn of(reply: Reply) -> Self {
        let text = String::from_utf8(reply.body.to_vec()).unwrap();
        Self {
            status: reply.status,
            headers: reply.headers,
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| &**value)
    }

    /// One property of every item.
    pub(super) fn all(&self, property: &str) -> Vec<&str> {
        assert_eq!(self.status, 200, "{}", self.text);
        self.body["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item[property].as_str().unwrap_or("null"))
            .collect()
    }

    /// Status, code and message of an error.
    pub(super) fn error(&self) -> (u16, &str, &str) {
        let error = &self.body["error"];
        (
            self.status,
            error["code"].as_str().unwrap_or_default(),
            error["message"].as_str().unwrap_or_default(),
        )
    }
}

pub(super) fn request(method: &str, target: &str, headers: &[(&str, &str)]) -> WireRequest {
    let (path, query) = target
        .split_once('?')
        .map_or((target, None), |(path, query)| (path, Some(query)));
    WireRequest {
        method: method.into(),
        path: format!("/v1.0{path}"),
        query: query.map(str::to_owned),
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
        body: Vec::new(),
        base: "https://tenant.test".into(),
        handshakes: Vec::new(),
    }
}

fn sign_in(name: &str, user: u32, time: &str, kind: &str, code: u32) -> (Kind, Value) {
    let record = json!({
        "id": name, "userId": id(user), "createdDateTime": time, "signInEventTypes": [kind], "appId": id(220),
        "appDisplayName": "Expense Desk", "status": {"errorCode": code}, "isInteractive": kind == "interactiveUser"
    });
    (Kind::SignIn, record)
}
