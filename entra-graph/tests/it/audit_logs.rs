//! The logs: against the fake tenant, and what they send against scripts.

use entra_core::{ScriptedTransport, time::Duration};
use entra_graph::{
    DirectoryAudit, ErrorKind, Filter, GraphClient, SignIn,
    types::{
        AuditActivityInitiator, ConditionalAccessStatus, RiskLevel, SignInLocation, SignInStatus,
        TargetResource, UserIdentity,
    },
};
use entra_mock::{FakeTenant, License};

use crate::{
    scripts::{asked, client, is_advanced},
    support::start,
};

async fn graph() -> (FakeTenant, GraphClient) {
    let (tenant, credential) = start().await;
    let graph = GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    (tenant, graph)
}

#[tokio::test]
async fn sign_ins_are_filtered_by_time_user_app_and_result() {
    let (tenant, graph) = graph().await;
    let robin = tenant.add_user("Robin");
    let app = tenant.register_app("Desk");
    let now = entra_core::Clock::now(&tenant.clock());
    let good = tenant.add_sign_in(robin.id(), app.client_id());
    let good = good.at(now - Duration::days(2)).id().to_owned();
    let bad = tenant.add_sign_in(robin.id(), app.client_id());
    let bad = bad
        .at(now - Duration::days(1))
        .failed(50_126)
        .id()
        .to_owned();

    let sign_ins = graph.audit_logs().sign_ins();
    let of_robin = SignIn::USER_ID
        .eq(robin.id())
        .and(SignIn::CREATED_DATE_TIME.ge(now - Duration::days(7)))
        .and(SignIn::APP_ID.eq(app.client_id()));
    let found = sign_ins.list().filter(of_robin.clone()).top(1).items();
    let found = found.try_collect::<Vec<_>>().await.unwrap();
    let ids: Vec<&str> = found.iter().map(|entry| &*entry.id).collect();
    assert_eq!(ids, [&bad, &good], "newest first");
    let outcomes: Vec<bool> = found.iter().map(SignIn::is_success).collect();
    assert_eq!(outcomes, [false, true]);

    let successful = SignIn::STATUS.path(SignInStatus::ERROR_CODE).eq(0);
    let found = sign_ins.list().filter(of_robin.and(successful)).items();
    assert_eq!(found.try_collect::<Vec<_>>().await.unwrap().len(), 1);
    let one = graph
        .audit_logs()
        .sign_in(&good)
        .get()
        .send()
        .await
        .unwrap();
    assert_eq!(one.app_display_name.as_deref(), Some("Desk"));
    assert!(one.is_interactive.unwrap());
}

#[tokio::test]
async fn a_missing_tenant_license_is_reported() {
    let (tenant, graph) = graph().await;
    tenant.set_license(License::Free);
    let list = graph.audit_logs().sign_ins().list();
    let error = list.send().await.unwrap_err();
    assert!(error.is_license_missing(), "{error}");
}

#[tokio::test]
async fn directory_audits_are_filtered_sorted_and_found() {
    let (_tenant, graph) = graph().await;
    let audits = graph.audit_logs().directory_audits();
    let all = audits.list().items().try_collect::<Vec<_>>().await.unwrap();
    assert!(all.len() > 1);
    let entry = &all[0];
    let who = entry.initiated_by.as_ref().unwrap().user.as_ref().unwrap();
    let what = &entry.target_resources.as_ref().unwrap()[0];
    let by_whom = DirectoryAudit::INITIATED_BY
        .path(AuditActivityInitiator::USER)
        .path(UserIdentity::ID)
        .eq(who.id.as_deref().unwrap());
    let of_what = DirectoryAudit::TARGET_RESOURCES.any(|target| {
        target
            .path(TargetResource::ID)
            .eq(what.id.as_deref().unwrap())
    });
    let filter = by_whom
        .and(of_what)
        .and(DirectoryAudit::ACTIVITY_DATE_TIME.le(entry.activity_date_time.unwrap()));
    let list = audits.list().filter(filter).top(1);
    let found = list
        .order_by(DirectoryAudit::ACTIVITY_DATE_TIME.desc())
        .items();
    let found = found.try_collect::<Vec<_>>().await.unwrap();
    assert!(found.contains(entry));
    assert!(found.is_sorted_by_key(|entry| std::cmp::Reverse(entry.activity_date_time)));
    let one = graph.audit_logs().directory_audit(&entry.id);
    let one = one.get().send().await.unwrap();
    assert_eq!(one.target_resources, entry.target_resources);
}

#[tokio::test]
async fn logs_request_the_largest_page_and_never_an_advanced_query() {
    let script = ScriptedTransport::new()
        .then(200, &[], r#"{"value":[]}"#)
        .then(200, &[], r#"{"value":[]}"#);
    let logs = client(script.clone()).audit_logs();
    let risky = SignIn::RISK_LEVEL_DURING_SIGN_IN.eq(RiskLevel::High);
    let blocked = SignIn::CONDITIONAL_ACCESS_STATUS.eq(ConditionalAccessStatus::Failure);
    let place = SignIn::LOCATION.path(SignInLocation::COUNTRY_OR_REGION);
    let list = logs.sign_ins().list();
    let list = list.filter(risky.or(blocked).and(place.starts_with("D")));
    list.send().await.unwrap();
    let audits = logs.directory_audits().list();
    let audits = audits.filter(DirectoryAudit::LOGGED_BY_SERVICE.eq("Core Directory"));
    let audits = audits.order_by(DirectoryAudit::ACTIVITY_DATE_TIME.asc());
    audits.send().await.unwrap();
    assert_eq!(
        asked(&script),
        [
            "/auditLogs/signIns?$filter=(riskLevelDuringSignIn eq 'high' or conditionalAccessStatus eq 'failure') and startswith(location/countryOrRegion,'D')&$top=1000",
            "/auditLogs/directoryAudits?$filter=loggedByService eq 'Core Directory'&$orderby=activityDateTime&$top=1000"
        ]
    );
    assert!(!script.requests().iter().any(is_advanced));
}

#[tokio::test]
async fn what_graph_rejects_fails_before_it_is_sent() {
    let script = ScriptedTransport::new();
    let filters: [Filter<SignIn>; 4] = [
        SignIn::USER_ID.ne("1"),
        !SignIn::USER_ID.eq("1"),
        SignIn::USER_AGENT.eq("x"),
        SignIn::USER_ID.is_null(),
    ];
    for filter in filters {
        let list = client(script.clone()).audit_logs().sign_ins().list();
        let error = list.filter(filter).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Query, "{error}");
    }
    let list = client(script.clone()).audit_logs().sign_ins().list();
    let error = list.top(1001).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query, "{error}");
    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn members_of_enums_that_come_later_survive() {
    let text = r#"{"id":"1","riskState":"eaten","riskEventTypes":["generic","tooQuiet"],"conditionalAccessStatus":"success"}"#;
    let entry: SignIn = serde_json::from_str(text).unwrap();
    assert_eq!(entry.risk_state.as_ref().unwrap().as_str(), "eaten");
    assert_eq!(
        entry.conditional_access_status,
        Some(ConditionalAccessStatus::Success)
    );
    let again: serde_json::Value = serde_json::to_value(&entry).unwrap();
    let before: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(again, before);
}
