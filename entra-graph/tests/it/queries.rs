use entra_core::ScriptedTransport;
use entra_graph::{
    DirectoryObject, ErrorKind, Filter, Group, Key, Property, User,
    types::{AssignedLicense, OnPremisesExtensionAttributes, SignInActivity},
};

use crate::scripts::{client, is_advanced, requested};

const EMPTY: &str = r#"{"value":[]}"#;

fn one_response() -> ScriptedTransport {
    ScriptedTransport::new().then(200, &[], EMPTY)
}

#[tokio::test]
async fn a_plain_list_requests_the_largest_page_and_nothing_else() {
    let script = one_response();
    client(script.clone()).users().list().send().await.unwrap();
    assert_eq!(requested(&script), ["/users?$top=999"]);
    assert!(!is_advanced(&script.requests()[0]));
}

#[tokio::test]
async fn options_are_written_as_graph_reads_them() {
    let script = one_response();
    client(script.clone())
        .users()
        .list()
        .select((User::DISPLAY_NAME, User::ACCOUNT_ENABLED))
        .filter(User::DEPARTMENT.eq("R&D's #1 + more"))
        .top(5)
        .send()
        .await
        .unwrap();
    assert_eq!(
        requested(&script),
        [
            "/users?$select=id,displayName,accountEnabled&$filter=department eq 'R&D''s #1 + more'&$top=5"
        ]
    );
    let raw = script.requests()[0].uri().to_string();
    assert!(raw.contains("R%26D"), "{raw}");
    assert!(raw.contains("%231%20%2B%20more"), "{raw}");
}

#[tokio::test]
async fn filters_that_need_the_advanced_mode_are_advanced_queries() {
    type Make = fn(entra_graph::query::List<User>) -> entra_graph::query::List<User>;
    let table: [(&str, Make); 11] = [
        ("ne", |list| list.filter(User::DEPARTMENT.ne("HR"))),
        ("not", |list| list.filter(!User::DEPARTMENT.eq("HR"))),
        ("endsWith", |list| {
            list.filter(User::MAIL.ends_with("@x.io"))
        }),
        ("null", |list| list.filter(User::CITY.is_null())),
        ("count", |list| list.count()),
        ("search", |list| {
            list.search(User::DISPLAY_NAME.search("ade"))
        }),
        ("orderby", |list| {
            list.order_by(User::CREATED_DATE_TIME.desc())
        }),
        ("filter and orderby", |list| {
            list.filter(User::DEPARTMENT.eq("HR"))
                .order_by(User::DISPLAY_NAME.asc())
        }),
        // In the default mode, page 2 is an error.
        ("licences", |list| {
            let licence: entra_core::Guid = "0118a350-71fc-4ec3-8f0c-6a1cb8867561".parse().unwrap();
            list.filter(
                User::ASSIGNED_LICENSES.any(|one| one.path(AssignedLicense::SKU_ID).eq(licence)),
            )
        }),
        ("16 alternatives", |list| {
            let alternatives = (1..16).fold(User::CITY.eq("0"), |filter, number| {
                filter.or(User::CITY.eq(number.to_string()))
            });
            list.filter(alternatives)
        }),
        ("16 values", |list| {
            list.filter(User::DEPARTMENT.is_in((0..16).map(|n| n.to_string())))
        }),
    ];
    for (name, make) in table {
        let script = one_response();
        make(client(script.clone()).users().list())
            .send()
            .await
            .unwrap();
        assert!(is_advanced(&script.requests()[0]), "{name}");
        assert!(requested(&script)[0].contains("$count=true"), "{name}");
    }
}

#[tokio::test]
async fn filters_that_the_default_mode_takes_are_not_advanced() {
    let table = [
        User::DEPARTMENT
            .eq("HR")
            .and(User::ACCOUNT_ENABLED.eq(true)),
        User::DEPARTMENT.is_in(["a", "b"]),
        User::PROXY_ADDRESSES.any(|address| address.starts_with("SMTP:")),
        Filter::raw("city eq 'Oslo'"),
    ];
    for filter in table {
        let script = one_response();
        let text = filter.to_string();
        client(script.clone())
            .users()
            .list()
            .filter(filter)
            .send()
            .await
            .unwrap();
        assert!(!is_advanced(&script.requests()[0]), "{text}");
    }
}

