//! Several tenants of one server.

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    controlled::{Controlled, NOTHING, code},
    support::{fetch, http},
};

#[tokio::test]
async fn tenants_are_made_and_removed_at_run_time_each_at_an_address_of_its_own() {
    let mut server = Controlled::start().await;
    let first = server.tenant.clone();
    let wanted = json!({ "seed": "empty", "name": "Fabrikam", "domain": "fabrikam.com" });
    let second = server.done("POST", "/tenants", wanted).await;
    let third = server.done("POST", "/tenants", json!({})).await;
    let ids: HashSet<String> = [&first, &second, &third]
        .map(|tenant| tenant["id"].to_string())
        .into();
    let addresses: HashSet<String> = [&first, &second, &third]
        .map(|tenant| tenant["uri"].to_string())
        .into();
    assert_eq!((ids.len(), addresses.len()), (3, 3));
    assert_eq!(second["user"], "adele@fabrikam.com");

    let own = "base: empty\nusers:\n  - { name: ines, displayName: Ines Moreau }\n";
    let fourth = server
        .done("POST", "/tenants", json!({ "scenario": own }))
        .await;
    server.tenant = fourth.clone();
    let users = server.get("/users").await.text;
    assert!(
        users.contains("Ines Moreau") && !users.contains("bruno@"),
        "{users}"
    );
    server.tenant = first.clone();
    let path = format!("/tenants/{}", fourth["id"].as_str().unwrap());
    server.done("DELETE", &path, NOTHING).await;

    // Tenants share no objects.
    server
        .done("POST", "/users", json!({ "displayName": "Only first" }))
        .await;
    server.tenant = second.clone();
    assert!(!server.get("/users").await.text.contains("Only first"));
    // The user and the administrator of its environment file.
    assert_eq!(
        server.graph("/users").await.body["value"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let token = server.token().await.body["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let elsewhere = format!("{}/users", first["graph"].as_str().unwrap());
    assert_eq!(
        fetch(http().get(elsewhere).bearer_auth(token)).await.status,
        401
    );

    let wrong = "base: empty\nusers:\n  - { name: ines, manager: jonas }\n";
    let wrong = server
        .send("POST", "/tenants", &json!({ "scenario": wrong }))
        .await;
    assert_eq!((wrong.status, code(&wrong)), (400, "invalidScenario"));
    assert!(wrong.text.contains("line 3"), "{}", wrong.text);
    // A name of another domain can be that of another user there only.
    let text = "users:\n  - { name: ines, displayName: I, properties: { userPrincipalName: tom@fabrikam.com } }\n  \
                - { name: tom, displayName: T }\n";
    let taken = json!({ "scenario": text, "domain": "fabrikam.com" });
    let taken = server.send("POST", "/tenants", &taken).await;
    assert_eq!((taken.status, code(&taken)), (400, "invalidScenario"));
    assert!(taken.text.contains("line 3"), "{}", taken.text);
    let both = json!({ "scenario": "base: empty", "seed": "contoso" });
    let both = server.send("POST", "/tenants", &both).await;
    assert_eq!(both.status, 400, "{}", both.text);
    let scenario = "company: { name: A, domain: 'a b/c' }\n";
    for (body, expected) in [
        (json!({ "domain": "a b/c" }), "invalidValue"),
        (json!({ "domain": "localhost" }), "invalidValue"),
        (json!({ "scenario": scenario }), "invalidScenario"),
    ] {
        let wrong = server.send("POST", "/tenants", &body).await;
        assert_eq!((wrong.status, code(&wrong)), (400, expected));
        assert!(wrong.text.contains("domain name"), "{}", wrong.text);
    }
    let taken = server
        .send("POST", "/tenants", &json!({ "randomSeed": 0 }))
        .await;
    assert_eq!((taken.status, code(&taken)), (409, "conflict"));
    // A tenant can remove itself.
    let path = format!("/tenants/{}", second["id"].as_str().unwrap());
    server.done("DELETE", &path, NOTHING).await;
    let url = second["control"].as_str().unwrap().to_owned();
    let closed = async {
        while http().get(&url).send().await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), closed)
        .await
        .unwrap();
    server.tenant = first;
    assert_eq!(
        server.get("/tenants").await.body["value"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let own = server
        .send(
            "DELETE",
            &format!("/tenants/{}", server.text("id")),
            &NOTHING,
        )
        .await;
    assert_eq!((own.status, code(&own)), (409, "firstTenant"));
}

#[tokio::test]
async fn tenants_of_run_time_have_the_ports_that_a_container_publishes() {
    // Two ports that are free now; another program can take one before the server does.
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut ports, mut server) = (None, None);
    while server.is_none() {
        let first = free().local_addr().unwrap().port();
        let range = first..=first.saturating_add(1);
        let both = range
            .clone()
            .map(|port| std::net::TcpListener::bind(("127.0.0.1", port)));
        if both.collect::<Result<Vec<_>, _>>().is_ok() {
            let builder = entra_mock::Server::builder().tenant_ports(range.clone());
            server = Some(Controlled::of(builder.start().await.unwrap()).await);
            ports = Some(range);
        }
    }
    let (ports, server) = (ports.unwrap(), server.unwrap());
    let port = |tenant: &Value| {
        let uri = tenant["uri"].as_str().unwrap();
        uri.rsplit_once(':').unwrap().1.parse::<u16>().unwrap()
    };
    let second = server.done("POST", "/tenants", json!({})).await;
    let third = server.done("POST", "/tenants", json!({})).await;
    let given: HashSet<u16> = [port(&second), port(&third)].into();
    assert_eq!(given, ports.clone().collect());
    let full = server.send("POST", "/tenants", &json!({})).await;
    assert_eq!(
        (full.status, code(&full)),
        (409, "noFreePort"),
        "{}",
        full.text
    );
    // A port is free again when its tenant is removed.
    let path = format!("/tenants/{}", second["id"].as_str().unwrap());
    server.done("DELETE", &path, NOTHING).await;
    let next = server.done("POST", "/tenants", json!({})).await;
    assert_eq!(port(&next), port(&second));
}

#[tokio::test]
async fn a_tenant_has_the_host_name_by_which_it_was_made() {
    let builder = entra_mock::Server::builder().control_host("entra-mock");
    let mut server = Controlled::of(builder.start().await.unwrap()).await;
    let second = server.done("POST", "/tenants", json!({})).await;
    assert!(
        second["uri"]
            .as_str()
            .unwrap()
            .starts_with("http://localhost:")
    );
    let port = server
        .text("control")
        .rsplit_once(':')
        .unwrap()
        .1
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    let named = server
        .request("POST", "/tenants")
        .header("host", format!("entra-mock:{port}"));
    let third = fetch(named.json(&json!({}))).await;
    assert_eq!(third.status, 201, "{}", third.text);
    for name in ["uri", "graph", "control"] {
        let text = third.body[name].as_str().unwrap();
        assert!(text.starts_with("http://entra-mock:"), "{name}: {text}");
    }
    // The addresses are those that clients use: links and issuers have the same host.
    let local = |name: &str| {
        third.body[name]
            .as_str()
            .unwrap()
            .replace("entra-mock:", "localhost:")
    };
    let mut tenant = third.body.clone();
    for name in ["uri", "graph", "control"] {
        tenant[name] = local(name).into();
    }
    server.tenant = tenant;
    assert_eq!(server.graph("/users").await.status, 200);
}

#[tokio::test]
async fn a_client_in_another_container_uses_a_server_by_its_name() {
    let builder = entra_mock::Server::builder().control_host("entra-mock");
    let server = Controlled::of(builder.start().await.unwrap()).await;
    let host = server
        .text("uri")
        .replace("http://localhost:", "entra-mock:");
    let named = |method: &str, path: &str| {
        let request = server.request(method, path);
        request.header("host", host.as_str())
    };
    let current = fetch(named("GET", "/tenant")).await;
    assert_eq!(current.body["uri"], format!("http://{host}"));
    let (id, client, user) = (
        server.text("id"),
        server.text("clientId"),
        server.text("user"),
    );
    let path = format!("/tenants/{}", id.to_uppercase());
    let current = fetch(named("GET", &path)).await;
    assert_eq!(current.body["graph"], format!("http://{host}/v1.0"));

    // A container publishes its port under another number. The other tenants have their own.
    let second = server.done("POST", "/tenants", json!({})).await;
    let listed = server.request("GET", "/tenants");
    let listed = fetch(listed.header("host", "localhost:9443")).await;
    let uris = [0, 1].map(|at| listed.body["value"][at]["uri"].clone());
    assert_eq!(
        uris,
        [json!("http://localhost:9443"), second["uri"].clone()]
    );
    let control = &listed.body["value"][0]["control"];
    assert_eq!(control, "http://localhost:9443/_entra-mock");

    let target = format!(
        "{id}/oauth2/v2.0/authorize?client_id={client}&response_type=code&scope=openid\
         &redirect_uri=http://localhost:3000/callback"
    );
    let follow = async |origin: &str| {
        let body = json!({ "url": format!("{origin}/{target}"), "user": user });
        fetch(named("POST", "/sign-ins/follow").json(&body)).await
    };
    let localhost = host.replace("entra-mock:", "localhost:");
    for name in [&host, &localhost] {
        let followed = follow(&format!("http://{name}")).await;
        let code = &followed.body["parameters"]["code"];
        assert!(code.is_string(), "{name}: {}", followed.text);
    }
    let elsewhere = follow("https://login.microsoftonline.com").await;
    assert_eq!((elsewhere.status, code(&elsewhere)), (400, "invalidValue"));
    assert!(
        elsewhere.text.contains("login.microsoftonline.com"),
        "{}",
        elsewhere.text
    );

    let body = json!({ "application": client, "user": user, "scopes": ["openid"] });
    let issued = fetch(named("POST", "/tokens").json(&body)).await;
    let issuer = format!("http://{host}/{id}/v2.0");
    let token = issued.body["idToken"].as_str().unwrap();
    let part = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap());
    let claims: Value = serde_json::from_slice(&part.unwrap()).unwrap();
    assert_eq!(claims["iss"], issuer);
    let body = json!({ "applications": [client] });
    let identities = fetch(named("POST", "/managed-identities").json(&body)).await;
    let endpoint = format!("http://{host}/msi/token");
    assert_eq!(identities.body["IDENTITY_ENDPOINT"], endpoint);

    let link = fetch(named("POST", "/portal/links")).await;
    let link = link.body["url"].as_str().unwrap();
    let start = format!("http://{host}/_entra-mock/portal/open?code=");
    assert!(link.starts_with(&start), "{link}");
}
