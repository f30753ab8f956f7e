//! Behavior of Graph beyond its documentation, from public reports.

use entra_core::{Cloud, ManualClock, ScriptedTransport, StaticCredential};
use entra_graph::{
    Application, DirectoryAudit, DirectoryObject, ErrorKind, GraphClient, ServicePrincipal, SignIn,
    User, types::TargetResource,
};

use crate::scripts::{ROOT, client, is_advanced, requested};

#[tokio::test]
async fn an_expired_page_leaves_no_resume_token_and_says_to_start_again() {
    let first =
        format!(r#"{{"value":[{{"id":"1"}}],"@odata.nextLink":"{ROOT}/users?$skiptoken=a"}}"#);
    for expired in [
        r#"{"error":{"code":"Directory_ExpiredPageToken","message":"m"}}"#,
        r#"{"error":{"code":"directory_expiredpagetoken","message":"m"}}"#,
        r#"{"error":{"code":"BadRequest","message":"m","innerError":{"code":"Directory_ExpiredPageToken"}}}"#,
        // As a list with `signInActivity` was reported to end.
        r#"{"error":{"code":"","message":"Invalid Skip Token"}}"#,
        r#"{"error":{"code":"BadRequest","message":"The $skiptoken is invalid."}}"#,
    ] {
        let script = ScriptedTransport::new()
            .then(200, &[], first.clone())
            .then(400, &[], expired);
        let mut items = client(script).users().list().items();
        items.try_next().await.unwrap();
        assert!(items.resume_token().is_some());
        let error = items.try_next().await.unwrap_err();
        assert!(error.is_expired_page(), "{expired}");
        assert!(
            error.to_string().contains("start the list again"),
            "{error}"
        );
        assert_eq!(items.resume_token(), None);
        assert!(items.try_next().await.unwrap().is_none());

        let script = ScriptedTransport::new()
            .then(200, &[], first.clone())
            .then(400, &[], expired);
        let mut pages = client(script).users().list().pages();
        pages.try_next().await.unwrap();
        pages.try_next().await.unwrap_err();
        assert_eq!(pages.resume_token(), None);
    }
}

#[tokio::test]
async fn a_basic_list_with_an_expired_page_is_to_be_read_as_an_advanced_query() {
    let first =
        format!(r#"{{"value":[{{"id":"1"}}],"@odata.nextLink":"{ROOT}/users?$skiptoken=a"}}"#);
    let expired = r#"{"error":{"code":"Directory_ExpiredPageToken","message":"m"}}"#;
    let script = || {
        let script = ScriptedTransport::new().then(200, &[], first.clone());
        client(script.then(400, &[], expired))
    };
    let enabled = || {
        script()
            .users()
            .list()
            .filter(User::ACCOUNT_ENABLED.eq(true))
    };
    let basic = enabled().items().try_collect::<Vec<_>>().await;
    let raw = script().raw(entra_core::http::Method::GET, "/users");
    let raw = raw.items::<serde_json::Value>().try_collect::<Vec<_>>();
    let advice = "start the list again as an advanced query: `.count()`";
    for error in [basic.unwrap_err(), raw.await.unwrap_err()] {
        for text in [error.to_string(), format!("{error:#}")] {
            assert!(text.contains(advice), "{text}");
        }
    }
    let advanced = enabled().count().items().try_collect::<Vec<_>>().await;
    let error = advanced.unwrap_err();
    for text in [error.to_string(), format!("{error:#}")] {
        assert!(text.contains("start the list again"), "{text}");
        assert!(!text.contains("advanced"), "{text}");
    }
}

#[tokio::test]
async fn any_other_failed_page_can_be_resumed() {
    let first = format!(r#"{{"value":[],"@odata.nextLink":"{ROOT}/users?$skiptoken=a"}}"#);
    let script = ScriptedTransport::new()
        .then(200, &[], first)
        .then(403, &[], "");
    let mut items = client(script).users().list().items();
    items.try_next().await.unwrap_err();
    assert!(items.resume_token().is_some());
}

#[tokio::test]
async fn a_byte_order_mark_is_skipped_in_every_response() {
    let mark = "\u{feff}";
    let script = ScriptedTransport::new()
        .then(200, &[], format!(r#"{mark}{{"value":[{{"id":"1"}}]}}"#))
        .then(200, &[], format!(r#"{mark}{{"id":"1"}}"#))
        .then(200, &[], format!("{mark}12"))
        .then(
            400,
            &[],
            format!(r#"{mark}{{"error":{{"code":"A","innerError":{{"request-id":"r"}}}}}}"#),
        );
    let graph = client(script);
    assert_eq!(graph.users().list().send().await.unwrap().items.len(), 1);
    assert_eq!(graph.user("a").get().send().await.unwrap().id, "1");
    assert_eq!(graph.users().count().send().await.unwrap(), 12);
    let error = graph.user("a").get().send().await.unwrap_err();
    assert_eq!((error.code(), error.request_id()), (Some("A"), Some("r")));
}

#[tokio::test]
async fn a_status_as_code_is_not_printed_twice() {
    let body = r#"{"error":{"code":"400","message":"The key must be a GUID."}}"#;
    let script = ScriptedTransport::new().then(400, &[], body);
    let error = client(script).user("a").get().send().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "400 on GET /users/a: The key must be a GUID"
    );
}

#[tokio::test]
async fn derived_types_are_read_as_their_base() {
    let body = r##"{"value":[
        {"@odata.type":"#microsoft.graph.agentIdentityBlueprint","id":"1","displayName":"B"},
        {"@odata.type":"#microsoft.graph.agentIdentity","id":"2"},
        {"@odata.type":"#microsoft.graph.agentIdentityBlueprintPrincipal","id":"3"},
        {"@odata.type":"#microsoft.graph.agentUser","id":"4"},
        {"@odata.type":"#microsoft.graph.somethingNew","id":"5"}
    ]}"##;
    let script = ScriptedTransport::new().then(200, &[], body);
    let owned = client(script).me().owned_objects();
    let objects: Vec<DirectoryObject> = owned.list().items().try_collect().await.unwrap();
    let application: &Application = objects[0].as_application().unwrap();
    assert_eq!(application.display_name.as_deref(), Some("B"));
    for object in &objects[1..3] {
        let _: &ServicePrincipal = object.as_service_principal().unwrap();
    }
    let _: &User = objects[3].as_user().unwrap();
    assert!(objects[0].downcast::<Application>().unwrap().is_some());
    assert!(objects[1].downcast::<ServicePrincipal>().unwrap().is_some());
    assert!(objects[2].downcast::<ServicePrincipal>().unwrap().is_some());
    assert_eq!(objects[3].downcast::<User>().unwrap().unwrap().id, "4");
    assert_eq!(objects[3].downcast::<Application>().unwrap(), None);
    assert!(matches!(objects[4], DirectoryObject::Other(_)));
    // The type is preserved.
    let text = serde_json::to_string(&objects[1]).unwrap();
    assert!(text.contains("#microsoft.graph.agentIdentity\""), "{text}");
}

#[tokio::test]
async fn an_expanded_list_is_complete_only_where_that_is_certain() {
    let reports = |count: usize| {
        let rows: Vec<String> = (0..count).map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
        format!(r#""directReports":[{}]"#, rows.join(","))
    };
    let link =
        format!(r#""directReports@odata.nextLink":"{ROOT}/users/a/directReports?$skiptoken=x""#);
    let table = [
        (reports(0), false),
        (reports(1), true),
        (reports(19), true),
        (reports(20), false),
        (format!("{},{link}", reports(3)), false),
        (format!("{link},{}", reports(3)), false),
    ];
    for (members, complete) in table {
        let script = ScriptedTransport::new().then(200, &[], format!(r#"{{"id":"a",{members}}}"#));
        let get = client(script).user("a").get().expand(User::DIRECT_REPORTS);
        let user = get.send().await.unwrap();
        assert_eq!(
            user.direct_reports.unwrap().is_complete(),
            complete,
            "{members}"
        );
    }
}

#[tokio::test]
async fn logs_take_the_options_that_their_pages_document() {
    let mut script = ScriptedTransport::new();
    for _ in 0..4 {
        script = script.then(200, &[], r#"{"value":[]}"#);
    }
    let graph = client(script.clone());
    let audits = || graph.audit_logs().directory_audits().list();
    let name = DirectoryAudit::TARGET_RESOURCES
        .any(|target| target.path(TargetResource::DISPLAY_NAME).starts_with("Buy"));
    audits().filter(name).send().await.unwrap();
    audits()
        .filter(DirectoryAudit::CORRELATION_ID.eq("c"))
        .send()
        .await
        .unwrap();
    let select = (DirectoryAudit::ACTIVITY_DATE_TIME, DirectoryAudit::CATEGORY);
    audits()
        .filter(DirectoryAudit::ID.eq("i"))
        .select(select)
        .send()
        .await
        .unwrap();
    let sign_ins = graph.audit_logs().sign_ins().list();
    sign_ins
        .order_by(SignIn::CREATED_DATE_TIME.asc())
        .send()
        .await
        .unwrap();
    assert_eq!(
        requested(&script),
        [
            "/auditLogs/directoryAudits?$filter=targetResources/any(x:startswith(x/displayName,'Buy'))&$top=1000",
            "/auditLogs/directoryAudits?$filter=correlationId eq 'c'&$top=1000",
            "/auditLogs/directoryAudits?$select=id,activityDateTime,category&$filter=id eq 'i'&$top=1000",
            "/auditLogs/signIns?$orderby=createdDateTime&$top=1000",
        ]
    );
    assert!(!script.requests().iter().any(is_advanced));
    let many = (0..16).map(|number| number.to_string());
    let error = audits()
        .filter(DirectoryAudit::CORRELATION_ID.is_in(many))
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Query,
        "the logs have no advanced mode"
    );
}

#[tokio::test]
async fn a_graph_root_with_a_version_gets_no_second_version() {
    let script = ScriptedTransport::new()
        .then(200, &[], "{}")
        .then(200, &[], "{}");
    let cloud = Cloud::custom(
        "https://login.example.com",
        "https://graph.example.com/v1.0",
    )
    .unwrap();
    let builder = GraphClient::builder(StaticCredential::new("token")).cloud(cloud);
    let graph = builder
        .clock(ManualClock::new())
        .transport(script.clone())
        .build()
        .unwrap();
    graph.user("a").get().send().await.unwrap();
    graph
        .raw(entra_core::http::Method::GET, "/beta/x")
        .bytes()
        .await
        .unwrap();
    let paths: Vec<String> = script
        .requests()
        .iter()
        .map(|one| one.uri().path().to_owned())
        .collect();
    assert_eq!(paths, ["/v1.0/users/a", "/beta/x"]);
}

#[tokio::test]
async fn an_error_inside_of_a_success_is_one_for_every_kind_of_request() {
    for body in [
        r#"{"error":{"code":"Oops","message":"m"}}"#,
        r#"{"value":[],"error":{"code":"Oops"}}"#,
        "\u{feff} {\"error\":{\"code\":\"Oops\"},\"value\":[]}",
    ] {
        let graph = client((0..7).fold(ScriptedTransport::new(), |script, _| {
            script.then(200, &[], body)
        }));
        let user = graph.user("a");
        let group: entra_core::ObjectId = "11111111-2222-3333-4444-555555555555".parse().unwrap();
        let key = entra_graph::Key::unique_name("a");
        let new = entra_graph::NewApplication::new("Desk");
        let errors = [
            user.check_member_groups([group]).send().await.unwrap_err(),
            user.get_member_groups(false).send().await.unwrap_err(),
            user.update()
                .set(User::DEPARTMENT, "x")
                .send()
                .await
                .unwrap_err(),
            user.delete().send().await.unwrap_err(),
            user.photo().send().await.unwrap_err(),
            graph
                .group("g")
                .members()
                .add(group)
                .send()
                .await
                .unwrap_err(),
            graph.application(key).upsert(new).send().await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Service, "{body}: {error}");
            assert_eq!(error.code(), Some("Oops"), "{body}");
        }
    }
    // Some services leave the code empty.
    let body = r#"{"error":{"code":"","message":"Something failed."}}"#;
    let graph = client((0..4).fold(ScriptedTransport::new(), |script, _| {
        script.then(200, &[], body)
    }));
    let value = graph.raw("GET", "/x").json::<serde_json::Value>().await;
    for error in [
        graph.user("a").delete().send().await.unwrap_err(),
        graph.users().count().send().await.unwrap_err(),
        graph.users().list().send().await.unwrap_err(),
        value.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Service, "{error}");
        assert_eq!(error.message(), "Something failed.");
    }
    // A failed operation is a resource of its own.
    let body = r#"{"id":"1","status":"failed","error":{"code":"Oops"}}"#;
    let graph = client(ScriptedTransport::new().then(200, &[], body));
    let operation = graph.raw("GET", "/x").json::<serde_json::Value>().await;
    assert_eq!(operation.unwrap()["error"]["code"], "Oops");
    // Bytes that only look like one, and other results of actions, are none.
    for body in [r#"{"error":null}"#, r#"{"value":true}"#, "{", "\u{89}PNG"] {
        let script = ScriptedTransport::new().then(200, &[], body);
        let photo = client(script).user("a").photo().send().await.unwrap();
        assert_eq!(photo, body);
    }
}
