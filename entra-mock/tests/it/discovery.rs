use entra_mock::FakeTenant;

use crate::support::{fetch, get, http};

async fn configuration(tenant: &FakeTenant, path: &str) -> serde_json::Value {
    let response = get(&format!(
        "{}/{path}/.well-known/openid-configuration",
        tenant.uri()
    ))
    .await;
    assert_eq!(response.status, 200, "{}", response.text);
    response.body
}

#[tokio::test]
async fn a_domain_is_echoed_as_the_tenant_id() {
    let tenant = FakeTenant::start().await;
    let (uri, id) = (tenant.uri(), tenant.id());
    for name in [
        id.to_string(),
        "contoso.com".to_owned(),
        "Contoso.OnMicrosoft.com".to_owned(),
    ] {
        let v2 = configuration(&tenant, &format!("{name}/v2.0")).await;
        assert_eq!(v2["issuer"], format!("{uri}/{id}/v2.0"));
        assert_eq!(
            v2["token_endpoint"],
            format!("{uri}/{id}/oauth2/v2.0/token")
        );
        assert_eq!(
            v2["device_authorization_endpoint"],
            format!("{uri}/{id}/oauth2/v2.0/devicecode")
        );
        assert_eq!(v2["jwks_uri"], format!("{uri}/{id}/discovery/v2.0/keys"));
        let v1 = configuration(&tenant, &name).await;
        assert_eq!(v1["issuer"], format!("{uri}/{id}/"));
        assert_eq!(v1["token_endpoint"], format!("{uri}/{id}/oauth2/token"));
        assert_eq!(v1["jwks_uri"], format!("{uri}/{id}/discovery/keys"));
    }
}

#[tokio::test]
async fn the_keys_of_an_application_are_at_the_address_in_its_metadata() {
    let tenant = FakeTenant::start().await;
    let app_id = tenant.register_app("Shop").client_id();
    for (path, keys) in [
        (format!("{}/v2.0", tenant.id()), "discovery/v2.0/keys"),
        (tenant.id().to_string(), "discovery/keys"),
        ("common/v2.0".to_owned(), "discovery/v2.0/keys"),
        ("organizations".to_owned(), "discovery/keys"),
    ] {
        let url = format!(
            "{}/{path}/.well-known/openid-configuration?appid={app_id}",
            tenant.uri()
        );
        let configuration = get(&url).await.body;
        let address = configuration["jwks_uri"].as_str().unwrap();
        assert!(
            address.ends_with(&format!("/{keys}?appid={app_id}")),
            "{address}"
        );
        let listed = get(address).await;
        assert!(listed.body["keys"][0]["kid"].is_string(), "{}", listed.text);
    }
    // Nothing of the parameter breaks the address.
    let odd = format!(
        "{}/{}/v2.0/.well-known/openid-configuration?appid=a%26b%20%23c",
        tenant.uri(),
        tenant.id()
    );
    let address = get(&odd).await.body["jwks_uri"].clone();
    assert!(
        address.as_str().unwrap().ends_with("?appid=a%26b+%23c"),
        "{address}"
    );
}

#[tokio::test]
async fn aliases_have_an_issuer_template() {
    let tenant = FakeTenant::start().await;
    let uri = tenant.uri();
    for alias in ["common", "organizations"] {
        let v2 = configuration(&tenant, &format!("{alias}/v2.0")).await;
        assert_eq!(v2["issuer"], format!("{uri}/{{tenantid}}/v2.0"));
        assert_eq!(
            v2["authorization_endpoint"],
            format!("{uri}/{alias}/oauth2/v2.0/authorize")
        );
        assert_eq!(v2["tenant_region_scope"], serde_json::Value::Null);
        assert_eq!(
            configuration(&tenant, alias).await["issuer"],
            format!("{uri}/{{tenantid}}/")
        );
    }
    let consumers = configuration(&tenant, "consumers/v2.0").await;
    assert_eq!(
        consumers["issuer"],
        format!("{uri}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0")
    );
}

#[tokio::test]
async fn urls_follow_the_host_the_client_used() {
    let tenant = FakeTenant::start().await;
    let request = http().get(format!(
        "{}/contoso.com/v2.0/.well-known/openid-configuration",
        tenant.uri()
    ));
    let response = fetch(request.header("host", "Login.Example:8443")).await;
    assert_eq!(
        response.body["token_endpoint"],
        format!(
            "http://login.example:8443/{}/oauth2/v2.0/token",
            tenant.id()
        )
    );
}

