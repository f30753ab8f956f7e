//! Sign-in of users to a web application, and their identity.

use std::{fmt::Write as _, time::Duration};

use entra_auth::{
    SignInClient,
    sign_in::{
        AdminConsentOptions, ConsentScopes, Email, FrontChannelSignOut, Groups, ReturnPath,
        SignInErrorKind, SignOutOptions,
    },
    user::{ClientAuthentication, ResponseMode, StartOptions},
};
use entra_core::{Clock, TenantId, TokenCredential, TokenRequest, url::Url};
use entra_mock::{App, FakeTenant};
use serde_json::json;

use crate::{
    sign_in_support::{
        CALLBACK, Service, builder, builder_for, connection, copy, sign_in, sign_in_with,
        success_of,
    },
    support::TENANT,
    validate_support::{
        NOW, OTHER_TENANT, SERVICE_KEY, USER, clock, id_token, issuer_v2, with_changes,
    },
};

const ADELE: &str = "adele@contoso.com";

async fn shop() -> (FakeTenant, App) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Shop")
        .redirect_uri(CALLBACK)
        .delegated_permission("User.Read")
        .with_secret();
    (tenant, app)
}

fn client(tenant: &FakeTenant, app: &App) -> SignInClient {
    SignInClient::builder(
        tenant.id(),
        app.client_id(),
        ClientAuthentication::secret(app.secret()),
    )
    .redirect_uri(CALLBACK)
    .scopes(["User.Read", "email"])
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()
    .unwrap()
}

#[tokio::test]
async fn a_user_signs_in_and_gets_tokens_silently() {
    let (tenant, app) = shop().await;
    let client = client(&tenant, &app);
    assert!(
        tenant.requests().iter().next().is_none(),
        "nothing is sent to build it"
    );
    for mode in [ResponseMode::Query, ResponseMode::FormPost] {
        let mut options = StartOptions::default();
        options.response_mode = mode;
        let (url, flow) = client.start(&options).unwrap();
        let redirected = tenant.sign_in_at(url.as_str(), ADELE);
        let session = client.finish(flow, &redirected.query()).await.unwrap();
        let identity = session.identity();
        assert_eq!(identity.oid, tenant.user(ADELE).id());
        assert_eq!(identity.tid, tenant.id());
        assert_eq!(
            identity.issuer,
            format!("{}/{}/v2.0", tenant.uri(), tenant.id())
        );
        assert_eq!(identity.username.as_deref(), Some(ADELE));
        assert_eq!(identity.name.as_deref(), Some("Adele"));
        assert_eq!(identity.email, Some(Email::Unverified(ADELE.to_owned())));
        assert_eq!(identity.groups, Groups::Absent);
        assert!(!identity.is_guest && identity.home_tenant.is_none());
        assert!(session.session_state().is_some());

        let request = TokenRequest::new(["User.Read"]);
        session.credential().token(&request).await.unwrap();
        session.commit().await;
        let again = client.resume(session.account()).await.unwrap().unwrap();
        again.token(&request).await.unwrap();
        assert!(client.sign_out(session.account()).await.unwrap());
        assert!(client.resume(session.account()).await.unwrap().is_none());
    }
    tenant.requests().to("/token").assert_count(2);
    tenant
        .requests()
        .to("/openid-configuration")
        .assert_count(1);
}

#[tokio::test]
async fn a_certificate_and_a_tenant_domain_work() {
    let (tenant, app) = shop().await;
    let pem = tenant.test_certificate_pem();
    app.with_certificate(&pem);
    let certificate = entra_auth::Certificate::from_pem(&pem).unwrap();
    let client = SignInClient::builder(
        tenant.domain(),
        app.client_id(),
        ClientAuthentication::certificate(certificate),
    )
    .redirect_uri(CALLBACK)
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()
    .unwrap();
    let (url, flow) = client.start(&StartOptions::default()).unwrap();
    let redirected = tenant.sign_in_at(url.as_str(), ADELE);
    let session = client.finish(flow, redirected.address()).await.unwrap();
    assert_eq!(
        session.identity().tid,
        tenant.id(),
        "the GUID, whatever was typed in"
    );
}

