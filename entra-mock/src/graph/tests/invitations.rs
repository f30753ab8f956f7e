use super::*;

fn inviter() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&["User.Invite.All", "User.Read.All", "AuditLog.Read.All"]);
    fixture
}

fn invitation(mail: &str) -> Value {
    json!({"invitedUserEmailAddress": mail, "inviteRedirectUrl": "https://myapp.contoso.com"})
}

#[test]
fn an_invitation_creates_a_guest_once() {
    let fixture = inviter();
    let mut body = invitation("admin@fabrikam.com");
    body["invitedUserDisplayName"] = "Fabrikam Admin".into();
    let sent = fixture.post("/invitations", &body);
    assert_eq!(sent.status, 201, "{}", sent.text);
    assert_eq!(sent.body["status"], "PendingAcceptance");
    let guest = sent.body["invitedUser"]["id"].as_str().unwrap();
    let user = fixture.get(&format!(
        "/users/{guest}?$select=displayName,mail,userType,creationType,externalUserState,userPrincipalName"
    ));
    assert_eq!(user.body["displayName"], "Fabrikam Admin");
    assert_eq!(user.body["userType"], "Guest");
    assert_eq!(user.body["creationType"], "Invitation");
    assert_eq!(user.body["externalUserState"], "PendingAcceptance");
    assert_eq!(
        user.body["userPrincipalName"],
        "admin_fabrikam.com#EXT#@contoso.com"
    );
    let again = fixture.post("/invitations", &invitation("Admin@Fabrikam.com"));
    assert_eq!(again.status, 201, "{}", again.text);
    assert_eq!(again.body["invitedUser"]["id"], guest);
    let log = fixture.get("/auditLogs/directoryAudits");
    let names = log.all("activityDisplayName");
    let invited = names.iter().filter(|name| **name == "Invite external user");
    assert_eq!(invited.count(), 1);
}

#[test]
fn an_invitation_has_an_address_outside_of_the_tenant_and_a_redirect_url() {
    let fixture = inviter();
    for (body, message) in [
        (
            json!({"inviteRedirectUrl": "https://myapp.contoso.com"}),
            "required for property 'invitedUserEmailAddress'",
        ),
        (
            json!({"invitedUserEmailAddress": "a@fabrikam.com"}),
            "required for property 'inviteRedirectUrl'",
        ),
        (invitation("fabrikam.com"), "'invitedUserEmailAddress'"),
        (
            json!({"invitedUserEmailAddress": "a@fabrikam.com", "inviteRedirectUrl": "myapp"}),
            "'inviteRedirectUrl'",
        ),
        (
            invitation("adele@contoso.com"),
            "already exists in the directory",
        ),
        (invitation("new@contoso.com"), "verified domain"),
        (
            json!({"invitedUserEmailAddress": "a@fabrikam.com", "inviteRedirectUrl": "https://a.b", "invitedUserType": "Friend"}),
            "'invitedUserType'",
        ),
        (
            json!({"invitedUserEmailAddress": "a@fabrikam.com", "inviteRedirectUrl": "https://a.b", "status": "Completed"}),
            "read-only",
        ),
        (
            json!({"invitedUserEmailAddress": "a@fabrikam.com", "inviteRedirectUrl": "https://a.b", "colour": "red"}),
            "does not exist",
        ),
        (
            json!({"invitedUserEmailAddress": 7, "inviteRedirectUrl": "https://a.b"}),
            "Invalid value",
        ),
    ] {
        let response = fixture.post("/invitations", &body);
        assert_eq!(response.status, 400, "{body}");
        assert!(response.error().2.contains(message), "{}", response.text);
    }
}

#[test]
fn users_and_applications_invite_with_the_permission() {
    let mut fixture = Fixture::new();
    fixture.application(&["User.Read.All"]);
    let body = invitation("admin@fabrikam.com");
    assert_eq!(fixture.post("/invitations", &body).status, 403);
    fixture.adele(&["User.Read"]);
    assert_eq!(fixture.post("/invitations", &body).status, 403);
    fixture.adele(&["User.Invite.All"]);
    assert_eq!(fixture.post("/invitations", &body).status, 201);
    let listed = fixture.get("/invitations");
    assert_eq!(listed.status, 405, "{}", listed.text);
}
