//! JSON that is shown again is that of the object as it is now.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Requests whose responses show users, or objects of several types, in different forms.
const READS: [&str; 14] = [
    "/users",
    "/users?$top=3",
    "/users?$top=999&$select=id,displayName",
    "/users?$select=displayName,id",
    "/users?$select=displayName,jobTitle&$expand=manager($select=id)",
    "/users?$expand=manager",
    "/users?$orderby=displayName",
    "/users?$filter=startswith(displayName,'N')",
    "/users?$select=id,signInActivity&$top=50",
    "/groups/00000000-0000-4000-8000-000000000011/members",
    "/groups/00000000-0000-4000-8000-000000000011/members/microsoft.graph.user?$count=true",
    "/directoryObjects/00000000-0000-4000-8000-000000000001",
    "/users/00000000-0000-4000-8000-000000000001",
    "/users/00000000-0000-4000-8000-000000000001?$select=id,displayName",
];

/// The same tenant, which has shown no object yet.
fn cold(fixture: &Fixture) -> Fixture {
    let mut state = fixture.tenant.read().unwrap().clone();
    state.rendered = Arc::default();
    Fixture {
        tenant: RwLock::new(state),
        caller: fixture.caller.clone(),
        now: fixture.now,
        faults: Mutex::default(),
    }
}

/// All pages as text. The request ids of errors differ, and no read here is one.
fn text(fixture: &Fixture, target: &str) -> String {
    let first = fixture.eventual(target);
    assert_eq!(first.status, 200, "{target}: {}", first.text);
    let link = first.body["@odata.nextLink"].as_str();
    let next = link.map(|link| {
        link.strip_prefix("https://tenant.test/v1.0")
            .unwrap()
            .to_owned()
    });
    match next {
        Some(next) => first.text + &text(fixture, &next),
        None => first.text,
    }
}

fn check(fixture: &Fixture, reads: &[usize]) {
    for read in reads {
        let target = READS[read % READS.len()];
        let expected = text(&cold(fixture), target);
        assert_eq!(text(fixture, target), expected, "{target}");
        assert_eq!(text(fixture, target), expected, "{target}, shown again");
    }
}

fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&[
        "Directory.Read.All",
        "Directory.ReadWrite.All",
        "User.ReadWrite.All",
        "AuditLog.Read.All",
        "Member.Read.Hidden",
    ]);
    for number in 100..130 {
        let user = json!({
            "id": id(number), "displayName": format!("N{number}"), "userPrincipalName": format!("n{number}@contoso.com"),
            "accountEnabled": true, "jobTitle": "x".repeat(usize::try_from(number).unwrap() * 3),
        });
        fixture
            .state()
            .store
            .insert(Kind::User, user.as_object().cloned().unwrap())
            .unwrap();
    }
    fixture
}

#[test]
fn a_caller_who_sees_less_is_not_shown_what_another_one_saw() {
    let mut fixture = fixture();
    let target = "/users/00000000-0000-4000-8000-000000000002";
    let (list, one) = (fixture.get("/users").text, fixture.get(target).text);
    assert!(list.contains("jobTitle") && one.contains("bo@contoso.com"));
    fixture.adele(&["User.ReadBasic.All"]);
    for target in ["/users", target] {
        assert_eq!(fixture.get(target).text, cold(&fixture).get(target).text);
        assert!(!fixture.get(target).text.contains("Engineer"));
    }
}

#[test]
fn a_long_page_that_was_shown_is_sent_from_the_same_memory() {
    let fixture = fixture();
    let reply = |target| fixture.reply(&request("GET", target, &[]), Ok(&fixture.caller));
    let page = "/users?$top=999";
    let (first, second) = (reply(page).body, reply(page).body);
    assert_eq!(first, second);
    let ((first, first_rest), (second, second_rest)) = (first.into_pieces(), second.into_pieces());
    assert_eq!((first_rest.len(), second_rest.len()), (0, 0));
    assert_eq!(first.as_ptr(), second.as_ptr());
    // With another head, only the items are.
    let counted = request(
        "GET",
        &format!("{page}&$count=true"),
        &[("consistencylevel", "eventual")],
    );
    let counted = fixture.reply(&counted, Ok(&fixture.caller)).body;
    assert_eq!(counted.into_pieces().1.len(), 1);
}

#[test]
fn the_number_of_properties_is_that_of_the_first_object() {
    let mut fixture = fixture();
    let agent = json!({"id": id(700), "appId": id(701), "displayName": "A", "@odata.type": "#microsoft.graph.agentIdentity"});
    let agent = agent.as_object().cloned().unwrap();
    fixture
        .state()
        .store
        .insert(Kind::ServicePrincipal, agent)
        .unwrap();
    let more = [
        "/users?$top=1",
        "/users?$filter=displayName eq 'none'",
        "/servicePrincipals",
        "/servicePrincipals/00000000-0000-4000-8000-000000000021",
        "/servicePrincipals/00000000-0000-4000-8000-000000000700",
        "/groups/00000000-0000-4000-8000-000000000011",
        "/auditLogs/signIns",
        "/organization",
    ];
    let mut said = 0;
    for target in READS.iter().chain(&more) {
        let request = request("GET", target, &[("consistencylevel", "eventual")]);
        let body = fixture.reply(&request, Ok(&fixture.caller)).body;
        let json: Value = serde_json::from_slice(&body).unwrap();
        let object = json.get("value").map_or(&json, |items| &items[0]);
        let names = object.as_object().into_iter().flatten();
        let expected = names.filter(|(name, _)| !name.contains('@')).count();
        if let Some(properties) = body.properties() {
            assert_eq!(properties, expected, "{target}");
            said += 1;
        }
    }
    // Not for expansions and an empty page.
    assert_eq!(said, READS.len() + more.len() - 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_is_shown_again_is_what_would_be_rendered_now(
        steps in prop::collection::vec((0_u8..6, 100_u32..130, prop::collection::vec(0_usize..READS.len(), 0..4)), 1..12),
    ) {
        let fixture = fixture();
        for (number, (write, user, reads)) in steps.iter().enumerate() {
            let user = format!("/users/{}", id(*user));
            let group = format!("/groups/{}/members", id(ENGINEERS));
            // Some of them fail, since the user is deleted or a member already.
            let _ = match write {
                0 | 1 => fixture.patch(&user, &json!({"displayName": format!("N{number}"), "jobTitle": null})),
                2 => fixture.patch(&user, &json!({"jobTitle": format!("\u{e4}\"{number}")})),
                3 => fixture.delete(&user),
                4 => fixture.post(&format!("{group}/$ref"), &json!({"@odata.id": format!("https://x/v1.0{user}")})),
                _ => fixture.post("/users", &json!({
                    "accountEnabled": true, "displayName": "New", "mailNickname": "new",
                    "userPrincipalName": format!("new{number}@contoso.com"), "passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"},
                })),
            };
            check(&fixture, reads);
        }
        check(&fixture, &(0..READS.len()).collect::<Vec<_>>());
    }
}
