use super::*;
use crate::keys;

const DEFAULT: &str = "/policies/defaultAppManagementPolicy";
const POLICIES: &str = "/policies/appManagementPolicies";
const EVERYTHING: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "AuditLog.Read.All",
    "Policy.ReadWrite.ApplicationConfiguration",
];

fn writer() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(EVERYTHING);
    fixture
}

fn app() -> String {
    format!("/applications/{}", id(DESK_APP))
}

fn principal() -> String {
    format!("/servicePrincipals/{}", id(DESK))
}

fn restriction(kind: &str, lifetime: Option<&str>) -> Value {
    json!({"restrictionType": kind, "maxLifetime": lifetime, "restrictForAppsCreatedAfterDateTime": null, "state": "enabled"})
}

fn passwords(restrictions: &[Value]) -> Value {
    json!({"passwordCredentials": restrictions})
}

/// Enables the default policy with restrictions of applications.
fn restrict(fixture: &Fixture, restrictions: &Value) {
    let body = json!({"isEnabled": true, "applicationRestrictions": restrictions});
    let response = fixture.patch(DEFAULT, &body);
    assert_eq!(response.status, 204, "{}", response.text);
}

fn create(fixture: &Fixture, restrictions: &Value) -> String {
    let body = json!({
        "displayName": "Secrets", "description": "d", "isEnabled": true, "restrictions": restrictions
    });
    let response = fixture.post(POLICIES, &body);
    assert_eq!(response.status, 201, "{}", response.text);
    response.body["id"].as_str().unwrap().to_owned()
}

fn reference(policy: &str) -> Value {
    json!({"@odata.id": format!("https://graph.microsoft.com/v1.0{POLICIES}/{policy}")})
}

fn assign(fixture: &Fixture, object: &str, policy: &str) -> Response {
    fixture.post(
        &format!("{object}/appManagementPolicies/$ref"),
        &reference(policy),
    )
}

/// Adds a secret that is valid until this time, from 2027 on.
fn add_secret(fixture: &Fixture, object: &str, end: &str) -> Response {
    let credential = json!({"startDateTime": "2027-01-01T00:00:00Z", "endDateTime": end});
    fixture.post(
        &format!("{object}/addPassword"),
        &json!({"passwordCredential": credential}),
    )
}