#[tokio::test]
async fn optional_claims_of_the_registration_are_read() {
    let (tenant, app) = shop().await;
    for name in ["sid", "login_hint", "auth_time", "acct"] {
        app.id_token_claim(name);
    }
    app.group_claims(entra_mock::GroupClaims::SecurityGroup);
    let client = client(&tenant, &app);
    let (url, flow) = client.start(&StartOptions::default()).unwrap();
    let redirected = tenant.sign_in_at(url.as_str(), ADELE);
    let session = client.finish(flow, &redirected.query()).await.unwrap();
    let identity = session.identity();
    assert!(identity.sid.is_some() && identity.login_hint.is_some());
    assert_eq!(identity.auth_time, Some(tenant.clock().now()));
    let Groups::Hint(groups) = &identity.groups else {
        panic!("{:?}", identity.groups)
    };
    assert!(groups.contains(&tenant.group("Engineers").id().to_string()));
    let named = format!(
        "iss={}&sid={}",
        encoded(&identity.issuer),
        encoded(identity.sid.as_deref().unwrap())
    );
    assert!(
        FrontChannelSignOut::parse(&named)
            .unwrap()
            .matches(identity)
    );
}

fn encoded(text: &str) -> String {
    entra_core::url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn max_age_is_checked_by_the_auth_time_of_the_token() {
    let (service, client) = connection();
    let mut options = StartOptions::default();
    options.max_age = Some(Duration::from_secs(600));
    let table = [
        (json!(NOW), true),
        (json!(NOW - 600), true),
        (json!(NOW - 660), true),
        (json!(NOW - 661), false),
        (json!(NOW - 86_400), false),
        (json!(null), false),
        (json!("soon"), false),
    ];
    for (auth_time, valid) in table {
        let claims = json!({ "auth_time": auth_time });
        let outcome = sign_in_with(&service, &client, &options, claims).await;
        match outcome {
            Ok(_) => assert!(valid, "{auth_time}"),
            Err(error) => {
                assert!(!valid, "{auth_time}");
                assert_eq!(error.kind(), SignInErrorKind::TooOld);
                assert!(error.for_admin().contains("auth_time"));
            }
        }
    }
    let claims = json!({ "auth_time": NOW - 86_400 });
    sign_in(&service, &client, claims).await.unwrap();
}

#[tokio::test]
async fn a_failed_token_request_caches_nothing() {
    let (service, client) = connection();
    let error = sign_in(&service, &client, json!({ "nonce": "n-2" }))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), SignInErrorKind::NonceMismatch);
    let account: entra_auth::user::Account = serde_json::from_value(json!({
        "home_account_id": format!("{USER}.{TENANT}"), "tenant": TENANT,
    }))
    .unwrap();
    assert!(client.resume(&account).await.unwrap().is_none());
    let session = sign_in(&service, &client, json!({})).await.unwrap();
    assert!(
        client.resume(&account).await.unwrap().is_none(),
        "not agreed yet"
    );
    session.commit().await;
    assert!(
        client.resume(&account).await.unwrap().is_some(),
        "the same user, when all is well"
    );
}

#[tokio::test]
async fn users_of_many_tenants_are_admitted_by_list_or_by_decision() {
    let service = Service::new();
    let organizations = || builder_for("organizations", &service, &clock());
    let from = |tenant: &str| json!({ "tid": tenant, "iss": issuer_v2(tenant) });
    let rejected = organizations().build().unwrap_err();
    assert_eq!(rejected.kind(), SignInErrorKind::Configuration);
    assert!(rejected.to_string().contains("any_tenant"), "{rejected}");

    let listed = organizations().tenants([TENANT]).build().unwrap();
    let decided = organizations()
        .tenant_decision(|tenant| tenant.to_string() == TENANT)
        .build()
        .unwrap();
    let any = organizations().any_tenant().build().unwrap();
    for (client, others) in [(listed, false), (decided, false), (any, true)] {
        let session = finish_with_claims(&service, &client, from(TENANT), USER, TENANT)
            .await
            .unwrap();
        assert_eq!(session.identity().tid.to_string(), TENANT);
        let other =
            finish_with_claims(&service, &client, from(OTHER_TENANT), USER, OTHER_TENANT).await;
        match other {
            Ok(session) => {
                assert!(others);
                assert_eq!(session.account().tenant.to_string(), OTHER_TENANT);
            }
            Err(error) => {
                assert!(!others);
                assert_eq!(error.kind(), SignInErrorKind::WrongTenant);
            }
        }
        let mixed = json!({ "tid": TENANT, "iss": issuer_v2(OTHER_TENANT) });
        let error = finish_with_claims(&service, &client, mixed, USER, TENANT)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), SignInErrorKind::IssuerMismatch);
    }
}