#[tokio::test]
async fn a_page_size_above_the_maximum_of_sign_in_activity_becomes_that_maximum() {
    for size in [500, 501, 999] {
        let script = one_response();
        let graph = client(script.clone());
        let list = graph.users().list().select(User::SIGN_IN_ACTIVITY);
        list.top(size).send().await.unwrap();
        assert!(requested(&script)[0].ends_with("&$top=500"), "{size}");
    }
}

#[tokio::test]
async fn sign_in_activity_of_one_user_is_read_by_object_id_only() {
    let script = ScriptedTransport::new()
        .then(200, &[], "{}")
        .then(200, &[], "{}");
    let graph = client(script.clone());
    let by_id = graph.user("7d54cb02-aaa3-4016-9f9c-a4b49422dd9b").get();
    by_id.select(User::SIGN_IN_ACTIVITY).send().await.unwrap();
    let me = graph.me().get().select(User::SIGN_IN_ACTIVITY);
    me.send().await.unwrap();
    let by_name = graph.user("adele@contoso.com").get();
    let error = by_name
        .select(User::SIGN_IN_ACTIVITY)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
    assert!(error.to_string().contains("by object id only"), "{error}");
    assert_eq!(graph.requests_sent(), 2);
}

#[tokio::test]
async fn members_with_license_errors_are_filtered_by_in_the_default_mode_only() {
    let script = one_response();
    let graph = client(script.clone());
    let broken = Group::HAS_MEMBERS_WITH_LICENSE_ERRORS.eq(true);
    let list = graph.groups().list().filter(broken.clone());
    list.send().await.unwrap();
    assert!(!is_advanced(&script.requests()[0]));
    let requests = [
        graph.groups().list().filter(broken.clone()).count(),
        graph
            .groups()
            .list()
            .filter(broken.clone())
            .order_by(Group::DISPLAY_NAME.asc()),
        graph
            .groups()
            .list()
            .filter(broken.clone().and(Group::DISPLAY_NAME.ne("x"))),
        graph.groups().list().filter(!broken.clone()),
    ];
    for list in requests {
        let error = list.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Query);
        assert!(
            error.to_string().contains("in the default mode only"),
            "{error}"
        );
    }
    let count = graph.groups().count().filter(broken).send().await;
    assert_eq!(count.unwrap_err().kind(), ErrorKind::Query);
    assert_eq!(graph.requests_sent(), 1);
}

