use super::*;

fn path() -> String {
    format!("/organization/{}", id(99))
}

#[test]
fn contacts_of_the_organization_are_updated() {
    let mut fixture = Fixture::new();
    fixture.application(&["Organization.ReadWrite.All", "AuditLog.Read.All"]);
    let body = json!({
        "marketingNotificationEmails": ["marketing@contoso.com"],
        "privacyProfile": {"contactEmail": "privacy@contoso.com", "statementUrl": "https://contoso.com/privacy"},
        "securityComplianceNotificationMails": ["security@contoso.com"],
        "securityComplianceNotificationPhones": ["(123) 456-7890"],
        "technicalNotificationMails": ["tech@contoso.com"]
    });
    assert_eq!(fixture.patch(&path(), &body).status, 204);
    // A part of a complex value that the body leaves out keeps its value.
    let part = json!({"privacyProfile": {"contactEmail": "other@contoso.com"}});
    assert_eq!(fixture.patch(&path(), &part).status, 204);
    let read = fixture.get(&path());
    assert_eq!(
        read.body["privacyProfile"],
        json!({"contactEmail": "other@contoso.com", "statementUrl": "https://contoso.com/privacy"})
    );
    assert_eq!(
        read.body["technicalNotificationMails"],
        json!(["tech@contoso.com"])
    );
    let log = fixture.get("/auditLogs/directoryAudits");
    let names = log.all("activityDisplayName");
    assert_eq!(names[..2], ["Set Company Information"; 2]);
}

#[test]
fn other_properties_of_the_organization_are_read_only() {
    let mut fixture = Fixture::new();
    fixture.application(&["Organization.ReadWrite.All"]);
    for (body, message) in [
        (json!({"displayName": "Fabrikam"}), "read-only"),
        (
            json!({"technicalNotificationMails": "tech@contoso.com"}),
            "Invalid value",
        ),
        (json!({"privacyProfile": {"phone": "1"}}), "does not exist"),
        (json!({"colour": "red"}), "does not exist"),
    ] {
        let response = fixture.patch(&path(), &body);
        assert_eq!(response.status, 400, "{body}");
        assert!(response.error().2.contains(message), "{}", response.text);
    }
    let other = format!("/organization/{}", id(98));
    let body = json!({"technicalNotificationMails": []});
    assert_eq!(fixture.patch(&other, &body).status, 404);
}

#[test]
fn the_update_needs_its_permission_and_an_administrator() {
    let mut fixture = Fixture::new();
    let body = json!({"technicalNotificationMails": ["tech@contoso.com"]});
    fixture.application(&["Organization.Read.All", "Directory.ReadWrite.All"]);
    assert_eq!(fixture.patch(&path(), &body).status, 403);
    fixture.adele(&["Organization.ReadWrite.All"]);
    assert_eq!(fixture.patch(&path(), &body).status, 403);
    fixture.promote(ADELE);
    assert_eq!(fixture.patch(&path(), &body).status, 204);
}
