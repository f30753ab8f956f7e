//! A stored sign-in that may have been altered: it is read or rejected, and never changed.
#![no_main]

use entra_auth::{sign_in::AdminConsentState, user::PendingSignIn};
use entra_auth_fuzz::{
    CONNECTION, STATE, check_setup, check_sign_in_rejection, connection, run, tokens,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: check_setup(), |stored: &[u8]| {
    if let Ok(flow) = serde_json::from_slice::<PendingSignIn>(stored) {
        let text = serde_json::to_string(&flow).expect("JSON");
        let again: PendingSignIn = serde_json::from_str(&text).expect("what was written");
        assert!(again == flow);
        let _ = (flow.id(), flow.expires_on(), format!("{flow:?}"));
        let client = connection(Some(tokens().to_string().into_bytes()));
        let ours = client.has_started(&flow);
        let (state, connection) = (flow.id().to_owned(), flow.connection().map(str::to_owned));
        match run(client.finish(flow, &format!("code=c&state={STATE}"))) {
            Ok(_) => assert!(ours && state == STATE && connection.as_deref() == Some(CONNECTION)),
            Err(error) => check_sign_in_rejection(&error),
        }
    }
    if let Ok(state) = serde_json::from_slice::<AdminConsentState>(stored) {
        let text = serde_json::to_string(&state).expect("JSON");
        let again: AdminConsentState = serde_json::from_str(&text).expect("what was written");
        assert!(again == state);
        let (id, name) = (state.id().to_owned(), state.connection().to_owned());
        match connection(None).finish_admin_consent(state, &format!("admin_consent=True&state={STATE}")) {
            Ok(_) => assert!(id == STATE && name == CONNECTION),
            Err(error) => check_sign_in_rejection(&error),
        }
    }
});
