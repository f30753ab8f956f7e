use super::*;

#[test]
fn every_known_cloud_has_https_roots() {
    for cloud in [
        Cloud::public(),
        Cloud::us_government(),
        Cloud::us_government_dod(),
        Cloud::china(),
    ] {
        assert!(
            is_safe(cloud.authority()) && is_safe(cloud.graph()),
            "{cloud:?}"
        );
        assert!(cloud.graph_scope().starts_with("https://"));
    }
    assert_ne!(
        Cloud::us_government().graph_scope(),
        Cloud::us_government_dod().graph_scope()
    );
}

#[test]
fn plain_http_is_for_loopback_only() {
    for good in [
        "http://127.0.0.1:8080",
        "http://localhost:1/",
        "http://[::1]:1",
        "https://login.example.com/base",
    ] {
        Cloud::custom(good, good).unwrap();
    }
    for bad in [
        "http://login.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "ftp://localhost",
        "login.example.com",
        "https://user:pw@localhost",
        "https://localhost/?a=b",
        "",
    ] {
        Cloud::custom(bad, "https://graph.example.com").unwrap_err();
        Cloud::custom("https://login.example.com", bad).unwrap_err();
    }
}

#[test]
fn names_of_one_service_share_a_cache_key() {
    let key = |authority: &str| {
        let cloud = Cloud::custom(authority, "https://graph.example.com").unwrap();
        cloud.cache_authority()
    };
    let public = Cloud::public().cache_authority();
    for alias in Cloud::public().authority_aliases() {
        assert_eq!(key(&format!("https://{alias}")), public);
    }
    assert_eq!(
        key("https://login.chinacloudapi.cn"),
        Cloud::china().cache_authority()
    );
    for other in [
        "https://login.windows.net:8443",
        "https://login.windows.net/base",
        "https://login.windows.net.example.com",
        "https://login.microsoftonline.us",
    ] {
        assert_ne!(key(other), public);
    }
    let own = Cloud::custom("https://one.example", "https://graph.example.com").unwrap();
    let two = Cloud::custom("https://two.example", "https://graph.example.com").unwrap();
    assert_ne!(own.cache_authority(), two.cache_authority());
    let discovered =
        |cloud: Cloud| cloud.with_authority_aliases("one.example", ["one.example", "two.example"]);
    assert_eq!(
        discovered(own).cache_authority(),
        discovered(two).cache_authority()
    );
}

#[test]
fn a_service_that_claims_a_name_of_microsoft_shares_no_key_with_it() {
    for name in [
        "login.microsoftonline.com",
        "STS.windows.net",
        "login.chinacloudapi.cn",
    ] {
        let evil = Cloud::custom("https://evil.example", "https://graph.example.com").unwrap();
        let evil = evil.with_authority_aliases(name, ["evil.example", name]);
        assert_eq!(evil.cache_authority(), "https://evil.example/", "{name}");
    }
}

#[test]
fn another_provider_has_its_own_endpoints() {
    let tenant = "contoso.com".parse().unwrap();
    let provider =
        |token: &str| Cloud::openid_provider("https://id.example/base", token, None, None);
    let cloud = provider("https://tokens.example/t").unwrap();
    assert_eq!(
        cloud.token_endpoint(&tenant).as_str(),
        "https://tokens.example/t"
    );
    assert_eq!(cloud.sign_in_origins().len(), 2);
    assert!(!cloud.is_entra() && Cloud::public().is_entra());
    for bad in ["http://tokens.example/t", "tokens", "https://a@b/t"] {
        provider(bad).unwrap_err();
    }
    assert_ne!(
        provider("https://tokens.example/t")
            .unwrap()
            .cache_authority(),
        Cloud::public().cache_authority()
    );
}

#[test]
fn another_provider_shares_no_cache_key_with_a_service_whose_issuer_it_names() {
    let key = |issuer: &str, token: &str| {
        let cloud = Cloud::openid_provider(issuer, token, None, None).unwrap();
        cloud.cache_authority()
    };
    let issuer = "https://id.example";
    let own = key(issuer, "https://id.example/token");
    assert_eq!(own, key("https://id.example/", "https://id.example/token"));
    assert_ne!(own, key(issuer, "https://evil.example/token"));
    let root = Cloud::custom(issuer, issuer).unwrap();
    assert_ne!(own, root.cache_authority());
    for microsoft in [
        "https://login.microsoftonline.com",
        "https://LOGIN.microsoftonline.com/common/v2.0",
        "https://sts.windows.net:8443/",
        "https://login.chinacloudapi.cn",
    ] {
        for token in [
            "https://evil.example/token",
            "https://login.microsoftonline.us.evil.example/t",
        ] {
            let error = Cloud::openid_provider(microsoft, token, None, None).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Configuration, "{microsoft}");
        }
    }
    // A document of Entra itself names another host of the same service.
    let entra = key(
        "https://sts.windows.net/contoso/",
        "https://login.microsoftonline.com/contoso/oauth2/token",
    );
    assert_ne!(entra, Cloud::public().cache_authority());
    // Tokens of v1.0 of a tenant of the US Government have the public issuer.
    let government = key(
        "https://sts.windows.net/contoso/",
        "https://login.microsoftonline.us/contoso/oauth2/token",
    );
    assert!(government != entra && government != Cloud::us_government().cache_authority());
}

