//! Access by group: the directory decides, unless a setting says that tokens list object ids.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use entra_auth::{
    ClientSecretCredential, Error,
    sign_in::{Groups, GroupsClaim, Identity, SignInClientBuilder, SignInErrorKind, SignInResult},
};
use entra_core::{
    CredentialError, GroupMembership, Guid, MembershipError, MembershipErrorKind, ObjectId,
    TokenCredential, TokenRequest,
};
use serde_json::{Value, json};

use crate::{
    sign_in_support::{Service, builder, sign_in},
    support::{CLIENT, TENANT, graph},
    validate_support::{OTHER_TENANT, USER, clock},
};

const A: &str = "aaaaaaaa-0000-0000-0000-000000000000";
const B: &str = "bbbbbbbb-0000-0000-0000-000000000000";
const C: &str = "cccccccc-0000-0000-0000-000000000000";

#[derive(Debug, Default)]
struct Directory {
    groups: Mutex<Vec<ObjectId>>,
    failing: Option<MembershipErrorKind>,
    tenant: Option<Guid>,
    requested: AtomicUsize,
}

impl Directory {
    fn of(groups: &[&str]) -> Self {
        let groups = groups.iter().map(|id| id.parse().unwrap()).collect();
        Self {
            groups: Mutex::new(groups),
            ..Self::default()
        }
    }

    fn groups_of(&self, user: ObjectId) -> Result<Vec<ObjectId>, MembershipError> {
        assert_eq!(user.to_string(), USER);
        self.requested.fetch_add(1, Ordering::SeqCst);
        match self.failing {
            Some(kind) => {
                Err(MembershipError::new(kind, "the directory says no").with_fix("Fix it."))
            }
            None => Ok(self.groups.lock().unwrap().clone()),
        }
    }
}

#[async_trait]
impl GroupMembership for Directory {
    fn tenant(&self) -> Option<Guid> {
        self.tenant
    }

    async fn member_groups_among(
        &self,
        user: ObjectId,
        _: &[ObjectId],
    ) -> Result<Vec<ObjectId>, MembershipError> {
        self.groups_of(user)
    }

    async fn all_member_groups(&self, user: ObjectId) -> Result<Vec<ObjectId>, MembershipError> {
        self.groups_of(user)
    }
}

/// Signs in at a connection with these settings and a token with these claims.
async fn session_at(
    settings: impl FnOnce(SignInClientBuilder) -> SignInClientBuilder,
    claims: Value,
) -> SignInResult {
    let service = Service::new();
    let client = settings(builder(&service, &clock())).build().unwrap();
    sign_in(&service, &client, claims).await.unwrap()
}

async fn session(claims: Value) -> SignInResult {
    session_at(|builder| builder, claims).await
}

fn ids(builder: SignInClientBuilder) -> SignInClientBuilder {
    builder.groups_claim(GroupsClaim::ObjectIds)
}

