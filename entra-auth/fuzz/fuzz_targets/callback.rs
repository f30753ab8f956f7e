//! Requests of browsers: the callbacks of a sign-in and of an admin consent, and a sign-out.
#![no_main]

use entra_auth::sign_in::{AdminConsentState, FrontChannelSignOut, SignInErrorKind};
use entra_auth_fuzz::{
    CONNECTION, NOW, STATE, USER_ID, check_setup, check_sign_in_rejection, connection, issuer_v2,
    run, stored_flow, tokens,
};
use entra_core::url::form_urlencoded;
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(init: check_setup(), |callback: &str| {
    // An address, or a query or form by itself, in which a question mark is a value's.
    let query = match callback.split_once('?') {
        Some((address, query)) if !address.contains(['=', '&']) => query.split('#').next().unwrap_or_default(),
        _ => callback,
    };
    let parameters: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let all = |name: &str| -> Vec<&str> {
        parameters.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    };

    let client = connection(Some(tokens().to_string().into_bytes()));
    let flow = || serde_json::from_value(stored_flow()).expect("a flow");
    let again = match run(client.finish(flow(), callback)) {
        Ok(signed_in) => {
            assert_eq!(all("state"), [STATE]);
            assert_eq!(all("code").len(), 1);
            assert!(all("error").is_empty() && !all("code")[0].is_empty());
            assert!(all("iss").is_empty() || all("iss") == [issuer_v2()]);
            assert_eq!(signed_in.identity().oid.to_string(), USER_ID);
            true
        }
        Err(error) => {
            check_sign_in_rejection(&error);
            false
        }
    };
    match run(client.finish(flow(), callback)) {
        Ok(_) => panic!("a sign-in was finished twice"),
        Err(error) => assert!(!again || error.kind() == SignInErrorKind::Replayed, "{error}"),
    }

    let state = json!({"state": STATE, "connection": CONNECTION, "expires_on": NOW + 60});
    let state: AdminConsentState = serde_json::from_value(state).expect("a state");
    match connection(None).finish_admin_consent(state, callback) {
        Ok(consent) => {
            assert_eq!(all("state"), [STATE]);
            assert!(all("error").is_empty() && all("admin_consent").len() == 1);
            assert!(consent.tenant.is_none_or(|tenant| !tenant.is_alias()));
        }
        Err(error) => check_sign_in_rejection(&error),
    }

    match FrontChannelSignOut::parse(callback) {
        Ok(request) => {
            assert_eq!(request.issuer().is_some(), request.sid().is_some());
            assert_eq!(request.is_for_this_browser(), request.sid().is_none());
            assert_eq!(all("sid").first().copied(), request.sid());
        }
        Err(error) => check_sign_in_rejection(&error),
    }
});