async fn finish_with_claims(
    service: &Service,
    client: &SignInClient,
    changes: serde_json::Value,
    uid: &str,
    utid: &str,
) -> Result<entra_auth::sign_in::SignInResult, entra_auth::sign_in::SignInError> {
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    let nonce = crate::sign_in_support::stored(&flow)["nonce"].clone();
    let claims = with_changes(with_changes(id_token(), json!({ "nonce": nonce })), changes);
    service.respond(200, &success_of(&SERVICE_KEY.token(&claims), uid, utid));
    let callback = crate::sign_in_support::callback(&flow);
    client.finish(flow, &callback).await
}

#[tokio::test]
async fn a_guest_has_the_ids_of_the_tenant_and_another_home_tenant() {
    let (service, client) = connection();
    let session = finish_with_claims(&service, &client, json!({}), OTHER_TENANT, OTHER_TENANT)
        .await
        .unwrap();
    let identity = session.identity();
    assert!(identity.is_guest);
    assert_eq!(
        identity.home_tenant.as_ref().unwrap().to_string(),
        OTHER_TENANT
    );
    assert_eq!(
        (identity.oid.to_string(), identity.tid.to_string()),
        (USER.to_owned(), TENANT.to_owned())
    );
    assert_eq!(
        session.account().home_account_id,
        format!("{OTHER_TENANT}.{OTHER_TENANT}")
    );
}

#[tokio::test]
async fn a_pending_sign_in_can_be_serialized() {
    let (service, client) = connection();
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    let stored_cookie = copy(&flow);
    assert_eq!(stored_cookie, flow);
    assert_eq!(stored_cookie.connection(), Some(client.name()));
    service.respond(200, &crate::sign_in_support::success(&flow, json!({})));
    let callback = crate::sign_in_support::callback(&flow);
    let session = client.finish(stored_cookie, &callback).await.unwrap();
    assert_eq!(session.session_state(), Some("ss-1"));
}