#[tokio::test]
async fn a_list_of_object_ids_decides_without_the_directory() {
    let directory = Directory::of(&[C]);
    let session = session_at(ids, json!({ "groups": [A, B.to_uppercase()] })).await;
    let is = |groups: Vec<&'static str>| session.is_member_of_any(&directory, groups);
    assert!(is(vec![C, A]).await.unwrap());
    assert!(is(vec![B]).await.unwrap(), "ids are ids in any case");
    assert!(!is(vec![C]).await.unwrap());
    assert!(!is(vec![]).await.unwrap());
    assert_eq!(session.group_ids(&directory).await.unwrap().len(), 2);
    assert_eq!(directory.requested.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_group_renamed_to_the_guid_of_another_group_gives_no_membership() {
    // The attacker's group has the GUID of the staff group as its name.
    let claims = json!({ "groups": [A] });
    let names = |builder: SignInClientBuilder| builder.groups_claim(GroupsClaim::Names);
    let hint = |builder: SignInClientBuilder| builder.groups_claim(GroupsClaim::Hint);
    let directory = Directory::of(&[C]);
    for session in [
        session(claims.clone()).await,
        session_at(hint, claims.clone()).await,
        session_at(names, claims.clone()).await,
    ] {
        let before = directory.requested.load(Ordering::SeqCst);
        assert!(!session.is_member_of_any(&directory, [A]).await.unwrap());
        assert!(session.is_member_of_any(&directory, [C]).await.unwrap());
        let all = session.group_ids(&directory).await.unwrap();
        assert_eq!(all, [C.parse().unwrap()]);
        assert_eq!(directory.requested.load(Ordering::SeqCst), before + 3);
        // The same from a stored session.
        let stored = serde_json::to_string(session.identity()).unwrap();
        let identity: Identity = serde_json::from_str(&stored).unwrap();
        assert!(!identity.is_member_of_any(&directory, [A]).await.unwrap());
    }
}

#[tokio::test]
async fn a_name_among_object_ids_leaves_the_decision_to_the_directory() {
    for other in [
        "Engineers",
        "CONTOSO\\Engineers",
        "S-1-5-21-1004336348-1177238915-682003330-512",
        "",
    ] {
        let directory = Directory::of(&[C]);
        let session = session_at(ids, json!({ "groups": [A, other] })).await;
        assert!(!session.is_member_of_any(&directory, [A]).await.unwrap());
        assert!(session.is_member_of_any(&directory, [C]).await.unwrap());
        assert_eq!(directory.requested.load(Ordering::SeqCst), 2, "{other}");
    }
}

#[tokio::test]
async fn a_group_emitted_as_a_role_is_not_a_role() {
    let as_roles = |builder: SignInClientBuilder| builder.groups_as_roles();
    let claims = json!({ "roles": ["Admin", A] });
    let directory = Directory::of(&[]);
    let session = session_at(as_roles, claims.clone()).await;
    assert!(!session.identity().has_role("Admin"));
    assert!(!session.is_member_of_any(&directory, [A]).await.unwrap());
    let expected = Groups::Hint(vec!["Admin".to_owned(), A.to_owned()]);
    assert_eq!(session.identity().groups, expected);
    let session = session_at(|builder| as_roles(ids(builder)), json!({ "roles": [A] })).await;
    assert!(session.is_member_of_any(&directory, [A]).await.unwrap());
    // Roles are not groups without the setting.
    let session = session_at(ids, json!({ "roles": [A] })).await;
    assert!(!session.is_member_of_any(&directory, [A]).await.unwrap());
}

#[tokio::test]
async fn the_directory_decides_if_the_token_cannot() {
    for claims in [
        json!({ "_claim_names": { "groups": "src1" }, "_claim_sources": { "src1": { "endpoint": "https://evil.example" } } }),
        json!({ "hasgroups": true }),
        json!({ "groups:src1": "https://evil.example" }),
        json!({ "groups": [B], "_claim_names": { "groups": "src1" } }),
        json!({}),
        json!({ "groups": ["CONTOSO\\Engineers"] }),
    ] {
        let directory = Directory::of(&[A]);
        let session = session_at(ids, claims.clone()).await;
        assert!(
            session.is_member_of_any(&directory, [A, B]).await.unwrap(),
            "{claims}"
        );
        assert!(
            !session.is_member_of_any(&directory, [B]).await.unwrap(),
            "{claims}: what was not asked for does not count"
        );
        assert_eq!(directory.requested.load(Ordering::SeqCst), 2);
        let all = session.group_ids(&directory).await.unwrap();
        assert_eq!(all, [A.parse().unwrap()]);
    }
}

#[tokio::test]
async fn a_user_of_another_tenant_is_not_looked_up_in_a_directory() {
    let (own, other) = (TENANT.parse().unwrap(), OTHER_TENANT.parse().unwrap());
    for (tenant, is_asked) in [(None, true), (Some(own), true), (Some(other), false)] {
        let directory = Directory {
            tenant,
            ..Directory::of(&[A])
        };
        // Its tenant is also known behind an `Arc`.
        let directory = Arc::new(directory);
        let session = session(json!({})).await;
        let member = session.is_member_of_any(&directory, [A]).await;
        let all = session.group_ids(&directory).await;
        if is_asked {
            assert!(member.unwrap() && all.unwrap().len() == 1);
        } else {
            for error in [member.unwrap_err(), all.unwrap_err()] {
                assert_eq!(error.kind(), SignInErrorKind::GroupsRejected);
                let text = error.for_admin();
                assert!(
                    text.contains("Ask the directory of the user's tenant"),
                    "{text}"
                );
            }
        }
        let requested = directory.requested.load(Ordering::SeqCst);
        assert_eq!(requested, if is_asked { 2 } else { 0 });
        // A list of the token itself is that of the user's tenant.
        let listed = session_at(ids, json!({ "groups": [B] })).await;
        assert!(listed.is_member_of_any(&directory, [B]).await.unwrap());
    }
}

#[tokio::test]
async fn no_user_is_admitted_while_the_directory_is_unavailable() {
    let directory = Directory {
        failing: Some(MembershipErrorKind::Unavailable),
        ..Directory::of(&[A])
    };
    let session = session(json!({})).await;
    let error = session.is_member_of_any(&directory, [A]).await.unwrap_err();
    assert_eq!(error.kind(), SignInErrorKind::GroupsUnavailable);
    assert!(error.is_retryable() && error.for_admin().contains("the directory says no"));
    let error = session.group_ids(&directory).await.unwrap_err();
    assert_eq!(error.kind(), SignInErrorKind::GroupsUnavailable);
    let error = session
        .is_member_of_any(&directory, ["Engineers"])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), SignInErrorKind::Configuration);
    assert!(
        !session
            .is_member_of_any(&directory, Vec::<&str>::new())
            .await
            .unwrap()
    );
    let shared: Arc<dyn GroupMembership> = Arc::new(Directory::of(&[A]));
    assert!(session.is_member_of_any(&*shared, [A]).await.unwrap());
}

