use super::*;

fn consumer(users: usize) -> Consumer<'static> {
    Consumer {
        app_id: "app",
        tenant_id: "tenant",
        users,
    }
}

fn at(seconds: f64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::seconds_f64(seconds)
}

fn enforced() -> Quotas {
    Quotas {
        enforced: true,
        ..Quotas::default()
    }
}

fn price(request: &str) -> Price {
    let (method, address) = request.split_once(' ').unwrap();
    match address.split_once('?') {
        Some((path, query)) => Price::of(method, path, Some(query)),
        None => Price::of(method, address, None),
    }
}

fn wait(outcome: Outcome) -> Option<u64> {
    match outcome {
        Outcome::Throttled(throttled) => throttled.retry_after,
        Outcome::Served(_) => None,
    }
}

#[test]
fn documented_prices() {
    let units = [
        ("GET /v1.0/users", 2),
        ("GET /v1.0/users?$select=id&$top=999", 1),
        ("GET /v1.0/users?%24select=id&$top=5", 1),
        ("GET /v1.0/users?$expand=manager", 3),
        ("GET /v1.0/users?$select=id&$expand=manager", 2),
        ("GET /v1.0/Users/a", 1),
        ("GET /beta/users/a/memberOf", 2),
        ("GET /v1.0/me/memberOf", 2),
        ("GET /v1.0/me", 1),
        ("GET /v1.0/groups/a/members", 3),
        ("GET /v1.0/groups/a/members?$top=10&$select=id", 1),
        ("GET /v1.0/groups/a/members/microsoft.graph.user", 3),
        ("GET /v1.0/groups/a/members/graph.user", 3),
        ("GET /v1.0/groups/a/members/Graph.User/$count", 1),
        ("GET /v1.0/users/graph.admin@contoso.com/memberOf", 2),
        ("GET /v1.0/groups/a/transitiveMembers", 5),
        ("GET /v1.0/applications(appId='a')/extensionProperties", 2),
        ("GET /v1.0/subscribedSkus", 3),
        ("GET /v1.0/applications", 2),
        ("GET /v1.0/contracts", 3),
        ("GET /v1.0/domains/a/domainNameReferences", 4),
        ("GET /v1.0/oauth2PermissionGrants", 2),
        ("GET /v1.0/oauth2PermissionGrants/a", 2),
        ("GET /v1.0/servicePrincipals/a/appRoleAssignments", 2),
        ("GET /v1.0/servicePrincipals/a/appRoleAssignedTo", 1),
        ("GET /v1.0/users/a/licenseDetails", 2),
        ("GET /v1.0/users/a/ownedObjects", 2),
        ("GET /v1.0/me/transitiveMemberOf", 2),
        ("POST /v1.0/directoryObjects/getByIds", 5),
        ("POST /v1.0/directoryObjects/getByIds?$select=id", 4),
        ("POST /v1.0/getObjectsById", 5),
        ("POST /v1.0/isMemberOf", 4),
        ("POST /v1.0/users/a/checkMemberGroups", 4),
        ("POST /v1.0/me/checkMemberObjects", 4),
        ("POST /v1.0/users/a/getMemberGroups", 2),
        ("POST /v1.0/me/getMemberObjects", 2),
        ("POST /v1.0/users", 1),
        ("GET /v1.0/auditLogs/signIns", 0),
        ("GET /v1.0/users/a/photo/$value", 0),
    ];
    for (request, expected) in units {
        assert_eq!(price(request).units, expected, "{request}");
    }
    for request in [
        "POST /v1.0/users",
        "PATCH /v1.0/users/a",
        "DELETE /v1.0/users/a",
    ] {
        assert!(price(request).write, "{request}");
    }
    for request in [
        "GET /v1.0/users",
        "POST /v1.0/directoryObjects/getByIds",
        "POST /v1.0/groups/a/checkMemberGroups",
    ] {
        assert!(!price(request).write, "{request}");
    }
    assert!(price("GET /beta/auditLogs/signIns").logs);
    assert!(price("GET /v1.0/reports/authenticationMethods/userRegistrationDetails").logs);
    assert!(price("GET /v1.0/identityProtection/riskyUsers").protection);
    assert!(price("GET /v1.0/applications/a?$select=keyCredentials").keys);
    assert!(price("GET /v1.0/servicePrincipals?$select=id,keyCredentials").keys);
}

