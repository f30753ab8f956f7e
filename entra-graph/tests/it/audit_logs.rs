//! The logs: against the fake tenant, and what they send against scripts.

use entra_core::{HttpTransport, ReqwestTransport, ScriptedTransport, http, time::Duration, url};
use entra_graph::{
    DirectoryAudit, ErrorKind, Filter, GraphClient, ProvisioningObjectSummary, SignIn, beta,
    types::{
        AuditActivityInitiator, ClientCredentialType, ConditionalAccessStatus, ManagedIdentityType,
        ProvisionedIdentity, ProvisioningResult, ProvisioningStatusInfo, RiskLevel,
        SignInEventType, SignInLocation, SignInStatus, TargetResource, UserIdentity,
    },
};
use entra_mock::{FakeTenant, License};

use crate::{
    scripts::{client, is_advanced, requested},
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
        requested(&script),
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

/// Sends a request to an endpoint of the tenant's sign-in side and returns the response as JSON.
async fn fetch(request: http::request::Builder, body: String) -> serde_json::Value {
    let request = request.body(body.into()).unwrap();
    let response = ReqwestTransport::builder().build().send(request).await;
    serde_json::from_slice(response.unwrap().body()).unwrap()
}

async fn of_type(graph: &GraphClient, event_type: SignInEventType) -> Vec<beta::SignIn> {
    let filter = beta::SignIn::SIGN_IN_EVENT_TYPES.any(|kind| kind.eq(event_type));
    let list = graph.audit_logs().beta_sign_ins().list().filter(filter);
    list.items().try_collect().await.unwrap()
}

#[tokio::test]
async fn every_kind_of_token_has_a_sign_in_in_beta() {
    let (tenant, graph) = graph().await;
    let app = tenant.register_app("Night job").with_secret();
    let [(_, endpoint), (_, header)] = tenant.managed_identities(&[&app]);
    let url = format!(
        "{endpoint}?api-version=2019-08-01&resource={}",
        "https://graph.microsoft.com"
    );
    let request = http::Request::get(url).header("x-identity-header", header);
    assert!(fetch(request, String::new()).await["access_token"].is_string());
    let tokens = tenant.tokens_for(&app, "adele@contoso.com", ["User.Read", "offline_access"]);
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("client_id", &app.client_id().to_string())
        .append_pair("client_secret", app.secret().expose_secret())
        .append_pair(
            "refresh_token",
            tokens.refresh_token().unwrap().expose_secret(),
        )
        .finish();
    let request = http::Request::post(tenant.cloud().token_endpoint(&tenant.id()).as_str())
        .header("content-type", "application/x-www-form-urlencoded");
    assert!(fetch(request, form).await["access_token"].is_string());

    let by_reader = of_type(&graph, SignInEventType::ServicePrincipal).await;
    let reader = by_reader.iter().find(|entry| {
        entry.service_principal_name.as_deref() == Some("Reader") && entry.is_success()
    });
    let reader = reader.unwrap();
    assert!(reader.is_event_type(&SignInEventType::ServicePrincipal));
    assert_eq!(
        reader.client_credential_type,
        Some(ClientCredentialType::ClientSecret)
    );
    assert!(reader.service_principal_credential_key_id.is_some());
    assert_eq!(reader.user_id, None);

    let id = app.service_principal_id().to_string();
    let managed = of_type(&graph, SignInEventType::ManagedIdentity).await;
    assert_eq!(managed.len(), 1, "{managed:?}");
    assert_eq!(
        managed[0].service_principal_id.as_deref(),
        Some(id.as_str())
    );
    let identity = managed[0].managed_service_identity.as_ref().unwrap();
    assert_eq!(identity.msi_type, Some(ManagedIdentityType::UserAssigned));

    let silent = of_type(&graph, SignInEventType::NonInteractiveUser).await;
    let silent = silent
        .iter()
        .find(|entry| entry.app_display_name.as_deref() == Some("Night job"))
        .unwrap();
    assert_eq!(
        silent.user_principal_name.as_deref(),
        Some("adele@contoso.com")
    );
    assert_eq!(silent.is_interactive, Some(false));

    let one = graph.audit_logs().beta_sign_in(&managed[0].id);
    assert_eq!(one.get().send().await.unwrap().id, managed[0].id);
    let mut batch = graph.batch();
    let entry = batch.add(graph.audit_logs().beta_sign_in(&managed[0].id).get());
    let responses = batch.send().await.unwrap();
    assert_eq!(responses.get(entry).unwrap().id, managed[0].id);
    let v1 = graph.audit_logs().sign_in(&managed[0].id);
    assert_eq!(
        v1.get_opt().await.unwrap(),
        None,
        "v1.0 has interactive ones only"
    );
}

#[tokio::test]
async fn every_page_of_a_beta_list_and_its_batch_go_to_beta() {
    let next = "https://graph.example.com/beta/auditLogs/signIns?$skiptoken=a";
    let page = format!(r#"{{"@odata.nextLink":"{next}","value":[{{"id":"1"}}]}}"#);
    let script = ScriptedTransport::new()
        .then(200, &[], page)
        .then(200, &[], r#"{"value":[{"id":"2"}]}"#)
        .then(
            200,
            &[],
            r#"{"responses":[{"id":"0","status":200,"body":{"id":"7"}}]}"#,
        );
    let graph = client(script.clone());
    let not_interactive =
        beta::SignIn::SIGN_IN_EVENT_TYPES.any(|kind| kind.ne(SignInEventType::InteractiveUser));
    let list = graph
        .audit_logs()
        .beta_sign_ins()
        .list()
        .filter(not_interactive);
    let items = list.items().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(items.len(), 2);
    let mut batch = graph.batch();
    let entry = batch.add(graph.audit_logs().beta_sign_in("7").get());
    let responses = batch.send().await.unwrap();
    assert_eq!(responses.get(entry).unwrap().id, "7");
    let paths: Vec<String> = script
        .requests()
        .iter()
        .map(|request| request.uri().path().to_owned())
        .collect();
    assert_eq!(
        paths,
        [
            "/beta/auditLogs/signIns",
            "/beta/auditLogs/signIns",
            "/beta/$batch"
        ]
    );
    let query = script.requests()[0].uri().query().unwrap().to_owned();
    assert!(
        query.contains("signInEventTypes/any(x:x%20ne%20%27interactiveUser%27)"),
        "{query}"
    );
    assert!(!script.requests().iter().any(is_advanced));
}

#[tokio::test]
async fn an_error_of_a_beta_operation_names_the_version() {
    let script = ScriptedTransport::new().then(403, &[], r#"{"error":{"code":"Forbidden"}}"#);
    let list = client(script).audit_logs().beta_sign_ins().list();
    let error = list.send().await.unwrap_err();
    assert!(
        error.to_string().contains("GET /beta/auditLogs/signIns"),
        "{error}"
    );
}

#[tokio::test]
async fn provisioning_events_are_filtered_by_status_object_and_duration() {
    let (tenant, graph) = graph().await;
    let now = entra_core::Clock::now(&tenant.clock());
    let time = now
        .format(&entra_core::time::format_description::well_known::Rfc3339)
        .unwrap();
    for (id, status, duration) in [("good", "success", 900), ("bad", "failure", 1_500)] {
        let event = serde_json::json!({
            "id": id, "activityDateTime": time, "durationInMilliseconds": duration, "provisioningAction": "create",
            "provisioningStatusInfo": { "status": status, "errorInformation": null },
            "sourceIdentity": { "id": "7", "displayName": "Robin", "identityType": "User", "details": { "team": "blue" } }
        });
        tenant.insert("auditLogs/provisioning", event).unwrap();
    }
    let list = graph.audit_logs().provisioning().list();
    let failed = ProvisioningObjectSummary::PROVISIONING_STATUS_INFO
        .path(ProvisioningStatusInfo::STATUS)
        .eq(ProvisioningResult::Failure);
    let robin = ProvisioningObjectSummary::SOURCE_IDENTITY
        .path(ProvisionedIdentity::DISPLAY_NAME)
        .contains("obi");
    let slow = ProvisioningObjectSummary::DURATION_IN_MILLISECONDS.gt(1_000);
    let items = list.clone().filter(failed.and(robin).and(slow)).items();
    let found = items.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, "bad");
    let source = found[0].source_identity.as_ref().unwrap();
    assert!(source.details.is_some(), "details of any form survive");
    let unsupported = ProvisioningObjectSummary::ACTIVITY_DATE_TIME.ge(now);
    let error = list.filter(unsupported).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
    assert!(error.to_string().contains("eq, gt, lt"), "{error}");
}

#[tokio::test]
async fn parts_of_a_log_have_every_entry_once() {
    let (tenant, graph) = graph().await;
    let robin = tenant.add_user("Robin");
    let app = tenant.register_app("Desk");
    let end = entra_core::Clock::now(&tenant.clock());
    let start = end - Duration::hours(8);
    let mut expected = Vec::new();
    // On every bound of four parts, and between them.
    for hours in 0..8 {
        let entry = tenant.add_sign_in(robin.id(), app.client_id());
        expected.push(entry.at(start + Duration::hours(hours)).id().to_owned());
    }
    // Written at the end or later: of no part.
    tenant.add_sign_in(robin.id(), app.client_id()).at(end);
    let of_robin = graph
        .audit_logs()
        .sign_ins()
        .list()
        .filter(SignIn::USER_ID.eq(robin.id()));
    let parts = of_robin.partitioned(start, end, 4);
    assert_eq!(parts.len(), 4);
    let parts = parts
        .into_iter()
        .map(|part| part.top(1).items().try_collect::<Vec<_>>());
    let parts = futures_util::future::try_join_all(parts).await.unwrap();
    let sizes: Vec<usize> = parts.iter().map(Vec::len).collect();
    assert_eq!(sizes, [2, 2, 2, 2]);
    let mut ids: Vec<String> = parts.into_iter().flatten().map(|entry| entry.id).collect();
    ids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(ids, expected);
}