#[tokio::test]
async fn what_graph_would_reject_is_never_sent() {
    let script = ScriptedTransport::new();
    let graph = client(script.clone());
    let users = || graph.users().list();
    let table = [
        (
            users().filter(User::ABOUT_ME.eq("x")),
            "`eq` is not supported on aboutMe of user; supported there: none",
        ),
        (
            users().filter(User::AGE_GROUP.ge("x")),
            "`ge` is not supported on ageGroup of user; supported there: eq",
        ),
        (
            users().filter(User::DEPARTMENT.ends_with("x")),
            "`endsWith` is not supported on department of user",
        ),
        (
            users().filter(
                User::ON_PREMISES_EXTENSION_ATTRIBUTES
                    .path(OnPremisesExtensionAttributes::EXTENSION_ATTRIBUTE1)
                    .starts_with("x"),
            ),
            "`startsWith` is not supported on onPremisesExtensionAttributes/extensionAttribute1 of user",
        ),
        (
            users().filter(User::DEPARTMENT.is_in(Vec::<String>::new())),
            "the list of values for department is empty",
        ),
        (
            users().filter(User::ASSIGNED_PLANS.any(|_| User::CITY.eq("Oslo"))),
            "city is used outside of its own collection's `any`",
        ),
        (
            users().order_by(User::CITY.asc()),
            "users cannot be sorted by city",
        ),
        (
            users().search(User::MAIL.search("x")),
            "mail of user cannot be searched",
        ),
        (
            users().select((User::DISPLAY_NAME, User::ABOUT_ME)),
            "Graph returns aboutMe of one user only, not in lists",
        ),
        (users().top(0), "page size 0 is invalid: 1 to 999 users"),
        (
            users().top(1000),
            "page size 1000 is invalid: 1 to 999 users",
        ),
        (
            users().filter(
                User::SIGN_IN_ACTIVITY
                    .path(SignInActivity::LAST_SIGN_IN_DATE_TIME)
                    .le(entra_core::Timestamp::UNIX_EPOCH)
                    .and(User::DEPARTMENT.eq("HR")),
            ),
            "Graph filters by signInActivity alone",
        ),
        (
            users().expand(User::MANAGER).expand(User::MEMBER_OF),
            "Graph expands one relationship per request",
        ),
        (
            users()
                .expand(User::MANAGER)
                .filter(User::DEPARTMENT.ne("HR")),
            "$expand=manager cannot be combined with an advanced query",
        ),
        (
            users()
                .filter(User::DEPARTMENT.is_in((0..400).map(|n| format!("department {n}"))))
                .order_by(User::DISPLAY_NAME.asc()),
            "split it into several requests",
        ),
    ];
    for (list, expected) in table {
        let error = list.clone().send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Query);
        assert!(error.to_string().contains(expected), "{error}");
        // A stream returns the error too, and does not end as if it were empty.
        assert!(list.items().try_collect::<Vec<_>>().await.is_err());
    }
    assert_eq!(graph.requests_sent(), 0);
}

#[tokio::test]
async fn sign_in_activity_limits_the_page_size() {
    let script = one_response().then(200, &[], EMPTY);
    let graph = client(script.clone());
    graph
        .users()
        .list()
        .select(User::SIGN_IN_ACTIVITY)
        .send()
        .await
        .unwrap();
    let idle = Filter::raw("signInActivity/lastSignInDateTime le 2026-01-01T00:00:00Z");
    graph.users().list().filter(idle).send().await.unwrap();
    for requested in requested(&script) {
        assert!(requested.contains("$top=500"), "{requested}");
    }
}

#[tokio::test]
async fn the_rules_of_a_property_hold_for_its_name_in_any_case() {
    let graph = client(ScriptedTransport::new());
    let activity: Property<User, String> = Property::custom("signinactivity");
    let by_name = graph.user("adele@contoso.com").get();
    let error = by_name.select(activity).send().await.unwrap_err();
    assert!(error.to_string().contains("by object id only"), "{error}");
    let about: Property<User, String> = Property::custom("ABOUTME");
    let error = graph.users().list().select(about).send().await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("of one user only, not in lists"), "{error}");
    let idle = Filter::raw("signinactivity/lastSignInDateTime le 2026-01-01T00:00:00Z");
    let list = graph.users().list().filter(idle);
    let error = list.filter(User::DEPARTMENT.eq("HR")).send().await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("by signInActivity alone"), "{error}");
    let custom: Property<Group, bool> = Property::custom("HASMEMBERSWITHLICENSEERRORS");
    let raw = Filter::raw("hasmemberswithlicenseerrors eq true");
    for broken in [custom.eq(true), raw] {
        let list = graph.groups().list().filter(broken).count();
        let error = list.send().await.unwrap_err().to_string();
        assert!(error.contains("in the default mode only"), "{error}");
    }
    assert_eq!(graph.requests_sent(), 0);
}

