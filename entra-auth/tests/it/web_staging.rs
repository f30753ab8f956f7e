//! A rejected sign-in at a site does not change the session and tokens of a signed-in user.

use axum::http::StatusCode;
use entra_auth::{
    SignInClient,
    web::{AccessDenied, SignInContext, WebSignIn},
};
use entra_core::{
    GroupMembership, MembershipError, MembershipErrorKind, ObjectId, TokenCredential, TokenRequest,
};
use entra_mock::{App, FakeTenant};

use crate::{
    web::{ADELE, client, register, site, urls},
    web_browser::Browser,
};

/// A directory that fails with this kind.
#[derive(Debug)]
struct Failing(MembershipErrorKind);

#[async_trait::async_trait]
impl GroupMembership for Failing {
    async fn member_groups_among(
        &self,
        _: ObjectId,
        _: &[ObjectId],
    ) -> Result<Vec<ObjectId>, MembershipError> {
        let text = "Microsoft Graph did not say which groups the user is in (HTTP 403)";
        Err(MembershipError::new(self.0, text))
    }

    async fn all_member_groups(&self, user: ObjectId) -> Result<Vec<ObjectId>, MembershipError> {
        self.member_groups_among(user, &[]).await
    }
}

/// A site that admits the members of a group, with a directory that fails with this kind.
fn site_with_failing_directory(
    tenant: &FakeTenant,
    contoso: &SignInClient,
    kind: MembershipErrorKind,
) -> WebSignIn {
    let staff = tenant.group("Engineers").id();
    let check = move |context: SignInContext| async move {
        let directory = Failing(kind);
        match context
            .signed_in
            .is_member_of_any(&directory, [staff])
            .await?
        {
            true => Ok(ADELE.to_owned()),
            false => Err(AccessDenied::new("This is for the staff only.")),
        }
    };
    let builder = WebSignIn::builder(urls(), contoso.clone()).authorize(check);
    builder.clock(tenant.clock()).build().unwrap()
}

async fn shop() -> (FakeTenant, App, SignInClient) {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let contoso = client(&tenant, &app, "contoso");
    (tenant, app, contoso)
}

#[tokio::test]
async fn a_rejected_sign_in_does_not_change_the_users_tokens() {
    let (tenant, _app, contoso) = shop().await;
    let open = async |_: SignInContext| Ok::<_, AccessDenied>(ADELE.to_owned());
    let opened = WebSignIn::builder(urls(), contoso.clone()).authorize(open);
    let opened = site(&opened.clock(tenant.clock()).build().unwrap());
    let mut browser = Browser::default();
    browser
        .sign_in(&opened, &tenant, "/auth/sign-in", ADELE)
        .await;
    let (url, flow) = contoso.start(&Default::default()).unwrap();
    let redirected = tenant.sign_in_at(url.as_str(), ADELE);
    let account = contoso.finish(flow, redirected.address()).await.unwrap();
    let account = account.account().clone();
    let token = contoso
        .resume(&account)
        .await
        .unwrap()
        .unwrap()
        .refresh_token();
    assert!(token.is_some());

    for kind in [
        MembershipErrorKind::Unavailable,
        MembershipErrorKind::PermissionMissing,
        MembershipErrorKind::Rejected,
    ] {
        let closed = site(&site_with_failing_directory(&tenant, &contoso, kind));
        let response = Browser::default()
            .sign_in(&closed, &tenant, "/auth/sign-in", ADELE)
            .await;
        assert!(response.status.is_server_error(), "{}", response.body);
        let user = contoso.resume(&account).await.unwrap().unwrap();
        assert_eq!(user.refresh_token(), token, "{kind:?}");
        let request = TokenRequest::new(["User.Read"]);
        user.token(&request).await.unwrap();
    }
}

#[tokio::test]
async fn the_page_of_a_missing_group_permission_starts_with_the_administrators_text() {
    let (tenant, _app, contoso) = shop().await;
    for (kind, status) in [
        (
            MembershipErrorKind::PermissionMissing,
            StatusCode::INTERNAL_SERVER_ERROR,
        ),
        (
            MembershipErrorKind::Rejected,
            StatusCode::INTERNAL_SERVER_ERROR,
        ),
        (
            MembershipErrorKind::Unavailable,
            StatusCode::SERVICE_UNAVAILABLE,
        ),
    ] {
        let closed = site(&site_with_failing_directory(&tenant, &contoso, kind));
        let page = Browser::default()
            .sign_in(&closed, &tenant, "/auth/sign-in", ADELE)
            .await;
        assert_eq!(page.status, status, "{}", page.body);
        let at = |text: &str| page.body.find(text).unwrap();
        let is_permanent = kind != MembershipErrorKind::Unavailable;
        let admin_first = at("For your administrator") < at("role=\"alert\"");
        assert_eq!(admin_first, is_permanent, "{}", page.body);
        assert_eq!(page.body.contains("ry again"), !is_permanent);
        let grants = page.body.contains("GroupMember.Read.All");
        assert_eq!(grants, kind == MembershipErrorKind::PermissionMissing);
    }
}