#[tokio::test]
async fn a_missing_permission_at_the_group_check_is_permanent() {
    let session = session(json!({})).await;
    for (failing, kind, words) in [
        (
            MembershipErrorKind::PermissionMissing,
            SignInErrorKind::GroupPermissionMissing,
            "Grant the application the Microsoft Graph permission GroupMember.Read.All",
        ),
        (
            MembershipErrorKind::Rejected,
            SignInErrorKind::GroupsRejected,
            "Fix it.",
        ),
    ] {
        let directory = Directory {
            failing: Some(failing),
            ..Directory::of(&[A])
        };
        let error = session.is_member_of_any(&directory, [A]).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(!error.is_retryable());
        assert!(!error.for_user().contains("try again"), "{error}");
        assert!(error.for_admin().contains(words), "{}", error.for_admin());
    }
}

/// A directory whose token request failed.
#[derive(Debug)]
struct WithoutToken(CredentialError);

#[async_trait]
impl GroupMembership for WithoutToken {
    async fn member_groups_among(
        &self,
        _: ObjectId,
        _: &[ObjectId],
    ) -> Result<Vec<ObjectId>, MembershipError> {
        let kind = MembershipErrorKind::Rejected;
        Err(MembershipError::new(kind, "no token").with_source(self.0.clone()))
    }

    async fn all_member_groups(&self, user: ObjectId) -> Result<Vec<ObjectId>, MembershipError> {
        self.member_groups_among(user, &[]).await
    }
}

#[tokio::test]
async fn a_failed_token_request_of_the_group_check_keeps_its_error() {
    for (code, kind, claims) in [
        (65_001, SignInErrorKind::GroupPermissionMissing, false),
        (90_094, SignInErrorKind::GroupPermissionMissing, false),
        (50_076, SignInErrorKind::MfaRequired, true),
        (50_057, SignInErrorKind::AccountDisabled, false),
        (70_011, SignInErrorKind::GroupsRejected, false),
    ] {
        let service = Service::new();
        let client = builder(&service, &clock()).build().unwrap();
        let session = sign_in(&service, &client, json!({})).await.unwrap();
        let mut body = json!({ "error": "invalid_grant", "error_codes": [code] });
        if claims {
            body["claims"] = r#"{"access_token":{}}"#.into();
        }
        service.respond(400, &body);
        let request = TokenRequest::new(["GroupMember.Read.All"]);
        let rejected = session.credential().token(&request).await.unwrap_err();
        assert!(Error::find(&rejected).is_some());
        let directory = WithoutToken(rejected);
        let error = session.is_member_of_any(&directory, [A]).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{code}");
        assert_eq!(error.aadsts_code(), Some(code));
        assert_eq!(error.claims().is_some(), claims);
    }
}

#[tokio::test]
async fn a_missing_permission_of_the_application_that_asks_the_directory_is_named() {
    let session = session(json!({})).await;
    for (code, kind) in [
        (65_001, SignInErrorKind::GroupPermissionMissing),
        (650_056, SignInErrorKind::GroupPermissionMissing),
        (90_094, SignInErrorKind::GroupPermissionMissing),
        // What a user could resolve is not about this user.
        (50_076, SignInErrorKind::GroupsRejected),
        (53_003, SignInErrorKind::GroupsRejected),
        (50_057, SignInErrorKind::GroupsRejected),
    ] {
        let service = Service::new();
        service.respond(
            400,
            &json!({ "error": "invalid_grant", "error_codes": [code] }),
        );
        let application = ClientSecretCredential::builder(TENANT, CLIENT, "s3cr3t")
            .transport(Arc::clone(&service))
            .clock(clock())
            .build()
            .unwrap();
        let rejected = application.token(&graph()).await.unwrap_err();
        let directory = WithoutToken(rejected);
        let error = session.is_member_of_any(&directory, [A]).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{code}");
        assert!(!error.ends_session() && !error.is_retryable(), "{code}");
        let names_permission = error.for_admin().contains("GroupMember.Read.All");
        let is_missing = kind == SignInErrorKind::GroupPermissionMissing;
        assert_eq!(names_permission, is_missing, "{}", error.for_admin());
    }
}