#[tokio::test]
async fn the_rules_of_a_property_hold_for_a_path_by_its_name() {
    type Time = entra_core::Timestamp;
    let script = one_response();
    let graph = client(script.clone());
    let last: Property<User, Time> = Property::custom("signInActivity/lastSignInDateTime");
    let idle = last.le(Time::UNIX_EPOCH);
    let list = graph.users().list().filter(idle.clone());
    list.send().await.unwrap();
    assert!(requested(&script)[0].ends_with("&$top=500"));
    let list = graph.users().list().filter(idle);
    let error = list.filter(User::DEPARTMENT.eq("HR")).send().await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("by signInActivity alone"), "{error}");
    let by_name = graph.user("adele@contoso.com").get().select(last);
    let error = by_name.send().await.unwrap_err().to_string();
    assert!(error.contains("by object id only"), "{error}");
    let zone: Property<User, String> = Property::custom("mailboxSettings/timeZone");
    let error = graph.users().list().select(zone).send().await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("of one user only, not in lists"), "{error}");
    assert_eq!(graph.requests_sent(), 1);
}

#[tokio::test]
async fn sign_in_activity_in_any_case_limits_the_page_size() {
    let script = one_response().then(200, &[], EMPTY);
    let graph = client(script.clone());
    let activity: Property<User, String> = Property::custom("SignInActivity");
    let list = graph.users().list().select(activity);
    list.send().await.unwrap();
    let idle = Filter::raw("SIGNINACTIVITY/lastSignInDateTime le 2026-01-01T00:00:00Z");
    graph.users().list().filter(idle).send().await.unwrap();
    for requested in requested(&script) {
        assert!(requested.contains("$top=500"), "{requested}");
    }
}

