//! Redirect URIs, and the limits of registrations by audience.

use super::*;

const APPS: &str = "/applications";

fn writer() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&["Application.ReadWrite.All"]);
    fixture
}

/// The path of a new application of this audience.
fn registered(fixture: &Fixture, audience: &str) -> String {
    let body = json!({"displayName": "Shop", "signInAudience": audience});
    let response = fixture.post(APPS, &body);
    assert_eq!(response.status, 201, "{}", response.text);
    format!("{APPS}/{}", response.body["id"].as_str().unwrap())
}

fn uris(platform: &str, uris: &[&str]) -> Value {
    json!({ platform: {"redirectUris": uris} })
}

fn role(number: u32) -> Value {
    json!({
        "id": id(number), "allowedMemberTypes": ["User"], "displayName": "Read", "description": "Reads",
        "isEnabled": true, "value": format!("Read.{number}")
    })
}

fn scope(number: u32, value: &str) -> Value {
    json!({
        "id": id(number), "adminConsentDisplayName": "Orders", "adminConsentDescription": "Orders",
        "type": "Admin", "isEnabled": true, "value": value
    })
}

#[test]
fn a_redirect_uri_is_encrypted_or_local_and_other_schemes_are_free() {
    let fixture = writer();
    let long = format!("https://shop.example/{}", "a".repeat(236));
    for (platform, uri, status) in [
        ("web", "https://shop.example/callback", 204),
        ("web", "https://shop.example/callback?tenant=1", 204),
        ("web", "https://*.shop.example/callback", 204),
        ("web", "https://shop.example/#a", 204),
        ("web", "http://localhost", 204),
        ("web", "http://localhost:3000/callback", 204),
        ("web", "http://127.0.0.1:8400/callback", 204),
        ("publicClient", "http://localhost:53124", 204),
        ("publicClient", "urn:ietf:wg:oauth:2.0:oob", 204),
        ("publicClient", "msauth://com.contoso.shop/c2ln%3D", 204),
        ("publicClient", "com.contoso.shop:/callback", 204),
        ("publicClient", "msal0000-0000://auth", 204),
        (
            "publicClient",
            "https://login.microsoftonline.com/common/oauth2/nativeclient",
            204,
        ),
        ("spa", "brk-multihub://localhost:3000", 204),
        ("web", "http://shop.example/callback", 400),
        ("spa", "http://shop.example/callback", 400),
        ("publicClient", "http://shop.example/callback", 400),
        ("web", "http://localhost.shop.example/", 400),
        ("web", "http://[::1]:3000/", 400),
        ("web", "no uri", 400),
        ("web", "/callback", 400),
        ("web", "https://shop.example/a;b", 400),
        ("web", &long, 400),
    ] {
        let one = registered(&fixture, "AzureADMyOrg");
        let response = fixture.patch(&one, &uris(platform, &[uri]));
        assert_eq!(response.status, status, "{platform} {uri}");
        if status == 400 {
            assert!(response.error().2.contains(uri), "{}", response.text);
            let mut body = uris(platform, &[uri]);
            body["displayName"] = "Shop".into();
            assert_eq!(fixture.post(APPS, &body).status, 400, "{uri}");
        }
    }
}

#[test]
fn a_redirect_uri_has_one_platform_and_old_ones_are_not_judged() {
    let mut fixture = writer();
    let one = registered(&fixture, "AzureADMyOrg");
    let callback = "https://shop.example/callback";
    assert_eq!(fixture.patch(&one, &uris("web", &[callback])).status, 204);
    assert_eq!(fixture.patch(&one, &uris("spa", &[callback])).status, 400);
    let redirect = json!({"spa": {"redirectUris": ["https://shop.example/spa"]}});
    assert_eq!(fixture.patch(&one, &redirect).status, 204);
    let of_spa = uris("web", &["https://shop.example/spa"]);
    assert_eq!(fixture.patch(&one, &of_spa).status, 400);
    let moved = json!({"web": {"redirectUris": []}, "spa": {"redirectUris": [callback]}});
    assert_eq!(fixture.patch(&one, &moved).status, 204);
    let both = json!({"displayName": "Shop", "web": {"redirectUris": [callback]}, "spa": {"redirectUris": [callback]}});
    assert_eq!(fixture.post(APPS, &both).status, 400);
    // Another part of the platform leaves the list as it is.
    let logout = json!({"web": {"logoutUrl": "https://shop.example/out"}});
    assert_eq!(fixture.patch(&one, &logout).status, 204);

    let old = "http://old.example/callback";
    let web = json!({"redirectUris": [old]});
    fixture
        .state()
        .store
        .update(Kind::Application, &id(DESK_APP), |app| {
            app.insert("web".into(), web.clone());
        });
    let desk = format!("{APPS}/{}", id(DESK_APP));
    let with_new = uris("web", &[old, callback]);
    assert_eq!(fixture.patch(&desk, &with_new).status, 204);
}

