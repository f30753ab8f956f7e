//! Users who sign in on another device, callers of an API, and passwords.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use entra_auth::{
    ErrorKind,
    user::{ClientAuthentication, DeviceCodeCredential, DeviceCodePrompt, OnBehalfOf},
};
use entra_core::{Clock, CredentialErrorKind, ScriptedTransport, TokenCredential, TokenRequest};
use entra_mock::{App, FakeTenant, Fault};

const ADELE: &str = "adele@contoso.com";

async fn tool() -> (Arc<FakeTenant>, App) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Tool")
        .delegated_permission("User.Read")
        .delegated_permission("Mail.Read")
        .public_client();
    (Arc::new(tenant), app)
}

fn device(
    tenant: &Arc<FakeTenant>,
    app: &App,
    show: impl Fn(&DeviceCodePrompt) + Send + Sync + 'static,
) -> DeviceCodeCredential {
    DeviceCodeCredential::builder(tenant.id(), app.client_id(), show)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_device_shows_one_code_and_then_goes_on_silently() {
    let (tenant, app) = tool().await;
    let (shown, fake) = (Arc::new(Mutex::new(Vec::new())), Arc::clone(&tenant));
    let seen = Arc::clone(&shown);
    let credential = device(&tenant, &app, move |prompt| {
        seen.lock().unwrap().push(prompt.clone());
        fake.approve_device_code(&prompt.user_code, ADELE);
    });
    let request = TokenRequest::new(["User.Read"]);
    let both = tokio::spawn({
        let (credential, request) = (credential.clone(), request.clone());
        async move { credential.token(&request).await }
    });
    credential.token(&request).await.unwrap();
    both.await.unwrap().unwrap();
    let shown = shown.lock().unwrap().clone();
    assert_eq!(shown.len(), 1, "those who wait share the sign-in");
    assert!(shown[0].message.contains(&shown[0].user_code));
    assert!(shown[0].verification_uri.ends_with("/devicelogin"));
    assert_eq!(
        credential.account().unwrap().username.as_deref(),
        Some(ADELE)
    );
    credential
        .token(&TokenRequest::new(["Mail.Read"]))
        .await
        .unwrap();
    tenant.requests().to("/devicecode").assert_count(1);
}

#[tokio::test]
async fn device_polls_at_the_interval_and_slows_down_when_told() {
    let clock = entra_core::ManualClock::new();
    let body = r#"{"user_code":"U","device_code":"D","verification_uri":"https://x.example","expires_in":900,"interval":7,"message":"m"}"#;
    let pending = r#"{"error":"authorization_pending","error_codes":[70016]}"#;
    let slow = r#"{"error":"slow_down"}"#;
    let info = "eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ";
    let granted = format!(
        r#"{{"token_type":"Bearer","access_token":"t","expires_in":3600,"client_info":"{info}","refresh_token":"r"}}"#
    );
    let transport = ScriptedTransport::new()
        .then(200, &[], body)
        .then(400, &[], pending)
        .then(400, &[], slow)
        .then(503, &[], "<html>")
        .then(200, &[], granted);
    let started = clock.now();
    let credential = DeviceCodeCredential::builder(
        crate::support::TENANT,
        crate::support::CLIENT,
        |_: &DeviceCodePrompt| {},
    )
    .clock(clock.clone())
    .transport(Arc::new(transport))
    .build()
    .unwrap();
    let user = credential.sign_in(["User.Read"]).await.unwrap();
    assert_eq!(user.account().home_account_id, "u.t");
    // 7, 7, then 12 after the slow_down, then 17 after the fault.
    assert_eq!((clock.now() - started).whole_seconds(), 7 + 7 + 12 + 17);
}

#[tokio::test]
async fn a_device_response_without_a_message_is_shown_with_address_and_code() {
    for message in ["", r#","message":null"#, r#","message":" ""#] {
        let body = format!(
            r#"{{"device_code":"canary","user_code":"WDJB-MJHT","verification_uri":"https://id.example/device","verification_uri_complete":"https://id.example/device?code=WDJB-MJHT","expires_in":1800{message}}}"#
        );
        let transport = ScriptedTransport::new().then(200, &[], body).then(
            400,
            &[],
            r#"{"error":"access_denied"}"#,
        );
        let shown = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&shown);
        let credential = DeviceCodeCredential::builder(
            crate::support::TENANT,
            crate::support::CLIENT,
            move |prompt: &DeviceCodePrompt| seen.lock().unwrap().push(prompt.clone()),
        )
        .clock(entra_core::ManualClock::new())
        .transport(Arc::new(transport))
        .build()
        .unwrap();
        credential.sign_in(["User.Read"]).await.unwrap_err();
        let prompts = shown.lock().unwrap();
        assert_eq!(
            prompts[0].message,
            "To sign in, open https://id.example/device in a web browser and enter the code WDJB-MJHT."
        );
        let complete = prompts[0].verification_uri_complete.as_deref();
        assert_eq!(complete, Some("https://id.example/device?code=WDJB-MJHT"));
    }
}