#[test]
fn resource_units_depend_on_the_size_of_the_tenant() {
    for (users, most) in [
        (0, 3_500),
        (49, 3_500),
        (50, 5_000),
        (500, 5_000),
        (501, 8_000),
    ] {
        let mut quotas = enforced();
        let one = price("GET /v1.0/users/a");
        let served = (0..9_000)
            .take_while(|_| {
                matches!(
                    quotas.charge(at(0.0), consumer(users), one),
                    Outcome::Served(_)
                )
            })
            .count();
        assert_eq!(served, most, "{users} users");
    }
}

#[test]
fn a_bucket_refills_all_the_time_and_names_the_wait() {
    let mut quotas = enforced();
    let list = price("GET /v1.0/groups/a/transitiveMembers");
    for _ in 0..700 {
        assert_eq!(wait(quotas.charge(at(0.0), consumer(1), list)), None);
    }
    let throttled = quotas.charge(at(0.0), consumer(1), list);
    let Outcome::Throttled(throttled) = throttled else {
        panic!("{throttled:?}")
    };
    assert_eq!(throttled.retry_after, Some(1));
    assert_eq!(throttled.information, Some("ResourceUnitLimitExceeded"));
    assert_eq!(
        throttled.scope.as_deref(),
        Some("Tenant_Application/ReadWrite/app/tenant")
    );
    // 350 units a second.
    let served = (0..100)
        .take_while(|_| wait(quotas.charge(at(1.0), consumer(1), list)).is_none())
        .count();
    assert_eq!(served, 70);
    // Another tenant has its own.
    let other = Consumer {
        tenant_id: "other",
        ..consumer(1)
    };
    assert_eq!(wait(quotas.charge(at(1.0), other, list)), None);
}

#[test]
fn from_four_fifths_on_a_response_says_what_is_used() {
    let mut quotas = enforced();
    let one = price("GET /v1.0/users/a");
    for _ in 0..2_800 {
        quotas.charge(at(0.0), consumer(1), one);
    }
    let Outcome::Served(used) = quotas.charge(at(0.0), consumer(1), one) else {
        panic!("throttled")
    };
    let reply = with_used(Reply::new(200), used);
    assert_eq!(
        reply.headers,
        [("x-ms-throttle-limit-percentage", "0.80".into())]
    );
    assert!(with_used(Reply::new(200), Some(0.8)).headers.is_empty());
}

#[test]
fn writes_are_counted_beside_resource_units() {
    let mut quotas = enforced();
    let write = price("PATCH /v1.0/users/a");
    for _ in 0..3_000 {
        assert_eq!(wait(quotas.charge(at(0.0), consumer(1), write)), None);
    }
    let Outcome::Throttled(throttled) = quotas.charge(at(0.0), consumer(1), write) else {
        panic!("served")
    };
    assert_eq!(throttled.information, Some("WriteLimitExceeded"));
    assert_eq!(
        throttled.scope.as_deref(),
        Some("Tenant_Application/Write/app/tenant")
    );
    // Reads go on.
    let read = price("GET /v1.0/users/a");
    assert_eq!(wait(quotas.charge(at(0.0), consumer(1), read)), None);
}