fn activities(fixture: &Fixture) -> Vec<String> {
    let log = fixture.get("/auditLogs/directoryAudits?$top=50");
    let entries = log.body["value"].as_array().unwrap();
    let names = entries
        .iter()
        .map(|entry| entry["activityDisplayName"].as_str().unwrap());
    names
        .filter(|name| name.contains("olicy"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_default_policy_always_exists_and_restricts_nothing_until_it_is_enabled() {
    let fixture = writer();
    let policy = fixture.get(DEFAULT);
    assert_eq!(policy.status, 200, "{}", policy.text);
    assert_eq!(policy.body["id"], "00000000-0000-0000-0000-000000000000");
    assert_eq!(policy.body["isEnabled"], false);
    let none = json!({"passwordCredentials": [], "keyCredentials": []});
    assert_eq!(policy.body["applicationRestrictions"], none);
    assert_eq!(policy.body["servicePrincipalRestrictions"], none);
    let context = policy.body["@odata.context"].as_str().unwrap();
    assert!(context.ends_with("#policies/defaultAppManagementPolicy/$entity"));

    let blocked = passwords(&[restriction("passwordAddition", None)]);
    let patch = json!({"applicationRestrictions": blocked});
    assert_eq!(fixture.patch(DEFAULT, &patch).status, 204);
    assert_eq!(
        add_secret(&fixture, &app(), "2028-01-01T00:00:00Z").status,
        200
    );
    assert_eq!(
        fixture.patch(DEFAULT, &json!({"isEnabled": true})).status,
        204
    );
    let read = fixture.get(DEFAULT);
    // An update keeps what its body omits.
    assert_eq!(
        read.body["applicationRestrictions"]["keyCredentials"],
        json!([])
    );
    let rejected = add_secret(&fixture, &app(), "2028-01-01T00:00:00Z");
    assert_eq!(
        rejected.error(),
        (
            400,
            "CredentialTypeNotAllowedAsPerAppPolicy",
            "Credential type not allowed as per assigned policy '00000000-0000-0000-0000-000000000000'."
        )
    );
    for (method, path) in [
        ("DELETE", DEFAULT.to_owned()),
        ("POST", DEFAULT.to_owned()),
        ("GET", format!("{DEFAULT}/{}", id(1))),
    ] {
        let response = fixture.write(method, &path, &json!({}));
        assert!([405, 501].contains(&response.status), "{}", response.text);
    }
    assert_eq!(activities(&fixture), ["Update policy", "Update policy"]);
}

#[test]
fn a_policy_is_created_listed_changed_and_deleted() {
    let fixture = writer();
    let lifetime =
        passwords(&[json!({"restrictionType": "passwordLifetime", "maxLifetime": "P4DT12H30M5S"})]);
    let created = create(&fixture, &lifetime);
    let one = format!("{POLICIES}/{created}");
    let read = fixture.get(&one);
    let stored = &read.body["restrictions"]["passwordCredentials"][0];
    assert_eq!(stored["maxLifetime"], "P4DT12H30M5S");
    assert_eq!(stored["state"], "enabled");
    let context = read.body["@odata.context"].as_str().unwrap();
    assert!(context.ends_with("#policies/appManagementPolicies/$entity"));
    assert_eq!(fixture.get(POLICIES).all("id"), [created.as_str()]);
    assert_eq!(
        fixture.patch(&one, &json!({"isEnabled": false})).status,
        204
    );
    assert_eq!(fixture.get(&one).body["isEnabled"], false);
    assert_eq!(fixture.delete(&one).status, 204);
    assert_eq!(fixture.get(&one).status, 404);
    assert_eq!(
        activities(&fixture),
        ["Delete policy", "Update policy", "Add policy"]
    );
}

#[test]
fn a_policy_with_an_invalid_property_is_rejected() {
    let fixture = writer();
    let before = fixture.snapshot();
    let whole = |restrictions: Value| json!({"displayName": "P", "description": "d", "restrictions": restrictions});
    for (body, message) in [
        (json!({"description": "d"}), "property 'displayName'"),
        (json!({"displayName": "P"}), "property 'description'"),
        (
            json!({"displayName": "P", "description": "d", "colour": 1}),
            "'colour' does not exist",
        ),
        (
            json!({"displayName": "P", "description": "d", "isEnabled": "yes"}),
            "'isEnabled'",
        ),
        (
            json!({"displayName": "P", "description": "d", "appliesTo": []}),
            "navigation property 'appliesTo'",
        ),
        (
            whole(passwords(&[json!({"maxLifetime": "P1D"})])),
            "required for property 'restrictions'",
        ),
        (
            whole(passwords(&[restriction("passwordLifetime", None)])),
            "property 'restrictions'",
        ),
        (
            whole(passwords(&[restriction(
                "passwordLifetime",
                Some("a year"),
            )])),
            "property 'restrictions'",
        ),
        (
            whole(passwords(&[restriction("passwordAddition", Some("P1D"))])),
            "property 'restrictions'",
        ),
        (
            whole(passwords(&[restriction(
                "asymmetricKeyLifetime",
                Some("P1D"),
            )])),
            "property 'restrictions'",
        ),
    ] {
        let response = fixture.post(POLICIES, &body);
        assert_eq!(response.status, 400, "{body}");
        assert!(response.error().2.contains(message), "{}", response.text);
    }
    assert_eq!(fixture.snapshot(), before);
}

#[test]
fn an_assigned_policy_replaces_the_default_one() {
    let mut fixture = writer();
    restrict(
        &fixture,
        &passwords(&[restriction("passwordAddition", None)]),
    );
    let own = create(
        &fixture,
        &passwords(&[restriction("passwordLifetime", Some("P30D"))]),
    );
    let other = create(&fixture, &json!({}));
    let end = "2027-01-31T00:00:00Z";
    assert_eq!(add_secret(&fixture, &app(), end).status, 400);
    assert_eq!(assign(&fixture, &app(), &own).status, 204);
    assert_eq!(add_secret(&fixture, &app(), end).status, 200);
    let message = format!(
        "Credential lifetime exceeds the max value allowed as per assigned policy '{own}'."
    );
    assert_eq!(
        add_secret(&fixture, &app(), "2027-01-31T00:00:01Z").error(),
        (400, "CredentialInvalidLifetimeAsPerAppPolicy", &*message)
    );
    // Without an end, a secret is valid for two years.
    let open = fixture.post(&format!("{}/addPassword", app()), &json!({}));
    assert_eq!(open.error().1, "CredentialInvalidLifetimeAsPerAppPolicy");

    assert_eq!(
        assign(&fixture, &app(), &own).status,
        400,
        "it is assigned already"
    );
    assert_eq!(
        assign(&fixture, &app(), &other).status,
        400,
        "each object has one policy"
    );
    assert_eq!(assign(&fixture, &app(), &id(ADELE)).status, 400);
    assert_eq!(assign(&fixture, &app(), &id(77)).status, 404);
    assert_eq!(assign(&fixture, &principal(), &own).status, 204);
    fixture.application(&["Policy.Read.All", "Application.Read.All"]);
    let applies = fixture.get(&format!("{POLICIES}/{own}/appliesTo"));
    assert_eq!(
        applies.all("@odata.type"),
        [
            "#microsoft.graph.application",
            "#microsoft.graph.servicePrincipal"
        ]
    );
    fixture.application(EVERYTHING);
    let link = format!("{}/appManagementPolicies/{own}/$ref", app());
    assert_eq!(fixture.delete(&link).status, 204);
    assert_eq!(fixture.delete(&link).status, 400);
    assert_eq!(add_secret(&fixture, &app(), end).status, 400);
    let names = activities(&fixture);
    assert!(names.contains(&"Add policy to application".to_owned()));
    assert!(names.contains(&"Add policy to service principal".to_owned()));
    assert!(names.contains(&"Remove policy from application".to_owned()));

    // A deleted policy applies to nothing.
    assert_eq!(fixture.delete(&format!("{POLICIES}/{own}")).status, 204);
    assert_eq!(assign(&fixture, &principal(), &other).status, 204);
}

#[test]
fn service_principals_have_restrictions_of_their_own() {
    let fixture = writer();
    let body = json!({
        "isEnabled": true,
        "servicePrincipalRestrictions": passwords(&[restriction("passwordAddition", None)])
    });
    assert_eq!(fixture.patch(DEFAULT, &body).status, 204);
    let end = "2028-01-01T00:00:00Z";
    assert_eq!(add_secret(&fixture, &app(), end).status, 200);
    assert_eq!(
        add_secret(&fixture, &principal(), end).error().1,
        "CredentialTypeNotAllowedAsPerAppPolicy"
    );
}

#[test]
fn a_restriction_covers_objects_that_were_created_after_its_date() {
    let fixture = writer();
    let with = |since: &str, state: &str| {
        let mut item = restriction("passwordAddition", None);
        item["restrictForAppsCreatedAfterDateTime"] = since.into();
        item["state"] = state.into();
        restrict(&fixture, &passwords(&[item]));
    };
    let body = json!({"displayName": "New", "passwordCredentials": [{"displayName": "s"}]});
    let end = "2028-01-01T00:00:00Z";
    // The registration of the fixture has no time of creation: it counts as one of 2019.
    for (since, state, old, new) in [
        ("2018-12-31T00:00:00Z", "enabled", 400, 400),
        ("2019-01-01T00:00:00Z", "enabled", 400, 400),
        ("2019-01-01T00:00:01Z", "enabled", 200, 400),
        ("2030-01-01T00:00:00Z", "enabled", 200, 201),
        ("2018-12-31T00:00:00Z", "disabled", 200, 201),
    ] {
        with(since, state);
        assert_eq!(add_secret(&fixture, &app(), end).status, old, "{since}");
        assert_eq!(fixture.post("/applications", &body).status, new, "{since}");
    }
}

#[test]
fn the_lifetime_of_certificates_is_restricted_in_an_update_too() {
    let fixture = writer();
    let keys = json!({"keyCredentials": [restriction("asymmetricKeyLifetime", Some("P90D"))]});
    restrict(&fixture, &keys);
    let certificate = |end: &str| {
        json!({"keyCredentials": [{
            "type": "AsymmetricX509Cert", "usage": "Verify", "key": keys::pool()[0].x5c(),
            "startDateTime": "2027-01-01T00:00:00Z", "endDateTime": end
        }]})
    };
    let rejected = fixture.patch(&app(), &certificate("2027-04-01T00:00:01Z"));
    assert_eq!(
        rejected.error().1,
        "CredentialInvalidLifetimeAsPerAppPolicy",
        "{}",
        rejected.text
    );
    assert_eq!(
        fixture
            .patch(&app(), &certificate("2027-04-01T00:00:00Z"))
            .status,
        204
    );
    // The restriction bites at the next addition only.
    let shorter = json!({"keyCredentials": [restriction("asymmetricKeyLifetime", Some("P1D"))]});
    restrict(&fixture, &shorter);
    let read = fixture.get(&app());
    let same = json!({"keyCredentials": read.body["keyCredentials"]});
    assert_eq!(fixture.patch(&app(), &same).status, 204);
}

#[test]
fn identifier_uris_are_restricted_to_the_default_forms() {
    let fixture = writer();
    let set = |uri: &str| fixture.patch(&app(), &json!({"identifierUris": [uri]}));
    assert_eq!(set("https://contoso.com/desk").status, 204);
    restrict(
        &fixture,
        &json!({"identifierUris": {"nonDefaultUriAddition": {"state": "enabled", "excludeAppsReceivingV2Tokens": true}}}),
    );
    let rejected = set("https://contoso.com/other");
    assert_eq!(rejected.error().0, 400);
    assert!(rejected.error().2.contains("policy"));
    assert_eq!(set("https://contoso.com/desk").status, 204, "it is there");
    let default = format!("api://{}", id(220));
    let with_tenant = format!(
        "api://{}/{}",
        fixture.tenant.read().unwrap().tenant_id,
        id(220)
    );
    assert_eq!(set(&default).status, 204);
    assert_eq!(set(&with_tenant).status, 204);
    let version_2 = json!({"api": {"requestedAccessTokenVersion": 2}});
    assert_eq!(fixture.patch(&app(), &version_2).status, 204);
    assert_eq!(set("https://contoso.com/other").status, 204);
}

#[test]
fn an_exempt_caller_is_not_restricted() {
    let mut fixture = writer();
    let mut item = restriction("passwordAddition", None);
    item["excludeActors"] = json!({"customSecurityAttributes": [{
        "@odata.type": "#microsoft.graph.customSecurityAttributeStringValueExemption",
        "id": "Access_Level", "operator": "equals", "value": "deployer"
    }]});
    restrict(&fixture, &passwords(&[item]));
    fixture.caller.service_principal_id = Some(id(DESK));
    let end = "2028-01-01T00:00:00Z";
    for (value, status) in [("other", 400), ("deployer", 200)] {
        let attributes = json!({"Access": {"Level": value}});
        fixture
            .state()
            .store
            .update(Kind::ServicePrincipal, &id(DESK), |object| {
                object.insert("customSecurityAttributes".into(), attributes);
            });
        assert_eq!(add_secret(&fixture, &app(), end).status, status, "{value}");
    }
}

#[test]
fn policies_need_their_permission_and_an_administrator() {
    let mut fixture = writer();
    let policy = create(&fixture, &json!({}));
    let one = format!("{POLICIES}/{policy}");
    for (roles, read, write, applies, assigned) in [
        (&["Policy.Read.All"][..], 200, 403, 403, 403),
        (
            &["Policy.Read.All", "Application.Read.All"],
            200,
            403,
            200,
            403,
        ),
        (
            &["Policy.ReadWrite.ApplicationConfiguration"],
            200,
            204,
            403,
            403,
        ),
        (
            &["Directory.ReadWrite.All", "Application.ReadWrite.All"],
            403,
            403,
            403,
            403,
        ),
        (
            &[
                "Policy.ReadWrite.ApplicationConfiguration",
                "Application.Read.All",
            ],
            200,
            204,
            200,
            204,
        ),
    ] {
        fixture.application(roles);
        let patch = json!({"isEnabled": true});
        for path in [&one[..], DEFAULT] {
            assert_eq!(fixture.get(path).status, read, "{roles:?}");
            assert_eq!(fixture.patch(path, &patch).status, write, "{roles:?}");
        }
        let targets = fixture.get(&format!("{one}/appliesTo"));
        assert_eq!(targets.status, applies, "{roles:?}");
        assert_eq!(assign(&fixture, &app(), &policy).status, assigned);
    }
    fixture
        .state()
        .store
        .link(Relation::Owners, &id(DESK_APP), &id(ADELE));
    fixture.adele(EVERYTHING);
    let link = format!("{}/appManagementPolicies/{policy}/$ref", app());
    assert_eq!(
        fixture.delete(&link).status,
        403,
        "an owner does not decide about policies"
    );
    assert_eq!(
        fixture.patch(DEFAULT, &json!({"isEnabled": true})).status,
        403
    );
    let body = json!({"displayName": "P", "description": "d"});
    assert_eq!(fixture.post(POLICIES, &body).status, 403);
    fixture.promote(ADELE);
    assert_eq!(fixture.delete(&link).status, 204);
    assert_eq!(
        fixture.patch(DEFAULT, &json!({"isEnabled": true})).status,
        204
    );
    assert_eq!(fixture.post(POLICIES, &body).status, 201);
}