#[tokio::test]
async fn a_device_response_may_have_both_addresses_and_numbers_as_text() {
    let body = r#"{"device_code":"D","user_code":"U","verification_uri":"https://id.example/device","verification_url":"https://id.example/old","expires_in":"900","interval":"7"}"#;
    let transport = ScriptedTransport::new().then(200, &[], body).then(
        400,
        &[],
        r#"{"error":"access_denied"}"#,
    );
    let shown = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&shown);
    let clock = entra_core::ManualClock::new();
    let started = clock.now();
    let credential = DeviceCodeCredential::builder(
        crate::support::TENANT,
        crate::support::CLIENT,
        move |prompt: &DeviceCodePrompt| seen.lock().unwrap().push(prompt.clone()),
    )
    .clock(clock.clone())
    .transport(Arc::new(transport))
    .build()
    .unwrap();
    let error = credential.sign_in(["User.Read"]).await.unwrap_err();
    assert!(
        error.to_string().starts_with("the user declined"),
        "{error}"
    );
    let prompts = shown.lock().unwrap();
    assert_eq!(prompts[0].verification_uri, "https://id.example/device");
    assert_eq!((prompts[0].expires_on - started).whole_seconds(), 900);
    assert_eq!((clock.now() - started).whole_seconds(), 7);
}