#[test]
fn logs_take_five_requests_in_ten_seconds_and_name_no_wait() {
    let mut quotas = enforced();
    let logs = price("GET /v1.0/auditLogs/signIns");
    let mut is_served = |second: f64, price: Price| {
        let outcome = quotas.charge(at(second), consumer(1), price);
        if let Outcome::Throttled(throttled) = &outcome {
            assert_eq!(*throttled, Throttled::silent());
        }
        matches!(outcome, Outcome::Served(_))
    };
    let seconds = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 11.0, 11.5];
    let served = seconds.map(|second| is_served(second, logs));
    // The throttled one at 5 s counts too.
    assert_eq!(served, [true, true, true, true, true, false, true, false]);
    assert!(is_served(11.5, price("GET /v1.0/users")));
}

#[test]
fn a_client_that_does_not_wait_stays_throttled_by_a_window() {
    let mut quotas = enforced();
    let logs = price("GET /v1.0/auditLogs/signIns");
    let mut served = Vec::new();
    for second in 0..60 {
        let now = at(f64::from(second));
        if matches!(quotas.charge(now, consumer(1), logs), Outcome::Served(_)) {
            served.push(second);
        }
    }
    assert_eq!(served, [0, 1, 2, 3, 4]);
    // The last five came from 55 to 59 s on.
    for (second, expected) in [(64.0, false), (69.0, true)] {
        let outcome = quotas.charge(at(second), consumer(1), logs);
        assert_eq!(matches!(outcome, Outcome::Served(_)), expected, "{second}");
    }
}

/// How many of these requests are served at once.
fn served(quotas: &mut Quotas, consumer: Consumer<'_>, price: Price) -> usize {
    let charge = |_: &usize| {
        let outcome = quotas.charge(at(0.0), consumer, price);
        matches!(outcome, Outcome::Served(_))
    };
    (0..200_000).take_while(charge).count()
}

#[test]
fn subscriptions_have_limits_of_their_own_for_writes_and_for_all_requests() {
    let (write, read) = ("POST /v1.0/subscriptions", "GET /v1.0/subscriptions/a");
    assert_eq!(price(write).units, 0);
    let other = |app_id| Consumer {
        app_id,
        ..consumer(1)
    };
    // Of an application in a tenant, then of the tenant.
    for (request, of_both, of_the_tenant) in [(write, 1_000, 2_000), (read, 5_000, 10_000)] {
        let mut quotas = enforced();
        let price = price(request);
        assert_eq!(served(&mut quotas, other("one"), price), of_both);
        assert_eq!(served(&mut quotas, other("two"), price), of_both);
        assert_eq!(of_the_tenant, 2 * of_both);
        assert_eq!(served(&mut quotas, other("three"), price), 0, "{request}");
        let throttled = quotas.charge(at(0.0), other("three"), price);
        assert_eq!(wait(throttled), Some(1), "{request}");
    }
    // Writes of subscriptions are none of the directory.
    let mut quotas = enforced();
    served(&mut quotas, consumer(1), price(write));
    assert_eq!(
        served(&mut quotas, consumer(1), price("PATCH /v1.0/users/a")),
        3_000
    );
}

