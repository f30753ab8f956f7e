//! The effects of the tenant's handles, seen through Graph.

use std::{sync::Arc, time::Duration};

use entra_core::{Clock, ObjectId};
use entra_mock::{FakeTenant, License, Seed};
use serde_json::{Value, json};

use crate::support::{Response, graph_get, token};

const PERMISSIONS: [&str; 6] = [
    "User.Read.All",
    "GroupMember.Read.All",
    "Application.Read.All",
    "Device.Read.All",
    "AuditLog.Read.All",
    "Organization.Read.All",
];

async fn read(tenant: &FakeTenant, path: &str) -> Response {
    let app = tenant.register_app("Reader").with_secret();
    for permission in PERMISSIONS {
        app.application_permission(permission);
    }
    let jwt = token(tenant, &app).await;
    graph_get(tenant, &jwt, path).await
}

async fn items(tenant: &FakeTenant, path: &str) -> Vec<Value> {
    let response = read(tenant, path).await;
    assert_eq!(response.status, 200, "{path}: {}", response.text);
    response.body["value"].as_array().expect("a list").clone()
}

fn names(items: &[Value]) -> Vec<&str> {
    let mut names: Vec<&str> = items
        .iter()
        .filter_map(|item| item["displayName"].as_str())
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_disabled_user_has_account_enabled_false() {
    let tenant = FakeTenant::start().await;
    let enabled = async || {
        read(&tenant, "/users/adele@contoso.com?$select=accountEnabled")
            .await
            .body["accountEnabled"]
            .clone()
    };
    tenant.user("Adele@Contoso.com").disable();
    assert_eq!(enabled().await, false);
    tenant.user("adele@contoso.com").enable();
    assert_eq!(enabled().await, true);
}

#[tokio::test]
async fn users_groups_and_devices_can_be_added() {
    let tenant = FakeTenant::builder().seed(Seed::Empty).start().await;
    let (first, second) = (tenant.add_user("Nora Night"), tenant.add_user("Nora Night"));
    assert_eq!(first.user_principal_name(), "nora.night@contoso.com");
    assert_eq!(second.user_principal_name(), "nora.night2@contoso.com");
    second.set("displayName", json!("Nora Day"));
    second.set_manager(&first);

    let group = tenant.add_group("Night shift");
    assert!(group.add_member(first.id()) && !group.add_member(first.id()));
    assert!(group.add_member(second.id()) && group.remove_member(second.id()));
    let device = tenant.add_device("NIGHT-1", Some(first.id()));
    device.set("isCompliant", json!(false));

    assert_eq!(
        names(&items(&tenant, "/users").await),
        ["Nora Day", "Nora Night"]
    );
    assert_eq!(
        names(&items(&tenant, &format!("/groups/{}/members", group.id())).await),
        ["Nora Night"]
    );
    assert_eq!(names(&items(&tenant, "/devices").await), ["NIGHT-1"]);
    first.delete();
    assert_eq!(
        items(&tenant, &format!("/groups/{}/members", group.id()))
            .await
            .len(),
        0
    );
}

#[tokio::test]
async fn an_assignment_is_made_once() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Own app");
    let adele = tenant.user("adele@contoso.com");
    tenant.assign(adele.id(), app.service_principal_id());
    tenant.assign(adele.id(), app.service_principal_id());
    tenant.assign(tenant.group("Engineers").id(), app.service_principal_id());
    let assigned = items(
        &tenant,
        &format!(
            "/servicePrincipals/{}/appRoleAssignedTo",
            app.service_principal_id()
        ),
    )
    .await;
    let kinds: Vec<_> = assigned
        .iter()
        .map(|assignment| assignment["principalType"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["User", "Group"]);
    assert_eq!(assigned[0]["principalDisplayName"], "Adele");
}

#[tokio::test]
async fn app_role_can_be_assigned_by_its_value() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Shop");
    let app = app
        .expose_app_role("Order.Read")
        .expose_app_role("Order.Approve");
    let adele = tenant.user("adele@contoso.com");
    let shop = app.service_principal_id();
    tenant.assign_app_role(adele.id(), shop, "Order.Approve");
    tenant.assign_app_role(adele.id(), shop, "Order.Approve");
    tenant.assign_app_role(tenant.group("Engineers").id(), shop, "Order.Read");
    let shop_object = read(&tenant, &format!("/servicePrincipals/{shop}"))
        .await
        .body;
    let id_of = |value: &str| {
        let roles = shop_object["appRoles"].as_array().unwrap();
        let role = roles.iter().find(|role| role["value"] == value).unwrap();
        role["id"].clone()
    };
    let assigned = items(
        &tenant,
        &format!("/servicePrincipals/{shop}/appRoleAssignedTo"),
    )
    .await;
    let roles: Vec<_> = assigned
        .iter()
        .map(|one| (one["principalType"].clone(), one["appRoleId"].clone()))
        .collect();
    assert_eq!(
        roles,
        [
            ("User".into(), id_of("Order.Approve")),
            ("Group".into(), id_of("Order.Read"))
        ]
    );
}