#[tokio::test]
async fn an_unusable_device_response_has_a_cause_a_fix_and_an_id() {
    for body in [
        "<html>",
        r#"{"device_code":"canary","user_code":"U","expires_in":900}"#,
        r#"{"device_code":"canary","user_code":"U","verification_uri":"https://x.example"}"#,
    ] {
        let credential = DeviceCodeCredential::builder(
            "contoso.com",
            "11111111-1111-1111-1111-111111111111",
            |_| {},
        )
        .transport(ScriptedTransport::new().then(200, &[], body))
        .build()
        .unwrap();
        let error = credential.sign_in(["User.Read"]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{body}");
        assert!(error.cause().is_some() && error.fix().is_some(), "{body}");
        assert!(error.correlation_id().is_some(), "{body}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn expired_and_declined_device_codes_have_their_own_errors() {
    let (tenant, app) = tool().await;
    let fake = Arc::clone(&tenant);
    let declined = device(&tenant, &app, move |prompt| {
        fake.decline_device_code(&prompt.user_code);
    });
    let error = declined.sign_in(["User.Read"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert!(
        error.to_string().starts_with("the user declined"),
        "{error}"
    );

    let alone = device(&tenant, &app, |_| {});
    let started = tenant.clock().now();
    let error = alone
        .token(&TokenRequest::new(["User.Read"]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), CredentialErrorKind::InteractionRequired);
    assert_eq!((tenant.clock().now() - started).whole_seconds(), 900);

    let web = tenant.register_app("Web").with_secret();
    let error = device(&tenant, &web, |_| {})
        .sign_in(["User.Read"])
        .await
        .unwrap_err();
    assert_eq!(error.aadsts_code(), Some(7_000_218));
}

#[tokio::test]
async fn dropped_device_sign_in_ends_and_the_next_starts_anew() {
    let (tenant, app) = tool().await;
    // A clock that waits to be moved, so that the sign-in really waits.
    let clock = entra_core::ManualClock::stepped(tenant.clock().now());
    let shown = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&shown);
    let credential =
        DeviceCodeCredential::builder(tenant.id(), app.client_id(), move |_: &DeviceCodePrompt| {
            *seen.lock().unwrap() += 1;
        })
        .cloud(tenant.cloud())
        .clock(clock)
        .build()
        .unwrap();
    let request = TokenRequest::new(["User.Read"]);
    for expected in 1..=2 {
        let has_shown = async {
            while *shown.lock().unwrap() < expected {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            _ = credential.token(&request) => panic!("it waits for the user"),
            () = has_shown => {}
        }
        assert_eq!(*shown.lock().unwrap(), expected);
    }
    tenant.requests().to("/token").assert_count(0);
}

async fn api() -> (FakeTenant, App, App) {
    let tenant = FakeTenant::start().await;
    let api = tenant
        .register_app("API")
        .expose_scope("Tasks.Read")
        .delegated_permission("User.Read")
        .with_secret();
    let shop = tenant.register_app("Shop").with_secret();
    (tenant, api, shop)
}

fn caller_token(tenant: &FakeTenant, shop: &App, api: &App, name: &str) -> entra_core::Secret {
    let scope = format!("api://{}/Tasks.Read", api.client_id());
    tenant
        .tokens_for(shop, name, [scope])
        .access_token()
        .clone()
}

fn on_behalf_of(tenant: &FakeTenant, api: &App) -> OnBehalfOf {
    OnBehalfOf::builder(
        tenant.id(),
        api.client_id(),
        ClientAuthentication::secret(api.secret()),
    )
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()
    .unwrap()
}

#[tokio::test]
async fn an_api_gets_one_token_per_caller() {
    let (tenant, api, shop) = api().await;
    let obo = on_behalf_of(&tenant, &api);
    let bo = tenant.add_user("Bo Other").user_principal_name();
    let (adele, other) = (
        caller_token(&tenant, &shop, &api, ADELE),
        caller_token(&tenant, &shop, &api, &bo),
    );
    let request = TokenRequest::new(["https://graph.microsoft.com/.default"]);
    let first = obo.caller(&adele).token(&request).await.unwrap();
    let again = obo.caller(&adele).token(&request).await.unwrap();
    let others = obo.caller(&other).token(&request).await.unwrap();
    assert_eq!(first.expose_secret(), again.expose_secret());
    assert_ne!(first.expose_secret(), others.expose_secret());
    tenant.requests().to("/token").assert_count(2);
}

#[tokio::test]
async fn long_running_session_outlives_the_callers_token() {
    let (tenant, api, shop) = api().await;
    let obo = on_behalf_of(&tenant, &api);
    let token = caller_token(&tenant, &shop, &api, ADELE);
    let request = TokenRequest::new(["User.Read"]);
    obo.start_long_running("job-1", &token)
        .token(&request)
        .await
        .unwrap();
    let short = obo.caller(&token);
    tenant.clock().advance(Duration::from_secs(3 * 3600));
    let error = short.token(&request).await.unwrap_err();
    assert_eq!(error.code(), Some(500_133));
    let job = obo.long_running("job-1").unwrap();
    job.token(&request).await.unwrap();

    tenant.user(ADELE).revoke_sessions();
    let fresh = request.clone().with_force_refresh();
    let error = job.token(&fresh).await.unwrap_err();
    assert_eq!(
        error.code(),
        Some(50_173),
        "the refresh token's end is what matters"
    );
    assert!(obo.end_long_running("job-1") && obo.long_running("job-1").is_none());
}

#[tokio::test]
async fn reused_session_key_returns_no_token_of_the_previous_caller() {
    let (tenant, api, shop) = api().await;
    let obo = on_behalf_of(&tenant, &api);
    let bo = tenant.add_user("Bo Other").user_principal_name();
    let request = TokenRequest::new(["User.Read"]);
    let mut tokens = Vec::new();
    for name in [ADELE, &bo] {
        let assertion = caller_token(&tenant, &shop, &api, name);
        let job = obo.start_long_running("job", assertion);
        tokens.push(
            job.token(&request)
                .await
                .unwrap()
                .expose_secret()
                .to_owned(),
        );
    }
    assert_ne!(tokens[0], tokens[1]);
}

#[tokio::test]
async fn each_error_of_an_assertion_has_its_kind() {
    let (tenant, api, shop) = api().await;
    let obo = on_behalf_of(&tenant, &api);
    let rejected = async |assertion: &str, scope: &str| {
        let caller = obo.caller(assertion);
        caller
            .token(&TokenRequest::new([scope]))
            .await
            .unwrap_err()
            .code()
    };
    let good = caller_token(&tenant, &shop, &api, ADELE);
    let for_graph = tenant.tokens_for(&shop, ADELE, ["User.Read"]);
    assert_eq!(
        rejected(for_graph.access_token().expose_secret(), "User.Read").await,
        Some(50_013)
    );
    assert_eq!(rejected("garbage", "User.Read").await, Some(50_013));
    assert_eq!(
        rejected(good.expose_secret(), "Mail.Read").await,
        Some(65_001)
    );
    assert_eq!(
        rejected(good.expose_secret(), "api://nobody/x").await,
        Some(500_011)
    );
    api.remove_secret();
    assert_eq!(
        rejected(good.expose_secret(), "User.Read").await,
        Some(7_000_215)
    );
    let error =
        OnBehalfOf::builder(tenant.id(), api.client_id(), ClientAuthentication::public()).build();
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Configuration);
    let alias =
        OnBehalfOf::builder("common", api.client_id(), ClientAuthentication::secret("s")).build();
    assert_eq!(alias.unwrap_err().kind(), ErrorKind::Configuration);
}

#[cfg(feature = "ropc-discouraged")]
#[tokio::test]
async fn password_is_sent_once_and_each_error_has_its_kind() {
    use entra_auth::user::UsernamePasswordCredential;
    let (tenant, app) = tool().await;
    let password = tenant.user(ADELE).password();
    let credential = |name: &str, password: &str| {
        UsernamePasswordCredential::builder(
            tenant.id(),
            app.client_id(),
            ClientAuthentication::public(),
            name,
            password,
        )
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap()
    };
    let good = credential(ADELE, password.expose_secret());
    for scope in ["User.Read", "User.Read", "Mail.Read"] {
        good.token(&TokenRequest::new([scope])).await.unwrap();
    }
    assert_eq!(good.account().unwrap().username.as_deref(), Some(ADELE));
    tenant.requests().to("/token").assert_count(2);
    let rejected = async |name: &str, password: &str| {
        let request = TokenRequest::new(["User.Read"]);
        credential(name, password)
            .token(&request)
            .await
            .unwrap_err()
            .code()
    };
    assert_eq!(rejected(ADELE, "wrong").await, Some(50_126));
    assert_eq!(rejected("nobody@contoso.com", "x").await, Some(50_034));
    tenant.user(ADELE).require_second_factor();
    assert_eq!(
        rejected(ADELE, password.expose_secret()).await,
        Some(50_076)
    );
    tenant.user(ADELE).disable();
    assert_eq!(
        rejected(ADELE, password.expose_secret()).await,
        Some(50_057)
    );
    let empty = UsernamePasswordCredential::builder(
        tenant.id(),
        app.client_id(),
        ClientAuthentication::public(),
        "",
        "x",
    );
    assert_eq!(empty.build().unwrap_err().kind(), ErrorKind::Configuration);
}

#[tokio::test]
async fn transient_error_during_a_poll_does_not_end_the_sign_in() {
    let (tenant, app) = tool().await;
    let fake = Arc::clone(&tenant);
    let credential = device(&tenant, &app, move |prompt| {
        fake.inject(Fault::on("/token").times(1).status(503));
        fake.approve_device_code(&prompt.user_code, ADELE);
    });
    credential
        .token(&TokenRequest::new(["User.Read"]))
        .await
        .unwrap();
    tenant.requests().to("/token").assert_count(2);
}
