//! Conditional access policies and named locations against the fake tenant.

use entra_core::Clock as _;
use entra_graph::{
    ConditionalAccessPolicy, GraphClient, NamedLocation,
    types::{
        ConditionalAccessClientApp, ConditionalAccessGrantControl, ConditionalAccessPolicyState,
    },
};
use entra_mock::{AccessPolicy, FakeTenant};
use serde_json::json;

use crate::support::AppCredential;

async fn graph(permission: &str) -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Policy report");
    let app = app.application_permission(permission).with_secret();
    let graph = GraphClient::builder(AppCredential::new(&tenant, &app));
    let graph = graph.cloud(tenant.cloud()).clock(tenant.clock());
    (tenant, graph.build().unwrap())
}

#[tokio::test]
async fn the_policies_of_sign_ins_are_listed_and_read() {
    let (tenant, graph) = graph("Policy.Read.All").await;
    let adele = tenant.user("adele@contoso.com");
    let block = tenant.add_access_policy(AccessPolicy::block().user(&adele));
    let second_factor = tenant.add_access_policy(AccessPolicy::require_second_factor());
    let policies = graph.conditional_access_policies();
    let enabled = ConditionalAccessPolicy::STATE.eq(ConditionalAccessPolicyState::Enabled);
    let created = ConditionalAccessPolicy::CREATED_DATE_TIME.le(tenant.clock().now());
    let list = policies.list().filter(enabled.and(created));
    let list = list.order_by(ConditionalAccessPolicy::DISPLAY_NAME.asc());
    let found = list.items().try_collect::<Vec<_>>().await.unwrap();
    let first = policies.list().top(1).send().await.unwrap();
    assert_eq!((first.items.len(), first.is_last()), (1, false));
    let ids: Vec<&str> = found.iter().map(|policy| &*policy.id).collect();
    assert_eq!(ids, [block.id(), second_factor.id()]);

    let policy = graph
        .conditional_access_policy(block.id())
        .get()
        .send()
        .await
        .unwrap();
    let conditions = policy.conditions.unwrap();
    let users = conditions.users.unwrap();
    assert_eq!(users.include_users.unwrap(), [adele.id().to_string()]);
    assert_eq!(
        conditions.client_app_types.unwrap(),
        [ConditionalAccessClientApp::All]
    );
    let controls = policy.grant_controls.unwrap().built_in_controls.unwrap();
    assert_eq!(controls, [ConditionalAccessGrantControl::Block]);

    let id = block.id().to_owned();
    block.remove();
    assert!(
        graph
            .conditional_access_policy(id)
            .get_opt()
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn named_locations_are_found_by_type_and_country() {
    let (tenant, graph) = graph("Policy.Read.All").await;
    let office = json!({
        "@odata.type": "#microsoft.graph.ipNamedLocation", "displayName": "Office", "isTrusted": true,
        "ipRanges": [{ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24" }]
    });
    let office = tenant.insert("namedLocations", office).unwrap();
    let america = json!({
        "@odata.type": "#microsoft.graph.countryNamedLocation", "displayName": "North America",
        "countriesAndRegions": ["US", "CA"], "includeUnknownCountriesAndRegions": false
    });
    let america = tenant.insert("namedLocations", america).unwrap();
    let locations = graph.named_locations();
    for (filter, expected) in [
        (NamedLocation::filter_ip(), &office),
        (NamedLocation::filter_country(), &america),
        (NamedLocation::filter_country_is("CA"), &america),
    ] {
        let found = locations
            .list()
            .filter(filter)
            .items()
            .try_collect::<Vec<_>>()
            .await
            .unwrap();
        assert_eq!(
            found.iter().map(|one| &one.id).collect::<Vec<_>>(),
            [expected]
        );
    }
    let one = graph.named_location(&office).get().send().await.unwrap();
    assert!(one.is_ip() && !one.is_country());
    let ranges = one.ip_ranges.unwrap();
    assert_eq!(ranges[0].cidr_address.as_deref(), Some("203.0.113.0/24"));
    let one = graph.named_location(&america).get().send().await.unwrap();
    assert!(one.is_country() && one.ip_ranges.is_none());
}

#[tokio::test]
async fn a_missing_permission_for_policies_is_named() {
    let (_tenant, graph) = graph("Directory.Read.All").await;
    let error = graph
        .conditional_access_policies()
        .list()
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.needed_permissions(), ["Policy.Read.All"]);
    let error = graph.named_locations().list().send().await.unwrap_err();
    assert_eq!(error.needed_permissions(), ["Policy.Read.All"]);
}
