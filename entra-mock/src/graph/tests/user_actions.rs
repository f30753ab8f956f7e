//! Passwords, sessions, licences and extensions of users.

use super::{users::writer, *};

#[test]
fn users_change_their_own_password_with_the_current_one() {
    let mut fixture = Fixture::new();
    fixture.adele(&["Directory.AccessAsUser.All"]);
    let change = |fixture: &Fixture, current: &str, new: &str| {
        fixture.post(
            "/me/changePassword",
            &json!({"currentPassword": current, "newPassword": new}),
        )
    };
    assert!(
        change(&fixture, "wrong", "0eM85N54wFxWwvJ]")
            .error()
            .2
            .contains("current password")
    );
    assert!(
        change(&fixture, "secret", "weak")
            .error()
            .2
            .contains("complexity")
    );
    assert_eq!(change(&fixture, "secret", "0eM85N54wFxWwvJ]").status, 204);
    assert_eq!(change(&fixture, "secret", "1eM85N54wFxWwvJ]").status, 400);
    assert_eq!(
        fixture
            .post(
                &format!("/users/{}/changePassword", id(BO)),
                &json!({"currentPassword": "a", "newPassword": "b"})
            )
            .status,
        403
    );
    fixture.application(&["User.ReadWrite.All"]);
    assert_eq!(
        fixture
            .post(
                &format!("/users/{}/changePassword", id(ADELE)),
                &json!({"currentPassword": "a", "newPassword": "b"})
            )
            .status,
        403
    );
}

#[test]
fn revoking_sessions_returns_true_and_updates_the_valid_from_time() {
    let mut fixture = Fixture::new();
    fixture.application(&["User.RevokeSessions.All", "User.Read.All"]);
    let response = fixture.post(
        &format!("/users/{}/revokeSignInSessions", id(ADELE)),
        &json!({}),
    );
    assert_eq!(
        (response.status, &response.body["value"]),
        (200, &json!(true))
    );
    let read = fixture.get(&format!(
        "/users/{}?$select=signInSessionsValidFromDateTime",
        id(ADELE)
    ));
    assert_eq!(
        read.body["signInSessionsValidFromDateTime"],
        "2026-11-21T02:08:02Z"
    );
}

#[test]
fn licences_are_assigned_up_to_the_purchased_units() {
    let mut fixture = writer();
    fixture
        .state()
        .store
        .update(Kind::SubscribedSku, "sku-1", |sku| {
            sku.insert("prepaidUnits".into(), json!({"enabled": 1}));
            sku.insert("consumedUnits".into(), json!(0));
        });
    let assign = |fixture: &Fixture, user: u32, add: Value, remove: Value| {
        fixture.post(
            &format!("/users/{}/assignLicense", id(user)),
            &json!({"addLicenses": add, "removeLicenses": remove}),
        )
    };
    let add = json!([{"skuId": id(90), "disabledPlans": []}]);
    assert!(
        assign(&fixture, BO, add.clone(), json!([]))
            .error()
            .2
            .contains("usage location")
    );
    for user in [BO, CLEO] {
        assert_eq!(
            fixture
                .patch(
                    &format!("/users/{}", id(user)),
                    &json!({"usageLocation": "DE"})
                )
                .status,
            204
        );
    }
    assert!(
        assign(&fixture, BO, json!([{"skuId": id(77)}]), json!([]))
            .error()
            .2
            .contains("valid company License")
    );
    assert!(
        assign(&fixture, BO, json!([]), json!([id(90)]))
            .error()
            .2
            .contains("corresponding license")
    );
    let response = assign(&fixture, BO, add.clone(), json!([]));
    assert_eq!(
        (response.status, &response.body["id"]),
        (200, &json!(id(BO))),
        "{}",
        response.text
    );
    let before = fixture.snapshot();
    assert!(
        assign(&fixture, CLEO, add.clone(), json!([]))
            .error()
            .2
            .contains("available licenses")
    );
    assert_eq!(fixture.snapshot(), before);
    assert_eq!(assign(&fixture, BO, json!([]), json!([id(90)])).status, 200);
    assert_eq!(assign(&fixture, CLEO, add, json!([])).status, 200);
    let read = fixture.get(&format!("/users/{}?$select=assignedLicenses", id(CLEO)));
    assert_eq!(
        read.body["assignedLicenses"],
        json!([{"skuId": id(90), "disabledPlans": []}])
    );
}

#[test]
fn an_extension_property_can_be_set_once_it_is_registered() {
    let mut fixture = Fixture::new();
    fixture.application(&["Application.ReadWrite.All", "User.ReadWrite.All"]);
    let path = format!("/applications/{}/extensionProperties", id(DESK_APP));
    let created = fixture.post(
        &path,
        &json!({"name": "level", "dataType": "Integer", "targetObjects": ["User"]}),
    );
    assert_eq!(created.status, 201, "{}", created.text);
    let name = created.body["name"].as_str().unwrap().to_owned();
    assert_eq!(
        name,
        format!("extension_{}_level", id(220).replace('-', ""))
    );
    assert_eq!(
        fixture
            .post(
                &path,
                &json!({"name": "level", "dataType": "String", "targetObjects": ["User"]})
            )
            .status,
        400
    );
    assert_eq!(
        fixture
            .post(
                &path,
                &json!({"name": "x", "dataType": "Text", "targetObjects": ["User"]})
            )
            .status,
        400
    );
    assert_eq!(fixture.get(&path).all("name"), [name.as_str()]);

    let user = format!("/users/{}", id(ADELE));
    assert_eq!(fixture.patch(&user, &json!({&name: "high"})).status, 400);
    assert_eq!(fixture.patch(&user, &json!({&name: 7})).status, 204);
    assert_eq!(
        fixture.get(&format!("{user}?$select={name}")).body[&name],
        7
    );
    assert_eq!(fixture.patch(&user, &json!({&name: null})).status, 204);

    let one = format!("{path}/{}", created.body["id"].as_str().unwrap());
    assert_eq!(fixture.get(&one).body["name"], name.as_str());
    assert_eq!(fixture.get(&format!("{path}/other")).status, 404);
    let upper = created.body["id"].as_str().unwrap().to_ascii_uppercase();
    let upper = fixture.get(&format!("{path}/{upper}"));
    assert_eq!(upper.body["name"], name.as_str(), "{}", upper.text);
    let upper = one.replace(
        created.body["id"].as_str().unwrap(),
        &created.body["id"].as_str().unwrap().to_ascii_uppercase(),
    );
    assert_eq!(fixture.delete(&upper).status, 204);
    assert_eq!(fixture.delete(&one).status, 404);
    assert_eq!(fixture.patch(&user, &json!({&name: 7})).status, 400);
}