#[tokio::test]
async fn unknown_and_malformed_tenants_have_different_errors() {
    let tenant = FakeTenant::start().await;
    for (name, error, code) in [
        (
            "11111111-2222-3333-4444-555555555555",
            "invalid_tenant",
            90_002,
        ),
        ("fabrikam.com", "invalid_tenant", 90_002),
        ("contoso", "invalid_request", 900_023),
        ("a..b", "invalid_request", 900_023),
    ] {
        for path in [
            "v2.0/.well-known/openid-configuration",
            ".well-known/openid-configuration",
            "discovery/v2.0/keys",
        ] {
            let response = get(&format!("{}/{name}/{path}", tenant.uri())).await;
            assert_eq!(
                (response.status, &response.body["error"]),
                (400, &error.into()),
                "{name}/{path}"
            );
            assert_eq!(response.body["error_codes"], serde_json::json!([code]));
        }
    }
}

#[tokio::test]
async fn keys_of_v2_have_an_issuer_and_there_are_several() {
    let tenant = FakeTenant::start().await;
    let v2 = get(&format!(
        "{}/{}/discovery/v2.0/keys",
        tenant.uri(),
        tenant.id()
    ))
    .await
    .body;
    let v1 = get(&format!("{}/common/discovery/keys", tenant.uri()))
        .await
        .body;
    let (v1, v2) = (
        v1["keys"].as_array().unwrap(),
        v2["keys"].as_array().unwrap(),
    );
    assert!(v2.len() >= 2 && v1.len() == v2.len());
    for key in v2 {
        assert_eq!(
            (&key["kty"], &key["use"], &key["e"]),
            (&"RSA".into(), &"sig".into(), &"AQAB".into())
        );
        assert_eq!(key["kid"], key["x5t"]);
        assert_eq!(
            key["issuer"],
            format!("{}/{}/v2.0", tenant.uri(), tenant.id())
        );
    }
    assert!(v1.iter().all(|key| key.get("issuer").is_none()));
    let common = get(&format!("{}/common/discovery/v2.0/keys", tenant.uri()))
        .await
        .body;
    assert_eq!(
        common["keys"][0]["issuer"],
        format!("{}/{{tenantid}}/v2.0", tenant.uri())
    );
}

#[tokio::test]
async fn instance_discovery_has_the_public_clouds_and_the_tenant() {
    let tenant = FakeTenant::start().await;
    let host = tenant.uri().strip_prefix("http://").unwrap().to_owned();
    let request = async |endpoint: &str| {
        let endpoint: String = url::form_urlencoded::byte_serialize(endpoint.as_bytes()).collect();
        get(&format!(
            "{}/common/discovery/instance?api-version=1.1&authorization_endpoint={endpoint}",
            tenant.uri()
        ))
        .await
    };

    let public = request("https://login.microsoftonline.com/contoso.com/oauth2/v2.0/authorize")
        .await
        .body;
    assert_eq!(
        public["tenant_discovery_endpoint"],
        "https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration"
    );
    assert_eq!(
        public["metadata"][0]["aliases"].as_array().unwrap().len(),
        4
    );
    let v1 = request("https://login.windows.net/common/oauth2/authorize")
        .await
        .body;
    assert_eq!(
        v1["tenant_discovery_endpoint"],
        "https://login.windows.net/common/.well-known/openid-configuration"
    );

    let own = request(&format!("http://{host}/common/oauth2/v2.0/authorize"))
        .await
        .body;
    assert_eq!(
        own["tenant_discovery_endpoint"],
        format!("http://{host}/common/v2.0/.well-known/openid-configuration")
    );
    assert!(
        own["metadata"]
            .as_array()
            .unwrap()
            .iter()
            .any(|cloud| cloud["preferred_network"] == host.as_str())
    );

    for unknown in ["https://login.evil.example/common/oauth2/v2.0/authorize"] {
        let response = request(unknown).await;
        assert_eq!(
            (response.status, &response.body["error"]),
            (400, &"invalid_instance".into()),
            "{unknown}"
        );
        assert_eq!(response.body["error_codes"], serde_json::json!([50_049]));
    }
}

#[tokio::test]
async fn verified_domains_are_managed_realms() {
    let tenant = FakeTenant::start().await;
    let request = async |user: &str| {
        get(&format!(
            "{}/common/userrealm/{user}?api-version=1.0",
            tenant.uri()
        ))
        .await
        .body
    };
    assert_eq!(
        request("adele%40contoso.com").await["account_type"],
        "Managed"
    );
    assert_eq!(
        request("adele@contoso.com").await["domain_name"],
        "contoso.com"
    );
    assert_eq!(
        request("someone@fabrikam.example").await["account_type"],
        "Unknown"
    );
}

#[tokio::test]
async fn the_start_page_has_the_addresses_of_the_tenant_and_no_secret() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Shop").with_secret();
    let page = get(&format!("{}/", tenant.uri())).await;
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    for part in [
        tenant.id().to_string(),
        format!("<dd id=\"authority\">{}/{}</dd>", tenant.uri(), tenant.id()),
        format!("<dd id=\"graph\">{}/v1.0</dd>", tenant.uri()),
    ] {
        assert!(page.text.contains(&part), "{part}");
    }
    assert!(!page.text.contains(app.secret().expose_secret()));
    // The link to the metadata works.
    let (_, link) = page.text.split_once("<a href=\"").unwrap();
    let (link, _) = link.split_once('"').unwrap();
    let metadata = get(&format!("{}{link}", tenant.uri())).await;
    assert!(metadata.body["issuer"].is_string(), "{}", metadata.text);
}

