//! Twenty clients at once at what can be redeemed.
//!
//! `ENTRA_RACE_ROUNDS=1000` runs all rounds; a tenth runs otherwise.

use std::{
    collections::BTreeSet,
    sync::{Barrier, Mutex, RwLock},
    thread,
};

use entra_core::Timestamp;
use serde_json::Value;
use url::form_urlencoded;

use crate::{
    directory::{AppIds, GRAPH_APP_ID, later, object},
    grants::{
        Code, DeviceDecision, DeviceRequest, Platform, RefreshToken, RequestedResource,
        RequestedScopes, Subject,
    },
    login,
    schema::APPLICATION_OF,
    seed::{Company, Seed},
    state::{License, State},
    store::Kind,
    wire::WireRequest,
};

const CLIENTS: usize = 20;

fn rounds() -> usize {
    let rounds = std::env::var("ENTRA_RACE_ROUNDS").ok();
    rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(100)
}

/// A tenant with an application, and Adele who has signed in.
struct Race {
    state: RwLock<State>,
    now: Timestamp,
    app: AppIds,
    secret: String,
    subject: Subject,
}

impl Race {
    fn new() -> Self {
        let now = Timestamp::from_unix_timestamp(1_795_226_882).unwrap();
        let mut state = Seed::Contoso.build(now, License::P2, 1, 0, &Company::default());
        let app = state.add_app(now, "Shop").unwrap();
        state
            .grant_delegated_permissions(&app.service_principal_id, "User.Read")
            .unwrap();
        let day = std::time::Duration::from_secs(24 * 3600);
        let secret = state.add_secret(now, &app.object_id, day);
        let user = state
            .store
            .find(Kind::User, "userPrincipalName", "adele@contoso.com")
            .unwrap();
        let subject = Subject {
            user_id: user["id"].as_str().unwrap().to_owned(),
            mfa: true,
            auth_time: now,
            generation: 0,
            sid: state.new_id(),
        };
        Self {
            state: RwLock::new(state),
            now,
            app,
            secret: secret.expose_secret().to_owned(),
            subject,
        }
    }

    fn requested() -> RequestedScopes {
        RequestedScopes {
            offline_access: true,
            resources: vec![RequestedResource {
                identifier: GRAPH_APP_ID.to_owned(),
                prefix: None,
                names: vec!["User.Read".to_owned()],
                default: false,
            }],
            ..RequestedScopes::default()
        }
    }

    /// Sends one token request on each of twenty threads at once. Returns statuses and bodies.
    fn send(&self, fields: &[(&str, &str)]) -> Vec<(u16, Value)> {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.app.app_id)
            .extend_pairs(fields)
            .finish();
        let request = WireRequest {
            method: "POST".into(),
            path: "/contoso.com/oauth2/v2.0/token".into(),
            query: None,
            headers: Vec::new(),
            body: body.into_bytes(),
            base: "https://localhost".into(),
            handshakes: Vec::new(),
        };
        let start = Barrier::new(CLIENTS);
        let replies = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    start.wait();
                    let reply = login::respond(&self.state, self.now, &request);
                    let body = serde_json::from_slice(&reply.body).unwrap();
                    replies.lock().unwrap().push((reply.status, body));
                });
            }
        });
        replies.into_inner().unwrap()
    }
}

/// Asserts that one request has succeeded, and that the others have this error.
#[track_caller]
fn assert_one_winner(replies: &[(u16, Value)], code: u32) {
    let winners = replies.iter().filter(|(status, _)| *status == 200).count();
    let losers = replies
        .iter()
        .filter(|(_, body)| body["error_codes"][0] == code)
        .count();
    assert_eq!((winners, losers), (1, CLIENTS - 1), "{replies:?}");
}