#[tokio::test]
async fn assignment_of_an_unknown_principal_application_or_role_panics_with_its_name() {
    let tenant = Arc::new(FakeTenant::start().await);
    let shop = tenant.register_app("Shop").service_principal_id();
    let adele = tenant.user("adele@contoso.com").id();
    let unknown: ObjectId = "00000000-0000-0000-0000-00000000beef".parse().unwrap();
    let panic_of = |act: Box<dyn FnOnce(&FakeTenant) + Send>| {
        let tenant = Arc::clone(&tenant);
        let outcome = std::thread::spawn(move || act(&tenant)).join();
        *outcome.unwrap_err().downcast::<String>().unwrap()
    };
    for (text, name) in [
        (
            panic_of(Box::new(move |tenant| tenant.assign(unknown, shop))),
            "user, group or service principal 00000000-0000-0000-0000-00000000beef",
        ),
        (
            panic_of(Box::new(move |tenant| tenant.assign(adele, unknown))),
            "no service principal 00000000-0000-0000-0000-00000000beef",
        ),
        (
            panic_of(Box::new(move |tenant| {
                tenant.assign_app_role(adele, shop, "Order.Aprove")
            })),
            "Order.Aprove",
        ),
    ] {
        assert!(text.contains(name), "{text}");
    }
    // The lock of the tenant is not poisoned.
    tenant.assign(adele, shop);
}

#[tokio::test]
async fn a_sign_in_can_be_moved_and_failed() {
    let tenant = FakeTenant::builder().seed(Seed::Empty).start().await;
    let (app, nora) = (
        tenant.register_app("Own app"),
        tenant.add_user("Nora Night"),
    );
    let earlier = tenant.clock().now() - Duration::from_secs(3 * 86_400);
    tenant
        .add_sign_in(nora.id(), app.client_id())
        .at(earlier)
        .failed(50_126);
    let log = items(&tenant, "/auditLogs/signIns").await;
    assert_eq!(log.len(), 1, "the token that reads the log is in it not");
    assert_eq!(
        (&log[0]["status"]["errorCode"], &log[0]["appId"]),
        (&50_126.into(), &app.client_id().to_string().into())
    );
    assert!(
        log[0]["createdDateTime"].as_str().unwrap() < "9999"
            && log[0]["userPrincipalName"] == "nora.night@contoso.com"
    );

    let activity = read(
        &tenant,
        &format!("/users/{}?$select=signInActivity", nora.id()),
    )
    .await
    .body["signInActivity"]
        .clone();
    assert_eq!(activity["lastSignInDateTime"], log[0]["createdDateTime"]);
    assert_eq!(activity["lastSuccessfulSignInDateTime"], Value::Null);
}

#[tokio::test]
async fn the_licence_decides_whether_the_log_is_readable() {
    let tenant = FakeTenant::builder().license(License::Free).start().await;
    let rejected = read(&tenant, "/auditLogs/signIns").await;
    assert_eq!(
        (rejected.status, &rejected.body["error"]["code"]),
        (
            403,
            &"Authentication_RequestFromNonPremiumTenantOrB2CTenant".into()
        )
    );
    tenant.set_license(License::P1);
    assert_eq!(read(&tenant, "/auditLogs/signIns").await.status, 200);
}

