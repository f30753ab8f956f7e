//! Users, groups, applications and sign-ins through the control API.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use crate::{
    controlled::{Controlled, NOTHING, code},
    support::{fetch, http},
};

#[tokio::test]
async fn users_and_groups_of_the_control_api_are_those_of_graph() {
    let server = Controlled::start().await;
    let ada =
        json!({ "displayName": "Ada Example", "department": "Research", "businessPhones": ["1"] });
    let created = server.done("POST", "/users", ada).await;
    let (id, password) = (
        created["user"]["id"].as_str().unwrap(),
        &created["password"],
    );
    assert_eq!(
        created["user"]["userPrincipalName"],
        "ada.example@contoso.com"
    );
    assert!(
        password
            .as_str()
            .is_some_and(|password| password.len() > 12)
    );
    let seen = server
        .graph(&format!("/users/{id}?$select=department,businessPhones"))
        .await;
    assert_eq!(
        (&seen.body["department"], &seen.body["businessPhones"]),
        (&json!("Research"), &json!(["1"]))
    );

    let change = json!({ "department": null, "jobTitle": "Lead" });
    let changed = server
        .done("PATCH", "/users/ada.example@contoso.com", change)
        .await;
    assert_eq!(
        (changed.get("department"), &changed["jobTitle"]),
        (None, &json!("Lead"))
    );
    let group = server
        .done("POST", "/groups", json!({ "displayName": "Night shift" }))
        .await;
    let group = group["id"].as_str().unwrap();
    server
        .done(
            "PUT",
            "/groups/Night shift/members/ada.example@contoso.com",
            NOTHING,
        )
        .await;
    server
        .done("PUT", &format!("/groups/{group}/owners/{id}"), NOTHING)
        .await;
    let members = server
        .graph(&format!("/groups/{group}/members?$select=id"))
        .await;
    assert_eq!(members.body["value"][0]["id"], id);
    let links = server
        .get(&format!("/objects/groups/{group}/links/owners"))
        .await;
    assert_eq!(links.body["value"], json!([id]));
    server
        .done("DELETE", &format!("/groups/{group}/members/{id}"), NOTHING)
        .await;
    let again = server
        .send("DELETE", &format!("/groups/{group}/members/{id}"), &NOTHING)
        .await;
    assert_eq!((again.status, code(&again)), (404, "notLinked"));

    server
        .done("DELETE", &format!("/users/{id}"), NOTHING)
        .await;
    assert_eq!(server.graph(&format!("/users/{id}")).await.status, 404);
    assert_eq!(
        server
            .graph(&format!("/directory/deletedItems/{id}"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_member_added_by_the_control_api_has_the_licences_of_the_group() {
    let server = Controlled::start().await;
    let ada = json!({ "displayName": "Ada Example" });
    let created = server.done("POST", "/users", ada).await;
    let id = created["user"]["id"].as_str().unwrap();
    let licences =
        json!([{ "disabledPlans": [], "skuId": "00000000-0000-4000-8000-000000000001" }]);
    let group = json!({ "displayName": "Night shift", "assignedLicenses": licences });
    server.done("POST", "/groups", group).await;
    let member = format!("/groups/Night shift/members/{id}");
    for (method, expected) in [("PUT", licences), ("DELETE", json!([]))] {
        server.done(method, &member, NOTHING).await;
        let user = server.get(&format!("/objects/users/{id}")).await;
        assert_eq!(user.body["assignedLicenses"], expected, "{}", user.text);
    }
}

#[tokio::test]
async fn a_user_is_added_in_a_domain_of_the_tenant() {
    let server = Controlled::start().await;
    for name in ["ada@other.example", "ada", "ada@"] {
        let ada = json!({ "displayName": "Ada Example", "userPrincipalName": name });
        let rejected = server.send("POST", "/users", &ada).await;
        assert_eq!(
            (rejected.status, code(&rejected)),
            (400, "unknownDomain"),
            "{name}"
        );
        assert!(rejected.text.contains("contoso.com"), "{}", rejected.text);
    }
    for name in ["Ada@Contoso.com", "ada@contoso.onmicrosoft.com"] {
        let ada = json!({ "displayName": "Ada Example", "userPrincipalName": name });
        let added = server.done("POST", "/users", ada).await;
        assert_eq!(added["user"]["userPrincipalName"], name);
    }
}

#[tokio::test]
async fn an_application_gets_tokens_with_its_permissions_until_its_secret_is_removed() {
    let server = Controlled::start().await;
    let job = json!({
        "displayName": "Night job", "secret": true, "applicationPermissions": ["User.Read.All"],
        "redirectUris": ["https://job.example/callback"], "delegatedPermissions": ["User.Read"],
    });
    let app = server.done("POST", "/applications", job).await;
    let (id, secret) = (
        app["appId"].as_str().unwrap(),
        app["secret"].as_str().unwrap(),
    );
    let token = server.token_of(id, secret).await;
    assert_eq!(token.status, 200, "{}", token.text);
    let url = format!("{}/users", server.text("graph"));
    let token = token.body["access_token"].as_str().unwrap();
    assert_eq!(fetch(http().get(&url).bearer_auth(token)).await.status, 200);

    let second = server
        .done(
            "POST",
            "/applications/Night job/secrets",
            json!({ "validFor": "1h" }),
        )
        .await;
    let second = second["secret"].as_str().unwrap();
    assert_eq!(server.token_of(id, second).await.status, 200);
    server
        .done("POST", "/clock/advance", json!({ "by": "2h" }))
        .await;
    let expired = server.token_of(id, second).await;
    assert_eq!(
        expired.body["error_codes"],
        json!([7_000_222]),
        "{}",
        expired.text
    );
    assert_eq!(server.token_of(id, secret).await.status, 200);
    server
        .done("DELETE", "/applications/Night job/secrets", NOTHING)
        .await;
    assert_eq!(server.token_of(id, secret).await.status, 401);
    let shown = server.get(&format!("/applications/{id}")).await.text;
    assert!(
        !shown.contains(secret) && !shown.contains("~secrets"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_service_principal_follows_its_application() {
    let server = Controlled::start().await;
    let role = |value: &str| {
        json!({
            "allowedMemberTypes": ["Application"], "description": value, "displayName": value,
            "id": "11111111-0000-4000-8000-000000000001", "isEnabled": true, "origin": "Application", "value": value,
        })
    };
    let orders = json!({
        "displayName": "Orders API", "identifierUris": ["api://orders"], "appRoles": [role("Orders.Read")],
        "redirectUris": ["https://orders.example/callback"],
    });
    let orders = server.done("POST", "/applications", orders).await;
    let principal = format!(
        "/servicePrincipals/{}",
        orders["servicePrincipalId"].as_str().unwrap()
    );
    let seen = server.graph(&principal).await.body;
    assert_eq!(seen["appRoles"][0]["value"], "Orders.Read");
    assert_eq!(
        seen["replyUrls"],
        json!(["https://orders.example/callback"])
    );
    assert_eq!(
        seen["servicePrincipalNames"],
        json!([orders["appId"], "api://orders"])
    );

    let job = json!({ "displayName": "Night job", "secret": true });
    let job = server.done("POST", "/applications", job).await;
    let granted = json!({ "permission": "Orders.Read", "resource": orders["appId"] });
    server
        .done(
            "POST",
            "/applications/Night job/application-permissions",
            granted,
        )
        .await;
    let url = format!(
        "{}/{}/oauth2/v2.0/token",
        server.text("uri"),
        server.text("id")
    );
    let token = async |scope: &str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", job["appId"].as_str().unwrap()),
            ("client_secret", job["secret"].as_str().unwrap()),
            ("scope", scope),
        ];
        fetch(http().post(&url).form(&form)).await
    };
    let first = token("api://orders/.default").await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(claims(&first)["roles"], json!(["Orders.Read"]));

    let change = json!({ "identifierUris": ["api://sales"], "appRoles": [role("Sales.Read")] });
    server
        .done("PATCH", "/applications/Orders API", change)
        .await;
    let second = token("api://sales/.default").await;
    assert_eq!(second.status, 200, "{}", second.text);
    assert_eq!(claims(&second)["roles"], json!(["Sales.Read"]));
    let gone = token("api://orders/.default").await;
    assert_eq!(gone.body["error_codes"], json!([500_011]), "{}", gone.text);
}

#[tokio::test]
async fn an_application_added_with_a_client_id_has_it_in_its_service_principal() {
    let server = Controlled::start().await;
    let app_id = "11111111-0000-4000-8000-000000000002";
    let job = json!({ "displayName": "Night job", "appId": app_id, "secret": true });
    let job = server.done("POST", "/applications", job).await;
    assert_eq!(job["appId"], app_id);
    let token = server
        .token_of(app_id, job["secret"].as_str().unwrap())
        .await;
    assert_eq!(token.status, 200, "{}", token.text);
    let again = json!({ "displayName": "Other job", "appId": app_id });
    let again = server.send("POST", "/applications", &again).await;
    assert_eq!(again.status, 409, "{}", again.text);
}

/// The claims of an access token.
fn claims(response: &crate::support::Response) -> serde_json::Value {
    let token = response.body["access_token"].as_str().unwrap();
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn a_user_signs_in_by_url_and_gets_tokens_and_consent_is_checked() {
    let server = Controlled::start().await;
    let shop = json!({ "displayName": "Shop", "redirectUris": ["https://shop.example/callback"] });
    let shop = server.done("POST", "/applications", shop).await;
    let url = format!(
        "{}/{}/oauth2/v2.0/authorize?client_id={}&response_type=code&redirect_uri=https://shop.example/callback&state=7&scope=",
        server.text("uri"),
        server.text("id"),
        shop["appId"].as_str().unwrap(),
    );
    let follow =
        |scope: &str| json!({ "url": format!("{url}{scope}"), "user": "adele@contoso.com" });
    let back = server
        .done("POST", "/sign-ins/follow", follow("openid"))
        .await;
    assert_eq!(back["parameters"]["state"], "7");
    assert!(back["parameters"]["code"].is_string() && back["posted"] == false);
    let stopped = server
        .send("POST", "/sign-ins/follow", &follow("User.Read.All"))
        .await;
    assert_eq!((stopped.status, code(&stopped)), (409, "signInStopped"));
    assert!(stopped.text.contains("AADSTS90094"), "{}", stopped.text);
    let consent = json!({ "permission": "User.Read.All" });
    server
        .done("POST", "/applications/Shop/delegated-permissions", consent)
        .await;
    server
        .done("POST", "/sign-ins/follow", follow("User.Read.All"))
        .await;

    let wanted = json!({ "application": "Shop", "user": "adele@contoso.com", "scopes": ["openid", "offline_access", "User.Read"] });
    let tokens = server.done("POST", "/tokens", wanted.clone()).await;
    for name in ["accessToken", "refreshToken", "idToken"] {
        assert!(tokens[name].is_string(), "{name}");
    }
    let me = format!("{}/me", server.text("graph"));
    let me = fetch(
        http()
            .get(me)
            .bearer_auth(tokens["accessToken"].as_str().unwrap()),
    )
    .await;
    assert_eq!(
        me.body["userPrincipalName"], "adele@contoso.com",
        "{}",
        me.text
    );

    let block =
        json!({ "control": "block", "users": ["adele@contoso.com"], "applications": ["Shop"] });
    let policy = server.done("POST", "/access-policies", block).await;
    let blocked = server.send("POST", "/tokens", &wanted).await;
    assert_eq!((blocked.status, code(&blocked)), (409, "signInRejected"));
    assert!(blocked.text.contains("AADSTS53003"), "{}", blocked.text);
    server
        .done(
            "DELETE",
            &format!("/access-policies/{}", policy["id"].as_str().unwrap()),
            NOTHING,
        )
        .await;
    server.done("POST", "/tokens", wanted).await;
}

#[tokio::test]
async fn a_password_profile_sets_the_password_and_no_response_shows_it() {
    let server = Controlled::start().await;
    let profile =
        |password: &str| json!({ "password": password, "forceChangePasswordNextSignIn": false });
    let sign_in = async |name: &str, password: &str| {
        let url = format!(
            "{}/{}/oauth2/v2.0/token",
            server.text("uri"),
            server.text("id")
        );
        let form = [
            ("grant_type", "password"),
            ("client_id", server.text("clientId")),
            ("username", name),
            ("password", password),
            ("scope", "openid"),
        ];
        fetch(http().post(url).form(&form)).await.status
    };
    let ada = "ada.example@contoso.com";
    let body = json!({ "displayName": "Ada Example", "passwordProfile": profile("Example-1!") });
    let created = server.done("POST", "/users", body).await;
    assert_eq!(created["password"], "Example-1!");
    assert_eq!(created["user"]["passwordProfile"]["password"], NOTHING);
    assert_eq!(sign_in(ada, "Example-1!").await, 200);

    let path = format!("/users/{ada}");
    let change = json!({ "passwordProfile": profile("Example-2!") });
    let changed = server.send("PATCH", &path, &change).await;
    assert!(changed.status == 200 && !changed.text.contains("Example-2!"));
    assert_eq!(sign_in(ada, "Example-1!").await, 400);
    assert_eq!(sign_in(ada, "Example-2!").await, 200);
    let read = server
        .graph(&format!("{path}?$select=passwordProfile"))
        .await;
    assert!(
        read.status == 200 && !read.text.contains("Example"),
        "{}",
        read.text
    );

    let bo = json!({
        "displayName": "Bo", "userPrincipalName": "bo@contoso.com", "accountEnabled": true,
        "passwordProfile": profile("Example-3!"),
    });
    let added = server.send("POST", "/objects/users", &bo).await;
    assert!(
        added.status == 201 && !added.text.contains("Example-3!"),
        "{}",
        added.text
    );
    assert_eq!(sign_in("bo@contoso.com", "Example-3!").await, 200);
}