#[test]
fn one_of_twenty_clients_redeems_a_code() {
    let race = Race::new();
    for round in 0..rounds() {
        let text = format!("1.A{:0>80}", round);
        let code = Code {
            client_id: race.app.app_id.clone(),
            redirect_uri: "https://shop.example/callback".into(),
            platform: Platform::Web,
            challenge: None,
            nonce: None,
            requested: Race::requested(),
            subject: race.subject.clone(),
            expires_on: later(race.now, std::time::Duration::from_secs(600)),
            redeemed: false,
        };
        race.state
            .write()
            .unwrap()
            .grants
            .codes
            .insert(text.clone(), code);
        let replies = race.send(&[
            ("grant_type", "authorization_code"),
            ("client_secret", &race.secret),
            ("code", &text),
            ("redirect_uri", "https://shop.example/callback"),
        ]);
        assert_one_winner(&replies, 54_005);
    }
}

#[test]
fn one_of_twenty_clients_redeems_a_device_code() {
    let race = Race::new();
    for round in 0..rounds() {
        let device_code = format!("device-{round}");
        let request = DeviceRequest {
            device_code: device_code.clone(),
            user_code: format!("CODE{round}"),
            client_id: race.app.app_id.clone(),
            requested: Race::requested(),
            expires_on: later(race.now, std::time::Duration::from_secs(600)),
            last_poll: None,
            decision: DeviceDecision::Approved(race.subject.clone()),
        };
        race.state
            .write()
            .unwrap()
            .grants
            .devices
            .insert(device_code.clone(), request);
        let replies = race.send(&[
            ("grant_type", "device_code"),
            ("client_secret", &race.secret),
            ("device_code", &device_code),
        ]);
        assert_one_winner(&replies, 54_005);
    }
}

#[test]
fn each_of_twenty_clients_gets_a_refresh_token_of_its_own() {
    let race = Race::new();
    let token = RefreshToken {
        client_id: race.app.app_id.clone(),
        requested: Race::requested(),
        subject: race.subject.clone(),
        public: false,
        expires_on: later(race.now, std::time::Duration::from_secs(600)),
        fixed_end: false,
    };
    race.state
        .write()
        .unwrap()
        .grants
        .refresh_tokens
        .insert("first".into(), token);
    let mut seen = BTreeSet::new();
    for _ in 0..rounds().div_ceil(4) {
        let replies = race.send(&[
            ("grant_type", "refresh_token"),
            ("client_secret", &race.secret),
            ("refresh_token", "first"),
        ]);
        for (status, body) in replies {
            assert_eq!(status, 200, "{body}");
            let next = body["refresh_token"].as_str().unwrap().to_owned();
            assert!(seen.insert(next), "a refresh token was issued twice");
        }
    }
}

#[test]
fn a_client_assertion_can_be_sent_again() {
    let race = Race::new();
    let issuer = "https://tokens.example.com";
    {
        let mut state = race.state.write().unwrap();
        state.issuers.insert(issuer.into(), login::published_keys());
        let credential = object([
            ("id", state.new_id().into()),
            ("name", "jobs".into()),
            ("issuer", issuer.into()),
            ("subject", "job".into()),
            (
                "audiences",
                serde_json::json!(["api://AzureADTokenExchange"]),
            ),
            (APPLICATION_OF, race.app.object_id.clone().into()),
        ]);
        state
            .store
            .insert(Kind::FederatedCredential, credential)
            .unwrap();
    }
    let now = race.now.unix_timestamp();
    let assertion = login::issue_federated(&serde_json::json!({
        "iss": issuer, "sub": "job", "aud": "api://AzureADTokenExchange", "jti": "the same",
        "iat": now, "nbf": now, "exp": now + 600,
    }));
    let mut ids = BTreeSet::new();
    for _ in 0..rounds().div_ceil(4) {
        let replies = race.send(&[
            ("grant_type", "client_credentials"),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", &assertion),
            ("scope", "https://graph.microsoft.com/.default"),
        ]);
        for (status, body) in replies {
            assert_eq!(status, 200, "{body}");
            let token = body["access_token"].as_str().unwrap().to_owned();
            assert!(ids.insert(token), "a token was issued twice");
        }
    }
}
