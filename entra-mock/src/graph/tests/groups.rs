use super::*;

pub(super) fn new_group() -> Value {
    json!({"displayName": "Library", "mailEnabled": false, "mailNickname": "library", "securityEnabled": true})
}

pub(super) fn unified(nickname: &str) -> Value {
    json!({"displayName": "Library", "mailEnabled": true, "mailNickname": nickname, "securityEnabled": false, "groupTypes": ["Unified"]})
}

fn with(mut group: Value, name: &str, value: Value) -> Value {
    if value.is_null() {
        group.as_object_mut().unwrap().remove(name);
    } else {
        group[name] = value;
    }
    group
}

pub(super) fn writer() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&[
        "Group.ReadWrite.All",
        "User.ReadWrite.All",
        "AuditLog.Read.All",
    ]);
    fixture
}

#[test]
fn a_created_group_has_the_members_and_owners_of_its_body() {
    let fixture = writer();
    let mut body = new_group();
    body["members@odata.bind"] = json!([
        format!("https://graph.microsoft.com/v1.0/users/{}", id(ADELE)),
        format!(
            "https://graph.microsoft.com/v1.0/directoryObjects/{}",
            id(TESTERS)
        ),
    ]);
    body["owners@odata.bind"] = json!([format!(
        "https://graph.microsoft.com/v1.0/users('{}')",
        id(BO)
    )]);
    let created = fixture.post("/groups", &body);
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.body["groupTypes"], json!([]));
    let group = format!("/groups/{}", created.body["id"].as_str().unwrap());
    assert_eq!(
        fixture.get(&format!("{group}/members")).all("id"),
        [id(ADELE), id(TESTERS)]
    );
    assert_eq!(fixture.get(&format!("{group}/owners")).all("id"), [id(BO)]);
}

#[test]
fn a_microsoft_365_group_gets_a_mail_address() {
    let fixture = writer();
    let created = fixture.post("/groups", &unified("library"));
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.body["mail"], "library@contoso.com");
    assert_eq!(
        created.body["proxyAddresses"],
        json!(["SMTP:library@contoso.com"])
    );
    assert_eq!(created.body["visibility"], "Public");
    let again = fixture.post("/groups", &unified("Library"));
    assert_eq!(
        again.body["error"]["details"][0]["target"], "mailNickname",
        "{}",
        again.text
    );
}