#[test]
fn an_application_has_so_many_redirect_uris_as_its_audience_allows() {
    let fixture = writer();
    let many: Vec<String> = (0..257)
        .map(|number| format!("https://shop.example/{number}"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (audience, most) in [
        ("AzureADMyOrg", 256),
        ("AzureADMultipleOrgs", 256),
        ("AzureADandPersonalMicrosoftAccount", 100),
        ("PersonalMicrosoftAccount", 100),
    ] {
        let one = registered(&fixture, audience);
        let body = json!({
            "web": {"redirectUris": &many[..most - 1]}, "publicClient": {"redirectUris": [many[most - 1]]}
        });
        assert_eq!(fixture.patch(&one, &body).status, 204, "{audience}");
        let body = uris("publicClient", &many[most - 1..=most]);
        assert_eq!(fixture.patch(&one, &body).status, 400, "{audience}");
    }
}

#[test]
fn personal_accounts_have_limits_of_their_own() {
    let fixture = writer();
    let scopes: Vec<Value> = (0..101)
        .map(|number| scope(1_000 + number, &format!("Orders.{number}")))
        .collect();
    let permissions: Vec<Value> = (0..31)
        .map(|number| json!({"id": id(number), "type": "Scope"}))
        .collect();
    for body in [
        uris("web", &["https://shop.example/callback?tenant=1"]),
        uris("web", &["https://*.shop.example/callback"]),
        json!({"appRoles": [role(1)]}),
        json!({"displayName": "x".repeat(91)}),
        json!({"api": {"oauth2PermissionScopes": [scope(3, &"x".repeat(41))]}}),
        json!({"api": {"oauth2PermissionScopes": scopes}}),
        json!({"requiredResourceAccess": [{"resourceAppId": id(7), "resourceAccess": permissions}]}),
    ] {
        let personal = registered(&fixture, "AzureADandPersonalMicrosoftAccount");
        let rejected = fixture.patch(&personal, &body);
        assert_eq!(rejected.status, 400, "{body}");
        let work = registered(&fixture, "AzureADMyOrg");
        let accepted = fixture.patch(&work, &body);
        assert_eq!(accepted.status, 204, "{body}: {}", accepted.text);
        // What it has must fit its new audience.
        let opened = fixture.patch(
            &work,
            &json!({"signInAudience": "PersonalMicrosoftAccount"}),
        );
        assert_eq!(opened.status, 400, "{body}");
    }
}

#[test]
fn an_application_lists_permissions_of_at_most_50_apis() {
    let fixture = writer();
    let apis = |count: u32, permissions: u32| -> Value {
        let access: Vec<Value> = (0..permissions)
            .map(|number| json!({"id": id(number), "type": "Role"}))
            .collect();
        let api = |number| json!({"resourceAppId": id(number), "resourceAccess": access});
        json!({"requiredResourceAccess": (0..count).map(api).collect::<Vec<_>>()})
    };
    for (count, permissions, status) in [(50, 8, 204), (51, 1, 400), (50, 9, 400)] {
        let one = registered(&fixture, "AzureADMyOrg");
        let response = fixture.patch(&one, &apis(count, permissions));
        assert_eq!(response.status, status, "{count} {permissions}");
    }
}
