//! What a user's sign-in brings stays out of everything that is printed or logged.

use std::{fmt::Write, sync::Arc};

use entra_auth::{
    CachePartition,
    user::{
        Account, AuthorizationCodeFlow, ClientAuthentication, DeviceCodeCredential, OnBehalfOf,
        StartOptions, UserCredential,
    },
};
use entra_core::{Cloud, ManualClock, ScriptedTransport, TokenCredential, TokenRequest};

use crate::{
    canary::{check, listen},
    support::{CLIENT, TENANT},
};

const SECRET: &str = "canary-secret-zyx5e1fxyz~&=%";

fn granted() -> String {
    let info = "eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ";
    format!(
        r#"{{"token_type":"Bearer","access_token":"canary-token.zyx9a7cxyz.signature","expires_in":3600,"client_info":"{info}","refresh_token":"canary-refresh-zyx9a7cxyz"}}"#
    )
}

/// A response that quotes everything it got.
fn echo() -> String {
    format!(
        r#"{{"error":"invalid_grant","error_codes":[70000],"error_description":"AADSTS70000: '{SECRET}' 'canary-code-zyx5e1fxyz' 'canary-refresh-zyx9a7cxyz' 'canary-assertion-zyx5e1fxyz' 'canary-device-zyx9a7cxyz'.","suberror":"{SECRET}"}}"#
    )
}

#[tokio::test]
async fn codes_refresh_tokens_assertions_and_device_codes_are_never_shown() {
    let (log, _guard) = listen();
    let mut printed = String::new();
    let device = r#"{"user_code":"U","device_code":"canary-device-zyx9a7cxyz","verification_uri":"https://x.example","expires_in":900,"interval":5,"message":"m"}"#;

    // Without the log of what the service wrote, its quotes are the caller's to keep.
    let script = |responses: &[String]| -> Arc<ScriptedTransport> {
        Arc::new(
            responses
                .iter()
                .fold(ScriptedTransport::new(), |transport, response| {
                    let status = if response.contains("\"error\"") {
                        400
                    } else {
                        200
                    };
                    transport.then(status, &[], response.clone())
                }),
        )
    };
    let flow = AuthorizationCodeFlow::builder(TENANT, CLIENT, ClientAuthentication::secret(SECRET))
        .redirect_uri("https://shop.example/cb")
        .clock(ManualClock::new())
        .transport(script(&[granted(), echo(), echo()]));
    write!(printed, "{flow:?}").unwrap();
    let flow = flow.build().unwrap();
    for round in 0..2 {
        let (url, state) = flow.start(&StartOptions::default()).unwrap();
        let verifier = serde_json::to_value(&state).unwrap()["verifier"].to_string();
        let callback = format!("code=canary-code-zyx5e1fxyz&state={}", state.id());
        write!(printed, "{state:?} {url}").unwrap();
        assert!(!printed.contains(verifier.trim_matches('"')));
        match flow.finish(state, &callback).await {
            Ok(user) => {
                write!(printed, "{user:?} {flow:?} {:?}", user.account()).unwrap();
                let error = user
                    .token(&TokenRequest::new(["User.Read"]))
                    .await
                    .unwrap_err();
                write!(printed, "{error} {error:?}").unwrap();
            }
            Err(error) => {
                assert_eq!(round, 1);
                write!(printed, "{error} {error:?} {}", error.report()).unwrap();
            }
        }
    }

    let credential = DeviceCodeCredential::builder(TENANT, CLIENT, |_| {})
        .clock(ManualClock::new())
        .transport(script(&[device.to_owned(), echo()]))
        .build()
        .unwrap();
    let error = credential.sign_in(["User.Read"]).await.unwrap_err();
    write!(
        printed,
        "{credential:?} {error} {error:?} {}",
        error.report()
    )
    .unwrap();

    let obo = OnBehalfOf::builder(TENANT, CLIENT, ClientAuthentication::secret(SECRET))
        .clock(ManualClock::new())
        .transport(script(&[echo()]))
        .build()
        .unwrap();
    let caller = obo.start_long_running("job", "canary-assertion-zyx5e1fxyz");
    let error = caller
        .token(&TokenRequest::new(["User.Read"]))
        .await
        .unwrap_err();
    write!(printed, "{obo:?} {caller:?} {error} {error:?}").unwrap();

    check("printed", &printed);
    check("log", &log.text());
}

const NAME: &str = "Canary Zyxname";
const USERNAME: &str = "canary.zyxname@contoso.example";
const HOME: &str = "canary-zyxhome.canary-zyxtenant";

fn account() -> Account {
    serde_json::from_value(serde_json::json!({
        "home_account_id": HOME, "tenant": TENANT, "username": USERNAME, "name": NAME,
    }))
    .unwrap()
}

#[test]
fn names_addresses_and_account_ids_of_users_are_not_shown_by_debug() {
    let mut options = StartOptions::default();
    options.login_hint = Some(USERNAME.to_owned());
    options.domain_hint = Some("canary-zyx.example".to_owned());
    options.claims = Some(format!(r#"{{"id_token":{{"sub":{{"value":"{HOME}"}}}}}}"#));
    let of_account = account();
    let refresh = UserCredential::builder(
        account(),
        CLIENT,
        ClientAuthentication::public(),
        "canary-refresh-zyx9a7cxyz",
    );
    let device = DeviceCodeCredential::builder(TENANT, CLIENT, |_| {}).account(account());
    let partition = CachePartition::account(&Cloud::public(), HOME);
    let mut shown = format!("{options:?} {options:#?} {of_account:?} {of_account:#?}");
    write!(
        shown,
        "{refresh:?} {refresh:#?} {:?} ",
        refresh.clone().build()
    )
    .unwrap();
    write!(
        shown,
        "{device:?} {device:#?} {:?} ",
        device.clone().build()
    )
    .unwrap();
    write!(shown, "{partition:?} {partition:#?}").unwrap();
    #[cfg(feature = "ropc-discouraged")]
    {
        let password = entra_auth::user::UsernamePasswordCredential::builder(
            TENANT,
            CLIENT,
            ClientAuthentication::public(),
            USERNAME,
            "canary-word-zyx9a7cxyz",
        );
        write!(
            shown,
            "{password:?} {password:#?} {:?}",
            password.clone().build()
        )
        .unwrap();
    }
    #[cfg(feature = "interactive")]
    {
        use entra_auth::user::InteractiveBrowserCredential;
        let browser = InteractiveBrowserCredential::builder(TENANT, CLIENT)
            .login_hint(USERNAME)
            .account(account());
        write!(
            shown,
            "{browser:?} {browser:#?} {:?}",
            browser.clone().build()
        )
        .unwrap();
    }
    check("printed", &shown);
    assert!(!shown.to_lowercase().contains("zyx"), "{shown}");
}
