//! Sign-ins of users without a browser session: codes, devices, passwords, on behalf of.

use std::sync::Arc;

use entra_auth::user::{
    Account, AuthorizationCodeFlow, ClientAuthentication, DeviceCodeCredential,
    InteractiveBrowserCredential, OnBehalfOf, StartOptions, UserCredential,
    UsernamePasswordCredential,
};
use entra_core::{ManualClock, ScriptedTransport, TokenCredential, TokenRequest};

use super::{CLIENT, TENANT};
use crate::shown::{Shown, behind_proxy, canary, canary_text};

pub(super) async fn cases(shown: &Shown) {
    let proof = || ClientAuthentication::secret(canary("proof"));
    shown.debug(&proof());
    shown.debug(&account());
    let mut options = StartOptions::default();
    options.login_hint = Some(canary_text("hint"));
    options.domain_hint = Some(canary_text("domain"));
    options.claims = Some(canary_text("claims"));
    shown.debug(&options);
    code(shown, &options).await;

    let refresh = canary("refresh");
    let user = UserCredential::builder(account(), CLIENT, proof(), refresh);
    let user = user.transport(behind_proxy());
    shown.debug(&user);
    shown.debug(&user.build().unwrap());

    device(shown).await;
    let browser = InteractiveBrowserCredential::builder(TENANT, CLIENT)
        .login_hint(canary_text("hint"))
        .account(account())
        .transport(behind_proxy());
    shown.debug(&browser);
    shown.debug(&browser.build().unwrap());
    let password = UsernamePasswordCredential::builder(
        TENANT,
        CLIENT,
        proof(),
        canary_text("username"),
        canary("password"),
    );
    let password = password.transport(behind_proxy());
    shown.debug(&password);
    shown.debug(&password.build().unwrap());

    let builder = OnBehalfOf::builder(TENANT, CLIENT, proof()).transport(behind_proxy());
    shown.debug(&builder);
    let api = builder.build().unwrap();
    let caller = api.start_long_running(canary_text("key"), canary("assertion"));
    shown.debug(&api);
    shown.debug(&caller);
}

pub(super) fn account() -> Account {
    serde_json::from_value(serde_json::json!({
        "home_account_id": canary_text("home"),
        "tenant": TENANT,
        "username": canary_text("username"),
        "name": canary_text("name"),
    }))
    .unwrap()
}

async fn code(shown: &Shown, options: &StartOptions) {
    let rejection = format!(
        r#"{{"error":"invalid_grant","error_codes":[70000],"error_description":"AADSTS70000: '{}' '{}'"}}"#,
        canary_text("code"),
        canary_text("proof")
    );
    let transport = ScriptedTransport::new().then(400, &[], rejection);
    let proof = ClientAuthentication::secret(canary("proof"));
    let builder = AuthorizationCodeFlow::builder(TENANT, CLIENT, proof)
        .redirect_uri("https://shop.example/callback")
        .clock(ManualClock::new())
        .transport(Arc::new(transport));
    shown.debug(&builder);
    let flow = builder.build().unwrap();
    shown.debug(&flow);
    let (_, pending) = flow.start(options).unwrap();
    let stored = serde_json::to_value(&pending).unwrap();
    shown.secret(stored["verifier"].as_str().unwrap());
    shown.debug(&pending);
    let callback = format!("code={}&state={}", canary_text("code"), pending.id());
    shown.error(&flow.finish(pending, &callback).await.unwrap_err());
}

async fn device(shown: &Shown) {
    let granted = format!(
        r#"{{"user_code":"{}","device_code":"{}","verification_uri":"https://x.example","expires_in":900,"interval":5,"message":"type {}"}}"#,
        canary_text("user-code"),
        canary_text("device-code"),
        canary_text("user-code"),
    );
    let rejection = format!(
        r#"{{"error":"invalid_grant","error_description":"'{}'"}}"#,
        canary_text("device-code")
    );
    let transport = ScriptedTransport::new()
        .then(200, &[], granted)
        .then(400, &[], rejection);
    let seen = shown.clone();
    let builder = DeviceCodeCredential::builder(TENANT, CLIENT, move |prompt| seen.debug(prompt))
        .account(account())
        .clock(ManualClock::new())
        .transport(transport);
    shown.debug(&builder);
    let credential = builder.build().unwrap();
    shown.debug(&credential);
    let request = TokenRequest::new(["User.Read"]);
    shown.error(&credential.token(&request).await.unwrap_err());
}
