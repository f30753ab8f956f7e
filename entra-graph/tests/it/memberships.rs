//! Transitive memberships of a user, as at a sign-in.

use std::{error::Error as _, time::Duration};

use entra_core::{
    CredentialError, CredentialErrorKind, GroupMembership, MembershipErrorKind, ObjectId,
    ScriptedTransport, StaticCredential,
};
use entra_graph::{ErrorKind, GraphClient};
use entra_mock::{FakeTenant, Fault};

use crate::support::{AppCredential, start};

const ADELE: &str = "adele@contoso.com";

async fn graph() -> (FakeTenant, GraphClient) {
    let (tenant, credential) = start().await;
    let graph = client(&tenant, credential);
    (tenant, graph)
}

fn client(tenant: &FakeTenant, credential: AppCredential) -> GraphClient {
    let builder = GraphClient::builder(credential).cloud(tenant.cloud());
    builder.clock(tenant.clock()).build().unwrap()
}

#[tokio::test]
async fn a_part_of_the_groups_is_an_error() {
    let body = r#"{"value":[],"@odata.nextLink":"https://graph.example.com/v1.0/next"}"#;
    let script = ScriptedTransport::new().then(200, &[], body);
    let user = crate::scripts::client(script).user(ADELE);
    let error = user.get_member_groups(false).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn groups_within_groups_count_and_others_do_not() {
    let (tenant, graph) = graph().await;
    let (outer, other) = (tenant.add_group("Outer"), tenant.add_group("Other"));
    outer.add_member(tenant.group("Engineers").id());
    let adele = tenant.user(ADELE).id();
    let requested = [other.id(), outer.id(), outer.id()];
    let found = graph.member_groups_among(adele, &requested).await.unwrap();
    assert_eq!(found, [outer.id()]);
    let all = graph.all_member_groups(adele).await.unwrap();
    assert!(all.contains(&outer.id()) && all.contains(&tenant.group("Engineers").id()));
    assert!(!all.contains(&other.id()));
    tenant
        .requests()
        .to("/checkMemberGroups")
        .method("POST")
        .assert_count(1);
    tenant
        .requests()
        .to("/getMemberGroups")
        .method("POST")
        .assert_count(1);
}

#[tokio::test]
async fn the_tenant_of_the_directory_is_known_from_its_token() {
    let (tenant, graph) = graph().await;
    assert_eq!(GroupMembership::tenant(&graph), None);
    let adele = tenant.user(ADELE).id();
    graph.all_member_groups(adele).await.unwrap();
    let known = GroupMembership::tenant(&graph);
    assert!(known.is_some() && known == tenant.id().guid());
    // The next token may be of another tenant.
    tenant.clock().advance(Duration::from_secs(7200));
    assert_eq!(GroupMembership::tenant(&graph), None);
}

#[tokio::test]
async fn any_number_of_groups_is_checked_20_per_request() {
    let (tenant, graph) = graph().await;
    let adele = tenant.user(ADELE).id();
    assert!(
        graph
            .member_groups_among(adele, &[])
            .await
            .unwrap()
            .is_empty()
    );
    tenant.requests().to("/checkMemberGroups").assert_count(0);
    let groups: Vec<ObjectId> = (0..45)
        .map(|number| {
            let group = tenant.add_group(&format!("Group {number}"));
            group.add_member(adele);
            group.id()
        })
        .collect();
    // A throttled read changes nothing, so it is sent again.
    tenant.inject(Fault::on("/checkMemberGroups").times(1).status(503));
    let mut found = graph.member_groups_among(adele, &groups).await.unwrap();
    let mut expected = groups;
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    tenant.requests().to("/checkMemberGroups").assert_count(4);
}

#[tokio::test]
async fn memberships_that_cannot_be_read_are_an_error_that_names_the_permission() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Reader").with_secret();
    let graph = client(&tenant, AppCredential::new(&tenant, &app));
    let adele = tenant.user(ADELE).id();
    let groups = [tenant.group("Engineers").id()];
    let error = graph.member_groups_among(adele, &groups).await.unwrap_err();
    assert_eq!(error.kind(), MembershipErrorKind::PermissionMissing);
    assert!(error.fix().unwrap().contains("GroupMember.Read.All"));
    let source = error
        .source()
        .unwrap()
        .downcast_ref::<entra_graph::Error>()
        .unwrap();
    assert!(source.is_forbidden());
    assert_eq!(
        source.needed_permissions().first(),
        Some(&"GroupMember.Read.All")
    );

    let _ = app.application_permission("GroupMember.Read.All");
    let graph = client(&tenant, AppCredential::new(&tenant, &app));
    tenant.inject(Fault::on("/getMemberGroups").status(503));
    let error = graph.all_member_groups(adele).await.unwrap_err();
    assert_eq!(error.kind(), MembershipErrorKind::Unavailable);
    tenant.clear_faults();
    tenant.inject(Fault::on("/getMemberGroups").truncated_body());
    graph.all_member_groups(adele).await.unwrap_err();
}

/// A credential that fails with a given error.
#[derive(Clone, Debug)]
struct Failing(CredentialErrorKind, u32);

#[async_trait::async_trait]
impl entra_core::TokenCredential for Failing {
    async fn token(
        &self,
        _: &entra_core::TokenRequest,
    ) -> Result<entra_core::AccessToken, CredentialError> {
        let Self(kind, code) = *self;
        Err(CredentialError::new(kind, "no token").with_code(code))
    }
}

#[tokio::test]
async fn a_token_without_consent_is_a_missing_permission() {
    let tenant = FakeTenant::start().await;
    let adele = tenant.user(ADELE).id();
    let needed = CredentialErrorKind::InteractionRequired;
    for (kind, code, expected) in [
        (needed, 65_001, MembershipErrorKind::PermissionMissing),
        (needed, 90_094, MembershipErrorKind::PermissionMissing),
        (needed, 50_076, MembershipErrorKind::Rejected),
        (
            CredentialErrorKind::Rejected,
            7_000_215,
            MembershipErrorKind::Rejected,
        ),
        (
            CredentialErrorKind::Transient,
            90_033,
            MembershipErrorKind::Unavailable,
        ),
    ] {
        let builder = GraphClient::builder(Failing(kind, code)).cloud(tenant.cloud());
        let graph = builder.clock(tenant.clock()).build().unwrap();
        let error = graph.all_member_groups(adele).await.unwrap_err();
        assert_eq!(error.kind(), expected, "{code}");
    }
}

#[tokio::test]
async fn a_client_for_a_user_shares_all_but_the_credential() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Shop")
        .delegated_permission("GroupMember.Read.All")
        .with_secret();
    let shared = client(&tenant, AppCredential::new(&tenant, &app));
    let engineers = [tenant.group("Engineers").id()];
    let adele = tenant.user(ADELE).id();
    // The application itself has no permission to read.
    shared
        .member_groups_among(adele, &engineers)
        .await
        .unwrap_err();

    let tokens = tenant.tokens_for(&app, ADELE, ["GroupMember.Read.All"]);
    let user = shared.with_credential(StaticCredential::new(tokens.access_token().expose_secret()));
    let found = user.member_groups_among(adele, &engineers).await.unwrap();
    assert_eq!(found, engineers);
    assert!(!user.all_member_groups(adele).await.unwrap().is_empty());
    assert_eq!(shared.requests_sent(), 3);
}