#[tokio::test]
async fn objects_can_be_inserted_changed_and_removed() {
    let tenant = FakeTenant::builder().seed(Seed::Empty).start().await;
    let id = tenant
        .insert(
            "users",
            json!({ "displayName": "Raw", "userPrincipalName": "raw@contoso.com", "mail": null }),
        )
        .unwrap();
    tenant
        .set_property("users", &id, "department", json!("HR"))
        .unwrap();
    assert_eq!(
        read(&tenant, "/users/raw@contoso.com?$select=department")
            .await
            .body["department"],
        "HR"
    );

    tenant
        .insert("users", json!({ "userPrincipalName": "RAW@contoso.com" }))
        .unwrap_err();
    tenant.insert("unicorns", json!({})).unwrap_err();
    tenant.insert("users", json!("text")).unwrap_err();
    let missing = tenant
        .set_property("users", "unknown", "department", json!("HR"))
        .unwrap_err();
    assert!(missing.to_string().contains("unknown"), "{missing}");
    assert!(tenant.remove("users", &id).unwrap() && !tenant.remove("users", &id).unwrap());
}

#[tokio::test]
async fn a_service_principal_takes_over_what_a_test_sets_on_its_application() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Orders API");
    let principal = app.service_principal_id().to_string();
    let names = json!([app.client_id(), "https://elsewhere.example"]);
    tenant
        .set_property(
            "servicePrincipals",
            &principal,
            "servicePrincipalNames",
            names,
        )
        .unwrap();
    let uris = |uris: serde_json::Value| {
        let object = app.object_id().to_string();
        tenant
            .set_property("applications", &object, "identifierUris", uris)
            .unwrap();
    };
    uris(json!(["api://orders", "api://sales"]));
    uris(json!(["api://sales"]));
    app.redirect_uri("https://orders.example/callback");
    let seen = read(&tenant, &format!("/servicePrincipals/{principal}")).await;
    // The name that only the service principal has stays.
    assert_eq!(
        seen.body["servicePrincipalNames"],
        json!([app.client_id(), "api://sales", "https://elsewhere.example"])
    );
    assert_eq!(
        seen.body["replyUrls"],
        json!(["https://orders.example/callback"])
    );

    // The same for an application that is added to a service principal, and the other way round.
    let (first, second) = (
        "11111111-0000-4000-8000-000000000001",
        "11111111-0000-4000-8000-000000000002",
    );
    let application = |id: &str| json!({ "appId": id, "displayName": "Late", "identifierUris": [format!("api://{id}")] });
    let late = json!({ "appId": first, "displayName": "Late" });
    let late = tenant.insert("servicePrincipals", late).unwrap();
    tenant.insert("applications", application(first)).unwrap();
    tenant.insert("applications", application(second)).unwrap();
    let own = json!({ "appId": second, "displayName": "Later" });
    let own = tenant.insert("servicePrincipals", own).unwrap();
    for (principal, id) in [(late, first), (own, second)] {
        let seen = read(&tenant, &format!("/servicePrincipals/{principal}")).await;
        assert_eq!(
            seen.body["servicePrincipalNames"],
            json!([id, format!("api://{id}")])
        );
    }
}

#[tokio::test]
#[should_panic(expected = "User.Raed.All")]
async fn a_misspelt_permission_fails_at_once() {
    FakeTenant::start()
        .await
        .register_app("Night job")
        .application_permission("User.Raed.All");
}

#[tokio::test]
#[should_panic(
    expected = "to the application: AADSTS50034: The user account 'unknown@contoso.com' does not exist in the 'Contoso' directory."
)]
async fn a_sign_in_that_ends_on_a_page_fails_with_the_message_of_the_page() {
    let tenant = FakeTenant::start().await;
    let back = "https://shop.example/callback";
    let app = tenant.register_app("Shop").redirect_uri(back);
    let url = format!(
        "{}/{}/oauth2/v2.0/authorize?client_id={}&response_type=code&scope=openid&redirect_uri={back}",
        tenant.uri(),
        tenant.id(),
        app.client_id()
    );
    let _ = tenant.sign_in_at(&url, "unknown@contoso.com");
}

