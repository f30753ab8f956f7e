//! Risky users and risk detections against the fake tenant.

use entra_graph::{
    GraphClient, RiskDetection, RiskyUser,
    types::{RiskDetail, RiskLevel, RiskState},
};
use entra_mock::FakeTenant;
use serde_json::json;

use crate::support::AppCredential;

async fn graph(permissions: &[&str]) -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Risk report").with_secret();
    for permission in permissions {
        app.application_permission(permission);
    }
    let graph = GraphClient::builder(AppCredential::new(&tenant, &app));
    let graph = graph.cloud(tenant.cloud()).clock(tenant.clock());
    (tenant, graph.build().unwrap())
}

#[tokio::test]
async fn risky_users_and_their_detections_are_found() {
    let (tenant, graph) =
        graph(&["IdentityRiskyUser.Read.All", "IdentityRiskEvent.Read.All"]).await;
    let now = entra_core::Clock::now(&tenant.clock());
    let text = now
        .format(&entra_core::time::format_description::well_known::Rfc3339)
        .unwrap();
    let robin = tenant.add_user("Robin");
    let id = robin.id().to_string();
    let user = json!({ "id": id, "riskLevel": "high", "riskState": "atRisk", "riskDetail": "none", "userDisplayName": "Robin" });
    tenant.insert("riskyUsers", user).unwrap();
    let detection = json!({ "userId": id, "riskEventType": "anonymizedIPAddress", "riskLevel": "high", "detectedDateTime": text, "activity": "signin" });
    let detection = tenant.insert("riskDetections", detection).unwrap();

    let protection = graph.identity_protection();
    let filter = RiskyUser::RISK_STATE
        .eq(RiskState::AtRisk)
        .and(RiskyUser::RISK_LEVEL.eq(RiskLevel::High));
    let list = protection
        .risky_users()
        .list()
        .filter(filter)
        .select(RiskyUser::RISK_LEVEL);
    let found = list.items().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(
        found.iter().map(|user| &*user.id).collect::<Vec<_>>(),
        [id.as_str()]
    );
    let one = protection
        .risky_user(robin.id())
        .get()
        .send()
        .await
        .unwrap();
    assert_eq!(one.user_display_name.as_deref(), Some("Robin"));
    let cleo = tenant.add_user("Cleo").id();
    assert_eq!(protection.risky_user(cleo).get_opt().await.unwrap(), None);

    let filter = RiskDetection::USER_ID
        .eq(robin.id())
        .and(RiskDetection::DETECTED_DATE_TIME.ge(now));
    let list = protection.risk_detections().list().filter(filter).top(1);
    let found = list.items().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(
        found.iter().map(|one| &*one.id).collect::<Vec<_>>(),
        [detection.as_str()]
    );
    let one = protection
        .risk_detection(&detection)
        .get()
        .send()
        .await
        .unwrap();
    assert_eq!(one.risk_level, Some(RiskLevel::High));
}

#[tokio::test]
async fn a_missing_permission_for_risk_is_named() {
    let (_tenant, graph) = graph(&["Directory.Read.All"]).await;
    let error = graph
        .identity_protection()
        .risky_users()
        .list()
        .send()
        .await
        .unwrap_err();
    assert!(
        format!("{error:#}").contains("IdentityRiskyUser.Read.All"),
        "{error:#}"
    );
    let error = graph
        .identity_protection()
        .risk_detections()
        .list()
        .send()
        .await
        .unwrap_err();
    assert!(
        format!("{error:#}").contains("IdentityRiskEvent.Read.All"),
        "{error:#}"
    );
}