#[test]
fn a_group_that_graph_rejects_changes_nothing() {
    let fixture = writer();
    let user = |number| format!("https://graph.microsoft.com/v1.0/users/{}", id(number));
    let many: Vec<String> = (0..21).map(|_| user(ADELE)).collect();
    for (body, status, part) in [
        (
            with(new_group(), "displayName", Value::Null),
            400,
            "'displayName'",
        ),
        (
            with(new_group(), "mailNickname", Value::Null),
            400,
            "'mailNickname'",
        ),
        (
            with(new_group(), "mailEnabled", Value::Null),
            400,
            "'mailEnabled'",
        ),
        (
            with(new_group(), "securityEnabled", json!(false)),
            400,
            "mail-enabled groups",
        ),
        (
            with(new_group(), "mailEnabled", json!(true)),
            400,
            "mail-enabled groups",
        ),
        (
            with(new_group(), "groupTypes", json!(["Secret"])),
            400,
            "'groupTypes'",
        ),
        (
            with(new_group(), "groupTypes", json!(["DynamicMembership"])),
            400,
            "'membershipRule'",
        ),
        (
            with(new_group(), "membershipRule", json!("user.city eq 1")),
            400,
            "'membershipRule'",
        ),
        (
            with(new_group(), "visibility", json!("HiddenMembership")),
            400,
            "'visibility'",
        ),
        (
            with(new_group(), "mail", json!("a@contoso.com")),
            400,
            "'mail' is read-only",
        ),
        (
            with(new_group(), "mailNickname", json!("a@b")),
            400,
            "'mailNickname'",
        ),
        (
            with(new_group(), "allowExternalSenders", json!(true)),
            400,
            "'allowExternalSenders'",
        ),
        (
            with(new_group(), "isAssignableToRole", json!(true)),
            403,
            "Insufficient privileges",
        ),
        (
            with(new_group(), "members@odata.bind", json!([user(800)])),
            404,
            "does not exist",
        ),
        (
            with(
                new_group(),
                "members@odata.bind",
                json!([user(ADELE), user(ADELE)]),
            ),
            400,
            "already exist",
        ),
        (
            with(new_group(), "members@odata.bind", json!(user(ADELE))),
            400,
            "'members'",
        ),
        (
            with(new_group(), "members@odata.bind", json!(["x"])),
            400,
            "@odata.bind for members",
        ),
        (
            with(new_group(), "owners@odata.bind", json!([user(LAPTOP)])),
            400,
            "'owners'",
        ),
        (
            with(
                new_group(),
                "transitiveMembers@odata.bind",
                json!([user(ADELE)]),
            ),
            400,
            "'transitiveMembers'",
        ),
        (
            with(new_group(), "members@odata.bind", json!(many)),
            400,
            "already exist",
        ),
    ] {
        let before = fixture.snapshot();
        let response = fixture.post("/groups", &body);
        assert_eq!(response.status, status, "{body}: {}", response.text);
        assert!(
            response.error().2.contains(part),
            "{body}: {}",
            response.text
        );
        assert_eq!(fixture.snapshot(), before, "{body}");
    }
}

#[test]
fn microsoft_365_groups_accept_only_users_and_cannot_be_nested() {
    let fixture = writer();
    let library = fixture.post("/groups", &unified("library")).body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let post = |group: &str, member: &str| {
        fixture.post(&format!("/groups/{group}/members/$ref"), &json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{member}")}))
    };
    let add = |group: &str, member: &str| post(group, member).status;
    let games = fixture.post("/groups", &unified("games")).body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let nested = post(&library, &games);
    assert_eq!(
        nested.error(),
        (
            400,
            "Request_BadRequest",
            "Unified Groups cannot be added to Unified Groups. paramName: Members, paramValue: , objectType: Microsoft.Online.DirectoryServices.Group"
        )
    );
    assert_eq!(
        nested.body["error"]["details"],
        json!([{"code": "InvalidValue", "target": "membersWithLicenseErrors.members"}])
    );
    assert_eq!(add(&library, &id(TESTERS)), 400);
    assert_eq!(add(&library, &id(LAPTOP)), 400);
    assert_eq!(add(&library, &id(ADELE)), 204);
    assert_eq!(add(&id(TESTERS), &library), 400);
    assert_eq!(add(&id(TESTERS), &id(TESTERS)), 400);
    assert_eq!(add(&id(TESTERS), &id(LAPTOP)), 204);
}

#[test]
fn changing_members_of_a_dynamic_group_returns_403() {
    let fixture = writer();
    let mut body = with(new_group(), "groupTypes", json!(["DynamicMembership"]));
    body["membershipRule"] = json!("user.department -eq \"Sales\"");
    let created = fixture.post("/groups", &body);
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.body["membershipRuleProcessingState"], "On");
    let members = format!(
        "/groups/{}/members/$ref",
        created.body["id"].as_str().unwrap()
    );
    let response = fixture.post(
        &members,
        &json!({"@odata.id": format!("https://x/v1.0/users/{}", id(ADELE))}),
    );
    let denied = (
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    );
    assert_eq!(response.error(), denied);
    let remove = fixture.delete(&members.replace("$ref", &format!("{}/$ref", id(ADELE))));
    assert_eq!(remove.error(), denied);
    body["mailNickname"] = json!("sales2");
    body["members@odata.bind"] = json!([format!("https://x/v1.0/users/{}", id(ADELE))]);
    assert_eq!(fixture.post("/groups", &body).error(), denied);
}