#[tokio::test]
async fn a_seeded_object_with_wrong_properties_is_an_error_that_names_all_of_them() {
    let tenant = FakeTenant::start().await;
    let error = tenant
        .insert(
            "groups",
            serde_json::json!({
                "displayNaem": "Buyers", "securityEnabled": "yes", "groupTypes": "Unified",
                "assignedLicenses": [
                    {"skuld": "x", "skuId": 7, "disabledPlans": "all"},
                    {"skuld": "y", "plans": []},
                    5
                ],
                "proxyAddresses": ["SMTP:buyers@contoso.com", 7, 8],
                "mail": "buyers@contoso.com"
            }),
        )
        .unwrap_err()
        .to_string();
    for name in [
        "displayNaem",
        "securityEnabled",
        "groupTypes",
        "property assignedLicenses/skuld;",
        "property assignedLicenses/plans;",
        "value of assignedLicenses/skuId has",
        "value of assignedLicenses/disabledPlans has",
        "value of assignedLicenses has",
        "value of proxyAddresses has",
    ] {
        assert_eq!(error.matches(name).count(), 1, "{name} in {error}");
    }
    assert!(
        !error.contains("property mail;") && !error.contains("of mail"),
        "{error}"
    );
}

#[tokio::test]
async fn a_seeded_value_that_graph_would_reject_is_an_error_that_names_its_property() {
    let tenant = FakeTenant::start().await;
    let long = "x".repeat(257);
    for (set, property, value) in [
        ("users", "userPrincipalName", "a\0b@contoso.com".into()),
        ("users", "userPrincipalName", "dot.@contoso.com".into()),
        ("users", "mailNickname", "a b".into()),
        ("users", "displayName", long.clone().into()),
        ("users", "businessPhones", serde_json::json!(["1", "2"])),
        ("groups", "mailNickname", "a@b".into()),
        ("groups", "displayName", serde_json::json!("")),
    ] {
        let mut object = serde_json::json!({});
        object[property] = value;
        let error = tenant.insert(set, object.clone()).unwrap_err().to_string();
        assert!(error.contains(property), "{object}: {error}");
    }
    let adele = tenant.user("adele@contoso.com").id().to_string();
    let error = tenant.set_property("users", &adele, "displayName", long.into());
    assert!(error.unwrap_err().to_string().contains("displayName"));
}

#[tokio::test]
async fn a_property_set_by_a_test_is_checked_like_a_seed() {
    let tenant = FakeTenant::start().await;
    let id = tenant.user("adele@contoso.com").id().to_string();
    for (property, value) in [
        ("jobTitel", serde_json::json!("Lead")),
        ("jobTitle", serde_json::json!(7)),
        ("createdDateTime", serde_json::json!("yesterday")),
        ("otherMails", serde_json::json!(["a@b.example", 1])),
        ("passwordProfile", serde_json::json!({"pasword": "x"})),
    ] {
        let error = tenant
            .set_property("users", &id, property, value)
            .unwrap_err()
            .to_string();
        assert!(error.contains(property), "{error}");
    }
    let error = tenant
        .set_property("users", &id, "id", serde_json::json!(7))
        .unwrap_err()
        .to_string();
    for part in ["id of an object cannot be changed", "value of id has"] {
        assert!(error.contains(part), "{error}");
    }
    for (property, value) in [
        ("jobTitle", serde_json::json!("Lead")),
        ("jobTitle", serde_json::Value::Null),
        ("onPremisesSyncEnabled", serde_json::json!(true)),
        (
            "extension_0123456789abcdef0123456789abcdef_level",
            serde_json::json!("5"),
        ),
        ("ageGroup", serde_json::json!("Adult")),
    ] {
        tenant.set_property("users", &id, property, value).unwrap();
    }
}

#[tokio::test]
#[should_panic(expected = "users: there is no property jobTtile")]
async fn a_misspelt_property_of_a_handle_fails_the_test_at_its_line() {
    let tenant = FakeTenant::start().await;
    tenant
        .user("adele@contoso.com")
        .set("jobTtile", "Lead".into());
}