#[tokio::test]
async fn an_endpoint_that_is_not_supported_returns_501_and_an_unknown_path_404() {
    let tenant = FakeTenant::start().await;
    for (path, status) in [
        ("/contoso.com/saml2", 501),
        ("/contoso.com/wsfed", 501),
        (
            "/contoso.com/federationmetadata/2007-06/federationmetadata.xml",
            501,
        ),
        ("/nonsense", 404),
        ("/contoso.com/oauth2/v2.0/nonsense", 404),
        ("/contoso.com/oauth2/v3.0/token", 404),
    ] {
        let response = get(&format!("{}{path}", tenant.uri())).await;
        assert_eq!(response.status, status, "{path}");
        assert!(response.text.contains(path), "{}", response.text);
    }
}

#[tokio::test]
async fn a_path_of_graph_without_its_version_returns_an_error_of_graph() {
    let tenant = FakeTenant::start().await;
    for (path, version) in [
        ("/me", "me"),
        ("/users/adele@contoso.com", "users"),
        ("/v2.0/users", "v2.0"),
        ("/v1/me", "v1"),
    ] {
        let response = get(&format!("{}{path}", tenant.uri())).await;
        assert_eq!(response.status, 400, "{path}");
        assert_eq!(response.body["error"]["code"], "BadRequest", "{path}");
        let message = format!("Invalid version: {version}");
        assert_eq!(response.body["error"]["message"], message, "{path}");
        assert!(response.header("request-id").is_some(), "{path}");
    }
}

#[tokio::test]
async fn every_advertised_endpoint_is_served() {
    let tenant = FakeTenant::start().await;
    for version in ["", "/v2.0"] {
        let advertised = configuration(&tenant, &format!("{}{version}", tenant.id())).await;
        for (name, value) in advertised.as_object().unwrap() {
            let address = value
                .as_str()
                .filter(|text| text.starts_with(&tenant.uri()));
            // Kerberos is for devices of Windows only, and an issuer is a name.
            if ["kerberos_endpoint", "issuer"].contains(&name.as_str()) {
                continue;
            }
            if let Some(address) = address {
                let status = get(address).await.status;
                assert!(![404, 501].contains(&status), "{name} {address}: {status}");
            }
        }
    }
}

#[tokio::test]
async fn a_method_that_an_endpoint_does_not_take_returns_405() {
    let tenant = FakeTenant::start().await;
    let uri = tenant.uri();
    for (path, allowed) in [
        ("/", "GET, HEAD"),
        (
            "/contoso.com/v2.0/.well-known/openid-configuration",
            "GET, HEAD",
        ),
        ("/contoso.com/.well-known/openid-configuration", "GET, HEAD"),
        ("/contoso.com/discovery/v2.0/keys", "GET, HEAD"),
        ("/contoso.com/discovery/keys", "GET, HEAD"),
        ("/common/discovery/instance", "GET, HEAD"),
        ("/common/userrealm/adele@contoso.com", "GET, HEAD"),
        ("/contoso.com/oauth2/v2.0/authorize", "GET, HEAD, POST"),
        ("/contoso.com/v2.0/adminconsent", "GET, HEAD, POST"),
        ("/contoso.com/oauth2/v2.0/logout", "GET, HEAD, POST"),
        ("/devicelogin", "GET, HEAD, POST"),
        ("/oidc/userinfo", "GET, HEAD, POST"),
    ] {
        let mut wrong = vec![http().delete(format!("{uri}{path}"))];
        if !allowed.contains("POST") {
            wrong.push(http().post(format!("{uri}{path}")));
        }
        for request in wrong {
            let response = fetch(request).await;
            assert_eq!(response.status, 405, "{path}: {}", response.text);
            assert_eq!(response.header("allow"), Some(allowed), "{path}");
        }
        let head = fetch(http().head(format!("{uri}{path}"))).await;
        assert_ne!(head.status, 405, "{path}");
    }
}

#[tokio::test]
async fn health_checks_and_native_applications_get_their_pages() {
    let tenant = FakeTenant::start().await;
    for path in ["/", "/contoso.com/v2.0/.well-known/openid-configuration"] {
        let head = fetch(http().head(format!("{}{path}", tenant.uri()))).await;
        assert_eq!((head.status, head.text.as_str()), (200, ""), "{path}");
    }
    let native = get(&format!("{}/common/oauth2/nativeclient", tenant.uri())).await;
    assert_eq!((native.status, native.text.as_str()), (200, ""));
}