#[test]
fn a_group_is_updated_and_keeps_its_type() {
    let fixture = writer();
    let group = format!("/groups/{}", id(TESTERS));
    assert_eq!(
        fixture
            .patch(
                &group,
                &json!({"description": "Everyone who tests", "displayName": "QA"})
            )
            .status,
        204
    );
    let read = fixture.get(&group);
    assert_eq!(
        (&read.body["displayName"], &read.body["description"]),
        (&json!("QA"), &json!("Everyone who tests"))
    );
    for body in [
        json!({"groupTypes": ["Unified"]}),
        json!({"securityEnabled": false}),
        json!({"mailEnabled": true}),
        json!({"isAssignableToRole": true}),
        json!({"visibility": "HiddenMembership"}),
        json!({"mailNickname": null}),
    ] {
        let before = fixture.snapshot();
        assert_eq!(fixture.patch(&group, &body).status, 400, "{body}");
        assert_eq!(fixture.snapshot(), before, "{body}");
    }
}

#[test]
fn users_manage_the_groups_they_own() {
    let mut fixture = Fixture::new();
    fixture.adele(&["Group.ReadWrite.All"]);
    let created = fixture.post("/groups", &new_group());
    assert_eq!(created.status, 201, "{}", created.text);
    let own = format!("/groups/{}", created.body["id"].as_str().unwrap());
    assert_eq!(fixture.get(&format!("{own}/owners")).all("id"), [id(ADELE)]);
    assert_eq!(
        fixture.patch(&own, &json!({"description": "Mine"})).status,
        204
    );
    assert_eq!(
        fixture
            .patch(
                &format!("/groups/{}", id(ENGINEERS)),
                &json!({"description": "Mine"})
            )
            .status,
        403
    );
    assert_eq!(
        fixture.delete(&format!("/groups/{}", id(ENGINEERS))).status,
        403
    );
    assert_eq!(fixture.delete(&own).status, 204);
}

#[test]
fn an_upsert_creates_once_and_updates_afterwards() {
    let fixture = writer();
    let upsert = |prefer: &[(&str, &str)], body: &Value| {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(prefer);
        let mut request = request("PATCH", "/groups(uniqueName='library')", &headers);
        request.body = body.to_string().into_bytes();
        fixture.send(&request)
    };
    let prefer = [("prefer", "create-if-missing")];
    assert_eq!(upsert(&[], &new_group()).status, 404);
    let created = upsert(&prefer, &new_group());
    assert_eq!(
        (created.status, &created.body["mailNickname"]),
        (201, &json!("library")),
        "{}",
        created.text
    );
    assert_eq!(
        upsert(&prefer, &json!({"displayName": "Books"})).status,
        204
    );
    assert_eq!(
        fixture.get("/groups(uniqueName='library')").body["displayName"],
        "Books"
    );
}

#[test]
fn adding_members_alone_takes_the_permission_for_members() {
    let mut fixture = Fixture::new();
    let one = format!("/groups/{}", id(TESTERS));
    let members = |number: u32| json!({"members@odata.bind": [format!("https://x/v1.0/users/{}", id(number))]});
    fixture.application(&["GroupMember.ReadWrite.All"]);
    assert_eq!(fixture.patch(&one, &members(ADELE)).status, 204);
    let mut more = members(CLEO);
    more["description"] = "d".into();
    assert_eq!(fixture.patch(&one, &more).status, 403);
    assert_eq!(
        fixture.patch(&one, &json!({"description": "d"})).status,
        403
    );
    fixture.application(&["Group.ReadWrite.All"]);
    assert_eq!(fixture.patch(&one, &members(CLEO)).status, 204);
    fixture.application(&["Group.Read.All"]);
    assert_eq!(fixture.patch(&one, &members(CLEO)).status, 403);
}