#[tokio::test]
async fn what_a_test_changes_is_in_the_next_delta() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Sync")
        .application_permission("Group.Read.All")
        .application_permission("User.Read.All")
        .with_secret();
    let token = crate::support::token(&tenant, &app).await;
    let round = async |path: &str| {
        let page = crate::support::graph_get(&tenant, &token, path).await;
        let link = page.body["@odata.deltaLink"].as_str().unwrap().to_owned();
        let next = link.split_once("/v1.0").unwrap().1.to_owned();
        (page.body["value"].as_array().unwrap().clone(), next)
    };
    let (_, users) = round("/users/delta?$deltatoken=latest").await;
    let (_, groups) = round("/groups/delta?$deltatoken=latest").await;
    let adele = tenant.user("adele@contoso.com");
    adele.set("jobTitle", "Lead".into());
    tenant.group("Testers").remove_member(adele.id());
    let night = tenant.add_group("Night shift");
    night.add_member(adele.id());
    let (rows, users) = round(&users).await;
    assert_eq!((rows.len(), &rows[0]["jobTitle"]), (1, &json!("Lead")));
    let (rows, _) = round(&groups).await;
    let row = rows
        .iter()
        .find(|row| row["id"] == night.id().to_string())
        .unwrap();
    assert_eq!(row["members@delta"][0]["id"], adele.id().to_string());
    adele.delete();
    let (rows, _) = round(&users).await;
    assert_eq!(rows[0]["@removed"]["reason"], "changed");
}

#[tokio::test]
async fn a_seed_keeps_its_id_and_clears_only_properties_that_exist() {
    let tenant = FakeTenant::builder().seed(Seed::Empty).start().await;
    let upper = "AAAAAAAA-0000-4000-8000-00000000000A";
    let user = json!({ "id": upper, "userPrincipalName": "raw@contoso.com" });
    let id = tenant.insert("users", user).unwrap();
    assert_eq!(id, upper.to_lowercase());
    assert_eq!(read(&tenant, "/users/raw@contoso.com").await.body["id"], id);
    let error = tenant.set_property("users", &id, "id", json!("other"));
    assert!(error.unwrap_err().to_string().contains("id of an object"));
    let error = tenant.set_property("users", &id, "displayNaem", Value::Null);
    assert!(error.unwrap_err().to_string().contains("displayNaem"));
    tenant
        .set_property("users", &id, "displayName", Value::Null)
        .unwrap();
}

#[tokio::test]
#[should_panic(expected = "; it has User.DeleteRestore.All, ")]
async fn a_misspelt_permission_fails_with_those_that_begin_like_it() {
    let tenant = FakeTenant::start().await;
    tenant
        .register_app("Night job")
        .application_permission("User.Raed.All");
}

#[tokio::test]
#[should_panic(
    expected = "the tenant has no user \"brian@contoso.com\"; it has admin@contoso.com, "
)]
async fn an_unknown_user_fails_with_those_that_there_are() {
    let _ = FakeTenant::start().await.user("brian@contoso.com");
}

#[tokio::test]
#[should_panic(expected = "; it has ")]
async fn an_unknown_group_fails_with_those_that_there_are() {
    let _ = FakeTenant::start().await.group("Buyers");
}

#[tokio::test]
async fn a_test_reads_the_page_of_a_sign_in_that_is_not_let_through() {
    let tenant = FakeTenant::start().await;
    let back = "https://shop.example/callback";
    let app = tenant.register_app("Shop").redirect_uri(back);
    let url = format!(
        "{}/{}/oauth2/v2.0/authorize?client_id={}&response_type=code&scope=openid&redirect_uri={back}",
        tenant.uri(),
        tenant.id(),
        app.client_id()
    );
    let adele = tenant.user("adele@contoso.com");
    adele.disable();
    let page = tenant
        .try_sign_in_at(&url, "adele@contoso.com")
        .unwrap_err();
    assert_eq!(page.aadsts_code(), Some(50_057), "{page}");
    adele.enable();
    let back = tenant.try_sign_in_at(&url, "adele@contoso.com").unwrap();
    assert!(back.parameter("code").is_some());
    let url = url.replace("scope=openid", "scope=User.Read.All");
    let page = tenant
        .try_sign_in_at(&url, "adele@contoso.com")
        .unwrap_err();
    assert_eq!(page.aadsts_code(), Some(90094), "{page}");
}