#[tokio::test]
async fn every_key_names_exactly_one_object() {
    let table = [
        (Key::from("adele@contoso.com"), "/users/adele@contoso.com"),
        (
            Key::from("guest#EXT#@contoso.com"),
            "/users/guest#EXT#@contoso.com",
        ),
        (Key::from("a/b?c"), "/users/a/b?c"),
        (Key::from("$odd@contoso.com"), "/users('$odd@contoso.com')"),
        (
            Key::from("$o'dd@contoso.com"),
            "/users('$o''dd@contoso.com')",
        ),
        (Key::unique_name("x'y"), "/users(uniqueName='x''y')"),
    ];
    for (key, expected) in table {
        let script = ScriptedTransport::new().then(200, &[], r#"{"id":"1"}"#);
        client(script.clone()).user(key).get().send().await.unwrap();
        assert_eq!(requested(&script), [expected]);
        let request = &script.requests()[0];
        assert_eq!(request.uri().query(), None, "{request:?}");
    }
    let script = ScriptedTransport::new();
    let graph = client(script.clone());
    for id in ["", " ", ".", ".."] {
        let error = graph.user(id).get().send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Query, "{id:?}");
        assert!(graph.user(id).member_of().list().send().await.is_err());
    }
    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn counts_are_advanced_queries_with_a_text_response() {
    let script = ScriptedTransport::new().then(200, &[], "\u{feff}42");
    let graph = client(script.clone());
    let count = graph
        .users()
        .count()
        .filter(User::ACCOUNT_ENABLED.eq(true))
        .send()
        .await
        .unwrap();
    assert_eq!(count, 42);
    assert_eq!(
        requested(&script),
        ["/users/$count?$filter=accountEnabled eq true"]
    );
    assert!(is_advanced(&script.requests()[0]));
}

#[tokio::test]
async fn a_cast_is_an_advanced_query_of_the_type() {
    let script = one_response();
    let members = client(script.clone()).user("1").member_of();
    members
        .cast::<User>()
        .list()
        .select(User::MAIL)
        .send()
        .await
        .unwrap();
    assert_eq!(
        requested(&script),
        ["/users/1/memberOf/microsoft.graph.user?$select=id,mail&$top=999&$count=true"]
    );
    assert!(is_advanced(&script.requests()[0]));
}

#[tokio::test]
async fn expanded_collections_say_whether_they_may_have_been_cut() {
    let related = |count: usize| {
        let items: Vec<String> = (0..count)
            .map(|n| format!(r##"{{"@odata.type":"#microsoft.graph.user","id":"{n}"}}"##))
            .collect();
        format!(r#"{{"id":"1","memberOf":[{}]}}"#, items.join(","))
    };
    let script = ScriptedTransport::new()
        .then(200, &[], related(19))
        .then(200, &[], related(20));
    let graph = client(script.clone());
    let user = graph
        .user("1")
        .get()
        .expand(User::MEMBER_OF)
        .send()
        .await
        .unwrap();
    let member_of = user.member_of.unwrap();
    assert!(member_of.is_complete());
    assert!(matches!(&member_of[0], DirectoryObject::User(user) if user.id == "0"));
    let user = graph
        .user("1")
        .get()
        .expand(User::MEMBER_OF)
        .send()
        .await
        .unwrap();
    assert!(!user.member_of.unwrap().is_complete());
    assert_eq!(requested(&script)[0], "/users/1?$expand=memberOf");
}

#[tokio::test]
async fn a_list_of_values_beyond_the_limit_is_shared_by_requests_in_its_order() {
    let ids: Vec<String> = (0..120)
        .map(|number| format!("00000000-0000-4000-8000-{number:012}"))
        .collect();
    let mut script = ScriptedTransport::new();
    for number in 0..40 {
        script = script.then(200, &[], format!(r#"{{"value":[{{"id":"{number}"}}]}}"#));
    }
    // The second half repeats the first in other letters: every value is requested once.
    let twice = ids
        .iter()
        .cloned()
        .chain(ids.iter().map(|id| id.to_uppercase()));
    let list = client(script.clone()).users().list();
    let list = list.filter(User::ID.is_in(twice).and(User::ACCOUNT_ENABLED.eq(true)));
    let items = list.items().try_collect::<Vec<_>>().await.unwrap();
    let sent = requested(&script);
    assert!(sent.len() > 2, "{}", sent.len());
    assert_eq!(items.len(), sent.len());
    let in_order: Vec<usize> = items.iter().map(|user| user.id.parse().unwrap()).collect();
    assert!(in_order.is_sorted());
    let values: Vec<&str> = sent
        .iter()
        .flat_map(|target| target.split('\'').skip(1).step_by(2))
        .collect();
    assert_eq!(values, ids, "every value once, in its order");
    for request in script.requests() {
        assert!(request.uri().to_string().len() <= 2_048 && is_advanced(&request));
        assert!(request.uri().to_string().contains("accountEnabled"));
    }
}

#[tokio::test]
async fn a_list_of_values_outside_of_the_directory_is_shared_by_requests_of_fifteen_at_most() {
    let mut script = ScriptedTransport::new();
    for number in 0..8 {
        script = script.then(200, &[], format!(r#"{{"value":[{{"id":"{number}"}}]}}"#));
    }
    let graph = client(script.clone());
    let names: Vec<String> = (0..40).map(|number| format!("app{number}")).collect();
    let filter = entra_graph::SignIn::APP_ID.is_in(names);
    let mut items = graph.audit_logs().sign_ins().list().filter(filter).items();
    assert_eq!(items.try_next().await.unwrap().unwrap().id, "0");
    // A list goes on at the first value without an item, in another process too.
    let token = items.resume_token().unwrap();
    let token = serde_json::from_str(&serde_json::to_string(&token).unwrap()).unwrap();
    let resumed = graph.resume::<entra_graph::SignIn>(&token).unwrap();
    let rest = resumed.try_collect::<Vec<_>>().await.unwrap();
    let ids: Vec<&str> = rest.iter().map(|entry| &*entry.id).collect();
    assert_eq!(ids, ["1", "2", "3"]);
    for target in requested(&script) {
        assert!(target.matches("'app").count() <= 15, "{target}");
    }
}

#[tokio::test]
async fn a_sorted_or_counted_list_is_never_shared_by_requests() {
    let script = ScriptedTransport::new();
    let ids = || (0..200).map(|number| format!("00000000-0000-4000-8000-{number:012}"));
    let list = client(script.clone())
        .users()
        .list()
        .filter(User::ID.is_in(ids()));
    for list in [
        list.clone().order_by(User::DISPLAY_NAME.asc()),
        list.count(),
    ] {
        let error = list.items().try_next().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Query, "{error}");
    }
    assert!(script.requests().is_empty());
}
