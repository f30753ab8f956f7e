use super::*;

fn writer() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&[
        "Domain.ReadWrite.All",
        "AuditLog.Read.All",
        "Organization.Read.All",
        "User.ReadWrite.All",
    ]);
    fixture
}

fn add(fixture: &Fixture, name: &str) {
    let created = fixture.post("/domains", &json!({"id": name}));
    assert_eq!(created.status, 201, "{}", created.text);
}

fn verify(fixture: &Fixture, name: &str) -> Response {
    fixture.post(&format!("/domains/{name}/verify"), &json!({}))
}

fn activities(fixture: &Fixture) -> Vec<String> {
    let log = fixture.get("/auditLogs/directoryAudits");
    log.all("activityDisplayName")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_domain_is_created_verified_made_the_default_and_deleted() {
    let fixture = writer();
    let created = fixture.post("/domains", &json!({"id": "Fabrikam.com"}));
    assert_eq!(created.status, 201);
    assert_eq!(created.body["id"], "fabrikam.com");
    assert_eq!(created.body["isVerified"], false);
    assert_eq!(created.body["authenticationType"], "Managed");
    let user = json!({
        "accountEnabled": true, "displayName": "Robin", "mailNickname": "robin", "userPrincipalName": "robin@fabrikam.com",
        "passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"}
    });
    assert_eq!(
        fixture.post("/users", &user).status,
        400,
        "not verified yet"
    );

    let verified = verify(&fixture, "fabrikam.com");
    assert_eq!(verified.status, 200, "{}", verified.text);
    assert_eq!(verified.body["availabilityStatus"], "AvailableImmediately");
    assert_eq!(verified.body["isVerified"], true);
    let read = fixture.get("/domains/fabrikam.com");
    assert_eq!(read.body["availabilityStatus"], Value::Null);
    assert_eq!(read.body["isRoot"], true);
    assert_eq!(
        verify(&fixture, "fabrikam.com").status,
        400,
        "a second time"
    );
    let robin = fixture.post("/users", &user);
    assert_eq!(robin.status, 201, "{}", robin.text);

    let patch = json!({"isDefault": true, "supportedServices": ["Email"], "passwordValidityPeriodInDays": 180});
    assert_eq!(fixture.patch("/domains/fabrikam.com", &patch).status, 204);
    assert_eq!(fixture.get("/domains/contoso.com").body["isDefault"], false);
    let organization = fixture.get("/organization").body["value"][0]["verifiedDomains"].clone();
    assert_eq!(organization[0]["name"], "fabrikam.com");
    assert_eq!(organization[0]["capabilities"], "Email");
    assert_eq!(organization[1]["isDefault"], false);

    assert_eq!(
        fixture.delete("/domains/fabrikam.com").status,
        400,
        "default"
    );
    assert_eq!(
        fixture.delete("/domains/contoso.com").status,
        400,
        "initial"
    );
    let patch = json!({"isDefault": true});
    assert_eq!(fixture.patch("/domains/contoso.com", &patch).status, 204);
    let used = fixture.delete("/domains/fabrikam.com");
    assert_eq!(used.status, 400);
    assert!(used.error().2.contains("refer to it"), "{}", used.text);
    let references = fixture.get("/domains/fabrikam.com/domainNameReferences");
    assert_eq!(references.all("id"), [robin.body["id"].as_str().unwrap()]);
    assert_eq!(
        references.body["value"][0]["@odata.type"],
        "#microsoft.graph.user"
    );
    let rename = json!({"userPrincipalName": "robin@contoso.com"});
    let own = format!("/users/{}", robin.body["id"].as_str().unwrap());
    assert_eq!(fixture.patch(&own, &rename).status, 204);
    assert_eq!(fixture.delete("/domains/fabrikam.com").status, 204);
    assert_eq!(fixture.get("/domains/fabrikam.com").status, 404);
    assert_eq!(fixture.get("/domains").all("id"), ["contoso.com"]);
    let names = activities(&fixture);
    for name in [
        "Add unverified domain",
        "Verify domain",
        "Update domain",
        "Remove verified domain",
    ] {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
}

#[test]
fn one_domain_at_a_time_is_the_default() {
    let fixture = writer();
    let default = |name: &str| {
        let patch = json!({"isDefault": true});
        let patched = fixture.patch(&format!("/domains/{name}"), &patch);
        assert_eq!(patched.status, 204, "{}", patched.text);
        let domains = fixture.get("/domains").body["value"].clone();
        let domains = domains.as_array().unwrap().iter();
        let defaults = domains.filter(|domain| domain["isDefault"] == true);
        let names: Vec<_> = defaults.map(|domain| domain["id"].clone()).collect();
        assert_eq!(names, [name]);
    };
    for name in ["adatum.com", "fabrikam.com"] {
        add(&fixture, name);
        assert_eq!(verify(&fixture, name).status, 200);
    }
    for name in ["fabrikam.com", "adatum.com", "contoso.com", "fabrikam.com"] {
        default(name);
    }
}

#[test]
fn a_domain_without_dns_records_cannot_be_verified() {
    let fixture = writer();
    add(&fixture, "fabrikam.com");
    let records = fixture.get("/domains/fabrikam.com/verificationDnsRecords");
    let [text, mail] = records.body["value"].as_array().unwrap().as_slice() else {
        panic!("{}", records.text);
    };
    assert_eq!(text["@odata.type"], "#microsoft.graph.domainDnsTxtRecord");
    assert_eq!(mail["recordType"], "Mx");
    let code = text["text"].as_str().unwrap().strip_prefix("MS=").unwrap();
    assert_eq!(mail["mailExchange"], format!("{code}.msv1.invalid"));
    assert_ne!(text["id"], mail["id"]);
    let again = fixture.get("/domains/fabrikam.com/verificationDnsRecords");
    assert_eq!(again.body["value"], records.body["value"]);

    fixture
        .tenant
        .write()
        .unwrap()
        .unpublished_records
        .insert("fabrikam.com".to_owned());
    let response = verify(&fixture, "fabrikam.com");
    assert_eq!(response.error().1, "Request_BadRequest");
    assert!(
        response.error().2.contains("verification failed"),
        "{}",
        response.text
    );
    let patch = json!({"supportedServices": ["Email"]});
    let response = fixture.patch("/domains/fabrikam.com", &patch);
    assert!(
        response.error().2.contains("not verified"),
        "{}",
        response.text
    );
    assert_eq!(fixture.delete("/domains/fabrikam.com").status, 204);
    assert_eq!(activities(&fixture)[0], "Remove unverified domain");
}

#[test]
fn a_subdomain_of_a_verified_domain_is_verified_at_once() {
    let fixture = writer();
    add(&fixture, "sales.contoso.com");
    add(&fixture, "othercontoso.com");
    let sub = fixture.get("/domains/sales.contoso.com");
    assert_eq!(
        (&sub.body["isVerified"], &sub.body["isRoot"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        fixture.get("/domains/othercontoso.com").body["isVerified"],
        false
    );
}

#[test]
fn service_records_follow_the_supported_services() {
    let fixture = writer();
    let types = |fixture: &Fixture| {
        let records = fixture.get("/domains/contoso.com/serviceConfigurationRecords");
        let types = records.all("recordType").into_iter().map(str::to_owned);
        types.collect::<Vec<_>>()
    };
    assert_eq!(
        types(&fixture),
        ["Mx", "Txt", "Cname", "Cname", "Cname", "Srv", "Srv"]
    );
    let patch = json!({"supportedServices": ["Yammer"]});
    assert_eq!(fixture.patch("/domains/contoso.com", &patch).status, 204);
    assert_eq!(types(&fixture), [""; 0]);
}

#[test]
fn invalid_bodies_of_domains_are_rejected() {
    let fixture = writer();
    for (body, message) in [
        (json!({}), "required for property 'id'"),
        (json!({"id": "fabrikam"}), "property 'id'"),
        (json!({"id": "-a.com"}), "property 'id'"),
        (json!({"id": "fabrikam.onmicrosoft.com"}), "property 'id'"),
        (json!({"id": 1}), "property 'id'"),
        (
            json!({"id": "fabrikam.com", "isDefault": true}),
            "read-only",
        ),
        (
            json!({"id": "fabrikam.com", "colour": "red"}),
            "does not exist",
        ),
        (json!({"id": "CONTOSO.com"}), "already exists"),
    ] {
        let response = fixture.post("/domains", &body);
        assert_eq!(response.status, 400, "{body}: {}", response.text);
        assert!(response.error().2.contains(message), "{}", response.text);
    }
    for (body, message) in [
        (json!({"isDefault": false}), "'isDefault'"),
        (json!({"isVerified": true}), "read-only"),
        (json!({"id": "other.com"}), "read-only"),
        (
            json!({"supportedServices": ["Intune"]}),
            "'supportedServices'",
        ),
        (
            json!({"supportedServices": ["Email", "Teams"]}),
            "'supportedServices'",
        ),
        (
            json!({"passwordValidityPeriodInDays": 0}),
            "'passwordValidityPeriodInDays'",
        ),
    ] {
        let response = fixture.patch("/domains/contoso.com", &body);
        assert_eq!(response.status, 400, "{body}: {}", response.text);
        assert!(response.error().2.contains(message), "{}", response.text);
    }
    assert_eq!(
        fixture
            .patch("/domains/none.com", &json!({"isDefault": true}))
            .status,
        404
    );
}

#[test]
fn a_domain_is_federated_by_one_configuration() {
    let fixture = writer();
    add(&fixture, "fabrikam.com");
    let settings = json!({
        "@odata.type": "#microsoft.graph.internalDomainFederation", "issuerUri": "http://fabrikam.com/trust",
        "passiveSignInUri": "https://sts.fabrikam.com/adfs/ls", "preferredAuthenticationProtocol": "wsFed"
    });
    let list = "/domains/fabrikam.com/federationConfiguration";
    assert_eq!(fixture.post(list, &settings).status, 400, "not verified");
    assert_eq!(verify(&fixture, "fabrikam.com").status, 200);
    let created = fixture.post(list, &settings);
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.body["issuerUri"], "http://fabrikam.com/trust");
    assert_eq!(
        fixture.get("/domains/fabrikam.com").body["authenticationType"],
        "Federated"
    );
    let audit = fixture.get("/auditLogs/directoryAudits").body["value"][0].clone();
    assert_eq!(
        audit["activityDisplayName"],
        "Set federation settings on domain"
    );
    assert_eq!(audit["targetResources"][0]["id"], "fabrikam.com");
    assert_eq!(fixture.post(list, &settings).status, 400, "a second one");
    let default = "/domains/contoso.com/federationConfiguration";
    assert_eq!(
        fixture.post(default, &settings).status,
        400,
        "the default domain"
    );

    let one = format!("{list}/{}", created.body["id"].as_str().unwrap());
    let patch = json!({"displayName": "Fabrikam", "federatedIdpMfaBehavior": "acceptIfMfaDoneByFederatedIdp"});
    let updated = fixture.patch(&one, &patch);
    assert_eq!(
        (updated.status, &updated.body["displayName"]),
        (200, &json!("Fabrikam"))
    );
    for (body, message) in [
        (json!({"issuerUri": null}), "'issuerUri'"),
        (json!({"signOutUri": "nowhere"}), "'signOutUri'"),
        (
            json!({"preferredAuthenticationProtocol": "oidc"}),
            "'preferredAuthenticationProtocol'",
        ),
        (json!({"signingCertificateUpdateStatus": {}}), "read-only"),
    ] {
        let response = fixture.patch(&one, &body);
        assert_eq!(response.status, 400, "{body}");
        assert!(response.error().2.contains(message), "{}", response.text);
    }
    let mut fixture = fixture;
    fixture.application(&["Domain-InternalFederation.ReadWrite.All"]);
    assert_eq!(fixture.get(list).all("displayName"), ["Fabrikam"]);
    assert_eq!(fixture.get(&one).body["displayName"], "Fabrikam");
    assert_eq!(fixture.delete(&one).status, 204);
    assert_eq!(fixture.get(list).status, 404);
    fixture.application(&["Domain.Read.All"]);
    assert_eq!(
        fixture.get("/domains/fabrikam.com").body["authenticationType"],
        "Managed"
    );
}

#[test]
fn a_deleted_domain_takes_its_federation_along() {
    let fixture = writer();
    add(&fixture, "fabrikam.com");
    assert_eq!(verify(&fixture, "fabrikam.com").status, 200);
    let settings = json!({"issuerUri": "http://fabrikam.com/trust", "passiveSignInUri": "https://sts.fabrikam.com/ls"});
    let list = "/domains/fabrikam.com/federationConfiguration";
    assert_eq!(fixture.post(list, &settings).status, 201);
    assert_eq!(fixture.delete("/domains/fabrikam.com").status, 204);
    assert_eq!(activities(&fixture)[0], "Remove verified domain");
    assert_eq!(
        fixture
            .tenant
            .read()
            .unwrap()
            .store
            .len(Kind::DomainFederation),
        0
    );
}

#[test]
fn domains_take_their_own_permissions_and_writes_an_administrator() {
    let mut fixture = writer();
    let records = "/domains/contoso.com/verificationDnsRecords";
    let body = json!({"id": "fabrikam.com"});
    for (permission, statuses) in [
        ("Domain.Read.All", [200, 200, 403]),
        ("Directory.Read.All", [200, 403, 403]),
        ("Directory.ReadWrite.All", [403, 403, 403]),
    ] {
        fixture.application(&[permission]);
        let found = [
            fixture.get("/domains").status,
            fixture.get(records).status,
            fixture.post("/domains", &body).status,
        ];
        assert_eq!(found, statuses, "{permission}");
    }
    fixture.adele(&["Domain.ReadWrite.All"]);
    assert_eq!(fixture.post("/domains", &body).status, 403);
    fixture.promote(ADELE);
    assert_eq!(fixture.post("/domains", &body).status, 201);
}