#[tokio::test]
async fn risk_is_dismissed_and_confirmed_with_a_history() {
    let (tenant, graph) = graph(&[
        "IdentityRiskyUser.Read.All",
        "IdentityRiskyUser.ReadWrite.All",
    ])
    .await;
    let protection = graph.identity_protection();
    let at_risk = protection
        .risky_users()
        .list()
        .filter(RiskyUser::RISK_STATE.eq(RiskState::AtRisk));
    let seeded = at_risk.items().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(
        seeded[0].user_principal_name.as_deref(),
        Some("julia@contoso.com")
    );
    let julia = seeded[0].id.parse().unwrap();
    let robin = tenant.add_user("Robin").id();
    protection.dismiss([julia]).send().await.unwrap();
    protection
        .confirm_compromised([julia, robin])
        .send()
        .await
        .unwrap();
    let user = protection.risky_user(robin);
    assert_eq!(
        user.get().send().await.unwrap().risk_level,
        Some(RiskLevel::High)
    );
    let history = protection.risky_user(julia).history().list().items();
    let history = history.try_collect::<Vec<_>>().await.unwrap();
    let states: Vec<_> = history
        .iter()
        .filter_map(|item| item.risk_state.clone())
        .collect();
    assert_eq!(
        states,
        [RiskState::Dismissed, RiskState::ConfirmedCompromised]
    );
    let one = protection
        .risky_user(julia)
        .history_item(&history[0].id)
        .get()
        .send()
        .await
        .unwrap();
    assert_eq!(
        one.activity.unwrap().detail,
        Some(RiskDetail::AdminDismissedAllRiskForUser)
    );
    protection.confirm_safe([robin]).send().await.unwrap();
    assert_eq!(
        user.get().send().await.unwrap().risk_state,
        Some(RiskState::ConfirmedSafe)
    );
}

#[tokio::test]
async fn the_risk_of_a_sign_in_is_confirmed_and_dismissed() {
    let (_tenant, graph) = graph(&["IdentityRiskEvent.ReadWrite.All", "AuditLog.Read.All"]).await;
    let sign_ins = graph.audit_logs().sign_ins().list().top(2).send();
    let sign_ins = sign_ins.await.unwrap().items;
    let ids = [sign_ins[0].id.as_str(), sign_ins[1].id.as_str()];
    let protection = graph.identity_protection();
    let one = graph.audit_logs().sign_in(ids[0]);
    let state = async || one.get().send().await.unwrap().risk_state;
    let compromised = protection.confirm_sign_ins_compromised(&ids);
    compromised.send().await.unwrap();
    assert_eq!(state().await, Some(RiskState::ConfirmedCompromised));
    protection.dismiss_sign_ins(&ids[..1]).send().await.unwrap();
    assert_eq!(state().await, Some(RiskState::Dismissed));
    let safe = protection.confirm_sign_ins_safe(&ids[..1]);
    safe.send().await.unwrap();
    assert_eq!(state().await, Some(RiskState::ConfirmedSafe));
    let other = graph.audit_logs().sign_in(ids[1]).get().send().await;
    let other = other.unwrap();
    assert_eq!(other.risk_state, Some(RiskState::ConfirmedCompromised));
    assert_eq!(other.risk_level_aggregated, Some(RiskLevel::High));
    let none: [&str; 0] = [];
    assert!(protection.dismiss_sign_ins(&none).send().await.is_err());
    let unknown = protection.dismiss_sign_ins(&["unknown"]).send().await;
    assert!(unknown.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_risk_action_sends_the_documented_body_and_names_its_permission() {
    let (tenant, graph) = graph(&["IdentityRiskyUser.Read.All"]).await;
    let adele = tenant.user("adele@contoso.com").id();
    let error = graph
        .identity_protection()
        .dismiss([adele])
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        error.needed_permissions(),
        ["IdentityRiskyUser.ReadWrite.All"]
    );
    let script = entra_core::ScriptedTransport::new().then(204, &[], "");
    let builder = GraphClient::builder(entra_core::StaticCredential::new("token"));
    let graph = builder
        .transport(script.clone())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let ids = [
        "04487ee0-f4f6-4e7f-8999-facc5a30e232",
        "13387ee0-f4f6-4e7f-8999-facc5120e345",
    ];
    let users = ids.map(|id| id.parse().unwrap());
    graph
        .identity_protection()
        .dismiss(users)
        .send()
        .await
        .unwrap();
    let sent = &script.requests()[0];
    assert_eq!(
        sent.uri().path(),
        "/v1.0/identityProtection/riskyUsers/dismiss"
    );
    let body: serde_json::Value = serde_json::from_slice(sent.body()).unwrap();
    assert_eq!(body, json!({ "userIds": ids }));
}
