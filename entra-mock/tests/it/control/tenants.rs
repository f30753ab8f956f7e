//! Several tenants of one server.

use std::collections::HashSet;

use serde_json::json;

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
    assert_eq!(
        server.graph("/users").await.body["value"]
            .as_array()
            .unwrap()
            .len(),
        1
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
    let both = json!({ "scenario": "base: empty", "seed": "contoso" });
    let both = server.send("POST", "/tenants", &both).await;
    assert_eq!(both.status, 400, "{}", both.text);
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