#[test]
fn limits_of_a_tenant_and_of_an_application_count_all_of_theirs() {
    let write = price("PATCH /v1.0/users/a");
    let list = price("GET /v1.0/groups/a/transitiveMembers");
    let names: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    let of = |app: usize, tenant: usize| Consumer {
        app_id: &names[app],
        tenant_id: &names[tenant],
        users: 1,
    };
    let scope = |outcome: Outcome| match outcome {
        Outcome::Throttled(throttled) => (throttled.scope.unwrap(), throttled.information.unwrap()),
        Outcome::Served(_) => panic!("served"),
    };
    // 18,000 writes of a tenant, by six applications of 3,000.
    let mut quotas = enforced();
    for app in 0..6 {
        assert_eq!(served(&mut quotas, of(app, 0), write), 3_000);
    }
    let (scope_of_tenant, information) = scope(quotas.charge(at(0.0), of(6, 0), write));
    assert_eq!(scope_of_tenant, "Tenant/Write/6/0");
    assert_eq!(information, "WriteLimitExceeded");
    assert_eq!(served(&mut quotas, of(6, 1), write), 3_000);
    // 35,000 writes of an application, in eleven tenants of 3,000 and one of 2,000.
    let mut quotas = enforced();
    let all: Vec<usize> = (0..12)
        .map(|tenant| served(&mut quotas, of(0, tenant), write))
        .collect();
    assert_eq!(all.iter().sum::<usize>(), 35_000);
    assert_eq!(all[11], 2_000);
    let (scope_of_app, _) = scope(quotas.charge(at(0.0), of(0, 12), write));
    assert_eq!(scope_of_app, "Application/Write/0/12");
    // 150,000 units of an application, in small tenants of 3,500: 5 for each request.
    let mut quotas = enforced();
    let all: Vec<usize> = (0..44)
        .map(|tenant| served(&mut quotas, of(0, tenant), list))
        .collect();
    assert_eq!(all.iter().sum::<usize>(), 30_000);
    assert_eq!(all[42..], [600, 0]);
    let (scope_of_app, information) = scope(quotas.charge(at(0.0), of(0, 45), list));
    assert_eq!(scope_of_app, "Application/ReadWrite/0/45");
    assert_eq!(information, "ResourceUnitLimitExceeded");
}

#[test]
fn certificates_and_identity_protection_are_limited_by_tenant() {
    let mut quotas = enforced();
    let keys = price("GET /v1.0/applications/a?$select=keyCredentials");
    assert_eq!(served(&mut quotas, consumer(1), keys), 150);
    let other = Consumer {
        app_id: "other",
        ..consumer(1)
    };
    assert_eq!(wait(quotas.charge(at(0.0), other, keys)), Some(1));
    assert_eq!(wait(quotas.charge(at(0.5), other, keys)), None);
    let risk = price("GET /v1.0/identityProtection/riskyUsers");
    let policies = price("GET /v1.0/identity/conditionalAccess/policies");
    assert_eq!(served(&mut quotas, consumer(1), risk), 1);
    let silent = Outcome::Throttled(Throttled::silent());
    // The throttled ones count too.
    assert_eq!(quotas.charge(at(0.9), other, policies), silent);
    assert_eq!(quotas.charge(at(1.0), other, policies), silent);
    assert_eq!(
        quotas.charge(at(2.0), other, policies),
        Outcome::Served(None)
    );
}

#[test]
fn an_application_has_130_000_requests_of_any_kind_in_ten_seconds() {
    let mut quotas = enforced();
    let photo = price("GET /v1.0/users/a/photo/$value");
    assert_eq!(served(&mut quotas, consumer(1), photo), 130_000);
    let read = quotas.charge(at(0.0), consumer(1), price("GET /v1.0/users/a"));
    assert_eq!(wait(read), Some(1));
}

#[test]
fn on_demand_provisioning_takes_five_requests_in_ten_seconds_and_names_the_wait() {
    let mut quotas = enforced();
    let jobs = "/v1.0/servicePrincipals/a/synchronization/jobs";
    let provision = price(&format!("POST {jobs}/b/provisionOnDemand"));
    assert_eq!(served(&mut quotas, consumer(1), provision), 5);
    let throttled = quotas.charge(at(4.0), consumer(1), provision);
    assert_eq!(wait(throttled), Some(6));
    assert_eq!(wait(quotas.charge(at(10.0), consumer(1), provision)), None);
    let start = price(&format!("POST {jobs}/b/start"));
    assert_eq!(wait(quotas.charge(at(4.0), consumer(1), start)), None);
}

#[test]
fn nothing_is_throttled_unless_it_is_switched_on() {
    let mut quotas = Quotas::default();
    let logs = price("GET /v1.0/auditLogs/signIns");
    for _ in 0..100 {
        let outcome = quotas.charge(at(0.0), consumer(1), logs);
        assert_eq!(outcome, Outcome::Served(None));
    }
}