#[test]
fn a_document_names_endpoints_at_its_own_hosts_only() {
    let check = |cloud: &Cloud, url: &str| {
        cloud.check_endpoint("token endpoint", &Url::parse(url).unwrap())
    };
    let issuer = "https://id.example/base";
    let token = "https://tokens.example/t";
    let provider = Cloud::openid_provider(issuer, token, None, None).unwrap();
    for good in [
        "https://id.example/t",
        "https://ID.example:8443/t",
        "https://tokens.example/k?a=b",
    ] {
        check(&provider, good).unwrap();
    }
    let bad = [
        "http://id.example/t",
        "http://127.0.0.1/t",
        "https://127.0.0.1/t",
        "https://localhost:8443/t",
        "http://localhost:6379/",
        "https://[::1]/t",
        "https://[::ffff:127.0.0.1]/t",
        "https://169.254.169.254/metadata",
        "http://169.254.169.254/metadata",
        "https://[fe80::1]/t",
        "https://[fd00::1]/t",
        "https://10.0.0.1/t",
        "https://192.168.1.1/t",
        "https://0.0.0.0/t",
        "https://2130706433/t",
        "https://0x7f.1/t",
        "https://other.example/t",
        "https://id.example.evil/t",
        "https://evil.id.example/t",
        "https://id.example./t",
        "https://id.example@evil.example/t",
        "https://user@id.example/t",
        "https://id.example/t#x",
        "ftp://id.example/t",
        "file:///etc/passwd",
    ];
    for bad in bad {
        let error = check(&provider, bad).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Policy, "{bad}");
    }
    let wider = provider.with_endpoint_hosts(["Keys.example"]);
    check(&wider, "https://keys.example/jwks").unwrap();
    check(&wider, "http://keys.example/jwks").unwrap_err();
    check(&wider, "https://10.0.0.1/t").unwrap_err();

    let local = Cloud::custom("http://127.0.0.1:8080", "http://127.0.0.1:8080").unwrap();
    check(&local, "http://localhost:8081/keys").unwrap();
    check(&local, "https://id.example/keys").unwrap_err();
    check(&local, "http://169.254.169.254/").unwrap_err();
}

#[test]
fn a_microsoft_cloud_publishes_under_its_own_names_only() {
    let check = |cloud: &Cloud, host: &str| {
        let url = Url::parse(&format!("https://{host}/keys?appid=1")).unwrap();
        cloud.check_endpoint("signing keys", &url).is_ok()
    };
    assert!(check(&Cloud::public(), "login.microsoftonline.com"));
    assert!(check(&Cloud::public(), "login.windows.net"));
    assert!(!check(&Cloud::public(), "login.microsoftonline.us"));
    assert!(!check(
        &Cloud::public(),
        "login.microsoftonline.com.evil.example"
    ));
    let external = Cloud::external_id("contoso").unwrap();
    assert!(check(
        &external,
        "11111111-1111-1111-1111-111111111111.ciamlogin.com"
    ));
    assert!(!check(&external, "evil.ciamlogin.com.evil.example"));
    assert!(!check(&external, "a.b.ciamlogin.com"));
    // A document does not prove the names that it claims.
    let evil = Cloud::custom("https://evil.example", "https://graph.example.com").unwrap();
    let evil = evil.with_authority_aliases("evil.example", ["evil.example", "10.0.0.1"]);
    assert!(!check(&evil, "10.0.0.1") && !check(&evil, "login.microsoftonline.com"));
}

#[test]
fn the_name_of_an_external_tenant_is_one_part_of_a_host() {
    Cloud::external_id("Contoso-1").unwrap();
    for bad in ["", "-a", "a.b", "a/b", "a@b", "a b", &"a".repeat(64)] {
        Cloud::external_id(bad).unwrap_err();
    }
}

#[test]
fn an_authority_below_a_path_keeps_it() {
    let cloud = Cloud::custom("https://localhost/login", "https://localhost/graph").unwrap();
    let tenant = "contoso.com".parse().unwrap();
    assert_eq!(
        cloud.token_endpoint(&tenant).as_str(),
        "https://localhost/login/contoso.com/oauth2/v2.0/token"
    );
    assert_eq!(cloud.graph_scope(), "https://localhost/.default");
}

#[test]
fn a_version_at_the_end_of_the_graph_root_is_removed() {
    for (given, root) in [
        ("https://localhost/v1.0", "https://localhost/"),
        ("https://localhost/v1.0/", "https://localhost/"),
        ("https://localhost/V1.0", "https://localhost/"),
        ("https://localhost/v1.0//", "https://localhost/"),
        ("https://localhost/v1.0/v1.0", "https://localhost/"),
        ("https://localhost/graph/v1.0", "https://localhost/graph/"),
        (
            "https://localhost/v1.0/graph",
            "https://localhost/v1.0/graph/",
        ),
    ] {
        let cloud = Cloud::custom("https://localhost", given).unwrap();
        assert_eq!(cloud.graph().as_str(), root, "{given}");
    }
    for given in [
        "https://localhost/beta",
        "https://localhost/Beta/",
        "https://localhost/beta//",
        "https://localhost/beta/v1.0",
    ] {
        let error = Cloud::custom("https://localhost", given).unwrap_err();
        assert!(
            error.to_string().contains("leave the version out"),
            "{error}"
        );
    }
}