#[test]
fn the_authorization_url_always_has_an_s256_challenge() {
    let (_, client) = connection();
    let (url, flow) = client.start(&StartOptions::default()).unwrap();
    let get = |name: &str| {
        let mut pairs = url.query_pairs();
        let (_, value) = pairs.find(|(known, _)| known == name)?;
        Some(value.into_owned())
    };
    assert_eq!(get("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(get("code_challenge").unwrap().len(), 43);
    assert_eq!(get("response_type").as_deref(), Some("code"));
    assert_eq!(
        get("nonce"),
        crate::sign_in_support::stored(&flow)["nonce"]
            .as_str()
            .map(str::to_owned)
    );
    let verifier = crate::sign_in_support::stored(&flow)["verifier"].clone();
    assert!(!url.as_str().contains(verifier.as_str().unwrap()));
    assert!(!format!("{flow:?} {client:?}").contains(verifier.as_str().unwrap()));
    assert!(!format!("{client:?}").contains("s3cr3t"));
}

#[test]
fn invalid_settings_are_rejected_at_build() {
    let service = Service::new();
    let valid = || builder(&service, &clock());
    valid().build().unwrap();
    for bad in [
        builder_for("contoso", &service, &clock()),
        builder_for("common", &service, &clock()),
        valid().redirect_uri(""),
        valid().redirect_uri("http://shop.example/callback"),
        valid().redirect_uri("https://shop.example/callback#x"),
        valid().tenants(["contoso.com"]),
        SignInClient::builder(TENANT, "shop", ClientAuthentication::secret("s"))
            .redirect_uri(CALLBACK),
        SignInClient::builder(TENANT, TENANT, ClientAuthentication::secret(" "))
            .redirect_uri(CALLBACK),
    ] {
        let error = bad.build().unwrap_err();
        assert_eq!(error.kind(), SignInErrorKind::Configuration, "{error}");
    }
}

#[test]
fn an_administrator_consents_for_all_users() {
    let service = Service::new();
    let clock = clock();
    let client = builder(&service, &clock).build().unwrap();
    let any = builder_for("common", &service, &clock)
        .any_tenant()
        .build()
        .unwrap();
    let (url, _) = any.admin_consent(&AdminConsentOptions::default()).unwrap();
    assert!(url.path() == "/organizations/adminconsent", "{url}");

    let mut options = AdminConsentOptions::default();
    options.scopes = ConsentScopes::These(vec!["https://graph.microsoft.com/.default".to_owned()]);
    options.tenant = Some(OTHER_TENANT.parse().unwrap());
    let (url, state) = client.admin_consent(&options).unwrap();
    assert_eq!(url.path(), format!("/{OTHER_TENANT}/v2.0/adminconsent"));
    assert!(
        url.as_str()
            .contains("scope=https%3A%2F%2Fgraph.microsoft.com%2F.default")
    );
    assert!(url.as_str().contains(state.id()));

    let callback = format!(
        "{CALLBACK}?admin_consent=True&tenant={OTHER_TENANT}&scope=a+b&state={}",
        state.id()
    );
    let stored = serde_json::to_string(&state).unwrap();
    let again = || serde_json::from_str(&stored).unwrap();
    let consent = client.finish_admin_consent(again(), &callback).unwrap();
    assert_eq!(
        consent.tenant,
        Some(OTHER_TENANT.parse::<TenantId>().unwrap())
    );
    assert_eq!(consent.scopes, ["a", "b"]);
    let error = client.finish_admin_consent(again(), &callback).unwrap_err();
    assert_eq!(error.kind(), SignInErrorKind::Replayed);
    let error = any.finish_admin_consent(again(), &callback).unwrap_err();
    assert_eq!(error.kind(), SignInErrorKind::OtherConnection);

    let table = [
        (
            "admin_consent=True&error=consent_required&error_description=AADSTS65004%3A+no",
            SignInErrorKind::Declined,
        ),
        (
            "error=permission_denied&error_description=The+admin+canceled",
            SignInErrorKind::Declined,
        ),
        (
            "error=access_denied&error_description=AADSTS650052%3A+x",
            SignInErrorKind::Rejected,
        ),
        ("admin_consent=False", SignInErrorKind::CallbackMalformed),
        ("tenant=x", SignInErrorKind::CallbackMalformed),
        (
            "admin_consent=True&admin_consent=True",
            SignInErrorKind::CallbackMalformed,
        ),
    ];
    for (response, kind) in table {
        let (_, state) = client.admin_consent(&options).unwrap();
        let callback = format!("{response}&state={}", state.id());
        let error = client.finish_admin_consent(state, &callback).unwrap_err();
        assert_eq!(error.kind(), kind, "{response}");
    }
    let (_, state) = client.admin_consent(&options).unwrap();
    let error = client
        .finish_admin_consent(state, "admin_consent=True&state=x")
        .unwrap_err();
    assert_eq!(error.kind(), SignInErrorKind::StateMismatch);
    let (_, state) = client.admin_consent(&options).unwrap();
    let callback = format!("admin_consent=True&tenant=evil&state={}", state.id());
    clock.advance(Duration::from_secs(3599));
    let stored = serde_json::to_string(&state).unwrap();
    assert_eq!(
        client
            .finish_admin_consent(state, &callback)
            .unwrap()
            .tenant,
        None
    );
    clock.advance(Duration::from_secs(1));
    let state = serde_json::from_str(&stored).unwrap();
    let error = client.finish_admin_consent(state, &callback).unwrap_err();
    assert_eq!(error.kind(), SignInErrorKind::Expired);
}

#[test]
fn the_sign_out_url_is_entras_logout_endpoint() {
    let (_, client) = connection();
    let plain = client.sign_out_url(&SignOutOptions::default()).unwrap();
    let expected = format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/logout");
    assert_eq!(plain.as_str(), expected);
    let mut options = SignOutOptions::default();
    options.post_logout_redirect_uri = Some("https://shop.example/bye?a=b&c".to_owned());
    options.logout_hint = Some("O.x".to_owned());
    options.state = Some("7".to_owned());
    let url = client.sign_out_url(&options).unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    assert_eq!(pairs[0].1, "https://shop.example/bye?a=b&c");
    assert_eq!((pairs[1].1.as_str(), pairs[2].1.as_str()), ("O.x", "7"));
    options.post_logout_redirect_uri = Some("/bye".to_owned());
    let error = client.sign_out_url(&options).unwrap_err();
    assert_eq!(error.kind(), SignInErrorKind::Configuration);
}

#[tokio::test]
async fn a_front_channel_sign_out_ends_one_session_of_one_issuer() {
    let (service, client) = connection();
    let session = sign_in(&service, &client, json!({ "sid": "s-1" }))
        .await
        .unwrap();
    let plain = sign_in(&service, &client, json!({})).await.unwrap();
    let issuer = encoded(&issuer_v2(TENANT));
    let other = encoded(&issuer_v2(OTHER_TENANT));
    let parse = |query: &str| FrontChannelSignOut::parse(query);
    let own = parse(&format!("/front-channel?iss={issuer}&sid=s-1")).unwrap();
    assert!(own.matches(session.identity()) && !own.matches(plain.identity()));
    assert_eq!((own.sid(), own.is_for_this_browser()), (Some("s-1"), false));
    for foreign in [
        format!("iss={other}&sid=s-1"),
        format!("iss={issuer}&sid=s-2"),
        format!("iss={issuer}%2F&sid=s-1"),
        String::new(),
    ] {
        assert!(
            !parse(&foreign).unwrap().matches(session.identity()),
            "{foreign}"
        );
    }
    assert!(parse("").unwrap().is_for_this_browser());
    for bad in [
        "sid=s-1".to_owned(),
        format!("iss={issuer}"),
        format!("iss={issuer}&sid="),
        format!("iss={issuer}&sid=s-1&sid=s-1"),
        format!("iss={issuer}&sid={}", "s".repeat(513)),
        format!("iss={issuer}&sid=s&x={}", "x".repeat(100_000)),
    ] {
        let error = parse(&bad).unwrap_err();
        assert_eq!(
            error.kind(),
            SignInErrorKind::CallbackMalformed,
            "{bad:.60}"
        );
    }
}

#[cfg(feature = "file-cache")]
#[tokio::test]
async fn an_account_resumes_at_another_replica() {
    let (tenant, app) = shop().await;
    let directory = std::env::temp_dir().join(format!("entra-sign-in-{}", std::process::id()));
    let replica = || {
        let store = entra_auth::store::FileStore::open(&directory).unwrap();
        let cache = entra_auth::TokenCache::builder().store(store).build();
        SignInClient::builder(
            tenant.id(),
            app.client_id(),
            ClientAuthentication::secret(app.secret()),
        )
        .redirect_uri(CALLBACK)
        .scopes(["User.Read"])
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .cache(&cache)
        .build()
        .unwrap()
    };
    let (first, second) = (replica(), replica());
    let (url, flow) = first.start(&StartOptions::default()).unwrap();
    let redirected = tenant.sign_in_at(url.as_str(), ADELE);
    let session = second.finish(flow, &redirected.query()).await.unwrap();
    session.commit().await;
    let adele = first.resume(session.account()).await.unwrap().unwrap();
    adele
        .token(&TokenRequest::new(["User.Read"]))
        .await
        .unwrap();
    first.sign_out(session.account()).await.unwrap();
    assert!(second.resume(session.account()).await.unwrap().is_none());
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test]
async fn the_fake_tenant_accepts_the_consent_and_sign_out_urls() {
    let (tenant, app) = shop().await;
    let client = client(&tenant, &app);
    let (url, _) = client
        .admin_consent(&AdminConsentOptions::default())
        .unwrap();
    let out = client.sign_out_url(&SignOutOptions::default()).unwrap();
    for url in [url, out] {
        assert_eq!(status(&url).await, 200, "{url}");
    }
}

async fn status(url: &Url) -> u16 {
    use entra_core::HttpTransport as _;
    let request = entra_core::http::Request::get(url.as_str())
        .body(entra_core::bytes::Bytes::new())
        .unwrap();
    let transport = entra_core::ReqwestTransport::builder().build();
    transport.send(request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn debug_of_a_sign_in_shows_no_name_no_email_and_no_session() {
    let (tenant, app) = shop().await;
    for name in ["sid", "login_hint", "email"] {
        app.id_token_claim(name);
    }
    let client = client(&tenant, &app);
    let mut start = StartOptions::default();
    start.login_hint = Some(ADELE.to_owned());
    let (url, flow) = client.start(&start).unwrap();
    let redirected = tenant.sign_in_at(url.as_str(), ADELE);
    let mut shown = format!("{start:?} {flow:?} {client:?}");
    let signed_in = client.finish(flow, &redirected.query()).await.unwrap();
    signed_in.commit().await;
    let identity = signed_in.identity();
    let account = signed_in.account();
    let mut options = SignOutOptions::default();
    options.logout_hint.clone_from(&identity.login_hint);
    options.state = Some(account.home_account_id.clone());
    let sid = identity.sid.clone().unwrap();
    let named = format!("iss={}&sid={}", encoded(&identity.issuer), encoded(&sid));
    let front = FrontChannelSignOut::parse(&named).unwrap();
    let redirected: ReturnPath = "/join?invitation=canary-zyx9a7cxyz#canary-zyx9a7cxyz"
        .parse()
        .unwrap();
    write!(
        shown,
        "{signed_in:?} {signed_in:#?} {identity:?} {account:?} {:?} {:?} {options:?} {front:?} {redirected:?}",
        signed_in.credential(),
        identity.email,
    )
    .unwrap();
    let name = account.name.as_deref().unwrap();
    let hint = identity.login_hint.as_deref().unwrap();
    for personal in [ADELE, name, &account.home_account_id, &sid, hint, "canary"] {
        assert!(!shown.contains(personal), "{personal} in {shown}");
    }
    assert!(shown.contains("/join"), "the path itself is shown: {shown}");
}
